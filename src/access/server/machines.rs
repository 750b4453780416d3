//! Scopes of machines: Patchbay at work when no person acts. Each names what it may do, and may nothing else. A person's scope never
//! becomes a machine's: what a person sets off is done as that person, or later by a job.

use std::sync::Arc;

use patchbay_runner_key::RunnerKey;

use super::scope::{Actor, ActorKind, Holder};
use super::{Db, Scope, Visitor};
use crate::Action;
use patchbay_shared::ids::WorkspaceId;

/// Who acts when no person does, and all that it may do. A constant beside the code that acts.
#[derive(Debug, Clone, Copy)]
pub struct Machine {
    /// As the audit log calls it.
    pub name: &'static str,
    pub actions: &'static [Action],
}

impl Scope {
    /// For the job runner: work that a person or a provider asked for earlier, in the workspace that the job names. What it may do is
    /// declared with its kind.
    pub fn of_job(_: &RunnerKey, db: Db, workspace_id: WorkspaceId, job: Machine) -> Self {
        Self::of_machine(db, workspace_id, job)
    }

    /// For webhook ingest before the signature has been checked: it must open the connection to learn whether the sender is who it
    /// says, and may do nothing else.
    pub fn of_unverified_webhook(db: Db, workspace_id: WorkspaceId, provider: &'static str) -> Self {
        Self::of_machine(db, workspace_id, Machine { name: provider, actions: &[Action::UseConnections] })
    }

    /// For webhook ingest after the signature has been checked: it puts the event into the queue.
    pub fn of_webhook(db: Db, workspace_id: WorkspaceId, provider: &'static str) -> Self {
        Self::of_machine(db, workspace_id, Machine { name: provider, actions: &[Action::ReplayQueues] })
    }

    /// For a call that the carrier asks about, after the signature has been checked: it is answered, or written down as missed.
    pub fn of_incoming_call(db: Db, workspace_id: WorkspaceId, call: Machine) -> Self {
        Self::of_machine(db, workspace_id, call)
    }

    /// For what an agent does on a call that goes on, after the call's token has been checked: its tools are used.
    pub fn of_live_call(db: Db, workspace_id: WorkspaceId, tools: Machine) -> Self {
        Self::of_machine(db, workspace_id, tools)
    }

    /// For whoever calls a trigger of an agent: until the signature has been checked it may read the trigger, and afterwards begin the
    /// agent's run.
    pub fn of_trigger(db: Db, workspace_id: WorkspaceId, caller: Machine) -> Self {
        Self::of_machine(db, workspace_id, caller)
    }

    /// For a client's own system that sends something: until its signature or key has been checked it may read the integration, and afterwards
    /// write what it sends.
    pub fn of_integration(db: Db, workspace_id: WorkspaceId, sender: Machine) -> Self {
        Self::of_machine(db, workspace_id, sender)
    }

    /// For the holder of a link that was sent to somebody, and for somebody who signs in: what that is good for, in the workspace that
    /// it names. `holder`: who that is, if there is an account.
    pub fn of_link(visitor: &Visitor, workspace_id: WorkspaceId, link: Machine, holder: Option<Holder>) -> Self {
        let actor = Actor { holder, ..Actor::of_request(ActorKind::Machine(link), visitor) };
        Self { actor: Arc::new(actor), ..Self::of_machine(visitor.db.clone(), workspace_id, link) }
    }

    /// For upkeep that goes by the clock, workspace by workspace.
    pub fn of_upkeep(db: Db, workspace_id: WorkspaceId, upkeep: Machine) -> Self {
        Self::of_machine(db, workspace_id, upkeep)
    }

    /// For whoever runs the installation, at its command line.
    pub fn of_operator(db: Db, workspace_id: WorkspaceId, command: Machine) -> Self {
        Self::of_machine(db, workspace_id, command)
    }

    pub(super) fn of_machine(db: Db, workspace_id: WorkspaceId, machine: Machine) -> Self {
        let actor = Arc::new(Actor::machine(machine));
        Self { db, workspace_id, client_id: None, actor }
    }
}
