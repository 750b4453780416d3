//! Creating a call: checks, faults on purpose, and the log entry without which nobody could say who was called how often.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use chrono::Utc;
use serde_json::{Map, Value, json};

use super::{invalid, missing, unreadable};
use crate::call::NewCall;
use crate::gate::{Fault, Key, Provider, fault, garbage, never, object};
use crate::life;
use crate::state::{LogEntry, Sandbox};

const MEDIA: [&str; 7] = ["webRtc", "twilio", "telnyx", "plivo", "exotel", "sip", "serverWebSocket"];

pub(super) async fn with_agent(
    State(sandbox): State<Arc<Sandbox>>,
    Extension(Key(key)): Extension<Key>,
    Path(agent_id): Path<String>,
    body: Bytes,
) -> Response {
    let Some(agent) = sandbox.with_account(&key, |account| account.agents.get(&agent_id).cloned()) else {
        return missing();
    };
    create(sandbox, key, Some(agent), &body).await
}

pub(super) async fn without_agent(
    State(sandbox): State<Arc<Sandbox>>,
    Extension(Key(key)): Extension<Key>,
    body: Bytes,
) -> Response {
    create(sandbox, key, None, &body).await
}

async fn create(sandbox: Arc<Sandbox>, key: String, agent: Option<Arc<Value>>, body: &[u8]) -> Response {
    let request = match object(body) {
        Ok(request) => request,
        Err(message) => return unreadable(&message),
    };
    let to = number(&request, "to");
    let from = number(&request, "from");
    let mut entry = LogEntry {
        at: Utc::now(),
        key: key.clone(),
        to: to.clone(),
        from: from.clone(),
        agent_id: agent.as_ref().and_then(|agent| agent["agentId"].as_str()).map(str::to_owned),
        metadata: request.get("metadata").cloned().unwrap_or_else(|| json!({})),
        outcome: String::new(),
        placed: false,
        call_id: None,
    };
    let mut note = |outcome: &str, call_id: Option<uuid::Uuid>| {
        outcome.clone_into(&mut entry.outcome);
        entry.placed = call_id.is_some();
        entry.call_id = call_id;
        sandbox.log(entry.clone());
    };
    if let Some(refusal) = refused(&request, to.as_deref()) {
        note("refused_invalid", None);
        return refusal;
    }
    if let Some(carrier) = without_account(&sandbox, &key, &request) {
        note("refused_invalid", None);
        let body = json!({"medium": {carrier: [format!("No credentials for {carrier} are stored.")]}});
        return (StatusCode::BAD_REQUEST, Json(body)).into_response();
    }
    let settings = sandbox.settings_for(&key);
    let fault =
        special_fault(&sandbox, &key, to.as_deref()).unwrap_or_else(|| fault(&sandbox, &settings.create_faults));
    match fault {
        Fault::Error => {
            note("refused_error", None);
            return Provider::Ultravox.error(StatusCode::INTERNAL_SERVER_ERROR, "Internal error.");
        }
        Fault::Limited => {
            note("refused_limit", None);
            return Provider::Ultravox.limited(&settings);
        }
        _ => {}
    }
    let new = NewCall { agent, request, to, from, inbound: false };
    let Ok((id, shape)) = life::place(&sandbox, &key, new) else {
        note("refused_limit", None);
        return Provider::Ultravox.limited(&settings);
    };
    match fault {
        Fault::Garbage => {
            note("placed_garbage", Some(id));
            garbage()
        }
        Fault::ErrorAfterAccept => {
            note("placed_error", Some(id));
            Provider::Ultravox.error(StatusCode::INTERNAL_SERVER_ERROR, "Internal error.")
        }
        Fault::Timeout => {
            note("placed_no_answer", Some(id));
            never(&sandbox, &settings).await
        }
        _ => {
            note("placed", Some(id));
            (StatusCode::CREATED, Json(shape)).into_response()
        }
    }
}

/// Twilio or Plivo, when the call is to go out through it and the account has none there.
fn without_account(sandbox: &Sandbox, key: &str, request: &Map<String, Value>) -> Option<&'static str> {
    let medium = request.get("medium")?.as_object()?;
    let dials = |name: &&str| medium.get(*name).is_some_and(|way| way.get("outgoing").is_some());
    let carrier = ["twilio", "plivo"].into_iter().find(dials)?;
    sandbox.with_account(key, |account| !account.telephony.contains_key(carrier)).then_some(carrier)
}

/// What the last four digits of the number ask of the create request itself.
fn special_fault(sandbox: &Sandbox, key: &str, to: Option<&str>) -> Option<Fault> {
    let to = to?;
    let first_time = || sandbox.with_account(key, |account| account.refused_once.insert(to.to_owned()));
    match to.get(to.len().checked_sub(4)?..)? {
        "0005" => Some(Fault::Error),
        "0006" => Some(Fault::Timeout),
        "0007" => Some(Fault::Limited),
        "0008" => Some(Fault::Garbage),
        "0012" => Some(Fault::ErrorAfterAccept),
        "0015" => Some(if first_time() { Fault::Error } else { Fault::None }),
        "0017" => Some(if first_time() { Fault::Limited } else { Fault::None }),
        _ => None,
    }
}

fn refused(request: &Map<String, Value>, to: Option<&str>) -> Option<Response> {
    for name in ["metadata", "templateContext", "medium", "firstSpeakerSettings"] {
        if request.get(name).is_some_and(|value| !value.is_object() && !value.is_null()) {
            return Some(invalid(name, "Invalid data. Expected a dictionary."));
        }
    }
    let members = |name: &str| request.get(name).and_then(Value::as_object).into_iter().flatten();
    for (key, value) in members("metadata") {
        if key.starts_with("ultravox.") {
            return Some(invalid("metadata", "Keys may not start with 'ultravox.'."));
        }
        if !value.is_string() {
            return Some(invalid("metadata", "Values must be strings."));
        }
    }
    let media: Vec<&String> = members("medium").filter(|(_, value)| !value.is_null()).map(|(key, _)| key).collect();
    if media.len() > 1 || media.iter().any(|key| !MEDIA.contains(&key.as_str())) {
        return Some(invalid("medium", "Exactly one known medium may be given."));
    }
    if members("firstSpeakerSettings").count() > 1 {
        return Some(invalid("firstSpeakerSettings", "Exactly one of user and agent may be given."));
    }
    let to = to?;
    let digits = to.strip_prefix('+').unwrap_or("");
    let plausible = (7..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    if !plausible || to.ends_with("0009") {
        let medium = media.first().map_or("telnyx", |key| key.as_str());
        let body = json!({"medium": {medium: {"outgoing": {"to": ["Enter a valid E.164 phone number."]}}}});
        return Some((StatusCode::BAD_REQUEST, Json(body)).into_response());
    }
    None
}

/// `to` or `from` of an outgoing medium.
fn number(request: &Map<String, Value>, name: &str) -> Option<String> {
    let medium = request.get("medium")?.as_object()?;
    let outgoing = medium.values().find_map(|way| way.get("outgoing"))?;
    outgoing.get(name)?.as_str().map(number_of)
}

/// `sip:+13125550111@host` becomes `+13125550111`.
fn number_of(text: &str) -> String {
    let text = text.strip_prefix("sips:").or_else(|| text.strip_prefix("sip:")).unwrap_or(text);
    text.split(['@', ';', '<']).next().unwrap_or("").trim().to_owned()
}
