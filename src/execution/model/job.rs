//! Jobs as people see them: the list, one of them, and the form that makes one by hand.

use serde::{Deserialize, Serialize};

use super::approval::ApprovalRow;
use super::{EngineType, JobResult, JobStatus, LONGEST_PROMPT, Outcome, StepKind, TargetType};
use patchbay_shared::ids::{
    AgentId, ArtefactId, ClientId, EngineId, ExecutionJobId, SkillId, SupervisorRunId, TargetId, TeamId,
};
use patchbay_shared::money::length_text;
use patchbay_shared::{AppError, FieldErrors, Money, Page, Stamp};

/// Characters of what a job is called.
const LONGEST_TITLE: usize = 120;
/// Characters of a script that is written for one job.
pub const LONGEST_SCRIPT: usize = 20_000;

/// What the list is narrowed to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct JobQuery {
    pub q: Option<String>,
    pub status: Option<String>,
    pub target: Option<String>,
    pub engine: Option<String>,
    pub pool: Option<String>,
    pub team: Option<String>,
    pub client: Option<String>,
    /// Days on which it was made.
    pub from: Option<String>,
    pub to: Option<String>,
    /// The day on which it ended.
    pub ended: Option<String>,
    /// `made`: the oldest first.
    pub sort: Option<String>,
    pub cursor: Option<String>,
}

impl JobQuery {
    /// The list's address with these filters.
    pub fn address(&self) -> String {
        let keys = [
            ("status", &self.status),
            ("target", &self.target),
            ("engine", &self.engine),
            ("pool", &self.pool),
            ("team", &self.team),
            ("client", &self.client),
            ("from", &self.from),
            ("to", &self.to),
            ("ended", &self.ended),
        ];
        // Ids, days and fixed words: whatever else somebody wrote into an address stays out of it.
        let is_plain = |value: &str| {
            value.bytes().all(|letter| letter.is_ascii_alphanumeric() || letter == b'-' || letter == b'_')
        };
        let pairs: Vec<String> = keys
            .into_iter()
            .filter_map(|(key, value)| Some(format!("{key}={}", value.as_deref().filter(|value| is_plain(value))?)))
            .collect();
        if pairs.is_empty() { "/jobs".to_owned() } else { format!("/jobs?{}", pairs.join("&")) }
    }
}

/// One job in the list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JobRow {
    pub id: ExecutionJobId,
    pub title: String,
    pub status: JobStatus,
    pub engine: String,
    pub target: String,
    pub pool: String,
    pub agent: Option<String>,
    pub team: Option<String>,
    pub client: Option<String>,
    pub tries: i32,
    /// Milliseconds from its first start to its end.
    pub took_ms: Option<i64>,
    pub memory_limit_mb: i32,
    pub peak_memory_mb: Option<i32>,
    /// None: it has not ended, or is not priced.
    pub cost: Option<Money>,
    pub reason: Option<String>,
    pub made: Stamp,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct JobList {
    pub page: Page<JobRow>,
    /// For the filters.
    pub targets: Vec<(String, String)>,
    pub engines: Vec<(String, String)>,
    pub pools: Vec<(String, String)>,
    pub teams: Vec<(String, String)>,
}

