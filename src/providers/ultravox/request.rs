//! What is sent to Ultravox. Absent means "as the agent has it", so null is sent for what the agent has there and is to have no more,
//! and for nothing else.

use super::{Carrier, tools};
use crate::voice::{AgentSpec, FirstSpeaker, InactivityMessage, Line, NewVoiceCall, Opening, SilenceEnd};
use crate::voice_tools::TOKEN_VARIABLE;
use crate::wire::seconds_text;
use serde_json::{Map, Value, json};

/// The longest name of an agent, in characters.
const LONGEST_NAME: usize = 64;

/// What an agent's template holds of ours. What isn't set there is as the service has it.
const OURS: [&str; 12] = [
    "systemPrompt",
    "model",
    "voice",
    "languageHint",
    "temperature",
    "joinTimeout",
    "maxDuration",
    "timeExceededMessage",
    "inactivityMessages",
    "firstSpeakerSettings",
    "recordingEnabled",
    "selectedTools",
];
/// Of those, the ones that are a list: nothing is an empty one.
const LISTS: [&str; 2] = ["inactivityMessages", "selectedTools"];
/// Members of a template that the service writes itself.
const THEIRS: [&str; 3] = ["name", "created", "updated"];

/// An agent with its call template. Errors: as `agent_over`.
pub(super) fn agent(spec: &AgentSpec) -> Result<Value, String> {
    agent_over(Map::new(), spec)
}

