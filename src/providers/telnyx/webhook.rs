//! Events that Telnyx sends. The signature is checked before, over the raw bytes: see `signature`.
//! Order is not guaranteed and duplicates happen: key on the event's id, order by its time.

use super::number::Order;
use super::{Kind, NAME, ProviderError};
use crate::telephony::NumberOrder;
use crate::voice::{CallDirection, words};
use crate::wire;
use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::Value;

/// One event with its typed content.
#[derive(Debug, Clone, PartialEq)]
pub struct TelnyxEvent {
    /// Unique; a duplicate has the same.
    pub id: String,
    /// The service's word, such as `call.hangup`.
    pub event_type: String,
    pub occurred_at: DateTime<Utc>,
    /// Which try of delivering it this is, from 1.
    pub attempt: Option<u32>,
    pub payload: TelnyxPayload,
}

/// What the event is about.
#[derive(Debug, Clone, PartialEq)]
pub enum TelnyxPayload {
    Call(Box<CallEvent>),
    NumberOrder(NumberOrder),
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
    Cost {
        is_known: bool,
        billed_seconds: Option<f64>,
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

impl TelnyxEvent {
    /// Reads the envelope `{"data": {…}, "meta": {…}}`. A payload of an odd shape is kept as unknown, so an event is
    /// lost only when the envelope itself can't be read.
    pub fn decode(body: &[u8]) -> Result<Self, ProviderError> {
        #[derive(Deserialize)]
        struct Envelope {
            data: Data,
            meta: Option<Meta>,
        }
        #[derive(Deserialize)]
        struct Data {
            event_type: String,
            id: String,
            #[serde(default, deserialize_with = "wire::time")]
            occurred_at: Option<DateTime<Utc>>,
            #[serde(default)]
            payload: Value,
        }
        #[derive(Deserialize)]
        struct Meta {
            attempt: Option<u32>,
        }
        let unreadable =
            |why: String| ProviderError::new(NAME, Kind::Garbage, format!("The event can't be read: {why}"));
        let Envelope { data, meta } = serde_json::from_slice(body).map_err(|e| unreadable(e.to_string()))?;
        Ok(Self {
            payload: payload(&data.event_type, data.payload),
            id: data.id,
            event_type: data.event_type,
            occurred_at: data.occurred_at.ok_or_else(|| unreadable("it has no time".to_owned()))?,
            attempt: meta.and_then(|m| m.attempt),
        })
    }
}

fn payload(event_type: &str, payload: Value) -> TelnyxPayload {
    let record = payload.get("record_type").and_then(Value::as_str);
    // The event's name for orders isn't fixed, so the record counts as well.
    if event_type.starts_with("number_order") || record == Some("number_order") {
        return match Order::deserialize(&payload) {
            Ok(order) => TelnyxPayload::NumberOrder(order.into()),
            Err(_) => TelnyxPayload::Unknown(payload),
        };
    }
    match event_type.starts_with("call.").then(|| Leg::deserialize(&payload)) {
        Some(Ok(leg)) => TelnyxPayload::Call(Box::new(leg.event(event_type, payload))),
        _ => TelnyxPayload::Unknown(payload),
    }
}

#[derive(Deserialize)]
struct Leg {
    call_control_id: Option<String>,
    call_leg_id: Option<String>,
    call_session_id: Option<String>,
    #[serde(default, deserialize_with = "wire::text")]
    connection_id: Option<String>,
    client_state: Option<String>,
    from: Option<String>,
    to: Option<String>,
    #[serde(default, deserialize_with = "wire::time")]
    start_time: Option<DateTime<Utc>>,
    direction: Option<String>,
    hangup_cause: Option<String>,
    hangup_source: Option<String>,
    #[serde(default, deserialize_with = "wire::text")]
    sip_hangup_cause: Option<String>,
    result: Option<String>,
    recording_urls: Option<Files>,
    #[serde(default, deserialize_with = "wire::time")]
    recording_ended_at: Option<DateTime<Utc>>,
    status: Option<String>,
    billed_duration_secs: Option<f64>,
    #[serde(default, deserialize_with = "wire::decimal")]
    total_cost: Option<Decimal>,
}

#[derive(Deserialize)]
struct Files {
    mp3: Option<String>,
    wav: Option<String>,
}

impl Leg {
    fn event(self, event_type: &str, payload: Value) -> CallEvent {
        let result = self.result.unwrap_or_default();
        let is_premium = event_type.contains(".premium.");
        let kind = match event_type {
            "call.initiated" => CallEventKind::Initiated {
                direction: match self.direction.as_deref() {
                    Some("incoming") => CallDirection::Inbound,
                    _ => CallDirection::Outbound,
                },
            },
            "call.answered" => CallEventKind::Answered,
            "call.hangup" => CallEventKind::Hangup {
                cause: self.hangup_cause.as_deref().unwrap_or("unspecified").into(),
                source: self.hangup_source,
                sip_cause: self.sip_hangup_cause,
            },
            "call.machine.detection.ended" | "call.machine.premium.detection.ended" => {
                CallEventKind::MachineDetected { result, is_premium }
            }
            "call.machine.greeting.ended" | "call.machine.premium.greeting.ended" => {
                CallEventKind::GreetingEnded { result, is_premium }
            }
            "call.recording.saved" => {
                let files = self.recording_urls.unwrap_or(Files { mp3: None, wav: None });
                CallEventKind::RecordingSaved { mp3: files.mp3, wav: files.wav, ended: self.recording_ended_at }
            }
            "call.cost" => CallEventKind::Cost {
                is_known: self.status.as_deref() == Some("success"),
                billed_seconds: self.billed_duration_secs,
                total: self.total_cost,
            },
            _ => CallEventKind::Other(payload),
        };
        CallEvent {
            call_control_id: self.call_control_id,
            call_leg_id: self.call_leg_id,
            call_session_id: self.call_session_id,
            connection_id: self.connection_id,
            client_state: self.client_state,
            from: self.from,
            to: self.to,
            started: self.start_time,
            kind,
        }
    }
}
