//! One job: what it is, its tries, log, files and steps.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use sqlx::types::Json;

use crate::model::job::{ArtefactRow, AttemptRow, Job, JobStep, LogLine};
use crate::model::{Capacity, EngineType, JobStatus, Outcome, StepKind, TargetType};
use patchbay_access::server::ReadTx;
use patchbay_shared::ids::{
    AgentId, ArtefactId, ClientId, EngineId, ExecutionJobId, SupervisorRunId, TargetId, TeamId,
};
use patchbay_shared::money::length_text;
use patchbay_shared::zone::{exact, stamp};
use patchbay_shared::{AppError, Money};

/// Lines of the log that the page shows: the last ones.
const SHOWN_LINES: i64 = 300;
const MOST_STEPS: i64 = 200;
const MOST_FILES: i64 = 200;
/// Samples of memory that are drawn.
const MOST_SAMPLES: usize = 120;

/// A job, and what decides what can be done with it now.
pub(crate) struct Found {
    pub job: Job,
    /// Its target's memory.
    pub target_memory_mb: i32,
    pub is_held: bool,
    pub next_attempt_at: Option<DateTime<Utc>>,
    pub probe_at: Option<DateTime<Utc>>,
    pub now: DateTime<Utc>,
}

/// Errors: `NotFound`.
pub(crate) async fn get(tx: &mut ReadTx, id: ExecutionJobId) -> Result<Found, AppError> {
    let (now, zone) = (tx.now().await?, tx.scope().zone());
    let row = sqlx::query!(
        r#"select j.title, j.status as "status: JobStatus", j.engine_id as "engine_id: EngineId", e.name as engine,
                  e.type as "engine_type: EngineType", j.target_id as "target_id: TargetId", t.name as target,
                  t.type as "target_type: TargetType", t.worker_pool as pool, t.capacity as "capacity: Json<Capacity>",
                  t.held_at is not null as "is_held!", j.agent_id as "agent_id: AgentId", a.name as "agent?",
                  j.client_id as "client_id: ClientId", k.name as "client?", j.supervisor_run_id as "run: SupervisorRunId",
                  m.id as "team_id?: TeamId", m.name as "team?", j.parent_job_id as "parent: ExecutionJobId", q.title as "parent_title?",
                  u.name as "asked_by?", j.prompt, j.result, j.worker_config, j.execution_target, j.container_id, j.target_host,
                  j.retry_count, j.max_retries, j.memory_limit_mb, j.peak_memory_mb, j.timeout_seconds, j.last_failure_reason as reason,
                  j.cancel_requested_at, w.name as "cancelled_by?", j.created_at, j.started_at, j.completed_at, j.timeout_at,
                  j.next_attempt_at, j.lease_owner, j.lease_until, j.steps, j.tokens, j.cost, j.is_unpriced, c.probe_at as "probe_at?"
           from execution_jobs j
           join execution_engines e on e.workspace_id = $1 and e.id = j.engine_id
           join execution_targets t on t.workspace_id = $1 and t.id = j.target_id
           left join agents a on a.workspace_id = $1 and a.id = j.agent_id
           left join clients k on k.workspace_id = $1 and k.id = j.client_id
           left join supervisor_runs r on r.workspace_id = $1 and r.id = j.supervisor_run_id
           left join teams m on m.workspace_id = $1 and m.id = r.team_id
           left join execution_jobs q on q.workspace_id = $1 and q.id = j.parent_job_id
           left join execution_circuits c on c.workspace_id = $1 and c.engine_id = j.engine_id and c.target_id = j.target_id
           left join users u on u.id = j.asked_by
           left join users w on w.id = j.cancelled_by
           where j.workspace_id = $1 and j.id = $2"#,
        tx.workspace_uuid(),
        id.0
    )
    .fetch_one(tx.conn())
    .await?;
    let is_over = row.completed_at.is_some();
    let lease = row.lease_owner.zip(row.lease_until).filter(|_| !is_over);
    let until = row.completed_at.unwrap_or(now);
    let job = Job {
        id,
        title: row.title,
        status: row.status,
        engine: (row.engine_id, row.engine),
        kind: row.engine_type,
        target: (row.target_id, row.target),
        target_kind: row.target_type,
        pool: row.pool,
        agent: row.agent_id.zip(row.agent),
        client: row.client_id.zip(row.client),
        run: row.run,
        team: row.team_id.zip(row.team),
        parent: row.parent.zip(row.parent_title),
        asked_by: row.asked_by,
        prompt: row.prompt,
        result: row.result.and_then(|result| serde_json::from_value(result).ok()),
        made_of: json!({ "worker": row.worker_config, "target": row.execution_target }),
        container: row.container_id,
        host: row.target_host,
        retry_count: row.retry_count,
        max_retries: row.max_retries,
        memory_limit_mb: row.memory_limit_mb,
        peak_memory_mb: row.peak_memory_mb,
        timeout_seconds: row.timeout_seconds,
        reason: row.reason,
        next: String::new(),
        cancelled_by: row.cancelled_by,
        is_being_cancelled: row.cancel_requested_at.is_some() && !is_over,
        made: exact(row.created_at, now, zone),
        started: row.started_at.map(|at| exact(at, now, zone)),
        ended: row.completed_at.map(|at| exact(at, now, zone)),
        until: stamp(row.timeout_at, now, zone),
        took_ms: row.started_at.map(|at| (until - at).num_milliseconds().max(0)),
        lease: lease
            .map(|(owner, until)| format!("{owner}, for {} more", length_text((until - now).num_seconds().max(0)))),
        steps: row.steps,
        tokens: row.tokens,
        cost: Money(row.cost),
        is_unpriced: row.is_unpriced,
    };
    Ok(Found {
        job,
        target_memory_mb: i32::try_from(row.capacity.0.memory_mb).unwrap_or(i32::MAX),
        is_held: row.is_held,
        next_attempt_at: row.next_attempt_at,
        probe_at: row.probe_at,
        now,
    })
}

