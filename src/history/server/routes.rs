use axum::extract::{Path, Query};
use axum::response::Response;
use axum::routing::get;
use axum::{Extension, Router};

use super::views;
use crate::model::{FailureQuery, GapQuery, SyncQuery};
use patchbay_access::Action;
use patchbay_access::server::{Db, ROWS_AT_ONCE, Visitor, csv_file};
use patchbay_shared::AppError;
use patchbay_shared::ids::HistoricalSyncId;

/// Lists as files: imports, what failed in one, and gaps, each with the filters of its address.
pub fn routes() -> Router<Db> {
    Router::new()
        .route("/connections/{provider}/history/imports.csv", get(imports))
        .route("/connections/{provider}/history/imports/{id}/failures.csv", get(failures))
        .route("/connections/{provider}/history/gaps.csv", get(gaps))
}

async fn imports(
    Extension(visitor): Extension<Visitor>,
    Path(provider): Path<String>,
    Query(query): Query<SyncQuery>,
) -> Result<Response, AppError> {
    let head = vec!["asked for (UTC)", "calls", "state", "imported", "skipped", "failed", "by", "what went wrong"];
    csv_file(visitor.scope()?, Action::ReadWorkshop, "past-call-imports.csv", head, move |mut tx, cursor| {
        let (provider, query) = (provider.clone(), SyncQuery { cursor, ..query.clone() });
        async move {
            let page = views::imports(&mut tx, &provider, &query, ROWS_AT_ONCE).await?;
            Ok(page.map(|row| {
                vec![
                    row.created.utc,
                    row.title,
                    row.status.label().to_owned(),
                    row.imported.to_string(),
                    row.skipped.to_string(),
                    row.failed.to_string(),
                    row.started_by.unwrap_or_default(),
                    row.error.unwrap_or_default(),
                ]
            }))
        }
    })
    .await
}

async fn failures(
    Extension(visitor): Extension<Visitor>,
    Path((provider, id)): Path<(String, String)>,
    Query(query): Query<FailureQuery>,
) -> Result<Response, AppError> {
    let id: HistoricalSyncId = id.parse()?;
    let head = vec!["began (UTC)", "agent", "call at the service", "why"];
    csv_file(visitor.scope()?, Action::ReadWorkshop, "past-calls-that-failed.csv", head, move |mut tx, cursor| {
        let (provider, query) = (provider.clone(), FailureQuery { cursor, ..query.clone() });
        async move {
            let page = views::import(&mut tx, &provider, id, &query, ROWS_AT_ONCE).await?.failures;
            Ok(page.map(|row| {
                vec![
                    row.started.map(|at| at.utc).unwrap_or_default(),
                    row.agent.unwrap_or_default(),
                    row.provider_call_id.unwrap_or_default(),
                    row.why,
                ]
            }))
        }
    })
    .await
}

async fn gaps(
    Extension(visitor): Extension<Visitor>,
    Path(provider): Path<String>,
    Query(query): Query<GapQuery>,
) -> Result<Response, AppError> {
    let head = vec!["what is missing", "began (UTC)", "agent", "call at the service", "why", "closed (UTC)", "how"];
    csv_file(visitor.scope()?, Action::ReadWorkshop, "call-gaps.csv", head, move |mut tx, cursor| {
        let (provider, query) = (provider.clone(), GapQuery { cursor, ..query.clone() });
        async move {
            let page = views::gaps(&mut tx, &provider, &query, ROWS_AT_ONCE).await?.page;
            Ok(page.map(|row| {
                vec![
                    row.kind.label().to_owned(),
                    row.started.utc,
                    row.agent.unwrap_or_default(),
                    row.provider_call_id,
                    row.why,
                    row.closed.map(|at| at.utc).unwrap_or_default(),
                    row.closed_how.unwrap_or_default(),
                ]
            }))
        }
    })
    .await
}
