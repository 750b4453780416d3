use axum::body::{Body, to_bytes};
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Router};

use super::invoke::MOST_ARGUMENTS;
use super::live::{self, Answered, Asked};
use super::store::{self, uses};
use crate::model::{UseQuery, UseRow};
use patchbay_access::Action;
use patchbay_access::server::{Db, ROWS_AT_ONCE, Visitor, csv_file};
use patchbay_providers::voice_tools::{CALL_HEADER, TOKEN_HEADER};
use patchbay_shared::AppError;
use patchbay_shared::ids::{AgentId, AgentToolId, WorkspaceId};

/// `/agents/{id}/tools/calls/export.csv`: uses with the filters of the address. Inside the session.
pub fn routes() -> Router<Db> {
    Router::new().route("/agents/{id}/tools/calls/export.csv", get(export))
}

/// `POST /hooks/tools/{workspace}/{tool}/{function}`: where the voice service uses tools. Outside the session: the call's token speaks for
/// the sender.
pub fn hooks() -> Router<Db> {
    Router::new().route("/hooks/tools/{workspace}/{tool}/{function}", post(receive))
}

async fn receive(
    State(db): State<Db>,
    Path((workspace, tool, function)): Path<(String, String, String)>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let (Ok(workspace), Ok(tool)) = (workspace.parse::<WorkspaceId>(), tool.parse::<AgentToolId>()) else {
        return StatusCode::UNAUTHORIZED.into_response();
    };
    let Ok(body) = to_bytes(body, MOST_ARGUMENTS).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let asked = Asked { workspace, tool, function, token: text(TOKEN_HEADER), provider_call: text(CALL_HEADER), body };
    // In a task of its own: a service that hangs up now must not stop half-way what has been begun.
    let answered = tokio::spawn(live::answer(db, asked)).await.unwrap_or_else(|error| {
        tracing::error!(cause = %error, "using a tool on a call broke");
        Answered { status: 503, text: "This does not work at the moment.".to_owned(), hangs_up: false }
    });
    let status = StatusCode::from_u16(answered.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let plain = [(header::CONTENT_TYPE, "text/plain; charset=utf-8"), (header::CACHE_CONTROL, "no-store")];
    let mut response = (status, plain, answered.text).into_response();
    if answered.hangs_up {
        let name = HeaderName::from_static("x-ultravox-response-type");
        response.headers_mut().insert(name, header::HeaderValue::from_static("hang-up"));
    }
    response
}

async fn export(
    Extension(visitor): Extension<Visitor>,
    Path(id): Path<String>,
    Query(query): Query<UseQuery>,
) -> Result<Response, AppError> {
    let scope = visitor.scope()?;
    let agent: AgentId = id.parse()?;
    let mut tx = scope.read(Action::ReadWorkshop).await?;
    store::agent(&mut tx, agent).await?;
    drop(tx);
    let head = vec!["at", "tool", "used_in", "result", "with", "call_id", "took_ms", "answer"];
    csv_file(scope, Action::ReadWorkshop, "tool-calls.csv", head, move |mut tx, cursor| {
        let query = UseQuery { cursor, ..query.clone() };
        async move { Ok(uses::list(&mut tx, agent, &query, ROWS_AT_ONCE).await?.map(cells)) }
    })
    .await
}

fn cells(row: UseRow) -> Vec<String> {
    vec![
        row.at.utc,
        row.tool_name,
        row.origin.as_str().to_owned(),
        row.status.as_str().to_owned(),
        row.who,
        row.call.map(|id| id.to_string()).unwrap_or_default(),
        row.took_ms.map(|ms| ms.to_string()).unwrap_or_default(),
        row.answer,
    ]
}
