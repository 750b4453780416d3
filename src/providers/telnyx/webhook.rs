//! Events that Telnyx sends. The signature is checked before, over the raw bytes: see `signature`.
//! Order is not guaranteed and duplicates happen: key on the event's id, order by its time.

use super::number::Order;
use super::{Kind, NAME, ProviderError};
use crate::json as readable;
use crate::telephony::NumberOrder;
use crate::text::TextEvent;
use crate::voice::{CallDirection, words};
use crate::wire::{Fields, Remarks, count_of};
use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// One event with its typed content.
#[derive(Debug, Clone, PartialEq)]
pub struct TelnyxEvent {
    /// Unique; a duplicate has the same.
    pub id: String,
    /// The service's word, such as `call.hangup`.
    pub event_type: String,
    pub occurred_at: Option<DateTime<Utc>>,
    /// Which try of delivering it this is, from 1.
    pub attempt: Option<u64>,
    pub payload: TelnyxPayload,
    /// Fields that could not be read and were left out, for people.
    pub remarks: Vec<String>,
}

/// What the event is about.
#[derive(Debug, Clone, PartialEq)]
pub enum TelnyxPayload {
    Call(Box<CallEvent>),
    NumberOrder(NumberOrder),
    /// A text message that came in, or what became of one.
    Text(Box<TextEvent>),
    /// Kept as it came.
    Unknown(Value),
}

/// Something that happened to a call leg.
#[derive(Debug, Clone, PartialEq)]
pub struct CallEvent {
    /// Absent on recordings.
    pub call_control_id: Option<String>,
    pub call_leg_id: Option<String>,
    pub call_session_id: Option<String>,
    pub connection_id: Option<String>,
    /// Base64, as it was given when dialling.
    pub client_state: Option<String>,
    pub from: Option<String>,
    pub to: Option<String>,
    pub started: Option<DateTime<Utc>>,
    pub kind: CallEventKind,
}

/// What happened.
#[derive(Debug, Clone, PartialEq)]
pub enum CallEventKind {
    Initiated {
        direction: CallDirection,
    },
    Answered,
    /// Joined with another leg.
    Bridged,
    Hangup {
        cause: HangupCause,
        source: Option<String>,
        sip_cause: Option<String>,
    },
    /// Person or machine. `result` is the service's word.
    MachineDetected {
        result: String,
        is_premium: bool,
    },
    /// An answering machine's greeting is over. `result` is the service's word.
    GreetingEnded {
        result: String,
        is_premium: bool,
    },
    RecordingSaved {
        mp3: Option<String>,
        wav: Option<String>,
        ended: Option<DateTime<Utc>>,
    },
    /// What the leg cost. Names no numbers, only the leg and its session.
    Cost {
        billed_seconds: Option<f64>,
        /// USD; `None` when the service doesn't know it, or says it in another currency.
        total: Option<Decimal>,
    },
    /// A kind this version doesn't know; the payload as it came.
    Other(Value),
}

words! {
    /// Why a leg ended.
    HangupCause {
        CallRejected = "call_rejected",
        NormalClearing = "normal_clearing",
        OriginatorCancel = "originator_cancel",
        Timeout = "timeout",
        TimeLimit = "time_limit",
        UserBusy = "user_busy",
        NotFound = "not_found",
        NoAnswer = "no_answer",
        Unspecified = "unspecified",
    }
}

/// The document of an event. Applications that are told what to do in XML report their calls as forms: these become the same document
/// with what the form says. Errors: why it is neither.
pub fn document(body: &[u8]) -> Result<Value, String> {
    readable::read(body).or_else(|why| of_form(body).ok_or(why))
}

/// The names of a form's fields, and what a payload calls them.
const FORM_FIELDS: [(&str, &str); 9] = [
    ("CallControlId", "call_control_id"),
    ("CallLegId", "call_leg_id"),
    ("CallSessionId", "call_session_id"),
    ("ConnectionId", "connection_id"),
    ("From", "from"),
    ("To", "to"),
    ("CallInitiatedAt", "start_time"),
    ("HangupCause", "hangup_cause"),
    ("HangupSource", "hangup_source"),
];

