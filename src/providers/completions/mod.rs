//! The form of requests and answers that OpenRouter and most other servers of models share: `/chat/completions`.

mod gather;
mod wire_format;

use crate::chat::gather::{at_once, deltas};
use crate::chat::{ChatAnswer, ChatRequest, ChatStream};
use crate::error::{Kind, ProviderError};
use crate::http::{Ask, Endpoint, Streamed};
use gather::Gathered;
use serde_json::{Value, json};

pub(crate) use wire_format::{Model, answer};

/// What differs between services.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Dialect {
    /// The service's name in errors.
    pub name: &'static str,
    /// It sends a request on to one of several hosts.
    pub has_hosts: bool,
}

/// One answer.
pub(crate) async fn complete(
    endpoint: &Endpoint,
    dialect: Dialect,
    request: &ChatRequest,
) -> Result<ChatAnswer, ProviderError> {
    let mut body = wire_format::body(dialect, request);
    loop {
        let ask = Ask::post(&["chat", "completions"], body.clone()).repeatable();
        match endpoint.json::<Value>(ask).await {
            Ok(document) => return answer(dialect, &document, request),
            Err(error) => body = without_refused(body, &error).ok_or_else(|| meant(error))?,
        }
    }
}

/// One answer, word by word.
pub(crate) async fn stream(
    endpoint: &Endpoint,
    dialect: Dialect,
    request: &ChatRequest,
) -> Result<ChatStream, ProviderError> {
    let mut body = wire_format::body(dialect, request);
    body["stream"] = json!(true);
    if !dialect.has_hosts {
        // Else the counts stay away.
        body["stream_options"] = json!({"include_usage": true});
    }
    loop {
        let ask = Ask::post(&["chat", "completions"], body.clone()).repeatable();
        match endpoint.events(ask).await {
            Ok(Streamed::Events(events)) => return Ok(deltas(events, Gathered::new(dialect, request.clone()))),
            Ok(Streamed::Whole(document)) => return answer(dialect, &document, request).map(at_once),
            Err(error) => body = without_refused(body, &error).ok_or_else(|| meant(error))?,
        }
    }
}

/// The request without the wish that was refused, if it is one that the answer can do without: models that reason take no temperature,
/// older servers know no `stream_options` and another name for the longest answer.
pub(crate) fn without_refused(mut body: Value, error: &ProviderError) -> Option<Value> {
    if !matches!(error.status, Some(400 | 422)) {
        return None;
    }
    let wishes = body.as_object_mut()?;
    for wish in ["temperature", "stream_options", "max_completion_tokens"] {
        if error.message.contains(wish)
            && let Some(value) = wishes.remove(wish)
        {
            if wish == "max_completion_tokens" {
                wishes.insert("max_tokens".to_owned(), value);
            }
            return Some(body);
        }
    }
    None
}

/// A refusal of a completion, as what it means here: a 403 is about the words in it, not about the key.
pub(crate) fn meant(mut error: ProviderError) -> ProviderError {
    if error.status == Some(403) {
        error.kind = Kind::Rejected;
    }
    error
}

/// Errors come as `{"error": {"code", "message", "metadata"}}`.
pub(crate) fn own_words(document: &Value) -> Option<String> {
    let error = document.get("error")?;
    let message = error.get("message").and_then(Value::as_str).or(error.as_str())?;
    // The host behind the service often says more.
    let host = error.pointer("/metadata/provider_name").and_then(Value::as_str);
    Some(match host {
        Some(host) => format!("{message} ({host})"),
        None => message.to_owned(),
    })
}
