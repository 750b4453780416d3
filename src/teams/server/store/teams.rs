//! Statements about teams, their members and versions, and what of others a team is checked against.

use sqlx::types::Json;
use uuid::Uuid;

use crate::model::{MemberSnapshot, TeamFields, TeamMode, TeamSettings, TeamSnapshot};
use patchbay_access::server::{ReadTx, WriteTx};
use patchbay_shared::AppError;
use patchbay_shared::ids::{AgentId, ClientId, EngineId, SkillId, TargetId, TeamAgentId, TeamId};

/// A team as it is now.
#[derive(Debug, Clone)]
pub(crate) struct Team {
    pub id: TeamId,
    pub fields: TeamFields,
    pub client_name: Option<String>,
    /// Of its client.
    pub is_archived: bool,
    pub revision: i32,
    pub is_active: bool,
}

/// Errors: `NotFound`.
pub(crate) async fn get(tx: &mut ReadTx, id: TeamId) -> Result<Team, AppError> {
    let row = sqlx::query!(
        r#"select t.name, t.description, t.mode as "mode: TeamMode", t.client_id as "client: ClientId", c.name as "client_name?",
                  coalesce(c.status = 'archived', false) as "is_archived!", t.settings as "settings: Json<TeamSettings>", t.revision,
                  t.is_active
           from teams t left join clients c on c.workspace_id = $1 and c.id = t.client_id
           where t.workspace_id = $1 and t.id = $2"#,
        tx.workspace_uuid(),
        id.0
    )
    .fetch_one(tx.conn())
    .await?;
    let fields = TeamFields {
        name: row.name,
        description: row.description,
        mode: row.mode,
        client: row.client,
        settings: row.settings.0,
    };
    Ok(Team {
        id,
        fields,
        client_name: row.client_name,
        is_archived: row.is_archived,
        revision: row.revision,
        is_active: row.is_active,
    })
}

/// Holds a team, so that whoever else changes or asks it waits. Errors: `NotFound`.
pub(crate) async fn lock(tx: &mut WriteTx, id: TeamId) -> Result<Team, AppError> {
    sqlx::query_scalar!(
        "select id from teams where workspace_id = $1 and id = $2 for no key update",
        tx.workspace_uuid(),
        id.0
    )
    .fetch_one(tx.conn())
    .await?;
    get(tx.reading(), id).await
}

/// Teams that are not deactivated.
pub(crate) async fn count(tx: &mut ReadTx) -> Result<i64, AppError> {
    Ok(sqlx::query_scalar!(
        r#"select count(*) as "count!" from teams where workspace_id = $1 and is_active"#,
        tx.workspace_uuid()
    )
    .fetch_one(tx.conn())
    .await?)
}

/// Whether another active team has the name.
pub(crate) async fn is_name_taken(tx: &mut ReadTx, name: &str, but: Option<TeamId>) -> Result<bool, AppError> {
    Ok(sqlx::query_scalar!(
        r#"select exists (select from teams where workspace_id = $1 and is_active and lower(name) = lower($2)
                            and ($3::uuid is null or id <> $3)) as "taken!""#,
        tx.workspace_uuid(),
        name,
        but.map(|id| id.0)
    )
    .fetch_one(tx.conn())
    .await?)
}

