//! What people do with agents: make, change, share and archive them, and have their copies at the voice service follow.

use serde_json::json;

use super::jobs::SyncAgent;
use super::store::{self, Agent, mappings};
use crate::model::{
    AgentChoices, AgentFields, AgentForm, AgentList, AgentPage, AgentPrompt, AgentQuery, AgentStatus, PromptWish, worst,
};
use patchbay_access::Action;
use patchbay_access::server::{Change, Fields, ReadTx, WriteTx};
use patchbay_jobs::live::Topic;
use patchbay_jobs::{NewJob, enqueue};
use patchbay_prompts::model::{PromptText, variables};
use patchbay_prompts::server as prompts;
use patchbay_shared::ids::{AgentId, ClientId, PromptId};
use patchbay_shared::zone::stamp;
use patchbay_shared::{AppError, Reason};
use patchbay_workspaces::model::Kind;
use patchbay_workspaces::server::limits;

/// Rows on a page of the list.
const ROWS: usize = 50;

/// An agent that may dial for a client now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallableAgent {
    /// The voice service's id of the agent's copy for this client.
    pub provider_agent_id: String,
    pub name: String,
    /// The prompt that the voice service holds, and its version.
    pub prompt_id: Option<PromptId>,
    pub prompt_version: i32,
    /// BCP 47.
    pub language: String,
    /// What it says first, if it has words of its own for that.
    pub greeting: Option<String>,
}

/// The agent's copy for this client. Errors: `NotFound`; `Conflict` with what to do when it may not call now.
pub async fn ready_to_call(tx: &mut ReadTx, agent: AgentId, client: ClientId) -> Result<CallableAgent, AppError> {
    let found = mappings::callable(tx, agent, client).await?;
    let name = &found.name;
    let obstacle = |text: String| Err(AppError::Conflict(Reason::NotReady, text));
    if !found.is_active {
        return obstacle(format!("The agent {name} was deleted. Choose another agent, or have an owner restore it."));
    }
    if found.status != AgentStatus::Active {
        return obstacle(format!("The agent {name} is not active. Activate it on its page."));
    }
    if !found.serves {
        return obstacle(format!("The agent {name} works for another client. Choose one that works for this client."));
    }
    match (found.provider_agent_id, found.prompt_version) {
        (Some(provider_agent_id), Some(prompt_version)) => Ok(CallableAgent {
            provider_agent_id,
            name: found.name,
            prompt_id: found.prompt_id,
            prompt_version,
            language: found.language,
            greeting: Some(found.greeting).filter(|words| !words.is_empty()),
        }),
        _ => {
            let why = found.sync_error.map(|error| format!(" {error}")).unwrap_or_default();
            obstacle(format!(
                "The agent {name} is not set up at the voice service yet.{why} Its page shows how far it is; “Sync again” tries now."
            ))
        }
    }
}

/// The list with what its filter bar needs.
pub async fn list(tx: &mut ReadTx, query: &AgentQuery) -> Result<AgentList, AppError> {
    let page = store::list(tx, query, ROWS).await?;
    let may_edit = tx.scope().may(Action::ManageAgents);
    Ok(AgentList { page, clients: store::clients(tx).await?, may_edit })
}

pub(crate) async fn choices(tx: &mut ReadTx) -> Result<AgentChoices, AppError> {
    Ok(AgentChoices { clients: store::clients(tx).await?, prompts: prompts::choices(tx).await? })
}

/// Everything on an agent's page. Errors: `NotFound`.
pub(crate) async fn page(tx: &mut ReadTx, id: AgentId) -> Result<AgentPage, AppError> {
    let (agent, now, zone) = (store::get(tx, id).await?, tx.now().await?, tx.scope().zone());
    let prompt = match agent.prompt_service_id.map(PromptId) {
        None => None,
        Some(prompt_id) => {
            let prompt = prompts::get(tx, prompt_id).await?;
            Some(AgentPrompt {
                id: prompt_id,
                name: prompt.name,
                version: prompt.version,
                production: prompts::production(tx, prompt_id).await?.map(|(version, _)| version),
                variables: variables(&prompt.template),
                template: prompt.template,
            })
        }
    };
    let mappings = mappings::list(tx, id).await?;
    let has_text = prompt.as_ref().is_some_and(|prompt| prompt.production.is_some());
    Ok(AgentPage {
        id,
        name: agent.name,
        description: agent.description,
        status: agent.status,
        is_active: agent.is_active,
        client_id: agent.client_id.map(ClientId),
        client: agent.client,
        language: agent.language,
        llm_model: agent.llm_model,
        tags: agent.tags,
        config: agent.config.0,
        prompt,
        sync: worst(mappings.iter().map(|mapping| mapping.sync).filter(|_| has_text)),
        mappings,
        numbers: store::numbers(tx, id).await?,
        campaigns: store::campaigns(tx, id).await?,
        updated: stamp(agent.updated_at, now, zone),
        may_edit: tx.scope().may(Action::ManageAgents),
        may_delete: tx.scope().may(Action::DeleteAgents),
    })
}

