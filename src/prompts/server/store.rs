//! Statements about prompts and their versions. `labels` has those about labels and their moves, `unsaved` those about texts that wait to
//! be merged, `used` those about the tables of others.

pub(crate) mod labels;
pub(crate) mod unsaved;
pub(crate) mod used;

use chrono::{DateTime, Utc};
use sqlx::types::Json;

use crate::model::{PRODUCTION, PromptChoice, PromptQuery, PromptRow, PromptText, VersionRow};
use patchbay_access::server::{ReadTx, WriteTx};
use patchbay_shared::ids::PromptId;
use patchbay_shared::search::{filled, like, name_place};
use patchbay_shared::zone::stamp;
use patchbay_shared::{AppError, Cursor, Page};

/// Rows of one statement in one direction of the list; the two directions differ in two words only.
macro_rules! list_in {
    ($after:tt, $way:tt, $tx:expr, $query:expr, $name:expr, $id:expr, $limit:expr) => {
        sqlx::query!(
            r#"select p.id, p.name, p.description, p.tags, p.version, p.is_active, p.updated_at,
                      (select v.version from prompt_versions v
                       where v.workspace_id = $1 and v.prompt_id = p.id and 'production' = any(v.labels)) as production,
                      exists (select from prompt_label_moves m
                              where m.workspace_id = $1 and m.prompt_id = p.id and m.status = 'waiting') as "is_waiting!",
                      (select count(*) from agents a
                       where a.workspace_id = $1 and a.prompt_service_id = p.id and a.is_active) as "agents!"
               from prompts p
               where p.workspace_id = $1
                 and ($2::text is null or p.name ilike $2 or p.description ilike $2)
                 and ($3::text is null or $3 = any(p.tags))
                 and ($4::boolean is null or p.is_active = $4)
                 and ($8::text is null or ($8 = 'yes') = exists (
                   select from prompt_label_moves m where m.workspace_id = $1 and m.prompt_id = p.id and m.status = 'waiting'))
                 and ($5::text is null or (p.name, p.id) "# + $after + r#" ($5, $6::uuid))
               order by p.name "# + $way + r#", p.id "# + $way + r#" limit $7"#,
            $tx.workspace_uuid(), like($query.words.as_deref()), filled($query.tag.as_deref()), wanted_state($query.state.as_deref()),
            $name, $id, $limit, filled($query.waiting.as_deref())
        )
    };
}

/// Prompts by name. `limit` rows on a page.
pub async fn list(tx: &mut ReadTx, query: &PromptQuery, limit: usize) -> Result<Page<PromptRow>, AppError> {
    let (now, zone) = (tx.now().await?, tx.scope().zone());
    let cursor = Cursor::parse(query.cursor.as_deref());
    let place = cursor.as_ref().and_then(|cursor| name_place(&cursor.key));
    let (name, id) = place.map_or((None, None), |(name, id)| (Some(name), Some(id)));
    let most = limit as i64 + 1;
    let backwards = cursor.as_ref().is_some_and(|cursor| !cursor.older);
    // The two statements' rows are of two types, so each is turned into the page's row at once.
    macro_rules! row {
        ($row:expr) => {{
            let row = $row;
            PromptRow {
                id: PromptId(row.id),
                name: row.name,
                description: row.description,
                tags: row.tags,
                version: row.version,
                production: row.production,
                is_waiting: row.is_waiting,
                agents: row.agents,
                is_active: row.is_active,
                updated: stamp(row.updated_at, now, zone),
            }
        }};
    }
    let rows: Vec<PromptRow> = if backwards {
        let found = list_in!("<", "desc", tx, query, name, id, most).fetch_all(tx.conn()).await?;
        found.into_iter().map(|row| row!(row)).collect()
    } else {
        let found = list_in!(">", "asc", tx, query, name, id, most).fetch_all(tx.conn()).await?;
        found.into_iter().map(|row| row!(row)).collect()
    };
    Ok(Page::cut(rows, limit, cursor.as_ref().filter(|_| name.is_some()), |row| format!("{}_{}", row.id, row.name)))
}

/// Every tag in use, for the filter.
pub(crate) async fn tags(tx: &mut ReadTx) -> Result<Vec<String>, AppError> {
    let workspace = tx.workspace_uuid();
    Ok(sqlx::query_scalar!(
        r#"select distinct unnest(tags) as "tag!" from prompts where workspace_id = $1 order by 1 limit 200"#,
        workspace
    )
    .fetch_all(tx.conn())
    .await?)
}

