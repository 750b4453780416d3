//! Messages as pages and files show them, and the contacts they are with (table of contacts: read only).

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use sqlx::types::Json;
use uuid::Uuid;

use crate::model::{TextDirection, TextQuery, TextRow, TextSource, TextState};
use patchbay_access::Field;
use patchbay_access::server::ReadTx;
use patchbay_metering::server::own_days::own_days;
use patchbay_shared::ids::{CallId, ClientId, ContactId, TextMessageId, TextRuleId};
use patchbay_shared::page::{read_time_key, time_key};
use patchbay_shared::search::{filled, like};
use patchbay_shared::zone::{self, stamp};
use patchbay_shared::{AppError, Cursor, Money, Page};

/// The list, newest first, `limit` rows on a page. Errors: `Invalid` at `from` or `to`.
pub(crate) async fn list(tx: &mut ReadTx, query: &TextQuery, limit: usize) -> Result<Page<TextRow>, AppError> {
    let cursor = Cursor::parse(query.cursor.as_deref()).filter(|cursor| read_time_key(&cursor.key).is_some());
    let key = cursor.as_ref().and_then(|cursor| read_time_key(&cursor.key));
    let backwards = cursor.as_ref().is_some_and(|cursor| !cursor.older);
    let (older, newer) = if backwards { (None, key) } else { (key, None) };
    let asked: Option<Uuid> = query.client.as_deref().and_then(|id| id.parse().ok());
    let client = tx.scope().client_id().map(|id| id.0).or(asked);
    let id = |text: &Option<String>| text.as_deref().and_then(|id| id.parse::<Uuid>().ok());
    let direction: Option<TextDirection> = query.direction.as_deref().and_then(|word| word.parse().ok());
    let state: Option<TextState> = query.state.as_deref().and_then(|word| word.parse().ok());
    let (now, zone) = (tx.now().await?, tx.scope().zone());
    let (days, own_days) = match query.zone.as_deref().map(str::trim).filter(|zone| !zone.is_empty()) {
        Some(TextQuery::OWN_ZONE) => {
            own_days(tx, client.map(ClientId), query.from.as_deref(), query.to.as_deref()).await?
        }
        named => {
            let zone = named.map_or(zone, zone::zone);
            (zone::days(query.from.as_deref(), query.to.as_deref(), zone)?, None)
        }
    };
    let is = |field: &Option<String>, word: &str| field.as_deref() == Some(word);
    let unpriced = is(&query.priced, "no") && tx.scope().sees(Field::Cost);
    // A page that names something that is no number of ours shows no messages, and not all of them.
    let number = filled(query.number.as_deref()).map(|id| id.parse::<Uuid>().unwrap_or_default());
    // Two arms, of which one never runs: each reads its own direction of the index. What a carrier took was written down before, so the days
    // end in the index, too; carriers' clocks are left a day.
    let rows = sqlx::query!(
        r#"select m.id as "id!: TextMessageId", m.at as "at!", m.done_at, m.send_at, m.direction as "direction!: TextDirection",
                  m.source as "source!: TextSource", m.state as "state!: TextState", m.problem, c.name as client,
                  m.contact_id as "contact: ContactId", p.name as "contact_name?", n.number as "number?", m.other_number as "other!",
                  m.body as "body!", m.parts, m.cost_usd, m.rule_id as "rule: TextRuleId", r.name as "rule_name?", m.call_id as "call: CallId",
                  m.keyword
           from (
             (select * from text_messages
              where workspace_id = $1 and ($2::uuid is null or client_id = $2) and ($3::text is null or direction = $3)
                and ($4::text is null or state = $4) and ($5::uuid is null or rule_id = $5) and ($6::uuid is null or contact_id = $6)
                and ($7::uuid is null or call_id = $7) and ($8::text is null or body ilike $8 or other_number ilike $8)
                and ($14::uuid is null or number_id = $14)
                and ($15::timestamptz is null or coalesce(taken_at, at) >= $15)
                and ($16::timestamptz is null or coalesce(taken_at, at) < $16)
                and ($16::timestamptz is null or at < $16::timestamptz + interval '1 day')
                and (not $17::boolean or taken_at is not null)
                and (not $18::boolean or (taken_at is not null and cost_usd is null and state <> 'failed'))
                and ($19::text[] is null or exists (
                  select from clients k join unnest($19, $20::timestamptz[], $21::timestamptz[]) z (zone, from_at, before_at)
                    on z.zone = k.timezone and coalesce(taken_at, at) >= z.from_at and coalesce(taken_at, at) < z.before_at
                  where k.workspace_id = $1 and k.id = text_messages.client_id))
                and $11::timestamptz is null and ($9::timestamptz is null or (at, id) < ($9, $10::uuid))
              order by at desc, id desc limit $13)
             union all
             (select * from text_messages
              where workspace_id = $1 and ($2::uuid is null or client_id = $2) and ($3::text is null or direction = $3)
                and ($4::text is null or state = $4) and ($5::uuid is null or rule_id = $5) and ($6::uuid is null or contact_id = $6)
                and ($7::uuid is null or call_id = $7) and ($8::text is null or body ilike $8 or other_number ilike $8)
                and ($14::uuid is null or number_id = $14)
                and ($15::timestamptz is null or coalesce(taken_at, at) >= $15)
                and ($16::timestamptz is null or coalesce(taken_at, at) < $16)
                and ($16::timestamptz is null or at < $16::timestamptz + interval '1 day')
                and (not $17::boolean or taken_at is not null)
                and (not $18::boolean or (taken_at is not null and cost_usd is null and state <> 'failed'))
                and ($19::text[] is null or exists (
                  select from clients k join unnest($19, $20::timestamptz[], $21::timestamptz[]) z (zone, from_at, before_at)
                    on z.zone = k.timezone and coalesce(taken_at, at) >= z.from_at and coalesce(taken_at, at) < z.before_at
                  where k.workspace_id = $1 and k.id = text_messages.client_id))
                and (at, id) > ($11, $12::uuid)
              order by at, id limit $13)
           ) m
           join clients c on c.workspace_id = $1 and c.id = m.client_id
           left join contacts p on p.workspace_id = $1 and p.id = m.contact_id
           left join agency_phone_numbers n on n.workspace_id = $1 and n.id = m.number_id
           left join text_rules r on r.workspace_id = $1 and r.id = m.rule_id
           order by case when $11::timestamptz is null then m.at end desc, case when $11::timestamptz is null then m.id end desc,
                    m.at, m.id"#,
        tx.workspace_uuid(),
        client,
        direction as Option<TextDirection>,
        state as Option<TextState>,
        id(&query.rule),
        id(&query.contact),
        id(&query.call),
        like(filled(query.words.as_deref()).as_deref()),
        older.map(|(at, _)| at),
        older.map(|(_, id)| id),
        newer.map(|(at, _)| at),
        newer.map(|(_, id)| id),
        limit as i64 + 1,
        number,
        days.from,
        days.before,
        is(&query.taken, "yes") || unpriced,
        unpriced,
        own_days.as_ref().map(|own| &own.zones[..]),
        own_days.as_ref().map(|own| &own.from[..]),
        own_days.as_ref().map(|own| &own.before[..]),
    )
    .fetch_all(tx.conn())
    .await?;
    let scope = tx.scope();
    let rows: Vec<(DateTime<Utc>, TextRow)> = rows
        .into_iter()
        .map(|row| {
            let text = TextRow {
                id: row.id,
                at: stamp(row.at, now, zone),
                done: row.done_at.map(|at| stamp(at, now, zone)),
                due: row
                    .send_at
                    .filter(|at| row.state == TextState::Waiting && *at > now)
                    .map(|at| stamp(at, now, zone)),
                direction: row.direction,
                source: row.source,
                state: row.state,
                // The agency's accounts are not the client's to read about.
                problem: row.problem.filter(|_| scope.sees(Field::CallError)),
                client: row.client,
                contact: row.contact.map(|id| (id, row.contact_name.unwrap_or_default())),
                number: row.number,
                other: row.other,
                body: row.body,
                parts: row.parts,
                cost: scope.shown(Field::Cost, row.cost_usd).flatten().map(Money),
                rule: row.rule.zip(row.rule_name),
                call: row.call,
                keyword: row.keyword,
            };
            (row.at, text)
        })
        .collect();
    Ok(Page::cut(rows, limit, cursor.as_ref(), |(at, row)| time_key(*at, row.id.0)).map(|(_, row)| row))
}

