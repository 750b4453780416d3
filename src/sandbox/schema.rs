//! Writes a document for a JSON schema. Names say what is asked for; where nothing is known, the schema's plainest value stands.

mod fit;
mod words;

use serde_json::{Map, Value, json};

use super::analysis::{Facts, Finding};
use fit::{bounded, fitted, kinds, number};
use words::normal;

/// A schema that refers to itself is followed no deeper than this.
const DEEPEST: usize = 12;

pub(super) struct Writer<'a> {
    root: &'a Value,
    facts: Option<&'a Facts>,
    /// What the prompt was about, for texts that no rule knows.
    subject: &'a str,
}

/// Where in the document the writer is.
#[derive(Clone, Copy)]
struct Place<'a> {
    name: &'a str,
    /// The item of a list that is being written, such as one objection.
    finding: Option<&'a Finding>,
    depth: usize,
}

impl<'a> Writer<'a> {
    pub fn new(root: &'a Value, facts: Option<&'a Facts>, subject: &'a str) -> Self {
        Writer { root, facts, subject }
    }

    /// The document.
    pub fn write(&self) -> Value {
        self.value(self.root, Place { name: "", finding: None, depth: 0 })
    }

    fn value(&self, schema: &Value, place: Place) -> Value {
        let schema = &self.resolve(schema, 0);
        if let Some(fixed) = schema.get("const") {
            return fixed.clone();
        }
        if let Some(options) = schema.get("enum").and_then(Value::as_array).filter(|options| !options.is_empty()) {
            return words::choose(options, &normal(place.name), self.facts, place.finding, self.subject);
        }
        let kinds = kinds(schema);
        let nullable = kinds.contains(&"null") || schema.get("nullable") == Some(&Value::Bool(true));
        let kind = kinds.iter().copied().find(|kind| *kind != "null").unwrap_or("null");
        if place.depth > DEEPEST && nullable {
            return Value::Null;
        }
        match kind {
            "object" => {
                let absent = nullable
                    && self.facts.is_some()
                    && words::truth(&normal(place.name), self.facts, place.finding) == Some(false);
                if absent { Value::Null } else { self.object(schema, place) }
            }
            "array" => self.array(schema, place),
            "string" => match words::text(&normal(place.name), self.facts, place.finding, self.subject) {
                Some(text) => Value::String(fitted(text, schema)),
                None if nullable => Value::Null,
                None => Value::String(fitted(String::new(), schema)),
            },
            "integer" | "number" => match self.figure(schema, place) {
                Some(figure) => figure,
                None if nullable => Value::Null,
                None => bounded(0.0, schema, kind),
            },
            "boolean" => match words::truth(&normal(place.name), self.facts, place.finding) {
                Some(truth) => Value::Bool(truth),
                None if nullable => Value::Null,
                None => Value::Bool(false),
            },
            _ => Value::Null,
        }
    }

    /// Follows `$ref`, takes the first useful way of `anyOf` and `oneOf`, and joins the parts of `allOf`.
    fn resolve(&self, schema: &Value, depth: usize) -> Value {
        if depth > DEEPEST {
            return schema.clone();
        }
        if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
            let target = reference.strip_prefix('#').and_then(|pointer| self.root.pointer(pointer));
            return target.map_or_else(|| json!({}), |target| self.resolve(target, depth + 1));
        }
        for way in ["anyOf", "oneOf"] {
            let Some(options) = schema.get(way).and_then(Value::as_array) else {
                continue;
            };
            let nullable = options.iter().any(|option| option.get("type") == Some(&json!("null")));
            let Some(first) = options.iter().find(|option| option.get("type") != Some(&json!("null"))) else {
                continue;
            };
            let mut chosen = self.resolve(first, depth + 1);
            if let Some(chosen) = chosen.as_object_mut().filter(|_| nullable) {
                chosen.insert("nullable".to_owned(), Value::Bool(true));
            }
            return chosen;
        }
        let Some(parts) = schema.get("allOf").and_then(Value::as_array) else {
            return schema.clone();
        };
        let mut whole = schema.as_object().cloned().unwrap_or_default();
        whole.remove("allOf");
        for part in parts {
            let Value::Object(part) = self.resolve(part, depth + 1) else {
                continue;
            };
            for (key, value) in part {
                match (whole.get_mut(&key), value) {
                    (Some(Value::Object(known)), Value::Object(more)) => known.extend(more),
                    (Some(Value::Array(known)), Value::Array(more)) => known.extend(more),
                    (_, value) => {
                        whole.insert(key, value);
                    }
                }
            }
        }
        Value::Object(whole)
    }

    fn object(&self, schema: &Value, place: Place) -> Value {
        let mut out = Map::new();
        let properties = schema.get("properties").and_then(Value::as_object);
        let required: Vec<&str> =
            schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
        for (name, property) in properties.into_iter().flatten() {
            // Deep inside a schema that refers to itself only what must be there is written.
            if place.depth < DEEPEST / 2 || required.contains(&name.as_str()) {
                out.insert(name.clone(), self.value(property, Place { name, depth: place.depth + 1, ..place }));
            }
        }
        for name in required {
            if !out.contains_key(name) {
                out.insert(name.to_owned(), Value::Null);
            }
        }
        Value::Object(out)
    }

    fn array(&self, schema: &Value, place: Place) -> Value {
        let least = schema.get("minItems").and_then(Value::as_u64).unwrap_or(0) as usize;
        let most = schema.get("maxItems").and_then(Value::as_u64).map_or(usize::MAX, |most| most as usize);
        let open = json!({"type": "string"});
        let items = schema.get("items").filter(|items| items.is_object()).unwrap_or(&open);
        if place.depth > DEEPEST {
            return json!([]);
        }
        let inner = Place { name: place.name, finding: None, depth: place.depth + 1 };
        let name = normal(place.name);
        let plain = kinds(&self.resolve(items, 0)).contains(&"string");
        let mut out: Vec<Value> = Vec::new();
        if let (Some(facts), None) = (self.facts, place.finding) {
            let texts = words::list_of_texts(&name, facts);
            let findings = words::list_of_findings(&name, facts);
            if plain && !texts.is_empty() && items.get("enum").is_none() {
                out = texts.into_iter().map(|text| Value::String(fitted(text, items))).collect();
            } else if !findings.is_empty() {
                out = findings
                    .iter()
                    .map(|finding| self.value(items, Place { finding: Some(finding), ..inner }))
                    .collect();
            } else if !texts.is_empty() {
                out = texts
                    .iter()
                    .map(|text| Writer { subject: text, facts: None, ..*self }.value(items, inner))
                    .collect();
            }
        }
        out.dedup();
        out.truncate(most);
        while out.len() < least.min(100) {
            out.push(self.value(items, inner));
        }
        Value::Array(out)
    }

    fn figure(&self, schema: &Value, place: Place) -> Option<Value> {
        let kind = kinds(schema).into_iter().find(|kind| *kind != "null").unwrap_or("number");
        let low = number(schema, "minimum").or_else(|| number(schema, "exclusiveMinimum"));
        let high = number(schema, "maximum").or_else(|| number(schema, "exclusiveMaximum"));
        let figure = words::figure(&normal(place.name), self.facts, place.finding, low, high)?;
        Some(bounded(figure, schema, kind))
    }
}
