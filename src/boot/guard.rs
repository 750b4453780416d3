//! What every request passes: same-origin checks for changes, security headers, and statuses for server functions' errors.

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use patchbay_shared::AppError;

/// Lets a change through only when the browser says that our own pages sent it: `Sec-Fetch-Site: same-origin`, or, from
/// browsers that don't say, an `Origin` equal to ours. Neither: refused. Source: OWASP CSRF prevention cheat sheet.
pub(crate) async fn same_origin(State(public): State<url::Url>, request: Request, next: Next) -> Response {
    if matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS)
        || from_our_pages(request.headers(), &public)
    {
        return next.run(request).await;
    }
    tracing::info!(path = request.uri().path(), "a request from a page of another site was refused");
    (
        StatusCode::FORBIDDEN,
        "This request did not come from a page of this site. Open the page again and repeat it there.",
    )
        .into_response()
}

fn from_our_pages(headers: &HeaderMap, public: &url::Url) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(site) = text("sec-fetch-site") {
        return site == "same-origin";
    }
    let Some(origin) = text("origin").and_then(|origin| url::Url::parse(origin).ok()) else { return false };
    if origin.origin() == public.origin() {
        return true;
    }
    // The host that the request names is as good as ours: a page elsewhere cannot choose both.
    let host = text("host").unwrap_or_default();
    let named = origin.host_str().map(|name| match origin.port() {
        Some(port) => format!("{name}:{port}"),
        None => name.to_owned(),
    });
    named.as_deref() == Some(host)
}

/// Headers that every answer carries. The content security policy of pages is set where their nonce is made (`document`).
pub async fn headers(State(public): State<url::Url>, request: Request, next: Next) -> Response {
    let host = request.headers().get(header::HOST).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let is_own_host = public.host_str().is_some_and(|own| host.split(':').next() == Some(own));
    let is_static =
        ["/pkg/", "/fonts/", "/icons.svg", "/favicon.svg"].iter().any(|path| request.uri().path().starts_with(path));
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    let mut set = |name: header::HeaderName, value: &'static str| {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    };
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(header::REFERRER_POLICY, "same-origin");
    set(header::X_FRAME_OPTIONS, "DENY");
    set(header::HeaderName::from_static("cross-origin-opener-policy"), "same-origin");
    set(header::HeaderName::from_static("cross-origin-resource-policy"), "same-origin");
    set(
        header::HeaderName::from_static("permissions-policy"),
        "camera=(), geolocation=(), microphone=(), payment=(), publickey-credentials-create=(self), publickey-credentials-get=(self)",
    );
    if public.scheme() == "https" {
        // What lies below an agency's own host name is not ours to speak for.
        let scope = if is_own_host { "max-age=31536000; includeSubDomains" } else { "max-age=31536000" };
        set(header::STRICT_TRANSPORT_SECURITY, scope);
    }
    if !is_static {
        set(header::CACHE_CONTROL, "no-store");
        set(header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'; sandbox");
    }
    response
}

/// A server function's error leaves Leptos as 500 with the error as JSON. Here it gets the status that it stands for.
pub(crate) async fn error_statuses(request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    let is_error =
        response.headers().contains_key("serverfnerror") && response.status() == StatusCode::INTERNAL_SERVER_ERROR;
    if !is_error {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let Ok(bytes) = to_bytes(body, 256 * 1024).await else { return StatusCode::INTERNAL_SERVER_ERROR.into_response() };
    if let Ok(error) = serde_json::from_slice::<AppError>(&bytes) {
        parts.status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        if let AppError::Limited(seconds) = error {
            parts.headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
    }
    parts.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(parts, Body::from(bytes))
}
