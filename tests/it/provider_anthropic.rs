//! Anthropic's Messages: exact requests, documented answers, counts with a cache, and limits that don't pass.

use crate::provider_streams::heard;
use crate::provider_stub::*;
use patchbay_providers::anthropic::{Anthropic, AnthropicConfig};
use patchbay_providers::chat::*;
use patchbay_providers::{Kind, ProviderError};
use serde_json::{Value, json};

const ANSWER: &str = r#"{"id":"msg_01abc","type":"message","role":"assistant","model":"claude-sonnet-5","stop_reason":"tool_use","stop_sequence":null,
 "content":[{"type":"text","text":"Looking it up."},{"type":"tool_use","id":"toolu_01","name":"find_lead","input":{"phone":"+13125550111"}}],
 "usage":{"input_tokens":412,"output_tokens":38,"cache_creation_input_tokens":0,"cache_read_input_tokens":0}}"#;

fn at(origin: &str) -> Anthropic {
    Anthropic::new(&client(), &AnthropicConfig::new(&format!("{origin}/v1"), "sk-ant-0123456789".into())).unwrap()
}

fn asking(messages: Vec<ChatMessage>) -> ChatRequest {
    ChatRequest { model: "claude-sonnet-5".into(), messages, ..ChatRequest::default() }
}

async fn answer_to(answer: Answer) -> Result<ChatAnswer, ProviderError> {
    let stub = Stub::playing([answer]).await;
    at(&stub.origin).complete(&asking(vec![ChatMessage::User("Hello".into())])).await
}

#[tokio::test]
async fn a_message_is_sent_and_read_as_documented() {
    let stub = Stub::playing([Answer::json(200, ANSWER)]).await;
    let request = ChatRequest {
        temperature: Some(1.4),
        max_tokens: Some(300),
        answer_schema: Some(AnswerSchema {
            name: "lead".into(),
            schema: json!({"type": "object", "properties": {"score": {"type": "integer", "minimum": 1}}}),
        }),
        tools: vec![ChatTool {
            name: "find_lead".into(),
            description: "Finds a lead".into(),
            parameters: json!({"type": "object", "properties": {"phone": {"type": "string", "minLength": 5}}, "required": ["phone"]}),
        }],
        ..asking(vec![
            ChatMessage::System("You help.".into()),
            ChatMessage::Assistant { text: "Good morning. ".into(), tool_calls: vec![] },
            ChatMessage::User("Who is it?".into()),
            ChatMessage::Assistant {
                text: String::new(),
                tool_calls: vec![
                    ToolCall { id: "call:1".into(), name: "find_lead".into(), arguments: "{\"phone\":\"1\"}".into() },
                    ToolCall { id: "b".into(), name: "find_lead".into(), arguments: "no JSON".into() },
                ],
            },
            ChatMessage::Tool { call_id: "call:1".into(), text: "Ann".into() },
            ChatMessage::Tool { call_id: "b".into(), text: "Bob".into() },
            ChatMessage::User("And?".into()),
            ChatMessage::System("Be brief.".into()),
        ])
    };
    let answer = at(&stub.origin).complete(&request).await.unwrap();
    let seen = stub.only();
    assert_eq!(seen.line(), "POST /v1/messages");
    assert_eq!(
        (seen.header("x-api-key"), seen.header("anthropic-version")),
        (Some("sk-ant-0123456789"), Some("2023-06-01"))
    );
    assert_eq!(seen.header("authorization"), None);
    assert_eq!(
        seen.json(),
        json!({"model": "claude-sonnet-5", "max_tokens": 300, "temperature": 1.0, "system": "You help.\n\nBe brief.",
            "messages": [
                {"role": "user", "content": [{"type": "text", "text": "(The conversation begins.)"}]},
                {"role": "assistant", "content": [{"type": "text", "text": "Good morning."}]},
                {"role": "user", "content": [{"type": "text", "text": "Who is it?"}]},
                {"role": "assistant", "content": [
                    {"type": "tool_use", "id": "call_1", "name": "find_lead", "input": {"phone": "1"}},
                    {"type": "tool_use", "id": "b", "name": "find_lead", "input": {}}]},
                {"role": "user", "content": [
                    {"type": "tool_result", "tool_use_id": "call_1", "content": "Ann"},
                    {"type": "tool_result", "tool_use_id": "b", "content": "Bob"},
                    {"type": "text", "text": "And?"}]}],
            "tools": [{"name": "find_lead", "description": "Finds a lead", "input_schema": {"type": "object", "required": ["phone"],
                "properties": {"phone": {"type": "string", "description": "(minLength: 5)"}}}}],
            "output_config": {"format": {"type": "json_schema", "schema": {"type": "object", "required": ["score"],
                "additionalProperties": false, "properties": {"score": {"type": "integer"}}}}}})
    );
    assert_eq!((answer.text.as_str(), answer.id.as_str()), ("Looking it up.", "msg_01abc"));
    assert_eq!(answer.finish_reason.as_deref(), Some("tool_calls"));
    assert_eq!(answer.tool_calls[0].arguments, "{\"phone\":\"+13125550111\"}");
    let usage = &answer.usage;
    assert_eq!((usage.prompt_tokens, usage.completion_tokens, usage.total_tokens), (412, 38, 450));
    assert_eq!((usage.cost, usage.is_estimated), (None, false), "it never tells what it cost");
}

