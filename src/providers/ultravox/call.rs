//! Calls and messages as Ultravox writes them. Unknown fields are ignored, unknown words are kept.

use crate::voice::{CallDirection, EndReason, SipTermination, VoiceCall, VoiceMessage};
use crate::wire;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Call {
    call_id: String,
    #[serde(deserialize_with = "must_be_time")]
    created: DateTime<Utc>,
    #[serde(default, deserialize_with = "wire::time")]
    joined: Option<DateTime<Utc>>,
    #[serde(default, deserialize_with = "wire::time")]
    ended: Option<DateTime<Utc>>,
    end_reason: Option<String>,
    #[serde(default, deserialize_with = "wire::seconds")]
    billed_duration: Option<f64>,
    billing_status: Option<String>,
    agent_id: Option<String>,
    agent: Option<Agent>,
    sip_details: Option<SipDetails>,
    medium: Option<Map<String, Value>>,
    request_context: Option<Value>,
    metadata: Option<Map<String, Value>>,
    join_url: Option<String>,
    summary: Option<String>,
    short_summary: Option<String>,
    recording_enabled: Option<bool>,
    model: Option<String>,
    voice: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Agent {
    agent_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SipDetails {
    #[serde(default, deserialize_with = "wire::seconds")]
    billed_duration: Option<f64>,
    termination_reason: Option<String>,
}

impl From<Call> for VoiceCall {
    fn from(call: Call) -> Self {
        let (direction, to, from) = ends(call.medium.as_ref(), call.request_context.as_ref());
        let billing_status = call.billing_status.unwrap_or_default();
        let sip = call.sip_details.unwrap_or(SipDetails { billed_duration: None, termination_reason: None });
        VoiceCall {
            id: call.call_id,
            agent_id: call.agent_id.or(call.agent.and_then(|a| a.agent_id)),
            created: call.created,
            joined: call.joined,
            ended: call.ended,
            end_reason: call.end_reason.as_deref().map(EndReason::from),
            sip_termination: sip.termination_reason.as_deref().map(SipTermination::from),
            billed_seconds: call.billed_duration,
            sip_billed_seconds: sip.billed_duration,
            is_billing_settled: !matches!(
                billing_status.as_str(),
                "" | "BILLING_STATUS_PENDING" | "BILLING_STATUS_UNSPECIFIED"
            ),
            billing_status,
            direction,
            to,
            from,
            metadata: call.metadata.unwrap_or_default().into_iter().map(|(k, v)| (k, plain(v))).collect(),
            join_url: call.join_url,
            summary: call.summary,
            short_summary: call.short_summary,
            is_recorded: call.recording_enabled.unwrap_or(false),
            model: call.model,
            voice: call.voice,
        }
    }
}

/// Calls have no number fields. Outgoing numbers stand in the medium; incoming ones, if anywhere, in the context of
/// the request that brought the call.
fn ends(
    medium: Option<&Map<String, Value>>,
    context: Option<&Value>,
) -> (CallDirection, Option<String>, Option<String>) {
    let phone = medium.and_then(|m| {
        m.iter().find(|(key, value)| {
            matches!(key.as_str(), "telnyx" | "twilio" | "plivo" | "exotel" | "sip") && !value.is_null()
        })
    });
    let Some((_, way)) = phone else {
        return (CallDirection::Web, None, None);
    };
    if let Some(outgoing) = way.get("outgoing").filter(|o| o.is_object()) {
        let number = |name: &str| outgoing.get(name).and_then(Value::as_str).and_then(bare_number);
        return (CallDirection::Outbound, number("to"), number("from"));
    }
    let number = |name: &str| context.and_then(|c| find_text(c, name)).and_then(bare_number);
    (CallDirection::Inbound, number("to"), number("from"))
}

/// `sip:+13125550111@host;user=phone` becomes `+13125550111`.
fn bare_number(text: &str) -> Option<String> {
    let text = text.strip_prefix("sips:").or(text.strip_prefix("sip:")).unwrap_or(text);
    let number = text.split(['@', ';', '<']).next().unwrap_or_default().trim();
    (!number.is_empty()).then(|| number.to_owned())
}

/// A text by its name in any case, here or one level down.
fn find_text<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    let fields = value.as_object()?;
    let here = fields.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).and_then(|(_, v)| v.as_str());
    here.or_else(|| {
        let inner = fields.values().filter_map(Value::as_object);
        inner.flatten().find(|(key, _)| key.eq_ignore_ascii_case(name)).and_then(|(_, v)| v.as_str())
    })
}

fn plain(value: Value) -> String {
    match value {
        Value::String(text) => text,
        other => other.to_string(),
    }
}

fn must_be_time<'de, D: Deserializer<'de>>(d: D) -> Result<DateTime<Utc>, D::Error> {
    wire::time(d)?.ok_or_else(|| serde::de::Error::custom("not a time"))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Message {
    role: Option<String>,
    text: Option<String>,
    tool_name: Option<String>,
    invocation_id: Option<String>,
    error_details: Option<String>,
    timespan: Option<Timespan>,
    wall_clock_timespan: Option<Timespan>,
}

#[derive(Deserialize)]
struct Timespan {
    #[serde(default, deserialize_with = "wire::seconds")]
    start: Option<f64>,
    #[serde(default, deserialize_with = "wire::seconds")]
    end: Option<f64>,
}

impl From<Message> for VoiceMessage {
    fn from(message: Message) -> Self {
        // The speech times fit the recording; the wall clock is the next best.
        let span = message.timespan.or(message.wall_clock_timespan);
        VoiceMessage {
            role: message.role.as_deref().unwrap_or("MESSAGE_ROLE_UNSPECIFIED").into(),
            text: message.text.unwrap_or_default(),
            tool_name: message.tool_name,
            invocation_id: message.invocation_id,
            error_details: message.error_details,
            start_seconds: span.as_ref().and_then(|s| s.start),
            end_seconds: span.as_ref().and_then(|s| s.end),
        }
    }
}
