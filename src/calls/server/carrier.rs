//! What the carrier's events add to a call: its cost, and why nobody answered. Most carry no id of ours, so a leg's call is found by
//! its numbers and its time, and kept (`call_legs`): later events of the leg name no numbers, and its cost may come before its call is
//! known at all.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use uuid::Uuid;

use super::counted;
use super::outcomes;
use super::transfers;
use patchbay_access::server::WriteTx;
use patchbay_jobs::live::Topic;
use patchbay_metering::server::budget;
use patchbay_metering::server::days::{self, Touched};
use patchbay_providers::telnyx::{CallEvent, CallEventKind, HangupCause, TelnyxEvent};
use patchbay_shared::AppError;
use patchbay_shared::ids::{BatchId, CallId, ClientId};

/// How far the carrier's start of a leg may lie from ours, in seconds.
pub(super) const NEAR: f64 = 180.0;
/// Days for which the cost of a leg waits for its call.
const WAITING: i32 = 30;

struct Found {
    id: CallId,
    client_id: Option<ClientId>,
    batch_id: Option<BatchId>,
}

/// What became of a carrier's event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Applied {
    ToCall,
    /// No call of the workspace fits yet. The leg's cost is kept for it.
    Waits,
    /// No call of the workspace fits, and there is nothing to keep.
    Nowhere,
}

/// Adds a carrier's event to its call. The same event twice adds nothing. `at`: when it happened.
pub async fn apply(
    tx: &mut WriteTx,
    event: &TelnyxEvent,
    leg: &CallEvent,
    at: DateTime<Utc>,
    event_id: &str,
    payload: serde_json::Value,
) -> Result<Applied, AppError> {
    let Some(name) = leg_name(leg) else { return Ok(Applied::Nowhere) };
    // One at a time per session: what one event teaches, another one needs. This, then the call, then its legs.
    let session = leg.call_session_id.as_ref().unwrap_or(&name);
    sqlx::query!(
        "select pg_advisory_xact_lock(hashtextextended($1, 17))",
        format!("{} {session}", tx.workspace_uuid())
    )
    .execute(tx.conn())
    .await?;
    let cost = match &leg.kind {
        CallEventKind::Cost { total, .. } => total.map(|total| total.round_dp(6)),
        _ => None,
    };
    // A person who is rung for a call says nothing of how the call itself went.
    let transfer = transfers::of_leg(tx, leg).await?;
    let Some(found) = find(tx, leg, &name, at, transfer.map(|(_, call)| call)).await? else {
        let names_numbers = leg.from.is_some() && leg.to.is_some();
        if cost.is_some() || names_numbers {
            forget_old(tx).await?;
            keep_leg(tx, leg, &name, None, at, cost).await?;
        }
        return Ok(if cost.is_some() { Applied::Waits } else { Applied::Nowhere });
    };
    let is_new = sqlx::query!(
        "insert into call_events (workspace_id, id, call_id, client_id, provider, event_id, event_type, occurred_at, payload)
         values ($1, $2, $3, $4, 'telnyx', $5, $6, $7, $8) on conflict (workspace_id, call_id, provider, event_id) do nothing",
        tx.workspace_uuid(),
        Uuid::now_v7(),
        found.id.0,
        found.client_id.map(|client| client.0),
        event_id,
        event.event_type,
        at,
        payload,
    )
    .execute(tx.conn())
    .await?;
    keep_leg(tx, leg, &name, Some(found.id), at, cost).await?;
    claim_session(tx, found.id, leg.call_session_id.as_deref()).await?;
    add_up(tx, found.id, found.client_id).await?;
    if is_new.rows_affected() == 0 {
        return Ok(Applied::ToCall);
    }
    if let Some((id, _)) = transfer {
        transfers::heard(tx, id, leg, at).await?;
        tx.notify(Topic::one("call", found.id), found.client_id);
        return Ok(Applied::ToCall);
    }
    if let CallEventKind::Hangup { cause, .. } = &leg.kind
        && let Some(why) = why(cause)
    {
        explain(tx, found.id, why).await?;
    }
    if let CallEventKind::MachineDetected { result, .. } | CallEventKind::GreetingEnded { result, .. } = &leg.kind {
        outcomes::detected(tx, found.id, result).await?;
    }
    tx.notify(Topic::one("call", found.id), found.client_id);
    if let Some(batch) = found.batch_id {
        tx.notify(Topic::one("batch", batch), found.client_id);
    }
    Ok(Applied::ToCall)
}

