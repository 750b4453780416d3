//! Numbers of accounts at other carriers than the one that numbers are rented from here.

use rust_decimal::Decimal;
use uuid::Uuid;

use crate::model::NumberStatus;
use patchbay_access::server::{ReadTx, WriteTx};
use patchbay_shared::AppError;
use patchbay_shared::ids::{IntegrationId, NumberId};

/// A number of an account.
pub(crate) struct Held {
    pub id: NumberId,
    pub number: String,
    pub status: NumberStatus,
    pub provider_number_id: Option<String>,
    pub client_id: Option<Uuid>,
    pub last_error: Option<String>,
}

/// What the carrier says of a number.
pub(crate) struct Facts {
    pub provider_number_id: String,
    pub capabilities: Vec<String>,
    pub country: Option<String>,
    pub monthly_cost: Option<Decimal>,
}

pub(crate) async fn of(tx: &mut ReadTx, integration: IntegrationId) -> Result<Vec<Held>, AppError> {
    Ok(sqlx::query_as!(
        Held,
        r#"select id as "id: NumberId", number, status as "status: NumberStatus", provider_number_id, client_id, last_error
           from agency_phone_numbers
           where workspace_id = $1 and integration_id = $2 and status <> 'released' order by id"#,
        tx.workspace_uuid(),
        integration.0
    )
    .fetch_all(tx.conn())
    .await?)
}

/// The same, held against other writers until the commit.
pub(crate) async fn lock(tx: &mut WriteTx, integration: IntegrationId) -> Result<Vec<Held>, AppError> {
    sqlx::query!(
        "select id from agency_phone_numbers
         where workspace_id = $1 and integration_id = $2 and status <> 'released' order by id for update",
        tx.workspace_uuid(),
        integration.0
    )
    .fetch_all(tx.conn())
    .await?;
    of(tx.reading(), integration).await
}

/// None: the number is here already, under another account.
pub(crate) async fn insert(
    tx: &mut WriteTx,
    carrier: &str,
    integration: IntegrationId,
    number: &str,
    facts: &Facts,
) -> Result<Option<NumberId>, AppError> {
    let id = NumberId::new();
    let done = sqlx::query!(
        "insert into agency_phone_numbers (workspace_id, id, number, direction, status, provider, integration_id, provider_number_id,
                capabilities, country, monthly_cost)
         values ($1, $2, $3, 'outbound', 'active', $4, $5, $6, $7, $8, $9)
         on conflict (workspace_id, number) where status <> 'released' do nothing",
        tx.workspace_uuid(),
        id.0,
        number,
        carrier,
        integration.0,
        facts.provider_number_id,
        &facts.capabilities,
        facts.country,
        facts.monthly_cost,
    )
    .execute(tx.conn())
    .await?;
    Ok((done.rows_affected() == 1).then_some(id))
}

pub(crate) async fn set_facts(tx: &mut WriteTx, id: NumberId, facts: &Facts) -> Result<(), AppError> {
    sqlx::query!(
        "update agency_phone_numbers set provider_number_id = $3, capabilities = $4, country = coalesce($5, country),
                monthly_cost = coalesce($6, monthly_cost), updated_at = now()
         where workspace_id = $1 and id = $2
           and (provider_number_id, capabilities, country, monthly_cost)
               is distinct from ($3, $4, coalesce($5, country), coalesce($6, monthly_cost))",
        tx.workspace_uuid(),
        id.0,
        facts.provider_number_id,
        &facts.capabilities,
        facts.country,
        facts.monthly_cost,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Takes over a number whose account at the same carrier was disconnected, as `left` says. None: it is another one's.
pub(crate) async fn adopt(
    tx: &mut WriteTx,
    carrier: &str,
    integration: IntegrationId,
    number: &str,
    left: &str,
) -> Result<Option<NumberId>, AppError> {
    Ok(sqlx::query_scalar!(
        r#"update agency_phone_numbers set integration_id = $3, status = 'active', last_error = null, updated_at = now()
           where workspace_id = $1 and provider = $2 and integration_id <> $3 and number = $4 and status = 'inactive' and last_error = $5
           returning id as "id: NumberId""#,
        tx.workspace_uuid(),
        carrier,
        integration.0,
        number,
        left
    )
    .fetch_optional(tx.conn())
    .await?)
}
