//! Templates of agents: making them of an agent, giving them to clients, and what their pages show.

use serde_json::{Value, json};

use super::store::{self, templates, versions};
use super::{drafts, ops};
use crate::model::{
    AgentSettings, GiveForm, LONGEST_NAME, MOST_TEMPLATES, NewTemplatePage, TemplateForm, TemplateMark, TemplatePage,
    TemplatePart, TemplateQuery, TemplateRow, TemplateText, TemplateVersionRow, template_changes, template_fields,
};
use patchbay_access::Action;
use patchbay_access::server::{Change, Fields, ReadTx, WriteTx};
use patchbay_jobs::live::Topic;
use patchbay_prompts::model::PromptText;
use patchbay_prompts::server as prompts;
use patchbay_shared::ids::{AgentId, AgentTemplateId, ClientId, PromptId};
use patchbay_shared::zone::stamp;
use patchbay_shared::{AppError, Cursor, FieldErrors, Page, Reason};
use patchbay_skills::server::giving as skills;
use patchbay_tools::server::giving as tools;
use patchbay_workspaces::server::limits;

/// Rows on a page of the list and of the versions, and agents that a template's page shows.
const ROWS: usize = 50;
const VERSIONS: usize = 20;
const AGENTS: i64 = 20;

/// The list.
pub(crate) async fn list(tx: &mut ReadTx, query: &TemplateQuery) -> Result<Page<TemplateRow>, AppError> {
    templates::list(tx, query, ROWS).await
}

/// One template; `compared`: with what came to be other since that version. Errors: `NotFound`.
pub(crate) async fn page(
    tx: &mut ReadTx,
    id: AgentTemplateId,
    compared: Option<&str>,
    cursor: Option<&str>,
) -> Result<TemplatePage, AppError> {
    let template = templates::get(tx, id).await?;
    let (text, source, source_name, _) = templates::text(tx, id, template.version).await?;
    let limits = tools::limits(tx, &text.tools).await?;
    let inactive = skills::inactive(tx, &text.skills).await?;
    let compared = match compared.and_then(|version| version.parse::<i32>().ok()) {
        None => None,
        Some(version) => {
            let (before, ..) = templates::text(tx, id, version).await?;
            Some((version, template_changes(&before, &text)))
        }
    };
    let (agents, count) = templates::agents(tx, id, AGENTS).await?;
    let tools = text.tools.iter().zip(limits).map(|((_, name), limits)| TemplatePart { name: name.clone(), limits });
    let skills = text.skills.iter().map(|(id, name)| TemplatePart {
        name: name.clone(),
        limits: inactive
            .contains(id)
            .then(|| "It is deactivated: nobody is given it.".to_owned())
            .into_iter()
            .collect(),
    });
    Ok(TemplatePage {
        id,
        name: template.name,
        version: template.version,
        is_active: template.is_active,
        source: (source, source_name),
        fields: template_fields(&text.settings),
        tools: tools.collect(),
        skills: skills.collect(),
        prompt: text.prompt,
        agents,
        count,
        versions: version_rows(tx, id, cursor).await?,
        compared,
        clients: store::clients(tx).await?,
        new_agent: AgentId::new(),
        may_edit: tx.scope().may(Action::ManageAgents),
    })
}

