use axum::extract::{Path, Query};
use axum::response::Response;
use axum::routing::get;
use axum::{Extension, Router};

use super::store::{self, grids, results, runs};
use crate::model::{CaseQuery, GridQuery, ResultRow, SuiteQuery};
use patchbay_access::Action;
use patchbay_access::server::{Db, ROWS_AT_ONCE, Visitor, csv_file};
use patchbay_shared::ids::{AgentId, SuiteRunId, TestGridId};
use patchbay_shared::{AppError, Page};

/// Cases, runs, grids and their results as files. Inside the session.
pub fn routes() -> Router<Db> {
    Router::new()
        .route("/agents/{id}/tests/export.csv", get(cases))
        .route("/agents/{id}/tests/runs/export.csv", get(suite_runs))
        .route("/agents/{id}/tests/grids/export.csv", get(test_grids))
        .route("/test-runs/{id}/export.csv", get(run_results))
        .route("/test-grids/{id}/export.csv", get(grid_results))
}

async fn cases(
    Extension(visitor): Extension<Visitor>,
    Path(id): Path<String>,
    Query(query): Query<CaseQuery>,
) -> Result<Response, AppError> {
    let agent: AgentId = id.parse()?;
    let head = vec!["case", "kind", "compared_by", "tags", "last_result", "last_run", "changed_since", "made_at"];
    csv_file(visitor.scope()?, Action::ReadWorkshop, "test-cases.csv", head, move |mut tx, cursor| {
        let query = CaseQuery { cursor, ..query.clone() };
        async move {
            store::agent(&mut tx, agent).await?;
            Ok(store::list(&mut tx, agent, &query, ROWS_AT_ONCE).await?.map(|row| {
                let last = row.last.as_ref();
                vec![
                    row.name,
                    row.kind.as_str().to_owned(),
                    row.matcher.as_str().to_owned(),
                    row.tags.join(", "),
                    last.map(|last| last.result.as_str().to_owned()).unwrap_or_default(),
                    last.map(|last| last.number.to_string()).unwrap_or_default(),
                    last.map(|last| last.has_changed.to_string()).unwrap_or_default(),
                    row.created.utc,
                ]
            }))
        }
    })
    .await
}

async fn suite_runs(
    Extension(visitor): Extension<Visitor>,
    Path(id): Path<String>,
    Query(query): Query<SuiteQuery>,
) -> Result<Response, AppError> {
    let agent: AgentId = id.parse()?;
    let head = vec![
        "run",
        "state",
        "version",
        "model",
        "cases",
        "passed",
        "failed",
        "errors",
        "left_out",
        "spent_usd",
        "not_priced",
        "by",
        "started_at",
    ];
    csv_file(visitor.scope()?, Action::ReadWorkshop, "test-runs.csv", head, move |mut tx, cursor| {
        let query = SuiteQuery { cursor, ..query.clone() };
        async move {
            store::agent(&mut tx, agent).await?;
            Ok(runs::list(&mut tx, agent, &query, ROWS_AT_ONCE).await?.map(|row| {
                vec![
                    row.number.to_string(),
                    row.status.as_str().to_owned(),
                    row.version.to_string(),
                    row.model,
                    row.counts.all.to_string(),
                    row.counts.passed.to_string(),
                    row.counts.failed.to_string(),
                    row.counts.errors.to_string(),
                    row.counts.left_out.to_string(),
                    row.spent.0.to_string(),
                    row.unpriced.to_string(),
                    row.by.unwrap_or_default(),
                    row.started.utc,
                ]
            }))
        }
    })
    .await
}

async fn run_results(Extension(visitor): Extension<Visitor>, Path(id): Path<String>) -> Result<Response, AppError> {
    let run: SuiteRunId = id.parse()?;
    let head = vec![
        "case",
        "compared_by",
        "result",
        "why",
        "version",
        "model",
        "reply_ms",
        "tokens",
        "cost_usd",
        "not_priced",
        "time",
    ];
    csv_file(visitor.scope()?, Action::ReadWorkshop, "test-results.csv", head, move |mut tx, _| async move {
        runs::work(&mut tx, run).await?;
        let rows = results::of_run(&mut tx, run).await?;
        Ok(Page { rows: rows.into_iter().map(cells).collect(), ..Page::default() })
    })
    .await
}

