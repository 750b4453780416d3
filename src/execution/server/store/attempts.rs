//! Statements about tries of jobs, what they wrote and what they left.

use chrono::{DateTime, Utc};
use serde_json::Value;
use uuid::Uuid;

use crate::model::Outcome;
use patchbay_access::server::{ReadTx, WriteTx};
use patchbay_shared::AppError;
use patchbay_shared::ids::ExecutionJobId;

/// The try that goes on.
pub(crate) struct OpenAttempt {
    pub number: i32,
    pub started_at: DateTime<Utc>,
}

pub(crate) async fn open(tx: &mut ReadTx, job: ExecutionJobId) -> Result<Option<OpenAttempt>, AppError> {
    Ok(sqlx::query_as!(
        OpenAttempt,
        "select number, started_at from execution_attempts where workspace_id = $1 and job_id = $2 and ended_at is null
         order by number desc limit 1",
        tx.workspace_uuid(),
        job.0
    )
    .fetch_optional(tx.conn())
    .await?)
}

/// A new try, from this moment on: its transaction may have waited for whoever had the place before. Gives its number.
pub(crate) async fn begin(tx: &mut WriteTx, job: ExecutionJobId, lease: &str, memory_mb: i32) -> Result<i32, AppError> {
    Ok(sqlx::query_scalar!(
        "insert into execution_attempts (workspace_id, id, job_id, number, lease_owner, memory_limit_mb, started_at)
         select $1, $2, $3, coalesce(max(a.number), 0) + 1, $4, $5, clock_timestamp()
         from execution_attempts a where a.workspace_id = $1 and a.job_id = $3
         returning number",
        tx.workspace_uuid(),
        Uuid::now_v7(),
        job.0,
        lease,
        memory_mb
    )
    .fetch_one(tx.conn())
    .await?)
}

/// Another worker goes on with a try.
pub(crate) async fn take_over(tx: &mut WriteTx, job: ExecutionJobId, number: i32, lease: &str) -> Result<(), AppError> {
    sqlx::query!(
        "update execution_attempts set lease_owner = $4 where workspace_id = $1 and job_id = $2 and number = $3",
        tx.workspace_uuid(),
        job.0,
        number,
        lease
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

pub(crate) async fn keep_place(
    tx: &mut WriteTx,
    job: ExecutionJobId,
    number: i32,
    container: &str,
    host: &str,
) -> Result<(), AppError> {
    sqlx::query!(
        "update execution_attempts set container_id = $4, target_host = $5 where workspace_id = $1 and job_id = $2 and number = $3",
        tx.workspace_uuid(),
        job.0,
        number,
        container,
        host
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// How much memory it had, over time.
pub(crate) async fn keep_samples(
    tx: &mut WriteTx,
    job: ExecutionJobId,
    number: i32,
    samples: &Value,
    peak_mb: i32,
) -> Result<(), AppError> {
    sqlx::query!(
        "update execution_attempts set memory_samples = $4, peak_memory_mb = greatest(peak_memory_mb, $5)
         where workspace_id = $1 and job_id = $2 and number = $3",
        tx.workspace_uuid(),
        job.0,
        number,
        samples,
        peak_mb
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// How a try ended.
pub(crate) struct EndedAttempt<'a> {
    pub outcome: Outcome,
    pub reason: Option<&'a str>,
    pub exit_code: Option<i32>,
    pub peak_mb: Option<i32>,
}

/// Ends what goes on of a job's tries.
pub(crate) async fn end(tx: &mut WriteTx, job: ExecutionJobId, ended: &EndedAttempt<'_>) -> Result<(), AppError> {
    sqlx::query!(
        "update execution_attempts set ended_at = now(), outcome = $3, reason = $4, exit_code = $5,
                peak_memory_mb = greatest(peak_memory_mb, $6)
         where workspace_id = $1 and job_id = $2 and ended_at is null",
        tx.workspace_uuid(),
        job.0,
        ended.outcome.as_str(),
        ended.reason,
        ended.exit_code,
        ended.peak_mb
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Whether a try ran out of memory.
pub(crate) async fn had_oom(tx: &mut ReadTx, job: ExecutionJobId) -> Result<bool, AppError> {
    Ok(sqlx::query_scalar!(
        r#"select exists (select from execution_attempts where workspace_id = $1 and job_id = $2 and outcome = 'oom') as "had!""#,
        tx.workspace_uuid(),
        job.0
    )
    .fetch_one(tx.conn())
    .await?)
}

/// Lines of a try, with the place of the first.
pub(crate) struct Lines<'a> {
    pub job: ExecutionJobId,
    pub attempt: i32,
    pub positions: &'a [i32],
    pub streams: &'a [String],
    pub times: &'a [DateTime<Utc>],
    pub lines: &'a [String],
}

pub(crate) async fn add_lines(tx: &mut WriteTx, new: &Lines<'_>) -> Result<(), AppError> {
    let ids: Vec<Uuid> = new.positions.iter().map(|_| Uuid::now_v7()).collect();
    sqlx::query!(
        "insert into execution_log_lines (workspace_id, id, job_id, attempt, position, stream, at, line)
         select $1, n.id, $2, $3, n.position, n.stream, n.at, n.line
         from unnest($4::uuid[], $5::int[], $6::text[], $7::timestamptz[], $8::text[]) as n (id, position, stream, at, line)
         on conflict (workspace_id, job_id, attempt, position) do nothing",
        tx.workspace_uuid(),
        new.job.0,
        new.attempt,
        &ids,
        new.positions,
        new.streams,
        new.times,
        new.lines
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// What a try has written so far.
pub(crate) struct Written {
    /// Lines of the program itself.
    pub lines: i64,
    pub bytes: i64,
    pub next_position: i32,
}

pub(crate) async fn written(tx: &mut ReadTx, job: ExecutionJobId, attempt: i32) -> Result<Written, AppError> {
    Ok(sqlx::query_as!(
        Written,
        r#"select count(*) filter (where stream <> 'system') as "lines!", coalesce(sum(octet_length(line)), 0)::bigint as "bytes!",
                  coalesce(max(position) + 1, 0) as "next_position!"
           from execution_log_lines where workspace_id = $1 and job_id = $2 and attempt = $3"#,
        tx.workspace_uuid(),
        job.0,
        attempt
    )
    .fetch_one(tx.conn())
    .await?)
}

/// A file that a try gave back.
pub(crate) struct NewArtefact {
    pub id: Uuid,
    pub name: String,
    pub bytes: i64,
    pub content_type: &'static str,
    pub key: String,
}

/// Its files, in place of those that it had: it may be looked at twice.
pub(crate) async fn set_artefacts(
    tx: &mut WriteTx,
    job: ExecutionJobId,
    attempt: i32,
    files: &[NewArtefact],
) -> Result<(), AppError> {
    sqlx::query!(
        "delete from execution_artefacts where workspace_id = $1 and job_id = $2 and attempt = $3",
        tx.workspace_uuid(),
        job.0,
        attempt
    )
    .execute(tx.conn())
    .await?;
    for file in files {
        sqlx::query!(
            "insert into execution_artefacts (workspace_id, id, job_id, attempt, name, bytes, content_type, object_key)
             values ($1, $2, $3, $4, $5, $6, $7, $8)",
            tx.workspace_uuid(),
            file.id,
            job.0,
            attempt,
            file.name,
            file.bytes,
            file.content_type,
            file.key
        )
        .execute(tx.conn())
        .await?;
    }
    Ok(())
}
