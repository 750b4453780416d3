//! What people do with the tools of an agent: add, change, order, switch and remove them, and look at what became of them.

use std::collections::BTreeSet;

use serde_json::json;

use super::invoke::AgentTool;
use super::kinds;
use super::store::{self, Stored, Written, uses};
use crate::model::{
    AgentHead, Choices, Counts, MOST_TOOLS, NewToolPage, Source, ToolConfig, ToolForm, ToolKind, ToolPage, ToolRow,
    ToolsPage, UseList, UsePage, UseQuery, origin, schema,
};
use patchbay_access::Action;
use patchbay_access::server::{Change, Fields, ReadTx, WriteTx};
use patchbay_jobs::live::Topic;
use patchbay_providers::outside::refused_at_sight;
use patchbay_services::HookFuture;
use patchbay_shared::ids::{AgentId, AgentToolId, ToolInvocationId};
use patchbay_shared::{AppError, Reason};

/// Rows on a page of the list of uses, and the few on the page of the tools.
const ROWS: usize = 50;
const FEW: usize = 8;

/// Hook: an agent has other tools now, so its copies at the voice service are out of date.
pub struct ToolsChanged(pub for<'a> fn(&'a mut WriteTx, AgentId) -> HookFuture<'a>);

/// The page of an agent's tools. Errors: `NotFound`.
pub(crate) async fn tools_page(tx: &mut ReadTx, agent: AgentId) -> Result<ToolsPage, AppError> {
    let agent = store::agent(tx, agent).await?;
    let mut counts = uses::counts(tx, agent.id).await?;
    let stored = store::list(tx, agent.id).await?;
    let tools = stored.iter().map(|tool| row(tool, counts.remove(&tool.id).unwrap_or_default())).collect();
    Ok(ToolsPage {
        tools,
        latest: uses::list(tx, agent.id, &UseQuery::default(), FEW).await?.rows,
        may_edit: tx.scope().may(Action::ManageAgents) && agent.is_active,
        public_url: tx.services().public_url.clone(),
        agent,
    })
}

fn row(tool: &Stored, counts: Counts) -> ToolRow {
    let functions = tool.config.functions(&tool.name, &tool.description);
    let is_several = functions.len() != 1 || functions.iter().any(|function| function.name != tool.name);
    let named = functions.into_iter().filter(|_| is_several).map(|function| (function.name, function.description));
    ToolRow {
        id: tool.id,
        name: tool.name.clone(),
        description: tool.description.clone(),
        kind: tool.config.kind(),
        summary: tool.config.summary(),
        is_active: tool.is_active,
        functions: named.collect(),
        is_built_in: tool.config.built_in().is_some(),
        counts,
        offer_differs: tool.offer_differs,
    }
}

/// What the form of a new tool needs. Errors: `NotFound`.
pub(crate) async fn new_page(tx: &mut ReadTx, agent: AgentId) -> Result<NewToolPage, AppError> {
    let agent = store::agent(tx, agent).await?;
    Ok(NewToolPage { choices: choices(tx, &agent).await?, agent })
}

/// What the fields of forms offer: of what belongs to one client, that which is the agent's.
async fn choices(tx: &mut ReadTx, agent: &AgentHead) -> Result<Choices, AppError> {
    let all = patchbay_knowledge::server::collections(tx).await?;
    let fits = all
        .into_iter()
        .filter(|one| one.client.is_none() || agent.client_id.is_none() || one.client == agent.client_id);
    let collections = fits.map(|one| (one.id.to_string(), one.name)).collect();
    let teams = kinds::team::choices(tx, agent.client_id).await?;
    let teams = teams.into_iter().map(|(id, name)| (id.to_string(), name)).collect();
    Ok([(Source::KnowledgeCollections, collections), (Source::Teams, teams)].into_iter().collect())
}