pub(crate) async fn insert(tx: &mut WriteTx, id: TeamId, fields: &TeamFields) -> Result<(), AppError> {
    sqlx::query!(
        "insert into teams (workspace_id, id, name, description, mode, client_id, settings)
         values ($1, $2, $3, $4, $5, $6, $7)",
        tx.workspace_uuid(),
        id.0,
        fields.name,
        fields.description,
        fields.mode.as_str(),
        fields.client.map(|id| id.0),
        Json(&fields.settings) as _,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

pub(crate) async fn update(tx: &mut WriteTx, id: TeamId, fields: &TeamFields, revision: i32) -> Result<(), AppError> {
    sqlx::query!(
        "update teams set name = $3, description = $4, mode = $5, client_id = $6, settings = $7, revision = $8, updated_at = now()
         where workspace_id = $1 and id = $2",
        tx.workspace_uuid(),
        id.0,
        fields.name,
        fields.description,
        fields.mode.as_str(),
        fields.client.map(|id| id.0),
        Json(&fields.settings) as _,
        revision,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

pub(crate) async fn set_active(tx: &mut WriteTx, id: TeamId, on: bool) -> Result<(), AppError> {
    sqlx::query!(
        "update teams set is_active = $3, updated_at = now() where workspace_id = $1 and id = $2",
        tx.workspace_uuid(),
        id.0,
        on
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// A member of a team.
#[derive(Debug, Clone)]
pub(crate) struct Member {
    pub id: TeamAgentId,
    pub agent: AgentId,
    pub role: String,
    pub place: i32,
}

/// In their order.
pub(crate) async fn members(tx: &mut ReadTx, team: TeamId) -> Result<Vec<Member>, AppError> {
    Ok(sqlx::query_as!(
        Member,
        r#"select id as "id: TeamAgentId", agent_id as "agent: AgentId", role, order_index as place from team_agents
           where workspace_id = $1 and team_id = $2 and is_active order by order_index, id"#,
        tx.workspace_uuid(),
        team.0
    )
    .fetch_all(tx.conn())
    .await?)
}

/// Puts an agent behind the members that there are.
pub(crate) async fn insert_member(
    tx: &mut WriteTx,
    team: TeamId,
    agent: AgentId,
    role: &str,
    place: i32,
) -> Result<(), AppError> {
    sqlx::query!(
        "insert into team_agents (workspace_id, id, team_id, agent_id, role, order_index) values ($1, $2, $3, $4, $5, $6)",
        tx.workspace_uuid(),
        TeamAgentId::new().0,
        team.0,
        agent.0,
        role,
        place,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

pub(crate) async fn set_member(tx: &mut WriteTx, id: TeamAgentId, role: &str, place: i32) -> Result<(), AppError> {
    sqlx::query!(
        "update team_agents set role = $3, order_index = $4 where workspace_id = $1 and id = $2",
        tx.workspace_uuid(),
        id.0,
        role,
        place
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

pub(crate) async fn remove_member(tx: &mut WriteTx, id: TeamAgentId) -> Result<(), AppError> {
    sqlx::query!(
        "update team_agents set is_active = false where workspace_id = $1 and id = $2",
        tx.workspace_uuid(),
        id.0
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Keeps the state that a team has from now on.
pub(crate) async fn insert_version(
    tx: &mut WriteTx,
    team: TeamId,
    number: i32,
    snapshot: &TeamSnapshot,
    note: &str,
) -> Result<(), AppError> {
    sqlx::query!(
        "insert into team_versions (workspace_id, id, team_id, number, snapshot, note, author_id) values ($1, $2, $3, $4, $5, $6, $7)",
        tx.workspace_uuid(),
        Uuid::now_v7(),
        team.0,
        number,
        Json(snapshot) as _,
        note,
        tx.user_id().map(|id| id.0),
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Errors: `NotFound`.
pub(crate) async fn version(tx: &mut ReadTx, team: TeamId, number: i32) -> Result<TeamSnapshot, AppError> {
    let row = sqlx::query_scalar!(
        r#"select snapshot as "snapshot: Json<TeamSnapshot>" from team_versions where workspace_id = $1 and team_id = $2 and number = $3"#,
        tx.workspace_uuid(),
        team.0,
        number
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(row.0)
}

/// What a team asks of an agent (tables of others: read only).
#[derive(Debug, Clone)]
pub(crate) struct AgentFacts {
    pub id: AgentId,
    pub name: String,
    pub client: Option<ClientId>,
    pub is_active: bool,
    /// `draft`, `active` or `paused`.
    pub status: String,
}

/// Those of these agents that there are, deleted ones left out.
pub(crate) async fn agents(tx: &mut ReadTx, ids: &[AgentId]) -> Result<Vec<AgentFacts>, AppError> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
    Ok(sqlx::query_as!(
        AgentFacts,
        r#"select id as "id: AgentId", name, client_id as "client: ClientId", is_active, status::text as "status!" from agents
           where workspace_id = $1 and id = any($2) and deleted_at is null order by id"#,
        tx.workspace_uuid(),
        &ids
    )
    .fetch_all(tx.conn())
    .await?)
}

/// Whether the agency has this client, and whether it is archived. None: there is none.
pub(crate) async fn is_client_active(tx: &mut ReadTx, id: ClientId) -> Result<Option<bool>, AppError> {
    Ok(sqlx::query_scalar!(
        r#"select status = 'active' as "active!" from clients where workspace_id = $1 and id = $2"#,
        tx.workspace_uuid(),
        id.0
    )
    .fetch_optional(tx.conn())
    .await?)
}

/// How many of these skills are there and active.
pub(crate) async fn active_skills(tx: &mut ReadTx, ids: &[SkillId]) -> Result<i64, AppError> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
    Ok(sqlx::query_scalar!(
        r#"select count(*) as "count!" from skills where workspace_id = $1 and id = any($2) and is_active"#,
        tx.workspace_uuid(),
        &ids
    )
    .fetch_one(tx.conn())
    .await?)
}

/// An engine's name and type, when it is active (execution's table: read only).
pub(crate) async fn engine(tx: &mut ReadTx, id: EngineId) -> Result<Option<(String, String)>, AppError> {
    let row = sqlx::query!(
        "select name, type as kind from execution_engines where workspace_id = $1 and id = $2 and is_active",
        tx.workspace_uuid(),
        id.0
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|row| (row.name, row.kind)))
}

/// Whether there is such a target, in use (execution's table: read only).
pub(crate) async fn is_target_active(tx: &mut ReadTx, id: TargetId) -> Result<bool, AppError> {
    Ok(sqlx::query_scalar!(
        r#"select exists (select from execution_targets where workspace_id = $1 and id = $2 and is_active) as "there!""#,
        tx.workspace_uuid(),
        id.0
    )
    .fetch_one(tx.conn())
    .await?)
}

/// Active teams for a picker: those of this client and those of none; all of them, when no client is named.
pub(crate) async fn choices(tx: &mut ReadTx, client: Option<ClientId>) -> Result<Vec<(TeamId, String)>, AppError> {
    let rows = sqlx::query!(
        r#"select id as "id: TeamId", name from teams
           where workspace_id = $1 and is_active and ($2::uuid is null or client_id is null or client_id = $2)
           order by lower(name), id limit 500"#,
        tx.workspace_uuid(),
        client.map(|id| id.0)
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(|row| (row.id, row.name)).collect())
}

pub(crate) fn snapshot(fields: &TeamFields, members: &[Member]) -> TeamSnapshot {
    TeamSnapshot {
        name: fields.name.clone(),
        description: fields.description.clone(),
        mode: fields.mode,
        settings: fields.settings.clone(),
        members: members.iter().map(|one| MemberSnapshot { agent: one.agent, role: one.role.clone() }).collect(),
    }
}
