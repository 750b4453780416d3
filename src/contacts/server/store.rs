//! Statements about contacts. `imports`, `import_views` and `stage` have those about imports.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use sqlx::types::Json;
use uuid::Uuid;

use crate::{Contact, ContactCall, ContactCampaign, ContactNote, ContactQuery, ContactRow, ContactSystems, Pick};
use patchbay_access::Action;
use patchbay_access::server::{ReadTx, WriteTx};
use patchbay_agents::model::CallDirection;
use patchbay_calls::model::{CallBackNote, CallBackStatus, CallResult, ContactOutcome};
use patchbay_calls::server::missed_words;
use patchbay_calls::server::outcomes::shown_why;
use patchbay_dialling::model::ContactStatus;
use patchbay_shared::ids::{AgentId, CallBackId, CallId, CampaignContactId, CampaignId, ClientId, ContactId, ImportId};
use patchbay_shared::{AppError, Cursor, Page, Phone, zone};

pub(crate) mod callers;
pub(crate) mod import_views;
pub mod imports;
pub(crate) mod leftovers;
pub(crate) mod stage;
pub(crate) mod synced;
pub(crate) mod told;

/// Rows on one page of a list.
pub(crate) const PAGE: usize = 50;

/// A contact as lists and exports read it.
pub(crate) struct Found {
    pub id: ContactId,
    pub client_name: String,
    pub name: String,
    pub phone: String,
    pub email: Option<String>,
    pub company: Option<String>,
    pub timezone: Option<String>,
    pub attributes: Json<BTreeMap<String, String>>,
    pub do_not_call: bool,
    pub do_not_call_reason: Option<String>,
    pub created_at: DateTime<Utc>,
}

/// The list, newest first, `limit` rows on a page.
pub async fn list(tx: &mut ReadTx, query: &ContactQuery, limit: usize) -> Result<Page<ContactRow>, AppError> {
    let cursor = Cursor::parse(query.cursor.as_deref()).filter(|cursor| cursor.key.parse::<Uuid>().is_ok());
    let key: Option<Uuid> = cursor.as_ref().and_then(|cursor| cursor.key.parse().ok());
    let backwards = cursor.as_ref().is_some_and(|cursor| !cursor.older);
    let (older, newer) = if backwards { (None, key) } else { (key, None) };
    let found = find(tx, query, older, newer, limit as i64 + 1).await?;
    let (now, zone_of_viewer) = (Utc::now(), tx.scope().zone());
    let rows = found
        .into_iter()
        .map(|row| ContactRow {
            id: row.id,
            name: row.name,
            phone: row.phone,
            email: row.email,
            company: row.company,
            client_name: row.client_name,
            do_not_call: row.do_not_call,
            do_not_call_reason: row.do_not_call_reason,
            created: zone::stamp(row.created_at, now, zone_of_viewer),
        })
        .collect();
    Ok(Page::cut(rows, limit, cursor.as_ref(), |row: &ContactRow| row.id.to_string()))
}

/// Contacts older than one or newer than another, next to it first.
pub(crate) async fn find(
    tx: &mut ReadTx,
    query: &ContactQuery,
    older: Option<Uuid>,
    newer: Option<Uuid>,
    most: i64,
) -> Result<Vec<Found>, AppError> {
    // A client's people get the client's own index, not the policy's filter over everybody's.
    let asked: Option<ClientId> = query.client.as_deref().and_then(|id| id.parse().ok());
    let client = tx.scope().client_id().or(asked).map(|id| id.0);
    let import: Option<ImportId> = query.import.as_deref().and_then(|id| id.parse().ok());
    let suppressed = match query.suppressed.as_deref() {
        Some("yes") => Some(true),
        Some("no") => Some(false),
        _ => None,
    };
    let limits = Limits { client, import: import.map(|id| id.0), suppressed, older, newer, most };
    match query.words() {
        Some(words) => find_by_words(tx, &words, limits).await,
        None => find_all(tx, limits).await,
    }
}

struct Limits {
    client: Option<Uuid>,
    import: Option<Uuid>,
    suppressed: Option<bool>,
    older: Option<Uuid>,
    newer: Option<Uuid>,
    most: i64,
}

