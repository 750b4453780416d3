//! The parameters of a tool as a JSON Schema: which schemas are taken, whether arguments fit, and a form for trying.

mod fitting;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Values;
pub use fitting::fitting;

/// The words that every model service takes which holds a model to a schema.
const WORDS: [&str; 8] =
    ["type", "description", "properties", "required", "items", "enum", "anyOf", "additionalProperties"];
const TYPES: [&str; 7] = ["string", "number", "integer", "boolean", "array", "object", "null"];
const LONGEST: usize = 16 * 1024;
const MOST_PROPERTIES: usize = 64;
const DEEPEST: usize = 5;
/// The most choices that the form of a try shows as a list.
const MOST_CHOICES: usize = 100;

/// What a function or a parameter may be called.
pub fn is_name(text: &str) -> bool {
    let is_fine = |letter: u8| letter.is_ascii_alphanumeric() || letter == b'_' || letter == b'-';
    (1..=64).contains(&text.len()) && text.bytes().all(is_fine)
}

/// Reads a schema that somebody typed. Errors: what is wrong with it, and what to write instead.
pub fn read(text: &str) -> Result<Value, String> {
    if text.is_empty() {
        return Err(
            r#"Write a JSON Schema, for example {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}. For no parameters: {"type": "object", "properties": {}}."#
                .to_owned(),
        );
    }
    if text.len() > LONGEST {
        return Err("The schema is longer than 16 kB. Shorten its descriptions.".to_owned());
    }
    let schema: Value = serde_json::from_str(text).map_err(|error| {
        format!("This is not JSON: line {}, column {} cannot be read.", error.line(), error.column())
    })?;
    check(&schema)?;
    Ok(schema)
}

/// Whether it is a schema of an object in the words that are taken.
pub fn check(schema: &Value) -> Result<(), String> {
    if schema.get("type").and_then(Value::as_str) != Some("object") {
        return Err(r#"The schema must be one of an object: begin it with "type": "object"."#.to_owned());
    }
    if schema.get("anyOf").is_some() || schema.get("enum").is_some() {
        return Err("The outermost object cannot have anyOf or enum. Put them into a property.".to_owned());
    }
    let mut properties = 0;
    look("the schema", schema, 0, &mut properties)?;
    if properties > MOST_PROPERTIES {
        return Err(format!("The schema has more than {MOST_PROPERTIES} properties."));
    }
    Ok(())
}

fn look(place: &str, schema: &Value, depth: usize, count: &mut usize) -> Result<(), String> {
    let Some(words) = schema.as_object() else {
        return Err(format!("In {place}: write an object with a type."));
    };
    if depth > DEEPEST {
        return Err(format!("In {place}: the schema is nested more than {DEEPEST} levels deep."));
    }
    if let Some(word) = words.keys().find(|word| !WORDS.contains(&word.as_str())) {
        return Err(format!(
            "In {place}: “{word}” is refused by some model services. Say it in words in the description instead."
        ));
    }
    let types = types(schema);
    if types.is_empty() && !words.contains_key("anyOf") && !words.contains_key("enum") {
        return Err(format!("In {place}: the type is missing."));
    }
    if let Some(other) = types.iter().find(|one| !TYPES.contains(one)) {
        return Err(format!("In {place}: “{other}” is no type. Types are {}.", TYPES.join(", ")));
    }
    if words.get("description").is_some_and(|text| !text.is_string()) {
        return Err(format!("In {place}: the description must be text."));
    }
    if words.get("additionalProperties").is_some_and(|value| !value.is_boolean()) {
        return Err(format!("In {place}: additionalProperties must be true or false."));
    }
    if let Some(choices) = words.get("enum") {
        let is_list = choices.as_array().is_some_and(|all| {
            !all.is_empty()
                && all.iter().all(|one| one.is_string() || one.is_number() || one.is_boolean() || one.is_null())
        });
        if !is_list {
            return Err(format!("In {place}: enum must be a list of texts or numbers."));
        }
    }
    if let Some(properties) = words.get("properties") {
        let Some(properties) = properties.as_object() else {
            return Err(format!("In {place}: properties must be an object."));
        };
        *count += properties.len();
        for (name, one) in properties {
            if !is_name(name) {
                return Err(format!("“{name}” cannot be the name of a parameter. Use letters, digits, _ and - only."));
            }
            look(&format!("“{name}”"), one, depth + 1, count)?;
        }
    }
    if let Some(names) = words.get("required") {
        let names: Option<Vec<&str>> = names.as_array().map(|all| all.iter().filter_map(Value::as_str).collect());
        let Some(names) = names else { return Err(format!("In {place}: required must be a list of names.")) };
        if let Some(missing) = names.iter().find(|name| property(schema, name).is_none()) {
            return Err(format!("In {place}: “{missing}” is required and is not among the properties."));
        }
    }
    match words.get("items") {
        Some(items) => look(&format!("the items of {place}"), items, depth + 1, count)?,
        None if types.contains(&"array") => return Err(format!("In {place}: an array needs items.")),
        None => {}
    }
    if let Some(ways) = words.get("anyOf") {
        let Some(ways) = ways.as_array().filter(|ways| !ways.is_empty()) else {
            return Err(format!("In {place}: anyOf must be a list of schemas."));
        };
        for way in ways {
            look(&format!("anyOf of {place}"), way, depth + 1, count)?;
        }
    }
    Ok(())
}

/// The types that it allows; none when it does not say.
fn types(schema: &Value) -> Vec<&str> {
    match schema.get("type") {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(all)) => all.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

pub fn property<'a>(schema: &'a Value, name: &str) -> Option<&'a Value> {
    schema.get("properties")?.get(name)
}

