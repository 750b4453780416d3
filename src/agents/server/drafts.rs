//! Drafts and published versions: changes are saved beside what calls use, and come into use together.

use serde_json::json;

use super::ops::{self, facts_of};
use super::store::{self, Agent, mappings, versions};
use crate::model::{AgentSettings, AgentStatus, AgentVersionRow, AgentVersions, DraftView, VersionQuery, changes};
use patchbay_access::Action;
use patchbay_access::server::{Fields, ReadTx, WriteTx};
use patchbay_prompts::server as prompts;
use patchbay_shared::ids::AgentId;
use patchbay_shared::zone::stamp;
use patchbay_shared::{AppError, Cursor, Page, Reason};

/// Rows on a page of the versions.
const ROWS: usize = 50;

/// What a form shows that started from here: the published version, and how often the draft beside it was saved.
pub(crate) fn base(version: i32, draft: Option<&versions::Draft>) -> String {
    format!("{version}.{}", draft.map_or(0, |draft| draft.revision))
}

/// The draft with what it changes.
pub(crate) async fn view(tx: &mut ReadTx, id: AgentId, agent: &Agent) -> Result<(String, Option<DraftView>), AppError> {
    let found = versions::draft(tx, id).await?;
    let base = base(agent.version, found.as_ref());
    let Some(draft) = found else { return Ok((base, None)) };
    let (now, zone) = (tx.now().await?, tx.scope().zone());
    let published = agent.settings();
    let names = store::names(tx, &[&published, &draft.settings.0]).await?;
    let changes = changes(&published, &draft.settings.0, &names);
    let saved = stamp(draft.updated_at, now, zone);
    Ok((base, Some(DraftView { settings: draft.settings.0, changes, author: draft.author, saved })))
}

/// Saves what somebody changed. What is as published needs no draft. Errors: `Conflict` when somebody saved or published since the page
/// was opened, unless `overwrite`.
pub(crate) async fn save(
    tx: &mut WriteTx,
    id: AgentId,
    agent: &Agent,
    settings: &AgentSettings,
    shown: &str,
    overwrite: bool,
) -> Result<(), AppError> {
    let draft = versions::draft(tx.reading(), id).await?;
    if !shown.is_empty() && !overwrite && shown != base(agent.version, draft.as_ref()) {
        let who = draft.as_ref().and_then(|draft| draft.author.as_deref()).unwrap_or("Somebody");
        let what = if draft.is_some() { "saved other changes to" } else { "published a version of" };
        return Err(AppError::Conflict(
            Reason::StalePage,
            format!(
                "{who} has {what} this agent since you opened the page. Look at them on its page, or tick the box and save again: yours then takes their place."
            ),
        ));
    }
    let published = agent.settings();
    let before = draft.as_ref().map_or(&published, |draft| &draft.settings.0);
    if before == settings {
        return Ok(());
    }
    let fields = Fields::Changed { before: facts_of(before), after: facts_of(settings) };
    ops::record(tx, "drafted", id, agent, fields).await?;
    if *settings == published {
        versions::remove_draft(tx, id).await?;
    } else {
        let author = tx.scope().user_id().map(|id| id.0);
        versions::save_draft(tx, id, settings, author).await?;
    }
    ops::notify(tx, id, None);
    Ok(())
}

/// Throws the changes away.
pub(crate) async fn discard(tx: &mut WriteTx, id: AgentId) -> Result<(), AppError> {
    store::lock(tx, id).await?;
    let agent = store::get(tx.reading(), id).await?;
    let Some(draft) = versions::draft(tx.reading(), id).await? else { return Ok(()) };
    let fields = Fields::Changed { before: facts_of(&draft.settings.0), after: facts_of(&agent.settings()) };
    ops::record(tx, "discarded the draft of", id, &agent, fields).await?;
    versions::remove_draft(tx, id).await?;
    ops::notify(tx, id, None);
    Ok(())
}

/// Calls use the draft from now on, and the voice service is told. `shown`: what the page showed, so that nothing is published unseen.
/// Errors: `Conflict` with what stands in the way.
pub(crate) async fn publish(tx: &mut WriteTx, id: AgentId, shown: &str) -> Result<(), AppError> {
    // Nobody hears about the draft of an agent that is not theirs.
    store::get(tx.reading(), id).await?;
    let Some(draft) = versions::draft(tx.reading(), id).await? else { return Ok(()) };
    let settings = draft.settings.0;
    // The prompt is read before the agent is locked, in the order of those who save prompts.
    let prompt = match settings.prompt_id {
        Some(prompt) => Some(prompts::get(tx.reading(), prompt).await?),
        None => None,
    };
    store::lock(tx, id).await?;
    let agent = store::get(tx.reading(), id).await?;
    let again = versions::draft(tx.reading(), id).await?;
    let is_as_shown = again.as_ref().is_some_and(|again| again.settings.0 == settings)
        && (shown.is_empty() || shown == base(agent.version, again.as_ref()));
    if !is_as_shown {
        return Err(AppError::Conflict(
            Reason::StalePage,
            "Somebody has changed this agent since you opened the page. Open it again and look at the changes.".into(),
        ));
    }
    ops::must_be_there(&agent)?;
    let refuse = |text: &str| Err(AppError::Conflict(Reason::NotReady, text.to_owned()));
    match (&prompt, settings.prompt_id) {
        (Some(prompt), wanted) if !prompt.is_active && wanted != agent.settings().prompt_id => {
            return refuse("The draft's prompt is deactivated. Choose another one, or restore it first.");
        }
        (None, None) if agent.status == AgentStatus::Active => {
            return refuse("An active agent needs a prompt. Choose one, or pause the agent first.");
        }
        _ => {}
    }
    if let Some(client) = settings.client_id
        && !store::has_client(tx.reading(), client).await?
    {
        return refuse("The draft's client is archived. Choose another one, or take the client back first.");
    }
    versions::remove_draft(tx, id).await?;
    apply(tx, id, &agent, &settings, "").await
}

