//! What people do with prompts: write versions, release and restore them.

use serde_json::json;

use super::store;
use crate::model::{PromptForm, PromptList, PromptPage, PromptQuery, PromptText, variables};
use patchbay_access::Action;
use patchbay_access::server::{Change, Fields, ReadTx, WriteTx};
use patchbay_jobs::live::Topic;
use patchbay_services::HookFuture;
use patchbay_shared::ids::PromptId;
use patchbay_shared::zone::moment_text;
use patchbay_shared::{AppError, FieldErrors, Reason};

/// Told, in its transaction, that agents speak another version of a prompt from now on. Boot gives it.
pub struct PromptChanged(pub for<'a> fn(&'a mut WriteTx, PromptId) -> HookFuture<'a>);

/// Rows on a page of the list.
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
    Ok(PromptPage {
        id,
        name: prompt.name,
        description: prompt.description,
        tags: prompt.tags,
        is_active: prompt.is_active,
        version: prompt.version,
        shown,
        variables: variables(&template),
        template,
        versions: store::versions(tx, id).await?,
        agents: store::users(tx, id).await?,
        may_edit: tx.scope().may(Action::ManagePrompts),
    })
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
    let words = |name: &str, description: &str, tags: &[String]| json!({"name": name, "description": description, "tags": tags});
    let (old, new) =
        (words(&before.name, &before.description, &before.tags), words(&text.name, &text.description, &text.tags));
    record(tx, "changed", id, Fields::Changed { before: old, after: new }).await?;
    if text.template != before.template {
        new_version(tx, id, before.version, &text.template, &text.note, form.production.is_some()).await?;
    } else if form.production.is_some() {
        use_version(tx, id, before.version).await?;
    }
    notify(tx, id);
    Ok(id)
}

/// Makes a prompt with its first version; with `production`, agents may use it at once.
pub async fn create(tx: &mut WriteTx, text: &PromptText, production: bool) -> Result<PromptId, AppError> {
    let id = PromptId::new();
    store::insert(tx, id, text).await?;
    if production {
        store::move_production(tx, id, 1).await?;
    }
    let after = json!({"name": text.name, "version": 1, "production": production});
    record(tx, "created", id, Fields::Created(after)).await?;
    notify(tx, id);
    Ok(id)
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
    new_version(tx, id, before.version, template, note, true).await?;
    notify(tx, id);
    Ok(())
}

/// Saves an old text as the newest version and puts it into production. Errors: `NotFound`.
pub(crate) async fn restore_version(tx: &mut WriteTx, id: PromptId, version: i32) -> Result<(), AppError> {
    let before = store::lock(tx, id).await?;
    let template = store::version_text(tx.reading(), id, version).await?;
    if template == before.template {
        return Err(AppError::Conflict(
            Reason::AlreadyThere,
            format!("Version {version} has the same text as the newest version."),
        ));
    }
    new_version(tx, id, before.version, &template, &format!("Restored from version {version}"), true).await?;
    notify(tx, id);
    Ok(())
}

/// Lets agents use a version. Errors: `NotFound`.
pub(crate) async fn use_version(tx: &mut WriteTx, id: PromptId, version: i32) -> Result<(), AppError> {
    store::lock(tx, id).await?;
    let former = store::production(tx.reading(), id).await?.map(|(version, _)| version);
    if !store::move_production(tx, id, version).await? {
        return Ok(());
    }
    let fields = Fields::Changed { before: json!({"production": former}), after: json!({"production": version}) };
    record(tx, "released", id, fields).await?;
    let changed = tx.services().hooks.get::<PromptChanged>()?.0;
    changed(tx, id).await?;
    notify(tx, id);
    Ok(())
}

/// Deactivates or restores. Errors: `Conflict` while agents use it.
pub(crate) async fn set_active(tx: &mut WriteTx, id: PromptId, is_active: bool) -> Result<(), AppError> {
    let before = store::lock(tx, id).await?;
    if before.is_active == is_active {
        return Ok(());
    }
    let users = if is_active { Vec::new() } else { store::users(tx.reading(), id).await? };
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

async fn new_version(
    tx: &mut WriteTx,
    id: PromptId,
    newest: i32,
    template: &str,
    note: &str,
    production: bool,
) -> Result<(), AppError> {
    let version = newest + 1;
    store::add_version(tx, id, version, template, note).await?;
    let (before, after) =
        (json!({"version": newest}), json!({"version": version, "note": note, "production": production}));
    record(tx, "saved_version", id, Fields::Changed { before, after }).await?;
    if production {
        store::move_production(tx, id, version).await?;
        let changed = tx.services().hooks.get::<PromptChanged>()?.0;
        changed(tx, id).await?;
    }
    Ok(())
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

async fn record(tx: &mut WriteTx, action: &str, id: PromptId, fields: Fields) -> Result<(), AppError> {
    tx.audit(Change { action, entity: "prompt", entity_id: Some(id.0), client_id: None, fields }).await
}

fn notify(tx: &mut WriteTx, id: PromptId) {
    tx.notify(Topic::list("prompts"), None);
    tx.notify(Topic::one("prompt", id), None);
}
