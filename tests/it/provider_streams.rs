//! Answers word by word, of OpenRouter, of servers of OpenAI's form, and of Anthropic: as documented, and as they break off.

use crate::provider_stub::*;
use futures::StreamExt;
use patchbay_providers::chat::*;
use patchbay_providers::openai_compatible::{OpenAiCompatible, OpenAiCompatibleConfig};
use patchbay_providers::openrouter::{OpenRouter, OpenRouterConfig};
use patchbay_providers::{Kind, ProviderError};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

fn openrouter(origin: &str) -> OpenRouter {
    let config = OpenRouterConfig {
        base_url: format!("{origin}/api/v1"),
        api_key: "sk-or-v1-0123".into(),
        answer_timeout: Duration::from_secs(5),
        title: None,
    };
    OpenRouter::new(&client(), &config).unwrap()
}

fn openai(origin: &str) -> OpenAiCompatible {
    let config = OpenAiCompatibleConfig::new(&format!("{origin}/v1"), "sk-0123456789".into(), false);
    OpenAiCompatible::new(&client(), &config).unwrap()
}

fn asking(model: &str) -> ChatRequest {
    ChatRequest {
        model: model.into(),
        messages: vec![ChatMessage::User("Hello there".into())],
        ..ChatRequest::default()
    }
}

fn events(body: &str) -> Answer {
    Answer::new(200, body.as_bytes()).header("content-type", "text/event-stream")
}

/// The words, and how it ended.
pub async fn heard(stream: ChatStream) -> (Vec<String>, Result<ChatAnswer, ProviderError>) {
    let (mut words, mut end) = (Vec::new(), None);
    let mut stream = stream;
    while let Some(delta) = stream.next().await {
        assert!(end.is_none(), "nothing comes after the end");
        match delta {
            Ok(ChatDelta::Text(text)) => words.push(text),
            Ok(ChatDelta::Done(answer)) => end = Some(Ok(answer)),
            Err(error) => end = Some(Err(error)),
        }
    }
    (words, end.expect("a stream has an end"))
}

const STREAM: &str = r#": OPENROUTER PROCESSING

