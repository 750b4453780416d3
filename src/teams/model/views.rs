//! What pages about teams show. `runs` has what they show of runs.

mod runs;

use serde::{Deserialize, Serialize};

pub use runs::{
    ApprovalView, Choice, Fit, JobView, Node, PlaygroundHead, PlaygroundPage, RunView, SessionRow, Spent, StepView,
    SupervisorComparePage, SupervisorRunList, SupervisorRunPage, SupervisorRunQuery, SupervisorRunRow, Used,
};

use super::TeamMode;
use super::form::{CaseForm, TeamForm};
use super::rules::RuleForm;
use patchbay_shared::ids::{AgentId, ClientId, SupervisorRunId, TeamAgentId, TeamCaseId, TeamId};
use patchbay_shared::{Page, Stamp};

patchbay_shared::words! {
    /// Whether a team takes messages.
    pub TeamState: "text" {
        Active = "active", "Active", Ok;
        Inactive = "inactive", "Deactivated", Mute;
    }
    /// What became of a case the last time.
    pub CaseResult: "text" {
        Passed = "passed", "Passed", Ok;
        Failed = "failed", "Failed", Bad;
        Running = "running", "Running", Live;
        Never = "never", "Not run yet", Mute;
    }
}

impl TeamState {
    pub fn of(is_active: bool) -> Self {
        if is_active { TeamState::Active } else { TeamState::Inactive }
    }
}

/// What the list of teams is narrowed to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TeamQuery {
    #[serde(alias = "q")]
    pub words: Option<String>,
    pub mode: Option<String>,
    pub client: Option<String>,
    /// `inactive`, `all`; else active ones.
    pub state: Option<String>,
    /// `name`, `-name`, `changed`, `-changed`.
    pub sort: Option<String>,
    pub cursor: Option<String>,
}

/// One team, in the list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TeamRow {
    pub id: TeamId,
    pub name: String,
    pub description: String,
    pub mode: TeamMode,
    pub client: Option<String>,
    pub members: i64,
    /// Runs in which a person is waited for.
    pub waiting: i64,
    pub last_run: Option<Stamp>,
    pub is_active: bool,
    pub updated: Stamp,
}

/// The list, and the clients for its filter.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TeamList {
    pub page: Page<TeamRow>,
    pub clients: Vec<(String, String)>,
}

/// What stands above all pages of a team.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TeamHead {
    pub id: TeamId,
    pub name: String,
    pub description: String,
    pub mode: TeamMode,
    pub client: Option<(ClientId, String)>,
    pub revision: i32,
    pub is_active: bool,
    pub members: i64,
    pub cases: i64,
    /// At most 1,001.
    pub runs: i64,
    pub versions: i64,
    /// Why it takes no messages at the moment.
    pub rest: Option<String>,
    pub may_edit: bool,
    pub may_run: bool,
}

/// One member.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MemberRow {
    pub id: TeamAgentId,
    pub agent: AgentId,
    pub name: String,
    pub role: String,
    /// Why it takes no work.
    pub rest: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MembersPage {
    pub head: TeamHead,
    pub members: Vec<MemberRow>,
    /// Agents that can be added.
    pub others: Vec<(String, String)>,
}

/// What the form of a new team chooses from.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct NewTeamPage {
    pub clients: Vec<(String, String)>,
}

/// The form of a team and what it chooses from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LimitsPage {
    pub head: TeamHead,
    pub form: TeamForm,
    pub rules: Vec<RuleForm>,
    pub clients: Vec<(String, String)>,
    pub accounts: Vec<(String, String)>,
    pub engines: Vec<(String, String)>,
    pub targets: Vec<(String, String)>,
    pub collections: Vec<(String, String)>,
    pub skills: Vec<(String, String)>,
    pub workers: Vec<(String, String)>,
    /// Names of the members’ tools and of scripts that they may have run.
    pub tools: Vec<String>,
    /// In words, for whoever only reads.
    pub facts: Vec<(String, String)>,
}

/// One version, in the list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TeamVersionRow {
    pub number: i32,
    pub note: String,
    pub author: Option<String>,
    pub at: Stamp,
    pub is_current: bool,
}

/// What versions are narrowed to, and which two stand beside each other.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TeamVersionQuery {
    #[serde(alias = "q")]
    pub words: Option<String>,
    pub from: Option<String>,
    pub to: Option<String>,
    /// `number`: oldest first.
    pub sort: Option<String>,
    pub cursor: Option<String>,
}

/// One thing that two versions have differently: what, then, now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VersionChange {
    pub what: String,
    pub before: String,
    pub after: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TeamVersionsPage {
    pub head: TeamHead,
    pub page: Page<TeamVersionRow>,
    /// Two versions and what differs.
    pub compared: Option<(i32, i32, Vec<VersionChange>)>,
}

/// What cases are narrowed to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TeamCaseQuery {
    #[serde(alias = "q")]
    pub words: Option<String>,
    /// A word of `CaseResult`.
    pub result: Option<String>,
    /// `-name`: from Z to A.
    pub sort: Option<String>,
    pub cursor: Option<String>,
}

/// One case, in the list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TeamCaseRow {
    pub id: TeamCaseId,
    pub name: String,
    pub messages: i64,
    pub expects: Vec<String>,
    pub result: CaseResult,
    pub note: Option<String>,
    pub last_run: Option<SupervisorRunId>,
    pub last_at: Option<Stamp>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TeamCasesPage {
    pub head: TeamHead,
    pub page: Page<TeamCaseRow>,
}

/// The form of a case.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TeamCasePage {
    pub head: TeamHead,
    pub form: CaseForm,
    pub workers: Vec<(String, String)>,
    /// None: it is not saved yet.
    pub row: Option<TeamCaseRow>,
}
