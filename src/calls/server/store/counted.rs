//! What a call is counted under.

use chrono::{DateTime, Utc};

use patchbay_access::server::ReadTx;
use patchbay_shared::AppError;
use patchbay_shared::ids::{CallId, ClientId};

pub(crate) async fn counts_under(
    tx: &mut ReadTx,
    id: CallId,
) -> Result<Option<(Option<ClientId>, DateTime<Utc>)>, AppError> {
    let row = sqlx::query!(
        r#"select client_id as "client_id: ClientId", started_at from calls where workspace_id = $1 and id = $2"#,
        tx.workspace_uuid(),
        id.0
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|row| (row.client_id, row.started_at)))
}
