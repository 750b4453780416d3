//! What people do with skills: make, change, deactivate and restore them.

use serde_json::{Value, json};

use super::MANAGE;
use super::store::{self, Stored, attached};
use crate::model::{
    FileKind, LONGEST_TOLD, MOST_FILES, MOST_SKILLS, SkillFileForm, SkillForm, SkillList, SkillPage, SkillQuery,
    SkillText,
};
use patchbay_access::Action;
use patchbay_access::server::{Change, Fields, ReadTx, WriteTx};
use patchbay_jobs::live::Topic;
use patchbay_services::HookFuture;
use patchbay_shared::ids::{AgentId, SkillId};
use patchbay_shared::{AppError, Reason};

/// Rows on a page of the list.
const ROWS: usize = 50;

/// Hook: an agent is told other skills now, so its copies at the voice service are out of date.
pub struct SkillsChanged(pub for<'a> fn(&'a mut WriteTx, AgentId) -> HookFuture<'a>);

/// The list with what its filter bar needs.
pub(crate) async fn list(tx: &mut ReadTx, query: &SkillQuery) -> Result<SkillList, AppError> {
    let page = store::list(tx, query, ROWS).await?;
    Ok(SkillList { page, categories: store::categories(tx).await?, tags: store::tags(tx).await? })
}

/// Everything on a skill's page. Errors: `NotFound`.
pub(crate) async fn page(tx: &mut ReadTx, id: SkillId) -> Result<SkillPage, AppError> {
    let stored = store::get(tx, id).await?;
    let mut agents = attached::agents(tx, id, false).await?;
    // Tools of an agent are asked for one by one: enough for whoever looks at the page.
    for agent in agents.iter_mut().take(ROWS) {
        agent.missing = super::attaching::missing(tx, agent.id, &stored.text.allowed_tools).await?;
    }
    let may_attach = tx.scope().may(Action::ManageAgents);
    Ok(SkillPage {
        id,
        characters: stored.characters,
        revision: stored.revision,
        is_active: stored.is_active,
        updated: stored.updated,
        agents,
        others: if may_attach { attached::agents(tx, id, true).await? } else { Vec::new() },
        may_edit: tx.scope().may(MANAGE),
        may_attach,
        text: stored.text,
    })
}

/// Makes or changes a skill from its form. Errors: `Invalid`; `NotFound`; `Conflict` when somebody else has saved meanwhile.
pub(crate) async fn save(tx: &mut WriteTx, form: &SkillForm) -> Result<SkillId, AppError> {
    if form.id.is_empty() {
        let text = form.text()?;
        let id = create(tx, &text).await?;
        notify(tx, id);
        return Ok(id);
    }
    let id: SkillId = form.id.parse()?;
    store::lock(tx, id).await?;
    let before = store::get(tx.reading(), id).await?;
    let new = form.text()?;
    check_revision(&before, &form.revision, form.overwrite.as_deref())?;
    let text = SkillText {
        metadata: before.text.metadata.clone(),
        references: before.text.references.clone(),
        scripts: before.text.scripts.clone(),
        ..new
    };
    text.check().map_err(|error| at_field(error, "content", "instructions"))?;
    change(tx, &before, &text).await.map_err(|error| at_field(error, "", "instructions"))?;
    Ok(id)
}

/// The same message at a field that the form has.
fn at_field(error: AppError, from: &str, to: &str) -> AppError {
    match error {
        AppError::Invalid(mut errors) => {
            for (field, _) in errors.0.iter_mut().filter(|(field, _)| field == from) {
                *field = to.to_owned();
            }
            AppError::Invalid(errors)
        }
        other => other,
    }
}

/// Writes a reference or a script, in the place of another one or beside them. Errors: as `save`.
pub(crate) async fn save_file(tx: &mut WriteTx, form: &SkillFileForm) -> Result<SkillId, AppError> {
    let id: SkillId = form.id.parse()?;
    store::lock(tx, id).await?;
    let before = store::get(tx.reading(), id).await?;
    let kind: FileKind = form.kind.parse().map_err(|_| AppError::invalid("kind", "Choose reference or script."))?;
    let file = form.file()?;
    check_revision(&before, &form.revision, form.overwrite.as_deref())?;
    let mut text = before.text.clone();
    let files = text.files_mut(kind);
    if !form.old_name.is_empty() {
        let at = files.iter().position(|known| known.name == form.old_name).ok_or(AppError::NotFound)?;
        files.remove(at);
    } else if files.len() >= MOST_FILES {
        return Err(AppError::invalid("", format!("A skill has at most {MOST_FILES} of these. Remove one first.")));
    }
    files.push(file);
    files.sort_by(|a, b| a.name.cmp(&b.name));
    text.check()?;
    change(tx, &before, &text).await.map_err(|error| at_field(error, "", "content"))?;
    Ok(id)
}

/// Removes a reference or a script. Nothing to do for one that is gone.
pub(crate) async fn remove_file(tx: &mut WriteTx, id: SkillId, kind: &str, name: &str) -> Result<(), AppError> {
    store::lock(tx, id).await?;
    let before = store::get(tx.reading(), id).await?;
    let kind: FileKind = kind.parse().map_err(|_| AppError::invalid("kind", "Choose reference or script."))?;
    let mut text = before.text.clone();
    text.files_mut(kind).retain(|file| file.name != name);
    change(tx, &before, &text).await
}

