//! How an agent speaks, how long, and what it knows of earlier calls: `agents.config`. Everything here is sent to the voice service or
//! used when a call is made. There is no level of reasoning, no setting of workers and no version of an API: the speech models take none.

use serde::{Deserialize, Serialize};

use super::FirstSpeaker;

patchbay_shared::words! {
    /// What becomes of the words for the opening.
    pub OpeningKind: "text" {
        Exact = "exact", "Said exactly as written", Mute;
        Guided = "guided", "Said in the agent's own words", Mute;
    }
    /// Whether a call ends when somebody stays silent.
    pub SilenceEnds: "text" {
        No = "no", "The call goes on", Mute;
        Soft = "soft", "The call ends, unless somebody speaks", Mute;
        Strict = "strict", "The call ends", Mute;
    }
    /// What an agent does when a mailbox answers.
    pub AtVoicemail: "text" {
        Prompt = "prompt", "As the prompt says", Mute;
        HangUp = "hang_up", "End the call at once", Mute;
        Message = "message", "Leave a message, then end the call", Mute;
    }
}

/// Something that is said after a silence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Silence {
    /// Whole seconds of silence before it, counted from the one before.
    pub after: u32,
    pub says: String,
    pub ends: SilenceEnds,
}

/// How many messages after a silence an agent may have.
pub const MOST_SILENCES: usize = 3;

/// What an agent is told of earlier calls with the person. No calls: nothing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Memory {
    pub calls: u32,
    pub days: u32,
    pub tokens: u32,
}

impl Default for Memory {
    fn default() -> Self {
        Self { calls: 0, days: 90, tokens: 400 }
    }
}

impl Memory {
    pub fn is_on(&self) -> bool {
        self.calls > 0
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct AgentConfig {
    /// A voice's id at the voice service; empty: the service's usual one.
    pub voice: String,
    /// 0 to 1.
    pub temperature: f64,
    pub first_speaker: FirstSpeaker,
    /// What is said first; empty: the prompt decides.
    pub greeting: String,
    pub opening: OpeningKind,
    /// Nobody can break in on what the agent says first.
    pub uninterruptible: bool,
    /// Seconds that the agent waits before it speaks first.
    pub greeting_delay: f64,
    /// Seconds after which the agent speaks, where the other person should speak first and does not.
    pub silence: f64,
    /// Seconds that the other side may take to answer.
    pub join_seconds: u32,
    /// Whole minutes.
    pub max_minutes: u32,
    /// Said when that time is over; empty: nothing.
    pub time_up: String,
    pub silences: Vec<Silence>,
    pub voicemail: AtVoicemail,
    pub voicemail_message: String,
    /// What to say to an automatic call screener; empty: as the prompt says.
    pub screener: String,
    pub memory: Memory,
    pub is_recorded: bool,
}

impl Default for AgentConfig {
    fn default() -> Self {
        Self {
            voice: String::new(),
            temperature: 0.3,
            first_speaker: FirstSpeaker::Agent,
            greeting: String::new(),
            opening: OpeningKind::Exact,
            uninterruptible: false,
            greeting_delay: 0.0,
            silence: 8.0,
            join_seconds: 30,
            max_minutes: 10,
            time_up: String::new(),
            silences: Vec::new(),
            voicemail: AtVoicemail::Prompt,
            voicemail_message: String::new(),
            screener: String::new(),
            memory: Memory::default(),
            is_recorded: true,
        }
    }
}

/// Seconds as people write them: `7.5 s`.
pub fn seconds_text(seconds: f64) -> String {
    format!("{seconds} s")
}
