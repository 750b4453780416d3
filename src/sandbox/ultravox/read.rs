//! Reading one call, and ending or deleting it.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{OriginalUri, Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde_json::{Value, json};
use uuid::Uuid;

use super::paging::{Params, page, param};
use super::{missing, shapes, unreadable};
use crate::call::Call;
use crate::gate::{Key, Provider, no_content, object};
use crate::past::Teller;
use crate::settings::NoSound;
use crate::state::Sandbox;
use crate::voice;

/// The call, copied out from under the lock.
fn find(sandbox: &Sandbox, key: &str, id: &str) -> Option<Call> {
    let id: Uuid = id.parse().ok()?;
    let settings = sandbox.settings_for(key);
    let (live, teller) = sandbox.with_account(key, |account| match account.calls.get(&id) {
        Some(call) => (Some(call.clone()), None),
        None => (None, Some(Teller::of(account, settings))),
    });
    live.or_else(|| teller?.find(id))
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
    let was_of_this_time = sandbox.with_account(&key, |account| {
        let is_of_this_time = account.drop_call(call.id);
        if !is_of_this_time {
            Arc::make_mut(&mut account.past).forget(call.id);
        }
        is_of_this_time
    });
    if was_of_this_time {
        sandbox.keep_deletion(&key, call.id);
    }
    sandbox.keep();
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
        Some("user_text_message") => {
            let Some(text) = message.get("text").and_then(Value::as_str) else {
                return super::invalid("text", "This field is required.");
            };
            sandbox.with_account(&key, |account| account.told.push(text.to_owned()));
        }
        Some("forced_agent_message") => {}
        _ => return super::invalid("type", "Unknown data message type."),
    }
    no_content()
}
