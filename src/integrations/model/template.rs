//! A JSON text with `{{data.outcome}}` in it. Inside a text the value is written as part of that text, elsewhere as JSON: so no value can
//! leave its place.

use serde_json::{Value, json};

use super::custom::LONGEST_TEMPLATE;
use patchbay_webhooks::model::EventType;

/// A place in a document by RFC 6901; the empty one is the whole.
pub(crate) fn is_pointer(text: &str) -> bool {
    let escapes_fit = || {
        let mut rest = text;
        while let Some((_, after)) = rest.split_once('~') {
            if !after.starts_with(['0', '1']) {
                return false;
            }
            rest = after;
        }
        true
    };
    text.is_empty() || (text.starts_with('/') && text.len() <= 300 && escapes_fit())
}

/// The template with the values of an event. Errors: what is wrong with it, in a sentence.
pub fn fill(template: &str, event: &Value) -> Result<Value, String> {
    let mut filled = String::with_capacity(template.len());
    let (mut is_text, mut rest) = (false, template);
    while let Some(letter) = rest.chars().next() {
        if let Some(after) = rest.strip_prefix("{{") {
            let Some((path, behind)) = after.split_once("}}").filter(|(path, _)| is_path(path.trim())) else {
                return Err("Write a value as {{data.outcome}}: letters, digits, _ and dots.".to_owned());
            };
            let value = at(event, path.trim());
            filled.push_str(&if is_text { inside(value) } else { value.to_string() });
            rest = behind;
            continue;
        }
        match letter {
            '"' => is_text = !is_text,
            // The letter behind it belongs to it.
            '\\' if is_text => {
                filled.push('\\');
                rest = &rest[1..];
                let Some(escaped) = rest.chars().next() else { break };
                filled.push(escaped);
                rest = &rest[escaped.len_utf8()..];
                continue;
            }
            _ => {}
        }
        filled.push(letter);
        rest = &rest[letter.len_utf8()..];
    }
    serde_json::from_str(&filled).map_err(|error| format!("With values in it, this is no JSON: {error}."))
}

fn is_path(path: &str) -> bool {
    !path.is_empty()
        && path.len() <= 200
        && path.split('.').all(|part| {
            !part.is_empty() && part.chars().all(|letter| letter.is_alphanumeric() || matches!(letter, '_' | '-' | ' '))
        })
}

/// The value at `data.fields.size`. What is not there is null.
fn at<'a>(event: &'a Value, path: &str) -> &'a Value {
    const NOTHING: &Value = &Value::Null;
    path.split('.').fold(event, |value, part| match value {
        Value::Array(items) => part.parse::<usize>().ok().and_then(|at| items.get(at)).unwrap_or(NOTHING),
        other => other.get(part).unwrap_or(NOTHING),
    })
}

/// A value as part of a JSON text.
fn inside(value: &Value) -> String {
    let text = match value {
        Value::Null => return String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let quoted = Value::from(text).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

/// Tries a template with an example of each event that it is used for. Errors: what is wrong, in a sentence.
pub(crate) fn check_template(template: &str, events: &[EventType]) -> Result<(), String> {
    if template.is_empty() {
        return Ok(());
    }
    if template.chars().count() > LONGEST_TEMPLATE {
        return Err("The template is longer than 16,000 characters.".to_owned());
    }
    let all = if events.is_empty() { &[EventType::CallCompleted][..] } else { events };
    for kind in all {
        fill(template, &example(*kind))?;
    }
    Ok(())
}

/// An event as one that happened, for tries.
pub fn example(kind: EventType) -> Value {
    let id = "01890a5d-ac96-774b-bcce-b302099a8057";
    let call = json!({
        "call_id": id, "client_id": id, "agent_id": id, "agent": "Ada", "contact_id": id, "campaign_id": id, "batch_id": null,
        "direction": "outbound", "from": "+12025550100", "to": "+12025550113", "outcome": "answered", "answered": true,
        "started_at": "2026-03-02T14:05:00Z", "ended_at": "2026-03-02T14:07:25Z", "seconds": 145, "url": "https://patchbay.example/calls/1",
    });
    let data = match kind {
        EventType::AnalysisCompleted => {
            let mut data = call;
            data["summary"] = "She said “yes”, and wants two\nof them.".into();
            data["goal_reached"] = true.into();
            data["sentiment"] = "positive".into();
            data["fields"] = json!({ "size": "L" });
            data
        }
        EventType::CallStarted | EventType::CallCompleted | EventType::CallFailed => call,
        EventType::Test => json!({ "message": "A test from Patchbay." }),
        _ => json!({
            "client_id": id, "contact_id": id, "batch_id": id, "name": "Ada \"Countess\" Lovelace", "phone": "+12025550113",
            "reason": "asked on the phone", "url": "https://patchbay.example/",
        }),
    };
    json!({ "type": kind, "timestamp": "2026-03-02T14:07:25.900000Z", "data": data })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_value_leaves_its_place() {
        let event = json!({ "type": "call.completed", "data": {
            "name": "\"}, \"admin\": true, {\"\\", "seconds": 12, "none": null, "fields": { "a": [1, "x"] },
        } });
        let filled = fill(
            r#"{"n": "Hi {{data.name}}!", "s": {{data.seconds}}, "t": "{{data.seconds}}", "gone": "{{data.nowhere.at.all}}",
                "null": {{data.none}}, "f": {{data.fields}}, "one": {{data.fields.a.1}}, "q\"{{type}}": "{{ data.name }}", "deep": {"a":{"b":1}}}"#,
            &event,
        )
        .expect("JSON");
        let name = "\"}, \"admin\": true, {\"\\";
        let whole = json!({
            "n": format!("Hi {name}!"), "s": 12, "t": "12", "gone": "", "null": null, "f": { "a": [1, "x"] }, "one": "x",
            "q\"call.completed": name, "deep": { "a": { "b": 1 } },
        });
        assert_eq!(filled, whole);
        // What a value holds is not filled again.
        let twice = json!({ "data": { "a": "{{data.b}}", "b": "secret" } });
        assert_eq!(fill(r#"["{{data.a}}"]"#, &twice), Ok(json!(["{{data.b}}"])));
        for bad in ["", "{", "{{data.a}", "{\"a\": {{}}}", "{\"a\": \"{{a/b}}\"}", "{\"a\": {{data.a}} 1}", "nope"] {
            assert!(fill(bad, &event).is_err(), "{bad}");
        }
    }

    #[test]
    fn pointers() {
        for good in ["", "/a", "/a/0/b~1c", "/"] {
            assert!(is_pointer(good), "{good}");
        }
        for bad in ["a", "/a~2", "$.a", "a/b"] {
            assert!(!is_pointer(bad), "{bad}");
        }
    }
}
