//! Looks for work that was lost, by the clock.

use super::store;
use patchbay_access::Action;
use patchbay_access::server::{Db, Machine, Scope};
use patchbay_shared::AppError;

/// Who sweeps, and all that the crates below need for it.
pub const UPKEEP: Machine = Machine {
    name: "queue upkeep",
    actions: &[
        Action::ReadQueues,
        Action::ReplayQueues,
        Action::RunBatches,
        Action::UseTools,
        Action::ManageAgents,
        Action::RunTeams,
        Action::ManageExecution,
        Action::ManageTexts,
        Action::ManageWebhooks,
    ],
};

/// For every agency: calls whose words nobody fetches, batches that nobody dials, files that nobody reads, uses of tools without an
/// end, uploaded archives of skills that nobody took, schedules whose time nobody keeps, jobs of execution that nobody is at, events that nobody gives out, and syncs that nobody goes on
/// with. Every five minutes.
pub async fn sweep_all(db: &Db) -> Result<(), AppError> {
    for workspace in store::workspaces(db).await? {
        let scope = Scope::of_upkeep(db.clone(), workspace, UPKEEP);
        // One agency's trouble is not the others'.
        if let Err(error) = sweep(&scope).await {
            tracing::warn!(workspace_id = %workspace, cause = %error, "lost work here will be looked for in five minutes");
        }
    }
    Ok(())
}

/// The same for one.
pub async fn sweep(scope: &Scope) -> Result<(), AppError> {
    patchbay_calls::server::stuck::sweep(scope).await?;
    patchbay_batches::server::stuck::sweep(scope).await?;
    patchbay_knowledge::server::stuck::sweep(scope).await?;
    patchbay_tools::server::stuck::sweep(scope).await?;
    patchbay_skills::server::forget_archives(scope).await?;
    patchbay_schedules::server::sweep(scope).await?;
    patchbay_execution::server::sweep(scope).await?;
    patchbay_teams::server::sweep(scope).await?;
    patchbay_text_messages::server::sweep(scope).await?;
    patchbay_webhooks::server::sweep(scope).await?;
    patchbay_integrations::server::sweep(scope).await?;
    Ok(())
}
