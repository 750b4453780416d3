//! Where programs come in: `Authorization: Bearer pb_live_…`. No cookie counts here, and no key in an address.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use subtle::ConstantTimeEq;

use super::{key, store};
use patchbay_access::server::{Db, KeyUse, scope_of_key, sender};
use patchbay_shared::AppError;

/// Checks the key, counts the request, and puts the program's `Scope` into it. Answers carry the limit:
/// `RateLimit-Limit`, `RateLimit-Remaining`, `RateLimit-Reset` (seconds).
pub async fn authenticate(State(db): State<Db>, mut request: Request, next: Next) -> Response {
    let ip = sender(&request, &db.services().trusted_proxies);
    let text = |headers: &HeaderMap, name: header::HeaderName| {
        headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
    };
    let sent = text(request.headers(), header::AUTHORIZATION);
    let request_id = text(request.headers(), header::HeaderName::from_static("x-request-id"));
    let presented = match recognise(&db, sent.as_deref()).await {
        Ok(Some(presented)) => presented,
        Ok(None) => return unauthenticated(),
        Err(error) => return error.into_response(),
    };
    let hour = match store::count(&db, &presented, ip.as_deref()).await {
        Ok(hour) => hour,
        Err(error) => return error.into_response(),
    };
    let limit = presented.rate_limit;
    if limit > 0 && hour.used > limit {
        metrics::counter!("patchbay_api_requests_total", "result" => "limited").increment(1);
        let seconds = hour.left.unsigned_abs();
        let mut response = AppError::Limited(seconds).into_response();
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        return with_limit(response, limit, &hour);
    }
    let key = KeyUse { id: presented.id, name: presented.name, scopes: presented.scopes };
    let scope = match scope_of_key(&db, presented.owner, key, ip, request_id).await {
        Ok(Some(scope)) => scope,
        // The owner is suspended or gone.
        Ok(None) => return unauthenticated(),
        Err(error) => return error.into_response(),
    };
    metrics::counter!("patchbay_api_requests_total", "result" => "taken").increment(1);
    request.extensions_mut().insert(scope);
    let response = next.run(request).await;
    if limit > 0 { with_limit(response, limit, &hour) } else { response }
}

async fn recognise(db: &Db, sent: Option<&str>) -> Result<Option<store::Presented>, AppError> {
    let Some(text) = sent.and_then(|sent| sent.strip_prefix("Bearer ")).map(str::trim) else { return Ok(None) };
    let Some(prefix) = key::prefix(text) else { return Ok(None) };
    let found = store::find(db, prefix).await?;
    let is_right = |known: &store::Presented| bool::from(known.hash.as_bytes().ct_eq(key::hash(text).as_bytes()));
    Ok(found.filter(is_right))
}

fn unauthenticated() -> Response {
    metrics::counter!("patchbay_api_requests_total", "result" => "refused").increment(1);
    let mut response = AppError::NotSignedIn.into_response();
    response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    response
}

fn with_limit(mut response: Response, limit: i32, hour: &store::Hour) -> Response {
    let headers = response.headers_mut();
    headers.insert("ratelimit-limit", HeaderValue::from(limit));
    headers.insert("ratelimit-remaining", HeaderValue::from((limit - hour.used).max(0)));
    headers.insert("ratelimit-reset", HeaderValue::from(hour.left));
    response
}
