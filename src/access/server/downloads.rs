//! Whoever takes data out is written down, in one place for every file: lists, results, transcripts, recordings.

use axum::extract::Request;
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use super::{Change, Fields, SystemTx, Visitor, WriteTx};
use patchbay_shared::AppError;

/// How many rows the file of this answer has, where that is known when it begins.
#[derive(Debug, Clone, Copy)]
pub(super) struct RowsOfFile(pub usize);

/// An answer with a file that holds nothing of anybody's.
#[derive(Debug, Clone, Copy)]
pub struct OfNobody;

/// Filters of an export that are written down, and letters of each.
const FILTERS: usize = 20;
const LETTERS: usize = 200;

/// Every answer that a browser saves as a file leaves a row in the audit log before it is sent. Errors: as the database's; then there is
/// no file.
pub async fn record_downloads(request: Request, next: Next) -> Response {
    let visitor = request.extensions().get::<Visitor>().cloned().filter(|visitor| visitor.viewer.is_some());
    let asked = visitor.filter(|_| request.method() == Method::GET).map(|visitor| (visitor, request.uri().clone()));
    let response = next.run(request).await;
    let Some((visitor, uri)) = asked else { return response };
    let is_sent = matches!(response.status(), StatusCode::OK | StatusCode::PARTIAL_CONTENT);
    let is_ours = response.extensions().get::<OfNobody>().is_none();
    let Some(file) = file_name(response.headers()).filter(|_| is_sent && is_ours) else { return response };
    let rows = response.extensions().get::<RowsOfFile>().map(|rows| rows.0);
    match record(&visitor, facts(&file, &uri, rows)).await {
        Ok(()) => response,
        Err(error) => error.into_response(),
    }
}

async fn record(visitor: &Visitor, facts: Value) -> Result<(), AppError> {
    let change = Change {
        action: "exported",
        entity: "export",
        entity_id: None,
        client_id: None,
        fields: Fields::Happened(facts),
    };
    match visitor.scope() {
        // Whoever could read it may leave this row, in a suspended workspace and in a support session too.
        Ok(scope) => {
            let mut tx = WriteTx::open(&scope).await?;
            tx.audit(change).await?;
            tx.commit().await
        }
        Err(AppError::NotFound) => {
            let mut tx = SystemTx::open(&visitor.db, "a download of the platform's").await?;
            tx.audit_platform(&visitor.db, &visitor.actor()?, change).await?;
            tx.commit().await
        }
        Err(error) => Err(error),
    }
}

/// The name that the browser is told to save the file by. None: it is shown and not saved.
fn file_name(headers: &HeaderMap) -> Option<String> {
    let told = headers.get(header::CONTENT_DISPOSITION)?.to_str().ok()?;
    let name = told.strip_prefix("attachment")?.split_once("filename=").map_or("", |(_, name)| name);
    Some(plain(name.trim_matches('"')))
}

fn facts(file: &str, uri: &Uri, rows: Option<usize>) -> Value {
    let asked = url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
    let filters: Map<String, Value> = asked
        .filter(|(name, value)| !value.is_empty() && name != "download")
        .take(FILTERS)
        .map(|(name, value)| (plain(&name), json!(plain(&value))))
        .collect();
    let mut facts = json!({ "file": file, "address": plain(uri.path()) });
    if !filters.is_empty() {
        facts["filters"] = Value::Object(filters);
    }
    if let Some(rows) = rows {
        facts["rows"] = json!(rows);
    }
    facts
}

/// A sender's text as the audit log keeps it: short, and nothing that no column can hold.
fn plain(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_control()).take(LETTERS).collect()
}
