//! Reading calls, and ending or deleting one.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{OriginalUri, Path, State};
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use serde_json::{Value, json};
use uuid::Uuid;

use super::paging::{Params, address, page, page_size, param};
use super::{missing, shapes, unreadable};
use crate::call::{Call, seconds_of};
use crate::gate::{Key, Provider, no_content, object};
use crate::settings::NoSound;
use crate::state::{Account, Sandbox};
use crate::voice;

pub(super) async fn list(
    State(sandbox): State<Arc<Sandbox>>,
    Extension(Key(key)): Extension<Key>,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
    params: Params,
) -> Response {
    sandbox.with_account(&key, |account| list_calls(account, None, &params, &uri, &headers))
}

pub(super) async fn list_of_agent(
    State(sandbox): State<Arc<Sandbox>>,
    Extension(Key(key)): Extension<Key>,
    Path(agent_id): Path<String>,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
    params: Params,
) -> Response {
    sandbox.with_account(&key, |account| list_calls(account, Some(&agent_id), &params, &uri, &headers))
}

/// Newest first unless `sort=created`. The cursor is the last call's place in the order, so that calls created while
/// somebody reads neither hide others nor show them twice.
fn list_calls(
    account: &Account,
    agent: Option<&str>,
    params: &[(String, String)],
    uri: &Uri,
    headers: &HeaderMap,
) -> Response {
    let mut ids: Vec<Uuid> = account.order.iter().copied().collect();
    for (name, value) in params {
        if let Some(name) = name.strip_prefix("metadata.") {
            let with: Vec<Uuid> = account.calls_with(name, value);
            if ids.len() == account.order.len() {
                ids = with;
            } else {
                ids.retain(|id| with.contains(id));
            }
        }
    }
    let from = param(params, "fromDate").and_then(|text| instant(text, NaiveTime::MIN));
    let to =
        param(params, "toDate").and_then(|text| instant(text, NaiveTime::from_hms_micro_opt(23, 59, 59, 999_999)?));
    let agents: Vec<&str> =
        params.iter().filter(|(name, _)| name == "agentIds").map(|(_, value)| value.as_str()).collect();
    let least = param(params, "durationMin").and_then(|text| seconds_of(Some(&json!(text))));
    let most = param(params, "durationMax").and_then(|text| seconds_of(Some(&json!(text))));
    let fits = |call: &Call| {
        let created = call.clock.at(0.0);
        // A hurried call is dated back; whoever asks for "since I placed it" must find it all the same.
        let latest = if call.clock.historic { created } else { created.max(call.clock.placed_at) };
        let talk = call.joined.zip(call.ended).map_or(0.0, |(joined, ended)| ended - joined);
        from.is_none_or(|from| latest >= from)
            && to.is_none_or(|to| created <= to)
            && agent.is_none_or(|agent| call.agent_id() == Some(agent))
            && (agents.is_empty() || call.agent_id().is_some_and(|id| agents.contains(&id)))
            && least.is_none_or(|least| talk >= least)
            && most.is_none_or(|most| talk <= most)
    };
    let place = |call: &Call| (call.clock.at(0.0).timestamp_micros(), call.id.as_u128());
    let mut calls: Vec<&Call> = ids.iter().filter_map(|id| account.calls.get(id)).filter(|call| fits(call)).collect();
    calls.sort_by_key(|call| place(call));
    let descending = param(params, "sort") != Some("created");
    if descending {
        calls.reverse();
    }
    let total = calls.len();
    let after = param(params, "cursor").and_then(read_cursor);
    let mut rest = calls.into_iter().filter(|call| match after {
        None => true,
        Some(after) if descending => place(call) < after,
        Some(after) => place(call) > after,
    });
    let shown: Vec<&Call> = rest.by_ref().take(page_size(params)).collect();
    let next = rest.next().and(shown.last()).map(|last| {
        let (created, id) = place(last);
        address(uri, headers, params, &format!("{created}.{id:x}"))
    });
    let results: Vec<Value> = shown.into_iter().map(shapes::call).collect();
    Json(json!({"next": next, "previous": null, "results": results, "total": total})).into_response()
}

fn read_cursor(text: &str) -> Option<(i64, u128)> {
    let (created, id) = text.split_once('.')?;
    Some((created.parse().ok()?, u128::from_str_radix(id, 16).ok()?))
}

/// An instant, or a date taken as that time of its day in UTC.
fn instant(text: &str, of_day: NaiveTime) -> Option<DateTime<Utc>> {
    if let Ok(date) = text.parse::<NaiveDate>() {
        return Some(date.and_time(of_day).and_utc());
    }
    text.replace(' ', "+").parse().ok()
}

/// The call, copied out from under the lock.
fn find(sandbox: &Sandbox, key: &str, id: &str) -> Option<Call> {
    let id: Uuid = id.parse().ok()?;
    sandbox.with_account(key, |account| account.calls.get(&id).cloned())
}

pub(super) async fn get(
    State(sandbox): State<Arc<Sandbox>>,
    Extension(Key(key)): Extension<Key>,
    Path(id): Path<String>,
) -> Response {
    find(&sandbox, &key, &id).map_or_else(missing, |call| shown(&sandbox, &key, shapes::call(&call)))
}

/// A document as the account's settings want it.
fn shown(sandbox: &Sandbox, key: &str, document: Value) -> Response {
    if sandbox.settings_for(key).quirks.half_emoji {
        return ([(header::CONTENT_TYPE, "application/json")], shapes::with_half_an_emoji(&document)).into_response();
    }
    Json(document).into_response()
}

