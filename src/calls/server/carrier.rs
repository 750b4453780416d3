//! What the carrier's events add to a call: its cost, and why nobody answered. They carry no id of ours unless we gave one, so the
//! call is found by its numbers and its time.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use uuid::Uuid;

use patchbay_access::server::WriteTx;
use patchbay_jobs::live::Topic;
use patchbay_providers::telnyx::{CallEvent, CallEventKind, HangupCause, TelnyxEvent};
use patchbay_shared::AppError;
use patchbay_shared::ids::{BatchId, CallId, ClientId};

/// How far the carrier's start of a leg may lie from ours, in seconds.
const NEAR: f64 = 180.0;

struct Found {
    id: CallId,
    client_id: Option<ClientId>,
    batch_id: Option<BatchId>,
}

/// Adds a carrier's event to its call. False: no call of the workspace fits. The same event twice adds nothing.
pub async fn apply(
    tx: &mut WriteTx,
    event: &TelnyxEvent,
    leg: &CallEvent,
    event_id: &str,
    payload: serde_json::Value,
) -> Result<bool, AppError> {
    let Some(found) = find(tx, leg, event.occurred_at).await? else { return Ok(false) };
    let is_new = sqlx::query!(
        "insert into call_events (workspace_id, id, call_id, client_id, provider, event_id, event_type, occurred_at, payload)
         values ($1, $2, $3, $4, 'telnyx', $5, $6, $7, $8) on conflict (workspace_id, call_id, provider, event_id) do nothing",
        tx.workspace_uuid(),
        Uuid::now_v7(),
        found.id.0,
        found.client_id.map(|client| client.0),
        event_id,
        event.event_type.replace('\0', ""),
        event.occurred_at,
        payload,
    )
    .execute(tx.conn())
    .await?;
    if is_new.rows_affected() == 0 {
        return Ok(true);
    }
    match &leg.kind {
        CallEventKind::Cost { is_known: true, total: Some(total), .. } => add_cost(tx, &found, *total).await?,
        CallEventKind::Hangup { cause, .. } => {
            if let Some(why) = why(cause) {
                explain(tx, found.id, why).await?;
            }
        }
        _ => {}
    }
    tx.notify(Topic::one("call", found.id), found.client_id);
    if let Some(batch) = found.batch_id {
        tx.notify(Topic::one("batch", batch), found.client_id);
    }
    Ok(true)
}

/// The call, locked until the commit: by the id that we gave the leg, by an earlier event of the same leg, else the nearest in time
/// between the same two numbers.
async fn find(tx: &mut WriteTx, leg: &CallEvent, at: DateTime<Utc>) -> Result<Option<Found>, AppError> {
    let ours = leg.client_state.as_deref().and_then(our_id);
    let (from, to) = (leg.from.as_deref().map(plain), leg.to.as_deref().map(plain));
    // A leg's later events have no start; its earlier ones, stored with it, tell which call it is.
    let session = leg.call_session_id.as_deref().map(plain);
    Ok(sqlx::query_as!(
        Found,
        r#"select c.id as "id: CallId", c.client_id as "client_id: ClientId", c.batch_id as "batch_id: BatchId"
           from calls c where c.workspace_id = $1 and c.id = coalesce(
             (select id from calls where workspace_id = $1 and id = $2),
             (select n.id from calls n
              where n.workspace_id = $1 and n."to" = $3 and n."from" = $4
                and n.started_at between $5::timestamptz - make_interval(secs => $6) and $5::timestamptz + make_interval(secs => $6)
              order by exists (select from call_events e where e.workspace_id = $1 and e.call_id = n.id and e.provider = 'telnyx'
                                 and e.payload #>> '{data,payload,call_session_id}' = $7) desc,
                       abs(extract(epoch from coalesce(n.dialled_at, n.started_at) - $5::timestamptz)), n.id
              limit 1))
           for update of c"#,
        tx.workspace_uuid(),
        ours,
        to,
        from,
        leg.started.unwrap_or(at),
        NEAR,
        session,
    )
    .fetch_optional(tx.conn())
    .await?)
}

/// `client_state` is base64 of our call's id.
fn our_id(state: &str) -> Option<Uuid> {
    use base64::Engine;
    let bytes = base64::engine::general_purpose::STANDARD.decode(state.trim()).ok()?;
    String::from_utf8(bytes).ok()?.trim().parse().ok()
}

/// PostgreSQL takes every character but this one.
fn plain(text: &str) -> String {
    text.replace('\0', "")
}

async fn add_cost(tx: &mut WriteTx, call: &Found, total: Decimal) -> Result<(), AppError> {
    // What would not fit the column is no price of a call.
    if total.is_sign_negative() || total >= Decimal::from(1_000_000) {
        return Ok(());
    }
    let total = total.round_dp(6);
    let started = sqlx::query_scalar!(
        "update calls set carrier_cost = carrier_cost + $3, updated_at = now() where workspace_id = $1 and id = $2 returning started_at",
        tx.workspace_uuid(),
        call.id.0,
        total
    )
    .fetch_one(tx.conn())
    .await?;
    patchbay_metering::server::budget::add(tx, call.client_id, started, total).await
}

/// The carrier knows better why a call was not put through; what was said already stays.
async fn explain(tx: &mut WriteTx, id: CallId, why: &str) -> Result<(), AppError> {
    sqlx::query!(
        "update calls set error = coalesce(error, $3), updated_at = now() where workspace_id = $1 and id = $2 and joined_at is null",
        tx.workspace_uuid(),
        id.0,
        why
    )
    .execute(tx.conn())
    .await?;
    Ok(())
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
