//! `/plivo/v1/Account/…`.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Json, Router};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{News, PAGE, account_name, fact, figure, numbers_of};
use crate::gate::{AccountId, Key, Provider, object};
use crate::state::{Account, Sandbox};

const API_ID: &str = "97ceeb52-58b6-11e1-86da-77300b68f8bb";

pub(crate) fn routes() -> Router<Arc<Sandbox>> {
    Router::new()
        .route("/v1/Account/{account}/", get(account))
        .route("/v1/Account/{account}/Number/", get(numbers))
        .route("/v1/Account/{account}/Number/{number}/", get(number).post(point))
        .route("/v1/Account/{account}/Application/", get(applications).post(make_application))
        .route(
            "/v1/Account/{account}/Application/{id}/",
            get(application).post(change_application).delete(end_application),
        )
        .route("/v1/Account/{account}/Call/{id}/", get(call))
        .fallback(|| async { missing() })
}

fn missing() -> Response {
    Provider::Plivo.error(StatusCode::NOT_FOUND, "not found")
}

async fn account(
    Extension(AccountId(id)): Extension<AccountId>,
    Extension(Key(key)): Extension<Key>,
    Path(asked): Path<String>,
) -> Response {
    if asked != id {
        return missing();
    }
    Json(json!({
        "api_id": API_ID, "auth_id": id, "name": account_name(&key), "account_type": "standard", "state": "active", "cash_credits": "20.00000",
        "auto_recharge": false, "billing_mode": "prepaid", "timezone": "America/Chicago", "resource_uri": format!("/v1/Account/{id}/"),
    }))
    .into_response()
}

fn digits(number: &str) -> &str {
    number.trim_start_matches('+')
}

fn shape(sandbox: &Sandbox, key: &str, account: &str, number: &str) -> Value {
    let digits = digits(number);
    let application = sandbox.with_account(key, |account| account.texts.profile_of.get(number).cloned());
    let application = application.map(|id| format!("/v1/Account/{account}/Application/{id}/"));
    json!({
        "number": digits, "alias": null, "application": application, "number_type": "local", "country": "US", "region": "Arizona",
        "city": "PHOENIX", "voice_enabled": true, "sms_enabled": true, "mms_enabled": true, "monthly_rental_rate": "0.80000",
        "added_on": "2026-01-05", "renewal_date": "2026-12-05", "active": true, "sub_account": null,
        "resource_uri": format!("/v1/Account/{account}/Number/{digits}/"),
    })
}

async fn numbers(
    State(sandbox): State<Arc<Sandbox>>,
    Extension(Key(key)): Extension<Key>,
    Path(account): Path<String>,
    Query(params): Query<Vec<(String, String)>>,
) -> Response {
    let offset = figure(&params, "offset");
    let all = numbers_of(&sandbox, "plivo", &key);
    let page = all.iter().skip(offset).take(PAGE);
    let shown: Vec<Value> = page.map(|number| shape(&sandbox, &key, &account, number)).collect();
    let next = offset + PAGE;
    let next = (next < all.len()).then(|| format!("/v1/Account/{account}/Number/?limit={PAGE}&offset={next}"));
    Json(json!({
        "api_id": API_ID, "objects": shown,
        "meta": {"limit": PAGE, "offset": offset, "total_count": all.len(), "next": next, "previous": null},
    }))
    .into_response()
}

async fn number(
    State(sandbox): State<Arc<Sandbox>>,
    Extension(Key(key)): Extension<Key>,
    Path((account, number)): Path<(String, String)>,
) -> Response {
    let all = numbers_of(&sandbox, "plivo", &key);
    let found = all.iter().find(|known| digits(known) == digits(&number));
    found.map_or_else(missing, |number| Json(shape(&sandbox, &key, &account, number)).into_response())
}

/// Gives a number an application.
async fn point(
    State(sandbox): State<Arc<Sandbox>>,
    Extension(Key(key)): Extension<Key>,
    Path((_, number)): Path<(String, String)>,
    body: Bytes,
) -> Response {
    let given = object(&body).unwrap_or_default();
    let id = given.get("app_id").and_then(Value::as_str).unwrap_or_default().to_owned();
    let is_known = sandbox.with_account(&key, |account| {
        let is_known = account.applications.contains_key(&id);
        if is_known {
            account.texts.profile_of.insert(format!("+{}", digits(&number)), id);
        }
        is_known
    });
    if is_known { changed() } else { missing() }
}

fn changed() -> Response {
    (StatusCode::ACCEPTED, Json(json!({"api_id": API_ID, "message": "changed"}))).into_response()
}

/// Keeps an application; its address for messages is where text messages look for it.
pub(super) fn keep(account: &mut Account, id: &str, given: Map<String, Value>, number: Option<&str>) {
    let held = account.applications.entry(id.to_owned()).or_default();
    held.extend(given);
    held.insert("app_id".to_owned(), json!(id));
    let text = |name: &str| held.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    account.texts.profiles.insert(id.to_owned(), (text("app_name"), text("message_url")));
    if let Some(number) = number {
        account.texts.profile_of.insert(number.to_owned(), id.to_owned());
    }
}

