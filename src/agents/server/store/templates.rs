//! Statements about templates of agents, their versions, and the agents that were made of them.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use sqlx::types::Json;
use uuid::Uuid;

use crate::model::{AgentSettings, TemplateAgent, TemplateQuery, TemplateRow, TemplateText};
use patchbay_access::server::{ReadTx, WriteTx};
use patchbay_shared::ids::{AgentId, AgentTemplateId, AgentToolId, SkillId};
use patchbay_shared::search::{filled, like, name_place};
use patchbay_shared::zone::stamp;
use patchbay_shared::{AppError, Cursor, Page};

/// Rows of one statement in one direction of the list; the two directions differ in two words only.
macro_rules! list_in {
    ($after:tt, $way:tt, $tx:expr, $query:expr, $name:expr, $id:expr, $limit:expr) => {
        sqlx::query!(
            r#"select t.id as "id: AgentTemplateId", t.name, t.version, t.is_active, t.updated_at,
                      v.settings as "settings: Json<AgentSettings>", n.agents as "agents!", n.behind as "behind!"
               from agent_templates t
               join agent_template_versions v on v.workspace_id = $1 and v.template_id = t.id and v.version = t.version
               cross join lateral (
                 select count(*) as agents, count(*) filter (where a.template_version < t.version) as behind
                 from agents a where a.workspace_id = $1 and a.template_id = t.id and a.is_active
               ) n
               where t.workspace_id = $1
                 and ($2::text is null or t.name ilike $2)
                 and ($3::boolean is null or t.is_active = $3)
                 and ($4::text is null or ($4 = 'yes') = (n.behind > 0))
                 and ($5::text is null or (t.name, t.id) "# + $after + r#" ($5, $6::uuid))
               order by t.name "# + $way + r#", t.id "# + $way + r#" limit $7"#,
            $tx.workspace_uuid(), like($query.words.as_deref()), wanted_state($query.state.as_deref()), filled($query.behind.as_deref()),
            $name, $id, $limit
        )
    };
}

/// `None` shows templates in every state.
fn wanted_state(word: Option<&str>) -> Option<bool> {
    match word {
        Some("all") => None,
        Some("archived") => Some(false),
        _ => Some(true),
    }
}

/// Templates by name. `limit` rows on a page.
pub(crate) async fn list(tx: &mut ReadTx, query: &TemplateQuery, limit: usize) -> Result<Page<TemplateRow>, AppError> {
    let (now, zone) = (tx.now().await?, tx.scope().zone());
    let cursor = Cursor::parse(query.cursor.as_deref());
    let place = cursor.as_ref().and_then(|cursor| name_place(&cursor.key));
    let (name, id) = place.map_or((None, None), |(name, id)| (Some(name), Some(id)));
    let backwards = cursor.as_ref().is_some_and(|cursor| !cursor.older);
    let is_downwards = query.sort.as_deref() == Some("-name");
    let most = limit as i64 + 1;
    // The two statements' rows are of two types, so each is turned into the page's row at once.
    macro_rules! rows {
        ($statement:expr) => {
            $statement
                .fetch_all(tx.conn())
                .await?
                .into_iter()
                .map(|row| TemplateRow {
                    id: row.id,
                    name: row.name,
                    language: row.settings.0.language,
                    llm_model: row.settings.0.llm_model,
                    version: row.version,
                    is_active: row.is_active,
                    agents: row.agents,
                    behind: row.behind,
                    updated: stamp(row.updated_at, now, zone),
                })
                .collect()
        };
    }
    let rows: Vec<TemplateRow> = match is_downwards != backwards {
        true => rows!(list_in!("<", "desc", tx, query, name, id, most)),
        false => rows!(list_in!(">", "asc", tx, query, name, id, most)),
    };
    Ok(Page::cut(rows, limit, cursor.as_ref().filter(|_| name.is_some()), |row| format!("{}_{}", row.id, row.name)))
}

