//! All statements that change `campaigns`.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use sqlx::types::Json;

use crate::{
    Bounded, CallingWindow, Campaign, CampaignBatch, CampaignQuery, CampaignRow, CampaignStatus, CampaignTerms,
    CampaignType,
};
use patchbay_access::server::{ReadTx, WriteTx};
use patchbay_dialling::model::BatchStatus;
use patchbay_shared::ids::{AgentId, BatchId, CampaignId, ClientId, IntegrationId, NumberId};
use patchbay_shared::{AppError, Cursor, Page, zone};

pub mod choices;
pub(crate) mod members;

/// Rows on one page of a list.
pub(crate) const PAGE: usize = 25;
/// How far the list counts contacts.
const LIST_BOUND: i64 = 1_000;

/// One campaign with everything the dialler needs. Errors: `NotFound`.
pub async fn get(tx: &mut ReadTx, id: CampaignId) -> Result<Campaign, AppError> {
    let row = sqlx::query!(
        r#"select c.name, c.type as "kind: CampaignType", c.status as "status: CampaignStatus", c.client_id as "client_id: ClientId",
                  cl.name as client_name, cl.timezone as client_timezone, c.agent_id as "agent_id: AgentId", a.name as "agent_name?",
                  c.number_id as "number_id: NumberId", n.number as "from_number?",
                  n.provider as "from_carrier?", n.integration_id as "from_account?: IntegrationId",
                  coalesce(n.status = 'active', false) as "number_is_active!",
                  coalesce(n.client_id is null or n.client_id = c.client_id, false) as "number_is_ours!",
                  cl.status = 'active' as "client_is_active!", c.goal,
                  c.variables as "variables: Json<BTreeMap<String, String>>",
                  c.calling_window as "calling_window: Json<CallingWindow>", c.max_attempts, c.retry_minutes
           from campaigns c
           join clients cl on cl.workspace_id = $1 and cl.id = c.client_id
           left join agents a on a.workspace_id = $1 and a.id = c.agent_id
           left join agency_phone_numbers n on n.workspace_id = $1 and n.id = c.number_id
           where c.workspace_id = $1 and c.id = $2"#,
        tx.workspace_uuid(),
        id.0
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(Campaign {
        id,
        name: row.name,
        kind: row.kind,
        status: row.status,
        client_id: row.client_id,
        client_name: row.client_name,
        client_timezone: row.client_timezone,
        agent_id: row.agent_id,
        agent_name: row.agent_name,
        number_id: row.number_id,
        from_number: row.from_number,
        from_account: row.from_carrier.zip(row.from_account),
        number_is_active: row.number_is_active,
        number_is_ours: row.number_is_ours,
        client_is_active: row.client_is_active,
        goal: row.goal,
        variables: row.variables.0,
        calling_window: row.calling_window.0,
        max_attempts: row.max_attempts,
        retry_minutes: row.retry_minutes,
    })
}

/// Whether calls may go out for the campaign now, by this agent and from this number. Until the commit nobody archives the client, gives
/// the number away, or switches off what the call needs. Called right before calls or a batch are written
/// down. As everywhere, the rows are locked before the audit log is.
pub async fn hold_to_dial(tx: &mut WriteTx, campaign: &Campaign) -> Result<bool, AppError> {
    let holds = sqlx::query_scalar!(
        r#"select c.status = 'active' and c.agent_id = $3 and c.number_id = $4 and cl.status = 'active'
                  and n.status = 'active' and (n.client_id is null or n.client_id = c.client_id)
                  and a.is_active and a.status = 'active' and (a.client_id is null or a.client_id = c.client_id) as "holds!"
           from campaigns c
           join clients cl on cl.workspace_id = $1 and cl.id = c.client_id
           join agency_phone_numbers n on n.workspace_id = $1 and n.id = c.number_id
           join agents a on a.workspace_id = $1 and a.id = c.agent_id
           where c.workspace_id = $1 and c.id = $2
           for share of c, cl, n, a"#,
        tx.workspace_uuid(),
        campaign.id.0,
        campaign.agent_id.0,
        campaign.number_id.0,
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(holds == Some(true))
}

/// When it was created and last changed.
pub(crate) async fn times(tx: &mut ReadTx, id: CampaignId) -> Result<(DateTime<Utc>, DateTime<Utc>), AppError> {
    let row = sqlx::query!(
        "select created_at, updated_at from campaigns where workspace_id = $1 and id = $2",
        tx.workspace_uuid(),
        id.0
    )
    .fetch_one(tx.conn())
    .await?;
    Ok((row.created_at, row.updated_at))
}

/// The list, newest first, `limit` rows on a page. Archived campaigns only when asked for.
pub async fn list(tx: &mut ReadTx, query: &CampaignQuery, limit: usize) -> Result<Page<CampaignRow>, AppError> {
    let cursor = Cursor::parse(query.cursor.as_deref());
    let key: Option<uuid::Uuid> = cursor.as_ref().and_then(|cursor| cursor.key.parse().ok());
    let (older, newer) = if cursor.as_ref().is_some_and(|cursor| !cursor.older) { (None, key) } else { (key, None) };
    let client = tx.scope().client_id().or(query.client.as_deref().and_then(|id| id.parse().ok()));
    let status = query.status.as_deref().and_then(|word| word.parse::<CampaignStatus>().ok());
    let words = query.q.as_deref().map(str::trim).filter(|words| !words.is_empty());
    // A workspace has at most some thousands of campaigns, so one statement may read in both directions.
    let rows = sqlx::query!(
        r#"select c.id as "id: CampaignId", c.name, c.type as "kind: CampaignType", c.status as "status: CampaignStatus",
                  cl.name as client_name, a.name as "agent_name?", n.number as "from_number?", c.created_at,
                  (select count(*) from (select from campaign_contacts m where m.workspace_id = $1 and m.campaign_id = c.id
                                         limit $7::bigint + 1) counted) as "contacts!",
                  (select count(*) from (select from campaign_contacts m where m.workspace_id = $1 and m.campaign_id = c.id
                                         and m.status = 'pending' limit $7::bigint + 1) counted) as "waiting!"
           from (
             select * from campaigns c
             where c.workspace_id = $1 and ($2::uuid is null or c.client_id = $2)
               and (case when $3::text is null then c.status <> 'archived' else c.status::text = $3 end)
               and ($4::text is null or position(lower($4) in lower(c.name)) > 0)
               and ($5::uuid is null or c.id < $5) and ($6::uuid is null or c.id > $6) and ($9::uuid is null or c.agent_id = $9)
             order by (case when $6::uuid is null then c.id end) desc, c.id asc limit $8
           ) c
           join clients cl on cl.workspace_id = $1 and cl.id = c.client_id
           left join agents a on a.workspace_id = $1 and a.id = c.agent_id
           left join agency_phone_numbers n on n.workspace_id = $1 and n.id = c.number_id
           order by (case when $6::uuid is null then c.id end) desc, c.id asc"#,
        tx.workspace_uuid(),
        client.map(|id: ClientId| id.0),
        status.map(CampaignStatus::as_str),
        words,
        older,
        newer,
        LIST_BOUND,
        limit as i64 + 1,
        query.agent.as_deref().and_then(|id| id.parse::<uuid::Uuid>().ok()),
    )
    .fetch_all(tx.conn())
    .await?;
    let (now, zone_of_viewer) = (Utc::now(), tx.scope().zone());
    let rows: Vec<CampaignRow> = rows
        .into_iter()
        .map(|row| CampaignRow {
            id: row.id,
            name: row.name,
            kind: row.kind,
            status: row.status,
            client_name: row.client_name,
            agent_name: row.agent_name,
            from_number: row.from_number,
            contacts: Bounded::at(row.contacts, LIST_BOUND),
            waiting: Bounded::at(row.waiting, LIST_BOUND),
            created: zone::stamp(row.created_at, now, zone_of_viewer),
        })
        .collect();
    Ok(Page::cut(rows, limit, cursor.as_ref().filter(|_| key.is_some()), |row| row.id.to_string()))
}

/// Writes a new campaign as a draft.
pub(crate) async fn insert(
    tx: &mut WriteTx,
    id: CampaignId,
    client: ClientId,
    terms: &CampaignTerms,
) -> Result<(), AppError> {
    sqlx::query!(
        "insert into campaigns (workspace_id, id, client_id, agent_id, number_id, name, type, goal, variables, calling_window,
                                max_attempts, retry_minutes)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
        tx.workspace_uuid(),
        id.0,
        client.0,
        terms.agent_id.0,
        terms.number_id.0,
        terms.name,
        terms.kind as CampaignType,
        terms.goal,
        Json(&terms.variables) as _,
        Json(&terms.calling_window) as _,
        terms.max_attempts,
        terms.retry_minutes,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

pub(crate) async fn update(tx: &mut WriteTx, id: CampaignId, terms: &CampaignTerms) -> Result<(), AppError> {
    sqlx::query!(
        "update campaigns set agent_id = $3, number_id = $4, name = $5, type = $6, goal = $7, variables = $8, calling_window = $9,
                max_attempts = $10, retry_minutes = $11, updated_at = now()
         where workspace_id = $1 and id = $2",
        tx.workspace_uuid(),
        id.0,
        terms.agent_id.0,
        terms.number_id.0,
        terms.name,
        terms.kind as CampaignType,
        terms.goal,
        Json(&terms.variables) as _,
        Json(&terms.calling_window) as _,
        terms.max_attempts,
        terms.retry_minutes,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Locks the row and says where it stands. Errors: `NotFound`.
pub(crate) async fn lock(tx: &mut WriteTx, id: CampaignId) -> Result<CampaignStatus, AppError> {
    Ok(sqlx::query_scalar!(
        r#"select status as "status: CampaignStatus" from campaigns where workspace_id = $1 and id = $2 for update"#,
        tx.workspace_uuid(),
        id.0
    )
    .fetch_one(tx.conn())
    .await?)
}

pub(crate) async fn set_status(tx: &mut WriteTx, id: CampaignId, status: CampaignStatus) -> Result<(), AppError> {
    sqlx::query!(
        "update campaigns set status = $3, updated_at = now() where workspace_id = $1 and id = $2",
        tx.workspace_uuid(),
        id.0,
        status as CampaignStatus
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Batches that may still dial for it (a look into the batches' table).
pub(crate) async fn open_batches(tx: &mut ReadTx, id: CampaignId) -> Result<i64, AppError> {
    Ok(sqlx::query_scalar!(
        r#"select count(*) as "count!" from call_batches
           where workspace_id = $1 and campaign_id = $2 and status in ('pending', 'scheduled', 'processing', 'paused')"#,
        tx.workspace_uuid(),
        id.0
    )
    .fetch_one(tx.conn())
    .await?)
}

/// Locks the batches that dial or will (a look into the batches' table), until the commit.
pub(crate) async fn hold_batches(tx: &mut WriteTx, id: CampaignId) -> Result<Vec<BatchId>, AppError> {
    Ok(sqlx::query_scalar!(
        r#"select id as "id: BatchId" from call_batches
           where workspace_id = $1 and campaign_id = $2 and status in ('pending', 'scheduled', 'processing', 'paused') order by id for update"#,
        tx.workspace_uuid(),
        id.0
    )
    .fetch_all(tx.conn())
    .await?)
}

/// The campaign's newest ten batches (a look into the batches' table).
pub(crate) async fn newest_batches(tx: &mut ReadTx, id: CampaignId) -> Result<Vec<CampaignBatch>, AppError> {
    let rows = sqlx::query!(
        r#"select id as "id: BatchId", name, (case when stopped_at is not null then 'stopped' else status::text end) as "status!: BatchStatus",
                  total_contacts - left_contacts as "total_contacts!", created_at from call_batches
           where workspace_id = $1 and campaign_id = $2 order by id desc limit 10"#,
        tx.workspace_uuid(),
        id.0
    )
    .fetch_all(tx.conn())
    .await?;
    let (now, zone_of_viewer) = (Utc::now(), tx.scope().zone());
    Ok(rows
        .into_iter()
        .map(|row| CampaignBatch {
            id: row.id,
            name: row.name,
            status: row.status,
            contacts: row.total_contacts,
            created: zone::stamp(row.created_at, now, zone_of_viewer),
        })
        .collect())
}

/// Whether contacts are still being added in the background (a look into the jobs' table).
pub(crate) async fn is_adding(tx: &mut ReadTx, id: CampaignId) -> Result<bool, AppError> {
    Ok(sqlx::query_scalar!(
        r#"select exists (select from jobs where workspace_id = $1 and kind = 'AddContacts' and status in ('pending', 'processing')
                          and starts_with(dedupe_key, $2)) as "exists!""#,
        tx.workspace_uuid(),
        id.to_string()
    )
    .fetch_one(tx.conn())
    .await?)
}
