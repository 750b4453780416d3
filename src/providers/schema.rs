//! JSON Schemas in the words that every host takes. Some refuse a request for any other word, such as `minimum` or `$ref`.

use serde_json::{Map, Value, json};

const WORDS: [&str; 9] =
    ["type", "description", "enum", "const", "properties", "required", "additionalProperties", "items", "anyOf"];
/// Bounds that are told in words where they can't be sent.
const BOUNDS: [&str; 13] = [
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minLength",
    "maxLength",
    "pattern",
    "format",
    "minItems",
    "maxItems",
    "uniqueItems",
    "default",
];
/// A schema that refers to itself is written out so far.
const DEEPEST: usize = 8;
/// Parts of a schema that are written out, in all: references that refer to references grow without end.
const MOST_PARTS: usize = 500;

/// A schema that an answer is held to, with every property required and no others allowed, as strict hosts want it. Bounds are checked
/// when the answer is read.
pub(crate) fn strict(schema: &Value) -> Value {
    let Some(fields) = schema.as_object() else { return schema.clone() };
    let mut kept = Map::new();
    for (word, value) in fields.iter().filter(|(word, _)| WORDS.contains(&word.as_str())) {
        let value = match (word.as_str(), value) {
            // Here names stand, not words.
            ("properties", Value::Object(all)) => {
                all.iter().map(|(name, schema)| (name.clone(), strict(schema))).collect::<Map<_, _>>().into()
            }
            ("anyOf", Value::Array(all)) => all.iter().map(strict).collect(),
            ("items", schema) => strict(schema),
            _ => value.clone(),
        };
        kept.insert(word.clone(), value);
    }
    if let Some(Value::Object(properties)) = kept.get("properties") {
        let names: Value = properties.keys().cloned().collect();
        kept.insert("required".to_owned(), names);
        kept.insert("additionalProperties".to_owned(), false.into());
    }
    kept.into()
}

/// What a tool takes: an object. Nobody promised that these schemas are strict: they come from people and from servers. References are
/// written out, bounds are told in the description, and only properties that there are may be required.
pub(crate) fn of_tool(schema: &Value) -> Value {
    let mut writer = Writer { root: schema, parts: 0 };
    let mut whole = match writer.write(schema, 0) {
        Value::Object(whole) => whole,
        _ => Map::new(),
    };
    whole.insert("type".to_owned(), json!("object"));
    if !whole.get("properties").is_some_and(Value::is_object) {
        whole.insert("properties".to_owned(), json!({}));
    }
    whole.into()
}

struct Writer<'a> {
    root: &'a Value,
    parts: usize,
}

impl Writer<'_> {
    fn write(&mut self, schema: &Value, depth: usize) -> Value {
        self.parts += 1;
        let Some(fields) = schema.as_object().filter(|_| depth <= DEEPEST && self.parts <= MOST_PARTS) else {
            return json!({});
        };
        if let Some(reference) = fields.get("$ref").and_then(Value::as_str) {
            let target = reference.strip_prefix('#').and_then(|pointer| self.root.pointer(pointer));
            return target.map_or_else(|| json!({}), |target| self.write(target, depth + 1));
        }
        let mut kept = Map::new();
        for part in fields.get("allOf").and_then(Value::as_array).into_iter().flatten() {
            if let Value::Object(part) = self.write(part, depth + 1) {
                join(&mut kept, part);
            }
        }
        let mut own = Map::new();
        for (word, value) in fields {
            let (word, value) = match (word.as_str(), value) {
                ("properties", Value::Object(all)) => {
                    let all = all.iter().map(|(name, schema)| (name.clone(), self.write(schema, depth + 1)));
                    ("properties", all.collect::<Map<_, _>>().into())
                }
                ("anyOf" | "oneOf", Value::Array(all)) => {
                    ("anyOf", all.iter().map(|schema| self.write(schema, depth + 1)).collect())
                }
                ("items", Value::Object(_)) => ("items", self.write(value, depth + 1)),
                ("additionalProperties", Value::Bool(_)) => ("additionalProperties", value.clone()),
                ("items" | "additionalProperties" | "properties" | "anyOf", _) => continue,
                (word, _) if WORDS.contains(&word) => (word, value.clone()),
                _ => continue,
            };
            own.insert(word.to_owned(), value);
        }
        join(&mut kept, own);
        let bounds: Vec<String> = BOUNDS
            .iter()
            .filter_map(|word| Some(format!("{word}: {}", fields.get(*word).filter(|value| !value.is_object())?)))
            .collect();
        if !bounds.is_empty() {
            let said = kept.get("description").and_then(Value::as_str).unwrap_or_default();
            let said = format!("{said} ({})", bounds.join(", "));
            kept.insert("description".to_owned(), said.trim_start().into());
        }
        let known: Vec<String> =
            kept.get("properties").and_then(Value::as_object).into_iter().flat_map(Map::keys).cloned().collect();
        if let Some(Value::Array(required)) = kept.get_mut("required") {
            required.retain(|name| name.as_str().is_some_and(|name| known.iter().any(|one| one == name)));
        } else {
            kept.remove("required");
        }
        kept.into()
    }
}

/// Adds what another part says; lists and objects grow, all else is replaced.
fn join(whole: &mut Map<String, Value>, part: Map<String, Value>) {
    for (word, value) in part {
        match (whole.get_mut(&word), value) {
            (Some(Value::Object(known)), Value::Object(more)) => known.extend(more),
            (Some(Value::Array(known)), Value::Array(more)) if word == "required" => known.extend(more),
            (_, value) => {
                whole.insert(word, value);
            }
        }
    }
}

#[cfg(test)]
mod tests;
