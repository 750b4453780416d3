//! Types, limits and formats of single values.

use serde_json::{Value, json};

pub(super) fn kinds(schema: &Value) -> Vec<&str> {
    match schema.get("type") {
        Some(Value::String(kind)) => vec![kind],
        Some(Value::Array(kinds)) => kinds.iter().filter_map(Value::as_str).collect(),
        _ if schema.get("properties").is_some() => vec!["object"],
        _ if schema.get("items").is_some() => vec!["array"],
        _ => vec!["string"],
    }
}

pub(super) fn number(schema: &Value, name: &str) -> Option<f64> {
    schema.get(name).and_then(Value::as_f64)
}

/// Puts a figure inside its limits.
pub(super) fn bounded(mut figure: f64, schema: &Value, kind: &str) -> Value {
    let step = number(schema, "multipleOf").filter(|step| *step > 0.0);
    let nudge = step.unwrap_or(if kind == "integer" { 1.0 } else { 0.001 });
    if let Some(low) = number(schema, "minimum").or_else(|| number(schema, "exclusiveMinimum").map(|low| low + nudge)) {
        figure = figure.max(low);
    }
    if let Some(high) =
        number(schema, "maximum").or_else(|| number(schema, "exclusiveMaximum").map(|high| high - nudge))
    {
        figure = figure.min(high);
    }
    if let Some(step) = step {
        figure = (figure / step).round() * step;
    }
    if kind == "integer" { json!(figure.round() as i64) } else { json!((figure * 1000.0).round() / 1000.0) }
}

/// Puts a text into its format and length.
pub(super) fn fitted(text: String, schema: &Value) -> String {
    let text = match schema.get("format").and_then(Value::as_str) {
        Some("date") => "2026-01-15".to_owned(),
        Some("date-time") => "2026-01-15T10:00:00Z".to_owned(),
        Some("time") => "10:00:00Z".to_owned(),
        Some("email") => "contact@example.com".to_owned(),
        Some("uri" | "url") => "https://example.com/".to_owned(),
        Some("uuid") => "00000000-0000-4000-8000-000000000000".to_owned(),
        _ => text,
    };
    let limit = |name: &str| schema.get(name).and_then(Value::as_u64).map(|limit| limit as usize);
    let mut text: String = match limit("maxLength") {
        Some(most) => text.chars().take(most).collect(),
        None => text,
    };
    let least = limit("minLength").unwrap_or(0).min(10_000);
    while text.chars().count() < least {
        text.push('-');
    }
    text
}
