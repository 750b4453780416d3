//! The job that a member gets: what it is told, what it may use, and where it is done, as all of that is at this moment.

use std::collections::BTreeMap;

use super::limits::most_cost;
use super::store::runs as store;
use super::store::runs::Run;
use super::supervisor::Worker;
use crate::model::{Classification, TeamSettings};
use patchbay_access::server::WriteTx;
use patchbay_execution::model::{WorkerAgent, WorkerConfig};
use patchbay_execution::server::jobs::NewExecutionJob;
use patchbay_execution::server::snapshot::worker_agent;
use patchbay_shared::AppError;
use patchbay_tools::model::ToolKind;
use patchbay_tools::server::for_agent;

/// Stands for a variable of a prompt that nobody gives a value.
const NOT_KNOWN: &str = "(not known)";
/// Characters of a job's title.
const LONGEST_TITLE: usize = 120;

/// Who gets which work.
pub(super) struct Wanted<'a> {
    pub run: &'a Run,
    pub settings: &'a TeamSettings,
    pub worker: &'a Worker,
    pub said: &'a Classification,
    pub prompt: String,
}

/// The job, and the name of its engine. `Err` inside: why there can be none, for people.
pub(super) async fn job(
    tx: &mut WriteTx,
    wanted: &Wanted<'_>,
) -> Result<Result<(NewExecutionJob, String), String>, AppError> {
    let (run, settings, worker) = (wanted.run, wanted.settings, wanted.worker);
    let Some(engine) = store::engine(tx.reading(), run.engine.or(settings.engine)).await? else {
        return Ok(Err("There is no engine that asks a model. Add one under Execution, Engines, or choose another one for the team.".to_owned()));
    };
    let Some(target) = store::target(tx.reading(), settings.target).await? else {
        return Ok(Err(
            "There is no target to run on. Add one under Execution, Targets, or choose another one for the team."
                .to_owned(),
        ));
    };
    let agent = match worker_agent(tx.reading(), worker.agent, &worker.role, &settings.skills).await {
        Ok(agent) => agent,
        Err(AppError::Conflict(_, why)) => return Ok(Err(why)),
        Err(AppError::NotFound) => return Ok(Err(format!("{} is not there any more.", worker.name))),
        Err(error) => return Err(error),
    };
    // A team's worker asks no team: none would ever come to an end.
    let tools = for_agent(tx.reading(), worker.agent).await?;
    let is_team = |name: &String| tools.iter().any(|tool| tool.name == *name && tool.config.kind() == ToolKind::Team);
    let agent = WorkerAgent {
        instructions: filled(&agent.instructions),
        tools: agent.tools.into_iter().filter(|name| !is_team(name)).collect(),
        ..agent
    };
    let task: String = wanted.said.task.split_whitespace().collect::<Vec<_>>().join(" ");
    let title: String = format!("{}: {task}", worker.name).chars().take(LONGEST_TITLE).collect();
    let left = (most_cost(settings) - run.cost).max(rust_decimal::Decimal::ZERO);
    let steps = i64::from(settings.most_steps) - i64::from(run.steps);
    let config = WorkerConfig {
        engine: engine.id,
        engine_name: engine.name.clone(),
        config: engine.config,
        agent: Some(agent),
        script: None,
        rules: settings.rules.clone(),
        collections: settings.collections.clone(),
        variables: BTreeMap::new(),
        session: Some(run.session),
        most_cost: Some(left.to_string()),
        most_steps: Some(u32::try_from(steps).unwrap_or(0)),
        script_memory_mb: i32::try_from(settings.memory_mb).ok(),
    };
    let new = NewExecutionJob {
        title,
        target,
        config,
        prompt: wanted.prompt.clone(),
        memory_mb: None,
        timeout_seconds: None,
        run: Some(run.id),
        parent: None,
        client: run.client,
        agent: Some(worker.agent),
        key: None,
    };
    Ok(Ok((new, engine.name)))
}

/// A prompt whose variables nobody gives a value here.
fn filled(template: &str) -> String {
    let mut out = String::with_capacity(template.len());
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("{{") {
        out.push_str(before);
        match after.split_once("}}") {
            Some((_, behind)) => {
                out.push_str(NOT_KNOWN);
                rest = behind;
            }
            None => {
                out.push_str("{{");
                rest = after;
            }
        }
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_of_a_prompt_are_not_known() {
        assert_eq!(filled("Hi {{ name }} of {{city}}. {{ open"), "Hi (not known) of (not known). {{ open");
        assert_eq!(filled("Be brief."), "Be brief.");
    }
}
