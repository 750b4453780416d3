//! When the carrier is asked where an agency's numbers go, and what it said.

use chrono::{DateTime, Utc};

use crate::model::{CarrierConnection, ConnectionKind};
use patchbay_access::server::{ReadTx, SystemTx, WriteTx};
use patchbay_shared::AppError;
use patchbay_shared::ids::{ClientId, NumberId, WorkspaceId};

/// From now on the agency's numbers are looked at. Those of many agencies are not looked at all at once.
pub(crate) async fn start(tx: &mut WriteTx) -> Result<(), AppError> {
    sqlx::query!(
        "insert into route_checks (workspace_id, next_at) values ($1, now() + interval '4 hours' + random() * interval '4 hours')
         on conflict (workspace_id) do nothing",
        tx.workspace_uuid()
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Takes up to `most` agencies whose numbers are due, and puts their next look off, so that no other process takes them too.
pub(crate) async fn take_due(tx: &mut SystemTx, most: i64) -> Result<Vec<WorkspaceId>, AppError> {
    Ok(sqlx::query_scalar!(
        r#"with due as materialized (
             select workspace_id from route_checks where next_at <= now() order by next_at limit $1 for update skip locked)
           update route_checks c set next_at = now() + interval '4 hours' + random() * interval '4 hours' from due
           where c.workspace_id = due.workspace_id
           returning c.workspace_id as "workspace: WorkspaceId""#,
        most
    )
    .fetch_all(tx.conn())
    .await?)
}

/// A look came to its end, or why it did not: then the next one comes sooner.
pub(crate) async fn record(tx: &mut WriteTx, error: Option<&str>) -> Result<(), AppError> {
    let error: Option<String> = error.map(|error| error.chars().filter(|c| *c != '\0').take(500).collect());
    sqlx::query!(
        "update route_checks set error = $2, updated_at = now(),
                next_at = case when $2::text is null then next_at else least(next_at, now() + interval '30 minutes') end
         where workspace_id = $1",
        tx.workspace_uuid(),
        error
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Why the last look did not get to its end.
pub(crate) async fn trouble(tx: &mut ReadTx) -> Result<Option<String>, AppError> {
    let error = sqlx::query_scalar!("select error from route_checks where workspace_id = $1", tx.workspace_uuid());
    Ok(error.fetch_optional(tx.conn()).await?.flatten())
}

/// A number that the carrier is asked about.
pub(crate) struct Looked {
    pub id: NumberId,
    pub number: String,
    pub client: Option<ClientId>,
    pub routed_to: Option<String>,
    pub routed_at: Option<DateTime<Utc>>,
    pub route_error: Option<String>,
    pub connection: Option<String>,
    pub connection_name: Option<String>,
    pub connection_kind: Option<String>,
}

/// Numbers that the account should have.
pub(crate) async fn at_carrier(tx: &mut ReadTx) -> Result<Vec<Looked>, AppError> {
    Ok(sqlx::query_as!(
        Looked,
        r#"select id as "id: NumberId", number, client_id as "client: ClientId", routed_to, routed_at, route_error,
                  carrier_connection as connection, carrier_connection_name as connection_name,
                  carrier_connection_kind as connection_kind
           from agency_phone_numbers where workspace_id = $1 and provider = 'telnyx' and status in ('active', 'inactive') order by id"#,
        tx.workspace_uuid()
    )
    .fetch_all(tx.conn())
    .await?)
}

/// Holds these numbers against other writers until the commit.
pub(crate) async fn lock(tx: &mut WriteTx, ids: &[NumberId]) -> Result<(), AppError> {
    let ids: Vec<uuid::Uuid> = ids.iter().map(|id| id.0).collect();
    sqlx::query!(
        "select id from agency_phone_numbers where workspace_id = $1 and id = any($2) order by id for update",
        tx.workspace_uuid(),
        &ids
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(())
}

/// What was found of a number, unless the carrier was told something since it was read.
pub(crate) async fn set_found(
    tx: &mut WriteTx,
    was: &Looked,
    found: Option<&CarrierConnection>,
    error: Option<&str>,
) -> Result<(), AppError> {
    sqlx::query!(
        "update agency_phone_numbers set carrier_connection = $3, carrier_connection_name = $4, carrier_connection_kind = $5,
                route_error = $6, route_checked_at = now(), updated_at = now()
         where workspace_id = $1 and id = $2 and routed_at is not distinct from $7 and routed_to is not distinct from $8",
        tx.workspace_uuid(),
        was.id.0,
        found.map(|found| &*found.id),
        found.and_then(|found| found.name.as_deref()),
        found.map(|found| found.kind.as_str()),
        error,
        was.routed_at,
        was.routed_to
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// These were looked at, and nothing was new.
pub(crate) async fn set_checked(tx: &mut WriteTx, ids: &[NumberId]) -> Result<(), AppError> {
    let ids: Vec<uuid::Uuid> = ids.iter().map(|id| id.0).collect();
    sqlx::query!(
        "update agency_phone_numbers set route_checked_at = now() where workspace_id = $1 and id = any($2)",
        tx.workspace_uuid(),
        &ids
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// The connection as its columns hold it. None: nowhere, or nobody has looked.
pub(crate) fn connection(id: Option<String>, name: Option<String>, kind: Option<&str>) -> Option<CarrierConnection> {
    let kind = kind.and_then(|word| word.parse().ok()).unwrap_or(ConnectionKind::Other);
    id.map(|id| CarrierConnection { id, name, kind })
}
