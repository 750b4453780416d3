//! Calls as runs. Whoever changes a call says so in the same transaction, and the run's row is made of the call's.

use serde_json::json;

use super::record::{NewError, failed};
use super::store::live;
use crate::model::ErrorSource;
use patchbay_access::server::WriteTx;
use patchbay_jobs::live::Topic;
use patchbay_shared::AppError;
use patchbay_shared::ids::{CallId, RunId};

/// Brings the runs of these calls to where the calls stand now. The run of a call has the call's id, and `calls.run_id` is set by whoever
/// inserts the call: the database checks at the commit that the run is there. A call that newly went wrong is an error, unless it is one
/// of the past that was imported. Safe to repeat.
pub async fn follow(tx: &mut WriteTx, calls: &[CallId]) -> Result<(), AppError> {
    if calls.is_empty() {
        return Ok(());
    }
    let changed = live::follow(tx, calls).await?;
    if changed.is_empty() {
        return Ok(());
    }
    tx.notify(Topic::list("runs"), None);
    for run in &changed {
        tx.notify(Topic::one("run", run.call), None);
    }
    for run in &changed {
        let Some(message) = run.new_error.as_deref() else { continue };
        let error = NewError {
            run: Some(RunId(run.call.0)),
            agent: run.agent,
            client: run.client,
            source: ErrorSource::Integration,
            code: run.end_reason.as_deref().unwrap_or("call"),
            message,
            metadata: json!({ "call": run.call }),
        };
        failed(tx, &error).await?;
    }
    Ok(())
}

/// The call is taken back as if it had never been: so is its run. Called before the call is deleted.
pub async fn withdraw(tx: &mut WriteTx, call: CallId) -> Result<(), AppError> {
    live::withdraw(tx, call).await
}
