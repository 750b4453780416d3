use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;

use super::ingest::{self, Answer, Delivery};
use patchbay_access::server::{Db, limits};
use patchbay_shared::ids::{ConnectionId, WorkspaceId};

/// The largest body that is read, in bytes.
const MOST: usize = limits::WEBHOOK;

/// Where services deliver: `POST /webhooks/{service}/{workspace}/{connection}`. A signature speaks for the sender.
pub fn routes() -> Router<Db> {
    Router::new().route("/webhooks/{provider}/{workspace}/{connection}", post(receive))
}

async fn receive(
    State(db): State<Db>,
    Path((provider, workspace, connection)): Path<(String, String, String)>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let (Ok(workspace), Ok(connection)) = (workspace.parse::<WorkspaceId>(), connection.parse::<ConnectionId>()) else {
        return respond(Answer::Rejected);
    };
    // Announced sizes are refused before a byte is read.
    let announced = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|length| length > MOST) {
        return respond(Answer::TooLarge);
    }
    let body = match to_bytes(body, MOST).await {
        Ok(body) => body,
        Err(error) if is_too_large(&error) => return respond(Answer::TooLarge),
        // The sender went away in the middle: it will come again.
        Err(_) => return StatusCode::BAD_REQUEST.into_response(),
    };
    let delivery = Delivery { provider, workspace, connection, headers, body };
    // A sender who hangs up now stops nothing half-way: events are written by the task that works on their line.
    respond(ingest::take(db, delivery).await)
}

fn is_too_large(error: &axum::Error) -> bool {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = cause {
        if error.is::<http_body_util::LengthLimitError>() {
            return true;
        }
        cause = error.source();
    }
    false
}

fn respond(answer: Answer) -> Response {
    let status = match answer {
        Answer::Stored => StatusCode::NO_CONTENT,
        Answer::Rejected => StatusCode::UNAUTHORIZED,
        Answer::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Answer::TryLater => StatusCode::SERVICE_UNAVAILABLE,
    };
    metrics::counter!("patchbay_webhooks_total", "answer" => answer.word()).increment(1);
    match answer {
        Answer::TryLater => (status, [(header::RETRY_AFTER, "5")]).into_response(),
        _ => status.into_response(),
    }
}
