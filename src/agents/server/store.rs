//! Statements about agents. `mappings` has those about their copies at the voice service, `versions` those about drafts and what was
//! published.

pub(crate) mod mappings;
pub(crate) mod templates;
pub(crate) mod versions;

use chrono::{DateTime, Utc};
use sqlx::types::Json;
use uuid::Uuid;

use crate::model::{
    AgentCampaigns, AgentConfig, AgentNumber, AgentQuery, AgentRow, AgentSettings, AgentStatus, ClientChoice, Names,
    SyncState, TemplateMark,
};
use patchbay_access::Field;
use patchbay_access::server::{ReadTx, WriteTx};
use patchbay_shared::ids::{AgentId, AgentTemplateId, ClientId, NumberId, PromptId};
use patchbay_shared::search::{filled, like, name_place};
use patchbay_shared::zone::stamp;
use patchbay_shared::{AppError, Cursor, Page};

/// Rows of one statement in one direction of the list; the two directions differ in two words only.
macro_rules! list_in {
    ($after:tt, $way:tt, $tx:expr, $query:expr, $wanted:expr, $language:expr, $name:expr, $id:expr, $limit:expr, $sees:expr, $template:expr) => {
        sqlx::query!(
            r#"select a.id, a.name, a.status as "status: AgentStatus", a.is_active, a.language, a.llm_model, a.tags, a.updated_at,
                      c.name as "client?", p.name as "prompt?",
                      coalesce((select v.version from prompt_versions v where v.workspace_id = $1 and v.prompt_id = a.prompt_service_id
                                and 'production' = any(v.labels)), p.version) as prompt_version,
                      a.deleted_at is not null as "is_deleted!",
                      exists (select from agent_drafts d where d.workspace_id = $1 and d.agent_id = a.id) as "has_draft!",
                      m.mappings as "mappings!", m.failing as "failing!", m.waiting as "waiting!", m.differing as "differing!"
               from agents a
               left join clients c on c.workspace_id = $1 and c.id = a.client_id
               left join prompts p on p.workspace_id = $1 and p.id = a.prompt_service_id
               cross join lateral (
                 select count(*) as mappings, count(*) filter (where m.sync_error is not null) as failing,
                        count(*) filter (where m.provider_agent_id is null or m.synced_at is null or m.synced_at < a.updated_at) as waiting,
                        count(*) filter (where m.drift is not null) as differing
                 from agent_mappings m where m.workspace_id = $1 and m.agent_id = a.id
                   and (a.client_id is null or m.client_id = a.client_id)
               ) m
               where a.workspace_id = $1
                 and ($2::text is null or a.name ilike $2 or ($9 and a.description ilike $2))
                 and a.is_active = ($3::text is null or $3 not in ('inactive', 'deleted'))
                 and (a.deleted_at is not null) = ($3::text is not null and $3 = 'deleted')
                 and ($3::text is null or $3 in ('inactive', 'deleted') or a.status::text = $3)
                 and ($4::uuid is null or a.client_id is null or a.client_id = $4)
                 and ($5::text is null or a.language = $5)
                 and ($10::uuid is null or a.template_id = $10)
                 and ($6::text is null or (a.name, a.id) "# + $after + r#" ($6, $7::uuid))
               order by a.name "# + $way + r#", a.id "# + $way + r#" limit $8"#,
            $tx.workspace_uuid(), like($query.words.as_deref()), filled($query.status.as_deref()), $wanted, $language,
            $name, $id, $limit, $sees, $template
        )
    };
}

