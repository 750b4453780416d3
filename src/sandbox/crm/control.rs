//! `/sandbox/crm/{hubspot|zoho}/{account}`: what an account has (GET), and what is done to it (POST `…/{what}`): `change`, `add`, `remove`,
//! `erase`, `merge`, `tell` (HubSpot: its webhooks), `revoke`, `expire`, `faults`.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};

use super::book::{CrmBook, CrmEntry, CrmFaults, Object};
use super::{CrmKind, tokens};
use crate::state::Sandbox;

pub(crate) fn routes() -> Router<Arc<Sandbox>> {
    Router::new().route("/crm/{kind}/{account}", get(shown)).route("/crm/{kind}/{account}/{what}", post(done))
}

fn refused(message: &str) -> Response {
    (StatusCode::BAD_REQUEST, Json(json!({"error": message}))).into_response()
}

async fn shown(State(sandbox): State<Arc<Sandbox>>, Path((kind, account)): Path<(String, String)>) -> Response {
    let Some(kind) = CrmKind::of(&kind).filter(|_| tokens::is_account(&account)) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let entries = |all: Vec<CrmEntry>| -> Vec<Value> {
        let entry = |one: CrmEntry| json!({"id": one.id, "properties": one.properties, "contacts": one.contacts});
        all.into_iter().map(entry).collect()
    };
    let document = sandbox.crm_book(kind, &account, |book| {
        json!({
            "refreshes": book.refreshes,
            "revocations": book.revocations,
            "requests": book.requests,
            "faults": book.faults,
            "contacts": entries(book.contacts()),
            "deals": entries(book.deals()),
            "calls": entries(book.calls()),
            "tasks": entries(book.tasks()),
        })
    });
    Json(document).into_response()
}

async fn done(
    State(sandbox): State<Arc<Sandbox>>,
    Path((kind, account, what)): Path<(String, String, String)>,
    body: Bytes,
) -> Response {
    let Some(kind) = CrmKind::of(&kind).filter(|_| tokens::is_account(&account)) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    if what == "tell" && kind == CrmKind::Hubspot {
        return super::telling::tell(sandbox, account, body).await;
    }
    let given = super::document(&body);
    sandbox.crm_book(kind, &account, |book| act(book, &what, &given))
}

fn act(book: &mut CrmBook, what: &str, given: &Value) -> Response {
    let text = |name: &str| match &given[name] {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => String::new(),
    };
    let values: BTreeMap<String, String> = given["properties"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, value)| (name.clone(), value.as_str().map_or_else(|| value.to_string(), str::to_owned)))
        .collect();
    match what {
        "change" => match text("id").parse() {
            Ok(id) => book.set(id, &values),
            Err(_) => return refused("id is none"),
        },
        "add" => {
            let id = book.insert(Object::Contact, values, Vec::new());
            return (StatusCode::CREATED, Json(json!({"id": id.to_string()}))).into_response();
        }
        "remove" => book.remove(&text("id")),
        "erase" => book.erase(&text("id")),
        "merge" => book.merge(&text("winner"), &text("loser")),
        "revoke" => book.revoke(),
        "expire" => book.expire(),
        "faults" => match serde_json::from_value::<CrmFaults>(given.clone()) {
            Ok(faults) => book.faults = faults,
            Err(error) => return refused(&error.to_string()),
        },
        _ => return StatusCode::NOT_FOUND.into_response(),
    }
    StatusCode::NO_CONTENT.into_response()
}
