//! Lists, searches, and what was removed.

use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::{KIND, invalid, object_of, shapes};
use crate::crm::CrmAccount;
use crate::crm::book::{CrmBook, Object, Record};
use crate::crm::sign_in::Params;
use crate::state::Sandbox;

/// Page numbers reach so far.
const LAST_NUMBERED: usize = 2_000;

fn since(headers: &HeaderMap) -> Option<DateTime<Utc>> {
    let text = headers.get("if-modified-since")?.to_str().ok()?;
    DateTime::parse_from_rfc3339(text).ok().map(|at| at.with_timezone(&Utc))
}

/// A module that the sign-in has no scope for, or that the account hides.
fn is_hidden(book: &CrmBook, module: &str) -> bool {
    let scope = format!("ZohoCRM.modules.{}.", module.to_lowercase());
    let mut granted = book.scope.split([' ', ',']).filter(|one| !one.is_empty()).peekable();
    // Whoever never signed in, as tests of the client alone, may do all.
    let is_granted =
        granted.peek().is_none() || granted.any(|one| one == "ZohoCRM.modules.ALL" || one.starts_with(&scope));
    book.faults.hides == module || !is_granted
}

/// Zoho says so with the status of a token that is good no more.
fn hidden() -> Response {
    KIND.error(StatusCode::UNAUTHORIZED, "OAUTH_SCOPE_MISMATCH", "invalid oauth scope to access this URL")
}

