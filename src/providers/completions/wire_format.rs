//! Requests and answers, field by field.

use super::{Dialect, meant, own_words};
use crate::chat::pairs::paired;
use crate::chat::*;
use crate::error::{Kind, ProviderError};
use crate::schema;
use crate::wire::{self, Fields, Remarks, count_of};
use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::{Value, json};

/// The body of a completion.
pub(super) fn body(dialect: Dialect, request: &ChatRequest) -> Value {
    let mut body = json!({
        "model": request.model,
        "messages": paired(&request.messages).iter().map(message).collect::<Vec<_>>(),
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
                let function =
                    json!({"name": t.name, "description": t.description, "parameters": schema::of_tool(&t.parameters)});
                json!({"type": "function", "function": function})
            })
            .collect();
    }
    if let Some(AnswerSchema { name, schema }) = &request.answer_schema {
        let json_schema = json!({"name": schema_name(name), "strict": true, "schema": schema::strict(schema)});
        body["response_format"] = json!({"type": "json_schema", "json_schema": json_schema});
        if dialect.has_hosts {
            // Else a host that ignores the schema may answer.
            body["provider"] = json!({"require_parameters": true});
        }
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

/// Reads the answer to a completion. What it took is estimated where it isn't said or makes no sense: the answer was paid for, so that
/// is no reason to lose it.
pub(crate) fn answer(dialect: Dialect, document: &Value, request: &ChatRequest) -> Result<ChatAnswer, ProviderError> {
    let garbage = |why: &str| ProviderError::new(dialect.name, Kind::Garbage, why);
    let (whole, mut remarks) = (Fields::of(document), Remarks::new());
    let choice = whole.get("choices").and_then(|choices| choices.get(0)).filter(|choice| choice.is_object());
    if let Some(error) = whole.get("error").or_else(|| choice.and_then(|choice| Fields::of(choice).get("error"))) {
        return Err(error_in_the_body(dialect, error));
    }
    let choice = Fields::of(choice.ok_or_else(|| garbage("The answer holds no choice"))?);
    let finish_reason = choice.text("finish_reason", &mut remarks);
    if finish_reason.as_deref() == Some("error") {
        return Err(ProviderError::new(dialect.name, Kind::Unavailable, "The model stopped with an error"));
    }
    let message = choice.get("message").filter(|message| message.is_object());
    let message = Fields::of(message.ok_or_else(|| garbage("The answer holds no message"))?);
    let text = message.get("content").map(plain_text).unwrap_or_default();
    let asked = message.get("tool_calls").and_then(Value::as_array);
    let tool_calls: Vec<ToolCall> = asked.into_iter().flatten().filter_map(tool_call).collect();
    let usage = usage(whole.inner("usage", "", &mut remarks), request, &text, &tool_calls);
    Ok(ChatAnswer {
        provider: dialect.name,
        id: whole.id("id", &mut remarks).unwrap_or_default(),
        model: whole.id("model", &mut remarks).unwrap_or_else(|| request.model.clone()),
        refusal: message.text("refusal", &mut remarks).filter(|refusal| !refusal.trim().is_empty()),
        usage,
        text,
        tool_calls,
        finish_reason,
    })
}

/// Arguments are JSON text, and some hosts send the JSON itself.
fn tool_call(call: &Value) -> Option<ToolCall> {
    let function = call.get("function")?;
    let arguments = match function.get("arguments") {
        Some(Value::String(text)) => text.clone(),
        Some(value @ Value::Object(_)) => value.to_string(),
        _ => String::new(),
    };
    let text = |value: &Value, name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
    Some(ToolCall { id: text(call, "id").unwrap_or_default(), name: text(function, "name")?, arguments })
}

/// The status that the error would have had, had the model not begun already.
pub(super) fn error_in_the_body(dialect: Dialect, error: &Value) -> ProviderError {
    let status = match error.get("code") {
        Some(Value::Number(code)) => code.as_u64().and_then(|c| u16::try_from(c).ok()),
        Some(Value::String(code)) => code.parse().ok(),
        _ => None,
    };
    let kind = status.filter(|s| *s >= 400).and_then(Kind::of_status).unwrap_or(Kind::Unavailable);
    let said = own_words(&json!({"error": error})).unwrap_or_default();
    let mut failed = ProviderError::new(dialect.name, kind, said);
    failed.status = status;
    meant(failed)
}

/// Content is text, or parts of which some are text. A host that parsed the answer itself sends the document.
pub(super) fn plain_text(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        Value::Array(parts) => {
            parts.iter().filter_map(|part| part.as_str().or_else(|| part.get("text")?.as_str())).collect()
        }
        document @ Value::Object(_) => document.to_string(),
        _ => String::new(),
    }
}

pub(super) fn usage(said: Fields<'_>, request: &ChatRequest, text: &str, tool_calls: &[ToolCall]) -> ChatUsage {
    let count = |name: &str| said.get(name).and_then(count_of);
    let (read, written) = (count("prompt_tokens"), count("completion_tokens"));
    let cached = said.get("prompt_tokens_details").and_then(|details| details.get("cached_tokens")).and_then(count_of);
    let prompt_tokens = read.unwrap_or_else(|| estimated_prompt(request));
    let completion_tokens = written.unwrap_or_else(|| estimated_answer(text, tool_calls));
    ChatUsage {
        prompt_tokens,
        completion_tokens,
        // They are among those that were read.
        cached_tokens: cached.unwrap_or(0).min(prompt_tokens),
        total_tokens: count("total_tokens").unwrap_or(prompt_tokens + completion_tokens),
        // What no answer can cost is no price.
        cost: said
            .decimal("cost", &mut Remarks::new())
            .filter(|cost| !cost.is_sign_negative() && *cost < Decimal::from(100_000)),
        is_estimated: read.is_none() || written.is_none(),
    }
}

#[derive(Deserialize)]
pub(crate) struct Model {
    id: String,
    #[serde(default, deserialize_with = "wire::text")]
    name: Option<String>,
    #[serde(default, deserialize_with = "wire::count")]
    context_length: Option<u64>,
    #[serde(default, deserialize_with = "wire::object")]
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
    #[serde(default, deserialize_with = "wire::decimal")]
    input_cache_read: Option<Decimal>,
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
            cached_price: price(model.pricing.as_ref().and_then(|p| p.input_cache_read)),
            has_structured_output: offers("structured_outputs") || offers("response_format"),
            has_tools: offers("tools"),
            id: model.id,
        }
    }
}