data: {"id":"gen-1","object":"chat.completion.chunk","created":1,"model":"openai/gpt-5","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}

: OPENROUTER PROCESSING

data: {"id":"gen-1","model":"openai/gpt-5","choices":[{"index":0,"delta":{"content":"Good "},"finish_reason":null}]}

data: {"id":"gen-1","model":"openai/gpt-5","choices":[{"index":0,"delta":{"content":"morning"},"finish_reason":null}]}

data: {"id":"gen-1","model":"openai/gpt-5","choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"usage":{"prompt_tokens":120,"completion_tokens":8,"total_tokens":128,"cost":0.00031,"prompt_tokens_details":{"cached_tokens":64}}}

data: [DONE]

"#;

#[tokio::test]
async fn words_come_one_by_one_and_the_answer_last() {
    let stub = Stub::playing([events(STREAM)]).await;
    let (words, end) = heard(openrouter(&stub.origin).stream(&asking("openai/gpt-5")).await.unwrap()).await;
    assert_eq!(words, ["Good ", "morning"]);
    let answer = end.unwrap();
    assert_eq!(
        (answer.text.as_str(), answer.id.as_str(), answer.model.as_str()),
        ("Good morning", "gen-1", "openai/gpt-5")
    );
    assert_eq!(answer.finish_reason.as_deref(), Some("stop"));
    let usage = &answer.usage;
    assert_eq!((usage.prompt_tokens, usage.cached_tokens, usage.completion_tokens), (120, 64, 8));
    assert_eq!((usage.cost.unwrap().to_string().as_str(), usage.is_estimated), ("0.00031", false));
    let sent = stub.only().json();
    assert_eq!(
        (&sent["stream"], &sent["stream_options"]),
        (&json!(true), &json!(null)),
        "it counts without being asked"
    );
}

#[tokio::test]
async fn a_stream_that_stops_without_an_end_is_no_answer() {
    let cut = STREAM
        .split("data: {\"id\":\"gen-1\",\"model\":\"openai/gpt-5\",\"choices\":[{\"index\":0,\"delta\":{},")
        .next()
        .unwrap();
    let stub = Stub::playing([events(cut)]).await;
    let (words, end) = heard(openrouter(&stub.origin).stream(&asking("m/m")).await.unwrap()).await;
    assert_eq!(words, ["Good ", "morning"]);
    let error = end.unwrap_err();
    assert_eq!((error.kind, error.message.as_str()), (Kind::Network, "The answer broke off before its end"));
    assert!(error.is_retryable());

    // Why the model stopped is known, so the answer stands; only the counts are missing.
    let body = STREAM.replace("data: [DONE]\n\n", "").replace(",\"usage\":", ",\"other\":");
    let stub = Stub::playing([events(&body)]).await;
    let answer = heard(openrouter(&stub.origin).stream(&asking("m/m")).await.unwrap()).await.1.unwrap();
    assert_eq!(answer.text, "Good morning");
    assert!(answer.usage.is_estimated && answer.usage.cost.is_none());

    // A connection that breaks in the middle.
    let origin = writing_and_closing(
        b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: 5000\r\n\r\ndata: {\"choices\":[{\"delta\":{\"content\":\"Half\"}}]}\n\n",
    )
    .await;
    let (words, end) = heard(openrouter(&origin).stream(&asking("m/m")).await.unwrap()).await;
    assert_eq!((words, end.unwrap_err().kind), (vec!["Half".to_owned()], Kind::Network));
}

#[tokio::test]
async fn an_error_after_the_first_words_is_an_error() {
    let body = r#"data: {"id":"g","choices":[{"index":0,"delta":{"content":"Well"},"finish_reason":null}]}

data: {"id":"g","error":{"code":529,"message":"Overloaded","metadata":{"provider_name":"HostX"}},"choices":[{"index":0,"delta":{"content":""},"finish_reason":"error"}]}

"#;
    let stub = Stub::playing([events(body)]).await;
    let (words, end) = heard(openrouter(&stub.origin).stream(&asking("m/m")).await.unwrap()).await;
    assert_eq!(words, ["Well"]);
    let error = end.unwrap_err();
    assert_eq!(
        (error.kind, error.status, error.message.as_str()),
        (Kind::Unavailable, Some(529), "Overloaded (HostX)")
    );
    let stub = Stub::playing([events("data: {\"choices\": [{\"delta\"\n\n")]).await;
    let (_, end) = heard(openrouter(&stub.origin).stream(&asking("m/m")).await.unwrap()).await;
    assert_eq!(end.unwrap_err().kind, Kind::Garbage);
}

#[tokio::test]
async fn calls_of_tools_come_in_pieces() {
    // Two at once; then a host that gives all the same number, and one that gives none.
    let body = r#"data: {"id":"c","model":"gpt-5","choices":[{"index":0,"delta":{"role":"assistant","tool_calls":[{"index":0,"id":"call_1","type":"function","function":{"name":"look_up","arguments":""}}]}}]}

data: {"id":"c","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{\"q\""}}]}}]}

data: {"id":"c","choices":[{"index":0,"delta":{"tool_calls":[{"index":1,"id":"call_2","type":"function","function":{"name":"book","arguments":"{}"}}]}}]}

data: {"id":"c","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":":1}"}}]}}]}

data: {"id":"c","choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}],"usage":null}

data: {"id":"c","choices":[],"usage":{"prompt_tokens":9,"completion_tokens":4,"total_tokens":13}}

data: [DONE]

"#;
    let same = r#"data: {"choices":[{"delta":{"tool_calls":[{"index":0,"id":"a","function":{"name":"look_up","arguments":"{}"}}]}}]}

data: {"choices":[{"delta":{"tool_calls":[{"index":0,"id":"b","function":{"name":"book","arguments":{"day":2}}}]},"finish_reason":"tool_calls"}]}

"#;
    let none = same.replace("\"index\":0,", "");
    let stub = Stub::playing([events(body), events(same), events(&none)]).await;
    let openai = openai(&stub.origin);
    let (words, end) = heard(openai.stream(&asking("gpt-5")).await.unwrap()).await;
    let answer = end.unwrap();
    let call = |id: &str, name: &str, arguments: &str| ToolCall {
        id: id.into(),
        name: name.into(),
        arguments: arguments.into(),
    };
    assert!(words.is_empty() && answer.text.is_empty());
    assert_eq!(answer.tool_calls, [call("call_1", "look_up", "{\"q\":1}"), call("call_2", "book", "{}")]);
    assert_eq!((answer.usage.prompt_tokens, answer.usage.is_estimated), (9, false));
    for _ in 0..2 {
        let answer = heard(openai.stream(&asking("gpt-5")).await.unwrap()).await.1.unwrap();
        assert_eq!(answer.tool_calls, [call("a", "look_up", "{}"), call("b", "book", "{\"day\":2}")]);
    }
    let sent = stub.seen()[0].json();
    assert_eq!((&sent["stream"], &sent["stream_options"]), (&json!(true), &json!({"include_usage": true})));
}

