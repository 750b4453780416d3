//! What people do with agents: make, change, activate and list them, and have their copies at the voice service follow.

use serde_json::json;

use super::jobs::SyncAgent;
use super::store::{self, Agent, mappings, templates, versions};
use super::{drafts, following, told};
use crate::model::{
    AgentChoices, AgentConfig, AgentFields, AgentForm, AgentList, AgentPage, AgentPrompt, AgentQuery, AgentSettings,
    AgentStatus, Memory, PromptWish, worst,
};
use patchbay_access::server::{Change, Fields, ReadTx, WriteTx};
use patchbay_access::{Action, Field};
use patchbay_jobs::live::Topic;
use patchbay_jobs::{NewJob, enqueue};
use patchbay_prompts::model::{PromptText, variables};
use patchbay_prompts::server as prompts;
use patchbay_providers::voice::FirstSpeaker;
use patchbay_shared::ids::{AgentId, ClientId, PromptId};
use patchbay_shared::zone::stamp;
use patchbay_shared::{AppError, Reason};
use patchbay_workspaces::model::Kind;
use patchbay_workspaces::server::limits;

/// Rows on a page of the list.
const ROWS: usize = 50;

/// An agent that may dial for a client now.
#[derive(Debug, Clone, PartialEq)]
pub struct CallableAgent {
    /// The voice service's id of the agent's copy for this client.
    pub provider_agent_id: String,
    pub name: String,
    /// The prompt that the voice service holds, and its version.
    pub prompt_id: Option<PromptId>,
    pub prompt_version: i32,
    /// BCP 47.
    pub language: String,
    /// Where the carrier tells which of its legs a call is on: for agents that may give calls to a person.
    pub leg_news_url: Option<String>,
    config: AgentConfig,
}

impl CallableAgent {
    /// What it says first to somebody who calls.
    pub fn greeting(&self) -> FirstSpeaker {
        told::greeting(&self.config)
    }

    /// What it is told of earlier calls with the person: it goes into the variable `EARLIER_CALLS`.
    pub fn memory(&self) -> &Memory {
        &self.config.memory
    }
}

/// The agent's copy for this client. Errors: `NotFound`; `Conflict` with what to do when it may not call now.
pub async fn ready_to_call(tx: &mut ReadTx, agent: AgentId, client: ClientId) -> Result<CallableAgent, AppError> {
    let found = mappings::callable(tx, agent, client).await?;
    let name = &found.name;
    let obstacle = |text: String| Err(AppError::Conflict(Reason::NotReady, text));
    if !found.is_active {
        return obstacle(format!(
            "The agent {name} is deactivated or deleted. Choose another agent, or have an owner restore it."
        ));
    }
    if found.status != AgentStatus::Active {
        return obstacle(format!("The agent {name} is not active. Activate it on its page."));
    }
    if !found.serves {
        return obstacle(format!("The agent {name} works for another client. Choose one that works for this client."));
    }
    match (found.provider_agent_id, found.prompt_version) {
        (Some(provider_agent_id), Some(prompt_version)) => {
            let leg_news_url = match patchbay_tools::server::may_transfer(tx, agent).await? {
                true => patchbay_connections::server::ops::carrier_news_url(tx).await?,
                false => None,
            };
            Ok(CallableAgent {
                provider_agent_id,
                name: found.name,
                prompt_id: found.prompt_id,
                prompt_version,
                language: found.language,
                leg_news_url,
                config: found.config.0,
            })
        }
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
    let templates = if tx.scope().sees(Field::AgentMakeup) { templates::names(tx).await? } else { Vec::new() };
    Ok(AgentList { page, clients: store::clients(tx).await?, templates, may_edit })
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
            let (spoken, template) = prompts::spoken(tx, prompt_id).await?.unwrap_or((prompt.version, prompt.template));
            Some(AgentPrompt {
                id: prompt_id,
                name: prompt.name,
                version: prompt.version,
                spoken,
                variables: variables(&template),
                template,
            })
        }
    };
    let (base, draft) = drafts::view(tx, id, &agent).await?;
    let settings = agent.settings();
    let shown = draft.as_ref().map_or(&settings, |draft| &draft.settings);
    let template = following::of_agent(tx, shown, &agent.template_left_out).await?;
    let mappings = mappings::list(tx, id).await?;
    let has_text = prompt.is_some();
    Ok(AgentPage {
        id,
        name: agent.name,
        description: agent.description,
        status: agent.status,
        is_active: agent.is_active,
        is_deleted: agent.is_deleted,
        client_id: agent.client_id.map(ClientId),
        client: agent.client,
        language: agent.language,
        llm_model: agent.llm_model,
        tags: agent.tags,
        config: agent.config.0,
        version: agent.version,
        draft,
        settings,
        base,
        prompt,
        sync: worst(mappings.iter().map(|mapping| mapping.sync).filter(|_| has_text)),
        mappings,
        template,
        numbers: store::numbers(tx, id).await?,
        campaigns: store::campaigns(tx, id).await?,
        updated: stamp(agent.updated_at, now, zone),
        may_edit: tx.scope().may(Action::ManageAgents),
        may_delete: tx.scope().may(Action::DeleteAgents),
    })
}

