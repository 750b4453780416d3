//! Statements about targets.

use sqlx::types::Json;

use super::place::{Place, state};
use crate::model::setup::{SetupQuery, TargetFields, TargetRow};
use crate::model::{Capacity, TargetConfig, TargetType};
use patchbay_access::server::{ReadTx, WriteTx};
use patchbay_shared::ids::{CircuitId, TargetId, UserId};
use patchbay_shared::search::{filled, like};
use patchbay_shared::zone::stamp;
use patchbay_shared::{AppError, Page};

/// A target as it is stored.
#[derive(Debug, Clone)]
pub(crate) struct Stored {
    pub fields: TargetFields,
    /// Sealed.
    pub secret: Option<String>,
    pub is_active: bool,
    pub is_held: bool,
    pub found: Option<String>,
}

/// Errors: `NotFound`.
pub(crate) async fn get(tx: &mut ReadTx, id: TargetId) -> Result<Stored, AppError> {
    let row = sqlx::query!(
        r#"select name, connection_config as "config: Json<TargetConfig>", secret, capacity as "capacity: Json<Capacity>", worker_pool,
                  is_active, held_at is not null as "is_held!", check_found
           from execution_targets where workspace_id = $1 and id = $2"#,
        tx.workspace_uuid(),
        id.0
    )
    .fetch_one(tx.conn())
    .await?;
    let fields = TargetFields { name: row.name, config: row.config.0, capacity: row.capacity.0, pool: row.worker_pool };
    Ok(Stored { fields, secret: row.secret, is_active: row.is_active, is_held: row.is_held, found: row.check_found })
}

/// Locks all targets of the agency, so that two changes wait for each other.
pub(crate) async fn lock(tx: &mut WriteTx) -> Result<i64, AppError> {
    let rows = sqlx::query_scalar!(
        "select id from execution_targets where workspace_id = $1 order by id for no key update",
        tx.workspace_uuid()
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.len() as i64)
}

/// The oldest that is in use; one that takes jobs and answers rather than another.
pub(crate) async fn first(tx: &mut ReadTx) -> Result<Option<TargetId>, AppError> {
    Ok(sqlx::query_scalar!(
        r#"select id as "id: TargetId" from execution_targets where workspace_id = $1 and is_active
           order by held_at is not null, check_problem is not null, created_at, id limit 1"#,
        tx.workspace_uuid()
    )
    .fetch_optional(tx.conn())
    .await?)
}

pub(crate) async fn name_is_taken(tx: &mut ReadTx, id: TargetId, name: &str) -> Result<bool, AppError> {
    Ok(sqlx::query_scalar!(
        r#"select exists (select from execution_targets
           where workspace_id = $1 and id <> $2 and is_active and lower(name) = lower($3)) as "taken!""#,
        tx.workspace_uuid(),
        id.0,
        name
    )
    .fetch_one(tx.conn())
    .await?)
}

/// Jobs that run on it or wait for it.
pub(crate) async fn open_jobs(tx: &mut ReadTx, id: TargetId) -> Result<i64, AppError> {
    Ok(sqlx::query_scalar!(
        r#"select count(*) as "count!" from execution_jobs where workspace_id = $1 and target_id = $2 and completed_at is null"#,
        tx.workspace_uuid(),
        id.0
    )
    .fetch_one(tx.conn())
    .await?)
}

