//! All statements that change `agency_phone_numbers`. `store::routes`: where the carrier sends their calls, and who answers them.
//! `store::checks`: whether it still does, and when it is asked.

pub(crate) mod accounts;
pub(crate) mod carriers;
pub(crate) mod checks;
pub(crate) mod routes;

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use sqlx::types::Json;
use uuid::Uuid;

use crate::model::{AgentChoice, AnswerHours, Assignment, NewNumber, NumberQuery, NumberRow, NumberStatus, drift};
use patchbay_access::server::{ReadTx, WriteTx};
use patchbay_agents::model::AgentStatus;
use patchbay_agents::model::CallDirection;
use patchbay_shared::ids::{AgentId, ClientId, NumberId};
use patchbay_shared::search::{filled, like, name_place};
use patchbay_shared::zone::stamp;
use patchbay_shared::{AppError, Cursor, Money, Page};

/// Rows of one statement in one direction of the list; the two directions differ in two words only.
macro_rules! list_in {
    ($after:tt, $way:tt, $tx:expr, $query:expr, $wanted:expr, $number:expr, $id:expr, $limit:expr) => {
        sqlx::query!(
            r#"select n.id, n.number, n.status as "status: NumberStatus", n.direction as "direction: CallDirection", n.country, n.provider,
                      n.monthly_cost, n.last_error, n.purchased_at, n.released_at, c.name as "client?", a.name as "agent?",
                      n.route_error, n.routed_to is not null as "is_routed!", n.carrier_connection, n.carrier_connection_name, n.carrier_connection_kind,
                      coalesce(n.routed_to is not null and n.status = 'active' and n.direction = 'inbound'
                               and n.carrier_connection is distinct from n.routed_to, false) as "has_drifted!"
               from agency_phone_numbers n
               left join clients c on c.workspace_id = $1 and c.id = n.client_id
               left join agents a on a.workspace_id = $1 and a.id = n.agent_id
               where n.workspace_id = $1
                 and ($2::text is null or n.number like $2)
                 and (($3::text is null and n.status <> 'released') or n.status::text = $3)
                 and ($4::uuid is null or n.client_id is null or n.client_id = $4)
                 and ($5::text is null or n.direction::text = $5)
                 and ($10::text is null or n.provider = $10 or n.integration_id::text = $10)
                 and ($9::text is null or (n.status = 'active' and n.direction = 'inbound' and (n.route_error is not null
                      or (n.routed_to is not null and n.carrier_connection is distinct from n.routed_to))))
                 and ($6::text is null or (n.number, n.id) "# + $after + r#" ($6, $7::uuid))
               order by n.number "# + $way + r#", n.id "# + $way + r#" limit $8"#,
            $tx.workspace_uuid(), like(digits($query.words.as_deref()).as_deref()), filled($query.status.as_deref()), $wanted,
            filled($query.direction.as_deref()), $number, $id, $limit, filled($query.route.as_deref()), filled($query.carrier.as_deref())
        )
    };
}

/// Numbers in their own order. `limit` rows on a page.
pub async fn list(tx: &mut ReadTx, query: &NumberQuery, limit: usize) -> Result<Page<NumberRow>, AppError> {
    let (now, zone) = (tx.now().await?, tx.scope().zone());
    let cursor = Cursor::parse(query.cursor.as_deref());
    let place = cursor.as_ref().and_then(|cursor| name_place(&cursor.key));
    let (number, id) = place.map_or((None, None), |(number, id)| (Some(number), Some(id)));
    let wanted: Option<Uuid> =
        filled(query.client.as_deref()).map(|id| id.parse::<ClientId>()).transpose()?.map(|id| id.0);
    let most = limit as i64 + 1;
    // The two statements' rows are of two types, so each is turned into the page's row at once.
    macro_rules! row {
        ($row:expr) => {{
            let row = $row;
            let kind = row.carrier_connection_kind.as_deref();
            let found = checks::connection(row.carrier_connection, row.carrier_connection_name, kind);
            let is_called = row.status == NumberStatus::Active && row.direction == CallDirection::Inbound;
            NumberRow {
                arrives: row.is_routed && !row.has_drifted && row.route_error.is_none(),
                has_drifted: row.has_drifted,
                // What is not there at all says more than where it went.
                route_trouble: row
                    .route_error
                    .filter(|_| is_called)
                    .or_else(|| row.has_drifted.then(|| drift(&row.provider, found.as_ref()))),
                id: NumberId(row.id),
                number: row.number,
                status: row.status,
                direction: row.direction,
                client: row.client,
                agent: row.agent,
                country: row.country,
                carrier: row.provider,
                monthly_cost: row.monthly_cost.map(Money),
                error: row.last_error,
                purchased: row.purchased_at.map(|at| stamp(at, now, zone)),
                released: row.released_at.map(|at| stamp(at, now, zone)),
            }
        }};
    }
    let rows: Vec<NumberRow> = if cursor.as_ref().is_some_and(|cursor| !cursor.older) {
        let found = list_in!("<", "desc", tx, query, wanted, number, id, most).fetch_all(tx.conn()).await?;
        found.into_iter().map(|row| row!(row)).collect()
    } else {
        let found = list_in!(">", "asc", tx, query, wanted, number, id, most).fetch_all(tx.conn()).await?;
        found.into_iter().map(|row| row!(row)).collect()
    };
    Ok(Page::cut(rows, limit, cursor.as_ref().filter(|_| number.is_some()), |row| format!("{}_{}", row.id, row.number)))
}

