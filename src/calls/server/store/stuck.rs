//! Work on transcripts and analyses that was given up or lost.

use uuid::Uuid;

use crate::model::EnrichmentType;
use patchbay_access::server::{ReadTx, WriteTx};
use patchbay_shared::AppError;
use patchbay_shared::ids::{CallId, ClientId};

/// How much is looked through at once.
const SWEPT: i64 = 500;

/// A failed piece of work.
pub(crate) struct Failed {
    pub call: CallId,
    pub kind: EnrichmentType,
    pub last_error: Option<String>,
    pub has_failed: bool,
}

pub(crate) async fn item(tx: &mut ReadTx, id: Uuid) -> Result<Failed, AppError> {
    Ok(sqlx::query_as!(
        Failed,
        r#"select call_id as "call: CallId", type as "kind: EnrichmentType", last_error, status = 'failed' as "has_failed!"
           from enrichment_queue where workspace_id = $1 and id = $2"#,
        tx.workspace_uuid(),
        id
    )
    .fetch_one(tx.conn())
    .await?)
}

/// Failed work waits again with all its attempts, and its calls say so: the oldest after `after`, `most` of it. Gives which.
pub(crate) async fn retry_failed(tx: &mut WriteTx, after: Uuid, most: i64) -> Result<Vec<Uuid>, AppError> {
    Ok(sqlx::query_scalar!(
        "with again as (
           update enrichment_queue q set status = 'pending', attempts = 0, worker_deaths = 0, rescues = 0, next_attempt_at = now(),
                  last_error = null, finished_at = null
           where q.workspace_id = $1 and q.id in (
             select f.id from enrichment_queue f where f.workspace_id = $1 and f.status = 'failed' and f.id > $2
             order by f.id limit $3 for update skip locked)
           returning q.id, q.call_id, q.type),
         told as (update calls c set
           transcript_status = case when exists (select from again a where a.call_id = c.id and a.type = 'transcript') then 'pending'
                                    else c.transcript_status end,
           analysis_status = case when exists (select from again a where a.call_id = c.id and a.type = 'analysis') then 'pending'
                                  else c.analysis_status end,
           updated_at = now()
         where c.workspace_id = $1 and c.id in (select call_id from again))
         select id from again",
        tx.workspace_uuid(),
        after,
        most
    )
    .fetch_all(tx.conn())
    .await?)
}

/// False: it has not failed.
pub(crate) async fn discard(tx: &mut WriteTx, id: Uuid) -> Result<bool, AppError> {
    let done = sqlx::query!(
        "update enrichment_queue set status = 'completed', finished_at = now(), last_error = 'Set aside. ' || coalesce(last_error, '')
         where workspace_id = $1 and id = $2 and status = 'failed'",
        tx.workspace_uuid(),
        id
    )
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected() == 1)
}

/// A call that says its words are on their way, and nobody is at it.
pub(crate) struct Lost {
    pub call: CallId,
    pub client_id: Option<ClientId>,
    pub kind: EnrichmentType,
    /// The work was given up, and the call was not told.
    pub has_failed: bool,
    /// How often it was put back before.
    pub rescues: i32,
}

/// Calls that ended at least `minutes` ago whose transcript or analysis is to come, without work in the queue that would bring it. Oldest
/// first.
pub(crate) async fn lost(tx: &mut ReadTx, minutes: i32) -> Result<Vec<Lost>, AppError> {
    Ok(sqlx::query_as!(
        Lost,
        r#"select c.id as "call: CallId", c.client_id as "client_id: ClientId", w.kind as "kind!: EnrichmentType",
                  coalesce(q.status = 'failed', false) as "has_failed!", coalesce(q.rescues, 0) as "rescues!"
           from (
             select id, client_id, ended_at,
                    (case when transcript_status in ('pending', 'fetching') then 'transcript' else 'analysis' end)::enrichment_type as wanted
             from calls
             where workspace_id = $1 and ended_at is not null and dial_state = 'placed'
               and (transcript_status in ('pending', 'fetching') or analysis_status in ('pending', 'processing'))
               and not (source = 'historical_sync' and transcript_status = 'pending')
               and ended_at < now() - make_interval(mins => $2) and transcript_status <> 'failed'
               and not exists (
                 select from enrichment_queue o where o.workspace_id = $1 and o.call_id = calls.id and o.status in ('pending', 'processing')
                   and o.type = (case when calls.transcript_status in ('pending', 'fetching') then 'transcript' else 'analysis' end)::enrichment_type)
             order by ended_at limit $3) c
           cross join lateral (select c.wanted as kind) w
           left join enrichment_queue q on q.workspace_id = $1 and q.call_id = c.id and q.type = w.kind
           where q.id is null or q.status in ('completed', 'failed')"#,
        tx.workspace_uuid(),
        minutes,
        SWEPT
    )
    .fetch_all(tx.conn())
    .await?)
}

/// Puts lost work back, once more than before. False: somebody is at it by now.
pub(crate) async fn put_back(tx: &mut WriteTx, call: CallId, kind: EnrichmentType) -> Result<bool, AppError> {
    let done = sqlx::query!(
        "insert into enrichment_queue (id, workspace_id, call_id, type, rescues) values ($1, $2, $3, $4, 1)
         on conflict (workspace_id, call_id, type) do update
           set status = 'pending', attempts = 0, worker_deaths = 0, next_attempt_at = now(), last_error = null, finished_at = null,
               rescues = enrichment_queue.rescues + 1
           where enrichment_queue.status = 'completed'",
        Uuid::now_v7(),
        tx.workspace_uuid(),
        call.0,
        kind as EnrichmentType
    )
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Lost work is given up: it stands in the queue as failed, with the reason.
pub(crate) async fn give_up(tx: &mut WriteTx, call: CallId, kind: EnrichmentType, why: &str) -> Result<(), AppError> {
    sqlx::query!(
        "update enrichment_queue set status = 'failed', last_error = $4, finished_at = now()
         where workspace_id = $1 and call_id = $2 and type = $3 and status = 'completed'",
        tx.workspace_uuid(),
        call.0,
        kind as EnrichmentType,
        why
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}