/// Two arms, of which one never runs: each reads its own direction of the index.
async fn find_all(tx: &mut ReadTx, limits: Limits) -> Result<Vec<Found>, AppError> {
    Ok(sqlx::query_as!(
        Found,
        r#"select c.id as "id!: ContactId", cl.name as client_name, c.name as "name!", c.phone as "phone!", c.email, c.company,
                  c.timezone, c.attributes as "attributes!: Json<BTreeMap<String, String>>", c.do_not_call as "do_not_call!",
                  c.do_not_call_reason, c.created_at as "created_at!"
           from (
             (select * from contacts
              where workspace_id = $1 and ($2::uuid is null or client_id = $2) and ($3::bool is null or do_not_call = $3)
                and ($4::uuid is null or import_id = $4) and $6::uuid is null and ($5::uuid is null or id < $5)
              order by id desc limit $7)
             union all
             (select * from contacts
              where workspace_id = $1 and ($2::uuid is null or client_id = $2) and ($3::bool is null or do_not_call = $3)
                and ($4::uuid is null or import_id = $4) and id > $6
              order by id asc limit $7)
           ) c
           join clients cl on cl.workspace_id = $1 and cl.id = c.client_id
           order by (case when $6::uuid is null then c.id end) desc, c.id asc"#,
        tx.workspace_uuid(),
        limits.client,
        limits.suppressed,
        limits.import,
        limits.older,
        limits.newer,
        limits.most,
    )
    .fetch_all(tx.conn())
    .await?)
}

/// Words go through `search_contacts`, because under row security a pattern could not use an index. Its at most thousand ids are
/// looked up one by one, which stays quick however many contacts there are: `limit 1` keeps the planner from joining them with all
/// contacts of the client instead, which row security lets it take for a few.
async fn find_by_words(tx: &mut ReadTx, words: &str, limits: Limits) -> Result<Vec<Found>, AppError> {
    Ok(sqlx::query_as!(
        Found,
        r#"select c.id as "id: ContactId", cl.name as client_name, c.name, c.phone, c.email, c.company, c.timezone,
                  c.attributes as "attributes: Json<BTreeMap<String, String>>", c.do_not_call, c.do_not_call_reason, c.created_at
           from (select search_contacts($2, 1000, $3) as id) found
           cross join lateral (select * from contacts where workspace_id = $1 and id = found.id limit 1) c
           join clients cl on cl.workspace_id = $1 and cl.id = c.client_id
           where ($3::uuid is null or c.client_id = $3) and ($4::bool is null or c.do_not_call = $4)
             and ($5::uuid is null or c.import_id = $5) and ($6::uuid is null or c.id < $6) and ($7::uuid is null or c.id > $7)
           order by (case when $7::uuid is null then c.id end) desc, c.id asc limit $8"#,
        tx.workspace_uuid(),
        words,
        limits.client,
        limits.suppressed,
        limits.import,
        limits.older,
        limits.newer,
        limits.most,
    )
    .fetch_all(tx.conn())
    .await?)
}

/// Names of the variables that the newest contacts of a list carry: the columns of its export.
pub(crate) async fn attribute_names(tx: &mut ReadTx, client: Option<ClientId>) -> Result<Vec<String>, AppError> {
    let client = tx.scope().client_id().or(client).map(|id| id.0);
    tx.read_in_order().await?;
    let names = sqlx::query_scalar!(
        r#"select distinct jsonb_object_keys(c.attributes) as "key!" from (
             select attributes from contacts where workspace_id = $1 and ($2::uuid is null or client_id = $2)
             order by id desc limit 2000) c
           order by 1 limit 200"#,
        tx.workspace_uuid(),
        client
    )
    .fetch_all(tx.conn())
    .await?;
    tx.read_as_planned().await?;
    Ok(names)
}

