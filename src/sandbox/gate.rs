//! The gate every provider request passes: whose key it is, how slow the answer is, and whether it fails on purpose.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::carriers::basic;
use super::settings::{FaultRates, SandboxSettings};
use super::state::Sandbox;

/// The account a request belongs to.
#[derive(Debug, Clone)]
pub(super) struct Key(pub String);

/// Twilio and Plivo: the id of the account that goes with the key.
#[derive(Debug, Clone)]
pub(super) struct AccountId(pub String);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Provider {
    Ultravox,
    Telnyx,
    OpenRouter,
    Anthropic,
    OpenAi,
    Twilio,
    Plivo,
}

impl Provider {
    fn of(path: &str) -> Option<Provider> {
        match path.split('/').nth(1)? {
            "ultravox" => Some(Provider::Ultravox),
            "telnyx" => Some(Provider::Telnyx),
            "openrouter" => Some(Provider::OpenRouter),
            "anthropic" => Some(Provider::Anthropic),
            "openai" => Some(Provider::OpenAi),
            "twilio" => Some(Provider::Twilio),
            "plivo" => Some(Provider::Plivo),
            _ => None,
        }
    }

    fn key(self, headers: &HeaderMap) -> Option<String> {
        let text = |name: &str| headers.get(name)?.to_str().ok();
        let key = match self {
            Provider::Ultravox | Provider::Anthropic => text("x-api-key")?,
            Provider::Telnyx | Provider::OpenRouter | Provider::OpenAi => {
                text("authorization")?.strip_prefix("Bearer ")?
            }
            Provider::Twilio | Provider::Plivo => return basic(text("authorization")?).map(|(_, key)| key),
        };
        key.starts_with("sandbox-").then(|| key.to_owned())
    }

    /// An error in the provider's own form.
    pub fn error(self, status: StatusCode, message: &str) -> Response {
        let body = match self {
            Provider::Ultravox => json!({"detail": message}),
            Provider::Telnyx => {
                let code = match status.as_u16() {
                    401 => "10009",
                    403 => "10010",
                    404 => "10005",
                    429 => "10011",
                    400 | 422 => "10015",
                    _ => "10007",
                };
                let title = status.canonical_reason().unwrap_or("Error");
                json!({"errors": [{"code": code, "title": title, "detail": message, "meta": {}}]})
            }
            Provider::Twilio => {
                let code = match status.as_u16() {
                    401 => 20003,
                    404 => 20404,
                    429 => 20429,
                    500.. => 20500,
                    _ => 20001,
                };
                let more = format!("https://www.twilio.com/docs/errors/{code}");
                json!({"code": code, "message": message, "more_info": more, "status": status.as_u16()})
            }
            Provider::Plivo => json!({"api_id": "97ceeb52-58b6-11e1-86da-77300b68f8bb", "error": message}),
            Provider::OpenRouter => json!({"error": {"code": status.as_u16(), "message": message}}),
            Provider::Anthropic => {
                let kind = match status.as_u16() {
                    400 => "invalid_request_error",
                    401 => "authentication_error",
                    404 => "not_found_error",
                    429 => "rate_limit_error",
                    529 => "overloaded_error",
                    _ => "api_error",
                };
                json!({"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_sandbox"})
            }
            Provider::OpenAi => {
                let kind = if status.is_server_error() { "server_error" } else { "invalid_request_error" };
                json!({"error": {"message": message, "type": kind, "param": null, "code": null}})
            }
        };
        (status, axum::Json(body)).into_response()
    }

    /// One that answers with language models.
    fn has_models(self) -> bool {
        matches!(self, Provider::OpenRouter | Provider::Anthropic | Provider::OpenAi)
    }

    /// 429 with the headers the provider sends.
    pub fn limited(self, settings: &SandboxSettings) -> Response {
        let mut response = self.error(StatusCode::TOO_MANY_REQUESTS, "Request was throttled.");
        let wait = HeaderValue::from(settings.retry_after_secs);
        let headers = response.headers_mut();
        headers.insert(header::RETRY_AFTER, wait.clone());
        if self == Provider::Telnyx {
            headers.insert("x-ratelimit-limit", HeaderValue::from(100));
            headers.insert("x-ratelimit-remaining", HeaderValue::from(0));
            headers.insert("x-ratelimit-reset", wait);
        }
        response
    }
}

