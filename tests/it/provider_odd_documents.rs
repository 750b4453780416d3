//! Events and answers that are nearly the documented ones: with a field less, or null, or of another type, cut off, half broken. Nothing
//! makes a reader give up on what it can still read, and the time and memory it takes grow with the document alone.

use patchbay_providers::chat::{ChatMessage, ChatRequest};
use patchbay_providers::json;
use patchbay_providers::openrouter::read_answer;
use patchbay_providers::telnyx::{TelnyxEvent, TelnyxPayload};
use patchbay_providers::ultravox::WebhookEvent;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};

/// How many documents are made of each kind.
const MANY: u64 = 1500;

/// The events of the services' own documents.
fn voice_event() -> Value {
    json!({"event": "call.ended", "call": {"callId": "3f0b7a52-6a0e-4d83-9d0c-2f6f4a1c9b11", "clientVersion": null,
        "created": "2026-03-02T14:05:11.120345Z", "joined": "2026-03-02T14:05:20.004100Z", "ended": "2026-03-02T14:07:25.900000Z",
        "endReason": "agent_hangup", "billedDuration": "126s", "billedSideInputTokens": 0, "billedSideOutputTokens": null,
        "billingStatus": "BILLING_STATUS_BILLED", "firstSpeaker": "FIRST_SPEAKER_USER",
        "firstSpeakerSettings": {"user": {"fallback": {"delay": "8s", "text": "Hello, this is Sam."}}},
        "initialOutputMedium": "MESSAGE_MEDIUM_VOICE", "joinTimeout": "30s", "maxDuration": "3600s", "joinUrl": "wss://voice.example/x",
        "medium": {"telnyx": {"outgoing": {"to": "+13125550111", "from": "+13125550100"}}}, "model": "ultravox-v0.7",
        "recordingEnabled": true, "systemPrompt": "…", "temperature": 0.0, "voice": "Mark", "shortSummary": "Confirmed.", "summary": "…",
        "agent": {"agentId": "7d0c", "name": "Reminder"}, "agentId": "7d0c", "metadata": {"agency_id": "42"}, "initialState": {},
        "requestContext": null, "sipDetails": {"billedDuration": "130s", "terminationReason": "SIP_TERMINATION_NORMAL"}}})
}

fn carrier_event(kind: &str) -> Value {
    let mut payload = json!({"call_control_id": "v3:abc", "connection_id": "2811212257810187875",
        "call_leg_id": "b0e6224c-1", "call_session_id": "b0e6141e-1", "client_state": null});
    let more = match kind {
        "call.cost" => {
            json!({"billing_group_id": null, "status": "success", "total_cost": "0.0123", "billed_duration_secs": 126,
            "cost_parts": [{"call_part": "sip-trunking", "cost": "0.0123", "rate": "0.0070", "currency": "USD", "billed_duration_secs": 126}],
            "occurred_at": "2026-03-02T14:07:27.000000Z"})
        }
        _ => {
            json!({"from": "+13125550100", "to": "+13125550111", "start_time": "2026-03-02T14:05:20.000000Z", "state": "hangup",
            "hangup_cause": "normal_clearing", "hangup_source": "callee", "sip_hangup_cause": "200"})
        }
    };
    payload.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json!({"data": {"record_type": "event", "event_type": kind, "id": "0ccc7b54-4df3-4bca-a65a-3da1ecc777f0",
        "occurred_at": "2026-03-02T14:07:26.412345Z", "payload": payload}, "meta": {"attempt": 1, "delivered_to": "https://example.test/hooks/telnyx"}})
}

fn completion() -> Value {
    json!({"id": "gen-1772460446-abc", "object": "chat.completion", "created": 1_772_460_446, "model": "openai/gpt-5", "system_fingerprint": null,
        "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "{\"score\":7}", "refusal": null}}],
        "usage": {"prompt_tokens": 120, "completion_tokens": 8, "total_tokens": 128, "cost": 0.00031, "is_byok": false,
            "cost_details": {"upstream_inference_cost": null}, "prompt_tokens_details": {"cached_tokens": 0}}})
}

