//! What becomes of a job after a try, in one transaction with the end of the worker's claim.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;

use super::adding::waits_until;
use super::ending::{cancel_reason, end, notify};
use super::hooks::{RunSpent, Spent};
use super::plain::{cut, storable};
use super::starting::{Started, to_circuit};
use super::steps::{NewStepRow, record};
use super::store::jobs::{self, Job, Waits};
use super::store::{attempts, queue, starting as targets};
use super::{QUEUE, circuits};
use crate::model::moves::{Facts, Happened, Next, after, backoff_seconds};
use crate::model::{JobResult, JobStatus, Outcome, StepKind};
use patchbay_access::Action;
use patchbay_access::server::{Scope, WriteTx};
use patchbay_jobs::lease::{Claim, EXECUTIONS, finish};
use patchbay_shared::AppError;

/// The longest reason.
const LONGEST_REASON: usize = 2000;

/// A try and what came of it.
#[derive(Debug, Clone)]
pub(super) struct Tried {
    pub happened: Happened,
    pub result: JobResult,
    pub peak_mb: Option<i32>,
    /// A limit ended it.
    pub is_limit: bool,
}

impl Tried {
    pub(super) fn of(happened: Happened) -> Self {
        Self { happened, result: JobResult::default(), peak_mb: None, is_limit: false }
    }
}

fn outcome(happened: &Happened) -> Outcome {
    match happened {
        Happened::Completed => Outcome::Completed,
        Happened::Failed(_) | Happened::Passing(_) | Happened::Trouble(_) => Outcome::Failed,
        Happened::OutOfMemory(_) => Outcome::Oom,
        Happened::TimedOut(_) => Outcome::Timeout,
        Happened::Cancelled(_) => Outcome::Cancelled,
        Happened::Lost(_) => Outcome::Lost,
    }
}

fn reason(happened: &Happened) -> Option<&str> {
    match happened {
        Happened::Completed => None,
        Happened::Failed(why)
        | Happened::Passing(why)
        | Happened::Trouble(why)
        | Happened::OutOfMemory(why)
        | Happened::TimedOut(why)
        | Happened::Cancelled(why)
        | Happened::Lost(why) => Some(why),
    }
}

/// The same with a reason that the database takes and a page shows.
fn plain(happened: Happened) -> Happened {
    let plain = |why: String| storable(cut(&why, LONGEST_REASON));
    match happened {
        Happened::Completed => Happened::Completed,
        Happened::Failed(why) => Happened::Failed(plain(why)),
        Happened::Passing(why) => Happened::Passing(plain(why)),
        Happened::OutOfMemory(why) => Happened::OutOfMemory(plain(why)),
        Happened::TimedOut(why) => Happened::TimedOut(plain(why)),
        Happened::Cancelled(why) => Happened::Cancelled(plain(why)),
        Happened::Lost(why) => Happened::Lost(plain(why)),
        Happened::Trouble(why) => Happened::Trouble(plain(why)),
    }
}

/// Ends a try and moves its job on. False: whoever has lost the claim changes nothing.
pub(super) async fn settle(scope: &Scope, claim: &Claim, started: &Started, tried: Tried) -> Result<bool, AppError> {
    let mut tx = scope.write(Action::ManageExecution).await?;
    let mut happened = plain(tried.happened);
    if let Happened::Cancelled(why) = &mut happened
        && why.is_empty()
    {
        let now = jobs::get(tx.reading(), started.job.id).await?;
        *why = cancel_reason(&mut tx, &now).await?;
    }
    // The run first, then whoever asked for the job, then the job, as everywhere.
    if let Some(parent) = started.job.parent {
        if let Some(run) = started.job.run {
            let hook = tx.services().hooks.get::<RunSpent>()?.0;
            hook(&mut tx, run, Spent::default()).await?;
        }
        jobs::lock(&mut tx, parent).await?;
    }
    step(&mut tx, started, &happened, &tried.result, tried.is_limit).await?;
    let job = jobs::lock(&mut tx, started.job.id).await?;
    if !is_ours(&mut tx, claim, started, &job).await? {
        return Ok(false);
    }
    let circuit = match &happened {
        Happened::Trouble(why) => circuits::failed(&mut tx, &job, why).await?,
        Happened::Completed | Happened::Failed(_) | Happened::OutOfMemory(_) => {
            circuits::succeeded(&mut tx, &job).await?;
            None
        }
        _ => None,
    };
    let target = targets::target(tx.reading(), job.target).await?;
    let facts = Facts {
        retry_count: job.retry_count,
        max_retries: job.max_retries,
        memory_mb: job.memory_limit_mb,
        most_memory_mb: i32::try_from(target.snapshot.capacity.memory_mb).unwrap_or(i32::MAX),
        had_oom: attempts::had_oom(tx.reading(), job.id).await?,
        is_circuit_open: circuit.is_some(),
    };
    let ended = attempts::EndedAttempt {
        outcome: outcome(&happened),
        reason: reason(&happened),
        exit_code: tried.result.exit_code,
        peak_mb: tried.peak_mb,
    };
    attempts::end(&mut tx, job.id, &ended).await?;
    if let Some(peak) = tried.peak_mb {
        jobs::keep_peak(&mut tx, job.id, peak).await?;
    }
    let now = tx.reading().now().await?;
    match after(happened, facts) {
        Next::End(status, why) => {
            if !finish(tx.conn(), EXECUTIONS, claim).await? {
                return Ok(false);
            }
            end(&mut tx, &job, status, Some(&tried.result), why.as_deref()).await?;
        }
        Next::Again { memory_mb, waits, reason } => {
            let seconds = if waits { backoff_seconds(job.retry_count, job.id.0.as_u128()) } else { 0 };
            let wait = Duration::from_secs(seconds);
            let row = Waits {
                status: JobStatus::Queued,
                reason: Some(&reason),
                until: waits.then(|| now + TimeDelta::seconds(i64::try_from(seconds).unwrap_or_default())),
                memory_mb,
                retry_count: job.retry_count + 1,
                timeout_at: waits_until(&mut tx).await?,
            };
            jobs::wait(&mut tx, job.id, &row).await?;
            give_back(&mut tx, claim, &job, wait).await?;
        }
        Next::Circuit(reason) => {
            let wait = Duration::from_secs(circuit.unwrap_or(30));
            let until: DateTime<Utc> = now + TimeDelta::from_std(wait).unwrap_or_default();
            let timeout_at = started.waits_until;
            to_circuit(&mut tx, &Job { timeout_at, ..job.clone() }, until, &reason).await?;
            give_back(&mut tx, claim, &job, wait).await?;
        }
    }
    queue::wake_next(&mut tx, job.target).await?;
    tx.wake(QUEUE);
    tx.commit().await?;
    Ok(true)
}

