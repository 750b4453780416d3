//! Any server that speaks OpenAI's form: OpenAI itself, Azure, Mistral, Groq, vLLM, Ollama and many more. Embeddings too.
//!
//! The surprising part: people type its address, so only public addresses over HTTPS are asked, but for Patchbay's own stand-in.

use super::chat::*;
use super::completions::{self, Dialect, own_words};
use super::error::{Kind, ProviderError};
use super::http::{Ask, Endpoint, HttpClient};
use super::openrouter::ANSWER_TIMEOUT;
use super::sealed::Secret;
use super::wire::{self, count_of};
use async_trait::async_trait;
use serde::Deserialize;
use serde_json::{Value, json};
use std::time::Duration;

/// The service's name in errors.
pub const NAME: &str = "openai_compatible";
/// OpenAI's own address, for whoever has none to type.
pub const BASE_URL: &str = "https://api.openai.com/v1";

/// Numbers in a vector: more than any model gives.
const MOST_NUMBERS: usize = 8192;

const DIALECT: Dialect = Dialect { name: NAME, has_hosts: false };

/// How this account is reached.
#[derive(Debug, Clone)]
pub struct OpenAiCompatibleConfig {
    /// With the path that `/chat/completions` follows.
    pub base_url: String,
    pub api_key: Secret<String>,
    /// Somebody typed the address. False for a stand-in of ours.
    pub only_public: bool,
    /// Longest time for one answer; [`ANSWER_TIMEOUT`] is usual.
    pub answer_timeout: Duration,
}

impl OpenAiCompatibleConfig {
    pub fn new(base_url: &str, api_key: Secret<String>, only_public: bool) -> Self {
        Self { base_url: base_url.to_owned(), api_key, only_public, answer_timeout: ANSWER_TIMEOUT }
    }
}

/// The client for one account.
#[derive(Clone)]
pub struct OpenAiCompatible {
    quick: Endpoint,
    patient: Endpoint,
}

/// Texts as vectors.
#[derive(Debug, Clone, PartialEq)]
pub struct Embedded {
    /// One for each text, in their order, all of one length.
    pub vectors: Vec<Vec<f32>>,
    pub usage: ChatUsage,
}

impl OpenAiCompatible {
    /// Fails when the address or the key can't be used at all; nothing is sent.
    pub fn new(http: &HttpClient, config: &OpenAiCompatibleConfig) -> Result<Self, ProviderError> {
        let header = ("authorization", "Bearer ");
        let mut quick = Endpoint::new(http, NAME, &config.base_url, header, &config.api_key, own_words)?;
        if config.only_public {
            quick = quick.only_public()?;
        }
        Ok(Self { patient: quick.clone().with_timeout(config.answer_timeout), quick })
    }

    /// The meaning of texts as vectors. Repeating it costs money and does no other harm.
    pub async fn embed(&self, model: &str, texts: &[String]) -> Result<Embedded, ProviderError> {
        let body = json!({"model": model, "input": texts, "encoding_format": "float"});
        let answer: Value =
            self.patient.json(Ask::post(&["embeddings"], body).repeatable()).await.map_err(no_credit)?;
        read_embeddings(&answer, texts)
    }
}

/// What `/embeddings` answers. A vector too few, of another length or with something in it that is no number is no answer: it would be
/// stored under the wrong text.
fn read_embeddings(answer: &Value, texts: &[String]) -> Result<Embedded, ProviderError> {
    let garbage = |why: &str| ProviderError::new(NAME, Kind::Garbage, why);
    let items = answer.get("data").and_then(Value::as_array).ok_or_else(|| garbage("The answer holds no vectors"))?;
    let mut vectors: Vec<Vec<f32>> = vec![Vec::new(); texts.len()];
    for (place, item) in items.iter().enumerate() {
        let index = item.get("index").and_then(Value::as_u64).map_or(place, |index| index as usize);
        let vector = item.get("embedding").and_then(Value::as_array).into_iter().flatten();
        let vector: Option<Vec<f32>> = vector.map(|x| x.as_f64().map(|x| x as f32).filter(|x| x.is_finite())).collect();
        let kept = vectors.get_mut(index).ok_or_else(|| garbage("The answer holds vectors that nobody asked for"))?;
        *kept = vector.ok_or_else(|| garbage("A vector holds something that is no number"))?;
    }
    let length = vectors.first().map_or(0, Vec::len);
    if length > MOST_NUMBERS {
        return Err(garbage("The vectors are longer than any model’s"));
    }
    if vectors.iter().any(|vector| vector.is_empty() || vector.len() != length) {
        return Err(garbage("The vectors are not one for each text, all of one length"));
    }
    let count = |name: &str| answer.pointer(&format!("/usage/{name}")).and_then(count_of);
    let read = count("prompt_tokens").or_else(|| count("total_tokens"));
    let prompt_tokens = read.unwrap_or_else(|| texts.iter().map(|text| estimated_tokens(text)).sum());
    let usage =
        ChatUsage { prompt_tokens, total_tokens: prompt_tokens, is_estimated: read.is_none(), ..ChatUsage::default() };
    Ok(Embedded { vectors, usage })
}

/// A 429 without a time to wait is about credit, which asking again doesn't bring.
fn no_credit(mut error: ProviderError) -> ProviderError {
    if error.status == Some(429) && error.retry_after.is_none() && error.message.contains("quota") {
        error.kind = Kind::Rejected;
    }
    error
}

#[async_trait]
impl ChatProvider for OpenAiCompatible {
    fn name(&self) -> &'static str {
        NAME
    }

    /// The list of models is the only thing that every such server has.
    async fn check_credentials(&self) -> Result<ChatAccount, ProviderError> {
        self.list_models().await?;
        Ok(ChatAccount { label: String::new(), limit_remaining: None, spent: None })
    }

    async fn list_models(&self) -> Result<Vec<ChatModel>, ProviderError> {
        #[derive(Deserialize)]
        struct Answer {
            #[serde(deserialize_with = "wire::list")]
            data: Vec<Model>,
        }
        #[derive(Deserialize)]
        struct Model {
            id: String,
        }
        let Answer { data } = self.quick.json(Ask::get(&["models"])).await?;
        Ok(data.into_iter().map(|model| ChatModel::named(model.id)).collect())
    }

    async fn complete(&self, request: &ChatRequest) -> Result<ChatAnswer, ProviderError> {
        completions::complete(&self.patient, DIALECT, request).await.map_err(no_credit)
    }

    async fn stream(&self, request: &ChatRequest) -> Result<ChatStream, ProviderError> {
        completions::stream(&self.patient, DIALECT, request).await.map_err(no_credit)
    }
}
