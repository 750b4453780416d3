use sqlx::{PgConnection, Postgres, Transaction};

use super::Db;
use patchbay_shared::AppError;

/// A transaction over the tables that span tenants: queues, sessions, sign-in, the list of workspaces. It sees no tenant
/// table at all: their policies do not know it. Used in few files, each with its reason.
pub struct SystemTx {
    tx: Transaction<'static, Postgres>,
}

impl SystemTx {
    /// `reason` says, in a word or two, what spans tenants here; it goes to the log at trace level.
    pub async fn open(db: &Db, reason: &'static str) -> Result<Self, AppError> {
        tracing::trace!(reason, "system transaction");
        let tx = db.begin("set local app.system = 'on'".into()).await?;
        Ok(Self { tx })
    }

    /// The same, whose commit does not wait for the disk. A crash of the database may lose it, and never anything that was committed later
    /// in the usual way without it.
    pub async fn open_unflushed(db: &Db, reason: &'static str) -> Result<Self, AppError> {
        tracing::trace!(reason, "system transaction");
        let tx = db.begin("set local app.system = 'on'; set local synchronous_commit = off".into()).await?;
        Ok(Self { tx })
    }

    pub fn conn(&mut self) -> &mut PgConnection {
        &mut self.tx
    }

    pub async fn commit(self) -> Result<(), AppError> {
        Ok(self.tx.commit().await?)
    }
}
