//! The control room: what waits and runs, target by target.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use sqlx::types::Json;
use uuid::Uuid;

use crate::model::control::{CircuitBox, SlotJob, TargetCard, TargetState, Unserved};
use crate::model::{Capacity, JobStatus, TargetType};
use patchbay_access::server::ReadTx;
use patchbay_shared::AppError;
use patchbay_shared::ids::{CircuitId, EngineId, ExecutionJobId, TargetId};
use patchbay_shared::money::length_text;

/// Jobs on a target's card.
const SHOWN: i64 = 6;
/// Targets that the control room shows.
const MOST_TARGETS: i64 = 30;
/// How long a worker holds a job without being heard of.
const LEASE_SECONDS: i64 = 60;
/// How long due work lies untouched until it counts as work that nobody sees to. Workers look each second.
const UNTOUCHED_SECONDS: f64 = 60.0;

/// Whose jobs are counted: of one client, of the targets of one pool.
#[derive(Debug, Clone, Default)]
pub(crate) struct Narrowed {
    pub client: Option<Uuid>,
    pub pool: Option<String>,
}

/// How many, and since when or until when.
pub(crate) struct Counts {
    pub queued: i64,
    pub oldest: Option<DateTime<Utc>>,
    pub running: i64,
    pub longest: Option<DateTime<Utc>>,
    pub awaiting: i64,
    pub first_end: Option<DateTime<Utc>>,
    pub oom: i64,
    pub circuit: i64,
    pub circuits: i64,
    pub next_probe: Option<DateTime<Utc>>,
    pub done: i64,
    pub untried: i64,
}

/// `days`: jobs out of memory count when they were made since then; `today`: since when a job is done today.
pub(crate) async fn counts(
    tx: &mut ReadTx,
    of: &Narrowed,
    days: DateTime<Utc>,
    today: DateTime<Utc>,
) -> Result<Counts, AppError> {
    let pool = of.pool.as_deref();
    let open = sqlx::query!(
        r#"select count(*) filter (where j.status = 'queued') as "queued!", min(j.created_at) filter (where j.status = 'queued') as oldest,
                  count(*) filter (where j.status = 'running') as "running!", min(j.started_at) filter (where j.status = 'running') as longest,
                  count(*) filter (where j.status = 'awaiting_approval') as "awaiting!",
                  count(*) filter (where j.status = 'failed_circuit_open') as "circuit!"
           from execution_jobs j
           where j.workspace_id = $1 and j.completed_at is null and ($2::uuid is null or j.client_id = $2)
             and ($3::text is null or j.target_id in (select p.id from execution_targets p where p.workspace_id = $1 and p.worker_pool = $3))"#,
        tx.workspace_uuid(),
        of.client,
        pool
    )
    .fetch_one(tx.conn())
    .await?;
    let rest = sqlx::query!(
        r#"select (select min(x.expires_at) from execution_approvals x
                   join execution_jobs j on j.workspace_id = $1 and j.id = x.job_id
                   where x.workspace_id = $1 and x.decision is null and x.expires_at > now() and ($2::uuid is null or j.client_id = $2)
                     and ($3::text is null or j.target_id in (select p.id from execution_targets p where p.workspace_id = $1 and p.worker_pool = $3))
                  ) as first_end,
                  (select count(*) from execution_jobs j
                   where j.workspace_id = $1 and j.status = 'oom' and j.created_at >= $4 and ($2::uuid is null or j.client_id = $2)
                     and ($3::text is null or j.target_id in (select p.id from execution_targets p where p.workspace_id = $1 and p.worker_pool = $3))
                  ) as "oom!",
                  (select count(*) from execution_circuits c join execution_targets t on t.workspace_id = $1 and t.id = c.target_id
                   where c.workspace_id = $1 and c.opened_at is not null and t.is_active and ($3::text is null or t.worker_pool = $3)) as "circuits!",
                  (select min(c.probe_at) from execution_circuits c join execution_targets t on t.workspace_id = $1 and t.id = c.target_id
                   where c.workspace_id = $1 and c.opened_at is not null and t.is_active and ($3::text is null or t.worker_pool = $3)) as next_probe,
                  done.all as "done!", done.untried as "untried!"
           from (
             select count(*) as "all", count(*) filter (where j.retry_count = 0) as untried from execution_jobs j
             where j.workspace_id = $1 and j.status = 'completed' and j.completed_at >= $5 and ($2::uuid is null or j.client_id = $2)
               and ($3::text is null or j.target_id in (select p.id from execution_targets p where p.workspace_id = $1 and p.worker_pool = $3))
           ) done"#,
        tx.workspace_uuid(),
        of.client,
        pool,
        days,
        today
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(Counts {
        queued: open.queued,
        oldest: open.oldest,
        running: open.running,
        longest: open.longest,
        awaiting: open.awaiting,
        first_end: rest.first_end,
        oom: rest.oom,
        circuit: open.circuit,
        circuits: rest.circuits,
        next_probe: rest.next_probe,
        done: rest.done,
        untried: rest.untried,
    })
}