async fn is_ours(tx: &mut WriteTx, claim: &Claim, started: &Started, job: &Job) -> Result<bool, AppError> {
    let is_claimed = queue::pool_of_ours(tx.reading(), claim).await?.is_some();
    Ok(is_claimed && job.status == JobStatus::Running && job.lease_owner.as_deref() == Some(&started.lease))
}

async fn give_back(tx: &mut WriteTx, claim: &Claim, job: &Job, wait: Duration) -> Result<(), AppError> {
    queue::give_back(tx, claim, &job.snapshot.pool, wait).await?;
    if wait.is_zero() {
        tx.wake(QUEUE);
    }
    notify(tx, job.id, job.run);
    Ok(())
}

/// The step of a process, and of a limit.
async fn step(
    tx: &mut WriteTx,
    started: &Started,
    happened: &Happened,
    result: &JobResult,
    is_limit: bool,
) -> Result<(), AppError> {
    let (job, error) = (&started.job, reason(happened));
    let new = NewStepRow {
        run: job.run,
        job: Some(job.id),
        agent: job.agent,
        kind: if is_limit { StepKind::Limit } else { StepKind::Process },
        title: if is_limit { "Limit reached" } else { &job.title },
        payload: match is_limit {
            true => json!({"reason": error}),
            false => json!({"job": job.id, "exit_code": result.exit_code, "output": result.output}),
        },
        began: started.began,
        took: (started.clock.now() - started.began).to_std().unwrap_or_default(),
        tokens: None,
        cost: None,
        error,
    };
    if is_limit || job.is_process() { record(tx, &new).await } else { Ok(()) }
}

/// How a try is put off.
pub(super) struct Put {
    pub status: JobStatus,
    /// None: something else puts it into the queue again.
    pub wait: Option<Duration>,
    /// Why, for whoever reads the tries.
    pub reason: String,
    /// Until when it waits at most, if that is longer than usual.
    pub expires: Option<DateTime<Utc>>,
    /// It waits no longer than it would have, had it not been begun.
    pub keeps_deadline: bool,
}

/// Gives a job back without having failed: its target is full, or it waits for people or for other jobs. False: it is another worker's.
pub(super) async fn put_off(tx: &mut WriteTx, claim: &Claim, started: &Started, put: &Put) -> Result<bool, AppError> {
    let job = jobs::lock(tx, started.job.id).await?;
    if !is_ours(tx, claim, started, &job).await? {
        return Ok(false);
    }
    // Whoever cancels it now waits for nobody: it is ended when it is looked at next.
    let is_cancelled = job.cancel_requested_at.is_some();
    let (status, wait) = match is_cancelled {
        true => (JobStatus::Queued, Some(Duration::ZERO)),
        false => (put.status, put.wait),
    };
    let ended = attempts::EndedAttempt {
        outcome: Outcome::HeldBack,
        reason: Some(&put.reason),
        exit_code: None,
        peak_mb: None,
    };
    attempts::end(tx, job.id, &ended).await?;
    let timeout_at = if put.keeps_deadline { started.waits_until } else { waits_until(tx).await? };
    let more = put.expires.map_or_else(TimeDelta::zero, |at| at - (timeout_at - TimeDelta::hours(24)));
    let row = Waits {
        status,
        reason: None,
        until: None,
        memory_mb: job.memory_limit_mb,
        retry_count: job.retry_count,
        timeout_at: timeout_at + more.max(TimeDelta::zero()),
    };
    jobs::wait(tx, job.id, &row).await?;
    queue::wake_next(tx, job.target).await?;
    tx.wake(QUEUE);
    match wait {
        Some(wait) => give_back(tx, claim, &job, wait).await?,
        None => {
            finish(tx.conn(), EXECUTIONS, claim).await?;
            notify(tx, job.id, job.run);
        }
    }
    Ok(true)
}
