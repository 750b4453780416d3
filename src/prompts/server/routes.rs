use axum::extract::{Path, Query};
use axum::response::Response;
use axum::routing::get;
use axum::{Extension, Router};

use super::store::{self, labels};
use crate::model::{MoveQuery, MoveRow, PromptQuery, PromptRow};
use patchbay_access::Action;
use patchbay_access::server::{Db, ROWS_AT_ONCE, Visitor, csv_file};
use patchbay_shared::AppError;
use patchbay_shared::ids::PromptId;

/// `/prompts/export.csv` and `/prompts/{id}/moves/export.csv`: the lists with the filters of their addresses.
pub fn routes() -> Router<Db> {
    Router::new().route("/prompts/export.csv", get(export)).route("/prompts/{id}/moves/export.csv", get(export_moves))
}

async fn export(
    Extension(visitor): Extension<Visitor>,
    Query(query): Query<PromptQuery>,
) -> Result<Response, AppError> {
    let scope = visitor.scope()?;
    let head = vec![
        "name",
        "description",
        "tags",
        "newest_version",
        "production_version",
        "to_approve",
        "agents",
        "state",
        "updated_at",
    ];
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
        if row.is_waiting { "yes" } else { "no" }.to_owned(),
        row.agents.to_string(),
        if row.is_active { "active" } else { "inactive" }.to_owned(),
        row.updated.utc,
    ]
}

async fn export_moves(
    Extension(visitor): Extension<Visitor>,
    Path(id): Path<String>,
    Query(query): Query<MoveQuery>,
) -> Result<Response, AppError> {
    let scope = visitor.scope()?;
    let prompt: PromptId = id.parse()?;
    let mut tx = scope.read(Action::ReadWorkshop).await?;
    store::get(&mut tx, prompt).await?;
    drop(tx);
    let head = vec!["at", "label", "from_version", "to_version", "state", "by", "note", "answered_by", "answer"];
    csv_file(scope, Action::ReadWorkshop, "prompt-labels.csv", head, move |mut tx, cursor| {
        let query = MoveQuery { cursor, ..query.clone() };
        async move { Ok(labels::moves(&mut tx, prompt, &query, ROWS_AT_ONCE).await?.map(move_cells)) }
    })
    .await
}

fn move_cells(row: MoveRow) -> Vec<String> {
    let version = |version: Option<i32>| version.map(|version| version.to_string()).unwrap_or_default();
    vec![
        row.at.utc,
        row.label,
        version(row.from),
        version(row.to),
        row.status.as_str().to_owned(),
        row.by.unwrap_or_default(),
        row.note,
        row.decided_by.unwrap_or_default(),
        row.answer,
    ]
}