/// Active prompts for a picker.
pub async fn choices(tx: &mut ReadTx) -> Result<Vec<PromptChoice>, AppError> {
    let workspace = tx.workspace_uuid();
    let rows = sqlx::query!(
        "select id, name from prompts where workspace_id = $1 and is_active order by name, id limit 500",
        workspace
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(|row| PromptChoice { id: PromptId(row.id), name: row.name }).collect())
}

/// A prompt as it stands, with its newest text.
pub struct Prompt {
    pub name: String,
    pub template: String,
    pub description: String,
    pub tags: Vec<String>,
    /// Names of tools that the text relies on.
    pub tools: Json<Vec<String>>,
    pub version: i32,
    pub is_active: bool,
    pub needs_second_person: bool,
}

pub async fn get(tx: &mut ReadTx, id: PromptId) -> Result<Prompt, AppError> {
    let workspace = tx.workspace_uuid();
    Ok(sqlx::query_as!(
        Prompt,
        r#"select name, template, description, tags, tools as "tools: Json<Vec<String>>", version, is_active, needs_second_person
           from prompts where workspace_id = $1 and id = $2"#,
        workspace,
        id.0
    )
    .fetch_one(tx.conn())
    .await?)
}

/// The same, held against other writers until the commit.
pub(crate) async fn lock(tx: &mut WriteTx, id: PromptId) -> Result<Prompt, AppError> {
    let workspace = tx.workspace_uuid();
    Ok(sqlx::query_as!(
        Prompt,
        r#"select name, template, description, tags, tools as "tools: Json<Vec<String>>", version, is_active, needs_second_person
           from prompts where workspace_id = $1 and id = $2 for no key update"#,
        workspace,
        id.0
    )
    .fetch_one(tx.conn())
    .await?)
}

/// All versions, newest first, without their texts.
pub(crate) async fn versions(tx: &mut ReadTx, id: PromptId) -> Result<Vec<VersionRow>, AppError> {
    let (now, zone, workspace) = (tx.now().await?, tx.scope().zone(), tx.workspace_uuid());
    let rows = sqlx::query!(
        r#"select v.version, v.note, v.labels, v.created_at, u.name as "author?"
           from prompt_versions v left join users u on u.id = v.author_id
           where v.workspace_id = $1 and v.prompt_id = $2 order by v.version desc limit 500"#,
        workspace,
        id.0
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| VersionRow {
            version: row.version,
            note: row.note,
            labels: row.labels,
            author: row.author,
            saved: stamp(row.created_at, now, zone),
        })
        .collect())
}

/// One version's text. Errors: `NotFound`.
pub(crate) async fn version_text(tx: &mut ReadTx, id: PromptId, version: i32) -> Result<String, AppError> {
    let workspace = tx.workspace_uuid();
    Ok(sqlx::query_scalar!(
        "select template from prompt_versions where workspace_id = $1 and prompt_id = $2 and version = $3",
        workspace,
        id.0,
        version
    )
    .fetch_one(tx.conn())
    .await?)
}

/// Number and text of the version that agents say: the one labelled `production`, else the newest. None: there is no such prompt.
pub async fn spoken(tx: &mut ReadTx, id: PromptId) -> Result<Option<(i32, String)>, AppError> {
    let workspace = tx.workspace_uuid();
    let row = sqlx::query!(
        "select version, template from prompt_versions
         where workspace_id = $1 and prompt_id = $2 order by $3 = any(labels) desc, version desc limit 1",
        workspace,
        id.0,
        PRODUCTION
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|row| (row.version, row.template)))
}

/// Name of a prompt and the words of one of its versions. Errors: `NotFound`.
pub async fn words(tx: &mut ReadTx, id: PromptId, version: i32) -> Result<(String, String), AppError> {
    let workspace = tx.workspace_uuid();
    let row = sqlx::query!(
        "select p.name, v.template from prompt_versions v join prompts p on p.workspace_id = $1 and p.id = v.prompt_id
         where v.workspace_id = $1 and v.prompt_id = $2 and v.version = $3",
        workspace,
        id.0,
        version
    )
    .fetch_one(tx.conn())
    .await?;
    Ok((row.name, row.template))
}

