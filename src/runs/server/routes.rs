use axum::extract::Query;
use axum::response::Response;
use axum::routing::get;
use axum::{Extension, Router};

use super::store::{self, errors};
use crate::model::{CauseQuery, CauseRow, RunQuery, RunRow};
use patchbay_access::Action;
use patchbay_access::server::{Db, ROWS_AT_ONCE, Visitor, csv_file};
use patchbay_shared::AppError;

/// `/runs/export.csv` and `/errors/export.csv`: the lists with the filters of their addresses.
pub fn routes() -> Router<Db> {
    Router::new().route("/runs/export.csv", get(export_runs)).route("/errors/export.csv", get(export_errors))
}

async fn export_runs(
    Extension(visitor): Extension<Visitor>,
    Query(query): Query<RunQuery>,
) -> Result<Response, AppError> {
    let head =
        vec!["started", "run", "type", "status", "agent", "client", "set_off_by", "took_ms", "cost_usd", "error", "id"];
    csv_file(visitor.scope()?, Action::ReadWorkshop, "runs.csv", head, move |mut tx, cursor| {
        let query = RunQuery { cursor, ..query.clone() };
        async move { Ok(store::list(&mut tx, &query, ROWS_AT_ONCE).await?.map(run_cells)) }
    })
    .await
}

fn run_cells(row: RunRow) -> Vec<String> {
    vec![
        row.started.utc,
        row.title,
        row.kind.as_str().to_owned(),
        row.status.as_str().to_owned(),
        row.agent.map(|(_, name)| name).unwrap_or_default(),
        row.client.unwrap_or_default(),
        row.trigger.as_str().to_owned(),
        row.took_ms.map(|ms| ms.to_string()).unwrap_or_default(),
        row.cost.map(|cost| cost.0.to_string()).unwrap_or_default(),
        row.error.unwrap_or_default(),
        row.id.to_string(),
    ]
}

async fn export_errors(
    Extension(visitor): Extension<Visitor>,
    Query(query): Query<CauseQuery>,
) -> Result<Response, AppError> {
    let head = vec!["last_seen", "first_seen", "times", "source", "code", "state", "message"];
    csv_file(visitor.scope()?, Action::ReadWorkshop, "errors.csv", head, move |mut tx, cursor| {
        let query = CauseQuery { cursor, ..query.clone() };
        async move { Ok(errors::causes(&mut tx, &query, ROWS_AT_ONCE).await?.map(cause_cells)) }
    })
    .await
}

fn cause_cells(row: CauseRow) -> Vec<String> {
    vec![
        row.last_seen.utc,
        row.first_seen.utc,
        row.count.to_string(),
        row.source.as_str().to_owned(),
        row.code,
        row.state.as_str().to_owned(),
        row.message,
    ]
}