async fn version_rows(
    tx: &mut ReadTx,
    id: AgentTemplateId,
    cursor: Option<&str>,
) -> Result<Page<TemplateVersionRow>, AppError> {
    let (now, zone) = (tx.now().await?, tx.scope().zone());
    let cursor = Cursor::parse(cursor);
    let from: Option<i32> = cursor.as_ref().and_then(|cursor| cursor.key.parse().ok());
    let cursor = cursor.filter(|_| from.is_some());
    let ascending = cursor.as_ref().is_some_and(|cursor| !cursor.older);
    let found = templates::versions(tx, id, ascending, from, VERSIONS as i64 + 1).await?;
    let numbers = || found.iter().map(|version| version.version);
    let (least, most) = (numbers().min().unwrap_or_default(), numbers().max().unwrap_or_default());
    // With the one before the first, which the first is compared with.
    let texts = templates::texts(tx, id, least - 1, most).await?;
    let rows = found.into_iter().map(|version| {
        let changed = match (texts.get(&(version.version - 1)), texts.get(&version.version)) {
            (Some(before), Some(text)) => {
                template_changes(before, text).into_iter().map(|change| change.label).collect()
            }
            _ => Vec::new(),
        };
        TemplateVersionRow {
            version: version.version,
            note: version.note,
            author: version.author,
            changed,
            at: stamp(version.created_at, now, zone),
        }
    });
    let rows = rows.collect();
    Ok(Page::cut(rows, VERSIONS, cursor.as_ref(), |row| row.version.to_string()))
}

/// What the form begins with that makes a template of an agent; `into`: or a version of this one. Errors: `NotFound`.
pub(crate) async fn new_page(tx: &mut ReadTx, agent: AgentId, into: Option<&str>) -> Result<NewTemplatePage, AppError> {
    let found = store::get(tx, agent).await?;
    let choices = templates::choices(tx).await?;
    let asked = into.and_then(|id| id.parse::<AgentTemplateId>().ok());
    let into = match asked.or(found.template_id.map(AgentTemplateId)) {
        Some(id) => Some(id),
        None => templates::made_of(tx, agent).await?,
    };
    let missing = match (ops::must_be_there(&found), found.prompt_service_id) {
        (Err(error), _) => Some(error.to_string()),
        (_, None) => Some(WITHOUT_PROMPT.to_owned()),
        _ => None,
    };
    Ok(NewTemplatePage {
        agent,
        name: found.name,
        into: into.filter(|id| choices.iter().any(|(known, ..)| known == id)),
        templates: choices,
        missing,
    })
}

const WITHOUT_PROMPT: &str =
    "The agent’s published settings have no prompt yet. Publish one first, then make the template.";

/// Makes a template of an agent as it is published, or the next version of one. Errors: `Invalid`; `NotFound`; `Conflict` with the next
/// step.
pub(crate) async fn make(tx: &mut WriteTx, form: &TemplateForm) -> Result<AgentTemplateId, AppError> {
    let agent: AgentId = form.agent.parse()?;
    // Nobody hears about the form of an agent that is not theirs.
    store::get(tx.reading(), agent).await?;
    let (name, note) = form.check()?;
    let into: Option<AgentTemplateId> = match form.template.trim() {
        "" => None,
        id => Some(id.parse()?),
    };
    // Names are counted and compared one after the other. The workspace before the agent, as everywhere.
    limits::lock(tx).await?;
    store::lock(tx, agent).await?;
    let found = store::get(tx.reading(), agent).await?;
    ops::must_be_there(&found)?;
    let Some(prompt) = found.prompt_service_id.map(PromptId) else {
        return Err(AppError::Conflict(Reason::NotReady, WITHOUT_PROMPT.into()));
    };
    let Some((_, words)) = prompts::spoken(tx.reading(), prompt).await? else { return Err(AppError::NotFound) };
    let text = TemplateText {
        settings: AgentSettings { client_id: None, prompt_id: None, template: None, ..found.settings() },
        prompt: words,
        tools: tools::of_agent(tx.reading(), agent).await?,
        skills: skills::of_agent(tx.reading(), agent).await?,
    };
    let from = templates::Origin { agent, agent_version: found.version, note: &note };
    let Some(id) = into else {
        let (is_taken, count) = templates::named(tx.reading(), &name).await?;
        if is_taken {
            let message =
                "There is a template of this name already. Choose another name, or make a version of that one.";
            return Err(AppError::invalid("name", message));
        }
        check_room(count)?;
        let id = AgentTemplateId::new();
        templates::insert(tx, id, &name).await?;
        templates::add_version(tx, id, 1, &text, &from).await?;
        record(tx, "created", id, Fields::Created(facts(&name, 1, &text))).await?;
        notify(tx, id);
        return Ok(id);
    };
    let template = templates::lock(tx, id)
        .await
        .map_err(|error| error.at_choice("template", "Choose a template of the agency."))?;
    if !template.is_active {
        return Err(AppError::invalid(
            "template",
            "This template is archived. Restore it first, or choose another one.",
        ));
    }
    let (newest, ..) = templates::text(tx.reading(), id, template.version).await?;
    // The agent's own name is no part of it: it is given a name when it is given.
    let text = TemplateText { settings: AgentSettings { name: newest.settings.name.clone(), ..text.settings }, ..text };
    if newest == text {
        return Err(AppError::Conflict(
            Reason::AlreadyThere,
            format!("The agent is the same as version {} of the template {}.", template.version, template.name),
        ));
    }
    let version = template.version + 1;
    templates::add_version(tx, id, version, &text, &from).await?;
    let fields = Fields::Changed {
        before: facts(&template.name, template.version, &newest),
        after: facts(&template.name, version, &text),
    };
    record(tx, "saved_version", id, fields).await?;
    notify(tx, id);
    for agent in templates::agent_ids(tx.reading(), id).await? {
        ops::notify(tx, agent, None);
    }
    Ok(id)
}

