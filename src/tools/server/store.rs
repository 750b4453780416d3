//! Statements about the tools of agents. `uses` has those about what became of each use, `memories` those about what agents keep in mind.

pub(crate) mod giving;
pub(crate) mod memories;
pub(crate) mod offers;
pub(crate) mod passages;
pub(crate) mod uses;

use sqlx::types::Json;
use uuid::Uuid;

use crate::model::{AgentHead, ToolConfig};
use patchbay_access::server::{ReadTx, WriteTx};
use patchbay_shared::AppError;
use patchbay_shared::ids::{AgentId, AgentToolId, CallId, ClientId, ContactId};

/// A tool as it is stored.
#[derive(Debug, Clone)]
pub(crate) struct Stored {
    pub id: AgentToolId,
    pub agent_id: AgentId,
    pub name: String,
    pub description: String,
    pub config: ToolConfig,
    pub sealed: Option<String>,
    pub position: i32,
    pub is_active: bool,
    /// See `agent_tools.offer_differs`.
    pub offer_differs: bool,
}

macro_rules! stored {
    ($row:expr) => {{
        let row = $row;
        Stored {
            id: AgentToolId(row.id),
            agent_id: AgentId(row.agent_id),
            name: row.tool_name,
            description: row.description,
            config: row.tool_config.0,
            sealed: row.sealed_secrets,
            position: row.position,
            is_active: row.is_active,
            offer_differs: row.offer_differs,
        }
    }};
}

