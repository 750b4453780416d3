//! What the page of webhooks reads: endpoints with what became of their deliveries, and the range that could be replayed.

use chrono::{DateTime, TimeDelta, Utc};

use crate::model::{EndpointFields, EndpointRow, EndpointStatus, EndpointView, EventType, KEPT_DAYS, OldSecret};
use patchbay_access::server::ReadTx;
use patchbay_shared::AppError;
use patchbay_shared::ids::{ClientId, WebhookEndpointId};
use patchbay_shared::zone::{brief, stamp};

/// Endpoints that the page shows at most: more than an agency may have.
const MOST: i64 = 200;

/// The endpoints of the agency by name, and what was sent to them in the last 24 hours.
pub(crate) async fn endpoints(tx: &mut ReadTx) -> Result<Vec<EndpointRow>, AppError> {
    let (now, zone) = (tx.now().await?, tx.scope().zone());
    let rows = sqlx::query!(
        r#"select e.id as "id: WebhookEndpointId", e.name, c.name as "client?", coalesce(c.status = 'archived', false) as "archived!",
                  e.status as "status: EndpointStatus", e.failing_since, e.events, e.off_reason, e.off_at, d.deliveries as "deliveries!", d.tried as "tried!",
                  d.first_try as "first_try!",
                  (select count(*) from webhook_deliveries w where w.workspace_id = $1 and w.endpoint_id = e.id and w.state = 'waiting'
                     and w.tries > 0) as "waiting!",
                  (select count(*) from webhook_deliveries h where h.workspace_id = $1 and h.endpoint_id = e.id and h.state = 'held') as "held!",
                  (select min(h.occurred_at) from webhook_deliveries h where h.workspace_id = $1 and h.endpoint_id = e.id and h.state = 'held') as oldest
           from webhook_endpoints e
           left join clients c on c.workspace_id = $1 and c.id = e.client_id
           cross join lateral (
             select count(*) as deliveries, count(*) filter (where d.tries > 0) as tried,
                    count(*) filter (where d.state = 'delivered' and d.tries = 1 or d.replayed_at is not null and exists (
                      select from webhook_attempts a
                      where a.workspace_id = $1 and a.delivery_id = d.id and a.number = 1 and a.status between 200 and 299)) as first_try
             from webhook_deliveries d
             where d.workspace_id = $1 and d.endpoint_id = e.id and d.occurred_at > now() - interval '24 hours') d
           where e.workspace_id = $1 and e.removed_at is null
           order by e.name, e.id limit $2"#,
        tx.workspace_uuid(),
        MOST
    )
    .fetch_all(tx.conn())
    .await?;
    let rows = rows.into_iter().map(|row| EndpointRow {
        id: row.id,
        name: row.name,
        client: row.client,
        status: row.status,
        failing_since: row.failing_since.map(|at| brief(at, now, zone)),
        deliveries: row.deliveries,
        tried: row.tried,
        first_try: row.first_try,
        waiting: row.waiting,
        held: row.held,
        events: known(&row.events),
        archived: row.archived,
        off_reason: row.off_reason,
        off_at: row.off_at.map(|at| stamp(at, now, zone)),
        kept_until: row.oldest.map(|at| stamp(at + TimeDelta::days(KEPT_DAYS), now, zone)),
    });
    Ok(rows.collect())
}

/// All else that is shown of the chosen endpoint. Errors: `NotFound`.
pub(crate) async fn endpoint(tx: &mut ReadTx, row: EndpointRow) -> Result<EndpointView, AppError> {
    let (now, zone) = (tx.now().await?, tx.scope().zone());
    let found = sqlx::query!(
        r#"select e.client_id as "client_id: ClientId", e.url, e.secret_at,
                  case when e.old_until > now() then e.old_secret_at end as old_secret_at, e.old_until
           from webhook_endpoints e where e.workspace_id = $1 and e.id = $2 and e.removed_at is null"#,
        tx.workspace_uuid(),
        row.id.0
    )
    .fetch_one(tx.conn())
    .await?;
    let counts = sqlx::query!(
        r#"select type as kind, count(*) as "count!" from webhook_events
           where workspace_id = $1 and occurred_at > now() - interval '24 hours' and ($2::uuid is null or client_id = $2) group by type"#,
        tx.workspace_uuid(),
        found.client_id.map(|client| client.0)
    )
    .fetch_all(tx.conn())
    .await?;
    let count_of = |kind: EventType| counts.iter().find(|row| row.kind == kind.as_str()).map_or(0, |row| row.count);
    let old_secret = found.old_secret_at.zip(found.old_until);
    Ok(EndpointView {
        url: found.url,
        counts: EventType::offered().map(|kind| (kind, count_of(kind))).collect(),
        secret_at: stamp(found.secret_at, now, zone),
        old_secret: old_secret
            .map(|(since, until)| OldSecret { since: stamp(since, now, zone), until: stamp(until, now, zone) }),
        row,
    })
}

/// An endpoint as its form shows it. Errors: `NotFound`.
pub(crate) async fn fields(tx: &mut ReadTx, id: WebhookEndpointId) -> Result<EndpointFields, AppError> {
    let row = sqlx::query!(
        r#"select name, client_id as "client_id: ClientId", url, events from webhook_endpoints
           where workspace_id = $1 and id = $2 and removed_at is null"#,
        tx.workspace_uuid(),
        id.0
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(EndpointFields { name: row.name, client_id: row.client_id, url: row.url, events: known(&row.events) })
}

/// How many deliveries a replay of the range takes.
pub(crate) async fn matching(
    tx: &mut ReadTx,
    endpoint: WebhookEndpointId,
    from: DateTime<Utc>,
    to: DateTime<Utc>,
    only_failed: bool,
) -> Result<i64, AppError> {
    Ok(sqlx::query_scalar!(
        r#"select count(*) as "count!" from webhook_deliveries
           where workspace_id = $1 and endpoint_id = $2 and occurred_at >= $3 and occurred_at <= $4
             and (state in ('failed', 'held') or (not $5 and state = 'delivered'))"#,
        tx.workspace_uuid(),
        endpoint.0,
        from,
        to,
        only_failed
    )
    .fetch_one(tx.conn())
    .await?)
}

/// The words that are still known, in their order.
fn known(words: &[String]) -> Vec<EventType> {
    EventType::offered().filter(|kind| words.iter().any(|word| word == kind.as_str())).collect()
}
