//! What stands in the queues, read from the tables of the crates whose work it is.

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use crate::model::{
    AT_ONCE, DISCARDABLE, ProcessingStatus, QueueList, QueueName, QueueQuery, QueueRow, QueueView, job,
};
use patchbay_access::Action;
use patchbay_access::server::{Db, ReadTx, SystemTx};
use patchbay_shared::ids::WorkspaceId;
use patchbay_shared::{AppError, Cursor, Page, zone};

/// Rows on a page.
pub(crate) const PAGE: usize = 50;

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
    /// All ids of the page are above this one, and below the other.
    fn above(&self) -> Uuid {
        self.key.filter(|_| !self.downward).unwrap_or_default()
    }

    fn below(&self) -> Uuid {
        self.key.filter(|_| self.downward).unwrap_or(Uuid::max())
    }

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
    let failed = if may && query.shows_failed() { failed(tx, &asked).await? } else { 0 };
    Ok(QueueList {
        page,
        failed: failed.min(AT_ONCE),
        has_more: failed > AT_ONCE,
        has_others: asked.has(&[QueueName::Batches, QueueName::Sync]),
        may_retry: may,
    })
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

/// A statement of one table: an arm per state, of which those run that are asked for, each by its own index. What they all are given: the
/// tenant, rows at most, the ids between which they are, the direction, which states, and whether the stuck ones alone.
macro_rules! found {
    ($tx:expr, $asked:expr, $sql:literal $(, $more:expr)*) => {
        sqlx::query_as!(
            Found,
            $sql,
            $tx.workspace_uuid(),
            $asked.most,
            $asked.above(),
            $asked.below(),
            $asked.downward,
            $asked.shows(QueueView::Waiting) || $asked.is_stuck(),
            $asked.shows(QueueView::Processing) || $asked.is_stuck(),
            $asked.shows(QueueView::Failed) || $asked.is_stuck(),
            $asked.shows(QueueView::Done),
            $asked.is_stuck(),
            $($more),*
        )
        .fetch_all($tx.conn())
        .await?
    };
}

/// Events of outside services.
async fn webhooks(tx: &mut ReadTx, asked: &Asked) -> Result<Vec<Found>, AppError> {
    Ok(found!(
        tx,
        asked,
        r#"select id as "id!", event_type as "kind!", status as "status!: ProcessingStatus", attempts as "attempts!",
                  received_at as "created_at!", next_attempt_at as next_at, last_error, null::uuid as subject
           from (
             (select * from webhook_queue where workspace_id = $1 and status = 'pending' and $6 and id > $3 and id < $4 and (not $10 or attempts > 0 or next_attempt_at < now() - interval '5 minutes')
              order by case when $5 then id end desc, case when not $5 then id end limit $2) union all
             (select * from webhook_queue where workspace_id = $1 and status = 'processing' and $7 and id > $3 and id < $4 and (not $10 or lease_until < now())
              order by case when $5 then id end desc, case when not $5 then id end limit $2) union all
             (select * from webhook_queue where workspace_id = $1 and status = 'failed' and $8 and id > $3 and id < $4
              order by case when $5 then id end desc, case when not $5 then id end limit $2) union all
             (select * from webhook_queue where workspace_id = $1 and status = 'completed' and $9 and id > $3 and id < $4
              order by case when $5 then id end desc, case when not $5 then id end limit $2)) q"#
    ))
}

/// Transcripts and analyses.
async fn words(tx: &mut ReadTx, asked: &Asked) -> Result<Vec<Found>, AppError> {
    Ok(found!(
        tx,
        asked,
        r#"select id as "id!", type::text as "kind!", status as "status!: ProcessingStatus", attempts as "attempts!",
                  created_at as "created_at!", next_attempt_at as next_at, last_error, call_id as subject
           from (
             (select * from enrichment_queue where workspace_id = $1 and status = 'pending' and $6 and id > $3 and id < $4 and (not $10 or attempts > 0 or next_attempt_at < now() - interval '5 minutes')
              order by case when $5 then id end desc, case when not $5 then id end limit $2) union all
             (select * from enrichment_queue where workspace_id = $1 and status = 'processing' and $7 and id > $3 and id < $4 and (not $10 or lease_until < now())
              order by case when $5 then id end desc, case when not $5 then id end limit $2) union all
             (select * from enrichment_queue where workspace_id = $1 and status = 'failed' and $8 and id > $3 and id < $4
              order by case when $5 then id end desc, case when not $5 then id end limit $2) union all
             (select * from enrichment_queue where workspace_id = $1 and status = 'completed' and $9 and id > $3 and id < $4
              order by case when $5 then id end desc, case when not $5 then id end limit $2)) q"#
    ))
}