/// Its tries, the newest first, and the memory of each as it was sampled.
pub(crate) async fn attempts(
    tx: &mut ReadTx,
    id: ExecutionJobId,
) -> Result<Vec<(AttemptRow, Vec<(i64, i64)>)>, AppError> {
    let (now, zone) = (tx.now().await?, tx.scope().zone());
    let rows = sqlx::query!(
        r#"select number, outcome as "outcome: Outcome", reason, exit_code, memory_limit_mb, peak_memory_mb, container_id, target_host,
                  lease_owner, started_at, ended_at, memory_samples
           from execution_attempts where workspace_id = $1 and job_id = $2 order by number desc limit 100"#,
        tx.workspace_uuid(),
        id.0
    )
    .fetch_all(tx.conn())
    .await?;
    let attempts = rows.into_iter().map(|row| {
        let attempt = AttemptRow {
            number: row.number,
            outcome: row.outcome,
            reason: row.reason,
            exit_code: row.exit_code,
            memory_limit_mb: row.memory_limit_mb,
            peak_memory_mb: row.peak_memory_mb,
            container: row.container_id,
            host: row.target_host,
            worker: row.lease_owner,
            started: exact(row.started_at, now, zone),
            took_ms: row.ended_at.map(|at| (at - row.started_at).num_milliseconds().max(0)),
        };
        (attempt, samples(&row.memory_samples))
    });
    Ok(attempts.collect())
}

fn samples(kept: &Value) -> Vec<(i64, i64)> {
    let number = |value: Option<&Value>| value.and_then(Value::as_f64).map(|number| number.round() as i64);
    let pair = |row: &Value| Some((number(row.get(0))?, number(row.get(1))?));
    let all: Vec<(i64, i64)> = kept.as_array().map(|rows| rows.iter().filter_map(pair).collect()).unwrap_or_default();
    // The last of each stretch stays, and with it the end.
    let step = all.len().div_ceil(MOST_SAMPLES).max(1);
    all.chunks(step).filter_map(|chunk| chunk.iter().max_by_key(|(_, memory)| *memory).copied()).collect()
}

