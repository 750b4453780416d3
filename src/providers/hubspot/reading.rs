//! Records, properties and cursors as HubSpot writes them.

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::{changed, garbage};
use crate::crm::*;
use crate::crm_wire::{id_of, is_id, is_name, value_of};
use crate::error::{ProviderError, one_line};
use crate::wire::parse_time;

/// A record; none when it has no id.
pub(super) fn record(object: CrmObject, value: &Value) -> Option<CrmRecord> {
    let id = id_of(&value["id"])?;
    let mut properties = std::collections::BTreeMap::new();
    if let Some(all) = value["properties"].as_object() {
        properties.extend(
            all.iter()
                .filter(|(name, _)| is_name(name))
                .filter_map(|(name, value)| Some((name.clone(), value_of(value)?))),
        );
    }
    let changed_at = properties.get(changed(object)).and_then(|text| time(text));
    let changed_at = changed_at.or_else(|| value["updatedAt"].as_str().and_then(time));
    let merged = properties.remove("hs_merged_object_ids").unwrap_or_default();
    let merged = merged.split([';', ',']).map(str::trim).filter(|other| is_id(other) && *other != id);
    let merged = merged.map(str::to_owned).collect();
    let contacts = value["associations"]["contacts"]["results"].as_array();
    let mut contacts: Vec<String> = contacts.into_iter().flatten().filter_map(|one| id_of(&one["id"])).collect();
    contacts.sort();
    contacts.dedup();
    Some(CrmRecord { id, properties, changed_at, contacts, merged })
}

/// A time as ISO text, or in milliseconds.
pub(super) fn time(text: &str) -> Option<DateTime<Utc>> {
    parse_time(text).or_else(|| DateTime::from_timestamp_millis(text.trim().parse().ok()?))
}

pub(super) fn removed(value: &Value) -> Option<CrmRemoved> {
    let at = value["archivedAt"].as_str().or_else(|| value["updatedAt"].as_str()).and_then(time);
    Some(CrmRemoved { id: id_of(&value["id"])?, merged_into: None, at })
}

/// The cursor of the next page. Errors: it is the one of this page, which would never end.
pub(super) fn next(document: &Value, this: Option<&str>) -> Result<Option<String>, ProviderError> {
    let after = match &document["paging"]["next"]["after"] {
        Value::String(text) if !text.is_empty() && text.len() <= 200 => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    if after.is_some() && after.as_deref() == this {
        return Err(garbage("A page names itself as the next one"));
    }
    Ok(after)
}

pub(super) fn property(value: &Value) -> Option<CrmProperty> {
    let name = value["name"].as_str().filter(|name| is_name(name))?.to_owned();
    if value["hidden"] == Value::Bool(true) {
        return None;
    }
    let kind = match (value["type"].as_str().unwrap_or_default(), value["fieldType"].as_str().unwrap_or_default()) {
        ("bool", _) | ("enumeration", "booleancheckbox") => "bool",
        ("enumeration", "checkbox") => "choices",
        ("enumeration", _) => "list",
        ("string" | "phone_number", _) => "text",
        ("number", _) => "number",
        ("date", _) => "date",
        ("datetime", _) => "datetime",
        _ => "other",
    };
    let short = |text: &str| one_line(text).chars().take(120).collect::<String>();
    let options = value["options"].as_array().map(Vec::as_slice).unwrap_or_default();
    let options = options.iter().filter(|one| one["hidden"] != Value::Bool(true)).filter_map(|one| {
        let value = value_of(&one["value"])?;
        let label = one["label"].as_str().map_or_else(|| value.clone(), short);
        Some((value, label))
    });
    let options = if matches!(kind, "list" | "choices") { options.take(500).collect() } else { Vec::new() };
    let label = value["label"].as_str().map(short).filter(|label| !label.is_empty()).unwrap_or_else(|| name.clone());
    let read_only =
        value["modificationMetadata"]["readOnlyValue"] == Value::Bool(true) || value["calculated"] == Value::Bool(true);
    Some(CrmProperty { name, label, kind, options, read_only })
}

/// What a refusal says, and which property it is about. Values that are wrong come as a list of documents inside the message:
/// `Property values were not valid: [{"isValid":false,"message":…,"error":…,"name":…}]`.
pub(super) fn reason(document: &Value) -> (Option<String>, Option<String>) {
    let text = |value: &Value| value.as_str().filter(|text| !text.trim().is_empty()).map(str::to_owned);
    let message = text(&document["message"]);
    let inside = message.as_deref().and_then(|message| {
        let list: Value = serde_json::from_str(message.get(message.find("[{")?..)?).ok()?;
        list.get(0).cloned()
    });
    let first = inside.unwrap_or_else(|| document["errors"].get(0).cloned().unwrap_or(Value::Null));
    let property = [&first["name"], &first["context"]["propertyName"][0], &document["context"]["propertyName"][0]]
        .into_iter()
        .find_map(|name| name.as_str().filter(|name| is_name(name)).map(str::to_owned));
    (text(&first["message"]).or(message), property)
}

/// The contact that is there already: `Contact already exists. Existing ID: 123`.
pub(super) fn existing(message: &str) -> Option<String> {
    let rest = message.split("Existing ID:").nth(1)?.trim_start();
    let id: String = rest.chars().take_while(char::is_ascii_digit).collect();
    is_id(&id).then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_refusal_names_the_value_that_is_wrong() {
        let inside = r#"Property values were not valid: [{"isValid":false,"message":"Needs quote was not one of the allowed options: [Sold, Lost]","error":"INVALID_OPTION","name":"pb_last_outcome"}]"#;
        let (said, property) = reason(&json!({"status": "error", "category": "VALIDATION_ERROR", "message": inside}));
        assert_eq!(said.as_deref(), Some("Needs quote was not one of the allowed options: [Sold, Lost]"));
        assert_eq!(property.as_deref(), Some("pb_last_outcome"));
        let listed = json!({"message": "Invalid input", "errors": [{"message": "Email is invalid", "context": {"propertyName": ["email"]}}]});
        assert_eq!(reason(&listed), (Some("Email is invalid".to_owned()), Some("email".to_owned())));
        assert_eq!(reason(&json!(["odd"])), (None, None));
        assert_eq!(reason(&json!({"message": "[{ half"})).0.as_deref(), Some("[{ half"));
    }

    #[test]
    fn a_conflict_names_who_is_there() {
        assert_eq!(existing("Contact already exists. Existing ID: 12345").as_deref(), Some("12345"));
        assert_eq!(existing("Contact already exists."), None);
    }

    #[test]
    fn a_record_that_is_odd_loses_no_more_than_the_odd_part() {
        let odd = json!({"id": 7, "properties": {"email": null, "phone": 4930, "bad name": "x", "hs_merged_object_ids": "8;9;x;7",
            "lastmodifieddate": "1772460000000"}, "updatedAt": 5, "associations": "none"});
        let read = record(CrmObject::Contact, &odd).unwrap();
        assert_eq!(read.id, "7");
        assert_eq!(read.properties.get("phone").map(String::as_str), Some("4930"));
        assert_eq!(read.properties.len(), 2, "{:?}", read.properties);
        assert_eq!(read.merged, ["8", "9"]);
        assert_eq!(read.changed_at.map(|at| at.timestamp_millis()), Some(1_772_460_000_000));
        assert_eq!(record(CrmObject::Contact, &json!({"id": "../x"})), None);
    }
}
