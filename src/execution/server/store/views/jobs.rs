//! The list of jobs, and what it can be narrowed to.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::plan_for_values;
use crate::model::JobStatus;
use crate::model::control::TabCounts;
use crate::model::job::{JobQuery, JobRow};
use patchbay_access::server::ReadTx;
use patchbay_shared::ids::ExecutionJobId;
use patchbay_shared::search::{filled, like};
use patchbay_shared::zone::exact;
use patchbay_shared::{AppError, Cursor, Money, Page, read_time_key, time_key, zone};

/// Jobs that are searched for words: the newest.
const SEARCHED: i64 = 5000;
/// Jobs are counted up to here.
const COUNTED: i64 = 10_000;

/// A page of jobs, newest first. An id or a word that is none matches nothing.
pub(crate) async fn list(tx: &mut ReadTx, query: &JobQuery, limit: usize) -> Result<Page<JobRow>, AppError> {
    let (now, zone) = (tx.now().await?, tx.scope().zone());
    let id = |text: &Option<String>| filled(text.as_deref()).map(|text| text.parse::<Uuid>().unwrap_or_default());
    let made = zone::days(query.from.as_deref(), query.to.as_deref(), zone)?;
    let ended = zone::days(query.ended.as_deref(), query.ended.as_deref(), zone)?;
    let status = match filled(query.status.as_deref()).map(|word| word.parse::<JobStatus>()) {
        Some(Ok(status)) => Some(status),
        Some(Err(_)) => return Ok(Page::default()),
        None => None,
    };
    let cursor = Cursor::parse(query.cursor.as_deref()).filter(|cursor| read_time_key(&cursor.key).is_some());
    let place: Option<(DateTime<Utc>, Uuid)> = cursor.as_ref().and_then(|cursor| read_time_key(&cursor.key));
    let oldest_first = query.sort.as_deref() == Some("made");
    let upwards = cursor.as_ref().is_some_and(|cursor| !cursor.older) != oldest_first;
    let words = like(filled(query.q.as_deref()).as_deref());
    plan_for_values(tx).await?;
    if words.is_none() {
        tx.read_in_order().await?;
    }
    let found = sqlx::query!(
        r#"select j.id, j.title, j.status as "status: JobStatus", j.created_at, j.started_at, j.completed_at,
                  j.memory_limit_mb, j.peak_memory_mb, j.cost, j.is_unpriced, j.last_failure_reason as reason,
                  e.name as engine, t.name as target, t.worker_pool as pool, a.name as "agent?", m.name as "team?", k.name as "client?",
                  (select coalesce(max(n.number), 0) from execution_attempts n where n.workspace_id = $1 and n.job_id = j.id) as "tries!"
           from (
             select * from execution_jobs j
             where j.workspace_id = $1
               and ($2::execution_job_status is null or j.status = $2) and ($3::uuid is null or j.target_id = $3)
               and ($4::uuid is null or j.engine_id = $4) and ($5::uuid is null or j.client_id = $5)
               and ($6::text is null or j.target_id in (select p.id from execution_targets p where p.workspace_id = $1 and p.worker_pool = $6))
               and ($7::uuid is null or j.supervisor_run_id in (select s.id from supervisor_runs s where s.workspace_id = $1 and s.team_id = $7))
               and ($8::timestamptz is null or j.created_at >= $8) and ($9::timestamptz is null or j.created_at < $9)
               and ($10::timestamptz is null or j.completed_at >= $10) and ($11::timestamptz is null or j.completed_at < $11)
               and ($12::text is null or j.id in (
                 select near.id from (select n.id, n.title, n.last_failure_reason from execution_jobs n where n.workspace_id = $1
                                      order by n.created_at desc, n.id desc limit $13) near
                 where near.title ilike $12 or near.last_failure_reason ilike $12))
               and ($14::timestamptz is null or case when $16 then (j.created_at, j.id) > ($14, $15::uuid)
                                                     else (j.created_at, j.id) < ($14, $15::uuid) end)
             order by case when not $16 then j.created_at end desc, case when not $16 then j.id end desc,
                      case when $16 then j.created_at end, case when $16 then j.id end
             limit $17
           ) j
           join execution_engines e on e.workspace_id = $1 and e.id = j.engine_id
           join execution_targets t on t.workspace_id = $1 and t.id = j.target_id
           left join agents a on a.workspace_id = $1 and a.id = j.agent_id
           left join clients k on k.workspace_id = $1 and k.id = j.client_id
           left join supervisor_runs r on r.workspace_id = $1 and r.id = j.supervisor_run_id
           left join teams m on m.workspace_id = $1 and m.id = r.team_id
           order by case when not $16 then j.created_at end desc, case when not $16 then j.id end desc,
                    case when $16 then j.created_at end, case when $16 then j.id end"#,
        tx.workspace_uuid(),
        status as Option<JobStatus>,
        id(&query.target),
        id(&query.engine),
        id(&query.client),
        filled(query.pool.as_deref()),
        id(&query.team),
        made.from,
        made.before,
        ended.from,
        ended.before,
        words,
        SEARCHED,
        place.map(|(at, _)| at),
        place.map(|(_, id)| id),
        upwards,
        limit as i64 + 1,
    )
    .fetch_all(tx.conn())
    .await?;
    tx.read_as_planned().await?;
    let rows: Vec<(JobRow, String)> = found
        .into_iter()
        .map(|row| {
            let key = time_key(row.created_at, row.id);
            let ended = row.completed_at.unwrap_or(now);
            let job = JobRow {
                id: ExecutionJobId(row.id),
                title: row.title,
                status: row.status,
                engine: row.engine,
                target: row.target,
                pool: row.pool,
                agent: row.agent,
                team: row.team,
                client: row.client,
                tries: row.tries,
                took_ms: row.started_at.map(|at| (ended - at).num_milliseconds().max(0)),
                memory_limit_mb: row.memory_limit_mb,
                peak_memory_mb: row.peak_memory_mb,
                cost: (row.completed_at.is_some() && !row.is_unpriced).then_some(Money(row.cost)),
                reason: row.reason,
                made: exact(row.created_at, now, zone),
            };
            (job, key)
        })
        .collect();
    Ok(Page::cut(rows, limit, cursor.as_ref(), |(_, key)| key.clone()).map(|(job, _)| job))
}