#[tokio::test]
async fn what_comes_from_the_cache_is_counted_beside_the_rest() {
    let with_usage = |usage: Value| {
        let mut body: Value = serde_json::from_str(ANSWER).unwrap();
        body["usage"] = usage;
        Answer::json(200, body.to_string())
    };
    let usage = json!({"input_tokens": 12, "output_tokens": 5, "cache_creation_input_tokens": 100, "cache_read_input_tokens": 2000});
    let usage = answer_to(with_usage(usage)).await.unwrap().usage;
    assert_eq!((usage.prompt_tokens, usage.cached_tokens, usage.total_tokens), (2112, 2000, 2117));
    let usage = answer_to(with_usage(json!({"input_tokens": 7, "output_tokens": 5, "cache_read_input_tokens": null})))
        .await
        .unwrap()
        .usage;
    assert_eq!((usage.prompt_tokens, usage.cached_tokens, usage.is_estimated), (7, 0, false));
    let usage = answer_to(with_usage(json!({"input_tokens": null}))).await.unwrap().usage;
    // "Hello" is 5 characters; the answer and its call 14 and 24.
    assert_eq!((usage.prompt_tokens, usage.completion_tokens, usage.is_estimated), (2, 4 + 6, true));
}

const STREAM: &str = r#"event: message_start
data: {"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"claude-sonnet-5","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":472,"output_tokens":2,"cache_read_input_tokens":100}}}

event: ping
data: {"type": "ping"}

event: content_block_start
data: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}

event: content_block_delta
data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Okay, "}}

event: content_block_delta
data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"checking."}}

event: content_block_stop
data: {"type":"content_block_stop","index":0}

event: content_block_start
data: {"type":"content_block_start","index":1,"content_block":{"type":"tool_use","id":"toolu_1","name":"get_weather","input":{}}}

event: content_block_delta
data: {"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta","partial_json":""}}

event: content_block_delta
data: {"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta","partial_json":"{\"location\": \"San"}}

event: content_block_delta
data: {"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta","partial_json":" Francisco\"}"}}

event: content_block_stop
data: {"type":"content_block_stop","index":1}

event: message_delta
data: {"type":"message_delta","delta":{"stop_reason":"tool_use","stop_sequence":null},"usage":{"output_tokens":89}}

event: message_stop
data: {"type":"message_stop"}

"#;

fn events(body: &str) -> Answer {
    Answer::new(200, body.as_bytes()).header("content-type", "text/event-stream; charset=utf-8")
}

