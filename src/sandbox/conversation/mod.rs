//! Believable conversations from a seed. `compose` is pure: the same scene gives the same words at the same seconds, so the
//! sandbox keeps scenes rather than transcripts and writes a transcript out again whenever it is asked for one.

mod de;
mod en;
mod es;
mod fr;
mod gu;
mod hi;
mod inbound;
mod language;
mod scenarios;
mod slots;
mod summary;
#[cfg(test)]
mod tests;
mod trades;

use std::borrow::Cow;

use serde_json::{Map, Value};
use uuid::Uuid;

pub use language::{Cue, Language};
pub use scenarios::{Family, Scenario};
pub use trades::Trade;

use super::rng::Rng;
use scenarios::tool_messages;
use slots::Slots;

/// Everything a conversation follows from.
#[derive(Debug, Clone)]
pub struct Scene {
    pub seed: u64,
    /// The call id, or whatever else tells conversations apart.
    pub salt: String,
    pub language: Language,
    pub family: Family,
    /// Whether the person rang the agent.
    pub inbound: bool,
    pub scenario: Scenario,
    /// The agent's prompt after its variables were filled in.
    pub prompt: std::sync::Arc<str>,
    pub context: Map<String, Value>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    Agent,
    User,
    ToolCall,
    ToolResult,
}

