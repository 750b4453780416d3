//! An agent as it is now, for a job: what it is told, and what it may use. A later change of the agent changes no job.

use super::store::views::choices;
use crate::model::{Script, WorkerAgent};
use patchbay_access::server::ReadTx;
use patchbay_shared::ids::{AgentId, SkillId};
use patchbay_shared::{AppError, Reason};
use patchbay_skills::model::{SkillText, told};

/// What agents on a call are told of scripts, and what a worker is told instead.
const FOR_READING: &str = "Its scripts are for reading: you cannot run them.";
const FOR_RUNNING: &str = "Its scripts can be run: each is a tool of its own, named run_ and the script’s name.";

/// The agent with the words that are published, its skills and these others, its tools and scripts. Variables in the words stay as they
/// are. Errors: `NotFound`; `Conflict` with the reason why it cannot work.
pub async fn worker_agent(
    tx: &mut ReadTx,
    id: AgentId,
    role: &str,
    skills: &[SkillId],
) -> Result<WorkerAgent, AppError> {
    let agent = choices::agent(tx, id).await?;
    let rests = |why: &str| Err(AppError::Conflict(Reason::WrongState, format!("{} cannot work: {why}", agent.name)));
    if !agent.is_active {
        return rests("the agent is deactivated. Restore it first.");
    }
    if agent.is_archived {
        return rests("its client is archived.");
    }
    let spoken = match agent.prompt {
        Some(prompt) => patchbay_prompts::server::spoken(tx, prompt).await?,
        None => None,
    };
    let Some((version, words)) = spoken else {
        return rests("it has no prompt with a saved version. Give it one first.");
    };
    let found = choices::skills(tx, Some(id), skills).await?;
    let scripts =
        found.iter().flat_map(|(id, text)| text.scripts.iter().filter_map(|file| script(*id, text, &file.name)));
    let scripts: Vec<Script> = scripts.collect();
    // A script that can be run need not be read first.
    let texts: Vec<SkillText> =
        found.iter().map(|(_, text)| SkillText { scripts: Vec::new(), ..text.clone() }).collect();
    let instructions = match told(&texts) {
        Some(told) => {
            format!("{words}\n\n{}", told.replace(FOR_READING, if scripts.is_empty() { "" } else { FOR_RUNNING }))
        }
        None => words,
    };
    let tools = patchbay_tools::server::for_agent(tx, id).await?;
    Ok(WorkerAgent {
        id,
        name: agent.name,
        role: role.to_owned(),
        prompt: agent.prompt,
        prompt_version: Some(version),
        instructions,
        temperature: agent.temperature,
        tools: tools.into_iter().map(|tool| tool.name).collect(),
        scripts,
    })
}

/// A script of a skill with all that lies beside it. None: it has none of this name.
pub(crate) fn script(skill: SkillId, text: &SkillText, name: &str) -> Option<Script> {
    let plain = |name: &str| name.rsplit(['/', '\\']).next().unwrap_or(name).to_owned();
    let found = text.scripts.iter().find(|file| file.name == name)?;
    let beside = text
        .scripts
        .iter()
        .chain(&text.references)
        .filter(|file| file.name != name)
        .map(|file| (plain(&file.name), file.content.clone()))
        .collect();
    Some(Script {
        skill: Some(skill),
        skill_name: text.name.clone(),
        name: plain(name),
        content: found.content.clone(),
        beside,
    })
}