/// Switches a skill on (`on`) or off: what is off is kept, and no agent is told it.
pub(crate) async fn set_active(tx: &mut WriteTx, id: SkillId, on: bool) -> Result<(), AppError> {
    store::lock(tx, id).await?;
    let before = store::get(tx.reading(), id).await?;
    if before.is_active == on {
        return Ok(());
    }
    store::set_active(tx, id, on).await?;
    let state = |on: bool| json!({ "name": before.text.name, "active": on });
    let fields = Fields::Changed { before: state(!on), after: state(on) };
    record(tx, if on { "restored" } else { "deactivated" }, id, fields).await?;
    notify(tx, id);
    tell(tx, &[id]).await
}

/// A new skill, checked already. Also for imports.
pub(crate) async fn create(tx: &mut WriteTx, text: &SkillText) -> Result<SkillId, AppError> {
    if store::count(tx.reading()).await? >= MOST_SKILLS {
        let message = format!("An agency has at most {MOST_SKILLS} skills. Change one that is there.");
        return Err(AppError::Conflict(Reason::LimitReached, message));
    }
    let id = SkillId::new();
    store::insert(tx, id, text).await?;
    record(tx, "created", id, Fields::Created(facts(text))).await?;
    Ok(id)
}

/// Another text for a skill that is held; its agents follow. The same text changes nothing.
pub(crate) async fn change(tx: &mut WriteTx, before: &Stored, text: &SkillText) -> Result<(), AppError> {
    if before.text == *text {
        return Ok(());
    }
    write(tx, before, text).await?;
    notify(tx, before.id);
    tell(tx, &[before.id]).await
}

/// The same without its agents. Imports tell them once for all skills.
pub(crate) async fn write(tx: &mut WriteTx, before: &Stored, text: &SkillText) -> Result<(), AppError> {
    store::update(tx, before.id, text).await?;
    let fields = Fields::Changed { before: facts(&before.text), after: facts(text) };
    record(tx, "changed", before.id, fields).await
}

/// Agents that have these skills are sent again, one after the other in a fixed order, and none is told too much. Skills are held
/// before agents, as everywhere.
pub(crate) async fn tell(tx: &mut WriteTx, skills: &[SkillId]) -> Result<(), AppError> {
    for agent in attached::ids(tx.reading(), skills).await? {
        agent_changed(tx, agent).await?;
    }
    Ok(())
}

/// One agent's skills are others now. Errors: `Invalid` when that is too much.
pub(crate) async fn agent_changed(tx: &mut WriteTx, agent: AgentId) -> Result<(), AppError> {
    let scope = tx.scope().clone();
    let hook = scope.services().hooks.get::<SkillsChanged>()?;
    (hook.0)(tx, agent).await?;
    tx.notify(Topic::one("agent_skills", agent), None);
    check_told(tx, agent).await
}

/// Errors: `Invalid` when an agent, which is held, would be told too much.
pub(crate) async fn check_told(tx: &mut WriteTx, agent: AgentId) -> Result<(), AppError> {
    let told: i64 = attached::list(tx.reading(), agent)
        .await?
        .iter()
        .filter(|skill| skill.is_active)
        .map(|skill| i64::from(skill.characters))
        .sum();
    if told > LONGEST_TOLD as i64 {
        let name = attached::agent(tx.reading(), agent).await?.name;
        let message = format!(
            "{name} would be told {told} characters of skills, and {LONGEST_TOLD} are the most. Shorten one, or take one from the agent."
        );
        return Err(AppError::invalid("", message));
    }
    Ok(())
}

/// Errors: `Conflict` when the text started from another revision, unless somebody said to go on.
fn check_revision(before: &Stored, revision: &str, overwrite: Option<&str>) -> Result<(), AppError> {
    if revision == before.revision.to_string() || overwrite.is_some() {
        return Ok(());
    }
    Err(AppError::Conflict(
        Reason::StalePage,
        "Somebody else has changed this skill while you were working on it. What you typed is still here and is not saved. Look at \
         the skill in another tab, take over what you need, and save again with the box ticked."
            .to_owned(),
    ))
}

/// For the audit log.
fn facts(text: &SkillText) -> Value {
    let files = |kind: FileKind| {
        let of = text.files(kind).iter();
        of.map(|file| json!({ "name": file.name, "content": file.content })).collect::<Vec<_>>()
    };
    json!({
        "name": text.name,
        "description": text.description,
        "instructions": text.instructions,
        "category": text.category,
        "license": text.license,
        "metadata": text.metadata,
        "references": files(FileKind::Reference),
        "scripts": files(FileKind::Script),
        "allowed_tools": text.allowed_tools,
        "tags": text.tags,
    })
}

pub(crate) fn notify(tx: &mut WriteTx, id: SkillId) {
    tx.notify(Topic::list("skills"), None);
    tx.notify(Topic::one("skill", id), None);
}

/// How agents are made is the agency's workshop: its clients read nothing of it.
pub(crate) async fn record(tx: &mut WriteTx, action: &str, id: SkillId, fields: Fields) -> Result<(), AppError> {
    tx.audit(Change { action, entity: "skill", entity_id: Some(id.0), client_id: None, fields }).await
}
