//! The language models' HTTP surface. Answers come from rules, not from a model: see `analysis.rs` and `schema.rs`.

pub(crate) mod answer;
mod catalogue;

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Json, Router};
use chrono::Utc;
use serde_json::{Value, json};

use super::gate::{Key, Provider, object};
use super::settings::{OddAnswer, OddUsage};
use super::state::Sandbox;
use answer::Answer;
use catalogue::{CREDITS, MODELS, rounded};

pub(super) fn routes() -> Router<Arc<Sandbox>> {
    Router::new()
        .route("/chat/completions", post(complete))
        .route("/models", get(catalogue::models))
        .route("/key", get(catalogue::key_facts))
        .route("/credits", get(catalogue::credits))
        .fallback(|| async { Provider::OpenRouter.error(StatusCode::NOT_FOUND, "Not found") })
}

async fn complete(State(sandbox): State<Arc<Sandbox>>, Extension(Key(key)): Extension<Key>, body: Bytes) -> Response {
    completion(&sandbox, &key, &body, Provider::OpenRouter)
}

/// An answer of OpenRouter, or of any other server of this form.
pub(super) fn completion(sandbox: &Arc<Sandbox>, key: &str, body: &[u8], provider: Provider) -> Response {
    let bad = |message: &str| provider.error(StatusCode::BAD_REQUEST, message);
    let is_openrouter = provider == Provider::OpenRouter;
    let request = match object(body) {
        Ok(request) => request,
        Err(message) => return bad(&message),
    };
    let Some(messages) = request.get("messages").and_then(Value::as_array).filter(|messages| !messages.is_empty())
    else {
        return bad("messages: at least one message is required");
    };
    let first = request.get("models").and_then(Value::as_array).and_then(|models| models.first());
    let model = request.get("model").or(first).and_then(Value::as_str).unwrap_or(MODELS[0].0);
    if is_openrouter && !model.contains('/') {
        return bad(&format!("{model} is not a valid model ID"));
    }
    let quirks = sandbox.settings_for(key).quirks.clone();
    let schema = request.get("response_format").and_then(|format| format.pointer("/json_schema/schema"));
    if let Some(word) = schema.filter(|_| quirks.strict_schemas).and_then(word_that_is_refused) {
        let said = format!("Provider returned error: output_format.schema: property '{word}' is not supported");
        return bad(&said);
    }
    let answer = match quirks.loops_on_tools {
        true => Answer::looping(&request, messages),
        false => Answer::to(&request, messages),
    };
    let prompt_tokens = tokens(&Value::Array(messages.clone()).to_string());
    let completion_tokens = tokens(answer.content.as_deref().unwrap_or(""))
        + answer.tool_calls.iter().map(|call| tokens(&call.to_string())).sum::<u64>();
    let (_, _, _, ask, say) = *MODELS.iter().find(|known| known.0 == model).unwrap_or(&MODELS[1]);
    let costs = [prompt_tokens as f64 * ask / 1e6, completion_tokens as f64 * say / 1e6];
    let spent = sandbox.with_account(key, |account| {
        account.model_spend += costs[0] + costs[1];
        account.model_spend
    });
    if spent > CREDITS {
        return provider.error(StatusCode::PAYMENT_REQUIRED, "Insufficient credits");
    }
    let mut usage = json!({
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
    if !is_openrouter {
        // Nobody else tells what it cost.
        for own in ["cost", "is_byok", "cost_details"] {
            usage.as_object_mut().map(|usage| usage.remove(own));
        }
    }
    let now = Utc::now().timestamp();
    let id = format!("gen-{now}-{:x}", sandbox.rng("generation").roll());
    if request.get("stream").and_then(Value::as_bool) == Some(true) {
        let counts = request.get("stream_options").and_then(|options| options["include_usage"].as_bool());
        let usage = Some(&usage).filter(|_| is_openrouter || counts == Some(true));
        return stream(&id, now, model, &answer, usage);
    }
    let mut message = json!({"role": "assistant", "content": answer.content, "refusal": null});
    let mut finish = "stop";
    if !answer.tool_calls.is_empty() {
        message["tool_calls"] = json!(answer.tool_calls);
        finish = "tool_calls";
    }
    let wants_document = request.contains_key("response_format");
    let told = messages.last().map(|message| message["content"].to_string()).unwrap_or_default();
    let is_told = told.contains("not the form that was asked for");
    let is_odd = |odd: &OddAnswer| wants_document && !(is_told && *odd == OddAnswer::OtherFormOnce);
    if let Some(odd) = quirks.odd_answer.filter(is_odd) {
        let content = answer.content.clone().unwrap_or_default();
        let most = request.get("max_completion_tokens").and_then(Value::as_u64).unwrap_or(0);
        finish = odd_answer(odd, &content, most, &mut message).unwrap_or(finish);
    }
    let mut body = json!({
        "id": id,
        "object": "chat.completion",
        "created": now,
        "model": model,
        "system_fingerprint": null,
        "choices": [{"index": 0, "finish_reason": finish, "message": message}],
        "usage": usage,
    });
    match quirks.odd_usage {
        Some(OddUsage::Nulls) => {
            body["usage"] = json!({"prompt_tokens": null, "completion_tokens": null, "total_tokens": null});
        }
        Some(OddUsage::Absent) => {
            body.as_object_mut().map(|body| body.remove("usage"));
        }
        Some(OddUsage::Texts) => {
            for name in ["prompt_tokens", "completion_tokens", "total_tokens", "cost"] {
                body["usage"][name] = json!(body["usage"][name].to_string());
            }
        }
        None => {}
    }
    Json(body).into_response()
}

/// Answers in another way than was asked for. Gives why the model stopped, if that is another reason.
fn odd_answer(odd: OddAnswer, content: &str, most: u64, message: &mut Value) -> Option<&'static str> {
    match odd {
        OddAnswer::Fenced => message["content"] = json!(format!("```json\n{content}\n```")),
        OddAnswer::Prose => {
            message["content"] =
                json!(format!("Here is the form {{as asked}}:\n\n{content}\n\nLet me know if you need more."));
        }
        OddAnswer::Parts => message["content"] = json!([{"type": "text", "text": content}]),
        OddAnswer::Refused => {
            message["content"] = Value::Null;
            message["refusal"] = json!("I can't help with that.");
        }
        OddAnswer::CutOff if most >= 8000 => {}
        OddAnswer::CutOff => {
            message["content"] = json!(content.chars().take(40).collect::<String>());
            return Some("length");
        }
        OddAnswer::Tool => {
            message["content"] = Value::Null;
            message["tool_calls"] =
                json!([{"id": "call_1", "type": "function", "function": {"name": "fill_in", "arguments": content}}]);
            return Some("tool_calls");
        }
        OddAnswer::Empty => message["content"] = json!(""),
        OddAnswer::OtherForm | OddAnswer::OtherFormOnce => {
            message["content"] = json!(json!({"thoughts": "Somebody should look at this."}).to_string());
        }
    }
    None
}

/// A word in the schema that not every host takes.
pub(super) fn word_that_is_refused(schema: &Value) -> Option<String> {
    let words = schema.as_object()?;
    words.iter().find_map(|(word, value)| match (word.as_str(), value) {
        ("properties", Value::Object(all)) => all.values().find_map(word_that_is_refused),
        ("anyOf", Value::Array(all)) => all.iter().find_map(word_that_is_refused),
        ("items", inner) => word_that_is_refused(inner),
        ("type" | "description" | "enum" | "const" | "required" | "additionalProperties", _) => None,
        (other, _) => Some(other.to_owned()),
    })
}

/// A quarter of the letters, which is what the usual rule of thumb says.
pub(super) fn tokens(text: &str) -> u64 {
    (text.chars().count() as u64).div_ceil(4)
}

/// Server-sent events, a few words at a time.
fn stream(id: &str, created: i64, model: &str, answer: &Answer, usage: Option<&Value>) -> Response {
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
    body.push_str(&chunk(json!({}), json!(finish), usage));
    body.push_str("data: [DONE]\n\n");
    ([(header::CONTENT_TYPE, "text/event-stream")], body).into_response()
}