/// One tool with its form and a try of it. Errors: `NotFound`.
pub(crate) async fn tool_page(
    tx: &mut ReadTx,
    agent: AgentId,
    id: AgentToolId,
    function: Option<&str>,
    tried: Option<&str>,
) -> Result<ToolPage, AppError> {
    let agent = store::agent(tx, agent).await?;
    let stored = store::get(tx, agent.id, id).await?;
    let counts = uses::counts(tx, agent.id).await?.remove(&id).unwrap_or_default();
    let functions = stored.config.functions(&stored.name, &stored.description);
    let wanted = function.and_then(|name| functions.iter().find(|function| function.name == name));
    let shown = wanted.or_else(|| functions.first());
    let parameters = shown.map(|function| function.parameters.clone()).unwrap_or_default();
    let tried = match tried {
        Some(tried) => Some(use_page(tx, tried.parse()?).await?).filter(|tried| tried.tool == id),
        None => None,
    };
    Ok(ToolPage {
        tool: row(&stored, counts),
        values: stored.config.values().into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
        choices: choices(tx, &agent).await?,
        function: shown.map(|function| function.name.clone()).unwrap_or_default(),
        try_fields: schema::try_fields(&parameters),
        schema: serde_json::to_string_pretty(&parameters).unwrap_or_default(),
        clients: if agent.client_id.is_none() { store::clients(tx).await? } else { Vec::new() },
        tried,
        offers: super::offers::shown(tx, &stored).await?,
        may_edit: tx.scope().may(Action::ManageAgents) && agent.is_active,
        agent,
    })
}

