//! Imports as pages show them, one at a time.

use chrono::{DateTime, NaiveDate, Utc};

use super::calls;
use crate::model::{AgentChoice, SyncAgent, SyncDay, SyncJobStatus, SyncView};
use patchbay_access::Action;
use patchbay_access::server::ReadTx;
use patchbay_shared::ids::{AgentId, ConnectionId, HistoricalSyncId};
use patchbay_shared::money::counted;
use patchbay_shared::{AppError, zone};

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
        r#"select j.from_day, j.to_day, j.zone, j.all_agents, j.with_transcripts, j.with_recordings, j.status as "status: SyncJobStatus", j.found, j.imported,
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
    let per_second = passed.map(|passed| looked / passed).filter(|speed| *speed > 0);
    let left = row.found.map(|found| (found - looked).max(0));
    let is_running = row.status == SyncJobStatus::InProgress && looked > 0;
    let left_seconds = left.zip(passed).filter(|_| is_running).map(|(left, passed)| left * passed / looked);
    let stamp = |at: DateTime<Utc>| zone::stamp(at, now, zone_of_viewer);
    let words_waiting = match row.with_transcripts {
        true => calls::words_waiting(tx, COUNTED).await?,
        false => 0,
    };
    let recordings_waiting = match row.with_recordings && !row.with_transcripts {
        true => calls::recordings_waiting(tx, COUNTED).await?,
        false => 0,
    };
    Ok(SyncView {
        id,
        title: title(row.from_day, row.to_day, chosen),
        status: row.status,
        with_transcripts: row.with_transcripts,
        with_recordings: row.with_recordings,
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
        ends: left_seconds.map(|seconds| zone::brief(now + chrono::Duration::seconds(seconds), now, zone_of_viewer)),
        left_seconds,
        words_waiting,
        recordings_waiting,
        days: days_of(tx, id).await?,
        agents,
        zone: row.zone.replace('_', " "),
        may_cancel: !row.status.is_over() && tx.scope().may(Action::ManageConnections),
    })
}

/// `26 Sep – 20 Nov 2026, all agents`
pub(super) fn title(from: Option<NaiveDate>, to: NaiveDate, agents: i64) -> String {
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
