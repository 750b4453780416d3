//! All statements that change `api_keys` and `api_key_hours`.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::key::Made;
use crate::model::{KeyRow, KeyStatus, KeyTerms};
use patchbay_access::server::{Db, ReadTx, SystemTx, WriteTx};
use patchbay_access::{ApiScope, Role, allows};
use patchbay_shared::ids::{ApiKeyId, UserId};
use patchbay_shared::{AppError, Cursor, Page, zone};

/// Rows on a page.
pub(crate) const PAGE: usize = 50;

fn scopes_of(words: &[String]) -> Vec<ApiScope> {
    words.iter().filter_map(|word| word.parse().ok()).collect()
}

/// Keys by newest first.
pub(crate) async fn list(tx: &mut ReadTx, cursor: Option<&str>, limit: usize) -> Result<Page<KeyRow>, AppError> {
    let cursor = Cursor::parse(cursor);
    let key = cursor.as_ref().and_then(|cursor| cursor.key.parse::<Uuid>().ok());
    let older = cursor.as_ref().is_none_or(|cursor| cursor.older);
    let (local, now) = (tx.scope().zone(), tx.now().await?);
    let rows = sqlx::query!(
        r#"select k.id as "id: ApiKeyId", k.name, k.prefix, u.name as owner, u.role as "role: Role", u.status::text = 'active' as "works!",
                  k.scopes, k.rate_limit, k.is_active, k.created_at, k.expires_at, k.last_used_at, k.last_used_ip
           from api_keys k join users u on u.id = k.owner_id
           where k.workspace_id = $1 and ($2::uuid is null or ($3 and k.id < $2) or (not $3 and k.id > $2))
           order by case when $3 then k.id end desc, case when not $3 then k.id end limit $4"#,
        tx.workspace_uuid(),
        key,
        older,
        limit as i64 + 1,
    )
    .fetch_all(tx.conn())
    .await?;
    let stamp = |at: DateTime<Utc>| zone::stamp(at, now, local);
    let rows = rows
        .into_iter()
        .map(|row| {
            let scopes = scopes_of(&row.scopes);
            let lost = scopes.iter().copied().filter(|scope| !row.works || !allows(row.role, scope.action())).collect();
            let status = match (row.is_active, row.expires_at) {
                (false, _) => KeyStatus::Revoked,
                (true, Some(at)) if at <= now => KeyStatus::Expired,
                (true, Some(at)) if at <= now + chrono::Duration::days(7) => KeyStatus::Expiring,
                _ => KeyStatus::Active,
            };
            KeyRow {
                id: row.id,
                name: row.name,
                prefix: row.prefix,
                owner: row.owner,
                scopes,
                lost,
                rate_limit: row.rate_limit,
                used: 0,
                status,
                created: stamp(row.created_at),
                expires: row.expires_at.map(stamp),
                last_used: row.last_used_at.map(stamp),
                last_ip: row.last_used_ip,
            }
        })
        .collect();
    Ok(Page::cut(rows, limit, cursor.as_ref(), |row: &KeyRow| row.id.to_string()))
}

/// A key that is about to change.
pub(crate) struct Locked {
    pub terms: KeyTerms,
    pub prefix: String,
    pub is_usable: bool,
    /// It has a successor already.
    pub is_rotated: bool,
}

/// Locks a key. Errors: `NotFound`.
pub(crate) async fn lock(tx: &mut WriteTx, id: ApiKeyId) -> Result<Locked, AppError> {
    let row = sqlx::query!(
        r#"select name, prefix, scopes, rate_limit, is_active and coalesce(expires_at > now(), true) as "is_usable!",
                  rotated_at is not null as "is_rotated!",
                  ceil(extract(epoch from expires_at - created_at) / 86400)::int as days
           from api_keys where workspace_id = $1 and id = $2 for update"#,
        tx.workspace_uuid(),
        id.0
    )
    .fetch_one(tx.conn())
    .await?;
    let terms = KeyTerms { name: row.name, scopes: scopes_of(&row.scopes), rate_limit: row.rate_limit, days: row.days };
    Ok(Locked { terms, prefix: row.prefix, is_usable: row.is_usable, is_rotated: row.is_rotated })
}