/// A number as it stands.
pub(crate) struct Number {
    pub id: Uuid,
    pub number: String,
    pub status: NumberStatus,
    pub direction: CallDirection,
    pub client_id: Option<Uuid>,
    pub client: Option<String>,
    pub agent_id: Option<Uuid>,
    pub agent: Option<String>,
    pub provider_number_id: Option<String>,
    pub provider_order_id: Option<String>,
    pub capabilities: Vec<String>,
    pub country: Option<String>,
    pub provider: String,
    pub integration_id: Option<Uuid>,
    pub monthly_cost: Option<Decimal>,
    pub purchased_at: Option<DateTime<Utc>>,
    pub released_at: Option<DateTime<Utc>>,
    pub last_error: Option<String>,
    pub created_at: DateTime<Utc>,
    pub answer_hours: Option<Json<AnswerHours>>,
    pub after_hours_agent_id: Option<Uuid>,
    pub after_hours_agent: Option<String>,
    pub after_hours_words: Option<String>,
    pub fallback_words: Option<String>,
    pub routed_to: Option<String>,
    pub routed_at: Option<DateTime<Utc>>,
    pub routed_before: Option<String>,
    /// The same at an account of the agency's own, sealed.
    pub calls_before: Option<String>,
    pub route_error: Option<String>,
    pub carrier_connection: Option<String>,
    pub carrier_connection_name: Option<String>,
    pub carrier_connection_kind: Option<String>,
    pub route_checked_at: Option<DateTime<Utc>>,
    pub client_zone: Option<String>,
}

pub(crate) async fn get(tx: &mut ReadTx, id: NumberId) -> Result<Number, AppError> {
    let workspace = tx.workspace_uuid();
    Ok(sqlx::query_as!(
        Number,
        r#"select n.id, n.number, n.status as "status: NumberStatus", n.direction as "direction: CallDirection", n.client_id,
                  c.name as "client?", n.agent_id, a.name as "agent?", n.provider_number_id, n.provider_order_id, n.capabilities,
                  n.country, n.provider, n.integration_id, n.monthly_cost, n.purchased_at, n.released_at, n.last_error, n.created_at,
                  n.answer_hours as "answer_hours: Json<AnswerHours>", n.after_hours_agent_id, l.name as "after_hours_agent?",
                  n.after_hours_words, n.fallback_words, n.routed_to, n.routed_at, n.routed_before, n.calls_before, n.route_error,
                  n.carrier_connection, n.carrier_connection_name, n.carrier_connection_kind, n.route_checked_at,
                  c.timezone as "client_zone?"
           from agency_phone_numbers n
           left join clients c on c.workspace_id = $1 and c.id = n.client_id
           left join agents a on a.workspace_id = $1 and a.id = n.agent_id
           left join agents l on l.workspace_id = $1 and l.id = n.after_hours_agent_id
           where n.workspace_id = $1 and n.id = $2"#,
        workspace,
        id.0
    )
    .fetch_one(tx.conn())
    .await?)
}

