//! Statements about the files of collections.

use uuid::Uuid;

use crate::model::{CollectionId, EntryId, EntryQuery, EntryRow, Kind, KnowledgeStatus};
use crate::server::extract::spoken;
use patchbay_access::server::{ReadTx, WriteTx};
use patchbay_shared::ids::ClientId;
use patchbay_shared::search::{filled, like, name_place};
use patchbay_shared::zone::stamp;
use patchbay_shared::{AppError, Cursor, Page};

macro_rules! list_in {
    ($column:tt, $type:tt, $after:tt, $way:tt, $tx:expr, $collection:expr, $query:expr, $key:expr, $id:expr, $limit:expr) => {
        sqlx::query!(
            r#"select e.id as "id: EntryId", e.original_filename, e.source_url, e.content_type, e.knowledge_status, e.passages,
                      e.passages_expected, e.units, e.edition is not null as "has_passages!", e.bytes, e.language, e.error,
                      u.name as "uploaded_by?", e.created_at, e.indexed_at
               from knowledge_entries e left join users u on u.id = e.uploaded_by
               where e.workspace_id = $1 and e.collection_id = $2
                 and ($3::text is null or e.original_filename ilike $3)
                 and ($4::text is null or e.knowledge_status = $4)
                 and ($5::text is null or e.content_type = $5)
                 and ($6::text is null or ("# + $column + r#", e.id) "# + $after + r#" ($6::text::"# + $type + r#", $7::uuid))
               order by "# + $column + r#" "# + $way + r#", e.id "# + $way + r#" limit $8"#,
            $tx.workspace_uuid(), $collection.0, like($query.words.as_deref()), filled($query.status.as_deref()),
            filled($query.kind.as_deref()), $key, $id, $limit
        )
    };
}

/// What the rows are sorted by.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sort {
    Added,
    Name,
    Bytes,
}

/// The files of a collection, newest first unless the query says otherwise.
pub(crate) async fn list(
    tx: &mut ReadTx,
    collection: CollectionId,
    query: &EntryQuery,
    limit: usize,
) -> Result<Page<EntryRow>, AppError> {
    let (now, zone) = (tx.now().await?, tx.scope().zone());
    let said = query.sort.as_deref().unwrap_or("-added");
    let sort = match said.trim_start_matches('-') {
        "name" => Sort::Name,
        "bytes" => Sort::Bytes,
        _ => Sort::Added,
    };
    let cursor = Cursor::parse(query.cursor.as_deref()).filter(|cursor| {
        // A key of another order, from an address that somebody changed, is the first page.
        name_place(&cursor.key).is_some_and(|(key, _)| match sort {
            Sort::Added => key.parse::<Uuid>().is_ok(),
            Sort::Name => true,
            Sort::Bytes => key.parse::<i64>().is_ok(),
        })
    });
    let place = cursor.as_ref().and_then(|cursor| name_place(&cursor.key));
    let (key, id) = place.map_or((None, None), |(key, id)| (Some(key), Some(id)));
    let backwards = cursor.as_ref().is_some_and(|cursor| !cursor.older);
    let most = limit as i64 + 1;
    macro_rules! rows {
        ($statement:expr) => {
            $statement
                .fetch_all(tx.conn())
                .await?
                .into_iter()
                .map(|row| EntryRow {
                    id: row.id,
                    key: match sort {
                        Sort::Added => row.id.to_string(),
                        Sort::Name => row.original_filename.clone(),
                        Sort::Bytes => row.bytes.to_string(),
                    },
                    name: row.original_filename,
                    source_url: row.source_url,
                    kind: row.content_type.parse().unwrap_or(Kind::Text),
                    status: row.knowledge_status.parse().unwrap_or(KnowledgeStatus::Pending),
                    passages: row.passages,
                    passages_expected: row.passages_expected,
                    units: row.units,
                    has_passages: row.has_passages,
                    bytes: row.bytes,
                    language: row.language.as_deref().and_then(spoken).map(str::to_owned),
                    error: row.error,
                    uploaded_by: row.uploaded_by,
                    created: stamp(row.created_at, now, zone),
                    indexed: row.indexed_at.map(|at| stamp(at, now, zone)),
                })
                .collect()
        };
    }
    let rows: Vec<EntryRow> = match (sort, said.starts_with('-') != backwards) {
        (Sort::Added, true) => rows!(list_in!("e.id", "uuid", "<", "desc", tx, collection, query, key, id, most)),
        (Sort::Added, false) => rows!(list_in!("e.id", "uuid", ">", "asc", tx, collection, query, key, id, most)),
        (Sort::Name, true) => {
            rows!(list_in!("e.original_filename", "text", "<", "desc", tx, collection, query, key, id, most))
        }
        (Sort::Name, false) => {
            rows!(list_in!("e.original_filename", "text", ">", "asc", tx, collection, query, key, id, most))
        }
        (Sort::Bytes, true) => rows!(list_in!("e.bytes", "bigint", "<", "desc", tx, collection, query, key, id, most)),
        (Sort::Bytes, false) => rows!(list_in!("e.bytes", "bigint", ">", "asc", tx, collection, query, key, id, most)),
    };
    Ok(Page::cut(rows, limit, cursor.as_ref(), |row| format!("{}_{}", row.id, row.key)))
}

