//! Engines, targets, jobs and approvals: their words, what is kept of each, and what a job is made of.

pub mod approval;
pub mod control;
pub mod job;
pub mod moves;
pub mod setup;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use patchbay_shared::ids::{AgentId, ConnectionId, EngineId, PromptId, SkillId, TargetId};

patchbay_shared::words! {
    /// How an engine works.
    pub EngineType: "text" {
        Model = "model", "Model", Info;
        Process = "process", "Process", Mute;
    }
    pub TargetType: "text" {
        Local = "local", "This machine", Mute;
        Docker = "docker", "Docker", Info;
        Kubernetes = "kubernetes", "Kubernetes", Info;
    }
    /// Where a job stands. `completed`, `failed` and `oom` are its end; a job that waits for a circuit goes on by itself.
    pub JobStatus: "execution_job_status" {
        Queued = "queued", "Queued", Mute;
        Running = "running", "Running", Live;
        AwaitingApproval = "awaiting_approval", "Awaiting approval", Warn;
        Completed = "completed", "Completed", Ok;
        Failed = "failed", "Failed", Bad;
        Oom = "oom", "Out of memory", Bad;
        FailedCircuitOpen = "failed_circuit_open", "Circuit open", Bad;
    }
    /// What a person decided, or time did.
    pub Decision: "text" {
        Approved = "approved", "Approved", Ok;
        Edited = "edited", "Edited and approved", Ok;
        Rejected = "rejected", "Rejected", Bad;
        Expired = "expired", "Expired", Mute;
        Withdrawn = "withdrawn", "Withdrawn", Mute;
    }
    pub StepKind: "text" {
        Classified = "classified", "Chose a worker", Info;
        AskedBack = "asked_back", "Asked back", Info;
        Model = "model", "Model", Mute;
        Tool = "tool", "Tool", Mute;
        Approval = "approval", "Approval", Warn;
        Process = "process", "Command", Mute;
        Composed = "composed", "Composed the answer", Info;
        Message = "message", "Message", Mute;
        Limit = "limit", "Limit reached", Bad;
    }
    /// How a try ended.
    pub Outcome: "text" {
        Completed = "completed", "Completed", Ok;
        Failed = "failed", "Failed", Bad;
        Oom = "oom", "Out of memory", Bad;
        Timeout = "timeout", "Took too long", Bad;
        Cancelled = "cancelled", "Cancelled", Mute;
        Lost = "lost", "Worker lost", Warn;
        HeldBack = "held_back", "Held back", Mute;
    }
}

/// Characters of what a job is told.
pub const LONGEST_PROMPT: usize = 20_000;
/// Bytes of a job's log that are kept, of each try.
pub const LONGEST_LOG: usize = 1024 * 1024;
/// Lines of a job's log that are kept, of each try.
pub const MOST_LINES: usize = 10_000;
/// Bytes of the files of a job.
pub const MOST_ARTEFACTS: u64 = 64 * 1024 * 1024;

/// `execution_engines.handler_config`, by the engine's type.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum EngineConfig {
    Model(ModelEngine),
    Process(ProcessEngine),
}

/// A chat model with tools in a loop.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ModelEngine {
    /// None: the account and model that the agent's runs use.
    pub account: Option<ConnectionId>,
    pub model: Option<String>,
    /// Answers of the model in one job.
    pub most_steps: u32,
    /// Tokens of one answer.
    pub most_tokens: u32,
    pub timeout_seconds: u32,
}

impl Default for ModelEngine {
    fn default() -> Self {
        Self { account: None, model: None, most_steps: 20, most_tokens: 6000, timeout_seconds: 300 }
    }
}

/// A command in a sandbox.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ProcessEngine {
    /// The program that reads the script, with its arguments: `python3`, `sh -e`. The script's file follows as the last argument.
    pub interpreter: Vec<String>,
    /// For Docker and Kubernetes.
    pub image: Option<String>,
    pub has_network: bool,
    pub memory_mb: u32,
    pub cpu_milli: u32,
    pub disk_mb: u32,
    pub most_processes: u32,
    pub timeout_seconds: u32,
}