/// The places of a document, but for those that are named.
fn places(value: &Value, at: &str, without: &[&str], out: &mut Vec<String>) {
    if !at.is_empty() && !without.contains(&at) {
        out.push(at.to_owned());
    }
    match value {
        Value::Object(fields) => {
            fields.iter().for_each(|(name, inner)| places(inner, &format!("{at}/{name}"), without, out))
        }
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(index, inner)| places(inner, &format!("{at}/{index}"), without, out))
        }
        _ => {}
    }
}

fn odd_value(chance: &mut StdRng) -> Value {
    match chance.random_range(0..14) {
        0 => Value::Null,
        1 => json!(""),
        2 => json!(true),
        3 => json!(-1),
        4 => json!(u64::MAX),
        5 => json!(1e300),
        6 => json!([[[[]]]]),
        7 => json!({"a": {"b": [null]}}),
        8 => json!("9999-99-99T99:99:99Z"),
        9 => json!("-262143-01-01T00:00:00Z"),
        10 => json!("\u{0}\u{1b}[31m\u{feff}\u{202e}<script>"),
        11 => json!("é".repeat(chance.random_range(0..100_000))),
        12 => json!("1e999999999"),
        _ => json!(chance.random::<f64>().to_string()),
    }
}

/// The document with one to four changes outside of `without`: a place taken out, or filled with something else.
fn changed(document: &Value, without: &[&str], chance: &mut StdRng) -> Value {
    let mut document = document.clone();
    for _ in 0..chance.random_range(1..5) {
        let mut all = Vec::new();
        places(&document, "", without, &mut all);
        // What holds a place that has to stay can't go as a whole.
        all.retain(|place| !without.iter().any(|kept| kept.starts_with(&format!("{place}/"))));
        let Some(place) = all.choose(chance) else { break };
        let (parent, name) = place.rsplit_once('/').unwrap();
        if chance.random_bool(0.3)
            && let Some(Value::Object(fields)) = document.pointer_mut(parent)
        {
            fields.remove(name);
        } else {
            *document.pointer_mut(place).unwrap() = odd_value(chance);
        }
    }
    document
}

/// The document's bytes, half of the time broken in a way that leaves its structure whole.
fn written(document: &Value, chance: &mut StdRng) -> Vec<u8> {
    let mut text = document.to_string();
    let end = "\"state_of_text\":\"\"".len();
    text.insert_str(1, "\"state_of_text\":\"\",");
    let broken: &[u8] = [&b""[..], b"\\ud83d", b"\\ude00\\ud83d", b"\xff\xfe", b"\0", b"\\u0000", b"\\q", b"\n\t\x07"]
        .choose(chance)
        .unwrap();
    let at = end;
    let mut bytes = [&text.as_bytes()[..at], broken, &text.as_bytes()[at..]].concat();
    if chance.random_bool(0.2) {
        bytes.splice(0..0, *b"\xef\xbb\xbf");
    }
    if chance.random_bool(0.1) {
        let deep = chance.random_range(1..20_000);
        let nest = format!("\"deep\":{}{},", "[".repeat(deep), "]".repeat(deep));
        let from = bytes.iter().position(|byte| *byte == b'{').unwrap() + 1;
        bytes.splice(from..from, nest.into_bytes());
    }
    bytes
}

/// What came out holds nothing that the database refuses, and little more than went in.
fn is_bounded(what: &str, shown: &str, body: &[u8]) {
    // A backslash is shown as two: those come first.
    assert!(!shown.replace("\\\\", "").contains("\\0"), "{what} lets NUL through");
    // Escapes of the debug form are up to ten times as long as what they stand for.
    assert!(shown.len() < 20_000 + body.len() * 10, "{what}: {} bytes of {}", shown.len(), body.len());
}