/// Agents by name. `limit` rows on a page.
pub async fn list(tx: &mut ReadTx, query: &AgentQuery, limit: usize) -> Result<Page<AgentRow>, AppError> {
    let (now, zone) = (tx.now().await?, tx.scope().zone());
    let cursor = Cursor::parse(query.cursor.as_deref());
    let place = cursor.as_ref().and_then(|cursor| name_place(&cursor.key));
    let (name, id) = place.map_or((None, None), |(name, id)| (Some(name), Some(id)));
    let wanted: Option<Uuid> =
        filled(query.client.as_deref()).map(|id| id.parse::<ClientId>()).transpose()?.map(|id| id.0);
    let most = limit as i64 + 1;
    // What is not shown is not searched either.
    let sees = tx.scope().sees(Field::AgentMakeup);
    let language = filled(query.language.as_deref()).filter(|_| sees);
    let template = filled(query.template.as_deref()).filter(|_| sees);
    let template = template.map(|id| id.parse::<AgentTemplateId>()).transpose()?.map(|id| id.0);
    // The two statements' rows are of two types, so each is turned into the page's row at once.
    macro_rules! row {
        ($row:expr) => {{
            let row = $row;
            AgentRow {
                id: AgentId(row.id),
                name: row.name,
                status: row.status,
                is_active: row.is_active,
                is_deleted: row.is_deleted,
                client: row.client,
                language: row.language,
                llm_model: row.llm_model,
                prompt: row.prompt,
                prompt_version: row.prompt_version,
                sync: match (row.mappings, row.failing, row.waiting, row.differing) {
                    (0, ..) => SyncState::Nothing,
                    (_, 1.., ..) => SyncState::Failing,
                    // Without a prompt nothing is sent.
                    (_, _, 1.., _) if row.prompt_version.is_none() => SyncState::Nothing,
                    (.., 1..) => SyncState::Differs,
                    (_, _, 1.., _) => SyncState::Waiting,
                    _ => SyncState::Synced,
                },
                has_draft: row.has_draft,
                tags: row.tags,
                updated: stamp(row.updated_at, now, zone),
            }
        }};
    }
    let mut rows: Vec<AgentRow> = if cursor.as_ref().is_some_and(|cursor| !cursor.older) {
        let found = list_in!("<", "desc", tx, query, wanted, language, name, id, most, sees, template)
            .fetch_all(tx.conn())
            .await?;
        found.into_iter().map(|row| row!(row)).collect()
    } else {
        let found = list_in!(">", "asc", tx, query, wanted, language, name, id, most, sees, template)
            .fetch_all(tx.conn())
            .await?;
        found.into_iter().map(|row| row!(row)).collect()
    };
    if !sees {
        for row in &mut rows {
            row.language.clear();
            row.llm_model.clear();
            row.tags.clear();
            (row.prompt, row.prompt_version, row.sync, row.has_draft) = (None, None, SyncState::Nothing, false);
        }
    }
    Ok(Page::cut(rows, limit, cursor.as_ref().filter(|_| name.is_some()), |row| format!("{}_{}", row.id, row.name)))
}

/// An agent as it is published.
pub(crate) struct Agent {
    pub name: String,
    pub description: String,
    pub status: AgentStatus,
    pub is_active: bool,
    pub is_deleted: bool,
    pub version: i32,
    pub client_id: Option<Uuid>,
    pub client: Option<String>,
    pub language: String,
    pub llm_model: String,
    pub prompt_service_id: Option<Uuid>,
    pub tags: Vec<String>,
    pub config: Json<AgentConfig>,
    pub direction: crate::model::CallDirection,
    pub updated_at: DateTime<Utc>,
    pub template_id: Option<Uuid>,
    pub template_version: Option<i32>,
    pub template_left_out: Vec<String>,
}

impl Agent {
    pub fn settings(&self) -> AgentSettings {
        AgentSettings {
            name: self.name.clone(),
            description: self.description.clone(),
            client_id: self.client_id.map(ClientId),
            language: self.language.clone(),
            llm_model: self.llm_model.clone(),
            prompt_id: self.prompt_service_id.map(PromptId),
            direction: self.direction,
            tags: self.tags.clone(),
            config: self.config.0.clone(),
            template: self
                .template_id
                .zip(self.template_version)
                .map(|(id, version)| TemplateMark { id: AgentTemplateId(id), version }),
        }
    }
}

pub(crate) async fn get(tx: &mut ReadTx, id: AgentId) -> Result<Agent, AppError> {
    let workspace = tx.workspace_uuid();
    Ok(sqlx::query_as!(
        Agent,
        r#"select a.name, a.description, a.status as "status: AgentStatus", a.is_active, a.deleted_at is not null as "is_deleted!",
                  a.version, a.client_id, c.name as "client?", a.language,
                  a.llm_model, a.prompt_service_id, a.tags, a.config as "config: Json<AgentConfig>", a.updated_at, a.template_id,
                  a.template_version, a.template_left_out,
                  coalesce((select m.default_direction from agent_mappings m where m.workspace_id = $1 and m.agent_id = a.id
                            order by m.id limit 1), 'outbound') as "direction!: crate::model::CallDirection"
           from agents a left join clients c on c.workspace_id = $1 and c.id = a.client_id
           where a.workspace_id = $1 and a.id = $2"#,
        workspace,
        id.0
    )
    .fetch_one(tx.conn())
    .await?)
}

