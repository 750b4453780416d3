//! Where the carrier sends the calls of a number, and who answers them.

use sqlx::types::Json;
use uuid::Uuid;

use crate::model::{AnswerHours, NumberStatus};
use patchbay_access::server::{ReadTx, WriteTx};
use patchbay_agents::model::CallDirection;
use patchbay_shared::AppError;
use patchbay_shared::ids::NumberId;

/// The carrier sends the number's calls to `to`, and sent them to `before` until then; those that do not come here go `elsewhere`.
pub(crate) async fn set_routed(
    tx: &mut WriteTx,
    id: NumberId,
    to: Option<&str>,
    before: Option<&str>,
    elsewhere: Option<&str>,
) -> Result<(), AppError> {
    sqlx::query!(
        "update agency_phone_numbers set routed_to = $3, routed_before = $4, route_error = null, updated_at = now(),
                carrier_connection = coalesce($3, $5), carrier_connection_name = null, route_checked_at = now(),
                carrier_connection_kind = case when $3::text is not null then 'ours' when $5::text is not null then 'other' end,
                routed_at = case when $3::text is null then null
                                 when routed_to = $3 and carrier_connection = $3 then routed_at else now() end
         where workspace_id = $1 and id = $2",
        tx.workspace_uuid(),
        id.0,
        to,
        before,
        elsewhere
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Where the carrier sends the number's calls, which are about to come here.
pub(crate) async fn set_routed_before(tx: &mut WriteTx, id: NumberId, before: Option<&str>) -> Result<(), AppError> {
    sqlx::query!(
        "update agency_phone_numbers set routed_before = $3, updated_at = now() where workspace_id = $1 and id = $2",
        tx.workspace_uuid(),
        id.0,
        before
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// True when that is news.
pub(crate) async fn set_route_error(tx: &mut WriteTx, id: NumberId, error: Option<&str>) -> Result<bool, AppError> {
    let done = sqlx::query!(
        "update agency_phone_numbers set route_error = $3, updated_at = now()
         where workspace_id = $1 and id = $2 and route_error is distinct from $3",
        tx.workspace_uuid(),
        id.0,
        error
    )
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected() == 1)
}

pub(crate) async fn set_provider_number(tx: &mut WriteTx, id: NumberId, provider_id: &str) -> Result<(), AppError> {
    sqlx::query!(
        "update agency_phone_numbers set provider_number_id = $3, updated_at = now() where workspace_id = $1 and id = $2",
        tx.workspace_uuid(),
        id.0,
        provider_id
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Numbers that people call and whose calls do not go to this application yet, and those of which something was in the way.
pub(crate) async fn to_route(tx: &mut ReadTx, application: &str) -> Result<Vec<NumberId>, AppError> {
    Ok(sqlx::query_scalar!(
        r#"select id as "id: NumberId" from agency_phone_numbers
           where workspace_id = $1 and provider = 'telnyx'
             and ((status = 'active' and direction = 'inbound' and (routed_to is distinct from $2 or route_error is not null))
                  or (status in ('active', 'inactive') and routed_to is not null and route_error is not null))
           order by id"#,
        tx.workspace_uuid(),
        application
    )
    .fetch_all(tx.conn())
    .await?)
}

/// A number that somebody calls, with what decides who answers.
pub(crate) struct Called {
    pub status: NumberStatus,
    pub direction: CallDirection,
    pub client_id: Option<Uuid>,
    pub integration_id: Option<Uuid>,
    pub agent_id: Option<Uuid>,
    pub hours: Option<Json<AnswerHours>>,
    pub after_hours_agent_id: Option<Uuid>,
    pub after_hours_words: Option<String>,
    pub fallback_words: Option<String>,
}

pub(crate) async fn called(tx: &mut ReadTx, number: &str) -> Result<Option<Called>, AppError> {
    Ok(sqlx::query_as!(
        Called,
        r#"select status as "status: NumberStatus", direction as "direction: CallDirection", client_id, integration_id, agent_id,
                  answer_hours as "hours: Json<AnswerHours>", after_hours_agent_id, after_hours_words, fallback_words
           from agency_phone_numbers where workspace_id = $1 and number = $2 and status <> 'released' limit 1"#,
        tx.workspace_uuid(),
        number
    )
    .fetch_optional(tx.conn())
    .await?)
}

/// A number that calls go out from.
pub(crate) struct CallerNumber {
    pub number: String,
    pub provider: String,
    pub integration_id: Option<Uuid>,
}

/// A number that a test call can go out from: of the client if it has one, else of the whole agency.
pub(crate) async fn to_call_from(tx: &mut ReadTx, client: Option<Uuid>) -> Result<Option<CallerNumber>, AppError> {
    Ok(sqlx::query_as!(
        CallerNumber,
        "select number, provider, integration_id from agency_phone_numbers
         where workspace_id = $1 and status = 'active' and (client_id is null or client_id = $2)
           and (provider = 'telnyx' or 'voice' = any(capabilities))
         order by client_id is null, direction = 'inbound', number limit 1",
        tx.workspace_uuid(),
        client
    )
    .fetch_optional(tx.conn())
    .await?)
}
