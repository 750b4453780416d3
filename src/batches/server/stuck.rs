//! Batches that nobody dials although they go on: their job was given up, or lost with a worker. Contacts that are on the line in one that is
//! over wait for the same job. And call-backs whose time has come and that have no job.

use super::store;
use patchbay_access::Action;
use patchbay_access::server::Scope;
use patchbay_dialling::server::call_backs;
use patchbay_dialling::server::jobs::RunBatch;
use patchbay_jobs::{Job, NewJob, enqueue};
use patchbay_shared::AppError;

/// Gives each such batch its job again. Gives how many there were. Safe to repeat.
pub async fn sweep(scope: &Scope) -> Result<usize, AppError> {
    let mut tx = scope.write(Action::RunBatches).await?;
    let lost = store::without_job(tx.reading(), RunBatch::KIND).await?;
    for batch in &lost {
        tracing::warn!(batch = %batch, "a batch had no job any more, and has one again");
        enqueue(&mut tx, &RunBatch { batch: *batch }, NewJob::default()).await?;
    }
    tx.commit().await?;
    Ok(lost.len() + call_backs::sweep(scope).await?)
}
