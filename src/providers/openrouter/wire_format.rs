//! Requests and answers as OpenRouter writes them.

use super::{NAME, forbidden_is_rejected, own_words};
use crate::chat::*;
use crate::error::{Kind, ProviderError};
use crate::wire;
use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::{Value, json};

/// The body of a completion.
pub(super) fn body(request: &ChatRequest) -> Value {
    let mut body = json!({
        "model": request.model,
        "messages": request.messages.iter().map(message).collect::<Vec<_>>(),
    });
    if let Some(temperature) = request.temperature {
        body["temperature"] = json!(temperature);
    }
    if let Some(most) = request.max_tokens {
        body["max_completion_tokens"] = json!(most);
    }
    if !request.tools.is_empty() {
        body["tools"] = request
            .tools
            .iter()
            .map(|t| {
                let function = json!({"name": t.name, "description": t.description, "parameters": t.parameters});
                json!({"type": "function", "function": function})
            })
            .collect();
    }
    if let Some(AnswerSchema { name, schema }) = &request.answer_schema {
        let json_schema = json!({"name": schema_name(name), "strict": true, "schema": schema});
        body["response_format"] = json!({"type": "json_schema", "json_schema": json_schema});
        // Else a host that ignores the schema may answer.
        body["provider"] = json!({"require_parameters": true});
    }
    body
}

fn message(message: &ChatMessage) -> Value {
    match message {
        ChatMessage::System(text) => json!({"role": "system", "content": text}),
        ChatMessage::User(text) => json!({"role": "user", "content": text}),
        ChatMessage::Assistant { text, tool_calls } if tool_calls.is_empty() => {
            json!({"role": "assistant", "content": text})
        }
        ChatMessage::Assistant { text, tool_calls } => {
            let calls: Vec<_> = tool_calls
                .iter()
                .map(|c| {
                    let function = json!({"name": c.name, "arguments": c.arguments});
                    json!({"id": c.id, "type": "function", "function": function})
                })
                .collect();
            json!({"role": "assistant", "content": text, "tool_calls": calls})
        }
        ChatMessage::Tool { call_id, text } => {
            json!({"role": "tool", "tool_call_id": call_id, "content": text})
        }
    }
}

fn schema_name(name: &str) -> String {
    let kept: String = name
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || c == '_' || c == '-' { c } else { '_' })
        .take(64)
        .collect();
    if kept.is_empty() { "answer".to_owned() } else { kept }
}

#[derive(Deserialize)]
pub(super) struct Answer {
    #[serde(default)]
    id: String,
    #[serde(default)]
    model: String,
    #[serde(default, deserialize_with = "wire::list")]
    choices: Vec<Choice>,
    usage: Option<Usage>,
    error: Option<Value>,
}

#[derive(Deserialize)]
struct Choice {
    finish_reason: Option<String>,
    message: Option<Message>,
    error: Option<Value>,
}

#[derive(Deserialize)]
struct Message {
    content: Option<Value>,
    refusal: Option<String>,
    #[serde(default, deserialize_with = "wire::list")]
    tool_calls: Vec<Call>,
}

#[derive(Deserialize)]
struct Call {
    #[serde(default)]
    id: String,
    function: Function,
}

#[derive(Deserialize)]
struct Function {
    name: String,
    #[serde(default)]
    arguments: String,
}

#[derive(Deserialize)]
struct Usage {
    #[serde(default)]
    prompt_tokens: u64,
    #[serde(default)]
    completion_tokens: u64,
    total_tokens: Option<u64>,
    #[serde(default, deserialize_with = "wire::decimal")]
    cost: Option<Decimal>,
}

