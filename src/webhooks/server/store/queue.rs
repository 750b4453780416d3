//! Statements about deliveries and their queue. A delivery that waits has a row in the queue, and no other has one.
//!
//! Rows that were found are named by an array: joined with, they may be looked for anew for each row of an agency of which the planner knows
//! nothing yet, and a thousand of ten thousand take longer than a statement may.

use std::time::Duration;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::model::DeliveryState;
use crate::server::jobs::Replay;
use patchbay_access::server::{Db, ReadTx, SystemTx, WriteTx};
use patchbay_shared::AppError;
use patchbay_shared::ids::{ClientId, DeliveryId, WebhookEndpointId, WebhookEventId, WorkspaceId};

/// At most so many requests go to one endpoint at once, whichever process sends them.
const AT_ONCE: i64 = 4;
/// At most so many go out for one agency at once: half of what a process sends, so that there is room for the others.
const OF_WORKSPACE: i64 = 32;
/// How long a worker has for one, before another may take it.
const LEASE_SECONDS: f64 = 60.0;

/// An event for an endpoint, about to be written.
pub(crate) struct NewDelivery<'a> {
    pub id: DeliveryId,
    pub endpoint: WebhookEndpointId,
    pub event: WebhookEventId,
    pub client: Option<ClientId>,
    pub kind: &'a str,
    pub occurred_at: DateTime<Utc>,
    /// The endpoint is off: it is kept, and not sent.
    pub is_held: bool,
}

/// Writes deliveries, and has those sent whose endpoint is on.
pub(crate) async fn insert(tx: &mut WriteTx, new: &[NewDelivery<'_>]) -> Result<(), AppError> {
    let ids: Vec<Uuid> = new.iter().map(|one| one.id.0).collect();
    let endpoints: Vec<Uuid> = new.iter().map(|one| one.endpoint.0).collect();
    let events: Vec<Uuid> = new.iter().map(|one| one.event.0).collect();
    let clients: Vec<Option<Uuid>> = new.iter().map(|one| one.client.map(|id| id.0)).collect();
    let kinds: Vec<String> = new.iter().map(|one| one.kind.to_owned()).collect();
    let times: Vec<DateTime<Utc>> = new.iter().map(|one| one.occurred_at).collect();
    let held: Vec<bool> = new.iter().map(|one| one.is_held).collect();
    let waiting = sqlx::query!(
        r#"insert into webhook_deliveries
             (workspace_id, id, endpoint_id, event_id, client_id, event_type, occurred_at, state, next_try_at)
           select $1, n.id, n.endpoint, n.event, n.client, n.kind, n.at, case when n.held then 'held' else 'waiting' end,
                  case when n.held then null else now() end
           from unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::uuid[], $6::text[], $7::timestamptz[], $8::bool[])
                as n (id, endpoint, event, client, kind, at, held)
           on conflict (workspace_id, endpoint_id, event_id) do nothing
           returning id as "id: DeliveryId", endpoint_id as "endpoint: WebhookEndpointId", state"#,
        tx.workspace_uuid(),
        &ids,
        &endpoints,
        &events,
        &clients as &[Option<Uuid>],
        &kinds,
        &times,
        &held,
    )
    .fetch_all(tx.conn())
    .await?;
    let waiting: Vec<(DeliveryId, WebhookEndpointId)> = waiting
        .into_iter()
        .filter(|row| row.state == DeliveryState::Waiting.as_str())
        .map(|row| (row.id, row.endpoint))
        .collect();
    put(tx, &waiting).await
}

/// Puts deliveries into the queue that have just begun to wait.
async fn put(tx: &mut WriteTx, waiting: &[(DeliveryId, WebhookEndpointId)]) -> Result<(), AppError> {
    if waiting.is_empty() {
        return Ok(());
    }
    let ids: Vec<Uuid> = waiting.iter().map(|(id, _)| id.0).collect();
    let endpoints: Vec<Uuid> = waiting.iter().map(|(_, endpoint)| endpoint.0).collect();
    sqlx::query!(
        "insert into delivery_queue (id, workspace_id, endpoint_id) select n.id, $1, n.endpoint
         from unnest($2::uuid[], $3::uuid[]) as n (id, endpoint) on conflict (id) do nothing",
        tx.workspace_uuid(),
        &ids,
        &endpoints,
    )
    .execute(tx.conn())
    .await?;
    tx.wake(super::super::sending::CHANNEL);
    Ok(())
}

