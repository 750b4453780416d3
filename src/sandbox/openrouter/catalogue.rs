//! The models on offer, and what an account has spent on them.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde_json::{Value, json};

use crate::gate::Key;
use crate::state::Sandbox;

/// Id, name, context length, US dollars per million tokens of prompt and of answer.
pub(super) const MODELS: [(&str, &str, u64, f64, f64); 8] = [
    ("openai/gpt-5", "OpenAI: GPT-5", 400_000, 1.25, 10.0),
    ("openai/gpt-5-mini", "OpenAI: GPT-5 Mini", 400_000, 0.25, 2.0),
    ("anthropic/claude-sonnet-4.5", "Anthropic: Claude Sonnet 4.5", 1_000_000, 3.0, 15.0),
    ("anthropic/claude-haiku-4.5", "Anthropic: Claude Haiku 4.5", 200_000, 1.0, 5.0),
    ("google/gemini-2.5-pro", "Google: Gemini 2.5 Pro", 1_048_576, 1.25, 10.0),
    ("google/gemini-2.5-flash", "Google: Gemini 2.5 Flash", 1_048_576, 0.3, 2.5),
    ("mistralai/mistral-medium-3.1", "Mistral: Mistral Medium 3.1", 131_072, 0.4, 2.0),
    ("meta-llama/llama-3.3-70b-instruct", "Meta: Llama 3.3 70B Instruct", 131_072, 0.13, 0.4),
];

/// Credits every account begins with.
pub(super) const CREDITS: f64 = 100.0;

pub(super) fn rounded(dollars: f64) -> f64 {
    (dollars * 1e8).round() / 1e8
}

pub(super) async fn models() -> Response {
    let shape = |(id, name, context, ask, say): &(&str, &str, u64, f64, f64)| {
        let per_token = |price: f64| format!("{:.9}", price / 1e6).trim_end_matches('0').to_owned();
        json!({
            "id": id,
            "canonical_slug": id,
            "name": name,
            "created": 1_757_000_000,
            "description": format!("{name}, answered by the sandbox."),
            "context_length": context,
            "architecture": {
                "input_modalities": ["text"],
                "output_modalities": ["text"],
                "modality": "text->text",
                "tokenizer": "Other",
                "instruct_type": null,
            },
            "pricing": {"prompt": per_token(*ask), "completion": per_token(*say), "request": "0", "image": "0"},
            "top_provider": {"context_length": context, "max_completion_tokens": 32_000, "is_moderated": false},
            "supported_parameters": ["max_tokens", "response_format", "structured_outputs", "temperature", "tools", "tool_choice"],
            "per_request_limits": null,
        })
    };
    let data: Vec<Value> = MODELS.iter().map(shape).collect();
    Json(json!({"data": data, "links": {}, "total_count": MODELS.len()})).into_response()
}

pub(super) async fn key_facts(State(sandbox): State<Arc<Sandbox>>, Extension(Key(key)): Extension<Key>) -> Response {
    let spent = rounded(sandbox.with_account(&key, |account| account.model_spend));
    let data = json!({
        "label": key,
        "limit": CREDITS,
        "limit_remaining": rounded((CREDITS - spent).max(0.0)),
        "limit_reset": null,
        "usage": spent,
        "usage_daily": spent,
        "usage_weekly": spent,
        "usage_monthly": spent,
        "is_free_tier": false,
        "expires_at": null,
    });
    Json(json!({"data": data})).into_response()
}

pub(super) async fn credits(State(sandbox): State<Arc<Sandbox>>, Extension(Key(key)): Extension<Key>) -> Response {
    let spent = rounded(sandbox.with_account(&key, |account| account.model_spend));
    Json(json!({"data": {"total_credits": CREDITS, "total_usage": spent}})).into_response()
}