/// Targets of the agency, by name: the list can be narrowed to deactivated ones, too.
pub(crate) async fn targets(tx: &mut ReadTx) -> Result<Vec<(String, String)>, AppError> {
    let rows = sqlx::query!(
        "select id, name, is_active from execution_targets where workspace_id = $1 order by is_active desc, name, id limit 300",
        tx.workspace_uuid()
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(|row| (row.id.to_string(), named(row.name, row.is_active))).collect())
}

pub(crate) async fn engines(tx: &mut ReadTx) -> Result<Vec<(String, String)>, AppError> {
    let rows = sqlx::query!(
        "select id, name, is_active from execution_engines where workspace_id = $1 order by is_active desc, name, id limit 300",
        tx.workspace_uuid()
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(|row| (row.id.to_string(), named(row.name, row.is_active))).collect())
}

fn named(name: String, is_active: bool) -> String {
    if is_active { name } else { format!("{name} (deactivated)") }
}

pub(crate) async fn teams(tx: &mut ReadTx) -> Result<Vec<(String, String)>, AppError> {
    let rows = sqlx::query!(
        "select id, name from teams where workspace_id = $1 order by name, id limit 300",
        tx.workspace_uuid()
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(|row| (row.id.to_string(), row.name)).collect())
}

/// Pools of the active targets.
pub(crate) async fn pools(tx: &mut ReadTx) -> Result<Vec<String>, AppError> {
    Ok(sqlx::query_scalar!(
        "select distinct worker_pool from execution_targets where workspace_id = $1 and is_active order by worker_pool limit 100",
        tx.workspace_uuid()
    )
    .fetch_all(tx.conn())
    .await?)
}

/// Numbers behind the tabs, of one client or of the whole agency.
pub(crate) async fn tabs(tx: &mut ReadTx, client: Option<Uuid>) -> Result<TabCounts, AppError> {
    let row = sqlx::query!(
        r#"select (select count(*) from (select from execution_jobs where workspace_id = $1 and ($2::uuid is null or client_id = $2)
                                         limit $3) q) as "jobs!",
                  (select count(*) from (select from supervisor_runs r where r.workspace_id = $1 and ($2::uuid is null or r.team_id in
                                           (select m.id from teams m where m.workspace_id = $1 and m.client_id = $2)) limit $3) q) as "runs!",
                  (select count(*) from execution_engines where workspace_id = $1 and is_active) as "engines!",
                  (select count(*) from execution_targets where workspace_id = $1 and is_active) as "targets!""#,
        tx.workspace_uuid(),
        client,
        COUNTED
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(TabCounts { jobs: Some(row.jobs), runs: Some(row.runs), engines: Some(row.engines), targets: Some(row.targets) })
}
