//! Statements about breakers. A row comes about with the first failure.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use patchbay_access::server::{ReadTx, WriteTx};
use patchbay_shared::AppError;
use patchbay_shared::ids::{CircuitId, EngineId, ExecutionJobId, TargetId};

pub(crate) struct Circuit {
    pub id: CircuitId,
    pub engine: EngineId,
    pub target: TargetId,
    pub failures: i32,
    pub opened_at: Option<DateTime<Utc>>,
    pub probe_at: Option<DateTime<Utc>>,
    pub probing: Option<ExecutionJobId>,
    /// The job that tries is at work.
    pub is_probing: bool,
    pub last_reason: Option<String>,
}

macro_rules! select_circuit {
    ($tail:literal, $tx:expr, $($arg:expr),+) => {
        sqlx::query_as!(
            Circuit,
            r#"select c.id as "id: CircuitId", c.engine_id as "engine: EngineId", c.target_id as "target: TargetId", c.failures, c.opened_at,
                      c.probe_at, c.probing_job_id as "probing: ExecutionJobId",
                      exists (select from execution_jobs j where j.workspace_id = $1 and j.id = c.probing_job_id and j.status = 'running')
                        as "is_probing!", c.last_reason
               from execution_circuits c where c.workspace_id = $1 "#
                + $tail,
            $tx.workspace_uuid(),
            $($arg),+
        )
    };
}

/// The breaker of an engine on a target, held. None: nothing has failed there yet.
pub(crate) async fn lock(tx: &mut WriteTx, engine: EngineId, target: TargetId) -> Result<Option<Circuit>, AppError> {
    let found =
        select_circuit!("and c.engine_id = $2 and c.target_id = $3 for no key update of c", tx, engine.0, target.0);
    Ok(found.fetch_optional(tx.conn()).await?)
}

/// Errors: `NotFound`.
pub(crate) async fn lock_by_id(tx: &mut WriteTx, id: CircuitId) -> Result<Circuit, AppError> {
    Ok(select_circuit!("and c.id = $2 for no key update of c", tx, id.0).fetch_one(tx.conn()).await?)
}

/// Open breakers whose time to try has come.
pub(crate) async fn due(tx: &mut ReadTx) -> Result<Vec<(EngineId, TargetId)>, AppError> {
    let rows = sqlx::query!(
        r#"select engine_id as "engine: EngineId", target_id as "target: TargetId" from execution_circuits
           where workspace_id = $1 and probe_at <= now() order by probe_at limit 100"#,
        tx.workspace_uuid()
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(|row| (row.engine, row.target)).collect())
}

/// Counts a failure. Gives how many there are in a row.
pub(crate) async fn add_failure(
    tx: &mut WriteTx,
    engine: EngineId,
    target: TargetId,
    reason: &str,
) -> Result<i32, AppError> {
    Ok(sqlx::query_scalar!(
        "insert into execution_circuits (workspace_id, id, engine_id, target_id, failures, last_reason) values ($1, $2, $3, $4, 1, $5)
         on conflict (workspace_id, engine_id, target_id) do update
           set failures = execution_circuits.failures + 1, last_reason = excluded.last_reason, updated_at = now()
         returning failures",
        tx.workspace_uuid(),
        Uuid::now_v7(),
        engine.0,
        target.0,
        reason
    )
    .fetch_one(tx.conn())
    .await?)
}

/// Opens it, or keeps it open, until one job may try.
pub(crate) async fn open(tx: &mut WriteTx, engine: EngineId, target: TargetId, seconds: u64) -> Result<(), AppError> {
    sqlx::query!(
        "update execution_circuits set opened_at = coalesce(opened_at, now()), probe_at = now() + make_interval(secs => $4),
                probing_job_id = null, updated_at = now()
         where workspace_id = $1 and engine_id = $2 and target_id = $3",
        tx.workspace_uuid(),
        engine.0,
        target.0,
        seconds as f64
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Closes it. Gives whether it was open.
pub(crate) async fn close(tx: &mut WriteTx, engine: EngineId, target: TargetId) -> Result<bool, AppError> {
    let was_open = sqlx::query_scalar!(
        r#"with before as (
             select id, opened_at from execution_circuits where workspace_id = $1 and engine_id = $2 and target_id = $3 for no key update)
           update execution_circuits c set failures = 0, opened_at = null, probe_at = null, probing_job_id = null, updated_at = now()
           from before where c.workspace_id = $1 and c.id = before.id and (c.failures > 0 or c.opened_at is not null)
           returning before.opened_at is not null as "was_open!""#,
        tx.workspace_uuid(),
        engine.0,
        target.0
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(was_open.unwrap_or(false))
}

/// This job tries.
pub(crate) async fn probe(tx: &mut WriteTx, id: CircuitId, job: ExecutionJobId) -> Result<(), AppError> {
    sqlx::query!(
        "update execution_circuits set probing_job_id = $3, updated_at = now() where workspace_id = $1 and id = $2",
        tx.workspace_uuid(),
        id.0,
        job.0
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// One job may try now. False: it is closed.
pub(crate) async fn let_probe(tx: &mut WriteTx, id: CircuitId) -> Result<bool, AppError> {
    let done = sqlx::query!(
        "update execution_circuits set probe_at = now(), updated_at = now() where workspace_id = $1 and id = $2 and opened_at is not null",
        tx.workspace_uuid(),
        id.0
    )
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Jobs of an engine on a target that wait for its breaker, with their pools.
pub(crate) async fn behind_circuit(
    tx: &mut ReadTx,
    engine: EngineId,
    target: TargetId,
) -> Result<Vec<(ExecutionJobId, String)>, AppError> {
    let rows = sqlx::query!(
        r#"select id as "id: ExecutionJobId", execution_target ->> 'pool' as "pool!" from execution_jobs
           where workspace_id = $1 and engine_id = $2 and target_id = $3 and status = 'failed_circuit_open' and completed_at is null
           order by id limit 1000"#,
        tx.workspace_uuid(),
        engine.0,
        target.0
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(|row| (row.id, row.pool)).collect())
}

/// The same wait for their turn again: the breaker has closed.
pub(crate) async fn leave_circuit(tx: &mut WriteTx, engine: EngineId, target: TargetId) -> Result<(), AppError> {
    sqlx::query!(
        "update execution_jobs set status = 'queued', next_attempt_at = null
         where workspace_id = $1 and id in (
           select j.id from execution_jobs j
           where j.workspace_id = $1 and j.engine_id = $2 and j.target_id = $3 and j.status = 'failed_circuit_open' and j.completed_at is null
           order by j.id for no key update skip locked)",
        tx.workspace_uuid(),
        engine.0,
        target.0
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}
