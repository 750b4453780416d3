//! Runs that nobody ends. Whoever works for a run looks at its clock; this looks for those whose work waits, for a place or for a worker, and
//! for those at which nobody is.

use std::time::Duration;

use super::advance::note_limit;
use super::jobs::{AdvanceRun, EndLateRun};
use super::limits;
use super::runs::end as finish;
use super::store::runs as store;
use super::store::runs::{End, JobOfRun};
use super::store::teams;
use crate::model::Limit;
use patchbay_access::Action;
use patchbay_access::server::Scope;
use patchbay_execution::server::jobs as execution;
use patchbay_jobs::runner::Verdict;
use patchbay_jobs::{NewJob, enqueue};
use patchbay_shared::AppError;
use patchbay_shared::ids::SupervisorRunId;

/// Ends a run that has worked for as long as it may, and its work with it; or says when to look again. Safe to repeat.
pub(super) async fn end(scope: &Scope, id: SupervisorRunId) -> Result<Verdict, AppError> {
    let mut tx = scope.write(Action::RunTeams).await?;
    let run = store::lock(&mut tx, id).await?;
    if run.is_over() {
        return Ok(Verdict::Done);
    }
    let settings = teams::version(tx.reading(), run.team, run.version).await?.settings;
    let (now, waited) = (tx.reading().now().await?, store::waited(tx.reading(), id).await?);
    let worked = limits::worked_ms(&run, waited, now);
    let Some(reached) = limits::late(&settings, worked) else {
        let left = i64::from(settings.most_seconds) * 1000 - worked;
        return Ok(Verdict::Later(Duration::from_millis(u64::try_from(left).unwrap_or(0).max(1000))));
    };
    let jobs = store::jobs(tx.reading(), id).await?;
    for job in jobs.iter().filter(|job| job.is_open()) {
        execution::cancel(&mut tx, job.id).await?;
    }
    note_limit(&mut tx, &run, &reached).await?;
    let said = reached.sentence();
    let it = End { output: JobOfRun::last(&jobs), failure: Some(&said), limit: Some(Limit::Time), ..End::default() };
    finish(&mut tx, &run, &it).await?;
    tx.commit().await?;
    Ok(Verdict::Done)
}

/// Looks again at runs at which nobody is. Safe to repeat.
pub async fn sweep(scope: &Scope) -> Result<(), AppError> {
    let mut tx = scope.write(Action::RunTeams).await?;
    let lost = store::lost(tx.reading()).await?;
    for run in &lost {
        tracing::warn!(run = %run, "a run of a team had nobody at it, and is looked at again");
        enqueue(&mut tx, &AdvanceRun { run: *run, after: None }, NewJob::default()).await?;
    }
    for run in store::under_way(tx.reading()).await? {
        enqueue(&mut tx, &EndLateRun { run }, NewJob::default()).await?;
    }
    tx.commit().await
}
