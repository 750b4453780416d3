//! Statements about deliveries while they are sent: what is sent where, and what came of it.

use chrono::{DateTime, Utc};
use serde_json::Value;
use uuid::Uuid;

use crate::model::EndpointStatus;
use patchbay_access::server::{ReadTx, WriteTx};
use patchbay_shared::AppError;
use patchbay_shared::ids::{DeliveryId, WebhookEventId};

/// All that a try needs.
pub(crate) struct Parcel {
    pub id: DeliveryId,
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

/// What is sent of these deliveries. Left out: those that there are none of, or that do not wait. Each is looked up by itself, however many
/// the agency has.
pub(crate) async fn parcels(tx: &mut ReadTx, ids: &[DeliveryId]) -> Result<Vec<Parcel>, AppError> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
    Ok(sqlx::query_as!(
        Parcel,
        r#"select n.id as "id!: DeliveryId", p.event_id as "event_id: WebhookEventId", p.event_type, p.body, p.url, p.secret,
                  p.old_secret, p.status as "status: EndpointStatus", p.is_removed as "is_removed!", p.rests as "rests!",
                  p.is_suspended as "is_suspended!", p.tries_in_row
           from unnest($2::uuid[]) as n (id) cross join lateral (
             select d.event_id, d.event_type, v.body, e.url, e.secret, case when e.old_until > now() then e.old_secret end as old_secret,
                    e.status, e.removed_at is not null as is_removed, coalesce(k.status = 'archived', false) as rests,
                    w.status = 'suspended' as is_suspended, d.tries_in_row
             from webhook_deliveries d
             join webhook_events v on v.workspace_id = $1 and v.id = d.event_id
             join webhook_endpoints e on e.workspace_id = $1 and e.id = d.endpoint_id
             join workspaces w on w.id = $1
             left join clients k on k.workspace_id = $1 and k.id = e.client_id
             where d.workspace_id = $1 and d.id = n.id and d.state = 'waiting' limit 1) p"#,
        tx.workspace_uuid(),
        &ids
    )
    .fetch_all(tx.conn())
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
    sqlx::query!(
        "with done as (
           update webhook_deliveries set state = $3, next_try_at = $4, tries = tries + 1, tries_in_row = tries_in_row + 1,
                  last_status = $5, last_error = $6, last_ms = $7, last_try_at = now()
           where workspace_id = $1 and id = $2 returning tries
         )
         insert into webhook_attempts
           (workspace_id, delivery_id, number, status, error, ms, request_headers, remote, response_headers, response_body)
         select $1, $2, done.tries, $5, $6, $7, $8, $9, $10, $11 from done",
        tx.workspace_uuid(),
        id.0,
        state,
        next,
        attempt.status,
        attempt.error,
        attempt.ms,
        attempt.request_headers,
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
