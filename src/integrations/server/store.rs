//! All statements about integrations themselves; those about sign-ins, syncs, records and links stand in files of their own.

use chrono::{DateTime, Utc};
use serde_json::Value;

use crate::model::{FieldMap, IntegrationType};
use patchbay_access::server::{ReadTx, WriteTx};
use patchbay_connections::model::IntegrationStatus;
use patchbay_shared::AppError;
use patchbay_shared::ids::{ClientId, IntegrationId, UserId};

pub(crate) mod activities;
pub(crate) mod calls;
pub(crate) mod carriers;
pub(crate) mod links;
pub(crate) mod messages;
pub(crate) mod notices;
pub(crate) mod pending;
pub(crate) mod syncs;
pub(crate) mod tokens;
pub(crate) mod views;

/// An integration as it stands in the table.
#[derive(Debug, Clone)]
pub struct Integration {
    pub id: IntegrationId,
    pub client_id: Option<ClientId>,
    pub kind: IntegrationType,
    pub name: String,
    pub mode: String,
    /// By type: see `model::config`.
    pub config: Value,
    pub mapping: Value,
    pub status: IntegrationStatus,
    pub paused_at: Option<DateTime<Utc>>,
    pub problem: Option<String>,
    pub account_id: Option<String>,
    pub account_name: Option<String>,
    pub account_user: Option<String>,
    pub wait_until: Option<DateTime<Utc>>,
    pub last_sync_at: Option<DateTime<Utc>>,
    pub next_sync_at: Option<DateTime<Utc>>,
}

impl Integration {
    /// What is set about it, read as its type has it; what cannot be read is as if nothing were set.
    pub fn config<T: serde::de::DeserializeOwned + Default>(&self) -> T {
        serde_json::from_value(self.config.clone()).unwrap_or_default()
    }

    pub fn mapping(&self) -> Vec<FieldMap> {
        serde_json::from_value(self.mapping.clone()).unwrap_or_default()
    }
}

/// An integration that is new.
pub struct NewRow<'a> {
    pub id: IntegrationId,
    pub client_id: Option<ClientId>,
    pub kind: IntegrationType,
    pub name: &'a str,
    pub mode: &'a str,
    pub config: &'a Value,
    pub user_id: Option<UserId>,
}

