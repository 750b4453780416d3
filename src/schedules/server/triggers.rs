//! What people do with triggers: make and rename them, give them another secret, switch them on and off, and remove them.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::TimeDelta;
use rand::RngCore;
use serde_json::{Value, json};

use super::schedules::deactivated;
use super::starting;
use super::store::{self, triggers};
use crate::model::{ListQuery, MOST_TRIGGERS, NewSecret, Switched, TriggerForm, TriggerPage, TriggersPage};
use patchbay_access::Action;
use patchbay_access::server::{Change, Fields, ReadTx, Scope, Visitor, WriteTx, once};
use patchbay_jobs::live::Topic;
use patchbay_providers::{Binding, Secret};
use patchbay_shared::error::internal;
use patchbay_shared::ids::{AgentId, AgentTriggerId, WorkspaceId};
use patchbay_shared::{AppError, Reason};

/// Rows on a page of the list.
const ROWS: usize = 50;
/// Hours that a secret goes on after another one has taken its place.
const OVERLAP: i32 = 24;
/// Minutes in which no other secret is made: each one ends the one before the present one.
const REST: i64 = 5;
const SHOWN: &str = "trigger secret";

/// An agent's triggers. Errors: `NotFound`.
pub(crate) async fn list(tx: &mut ReadTx, agent: AgentId, query: &ListQuery) -> Result<TriggersPage, AppError> {
    let (found, rest) = starting::look(tx, agent).await?;
    let page = triggers::list(tx, agent, query, ROWS).await?;
    let may_edit = tx.scope().may(Action::ManageAgents) && found.head.is_active;
    Ok(TriggersPage { agent: found.head, page, rest, may_edit })
}

/// One trigger. Errors: `NotFound`.
pub(crate) async fn page(tx: &mut ReadTx, agent: AgentId, id: AgentTriggerId) -> Result<TriggerPage, AppError> {
    let (found, rest) = starting::look(tx, agent).await?;
    let row = triggers::row(tx, agent, id).await?;
    let may_edit = tx.scope().may(Action::ManageAgents) && found.head.is_active;
    Ok(TriggerPage { agent: found.head, row, rest, may_edit })
}

/// Makes a trigger, whose secret is shown once, or renames one. Gives the secret of a new one. Errors: `Invalid`, `NotFound`.
pub(crate) async fn save(scope: &Scope, form: &TriggerForm) -> Result<Option<NewSecret>, AppError> {
    let agent: AgentId = form.agent.parse()?;
    let id = if form.id.is_empty() { None } else { Some(form.id.parse::<AgentTriggerId>()?) };
    let mut tx = scope.write(Action::ManageAgents).await?;
    let found = store::agent(tx.reading(), agent).await?;
    let before = match id {
        Some(id) => Some((id, held(&mut tx, agent, id).await?)),
        None => None,
    };
    let name = form.check()?;
    if !found.head.is_active {
        return Err(deactivated());
    }
    let made = match before {
        Some((id, before)) => {
            triggers::rename(&mut tx, id, &name).await?;
            let sides = Fields::Changed { before: told(agent, &before.name), after: told(agent, &name) };
            record(&mut tx, "changed", id, sides).await?;
            None
        }
        None => {
            if triggers::count(tx.reading()).await? >= MOST_TRIGGERS {
                let why = format!("An agency has at most {MOST_TRIGGERS} triggers. Remove one first.");
                return Err(AppError::Conflict(Reason::LimitReached, why));
            }
            let (id, secret) = (AgentTriggerId::new(), new_secret());
            let sealed = seal(scope, id, &secret)?;
            triggers::insert(&mut tx, id, agent, &name, &sealed).await?;
            record(&mut tx, "created", id, Fields::Created(told(agent, &name))).await?;
            Some(shown(&mut tx, agent, id, secret).await?)
        }
    };
    notify(&mut tx, agent);
    tx.commit().await?;
    Ok(made)
}

/// Gives a trigger another secret; the present one goes on for a day. Errors: `NotFound`, `Conflict` when that was just done.
pub(crate) async fn rotate(scope: &Scope, agent: AgentId, id: AgentTriggerId) -> Result<NewSecret, AppError> {
    let mut tx = scope.write(Action::ManageAgents).await?;
    let before = held(&mut tx, agent, id).await?;
    let made_lately = tx.reading().now().await? + TimeDelta::hours(OVERLAP.into()) - TimeDelta::minutes(REST);
    if before.old_until.is_some_and(|until| until > made_lately) {
        let why = "Another secret was made a moment ago. Use that one, or wait five minutes.";
        return Err(AppError::Conflict(Reason::WrongState, why.to_owned()));
    }
    let secret = new_secret();
    let until = triggers::replace_secret(&mut tx, id, &seal(scope, id, &secret)?, OVERLAP).await?;
    let side = |until| json!({"name": before.name, "former_secret_until": until});
    let sides = Fields::Changed { before: side(before.old_until), after: side(Some(until)) };
    record(&mut tx, "rotated", id, sides).await?;
    let made = shown(&mut tx, agent, id, secret).await?;
    notify(&mut tx, agent);
    tx.commit().await?;
    Ok(made)
}