/// Makes or changes a tool from its form. Errors: `Invalid`; `NotFound`.
pub(crate) async fn save(tx: &mut WriteTx, form: &ToolForm) -> Result<AgentToolId, AppError> {
    let agent = editable(tx, form.agent.parse()?).await?;
    let known: Option<AgentToolId> = if form.id.is_empty() { None } else { Some(form.id.parse()?) };
    let kind: ToolKind = match known {
        // What a tool does is chosen once: its history is about that.
        Some(id) => store::get(tx.reading(), agent, id).await?.config.kind(),
        None => form.kind.parse().map_err(|_| AppError::invalid("kind", "Choose what the tool does."))?,
    };
    let mut fields = form.check(kind)?;
    kinds::transfer::settle(&mut fields.config)?;
    let client = store::agent(tx.reading(), agent).await?.client_id;
    kinds::team::check(tx.reading(), &fields.config, client).await?;
    let sandbox = tx.services().sandbox.as_ref().map(|sandbox| sandbox.tools.clone());
    if let Some(address) = fields.config.address()
        && let Some(why) = refused_at_sight(address, sandbox.as_deref())
    {
        return Err(AppError::invalid("address", format!("This address would not be asked: {why}.")));
    }
    if kind == ToolKind::SendEmail && tx.services().mail.is_none() {
        let text = "This installation sends no e-mail: whoever runs it has set up no mail server.";
        return Err(AppError::invalid("", text));
    }
    // The agent before its tools, as everywhere: two people who add a tool wait for each other.
    changed(tx, agent).await?;
    store::lock_all(tx, agent).await?;
    let all = store::list(tx.reading(), agent).await?;
    let before = all.iter().find(|tool| Some(tool.id) == known);
    if known.is_some() && before.is_none() {
        return Err(AppError::NotFound);
    }
    let id = known.unwrap_or_else(AgentToolId::new);
    let others = all.iter().filter(|tool| Some(tool.id) != known);
    let taken: BTreeSet<String> = others
        .flat_map(|tool| tool.config.functions(&tool.name, &tool.description))
        .map(|function| function.name)
        .collect();
    // A secret was entered for one service. Whoever may change the address does not get to see it by sending it elsewhere.
    let has_moved = before.is_some_and(|tool| match (tool.config.address(), fields.config.address()) {
        (Some(was), Some(now)) => !origin(was).eq_ignore_ascii_case(origin(now)),
        _ => false,
    });
    if let (ToolConfig::Mcp(now), Some(ToolConfig::Mcp(was))) = (&mut fields.config, before.map(|tool| &tool.config)) {
        // What was chosen is chosen of one server.
        if now.address == was.address {
            now.chosen.clone_from(&was.chosen);
        }
    }
    let own = fields.config.functions(&fields.name, &fields.description);
    if let Some(twice) = own.iter().find(|function| taken.contains(&function.name)) {
        let message = format!("The agent has a function named {} already. Choose another name.", twice.name);
        return Err(AppError::invalid("tool_name", message));
    }
    if taken.len() + own.len() > MOST_TOOLS || (known.is_none() && all.len() >= MOST_TOOLS) {
        return Err(AppError::invalid("", format!("An agent has at most {MOST_TOOLS} tools. Remove one first.")));
    }
    let mut stored = match before {
        Some(tool) => kinds::open(tx.scope(), id, tool.sealed.as_deref())?,
        None => kinds::Secrets::new(),
    };
    if has_moved {
        stored.clear();
    }
    let mut secrets = kinds::Secrets::new();
    for (name, given) in &fields.secrets {
        match given.clone().or_else(|| stored.remove(name)) {
            Some(secret) => drop(secrets.insert(name.clone(), secret)),
            None => {
                let specs = kind.fields();
                let spec = specs.iter().find(|spec| spec.name == name.as_str());
                let (field, name) = spec.map_or(("secret_headers", name.as_str()), |spec| (spec.name, spec.label));
                let message = match has_moved {
                    true => format!("Enter {name} again: the stored value was for the former address."),
                    false => format!("There is no stored value for {name}. Enter it."),
                };
                return Err(AppError::invalid(field, message));
            }
        }
    }
    let sealed = kinds::seal(tx.scope(), id, &secrets)?;
    let written = Written {
        name: &fields.name,
        description: &fields.description,
        config: &fields.config,
        sealed: sealed.as_deref(),
    };
    let new_secrets: Vec<&str> =
        fields.secrets.iter().filter(|(_, given)| given.is_some()).map(|(name, _)| name.as_str()).collect();
    let mut after =
        json!({ "agent": agent, "name": fields.name, "description": fields.description, "config": fields.config });
    if !new_secrets.is_empty() {
        after["new secrets"] = json!(new_secrets);
    }
    match before {
        Some(tool) => {
            store::update(tx, id, &written).await?;
            if kind == ToolKind::Mcp && tool.config.address() != fields.config.address() {
                store::offers::forget(tx, id).await?;
            }
            if tool.name != fields.name && tool.config.built_in().is_some() {
                // The voice service holds it under the name that it had, and knows it as ours by that name alone.
                store::leave_name(tx, tool).await?;
            }
            record(tx, "changed", id, Fields::Changed { before: facts(tool), after }).await?;
        }
        None => {
            store::insert(tx, agent, id, &written).await?;
            record(tx, "created", id, Fields::Created(after)).await?;
        }
    }
    Ok(id)
}

/// Switches a tool on or off.
pub(crate) async fn switch(tx: &mut WriteTx, agent: AgentId, id: AgentToolId, on: bool) -> Result<(), AppError> {
    let agent = editable(tx, agent).await?;
    let tool = store::get(tx.reading(), agent, id).await?;
    if tool.is_active == on {
        return Ok(());
    }
    changed(tx, agent).await?;
    store::lock(tx, agent, id).await?;
    store::set_active(tx, id, on).await?;
    let state = |on: bool| json!({ "agent": agent, "name": tool.name, "on": on });
    record(
        tx,
        if on { "switched on" } else { "switched off" },
        id,
        Fields::Changed { before: state(!on), after: state(on) },
    )
    .await
}

