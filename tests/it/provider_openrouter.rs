//! OpenRouter: exact requests, documented answers, errors inside a success.

use crate::provider_stub::*;
use patchbay_providers::chat::*;
use patchbay_providers::openrouter::{OpenRouter, OpenRouterConfig};
use patchbay_providers::{Kind, ProviderError};
use serde::Deserialize;
use serde_json::{Value, json};
use std::time::Duration;

const ANSWER: &str = r#"{"id":"gen-1772460446-abc","object":"chat.completion","created":1772460446,"model":"openai/gpt-5","system_fingerprint":null,
 "choices":[{"index":0,"finish_reason":"stop","message":{"role":"assistant","content":"{\"score\":7}","refusal":null}}],
 "usage":{"prompt_tokens":120,"completion_tokens":8,"total_tokens":128,"cost":0.00031,"is_byok":false,
  "cost_details":{"upstream_inference_cost":null,"upstream_inference_prompt_cost":0.00024,"upstream_inference_completions_cost":0.00007},
  "prompt_tokens_details":{"cached_tokens":0},"completion_tokens_details":{"reasoning_tokens":0}}}"#;

#[derive(Deserialize, Debug, PartialEq)]
struct Score {
    score: u8,
}

fn at(origin: &str) -> OpenRouter {
    let config = OpenRouterConfig {
        base_url: format!("{origin}/api/v1"),
        api_key: "sk-or-v1-0123".into(),
        answer_timeout: Duration::from_secs(5),
        title: Some("Patchbay".into()),
    };
    OpenRouter::new(&client(), &config).unwrap()
}

fn request() -> ChatRequest {
    ChatRequest {
        model: "openai/gpt-5".into(),
        messages: vec![ChatMessage::System("Score the lead.".into()), ChatMessage::User("Hello".into())],
        temperature: Some(0.2),
        max_tokens: Some(300),
        answer_schema: Some(AnswerSchema { name: "lead score!".into(), schema: json!({"type": "object"}) }),
        tools: vec![],
    }
}

async fn answer_to(answer: Answer) -> Result<ChatAnswer, ProviderError> {
    let stub = Stub::playing([answer]).await;
    at(&stub.origin).complete(&request()).await
}

#[tokio::test]
async fn a_completion_is_sent_and_read_as_documented() {
    let stub = Stub::playing([Answer::json(200, ANSWER)]).await;
    let answer = at(&stub.origin).complete(&request()).await.unwrap();
    let seen = stub.only();
    assert_eq!(seen.line(), "POST /api/v1/chat/completions");
    assert_eq!(seen.header("authorization"), Some("Bearer sk-or-v1-0123"));
    assert_eq!(seen.header("x-openrouter-title"), Some("Patchbay"));
    assert_eq!(
        seen.json(),
        json!({"model": "openai/gpt-5",
            "messages": [{"role": "system", "content": "Score the lead."}, {"role": "user", "content": "Hello"}],
            "temperature": 0.2, "max_completion_tokens": 300,
            "response_format": {"type": "json_schema",
                "json_schema": {"name": "lead_score_", "strict": true, "schema": {"type": "object"}}},
            "provider": {"require_parameters": true}})
    );
    assert_eq!(answer.parse_json::<Score>().unwrap(), Score { score: 7 });
    assert_eq!((answer.id.as_str(), answer.model.as_str()), ("gen-1772460446-abc", "openai/gpt-5"));
    let usage = &answer.usage;
    assert_eq!((usage.prompt_tokens, usage.completion_tokens, usage.total_tokens), (120, 8, 128));
    assert_eq!(usage.cost.unwrap().to_string(), "0.00031");
    assert!(!usage.is_estimated);
}

#[tokio::test]
async fn costs_keep_every_digit() {
    for (written, read) in [
        ("0.1", "0.1"),
        ("1e-7", "0.0000001"),
        ("0", "0"),
        ("12.345678901", "12.345678901"),
        ("0.000000123", "0.000000123"),
    ] {
        let answer = answer_to(Answer::json(200, ANSWER.replace("0.00031", written))).await.unwrap();
        assert_eq!(answer.usage.cost.unwrap().to_string(), read, "{written}");
    }
    let answer = answer_to(Answer::json(200, ANSWER.replace("\"cost\":0.00031", "\"cost\":null"))).await.unwrap();
    assert_eq!((answer.usage.cost, answer.usage.is_estimated), (None, false));
}

