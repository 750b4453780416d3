//! What is posted to server functions, before they read it, and what becomes of a refused form.
//!
//! Forms work without JavaScript: a refused one sends the browser back to its page with the error in the address. Anybody can write such
//! an address, so the session remembers which error was given out, and a page shows no other. What was typed waits beside it for that one
//! page view, so that nothing has to be typed twice. Passwords and files are never kept.

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use leptos::server_fn::error::{FromServerFnError, ServerFnUrlError};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tower_sessions::{Expiry, Session};

use super::slow::TooSlow;
use patchbay_access::server::{SESSION_USER, limits, page_before, path_and_query};
use patchbay_shared::{AppError, FieldErrors, text};
use patchbay_ui::form::{Typed, last_word};

const REFUSED: &str = "typed";
const MOST_FIELDS: usize = 5_000;
/// The longest prompt fits; anything longer is not kept.
const MOST_KEPT: usize = 256 * 1024;
/// Nobody fills the sessions' table with large forms before signing in, nor for long.
const MOST_KEPT_OF_STRANGERS: usize = 2 * 1024;
const STRANGERS_KEPT: time::Duration = time::Duration::minutes(15);

/// A form that was refused, as the session remembers it.
#[derive(Serialize, Deserialize)]
struct Refused {
    /// Of the error's place in the address.
    mark: String,
    typed: Typed,
}

/// A plain form leaves its empty fields in the address: the browser is led to the address without them.
pub(crate) async fn without_empty_fields(request: Request, next: Next) -> Response {
    let uri = request.uri();
    let query = uri.query().unwrap_or_default();
    let is_empty = |pair: &&str| pair.split_once('=').is_some_and(|(_, value)| value.is_empty());
    // An address that begins with two slashes would lead to another host.
    if request.method() != Method::GET || uri.path().starts_with("//") || !query.split('&').any(|pair| is_empty(&pair))
    {
        return next.run(request).await;
    }
    let kept = query.split('&').filter(|pair| !is_empty(pair)).collect::<Vec<_>>().join("&");
    let address = if kept.is_empty() { uri.path().to_owned() } else { format!("{}?{kept}", uri.path()) };
    Redirect::to(&address).into_response()
}

/// Reads what is posted to a server function once, and lets through only what can be read: so a function never sees half a form, and
/// whoever sends one hears what is wrong with it.
pub(crate) async fn take_form(request: Request, next: Next) -> Response {
    if request.method() != Method::POST || !request.uri().path().starts_with("/rpc/") {
        return next.run(request).await;
    }
    let session = request.extensions().get::<Session>().cloned();
    let is_plain = has(request.headers(), header::ACCEPT, "text/html");
    let (parts, body) = request.into_parts();
    let (path, before) = (parts.uri.path().to_owned(), page_before(&parts.headers));
    let (bytes, response) = match read(&parts.headers, body).await {
        Ok(bytes) => {
            let answer = match check(&bytes) {
                Ok(()) => next.run(Request::from_parts(parts, Body::from(bytes.clone()))).await,
                Err(error) => refuse(&path, &error, is_plain, before.as_ref()),
            };
            (bytes, answer)
        }
        Err(error) => (Bytes::new(), refuse(&path, &error, is_plain, before.as_ref())),
    };
    if !is_plain {
        return response;
    }
    stay_here(keep(session, before, &bytes, response).await)
}

