//! Statements about skills. `attached` has those about the skills of agents, `imports` those about archives that wait.

pub(crate) mod attached;
pub(crate) mod imports;

use std::collections::BTreeMap;

use sqlx::types::Json;

use crate::model::{SkillFile, SkillQuery, SkillRow, SkillText, characters};
use patchbay_access::server::{ReadTx, WriteTx};
use patchbay_shared::ids::SkillId;
use patchbay_shared::search::{filled, like, name_place};
use patchbay_shared::zone::stamp;
use patchbay_shared::{AppError, Cursor, Page, Stamp, read_time_key, time_key};

/// A skill as it is stored.
#[derive(Debug, Clone)]
pub(crate) struct Stored {
    pub id: SkillId,
    pub text: SkillText,
    pub characters: i32,
    pub revision: i32,
    pub is_active: bool,
    pub updated: Stamp,
}

macro_rules! text {
    ($row:expr) => {
        SkillText {
            name: $row.name,
            description: $row.description,
            instructions: $row.instructions,
            category: $row.category,
            license: $row.license,
            metadata: $row.metadata.0,
            references: $row.references.0,
            scripts: $row.scripts.0,
            allowed_tools: $row.allowed_tools,
            tags: $row.tags,
        }
    };
}
pub(crate) use text;

/// Rows of one statement, sorted by one column in one direction.
macro_rules! list_in {
    ($column:tt, $type:tt, $after:tt, $way:tt, $tx:expr, $query:expr, $key:expr, $id:expr, $limit:expr) => {
        sqlx::query!(
            r#"select s.id as "id: SkillId", s.name, s.description, s.category, s.tags, s.characters, s.is_active, s.updated_at,
                      (select count(*) from agent_skills k where k.workspace_id = $1 and k.skill_id = s.id) as "agents!"
               from skills s
               where s.workspace_id = $1
                 and ($2::text is null or s.name ilike $2 or s.description ilike $2 or s.instructions ilike $2)
                 and ($3::text is null or s.category = $3)
                 and ($4::text is null or $4 = any(s.tags))
                 and ($5::boolean is null or s.is_active = $5)
                 and ($6::text is null or ("# + $column + r#", s.id) "# + $after + r#" ($6::text::"# + $type + r#", $7::uuid))
               order by "# + $column + r#" "# + $way + r#", s.id "# + $way + r#" limit $8"#,
            $tx.workspace_uuid(), like($query.words.as_deref()), filled($query.category.as_deref()), filled($query.tag.as_deref()),
            wanted_state($query.state.as_deref()), $key, $id, $limit
        )
    };
}

/// Skills by name, or by when they were changed.
pub(crate) async fn list(tx: &mut ReadTx, query: &SkillQuery, limit: usize) -> Result<Page<SkillRow>, AppError> {
    let (now, zone) = (tx.now().await?, tx.scope().zone());
    let sort = query.sort.as_deref().unwrap_or("name");
    let by_age = sort.ends_with("changed");
    // A key of the other order, from an address that somebody changed, is the first page.
    let cursor = Cursor::parse(query.cursor.as_deref());
    let place = cursor.as_ref().and_then(|cursor| match by_age {
        true => read_time_key(&cursor.key).map(|(at, id)| (at.to_rfc3339(), id)),
        false => name_place(&cursor.key).map(|(name, id)| (name.to_owned(), id)),
    });
    let (key, id) = place.map_or((None, None), |(key, id)| (Some(key), Some(id)));
    let cursor = cursor.filter(|_| key.is_some());
    let backwards = cursor.as_ref().is_some_and(|cursor| !cursor.older);
    let most = limit as i64 + 1;
    macro_rules! rows {
        ($statement:expr) => {
            $statement
                .fetch_all(tx.conn())
                .await?
                .into_iter()
                .map(|row| {
                    let key = match by_age {
                        true => time_key(row.updated_at, row.id.0),
                        false => format!("{}_{}", row.id, row.name),
                    };
                    let shown = SkillRow {
                        id: row.id,
                        name: row.name,
                        description: row.description,
                        category: row.category,
                        tags: row.tags,
                        characters: row.characters,
                        agents: row.agents,
                        is_active: row.is_active,
                        updated: stamp(row.updated_at, now, zone),
                    };
                    (shown, key)
                })
                .collect()
        };
    }
    let rows: Vec<(SkillRow, String)> = match (by_age, sort.starts_with('-') != backwards) {
        (true, false) => rows!(list_in!("s.updated_at", "timestamptz", ">", "asc", tx, query, key, id, most)),
        (true, true) => rows!(list_in!("s.updated_at", "timestamptz", "<", "desc", tx, query, key, id, most)),
        (false, false) => rows!(list_in!("s.name", "text", ">", "asc", tx, query, key, id, most)),
        (false, true) => rows!(list_in!("s.name", "text", "<", "desc", tx, query, key, id, most)),
    };
    Ok(Page::cut(rows, limit, cursor.as_ref(), |(_, key)| key.clone()).map(|(row, _)| row))
}

