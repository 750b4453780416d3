//! What people do with events that were given up, from the list of all queues.

use serde_json::json;

use super::{ops, store};
use patchbay_access::server::WriteTx;
use patchbay_shared::ids::WebhookId;
use patchbay_shared::{AppError, Reason};

pub use ops::{replay as retry, replay_failed as retry_failed};

/// A failed event is not worked through any more. It is kept as it came.
pub async fn discard(tx: &mut WriteTx, id: WebhookId) -> Result<(), AppError> {
    let webhook = store::get(tx.reading(), id).await?;
    if !store::discard(tx, id).await? {
        return Err(AppError::Conflict(
            Reason::WrongState,
            "This event has not failed, or is being tried again already.".into(),
        ));
    }
    let before =
        json!({ "provider": webhook.provider, "event": webhook.event_id, "status": "failed", "error": webhook.note });
    let after = json!({ "provider": webhook.provider, "event": webhook.event_id, "status": "discarded" });
    ops::record(tx, "discarded", Some(id), before, after).await
}
