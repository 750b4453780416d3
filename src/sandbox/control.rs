//! `/sandbox/…`: look into the sandbox and change how it behaves. Needs no key; the sandbox listens on loopback only.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use super::call::NewCall;
use super::conversation::{Role, Turn};
use super::gate::object;
use super::life;
use super::settings::SandboxSettings;
use super::state::Sandbox;
use super::telnyx::carrier;
use super::voice;
use patchbay_providers::signature::telnyx_public_key;

pub(super) fn routes() -> Router<Arc<Sandbox>> {
    Router::new()
        .route("/health", get(|| async { "ok" }))
        .route("/log", get(log).delete(clear_log))
        .route("/deliveries", get(deliveries))
        .route("/settings", get(settings).put(set_settings).patch(set_settings))
        .route("/inbound", post(inbound))
        .route("/telnyx/public-key", get(public_key))
        .route("/telnyx/webhook", put(set_carrier_url))
        .route("/voices/{file}", get(preview))
}

#[derive(Deserialize, Default)]
struct Narrow {
    key: Option<String>,
    /// Only the newest so many entries.
    limit: Option<usize>,
}

/// Every create request, oldest first, and figures per account.
async fn log(State(sandbox): State<Arc<Sandbox>>, Query(narrow): Query<Narrow>) -> Response {
    let mut requests = sandbox.call_log(narrow.key.as_deref());
    let placed = requests.iter().filter(|entry| entry.placed).count();
    let total = requests.len();
    requests.drain(..total.saturating_sub(narrow.limit.unwrap_or(usize::MAX)));
    Json(json!({"total": total, "placed": placed, "accounts": sandbox.gauges(), "requests": requests})).into_response()
}

/// Empties both logs and starts the greatest number of live calls anew.
async fn clear_log(State(sandbox): State<Arc<Sandbox>>) -> StatusCode {
    let mut state = sandbox.state();
    state.log.clear();
    state.deliveries.clear();
    for account in state.accounts.values_mut() {
        account.max_live = account.live;
        account.placed = 0;
    }
    StatusCode::NO_CONTENT
}

async fn deliveries(State(sandbox): State<Arc<Sandbox>>, Query(narrow): Query<Narrow>) -> Response {
    let state = sandbox.state();
    let fits = |key: &str| narrow.key.as_deref().is_none_or(|wanted| wanted == key);
    let mut entries: Vec<_> = state.deliveries.iter().filter(|entry| fits(&entry.key)).cloned().collect();
    drop(state);
    let total = entries.len();
    entries.drain(..total.saturating_sub(narrow.limit.unwrap_or(usize::MAX)));
    Json(json!({"total": total, "deliveries": entries})).into_response()
}

async fn settings(State(sandbox): State<Arc<Sandbox>>, Query(narrow): Query<Narrow>) -> Json<SandboxSettings> {
    Json((*sandbox.settings_for(narrow.key.as_deref().unwrap_or(""))).clone())
}

/// Lays the given members over the settings; with `?key=` for that account alone.
async fn set_settings(State(sandbox): State<Arc<Sandbox>>, Query(narrow): Query<Narrow>, body: Bytes) -> Response {
    let change = match object(&body) {
        Ok(change) => Value::Object(change),
        Err(message) => return refused(&message),
    };
    match sandbox.settings_for(narrow.key.as_deref().unwrap_or("")).with(&change) {
        Ok(changed) => {
            sandbox.set_settings(narrow.key.as_deref(), changed.clone());
            Json(changed).into_response()
        }
        Err(message) => refused(&message),
    }
}

#[derive(Deserialize)]
struct Inbound {
    /// Needed only when two accounts know the agent.
    key: Option<String>,
    agent_id: String,
    from: String,
    to: Option<String>,
    #[serde(default)]
    metadata: serde_json::Map<String, Value>,
}

/// Somebody rings an agent.
async fn inbound(State(sandbox): State<Arc<Sandbox>>, body: Bytes) -> Response {
    let asked: Inbound = match serde_json::from_slice(&body) {
        Ok(asked) => asked,
        Err(error) => return refused(&error.to_string()),
    };
    let found = {
        let state = sandbox.state();
        let mut accounts =
            state.accounts.iter().filter(|(key, _)| asked.key.as_ref().is_none_or(|wanted| wanted == *key));
        accounts.find_map(|(key, account)| Some((key.clone(), account.agents.get(&asked.agent_id)?.clone())))
    };
    let Some((key, agent)) = found else {
        return (StatusCode::NOT_FOUND, Json(json!({"error": "no account knows this agent"}))).into_response();
    };
    let to = asked.to.or_else(|| {
        sandbox
            .with_account(&key, |account| account.numbers.values().next()?["phone_number"].as_str().map(str::to_owned))
    });
    let request = json!({
        "metadata": asked.metadata,
        "medium": {"telnyx": {}},
        "requestContext": {"telnyx": {"from": asked.from, "to": to}},
        "firstSpeakerSettings": {"agent": {}},
    });
    let Value::Object(request) = request else {
        return refused("not an object");
    };
    let new = NewCall { agent: Some(agent), request, to, from: Some(asked.from), inbound: true };
    match life::place(&sandbox, &key, new) {
        Ok((_, shape)) => (StatusCode::CREATED, Json(shape)).into_response(),
        Err(()) => (StatusCode::TOO_MANY_REQUESTS, Json(json!({"error": "too many live calls"}))).into_response(),
    }
}

async fn public_key(State(sandbox): State<Arc<Sandbox>>, Query(narrow): Query<Narrow>) -> Response {
    let Some(key) = narrow.key else {
        return refused("key is missing");
    };
    let seed = carrier::signing_seed(&sandbox, &key);
    Json(json!({"key": key, "public_key": telnyx_public_key(&seed)})).into_response()
}

/// Where an account's carrier events go: `{"url": "http://…"}`, or null for nowhere.
async fn set_carrier_url(State(sandbox): State<Arc<Sandbox>>, Query(narrow): Query<Narrow>, body: Bytes) -> Response {
    let Some(key) = narrow.key else {
        return refused("key is missing");
    };
    let given = match object(&body) {
        Ok(given) => given,
        Err(message) => return refused(&message),
    };
    let url = given.get("url").and_then(Value::as_str).map(str::to_owned);
    sandbox.set_carrier_url(&key, url);
    StatusCode::NO_CONTENT.into_response()
}

/// How a voice sounds: the same sentence at its own pitch.
async fn preview(Path(file): Path<String>) -> Response {
    let text = "Hello, this is how I sound on the telephone.".to_owned();
    let turn = Turn { role: Role::Agent, text, tool: None, invocation: None, error: None, start: 0.1, end: 3.2 };
    ([(header::CONTENT_TYPE, "audio/wav")], voice::recording(&[turn], 3.4, &file)).into_response()
}

fn refused(message: &str) -> Response {
    (StatusCode::BAD_REQUEST, Json(json!({"error": message}))).into_response()
}
