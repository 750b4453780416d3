//! Records and properties as HubSpot writes them.

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Map, Value, json};

use crate::crm::book::{CrmBook, Object, Record};

/// Name, label, type, field type, options, whether it can only be read.
type Property = (&'static str, &'static str, &'static str, &'static str, &'static [(&'static str, &'static str)], bool);

const OUTCOMES: &[(&str, &str)] = &[
    ("no_answer", "No answer"),
    ("answered", "Answered"),
    ("voicemail", "Voicemail"),
    ("busy", "Busy"),
    ("declined", "Declined"),
];
const STAGES: &[(&str, &str)] = &[("lead", "Lead"), ("opportunity", "Opportunity"), ("customer", "Customer")];
const YES_NO: &[(&str, &str)] = &[("true", "Yes"), ("false", "No")];

const CONTACT: &[Property] = &[
    ("firstname", "First name", "string", "text", &[], false),
    ("lastname", "Last name", "string", "text", &[], false),
    ("email", "Email", "string", "text", &[], false),
    ("phone", "Phone number", "string", "phonenumber", &[], false),
    ("mobilephone", "Mobile phone number", "string", "phonenumber", &[], false),
    ("company", "Company name", "string", "text", &[], false),
    ("city", "City", "string", "text", &[], false),
    ("jobtitle", "Job title", "string", "text", &[], false),
    ("lifecyclestage", "Lifecycle stage", "enumeration", "radio", STAGES, false),
    ("do_not_call", "Do not call", "bool", "booleancheckbox", YES_NO, false),
    ("policy_number", "Policy number", "string", "text", &[], false),
    ("renewal_date", "Renewal date", "date", "date", &[], false),
    ("pb_last_outcome", "Last call outcome", "enumeration", "select", OUTCOMES, false),
    ("pb_last_summary", "Last call summary", "string", "textarea", &[], false),
    ("pb_callback_at", "Call back at", "datetime", "date", &[], false),
    ("pb_goal_reached", "Goal reached", "bool", "booleancheckbox", YES_NO, false),
    ("pb_score", "Call score", "number", "number", &[], false),
    ("createdate", "Create date", "datetime", "date", &[], true),
    ("lastmodifieddate", "Last modified date", "datetime", "date", &[], true),
    ("hs_object_id", "Record ID", "number", "number", &[], true),
    ("hs_merged_object_ids", "Merged record IDs", "enumeration", "checkbox", &[], true),
];
const DEAL: &[Property] = &[
    ("dealname", "Deal name", "string", "text", &[], false),
    ("amount", "Amount", "number", "number", &[], false),
    ("dealstage", "Deal stage", "enumeration", "radio", &[], false),
    ("deal_currency_code", "Currency", "enumeration", "select", &[], false),
    ("closedate", "Close date", "datetime", "date", &[], false),
    ("pipeline", "Pipeline", "enumeration", "select", &[], false),
    ("createdate", "Create date", "datetime", "date", &[], true),
    ("hs_lastmodifieddate", "Last modified date", "datetime", "date", &[], true),
    ("hs_object_id", "Record ID", "number", "number", &[], true),
    ("hs_merged_object_ids", "Merged record IDs", "enumeration", "checkbox", &[], true),
];
const CALL: &[&str] = &[
    "hs_timestamp",
    "hs_call_title",
    "hs_call_body",
    "hs_call_direction",
    "hs_call_duration",
    "hs_call_from_number",
    "hs_call_to_number",
    "hs_call_status",
];
const NOTE: &[&str] = &["hs_timestamp", "hs_note_body"];
const MEETING: &[&str] = &["hs_timestamp", "hs_meeting_title", "hs_meeting_body", "hs_meeting_outcome"];
const TASK: &[&str] = &["hs_timestamp", "hs_task_subject", "hs_task_body", "hs_task_status", "hs_task_type"];

fn of(object: Object) -> &'static [Property] {
    match object {
        Object::Contact => CONTACT,
        Object::Deal => DEAL,
        Object::Call | Object::Task | Object::Note | Object::Meeting => &[],
    }
}

pub(super) fn properties(object: Object) -> Vec<Value> {
    of(object)
        .iter()
        .map(|(name, label, kind, field, options, read_only)| {
            let options: Vec<Value> = options
                .iter()
                .enumerate()
                .map(
                    |(at, (value, label))| json!({"label": label, "value": value, "displayOrder": at, "hidden": false}),
                )
                .collect();
            json!({
                "name": name,
                "label": label,
                "type": kind,
                "fieldType": field,
                "description": "",
                "groupName": "contactinformation",
                "options": options,
                "hidden": false,
                "calculated": false,
                "modificationMetadata": {"archivable": true, "readOnlyDefinition": false, "readOnlyValue": read_only},
            })
        })
        .collect()
}

