//! Requests and answers as Anthropic writes them.

use super::{NAME, own_words};
use crate::chat::pairs::paired;
use crate::chat::*;
use crate::error::{Kind, ProviderError};
use crate::schema;
use crate::wire::{Fields, Remarks, count_of};
use serde_json::{Value, json};

/// Every request has to name a longest answer.
const USUAL_LONGEST: u32 = 8_192;
/// The first message has to be the person's. An agent that speaks first answers to this.
const BEGINNING: &str = "(The conversation begins.)";

/// The body of a request.
pub(super) fn body(request: &ChatRequest) -> Value {
    let mut body = json!({
        "model": request.model,
        "max_tokens": request.max_tokens.unwrap_or(USUAL_LONGEST),
        "messages": messages(&paired(&request.messages)),
    });
    let system: Vec<&str> = request
        .messages
        .iter()
        .filter_map(|message| match message {
            ChatMessage::System(text) if !text.trim().is_empty() => Some(text.as_str()),
            _ => None,
        })
        .collect();
    if !system.is_empty() {
        body["system"] = json!(system.join("\n\n"));
    }
    if let Some(temperature) = request.temperature {
        body["temperature"] = json!(temperature.clamp(0.0, 1.0));
    }
    if !request.tools.is_empty() {
        let tool = |tool: &ChatTool| json!({"name": tool.name, "description": tool.description, "input_schema": schema::of_tool(&tool.parameters)});
        body["tools"] = request.tools.iter().map(tool).collect();
    }
    if let Some(AnswerSchema { schema, .. }) = &request.answer_schema {
        body["output_config"] = json!({"format": {"type": "json_schema", "schema": schema::strict(schema)}});
    }
    body
}

/// Turns in the order of the conversation, the person's and the model's by turns: what follows each other of one side is one message,
/// so that all results of tools stand in the one message behind their calls. Empty texts are refused there.
fn messages(all: &[ChatMessage]) -> Vec<Value> {
    let mut turns: Vec<(&str, Vec<Value>)> = Vec::new();
    for message in all {
        let (role, blocks) = match message {
            ChatMessage::System(_) => continue,
            ChatMessage::User(text) => ("user", text_block(text).into_iter().collect::<Vec<_>>()),
            ChatMessage::Assistant { text, tool_calls } => {
                let calls = tool_calls.iter().map(|call| {
                    let input = serde_json::from_str(&call.arguments).ok().filter(Value::is_object);
                    let input = input.unwrap_or_else(|| json!({}));
                    json!({"type": "tool_use", "id": id_of(&call.id), "name": call.name, "input": input})
                });
                // What the model says ends without a space, or it is refused as the last turn.
                ("assistant", text_block(text.trim_end()).into_iter().chain(calls).collect())
            }
            ChatMessage::Tool { call_id, text } => {
                let block = json!({"type": "tool_result", "tool_use_id": id_of(call_id), "content": text});
                ("user", vec![block])
            }
        };
        match turns.last_mut() {
            Some((last, known)) if *last == role => known.extend(blocks),
            _ if blocks.is_empty() => {}
            _ => turns.push((role, blocks)),
        }
    }
    if turns.first().is_none_or(|(role, _)| *role != "user") {
        turns.insert(0, ("user", vec![json!({"type": "text", "text": BEGINNING})]));
    }
    turns.into_iter().map(|(role, blocks)| json!({"role": role, "content": blocks})).collect()
}

fn text_block(text: &str) -> Option<Value> {
    (!text.trim().is_empty()).then(|| json!({"type": "text", "text": text}))
}

/// Ids of other services have characters that are refused here, and both ends of a call must still name each other.
fn id_of(id: &str) -> String {
    let kept: String =
        id.chars().map(|c| if c.is_ascii_alphanumeric() || c == '_' || c == '-' { c } else { '_' }).collect();
    if kept.is_empty() { "call".to_owned() } else { kept }
}