/// Pools in which due work lies untouched, and no worker is at any other work: none seems to see to them.
pub(crate) async fn unserved(tx: &mut ReadTx, of: &Narrowed, now: DateTime<Utc>) -> Result<Vec<Unserved>, AppError> {
    let rows = sqlx::query!(
        r#"select q.pool, count(*) as "waiting!", min(q.next_attempt_at) as "since!"
           from execution_queue q join execution_jobs j on j.workspace_id = $1 and j.id = q.id
           where q.workspace_id = $1 and q.status = 'pending' and q.next_attempt_at < now() - make_interval(secs => $2)
             and j.completed_at is null and ($3::text is null or q.pool = $3) and ($4::uuid is null or j.client_id = $4)
             and not exists (select from execution_queue h
                             where h.workspace_id = $1 and h.pool = q.pool and h.status = 'processing' and h.lease_until > now())
           group by q.pool order by q.pool limit 20"#,
        tx.workspace_uuid(),
        UNTOUCHED_SECONDS,
        of.pool,
        of.client
    )
    .fetch_all(tx.conn())
    .await?;
    let time = |since: DateTime<Utc>| length_text((now - since).num_seconds().max(0));
    Ok(rows.into_iter().map(|row| Unserved { pool: row.pool, waiting: row.waiting, time: time(row.since) }).collect())
}

/// The active targets with what is on them. `days`: as for `counts`.
pub(crate) async fn targets(tx: &mut ReadTx, of: &Narrowed, days: DateTime<Utc>) -> Result<Vec<TargetCard>, AppError> {
    let now = tx.now().await?;
    let found = sqlx::query!(
        r#"select t.id as "id: TargetId", t.name, t.type as "kind: TargetType", t.worker_pool as pool, t.capacity as "capacity: Json<Capacity>",
                  t.held_at is not null as "is_held!", t.check_problem as problem,
                  count(j.id) filter (where j.status = 'running') as "used!",
                  coalesce(sum(j.memory_limit_mb) filter (where j.status = 'running'), 0) as "memory!",
                  count(j.id) filter (where j.status in ('queued', 'failed_circuit_open') and ($3::uuid is null or j.client_id = $3)) as "queued!",
                  count(j.id) filter (where j.status = 'awaiting_approval' and ($3::uuid is null or j.client_id = $3)) as "awaiting!"
           from execution_targets t
           left join execution_jobs j on j.workspace_id = $1 and j.target_id = t.id and j.completed_at is null
           where t.workspace_id = $1 and t.is_active and ($2::text is null or t.worker_pool = $2)
           group by t.workspace_id, t.id order by t.name, t.id limit $4"#,
        tx.workspace_uuid(),
        of.pool,
        of.client,
        MOST_TARGETS
    )
    .fetch_all(tx.conn())
    .await?;
    let ids: Vec<Uuid> = found.iter().map(|row| row.id.0).collect();
    let mut jobs = slots(tx, of, &ids, days, now).await?;
    let mut circuits = circuits(tx, &ids, now).await?;
    let mut cards: Vec<TargetCard> = found
        .into_iter()
        .map(|row| {
            let circuits = circuits.remove(&row.id.0).unwrap_or_default();
            let (capacity, used) = (row.capacity.0, row.used);
            let state = match () {
                () if row.problem.is_some() => TargetState::Unreachable,
                () if !circuits.is_empty() => TargetState::CircuitOpen,
                () if row.is_held => TargetState::Held,
                () if used >= i64::from(capacity.slots) => TargetState::Full,
                () => TargetState::Ready,
            };
            let jobs = jobs.remove(&row.id.0).unwrap_or_default();
            let running = jobs.iter().filter(|job| job.status == JobStatus::Running).count() as i64;
            TargetCard {
                id: row.id,
                name: row.name,
                kind: row.kind,
                pool: row.pool,
                state,
                problem: row.problem,
                slots: i64::from(capacity.slots),
                used,
                memory_mb: i64::from(capacity.memory_mb),
                memory_used_mb: row.memory,
                more: if of.client.is_none() { (used - running).max(0) } else { 0 },
                jobs: jobs
                    .into_iter()
                    .map(|job| SlotJob {
                        more_mb: job.more_mb.filter(|more| i64::from(*more) <= i64::from(capacity.memory_mb)),
                        ..job
                    })
                    .collect(),
                queued: row.queued,
                awaiting: row.awaiting,
                circuits,
            }
        })
        .collect();
    // Where what waits for a breaker could go: a target of the same kind that takes work.
    let free: Vec<(TargetId, String, TargetType)> = cards
        .iter()
        .filter(|card| matches!(card.state, TargetState::Ready | TargetState::Full))
        .map(|card| (card.id, card.name.clone(), card.kind))
        .collect();
    for card in &mut cards {
        let near = free.iter().find(|(.., kind)| *kind == card.kind).or(free.first());
        for circuit in &mut card.circuits {
            circuit.move_to = near.map(|(id, name, _)| (*id, name.clone()));
        }
    }
    Ok(cards)
}

