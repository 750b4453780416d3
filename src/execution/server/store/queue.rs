//! Statements about the queue: a row for each job that waits for a worker or is at one. `patchbay_jobs::lease` claims and finishes them.

use std::time::Duration;

use uuid::Uuid;

use patchbay_access::server::{ReadTx, WriteTx};
use patchbay_jobs::lease::Claim;
use patchbay_shared::AppError;
use patchbay_shared::ids::{ExecutionJobId, TargetId};

/// Puts a job into the queue of its pool, or gives a row that is done another round. One that a worker holds is left to it.
pub(crate) async fn put(tx: &mut WriteTx, job: ExecutionJobId, pool: &str, wait: Duration) -> Result<(), AppError> {
    sqlx::query!(
        "insert into execution_queue (id, workspace_id, pool, next_attempt_at) values ($1, $2, $3, now() + make_interval(secs => $4))
         on conflict (id) do update
           set status = 'pending', pool = excluded.pool, worker_deaths = 0, next_attempt_at = excluded.next_attempt_at,
               last_error = null, finished_at = null, lease_owner = null, lease_until = null
           where execution_queue.status <> 'processing'",
        job.0,
        tx.workspace_uuid(),
        pool,
        wait.as_secs_f64()
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// A worker gives its claim back, for later; what it did meanwhile counts as life. False: it is another worker's.
pub(crate) async fn give_back(tx: &mut WriteTx, claim: &Claim, pool: &str, wait: Duration) -> Result<bool, AppError> {
    let done = sqlx::query!(
        "update execution_queue set status = 'pending', pool = $5, worker_deaths = 0, lease_owner = null, lease_until = null,
                last_error = null, next_attempt_at = now() + make_interval(secs => $6)
         where workspace_id = $1 and id = $2 and status = 'processing' and lease_owner = $3 and attempts = $4",
        tx.workspace_uuid(),
        claim.id,
        claim.owner,
        claim.attempt,
        pool,
        wait.as_secs_f64()
    )
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Takes a job out of the queue that no worker holds, because it has ended.
pub(crate) async fn take_out(tx: &mut WriteTx, job: ExecutionJobId) -> Result<(), AppError> {
    sqlx::query!(
        "update execution_queue set status = 'completed', finished_at = now(), lease_owner = null, lease_until = null
         where workspace_id = $1 and id = $2 and status in ('pending', 'failed')",
        tx.workspace_uuid(),
        job.0
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// The pool of a claim. None: it is another worker's now.
pub(crate) async fn pool_of_ours(tx: &mut ReadTx, claim: &Claim) -> Result<Option<String>, AppError> {
    Ok(sqlx::query_scalar!(
        "select pool from execution_queue
         where workspace_id = $1 and id = $2 and status = 'processing' and lease_owner = $3 and attempts = $4",
        tx.workspace_uuid(),
        claim.id,
        claim.owner,
        claim.attempt
    )
    .fetch_optional(tx.conn())
    .await?)
}

/// Rows of this workspace that a worker holds.
pub(crate) async fn held_by(tx: &mut ReadTx, owner: Uuid) -> Result<i64, AppError> {
    Ok(sqlx::query_scalar!(
        r#"select count(*) as "count!" from execution_queue where workspace_id = $1 and status = 'processing' and lease_owner = $2"#,
        tx.workspace_uuid(),
        owner
    )
    .fetch_one(tx.conn())
    .await?)
}

/// A place on a target may be free: those that wait for it longest are looked at.
pub(crate) async fn wake_next(tx: &mut WriteTx, target: TargetId) -> Result<(), AppError> {
    sqlx::query!(
        "update execution_queue set next_attempt_at = now()
         where workspace_id = $1 and id in (
           select q.id from execution_queue q
           where q.workspace_id = $1 and q.status = 'pending' and q.next_attempt_at > now() and q.id in (
             select j.id from execution_jobs j
             where j.workspace_id = $1 and j.target_id = $2 and j.status = 'queued' and j.completed_at is null and j.next_attempt_at is null
             order by j.created_at, j.id limit 4)
           order by q.id for update skip locked)",
        tx.workspace_uuid(),
        target.0
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// The workspace is active again: what waits in its queue is looked at now, but for what waits for a breaker or after a failure.
pub(crate) async fn look_now(tx: &mut WriteTx) -> Result<(), AppError> {
    sqlx::query!(
        "update execution_queue q set next_attempt_at = now()
         where q.workspace_id = $1 and q.status = 'pending' and q.next_attempt_at > now()
           and not exists (select from execution_jobs j where j.workspace_id = $1 and j.id = q.id and j.next_attempt_at > now())",
        tx.workspace_uuid()
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// How the row of a job stands that is not done: whether three workers died with it, or it was given up, and why.
pub(crate) async fn given_up(tx: &mut ReadTx) -> Result<Vec<(ExecutionJobId, Option<String>)>, AppError> {
    let rows = sqlx::query!(
        r#"select q.id as "id: ExecutionJobId", q.last_error from execution_queue q
           join execution_jobs j on j.workspace_id = $1 and j.id = q.id
           where q.workspace_id = $1 and q.status = 'failed' and j.completed_at is null order by q.id limit 500"#,
        tx.workspace_uuid()
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(|row| (row.id, row.last_error)).collect())
}

/// Removes rows of a week ago that are done.
pub(crate) async fn prune(tx: &mut WriteTx) -> Result<(), AppError> {
    sqlx::query!(
        "delete from execution_queue where workspace_id = $1 and id in (
           select id from execution_queue where workspace_id = $1 and status = 'completed' and finished_at < now() - interval '7 days' limit 5000)",
        tx.workspace_uuid()
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// What the job and its try call the worker that holds them: the machine, the worker, and its claim.
pub(crate) fn lease_name(host: &str, owner: Uuid, attempt: i32) -> String {
    let owner = owner.simple().to_string();
    format!("{host}/{}.{attempt}", &owner[owner.len() - 8..])
}
