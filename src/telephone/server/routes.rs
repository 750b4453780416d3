use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;

use super::answer::{self, Asked};
use patchbay_access::server::{Db, limits};
use patchbay_shared::ids::{ConnectionId, WorkspaceId};

/// What the carrier asks about each call that comes in: `POST /webhooks/telnyx/{workspace}/{connection}/answer`. A signature speaks
/// for the sender.
pub fn routes() -> Router<Db> {
    Router::new().route("/webhooks/telnyx/{workspace}/{connection}/answer", post(receive))
}

async fn receive(
    State(db): State<Db>,
    Path((workspace, connection)): Path<(String, String)>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let (Ok(workspace), Ok(connection)) = (workspace.parse::<WorkspaceId>(), connection.parse::<ConnectionId>()) else {
        return StatusCode::UNAUTHORIZED.into_response();
    };
    let Ok(body) = to_bytes(body, limits::WEBHOOK).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let asked = Asked { workspace, connection, headers, body };
    // In a task of its own: a carrier that hangs up now must not stop half-way what has been begun.
    let answered = tokio::spawn(answer::answer(db, asked)).await.unwrap_or_else(|error| {
        tracing::error!(cause = %error, "answering a call broke");
        answer::Answered::TryLater
    });
    match answered {
        answer::Answered::Xml(xml) => {
            // It says where one call can be joined.
            let headers = [(header::CONTENT_TYPE, "text/xml; charset=utf-8"), (header::CACHE_CONTROL, "no-store")];
            (StatusCode::OK, headers, xml).into_response()
        }
        answer::Answered::Rejected => StatusCode::UNAUTHORIZED.into_response(),
        answer::Answered::TryLater => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}
