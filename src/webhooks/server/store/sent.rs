//! Statements about one delivery while it is sent: what is sent where, and what came of it.

use chrono::{DateTime, Utc};
use serde_json::Value;

use crate::model::EndpointStatus;
use patchbay_access::server::{ReadTx, WriteTx};
use patchbay_shared::AppError;
use patchbay_shared::ids::{DeliveryId, WebhookEventId};

/// All that a try needs.
pub(crate) struct Parcel {
    pub event_id: WebhookEventId,
    pub event_type: String,
    pub body: String,
    pub url: String,
    /// Sealed; empty when the endpoint was removed.
    pub secret: String,
    /// The one before, while it signs, too.
    pub old_secret: Option<String>,
    pub status: EndpointStatus,
    pub is_removed: bool,
    /// The endpoint's client is archived.
    pub rests: bool,
    pub is_suspended: bool,
    pub tries_in_row: i32,
}

/// None: there is no such delivery, or it does not wait.
pub(crate) async fn parcel(tx: &mut ReadTx, id: DeliveryId) -> Result<Option<Parcel>, AppError> {
    Ok(sqlx::query_as!(
        Parcel,
        r#"select d.event_id as "event_id: WebhookEventId", d.event_type, v.body, e.url, e.secret,
                  case when e.old_until > now() then e.old_secret end as old_secret, e.status as "status: EndpointStatus",
                  e.removed_at is not null as "is_removed!",
                  coalesce(k.status = 'archived', false) as "rests!", w.status = 'suspended' as "is_suspended!", d.tries_in_row
           from webhook_deliveries d
           join webhook_events v on v.workspace_id = $1 and v.id = d.event_id
           join webhook_endpoints e on e.workspace_id = $1 and e.id = d.endpoint_id
           join workspaces w on w.id = $1
           left join clients k on k.workspace_id = $1 and k.id = e.client_id
           where d.workspace_id = $1 and d.id = $2 and d.state = 'waiting'"#,
        tx.workspace_uuid(),
        id.0
    )
    .fetch_optional(tx.conn())
    .await?)
}

/// One try, as it is kept.
pub(crate) struct Attempt {
    pub request_headers: Value,
    pub status: Option<i32>,
    pub error: Option<String>,
    pub ms: i32,
    pub remote: Option<String>,
    pub response_headers: Option<Value>,
    pub response_body: Option<String>,
}

/// How a delivery stands after a try.
pub(crate) enum Then {
    Delivered,
    Failed,
    Again(DateTime<Utc>),
}

/// Writes a try, and what becomes of the delivery.
pub(crate) async fn tried(tx: &mut WriteTx, id: DeliveryId, attempt: &Attempt, then: &Then) -> Result<(), AppError> {
    let (state, next) = match then {
        Then::Delivered => ("delivered", None),
        Then::Failed => ("failed", None),
        Then::Again(at) => ("waiting", Some(*at)),
    };
    let number = sqlx::query_scalar!(
        "update webhook_deliveries set state = $3, next_try_at = $4, tries = tries + 1, tries_in_row = tries_in_row + 1,
                last_status = $5, last_error = $6, last_ms = $7, last_try_at = now()
         where workspace_id = $1 and id = $2 returning tries",
        tx.workspace_uuid(),
        id.0,
        state,
        next,
        attempt.status,
        attempt.error,
        attempt.ms,
    )
    .fetch_one(tx.conn())
    .await?;
    sqlx::query!(
        "insert into webhook_attempts
           (workspace_id, delivery_id, number, request_headers, status, error, ms, remote, response_headers, response_body)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        tx.workspace_uuid(),
        id.0,
        number,
        attempt.request_headers,
        attempt.status,
        attempt.error,
        attempt.ms,
        attempt.remote,
        attempt.response_headers,
        attempt.response_body,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// A delivery that was not tried: it is kept, or has failed for the reason.
pub(crate) async fn end(tx: &mut WriteTx, id: DeliveryId, why: Option<&str>) -> Result<(), AppError> {
    sqlx::query!(
        "update webhook_deliveries set state = case when $3::text is null then 'held' else 'failed' end, next_try_at = null,
                last_error = coalesce($3, last_error)
         where workspace_id = $1 and id = $2",
        tx.workspace_uuid(),
        id.0,
        why
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// A delivery that was not tried waits until then.
pub(crate) async fn wait(tx: &mut WriteTx, id: DeliveryId, until: DateTime<Utc>) -> Result<(), AppError> {
    sqlx::query!(
        "update webhook_deliveries set next_try_at = $3 where workspace_id = $1 and id = $2 and state = 'waiting'",
        tx.workspace_uuid(),
        id.0,
        until
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}
