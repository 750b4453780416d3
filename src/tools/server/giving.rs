//! Tools of one agent that another one is given, when an agent is made from a template. What belongs to a client stays with that client:
//! keys and addresses of a client's agent, and a client's documents.

use serde_json::json;

use super::kinds;
use super::ops::{self, record};
use super::store::giving::{Owned, by_ids};
use super::store::{self, Written};
use crate::model::ToolConfig;
use patchbay_access::server::{Fields, ReadTx, WriteTx};
use patchbay_knowledge::model::CollectionChoice;
use patchbay_shared::AppError;
use patchbay_shared::ids::{AgentId, AgentToolId, ClientId};

/// A tool as a template names it.
pub type Named = (AgentToolId, String);

/// The tools that an agent uses, in their order.
pub async fn of_agent(tx: &mut ReadTx, agent: AgentId) -> Result<Vec<Named>, AppError> {
    let tools = store::list(tx, agent).await?.into_iter().filter(|tool| tool.is_active);
    Ok(tools.map(|tool| (tool.id, tool.name)).collect())
}

/// What keeps each of these tools from being given, in sentences. None of them: it is given to everybody.
pub async fn limits(tx: &mut ReadTx, tools: &[Named]) -> Result<Vec<Vec<String>>, AppError> {
    let (owned, all) = found(tx, tools).await?;
    let limits = tools.iter().map(|(id, _)| {
        let Some(tool) = owned.iter().find(|tool| tool.stored.id == *id) else { return vec![GONE.to_owned()] };
        if let Some(why) = gone(tool) {
            return vec![why.to_owned()];
        }
        let mut limits = Vec::new();
        if let Some((_, client)) = tool.client.as_ref().filter(|_| is_of_agent(tool)) {
            limits.push(format!("Only for agents of {client}: it holds addresses, numbers or keys of this client."));
        }
        if let ToolConfig::Knowledge(knowledge) = &tool.stored.config {
            let own = all.iter().filter(|one| knowledge.collections.contains(&one.id) && one.client.is_some());
            limits.extend(own.map(|one| format!("The collection “{}” goes to its own client only.", one.name)));
        }
        limits
    });
    Ok(limits.collect())
}

const GONE: &str = "It was removed from the agent that the template was made of.";

/// Gives an agent of one client copies of these tools, in the order of the template, in the transaction that makes the agent. Gives what
/// was left out, in sentences.
pub async fn give(
    tx: &mut WriteTx,
    tools: &[Named],
    agent: AgentId,
    client: ClientId,
) -> Result<Vec<String>, AppError> {
    let (owned, all) = found(tx.reading(), tools).await?;
    let mut left_out = Vec::new();
    for (id, name) in tools {
        let mut leave = |why: &str| left_out.push(format!("The tool {name}. {why}"));
        let Some(tool) = owned.iter().find(|tool| tool.stored.id == *id) else {
            leave(GONE);
            continue;
        };
        if let Some(why) = gone(tool) {
            leave(why);
            continue;
        }
        let other = tool.client.as_ref().filter(|(owner, _)| *owner != client && is_of_agent(tool));
        if let Some((_, owner)) = other {
            leave(&format!("It holds addresses, numbers or keys of {owner}."));
            continue;
        }
        let mut config = tool.stored.config.clone();
        if let ToolConfig::Knowledge(knowledge) = &mut config {
            let fits = |id| all.iter().any(|one| one.id == id && one.client.is_none_or(|owner| owner == client));
            let before = knowledge.collections.len();
            knowledge.collections.retain(|id| fits(*id));
            if knowledge.collections.is_empty() {
                leave("Its documents belong to another client, or were deleted.");
                continue;
            }
            if knowledge.collections.len() < before {
                let lacking = before - knowledge.collections.len();
                left_out.push(format!(
                    "Documents of the tool {name}: {lacking} of {before} collections belong to another client, or were deleted."
                ));
            }
        }
        copy(tx, tool, config, agent).await?;
    }
    Ok(left_out)
}

async fn copy(tx: &mut WriteTx, from: &Owned, config: ToolConfig, agent: AgentId) -> Result<(), AppError> {
    let (tool, id) = (&from.stored, AgentToolId::new());
    // Secrets are sealed for their row alone.
    let secrets = kinds::open(tx.scope(), tool.id, tool.sealed.as_deref())?;
    let sealed = kinds::seal(tx.scope(), id, &secrets)?;
    let written =
        Written { name: &tool.name, description: &tool.description, config: &config, sealed: sealed.as_deref() };
    store::insert(tx, agent, id, &written).await?;
    let mut after = json!({ "agent": agent, "name": tool.name, "description": tool.description, "config": config });
    if !secrets.is_empty() {
        after["secrets of the tool"] = json!(tool.id);
    }
    record(tx, "created", id, Fields::Created(after)).await?;
    tx.notify(ops::topic(agent), None);
    Ok(())
}

async fn found(tx: &mut ReadTx, tools: &[Named]) -> Result<(Vec<Owned>, Vec<CollectionChoice>), AppError> {
    let ids: Vec<AgentToolId> = tools.iter().map(|(id, _)| *id).collect();
    let owned = by_ids(tx, &ids).await?;
    let named = owned.iter().flat_map(|tool| match &tool.stored.config {
        ToolConfig::Knowledge(knowledge) => knowledge.collections.clone(),
        _ => Vec::new(),
    });
    let collections = patchbay_knowledge::server::collections_by_ids(tx, &named.collect::<Vec<_>>()).await?;
    Ok((owned, collections))
}

/// Why a tool cannot be given to anybody.
fn gone(tool: &Owned) -> Option<&'static str> {
    match (tool.is_removed, tool.agent_is_deleted, tool.stored.is_active) {
        (true, ..) => Some(GONE),
        (_, true, _) => Some("The agent that the template was made of was deleted."),
        (.., false) => Some("It is switched off at the agent that the template was made of."),
        _ => None,
    }
}

/// Whether it holds something of whoever its agent works for: an address outside, keys, whom to write to, or whom to ring.
fn is_of_agent(tool: &Owned) -> bool {
    // Every kind is named, so that a new one is thought about.
    let is_own = match &tool.stored.config {
        ToolConfig::Http(_)
        | ToolConfig::Mcp(_)
        | ToolConfig::WebSearch(_)
        | ToolConfig::Calendar(_)
        | ToolConfig::Transfer(_)
        | ToolConfig::Team(_) => true,
        ToolConfig::SendEmail(email) => !email.addresses.is_empty(),
        ToolConfig::ContactLookup(_)
        | ToolConfig::ContactUpdate(_)
        | ToolConfig::ContactMemory(_)
        | ToolConfig::Keypad(_)
        | ToolConfig::EndCall(_)
        | ToolConfig::Voicemail(_)
        | ToolConfig::TextMessage(_)
        | ToolConfig::Knowledge(_) => false,
    };
    is_own || tool.stored.sealed.is_some()
}
