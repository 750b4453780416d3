//! Bringing an agent to the voice service: one copy per client. Safe to do twice and at any time.

use std::time::Duration;

use serde_json::{Value, json};

use super::store::mappings::Brought;
use super::store::{self, Agent, mappings};
use super::{jobs, told};
use crate::model::{MappingRow, SyncState, worst};
use patchbay_access::Action;
use patchbay_access::server::{Change, Fields, Scope, WriteTx};
use patchbay_connections::server::ops as connections;
use patchbay_jobs::live::Topic;
use patchbay_jobs::runner::{Failure, Verdict};
use patchbay_prompts::server as prompts;
use patchbay_providers::error::Kind;
use patchbay_providers::voice::{AgentSpec, HeldAgent};
use patchbay_providers::{ProviderError, VoiceProvider};
use patchbay_runs::model::ErrorSource;
use patchbay_runs::server::{NewError, failed};
use patchbay_shared::AppError;
use patchbay_shared::ids::{AgentId, AgentMappingId, PromptId};
use patchbay_tools::server::voice as tools;

/// How long to wait for another run for the same agent.
pub(crate) const AFTER_YOU: Duration = Duration::from_millis(500);
/// The longest name at the voice service.
const LONGEST_NAME: usize = 64;

/// One run. Only the run for the newest state works, and only while no other one does, so two runs never make the same copy
/// and an older state never overwrites a newer one. `over`: also over what somebody has set at the service.
pub(crate) async fn run(scope: &Scope, id: AgentId, state: i64, over: bool) -> Result<Verdict, Failure> {
    let mut tx = scope.read(Action::ReadWorkshop).await?;
    let agent = store::get(&mut tx, id).await?;
    if agent.updated_at.timestamp_micros() != state || !agent.is_active {
        return Ok(Verdict::Done);
    }
    if mappings::is_other_at_work(&mut tx, id, state).await? {
        return Ok(Verdict::Later(AFTER_YOU));
    }
    // A draft without words has nothing to say: it is sent when it gets a prompt.
    let Some(prompt) = agent.prompt_service_id.map(PromptId) else { return Ok(Verdict::Done) };
    let Some((version, words)) = prompts::spoken(&mut tx, prompt).await? else { return Ok(Verdict::Done) };
    let copies = mappings::list(&mut tx, id).await?;
    let settings = agent.settings();
    let skills = patchbay_skills::server::told(&mut tx, id).await?;
    let (tools, mailbox) = told::tools(tools::tools(&mut tx, id).await?, &settings.config);
    let words = told::words(&words, &settings.config, mailbox.as_deref(), skills.as_deref());
    drop(tx);

    let client = match connections::voice(scope).await {
        Ok(client) => client,
        Err(error) => {
            // Saving the connection sends every agent again, so there is nothing to retry here.
            record_all(scope, id, &agent, &copies, &error.to_string()).await?;
            return Ok(Verdict::Done);
        }
    };
    for copy in &copies {
        let name = copy_name(&agent.name, &copy.client, copy.id);
        let spec = told::spec(&settings, name, words.clone(), tools.clone());
        let brought = match bring(scope, client.as_ref(), copy, &spec, over).await {
            Ok(brought) => brought,
            Err(Trouble::Ours(error)) => return Err(error.into()),
            Err(Trouble::Provider(error)) => {
                record_all(scope, id, &agent, std::slice::from_ref(copy), &error.sentence()).await?;
                if error.kind == Kind::Credentials {
                    connections::mark_failing(scope, error.provider, &error.sentence()).await?;
                }
                return Err(connections::failure(&error));
            }
        };
        let mut tx = scope.write(Action::ManageAgents).await?;
        mappings::set_synced(&mut tx, copy.id, prompt, version, agent.updated_at, &brought).await?;
        notify(&mut tx, id);
        tx.commit().await?;
    }
    let mut tx = scope.write(Action::ManageAgents).await?;
    let before =
        json!({ "name": agent.name, "copies": copies.len(), "state": worst(copies.iter().map(|copy| copy.sync)) });
    let after = json!({ "name": agent.name, "copies": copies.len(), "state": SyncState::Synced });
    audit(&mut tx, id, "synced", before, after).await?;
    jobs::compare_later(&mut tx).await?;
    tx.commit().await?;
    connections::mark_working(scope, client.name()).await?;
    Ok(Verdict::Done)
}

/// The state of an agent's copies is the agency's workshop: its clients do not read of it.
async fn audit(tx: &mut WriteTx, id: AgentId, action: &str, before: Value, after: Value) -> Result<(), AppError> {
    let fields = Fields::Changed { before, after };
    tx.audit(Change { action, entity: "agent", entity_id: Some(id.0), client_id: None, fields }).await
}

enum Trouble {
    Provider(ProviderError),
    Ours(AppError),
}

impl From<ProviderError> for Trouble {
    fn from(error: ProviderError) -> Self {
        Trouble::Provider(error)
    }
}

