//! Lists of engines and targets as files. Inside the session.

use axum::extract::Query;
use axum::response::Response;
use axum::routing::get;
use axum::{Extension, Router};

use super::store::{engines, targets};
use crate::model::setup::{EngineRow, SetupQuery, TargetRow};
use patchbay_access::Action;
use patchbay_access::server::{Db, ROWS_AT_ONCE, Visitor, csv_file};
use patchbay_shared::AppError;

pub fn routes() -> Router<Db> {
    Router::new()
        .route("/execution/engines/export.csv", get(export_engines))
        .route("/execution/targets/export.csv", get(export_targets))
}

async fn export_engines(
    Extension(visitor): Extension<Visitor>,
    Query(query): Query<SetupQuery>,
) -> Result<Response, AppError> {
    let head = vec!["name", "type", "works_with", "description", "time_limit", "default", "open_jobs", "state"];
    csv_file(visitor.scope()?, Action::ReadWorkshop, "engines.csv", head, move |mut tx, cursor| {
        let query = SetupQuery { cursor, ..query.clone() };
        async move { Ok(engines::list(&mut tx, &query, ROWS_AT_ONCE).await?.map(engine_cells)) }
    })
    .await
}

fn engine_cells(row: EngineRow) -> Vec<String> {
    vec![
        row.name,
        row.kind.to_string(),
        row.about,
        row.description,
        row.limit,
        if row.is_default { "yes" } else { "no" }.to_owned(),
        row.open_jobs.to_string(),
        if row.is_active { "active" } else { "inactive" }.to_owned(),
    ]
}

async fn export_targets(
    Extension(visitor): Extension<Visitor>,
    Query(query): Query<SetupQuery>,
) -> Result<Response, AppError> {
    let head = vec![
        "name",
        "type",
        "address",
        "pool",
        "slots",
        "memory_mb",
        "cpu_milli",
        "running",
        "waiting",
        "state",
        "held_at",
        "checked_at",
        "problem",
    ];
    csv_file(visitor.scope()?, Action::ReadWorkshop, "targets.csv", head, move |mut tx, cursor| {
        let query = SetupQuery { cursor, ..query.clone() };
        async move { Ok(targets::list(&mut tx, &query, ROWS_AT_ONCE).await?.map(target_cells)) }
    })
    .await
}

fn target_cells(row: TargetRow) -> Vec<String> {
    vec![
        row.name,
        row.kind.to_string(),
        row.address,
        row.pool,
        row.capacity.slots.to_string(),
        row.capacity.memory_mb.to_string(),
        row.capacity.cpu_milli.to_string(),
        row.running.to_string(),
        row.waiting.to_string(),
        if row.is_active { "active" } else { "inactive" }.to_owned(),
        row.held.map(|at| at.utc).unwrap_or_default(),
        row.checked.map(|at| at.utc).unwrap_or_default(),
        row.problem.unwrap_or_default(),
    ]
}
