//! Batches in the public API.

use axum::extract::{Path, Query, RawQuery};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Json, Router};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{ops, store};
use crate::model::{BatchForm, BatchQuery, BatchRow, Progress};
use patchbay_access::Action;
use patchbay_access::server::{Body, Db, Scope, page_size};
use patchbay_dialling::server::trouble::trouble;
use patchbay_shared::AppError;
use patchbay_shared::ids::BatchId;

/// `GET /v1/batches`: newest first; `campaign`, `status`, `cursor`, `limit`. `GET /v1/batches/{id}`: one, with its progress.
/// `POST /v1/batches`: starts one, now or at its time.
/// `POST /v1/batches/{id}/pause`, `resume`, `stop`: safe to repeat. One that failed is resumed too, once its trouble is mended.
pub fn v1() -> Router<Db> {
    Router::new()
        .route("/v1/batches", get(list).post(create))
        .route("/v1/batches/{id}", get(one))
        .route("/v1/batches/{id}/pause", post(pause))
        .route("/v1/batches/{id}/resume", post(resume))
        .route("/v1/batches/{id}/stop", post(stop))
}

async fn list(
    Extension(scope): Extension<Scope>,
    Query(query): Query<BatchQuery>,
    RawQuery(asked): RawQuery,
) -> Result<Json<Value>, AppError> {
    let limit = page_size(asked.as_deref().unwrap_or_default())?;
    let mut tx = scope.read(Action::ReadCampaigns).await?;
    let page = store::list(&mut tx, &query, limit).await?;
    let rows: Vec<Value> = page.rows.iter().map(row).collect();
    Ok(Json(json!({ "data": rows, "next": page.older })))
}

/// A batch as programs ask for it.
#[derive(Deserialize)]
struct Sent {
    campaign_id: String,
    name: String,
    #[serde(default = "one_line")]
    lines: i32,
    /// At most so many contacts. None: all that wait.
    limit: Option<i64>,
    /// None: now.
    scheduled_for: Option<DateTime<Utc>>,
}

fn one_line() -> i32 {
    1
}

async fn create(Extension(scope): Extension<Scope>, Body(sent): Body<Sent>) -> Result<Response, AppError> {
    let form = BatchForm {
        campaign: sent.campaign_id,
        name: sent.name,
        concurrency: sent.lines.to_string(),
        limit: sent.limit.map(|most| most.to_string()).unwrap_or_default(),
        ..BatchForm::default()
    };
    let terms = form.check().map_err(in_api_words)?;
    let id = ops::create_at(&scope, &terms, sent.scheduled_for).await.map_err(in_api_words)?;
    Ok((StatusCode::CREATED, changed(&scope, id).await?).into_response())
}

/// The form's fields by their names here.
fn in_api_words(error: AppError) -> AppError {
    let AppError::Invalid(mut fields) = error else { return error };
    for (name, _) in &mut fields.0 {
        match name.as_str() {
            "campaign" => *name = "campaign_id".into(),
            "concurrency" => *name = "lines".into(),
            _ => {}
        }
    }
    AppError::Invalid(fields)
}

async fn one(Extension(scope): Extension<Scope>, Path(id): Path<String>) -> Result<Json<Value>, AppError> {
    answer(&scope, id.parse()?).await
}

async fn pause(Extension(scope): Extension<Scope>, Path(id): Path<String>) -> Result<Json<Value>, AppError> {
    let id = id.parse()?;
    ops::pause(&scope, id).await?;
    changed(&scope, id).await
}

async fn resume(Extension(scope): Extension<Scope>, Path(id): Path<String>) -> Result<Json<Value>, AppError> {
    let id = id.parse()?;
    ops::resume(&scope, id).await?;
    changed(&scope, id).await
}

async fn stop(Extension(scope): Extension<Scope>, Path(id): Path<String>) -> Result<Json<Value>, AppError> {
    let id = id.parse()?;
    ops::stop(&scope, id).await?;
    changed(&scope, id).await
}

/// The batch as it is after a change. Whoever may only run batches hears its state and no more.
async fn changed(scope: &Scope, id: BatchId) -> Result<Json<Value>, AppError> {
    if scope.may(Action::ReadCampaigns) {
        return answer(scope, id).await;
    }
    let mut tx = scope.read(Action::RunBatches).await?;
    let batch = store::get(&mut tx, id).await?;
    Ok(Json(json!({ "id": id, "state": batch.status })))
}

async fn answer(scope: &Scope, id: BatchId) -> Result<Json<Value>, AppError> {
    let mut tx = scope.read(Action::ReadCampaigns).await?;
    let batch = store::get(&mut tx, id).await?;
    let progress = store::progress(&mut tx, &batch).await?;
    Ok(Json(json!({
        "id": id,
        "name": batch.name,
        "state": batch.status,
        "campaign_id": batch.campaign_id,
        "lines": batch.concurrency,
        "for_call_backs": batch.for_call_backs,
        "progress": counts(&progress),
        "scheduled_for": batch.scheduled_for,
        "started_at": batch.started_at,
        "completed_at": batch.completed_at,
        "stopped_at": batch.stopped_at,
        "pause_reason": trouble(scope, batch.pause_reason, batch.obstacle),
        "error": trouble(scope, batch.error, batch.obstacle),
    })))
}

fn row(batch: &BatchRow) -> Value {
    json!({
        "id": batch.id,
        "name": batch.name,
        "state": batch.status,
        "campaign": batch.campaign,
        "client": batch.client,
        "progress": counts(&batch.progress),
        "created_at": batch.created.utc,
        "scheduled_for": batch.scheduled_for.as_ref().map(|at| &at.utc),
    })
}

fn counts(progress: &Progress) -> Value {
    json!({
        "contacts": progress.total,
        "reached": progress.reached,
        "not_reached": progress.not_reached,
        "failed": progress.failed,
        "on_the_line": progress.calling,
        "waiting": progress.waiting,
    })
}
