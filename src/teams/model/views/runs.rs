//! What pages show of runs: in lists, as a tree, and beside each other.

use serde::{Deserialize, Serialize};

use super::TeamHead;
use crate::model::{Limit, RunSource, SupervisorRunStatus, TeamMode};
use patchbay_execution::model::{Decision, JobStatus, StepKind};
use patchbay_shared::ids::{ApprovalId, CallId, ExecutionJobId, SessionId, SupervisorRunId, TeamCaseId, TeamId};
use patchbay_shared::{Money, Page, Stamp};

/// What runs are narrowed to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SupervisorRunQuery {
    #[serde(alias = "q")]
    pub words: Option<String>,
    pub team: Option<String>,
    pub client: Option<String>,
    pub status: Option<String>,
    /// The name of the engine.
    pub engine: Option<String>,
    pub source: Option<String>,
    /// `person`: an approval is open in it.
    pub waiting: Option<String>,
    /// Days, both included.
    pub from: Option<String>,
    pub to: Option<String>,
    /// `started`: oldest first.
    pub sort: Option<String>,
    pub cursor: Option<String>,
}

/// One run, in the list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SupervisorRunRow {
    pub id: SupervisorRunId,
    pub message: String,
    pub team: TeamId,
    pub team_name: String,
    pub status: SupervisorRunStatus,
    pub source: RunSource,
    pub worker: Option<String>,
    pub engine: Option<String>,
    pub asked_back: bool,
    pub failure: Option<String>,
    pub waiting: i64,
    pub steps: i32,
    pub took_ms: Option<i64>,
    pub cost: Money,
    pub is_unpriced: bool,
    pub created: Stamp,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SupervisorRunList {
    /// The team, on its own page.
    pub head: Option<TeamHead>,
    pub page: Page<SupervisorRunRow>,
    pub teams: Vec<(String, String)>,
    pub engines: Vec<(String, String)>,
}

/// What was used of what is allowed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Used {
    pub steps: i32,
    pub most_steps: u32,
    pub cost: Money,
    pub most_cost: Money,
    pub is_unpriced: bool,
    pub seconds: i64,
    pub most_seconds: u32,
}

/// Tokens and cost of one of those who acted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Spent {
    pub who: String,
    pub read: i64,
    pub written: i64,
    pub cost: Money,
    pub is_unpriced: bool,
}

/// One of the workers, as the supervisor saw it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Fit {
    pub name: String,
    /// Of a thousand.
    pub mille: u32,
    pub is_chosen: bool,
}

/// Whom the supervisor chose, and why.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Choice {
    pub worker: Option<String>,
    pub task: String,
    pub reason: String,
    pub says: String,
    pub mille: u32,
    /// Below it the supervisor asks back; of a thousand.
    pub threshold: u32,
    pub fits: Vec<Fit>,
}

/// One step, as the tree shows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StepView {
    pub kind: StepKind,
    pub title: String,
    pub choice: Option<Choice>,
    /// What was sent, and what came of it: cut.
    pub sent: Option<String>,
    pub result: Option<String>,
    pub error: Option<String>,
    pub took_ms: i32,
    pub tokens: i32,
    /// None: it has no price, or asked no model.
    pub cost: Option<Money>,
    pub at: Stamp,
}

/// A question to a person.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ApprovalView {
    pub id: ApprovalId,
    pub title: String,
    pub rule: String,
    pub tool: Option<String>,
    pub details: Vec<(String, String)>,
    pub content: String,
    pub until: Stamp,
    /// How long there is: `20:14`. None: its time is up.
    pub left: Option<String>,
    /// Who has it open.
    pub opened_by: Option<String>,
    pub decision: Option<Decision>,
    pub decided_by: Option<String>,
    pub decided: Option<Stamp>,
    pub note: String,
    pub edited: Option<String>,
}

