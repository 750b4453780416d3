//! Sign-ins at other systems, and those that somebody has begun.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::model::{IntegrationType, TokenType};
use patchbay_access::server::{ReadTx, WriteTx};
use patchbay_shared::AppError;
use patchbay_shared::ids::{IntegrationId, TokenId, UserId};

/// A sign-in, sealed.
#[derive(Debug, Clone)]
pub(crate) struct Stored {
    pub id: TokenId,
    pub sealed: String,
    pub expires_at: Option<DateTime<Utc>>,
    pub is_active: bool,
    /// Somebody renews it at the moment.
    pub is_being_renewed: bool,
}

pub(crate) fn key(integration: IntegrationId) -> String {
    format!("integration:{integration}")
}

/// The newest sign-in of an integration, in use or ended.
pub(crate) async fn newest(tx: &mut ReadTx, integration: IntegrationId) -> Result<Option<Stored>, AppError> {
    Ok(sqlx::query_as!(
        Stored,
        r#"select id as "id: TokenId", encrypted_token_data as sealed, expires_at, is_active,
                  coalesce(refresh_until > now(), false) as "is_being_renewed!"
           from user_tokens where workspace_id = $1 and integration_key = $2 order by is_active desc, updated_at desc limit 1"#,
        tx.workspace_uuid(),
        key(integration)
    )
    .fetch_optional(tx.conn())
    .await?)
}

/// What a sign-in leaves behind.
pub(crate) struct Save<'a> {
    pub user: UserId,
    pub integration: IntegrationId,
    pub provider: &'a str,
    pub kind: TokenType,
    pub sealed: &'a str,
    pub key_id: &'a str,
    pub scopes: &'a [String],
    pub expires_at: Option<DateTime<Utc>>,
}

/// From now on this sign-in is used, and no other.
pub(crate) async fn save(tx: &mut WriteTx, save: &Save<'_>) -> Result<(), AppError> {
    forget(tx, save.integration).await?;
    sqlx::query!(
        "insert into user_tokens (workspace_id, id, user_id, integration_key, provider, token_type, encrypted_token_data, key_id, scopes, expires_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        tx.workspace_uuid(),
        TokenId::new().0,
        save.user.0,
        key(save.integration),
        save.provider,
        save.kind as TokenType,
        save.sealed,
        save.key_id,
        save.scopes,
        save.expires_at,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// The sign-ins that are used at this account, sealed, with their integrations.
pub(crate) async fn at_account(
    tx: &mut ReadTx,
    kind: IntegrationType,
    account: &str,
) -> Result<Vec<(IntegrationId, String)>, AppError> {
    let rows = sqlx::query!(
        r#"select i.id as "id: IntegrationId", t.encrypted_token_data as sealed
           from integrations i
             join user_tokens t on t.workspace_id = $1 and t.integration_key = 'integration:' || i.id and t.is_active
           where i.workspace_id = $1 and i.type = $2 and i.account_id = $3"#,
        tx.workspace_uuid(),
        kind as IntegrationType,
        account
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(|row| (row.id, row.sealed)).collect())
}

/// Takes the right to renew the sign-in for a minute, if it still is the one that was read and nobody else has that right.
pub(crate) async fn claim(tx: &mut WriteTx, stored: &Stored, me: Uuid) -> Result<bool, AppError> {
    let done = sqlx::query!(
        "update user_tokens set refresh_owner = $4, refresh_until = now() + interval '60 seconds'
         where workspace_id = $1 and id = $2 and encrypted_token_data = $3 and is_active and (refresh_until is null or refresh_until <= now())",
        tx.workspace_uuid(),
        stored.id.0,
        stored.sealed,
        me
    )
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected() == 1)
}

/// The renewed sign-in, by whoever still has the right to renew it.
pub(crate) async fn renew(
    tx: &mut WriteTx,
    id: TokenId,
    me: Uuid,
    sealed: &str,
    key_id: &str,
    scopes: &[String],
    expires_at: Option<DateTime<Utc>>,
) -> Result<bool, AppError> {
    let done = sqlx::query!(
        "update user_tokens set encrypted_token_data = $4, key_id = $5, expires_at = $6, refresh_owner = null, refresh_until = null,
                scopes = case when cardinality($7::text[]) > 0 then $7 else scopes end, refreshed_at = now(), updated_at = now()
         where workspace_id = $1 and id = $2 and refresh_owner = $3 and is_active",
        tx.workspace_uuid(),
        id.0,
        me,
        sealed,
        key_id,
        expires_at,
        scopes
    )
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected() == 1)
}

