//! What people do in the control room and with approvals, beyond one verb on one job.

use super::approvals::{self, Decide};
use super::store::views::{approvals as kept, control};
use super::{jobs, targets};
use crate::model::approval::{ApprovalPage, DecisionForm};
use patchbay_access::server::{ReadTx, WriteTx};
use patchbay_shared::ids::{ApprovalId, CircuitId, TargetId};
use patchbay_shared::{AppError, Reason};

/// Jobs that are moved at a time.
const MOST_MOVED: i64 = 500;

/// Errors: `NotFound`.
pub(crate) async fn approval(tx: &mut ReadTx, id: ApprovalId) -> Result<ApprovalPage, AppError> {
    kept::one(tx, id).await
}

/// Errors: `Invalid`, `NotFound`; `Conflict` that says who decided before, or that it is over.
pub(crate) async fn decide(tx: &mut WriteTx, form: &DecisionForm) -> Result<(), AppError> {
    let id: ApprovalId = form.id.parse()?;
    let page = kept::one(tx.reading(), id).await?;
    let (decision, content, note) = form.read(page.tool.is_some())?;
    approvals::decide(tx, id, &Decide { decision, content: content.unwrap_or_default(), note }).await
}

/// Notes who is at it. `edits`: somebody else may be, too. Errors: `NotFound`; `Conflict` when it is decided, over, or somebody else's.
pub(crate) async fn take(tx: &mut WriteTx, id: ApprovalId, edits: bool) -> Result<(), AppError> {
    match approvals::open(tx, id).await {
        Err(AppError::Conflict(Reason::InUse, _)) if edits => Ok(()),
        other => other,
    }
}

/// Moves what waits for a breaker to another target. Errors: `NotFound`; `Conflict` when nothing waits.
pub(crate) async fn move_waiting(tx: &mut WriteTx, circuit: CircuitId, target: TargetId) -> Result<(), AppError> {
    let (_, from, waiting) = control::waiting(tx.reading(), circuit, MOST_MOVED).await?;
    if waiting.is_empty() || from == target {
        let why = "Nothing waits there any more. Reload the page.".to_owned();
        return Err(AppError::Conflict(Reason::WrongState, why));
    }
    for job in waiting {
        jobs::move_to(tx, job, target).await?;
    }
    Ok(())
}

/// No new job starts on any active target, or all take work again. Safe to repeat.
pub(crate) async fn hold_all(tx: &mut WriteTx, on: bool) -> Result<(), AppError> {
    let found = control::held(tx.reading()).await?;
    for (target, _) in found.into_iter().filter(|(_, is_held)| *is_held != on) {
        targets::hold(tx, target, on).await?;
    }
    Ok(())
}
