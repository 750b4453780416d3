//! An agent as Ultravox has it. Unknown members are named, and kept when the agent is changed.

use super::{request, tools};
use crate::error::ProviderError;
use crate::voice::{AgentSpec, Fallback, FirstSpeaker, HeldAgent, InactivityMessage, Opening, SilenceEnd};
use crate::wire::{self, parse_seconds};
use serde::Deserialize;
use serde_json::{Map, Value};
use std::time::Duration;

/// How long Ultravox waits for the other side where nothing is said about it.
const USUAL_SILENCE: Duration = Duration::from_secs(8);

/// An agent in an answer.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Held {
    #[serde(default, deserialize_with = "wire::text")]
    name: Option<String>,
    #[serde(default, deserialize_with = "wire::object")]
    call_template: Option<Map<String, Value>>,
}

impl Held {
    pub fn template(self) -> Map<String, Value> {
        self.call_template.unwrap_or_default()
    }

    /// What of it is ours to set, and what is there beside it.
    pub fn read(self) -> HeldAgent {
        let name = self.name.clone().unwrap_or_default();
        let template = self.template();
        let text = |name: &str| template.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
        let some = |name: &str| text(name).map(str::to_owned);
        let silences = template.get("inactivityMessages").and_then(Value::as_array);
        HeldAgent {
            tools: tools::names(template.get("selectedTools")),
            others: request::foreign(&template).keys().cloned().collect(),
            spec: AgentSpec {
                name,
                system_prompt: some("systemPrompt").unwrap_or_default(),
                model: some("model"),
                voice: some("voice"),
                language_hint: some("languageHint"),
                temperature: template.get("temperature").and_then(Value::as_f64),
                join_timeout: seconds(template.get("joinTimeout")),
                max_duration: seconds(template.get("maxDuration")),
                time_exceeded: some("timeExceededMessage"),
                inactivity: silences.into_iter().flatten().filter_map(inactivity).collect(),
                first_speaker: template.get("firstSpeakerSettings").and_then(first_speaker),
                recording_enabled: template.get("recordingEnabled").and_then(Value::as_bool).unwrap_or(false),
                context_schema: template.get("contextSchema").filter(|schema| !schema.is_null()).cloned(),
                tools: Default::default(),
            },
        }
    }
}

/// What an agent that was sent has lost on its way: names of members.
pub(super) fn lost(
    sent: &AgentSpec,
    tools_sent: &[String],
    foreign: &Map<String, Value>,
    now: &Map<String, Value>,
) -> Vec<String> {
    let is_lost = |(name, value): &(&String, &Value)| now.get(name.as_str()) != Some(*value);
    let mut lost: Vec<String> = foreign.iter().filter(is_lost).map(|(name, _)| name.clone()).collect();
    if now.get("systemPrompt").and_then(Value::as_str) != Some(&sent.system_prompt) {
        lost.push("systemPrompt".to_owned());
    }
    // By their names: tokens may not come back.
    let there = tools::names(now.get("selectedTools"));
    if tools_sent.iter().any(|tool| !there.contains(tool)) {
        lost.push("selectedTools".to_owned());
    }
    lost
}

/// Deleting twice is deleting once.
pub(super) fn gone(answer: Result<(), ProviderError>) -> Result<(), ProviderError> {
    match answer {
        Err(error) if error.kind == crate::Kind::NotFound => Ok(()),
        other => other,
    }
}

fn seconds(value: Option<&Value>) -> Option<Duration> {
    let seconds = parse_seconds(value?.as_str()?)?;
    Duration::try_from_secs_f64(seconds).ok()
}

fn inactivity(value: &Value) -> Option<InactivityMessage> {
    let end = match value.get("endBehavior").and_then(Value::as_str).unwrap_or_default() {
        "END_BEHAVIOR_HANG_UP_SOFT" => SilenceEnd::Soft,
        "END_BEHAVIOR_HANG_UP_STRICT" => SilenceEnd::Strict,
        _ => SilenceEnd::No,
    };
    let text = value.get("message").and_then(Value::as_str).unwrap_or_default().to_owned();
    Some(InactivityMessage { after: seconds(value.get("duration"))?, text, end })
}

fn first_speaker(value: &Value) -> Option<FirstSpeaker> {
    if let Some(user) = value.get("user").filter(|user| user.is_object()) {
        let fallback = user.get("fallback").filter(|fallback| fallback.is_object()).map(|fallback| Fallback {
            delay: seconds(fallback.get("delay")).unwrap_or(USUAL_SILENCE),
            opening: opening(fallback),
        });
        return Some(FirstSpeaker::User { fallback });
    }
    let agent = value.get("agent").filter(|agent| agent.is_object())?;
    Some(FirstSpeaker::Agent {
        opening: opening(agent),
        uninterruptible: agent.get("uninterruptible").and_then(Value::as_bool).unwrap_or(false),
        delay: seconds(agent.get("delay")).filter(|delay| !delay.is_zero()),
    })
}

fn opening(value: &Value) -> Opening {
    let text = |name: &str| value.get(name).and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned);
    match (text("text"), text("prompt")) {
        (Some(text), _) => Opening::Text(text),
        (None, Some(prompt)) => Opening::Instruction(prompt),
        (None, None) => Opening::Own,
    }
}
