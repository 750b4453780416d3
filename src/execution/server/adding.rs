//! A job comes about: its snapshot is written once, and a rule may ask a person before it starts.

use std::time::Duration;

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde_json::json;
use uuid::Uuid;

use super::asking::{self, Asked};
use super::hooks::RunMayGoOn;
use super::plain::{cut, storable};
use super::store::{jobs, queue, starting};
use super::{QUEUE, ending};
use crate::model::{ApprovalRule, AsksFor, EngineConfig, JobStatus, LONGEST_PROMPT, TargetSnapshot, WorkerConfig};
use patchbay_access::server::{Change, Fields, WriteTx};
use patchbay_shared::ids::{AgentId, ClientId, ExecutionJobId, SupervisorRunId, TargetId};
use patchbay_shared::{AppError, Reason};

/// How long a job waits at most for its turn.
const LONGEST_WAIT: chrono::TimeDelta = chrono::TimeDelta::hours(24);
/// What a job of a model counts for: it runs in the worker itself.
const MODEL_MEMORY: i32 = 64;
/// The longest title.
const LONGEST_TITLE: usize = 200;
/// Seconds that one try may take.
const MOST_SECONDS: i32 = 24 * 3600;

/// A job that somebody wants done.
#[derive(Debug, Clone)]
pub struct NewExecutionJob {
    /// What it does, in a few words.
    pub title: String,
    pub target: TargetId,
    /// Names the engine, too.
    pub config: WorkerConfig,
    /// What the worker is told to do; a process reads it from its standard input.
    pub prompt: String,
    /// None: what the engine says.
    pub memory_mb: Option<i32>,
    /// Of one try. None: what the engine says.
    pub timeout_seconds: Option<i32>,
    pub run: Option<SupervisorRunId>,
    /// The job that asked for it.
    pub parent: Option<ExecutionJobId>,
    pub client: Option<ClientId>,
    pub agent: Option<AgentId>,
    /// The same key again gives the same job.
    pub key: Option<Uuid>,
}

/// Until when a job waits that begins to wait now.
pub(super) async fn waits_until(tx: &mut WriteTx) -> Result<DateTime<Utc>, AppError> {
    Ok(tx.reading().now().await? + LONGEST_WAIT)
}

/// The target as it is now, for a job that is to run there. Errors: `Invalid` at `target` or `memory_mb`.
pub(super) async fn usable_target(tx: &mut WriteTx, id: TargetId, memory_mb: i32) -> Result<TargetSnapshot, AppError> {
    let now = match starting::target(tx.reading(), id).await {
        Ok(now) if now.is_active => now,
        Ok(_) | Err(AppError::NotFound) => {
            return Err(AppError::invalid("target", "Choose a target from the list that is switched on."));
        }
        Err(error) => return Err(error),
    };
    let most = i32::try_from(now.snapshot.capacity.memory_mb).unwrap_or(i32::MAX);
    if memory_mb < 1 || memory_mb > most {
        let why =
            format!("The target {} gives 1 to {most} MB to a job. Choose a number in between.", now.snapshot.name);
        return Err(AppError::invalid("memory_mb", why));
    }
    Ok(now.snapshot)
}

/// The rule that asks before a job starts, if one does.
pub(super) async fn rule_at_start(
    tx: &mut WriteTx,
    config: &WorkerConfig,
    run: Option<SupervisorRunId>,
    is_child: bool,
) -> Result<Option<ApprovalRule>, AppError> {
    let cost = match run {
        Some(run) if config.rules.iter().any(|rule| matches!(rule.when, AsksFor::Cost { .. })) => {
            let hook = tx.services().hooks.get::<RunMayGoOn>()?.0;
            hook(tx.reading(), run).await?.cost
        }
        _ => Decimal::ZERO,
    };
    Ok(asking::at_start(config, is_child, cost).cloned())
}

