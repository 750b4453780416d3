//! What others do with jobs of execution, and the background work: the queue of the jobs themselves, and moving on what people decided.

use serde::{Deserialize, Serialize};

use super::{QUEUE, approvals, work};
use patchbay_access::Action;
use patchbay_access::server::Machine;
use patchbay_jobs::lease::EXECUTIONS;
use patchbay_jobs::queue::Job;
use patchbay_jobs::runner::{Failure, Queue, Registry, Verdict};
use patchbay_shared::AppError;
use patchbay_shared::ids::ApprovalId;

pub use super::adding::{NewExecutionJob, add};
pub use super::changing::{move_to, probe_now, requeue};
pub use super::ending::cancel;

/// Jobs that a worker is at, at once. Targets say how many they take.
const AT_ONCE: usize = 64;

/// All that a worker does, whose models ask what agents ask.
const ACTIONS: &[Action] = &[
    Action::ManageExecution,
    Action::RunTeams,
    Action::ReadWorkshop,
    Action::ManageAgents,
    Action::ManageClients,
    Action::UseConnections,
    Action::UseTools,
    Action::ReadContacts,
    Action::ManageContacts,
];

const WORKER: Machine = Machine { name: "execution", actions: ACTIONS };

/// An approval was decided, or its time is over.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct MoveOnExecution {
    pub approval: ApprovalId,
}

impl Job for MoveOnExecution {
    const KIND: &'static str = "move_on_execution";
    const ACTIONS: &'static [Action] = &[Action::ManageExecution, Action::RunTeams];
    // It costs nothing, and what it puts into the queue waits there.
    const RUNS_SUSPENDED: bool = true;

    fn dedupe_key(&self) -> Option<String> {
        Some(self.approval.to_string())
    }
}

/// Tells the runner what this crate's jobs do.
pub fn register(registry: &mut Registry) {
    registry.add(|scope, job: MoveOnExecution| async move {
        match approvals::move_on(&scope, job.approval).await {
            Ok(verdict) => Ok(verdict),
            Err(AppError::NotFound) => Ok(Verdict::Done),
            Err(error) => Err(Failure::from(error)),
        }
    });
}

/// The queue of execution, of which only what is in these pools is taken.
pub fn queue(pools: &[String]) -> Queue {
    Queue::new(EXECUTIONS, QUEUE, AT_ONCE, WORKER, work::work).in_pools(pools)
}