#[test]
fn no_change_to_a_voice_event_loses_its_call() {
    let mut chance = StdRng::seed_from_u64(1);
    for _ in 0..MANY {
        let body = written(&changed(&voice_event(), &["/event", "/call/callId"], &mut chance), &mut chance);
        let event =
            WebhookEvent::decode(&body).unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&body)));
        assert_eq!(event.call.id, "3f0b7a52-6a0e-4d83-9d0c-2f6f4a1c9b11");
        is_bounded("a voice event", &format!("{event:?}"), &body);
        let event = event.received(chrono::Utc::now());
        assert!(event.call.ended.is_some(), "it ended: {}", String::from_utf8_lossy(&body));
    }
}

#[test]
fn no_change_to_a_carriers_event_loses_its_name() {
    let mut chance = StdRng::seed_from_u64(2);
    for at in 0..MANY {
        let kind = ["call.cost", "call.hangup"][(at % 2) as usize];
        let without = ["/data/event_type", "/data/id", "/data/payload/call_leg_id"];
        let body = written(&changed(&carrier_event(kind), &without, &mut chance), &mut chance);
        let event =
            TelnyxEvent::decode(&body).unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&body)));
        assert_eq!((event.id.as_str(), event.event_type.as_str()), ("0ccc7b54-4df3-4bca-a65a-3da1ecc777f0", kind));
        match &event.payload {
            TelnyxPayload::Call(call) => assert_eq!(call.call_leg_id.as_deref(), Some("b0e6224c-1")),
            // The place of the leg's id was kept, so the payload is an object.
            other => panic!("{other:?}"),
        }
        is_bounded("a carrier's event", &format!("{event:?}"), &body);
    }
}

#[test]
fn no_change_beside_the_text_loses_a_models_answer() {
    let request = ChatRequest { messages: vec![ChatMessage::User("Score it.".into())], ..ChatRequest::default() };
    let mut chance = StdRng::seed_from_u64(3);
    for _ in 0..MANY {
        let without = ["/choices/0/message/content", "/choices/0/message/refusal", "/choices/0/finish_reason"];
        let body = written(&changed(&completion(), &without, &mut chance), &mut chance);
        let answer =
            read_answer(&body, &request).unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&body)));
        assert_eq!(answer.parse_json::<Value>().unwrap()["score"], 7);
        assert!(answer.usage.cost.is_none_or(|cost| !cost.is_sign_negative()));
        assert!(answer.usage.total_tokens < 10_000_000_000);
        is_bounded("an answer", &format!("{answer:?}"), &body);
    }
}

#[test]
fn whatever_comes_nothing_breaks() {
    let request = ChatRequest::default();
    let mut chance = StdRng::seed_from_u64(4);
    let documents = [voice_event(), carrier_event("call.cost"), completion()];
    for at in 0..MANY {
        let mut body = written(&changed(&documents[(at % 3) as usize], &[], &mut chance), &mut chance);
        match chance.random_range(0..3) {
            0 => body.truncate(chance.random_range(0..=body.len())),
            1 => (0..20).for_each(|_| {
                let place = chance.random_range(0..body.len());
                body[place] = chance.random();
            }),
            _ => {}
        }
        for shown in [
            format!("{:?}", WebhookEvent::decode(&body)),
            format!("{:?}", TelnyxEvent::decode(&body)),
            format!("{:?}", read_answer(&body, &request)),
            format!("{:?}", json::read(&body)),
        ] {
            is_bounded("a reader", &shown, &body);
        }
        if let Ok(answer) = read_answer(&body, &request) {
            let _ = answer.parse_json::<Value>();
        }
    }
    // Bombs: a megabyte of each.
    for bomb in ["[", "{\"a\":", "\"", "\\u", "9", "-", "{\"a\":[0,", "\u{0}", "\"\\ud83d", "nul"] {
        let body = bomb.repeat((1 << 20) / bomb.len());
        assert!(
            WebhookEvent::decode(body.as_bytes()).is_err() && TelnyxEvent::decode(body.as_bytes()).is_err(),
            "{bomb}"
        );
        let text = json!({"choices": [{"finish_reason": "stop", "message": {"content": body}}]}).to_string();
        let answer = read_answer(text.as_bytes(), &request).unwrap();
        assert!(answer.parse_json::<serde_json::Map<String, Value>>().is_err(), "{bomb}");
    }
}