async fn read(headers: &HeaderMap, body: Body) -> Result<Bytes, AppError> {
    let unreadable = |status, text: &str| AppError::Unreadable(status, text.to_owned());
    // A form without fields may come without saying what it is.
    let is_form = has(headers, header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    if !is_form && headers.contains_key(header::CONTENT_TYPE) {
        return Err(unreadable(415, "Send the fields as application/x-www-form-urlencoded."));
    }
    match Limited::new(body, limits::FORM).collect().await {
        Ok(read) => Ok(read.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => {
            Err(unreadable(413, "The form is longer than 2 MB. Shorten its texts."))
        }
        Err(error) if TooSlow::is_cause_of(&*error) => {
            Err(unreadable(408, "The form took too long to arrive. Check the connection and send it again."))
        }
        Err(_) => Err(unreadable(400, "The form broke off on its way. Send it again.")),
    }
}

/// Looks at fields as they were sent. Errors: `Unreadable`; `Invalid` at a field with characters that no text may hold.
fn check(form: &[u8]) -> Result<(), AppError> {
    if form.iter().filter(|byte| **byte == b'&').count() >= MOST_FIELDS {
        return Err(AppError::Unreadable(413, format!("The form has more than {MOST_FIELDS} fields.")));
    }
    let mut errors = FieldErrors::default();
    for pair in form.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()) {
        let mut halves = pair.splitn(2, |byte| *byte == b'=');
        let name = decode(halves.next().unwrap_or_default())?;
        let value = decode(halves.next().unwrap_or_default())?;
        let field = last_word(&name);
        if text::fault("name", &name).is_some() {
            return Err(AppError::Unreadable(
                400,
                "The name of a field holds a character that cannot be shown.".into(),
            ));
        }
        if let Some(fault) = text::fault(field, &value) {
            errors.add(field, fault);
        }
    }
    errors.check()
}

/// A name or value of a form: `%20` and `+` undone. Errors: `Unreadable` for an escape that is none, and bytes that are no UTF-8.
fn decode(text: &[u8]) -> Result<String, AppError> {
    let broken = |what: &str| AppError::Unreadable(400, format!("The form cannot be read: {what}."));
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.iter();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digit = |byte: Option<&u8>| char::from(*byte?).to_digit(16);
                let (high, low) = (digit(rest.next()), digit(rest.next()));
                let value =
                    high.zip(low).ok_or_else(|| broken("a percent sign is not followed by two hexadecimal digits"))?;
                u8::try_from(value.0 * 16 + value.1).unwrap_or_default()
            }
            other => *other,
        });
    }
    String::from_utf8(bytes).map_err(|_| broken("its text is not UTF-8"))
}

/// The answer that a server function gives to a form which it refuses.
fn refuse(path: &str, error: &AppError, is_plain: bool, before: Option<&url::Url>) -> Response {
    if let (true, Some(before)) = (is_plain, before) {
        let mut back = before.to_string();
        ServerFnUrlError::<AppError>::strip_error_info(&mut back);
        if let Ok(url) = ServerFnUrlError::new(path, error.clone()).to_url(&back) {
            return Redirect::to(url.as_str()).into_response();
        }
    }
    let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::BAD_REQUEST);
    let path = HeaderValue::from_str(path).unwrap_or(HeaderValue::from_static(""));
    let headers = [
        (header::HeaderName::from_static("serverfnerror"), path),
        (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
    ];
    (status, headers, error.ser()).into_response()
}

/// Remembers the error that a refused form was given, and what was typed.
async fn keep(session: Option<Session>, before: Option<url::Url>, bytes: &[u8], response: Response) -> Response {
    let place = place(&response).filter(|url| mark_of(url).is_some());
    let (Some(session), Some(place), Some(before)) = (session, place, before) else { return response };
    let is_known = matches!(session.get::<uuid::Uuid>(SESSION_USER).await, Ok(Some(_)));
    let most = if is_known { MOST_KEPT } else { MOST_KEPT_OF_STRANGERS };
    let fields = url::form_urlencoded::parse(if bytes.len() <= most { bytes } else { b"" })
        .filter(|(name, _)| !is_secret(name))
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect();
    let typed = Typed { path: digest(before.path()), fields };
    let refused = Refused { mark: mark_of(&place).unwrap_or_default(), typed };
    if !is_known {
        session.set_expiry(Some(Expiry::OnInactivity(STRANGERS_KEPT)));
    }
    if let Err(error) = session.insert(REFUSED, refused).await {
        tracing::warn!(cause = %error, "what was typed could not be kept");
    }
    response
}

/// A form leads to a page of this site. The framework leads to the `Referer` as it came.
fn stay_here(mut response: Response) -> Response {
    if let Some(mut url) = place(&response) {
        let path = format!("/{}", url.path().trim_start_matches('/'));
        url.set_path(&path);
        if let Ok(value) = HeaderValue::from_str(&path_and_query(&url)) {
            response.headers_mut().insert(header::LOCATION, value);
        }
    }
    response
}

