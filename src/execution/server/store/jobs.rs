//! Statements about jobs. A job's row is locked before it is changed; a worker's own changes hold only while the row names its lease.

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::types::Json;
use uuid::Uuid;

use crate::model::{EngineConfig, JobResult, JobStatus, TargetSnapshot, WorkerConfig};
use patchbay_access::server::{ReadTx, WriteTx};
use patchbay_shared::AppError;
use patchbay_shared::ids::{AgentId, ClientId, EngineId, ExecutionJobId, SupervisorRunId, TargetId, UserId};

/// All of a job that its work needs.
#[derive(Debug, Clone)]
pub(crate) struct Job {
    pub id: ExecutionJobId,
    pub run: Option<SupervisorRunId>,
    pub parent: Option<ExecutionJobId>,
    pub client: Option<ClientId>,
    pub agent: Option<AgentId>,
    pub engine: EngineId,
    pub target: TargetId,
    pub title: String,
    pub config: Json<WorkerConfig>,
    pub prompt: String,
    pub snapshot: Json<TargetSnapshot>,
    pub status: JobStatus,
    pub progress: Option<Value>,
    pub container_id: Option<String>,
    pub target_host: Option<String>,
    pub retry_count: i32,
    pub max_retries: i32,
    pub memory_limit_mb: i32,
    pub last_failure_reason: Option<String>,
    pub cancel_requested_at: Option<DateTime<Utc>>,
    pub cancelled_by: Option<UserId>,
    pub created_at: DateTime<Utc>,
    pub timeout_at: DateTime<Utc>,
    pub timeout_seconds: i32,
    pub next_attempt_at: Option<DateTime<Utc>>,
    pub lease_owner: Option<String>,
    pub steps: i32,
    pub cost: rust_decimal::Decimal,
}

impl Job {
    pub(crate) fn is_process(&self) -> bool {
        matches!(self.config.config, EngineConfig::Process(_))
    }
}

macro_rules! select_job {
    ($tail:literal, $tx:expr, $id:expr) => {
        sqlx::query_as!(
            Job,
            r#"select id as "id: ExecutionJobId", supervisor_run_id as "run: SupervisorRunId", parent_job_id as "parent: ExecutionJobId",
                      client_id as "client: ClientId", agent_id as "agent: AgentId", engine_id as "engine: EngineId",
                      target_id as "target: TargetId", title, worker_config as "config: Json<WorkerConfig>", prompt,
                      execution_target as "snapshot: Json<TargetSnapshot>", status as "status: JobStatus", progress, container_id,
                      target_host, retry_count, max_retries, memory_limit_mb, last_failure_reason, cancel_requested_at,
                      cancelled_by as "cancelled_by: UserId", created_at, timeout_at, timeout_seconds, next_attempt_at, lease_owner, steps,
                      cost
               from execution_jobs where workspace_id = $1 and id = $2 "#
                + $tail,
            $tx.workspace_uuid(),
            $id.0
        )
        .fetch_one($tx.conn())
        .await
    };
}

/// Errors: `NotFound`.
pub(crate) async fn get(tx: &mut ReadTx, id: ExecutionJobId) -> Result<Job, AppError> {
    Ok(select_job!("", tx, id)?)
}

/// The same, held until the transaction ends. Errors: `NotFound`.
pub(crate) async fn lock(tx: &mut WriteTx, id: ExecutionJobId) -> Result<Job, AppError> {
    Ok(select_job!("for no key update", tx, id)?)
}

/// A job that is about to be there.
pub(crate) struct NewRow<'a> {
    pub id: ExecutionJobId,
    pub run: Option<SupervisorRunId>,
    pub parent: Option<ExecutionJobId>,
    pub client: Option<ClientId>,
    pub agent: Option<AgentId>,
    pub engine: EngineId,
    pub title: &'a str,
    pub config: &'a WorkerConfig,
    pub prompt: &'a str,
    pub snapshot: &'a TargetSnapshot,
    pub status: JobStatus,
    pub memory_mb: i32,
    pub timeout_seconds: i32,
    pub timeout_at: DateTime<Utc>,
    pub key: Option<Uuid>,
}

/// False: the same was asked for before.
pub(crate) async fn insert(tx: &mut WriteTx, new: &NewRow<'_>) -> Result<bool, AppError> {
    let by = tx.user_id().map(|id| id.0);
    let done = sqlx::query!(
        "insert into execution_jobs (workspace_id, id, supervisor_run_id, parent_job_id, client_id, agent_id, engine_id, target_id, title,
                                     worker_config, prompt, execution_target, status, memory_limit_mb, timeout_seconds, timeout_at,
                                     asked_by, idempotency_key)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
         on conflict (workspace_id, idempotency_key) where idempotency_key is not null do nothing",
        tx.workspace_uuid(),
        new.id.0,
        new.run.map(|id| id.0),
        new.parent.map(|id| id.0),
        new.client.map(|id| id.0),
        new.agent.map(|id| id.0),
        new.engine.0,
        new.snapshot.id.0,
        new.title,
        Json(new.config) as _,
        new.prompt,
        Json(new.snapshot) as _,
        new.status as JobStatus,
        new.memory_mb,
        new.timeout_seconds,
        new.timeout_at,
        by,
        new.key,
    )
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected() == 1)
}

