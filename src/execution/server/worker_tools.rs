//! What a model's worker may use: the agent's tools that its snapshot names, the team's knowledge, and scripts of its skills.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::jobs::{NewExecutionJob, add};
use super::store::jobs::Job;
use super::store::starting::{self, ScriptEngine};
use crate::model::{AsksFor, EngineConfig, JobResult, JobStatus, Script, WorkerConfig};
use patchbay_access::Action;
use patchbay_access::server::{Scope, WriteTx};
use patchbay_knowledge::server::{Question, search};
use patchbay_providers::chat::ChatTool;
use patchbay_shared::AppError;
use patchbay_shared::ids::ExecutionJobId;
use patchbay_tools::model::{Origin, ToolKind, schema};
use patchbay_tools::server::{self as tools, AgentTool, Invocation};

/// The tool that looks things up in the team's knowledge.
const KNOWLEDGE: &str = "search_team_knowledge";
const PASSAGES: usize = 6;

/// All that the worker may use.
pub(super) struct Toolbox {
    own: Vec<AgentTool>,
    scripts: Vec<(String, Script)>,
    has_knowledge: bool,
}

/// One of them.
pub(super) enum Use<'a> {
    Own(&'a AgentTool),
    Script(&'a Script),
    Knowledge,
}

/// What a script is called as a tool: `run_` and the letters of its name.
fn script_name(name: &str, taken: &mut BTreeSet<String>) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or(name);
    let stem = last.rsplit_once('.').map_or(last, |(stem, _)| stem);
    let plain = |one: char| if one.is_ascii_alphanumeric() { one.to_ascii_lowercase() } else { '_' };
    let stem: String = stem.chars().take(50).map(plain).collect();
    let mut own = format!("run_{stem}");
    let mut more = 1;
    while !taken.insert(own.clone()) {
        more += 1;
        own = format!("run_{stem}_{more}");
    }
    own
}

impl Toolbox {
    /// As its tools are now, and no more of them than the snapshot names.
    pub(super) async fn of(scope: &Scope, job: &Job) -> Result<Self, AppError> {
        let mut taken = BTreeSet::new();
        let mut own = Vec::new();
        let mut scripts = Vec::new();
        if let Some(agent) = &job.config.agent {
            let mut tx = scope.read(Action::ReadWorkshop).await?;
            own = tools::for_agent(&mut tx, agent.id).await?;
            own.retain(|tool| agent.tools.contains(&tool.name) && !is_about_a_call(tool));
            taken.extend(own.iter().map(|tool| tool.name.clone()));
            scripts =
                agent.scripts.iter().map(|script| (script_name(&script.name, &mut taken), script.clone())).collect();
        }
        Ok(Self { own, scripts, has_knowledge: !job.config.collections.is_empty() })
    }

    /// What the model is told of them.
    pub(super) fn told(&self) -> Vec<ChatTool> {
        let mut told = tools::chat_tools(&self.own);
        told.extend(self.scripts.iter().map(|(name, script)| ChatTool {
            name: name.clone(),
            description: format!(
                "Runs the script {} of the skill {} in a sandbox and gives what it wrote.",
                script.name, script.skill_name
            ),
            parameters: script_parameters(),
        }));
        if self.has_knowledge {
            told.push(ChatTool {
                name: KNOWLEDGE.to_owned(),
                description: "Looks something up in the team's knowledge and gives the passages that fit best."
                    .to_owned(),
                parameters: json!({
                    "type": "object",
                    "properties": {"question": {"type": "string", "description": "What to look for, in words"}},
                    "required": ["question"],
                    "additionalProperties": false,
                }),
            });
        }
        told
    }

    pub(super) fn find(&self, name: &str) -> Option<Use<'_>> {
        if let Some(tool) = self.own.iter().find(|tool| tool.name == name) {
            return Some(Use::Own(tool));
        }
        if let Some((_, script)) = self.scripts.iter().find(|(known, _)| known == name) {
            return Some(Use::Script(script));
        }
        (self.has_knowledge && name == KNOWLEDGE).then_some(Use::Knowledge)
    }
}

fn script_parameters() -> Value {
    json!({
        "type": "object",
        "properties": {"input": {"type": "string", "description": "What the script reads from its standard input"}},
        "required": ["input"],
        "additionalProperties": false,
    })
}

/// Acts on a telephone call, of which there is none, or is a team, which a worker of a team does not ask.
fn is_about_a_call(tool: &AgentTool) -> bool {
    matches!(
        tool.config.kind(),
        ToolKind::EndCall | ToolKind::Keypad | ToolKind::Voicemail | ToolKind::Transfer | ToolKind::Team
    )
}

impl Use<'_> {
    /// What is wrong with the arguments, in words for the model.
    pub(super) fn check(&self, arguments: &Value) -> Result<(), String> {
        match self {
            Use::Own(tool) => schema::validate(&tool.parameters, arguments),
            Use::Script(_) => schema::validate(&script_parameters(), arguments),
            Use::Knowledge if arguments.get("question").is_some_and(Value::is_string) => Ok(()),
            Use::Knowledge => Err("Give the question as a text.".to_owned()),
        }
    }
}

