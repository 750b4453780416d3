use axum::body::{Body, to_bytes};
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Json, Router};

use super::door::{self, Answered, Asked};
use super::store::{self, triggers};
use crate::model::{ListQuery, Switched};
use patchbay_access::Action;
use patchbay_access::server::{Db, ROWS_AT_ONCE, Visitor, csv_file};
use patchbay_providers::signature::{STANDARD_ID, STANDARD_SIGNATURE, STANDARD_TIMESTAMP};
use patchbay_shared::AppError;
use patchbay_shared::ids::{AgentId, AgentTriggerId, WorkspaceId};

/// The largest body of a trigger, in bytes.
const MOST: usize = 64 * 1024;

/// Schedules and triggers of an agent as files. Inside the session.
pub fn routes() -> Router<Db> {
    Router::new()
        .route("/agents/{id}/schedules/export.csv", get(export_schedules))
        .route("/agents/{id}/triggers/export.csv", get(export_triggers))
}

/// `POST /hooks/agents/{workspace}/{trigger}`: where other systems set agents off. Outside the session: a signature speaks for the sender.
pub fn hooks() -> Router<Db> {
    Router::new().route("/hooks/agents/{workspace}/{trigger}", post(receive))
}

async fn receive(
    State(db): State<Db>,
    Path((workspace, trigger)): Path<(String, String)>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let (Ok(workspace), Ok(trigger)) = (workspace.parse::<WorkspaceId>(), trigger.parse::<AgentTriggerId>()) else {
        return respond(Answered::not_signed());
    };
    // An announced size is refused before a byte is read.
    let announced = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    let too_large = || respond(Answered::refused(413, "The body is larger than 64 kB."));
    if announced.is_some_and(|length| length > MOST) {
        return too_large();
    }
    let Ok(body) = to_bytes(body, MOST).await else { return too_large() };
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let asked = Asked {
        workspace,
        trigger,
        id: text(STANDARD_ID),
        timestamp: text(STANDARD_TIMESTAMP),
        signature: text(STANDARD_SIGNATURE),
        body,
    };
    // In a task of its own: a sender who hangs up now stops nothing half-way.
    let answered = tokio::spawn(door::answer(db, asked)).await.unwrap_or_else(|error| {
        tracing::error!(cause = %error, "a trigger's answer broke");
        Answered::refused(503, "This does not work at the moment. Send it again, with the same id.")
    });
    respond(answered)
}

fn respond(answered: Answered) -> Response {
    let status = StatusCode::from_u16(answered.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = (status, [(header::CACHE_CONTROL, "no-store")], Json(answered.body)).into_response();
    if [429, 503].contains(&answered.status) {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("60"));
    }
    response
}

async fn export_schedules(
    Extension(visitor): Extension<Visitor>,
    Path(id): Path<String>,
    Query(query): Query<ListQuery>,
) -> Result<Response, AppError> {
    let agent: AgentId = id.parse()?;
    let head = vec!["schedule", "cron", "timezone", "state", "next", "last", "last_result", "last_note", "last_run"];
    csv_file(visitor.scope()?, Action::ReadWorkshop, "schedules.csv", head, move |mut tx, cursor| {
        let query = ListQuery { cursor, ..query.clone() };
        async move {
            store::agent(&mut tx, agent).await?;
            Ok(store::list(&mut tx, agent, &query, ROWS_AT_ONCE).await?.map(|row| {
                let last = row.last.as_ref();
                vec![
                    row.name,
                    row.cron,
                    row.timezone,
                    Switched::of(row.enabled).as_str().to_owned(),
                    row.next.map(|next| next.utc).unwrap_or_default(),
                    last.map(|last| last.at.utc.clone()).unwrap_or_default(),
                    last.map(|last| last.result.as_str().to_owned()).unwrap_or_default(),
                    last.and_then(|last| last.note.clone()).unwrap_or_default(),
                    last.and_then(|last| last.run).map(|run| run.to_string()).unwrap_or_default(),
                ]
            }))
        }
    })
    .await
}

async fn export_triggers(
    Extension(visitor): Extension<Visitor>,
    Path(id): Path<String>,
    Query(query): Query<ListQuery>,
) -> Result<Response, AppError> {
    let agent: AgentId = id.parse()?;
    let head = vec!["trigger", "address", "state", "last", "last_run"];
    csv_file(visitor.scope()?, Action::ReadWorkshop, "triggers.csv", head, move |mut tx, cursor| {
        let query = ListQuery { cursor, ..query.clone() };
        async move {
            store::agent(&mut tx, agent).await?;
            Ok(triggers::list(&mut tx, agent, &query, ROWS_AT_ONCE).await?.map(|row| {
                vec![
                    row.name,
                    row.address,
                    Switched::of(row.enabled).as_str().to_owned(),
                    row.last.as_ref().map(|(at, _)| at.utc.clone()).unwrap_or_default(),
                    row.last.map(|(_, run)| run.to_string()).unwrap_or_default(),
                ]
            }))
        }
    })
    .await
}
