use std::pin::Pin;

use axum::extract::{Path, Query};
use axum::response::{Redirect, Response};
use axum::routing::get;
use axum::{Extension, Router};

use super::store::views::{self, kept, lists};
use crate::model::{ActivityQuery, BelowQuery, DealRow, IntegrationQuery, MessageRow, PendingRow, RecordRow, SyncRow};
use patchbay_access::Action;
use patchbay_access::server::{Db, ROWS_AT_ONCE, ReadTx, Visitor, csv_file};
use patchbay_shared::ids::{ContactId, IntegrationId, SyncId};
use patchbay_shared::{AppError, Page, Stamp};

/// Lists as files, each with the filters of its address: integrations, syncs, what one did, what failed, deals, messages; and what was done with
/// a contact. And the address that the page of all connections had before.
pub fn routes() -> Router<Db> {
    Router::new()
        .route("/connections", get(|| async { Redirect::permanent("/integrations") }))
        .route("/integrations/export.csv", get(integrations))
        .route("/integrations/{id}/syncs/export.csv", get(syncs))
        .route("/integrations/{id}/syncs/{sync}/export.csv", get(records))
        .route("/integrations/{id}/failed/export.csv", get(failed))
        .route("/integrations/{id}/deals/export.csv", get(deals))
        .route("/integrations/{id}/messages/export.csv", get(messages))
        .route("/contacts/{id}/activities/export.csv", get(activities))
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

type Rows<'a, R> = Pin<Box<dyn Future<Output = Result<Page<R>, AppError>> + Send + 'a>>;

/// A list below an integration as a file. Errors: `NotFound` for what the visitor does not see.
async fn below<R: 'static>(
    visitor: &Visitor,
    id: IntegrationId,
    query: BelowQuery,
    (name, head): (&'static str, &[&'static str]),
    read: impl for<'a> Fn(&'a mut ReadTx, &'a BelowQuery) -> Rows<'a, R> + Copy + Send + Sync + 'static,
    cells: fn(R) -> Vec<String>,
) -> Result<Response, AppError> {
    csv_file(visitor.scope()?, Action::ReadIntegrations, name, head.to_vec(), move |mut tx, cursor| {
        let query = BelowQuery { cursor, ..query.clone() };
        async move {
            views::shown(&mut tx, id).await?;
            let rows = read(&mut tx, &query).await?;
            Ok(rows.map(cells))
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
    let head =
        ["started (UTC)", "what", "reach", "state", "seconds", "read", "written", "skipped", "failed", "by", "message"];
    let cells = |row: SyncRow| {
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
    };
    let file = ("syncs.csv", &head[..]);
    below(&visitor, id, query, file, move |tx, query| Box::pin(lists::syncs(tx, id, query, ROWS_AT_ONCE)), cells).await
}

async fn records(
    Extension(visitor): Extension<Visitor>,
    Path((id, sync)): Path<(String, String)>,
    Query(query): Query<BelowQuery>,
) -> Result<Response, AppError> {
    let (id, sync): (IntegrationId, SyncId) = (id.parse()?, sync.parse()?);
    let head = ["at (UTC)", "record", "what", "result", "message", "kind there", "id there", "contact", "call"];
    let cells = |row: RecordRow| {
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
    };
    let file = ("sync-records.csv", &head[..]);
    below(
        &visitor,
        id,
        query,
        file,
        move |tx, query| {
            Box::pin(async move {
                lists::sync(tx, id, sync).await?;
                lists::records(tx, sync, query, ROWS_AT_ONCE).await
            })
        },
        cells,
    )
    .await
}

async fn failed(
    Extension(visitor): Extension<Visitor>,
    Path(id): Path<String>,
    Query(query): Query<BelowQuery>,
) -> Result<Response, AppError> {
    let id: IntegrationId = id.parse()?;
    let head = [
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
    let cells = |row: PendingRow| {
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
    };
    let file = ("records-that-failed.csv", &head[..]);
    below(&visitor, id, query, file, move |tx, query| Box::pin(lists::failed(tx, id, query, ROWS_AT_ONCE)), cells).await
}

async fn messages(
    Extension(visitor): Extension<Visitor>,
    Path(id): Path<String>,
    Query(query): Query<BelowQuery>,
) -> Result<Response, AppError> {
    let id: IntegrationId = id.parse()?;
    let head = ["at (UTC)", "direction", "event", "state", "tries", "answer", "problem", "body"];
    let cells = |row: MessageRow| {
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
    };
    let file = ("integration-messages.csv", &head[..]);
    below(&visitor, id, query, file, move |tx, query| Box::pin(lists::messages(tx, id, query, ROWS_AT_ONCE)), cells)
        .await
}

async fn deals(
    Extension(visitor): Extension<Visitor>,
    Path(id): Path<String>,
    Query(query): Query<BelowQuery>,
) -> Result<Response, AppError> {
    let id: IntegrationId = id.parse()?;
    let head = ["deal", "contact", "contact id", "stage", "amount", "closes", "changed (UTC)", "id there"];
    let cells = |row: DealRow| {
        let (contact, name) = row.contact.map(|(id, name)| (id.to_string(), name)).unwrap_or_default();
        vec![row.name, name, contact, row.stage, row.amount, row.closes, utc(row.changed), row.remote_id]
    };
    let file = ("deals.csv", &head[..]);
    below(&visitor, id, query, file, move |tx, query| Box::pin(kept::deals(tx, id, query, ROWS_AT_ONCE)), cells).await
}

async fn activities(
    Extension(visitor): Extension<Visitor>,
    Path(id): Path<String>,
    Query(query): Query<ActivityQuery>,
) -> Result<Response, AppError> {
    let id: ContactId = id.parse()?;
    let head = vec!["at (UTC)", "what", "title", "text", "state", "system"];
    csv_file(visitor.scope()?, Action::ReadIntegrations, "activities.csv", head, move |mut tx, cursor| {
        let query = ActivityQuery { cursor, ..query.clone() };
        async move {
            kept::contact_name(&mut tx, id).await?;
            Ok(kept::activities_of(&mut tx, id, &query, ROWS_AT_ONCE)
                .await?
                .map(|row| vec![row.at.utc, row.kind.label().to_owned(), row.title, row.text, row.state, row.system]))
        }
    })
    .await
}
