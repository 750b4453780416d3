use axum::extract::{Path, Query};
use axum::response::Response;
use axum::routing::get;
use axum::{Extension, Router};

use super::{store, view};
use crate::model::{BatchQuery, BatchRow, ResultRow};
use patchbay_access::Action;
use patchbay_access::server::{Db, ROWS_AT_ONCE, Scope, Visitor, csv_file};
use patchbay_calls::model::{CallResult, Disposition};
use patchbay_shared::AppError;
use patchbay_shared::ids::BatchId;

/// `GET /batches.csv`: the list with the filters of its address.
/// `GET /batches/{id}/results.csv`: every ended call of the batch, newest first.
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
        "reached",
        "not reached",
        "failed",
        "created (UTC)",
        "starts (UTC)",
        "note",
    ];
    csv_file(scope, Action::ReadCampaigns, "batches.csv", head, move |mut tx, cursor| {
        let query = BatchQuery { cursor, ..query.clone() };
        async move {
            let page = store::list(&mut tx, &query, ROWS_AT_ONCE).await?;
            Ok(page.map(cells))
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
        row.progress.reached.to_string(),
        row.progress.not_reached.to_string(),
        row.progress.failed.to_string(),
        row.created.utc,
        row.scheduled_for.map(|at| at.utc).unwrap_or_default(),
        row.note.unwrap_or_default(),
    ]
}

async fn results(Extension(visitor): Extension<Visitor>, Path(id): Path<String>) -> Result<Response, AppError> {
    let (scope, id): (Scope, BatchId) = (visitor.scope()?, id.parse()?);
    let head =
        vec!["ended (UTC)", "contact", "number", "result", "outcome", "goal reached", "attempt", "length", "error"];
    csv_file(scope, Action::ReadCampaigns, "results.csv", head, move |mut tx, cursor| async move {
        let batch = store::get(&mut tx, id).await?;
        let campaign = patchbay_campaigns::server::get(&mut tx, batch.campaign_id).await?;
        Ok(view::results(&mut tx, &batch, &campaign, cursor.as_deref(), ROWS_AT_ONCE).await?.map(result_cells))
    })
    .await
}

fn result_cells(row: ResultRow) -> Vec<String> {
    let is_answered = row.result == Some(CallResult::Answered);
    vec![
        row.ended.map(|at| at.utc).unwrap_or_default(),
        row.contact,
        row.number,
        row.result.map(|result| result.label().to_owned()).unwrap_or_default(),
        row.outcome.map(|outcome| Disposition::of(outcome, is_answered).label().to_owned()).unwrap_or_default(),
        row.goal_reached.map(|reached| if reached { "yes" } else { "no" }.to_owned()).unwrap_or_default(),
        row.attempt.to_string(),
        row.length.unwrap_or_default(),
        row.error.unwrap_or_default(),
    ]
}