/// What the leg is kept under.
fn leg_name(leg: &CallEvent) -> Option<String> {
    leg.call_leg_id
        .clone()
        .or_else(|| leg.call_control_id.as_ref().map(|id| format!("control:{id}")))
        .or_else(|| leg.call_session_id.as_ref().map(|id| format!("session:{id}")))
}

/// The call, locked until the commit: by the id that we gave the leg, or by what it is rung for, by what earlier events of the leg or its session taught, else the
/// nearest in time between the same two numbers.
async fn find(
    tx: &mut WriteTx,
    leg: &CallEvent,
    name: &str,
    at: DateTime<Utc>,
    transferred: Option<CallId>,
) -> Result<Option<Found>, AppError> {
    let ours = transferred.map(|call| call.0).or_else(|| leg.client_state.as_deref().and_then(our_id));
    Ok(sqlx::query_as!(
        Found,
        r#"select c.id as "id: CallId", c.client_id as "client_id: ClientId", c.batch_id as "batch_id: BatchId"
           from calls c where c.workspace_id = $1 and c.id = coalesce(
             (select id from calls where workspace_id = $1 and id = $2),
             (select call_id from call_legs where workspace_id = $1 and provider = 'telnyx' and leg = $3),
             (select call_id from call_legs where workspace_id = $1 and provider = 'telnyx' and control = $4 and call_id is not null limit 1),
             (select call_id from call_legs where workspace_id = $1 and provider = 'telnyx' and session = $5 and call_id is not null
              order by started_at, leg limit 1),
             (select n.id from calls n
              where n.workspace_id = $1 and n."to" = $6 and n."from" = $7
                and n.started_at between $8::timestamptz - make_interval(secs => $9) and $8::timestamptz + make_interval(secs => $9)
              order by abs(extract(epoch from coalesce(n.dialled_at, n.started_at) - $8::timestamptz)), n.id
              limit 1))
           for update of c"#,
        tx.workspace_uuid(),
        ours,
        name,
        leg.call_control_id,
        leg.call_session_id,
        leg.to,
        leg.from,
        leg.started.unwrap_or(at),
        NEAR,
    )
    .fetch_optional(tx.conn())
    .await?)
}