pub fn required(schema: &Value) -> Vec<&str> {
    schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect()
}

/// Text, a number or true/false: what fits on one line.
pub fn is_flat(schema: &Value) -> bool {
    let types = types(schema);
    schema.get("anyOf").is_none() && !types.contains(&"array") && !types.contains(&"object")
}

/// Whether arguments fit. Errors: a sentence from which a model can mend them.
pub fn validate(schema: &Value, arguments: &Value) -> Result<(), String> {
    fits("the arguments", schema, arguments)
}

fn fits(place: &str, schema: &Value, value: &Value) -> Result<(), String> {
    if let Some(ways) = schema.get("anyOf").and_then(Value::as_array) {
        let why: Vec<String> = ways.iter().filter_map(|way| fits(place, way, value).err()).collect();
        if why.len() == ways.len() {
            return Err(why.into_iter().next().unwrap_or_default());
        }
    }
    let types = types(schema);
    if !types.is_empty() && !types.iter().any(|one| is_of(one, value)) {
        return Err(format!("{place} must be {}.", types.join(" or ")));
    }
    if let Some(choices) = schema.get("enum").and_then(Value::as_array)
        && !choices.contains(value)
    {
        let choices: Vec<String> = choices.iter().map(Value::to_string).take(MOST_CHOICES).collect();
        return Err(format!("{place} must be one of {}.", choices.join(", ")));
    }
    if let Some(object) = value.as_object() {
        if let Some(missing) = required(schema).into_iter().find(|name| !object.contains_key(*name)) {
            return Err(format!("{missing} is missing."));
        }
        for (name, one) in object {
            match property(schema, name) {
                Some(own) => fits(name, own, one)?,
                None if schema.get("additionalProperties") == Some(&Value::Bool(true)) => {}
                None => return Err(format!("{name} is not a parameter.")),
            }
        }
    }
    if let (Some(items), Some(all)) = (schema.get("items"), value.as_array()) {
        for one in all {
            fits(&format!("each item of {place}"), items, one)?;
        }
    }
    Ok(())
}

fn is_of(kind: &str, value: &Value) -> bool {
    match kind {
        "string" => value.is_string(),
        "number" => value.is_number(),
        "integer" => value.is_i64() || value.is_u64() || value.as_f64().is_some_and(|number| number.fract() == 0.0),
        "boolean" => value.is_boolean(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        _ => value.is_null(),
    }
}

/// A field of the form for trying a tool.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TryField {
    /// The field's name in the form.
    pub field: String,
    pub label: String,
    pub about: String,
    pub is_required: bool,
    pub choices: Vec<String>,
}

/// What a try asks for. None: the parameters are nested, and have to be given as JSON.
pub fn try_fields(schema: &Value) -> Option<Vec<TryField>> {
    let required = required(schema);
    let properties = schema.get("properties")?.as_object()?;
    let fields = properties.iter().map(|(name, one)| {
        let choices: Vec<String> = match one.get("enum").and_then(Value::as_array) {
            Some(choices) => choices.iter().map(super::kinds::as_text).take(MOST_CHOICES).collect(),
            None if types(one).contains(&"boolean") => vec!["true".to_owned(), "false".to_owned()],
            None => Vec::new(),
        };
        is_flat(one).then(|| TryField {
            field: format!("arg_{name}"),
            label: name.clone(),
            about: one.get("description").and_then(Value::as_str).unwrap_or_default().to_owned(),
            is_required: required.contains(&name.as_str()),
            choices,
        })
    });
    fields.collect()
}

/// The arguments of a try: JSON if there is any, else what the fields hold. Errors: the field, and what is wrong with it.
pub fn try_arguments(schema: &Value, json: &str, values: &Values) -> Result<Map<String, Value>, (String, String)> {
    let at_json = |message: String| ("arguments".to_owned(), message);
    if !json.trim().is_empty() {
        let given: Value = serde_json::from_str(json).map_err(|error| {
            at_json(format!("This is not JSON: line {}, column {} cannot be read.", error.line(), error.column()))
        })?;
        let Value::Object(given) = given else {
            return Err(at_json("Write a JSON object, as {\"name\": \"value\"}.".to_owned()));
        };
        return Ok(given);
    }
    let mut arguments = Map::new();
    let properties = schema.get("properties").and_then(Value::as_object);
    for (name, one) in properties.into_iter().flatten() {
        let field = format!("arg_{name}");
        let Some(text) = values.get(&field).map(|text| text.trim()).filter(|text| !text.is_empty()) else { continue };
        let types = types(one);
        let choice = one
            .get("enum")
            .and_then(Value::as_array)
            .and_then(|all| all.iter().find(|choice| super::kinds::as_text(choice) == text));
        let value = match choice {
            Some(choice) => choice.clone(),
            None if types.contains(&"string") || types.is_empty() => Value::from(text),
            None => serde_json::from_str(text)
                .map_err(|_| (field.clone(), format!("Enter {} here.", types.join(" or "))))?,
        };
        arguments.insert(name.clone(), value);
    }
    Ok(arguments)
}

#[cfg(test)]
mod tests;
