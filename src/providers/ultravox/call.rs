//! Calls and messages as Ultravox writes them. Unknown fields are ignored, unknown words are kept.

use crate::voice::{Bill, CallDirection, EndReason, SipTermination, VoiceCall, VoiceMessage};
use crate::wire::{Fields, Remarks};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

/// A call in an answer.
pub(super) struct Call(pub VoiceCall);

/// A message in an answer.
pub(super) struct Message(pub VoiceMessage);

impl<'de> Deserialize<'de> for Call {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let found = call(&Value::deserialize(d)?, &mut Remarks::new());
        found.map(Self).ok_or_else(|| serde::de::Error::custom("a call without an id"))
    }
}

impl<'de> Deserialize<'de> for Message {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        Ok(Self(message(&Value::deserialize(d)?)))
    }
}

/// The longest telephone number or SIP user that is taken.
const LONGEST_NUMBER: usize = 64;

/// Reads a call. `None` without an id, which is the only thing that a call can't do without.
pub(super) fn call(value: &Value, remarks: &mut Remarks) -> Option<VoiceCall> {
    let call = Fields::of(value);
    let id = call.id("callId", remarks)?;
    let sip = call.inner("sipDetails", "sipDetails.", remarks);
    let agent = call.inner("agent", "agent.", remarks);
    let medium = call.inner("medium", "", remarks).get_all();
    let (direction, to, from) = ends(medium, call.get("requestContext"));
    let created = call.time("created", remarks);
    let ended = call.time("ended", remarks);
    let joined = match call.time("joined", remarks) {
        // Somebody joined, at a time that can't be read: that the call was answered matters more than the second.
        None if call.get("joined").is_some() => created.or(ended),
        joined => joined,
    };
    let billing_status = call.text("billingStatus", remarks).unwrap_or_default();
    let metadata = call.inner("metadata", "", remarks).get_all();
    Some(VoiceCall {
        id,
        agent_id: call.id("agentId", remarks).or_else(|| agent.id("agentId", remarks)),
        created,
        joined,
        ended,
        end_reason: call.text("endReason", remarks).as_deref().map(EndReason::from),
        sip_termination: sip.text("terminationReason", remarks).as_deref().map(SipTermination::from),
        billed_seconds: call.seconds("billedDuration", remarks),
        sip_billed_seconds: sip.seconds("billedDuration", remarks),
        bill: bill(&billing_status),
        billing_status,
        direction,
        to,
        from,
        metadata: metadata.into_iter().flatten().map(|(key, value)| (key.clone(), plain(value))).collect(),
        join_url: call.text("joinUrl", remarks),
        summary: call.text("summary", remarks),
        short_summary: call.text("shortSummary", remarks),
        is_recorded: call.flag("recordingEnabled", remarks),
        model: call.text("model", remarks),
        voice: call.text("voice", remarks),
        system_prompt: call.text("systemPrompt", remarks),
    })
}

fn bill(status: &str) -> Bill {
    match status {
        "BILLING_STATUS_BILLED" => Bill::Billed,
        "BILLING_STATUS_REFUNDED" => Bill::Refunded,
        free if free.starts_with("BILLING_STATUS_FREE_") => Bill::Free,
        _ => Bill::Open,
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
    (!number.is_empty() && number.len() <= LONGEST_NUMBER).then(|| number.to_owned())
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

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Reads a message. Every field may be missing.
fn message(value: &Value) -> VoiceMessage {
    let (message, mut remarks) = (Fields::of(value), Remarks::new());
    // The speech times fit the recording; the wall clock is the next best.
    let name =
        ["timespan", "wallClockTimespan"].into_iter().find(|name| message.get(name).is_some_and(Value::is_object));
    let span = message.inner(name.unwrap_or("timespan"), "", &mut remarks);
    VoiceMessage {
        role: message.text("role", &mut remarks).as_deref().unwrap_or("MESSAGE_ROLE_UNSPECIFIED").into(),
        text: message.text("text", &mut remarks).unwrap_or_default(),
        tool_name: message.text("toolName", &mut remarks),
        invocation_id: message.text("invocationId", &mut remarks),
        error_details: message.text("errorDetails", &mut remarks),
        start_seconds: span.seconds("start", &mut remarks),
        end_seconds: span.seconds("end", &mut remarks),
    }
}
