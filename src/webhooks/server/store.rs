//! All statements of the crate. Here those about endpoints; the others stand beside.

pub(crate) mod events;
pub(crate) mod queue;
pub(crate) mod sent;
pub(crate) mod upkeep;
pub(crate) mod views;
pub(crate) mod views_of_deliveries;

use chrono::{DateTime, Utc};

use crate::model::{EndpointFields, EndpointStatus};
use patchbay_access::server::{ReadTx, WriteTx};
use patchbay_shared::AppError;
use patchbay_shared::ids::{ClientId, WebhookEndpointId};

/// An endpoint as it is stored, without its secrets.
pub(crate) struct Endpoint {
    pub name: String,
    pub client_id: Option<ClientId>,
    pub url: String,
    pub events: Vec<String>,
    pub status: EndpointStatus,
    pub secret_at: DateTime<Utc>,
    pub old_until: Option<DateTime<Utc>>,
}

/// Locks an endpoint that was not removed. Before any of its deliveries, as everywhere. Errors: `NotFound`.
pub(crate) async fn lock(tx: &mut WriteTx, id: WebhookEndpointId) -> Result<Endpoint, AppError> {
    Ok(sqlx::query_as!(
        Endpoint,
        r#"select name, client_id as "client_id: ClientId", url, events, status as "status: EndpointStatus", secret_at,
                  case when old_until > now() then old_until end as old_until
           from webhook_endpoints where workspace_id = $1 and id = $2 and removed_at is null for no key update"#,
        tx.workspace_uuid(),
        id.0
    )
    .fetch_one(tx.conn())
    .await?)
}

/// How many endpoints there are.
pub(crate) async fn count(tx: &mut ReadTx) -> Result<i64, AppError> {
    Ok(sqlx::query_scalar!(
        r#"select count(*) as "count!" from webhook_endpoints where workspace_id = $1 and removed_at is null"#,
        tx.workspace_uuid()
    )
    .fetch_one(tx.conn())
    .await?)
}

/// Whether the agency has the client, and works for it. Errors: `NotFound`.
pub(crate) async fn is_client_active(tx: &mut ReadTx, id: ClientId) -> Result<bool, AppError> {
    Ok(sqlx::query_scalar!(
        r#"select status = 'active' as "is!" from clients where workspace_id = $1 and id = $2"#,
        tx.workspace_uuid(),
        id.0
    )
    .fetch_one(tx.conn())
    .await?)
}