pub(crate) async fn by_key(tx: &mut ReadTx, key: Uuid) -> Result<Option<ExecutionJobId>, AppError> {
    Ok(sqlx::query_scalar!(
        r#"select id as "id: ExecutionJobId" from execution_jobs where workspace_id = $1 and idempotency_key = $2"#,
        tx.workspace_uuid(),
        key
    )
    .fetch_optional(tx.conn())
    .await?)
}

/// A worker begins with it. `is_new`: a new try, whose time starts now.
pub(crate) async fn begin(tx: &mut WriteTx, id: ExecutionJobId, lease: &str, is_new: bool) -> Result<(), AppError> {
    sqlx::query!(
        "update execution_jobs set status = 'running', lease_owner = $3, lease_until = now() + interval '60 seconds', next_attempt_at = null,
                started_at = case when $4 then clock_timestamp() else started_at end,
                timeout_at = case when $4 then now() + make_interval(secs => timeout_seconds) else timeout_at end,
                container_id = case when $4 then null else container_id end, target_host = case when $4 then null else target_host end,
                peak_memory_mb = case when $4 then null else peak_memory_mb end
         where workspace_id = $1 and id = $2",
        tx.workspace_uuid(),
        id.0,
        lease,
        is_new
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// It has ended.
pub(crate) async fn end(
    tx: &mut WriteTx,
    id: ExecutionJobId,
    status: JobStatus,
    result: Option<&JobResult>,
    reason: Option<&str>,
) -> Result<(), AppError> {
    sqlx::query!(
        "update execution_jobs set status = $3, result = $4, last_failure_reason = coalesce($5, last_failure_reason), completed_at = now(),
                lease_owner = null, lease_until = null, next_attempt_at = null
         where workspace_id = $1 and id = $2 and completed_at is null",
        tx.workspace_uuid(),
        id.0,
        status as JobStatus,
        result.map(Json) as _,
        reason
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// How a job waits.
pub(crate) struct Waits<'a> {
    pub status: JobStatus,
    pub reason: Option<&'a str>,
    /// Not before.
    pub until: Option<DateTime<Utc>>,
    pub memory_mb: i32,
    pub retry_count: i32,
    /// Until when it waits at most.
    pub timeout_at: DateTime<Utc>,
}

/// It waits: for its turn, for a person, or for a breaker.
pub(crate) async fn wait(tx: &mut WriteTx, id: ExecutionJobId, waits: &Waits<'_>) -> Result<(), AppError> {
    sqlx::query!(
        "update execution_jobs set status = $3, last_failure_reason = coalesce($4, last_failure_reason), next_attempt_at = $5,
                memory_limit_mb = $6, retry_count = $7, timeout_at = $8, lease_owner = null, lease_until = null, completed_at = null,
                result = null
         where workspace_id = $1 and id = $2",
        tx.workspace_uuid(),
        id.0,
        waits.status as JobStatus,
        waits.reason,
        waits.until,
        waits.memory_mb,
        waits.retry_count,
        waits.timeout_at
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// A person has it tried anew: what was asked before does not end it.
pub(crate) async fn forget(tx: &mut WriteTx, id: ExecutionJobId) -> Result<(), AppError> {
    sqlx::query!(
        "update execution_jobs set cancel_requested_at = null, cancelled_by = null, progress = null, peak_memory_mb = null
         where workspace_id = $1 and id = $2",
        tx.workspace_uuid(),
        id.0
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

pub(crate) async fn set_target(
    tx: &mut WriteTx,
    id: ExecutionJobId,
    snapshot: &TargetSnapshot,
) -> Result<(), AppError> {
    sqlx::query!(
        "update execution_jobs set target_id = $3, execution_target = $4 where workspace_id = $1 and id = $2",
        tx.workspace_uuid(),
        id.0,
        snapshot.id.0,
        Json(snapshot) as _
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

pub(crate) async fn set_prompt(tx: &mut WriteTx, id: ExecutionJobId, prompt: &str) -> Result<(), AppError> {
    sqlx::query!(
        "update execution_jobs set prompt = $3 where workspace_id = $1 and id = $2",
        tx.workspace_uuid(),
        id.0,
        prompt
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Until when it waits at most.
pub(crate) async fn set_timeout(tx: &mut WriteTx, id: ExecutionJobId, until: DateTime<Utc>) -> Result<(), AppError> {
    sqlx::query!(
        "update execution_jobs set timeout_at = $3 where workspace_id = $1 and id = $2",
        tx.workspace_uuid(),
        id.0,
        until
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// What waits has a day again: nothing could start meanwhile.
pub(crate) async fn wait_anew(tx: &mut WriteTx) -> Result<(), AppError> {
    sqlx::query!(
        "update execution_jobs set timeout_at = greatest(timeout_at, now() + interval '24 hours')
         where workspace_id = $1 and completed_at is null and status in ('queued', 'failed_circuit_open')",
        tx.workspace_uuid()
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Keeps how far its worker is. False: the job is another worker's now.
pub(crate) async fn keep_progress(
    tx: &mut WriteTx,
    id: ExecutionJobId,
    lease: &str,
    progress: &Value,
) -> Result<bool, AppError> {
    let done = sqlx::query!(
        "update execution_jobs set progress = $4 where workspace_id = $1 and id = $2 and lease_owner = $3 and status = 'running'",
        tx.workspace_uuid(),
        id.0,
        lease,
        progress
    )
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Whether its worker is just so far, by what is kept.
pub(crate) async fn has_progress(
    tx: &mut ReadTx,
    id: ExecutionJobId,
    lease: &str,
    progress: &Value,
) -> Result<bool, AppError> {
    Ok(sqlx::query_scalar!(
        r#"select exists (select from execution_jobs
                          where workspace_id = $1 and id = $2 and lease_owner = $3 and progress = $4) as "has!""#,
        tx.workspace_uuid(),
        id.0,
        lease,
        progress
    )
    .fetch_one(tx.conn())
    .await?)
}

/// Notes where it runs. False: the job is another worker's now.
pub(crate) async fn keep_place(
    tx: &mut WriteTx,
    id: ExecutionJobId,
    lease: &str,
    container: &str,
    host: &str,
) -> Result<bool, AppError> {
    let done = sqlx::query!(
        "update execution_jobs set container_id = $4, target_host = $5
         where workspace_id = $1 and id = $2 and lease_owner = $3 and status = 'running'",
        tx.workspace_uuid(),
        id.0,
        lease,
        container,
        host
    )
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected() == 1)
}

/// The most memory that was seen, of this try.
pub(crate) async fn keep_peak(tx: &mut WriteTx, id: ExecutionJobId, peak_mb: i32) -> Result<(), AppError> {
    sqlx::query!(
        "update execution_jobs set peak_memory_mb = greatest(peak_memory_mb, $3) where workspace_id = $1 and id = $2",
        tx.workspace_uuid(),
        id.0,
        peak_mb
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// The worker is alive.
pub(crate) async fn beat(tx: &mut WriteTx, id: ExecutionJobId, lease: &str) -> Result<(), AppError> {
    sqlx::query!(
        "update execution_jobs set lease_until = now() + interval '60 seconds' where workspace_id = $1 and id = $2 and lease_owner = $3",
        tx.workspace_uuid(),
        id.0,
        lease
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// What a worker asks about its job each second.
pub(crate) struct Signs {
    pub is_ours: bool,
    pub is_cancelled: bool,
}

pub(crate) async fn signs(tx: &mut ReadTx, id: ExecutionJobId, lease: &str) -> Result<Signs, AppError> {
    Ok(sqlx::query_as!(
        Signs,
        r#"select coalesce(lease_owner = $3, false) as "is_ours!", cancel_requested_at is not null as "is_cancelled!"
           from execution_jobs where workspace_id = $1 and id = $2"#,
        tx.workspace_uuid(),
        id.0,
        lease
    )
    .fetch_one(tx.conn())
    .await?)
}

pub(crate) async fn ask_to_cancel(tx: &mut WriteTx, id: ExecutionJobId) -> Result<(), AppError> {
    let by = tx.user_id().map(|id| id.0);
    sqlx::query!(
        "update execution_jobs set cancel_requested_at = now(), cancelled_by = $3
         where workspace_id = $1 and id = $2 and cancel_requested_at is null",
        tx.workspace_uuid(),
        id.0,
        by
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Jobs that a job asked for and that have not ended.
pub(crate) async fn open_children(tx: &mut ReadTx, id: ExecutionJobId) -> Result<Vec<ExecutionJobId>, AppError> {
    Ok(sqlx::query_scalar!(
        r#"select id as "id: ExecutionJobId" from execution_jobs
           where workspace_id = $1 and parent_job_id = $2 and completed_at is null order by id"#,
        tx.workspace_uuid(),
        id.0
    )
    .fetch_all(tx.conn())
    .await?)
}

/// What came of a job: state, result, reason.
pub(crate) async fn came_of(
    tx: &mut ReadTx,
    id: ExecutionJobId,
) -> Result<(JobStatus, Option<JobResult>, Option<String>), AppError> {
    let row = sqlx::query!(
        r#"select status as "status: JobStatus", result as "result: Json<JobResult>", last_failure_reason
           from execution_jobs where workspace_id = $1 and id = $2"#,
        tx.workspace_uuid(),
        id.0
    )
    .fetch_one(tx.conn())
    .await?;
    Ok((row.status, row.result.map(|result| result.0), row.last_failure_reason))
}

/// What a person is called.
pub(crate) async fn person(tx: &mut ReadTx, id: UserId) -> Result<Option<String>, AppError> {
    Ok(sqlx::query_scalar!("select name from users where workspace_id = $1 and id = $2", tx.workspace_uuid(), id.0)
        .fetch_optional(tx.conn())
        .await?)
}