/// Jobs of the queues that are asked for.
async fn jobs(tx: &mut ReadTx, asked: &Asked) -> Result<Vec<Found>, AppError> {
    // These kinds alone, or all but these: without any, all.
    let (kinds, are_these) = match kinds(asked.queue) {
        (Some(only), _) => (only, true),
        (None, without) => (without.unwrap_or_default(), false),
    };
    Ok(found!(
        tx,
        asked,
        r#"select id as "id!", kind as "kind!", status as "status!: ProcessingStatus", attempts as "attempts!",
                  created_at as "created_at!", run_at as next_at, last_error, case when kind in ('run_batch', 'dial_call_back', 'follow_call') then dedupe_key end::uuid as subject
           from (
             (select * from jobs where workspace_id = $1 and status = 'pending' and $6 and id > $3 and id < $4 and (kind = any($11)) = $12 and (not $10 or attempts > 0 or run_at < now() - interval '5 minutes')
              order by case when $5 then id end desc, case when not $5 then id end limit $2) union all
             (select * from jobs where workspace_id = $1 and status = 'processing' and $7 and id > $3 and id < $4 and (kind = any($11)) = $12 and (not $10 or lease_until < now())
              order by case when $5 then id end desc, case when not $5 then id end limit $2) union all
             (select * from jobs where workspace_id = $1 and status = 'failed' and $8 and id > $3 and id < $4 and (kind = any($11)) = $12
              order by case when $5 then id end desc, case when not $5 then id end limit $2) union all
             (select * from jobs where workspace_id = $1 and status = 'completed' and $9 and id > $3 and id < $4 and (kind = any($11)) = $12
              order by case when $5 then id end desc, case when not $5 then id end limit $2)) q"#,
        &kinds,
        are_these
    ))
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
             and id > $3 and id < $4
           order by case when $5 then id end desc, case when not $5 then id end limit $2"#,
        tx.workspace_uuid(),
        asked.most,
        asked.above(),
        asked.below(),
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
             and id > $3 and id < $4
           order by case when $5 then id end desc, case when not $5 then id end limit $2"#,
        tx.workspace_uuid(),
        asked.most,
        asked.above(),
        asked.below(),
        asked.downward
    )
    .fetch_all(tx.conn())
    .await?)
}

/// How much failed work of the queues that are shown can be tried again at once: of jobs that do the same, one. Counted in each table up to
/// one more than is done at once.
async fn failed(tx: &mut ReadTx, asked: &Asked) -> Result<i64, AppError> {
    let (only, without) = kinds(asked.queue);
    let row = sqlx::query!(
        r#"select (select count(*) from (select from webhook_queue where workspace_id = $1 and status = 'failed' and $2 limit $5) q) as "webhooks!",
                  (select count(*) from (select from enrichment_queue where workspace_id = $1 and status = 'failed' and $3 limit $5) q) as "words!",
                  (select count(*) from (select from jobs f where f.workspace_id = $1 and f.status = 'failed' and $4
                     and ($6::text[] is null or f.kind = any($6)) and ($7::text[] is null or f.kind <> all($7))
                     and (f.dedupe_key is null or not exists (
                       select from jobs o where o.workspace_id = $1 and o.kind = f.kind and o.dedupe_key = f.dedupe_key and o.id <> f.id
                         and (o.status in ('pending', 'processing') or (o.status = 'failed' and o.id > f.id)))) limit $5) q) as "jobs!""#,
        tx.workspace_uuid(),
        asked.has(&[QueueName::Webhooks]),
        asked.has(&[QueueName::Words]),
        asked.has(&[QueueName::Batches, QueueName::Sync, QueueName::Mail, QueueName::Other]),
        AT_ONCE + 1,
        only.as_deref() as Option<&[String]>,
        without.as_deref() as Option<&[String]>,
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(row.webhooks + row.words + row.jobs)
}
