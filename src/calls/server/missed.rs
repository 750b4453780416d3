//! Calls that came in and that nobody answered, until somebody has looked after them.

use crate::model::MissedReason;
use patchbay_access::server::ReadTx;
use patchbay_shared::AppError;
use patchbay_shared::ids::{CallId, ClientId};

/// A missed call that waits for a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missed {
    pub id: CallId,
    /// The contact, else the number.
    pub who: String,
    /// A sentence.
    pub why: String,
}

/// The newest of them.
pub async fn waiting(tx: &mut ReadTx, client: Option<ClientId>, limit: i64) -> Result<Vec<Missed>, AppError> {
    let rows = super::store::detail::missed(tx, client, limit).await?;
    let missed = rows.into_iter().map(|(id, who, reason)| Missed {
        id,
        who: if who.is_empty() { "A caller without a number".to_owned() } else { who },
        why: reason.parse::<MissedReason>().map(MissedReason::sentence).unwrap_or_default().to_owned(),
    });
    Ok(missed.collect())
}
