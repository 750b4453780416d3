//! What changed and has not been counted anew: the rows of billing_touches.

use chrono::{DateTime, NaiveDate, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use patchbay_access::server::{Db, ReadTx, SystemTx, WriteTx};
use patchbay_shared::AppError;
use patchbay_shared::ids::{ClientId, WorkspaceId};

/// A moment of a client's day, in whole seconds; without one every day of the client.
pub(crate) type Touch = (Option<ClientId>, Option<DateTime<Utc>>);

pub(crate) async fn add(tx: &mut WriteTx, quarters: &[(Option<ClientId>, i64)]) -> Result<(), AppError> {
    let ids: Vec<Uuid> = quarters.iter().map(|_| Uuid::now_v7()).collect();
    let clients: Vec<Option<Uuid>> = quarters.iter().map(|(client, _)| client.map(|id| id.0)).collect();
    let moments: Vec<f64> = quarters.iter().map(|(_, at)| *at as f64).collect();
    sqlx::query!(
        "insert into billing_touches (id, workspace_id, client_id, at)
         select t.id, $1, t.client_id, to_timestamp(t.at) from unnest($2::uuid[], $3::uuid[], $4::float8[]) t (id, client_id, at)",
        tx.workspace_uuid(),
        &ids,
        &clients as &[Option<Uuid>],
        &moments
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Every day of the client; of none: of what belongs to no client.
pub(crate) async fn add_whole(tx: &mut WriteTx, client: Option<ClientId>) -> Result<(), AppError> {
    sqlx::query!(
        "insert into billing_touches (id, workspace_id, client_id) values ($2, $1, $3)",
        tx.workspace_uuid(),
        Uuid::now_v7(),
        client.map(|id| id.0)
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// What was touched, of one client where one is named.
pub(crate) async fn list(tx: &mut ReadTx, client: Option<ClientId>) -> Result<Vec<Touch>, AppError> {
    let rows = sqlx::query!(
        r#"select distinct client_id as "client_id: ClientId", at from billing_touches
           where workspace_id = $1 and ($2::uuid is null or client_id = $2)"#,
        tx.workspace_uuid(),
        client.map(|id| id.0)
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(|row| (row.client_id, row.at)).collect())
}

/// A client of which every day is to be made anew, and all that was said of it, taken. None: there is none.
pub(crate) async fn take_whole(tx: &mut WriteTx) -> Result<Option<Touch>, AppError> {
    let row = sqlx::query!(
        r#"select client_id as "client_id: ClientId" from billing_touches where workspace_id = $1 and at is null limit 1"#,
        tx.workspace_uuid()
    )
    .fetch_optional(tx.conn())
    .await?;
    let Some(row) = row else { return Ok(None) };
    sqlx::query!(
        "delete from billing_touches where workspace_id = $1 and client_id is not distinct from $2",
        tx.workspace_uuid(),
        row.client_id.map(|id| id.0)
    )
    .execute(tx.conn())
    .await?;
    Ok(Some((row.client_id, None)))
}

/// Up to so many moments, taken.
pub(crate) async fn take(tx: &mut WriteTx, most: i64) -> Result<Vec<Touch>, AppError> {
    let rows = sqlx::query!(
        r#"delete from billing_touches where workspace_id = $1 and at is not null
             and id in (select id from billing_touches where workspace_id = $1 and at is not null limit $2)
           returning client_id as "client_id: ClientId", at"#,
        tx.workspace_uuid(),
        most
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(|row| (row.client_id, row.at)).collect())
}

/// The zone of each client's days, and, under none, of what belongs to no client.
pub(crate) async fn zones(
    tx: &mut ReadTx,
    client: Option<ClientId>,
) -> Result<Vec<(Option<ClientId>, String)>, AppError> {
    let rows = sqlx::query!(
        r#"select id as "client_id: ClientId", timezone as "timezone!" from clients
           where workspace_id = $1 and ($2::uuid is null or id = $2)
           union all
           select null, timezone from workspaces where id = $1 and $2::uuid is null"#,
        tx.workspace_uuid(),
        client.map(|id| id.0)
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(|row| (row.client_id, row.timezone)).collect())
}

/// The days that moments lie in, each in its zone: given and answered by place. The database's zones say so, which also say what day a
/// call is counted on.
pub(crate) async fn days(
    conn: &mut PgConnection,
    moments: &[(DateTime<Utc>, &str)],
) -> Result<Vec<NaiveDate>, AppError> {
    let (at, zones): (Vec<DateTime<Utc>>, Vec<String>) =
        moments.iter().map(|(at, zone)| (*at, (*zone).to_owned())).unzip();
    Ok(sqlx::query_scalar!(
        r#"select (m.at at time zone m.zone)::date as "day!" from unnest($1::timestamptz[], $2::text[]) with ordinality m (at, zone, place)
           order by m.place"#,
        &at,
        &zones
    )
    .fetch_all(conn)
    .await?)
}

/// The workspaces in which something was touched.
pub(crate) async fn workspaces(db: &Db) -> Result<Vec<WorkspaceId>, AppError> {
    let mut tx = SystemTx::open(db, "which workspaces have days to count").await?;
    let ids = sqlx::query_scalar!(
        r#"with recursive homes as (
             (select workspace_id from billing_touches order by workspace_id limit 1)
             union all
             select (select t.workspace_id from billing_touches t where t.workspace_id > homes.workspace_id
                     order by t.workspace_id limit 1)
             from homes where homes.workspace_id is not null)
           select workspace_id as "id!: WorkspaceId" from homes where workspace_id is not null"#
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(ids)
}

/// Every workspace there is.
pub(crate) async fn every_workspace(db: &Db) -> Result<Vec<WorkspaceId>, AppError> {
    let mut tx = SystemTx::open(db, "the list of workspaces").await?;
    Ok(sqlx::query_scalar!(r#"select id as "id: WorkspaceId" from workspaces order by id"#)
        .fetch_all(tx.conn())
        .await?)
}

/// Whether nobody else makes this workspace's days now; until the end of the transaction nobody else does.
pub(crate) async fn lock(tx: &mut WriteTx, waits: bool) -> Result<bool, AppError> {
    let key = tx.workspace_id().to_string();
    if waits {
        // However long the other takes.
        sqlx::raw_sql("set local lock_timeout = 0").execute(tx.conn()).await?;
        sqlx::query!("select pg_advisory_xact_lock(hashtextextended($1, 31))", key).execute(tx.conn()).await?;
        return Ok(true);
    }
    Ok(sqlx::query_scalar!(r#"select pg_try_advisory_xact_lock(hashtextextended($1, 31)) as "is_ours!""#, key)
        .fetch_one(tx.conn())
        .await?)
}