/// A job of a run, with what it did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JobView {
    pub id: ExecutionJobId,
    pub title: String,
    /// The worker; none for a script.
    pub who: String,
    pub prompt_version: Option<i32>,
    pub task: String,
    pub engine: String,
    pub target: String,
    pub status: JobStatus,
    pub reason: Option<String>,
    pub output: Option<String>,
    pub retries: i32,
    pub artefacts: i64,
    pub ended: Option<Stamp>,
    pub took_ms: Option<i64>,
    /// The first and the last of its steps that count, among those of the run.
    pub numbers: Option<(i32, i32)>,
    pub steps: Vec<StepView>,
    pub cost: Money,
    pub is_unpriced: bool,
    pub approvals: Vec<ApprovalView>,
    /// Jobs that it asked for.
    pub children: Vec<JobView>,
}

/// What happened in a run, in order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Node {
    Supervisor(StepView),
    Job(JobView),
}

/// One run with its tree.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunView {
    pub id: SupervisorRunId,
    pub message: String,
    pub status: SupervisorRunStatus,
    pub source: RunSource,
    pub by: Option<String>,
    pub call: Option<CallId>,
    pub version: i32,
    pub mode: TeamMode,
    pub engine: Option<String>,
    pub worker: Option<String>,
    pub choice: Option<Choice>,
    pub output: Option<String>,
    pub asked_back: bool,
    pub failure: Option<String>,
    pub limit: Option<Limit>,
    /// It is being stopped.
    pub is_stopping: bool,
    pub stopped_by: Option<String>,
    pub again_of: Option<SupervisorRunId>,
    pub session: SessionId,
    pub created: Stamp,
    pub ended: Option<Stamp>,
    pub took_ms: Option<i64>,
    pub tokens: i64,
    pub used: Used,
    pub spent: Vec<Spent>,
    pub nodes: Vec<Node>,
}

impl RunView {
    pub fn is_open(&self) -> bool {
        matches!(self.status, SupervisorRunStatus::Pending | SupervisorRunStatus::Running)
    }

    /// Questions that nobody has answered.
    pub fn waiting(&self) -> Vec<&ApprovalView> {
        self.jobs().into_iter().flat_map(|job| &job.approvals).filter(|approval| approval.decision.is_none()).collect()
    }

    /// All jobs, those that others asked for behind them.
    pub fn jobs(&self) -> Vec<&JobView> {
        let jobs = self.nodes.iter().filter_map(|node| if let Node::Job(job) = node { Some(job) } else { None });
        jobs.flat_map(|job| std::iter::once(job).chain(&job.children)).collect()
    }
}

/// A session, for the way back to it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SessionRow {
    pub session: SessionId,
    pub message: String,
    pub status: SupervisorRunStatus,
    pub runs: i64,
    pub steps: i64,
    pub cost: Money,
    pub is_unpriced: bool,
    /// How it came to an end before its time.
    pub limit: Option<Limit>,
    pub at: Stamp,
}

/// What stands around the playground: it is not asked for again while somebody types.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlaygroundHead {
    pub head: TeamHead,
    pub session: Option<SessionId>,
    /// Names the next run, so that a second press makes no second one.
    pub key: SupervisorRunId,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlaygroundPage {
    pub head: TeamHead,
    pub session: Option<SessionId>,
    /// Of the session, oldest first. Only the newest have their trees.
    pub runs: Vec<RunView>,
    /// Of all of them together.
    pub spent: Vec<Spent>,
    pub sessions: Vec<SessionRow>,
    /// What a run may use, before there is one.
    pub allowed: Used,
    /// The members, for what comes next.
    pub members: Vec<String>,
    pub may_decide: bool,
    /// A case that was made of this session.
    pub case: Option<(TeamCaseId, String)>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SupervisorRunPage {
    pub head: TeamHead,
    pub run: RunView,
    /// Engines for another try.
    pub engines: Vec<(String, String)>,
    /// Runs of the same team that it can stand beside.
    pub others: Vec<(String, String)>,
    /// Runs that repeat it.
    pub again: Vec<(SupervisorRunId, Stamp)>,
    pub may_decide: bool,
}

/// One run of two that stand beside each other.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SupervisorComparePage {
    pub head: TeamHead,
    pub a: RunView,
    pub b: Option<RunView>,
    pub others: Vec<(String, String)>,
}
