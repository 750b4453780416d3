//! What a batch needs to know of its surroundings: who may be dialled for, and how long calls last.

use patchbay_access::server::ReadTx;
use patchbay_shared::AppError;
use patchbay_shared::ids::{BatchId, CampaignId, ClientId};

/// Average whole seconds of talk over the campaign's last answered calls.
pub(crate) async fn average_seconds(tx: &mut ReadTx, campaign: CampaignId) -> Result<Option<f64>, AppError> {
    Ok(sqlx::query_scalar!(
        "select avg(duration)::float8 from (select duration from calls where workspace_id = $1 and campaign_id = $2 and ended_at is not null
           order by started_at desc limit 200) q",
        tx.workspace_uuid(),
        campaign.0
    )
    .fetch_one(tx.conn())
    .await?)
}

/// Batches of a client that dial now, or begin to.
pub(crate) async fn under_way(tx: &mut ReadTx, client: ClientId) -> Result<Vec<BatchId>, AppError> {
    Ok(sqlx::query_scalar!(
        r#"select id as "id: BatchId" from call_batches
           where workspace_id = $1 and client_id = $2 and status in ('pending', 'processing') order by id"#,
        tx.workspace_uuid(),
        client.0
    )
    .fetch_all(tx.conn())
    .await?)
}

/// Clients for which nothing new is dialled this month.
pub(crate) async fn clients_held(tx: &mut ReadTx) -> Result<Vec<ClientId>, AppError> {
    let reached = patchbay_metering::server::budget::reached(tx, None).await?;
    Ok(reached
        .into_iter()
        .filter(|budget_status| budget_status.holds())
        .map(|budget_status| budget_status.id)
        .collect())
}
