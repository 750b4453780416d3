//! Statements about messages and the numbers they go out from. `list` has those of the pages, `rules` those about rules, `incoming` those
//! about what carriers report.

pub(crate) mod incoming;
pub(crate) mod list;
pub(crate) mod numbers;
pub(crate) mod rules;

use chrono::{DateTime, NaiveTime, Utc};
use rust_decimal::Decimal;

use crate::model::{TextSource, TextState};
use patchbay_access::server::{ReadTx, WriteTx};
use patchbay_shared::AppError;
use patchbay_shared::ids::{CallId, ClientId, ContactId, IntegrationId, NumberId, TextMessageId, TextRuleId};

/// A message that goes out, as it is stored.
#[derive(Debug, Clone)]
pub(crate) struct Message {
    pub id: TextMessageId,
    pub client: ClientId,
    pub contact: Option<ContactId>,
    pub source: TextSource,
    pub number: NumberId,
    pub other: String,
    pub body: String,
    pub state: TextState,
    pub carrier: String,
    pub carrier_id: Option<String>,
    pub cost: Option<Decimal>,
    pub send_at: Option<DateTime<Utc>>,
    pub asked_at: Option<DateTime<Utc>>,
    pub asks: i32,
}

/// Holds a message that goes out. Errors: `NotFound`.
pub(crate) async fn lock(tx: &mut WriteTx, id: TextMessageId) -> Result<Message, AppError> {
    Ok(sqlx::query_as!(
        Message,
        r#"select id as "id: TextMessageId", client_id as "client: ClientId", contact_id as "contact: ContactId",
                  source as "source: TextSource", number_id as "number: NumberId", other_number as other, body,
                  state as "state: TextState", carrier, carrier_message_id as carrier_id, cost_usd as cost, send_at, asked_at,
                  asks
           from text_messages where workspace_id = $1 and id = $2 and direction = 'out' for update"#,
        tx.workspace_uuid(),
        id.0
    )
    .fetch_one(tx.conn())
    .await?)
}

/// The same without holding it.
pub(crate) async fn get(tx: &mut ReadTx, id: TextMessageId) -> Result<Message, AppError> {
    Ok(sqlx::query_as!(
        Message,
        r#"select id as "id: TextMessageId", client_id as "client: ClientId", contact_id as "contact: ContactId",
                  source as "source: TextSource", number_id as "number: NumberId", other_number as other, body,
                  state as "state: TextState", carrier, carrier_message_id as carrier_id, cost_usd as cost, send_at, asked_at,
                  asks
           from text_messages where workspace_id = $1 and id = $2 and direction = 'out'"#,
        tx.workspace_uuid(),
        id.0
    )
    .fetch_one(tx.conn())
    .await?)
}

/// All that decides whether a message may be sent now (tables of others: read only).
#[derive(Debug, Clone)]
pub(crate) struct Standing {
    pub number: String,
    pub number_is_active: bool,
    pub number_can: bool,
    /// The number is the client's or the whole agency's.
    pub number_is_ours: bool,
    pub integration: Option<IntegrationId>,
    pub client_is_active: bool,
    /// The contact's, else the client's.
    pub timezone: String,
    pub do_not_call: bool,
    /// None: no rule sends it. False: the rule is off or gone.
    pub rule_is_on: Option<bool>,
    pub hours_start: Option<NaiveTime>,
    pub hours_end: Option<NaiveTime>,
    /// What rules and agents sent this person within a day, without this one.
    pub of_today: i64,
}

/// How things stand for a message. Errors: `NotFound`.
pub(crate) async fn standing(tx: &mut ReadTx, id: TextMessageId) -> Result<Standing, AppError> {
    Ok(sqlx::query_as!(
        Standing,
        r#"select n.number, n.status = 'active' as "number_is_active!",
                  (cardinality(n.capabilities) = 0 or 'sms' = any (n.capabilities)) as "number_can!",
                  (n.client_id is null or n.client_id = m.client_id) as "number_is_ours!", n.integration_id as "integration: IntegrationId",
                  c.status = 'active' as "client_is_active!", coalesce(p.timezone, c.timezone) as "timezone!",
                  (coalesce(p.do_not_call, false) or exists (
                     select from contacts k where k.workspace_id = $1 and k.id = m.contact_id and k.do_not_call)) as "do_not_call!",
                  case when m.rule_id is not null then r.enabled and r.removed_at is null end as rule_is_on,
                  r.hours_start as "hours_start?", r.hours_end as "hours_end?",
                  (select count(*) from text_messages o
                   where o.workspace_id = $1 and o.client_id = m.client_id and o.other_number = m.other_number and o.direction = 'out'
                     and o.source in ('rule', 'agent') and o.asked_at > now() - interval '1 day' and o.id <> m.id) as "of_today!"
           from text_messages m
           join agency_phone_numbers n on n.workspace_id = $1 and n.id = m.number_id
           join clients c on c.workspace_id = $1 and c.id = m.client_id
           left join contacts p on p.workspace_id = $1 and p.client_id = m.client_id and p.phone = m.other_number
           left join text_rules r on r.workspace_id = $1 and r.id = m.rule_id
           where m.workspace_id = $1 and m.id = $2"#,
        tx.workspace_uuid(),
        id.0
    )
    .fetch_one(tx.conn())
    .await?)
}

