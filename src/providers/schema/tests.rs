use super::*;

#[test]
fn a_schema_is_sent_in_words_that_every_host_takes() {
    let schema = json!({"$schema": "x", "type": "object", "minProperties": 1, "properties": {
        "minimum": {"type": "integer", "minimum": 1, "maximum": 5, "description": "A name, not a word."},
        "list": {"type": "array", "minItems": 1, "items": {"type": "string", "pattern": "^a", "format": "email"}},
        "either": {"anyOf": [{"type": "string", "maxLength": 3}, {"type": "null"}]},
    }});
    assert_eq!(
        strict(&schema),
        json!({"type": "object", "additionalProperties": false, "required": ["either", "list", "minimum"], "properties": {
            "minimum": {"type": "integer", "description": "A name, not a word."},
            "list": {"type": "array", "items": {"type": "string"}},
            "either": {"anyOf": [{"type": "string"}, {"type": "null"}]},
        }})
    );
}

#[test]
fn a_tools_schema_keeps_what_it_means() {
    let schema = json!({"$schema": "x", "$defs": {"Day": {"type": "string", "format": "date", "description": "A day."}},
        "type": "object", "required": ["day", "gone"], "properties": {
            "day": {"$ref": "#/$defs/Day"},
            "seats": {"type": "integer", "minimum": 1, "maximum": 8},
            "who": {"oneOf": [{"type": "string"}, {"type": "null"}]},
        }, "allOf": [{"properties": {"note": {"type": "string"}}, "required": ["note"]}]});
    assert_eq!(
        of_tool(&schema),
        json!({"type": "object", "required": ["note", "day"], "properties": {
            "day": {"type": "string", "description": "A day. (format: \"date\")"},
            "note": {"type": "string"},
            "seats": {"type": "integer", "description": "(minimum: 1, maximum: 8)"},
            "who": {"anyOf": [{"type": "string"}, {"type": "null"}]},
        }})
    );
}

#[test]
fn odd_schemas_become_an_object_and_end() {
    for odd in [json!(null), json!([]), json!({}), json!({"type": "string"}), json!(true)] {
        assert_eq!(of_tool(&odd), json!({"type": "object", "properties": {}}), "{odd}");
    }
    // It refers to itself twice on each level.
    let endless = json!({"$defs": {"N": {"type": "object", "properties": {"a": {"$ref": "#/$defs/N"}, "b": {"$ref": "#/$defs/N"}}}},
        "$ref": "#/$defs/N"});
    assert!(of_tool(&endless).to_string().len() < 200_000);
}