pub(super) fn application_of<'a>(account: &'a Account, number: &str) -> Option<&'a Map<String, Value>> {
    account.applications.get(account.texts.profile_of.get(number)?)
}

/// Which address is asked about calls to a number, and told how they went.
pub(super) fn addresses(account: &Account, number: &str) -> Option<(String, Option<String>)> {
    let held = application_of(account, number)?;
    let set = |name: &str| held.get(name)?.as_str().filter(|url| !url.is_empty()).map(str::to_owned);
    Some((set("answer_url")?, set("hangup_url")))
}

async fn applications(
    State(sandbox): State<Arc<Sandbox>>,
    Extension(Key(key)): Extension<Key>,
    Query(params): Query<Vec<(String, String)>>,
) -> Response {
    let all = sandbox.with_account(&key, |account| account.applications.values().cloned().collect::<Vec<_>>());
    let (offset, limit) = (figure(&params, "offset"), figure(&params, "limit").clamp(1, 20));
    let shown: Vec<_> = all.iter().skip(offset).take(limit).collect();
    let meta = json!({"limit": limit, "offset": offset, "total_count": all.len(), "next": null, "previous": null});
    Json(json!({"api_id": API_ID, "meta": meta, "objects": shown})).into_response()
}

/// Makes an application. Two of one name there are not.
async fn make_application(
    State(sandbox): State<Arc<Sandbox>>,
    Extension(Key(key)): Extension<Key>,
    body: Bytes,
) -> Response {
    let given = object(&body).unwrap_or_default();
    let id = Uuid::new_v4().simple().to_string();
    let name = given.get("app_name").cloned();
    let is_taken = sandbox.with_account(&key, |account| {
        let is_taken = account.applications.values().any(|known| known.get("app_name") == name.as_ref());
        if !is_taken {
            keep(account, &id, given, None);
        }
        is_taken
    });
    if is_taken {
        return Provider::Plivo.error(StatusCode::BAD_REQUEST, "an application with this app_name exists");
    }
    (StatusCode::CREATED, Json(json!({"api_id": API_ID, "message": "created", "app_id": id}))).into_response()
}

async fn application(
    State(sandbox): State<Arc<Sandbox>>,
    Extension(Key(key)): Extension<Key>,
    Path((_, id)): Path<(String, String)>,
) -> Response {
    let found = sandbox.with_account(&key, |account| account.applications.get(&id).cloned());
    found.map_or_else(missing, |held| Json(held).into_response())
}

async fn change_application(
    State(sandbox): State<Arc<Sandbox>>,
    Extension(Key(key)): Extension<Key>,
    Path((_, id)): Path<(String, String)>,
    body: Bytes,
) -> Response {
    let given = object(&body).unwrap_or_default();
    let is_known = sandbox.with_account(&key, |account| {
        let is_known = account.applications.contains_key(&id);
        if is_known {
            keep(account, &id, given, None);
        }
        is_known
    });
    if is_known { changed() } else { missing() }
}

/// Ends an application. Its numbers have none then.
async fn end_application(
    State(sandbox): State<Arc<Sandbox>>,
    Extension(Key(key)): Extension<Key>,
    Path((_, id)): Path<(String, String)>,
) -> Response {
    let was_there = sandbox.with_account(&key, |account| {
        account.texts.profiles.remove(&id);
        account.texts.profile_of.retain(|_, held| *held != id);
        account.applications.remove(&id).is_some()
    });
    if was_there { StatusCode::NO_CONTENT.into_response() } else { missing() }
}

async fn call(
    State(sandbox): State<Arc<Sandbox>>,
    Extension(Key(key)): Extension<Key>,
    Path((_, id)): Path<(String, String)>,
) -> Response {
    let Some(call) = fact(&sandbox, "plivo", &key, &id) else { return missing() };
    // A call that is not billed yet is not among those that are over.
    let Some(cost) = call.cost else { return missing() };
    Json(json!({
        "api_id": API_ID, "call_uuid": call.id, "call_direction": if call.came_in { "inbound" } else { "outbound" },
        "from_number": digits(&call.from), "to_number": digits(&call.to), "total_amount": format!("{cost:.5}"), "total_rate": "0.01400",
        "hangup_cause_name": "Normal Hangup", "hangup_cause_code": 4000, "hangup_source": "Callee",
    }))
    .into_response()
}

/// What Plivo tells of a call, and asks about one that comes in.
pub(super) fn fields(news: &News<'_>) -> Vec<(&'static str, String)> {
    let status = if news.status == "canceled" { "timeout" } else { news.status };
    let mut fields = vec![
        ("CallStatus", status.to_owned()),
        ("CallUUID", news.id.to_owned()),
        ("Direction", if news.came_in { "inbound" } else { "outbound" }.to_owned()),
        ("Event", if news.is_over { "Hangup" } else { "StartApp" }.to_owned()),
        ("From", digits(news.from).to_owned()),
        ("RequestUUID", news.id.to_owned()),
        ("To", digits(news.to).to_owned()),
    ];
    if news.is_over {
        fields.push(("Duration", format!("{:.0}", news.seconds)));
    }
    fields
}