/// What goes wrong with one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    None,
    Error,
    ErrorAfterAccept,
    Limited,
    Garbage,
    Timeout,
}

/// Throws the rng for one request.
pub(super) fn fault(sandbox: &Sandbox, rates: &FaultRates) -> Fault {
    let faults = [
        (Fault::Error, rates.error),
        (Fault::ErrorAfterAccept, rates.error_after_accept),
        (Fault::Limited, rates.limited),
        (Fault::Garbage, rates.garbage),
        (Fault::Timeout, rates.timeout),
    ];
    let spent: f64 = faults.iter().map(|(_, rate)| rate.max(0.0)).sum();
    if spent <= 0.0 {
        return Fault::None;
    }
    let mut all = vec![(Fault::None, (1.0 - spent).max(0.0))];
    all.extend(faults);
    sandbox.rng("fault").weighted(&all)
}

/// A page as a broken proxy sends it.
pub(super) fn garbage() -> Response {
    let html = "<!doctype html><html><head><title>One moment</title></head><body><h1>Something went";
    ([(header::CONTENT_TYPE, "text/html")], html).into_response()
}

/// Keeps the connection open without an answer, and at last says 504.
pub(super) async fn never(sandbox: &Sandbox, settings: &SandboxSettings) -> Response {
    tokio::select! {
        () = tokio::time::sleep(Duration::from_secs(settings.hang_secs)) => {}
        () = sandbox.shutdown.cancelled() => {}
    }
    StatusCode::GATEWAY_TIMEOUT.into_response()
}

/// The middleware. Requests that create calls have their faults in `ultravox::create`, because some come after the call is placed.
pub(super) async fn gate(State(sandbox): State<Arc<Sandbox>>, mut request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    let Some(provider) = Provider::of(&path) else {
        return next.run(request).await;
    };
    let Some(key) = provider.key(request.headers()) else {
        return provider.error(StatusCode::UNAUTHORIZED, "Invalid API key. A sandbox key begins with sandbox-.");
    };
    let settings = sandbox.settings_for(&key);
    let [from, to] = settings.latency_ms;
    let latency = sandbox.rng("latency").between([from as f64, to as f64]);
    if latency > 0.0 {
        tokio::time::sleep(Duration::from_secs_f64(latency / 1000.0)).await;
    }
    let creates_call = provider == Provider::Ultravox && request.method() == Method::POST && path.ends_with("/calls");
    let chance = if creates_call {
        Fault::None
    } else if provider.has_models() && request.method() == Method::POST {
        fault(&sandbox, &settings.model_faults)
    } else {
        fault(&sandbox, &settings.read_faults)
    };
    match chance {
        Fault::None => {}
        Fault::Error | Fault::ErrorAfterAccept => {
            return provider.error(StatusCode::INTERNAL_SERVER_ERROR, "Internal error.");
        }
        Fault::Limited => return provider.limited(&settings),
        Fault::Garbage => return garbage(),
        Fault::Timeout => return never(&sandbox, &settings).await,
    }
    let header = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    if let Some((account, _)) = header.and_then(basic) {
        request.extensions_mut().insert(AccountId(account));
    }
    request.extensions_mut().insert(Key(key));
    next.run(request).await
}

/// Reads a JSON object from a body; an empty body is an empty object.
pub(super) fn object(body: &[u8]) -> Result<serde_json::Map<String, Value>, String> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok(serde_json::Map::new());
    }
    match serde_json::from_slice(body) {
        Ok(Value::Object(map)) => Ok(map),
        Ok(_) => Err("Invalid data. Expected a dictionary.".to_owned()),
        Err(error) => Err(format!("JSON parse error - {error}")),
    }
}

/// An answer without a body.
pub(super) fn no_content() -> Response {
    (StatusCode::NO_CONTENT, Body::empty()).into_response()
}
