//! Works events through. What an event changes and the mark that it is done are one transaction: a worker that dies in between has
//! changed nothing, and a worker that lost its lease changes nothing either.

use rust_decimal::Decimal;

use super::store::{self, Stored};
use patchbay_access::Action;
use patchbay_access::server::{Machine, Scope, WriteTx};
use patchbay_calls::server::carrier::{self, Applied};
use patchbay_calls::server::{fold, follow};
use patchbay_connections::server::ops as connections;
use patchbay_jobs::lease::{self, Claim, WEBHOOKS};
use patchbay_jobs::live::Topic;
use patchbay_jobs::runner::{Failure, Queue, Verdict};
use patchbay_providers::json;
use patchbay_providers::telnyx::{self, TelnyxEvent, TelnyxPayload};
use patchbay_providers::ultravox::WebhookEvent;
use patchbay_shared::AppError;

/// Events that are worked on at once.
const AT_ONCE: usize = 8;
/// The longest list of what could not be read, in characters.
const LONGEST_REMARK: usize = 1000;

/// An event that can be understood.
enum Event {
    Voice(Box<WebhookEvent>),
    Carrier(Box<TelnyxEvent>),
}

impl Event {
    /// Fields that could not be read and were left out.
    fn remarks(&self) -> &[String] {
        match self {
            Event::Voice(event) => &event.remarks,
            Event::Carrier(event) => &event.remarks,
        }
    }
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
    let note = remark_on(note, event.remarks());
    if !lease::finish(tx.conn(), WEBHOOKS, &claim).await? {
        return Err(Failure {
            error: "Another worker has taken this over.".into(),
            retry_after: None,
            permanent: false,
        });
    }
    if let Some(note) = note {
        store::remark(&mut tx, claim.id, &note).await?;
    }
    tx.notify(Topic::list("webhooks"), None);
    tx.commit().await?;
    Ok(Verdict::Marked)
}

/// Reads an event and its document. Errors: a sentence for the person who looks at the queue.
fn decode(stored: &Stored) -> Result<(Event, serde_json::Value), String> {
    let unreadable =
        |why: &str| format!("This event cannot be read, so nothing was changed. It is kept as it came. {why}");
    let payload = match stored.provider.as_str() {
        "telnyx" => telnyx::document(&stored.body),
        _ => json::read(&stored.body),
    };
    let payload = payload.map_err(|why| unreadable(&why))?;
    let event = match stored.provider.as_str() {
        "ultravox" => {
            WebhookEvent::read(&payload).map(|event| Event::Voice(Box::new(event.received(stored.received_at))))
        }
        "telnyx" => TelnyxEvent::read(&payload).map(Box::new).map(Event::Carrier),
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
                occurred_at: event.occurred_at().unwrap_or(stored.received_at),
                told_at: stored.received_at,
                payload,
                price_per_minute: price,
            };
            fold::apply(tx, &news).await?;
            Ok(None)
        }
        Event::Carrier(event) => match &event.payload {
            TelnyxPayload::Call(call) => {
                let at = event.occurred_at.unwrap_or(stored.received_at);
                Ok(match carrier::apply(tx, event, call, at, &stored.event_id, payload).await? {
                    Applied::ToCall => None,
                    Applied::Waits => Some("No call of this workspace fits this cost yet. It is kept until one does."),
                    Applied::Nowhere => Some("No call of this workspace fits this event, so nothing was changed."),
                })
            }
            TelnyxPayload::NumberOrder(order) => {
                let waited = patchbay_numbers::server::ops::order_reported(tx, order).await?;
                Ok((!waited).then_some("No number in this workspace is waiting for this order. Nothing was changed."))
            }
            TelnyxPayload::Unknown(_) => Ok(Some("Patchbay does not use this kind of event. Nothing was changed.")),
        },
    }
}

/// What the person who looks at the event reads: what was made of it, and what of it could not be read.
fn remark_on(note: Option<&str>, remarks: &[String]) -> Option<String> {
    let odd = (!remarks.is_empty()).then(|| {
        let list: String = remarks.join("; ").chars().take(LONGEST_REMARK).collect();
        format!("Part of this event could not be read, and the rest was used: {list}.")
    });
    let parts: Vec<&str> = note.into_iter().chain(odd.as_deref()).collect();
    (!parts.is_empty()).then(|| parts.join(" "))
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
    fn what_could_not_be_read_is_said() {
        assert_eq!(remark_on(None, &[]), None);
        assert_eq!(remark_on(Some("Nothing was changed."), &[]).as_deref(), Some("Nothing was changed."));
        let both = remark_on(Some("Nothing was changed."), &["joined is not a time".to_owned(), "b".to_owned()]);
        let wanted = "Nothing was changed. Part of this event could not be read, and the rest was used: joined is not a time; b.";
        assert_eq!(both.as_deref(), Some(wanted));
    }
}
