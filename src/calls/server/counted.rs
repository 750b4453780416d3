//! Says that a call counts differently now, for usage by day, and brings its run to where it stands.

use super::store::counted::counts_under;
use patchbay_access::server::WriteTx;
use patchbay_metering::server::days::{self, Touched};
use patchbay_runs::server::live;
use patchbay_shared::AppError;
use patchbay_shared::ids::CallId;

/// In the transaction that changed the call; before it takes the call away.
pub async fn touch(tx: &mut WriteTx, call: CallId) -> Result<(), AppError> {
    live::follow(tx, &[call]).await?;
    match counts_under(tx.reading(), call).await? {
        Some((client_id, at)) => days::touch(tx, &[Touched { client_id, at }]).await,
        None => Ok(()),
    }
}
