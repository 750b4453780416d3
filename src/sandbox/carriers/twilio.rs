//! `/twilio/2010-04-01/Accounts/…`.

use std::sync::Arc;

use axum::extract::{Form, Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Json, Router};
use serde_json::{Value, json};

use super::{News, PAGE, account_name, fact, figure, numbers_of};
use crate::gate::{AccountId, Key, Provider};
use crate::rng::Rng;
use crate::state::{Account, Sandbox};

const VERSION: &str = "2010-04-01";

pub(crate) fn routes() -> Router<Arc<Sandbox>> {
    Router::new()
        .route("/2010-04-01/Accounts/{account}", get(account))
        .route("/2010-04-01/Accounts/{account}/IncomingPhoneNumbers.json", get(numbers))
        .route("/2010-04-01/Accounts/{account}/IncomingPhoneNumbers/{id}", get(number).post(set))
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
    Json(json!({
        "sid": id, "friendly_name": account_name(&key), "status": if closed { "closed" } else { "active" }, "type": "Full", "owner_account_sid": id,
        "date_created": "Tue, 31 Aug 2010 20:36:28 +0000", "uri": format!("/{VERSION}/Accounts/{id}.json"),
    }))
    .into_response()
}

pub(crate) fn number_id(number: &str) -> String {
    format!("PN{}", Rng::new(17, number).uuid().simple())
}

/// What a number has set: the field of the API, and the member of its answers.
const SETTINGS: [(&str, &str); 7] = [
    ("VoiceUrl", "voice_url"),
    ("VoiceMethod", "voice_method"),
    ("VoiceApplicationSid", "voice_application_sid"),
    ("TrunkSid", "trunk_sid"),
    ("StatusCallback", "status_callback"),
    ("StatusCallbackMethod", "status_callback_method"),
    ("SmsUrl", "sms_url"),
];

fn shape(sandbox: &Sandbox, key: &str, account: &str, number: &str) -> Value {
    let id = number_id(number);
    let held = sandbox.with_account(key, |account| account.voice_settings.get(number).cloned()).unwrap_or_default();
    let mut shown = json!({
        "sid": id, "account_sid": account, "phone_number": number, "friendly_name": number,
        "capabilities": {"voice": true, "sms": true, "mms": false, "fax": false}, "origin": "twilio", "beta": false,
        "date_created": "Tue, 31 Aug 2010 20:36:28 +0000",
        "uri": format!("/{VERSION}/Accounts/{account}/IncomingPhoneNumbers/{id}.json"),
    });
    for (field, member) in SETTINGS {
        shown[member] = json!(held.get(field).map_or("", |value| value));
    }
    shown
}

/// Sets what of a number is sent; the rest stays. A trunk takes an application away, and the other way round.
async fn set(
    State(sandbox): State<Arc<Sandbox>>,
    Extension(Key(key)): Extension<Key>,
    Path((account, id)): Path<(String, String)>,
    Form(fields): Form<Vec<(String, String)>>,
) -> Response {
    let all = numbers_of(&sandbox, "twilio", &key);
    let Some(number) = all.iter().find(|number| Some(&*number_id(number)) == id.strip_suffix(".json")) else {
        return missing();
    };
    sandbox.with_account(&key, |held| {
        let settings = held.voice_settings.entry(number.clone()).or_default();
        for (name, value) in fields.into_iter().filter(|(name, _)| SETTINGS.iter().any(|(known, _)| known == name)) {
            let other = match &*name {
                "TrunkSid" => Some("VoiceApplicationSid"),
                "VoiceApplicationSid" => Some("TrunkSid"),
                _ => None,
            };
            if let Some(other) = other.filter(|_| !value.is_empty()) {
                settings.remove(other);
            }
            settings.insert(name, value);
        }
        if let Some(url) = settings.get("SmsUrl").cloned() {
            held.texts.heard.insert(number.clone(), url);
        }
    });
    Json(shape(&sandbox, &key, &account, number)).into_response()
}

/// Which address is asked about calls to a number, and told how they went.
pub(super) fn addresses(account: &Account, number: &str) -> Option<(String, Option<String>)> {
    let held = account.voice_settings.get(number)?;
    let set = |name: &str| held.get(name).filter(|value| !value.is_empty()).cloned();
    if set("TrunkSid").is_some() || set("VoiceApplicationSid").is_some() {
        return None;
    }
    Some((set("VoiceUrl")?, set("StatusCallback")))
}

async fn numbers(
    State(sandbox): State<Arc<Sandbox>>,
    Extension(Key(key)): Extension<Key>,
    Path(account): Path<String>,
    Query(params): Query<Vec<(String, String)>>,
) -> Response {
    let page = figure(&params, "Page");
    let mut all = numbers_of(&sandbox, "twilio", &key);
    if let Some((_, wanted)) = params.iter().find(|(name, _)| name == "PhoneNumber") {
        all.retain(|number| number == wanted);
    }
    // The last one of the page before comes once more.
    let start = (page * PAGE).saturating_sub(usize::from(page > 0));
    let end = ((page + 1) * PAGE).min(all.len());
    let listed = all.get(start.min(end)..end).unwrap_or_default();
    let shown: Vec<Value> = listed.iter().map(|number| shape(&sandbox, &key, &account, number)).collect();
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
    found.map_or_else(missing, |number| Json(shape(&sandbox, &key, &account, number)).into_response())
}

async fn call(
    State(sandbox): State<Arc<Sandbox>>,
    Extension(Key(key)): Extension<Key>,
    Path((account, id)): Path<(String, String)>,
) -> Response {
    let found = id.strip_suffix(".json").and_then(|id| fact(&sandbox, "twilio", &key, id));
    let Some(call) = found else { return missing() };
    Json(json!({
        "sid": call.id, "account_sid": account, "from": call.from, "to": call.to,
        "direction": if call.came_in { "inbound" } else { "outbound-api" },
        "status": if call.is_over { "completed" } else { "in-progress" },
        "price": call.cost.map(|cost| format!("-{cost:.5}")), "price_unit": "USD", "api_version": VERSION,
    }))
    .into_response()
}

/// What Twilio tells of a call, and asks about one that comes in.
pub(super) fn fields(news: &News<'_>) -> Vec<(&'static str, String)> {
    let sip = match news.status {
        "no-answer" | "canceled" => "487",
        "busy" => "486",
        "failed" => "404",
        _ => "200",
    };
    let mut fields = vec![
        ("AccountSid", news.account.to_owned()),
        ("ApiVersion", VERSION.to_owned()),
        ("CallSid", news.id.to_owned()),
        ("CallStatus", news.status.to_owned()),
        ("Direction", if news.came_in { "inbound" } else { "outbound-api" }.to_owned()),
        ("From", news.from.to_owned()),
        ("To", news.to.to_owned()),
    ];
    if news.is_over {
        fields.extend([
            ("CallDuration", format!("{:.0}", news.seconds)),
            ("CallbackSource", "call-progress-events".to_owned()),
            ("SequenceNumber", "0".to_owned()),
            ("SipResponseCode", sip.to_owned()),
        ]);
    }
    fields
}
