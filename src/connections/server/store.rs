//! All statements that change `provider_connections`.

use std::str::FromStr;

use chrono::{DateTime, Utc};
use sqlx::types::Json;
use uuid::Uuid;

use crate::model::{ConnectionSettings, IntegrationStatus, Mode, Provider, TelephonySetup};
use patchbay_access::server::{ReadTx, WriteTx};
use patchbay_shared::AppError;
use patchbay_shared::ids::ConnectionId;

/// A connection as it stands in the table, secrets sealed.
#[derive(Clone)]
pub struct Stored {
    pub id: Uuid,
    pub provider: String,
    /// What people called it; empty: nothing.
    pub name: String,
    pub mode: String,
    pub base_url: String,
    pub sealed_credentials: String,
    pub credentials_hint: String,
    pub sealed_webhook_secrets: Option<String>,
    pub public_key: Option<String>,
    pub settings: Json<ConnectionSettings>,
    pub status: IntegrationStatus,
    pub last_error: Option<String>,
    pub last_checked_at: Option<DateTime<Utc>>,
    pub updated_at: DateTime<Utc>,
}

impl Stored {
    pub(super) fn has_models(&self) -> bool {
        Provider::from_str(&self.provider).is_ok_and(Provider::has_models)
    }

    /// What people called it, else the service's name.
    pub(super) fn shown_name(&self) -> String {
        match Provider::from_str(&self.provider) {
            Ok(provider) if self.name.is_empty() => provider.label().to_owned(),
            _ => self.name.clone(),
        }
    }
}

/// The workspace's connections, the oldest first: at most one at the voice service and at the carrier, and any number at services of
/// models.
pub async fn list(tx: &mut ReadTx) -> Result<Vec<Stored>, AppError> {
    let workspace = tx.workspace_uuid();
    Ok(sqlx::query_as!(
        Stored,
        r#"select id, provider, name, mode, base_url, sealed_credentials, credentials_hint, sealed_webhook_secrets, public_key,
                  settings as "settings: Json<ConnectionSettings>", status as "status: IntegrationStatus", last_error,
                  last_checked_at, updated_at
           from provider_connections where workspace_id = $1 order by created_at, id"#,
        workspace
    )
    .fetch_all(tx.conn())
    .await?)
}

/// Agents that the voice service has, and numbers at the carrier (tables of others: counted for display only).
pub(crate) async fn uses(tx: &mut ReadTx) -> Result<(i64, i64), AppError> {
    let row = sqlx::query!(
        r#"select (select count(distinct m.agent_id) from agent_mappings m join agents a on a.workspace_id = $1 and a.id = m.agent_id
                   where m.workspace_id = $1 and m.provider_agent_id is not null and a.is_active) as "agents!",
                  (select count(*) from agency_phone_numbers where workspace_id = $1 and provider = 'telnyx' and status in ('pending', 'active', 'inactive')) as "numbers!""#,
        tx.workspace_uuid()
    )
    .fetch_one(tx.conn())
    .await?;
    Ok((row.agents, row.numbers))
}

/// Which kinds of work use an account of models (a table of others: for display only).
pub(crate) async fn purposes(tx: &mut ReadTx) -> Result<Vec<(ConnectionId, String)>, AppError> {
    let rows = sqlx::query!(
        r#"select connection_id as "connection_id: ConnectionId", purpose from model_choices where workspace_id = $1 order by created_at, id"#,
        tx.workspace_uuid()
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(|row| (row.connection_id, row.purpose)).collect())
}

/// The connection of a service, the oldest if there are several; or the one of this id.
pub(crate) async fn get(tx: &mut ReadTx, key: &str) -> Result<Option<Stored>, AppError> {
    let id = Uuid::parse_str(key).ok();
    Ok(list(tx).await?.into_iter().find(|stored| stored.provider == key || Some(stored.id) == id))
}