/// Holds a number against other writers until the commit. Errors: `NotFound`.
pub(crate) async fn lock(tx: &mut WriteTx, id: NumberId) -> Result<Number, AppError> {
    let workspace = tx.workspace_uuid();
    sqlx::query!("select id from agency_phone_numbers where workspace_id = $1 and id = $2 for update", workspace, id.0)
        .fetch_one(tx.conn())
        .await?;
    get(tx.reading(), id).await
}

/// Agents that a number can be assigned to, first those whose calls usually come in (tables of the crate agents: read for names only).
pub(crate) async fn agents(tx: &mut ReadTx) -> Result<Vec<AgentChoice>, AppError> {
    let workspace = tx.workspace_uuid();
    let rows = sqlx::query!(
        r#"select a.id, a.name, c.name as "client?",
                  exists (select from agent_mappings m where m.workspace_id = $1 and m.agent_id = a.id
                            and m.default_direction = 'inbound') as "is_for_callers!"
           from agents a
           left join clients c on c.workspace_id = $1 and c.id = a.client_id
           where a.workspace_id = $1 and a.is_active order by 4 desc, a.name, a.id limit 500"#,
        workspace
    )
    .fetch_all(tx.conn())
    .await?;
    let choice = rows.into_iter().map(|row| AgentChoice {
        id: AgentId(row.id),
        name: row.name,
        client: row.client,
        is_for_callers: row.is_for_callers,
    });
    Ok(choice.collect())
}

/// The client that an agent works for, with the agent's state (their own table: read for the check only).
pub(crate) async fn agent_client(
    tx: &mut ReadTx,
    id: AgentId,
) -> Result<Option<(Option<ClientId>, AgentStatus)>, AppError> {
    let workspace = tx.workspace_uuid();
    let row = sqlx::query!(
        r#"select client_id, status as "status: AgentStatus" from agents where workspace_id = $1 and id = $2 and is_active"#,
        workspace,
        id.0
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|row| (row.client_id.map(ClientId), row.status)))
}

/// Whether a number can be given to this client: it is there and not archived (their own table: read for the check only).
pub(crate) async fn is_active_client(tx: &mut ReadTx, id: ClientId) -> Result<bool, AppError> {
    let workspace = tx.workspace_uuid();
    Ok(sqlx::query_scalar!(
        r#"select exists (select from clients where workspace_id = $1 and id = $2 and status = 'active') as "active!""#,
        workspace,
        id.0
    )
    .fetch_one(tx.conn())
    .await?)
}

/// Ids and names of campaigns that call from a number; `only_active` leaves out the others (their own table: read for names only).
pub(crate) async fn campaigns(
    tx: &mut ReadTx,
    id: NumberId,
    only_active: bool,
) -> Result<Vec<(String, String)>, AppError> {
    let workspace = tx.workspace_uuid();
    let rows = sqlx::query!(
        "select id, name from campaigns where workspace_id = $1 and number_id = $2 and (status = 'active' or not $3)
         and status <> 'archived' order by id desc limit 100",
        workspace,
        id.0,
        only_active
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(|row| (row.id.to_string(), row.name)).collect())
}

