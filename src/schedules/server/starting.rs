//! What schedules and triggers begin a run with: whether the agent may run at this moment, the run's row, and the job that does it.

use std::collections::BTreeMap;

use super::jobs::RunAgent;
use super::store::{self, Agent};
use patchbay_access::server::{ReadTx, WriteTx};
use patchbay_jobs::{NewJob, enqueue};
use patchbay_prompts::server as prompts;
use patchbay_runs::model::Trigger;
use patchbay_runs::server::{self as runs, NewRun, Source};
use patchbay_shared::AppError;
use patchbay_shared::ids::{AgentId, RunId, UserId};
use patchbay_workspaces::server as workspaces;

/// What a run is begun with.
pub(super) struct NewStart<'a> {
    pub run: RunId,
    pub source: Source,
    pub title: &'a str,
    pub input: &'a str,
    pub variables: &'a BTreeMap<String, String>,
    pub started_by: Option<UserId>,
}

/// The agent, and why it does not run at this moment. Errors: `NotFound`.
pub(super) async fn look(tx: &mut ReadTx, id: AgentId) -> Result<(Agent, Option<String>), AppError> {
    let agent = store::agent(tx, id).await?;
    let is_suspended = workspaces::is_suspended(tx).await?;
    let reason = reason(&agent, is_suspended);
    Ok((agent, reason))
}

fn reason(agent: &Agent, is_suspended: bool) -> Option<String> {
    if is_suspended {
        return Some("The agency’s account is suspended: nothing runs until it is active again.".to_owned());
    }
    if agent.is_deleted {
        return Some("The agent is deleted: nothing runs.".to_owned());
    }
    if !agent.head.is_active {
        return Some("The agent is deactivated: nothing runs until it is restored.".to_owned());
    }
    if agent.is_archived {
        let client = agent.head.client.as_deref().unwrap_or_default();
        return Some(format!("The client {client} is archived: nothing runs until it is restored."));
    }
    match agent.status.as_str() {
        "active" if agent.prompt.is_none() => {
            Some("The agent has no prompt: nothing runs until it has one.".to_owned())
        }
        "active" => None,
        "paused" => Some("The agent is paused: nothing runs until it is activated.".to_owned()),
        _ => Some("The agent is a draft: nothing runs until it is activated.".to_owned()),
    }
}

/// Writes the run down and has it done, with the version that the agent speaks with now. Only for an agent that may run.
pub(super) async fn begin(tx: &mut WriteTx, agent: &Agent, new: &NewStart<'_>) -> Result<(), AppError> {
    let Some(prompt) = agent.prompt else { return Err(AppError::NotFound) };
    let Some((version, _)) = prompts::spoken(tx.reading(), prompt).await? else { return Err(AppError::NotFound) };
    let row = NewRun {
        id: new.run,
        agent: agent.head.id,
        client: agent.head.client_id,
        trigger: match new.source {
            Source::Schedule(_) => Trigger::Schedule,
            Source::Trigger(_) => Trigger::Webhook,
        },
        title: new.title,
        started_by: new.started_by,
        prompt_version: Some(version),
    };
    runs::start_from(tx, &row, new.source).await?;
    let job = RunAgent {
        run: new.run,
        agent: agent.head.id,
        prompt,
        version,
        title: new.title.to_owned(),
        input: new.input.to_owned(),
        variables: new.variables.clone(),
        started_by: new.started_by,
    };
    enqueue(tx, &job, NewJob::default()).await
}
