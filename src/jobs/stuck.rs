//! What people do with jobs that were given up.

use serde_json::json;
use uuid::Uuid;

use crate::live::Topic;
use crate::queue::JOBS_CHANNEL;
use patchbay_access::server::{Change, Fields, WriteTx};
use patchbay_shared::{AppError, Reason};

/// Does a failed job again, with all its attempts. Errors: `NotFound`; `Conflict` unless it has failed, and while another one of the same
/// kind does the same.
pub async fn retry(tx: &mut WriteTx, id: Uuid) -> Result<(), AppError> {
    let job = failed(tx, id).await?;
    if put_back(tx, &Only { id: Some(id), after: Uuid::nil(), most: 1, kinds: (None, None) }).await?.is_empty() {
        return Err(AppError::Conflict(
            Reason::WrongState,
            "Another job does the same by now. Set this one aside.".into(),
        ));
    }
    let (before, after) = (state(&job, "failed"), state(&job, "pending"));
    record(tx, "retried", Some(id), before, after).await
}

/// The same for failed jobs of these kinds, or of all kinds but these: the oldest after `after`, `most` of them. Gives which.
pub async fn retry_failed(
    tx: &mut WriteTx,
    kinds: (Option<&[String]>, Option<&[String]>),
    after: Uuid,
    most: i64,
) -> Result<Vec<Uuid>, AppError> {
    let again = put_back(tx, &Only { id: None, after, most, kinds }).await?;
    let jobs = again.len();
    if jobs > 0 {
        let (before, after) = (json!({"status": "failed", "jobs": jobs}), json!({"status": "pending", "jobs": jobs}));
        record(tx, "retried", None, before, after).await?;
    }
    Ok(again)
}

/// A failed job of one of these kinds is not done any more. Errors: `Conflict` for others: something waits for their end.
pub async fn discard(tx: &mut WriteTx, id: Uuid, kinds: &[&str]) -> Result<(), AppError> {
    let job = failed(tx, id).await?;
    if !kinds.contains(&job.kind.as_str()) {
        return Err(AppError::Conflict(
            Reason::WrongState,
            "Something waits for the end of this job, so it cannot be set aside. Try it again.".into(),
        ));
    }
    sqlx::query!(
        "update jobs set status = 'completed', finished_at = now(), last_error = 'Set aside. ' || coalesce(last_error, '')
         where workspace_id = $1 and id = $2 and status = 'failed'",
        tx.workspace_uuid(),
        id
    )
    .execute(tx.conn())
    .await?;
    let (before, after) = (state(&job, "failed"), state(&job, "discarded"));
    record(tx, "discarded", Some(id), before, after).await
}

struct Failed {
    kind: String,
    last_error: Option<String>,
    has_failed: bool,
}

async fn failed(tx: &mut WriteTx, id: Uuid) -> Result<Failed, AppError> {
    let job = sqlx::query_as!(
        Failed,
        r#"select kind, last_error, status = 'failed' as "has_failed!" from jobs where workspace_id = $1 and id = $2 for update"#,
        tx.workspace_uuid(),
        id
    )
    .fetch_one(tx.conn())
    .await?;
    if job.has_failed {
        return Ok(job);
    }
    Err(AppError::Conflict(Reason::WrongState, "This job has not failed, or is being tried again already.".into()))
}

/// Which failed jobs are put back.
struct Only<'a> {
    id: Option<Uuid>,
    after: Uuid,
    most: i64,
    /// These kinds alone; all kinds but these.
    kinds: (Option<&'a [String]>, Option<&'a [String]>),
}

/// One unfinished job per key: of several that failed with the same key the newest is enough, and none while another waits.
async fn put_back(tx: &mut WriteTx, only: &Only<'_>) -> Result<Vec<Uuid>, AppError> {
    let again = sqlx::query_scalar!(
        "update jobs j set status = 'pending', attempts = 0, worker_deaths = 0, run_at = now(), last_error = null, finished_at = null
         where j.workspace_id = $1 and j.id in (
             select id from jobs f where f.workspace_id = $1 and f.status = 'failed' and ($2::uuid is null or f.id = $2) and f.id > $6
               and ($3::text[] is null or f.kind = any($3)) and ($4::text[] is null or f.kind <> all($4))
               and (f.dedupe_key is null or not exists (
                 select from jobs o where o.workspace_id = $1 and o.kind = f.kind and o.dedupe_key = f.dedupe_key and o.id <> f.id
                   and (o.status in ('pending', 'processing') or (o.status = 'failed' and o.id > f.id))))
             order by f.id limit $5 for update skip locked)
         returning j.id",
        tx.workspace_uuid(),
        only.id,
        only.kinds.0 as Option<&[String]>,
        only.kinds.1 as Option<&[String]>,
        only.most,
        only.after
    )
    .fetch_all(tx.conn())
    .await?;
    tx.wake(JOBS_CHANNEL);
    Ok(again)
}

fn state(job: &Failed, status: &str) -> serde_json::Value {
    let error = job.last_error.as_deref().filter(|_| status == "failed");
    json!({ "kind": job.kind, "status": status, "error": error })
}

async fn record(
    tx: &mut WriteTx,
    action: &str,
    id: Option<Uuid>,
    before: serde_json::Value,
    after: serde_json::Value,
) -> Result<(), AppError> {
    let fields = Fields::Changed { before, after };
    tx.audit(Change { action, entity: "job", entity_id: id, client_id: None, fields }).await?;
    tx.notify(Topic::list("queues"), None);
    tx.notify(Topic::list("dashboard"), None);
    Ok(())
}
