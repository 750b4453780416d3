//! Statements about collections. `entries` has those about files, `chunks` those about passages, `vectors` those about what passages mean.

use crate::model::{
    CheckedCollection, Collection, CollectionChoice, CollectionForm, CollectionId, CollectionQuery, CollectionRow,
};
use patchbay_access::server::{ReadTx, WriteTx};
use patchbay_shared::ids::ClientId;
use patchbay_shared::search::{filled, like, name_place};
use patchbay_shared::zone::stamp;
use patchbay_shared::{AppError, Cursor, Page};

pub(crate) mod chunks;
pub(crate) mod entries;
pub(crate) mod vectors;

/// Rows of one statement, sorted by one column in one direction.
macro_rules! list_in {
    ($column:tt, $type:tt, $after:tt, $way:tt, $tx:expr, $query:expr, $key:expr, $id:expr, $limit:expr, $client:expr) => {
        sqlx::query!(
            r#"select c.id as "id: CollectionId", c.name, c.description, cl.name as "client?", c.created_at, e.entries as "entries!",
                      e.passages as "passages!", e.busy as "busy!", e.failed as "failed!", e.bytes as "bytes!"
               from knowledge_collections c
               left join clients cl on cl.workspace_id = $1 and cl.id = c.client_id
               cross join lateral (
                 select count(*) as entries, coalesce(sum(passages) filter (where edition is not null), 0)::bigint as passages,
                        count(*) filter (where knowledge_status in ('pending', 'indexing')) as busy,
                        count(*) filter (where knowledge_status = 'failed') as failed, coalesce(sum(bytes), 0)::bigint as bytes
                 from knowledge_entries where workspace_id = $1 and collection_id = c.id) e
               where c.workspace_id = $1 and c.deleted_at is null
                 and ($2::text is null or c.name ilike $2 or c.description ilike $2)
                 and ($3::text is null or coalesce(c.client_id::text, 'all') = $3)
                 and ($7::uuid is null or c.client_id is null or c.client_id = $7)
                 and ($4::text is null or ("# + $column + r#", c.id) "# + $after + r#" ($4::text::"# + $type + r#", $5::uuid))
               order by "# + $column + r#" "# + $way + r#", c.id "# + $way + r#" limit $6"#,
            $tx.workspace_uuid(), like($query.words.as_deref()), filled($query.of.as_deref()), $key, $id, $limit, $client
        )
    };
}

/// Collections by name, or by age.
pub(crate) async fn list(
    tx: &mut ReadTx,
    query: &CollectionQuery,
    limit: usize,
) -> Result<Page<CollectionRow>, AppError> {
    let (now, zone) = (tx.now().await?, tx.scope().zone());
    let cursor = Cursor::parse(query.cursor.as_deref()).filter(|cursor| name_place(&cursor.key).is_some());
    let place = cursor.as_ref().and_then(|cursor| name_place(&cursor.key));
    let (key, id) = place.map_or((None, None), |(key, id)| (Some(key), Some(id)));
    let backwards = cursor.as_ref().is_some_and(|cursor| !cursor.older);
    let most = limit as i64 + 1;
    let sort = query.sort.as_deref().unwrap_or("name");
    let by_age = sort.ends_with("created");
    let client = query.client.as_deref().and_then(|id| id.parse::<uuid::Uuid>().ok());
    macro_rules! rows {
        ($statement:expr) => {
            $statement
                .fetch_all(tx.conn())
                .await?
                .into_iter()
                .map(|row| CollectionRow {
                    id: row.id,
                    key: if by_age { row.id.to_string() } else { row.name.clone() },
                    name: row.name,
                    description: row.description,
                    client: row.client,
                    entries: row.entries,
                    passages: row.passages,
                    busy: row.busy,
                    failed: row.failed,
                    bytes: row.bytes,
                    created: stamp(row.created_at, now, zone),
                })
                .collect()
        };
    }
    // A key of the other order, from an address that somebody changed, is the first page.
    let key = key.filter(|key| !by_age || key.parse::<uuid::Uuid>().is_ok());
    let id = id.filter(|_| key.is_some());
    let rows: Vec<CollectionRow> = match (by_age, sort.starts_with('-') != backwards) {
        (true, false) => rows!(list_in!("c.id", "uuid", ">", "asc", tx, query, key, id, most, client)),
        (true, true) => rows!(list_in!("c.id", "uuid", "<", "desc", tx, query, key, id, most, client)),
        (false, false) => rows!(list_in!("c.name", "text", ">", "asc", tx, query, key, id, most, client)),
        (false, true) => rows!(list_in!("c.name", "text", "<", "desc", tx, query, key, id, most, client)),
    };
    Ok(Page::cut(rows, limit, cursor.as_ref().filter(|_| key.is_some()), |row| format!("{}_{}", row.id, row.key)))
}

/// Clients that have collections or may get some.
pub(crate) async fn clients(tx: &mut ReadTx) -> Result<Vec<(ClientId, String)>, AppError> {
    let rows = sqlx::query!(
        r#"select id as "id: ClientId", name from clients where workspace_id = $1 and status = 'active' order by name, id limit 500"#,
        tx.workspace_uuid()
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(|row| (row.id, row.name)).collect())
}

