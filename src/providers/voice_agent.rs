//! An agent as a voice service is told of it, and as the service has it.

use super::voice_tools::VoiceTools;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::time::Duration;

/// An agent that the service has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedAgent {
    pub id: String,
    pub name: String,
}

/// One page of agents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentPage {
    pub agents: Vec<NamedAgent>,
    /// Hand it back for the next page; `None` at the end.
    pub next: Option<String>,
}

/// What an agent is: sent whole on creation and on every update. What is `None` or empty is set to nothing there.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct AgentSpec {
    /// Cut to 64 characters.
    pub name: String,
    /// May hold `{{variables}}`.
    pub system_prompt: String,
    pub model: Option<String>,
    /// A voice's id or name.
    pub voice: Option<String>,
    /// BCP 47.
    pub language_hint: Option<String>,
    /// 0 to 1.
    pub temperature: Option<f64>,
    /// How long the other side may take to join.
    pub join_timeout: Option<Duration>,
    pub max_duration: Option<Duration>,
    /// Said when the longest duration is reached.
    pub time_exceeded: Option<String>,
    /// In their order, each after a silence of its own.
    pub inactivity: Vec<InactivityMessage>,
    pub first_speaker: Option<FirstSpeaker>,
    pub recording_enabled: bool,
    /// A JSON Schema for the variables.
    pub context_schema: Option<Value>,
    #[serde(skip)]
    pub tools: VoiceTools,
}

/// What is said when the other side is silent for a while.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InactivityMessage {
    pub after: Duration,
    pub text: String,
    pub end: SilenceEnd,
}

/// Whether a call ends with such a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum SilenceEnd {
    No,
    /// Unless the other side speaks meanwhile.
    Soft,
    Strict,
}

/// Who speaks first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum FirstSpeaker {
    /// The agent: usual when somebody calls us.
    Agent { opening: Opening, uninterruptible: bool, delay: Option<Duration> },
    /// The other side: usual when we call. After the delay the agent speaks anyway.
    User { fallback: Option<Fallback> },
}

/// What the agent says first.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub enum Opening {
    /// What the prompt makes of it.
    #[default]
    Own,
    /// Spoken as it is.
    Text(String),
    /// What to say, in the agent's own words.
    Instruction(String),
}

/// What the agent says when the other side stays silent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Fallback {
    pub delay: Duration,
    pub opening: Opening,
}

/// An agent as the service has it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct HeldAgent {
    /// What Patchbay sets, as it is there. Without tools: those are in `tools`.
    pub spec: AgentSpec,
    /// What the model calls its tools.
    pub tools: Vec<String>,
    /// What else is set there, in the service's words.
    pub others: Vec<String>,
}
