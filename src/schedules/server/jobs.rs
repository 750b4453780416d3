use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{due, work};
use patchbay_access::Action;
use patchbay_jobs::queue::Job;
use patchbay_jobs::runner::{Failure, Registry, Verdict};
use patchbay_shared::AppError;
use patchbay_shared::ids::{AgentId, AgentScheduleId, PromptId, RunId, UserId};

/// Waits for the next time of a schedule.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct KeepSchedule {
    pub schedule: AgentScheduleId,
}

impl Job for KeepSchedule {
    const KIND: &'static str = "keep_schedule";
    const ACTIONS: &'static [Action] = &[Action::ReadWorkshop, Action::ManageAgents];
    // It asks itself, and says why nothing ran.
    const RUNS_SUSPENDED: bool = true;

    fn dedupe_key(&self) -> Option<String> {
        Some(self.schedule.to_string())
    }
}

/// Has an agent answer once, in a run that was written down.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct RunAgent {
    pub run: RunId,
    pub agent: AgentId,
    pub prompt: PromptId,
    pub version: i32,
    pub title: String,
    pub input: String,
    pub variables: BTreeMap<String, String>,
    pub started_by: Option<UserId>,
}

impl Job for RunAgent {
    const KIND: &'static str = "run_agent";
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
    registry.add(|scope, job: KeepSchedule| async move { ended(due::keep(&scope, job.schedule).await) });
    registry.add(|scope, job: RunAgent| async move { ended(work::run(&scope, &job).await) });
}

fn ended(result: Result<Verdict, AppError>) -> Result<Verdict, Failure> {
    match result {
        Ok(verdict) => Ok(verdict),
        Err(AppError::NotFound) => Ok(Verdict::Done),
        Err(error) => Err(error.into()),
    }
}
