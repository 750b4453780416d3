//! Leases over a queue table: claim, renew, finish, retry, release, reap. The four queues (jobs, webhook_queue,
//! enrichment_queue, execution_queue) have the same columns for this, so the statements are written once.
//!
//! Claims are fair: every workspace with due work gets its first place before any gets its second. A queue that is worked in batches
//! gives each workspace one batch before any gets its second.
//! Completions are fenced by owner and attempt: a worker that slept through its lease changes nothing.
//! Rows that were found are taken by their place in the table: looked up by id, the planner may read all that waits of a workspace.

use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::{AssertSqlSafe, PgConnection};
use uuid::Uuid;

use patchbay_shared::ids::WorkspaceId;

/// Which table, and what it calls the due time and the finishing time.
#[derive(Debug, Clone, Copy)]
pub struct Table {
    pub name: &'static str,
    pub due: &'static str,
    pub finished: &'static str,
}

pub(crate) const JOBS: Table = Table { name: "jobs", due: "run_at", finished: "finished_at" };
pub const WEBHOOKS: Table = Table { name: "webhook_queue", due: "next_attempt_at", finished: "processed_at" };
pub const ENRICHMENTS: Table = Table { name: "enrichment_queue", due: "next_attempt_at", finished: "finished_at" };
/// The one whose rows are of pools.
pub const EXECUTIONS: Table = Table { name: "execution_queue", due: "next_attempt_at", finished: "finished_at" };

/// How long a claim holds without a heartbeat.
pub(crate) const LEASE_SECONDS: i32 = 60;
/// Workers that died holding an item before it counts as poison.
const MOST_DEATHS: i32 = 3;

/// A claimed item. Finishing it needs exactly this owner and attempt.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Claim {
    pub id: Uuid,
    pub workspace_id: WorkspaceId,
    pub owner: Uuid,
    pub attempt: i32,
    pub max_attempts: i32,
}

/// Workspaces with waiting work, each found by one step in the index; or the one that is named.
fn homes(table: &str, only: Option<&str>) -> String {
    match only {
        Some(only) => format!("select {only} as workspace_id"),
        None => format!(
            "(select workspace_id from {table} where status = 'pending' order by workspace_id limit 1)
             union all
             select (select q.workspace_id from {table} q where q.status = 'pending' and q.workspace_id > homes.workspace_id
                     order by q.workspace_id limit 1)
             from homes where homes.workspace_id is not null"
        ),
    }
}

/// Takes up to `most` due items for `owner`; only those of one workspace, if one is given, and only those of these pools, where a queue has
/// them.
pub(crate) async fn claim(
    conn: &mut PgConnection,
    table: Table,
    owner: Uuid,
    most: i64,
    only: Option<WorkspaceId>,
    pools: Option<&[String]>,
) -> Result<Vec<Claim>, sqlx::Error> {
    let Table { name, due, .. } = table;
    let homes = homes(name, only.map(|_| "$3::uuid"));
    // One step in the index for each pool, so that the order of the index is the order of the claim.
    let due_now = match pools.map(|_| if only.is_some() { "$4" } else { "$3" }) {
        None => format!(
            "(select ctid as row, id, {due} from {name}
               where status = 'pending' and workspace_id = homes.workspace_id and {due} <= now()
               order by {due}, id limit $2)"
        ),
        Some(pools) => format!(
            "(select one.row, one.id, one.{due} from unnest({pools}::text[]) as p (pool) cross join lateral (
               select ctid as row, id, {due} from {name}
               where status = 'pending' and workspace_id = homes.workspace_id and pool = p.pool and {due} <= now()
               order by {due}, id limit $2) one
             order by one.{due}, one.id limit $2)"
        ),
    };
    let sql = format!(
        "with recursive homes as (
           {homes}
         ), places as (
           select next.row, next.id, next.place from homes cross join lateral (
             select q.row, q.id, row_number() over (order by q.{due}, q.id) as place from {due_now} q
           ) next
           where homes.workspace_id is not null order by next.place, next.id limit $2
         ), mine as (
           select q.workspace_id, q.id from {name} q
           where q.ctid = any(array(select row from places)) and q.status = 'pending' for update skip locked
         )
         update {name} q set status = 'processing', attempts = q.attempts + 1, lease_owner = $1,
                lease_until = now() + make_interval(secs => {LEASE_SECONDS})
         from mine where q.workspace_id = mine.workspace_id and q.id = mine.id
         returning q.id, q.workspace_id, q.attempts, q.max_attempts"
    );
    let query = sqlx::query_as(AssertSqlSafe(sql)).bind(owner).bind(most);
    let query = if let Some(only) = only { query.bind(only) } else { query };
    let query = if let Some(pools) = pools { query.bind(pools) } else { query };
    let rows: Vec<(Uuid, Uuid, i32, i32)> = query.fetch_all(conn).await?;
    Ok(rows
        .into_iter()
        .map(|(id, workspace, attempt, max_attempts)| Claim {
            id,
            workspace_id: WorkspaceId(workspace),
            owner,
            attempt,
            max_attempts,
        })
        .collect())
}

