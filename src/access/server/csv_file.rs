//! Lists as files. Whoever may read a list may save it, with the same filters.

use std::sync::Arc;

use axum::body::Body;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use futures::stream;

use super::downloads::RowsOfFile;
use super::{ReadTx, Scope};
use crate::Action;
use patchbay_shared::{AppError, Page, csv_cell};

/// Rows of a file that are read at a time.
pub const ROWS_AT_ONCE: usize = 200;

/// A list as a CSV file, written as it is read. `page` gives the page at a cursor, in a transaction for `action` of its own, so that a
/// slow reader holds none open. Errors: those of the first page.
pub async fn csv_file<F, R>(
    scope: Scope,
    action: Action,
    name: &str,
    head: Vec<&'static str>,
    page: F,
) -> Result<Response, AppError>
where
    F: Fn(ReadTx, Option<String>) -> R + Send + Sync + 'static,
    R: Future<Output = Result<Page<Vec<String>>, AppError>> + Send + 'static,
{
    let page = Arc::new(page);
    csv_pages(name, head, move |cursor| {
        let (scope, page) = (scope.clone(), Arc::clone(&page));
        async move { page(scope.read(action).await?, cursor).await }
    })
    .await
}

/// The same for a list that is no agency's: `read` gives the page at a cursor, and checks who asks.
pub async fn csv_pages<F, R>(name: &str, head: Vec<&'static str>, read: F) -> Result<Response, AppError>
where
    F: Fn(Option<String>) -> R + Send + Sync + 'static,
    R: Future<Output = Result<Page<Vec<String>>, AppError>> + Send + 'static,
{
    // The first page before the answer begins: what is wrong with it is said as an error and not in a broken file.
    let first = read(None).await?;
    let rows = first.older.is_none().then_some(RowsOfFile(first.rows.len()));
    let start = Some((format!("\u{feff}{}", csv_cell::line(head)), first));
    let pieces = stream::try_unfold((read, start), |(read, state)| async move {
        let Some((mut text, page)) = state else { return Ok::<_, AppError>(None) };
        for row in page.rows {
            text += &csv_cell::line(row);
        }
        let then = match page.older {
            Some(cursor) => Some((String::new(), read(Some(cursor)).await?)),
            None => None,
        };
        Ok(Some((text, (read, then))))
    });
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
        (header::CACHE_CONTROL, "no-store".to_owned()),
    ];
    let mut response = (headers, Body::from_stream(pieces)).into_response();
    if let Some(rows) = rows {
        response.extensions_mut().insert(rows);
    }
    Ok(response)
}