fn of_form(body: &[u8]) -> Option<Value> {
    let form: BTreeMap<String, String> = url::form_urlencoded::parse(body)
        .map(|(name, value)| (readable::clean_text(&name), readable::clean_text(&value)))
        .collect();
    let (sid, status) = (form.get("CallSid")?, form.get("CallStatus")?);
    let (kind, cause) = match status.as_str() {
        "initiated" => ("call.initiated".to_owned(), None),
        "in-progress" => ("call.answered".to_owned(), None),
        "completed" => ("call.hangup".to_owned(), Some("normal_clearing")),
        "no-answer" => ("call.hangup".to_owned(), Some("no_answer")),
        "busy" => ("call.hangup".to_owned(), Some("user_busy")),
        "canceled" => ("call.hangup".to_owned(), Some("originator_cancel")),
        "failed" => ("call.hangup".to_owned(), Some("unspecified")),
        other => (format!("call.{other}"), None),
    };
    let mut payload = Map::new();
    if let Some(cause) = cause {
        payload.insert("hangup_cause".to_owned(), cause.into());
    }
    let named = FORM_FIELDS.iter().filter_map(|(name, ours)| Some((*ours, form.get(*name)?)));
    payload.extend(named.filter(|(_, value)| !value.is_empty()).map(|(ours, value)| (ours.to_owned(), json!(value))));
    // Where nothing else is said, the call's id is the one by which it is commanded.
    payload.entry("call_control_id").or_insert_with(|| json!(sid));
    let number = form.get("SequenceNumber").map_or("", String::as_str);
    Some(json!({"data": {
        "event_type": kind,
        "id": format!("{sid}:{status}:{number}"),
        "occurred_at": form.get("Timestamp"),
        "payload": payload,
    }, "form": form}))
}

impl TelnyxEvent {
    /// Reads the bytes of an event.
    pub fn decode(body: &[u8]) -> Result<Self, ProviderError> {
        Self::read(&document(body).map_err(|why| unreadable(&why))?)
    }

    /// Reads the envelope `{"data": {…}, "meta": {…}}`. Only the event's name has to be there; a payload of an odd shape is kept as
    /// unknown.
    pub fn read(document: &Value) -> Result<Self, ProviderError> {
        let mut remarks = Remarks::new();
        let envelope = Fields::of(document);
        let data = envelope.inner("data", "data.", &mut remarks);
        let event_type =
            data.id("event_type", &mut remarks).ok_or_else(|| unreadable("It doesn't say what happened"))?;
        let occurred_at = data.time("occurred_at", &mut remarks);
        let meta = envelope.inner("meta", "meta.", &mut remarks);
        Ok(Self {
            payload: payload(&event_type, data.get("payload").unwrap_or(&Value::Null), &mut remarks),
            id: data.id("id", &mut remarks).unwrap_or_default(),
            event_type,
            occurred_at,
            attempt: meta.get("attempt").and_then(count_of),
            remarks,
        })
    }
}

fn unreadable(why: &str) -> ProviderError {
    ProviderError::new(NAME, Kind::Garbage, format!("The event can't be read: {why}"))
}

fn payload(event_type: &str, payload: &Value, remarks: &mut Remarks) -> TelnyxPayload {
    let record = payload.get("record_type").and_then(Value::as_str);
    // The event's name for orders isn't fixed, so the record counts as well.
    if event_type.starts_with("number_order") || record == Some("number_order") {
        return match Order::deserialize(payload) {
            Ok(order) => TelnyxPayload::NumberOrder(order.into()),
            Err(_) => TelnyxPayload::Unknown(payload.clone()),
        };
    }
    if let Some(text) = super::message::read(event_type, payload, remarks) {
        return TelnyxPayload::Text(Box::new(text));
    }
    match event_type.starts_with("call.") && payload.is_object() {
        true => TelnyxPayload::Call(Box::new(call_event(event_type, payload, remarks))),
        false => TelnyxPayload::Unknown(payload.clone()),
    }
}

