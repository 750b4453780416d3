use serde_json::json;

use super::*;

#[test]
fn schemas_that_services_refuse_are_refused_here() {
    let fine = json!({"type": "object", "properties": {
        "city": {"type": "string", "description": "Where."},
        "days": {"type": ["integer", "null"]},
        "kinds": {"type": "array", "items": {"type": "string", "enum": ["a", "b"]}},
        "when": {"anyOf": [{"type": "string"}, {"type": "number"}]}
    }, "required": ["city"], "additionalProperties": false});
    assert_eq!(check(&fine), Ok(()));
    assert_eq!(check(&json!({"type": "object", "properties": {}})), Ok(()));
    for (wrong, says) in [
        (json!([]), "type"),
        (json!({"type": "string"}), "object"),
        (json!({"type": "object", "properties": {"a": {"type": "string", "minLength": 3}}}), "minLength"),
        (json!({"type": "object", "properties": {"a": {"type": "text"}}}), "text"),
        (json!({"type": "object", "properties": {"a": {}}}), "type"),
        (json!({"type": "object", "properties": {"a b": {"type": "string"}}}), "a b"),
        (json!({"type": "object", "properties": {"a": {"type": "array"}}}), "items"),
        (json!({"type": "object", "properties": {}, "required": ["a"]}), "required"),
        (json!({"type": "object", "$ref": "#/x", "properties": {}}), "$ref"),
        (json!({"type": "object", "properties": [1]}), "properties"),
        (json!({"type": "object", "properties": {"a": {"enum": []}}}), "enum"),
    ] {
        let said = check(&wrong).expect_err(&wrong.to_string());
        assert!(said.contains(says), "{wrong}: {said}");
    }
    let mut deep = json!({"type": "string"});
    for _ in 0..20 {
        deep = json!({"type": "object", "properties": {"a": deep}});
    }
    assert!(check(&deep).is_err());
    assert!(read("{").expect_err("no JSON").contains("line 1"));
    assert!(read(&"[".repeat(10_000)).is_err());
}

#[test]
fn arguments_are_held_against_the_schema() {
    let schema = json!({"type": "object", "properties": {
        "city": {"type": "string"}, "days": {"type": "integer"}, "kind": {"type": "string", "enum": ["a", "b"]},
        "many": {"type": "array", "items": {"type": "number"}}
    }, "required": ["city"]});
    for fits in [json!({"city": "Bern"}), json!({"city": "Bern", "days": 3, "kind": "a", "many": [1, 2.5]})] {
        assert_eq!(validate(&schema, &fits), Ok(()), "{fits}");
    }
    for (wrong, says) in [
        (json!({}), "city is missing"),
        (json!({"city": 3}), "city must be string"),
        (json!({"city": "Bern", "days": 1.5}), "days must be integer"),
        (json!({"city": "Bern", "kind": "c"}), "one of \"a\", \"b\""),
        (json!({"city": "Bern", "other": 1}), "other is not a parameter"),
        (json!({"city": "Bern", "many": ["x"]}), "each item of many"),
        (json!("x"), "must be object"),
    ] {
        let said = validate(&schema, &wrong).expect_err(&wrong.to_string());
        assert!(said.contains(says), "{wrong}: {said}");
    }
}

#[test]
fn a_try_is_typed_as_the_schema_wants_it() {
    let schema = json!({"type": "object", "properties": {
        "city": {"type": "string"}, "days": {"type": "integer"}, "sure": {"type": "boolean"}, "n": {"type": "number", "enum": [1, 2]}
    }});
    let values: Values = [("arg_city", "12"), ("arg_days", "3"), ("arg_sure", "true"), ("arg_n", "2")]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let read = try_arguments(&schema, "", &values).expect("arguments");
    assert_eq!(Value::Object(read), json!({"city": "12", "days": 3, "sure": true, "n": 2}));
    let values: Values = [("arg_days".to_owned(), "three".to_owned())].into_iter().collect();
    assert_eq!(try_arguments(&schema, "", &values).expect_err("no number").0, "arg_days");
    assert_eq!(try_arguments(&schema, "{", &values).expect_err("no JSON").0, "arguments");
    assert_eq!(try_fields(&schema).expect("a form").len(), 4);
    assert!(try_fields(&json!({"type": "object", "properties": {"a": {"type": "object"}}})).is_none());
}
