use chrono::{DateTime, Utc};
use serde::Serialize;
use serde::de::DeserializeOwned;

use patchbay_access::Action;
use patchbay_access::server::{Db, ReadTx, SystemTx, WriteTx};
use patchbay_shared::AppError;
use patchbay_shared::error::internal;

/// A piece of background work: a struct that carries ids, an imperative name, and what makes two of them the same.
pub trait Job: Serialize + DeserializeOwned + Send + 'static {
    /// Fixed: it stands in the table.
    const KIND: &'static str;

    /// All that a job of this kind may do. Whatever else it asks for is refused.
    const ACTIONS: &'static [Action];

    /// Whether it is done in a suspended workspace, too: because it costs nothing and changes nothing outside, or because it asks itself.
    /// All other jobs wait for the workspace to be active again.
    const RUNS_SUSPENDED: bool = false;

    /// At most one unfinished job per key and workspace.
    fn dedupe_key(&self) -> Option<String> {
        None
    }
}

/// The channel that wakes workers of the jobs table.
pub(crate) const JOBS_CHANNEL: &str = "jobs";

/// When to start, if not at once.
#[derive(Debug, Clone, Copy, Default)]
pub struct NewJob {
    pub run_at: Option<DateTime<Utc>>,
}

/// Puts a job into the queue inside the transaction that made it necessary. Enqueueing the same unfinished job twice is safe;
/// an earlier time wins.
pub async fn enqueue<J: Job>(tx: &mut WriteTx, job: &J, when: NewJob) -> Result<(), AppError> {
    enqueue_all(tx, std::iter::once((job, when))).await
}

/// The same for many jobs of a kind.
pub async fn enqueue_all<'a, J: Job>(
    tx: &mut WriteTx,
    jobs: impl IntoIterator<Item = (&'a J, NewJob)>,
) -> Result<(), AppError> {
    // A statement may not meet the same row twice, and two that enqueue the same jobs meet them in the same order.
    let mut waiting: Vec<(Option<String>, serde_json::Value, Option<DateTime<Utc>>)> = Vec::new();
    for (job, when) in jobs {
        waiting.push((job.dedupe_key(), serde_json::to_value(job).map_err(internal)?, when.run_at));
    }
    // Without a time means now, which is earlier than any other.
    waiting.sort_by(|one, other| (&one.0, one.2).cmp(&(&other.0, other.2)));
    waiting.dedup_by(|later, first| first.0.is_some() && later.0 == first.0);
    if waiting.is_empty() {
        return Ok(());
    }
    let ids: Vec<uuid::Uuid> = waiting.iter().map(|_| uuid::Uuid::now_v7()).collect();
    let keys: Vec<Option<String>> = waiting.iter().map(|(key, ..)| key.clone()).collect();
    let times: Vec<Option<DateTime<Utc>>> = waiting.iter().map(|(.., run_at)| *run_at).collect();
    let payloads: Vec<serde_json::Value> = waiting.into_iter().map(|(_, payload, _)| payload).collect();
    sqlx::query!(
        "insert into jobs (id, workspace_id, kind, payload, dedupe_key, run_at)
         select n.id, $1, $2, n.payload, n.key, coalesce(n.run_at, now())
         from unnest($3::uuid[], $4::jsonb[], $5::text[], $6::timestamptz[]) as n (id, payload, key, run_at)
         on conflict (workspace_id, kind, dedupe_key) where status in ('pending', 'processing')
         do update set run_at = least(jobs.run_at, excluded.run_at)",
        tx.workspace_uuid(),
        J::KIND,
        &ids,
        &payloads,
        &keys as &[Option<String>],
        &times as &[Option<DateTime<Utc>>],
    )
    .execute(tx.conn())
    .await?;
    tx.wake(JOBS_CHANNEL);
    Ok(())
}

/// Marks a waiting job as done, because what it was for has come about. One that a worker holds ends by itself.
pub async fn withdraw<J: Job>(tx: &mut WriteTx, job: &J) -> Result<(), AppError> {
    withdraw_all(tx, std::slice::from_ref(job)).await
}

/// The same for many jobs of a kind.
pub async fn withdraw_all<J: Job>(tx: &mut WriteTx, jobs: &[J]) -> Result<(), AppError> {
    let keys: Vec<String> = jobs.iter().filter_map(Job::dedupe_key).collect();
    sqlx::query!(
        "update jobs set status = 'completed', finished_at = now()
         where workspace_id = $1 and id in (
           select id from jobs where workspace_id = $1 and kind = $2 and dedupe_key = any($3) and status = 'pending'
           order by dedupe_key for update)",
        tx.workspace_uuid(),
        J::KIND,
        &keys,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Whether a job like this is unfinished, and if so, whether a worker holds it.
pub async fn unfinished<J: Job>(tx: &mut ReadTx, job: &J) -> Result<Option<Unfinished>, AppError> {
    let held = sqlx::query_scalar!(
        r#"select status = 'processing' as "held!" from jobs
           where workspace_id = $1 and kind = $2 and dedupe_key = $3 and status in ('pending', 'processing')"#,
        tx.workspace_uuid(),
        J::KIND,
        job.dedupe_key(),
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(held.map(|held| if held { Unfinished::Held } else { Unfinished::Waiting }))
}

/// How many jobs of this one's kind and workspace a worker holds whose keys come before its own.
pub async fn held_before<J: Job>(tx: &mut ReadTx, job: &J) -> Result<i64, AppError> {
    Ok(sqlx::query_scalar!(
        r#"select count(*) as "count!" from jobs
           where workspace_id = $1 and kind = $2 and status = 'processing' and dedupe_key < $3"#,
        tx.workspace_uuid(),
        J::KIND,
        job.dedupe_key(),
    )
    .fetch_one(tx.conn())
    .await?)
}

/// How a job stands that has not ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unfinished {
    Waiting,
    /// A worker is at it.
    Held,
}

/// The workspace is active again: what waits in its queue is looked at now.
pub async fn look_now(tx: &mut WriteTx) -> Result<(), AppError> {
    sqlx::query!(
        "update jobs set run_at = now() where workspace_id = $1 and status = 'pending' and run_at > now()",
        tx.workspace_uuid()
    )
    .execute(tx.conn())
    .await?;
    tx.wake(JOBS_CHANNEL);
    Ok(())
}

/// Removes finished work of a week ago, some at a time.
pub async fn prune(db: &Db) -> Result<(), AppError> {
    let mut tx = SystemTx::open(db, "finished jobs").await?;
    sqlx::query!(
        "delete from jobs where id in (
           select id from jobs where status = 'completed' and finished_at < now() - interval '7 days' limit 5000)"
    )
    .execute(tx.conn())
    .await?;
    tx.commit().await
}