/// Makes or changes an agent from its form, with its prompt and its copies, and has it sent to the voice service.
pub(crate) async fn save(tx: &mut WriteTx, form: &AgentForm) -> Result<AgentId, AppError> {
    let fields = form.check()?;
    if form.id.is_empty() {
        return create(tx, &fields).await;
    }
    let id: AgentId = form.id.parse()?;
    // Nobody hears about the form of an agent that is not theirs.
    store::get(tx.reading(), id).await?;
    // The prompt is locked before the agent, as when a prompt is saved and its agents follow; else the two could wait for each other.
    let prompt = take_prompt(tx, &fields).await?;
    store::lock(tx, id).await?;
    let before = store::get(tx.reading(), id).await?;
    if !before.is_active {
        return Err(AppError::Conflict(
            Reason::WrongState,
            "This agent was deleted. An owner can restore it first.".into(),
        ));
    }
    if prompt.is_none() && before.status == AgentStatus::Active {
        return Err(AppError::invalid(
            "prompt_id",
            "An active agent needs a prompt. Choose one, or pause the agent first.",
        ));
    }
    check_client(tx, &fields).await?;
    store::update(tx, id, &fields, prompt).await?;
    mappings::fill(tx, id).await?;
    mappings::set_direction(tx, id, fields.direction).await?;
    let after = store::get(tx.reading(), id).await?;
    let fields = Fields::Changed { before: facts(&before), after: facts(&after) };
    record(tx, "changed", id, &after, fields).await?;
    send(tx, id).await?;
    Ok(id)
}

/// Makes an agent, as a draft. Also for demo data and tests: `prompt: PromptWish::Use(id)` or `Write(text)`.
pub(crate) async fn create(tx: &mut WriteTx, fields: &AgentFields) -> Result<AgentId, AppError> {
    let id = AgentId::new();
    // Before the prompt, which writes into the audit log.
    limits::lock(tx).await?;
    let prompt = take_prompt(tx, fields).await?;
    check_client(tx, fields).await?;
    store::insert(tx, id, fields, prompt).await?;
    limits::check_limit(tx, Kind::Agents).await?;
    mappings::fill(tx, id).await?;
    mappings::set_direction(tx, id, fields.direction).await?;
    let after = store::get(tx.reading(), id).await?;
    record(tx, "created", id, &after, Fields::Created(facts(&after))).await?;
    send(tx, id).await?;
    Ok(id)
}

/// Activates or pauses. Errors: `Conflict` with what is missing; `Invalid` for another word.
pub(crate) async fn set_status(tx: &mut WriteTx, id: AgentId, word: &str) -> Result<(), AppError> {
    let wanted = match word.parse() {
        Ok(wanted @ (AgentStatus::Active | AgentStatus::Paused)) => wanted,
        _ => return Err(AppError::invalid("status", "An agent can be activated or paused.")),
    };
    store::lock(tx, id).await?;
    let page = page(tx.reading(), id).await?;
    if page.status == wanted {
        return Ok(());
    }
    if !page.is_active {
        return Err(AppError::Conflict(
            Reason::WrongState,
            "This agent was deleted. An owner can restore it first.".into(),
        ));
    }
    if let Some(missing) = page.missing().filter(|_| wanted == AgentStatus::Active) {
        return Err(AppError::Conflict(Reason::NotReady, missing.to_owned()));
    }
    store::set_status(tx, id, wanted).await?;
    tx.audit(Change {
        action: if wanted == AgentStatus::Active { "activated" } else { "paused" },
        entity: "agent",
        entity_id: Some(id.0),
        // For the agency alone, as in `record`.
        client_id: None,
        fields: Fields::Changed { before: json!({"status": page.status}), after: json!({"status": wanted}) },
    })
    .await?;
    notify(tx, id, page.client_id);
    Ok(())
}

/// Deletes (that is: deactivates) or restores. Errors: `Conflict` while an active campaign dials with the agent.
pub(crate) async fn set_active(tx: &mut WriteTx, id: AgentId, is_active: bool) -> Result<(), AppError> {
    // The workspace before the agent, as where batches dial.
    limits::lock(tx).await?;
    store::lock(tx, id).await?;
    let agent = store::get(tx.reading(), id).await?;
    if agent.is_active == is_active {
        return Ok(());
    }
    let campaigns = if is_active { Vec::new() } else { store::running_campaigns(tx.reading(), id).await? };
    if !campaigns.is_empty() {
        return Err(AppError::Conflict(
            Reason::InUse,
            format!(
                "Active campaigns use this agent: {}. Pause them or give them another agent first.",
                campaigns.join(", ")
            ),
        ));
    }
    store::set_active(tx, id, is_active).await?;
    if is_active {
        limits::check_limit(tx, Kind::Agents).await?;
    }
    let action = if is_active { "restored" } else { "deleted" };
    let state = |is_active: bool| json!({"name": agent.name, "deleted": !is_active});
    let fields = Fields::Changed { before: state(!is_active), after: state(is_active) };
    record(tx, action, id, &agent, fields).await?;
    if is_active {
        mappings::fill(tx, id).await?;
        send(tx, id).await?;
    }
    notify(tx, id, agent.client_id.map(ClientId));
    Ok(())
}

