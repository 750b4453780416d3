//! Agents beside the template that they were made of: what differs, and taking it over into the draft.

use super::store::{self, Agent, templates, versions};
use super::{drafts, ops};
use crate::model::{
    AgentSettings, AgentTemplate, ChangedWhere, PROMPT, TakeForm, TemplateChange, TemplateMark, TemplateText, compare,
    is_behind, take_field,
};
use patchbay_access::server::{ReadTx, WriteTx};
use patchbay_prompts::model::PromptText;
use patchbay_prompts::server as prompts;
use patchbay_shared::ids::{AgentId, PromptId};
use patchbay_shared::{AppError, Reason};

/// An agent, its draft included, beside the newest version of its template. None: it was made without one.
pub(crate) async fn of_agent(
    tx: &mut ReadTx,
    shown: &AgentSettings,
    left_out: &[String],
) -> Result<Option<AgentTemplate>, AppError> {
    let Some(mark) = shown.template else { return Ok(None) };
    let beside = Beside::read(tx, mark, shown).await?;
    let unspoken = match shown.prompt_id.filter(|_| beside.words.as_ref() == Some(&beside.there.prompt)) {
        Some(prompt) => unspoken(tx, prompt).await?,
        None => None,
    };
    Ok(Some(AgentTemplate {
        id: mark.id,
        changes: if beside.is_active { beside.changes(shown) } else { Vec::new() },
        parts: if beside.is_active { parts(&beside.was, &beside.there) } else { Vec::new() },
        name: beside.name,
        is_active: beside.is_active,
        version: mark.version,
        newest: beside.newest,
        unspoken,
        left_out: left_out.to_vec(),
    }))
}

/// The newest version of a prompt, if another one is said.
async fn unspoken(tx: &mut ReadTx, prompt: PromptId) -> Result<Option<(PromptId, i32)>, AppError> {
    let newest = prompts::get(tx, prompt).await?.version;
    let spoken = prompts::spoken(tx, prompt).await?;
    Ok(spoken.filter(|(version, _)| *version != newest).map(|_| (prompt, newest)))
}

/// The versions that are compared, and the newest text of the agent's prompt.
struct Beside {
    name: String,
    is_active: bool,
    newest: i32,
    was: TemplateText,
    there: TemplateText,
    words: Option<String>,
}

impl Beside {
    async fn read(tx: &mut ReadTx, mark: TemplateMark, shown: &AgentSettings) -> Result<Self, AppError> {
        let template = templates::get(tx, mark.id).await?;
        let (was, ..) = templates::text(tx, mark.id, mark.version).await?;
        let (there, ..) = templates::text(tx, mark.id, template.version).await?;
        let words = match shown.prompt_id {
            Some(prompt) => Some(prompts::get(tx, prompt).await?.template),
            None => None,
        };
        Ok(Self { name: template.name, is_active: template.is_active, newest: template.version, was, there, words })
    }

    fn changes(&self, shown: &AgentSettings) -> Vec<TemplateChange> {
        compare(&self.was, &self.there, shown, self.words.as_deref())
    }
}

/// What a template has gained or lost: an agent is given these on its own tabs.
fn parts(was: &TemplateText, there: &TemplateText) -> Vec<String> {
    let mut parts = Vec::new();
    let mut differences = |what: &str, was: Vec<&str>, there: Vec<&str>| {
        let gained = there.iter().filter(|name| !was.contains(*name));
        parts.extend(gained.map(|name| format!("The template has the {what} {name} now.")));
        let lost = was.iter().filter(|name| !there.contains(*name));
        parts.extend(lost.map(|name| format!("The template has the {what} {name} no more.")));
    };
    let tools = |text: &'_ TemplateText| text.tools.iter().map(|(_, name)| name.clone()).collect::<Vec<_>>();
    let skills = |text: &'_ TemplateText| text.skills.iter().map(|(_, name)| name.clone()).collect::<Vec<_>>();
    let (old, new) = (tools(was), tools(there));
    differences("tool", old.iter().map(String::as_str).collect(), new.iter().map(String::as_str).collect());
    let (old, new) = (skills(was), skills(there));
    differences("skill", old.iter().map(String::as_str).collect(), new.iter().map(String::as_str).collect());
    parts
}