impl From<AppError> for Trouble {
    fn from(error: AppError) -> Self {
        Trouble::Ours(error)
    }
}

/// Updates the client's copy, or makes it.
async fn bring(
    scope: &Scope,
    client: &dyn VoiceProvider,
    copy: &MappingRow,
    spec: &AgentSpec,
    over: bool,
) -> Result<Brought, Trouble> {
    if let Some(known) = &copy.provider_agent_id {
        let mut tx = scope.read(Action::ReadWorkshop).await?;
        let held = mappings::held(&mut tx, copy.id).await?.filter(|_| !over);
        drop(tx);
        match client.read_agent(known).await {
            Ok(theirs) => return Ok(lay_over(client, known, spec, held.as_ref(), &theirs).await?),
            // Somebody deleted it there: make a new one.
            Err(error) if error.kind == Kind::NotFound => remember(scope, copy.id, None).await?,
            Err(error) => return Err(error.into()),
        }
    }
    // Creating has no idempotency key. An earlier try may have made the copy although its answer never came, so look for our
    // mark in the names first; a double would take calls with old words for ever.
    let mark = mark(copy.id);
    let found = client.find_agents(&mark).await?.into_iter().find(|other| other.name.ends_with(&mark));
    let (made, now) = match found {
        Some(other) => {
            let now = client.update_agent(&other.id, spec).await?;
            (other.id, now)
        }
        None => {
            let made = client.create_agent(spec).await?;
            remember(scope, copy.id, Some(&made)).await?;
            let now = client.read_agent(&made).await?;
            (made, now)
        }
    };
    remember(scope, copy.id, Some(&made)).await?;
    Ok(Brought { held: told::to_hold(now, spec, spec), drift: Vec::new() })
}

/// Sends what is ours. What somebody has set at the service and nobody has changed here since stays there, and is told.
async fn lay_over(
    client: &dyn VoiceProvider,
    known: &str,
    spec: &AgentSpec,
    held: Option<&HeldAgent>,
    theirs: &HeldAgent,
) -> Result<Brought, ProviderError> {
    let kept = match held {
        Some(held) => told::keep_theirs(spec.clone(), held, theirs),
        None => spec.clone(),
    };
    let now = client.update_agent(known, &kept).await?;
    let held = told::to_hold(now.clone(), spec, &kept);
    let drift = told::drift(&held, &now);
    Ok(Brought { held, drift })
}

async fn remember(scope: &Scope, copy: AgentMappingId, provider_agent_id: Option<&str>) -> Result<(), AppError> {
    let mut tx = scope.write(Action::ManageAgents).await?;
    mappings::set_provider_agent(&mut tx, copy, provider_agent_id).await?;
    tx.commit().await
}

async fn record_all(
    scope: &Scope,
    id: AgentId,
    agent: &Agent,
    copies: &[MappingRow],
    error: &str,
) -> Result<(), AppError> {
    let mut tx = scope.write(Action::ManageAgents).await?;
    for copy in copies {
        mappings::set_error(&mut tx, copy.id, error).await?;
    }
    // A run that fails as the one before it did is no news.
    let state = |error: Option<&str>| json!({ "name": agent.name, "copies": copies.len(), "error": error });
    let was = copies.first().and_then(|copy| copy.error.as_deref());
    audit(&mut tx, id, "sync failed", state(was), state(Some(error))).await?;
    let error = NewError {
        run: None,
        agent: Some(id),
        client: None,
        source: ErrorSource::Agent,
        code: "agent_sync",
        message: error,
        metadata: json!({ "copies": copies.len() }),
    };
    failed(&mut tx, &error).await?;
    notify(&mut tx, id);
    tx.commit().await
}

pub(crate) fn notify(tx: &mut WriteTx, id: AgentId) {
    tx.notify(Topic::list("agents"), None);
    tx.notify(Topic::one("agent", id), None);
}

/// `<agent> - <client> pb-1a2b3c4d5e6f`, cut so that the mark always fits.
fn copy_name(agent: &str, client: &str, id: AgentMappingId) -> String {
    let mark = mark(id);
    let room = LONGEST_NAME - mark.chars().count() - 1;
    let words: String = format!("{agent} - {client}").chars().take(room).collect();
    format!("{} {mark}", words.trim_end())
}

/// What ties a copy at the voice service to its row here: the random half of the row's id.
pub(crate) fn mark(id: AgentMappingId) -> String {
    format!("pb-{}", &id.0.simple().to_string()[20..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mark_always_fits_into_the_name() {
        let id = AgentMappingId::new();
        for agent in ["Sam", &"ग".repeat(64)] {
            let name = copy_name(agent, "Northwind Dental Group of Greater Springfield", id);
            assert!(name.chars().count() <= LONGEST_NAME && name.ends_with(&mark(id)), "{name}");
        }
    }
}
