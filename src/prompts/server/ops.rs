//! What people do with prompts: write versions, release and restore them.

use serde_json::json;

use super::labels;
use super::store::{self, labels as moves, unsaved, used};
use crate::model::{
    CampaignNames, LacksTools, MoveList, MoveQuery, Outcomes, PromptForm, PromptList, PromptPage, PromptQuery,
    PromptText, PromptUser, check_variables, estimated_tokens,
};
use patchbay_access::Action;
use patchbay_access::server::{Change, Fields, ReadTx, WriteTx};
use patchbay_jobs::live::Topic;
use patchbay_services::HookFuture;
use patchbay_shared::ids::{AgentId, PromptId};
use patchbay_shared::zone::moment_text;
use patchbay_shared::{AppError, FieldErrors, Reason};

/// Told, in its transaction, that agents speak another version of a prompt from now on. Boot gives it.
pub struct PromptChanged(pub for<'a> fn(&'a mut WriteTx, PromptId) -> HookFuture<'a>);

/// Asked for the names of the functions that an agent may use. Boot gives it.
pub struct AgentTools(pub for<'a> fn(&'a mut ReadTx, AgentId) -> HookFuture<'a, Vec<String>>);

/// Asked what the calls of the last days came to with each version of a prompt. Boot gives it.
pub struct VersionOutcomes(pub for<'a> fn(&'a mut ReadTx, PromptId) -> HookFuture<'a, Outcomes>);

/// Rows on a page of a list.
const ROWS: usize = 50;

/// The list with what its filter bar needs.
pub async fn list(tx: &mut ReadTx, query: &PromptQuery) -> Result<PromptList, AppError> {
    let page = store::list(tx, query, ROWS).await?;
    let may_edit = tx.scope().may(Action::ManagePrompts);
    Ok(PromptList { page, tags: store::tags(tx).await?, may_edit })
}

/// One prompt with its versions. Errors: `NotFound` for an unknown prompt or version.
pub(crate) async fn page(tx: &mut ReadTx, id: PromptId, version: Option<i32>) -> Result<PromptPage, AppError> {
    let prompt = store::get(tx, id).await?;
    let shown = version.unwrap_or(prompt.version);
    let template = if shown == prompt.version { prompt.template } else { store::version_text(tx, id, shown).await? };
    let agents = used::users(tx, id).await?;
    let lacking = lacking(tx, &agents, &prompt.tools).await?;
    let campaigns = used::campaigns(tx, id).await?;
    let checks = check_variables(&template, &used::contact_fields(tx, id).await?, &campaigns);
    Ok(PromptPage {
        id,
        name: prompt.name,
        description: prompt.description,
        tags: prompt.tags,
        is_active: prompt.is_active,
        version: prompt.version,
        shown,
        tokens: estimated_tokens(&template),
        variables: checks,
        template,
        tools: prompt.tools.0,
        lacking,
        versions: store::versions(tx, id).await?,
        labels: moves::list(tx, id).await?,
        spoken: store::spoken(tx, id).await?.map_or(prompt.version, |(version, _)| version),
        waiting: moves::waiting(tx, id).await?,
        needs_second_person: prompt.needs_second_person,
        may_lift_rule: tx.scope().may(Action::ManageWorkspace),
        agents,
        campaigns: campaigns.into_iter().map(|CampaignNames { campaign, .. }| campaign).collect(),
        has_unsaved: unsaved::get(tx, id).await?.is_some(),
        may_edit: tx.scope().may(Action::ManagePrompts),
    })
}

/// The agents that lack tools which the text names.
async fn lacking(tx: &mut ReadTx, agents: &[PromptUser], tools: &[String]) -> Result<Vec<LacksTools>, AppError> {
    let mut lacking = Vec::new();
    if tools.is_empty() {
        return Ok(lacking);
    }
    let names = tx.services().hooks.get::<AgentTools>()?.0;
    for agent in agents {
        let has = names(tx, agent.id).await?;
        let missing: Vec<String> = tools.iter().filter(|tool| !has.contains(tool)).cloned().collect();
        if !missing.is_empty() {
            lacking.push(LacksTools { id: agent.id, name: agent.name.clone(), missing });
        }
    }
    Ok(lacking)
}

/// What calls came to with each version. Errors: `NotFound`.
pub(crate) async fn outcomes(tx: &mut ReadTx, id: PromptId) -> Result<Outcomes, AppError> {
    store::get(tx, id).await?;
    let outcomes = tx.services().hooks.get::<VersionOutcomes>()?.0;
    outcomes(tx, id).await
}

