//! Forms without JavaScript. A refused form sends the browser back to its page; what was typed waits in the session for that
//! one page view, so that nothing has to be typed twice. Passwords and files are never kept.

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::{Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};
use tower_sessions::Session;

use patchbay_access::server::{SESSION_USER, limits};
use patchbay_ui::form::Typed;

const TYPED: &str = "typed";
/// The longest prompt fits; anything longer is not kept.
const MOST_BYTES: usize = 256 * 1024;
/// Nobody fills the sessions' table with large forms before signing in.
const MOST_BYTES_OF_STRANGERS: usize = 2 * 1024;

/// Keeps what was typed when a plain form post was refused.
pub(crate) async fn keep_typed(request: Request, next: Next) -> Response {
    let plain_post = request.method() == Method::POST
        && header_has(&request, header::ACCEPT, "text/html")
        && header_has(&request, header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    let Some(session) = request.extensions().get::<Session>().cloned().filter(|_| plain_post) else {
        return next.run(request).await;
    };
    let back = request
        .headers()
        .get(header::REFERER)
        .and_then(|value| url::Url::parse(value.to_str().ok()?).ok())
        .map(|url| url.path().to_owned());
    let is_known = matches!(session.get::<uuid::Uuid>(SESSION_USER).await, Ok(Some(_)));
    let (parts, body) = request.into_parts();
    let Ok(bytes) = to_bytes(body, limits::FORM).await else {
        return (axum::http::StatusCode::PAYLOAD_TOO_LARGE, "The form is too large.").into_response();
    };
    let response = next.run(Request::from_parts(parts, Body::from(bytes.clone()))).await;
    let refused = response
        .headers()
        .get(header::LOCATION)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|location| location.contains("__err="));
    let most = if is_known { MOST_BYTES } else { MOST_BYTES_OF_STRANGERS };
    if let (true, Some(path), true) = (refused, back, bytes.len() <= most) {
        let fields = url::form_urlencoded::parse(&bytes)
            .filter(|(name, _)| !is_secret(name))
            .map(|(name, value)| (name.into_owned(), value.into_owned()))
            .collect();
        if let Err(error) = session.insert(TYPED, Typed { path: mark(&path), fields }).await {
            tracing::warn!(cause = %error, "what was typed could not be kept");
        }
    }
    response
}

/// Hands what was typed to the page that asked for it, once.
pub(crate) async fn give_typed(mut request: Request, next: Next) -> Response {
    if request.method() == Method::GET
        && request.uri().query().is_some_and(|query| query.contains("__err="))
        && let Some(session) = request.extensions().get::<Session>().cloned()
        && let Ok(Some(typed)) = session.get::<Typed>(TYPED).await
        && typed.path == mark(request.uri().path())
    {
        let _ = session.remove::<Typed>(TYPED).await;
        request.extensions_mut().insert(typed);
    }
    next.run(request).await
}

fn header_has(request: &Request, name: header::HeaderName, part: &str) -> bool {
    request.headers().get(name).and_then(|value| value.to_str().ok()).is_some_and(|value| value.contains(part))
}

/// A page's path as it stands in the session: hashed, because the path of an invitation is a secret.
fn mark(path: &str) -> String {
    hex::encode(Sha256::digest(path))
}

fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let is_proof = ["current", "code"].contains(&name.as_str());
    is_proof || ["password", "secret", "key", "token", "credential"].iter().any(|word| name.contains(word))
}
