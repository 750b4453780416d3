//! When a connection is compared with its service, and how far back both are known to agree.

use chrono::{DateTime, Utc};

use patchbay_access::server::{ReadTx, SystemTx, WriteTx};
use patchbay_shared::AppError;
use patchbay_shared::ids::{ConnectionId, WorkspaceId};

/// The state of a connection's comparisons.
#[derive(Debug, Clone)]
pub(crate) struct CheckState {
    pub clean_until: DateTime<Utc>,
    pub next_at: DateTime<Utc>,
    pub checked_at: Option<DateTime<Utc>>,
    pub checked_from: Option<DateTime<Utc>>,
    pub compared: i64,
    pub error: Option<String>,
}

/// None: this connection is not compared.
pub(crate) async fn get(tx: &mut ReadTx, connection: ConnectionId) -> Result<Option<CheckState>, AppError> {
    Ok(sqlx::query_as!(
        CheckState,
        "select clean_until, next_at, checked_at, checked_from, compared, error from call_checks
         where workspace_id = $1 and connection_id = $2",
        tx.workspace_uuid(),
        connection.0
    )
    .fetch_optional(tx.conn())
    .await?)
}

/// From now on the connection is compared; what was before an account was connected is not missing. `anew`: another account has been
/// connected, so nothing is known of it.
pub(crate) async fn start(tx: &mut WriteTx, connection: ConnectionId, anew: bool) -> Result<(), AppError> {
    sqlx::query!(
        "insert into call_checks (workspace_id, connection_id, clean_until, next_at) values ($1, $2, now(), now() + interval '10 minutes')
         on conflict (workspace_id, connection_id) do update
           set clean_until = case when $3 then now() else call_checks.clean_until end, error = null, updated_at = now()",
        tx.workspace_uuid(),
        connection.0,
        anew
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Every call up to here is known.
pub(crate) async fn advance(tx: &mut WriteTx, connection: ConnectionId, until: DateTime<Utc>) -> Result<(), AppError> {
    sqlx::query!(
        "update call_checks set clean_until = greatest(clean_until, $3), updated_at = now() where workspace_id = $1 and connection_id = $2",
        tx.workspace_uuid(),
        connection.0,
        until
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// A check got to its end.
pub(crate) async fn record(
    tx: &mut WriteTx,
    connection: ConnectionId,
    from: DateTime<Utc>,
    compared: i64,
    next_at: DateTime<Utc>,
) -> Result<(), AppError> {
    sqlx::query!(
        "update call_checks set checked_at = now(), checked_from = $3, compared = $4, next_at = $5, error = null, updated_at = now()
         where workspace_id = $1 and connection_id = $2",
        tx.workspace_uuid(),
        connection.0,
        from,
        compared,
        next_at
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// A check did not get to its end.
pub(crate) async fn record_trouble(
    tx: &mut WriteTx,
    connection: ConnectionId,
    error: &str,
    next_at: DateTime<Utc>,
) -> Result<(), AppError> {
    let error: String = error.chars().filter(|c| *c != '\0').take(500).collect();
    sqlx::query!(
        "update call_checks set error = $3, next_at = $4, updated_at = now() where workspace_id = $1 and connection_id = $2",
        tx.workspace_uuid(),
        connection.0,
        error,
        next_at
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Takes up to `most` connections whose check is due, and puts their next one off, so that no other process takes them too.
pub(crate) async fn take_due(tx: &mut SystemTx, most: i64) -> Result<Vec<(WorkspaceId, ConnectionId)>, AppError> {
    let rows = sqlx::query!(
        r#"with due as materialized (
             select workspace_id, connection_id from call_checks where next_at <= now() order by next_at limit $1
             for update skip locked)
           update call_checks c set next_at = now() + interval '10 minutes' from due
           where c.workspace_id = due.workspace_id and c.connection_id = due.connection_id
           returning c.workspace_id as "workspace: WorkspaceId", c.connection_id as "connection: ConnectionId""#,
        most
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(|row| (row.workspace, row.connection)).collect())
}