fn check_room(count: i64) -> Result<(), AppError> {
    if count < MOST_TEMPLATES {
        return Ok(());
    }
    let message = format!("An agency has at most {MOST_TEMPLATES} templates. Archive one first.");
    Err(AppError::Conflict(Reason::LimitReached, message))
}

/// Makes an agent of a template for a client: its draft with a prompt of its own, its tools and skills. The voice service hears of it when
/// it is published. The same form twice makes one agent. Errors: `Invalid`; `NotFound`; `Conflict` with the next step.
pub(crate) async fn give(tx: &mut WriteTx, form: &GiveForm) -> Result<AgentId, AppError> {
    let id: AgentTemplateId = form.template.parse()?;
    // Nobody hears about the form of a template that is not theirs.
    templates::get(tx.reading(), id).await?;
    let (client, name) = checked(form)?;
    let agent: AgentId = if form.agent.trim().is_empty() { AgentId::new() } else { form.agent.trim().parse()? };
    // The workspace before everything: whoever archives a client holds it, too, and so does the same form that is sent twice.
    limits::lock(tx).await?;
    match templates::known_agent(tx.reading(), agent).await? {
        Some(known) if known == Some(id.0) => {
            let made = versions::settings(tx.reading(), agent, 1).await?;
            if made.client_id == Some(client) && made.name == name {
                return Ok(agent);
            }
            let why = "This form has made an agent already. Open the template again, then give it once more.";
            return Err(AppError::Conflict(Reason::StalePage, why.to_owned()));
        }
        Some(_) => return Err(stale()),
        None => {}
    }
    let template = templates::hold(tx, id).await?;
    if !template.is_active {
        return Err(AppError::Conflict(
            Reason::WrongState,
            format!("The template {} is archived. Restore it first, then give it.", template.name),
        ));
    }
    if !form.version.trim().is_empty() && form.version.trim() != template.version.to_string() {
        return Err(stale());
    }
    let (text, ..) = templates::text(tx.reading(), id, template.version).await?;
    // Before anything is written into the audit log, as where skills are changed.
    skills::hold(tx, &text.skills).await?;
    let mark = TemplateMark { id, version: template.version };
    let first = AgentSettings { name, client_id: Some(client), template: Some(mark), ..text.settings.clone() };
    ops::check_client(tx, &first).await?;
    let note = format!("Made of the template {}, version {}", template.name, template.version);
    ops::insert_as(tx, agent, &first, &note).await?;
    let words = PromptText {
        name: first.name.clone(),
        template: text.prompt.clone(),
        description: String::new(),
        tags: Vec::new(),
        tools: Vec::new(),
        note: note.clone(),
    };
    // What is published has no prompt, so nothing is sent until somebody publishes the draft.
    let prompt = prompts::ops::create(tx, &words, true).await?;
    let made = store::get(tx.reading(), agent).await?;
    drafts::save(tx, agent, &made, &AgentSettings { prompt_id: Some(prompt), ..first }, "", true).await?;
    let mut left_out = tools::give(tx, &text.tools, agent, client).await?;
    left_out.extend(skills::give(tx, &text.skills, agent).await?);
    templates::set_left_out(tx, agent, &left_out).await?;
    let facts = json!({
        "name": template.name, "version": template.version, "agent": agent, "client": client, "left out": left_out,
    });
    record(tx, "given", id, Fields::Happened(facts)).await?;
    notify(tx, id);
    Ok(agent)
}

