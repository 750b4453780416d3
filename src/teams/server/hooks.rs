//! What lower crates ask and tell of a team's runs.

use super::jobs::AdvanceRun;
use super::limits;
use super::runs;
use super::store::{runs as store, teams};
use patchbay_access::server::{ReadTx, WriteTx};
use patchbay_execution::server::{Ended, Spent, Standing};
use patchbay_jobs::{NewJob, enqueue};
use patchbay_shared::AppError;
use patchbay_shared::ids::SupervisorRunId;
use patchbay_workspaces::server as workspaces;

/// A job of a run has ended: the run is looked at again. The run's own row is left alone: whoever ends a job holds that one.
pub async fn job_ended(tx: &mut WriteTx, ended: Ended) -> Result<(), AppError> {
    enqueue(tx, &AdvanceRun { run: ended.run, after: Some(ended.job) }, NewJob::default()).await?;
    let team = store::get(tx.reading(), ended.run).await?.team;
    runs::notify(tx, team, ended.run);
    Ok(())
}

/// Whether a run may go on, and what it has come to.
pub async fn may_go_on(tx: &mut ReadTx, id: SupervisorRunId) -> Result<Standing, AppError> {
    let run = store::get(tx, id).await?;
    let cost = run.cost;
    let stop = if run.is_over() {
        Some("The run has ended.".to_owned())
    } else if run.is_cancelled {
        Some(runs::cancelled(&run))
    } else if workspaces::is_suspended(tx).await? {
        Some("The agency’s account is suspended, so no model is asked.".to_owned())
    } else {
        let settings = teams::version(tx, run.team, run.version).await?.settings;
        let (now, waited) = (tx.now().await?, store::waited(tx, id).await?);
        let reached = limits::reached(&run, &settings, limits::worked_ms(&run, waited, now));
        reached.map(|reached| reached.sentence())
    };
    Ok(Standing { stop, cost })
}

/// Something was done for a run.
pub async fn spent(tx: &mut WriteTx, id: SupervisorRunId, spent: Spent) -> Result<(), AppError> {
    let waited = store::waited(tx.reading(), id).await?;
    let team = store::spend(tx, id, &spent, waited).await?;
    runs::notify_work(tx, team, id);
    Ok(())
}
