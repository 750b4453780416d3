//! What stands in the queues, read from the tables of the crates whose work it is.

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use crate::model::{DISCARDABLE, ProcessingStatus, QueueList, QueueName, QueueQuery, QueueRow, QueueView, job};
use patchbay_access::Action;
use patchbay_access::server::{Db, ReadTx, SystemTx};
use patchbay_shared::ids::WorkspaceId;
use patchbay_shared::{AppError, Cursor, Page, zone};

/// Rows on a page.
pub(crate) const PAGE: usize = 50;
/// Failed work is counted up to here, in each table.
const COUNTED: i64 = 1000;

/// All agencies, for upkeep.
pub(crate) async fn workspaces(db: &Db) -> Result<Vec<WorkspaceId>, AppError> {
    let mut tx = SystemTx::open(db, "queue upkeep").await?;
    Ok(sqlx::query_scalar!(r#"select id as "id: WorkspaceId" from workspaces order by id"#)
        .fetch_all(tx.conn())
        .await?)
}

/// What the statements are asked for.
struct Asked {
    view: QueueView,
    queue: Option<QueueName>,
    key: Option<Uuid>,
    /// Older ones come next: ids go down.
    downward: bool,
    most: i64,
}

impl Asked {
    fn shows(&self, view: QueueView) -> bool {
        self.view == view || self.view == QueueView::All
    }

    fn is_stuck(&self) -> bool {
        self.view == QueueView::Stuck
    }

    fn has(&self, queues: &[QueueName]) -> bool {
        self.queue.is_none_or(|queue| queues.contains(&queue))
    }
}

/// A row as the statements read it.
struct Found {
    id: Uuid,
    kind: String,
    status: ProcessingStatus,
    attempts: i32,
    created_at: DateTime<Utc>,
    next_at: Option<DateTime<Utc>>,
    last_error: Option<String>,
    /// What it is about.
    subject: Option<Uuid>,
}

/// A page of the list, newest or oldest first, `limit` rows on it.
pub(crate) async fn list(tx: &mut ReadTx, query: &QueueQuery, limit: usize) -> Result<QueueList, AppError> {
    let cursor = Cursor::parse(query.cursor.as_deref()).filter(|cursor| cursor.key.parse::<Uuid>().is_ok());
    let oldest_first = query.sort.as_deref() == Some("oldest");
    let onward = cursor.as_ref().is_none_or(|cursor| cursor.older);
    let asked = Asked {
        view: query.view(),
        queue: query.queue(),
        key: cursor.as_ref().and_then(|cursor| cursor.key.parse().ok()),
        downward: onward != oldest_first,
        most: limit as i64 + 1,
    };
    let mut found: Vec<(&'static str, Found)> = Vec::new();
    let mut add = |source: &'static str, rows: Vec<Found>| found.extend(rows.into_iter().map(|row| (source, row)));
    if asked.has(&[QueueName::Webhooks]) {
        add("webhook", webhooks(tx, &asked).await?);
    }
    if asked.has(&[QueueName::Words]) {
        add("words", words(tx, &asked).await?);
    }
    if asked.has(&[QueueName::Batches, QueueName::Sync, QueueName::Mail, QueueName::Other]) {
        add("job", jobs(tx, &asked).await?);
    }
    if asked.has(&[QueueName::Batches]) && (asked.shows(QueueView::Failed) || asked.is_stuck()) {
        add("batch", batches(tx, &asked).await?);
    }
    if asked.has(&[QueueName::Sync]) && (asked.shows(QueueView::Failed) || asked.is_stuck()) {
        add("sync", syncs(tx, &asked).await?);
    }
    found.sort_by_key(|(_, row)| row.id);
    if asked.downward {
        found.reverse();
    }
    found.truncate(limit + 1);
    let page = Page::cut(found, limit, cursor.as_ref(), |(_, row)| row.id.to_string());
    let (now, local) = (tx.now().await?, tx.scope().zone());
    let may = tx.scope().may(Action::ReplayQueues);
    let may_batches = may && tx.scope().may(Action::RunBatches);
    let page = page.map(|(source, row)| shown(source, row, now, local, (may, may_batches)));
    let failed = if may { failed(tx, &asked).await? } else { 0 };
    Ok(QueueList { page, failed, may_retry: may })
}

fn shown(source: &str, row: Found, now: DateTime<Utc>, local: zone::Tz, (may, may_batches): (bool, bool)) -> QueueRow {
    let has_failed = row.status == ProcessingStatus::Failed;
    let about = |path: &str| row.subject.map(|id| format!("{path}/{id}"));
    let can_be_discarded = match source {
        "webhook" | "words" => true,
        "job" => DISCARDABLE.contains(&row.kind.as_str()),
        _ => false,
    };
    let (queue, kind, href) = match source {
        "webhook" => (QueueName::Webhooks, row.kind, Some(format!("/webhooks/inbound/{}", row.id))),
        "words" => {
            let kind = if row.kind == "transcript" { "Fetch a transcript" } else { "Read a transcript" };
            (QueueName::Words, kind.to_owned(), about("/calls"))
        }
        "batch" => (QueueName::Batches, row.kind, about("/batches")),
        "sync" => (QueueName::Sync, "Import past calls".to_owned(), about("/connections/ultravox/history/imports")),
        _ => {
            let (queue, label) = job(&row.kind);
            let href = match row.kind.as_str() {
                "run_batch" => about("/batches"),
                "dial_call_back" => about("/call-backs"),
                "follow_call" => about("/calls"),
                _ => None,
            };
            (queue, label, href)
        }
    };
    QueueRow {
        id: row.id.to_string(),
        source: source.to_owned(),
        queue,
        kind,
        href,
        status: row.status,
        attempts: row.attempts,
        created: zone::exact(row.created_at, now, local),
        age: age(now - row.created_at),
        next: row.next_at.filter(|_| row.status == ProcessingStatus::Pending).map(|at| zone::exact(at, now, local)),
        note: row.last_error,
        may_retry: has_failed && if source == "batch" { may_batches } else { may && source != "sync" },
        may_discard: has_failed && may && can_be_discarded,
    }
}

/// `40 s`, `5 min`, `3 h`, `12 days`.
fn age(passed: TimeDelta) -> String {
    match passed.num_seconds().max(0) {
        seconds @ 0..60 => format!("{seconds} s"),
        seconds @ 60..3600 => format!("{} min", seconds / 60),
        seconds @ 3600..172_800 => format!("{} h", seconds / 3600),
        seconds => format!("{} days", seconds / 86_400),
    }
}

/// Events of outside services.
async fn webhooks(tx: &mut ReadTx, asked: &Asked) -> Result<Vec<Found>, AppError> {
    Ok(sqlx::query_as!(
        Found,
        r#"select q.id as "id!", q.kind as "kind!", q.status as "status!: ProcessingStatus", q.attempts as "attempts!",
                  q.created_at as "created_at!", q.next_at, q.last_error, q.subject
           from (
             (select id, event_type as kind, status, attempts, received_at as created_at, next_attempt_at as next_at, last_error, null::uuid as subject
              from webhook_queue where workspace_id = $1 and status = 'pending' and $5 and ($3::uuid is null or ($4 and id < $3) or (not $4 and id > $3))
                and (not $9 or attempts > 0 or next_attempt_at < now() - interval '5 minutes')
              order by case when $4 then id end desc, case when not $4 then id end limit $2)
             union all
             (select id, event_type as kind, status, attempts, received_at as created_at, next_attempt_at as next_at, last_error, null::uuid as subject
              from webhook_queue where workspace_id = $1 and status = 'processing' and $6 and ($3::uuid is null or ($4 and id < $3) or (not $4 and id > $3)) and (not $9 or lease_until < now())
              order by case when $4 then id end desc, case when not $4 then id end limit $2)
             union all
             (select id, event_type as kind, status, attempts, received_at as created_at, next_attempt_at as next_at, last_error, null::uuid as subject
              from webhook_queue where workspace_id = $1 and status = 'failed' and $7 and ($3::uuid is null or ($4 and id < $3) or (not $4 and id > $3))
              order by case when $4 then id end desc, case when not $4 then id end limit $2)
             union all
             (select id, event_type as kind, status, attempts, received_at as created_at, next_attempt_at as next_at, last_error, null::uuid as subject
              from webhook_queue where workspace_id = $1 and status = 'completed' and $8 and $4 and ($3::uuid is null or id < $3) order by id desc limit $2)
             union all
             (select id, event_type as kind, status, attempts, received_at as created_at, next_attempt_at as next_at, last_error, null::uuid as subject
              from webhook_queue where workspace_id = $1 and status = 'completed' and $8 and not $4 and ($3::uuid is null or id > $3) order by id limit $2)
           ) q"#,
        tx.workspace_uuid(),
        asked.most,
        asked.key,
        asked.downward,
        asked.shows(QueueView::Waiting) || asked.is_stuck(),
        asked.shows(QueueView::Processing) || asked.is_stuck(),
        asked.shows(QueueView::Failed) || asked.is_stuck(),
        asked.shows(QueueView::Done),
        asked.is_stuck(),
    )
    .fetch_all(tx.conn())
    .await?)
}

/// Transcripts and analyses.
async fn words(tx: &mut ReadTx, asked: &Asked) -> Result<Vec<Found>, AppError> {
    Ok(sqlx::query_as!(
        Found,
        r#"select q.id as "id!", q.kind as "kind!", q.status as "status!: ProcessingStatus", q.attempts as "attempts!",
                  q.created_at as "created_at!", q.next_at, q.last_error, q.subject
           from (
             (select id, type::text as kind, status, attempts, created_at as created_at, next_attempt_at as next_at, last_error, call_id as subject
              from enrichment_queue where workspace_id = $1 and status = 'pending' and $5 and ($3::uuid is null or ($4 and id < $3) or (not $4 and id > $3))
                and (not $9 or attempts > 0 or next_attempt_at < now() - interval '5 minutes')
              order by case when $4 then id end desc, case when not $4 then id end limit $2)
             union all
             (select id, type::text as kind, status, attempts, created_at as created_at, next_attempt_at as next_at, last_error, call_id as subject
              from enrichment_queue where workspace_id = $1 and status = 'processing' and $6 and ($3::uuid is null or ($4 and id < $3) or (not $4 and id > $3)) and (not $9 or lease_until < now())
              order by case when $4 then id end desc, case when not $4 then id end limit $2)
             union all
             (select id, type::text as kind, status, attempts, created_at as created_at, next_attempt_at as next_at, last_error, call_id as subject
              from enrichment_queue where workspace_id = $1 and status = 'failed' and $7 and ($3::uuid is null or ($4 and id < $3) or (not $4 and id > $3))
              order by case when $4 then id end desc, case when not $4 then id end limit $2)
             union all
             (select id, type::text as kind, status, attempts, created_at as created_at, next_attempt_at as next_at, last_error, call_id as subject
              from enrichment_queue where workspace_id = $1 and status = 'completed' and $8 and $4 and ($3::uuid is null or id < $3) order by id desc limit $2)
             union all
             (select id, type::text as kind, status, attempts, created_at as created_at, next_attempt_at as next_at, last_error, call_id as subject
              from enrichment_queue where workspace_id = $1 and status = 'completed' and $8 and not $4 and ($3::uuid is null or id > $3) order by id limit $2)
           ) q"#,
        tx.workspace_uuid(),
        asked.most,
        asked.key,
        asked.downward,
        asked.shows(QueueView::Waiting) || asked.is_stuck(),
        asked.shows(QueueView::Processing) || asked.is_stuck(),
        asked.shows(QueueView::Failed) || asked.is_stuck(),
        asked.shows(QueueView::Done),
        asked.is_stuck(),
    )
    .fetch_all(tx.conn())
    .await?)
}

/// Jobs of the queues that are asked for.
async fn jobs(tx: &mut ReadTx, asked: &Asked) -> Result<Vec<Found>, AppError> {
    let (only, without) = kinds(asked.queue);
    Ok(sqlx::query_as!(
        Found,
        r#"select q.id as "id!", q.kind as "kind!", q.status as "status!: ProcessingStatus", q.attempts as "attempts!",
                  q.created_at as "created_at!", q.next_at, q.last_error, q.subject::uuid as subject
           from (
             (select id, kind as kind, status, attempts, created_at as created_at, run_at as next_at, last_error, (case when kind in ('run_batch', 'dial_call_back', 'follow_call') then dedupe_key end) as subject
              from jobs where workspace_id = $1 and status = 'pending' and $5 and ($3::uuid is null or ($4 and id < $3) or (not $4 and id > $3))
                and ($10::text[] is null or kind = any($10)) and ($11::text[] is null or kind <> all($11))
                and (not $9 or attempts > 0 or run_at < now() - interval '5 minutes')
              order by case when $4 then id end desc, case when not $4 then id end limit $2)
             union all
             (select id, kind as kind, status, attempts, created_at as created_at, run_at as next_at, last_error, (case when kind in ('run_batch', 'dial_call_back', 'follow_call') then dedupe_key end) as subject
              from jobs where workspace_id = $1 and status = 'processing' and $6 and ($3::uuid is null or ($4 and id < $3) or (not $4 and id > $3))
                and ($10::text[] is null or kind = any($10)) and ($11::text[] is null or kind <> all($11)) and (not $9 or lease_until < now())
              order by case when $4 then id end desc, case when not $4 then id end limit $2)
             union all
             (select id, kind as kind, status, attempts, created_at as created_at, run_at as next_at, last_error, (case when kind in ('run_batch', 'dial_call_back', 'follow_call') then dedupe_key end) as subject
              from jobs where workspace_id = $1 and status = 'failed' and $7 and ($3::uuid is null or ($4 and id < $3) or (not $4 and id > $3))
                and ($10::text[] is null or kind = any($10)) and ($11::text[] is null or kind <> all($11))
              order by case when $4 then id end desc, case when not $4 then id end limit $2)
             union all
             (select id, kind as kind, status, attempts, created_at as created_at, run_at as next_at, last_error, (case when kind in ('run_batch', 'dial_call_back', 'follow_call') then dedupe_key end) as subject
              from jobs where workspace_id = $1 and status = 'completed' and $8 and $4 and ($3::uuid is null or id < $3)
                and ($10::text[] is null or kind = any($10)) and ($11::text[] is null or kind <> all($11)) order by id desc limit $2)
             union all
             (select id, kind as kind, status, attempts, created_at as created_at, run_at as next_at, last_error, (case when kind in ('run_batch', 'dial_call_back', 'follow_call') then dedupe_key end) as subject
              from jobs where workspace_id = $1 and status = 'completed' and $8 and not $4 and ($3::uuid is null or id > $3)
                and ($10::text[] is null or kind = any($10)) and ($11::text[] is null or kind <> all($11)) order by id limit $2)
           ) q"#,
        tx.workspace_uuid(),
        asked.most,
        asked.key,
        asked.downward,
        asked.shows(QueueView::Waiting) || asked.is_stuck(),
        asked.shows(QueueView::Processing) || asked.is_stuck(),
        asked.shows(QueueView::Failed) || asked.is_stuck(),
        asked.shows(QueueView::Done),
        asked.is_stuck(),
        only.as_deref() as Option<&[String]>,
        without.as_deref() as Option<&[String]>,
    )
    .fetch_all(tx.conn())
    .await?)
}

/// Of which kinds the jobs of a queue are: these alone, or all but these.
pub(crate) fn kinds(queue: Option<QueueName>) -> (Option<Vec<String>>, Option<Vec<String>>) {
    match queue {
        None => (None, None),
        Some(QueueName::Other) => {
            let own = [QueueName::Batches, QueueName::Sync, QueueName::Mail];
            (None, Some(own.into_iter().flat_map(QueueName::kinds).collect()))
        }
        Some(queue) => (Some(queue.kinds()), None),
    }
}

/// Batches of the last week that could not go on.
async fn batches(tx: &mut ReadTx, asked: &Asked) -> Result<Vec<Found>, AppError> {
    Ok(sqlx::query_as!(
        Found,
        r#"select id, name as kind, 'failed'::processing_status as "status!: ProcessingStatus", 0 as "attempts!", created_at,
                  null::timestamptz as next_at, error as last_error, id as subject
           from call_batches where workspace_id = $1 and status = 'failed' and completed_at > now() - interval '7 days'
             and ($3::uuid is null or ($4 and id < $3) or (not $4 and id > $3))
           order by case when $4 then id end desc, case when not $4 then id end limit $2"#,
        tx.workspace_uuid(),
        asked.most,
        asked.key,
        asked.downward
    )
    .fetch_all(tx.conn())
    .await?)
}

/// Imports of past calls of the last week that could not go on.
async fn syncs(tx: &mut ReadTx, asked: &Asked) -> Result<Vec<Found>, AppError> {
    Ok(sqlx::query_as!(
        Found,
        r#"select id, provider as kind, 'failed'::processing_status as "status!: ProcessingStatus", 0 as "attempts!", created_at,
                  null::timestamptz as next_at, error as last_error, id as subject
           from historical_sync_jobs where workspace_id = $1 and status = 'failed' and updated_at > now() - interval '7 days'
             and ($3::uuid is null or ($4 and id < $3) or (not $4 and id > $3))
           order by case when $4 then id end desc, case when not $4 then id end limit $2"#,
        tx.workspace_uuid(),
        asked.most,
        asked.key,
        asked.downward
    )
    .fetch_all(tx.conn())
    .await?)
}

/// How much failed work of the queues that are shown can be tried again.
async fn failed(tx: &mut ReadTx, asked: &Asked) -> Result<i64, AppError> {
    let (only, without) = kinds(asked.queue);
    let row = sqlx::query!(
        r#"select (select count(*) from (select from webhook_queue where workspace_id = $1 and status = 'failed' and $2 limit $5) q) as "webhooks!",
                  (select count(*) from (select from enrichment_queue where workspace_id = $1 and status = 'failed' and $3 limit $5) q) as "words!",
                  (select count(*) from (select from jobs where workspace_id = $1 and status = 'failed' and $4
                     and ($6::text[] is null or kind = any($6)) and ($7::text[] is null or kind <> all($7)) limit $5) q) as "jobs!""#,
        tx.workspace_uuid(),
        asked.has(&[QueueName::Webhooks]),
        asked.has(&[QueueName::Words]),
        asked.has(&[QueueName::Batches, QueueName::Sync, QueueName::Mail, QueueName::Other]),
        COUNTED,
        only.as_deref() as Option<&[String]>,
        without.as_deref() as Option<&[String]>,
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(row.webhooks + row.words + row.jobs)
}
