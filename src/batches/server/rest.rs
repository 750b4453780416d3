use axum::extract::{Path, Query};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Router};

use super::{store, view};
use crate::access::Action;
use crate::access::server::{Db, ROWS_AT_ONCE, Visitor, csv_file};
use crate::batches::model::{BatchQuery, BatchRow};
use crate::shared::AppError;
use crate::shared::csv_cell;

/// `GET /batches.csv`: the list with the filters of its address.
/// `GET /batches/{id}/results.csv`: every ended call of the batch, newest first, at most 10,000.
pub fn routes() -> Router<Db> {
    Router::new().route("/batches.csv", get(export)).route("/batches/{id}/results.csv", get(results))
}

async fn export(Extension(visitor): Extension<Visitor>, Query(query): Query<BatchQuery>) -> Result<Response, AppError> {
    let scope = visitor.scope()?;
    let head = vec![
        "name",
        "campaign",
        "client",
        "state",
        "contacts",
        "answered",
        "not reached",
        "failed",
        "created (UTC)",
        "starts (UTC)",
        "note",
    ];
    csv_file("batches.csv", head, move |cursor| {
        let (scope, query) = (scope.clone(), BatchQuery { cursor, ..query.clone() });
        async move {
            let mut tx = scope.read(Action::ReadCampaigns).await?;
            let page = store::list(&mut tx, &query, ROWS_AT_ONCE).await?;
            Ok::<_, AppError>(page.map(cells))
        }
    })
    .await
}

fn cells(row: BatchRow) -> Vec<String> {
    vec![
        row.name,
        row.campaign,
        row.client,
        row.status.label().to_owned(),
        row.progress.total.to_string(),
        row.progress.answered.to_string(),
        row.progress.unreached.to_string(),
        row.progress.failed.to_string(),
        row.created.utc,
        row.scheduled_for.map(|at| at.utc).unwrap_or_default(),
        row.note.unwrap_or_default(),
    ]
}

async fn results(Extension(visitor): Extension<Visitor>, Path(id): Path<String>) -> Result<Response, AppError> {
    let scope = visitor.scope()?;
    let mut tx = scope.read(Action::ReadCampaigns).await?;
    let batch = store::get(&mut tx, id.parse()?).await?;
    let now = tx.now().await?;
    let rows = view::results(&mut tx, batch.id, 10_000, now, scope.zone()).await?;
    let rows = rows.into_iter().map(|row| {
        vec![
            row.ended.map(|at| at.utc).unwrap_or_default(),
            row.contact,
            row.number,
            row.outcome.map(|outcome| outcome.label().to_owned()).unwrap_or_default(),
            row.goal_reached.map(|reached| if reached { "yes" } else { "no" }.to_owned()).unwrap_or_default(),
            row.attempt.to_string(),
            row.length.unwrap_or_default(),
            row.error.unwrap_or_default(),
        ]
    });
    let head = ["ended (UTC)", "contact", "number", "outcome", "goal reached", "attempt", "length", "error"];
    let body = csv_cell::file(&head, rows);
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"results.csv\""),
    ];
    Ok((headers, body).into_response())
}