/// Which batches are taken next.
pub(crate) struct NextBatches<'a> {
    /// Batches, each of one workspace.
    pub batches: usize,
    /// Items in each.
    pub most: usize,
    /// Workspaces whose turn it is not.
    pub busy: &'a [Uuid],
    /// The workspace that had the last turn: those behind it come first.
    pub after: Uuid,
    pub only: Option<WorkspaceId>,
}

/// Takes due items for `owner` in batches, in the order in which they are due. What a worker died with goes by itself, so that it takes
/// nothing else with it; what has failed before goes with its like, so that new work is not held up by it.
pub(crate) async fn claim_batches(
    conn: &mut PgConnection,
    table: Table,
    owner: Uuid,
    turn: &NextBatches<'_>,
) -> Result<Vec<Vec<Claim>>, sqlx::Error> {
    let Table { name, due, .. } = table;
    let homes = homes(name, turn.only.map(|_| "$6::uuid"));
    let sql = format!(
        "with recursive homes as (
           {homes}
         ), turns as (
           select workspace_id from homes cross join lateral (
             select from {name} q where q.status = 'pending' and q.workspace_id = homes.workspace_id and q.{due} <= now() limit 1) due
           where workspace_id is not null and workspace_id <> all($3)
           order by workspace_id <= $4, workspace_id limit $2
         ), places as (
           select next.row from turns cross join lateral (
             select q.row, row_number() over line as place, q.worker_deaths = 0 and first_value(q.worker_deaths) over line = 0
                      and (q.attempts > 0) = (first_value(q.attempts) over line > 0) as goes_along from (
               select ctid as row, id, {due}, worker_deaths, attempts from {name}
               where status = 'pending' and workspace_id = turns.workspace_id and {due} <= now()
               order by {due}, id limit $5) q
             window line as (order by q.{due}, q.id)
           ) next
           where next.place = 1 or next.goes_along
         ), mine as (
           select q.workspace_id, q.id from {name} q
           where q.ctid = any(array(select row from places)) and q.status = 'pending' for update skip locked
         ), taken as (
           update {name} q set status = 'processing', attempts = q.attempts + 1, lease_owner = $1,
                  lease_until = now() + make_interval(secs => {LEASE_SECONDS})
           from mine where q.workspace_id = mine.workspace_id and q.id = mine.id
           returning q.id, q.workspace_id, q.attempts, q.max_attempts, q.{due}
         )
         select id, workspace_id, attempts, max_attempts from taken order by workspace_id, {due}, id"
    );
    let query = sqlx::query_as(AssertSqlSafe(sql))
        .bind(owner)
        .bind(turn.batches as i64)
        .bind(turn.busy)
        .bind(turn.after)
        .bind(turn.most as i64);
    let query = if let Some(only) = turn.only { query.bind(only) } else { query };
    let rows: Vec<(Uuid, Uuid, i32, i32)> = query.fetch_all(conn).await?;
    let mut batches: Vec<Vec<Claim>> = Vec::new();
    for (id, workspace, attempt, max_attempts) in rows {
        let workspace_id = WorkspaceId(workspace);
        let claim = Claim { id, workspace_id, owner, attempt, max_attempts };
        match batches.last_mut() {
            Some(batch) if batch[0].workspace_id == workspace_id => batch.push(claim),
            _ => batches.push(vec![claim]),
        }
    }
    Ok(batches)
}

