//! Which agents have which skills.

use std::collections::BTreeMap;

use sqlx::types::Json;
use uuid::Uuid;

use super::text;
use crate::model::{SkillAgent, SkillFile, SkillText};
use patchbay_access::server::{ReadTx, WriteTx};
use patchbay_shared::AppError;
use patchbay_shared::ids::{AgentId, SkillId};

/// An agent's name and state (the agents' table: read for display, and to know that it is there). Errors: `NotFound`.
pub(crate) async fn agent(tx: &mut ReadTx, id: AgentId) -> Result<SkillAgent, AppError> {
    let row = sqlx::query!(
        "select name, is_active from agents where workspace_id = $1 and id = $2",
        tx.workspace_uuid(),
        id.0
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(SkillAgent { id, name: row.name, is_active: row.is_active, missing: Vec::new() })
}

/// Agents that have a skill, and with `others` those that can be given it.
pub(crate) async fn agents(tx: &mut ReadTx, skill: SkillId, others: bool) -> Result<Vec<SkillAgent>, AppError> {
    let rows = sqlx::query!(
        r#"select a.id as "id: AgentId", a.name, a.is_active from agents a
           where a.workspace_id = $1 and (not $3 or a.is_active)
             and exists (select from agent_skills k where k.workspace_id = $1 and k.agent_id = a.id and k.skill_id = $2) <> $3
           order by a.name, a.id limit 500"#,
        tx.workspace_uuid(),
        skill.0,
        others
    )
    .fetch_all(tx.conn())
    .await?;
    let agents = rows.into_iter().map(|row| SkillAgent {
        id: row.id,
        name: row.name,
        is_active: row.is_active,
        missing: Vec::new(),
    });
    Ok(agents.collect())
}

/// The agents that have one of these skills, in the order in which they are locked.
pub(crate) async fn ids(tx: &mut ReadTx, skills: &[SkillId]) -> Result<Vec<AgentId>, AppError> {
    let skills: Vec<Uuid> = skills.iter().map(|id| id.0).collect();
    Ok(sqlx::query_scalar!(
        r#"select distinct agent_id as "id: AgentId" from agent_skills where workspace_id = $1 and skill_id = any($2) order by 1"#,
        tx.workspace_uuid(),
        &skills
    )
    .fetch_all(tx.conn())
    .await?)
}

/// How many agents have each of these skills; those that none has are left out.
pub(crate) async fn counts(tx: &mut ReadTx, skills: &[SkillId]) -> Result<BTreeMap<SkillId, i64>, AppError> {
    let skills: Vec<Uuid> = skills.iter().map(|id| id.0).collect();
    let rows = sqlx::query!(
        r#"select skill_id as "id: SkillId", count(*) as "agents!" from agent_skills
           where workspace_id = $1 and skill_id = any($2) group by skill_id"#,
        tx.workspace_uuid(),
        &skills
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(|row| (row.id, row.agents)).collect())
}

/// A skill of an agent.
pub(crate) struct Attached {
    pub row: Uuid,
    pub skill: SkillId,
    pub name: String,
    pub description: String,
    pub allowed_tools: Vec<String>,
    pub characters: i32,
    pub position: i32,
    pub is_active: bool,
}

/// The skills of an agent, in their order.
pub(crate) async fn list(tx: &mut ReadTx, agent: AgentId) -> Result<Vec<Attached>, AppError> {
    Ok(sqlx::query_as!(
        Attached,
        r#"select k.id as "row", k.skill_id as "skill: SkillId", s.name, s.description, s.allowed_tools, s.characters, k.position, s.is_active
           from agent_skills k join skills s on s.workspace_id = $1 and s.id = k.skill_id
           where k.workspace_id = $1 and k.agent_id = $2 order by k.position, k.id"#,
        tx.workspace_uuid(),
        agent.0
    )
    .fetch_all(tx.conn())
    .await?)
}

/// The texts that an agent is told, in their order.
pub(crate) async fn texts(tx: &mut ReadTx, agent: AgentId) -> Result<Vec<SkillText>, AppError> {
    let rows = sqlx::query!(
        r#"select s.name, s.description, s.instructions, s.category, s.license, s.metadata as "metadata: Json<BTreeMap<String, String>>",
                  s."references" as "references: Json<Vec<SkillFile>>", s.scripts as "scripts: Json<Vec<SkillFile>>", s.allowed_tools, s.tags
           from agent_skills k join skills s on s.workspace_id = $1 and s.id = k.skill_id
           where k.workspace_id = $1 and k.agent_id = $2 and s.is_active order by k.position, k.id"#,
        tx.workspace_uuid(),
        agent.0
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(|row| text!(row)).collect())
}

/// Active skills that an agent has not, for the picker.
pub(crate) async fn others(tx: &mut ReadTx, agent: AgentId) -> Result<Vec<(SkillId, String)>, AppError> {
    let rows = sqlx::query!(
        r#"select s.id as "id: SkillId", s.name from skills s
           where s.workspace_id = $1 and s.is_active
             and not exists (select from agent_skills k where k.workspace_id = $1 and k.agent_id = $2 and k.skill_id = s.id)
           order by s.name limit 500"#,
        tx.workspace_uuid(),
        agent.0
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(|row| (row.id, row.name)).collect())
}

/// Gives an agent a skill, behind those that it has. False: it has it already.
pub(crate) async fn attach(tx: &mut WriteTx, agent: AgentId, skill: SkillId) -> Result<bool, AppError> {
    let done = sqlx::query!(
        "insert into agent_skills (workspace_id, id, agent_id, skill_id, position)
         select $1, $2, $3, $4, coalesce(max(k.position), 0) + 1 from agent_skills k where k.workspace_id = $1 and k.agent_id = $3
         on conflict (workspace_id, agent_id, skill_id) do nothing",
        tx.workspace_uuid(),
        Uuid::now_v7(),
        agent.0,
        skill.0
    )
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Takes a skill from an agent. False: it had it not.
pub(crate) async fn detach(tx: &mut WriteTx, agent: AgentId, skill: SkillId) -> Result<bool, AppError> {
    let done = sqlx::query!(
        "delete from agent_skills where workspace_id = $1 and agent_id = $2 and skill_id = $3",
        tx.workspace_uuid(),
        agent.0,
        skill.0
    )
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected() == 1)
}

pub(crate) async fn set_position(tx: &mut WriteTx, row: Uuid, position: i32) -> Result<(), AppError> {
    sqlx::query!(
        "update agent_skills set position = $3 where workspace_id = $1 and id = $2",
        tx.workspace_uuid(),
        row,
        position
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}