/// A message to be written down.
pub(crate) struct NewMessage<'a> {
    pub id: TextMessageId,
    pub client: ClientId,
    pub contact: Option<ContactId>,
    pub call: Option<CallId>,
    pub rule: Option<TextRuleId>,
    pub source: TextSource,
    pub number: NumberId,
    pub other: &'a str,
    pub body: &'a str,
    pub parts: i32,
    /// Why it is not sent at all.
    pub problem: Option<&'a str>,
    pub send_at: DateTime<Utc>,
}

/// Writes a message down, once for each rule and call, and once for each id. False: it was there.
pub(crate) async fn insert(tx: &mut WriteTx, new: &NewMessage<'_>) -> Result<bool, AppError> {
    let done = sqlx::query!(
        "insert into text_messages (workspace_id, id, client_id, contact_id, call_id, rule_id, direction, source, number_id, other_number,
           body, parts, state, problem, carrier, send_at, done_at)
         select $1, $2, $3, $4, $5, $6, 'out', $7, n.id, $9, $10, $11, case when $12::text is null then 'waiting' else 'not_sent' end, $12,
                n.provider, $13, case when $12::text is not null then now() end
         from agency_phone_numbers n where n.workspace_id = $1 and n.id = $8
         on conflict do nothing",
        tx.workspace_uuid(),
        new.id.0,
        new.client.0,
        new.contact.map(|id| id.0),
        new.call.map(|id| id.0),
        new.rule.map(|id| id.0),
        new.source as TextSource,
        new.number.0,
        new.other,
        new.body,
        new.parts,
        new.problem,
        new.send_at,
    )
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected() == 1)
}

/// The carrier is asked from now on.
pub(crate) async fn begin(tx: &mut WriteTx, id: TextMessageId) -> Result<(), AppError> {
    sqlx::query!(
        "update text_messages set state = 'sending', asked_at = now(), asks = asks + 1, problem = null where workspace_id = $1 and id = $2",
        tx.workspace_uuid(),
        id.0
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// It was not sent, for sure, and is tried again.
pub(crate) async fn back_to_waiting(tx: &mut WriteTx, id: TextMessageId, why: &str) -> Result<(), AppError> {
    sqlx::query!(
        "update text_messages set state = 'waiting', problem = $3 where workspace_id = $1 and id = $2",
        tx.workspace_uuid(),
        id.0,
        why
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// What is known of a message.
pub(crate) struct Known<'a> {
    pub state: TextState,
    pub problem: Option<&'a str>,
    pub carrier_id: Option<&'a str>,
    pub parts: Option<i32>,
    pub cost: Option<Decimal>,
}

/// What a message counts for: the moment, once a carrier has it, and its cost before and after a change.
pub(crate) struct Counted {
    pub at: Option<DateTime<Utc>>,
    pub was: Option<Decimal>,
    pub is: Option<Decimal>,
}

/// Writes down what became of a message. What is not said now stays as it is. Of two messages of the same words, which events may have taken
/// for each other, each keeps the carrier's id that it has.
pub(crate) async fn settle(tx: &mut WriteTx, id: TextMessageId, known: &Known<'_>) -> Result<Counted, AppError> {
    Ok(sqlx::query_as!(
        Counted,
        r#"with before as (select cost_usd from text_messages where workspace_id = $1 and id = $2)
           update text_messages m
           set state = $3, problem = $4, parts = coalesce($6, m.parts), cost_usd = coalesce($7, m.cost_usd),
               carrier_message_id = coalesce(m.carrier_message_id, case when not exists (
                 select from text_messages o where o.workspace_id = $1 and o.carrier = m.carrier and o.carrier_message_id = $5) then $5 end),
               taken_at = coalesce(m.taken_at, case when $5::text is not null then coalesce(m.asked_at, now()) end),
               done_at = case when $3 in ('delivered', 'failed', 'not_sent') then coalesce(m.done_at, now()) end
           from before
           where m.workspace_id = $1 and m.id = $2
           returning m.taken_at as at, before.cost_usd as was, m.cost_usd as is"#,
        tx.workspace_uuid(),
        id.0,
        known.state as TextState,
        known.problem,
        known.carrier_id,
        known.parts,
        known.cost,
    )
    .fetch_one(tx.conn())
    .await?)
}

/// Parts and price of a message that is over already.
pub(crate) async fn add_price(
    tx: &mut WriteTx,
    id: TextMessageId,
    parts: Option<i32>,
    cost: Option<Decimal>,
) -> Result<Counted, AppError> {
    Ok(sqlx::query_as!(
        Counted,
        r#"with before as (select cost_usd from text_messages where workspace_id = $1 and id = $2)
           update text_messages m set parts = coalesce($3, m.parts), cost_usd = coalesce($4, m.cost_usd) from before
           where m.workspace_id = $1 and m.id = $2
           returning m.taken_at as at, before.cost_usd as was, m.cost_usd as is"#,
        tx.workspace_uuid(),
        id.0,
        parts,
        cost
    )
    .fetch_one(tx.conn())
    .await?)
}

/// Messages that wait, or whose answer is not known, and at which nobody has been for a while.
pub(crate) async fn forgotten(tx: &mut ReadTx) -> Result<Vec<TextMessageId>, AppError> {
    Ok(sqlx::query_scalar!(
        r#"select id as "id: TextMessageId" from text_messages
           where workspace_id = $1 and state in ('waiting', 'sending') and coalesce(asked_at, send_at, at) < now() - interval '5 minutes'
           order by id limit 500"#,
        tx.workspace_uuid()
    )
    .fetch_all(tx.conn())
    .await?)
}