fn cells(row: ResultRow) -> Vec<String> {
    vec![
        row.name,
        row.matcher.as_str().to_owned(),
        row.result.as_str().to_owned(),
        row.why.unwrap_or_default(),
        row.version.to_string(),
        row.model,
        row.reply_ms.map(|ms| ms.to_string()).unwrap_or_default(),
        row.tokens.to_string(),
        row.cost.0.to_string(),
        row.unpriced.to_string(),
        row.time.to_string(),
    ]
}

async fn test_grids(
    Extension(visitor): Extension<Visitor>,
    Path(id): Path<String>,
    Query(query): Query<GridQuery>,
) -> Result<Response, AppError> {
    let agent: AgentId = id.parse()?;
    let head = vec![
        "grid",
        "state",
        "versions",
        "models",
        "times_each",
        "tests",
        "passed",
        "failed",
        "errors",
        "left_out",
        "budget_usd",
        "spent_usd",
        "not_priced",
        "by",
        "started_at",
    ];
    csv_file(visitor.scope()?, Action::ReadWorkshop, "test-grids.csv", head, move |mut tx, cursor| {
        let query = GridQuery { cursor, ..query.clone() };
        async move {
            store::agent(&mut tx, agent).await?;
            Ok(grids::list(&mut tx, agent, &query, ROWS_AT_ONCE).await?.map(|row| {
                let versions: Vec<String> = row.versions.iter().map(ToString::to_string).collect();
                vec![
                    row.number.to_string(),
                    row.status.as_str().to_owned(),
                    versions.join(", "),
                    row.models.join(", "),
                    row.repeats.to_string(),
                    row.counts.all.to_string(),
                    row.counts.passed.to_string(),
                    row.counts.failed.to_string(),
                    row.counts.errors.to_string(),
                    row.counts.left_out.to_string(),
                    row.budget.0.to_string(),
                    row.spent.0.to_string(),
                    row.unpriced.to_string(),
                    row.by.unwrap_or_default(),
                    row.started.utc,
                ]
            }))
        }
    })
    .await
}

/// One row for each case in each cell.
async fn grid_results(Extension(visitor): Extension<Visitor>, Path(id): Path<String>) -> Result<Response, AppError> {
    let grid: TestGridId = id.parse()?;
    let head = vec![
        "case",
        "compared_by",
        "version",
        "account",
        "model",
        "run",
        "tests",
        "passed",
        "failed",
        "errors",
        "left_out",
        "reply_ms_median",
        "cell_reply_ms_median",
        "cell_reply_ms_p95",
        "cell_spent_usd",
        "cell_not_priced",
    ];
    csv_file(visitor.scope()?, Action::ReadWorkshop, "test-grid.csv", head, move |mut tx, _| async move {
        grids::get(&mut tx, grid).await?;
        let cells = grids::cells(&mut tx, grid).await?;
        let mut rows = Vec::new();
        for case in grids::cases(&mut tx, grid, &cells).await? {
            for (cell, came) in cells.iter().zip(&case.cells) {
                let Some(came) = came else { continue };
                let ms = |ms: Option<i32>| ms.map(|ms| ms.to_string()).unwrap_or_default();
                rows.push(vec![
                    case.name.clone(),
                    case.matcher.as_str().to_owned(),
                    cell.version.to_string(),
                    cell.account.clone(),
                    cell.model.clone(),
                    cell.number.to_string(),
                    came.counts.all.to_string(),
                    came.counts.passed.to_string(),
                    came.counts.failed.to_string(),
                    came.counts.errors.to_string(),
                    came.counts.left_out.to_string(),
                    ms(came.median_ms),
                    ms(cell.median_ms),
                    ms(cell.p95_ms),
                    cell.spent.0.to_string(),
                    cell.unpriced.to_string(),
                ]);
            }
        }
        Ok(Page { rows, ..Page::default() })
    })
    .await
}
