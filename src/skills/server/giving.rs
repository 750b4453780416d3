//! Skills of one agent that another one is given, when an agent is made from a template.

use super::ops;
use super::store::{self, attached};
use patchbay_access::server::{Fields, ReadTx, WriteTx};
use patchbay_shared::AppError;
use patchbay_shared::ids::{AgentId, SkillId};
use serde_json::json;

/// A skill as a template names it.
pub type Named = (SkillId, String);

/// The skills that an agent is told, in their order.
pub async fn of_agent(tx: &mut ReadTx, agent: AgentId) -> Result<Vec<Named>, AppError> {
    let skills = attached::list(tx, agent).await?.into_iter().filter(|skill| skill.is_active);
    Ok(skills.map(|skill| (skill.skill, skill.name)).collect())
}

/// Which of these skills are deactivated now.
pub async fn inactive(tx: &mut ReadTx, skills: &[Named]) -> Result<Vec<SkillId>, AppError> {
    let ids: Vec<SkillId> = skills.iter().map(|(id, _)| *id).collect();
    store::inactive(tx, &ids).await
}

/// Holds these skills until the commit, in a fixed order: before anything is written into the audit log, and before agents.
pub async fn hold(tx: &mut WriteTx, skills: &[Named]) -> Result<(), AppError> {
    let mut ids: Vec<SkillId> = skills.iter().map(|(id, _)| *id).collect();
    ids.sort_unstable();
    for id in ids {
        store::lock(tx, id).await?;
    }
    Ok(())
}

/// Gives an agent these skills, which are held, in the transaction that makes the agent. Gives what was left out, in sentences.
/// Errors: `Invalid` when it would be told too much.
pub async fn give(tx: &mut WriteTx, skills: &[Named], agent: AgentId) -> Result<Vec<String>, AppError> {
    let inactive = inactive(tx.reading(), skills).await?;
    let mut left_out = Vec::new();
    for (id, name) in skills {
        if inactive.contains(id) {
            left_out.push(format!("The skill {name}. It is deactivated."));
            continue;
        }
        if attached::attach(tx, agent, *id).await? {
            let state = |has: bool| json!({ "agent": agent, "name": name, "attached": has });
            ops::record(tx, "attached", *id, Fields::Changed { before: state(false), after: state(true) }).await?;
            ops::notify(tx, *id);
        }
    }
    ops::check_told(tx, agent).await?;
    Ok(left_out)
}
