//! A worker has a job from the queue: whether it starts now, goes on after another worker was lost, waits, or ends here.

use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use tokio::sync::Mutex;

use super::adding;
use super::circuits::{self, Gate};
use super::clock::{Clock, left};
use super::ending::{cancel_reason, end, notify};
use super::store::jobs::{self, Job, Waits};
use super::store::{attempts, queue, starting as store};
use crate::model::moves::is_ended;
use crate::model::{EngineConfig, JobStatus, Outcome};
use patchbay_access::Action;
use patchbay_access::server::{Scope, WriteTx};
use patchbay_jobs::lease::{Claim, EXECUTIONS, finish};
use patchbay_jobs::runner::Verdict;
use patchbay_shared::AppError;
use patchbay_shared::ids::ExecutionJobId;
use patchbay_workspaces::server as workspaces;

/// How long a job of a suspended workspace waits before it is looked at again. Reactivation wakes it sooner.
pub(super) const SUSPENDED: Duration = Duration::from_secs(900);
/// Jobs of one agency that a worker is at: the other places are the others'.
const MOST_OF_ONE: i64 = 32;
/// How long a job waits for a place on its target, or at its worker: longer with every few that are before it. Whoever ends wakes the next.
const FULL: Duration = Duration::from_secs(2);
const FULL_AT_MOST: Duration = Duration::from_secs(60);
/// How long a job waits whose target is held.
const HELD: Duration = Duration::from_secs(5);

/// A job that this worker is at.
pub(super) struct Started {
    pub job: Job,
    pub attempt: i32,
    pub began: DateTime<Utc>,
    pub clock: Clock,
    /// Its time is up then.
    pub until: Instant,
    /// What the rows call this worker's claim.
    pub lease: String,
    /// Another worker had begun this try.
    pub is_taken_over: bool,
    /// Until when it waits at most, should it have to wait again.
    pub waits_until: DateTime<Utc>,
    /// Held while what has happened is written down, so that a halt does not come in between.
    pub writing: Mutex<()>,
}

pub(super) enum Start {
    Go(Box<Started>),
    Not(Verdict),
}

fn host() -> String {
    let named = std::fs::read_to_string("/proc/sys/kernel/hostname");
    named.map_or_else(|_| "worker".to_owned(), |name| name.trim().to_owned())
}

pub(super) async fn start(scope: &Scope, claim: &Claim) -> Result<Start, AppError> {
    let lease = queue::lease_name(&host(), claim.owner, claim.attempt);
    let mut tx = scope.write(Action::ManageExecution).await?;
    let Some(pool) = queue::pool_of_ours(tx.reading(), claim).await? else { return Ok(Start::Not(Verdict::Marked)) };
    let job = match jobs::lock(&mut tx, ExecutionJobId(claim.id)).await {
        Ok(job) => job,
        Err(AppError::NotFound) => return Ok(Start::Not(Verdict::Done)),
        Err(error) => return Err(error),
    };
    if is_ended(job.status) || job.status == JobStatus::AwaitingApproval {
        return rests(tx, claim).await;
    }
    if pool != job.snapshot.pool {
        queue::give_back(&mut tx, claim, &job.snapshot.pool, Duration::ZERO).await?;
        tx.commit().await?;
        return Ok(Start::Not(Verdict::Marked));
    }
    if job.status == JobStatus::Running {
        return take_over(tx, job, &lease).await;
    }
    if job.cancel_requested_at.is_some() {
        let reason = cancel_reason(&mut tx, &job).await?;
        return over(tx, claim, &job, &reason).await;
    }
    let now = tx.reading().now().await?;
    let clock = Clock::new(now);
    if workspaces::is_suspended(tx.reading()).await? {
        return Ok(Start::Not(Verdict::Later(SUSPENDED)));
    }
    if job.timeout_at < now {
        let waited = (now - job.created_at).num_hours();
        let why = job.last_failure_reason.as_deref().unwrap_or("No place on its target became free.");
        let reason = format!("It waited for {waited} hours and did not start: {why}");
        return over(tx, claim, &job, &reason).await;
    }
    if queue::held_by(tx.reading(), claim.owner).await? > MOST_OF_ONE {
        return Ok(Start::Not(Verdict::Later(FULL)));
    }
    if let Some(client) = job.client
        && let Some(name) = store::archived(tx.reading(), client).await?
    {
        let reason = format!("The client {name} is archived: nothing is done for it until it is restored.");
        return over(tx, claim, &job, &reason).await;
    }
    if let Some(at) = job.next_attempt_at.filter(|at| *at > now && job.status == JobStatus::Queued) {
        return Ok(Start::Not(Verdict::Later((at - now).to_std().unwrap_or_default())));
    }
    if !jobs::open_children(tx.reading(), job.id).await?.is_empty() {
        // It goes on when the last of them has ended.
        return rests(tx, claim).await;
    }
    match place(&mut tx, &job).await? {
        Place::Free => {}
        Place::Wait(wait) => return Ok(Start::Not(Verdict::Later(wait))),
        Place::Never(reason) => return over(tx, claim, &job, &reason).await,
    }
    if let Gate::Wait(until, reason) = circuits::pass(&mut tx, &job).await? {
        let wait = (until - now).to_std().unwrap_or_default();
        to_circuit(&mut tx, &job, until, &reason).await?;
        queue::give_back(&mut tx, claim, &job.snapshot.pool, wait).await?;
        tx.commit().await?;
        return Ok(Start::Not(Verdict::Marked));
    }
    jobs::begin(&mut tx, job.id, &lease, true).await?;
    let attempt = attempts::begin(&mut tx, job.id, &lease, job.memory_limit_mb).await?;
    notify(&mut tx, job.id, job.run);
    // As it is now: the start of its time, and no place yet.
    let waits_until = job.timeout_at;
    let job = jobs::get(tx.reading(), job.id).await?;
    tx.commit().await?;
    let until = Instant::now() + whole(&job);
    let (is_taken_over, writing) = (false, Mutex::default());
    let started = Started { job, attempt, began: now, clock, until, lease, is_taken_over, waits_until, writing };
    Ok(Start::Go(Box::new(started)))
}

