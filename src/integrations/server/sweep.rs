//! What is looked for by the clock: syncs whose time has come or whose worker was lost, sign-ins that end soon, and what is old.

use super::jobs::{RenewSignIn, StartSync, SyncIntegration, TakeNotices};
use super::store::{self, notices, syncs, tokens};
use patchbay_access::Action;
use patchbay_access::server::Scope;
use patchbay_jobs::NewJob;
use patchbay_shared::AppError;

/// How long syncs and what became of their records are kept.
const KEPT: chrono::TimeDelta = chrono::TimeDelta::days(90);

/// Every five minutes, for one agency. A job that waits already is not doubled.
pub async fn sweep(scope: &Scope) -> Result<(), AppError> {
    let mut tx = scope.write(Action::ReplayQueues).await?;
    for integration in store::due(tx.reading()).await? {
        patchbay_jobs::enqueue(&mut tx, &StartSync { integration }, NewJob::default()).await?;
    }
    let now = tx.reading().now().await?;
    for (sync, wait) in syncs::all_running(tx.reading()).await? {
        let run_at = wait.filter(|until| *until > now);
        patchbay_jobs::enqueue(&mut tx, &SyncIntegration { sync }, NewJob { run_at }).await?;
    }
    for integration in tokens::expiring(tx.reading()).await? {
        patchbay_jobs::enqueue(&mut tx, &RenewSignIn { integration }, NewJob::default()).await?;
    }
    super::messages::sweep(&mut tx).await?;
    for integration in notices::forgotten(tx.reading()).await? {
        patchbay_jobs::enqueue(&mut tx, &TakeNotices { integration }, NewJob::default()).await?;
    }
    notices::prune(&mut tx).await?;
    tokens::prune(&mut tx).await?;
    syncs::prune(&mut tx, now - KEPT).await?;
    tx.commit().await
}
