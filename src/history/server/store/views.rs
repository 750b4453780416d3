//! Imports as pages show them.

use chrono::{DateTime, NaiveDate, Utc};
use uuid::Uuid;

use super::calls;
use crate::model::{AgentChoice, FailureRow, SyncAgent, SyncDay, SyncJobStatus, SyncRow, SyncView};
use patchbay_access::Action;
use patchbay_access::server::ReadTx;
use patchbay_shared::ids::{AgentId, ConnectionId, HistoricalSyncId};
use patchbay_shared::money::counted;
use patchbay_shared::{AppError, Cursor, Page, zone};

/// Rows on a page of a list.
pub(crate) const PAGE: usize = 50;
/// Calls whose words are waited for are counted up to here.
const COUNTED: i64 = 1000;

/// Agents that the service knows, with the clients that they work for.
pub(crate) async fn agents(tx: &mut ReadTx, provider: &str) -> Result<Vec<AgentChoice>, AppError> {
    let rows = sqlx::query!(
        r#"select a.id as "id: AgentId", a.name, string_agg(c.name, ', ' order by c.name) as "clients!"
           from agent_mappings m
           join agents a on a.workspace_id = $1 and a.id = m.agent_id
           join clients c on c.workspace_id = $1 and c.id = m.client_id
           where m.workspace_id = $1 and m.provider = $2 and m.provider_agent_id is not null
           group by a.id, a.name order by a.name, a.id limit 500"#,
        tx.workspace_uuid(),
        provider
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(|row| AgentChoice { id: row.id, name: row.name, clients: row.clients }).collect())
}

/// The import that runs, else the newest one.
pub(crate) async fn shown(tx: &mut ReadTx, connection: ConnectionId) -> Result<Option<HistoricalSyncId>, AppError> {
    Ok(sqlx::query_scalar!(
        r#"select id as "id: HistoricalSyncId" from historical_sync_jobs where workspace_id = $1 and connection_id = $2
           order by (status = 'in_progress') desc, id desc limit 1"#,
        tx.workspace_uuid(),
        connection.0
    )
    .fetch_optional(tx.conn())
    .await?)
}

/// How many imports wait for the running one, counted up to a hundred.
pub(crate) async fn waiting(tx: &mut ReadTx, connection: ConnectionId) -> Result<i64, AppError> {
    Ok(sqlx::query_scalar!(
        r#"select count(*) as "count!" from (select from historical_sync_jobs
             where workspace_id = $1 and connection_id = $2 and status = 'pending' limit 100) counted"#,
        tx.workspace_uuid(),
        connection.0
    )
    .fetch_one(tx.conn())
    .await?)
}

/// How many calls a second the last imports took, if any was large enough to tell.
pub(crate) async fn speed(tx: &mut ReadTx, connection: ConnectionId) -> Result<Option<f64>, AppError> {
    Ok(sqlx::query_scalar!(
        r#"select (imported + skipped) / extract(epoch from completed_at - started_at)::float8 as "speed!"
           from historical_sync_jobs
           where workspace_id = $1 and connection_id = $2 and status = 'completed' and imported + skipped >= 500
             and completed_at > started_at
           order by id desc limit 1"#,
        tx.workspace_uuid(),
        connection.0
    )
    .fetch_optional(tx.conn())
    .await?)
}

