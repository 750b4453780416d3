//! The statements that change `users`, and those by which accounts are found. All of them run in a transaction that spans tenants, or
//! in the tenant's own.

use sqlx::PgConnection;
use uuid::Uuid;

use patchbay_access::Role;
use patchbay_access::server::WriteTx;
use patchbay_shared::AppError;
use patchbay_shared::ids::{ClientId, UserId, WorkspaceId};

/// A person about to be written.
pub struct NewUser<'a> {
    pub id: UserId,
    /// None: a platform admin.
    pub workspace: Option<WorkspaceId>,
    /// Set exactly for client roles.
    pub client: Option<ClientId>,
    pub name: &'a str,
    pub email: &'a str,
    pub role: Role,
    pub password_hash: &'a str,
}

/// Keeps somebody's client from going away until the commit. No foreign key does: people are on every node, clients are not.
/// Errors: `NotFound`.
async fn hold_client(
    conn: &mut PgConnection,
    workspace: Option<WorkspaceId>,
    client: Option<ClientId>,
) -> Result<(), AppError> {
    if let (Some(workspace), Some(client)) = (workspace, client) {
        sqlx::query!("select id from clients where workspace_id = $1 and id = $2 for key share", workspace.0, client.0)
            .fetch_one(conn)
            .await?;
    }
    Ok(())
}

/// Errors: `Invalid` at `email` when somebody of the workspace has the address; `NotFound` for a client that is not the workspace's.
pub async fn insert(conn: &mut PgConnection, new: &NewUser<'_>) -> Result<(), AppError> {
    hold_client(conn, new.workspace, new.client).await?;
    sqlx::query!(
        "insert into users (id, workspace_id, client_id, name, email, role, password_hash) values ($1, $2, $3, $4, $5, $6, $7)",
        new.id.0,
        new.workspace.map(|workspace| workspace.0),
        new.client.map(|client| client.0),
        new.name.trim(),
        new.email.trim(),
        new.role as Role,
        new.password_hash
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The person's stored password. None: nobody has this id.
pub(crate) async fn password_hash(conn: &mut PgConnection, id: UserId) -> Result<Option<String>, AppError> {
    let row = sqlx::query_scalar!("select password_hash from users where id = $1", id.0);
    Ok(row.fetch_optional(conn).await?)
}

/// The accounts that sign in with an address: one in each agency at most, the newest last. None is left out: whoever runs the
/// installation acts for the person. Errors: `NotFound` if there are none.
pub async fn by_email(conn: &mut PgConnection, email: &str) -> Result<Vec<UserId>, AppError> {
    let ids = sqlx::query_scalar!("select id from users where lower(email) = lower($1) order by id", email.trim());
    let ids: Vec<UserId> = ids.fetch_all(conn).await?.into_iter().map(UserId).collect();
    if ids.is_empty() { Err(AppError::NotFound) } else { Ok(ids) }
}

pub async fn set_password(conn: &mut PgConnection, id: UserId, hash: &str) -> Result<(), AppError> {
    sqlx::query!("update users set password_hash = $2, updated_at = now() where id = $1", id.0, hash)
        .execute(conn)
        .await?;
    Ok(())
}

/// Whose an account is, and where it belongs.
pub struct Account {
    pub id: UserId,
    pub name: String,
    pub email: String,
    pub role: Role,
    /// None: a platform admin's.
    pub workspace: Option<WorkspaceId>,
    pub client: Option<ClientId>,
}

/// Errors: `NotFound`.
pub async fn account(conn: &mut PgConnection, id: UserId) -> Result<Account, AppError> {
    Ok(sqlx::query_as!(
        Account,
        r#"select id as "id: UserId", name, email, role as "role: Role", workspace_id as "workspace: WorkspaceId",
                  client_id as "client: ClientId" from users where id = $1"#,
        id.0
    )
    .fetch_one(conn)
    .await?)
}

/// Notes that somebody has signed in now.
pub async fn note_sign_in(conn: &mut PgConnection, id: UserId) -> Result<(), AppError> {
    sqlx::query!("update users set last_login_at = now() where id = $1", id.0).execute(conn).await?;
    Ok(())
}

/// Stores the sealed secret of an authenticator app, and the step of the code that proved it.
pub async fn set_authenticator(conn: &mut PgConnection, id: Uuid, sealed: &str, step: i64) -> Result<(), AppError> {
    sqlx::query!(
        "update users set totp_secret = $2, totp_last_step = $3, updated_at = now() where id = $1",
        id,
        sealed,
        step
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Uses a code's step up: each code opens once. False: it, or a later one, has been used.
pub async fn use_step(conn: &mut PgConnection, id: Uuid, step: i64) -> Result<bool, AppError> {
    let done = sqlx::query!(
        "update users set totp_last_step = $2 where id = $1 and coalesce(totp_last_step, 0) < $2",
        id,
        step
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

pub async fn forget_authenticator(conn: &mut PgConnection, id: Uuid) -> Result<(), AppError> {
    sqlx::query!("update users set totp_secret = null, totp_last_step = null, updated_at = now() where id = $1", id)
        .execute(conn)
        .await?;
    Ok(())
}

/// Says on the account whether it has passkeys.
pub async fn set_has_passkey(conn: &mut PgConnection, id: Uuid, has: bool) -> Result<(), AppError> {
    sqlx::query!("update users set has_passkey = $2, updated_at = now() where id = $1", id, has).execute(conn).await?;
    Ok(())
}

pub async fn set_role(tx: &mut WriteTx, id: UserId, role: Role, client: Option<ClientId>) -> Result<(), AppError> {
    let workspace = Some(tx.workspace_id());
    hold_client(tx.conn(), workspace, client).await?;
    sqlx::query!(
        "update users set role = $3, client_id = $4, updated_at = now() where workspace_id = $1 and id = $2",
        tx.workspace_uuid(),
        id.0,
        role as Role,
        client.map(|client| client.0)
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// True if the account changed: `active` says whether the person may sign in.
pub async fn set_active(tx: &mut WriteTx, id: UserId, active: bool) -> Result<bool, AppError> {
    let done = sqlx::query!(
        "update users set status = (case when $3 then 'active' else 'suspended' end)::user_status, updated_at = now()
         where workspace_id = $1 and id = $2 and (status = 'active') <> $3",
        tx.workspace_uuid(),
        id.0,
        active
    )
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected() == 1)
}

/// What people change of their own account.
pub struct Profile {
    pub name: String,
    pub timezone: Option<String>,
}

/// Sets name and zone. Gives those from before.
pub async fn set_profile(tx: &mut WriteTx, id: UserId, name: &str, timezone: &str) -> Result<Profile, AppError> {
    let was = sqlx::query_as!(
        Profile,
        "select name, timezone from users where workspace_id = $1 and id = $2 for update",
        tx.workspace_uuid(),
        id.0
    )
    .fetch_one(tx.conn())
    .await?;
    sqlx::query!(
        "update users set name = $3, timezone = $4, updated_at = now() where workspace_id = $1 and id = $2",
        tx.workspace_uuid(),
        id.0,
        name,
        timezone
    )
    .execute(tx.conn())
    .await?;
    Ok(was)
}
