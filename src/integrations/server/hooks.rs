use axum::body::{Body, to_bytes};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};

use super::intake::{self, Answered, Asked};
use patchbay_access::server::Db;
use patchbay_providers::signature::{STANDARD_ID, STANDARD_SIGNATURE, STANDARD_TIMESTAMP};
use patchbay_shared::ids::{IntegrationId, WorkspaceId};

/// The largest body, in bytes.
const MOST: usize = 256 * 1024;

/// `POST /hooks/integrations/{workspace}/{integration}`: where clients' systems send contacts. Outside the session: a signature or a key
/// speaks for the sender.
pub fn hooks() -> Router<Db> {
    Router::new().route("/hooks/integrations/{workspace}/{integration}", post(receive))
}

async fn receive(
    State(db): State<Db>,
    Path((workspace, integration)): Path<(String, String)>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let (Ok(workspace), Ok(integration)) = (workspace.parse::<WorkspaceId>(), integration.parse::<IntegrationId>())
    else {
        return respond(Answered::not_known());
    };
    let too_large = || respond(Answered::refused(413, "The body is larger than 256 kB."));
    // An announced size is refused before a byte is read.
    let announced = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|length| length > MOST) {
        return too_large();
    }
    let Ok(body) = to_bytes(body, MOST).await else { return too_large() };
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let key = text(header::AUTHORIZATION.as_str()).and_then(|value| {
        let (scheme, key) = value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| key.trim().to_owned())
    });
    let asked = Asked {
        workspace,
        integration,
        id: text(STANDARD_ID),
        timestamp: text(STANDARD_TIMESTAMP),
        signature: text(STANDARD_SIGNATURE),
        key,
        body,
    };
    // In a task of its own: a sender who hangs up now stops nothing half-way.
    let answered = tokio::spawn(intake::answer(db, asked)).await.unwrap_or_else(|error| {
        tracing::error!(cause = %error, "an integration's answer broke");
        Answered::later()
    });
    respond(answered)
}

pub(super) fn respond(answered: Answered) -> Response {
    let status = StatusCode::from_u16(answered.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = (status, [(header::CACHE_CONTROL, "no-store")], Json(answered.body)).into_response();
    if [429, 503].contains(&answered.status) {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("60"));
    }
    response
}