/// Says that `owner` is alive: all its claims hold another minute. Those that are being finished in this moment need it no more, and are
/// not waited for: whoever finishes them may be waiting for another.
pub(crate) async fn renew(conn: &mut PgConnection, table: Table, owner: Uuid) -> Result<u64, sqlx::Error> {
    let sql = format!(
        "update {name} set lease_until = now() + make_interval(secs => {LEASE_SECONDS})
         where (workspace_id, id) in (
           select workspace_id, id from {name} where status = 'processing' and lease_owner = $1 order by id for update skip locked)",
        name = table.name
    );
    Ok(sqlx::query(AssertSqlSafe(sql)).bind(owner).execute(conn).await?.rows_affected())
}

/// Marks a claim as done. False: the claim is no longer ours, so the caller's transaction must not commit.
/// Called inside the tenant's own transaction, the effect and the mark are one.
pub async fn finish(conn: &mut PgConnection, table: Table, claim: &Claim) -> Result<bool, sqlx::Error> {
    let sql = format!(
        "update {} set status = 'completed', {} = now(), lease_owner = null, lease_until = null, last_error = null
         where workspace_id = $1 and id = $2 and status = 'processing' and lease_owner = $3 and attempts = $4",
        table.name, table.finished
    );
    fenced(conn, sql, claim).await
}

/// The same for claims of one workspace and owner. False: one of them is no longer ours.
pub async fn finish_all(conn: &mut PgConnection, table: Table, claims: &[&Claim]) -> Result<bool, sqlx::Error> {
    let Some(first) = claims.first() else { return Ok(true) };
    let ids: Vec<Uuid> = claims.iter().map(|claim| claim.id).collect();
    let attempts: Vec<i32> = claims.iter().map(|claim| claim.attempt).collect();
    let sql = format!(
        "update {} q set status = 'completed', {} = now(), lease_owner = null, lease_until = null, last_error = null
         from unnest($3::uuid[], $4::int[]) as done (id, attempt)
         where q.workspace_id = $1 and q.id = done.id and q.status = 'processing' and q.lease_owner = $2 and q.attempts = done.attempt",
        table.name, table.finished
    );
    let done = sqlx::query(AssertSqlSafe(sql))
        .bind(first.workspace_id)
        .bind(first.owner)
        .bind(&ids)
        .bind(&attempts)
        .execute(conn)
        .await?;
    Ok(done.rows_affected() == claims.len() as u64)
}

/// Marks claims of any workspaces as done, each for itself. Gives the ids of those that were still their owners'.
pub(crate) async fn finish_each(
    conn: &mut PgConnection,
    table: Table,
    claims: &[&Claim],
) -> Result<Vec<Uuid>, sqlx::Error> {
    let of = |part: fn(&Claim) -> Uuid| claims.iter().map(|claim| part(claim)).collect::<Vec<Uuid>>();
    let attempts: Vec<i32> = claims.iter().map(|claim| claim.attempt).collect();
    let sql = format!(
        "update {} q set status = 'completed', {} = now(), lease_owner = null, lease_until = null, last_error = null
         from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::int[]) as done (workspace_id, id, owner, attempt)
         where q.workspace_id = done.workspace_id and q.id = done.id and q.status = 'processing' and q.lease_owner = done.owner
           and q.attempts = done.attempt
         returning q.id",
        table.name, table.finished
    );
    sqlx::query_scalar(AssertSqlSafe(sql))
        .bind(of(|claim| claim.workspace_id.0))
        .bind(of(|claim| claim.id))
        .bind(of(|claim| claim.owner))
        .bind(attempts)
        .fetch_all(conn)
        .await
}

/// Puts a claim back for later without counting the attempt: the work asked for it.
pub(crate) async fn later(
    conn: &mut PgConnection,
    table: Table,
    claim: &Claim,
    wait: Duration,
) -> Result<bool, sqlx::Error> {
    let sql = format!(
        "update {} set status = 'pending', {} = now() + make_interval(secs => {:.3}), attempts = attempts - 1, worker_deaths = 0,
                lease_owner = null, lease_until = null, last_error = null
         where workspace_id = $1 and id = $2 and status = 'processing' and lease_owner = $3 and attempts = $4",
        table.name,
        table.due,
        wait.as_secs_f64()
    );
    fenced(conn, sql, claim).await
}