/// What files take already: in the collection by number, of the client and of the agency in bytes.
pub(crate) struct Taken {
    pub entries: i64,
    pub of_client: i64,
    pub of_agency: i64,
}

pub(crate) async fn taken(
    tx: &mut ReadTx,
    collection: CollectionId,
    client: Option<ClientId>,
) -> Result<Taken, AppError> {
    Ok(sqlx::query_as!(
        Taken,
        r#"select count(*) filter (where collection_id = $2) as "entries!",
                  coalesce(sum(bytes) filter (where client_id = $3), 0)::bigint as "of_client!",
                  coalesce(sum(bytes), 0)::bigint as "of_agency!"
           from knowledge_entries where workspace_id = $1"#,
        tx.workspace_uuid(),
        collection.0,
        client.map(|client| client.0)
    )
    .fetch_one(tx.conn())
    .await?)
}

/// A file that was stored.
pub(crate) struct NewFile<'a> {
    pub file: Uuid,
    pub key: &'a str,
    pub name: &'a str,
    pub source_url: Option<&'a str>,
    pub kind: Kind,
    pub bytes: i64,
}

pub(crate) async fn insert(
    tx: &mut WriteTx,
    id: EntryId,
    collection: CollectionId,
    client: Option<ClientId>,
    new: &NewFile<'_>,
) -> Result<(), AppError> {
    let user = tx.user_id().map(|user| user.0);
    sqlx::query!(
        "insert into knowledge_entries (workspace_id, id, collection_id, client_id, file_id, gcs_path, original_filename, source_url,
                                        content_type, bytes, uploaded_by)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        tx.workspace_uuid(),
        id.0,
        collection.0,
        client.map(|client| client.0),
        new.file,
        new.key,
        new.name,
        new.source_url,
        new.kind.as_str(),
        new.bytes,
        user
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Another file in its place. Search finds what the old one said until the new one is indexed.
pub(crate) async fn replace(tx: &mut WriteTx, id: EntryId, new: &NewFile<'_>) -> Result<(), AppError> {
    let user = tx.user_id().map(|user| user.0);
    sqlx::query!(
        "update knowledge_entries
         set file_id = $3, gcs_path = $4, original_filename = $5, source_url = $6, content_type = $7, bytes = $8, uploaded_by = $9,
             knowledge_status = 'pending', passages_expected = null, attempts = 0, error = null, updated_at = now()
         where workspace_id = $1 and id = $2",
        tx.workspace_uuid(),
        id.0,
        new.file,
        new.key,
        new.name,
        new.source_url,
        new.kind.as_str(),
        new.bytes,
        user
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// An entry as those who change it need it.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub collection: CollectionId,
    pub client: Option<ClientId>,
    pub file: Uuid,
    pub key: String,
    pub name: String,
    pub source_url: Option<String>,
    pub kind: String,
    pub bytes: i64,
    pub status: String,
    pub attempts: i32,
    pub edition: Option<Uuid>,
}

/// Errors: `NotFound`.
pub(crate) async fn get(tx: &mut ReadTx, id: EntryId) -> Result<Entry, AppError> {
    Ok(sqlx::query_as!(
        Entry,
        r#"select collection_id as "collection: CollectionId", client_id as "client: ClientId", file_id as file, gcs_path as key,
                  original_filename as name, source_url, content_type as kind, bytes, knowledge_status as status, attempts, edition
           from knowledge_entries where workspace_id = $1 and id = $2"#,
        tx.workspace_uuid(),
        id.0
    )
    .fetch_one(tx.conn())
    .await?)
}

/// The same, held against other writers until the commit.
pub(crate) async fn lock(tx: &mut WriteTx, id: EntryId) -> Result<Entry, AppError> {
    Ok(sqlx::query_as!(
        Entry,
        r#"select collection_id as "collection: CollectionId", client_id as "client: ClientId", file_id as file, gcs_path as key,
                  original_filename as name, source_url, content_type as kind, bytes, knowledge_status as status, attempts, edition
           from knowledge_entries where workspace_id = $1 and id = $2 for update"#,
        tx.workspace_uuid(),
        id.0
    )
    .fetch_one(tx.conn())
    .await?)
}

/// The files of a collection that are not waiting or being read, for indexing all of them again; or, with `failed`, those that failed.
pub(crate) async fn settled(
    tx: &mut WriteTx,
    collection: CollectionId,
    failed: bool,
) -> Result<Vec<(EntryId, Uuid)>, AppError> {
    let rows = sqlx::query!(
        r#"update knowledge_entries set knowledge_status = 'pending', passages_expected = null, attempts = 0, error = null, updated_at = now()
           where workspace_id = $1 and collection_id = $2
             and (knowledge_status = 'failed' or (knowledge_status = 'indexed' and not $3))
           returning id as "id: EntryId", file_id"#,
        tx.workspace_uuid(),
        collection.0,
        failed
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(|row| (row.id, row.file_id)).collect())
}

/// It waits to be read from the beginning.
pub(crate) async fn set_pending(tx: &mut WriteTx, id: EntryId) -> Result<(), AppError> {
    sqlx::query!(
        "update knowledge_entries set knowledge_status = 'pending', passages_expected = null, attempts = 0, error = null, updated_at = now()
         where workspace_id = $1 and id = $2",
        tx.workspace_uuid(),
        id.0
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// A worker begins with the file. False: there is another file by now, or it is done.
pub(crate) async fn begin(tx: &mut WriteTx, id: EntryId, file: Uuid) -> Result<bool, AppError> {
    let done = sqlx::query!(
        "update knowledge_entries
         set knowledge_status = 'indexing', passages_expected = null, attempts = attempts + 1, error = null, updated_at = now()
         where workspace_id = $1 and id = $2 and file_id = $3 and knowledge_status in ('pending', 'indexing')",
        tx.workspace_uuid(),
        id.0,
        file
    )
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Takes back that a try was counted.
pub(crate) async fn not_tried(tx: &mut WriteTx, id: EntryId, file: Uuid) -> Result<(), AppError> {
    sqlx::query!(
        "update knowledge_entries set attempts = attempts - 1
         where workspace_id = $1 and id = $2 and file_id = $3 and knowledge_status = 'indexing' and attempts > 0",
        tx.workspace_uuid(),
        id.0,
        file
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Some files that are not settled, and for which no job of this kind waits or runs.
pub(crate) async fn without_job(tx: &mut ReadTx, kind: &str) -> Result<Vec<(EntryId, Uuid)>, AppError> {
    let rows = sqlx::query!(
        r#"select e.id as "id: EntryId", e.file_id
           from knowledge_entries e
           where e.workspace_id = $1 and e.knowledge_status in ('pending', 'indexing')
             and not exists (select from jobs j where j.workspace_id = $1 and j.kind = $2 and j.status in ('pending', 'processing')
                               and j.dedupe_key like e.id::text || ':' || e.file_id::text || ':%')
           limit 100"#,
        tx.workspace_uuid(),
        kind
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(|row| (row.id, row.file_id)).collect())
}

/// How far it is. False: there is another file by now.
pub(crate) async fn progress(
    tx: &mut WriteTx,
    id: EntryId,
    file: Uuid,
    written: i32,
    expected: i32,
) -> Result<bool, AppError> {
    let done = sqlx::query!(
        "update knowledge_entries set passages = $4, passages_expected = $5, updated_at = now()
         where workspace_id = $1 and id = $2 and file_id = $3 and knowledge_status = 'indexing'",
        tx.workspace_uuid(),
        id.0,
        file,
        written,
        expected
    )
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected() == 1)
}

/// What is known of a file once all of it is read.
pub(crate) struct Read<'a> {
    pub edition: Uuid,
    pub kind: Kind,
    pub language: Option<&'a str>,
    pub words_config: &'a str,
    pub units: Option<i32>,
    pub passages: i32,
}

/// From now on search finds these passages. False: there is another file by now.
pub(crate) async fn finish(tx: &mut WriteTx, id: EntryId, file: Uuid, read: &Read<'_>) -> Result<bool, AppError> {
    let done = sqlx::query!(
        "update knowledge_entries
         set knowledge_status = 'indexed', edition = $4, content_type = $5, language = $6, words_config = $7, units = $8, passages = $9,
             passages_expected = null, attempts = 0, error = null, indexed_at = now(), updated_at = now()
         where workspace_id = $1 and id = $2 and file_id = $3 and knowledge_status = 'indexing'",
        tx.workspace_uuid(),
        id.0,
        file,
        read.edition,
        read.kind.as_str(),
        read.language,
        read.words_config,
        read.units,
        read.passages
    )
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected() == 1)
}

/// It cannot be read, and why. What search found of it before stays. False: there is another file by now.
pub(crate) async fn fail(tx: &mut WriteTx, id: EntryId, file: Uuid, why: &str) -> Result<bool, AppError> {
    let done = sqlx::query!(
        "update knowledge_entries set knowledge_status = 'failed', passages_expected = null, error = $4, updated_at = now()
         where workspace_id = $1 and id = $2 and file_id = $3",
        tx.workspace_uuid(),
        id.0,
        file,
        why
    )
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected() == 1)
}

pub(crate) async fn delete(tx: &mut WriteTx, id: EntryId) -> Result<(), AppError> {
    sqlx::query!("delete from knowledge_entries where workspace_id = $1 and id = $2", tx.workspace_uuid(), id.0)
        .execute(tx.conn())
        .await?;
    Ok(())
}

/// Some files of a collection.
pub(crate) async fn some(tx: &mut ReadTx, collection: CollectionId, most: i64) -> Result<Vec<EntryId>, AppError> {
    Ok(sqlx::query_scalar!(
        r#"select id as "id: EntryId" from knowledge_entries where workspace_id = $1 and collection_id = $2 order by id limit $3"#,
        tx.workspace_uuid(),
        collection.0,
        most
    )
    .fetch_all(tx.conn())
    .await?)
}

/// Those of these files that are there still.
pub async fn still_there(tx: &mut ReadTx, entries: &[EntryId]) -> Result<Vec<EntryId>, AppError> {
    let ids: Vec<Uuid> = entries.iter().map(|id| id.0).collect();
    Ok(sqlx::query_scalar!(
        r#"select e.id as "id: EntryId" from knowledge_entries e
           join knowledge_collections k on k.workspace_id = $1 and k.id = e.collection_id and k.deleted_at is null
           where e.workspace_id = $1 and e.id = any($2)"#,
        tx.workspace_uuid(),
        &ids
    )
    .fetch_all(tx.conn())
    .await?)
}