/// Sends an agent to the voice service again, also to clients that came since.
pub(crate) async fn sync_again(tx: &mut WriteTx, id: AgentId) -> Result<(), AppError> {
    store::lock(tx, id).await?;
    let agent = store::get(tx.reading(), id).await?;
    mappings::fill(tx, id).await?;
    record(tx, "asked for a sync", id, &agent, Fields::Happened(json!({"name": agent.name}))).await?;
    send(tx, id).await
}

/// The version in production of this prompt is another one: its agents are sent again.
pub async fn prompt_changed(tx: &mut WriteTx, prompt: PromptId) -> Result<(), AppError> {
    for id in store::ids(tx.reading(), Some(prompt)).await? {
        send(tx, id).await?;
    }
    Ok(())
}

/// An agent's tools are others now: it is sent again. Errors: `NotFound`.
pub async fn tools_changed(tx: &mut WriteTx, id: AgentId) -> Result<(), AppError> {
    store::lock(tx, id).await?;
    send(tx, id).await
}

/// A client was added or restored: agents of the whole agency serve it too. Called by whoever adds clients.
pub async fn client_added(tx: &mut WriteTx) -> Result<(), AppError> {
    for id in store::ids(tx.reading(), None).await? {
        if mappings::fill(tx, id).await? {
            send(tx, id).await?;
        }
    }
    Ok(())
}

/// Credentials for the voice service were saved: everything is sent; to another account as if for the first time.
pub async fn voice_account_saved(tx: &mut WriteTx, is_other_account: bool) -> Result<(), AppError> {
    if is_other_account {
        mappings::forget_provider_agents(tx).await?;
    }
    for id in store::ids(tx.reading(), None).await? {
        send(tx, id).await?;
    }
    Ok(())
}

/// Marks the agent's copies as out of date and enqueues their update, in the transaction of the change that made it so.
async fn send(tx: &mut WriteTx, id: AgentId) -> Result<(), AppError> {
    let state = store::touch(tx, id).await?;
    mappings::clear_errors(tx, id).await?;
    enqueue(tx, &SyncAgent { agent_id: id, state: state.timestamp_micros() }, NewJob::default()).await?;
    notify(tx, id, None);
    Ok(())
}

async fn check_client(tx: &mut WriteTx, fields: &AgentFields) -> Result<(), AppError> {
    match fields.client_id {
        Some(client) if !store::has_client(tx.reading(), client).await? => {
            Err(AppError::invalid("client_id", "Choose a client of the agency, or none."))
        }
        _ => Ok(()),
    }
}

/// The prompt that the form asks for, made or changed if it was written in the form.
async fn take_prompt(tx: &mut WriteTx, fields: &AgentFields) -> Result<Option<PromptId>, AppError> {
    match &fields.prompt {
        PromptWish::None => Ok(None),
        PromptWish::Use(id) => {
            let prompt = prompts::get(tx.reading(), *id)
                .await
                .map_err(|error| error.at_choice("prompt_id", "Choose a prompt of the agency."))?;
            if !prompt.is_active {
                return Err(AppError::invalid(
                    "prompt_id",
                    "This prompt is deactivated. Choose another one, or restore it first.",
                ));
            }
            Ok(Some(*id))
        }
        PromptWish::Change { id, base, template, overwrite } => {
            let note = format!("Written on the agent {}", fields.name);
            prompts::ops::save_text(tx, *id, base, template, &note, *overwrite).await?;
            Ok(Some(*id))
        }
        PromptWish::Write(template) => {
            let text = PromptText {
                name: fields.name.clone(),
                template: template.clone(),
                description: String::new(),
                tags: Vec::new(),
                note: "First version".to_owned(),
            };
            prompts::ops::create(tx, &text, true).await.map(Some)
        }
    }
}

fn facts(agent: &Agent) -> serde_json::Value {
    json!({
        "name": agent.name, "description": agent.description, "client": agent.client, "language": agent.language,
        "model": agent.llm_model, "prompt": agent.prompt_service_id, "tags": agent.tags, "config": agent.config.0,
    })
}

async fn record(tx: &mut WriteTx, action: &str, id: AgentId, agent: &Agent, fields: Fields) -> Result<(), AppError> {
    // How an agent is made is the agency's workshop: a client's people read of their own that it was deleted or restored, no more.
    let client_id = agent.client_id.map(ClientId).filter(|_| matches!(action, "deleted" | "restored"));
    tx.audit(Change { action, entity: "agent", entity_id: Some(id.0), client_id, fields }).await
}

fn notify(tx: &mut WriteTx, id: AgentId, client: Option<ClientId>) {
    tx.notify(Topic::list("agents"), client);
    tx.notify(Topic::one("agent", id), client);
}
