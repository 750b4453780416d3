//! Which agents have which skills, and what the skills miss there.

use std::collections::BTreeSet;

use serde_json::json;

use super::store::{self, Stored, attached};
use super::{ops, told};
use crate::model::{AgentSkill, AgentSkillsPage, MOST_OF_AGENT};
use patchbay_access::Action;
use patchbay_access::server::{Fields, ReadTx, WriteTx};
use patchbay_shared::ids::{AgentId, SkillId};
use patchbay_shared::{AppError, Reason};
use patchbay_tools::server::for_agent;

/// An agent's skills, and what it is told. Errors: `NotFound`.
pub(crate) async fn page(tx: &mut ReadTx, agent: AgentId) -> Result<AgentSkillsPage, AppError> {
    let head = attached::agent(tx, agent).await?;
    let has = functions(tx, agent).await?;
    let rows = attached::list(tx, agent).await?.into_iter().map(|row| AgentSkill {
        missing: row.allowed_tools.into_iter().filter(|tool| !has.contains(tool)).collect(),
        id: row.skill,
        name: row.name,
        description: row.description,
        characters: row.characters,
        is_active: row.is_active,
    });
    let may_edit = tx.scope().may(Action::ManageAgents) && head.is_active;
    Ok(AgentSkillsPage {
        skills: rows.collect(),
        others: if may_edit { attached::others(tx, agent).await? } else { Vec::new() },
        told: told(tx, agent).await?,
        may_edit,
        agent: head,
    })
}

/// Tools that a skill names and an agent has not.
pub(crate) async fn missing(tx: &mut ReadTx, agent: AgentId, tools: &[String]) -> Result<Vec<String>, AppError> {
    if tools.is_empty() {
        return Ok(Vec::new());
    }
    let has = functions(tx, agent).await?;
    Ok(tools.iter().filter(|tool| !has.contains(*tool)).cloned().collect())
}

async fn functions(tx: &mut ReadTx, agent: AgentId) -> Result<BTreeSet<String>, AppError> {
    Ok(for_agent(tx, agent).await?.into_iter().map(|tool| tool.name).collect())
}

/// The same by what a form sent. Errors also: `Invalid` when nothing was chosen.
pub(crate) async fn attach_chosen(tx: &mut WriteTx, agent: &str, skill: &str) -> Result<(), AppError> {
    let agent: AgentId = agent.parse().map_err(|_| AppError::invalid("agent", "Choose an agent."))?;
    let skill: SkillId = skill.parse().map_err(|_| AppError::invalid("skill", "Choose a skill."))?;
    attach(tx, agent, skill).await
}

/// Back to the page that asked.
pub(crate) fn back(from: Option<&str>, agent: &str, skill: &str) -> String {
    match from {
        Some("skill") => format!("/skills/{skill}"),
        _ => format!("/agents/{agent}/skills"),
    }
}

/// Gives an agent a skill. Nothing to do when it has it. Errors: `NotFound`; `Invalid`; `Conflict`.
pub(crate) async fn attach(tx: &mut WriteTx, agent: AgentId, skill: SkillId) -> Result<(), AppError> {
    let stored = held(tx, agent, skill).await?;
    if !stored.is_active {
        return Err(AppError::Conflict(Reason::WrongState, "This skill is deactivated. Restore it first.".to_owned()));
    }
    if attached::list(tx.reading(), agent).await?.iter().any(|row| row.skill == skill) {
        return Ok(());
    }
    // The agent is held before a row names it: two people who add skills wait for each other, and neither adds one too many.
    changed(tx, agent, skill).await?;
    if !attached::attach(tx, agent, skill).await? {
        return Ok(());
    }
    ops::record(tx, "attached", skill, turned(agent, &stored, true)).await?;
    ops::check_told(tx, agent).await?;
    if attached::list(tx.reading(), agent).await?.len() > MOST_OF_AGENT {
        return Err(AppError::invalid("skill", format!("An agent has at most {MOST_OF_AGENT} skills.")));
    }
    Ok(())
}

/// Takes a skill from an agent. Nothing to do when it has it not. Errors: `NotFound`.
pub(crate) async fn detach(tx: &mut WriteTx, agent: AgentId, skill: SkillId) -> Result<(), AppError> {
    let stored = held(tx, agent, skill).await?;
    if !attached::detach(tx, agent, skill).await? {
        return Ok(());
    }
    ops::record(tx, "detached", skill, turned(agent, &stored, false)).await?;
    changed(tx, agent, skill).await
}

/// Moves a skill of an agent one place up or down. Errors: `NotFound`.
pub(crate) async fn shift(tx: &mut WriteTx, agent: AgentId, skill: SkillId, to: &str) -> Result<(), AppError> {
    let stored = held(tx, agent, skill).await?;
    // Holds the agent, so that two people who move its skills wait for each other.
    changed(tx, agent, skill).await?;
    let mut all = attached::list(tx.reading(), agent).await?;
    let place = all.iter().position(|row| row.skill == skill).ok_or(AppError::NotFound)?;
    let other = match to {
        "up" => place.checked_sub(1),
        "down" => Some(place + 1).filter(|other| *other < all.len()),
        _ => return Err(AppError::invalid("to", "A skill is moved up or down.")),
    };
    // The first one stays the first one.
    let Some(other) = other else { return Ok(()) };
    all.swap(place, other);
    for (index, row) in (1..).zip(&all) {
        if row.position != index {
            attached::set_position(tx, row.row, index).await?;
        }
    }
    let at = |place: usize| json!({ "agent": agent, "name": stored.text.name, "place": place + 1 });
    ops::record(tx, "moved", skill, Fields::Changed { before: at(place), after: at(other) }).await
}

/// Holds the skill: before its agents, as everywhere. Errors: `NotFound`; `Conflict` of an agent that was deleted.
async fn held(tx: &mut WriteTx, agent: AgentId, skill: SkillId) -> Result<Stored, AppError> {
    let head = attached::agent(tx.reading(), agent).await?;
    store::lock(tx, skill).await?;
    if !head.is_active {
        let text = "This agent was deleted. An owner can restore it first.";
        return Err(AppError::Conflict(Reason::WrongState, text.to_owned()));
    }
    store::get(tx.reading(), skill).await
}

async fn changed(tx: &mut WriteTx, agent: AgentId, skill: SkillId) -> Result<(), AppError> {
    ops::notify(tx, skill);
    ops::agent_changed(tx, agent).await
}

fn turned(agent: AgentId, skill: &Stored, now: bool) -> Fields {
    let state = |has: bool| json!({ "agent": agent, "name": skill.text.name, "attached": has });
    Fields::Changed { before: state(!now), after: state(now) }
}