/// One contact's page. Errors: `NotFound`.
pub async fn get(tx: &mut ReadTx, id: ContactId) -> Result<Contact, AppError> {
    let row = sqlx::query!(
        r#"select c.client_id as "client_id: ClientId", cl.name as client_name, cl.timezone as client_timezone, c.name, c.phone,
                  c.email, c.company, c.timezone, c.attributes as "attributes: Json<BTreeMap<String, String>>", c.do_not_call,
                  c.do_not_call_reason, c.do_not_call_at, c.import_id as "import_id: ImportId", i.file_name as "file_name?",
                  c.created_at, c.updated_at
           from contacts c
           join clients cl on cl.workspace_id = $1 and cl.id = c.client_id
           left join contact_imports i on i.workspace_id = $1 and i.id = c.import_id
           where c.workspace_id = $1 and c.id = $2"#,
        tx.workspace_uuid(),
        id.0
    )
    .fetch_one(tx.conn())
    .await?;
    let (now, zone_of_viewer) = (Utc::now(), tx.scope().zone());
    let there = zone::zone(row.timezone.as_deref().unwrap_or(&row.client_timezone));
    Ok(Contact {
        id,
        client_id: row.client_id,
        client_name: row.client_name,
        client_timezone: row.client_timezone,
        name: row.name,
        phone: row.phone,
        email: row.email,
        company: row.company,
        timezone: row.timezone,
        local_time: now.with_timezone(&there).format("%H:%M %Z").to_string(),
        attributes: row.attributes.0,
        do_not_call: row.do_not_call,
        do_not_call_reason: row.do_not_call_reason,
        do_not_call_at: row.do_not_call_at.map(|at| zone::stamp(at, now, zone_of_viewer)),
        import: row.import_id.zip(row.file_name),
        created: zone::stamp(row.created_at, now, zone_of_viewer),
        updated: zone::stamp(row.updated_at, now, zone_of_viewer),
        campaigns: campaigns(tx, id).await?,
        calls: calls(tx, id).await?,
        memories: memories(tx, id).await?,
        systems: ContactSystems::default(),
        may_manage: tx.scope().may(Action::ManageContacts),
    })
}

/// The campaigns that a contact is in (a look into the campaigns' tables).
async fn campaigns(tx: &mut ReadTx, id: ContactId) -> Result<Vec<ContactCampaign>, AppError> {
    let rows = sqlx::query!(
        r#"select c.id as "id: CampaignId", c.name, m.id as "member: CampaignContactId", m.status as "status: ContactStatus",
                  m.outcome as "outcome?: ContactOutcome", m.reached, m.attempts,
                  b.id as "call_back?: CallBackId", b.status as "call_back_status?: CallBackStatus", b.due_at as "due_at?", b.why as "why?"
           from campaign_contacts m join campaigns c on c.workspace_id = $1 and c.id = m.campaign_id
           left join lateral (
             select id, status, due_at, why from call_backs where workspace_id = $1 and campaign_contact_id = m.id order by id desc limit 1) b
             on true
           where m.workspace_id = $1 and m.contact_id = $2 order by m.id desc limit 50"#,
        tx.workspace_uuid(),
        id.0
    )
    .fetch_all(tx.conn())
    .await?;
    let (now, local) = (tx.now().await?, tx.scope().zone());
    Ok(rows
        .into_iter()
        .map(|row| ContactCampaign {
            id: row.id,
            member: row.member,
            call_back: row.call_back.zip(row.call_back_status).map(|(id, status)| CallBackNote {
                id,
                status,
                due: row.due_at.map(|at| zone::moment_text(at, now, local)),
                why: shown_why(tx.scope(), status, row.why),
            }),
            name: row.name,
            status: row.status,
            outcome: row.outcome,
            reached: row.reached,
            attempts: row.attempts,
        })
        .collect())
}

/// What agents keep in mind about a contact.
async fn memories(tx: &mut ReadTx, id: ContactId) -> Result<Vec<ContactNote>, AppError> {
    let (now, zone_of_viewer) = (Utc::now(), tx.scope().zone());
    let notes = patchbay_tools::server::memory::of_contact(tx, id, 100).await?.into_iter();
    let shown = notes.map(|note| ContactNote {
        id: note.id,
        note: note.note,
        agent: note.agent,
        call: note.call,
        at: zone::stamp(note.at, now, zone_of_viewer),
    });
    Ok(shown.collect())
}