/// Makes settings the published ones, as the next version. The agent is locked.
pub(crate) async fn apply(
    tx: &mut WriteTx,
    id: AgentId,
    agent: &Agent,
    settings: &AgentSettings,
    note: &str,
) -> Result<(), AppError> {
    let before = agent.settings();
    let version = store::publish(tx, id, settings).await?;
    let names = store::names(tx.reading(), &[&before, settings]).await?;
    let changed: Vec<String> = changes(&before, settings, &names).into_iter().map(|change| change.label).collect();
    let note = if note.is_empty() { changed.join(", ") } else { note.to_owned() };
    let author = tx.scope().user_id().map(|id| id.0);
    versions::insert(tx, id, version, settings, &note, author).await?;
    mappings::fill(tx, id).await?;
    mappings::set_direction(tx, id, settings.direction).await?;
    let mut sides = [facts_of(&before), facts_of(settings)];
    for (side, version) in sides.iter_mut().zip([agent.version, version]) {
        side["version"] = json!(version);
    }
    let [before, after] = sides;
    ops::record(tx, "published", id, agent, Fields::Changed { before, after }).await?;
    ops::send(tx, id, false).await
}

/// Puts an older version into the draft, to be looked at and published. Errors: `NotFound`; `Conflict`.
pub(crate) async fn restore(tx: &mut WriteTx, id: AgentId, version: i32) -> Result<(), AppError> {
    store::lock(tx, id).await?;
    let agent = store::get(tx.reading(), id).await?;
    ops::must_be_there(&agent)?;
    let settings = versions::settings(tx.reading(), id, version).await?;
    if versions::draft(tx.reading(), id).await?.is_some() {
        return Err(AppError::Conflict(
            Reason::InUse,
            "There are changes that are not published. Publish or discard them first.".into(),
        ));
    }
    if settings == agent.settings() {
        return Err(AppError::Conflict(
            Reason::AlreadyThere,
            format!("Version {version} is the same as what is published."),
        ));
    }
    save(tx, id, &agent, &settings, "", true).await
}

/// The page of an agent's versions.
pub(crate) async fn list(tx: &mut ReadTx, id: AgentId, query: &VersionQuery) -> Result<AgentVersions, AppError> {
    let agent = store::get(tx, id).await?;
    let page = rows(tx, id, agent.version, query, ROWS).await?;
    let compared = match query.version.as_deref().and_then(|version| version.parse::<i32>().ok()) {
        None => None,
        Some(version) => {
            let (settings, published) = (versions::settings(tx, id, version).await?, agent.settings());
            let names = store::names(tx, &[&settings, &published]).await?;
            Some((version, changes(&published, &settings, &names)))
        }
    };
    Ok(AgentVersions {
        id,
        name: agent.name,
        client: agent.client,
        page,
        compared,
        published: agent.version,
        may_edit: tx.scope().may(Action::ManageAgents) && agent.is_active,
    })
}

pub(crate) async fn rows(
    tx: &mut ReadTx,
    id: AgentId,
    published: i32,
    query: &VersionQuery,
    limit: usize,
) -> Result<Page<AgentVersionRow>, AppError> {
    let (now, zone) = (tx.now().await?, tx.scope().zone());
    let cursor = Cursor::parse(query.cursor.as_deref());
    let from: Option<i32> = cursor.as_ref().and_then(|cursor| cursor.key.parse().ok());
    let cursor = cursor.filter(|_| from.is_some());
    let oldest_first = query.sort.as_deref() == Some("version");
    let ascending = oldest_first == cursor.as_ref().is_none_or(|cursor| cursor.older);
    let found = versions::list(tx, id, query, ascending, from, limit as i64 + 1).await?;
    let mut rows = Vec::with_capacity(found.len());
    for version in found {
        let changed = match &version.before {
            None => Vec::new(),
            // Only labels are read: no names are needed to tell one id from another.
            Some(before) => changed_labels(&before.0, &version.settings.0),
        };
        rows.push(AgentVersionRow {
            version: version.version,
            note: version.note,
            author: version.author,
            changed,
            at: stamp(version.created_at, now, zone),
            is_published: version.version == published,
        });
    }
    Ok(Page::cut(rows, limit, cursor.as_ref(), |row| row.version.to_string()))
}

/// Ids stand for their names, so that two of them differ.
fn changed_labels(before: &AgentSettings, after: &AgentSettings) -> Vec<String> {
    let ids = |settings: &AgentSettings| (settings.client_id, settings.prompt_id);
    let mut names = crate::model::Names::default();
    for (client, prompt) in [ids(before), ids(after)] {
        names.clients.extend(client.map(|id| (id, id.to_string())));
        names.prompts.extend(prompt.map(|id| (id, id.to_string())));
    }
    changes(before, after, &names).into_iter().map(|change| change.label).collect()
}
