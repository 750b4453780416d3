//! Call-backs as pages show them.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::model::call_back::{CallBack, CallBackPage, CallBackQuery, CallBackRow, CallBackSubject, is_open};
use patchbay_access::Action;
use patchbay_access::server::ReadTx;
use patchbay_calls::model::CallBackStatus;
use patchbay_calls::server::outcomes::shown_why;
use patchbay_shared::ids::{BatchId, CallBackId, CallId, CampaignContactId, CampaignId, ContactId};
use patchbay_shared::window::CallingWindow;
use patchbay_shared::{AppError, Cursor, Page, read_time_key, time_key, zone};

/// Rows on a page.
pub(crate) const PAGE: usize = 50;

/// A row as the statements read it.
struct Found {
    id: CallBackId,
    name: Option<String>,
    number: Option<String>,
    contact_id: Option<ContactId>,
    client: String,
    campaign_id: Option<CampaignId>,
    campaign: Option<String>,
    status: CallBackStatus,
    due_at: Option<DateTime<Utc>>,
    zone: String,
    words: Option<String>,
    why: Option<String>,
    call_id: Option<CallId>,
    created_at: DateTime<Utc>,
}

impl Found {
    fn shown(self, tx: &ReadTx, now: DateTime<Utc>) -> CallBackRow {
        let local = tx.scope().zone();
        let there = |at| {
            let text = zone::moment_text(at, now, zone::zone(&self.zone));
            format!("{text} ({})", self.zone.replace('_', " "))
        };
        let number = self.number.unwrap_or_default();
        CallBackRow {
            id: self.id,
            contact: self.name.filter(|name| !name.is_empty()).unwrap_or_else(|| number.clone()),
            number,
            contact_id: self.contact_id,
            client: self.client,
            campaign_id: self.campaign_id,
            campaign: self.campaign,
            status: self.status,
            due: self.due_at.map(|at| zone::stamp(at, now, local)),
            due_there: self.due_at.map(there),
            words: self.words,
            why: shown_why(tx.scope(), self.status, self.why),
            call_id: self.call_id,
            created: zone::stamp(self.created_at, now, local),
        }
    }
}

/// The list, newest first or soonest first, `limit` rows on a page.
pub(crate) async fn list(tx: &mut ReadTx, query: &CallBackQuery, limit: usize) -> Result<CallBackPage, AppError> {
    let by_time = query.sort.as_deref() == Some("due");
    let cursor = Cursor::parse(query.cursor.as_deref()).filter(|cursor| read_time_key(&cursor.key).is_some());
    let (at, key) = cursor.as_ref().and_then(|cursor| read_time_key(&cursor.key)).unzip();
    let onward = cursor.as_ref().is_none_or(|cursor| cursor.older);
    // What is no id is nobody's: a filter that means nothing does not widen the list.
    let id = |text: &Option<String>| {
        text.as_deref().filter(|text| !text.is_empty()).map(|text| text.parse::<Uuid>().unwrap_or_default())
    };
    let now = tx.now().await?;
    tx.read_in_order().await?;
    // Arms of which all but one never run: each reads its own direction of its index.
    let mut found = sqlx::query_as!(
        Found,
        r#"select b.id as "id!: CallBackId", coalesce(p.name, c.contact_name) as name, coalesce(p.phone, c."to", c."from") as number,
                  b.contact_id as "contact_id: ContactId", k.name as "client!", b.campaign_id as "campaign_id: CampaignId",
                  m.name as "campaign?", b.status as "status!: CallBackStatus", b.due_at, b.zone as "zone!", b.words, b.why,
                  b.call_id as "call_id: CallId", b.created_at as "created_at!"
           from (
             (select * from call_backs where workspace_id = $1 and not $2 and $3 and ($4::uuid is null or id < $4)
                and ($6::text is null or status = $6) and ($7::uuid is null or client_id = $7)
                and ($8::uuid is null or campaign_id = $8) and ($9::uuid is null or contact_id = $9) order by id desc limit $10)
             union all
             (select * from call_backs where workspace_id = $1 and not $2 and not $3 and id > $4
                and ($6::text is null or status = $6) and ($7::uuid is null or client_id = $7)
                and ($8::uuid is null or campaign_id = $8) and ($9::uuid is null or contact_id = $9) order by id limit $10)
             union all
             (select * from call_backs where workspace_id = $1 and $2 and $3 and due_at is not null
                and ($4::uuid is null or (due_at, id) > ($5::timestamptz, $4))
                and ($6::text is null or status = $6) and ($7::uuid is null or client_id = $7)
                and ($8::uuid is null or campaign_id = $8) and ($9::uuid is null or contact_id = $9) order by due_at, id limit $10)
             union all
             (select * from call_backs where workspace_id = $1 and $2 and not $3 and due_at is not null
                and (due_at, id) < ($5::timestamptz, $4)
                and ($6::text is null or status = $6) and ($7::uuid is null or client_id = $7)
                and ($8::uuid is null or campaign_id = $8) and ($9::uuid is null or contact_id = $9) order by due_at desc, id desc limit $10)
           ) b
           cross join lateral (select name from clients where workspace_id = $1 and id = b.client_id limit 1) k
           left join lateral (select name from campaigns where workspace_id = $1 and id = b.campaign_id limit 1) m on true
           left join lateral (select name, phone from contacts where workspace_id = $1 and id = b.contact_id limit 1) p on true
           left join lateral (select contact_name, "from", "to" from calls where workspace_id = $1 and id = b.call_id limit 1) c on true"#,
        tx.workspace_uuid(),
        by_time,
        onward,
        key,
        at,
        query.status.as_deref().filter(|status| !status.is_empty()),
        id(&query.client),
        id(&query.campaign),
        id(&query.contact),
        limit as i64 + 1,
    )
    .fetch_all(tx.conn())
    .await?;
    tx.read_as_planned().await?;
    // The rows of one arm; joined, they need not come as it reads them.
    let key = |row: &Found| (by_time.then_some(row.due_at), row.id.0);
    let is_descending = by_time != onward;
    found.sort_unstable_by(
        |one, other| if is_descending { key(other).cmp(&key(one)) } else { key(one).cmp(&key(other)) },
    );
    let place =
        |row: &Found| time_key(if by_time { row.due_at.unwrap_or(row.created_at) } else { row.created_at }, row.id.0);
    let page = Page::cut(found, limit, cursor.as_ref(), place);
    Ok(page.map(|row| row.shown(tx, now)))
}