pub(super) async fn delete(
    State(sandbox): State<Arc<Sandbox>>,
    Extension(Key(key)): Extension<Key>,
    Path(id): Path<String>,
) -> Response {
    let Some(call) = find(&sandbox, &key, &id) else {
        return missing();
    };
    if call.ended.is_none() {
        return Provider::Ultravox.error(StatusCode::BAD_REQUEST, "A running call can't be deleted.");
    }
    sandbox.with_account(&key, |account| account.drop_call(call.id));
    no_content()
}

pub(super) async fn messages(
    State(sandbox): State<Arc<Sandbox>>,
    Extension(Key(key)): Extension<Key>,
    Path(id): Path<String>,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
    params: Params,
) -> Response {
    let Some(call) = find(&sandbox, &key, &id) else {
        return missing();
    };
    let mut all = shapes::messages(&call);
    if param(&params, "mode") != Some("in_call") {
        // The last stage begins with the messages the call was created with.
        let initial = call.pick("initialMessages").and_then(Value::as_array).cloned().unwrap_or_default();
        all.splice(0..0, initial);
    }
    shown(&sandbox, &key, page(all, &params, &uri, &headers))
}

pub(super) async fn events(
    State(sandbox): State<Arc<Sandbox>>,
    Extension(Key(key)): Extension<Key>,
    Path(id): Path<String>,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
    params: Params,
) -> Response {
    let Some(call) = find(&sandbox, &key, &id) else {
        return missing();
    };
    let grades = ["debug", "info", "warning", "error"];
    let grade = |text: &str| grades.iter().position(|known| *known == text).unwrap_or(1);
    let least = grade(param(&params, "minimum_severity").unwrap_or("info"));
    let kind = param(&params, "type");
    let mut all = shapes::events(&call);
    all.retain(|event| {
        grade(event["severity"].as_str().unwrap_or("")) >= least && kind.is_none_or(|kind| event["type"] == kind)
    });
    Json(page(all, &params, &uri, &headers)).into_response()
}

pub(super) async fn stages(
    State(sandbox): State<Arc<Sandbox>>,
    Extension(Key(key)): Extension<Key>,
    Path(id): Path<String>,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
    params: Params,
) -> Response {
    let Some(call) = find(&sandbox, &key, &id) else {
        return missing();
    };
    Json(page(vec![shapes::stage(&call)], &params, &uri, &headers)).into_response()
}

/// An error page, longer than the head of a sound file.
const OOPS: &str =
    "<!DOCTYPE html><html><head><title>Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>";

/// The address of a recording after its time.
pub(super) async fn expired() -> Response {
    let body = "<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>";
    (StatusCode::FORBIDDEN, [(header::CONTENT_TYPE, "application/xml")], body).into_response()
}

/// A recording exists once a call that was joined has ended, if the call asked for one.
pub(super) async fn recording(
    State(sandbox): State<Arc<Sandbox>>,
    Extension(Key(key)): Extension<Key>,
    Path(id): Path<String>,
) -> Response {
    let Some(call) = find(&sandbox, &key, &id) else {
        return missing();
    };
    let wanted = call.pick("recordingEnabled").and_then(Value::as_bool).unwrap_or(false);
    let Some(heard) = call.heard().filter(|_| wanted && call.ended.is_some()) else {
        return missing();
    };
    let quirks = sandbox.settings_for(&key).quirks.clone();
    let asked = sandbox.with_account(&key, |account| {
        let call = account.calls.get_mut(&call.id)?;
        call.recording_asked += 1;
        Some(call.recording_asked)
    });
    if asked.is_some_and(|asked| asked <= quirks.recording_late) {
        return missing();
    }
    match quirks.no_sound {
        Some(NoSound::Page) => return ([(header::CONTENT_TYPE, "audio/wav")], OOPS).into_response(),
        Some(NoSound::Document) => return Json(json!({"detail": "Recording is being prepared."})).into_response(),
        Some(NoSound::Empty) => return ([(header::CONTENT_TYPE, "audio/wav")], "").into_response(),
        Some(NoSound::Expired) => {
            let to = format!("/ultravox/api/calls/{id}/expired");
            return (StatusCode::FOUND, [(header::LOCATION, to)]).into_response();
        }
        None => {}
    }
    let spoken =
        tokio::task::spawn_blocking(move || voice::recording(&call.conversation().turns, heard, &call.id.to_string()));
    match spoken.await {
        Ok(wav) => ([(header::CONTENT_TYPE, "audio/wav")], wav).into_response(),
        Err(_) => Provider::Ultravox.error(StatusCode::INTERNAL_SERVER_ERROR, "Internal error."),
    }
}

/// `hang_up` ends a live call. The messages that make an agent say something are taken and change nothing here.
pub(super) async fn send_data_message(
    State(sandbox): State<Arc<Sandbox>>,
    Extension(Key(key)): Extension<Key>,
    Path(id): Path<String>,
    body: Bytes,
) -> Response {
    let message = match object(&body) {
        Ok(message) => message,
        Err(why) => return unreadable(&why),
    };
    let Some(call) = find(&sandbox, &key, &id) else {
        return missing();
    };
    if call.joined.is_none() || call.ended.is_some() {
        return Provider::Ultravox.error(StatusCode::UNPROCESSABLE_ENTITY, "The call is not live.");
    }
    match message.get("type").and_then(Value::as_str) {
        Some("hang_up") => call.cut.cancel(),
        Some("user_text_message" | "forced_agent_message") => {}
        _ => return super::invalid("type", "Unknown data message type."),
    }
    no_content()
}
