//! The audit log in the public API.

use axum::extract::{Query, RawQuery};
use axum::routing::get;
use axum::{Extension, Json, Router};
use serde_json::{Value, json};

use super::store;
use crate::model::{AuditQuery, AuditRow};
use patchbay_access::Action;
use patchbay_access::server::{Db, Scope, page_size};
use patchbay_shared::AppError;

/// `GET /v1/audit-events`: newest first; `entity`, `action`, `actor`, `from`, `to`, `cursor`, `limit`.
pub fn v1() -> Router<Db> {
    Router::new().route("/v1/audit-events", get(list))
}

async fn list(
    Extension(scope): Extension<Scope>,
    Query(query): Query<AuditQuery>,
    RawQuery(asked): RawQuery,
) -> Result<Json<Value>, AppError> {
    let limit = page_size(asked.as_deref().unwrap_or_default())?;
    let mut tx = scope.read(Action::ReadAudit).await?;
    let page = store::list(&mut tx, &query, limit).await?;
    let rows: Vec<Value> = page.rows.iter().map(row).collect();
    Ok(Json(json!({ "data": rows, "next": page.older })))
}

fn row(event: &AuditRow) -> Value {
    let changes: Vec<Value> = event
        .changes
        .iter()
        .map(|(field, before, after)| json!({ "field": field, "before": before, "after": after }))
        .collect();
    json!({
        "number": event.seq,
        "at": event.at.utc,
        "who": event.actor,
        "action": event.action,
        "entity": event.entity,
        "entity_id": event.entity_id,
        "client": event.client,
        "ip": event.ip,
        "changes": changes,
    })
}
