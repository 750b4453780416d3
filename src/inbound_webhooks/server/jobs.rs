//! Works events through. What an event changes and the mark that it is done are one transaction: a worker that dies in between has
//! changed nothing, and a worker that lost its lease changes nothing either.

use rust_decimal::Decimal;

use super::store::{self, Stored};
use patchbay_access::Action;
use patchbay_access::server::{Machine, Scope, WriteTx};
use patchbay_calls::server::{carrier, fold, follow};
use patchbay_connections::server::ops as connections;
use patchbay_jobs::lease::{self, Claim, WEBHOOKS};
use patchbay_jobs::live::Topic;
use patchbay_jobs::runner::{Failure, Queue, Verdict};
use patchbay_providers::telnyx::{TelnyxEvent, TelnyxPayload};
use patchbay_providers::ultravox::WebhookEvent;
use patchbay_shared::AppError;

/// Events that are worked on at once.
const AT_ONCE: usize = 8;

/// An event that can be understood.
enum Event {
    Voice(Box<WebhookEvent>),
    Carrier(Box<TelnyxEvent>),
}

/// All that an event may do when it is worked through.
const WEBHOOK: Machine =
    Machine { name: "webhook", actions: &[Action::ReadQueues, Action::UseConnections, Action::ReplayQueues] };

/// The queue of stored events.
pub fn queue() -> Queue {
    Queue::new(WEBHOOKS, store::BELL, AT_ONCE, WEBHOOK, work)
}

async fn work(scope: Scope, claim: Claim) -> Result<Verdict, Failure> {
    let stored = {
        let mut tx = scope.read(Action::ReadQueues).await?;
        store::item(&mut tx, claim.id).await?
    };
    let (event, payload) = match decode(&stored) {
        Ok(read) => read,
        Err(error) => {
            tell_failed(&scope).await;
            // More tries would read the same bytes. It stays for a person, and for a version that understands it.
            return Err(Failure { error, retry_after: None, permanent: true });
        }
    };
    if let Event::Voice(event) = &event {
        follow::end_if_suspended(&scope, &event.call).await?;
    }
    let price = connections::settings(&scope).await?.voice_price_per_minute;
    let mut tx = scope.write(Action::ReplayQueues).await?;
    let note = apply(&mut tx, &event, &stored, payload, price).await?;
    if !lease::finish(tx.conn(), WEBHOOKS, &claim).await? {
        return Err(Failure {
            error: "Another worker has taken this over.".into(),
            retry_after: None,
            permanent: false,
        });
    }
    if let Some(note) = note {
        store::remark(&mut tx, claim.id, note).await?;
    }
    tx.notify(Topic::list("webhooks"), None);
    tx.commit().await?;
    Ok(Verdict::Marked)
}

/// Reads an event and its document. Errors: a sentence for the person who looks at the queue.
fn decode(stored: &Stored) -> Result<(Event, serde_json::Value), String> {
    let unreadable =
        |why: &str| format!("This event cannot be read, so nothing was changed. It is kept as it came. {why}");
    // Without NUL from here on: PostgreSQL takes every character but this one.
    let mut payload = serde_json::from_slice(&stored.body).map_err(|error| unreadable(&error.to_string()))?;
    without_nul(&mut payload);
    let body = payload.to_string();
    let event = match stored.provider.as_str() {
        "ultravox" => WebhookEvent::decode(body.as_bytes()).map(Box::new).map(Event::Voice),
        "telnyx" => TelnyxEvent::decode(body.as_bytes()).map(Box::new).map(Event::Carrier),
        other => return Err(format!("No worker knows events of {other}.")),
    };
    Ok((event.map_err(|error| unreadable(&error.message))?, payload))
}

/// What the event changes. Gives a remark when it changed nothing.
async fn apply(
    tx: &mut WriteTx,
    event: &Event,
    stored: &Stored,
    payload: serde_json::Value,
    price: Decimal,
) -> Result<Option<&'static str>, AppError> {
    match event {
        Event::Voice(event) => {
            let news = fold::CallUpdate {
                call: &event.call,
                event_id: &stored.event_id,
                event_type: event.kind.as_str(),
                occurred_at: event.occurred_at(),
                payload,
                price_per_minute: price,
            };
            fold::apply(tx, &news).await?;
            Ok(None)
        }
        Event::Carrier(event) => match &event.payload {
            TelnyxPayload::Call(call) => {
                let found = carrier::apply(tx, event, call, &stored.event_id, payload).await?;
                Ok((!found).then_some("No call in this workspace matches this event. Nothing was changed."))
            }
            TelnyxPayload::NumberOrder(order) => {
                let waited = patchbay_numbers::server::ops::order_reported(tx, order).await?;
                Ok((!waited).then_some("No number in this workspace is waiting for this order. Nothing was changed."))
            }
            TelnyxPayload::Unknown(_) => Ok(Some("Patchbay does not use this kind of event. Nothing was changed.")),
        },
    }
}

fn without_nul(value: &mut serde_json::Value) {
    match value {
        serde_json::Value::String(text) if text.contains('\0') => *text = text.replace('\0', ""),
        serde_json::Value::Array(items) => items.iter_mut().for_each(without_nul),
        serde_json::Value::Object(fields) => {
            if fields.keys().any(|key| key.contains('\0')) {
                *fields =
                    std::mem::take(fields).into_iter().map(|(key, value)| (key.replace('\0', ""), value)).collect();
            }
            fields.values_mut().for_each(without_nul);
        }
        _ => {}
    }
}

/// Open lists and the dashboard learn of the failure; the runner writes it.
async fn tell_failed(scope: &Scope) {
    if let Ok(mut tx) = scope.write(Action::ReplayQueues).await {
        tx.notify(Topic::list("webhooks"), None);
        tx.notify(Topic::list("dashboard"), None);
        let _ = tx.commit().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nul_is_taken_out_everywhere() {
        let mut value = serde_json::json!({"a\u{0}": ["x\u{0}y", {"b": "\u{0}"}], "n": 1});
        without_nul(&mut value);
        assert_eq!(value, serde_json::json!({"a": ["xy", {"b": ""}], "n": 1}));
    }

    #[test]
    fn garbage_is_a_sentence() {
        let stored = |body: &[u8]| Stored { provider: "ultravox".into(), event_id: "e".into(), body: body.to_vec() };
        for body in [b"\xff".as_slice(), b"{}", "[".repeat(10_000).as_bytes(), b"{\"event\":1,\"call\":2}"] {
            assert!(decode(&stored(body)).is_err_and(|error| error.starts_with("This event cannot be read")));
        }
    }
}
