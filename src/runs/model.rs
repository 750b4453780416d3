use serde::{Deserialize, Serialize};
use serde_json::Value;

use patchbay_shared::ids::{AgentId, CallId, ClientId, ErrorCauseId, RunId};
use patchbay_shared::money::count_text;
use patchbay_shared::{Money, Page, Stamp};

patchbay_shared::words! {
    /// What a run is.
    pub RunType: "text" {
        LiveCall = "live_call", "Call", Mute;
        TestCall = "test_call", "Test", Mute;
        CronJob = "cron_job", "Schedule", Mute;
        Webhook = "webhook", "Trigger", Mute;
    }
    /// What set a run off.
    pub Trigger: "text" {
        Incoming = "incoming", "Somebody called", Mute;
        Batch = "batch", "A batch", Mute;
        Outgoing = "outgoing", "Called outside batches", Mute;
        TestCall = "test_call", "A test call", Mute;
        Suite = "suite", "A run of tests", Mute;
        Schedule = "schedule", "A schedule", Mute;
        Webhook = "webhook", "A trigger", Mute;
    }
    /// How a run went. The rule stands in docs/GLOSSARY.md and is computed by the database: see `agent_runs.status`.
    pub RunStatus: "text" {
        Running = "running", "Running", Live;
        Success = "success", "Success", Ok;
        Partial = "partial", "Partial", Warn;
        Failed = "failed", "Failed", Bad;
    }
    /// What happened in a step.
    pub StepEvent: "text" {
        LlmCall = "llm_call", "Model", Mute;
        ToolCall = "tool_call", "Tool", Mute;
        UserInput = "user_input", "Other side", Mute;
        System = "system", "System", Mute;
    }
    /// Where an error comes from.
    pub ErrorSource: "text" {
        Integration = "integration", "Outside service", Mute;
        Agent = "agent", "Agent", Mute;
        Llm = "llm", "Model", Mute;
        Tool = "tool", "Tool", Mute;
    }
    /// Where an error's cause stands.
    pub CauseState: "text" {
        Open = "open", "Open", Bad;
        Resolved = "resolved", "Resolved", Ok;
    }
}

/// What the list of runs is narrowed to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RunQuery {
    /// Words of the calls' transcripts, names, numbers, titles of tests, and of what went wrong.
    pub q: Option<String>,
    /// Days, both included.
    pub from: Option<String>,
    pub to: Option<String>,
    pub agent: Option<String>,
    /// The client that the whole page is narrowed to.
    pub client: Option<String>,
    pub kind: Option<String>,
    pub status: Option<String>,
    /// What set them off: one schedule, one trigger.
    pub schedule: Option<String>,
    pub trigger: Option<String>,
    /// `started`: oldest first.
    pub sort: Option<String>,
    pub cursor: Option<String>,
}

/// One run, in the list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunRow {
    pub id: RunId,
    pub title: String,
    pub kind: RunType,
    pub status: RunStatus,
    pub agent: Option<(AgentId, String)>,
    pub client: Option<String>,
    pub trigger: Trigger,
    /// The first thing that went wrong.
    pub error: Option<String>,
    pub took_ms: Option<i64>,
    /// None: it is not known yet.
    pub cost: Option<Money>,
    pub started: Stamp,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunList {
    pub page: Page<RunRow>,
    /// For the filter.
    pub agents: Vec<(String, String)>,
}

/// One run's page.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunPage {
    pub run: Run,
    /// The run that it is compared with.
    pub with: Option<Run>,
    /// The run that it repeats, and those that repeat it: id and title.
    pub again_of: Option<(RunId, String)>,
    pub again: Vec<(RunId, String)>,
    /// What its errors have in common with those of others.
    pub causes: Vec<CauseRow>,
    /// Runs of the same agent that it can be compared with.
    pub others: Vec<(String, String)>,
    /// The passages of knowledge that the agent was given.
    pub knowledge: Vec<GivenPassage>,
    /// The runs of this agent right before and after it.
    pub older: Option<RunId>,
    pub newer: Option<RunId>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Run {
    pub id: RunId,
    pub title: String,
    pub kind: RunType,
    pub status: RunStatus,
    pub trigger: Trigger,
    /// The schedule or trigger behind it: its name, and its page unless it was removed.
    pub origin: Option<(String, Option<String>)>,
    pub by: Option<String>,
    pub agent: Option<(AgentId, String)>,
    pub client: Option<(ClientId, String)>,
    pub call: Option<CallId>,
    pub prompt_version: Option<i32>,
    pub started: Stamp,
    pub took_ms: Option<i64>,
    pub error: Option<String>,
    pub read: i64,
    pub written: i64,
    /// What is known.
    pub cost: Money,
    /// A part of it has no price yet.
    pub is_unpriced: bool,
    pub steps: Vec<RunStep>,
    /// There are more steps than are shown.
    pub is_cut: bool,
}

/// A passage of knowledge that an agent was given, in a call or another run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GivenPassage {
    /// As the file was called then.
    pub file: String,
    pub place: String,
    /// `words`, `meaning`, `words and meaning`.
    pub found_by: String,
    /// The file as it is now; none when it was deleted.
    pub href: Option<String>,
    /// The use of the tool that gave it first.
    pub use_href: String,
    pub is_deleted: bool,
    /// How often it was given.
    pub times: i64,
}