/// Moves of a prompt's labels. Errors: `NotFound`.
pub(crate) async fn moves(tx: &mut ReadTx, id: PromptId, query: &MoveQuery) -> Result<MoveList, AppError> {
    let prompt = store::get(tx, id).await?;
    let page = moves::moves(tx, id, query, ROWS).await?;
    Ok(MoveList { id, name: prompt.name, labels: moves::labels_moved(tx, id).await?, page })
}

/// Makes or changes a prompt from the editor's form. A new version comes only with a new text.
pub(crate) async fn save(tx: &mut WriteTx, form: &PromptForm) -> Result<PromptId, AppError> {
    let text = form.check()?;
    if form.id.is_empty() {
        return create(tx, &text, form.production.is_some()).await;
    }
    let id: PromptId = form.id.parse()?;
    let before = store::lock(tx, id).await?;
    if !before.is_active {
        return Err(AppError::Conflict(
            Reason::WrongState,
            "This prompt is deactivated. Restore it first, then save.".into(),
        ));
    }
    check_base(tx, id, before.version, &form.base_version, form.overwrite.is_some()).await?;
    store::update_words(tx, id, &text).await?;
    let words = |name: &str, description: &str, tags: &[String], tools: &[String]| json!({"name": name, "description": description, "tags": tags, "tools": tools});
    let (old, new) = (
        words(&before.name, &before.description, &before.tags, &before.tools),
        words(&text.name, &text.description, &text.tags, &text.tools),
    );
    record(tx, "changed", id, Fields::Changed { before: old, after: new }).await?;
    if text.template != before.template {
        let release = if form.production.is_some() { Release::At("production") } else { Release::No };
        new_version(tx, id, &before, &text.template, &text.note, release).await?;
    } else if form.production.is_some() {
        labels::release(tx, id, &before, before.version, &text.note, "production").await?;
    }
    unsaved::drop(tx, id).await?;
    notify(tx, id);
    Ok(id)
}

/// Makes a prompt with its first version; with `production`, that version has the label.
pub async fn create(tx: &mut WriteTx, text: &PromptText, production: bool) -> Result<PromptId, AppError> {
    let id = PromptId::new();
    store::insert(tx, id, text).await?;
    if production {
        labels::release_first(tx, id, &text.note).await?;
    }
    let after = json!({"name": text.name, "version": 1, "production": production});
    record(tx, "created", id, Fields::Created(after)).await?;
    notify(tx, id);
    Ok(id)
}

/// Keeps a text that could not be saved, for its author to merge. Errors: `NotFound`.
pub(crate) async fn keep_unsaved(tx: &mut WriteTx, form: &PromptForm) -> Result<(), AppError> {
    let id: PromptId = form.id.parse()?;
    store::get(tx.reading(), id).await?;
    if let (Ok(base), Some(user)) = (form.base_version.parse(), tx.user_id()) {
        unsaved::keep(tx, id, user, base, form).await?;
    }
    Ok(())
}

/// The viewer does not want the text any more that waits to be merged. Errors: `NotFound`.
pub(crate) async fn drop_unsaved(tx: &mut WriteTx, id: PromptId) -> Result<(), AppError> {
    store::get(tx.reading(), id).await?;
    unsaved::drop(tx, id).await
}

/// Saves `template` as a new version if it differs from the newest. `base` is the version it started from.
/// Errors: `Conflict` when somebody saved another version meanwhile, unless `overwrite`.
pub async fn save_text(
    tx: &mut WriteTx,
    id: PromptId,
    base: &str,
    template: &str,
    note: &str,
    overwrite: bool,
) -> Result<(), AppError> {
    let before = store::lock(tx, id).await?;
    if template == before.template {
        return Ok(());
    }
    check_base(tx, id, before.version, base, overwrite).await?;
    new_version(tx, id, &before, template, note, Release::At("template")).await?;
    notify(tx, id);
    Ok(())
}

/// Holds a prompt against other writers until the commit. Errors: `NotFound`.
pub async fn hold(tx: &mut WriteTx, id: PromptId) -> Result<(), AppError> {
    store::lock(tx, id).await.map(|_| ())
}

/// Saves `template` as a new version that agents do not say yet, if it differs from the newest. Errors: `NotFound`; `Conflict` for a
/// prompt that is deactivated.
pub async fn save_unreleased(tx: &mut WriteTx, id: PromptId, template: &str, note: &str) -> Result<(), AppError> {
    let before = store::lock(tx, id).await?;
    if template == before.template {
        return Ok(());
    }
    if !before.is_active {
        return Err(AppError::Conflict(
            Reason::WrongState,
            "This prompt is deactivated. Restore it first, then save.".into(),
        ));
    }
    if moves::production(tx.reading(), id).await?.is_none() {
        labels::pin(tx, id, before.version, "Stays in production: a newer version was taken from a template").await?;
    }
    new_version(tx, id, &before, template, note, Release::No).await?;
    notify(tx, id);
    Ok(())
}

