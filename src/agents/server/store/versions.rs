//! Statements about drafts and published versions of agents.

use chrono::{DateTime, Utc};
use sqlx::types::Json;
use uuid::Uuid;

use crate::model::{AgentSettings, VersionQuery};
use patchbay_access::server::{ReadTx, WriteTx};
use patchbay_shared::AppError;
use patchbay_shared::ids::AgentId;
use patchbay_shared::search::like;

/// Changes that are not published.
pub(crate) struct Draft {
    pub settings: Json<AgentSettings>,
    pub revision: i32,
    pub author: Option<String>,
    pub updated_at: DateTime<Utc>,
}

pub(crate) async fn draft(tx: &mut ReadTx, agent: AgentId) -> Result<Option<Draft>, AppError> {
    let workspace = tx.workspace_uuid();
    Ok(sqlx::query_as!(
        Draft,
        r#"select d.settings as "settings: Json<AgentSettings>", d.revision, u.name as "author?", d.updated_at
           from agent_drafts d left join users u on u.id = d.author_id
           where d.workspace_id = $1 and d.agent_id = $2"#,
        workspace,
        agent.0
    )
    .fetch_optional(tx.conn())
    .await?)
}

/// Puts this in the draft's place. Revisions go on counting from what the page showed, whoever saved last.
pub(crate) async fn save_draft(
    tx: &mut WriteTx,
    agent: AgentId,
    settings: &AgentSettings,
    author: Option<Uuid>,
) -> Result<(), AppError> {
    let workspace = tx.workspace_uuid();
    sqlx::query!(
        "insert into agent_drafts (workspace_id, agent_id, settings, author_id) values ($1, $2, $3, $4)
         on conflict (workspace_id, agent_id)
         do update set settings = excluded.settings, author_id = excluded.author_id, revision = agent_drafts.revision + 1,
                       updated_at = now()",
        workspace,
        agent.0,
        Json(settings) as _,
        author
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

pub(crate) async fn remove_draft(tx: &mut WriteTx, agent: AgentId) -> Result<(), AppError> {
    let workspace = tx.workspace_uuid();
    sqlx::query!("delete from agent_drafts where workspace_id = $1 and agent_id = $2", workspace, agent.0)
        .execute(tx.conn())
        .await?;
    Ok(())
}

/// Keeps what was published.
pub(crate) async fn insert(
    tx: &mut WriteTx,
    agent: AgentId,
    version: i32,
    settings: &AgentSettings,
    note: &str,
    author: Option<Uuid>,
) -> Result<(), AppError> {
    let workspace = tx.workspace_uuid();
    sqlx::query!(
        "insert into agent_versions (workspace_id, agent_id, version, settings, note, author_id) values ($1, $2, $3, $4, $5, $6)",
        workspace,
        agent.0,
        version,
        Json(settings) as _,
        note,
        author
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Errors: `NotFound`.
pub(crate) async fn settings(tx: &mut ReadTx, agent: AgentId, version: i32) -> Result<AgentSettings, AppError> {
    let workspace = tx.workspace_uuid();
    let found = sqlx::query_scalar!(
        r#"select settings as "settings: Json<AgentSettings>" from agent_versions
           where workspace_id = $1 and agent_id = $2 and version = $3"#,
        workspace,
        agent.0,
        version
    );
    Ok(found.fetch_one(tx.conn()).await?.0)
}

/// A version, and the one before it.
pub(crate) struct Version {
    pub version: i32,
    pub note: String,
    pub author: Option<String>,
    pub created_at: DateTime<Utc>,
    pub settings: Json<AgentSettings>,
    pub before: Option<Json<AgentSettings>>,
}

/// Rows of one statement in one direction of the list; the two directions differ in two words only.
macro_rules! list_in {
    ($after:tt, $way:tt, $tx:expr, $agent:expr, $words:expr, $from:expr, $limit:expr) => {
        sqlx::query_as!(
            Version,
            r#"select v.version, v.note, u.name as "author?", v.created_at, v.settings as "settings: Json<AgentSettings>",
                      b.settings as "before?: Json<AgentSettings>"
               from agent_versions v
               left join agent_versions b on b.workspace_id = $1 and b.agent_id = v.agent_id and b.version = v.version - 1
               left join users u on u.id = v.author_id
               where v.workspace_id = $1 and v.agent_id = $2 and ($3::text is null or v.note ilike $3)
                 and ($4::int is null or v.version "# + $after + r#" $4)
               order by v.version "# + $way + r#" limit $5"#,
            $tx.workspace_uuid(),
            $agent,
            $words,
            $from,
            $limit
        )
    };
}

/// The versions, the newest first or the oldest; `ascending`: in the order of their numbers, from behind `from`.
pub(crate) async fn list(
    tx: &mut ReadTx,
    agent: AgentId,
    query: &VersionQuery,
    ascending: bool,
    from: Option<i32>,
    most: i64,
) -> Result<Vec<Version>, AppError> {
    let words = like(query.words.as_deref());
    Ok(match ascending {
        true => list_in!(">", "asc", tx, agent.0, words, from, most).fetch_all(tx.conn()).await?,
        false => list_in!("<", "desc", tx, agent.0, words, from, most).fetch_all(tx.conn()).await?,
    })
}