/// Holds an agent against other writers until the commit. Errors: `NotFound`.
pub(crate) async fn lock(tx: &mut WriteTx, id: AgentId) -> Result<(), AppError> {
    let workspace = tx.workspace_uuid();
    sqlx::query!("select id from agents where workspace_id = $1 and id = $2 for no key update", workspace, id.0)
        .fetch_one(tx.conn())
        .await?;
    Ok(())
}

/// Whether the agency works for this client.
pub async fn has_client(tx: &mut ReadTx, client: ClientId) -> Result<bool, AppError> {
    Ok(sqlx::query_scalar!(
        r#"select exists (select from clients where workspace_id = $1 and id = $2 and status = 'active') as "exists!""#,
        tx.workspace_uuid(),
        client.0
    )
    .fetch_one(tx.conn())
    .await?)
}

/// Active clients for pickers (their own table: read for names only).
pub async fn clients(tx: &mut ReadTx) -> Result<Vec<ClientChoice>, AppError> {
    let workspace = tx.workspace_uuid();
    let rows = sqlx::query!(
        "select id, name from clients where workspace_id = $1 and status = 'active' order by name, id",
        workspace
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(|row| ClientChoice { id: ClientId(row.id), name: row.name }).collect())
}

/// The numbers that are assigned to an agent (their own table: read for display only).
pub(crate) async fn numbers(tx: &mut ReadTx, id: AgentId) -> Result<Vec<AgentNumber>, AppError> {
    let workspace = tx.workspace_uuid();
    let rows = sqlx::query!(
        "select id, number from agency_phone_numbers
         where workspace_id = $1 and agent_id = $2 and status in ('active', 'pending', 'inactive') order by number",
        workspace,
        id.0
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(|row| AgentNumber { id: NumberId(row.id), number: row.number }).collect())
}

