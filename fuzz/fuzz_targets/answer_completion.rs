//! Answers of models, and the document in their text.
#![no_main]

use libfuzzer_sys::fuzz_target;
use patchbay_providers::chat::ChatRequest;
use patchbay_providers::openrouter::read_answer;
use serde_json::{Map, Value, json};

fuzz_target!(|body: &[u8]| {
    let request = ChatRequest::default();
    let _ = read_answer(body, &request);
    let text = String::from_utf8_lossy(body);
    let answer = json!({"choices": [{"finish_reason": "stop", "message": {"content": text}}]});
    let answer = read_answer(answer.to_string().as_bytes(), &request).expect("an answer with text");
    assert!(answer.usage.is_estimated);
    let _ = answer.parse_json::<Map<String, Value>>();
});