impl Default for ProcessEngine {
    fn default() -> Self {
        Self {
            interpreter: vec!["sh".to_owned(), "-e".to_owned()],
            image: None,
            has_network: false,
            memory_mb: 256,
            cpu_milli: 1000,
            disk_mb: 256,
            most_processes: 64,
            timeout_seconds: 120,
        }
    }
}

/// `execution_targets.connection_config`, by the target's type; secrets lie sealed beside it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum TargetConfig {
    /// The worker's own machine.
    Local,
    Docker {
        /// `unix:///var/run/docker.sock` or `https://host:2376`.
        address: String,
        /// PEM of the authority that signed the engine's certificate, and the client's own. The key is the secret.
        authority: Option<String>,
        certificate: Option<String>,
    },
    Kubernetes {
        /// `https://host:6443`; empty: the cluster that Patchbay runs in.
        address: String,
        namespace: String,
        authority: Option<String>,
        /// The token is the secret; empty: that of the pod.
        node_selector: BTreeMap<String, String>,
    },
}

/// What jobs may take of a target together.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Capacity {
    pub slots: u32,
    pub memory_mb: u32,
    /// Thousandths of a processor.
    pub cpu_milli: u32,
}

/// When a person is asked before something is done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ApprovalRule {
    pub name: String,
    pub when: AsksFor,
    /// Minutes until it expires, which counts as a rejection.
    pub minutes: u32,
    /// The client's admins may decide, too.
    pub for_client: bool,
}

/// What a rule asks for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "on", rename_all = "snake_case")]
pub enum AsksFor {
    /// Each use of this tool. `above`: only when the argument of this name is a number above that.
    Tool { name: String, argument: Option<String>, above: Option<f64> },
    /// Each job of this agent.
    Worker { agent: AgentId },
    /// The next step, once a run has cost so much, in US dollars as decimal text.
    Cost { above: String },
    /// Each job of a process.
    Process,
}

/// What a job is: a snapshot, whatever is changed afterwards.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WorkerConfig {
    pub engine: EngineId,
    pub engine_name: String,
    pub config: EngineConfig,
    /// Of a model: who works, and with what words.
    pub agent: Option<WorkerAgent>,
    /// Of a process: what is run.
    pub script: Option<Script>,
    pub rules: Vec<ApprovalRule>,
    /// Knowledge of the team, beside the agent's own.
    pub collections: Vec<patchbay_shared::ids::CollectionId>,
    pub variables: BTreeMap<String, String>,
    /// What the whole run may still cost, in US dollars as decimal text. None: no limit.
    pub most_cost: Option<String>,
    /// Steps that the run has left.
    pub most_steps: Option<u32>,
    /// The conversation that it is part of.
    #[serde(default)]
    pub session: Option<patchbay_shared::ids::SessionId>,
    /// What scripts of its skills may have, in MB. None: what their engine says.
    #[serde(default)]
    pub script_memory_mb: Option<i32>,
}

/// An agent as it was when the job was made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WorkerAgent {
    pub id: AgentId,
    pub name: String,
    pub role: String,
    pub prompt: Option<PromptId>,
    pub prompt_version: Option<i32>,
    /// The words of the prompt, and what is told of skills.
    pub instructions: String,
    /// Of the model. 0 to 1.
    pub temperature: Option<f64>,
    /// Names of the agent's tools that it may use.
    pub tools: Vec<String>,
    /// Scripts of its skills that it may have run, as tools of their own.
    pub scripts: Vec<Script>,
}

/// A script of a skill.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Script {
    /// None: written for this job alone.
    pub skill: Option<SkillId>,
    pub skill_name: String,
    pub name: String,
    pub content: String,
    /// Files of the skill that lie beside it: name and content.
    pub beside: Vec<(String, String)>,
}

/// `execution_jobs.execution_target`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TargetSnapshot {
    pub id: TargetId,
    pub name: String,
    pub pool: String,
    pub config: TargetConfig,
    pub capacity: Capacity,
}

/// `execution_jobs.result`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct JobResult {
    /// The worker's answer, or the end of what a process wrote.
    pub output: String,
    pub exit_code: Option<i32>,
    /// Files that were left out, because there were too many or they were too large.
    pub left_out: Vec<String>,
    pub is_cut: bool,
}
