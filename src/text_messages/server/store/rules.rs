//! Statements about rules, and which calls they are for.

use chrono::{DateTime, NaiveTime, Utc};
use std::collections::BTreeMap;

use sqlx::types::Json;
use uuid::Uuid;

use crate::model::{RuleFields, RuleOutcome, RuleQuery, RuleRow};
use patchbay_access::server::{ReadTx, WriteTx};
use patchbay_shared::ids::{CallId, ClientId, ContactId, NumberId, TextRuleId};
use patchbay_shared::search::{filled, like, name_place};
use patchbay_shared::zone::stamp;
use patchbay_shared::{AppError, Cursor, Page};

/// A rule as it is stored.
pub(crate) struct Rule {
    pub fields: RuleFields,
    pub enabled: bool,
}

fn outcomes(words: &[String]) -> Vec<RuleOutcome> {
    words.iter().filter_map(|word| word.parse().ok()).collect()
}

fn time(text: &str) -> NaiveTime {
    NaiveTime::parse_from_str(text, "%H:%M").unwrap_or(NaiveTime::MIN)
}

fn hours(start: NaiveTime, end: NaiveTime) -> (String, String) {
    (start.format("%H:%M").to_string(), end.format("%H:%M").to_string())
}

/// Holds a rule that was not removed. Errors: `NotFound`.
pub(crate) async fn lock(tx: &mut WriteTx, id: TextRuleId) -> Result<Rule, AppError> {
    let row = sqlx::query!(
        r#"select name, client_id as "client: ClientId", outcomes, template, from_number_id as "number: NumberId", delay_minutes, hours_start,
                  hours_end, enabled
           from text_rules where workspace_id = $1 and id = $2 and removed_at is null for update"#,
        tx.workspace_uuid(),
        id.0
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(Rule {
        fields: RuleFields {
            name: row.name,
            client: Some(row.client),
            outcomes: outcomes(&row.outcomes),
            template: row.template,
            number: row.number,
            delay_minutes: row.delay_minutes,
            hours: hours(row.hours_start, row.hours_end),
        },
        enabled: row.enabled,
    })
}

pub(crate) async fn save(
    tx: &mut WriteTx,
    id: TextRuleId,
    client: ClientId,
    fields: &RuleFields,
) -> Result<(), AppError> {
    let words: Vec<String> = fields.outcomes.iter().map(|outcome| outcome.as_str().to_owned()).collect();
    sqlx::query!(
        "insert into text_rules (workspace_id, id, client_id, name, outcomes, template, from_number_id, delay_minutes, hours_start, hours_end)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
         on conflict (workspace_id, id) do update set client_id = $3, name = $4, outcomes = $5, template = $6, from_number_id = $7,
           delay_minutes = $8, hours_start = $9, hours_end = $10, updated_at = now()",
        tx.workspace_uuid(),
        id.0,
        client.0,
        fields.name,
        &words,
        fields.template,
        fields.number.map(|id| id.0),
        fields.delay_minutes,
        time(&fields.hours.0),
        time(&fields.hours.1),
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

pub(crate) async fn switch(tx: &mut WriteTx, id: TextRuleId, on: bool) -> Result<(), AppError> {
    sqlx::query!(
        "update text_rules set enabled = $3, updated_at = now() where workspace_id = $1 and id = $2",
        tx.workspace_uuid(),
        id.0,
        on
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

pub(crate) async fn remove(tx: &mut WriteTx, id: TextRuleId) -> Result<(), AppError> {
    sqlx::query!(
        "update text_rules set removed_at = now(), enabled = false where workspace_id = $1 and id = $2",
        tx.workspace_uuid(),
        id.0
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// All rules that were not removed, by number.
pub(crate) async fn count(tx: &mut ReadTx) -> Result<i64, AppError> {
    Ok(sqlx::query_scalar!(
        r#"select count(*) as "count!" from text_rules where workspace_id = $1 and removed_at is null"#,
        tx.workspace_uuid()
    )
    .fetch_one(tx.conn())
    .await?)
}

/// Names of rules, for a filter.
pub(crate) async fn names(tx: &mut ReadTx) -> Result<Vec<(String, String)>, AppError> {
    let rows = sqlx::query!(
        "select id, name from text_rules where workspace_id = $1 and removed_at is null order by name, id limit 200",
        tx.workspace_uuid()
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(|row| (row.id.to_string(), row.name)).collect())
}

/// Rules by name.
pub(crate) async fn list(tx: &mut ReadTx, query: &RuleQuery, limit: usize) -> Result<Page<RuleRow>, AppError> {
    page(tx, None, query, limit).await
}

/// One rule, as the list has it. Errors: `NotFound`.
pub(crate) async fn row(tx: &mut ReadTx, id: TextRuleId) -> Result<RuleRow, AppError> {
    page(tx, Some(id), &RuleQuery::default(), 1).await?.rows.pop().ok_or(AppError::NotFound)
}

async fn page(
    tx: &mut ReadTx,
    one: Option<TextRuleId>,
    query: &RuleQuery,
    limit: usize,
) -> Result<Page<RuleRow>, AppError> {
    let (now, zone) = (tx.now().await?, tx.scope().zone());
    let cursor = Cursor::parse(query.cursor.as_deref()).filter(|cursor| name_place(&cursor.key).is_some());
    let place = cursor.as_ref().and_then(|cursor| name_place(&cursor.key));
    let (place_name, place_id) = place.map_or((None, None), |(name, id)| (Some(name.to_owned()), Some(id)));
    let is_natural = query.sort.as_deref() != Some("-name");
    let ascending = is_natural == cursor.as_ref().is_none_or(|cursor| cursor.older);
    let state = match query.state.as_deref() {
        Some("on") => Some(true),
        Some("off") => Some(false),
        _ => None,
    };
    let client: Option<Uuid> = query.client.as_deref().and_then(|id| id.parse().ok());
    let rows = sqlx::query!(
        r#"select r.id as "id: TextRuleId", r.name, r.client_id as "client_id: ClientId", c.name as client, r.outcomes, r.enabled,
                  n.number as "number?", r.delay_minutes, r.hours_start, r.hours_end, r.template,
                  (select max(m.at) from text_messages m where m.workspace_id = $1 and m.rule_id = r.id) as last
           from text_rules r
           join clients c on c.workspace_id = $1 and c.id = r.client_id
           left join agency_phone_numbers n on n.workspace_id = $1 and n.id = r.from_number_id
           where r.workspace_id = $1 and r.removed_at is null and ($2::uuid is null or r.id = $2)
             and ($3::text is null or r.name ilike $3 or r.template ilike $3) and ($4::uuid is null or r.client_id = $4)
             and ($5::bool is null or r.enabled = $5)
             and ($6::text is null or case when $8 then (r.name, r.id) > ($6, $7::uuid) else (r.name, r.id) < ($6, $7::uuid) end)
           order by case when $8 then r.name end, case when $8 then r.id end, case when not $8 then r.name end desc,
                    case when not $8 then r.id end desc
           limit $9"#,
        tx.workspace_uuid(),
        one.map(|id| id.0),
        like(filled(query.words.as_deref()).as_deref()),
        client,
        state,
        place_name,
        place_id,
        ascending,
        limit as i64 + 1,
    )
    .fetch_all(tx.conn())
    .await?;
    let rows = rows
        .into_iter()
        .map(|row| RuleRow {
            id: row.id,
            name: row.name,
            client_id: row.client_id,
            client: row.client,
            outcomes: outcomes(&row.outcomes),
            enabled: row.enabled,
            number: row.number,
            delay_minutes: row.delay_minutes,
            hours: hours(row.hours_start, row.hours_end),
            template: row.template,
            last: row.last.map(|at| stamp(at, now, zone)),
        })
        .collect();
    Ok(Page::cut(rows, limit, cursor.as_ref(), |row: &RuleRow| format!("{}_{}", row.id, row.name)))
}

/// A rule and a call that it is for.
pub(crate) struct Due {
    pub rule: TextRuleId,
    pub template: String,
    pub number: Option<NumberId>,
    pub send_at: DateTime<Utc>,
    pub client: ClientId,
    pub client_name: String,
    pub call: CallId,
    pub agent: Option<String>,
    /// Ours and the person's.
    pub ours: Option<String>,
    pub other: String,
    pub contact: Option<ContactId>,
    pub name: Option<String>,
    pub company: Option<String>,
    pub email: Option<String>,
    pub attributes: Option<Json<BTreeMap<String, String>>>,
}

/// The rules that are for these calls, and have no message yet. A call's outcome is final when nobody was reached, and else when a model has
/// read it, or none will. Tests, and calls of the past that an import brings, are nobody's to be written to. `late`: the calls ended a while
/// ago, so only rules count that stood as they are when the call ended.
pub(crate) async fn due(tx: &mut ReadTx, calls: &[Uuid], late: bool) -> Result<Vec<Due>, AppError> {
    Ok(sqlx::query_as!(
        Due,
        r#"with told as (
             select c.id, c.client_id, c.agent_id, c.contact_id, c.joined_at, c.ended_at,
                    case when c.direction = 'inbound' then c."to" else c."from" end as ours,
                    case when c.direction = 'inbound' then c."from" else c."to" end as other,
                    case when c.direction = 'inbound' and c.joined_at is null then 'missed'
                         else coalesce(c.outcome::text, c.result) end as outcome
             from calls c
             where c.workspace_id = $1 and c.id = any ($2) and c.client_id is not null and not c.is_test and c.source = 'webhook'
               and c.ended_at > now() - interval '1 day'
               and (c.joined_at is null or c.analysis_status is null or c.analysis_status in ('completed', 'failed')
                    or c.transcript_status = 'failed')
           )
           select r.id as "rule: TextRuleId", r.template, r.from_number_id as "number: NumberId",
                  now() + make_interval(mins => r.delay_minutes) as "send_at!", cl.id as "client: ClientId", cl.name as client_name,
                  t.id as "call!: CallId", a.name as "agent?", t.ours, t.other as "other!", p.id as "contact?: ContactId",
                  p.name as "name?", p.company, p.email, p.attributes as "attributes?: Json<BTreeMap<String, String>>"
           from told t
           join text_rules r on r.workspace_id = $1 and r.client_id = t.client_id and r.enabled and r.removed_at is null
             and t.outcome = any (r.outcomes) and (not $3 or r.updated_at <= t.ended_at)
           join clients cl on cl.workspace_id = $1 and cl.id = t.client_id and cl.status = 'active'
           left join agents a on a.workspace_id = $1 and a.id = t.agent_id
           left join contacts p on p.workspace_id = $1 and p.id = t.contact_id
           where t.other ~ '^\+[1-9][0-9]{6,14}$'
             and not exists (select from text_messages m where m.workspace_id = $1 and m.rule_id = r.id and m.call_id = t.id)
           order by t.id, r.id"#,
        tx.workspace_uuid(),
        calls,
        late
    )
    .fetch_all(tx.conn())
    .await?)
}

/// Calls of clients with rules that no model will read, because that failed: of these no event tells (table of calls: read only).
pub(crate) async fn unread(tx: &mut ReadTx) -> Result<Vec<Uuid>, AppError> {
    Ok(sqlx::query_scalar!(
        "select c.id from calls c
         where c.workspace_id = $1 and (c.analysis_status = 'failed' or c.transcript_status = 'failed')
           and c.started_at > now() - interval '2 days' and c.ended_at > now() - interval '1 day'
           and exists (select from text_rules r where r.workspace_id = $1 and r.client_id = c.client_id and r.enabled
                       and r.removed_at is null)
         order by c.started_at desc, c.id desc limit 1000",
        tx.workspace_uuid()
    )
    .fetch_all(tx.conn())
    .await?)
}
