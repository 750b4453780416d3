//! What other systems are told of batches: that one is over.

use serde_json::json;

use super::store::{self, Batch};
use crate::model::BatchStatus;
use patchbay_access::server::WriteTx;
use patchbay_shared::AppError;
use patchbay_webhooks::model::{EventType, Subject};
use patchbay_webhooks::server::{NewEvent, emit};

/// The batch has ended in this transaction: by itself, by a person (`is_stopped`), or because it failed.
pub(super) async fn over(
    tx: &mut WriteTx,
    batch: &Batch,
    status: BatchStatus,
    is_stopped: bool,
) -> Result<(), AppError> {
    if !patchbay_webhooks::server::listeners::any(tx.reading()).await? {
        return Ok(());
    }
    let so_far = store::progress(tx.reading(), batch).await?;
    let data = json!({
        "batch_id": batch.id, "client_id": batch.client_id, "campaign_id": batch.campaign_id, "name": batch.name, "status": status,
        "stopped": is_stopped, "contacts": so_far.total, "reached": so_far.reached, "not_reached": so_far.not_reached,
        "failed": so_far.failed, "started_at": batch.started_at,
        "url": format!("{}/batches/{}", tx.services().public_url, batch.id),
    });
    let (subject, subject_id) = (Subject::Batch, batch.id.0);
    emit(
        tx,
        vec![NewEvent { kind: EventType::BatchCompleted, client_id: Some(batch.client_id), subject, subject_id, data }],
    )
    .await
}