pub(crate) async fn insert(tx: &mut WriteTx, id: ApiKeyId, terms: &KeyTerms, made: &Made) -> Result<(), AppError> {
    let owner = tx.user_id().ok_or(AppError::NotSignedIn)?;
    let scopes: Vec<String> = terms.scopes.iter().map(|scope| scope.as_str().to_owned()).collect();
    sqlx::query!(
        "insert into api_keys (id, workspace_id, owner_id, name, prefix, key_hash, scopes, rate_limit, expires_at)
         values ($2, $1, $3, $4, $5, $6, $7, $8, now() + make_interval(days => $9::int))",
        tx.workspace_uuid(),
        id.0,
        owner.0,
        terms.name,
        made.prefix,
        made.hash,
        &scopes,
        terms.rate_limit,
        terms.days,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// The key has a successor, and ends in so many hours, if it does not end sooner.
pub(crate) async fn retire(tx: &mut WriteTx, id: ApiKeyId, hours: i32) -> Result<(), AppError> {
    sqlx::query!(
        "update api_keys set expires_at = least(coalesce(expires_at, 'infinity'), now() + make_interval(hours => $3)),
                rotated_at = now(), updated_at = now()
         where workspace_id = $1 and id = $2",
        tx.workspace_uuid(),
        id.0,
        hours
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// True if the key worked until now.
pub(crate) async fn revoke(tx: &mut WriteTx, id: ApiKeyId) -> Result<bool, AppError> {
    let done = sqlx::query!(
        "update api_keys set is_active = false, updated_at = now() where workspace_id = $1 and id = $2 and is_active",
        tx.workspace_uuid(),
        id.0
    )
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected() == 1)
}

/// A key that a program sent.
pub(crate) struct Presented {
    pub id: ApiKeyId,
    pub owner: UserId,
    pub name: String,
    pub hash: String,
    pub scopes: Vec<ApiScope>,
    pub rate_limit: i32,
}

/// How the present hour stands after this request.
pub(crate) struct Hour {
    /// Requests in this hour, this one included; one above the limit means refused.
    pub used: i32,
    /// Seconds until the next hour.
    pub left: i64,
}

/// Finds a working key by its prefix.
pub(crate) async fn find(db: &Db, prefix: &str) -> Result<Option<Presented>, AppError> {
    let mut tx = SystemTx::open(db, "api key").await?;
    let row = sqlx::query!(
        r#"select id as "id: ApiKeyId", owner_id as "owner: UserId", name, key_hash, scopes, rate_limit from api_keys
           where prefix = $1 and is_active and coalesce(expires_at > now(), true)"#,
        prefix
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|row| Presented {
        id: row.id,
        owner: row.owner,
        name: row.name,
        hash: row.key_hash,
        scopes: scopes_of(&row.scopes),
        rate_limit: row.rate_limit,
    }))
}

/// Counts a request, exactly and for all processes; refused ones are not counted further. Notes the use at most once a minute.
pub(crate) async fn count(db: &Db, key: &Presented, ip: Option<&str>) -> Result<Hour, AppError> {
    let mut tx = SystemTx::open(db, "api key").await?;
    let row = sqlx::query!(
        r#"insert into api_key_hours as h (key_id, hour, used) values ($1, date_trunc('hour', now()), 1)
           on conflict (key_id, hour) do update set used = least(h.used, $2) + 1
           returning used, ceil(extract(epoch from h.hour + interval '1 hour' - now()))::bigint as "left!""#,
        key.id.0,
        if key.rate_limit == 0 { i32::MAX - 1 } else { key.rate_limit },
    )
    .fetch_one(tx.conn())
    .await?;
    sqlx::query!(
        "update api_keys set last_used_at = now(), last_used_ip = $2
         where id = $1 and coalesce(last_used_at < now() - interval '1 minute', true)",
        key.id.0,
        ip
    )
    .execute(tx.conn())
    .await?;
    tx.commit().await?;
    Ok(Hour { used: row.used, left: row.left })
}

/// Requests of the present hour, by key.
pub(crate) async fn used(db: &Db, keys: &[Uuid]) -> Result<Vec<(Uuid, i32)>, AppError> {
    let mut tx = SystemTx::open(db, "api keys").await?;
    let rows = sqlx::query!(
        "select key_id, used from api_key_hours where key_id = any($1) and hour = date_trunc('hour', now())",
        keys
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(|row| (row.key_id, row.used)).collect())
}

/// Removes counts of hours that are over.
pub async fn prune(db: &Db) -> Result<(), AppError> {
    let mut tx = SystemTx::open(db, "api key hours").await?;
    sqlx::query!(
        "delete from api_key_hours where (key_id, hour) in (
           select key_id, hour from api_key_hours where hour < now() - interval '2 days' limit 1000)"
    )
    .execute(tx.conn())
    .await?;
    tx.commit().await
}
