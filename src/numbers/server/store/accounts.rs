//! Where the calls of numbers at the agency's own accounts at other carriers go.

use crate::model::CarrierConnection;
use patchbay_access::server::{ReadTx, WriteTx};
use patchbay_shared::AppError;
use patchbay_shared::ids::{IntegrationId, NumberId};

/// The carrier sends the number's calls to this address of ours, or to nobody here; `before`: what sends them back, sealed.
pub(crate) async fn set_routed(
    tx: &mut WriteTx,
    id: NumberId,
    to: Option<&str>,
    before: Option<&str>,
    found: Option<&CarrierConnection>,
) -> Result<(), AppError> {
    sqlx::query!(
        "update agency_phone_numbers set routed_to = $3, calls_before = $4, route_error = null, updated_at = now(), route_checked_at = now(),
                carrier_connection = $5, carrier_connection_name = $6, carrier_connection_kind = $7,
                routed_at = case when $3::text is null then null
                                 when routed_to = $3 and carrier_connection = $3 then routed_at else now() end
         where workspace_id = $1 and id = $2",
        tx.workspace_uuid(),
        id.0,
        to,
        before,
        found.map(|found| &*found.id),
        found.and_then(|found| found.name.as_deref()),
        found.map(|found| found.kind.as_str())
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Its calls are about to come here: what sends them back, sealed.
pub(crate) async fn set_before(tx: &mut WriteTx, id: NumberId, before: Option<&str>) -> Result<(), AppError> {
    sqlx::query!(
        "update agency_phone_numbers set calls_before = $3, updated_at = now() where workspace_id = $1 and id = $2",
        tx.workspace_uuid(),
        id.0,
        before
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Numbers of an account whose calls come here, or should, or may have been sent here.
pub(crate) async fn called(tx: &mut ReadTx, account: IntegrationId) -> Result<Vec<NumberId>, AppError> {
    Ok(sqlx::query_scalar!(
        r#"select id as "id: NumberId" from agency_phone_numbers
           where workspace_id = $1 and integration_id = $2 and status <> 'released'
             and (direction = 'inbound' or routed_to is not null or calls_before is not null) order by id"#,
        tx.workspace_uuid(),
        account.0
    )
    .fetch_all(tx.conn())
    .await?)
}

/// Of these the ones whose calls the carrier has not been told to send here, or that something stood in the way of. One that was sent
/// here and is sent elsewhere by somebody is none of them.
pub(crate) async fn hindered(tx: &mut ReadTx, account: IntegrationId) -> Result<Vec<NumberId>, AppError> {
    Ok(sqlx::query_scalar!(
        r#"select id as "id: NumberId" from agency_phone_numbers
           where workspace_id = $1 and integration_id = $2 and status <> 'released'
             and (route_error is not null or (routed_to is null and (direction = 'inbound' or calls_before is not null)))
           order by id"#,
        tx.workspace_uuid(),
        account.0
    )
    .fetch_all(tx.conn())
    .await?)
}

/// Numbers whose calls should come here, up to `most` of each account: those first that nobody has looked at for longest.
pub(crate) async fn to_look_at(tx: &mut ReadTx, most: i64) -> Result<Vec<(NumberId, IntegrationId)>, AppError> {
    let rows = sqlx::query!(
        r#"select id as "id: NumberId", integration_id as "account!: IntegrationId"
           from (select id, integration_id,
                        row_number() over (partition by integration_id order by route_checked_at nulls first, id) as place
                 from agency_phone_numbers
                 where workspace_id = $1 and integration_id is not null and status = 'active' and routed_to is not null) n
           where place <= $2 order by place, id"#,
        tx.workspace_uuid(),
        most
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(|row| (row.id, row.account)).collect())
}

/// Whether the agency has a number that is rented from here.
pub(crate) async fn has_rented(tx: &mut ReadTx) -> Result<bool, AppError> {
    Ok(sqlx::query_scalar!(
        r#"select exists (select from agency_phone_numbers
                          where workspace_id = $1 and provider = 'telnyx' and status in ('active', 'inactive')) as "has!""#,
        tx.workspace_uuid()
    )
    .fetch_one(tx.conn())
    .await?)
}
