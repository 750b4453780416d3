use axum::extract::Query;
use axum::response::Response;
use axum::routing::get;
use axum::{Extension, Router};

use super::store;
use crate::access::Action;
use crate::access::server::{Db, Visitor};
use crate::agents::model::AgentQuery;
use crate::prompts::server::rest::csv_answer;
use crate::shared::{AppError, csv_cell};

/// The most rows of one file.
const MOST: usize = 10_000;

/// `/agents/export.csv`: the list with the filters of its address.
pub fn routes() -> Router<Db> {
    Router::new().route("/agents/export.csv", get(export))
}

async fn export(Extension(visitor): Extension<Visitor>, Query(query): Query<AgentQuery>) -> Result<Response, AppError> {
    let mut tx = visitor.scope()?.read(Action::ReadWorkshop).await?;
    let page = store::list(&mut tx, &AgentQuery { cursor: None, ..query }, MOST).await?;
    let rows = page.rows.into_iter().map(|row| {
        vec![
            row.name,
            if row.is_active { row.status.as_str() } else { "deleted" }.to_owned(),
            row.client.unwrap_or_default(),
            row.language,
            row.llm_model,
            row.prompt.unwrap_or_default(),
            row.prompt_version.map(|version| version.to_string()).unwrap_or_default(),
            row.sync.as_str().to_owned(),
            row.tags.join(", "),
            row.updated.utc,
        ]
    });
    let head = [
        "name",
        "status",
        "client",
        "language",
        "model",
        "prompt",
        "prompt_version",
        "at_voice_service",
        "tags",
        "updated_at",
    ];
    Ok(csv_answer("agents.csv", csv_cell::file(&head, rows)))
}