/// The campaigns that an agent calls for, and their open batches (tables of others: read for display only).
pub(crate) async fn campaigns(tx: &mut ReadTx, id: AgentId) -> Result<AgentCampaigns, AppError> {
    let workspace = tx.workspace_uuid();
    let newest = sqlx::query!(
        r#"select id, name, status::text as "status!", count(*) over () as "all!" from campaigns
           where workspace_id = $1 and agent_id = $2 and status <> 'archived' order by id desc limit 5"#,
        workspace,
        id.0
    )
    .fetch_all(tx.conn())
    .await?;
    let batches = sqlx::query!(
        "select b.id, b.name from call_batches b join campaigns c on c.workspace_id = $1 and c.id = b.campaign_id
         where b.workspace_id = $1 and c.agent_id = $2 and b.status in ('pending', 'scheduled', 'processing', 'paused')
         order by b.id desc limit 20",
        workspace,
        id.0
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(AgentCampaigns {
        count: newest.first().map_or(0, |row| row.all),
        newest: newest.into_iter().map(|row| (row.id.to_string(), row.name, row.status)).collect(),
        open_batches: batches.into_iter().map(|row| (row.id.to_string(), row.name)).collect(),
    })
}

/// Names of what these settings hold by id (tables of others: read for names only).
pub(crate) async fn names(tx: &mut ReadTx, settings: &[&AgentSettings]) -> Result<Names, AppError> {
    let workspace = tx.workspace_uuid();
    let clients: Vec<Uuid> = settings.iter().filter_map(|settings| settings.client_id.map(|id| id.0)).collect();
    let prompts: Vec<Uuid> = settings.iter().filter_map(|settings| settings.prompt_id.map(|id| id.0)).collect();
    let clients =
        sqlx::query!("select id, name from clients where workspace_id = $1 and id = any($2)", workspace, &clients)
            .fetch_all(tx.conn())
            .await?;
    let prompts =
        sqlx::query!("select id, name from prompts where workspace_id = $1 and id = any($2)", workspace, &prompts)
            .fetch_all(tx.conn())
            .await?;
    Ok(Names {
        clients: clients.into_iter().map(|row| (ClientId(row.id), row.name)).collect(),
        prompts: prompts.into_iter().map(|row| (PromptId(row.id), row.name)).collect(),
    })
}

pub(crate) async fn insert(tx: &mut WriteTx, id: AgentId, settings: &AgentSettings) -> Result<(), AppError> {
    let workspace = tx.workspace_uuid();
    sqlx::query!(
        "insert into agents (workspace_id, id, client_id, name, description, language, llm_model, prompt_service_id, tags, config,
                             template_id, template_version)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
        workspace,
        id.0,
        settings.client_id.map(|id| id.0),
        settings.name,
        settings.description,
        settings.language,
        settings.llm_model,
        settings.prompt_id.map(|id| id.0),
        &settings.tags,
        Json(&settings.config) as _,
        settings.template.map(|template| template.id.0),
        settings.template.map(|template| template.version),
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Publishes settings: calls use them from now on. Gives the new version's number.
pub(crate) async fn publish(tx: &mut WriteTx, id: AgentId, settings: &AgentSettings) -> Result<i32, AppError> {
    let workspace = tx.workspace_uuid();
    Ok(sqlx::query_scalar!(
        "update agents set client_id = $3, name = $4, description = $5, language = $6, llm_model = $7, prompt_service_id = $8,
                tags = $9, config = $10, template_id = $11, template_version = $12, version = version + 1
         where workspace_id = $1 and id = $2 returning version",
        workspace,
        id.0,
        settings.client_id.map(|id| id.0),
        settings.name,
        settings.description,
        settings.language,
        settings.llm_model,
        settings.prompt_id.map(|id| id.0),
        &settings.tags,
        Json(&settings.config) as _,
        settings.template.map(|template| template.id.0),
        settings.template.map(|template| template.version),
    )
    .fetch_one(tx.conn())
    .await?)
}

/// Says that the voice service's copies are out of date. Returns the new state's mark, which no earlier state has: the clock of
/// the statement, under the row's lock, and at least a microsecond after the former one.
pub(crate) async fn touch(tx: &mut WriteTx, id: AgentId) -> Result<DateTime<Utc>, AppError> {
    let workspace = tx.workspace_uuid();
    Ok(sqlx::query_scalar!(
        "update agents set updated_at = greatest(clock_timestamp(), updated_at + interval '1 microsecond')
         where workspace_id = $1 and id = $2 returning updated_at",
        workspace,
        id.0
    )
    .fetch_one(tx.conn())
    .await?)
}

pub(crate) async fn set_status(tx: &mut WriteTx, id: AgentId, status: AgentStatus) -> Result<(), AppError> {
    let workspace = tx.workspace_uuid();
    sqlx::query!(
        "update agents set status = $3 where workspace_id = $1 and id = $2",
        workspace,
        id.0,
        status as AgentStatus
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// A deactivated agent is paused, so that it does not call at once when it comes back.
pub(crate) async fn set_active(tx: &mut WriteTx, id: AgentId, is_active: bool) -> Result<(), AppError> {
    let workspace = tx.workspace_uuid();
    sqlx::query!(
        "update agents set is_active = $3, status = case when status = 'active' then 'paused' else status end
         where workspace_id = $1 and id = $2",
        workspace,
        id.0,
        is_active
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Deleted for good: the row stays for its calls.
pub(crate) async fn set_deleted(tx: &mut WriteTx, id: AgentId) -> Result<(), AppError> {
    let workspace = tx.workspace_uuid();
    sqlx::query!(
        "update agents set deleted_at = now(), is_active = false, status = case when status = 'active' then 'paused' else status end
         where workspace_id = $1 and id = $2",
        workspace,
        id.0
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Running campaigns that dial with an agent (their own table: read for their names only).
pub(crate) async fn running_campaigns(tx: &mut ReadTx, id: AgentId) -> Result<Vec<String>, AppError> {
    let workspace = tx.workspace_uuid();
    Ok(sqlx::query_scalar!(
        "select name from campaigns where workspace_id = $1 and agent_id = $2 and status = 'active' order by name limit 5",
        workspace,
        id.0
    )
    .fetch_all(tx.conn())
    .await?)
}

/// Agents that use a prompt, or all of them.
pub(crate) async fn ids(tx: &mut ReadTx, prompt: Option<PromptId>) -> Result<Vec<AgentId>, AppError> {
    let workspace = tx.workspace_uuid();
    let ids = sqlx::query_scalar!(
        "select id from agents where workspace_id = $1 and is_active and ($2::uuid is null or prompt_service_id = $2) order by id",
        workspace,
        prompt.map(|id| id.0)
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(ids.into_iter().map(AgentId).collect())
}

/// Agents that were not deactivated.
pub async fn count(tx: &mut ReadTx) -> Result<i64, AppError> {
    let w = tx.workspace_uuid();
    let count =
        sqlx::query_scalar!(r#"select count(*) as "count!" from agents where workspace_id = $1 and is_active"#, w);
    Ok(count.fetch_one(tx.conn()).await?)
}
