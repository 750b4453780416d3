//! Statements of imports. `store::views` and `store::lists` read them for pages, `store::calls` compares with the calls that are here, `store::gaps` holds
//! what is missing, `store::checks` when it is looked for.

pub(crate) mod calls;
pub(crate) mod checks;
pub(crate) mod gaps;
pub(crate) mod lists;
pub(crate) mod views;

use chrono::{DateTime, NaiveDate, Utc};
use uuid::Uuid;

use crate::model::SyncJobStatus;
use patchbay_access::server::{ReadTx, WriteTx};
use patchbay_shared::AppError;
use patchbay_shared::ids::{AgentId, ConnectionId, HistoricalSyncId, UserId};

/// An import that is about to be written.
pub(crate) struct NewSync<'a> {
    pub id: HistoricalSyncId,
    pub connection: ConnectionId,
    pub provider: &'a str,
    pub from_day: Option<NaiveDate>,
    pub to_day: NaiveDate,
    pub zone: &'a str,
    pub from: DateTime<Utc>,
    pub to: DateTime<Utc>,
    pub all_agents: bool,
    pub with_transcripts: bool,
    pub with_recordings: bool,
    pub started_by: Option<UserId>,
}

/// An import as its worker reads it.
#[derive(Debug, Clone)]
pub(crate) struct Sync {
    pub id: HistoricalSyncId,
    pub connection: ConnectionId,
    pub status: SyncJobStatus,
    pub zone: String,
    pub from: DateTime<Utc>,
    pub to: DateTime<Utc>,
    pub all_agents: bool,
    pub with_transcripts: bool,
    pub with_recordings: bool,
    pub cursor: Option<String>,
    pub reached: Option<DateTime<Utc>>,
    pub found: Option<i64>,
    pub walk: i32,
    pub walk_found: Option<i64>,
    /// The service is not asked before.
    pub waits_until: Option<DateTime<Utc>>,
    pub imported: i64,
    pub skipped: i64,
    pub failed: i64,
}

/// What became of some calls: of all, of an agent, of a day.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub imported: i64,
    pub skipped: i64,
    pub failed: i64,
}

/// The voice connection of this service. None: there is none.
pub(crate) async fn connection(tx: &mut ReadTx, provider: &str) -> Result<Option<(ConnectionId, bool)>, AppError> {
    let row = sqlx::query!(
        r#"select id as "id: ConnectionId", status <> 'inactive' as "is_on!" from provider_connections where workspace_id = $1 and provider = $2"#,
        tx.workspace_uuid(),
        provider
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|row| (row.id, row.is_on)))
}

/// Agents that the service knows, by its ids: ours, theirs.
pub(crate) async fn provider_agents(tx: &mut ReadTx, provider: &str) -> Result<Vec<(AgentId, String)>, AppError> {
    let rows = sqlx::query!(
        r#"select agent_id as "agent: AgentId", provider_agent_id as "theirs!" from agent_mappings
           where workspace_id = $1 and provider = $2 and provider_agent_id is not null order by agent_id, provider_agent_id"#,
        tx.workspace_uuid(),
        provider
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(|row| (row.agent, row.theirs)).collect())
}

pub(crate) async fn insert(tx: &mut WriteTx, new: &NewSync<'_>) -> Result<(), AppError> {
    sqlx::query!(
        r#"insert into historical_sync_jobs (workspace_id, id, connection_id, provider, from_day, to_day, zone, "from", "to", all_agents,
                                             with_transcripts, with_recordings, started_by)
           values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)"#,
        tx.workspace_uuid(),
        new.id.0,
        new.connection.0,
        new.provider,
        new.from_day,
        new.to_day,
        new.zone,
        new.from,
        new.to,
        new.all_agents,
        new.with_transcripts,
        new.with_recordings,
        new.started_by.map(|user| user.0)
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// The agents that an import is narrowed to, by the service's ids.
pub(crate) async fn agents(tx: &mut ReadTx, sync: HistoricalSyncId) -> Result<Vec<String>, AppError> {
    Ok(sqlx::query_scalar!(
        r#"select provider_agent_id as "theirs!" from historical_sync_agents
           where workspace_id = $1 and sync_id = $2 and provider_agent_id is not null order by id"#,
        tx.workspace_uuid(),
        sync.0
    )
    .fetch_all(tx.conn())
    .await?)
}