/// The right to renew is given back; `ended`: the sign-in is over. False: somebody else has it by now.
pub(crate) async fn release(tx: &mut WriteTx, id: TokenId, me: Uuid, ended: bool) -> Result<bool, AppError> {
    let done = sqlx::query!(
        "update user_tokens set refresh_owner = null, refresh_until = null, is_active = is_active and not $4, updated_at = now()
         where workspace_id = $1 and id = $2 and refresh_owner = $3",
        tx.workspace_uuid(),
        id.0,
        me,
        ended
    )
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected() == 1)
}

/// The sign-in that was used is over.
pub(crate) async fn end(tx: &mut WriteTx, integration: IntegrationId, sealed: &str) -> Result<bool, AppError> {
    let done = sqlx::query!(
        "update user_tokens set is_active = false, refresh_owner = null, refresh_until = null, updated_at = now()
         where workspace_id = $1 and integration_key = $2 and encrypted_token_data = $3 and is_active",
        tx.workspace_uuid(),
        key(integration),
        sealed
    )
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected() == 1)
}

/// All sign-ins of the integration are gone.
pub(crate) async fn forget(tx: &mut WriteTx, integration: IntegrationId) -> Result<(), AppError> {
    sqlx::query!(
        "delete from user_tokens where workspace_id = $1 and integration_key = $2",
        tx.workspace_uuid(),
        key(integration)
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Integrations whose sign-in is good for less than ten minutes and can be renewed.
pub(crate) async fn expiring(tx: &mut ReadTx) -> Result<Vec<IntegrationId>, AppError> {
    let keys = sqlx::query_scalar!(
        "select integration_key from user_tokens
         where workspace_id = $1 and is_active and token_type = 'oauth2' and expires_at < now() + interval '10 minutes'
         order by expires_at limit 200",
        tx.workspace_uuid()
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(keys.iter().filter_map(|key| key.strip_prefix("integration:")?.parse().ok()).collect())
}

/// A sign-in that was begun.
pub(crate) struct Attempt {
    pub integration: IntegrationId,
    pub user: UserId,
    pub session_digest: Vec<u8>,
    pub sealed: String,
    pub is_old: bool,
    pub was_used: bool,
}

pub(crate) async fn begin(
    tx: &mut WriteTx,
    integration: IntegrationId,
    user: UserId,
    state_digest: &[u8],
    session_digest: &[u8],
    sealed: &str,
) -> Result<(), AppError> {
    sqlx::query!(
        "insert into oauth_attempts (workspace_id, id, integration_id, user_id, state_digest, session_digest, verifier, expires_at)
         values ($1, $2, $3, $4, $5, $6, $7, now() + interval '10 minutes')",
        tx.workspace_uuid(),
        Uuid::now_v7(),
        integration.0,
        user.0,
        state_digest,
        session_digest,
        sealed
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// The attempt with this state, used from now on.
pub(crate) async fn take(tx: &mut WriteTx, state_digest: &[u8]) -> Result<Option<Attempt>, AppError> {
    let row = sqlx::query!(
        r#"update oauth_attempts a set used_at = coalesce(a.used_at, now())
           from (select id, used_at from oauth_attempts where workspace_id = $1 and state_digest = $2 for update) old
           where a.workspace_id = $1 and a.id = old.id
           returning a.integration_id as "integration: IntegrationId", a.user_id as "user: UserId", a.session_digest, a.verifier,
                     a.expires_at <= now() as "is_old!", old.used_at is not null as "was_used!""#,
        tx.workspace_uuid(),
        state_digest
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|row| Attempt {
        integration: row.integration,
        user: row.user,
        session_digest: row.session_digest,
        sealed: row.verifier,
        is_old: row.is_old,
        was_used: row.was_used,
    }))
}

/// Attempts of yesterday are forgotten.
pub(crate) async fn prune(tx: &mut WriteTx) -> Result<(), AppError> {
    sqlx::query!(
        "delete from oauth_attempts where workspace_id = $1 and expires_at < now() - interval '1 day'",
        tx.workspace_uuid()
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}