/// The newest calls with a contact (a look into the calls' table).
async fn calls(tx: &mut ReadTx, id: ContactId) -> Result<Vec<ContactCall>, AppError> {
    let rows = sqlx::query!(
        r#"select c.id as "id: CallId", c.started_at, a.name as "agent_name?", c.direction as "direction: CallDirection",
                  c.outcome as "outcome?: ContactOutcome", c.duration, c.summary, c.result as "result: CallResult",
                  c.agent_id as "agent_id: AgentId", c.missed_reason, c.joined_at, c.ended_at
           from calls c left join agents a on a.workspace_id = $1 and a.id = c.agent_id
           where c.workspace_id = $1 and c.contact_id = $2 order by c.started_at desc, c.id desc limit 50"#,
        tx.workspace_uuid(),
        id.0
    )
    .fetch_all(tx.conn())
    .await?;
    let (now, zone_of_viewer) = (Utc::now(), tx.scope().zone());
    Ok(rows
        .into_iter()
        .map(|row| ContactCall {
            id: row.id,
            started: zone::brief(row.started_at, now, zone_of_viewer),
            agent_name: row.agent_name,
            direction: row.direction,
            result: row.result,
            outcome: row.outcome,
            missed: missed_words(tx.scope(), row.missed_reason.as_deref(), row.joined_at, row.ended_at),
            seconds: row.duration,
            summary: row.summary,
        })
        .collect())
}

/// What a contact is written from.
pub(crate) struct Values<'a> {
    pub name: &'a str,
    pub phone: &'a Phone,
    pub email: Option<&'a str>,
    pub company: Option<&'a str>,
    pub timezone: Option<&'a str>,
    pub attributes: &'a BTreeMap<String, String>,
}

pub(crate) async fn insert(
    tx: &mut WriteTx,
    id: ContactId,
    client: ClientId,
    values: &Values<'_>,
) -> Result<(), AppError> {
    sqlx::query!(
        "insert into contacts (workspace_id, id, client_id, name, phone, email, company, timezone, attributes)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        tx.workspace_uuid(),
        id.0,
        client.0,
        values.name,
        values.phone.as_str(),
        values.email,
        values.company,
        values.timezone,
        Json(values.attributes) as _,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Holds a contact against other writers until the commit. Errors: `NotFound`.
pub(crate) async fn lock(tx: &mut WriteTx, id: ContactId) -> Result<(), AppError> {
    sqlx::query_scalar!(
        "select id from contacts where workspace_id = $1 and id = $2 for no key update",
        tx.workspace_uuid(),
        id.0
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(())
}

pub(crate) async fn update(tx: &mut WriteTx, id: ContactId, values: &Values<'_>) -> Result<(), AppError> {
    sqlx::query!(
        "update contacts set name = $3, phone = $4, email = $5, company = $6, timezone = $7, attributes = $8, updated_at = now()
         where workspace_id = $1 and id = $2",
        tx.workspace_uuid(),
        id.0,
        values.name,
        values.phone.as_str(),
        values.email,
        values.company,
        values.timezone,
        Json(values.attributes) as _,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Puts a contact on the do-not-call list with a reason, or takes it off. False: it was so already.
pub(crate) async fn set_suppressed(tx: &mut WriteTx, id: ContactId, reason: Option<&str>) -> Result<bool, AppError> {
    let done = sqlx::query!(
        "update contacts set do_not_call = $3::text is not null, do_not_call_reason = $3,
                do_not_call_at = case when $3::text is not null then now() end, updated_at = now()
         where workspace_id = $1 and id = $2 and do_not_call <> ($3::text is not null)",
        tx.workspace_uuid(),
        id.0,
        reason
    )
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected() == 1)
}

/// A client's zone. Errors: `NotFound` when there is no such active client, or not for this caller.
pub(crate) async fn client_timezone(tx: &mut ReadTx, client: ClientId) -> Result<String, AppError> {
    Ok(sqlx::query_scalar!(
        "select timezone from clients where workspace_id = $1 and id = $2 and status = 'active'",
        tx.workspace_uuid(),
        client.0
    )
    .fetch_one(tx.conn())
    .await?)
}

/// Campaigns of a client that contacts may join.
pub(crate) async fn open_campaigns(tx: &mut ReadTx, client: ClientId) -> Result<Vec<Pick>, AppError> {
    let rows = sqlx::query!(
        "select id, name from campaigns where workspace_id = $1 and client_id = $2 and status <> 'archived' order by name, id limit 200",
        tx.workspace_uuid(),
        client.0
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(|row| Pick { id: row.id.to_string(), label: row.name }).collect())
}
