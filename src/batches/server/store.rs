//! All statements that change `call_batches`. `home`: what surrounds a batch.

use chrono::{DateTime, Utc};

use crate::model::{BatchMode, BatchPage, BatchQuery, BatchRow, BatchStatus, Obstacle, Progress};
use patchbay_access::server::{ReadTx, WriteTx};
use patchbay_dialling::server::trouble::trouble;
use patchbay_shared::ids::{BatchId, CampaignId, ClientId};
use patchbay_shared::{AppError, Cursor, Page, zone};

mod home;

pub(crate) use home::*;

/// Rows on a page.
pub(crate) const PAGE: usize = 25;

/// A batch's row.
#[derive(Debug, Clone)]
pub struct Batch {
    pub id: BatchId,
    pub client_id: ClientId,
    pub campaign_id: CampaignId,
    pub name: String,
    pub mode: BatchMode,
    pub status: BatchStatus,
    pub scheduled_for: Option<DateTime<Utc>>,
    pub concurrency: i32,
    pub total_contacts: i32,
    pub pause_reason: Option<String>,
    /// Why Patchbay itself paused or failed it.
    pub obstacle: Option<Obstacle>,
    pub stopped_at: Option<DateTime<Utc>>,
    pub error: Option<String>,
    pub started_at: Option<DateTime<Utc>>,
    pub completed_at: Option<DateTime<Utc>>,
    /// Made by Patchbay for call-backs that are due.
    pub for_call_backs: bool,
    /// Contacts that another batch calls back since.
    pub left_contacts: i32,
}

/// Batches by newest first, `limit` rows on a page.
pub async fn list(tx: &mut ReadTx, query: &BatchQuery, limit: usize) -> Result<BatchPage, AppError> {
    let cursor = Cursor::parse(query.cursor.as_deref());
    let key = cursor.as_ref().and_then(|cursor| cursor.key.parse::<uuid::Uuid>().ok());
    let older = cursor.as_ref().is_none_or(|cursor| cursor.older);
    let (zone, now) = (tx.scope().zone(), Utc::now());
    // What is no id is nobody's: a filter that means nothing does not widen the list.
    let id = |text: &Option<String>| {
        text.as_deref().filter(|text| !text.is_empty()).map(|text| text.parse::<uuid::Uuid>().unwrap_or_default())
    };
    let rows = sqlx::query!(
        r#"select b.id as "id: BatchId", b.name, (case when b.stopped_at is not null then 'stopped' else b.status::text end) as "status!: BatchStatus",
                  b.scheduled_for, b.pause_reason, b.error, b.total_contacts - b.left_contacts as "total!", b.stopped_at, s.name as "stopped_by?",
                  b.obstacle as "obstacle: Obstacle", b.client_id as "client_id: ClientId", b.created_at,
                  b.campaign_id as "campaign_id: CampaignId", c.name as campaign, k.name as client, p.reached as "reached!", p.not_reached as "not_reached!",
                  p.failed as "failed!", p.calling as "calling!", p.waiting as "waiting!", p.to_retry as "to_retry!",
                  p.due as "due!", p.next_due as "next_due?"
           from (
             select * from call_batches b
             where b.workspace_id = $1 and ($2::text is null or (case when b.stopped_at is not null then 'stopped' else b.status::text end) = $2)
               and ($3::uuid is null or b.campaign_id = $3) and ($4::uuid is null or b.client_id = $4)
               and ($5::uuid is null or ($6 and b.id < $5) or (not $6 and b.id > $5))
             order by case when $6 then b.id end desc, case when not $6 then b.id end limit $7
           ) b
           join campaigns c on c.workspace_id = $1 and c.id = b.campaign_id
           join clients k on k.workspace_id = $1 and k.id = b.client_id
           left join users s on s.id = b.stopped_by
           cross join lateral (
             select count(*) filter (where x.result = 'reached') as reached, count(*) filter (where x.result = 'not_reached') as not_reached,
                    count(*) filter (where x.result = 'failed') as failed, count(*) filter (where x.status = 'calling') as calling,
                    count(*) filter (where x.status = 'scheduled') as waiting,
                    count(*) filter (where x.status = 'scheduled' and x.attempts > 0) as to_retry,
                    count(*) filter (where x.status = 'scheduled' and coalesce(x.next_attempt_at, now()) <= now()) as due,
                    min(x.next_attempt_at) filter (where x.status = 'scheduled') as next_due
             from campaign_contacts x where x.workspace_id = $1 and x.batch_id = b.id) p
           order by case when $6 then b.id end desc, case when not $6 then b.id end"#,
        tx.workspace_uuid(),
        query.status.as_deref().filter(|status| !status.is_empty()),
        id(&query.campaign),
        id(&query.client),
        key,
        older,
        limit as i64 + 1,
    )
    .fetch_all(tx.conn())
    .await?;
    let (held, scope) = (clients_held(tx).await?, tx.scope().clone());
    let is_open = |status| matches!(status, BatchStatus::Pending | BatchStatus::Processing);
    let rows = rows
        .into_iter()
        .map(|row| BatchRow {
            id: row.id,
            name: row.name,
            campaign_id: row.campaign_id,
            campaign: row.campaign,
            client: row.client,
            status: row.status,
            progress: Progress {
                total: i64::from(row.total),
                reached: row.reached,
                not_reached: row.not_reached,
                failed: row.failed,
                calling: row.calling,
                waiting: row.waiting,
                to_retry: row.to_retry,
            },
            created: zone::stamp(row.created_at, now, zone),
            scheduled_for: row.scheduled_for.map(|at| zone::stamp(at, now, zone)),
            note: trouble(&scope, row.error.or(row.pause_reason), row.obstacle).or_else(|| {
                if let Some(at) = row.stopped_at {
                    let by = row.stopped_by.map(|name| format!(" by {name}")).unwrap_or_default();
                    return Some(format!("Stopped{by}, {}", zone::moment_text(at, now, zone)));
                }
                if !is_open(row.status) {
                    return None;
                }
                if held.contains(&row.client_id) {
                    return Some("Waiting: the monthly budget is spent".to_owned());
                }
                let is_idle = row.calling == 0 && row.due == 0;
                let next = row.next_due.filter(|_| is_idle)?;
                Some(format!("Waiting: next call {}", zone::moment_text(next, now, zone)))
            }),
        })
        .collect();
    Ok(Page::cut(rows, limit, cursor.as_ref(), |row| row.id.to_string()))
}

