use chrono::{DateTime, Utc};
use sqlx::types::Json;
use uuid::Uuid;

use crate::model::CallDirection;
use crate::model::{AgentConfig, AgentStatus, FieldChange, MappingRow, sync_state};
use patchbay_access::server::{ReadTx, WriteTx};
use patchbay_providers::voice::HeldAgent;
use patchbay_shared::AppError;
use patchbay_shared::ids::{AgentId, AgentMappingId, ClientId, PromptId};
use patchbay_shared::zone::stamp;

/// The copies that an agent should have: one per active client that it serves. Copies for former clients stay in the table,
/// because late events of their calls are attributed through them, and are left out here.
pub async fn list(tx: &mut ReadTx, agent: AgentId) -> Result<Vec<MappingRow>, AppError> {
    let (now, zone) = (tx.now().await?, tx.scope().zone());
    let workspace = tx.workspace_uuid();
    let rows = sqlx::query!(
        r#"select m.id, m.client_id, c.name as client, m.provider_agent_id, m.synced_prompt_version, m.sync_error,
                  m.drift as "drift: Json<Vec<FieldChange>>", m.compared_at,
                  coalesce(m.synced_at >= a.updated_at, false) as "is_current!",
                  m.default_direction as "direction: CallDirection"
           from agent_mappings m
           join agents a on a.workspace_id = $1 and a.id = m.agent_id
           join clients c on c.workspace_id = $1 and c.id = m.client_id
           where m.workspace_id = $1 and m.agent_id = $2 and c.status = 'active'
             and (a.client_id is null or a.client_id = m.client_id)
           order by c.name, m.id"#,
        workspace,
        agent.0
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| MappingRow {
            id: AgentMappingId(row.id),
            client_id: ClientId(row.client_id),
            client: row.client,
            sync: sync_state(
                row.provider_agent_id.is_some(),
                row.is_current,
                row.sync_error.is_some(),
                row.drift.is_some(),
            ),
            drift: row.drift.map(|drift| drift.0).unwrap_or_default(),
            compared: row.compared_at.map(|at| stamp(at, now, zone)),
            provider_agent_id: row.provider_agent_id,
            prompt_version: row.synced_prompt_version,
            error: row.sync_error,
            direction: row.direction,
        })
        .collect())
}

/// Makes the rows that are missing: for the agent's client, or for every active client. True when some were.
pub(crate) async fn fill(tx: &mut WriteTx, agent: AgentId) -> Result<bool, AppError> {
    let workspace = tx.workspace_uuid();
    let missing: Vec<Uuid> = sqlx::query_scalar!(
        "select c.id from clients c join agents a on a.workspace_id = $1 and a.id = $2
         where c.workspace_id = $1 and c.status = 'active' and (a.client_id is null or a.client_id = c.id)
           and not exists (select from agent_mappings m
                           where m.workspace_id = $1 and m.agent_id = $2 and m.client_id = c.id and m.provider = 'ultravox')",
        workspace,
        agent.0
    )
    .fetch_all(tx.conn())
    .await?;
    for client in &missing {
        sqlx::query!(
            "insert into agent_mappings (workspace_id, id, agent_id, client_id, default_direction)
             values ($1, $2, $3, $4, coalesce((select default_direction from agent_mappings
                                              where workspace_id = $1 and agent_id = $3 limit 1), 'outbound'))
             on conflict do nothing",
            workspace,
            AgentMappingId::new().0,
            agent.0,
            client
        )
        .execute(tx.conn())
        .await?;
    }
    Ok(!missing.is_empty())
}

