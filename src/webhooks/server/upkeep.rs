//! What goes by the clock: events that no job gives out, and what is old.

use super::jobs::GiveOutEvents;
use super::listeners;
use super::store::{events, upkeep};
use patchbay_access::Action;
use patchbay_access::server::Scope;
use patchbay_jobs::{NewJob, enqueue};
use patchbay_shared::AppError;
use patchbay_workspaces::server::is_suspended;

/// Events in a transaction, and transactions in a round: what is left goes in the next one.
const STEP: i64 = 500;
const STEPS: usize = 20;

/// For one agency: has events given out whose job was lost, and removes what is older than thirty days. A suspended one is told nothing.
pub async fn sweep(scope: &Scope) -> Result<(), AppError> {
    let mut tx = scope.read(Action::ManageWebhooks).await?;
    let is_wrong = events::has_listeners(&mut tx).await? != listeners::any(&mut tx).await?;
    let has_lost = events::has_lost(&mut tx).await? && !is_suspended(&mut tx).await?;
    drop(tx);
    if is_wrong {
        let mut tx = scope.write(Action::ManageWebhooks).await?;
        listeners::refresh(&mut tx).await?;
        tx.commit().await?;
    }
    if has_lost {
        let mut tx = scope.write(Action::ManageWebhooks).await?;
        enqueue(&mut tx, &GiveOutEvents { is_sweep: true }, NewJob::default()).await?;
        tx.commit().await?;
    }
    for _ in 0..STEPS {
        let mut tx = scope.write(Action::ManageWebhooks).await?;
        let removed = upkeep::remove_old(&mut tx, STEP).await?;
        if removed == 0 {
            upkeep::remove_endpoints(&mut tx).await?;
        }
        tx.commit().await?;
        if removed == 0 {
            break;
        }
    }
    Ok(())
}