/// A contact to write to.
pub(crate) struct Person {
    pub id: ContactId,
    pub client: ClientId,
    pub client_name: String,
    pub client_is_active: bool,
    pub name: String,
    pub phone: String,
    pub company: Option<String>,
    pub email: Option<String>,
    pub attributes: Json<BTreeMap<String, String>>,
    pub do_not_call: bool,
    pub do_not_call_reason: Option<String>,
}

/// Errors: `NotFound`.
pub(crate) async fn person(tx: &mut ReadTx, id: ContactId) -> Result<Person, AppError> {
    Ok(sqlx::query_as!(
        Person,
        r#"select p.id as "id: ContactId", c.id as "client: ClientId", c.name as client_name, c.status = 'active' as "client_is_active!",
                  p.name, p.phone, p.company, p.email, p.attributes as "attributes: Json<BTreeMap<String, String>>", p.do_not_call,
                  p.do_not_call_reason
           from contacts p join clients c on c.workspace_id = $1 and c.id = p.client_id
           where p.workspace_id = $1 and p.id = $2"#,
        tx.workspace_uuid(),
        id.0
    )
    .fetch_one(tx.conn())
    .await?)
}

/// The newest contacts of a client: a rule's message is shown for one of them.
pub(crate) async fn newest_people(tx: &mut ReadTx, client: ClientId) -> Result<Vec<(String, String)>, AppError> {
    let rows = sqlx::query!(
        "select id, name, phone from contacts where workspace_id = $1 and client_id = $2 order by id desc limit 20",
        tx.workspace_uuid(),
        client.0
    )
    .fetch_all(tx.conn())
    .await?;
    let shown = rows.into_iter().map(|row| {
        let name = if row.name.is_empty() { row.phone } else { format!("{}, {}", row.name, row.phone) };
        (row.id.to_string(), name)
    });
    Ok(shown.collect())
}

/// Whether there is such a client that is not archived.
pub(crate) async fn is_active_client(tx: &mut ReadTx, id: ClientId) -> Result<bool, AppError> {
    Ok(sqlx::query_scalar!(
        r#"select exists (select from clients where workspace_id = $1 and id = $2 and status = 'active') as "exists!""#,
        tx.workspace_uuid(),
        id.0
    )
    .fetch_one(tx.conn())
    .await?)
}

/// Our number on a call (table of calls: read only).
pub(crate) async fn number_of_call(tx: &mut ReadTx, call: CallId) -> Result<Option<String>, AppError> {
    let found = sqlx::query_scalar!(
        r#"select case when direction = 'inbound' then "to" else "from" end from calls where workspace_id = $1 and id = $2"#,
        tx.workspace_uuid(),
        call.0
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(found.flatten())
}
