//! Works events through. What an event changes and the mark that it is done are one transaction: a worker that dies in between has
//! changed nothing, and a worker that lost its lease changes nothing either.

use std::collections::HashMap;

use rust_decimal::Decimal;
use uuid::Uuid;

use super::store::{self, Stored};
use patchbay_access::Action;
use patchbay_access::server::{Machine, Scope, WriteTx};
use patchbay_calls::model::CallSource;
use patchbay_calls::server::carrier::{self, Applied};
use patchbay_calls::server::{fold, follow};
use patchbay_connections::server::ops as connections;
use patchbay_jobs::lease::{self, Claim, WEBHOOKS};
use patchbay_jobs::live::Topic;
use patchbay_jobs::runner::{Ends, Failure, Queue, Verdict};
use patchbay_providers::json;
use patchbay_providers::telnyx::{self, TelnyxEvent, TelnyxPayload};
use patchbay_providers::text::TextEvent;
use patchbay_providers::ultravox::WebhookEvent;
use patchbay_providers::voice::VoiceCall;
use patchbay_services::HookFuture;
use patchbay_shared::AppError;

/// Workspaces whose events are worked on at once.
const AT_ONCE: usize = 8;
/// Events of a workspace that are worked through in one transaction.
const TOGETHER: usize = 200;
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

/// An event and its place in the queue.
struct Item {
    /// Which of the claims it is.
    place: usize,
    claim: Claim,
    stored: Stored,
    event: Event,
    payload: serde_json::Value,
}

/// All that an event may do when it is worked through.
const WEBHOOK: Machine =
    Machine { name: "webhook", actions: &[Action::ReadQueues, Action::UseConnections, Action::ReplayQueues] };

/// Hook: takes in what the carrier reports of text messages. False: it is about nothing of this workspace.
pub struct TextReported(pub for<'a> fn(&'a mut WriteTx, &'a TextEvent) -> HookFuture<'a, bool>);

/// The queue of stored events.
pub fn queue() -> Queue {
    Queue::new(WEBHOOKS, store::BELL, AT_ONCE, WEBHOOK, work).in_batches(TOGETHER, WEBHOOK, work_all)
}

async fn work(scope: Scope, claim: Claim) -> Result<Verdict, Failure> {
    let mut ends = work_all(scope, vec![claim]).await;
    ends.pop().unwrap_or_else(|| Err(taken_over()))
}

/// Works events of one workspace through. One that cannot be worked through stops none of the others.
async fn work_all(scope: Scope, claims: Vec<Claim>) -> Ends {
    let mut ends: Vec<Option<Result<Verdict, Failure>>> = claims.iter().map(|_| None).collect();
    if let Err(error) = work_items(&scope, claims, &mut ends).await {
        // What is left meets the same trouble.
        let left = ends.iter_mut().filter(|end| end.is_none());
        let (error, retry_after) = (error.to_string(), Failure::from(error).retry_after);
        left.for_each(|end| *end = Some(Err(Failure { error: error.clone(), retry_after, permanent: false })));
    }
    ends.into_iter().map(|end| end.unwrap_or_else(|| Err(taken_over()))).collect()
}

async fn work_items(
    scope: &Scope,
    claims: Vec<Claim>,
    ends: &mut [Option<Result<Verdict, Failure>>],
) -> Result<(), AppError> {
    let mut stored = {
        let mut tx = scope.read(Action::ReadQueues).await?;
        store::items(&mut tx, &claims.iter().map(|claim| claim.id).collect::<Vec<_>>()).await?
    };
    let (mut voice, mut carrier) = (Vec::new(), Vec::new());
    for (place, claim) in claims.into_iter().enumerate() {
        let Some(stored) = stored.remove(&claim.id) else { continue };
        match decode(&stored) {
            Ok((event, payload)) => {
                let list = if matches!(event, Event::Voice(_)) { &mut voice } else { &mut carrier };
                list.push(Item { place, claim, stored, event, payload });
            }
            // More tries would read the same bytes. It stays for a person, and for a version that understands it.
            Err(error) => ends[place] = Some(Err(Failure { error, retry_after: None, permanent: true })),
        }
    }
    if ends.iter().any(Option::is_some) {
        tell_failed(scope).await;
    }
    let heard: Vec<&VoiceCall> = voice.iter().filter_map(|item| item.event.call()).collect();
    follow::end_if_suspended(scope, &heard).await?;
    let price = connections::settings(scope).await?.voice_price_per_minute;
    work_group(scope, voice, price, ends).await?;
    // One session of the carrier after the other: each event takes its call, then what the call costs. Who holds the cost of one call must
    // not wait for another one.
    for items in by_session(carrier) {
        work_group(scope, items, price, ends).await?;
    }
    Ok(())
}

/// The events of each session together, in the order in which they came; those of none each by itself.
fn by_session(items: Vec<Item>) -> Vec<Vec<Item>> {
    let mut groups: Vec<Vec<Item>> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    for item in items {
        let session = item.event.session().map(str::to_owned);
        match session.as_ref().and_then(|session| places.get(session)) {
            Some(place) => groups[*place].push(item),
            None => {
                places.extend(session.map(|session| (session, groups.len())));
                groups.push(vec![item]);
            }
        }
    }
    groups
}