impl Answer {
    pub(super) fn into_chat(self, request: &ChatRequest) -> Result<ChatAnswer, ProviderError> {
        let choice = self.choices.into_iter().next();
        let failed = self.error.or_else(|| choice.as_ref()?.error.clone()).filter(|e| !e.is_null());
        if let Some(error) = failed {
            return Err(error_in_the_body(&error));
        }
        let choice = choice.ok_or_else(|| ProviderError::new(NAME, Kind::Garbage, "The answer holds no choice"))?;
        if choice.finish_reason.as_deref() == Some("error") {
            return Err(ProviderError::new(NAME, Kind::Unavailable, "The model stopped with an error"));
        }
        let message =
            choice.message.ok_or_else(|| ProviderError::new(NAME, Kind::Garbage, "The answer holds no message"))?;
        if let Some(refusal) = message.refusal.filter(|r| !r.is_empty()) {
            return Err(ProviderError::new(NAME, Kind::Rejected, format!("The model refused: {refusal}")));
        }
        let text = message.content.map(plain_text).unwrap_or_default();
        let tool_calls: Vec<ToolCall> = message
            .tool_calls
            .into_iter()
            .map(|c| ToolCall { id: c.id, name: c.function.name, arguments: c.function.arguments })
            .collect();
        Ok(ChatAnswer {
            provider: NAME,
            id: self.id,
            model: if self.model.is_empty() { request.model.clone() } else { self.model },
            usage: match self.usage {
                Some(usage) => counted(usage),
                None => estimated(request, &text, &tool_calls),
            },
            text,
            tool_calls,
            finish_reason: choice.finish_reason,
        })
    }
}

/// The status that the error would have had, had the model not begun already.
fn error_in_the_body(error: &Value) -> ProviderError {
    let status = match error.get("code") {
        Some(Value::Number(code)) => code.as_u64().and_then(|c| u16::try_from(c).ok()),
        Some(Value::String(code)) => code.parse().ok(),
        _ => None,
    };
    let kind = status.filter(|s| *s >= 400).and_then(Kind::of_status).unwrap_or(Kind::Unavailable);
    let said = own_words(&json!({"error": error})).unwrap_or_default();
    let mut failed = ProviderError::new(NAME, kind, said);
    failed.status = status;
    forbidden_is_rejected(failed)
}

/// Content is text, or parts of which some are text.
fn plain_text(content: Value) -> String {
    match content {
        Value::String(text) => text,
        Value::Array(parts) => parts.iter().filter_map(|p| p.get("text")?.as_str()).collect(),
        _ => String::new(),
    }
}

fn counted(usage: Usage) -> ChatUsage {
    ChatUsage {
        prompt_tokens: usage.prompt_tokens,
        completion_tokens: usage.completion_tokens,
        total_tokens: usage.total_tokens.unwrap_or(usage.prompt_tokens + usage.completion_tokens),
        cost: usage.cost,
        is_estimated: false,
    }
}

fn estimated(request: &ChatRequest, text: &str, tool_calls: &[ToolCall]) -> ChatUsage {
    let asked = |m: &ChatMessage| match m {
        ChatMessage::System(t) | ChatMessage::User(t) => estimated_tokens(t),
        ChatMessage::Assistant { text, .. } | ChatMessage::Tool { text, .. } => estimated_tokens(text),
    };
    let prompt_tokens = request.messages.iter().map(asked).sum();
    let completion_tokens =
        estimated_tokens(text) + tool_calls.iter().map(|c| estimated_tokens(&c.arguments)).sum::<u64>();
    ChatUsage {
        prompt_tokens,
        completion_tokens,
        total_tokens: prompt_tokens + completion_tokens,
        cost: None,
        is_estimated: true,
    }
}

#[derive(Deserialize)]
pub(super) struct Model {
    id: String,
    name: Option<String>,
    context_length: Option<u64>,
    pricing: Option<Pricing>,
    #[serde(default, deserialize_with = "wire::list")]
    supported_parameters: Vec<String>,
}

#[derive(Deserialize)]
struct Pricing {
    #[serde(default, deserialize_with = "wire::decimal")]
    prompt: Option<Decimal>,
    #[serde(default, deserialize_with = "wire::decimal")]
    completion: Option<Decimal>,
}

impl From<Model> for ChatModel {
    fn from(model: Model) -> Self {
        // Routers that choose a model themselves show a price of -1.
        let price = |p: Option<Decimal>| p.filter(|p| !p.is_sign_negative());
        let offers = |what: &str| model.supported_parameters.iter().any(|p| p == what);
        ChatModel {
            name: model.name.unwrap_or_else(|| model.id.clone()),
            context_length: model.context_length,
            prompt_price: price(model.pricing.as_ref().and_then(|p| p.prompt)),
            completion_price: price(model.pricing.as_ref().and_then(|p| p.completion)),
            has_structured_output: offers("structured_outputs") || offers("response_format"),
            has_tools: offers("tools"),
            id: model.id,
        }
    }
}