/// What a saved form leaves behind.
pub(crate) struct Save<'a> {
    pub id: Uuid,
    pub provider: &'a str,
    pub name: &'a str,
    pub mode: Mode,
    pub base_url: &'a str,
    pub sealed_credentials: &'a str,
    pub credentials_hint: &'a str,
    pub sealed_webhook_secrets: Option<&'a str>,
    pub public_key: Option<&'a str>,
    pub settings: &'a ConnectionSettings,
}

/// Makes or replaces the connection of a service; it counts as checked and working.
pub(crate) async fn save(tx: &mut WriteTx, save: Save<'_>) -> Result<Uuid, AppError> {
    let workspace = tx.workspace_uuid();
    Ok(sqlx::query_scalar!(
        "insert into provider_connections (workspace_id, id, provider, mode, base_url, sealed_credentials, credentials_hint,
                sealed_webhook_secrets, public_key, settings, name, status, last_checked_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 'active', now())
         on conflict (workspace_id, id) do update set name = excluded.name, mode = excluded.mode, base_url = excluded.base_url,
                sealed_credentials = excluded.sealed_credentials, credentials_hint = excluded.credentials_hint,
                sealed_webhook_secrets = excluded.sealed_webhook_secrets, public_key = excluded.public_key,
                settings = excluded.settings, status = 'active', last_error = null, last_checked_at = now(), updated_at = now()
         returning id",
        workspace,
        save.id,
        save.provider,
        save.mode.as_str(),
        save.base_url,
        save.sealed_credentials,
        save.credentials_hint,
        save.sealed_webhook_secrets,
        save.public_key,
        Json(save.settings) as _,
        save.name,
    )
    .fetch_one(tx.conn())
    .await?)
}

/// Writes down how far the way to the voice service is set up.
pub(crate) async fn set_telephony(tx: &mut WriteTx, provider: &str, setup: &TelephonySetup) -> Result<(), AppError> {
    sqlx::query!(
        "update provider_connections set settings = jsonb_set(settings, '{telephony}', $3), updated_at = now()
         where workspace_id = $1 and provider = $2",
        tx.workspace_uuid(),
        provider,
        Json(setup) as _
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Records how a check or a use went. True when that is news: the same again changes nothing. A connection that is switched off
/// stays so.
pub(crate) async fn set_health(
    tx: &mut WriteTx,
    id: ConnectionId,
    error: Option<&str>,
    checked: bool,
) -> Result<bool, AppError> {
    let workspace = tx.workspace_uuid();
    let done = sqlx::query!(
        "update provider_connections
         set status = case when status = 'inactive' then status when $3::text is null then 'active' else 'error' end,
             last_error = $3, last_checked_at = case when $4 then now() else last_checked_at end, updated_at = now()
         where workspace_id = $1 and id = $2 and ($4 or last_error is distinct from $3)",
        workspace,
        id.0,
        error,
        checked,
    )
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected() > 0)
}

/// False when there is no such connection.
pub(crate) async fn set_status(
    tx: &mut WriteTx,
    id: ConnectionId,
    status: IntegrationStatus,
) -> Result<bool, AppError> {
    let workspace = tx.workspace_uuid();
    let done = sqlx::query!(
        "update provider_connections set status = $3, last_error = null, updated_at = now()
         where workspace_id = $1 and id = $2",
        workspace,
        id.0,
        status as IntegrationStatus,
    )
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected() > 0)
}

/// Says in the workspace's settings whether calls are real: they are once the voice service is live, whatever the others are.
pub(crate) async fn refresh_sandbox_flag(tx: &mut WriteTx) -> Result<(), AppError> {
    let workspace = tx.workspace_uuid();
    let is_live = sqlx::query_scalar!(
        r#"select exists (select from provider_connections where workspace_id = $1 and provider = 'ultravox' and mode = 'live') as "live!""#,
        workspace
    )
    .fetch_one(tx.conn())
    .await?;
    patchbay_workspaces::server::set_sandbox(tx, !is_live).await
}