/// An agent's name and state (the agents' table: read for display, and to know that it is there). Errors: `NotFound`.
pub(crate) async fn agent(tx: &mut ReadTx, id: AgentId) -> Result<AgentHead, AppError> {
    let row = sqlx::query!(
        r#"select a.name, a.is_active, a.client_id, c.name as "client?"
           from agents a left join clients c on c.workspace_id = $1 and c.id = a.client_id
           where a.workspace_id = $1 and a.id = $2"#,
        tx.workspace_uuid(),
        id.0
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(AgentHead {
        id,
        name: row.name,
        is_active: row.is_active,
        client_id: row.client_id.map(ClientId),
        client: row.client,
    })
}

/// Active clients, for whom a try may be (their own table: read for names only).
pub(crate) async fn clients(tx: &mut ReadTx) -> Result<Vec<(ClientId, String)>, AppError> {
    let rows = sqlx::query!(
        "select id, name from clients where workspace_id = $1 and status = 'active' order by name, id limit 500",
        tx.workspace_uuid()
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(|row| (ClientId(row.id), row.name)).collect())
}

/// Whether the agency still works for a client (their own table: read only).
pub(crate) async fn is_client_active(tx: &mut ReadTx, client: ClientId) -> Result<bool, AppError> {
    Ok(sqlx::query_scalar!(
        r#"select exists (select from clients where workspace_id = $1 and id = $2 and status = 'active') as "is!""#,
        tx.workspace_uuid(),
        client.0
    )
    .fetch_one(tx.conn())
    .await?)
}

/// The tools of an agent that were not removed, in their order.
pub(crate) async fn list(tx: &mut ReadTx, agent: AgentId) -> Result<Vec<Stored>, AppError> {
    let rows = sqlx::query!(
        r#"select id, agent_id, tool_name, description, tool_config as "tool_config: Json<ToolConfig>", sealed_secrets, position, is_active, offer_differs
           from agent_tools where workspace_id = $1 and agent_id = $2 and removed_at is null order by position, id"#,
        tx.workspace_uuid(),
        agent.0
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(|row| stored!(row)).collect())
}

/// Names of tools that the agent had, or has and does not use: what the voice service may still hold of ours.
pub(crate) async fn former_names(tx: &mut ReadTx, agent: AgentId) -> Result<Vec<String>, AppError> {
    Ok(sqlx::query_scalar!(
        "select distinct tool_name from agent_tools
         where workspace_id = $1 and agent_id = $2 and (removed_at is not null or not is_active) order by tool_name",
        tx.workspace_uuid(),
        agent.0
    )
    .fetch_all(tx.conn())
    .await?)
}

/// One tool that was not removed. Errors: `NotFound`.
pub(crate) async fn get(tx: &mut ReadTx, agent: AgentId, id: AgentToolId) -> Result<Stored, AppError> {
    let row = sqlx::query!(
        r#"select id, agent_id, tool_name, description, tool_config as "tool_config: Json<ToolConfig>", sealed_secrets, position, is_active, offer_differs
           from agent_tools where workspace_id = $1 and agent_id = $2 and id = $3 and removed_at is null"#,
        tx.workspace_uuid(),
        agent.0,
        id.0
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(stored!(row))
}

/// Holds a tool against other writers until the commit. Errors: `NotFound`.
pub(crate) async fn lock(tx: &mut WriteTx, agent: AgentId, id: AgentToolId) -> Result<(), AppError> {
    sqlx::query!(
        "select id from agent_tools where workspace_id = $1 and agent_id = $2 and id = $3 and removed_at is null for no key update",
        tx.workspace_uuid(),
        agent.0,
        id.0
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(())
}

/// Holds all tools of an agent against other writers until the commit, in a fixed order.
pub(crate) async fn lock_all(tx: &mut WriteTx, agent: AgentId) -> Result<(), AppError> {
    sqlx::query!(
        "select id from agent_tools where workspace_id = $1 and agent_id = $2 and removed_at is null order by id for no key update",
        tx.workspace_uuid(),
        agent.0
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(())
}

/// What a tool is written from.
pub(crate) struct Written<'a> {
    pub name: &'a str,
    pub description: &'a str,
    pub config: &'a ToolConfig,
    pub sealed: Option<&'a str>,
}

pub(crate) async fn insert(
    tx: &mut WriteTx,
    agent: AgentId,
    id: AgentToolId,
    tool: &Written<'_>,
) -> Result<(), AppError> {
    sqlx::query!(
        "insert into agent_tools (workspace_id, id, agent_id, tool_name, description, tool_config, sealed_secrets, position)
         values ($1, $2, $3, $4, $5, $6, $7,
                 (select coalesce(max(position), 0) + 1 from agent_tools where workspace_id = $1 and agent_id = $3 and removed_at is null))",
        tx.workspace_uuid(),
        id.0,
        agent.0,
        tool.name,
        tool.description,
        Json(tool.config) as _,
        tool.sealed
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

pub(crate) async fn update(tx: &mut WriteTx, id: AgentToolId, tool: &Written<'_>) -> Result<(), AppError> {
    sqlx::query!(
        "update agent_tools set tool_name = $3, description = $4, tool_config = $5, sealed_secrets = $6, updated_at = now()
         where workspace_id = $1 and id = $2",
        tx.workspace_uuid(),
        id.0,
        tool.name,
        tool.description,
        Json(tool.config) as _,
        tool.sealed
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Remembers the name that a tool had, as that of one that was removed.
pub(crate) async fn leave_name(tx: &mut WriteTx, tool: &Stored) -> Result<(), AppError> {
    sqlx::query!(
        "insert into agent_tools (workspace_id, id, agent_id, tool_name, description, tool_config, position, is_active, removed_at)
         values ($1, $2, $3, $4, $5, $6, $7, false, now())",
        tx.workspace_uuid(),
        AgentToolId::new().0,
        tool.agent_id.0,
        tool.name,
        tool.description,
        Json(&tool.config) as _,
        tool.position
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

pub(crate) async fn set_active(tx: &mut WriteTx, id: AgentToolId, is_active: bool) -> Result<(), AppError> {
    sqlx::query!(
        "update agent_tools set is_active = $3, updated_at = now() where workspace_id = $1 and id = $2",
        tx.workspace_uuid(),
        id.0,
        is_active
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

pub(crate) async fn set_position(tx: &mut WriteTx, id: AgentToolId, position: i32) -> Result<(), AppError> {
    sqlx::query!(
        "update agent_tools set position = $3 where workspace_id = $1 and id = $2",
        tx.workspace_uuid(),
        id.0,
        position
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// A removed tool keeps its row for its history. Its secrets go.
pub(crate) async fn remove(tx: &mut WriteTx, id: AgentToolId) -> Result<(), AppError> {
    sqlx::query!(
        "update agent_tools set removed_at = now(), is_active = false, sealed_secrets = null, offered = null where workspace_id = $1 and id = $2",
        tx.workspace_uuid(),
        id.0
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// A call that a tool is asked for in (the calls' table: read only, to know whether it goes on).
pub(crate) struct LiveCall {
    pub agent: Option<AgentId>,
    pub client: Option<ClientId>,
    pub contact: Option<ContactId>,
    pub provider_call_id: Option<String>,
    /// The number of the person on the line.
    pub phone: Option<String>,
    pub is_over: bool,
}

pub(crate) async fn call(tx: &mut ReadTx, id: CallId) -> Result<Option<LiveCall>, AppError> {
    let row = sqlx::query!(
        r#"select agent_id, client_id, contact_id, provider_call_id, ended_at is not null as "is_over!",
                  case when direction = 'inbound' then "from" else "to" end as phone
           from calls where workspace_id = $1 and id = $2"#,
        tx.workspace_uuid(),
        id.0
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|row| LiveCall {
        agent: row.agent_id.map(AgentId),
        client: row.client_id.map(ClientId),
        contact: row.contact_id.map(ContactId),
        provider_call_id: row.provider_call_id,
        phone: row.phone,
        is_over: row.is_over,
    }))
}

/// A tool by its id, with the agent it belongs to; none when it was removed or is off.
pub(crate) async fn in_use(tx: &mut ReadTx, id: Uuid) -> Result<Option<Stored>, AppError> {
    let row = sqlx::query!(
        r#"select id, agent_id, tool_name, description, tool_config as "tool_config: Json<ToolConfig>", sealed_secrets, position, is_active, offer_differs
           from agent_tools where workspace_id = $1 and id = $2 and removed_at is null and is_active"#,
        tx.workspace_uuid(),
        id
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|row| stored!(row)))
}

/// Whether an agent has a tool in use that gives calls to a person.
pub async fn may_transfer(tx: &mut ReadTx, agent: AgentId) -> Result<bool, AppError> {
    Ok(sqlx::query_scalar!(
        r#"select exists (select from agent_tools where workspace_id = $1 and agent_id = $2 and is_active and removed_at is null
             and tool_config ->> 'kind' = 'transfer') as "may!""#,
        tx.workspace_uuid(),
        agent.0
    )
    .fetch_one(tx.conn())
    .await?)
}
