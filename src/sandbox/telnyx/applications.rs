//! Applications that are told in XML what to do with a call, and what an account says of itself.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;
use axum::{Extension, Router};
use chrono::Utc;
use serde_json::{Value, json};

use super::numbers::{Params, listing};
use super::{missing, one, unprocessable};
use crate::clock::iso;
use crate::gate::{Key, Provider, object};
use crate::rng::Rng;
use crate::state::Sandbox;

/// The word by which an application is told from other connections of an account.
pub(crate) const KIND: &str = "texml_application";

pub(super) fn routes() -> Router<Arc<Sandbox>> {
    Router::new()
        .route("/whoami", get(whoami))
        .route("/outbound_voice_profiles", get(profiles))
        .route("/texml_applications", get(list).post(create))
        .route("/texml_applications/{id}", get(read).patch(update).delete(delete))
}

async fn whoami(Extension(Key(key)): Extension<Key>) -> Response {
    let id = Rng::new(17, &key).uuid();
    one(StatusCode::OK, json!({"user_id": id, "organization_id": id, "user_email": "sandbox@example.test"}))
}

async fn profiles(Extension(Key(key)): Extension<Key>, Query(params): Params) -> Response {
    let id = (1_293_384_261_075_000_000_u64 + Rng::new(19, &key).roll() % 999_999_999).to_string();
    let profile = json!({"record_type": "outbound_voice_profile", "id": id, "name": "Default", "enabled": true,
        "created_at": "2026-01-05T08:00:00Z"});
    listing(vec![profile], &params, "created_at")
}

async fn list(
    State(sandbox): State<Arc<Sandbox>>,
    Extension(Key(key)): Extension<Key>,
    Query(params): Params,
) -> Response {
    let all = sandbox.with_account(&key, |account| {
        account.connections.values().filter(|held| held["record_type"] == KIND).cloned().collect()
    });
    listing(all, &params, "created_at")
}

async fn create(State(sandbox): State<Arc<Sandbox>>, Extension(Key(key)): Extension<Key>, body: Bytes) -> Response {
    let mut given = match object(&body) {
        Ok(given) => given,
        Err(message) => return Provider::Telnyx.error(StatusCode::BAD_REQUEST, &message),
    };
    for name in ["friendly_name", "voice_url"] {
        if given.get(name).and_then(Value::as_str).is_none_or(str::is_empty) {
            return unprocessable(&format!("{name} is required."));
        }
    }
    let id = (2_900_000_000_000_000_000_u64 + sandbox.rng("application").roll() % 99_999_999_999_999_999).to_string();
    given.insert("id".to_owned(), json!(id));
    given.insert("record_type".to_owned(), json!(KIND));
    given.insert("active".to_owned(), json!(true));
    given.insert("created_at".to_owned(), json!(iso(Utc::now())));
    let made = Value::Object(given);
    sandbox.with_account(&key, |account| account.connections.insert(id, made.clone()));
    sandbox.keep();
    one(StatusCode::CREATED, made)
}

fn found(sandbox: &Sandbox, key: &str, id: &str) -> Option<Value> {
    sandbox.with_account(key, |account| account.connections.get(id).filter(|held| held["record_type"] == KIND).cloned())
}

async fn read(
    State(sandbox): State<Arc<Sandbox>>,
    Extension(Key(key)): Extension<Key>,
    Path(id): Path<String>,
) -> Response {
    found(&sandbox, &key, &id).map_or_else(missing, |held| one(StatusCode::OK, held))
}

async fn update(
    State(sandbox): State<Arc<Sandbox>>,
    Extension(Key(key)): Extension<Key>,
    Path(id): Path<String>,
    body: Bytes,
) -> Response {
    let given = match object(&body) {
        Ok(given) => given,
        Err(message) => return Provider::Telnyx.error(StatusCode::BAD_REQUEST, &message),
    };
    let Some(mut held) = found(&sandbox, &key, &id) else { return missing() };
    for (name, value) in given.into_iter().filter(|(name, _)| !["id", "record_type"].contains(&name.as_str())) {
        held[name.as_str()] = value;
    }
    sandbox.with_account(&key, |account| account.connections.insert(id, held.clone()));
    sandbox.keep();
    one(StatusCode::OK, held)
}

async fn delete(
    State(sandbox): State<Arc<Sandbox>>,
    Extension(Key(key)): Extension<Key>,
    Path(id): Path<String>,
) -> Response {
    let Some(held) = found(&sandbox, &key, &id) else { return missing() };
    sandbox.with_account(&key, |account| account.connections.remove(&id));
    sandbox.keep();
    one(StatusCode::OK, held)
}
