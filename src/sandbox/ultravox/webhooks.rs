//! Webhooks: register, read, change, delete.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{OriginalUri, Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use chrono::Utc;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::paging::{Params, page, param};
use super::{invalid, missing, unreadable};
use crate::clock::iso;
use crate::gate::{Key, no_content, object};
use crate::state::Sandbox;

const EVENTS: [&str; 4] = ["call.started", "call.joined", "call.ended", "call.billed"];
pub(super) async fn list(
    State(sandbox): State<Arc<Sandbox>>,
    Extension(Key(key)): Extension<Key>,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
    params: Params,
) -> Response {
    let agent = param(&params, "agentId");
    let all = sandbox.with_account(&key, |account| {
        let fits = |hook: &&Value| agent.is_none_or(|agent| hook["agentId"] == agent);
        account.webhooks.values().filter(fits).cloned().collect()
    });
    Json(page(all, &params, &uri, &headers)).into_response()
}

pub(super) async fn create(
    State(sandbox): State<Arc<Sandbox>>,
    Extension(Key(key)): Extension<Key>,
    body: Bytes,
) -> Response {
    let given = match object(&body) {
        Ok(given) => given,
        Err(message) => return unreadable(&message),
    };
    if let Some(refusal) = hook_refused(&given, true) {
        return refusal;
    }
    let id = Uuid::new_v4().to_string();
    let secrets = given.get("secrets").filter(|list| list.as_array().is_some_and(|list| !list.is_empty()));
    let hook = json!({
        "webhookId": id,
        "agentId": given.get("agentId"),
        "created": iso(Utc::now()),
        "url": given["url"],
        "secrets": secrets.cloned().unwrap_or_else(|| json!([Uuid::new_v4().simple().to_string()])),
        "events": given["events"],
        "status": "normal",
        "lastStatusChange": null,
        "recentFailures": [],
    });
    sandbox.with_account(&key, |account| account.webhooks.insert(id, hook.clone()));
    sandbox.keep();
    (StatusCode::CREATED, Json(hook)).into_response()
}

pub(super) async fn get(
    State(sandbox): State<Arc<Sandbox>>,
    Extension(Key(key)): Extension<Key>,
    Path(id): Path<String>,
) -> Response {
    let found = sandbox.with_account(&key, |account| account.webhooks.get(&id).cloned());
    found.map_or_else(missing, |hook| Json(hook).into_response())
}

pub(super) async fn update(
    State(sandbox): State<Arc<Sandbox>>,
    Extension(Key(key)): Extension<Key>,
    Path(id): Path<String>,
    body: Bytes,
) -> Response {
    let given = match object(&body) {
        Ok(given) => given,
        Err(message) => return unreadable(&message),
    };
    if let Some(refusal) = hook_refused(&given, false) {
        return refusal;
    }
    let changed = sandbox.with_account(&key, |account| {
        let hook = account.webhooks.get_mut(&id)?;
        for name in ["agentId", "url", "secrets", "events"] {
            if let Some(value) = given.get(name) {
                hook[name] = value.clone();
            }
        }
        Some(hook.clone())
    });
    sandbox.keep();
    changed.map_or_else(missing, |hook| Json(hook).into_response())
}

pub(super) async fn delete(
    State(sandbox): State<Arc<Sandbox>>,
    Extension(Key(key)): Extension<Key>,
    Path(id): Path<String>,
) -> Response {
    let found = sandbox.with_account(&key, |account| account.webhooks.remove(&id).is_some());
    sandbox.keep();
    if found { no_content() } else { missing() }
}

fn hook_refused(given: &Map<String, Value>, whole: bool) -> Option<Response> {
    let url = given.get("url").and_then(Value::as_str);
    if (whole && url.is_none()) || url.is_some_and(|url| url.len() > 200 || !url.starts_with("http")) {
        return Some(invalid("url", "Enter a valid URL of at most 200 characters."));
    }
    let events = given.get("events").and_then(Value::as_array);
    let known = |event: &Value| event.as_str().is_some_and(|event| EVENTS.contains(&event));
    if (whole && events.is_none()) || events.is_some_and(|events| events.is_empty() || !events.iter().all(known)) {
        return Some(invalid("events", "Give at least one known event."));
    }
    None
}
