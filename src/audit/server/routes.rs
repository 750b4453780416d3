use axum::extract::Query;
use axum::response::Response;
use axum::routing::get;
use axum::{Extension, Router};

use super::{platform, store};
use crate::model::{AuditQuery, AuditRow, PlatformEvent, PlatformQuery};
use patchbay_access::Action;
use patchbay_access::server::{Db, ROWS_AT_ONCE, Visitor, csv_file, csv_pages};
use patchbay_shared::AppError;

/// `GET /settings/audit.csv`: the same filters as the page.
pub fn routes() -> Router<Db> {
    Router::new().route("/settings/audit.csv", get(export)).route("/platform/log.csv", get(export_platform))
}

/// `GET /platform/log.csv`: the same filters as the page, for platform admins.
async fn export_platform(
    Extension(visitor): Extension<Visitor>,
    Query(query): Query<PlatformQuery>,
) -> Result<Response, AppError> {
    let visitor = platform::check(visitor)?;
    let head = vec!["number", "time (UTC)", "who", "action", "what", "id", "agency", "address", "changes"];
    csv_pages("platform-log.csv", head, move |cursor| {
        let (visitor, query) = (visitor.clone(), PlatformQuery { cursor, ..query.clone() });
        async move { Ok(platform::list(&visitor, &query, ROWS_AT_ONCE).await?.map(platform_cells)) }
    })
    .await
}

fn platform_cells(row: PlatformEvent) -> Vec<String> {
    vec![
        row.seq.to_string(),
        row.at.utc,
        row.actor,
        row.action,
        row.entity,
        row.entity_id.unwrap_or_default(),
        row.agency.map(|(_, name)| name).unwrap_or_default(),
        row.ip.unwrap_or_default(),
        in_words(row.changes),
    ]
}

/// Fields with what they were and what they are.
fn in_words(changes: Vec<(String, String, String)>) -> String {
    let changes: Vec<String> = changes.iter().map(|(field, old, new)| format!("{field}: {old} → {new}")).collect();
    changes.join("; ")
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
    vec![
        row.seq.to_string(),
        row.at.utc,
        row.actor,
        row.action,
        row.entity,
        row.entity_id.unwrap_or_default(),
        row.client.unwrap_or_default(),
        row.ip.unwrap_or_default(),
        in_words(row.changes),
    ]
}