/// One import with its progress. Errors: `NotFound`, also for another connection's.
pub(crate) async fn view(
    tx: &mut ReadTx,
    connection: ConnectionId,
    id: HistoricalSyncId,
) -> Result<SyncView, AppError> {
    let row = sqlx::query!(
        r#"select j.from_day, j.to_day, j.zone, j.all_agents, j.with_transcripts, j.status as "status: SyncJobStatus", j.found, j.imported,
                  j.skipped, j.failed, j.waited_seconds, j.waits_until, j.error, j.started_at, j.completed_at, j.created_at,
                  s.name as "started_by?", c.name as "cancelled_by?"
           from historical_sync_jobs j left join users s on s.id = j.started_by left join users c on c.id = j.cancelled_by
           where j.workspace_id = $1 and j.connection_id = $2 and j.id = $3"#,
        tx.workspace_uuid(),
        connection.0,
        id.0
    )
    .fetch_one(tx.conn())
    .await?;
    let (now, zone_of_viewer) = (tx.now().await?, tx.scope().zone());
    let agents = agents_of(tx, id).await?;
    let chosen = if row.all_agents { 0 } else { agents.len() as i64 };
    let looked = row.imported + row.skipped + row.failed;
    // Waiting for the service's limit is part of how long it takes.
    let passed = row.started_at.map(|started| (row.completed_at.unwrap_or(now) - started).num_seconds().max(1));
    let per_second = passed.filter(|_| looked > 0).map(|passed| (looked / passed).max(1));
    let left = row.found.map(|found| (found - looked).max(0));
    let ends = left.zip(per_second).filter(|_| row.status == SyncJobStatus::InProgress);
    let stamp = |at: DateTime<Utc>| zone::stamp(at, now, zone_of_viewer);
    let words_waiting = match row.with_transcripts {
        true => calls::words_waiting(tx, COUNTED).await?,
        false => 0,
    };
    Ok(SyncView {
        id,
        title: title(row.from_day, row.to_day, chosen),
        status: row.status,
        with_transcripts: row.with_transcripts,
        created: stamp(row.created_at),
        started: row.started_at.map(|at| zone::exact(at, now, zone_of_viewer)),
        completed: row.completed_at.map(stamp),
        started_by: row.started_by,
        cancelled_by: row.cancelled_by,
        found: row.found,
        imported: row.imported,
        skipped: row.skipped,
        failed: row.failed,
        waited_seconds: row.waited_seconds,
        waits_until: row.waits_until.filter(|at| *at > now).map(|at| zone::exact(at, now, zone_of_viewer)),
        error: row.error,
        per_second,
        ends: ends.map(|(left, speed)| stamp(now + chrono::Duration::seconds(left / speed))),
        words_waiting,
        days: days_of(tx, id).await?,
        agents,
        zone: row.zone.replace('_', " "),
        may_cancel: !row.status.is_over() && tx.scope().may(Action::ManageConnections),
    })
}

/// `26 Sep – 20 Nov 2026, all agents`
fn title(from: Option<NaiveDate>, to: NaiveDate, agents: i64) -> String {
    let whom = if agents == 0 { "all agents".to_owned() } else { counted(agents, "agent", "agents") };
    match from {
        None => format!("Everything up to {}, {whom}", to.format("%-d %b %Y")),
        Some(from) if from == to => format!("{}, {whom}", to.format("%-d %b %Y")),
        Some(from) => format!("{} – {}, {whom}", from.format("%-d %b"), to.format("%-d %b %Y")),
    }
}

async fn agents_of(tx: &mut ReadTx, id: HistoricalSyncId) -> Result<Vec<SyncAgent>, AppError> {
    Ok(sqlx::query_as!(
        SyncAgent,
        r#"select coalesce(a.name, 'Agents that Patchbay does not know') as "name!", sum(s.found)::bigint as found,
                  sum(s.imported)::bigint as "imported!", sum(s.skipped)::bigint as "skipped!", sum(s.failed)::bigint as "failed!"
           from historical_sync_agents s left join agents a on a.workspace_id = $1 and a.id = s.agent_id
           where s.workspace_id = $1 and s.sync_id = $2
           group by s.agent_id, a.name order by a.name nulls last limit 500"#,
        tx.workspace_uuid(),
        id.0
    )
    .fetch_all(tx.conn())
    .await?)
}

/// The days with calls, in their order, at most the last two years of them.
async fn days_of(tx: &mut ReadTx, id: HistoricalSyncId) -> Result<Vec<SyncDay>, AppError> {
    let rows = sqlx::query!(
        "select day, imported, skipped, failed from historical_sync_days where workspace_id = $1 and sync_id = $2 order by day desc limit 731",
        tx.workspace_uuid(),
        id.0
    )
    .fetch_all(tx.conn())
    .await?;
    let day = |row: &NaiveDate| row.format("%-d %b").to_string();
    Ok(rows
        .iter()
        .rev()
        .map(|row| SyncDay { label: day(&row.day), imported: row.imported, skipped: row.skipped, failed: row.failed })
        .collect())
}