/// A template as it stands.
pub(crate) struct Template {
    pub name: String,
    pub version: i32,
    pub is_active: bool,
}

/// Errors: `NotFound`.
pub(crate) async fn get(tx: &mut ReadTx, id: AgentTemplateId) -> Result<Template, AppError> {
    Ok(sqlx::query_as!(
        Template,
        "select name, version, is_active from agent_templates where workspace_id = $1 and id = $2",
        tx.workspace_uuid(),
        id.0
    )
    .fetch_one(tx.conn())
    .await?)
}

/// The same, held against other writers until the commit. Errors: `NotFound`.
pub(crate) async fn lock(tx: &mut WriteTx, id: AgentTemplateId) -> Result<Template, AppError> {
    Ok(sqlx::query_as!(
        Template,
        "select name, version, is_active from agent_templates where workspace_id = $1 and id = $2 for no key update",
        tx.workspace_uuid(),
        id.0
    )
    .fetch_one(tx.conn())
    .await?)
}

/// The same, held as it is beside others who do so: nobody archives it, and nobody adds a version. Errors: `NotFound`.
pub(crate) async fn hold(tx: &mut WriteTx, id: AgentTemplateId) -> Result<Template, AppError> {
    Ok(sqlx::query_as!(
        Template,
        "select name, version, is_active from agent_templates where workspace_id = $1 and id = $2 for share",
        tx.workspace_uuid(),
        id.0
    )
    .fetch_one(tx.conn())
    .await?)
}

/// Whether another template that is not archived has this name; and how many there are.
pub(crate) async fn named(tx: &mut ReadTx, name: &str) -> Result<(bool, i64), AppError> {
    let row = sqlx::query!(
        r#"select coalesce(bool_or(lower(name) = lower($2)), false) as "is_taken!", count(*) as "count!"
           from agent_templates where workspace_id = $1 and is_active"#,
        tx.workspace_uuid(),
        name
    )
    .fetch_one(tx.conn())
    .await?;
    Ok((row.is_taken, row.count))
}

/// Templates that are not archived, for pickers: id, name and newest version.
pub(crate) async fn choices(tx: &mut ReadTx) -> Result<Vec<(AgentTemplateId, String, i32)>, AppError> {
    let rows = sqlx::query!(
        r#"select id as "id: AgentTemplateId", name, version from agent_templates where workspace_id = $1 and is_active
           order by name, id limit 500"#,
        tx.workspace_uuid()
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(|row| (row.id, row.name, row.version)).collect())
}

/// Id and name of every template, for the filter of agents.
pub(crate) async fn names(tx: &mut ReadTx) -> Result<Vec<(String, String)>, AppError> {
    let rows = sqlx::query!(
        "select id, name from agent_templates where workspace_id = $1 order by is_active desc, name, id limit 500",
        tx.workspace_uuid()
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(|row| (row.id.to_string(), row.name)).collect())
}

/// The newest template whose newest version was made of an agent.
pub(crate) async fn made_of(tx: &mut ReadTx, agent: AgentId) -> Result<Option<AgentTemplateId>, AppError> {
    Ok(sqlx::query_scalar!(
        r#"select t.id as "id: AgentTemplateId" from agent_templates t
           join agent_template_versions v on v.workspace_id = $1 and v.template_id = t.id and v.version = t.version
           where t.workspace_id = $1 and t.is_active and v.agent_id = $2 order by t.id desc limit 1"#,
        tx.workspace_uuid(),
        agent.0
    )
    .fetch_optional(tx.conn())
    .await?)
}