/// Records a failure: back in the queue after a growing wait, or `failed` when attempts are used up or `permanent`.
pub(crate) async fn fail(
    conn: &mut PgConnection,
    table: Table,
    claim: &Claim,
    error: &str,
    retry_after: Option<Duration>,
    permanent: bool,
) -> Result<bool, sqlx::Error> {
    let over = permanent || claim.attempt >= claim.max_attempts;
    let wait = retry_after.unwrap_or_else(|| backoff(claim.attempt)).as_secs_f64();
    let (status, finished) = if over { ("failed", "now()") } else { ("pending", "null") };
    let sql = format!(
        "update {} set status = '{status}', {} = {finished}, {} = now() + make_interval(secs => {wait:.3}),
                lease_owner = null, lease_until = null, last_error = $5
         where workspace_id = $1 and id = $2 and status = 'processing' and lease_owner = $3 and attempts = $4",
        table.name, table.finished, table.due
    );
    let short: String = error.chars().filter(|c| *c != '\0').take(2000).collect();
    let done = sqlx::query(AssertSqlSafe(sql))
        .bind(claim.workspace_id)
        .bind(claim.id)
        .bind(claim.owner)
        .bind(claim.attempt)
        .bind(short)
        .execute(conn)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// Gives everything that `owner` still holds back at once, as if it had not been tried.
pub(crate) async fn release(conn: &mut PgConnection, table: Table, owner: Uuid) -> Result<u64, sqlx::Error> {
    let sql = format!(
        "update {name} set status = 'pending', attempts = attempts - 1, lease_owner = null, lease_until = null
         where (workspace_id, id) in (
           select workspace_id, id from {name} where status = 'processing' and lease_owner = $1 order by id for update)",
        name = table.name
    );
    Ok(sqlx::query(AssertSqlSafe(sql)).bind(owner).execute(conn).await?.rows_affected())
}

/// The database's time in this moment.
pub(crate) async fn now(conn: &mut PgConnection) -> Result<DateTime<Utc>, sqlx::Error> {
    sqlx::query_scalar("select clock_timestamp()").fetch_one(conn).await
}

/// Takes back what dead workers held. An item that killed three is poison and fails. A lease of hours was written before the database's clock
/// went back, and its worker has not renewed it since.
pub(crate) async fn reap(conn: &mut PgConnection, table: Table) -> Result<u64, sqlx::Error> {
    let sql = format!(
        "update {name} set worker_deaths = worker_deaths + 1, lease_owner = null, lease_until = null,
                status = (case when worker_deaths + 1 >= {MOST_DEATHS} then 'failed' else 'pending' end)::processing_status,
                last_error = 'The worker died or lost its database while it held this (' || (worker_deaths + 1) || ' of {MOST_DEATHS}).'
         where (workspace_id, id) in (
           select workspace_id, id from {name} where status = 'processing'
             and (lease_until < now() or lease_until > now() + interval '5 minutes') for update skip locked)",
        name = table.name
    );
    Ok(sqlx::query(AssertSqlSafe(sql)).execute(conn).await?.rows_affected())
}

/// attempt⁴ seconds, at most six hours, give or take a tenth, so that failures at one moment do not come back at one moment.
pub(crate) fn backoff(attempt: i32) -> Duration {
    let seconds = f64::from(attempt.max(1)).powi(4).min(6.0 * 3600.0);
    Duration::from_secs_f64(seconds * rand::random_range(0.9..1.1))
}

async fn fenced(conn: &mut PgConnection, sql: String, claim: &Claim) -> Result<bool, sqlx::Error> {
    let done = sqlx::query(AssertSqlSafe(sql))
        .bind(claim.workspace_id)
        .bind(claim.id)
        .bind(claim.owner)
        .bind(claim.attempt)
        .execute(conn)
        .await?;
    Ok(done.rows_affected() == 1)
}
