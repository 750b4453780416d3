//! Which record of the other side is which of ours.

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::types::Json;
use uuid::Uuid;

use crate::server::mapping::Fields;
use patchbay_access::server::{ReadTx, WriteTx};
use patchbay_shared::AppError;
use patchbay_shared::ids::{CallId, ClientId, ContactId, IntegrationId};

#[derive(Debug, Clone)]
pub(crate) struct Link {
    pub id: Uuid,
    pub remote_id: String,
    pub contact_id: Option<ContactId>,
    pub agreed: Json<Fields>,
    pub facts: Value,
    pub removed_at: Option<DateTime<Utc>>,
}

/// Links of these records.
pub(crate) async fn of_records(
    tx: &mut ReadTx,
    integration: IntegrationId,
    kind: &str,
    remote: &[String],
) -> Result<Vec<Link>, AppError> {
    Ok(sqlx::query_as!(
        Link,
        r#"select id, remote_id, contact_id as "contact_id: ContactId", agreed as "agreed: Json<Fields>", facts, removed_at
           from integration_links where workspace_id = $1 and integration_id = $2 and kind = $3 and remote_id = any($4)"#,
        tx.workspace_uuid(),
        integration.0,
        kind,
        remote
    )
    .fetch_all(tx.conn())
    .await?)
}

/// Links of these contacts to records that are there.
pub(crate) async fn of_contacts(
    tx: &mut ReadTx,
    integration: IntegrationId,
    contacts: &[ContactId],
) -> Result<Vec<Link>, AppError> {
    let ids: Vec<Uuid> = contacts.iter().map(|id| id.0).collect();
    Ok(sqlx::query_as!(
        Link,
        r#"select id, remote_id, contact_id as "contact_id: ContactId", agreed as "agreed: Json<Fields>", facts, removed_at
           from integration_links where workspace_id = $1 and integration_id = $2 and kind = 'contact' and contact_id = any($3)
             and removed_at is null order by id"#,
        tx.workspace_uuid(),
        integration.0,
        &ids
    )
    .fetch_all(tx.conn())
    .await?)
}

/// Whether the contact had a record that was removed there.
pub(crate) async fn is_removed(
    tx: &mut ReadTx,
    integration: IntegrationId,
    contact: ContactId,
) -> Result<bool, AppError> {
    Ok(sqlx::query_scalar!(
        r#"select exists (select from integration_links where workspace_id = $1 and integration_id = $2 and kind = 'contact'
                          and contact_id = $3 and removed_at is not null) as "removed!""#,
        tx.workspace_uuid(),
        integration.0,
        contact.0
    )
    .fetch_one(tx.conn())
    .await?)
}

/// What a link is written from.
pub(crate) struct NewLink<'a> {
    pub integration: IntegrationId,
    pub client: ClientId,
    pub kind: &'a str,
    pub remote_id: &'a str,
    pub contact: Option<ContactId>,
    pub call: Option<CallId>,
    pub agreed: &'a Fields,
    pub facts: &'a Value,
    pub changed_at: Option<DateTime<Utc>>,
}