pub(crate) async fn insert(tx: &mut WriteTx, row: &NewRow<'_>) -> Result<(), AppError> {
    sqlx::query!(
        "insert into integrations (workspace_id, id, client_id, type, name, mode, config, user_id) values ($1, $2, $3, $4, $5, $6, $7, $8)",
        tx.workspace_uuid(),
        row.id.0,
        row.client_id.map(|id| id.0),
        row.kind as IntegrationType,
        row.name,
        row.mode,
        row.config,
        row.user_id.map(|id| id.0),
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// One that was not removed. Errors: `NotFound`.
pub(crate) async fn get(tx: &mut ReadTx, id: IntegrationId) -> Result<Integration, AppError> {
    Ok(sqlx::query_as!(
        Integration,
        r#"select id as "id: IntegrationId", client_id as "client_id: ClientId", type as "kind: IntegrationType", name, mode, config, mapping,
                  status as "status: IntegrationStatus", paused_at, problem, account_id, account_name, account_user, wait_until,
                  last_sync_at, next_sync_at
           from integrations where workspace_id = $1 and id = $2 and removed_at is null"#,
        tx.workspace_uuid(),
        id.0
    )
    .fetch_one(tx.conn())
    .await?)
}

/// The same, held against other writers until the commit. Errors: `NotFound`.
pub(crate) async fn lock(tx: &mut WriteTx, id: IntegrationId) -> Result<Integration, AppError> {
    sqlx::query_scalar!(
        "select id from integrations where workspace_id = $1 and id = $2 and removed_at is null for no key update",
        tx.workspace_uuid(),
        id.0
    )
    .fetch_one(tx.conn())
    .await?;
    get(tx.reading(), id).await
}

/// CRMs that were not removed, of one client or of all.
pub(crate) async fn crms(
    tx: &mut ReadTx,
    client: Option<ClientId>,
) -> Result<Vec<(IntegrationId, ClientId)>, AppError> {
    let rows = sqlx::query!(
        r#"select id as "id: IntegrationId", client_id as "client_id!: ClientId" from integrations
           where workspace_id = $1 and type in ('hubspot', 'zoho') and removed_at is null and client_id is not null
             and ($2::uuid is null or client_id = $2) and account_id is not null
           order by id"#,
        tx.workspace_uuid(),
        client.map(|id| id.0)
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(|row| (row.id, row.client_id)).collect())
}

/// How it is: with what is wrong, in words. True: that is news.
pub(crate) async fn set_health(
    tx: &mut WriteTx,
    id: IntegrationId,
    status: IntegrationStatus,
    problem: Option<&str>,
) -> Result<bool, AppError> {
    let done = sqlx::query!(
        "update integrations set status = $3, problem = $4, problem_at = case when $4::text is not null then now() end, updated_at = now()
         where workspace_id = $1 and id = $2 and (status <> $3 or problem is distinct from $4)",
        tx.workspace_uuid(),
        id.0,
        status as IntegrationStatus,
        problem
    )
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected() > 0)
}

/// Switches it off for as long as people want, or on again.
pub(crate) async fn set_paused(
    tx: &mut WriteTx,
    id: IntegrationId,
    paused: bool,
    status: IntegrationStatus,
) -> Result<(), AppError> {
    sqlx::query!(
        "update integrations set paused_at = case when $3 then now() end, status = $4, updated_at = now() where workspace_id = $1 and id = $2",
        tx.workspace_uuid(),
        id.0,
        paused,
        status as IntegrationStatus
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Somebody signed in there. The account is known from now on.
pub(crate) async fn set_account(
    tx: &mut WriteTx,
    id: IntegrationId,
    account: (&str, &str, &str),
    status: IntegrationStatus,
) -> Result<(), AppError> {
    sqlx::query!(
        "update integrations set account_id = $3, account_name = $4, account_user = $5, status = $6, problem = null, problem_at = null,
                wait_until = null, updated_at = now()
         where workspace_id = $1 and id = $2",
        tx.workspace_uuid(),
        id.0,
        account.0,
        account.1,
        account.2,
        status as IntegrationStatus
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Nobody is signed in there any more.
pub(crate) async fn set_disconnected(tx: &mut WriteTx, id: IntegrationId) -> Result<(), AppError> {
    sqlx::query!(
        "update integrations set status = 'inactive', problem = null, problem_at = null, account_user = null, next_sync_at = null,
                wait_until = null, rate_limit = null, updated_at = now()
         where workspace_id = $1 and id = $2",
        tx.workspace_uuid(),
        id.0
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

pub(crate) async fn set_config(tx: &mut WriteTx, id: IntegrationId, config: &Value) -> Result<(), AppError> {
    sqlx::query!(
        "update integrations set config = $3, updated_at = now() where workspace_id = $1 and id = $2",
        tx.workspace_uuid(),
        id.0,
        config
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

pub(crate) async fn set_name(tx: &mut WriteTx, id: IntegrationId, name: &str) -> Result<(), AppError> {
    sqlx::query!(
        "update integrations set name = $3, updated_at = now() where workspace_id = $1 and id = $2",
        tx.workspace_uuid(),
        id.0,
        name
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

pub(crate) async fn set_mapping(tx: &mut WriteTx, id: IntegrationId, mapping: &Value) -> Result<(), AppError> {
    sqlx::query!(
        "update integrations set mapping = $3, updated_at = now() where workspace_id = $1 and id = $2",
        tx.workspace_uuid(),
        id.0,
        mapping
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Nothing is asked before; none: at once.
pub(crate) async fn set_wait(
    tx: &mut WriteTx,
    id: IntegrationId,
    until: Option<DateTime<Utc>>,
) -> Result<(), AppError> {
    sqlx::query!(
        "update integrations set wait_until = $3 where workspace_id = $1 and id = $2 and wait_until is distinct from $3",
        tx.workspace_uuid(),
        id.0,
        until
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// What the service said last about its limit.
pub(crate) async fn set_limit(tx: &mut WriteTx, id: IntegrationId, limit: &Value) -> Result<(), AppError> {
    sqlx::query!(
        "update integrations set rate_limit = $3 where workspace_id = $1 and id = $2",
        tx.workspace_uuid(),
        id.0,
        limit
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// A sync got to its end, or the next one is wanted.
pub(crate) async fn set_next(
    tx: &mut WriteTx,
    id: IntegrationId,
    synced: bool,
    next: Option<DateTime<Utc>>,
) -> Result<(), AppError> {
    sqlx::query!(
        "update integrations set last_sync_at = case when $3 then now() else last_sync_at end, next_sync_at = $4
         where workspace_id = $1 and id = $2",
        tx.workspace_uuid(),
        id.0,
        synced,
        next
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Integrations whose sync is due.
pub(crate) async fn due(tx: &mut ReadTx) -> Result<Vec<IntegrationId>, AppError> {
    Ok(sqlx::query_scalar!(
        r#"select id as "id: IntegrationId" from integrations
           where workspace_id = $1 and removed_at is null and status <> 'inactive' and next_sync_at <= now() order by next_sync_at limit 500"#,
        tx.workspace_uuid()
    )
    .fetch_all(tx.conn())
    .await?)
}

/// People who may sign in again there (tables of others: read for their addresses).
pub(crate) async fn owners(tx: &mut ReadTx) -> Result<Vec<String>, AppError> {
    Ok(sqlx::query_scalar!(
        "select email from users where workspace_id = $1 and role = 'agency_owner' and status = 'active' order by id limit 20",
        tx.workspace_uuid()
    )
    .fetch_all(tx.conn())
    .await?)
}

/// How many there are.
pub(crate) async fn count(tx: &mut WriteTx) -> Result<i64, AppError> {
    Ok(sqlx::query_scalar!(
        r#"select count(*) as "count!" from integrations where workspace_id = $1 and removed_at is null"#,
        tx.workspace_uuid()
    )
    .fetch_one(tx.conn())
    .await?)
}

/// Whether the client is one of the agency that was not archived (table of others).
pub(crate) async fn is_active_client(tx: &mut ReadTx, client: ClientId) -> Result<bool, AppError> {
    Ok(sqlx::query_scalar!(
        r#"select exists (select from clients where workspace_id = $1 and id = $2 and status = 'active') as "active!""#,
        tx.workspace_uuid(),
        client.0
    )
    .fetch_one(tx.conn())
    .await?)
}

pub(crate) async fn set_removed(tx: &mut WriteTx, id: IntegrationId) -> Result<(), AppError> {
    sqlx::query!(
        "update integrations set removed_at = now(), next_sync_at = null, status = 'inactive', updated_at = now()
         where workspace_id = $1 and id = $2",
        tx.workspace_uuid(),
        id.0
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}
