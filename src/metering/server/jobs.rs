use serde::{Deserialize, Serialize};

use patchbay_access::Action;
use patchbay_jobs::{Job, Registry};
use patchbay_shared::ids::ClientId;

/// Adds up a client's month where that has not been done, and tells the audit log what part of the budget is spent. Two are no harm: the
/// second finds nothing to do. One that waited for the other's end would miss what came meanwhile.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct EvaluateBudget {
    pub client: ClientId,
}

impl Job for EvaluateBudget {
    const KIND: &'static str = "look_at_budget";
    const ACTIONS: &'static [Action] = &[Action::ManageClients];
    // It only tells.
    const RUNS_SUSPENDED: bool = true;
}

pub fn register(registry: &mut Registry) {
    registry.add(|scope, job: EvaluateBudget| async move { super::budget::run(&scope, job.client).await });
}