/// Active campaigns by name: id and name with the client's.
pub(crate) async fn campaigns(tx: &mut ReadTx) -> Result<Vec<(String, String)>, AppError> {
    let rows = sqlx::query!(
        "select c.id, c.name, k.name as client from campaigns c join clients k on k.workspace_id = $1 and k.id = c.client_id
         where c.workspace_id = $1 and c.status = 'active' order by c.id desc limit 500",
        tx.workspace_uuid()
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(|row| (row.id.to_string(), format!("{} · {}", row.name, row.client))).collect())
}

/// One batch. Errors: `NotFound`.
pub(crate) async fn get(tx: &mut ReadTx, id: BatchId) -> Result<Batch, AppError> {
    Ok(sqlx::query_as!(
        Batch,
        r#"select id as "id: BatchId", client_id as "client_id: ClientId", campaign_id as "campaign_id: CampaignId", name,
                  mode as "mode: BatchMode",
                  (case when stopped_at is not null then 'stopped' else status::text end) as "status!: BatchStatus", scheduled_for, concurrency,
                  total_contacts, pause_reason, obstacle as "obstacle: Obstacle", stopped_at, error, started_at, completed_at,
                  for_call_backs, left_contacts
           from call_batches where workspace_id = $1 and id = $2"#,
        tx.workspace_uuid(),
        id.0
    )
    .fetch_one(tx.conn())
    .await?)
}

/// The same, locked until the commit.
pub(crate) async fn lock(tx: &mut WriteTx, id: BatchId) -> Result<Batch, AppError> {
    Ok(sqlx::query_as!(
        Batch,
        r#"select id as "id: BatchId", client_id as "client_id: ClientId", campaign_id as "campaign_id: CampaignId", name,
                  mode as "mode: BatchMode",
                  (case when stopped_at is not null then 'stopped' else status::text end) as "status!: BatchStatus", scheduled_for, concurrency,
                  total_contacts, pause_reason, obstacle as "obstacle: Obstacle", stopped_at, error, started_at, completed_at,
                  for_call_backs, left_contacts
           from call_batches where workspace_id = $1 and id = $2 for update"#,
        tx.workspace_uuid(),
        id.0
    )
    .fetch_one(tx.conn())
    .await?)
}

/// A batch about to be made.
pub(crate) struct NewBatch<'a> {
    pub id: BatchId,
    pub client: ClientId,
    pub campaign: CampaignId,
    pub name: &'a str,
    pub mode: BatchMode,
    pub scheduled_for: Option<DateTime<Utc>>,
    pub concurrency: i32,
    pub for_call_backs: bool,
}

