//! A worker's part: a job is started, worked on beside a watch, and settled.

use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;

use super::model_engine::{self, Way};
use super::process_engine::{self, Done};
use super::settling::{Put, Tried, put_off, settle};
use super::starting::{Start, Started, start};
use super::watching::{Halt, watch};
use crate::model::moves::Happened;
use crate::model::{EngineConfig, JobStatus, ModelEngine, ProcessEngine};
use patchbay_access::Action;
use patchbay_access::server::Scope;
use patchbay_jobs::lease::Claim;
use patchbay_jobs::runner::{Failure, Verdict};
use patchbay_shared::AppError;
use patchbay_shared::ids::ExecutionJobId;

/// After which a job is looked at again whose worker could not write down how it went, or whose target is full.
const AGAIN: Duration = Duration::from_secs(2);
const FULL: Duration = Duration::from_secs(5);
/// Times that something is written down again, with a pause in between: a database that starts anew is there again soon.
const KEPT: u32 = 10;

pub(super) async fn work(scope: Scope, claim: Claim) -> Result<Verdict, Failure> {
    let done = match start(&scope, &claim).await {
        Ok(Start::Not(verdict)) => return Ok(verdict),
        Ok(Start::Go(started)) => go(&scope, &claim, &Arc::from(started)).await,
        Err(error) => Err(error),
    };
    // The job stays as it is in the database, and whoever takes it next goes on from there.
    done.map_err(|error| Failure { error: error.to_string(), retry_after: Some(AGAIN), permanent: false })
}

fn go<'a>(scope: &'a Scope, claim: &'a Claim, started: &'a Arc<Started>) -> BoxFuture<'a, Result<Verdict, AppError>> {
    match &started.job.config.config {
        EngineConfig::Model(engine) => Box::pin(think(scope, claim, started, engine)),
        EngineConfig::Process(engine) => Box::pin(run(scope, claim, started, engine)),
    }
}

async fn run(scope: &Scope, claim: &Claim, started: &Started, engine: &ProcessEngine) -> Result<Verdict, AppError> {
    match process_engine::run(scope, started, engine).await? {
        Done::Gone => Ok(verdict(false)),
        Done::Full(why) => {
            let put =
                Put { status: JobStatus::Queued, wait: Some(FULL), reason: why, expires: None, keeps_deadline: true };
            let mut tx = scope.write(Action::ManageExecution).await?;
            if !put_off(&mut tx, claim, started, &put).await? {
                return Ok(Verdict::Done);
            }
            tx.commit().await?;
            Ok(Verdict::Marked)
        }
        Done::Tried(tried, left) => {
            let is_settled = settled(scope, claim, started, tried).await?;
            // Another worker may follow it still; what nobody follows is upkeep's.
            if let Some(left) = left.filter(|_| is_settled) {
                left.clear().await;
            }
            Ok(verdict(is_settled))
        }
    }
}

async fn think(
    scope: &Scope,
    claim: &Claim,
    started: &Arc<Started>,
    engine: &ModelEngine,
) -> Result<Verdict, AppError> {
    let way = tokio::select! {
        biased;
        halt = halted(scope, started) => Err(halt),
        way = model_engine::run(scope, claim, started, engine) => Ok(way?),
    };
    let tried = match way {
        Ok(Way::PutOff) => return Ok(Verdict::Marked),
        Ok(Way::Gone) | Err(Halt::Gone) => return Ok(verdict(false)),
        Ok(Way::Over(tried)) => tried,
        Err(Halt::Cancelled) => Tried::of(Happened::Cancelled(String::new())),
        Err(Halt::Limit(why)) => Tried { is_limit: true, ..Tried::of(Happened::Cancelled(why)) },
        Err(Halt::Late) => {
            let seconds = started.job.timeout_seconds;
            let why = format!("It worked for longer than its {seconds} seconds and was ended.");
            Tried::of(Happened::TimedOut(why))
        }
    };
    Ok(verdict(settled(scope, claim, started, tried).await?))
}

/// Looks until the try has to end. What has happened by then is written down first: it was paid for, or was done and cannot be taken back.
async fn halted(scope: &Scope, started: &Started) -> Halt {
    let halt = watch(scope, started).await;
    let _written = started.writing.lock().await;
    halt
}

/// A claim that was not ended with its job is finished by the runner, as far as it is still this worker's.
fn verdict(is_settled: bool) -> Verdict {
    if is_settled { Verdict::Marked } else { Verdict::Done }
}

async fn settled(scope: &Scope, claim: &Claim, started: &Started, tried: Tried) -> Result<bool, AppError> {
    patiently(started.job.id, |_| settle(scope, claim, started, tried.clone())).await
}

/// Writes down what has happened, and tries again for a while: what was done while the database was away is neither lost nor done a second
/// time. `keep` is told how often it was tried: nobody knows whether a transaction stands whose end was not heard of.
pub(super) async fn patiently<T, F>(job: ExecutionJobId, keep: impl Fn(u32) -> F) -> Result<T, AppError>
where
    F: Future<Output = Result<T, AppError>>,
{
    let mut tries = 0;
    loop {
        match keep(tries).await {
            Err(error @ (AppError::Internal(_) | AppError::Transport(_))) if tries < KEPT => {
                tries += 1;
                tracing::warn!(%job, cause = %error, "could not write down how far a job is; trying again");
                tokio::time::sleep(AGAIN).await;
            }
            other => return other,
        }
    }
}

/// The same beside a watch, which waits until it is written down.
pub(super) async fn unbroken<T, F>(started: &Started, keep: impl Fn(u32) -> F) -> Result<T, AppError>
where
    F: Future<Output = Result<T, AppError>>,
{
    let _writing = started.writing.lock().await;
    patiently(started.job.id, keep).await
}
