//! What was lost: jobs whose row in the queue is gone or given up, jobs that no worker sees to, approvals that nobody moved on.

use std::time::Duration;

use super::ending::{cancel_reason, end, lock_downwards};
use super::jobs::MoveOnExecution;
use super::store::{approvals, attempts, circuits, jobs, queue, sweeping};
use super::watching::run_stops;
use super::{QUEUE, changing};
use crate::model::moves::is_ended;
use crate::model::{JobStatus, Outcome};
use patchbay_access::Action;
use patchbay_access::server::{Scope, WriteTx};
use patchbay_jobs::{NewJob, enqueue};
use patchbay_shared::AppError;
use patchbay_shared::ids::ExecutionJobId;
use patchbay_workspaces::server as workspaces;

/// Finds it and has it go on, or ends it with the reason. Safe to repeat.
pub async fn sweep(scope: &Scope) -> Result<(), AppError> {
    let mut tx = scope.write(Action::ManageExecution).await?;
    for approval in approvals::to_move_on(tx.reading()).await? {
        enqueue(&mut tx, &MoveOnExecution { approval }, NewJob::default()).await?;
    }
    for (job, pool) in sweeping::without_queue(tx.reading()).await? {
        tracing::warn!(job = %job, "a job had no place in the queue, and has one again");
        queue::put(&mut tx, job, &pool, Duration::ZERO).await?;
        tx.wake(QUEUE);
    }
    for (engine, target) in circuits::due(tx.reading()).await? {
        changing::wake_waiting(&mut tx, engine, target).await?;
    }
    queue::prune(&mut tx).await?;
    tx.commit().await?;
    let mut tx = scope.read(Action::ManageExecution).await?;
    let mut lost = Vec::new();
    for (job, error) in queue::given_up(&mut tx).await? {
        let why = error.unwrap_or_else(|| "It was tried again and again.".to_owned());
        lost.push((job, format!("It was given up. {why}")));
    }
    // Nothing starts in a suspended workspace, so nothing waits for too long there.
    if !workspaces::is_suspended(&mut tx).await? {
        for job in sweeping::overdue(&mut tx).await? {
            lost.push((job, "Its time is over, and no worker of its target’s pool is there.".to_owned()));
        }
    }
    for (job, run) in sweeping::waiting_of_runs(&mut tx).await? {
        if let Some(why) = run_stops(&mut tx, Some(run)).await? {
            lost.push((job, why));
        }
    }
    drop(tx);
    for (job, reason) in lost {
        // One job's trouble is not the others'.
        if let Err(error) = end_lost(scope, job, &reason).await {
            tracing::warn!(%job, cause = %error, "a lost job will be ended in five minutes");
        }
    }
    Ok(())
}

/// Ends a job that nobody is at.
async fn end_lost(scope: &Scope, id: ExecutionJobId, reason: &str) -> Result<(), AppError> {
    let mut tx: WriteTx = scope.write(Action::ManageExecution).await?;
    let job = lock_downwards(&mut tx, id).await?;
    if is_ended(job.status) {
        return Ok(());
    }
    tracing::warn!(job = %id, reason, "a job was lost, and is ended as failed");
    let reason = match job.cancel_requested_at {
        Some(_) => cancel_reason(&mut tx, &job).await?,
        None => reason.to_owned(),
    };
    let ended =
        attempts::EndedAttempt { outcome: Outcome::Lost, reason: Some(&reason), exit_code: None, peak_mb: None };
    attempts::end(&mut tx, id, &ended).await?;
    end(&mut tx, &job, JobStatus::Failed, None, Some(&reason)).await?;
    tx.commit().await
}

/// The workspace is active again: what waits in its queue is looked at now.
pub async fn look_now(tx: &mut WriteTx) -> Result<(), AppError> {
    jobs::wait_anew(tx).await?;
    queue::look_now(tx).await?;
    tx.wake(QUEUE);
    Ok(())
}
