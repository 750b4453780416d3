//! What a batch needs to know of its surroundings: who may be dialled for, and how long calls last.

use patchbay_access::server::{ReadTx, WriteTx};
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

/// The batch of a campaign's call-backs that goes on.
pub(crate) async fn open_for_call_backs(tx: &mut WriteTx, campaign: CampaignId) -> Result<Option<BatchId>, AppError> {
    Ok(sqlx::query_scalar!(
        r#"select id as "id: BatchId" from call_batches
           where workspace_id = $1 and campaign_id = $2 and for_call_backs and status in ('pending', 'scheduled', 'processing', 'paused')"#,
        tx.workspace_uuid(),
        campaign.0
    )
    .fetch_optional(tx.conn())
    .await?)
}

/// One more contact is the batch's.
pub(crate) async fn add_contact(tx: &mut WriteTx, id: BatchId) -> Result<(), AppError> {
    sqlx::query!(
        "update call_batches set total_contacts = total_contacts + 1, updated_at = now() where workspace_id = $1 and id = $2",
        tx.workspace_uuid(),
        id.0
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// One contact of the batch is called back by another one, or its call-back is a person's matter.
pub(crate) async fn contact_left(tx: &mut WriteTx, id: BatchId) -> Result<(), AppError> {
    sqlx::query!(
        "update call_batches set left_contacts = left_contacts + 1, updated_at = now() where workspace_id = $1 and id = $2",
        tx.workspace_uuid(),
        id.0
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Batches that go on, or have contacts on the line, without a job of this kind. Oldest first.
pub(crate) async fn without_job(tx: &mut ReadTx, kind: &str) -> Result<Vec<BatchId>, AppError> {
    Ok(sqlx::query_scalar!(
        r#"select b.id as "id: BatchId" from call_batches b
           where b.workspace_id = $1
             and (b.status in ('pending', 'scheduled', 'processing', 'paused')
                  or b.id in (select x.batch_id from campaign_contacts x where x.workspace_id = $1 and x.status = 'calling'))
             and not exists (select from jobs j where j.workspace_id = $1 and j.kind = $2 and j.dedupe_key = b.id::text
                               and j.status in ('pending', 'processing'))
           order by b.id limit 100"#,
        tx.workspace_uuid(),
        kind
    )
    .fetch_all(tx.conn())
    .await?)
}