pub(crate) async fn insert(tx: &mut WriteTx, new: &NewBatch<'_>) -> Result<(), AppError> {
    let status = if new.mode == BatchMode::Scheduled { BatchStatus::Scheduled } else { BatchStatus::Pending };
    let user = tx.user_id().map(|user| user.0);
    sqlx::query!(
        "insert into call_batches (workspace_id, id, client_id, campaign_id, name, mode, status, scheduled_for, concurrency, created_by,
                                   for_call_backs)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        tx.workspace_uuid(),
        new.id.0,
        new.client.0,
        new.campaign.0,
        new.name,
        new.mode as BatchMode,
        status as BatchStatus,
        new.scheduled_for,
        new.concurrency,
        user,
        new.for_call_backs,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// What became of a batch's contacts so far. Those whom another batch calls back are that one's.
pub(crate) async fn progress(tx: &mut ReadTx, batch: &Batch) -> Result<Progress, AppError> {
    let row = sqlx::query!(
        r#"select count(*) filter (where result = 'reached') as "reached!", count(*) filter (where result = 'not_reached') as "not_reached!",
                  count(*) filter (where result = 'failed') as "failed!", count(*) filter (where status = 'calling') as "calling!",
                  count(*) filter (where status = 'scheduled') as "waiting!",
                  count(*) filter (where status = 'scheduled' and attempts > 0) as "to_retry!"
           from campaign_contacts where workspace_id = $1 and batch_id = $2"#,
        tx.workspace_uuid(),
        batch.id.0
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(Progress {
        total: i64::from(batch.total_contacts - batch.left_contacts),
        reached: row.reached,
        not_reached: row.not_reached,
        failed: row.failed,
        calling: row.calling,
        waiting: row.waiting,
        to_retry: row.to_retry,
    })
}

/// True if it was not processing before.
pub(crate) async fn set_processing(tx: &mut WriteTx, id: BatchId) -> Result<bool, AppError> {
    let done = sqlx::query!(
        "update call_batches set status = 'processing', started_at = coalesce(started_at, now()), updated_at = now()
         where workspace_id = $1 and id = $2 and status in ('pending', 'scheduled')",
        tx.workspace_uuid(),
        id.0
    )
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected() == 1)
}

/// `reason` is given when Patchbay pauses; a person's name is kept otherwise.
pub(crate) async fn set_paused(
    tx: &mut WriteTx,
    id: BatchId,
    reason: Option<(&str, Obstacle)>,
) -> Result<(), AppError> {
    let user = tx.user_id().map(|user| user.0);
    let (reason, obstacle) = reason.unzip();
    sqlx::query!(
        "update call_batches set status = 'paused', pause_reason = $3, paused_by = $4, obstacle = $5, updated_at = now()
         where workspace_id = $1 and id = $2",
        tx.workspace_uuid(),
        id.0,
        reason,
        user,
        obstacle as Option<Obstacle>,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// `early`: its set time is still to come.
pub(crate) async fn set_resumed(tx: &mut WriteTx, id: BatchId, early: bool) -> Result<(), AppError> {
    sqlx::query!(
        "update call_batches set status = (case when $3 then 'scheduled' else 'pending' end)::batch_status, pause_reason = null, paused_by = null,
                obstacle = null, error = null, completed_at = null, updated_at = now()
         where workspace_id = $1 and id = $2",
        tx.workspace_uuid(),
        id.0,
        early
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Ends a batch. With `error` it failed; `stopped` says that a person ended it early.
pub(crate) async fn set_over(
    tx: &mut WriteTx,
    id: BatchId,
    error: Option<(&str, Obstacle)>,
    stopped: bool,
) -> Result<(), AppError> {
    let (error, obstacle) = error.unzip();
    let user = tx.user_id().map(|user| user.0);
    sqlx::query!(
        "update call_batches set status = (case when $3::text is null then 'completed' else 'failed' end)::batch_status, error = $3,
                stopped_at = case when $4 then now() else stopped_at end, stopped_by = case when $4 then $5::uuid else stopped_by end,
                completed_at = now(), pause_reason = null, obstacle = $6, updated_at = now()
         where workspace_id = $1 and id = $2",
        tx.workspace_uuid(),
        id.0,
        error,
        stopped,
        user,
        obstacle as Option<Obstacle>,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// How many contacts the batch was given.
pub(crate) async fn set_total(tx: &mut WriteTx, id: BatchId, total: i32) -> Result<(), AppError> {
    sqlx::query!(
        "update call_batches set total_contacts = $3 where workspace_id = $1 and id = $2",
        tx.workspace_uuid(),
        id.0,
        total
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}