/// `None` shows skills in every state.
fn wanted_state(word: Option<&str>) -> Option<bool> {
    match word {
        Some("all") => None,
        Some("inactive") => Some(false),
        _ => Some(true),
    }
}

/// Categories in use, for the filter.
pub(crate) async fn categories(tx: &mut ReadTx) -> Result<Vec<String>, AppError> {
    Ok(sqlx::query_scalar!(
        "select distinct category from skills where workspace_id = $1 and category <> '' order by 1 limit 200",
        tx.workspace_uuid()
    )
    .fetch_all(tx.conn())
    .await?)
}

/// Tags in use, for the filter.
pub(crate) async fn tags(tx: &mut ReadTx) -> Result<Vec<String>, AppError> {
    Ok(sqlx::query_scalar!(
        r#"select distinct unnest(tags) as "tag!" from skills where workspace_id = $1 order by 1 limit 200"#,
        tx.workspace_uuid()
    )
    .fetch_all(tx.conn())
    .await?)
}

pub(crate) async fn count(tx: &mut ReadTx) -> Result<i64, AppError> {
    Ok(sqlx::query_scalar!(r#"select count(*) as "count!" from skills where workspace_id = $1"#, tx.workspace_uuid())
        .fetch_one(tx.conn())
        .await?)
}

/// Errors: `NotFound`.
pub(crate) async fn get(tx: &mut ReadTx, id: SkillId) -> Result<Stored, AppError> {
    let (now, zone) = (tx.now().await?, tx.scope().zone());
    let row = sqlx::query!(
        r#"select name, description, instructions, category, license, metadata as "metadata: Json<BTreeMap<String, String>>",
                  "references" as "references: Json<Vec<SkillFile>>", scripts as "scripts: Json<Vec<SkillFile>>", allowed_tools, tags,
                  characters, revision, is_active, updated_at
           from skills where workspace_id = $1 and id = $2"#,
        tx.workspace_uuid(),
        id.0
    )
    .fetch_one(tx.conn())
    .await?;
    let (characters, revision, is_active) = (row.characters, row.revision, row.is_active);
    let updated = stamp(row.updated_at, now, zone);
    Ok(Stored { id, text: text!(row), characters, revision, is_active, updated })
}

/// Which of these skills are deactivated.
pub(crate) async fn inactive(tx: &mut ReadTx, skills: &[SkillId]) -> Result<Vec<SkillId>, AppError> {
    let ids: Vec<uuid::Uuid> = skills.iter().map(|id| id.0).collect();
    Ok(sqlx::query_scalar!(
        r#"select id as "id: SkillId" from skills where workspace_id = $1 and id = any($2) and not is_active"#,
        tx.workspace_uuid(),
        &ids
    )
    .fetch_all(tx.conn())
    .await?)
}

/// Holds a skill against other writers until the commit. Errors: `NotFound`.
pub(crate) async fn lock(tx: &mut WriteTx, id: SkillId) -> Result<(), AppError> {
    sqlx::query!(
        "select id from skills where workspace_id = $1 and id = $2 for no key update",
        tx.workspace_uuid(),
        id.0
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(())
}

/// Holds the skills of these names, in a fixed order, and says which there are.
pub(crate) async fn lock_named(tx: &mut WriteTx, names: &[String]) -> Result<Vec<SkillId>, AppError> {
    Ok(sqlx::query_scalar!(
        r#"select id as "id: SkillId" from skills where workspace_id = $1 and name = any($2) order by id for no key update"#,
        tx.workspace_uuid(),
        names
    )
    .fetch_all(tx.conn())
    .await?)
}

/// The skills of these names.
pub(crate) async fn named(tx: &mut ReadTx, names: &[String]) -> Result<Vec<Stored>, AppError> {
    let (now, zone) = (tx.now().await?, tx.scope().zone());
    let rows = sqlx::query!(
        r#"select id as "id: SkillId", name, description, instructions, category, license,
                  metadata as "metadata: Json<BTreeMap<String, String>>", "references" as "references: Json<Vec<SkillFile>>",
                  scripts as "scripts: Json<Vec<SkillFile>>", allowed_tools, tags, characters, revision, is_active, updated_at
           from skills where workspace_id = $1 and name = any($2) order by name"#,
        tx.workspace_uuid(),
        names
    )
    .fetch_all(tx.conn())
    .await?;
    let stored = rows.into_iter().map(|row| Stored {
        id: row.id,
        characters: row.characters,
        revision: row.revision,
        is_active: row.is_active,
        updated: stamp(row.updated_at, now, zone),
        text: text!(row),
    });
    Ok(stored.collect())
}

pub(crate) async fn insert(tx: &mut WriteTx, id: SkillId, text: &SkillText) -> Result<(), AppError> {
    sqlx::query!(
        r#"insert into skills (workspace_id, id, name, description, instructions, category, license, metadata, "references", scripts,
             allowed_tools, tags, characters)
           values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)"#,
        tx.workspace_uuid(),
        id.0,
        text.name,
        text.description,
        text.instructions,
        text.category,
        text.license,
        Json(&text.metadata) as _,
        Json(&text.references) as _,
        Json(&text.scripts) as _,
        &text.allowed_tools,
        &text.tags,
        characters(text) as i32
    )
    .execute(tx.conn())
    .await
    .map_err(same_name)?;
    Ok(())
}

