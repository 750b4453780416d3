//! What is looked at before a job starts: the target with what it has left, the engine, the client, the workspace.

use sqlx::types::Json;

use crate::model::{Capacity, EngineConfig, TargetConfig, TargetSnapshot};
use patchbay_access::server::{ReadTx, WriteTx};
use patchbay_shared::AppError;
use patchbay_shared::ids::{ClientId, EngineId, ExecutionJobId, SupervisorRunId, TargetId};

/// A target as it is now.
pub(crate) struct TargetNow {
    pub snapshot: TargetSnapshot,
    pub is_active: bool,
    pub is_held: bool,
}

/// Errors: `NotFound`.
pub(crate) async fn target(tx: &mut ReadTx, id: TargetId) -> Result<TargetNow, AppError> {
    let row = sqlx::query!(
        r#"select name, connection_config as "config: Json<TargetConfig>", capacity as "capacity: Json<Capacity>", worker_pool, is_active,
                  held_at is not null as "is_held!"
           from execution_targets where workspace_id = $1 and id = $2"#,
        tx.workspace_uuid(),
        id.0
    )
    .fetch_one(tx.conn())
    .await?;
    let snapshot =
        TargetSnapshot { id, name: row.name, pool: row.worker_pool, config: row.config.0, capacity: row.capacity.0 };
    Ok(TargetNow { snapshot, is_active: row.is_active, is_held: row.is_held })
}

/// Holds the target, so that two workers do not give its last place away twice.
pub(crate) async fn hold(tx: &mut WriteTx, id: TargetId) -> Result<(), AppError> {
    sqlx::query!(
        "select id from execution_targets where workspace_id = $1 and id = $2 for no key update",
        tx.workspace_uuid(),
        id.0
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(())
}

/// What runs on a target beside this job.
pub(crate) struct Taken {
    pub slots: i64,
    pub memory_mb: i64,
    pub cpu_milli: i64,
}

pub(crate) async fn taken(tx: &mut ReadTx, id: TargetId, but: ExecutionJobId) -> Result<Taken, AppError> {
    Ok(sqlx::query_as!(
        Taken,
        r#"select count(*) as "slots!",
                  coalesce(sum(memory_limit_mb) filter (where worker_config #>> '{config,type}' = 'process'), 0)::bigint as "memory_mb!",
                  coalesce(sum((worker_config #>> '{config,cpu_milli}')::int), 0)::bigint as "cpu_milli!"
           from execution_jobs
           where workspace_id = $1 and target_id = $2 and status = 'running' and completed_at is null and id <> $3"#,
        tx.workspace_uuid(),
        id.0,
        but.0
    )
    .fetch_one(tx.conn())
    .await?)
}

/// How many jobs wait for a place on a target since before this one, up to two hundred.
pub(crate) async fn before(tx: &mut ReadTx, id: TargetId, job: ExecutionJobId) -> Result<u32, AppError> {
    let count = sqlx::query_scalar!(
        r#"select count(*) as "count!" from (
             select from execution_jobs
             where workspace_id = $1 and target_id = $2 and status = 'queued' and completed_at is null and id < $3 limit 240) waiting"#,
        tx.workspace_uuid(),
        id.0,
        job.0
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(u32::try_from(count).unwrap_or(u32::MAX))
}

/// The name of the client, if it is archived.
pub(crate) async fn archived(tx: &mut ReadTx, client: ClientId) -> Result<Option<String>, AppError> {
    Ok(sqlx::query_scalar!(
        "select name from clients where workspace_id = $1 and id = $2 and status = 'archived'",
        tx.workspace_uuid(),
        client.0
    )
    .fetch_optional(tx.conn())
    .await?)
}

/// An engine that runs commands.
pub(crate) struct ScriptEngine {
    pub id: EngineId,
    pub name: String,
    pub config: Json<EngineConfig>,
}

/// The active engines that run commands, the default first.
pub(crate) async fn script_engines(tx: &mut ReadTx) -> Result<Vec<ScriptEngine>, AppError> {
    Ok(sqlx::query_as!(
        ScriptEngine,
        r#"select id as "id: EngineId", name, handler_config as "config: Json<EngineConfig>" from execution_engines
           where workspace_id = $1 and type = 'process' and is_active order by is_default desc, lower(name) limit 100"#,
        tx.workspace_uuid()
    )
    .fetch_all(tx.conn())
    .await?)
}

/// Whether a run has made another job after this one.
pub(crate) async fn is_followed(tx: &mut ReadTx, run: SupervisorRunId, id: ExecutionJobId) -> Result<bool, AppError> {
    Ok(sqlx::query_scalar!(
        r#"select exists (select from execution_jobs j join execution_jobs o on o.workspace_id = $1 and o.id = $3
                          where j.workspace_id = $1 and j.supervisor_run_id = $2 and j.parent_job_id is null and j.id <> $3
                            and (j.created_at, j.id) > (o.created_at, o.id)) as "followed!""#,
        tx.workspace_uuid(),
        run.0,
        id.0
    )
    .fetch_one(tx.conn())
    .await?)
}
