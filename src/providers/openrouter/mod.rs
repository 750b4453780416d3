//! OpenRouter: many chat models behind one address.
//!
//! The surprising part: once a model has begun, an error comes with status 200 and stands in the body.

use super::chat::*;
use super::completions::{self, Dialect, own_words};
use super::error::{Kind, ProviderError};
use super::http::{Ask, Endpoint, HttpClient};
use super::sealed::Secret;
use super::wire;
use async_trait::async_trait;
use rust_decimal::Decimal;
use serde::Deserialize;
use std::time::Duration;

/// The service's name in errors.
pub const NAME: &str = "openrouter";
/// The service's public address.
pub const BASE_URL: &str = "https://openrouter.ai/api/v1";
/// Models think for longer than other services take to answer.
pub const ANSWER_TIMEOUT: Duration = Duration::from_secs(120);

const DIALECT: Dialect = Dialect { name: NAME, has_hosts: true };

/// How this account is reached.
#[derive(Debug, Clone)]
pub struct OpenRouterConfig {
    /// [`BASE_URL`], or a stand-in's address.
    pub base_url: String,
    pub api_key: Secret<String>,
    /// Longest time for one answer; [`ANSWER_TIMEOUT`] is usual.
    pub answer_timeout: Duration,
    /// Shown in the service's own statistics.
    pub title: Option<String>,
}

/// The client for one account.
#[derive(Clone)]
pub struct OpenRouter {
    quick: Endpoint,
    patient: Endpoint,
}

impl OpenRouter {
    /// Fails when the address or the key can't be used at all; nothing is sent.
    pub fn new(http: &HttpClient, config: &OpenRouterConfig) -> Result<Self, ProviderError> {
        let header = ("authorization", "Bearer ");
        let mut quick = Endpoint::new(http, NAME, &config.base_url, header, &config.api_key, own_words)?;
        if let Some(title) = &config.title {
            quick = quick.with_header("x-openrouter-title", title);
        }
        Ok(Self { patient: quick.clone().with_timeout(config.answer_timeout), quick })
    }
}

#[async_trait]
impl ChatProvider for OpenRouter {
    fn name(&self) -> &'static str {
        NAME
    }

    async fn check_credentials(&self) -> Result<ChatAccount, ProviderError> {
        #[derive(Deserialize)]
        struct Answer {
            data: Key,
        }
        #[derive(Deserialize)]
        struct Key {
            #[serde(default, deserialize_with = "wire::text")]
            label: Option<String>,
            #[serde(default, deserialize_with = "wire::decimal")]
            limit_remaining: Option<Decimal>,
            #[serde(default, deserialize_with = "wire::decimal")]
            usage: Option<Decimal>,
        }
        let Answer { data: key } = self.quick.json(Ask::get(&["key"])).await?;
        Ok(ChatAccount { label: key.label.unwrap_or_default(), limit_remaining: key.limit_remaining, spent: key.usage })
    }

    async fn list_models(&self) -> Result<Vec<ChatModel>, ProviderError> {
        #[derive(Deserialize)]
        struct Answer {
            // One odd model must not hide the others.
            #[serde(deserialize_with = "wire::list")]
            data: Vec<completions::Model>,
        }
        let Answer { data } = self.quick.json(Ask::get(&["models"])).await?;
        Ok(data.into_iter().map(ChatModel::from).collect())
    }

    async fn complete(&self, request: &ChatRequest) -> Result<ChatAnswer, ProviderError> {
        completions::complete(&self.patient, DIALECT, request).await
    }

    async fn stream(&self, request: &ChatRequest) -> Result<ChatStream, ProviderError> {
        completions::stream(&self.patient, DIALECT, request).await
    }
}

/// Reads an answer's bytes as [`ChatProvider::complete`] does. For programs that try it with odd ones.
pub fn read_answer(body: &[u8], request: &ChatRequest) -> Result<ChatAnswer, ProviderError> {
    let read = crate::json::read(body).map_err(|why| ProviderError::new(NAME, Kind::Garbage, why))?;
    completions::answer(DIALECT, &read, request)
}