pub(crate) async fn insert(
    tx: &mut WriteTx,
    id: WebhookEndpointId,
    fields: &EndpointFields,
    secret: &str,
) -> Result<(), AppError> {
    sqlx::query!(
        "insert into webhook_endpoints (workspace_id, id, client_id, name, url, events, secret) values ($1, $2, $3, $4, $5, $6, $7)",
        tx.workspace_uuid(),
        id.0,
        fields.client_id.map(|id| id.0),
        fields.name,
        fields.url,
        &words(fields),
        secret,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

pub(crate) async fn update(tx: &mut WriteTx, id: WebhookEndpointId, fields: &EndpointFields) -> Result<(), AppError> {
    sqlx::query!(
        "update webhook_endpoints set name = $3, url = $4, events = $5, updated_at = now(),
                failing_since = case when url = $4 then failing_since end
         where workspace_id = $1 and id = $2",
        tx.workspace_uuid(),
        id.0,
        fields.name,
        fields.url,
        &words(fields),
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

pub(crate) fn words(fields: &EndpointFields) -> Vec<String> {
    fields.events.iter().map(|kind| kind.as_str().to_owned()).collect()
}

/// Switches an endpoint off, by a person (`inactive`) or by itself (`error`, with the reason).
pub(crate) async fn switch_off(
    tx: &mut WriteTx,
    id: WebhookEndpointId,
    status: EndpointStatus,
    reason: Option<&str>,
) -> Result<(), AppError> {
    sqlx::query!(
        "update webhook_endpoints set status = $3, off_at = now(), off_reason = $4, updated_at = now() where workspace_id = $1 and id = $2",
        tx.workspace_uuid(),
        id.0,
        status as EndpointStatus,
        reason
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

pub(crate) async fn switch_on(tx: &mut WriteTx, id: WebhookEndpointId) -> Result<(), AppError> {
    sqlx::query!(
        "update webhook_endpoints set status = 'active', off_at = null, off_reason = null, failing_since = null, updated_at = now()
         where workspace_id = $1 and id = $2",
        tx.workspace_uuid(),
        id.0
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Puts another secret in place of the present one, which signs, too, for so many hours. Gives until when.
pub(crate) async fn replace_secret(
    tx: &mut WriteTx,
    id: WebhookEndpointId,
    secret: &str,
    hours: i32,
) -> Result<DateTime<Utc>, AppError> {
    Ok(sqlx::query_scalar!(
        r#"update webhook_endpoints set old_secret = secret, old_secret_at = secret_at, old_until = now() + make_interval(hours => $4),
                  secret = $3, secret_at = now(), updated_at = now()
           where workspace_id = $1 and id = $2 returning old_until as "until!""#,
        tx.workspace_uuid(),
        id.0,
        secret,
        hours
    )
    .fetch_one(tx.conn())
    .await?)
}

pub(crate) async fn drop_old_secret(tx: &mut WriteTx, id: WebhookEndpointId) -> Result<(), AppError> {
    sqlx::query!(
        "update webhook_endpoints set old_secret = null, old_secret_at = null, old_until = null, updated_at = now()
         where workspace_id = $1 and id = $2",
        tx.workspace_uuid(),
        id.0
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Removes an endpoint, and its secrets with it. What was sent stays until it is old.
pub(crate) async fn remove(tx: &mut WriteTx, id: WebhookEndpointId) -> Result<(), AppError> {
    sqlx::query!(
        "update webhook_endpoints set removed_at = now(), status = 'inactive', off_at = coalesce(off_at, now()), secret = '',
                old_secret = null, old_secret_at = null, old_until = null, updated_at = now()
         where workspace_id = $1 and id = $2",
        tx.workspace_uuid(),
        id.0
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// A try failed. True: each has, for five days. Silence does not count: after two days without a try the time begins anew.
pub(crate) async fn fails(tx: &mut WriteTx, id: WebhookEndpointId) -> Result<bool, AppError> {
    let found = sqlx::query!(
        r#"select coalesce(failing_since < now() - interval '5 days', false) as "is_long!",
                  case when failing_since < now() - interval '2 days'
                       then not exists (select from webhook_deliveries d
                                        where d.workspace_id = $1 and d.endpoint_id = $2 and d.event_type <> 'test'
                                          and d.last_try_at > now() - interval '2 days')
                       else failing_since is null end as "begins!"
           from webhook_endpoints where workspace_id = $1 and id = $2 and status = 'active' for no key update"#,
        tx.workspace_uuid(),
        id.0
    )
    .fetch_optional(tx.conn())
    .await?;
    let Some(found) = found else { return Ok(false) };
    if found.begins {
        sqlx::query!(
            "update webhook_endpoints set failing_since = now() where workspace_id = $1 and id = $2",
            tx.workspace_uuid(),
            id.0
        )
        .execute(tx.conn())
        .await?;
    }
    Ok(found.is_long && !found.begins)
}

/// A try went well.
pub(crate) async fn works(tx: &mut WriteTx, id: WebhookEndpointId) -> Result<(), AppError> {
    sqlx::query!(
        "update webhook_endpoints set failing_since = null where workspace_id = $1 and id = $2 and failing_since is not null",
        tx.workspace_uuid(),
        id.0
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Who asked to be told.
pub(crate) struct Listener {
    pub id: WebhookEndpointId,
    pub client_id: Option<ClientId>,
    pub events: Vec<String>,
    pub is_on: bool,
}

/// The endpoints that events are kept for: those that are on, and those that have been off for less than a month.
/// Locked, so that nobody switches one on meanwhile and leaves behind what is about to be held.
pub(crate) async fn listeners(tx: &mut WriteTx) -> Result<Vec<Listener>, AppError> {
    Ok(sqlx::query_as!(
        Listener,
        r#"select id as "id: WebhookEndpointId", client_id as "client_id: ClientId", events, status = 'active' as "is_on!"
           from webhook_endpoints
           where workspace_id = $1 and removed_at is null and (off_at is null or off_at > now() - interval '30 days') order by id
           for share"#,
        tx.workspace_uuid()
    )
    .fetch_all(tx.conn())
    .await?)
}

/// Addresses of the people who see to endpoints.
pub(crate) async fn keepers(tx: &mut ReadTx) -> Result<Vec<String>, AppError> {
    Ok(sqlx::query_scalar!(
        "select email from users where workspace_id = $1 and role in ('agency_owner', 'agency_admin') and status = 'active' order by email",
        tx.workspace_uuid()
    )
    .fetch_all(tx.conn())
    .await?)
}