/// Makes an agent from its form, or saves what the form changes of one as its draft; with `publish` calls use it at once.
pub(crate) async fn save(tx: &mut WriteTx, form: &AgentForm) -> Result<AgentId, AppError> {
    let fields = form.check()?;
    if form.id.is_empty() {
        return create(tx, &fields).await;
    }
    let id: AgentId = form.id.parse()?;
    // Nobody hears about the form of an agent that is not theirs.
    let present = store::get(tx.reading(), id).await?.prompt_service_id.map(PromptId);
    // Before anything that is written into the audit log, as where an agent is published: else the two could wait for each other.
    store::lock(tx, id).await?;
    let prompt = take_prompt(tx, &fields, present).await?;
    let agent = store::get(tx.reading(), id).await?;
    must_be_there(&agent)?;
    if prompt.is_none() && agent.status == AgentStatus::Active {
        return Err(AppError::invalid(
            "prompt_id",
            "An active agent needs a prompt. Choose one, or pause the agent first.",
        ));
    }
    check_client(tx, &fields.settings).await?;
    let draft = versions::draft(tx.reading(), id).await?;
    let template = draft.map_or(agent.settings().template, |draft| draft.settings.0.template);
    let settings = AgentSettings { prompt_id: prompt, template, ..fields.settings };
    drafts::save(tx, id, &agent, &settings, form.base.trim(), form.overwrite.is_some()).await?;
    if form.publish.is_some() {
        drafts::publish(tx, id, "").await?;
    }
    Ok(id)
}

/// Makes an agent, inactive at first; what it is made of is its first version.
async fn create(tx: &mut WriteTx, fields: &AgentFields) -> Result<AgentId, AppError> {
    // Before the prompt, which writes into the audit log.
    limits::lock(tx).await?;
    let prompt = take_prompt(tx, fields, None).await?;
    check_client(tx, &fields.settings).await?;
    let settings = AgentSettings { prompt_id: prompt, ..fields.settings.clone() };
    let id = insert(tx, &settings, "First version").await?;
    send(tx, id, false).await?;
    Ok(id)
}

/// A new agent of checked settings, its copies' rows with it. The agency's limits are locked.
pub(crate) async fn insert(tx: &mut WriteTx, settings: &AgentSettings, note: &str) -> Result<AgentId, AppError> {
    insert_as(tx, AgentId::new(), settings, note).await
}

/// The same under an id that nobody has.
pub(crate) async fn insert_as(
    tx: &mut WriteTx,
    id: AgentId,
    settings: &AgentSettings,
    note: &str,
) -> Result<AgentId, AppError> {
    store::insert(tx, id, settings).await?;
    limits::check_limit(tx, Kind::Agents).await?;
    let author = tx.scope().user_id().map(|id| id.0);
    versions::insert(tx, id, 1, settings, note, author).await?;
    mappings::fill(tx, id).await?;
    mappings::set_direction(tx, id, settings.direction).await?;
    let after = store::get(tx.reading(), id).await?;
    record(tx, "created", id, &after, Fields::Created(facts_of(settings))).await?;
    notify(tx, id, None);
    Ok(id)
}

