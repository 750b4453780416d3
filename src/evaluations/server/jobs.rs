use serde::{Deserialize, Serialize};

use super::work;
use patchbay_access::Action;
use patchbay_jobs::queue::Job;
use patchbay_jobs::runner::{Failure, Registry, Verdict};
use patchbay_shared::AppError;
use patchbay_shared::ids::SuiteRunId;

/// Runs the next few cases of a run, until none is left.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct RunSuite {
    pub run: SuiteRunId,
}

impl Job for RunSuite {
    const KIND: &'static str = "run_tests";
    const ACTIONS: &'static [Action] = &[
        Action::ReadWorkshop,
        Action::ManageAgents,
        Action::UseConnections,
        Action::UseTools,
        Action::RunTeams,
        Action::ReadContacts,
        Action::ManageContacts,
    ];
    // A suspension ends the run, and says so.
    const RUNS_SUSPENDED: bool = true;

    fn dedupe_key(&self) -> Option<String> {
        Some(self.run.to_string())
    }
}

/// Tells the runner what this crate's jobs do.
pub fn register(registry: &mut Registry) {
    registry.add(|scope, job: RunSuite| async move { ended(work::portion(&scope, job.run).await) });
}

fn ended(result: Result<Verdict, AppError>) -> Result<Verdict, Failure> {
    match result {
        Ok(verdict) => Ok(verdict),
        Err(AppError::NotFound) => Ok(Verdict::Done),
        Err(error) => Err(error.into()),
    }
}