pub(crate) async fn insert(tx: &mut WriteTx, id: TargetId, fields: &TargetFields) -> Result<(), AppError> {
    sqlx::query!(
        "insert into execution_targets (workspace_id, id, name, type, connection_config, capacity, worker_pool)
         values ($1, $2, $3, $4, $5, $6, $7)",
        tx.workspace_uuid(),
        id.0,
        fields.name,
        fields.config.kind().as_str(),
        Json(&fields.config) as _,
        Json(&fields.capacity) as _,
        fields.pool,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// What a check found is forgotten where it was about another place; a secret is, too.
pub(crate) async fn update(
    tx: &mut WriteTx,
    id: TargetId,
    fields: &TargetFields,
    is_elsewhere: bool,
) -> Result<(), AppError> {
    sqlx::query!(
        "update execution_targets set name = $3, connection_config = $4, capacity = $5, worker_pool = $6, updated_at = now(),
                secret = case when $7 then null else secret end, checked_at = case when $7 then null else checked_at end,
                check_problem = case when $7 then null else check_problem end, check_found = case when $7 then null else check_found end
         where workspace_id = $1 and id = $2",
        tx.workspace_uuid(),
        id.0,
        fields.name,
        Json(&fields.config) as _,
        Json(&fields.capacity) as _,
        fields.pool,
        is_elsewhere,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

pub(crate) async fn set_secret(tx: &mut WriteTx, id: TargetId, sealed: Option<&str>) -> Result<(), AppError> {
    sqlx::query!(
        "update execution_targets set secret = $3, updated_at = now() where workspace_id = $1 and id = $2",
        tx.workspace_uuid(),
        id.0,
        sealed
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

pub(crate) async fn switch(tx: &mut WriteTx, id: TargetId, on: bool) -> Result<(), AppError> {
    sqlx::query!(
        "update execution_targets set is_active = $3, updated_at = now() where workspace_id = $1 and id = $2",
        tx.workspace_uuid(),
        id.0,
        on
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// `by`: who holds it. None: it takes jobs again.
pub(crate) async fn hold(tx: &mut WriteTx, id: TargetId, on: bool, by: Option<UserId>) -> Result<(), AppError> {
    sqlx::query!(
        "update execution_targets set held_at = case when $3 then now() end, held_by = case when $3 then $4::uuid end, updated_at = now()
         where workspace_id = $1 and id = $2",
        tx.workspace_uuid(),
        id.0,
        on,
        by.map(|user| user.0)
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// What a check has found: a problem, or what the target is.
pub(crate) async fn checked(
    tx: &mut WriteTx,
    id: TargetId,
    problem: Option<&str>,
    found: Option<&str>,
) -> Result<(), AppError> {
    sqlx::query!(
        "update execution_targets set checked_at = now(), check_problem = $3, check_found = $4 where workspace_id = $1 and id = $2",
        tx.workspace_uuid(),
        id.0,
        problem,
        found
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Circuits of a target that are open.
pub(crate) async fn open_circuits(tx: &mut ReadTx, id: TargetId) -> Result<Vec<CircuitId>, AppError> {
    Ok(sqlx::query_scalar!(
        r#"select id as "id: CircuitId" from execution_circuits where workspace_id = $1 and target_id = $2 and opened_at is not null"#,
        tx.workspace_uuid(),
        id.0
    )
    .fetch_all(tx.conn())
    .await?)
}

/// All targets of this type that are in use, by number.
pub(crate) async fn active(tx: &mut ReadTx) -> Result<i64, AppError> {
    Ok(sqlx::query_scalar!(
        r#"select count(*) as "count!" from execution_targets where workspace_id = $1 and is_active"#,
        tx.workspace_uuid()
    )
    .fetch_one(tx.conn())
    .await?)
}

/// Targets by name.
pub(crate) async fn list(tx: &mut ReadTx, query: &SetupQuery, limit: usize) -> Result<Page<TargetRow>, AppError> {
    page(tx, None, query, limit).await
}

/// One, as the list has it. Errors: `NotFound`.
pub(crate) async fn row(tx: &mut ReadTx, id: TargetId) -> Result<TargetRow, AppError> {
    let all = SetupQuery { state: Some("all".to_owned()), ..SetupQuery::default() };
    page(tx, Some(id), &all, 1).await?.rows.pop().ok_or(AppError::NotFound)
}

async fn page(
    tx: &mut ReadTx,
    one: Option<TargetId>,
    query: &SetupQuery,
    limit: usize,
) -> Result<Page<TargetRow>, AppError> {
    let (now, zone, place) = (tx.now().await?, tx.scope().zone(), Place::of(query));
    let rows = sqlx::query!(
        r#"select t.id as "id: TargetId", t.name, t.type as "kind: TargetType", t.connection_config as "config: Json<TargetConfig>",
                  t.capacity as "capacity: Json<Capacity>", t.worker_pool, t.is_active, t.held_at, t.checked_at, t.check_problem,
                  (select u.name from users u where u.workspace_id = $1 and u.id = t.held_by) as held_by,
                  (select count(*) from execution_jobs j
                   where j.workspace_id = $1 and j.target_id = t.id and j.completed_at is null and j.status = 'running') as "running!",
                  (select count(*) from execution_jobs j
                   where j.workspace_id = $1 and j.target_id = t.id and j.completed_at is null and j.status <> 'running') as "waiting!"
           from execution_targets t
           where t.workspace_id = $1 and ($2::uuid is null or t.id = $2)
             and ($3::text is null or t.name ilike $3 or t.worker_pool ilike $3) and ($4::text is null or t.type = $4)
             and ($5::bool is null or t.is_active = $5)
             and ($6::text is null or case when $8 then (t.name, t.id) > ($6, $7::uuid) else (t.name, t.id) < ($6, $7::uuid) end)
           order by case when $8 then t.name end, case when $8 then t.id end, case when not $8 then t.name end desc,
                    case when not $8 then t.id end desc
           limit $9"#,
        tx.workspace_uuid(),
        one.map(|id| id.0),
        like(filled(query.words.as_deref()).as_deref()),
        filled(query.kind.as_deref()),
        state(query),
        place.name,
        place.id,
        place.ascending,
        limit as i64 + 1,
    )
    .fetch_all(tx.conn())
    .await?;
    let rows = rows
        .into_iter()
        .map(|row| TargetRow {
            id: row.id,
            name: row.name,
            kind: row.kind,
            address: row.config.0.address().to_owned(),
            pool: row.worker_pool,
            capacity: row.capacity.0,
            running: row.running,
            waiting: row.waiting,
            is_active: row.is_active,
            held: row.held_at.map(|at| stamp(at, now, zone)),
            held_by: row.held_by,
            checked: row.checked_at.map(|at| stamp(at, now, zone)),
            problem: row.check_problem,
        })
        .collect();
    Ok(Page::cut(rows, limit, place.cursor.as_ref(), |row: &TargetRow| format!("{}_{}", row.id, row.name)))
}
