//! A job that a person makes on the page of execution.

use std::collections::BTreeMap;

use super::jobs::{self, NewExecutionJob};
use super::snapshot;
use super::store::views::choices;
use crate::model::job::{JobChoices, JobFields, JobForm};
use crate::model::{ApprovalRule, AsksFor, EngineConfig, Script, WorkerConfig};
use patchbay_access::server::{ReadTx, WriteTx};
use patchbay_shared::ids::ExecutionJobId;
use patchbay_shared::{AppError, FieldErrors};

/// How long somebody is waited for, in minutes.
const ASKED_FOR: u32 = 120;

/// What the form offers.
pub(crate) async fn choices(tx: &mut ReadTx, form: JobForm) -> Result<JobChoices, AppError> {
    let (engines, targets) = (choices::engines(tx).await?, choices::targets(tx).await?);
    let missing = match (engines.is_empty(), targets.is_empty()) {
        (true, _) => Some("There is no engine yet: it says how work is done. Add one first.".to_owned()),
        (_, true) => Some("There is no target yet: it says where work is done. Add one first.".to_owned()),
        _ => None,
    };
    let first = |chosen: String, options: &[(String, String)]| match options.first() {
        Some((first, _)) if chosen.is_empty() => first.clone(),
        _ => chosen,
    };
    let key = if form.key.is_empty() { ExecutionJobId::new().to_string() } else { form.key.clone() };
    let (engine, target) = (first(form.engine.clone(), &engines), first(form.target.clone(), &targets));
    let (agents, scripts) = (choices::agents(tx).await?, choices::scripts(tx).await?);
    Ok(JobChoices { engines, targets, agents, scripts, form: JobForm { key, engine, target, ..form }, missing })
}

/// Makes the job; the same form again is the same job. Errors: `Invalid` at the field; `Conflict` with the reason why nothing runs.
pub(crate) async fn run(tx: &mut WriteTx, form: &JobForm) -> Result<ExecutionJobId, AppError> {
    let fields = form.read()?;
    let (name, config) = choices::engine(tx.reading(), fields.engine)
        .await
        .map_err(|error| error.at_choice("engine", "Choose an engine from the list."))?;
    if !choices::has_target(tx.reading(), fields.target).await? {
        return Err(AppError::invalid("target", "Choose a target from the list."));
    }
    let who = tx.scope().viewer().map(|viewer| viewer.name.clone()).unwrap_or_default();
    let mut made = WorkerConfig {
        engine: fields.engine,
        engine_name: name,
        config,
        agent: None,
        script: None,
        rules: Vec::new(),
        collections: Vec::new(),
        variables: BTreeMap::new(),
        most_cost: None,
        most_steps: None,
        session: None,
        script_memory_mb: None,
    };
    let mut client = None;
    let when = match &made.config {
        EngineConfig::Model(_) => {
            let agent = worker(&fields)?;
            client = choices::agent(tx.reading(), agent)
                .await
                .map_err(|error| error.at_choice("agent", "Choose an agent from the list."))?
                .client;
            made.agent = Some(snapshot::worker_agent(tx.reading(), agent, "", &[]).await?);
            AsksFor::Worker { agent }
        }
        EngineConfig::Process(_) => {
            made.script = Some(command(tx.reading(), &fields).await?);
            AsksFor::Process
        }
    };
    if fields.for_client && !fields.asks {
        return Err(AppError::invalid("for_client", "Tick “Somebody has to approve it first”, too."));
    }
    if fields.for_client && client.is_none() {
        let why = "Only what is done for a client can be given to its admins. Choose an agent of that client.";
        return Err(AppError::invalid("for_client", why));
    }
    if fields.asks {
        let name = format!("Asked for by {who}");
        made.rules.push(ApprovalRule { name, when, minutes: ASKED_FOR, for_client: fields.for_client });
    }
    let new = NewExecutionJob {
        title: fields.title,
        target: fields.target,
        agent: made.agent.as_ref().map(|agent| agent.id),
        config: made,
        prompt: fields.input,
        memory_mb: fields.memory_mb,
        timeout_seconds: fields.seconds,
        run: None,
        parent: None,
        client,
        key: form.key.parse().ok(),
    };
    jobs::add(tx, new).await
}

/// Of a model: who works, and on what.
fn worker(fields: &JobFields) -> Result<patchbay_shared::ids::AgentId, AppError> {
    let mut errors = FieldErrors::default();
    if fields.input.is_empty() {
        errors.add("input", "Write what the agent is to do.");
    }
    if fields.script.is_some() || !fields.content.trim().is_empty() {
        errors.add("script", "A model works with an agent. For a script choose an engine of the type “Process”.");
    }
    let Some(agent) = fields.agent else {
        errors.add("agent", "Choose the agent who works.");
        return Err(AppError::Invalid(errors));
    };
    errors.check()?;
    Ok(agent)
}

/// Of a command: what is run.
async fn command(tx: &mut ReadTx, fields: &JobFields) -> Result<Script, AppError> {
    if fields.agent.is_some() {
        let why = "A command is run without an agent. For an agent choose an engine of the type “Model”.";
        return Err(AppError::invalid("agent", why));
    }
    match (&fields.script, fields.content.trim().is_empty()) {
        (Some(_), false) => Err(AppError::invalid("content", "Choose a script, or write one: not both.")),
        (None, true) => Err(AppError::invalid("script", "Choose a script of a skill, or write one below.")),
        (None, false) => Ok(Script {
            skill: None,
            skill_name: String::new(),
            name: "script".to_owned(),
            content: fields.content.clone(),
            beside: Vec::new(),
        }),
        (Some((skill, name)), true) => {
            let found = choices::skills(tx, None, &[*skill]).await?;
            let script = found.iter().find_map(|(id, text)| snapshot::script(*id, text, name));
            script.ok_or_else(|| AppError::invalid("script", "Choose a script from the list."))
        }
    }
}
