use axum::extract::Path;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Router};

use super::{store, view};
use crate::access::Action;
use crate::access::server::{Db, Visitor};
use crate::shared::AppError;
use crate::shared::csv_cell;

/// `GET /batches/{id}/results.csv`: every ended call of the batch, newest first, at most 10,000.
pub fn routes() -> Router<Db> {
    Router::new().route("/batches/{id}/results.csv", get(results))
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
