//! Teams, their members and rules, and runs: their words and what is kept of each.

pub mod form;
pub mod rules;
pub mod views;

use serde::{Deserialize, Serialize};

use patchbay_execution::model::ApprovalRule;
use patchbay_shared::ids::{
    AgentId, ClientId, CollectionId, ConnectionId, EngineId, SkillId, SupervisorRunId, TargetId, TeamCaseId, TeamId,
};

patchbay_shared::words! {
    /// How a team works.
    pub TeamMode: "text" {
        Coordinate = "coordinate", "Coordinate", Mute;
        Supervisor = "supervisor", "Supervisor", Info;
    }
    /// Where a supervisor run stands.
    pub SupervisorRunStatus: "supervisor_run_status" {
        Pending = "pending", "Pending", Mute;
        Running = "running", "Running", Live;
        Completed = "completed", "Completed", Ok;
        Failed = "failed", "Failed", Bad;
    }
    /// What sent a message to a team.
    pub RunSource: "text" {
        Playground = "playground", "Playground", Mute;
        Api = "api", "API", Mute;
        Tool = "tool", "Tool of an agent", Mute;
        Rerun = "rerun", "Run again", Mute;
    }
    pub Limit: "text" {
        Steps = "steps", "Steps", Warn;
        Money = "money", "Money", Warn;
        Time = "time", "Time", Warn;
    }
}

pub const MOST_TEAMS: i64 = 100;
pub const MOST_MEMBERS: usize = 20;
pub const MOST_RULES: usize = 20;
/// Characters of a message.
pub const LONGEST_MESSAGE: usize = 8000;

/// `teams.settings`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct TeamSettings {
    /// What the supervisor is told beside who is there.
    pub instructions: String,
    /// None: the model that agents use.
    pub account: Option<ConnectionId>,
    pub model: Option<String>,
    /// 0 to 100: below it the supervisor asks back.
    pub threshold: u32,
    pub most_steps: u32,
    /// US dollars as decimal text.
    pub most_cost: String,
    pub most_seconds: u32,
    pub rules: Vec<ApprovalRule>,
    /// None: the agency's default engine.
    pub engine: Option<EngineId>,
    /// None: the first active target.
    pub target: Option<TargetId>,
    pub memory_mb: u32,
    pub collections: Vec<CollectionId>,
    pub skills: Vec<SkillId>,
}

impl Default for TeamSettings {
    fn default() -> Self {
        Self {
            instructions: String::new(),
            account: None,
            model: None,
            threshold: 70,
            most_steps: 20,
            most_cost: "0.50".to_owned(),
            most_seconds: 300,
            rules: Vec::new(),
            engine: None,
            target: None,
            memory_mb: 256,
            collections: Vec::new(),
            skills: Vec::new(),
        }
    }
}

/// A member as a version keeps it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MemberSnapshot {
    pub agent: AgentId,
    pub role: String,
}

/// `team_versions.snapshot`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TeamSnapshot {
    pub name: String,
    pub description: String,
    pub mode: TeamMode,
    pub settings: TeamSettings,
    pub members: Vec<MemberSnapshot>,
}

/// `supervisor_runs.supervisor_response`: whom the supervisor chose and why.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Classification {
    /// None: it asks back, or the work is done.
    pub worker: Option<AgentId>,
    pub worker_name: String,
    pub task: String,
    /// 0 to 1.
    pub confidence: f64,
    pub reason: String,
    /// All workers with how well each fits, 0 to 1.
    pub others: Vec<(AgentId, String, f64)>,
    /// The question, when it asks back; the answer, when the work is done.
    pub says: String,
}

/// A team's form, read: what it says is checked by itself, and against what is there when it is saved.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TeamFields {
    pub name: String,
    pub description: String,
    pub mode: TeamMode,
    pub client: Option<ClientId>,
    pub settings: TeamSettings,
}

/// `team_cases.expects`: what must hold once the last message was answered.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CaseExpects {
    pub worker: Option<AgentId>,
    pub asks_approval: bool,
    pub output_contains: Option<String>,
}

/// A case, read from its form.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CaseFields {
    pub team: TeamId,
    /// None: a new one.
    pub id: Option<TeamCaseId>,
    pub name: String,
    /// In order, of one conversation.
    pub messages: Vec<String>,
    pub expects: CaseExpects,
    pub from_run: Option<SupervisorRunId>,
}
