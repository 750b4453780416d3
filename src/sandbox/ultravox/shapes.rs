//! The JSON shapes of calls, messages, stages and events.

use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::call::{Answer, Call};
use crate::clock::{iso, span};
use crate::conversation::{Role, Turn};
use crate::rng::Rng;

/// A call as it stands now.
pub(crate) fn call(call: &Call) -> Value {
    let at = |offset: Option<f64>| offset.map(|offset| iso(call.clock.at(offset)));
    let talk = call.joined.zip(call.ended).map(|(joined, ended)| ended - joined);
    let billed = call.billed.then(|| talk.map_or(0, billed_seconds));
    let status = match billed {
        _ if call.refunded => "BILLING_STATUS_REFUNDED",
        None => "BILLING_STATUS_PENDING",
        Some(0) => "BILLING_STATUS_FREE_ZERO_EFFECTIVE_DURATION",
        Some(_) => "BILLING_STATUS_BILLED",
    };
    let speaker = call.pick("firstSpeakerSettings").cloned().unwrap_or_else(|| json!({"agent": {}}));
    let first = if speaker.get("user").is_some() { "FIRST_SPEAKER_USER" } else { "FIRST_SPEAKER_AGENT" };
    let spoken = call.ended.is_some() && call.joined.is_some();
    let agent = call.agent.as_ref().map(|agent| json!({"agentId": agent["agentId"], "name": agent["name"]}));
    let or = |key: &str, default: Value| call.pick(key).cloned().unwrap_or(default);
    let sip = call.ended.filter(|_| call.to.is_some() && !call.inbound).map(|ended| {
        let carried = billed_seconds(ended);
        json!({"billedDuration": format!("{carried}s"), "terminationReason": format!("SIP_TERMINATION_{}", call.plan.sip_reason)})
    });
    json!({
        "callId": call.id,
        "clientVersion": null,
        "created": at(Some(0.0)),
        "joined": at(call.joined),
        "ended": at(call.ended),
        "endReason": call.end_reason,
        "billedDuration": billed.filter(|_| !call.bills_no_length).map(|seconds| format!("{seconds}s")),
        "billedSideInputTokens": billed.map(|_| 0),
        "billedSideOutputTokens": billed.map(|_| 0),
        "billingStatus": status,
        "firstSpeaker": first,
        "firstSpeakerSettings": speaker,
        "initialOutputMedium": or("initialOutputMedium", json!("MESSAGE_MEDIUM_VOICE")),
        "joinTimeout": or("joinTimeout", json!("30s")),
        "maxDuration": or("maxDuration", json!("3600s")),
        "joinUrl": format!("wss://voice.sandbox.test/calls/{}", call.id),
        "languageHint": or("languageHint", Value::Null),
        "medium": or("medium", json!({"webRtc": {}})),
        "model": or("model", json!("ultravox-v0.7")),
        "recordingEnabled": or("recordingEnabled", json!(false)),
        "systemPrompt": call.prompt(),
        "temperature": or("temperature", json!(0.0)),
        "timeExceededMessage": or("timeExceededMessage", Value::Null),
        "voice": or("voice", Value::Null),
        "transcriptOptional": true,
        "vadSettings": or("vadSettings", Value::Null),
        "shortSummary": spoken.then_some(&call.short_summary),
        "summary": spoken.then_some(&call.summary),
        "agent": agent,
        "agentId": call.agent_id(),
        "experimentalSettings": or("experimentalSettings", Value::Null),
        "metadata": or("metadata", json!({})),
        "initialState": or("initialState", json!({})),
        "requestContext": or("requestContext", Value::Null),
        "sipDetails": sip,
    })
}

/// The text of a document with half an emoji at the beginning of its summaries and messages. No document holds one: the half is written
/// into the text.
pub(crate) fn with_half_an_emoji(document: &Value) -> String {
    let text = document.to_string();
    ["summary", "shortSummary", "text"].iter().fold(text, |text, name| {
        let from = format!("\"{name}\":\"");
        text.replace(&from, &format!("{from}\\ud83d "))
    })
}

/// Whole steps of six seconds.
pub(crate) fn billed_seconds(seconds: f64) -> u64 {
    ((seconds / 6.0).ceil() as u64) * 6
}