fn checked(form: &GiveForm) -> Result<(ClientId, String), AppError> {
    let mut errors = FieldErrors::default();
    let name = form.name.trim();
    if name.is_empty() || name.chars().count() > LONGEST_NAME {
        errors.add("name", "Give the agent a name of at most 64 characters.");
    }
    let client = form.client_id.trim().parse::<ClientId>();
    if client.is_err() {
        errors.add("client_id", "Choose the client that is given the agent.");
    }
    errors.check()?;
    Ok((client?, name.to_owned()))
}

fn stale() -> AppError {
    let text = "The template has changed since you opened the page. Look at its newest version, and give that.";
    AppError::Conflict(Reason::StalePage, text.to_owned())
}

/// Archives a template, or brings it back (`on`). Its agents stay as they are. Errors: `NotFound`; `Conflict` while another one has its
/// name, or there are too many.
pub(crate) async fn set_active(tx: &mut WriteTx, id: AgentTemplateId, on: bool) -> Result<(), AppError> {
    limits::lock(tx).await?;
    let template = templates::lock(tx, id).await?;
    if template.is_active == on {
        return Ok(());
    }
    if on {
        let (is_taken, count) = templates::named(tx.reading(), &template.name).await?;
        if is_taken {
            return Err(AppError::Conflict(
                Reason::AlreadyThere,
                format!("There is another template named {} now. Archive that one first.", template.name),
            ));
        }
        check_room(count)?;
    }
    templates::set_active(tx, id, on).await?;
    let state = |on: bool| json!({ "name": template.name, "archived": !on });
    let fields = Fields::Changed { before: state(!on), after: state(on) };
    match on {
        true => record(tx, "restored", id, fields).await?,
        false => record(tx, "archived", id, fields).await?,
    }
    notify(tx, id);
    for agent in templates::agent_ids(tx.reading(), id).await? {
        ops::notify(tx, agent, None);
    }
    Ok(())
}

/// For the audit log.
fn facts(name: &str, version: i32, text: &TemplateText) -> Value {
    let names = |all: Vec<&String>| json!(all);
    json!({
        "name": name, "version": version, "settings": ops::facts_of(&text.settings), "prompt": text.prompt,
        "tools": names(text.tools.iter().map(|(_, name)| name).collect()),
        "skills": names(text.skills.iter().map(|(_, name)| name).collect()),
    })
}

/// How agents are made is the agency's workshop: its clients read nothing of it.
async fn record(tx: &mut WriteTx, action: &str, id: AgentTemplateId, fields: Fields) -> Result<(), AppError> {
    tx.audit(Change { action, entity: "agent_template", entity_id: Some(id.0), client_id: None, fields }).await
}

fn notify(tx: &mut WriteTx, id: AgentTemplateId) {
    tx.notify(Topic::list("agent_templates"), None);
    tx.notify(Topic::one("agent_template", id), None);
}
