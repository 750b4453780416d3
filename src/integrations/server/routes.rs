use axum::extract::{Path, Query};
use axum::response::{Redirect, Response};
use axum::routing::get;
use axum::{Extension, Router};

use super::store::views::{self, lists};
use crate::model::{BelowQuery, IntegrationQuery};
use patchbay_access::Action;
use patchbay_access::server::{Db, ROWS_AT_ONCE, Visitor, csv_file};
use patchbay_shared::ids::{IntegrationId, SyncId};
use patchbay_shared::{AppError, Stamp};

/// Lists as files, each with the filters of its address: integrations, syncs, what one did, what failed, messages. And the address that the
/// page of all connections had before.
pub fn routes() -> Router<Db> {
    Router::new()
        .route("/connections", get(|| async { Redirect::permanent("/integrations") }))
        .route("/integrations/export.csv", get(integrations))
        .route("/integrations/{id}/syncs/export.csv", get(syncs))
        .route("/integrations/{id}/syncs/{sync}/export.csv", get(records))
        .route("/integrations/{id}/failed/export.csv", get(failed))
        .route("/integrations/{id}/messages/export.csv", get(messages))
}

fn utc(at: Option<Stamp>) -> String {
    at.map(|at| at.utc).unwrap_or_default()
}

fn id_of(id: Option<impl std::fmt::Display>) -> String {
    id.map(|id| id.to_string()).unwrap_or_default()
}

async fn integrations(
    Extension(visitor): Extension<Visitor>,
    Query(query): Query<IntegrationQuery>,
) -> Result<Response, AppError> {
    let head = vec![
        "integration",
        "service",
        "client",
        "account",
        "mode",
        "state",
        "problem",
        "last sync (UTC)",
        "waits",
        "failed",
    ];
    csv_file(visitor.scope()?, Action::ReadIntegrations, "integrations.csv", head, move |mut tx, cursor| {
        let query = IntegrationQuery { cursor, ..query.clone() };
        async move {
            Ok(views::list(&mut tx, &query, ROWS_AT_ONCE).await?.map(|row| {
                vec![
                    row.name,
                    row.kind.label().to_owned(),
                    row.client.unwrap_or_default(),
                    row.account.unwrap_or_default(),
                    row.mode.label().to_owned(),
                    row.standing.label().to_owned(),
                    row.problem.unwrap_or_default(),
                    utc(row.last_sync),
                    row.waits.to_string(),
                    row.failed.to_string(),
                ]
            }))
        }
    })
    .await
}

async fn syncs(
    Extension(visitor): Extension<Visitor>,
    Path(id): Path<String>,
    Query(query): Query<BelowQuery>,
) -> Result<Response, AppError> {
    let id: IntegrationId = id.parse()?;
    let head = vec![
        "started (UTC)",
        "what",
        "reach",
        "state",
        "seconds",
        "read",
        "written",
        "skipped",
        "failed",
        "by",
        "message",
    ];
    csv_file(visitor.scope()?, Action::ReadIntegrations, "syncs.csv", head, move |mut tx, cursor| {
        let query = BelowQuery { cursor, ..query.clone() };
        async move {
            views::shown(&mut tx, id).await?;
            Ok(lists::syncs(&mut tx, id, &query, ROWS_AT_ONCE).await?.map(|row| {
                let state = row.state().1.to_owned();
                vec![
                    row.started.utc,
                    row.kind.label().to_owned(),
                    row.reach.label().to_owned(),
                    state,
                    row.seconds.to_string(),
                    row.read.to_string(),
                    row.written.to_string(),
                    row.skipped.to_string(),
                    row.failed.to_string(),
                    row.by.unwrap_or_default(),
                    row.message.unwrap_or_default(),
                ]
            }))
        }
    })
    .await
}

async fn records(
    Extension(visitor): Extension<Visitor>,
    Path((id, sync)): Path<(String, String)>,
    Query(query): Query<BelowQuery>,
) -> Result<Response, AppError> {
    let (id, sync): (IntegrationId, SyncId) = (id.parse()?, sync.parse()?);
    let head = vec!["at (UTC)", "record", "what", "result", "message", "kind there", "id there", "contact", "call"];
    csv_file(visitor.scope()?, Action::ReadIntegrations, "sync-records.csv", head, move |mut tx, cursor| {
        let query = BelowQuery { cursor, ..query.clone() };
        async move {
            views::shown(&mut tx, id).await?;
            lists::sync(&mut tx, id, sync).await?;
            Ok(lists::records(&mut tx, sync, &query, ROWS_AT_ONCE).await?.map(|row| {
                vec![
                    row.at.utc,
                    row.label,
                    row.action.label().to_owned(),
                    row.result.label().to_owned(),
                    row.message,
                    row.remote_kind,
                    row.remote_id.unwrap_or_default(),
                    id_of(row.contact),
                    id_of(row.call),
                ]
            }))
        }
    })
    .await
}

async fn failed(
    Extension(visitor): Extension<Visitor>,
    Path(id): Path<String>,
    Query(query): Query<BelowQuery>,
) -> Result<Response, AppError> {
    let id: IntegrationId = id.parse()?;
    let head = vec![
        "since (UTC)",
        "record",
        "direction",
        "kind",
        "problem",
        "what helps",
        "tries",
        "next try (UTC)",
        "id there",
        "contact",
        "call",
    ];
    csv_file(visitor.scope()?, Action::ReadIntegrations, "records-that-failed.csv", head, move |mut tx, cursor| {
        let query = BelowQuery { cursor, ..query.clone() };
        async move {
            views::shown(&mut tx, id).await?;
            Ok(lists::failed(&mut tx, id, &query, ROWS_AT_ONCE).await?.map(|row| {
                vec![
                    row.since.utc,
                    row.label,
                    row.way.label().to_owned(),
                    row.kind,
                    row.problem,
                    row.remedy.label().to_owned(),
                    row.tries.to_string(),
                    utc(row.next_try),
                    row.remote_id.unwrap_or_default(),
                    id_of(row.contact),
                    id_of(row.call),
                ]
            }))
        }
    })
    .await
}

async fn messages(
    Extension(visitor): Extension<Visitor>,
    Path(id): Path<String>,
    Query(query): Query<BelowQuery>,
) -> Result<Response, AppError> {
    let id: IntegrationId = id.parse()?;
    let head = vec!["at (UTC)", "direction", "event", "state", "tries", "answer", "problem", "body"];
    csv_file(visitor.scope()?, Action::ReadIntegrations, "integration-messages.csv", head, move |mut tx, cursor| {
        let query = BelowQuery { cursor, ..query.clone() };
        async move {
            views::shown(&mut tx, id).await?;
            Ok(lists::messages(&mut tx, id, &query, ROWS_AT_ONCE).await?.map(|row| {
                vec![
                    row.at.utc,
                    row.way.label().to_owned(),
                    row.event,
                    row.state.label().to_owned(),
                    row.tries.to_string(),
                    id_of(row.answer_status),
                    row.problem.unwrap_or_default(),
                    row.body,
                ]
            }))
        }
    })
    .await
}