async fn slots(
    tx: &mut ReadTx,
    of: &Narrowed,
    targets: &[Uuid],
    days: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<HashMap<Uuid, Vec<SlotJob>>, AppError> {
    let rows = sqlx::query!(
        r#"select t.id as target, j.id as "id: ExecutionJobId", j.title, j.status as "status: JobStatus", j.memory_limit_mb, j.peak_memory_mb,
                  j.retry_count, j.max_retries, j.next_attempt_at, j.lease_until, j.started_at, j.completed_at, j.last_failure_reason as reason,
                  last.started_at as "began?", (last.memory_samples -> -1 ->> 1)::float8 as memory
           from execution_targets t
           cross join lateral (
             select * from execution_jobs j
             where j.workspace_id = $1 and j.target_id = t.id and ($3::uuid is null or j.client_id = $3)
               and ((j.completed_at is null and (j.status = 'running'
                                                 or (j.status = 'queued' and j.retry_count > 0 and j.next_attempt_at > now())))
                    or (j.status = 'oom' and j.created_at >= $4))
             order by case j.status when 'oom' then 0 when 'running' then 1 else 2 end, j.started_at, j.id limit $5) j
           left join lateral (
             select a.started_at, a.memory_samples from execution_attempts a
             where a.workspace_id = $1 and a.job_id = j.id order by a.number desc limit 1) last on true
           where t.workspace_id = $1 and t.id = any($2)
           order by t.id, case j.status when 'oom' then 0 when 'running' then 1 else 2 end, j.started_at, j.id"#,
        tx.workspace_uuid(),
        targets,
        of.client,
        days,
        SHOWN
    )
    .fetch_all(tx.conn())
    .await?;
    let mut slots: HashMap<Uuid, Vec<SlotJob>> = HashMap::new();
    for row in rows {
        let began = row.began.or(row.started_at);
        let ran = |until: DateTime<Utc>| began.map(|at| length_text((until - at).num_seconds().max(0)));
        let time = match row.status {
            JobStatus::Running => ran(now),
            JobStatus::Oom => ran(row.completed_at.unwrap_or(now)),
            _ => row.next_attempt_at.map(|at| format!("in {}", length_text((at - now).num_seconds().max(0)))),
        };
        let lease = row.lease_until.filter(|_| row.status == JobStatus::Running);
        slots.entry(row.target).or_default().push(SlotJob {
            id: row.id,
            title: row.title,
            status: row.status,
            time: time.unwrap_or_default(),
            memory_mb: row.memory.map(|memory| memory.round() as i32),
            peak_mb: row.peak_memory_mb,
            limit_mb: row.memory_limit_mb,
            lease: lease
                .map(|until| length_text((LEASE_SECONDS - (until - now).num_seconds()).clamp(0, LEASE_SECONDS))),
            // Between tries it waits for the next one. Tries that were held back use up none.
            try_number: row.retry_count + 1,
            tries: row.max_retries + 1,
            reason: row.reason,
            more_mb: (row.status == JobStatus::Oom).then(|| row.memory_limit_mb.saturating_mul(2)),
        });
    }
    Ok(slots)
}

/// Breakers of these targets that are open.
async fn circuits(
    tx: &mut ReadTx,
    targets: &[Uuid],
    now: DateTime<Utc>,
) -> Result<HashMap<Uuid, Vec<CircuitBox>>, AppError> {
    let rows = sqlx::query!(
        r#"select c.id as "id: CircuitId", c.target_id, e.name as engine, c.failures, c.probe_at, c.probing_job_id is not null as "is_probing!",
                  c.last_reason as reason,
                  (select count(*) from execution_jobs j where j.workspace_id = $1 and j.target_id = c.target_id and j.engine_id = c.engine_id
                     and j.completed_at is null and j.status in ('queued', 'failed_circuit_open')) as "waiting!"
           from execution_circuits c join execution_engines e on e.workspace_id = $1 and e.id = c.engine_id
           where c.workspace_id = $1 and c.target_id = any($2) and c.opened_at is not null
           order by c.probe_at, c.id"#,
        tx.workspace_uuid(),
        targets
    )
    .fetch_all(tx.conn())
    .await?;
    let mut circuits: HashMap<Uuid, Vec<CircuitBox>> = HashMap::new();
    for row in rows {
        circuits.entry(row.target_id).or_default().push(CircuitBox {
            id: row.id,
            engine: row.engine,
            probe_in: row.probe_at.filter(|at| *at > now).map(|at| length_text((at - now).num_seconds())),
            is_probing: row.is_probing,
            failures: row.failures,
            reason: row.reason,
            waiting: row.waiting,
            move_to: None,
        });
    }
    Ok(circuits)
}

/// Active targets, and whether each is held.
pub(crate) async fn held(tx: &mut ReadTx) -> Result<Vec<(TargetId, bool)>, AppError> {
    let rows = sqlx::query!(
        r#"select id as "id: TargetId", held_at is not null as "is_held!" from execution_targets
           where workspace_id = $1 and is_active order by id"#,
        tx.workspace_uuid()
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(|row| (row.id, row.is_held)).collect())
}

/// A breaker's engine and target, and the jobs that wait for it. Errors: `NotFound`.
pub(crate) async fn waiting(
    tx: &mut ReadTx,
    circuit: CircuitId,
    limit: i64,
) -> Result<(EngineId, TargetId, Vec<ExecutionJobId>), AppError> {
    let row = sqlx::query!(
        r#"select engine_id as "engine: EngineId", target_id as "target: TargetId" from execution_circuits
           where workspace_id = $1 and id = $2"#,
        tx.workspace_uuid(),
        circuit.0
    )
    .fetch_one(tx.conn())
    .await?;
    let jobs = sqlx::query_scalar!(
        r#"select j.id as "id: ExecutionJobId" from execution_jobs j
           where j.workspace_id = $1 and j.target_id = $2 and j.engine_id = $3 and j.completed_at is null
             and j.status in ('queued', 'failed_circuit_open')
           order by j.created_at, j.id limit $4"#,
        tx.workspace_uuid(),
        row.target.0,
        row.engine.0,
        limit
    )
    .fetch_all(tx.conn())
    .await?;
    Ok((row.engine, row.target, jobs))
}

/// The job that needs somebody most: out of memory first, then failed lately, then what runs.
pub(crate) async fn foremost(
    tx: &mut ReadTx,
    of: &Narrowed,
    days: DateTime<Utc>,
) -> Result<Option<ExecutionJobId>, AppError> {
    Ok(sqlx::query_scalar!(
        r#"select j.id as "id: ExecutionJobId" from execution_jobs j
           where j.workspace_id = $1 and ($2::uuid is null or j.client_id = $2)
             and ($3::text is null or j.target_id in (select p.id from execution_targets p where p.workspace_id = $1 and p.worker_pool = $3))
             and ((j.status = 'oom' and j.created_at >= $4) or j.status = 'running')
           order by j.status = 'running', j.created_at desc, j.id desc limit 1"#,
        tx.workspace_uuid(),
        of.client,
        of.pool,
        days
    )
    .fetch_optional(tx.conn())
    .await?)
}