/// One import for its worker. Errors: `NotFound`.
pub(crate) async fn get(tx: &mut ReadTx, id: HistoricalSyncId) -> Result<Sync, AppError> {
    Ok(sqlx::query_as!(
        Sync,
        r#"select id as "id: HistoricalSyncId", connection_id as "connection: ConnectionId", status as "status: SyncJobStatus", zone,
                  "from", "to", all_agents, with_transcripts, with_recordings, cursor, reached, found, walk, walk_found, waits_until, imported, skipped, failed
           from historical_sync_jobs where workspace_id = $1 and id = $2"#,
        tx.workspace_uuid(),
        id.0
    )
    .fetch_one(tx.conn())
    .await?)
}

/// The same, locked until the commit.
pub(crate) async fn lock(tx: &mut WriteTx, id: HistoricalSyncId) -> Result<Sync, AppError> {
    sqlx::query!(
        "select from historical_sync_jobs where workspace_id = $1 and id = $2 for update",
        tx.workspace_uuid(),
        id.0
    )
    .fetch_one(tx.conn())
    .await?;
    get(tx.reading(), id).await
}

/// The oldest unfinished import of a connection: the one whose turn it is.
pub(crate) async fn first_unfinished(
    tx: &mut ReadTx,
    connection: ConnectionId,
) -> Result<Option<HistoricalSyncId>, AppError> {
    Ok(sqlx::query_scalar!(
        r#"select id as "id: HistoricalSyncId" from historical_sync_jobs
           where workspace_id = $1 and connection_id = $2 and status in ('pending', 'in_progress')
           order by (status = 'in_progress') desc, id limit 1"#,
        tx.workspace_uuid(),
        connection.0
    )
    .fetch_optional(tx.conn())
    .await?)
}

/// All unfinished imports of a connection.
pub(crate) async fn unfinished(tx: &mut ReadTx, connection: ConnectionId) -> Result<Vec<HistoricalSyncId>, AppError> {
    Ok(sqlx::query_scalar!(
        r#"select id as "id: HistoricalSyncId" from historical_sync_jobs
           where workspace_id = $1 and connection_id = $2 and status in ('pending', 'in_progress') order by id"#,
        tx.workspace_uuid(),
        connection.0
    )
    .fetch_all(tx.conn())
    .await?)
}

