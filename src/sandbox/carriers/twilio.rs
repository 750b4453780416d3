//! `/twilio/2010-04-01/Accounts/…`.

use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Json, Router};
use serde_json::{Value, json};

use super::{PAGE, cost, find, numbers_of};
use crate::call::Call;
use crate::gate::{AccountId, Key, Provider};
use crate::rng::Rng;
use crate::state::Sandbox;

const VERSION: &str = "2010-04-01";

pub(crate) fn routes() -> Router<Arc<Sandbox>> {
    Router::new()
        .route("/2010-04-01/Accounts/{account}", get(account))
        .route("/2010-04-01/Accounts/{account}/IncomingPhoneNumbers.json", get(numbers))
        .route("/2010-04-01/Accounts/{account}/IncomingPhoneNumbers/{id}", get(number))
        .route("/2010-04-01/Accounts/{account}/Calls/{id}", get(call))
        .fallback(|| async { missing() })
}

fn missing() -> Response {
    Provider::Twilio.error(StatusCode::NOT_FOUND, "The requested resource was not found")
}

async fn account(
    Extension(AccountId(id)): Extension<AccountId>,
    Extension(Key(key)): Extension<Key>,
    Path(asked): Path<String>,
) -> Response {
    if asked.strip_suffix(".json") != Some(&*id) {
        return missing();
    }
    let closed = key.contains("closed");
    let name = format!("Sandbox {}", key.trim_start_matches("sandbox-").chars().take(12).collect::<String>());
    Json(json!({
        "sid": id, "friendly_name": name, "status": if closed { "closed" } else { "active" }, "type": "Full", "owner_account_sid": id,
        "date_created": "Tue, 31 Aug 2010 20:36:28 +0000", "uri": format!("/{VERSION}/Accounts/{id}.json"),
    }))
    .into_response()
}

pub(crate) fn number_id(number: &str) -> String {
    format!("PN{}", Rng::new(17, number).uuid().simple())
}

fn shape(account: &str, number: &str) -> Value {
    let id = number_id(number);
    json!({
        "sid": id, "account_sid": account, "phone_number": number, "friendly_name": number,
        "capabilities": {"voice": true, "sms": true, "mms": false, "fax": false},
        "voice_url": "", "voice_method": "POST", "voice_application_sid": "", "status_callback": "", "trunk_sid": null,
        "origin": "twilio", "beta": false, "date_created": "Tue, 31 Aug 2010 20:36:28 +0000",
        "uri": format!("/{VERSION}/Accounts/{account}/IncomingPhoneNumbers/{id}.json"),
    })
}

async fn numbers(
    State(sandbox): State<Arc<Sandbox>>,
    Extension(Key(key)): Extension<Key>,
    Path(account): Path<String>,
    Query(params): Query<Vec<(String, String)>>,
) -> Response {
    let figure = |name: &str| params.iter().find(|(known, _)| known == name).and_then(|(_, text)| text.parse().ok());
    let page: usize = figure("Page").unwrap_or(0);
    let mut all = numbers_of(&sandbox, "twilio", &key);
    if let Some((_, wanted)) = params.iter().find(|(name, _)| name == "PhoneNumber") {
        all.retain(|number| number == wanted);
    }
    // The last one of the page before comes once more.
    let start = (page * PAGE).saturating_sub(usize::from(page > 0));
    let end = ((page + 1) * PAGE).min(all.len());
    let shown: Vec<Value> =
        all.get(start.min(end)..end).unwrap_or_default().iter().map(|number| shape(&account, number)).collect();
    let base = format!("/{VERSION}/Accounts/{account}/IncomingPhoneNumbers.json");
    let address = |page: usize| format!("{base}?PageSize={PAGE}&Page={page}&PageToken=PAsandbox{page}");
    Json(json!({
        "incoming_phone_numbers": shown, "page": page, "page_size": PAGE, "start": start, "end": end.saturating_sub(1),
        "uri": address(page), "first_page_uri": address(0), "next_page_uri": (end < all.len()).then(|| address(page + 1)),
        "previous_page_uri": null,
    }))
    .into_response()
}

async fn number(
    State(sandbox): State<Arc<Sandbox>>,
    Extension(Key(key)): Extension<Key>,
    Path((account, id)): Path<(String, String)>,
) -> Response {
    let all = numbers_of(&sandbox, "twilio", &key);
    let found = all.iter().find(|number| Some(&*number_id(number)) == id.strip_suffix(".json"));
    found.map_or_else(missing, |number| Json(shape(&account, number)).into_response())
}

fn call_id(call: &Call) -> String {
    format!("CA{}", call.id.simple())
}

async fn call(
    State(sandbox): State<Arc<Sandbox>>,
    Extension(Key(key)): Extension<Key>,
    Path((account, id)): Path<(String, String)>,
) -> Response {
    let found = find(&sandbox, "twilio", &key, |call| Some(&*call_id(call)) == id.strip_suffix(".json"));
    let Some(call) = found else { return missing() };
    Json(json!({
        "sid": call_id(&call), "account_sid": account, "from": call.from, "to": call.to, "direction": "outbound-api",
        "status": if call.ended.is_some() { "completed" } else { "in-progress" },
        "price": cost(&call).map(|cost| format!("-{cost:.5}")), "price_unit": "USD", "api_version": VERSION,
    }))
    .into_response()
}

/// What Twilio tells when a call is over.
pub(super) fn status_fields(call: &Call, account: &str, cause: &str) -> Vec<(String, String)> {
    let (status, sip) = match cause {
        "timeout" => ("no-answer", "487"),
        "user_busy" | "call_rejected" => ("busy", "486"),
        "not_found" => ("failed", "404"),
        "originator_cancel" => ("canceled", "487"),
        _ => ("completed", "200"),
    };
    let talk = call.joined.zip(call.ended).map_or(0.0, |(joined, ended)| ended - joined);
    let fields = [
        ("AccountSid", account.to_owned()),
        ("ApiVersion", VERSION.to_owned()),
        ("CallDuration", format!("{talk:.0}")),
        ("CallSid", call_id(call)),
        ("CallStatus", status.to_owned()),
        ("CallbackSource", "call-progress-events".to_owned()),
        ("Direction", "outbound-api".to_owned()),
        ("From", call.from.clone().unwrap_or_default()),
        ("SequenceNumber", "0".to_owned()),
        ("SipResponseCode", sip.to_owned()),
        ("To", call.to.clone().unwrap_or_default()),
    ];
    fields.map(|(name, value)| (name.to_owned(), value)).into()
}
