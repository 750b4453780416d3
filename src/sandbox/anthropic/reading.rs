//! A request of Anthropic's form, checked and turned into the form that answers are made for.

use serde_json::{Map, Value, json};

use crate::openrouter::word_that_is_refused;

/// Errors: what the service says about it.
pub(super) fn read(request: &Map<String, Value>) -> Result<Map<String, Value>, String> {
    if request.get("max_tokens").and_then(Value::as_u64).is_none_or(|most| most == 0) {
        return Err("max_tokens: Field required".to_owned());
    }
    let temperature = request.get("temperature").and_then(Value::as_f64);
    if temperature.is_some_and(|warmth| !(0.0..=1.0).contains(&warmth)) {
        return Err("temperature: range: 0..1".to_owned());
    }
    let all = request.get("messages").and_then(Value::as_array).filter(|all| !all.is_empty());
    let all = all.ok_or("messages: at least one message is required")?;
    if all[0]["role"] != "user" {
        return Err("messages: first message must use the \"user\" role".to_owned());
    }
    let mut messages = Vec::new();
    if let Some(system) = request.get("system") {
        messages.push(json!({"role": "system", "content": system}));
    }
    let mut open: Vec<String> = Vec::new();
    for (place, message) in all.iter().enumerate() {
        turn(place, message, &mut open, &mut messages)?;
    }
    let mut out = Map::new();
    out.insert("messages".to_owned(), messages.into());
    if let Some(tools) = request.get("tools").and_then(Value::as_array).filter(|tools| !tools.is_empty()) {
        let mut functions = Vec::new();
        for (place, tool) in tools.iter().enumerate() {
            if tool["input_schema"]["type"] != "object" {
                return Err(format!("tools.{place}.input_schema.type: Input should be 'object'"));
            }
            let (name, parameters) = (&tool["name"], &tool["input_schema"]);
            functions.push(json!({"type": "function", "function": {"name": name, "parameters": parameters}}));
        }
        out.insert("tools".to_owned(), functions.into());
    }
    if let Some(schema) = request.get("output_config").and_then(|config| config.pointer("/format/schema")) {
        if let Some(word) = word_that_is_refused(schema) {
            return Err(format!("output_config.format.schema: property '{word}' is not supported"));
        }
        out.insert("response_format".to_owned(), json!({"type": "json_schema", "json_schema": {"schema": schema}}));
    }
    Ok(out)
}

/// One message. `open`: the calls of the message before, which have to be answered in this one.
fn turn(place: usize, message: &Value, open: &mut Vec<String>, out: &mut Vec<Value>) -> Result<(), String> {
    let role = message["role"].as_str().filter(|role| matches!(*role, "user" | "assistant"));
    let role = role.ok_or(format!("messages.{place}.role: Input should be 'user' or 'assistant'"))?;
    let whole = json!([{"type": "text", "text": message["content"]}]);
    let blocks = message["content"].as_array().or(whole.as_array()).map_or(&[] as &[Value], Vec::as_slice);
    if blocks.is_empty() {
        return Err(format!("messages.{place}: all messages must have non-empty content"));
    }
    let mut words = Vec::new();
    let mut calls = Vec::new();
    for block in blocks {
        match block["type"].as_str().unwrap_or_default() {
            "text" => {
                let text = block["text"].as_str().unwrap_or_default();
                if text.trim().is_empty() {
                    return Err("messages: text content blocks must contain non-whitespace text".to_owned());
                }
                words.push(text);
            }
            "tool_use" => {
                let id = block["id"].as_str().unwrap_or_default();
                if id.is_empty() || !id.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-') {
                    return Err(format!(
                        "messages.{place}: tool_use.id: String should match pattern '^[a-zA-Z0-9_-]+$'"
                    ));
                }
                if !block["input"].is_object() {
                    return Err(format!("messages.{place}: tool_use.input: Input should be a valid dictionary"));
                }
                calls.push(id.to_owned());
            }
            "tool_result" => {
                let id = block["tool_use_id"].as_str().unwrap_or_default();
                let known = open.iter().position(|one| one == id);
                let known =
                    known.ok_or(format!("messages.{place}: unexpected tool_use_id found in tool_result: {id}"))?;
                open.remove(known);
                out.push(json!({"role": "tool", "tool_call_id": id, "content": block["content"]}));
            }
            _ => {}
        }
    }
    if let Some(id) = open.first() {
        return Err(format!("messages.{place}: tool_use ids were found without tool_result blocks: {id}"));
    }
    *open = calls;
    if !words.is_empty() || role == "assistant" {
        out.push(json!({"role": role, "content": words.join("\n")}));
    }
    Ok(())
}
