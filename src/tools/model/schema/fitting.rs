//! Schemas of other people's servers, made to fit the words that are taken.

use serde_json::{Map, Value, json};

/// The schema with a type where it says none, and single values as lists of one. What still does not fit is said, as `check` says it.
pub fn fitting(schema: &Value) -> Result<Value, String> {
    let mut whole = schema.clone();
    if let Some(words) = whole.as_object_mut() {
        mend(words, true);
    }
    super::check(&whole)?;
    Ok(whole)
}

fn mend(words: &mut Map<String, Value>, is_outermost: bool) {
    if let Some(only) = words.remove("const") {
        words.entry("enum").or_insert_with(|| json!([only]));
    }
    if words.get("description").is_some_and(|text| !text.is_string()) {
        words.remove("description");
    }
    if words.get("additionalProperties").is_some_and(|value| !value.is_boolean()) {
        words.remove("additionalProperties");
    }
    let is_said = ["type", "anyOf", "enum"].iter().any(|word| words.contains_key(*word));
    if !is_said && !is_outermost {
        let kind = if words.contains_key("properties") {
            json!("object")
        } else if words.contains_key("items") {
            json!("array")
        } else {
            json!(["string", "number", "boolean"])
        };
        words.insert("type".to_owned(), kind);
    }
    let is_list = words
        .get("type")
        .is_some_and(|kind| kind == "array" || kind.as_array().is_some_and(|all| all.iter().any(|one| one == "array")));
    if is_list && !words.contains_key("items") {
        words.insert("items".to_owned(), json!({ "type": ["string", "number", "boolean"] }));
    }
    for (word, value) in words.iter_mut() {
        match (word.as_str(), value) {
            ("properties", Value::Object(all)) => {
                all.values_mut().filter_map(Value::as_object_mut).for_each(|one| mend(one, false));
            }
            ("items", Value::Object(one)) => mend(one, false),
            ("anyOf", Value::Array(all)) => {
                all.iter_mut().filter_map(Value::as_object_mut).for_each(|one| mend(one, false));
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_other_servers_write_is_taken_where_its_sense_can_be_kept() {
        let odd = json!({"type": "object", "properties": {
            "kind": {"const": "order"}, "any": {}, "list": {"type": "array"}, "inner": {"properties": {"a": {"type": "string"}}},
            "map": {"type": "object", "additionalProperties": {"type": "string"}},
        }});
        let taken = fitting(&odd).expect("fits");
        assert_eq!(taken["properties"]["kind"], json!({"enum": ["order"]}));
        assert_eq!(taken["properties"]["inner"]["type"], "object");
        assert_eq!(taken["properties"]["list"]["items"]["type"][0], "string");
        assert!(fitting(&json!({"type": "object", "anyOf": [{"type": "object"}]})).is_err());
        assert!(fitting(&json!({"type": "object", "properties": {"größe": {"type": "string"}}})).is_err());
    }
}
