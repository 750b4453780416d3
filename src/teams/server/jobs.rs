use serde::{Deserialize, Serialize};

use super::{advance, late};
use patchbay_access::Action;
use patchbay_jobs::queue::Job;
use patchbay_jobs::runner::{Failure, Registry, Verdict};
use patchbay_shared::AppError;
use patchbay_shared::ids::{ExecutionJobId, SupervisorRunId};

/// Takes a run of a team one step on: the supervisor is asked, and somebody gets work or the run ends.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct AdvanceRun {
    pub run: SupervisorRunId,
    /// The job whose end made it necessary. None: the run begins, or is looked at again.
    pub after: Option<ExecutionJobId>,
}

impl Job for AdvanceRun {
    const KIND: &'static str = "advance_run";
    const ACTIONS: &'static [Action] = &[
        Action::ReadWorkshop,
        Action::RunTeams,
        Action::ManageExecution,
        Action::UseConnections,
        Action::UseTools,
        Action::ReadContacts,
        // The client’s month is added up.
        Action::ManageClients,
    ];
    // A suspension ends the run, and says so.
    const RUNS_SUSPENDED: bool = true;

    // By what made it necessary: a job may end before the step that made it has been recorded as done.
    fn dedupe_key(&self) -> Option<String> {
        let after = self.after.map(|job| job.to_string()).unwrap_or_default();
        Some(format!("{}:{after}", self.run))
    }
}

/// Ends a run whose time is up, whatever its work waits for.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct EndLateRun {
    pub run: SupervisorRunId,
}

impl Job for EndLateRun {
    const KIND: &'static str = "end_late_run";
    const ACTIONS: &'static [Action] = &[Action::ReadWorkshop, Action::RunTeams, Action::ManageExecution];
    const RUNS_SUSPENDED: bool = true;

    fn dedupe_key(&self) -> Option<String> {
        Some(self.run.to_string())
    }
}

/// Tells the runner what this crate's jobs do.
pub fn register(registry: &mut Registry) {
    registry.add(|scope, job: AdvanceRun| async move {
        ended(advance::advance(&scope, job.run).await.map(|()| Verdict::Done))
    });
    registry.add(|scope, job: EndLateRun| async move { ended(late::end(&scope, job.run).await) });
}

fn ended(result: Result<Verdict, AppError>) -> Result<Verdict, Failure> {
    match result {
        Ok(verdict) => Ok(verdict),
        Err(AppError::NotFound) => Ok(Verdict::Done),
        Err(error) => Err(error.into()),
    }
}
