use crate::access::Role;
use crate::access::server::{ReadTx, WriteTx};
use crate::members::model::{MemberRow, UserStatus, grantable};
use crate::shared::ids::{ClientId, UserId};
use crate::shared::{AppError, Cursor, Page, zone};

/// Rows on a page.
pub const PAGE: usize = 100;

/// People of the workspace, or of the viewer's client, by newest first, `limit` rows on a page.
pub async fn list(
    tx: &mut ReadTx,
    role: Option<&str>,
    cursor: Option<&str>,
    limit: usize,
) -> Result<Page<MemberRow>, AppError> {
    let cursor = Cursor::parse(cursor);
    let key = cursor.as_ref().and_then(|cursor| cursor.key.parse::<uuid::Uuid>().ok());
    let older = cursor.as_ref().is_none_or(|cursor| cursor.older);
    let (zone, now) = (tx.scope().zone(), chrono::Utc::now());
    let viewer = tx.scope().viewer().cloned();
    let rows = sqlx::query!(
        r#"select u.id as "id: UserId", u.name, u.email, u.role as "role: Role", u.status as "status: UserStatus", u.last_login_at,
                  c.name as "client?"
           from users u left join clients c on c.workspace_id = $1 and c.id = u.client_id
           where u.workspace_id = $1 and ($2::text is null or u.role::text = $2)
             and ($3::uuid is null or ($4 and u.id < $3) or (not $4 and u.id > $3))
           order by case when $4 then u.id end desc, case when not $4 then u.id end limit $5"#,
        tx.w(),
        role.filter(|role| !role.is_empty()),
        key,
        older,
        limit as i64 + 1,
    )
    .fetch_all(tx.conn())
    .await?;
    let rows = rows
        .into_iter()
        .map(|row| MemberRow {
            can_change: viewer
                .as_ref()
                .is_some_and(|viewer| viewer.user_id != row.id && grantable(viewer.role).contains(&row.role)),
            id: row.id,
            name: row.name,
            email: row.email,
            role: row.role,
            client: row.client,
            status: row.status,
            last_login: row.last_login_at.map(|at| zone::stamp(at, now, zone)),
        })
        .collect();
    Ok(Page::cut(rows, limit, cursor.as_ref(), |row| row.id.to_string()))
}

/// Someone's name, role and client. Errors: `NotFound`.
pub async fn get(tx: &mut WriteTx, id: UserId) -> Result<(String, Role, Option<ClientId>), AppError> {
    let row = sqlx::query!(
        r#"select name, role as "role: Role", client_id as "client_id: ClientId" from users where workspace_id = $1 and id = $2"#,
        tx.w(),
        id.0
    )
    .fetch_one(tx.conn())
    .await?;
    Ok((row.name, row.role, row.client_id))
}

#[allow(clippy::too_many_arguments)]
pub async fn insert(
    tx: &mut WriteTx,
    id: UserId,
    client: Option<ClientId>,
    name: &str,
    email: &str,
    role: Role,
    hash: &str,
) -> Result<(), AppError> {
    sqlx::query!(
        "insert into users (id, workspace_id, client_id, name, email, role, password_hash) values ($2, $1, $3, $4, $5, $6, $7)",
        tx.w(),
        id.0,
        client.map(|client| client.0),
        name,
        email,
        role as Role,
        hash
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

pub async fn set_status(tx: &mut WriteTx, id: UserId, status: UserStatus) -> Result<bool, AppError> {
    let done = sqlx::query!(
        "update users set status = $3, updated_at = now() where workspace_id = $1 and id = $2 and status <> $3",
        tx.w(),
        id.0,
        status as UserStatus
    )
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Active owners, this transaction's own changes included.
pub async fn active_owners(tx: &mut WriteTx) -> Result<i64, AppError> {
    Ok(sqlx::query_scalar!(
        r#"select count(*) as "count!" from users where workspace_id = $1 and role = 'agency_owner' and status = 'active'"#,
        tx.w()
    )
    .fetch_one(tx.conn())
    .await?)
}

pub async fn set_profile(tx: &mut WriteTx, id: UserId, name: &str, timezone: &str) -> Result<(), AppError> {
    sqlx::query!(
        "update users set name = $3, timezone = $4, updated_at = now() where workspace_id = $1 and id = $2",
        tx.w(),
        id.0,
        name,
        timezone
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}
