//! Anthropic's Messages. As strict as the real service where it refuses a request: who passes here is understood there.

mod reading;

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use super::gate::{Key, Provider, object};
use super::openrouter::answer::Answer;
use super::openrouter::tokens;
use super::state::Sandbox;

/// Id and name.
const MODELS: [(&str, &str); 4] = [
    ("claude-sonnet-5", "Claude Sonnet 5"),
    ("claude-sonnet-4-5", "Claude Sonnet 4.5"),
    ("claude-haiku-4-5", "Claude Haiku 4.5"),
    ("claude-opus-4-5", "Claude Opus 4.5"),
];

pub(super) fn routes() -> Router<Arc<Sandbox>> {
    Router::new()
        .route("/messages", post(messages))
        .route("/models", get(models))
        .fallback(|| async { Provider::Anthropic.error(StatusCode::NOT_FOUND, "Not found") })
}

#[derive(Deserialize)]
struct PageOfModels {
    limit: Option<usize>,
    after_id: Option<String>,
}

async fn models(Query(page): Query<PageOfModels>) -> Response {
    let start = match page.after_id {
        Some(after) => MODELS.iter().position(|(id, _)| *id == after).map_or(MODELS.len(), |place| place + 1),
        None => 0,
    };
    let rest = &MODELS[start..];
    let shown = &rest[..rest.len().min(page.limit.unwrap_or(20).clamp(1, 1000))];
    let shape = |(id, name): &(&str, &str)| {
        json!({"type": "model", "id": id, "display_name": name, "created_at": "2026-01-01T00:00:00Z",
            "max_input_tokens": 200_000, "max_tokens": 64_000})
    };
    Json(json!({
        "data": shown.iter().map(shape).collect::<Vec<_>>(),
        "has_more": shown.len() < rest.len(),
        "first_id": shown.first().map(|(id, _)| id),
        "last_id": shown.last().map(|(id, _)| id),
    }))
    .into_response()
}

async fn messages(
    State(sandbox): State<Arc<Sandbox>>,
    Extension(Key(_)): Extension<Key>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let bad = |message: &str| Provider::Anthropic.error(StatusCode::BAD_REQUEST, message);
    if !headers.contains_key("anthropic-version") {
        return bad("anthropic-version: header is required");
    }
    let read = object(&body).and_then(|request| reading::read(&request).map(|read| (request, read)));
    let (request, asked) = match read {
        Ok(read) => read,
        Err(message) => return bad(&message),
    };
    let model = request.get("model").and_then(Value::as_str).unwrap_or_default();
    if !MODELS.iter().any(|(id, _)| *id == model) {
        return Provider::Anthropic.error(StatusCode::NOT_FOUND, &format!("model: {model}"));
    }
    let answer = Answer::to(&asked, asked["messages"].as_array().map_or(&[], Vec::as_slice));
    let mut content = Vec::new();
    if let Some(text) = answer.content.filter(|text| !text.is_empty()) {
        content.push(json!({"type": "text", "text": text}));
    }
    for call in &answer.tool_calls {
        let arguments = call.pointer("/function/arguments").and_then(Value::as_str).unwrap_or("{}");
        let input: Value = serde_json::from_str(arguments).unwrap_or_else(|_| json!({}));
        let id = format!("toolu_{}", call["id"].as_str().unwrap_or_default());
        content.push(json!({"type": "tool_use", "id": id, "name": call.pointer("/function/name"), "input": input}));
    }
    let stop_reason = if answer.tool_calls.is_empty() { "end_turn" } else { "tool_use" };
    let usage = json!({
        "input_tokens": tokens(&asked["messages"].to_string()),
        "output_tokens": content.iter().map(|block| tokens(&block.to_string())).sum::<u64>(),
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 0,
    });
    let id = format!("msg_{:016x}", sandbox.rng("message").roll());
    if request.get("stream").and_then(Value::as_bool) == Some(true) {
        return stream(&id, model, &content, stop_reason, &usage);
    }
    Json(json!({
        "id": id, "type": "message", "role": "assistant", "model": model, "content": content,
        "stop_reason": stop_reason, "stop_sequence": null, "usage": usage,
    }))
    .into_response()
}

/// Events as they are documented, a few words at a time.
fn stream(id: &str, model: &str, content: &[Value], stop_reason: &str, usage: &Value) -> Response {
    let mut body = String::new();
    let mut event = |data: Value| {
        let kind = data["type"].as_str().unwrap_or_default().to_owned();
        body.push_str(&format!("event: {kind}\ndata: {data}\n\n"));
    };
    let mut begun = usage.clone();
    begun["output_tokens"] = json!(1);
    event(
        json!({"type": "message_start", "message": {"id": id, "type": "message", "role": "assistant", "model": model,
        "content": [], "stop_reason": null, "stop_sequence": null, "usage": begun}}),
    );
    event(json!({"type": "ping"}));
    for (index, block) in content.iter().enumerate() {
        let (mut start, pieces): (Value, Vec<Value>) = match block["text"].as_str() {
            Some(text) => {
                let words: Vec<&str> = text.split_inclusive(' ').collect();
                let piece = |words: &[&str]| json!({"type": "text_delta", "text": words.concat()});
                (block.clone(), words.chunks(4).map(piece).collect())
            }
            None => {
                let input: Vec<char> = block["input"].to_string().chars().collect();
                let piece = |part: &[char]| json!({"type": "input_json_delta", "partial_json": part.iter().collect::<String>()});
                (block.clone(), input.chunks(12).map(piece).collect())
            }
        };
        match start.get("text").is_some() {
            true => start["text"] = json!(""),
            false => start["input"] = json!({}),
        }
        event(json!({"type": "content_block_start", "index": index, "content_block": start}));
        for delta in pieces {
            event(json!({"type": "content_block_delta", "index": index, "delta": delta}));
        }
        event(json!({"type": "content_block_stop", "index": index}));
    }
    event(json!({"type": "message_delta", "delta": {"stop_reason": stop_reason, "stop_sequence": null},
        "usage": {"output_tokens": usage["output_tokens"]}}));
    event(json!({"type": "message_stop"}));
    ([(header::CONTENT_TYPE, "text/event-stream; charset=utf-8")], body).into_response()
}
