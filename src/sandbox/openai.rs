//! A server of OpenAI's form: the same completions as OpenRouter's, without prices, and embeddings.

mod embedding;

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Json, Router};
use serde_json::{Value, json};

use super::gate::{Key, Provider, object};
use super::openrouter::{completion, tokens};
use super::state::Sandbox;

const MODELS: [&str; 5] = ["gpt-5", "gpt-5-mini", "gpt-4.1-mini", "text-embedding-3-small", "text-embedding-3-large"];
/// A text with this is refused: those who count tokens take it for the end of all.
const END: &str = "<|endoftext|>";
/// Texts in one request.
const MOST_TEXTS: usize = 2048;

pub(super) fn routes() -> Router<Arc<Sandbox>> {
    Router::new()
        .route("/chat/completions", post(complete))
        .route("/embeddings", post(embeddings))
        .route("/models", get(models))
        .fallback(|| async { Provider::OpenAi.error(StatusCode::NOT_FOUND, "Not found") })
}

async fn complete(State(sandbox): State<Arc<Sandbox>>, Extension(Key(key)): Extension<Key>, body: Bytes) -> Response {
    completion(&sandbox, &key, &body, Provider::OpenAi)
}

async fn models() -> Response {
    let shape = |id: &&str| json!({"id": id, "object": "model", "created": 1_757_000_000, "owned_by": "sandbox"});
    Json(json!({"object": "list", "data": MODELS.iter().map(shape).collect::<Vec<_>>()})).into_response()
}

async fn embeddings(body: Bytes) -> Response {
    let bad = |message: &str| Provider::OpenAi.error(StatusCode::BAD_REQUEST, message);
    let request = match object(&body) {
        Ok(request) => request,
        Err(message) => return bad(&message),
    };
    let model = request.get("model").and_then(Value::as_str).unwrap_or_default();
    if !model.contains("embedding") {
        return bad(&format!("The model {model} has no embeddings"));
    }
    let texts: Vec<&str> = match request.get("input") {
        Some(Value::String(text)) => vec![text],
        Some(Value::Array(all)) => all.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    if texts.is_empty() || texts.len() > MOST_TEXTS || texts.iter().any(|text| text.is_empty()) {
        return bad("input: a text, or a list of at most 2048 texts, none of them empty");
    }
    if texts.iter().any(|text| text.contains(END)) {
        return bad("input: a text has a token that is not allowed there");
    }
    let item = |(index, text): (usize, &&str)| json!({"object": "embedding", "index": index, "embedding": embedding::by(model, text)});
    let data: Vec<Value> = texts.iter().enumerate().map(item).collect();
    let read: u64 = texts.iter().map(|text| tokens(text)).sum();
    let usage = json!({"prompt_tokens": read, "total_tokens": read});
    Json(json!({"object": "list", "data": data, "model": model, "usage": usage})).into_response()
}
