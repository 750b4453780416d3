//! The language models' HTTP surface. Answers come from rules, not from a model: see `analysis.rs` and `schema.rs`.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Json, Router};
use chrono::Utc;
use serde_json::{Map, Value, json};

use super::analysis;
use super::conversation;
use super::gate::{Key, Provider, object};
use super::schema::Writer;
use super::state::Sandbox;

/// Id, name, context length, US dollars per million tokens of prompt and of answer.
const MODELS: [(&str, &str, u64, f64, f64); 8] = [
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
const CREDITS: f64 = 100.0;

pub(super) fn routes() -> Router<Arc<Sandbox>> {
    Router::new()
        .route("/chat/completions", post(complete))
        .route("/models", get(models))
        .route("/key", get(key_facts))
        .route("/credits", get(credits))
        .fallback(|| async { Provider::OpenRouter.error(StatusCode::NOT_FOUND, "Not found") })
}

async fn complete(State(sandbox): State<Arc<Sandbox>>, Extension(Key(key)): Extension<Key>, body: Bytes) -> Response {
    let request = match object(&body) {
        Ok(request) => request,
        Err(message) => return bad(&message),
    };
    let Some(messages) = request.get("messages").and_then(Value::as_array).filter(|messages| !messages.is_empty()) else {
        return bad("messages: at least one message is required");
    };
    let first = request.get("models").and_then(Value::as_array).and_then(|models| models.first());
    let model = request.get("model").or(first).and_then(Value::as_str).unwrap_or(MODELS[0].0);
    if !model.contains('/') {
        return bad(&format!("{model} is not a valid model ID"));
    }
    let answer = Answer::to(&request, messages);
    let prompt_tokens = tokens(&Value::Array(messages.clone()).to_string());
    let completion_tokens = tokens(answer.content.as_deref().unwrap_or("")) + answer.tool_calls.iter().map(|call| tokens(&call.to_string())).sum::<u64>();
    let (_, _, _, ask, say) = *MODELS.iter().find(|known| known.0 == model).unwrap_or(&MODELS[1]);
    let costs = [prompt_tokens as f64 * ask / 1e6, completion_tokens as f64 * say / 1e6];
    let spent = sandbox.with_account(&key, |account| {
        account.model_spend += costs[0] + costs[1];
        account.model_spend
    });
    if spent > CREDITS {
        return Provider::OpenRouter.error(StatusCode::PAYMENT_REQUIRED, "Insufficient credits");
    }
    let usage = json!({
        "prompt_tokens": prompt_tokens,
        "completion_tokens": completion_tokens,
        "total_tokens": prompt_tokens + completion_tokens,
        "cost": rounded(costs[0] + costs[1]),
        "is_byok": false,
        "cost_details": {
            "upstream_inference_cost": null,
            "upstream_inference_prompt_cost": rounded(costs[0]),
            "upstream_inference_completions_cost": rounded(costs[1]),
        },
        "prompt_tokens_details": {"cached_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 0},
    });
    let now = Utc::now().timestamp();
    let id = format!("gen-{now}-{:x}", sandbox.dice("generation").roll());
    if request.get("stream").and_then(Value::as_bool) == Some(true) {
        return stream(&id, now, model, &answer, &usage);
    }
    let mut message = json!({"role": "assistant", "content": answer.content, "refusal": null});
    let mut finish = "stop";
    if !answer.tool_calls.is_empty() {
        message["tool_calls"] = json!(answer.tool_calls);
        finish = "tool_calls";
    }
    let body = json!({
        "id": id,
        "object": "chat.completion",
        "created": now,
        "model": model,
        "system_fingerprint": null,
        "choices": [{"index": 0, "finish_reason": finish, "message": message}],
        "usage": usage,
    });
    Json(body).into_response()
}

fn bad(message: &str) -> Response {
    Provider::OpenRouter.error(StatusCode::BAD_REQUEST, message)
}

/// A quarter of the letters, which is what the usual rule of thumb says.
fn tokens(text: &str) -> u64 {
    (text.chars().count() as u64).div_ceil(4)
}

fn rounded(dollars: f64) -> f64 {
    (dollars * 1e8).round() / 1e8
}

struct Answer {
    content: Option<String>,
    tool_calls: Vec<Value>,
}

impl Answer {
    fn to(request: &Map<String, Value>, messages: &[Value]) -> Answer {
        let said = |role: &str| {
            let of_role = messages.iter().filter(|message| message["role"] == role);
            of_role.map(|message| text_of(&message["content"])).collect::<Vec<_>>().join("\n")
        };
        let (system, user) = (said("system"), said("user"));
        let facts = analysis::read(&user).or_else(|| analysis::read(&system));
        let last = messages.last().map(|message| text_of(&message["content"])).unwrap_or_default();
        let only = |content: String| Answer { content: Some(content), tool_calls: Vec::new() };
        let format = request.get("response_format");
        if let Some(schema) = format.and_then(|format| format.pointer("/json_schema/schema")) {
            return only(Writer::new(schema, facts.as_ref(), &last).write().to_string());
        }
        if format.is_some_and(|format| format["type"] == "json_object") {
            return only(Writer::new(&usual_schema(), facts.as_ref(), &last).write().to_string());
        }
        if let Some(call) = tool_call(request, messages, facts.as_ref(), &last) {
            return Answer { content: None, tool_calls: vec![call] };
        }
        if let Some(facts) = facts {
            let steps: String = facts.follow_ups().iter().map(|step| format!("\n- {step}")).collect();
            return only(format!("{}{steps}", facts.summary()));
        }
        let language = analysis::guess_language(&last);
        only(conversation::reply(language, &system, &Map::new(), &last, &user))
    }
}

/// A tool is called when one must be, or when the last message names it; never twice in a row.
fn tool_call(request: &Map<String, Value>, messages: &[Value], facts: Option<&analysis::Facts>, last: &str) -> Option<Value> {
    let tools = request.get("tools")?.as_array()?;
    if messages.last()?["role"] == "tool" {
        return None;
    }
    let choice = request.get("tool_choice");
    let forced = choice.and_then(|choice| choice.pointer("/function/name")).and_then(Value::as_str);
    let must = choice.and_then(Value::as_str) == Some("required");
    let heard = last.to_lowercase();
    let wanted = tools.iter().find(|tool| {
        let name = tool.pointer("/function/name").and_then(Value::as_str).unwrap_or("");
        let named = || name.split(['_', '-']).all(|word| word.len() > 2 && heard.contains(&word.to_lowercase()));
        forced.map_or_else(|| must || named(), |forced| forced == name)
    })?;
    let open = json!({"type": "object"});
    let parameters = wanted.pointer("/function/parameters").unwrap_or(&open);
    let arguments = Writer::new(parameters, facts, last).write().to_string();
    let id = format!("call_{:016x}", super::dice::Dice::new(19, last).roll());
    Some(json!({"id": id, "type": "function", "function": {"name": wanted.pointer("/function/name"), "arguments": arguments}}))
}

/// Content is a text or a list of parts.
fn text_of(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        Value::Array(parts) => parts.iter().filter_map(|part| part["text"].as_str()).collect::<Vec<_>>().join("\n"),
        _ => String::new(),
    }
}

fn usual_schema() -> Value {
    json!({
        "type": "object",
        "properties": {
            "summary": {"type": "string"},
            "sentiment": {"type": "string"},
            "outcome": {"type": "string"},
            "topics": {"type": "array", "items": {"type": "string"}},
            "follow_ups": {"type": "array", "items": {"type": "string"}},
        },
    })
}

/// Server-sent events, a few words at a time.
fn stream(id: &str, created: i64, model: &str, answer: &Answer, usage: &Value) -> Response {
    let chunk = |delta: Value, finish: Value, usage: Option<&Value>| {
        let mut chunk = json!({
            "id": id,
            "object": "chat.completion.chunk",
            "created": created,
            "model": model,
            "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
        });
        if let Some(usage) = usage {
            chunk["usage"] = usage.clone();
        }
        format!("data: {chunk}\n\n")
    };
    let mut body = ": processing\n\n".to_owned();
    body.push_str(&chunk(json!({"role": "assistant", "content": ""}), Value::Null, None));
    let content = answer.content.as_deref().unwrap_or("");
    let words: Vec<&str> = content.split_inclusive(' ').collect();
    for part in words.chunks(4) {
        body.push_str(&chunk(json!({"content": part.concat()}), Value::Null, None));
    }
    let mut finish = "stop";
    for (index, call) in answer.tool_calls.iter().enumerate() {
        let mut call = call.clone();
        call["index"] = json!(index);
        body.push_str(&chunk(json!({"tool_calls": [call]}), Value::Null, None));
        finish = "tool_calls";
    }
    body.push_str(&chunk(json!({}), json!(finish), Some(usage)));
    body.push_str("data: [DONE]\n\n");
    ([(header::CONTENT_TYPE, "text/event-stream")], body).into_response()
}

async fn models() -> Response {
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

async fn key_facts(State(sandbox): State<Arc<Sandbox>>, Extension(Key(key)): Extension<Key>) -> Response {
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

async fn credits(State(sandbox): State<Arc<Sandbox>>, Extension(Key(key)): Extension<Key>) -> Response {
    let spent = rounded(sandbox.with_account(&key, |account| account.model_spend));
    Json(json!({"data": {"total_credits": CREDITS, "total_usage": spent}})).into_response()
}
