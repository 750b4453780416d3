//! `/telnyx/v2/messages` and what belongs to it.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Json, Router};
use chrono::Utc;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Taken, Text, take};
use crate::clock::iso;
use crate::delivery::{Delivery, Signature, send};
use crate::gate::{Key, Provider, object};
use crate::state::Sandbox;
use crate::telnyx::carrier::signing_seed;

pub(crate) fn routes() -> Router<Arc<Sandbox>> {
    Router::new()
        .route("/messages", post(create))
        .route("/messages/{id}", get(read))
        .route("/messaging_profiles", get(profiles).post(make_profile))
        .route("/messaging_profiles/{id}", get(profile).patch(change_profile))
        .route("/phone_numbers/{id}/messaging", get(number).patch(change_number))
}

fn data(status: StatusCode, data: Value) -> Response {
    (status, Json(json!({"data": data}))).into_response()
}

fn missing() -> Response {
    Provider::Telnyx.error(StatusCode::NOT_FOUND, "The requested resource or URL could not be found.")
}

/// The code of 400 and 422 is not the usual one here.
fn refused(code: &str, title: &str) -> Response {
    let error = json!({"errors": [{"code": code, "title": title, "detail": title, "meta": {}}]});
    (StatusCode::UNPROCESSABLE_ENTITY, Json(error)).into_response()
}

async fn create(State(sandbox): State<Arc<Sandbox>>, Extension(Key(key)): Extension<Key>, body: Bytes) -> Response {
    let given = match object(&body) {
        Ok(given) => given,
        Err(message) => return Provider::Telnyx.error(StatusCode::BAD_REQUEST, &message),
    };
    let text = |name: &str| given.get(name).and_then(Value::as_str).unwrap_or_default();
    let is_ours = sandbox
        .with_account(&key, |account| account.numbers.values().any(|number| number["phone_number"] == text("from")));
    if !is_ours {
        return refused("40305", "Invalid 'from' address");
    }
    if text("text").is_empty() || !text("to").starts_with('+') {
        return refused("40310", "Invalid 'to' address");
    }
    let url = given.get("webhook_url").and_then(Value::as_str).map(str::to_owned);
    match take(&sandbox, "telnyx", &key, text("from"), text("to"), text("text"), url) {
        Taken::Yes(text) => data(StatusCode::OK, shape(&text)),
        Taken::Stopped => refused("40300", "Blocked due to STOP message"),
        Taken::Lost | Taken::Broken => Provider::Telnyx.error(StatusCode::INTERNAL_SERVER_ERROR, "Internal error."),
    }
}

async fn read(
    State(sandbox): State<Arc<Sandbox>>,
    Extension(Key(key)): Extension<Key>,
    Path(id): Path<String>,
) -> Response {
    let found = sandbox.texts(&key).into_iter().find(|text| text.id == id);
    found.map_or_else(missing, |text| data(StatusCode::OK, shape(&text)))
}

fn shape(text: &Text) -> Value {
    let status = match text.state {
        "failed" => "delivery_failed",
        "received" => "webhook_delivered",
        other => other,
    };
    let errors = match text.state {
        "failed" => {
            json!([{"code": "40008", "title": "Undeliverable", "detail": "The recipient's carrier could not deliver the message."}])
        }
        _ => json!([]),
    };
    let stop = (text.state == "received" && text.body.trim().eq_ignore_ascii_case("stop")).then_some("STOP");
    json!({
        "record_type": "message", "id": text.id, "type": "SMS", "direction": if text.state == "received" { "inbound" } else { "outbound" },
        "from": {"phone_number": text.from, "carrier": "Sandbox", "line_type": "Wireless"},
        "to": [{"phone_number": text.to, "status": status, "carrier": "Sandbox", "line_type": "Wireless"}],
        "text": text.body, "parts": text.parts(), "encoding": "GSM-7", "media": [], "errors": errors,
        "cost": (text.state == "delivered").then(|| json!({"amount": text.cost(), "currency": "USD"})),
        "autoresponse_type": stop, "received_at": iso(text.at),
    })
}