/// Keeps what is known of a leg: only more, and of two prices the later one, whatever their order here.
async fn keep_leg(
    tx: &mut WriteTx,
    leg: &CallEvent,
    name: &str,
    call: Option<CallId>,
    at: DateTime<Utc>,
    cost: Option<Decimal>,
) -> Result<(), AppError> {
    sqlx::query!(
        r#"insert into call_legs (workspace_id, provider, leg, session, control, call_id, "from", "to", started_at, cost, cost_at)
           values ($1, 'telnyx', $2, $3, $4, $5, $6, $7, $8, $9, case when $9::numeric is not null then $10::timestamptz end)
           on conflict (workspace_id, provider, leg) do update set
             session = coalesce(call_legs.session, excluded.session), control = coalesce(call_legs.control, excluded.control),
             call_id = coalesce(call_legs.call_id, excluded.call_id), "from" = coalesce(call_legs."from", excluded."from"),
             "to" = coalesce(call_legs."to", excluded."to"), started_at = least(call_legs.started_at, excluded.started_at),
             cost = case when excluded.cost is not null and (coalesce(call_legs.cost_at, '-infinity'), coalesce(call_legs.cost, 0))
                           <= (excluded.cost_at, excluded.cost) then excluded.cost else call_legs.cost end,
             cost_at = case when excluded.cost is not null then greatest(call_legs.cost_at, excluded.cost_at) else call_legs.cost_at end"#,
        tx.workspace_uuid(),
        name,
        leg.call_session_id,
        leg.call_control_id,
        call.map(|call| call.0),
        leg.from,
        leg.to,
        leg.started.unwrap_or(at),
        cost,
        at,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Legs of the session that waited for their call.
async fn claim_session(tx: &mut WriteTx, call: CallId, session: Option<&str>) -> Result<(), AppError> {
    sqlx::query!(
        "update call_legs set call_id = $2 where workspace_id = $1 and provider = 'telnyx' and session = $3 and call_id is null",
        tx.workspace_uuid(),
        call.0,
        session
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Legs that waited for a call between these numbers, which has just become known, and the others of their sessions. `began`: when the
/// call did.
pub(crate) async fn claim_waiting(
    tx: &mut WriteTx,
    (call, client): (CallId, Option<ClientId>),
    numbers: (&str, &str),
    began: DateTime<Utc>,
) -> Result<(), AppError> {
    match claim_legs(tx, (call, client), numbers, began).await? {
        Some((at, more)) => budget::add(tx, client, at, more).await,
        None => Ok(()),
    }
}

/// The same, without telling the budget: gives what the call costs more, and the moment that it counts under.
pub(super) async fn claim_legs(
    tx: &mut WriteTx,
    (call, client): (CallId, Option<ClientId>),
    (from, to): (&str, &str),
    began: DateTime<Utc>,
) -> Result<Option<(DateTime<Utc>, Decimal)>, AppError> {
    let claimed = sqlx::query!(
        r#"with fitting as (
             select leg, session from call_legs where workspace_id = $1 and call_id is null and "from" = $3 and "to" = $4
               and started_at between $5::timestamptz - make_interval(secs => $6) and $5::timestamptz + make_interval(secs => $6))
           update call_legs set call_id = $2 where workspace_id = $1 and call_id is null
             and (leg in (select leg from fitting) or session in (select session from fitting))"#,
        tx.workspace_uuid(),
        call.0,
        from,
        to,
        began,
        NEAR
    )
    .execute(tx.conn())
    .await?;
    if claimed.rows_affected() > 0 { sum_up(tx, call, client).await } else { Ok(None) }
}

/// A call's cost at the carrier is the sum of its legs' costs. It can go down, too.
pub(super) async fn add_up(tx: &mut WriteTx, call: CallId, client: Option<ClientId>) -> Result<(), AppError> {
    match sum_up(tx, call, client).await? {
        Some((at, more)) => budget::add(tx, client, at, more).await,
        None => Ok(()),
    }
}

async fn sum_up(
    tx: &mut WriteTx,
    call: CallId,
    client: Option<ClientId>,
) -> Result<Option<(DateTime<Utc>, Decimal)>, AppError> {
    let moved = sqlx::query!(
        r#"with legs as (
             select coalesce(sum(cost), 0) as cost, min(cost_at) as priced_at from call_legs where workspace_id = $1 and call_id = $2),
           was as (select carrier_cost from calls where workspace_id = $1 and id = $2)
           update calls c set carrier_cost = legs.cost, carrier_priced_at = legs.priced_at, updated_at = now() from legs, was
           where c.workspace_id = $1 and c.id = $2
             and (c.carrier_cost, c.carrier_priced_at) is distinct from (legs.cost, legs.priced_at) and legs.priced_at is not null
           returning c.started_at, c.carrier_cost - was.carrier_cost as "more!""#,
        tx.workspace_uuid(),
        call.0
    )
    .fetch_optional(tx.conn())
    .await?;
    let Some(moved) = moved else { return Ok(None) };
    days::touch(tx, &[Touched { client_id: client, at: moved.started_at }]).await?;
    Ok(Some((moved.started_at, moved.more)))
}

/// Legs of calls that are not of this agency's agents wait for nothing.
async fn forget_old(tx: &mut WriteTx) -> Result<(), AppError> {
    sqlx::query!(
        "delete from call_legs where workspace_id = $1 and leg in (
           select leg from call_legs where workspace_id = $1 and call_id is null and started_at < now() - make_interval(days => $2)
           order by started_at limit 100) and call_id is null",
        tx.workspace_uuid(),
        WAITING
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// `client_state` is base64 of our call's id.
fn our_id(state: &str) -> Option<Uuid> {
    use base64::Engine;
    let bytes = base64::engine::general_purpose::STANDARD.decode(state.trim()).ok()?;
    String::from_utf8(bytes).ok()?.trim().parse().ok()
}

/// The carrier knows better why a call was not put through; what was said already stays.
pub(super) async fn explain(tx: &mut WriteTx, id: CallId, why: &str) -> Result<(), AppError> {
    sqlx::query!(
        "update calls set error = coalesce(error, $3), updated_at = now() where workspace_id = $1 and id = $2 and joined_at is null",
        tx.workspace_uuid(),
        id.0,
        why
    )
    .execute(tx.conn())
    .await?;
    counted::touch(tx, id).await
}

/// The one cause that is a fault, in words. A busy line or an unanswered ring is an outcome, and a broken line is told by the voice
/// service, whatever the order in which the two report.
fn why(cause: &HangupCause) -> Option<&'static str> {
    matches!(cause, HangupCause::NotFound).then_some("The carrier does not know this number. Check it with the client.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_id_comes_back_from_the_state() {
        let id = Uuid::from_u128(0x0193_0000_0000_7000_8000_0000_0000_0001);
        use base64::Engine;
        let state = base64::engine::general_purpose::STANDARD.encode(id.to_string());
        assert_eq!(our_id(&state), Some(id));
        assert_eq!(our_id("not base64"), None);
        assert_eq!(our_id("AAAA"), None);
    }
}