#[tokio::test]
async fn a_streamed_message_is_put_together() {
    let cut = STREAM.split("event: message_delta").next().unwrap();
    let failed = format!(
        "{cut}event: error\ndata: {{\"type\": \"error\", \"error\": {{\"type\": \"overloaded_error\", \"message\": \"Overloaded\"}}}}\n\n"
    );
    let stub = Stub::playing([events(STREAM), events(cut), events(&failed)]).await;
    let anthropic = at(&stub.origin);
    let ask = || asking(vec![ChatMessage::User("Weather?".into())]);
    let (words, end) = heard(anthropic.stream(&ask()).await.unwrap()).await;
    assert_eq!(words, ["Okay, ", "checking."]);
    let answer = end.unwrap();
    assert_eq!((answer.text.as_str(), answer.id.as_str()), ("Okay, checking.", "msg_1"));
    assert_eq!(answer.tool_calls[0].arguments, "{\"location\": \"San Francisco\"}");
    let usage = &answer.usage;
    assert_eq!((usage.prompt_tokens, usage.cached_tokens, usage.completion_tokens), (572, 100, 89));
    let (_, end) = heard(anthropic.stream(&ask()).await.unwrap()).await;
    assert_eq!(end.unwrap_err().kind, Kind::Network, "words without an end are no answer");
    let (_, end) = heard(anthropic.stream(&ask()).await.unwrap()).await;
    let error = end.unwrap_err();
    assert_eq!((error.kind, error.status, error.message.as_str()), (Kind::Unavailable, Some(529), "Overloaded"));
    assert_eq!(stub.seen()[0].json()["stream"], json!(true));
}

#[tokio::test]
async fn errors_have_their_own_meaning_here() {
    let said = |code: u16, kind: &str, text: &str| {
        Answer::json(
            code,
            json!({"type": "error", "error": {"type": kind, "message": text}, "request_id": "req_1"}).to_string(),
        )
    };
    let error = answer_to(said(429, "rate_limit_error", "Monthly limit")).await.unwrap_err();
    assert!(!error.is_retryable(), "nobody said how long to wait: that may be the month's limit");
    assert_eq!(
        error.sentence(),
        "The account at Anthropic has reached a limit that does not pass by itself. It said: Monthly limit. \
         Look at the credit and the limits of the account at Anthropic."
    );
    let error = answer_to(said(429, "rate_limit_error", "Slow down").header("retry-after", "3")).await.unwrap_err();
    assert!(error.is_retryable() && error.retry_after.is_some());
    for (code, kind, retried) in
        [(529, "overloaded_error", true), (500, "api_error", true), (401, "authentication_error", false)]
    {
        assert_eq!(answer_to(said(code, kind, "x")).await.unwrap_err().is_retryable(), retried, "{code}");
    }
    let mut refused: Value = serde_json::from_str(ANSWER).unwrap();
    (refused["stop_reason"], refused["content"]) = (json!("refusal"), json!([]));
    let refused = answer_to(Answer::json(200, refused.to_string())).await.unwrap();
    assert_eq!(refused.parse_json::<Value>().unwrap_err().kind, Kind::Rejected);
    let cut =
        answer_to(Answer::json(200, ANSWER.replace("\"tool_use\",\"stop", "\"max_tokens\",\"stop"))).await.unwrap();
    assert!(cut.is_cut_off());
}

#[tokio::test]
async fn models_are_read_page_by_page_to_their_end() {
    let page = |id: &str, more: bool| {
        let model = json!({"type": "model", "id": id, "display_name": "Claude", "created_at": "2026-01-01T00:00:00Z"});
        Answer::json(200, json!({"data": [model], "has_more": more, "first_id": id, "last_id": id}).to_string())
    };
    let stub = Stub::playing([
        page("claude-a", true),
        page("claude-b", false),
        page("claude-a", true),
        page("claude-a", true),
    ])
    .await;
    let anthropic = at(&stub.origin);
    let ids: Vec<_> = anthropic.list_models().await.unwrap().into_iter().map(|model| model.id).collect();
    assert_eq!(ids, ["claude-a", "claude-b"]);
    assert_eq!(stub.seen()[1].query(), [("limit", "1000"), ("after_id", "claude-a")]);
    let error = anthropic.list_models().await.unwrap_err();
    assert_eq!(
        error.message, "The list of models doesn't end",
        "a page that names itself as the next is never taken for the last"
    );
}
