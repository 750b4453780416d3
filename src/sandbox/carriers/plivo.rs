//! `/plivo/v1/Account/…`.

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
use crate::state::Sandbox;

const API_ID: &str = "97ceeb52-58b6-11e1-86da-77300b68f8bb";

pub(crate) fn routes() -> Router<Arc<Sandbox>> {
    Router::new()
        .route("/v1/Account/{account}/", get(account))
        .route("/v1/Account/{account}/Number/", get(numbers))
        .route("/v1/Account/{account}/Number/{number}/", get(number))
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
    let name = format!("Sandbox {}", key.trim_start_matches("sandbox-").chars().take(12).collect::<String>());
    Json(json!({
        "api_id": API_ID, "auth_id": id, "name": name, "account_type": "standard", "state": "active", "cash_credits": "20.00000",
        "auto_recharge": false, "billing_mode": "prepaid", "timezone": "America/Chicago", "resource_uri": format!("/v1/Account/{id}/"),
    }))
    .into_response()
}

fn shape(account: &str, number: &str) -> Value {
    let digits = number.trim_start_matches('+');
    json!({
        "number": digits, "alias": null, "application": null, "number_type": "local", "country": "US", "region": "Arizona",
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
    let figure = |name: &str| params.iter().find(|(known, _)| known == name).and_then(|(_, text)| text.parse().ok());
    let offset: usize = figure("offset").unwrap_or(0);
    let all = numbers_of(&sandbox, "plivo", &key);
    let shown: Vec<Value> = all.iter().skip(offset).take(PAGE).map(|number| shape(&account, number)).collect();
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
    let found = all.iter().find(|known| known.trim_start_matches('+') == number.trim_start_matches('+'));
    found.map_or_else(missing, |number| Json(shape(&account, number)).into_response())
}

async fn call(
    State(sandbox): State<Arc<Sandbox>>,
    Extension(Key(key)): Extension<Key>,
    Path((_, id)): Path<(String, String)>,
) -> Response {
    let Some(call) = find(&sandbox, "plivo", &key, |call| call.id.to_string() == id) else { return missing() };
    // A call that is not billed yet is not among those that are over.
    let Some(cost) = cost(&call) else { return missing() };
    let digits = |number: &Option<String>| number.as_deref().unwrap_or_default().trim_start_matches('+').to_owned();
    Json(json!({
        "api_id": API_ID, "call_uuid": id, "call_direction": "outbound", "from_number": digits(&call.from), "to_number": digits(&call.to),
        "total_amount": format!("{cost:.5}"), "total_rate": "0.01400", "hangup_cause_name": "Normal Hangup", "hangup_cause_code": 4000,
        "hangup_source": "Callee",
    }))
    .into_response()
}

/// What Plivo tells when a call is over.
pub(super) fn hangup_fields(call: &Call, cause: &str) -> Vec<(String, String)> {
    let status = match cause {
        "timeout" => "no-answer",
        "user_busy" | "call_rejected" => "busy",
        "not_found" => "failed",
        "originator_cancel" => "timeout",
        _ => "completed",
    };
    let digits = |number: &Option<String>| number.as_deref().unwrap_or_default().trim_start_matches('+').to_owned();
    let fields = [
        ("CallStatus", status.to_owned()),
        ("CallUUID", call.id.to_string()),
        ("Direction", "outbound".to_owned()),
        ("Event", "Hangup".to_owned()),
        ("From", digits(&call.from)),
        ("RequestUUID", call.id.to_string()),
        ("To", digits(&call.to)),
    ];
    fields.map(|(name, value)| (name.to_owned(), value)).into()
}
