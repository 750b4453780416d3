use axum::extract::Query;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Router};

use super::store;
use crate::access::Action;
use crate::access::server::{Db, Visitor};
use crate::prompts::model::PromptQuery;
use crate::shared::{AppError, csv_cell};

/// The most rows of one file.
const MOST: usize = 10_000;

/// `/prompts/export.csv`: the list with the filters of its address.
pub fn routes() -> Router<Db> {
    Router::new().route("/prompts/export.csv", get(export))
}

async fn export(
    Extension(visitor): Extension<Visitor>,
    Query(query): Query<PromptQuery>,
) -> Result<Response, AppError> {
    let mut tx = visitor.scope()?.read(Action::ReadWorkshop).await?;
    let page = store::list(&mut tx, &PromptQuery { cursor: None, ..query }, MOST).await?;
    let rows = page.rows.into_iter().map(|row| {
        vec![
            row.name,
            row.description,
            row.tags.join(", "),
            row.version.to_string(),
            row.production.map(|version| version.to_string()).unwrap_or_default(),
            row.agents.to_string(),
            if row.is_active { "active" } else { "inactive" }.to_owned(),
            row.updated.utc,
        ]
    });
    let head = ["name", "description", "tags", "newest_version", "production_version", "agents", "state", "updated_at"];
    Ok(csv_answer("prompts.csv", csv_cell::file(&head, rows)))
}

/// A file to be saved, for this viewer only.
pub(crate) fn csv_answer(name: &str, text: String) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
        (header::CACHE_CONTROL, "no-store".to_owned()),
    ];
    (headers, text).into_response()
}