fn names(params: &Params) -> Vec<String> {
    let all = params.get("fields").map(String::as_str).unwrap_or_default();
    all.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

pub(super) async fn list(
    State(sandbox): State<Arc<Sandbox>>,
    Extension(CrmAccount(account)): Extension<CrmAccount>,
    Path(module): Path<String>,
    Query(params): Query<Params>,
    headers: HeaderMap,
) -> Response {
    let object = match object_of(&module) {
        Ok(object) => object,
        Err(refused) => return *refused,
    };
    let names = names(&params);
    if names.is_empty() {
        return invalid("REQUIRED_PARAM_MISSING", "One of the expected parameter is missing");
    }
    if names.len() > 50 {
        return invalid("LIMIT_EXCEEDED", "More than the allowed number of fields");
    }
    let figure = |name: &str| params.get(name).and_then(|text| text.parse::<usize>().ok());
    let per_page = figure("per_page").unwrap_or(200).clamp(1, 200);
    // A token says how many records came before.
    let token =
        params.get("page_token").map(|token| token.strip_prefix("c8582").and_then(|at| at.parse::<usize>().ok()));
    let (start, number) = match (token, figure("page").unwrap_or(1).max(1)) {
        (Some(Some(start)), _) => (start, start / per_page + 1),
        (Some(None), _) => return invalid("INVALID_DATA", "the given page_token is invalid"),
        (None, number) if number * per_page > LAST_NUMBERED => {
            let said = "You can only get the first 2000 records without using page_token param";
            return invalid("DISCRETE_PAGINATION_LIMIT_EXCEEDED", said);
        }
        (None, number) => ((number - 1) * per_page, number),
    };
    let since = since(&headers);
    sandbox.crm_book(KIND, &account, |book| {
        if is_hidden(book, &module) {
            return hidden();
        }
        // Times are told in seconds.
        let is_new = |record: &&Record| since.is_none_or(|since| record.changed.timestamp() >= since.timestamp());
        let mut all: Vec<&Record> = book.of(object).filter(is_new).collect();
        if params.get("sort_order").is_none_or(|order| order != "asc") {
            all.reverse();
        }
        if all.is_empty() {
            let status = if since.is_some() { StatusCode::NOT_MODIFIED } else { StatusCode::NO_CONTENT };
            return status.into_response();
        }
        let total = all.len() + book.pages_behind * per_page;
        let start_here = start.saturating_sub(book.pages_behind * per_page);
        let page: Vec<&Record> = all.into_iter().skip(start_here).take(per_page).collect();
        let data: Vec<Value> = page.iter().map(|record| shapes::record(book, record, &names)).collect();
        let read: Vec<u64> = page.iter().map(|record| record.id).collect();
        let is_more = book.faults.is_stuck || start + per_page < total;
        let next = is_more.then(|| match book.faults.is_stuck {
            true => format!("c8582{start}"),
            false => format!("c8582{}", start + per_page),
        });
        let info = json!({
            "per_page": per_page,
            "count": data.len(),
            "page": number,
            "sort_by": "id",
            "sort_order": "asc",
            "more_records": is_more,
            "next_page_token": next,
            "previous_page_token": null,
        });
        if start == 0 && is_more && object == Object::Contact {
            book.remove_while_read(&read);
            // From the second page on, each is the one of before.
            book.pages_behind = usize::from(std::mem::take(&mut book.faults.repeats_page));
        } else if !is_more {
            book.pages_behind = 0;
        }
        Json(json!({"data": data, "info": info})).into_response()
    })
}

pub(super) async fn get(
    State(sandbox): State<Arc<Sandbox>>,
    Extension(CrmAccount(account)): Extension<CrmAccount>,
    Path((module, id)): Path<(String, String)>,
    Query(params): Query<Params>,
) -> Response {
    let object = match object_of(&module) {
        Ok(object) => object,
        Err(refused) => return *refused,
    };
    sandbox.crm_book(KIND, &account, |book| match book.find(object, &id) {
        _ if is_hidden(book, &module) => hidden(),
        Some(record) if book.faults.unreadable == Some(record.id.to_string()) => {
            KIND.error(StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL_ERROR", "Internal Server Error")
        }
        // A record that was merged away is none.
        Some(record) if record.id.to_string() == id => {
            Json(json!({"data": [shapes::record(book, record, &names(&params))]})).into_response()
        }
        _ => invalid("INVALID_DATA", "the id given seems to be invalid"),
    })
}

pub(super) async fn search(
    State(sandbox): State<Arc<Sandbox>>,
    Extension(CrmAccount(account)): Extension<CrmAccount>,
    Path(module): Path<String>,
    Query(params): Query<Params>,
) -> Response {
    let object = match object_of(&module) {
        Ok(object) => object,
        Err(refused) => return *refused,
    };
    let text = |name: &str| params.get(name).map(|text| text.to_lowercase());
    let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
    let (email, phone, word) = (text("email"), text("phone").map(|phone| digits(&phone)), text("word"));
    if email.is_none() && phone.is_none() && word.is_none() {
        return invalid("REQUIRED_PARAM_MISSING", "One of the expected parameter is missing");
    }
    sandbox.crm_book(KIND, &account, |book| {
        let fits = |record: &&Record| {
            let own = |name: &str| record.properties.get(name).map(|text| text.to_lowercase()).unwrap_or_default();
            let by_email = email.as_ref().is_some_and(|email| own("Email") == *email);
            let by_phone = phone.as_ref().is_some_and(|phone| {
                !phone.is_empty() && ["Phone", "Mobile"].iter().any(|name| digits(&own(name)).ends_with(phone.as_str()))
            });
            let by_word = word.as_ref().is_some_and(|word| {
                record
                    .properties
                    .values()
                    .any(|text| text.to_lowercase().split(|c: char| !c.is_alphanumeric()).any(|one| one == word))
            });
            by_email || by_phone || by_word
        };
        let found: Vec<Value> =
            book.of(object).filter(fits).take(200).map(|one| shapes::record(book, one, &[])).collect();
        if found.is_empty() {
            return StatusCode::NO_CONTENT.into_response();
        }
        let info = json!({"per_page": 200, "count": found.len(), "page": 1, "more_records": false});
        Json(json!({"data": found, "info": info})).into_response()
    })
}

pub(super) async fn count(
    State(sandbox): State<Arc<Sandbox>>,
    Extension(CrmAccount(account)): Extension<CrmAccount>,
    Path(module): Path<String>,
) -> Response {
    match object_of(&module) {
        Ok(object) => {
            Json(json!({"count": sandbox.crm_book(KIND, &account, |book| book.of(object).count())})).into_response()
        }
        Err(refused) => *refused,
    }
}

/// What was removed, newest first, as the service has it.
pub(super) async fn deleted(
    State(sandbox): State<Arc<Sandbox>>,
    Extension(CrmAccount(account)): Extension<CrmAccount>,
    Path(module): Path<String>,
    Query(params): Query<Params>,
    headers: HeaderMap,
) -> Response {
    let object = match object_of(&module) {
        Ok(object) => object,
        Err(refused) => return *refused,
    };
    let figure = |name: &str| params.get(name).and_then(|text| text.parse::<usize>().ok());
    let (number, per_page) = (figure("page").unwrap_or(1).max(1), figure("per_page").unwrap_or(200).clamp(1, 200));
    let since = since(&headers);
    sandbox.crm_book(KIND, &account, |book| {
        if is_hidden(book, &module) {
            return hidden();
        }
        let gone = |record: &&Record| {
            let at = record.removed.map(|at| at.timestamp());
            record.object == object && at.is_some() && since.is_none_or(|since| at >= Some(since.timestamp()))
        };
        let mut all: Vec<&Record> = book.records.values().filter(gone).collect();
        all.sort_by_key(|record| std::cmp::Reverse(record.removed));
        if all.is_empty() {
            return StatusCode::NO_CONTENT.into_response();
        }
        let total = all.len();
        let data: Vec<Value> = all
            .into_iter()
            .skip((number - 1) * per_page)
            .take(per_page)
            .map(|record| {
                let name = record.properties.get("Last_Name").cloned().unwrap_or_default();
                let by = json!({"name": "Rosa Kessler", "id": "3652397000000281001"});
                json!({
                    "id": record.id.to_string(),
                    "display_name": name,
                    "type": "recycle",
                    "deleted_time": record.removed.map(shapes::iso),
                    "deleted_by": by,
                    "created_by": by,
                })
            })
            .collect();
        let is_more = number * per_page < total;
        let info = json!({"per_page": per_page, "count": data.len(), "page": number, "more_records": is_more});
        Json(json!({"data": data, "info": info})).into_response()
    })
}