/// One, with what its form needs. Errors: `NotFound`.
pub(crate) async fn get(tx: &mut ReadTx, id: CallBackId) -> Result<CallBack, AppError> {
    let now = tx.now().await?;
    let row = sqlx::query!(
        r#"select b.id as "id: CallBackId", coalesce(p.name, c.contact_name) as name, coalesce(p.phone, c."to", c."from") as number,
                  b.contact_id as "contact_id: ContactId", k.name as client, b.campaign_id as "campaign_id: CampaignId",
                  m.name as "campaign?", b.status as "status: CallBackStatus", b.due_at, b.zone, b.words, b.why,
                  b.call_id as "call_id: CallId", b.created_at,
                  m.calling_window as "window?: sqlx::types::Json<CallingWindow>", u.name as "set_by?",
                  n.id as "batch_id?: BatchId", n.name as "batch?",
                  case when b.status = 'dialling' and b.why is not null and x.status = 'scheduled' and x.batch_id = b.batch_id
                       then x.next_attempt_at end as next_try
           from call_backs b
           join clients k on k.workspace_id = $1 and k.id = b.client_id
           left join campaigns m on m.workspace_id = $1 and m.id = b.campaign_id
           left join contacts p on p.workspace_id = $1 and p.id = b.contact_id
           left join calls c on c.workspace_id = $1 and c.id = b.call_id
           left join call_batches n on n.workspace_id = $1 and n.id = b.batch_id
           left join campaign_contacts x on x.workspace_id = $1 and x.id = b.campaign_contact_id
           left join users u on u.id = b.set_by
           where b.workspace_id = $1 and b.id = $2"#,
        tx.workspace_uuid(),
        id.0
    )
    .fetch_one(tx.conn())
    .await?;
    let ahead = tx.services().clock.ahead();
    let local =
        row.due_at.map(|at| (at + ahead).with_timezone(&zone::zone(&row.zone)).format("%Y-%m-%dT%H:%M").to_string());
    let may_change = tx.scope().may(Action::RunBatches) && is_open(row.status);
    let (hours, zone_name) = (row.window.map(|window| window.text()), row.zone.clone());
    let found = Found {
        id: row.id,
        name: row.name,
        number: row.number,
        contact_id: row.contact_id,
        client: row.client,
        campaign_id: row.campaign_id,
        campaign: row.campaign,
        status: row.status,
        due_at: row.due_at,
        zone: row.zone,
        words: row.words,
        why: row.why,
        call_id: row.call_id,
        created_at: row.created_at,
    };
    Ok(CallBack {
        row: found.shown(tx, now),
        set_by: row.set_by,
        batch: row.batch_id.zip(row.batch),
        next_try: row.next_try.map(|at| zone::stamp(at, now, tx.scope().zone())),
        hours,
        zone: zone_name,
        local: local.unwrap_or_default(),
        may_change,
    })
}

/// For whom a new one would be: the contact of a campaign whom a call was with, or one that is named. Errors: `NotFound`.
pub(crate) async fn subject(
    tx: &mut ReadTx,
    call: Option<CallId>,
    member: Option<CampaignContactId>,
) -> Result<CallBackSubject, AppError> {
    let row = sqlx::query!(
        r#"select x.id as "member: CampaignContactId", p.name, p.phone, m.id as "campaign_id: CampaignId", m.name as campaign,
                  m.calling_window as "window: sqlx::types::Json<CallingWindow>", coalesce(p.timezone, k.timezone) as "zone!",
                  (select b.id from call_backs b where b.workspace_id = $1 and b.campaign_contact_id = x.id
                     and b.status in ('scheduled', 'dialling', 'needs_person')) as "open: CallBackId"
           from campaign_contacts x
           join contacts p on p.workspace_id = $1 and p.id = x.contact_id
           join campaigns m on m.workspace_id = $1 and m.id = x.campaign_id
           join clients k on k.workspace_id = $1 and k.id = x.client_id
           where x.workspace_id = $1
             and x.id = coalesce($3, (select c.campaign_contact_id from calls c where c.workspace_id = $1 and c.id = $2))"#,
        tx.workspace_uuid(),
        call.map(|id| id.0),
        member.map(|id| id.0)
    )
    .fetch_one(tx.conn())
    .await?;
    let number = row.phone;
    Ok(CallBackSubject {
        member: row.member,
        contact: if row.name.is_empty() { number.clone() } else { row.name },
        number,
        campaign_id: row.campaign_id,
        campaign: row.campaign,
        hours: row.window.text(),
        zone: row.zone,
        call,
        open: row.open,
    })
}