pub(crate) async fn update(tx: &mut WriteTx, id: SkillId, text: &SkillText) -> Result<(), AppError> {
    sqlx::query!(
        r#"update skills set name = $3, description = $4, instructions = $5, category = $6, license = $7, metadata = $8,
             "references" = $9, scripts = $10, allowed_tools = $11, tags = $12, characters = $13, revision = revision + 1,
             updated_at = now()
           where workspace_id = $1 and id = $2"#,
        tx.workspace_uuid(),
        id.0,
        text.name,
        text.description,
        text.instructions,
        text.category,
        text.license,
        Json(&text.metadata) as _,
        Json(&text.references) as _,
        Json(&text.scripts) as _,
        &text.allowed_tools,
        &text.tags,
        characters(text) as i32
    )
    .execute(tx.conn())
    .await
    .map_err(same_name)?;
    Ok(())
}

pub(crate) async fn set_active(tx: &mut WriteTx, id: SkillId, on: bool) -> Result<(), AppError> {
    sqlx::query!(
        "update skills set is_active = $3, updated_at = now() where workspace_id = $1 and id = $2",
        tx.workspace_uuid(),
        id.0,
        on
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

fn same_name(error: sqlx::Error) -> AppError {
    let constraint = error.as_database_error().and_then(|error| error.constraint());
    if constraint == Some("skills_name") {
        return AppError::invalid(
            "name",
            "There is already a skill of this name, maybe a deactivated one. Choose another name.",
        );
    }
    error.into()
}
