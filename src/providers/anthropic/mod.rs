//! Anthropic's Messages: Claude without anybody between.
//!
//! The surprising parts: tokens that the service had read before are counted beside `input_tokens`, not in it; no answer tells what it
//! cost; and too many requests without a time to wait may mean that a month's limit is reached, which no waiting changes.

mod gather;
mod wire_format;

use super::chat::gather::{at_once, deltas};
use super::chat::*;
use super::completions::without_refused;
use super::error::{Kind, ProviderError};
use super::http::{Ask, Endpoint, HttpClient, Streamed};
use super::openrouter::ANSWER_TIMEOUT;
use super::sealed::Secret;
use async_trait::async_trait;
use gather::Gathered;
use serde_json::{Value, json};
use std::time::Duration;

/// The service's name in errors.
pub const NAME: &str = "anthropic";
/// The service's public address.
pub const BASE_URL: &str = "https://api.anthropic.com/v1";
/// The form of requests and answers that is read here.
const VERSION: &str = "2023-06-01";
/// Pages of models that are read: it has far fewer than this times a thousand.
const MOST_PAGES: usize = 20;

/// How this account is reached.
#[derive(Debug, Clone)]
pub struct AnthropicConfig {
    /// [`BASE_URL`], or a stand-in's address.
    pub base_url: String,
    pub api_key: Secret<String>,
    /// Longest time for one answer; [`ANSWER_TIMEOUT`] is usual.
    pub answer_timeout: Duration,
}

impl AnthropicConfig {
    pub fn new(base_url: &str, api_key: Secret<String>) -> Self {
        Self { base_url: base_url.to_owned(), api_key, answer_timeout: ANSWER_TIMEOUT }
    }
}

/// The client for one account.
#[derive(Clone)]
pub struct Anthropic {
    quick: Endpoint,
    patient: Endpoint,
}

impl Anthropic {
    /// Fails when the address or the key can't be used at all; nothing is sent.
    pub fn new(http: &HttpClient, config: &AnthropicConfig) -> Result<Self, ProviderError> {
        let quick = Endpoint::new(http, NAME, &config.base_url, ("x-api-key", ""), &config.api_key, own_words)?
            .with_header("anthropic-version", VERSION);
        Ok(Self { patient: quick.clone().with_timeout(config.answer_timeout), quick })
    }

    async fn page(&self, limit: &str, after: Option<&str>) -> Result<Value, ProviderError> {
        self.quick.json(Ask::get(&["models"]).query("limit", limit).query_some("after_id", after)).await
    }
}

#[async_trait]
impl ChatProvider for Anthropic {
    fn name(&self) -> &'static str {
        NAME
    }

    async fn check_credentials(&self) -> Result<ChatAccount, ProviderError> {
        self.page("1", None).await?;
        Ok(ChatAccount { label: String::new(), limit_remaining: None, spent: None })
    }

    async fn list_models(&self) -> Result<Vec<ChatModel>, ProviderError> {
        let (mut models, mut after) = (Vec::new(), None::<String>);
        for _ in 0..MOST_PAGES {
            let page = self.page("1000", after.as_deref()).await?;
            models.extend(wire_format::models(&page));
            let last = page.get("last_id").and_then(Value::as_str).map(str::to_owned);
            if page.get("has_more").and_then(Value::as_bool) != Some(true) {
                return Ok(models);
            }
            if last.is_none() || last == after {
                break;
            }
            after = last;
        }
        Err(ProviderError::new(NAME, Kind::Garbage, "The list of models doesn't end"))
    }

    async fn complete(&self, request: &ChatRequest) -> Result<ChatAnswer, ProviderError> {
        let mut body = wire_format::body(request);
        loop {
            let ask = Ask::post(&["messages"], body.clone()).repeatable();
            match self.patient.json::<Value>(ask).await {
                Ok(document) => return wire_format::answer(&document, request),
                Err(error) => body = without_refused(body, &error).ok_or_else(|| at_a_limit(error))?,
            }
        }
    }

    async fn stream(&self, request: &ChatRequest) -> Result<ChatStream, ProviderError> {
        let mut body = wire_format::body(request);
        body["stream"] = json!(true);
        loop {
            let ask = Ask::post(&["messages"], body.clone()).repeatable();
            match self.patient.events(ask).await {
                Ok(Streamed::Events(events)) => return Ok(deltas(events, Gathered::new(request.clone()))),
                Ok(Streamed::Whole(document)) => return wire_format::answer(&document, request).map(at_once),
                Err(error) => body = without_refused(body, &error).ok_or_else(|| at_a_limit(error))?,
            }
        }
    }
}

/// Too many requests, and no word on how long to wait: that may be the month's limit.
fn at_a_limit(mut error: ProviderError) -> ProviderError {
    if error.status == Some(429) && error.retry_after.is_none() {
        error.kind = Kind::Rejected;
    }
    error
}

/// Errors come as `{"type": "error", "error": {"type", "message"}}`.
fn own_words(document: &Value) -> Option<String> {
    document.pointer("/error/message").and_then(Value::as_str).map(str::to_owned)
}
