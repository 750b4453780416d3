use axum::extract::{DefaultBodyLimit, Path, Query};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Router};

use super::{archive, importing, store};
use crate::model::{SkillQuery, SkillRow, SkillText};
use patchbay_access::Action;
use patchbay_access::server::{Db, ROWS_AT_ONCE, Visitor, csv_file};
use patchbay_shared::AppError;
use patchbay_shared::error::internal;
use patchbay_shared::ids::SkillId;

/// The list as a file, skills as archives, and archives that come in.
pub fn routes() -> Router<Db> {
    Router::new()
        .route("/skills/export.csv", get(export))
        .route("/skills/archive.zip", get(all))
        .route("/skills/{id}/archive.zip", get(one_zip))
        .route("/skills/{id}/archive.tar.gz", get(one_tar))
        // An upload counts for itself, because it says more than "too large".
        .route("/skills/imports", post(importing::upload).layer(DefaultBodyLimit::disable()))
}

async fn export(Extension(visitor): Extension<Visitor>, Query(query): Query<SkillQuery>) -> Result<Response, AppError> {
    let head = vec!["name", "description", "category", "tags", "characters", "agents", "state", "updated_at"];
    csv_file(visitor.scope()?, Action::ReadWorkshop, "skills.csv", head, move |mut tx, cursor| {
        let query = SkillQuery { cursor, ..query.clone() };
        async move { Ok(store::list(&mut tx, &query, ROWS_AT_ONCE).await?.map(cells)) }
    })
    .await
}

fn cells(row: SkillRow) -> Vec<String> {
    vec![
        row.name,
        row.description,
        row.category,
        row.tags.join(", "),
        row.characters.to_string(),
        row.agents.to_string(),
        if row.is_active { "active" } else { "inactive" }.to_owned(),
        row.updated.utc,
    ]
}

/// The skills of the list, with its filters: at most as many as an agency has, so one page holds them.
async fn all(Extension(visitor): Extension<Visitor>, Query(query): Query<SkillQuery>) -> Result<Response, AppError> {
    let mut tx = visitor.scope()?.read(Action::ReadWorkshop).await?;
    let query = SkillQuery { cursor: None, ..query };
    let names: Vec<String> =
        store::list(&mut tx, &query, ROWS_AT_ONCE).await?.rows.into_iter().map(|row| row.name).collect();
    let skills: Vec<SkillText> = store::named(&mut tx, &names).await?.into_iter().map(|stored| stored.text).collect();
    drop(tx);
    packed("skills.zip".to_owned(), move || archive::zip(&skills)).await
}

async fn one_zip(Extension(visitor): Extension<Visitor>, Path(id): Path<String>) -> Result<Response, AppError> {
    let text = one(&visitor, &id).await?;
    packed(format!("{}.zip", text.name), move || archive::zip(&[text])).await
}

async fn one_tar(Extension(visitor): Extension<Visitor>, Path(id): Path<String>) -> Result<Response, AppError> {
    let text = one(&visitor, &id).await?;
    packed(format!("{}.tar.gz", text.name), move || archive::tar_gz(&[text])).await
}

async fn one(visitor: &Visitor, id: &str) -> Result<SkillText, AppError> {
    let id: SkillId = id.parse()?;
    let mut tx = visitor.scope()?.read(Action::ReadWorkshop).await?;
    Ok(store::get(&mut tx, id).await?.text)
}

/// Names of skills are plain letters, so the file's name needs no care.
async fn packed(
    name: String,
    pack: impl FnOnce() -> Result<Vec<u8>, AppError> + Send + 'static,
) -> Result<Response, AppError> {
    let bytes = tokio::task::spawn_blocking(pack).await.map_err(internal)??;
    let kind = if name.ends_with(".zip") { "application/zip" } else { "application/gzip" };
    let headers = [
        (header::CONTENT_TYPE, kind.to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
        (header::CACHE_CONTROL, "no-store".to_owned()),
    ];
    Ok((headers, bytes).into_response())
}
