use axum::extract::Query;
use axum::response::{Redirect, Response};
use axum::routing::get;
use axum::{Extension, Router};

use super::store;
use crate::model::{QueueQuery, QueueRow};
use patchbay_access::Action;
use patchbay_access::server::{Db, ROWS_AT_ONCE, Visitor, csv_file};
use patchbay_shared::AppError;

/// `GET /queues.csv`: the list with the filters of its address. `GET /webhooks/inbound` and `/webhooks/inbound.csv`: where webhooks alone
/// were listed before.
pub fn routes() -> Router<Db> {
    Router::new()
        .route("/queues.csv", get(export))
        .route("/webhooks/inbound", get(|| async { Redirect::permanent("/queues?queue=webhooks&status=all") }))
        .route("/webhooks/inbound.csv", get(|| async { Redirect::permanent("/queues.csv?queue=webhooks&status=all") }))
}

async fn export(Extension(visitor): Extension<Visitor>, Query(query): Query<QueueQuery>) -> Result<Response, AppError> {
    let scope = visitor.scope()?;
    let head = vec!["work", "queue", "state", "tries", "since (UTC)", "next try (UTC)", "reason"];
    csv_file(scope, Action::ReadQueues, "queues.csv", head, move |mut tx, cursor| {
        let query = QueueQuery { cursor, ..query.clone() };
        async move { Ok(store::list(&mut tx, &query, ROWS_AT_ONCE).await?.page.map(cells)) }
    })
    .await
}

fn cells(row: QueueRow) -> Vec<String> {
    vec![
        row.kind,
        row.queue.label().to_owned(),
        row.status.label().to_owned(),
        row.attempts.to_string(),
        row.created.utc,
        row.next.map(|at| at.utc).unwrap_or_default(),
        row.note.unwrap_or_default(),
    ]
}