/// A delivery that is ours to send.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Claimed {
    pub id: DeliveryId,
    pub workspace: WorkspaceId,
    pub endpoint: WebhookEndpointId,
}

/// Takes what is due, so many at most, for `owner`. Every agency has its first turn before any has its second, and within an agency every
/// endpoint its first place; what is on its way counts. Suspended agencies wait. Only of one workspace, if one is given.
/// Whether one is taken is asked of the row that is locked: asked before, the planner would look for the ids in the index of what is free, from
/// one end to the other for each.
pub(crate) async fn claim(
    db: &Db,
    owner: Uuid,
    most: i64,
    only: Option<WorkspaceId>,
) -> Result<Vec<Claimed>, AppError> {
    let mut tx = SystemTx::open(db, "deliveries that are due").await?;
    let taken = sqlx::query!(
        r#"with recursive homes as (
             (select workspace_id, endpoint_id from delivery_queue where lease_owner is null and ($3::uuid is null or workspace_id = $3)
              order by workspace_id, endpoint_id limit 1)
             union all
             select next.workspace_id, next.endpoint_id from homes cross join lateral (
               select q.workspace_id, q.endpoint_id from delivery_queue q
               where q.lease_owner is null and (q.workspace_id, q.endpoint_id) > (homes.workspace_id, homes.endpoint_id)
                 and ($3::uuid is null or q.workspace_id = $3)
               order by q.workspace_id, q.endpoint_id limit 1) next
           ), busy as (
             select endpoint_id, count(*) as so_many from delivery_queue where lease_owner is not null group by endpoint_id
           ), busy_homes as (
             select workspace_id, count(*) as so_many from delivery_queue where lease_owner is not null group by workspace_id
           ), places as (
             select homes.workspace_id, due.id, due.next_try_at, coalesce(busy.so_many, 0) + due.place as place
             from homes join workspaces w on w.id = homes.workspace_id and w.status <> 'suspended'
             left join busy on busy.endpoint_id = homes.endpoint_id
             cross join lateral (
               select q.id, q.next_try_at, row_number() over (order by q.next_try_at, q.id) as place from (
                 select id, next_try_at from delivery_queue
                 where workspace_id = homes.workspace_id and endpoint_id = homes.endpoint_id and lease_owner is null and next_try_at <= now()
                 order by next_try_at, id limit $5) q) due
           ), turns as (
             select p.id, p.next_try_at, p.place,
                    coalesce(b.so_many, 0) + row_number() over (partition by p.workspace_id order by p.place, p.next_try_at, p.id) as turn
             from places p left join busy_homes b on b.workspace_id = p.workspace_id where p.place <= $5
           ), mine as (
             select q.id, q.lease_owner from delivery_queue q
             where q.id = any(array(select id from turns where turn <= $6 order by turn, place, next_try_at, id limit $2))
             for update skip locked
           )
           update delivery_queue q set lease_owner = $1, lease_until = now() + make_interval(secs => $4)
           from mine where q.id = mine.id and mine.lease_owner is null
           returning q.id as "id: DeliveryId", q.workspace_id as "workspace: WorkspaceId", q.endpoint_id as "endpoint: WebhookEndpointId""#,
        owner,
        most,
        only.map(|id| id.0),
        LEASE_SECONDS,
        AT_ONCE,
        OF_WORKSPACE,
    )
    .fetch_all(tx.conn())
    .await?;
    tx.commit().await?;
    Ok(taken.into_iter().map(|row| Claimed { id: row.id, workspace: row.workspace, endpoint: row.endpoint }).collect())
}

/// What lost workers held may be taken at once. Gives how much that was.
pub(crate) async fn reap(db: &Db) -> Result<u64, AppError> {
    let mut tx = SystemTx::open(db, "deliveries of lost workers").await?;
    let done = sqlx::query!(
        "update delivery_queue set lease_owner = null, lease_until = null
         where id in (select id from delivery_queue where lease_owner is not null and lease_until < now() for update skip locked)"
    )
    .execute(tx.conn())
    .await?;
    tx.commit().await?;
    Ok(done.rows_affected())
}