#[tokio::test]
async fn a_server_that_does_not_stream_answers_at_once() {
    let whole = r#"{"id":"x","model":"m","choices":[{"index":0,"finish_reason":"stop","message":{"role":"assistant","content":"All of it"}}]}"#;
    let stub = Stub::playing([Answer::json(200, whole)]).await;
    let (words, end) = heard(openai(&stub.origin).stream(&asking("m")).await.unwrap()).await;
    assert_eq!((words, end.unwrap().text.as_str()), (vec!["All of it".to_owned()], "All of it"));
}

#[tokio::test]
async fn a_wish_that_a_server_refuses_is_left_out() {
    let refused = |message: &str, param: &str| {
        let error =
            json!({"error": {"message": message, "type": "invalid_request_error", "param": param, "code": null}});
        Answer::json(400, error.to_string())
    };
    let stub = Stub::playing([
        refused("Unsupported value: 'temperature' does not support 0 with this model.", "temperature"),
        refused("Unrecognized request argument supplied: max_completion_tokens", "max_completion_tokens"),
        events(STREAM),
        refused("The model does not exist", "model"),
    ])
    .await;
    let openai = openai(&stub.origin);
    let request = ChatRequest { temperature: Some(0.0), max_tokens: Some(50), ..asking("gpt-5") };
    assert_eq!(heard(openai.stream(&request).await.unwrap()).await.1.unwrap().text, "Good morning");
    let sent = stub.seen();
    assert_eq!((sent.len(), &sent[0].json()["temperature"]), (3, &json!(0.0)));
    let last = sent[2].json();
    assert_eq!(
        (&last["temperature"], &last["max_completion_tokens"], &last["max_tokens"]),
        (&json!(null), &json!(null), &json!(50))
    );
    let error = openai.complete(&request).await.unwrap_err();
    assert_eq!((error.kind, stub.seen().len()), (Kind::Rejected, 4), "what can't be left out is refused");
}

