//! `/plivo/v1/Account/…/Message/` and what belongs to it.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Json, Router};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Taken, Text, take};
use crate::carriers::numbers_of;
use crate::gate::{Key, Provider, object};
use crate::state::Sandbox;
use patchbay_providers::plivo::sign_text;

pub(crate) fn routes() -> Router<Arc<Sandbox>> {
    Router::new()
        .route("/v1/Account/{account}/Message/", get(list).post(create))
        .route("/v1/Account/{account}/Message/{id}/", get(read))
}

fn missing() -> Response {
    Provider::Plivo.error(StatusCode::NOT_FOUND, "not found")
}

fn digits(number: &str) -> &str {
    number.trim_start_matches('+')
}

async fn create(State(sandbox): State<Arc<Sandbox>>, Extension(Key(key)): Extension<Key>, body: Bytes) -> Response {
    let given = object(&body).unwrap_or_default();
    let text = |name: &str| given.get(name).and_then(Value::as_str).unwrap_or_default();
    let plus = |number: &str| format!("+{}", digits(number));
    let from = plus(text("src"));
    if text("text").is_empty() || !numbers_of(&sandbox, "plivo", &key).contains(&from) {
        return Provider::Plivo.error(StatusCode::BAD_REQUEST, "src parameter is invalid");
    }
    let url = given.get("url").and_then(Value::as_str).map(str::to_owned);
    match take(&sandbox, "plivo", &key, &from, &plus(text("dst")), text("text"), url) {
        Taken::Yes(text) => {
            let body = json!({"api_id": Uuid::new_v4(), "message": "message(s) queued", "message_uuid": [text.id]});
            (StatusCode::ACCEPTED, Json(body)).into_response()
        }
        Taken::Stopped => Provider::Plivo.error(StatusCode::BAD_REQUEST, "Destination number is on the opt-out list"),
        Taken::Lost | Taken::Broken => Provider::Plivo.error(StatusCode::INTERNAL_SERVER_ERROR, "internal error"),
    }
}

async fn list(
    State(sandbox): State<Arc<Sandbox>>,
    Extension(Key(key)): Extension<Key>,
    Query(params): Query<Vec<(String, String)>>,
) -> Response {
    let figure = |name: &str| params.iter().find(|(known, _)| known == name).and_then(|(_, text)| text.parse().ok());
    let (limit, offset) = (figure("limit").unwrap_or(20).min(20), figure("offset").unwrap_or(0));
    let sent: Vec<Text> = sandbox.texts(&key).into_iter().rev().filter(|text| text.state != "received").collect();
    let shown: Vec<Value> = sent.iter().skip(offset).take(limit).map(shape).collect();
    let meta = json!({"limit": limit, "offset": offset, "total_count": sent.len(), "next": null, "previous": null});
    Json(json!({"api_id": Uuid::new_v4(), "meta": meta, "objects": shown})).into_response()
}

async fn read(
    State(sandbox): State<Arc<Sandbox>>,
    Extension(Key(key)): Extension<Key>,
    Path((_, id)): Path<(String, String)>,
) -> Response {
    let found = sandbox.texts(&key).into_iter().find(|text| text.id == id);
    found.map_or_else(missing, |text| Json(shape(&text)).into_response())
}

fn shape(text: &Text) -> Value {
    json!({
        "message_uuid": text.id, "from_number": digits(&text.from), "to_number": digits(&text.to), "message_direction": "outbound",
        "message_state": if text.state == "failed" { "undelivered" } else { text.state },
        "message_time": text.at.format("%Y-%m-%d %H:%M:%S%:z").to_string(), "units": text.parts(), "total_amount": text.cost(),
        "error_code": (text.state == "failed").then_some("30"), "message_type": "sms",
    })
}

pub(super) async fn tell(sandbox: &Arc<Sandbox>, key: &str, text: &Text) {
    let Some(url) = text.status_url.clone() else { return };
    let mut fields = vec![
        ("MessageUUID", text.id.clone()),
        ("From", digits(&text.from).to_owned()),
        ("To", digits(&text.to).to_owned()),
        ("Type", "sms".to_owned()),
    ];
    match text.state {
        "received" => fields.push(("Text", text.body.clone())),
        "failed" => fields.extend([("Status", "undelivered".to_owned()), ("ErrorCode", "30".to_owned())]),
        state => fields.push(("Status", state.to_owned())),
    }
    if text.state == "delivered" {
        fields.extend([("Units", text.parts().to_string()), ("TotalAmount", text.cost())]);
    }
    let form = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&fields).finish();
    let Ok(address) = url.parse() else { return };
    let nonce = sandbox.rng("nonce").roll().to_string();
    let request = sandbox.http.post(&url).header("content-type", "application/x-www-form-urlencoded");
    let request = request.header("X-Plivo-Signature-V2", sign_text(key, &address, &nonce));
    let _ = request.header("X-Plivo-Signature-V2-Nonce", nonce).body(form).send().await;
}
