//! Agents: create, read, change, delete.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{OriginalUri, Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use chrono::Utc;
use serde_json::{Value, json};
use uuid::Uuid;

use super::paging::{Params, page, param};
use super::{invalid, missing, unreadable};
use crate::clock::iso;
use crate::gate::{Key, no_content, object};
use crate::state::{Account, Sandbox};

const LONGEST_NAME: usize = 64;

pub(super) async fn list(
    State(sandbox): State<Arc<Sandbox>>,
    Extension(Key(key)): Extension<Key>,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
    params: Params,
) -> Response {
    let search = param(&params, "search").map(str::to_lowercase);
    let mut agents = sandbox.with_account(&key, |account| {
        let all = account.agents.values().map(|agent| shape(account, agent));
        all.filter(|agent| {
            let name = agent["name"].as_str().unwrap_or("").to_lowercase();
            search.as_ref().is_none_or(|search| name.contains(search))
        })
        .collect::<Vec<_>>()
    });
    agents.sort_by_key(|agent| agent["created"].as_str().unwrap_or("").to_owned());
    if param(&params, "sort") == Some("-created") {
        agents.reverse();
    }
    Json(page(agents, &params, &uri, &headers)).into_response()
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
    let name = given.get("name").and_then(Value::as_str).unwrap_or("").to_owned();
    if let Some(refusal) = name_refused(&name) {
        return refusal;
    }
    let template = given.get("callTemplate").cloned().unwrap_or_else(|| json!({}));
    if !template.is_object() {
        return invalid("callTemplate", "Invalid data. Expected a dictionary.");
    }
    let id = Uuid::new_v4().to_string();
    let agent = json!({
        "agentId": id,
        "publishedRevisionId": Uuid::new_v4(),
        "name": name,
        "created": iso(Utc::now()),
        "callTemplate": template,
    });
    let shape = sandbox.with_account(&key, |account| {
        account.agents.insert(id, Arc::new(agent.clone()));
        shape(account, &agent)
    });
    sandbox.keep();
    (StatusCode::CREATED, Json(shape)).into_response()
}

pub(super) async fn get(
    State(sandbox): State<Arc<Sandbox>>,
    Extension(Key(key)): Extension<Key>,
    Path(id): Path<String>,
) -> Response {
    let found = sandbox.with_account(&key, |account| account.agents.get(&id).map(|agent| shape(account, agent)));
    found.map_or_else(missing, |agent| Json(agent).into_response())
}

/// Members of the template that are given replace the old ones; the others stay.
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
    let name = given.get("name").and_then(Value::as_str);
    if let Some(refusal) = name.and_then(name_refused) {
        return refusal;
    }
    let changed = sandbox.with_account(&key, |account| {
        let mut agent = (**account.agents.get(&id)?).clone();
        if let Some(name) = name {
            agent["name"] = json!(name);
        }
        for (member, value) in given.get("callTemplate").and_then(Value::as_object).into_iter().flatten() {
            agent["callTemplate"][member.as_str()] = value.clone();
        }
        agent["publishedRevisionId"] = json!(Uuid::new_v4());
        let out = shape(account, &agent);
        account.agents.insert(id.clone(), Arc::new(agent));
        Some(out)
    });
    sandbox.keep();
    changed.map_or_else(missing, |agent| Json(agent).into_response())
}

impl Sandbox {
    /// Somebody changes an agent in the service's own pages. False: there is none.
    pub fn change_agent(&self, key: &str, id: &str, template: Value) -> bool {
        let found = self.with_account(key, |account| {
            let Some(agent) = account.agents.get(id) else { return false };
            let mut agent = (**agent).clone();
            for (member, value) in template.as_object().into_iter().flatten() {
                agent["callTemplate"][member.as_str()] = value.clone();
            }
            account.agents.insert(id.to_owned(), Arc::new(agent));
            true
        });
        self.keep();
        found
    }

    /// Somebody makes an agent in the service's own pages. Gives its id.
    pub fn add_agent(&self, key: &str, name: &str, template: Value) -> String {
        let id = Uuid::new_v4().to_string();
        let agent = json!({"agentId": id, "publishedRevisionId": Uuid::new_v4(), "name": name, "created": iso(Utc::now()), "callTemplate": template});
        self.with_account(key, |account| account.agents.insert(id.clone(), Arc::new(agent)));
        self.keep();
        id
    }
}

pub(super) async fn delete(
    State(sandbox): State<Arc<Sandbox>>,
    Extension(Key(key)): Extension<Key>,
    Path(id): Path<String>,
) -> Response {
    let found = sandbox.with_account(&key, |account| account.agents.remove(&id).is_some());
    sandbox.keep();
    if found { no_content() } else { missing() }
}

fn name_refused(name: &str) -> Option<Response> {
    if name.trim().is_empty() {
        return Some(invalid("name", "This field is required."));
    }
    (name.chars().count() > LONGEST_NAME).then(|| invalid("name", "Ensure this field has no more than 64 characters."))
}

fn shape(account: &Account, agent: &Value) -> Value {
    let id = agent["agentId"].as_str().unwrap_or("");
    let calls = account.calls_of_agent.get(id).copied().unwrap_or(0) + account.past.count_of(id);
    let mut out = agent.clone();
    out["statistics"] = json!({"calls": calls});
    out
}