/// Takes a field of the newest version over into the agent's draft, or all that were not changed here. Errors: `NotFound`; `Conflict`
/// when the template or the agent has changed since the page was opened.
pub(crate) async fn take(tx: &mut WriteTx, form: &TakeForm) -> Result<AgentId, AppError> {
    let id: AgentId = form.id.parse()?;
    let (_, shown) = shown(tx, id).await?;
    let mark = shown.template.ok_or_else(without_template)?;
    let beside = seen(tx, mark, &shown, &form.version).await?;
    let keys = wanted(&beside.changes(&shown), form.field.trim());
    let takes_words = keys.iter().any(|key| key == PROMPT);
    // The prompt is held before the agent, as when a prompt is saved and its agents follow, and both before the audit log.
    if let Some(prompt) = shown.prompt_id.filter(|_| takes_words) {
        prompts::ops::hold(tx, prompt).await?;
    }
    store::lock(tx, id).await?;
    let (agent, now) = self::shown(tx, id).await?;
    let beside = seen(tx, mark, &now, &form.version).await?;
    if now != shown || wanted(&beside.changes(&now), form.field.trim()) != keys {
        return Err(stale());
    }
    let mut settings = now;
    if takes_words {
        // What other agents say as well is not changed for them.
        let own = match settings.prompt_id {
            Some(prompt) if store::ids(tx.reading(), Some(prompt)).await?.iter().all(|other| *other == id) => {
                Some(prompt)
            }
            _ => None,
        };
        settings.prompt_id = Some(take_words(tx, own, &settings.name, &beside).await?);
    }
    for key in keys.iter().filter(|key| *key != PROMPT) {
        take_field(&mut settings, &beside.there.settings, key);
    }
    let after = Beside::read(tx.reading(), mark, &settings).await?;
    if !is_behind(&after.changes(&settings)) {
        settings.template = Some(TemplateMark { version: beside.newest, ..mark });
    }
    drafts::save(tx, id, &agent, &settings, "", true).await?;
    ops::notify(tx, id, None);
    Ok(id)
}

/// Leaves what differs as it is here, in the draft: from then on the agent follows the newest version. Errors: as `take`.
pub(crate) async fn keep(tx: &mut WriteTx, id: AgentId, version: &str) -> Result<(), AppError> {
    store::get(tx.reading(), id).await?;
    store::lock(tx, id).await?;
    let (agent, shown) = shown(tx, id).await?;
    let mark = shown.template.ok_or_else(without_template)?;
    let beside = seen(tx, mark, &shown, version).await?;
    let settings = AgentSettings { template: Some(TemplateMark { version: beside.newest, ..mark }), ..shown };
    drafts::save(tx, id, &agent, &settings, "", true).await
}

/// The agent as it is published, and its settings as its draft has them. Errors: `NotFound`; `Conflict` when it was deleted.
async fn shown(tx: &mut WriteTx, id: AgentId) -> Result<(Agent, AgentSettings), AppError> {
    let agent = store::get(tx.reading(), id).await?;
    ops::must_be_there(&agent)?;
    let draft = versions::draft(tx.reading(), id).await?;
    let settings = draft.map_or_else(|| agent.settings(), |draft| draft.settings.0);
    Ok((agent, settings))
}

/// The template, held as the page showed it.
async fn seen(tx: &mut WriteTx, mark: TemplateMark, shown: &AgentSettings, version: &str) -> Result<Beside, AppError> {
    let beside = Beside::read(tx.reading(), mark, shown).await?;
    if !beside.is_active {
        return Err(AppError::Conflict(
            Reason::WrongState,
            format!("The template {} is archived. Restore it first, then take over what it has.", beside.name),
        ));
    }
    if version.trim() != beside.newest.to_string() {
        return Err(stale());
    }
    Ok(beside)
}

/// The fields that are taken. Asking for one that agrees already takes nothing.
fn wanted(changes: &[TemplateChange], field: &str) -> Vec<String> {
    let fits = |change: &&TemplateChange| match field {
        "" => change.place == ChangedWhere::There,
        field => change.key == field,
    };
    changes.iter().filter(fits).map(|change| change.key.clone()).collect()
}

/// The template's words as a version of the agent's prompt that nobody says yet, or as a prompt of its own where it has none
/// for itself.
async fn take_words(
    tx: &mut WriteTx,
    prompt: Option<PromptId>,
    name: &str,
    beside: &Beside,
) -> Result<PromptId, AppError> {
    let note = format!("From the template {}, version {}", beside.name, beside.newest);
    let words = beside.there.prompt.clone();
    match prompt {
        Some(prompt) => {
            prompts::ops::save_unreleased(tx, prompt, &words, &note).await?;
            Ok(prompt)
        }
        None => {
            let text = PromptText {
                name: name.to_owned(),
                template: words,
                description: String::new(),
                tags: Vec::new(),
                tools: Vec::new(),
                note,
            };
            prompts::ops::create(tx, &text, true).await
        }
    }
}

fn without_template() -> AppError {
    AppError::Conflict(Reason::WrongState, "This agent was made without a template.".to_owned())
}

fn stale() -> AppError {
    let text =
        "The agent or its template has changed since you opened the page. Open it again and look at what differs.";
    AppError::Conflict(Reason::StalePage, text.to_owned())
}
