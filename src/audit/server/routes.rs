use axum::extract::Query;
use axum::response::Response;
use axum::routing::get;
use axum::{Extension, Router};

use super::store;
use crate::model::{AuditQuery, AuditRow};
use patchbay_access::Action;
use patchbay_access::server::{Db, ROWS_AT_ONCE, Visitor, csv_file};
use patchbay_shared::AppError;

/// `GET /settings/audit.csv`: the same filters as the page.
pub fn routes() -> Router<Db> {
    Router::new().route("/settings/audit.csv", get(export))
}

async fn export(Extension(visitor): Extension<Visitor>, Query(query): Query<AuditQuery>) -> Result<Response, AppError> {
    let scope = visitor.scope()?;
    let head = vec!["number", "time (UTC)", "who", "action", "what", "id", "client", "address", "changes"];
    csv_file(scope, Action::ReadAudit, "audit.csv", head, move |mut tx, cursor| {
        let query = AuditQuery { cursor, ..query.clone() };
        async move { Ok(store::list(&mut tx, &query, ROWS_AT_ONCE).await?.map(cells)) }
    })
    .await
}

fn cells(row: AuditRow) -> Vec<String> {
    let changes: Vec<String> = row.changes.iter().map(|(field, old, new)| format!("{field}: {old} → {new}")).collect();
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
}
