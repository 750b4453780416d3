//! What a job can be made of by hand, and an agent as it is now.

use std::collections::BTreeMap;

use sqlx::types::Json;
use uuid::Uuid;

use crate::model::{EngineConfig, EngineType, TargetType};
use patchbay_access::server::ReadTx;
use patchbay_shared::AppError;
use patchbay_shared::ids::{AgentId, ClientId, EngineId, PromptId, SkillId, TargetId};
use patchbay_skills::model::{SkillFile, SkillText};

/// Active engines, the default one first.
pub(crate) async fn engines(tx: &mut ReadTx) -> Result<Vec<(String, String)>, AppError> {
    let rows = sqlx::query!(
        r#"select id, name, type as "kind: EngineType" from execution_engines where workspace_id = $1 and is_active
           order by is_default desc, name, id limit 300"#,
        tx.workspace_uuid()
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(|row| (row.id.to_string(), format!("{} · {}", row.name, row.kind.label()))).collect())
}

/// Active targets.
pub(crate) async fn targets(tx: &mut ReadTx) -> Result<Vec<(String, String)>, AppError> {
    let rows = sqlx::query!(
        r#"select id, name, type as "kind: TargetType", worker_pool as pool from execution_targets
           where workspace_id = $1 and is_active order by name, id limit 300"#,
        tx.workspace_uuid()
    )
    .fetch_all(tx.conn())
    .await?;
    let named = rows.into_iter().map(|row| {
        let words = format!("{} · {} · pool {}", row.name, row.kind.label(), row.pool);
        (row.id.to_string(), words)
    });
    Ok(named.collect())
}

/// Active agents.
pub(crate) async fn agents(tx: &mut ReadTx) -> Result<Vec<(String, String)>, AppError> {
    let rows = sqlx::query!(
        r#"select a.id, a.name, c.name as "client?" from agents a left join clients c on c.workspace_id = $1 and c.id = a.client_id
           where a.workspace_id = $1 and a.is_active and coalesce(c.status <> 'archived', true) order by a.name, a.id limit 500"#,
        tx.workspace_uuid()
    )
    .fetch_all(tx.conn())
    .await?;
    let named = rows.into_iter().map(|row| {
        let words = row.client.map_or_else(|| row.name.clone(), |client| format!("{} · {client}", row.name));
        (row.id.to_string(), words)
    });
    Ok(named.collect())
}

/// Scripts of active skills: `<skill>/<name>` and words.
pub(crate) async fn scripts(tx: &mut ReadTx) -> Result<Vec<(String, String)>, AppError> {
    let rows = sqlx::query!(
        r#"select s.id, s.name, f ->> 'name' as "file!" from skills s, jsonb_array_elements(s.scripts) f
           where s.workspace_id = $1 and s.is_active and f ->> 'name' is not null order by s.name, 3 limit 500"#,
        tx.workspace_uuid()
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| (format!("{}/{}", row.id, row.file), format!("{} · {}", row.name, row.file)))
        .collect())
}

/// An active engine: its name and how it works. Errors: `NotFound`.
pub(crate) async fn engine(tx: &mut ReadTx, id: EngineId) -> Result<(String, EngineConfig), AppError> {
    let row = sqlx::query!(
        r#"select name, handler_config as "config: Json<EngineConfig>" from execution_engines
           where workspace_id = $1 and id = $2 and is_active"#,
        tx.workspace_uuid(),
        id.0
    )
    .fetch_one(tx.conn())
    .await?;
    Ok((row.name, row.config.0))
}

/// Whether there is such an active target.
pub(crate) async fn has_target(tx: &mut ReadTx, id: TargetId) -> Result<bool, AppError> {
    Ok(sqlx::query_scalar!(
        r#"select exists (select from execution_targets where workspace_id = $1 and id = $2 and is_active) as "is_there!""#,
        tx.workspace_uuid(),
        id.0
    )
    .fetch_one(tx.conn())
    .await?)
}

/// What a snapshot of an agent begins with.
pub(crate) struct Agent {
    pub name: String,
    pub client: Option<ClientId>,
    pub is_active: bool,
    pub is_archived: bool,
    pub prompt: Option<PromptId>,
    pub temperature: Option<f64>,
}

/// Errors: `NotFound`.
pub(crate) async fn agent(tx: &mut ReadTx, id: AgentId) -> Result<Agent, AppError> {
    Ok(sqlx::query_as!(
        Agent,
        r#"select a.name, a.client_id as "client: ClientId", a.is_active, coalesce(c.status = 'archived', false) as "is_archived!",
                  a.prompt_service_id as "prompt: PromptId", (a.config ->> 'temperature')::float8 as temperature
           from agents a left join clients c on c.workspace_id = $1 and c.id = a.client_id
           where a.workspace_id = $1 and a.id = $2"#,
        tx.workspace_uuid(),
        id.0
    )
    .fetch_one(tx.conn())
    .await?)
}

/// The active skills of an agent in its order, then these others, each once.
pub(crate) async fn skills(
    tx: &mut ReadTx,
    agent: Option<AgentId>,
    others: &[SkillId],
) -> Result<Vec<(SkillId, SkillText)>, AppError> {
    let others: Vec<Uuid> = others.iter().map(|id| id.0).collect();
    let rows = sqlx::query!(
        r#"select s.id as "id: SkillId", s.name, s.description, s.instructions, s.category, s.license,
                  s.metadata as "metadata: Json<BTreeMap<String, String>>", s."references" as "references: Json<Vec<SkillFile>>",
                  s.scripts as "scripts: Json<Vec<SkillFile>>", s.allowed_tools, s.tags
           from skills s
           left join agent_skills k on k.workspace_id = $1 and k.skill_id = s.id and k.agent_id = $2
           where s.workspace_id = $1 and s.is_active and (k.id is not null or s.id = any($3))
           order by k.position nulls last, s.name, s.id"#,
        tx.workspace_uuid(),
        agent.map(|id| id.0),
        &others
    )
    .fetch_all(tx.conn())
    .await?;
    let skills = rows.into_iter().map(|row| {
        let text = SkillText {
            name: row.name,
            description: row.description,
            instructions: row.instructions,
            category: row.category,
            license: row.license,
            metadata: row.metadata.0,
            references: row.references.0,
            scripts: row.scripts.0,
            allowed_tools: row.allowed_tools,
            tags: row.tags,
        };
        (row.id, text)
    });
    Ok(skills.collect())
}
