//! What other systems are told of calls: that one began, was answered, reached nobody, or was read by a model. Asked for once per
//! transaction, and nothing is looked up where nobody listens.

use std::collections::HashMap;

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::store::told::{self as store, Call};
use patchbay_access::server::WriteTx;
use patchbay_shared::AppError;
use patchbay_shared::ids::CallId;
use patchbay_webhooks::model::{EventType, Subject};
use patchbay_webhooks::server::{NewEvent, emit, listeners};

/// Parts of a model's reading that are told under names of their own, or are pieces of the transcript.
const NOT_FIELDS: [&str; 4] = ["summary", "sentiment", "goal_reached", "evidence"];

/// Tells of these calls, as they stand now in this transaction.
pub(super) async fn tell(tx: &mut WriteTx, events: &[(CallId, EventType)]) -> Result<(), AppError> {
    if events.is_empty() || !listeners::any(tx.reading()).await? {
        return Ok(());
    }
    let ids: Vec<Uuid> = events.iter().map(|(id, _)| id.0).collect();
    let calls: HashMap<CallId, Call> = store::calls(tx, &ids).await?.into_iter().map(|call| (call.id, call)).collect();
    let url = tx.services().public_url.clone();
    let new = events.iter().filter_map(|(id, kind)| {
        let call = calls.get(id)?;
        let (subject, subject_id) = (Subject::Call, id.0);
        Some(NewEvent { kind: *kind, client_id: call.client_id, subject, subject_id, data: data(call, *kind, &url) })
    });
    let new: Vec<NewEvent> = new.collect();
    emit(tx, new).await
}

fn data(call: &Call, kind: EventType, url: &str) -> Value {
    let mut data = json!({
        "call_id": call.id,
        "client_id": call.client_id,
        "agent_id": call.agent_id,
        "agent": call.agent,
        "contact_id": call.contact_id,
        "campaign_id": call.campaign_id,
        "batch_id": call.batch_id,
        "direction": call.direction,
        "from": call.from,
        "to": call.to,
        "outcome": call.outcome,
        "answered": call.joined_at.is_some(),
        "started_at": call.started_at,
        "ended_at": call.ended_at,
        "seconds": call.seconds,
        "is_test": call.is_test,
        "url": format!("{url}/calls/{}", call.id),
    });
    if kind == EventType::AnalysisCompleted {
        let read = call.result.as_ref().and_then(Value::as_object).cloned().unwrap_or_default();
        let summary = read.get("summary").cloned().or_else(|| call.summary.clone().map(Value::from));
        let fields: Map<String, Value> =
            read.into_iter().filter(|(name, _)| !NOT_FIELDS.contains(&name.as_str())).collect();
        data["summary"] = summary.unwrap_or_default();
        data["goal_reached"] = json!(call.goal_reached);
        data["sentiment"] = json!(call.sentiment);
        data["fields"] = Value::Object(fields);
    }
    data
}
