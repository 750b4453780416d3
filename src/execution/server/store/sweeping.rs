//! Statements that find what was lost.

use patchbay_access::server::{Db, ReadTx, SystemTx};
use patchbay_shared::AppError;
use patchbay_shared::ids::{ExecutionJobId, SupervisorRunId, TargetId, WorkspaceId};

/// Jobs that wait for their turn, or should be at a worker, and have no row in the queue that goes on, with their pools. Those that wait for
/// scripts wait for them.
pub(crate) async fn without_queue(tx: &mut ReadTx) -> Result<Vec<(ExecutionJobId, String)>, AppError> {
    let rows = sqlx::query!(
        r#"select j.id as "id: ExecutionJobId", j.execution_target ->> 'pool' as "pool!" from execution_jobs j
           where j.workspace_id = $1 and j.completed_at is null and j.status in ('queued', 'running', 'failed_circuit_open')
             and not exists (select from execution_queue q where q.workspace_id = $1 and q.id = j.id and q.status <> 'completed')
             and not exists (select from execution_jobs c where c.workspace_id = $1 and c.parent_job_id = j.id and c.completed_at is null)
           order by j.id limit 500"#,
        tx.workspace_uuid()
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(|row| (row.id, row.pool)).collect())
}

/// Jobs that nobody is at although their time is over: no worker sees to their pool. One that a worker holds may have another's clock.
pub(crate) async fn overdue(tx: &mut ReadTx) -> Result<Vec<ExecutionJobId>, AppError> {
    Ok(sqlx::query_scalar!(
        r#"select j.id as "id: ExecutionJobId" from execution_jobs j
           where j.workspace_id = $1 and j.completed_at is null and j.status <> 'awaiting_approval'
             and (j.cancel_requested_at < now() - interval '5 minutes'
                  or (j.timeout_at < now() - interval '5 minutes'
                      and not exists (select from execution_jobs c
                                      where c.workspace_id = $1 and c.parent_job_id = j.id and c.completed_at is null)))
             and (j.lease_until is null or j.lease_until < now() - interval '5 minutes')
             and not exists (select from execution_queue q
                             where q.workspace_id = $1 and q.id = j.id and q.status = 'processing')
           order by j.id limit 500"#,
        tx.workspace_uuid()
    )
    .fetch_all(tx.conn())
    .await?)
}

/// Jobs of runs that wait for their turn for a while: whether their runs may go on is asked by nobody else.
pub(crate) async fn waiting_of_runs(tx: &mut ReadTx) -> Result<Vec<(ExecutionJobId, SupervisorRunId)>, AppError> {
    let rows = sqlx::query!(
        r#"select id as "id: ExecutionJobId", supervisor_run_id as "run!: SupervisorRunId" from execution_jobs
           where workspace_id = $1 and completed_at is null and status in ('queued', 'failed_circuit_open')
             and supervisor_run_id is not null and created_at < now() - interval '5 minutes'
           order by id limit 200"#,
        tx.workspace_uuid()
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(|row| (row.id, row.run)).collect())
}

/// Targets of these pools, also deactivated ones, whose jobs are processes of their own.
pub(crate) async fn targets(tx: &mut ReadTx, pools: &[String]) -> Result<Vec<TargetId>, AppError> {
    Ok(sqlx::query_scalar!(
        r#"select t.id as "id: TargetId" from execution_targets t
           where t.workspace_id = $1 and t.worker_pool = any($2)
             and exists (select from execution_jobs j where j.workspace_id = $1 and j.target_id = t.id)
             and not exists (select from execution_circuits c where c.workspace_id = $1 and c.target_id = t.id and c.opened_at is not null)
           order by t.id limit 100"#,
        tx.workspace_uuid(),
        pools
    )
    .fetch_all(tx.conn())
    .await?)
}

/// Of tries that are at a target, those that are this workspace's and over.
pub(crate) async fn over(
    tx: &mut ReadTx,
    jobs: &[uuid::Uuid],
    numbers: &[i32],
) -> Result<Vec<(uuid::Uuid, i32)>, AppError> {
    let rows = sqlx::query!(
        r#"select a.job_id, a.number from execution_attempts a
           join unnest($2::uuid[], $3::int[]) as n (job_id, number) on n.job_id = a.job_id and n.number = a.number
           where a.workspace_id = $1 and a.ended_at < now() - interval '2 minutes'"#,
        tx.workspace_uuid(),
        jobs,
        numbers
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(|row| (row.job_id, row.number)).collect())
}

/// All of them, for upkeep.
pub(crate) async fn workspaces(db: &Db) -> Result<Vec<WorkspaceId>, AppError> {
    let mut tx = SystemTx::open(db, "leftovers of jobs").await?;
    let ids = sqlx::query_scalar!(r#"select id as "id: WorkspaceId" from workspaces order by id"#)
        .fetch_all(tx.conn())
        .await?;
    Ok(ids)
}
