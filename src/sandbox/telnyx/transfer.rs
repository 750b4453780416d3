//! A leg that is given to a person: somebody is rung on a second leg, and the two are joined when they answer. How it goes is in the number's
//! last digits, as with calls.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::{Extension, Router, routing::post};
use serde_json::{Map, Value, json};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::carrier::signing_seed;
use super::{find_leg, missing, one, unprocessable};
use crate::call::{Answer, answer_of};
use crate::clock::{CallClock, iso};
use crate::delivery::{Delivery, Signature, send};
use crate::gate::{Key, Provider, object};
use crate::rng::Rng;
use crate::state::Sandbox;
use crate::ultravox::shapes::billed_seconds;
use patchbay_providers::telnyx::state_of;

/// US dollars for a minute.
const PRICE: f64 = 0.007;
/// How long an unanswered leg rings when nothing is said.
const USUAL_RING: f64 = 30.0;
/// How long the two talk, from and to, in seconds.
const TALK: [f64; 2] = [40.0, 180.0];

pub(super) fn routes() -> Router<Arc<Sandbox>> {
    Router::new()
        .route("/calls/{call_control_id}/actions/transfer", post(transfer))
        .route("/calls/{call_control_id}/actions/streaming_stop", post(streaming_stop))
}

/// A person's leg.
struct Second {
    key: String,
    control: String,
    leg: Uuid,
    session: Uuid,
    to: String,
    from: String,
    client_state: Option<String>,
    url: Option<String>,
    clock: CallClock,
    /// Cancelled when somebody is told to hang it up.
    cut: CancellationToken,
}

async fn transfer(
    State(sandbox): State<Arc<Sandbox>>,
    Extension(Key(key)): Extension<Key>,
    Path(control_id): Path<String>,
    body: Bytes,
) -> Response {
    let given = match object(&body) {
        Ok(given) => given,
        Err(message) => return Provider::Telnyx.error(StatusCode::BAD_REQUEST, &message),
    };
    let text = |name: &str| given.get(name).and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned);
    let state = text("target_leg_client_state");
    let (Some(to), Some(from)) = (text("to"), text("from")) else { return unprocessable("to and from are required.") };
    if state.as_deref().is_some_and(|state| state_of(state).is_none()) {
        return unprocessable("target_leg_client_state must be base64.");
    }
    let Some((call, session)) = find_leg(&sandbox, &key, &control_id) else { return missing() };
    if call.ended.is_some() {
        return unprocessable("This call is no longer active and can't receive commands.");
    }
    let ok = || one(StatusCode::OK, json!({"result": "ok"}));
    if is_repeated(&sandbox, &key, &given) {
        return ok();
    }
    let settings = sandbox.settings_for(&key);
    let mut rng = sandbox.rng(&format!("transfer:{to}"));
    let patience = given.get("timeout_secs").and_then(Value::as_f64).unwrap_or(USUAL_RING);
    let answer = answer_of(&to, &settings, &mut rng);
    let is_answered = matches!(answer, Answer::Person | Answer::Machine | Answer::Dropped);
    let ring = match answer {
        Answer::Nobody => patience,
        Answer::Busy | Answer::Unknown => rng.between([0.5, 2.0]),
        _ => rng.between(settings.ring_secs).min(patience),
    };
    let talk = if is_answered { rng.between(TALK) } else { 0.0 };
    let cut = CancellationToken::new();
    let second = Second {
        control: format!("v3:{}", Uuid::new_v4().simple()),
        leg: Uuid::new_v4(),
        session,
        to: to.clone(),
        from,
        client_state: state,
        url: text("webhook_url").or_else(|| sandbox.with_account(&key, |account| account.carrier_url.clone())),
        clock: CallClock::start(None, settings.speed.max(0.01), ring + talk),
        cut: cut.clone(),
        key: key.clone(),
    };
    sandbox.with_account(&key, |account| {
        account.second_legs.insert(second.control.clone(), cut);
        account.rung.push(to);
    });
    let (id, sandbox_too) = (call.id, sandbox.clone());
    sandbox.begin(&key, async move {
        live(&sandbox_too, &second, id, &call.cut, answer, ring, talk).await;
        sandbox_too.with_account(&second.key, |account| account.second_legs.remove(&second.control));
    });
    ok()
}

/// The same command for the second time is none.
fn is_repeated(sandbox: &Sandbox, key: &str, given: &Map<String, Value>) -> bool {
    let Some(command) = given.get("command_id").and_then(Value::as_str) else { return false };
    !sandbox.with_account(key, |account| account.commands.insert(command.to_owned()))
}