/// The end of a try's log, and how many lines it has. `all`: the whole of it.
pub(crate) async fn log(
    tx: &mut ReadTx,
    id: ExecutionJobId,
    attempt: i32,
    all: bool,
) -> Result<(Vec<LogLine>, i64), AppError> {
    let zone = tx.scope().zone();
    let count = sqlx::query_scalar!(
        r#"select count(*) as "count!" from execution_log_lines where workspace_id = $1 and job_id = $2 and attempt = $3"#,
        tx.workspace_uuid(),
        id.0,
        attempt
    )
    .fetch_one(tx.conn())
    .await?;
    let mut rows = sqlx::query!(
        "select at, stream, line from execution_log_lines where workspace_id = $1 and job_id = $2 and attempt = $3
         order by position desc limit $4",
        tx.workspace_uuid(),
        id.0,
        attempt,
        if all { i64::MAX } else { SHOWN_LINES }
    )
    .fetch_all(tx.conn())
    .await?;
    rows.reverse();
    let time = |at: DateTime<Utc>| at.with_timezone(&zone).format("%H:%M:%S%.3f").to_string();
    let lines = rows.into_iter().map(|row| LogLine { at: time(row.at), stream: row.stream, line: row.line });
    Ok((lines.collect(), count))
}

pub(crate) async fn artefacts(tx: &mut ReadTx, id: ExecutionJobId) -> Result<Vec<ArtefactRow>, AppError> {
    Ok(sqlx::query_as!(
        ArtefactRow,
        r#"select id as "id: ArtefactId", name, bytes, attempt from execution_artefacts
           where workspace_id = $1 and job_id = $2 order by attempt desc, name, id limit $3"#,
        tx.workspace_uuid(),
        id.0,
        MOST_FILES
    )
    .fetch_all(tx.conn())
    .await?)
}

/// A file's name and its place in the object store. Errors: `NotFound`.
pub(crate) async fn artefact(
    tx: &mut ReadTx,
    job: ExecutionJobId,
    id: ArtefactId,
) -> Result<(String, String), AppError> {
    let row = sqlx::query!(
        "select name, object_key from execution_artefacts where workspace_id = $1 and job_id = $2 and id = $3",
        tx.workspace_uuid(),
        job.0,
        id.0
    )
    .fetch_one(tx.conn())
    .await?;
    Ok((row.name, row.object_key))
}

/// What it did, in order.
pub(crate) async fn steps(tx: &mut ReadTx, id: ExecutionJobId) -> Result<Vec<JobStep>, AppError> {
    let (now, zone) = (tx.now().await?, tx.scope().zone());
    let rows = sqlx::query!(
        r#"select kind as "kind: StepKind", title, payload, began, took_ms, prompt_tokens, completion_tokens, cost, error
           from execution_steps where workspace_id = $1 and job_id = $2 order by id limit $3"#,
        tx.workspace_uuid(),
        id.0,
        MOST_STEPS
    )
    .fetch_all(tx.conn())
    .await?;
    let steps = rows.into_iter().map(|row| JobStep {
        kind: row.kind,
        title: row.title,
        payload: row.payload,
        at: exact(row.began, now, zone),
        took_ms: i64::from(row.took_ms),
        tokens: row
            .prompt_tokens
            .or(row.completion_tokens)
            .map(|_| i64::from(row.prompt_tokens.unwrap_or(0)) + i64::from(row.completion_tokens.unwrap_or(0))),
        cost: row.cost.map(Money),
        error: row.error,
    });
    Ok(steps.collect())
}

/// Jobs that it asked for.
pub(crate) async fn children(
    tx: &mut ReadTx,
    id: ExecutionJobId,
) -> Result<Vec<(ExecutionJobId, String, JobStatus)>, AppError> {
    let rows = sqlx::query!(
        r#"select id as "id: ExecutionJobId", title, status as "status: JobStatus" from execution_jobs
           where workspace_id = $1 and parent_job_id = $2 order by created_at, id limit 100"#,
        tx.workspace_uuid(),
        id.0
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(|row| (row.id, row.title, row.status)).collect())
}

/// Where it can be moved to: active targets but its own.
pub(crate) async fn other_targets(tx: &mut ReadTx, own: TargetId) -> Result<Vec<(String, String)>, AppError> {
    let rows = sqlx::query!(
        "select id, name, worker_pool from execution_targets
         where workspace_id = $1 and is_active and id <> $2 order by name, id limit 100",
        tx.workspace_uuid(),
        own.0
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(|row| (row.id.to_string(), format!("{} · pool {}", row.name, row.worker_pool))).collect())
}
