//! Accounts at carriers.

use crate::model::IntegrationType;
use patchbay_access::server::{ReadTx, WriteTx};
use patchbay_shared::AppError;
use patchbay_shared::ids::IntegrationId;

/// An account that somebody has connected.
pub(crate) struct Known {
    pub id: IntegrationId,
    pub name: String,
    pub account_id: Option<String>,
    pub is_connected: bool,
}

/// Accounts of this kind. Until the commit nobody else connects one.
pub(crate) async fn known(tx: &mut WriteTx, kind: IntegrationType) -> Result<Vec<Known>, AppError> {
    sqlx::query!(
        "select pg_advisory_xact_lock(hashtextextended($1, 23))",
        format!("{} {}", tx.workspace_uuid(), kind.as_str())
    )
    .execute(tx.conn())
    .await?;
    Ok(sqlx::query_as!(
        Known,
        r#"select i.id as "id: IntegrationId", i.name, i.account_id,
                  exists (select from user_tokens t where t.workspace_id = $1 and t.is_active
                            and t.integration_key = 'integration:' || i.id) as "is_connected!"
           from integrations i where i.workspace_id = $1 and i.type = $2 and i.removed_at is null order by i.id"#,
        tx.workspace_uuid(),
        kind as IntegrationType
    )
    .fetch_all(tx.conn())
    .await?)
}

/// Carriers' accounts that are connected.
pub(crate) async fn all_connected(tx: &mut ReadTx) -> Result<Vec<IntegrationId>, AppError> {
    Ok(sqlx::query_scalar!(
        r#"select i.id as "id: IntegrationId" from integrations i
           where i.workspace_id = $1 and i.type in ('twilio', 'plivo') and i.removed_at is null
             and exists (select from user_tokens t where t.workspace_id = $1 and t.is_active and t.integration_key = 'integration:' || i.id)
           order by i.id"#,
        tx.workspace_uuid()
    )
    .fetch_all(tx.conn())
    .await?)
}