/// Gives everything back that `owner` still holds.
pub(crate) async fn release(db: &Db, owner: Uuid) -> Result<u64, AppError> {
    let mut tx = SystemTx::open(db, "give deliveries back").await?;
    let done =
        sqlx::query!("update delivery_queue set lease_owner = null, lease_until = null where lease_owner = $1", owner)
            .execute(tx.conn())
            .await?;
    tx.commit().await?;
    Ok(done.rows_affected())
}

/// Takes a delivery that we hold out of the queue. False: it is another worker's by now.
pub(crate) async fn take_out(tx: &mut WriteTx, id: DeliveryId, owner: Uuid) -> Result<bool, AppError> {
    let done = sqlx::query!(
        "delete from delivery_queue where workspace_id = $1 and id = $2 and lease_owner = $3",
        tx.workspace_uuid(),
        id.0,
        owner
    )
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Gives a delivery that we hold back for later. None: it is another worker's by now; else when it is due.
pub(crate) async fn give_back(
    tx: &mut WriteTx,
    id: DeliveryId,
    owner: Uuid,
    wait: Duration,
) -> Result<Option<DateTime<Utc>>, AppError> {
    Ok(sqlx::query_scalar!(
        "update delivery_queue set next_try_at = now() + make_interval(secs => $4), lease_owner = null, lease_until = null
         where workspace_id = $1 and id = $2 and lease_owner = $3 returning next_try_at",
        tx.workspace_uuid(),
        id.0,
        owner,
        wait.as_secs_f64()
    )
    .fetch_optional(tx.conn())
    .await?)
}

/// Some of an endpoint's deliveries that nobody sends at the moment, out of the queue.
async fn take_waiting(tx: &mut WriteTx, endpoint: WebhookEndpointId, most: i64) -> Result<Vec<Uuid>, AppError> {
    Ok(sqlx::query_scalar!(
        "delete from delivery_queue where workspace_id = $1 and endpoint_id = $2 and id = any(array(
           select id from delivery_queue where workspace_id = $1 and endpoint_id = $2 and lease_owner is null
           order by id limit $3 for update skip locked))
         returning id",
        tx.workspace_uuid(),
        endpoint.0,
        most
    )
    .fetch_all(tx.conn())
    .await?)
}

/// Ends the waiting of some of an endpoint's deliveries: they are kept, or have failed with the reason. The others follow when they are due.
/// Gives how many.
pub(crate) async fn stop(
    tx: &mut WriteTx,
    endpoint: WebhookEndpointId,
    why: Option<&str>,
    most: i64,
) -> Result<usize, AppError> {
    let ids = take_waiting(tx, endpoint, most).await?;
    sqlx::query!(
        "update webhook_deliveries set state = case when $3::text is null then 'held' else 'failed' end, next_try_at = null,
                last_error = coalesce($3, last_error)
         where workspace_id = $1 and id = any($2) and state = 'waiting'",
        tx.workspace_uuid(),
        &ids,
        why
    )
    .execute(tx.conn())
    .await?;
    Ok(ids.len())
}

