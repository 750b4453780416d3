//! Writes down that work is done. What ends while others are being written goes together with its like: one transaction for many.

use std::collections::HashSet;
use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};
use uuid::Uuid;

use super::lease::{self, Claim, Table};
use super::runner::POLL;
use patchbay_access::server::{Db, SystemTx};
use patchbay_shared::AppError;

/// The most that one transaction writes.
const MOST: usize = 500;

/// A claim that is done, and whom to tell when that stands in the database.
type End = (Claim, oneshot::Sender<()>);

/// The writer of one queue. It stops when nobody has it any more.
#[derive(Clone)]
pub(crate) struct Writer(Arc<mpsc::UnboundedSender<End>>);

impl Writer {
    pub fn open(db: Db, table: Table) -> Self {
        let (ends, coming) = mpsc::unbounded_channel();
        tokio::spawn(write(db, table, coming));
        Self(Arc::new(ends))
    }

    /// Comes back when it is written that these claims are done, or that somebody else has them. Until then their leases are renewed, and
    /// nobody else takes the items.
    pub async fn done(&self, claims: &[&Claim]) {
        let mut waiting = Vec::with_capacity(claims.len());
        for claim in claims {
            let (written, is_written) = oneshot::channel();
            // Fails, as the answer does, only when the process stops.
            let _ = self.0.send((Claim::clone(claim), written));
            waiting.push(is_written);
        }
        for is_written in waiting {
            let _ = is_written.await;
        }
    }
}

async fn write(db: Db, table: Table, mut coming: mpsc::UnboundedReceiver<End>) {
    let mut ends = Vec::new();
    while coming.recv_many(&mut ends, MOST).await > 0 {
        let claims: Vec<&Claim> = ends.iter().map(|(claim, _)| claim).collect();
        loop {
            match finish(&db, table, &claims).await {
                Ok(ours) => {
                    for other in claims.iter().filter(|claim| !ours.contains(&claim.id)) {
                        tracing::warn!(queue = table.name, id = %other.id, "another worker has taken this over");
                    }
                    break;
                }
                Err(error) => {
                    tracing::warn!(queue = table.name, cause = %error, "could not record how work ended; trying again");
                    tokio::time::sleep(POLL).await;
                }
            }
        }
        for (_, written) in ends.drain(..) {
            let _ = written.send(());
        }
    }
}

async fn finish(db: &Db, table: Table, claims: &[&Claim]) -> Result<HashSet<Uuid>, AppError> {
    let mut tx = SystemTx::open(db, "record work").await?;
    let ours = lease::finish_each(tx.conn(), table, claims).await?;
    tx.commit().await?;
    Ok(ours.into_iter().collect())
}