/// The place of a list by id that a cursor names: behind it, or before it.
fn place(cursor: Option<&Cursor>) -> (Option<Uuid>, Option<Uuid>) {
    let key = cursor.and_then(|cursor| cursor.key.parse().ok());
    if cursor.is_some_and(|cursor| !cursor.older) { (None, key) } else { (key, None) }
}

/// A page of imports, newest first.
pub(crate) async fn list(
    tx: &mut ReadTx,
    connection: ConnectionId,
    status: Option<&str>,
    cursor: Option<&str>,
    limit: usize,
) -> Result<Page<SyncRow>, AppError> {
    let cursor = Cursor::parse(cursor).filter(|cursor| cursor.key.parse::<Uuid>().is_ok());
    let (older, newer) = place(cursor.as_ref());
    // A connection has at most some hundreds of imports, so one statement may read in both directions.
    let rows = sqlx::query!(
        r#"select j.id as "id: HistoricalSyncId", j.from_day, j.to_day, j.status as "status: SyncJobStatus", j.imported, j.skipped, j.failed,
                  j.error, j.created_at, u.name as "started_by?",
                  case when j.all_agents then 0 else
                    (select count(distinct s.agent_id) from historical_sync_agents s where s.workspace_id = $1 and s.sync_id = j.id) end as "agents!"
           from historical_sync_jobs j left join users u on u.id = j.started_by
           where j.workspace_id = $1 and j.connection_id = $2 and ($3::text is null or j.status::text = $3)
             and ($4::uuid is null or j.id < $4) and ($5::uuid is null or j.id > $5)
           order by (case when $5::uuid is null then j.id end) desc, j.id asc limit $6"#,
        tx.workspace_uuid(),
        connection.0,
        status.filter(|status| !status.is_empty()),
        older,
        newer,
        limit as i64 + 1
    )
    .fetch_all(tx.conn())
    .await?;
    let (now, zone_of_viewer) = (tx.now().await?, tx.scope().zone());
    let rows = rows
        .into_iter()
        .map(|row| SyncRow {
            id: row.id,
            title: title(row.from_day, row.to_day, row.agents),
            status: row.status,
            imported: row.imported,
            skipped: row.skipped,
            failed: row.failed,
            started_by: row.started_by,
            created: zone::stamp(row.created_at, now, zone_of_viewer),
            error: row.error,
        })
        .collect();
    Ok(Page::cut(rows, limit, cursor.as_ref(), |row: &SyncRow| row.id.to_string()))
}

/// A page of the calls that could not be taken, in the order in which they failed.
pub(crate) async fn failures(
    tx: &mut ReadTx,
    sync: HistoricalSyncId,
    cursor: Option<&str>,
    limit: usize,
) -> Result<Page<FailureRow>, AppError> {
    let cursor = Cursor::parse(cursor).filter(|cursor| cursor.key.parse::<Uuid>().is_ok());
    let (behind, before) = place(cursor.as_ref());
    let rows = sqlx::query!(
        r#"select f.id as "id!", f.provider_call_id, a.name as "agent?", f.started_at, f.why as "why!" from (
             (select * from historical_sync_failures where workspace_id = $1 and sync_id = $2 and $4::uuid is null
                and ($3::uuid is null or id > $3) order by id limit $5)
             union all
             (select * from historical_sync_failures where workspace_id = $1 and sync_id = $2 and id < $4 order by id desc limit $5)
           ) f left join agents a on a.workspace_id = $1 and a.id = f.agent_id order by f.id"#,
        tx.workspace_uuid(),
        sync.0,
        behind,
        before,
        limit as i64 + 1
    )
    .fetch_all(tx.conn())
    .await?;
    let (now, zone_of_viewer) = (tx.now().await?, tx.scope().zone());
    let mut rows: Vec<FailureRow> = rows
        .into_iter()
        .map(|row| FailureRow {
            id: row.id.to_string(),
            provider_call_id: row.provider_call_id,
            agent: row.agent,
            started: row.started_at.map(|at| zone::exact(at, now, zone_of_viewer)),
            why: row.why,
        })
        .collect();
    if before.is_some() {
        // `cut` wants rows in the direction they were read.
        rows.reverse();
    }
    Ok(Page::cut(rows, limit, cursor.as_ref(), |row| row.id.clone()))
}