/// Puts off what is due at an endpoint, some of it.
pub(crate) async fn put_off(
    tx: &mut WriteTx,
    endpoint: WebhookEndpointId,
    wait: Duration,
    most: i64,
) -> Result<(), AppError> {
    let ids: Vec<Uuid> = sqlx::query_scalar!(
        "update delivery_queue set next_try_at = now() + make_interval(secs => $3)
         where workspace_id = $1 and endpoint_id = $2 and id = any(array(
           select id from delivery_queue where workspace_id = $1 and endpoint_id = $2 and lease_owner is null and next_try_at <= now()
           order by next_try_at, id limit $4 for update skip locked))
         returning id",
        tx.workspace_uuid(),
        endpoint.0,
        wait.as_secs_f64(),
        most
    )
    .fetch_all(tx.conn())
    .await?;
    sqlx::query!(
        "update webhook_deliveries set next_try_at = now() + make_interval(secs => $3)
         where workspace_id = $1 and id = any($2) and state = 'waiting'",
        tx.workspace_uuid(),
        &ids,
        wait.as_secs_f64()
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Has these deliveries of an endpoint sent again, from the first try on. Gives how many; those that wait already are left to it.
pub(crate) async fn again(tx: &mut WriteTx, endpoint: WebhookEndpointId, ids: &[Uuid]) -> Result<usize, AppError> {
    let rows = sqlx::query_scalar!(
        r#"update webhook_deliveries set state = 'waiting', next_try_at = now(), tries_in_row = 0, replayed_at = now()
           where workspace_id = $1 and endpoint_id = $2 and id = any(array(
             select id from webhook_deliveries
             where workspace_id = $1 and endpoint_id = $2 and id = any($3) and state <> 'waiting' order by id for update))
           returning id as "id: DeliveryId""#,
        tx.workspace_uuid(),
        endpoint.0,
        ids,
    )
    .fetch_all(tx.conn())
    .await?;
    let waiting: Vec<(DeliveryId, WebhookEndpointId)> = rows.into_iter().map(|id| (id, endpoint)).collect();
    put(tx, &waiting).await?;
    Ok(waiting.len())
}

/// Brings those of these forward that wait for a later try: they are due now, and begin from the first try on. Gives how many.
pub(crate) async fn forward(tx: &mut WriteTx, endpoint: WebhookEndpointId, ids: &[Uuid]) -> Result<usize, AppError> {
    let ids: Vec<Uuid> = sqlx::query_scalar!(
        "update delivery_queue set next_try_at = now() where workspace_id = $1 and endpoint_id = $2 and id = any(array(
           select id from delivery_queue
           where workspace_id = $1 and endpoint_id = $2 and id = any($3) and lease_owner is null and next_try_at > now()
           order by id for update skip locked))
         returning id",
        tx.workspace_uuid(),
        endpoint.0,
        ids
    )
    .fetch_all(tx.conn())
    .await?;
    if ids.is_empty() {
        return Ok(0);
    }
    sqlx::query!(
        "update webhook_deliveries set next_try_at = now(), tries_in_row = 0, replayed_at = now()
         where workspace_id = $1 and id = any($2) and state = 'waiting'",
        tx.workspace_uuid(),
        &ids
    )
    .execute(tx.conn())
    .await?;
    tx.wake(super::super::sending::CHANNEL);
    Ok(ids.len())
}

/// Deliveries that are to be replayed, the oldest first, so many at most. What was replayed since `asked` is done.
pub(crate) async fn to_replay(
    tx: &mut ReadTx,
    endpoint: WebhookEndpointId,
    what: &Replay,
    asked: DateTime<Utc>,
    most: i64,
) -> Result<Vec<Uuid>, AppError> {
    let (held, from, to, failed) = bounds(what);
    Ok(sqlx::query_scalar!(
        "select id from webhook_deliveries
         where workspace_id = $1 and endpoint_id = $2 and state <> 'waiting' and (replayed_at is null or replayed_at < $7)
           and (not $3 or state = 'held') and ($4::timestamptz is null or occurred_at >= $4) and ($5::timestamptz is null or occurred_at <= $5)
           and (not $6 or state in ('failed', 'held'))
         order by occurred_at, id limit $8",
        tx.workspace_uuid(),
        endpoint.0,
        held,
        from,
        to,
        failed,
        asked,
        most
    )
    .fetch_all(tx.conn())
    .await?)
}

/// How many these are.
pub(crate) async fn count_to_replay(
    tx: &mut ReadTx,
    endpoint: WebhookEndpointId,
    what: &Replay,
) -> Result<i64, AppError> {
    let (held, from, to, failed) = bounds(what);
    Ok(sqlx::query_scalar!(
        r#"select count(*) as "count!" from webhook_deliveries
           where workspace_id = $1 and endpoint_id = $2 and state <> 'waiting'
             and (not $3 or state = 'held') and ($4::timestamptz is null or occurred_at >= $4) and ($5::timestamptz is null or occurred_at <= $5)
             and (not $6 or state in ('failed', 'held'))"#,
        tx.workspace_uuid(),
        endpoint.0,
        held,
        from,
        to,
        failed
    )
    .fetch_one(tx.conn())
    .await?)
}

type Bounds = (bool, Option<DateTime<Utc>>, Option<DateTime<Utc>>, bool);

/// Only what is held; from; to; only what has failed.
fn bounds(what: &Replay) -> Bounds {
    match what {
        Replay::Held => (true, None, None, false),
        Replay::Range { from, to, only_failed } => (false, Some(*from), Some(*to), *only_failed),
    }
}