#[tokio::test]
async fn what_passes_within_seconds_is_tried_again_before_the_first_word() {
    let later = || Answer::json(503, r#"{"error":{"message":"Busy"}}"#).header("retry-after", "0");
    let half = r#"data: {"choices":[{"delta":{"content":"Half"}}]}

data: {"error":{"code":502,"message":"Host died"}}

"#;
    let overloaded = "data: {\"error\":{\"code\":529,\"message\":\"Overloaded\"}}\n\n";
    let rules = || RetryRules { first_pause: Duration::from_millis(1), ..RetryRules::default() };
    let stub =
        Stub::playing([later(), events(overloaded), events(STREAM), events(half), later(), later(), later()]).await;
    let patient = Retrying::new(Arc::new(openai(&stub.origin)), rules());
    let answer = heard(patient.stream(&asking("m")).await.unwrap()).await;
    assert_eq!((answer.0.len(), stub.seen().len()), (2, 3), "a refusal, an error before the first word, and an answer");
    let (words, end) = heard(patient.stream(&asking("m")).await.unwrap()).await;
    assert_eq!(
        (words.len(), end.unwrap_err().kind, stub.seen().len()),
        (1, Kind::Unavailable, 4),
        "what was said is not said twice"
    );
    let error = patient.complete(&asking("m")).await.unwrap_err();
    assert_eq!((error.kind, stub.seen().len()), (Kind::Unavailable, 7), "three requests are enough");
}

#[tokio::test]
async fn only_public_addresses_are_asked() {
    for (address, why) in [
        ("http://api.example/v1", "only https addresses are allowed"),
        ("https://127.0.0.1/v1", "private and special addresses are not allowed"),
        ("https://169.254.169.254/v1", "private and special addresses are not allowed"),
        ("https://models.example:9000/v1", "only ports 443 and 8443 are allowed"),
        ("https://user:secret@models.example/v1", "an address must not carry a user name or password"),
    ] {
        let config = OpenAiCompatibleConfig::new(address, "sk-0123456789".into(), true);
        let error = OpenAiCompatible::new(&client(), &config).err().expect(address);
        assert!(error.message.contains(why), "{address}: {}", error.message);
    }
    // A name that leads to this machine is seen when it is resolved.
    let config = OpenAiCompatibleConfig::new("https://localhost/v1", "sk-0123456789".into(), true);
    let error = OpenAiCompatible::new(&client(), &config).unwrap().list_models().await.unwrap_err();
    assert!(error.message.contains("private and special addresses are not allowed"), "{}", error.message);
}

#[tokio::test]
async fn vectors_are_one_for_each_text_in_their_order() {
    let answered = |data: serde_json::Value| {
        Answer::json(
            200,
            json!({"object": "list", "data": data, "model": "e", "usage": {"prompt_tokens": 5, "total_tokens": 5}})
                .to_string(),
        )
    };
    let stub = Stub::playing([
        answered(json!([{"index": 1, "embedding": [0, 1]}, {"index": 0, "embedding": [1.0, 0.5]}])),
        answered(json!([{"index": 0, "embedding": [1, 0]}])),
        answered(json!([{"index": 0, "embedding": [1, 0]}, {"index": 1, "embedding": [1]}])),
        answered(json!([{"index": 0, "embedding": [1, 0]}, {"index": 7, "embedding": [1, 0]}])),
        answered(json!([{"index": 0, "embedding": [1, "x"]}, {"index": 1, "embedding": [1, 0]}])),
    ])
    .await;
    let openai = openai(&stub.origin);
    let texts = ["first".to_owned(), "second".to_owned()];
    let embedded = openai.embed("e", &texts).await.unwrap();
    assert_eq!(embedded.vectors, [vec![1.0, 0.5], vec![0.0, 1.0]]);
    assert_eq!((embedded.usage.prompt_tokens, embedded.usage.is_estimated), (5, false));
    let sent = &stub.seen()[0];
    assert_eq!(sent.line(), "POST /v1/embeddings");
    assert_eq!(sent.json(), json!({"model": "e", "input": ["first", "second"], "encoding_format": "float"}));
    for _ in 0..4 {
        assert_eq!(openai.embed("e", &texts).await.unwrap_err().kind, Kind::Garbage);
    }
    // As OpenAI's reference shows it, cut in the middle; a number that no vector holds; an answer that never ends; one that asks to wait.
    let documented = json!({
        "object": "list",
        "data": [{"object": "embedding", "embedding": [0.0023064255, -0.009327292, -0.0028842222], "index": 0}],
        "model": "text-embedding-ada-002",
        "usage": {"prompt_tokens": 8, "total_tokens": 8}
    });
    let endless = format!(r#"{{"data": [{{"index": 0, "embedding": [{}1]}}]}}"#, "0.123456789, ".repeat(900_000));
    let stub = Stub::playing([
        Answer::json(200, documented.to_string()),
        answered(json!([{"index": 0, "embedding": [1e39, 0]}])),
        Answer::json(200, endless),
        Answer::json(200, json!({"data": [{"index": 0, "embedding": vec![0.5; 9000]}]}).to_string()),
        Answer::json(429, json!({"error": {"message": "Slow down"}}).to_string()).header("retry-after", "17"),
    ])
    .await;
    let openai = self::openai(&stub.origin);
    let texts = ["The food was delicious and the waiter...".to_owned()];
    let embedded = openai.embed("text-embedding-ada-002", &texts).await.unwrap();
    assert_eq!(embedded.vectors, [vec![0.002_306_425_5, -0.009_327_292, -0.002_884_222_2]]);
    assert_eq!((embedded.usage.prompt_tokens, embedded.usage.total_tokens), (8, 8));
    for _ in 0..3 {
        assert_eq!(openai.embed("e", &texts).await.unwrap_err().kind, Kind::Garbage);
    }
    let limited = openai.embed("e", &texts).await.unwrap_err();
    assert_eq!((limited.kind, limited.retry_after), (Kind::RateLimited, Some(std::time::Duration::from_secs(17))));
}