pub(crate) async fn insert(tx: &mut WriteTx, id: AgentTemplateId, name: &str) -> Result<(), AppError> {
    sqlx::query!(
        "insert into agent_templates (workspace_id, id, name) values ($1, $2, $3)",
        tx.workspace_uuid(),
        id.0,
        name
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Where a version comes from.
pub(crate) struct Origin<'a> {
    pub agent: AgentId,
    pub agent_version: i32,
    pub note: &'a str,
}

/// A tool or skill as a version names it.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
struct Part<T> {
    id: T,
    name: String,
}

fn parts<T: Copy>(named: &[(T, String)]) -> Vec<Part<T>> {
    named.iter().map(|(id, name)| Part { id: *id, name: name.clone() }).collect()
}

fn pairs<T>(parts: Vec<Part<T>>) -> Vec<(T, String)> {
    parts.into_iter().map(|part| (part.id, part.name)).collect()
}

/// Keeps a version and makes it the newest one.
pub(crate) async fn add_version(
    tx: &mut WriteTx,
    id: AgentTemplateId,
    version: i32,
    text: &TemplateText,
    from: &Origin<'_>,
) -> Result<(), AppError> {
    sqlx::query!(
        "insert into agent_template_versions (workspace_id, template_id, version, agent_id, agent_version, settings, prompt, tools, skills,
                                              note, author_id)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        tx.workspace_uuid(),
        id.0,
        version,
        from.agent.0,
        from.agent_version,
        Json(&text.settings) as _,
        text.prompt,
        Json(parts(&text.tools)) as _,
        Json(parts(&text.skills)) as _,
        from.note,
        tx.user_id().map(|id| id.0)
    )
    .execute(tx.conn())
    .await?;
    sqlx::query!(
        "update agent_templates set version = $3, updated_at = now() where workspace_id = $1 and id = $2",
        tx.workspace_uuid(),
        id.0,
        version
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

pub(crate) async fn set_active(tx: &mut WriteTx, id: AgentTemplateId, is_active: bool) -> Result<(), AppError> {
    sqlx::query!(
        "update agent_templates set is_active = $3, updated_at = now() where workspace_id = $1 and id = $2",
        tx.workspace_uuid(),
        id.0,
        is_active
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// A version with the agent that it was made of: its id, name and version. Errors: `NotFound`.
pub(crate) async fn text(
    tx: &mut ReadTx,
    id: AgentTemplateId,
    version: i32,
) -> Result<(TemplateText, AgentId, String, i32), AppError> {
    let row = sqlx::query!(
        r#"select v.settings as "settings: Json<AgentSettings>", v.prompt, v.tools as "tools: Json<Vec<Part<AgentToolId>>>",
                  v.skills as "skills: Json<Vec<Part<SkillId>>>", v.agent_id as "agent: AgentId", a.name, v.agent_version
           from agent_template_versions v join agents a on a.workspace_id = $1 and a.id = v.agent_id
           where v.workspace_id = $1 and v.template_id = $2 and v.version = $3"#,
        tx.workspace_uuid(),
        id.0,
        version
    )
    .fetch_one(tx.conn())
    .await?;
    let text = TemplateText {
        settings: row.settings.0,
        prompt: row.prompt,
        tools: pairs(row.tools.0),
        skills: pairs(row.skills.0),
    };
    Ok((text, row.agent, row.name, row.agent_version))
}

/// The versions of a template from one number to another one.
pub(crate) async fn texts(
    tx: &mut ReadTx,
    id: AgentTemplateId,
    least: i32,
    most: i32,
) -> Result<BTreeMap<i32, TemplateText>, AppError> {
    let rows = sqlx::query!(
        r#"select version, settings as "settings: Json<AgentSettings>", prompt, tools as "tools: Json<Vec<Part<AgentToolId>>>",
                  skills as "skills: Json<Vec<Part<SkillId>>>"
           from agent_template_versions where workspace_id = $1 and template_id = $2 and version between $3 and $4"#,
        tx.workspace_uuid(),
        id.0,
        least,
        most
    )
    .fetch_all(tx.conn())
    .await?;
    let texts = rows.into_iter().map(|row| {
        let (tools, skills) = (pairs(row.tools.0), pairs(row.skills.0));
        (row.version, TemplateText { settings: row.settings.0, prompt: row.prompt, tools, skills })
    });
    Ok(texts.collect())
}

/// A version, in the list.
pub(crate) struct Version {
    pub version: i32,
    pub note: String,
    pub author: Option<String>,
    pub created_at: DateTime<Utc>,
}

/// Rows of one statement in one direction of the versions.
macro_rules! versions_in {
    ($after:tt, $way:tt, $tx:expr, $id:expr, $from:expr, $limit:expr) => {
        sqlx::query_as!(
            Version,
            r#"select v.version, v.note, u.name as "author?", v.created_at
               from agent_template_versions v left join users u on u.id = v.author_id
               where v.workspace_id = $1 and v.template_id = $2 and ($3::int is null or v.version "#
                + $after
                + r#" $3)
               order by v.version "#
                + $way
                + r#" limit $4"#,
            $tx.workspace_uuid(),
            $id,
            $from,
            $limit
        )
    };
}

/// The versions of a template, the newest first; `ascending`: in the order of their numbers, from behind `from`.
pub(crate) async fn versions(
    tx: &mut ReadTx,
    id: AgentTemplateId,
    ascending: bool,
    from: Option<i32>,
    most: i64,
) -> Result<Vec<Version>, AppError> {
    Ok(match ascending {
        true => versions_in!(">", "asc", tx, id.0, from, most).fetch_all(tx.conn()).await?,
        false => versions_in!("<", "desc", tx, id.0, from, most).fetch_all(tx.conn()).await?,
    })
}

/// The first agents of a template by name, and how many there are.
pub(crate) async fn agents(
    tx: &mut ReadTx,
    id: AgentTemplateId,
    most: i64,
) -> Result<(Vec<TemplateAgent>, i64), AppError> {
    let rows = sqlx::query!(
        r#"select a.id as "id: AgentId", a.name, c.name as "client?", a.template_version as "version!", count(*) over () as "all!"
           from agents a left join clients c on c.workspace_id = $1 and c.id = a.client_id
           where a.workspace_id = $1 and a.template_id = $2 and a.is_active order by a.name, a.id limit $3"#,
        tx.workspace_uuid(),
        id.0,
        most
    )
    .fetch_all(tx.conn())
    .await?;
    let count = rows.first().map_or(0, |row| row.all);
    let agents = rows.into_iter().map(|row| TemplateAgent {
        id: row.id,
        name: row.name,
        client: row.client,
        version: row.version,
    });
    Ok((agents.collect(), count))
}

/// All agents of a template, whose pages show it.
pub(crate) async fn agent_ids(tx: &mut ReadTx, id: AgentTemplateId) -> Result<Vec<AgentId>, AppError> {
    Ok(sqlx::query_scalar!(
        r#"select id as "id: AgentId" from agents where workspace_id = $1 and template_id = $2 and is_active order by id"#,
        tx.workspace_uuid(),
        id.0
    )
    .fetch_all(tx.conn())
    .await?)
}

/// The template of an agent of this id, in whatever state the agent is. None: there is no such agent.
pub(crate) async fn known_agent(tx: &mut ReadTx, id: AgentId) -> Result<Option<Option<Uuid>>, AppError> {
    Ok(sqlx::query_scalar!(
        "select template_id from agents where workspace_id = $1 and id = $2",
        tx.workspace_uuid(),
        id.0
    )
    .fetch_optional(tx.conn())
    .await?)
}

/// Remembers what an agent was not given.
pub(crate) async fn set_left_out(tx: &mut WriteTx, agent: AgentId, left_out: &[String]) -> Result<(), AppError> {
    sqlx::query!(
        "update agents set template_left_out = $3 where workspace_id = $1 and id = $2",
        tx.workspace_uuid(),
        agent.0,
        left_out
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}