#[tokio::test]
async fn usage_is_estimated_when_the_service_does_not_count() {
    let mut body: Value = serde_json::from_str(ANSWER).unwrap();
    body.as_object_mut().unwrap().remove("usage");
    let usage = answer_to(Answer::json(200, body.to_string())).await.unwrap().usage;
    // "Score the lead." is 15 characters, "Hello" 5, the answer 11.
    assert_eq!((usage.prompt_tokens, usage.completion_tokens, usage.total_tokens), (4 + 2, 3, 9));
    assert!(usage.is_estimated && usage.cost.is_none());
}

#[tokio::test]
async fn an_error_inside_a_success_is_an_error() {
    let error = answer_to(Answer::json(
        200,
        r#"{"id":"gen-1","error":{"code":429,"message":"Slow down","metadata":{"provider_name":"HostX","raw":"…"}}}"#,
    ))
    .await
    .unwrap_err();
    assert_eq!((error.kind, error.status), (Kind::RateLimited, Some(429)));
    assert_eq!(error.message, "Slow down (HostX)");

    let error = answer_to(Answer::json(
        200,
        r#"{"id":"gen-1","choices":[{"finish_reason":"error","message":{"content":""},"error":{"code":502,"message":"Host died"}}]}"#,
    ))
    .await
    .unwrap_err();
    assert_eq!((error.kind, error.message.as_str()), (Kind::Unavailable, "Host died"));
    assert!(error.is_retryable(), "asking again costs money and does no harm");

    let error =
        answer_to(Answer::json(200, r#"{"choices":[{"finish_reason":"error","message":{"content":""}}]}"#)).await;
    assert_eq!(error.unwrap_err().kind, Kind::Unavailable);
    let refused = r#"{"choices":[{"finish_reason":"stop","message":{"content":null,"refusal":"I can't"}}]}"#;
    let refused = answer_to(Answer::json(200, refused)).await.unwrap();
    assert_eq!(refused.parse_json::<Score>().unwrap_err().kind, Kind::Rejected, "it was paid for all the same");
    assert_eq!(answer_to(Answer::json(200, r#"{"choices":[]}"#)).await.unwrap_err().kind, Kind::Garbage);
}

#[tokio::test]
async fn statuses_have_their_own_meaning_here() {
    let said = |code: u16, text: &str| {
        Answer::json(code, json!({"error": {"code": code, "message": text}, "user_id": "u"}).to_string())
    };
    let error = answer_to(said(402, "Insufficient credits")).await.unwrap_err();
    assert_eq!(
        error.sentence(),
        "The account at OpenRouter has no credit left. It said: Insufficient credits. Add credit to the account at OpenRouter."
    );
    assert!(!error.is_retryable());
    let error = answer_to(said(403, "Flagged")).await.unwrap_err();
    assert_eq!(error.kind, Kind::Rejected, "moderation says nothing about the key");
    assert_eq!(answer_to(said(401, "No auth")).await.unwrap_err().kind, Kind::Credentials);
    for code in [408, 409, 429, 500, 502, 503, 529] {
        let error = answer_to(said(code, "Later")).await.unwrap_err();
        assert!(error.is_retryable() && !error.outcome_unknown(), "{code}");
    }
}

#[tokio::test]
async fn answers_that_are_not_the_json_asked_for_say_so() {
    let with_text = |text: &str, reason: &str| {
        let mut body: Value = serde_json::from_str(ANSWER).unwrap();
        body["choices"][0]["message"]["content"] = json!(text);
        body["choices"][0]["finish_reason"] = json!(reason);
        Answer::json(200, body.to_string())
    };
    for fenced in ["```json\n{\"score\":7}\n```", "```\n{\"score\": 7}```", "  {\"score\":7}\n"] {
        let answer = answer_to(with_text(fenced, "stop")).await.unwrap();
        assert_eq!(answer.parse_json::<Score>().unwrap().score, 7, "{fenced}");
    }
    for odd in ["Sure! Here it is", "{\"score\":\"seven\"}", "{\"score\":7", ""] {
        let answer = answer_to(with_text(odd, "stop")).await.unwrap();
        assert_eq!(answer.parse_json::<Score>().unwrap_err().kind, Kind::Garbage, "{odd}");
    }
    let cut = answer_to(with_text("{\"score\":7}", "length")).await.unwrap();
    assert!(cut.parse_json::<Score>().unwrap_err().message.contains("cut off"));
}

#[tokio::test]
async fn parts_and_tools() {
    let stub = Stub::playing([
        Answer::json(
            200,
            r#"{"id":"g","model":"m","choices":[{"finish_reason":"tool_calls","message":{"content":null,"tool_calls":[{"id":"t-1","type":"function","function":{"name":"look_up","arguments":"{\"q\":1}"}}]}}],"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}}"#,
        ),
        Answer::json(
            200,
            r#"{"choices":[{"finish_reason":"stop","message":{"content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]}}]}"#,
        ),
    ])
    .await;
    let openrouter = at(&stub.origin);
    let mut ask = ChatRequest {
        model: "m".into(),
        messages: vec![ChatMessage::User("x".into())],
        tools: vec![ChatTool {
            name: "look_up".into(),
            description: "Looks up".into(),
            parameters: json!({"type": "object"}),
        }],
        ..ChatRequest::default()
    };
    let first = openrouter.complete(&ask).await.unwrap();
    assert_eq!(first.tool_calls[0].arguments, "{\"q\":1}");
    ask.messages.push(ChatMessage::Assistant { text: first.text.clone(), tool_calls: first.tool_calls.clone() });
    ask.messages.push(ChatMessage::Tool { call_id: "t-1".into(), text: "found".into() });
    let second = openrouter.complete(&ask).await.unwrap();
    assert_eq!((second.text.as_str(), second.model.as_str()), ("ab", "m"));
    let seen = stub.seen();
    assert_eq!(
        seen[0].json()["tools"],
        json!([{"type": "function", "function": {"name": "look_up", "description": "Looks up",
            "parameters": {"type": "object", "properties": {}}}}])
    );
    assert_eq!(
        seen[1].json()["messages"],
        json!([{"role": "user", "content": "x"},
            {"role": "assistant", "content": "", "tool_calls": [{"id": "t-1", "type": "function",
                "function": {"name": "look_up", "arguments": "{\"q\":1}"}}]},
            {"role": "tool", "tool_call_id": "t-1", "content": "found"}])
    );
}

#[tokio::test]
async fn models_and_the_key() {
    let stub = Stub::playing([
        Answer::json(
            200,
            r#"{"data":[{"id":"openai/gpt-5","canonical_slug":"x","name":"GPT-5","created":1,"description":"…","context_length":400000,"architecture":{"input_modalities":["text"]},"pricing":{"prompt":"0.00000125","completion":"0.00001","request":"0"},"top_provider":{"is_moderated":true},"supported_parameters":["tools","structured_outputs"]},{"id":"openrouter/auto","pricing":{"prompt":"-1","completion":"-1"},"supported_parameters":null}],"links":{},"total_count":2}"#,
        ),
        Answer::json(
            200,
            r#"{"data":{"label":"sk-or-v1-…","limit":10,"limit_remaining":7.25,"usage":2.75,"is_free_tier":false}}"#,
        ),
    ])
    .await;
    let openrouter = at(&stub.origin);
    let models = openrouter.list_models().await.unwrap();
    assert_eq!(models[0].prompt_price.unwrap().to_string(), "0.00000125");
    assert!(models[0].has_tools && models[0].has_structured_output);
    assert_eq!((models[1].prompt_price, models[1].name.as_str()), (None, "openrouter/auto"));
    let key = openrouter.check_credentials().await.unwrap();
    assert_eq!(key.limit_remaining.unwrap().to_string(), "7.25");
    let lines: Vec<_> = stub.seen().iter().map(Seen::line).collect();
    assert_eq!(lines, ["GET /api/v1/models", "GET /api/v1/key"]);
}