async fn live(
    sandbox: &Arc<Sandbox>,
    leg: &Second,
    call: Uuid,
    caller: &CancellationToken,
    answer: Answer,
    ring: f64,
    talk: f64,
) {
    let hung_up = |at: f64, cause: &str, source: &str, sip: &str| {
        let how = json!({"state": "hangup", "hangup_cause": cause, "hangup_source": source, "sip_hangup_cause": sip});
        tell(sandbox, leg, "call.hangup", at, how);
        cost(sandbox, leg, (at - ring).max(0.0), at);
    };
    tell(sandbox, leg, "call.initiated", 0.0, json!({"direction": "outgoing", "state": "bridging"}));
    let left = tokio::select! {
        () = tokio::time::sleep_until(leg.clock.instant(ring)) => false,
        () = caller.cancelled() => true,
        () = leg.cut.cancelled() => true,
        () = sandbox.shutdown.cancelled() => return,
    };
    let is_over = || {
        let state = sandbox.state();
        !state.accounts.values().any(|account| account.calls.get(&call).is_some_and(|call| call.ended.is_none()))
    };
    if left || is_over() {
        return hung_up(leg.clock.elapsed().min(ring), "originator_cancel", "caller", "487");
    }
    match answer {
        Answer::Nobody => return hung_up(ring, "timeout", "caller", "487"),
        Answer::Busy => return hung_up(ring, "user_busy", "callee", "486"),
        Answer::Declined => return hung_up(ring, "call_rejected", "callee", "603"),
        Answer::Unknown => return hung_up(ring, "not_found", "unknown", "404"),
        Answer::Person | Answer::Machine | Answer::Dropped => {}
    }
    tell(sandbox, leg, "call.answered", ring, json!({"state": "answered"}));
    tell(sandbox, leg, "call.bridged", ring, json!({"state": "bridged"}));
    let at = tokio::select! {
        () = tokio::time::sleep_until(leg.clock.instant(ring + talk)) => ring + talk,
        () = leg.cut.cancelled() => leg.clock.elapsed(),
        () = sandbox.shutdown.cancelled() => return,
    };
    hung_up(at, "normal_clearing", "callee", "200");
    // The caller's leg ends with it.
    caller.cancel();
}

fn tell(sandbox: &Arc<Sandbox>, leg: &Second, kind: &str, at: f64, more: Value) {
    let Some(url) = leg.url.clone() else { return };
    let mut payload = json!({
        "call_control_id": leg.control,
        "call_leg_id": leg.leg,
        "call_session_id": leg.session,
        "connection_id": null,
        "client_state": leg.client_state,
    });
    if let (Some(payload), Value::Object(more)) = (payload.as_object_mut(), more) {
        if kind != "call.cost" {
            payload.insert("from".to_owned(), json!(leg.from));
            payload.insert("to".to_owned(), json!(leg.to));
            payload.insert("start_time".to_owned(), json!(iso(leg.clock.at(0.0))));
        }
        payload.extend(more);
    }
    let id = Uuid::new_v4().to_string();
    let body = json!({"data": {
        "record_type": "event", "event_type": kind, "id": id, "occurred_at": iso(leg.clock.at(at)), "payload": payload,
    }});
    let signature = Signature::Telnyx(signing_seed(sandbox, &leg.key));
    let delivery =
        Delivery { key: leg.key.clone(), url, event: kind.to_owned(), event_id: id, body, signature, webhook_id: None };
    send(sandbox, delivery);
}

fn cost(sandbox: &Arc<Sandbox>, leg: &Second, talked: f64, at: f64) {
    let billed = billed_seconds(talked);
    let total = format!("{:.4}", billed as f64 / 60.0 * PRICE);
    let part = json!({"call_part": "call-control", "cost": total, "rate": format!("{PRICE:.4}"), "currency": "USD", "billed_duration_secs": billed});
    let told = json!({"status": "success", "billed_duration_secs": billed, "total_cost": total, "cost_parts": [part]});
    tell(sandbox, leg, "call.cost", at, told);
}

/// Whoever listens and speaks on the leg is gone; the leg stays.
async fn streaming_stop(
    State(sandbox): State<Arc<Sandbox>>,
    Extension(Key(key)): Extension<Key>,
    Path(control_id): Path<String>,
    body: Bytes,
) -> Response {
    let given = match object(&body) {
        Ok(given) => given,
        Err(message) => return Provider::Telnyx.error(StatusCode::BAD_REQUEST, &message),
    };
    let Some((call, _)) = find_leg(&sandbox, &key, &control_id) else { return missing() };
    if !is_repeated(&sandbox, &key, &given) {
        if call.ended.is_some() {
            return unprocessable("This call is no longer active and can't receive commands.");
        }
        call.cut.cancel();
    }
    one(StatusCode::OK, json!({"result": "ok"}))
}

/// The form in which an application that speaks XML is told how a leg goes, in the words that are documented. None: it is not told this.
pub(super) fn status_form(kind: &str, cause: Option<&str>) -> Option<(&'static str, u32)> {
    Some(match (kind, cause) {
        ("call.initiated", _) => ("initiated", 0),
        ("call.answered", _) => ("in-progress", 2),
        ("call.hangup", Some("timeout" | "no_answer")) => ("no-answer", 9),
        ("call.hangup", Some("user_busy")) => ("busy", 9),
        ("call.hangup", Some("originator_cancel")) => ("canceled", 9),
        ("call.hangup", Some("normal_clearing" | "time_limit")) => ("completed", 9),
        ("call.hangup", _) => ("failed", 9),
        _ => return None,
    })
}

/// The session of a leg that came in, by its id.
pub(super) fn session_of(sid: &str) -> Uuid {
    let mut rng = Rng::new(23, sid);
    let _leg = rng.uuid();
    rng.uuid()
}