pub(crate) async fn set_direction(tx: &mut WriteTx, agent: AgentId, direction: CallDirection) -> Result<(), AppError> {
    let workspace = tx.workspace_uuid();
    sqlx::query!(
        "update agent_mappings set default_direction = $3, updated_at = now() where workspace_id = $1 and agent_id = $2",
        workspace,
        agent.0,
        direction as CallDirection
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// The service's id for a copy, as soon as it is known: even if what follows fails, the copy is not made again.
pub(crate) async fn set_provider_agent(
    tx: &mut WriteTx,
    id: AgentMappingId,
    provider_agent_id: Option<&str>,
) -> Result<(), AppError> {
    let workspace = tx.workspace_uuid();
    sqlx::query!(
        "update agent_mappings set provider_agent_id = $3, updated_at = now() where workspace_id = $1 and id = $2",
        workspace,
        id.0,
        provider_agent_id
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// What bringing a copy to the service came to.
pub(crate) struct Brought {
    /// What the service should hold of ours, in its own words.
    pub held: HeldAgent,
    /// What it holds instead, because somebody has set it there.
    pub drift: Vec<FieldChange>,
}

/// A copy at the service, to be compared with what it was sent.
pub(crate) struct Compared {
    pub id: AgentMappingId,
    pub agent: AgentId,
    pub agent_name: String,
    pub client: String,
    pub provider_agent_id: String,
    pub held: Json<HeldAgent>,
    pub drift: Option<Json<Vec<FieldChange>>>,
    pub synced_at: Option<DateTime<Utc>>,
}

/// The copies of one agent, or of all, that the service holds and that belong to active clients.
pub(crate) async fn to_compare(tx: &mut ReadTx, agent: Option<AgentId>) -> Result<Vec<Compared>, AppError> {
    let workspace = tx.workspace_uuid();
    Ok(sqlx::query_as!(
        Compared,
        r#"select m.id as "id: AgentMappingId", m.agent_id as "agent: AgentId", a.name as agent_name, c.name as client,
                  m.provider_agent_id as "provider_agent_id!", m.held as "held!: Json<HeldAgent>",
                  m.drift as "drift: Json<Vec<FieldChange>>", m.synced_at
           from agent_mappings m
           join agents a on a.workspace_id = $1 and a.id = m.agent_id
           join clients c on c.workspace_id = $1 and c.id = m.client_id
           where m.workspace_id = $1 and ($2::uuid is null or m.agent_id = $2) and m.provider_agent_id is not null
             and m.held is not null and a.is_active and c.status = 'active' and (a.client_id is null or a.client_id = m.client_id)
           order by m.compared_at nulls first, m.id"#,
        workspace,
        agent.map(|id| id.0)
    )
    .fetch_all(tx.conn())
    .await?)
}

/// What is different at the service. False: the copy has been sent again meanwhile, so this says nothing any more.
pub(crate) async fn set_drift(
    tx: &mut WriteTx,
    id: AgentMappingId,
    drift: &[FieldChange],
    synced_at: Option<DateTime<Utc>>,
) -> Result<bool, AppError> {
    let workspace = tx.workspace_uuid();
    let drift = Some(drift).filter(|drift| !drift.is_empty()).map(Json);
    let done = sqlx::query!(
        "update agent_mappings set drift = $3, compared_at = now(), updated_at = now()
         where workspace_id = $1 and id = $2 and synced_at is not distinct from $4",
        workspace,
        id.0,
        drift as _,
        synced_at
    )
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected() == 1)
}

/// What the service should hold of ours; none when it was never told. Errors: `NotFound`.
pub(crate) async fn held(tx: &mut ReadTx, id: AgentMappingId) -> Result<Option<HeldAgent>, AppError> {
    let workspace = tx.workspace_uuid();
    let held = sqlx::query_scalar!(
        r#"select held as "held: Json<HeldAgent>" from agent_mappings where workspace_id = $1 and id = $2"#,
        workspace,
        id.0
    );
    Ok(held.fetch_one(tx.conn()).await?.map(|held| held.0))
}

/// The service's ids of all copies of an agent, those of former clients too.
pub(crate) async fn provider_agents(tx: &mut ReadTx, agent: AgentId) -> Result<Vec<String>, AppError> {
    let workspace = tx.workspace_uuid();
    Ok(sqlx::query_scalar!(
        r#"select provider_agent_id as "id!" from agent_mappings
           where workspace_id = $1 and agent_id = $2 and provider_agent_id is not null order by id"#,
        workspace,
        agent.0
    )
    .fetch_all(tx.conn())
    .await?)
}

/// Which of these ids of the service are known here.
pub(crate) async fn known(tx: &mut ReadTx, ids: &[String]) -> Result<Vec<String>, AppError> {
    let workspace = tx.workspace_uuid();
    Ok(sqlx::query_scalar!(
        r#"select provider_agent_id as "id!" from agent_mappings
           where workspace_id = $1 and provider = 'ultravox' and provider_agent_id = any($2)"#,
        workspace,
        ids
    )
    .fetch_all(tx.conn())
    .await?)
}

/// The service holds the agent's state of `state` with this version of this prompt.
pub(crate) async fn set_synced(
    tx: &mut WriteTx,
    id: AgentMappingId,
    prompt: PromptId,
    prompt_version: i32,
    state: DateTime<Utc>,
    brought: &Brought,
) -> Result<(), AppError> {
    let workspace = tx.workspace_uuid();
    let drift = Some(&brought.drift).filter(|drift| !drift.is_empty()).map(Json);
    sqlx::query!(
        "update agent_mappings set synced_prompt_version = $3, synced_prompt_id = $5, synced_at = $4, sync_error = null,
                held = $6, drift = $7, compared_at = now(), updated_at = now()
         where workspace_id = $1 and id = $2",
        workspace,
        id.0,
        prompt_version,
        state,
        prompt.0,
        Json(&brought.held) as _,
        drift as _
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

pub(crate) async fn set_error(tx: &mut WriteTx, id: AgentMappingId, error: &str) -> Result<(), AppError> {
    let workspace = tx.workspace_uuid();
    sqlx::query!(
        "update agent_mappings set sync_error = $3, updated_at = now() where workspace_id = $1 and id = $2",
        workspace,
        id.0,
        error
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// A new try begins: the last one's error goes.
pub(crate) async fn clear_errors(tx: &mut WriteTx, agent: AgentId) -> Result<(), AppError> {
    let workspace = tx.workspace_uuid();
    sqlx::query!(
        "update agent_mappings set sync_error = null where workspace_id = $1 and agent_id = $2 and sync_error is not null",
        workspace,
        agent.0
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Another account knows none of the copies.
pub(crate) async fn forget_provider_agents(tx: &mut WriteTx) -> Result<(), AppError> {
    let workspace = tx.workspace_uuid();
    sqlx::query!(
        "update agent_mappings set provider_agent_id = null, synced_prompt_version = null, synced_prompt_id = null, synced_at = null,
                sync_error = null, held = null, drift = null, compared_at = null, updated_at = now()
         where workspace_id = $1",
        workspace
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Whether another run of `sync_agent` for this agent is at work now (the queue's table: read only).
pub(crate) async fn is_other_at_work(tx: &mut ReadTx, agent: AgentId, mine: i64) -> Result<bool, AppError> {
    let workspace = tx.workspace_uuid();
    Ok(sqlx::query_scalar!(
        r#"select exists (select from jobs where workspace_id = $1 and kind = 'sync_agent' and status = 'processing'
                          and payload ->> 'agent_id' = $2 and (payload ->> 'state')::bigint <> $3) as "other!""#,
        workspace,
        agent.to_string(),
        mine
    )
    .fetch_one(tx.conn())
    .await?)
}

/// An agent and its copy for one client, for whoever is about to dial.
pub(crate) struct Callable {
    pub name: String,
    pub language: String,
    pub status: AgentStatus,
    pub is_active: bool,
    pub serves: bool,
    pub provider_agent_id: Option<String>,
    pub prompt_id: Option<PromptId>,
    pub prompt_version: Option<i32>,
    pub sync_error: Option<String>,
    pub config: Json<AgentConfig>,
}

pub(crate) async fn callable(tx: &mut ReadTx, agent: AgentId, client: ClientId) -> Result<Callable, AppError> {
    let workspace = tx.workspace_uuid();
    Ok(sqlx::query_as!(
        Callable,
        r#"select a.name, a.language, a.status as "status: AgentStatus", a.is_active,
                  (a.client_id is null or a.client_id = $3) as "serves!",
                  m.provider_agent_id as "provider_agent_id?", m.synced_prompt_version as "prompt_version?",
                  m.synced_prompt_id as "prompt_id?: PromptId", m.sync_error as "sync_error?",
                  a.config as "config: Json<AgentConfig>"
           from agents a
           left join agent_mappings m on m.workspace_id = $1 and m.agent_id = a.id and m.client_id = $3
                and m.provider = 'ultravox'
           where a.workspace_id = $1 and a.id = $2"#,
        workspace,
        agent.0,
        client.0
    )
    .fetch_one(tx.conn())
    .await?)
}
