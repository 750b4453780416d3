use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{OriginalUri, Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;

use super::answer;
use super::door::{Account, Asked};
use patchbay_access::server::{Db, limits};
use patchbay_shared::ids::WorkspaceId;

/// What a carrier asks about each call that comes in: `POST /webhooks/{telnyx|twilio|plivo}/{workspace}/{account}/answer`, where the account
/// is the connection or the integration. A signature speaks for the sender.
pub fn routes() -> Router<Db> {
    Router::new().route("/webhooks/{provider}/{workspace}/{connection}/answer", post(receive))
}

async fn receive(
    State(db): State<Db>,
    Path((carrier, workspace, account)): Path<(String, String, String)>,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let (Ok(workspace), Some(account)) = (workspace.parse::<WorkspaceId>(), Account::of(&carrier, &account)) else {
        return StatusCode::UNAUTHORIZED.into_response();
    };
    let Ok(body) = to_bytes(body, limits::WEBHOOK).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let asked = Asked { workspace, account, query: uri.query().map(str::to_owned), headers, body };
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
