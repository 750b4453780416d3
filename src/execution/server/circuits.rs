//! Breakers: an engine on a target that fails again and again is left alone for a while, then one job tries.

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::changing::wake_waiting;
use super::store::circuits as store;
use super::store::jobs::Job;
use crate::model::moves::opens_for;
use patchbay_access::server::WriteTx;
use patchbay_jobs::live::Topic;
use patchbay_shared::AppError;

/// Whether a job may start.
pub(super) enum Gate {
    Open,
    /// Not before this moment, for this reason.
    Wait(DateTime<Utc>, String),
}

/// How long a job waits for the one that tries.
const TRIES: Duration = Duration::from_secs(5);

/// Asks the breaker. An open one whose time has come lets this job try.
pub(super) async fn pass(tx: &mut WriteTx, job: &Job) -> Result<Gate, AppError> {
    let Some(circuit) = store::lock(tx, job.engine, job.target).await? else { return Ok(Gate::Open) };
    let (Some(_), Some(probe_at)) = (circuit.opened_at, circuit.probe_at) else { return Ok(Gate::Open) };
    let now = tx.reading().now().await?;
    let reason = circuit.last_reason.unwrap_or_default();
    if now < probe_at {
        return Ok(Gate::Wait(probe_at, reason));
    }
    if circuit.is_probing && circuit.probing != Some(job.id) {
        return Ok(Gate::Wait(now + TRIES, reason));
    }
    store::probe(tx, circuit.id, job.id).await?;
    Ok(Gate::Open)
}

/// It worked: what waits goes on.
pub(super) async fn succeeded(tx: &mut WriteTx, job: &Job) -> Result<(), AppError> {
    if store::close(tx, job.engine, job.target).await? {
        wake_waiting(tx, job.engine, job.target).await?;
        store::leave_circuit(tx, job.engine, job.target).await?;
        tx.notify(Topic::list("execution"), None);
    }
    Ok(())
}

/// It failed for no reason of the job's. Gives until when nothing is tried; none: the breaker is closed.
pub(super) async fn failed(tx: &mut WriteTx, job: &Job, reason: &str) -> Result<Option<u64>, AppError> {
    let failures = store::add_failure(tx, job.engine, job.target, reason).await?;
    let Some(seconds) = opens_for(failures) else { return Ok(None) };
    store::open(tx, job.engine, job.target, seconds).await?;
    tx.notify(Topic::list("execution"), None);
    Ok(Some(seconds))
}