/// One thing that happened in a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunStep {
    /// From 1, in the order of the run.
    pub step: i32,
    pub event: StepEvent,
    pub message: String,
    /// Milliseconds from the run's start.
    pub at_ms: i64,
    pub took_ms: Option<i64>,
    pub error: Option<String>,
    pub read: Option<i32>,
    pub written: Option<i32>,
    pub cost: Option<Money>,
    pub payload: Value,
    /// Where more is said of it.
    pub href: Option<String>,
}

impl Run {
    /// How long the time axis is: the run, or the end of its last step.
    pub fn axis_ms(&self) -> i64 {
        let last = self.steps.iter().map(|step| step.at_ms + step.took_ms.unwrap_or(0)).max().unwrap_or(0);
        self.took_ms.unwrap_or(0).max(last).max(1)
    }

    /// The step that is opened: the one asked for, else the first that failed, else, while it goes on, the newest, else the first.
    pub fn opened(&self, asked: Option<&str>) -> Option<i32> {
        let asked = asked.and_then(|text| text.parse::<i32>().ok());
        let known = asked.filter(|asked| self.steps.iter().any(|step| step.step == *asked));
        let failed = || self.steps.iter().find(|step| step.error.is_some()).map(|step| step.step);
        let usual = || {
            let step = if self.status == RunStatus::Running { self.steps.last() } else { self.steps.first() };
            step.map(|step| step.step)
        };
        known.or_else(failed).or_else(usual)
    }

    pub fn failed_steps(&self) -> usize {
        self.steps.iter().filter(|step| step.error.is_some()).count()
    }
}

/// Which steps are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    All,
    Errors,
    Tools,
}

impl Shown {
    pub fn of(word: Option<&str>) -> Self {
        match word {
            Some("errors") => Shown::Errors,
            Some("tools") => Shown::Tools,
            _ => Shown::All,
        }
    }

    pub fn shows(self, step: &RunStep) -> bool {
        match self {
            Shown::All => true,
            Shown::Errors => step.error.is_some(),
            Shown::Tools => step.event == StepEvent::ToolCall,
        }
    }
}

/// What the list of causes is narrowed to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CauseQuery {
    pub q: Option<String>,
    pub source: Option<String>,
    /// Open, if nothing is said; `all` for both.
    pub state: Option<String>,
    /// `last`: those that were seen longest ago first.
    pub sort: Option<String>,
    pub cursor: Option<String>,
}

/// Errors that have the same cause, in the list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CauseRow {
    pub id: ErrorCauseId,
    pub source: ErrorSource,
    pub code: String,
    pub message: String,
    pub count: i64,
    pub first_seen: Stamp,
    pub last_seen: Stamp,
    pub state: CauseState,
    /// It came again after it had been resolved.
    pub reopened: Option<Stamp>,
}

/// A cause's page.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CausePage {
    pub cause: CauseRow,
    pub resolved: Option<(Stamp, String)>,
    pub may_resolve: bool,
    pub errors: Page<ErrorRow>,
}

/// One time that an error came.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ErrorRow {
    pub at: Stamp,
    pub message: String,
    pub run: Option<RunId>,
    pub agent: Option<(AgentId, String)>,
    pub client: Option<String>,
    pub metadata: Value,
}

/// What is the same in a message each time: numbers, ids and what stands in quotation marks are left out, and so are long tails.
pub fn normalised(message: &str) -> String {
    let mut words: Vec<String> = Vec::new();
    let mut quoted = None;
    for word in message.split_whitespace().take(60) {
        if let Some(end) = quoted {
            if word.trim_end_matches(['.', ',', ':', ';', ')']).ends_with(end) {
                quoted = None;
            }
            continue;
        }
        let opened = word.trim_start_matches('(').chars().next();
        let end = match opened {
            Some('"') => Some('"'),
            Some('“') => Some('”'),
            Some('«') => Some('»'),
            _ => None,
        };
        if let Some(end) = end {
            let rest: String = word.trim_start_matches('(').chars().skip(1).collect();
            if !rest.contains(end) {
                quoted = Some(end);
            }
            words.push("…".to_owned());
        } else if word.chars().any(|letter| letter.is_ascii_digit()) {
            words.push("#".to_owned());
        } else {
            words.push(word.to_lowercase());
        }
    }
    words.dedup();
    words.join(" ").chars().take(300).collect()
}

/// `412 ms`, `1.4 s`, `2:05`.
pub fn took_text(ms: i64) -> String {
    match ms {
        ..1000 => format!("{} ms", ms.max(0)),
        1000..60_000 => format!("{}.{} s", ms / 1000, ms % 1000 / 100),
        _ => clock_text(ms),
    }
}

/// `0:28`, `61:05`.
pub fn clock_text(ms: i64) -> String {
    let seconds = ms.max(0) / 1000;
    format!("{}:{:02}", seconds / 60, seconds % 60)
}

/// `1,842 read, 41 written`. None: nobody counted.
pub fn tokens_text(read: i64, written: i64) -> Option<String> {
    (read + written > 0).then(|| format!("{} read, {} written", count_text(read), count_text(written)))
}

#[cfg(test)]
mod tests;
