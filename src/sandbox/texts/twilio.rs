//! `/twilio/2010-04-01/Accounts/…/Messages.json` and what belongs to it.

use std::sync::Arc;

use axum::extract::{Form, Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Json, Router};
use serde_json::{Value, json};

use super::{Taken, Text, take};
use crate::carriers::numbers_of;
use crate::gate::{Key, Provider};
use crate::state::Sandbox;

type Fields = Vec<(String, String)>;

pub(crate) fn routes() -> Router<Arc<Sandbox>> {
    Router::new()
        .route("/2010-04-01/Accounts/{account}/Messages.json", get(list).post(create))
        .route("/2010-04-01/Accounts/{account}/Messages/{id}", get(read))
}

fn field<'a>(fields: &'a [(String, String)], name: &str) -> &'a str {
    fields.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
}

fn refused(code: u32, message: &str) -> Response {
    let body = json!({"code": code, "message": message, "more_info": format!("https://www.twilio.com/docs/errors/{code}"), "status": 400});
    (StatusCode::BAD_REQUEST, Json(body)).into_response()
}

async fn create(
    State(sandbox): State<Arc<Sandbox>>,
    Extension(Key(key)): Extension<Key>,
    Path(account): Path<String>,
    Form(fields): Form<Fields>,
) -> Response {
    let (from, to, body) = (field(&fields, "From"), field(&fields, "To"), field(&fields, "Body"));
    if !numbers_of(&sandbox, "twilio", &key).iter().any(|number| number == from) {
        return refused(21606, "The 'From' phone number provided is not a valid message-capable Twilio phone number.");
    }
    if body.is_empty() || !to.starts_with('+') {
        return refused(21211, "The 'To' number is not a valid phone number.");
    }
    let url = Some(field(&fields, "StatusCallback").to_owned()).filter(|url| !url.is_empty());
    match take(&sandbox, "twilio", &key, from, to, body, url) {
        Taken::Yes(text) => (StatusCode::CREATED, Json(shape(&account, &text))).into_response(),
        Taken::Stopped => refused(21610, "Attempt to send to unsubscribed recipient"),
        Taken::Lost | Taken::Broken => Provider::Twilio.error(StatusCode::INTERNAL_SERVER_ERROR, "Internal error"),
    }
}

async fn list(
    State(sandbox): State<Arc<Sandbox>>,
    Extension(Key(key)): Extension<Key>,
    Path(account): Path<String>,
    Query(params): Query<Fields>,
) -> Response {
    let fits = |text: &Text| {
        let (from, to) = (field(&params, "From"), field(&params, "To"));
        (from.is_empty() || text.from == from) && (to.is_empty() || text.to == to)
    };
    let all: Vec<Value> =
        sandbox.texts(&key).iter().rev().filter(|text| fits(text)).map(|text| shape(&account, text)).collect();
    Json(json!({"messages": all, "page": 0, "page_size": 50, "next_page_uri": null})).into_response()
}

async fn read(
    State(sandbox): State<Arc<Sandbox>>,
    Extension(Key(key)): Extension<Key>,
    Path((account, id)): Path<(String, String)>,
) -> Response {
    let found = sandbox.texts(&key).into_iter().find(|text| Some(&*text.id) == id.strip_suffix(".json"));
    match found {
        Some(text) => Json(shape(&account, &text)).into_response(),
        None => Provider::Twilio.error(StatusCode::NOT_FOUND, "The requested resource was not found"),
    }
}

fn shape(account: &str, text: &Text) -> Value {
    let is_over = text.state == "delivered";
    json!({
        "sid": text.id, "account_sid": account, "from": text.from, "to": text.to, "body": text.body,
        "status": if text.state == "failed" { "undelivered" } else { text.state }, "num_segments": text.parts().to_string(),
        "price": is_over.then(|| format!("-{}", text.cost())), "price_unit": "USD",
        "error_code": (text.state == "failed").then_some(30005),
        "error_message": (text.state == "failed").then_some("Unknown destination handset"),
        "direction": if text.state == "received" { "inbound" } else { "outbound-api" }, "date_created": text.at.to_rfc2822(),
    })
}

pub(super) async fn tell(sandbox: &Arc<Sandbox>, key: &str, text: &Text) {
    let Some(url) = text.status_url.clone() else { return };
    let mut fields = vec![
        ("MessageSid", text.id.clone()),
        ("SmsSid", text.id.clone()),
        ("AccountSid", "ACsandbox".to_owned()),
        ("From", text.from.clone()),
        ("To", text.to.clone()),
    ];
    match text.state {
        "received" => {
            fields.extend([
                ("SmsStatus", "received".to_owned()),
                ("Body", text.body.clone()),
                ("NumMedia", "0".to_owned()),
                ("NumSegments", text.parts().to_string()),
            ]);
            if text.body.trim().eq_ignore_ascii_case("stop") {
                fields.push(("OptOutType", "STOP".to_owned()));
            }
        }
        "failed" => {
            fields.extend([("MessageStatus", "undelivered".to_owned()), ("ErrorCode", "30005".to_owned())]);
        }
        state => fields.push(("MessageStatus", state.to_owned())),
    }
    let fields: Vec<(String, String)> = fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    sandbox.post_signed("twilio", key, &url, &fields).await;
}
