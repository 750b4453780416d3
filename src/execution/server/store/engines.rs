//! Statements about engines.

use sqlx::types::Json;

use super::place::{Place, state};
use crate::model::setup::{EngineFields, EngineRow, SetupQuery};
use crate::model::{EngineConfig, EngineType};
use patchbay_access::server::{ReadTx, WriteTx};
use patchbay_shared::ids::EngineId;
use patchbay_shared::search::{filled, like};
use patchbay_shared::{AppError, Page};

/// An engine as it is stored.
#[derive(Debug, Clone)]
pub(crate) struct Engine {
    pub fields: EngineFields,
    pub is_default: bool,
    pub is_active: bool,
}

/// Errors: `NotFound`.
pub(crate) async fn get(tx: &mut ReadTx, id: EngineId) -> Result<Engine, AppError> {
    let row = sqlx::query!(
        r#"select name, description, handler_config as "config: Json<EngineConfig>", is_default, is_active
           from execution_engines where workspace_id = $1 and id = $2"#,
        tx.workspace_uuid(),
        id.0
    )
    .fetch_one(tx.conn())
    .await?;
    let fields = EngineFields { name: row.name, description: row.description, config: row.config.0 };
    Ok(Engine { fields, is_default: row.is_default, is_active: row.is_active })
}

/// Locks all engines, so that two changes of the default or of a name wait for each other.
pub(crate) async fn lock(tx: &mut WriteTx) -> Result<i64, AppError> {
    let rows = sqlx::query_scalar!(
        "select id from execution_engines where workspace_id = $1 order by id for no key update",
        tx.workspace_uuid()
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.len() as i64)
}

/// The engine that is used where none is named.
pub(crate) async fn default(tx: &mut ReadTx) -> Result<Option<EngineId>, AppError> {
    Ok(sqlx::query_scalar!(
        r#"select id as "id: EngineId" from execution_engines where workspace_id = $1 and is_default"#,
        tx.workspace_uuid()
    )
    .fetch_optional(tx.conn())
    .await?)
}

/// The oldest that is in use and of this type.
pub(crate) async fn first_of(tx: &mut ReadTx, kind: EngineType) -> Result<Option<EngineId>, AppError> {
    Ok(sqlx::query_scalar!(
        r#"select id as "id: EngineId" from execution_engines where workspace_id = $1 and is_active and type = $2
           order by is_default desc, created_at, id limit 1"#,
        tx.workspace_uuid(),
        kind.as_str()
    )
    .fetch_optional(tx.conn())
    .await?)
}

pub(crate) async fn name_is_taken(tx: &mut ReadTx, id: EngineId, name: &str) -> Result<bool, AppError> {
    Ok(sqlx::query_scalar!(
        r#"select exists (select from execution_engines
           where workspace_id = $1 and id <> $2 and is_active and lower(name) = lower($3)) as "taken!""#,
        tx.workspace_uuid(),
        id.0,
        name
    )
    .fetch_one(tx.conn())
    .await?)
}

/// What stands in `provider`: the kind of account, or the interpreter.
pub(crate) async fn insert(
    tx: &mut WriteTx,
    id: EngineId,
    fields: &EngineFields,
    provider: &str,
    is_default: bool,
) -> Result<(), AppError> {
    sqlx::query!(
        "insert into execution_engines (workspace_id, id, name, type, provider, handler_config, description, is_default)
         values ($1, $2, $3, $4, $5, $6, $7, $8)",
        tx.workspace_uuid(),
        id.0,
        fields.name,
        fields.config.kind().as_str(),
        provider,
        Json(&fields.config) as _,
        fields.description,
        is_default,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

pub(crate) async fn update(
    tx: &mut WriteTx,
    id: EngineId,
    fields: &EngineFields,
    provider: &str,
) -> Result<(), AppError> {
    sqlx::query!(
        "update execution_engines set name = $3, provider = $4, handler_config = $5, description = $6, updated_at = now()
         where workspace_id = $1 and id = $2",
        tx.workspace_uuid(),
        id.0,
        fields.name,
        provider,
        Json(&fields.config) as _,
        fields.description,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

pub(crate) async fn switch(tx: &mut WriteTx, id: EngineId, on: bool) -> Result<(), AppError> {
    sqlx::query!(
        "update execution_engines set is_active = $3, is_default = is_default and $3, updated_at = now()
         where workspace_id = $1 and id = $2",
        tx.workspace_uuid(),
        id.0,
        on
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Two statements, because one row at most may be it at any moment.
pub(crate) async fn make_default(tx: &mut WriteTx, id: EngineId) -> Result<(), AppError> {
    sqlx::query!(
        "update execution_engines set is_default = false, updated_at = now() where workspace_id = $1 and is_default and id <> $2",
        tx.workspace_uuid(),
        id.0
    )
    .execute(tx.conn())
    .await?;
    sqlx::query!(
        "update execution_engines set is_default = true, updated_at = now() where workspace_id = $1 and id = $2",
        tx.workspace_uuid(),
        id.0
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// All engines that are in use, by number.
pub(crate) async fn active(tx: &mut ReadTx) -> Result<i64, AppError> {
    Ok(sqlx::query_scalar!(
        r#"select count(*) as "count!" from execution_engines where workspace_id = $1 and is_active"#,
        tx.workspace_uuid()
    )
    .fetch_one(tx.conn())
    .await?)
}

/// Engines by name.
pub(crate) async fn list(tx: &mut ReadTx, query: &SetupQuery, limit: usize) -> Result<Page<EngineRow>, AppError> {
    page(tx, None, query, limit).await
}

/// One, as the list has it. Errors: `NotFound`.
pub(crate) async fn row(tx: &mut ReadTx, id: EngineId) -> Result<EngineRow, AppError> {
    let all = SetupQuery { state: Some("all".to_owned()), ..SetupQuery::default() };
    page(tx, Some(id), &all, 1).await?.rows.pop().ok_or(AppError::NotFound)
}

async fn page(
    tx: &mut ReadTx,
    one: Option<EngineId>,
    query: &SetupQuery,
    limit: usize,
) -> Result<Page<EngineRow>, AppError> {
    let place = Place::of(query);
    let rows = sqlx::query!(
        r#"select e.id as "id: EngineId", e.name, e.type as "kind: EngineType", e.description, e.is_default, e.is_active, e.provider,
                  e.handler_config as "config: Json<EngineConfig>",
                  (select count(*) from execution_jobs j
                   where j.workspace_id = $1 and j.engine_id = e.id and j.completed_at is null) as "open_jobs!"
           from execution_engines e
           where e.workspace_id = $1 and ($2::uuid is null or e.id = $2)
             and ($3::text is null or e.name ilike $3 or e.description ilike $3) and ($4::text is null or e.type = $4)
             and ($5::bool is null or e.is_active = $5)
             and ($6::text is null or case when $8 then (e.name, e.id) > ($6, $7::uuid) else (e.name, e.id) < ($6, $7::uuid) end)
           order by case when $8 then e.name end, case when $8 then e.id end, case when not $8 then e.name end desc,
                    case when not $8 then e.id end desc
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
        .map(|row| {
            let (about, limit) = row.config.0.about(&row.provider);
            EngineRow {
                id: row.id,
                name: row.name,
                kind: row.kind,
                description: row.description,
                about,
                limit,
                is_default: row.is_default,
                is_active: row.is_active,
                open_jobs: row.open_jobs,
            }
        })
        .collect();
    Ok(Page::cut(rows, limit, place.cursor.as_ref(), |row: &EngineRow| format!("{}_{}", row.id, row.name)))
}