/// Where an answer leads, if it says so with a whole address.
fn place(response: &Response) -> Option<url::Url> {
    url::Url::parse(response.headers().get(header::LOCATION)?.to_str().ok()?).ok()
}

/// Gives the error, and what was typed, to the page that asks for it, once. An address with another error leads to the page without.
pub(crate) async fn give_refused(mut request: Request, next: Next) -> Response {
    let is_page = matches!(*request.method(), Method::GET | Method::HEAD);
    let Some(url) = is_page.then(|| address(&request)).flatten() else { return next.run(request).await };
    let session = request.extensions().get::<Session>().cloned();
    let kept = match &session {
        Some(session) => session.get::<Refused>(REFUSED).await.ok().flatten(),
        None => None,
    };
    let is_ours = |kept: &Refused| mark_of(&url).as_ref() == Some(&kept.mark) && kept.typed.path == digest(url.path());
    match (session, kept.filter(is_ours)) {
        (Some(session), Some(kept)) => {
            let _ = session.remove::<Refused>(REFUSED).await;
            request.extensions_mut().insert(kept.typed);
            next.run(request).await
        }
        _ => {
            let mut clean = url.to_string();
            ServerFnUrlError::<AppError>::strip_error_info(&mut clean);
            let place = url::Url::parse(&clean).map_or_else(|_| "/".to_owned(), |url| path_and_query(&url));
            let place = place.strip_suffix('?').unwrap_or(&place);
            Redirect::to(&format!("/{}", place.trim_start_matches('/'))).into_response()
        }
    }
}

/// The address that is asked for, if it holds an error.
fn address(request: &Request) -> Option<url::Url> {
    let asked = request.uri().path_and_query()?.as_str();
    let url = url::Url::parse("http://own").ok()?;
    let url = url::Url::options().base_url(Some(&url)).parse(&format!("/{}", asked.trim_start_matches('/'))).ok()?;
    url.query_pairs().any(|(key, _)| is_of_error(&key)).then_some(url)
}

fn is_of_error(key: &str) -> bool {
    key == "__err" || key == "__path"
}

/// Which error an address holds. None: none.
fn mark_of(url: &url::Url) -> Option<String> {
    let pairs: Vec<_> = url.query_pairs().filter(|(key, _)| is_of_error(key)).collect();
    (!pairs.is_empty()).then(|| digest(&format!("{pairs:?}")))
}

fn has(headers: &HeaderMap, name: header::HeaderName, part: &str) -> bool {
    headers.get(name).and_then(|value| value.to_str().ok()).is_some_and(|value| value.contains(part))
}

/// A page's path and an error as they stand in the session: hashed, because the path of an invitation is a secret, and errors are long.
fn digest(text: &str) -> String {
    hex::encode(Sha256::digest(text))
}

fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let is_proof = ["current", "code"].contains(&name.as_str());
    is_proof || ["password", "secret", "key", "token", "credential"].iter().any(|word| name.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_a_form_is_refused() {
        assert_eq!(check(b"a=1&b[c]=%C3%A9+%2B&&d"), Ok(()));
        let status = |form: &[u8]| check(form).map_err(|error| error.status());
        for broken in [&b"a=%"[..], b"a=%f", b"a=%zz", b"a=%ff", b"a=\xff", b"%00=1"] {
            assert_eq!(status(broken), Err(400), "{broken:?}");
        }
        assert_eq!(status("a=1&".repeat(5_001).as_bytes()), Err(413));
        for (form, field) in [("form[name]=a%00b", "name"), ("name=a%0Ab", "name"), ("goal=%E2%80%AEx", "goal")] {
            let Err(AppError::Invalid(errors)) = check(form.as_bytes()) else { panic!("{form}") };
            assert!(errors.at(field).is_some(), "{form}");
        }
        assert_eq!(check(b"form[goal]=one%0D%0Atwo"), Ok(()));
    }
}
