//! What a server of functions (MCP) offers, and what of it an agent may use: asking it, and choosing. A function that was chosen is used
//! only as long as the server describes it in the words that somebody accepted.

use std::collections::BTreeSet;

use serde_json::json;
use sha2::{Digest, Sha256};

use super::kinds::mcp;
use super::ops::{changed, editable, record};
use super::store::{self, Stored, Written, offers};
use crate::model::{
    ChoiceForm, MOST_TOOLS, Mcp, OfferRow, OfferState, Offered, Offers, ToolConfig, offered_name, schema,
};
use patchbay_access::Action;
use patchbay_access::server::{Fields, ReadTx, Scope, WriteTx};
use patchbay_shared::ids::{AgentId, AgentToolId};
use patchbay_shared::zone::stamp;
use patchbay_shared::{AppError, Reason};
use patchbay_workspaces::server as workspaces;

/// Begins the name of the box of one function.
const BOX: &str = "mark_";

/// Whether something that was chosen is not offered in these words.
pub(crate) fn differs(chosen: &[Offered], offered: &[Offered]) -> bool {
    chosen.iter().any(|one| !offered.contains(one))
}

/// What the page of a tool shows. None: its functions come from no server.
pub(crate) async fn shown(tx: &mut ReadTx, tool: &Stored) -> Result<Option<Offers>, AppError> {
    let ToolConfig::Mcp(config) = &tool.config else { return Ok(None) };
    let known = offers::get(tx, tool.id).await?;
    let (now, zone) = (tx.now().await?, tx.scope().zone());
    let asked = known.as_ref().map(|(_, at)| stamp(*at, now, zone));
    let offered = known.map(|(offered, _)| offered).unwrap_or_default();
    let gone = config.chosen.iter().filter(|one| offered.iter().all(|other| other.name != one.name));
    let rows = offered
        .iter()
        .map(|one| row(tool, config, one))
        .chain(gone.map(|one| OfferRow { state: OfferState::Gone, ..row(tool, config, one) }));
    Ok(Some(Offers { asked, rows: rows.collect() }))
}

fn row(tool: &Stored, config: &Mcp, one: &Offered) -> OfferRow {
    let text = |offered: &Offered| serde_json::to_string_pretty(&offered.parameters).unwrap_or_default();
    let former = config.chosen.iter().find(|former| former.name == one.name);
    let unfit = schema::check(&one.parameters).err();
    let state = match former {
        Some(former) if former == one => OfferState::Chosen,
        Some(_) => OfferState::Changed,
        None if unfit.is_some() => OfferState::Unfit,
        None => OfferState::New,
    };
    OfferRow {
        mark: mark(one),
        name: one.name.clone(),
        called: offered_name(&tool.name, &one.name),
        description: one.description.clone(),
        schema: text(one),
        was: former.filter(|former| *former != one).map(|former| (former.description.clone(), text(former))),
        state,
        unfit,
    }
}

