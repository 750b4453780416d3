use serde::{Deserialize, Serialize};

use patchbay_access::Action;
use patchbay_jobs::{Job, Registry};
use patchbay_shared::ids::AgentId;

/// Brings one state of an agent to the voice service. `state` is the agent's `updated_at` in microseconds: a change while a run
/// is at work makes a run of its own, and a run for a state that is no longer the newest does nothing.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct SyncAgent {
    pub agent_id: AgentId,
    pub state: i64,
}

impl Job for SyncAgent {
    const KIND: &'static str = "sync_agent";
    const ACTIONS: &'static [Action] = &[Action::ReadWorkshop, Action::UseConnections, Action::ManageAgents];

    fn dedupe_key(&self) -> Option<String> {
        Some(format!("{}:{}", self.agent_id, self.state))
    }
}

pub fn register(registry: &mut Registry) {
    registry.add(|scope, job: SyncAgent| async move { super::sync::run(&scope, job.agent_id, job.state).await });
}
