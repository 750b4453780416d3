use patchbay_access::Action;
use patchbay_access::server::{Db, SystemTx, visitor};
use patchbay_shared::{AppError, zone};

/// The database, for platform admins. For everybody else it does not exist.
pub(crate) fn db() -> Result<Db, AppError> {
    let visitor = visitor()?;
    if !visitor.viewer()?.may(Action::ManagePlatform) {
        return Err(AppError::NotFound);
    }
    Ok(visitor.db)
}

/// A transaction over what spans tenants, and the viewer's zone.
pub(crate) async fn open() -> Result<(SystemTx, chrono_tz::Tz), AppError> {
    let db = db()?;
    let zone = zone::zone(&visitor()?.viewer()?.timezone);
    Ok((SystemTx::open(&db, "platform").await?, zone))
}
