//! Going on with a batch that failed: the contacts that it gave back and that nobody has called since are taken again.

use serde_json::json;

use super::store::{self, Batch};
use super::{clearance, ops};
use crate::model::BatchStatus;
use patchbay_access::server::{Scope, WriteTx};
use patchbay_access::{Action, Field};
use patchbay_connections::server::ops as connections;
use patchbay_dialling::server::contacts;
use patchbay_dialling::server::jobs::RunBatch;
use patchbay_jobs::queue::{Unfinished, unfinished};
use patchbay_jobs::{NewJob, enqueue};
use patchbay_shared::ids::BatchId;
use patchbay_shared::{AppError, Reason};

/// Starts a failed batch again. Errors: `Conflict` with what still stands in the way, and when nobody is left to call.
pub(super) async fn start(scope: &Scope, id: BatchId) -> Result<(), AppError> {
    if scope.may(Action::UseConnections) {
        connections::voice(scope).await?;
    }
    let mut tx = scope.beyond_client(ops::WHAT_IT_CALLS_WITH).write(Action::RunBatches).await?;
    let batch = store::lock(&mut tx, id).await?;
    if matches!(batch.status, BatchStatus::Pending | BatchStatus::Processing) {
        return Ok(());
    }
    ops::check_move(&batch, BatchStatus::Pending)?;
    if batch.for_call_backs {
        return Err(AppError::Conflict(
            Reason::WrongState,
            "These call-backs wait for a person now. Set a new time for each on its own page.".into(),
        ));
    }
    must_be_mended(&mut tx, scope, &batch).await?;
    // A tick that has just found it over would end its job without having seen that it goes on.
    if unfinished(tx.reading(), &RunBatch { batch: id }).await? == Some(Unfinished::Held) {
        return Err(AppError::Conflict(
            Reason::WrongState,
            "The batch's last calls are being settled. Try again in a moment.".into(),
        ));
    }
    let own = contacts::of_batch(tx.reading(), id).await?;
    let most = i64::from(batch.total_contacts - batch.left_contacts) - own.all;
    let taken = contacts::take_again(&mut tx, id, batch.campaign_id, most.max(0)).await?;
    if taken == 0 && own.open == 0 {
        return Err(AppError::Conflict(
            Reason::WrongState,
            "Nobody is left to call: the contacts that this batch gave back were called or taken out since.".into(),
        ));
    }
    store::set_total(&mut tx, id, own.all as i32 + taken + batch.left_contacts).await?;
    store::set_resumed(&mut tx, id, false).await?;
    enqueue(&mut tx, &RunBatch { batch: id }, NewJob::default()).await?;
    let after = json!({ "status": "pending", "contacts_taken": taken });
    ops::record(&mut tx, "resumed", id, batch.client_id, ops::moved(&batch, after)).await?;
    tx.commit().await
}

async fn must_be_mended(tx: &mut WriteTx, scope: &Scope, batch: &Batch) -> Result<(), AppError> {
    if patchbay_workspaces::server::is_suspended(tx.reading()).await? {
        return Err(AppError::Conflict(
            Reason::Suspended,
            "This workspace is suspended: nothing is dialled until the platform reactivates it.".into(),
        ));
    }
    let campaign = patchbay_campaigns::server::get(tx.reading(), batch.campaign_id).await?;
    if let Err(reason) = clearance::ask(tx.reading(), &campaign).await? {
        let text = match scope.sees(Field::BatchTrouble) {
            true => reason.text(),
            false => reason.obstacle().label().to_owned(),
        };
        return Err(AppError::Conflict(Reason::NotReady, text));
    }
    if !patchbay_campaigns::server::hold_to_dial(tx, &campaign).await? {
        return Err(AppError::Conflict(
            Reason::NotReady,
            "The campaign was changed just now. Look at its page and try again.".into(),
        ));
    }
    Ok(())
}
