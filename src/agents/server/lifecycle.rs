//! Agents that come to an end, and those that are made from others.

use serde_json::json;

use super::jobs::DeleteCopies;
use super::ops::{self, must_be_there, notify, record};
use super::store::{self, mappings, versions};
use super::sync;
use crate::model::AgentSettings;
use patchbay_access::Action;
use patchbay_access::server::{Fields, Scope, WriteTx};
use patchbay_connections::server::ops as connections;
use patchbay_jobs::runner::{Failure, Verdict};
use patchbay_jobs::{NewJob, enqueue};
use patchbay_shared::ids::{AgentId, ClientId};
use patchbay_shared::{AppError, Reason};
use patchbay_workspaces::model::Kind;
use patchbay_workspaces::server::limits;

/// The longest name of an agent.
const LONGEST_NAME: usize = 64;

/// Deactivates or restores. Errors: `Conflict` while an active campaign dials with the agent, and for one that is deleted.
pub(crate) async fn set_active(tx: &mut WriteTx, id: AgentId, is_active: bool) -> Result<(), AppError> {
    // The workspace before the agent, as where batches dial.
    limits::lock(tx).await?;
    store::lock(tx, id).await?;
    let agent = store::get(tx.reading(), id).await?;
    if agent.is_deleted {
        return must_be_there(&agent);
    }
    if agent.is_active == is_active {
        return Ok(());
    }
    if !is_active {
        refuse_in_use(tx, id).await?;
    }
    store::set_active(tx, id, is_active).await?;
    if is_active {
        limits::check_limit(tx, Kind::Agents).await?;
    }
    let action = if is_active { "restored" } else { "deactivated" };
    let state = |is_active: bool| json!({"name": agent.name, "deactivated": !is_active});
    let fields = Fields::Changed { before: state(!is_active), after: state(is_active) };
    record(tx, action, id, &agent, fields).await?;
    if is_active {
        mappings::fill(tx, id).await?;
        ops::send(tx, id, false).await?;
    }
    notify(tx, id, agent.client_id.map(ClientId));
    Ok(())
}

async fn refuse_in_use(tx: &mut WriteTx, id: AgentId) -> Result<(), AppError> {
    let campaigns = store::running_campaigns(tx.reading(), id).await?;
    match campaigns.is_empty() {
        true => Ok(()),
        false => Err(AppError::Conflict(
            Reason::InUse,
            format!(
                "Active campaigns use this agent: {}. Pause them or give them another agent first.",
                campaigns.join(", ")
            ),
        )),
    }
}

/// Deletes an agent for good, here and at the voice service. Its calls stay. `name`: typed by whoever deletes it.
pub(crate) async fn delete(tx: &mut WriteTx, id: AgentId, name: &str) -> Result<(), AppError> {
    limits::lock(tx).await?;
    store::lock(tx, id).await?;
    let agent = store::get(tx.reading(), id).await?;
    if agent.is_deleted {
        return Ok(());
    }
    if name.trim() != agent.name {
        return Err(AppError::invalid("name", format!("Type the agent’s name as it is written here: {}", agent.name)));
    }
    refuse_in_use(tx, id).await?;
    store::set_deleted(tx, id).await?;
    versions::remove_draft(tx, id).await?;
    let state = |is_deleted: bool| json!({"name": agent.name, "deleted": is_deleted});
    record(tx, "deleted", id, &agent, Fields::Changed { before: state(false), after: state(true) }).await?;
    enqueue(tx, &DeleteCopies { agent: id }, NewJob::default()).await?;
    notify(tx, id, agent.client_id.map(ClientId));
    Ok(())
}

/// Deletes the copies at the voice service. Ours stay: late events of their calls are attributed through them.
pub(crate) async fn delete_copies(scope: &Scope, id: AgentId) -> Result<Verdict, Failure> {
    let mut tx = scope.read(Action::ReadWorkshop).await?;
    let agent = store::get(&mut tx, id).await?;
    // A sync that began before would make a copy again. None that begins now gets past the deletion.
    if mappings::is_other_at_work(&mut tx, id, -1).await? {
        return Ok(Verdict::Later(sync::AFTER_YOU));
    }
    let copies = mappings::provider_agents(&mut tx, id).await?;
    drop(tx);
    if !agent.is_deleted || copies.is_empty() {
        return Ok(Verdict::Done);
    }
    let client = connections::voice(scope).await?;
    for copy in &copies {
        client.delete_agent(copy).await.map_err(|error| connections::failure(&error))?;
    }
    Ok(Verdict::Done)
}

/// Makes an agent of the same settings, inactive at first. Its tools and skills are its own: it begins without.
pub(crate) async fn duplicate(tx: &mut WriteTx, id: AgentId) -> Result<AgentId, AppError> {
    limits::lock(tx).await?;
    let agent = store::get(tx.reading(), id).await?;
    must_be_there(&agent)?;
    let copy = " (copy)";
    let short: String = agent.name.chars().take(LONGEST_NAME - copy.chars().count()).collect();
    let settings = AgentSettings { name: format!("{}{copy}", short.trim_end()), ..agent.settings() };
    let made = ops::insert(tx, &settings, &format!("Copied from {}, version {}", agent.name, agent.version)).await?;
    ops::send(tx, made, false).await?;
    Ok(made)
}
