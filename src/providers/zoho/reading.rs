//! Records and fields as Zoho writes them.

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::activities;
use crate::crm::*;
use crate::crm_wire::{id_of, is_name, value_of};
use crate::error::one_line;
use crate::wire::parse_time;

/// A time as Zoho reads it: with an offset, and without parts of seconds.
pub(super) fn written(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%dT%H:%M:%S+00:00").to_string()
}

/// A record; none when it has no id.
pub(super) fn record(object: CrmObject, value: &Value) -> Option<CrmRecord> {
    let id = id_of(&value["id"])?;
    let all = value.as_object()?.iter().filter(|(name, _)| *name != "id" && !name.starts_with('$') && is_name(name));
    let properties = all.filter_map(|(name, value)| Some((name.clone(), value_of(value)?))).collect();
    let field = match object {
        CrmObject::Contact => "",
        CrmObject::Deal => "Contact_Name",
        CrmObject::Activity(kind) => activities::contact_field(kind),
    };
    let contact = id_of(&value[field]["id"]);
    Some(CrmRecord {
        id,
        properties,
        changed_at: value["Modified_Time"].as_str().and_then(parse_time),
        contacts: contact.into_iter().collect(),
        merged: Vec::new(),
    })
}

pub(super) fn removed(value: &Value) -> Option<CrmRemoved> {
    let at = value["deleted_time"].as_str().and_then(parse_time);
    Some(CrmRemoved { id: id_of(&value["id"])?, merged_into: None, at })
}

pub(super) fn property(value: &Value) -> Option<CrmProperty> {
    let name = value["api_name"].as_str().filter(|name| is_name(name))?.to_owned();
    if value["visible"] == Value::Bool(false) {
        return None;
    }
    let kind = match value["data_type"].as_str().unwrap_or_default() {
        "text" | "textarea" | "email" | "phone" | "website" => "text",
        "integer" | "bigint" | "double" | "currency" | "percent" => "number",
        "date" => "date",
        "datetime" => "datetime",
        "boolean" => "bool",
        "picklist" => "list",
        "multiselectpicklist" => "choices",
        _ => "other",
    };
    let short = |text: &str| one_line(text).chars().take(120).collect::<String>();
    let options = value["pick_list_values"].as_array().map(Vec::as_slice).unwrap_or_default();
    let options = options.iter().filter_map(|one| {
        let actual = value_of(&one["actual_value"])?;
        // Zoho's own word for no choice.
        if actual == "-None-" {
            return None;
        }
        let label = one["display_value"].as_str().map_or_else(|| actual.clone(), short);
        Some((actual, label))
    });
    let options = if matches!(kind, "list" | "choices") { options.take(500).collect() } else { Vec::new() };
    let label = value["field_label"].as_str().map(short).filter(|label| !label.is_empty());
    let is_set = |name: &str| value[name] == Value::Bool(true);
    let read_only = is_set("read_only") || is_set("field_read_only");
    Some(CrmProperty { label: label.unwrap_or_else(|| name.clone()), name, kind, options, read_only })
}

/// What a refusal says, with the field that it is about.
pub(super) fn reason(refusal: &Value) -> Option<String> {
    let text = |value: &Value| value.as_str().filter(|text| !text.trim().is_empty()).map(one_line);
    let said = text(&refusal["message"]).or_else(|| text(&refusal["code"]))?;
    let details = &refusal["details"];
    let field = text(&details["api_name"]);
    let expected = text(&details["expected_data_type"]);
    Some(match (field, expected) {
        (Some(field), Some(expected)) => format!("{said}: {field} takes {expected}"),
        (Some(field), None) => format!("{said}: {field}"),
        _ => said,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_record_as_the_documents_show_it() {
        let value = json!({"id": "3652397000000649013", "First_Name": "Ada", "Last_Name": "Lovelace", "Email": "ada@example.test",
            "Phone": "+13125550111", "Modified_Time": "2026-03-02T10:00:00+01:00",
            "Account_Name": {"name": "ACME", "id": "3652397000000624046"}, "$editable": true, "Tag": [], "Do_Not_Call": false});
        let read = record(CrmObject::Contact, &value).unwrap();
        assert_eq!(read.id, "3652397000000649013");
        assert_eq!(read.properties.get("Account_Name").map(String::as_str), Some("ACME"));
        assert_eq!(read.properties.get("Do_Not_Call").map(String::as_str), Some("false"));
        assert!(!read.properties.contains_key("$editable") && !read.properties.contains_key("Tag"));
        assert_eq!(read.changed_at.map(|at| at.to_rfc3339()).as_deref(), Some("2026-03-02T09:00:00+00:00"));
        let deal = record(CrmObject::Deal, &json!({"id": "1", "Contact_Name": {"name": "A", "id": "9"}})).unwrap();
        assert_eq!(deal.contacts, ["9"]);
    }

    #[test]
    fn a_refusal_names_the_field() {
        let row = json!({"code": "MANDATORY_NOT_FOUND", "status": "error", "message": "required field not found", "details": {"api_name": "Last_Name"}});
        assert_eq!(reason(&row).as_deref(), Some("required field not found: Last_Name"));
        let row = json!({"code": "INVALID_DATA", "details": {"expected_data_type": "boolean", "api_name": "Do_Not_Call"}, "message": "invalid data", "status": "error"});
        assert_eq!(reason(&row).as_deref(), Some("invalid data: Do_Not_Call takes boolean"));
    }
}
