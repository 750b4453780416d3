use axum::extract::Query;
use axum::response::Response;
use axum::routing::get;
use axum::{Extension, Router};

use super::store;
use crate::model::{PromptQuery, PromptRow};
use patchbay_access::Action;
use patchbay_access::server::{Db, ROWS_AT_ONCE, Visitor, csv_file};
use patchbay_shared::AppError;

/// `/prompts/export.csv`: the list with the filters of its address.
pub fn routes() -> Router<Db> {
    Router::new().route("/prompts/export.csv", get(export))
}

async fn export(
    Extension(visitor): Extension<Visitor>,
    Query(query): Query<PromptQuery>,
) -> Result<Response, AppError> {
    let scope = visitor.scope()?;
    let head =
        vec!["name", "description", "tags", "newest_version", "production_version", "agents", "state", "updated_at"];
    csv_file(scope, Action::ReadWorkshop, "prompts.csv", head, move |mut tx, cursor| {
        let query = PromptQuery { cursor, ..query.clone() };
        async move { Ok(store::list(&mut tx, &query, ROWS_AT_ONCE).await?.map(cells)) }
    })
    .await
}

fn cells(row: PromptRow) -> Vec<String> {
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
}
