//! Statements about passages.

use uuid::Uuid;

use crate::model::{ChunkId, CollectionId, EntryId};
use crate::server::extract::searchable;
use patchbay_access::server::{ReadTx, WriteTx};
use patchbay_shared::AppError;

/// The rules for words that this database has, or `simple`, which compares them as they stand.
pub(crate) async fn words_config(tx: &mut ReadTx, wanted: Option<&str>) -> Result<String, AppError> {
    let found = sqlx::query_scalar!(
        r#"select cfgname::text as "name!" from pg_ts_config where cfgname::text = $1 and cfgnamespace = 'pg_catalog'::regnamespace"#,
        wanted
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(found.unwrap_or_else(|| "simple".to_owned()))
}

/// Passages in a row, the first at `start`: places and bodies.
pub(crate) async fn insert(
    tx: &mut WriteTx,
    entry: EntryId,
    edition: Uuid,
    start: i32,
    words_config: &str,
    passages: &[(String, String)],
) -> Result<(), AppError> {
    let ids: Vec<Uuid> = passages.iter().map(|_| Uuid::now_v7()).collect();
    let places: Vec<&str> = passages.iter().map(|(place, _)| place.as_str()).collect();
    let bodies: Vec<&str> = passages.iter().map(|(_, body)| body.as_str()).collect();
    let place_words: Vec<String> = places.iter().map(|text| searchable(text)).collect();
    let body_words: Vec<String> = bodies.iter().map(|text| searchable(text)).collect();
    sqlx::query!(
        "insert into knowledge_chunks (workspace_id, id, entry_id, edition, position, place, body, words)
         select $1, n.id, $2, $3, $4 + n.at::int - 1, n.place, n.body,
                setweight(to_tsvector($5::text::regconfig, n.place_words), 'A') || setweight(to_tsvector($5::text::regconfig, n.body_words), 'B')
         from unnest($6::uuid[], $7::text[], $8::text[], $9::text[], $10::text[]) with ordinality
              as n (id, place, body, place_words, body_words, at)",
        tx.workspace_uuid(),
        entry.0,
        edition,
        start,
        words_config,
        &ids,
        &places as &[&str],
        &bodies as &[&str],
        &place_words,
        &body_words
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Deletes some passages of an entry that are not of the edition to keep. True: there may be more.
pub(crate) async fn prune(tx: &mut WriteTx, entry: EntryId, keep: Option<Uuid>) -> Result<bool, AppError> {
    let done = sqlx::query!(
        "delete from knowledge_chunks where workspace_id = $1 and id in (
           select id from knowledge_chunks where workspace_id = $1 and entry_id = $2 and edition is distinct from $3 limit 5000)",
        tx.workspace_uuid(),
        entry.0,
        keep
    )
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected() == 5_000)
}

/// Deletes some passages of one edition. True: there may be more.
pub(crate) async fn delete_edition(tx: &mut WriteTx, entry: EntryId, edition: Uuid) -> Result<bool, AppError> {
    let done = sqlx::query!(
        "delete from knowledge_chunks where workspace_id = $1 and id in (
           select id from knowledge_chunks where workspace_id = $1 and entry_id = $2 and edition = $3 limit 5000)",
        tx.workspace_uuid(),
        entry.0,
        edition
    )
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected() == 5_000)
}

/// A passage that was found.
pub(crate) struct Found {
    pub entry: EntryId,
    pub chunk: ChunkId,
    pub collection: CollectionId,
    pub file: String,
    pub kind: String,
    pub place: String,
    pub body: String,
    pub words_config: Option<String>,
}

/// The passages that fit a question best by their words, best first, each with its score from 0 to 1.
pub(crate) async fn ranked(
    tx: &mut ReadTx,
    question: &str,
    collections: &[CollectionId],
    limit: usize,
) -> Result<Vec<(ChunkId, f32)>, AppError> {
    let collections: Vec<Uuid> = collections.iter().map(|id| id.0).collect();
    let question = searchable(question);
    let rows = sqlx::query!(
        r#"select c.id as "chunk: ChunkId", s.score as "score!"
           from search_knowledge($2, $3, $4) s
           join knowledge_chunks c on c.workspace_id = $1 and c.id = s.chunk_id
           join knowledge_entries e on e.workspace_id = $1 and e.id = c.entry_id
           join knowledge_collections k on k.workspace_id = $1 and k.id = e.collection_id and k.deleted_at is null
           order by s.score desc, c.id"#,
        tx.workspace_uuid(),
        question,
        &collections,
        i32::try_from(limit).unwrap_or(100)
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(|row| (row.chunk, row.score)).collect())
}

/// These passages, in no order; those that are gone meanwhile are left out.
pub(crate) async fn found(tx: &mut ReadTx, chunks: &[ChunkId]) -> Result<Vec<Found>, AppError> {
    let ids: Vec<Uuid> = chunks.iter().map(|id| id.0).collect();
    Ok(sqlx::query_as!(
        Found,
        r#"select e.id as "entry: EntryId", c.id as "chunk: ChunkId", e.collection_id as "collection: CollectionId",
                  e.original_filename as file, e.content_type as kind, c.place, c.body, e.words_config
           from knowledge_chunks c
           join knowledge_entries e on e.workspace_id = $1 and e.id = c.entry_id and e.edition = c.edition
           join knowledge_collections k on k.workspace_id = $1 and k.id = e.collection_id and k.deleted_at is null
           where c.workspace_id = $1 and c.id = any($2)"#,
        tx.workspace_uuid(),
        &ids
    )
    .fetch_all(tx.conn())
    .await?)
}

/// The texts with the words of the question between marks, by the rules of each.
pub(crate) async fn marked(tx: &mut ReadTx, question: &str, texts: &[(&str, &str)]) -> Result<Vec<String>, AppError> {
    let configs: Vec<&str> = texts.iter().map(|(config, _)| *config).collect();
    let bodies: Vec<&str> = texts.iter().map(|(_, body)| *body).collect();
    Ok(sqlx::query_scalar!(
        r#"select ts_headline(t.config::regconfig, t.body, q.query, 'HighlightAll=true, StartSel=' || chr(57344) || ', StopSel=' || chr(57345)) as "text!"
           from unnest($1::text[], $2::text[]) with ordinality as t (config, body, at)
           cross join lateral (
             select coalesce(string_agg('''' || replace(replace(word, '\', '\\'), '''', '''''') || '''', ' | '), '')::tsquery as query
             from unnest(tsvector_to_array(to_tsvector(t.config::regconfig, $3))) word) q
           order by t.at"#,
        &configs as &[&str],
        &bodies as &[&str],
        question
    )
    .fetch_all(tx.conn())
    .await?)
}
