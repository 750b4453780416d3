//! Uses that never ended: the process that did them was stopped in the middle.

use super::kinds::NOT_KNOWN;
use super::ops::topic;
use super::store::uses;
use patchbay_access::Action;
use patchbay_access::server::Scope;
use patchbay_shared::AppError;

/// Ends them as failed: whether they were done is not known. Safe to repeat.
pub async fn sweep(scope: &Scope) -> Result<(), AppError> {
    let mut tx = scope.write(Action::UseTools).await?;
    for agent in uses::end_lost(&mut tx, NOT_KNOWN).await? {
        tracing::warn!(agent_id = %agent, "a use of a tool had no end, and is ended as failed");
        tx.notify(topic(agent), None);
    }
    tx.commit().await
}
