use axum::extract::Query;
use axum::response::Response;
use axum::routing::get;
use axum::{Extension, Router};

use super::store;
use crate::model::{AgentQuery, AgentRow};
use patchbay_access::Action;
use patchbay_access::server::{Db, ROWS_AT_ONCE, Visitor, csv_file};
use patchbay_shared::AppError;

/// `/agents/export.csv`: the list with the filters of its address.
pub fn routes() -> Router<Db> {
    Router::new().route("/agents/export.csv", get(export))
}

async fn export(Extension(visitor): Extension<Visitor>, Query(query): Query<AgentQuery>) -> Result<Response, AppError> {
    let scope = visitor.scope()?;
    let head = vec![
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
    csv_file(scope, Action::ReadWorkshop, "agents.csv", head, move |mut tx, cursor| {
        let query = AgentQuery { cursor, ..query.clone() };
        async move { Ok(store::list(&mut tx, &query, ROWS_AT_ONCE).await?.map(cells)) }
    })
    .await
}

fn cells(row: AgentRow) -> Vec<String> {
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
}
