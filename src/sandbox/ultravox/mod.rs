//! The voice provider's HTTP surface.

mod account;
mod agents;
mod create;
mod list;
mod paging;
mod read;
pub(super) mod shapes;
mod usage;
mod webhooks;

use std::sync::Arc;

use axum::Router;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::json;

use super::gate::Provider;
use super::state::Sandbox;

pub(super) fn routes() -> Router<Arc<Sandbox>> {
    Router::new()
        .route("/agents", get(agents::list).post(agents::create))
        .route("/agents/{agent_id}", get(agents::get).patch(agents::update).delete(agents::delete))
        .route("/agents/{agent_id}/calls", get(list::list_of_agent).post(create::with_agent))
        .route("/calls", get(list::list).post(create::without_agent))
        .route("/calls/{call_id}", get(read::get).delete(read::delete))
        .route("/calls/{call_id}/messages", get(read::messages))
        .route("/calls/{call_id}/recording", get(read::recording))
        .route("/calls/{call_id}/expired", get(read::expired))
        .route("/calls/{call_id}/events", get(read::events))
        .route("/calls/{call_id}/stages", get(read::stages))
        .route("/calls/{call_id}/send_data_message", post(read::send_data_message))
        .route("/webhooks", get(webhooks::list).post(webhooks::create))
        .route(
            "/webhooks/{webhook_id}",
            get(webhooks::get).patch(webhooks::update).put(webhooks::update).delete(webhooks::delete),
        )
        .route(
            "/telephony_configs/{carrier}",
            get(account::get_telephony)
                .post(account::set_telephony)
                .patch(account::set_telephony)
                .delete(account::delete_telephony),
        )
        .route("/voices", get(account::voices))
        .route("/models", get(account::models))
        .route("/accounts/me", get(account::me))
        .route("/accounts/me/usage/calls", get(usage::calls))
        .fallback(not_found)
}

async fn not_found() -> Response {
    missing()
}

fn missing() -> Response {
    Provider::Ultravox.error(StatusCode::NOT_FOUND, "Not found.")
}

/// 400 with one complaint about one field.
fn invalid(field: &str, message: &str) -> Response {
    (StatusCode::BAD_REQUEST, axum::Json(json!({ field: [message] }))).into_response()
}

fn unreadable(message: &str) -> Response {
    Provider::Ultravox.error(StatusCode::BAD_REQUEST, message)
}