/// What of a template at the service is neither ours nor written by the service itself: it stays as it is.
pub(super) fn foreign(held: &Map<String, Value>) -> Map<String, Value> {
    let is_kept = |name: &str| !OURS.contains(&name) && !THEIRS.contains(&name);
    held.iter()
        .filter(|(name, value)| is_kept(name) && !value.is_null())
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

/// An agent with a template that is `held` at the service, and ours laid over it. Errors: the name of a tool there that is in the way.
pub(super) fn agent_over(held: Map<String, Value>, agent: &AgentSpec) -> Result<Value, String> {
    let mut template = foreign(&held);
    put(&mut template, "systemPrompt", Some(&agent.system_prompt));
    put(&mut template, "model", agent.model.as_ref());
    put(&mut template, "voice", agent.voice.as_ref());
    put(&mut template, "languageHint", agent.language_hint.as_ref());
    put(&mut template, "temperature", agent.temperature);
    put(&mut template, "joinTimeout", agent.join_timeout.map(seconds_text));
    put(&mut template, "maxDuration", agent.max_duration.map(seconds_text));
    put(&mut template, "timeExceededMessage", agent.time_exceeded.as_ref());
    let silences: Vec<Value> = agent.inactivity.iter().map(inactivity).collect();
    put(&mut template, "inactivityMessages", Some(silences).filter(|all| !all.is_empty()));
    put(&mut template, "firstSpeakerSettings", agent.first_speaker.as_ref().map(first_speaker));
    put(&mut template, "recordingEnabled", Some(agent.recording_enabled));
    put(&mut template, "contextSchema", agent.context_schema.clone());
    put(&mut template, "selectedTools", tools::laid_over(held.get("selectedTools"), &agent.tools)?);
    for (name, value) in &held {
        let is_set = !value.is_null() && value.as_array().is_none_or(|list| !list.is_empty());
        if is_set && OURS.contains(&name.as_str()) && !template.contains_key(name) {
            let nothing = if LISTS.contains(&name.as_str()) { json!([]) } else { Value::Null };
            template.insert(name.clone(), nothing);
        }
    }
    let name: String = agent.name.chars().take(LONGEST_NAME).collect();
    Ok(json!({"name": name, "callTemplate": template}))
}

/// The start of a call with an agent.
pub(super) fn call(new: &NewVoiceCall, carrier: &Carrier) -> Value {
    let mut body = Map::new();
    let mut variables = new.variables.as_object().cloned().unwrap_or_default();
    if let Some(token) = &new.tool_token {
        variables.insert(TOKEN_VARIABLE.to_owned(), json!(token.expose()));
    }
    put(&mut body, "templateContext", Some(&variables).filter(|variables| !variables.is_empty()));
    put(&mut body, "metadata", Some(&new.metadata).filter(|m| !m.is_empty()));
    let mut medium = medium(&new.line, carrier);
    // The carrier's own words: they go with its request as they are.
    if let Some(url) = &new.leg_news_url
        && let Some((way, body)) = medium.as_mut().and_then(Value::as_object_mut).and_then(|all| all.iter_mut().next())
        && let Some(outgoing) = body.get_mut("outgoing")
        && let Some(words) = news(way, url)
    {
        outgoing["additionalParams"] = words;
    }
    put(&mut body, "medium", medium);
    put(&mut body, "firstSpeakerSettings", new.first_speaker.as_ref().map(first_speaker));
    put(&mut body, "recordingEnabled", new.recording_enabled);
    put(&mut body, "maxDuration", new.max_duration.map(seconds_text));
    put(&mut body, "joinTimeout", new.join_timeout.map(seconds_text));
    Value::Object(body)
}

/// How a carrier is asked to tell how the call goes. Twilio and Plivo tell its end unless more is asked for.
fn news(way: &str, url: &str) -> Option<Value> {
    match way {
        "telnyx" => Some(json!({
            "StatusCallback": url,
            "StatusCallbackMethod": "POST",
            "StatusCallbackEvent": "initiated answered completed",
        })),
        "twilio" => Some(json!({"StatusCallback": url, "StatusCallbackMethod": "POST"})),
        "plivo" => Some(json!({"hangup_url": url, "hangup_method": "POST"})),
        _ => None,
    }
}

/// A browser needs no medium: it is what Ultravox assumes.
fn medium(line: &Line, carrier: &Carrier) -> Option<Value> {
    let (to, from) = match line {
        Line::Phone { to, from, trunk: Some(trunk) } => {
            return Some(json!({trunk.as_str(): {"outgoing": {"to": to, "from": from}}}));
        }
        Line::Phone { to, from, trunk: None } => (to, from),
        Line::Browser => return None,
        Line::Joined { trunk: Some(trunk) } => return Some(json!({trunk.as_str(): {}})),
        Line::Joined { trunk: None } => {
            return Some(match carrier {
                Carrier::Telnyx => json!({"telnyx": {}}),
                Carrier::Twilio => json!({"twilio": {}}),
                Carrier::Plivo => json!({"plivo": {}}),
                Carrier::Sip { .. } => json!({"sip": {"incoming": {}}}),
            });
        }
    };
    let outgoing = json!({"to": to, "from": from});
    Some(match carrier {
        Carrier::Telnyx => json!({"telnyx": {"outgoing": outgoing}}),
        Carrier::Twilio => json!({"twilio": {"outgoing": outgoing}}),
        Carrier::Plivo => json!({"plivo": {"outgoing": outgoing}}),
        Carrier::Sip { domain, username, password } => {
            let mut outgoing = Map::new();
            put(&mut outgoing, "to", Some(format!("sip:{to}@{domain}")));
            put(&mut outgoing, "from", Some(from));
            put(&mut outgoing, "username", username.as_ref());
            put(&mut outgoing, "password", password.as_ref().map(|p| p.expose()));
            json!({"sip": {"outgoing": outgoing}})
        }
    })
}

fn inactivity(message: &InactivityMessage) -> Value {
    let end = match message.end {
        SilenceEnd::No => "END_BEHAVIOR_UNSPECIFIED",
        SilenceEnd::Soft => "END_BEHAVIOR_HANG_UP_SOFT",
        SilenceEnd::Strict => "END_BEHAVIOR_HANG_UP_STRICT",
    };
    json!({"duration": seconds_text(message.after), "message": message.text, "endBehavior": end})
}

fn first_speaker(speaker: &FirstSpeaker) -> Value {
    match speaker {
        FirstSpeaker::Agent { opening: first, uninterruptible, delay } => {
            let mut agent = opening(first);
            put(&mut agent, "uninterruptible", uninterruptible.then_some(true));
            put(&mut agent, "delay", delay.map(seconds_text));
            json!({"agent": agent})
        }
        FirstSpeaker::User { fallback: None } => json!({"user": {}}),
        FirstSpeaker::User { fallback: Some(fallback) } => {
            let mut then = opening(&fallback.opening);
            put(&mut then, "delay", Some(seconds_text(fallback.delay)));
            json!({"user": {"fallback": then}})
        }
    }
}

fn opening(opening: &Opening) -> Map<String, Value> {
    let mut into = Map::new();
    match opening {
        Opening::Own => {}
        Opening::Text(text) => put(&mut into, "text", Some(text)),
        Opening::Instruction(text) => put(&mut into, "prompt", Some(text)),
    }
    into
}

fn put(into: &mut Map<String, Value>, name: &str, value: Option<impl serde::Serialize>) {
    if let Some(value) = value {
        into.insert(name.to_owned(), json!(value));
    }
}