/// Puts a job into the queue, or before a person whom a rule asks. Errors: `Invalid` at the field.
pub async fn add(tx: &mut WriteTx, new: NewExecutionJob) -> Result<ExecutionJobId, AppError> {
    if let Some(key) = new.key
        && let Some(known) = jobs::by_key(tx.reading(), key).await?
    {
        return Ok(known);
    }
    let prompt = new.prompt.replace('\0', "\u{fffd}");
    if prompt.chars().count() > LONGEST_PROMPT {
        let why = format!("Shorten it to {LONGEST_PROMPT} characters.");
        return Err(AppError::invalid("prompt", why));
    }
    let (memory, seconds) = match &new.config.config {
        EngineConfig::Model(engine) => (MODEL_MEMORY, engine.timeout_seconds),
        EngineConfig::Process(engine) => (i32::try_from(engine.memory_mb).unwrap_or(i32::MAX), engine.timeout_seconds),
    };
    let memory =
        if matches!(new.config.config, EngineConfig::Model(_)) { memory } else { new.memory_mb.unwrap_or(memory) };
    let seconds = new.timeout_seconds.unwrap_or(i32::try_from(seconds).unwrap_or(MOST_SECONDS)).clamp(1, MOST_SECONDS);
    let snapshot = usable_target(tx, new.target, memory).await?;
    if let Some(client) = new.client
        && let Some(name) = starting::archived(tx.reading(), client).await?
    {
        let why = format!("The client {name} is archived: nothing is done for it until it is restored.");
        return Err(AppError::Conflict(Reason::WrongState, why));
    }
    let rule = rule_at_start(tx, &new.config, new.run, new.parent.is_some()).await?;
    let status = if rule.is_some() { JobStatus::AwaitingApproval } else { JobStatus::Queued };
    let mut timeout_at = waits_until(tx).await?;
    if let Some(rule) = &rule {
        timeout_at += chrono::TimeDelta::minutes(i64::from(rule.minutes));
    }
    let title = storable(cut(new.title.trim(), LONGEST_TITLE)).replace('\n', " ");
    let id = ExecutionJobId::new();
    let row = jobs::NewRow {
        id,
        run: new.run,
        parent: new.parent,
        client: new.client,
        agent: new.agent,
        engine: new.config.engine,
        title: &title,
        config: &new.config,
        prompt: &prompt,
        snapshot: &snapshot,
        status,
        memory_mb: memory,
        timeout_seconds: seconds,
        timeout_at,
        key: new.key,
    };
    if !jobs::insert(tx, &row).await? {
        // Sent twice in the same moment: the other one was first.
        let known = match new.key {
            Some(key) => jobs::by_key(tx.reading(), key).await?,
            None => None,
        };
        return known.ok_or(AppError::NotFound);
    }
    match rule {
        Some(rule) => {
            let asked = Asked {
                job: id,
                run: new.run,
                client: new.client,
                rule: &rule,
                tool: None,
                title: &title,
                details: details(&new.config, &snapshot.name, memory),
                content: &prompt,
            };
            asking::ask(tx, &asked).await?;
        }
        None => {
            queue::put(tx, id, &snapshot.pool, Duration::ZERO).await?;
            tx.wake(QUEUE);
        }
    }
    // What a run asks for stands in the run.
    if tx.user_id().is_some() {
        let facts = json!({
            "title": title, "engine": new.config.engine_name, "target": snapshot.name, "memory_mb": memory, "status": status,
        });
        let fields = Fields::Created(facts);
        let change =
            Change { action: "created", entity: "execution_job", entity_id: Some(id.0), client_id: None, fields };
        tx.audit(change).await?;
    }
    ending::notify(tx, id, new.run);
    Ok(id)
}

/// What a person is shown who decides whether it starts.
pub(super) fn details(config: &WorkerConfig, target: &str, memory: i32) -> Vec<(String, String)> {
    let row = |name: &str, value: String| (name.to_owned(), asking::shown(&value));
    let mut rows = Vec::new();
    if let Some(agent) = &config.agent {
        rows.push(row("Worker", agent.name.clone()));
    }
    rows.push(row("Engine", config.engine_name.clone()));
    rows.push(row("Target", target.to_owned()));
    if let EngineConfig::Process(engine) = &config.config {
        if let Some(script) = &config.script {
            let of = if script.skill_name.is_empty() { String::new() } else { format!(" of {}", script.skill_name) };
            rows.push(row("Script", format!("{}{of}", script.name)));
            rows.push(("What it runs".to_owned(), asking::shown_long(&script.content)));
            if !script.beside.is_empty() {
                let names: Vec<&str> = script.beside.iter().map(|(name, _)| name.as_str()).collect();
                rows.push(row("Files beside it", names.join(", ")));
            }
        }
        rows.push(row("Memory", format!("{memory} MB")));
        rows.push(row("Network", if engine.has_network { "Yes" } else { "No" }.to_owned()));
    }
    rows
}
