use axum::body::Body;
use axum::extract::{Path, Query};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Router};
use object_store::ObjectStoreExt;
use object_store::path::Path as Key;
use serde::Deserialize;

use super::store::views::{approvals, job, jobs};
use crate::model::approval::{ApprovalQuery, ApprovalRow};
use crate::model::job::{JobQuery, JobRow};
use patchbay_access::Action;
use patchbay_access::server::{Db, ROWS_AT_ONCE, Visitor, csv_file};
use patchbay_shared::AppError;
use patchbay_shared::error::internal;
use patchbay_shared::ids::{ArtefactId, ExecutionJobId};

/// Lists as files, and what a job wrote and left.
pub fn routes() -> Router<Db> {
    Router::new()
        .route("/jobs/export.csv", get(export_jobs))
        .route("/approvals/export.csv", get(export_approvals))
        .route("/jobs/{id}/log.txt", get(log))
        .route("/jobs/{id}/files/{file}", get(file))
}

async fn export_jobs(
    Extension(visitor): Extension<Visitor>,
    Query(query): Query<JobQuery>,
) -> Result<Response, AppError> {
    let head = vec![
        "made",
        "job",
        "status",
        "engine",
        "target",
        "pool",
        "agent",
        "team",
        "client",
        "tries",
        "took_ms",
        "memory_limit_mb",
        "peak_memory_mb",
        "cost_usd",
        "reason",
        "id",
    ];
    csv_file(visitor.scope()?, Action::ReadWorkshop, "jobs.csv", head, move |mut tx, cursor| {
        let query = JobQuery { cursor, ..query.clone() };
        async move { Ok(jobs::list(&mut tx, &query, ROWS_AT_ONCE).await?.map(job_cells)) }
    })
    .await
}

fn job_cells(row: JobRow) -> Vec<String> {
    vec![
        row.made.utc,
        row.title,
        row.status.as_str().to_owned(),
        row.engine,
        row.target,
        row.pool,
        row.agent.unwrap_or_default(),
        row.team.unwrap_or_default(),
        row.client.unwrap_or_default(),
        row.tries.to_string(),
        row.took_ms.map(|ms| ms.to_string()).unwrap_or_default(),
        row.memory_limit_mb.to_string(),
        row.peak_memory_mb.map(|memory| memory.to_string()).unwrap_or_default(),
        row.cost.map(|cost| cost.0.to_string()).unwrap_or_default(),
        row.reason.unwrap_or_default(),
        row.id.to_string(),
    ]
}

/// A client's admin has the same file without what is the agency's own.
async fn export_approvals(
    Extension(visitor): Extension<Visitor>,
    Query(query): Query<ApprovalQuery>,
) -> Result<Response, AppError> {
    let scope = visitor.scope()?;
    let is_agency = scope.client_id().is_none();
    let mut head = vec!["asked", "until", "what", "rule", "decision", "decided", "decided_by", "note"];
    if is_agency {
        head.extend(["asked_by", "team", "client", "cost_usd"]);
    }
    head.push("id");
    csv_file(scope, Action::ReadApprovals, "approvals.csv", head, move |mut tx, cursor| {
        let client = query.client.clone().filter(|_| is_agency);
        let query = ApprovalQuery { cursor, client, ..query.clone() };
        async move {
            let page = approvals::list(&mut tx, &query, ROWS_AT_ONCE).await?;
            Ok(page.map(|row| approval_cells(row, is_agency)))
        }
    })
    .await
}

fn approval_cells(row: ApprovalRow, is_agency: bool) -> Vec<String> {
    let decided = row.decided.as_ref();
    let mut cells = vec![
        row.requested.utc,
        row.expires.utc,
        row.title,
        row.rule,
        decided.map(|decided| decided.decision.as_str().to_owned()).unwrap_or_default(),
        decided.map(|decided| decided.at.utc.clone()).unwrap_or_default(),
        decided.and_then(|decided| decided.by.clone()).unwrap_or_default(),
        decided.map(|decided| decided.note.clone()).unwrap_or_default(),
    ];
    if is_agency {
        cells.extend([
            row.asked_by.unwrap_or_default(),
            row.team.unwrap_or_default(),
            row.client.unwrap_or_default(),
            row.cost.map(|cost| cost.0.to_string()).unwrap_or_default(),
        ]);
    }
    cells.push(row.id.to_string());
    cells
}

#[derive(Deserialize)]
struct Whose {
    attempt: Option<i32>,
}

/// The whole log of a try, by default of the newest.
async fn log(
    Extension(visitor): Extension<Visitor>,
    Path(id): Path<String>,
    Query(whose): Query<Whose>,
) -> Result<Response, AppError> {
    let id: ExecutionJobId = id.parse()?;
    let mut tx = visitor.scope()?.read(Action::ReadWorkshop).await?;
    job::get(&mut tx, id).await?;
    let newest = job::attempts(&mut tx, id).await?.first().map(|(row, _)| row.number);
    let attempt = whose.attempt.or(newest).unwrap_or_default();
    let (lines, _) = job::log(&mut tx, id, attempt, true).await?;
    drop(tx);
    let text: String =
        lines.into_iter().map(|line| format!("{} {:<6} {}\n", line.at, line.stream, line.line)).collect();
    let headers = [
        (header::CONTENT_TYPE, "text/plain; charset=utf-8".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"job-{id}-{attempt}.txt\"")),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
        (header::CACHE_CONTROL, "no-store".to_owned()),
    ];
    Ok((headers, text).into_response())
}

/// A file that a job gave back: saved and never shown, because nobody knows what is in it.
async fn file(
    Extension(visitor): Extension<Visitor>,
    Path((id, file)): Path<(String, String)>,
) -> Result<Response, AppError> {
    let (scope, id, file): (_, ExecutionJobId, ArtefactId) = (visitor.scope()?, id.parse()?, file.parse()?);
    let mut tx = scope.read(Action::ReadWorkshop).await?;
    let (name, key) = job::artefact(&mut tx, id, file).await?;
    drop(tx);
    let found = match scope.services().artefacts.get(&Key::from(key.as_str())).await {
        Ok(found) => found,
        Err(object_store::Error::NotFound { .. }) => return Err(AppError::NotFound),
        Err(error) => return Err(internal(error)),
    };
    let headers = [
        (header::CONTENT_TYPE, "application/octet-stream".to_owned()),
        (header::CONTENT_LENGTH, found.meta.size.to_string()),
        (header::CONTENT_DISPOSITION, disposition(&name)),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
        (header::CACHE_CONTROL, "no-store".to_owned()),
    ];
    Ok((headers, Body::from_stream(found.into_stream())).into_response())
}

/// The last part of the name twice: plain for old programs, and as it is (RFC 6266).
fn disposition(path: &str) -> String {
    let name = path.rsplit('/').next().unwrap_or(path);
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '-' | '_' | ' ');
    let plain: String = name.chars().map(|letter| if is_plain(letter) { letter } else { '_' }).collect();
    let whole: String = name
        .bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'-' | b'_' => (byte as char).to_string(),
            other => format!("%{other:02X}"),
        })
        .collect();
    format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{whole}")
}