/// The words of all versions of these prompts, with when each was saved.
pub(crate) async fn templates(tx: &mut ReadTx, ids: &[uuid::Uuid]) -> Result<Vec<Template>, AppError> {
    Ok(sqlx::query_as!(
        Template,
        "select prompt_id, version, template, created_at from prompt_versions where workspace_id = $1 and prompt_id = any($2)",
        tx.workspace_uuid(),
        ids
    )
    .fetch_all(tx.conn())
    .await?)
}

/// A version's words.
pub(crate) struct Template {
    pub prompt_id: uuid::Uuid,
    pub version: i32,
    pub template: String,
    pub created_at: chrono::DateTime<chrono::Utc>,
}

/// Who saved the newest version, and when.
pub(crate) async fn newest_author(tx: &mut ReadTx, id: PromptId) -> Result<Option<(String, DateTime<Utc>)>, AppError> {
    let workspace = tx.workspace_uuid();
    let row = sqlx::query!(
        r#"select coalesce(u.name, 'Somebody') as "name!", v.created_at
           from prompt_versions v left join users u on u.id = v.author_id
           where v.workspace_id = $1 and v.prompt_id = $2 order by v.version desc limit 1"#,
        workspace,
        id.0
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|row| (row.name, row.created_at)))
}

pub(crate) async fn insert(tx: &mut WriteTx, id: PromptId, text: &PromptText) -> Result<(), AppError> {
    let workspace = tx.workspace_uuid();
    sqlx::query!(
        "insert into prompts (workspace_id, id, name, template, description, tags, tools, version) values ($1, $2, $3, $4, $5, $6, $7, 1)",
        workspace,
        id.0,
        text.name,
        text.template,
        text.description,
        &text.tags,
        Json(&text.tools) as _
    )
    .execute(tx.conn())
    .await?;
    insert_version(tx, id, 1, &text.template, &text.note).await
}

/// Name, description, tags and tools; the text stays.
pub(crate) async fn update_words(tx: &mut WriteTx, id: PromptId, text: &PromptText) -> Result<(), AppError> {
    let workspace = tx.workspace_uuid();
    sqlx::query!(
        "update prompts set name = $3, description = $4, tags = $5, tools = $6, updated_at = now() where workspace_id = $1 and id = $2",
        workspace,
        id.0,
        text.name,
        text.description,
        &text.tags,
        Json(&text.tools) as _
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Makes `template` the newest version, numbered `version`. The caller holds the prompt's lock.
pub(crate) async fn add_version(
    tx: &mut WriteTx,
    id: PromptId,
    version: i32,
    template: &str,
    note: &str,
) -> Result<(), AppError> {
    let workspace = tx.workspace_uuid();
    sqlx::query!(
        "update prompts set template = $3, version = $4, updated_at = now() where workspace_id = $1 and id = $2",
        workspace,
        id.0,
        template,
        version
    )
    .execute(tx.conn())
    .await?;
    insert_version(tx, id, version, template, note).await
}

/// Whether a move of `production` waits for a second person from now on.
pub(crate) async fn set_rule(tx: &mut WriteTx, id: PromptId, needs_second_person: bool) -> Result<(), AppError> {
    let workspace = tx.workspace_uuid();
    sqlx::query!(
        "update prompts set needs_second_person = $3, updated_at = now() where workspace_id = $1 and id = $2",
        workspace,
        id.0,
        needs_second_person
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

pub(crate) async fn set_active(tx: &mut WriteTx, id: PromptId, is_active: bool) -> Result<(), AppError> {
    let workspace = tx.workspace_uuid();
    sqlx::query!(
        "update prompts set is_active = $3, updated_at = now() where workspace_id = $1 and id = $2",
        workspace,
        id.0,
        is_active
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

async fn insert_version(
    tx: &mut WriteTx,
    id: PromptId,
    version: i32,
    template: &str,
    note: &str,
) -> Result<(), AppError> {
    let (workspace, author) = (tx.workspace_uuid(), tx.user_id().map(|user| user.0));
    sqlx::query!(
        "insert into prompt_versions (workspace_id, id, prompt_id, version, template, note, author_id)
         values ($1, $2, $3, $4, $5, $6, $7)",
        workspace,
        uuid::Uuid::now_v7(),
        id.0,
        version,
        template,
        note,
        author
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// `active` unless the address says `inactive` or `all`.
pub(crate) fn wanted_state(state: Option<&str>) -> Option<bool> {
    match state {
        Some("all") => None,
        Some("inactive") => Some(false),
        _ => Some(true),
    }
}