pub(crate) async fn insert(tx: &mut WriteTx, id: NumberId, new: &NewNumber) -> Result<(), AppError> {
    let workspace = tx.workspace_uuid();
    sqlx::query!(
        "insert into agency_phone_numbers (workspace_id, id, number, direction, status, client_id, agent_id, provider_number_id,
                capabilities, country, monthly_cost, last_error, purchased_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, case when $5 = 'active'::phone_number_status then now() end)",
        workspace,
        id.0,
        new.number.as_str(),
        new.direction as CallDirection,
        new.status as NumberStatus,
        new.client_id.map(|id| id.0),
        new.agent_id.map(|id| id.0),
        new.provider_number_id,
        &new.capabilities,
        new.country,
        new.monthly_cost,
        new.last_error,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

pub(crate) async fn assign(tx: &mut WriteTx, id: NumberId, to: &Assignment) -> Result<(), AppError> {
    let workspace = tx.workspace_uuid();
    sqlx::query!(
        "update agency_phone_numbers set client_id = $3, agent_id = $4, direction = $5, answer_hours = $6, after_hours_agent_id = $7,
                after_hours_words = $8, fallback_words = $9, updated_at = now()
         where workspace_id = $1 and id = $2",
        workspace,
        id.0,
        to.client_id.map(|id| id.0),
        to.agent_id.map(|id| id.0),
        to.direction as CallDirection,
        to.answering.hours.as_ref().map(Json) as _,
        to.answering.after_hours_agent_id.map(|id| id.0),
        to.answering.after_hours_words,
        to.answering.fallback_words
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Sets a status; `error` replaces what is said about the number.
pub(crate) async fn set_status(
    tx: &mut WriteTx,
    id: NumberId,
    status: NumberStatus,
    error: Option<&str>,
) -> Result<(), AppError> {
    let workspace = tx.workspace_uuid();
    sqlx::query!(
        "update agency_phone_numbers
         set status = $3, last_error = $4, updated_at = now(),
             released_at = case when $3 = 'released'::phone_number_status then now() else released_at end,
             agent_id = case when $3 = 'released'::phone_number_status then null else agent_id end,
             after_hours_agent_id = case when $3 = 'released'::phone_number_status then null else after_hours_agent_id end
         where workspace_id = $1 and id = $2 and status <> 'released'",
        workspace,
        id.0,
        status as NumberStatus,
        error
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

pub(crate) async fn set_error(tx: &mut WriteTx, id: NumberId, error: Option<&str>) -> Result<(), AppError> {
    let workspace = tx.workspace_uuid();
    sqlx::query!(
        "update agency_phone_numbers set last_error = $3, updated_at = now()
         where workspace_id = $1 and id = $2 and last_error is distinct from $3",
        workspace,
        id.0,
        error
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

pub(crate) async fn set_order(tx: &mut WriteTx, id: NumberId, order_id: &str) -> Result<(), AppError> {
    let workspace = tx.workspace_uuid();
    sqlx::query!(
        "update agency_phone_numbers set provider_order_id = $3, last_error = null, updated_at = now()
         where workspace_id = $1 and id = $2",
        workspace,
        id.0,
        order_id
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// The ordered number is ours. False when it was not pending any more.
pub(crate) async fn set_bought(
    tx: &mut WriteTx,
    id: NumberId,
    provider_number_id: &str,
    country: Option<&str>,
) -> Result<bool, AppError> {
    let workspace = tx.workspace_uuid();
    let done = sqlx::query!(
        "update agency_phone_numbers
         set status = 'active', provider_number_id = $3, country = coalesce($4, country), purchased_at = now(), last_error = null,
             updated_at = now()
         where workspace_id = $1 and id = $2 and status = 'pending'",
        workspace,
        id.0,
        provider_number_id,
        country
    )
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected() == 1)
}

/// The number that waits for this order: by the carrier's id, or by our reference, which is the number's own id.
pub(crate) async fn find_pending(
    tx: &mut ReadTx,
    order_id: &str,
    reference: Option<&str>,
) -> Result<Option<NumberId>, AppError> {
    let workspace = tx.workspace_uuid();
    let own: Option<Uuid> = reference.and_then(|text| text.parse().ok());
    let id = sqlx::query_scalar!(
        "select id from agency_phone_numbers
         where workspace_id = $1 and status = 'pending' and (provider_order_id = $2 or id = $3) limit 1",
        workspace,
        order_id,
        own
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(id.map(NumberId))
}

/// Takes every number out of use, saying why.
pub(crate) async fn deactivate_all(
    tx: &mut WriteTx,
    why: &str,
) -> Result<Vec<(NumberId, Option<ClientId>, NumberStatus)>, AppError> {
    let workspace = tx.workspace_uuid();
    let rows = sqlx::query!(
        r#"update agency_phone_numbers n set status = 'inactive', last_error = $2, routed_to = null, routed_at = null, routed_before = null,
                  route_error = null, carrier_connection = null, carrier_connection_name = null, carrier_connection_kind = null,
                  route_checked_at = null, updated_at = now()
           from (select id, status from agency_phone_numbers
                 where workspace_id = $1 and provider = 'telnyx' and status in ('pending', 'active') order by id for update) was
           where n.workspace_id = $1 and n.id = was.id
           returning n.id as "id: NumberId", n.client_id as "client: ClientId", was.status as "was!: NumberStatus""#,
        workspace,
        why
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(|row| (row.id, row.client, row.was)).collect())
}

/// What people type to find a number: only its digits count.
fn digits(words: Option<&str>) -> Option<String> {
    let digits: String = words?.chars().filter(char::is_ascii_digit).collect();
    // Words without any digit find nothing, rather than everything.
    if digits.is_empty() { filled(words).map(|_| "none".to_owned()) } else { Some(digits) }
}