fn call_event(event_type: &str, payload: &Value, remarks: &mut Remarks) -> CallEvent {
    let leg = Fields::of(payload);
    CallEvent {
        call_control_id: leg.id("call_control_id", remarks),
        call_leg_id: leg.id("call_leg_id", remarks),
        call_session_id: leg.id("call_session_id", remarks),
        connection_id: leg.id("connection_id", remarks),
        client_state: leg.text("client_state", remarks),
        from: leg.id("from", remarks),
        to: leg.id("to", remarks),
        started: leg.time("start_time", remarks),
        kind: call_event_kind(event_type, leg, remarks).unwrap_or_else(|| CallEventKind::Other(payload.clone())),
    }
}

/// `None`: a kind that this version doesn't know.
fn call_event_kind(event_type: &str, leg: Fields<'_>, remarks: &mut Remarks) -> Option<CallEventKind> {
    let is_premium = event_type.contains(".premium.");
    let result = |remarks: &mut Remarks| leg.text("result", remarks).unwrap_or_default();
    Some(match event_type {
        "call.initiated" => CallEventKind::Initiated {
            direction: match leg.text("direction", remarks).as_deref() {
                Some("incoming") => CallDirection::Inbound,
                _ => CallDirection::Outbound,
            },
        },
        "call.answered" => CallEventKind::Answered,
        "call.bridged" => CallEventKind::Bridged,
        "call.hangup" => CallEventKind::Hangup {
            cause: leg.text("hangup_cause", remarks).as_deref().unwrap_or("unspecified").into(),
            source: leg.text("hangup_source", remarks),
            sip_cause: leg.text("sip_hangup_cause", remarks),
        },
        "call.machine.detection.ended" | "call.machine.premium.detection.ended" => {
            CallEventKind::MachineDetected { result: result(remarks), is_premium }
        }
        "call.machine.greeting.ended" | "call.machine.premium.greeting.ended" => {
            CallEventKind::GreetingEnded { result: result(remarks), is_premium }
        }
        "call.recording.saved" => {
            let files = leg.inner("recording_urls", "recording_urls.", remarks);
            CallEventKind::RecordingSaved {
                mp3: files.text("mp3", remarks),
                wav: files.text("wav", remarks),
                ended: leg.time("recording_ended_at", remarks),
            }
        }
        "call.cost" => CallEventKind::Cost {
            billed_seconds: leg.seconds("billed_duration_secs", remarks),
            total: total(leg, remarks),
        },
        _ => return None,
    })
}

/// A call's price. The event names no currency for it, only for its parts.
fn total(leg: Fields<'_>, remarks: &mut Remarks) -> Option<Decimal> {
    let total = leg.decimal("total_cost", remarks);
    let parts = leg.get("cost_parts").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let foreign = parts
        .iter()
        .filter_map(|part| part.get("currency")?.as_str())
        .find(|currency| !currency.trim().eq_ignore_ascii_case("USD"));
    if let Some(currency) = foreign {
        let currency: String = currency.chars().take(10).collect();
        remarks.push(format!("the cost is in {currency} and not in US dollars, so it was left out"));
        return None;
    }
    if leg.text("status", remarks).is_some_and(|status| status != "success") {
        remarks.push("the carrier could not tell the cost".to_owned());
        return None;
    }
    // What would not fit a price is none.
    let fits = |cost: &Decimal| !cost.is_sign_negative() && *cost < Decimal::from(1_000_000);
    if total.is_some_and(|cost| !fits(&cost)) {
        remarks.push("total_cost is no price of a call".to_owned());
    }
    total.filter(fits)
}
