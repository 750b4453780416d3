//! A job ends: by itself, by a person, or by time. What waits for its end goes on, and nobody is asked for it any more.

use std::time::Duration;

use serde_json::json;

use super::hooks::{Ended, JobEnded};
use super::store::jobs::Job;
use super::store::{approvals, attempts, jobs, queue};
use super::{QUEUE, adding, asking};
use crate::model::moves::{is_ended, may_move};
use crate::model::{JobResult, JobStatus, Outcome};
use patchbay_access::server::{Change, Fields, WriteTx};
use patchbay_jobs::live::Topic;
use patchbay_shared::ids::{ExecutionJobId, SupervisorRunId};
use patchbay_shared::{AppError, Reason};

/// Tells open pages that a job changed.
pub(super) fn notify(tx: &mut WriteTx, id: ExecutionJobId, run: Option<SupervisorRunId>) {
    tx.notify(Topic::list("execution"), None);
    tx.notify(Topic::one("execution_job", id), None);
    if let Some(run) = run {
        tx.notify(Topic::one("supervisor_run", run), None);
    }
}

/// Ends a job that is held by this transaction. Its worker has marked its own claim before.
pub(super) async fn end(
    tx: &mut WriteTx,
    job: &Job,
    status: JobStatus,
    result: Option<&JobResult>,
    reason: Option<&str>,
) -> Result<(), AppError> {
    if !may_move(job.status, status) {
        return Ok(());
    }
    jobs::end(tx, job.id, status, result, reason).await?;
    queue::take_out(tx, job.id).await?;
    for (approval, client) in approvals::withdraw(tx, job.id).await? {
        asking::notify(tx, approval, client);
    }
    for child in jobs::open_children(tx.reading(), job.id).await? {
        Box::pin(stop(tx, child, "The job that asked for it has ended.")).await?;
    }
    match (job.parent, job.run) {
        (Some(parent), _) => wake_parent(tx, parent).await?,
        (None, Some(run)) => {
            let hook = tx.services().hooks.get::<JobEnded>()?.0;
            hook(tx, Ended { job: job.id, run }).await?;
        }
        (None, None) => {}
    }
    notify(tx, job.id, job.run);
    Ok(())
}

/// A job that waits for others goes on when one of them has ended, and sees for itself whether all have.
async fn wake_parent(tx: &mut WriteTx, parent: ExecutionJobId) -> Result<(), AppError> {
    let parent = jobs::lock(tx, parent).await?;
    if parent.status == JobStatus::Queued {
        let until = adding::waits_until(tx).await?;
        jobs::set_timeout(tx, parent.id, until).await?;
        queue::put(tx, parent.id, &parent.snapshot.pool, Duration::ZERO).await?;
        tx.wake(QUEUE);
    }
    Ok(())
}

/// Holds a job, and before it the one that asked for it: whoever ends that one holds them in the same order.
pub(super) async fn lock_downwards(tx: &mut WriteTx, id: ExecutionJobId) -> Result<Job, AppError> {
    if let Some(parent) = jobs::get(tx.reading(), id).await?.parent {
        jobs::lock(tx, parent).await?;
    }
    jobs::lock(tx, id).await
}

/// Ends a job at once when nobody is at it, and else asks its worker to end it. Gives how it stood; `None`: it had ended.
pub(super) async fn stop(tx: &mut WriteTx, id: ExecutionJobId, reason: &str) -> Result<Option<Job>, AppError> {
    let job = lock_downwards(tx, id).await?;
    if is_ended(job.status) {
        return Ok(None);
    }
    jobs::ask_to_cancel(tx, id).await?;
    if job.status == JobStatus::Running {
        // Its worker looks each second.
        notify(tx, id, job.run);
        return Ok(Some(job));
    }
    let ended =
        attempts::EndedAttempt { outcome: Outcome::Cancelled, reason: Some(reason), exit_code: None, peak_mb: None };
    attempts::end(tx, id, &ended).await?;
    end(tx, &job, JobStatus::Failed, None, Some(reason)).await?;
    Ok(Some(job))
}

/// Cancels a job: the work is really ended, then the job. One that has ended stays as it is. Errors: `NotFound`.
pub async fn cancel(tx: &mut WriteTx, id: ExecutionJobId) -> Result<(), AppError> {
    let reason = match tx.user_id() {
        Some(by) => cancelled_by(jobs::person(tx.reading(), by).await?.as_deref()),
        None => CANCELLED_WITH_RUN.to_owned(),
    };
    let Some(job) = stop(tx, id, &reason).await? else { return Ok(()) };
    // Asked for twice is written down once; what a run does stands in the run.
    if job.cancel_requested_at.is_none() && tx.user_id().is_some() {
        record_job(tx, "cancelled", &job, json!({"title": job.title, "status": job.status})).await?;
    }
    Ok(())
}

pub(super) const CANCELLED_WITH_RUN: &str = "Cancelled with its run.";

pub(super) fn cancelled_by(name: Option<&str>) -> String {
    format!("Cancelled by {}.", name.unwrap_or("somebody who is not here any more"))
}

/// Why a job was cancelled, for its worker.
pub(super) async fn cancel_reason(tx: &mut WriteTx, job: &Job) -> Result<String, AppError> {
    Ok(match job.cancelled_by {
        Some(by) => cancelled_by(jobs::person(tx.reading(), by).await?.as_deref()),
        None if job.parent.is_some() => "The job that asked for it has ended.".to_owned(),
        None => CANCELLED_WITH_RUN.to_owned(),
    })
}

/// Writes into the audit log what a person had done with a job.
pub(super) async fn record_job(
    tx: &mut WriteTx,
    action: &str,
    job: &Job,
    facts: serde_json::Value,
) -> Result<(), AppError> {
    let fields = Fields::Happened(facts);
    tx.audit(Change { action, entity: "execution_job", entity_id: Some(job.id.0), client_id: None, fields }).await
}

pub(super) fn wrong_state(why: &str) -> AppError {
    AppError::Conflict(Reason::WrongState, why.to_owned())
}