/// Saves an old text as the newest version, and has agents say it where they may say an untested one. Errors: `NotFound`.
pub(crate) async fn restore_version(tx: &mut WriteTx, id: PromptId, version: i32) -> Result<(), AppError> {
    let before = store::lock(tx, id).await?;
    let template = store::version_text(tx.reading(), id, version).await?;
    if template == before.template {
        return Err(AppError::Conflict(
            Reason::AlreadyThere,
            format!("Version {version} has the same text as the newest version."),
        ));
    }
    let note = format!("Restored from version {version}");
    new_version(tx, id, &before, &template, &note, Release::WhereItMay).await?;
    notify(tx, id);
    Ok(())
}

/// Deactivates or restores. Errors: `Conflict` while agents use it.
pub(crate) async fn set_active(tx: &mut WriteTx, id: PromptId, is_active: bool) -> Result<(), AppError> {
    let before = store::lock(tx, id).await?;
    if before.is_active == is_active {
        return Ok(());
    }
    let users = if is_active { Vec::new() } else { used::users(tx.reading(), id).await? };
    if let Some(first) = users.first() {
        let others = match users.len() {
            1 => String::new(),
            more => format!(" and {} more", more - 1),
        };
        return Err(AppError::Conflict(
            Reason::InUse,
            format!(
                "The agent {}{others} uses this prompt. Give it another prompt first, then deactivate this one.",
                first.name
            ),
        ));
    }
    store::set_active(tx, id, is_active).await?;
    let state = |is_active: bool| json!({"name": before.name, "active": is_active});
    let fields = Fields::Changed { before: state(!is_active), after: state(is_active) };
    record(tx, if is_active { "restored" } else { "deactivated" }, id, fields).await?;
    notify(tx, id);
    Ok(())
}

/// Whether agents are to say a version that is saved, and at which field an obstacle is shown; empty: at none.
enum Release {
    No,
    At(&'static str),
    /// It is saved also where agents may not say it yet.
    WhereItMay,
}

async fn new_version(
    tx: &mut WriteTx,
    id: PromptId,
    before: &store::Prompt,
    template: &str,
    note: &str,
    release: Release,
) -> Result<(), AppError> {
    let (newest, version) = (before.version, before.version + 1);
    store::add_version(tx, id, version, template, note).await?;
    let fields =
        Fields::Changed { before: json!({"version": newest}), after: json!({"version": version, "note": note}) };
    record(tx, "saved_version", id, fields).await?;
    match release {
        Release::At(field) => return labels::release(tx, id, before, version, note, field).await,
        Release::WhereItMay if labels::gate(tx, id, version).await?.is_none() => {
            return labels::release(tx, id, before, version, note, "").await;
        }
        Release::WhereItMay | Release::No => {}
    }
    labels::saved_unreleased(tx, id, newest, version).await
}

/// Whether the text that is being saved started from the newest version.
async fn check_base(tx: &mut WriteTx, id: PromptId, newest: i32, base: &str, overwrite: bool) -> Result<(), AppError> {
    let Ok(base) = base.parse::<i32>() else {
        let mut errors = FieldErrors::default();
        errors.add("", "The form no longer knows which version it started from. Reload the page and try again.");
        return errors.check();
    };
    if base == newest || overwrite {
        return Ok(());
    }
    let now = tx.reading().now().await?;
    let zone = tx.scope().zone();
    let (who, when) = match store::newest_author(tx.reading(), id).await? {
        Some((name, at)) => (name, format!(" ({})", moment_text(at, now, zone))),
        None => ("Somebody".to_owned(), String::new()),
    };
    Err(AppError::Conflict(
        Reason::StalePage,
        format!(
            "{who} saved version {newest}{when} while you were working on version {base}. Your text is still here and is not saved. \
         Look at version {newest}, take over what you need, and save again with the box ticked that puts your text after it."
        ),
    ))
}

pub(crate) async fn record(tx: &mut WriteTx, action: &str, id: PromptId, fields: Fields) -> Result<(), AppError> {
    tx.audit(Change { action, entity: "prompt", entity_id: Some(id.0), client_id: None, fields }).await
}

pub(crate) fn notify(tx: &mut WriteTx, id: PromptId) {
    tx.notify(Topic::list("prompts"), None);
    tx.notify(Topic::one("prompt", id), None);
}