/// All in one transaction; if that fails, each in one of its own, so that the bad one is found.
async fn work_group(
    scope: &Scope,
    items: Vec<Item>,
    price: Decimal,
    ends: &mut [Option<Result<Verdict, Failure>>],
) -> Result<(), AppError> {
    if items.len() > 1 {
        match work_together(scope, &items, price).await {
            Ok(true) => {
                items.iter().for_each(|item| ends[item.place] = Some(Ok(Verdict::Marked)));
                return Ok(());
            }
            Ok(false) => {}
            // Without a database each would wait for one.
            Err(error @ AppError::Transport(_)) => return Err(error),
            Err(error) => {
                tracing::info!(events = items.len(), cause = %error, "events are worked through one by one");
            }
        }
    }
    for item in &items {
        ends[item.place] = Some(match work_together(scope, std::slice::from_ref(item), price).await {
            Ok(true) => Ok(Verdict::Marked),
            Ok(false) => Err(taken_over()),
            Err(error @ AppError::Transport(_)) => return Err(error),
            Err(error) => Err(error.into()),
        });
    }
    Ok(())
}

/// False: another worker has taken one of them over, and nothing was changed.
async fn work_together(scope: &Scope, items: &[Item], price: Decimal) -> Result<bool, AppError> {
    let mut tx = scope.write(Action::ReplayQueues).await?;
    let notes = apply(&mut tx, items, price).await?;
    let claims: Vec<&Claim> = items.iter().map(|item| &item.claim).collect();
    if !lease::finish_all(tx.conn(), WEBHOOKS, &claims).await? {
        return Ok(false);
    }
    let remarks: Vec<(Uuid, String)> = items
        .iter()
        .zip(notes)
        .filter_map(|(item, note)| Some((item.claim.id, remark_on(note, item.event.remarks())?)))
        .collect();
    store::remark(&mut tx, &remarks).await?;
    tx.notify(Topic::list("webhooks"), None);
    tx.commit().await?;
    Ok(true)
}

fn taken_over() -> Failure {
    Failure { error: "Another worker has taken this over.".into(), retry_after: None, permanent: false }
}

impl Event {
    fn call(&self) -> Option<&VoiceCall> {
        match self {
            Event::Voice(event) => Some(&event.call),
            Event::Carrier(_) => None,
        }
    }

    /// The carrier's session that a leg belongs to.
    fn session(&self) -> Option<&str> {
        match self {
            Event::Carrier(event) => match &event.payload {
                TelnyxPayload::Call(leg) => leg.call_session_id.as_deref(),
                _ => None,
            },
            Event::Voice(_) => None,
        }
    }
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

/// What the events change. Gives a remark for each that changed nothing.
async fn apply(tx: &mut WriteTx, items: &[Item], price: Decimal) -> Result<Vec<Option<&'static str>>, AppError> {
    let mut updates = Vec::new();
    let mut notes = Vec::new();
    for Item { stored, event, payload, .. } in items {
        notes.push(match event {
            Event::Voice(event) => {
                updates.push(fold::CallUpdate {
                    call: &event.call,
                    event_id: &stored.event_id,
                    event_type: event.kind.as_str(),
                    occurred_at: event.occurred_at().unwrap_or(stored.received_at),
                    told_at: stored.received_at,
                    payload: payload.clone(),
                    price_per_minute: price,
                    source: CallSource::Webhook,
                    words: fold::Words::Now,
                });
                None
            }
            Event::Carrier(event) => apply_carrier(tx, event, stored, payload).await?,
        });
    }
    fold::apply_all(tx, &updates).await?;
    Ok(notes)
}

async fn apply_carrier(
    tx: &mut WriteTx,
    event: &TelnyxEvent,
    stored: &Stored,
    payload: &serde_json::Value,
) -> Result<Option<&'static str>, AppError> {
    match &event.payload {
        TelnyxPayload::Call(call) => {
            let at = event.occurred_at.unwrap_or(stored.received_at);
            Ok(match carrier::apply(tx, event, call, at, &stored.event_id, payload.clone()).await? {
                Applied::ToCall => None,
                Applied::Waits => Some("No call of this workspace fits this cost yet. It is kept until one does."),
                Applied::Nowhere => Some("No call of this workspace fits this event, so nothing was changed."),
            })
        }
        TelnyxPayload::NumberOrder(order) => {
            let waited = patchbay_numbers::server::ops::order_reported(tx, order).await?;
            Ok((!waited).then_some("No number in this workspace is waiting for this order. Nothing was changed."))
        }
        TelnyxPayload::Text(text) => {
            let hook = tx.services().hooks.get::<TextReported>()?;
            let known = (hook.0)(tx, text).await?;
            Ok((!known).then_some("This text message is nobody’s here: no number, or no message, of this workspace fits. Nothing was changed."))
        }
        TelnyxPayload::Unknown(_) => Ok(Some("Patchbay does not use this kind of event. Nothing was changed.")),
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
