//! Whether anybody in the workspace waits for events. Most do not, and then nothing is written down.

use super::store::events as store;
use patchbay_access::server::{ReadTx, WriteTx};
use patchbay_shared::AppError;

/// Whether somebody listens. Asked before anything is gathered that only an event needs.
pub async fn any(tx: &mut ReadTx) -> Result<bool, AppError> {
    store::is_anybody_there(tx).await
}

/// An endpoint, an integration or a rule of text messages has come, gone or been switched. In the transaction of that.
pub async fn refresh(tx: &mut WriteTx) -> Result<(), AppError> {
    // First the lock, so that the next statement sees a listener that came or went just before.
    patchbay_workspaces::server::lock_tells_others(tx).await?;
    let listens = store::has_listeners(tx.reading()).await?;
    patchbay_workspaces::server::set_tells_others(tx, listens).await
}