/// The transcript as far as it has been spoken.
pub(super) fn messages(call: &Call) -> Vec<Value> {
    let Some(heard) = call.heard() else {
        return Vec::new();
    };
    let stage = stage_id(call);
    let spoken = call.conversation().turns.into_iter().filter(|turn| turn.start < heard);
    spoken.enumerate().map(|(index, turn)| message(&turn, index, stage, heard)).collect()
}

fn message(turn: &Turn, index: usize, stage: Uuid, heard: f64) -> Value {
    let role = match turn.role {
        Role::Agent => "MESSAGE_ROLE_AGENT",
        Role::User => "MESSAGE_ROLE_USER",
        Role::ToolCall => "MESSAGE_ROLE_TOOL_CALL",
        Role::ToolResult => "MESSAGE_ROLE_TOOL_RESULT",
    };
    let times = json!({"start": span(turn.start), "end": span(turn.end.min(heard))});
    let mut out = Map::new();
    out.insert("role".to_owned(), json!(role));
    out.insert("text".to_owned(), json!(turn.text));
    out.insert("medium".to_owned(), json!("MESSAGE_MEDIUM_VOICE"));
    out.insert("callStageId".to_owned(), json!(stage));
    out.insert("callStageMessageIndex".to_owned(), json!(index));
    out.insert("timespan".to_owned(), times.clone());
    out.insert("wallClockTimespan".to_owned(), times);
    if let Some(tool) = &turn.tool {
        out.insert("toolName".to_owned(), json!(tool));
        out.insert("invocationId".to_owned(), json!(turn.invocation));
    }
    if let Some(error) = &turn.error {
        out.insert("errorDetails".to_owned(), json!(error));
    }
    Value::Object(out)
}

/// The one stage of a sandbox call.
pub(super) fn stage(call: &Call) -> Value {
    let spoken: usize = call.conversation().turns.iter().map(|turn| turn.text.len()).sum();
    let prompt = call.prompt();
    json!({
        "callId": call.id,
        "callStageId": stage_id(call),
        "created": iso(call.clock.at(0.0)),
        "model": call.pick("model").cloned().unwrap_or_else(|| json!("ultravox-v0.7")),
        "temperature": call.pick("temperature").cloned().unwrap_or_else(|| json!(0.0)),
        "voice": call.pick("voice"),
        "languageHint": call.pick("languageHint"),
        "timeExceededMessage": null,
        "inactivityMessages": [],
        "initialTokenCount": prompt.len() / 4,
        "latestTokenCount": (prompt.len() + spoken) / 4,
        "systemPrompt": prompt,
        "errorCount": call.conversation().turns.iter().filter(|turn| turn.error.is_some()).count(),
        "experimentalSettings": null,
        "initialState": {},
    })
}

fn stage_id(call: &Call) -> Uuid {
    Rng::new(7, &call.id.to_string()).uuid()
}

/// What the provider noted about the call; each with its severity for filtering.
pub(super) fn events(call: &Call) -> Vec<Value> {
    let event = |offset: f64, severity: &str, kind: &str, text: String| {
        json!({
            "callId": call.id,
            "callStageId": stage_id(call),
            "callTimestamp": span(offset),
            "wallClockTimestamp": iso(call.clock.at(offset)),
            "severity": severity,
            "type": kind,
            "text": text,
            "extras": null,
        })
    };
    let mut out = vec![event(0.0, "info", "call.created", "The call was created.".to_owned())];
    let Some(joined) = call.joined else {
        if let Some(ended) = call.ended {
            let why = if call.plan.answer == Answer::Nobody {
                "Nobody answered in time."
            } else {
                "The call was not answered."
            };
            out.push(event(ended, "warning", "call.unjoined", why.to_owned()));
        }
        return out;
    };
    out.push(event(joined, "info", "call.joined", "The other side joined.".to_owned()));
    let heard = call.heard().unwrap_or(0.0);
    for turn in call.conversation().turns.iter().filter(|turn| turn.error.is_some() && turn.start < heard) {
        let text =
            format!("Tool {} failed: {}", turn.tool.as_deref().unwrap_or(""), turn.error.as_deref().unwrap_or(""));
        out.push(event(joined + turn.end, "error", "tool.error", text));
    }
    if let Some(ended) = call.ended {
        out.push(event(ended, "info", "call.ended", format!("The call ended: {}.", call.end_reason.unwrap_or(""))));
    }
    out
}