/// Stands for a function with exactly these words.
fn mark(one: &Offered) -> String {
    let mut hash = Sha256::new();
    for part in [one.name.as_str(), one.description.as_str(), one.parameters.to_string().as_str()] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

fn no_server() -> AppError {
    AppError::invalid("", "This tool takes its functions from no server, so there is nothing to list or to choose.")
}

/// Asks the server what it offers, and writes that down. Errors: `Invalid` with what went wrong.
pub(crate) async fn ask(scope: &Scope, agent: AgentId, id: AgentToolId) -> Result<(), AppError> {
    let mut tx = scope.write(Action::ManageAgents).await?;
    editable(&mut tx, agent).await?;
    let tool = store::get(tx.reading(), agent, id).await?;
    let ToolConfig::Mcp(config) = &tool.config else { return Err(no_server()) };
    if workspaces::is_suspended(tx.reading()).await? {
        let text = "The agency’s account is suspended: nothing outside is asked until it is active again.";
        return Err(AppError::Conflict(Reason::Suspended, text.to_owned()));
    }
    // Who asked, even when the server says nothing.
    record(&mut tx, "functions asked for", id, Fields::Happened(json!({ "agent": agent, "name": tool.name }))).await?;
    tx.commit().await?;
    let offered = mcp::offered(scope, id, tool.sealed.as_deref(), config).await.map_err(|trouble| {
        let text = format!("Nothing could be listed: {trouble}. Check the address and the headers, and ask again.");
        AppError::invalid("", text)
    })?;
    let mut tx = scope.write(Action::ManageAgents).await?;
    store::lock(&mut tx, agent, id).await?;
    // What is stored may be another choice by now.
    let now = store::get(tx.reading(), agent, id).await?;
    if let ToolConfig::Mcp(now) = &now.config
        && now.address == config.address
    {
        offers::set(&mut tx, id, &offered, differs(&now.chosen, &offered)).await?;
        tx.notify(super::ops::topic(agent), None);
        tx.commit().await?;
    }
    Ok(())
}

/// Chooses what of it the agent may use: what is ticked, in the words that the page showed. Errors: `Invalid`, `Conflict` when the list has
/// changed meanwhile.
pub(crate) async fn choose(tx: &mut WriteTx, form: &ChoiceForm) -> Result<(), AppError> {
    let (agent, id) = (form.agent.parse()?, form.id.parse()?);
    let agent = editable(tx, agent).await?;
    changed(tx, agent).await?;
    store::lock_all(tx, agent).await?;
    let all = store::list(tx.reading(), agent).await?;
    let tool = all.iter().find(|tool| tool.id == id).ok_or(AppError::NotFound)?;
    let ToolConfig::Mcp(config) = &tool.config else { return Err(no_server()) };
    let offered = offers::get(tx.reading(), id).await?.map(|(offered, _)| offered).unwrap_or_default();
    let ticked = form.values.iter().filter(|(_, value)| !value.trim().is_empty());
    let marks: BTreeSet<&str> = ticked.filter_map(|(name, _)| name.strip_prefix(BOX)).collect();
    let chosen: Vec<Offered> = offered.into_iter().filter(|one| marks.contains(mark(one).as_str())).collect();
    if chosen.len() != marks.len() {
        let text = "The server’s list has changed since this page was shown. Look at it again, then choose.";
        return Err(AppError::Conflict(Reason::WrongState, text.to_owned()));
    }
    if let Some((one, why)) = chosen.iter().find_map(|one| Some((one, schema::check(&one.parameters).err()?))) {
        return Err(AppError::invalid("", format!("{} cannot be used: {why}", one.name)));
    }
    let others = all.iter().filter(|tool| tool.id != id);
    let taken: BTreeSet<String> = others
        .flat_map(|tool| tool.config.functions(&tool.name, &tool.description))
        .map(|function| function.name)
        .collect();
    if taken.len() + chosen.len() > MOST_TOOLS {
        let text = format!(
            "With these the agent would have {} functions. It has at most {MOST_TOOLS}: with more, models choose badly.",
            taken.len() + chosen.len()
        );
        return Err(AppError::invalid("", text));
    }
    let mut names = taken;
    for one in &chosen {
        let name = offered_name(&tool.name, &one.name);
        if !names.insert(name.clone()) {
            let text = format!("The agent has a function named {name} already. Give this server another name first.");
            return Err(AppError::invalid("", text));
        }
    }
    if chosen == config.chosen {
        return Ok(());
    }
    let config = ToolConfig::Mcp(Mcp { chosen, ..config.clone() });
    let written =
        Written { name: &tool.name, description: &tool.description, config: &config, sealed: tool.sealed.as_deref() };
    store::update(tx, id, &written).await?;
    offers::accepted(tx, id).await?;
    let facts = |config: &ToolConfig| json!({ "agent": agent, "name": tool.name, "config": config });
    record(tx, "functions chosen", id, Fields::Changed { before: facts(&tool.config), after: facts(&config) }).await
}
