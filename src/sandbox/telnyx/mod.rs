//! The carrier's HTTP surface: numbers, orders, and the legs of calls.

pub(super) mod applications;
pub(super) mod carrier;
pub(super) mod numbers;
mod orders;
mod transfer;

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Json, Router};
use serde_json::{Value, json};
use uuid::Uuid;

use super::call::Call;
use super::clock::iso;
use super::gate::{Key, Provider, object};
use super::rng::Rng;
use super::state::Sandbox;

pub(super) fn routes() -> Router<Arc<Sandbox>> {
    Router::new()
        .merge(applications::routes())
        .merge(transfer::routes())
        .route("/available_phone_numbers", get(numbers::available))
        .route("/number_orders", get(orders::list).post(orders::create))
        .route("/number_orders/{order_id}", get(orders::get))
        .route("/phone_numbers", get(numbers::list))
        .route("/phone_numbers/{id}", get(numbers::get).patch(numbers::update).delete(numbers::delete))
        .route("/phone_numbers/{id}/voice", axum::routing::patch(numbers::update))
        .route("/call_control_applications", get(connections).post(create_connection))
        .route("/call_control_applications/{id}", get(connection).patch(update_connection))
        .route("/calls/{call_control_id}", get(get_leg))
        .route("/calls/{call_control_id}/actions/hangup", post(hang_up))
        .fallback(|| async { missing() })
}

fn missing() -> Response {
    Provider::Telnyx.error(StatusCode::NOT_FOUND, "The requested resource or URL could not be found.")
}

fn unprocessable(message: &str) -> Response {
    Provider::Telnyx.error(StatusCode::UNPROCESSABLE_ENTITY, message)
}

fn one(status: StatusCode, data: Value) -> Response {
    (status, Json(json!({"data": data}))).into_response()
}

/// The ids a carrier gives to a call: control id, leg id, session id.
fn leg_ids(call: &Call) -> (String, Uuid, Uuid) {
    let mut rng = Rng::new(11, &call.id.to_string());
    (format!("v3:{}", call.id.simple()), rng.uuid(), rng.uuid())
}

/// Finds the call behind a control id, and the session of its leg. It may have been placed by a voice account that uses this carrier account.
fn find_leg(sandbox: &Sandbox, key: &str, control_id: &str) -> Option<(Call, Uuid)> {
    let placed: Option<Uuid> = control_id.strip_prefix("v3:").and_then(|id| id.parse().ok());
    let state = sandbox.state();
    state.accounts.iter().find_map(|(owner, account)| {
        let carrier = account.carrier_key.as_deref().unwrap_or(owner);
        if carrier != key {
            return None;
        }
        if let Some(id) = account.lines.get(control_id) {
            return Some((account.calls.get(id)?.clone(), transfer::session_of(control_id)));
        }
        let call = account.calls.get(&placed?)?.clone();
        let (_, _, session) = leg_ids(&call);
        Some((call, session))
    })
}

async fn get_leg(
    State(sandbox): State<Arc<Sandbox>>,
    Extension(Key(key)): Extension<Key>,
    Path(control_id): Path<String>,
) -> Response {
    if sandbox.with_account(&key, |account| account.second_legs.contains_key(&control_id)) {
        return one(StatusCode::OK, json!({"record_type": "call", "call_control_id": control_id, "is_alive": true}));
    }
    let Some((call, session)) = find_leg(&sandbox, &key, &control_id) else {
        return missing();
    };
    let (_, leg, _) = leg_ids(&call);
    let control = control_id;
    let end = call.ended.unwrap_or_else(|| call.clock.elapsed());
    let data = json!({
        "record_type": "call",
        "call_control_id": control,
        "call_leg_id": leg,
        "call_session_id": session,
        "client_state": carrier::client_state(&call),
        "is_alive": call.ended.is_none(),
        "call_duration": call.joined.map_or(0, |joined| (end - joined).max(0.0) as u64),
        "start_time": iso(call.clock.at(0.0)),
        "end_time": call.ended.map(|ended| iso(call.clock.at(ended))),
    });
    one(StatusCode::OK, data)
}

