//! Records are made and changed. A value that is wrong refuses the whole request; an id that there is none of, only itself.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde_json::{Map, Value, json};

use super::{KIND, invalid, missing, object_of, shapes};
use crate::crm::book::{CrmBook, Object, Record};
use crate::crm::sign_in::Params;
use crate::crm::{CrmAccount, document};
use crate::state::Sandbox;

pub(super) fn by_email<'a>(book: &'a CrmBook, email: &str) -> Option<&'a Record> {
    book.of(Object::Contact).find(|one| one.properties.get("email").is_some_and(|own| own.eq_ignore_ascii_case(email)))
}

fn given(document: &Value) -> Map<String, Value> {
    document["properties"].as_object().cloned().unwrap_or_default()
}

fn texts(values: &Map<String, Value>) -> BTreeMap<String, String> {
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    };
    values.iter().map(|(name, value)| (name.clone(), text(value))).collect()
}

/// The answer to values that are wrong: HubSpot writes the list of them into the message.
fn not_valid(fault: &Value) -> Response {
    invalid(&format!("Property values were not valid: [{fault}]"))
}

fn taken(book: &CrmBook, values: &BTreeMap<String, String>, but: Option<u64>) -> Option<Response> {
    let known = by_email(book, values.get("email").filter(|email| !email.is_empty())?)?;
    if Some(known.id) == but {
        return None;
    }
    let said = format!("Contact already exists. Existing ID: {}", known.id);
    Some(KIND.error(StatusCode::CONFLICT, "CONFLICT", &said))
}

pub(super) async fn create(
    State(sandbox): State<Arc<Sandbox>>,
    Extension(CrmAccount(account)): Extension<CrmAccount>,
    Path(kind): Path<String>,
    body: Bytes,
) -> Response {
    let Some(object) = object_of(&kind) else { return missing("Unable to infer object type") };
    let asked = document(&body);
    let values = given(&asked);
    if let Some(fault) = shapes::wrong(object, &values) {
        return not_valid(&fault);
    }
    if !matches!(object, Object::Contact | Object::Deal) && !values.contains_key("hs_timestamp") {
        return invalid("Required properties were missing: [hs_timestamp]");
    }
    let values = texts(&values);
    sandbox.crm_book(KIND, &account, |book| {
        if let Some(refused) = taken(book, &values, None) {
            return refused;
        }
        let mut links = Vec::new();
        for to in asked["associations"].as_array().into_iter().flatten() {
            let id = to["to"]["id"].as_str().map_or_else(|| to["to"]["id"].to_string(), str::to_owned);
            match book.find(Object::Contact, &id) {
                Some(contact) => links.push(contact.id),
                None => {
                    return invalid(&format!("One or more associations are not valid: contact {id} does not exist"));
                }
            }
        }
        let id = book.insert(object, values, links);
        let shape = book.records.get(&id).map(|record| shapes::record(book, record, &[], false));
        (StatusCode::CREATED, Json(shape)).into_response()
    })
}

pub(super) async fn update(
    State(sandbox): State<Arc<Sandbox>>,
    Extension(CrmAccount(account)): Extension<CrmAccount>,
    Path((kind, id)): Path<(String, String)>,
    Query(_): Query<Params>,
    body: Bytes,
) -> Response {
    let Some(object) = object_of(&kind) else { return missing("Unable to infer object type") };
    let values = given(&document(&body));
    sandbox.crm_book(KIND, &account, |book| {
        let Some(id) = book.find(object, &id).map(|record| record.id) else { return missing("resource not found") };
        if let Some(fault) = shapes::wrong(object, &values) {
            return not_valid(&fault);
        }
        let values = texts(&values);
        if let Some(refused) = taken(book, &values, Some(id)) {
            return refused;
        }
        book.set(id, &values);
        match book.records.get(&id) {
            Some(record) => Json(shapes::record(book, record, &[], false)).into_response(),
            None => missing("resource not found"),
        }
    })
}

pub(super) async fn update_batch(
    State(sandbox): State<Arc<Sandbox>>,
    Extension(CrmAccount(account)): Extension<CrmAccount>,
    Path(kind): Path<String>,
    body: Bytes,
) -> Response {
    let Some(object) = object_of(&kind) else { return missing("Unable to infer object type") };
    let asked = document(&body);
    let inputs = asked["inputs"].as_array().cloned().unwrap_or_default();
    if inputs.is_empty() || inputs.len() > 100 {
        return invalid("The batch must have between 1 and 100 inputs");
    }
    if let Some(fault) = inputs.iter().find_map(|one| shapes::wrong(object, &given(one))) {
        return not_valid(&fault);
    }
    let ids: Vec<&str> = inputs.iter().filter_map(|one| one["id"].as_str()).collect();
    if (1..ids.len()).any(|at| ids[..at].contains(&ids[at])) {
        return invalid("Duplicate IDs found in batch input");
    }
    sandbox.crm_book(KIND, &account, |book| {
        let (mut results, mut lost) = (Vec::new(), Vec::new());
        for one in &inputs {
            let asked = one["id"].as_str().unwrap_or_default();
            let Some(id) = book.find(object, asked).map(|record| record.id) else {
                lost.push(asked.to_owned());
                continue;
            };
            book.set(id, &texts(&given(one)));
            results.extend(book.records.get(&id).map(|record| shapes::record(book, record, &[], false)));
        }
        let now = shapes::iso(book.now());
        let mut answer = json!({"status": "COMPLETE", "startedAt": now, "completedAt": now, "results": results});
        if lost.is_empty() {
            return Json(answer).into_response();
        }
        answer["numErrors"] = json!(1);
        answer["errors"] = json!([{
            "status": "error",
            "category": "OBJECT_NOT_FOUND",
            "message": "Could not get some CONTACT objects, they may be deleted or not exist. Check that ids are valid.",
            "context": {"ids": lost},
        }]);
        (StatusCode::MULTI_STATUS, Json(answer)).into_response()
    })
}
