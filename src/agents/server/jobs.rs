use std::time::Duration;

use chrono::Utc;
use serde::{Deserialize, Serialize};

use patchbay_access::Action;
use patchbay_access::server::WriteTx;
use patchbay_jobs::{Job, NewJob, Registry, enqueue};
use patchbay_shared::AppError;
use patchbay_shared::ids::AgentId;

/// How often the voice service is asked whether it still holds what it was sent.
pub(crate) const COMPARED_EVERY: Duration = Duration::from_secs(6 * 3600);

/// Brings one state of an agent to the voice service. `state` is the agent's `updated_at` in microseconds: a change while a run
/// is at work makes a run of its own, and a run for a state that is no longer the newest does nothing.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct SyncAgent {
    pub agent_id: AgentId,
    pub state: i64,
    /// Also over what somebody has set at the service.
    #[serde(default)]
    pub over: bool,
}

impl Job for SyncAgent {
    const KIND: &'static str = "sync_agent";
    const ACTIONS: &'static [Action] = &[Action::ReadWorkshop, Action::UseConnections, Action::ManageAgents];

    fn dedupe_key(&self) -> Option<String> {
        Some(format!("{}:{}", self.agent_id, self.state))
    }
}

/// Compares what the voice service holds with what it was sent: of one agent, or of all, and then again after a while.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct CompareAgents {
    pub agent: Option<AgentId>,
}

impl Job for CompareAgents {
    const KIND: &'static str = "compare_agents";
    const ACTIONS: &'static [Action] = &[Action::ReadWorkshop, Action::UseConnections, Action::ManageAgents];

    fn dedupe_key(&self) -> Option<String> {
        Some(self.agent.map_or_else(|| "all".to_owned(), |agent| agent.to_string()))
    }
}

/// Deletes the copies of a deleted agent at the voice service.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct DeleteCopies {
    pub agent: AgentId,
}

impl Job for DeleteCopies {
    const KIND: &'static str = "delete_agent_copies";
    const ACTIONS: &'static [Action] = &[Action::ReadWorkshop, Action::UseConnections];

    fn dedupe_key(&self) -> Option<String> {
        Some(self.agent.to_string())
    }
}

/// The agency has copies at the voice service: from now on they are compared.
pub(crate) async fn compare_later(tx: &mut WriteTx) -> Result<(), AppError> {
    let when = NewJob { run_at: Some(Utc::now() + COMPARED_EVERY) };
    enqueue(tx, &CompareAgents { agent: None }, when).await
}

pub fn register(registry: &mut Registry) {
    registry
        .add(|scope, job: SyncAgent| async move { super::sync::run(&scope, job.agent_id, job.state, job.over).await });
    registry.add(|scope, job: CompareAgents| async move { super::compare::run(&scope, job.agent).await });
    registry.add(|scope, job: DeleteCopies| async move { super::lifecycle::delete_copies(&scope, job.agent).await });
}
