//! What to answer: a document for a schema, a tool call, or a sentence.

use serde_json::{Map, Value, json};

use crate::rng::Rng;
use crate::schema::Writer;
use crate::{analysis, conversation, rehearsal, supervising};

/// What the model says: words, or tools to call.
pub(crate) struct Answer {
    pub content: Option<String>,
    pub tool_calls: Vec<Value>,
}

impl Answer {
    pub fn to(request: &Map<String, Value>, messages: &[Value]) -> Answer {
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
            if let Some(played) = rehearsal::played(schema, &system, messages, &last) {
                return only(played);
            }
            if let Some(said) = supervising::supervised(schema, &system, &last, &user) {
                return only(said);
            }
            return only(Writer::new(schema, facts.as_ref(), &last).write().to_string());
        }
        if format.is_some_and(|format| format["type"] == "json_object") {
            return only(Writer::new(&usual_schema(), facts.as_ref(), &last).write().to_string());
        }
        if let Some(call) = tool_call(request, messages, facts.as_ref(), &last) {
            return Answer { content: None, tool_calls: vec![call] };
        }
        if let Some(words) = rehearsal::obeyed(&system, messages, &last) {
            return only(words);
        }
        if let Some(facts) = facts {
            let steps: String = facts.follow_ups().iter().map(|step| format!("\n- {step}")).collect();
            return only(format!("{}{steps}", facts.summary()));
        }
        let language = analysis::guess_language(&last);
        only(conversation::reply(language, &system, &Map::new(), &last, &user))
    }
}

impl Answer {
    /// Of a model that goes round in circles: the first tool again and again, with the same arguments.
    pub fn looping(request: &Map<String, Value>, messages: &[Value]) -> Answer {
        let first = request.get("tools").and_then(Value::as_array).and_then(|tools| tools.first());
        let Some(first) = first else { return Answer::to(request, messages) };
        let open = json!({"type": "object"});
        let parameters = first.pointer("/function/parameters").unwrap_or(&open);
        let arguments = Writer::new(parameters, None, "again").write().to_string();
        let id = format!("call_{:016x}", Rng::new(19, &messages.len().to_string()).roll());
        let call = json!({"id": id, "type": "function", "function": {"name": first.pointer("/function/name"), "arguments": arguments}});
        Answer { content: None, tool_calls: vec![call] }
    }
}

/// A tool is called when one must be, or when the last message names it; never twice in a row.
fn tool_call(
    request: &Map<String, Value>,
    messages: &[Value],
    facts: Option<&analysis::Facts>,
    last: &str,
) -> Option<Value> {
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
    let id = format!("call_{:016x}", Rng::new(19, last).roll());
    Some(
        json!({"id": id, "type": "function", "function": {"name": wanted.pointer("/function/name"), "arguments": arguments}}),
    )
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