/// It begins now.
pub(crate) async fn begin(tx: &mut WriteTx, id: HistoricalSyncId) -> Result<(), AppError> {
    sqlx::query!(
        "update historical_sync_jobs set status = 'in_progress', started_at = coalesce(started_at, now()), updated_at = now()
         where workspace_id = $1 and id = $2 and status = 'pending'",
        tx.workspace_uuid(),
        id.0
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// A page of the list was taken: what became of its calls, and where the next one begins.
pub(crate) async fn advance(
    tx: &mut WriteTx,
    id: HistoricalSyncId,
    cursor: Option<&str>,
    reached: Option<DateTime<Utc>>,
    found: Option<i64>,
    tally: Tally,
) -> Result<(), AppError> {
    sqlx::query!(
        "update historical_sync_jobs
         set cursor = $3, reached = coalesce($4, reached), found = coalesce($5, found), imported = imported + $6, skipped = skipped + $7,
             failed = failed + $8, waits_until = null, error = null, updated_at = now()
         where workspace_id = $1 and id = $2",
        tx.workspace_uuid(),
        id.0,
        cursor,
        reached,
        found,
        tally.imported,
        tally.skipped,
        tally.failed
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// A walk through the list begins: so many calls there are now.
pub(crate) async fn begin_walk(
    tx: &mut WriteTx,
    id: HistoricalSyncId,
    walk: i32,
    found: Option<i64>,
) -> Result<(), AppError> {
    sqlx::query!(
        "update historical_sync_jobs
         set walk = $3, walk_found = $4, cursor = case when walk = $3 then cursor end, reached = case when walk = $3 then reached end,
             updated_at = now()
         where workspace_id = $1 and id = $2",
        tx.workspace_uuid(),
        id.0,
        walk,
        found
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// The service no longer knows the cursor: the list is asked from the oldest call on that was looked at.
pub(crate) async fn forget_cursor(tx: &mut WriteTx, id: HistoricalSyncId) -> Result<(), AppError> {
    sqlx::query!(
        r#"update historical_sync_jobs set cursor = null, "to" = coalesce(reached, "to"), updated_at = now()
           where workspace_id = $1 and id = $2"#,
        tx.workspace_uuid(),
        id.0
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// An agent of an import by its id at the service, with what became of its calls so far. `agent` none: those that Patchbay does not know.
/// `found`: how many the service has of it.
pub(crate) async fn count_agent(
    tx: &mut WriteTx,
    sync: HistoricalSyncId,
    agent: Option<(AgentId, &str)>,
    found: Option<i64>,
    tally: Tally,
) -> Result<(), AppError> {
    sqlx::query!(
        "insert into historical_sync_agents (workspace_id, id, sync_id, agent_id, provider_agent_id, found, imported, skipped, failed)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
         on conflict (workspace_id, sync_id, provider_agent_id) do update
           set found = coalesce(excluded.found, historical_sync_agents.found),
               imported = historical_sync_agents.imported + excluded.imported, skipped = historical_sync_agents.skipped + excluded.skipped,
               failed = historical_sync_agents.failed + excluded.failed",
        tx.workspace_uuid(),
        Uuid::now_v7(),
        sync.0,
        agent.map(|(id, _)| id.0),
        agent.map(|(_, theirs)| theirs),
        found,
        tally.imported,
        tally.skipped,
        tally.failed
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// What became of a day's calls.
pub(crate) async fn count_day(
    tx: &mut WriteTx,
    sync: HistoricalSyncId,
    day: NaiveDate,
    tally: Tally,
) -> Result<(), AppError> {
    sqlx::query!(
        "insert into historical_sync_days (workspace_id, sync_id, day, imported, skipped, failed) values ($1, $2, $3, $4, $5, $6)
         on conflict (workspace_id, sync_id, day) do update
           set imported = historical_sync_days.imported + excluded.imported, skipped = historical_sync_days.skipped + excluded.skipped,
               failed = historical_sync_days.failed + excluded.failed",
        tx.workspace_uuid(),
        sync.0,
        day,
        tally.imported,
        tally.skipped,
        tally.failed
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// A call that could not be taken.
pub(crate) async fn insert_failure(
    tx: &mut WriteTx,
    sync: HistoricalSyncId,
    call: Option<&str>,
    agent: Option<AgentId>,
    started: Option<DateTime<Utc>>,
    why: &str,
) -> Result<(), AppError> {
    let why: String = why.chars().filter(|c| *c != '\0').take(500).collect();
    sqlx::query!(
        "insert into historical_sync_failures (workspace_id, id, sync_id, provider_call_id, agent_id, started_at, why)
         values ($1, $2, $3, $4, $5, $6, $7)",
        tx.workspace_uuid(),
        Uuid::now_v7(),
        sync.0,
        call,
        agent.map(|id| id.0),
        started,
        why
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// It waits: so many seconds for the service's limit, or for trouble that may pass.
pub(crate) async fn wait(
    tx: &mut WriteTx,
    id: HistoricalSyncId,
    limit_seconds: i64,
    until: DateTime<Utc>,
    error: Option<&str>,
) -> Result<(), AppError> {
    sqlx::query!(
        "update historical_sync_jobs set waited_seconds = waited_seconds + $3, waits_until = $4, error = $5, updated_at = now()
         where workspace_id = $1 and id = $2",
        tx.workspace_uuid(),
        id.0,
        limit_seconds,
        until,
        error
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// It is over. False: it was over before.
pub(crate) async fn end(
    tx: &mut WriteTx,
    id: HistoricalSyncId,
    status: SyncJobStatus,
    error: Option<&str>,
    by: Option<UserId>,
) -> Result<bool, AppError> {
    let done = sqlx::query!(
        "update historical_sync_jobs
         set status = $3, error = $4, cancelled_by = $5, waits_until = null, completed_at = now(), updated_at = now()
         where workspace_id = $1 and id = $2 and status in ('pending', 'in_progress')",
        tx.workspace_uuid(),
        id.0,
        status as SyncJobStatus,
        error,
        by.map(|user| user.0)
    )
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected() == 1)
}
