//! Storing, telling, giving to agents that are made from a template, and archives.

pub(crate) mod archive;
pub(crate) mod attaching;
pub mod giving;
pub(crate) mod importing;
pub(crate) mod ops;
pub mod routes;
mod store;

pub use ops::SkillsChanged;

use patchbay_access::Action;
use patchbay_access::server::{ReadTx, Scope};
use patchbay_shared::AppError;
use patchbay_shared::ids::AgentId;

/// Changing skills.
pub(crate) const MANAGE: Action = Action::ManageSkills;

/// What an agent is told of its active skills, as text behind its prompt. None: it has none. It holds no `{{`.
pub async fn told(tx: &mut ReadTx, agent: AgentId) -> Result<Option<String>, AppError> {
    let texts = store::attached::texts(tx, agent).await?;
    Ok(crate::model::told(&texts))
}

/// Forgets uploaded archives that nobody has taken for a day. Safe to repeat.
pub async fn forget_archives(scope: &Scope) -> Result<(), AppError> {
    let mut tx = scope.write(Action::ReplayQueues).await?;
    store::imports::forget_old(&mut tx).await?;
    tx.commit().await
}
