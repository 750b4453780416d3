use super::check::{self, CheckCalls, CloseGaps};
use super::close;
use super::import::{self, ImportPastCalls};
use super::store::checks;
use super::words::{self, FetchPastWords};
use patchbay_access::Action;
use patchbay_access::server::{Db, Machine, Scope, SystemTx};
use patchbay_jobs::{NewJob, Registry};
use patchbay_shared::AppError;

pub fn register(registry: &mut Registry) {
    registry.add(|scope, job: ImportPastCalls| async move { import::run(&scope, job.sync).await });
    registry.add(|scope, job: CheckCalls| async move { check::run(&scope, &job).await });
    registry.add(|scope, job: CloseGaps| async move { close::all(&scope, &job).await });
    registry.add(|scope, job: FetchPastWords| async move { words::run(&scope, job).await });
}

/// Puts the checks into the queue that are due.
const CLOCK: Machine = Machine { name: "check_calls", actions: &[Action::ReplayQueues] };
/// Connections whose check begins at a time.
const AT_ONCE: i64 = 200;

/// Has every connection compared with its service that is due: also those that were due while no process was there.
pub async fn check_due(db: &Db) -> Result<(), AppError> {
    loop {
        let mut tx = SystemTx::open(db, "checks of calls that are due").await?;
        let due = checks::take_due(&mut tx, AT_ONCE).await?;
        tx.commit().await?;
        for (workspace, connection) in &due {
            let scope = Scope::of_upkeep(db.clone(), *workspace, CLOCK);
            let mut tx = scope.write(Action::ReplayQueues).await?;
            let job = CheckCalls { connection: *connection, looks_far: false };
            patchbay_jobs::enqueue(&mut tx, &job, NewJob::default()).await?;
            tx.commit().await?;
        }
        if (due.len() as i64) < AT_ONCE {
            return Ok(());
        }
    }
}