/// One message of the transcript; times in seconds after the call was joined.
#[derive(Debug, Clone, PartialEq)]
pub struct Turn {
    pub role: Role,
    pub text: String,
    pub tool: Option<Cow<'static, str>>,
    pub invocation: Option<Uuid>,
    pub error: Option<Cow<'static, str>>,
    pub start: f64,
    pub end: f64,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Conversation {
    pub turns: Vec<Turn>,
    /// Seconds from joined to ended.
    pub length: f64,
    /// Who put the phone down.
    pub agent_hung_up: bool,
    pub short_summary: String,
    pub summary: String,
}

const TOOL_FAILURE: &str = "The request timed out after 5 seconds.";

/// Writes the conversation of a scene.
pub fn compose(scene: &Scene) -> Conversation {
    let mut rng = Rng::new(scene.seed, &scene.salt);
    let language = scene.language.facts();
    let slots = Slots::fill(language, &scene.prompt, &scene.context, &mut rng);
    let trade = Trade::of(&scene.prompt);
    let steps = match scene.inbound {
        true => scene.scenario.steps_of_caller(&mut rng),
        false => scene.scenario.steps(scene.family, &mut rng),
    };
    let mut turns: Vec<Turn> = Vec::with_capacity(24);
    for step in &steps {
        match step.strip_prefix('@') {
            Some(tool) => push_tool(&mut turns, tool, trade, &slots, &mut rng),
            None => {
                let ways = trade.step(scene.language, step);
                if ways.is_empty() {
                    continue;
                }
                for speech in rng.pick(ways).clone() {
                    let role = if speech.by_agent { Role::Agent } else { Role::User };
                    push_speech(&mut turns, role, slots.render(speech.text));
                }
            }
        }
    }
    let length = set_times(&mut turns, language.chars_per_second, &mut rng);
    let agent_hung_up = match scene.scenario {
        Scenario::Voicemail => true,
        Scenario::WrongPerson | Scenario::DoNotCall => false,
        _ => rng.chance(0.65),
    };
    let told = summary::Told { slots: &slots, steps: &steps, trade, inbound: scene.inbound };
    let (short_summary, summary) = told.write(scene.scenario, scene.language == Language::English);
    Conversation { turns, length, agent_hung_up, short_summary, summary }
}

/// What a person might say next to `heard`, in the agent's voice: used to answer test chats.
pub fn reply(language: Language, prompt: &str, context: &Map<String, Value>, heard: &str, salt: &str) -> String {
    let mut rng = Rng::new(0, salt);
    let facts = language.facts();
    let slots = Slots::fill(facts, prompt, context, &mut rng);
    let lower = heard.to_lowercase();
    let heard_cue = facts
        .cues
        .iter()
        .filter(|(cue, _)| !cue.is_agents())
        .find(|(_, phrases)| phrases.iter().any(|phrase| lower.contains(phrase)))
        .map(|(cue, _)| *cue);
    let step = match heard_cue {
        Some(Cue::Price) => "obj_price",
        Some(Cue::Busy) => "callback",
        Some(Cue::Vendor) => "obj_vendor",
        Some(Cue::Trust) => "obj_trust",
        Some(Cue::Declined) => "decline",
        Some(Cue::NotQualified) => "too_small",
        Some(Cue::WrongPerson) => "wrong",
        Some(Cue::DoNotCall) => "dnc",
        Some(Cue::NotSolved) => "not_solved",
        Some(Cue::Solved) => "solved",
        Some(Cue::Angry) => "angry",
        _ if lower.contains('?') => "question",
        _ if heard.chars().count() < 24 => "pitch",
        _ => *rng.pick(&["ask_need", "ask_size", "offer"]),
    };
    language
        .step(step)
        .get(rng.below(language.step(step).len()))
        .and_then(|speeches| speeches.iter().find(|speech| speech.by_agent))
        .map_or_else(String::new, |speech| slots.render(speech.text))
}

/// Adds a speech; somebody who is still speaking goes on in the same message.
fn push_speech(turns: &mut Vec<Turn>, role: Role, text: String) {
    if let Some(last) = turns.last_mut().filter(|last| last.role == role) {
        last.text.push(' ');
        last.text.push_str(&text);
        return;
    }
    turns.push(Turn { role, text, tool: None, invocation: None, error: None, start: 0.0, end: 0.0 });
}

fn push_tool(turns: &mut Vec<Turn>, tool: &'static str, trade: Trade, slots: &Slots, rng: &mut Rng) {
    let (name, fails) = match tool.strip_suffix('!') {
        Some(name) => (name, true),
        None => (tool, false),
    };
    let looked_up = (name == "crm_lookup").then(|| trade.lookup(slots)).flatten();
    let (arguments, answer) = looked_up.unwrap_or_else(|| tool_messages(name, slots));
    let name = trade.tool(name);
    let invocation = Some(rng.uuid());
    let message = |role, text: String, error: Option<&'static str>| {
        let (tool, error) = (Some(Cow::Borrowed(name)), error.map(Cow::Borrowed));
        Turn { role, text, tool, invocation, error, start: 0.0, end: 0.0 }
    };
    turns.push(message(Role::ToolCall, arguments.to_string(), None));
    if fails {
        turns.push(message(Role::ToolResult, String::new(), Some(TOOL_FAILURE)));
    } else {
        turns.push(message(Role::ToolResult, answer.to_string(), None));
    }
}

/// Gives every turn its seconds and returns the length of the call.
fn set_times(turns: &mut [Turn], chars_per_second: f64, rng: &mut Rng) -> f64 {
    let pace = [chars_per_second * rng.between([0.92, 1.08]), chars_per_second * rng.between([0.85, 1.15])];
    let mut clock = rng.between([0.6, 1.8]);
    for turn in turns.iter_mut() {
        let spoken = turn.text.chars().count() as f64;
        let seconds = match turn.role {
            Role::Agent => (spoken / pace[0]).max(0.7),
            Role::User => (spoken / pace[1]).max(0.6),
            Role::ToolCall => 0.05,
            Role::ToolResult if turn.error.is_some() => 5.0,
            Role::ToolResult => rng.between([0.3, 2.2]),
        };
        turn.start = hundredths(clock);
        turn.end = hundredths(clock + seconds);
        clock = turn.end
            + match turn.role {
                Role::ToolCall => 0.0,
                Role::ToolResult => 0.1,
                Role::Agent | Role::User => rng.between([0.25, 1.3]),
            };
    }
    hundredths(clock + rng.between([0.3, 1.2]))
}

fn hundredths(seconds: f64) -> f64 {
    (seconds * 100.0).round() / 100.0
}
