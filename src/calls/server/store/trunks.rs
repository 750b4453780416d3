//! What Twilio and Plivo tell of calls on numbers at an account of the agency's own, whether the voice service dialled them or they came in:
//! why nobody was reached, and, asked for afterwards, the price.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use uuid::Uuid;

use crate::server::carrier;
use patchbay_access::server::WriteTx;
use patchbay_jobs::live::Topic;
use patchbay_shared::AppError;
use patchbay_shared::ids::{BatchId, CallId, ClientId, IntegrationId};

/// A report of a carrier, whose sender is known.
pub struct Report<'a> {
    /// The carrier's name.
    pub provider: &'a str,
    /// The account that it belongs to.
    pub account: IntegrationId,
    /// None: one that came in.
    pub call: Option<CallId>,
    /// The carrier's id of the call.
    pub leg: &'a str,
    /// What makes this report one of a kind.
    pub event_id: &'a str,
    /// The carrier's word for how the call stands.
    pub status: &'a str,
    /// The call could not be put through, with what is known of the reason.
    pub failure: Option<String>,
    pub payload: serde_json::Value,
}

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heard {
    New,
    /// It came before.
    Known,
    /// There is no such call on a number of this account.
    Nowhere,
}

/// Adds a report to its call. The same one twice adds nothing.
pub async fn heard(tx: &mut WriteTx, report: &Report<'_>, at: DateTime<Utc>) -> Result<Heard, AppError> {
    let found = sqlx::query!(
        r#"select c.id as "id: CallId", c.client_id as "client_id: ClientId", c.batch_id as "batch_id: BatchId", c."from", c."to",
                  c.direction = 'inbound' as "came_in!"
           from calls c
           join agency_phone_numbers n on n.workspace_id = $1 and n.number = case c.direction when 'inbound' then c."to" else c."from" end
                and n.integration_id = $3 and n.provider = $4
           where c.workspace_id = $1 and (c.id = $2 or ($2::uuid is null and c.direction = 'inbound' and c.carrier_call_id = $5))
           limit 1 for update of c"#,
        tx.workspace_uuid(),
        report.call.map(|call| call.0),
        report.account.0,
        report.provider,
        report.leg
    )
    .fetch_optional(tx.conn())
    .await?;
    let Some(found) = found else { return Ok(Heard::Nowhere) };
    let is_new = sqlx::query!(
        "insert into call_events (workspace_id, id, call_id, client_id, provider, event_id, event_type, occurred_at, payload)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9) on conflict (workspace_id, call_id, provider, event_id) do nothing",
        tx.workspace_uuid(),
        Uuid::now_v7(),
        found.id.0,
        found.client_id.map(|client| client.0),
        report.provider,
        report.event_id,
        report.status,
        at,
        report.payload,
    )
    .execute(tx.conn())
    .await?;
    if is_new.rows_affected() == 0 {
        return Ok(Heard::Known);
    }
    sqlx::query!(
        r#"insert into call_legs (workspace_id, provider, leg, call_id, "from", "to", started_at) values ($1, $2, $3, $4, $5, $6, $7)
           on conflict (workspace_id, provider, leg) do nothing"#,
        tx.workspace_uuid(),
        report.provider,
        report.leg,
        found.id.0,
        found.from,
        found.to,
        at,
    )
    .execute(tx.conn())
    .await?;
    // Why a call that came in was missed is said already.
    if let Some(why) = report.failure.as_ref().filter(|_| !found.came_in) {
        carrier::explain(tx, found.id, why).await?;
    }
    tx.notify(Topic::one("call", found.id), found.client_id);
    if let Some(batch) = found.batch_id {
        tx.notify(Topic::one("batch", batch), found.client_id);
    }
    Ok(Heard::New)
}

/// What a leg cost, as the carrier says now. Safe to repeat.
pub async fn priced(
    tx: &mut WriteTx,
    provider: &str,
    leg: &str,
    cost: Decimal,
    at: DateTime<Utc>,
) -> Result<(), AppError> {
    let call = sqlx::query!(
        r#"select c.id as "id: CallId", c.client_id as "client_id: ClientId" from calls c
           where c.workspace_id = $1 and c.id = (select l.call_id from call_legs l where l.workspace_id = $1 and l.provider = $2 and l.leg = $3)
           for update of c"#,
        tx.workspace_uuid(),
        provider,
        leg
    )
    .fetch_optional(tx.conn())
    .await?;
    let Some(call) = call else { return Ok(()) };
    sqlx::query!(
        "update call_legs set cost = $4, cost_at = $5 where workspace_id = $1 and provider = $2 and leg = $3 and cost is distinct from $4",
        tx.workspace_uuid(),
        provider,
        leg,
        cost.round_dp(6),
        at,
    )
    .execute(tx.conn())
    .await?;
    carrier::add_up(tx, call.id, call.client_id).await?;
    tx.notify(Topic::one("call", call.id), call.client_id);
    Ok(())
}
