//! Asking for the password once more before what an open, unattended browser must not do: keys, roles, rules.

use chrono::Utc;

use super::throttle::{self, Keys};
use super::{store, verify};
use patchbay_access::Action;
use patchbay_access::server::{PROOF_LASTS, SESSION_PROVED, SystemTx, Visitor};
use patchbay_shared::AppError;
use patchbay_shared::error::internal;

/// Demands that the visitor has proved in the last five minutes who they are; else `current` must be their password.
/// Errors: `Invalid` at `current`, where the form then asks for it; `Limited` after too many tries.
pub async fn demand(visitor: &Visitor, current: &str) -> Result<(), AppError> {
    visitor.viewer()?;
    let session = visitor.session.as_ref().ok_or_else(|| internal("no session layer"))?;
    let proved = session.get::<i64>(SESSION_PROVED).await.map_err(internal)?;
    if proved.is_some_and(|at| Utc::now().timestamp() - at < PROOF_LASTS) {
        return Ok(());
    }
    if current.is_empty() {
        return Err(AppError::invalid(
            "current",
            "Enter your current password: more than five minutes have passed, and this needs to be confirmed.",
        ));
    }
    prove(visitor, current).await
}

/// Asks the visitor for their password once more. Errors: `Invalid` at `current`; `Limited` after too many tries.
pub async fn prove(visitor: &Visitor, current: &str) -> Result<(), AppError> {
    let viewer = visitor.viewer()?;
    if !viewer.may(Action::EditOwnProfile) {
        return Err(AppError::Forbidden);
    }
    let keys = Keys::proof(viewer.user_id.0);
    throttle::charge(&visitor.db, &keys).await?;
    let mut tx = SystemTx::open(&visitor.db, "own password").await?;
    let stored = store::password_hash(tx.conn(), viewer.user_id).await?;
    drop(tx);
    if current.len() > 1024 || !verify(visitor.db.services(), current.to_owned(), stored).await? {
        return Err(AppError::invalid(
            "current",
            "This is not your current password. Enter the one that you sign in with.",
        ));
    }
    throttle::succeeded(&visitor.db, &keys).await?;
    given(visitor).await
}

/// Notes that the visitor has just proved who they are.
pub(crate) async fn given(visitor: &Visitor) -> Result<(), AppError> {
    let session = visitor.session.as_ref().ok_or_else(|| internal("no session layer"))?;
    session.insert(SESSION_PROVED, Utc::now().timestamp()).await.map_err(internal)
}
