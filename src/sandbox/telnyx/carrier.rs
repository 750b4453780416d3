//! Events of the telephone leg under a call, and the key they are signed with.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use uuid::Uuid;

use super::leg_ids;
use crate::call::{Answer, Call};
use crate::carriers::carrier_of;
use crate::clock::iso;
use crate::delivery::{Delivery, Signature, send};
use crate::rng::Rng;
use crate::state::Sandbox;
use crate::ultravox::shapes::billed_seconds;

/// US dollars for a minute.
const PRICE: f64 = 0.007;

/// The seed of an account's Ed25519 key: always the same for the same sandbox seed and API key.
pub(crate) fn signing_seed(sandbox: &Sandbox, key: &str) -> [u8; 32] {
    Rng::new(sandbox.settings().seed, &format!("carrier:{key}")).bytes32()
}

pub(crate) fn initiated(sandbox: &Arc<Sandbox>, key: &str, call: &Call) {
    let extra = json!({
        "direction": if call.inbound { "incoming" } else { "outgoing" },
        "state": if call.inbound { "parked" } else { "bridging" },
        "caller_id_name": call.from,
        "tags": [],
        "custom_headers": [],
    });
    event(sandbox, key, call, "call.initiated", 0.0, extra);
}

pub(crate) fn answered(sandbox: &Arc<Sandbox>, key: &str, call: &Call) {
    let extra = json!({"state": "answered", "codec": "PCMU", "sampling_rate": 8000, "tags": [], "custom_headers": []});
    event(sandbox, key, call, "call.answered", call.joined.unwrap_or(0.0), extra);
}

pub(crate) fn hung_up(sandbox: &Arc<Sandbox>, key: &str, call: &Call) {
    let by_agent = call.end_reason == Some("agent_hangup");
    let (cause, source, sip) = match call.plan.answer {
        _ if call.plan.sip_reason == "CANCELED" => ("originator_cancel", "caller", "487"),
        Answer::Nobody => ("timeout", "caller", "487"),
        Answer::Busy => ("user_busy", "callee", "486"),
        Answer::Declined => ("call_rejected", "callee", "603"),
        Answer::Unknown => ("not_found", "unknown", "404"),
        Answer::Dropped => ("unspecified", "unknown", "unspecified"),
        Answer::Person | Answer::Machine if call.end_reason == Some("timeout") => ("time_limit", "caller", "200"),
        Answer::Person | Answer::Machine => {
            ("normal_clearing", if by_agent == call.inbound { "callee" } else { "caller" }, "200")
        }
    };
    let extra = json!({"state": "hangup", "hangup_cause": cause, "hangup_source": source, "sip_hangup_cause": sip});
    event(sandbox, key, call, "call.hangup", call.ended.unwrap_or(0.0), extra);
}

pub(crate) fn cost(sandbox: &Arc<Sandbox>, key: &str, call: &Call) {
    let talk = call.joined.zip(call.ended).map_or(0.0, |(joined, ended)| ended - joined);
    let billed = billed_seconds(talk);
    let total = format!("{:.4}", billed as f64 / 60.0 * PRICE);
    let part = json!({
        "call_part": "sip-trunking",
        "cost": total,
        "rate": format!("{PRICE:.4}"),
        "currency": "USD",
        "billed_duration_secs": billed,
    });
    let at = call.ended.unwrap_or(0.0) + call.plan.billing;
    let extra = json!({
        "status": "success",
        "billed_duration_secs": billed,
        "total_cost": total,
        "cost_parts": [part],
        "occurred_at": iso(call.clock.at(at)),
    });
    event(sandbox, key, call, "call.cost", at, extra);
}

/// What goes to the carrier with the request to dial, in the carrier's own words.
fn outgoing(call: &Call) -> Option<&Value> {
    let medium = call.pick("medium")?.as_object()?;
    medium.values().find_map(|way| way.get("outgoing")?.get("additionalParams"))
}

/// The text the dialler asked to get back in every event.
pub(super) fn client_state(call: &Call) -> Option<String> {
    let extra = outgoing(call)?;
    ["client_state", "ClientState"].iter().find_map(|name| extra.get(name)?.as_str()).map(str::to_owned)
}

