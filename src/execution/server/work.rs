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

/// After which a job is looked at again whose worker could not write down how it went, or whose target is full.
const AGAIN: Duration = Duration::from_secs(2);
const FULL: Duration = Duration::from_secs(5);
/// Times that the end of a try is written down, with a pause in between: a database that starts anew is there again soon.
const SETTLED: u32 = 10;

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
        halt = watch(scope, &started.job, &started.lease) => Err(halt),
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

/// A claim that was not ended with its job is finished by the runner, as far as it is still this worker's.
fn verdict(is_settled: bool) -> Verdict {
    if is_settled { Verdict::Marked } else { Verdict::Done }
}

async fn settled(scope: &Scope, claim: &Claim, started: &Started, tried: Tried) -> Result<bool, AppError> {
    let mut tries = 0;
    loop {
        match settle(scope, claim, started, tried.clone()).await {
            Err(error) if tries < SETTLED => {
                tries += 1;
                tracing::warn!(job = %started.job.id, cause = %error, "could not write down how a job went; trying again");
                tokio::time::sleep(AGAIN).await;
            }
            other => return other,
        }
    }
}
