//! All statements about host names, and the reading of brands where they are kept.

use sqlx::types::Json;

use crate::model::Branding;
use patchbay_access::ClientName;
use patchbay_access::server::{Db, ReadTx, SystemTx, WriteTx};
use patchbay_shared::AppError;
use patchbay_shared::ids::{ClientId, WorkspaceId};

/// What the agency has set.
pub async fn agency(tx: &mut ReadTx) -> Result<Branding, AppError> {
    let w = tx.workspace_uuid();
    let found =
        sqlx::query_scalar!(r#"select branding as "branding: Json<Branding>" from workspaces where id = $1"#, w)
            .fetch_one(tx.conn())
            .await?;
    Ok(found.0)
}

/// A client, and what it has instead. Errors: `NotFound`.
pub async fn client(tx: &mut ReadTx, id: ClientId) -> Result<(ClientName, Branding), AppError> {
    let row = sqlx::query!(
        r#"select name, branding as "branding: Json<Branding>" from clients where workspace_id = $1 and id = $2"#,
        tx.workspace_uuid(),
        id.0
    )
    .fetch_one(tx.conn())
    .await?;
    Ok((ClientName { id, name: row.name }, row.branding.0))
}

/// Nobody else changes this brand until the transaction ends.
pub(crate) async fn lock(tx: &mut WriteTx, client: Option<ClientId>) -> Result<(), AppError> {
    let w = tx.workspace_uuid();
    match client {
        None => sqlx::query!("select id from workspaces where id = $1 for no key update", w)
            .fetch_all(tx.conn())
            .await
            .map(drop)?,
        Some(client) => {
            sqlx::query!("select id from clients where workspace_id = $1 and id = $2 for no key update", w, client.0)
                .fetch_all(tx.conn())
                .await
                .map(drop)?
        }
    }
    Ok(())
}

/// Sets the agency's brand, or a client's.
pub(crate) async fn set(tx: &mut WriteTx, client: Option<ClientId>, branding: &Branding) -> Result<(), AppError> {
    let branding = serde_json::json!(branding);
    match client {
        None => patchbay_workspaces::server::set_branding(tx, &branding).await,
        Some(client) => patchbay_clients::server::ops::set_branding(tx, client, &branding).await,
    }
}

/// A host name that an agency has asked for.
pub(crate) struct HostRow {
    pub host: String,
    pub token: String,
    pub verified_at: Option<chrono::DateTime<chrono::Utc>>,
}

/// The agency's host name, proved or not.
pub(crate) async fn host(tx: &mut ReadTx) -> Result<Option<HostRow>, AppError> {
    Ok(sqlx::query_as!(
        HostRow,
        "select host, token, verified_at from workspace_hosts where workspace_id = $1",
        tx.workspace_uuid()
    )
    .fetch_optional(tx.conn())
    .await?)
}

/// Asks for a host name: with a proof of its own, not given yet.
pub(crate) async fn ask_for_host(tx: &mut WriteTx, host: &str, token: &str) -> Result<(), AppError> {
    sqlx::query!(
        "insert into workspace_hosts (workspace_id, host, token) values ($1, $2, $3)
         on conflict (workspace_id) do update set host = $2, token = $3, verified_at = null, updated_at = now()",
        tx.workspace_uuid(),
        host,
        token
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Lets the host name go. False: there was none.
pub(crate) async fn drop_host(tx: &mut WriteTx) -> Result<bool, AppError> {
    let done = sqlx::query!("delete from workspace_hosts where workspace_id = $1", tx.workspace_uuid())
        .execute(tx.conn())
        .await?;
    Ok(done.rows_affected() == 1)
}

/// Notes that the proof of this host name was seen, or is gone. False: nothing changed, also because another name is asked for by now.
pub(crate) async fn set_proved(tx: &mut WriteTx, host: &str, token: &str, proved: bool) -> Result<bool, AppError> {
    let done = sqlx::query!(
        "update workspace_hosts set verified_at = case when $4 then now() end, misses = 0, updated_at = now()
         where workspace_id = $1 and host = $2 and token = $3 and (verified_at is not null) <> $4",
        tx.workspace_uuid(),
        host,
        token,
        proved
    )
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Every proved host name: whose it is, and the proof.
pub(crate) async fn proved(db: &Db) -> Result<Vec<(WorkspaceId, String, String)>, AppError> {
    let mut tx = SystemTx::open(db, "host names").await?;
    let rows = sqlx::query!(
        r#"select workspace_id as "workspace: WorkspaceId", host, token from workspace_hosts where verified_at is not null"#
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(|row| (row.workspace, row.host, row.token)).collect())
}

/// Notes whether the proof of a proved name was there. Gives how often in a row it was not.
pub(crate) async fn note(tx: &mut WriteTx, host: &str, token: &str, is_there: bool) -> Result<i32, AppError> {
    let misses = sqlx::query_scalar!(
        "update workspace_hosts set misses = case when $4 then 0 else misses + 1 end
         where workspace_id = $1 and host = $2 and token = $3 and verified_at is not null returning misses",
        tx.workspace_uuid(),
        host,
        token,
        is_there
    );
    Ok(misses.fetch_optional(tx.conn()).await?.unwrap_or(0))
}

/// The agency that has proved this host name, its proof, and what it has set.
pub(crate) struct Owner {
    pub workspace: WorkspaceId,
    pub token: String,
    pub branding: Branding,
}

/// Whose host name it is. It is asked before anybody's scope is known.
pub(crate) async fn owner_of(db: &Db, host: &str) -> Result<Option<Owner>, AppError> {
    let mut tx = SystemTx::open(db, "whose host name").await?;
    let row = sqlx::query!(
        r#"select h.workspace_id as "workspace: WorkspaceId", h.token, w.branding as "branding: Json<Branding>"
           from workspace_hosts h join workspaces w on w.id = h.workspace_id
           where h.host = $1 and h.verified_at is not null"#,
        host
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|row| Owner { workspace: row.workspace, token: row.token, branding: row.branding.0 }))
}