/// Uses one of the agent's own. Gives what the model reads, and whether it failed.
pub(super) async fn invoke(scope: &Scope, job: &Job, tool: &AgentTool, arguments: Value) -> (String, bool) {
    let invocation =
        Invocation { origin: Origin::Run, call: None, run: None, client: job.client, contact: None, phone: None };
    let done = tools::invoke(scope, tool, arguments, &invocation).await;
    (done.text, done.is_error)
}

/// Looks something up. Gives what the model reads, and whether it failed.
pub(super) async fn look_up(scope: &Scope, job: &Job, question: &str) -> (String, bool) {
    let question = Question {
        text: question,
        collections: &job.config.collections,
        limit: PASSAGES,
        client: job.client,
        agent: job.agent,
    };
    match search(scope, &question).await {
        Ok((passages, _)) if passages.is_empty() => ("Nothing was found.".to_owned(), false),
        Ok((passages, _)) => {
            let told: Vec<String> = passages
                .iter()
                .map(|passage| format!("From {}, {}:\n{}", passage.file, passage.place, passage.text))
                .collect();
            (told.join("\n\n"), false)
        }
        Err(error) => {
            tracing::warn!(job = %job.id, cause = %error, "a worker could not look something up");
            ("The knowledge cannot be searched at the moment. Go on without it.".to_owned(), true)
        }
    }
}

/// The engine whose program reads this script. None: no engine of commands is there.
fn engine_for<'a>(script: &Script, engines: &'a [ScriptEngine]) -> Option<&'a ScriptEngine> {
    let ending = script.name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase());
    let wanted: &[&str] = match ending.as_deref() {
        Some("py") => &["python"],
        Some("js" | "mjs") => &["node", "deno", "bun"],
        Some("rb") => &["ruby"],
        Some("sh") => &["sh", "bash", "dash"],
        _ => &[],
    };
    let reads = |engine: &&ScriptEngine| match &engine.config.0 {
        EngineConfig::Process(process) => {
            let program = process.interpreter.first().map(String::as_str).unwrap_or_default();
            let program = program.rsplit('/').next().unwrap_or(program);
            wanted.iter().any(|name| match *name {
                "sh" => program == "sh",
                name => program.starts_with(name),
            })
        }
        EngineConfig::Model(_) => false,
    };
    if wanted.is_empty() { engines.first() } else { engines.iter().find(reads) }
}

/// Has a script run as a job of its own. Errors as sentences for the model.
pub(super) async fn run_script(
    tx: &mut WriteTx,
    job: &Job,
    script: &Script,
    input: &str,
) -> Result<Result<ExecutionJobId, String>, AppError> {
    let engines = starting::script_engines(tx.reading()).await?;
    let Some(engine) = engine_for(script, &engines) else {
        return Ok(Err(format!("No engine can run {}: nobody has set one up for it. Go on without it.", script.name)));
    };
    let rules = job.config.rules.iter().filter(|rule| matches!(rule.when, AsksFor::Process)).cloned().collect();
    let config = WorkerConfig {
        engine: engine.id,
        engine_name: engine.name.clone(),
        config: engine.config.0.clone(),
        agent: None,
        script: Some(script.clone()),
        rules,
        collections: Vec::new(),
        variables: job.config.variables.clone(),
        most_cost: None,
        most_steps: None,
        session: job.config.session,
        script_memory_mb: None,
    };
    let new = NewExecutionJob {
        title: format!("Run {}", script.name),
        target: job.target,
        config,
        prompt: input.to_owned(),
        memory_mb: job.config.script_memory_mb,
        timeout_seconds: None,
        run: job.run,
        parent: Some(job.id),
        client: job.client,
        agent: job.agent,
        key: None,
    };
    match add(tx, new).await {
        Ok(id) => Ok(Ok(id)),
        Err(error @ (AppError::Invalid(_) | AppError::Conflict(..) | AppError::NotFound)) => {
            Ok(Err(format!("The script cannot run. {error}")))
        }
        Err(error) => Err(error),
    }
}

/// What the model reads of a script's run, and whether it failed.
pub(super) fn script_told(status: JobStatus, result: Option<JobResult>, reason: Option<String>) -> (String, bool) {
    let result = result.unwrap_or_default();
    match status {
        JobStatus::Completed if result.output.trim().is_empty() => {
            ("The script ended well and wrote nothing.".to_owned(), false)
        }
        JobStatus::Completed => (result.output, false),
        _ => {
            let why = reason.unwrap_or_else(|| "Nobody knows why.".to_owned());
            let said =
                if result.output.trim().is_empty() { String::new() } else { format!("\nIt wrote:\n{}", result.output) };
            (format!("The script failed. {why}{said}"), true)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_have_names_that_models_take() {
        let mut taken = BTreeSet::from(["run_report".to_owned()]);
        for (name, tool) in [
            ("scripts/Report.py", "run_report_2"),
            ("für-alle.sh", "run_f_r_alle"),
            ("report.sh", "run_report_3"),
            ("check", "run_check"),
        ] {
            assert_eq!(script_name(name, &mut taken), tool, "{name}");
        }
    }
}
