//! Lists, searches, and single records.

use std::cmp::Ordering;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde_json::{Value, json};

use super::{KIND, broken, invalid, missing, object_of, shapes};
use crate::crm::book::{CrmBook, Object, Record};
use crate::crm::sign_in::Params;
use crate::crm::{CrmAccount, document};
use crate::state::Sandbox;

/// The most that one search gives in all.
const WHOLE_SEARCH: usize = 10_000;

fn names(params: &Params) -> Vec<String> {
    let all = params.get("properties").map(String::as_str).unwrap_or_default();
    all.split(',').map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

fn hidden() -> Response {
    let said = "This app hasn't been granted all required scopes to make this call.";
    KIND.error(StatusCode::FORBIDDEN, "MISSING_SCOPES", said)
}

pub(super) async fn list(
    State(sandbox): State<Arc<Sandbox>>,
    Extension(CrmAccount(account)): Extension<CrmAccount>,
    Path(kind): Path<String>,
    Query(params): Query<Params>,
) -> Response {
    let Some(object) = object_of(&kind) else { return missing("Unable to infer object type") };
    let figure = |name: &str| params.get(name).and_then(|text| text.parse::<u64>().ok());
    let limit = figure("limit").unwrap_or(10);
    if !(1..=100).contains(&limit) {
        return invalid("limit must be between 1 and 100");
    }
    let (names, is_archived) = (names(&params), params.get("archived").is_some_and(|text| text == "true"));
    let with_contacts = params.get("associations").is_some_and(|kinds| kinds.contains("contacts"));
    let after = figure("after");
    sandbox.crm_book(KIND, &account, |book| {
        if book.faults.hides == kind {
            return hidden();
        }
        let fits = |record: &&Record| {
            record.object == object
                && record.removed.is_some() == is_archived
                // Who was merged away is no record any more, of either list.
                && record.merged_into.is_none()
                && after.is_none_or(|after| record.id >= after)
        };
        let mut found: Vec<&Record> = book.records.values().filter(fits).collect();
        let more = found.len() > limit as usize;
        let next = more.then(|| found[limit as usize].id.to_string());
        found.truncate(limit as usize);
        let results: Vec<Value> =
            found.iter().map(|record| shapes::record(book, record, &names, with_contacts)).collect();
        let read: Vec<u64> = found.iter().map(|record| record.id).collect();
        let mut page = json!({ "results": results });
        if let Some(next) = next {
            page["paging"] = json!({"next": {"after": next, "link": format!("https://api.hubapi.com/?after={next}")}});
            if after.is_none() && object == Object::Contact && !is_archived {
                book.remove_while_read(&read);
            }
        }
        Json(repeated(book, page, params.get("after").map(String::as_str))).into_response()
    })
}

/// What goes wrong with pages.
fn repeated(book: &mut CrmBook, mut page: Value, after: Option<&str>) -> Value {
    if book.faults.is_stuck {
        page["paging"] = json!({"next": {"after": after.unwrap_or("1")}});
        return page;
    }
    match (book.faults.repeats_page, after, book.last_page.take()) {
        // The one of before once more, and then on to where this one was asked for.
        (true, Some(after), Some(mut former)) => {
            book.faults.repeats_page = false;
            former["paging"] = json!({"next": {"after": format!("0{after}")}});
            former
        }
        (is_on, _, _) => {
            book.last_page = is_on.then(|| page.clone());
            page
        }
    }
}

pub(super) async fn get(
    State(sandbox): State<Arc<Sandbox>>,
    Extension(CrmAccount(account)): Extension<CrmAccount>,
    Path((kind, id)): Path<(String, String)>,
    Query(params): Query<Params>,
) -> Response {
    let Some(object) = object_of(&kind) else { return missing("Unable to infer object type") };
    let with_contacts = params.get("associations").is_some_and(|kinds| kinds.contains("contacts"));
    let by_email = params.get("idProperty").is_some_and(|name| name == "email");
    sandbox.crm_book(KIND, &account, |book| {
        let found = match by_email {
            true => super::writing::by_email(book, &id),
            false => book.find(object, &id),
        };
        match found {
            Some(record) if book.faults.unreadable == Some(record.id.to_string()) => broken(),
            Some(record) => Json(shapes::record(book, record, &names(&params), with_contacts)).into_response(),
            None => missing("resource not found"),
        }
    })
}

pub(super) async fn search(
    State(sandbox): State<Arc<Sandbox>>,
    Extension(CrmAccount(account)): Extension<CrmAccount>,
    Path(kind): Path<String>,
    body: Bytes,
) -> Response {
    let Some(object) = object_of(&kind) else { return missing("Unable to infer object type") };
    let asked = document(&body);
    let limit = asked["limit"].as_u64().unwrap_or(10) as usize;
    let after: usize = asked["after"].as_str().and_then(|text| text.parse().ok()).unwrap_or(0);
    if !(1..=200).contains(&limit) || after + limit > WHOLE_SEARCH {
        return invalid("The total number of results is limited to 10000, and a page to 200");
    }
    let groups: Vec<Vec<Value>> = asked["filterGroups"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|group| group["filters"].as_array().cloned().unwrap_or_default())
        .collect();
    let names: Vec<String> = asked["properties"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|one| one.as_str().map(str::to_owned))
        .collect();
    let sort = asked["sorts"][0]["propertyName"].as_str().unwrap_or("hs_object_id").to_owned();
    sandbox.crm_book(KIND, &account, |book| {
        if book.faults.hides == kind {
            return hidden();
        }
        let fits = |record: &&Record| {
            groups.is_empty() || groups.iter().any(|filters| filters.iter().all(|one| passes(book, record, one)))
        };
        let mut found: Vec<&Record> = book.of(object).filter(fits).collect();
        found.sort_by(|one, other| order(book, one, other, &sort));
        let total = found.len();
        let page: Vec<&Record> = found.into_iter().skip(after).take(limit).collect();
        let results: Vec<Value> = page.iter().map(|record| shapes::record(book, record, &names, false)).collect();
        let read: Vec<u64> = page.iter().map(|record| record.id).collect();
        let mut answer = json!({"total": total, "results": results});
        if after + limit < total {
            answer["paging"] = json!({"next": {"after": (after + limit).to_string()}});
            if object == Object::Contact {
                book.remove_while_read(&read);
            }
        }
        if object != Object::Contact || groups.is_empty() {
            return Json(answer).into_response();
        }
        match (book.faults.repeats_page, book.last_page.take()) {
            (true, Some(former)) => {
                book.faults.repeats_page = false;
                Json(former).into_response()
            }
            (is_on, _) => {
                book.last_page = is_on.then(|| answer.clone());
                Json(answer).into_response()
            }
        }
    })
}

fn passes(book: &CrmBook, record: &Record, filter: &Value) -> bool {
    let name = filter["propertyName"].as_str().unwrap_or_default();
    let wanted = filter["value"].as_str().unwrap_or_default();
    let Some(value) = shapes::value(book, record, name) else { return false };
    let order = compared(&value, wanted);
    match filter["operator"].as_str().unwrap_or_default() {
        "EQ" => order == Ordering::Equal || value.eq_ignore_ascii_case(wanted),
        "NEQ" => order != Ordering::Equal,
        "GT" => order == Ordering::Greater,
        "GTE" => order != Ordering::Less,
        "LT" => order == Ordering::Less,
        "LTE" => order != Ordering::Greater,
        "CONTAINS_TOKEN" => has_token(&value, wanted),
        _ => false,
    }
}

/// Words of a text; a star stands for any beginning or end.
fn has_token(text: &str, wanted: &str) -> bool {
    let (text, wanted) = (text.to_lowercase(), wanted.to_lowercase());
    let bare = wanted.trim_matches('*');
    text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).any(|word| {
        match (wanted.starts_with('*'), wanted.ends_with('*')) {
            (true, true) => word.contains(bare),
            (true, false) => word.ends_with(bare),
            (false, true) => word.starts_with(bare),
            (false, false) => word == bare,
        }
    })
}

fn millis(text: &str) -> Option<i64> {
    let time = chrono::DateTime::parse_from_rfc3339(text).ok().map(|at| at.timestamp_millis());
    time.or_else(|| text.parse().ok())
}

fn compared(value: &str, wanted: &str) -> Ordering {
    match (millis(value), millis(wanted)) {
        (Some(one), Some(other)) => one.cmp(&other),
        _ => value.cmp(wanted),
    }
}

fn order(book: &CrmBook, one: &Record, other: &Record, name: &str) -> Ordering {
    let value = |record: &Record| shapes::value(book, record, name).unwrap_or_default();
    compared(&value(one), &value(other)).then_with(|| one.id.cmp(&other.id))
}