/// Goes on with a job whose worker was lost. A process may still run, so its try goes on; a model goes on from what is kept, in a new one.
async fn take_over(mut tx: WriteTx, job: Job, lease: &str) -> Result<Start, AppError> {
    let now = tx.reading().now().await?;
    let clock = Clock::new(now);
    jobs::begin(&mut tx, job.id, lease, false).await?;
    let open = attempts::open(tx.reading(), job.id).await?;
    let (attempt, began) = match open {
        Some(open) if job.is_process() => {
            attempts::take_over(&mut tx, job.id, open.number, lease).await?;
            (open.number, open.started_at)
        }
        _ => {
            let lost = attempts::EndedAttempt {
                outcome: Outcome::Lost,
                reason: Some("Its worker was lost. Another one goes on from what was kept."),
                exit_code: None,
                peak_mb: None,
            };
            attempts::end(&mut tx, job.id, &lost).await?;
            (attempts::begin(&mut tx, job.id, lease, job.memory_limit_mb).await?, now)
        }
    };
    notify(&mut tx, job.id, job.run);
    let waits_until = adding::waits_until(&mut tx).await?;
    tx.commit().await?;
    let (lease, is_taken_over, writing) = (lease.to_owned(), true, Mutex::default());
    let until = Instant::now() + left(job.timeout_at, now, whole(&job));
    let started = Started { job, attempt, began, clock, until, lease, is_taken_over, waits_until, writing };
    Ok(Start::Go(Box::new(started)))
}

/// The time of a whole try.
fn whole(job: &Job) -> Duration {
    Duration::from_secs(u64::try_from(job.timeout_seconds).unwrap_or(1))
}

/// Nothing is to be done for it. Said while the job is held: whoever has it go on afterwards finds its row at rest.
async fn rests(mut tx: WriteTx, claim: &Claim) -> Result<Start, AppError> {
    if finish(tx.conn(), EXECUTIONS, claim).await? {
        tx.commit().await?;
    }
    Ok(Start::Not(Verdict::Marked))
}

/// Ends a job that does not start.
async fn over(mut tx: WriteTx, claim: &Claim, job: &Job, reason: &str) -> Result<Start, AppError> {
    if finish(tx.conn(), EXECUTIONS, claim).await? {
        end(&mut tx, job, JobStatus::Failed, None, Some(reason)).await?;
        tx.commit().await?;
    }
    Ok(Start::Not(Verdict::Marked))
}

enum Place {
    Free,
    Wait(Duration),
    Never(String),
}

/// Whether the target has a place for it. The target is held until the job has it.
async fn place(tx: &mut WriteTx, job: &Job) -> Result<Place, AppError> {
    store::hold(tx, job.target).await?;
    let target = store::target(tx.reading(), job.target).await?;
    let name = &target.snapshot.name;
    if !target.is_active {
        let why = format!("The target {name} is switched off. Queue the job again on another one.");
        return Ok(Place::Never(why));
    }
    if target.is_held {
        return Ok(Place::Wait(HELD));
    }
    let capacity = target.snapshot.capacity;
    let (memory, cpu) = match &job.config.config {
        EngineConfig::Process(engine) => (i64::from(job.memory_limit_mb), i64::from(engine.cpu_milli)),
        EngineConfig::Model(_) => (0, 0),
    };
    if memory > i64::from(capacity.memory_mb) || cpu > i64::from(capacity.cpu_milli) {
        let why = format!(
            "It wants {memory} MB and {cpu} thousandths of a processor, and the target {name} has {} MB and {} at all. Queue it again with less, or elsewhere.",
            capacity.memory_mb, capacity.cpu_milli
        );
        return Ok(Place::Never(why));
    }
    let taken = store::taken(tx.reading(), job.target, job.id).await?;
    let is_full = taken.slots >= i64::from(capacity.slots)
        || taken.memory_mb + memory > i64::from(capacity.memory_mb)
        || taken.cpu_milli + cpu > i64::from(capacity.cpu_milli);
    if !is_full {
        return Ok(Place::Free);
    }
    let before = store::before(tx.reading(), job.target, job.id).await?;
    Ok(Place::Wait((FULL + Duration::from_millis(250) * before).min(FULL_AT_MOST)))
}

/// It waits for the breaker.
pub(super) async fn to_circuit(
    tx: &mut WriteTx,
    job: &Job,
    until: DateTime<Utc>,
    reason: &str,
) -> Result<(), AppError> {
    let waits = Waits {
        status: JobStatus::FailedCircuitOpen,
        reason: Some(reason).filter(|reason| !reason.is_empty()),
        until: Some(until),
        memory_mb: job.memory_limit_mb,
        retry_count: job.retry_count,
        timeout_at: job.timeout_at,
    };
    jobs::wait(tx, job.id, &waits).await?;
    notify(tx, job.id, job.run);
    Ok(())
}
