//! Something happened that others may have asked to be told. The body is frozen here, in the transaction of what happened.

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value, json};
use uuid::Uuid;

use super::jobs::GiveOutEvents;
use super::store::events as store;
use crate::model::{EventType, Subject};
use patchbay_access::server::WriteTx;
use patchbay_jobs::{NewJob, enqueue};
use patchbay_services::HookFuture;
use patchbay_shared::AppError;
use patchbay_shared::ids::{ClientId, WebhookEventId};

/// The longest body, in bytes. Longer ones are shortened, first a little, at last so that only what names things is left.
const LONGEST: usize = 64 * 1024;
const SHORTER: [(usize, usize); 3] = [(2000, 200), (200, 50), (100, 0)];

/// Something that happened just now.
#[derive(Debug, Clone)]
pub struct NewEvent {
    pub kind: EventType,
    /// None: the client in whose name it is done, or the agency itself.
    pub client_id: Option<ClientId>,
    pub subject: Subject,
    pub subject_id: Uuid,
    /// What is told. Everybody who asked for it reads it, so no money of the agency stands in it and no prompt.
    pub data: Value,
}

/// An event that is given to those who asked for it.
#[derive(Debug, Clone)]
pub struct Event {
    pub id: WebhookEventId,
    pub kind: EventType,
    pub client_id: Option<ClientId>,
    pub subject: Subject,
    pub subject_id: Uuid,
    /// As it was frozen: `type`, `timestamp` and `data`.
    pub body: String,
    pub occurred_at: DateTime<Utc>,
}

/// Told of events, some at a time, in the transaction that gives them out. Crates above give the function to boot.
pub struct EventsOut(pub for<'a> fn(&'a mut WriteTx, &'a [Event]) -> HookFuture<'a>);

/// Writes down what happened, if anybody in the workspace listens, and has it given out after the commit. One statement for all of them.
pub async fn emit(tx: &mut WriteTx, events: Vec<NewEvent>) -> Result<(), AppError> {
    if events.is_empty() {
        return Ok(());
    }
    let (now, own) = (Utc::now(), tx.scope().client_id());
    let rows: Vec<Event> = events.into_iter().map(|event| frozen(event, own, now)).collect();
    if store::insert(tx, &rows).await? == 0 {
        return Ok(());
    }
    enqueue(tx, &GiveOutEvents::default(), NewJob::default()).await
}

pub(super) fn frozen(event: NewEvent, own: Option<ClientId>, now: DateTime<Utc>) -> Event {
    Event {
        id: WebhookEventId::new(),
        kind: event.kind,
        client_id: own.or(event.client_id),
        subject: event.subject,
        subject_id: event.subject_id,
        body: body(event.kind, event.data, now),
        occurred_at: now,
    }
}

/// The exact bytes that everybody is sent.
fn body(kind: EventType, mut data: Value, at: DateTime<Utc>) -> String {
    let whole = |data: &Value| {
        let timestamp = at.to_rfc3339_opts(SecondsFormat::Millis, true);
        json!({"type": kind, "timestamp": timestamp, "data": data}).to_string()
    };
    let mut text = whole(&data);
    for (characters, items) in SHORTER {
        if text.len() <= LONGEST {
            break;
        }
        if let Value::Object(all) = &mut data {
            all.values_mut().for_each(|value| shorten(value, characters, items));
        }
        text = whole(&data);
    }
    text
}

/// Texts have at most so many characters, lists and objects so many items.
fn shorten(value: &mut Value, characters: usize, items: usize) {
    match value {
        Value::String(text) if text.chars().count() > characters => {
            *text = text.chars().take(characters).chain(['…']).collect();
        }
        Value::Array(all) => {
            all.truncate(items);
            all.iter_mut().for_each(|value| shorten(value, characters, items));
        }
        Value::Object(all) => {
            let names: Vec<String> = all.keys().skip(items).cloned().collect();
            for name in names {
                all.remove(&name);
            }
            all.values_mut().for_each(|value| shorten(value, characters, items));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_of_the_agreed_form_and_never_endless() {
        let at = DateTime::from_timestamp(1_764_432_000, 5_000_000).expect("a moment");
        let short = body(EventType::CallStarted, json!({"from": "+12025550113"}), at);
        let read: Value = serde_json::from_str(&short).expect("JSON");
        assert_eq!(
            read,
            json!({"type": "call.started", "timestamp": "2025-11-29T16:00:00.005Z", "data": {"from": "+12025550113"}})
        );
        let long = json!({"summary": "wörter\u{0} ".repeat(20_000), "fields": {"all": vec!["x".repeat(2000); 300]}});
        let cut = body(EventType::AnalysisCompleted, long, at);
        assert!(cut.len() <= LONGEST && !cut.contains('\0'), "{}", cut.len());
        assert!(serde_json::from_str::<Value>(&cut).is_ok());
    }
}
