//! What people do with received events: see them, and have them worked through again.

use serde_json::json;
use uuid::Uuid;

use super::store;
use patchbay_access::server::{Change, Fields, WriteTx};
use patchbay_jobs::live::Topic;
use patchbay_shared::ids::WebhookId;
use patchbay_shared::{AppError, Reason};

/// Works one event through again; the original stays as it came. What it changed already is not changed twice.
/// Errors: `NotFound`; `Conflict` while it waits or is being worked on.
pub async fn replay(tx: &mut WriteTx, id: WebhookId) -> Result<(), AppError> {
    let webhook = store::get(tx.reading(), id).await?;
    if !store::replay(tx, id).await? {
        return Err(AppError::Conflict(
            Reason::WrongState,
            "This event is already waiting or being processed. Look again in a moment.".into(),
        ));
    }
    let state = |status: serde_json::Value, error: Option<&str>| json!({"provider": webhook.provider, "event": webhook.event_id, "status": status, "error": error});
    let (before, after) = (state(json!(webhook.status), webhook.note.as_deref()), state(json!("pending"), None));
    record(tx, "replayed", Some(id), before, after).await
}

/// Works failed events through again: the oldest after `after`, `most` of them. Gives which.
pub async fn replay_failed(tx: &mut WriteTx, after: Uuid, most: i64) -> Result<Vec<Uuid>, AppError> {
    let replayed = store::replay_failed(tx, after, most).await?;
    if !replayed.is_empty() {
        let state = |status: &str| json!({"status": status, "events": replayed.len()});
        record(tx, "replayed", None, state("failed"), state("pending")).await?;
    }
    Ok(replayed)
}

pub(crate) async fn record(
    tx: &mut WriteTx,
    action: &str,
    id: Option<WebhookId>,
    before: serde_json::Value,
    after: serde_json::Value,
) -> Result<(), AppError> {
    let entity_id = id.map(|id| id.0);
    tx.audit(Change {
        action,
        entity: "inbound_webhook",
        entity_id,
        client_id: None,
        fields: Fields::Changed { before, after },
    })
    .await?;
    for topic in ["webhooks", "queues", "dashboard"] {
        tx.notify(Topic::list(topic), None);
    }
    Ok(())
}