/// Reads a whole answer.
pub(super) fn answer(document: &Value, request: &ChatRequest) -> Result<ChatAnswer, ProviderError> {
    let (whole, mut remarks) = (Fields::of(document), Remarks::new());
    if whole.get("type").and_then(Value::as_str) == Some("error") || whole.get("error").is_some() {
        return Err(error_in_the_body(document));
    }
    let blocks = whole.get("content").and_then(Value::as_array);
    let blocks = blocks.ok_or_else(|| ProviderError::new(NAME, Kind::Garbage, "The answer holds no content"))?;
    let (mut text, mut tool_calls) = (String::new(), Vec::new());
    for block in blocks {
        let said = |name: &str| block.get(name).and_then(Value::as_str).unwrap_or_default();
        match said("type") {
            "text" => text.push_str(said("text")),
            "tool_use" => tool_calls.push(ToolCall {
                id: said("id").to_owned(),
                name: said("name").to_owned(),
                arguments: block.get("input").filter(|input| input.is_object()).unwrap_or(&json!({})).to_string(),
            }),
            _ => {}
        }
    }
    Ok(put_together(
        request,
        Parts {
            id: whole.id("id", &mut remarks),
            model: whole.id("model", &mut remarks),
            text,
            tool_calls,
            stop_reason: whole.text("stop_reason", &mut remarks),
            usage: whole.get("usage").cloned().unwrap_or_default(),
        },
    ))
}

/// What an answer is made of, however it came.
pub(super) struct Parts {
    pub id: Option<String>,
    pub model: Option<String>,
    pub text: String,
    pub tool_calls: Vec<ToolCall>,
    pub stop_reason: Option<String>,
    pub usage: Value,
}

pub(super) fn put_together(request: &ChatRequest, parts: Parts) -> ChatAnswer {
    let reason = parts.stop_reason.as_deref();
    let refused = reason == Some("refusal");
    let finish_reason = reason.map(|reason| match reason {
        "end_turn" | "stop_sequence" | "pause_turn" => "stop",
        "max_tokens" | "model_context_window_exceeded" => "length",
        "tool_use" => "tool_calls",
        "refusal" => "content_filter",
        other => other,
    });
    let words = Some(parts.text.trim()).filter(|text| !text.is_empty()).unwrap_or("It gave no reason");
    ChatAnswer {
        provider: NAME,
        id: parts.id.unwrap_or_default(),
        model: parts.model.unwrap_or_else(|| request.model.clone()),
        refusal: refused.then(|| words.to_owned()),
        usage: usage(Fields::of(&parts.usage), request, &parts.text, &parts.tool_calls),
        finish_reason: finish_reason.map(str::to_owned),
        text: parts.text,
        tool_calls: parts.tool_calls,
    }
}

/// What was read is three figures here: anew, from what is kept, and to be kept.
fn usage(said: Fields<'_>, request: &ChatRequest, text: &str, tool_calls: &[ToolCall]) -> ChatUsage {
    let count = |name: &str| said.get(name).and_then(count_of);
    let (anew, written) = (count("input_tokens"), count("output_tokens"));
    let cached_tokens = count("cache_read_input_tokens").unwrap_or(0);
    let prompt_tokens = match anew {
        Some(anew) => anew + cached_tokens + count("cache_creation_input_tokens").unwrap_or(0),
        None => estimated_prompt(request),
    };
    let completion_tokens = written.unwrap_or_else(|| estimated_answer(text, tool_calls));
    ChatUsage {
        prompt_tokens,
        cached_tokens: cached_tokens.min(prompt_tokens),
        completion_tokens,
        total_tokens: prompt_tokens + completion_tokens,
        cost: None,
        is_estimated: anew.is_none() || written.is_none(),
    }
}

/// The error's kind tells the status that it would have had, had the answer not begun already.
pub(super) fn error_in_the_body(document: &Value) -> ProviderError {
    let status = match document.pointer("/error/type").and_then(Value::as_str).unwrap_or_default() {
        "invalid_request_error" => 400,
        "authentication_error" => 401,
        "billing_error" => 402,
        "permission_error" => 403,
        "not_found_error" => 404,
        "request_too_large" => 413,
        "rate_limit_error" => 429,
        "timeout_error" => 504,
        "overloaded_error" => 529,
        _ => 500,
    };
    let kind = Kind::of_status(status).unwrap_or(Kind::Unavailable);
    let mut error = ProviderError::new(NAME, kind, own_words(document).unwrap_or_default());
    error.status = Some(status);
    error
}

/// The models of one page.
pub(super) fn models(page: &Value) -> Vec<ChatModel> {
    let all = page.get("data").and_then(Value::as_array).into_iter().flatten();
    all.filter_map(|model| {
        let id = model.get("id").and_then(Value::as_str)?.to_owned();
        let name = model.get("display_name").and_then(Value::as_str).unwrap_or(&id).to_owned();
        let context_length = model.get("max_input_tokens").and_then(count_of);
        Some(ChatModel { name, context_length, ..ChatModel::named(id) })
    })
    .collect()
}