pub(super) fn tell(sandbox: &Arc<Sandbox>, key: &str, text: &Text) {
    let Some(url) = text.status_url.clone() else { return };
    let event = match text.state {
        "received" => "message.received",
        "sent" => "message.sent",
        _ => "message.finalized",
    };
    let id = Uuid::new_v4().to_string();
    let body = json!({"data": {
        "record_type": "event", "event_type": event, "id": id, "occurred_at": iso(Utc::now()), "payload": shape(text),
    }});
    let signature = Signature::Telnyx(signing_seed(sandbox, key));
    let event = event.to_owned();
    send(sandbox, Delivery { key: key.to_owned(), url, event, event_id: id, body, signature, webhook_id: None });
}

fn profile_shape(id: &str, (name, url): &(String, String)) -> Value {
    json!({"record_type": "messaging_profile", "id": id, "name": name, "webhook_url": url, "webhook_api_version": "2", "enabled": true})
}

async fn profiles(State(sandbox): State<Arc<Sandbox>>, Extension(Key(key)): Extension<Key>) -> Response {
    let all: Vec<Value> = sandbox.with_account(&key, |account| {
        account.texts.profiles.iter().map(|(id, profile)| profile_shape(id, profile)).collect()
    });
    let meta = json!({"page_number": 1, "total_pages": 1, "page_size": 20, "total_results": all.len()});
    Json(json!({"data": all, "meta": meta})).into_response()
}

async fn make_profile(
    State(sandbox): State<Arc<Sandbox>>,
    Extension(Key(key)): Extension<Key>,
    body: Bytes,
) -> Response {
    let given = object(&body).unwrap_or_default();
    let text = |name: &str| given.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    if text("name").is_empty() || given.get("whitelisted_destinations").is_none() {
        return refused("10015", "name and whitelisted_destinations are required");
    }
    let (id, made) = (Uuid::new_v4().to_string(), (text("name"), text("webhook_url")));
    let shown = profile_shape(&id, &made);
    sandbox.with_account(&key, |account| account.texts.profiles.insert(id, made));
    data(StatusCode::OK, shown)
}

async fn profile(
    State(sandbox): State<Arc<Sandbox>>,
    Extension(Key(key)): Extension<Key>,
    Path(id): Path<String>,
) -> Response {
    let found = sandbox
        .with_account(&key, |account| account.texts.profiles.get(&id).map(|profile| profile_shape(&id, profile)));
    found.map_or_else(missing, |shown| data(StatusCode::OK, shown))
}

async fn change_profile(
    State(sandbox): State<Arc<Sandbox>>,
    Extension(Key(key)): Extension<Key>,
    Path(id): Path<String>,
    body: Bytes,
) -> Response {
    let given = object(&body).unwrap_or_default();
    let url = given.get("webhook_url").and_then(Value::as_str).unwrap_or_default().to_owned();
    let found = sandbox.with_account(&key, |account| {
        let profile = account.texts.profiles.get_mut(&id)?;
        profile.1 = url;
        Some(profile_shape(&id, profile))
    });
    found.map_or_else(missing, |shown| data(StatusCode::OK, shown))
}

fn number_of(sandbox: &Sandbox, key: &str, id: &str) -> Option<String> {
    sandbox.with_account(key, |account| account.numbers.get(id)?["phone_number"].as_str().map(str::to_owned))
}

async fn number(
    State(sandbox): State<Arc<Sandbox>>,
    Extension(Key(key)): Extension<Key>,
    Path(id): Path<String>,
) -> Response {
    let Some(number) = number_of(&sandbox, &key, &id) else { return missing() };
    let profile = sandbox.with_account(&key, |account| account.texts.profile_of.get(&number).cloned());
    data(StatusCode::OK, json!({"id": id, "phone_number": number, "messaging_profile_id": profile}))
}

async fn change_number(
    State(sandbox): State<Arc<Sandbox>>,
    Extension(Key(key)): Extension<Key>,
    Path(id): Path<String>,
    body: Bytes,
) -> Response {
    let given = object(&body).unwrap_or_default();
    let profile = given.get("messaging_profile_id").and_then(Value::as_str).unwrap_or_default().to_owned();
    let Some(number) = number_of(&sandbox, &key, &id) else { return missing() };
    let is_known = sandbox.with_account(&key, |account| account.texts.profiles.contains_key(&profile));
    if !is_known {
        return refused("10015", "There is no such messaging profile");
    }
    sandbox.with_account(&key, |account| account.texts.profile_of.insert(number.clone(), profile.clone()));
    data(StatusCode::OK, json!({"id": id, "phone_number": number, "messaging_profile_id": profile}))
}
