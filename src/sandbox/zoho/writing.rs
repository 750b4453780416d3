//! Records are made and changed: each row has a fate of its own.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde_json::{Value, json};

use super::{KIND, invalid, object_of, shapes};
use crate::crm::book::{CrmBook, Object};
use crate::crm::{CrmAccount, document};
use crate::state::Sandbox;

pub(super) async fn create(
    State(sandbox): State<Arc<Sandbox>>,
    Extension(CrmAccount(account)): Extension<CrmAccount>,
    Path(module): Path<String>,
    body: Bytes,
) -> Response {
    rows(&sandbox, &account, &module, &body, insert)
}

pub(super) async fn update(
    State(sandbox): State<Arc<Sandbox>>,
    Extension(CrmAccount(account)): Extension<CrmAccount>,
    Path(module): Path<String>,
    body: Bytes,
) -> Response {
    rows(&sandbox, &account, &module, &body, |book, object, row| {
        let Some(id) = row["id"].as_str().and_then(|id| book.find(object, id)).map(|record| record.id) else {
            return json!({"code": "INVALID_DATA", "details": {"api_name": "id"}, "message": "the id given seems to be invalid", "status": "error"});
        };
        change(book, object, id, row)
    })
}

/// By e-mail address.
pub(super) async fn upsert(
    State(sandbox): State<Arc<Sandbox>>,
    Extension(CrmAccount(account)): Extension<CrmAccount>,
    Path(module): Path<String>,
    body: Bytes,
) -> Response {
    rows(&sandbox, &account, &module, &body, |book, object, row| {
        let email = row["Email"].as_str().unwrap_or_default();
        let same = |own: Option<&String>| own.is_some_and(|own| own.eq_ignore_ascii_case(email));
        let known = book.of(object).find(|record| same(record.properties.get("Email"))).map(|record| record.id);
        match known {
            Some(id) => change(book, object, id, row),
            None => insert(book, object, row),
        }
    })
}

fn insert(book: &mut CrmBook, object: Object, row: &Value) -> Value {
    let (texts, links) = match shapes::row(book, object, row, true) {
        Ok(taken) => taken,
        Err(refused) => return refused,
    };
    if let Some(email) = texts.get("Email").filter(|email| !email.is_empty() && object == Object::Contact) {
        let known =
            book.of(object).find(|record| record.properties.get("Email") == Some(email)).map(|record| record.id);
        if let Some(id) = known {
            let details = json!({"api_name": "Email", "id": id.to_string()});
            return json!({"code": "DUPLICATE_DATA", "details": details, "message": "duplicate data", "status": "error"});
        }
    }
    let id = book.insert(object, texts, links);
    fate(book, id, "record added", "insert")
}

fn change(book: &mut CrmBook, object: Object, id: u64, row: &Value) -> Value {
    match shapes::row(book, object, row, false) {
        Ok((texts, _)) => {
            book.set(id, &texts);
            fate(book, id, "record updated", "update")
        }
        Err(refused) => refused,
    }
}

fn fate(book: &CrmBook, id: u64, message: &str, action: &str) -> Value {
    let record = book.records.get(&id);
    let details = json!({
        "id": id.to_string(),
        "Created_Time": record.map(|record| shapes::iso(record.created)),
        "Modified_Time": record.map(|record| shapes::iso(record.changed)),
    });
    json!({"code": "SUCCESS", "status": "success", "action": action, "duplicate_field": null, "message": message, "details": details})
}

fn rows(
    sandbox: &Sandbox,
    account: &str,
    module: &str,
    body: &[u8],
    write: impl Fn(&mut CrmBook, Object, &Value) -> Value,
) -> Response {
    let object = match object_of(module) {
        Ok(object) => object,
        Err(refused) => return *refused,
    };
    let given = document(body);
    let all = given["data"].as_array().cloned().unwrap_or_default();
    if all.is_empty() || all.len() > 100 {
        return invalid("INVALID_DATA", "data must have between 1 and 100 records");
    }
    let fates: Vec<Value> =
        sandbox.crm_book(KIND, account, |book| all.iter().map(|row| write(book, object, row)).collect());
    let bad = fates.iter().filter(|fate| fate["status"] == "error").count();
    let status = match bad {
        0 => StatusCode::OK,
        bad if bad == fates.len() => StatusCode::BAD_REQUEST,
        _ => StatusCode::MULTI_STATUS,
    };
    (status, Json(json!({"data": fates}))).into_response()
}