/// Makes or renews the link of a record. It is there again, if it was gone.
pub(crate) async fn put(tx: &mut WriteTx, link: &NewLink<'_>) -> Result<(), AppError> {
    sqlx::query!(
        "insert into integration_links (workspace_id, id, integration_id, client_id, kind, remote_id, contact_id, call_id, agreed, facts, remote_changed_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
         on conflict (workspace_id, integration_id, kind, remote_id) do update set contact_id = excluded.contact_id,
                agreed = excluded.agreed, facts = excluded.facts, remote_changed_at = excluded.remote_changed_at, removed_at = null,
                updated_at = now()",
        tx.workspace_uuid(),
        Uuid::now_v7(),
        link.integration.0,
        link.client.0,
        link.kind,
        link.remote_id,
        link.contact.map(|id| id.0),
        link.call.map(|id| id.0),
        Json(link.agreed) as _,
        link.facts,
        link.changed_at,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// What both sides have now.
pub(crate) async fn agree(tx: &mut WriteTx, id: Uuid, fields: &Fields) -> Result<(), AppError> {
    sqlx::query!(
        "update integration_links set agreed = agreed || $3, updated_at = now() where workspace_id = $1 and id = $2",
        tx.workspace_uuid(),
        id,
        Json(fields) as _
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// The record is gone there. False: that was known.
pub(crate) async fn remove(tx: &mut WriteTx, id: Uuid) -> Result<bool, AppError> {
    let done = sqlx::query!(
        "update integration_links set removed_at = now(), updated_at = now() where workspace_id = $1 and id = $2 and removed_at is null",
        tx.workspace_uuid(),
        id
    )
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected() == 1)
}

/// The record lives on as another one, which has a link of its own; so do all that lived on as this one.
pub(crate) async fn lives_on(
    tx: &mut WriteTx,
    integration: IntegrationId,
    old: &Link,
    into: &str,
) -> Result<(), AppError> {
    sqlx::query!(
        "update integration_links set removed_at = coalesce(removed_at, now()), facts = jsonb_build_object('lives_on', $4::text),
                updated_at = now()
         where workspace_id = $1 and integration_id = $2 and kind = 'contact' and (id = $3 or facts ->> 'lives_on' = $5)",
        tx.workspace_uuid(),
        integration.0,
        old.id,
        into,
        old.remote_id
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Contacts whose own records live on as one of these.
pub(crate) async fn living_on(
    tx: &mut ReadTx,
    integration: IntegrationId,
    remote: &[String],
) -> Result<Vec<(String, ContactId)>, AppError> {
    let rows = sqlx::query!(
        r#"select facts ->> 'lives_on' as "lives_on!", contact_id as "contact!: ContactId" from integration_links
           where workspace_id = $1 and integration_id = $2 and kind = 'contact' and facts ? 'lives_on'
             and facts ->> 'lives_on' = any($3) and contact_id is not null"#,
        tx.workspace_uuid(),
        integration.0,
        remote
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(|row| (row.lives_on, row.contact)).collect())
}

/// The record lives on as another one, which has no link of its own. So do all that lived on as it.
pub(crate) async fn move_to(
    tx: &mut WriteTx,
    integration: IntegrationId,
    old: &Link,
    into: &str,
) -> Result<(), AppError> {
    sqlx::query!(
        "update integration_links set remote_id = $3, removed_at = null, facts = '{}', updated_at = now()
         where workspace_id = $1 and id = $2",
        tx.workspace_uuid(),
        old.id,
        into
    )
    .execute(tx.conn())
    .await?;
    sqlx::query!(
        "update integration_links set facts = facts || jsonb_build_object('lives_on', $3::text), updated_at = now()
         where workspace_id = $1 and integration_id = $2 and kind = 'contact' and facts ->> 'lives_on' = $4",
        tx.workspace_uuid(),
        integration.0,
        into,
        old.remote_id
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Another account has other records: nothing of the old one is known any more.
pub(crate) async fn forget_all(tx: &mut WriteTx, integration: IntegrationId) -> Result<i64, AppError> {
    let done = sqlx::query!(
        "delete from integration_links where workspace_id = $1 and integration_id = $2",
        tx.workspace_uuid(),
        integration.0
    )
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected() as i64)
}

/// What was written about a call: the activity's id there.
pub(crate) async fn of_call(
    tx: &mut ReadTx,
    integration: IntegrationId,
    kind: &str,
    call: CallId,
) -> Result<Option<String>, AppError> {
    Ok(sqlx::query_scalar!(
        "select remote_id from integration_links where workspace_id = $1 and integration_id = $2 and kind = $3 and call_id = $4",
        tx.workspace_uuid(),
        integration.0,
        kind,
        call.0
    )
    .fetch_optional(tx.conn())
    .await?)
}