/// Switches a trigger on or off. Errors: `NotFound`.
pub(crate) async fn switch(tx: &mut WriteTx, agent: AgentId, id: AgentTriggerId, on: bool) -> Result<(), AppError> {
    let before = held(tx, agent, id).await?;
    if before.enabled == on {
        return Ok(());
    }
    if on && !store::agent(tx.reading(), agent).await?.head.is_active {
        return Err(deactivated());
    }
    triggers::switch(tx, id, on).await?;
    let side = |on: bool| json!({"name": before.name, "state": Switched::of(on)});
    let sides = Fields::Changed { before: side(!on), after: side(on) };
    record(tx, if on { "switched on" } else { "switched off" }, id, sides).await?;
    notify(tx, agent);
    Ok(())
}

/// Removes a trigger: its address answers nobody any more. Its runs stay. Errors: `NotFound`.
pub(crate) async fn remove(tx: &mut WriteTx, agent: AgentId, id: AgentTriggerId) -> Result<(), AppError> {
    let before = held(tx, agent, id).await?;
    triggers::remove(tx, id).await?;
    record(tx, "removed", id, Fields::Deleted(told(agent, &before.name))).await?;
    notify(tx, agent);
    Ok(())
}

/// Leads to the page that shows the secret this once.
pub(crate) async fn show(visitor: &Visitor, new: &NewSecret) -> Result<(), AppError> {
    once::keep(visitor, SHOWN, new).await?;
    leptos_axum::redirect(&format!("/agents/{}/triggers/made", new.agent));
    Ok(())
}

/// What that page shows.
pub(crate) async fn take(visitor: &Visitor) -> Result<Option<NewSecret>, AppError> {
    once::take(visitor, SHOWN).await
}

/// Locks a trigger of this agent. Errors: `NotFound`.
async fn held(tx: &mut WriteTx, agent: AgentId, id: AgentTriggerId) -> Result<triggers::Trigger, AppError> {
    let trigger = triggers::lock(tx, id).await?;
    if trigger.agent == agent { Ok(trigger) } else { Err(AppError::NotFound) }
}

/// As Standard Webhooks writes them: 256 random bits.
fn new_secret() -> Secret<String> {
    let mut bytes = [0_u8; 32];
    rand::rng().fill_bytes(&mut bytes);
    Secret::new(format!("whsec_{}", STANDARD.encode(bytes)))
}

fn place(workspace: WorkspaceId, id: AgentTriggerId) -> Binding {
    Binding::new(workspace.0, format!("trigger:{id}"), "secret")
}

fn seal(scope: &Scope, id: AgentTriggerId, secret: &Secret<String>) -> Result<String, AppError> {
    scope.services().ring.seal(&place(scope.workspace_id(), id), secret.expose()).map_err(internal)
}

/// A secret as it is stored, opened.
pub(super) fn open(scope: &Scope, id: AgentTriggerId, sealed: &str) -> Result<Secret<String>, AppError> {
    let text: String = scope.services().ring.open(&place(scope.workspace_id(), id), sealed).map_err(internal)?;
    Ok(Secret::new(text))
}

async fn shown(
    tx: &mut WriteTx,
    agent: AgentId,
    id: AgentTriggerId,
    secret: Secret<String>,
) -> Result<NewSecret, AppError> {
    let row = triggers::row(tx.reading(), agent, id).await?;
    let secret = secret.expose().clone();
    Ok(NewSecret { agent: agent.to_string(), trigger: id.to_string(), name: row.name, address: row.address, secret })
}

/// What the audit log has of a trigger. Never its secret.
fn told(agent: AgentId, name: &str) -> Value {
    json!({"agent": agent, "name": name})
}

async fn record(tx: &mut WriteTx, action: &str, id: AgentTriggerId, fields: Fields) -> Result<(), AppError> {
    tx.audit(Change { action, entity: "agent_trigger", entity_id: Some(id.0), client_id: None, fields }).await
}

pub(super) fn notify(tx: &mut WriteTx, agent: AgentId) {
    tx.notify(Topic::one("triggers", agent), None);
}