/// What is wrong with values that are to be written: message and property.
pub(super) fn wrong(object: Object, values: &Map<String, Value>) -> Option<Value> {
    let activity = |names: &[&str]| values.keys().find(|name| !names.contains(&name.as_str())).cloned();
    let unknown = match object {
        Object::Call => activity(CALL),
        Object::Task => activity(TASK),
        Object::Note => activity(NOTE),
        Object::Meeting => activity(MEETING),
        _ => values.keys().find(|name| !of(object).iter().any(|known| known.0 == name.as_str())).cloned(),
    };
    if let Some(name) = unknown {
        return Some(fault(&name, "PROPERTY_DOESNT_EXIST", &format!("Property \"{name}\" does not exist")));
    }
    for (name, value) in values {
        let Some((_, _, kind, _, options, read_only)) = of(object).iter().find(|known| known.0 == name.as_str()) else {
            continue;
        };
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        if *read_only {
            return Some(fault(
                name,
                "READ_ONLY_VALUE",
                &format!("\"{name}\" is a read only property; its value cannot be set."),
            ));
        }
        if text.is_empty() || value.is_null() {
            continue;
        }
        let is_option = options.is_empty() || options.iter().any(|(option, _)| *option == text);
        if !is_option {
            let all: Vec<&str> = options.iter().map(|(_, label)| *label).collect();
            let said = format!("{text} was not one of the allowed options: [{}]", all.join(", "));
            return Some(fault(name, "INVALID_OPTION", &said));
        }
        let is_fine = match *kind {
            "number" => text.parse::<f64>().is_ok(),
            "datetime" | "date" => {
                text.parse::<i64>().is_ok()
                    || text.get(..10).is_some_and(|day| day.parse::<chrono::NaiveDate>().is_ok())
            }
            _ => true,
        };
        if !is_fine {
            let (error, said) = match *kind {
                "number" => ("INVALID_NUMBER", format!("{text} was not a valid number.")),
                _ => ("INVALID_DATE", format!("{text} was not a valid date.")),
            };
            return Some(fault(name, error, &said));
        }
        if name == "email" && !text.contains('@') {
            return Some(fault(name, "INVALID_EMAIL", &format!("Email address {text} is invalid")));
        }
    }
    None
}

fn fault(name: &str, error: &str, message: &str) -> Value {
    json!({"isValid": false, "message": message, "error": error, "name": name})
}

pub(super) fn iso(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// A property's value for searches and answers.
pub(super) fn value(book: &CrmBook, record: &Record, name: &str) -> Option<String> {
    match (name, record.object) {
        ("hs_object_id", _) => Some(record.id.to_string()),
        ("createdate", _) => Some(iso(record.created)),
        ("lastmodifieddate", Object::Contact) => Some(iso(record.changed)),
        ("hs_lastmodifieddate", object) if object != Object::Contact => Some(iso(record.changed)),
        ("hs_merged_object_ids", _) => {
            let merged = book.records.values().filter(|other| other.merged_into == Some(record.id));
            let ids: Vec<String> = merged.map(|other| other.id.to_string()).collect();
            (!ids.is_empty()).then(|| ids.join(";"))
        }
        ("hs_searchable_calculated_phone_number", Object::Contact) => national(record.properties.get("phone")?),
        ("hs_searchable_calculated_mobile_number", Object::Contact) => national(record.properties.get("mobilephone")?),
        _ => record.properties.get(name).cloned(),
    }
}

/// A number as HubSpot keeps it for searches: without its country.
fn national(number: &str) -> Option<String> {
    let digits: String = number.chars().filter(char::is_ascii_digit).collect();
    let without = match number.trim().strip_prefix('+') {
        Some(_) => ["49", "41", "44", "1"].iter().find_map(|code| digits.strip_prefix(code)).unwrap_or(&digits),
        None => digits.trim_start_matches('0'),
    };
    (!without.is_empty()).then(|| without.to_owned())
}

/// A record with the properties that were asked for.
pub(super) fn record(book: &CrmBook, record: &Record, names: &[String], with_contacts: bool) -> Value {
    let usual: &[&str] = match record.object {
        Object::Contact => &["firstname", "lastname", "email", "lastmodifieddate", "hs_object_id", "createdate"],
        Object::Deal => &["dealname", "amount", "closedate", "pipeline", "dealstage", "hs_object_id", "createdate"],
        Object::Call | Object::Task | Object::Note | Object::Meeting => &["hs_object_id", "hs_timestamp"],
    };
    let mut properties = Map::new();
    let names = names
        .iter()
        .map(String::as_str)
        .chain(if names.is_empty() { usual } else { &["hs_object_id"] }.iter().copied());
    for name in names {
        let text = value(book, record, name).map_or(Value::Null, Value::String);
        properties.insert(name.to_owned(), text);
    }
    if book.faults.odd_values {
        properties.insert("city".to_owned(), json!(["Ber\u{0}lin", 7, null]));
        properties.insert("company".to_owned(), json!(42));
        properties.insert("odd\u{7}name".to_owned(), json!({"a": {"b": "c"}}));
    }
    let mut shape = json!({
        "id": record.id.to_string(),
        "properties": properties,
        "createdAt": iso(record.created),
        "updatedAt": iso(record.changed),
        "archived": record.removed.is_some(),
    });
    if let Some(at) = record.removed {
        shape["archivedAt"] = json!(iso(at));
    }
    if with_contacts && !record.links.is_empty() {
        let kind = match record.object {
            Object::Deal => "deal_to_contact",
            Object::Call => "call_to_contact",
            Object::Task => "task_to_contact",
            Object::Note => "note_to_contact",
            Object::Contact | Object::Meeting => "meeting_event_to_contact",
        };
        let results: Vec<Value> = record.links.iter().map(|id| json!({"id": id.to_string(), "type": kind})).collect();
        shape["associations"] = json!({"contacts": {"results": results}});
    }
    shape
}