/// Tells as the application's forms do, where the dialler asked for that.
fn tell_by_form(sandbox: &Arc<Sandbox>, key: &str, call: &Call, kind: &str, offset: f64, cause: Option<&str>) {
    let url = outgoing(call).and_then(|extra| extra.get("StatusCallback")?.as_str().map(str::to_owned));
    let (Some(url), Some((status, number))) = (url, super::transfer::status_form(kind, cause)) else { return };
    let (control, ..) = leg_ids(call);
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let fields = [
        ("AccountSid", key.to_owned()),
        ("CallSid", control),
        ("CallStatus", status.to_owned()),
        ("CallbackSource", "call-progress-events".to_owned()),
        ("From", text(&call.from)),
        ("To", text(&call.to)),
        ("Timestamp", iso(call.clock.at(offset))),
        ("SequenceNumber", number.to_string()),
    ];
    let fields: Vec<(String, String)> = fields.map(|(name, value)| (name.to_owned(), value)).into();
    let carrier_key =
        sandbox.with_account(key, |account| account.carrier_key.clone()).unwrap_or_else(|| key.to_owned());
    let (too, sent_for) = (sandbox.clone(), carrier_key);
    sandbox.begin(key, async move {
        too.post_form(&sent_for, &url, &fields).await;
    });
}

fn event(sandbox: &Arc<Sandbox>, key: &str, call: &Call, kind: &str, offset: f64, extra: Value) {
    // A browser call has no telephone leg.
    let (Some(to), Some(from)) = (&call.to, &call.from) else {
        return;
    };
    if let Some(carrier) = carrier_of(call) {
        // They tell the end alone, and what it cost only when they are asked.
        if kind == "call.hangup" {
            crate::carriers::tell(sandbox, key, call, carrier, extra["hangup_cause"].as_str().unwrap_or_default());
        }
        return;
    }
    let (control, leg, session) = leg_ids(call);
    tell_by_form(sandbox, key, call, kind, offset, extra["hangup_cause"].as_str());
    let mut payload = json!({
        "call_control_id": control,
        "call_leg_id": leg,
        "call_session_id": session,
        "connection_id": connection_id(sandbox, key, call),
        "client_state": client_state(call),
        "from": from,
        "to": to,
        "start_time": iso(call.clock.at(0.0)),
    });
    if let (Some(payload), Value::Object(extra)) = (payload.as_object_mut(), extra) {
        if kind == "call.cost" {
            // It names the leg and its session, and no numbers.
            payload.retain(|name, _| !matches!(name.as_str(), "from" | "to" | "start_time"));
        }
        payload.extend(extra);
    }
    let carrier_key =
        sandbox.with_account(key, |account| account.carrier_key.clone()).unwrap_or_else(|| key.to_owned());
    send_event(sandbox, &carrier_key, kind, call.clock.at(offset), payload);
}

/// The connection of our own number, or the account's first one.
fn connection_id(sandbox: &Sandbox, key: &str, call: &Call) -> Option<String> {
    let carrier_key =
        sandbox.with_account(key, |account| account.carrier_key.clone()).unwrap_or_else(|| key.to_owned());
    let ours = if call.inbound { &call.to } else { &call.from };
    sandbox.with_account(&carrier_key, |account| {
        let number = account.numbers.values().find(|number| number["phone_number"].as_str() == ours.as_deref());
        number
            .and_then(|number| number["connection_id"].as_str())
            .map(str::to_owned)
            .or_else(|| account.connections.keys().next().cloned())
    })
}

/// Signs and sends one carrier event, if the account has said where to.
pub(super) fn send_event(sandbox: &Arc<Sandbox>, carrier_key: &str, kind: &str, at: DateTime<Utc>, payload: Value) {
    let Some(url) = sandbox.with_account(carrier_key, |account| account.carrier_url.clone()) else {
        return;
    };
    let id = Uuid::new_v4().to_string();
    let body = json!({
        "data": {"record_type": "event", "event_type": kind, "id": id, "occurred_at": iso(at), "payload": payload},
    });
    send(
        sandbox,
        Delivery {
            key: carrier_key.to_owned(),
            url,
            event: kind.to_owned(),
            event_id: id,
            body,
            signature: Signature::Telnyx(signing_seed(sandbox, carrier_key)),
            webhook_id: None,
        },
    );
}