/// Errors: `Conflict` for an agent that is deactivated or deleted.
pub(crate) fn must_be_there(agent: &Agent) -> Result<(), AppError> {
    match (agent.is_deleted, agent.is_active) {
        (true, _) => Err(AppError::Conflict(Reason::WrongState, "This agent was deleted.".into())),
        (false, false) => Err(AppError::Conflict(
            Reason::WrongState,
            "This agent is deactivated. An owner can restore it first.".into(),
        )),
        _ => Ok(()),
    }
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
    must_be_there(&store::get(tx.reading(), id).await?)?;
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

/// Sends an agent to the voice service again, over what was changed there, and also to clients that came since.
pub(crate) async fn sync_again(tx: &mut WriteTx, id: AgentId) -> Result<(), AppError> {
    store::lock(tx, id).await?;
    let agent = store::get(tx.reading(), id).await?;
    must_be_there(&agent)?;
    mappings::fill(tx, id).await?;
    record(tx, "asked for a sync", id, &agent, Fields::Happened(json!({"name": agent.name}))).await?;
    send(tx, id, true).await
}

/// The version of this prompt that agents say is another one: its agents are sent again.
pub async fn prompt_changed(tx: &mut WriteTx, prompt: PromptId) -> Result<(), AppError> {
    for id in store::ids(tx.reading(), Some(prompt)).await? {
        send(tx, id, false).await?;
    }
    Ok(())
}

/// An agent's tools are others now: it is sent again. Errors: `NotFound`.
pub async fn tools_changed(tx: &mut WriteTx, id: AgentId) -> Result<(), AppError> {
    store::lock(tx, id).await?;
    send(tx, id, false).await
}

/// A client was added or restored: agents of the whole agency serve it too. Called by whoever adds clients.
pub async fn client_added(tx: &mut WriteTx) -> Result<(), AppError> {
    for id in store::ids(tx.reading(), None).await? {
        if mappings::fill(tx, id).await? {
            send(tx, id, false).await?;
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
        send(tx, id, false).await?;
    }
    Ok(())
}

/// Marks the agent's copies as out of date and enqueues their update, in the transaction of the change that made it so.
/// `over`: also over what somebody has set at the service.
pub(crate) async fn send(tx: &mut WriteTx, id: AgentId, over: bool) -> Result<(), AppError> {
    let state = store::touch(tx, id).await?;
    mappings::clear_errors(tx, id).await?;
    enqueue(tx, &SyncAgent { agent_id: id, state: state.timestamp_micros(), over }, NewJob::default()).await?;
    notify(tx, id, None);
    Ok(())
}

pub(crate) async fn check_client(tx: &mut WriteTx, settings: &AgentSettings) -> Result<(), AppError> {
    match settings.client_id {
        Some(client) if !store::has_client(tx.reading(), client).await? => {
            Err(AppError::invalid("client_id", "Choose an active client of the agency, or none."))
        }
        _ => Ok(()),
    }
}

/// The prompt that the form asks for, made if it was written in the form. `present`: the one that the agent may keep, whatever it is.
async fn take_prompt(
    tx: &mut WriteTx,
    fields: &AgentFields,
    present: Option<PromptId>,
) -> Result<Option<PromptId>, AppError> {
    match &fields.prompt {
        PromptWish::None => Ok(None),
        PromptWish::Use(id) => {
            let prompt = prompts::get(tx.reading(), *id)
                .await
                .map_err(|error| error.at_choice("prompt_id", "Choose a prompt of the agency."))?;
            if !prompt.is_active && present != Some(*id) {
                return Err(AppError::invalid(
                    "prompt_id",
                    "This prompt is deactivated. Choose another one, or restore it first.",
                ));
            }
            Ok(Some(*id))
        }
        PromptWish::Write(template) => {
            let text = PromptText {
                name: fields.settings.name.clone(),
                template: template.clone(),
                description: String::new(),
                tags: Vec::new(),
                tools: Vec::new(),
                note: "First version".to_owned(),
            };
            prompts::ops::create(tx, &text, true).await.map(Some)
        }
    }
}

pub(crate) fn facts_of(settings: &AgentSettings) -> serde_json::Value {
    json!({
        "name": settings.name, "description": settings.description, "client": settings.client_id, "language": settings.language,
        "model": settings.llm_model, "prompt": settings.prompt_id, "tags": settings.tags, "direction": settings.direction,
        "config": settings.config, "template": settings.template,
    })
}

pub(crate) async fn record(
    tx: &mut WriteTx,
    action: &str,
    id: AgentId,
    agent: &Agent,
    fields: Fields,
) -> Result<(), AppError> {
    // How an agent is made is the agency's workshop: a client's people read of their own that it was deleted or restored, no more.
    let client_id = agent.client_id.map(ClientId).filter(|_| matches!(action, "deactivated" | "restored" | "deleted"));
    tx.audit(Change { action, entity: "agent", entity_id: Some(id.0), client_id, fields }).await
}

pub(crate) fn notify(tx: &mut WriteTx, id: AgentId, client: Option<ClientId>) {
    tx.notify(Topic::list("agents"), client);
    tx.notify(Topic::one("agent", id), client);
}
