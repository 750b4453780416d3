//! What carriers report: which number, whose client, and which message it is about.

use crate::model::{Said, TextState};
use patchbay_access::server::{ReadTx, WriteTx};
use patchbay_shared::AppError;
use patchbay_shared::ids::{ClientId, ContactId, IntegrationId, NumberId, TextMessageId};
use rust_decimal::Decimal;

/// The number of this account that somebody wrote to, and its client (table of numbers: read only).
pub(crate) async fn number(
    tx: &mut ReadTx,
    carrier: &str,
    account: Option<IntegrationId>,
    number: &str,
) -> Result<Option<(NumberId, Option<ClientId>)>, AppError> {
    let row = sqlx::query!(
        r#"select id as "id: NumberId", client_id as "client: ClientId" from agency_phone_numbers
           where workspace_id = $1 and number = $2 and provider = $3 and integration_id is not distinct from $4
             and status <> 'released'"#,
        tx.workspace_uuid(),
        number,
        carrier,
        account.map(|id| id.0)
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|row| (row.id, row.client)))
}

/// The clients whose messages and calls went from this number to this person, the newest first: a number of the whole agency is several
/// clients' (tables of numbers and calls: read only).
pub(crate) async fn wrote_to(tx: &mut ReadTx, number: NumberId, other: &str) -> Result<Vec<ClientId>, AppError> {
    Ok(sqlx::query_scalar!(
        r#"select client_id as "client!: ClientId" from (
             select m.client_id, m.asked_at as at from text_messages m
             where m.workspace_id = $1 and m.number_id = $2 and m.other_number = $3 and m.direction = 'out' and m.asked_at is not null
             union all
             select c.client_id, c.created_at as at from calls c
             join agency_phone_numbers n on n.workspace_id = $1 and n.id = $2
             where c.workspace_id = $1 and c.direction = 'outbound' and c."from" = n.number and c."to" = $3
               and c.client_id is not null and not c.is_test
           ) reached
           group by client_id order by max(at) desc limit 50"#,
        tx.workspace_uuid(),
        number.0,
        other
    )
    .fetch_all(tx.conn())
    .await?)
}

/// A message that came in.
pub(crate) struct NewIncoming<'a> {
    pub id: TextMessageId,
    pub client: ClientId,
    pub contact: Option<ContactId>,
    pub number: NumberId,
    pub other: &'a str,
    pub body: &'a str,
    pub parts: Option<i32>,
    pub carrier: &'a str,
    pub carrier_id: &'a str,
    pub keyword: Option<Said>,
}

/// Writes down what came in. False: it was there already.
pub(crate) async fn insert(tx: &mut WriteTx, new: &NewIncoming<'_>) -> Result<bool, AppError> {
    let done = sqlx::query!(
        "insert into text_messages (workspace_id, id, client_id, contact_id, direction, source, number_id, other_number, body, state, carrier,
           carrier_message_id, parts, keyword)
         values ($1, $2, $3, $4, 'in', 'contact', $5, $6, $7, 'received', $8, $9, $10, $11)
         on conflict do nothing",
        tx.workspace_uuid(),
        new.id.0,
        new.client.0,
        new.contact.map(|id| id.0),
        new.number.0,
        new.other,
        new.body,
        new.carrier,
        new.carrier_id,
        new.parts,
        new.keyword as Option<Said>,
    )
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected() == 1)
}

/// From now on it is this contact's.
pub(crate) async fn set_contact(tx: &mut WriteTx, id: TextMessageId, contact: ContactId) -> Result<(), AppError> {
    sqlx::query!(
        "update text_messages set contact_id = $3 where workspace_id = $1 and id = $2",
        tx.workspace_uuid(),
        id.0,
        contact.0
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// A message that a report is about.
pub(crate) struct Reported {
    pub id: TextMessageId,
    pub client: ClientId,
    pub contact: Option<ContactId>,
    pub other: String,
    pub state: TextState,
    pub carrier_id: Option<String>,
    pub cost: Option<Decimal>,
}

/// Holds the message that the carrier calls so.
pub(crate) async fn known(tx: &mut WriteTx, carrier: &str, id: &str) -> Result<Option<Reported>, AppError> {
    Ok(sqlx::query_as!(
        Reported,
        r#"select id as "id: TextMessageId", client_id as "client: ClientId", contact_id as "contact: ContactId", other_number as other,
                  state as "state: TextState", carrier_message_id as carrier_id, cost_usd as cost
           from text_messages where workspace_id = $1 and carrier = $2 and carrier_message_id = $3 and direction = 'out' for update"#,
        tx.workspace_uuid(),
        carrier,
        id
    )
    .fetch_optional(tx.conn())
    .await?)
}

/// Holds the message that this account of the carrier was asked to send, unless it has it under another id.
pub(crate) async fn named(
    tx: &mut WriteTx,
    (carrier, account): (&str, Option<IntegrationId>),
    message: TextMessageId,
    id: &str,
) -> Result<Option<Reported>, AppError> {
    Ok(sqlx::query_as!(
        Reported,
        r#"select m.id as "id: TextMessageId", m.client_id as "client: ClientId", m.contact_id as "contact: ContactId",
                  m.other_number as other, m.state as "state: TextState", m.carrier_message_id as carrier_id, m.cost_usd as cost
           from text_messages m join agency_phone_numbers n on n.workspace_id = $1 and n.id = m.number_id
           where m.workspace_id = $1 and m.id = $3 and m.carrier = $2 and m.direction = 'out' and m.asked_at is not null
             and (m.carrier_message_id is null or m.carrier_message_id = $4) and n.integration_id is not distinct from $5
           for update of m"#,
        tx.workspace_uuid(),
        carrier,
        message.0,
        id,
        account.map(|id| id.0)
    )
    .fetch_optional(tx.conn())
    .await?)
}

/// Holds the oldest message of these words whose own answer was never heard, and that was asked for lately.
pub(crate) async fn unheard(
    tx: &mut WriteTx,
    carrier: &str,
    from: &str,
    to: &str,
    text: &str,
) -> Result<Option<Reported>, AppError> {
    Ok(sqlx::query_as!(
        Reported,
        r#"select m.id as "id: TextMessageId", m.client_id as "client: ClientId", m.contact_id as "contact: ContactId",
                  m.other_number as other, m.state as "state: TextState", m.carrier_message_id as carrier_id, m.cost_usd as cost
           from text_messages m join agency_phone_numbers n on n.workspace_id = $1 and n.id = m.number_id
           where m.workspace_id = $1 and m.carrier = $2 and m.carrier_message_id is null and m.direction = 'out'
             and m.state in ('sending', 'sent', 'failed') and m.asked_at > now() - interval '1 hour' and n.number = $3 and m.other_number = $4
             and m.body = $5
           order by m.asked_at limit 1 for update of m"#,
        tx.workspace_uuid(),
        carrier,
        from,
        to,
        text
    )
    .fetch_optional(tx.conn())
    .await?)
}

/// Which of the carrier's ids are known.
pub(crate) async fn known_ids(tx: &mut ReadTx, carrier: &str, ids: &[String]) -> Result<Vec<String>, AppError> {
    Ok(sqlx::query_scalar!(
        r#"select carrier_message_id as "id!" from text_messages
           where workspace_id = $1 and carrier = $2 and carrier_message_id = any ($3)"#,
        tx.workspace_uuid(),
        carrier,
        ids
    )
    .fetch_all(tx.conn())
    .await?)
}
