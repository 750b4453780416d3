use axum::body::Body;
use axum::extract::{DefaultBodyLimit, Path, Query};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Router};
use object_store::ObjectStoreExt;
use object_store::path::Path as Key;

use super::store::{self, entries};
use super::{files, ops, upload};
use crate::model::{CollectionId, CollectionQuery, EntryId, EntryQuery, EntryRow, Kind};
use patchbay_access::Action;
use patchbay_access::server::{Db, ROWS_AT_ONCE, Visitor, csv_file};
use patchbay_shared::AppError;
use patchbay_shared::error::internal;

/// Uploads, stored files, and lists as files.
pub fn routes() -> Router<Db> {
    Router::new()
        .route("/knowledge/export.csv", get(collections))
        .route("/knowledge/{id}/export.csv", get(entries))
        // An upload counts for itself, because it says more than "too large".
        .route("/knowledge/{id}/files", post(upload::upload).layer(DefaultBodyLimit::disable()))
        .route("/knowledge/{id}/files/{entry}", get(stored).post(upload::replace).layer(DefaultBodyLimit::disable()))
}

/// The file as it was uploaded: saved and never shown, because nobody knows what is in it.
async fn stored(
    Extension(visitor): Extension<Visitor>,
    Path((id, entry)): Path<(String, String)>,
) -> Result<Response, AppError> {
    let (scope, id, entry): (_, CollectionId, EntryId) = (visitor.scope()?, id.parse()?, entry.parse()?);
    let mut tx = scope.read(Action::ReadWorkshop).await?;
    let file = ops::stored(&mut tx, entry).await?;
    drop(tx);
    if file.collection != id {
        return Err(AppError::NotFound);
    }
    let found = match files::store(scope.services()).get(&Key::from(file.key.as_str())).await {
        Ok(found) => found,
        Err(object_store::Error::NotFound { .. }) => return Err(AppError::NotFound),
        Err(error) => return Err(internal(error)),
    };
    let headers = [
        (header::CONTENT_TYPE, "application/octet-stream".to_owned()),
        (header::CONTENT_LENGTH, found.meta.size.to_string()),
        (header::CONTENT_DISPOSITION, disposition(&file.name, file.kind.parse().unwrap_or(Kind::Text))),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
        (header::CACHE_CONTROL, "no-store".to_owned()),
    ];
    Ok((headers, Body::from_stream(found.into_stream())).into_response())
}

/// The name twice: plain for old programs, and as it is (RFC 6266).
fn disposition(name: &str, kind: Kind) -> String {
    let ending = kind.label().to_lowercase();
    let plain: String = name
        .chars()
        .map(
            |letter| {
                if letter.is_ascii_alphanumeric() || matches!(letter, '.' | '-' | '_' | ' ') { letter } else { '_' }
            },
        )
        .collect();
    let plain = if plain.contains('.') { plain } else { format!("{plain}.{ending}") };
    let whole: String = url::form_urlencoded::byte_serialize(name.as_bytes()).collect();
    format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{}", whole.replace('+', "%20"))
}

async fn collections(
    Extension(visitor): Extension<Visitor>,
    Query(query): Query<CollectionQuery>,
) -> Result<Response, AppError> {
    let head = vec!["name", "description", "client", "files", "passages", "failed", "bytes", "created_at"];
    csv_file(visitor.scope()?, Action::ReadWorkshop, "knowledge.csv", head, move |mut tx, cursor| {
        let query = CollectionQuery { cursor, ..query.clone() };
        async move {
            Ok(store::list(&mut tx, &query, ROWS_AT_ONCE).await?.map(|row| {
                vec![
                    row.name,
                    row.description,
                    row.client.unwrap_or_default(),
                    row.entries.to_string(),
                    row.passages.to_string(),
                    row.failed.to_string(),
                    row.bytes.to_string(),
                    row.created.utc,
                ]
            }))
        }
    })
    .await
}

async fn entries(
    Extension(visitor): Extension<Visitor>,
    Path(id): Path<String>,
    Query(query): Query<EntryQuery>,
) -> Result<Response, AppError> {
    let id: CollectionId = id.parse()?;
    let head = vec![
        "file",
        "address",
        "kind",
        "state",
        "passages",
        "bytes",
        "language",
        "why_failed",
        "added_by",
        "added_at",
        "indexed_at",
    ];
    csv_file(visitor.scope()?, Action::ReadWorkshop, "knowledge-files.csv", head, move |mut tx, cursor| {
        let query = EntryQuery { cursor, ..query.clone() };
        async move {
            store::get(&mut tx, id).await?;
            Ok(entries::list(&mut tx, id, &query, ROWS_AT_ONCE).await?.map(cells))
        }
    })
    .await
}

fn cells(row: EntryRow) -> Vec<String> {
    vec![
        row.name,
        row.source_url.unwrap_or_default(),
        row.kind.label().to_owned(),
        row.status.label().to_owned(),
        row.passages.to_string(),
        row.bytes.to_string(),
        row.language.unwrap_or_default(),
        row.error.unwrap_or_default(),
        row.uploaded_by.unwrap_or_default(),
        row.created.utc,
        row.indexed.map(|at| at.utc).unwrap_or_default(),
    ]
}