/// Collections for a picker.
pub async fn collections(tx: &mut ReadTx) -> Result<Vec<CollectionChoice>, AppError> {
    Ok(sqlx::query_as!(
        CollectionChoice,
        r#"select id as "id: CollectionId", name, client_id as "client: ClientId" from knowledge_collections
           where workspace_id = $1 and deleted_at is null order by name, id limit 500"#,
        tx.workspace_uuid()
    )
    .fetch_all(tx.conn())
    .await?)
}

/// Those of these collections that are there.
pub async fn collections_by_ids(tx: &mut ReadTx, ids: &[CollectionId]) -> Result<Vec<CollectionChoice>, AppError> {
    let ids: Vec<uuid::Uuid> = ids.iter().map(|id| id.0).collect();
    Ok(sqlx::query_as!(
        CollectionChoice,
        r#"select id as "id: CollectionId", name, client_id as "client: ClientId" from knowledge_collections
           where workspace_id = $1 and id = any($2) and deleted_at is null order by name, id"#,
        tx.workspace_uuid(),
        &ids
    )
    .fetch_all(tx.conn())
    .await?)
}

/// A collection with its counts. Errors: `NotFound`.
pub(crate) async fn get(tx: &mut ReadTx, id: CollectionId) -> Result<Collection, AppError> {
    let row = sqlx::query!(
        r#"select c.name, c.description, c.client_id as "client_id: ClientId", cl.name as "client?",
                  coalesce(cl.status = 'archived', false) as "is_archived!", e.entries as "entries!", e.passages as "passages!",
                  e.busy as "busy!", e.failed as "failed!", e.bytes as "bytes!"
           from knowledge_collections c
           left join clients cl on cl.workspace_id = $1 and cl.id = c.client_id
           cross join lateral (
             select count(*) as entries, coalesce(sum(passages) filter (where edition is not null), 0)::bigint as passages,
                    count(*) filter (where knowledge_status in ('pending', 'indexing')) as busy,
                    count(*) filter (where knowledge_status = 'failed') as failed, coalesce(sum(bytes), 0)::bigint as bytes
             from knowledge_entries where workspace_id = $1 and collection_id = c.id) e
           where c.workspace_id = $1 and c.id = $2 and c.deleted_at is null"#,
        tx.workspace_uuid(),
        id.0
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(Collection {
        id,
        name: row.name,
        description: row.description,
        client: row.client_id.zip(row.client),
        is_of_archived_client: row.is_archived,
        entries: row.entries,
        passages: row.passages,
        busy: row.busy,
        failed: row.failed,
        bytes: row.bytes,
    })
}

/// A collection as its form holds it, held against other writers until the commit. Errors: `NotFound`.
pub(crate) async fn lock(tx: &mut WriteTx, id: CollectionId) -> Result<CollectionForm, AppError> {
    let row = sqlx::query!(
        r#"select name, description, client_id as "client: ClientId" from knowledge_collections
           where workspace_id = $1 and id = $2 and deleted_at is null for update"#,
        tx.workspace_uuid(),
        id.0
    )
    .fetch_one(tx.conn())
    .await?;
    let client = row.client.map(|client| client.to_string()).unwrap_or_default();
    Ok(CollectionForm { id: id.to_string(), name: row.name, description: row.description, client })
}

/// Errors: `NotFound` when there is no such active client.
pub(crate) async fn check_client(tx: &mut ReadTx, client: ClientId) -> Result<(), AppError> {
    sqlx::query_scalar!(
        "select 1 from clients where workspace_id = $1 and id = $2 and status = 'active'",
        tx.workspace_uuid(),
        client.0
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(())
}

pub(crate) async fn insert(tx: &mut WriteTx, id: CollectionId, new: &CheckedCollection) -> Result<(), AppError> {
    sqlx::query!(
        "insert into knowledge_collections (workspace_id, id, client_id, name, description) values ($1, $2, $3, $4, $5)",
        tx.workspace_uuid(),
        id.0,
        new.client.map(|client| client.0),
        new.name,
        new.description
    )
    .execute(tx.conn())
    .await
    .map_err(same_name)?;
    Ok(())
}

pub(crate) async fn update(tx: &mut WriteTx, id: CollectionId, new: &CheckedCollection) -> Result<(), AppError> {
    sqlx::query!(
        "update knowledge_collections set name = $3, description = $4, updated_at = now() where workspace_id = $1 and id = $2",
        tx.workspace_uuid(),
        id.0,
        new.name,
        new.description
    )
    .execute(tx.conn())
    .await
    .map_err(same_name)?;
    Ok(())
}

/// Nobody sees it any more; its files go one after the other.
pub(crate) async fn mark_deleted(tx: &mut WriteTx, id: CollectionId) -> Result<(), AppError> {
    sqlx::query!(
        "update knowledge_collections set deleted_at = now(), updated_at = now() where workspace_id = $1 and id = $2",
        tx.workspace_uuid(),
        id.0
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// The row itself, once its files are gone.
pub(crate) async fn delete(tx: &mut WriteTx, id: CollectionId) -> Result<(), AppError> {
    sqlx::query!(
        "delete from knowledge_collections where workspace_id = $1 and id = $2 and deleted_at is not null",
        tx.workspace_uuid(),
        id.0
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

fn same_name(error: sqlx::Error) -> AppError {
    let constraint = error.as_database_error().and_then(|error| error.constraint());
    if constraint == Some("knowledge_collections_name") {
        return AppError::invalid("name", "There is already a collection of this name. Choose another one.");
    }
    error.into()
}
