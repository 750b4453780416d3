use axum::extract::Query;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Router};

use super::store;
use crate::access::Action;
use crate::access::server::{Db, Visitor};
use crate::audit::model::AuditQuery;
use crate::shared::AppError;

/// `GET /settings/audit.csv`: the same filters as the page, the newest 10,000 events.
pub fn routes() -> Router<Db> {
    Router::new().route("/settings/audit.csv", get(export))
}

async fn export(Extension(visitor): Extension<Visitor>, Query(query): Query<AuditQuery>) -> Result<Response, AppError> {
    let mut tx = visitor.scope()?.read(Action::ReadAudit).await?;
    let page = store::list(&mut tx, &query, 10_000).await?;
    let rows = page.rows.into_iter().map(|row| {
        let changes: Vec<String> =
            row.changes.iter().map(|(field, old, new)| format!("{field}: {old} → {new}")).collect();
        vec![
            row.seq.to_string(),
            row.at.utc,
            row.actor,
            row.action,
            row.entity,
            row.entity_id.unwrap_or_default(),
            row.client.unwrap_or_default(),
            row.ip.unwrap_or_default(),
            changes.join("; "),
        ]
    });
    let columns = ["number", "time (UTC)", "who", "action", "what", "id", "client", "address", "changes"];
    let body = crate::shared::csv_cell::file(&columns, rows);
    let head = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"audit.csv\""),
    ];
    Ok((head, body).into_response())
}
