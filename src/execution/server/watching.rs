//! Beside the work: whether it may go on. A cancelled job, a run at its limit and a lost lease are noticed within a second or a few.

use std::time::{Duration, Instant};

use super::hooks::RunMayGoOn;
use super::starting::Started;
use super::store::jobs;
use patchbay_access::Action;
use patchbay_access::server::{ReadTx, Scope};
use patchbay_shared::AppError;
use patchbay_shared::ids::SupervisorRunId;

const LOOK: Duration = Duration::from_secs(1);
/// Looks after which the run is asked, and after which the lease is renewed.
const ASKS_RUN: u32 = 5;
const BEATS: u32 = 15;

/// Why a try ends from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Halt {
    /// Somebody cancelled it, or what it was for has ended.
    Cancelled,
    /// A limit of its run, in words.
    Limit(String),
    /// Its time is up.
    Late,
    /// Another worker has it.
    Gone,
}

/// Why nothing more may be done for a run. None: it may go on, or there is none.
pub(super) async fn run_stops(tx: &mut ReadTx, run: Option<SupervisorRunId>) -> Result<Option<String>, AppError> {
    let Some(run) = run else { return Ok(None) };
    let hook = tx.services().hooks.get::<RunMayGoOn>()?.0;
    Ok(hook(tx, run).await?.stop)
}

/// Looks until the try has to end.
pub(super) async fn watch(scope: &Scope, started: &Started) -> Halt {
    let mut looks = 0_u32;
    loop {
        match look(scope, started, looks).await {
            Ok(Some(halt)) => return halt,
            Ok(None) => {}
            // The database is away for a moment: the work goes on meanwhile.
            Err(error) => {
                tracing::warn!(job = %started.job.id, cause = %error, "could not ask whether a job may go on")
            }
        }
        looks = looks.wrapping_add(1);
        tokio::time::sleep(LOOK).await;
    }
}

async fn look(scope: &Scope, started: &Started, looks: u32) -> Result<Option<Halt>, AppError> {
    let Started { job, lease, until, .. } = started;
    let mut tx = scope.read(Action::ManageExecution).await?;
    let signs = jobs::signs(&mut tx, job.id, lease).await?;
    let stop = match looks.is_multiple_of(ASKS_RUN) && looks > 0 {
        true => run_stops(&mut tx, job.run).await?,
        false => None,
    };
    drop(tx);
    if !signs.is_ours {
        return Ok(Some(Halt::Gone));
    }
    if signs.is_cancelled {
        return Ok(Some(Halt::Cancelled));
    }
    // By this process's own time: the database's clock may be put right while it works.
    if Instant::now() >= *until {
        return Ok(Some(Halt::Late));
    }
    if looks.is_multiple_of(BEATS) && looks > 0 {
        let mut tx = scope.write(Action::ManageExecution).await?;
        jobs::beat(&mut tx, job.id, lease).await?;
        tx.commit().await?;
    }
    Ok(stop.map(Halt::Limit))
}
