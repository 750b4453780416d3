//! Agents that the voice service has and Patchbay does not know: they become agents here, and stay what they are there.

use super::store::{self, mappings};
use super::{ops, told};
use crate::model::{Adoptable, AdoptableList, AdoptableQuery, AdoptableRow, AgentSettings};
use patchbay_access::Action;
use patchbay_access::server::Scope;
use patchbay_connections::server::ops as connections;
use patchbay_prompts::model::{PromptText, check_template};
use patchbay_prompts::server as prompts;
use patchbay_providers::error::Kind;
use patchbay_providers::voice::HeldAgent;
use patchbay_shared::ids::{AgentId, ClientId};
use patchbay_shared::text::one_line;
use patchbay_shared::{AppError, Reason};
use patchbay_workspaces::server::limits;

/// One page of them, as the service pages. What belongs to an agent here is left out.
pub(crate) async fn list(scope: &Scope, query: &AdoptableQuery) -> Result<AdoptableList, AppError> {
    drop(scope.read(Action::ManageAgents).await?);
    let client = match connections::voice(scope).await {
        Ok(client) => client,
        Err(AppError::Conflict(_, why)) => return Ok(AdoptableList { note: Some(why), ..AdoptableList::default() }),
        Err(error) => return Err(error),
    };
    let words: String = query.words.as_deref().unwrap_or_default().trim().chars().take(100).collect();
    let page = match client.list_agents(&words, query.cursor.as_deref()).await {
        Ok(page) => page,
        Err(error) => return Ok(AdoptableList { note: Some(error.sentence()), ..AdoptableList::default() }),
    };
    let ids: Vec<String> = page.agents.iter().map(|agent| agent.id.clone()).collect();
    let mut tx = scope.read(Action::ManageAgents).await?;
    let known = mappings::known(&mut tx, &ids).await?;
    let rows = page.agents.into_iter().filter(|agent| !known.contains(&agent.id) && !is_copy(&agent.name));
    let rows = rows.map(|agent| AdoptableRow { id: agent.id, name: one_line(&agent.name) }).collect();
    Ok(AdoptableList { rows, next: page.next, note: None })
}

/// One of them with what it is made of. Errors: `NotFound`; `ProviderDown`.
pub(crate) async fn get(scope: &Scope, id: &str) -> Result<Adoptable, AppError> {
    drop(scope.read(Action::ManageAgents).await?);
    let held = read(scope, id).await?;
    let mut tx = scope.read(Action::ManageAgents).await?;
    if !mappings::known(&mut tx, &[id.to_owned()]).await?.is_empty() {
        return Err(AppError::NotFound);
    }
    Ok(Adoptable {
        id: id.to_owned(),
        settings: settings(&held),
        prompt: held.spec.system_prompt,
        tools: held.tools,
        others: held.others,
        clients: store::clients(&mut tx).await?,
    })
}

/// Makes an agent of it, inactive at first: its prompt becomes a prompt, its settings the first version.
/// Errors: `NotFound`; `Invalid`; `Conflict` when it was adopted meanwhile; `ProviderDown`.
pub(crate) async fn adopt(scope: &Scope, id: &str, name: &str, client: &str) -> Result<AgentId, AppError> {
    drop(scope.write(Action::ManageAgents).await?);
    let name = name.trim();
    if name.is_empty() || name.chars().count() > 64 {
        return Err(AppError::invalid("name", "Give the agent a name of at most 64 characters."));
    }
    let Ok(client_id) = client.trim().parse::<ClientId>() else {
        return Err(AppError::invalid("client_id", "Choose the client that it works for."));
    };
    let held = read(scope, id).await?;
    let mut tx = scope.write(Action::ManageAgents).await?;
    limits::lock(&mut tx).await?;
    if !mappings::known(tx.reading(), &[id.to_owned()]).await?.is_empty() {
        return Err(AppError::Conflict(Reason::AlreadyThere, "This agent has been adopted meanwhile.".into()));
    }
    let mut settings = AgentSettings { name: name.to_owned(), client_id: Some(client_id), ..settings(&held) };
    ops::check_client(&mut tx, &settings).await?;
    let words = held.spec.system_prompt;
    if !words.trim().is_empty() {
        check_template(&words).map_err(|why| {
            AppError::Conflict(
                Reason::NotReady,
                format!("Its prompt cannot be used here. {why} Change it at Ultravox first."),
            )
        })?;
        let text = PromptText {
            name: name.to_owned(),
            template: words,
            description: String::new(),
            tags: Vec::new(),
            tools: Vec::new(),
            note: "As it was at Ultravox".to_owned(),
        };
        settings.prompt_id = Some(prompts::ops::create(&mut tx, &text, true).await?);
    }
    let made = ops::insert(&mut tx, &settings, "Adopted from Ultravox").await?;
    let copies = mappings::list(tx.reading(), made).await?;
    let Some(copy) = copies.into_iter().find(|copy| copy.client_id == client_id) else {
        return Err(AppError::invalid("client_id", "This client is archived. Choose another one."));
    };
    mappings::set_provider_agent(&mut tx, copy.id, Some(id)).await?;
    ops::send(&mut tx, made, false).await?;
    tx.commit().await?;
    Ok(made)
}

async fn read(scope: &Scope, id: &str) -> Result<HeldAgent, AppError> {
    // One spelling of an id: else the same agent could be adopted twice.
    if id.parse::<uuid::Uuid>().map(|parsed| parsed.to_string()).as_deref() != Ok(id) {
        return Err(AppError::NotFound);
    }
    let client = connections::voice(scope).await?;
    let held = client.read_agent(id).await.map_err(|error| match error.kind {
        Kind::NotFound => AppError::NotFound,
        _ => AppError::ProviderDown(error.sentence()),
    })?;
    if is_copy(&held.spec.name) { Err(AppError::NotFound) } else { Ok(held) }
}

/// Whether an agent there is a copy that Patchbay has made: the mark at the end of its name says so. One whose id was lost is found by it.
fn is_copy(name: &str) -> bool {
    let mark = name.rsplit(' ').next().and_then(|word| word.strip_prefix("pb-"));
    mark.is_some_and(|mark| mark.len() == 12 && mark.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

fn settings(held: &HeldAgent) -> AgentSettings {
    let mut settings = AgentSettings { name: one_line(&held.spec.name), ..AgentSettings::default() };
    told::take(&mut settings, &held.spec, &told::ALL);
    settings
}
