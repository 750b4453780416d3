use chrono::{DateTime, Utc};
use sqlx::types::Json;

use crate::model::Offered;
use patchbay_access::server::{ReadTx, WriteTx};
use patchbay_shared::AppError;
use patchbay_shared::ids::AgentToolId;

/// What a tool's server offered when it was last asked, and when that was. None: it was not asked yet.
pub(crate) async fn get(tx: &mut ReadTx, id: AgentToolId) -> Result<Option<(Vec<Offered>, DateTime<Utc>)>, AppError> {
    let row = sqlx::query!(
        r#"select offered as "offered: Json<Vec<Offered>>", offered_at from agent_tools where workspace_id = $1 and id = $2"#,
        tx.workspace_uuid(),
        id.0
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(row.offered.zip(row.offered_at).map(|(offered, at)| (offered.0, at)))
}

/// Writes down what a server offers now, and whether something that was chosen is offered in other words.
pub(crate) async fn set(tx: &mut WriteTx, id: AgentToolId, offered: &[Offered], differs: bool) -> Result<(), AppError> {
    sqlx::query!(
        "update agent_tools set offered = $3, offered_at = now(), offer_differs = $4 where workspace_id = $1 and id = $2",
        tx.workspace_uuid(),
        id.0,
        Json(offered) as _,
        differs
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Nothing is known of what the server offers: it is another one now.
pub(crate) async fn forget(tx: &mut WriteTx, id: AgentToolId) -> Result<(), AppError> {
    sqlx::query!(
        "update agent_tools set offered = null, offered_at = null, offer_differs = false where workspace_id = $1 and id = $2",
        tx.workspace_uuid(),
        id.0
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// What was chosen is as the server offers it.
pub(crate) async fn accepted(tx: &mut WriteTx, id: AgentToolId) -> Result<(), AppError> {
    sqlx::query!(
        "update agent_tools set offer_differs = false where workspace_id = $1 and id = $2",
        tx.workspace_uuid(),
        id.0
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}
