//! What a chat-model service can do.

pub(crate) mod gather;
pub(crate) mod pairs;
mod retry;

use super::error::{Kind, ProviderError};
use async_trait::async_trait;
use futures::stream::BoxStream;
use rust_decimal::Decimal;
use serde::de::DeserializeOwned;
use serde_json::Value;

pub use retry::{RetryRules, Retrying};

/// An answer on its way. It ends with `Done` or with an error, and with nothing else: words without an end are no answer.
pub type ChatStream = BoxStream<'static, Result<ChatDelta, ProviderError>>;

/// A piece of an answer on its way.
#[derive(Debug, Clone, PartialEq)]
pub enum ChatDelta {
    /// The next words.
    Text(String),
    /// The whole answer, all its words in it.
    Done(ChatAnswer),
}

/// A service that answers with a language model.
#[async_trait]
pub trait ChatProvider: Send + Sync {
    /// The service's lower-case name.
    fn name(&self) -> &'static str;
    /// Proves that the credentials work.
    async fn check_credentials(&self) -> Result<ChatAccount, ProviderError>;
    /// Every model on offer, with its prices.
    async fn list_models(&self) -> Result<Vec<ChatModel>, ProviderError>;
    /// One answer. Repeating it costs money and does no other harm.
    async fn complete(&self, request: &ChatRequest) -> Result<ChatAnswer, ProviderError>;
    /// The same, word by word. An error may come at any moment, also after the first words.
    async fn stream(&self, request: &ChatRequest) -> Result<ChatStream, ProviderError>;
}

/// What the service says about the key.
#[derive(Debug, Clone, PartialEq)]
pub struct ChatAccount {
    pub label: String,
    /// USD left under the key's limit; `None` without a limit.
    pub limit_remaining: Option<Decimal>,
    /// USD spent with the key.
    pub spent: Option<Decimal>,
}

/// A model on offer.
#[derive(Debug, Clone, PartialEq)]
pub struct ChatModel {
    /// `vendor/name`.
    pub id: String,
    pub name: String,
    /// In tokens.
    pub context_length: Option<u64>,
    /// USD per token read; `None` when it depends.
    pub prompt_price: Option<Decimal>,
    /// USD per token written; `None` when it depends.
    pub completion_price: Option<Decimal>,
    /// USD per token read that the service had read before; `None` when it doesn't say.
    pub cached_price: Option<Decimal>,
    /// Answers can be held to a JSON Schema.
    pub has_structured_output: bool,
    /// Can ask for tools.
    pub has_tools: bool,
}

impl ChatModel {
    /// A model of a service that tells no more than its name.
    pub(crate) fn named(id: String) -> Self {
        let name = id.clone();
        Self {
            id,
            name,
            context_length: None,
            prompt_price: None,
            completion_price: None,
            cached_price: None,
            has_structured_output: true,
            has_tools: true,
        }
    }
}

/// What to ask.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ChatRequest {
    pub model: String,
    pub messages: Vec<ChatMessage>,
    /// 0 to 2.
    pub temperature: Option<f64>,
    /// Longest answer, in tokens.
    pub max_tokens: Option<u32>,
    /// Holds the answer to a schema.
    pub answer_schema: Option<AnswerSchema>,
    /// Functions the model may ask for.
    pub tools: Vec<ChatTool>,
}

/// A JSON Schema for the answer.
#[derive(Debug, Clone, PartialEq)]
pub struct AnswerSchema {
    /// At most 64 of `A–Z a–z 0–9 _ -`; other characters are replaced.
    pub name: String,
    pub schema: Value,
}

/// A function the model may ask for.
#[derive(Debug, Clone, PartialEq)]
pub struct ChatTool {
    pub name: String,
    pub description: String,
    /// JSON Schema.
    pub parameters: Value,
}

/// One turn.
#[derive(Debug, Clone, PartialEq)]
pub enum ChatMessage {
    System(String),
    User(String),
    /// What the model said or asked for before.
    Assistant {
        text: String,
        tool_calls: Vec<ToolCall>,
    },
    /// What a function gave back.
    Tool {
        call_id: String,
        text: String,
    },
}

/// The model asks for a function.
#[derive(Debug, Clone, PartialEq)]
pub struct ToolCall {
    pub id: String,
    pub name: String,
    /// JSON text, as the model wrote it; may be invalid.
    pub arguments: String,
}