async fn hang_up(
    State(sandbox): State<Arc<Sandbox>>,
    Extension(Key(key)): Extension<Key>,
    Path(control_id): Path<String>,
    body: Bytes,
) -> Response {
    if let Err(message) = object(&body) {
        return Provider::Telnyx.error(StatusCode::BAD_REQUEST, &message);
    }
    if let Some(second) = sandbox.with_account(&key, |account| account.second_legs.get(&control_id).cloned()) {
        second.cancel();
        return one(StatusCode::OK, json!({"result": "ok"}));
    }
    let Some((call, _)) = find_leg(&sandbox, &key, &control_id) else {
        return missing();
    };
    if call.ended.is_some() {
        return unprocessable("This call is no longer active and can't receive commands.");
    }
    call.cut.cancel();
    one(StatusCode::OK, json!({"result": "ok"}))
}

async fn connections(State(sandbox): State<Arc<Sandbox>>, Extension(Key(key)): Extension<Key>) -> Response {
    let all: Vec<Value> = sandbox.with_account(&key, |account| {
        account.connections.values().filter(|held| held["record_type"] != applications::KIND).cloned().collect()
    });
    let meta = json!({"page_number": 1, "total_pages": 1, "page_size": all.len(), "total_results": all.len()});
    Json(json!({"data": all, "meta": meta})).into_response()
}

/// An application's `webhook_event_url` is where the account's call events go from then on.
async fn create_connection(
    State(sandbox): State<Arc<Sandbox>>,
    Extension(Key(key)): Extension<Key>,
    body: Bytes,
) -> Response {
    let mut given = match object(&body) {
        Ok(given) => given,
        Err(message) => return Provider::Telnyx.error(StatusCode::BAD_REQUEST, &message),
    };
    let id = (2_800_000_000_000_000_000_u64 + sandbox.rng("connection").roll() % 99_999_999_999_999_999).to_string();
    given.insert("id".to_owned(), json!(id));
    given.insert("record_type".to_owned(), json!("call_control_application"));
    given.insert("active".to_owned(), json!(true));
    save_connection(&sandbox, &key, id, Value::Object(given), StatusCode::CREATED)
}

async fn connection(
    State(sandbox): State<Arc<Sandbox>>,
    Extension(Key(key)): Extension<Key>,
    Path(id): Path<String>,
) -> Response {
    let found = sandbox.with_account(&key, |account| {
        account.connections.get(&id).filter(|held| held["record_type"] != applications::KIND).cloned()
    });
    found.map_or_else(missing, |connection| one(StatusCode::OK, connection))
}

async fn update_connection(
    State(sandbox): State<Arc<Sandbox>>,
    Extension(Key(key)): Extension<Key>,
    Path(id): Path<String>,
    body: Bytes,
) -> Response {
    let given = match object(&body) {
        Ok(given) => given,
        Err(message) => return Provider::Telnyx.error(StatusCode::BAD_REQUEST, &message),
    };
    let Some(mut connection) = sandbox.with_account(&key, |account| account.connections.get(&id).cloned()) else {
        return missing();
    };
    for (name, value) in given.into_iter().filter(|(name, _)| name != "id") {
        connection[name.as_str()] = value;
    }
    save_connection(&sandbox, &key, id, connection, StatusCode::OK)
}

fn save_connection(sandbox: &Sandbox, key: &str, id: String, connection: Value, status: StatusCode) -> Response {
    sandbox.with_account(key, |account| {
        if let Some(url) = connection["webhook_event_url"].as_str() {
            account.carrier_url = Some(url.to_owned());
        }
        account.connections.insert(id, connection.clone());
    });
    sandbox.keep();
    one(status, connection)
}