/// A job with all that is known of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JobPage {
    pub job: Job,
    pub attempts: Vec<AttemptRow>,
    /// Whose log and memory are shown.
    pub shown: i32,
    /// The end of its log.
    pub log: Vec<LogLine>,
    /// Lines that it has.
    pub log_lines: i64,
    /// Milliseconds since the try's start, and megabytes.
    pub memory: Vec<(i64, i64)>,
    pub artefacts: Vec<ArtefactRow>,
    pub steps: Vec<JobStep>,
    pub approvals: Vec<ApprovalRow>,
    pub children: Vec<(ExecutionJobId, String, JobStatus)>,
    /// Where it can be moved to.
    pub targets: Vec<(String, String)>,
    /// With how much memory it can be tried again, where its target has as much.
    pub more_memory_mb: Option<i32>,
    pub may_manage: bool,
    pub may_decide: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Job {
    pub id: ExecutionJobId,
    pub title: String,
    pub status: JobStatus,
    pub engine: (EngineId, String),
    pub kind: EngineType,
    pub target: (TargetId, String),
    pub target_kind: TargetType,
    pub pool: String,
    pub agent: Option<(AgentId, String)>,
    pub client: Option<(ClientId, String)>,
    pub run: Option<SupervisorRunId>,
    pub team: Option<(TeamId, String)>,
    pub parent: Option<(ExecutionJobId, String)>,
    pub asked_by: Option<String>,
    pub prompt: String,
    pub result: Option<JobResult>,
    /// What it was made of, for reading: the snapshots of engine, worker and target.
    pub made_of: serde_json::Value,
    pub container: Option<String>,
    pub host: Option<String>,
    pub retry_count: i32,
    pub max_retries: i32,
    pub memory_limit_mb: i32,
    pub peak_memory_mb: Option<i32>,
    pub timeout_seconds: i32,
    pub reason: Option<String>,
    /// What happens next, or what to do.
    pub next: String,
    pub cancelled_by: Option<String>,
    pub is_being_cancelled: bool,
    pub made: Stamp,
    pub started: Option<Stamp>,
    pub ended: Option<Stamp>,
    /// Until when it waits or runs at most.
    pub until: Stamp,
    pub took_ms: Option<i64>,
    pub lease: Option<String>,
    pub steps: i32,
    pub tokens: i64,
    pub cost: Money,
    pub is_unpriced: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AttemptRow {
    pub number: i32,
    pub outcome: Option<Outcome>,
    pub reason: Option<String>,
    pub exit_code: Option<i32>,
    pub memory_limit_mb: i32,
    pub peak_memory_mb: Option<i32>,
    pub container: Option<String>,
    pub host: Option<String>,
    pub worker: String,
    pub started: Stamp,
    pub took_ms: Option<i64>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LogLine {
    /// `16:38:02.114`.
    pub at: String,
    /// `out`, `err` or `system`.
    pub stream: String,
    pub line: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ArtefactRow {
    pub id: ArtefactId,
    pub name: String,
    pub bytes: i64,
    pub attempt: i32,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JobStep {
    pub kind: StepKind,
    pub title: String,
    pub payload: serde_json::Value,
    pub at: Stamp,
    pub took_ms: i64,
    pub tokens: Option<i64>,
    pub cost: Option<Money>,
    pub error: Option<String>,
}

/// Milliseconds for people: `0.4 s`, `2:14`.
pub fn took_text(ms: i64) -> String {
    match ms {
        ..10_000 => format!("{}.{} s", ms / 1000, ms / 100 % 10),
        _ => length_text(ms / 1000),
    }
}

/// Bytes for people: `4 kB`, `61 MB`.
pub fn bytes_text(bytes: i64) -> String {
    match bytes {
        ..1000 => format!("{bytes} B"),
        1000..1_000_000 => format!("{} kB", bytes / 1000),
        _ => format!("{}.{} MB", bytes / 1_000_000, bytes / 100_000 % 10),
    }
}

/// How much of a limit is used, in thousandths, and whether it is close to it.
pub fn used(value: i32, limit: i32) -> (i32, bool) {
    let share = i64::from(value.max(0)) * 1000 / i64::from(limit.max(1));
    (share.min(1000) as i32, share >= 900)
}

/// What the form of a new job offers.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct JobChoices {
    /// Value and words; the words say the type.
    pub engines: Vec<(String, String)>,
    pub targets: Vec<(String, String)>,
    pub agents: Vec<(String, String)>,
    /// `<skill>/<name>` and words.
    pub scripts: Vec<(String, String)>,
    pub form: JobForm,
    /// Why the agency's jobs cannot run yet.
    pub missing: Option<String>,
}

/// The form of a job that a person makes, as it is typed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct JobForm {
    pub title: String,
    pub engine: String,
    pub target: String,
    /// Of a model: who works.
    pub agent: String,
    /// Of a command: a script of a skill, `<skill>/<name>`.
    pub script: String,
    /// Of a command: what is typed for this job alone.
    pub content: String,
    /// What it is told: a model's task, a command's input.
    pub input: String,
    pub memory_mb: String,
    pub minutes: String,
    /// A person is asked before it starts.
    pub asks: Option<String>,
    /// The client's admins may decide, too.
    pub for_client: Option<String>,
    /// Names the job, so that a form that is sent twice makes one.
    pub key: String,
}

/// What a form of a new job asks for. What the names stand for is looked at by the server.
#[derive(Debug, Clone, PartialEq)]
pub struct JobFields {
    pub title: String,
    pub engine: EngineId,
    pub target: TargetId,
    pub agent: Option<AgentId>,
    pub script: Option<(SkillId, String)>,
    pub content: String,
    pub input: String,
    pub memory_mb: Option<i32>,
    pub seconds: Option<i32>,
    pub asks: bool,
    pub for_client: bool,
}

impl JobForm {
    /// Errors: `Invalid`, each at its field.
    pub fn read(&self) -> Result<JobFields, AppError> {
        let mut errors = FieldErrors::default();
        let title = self.title.trim().to_owned();
        if title.is_empty() || title.chars().count() > LONGEST_TITLE {
            errors.add("title", "Say in at most 120 characters what the job does.");
        }
        let engine = self.engine.parse::<EngineId>().ok();
        if engine.is_none() {
            errors.add("engine", "Choose how the work is done.");
        }
        let target = self.target.parse::<TargetId>().ok();
        if target.is_none() {
            errors.add("target", "Choose where the work is done.");
        }
        let agent = match self.agent.as_str() {
            "" => None,
            id => id.parse().map_err(|_| errors.add("agent", "Choose an agent from the list.")).ok(),
        };
        let script = match self.script.split_once('/') {
            _ if self.script.is_empty() => None,
            Some((skill, name)) if skill.parse::<SkillId>().is_ok() => {
                skill.parse().ok().map(|id| (id, name.to_owned()))
            }
            _ => {
                errors.add("script", "Choose a script from the list.");
                None
            }
        };
        let (content, input) = (self.content.replace("\r\n", "\n"), self.input.trim().replace("\r\n", "\n"));
        if content.chars().count() > LONGEST_SCRIPT {
            errors.add("content", "Write at most 20,000 characters.");
        }
        if input.chars().count() > LONGEST_PROMPT {
            errors.add("input", "Write at most 20,000 characters.");
        }
        let mut number = |field: &str, text: &str, most: i32, words: &str| match text.trim() {
            "" => None,
            text => match text.parse::<i32>() {
                Ok(number) if (1..=most).contains(&number) => Some(number),
                _ => {
                    errors.add(field, words);
                    None
                }
            },
        };
        let memory_mb =
            number("memory_mb", &self.memory_mb, 1_048_576, "Give the memory in whole megabytes, for example 512.");
        let minutes = number("minutes", &self.minutes, 1440, "Give the time in whole minutes, at most 1,440.");
        if memory_mb.is_some_and(|memory| memory < 16) {
            errors.add("memory_mb", "Give it at least 16 MB.");
        }
        errors.clone().check()?;
        let (Some(engine), Some(target)) = (engine, target) else { return Err(AppError::Invalid(errors)) };
        let seconds = minutes.map(|minutes| minutes * 60);
        let (asks, for_client) = (self.asks.is_some(), self.for_client.is_some());
        Ok(JobFields { title, engine, target, agent, script, content, input, memory_mb, seconds, asks, for_client })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_says_at_each_field_what_is_wrong() {
        let Err(AppError::Invalid(errors)) = (JobForm {
            memory_mb: "1 GB".into(),
            minutes: "-1".into(),
            script: "nonsense".into(),
            agent: "x".into(),
            ..JobForm::default()
        })
        .read() else {
            panic!("refused")
        };
        for field in ["title", "engine", "target", "agent", "script", "memory_mb", "minutes"] {
            assert!(errors.at(field).is_some(), "{field}: {errors:?}");
        }
    }

    #[test]
    fn figures_are_short() {
        assert_eq!((took_text(412), took_text(134_000)), ("0.4 s".to_owned(), "2:14".to_owned()));
        assert_eq!((bytes_text(4120), bytes_text(61_000_000)), ("4 kB".to_owned(), "61.0 MB".to_owned()));
        assert_eq!((used(486, 512), used(900, 0)), ((949, true), (1000, true)));
    }
}