/// What came back.
#[derive(Debug, Clone, PartialEq)]
pub struct ChatAnswer {
    /// The service that answered.
    pub provider: &'static str,
    /// The service's id of this answer.
    pub id: String,
    /// The model that really answered.
    pub model: String,
    pub text: String,
    /// The model's words when it would not answer.
    pub refusal: Option<String>,
    pub tool_calls: Vec<ToolCall>,
    /// The service's word: `stop`, `length`, `tool_calls`, `content_filter`.
    pub finish_reason: Option<String>,
    pub usage: ChatUsage,
}

/// What it took.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ChatUsage {
    pub prompt_tokens: u64,
    /// Those of `prompt_tokens` that the service had read before and charges less for.
    pub cached_tokens: u64,
    pub completion_tokens: u64,
    pub total_tokens: u64,
    /// USD, to the digit the service wrote; `None` when it didn't say.
    pub cost: Option<Decimal>,
    /// True when the service didn't count and the tokens are our estimate.
    pub is_estimated: bool,
}

/// Places in an answer at which a document may begin: so many are tried.
const MOST_BEGINNINGS: usize = 16;

impl ChatAnswer {
    /// The answer was cut off at the longest length that was asked for.
    pub fn is_cut_off(&self) -> bool {
        self.finish_reason.as_deref() == Some("length")
    }

    /// Reads the answer as JSON. Models wrap it in a code fence or in sentences now and then; the first document in it that is of this
    /// type counts. Errors: `Rejected` when the model would not answer, which asking again doesn't change; else `Garbage`.
    pub fn parse_json<T: DeserializeOwned>(&self) -> Result<T, ProviderError> {
        let error = |kind, said: String| Err(ProviderError::new(self.provider, kind, said));
        if let Some(refusal) = &self.refusal {
            return error(Kind::Rejected, format!("The model refused: {refusal}"));
        }
        if self.is_cut_off() {
            return error(Kind::Garbage, "The model's answer was cut off at its longest length".to_owned());
        }
        let mut why = None;
        for place in std::iter::once(0).chain(self.text.match_indices('{').map(|(at, _)| at).take(MOST_BEGINNINGS)) {
            match document_at(&self.text[place..]) {
                Ok(found) => return Ok(found),
                // What is wrong with the whole text tells most.
                Err(error) => why = why.or(Some(error)),
            }
        }
        if self.finish_reason.as_deref() == Some("content_filter") {
            return error(Kind::Rejected, "The service's content filter stopped the answer".to_owned());
        }
        let nothing = self.text.trim().is_empty();
        if let Some(tool) = self.tool_calls.first().filter(|_| nothing) {
            return error(Kind::Garbage, format!("The model asked for the tool {} instead of answering", tool.name));
        }
        if nothing {
            return error(Kind::Garbage, "The model's answer is empty".to_owned());
        }
        let why = why.unwrap_or_default();
        error(Kind::Garbage, format!("The model's answer is not the JSON that was asked for: {why}"))
    }
}

/// The document that the text begins with, whatever comes after it. Half-broken text in it is repaired.
fn document_at<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    let mut documents = serde_json::Deserializer::from_str(text).into_iter::<Value>();
    let value = match documents.next() {
        Some(Ok(value)) => value,
        // Only whole texts are repaired: where a broken document ends can't be told.
        _ => crate::json::read(without_fence(text).as_bytes())?,
    };
    T::deserialize(crate::json::cleaned(value)).map_err(|error| error.to_string())
}

fn without_fence(text: &str) -> &str {
    let text = text.trim();
    text.strip_suffix("```").unwrap_or(text).trim_end()
}

/// A rough count of tokens: four characters each, rounded up. Only for when the service doesn't count.
pub(super) fn estimated_tokens(text: &str) -> u64 {
    (text.chars().count() as u64).div_ceil(4)
}

/// What a request has the model read, when the service doesn't count it.
pub(super) fn estimated_prompt(request: &ChatRequest) -> u64 {
    let read = |message: &ChatMessage| match message {
        ChatMessage::System(text) | ChatMessage::User(text) => estimated_tokens(text),
        ChatMessage::Assistant { text, .. } | ChatMessage::Tool { text, .. } => estimated_tokens(text),
    };
    request.messages.iter().map(read).sum()
}

/// What the model wrote, when the service doesn't count it.
pub(super) fn estimated_answer(text: &str, tool_calls: &[ToolCall]) -> u64 {
    estimated_tokens(text) + tool_calls.iter().map(|call| estimated_tokens(&call.arguments)).sum::<u64>()
}