/// Moves a tool one place up or down.
pub(crate) async fn shift(tx: &mut WriteTx, agent: AgentId, id: AgentToolId, to: &str) -> Result<(), AppError> {
    let agent = editable(tx, agent).await?;
    store::get(tx.reading(), agent, id).await?;
    changed(tx, agent).await?;
    store::lock_all(tx, agent).await?;
    let mut all = store::list(tx.reading(), agent).await?;
    let place = all.iter().position(|tool| tool.id == id).ok_or(AppError::NotFound)?;
    let other = match to {
        "up" => place.checked_sub(1),
        "down" => Some(place + 1).filter(|other| *other < all.len()),
        _ => return Err(AppError::invalid("to", "A tool is moved up or down.")),
    };
    // The first one stays the first one.
    let Some(other) = other else { return Ok(()) };
    let name = all[place].name.clone();
    all.swap(place, other);
    for (index, tool) in (1..).zip(&all) {
        if tool.position != index {
            store::set_position(tx, tool.id, index).await?;
        }
    }
    let at = |place: usize| json!({ "agent": agent, "name": name, "place": place + 1 });
    record(tx, "moved", id, Fields::Changed { before: at(place), after: at(other) }).await
}

/// Removes a tool. Its history stays.
pub(crate) async fn remove(tx: &mut WriteTx, agent: AgentId, id: AgentToolId) -> Result<(), AppError> {
    let agent = editable(tx, agent).await?;
    let tool = store::get(tx.reading(), agent, id).await?;
    changed(tx, agent).await?;
    store::lock(tx, agent, id).await?;
    store::remove(tx, id).await?;
    record(tx, "removed", id, Fields::Deleted(facts(&tool))).await
}

/// Uses of an agent's tools.
pub(crate) async fn uses(tx: &mut ReadTx, agent: AgentId, query: &UseQuery) -> Result<UseList, AppError> {
    let agent = store::agent(tx, agent).await?;
    let tools = store::list(tx, agent.id).await?.into_iter().map(|tool| (tool.id, tool.name)).collect();
    Ok(UseList { page: uses::list(tx, agent.id, query, ROWS).await?, tools, agent })
}

/// One use. Errors: `NotFound`.
pub(crate) async fn use_page(tx: &mut ReadTx, id: ToolInvocationId) -> Result<UsePage, AppError> {
    uses::get(tx, id).await
}

/// An agent whose tools may be changed. Errors: `NotFound`; `Conflict` when it was deleted.
pub(super) async fn editable(tx: &mut WriteTx, agent: AgentId) -> Result<AgentId, AppError> {
    let head = store::agent(tx.reading(), agent).await?;
    if !head.is_active {
        let text = "This agent is deactivated or deleted. An owner can restore one that is deactivated.";
        return Err(AppError::Conflict(Reason::WrongState, text.to_owned()));
    }
    Ok(head.id)
}

/// Has the agent sent to the voice service again, and tells open pages.
pub(super) async fn changed(tx: &mut WriteTx, agent: AgentId) -> Result<(), AppError> {
    let services = tx.scope().clone();
    let hook = services.services().hooks.get::<ToolsChanged>()?;
    (hook.0)(tx, agent).await?;
    tx.notify(topic(agent), None);
    Ok(())
}

/// Pages that show an agent's tools.
pub(super) fn topic(agent: AgentId) -> Topic {
    Topic::one("tools", agent)
}

fn facts(tool: &Stored) -> serde_json::Value {
    json!({ "agent": tool.agent_id, "name": tool.name, "description": tool.description, "config": tool.config })
}

/// How an agent is made is the agency's workshop: its clients read nothing of it.
pub(crate) async fn record(tx: &mut WriteTx, action: &str, id: AgentToolId, fields: Fields) -> Result<(), AppError> {
    tx.audit(Change { action, entity: "tool", entity_id: Some(id.0), client_id: None, fields }).await
}

/// The function of a tool, by the names that a page sent. Errors: `NotFound`.
pub(crate) async fn function(
    tx: &mut ReadTx,
    agent: AgentId,
    id: AgentToolId,
    name: &str,
) -> Result<AgentTool, AppError> {
    let stored = store::get(tx, agent, id).await?;
    let name = if name.is_empty() { stored.name.clone() } else { name.to_owned() };
    AgentTool::of(&stored, &name).ok_or(AppError::NotFound)
}
