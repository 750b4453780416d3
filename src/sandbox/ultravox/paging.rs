//! Lists: `{"next", "previous", "results", "total"}`, where `next` is a complete address with a cursor in it.

use axum::http::{HeaderMap, Uri, header};
use serde_json::{Value, json};

/// Query parameters in their order, repeats included.
pub(super) type Params = axum::extract::Query<Vec<(String, String)>>;

const PAGE_SIZE: usize = 100;
const LARGEST_PAGE: usize = 500;

pub(super) fn param<'a>(params: &'a [(String, String)], name: &str) -> Option<&'a str> {
    params.iter().find(|(key, value)| key == name && !value.is_empty()).map(|(_, value)| value.as_str())
}

pub(super) fn page_size(params: &[(String, String)]) -> usize {
    param(params, "pageSize").and_then(|text| text.parse().ok()).unwrap_or(PAGE_SIZE).clamp(1, LARGEST_PAGE)
}

/// A page of a list that is short enough to be made whole. The cursor is a position.
pub(super) fn page(all: Vec<Value>, params: &[(String, String)], uri: &Uri, headers: &HeaderMap) -> Value {
    let total = all.len();
    let size = page_size(params);
    let from: usize = param(params, "cursor").and_then(|text| text.strip_prefix("p")?.parse().ok()).unwrap_or(0);
    let next = (from + size < total).then(|| address(uri, headers, params, &format!("p{}", from + size)));
    let previous = (from > 0).then(|| address(uri, headers, params, &format!("p{}", from.saturating_sub(size))));
    let results: Vec<Value> = all.into_iter().skip(from).take(size).collect();
    json!({"next": next, "previous": previous, "results": results, "total": total})
}

/// This request's own address with another cursor.
pub(super) fn address(uri: &Uri, headers: &HeaderMap, params: &[(String, String)], cursor: &str) -> String {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or("127.0.0.1");
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    for (key, value) in params.iter().filter(|(key, _)| key != "cursor") {
        query.append_pair(key, value);
    }
    query.append_pair("cursor", cursor);
    format!("http://{host}{}?{}", uri.path(), query.finish())
}
