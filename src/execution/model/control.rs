//! The control room of execution: figures, targets with what runs on them, and what waits for a person.

use serde::{Deserialize, Serialize};

use super::approval::ApprovalRow;
use super::job::{JobPage, JobQuery};
use super::{JobStatus, TargetType};
use patchbay_shared::ids::{CircuitId, ExecutionJobId, TargetId};

patchbay_shared::words! {
    /// Whether a target takes work now. The worst that is known of it.
    pub TargetState: "text" {
        Ready = "ready", "Ready", Ok;
        Full = "full", "Full", Warn;
        Held = "held", "Held", Warn;
        CircuitOpen = "circuit_open", "Circuit open", Bad;
        Unreachable = "unreachable", "Unreachable", Bad;
    }
}

/// What is looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ControlQuery {
    pub pool: Option<String>,
    pub client: Option<String>,
    /// The job that is shown below the targets.
    pub job: Option<String>,
}

/// Numbers behind the tabs. None: not counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TabCounts {
    pub jobs: Option<i64>,
    pub runs: Option<i64>,
    pub engines: Option<i64>,
    pub targets: Option<i64>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ControlRoom {
    /// `3 targets in 3 pools · 14 of 22 slots in use`.
    pub sub: String,
    /// `16:42:08`.
    pub updated: String,
    pub pools: Vec<String>,
    pub query: ControlQuery,
    pub tabs: TabCounts,
    /// No target takes new work.
    pub is_held: bool,
    pub unserved: Vec<Unserved>,
    pub figures: Vec<Figure>,
    pub targets: Vec<TargetCard>,
    pub approvals: Vec<ApprovalRow>,
    pub approvals_open: i64,
    pub decided: Vec<ApprovalRow>,
    pub decided_today: i64,
    /// Where those are.
    pub decided_href: String,
    /// Who is written to when an approval is asked for. None: this installation sends no e-mail.
    pub mailed: Option<i64>,
    pub job: Option<Box<JobPage>>,
    pub may_manage: bool,
    pub may_decide: bool,
    pub has_engines: bool,
}

/// A pool whose work no worker takes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unserved {
    pub pool: String,
    /// Jobs that could have begun.
    pub waiting: i64,
    /// For how long the first of them could: `2:14`.
    pub time: String,
}

/// One of the six figures; `href` leads to exactly the jobs that are counted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Figure {
    pub label: String,
    pub count: i64,
    /// A part of the remark that stands out: good or bad.
    pub share: Option<String>,
    pub is_bad: bool,
    pub note: String,
    pub query: JobQuery,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TargetCard {
    pub id: TargetId,
    pub name: String,
    pub kind: TargetType,
    pub pool: String,
    pub state: TargetState,
    /// Why it is unreachable.
    pub problem: Option<String>,
    pub slots: i64,
    pub used: i64,
    pub memory_mb: i64,
    pub memory_used_mb: i64,
    /// Out of memory, running and waiting for their next try: the first of them.
    pub jobs: Vec<SlotJob>,
    /// Running jobs that are not among them.
    pub more: i64,
    pub queued: i64,
    pub awaiting: i64,
    pub circuits: Vec<CircuitBox>,
}

/// A job on a target's card.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SlotJob {
    pub id: ExecutionJobId,
    pub title: String,
    pub status: JobStatus,
    /// How long it has run, `2:14`, or when it is tried again, `in 0:25`.
    pub time: String,
    /// Of the last sample.
    pub memory_mb: Option<i32>,
    pub peak_mb: Option<i32>,
    pub limit_mb: i32,
    /// How long ago its worker was heard of: `0:04`.
    pub lease: Option<String>,
    pub try_number: i32,
    /// Tries that it has at most.
    pub tries: i32,
    pub reason: Option<String>,
    /// Out of memory: with how much it can be tried again.
    pub more_mb: Option<i32>,
}

/// An engine's breaker on the target that is open.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CircuitBox {
    pub id: CircuitId,
    pub engine: String,
    /// `0:42`; none: the probe is due or runs.
    pub probe_in: Option<String>,
    pub is_probing: bool,
    pub failures: i32,
    pub reason: Option<String>,
    /// Jobs that wait for it.
    pub waiting: i64,
    /// The target that they can be moved to.
    pub move_to: Option<(TargetId, String)>,
}
