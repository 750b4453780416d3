//! What lost workers left at targets: of tries that are over in our own rows, and of nothing else, because others may share the target.

use std::collections::HashSet;
use std::time::Duration;

use super::store::{starting, sweeping};
use super::targets;
use patchbay_access::Action;
use patchbay_access::server::{Db, Machine, Scope};
use patchbay_shared::AppError;

const UPKEEP: Machine = Machine { name: "execution upkeep", actions: &[Action::ManageExecution, Action::ReadWorkshop] };

/// The longest that one agency's targets are waited for.
const PATIENCE: Duration = Duration::from_secs(60);

/// Clears the targets of these pools, of every agency. Safe to repeat.
pub async fn clear_all(db: &Db, pools: &[String]) -> Result<(), AppError> {
    for workspace in sweeping::workspaces(db).await? {
        let scope = Scope::of_upkeep(db.clone(), workspace, UPKEEP);
        // One agency's trouble is not the others'.
        match tokio::time::timeout(PATIENCE, clear(&scope, pools)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                tracing::warn!(workspace_id = %workspace, cause = %error, "what jobs left here will be looked for again");
            }
            Err(_) => tracing::warn!(workspace_id = %workspace, "targets here took too long to say what jobs left"),
        }
    }
    Ok(())
}

async fn clear(scope: &Scope, pools: &[String]) -> Result<(), AppError> {
    let mut tx = scope.read(Action::ManageExecution).await?;
    let mut found = Vec::new();
    for id in sweeping::targets(&mut tx, pools).await? {
        found.push(starting::target(&mut tx, id).await?.snapshot);
    }
    drop(tx);
    for snapshot in found {
        let target = match targets::reach(scope, &snapshot).await {
            Ok(target) => target,
            Err(error) => {
                tracing::warn!(target_id = %snapshot.id, cause = %error, "a target was not looked at");
                continue;
            }
        };
        let there = match target.ours().await {
            Ok(there) => there,
            Err(trouble) => {
                tracing::warn!(target_id = %snapshot.id, cause = %trouble.sentence, "a target does not say what it has of ours");
                continue;
            }
        };
        let jobs: Vec<uuid::Uuid> = there.iter().map(|(job, ..)| *job).collect();
        let numbers: Vec<i32> = there.iter().map(|(_, number, _)| *number).collect();
        let mut tx = scope.read(Action::ManageExecution).await?;
        let over: HashSet<_> = sweeping::over(&mut tx, &jobs, &numbers).await?.into_iter().collect();
        drop(tx);
        for (job, number, handle) in there.into_iter().filter(|(job, number, _)| over.contains(&(*job, *number))) {
            let ended = target.end(&handle).await;
            if let Err(trouble) = ended.and(target.remove(&handle).await) {
                tracing::warn!(%job, number, cause = %trouble.sentence, "what is left of a job will be taken away later");
            }
        }
    }
    Ok(())
}
