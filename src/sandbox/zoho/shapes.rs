//! Records and fields as Zoho writes them: each value in the type of its field.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

use crate::crm::book::{CrmBook, Object, Record};

/// Name, label, type, choices, whether it can only be read.
type Field = (&'static str, &'static str, &'static str, &'static [&'static str], bool);

const OUTCOMES: &[&str] = &["No answer", "Answered", "Voicemail", "Busy", "Declined"];

const CONTACT: &[Field] = &[
    ("First_Name", "First Name", "text", &[], false),
    ("Last_Name", "Last Name", "text", &[], false),
    ("Email", "Email", "email", &[], false),
    ("Phone", "Phone", "phone", &[], false),
    ("Mobile", "Mobile", "phone", &[], false),
    ("Company_Name", "Company", "text", &[], false),
    ("Mailing_City", "Mailing City", "text", &[], false),
    ("Stage", "Stage", "picklist", &["lead", "opportunity", "customer"], false),
    ("Do_Not_Call", "Do not call", "boolean", &[], false),
    ("Policy_Number", "Policy number", "text", &[], false),
    ("Renewal_Date", "Renewal date", "date", &[], false),
    ("Interests", "Interests", "multiselectpicklist", &["Household", "Car", "Life"], false),
    ("Last_Call_Outcome", "Last call outcome", "picklist", OUTCOMES, false),
    ("Last_Call_Summary", "Last call summary", "textarea", &[], false),
    ("Callback_At", "Call back at", "datetime", &[], false),
    ("Goal_Reached", "Goal reached", "boolean", &[], false),
    ("Call_Score", "Call score", "integer", &[], false),
    ("Created_Time", "Created Time", "datetime", &[], true),
    ("Modified_Time", "Modified Time", "datetime", &[], true),
];
const DEAL: &[Field] = &[
    ("Deal_Name", "Deal Name", "text", &[], false),
    ("Amount", "Amount", "currency", &[], false),
    ("Stage", "Stage", "picklist", &["Qualification", "Proposal/Price Quote", "Closed Won", "Closed Lost"], false),
    ("Closing_Date", "Closing Date", "date", &[], false),
    ("Pipeline", "Pipeline", "text", &[], false),
    ("Contact_Name", "Contact Name", "lookup", &[], false),
    ("Created_Time", "Created Time", "datetime", &[], true),
    ("Modified_Time", "Modified Time", "datetime", &[], true),
];
const CALL: &[Field] = &[
    ("Subject", "Subject", "text", &[], false),
    ("Call_Type", "Call Type", "picklist", &["Inbound", "Outbound", "Missed"], false),
    ("Call_Start_Time", "Call Start Time", "datetime", &[], false),
    ("Call_Duration", "Call Duration", "text", &[], false),
    ("Outgoing_Call_Status", "Outgoing Call Status", "picklist", &["Scheduled", "Completed"], false),
    ("Description", "Description", "textarea", &[], false),
    ("Who_Id", "Contact Name", "lookup", &[], false),
    ("Created_Time", "Created Time", "datetime", &[], true),
    ("Modified_Time", "Modified Time", "datetime", &[], true),
];
const TASK: &[Field] = &[
    ("Subject", "Subject", "text", &[], false),
    ("Due_Date", "Due Date", "date", &[], false),
    ("Status", "Status", "picklist", &["Not Started", "In Progress", "Completed"], false),
    ("Description", "Description", "textarea", &[], false),
    ("Who_Id", "Contact Name", "lookup", &[], false),
    ("Created_Time", "Created Time", "datetime", &[], true),
    ("Modified_Time", "Modified Time", "datetime", &[], true),
];
const NOTE: &[Field] = &[
    ("Note_Title", "Note Title", "text", &[], false),
    ("Note_Content", "Note Content", "textarea", &[], false),
    ("Parent_Id", "Parent ID", "lookup", &[], false),
    ("Created_Time", "Created Time", "datetime", &[], true),
    ("Modified_Time", "Modified Time", "datetime", &[], true),
];
const MEETING: &[Field] = &[
    ("Event_Title", "Title", "text", &[], false),
    ("Start_DateTime", "From", "datetime", &[], false),
    ("End_DateTime", "To", "datetime", &[], false),
    ("Description", "Description", "textarea", &[], false),
    ("Who_Id", "Contact Name", "lookup", &[], false),
    ("Created_Time", "Created Time", "datetime", &[], true),
    ("Modified_Time", "Modified Time", "datetime", &[], true),
];

fn of(object: Object) -> &'static [Field] {
    match object {
        Object::Contact => CONTACT,
        Object::Deal => DEAL,
        Object::Call => CALL,
        Object::Task => TASK,
        Object::Note => NOTE,
        Object::Meeting => MEETING,
    }
}

/// The names without which a record is none.
fn mandatory(object: Object) -> &'static [&'static str] {
    match object {
        Object::Contact => &["Last_Name"],
        Object::Deal => &["Deal_Name"],
        Object::Call => &["Subject", "Call_Type", "Call_Start_Time"],
        Object::Task => &["Subject"],
        Object::Note => &["Note_Content", "Parent_Id"],
        Object::Meeting => &["Event_Title", "Start_DateTime", "End_DateTime"],
    }
}

pub(super) fn fields(object: Object) -> Vec<Value> {
    of(object)
        .iter()
        .map(|(name, label, kind, choices, read_only)| {
            let none =
                matches!(*kind, "picklist").then(|| json!({"display_value": "-None-", "actual_value": "-None-"}));
            let own = choices.iter().map(|choice| json!({"display_value": choice, "actual_value": choice}));
            json!({
                "api_name": name,
                "field_label": label,
                "data_type": kind,
                "pick_list_values": none.into_iter().chain(own).collect::<Vec<_>>(),
                "read_only": read_only,
                "field_read_only": read_only,
                "visible": true,
            })
        })
        .collect()
}

pub(super) fn iso(at: DateTime<Utc>) -> String {
    // Zoho writes the offset of the user.
    at.with_timezone(&chrono_tz::Africa::Lagos).format("%Y-%m-%dT%H:%M:%S%:z").to_string()
}

/// A value in the type of its field.
fn typed(kind: &str, text: &str) -> Value {
    match kind {
        "boolean" => json!(text == "true"),
        "integer" => text.parse::<i64>().map_or(Value::Null, |number| json!(number)),
        "currency" => text.parse::<f64>().map_or(Value::Null, |number| json!(number)),
        "multiselectpicklist" => json!(text.split(';').collect::<Vec<_>>()),
        _ => json!(text),
    }
}

pub(super) fn record(book: &CrmBook, record: &Record, names: &[String]) -> Value {
    let mut shape = Map::new();
    shape.insert("id".to_owned(), json!(record.id.to_string()));
    for (name, _, kind, _, _) in of(record.object) {
        if !names.is_empty() && !names.iter().any(|wanted| wanted == name) {
            continue;
        }
        let value = match *name {
            "Created_Time" => json!(iso(record.created)),
            "Modified_Time" => json!(iso(record.changed)),
            "Contact_Name" | "Who_Id" | "Parent_Id" => match record.links.first().and_then(|id| book.records.get(id)) {
                Some(contact) => {
                    let text = |name: &str| contact.properties.get(name).map(String::as_str).unwrap_or_default();
                    json!({"name": format!("{} {}", text("First_Name"), text("Last_Name")).trim(), "id": contact.id.to_string()})
                }
                None => Value::Null,
            },
            _ => record.properties.get(*name).map_or(Value::Null, |text| typed(kind, text)),
        };
        shape.insert((*name).to_owned(), value);
    }
    if book.faults.odd_values {
        shape.insert("Mailing_City".to_owned(), json!({"odd": ["Ber\u{0}lin"]}));
        shape.insert("Company_Name".to_owned(), json!(42));
    }
    shape.insert("$approval".to_owned(), json!({"delegate": false}));
    Value::Object(shape)
}

/// A row that is to be written, as texts, and whom it belongs to. Errors: what is wrong with it, as Zoho says it.
pub(super) fn row(
    book: &CrmBook,
    object: Object,
    given: &Value,
    is_new: bool,
) -> Result<(BTreeMap<String, String>, Vec<u64>), Value> {
    let refused = |code: &str, message: &str, details: Value| json!({"code": code, "details": details, "message": message, "status": "error"});
    let empty = Map::new();
    let given = given.as_object().unwrap_or(&empty);
    if is_new {
        let missing = mandatory(object).iter().find(|name| given.get(**name).is_none_or(Value::is_null));
        if let Some(name) = missing {
            return Err(refused("MANDATORY_NOT_FOUND", "required field not found", json!({"api_name": name})));
        }
    }
    let (mut texts, mut links) = (BTreeMap::new(), Vec::new());
    for (name, value) in given.iter().filter(|(name, _)| *name != "id") {
        // Fields that there are none of are passed over, as the service does.
        let Some((_, _, kind, choices, read_only)) = of(object).iter().find(|field| field.0 == name.as_str()) else {
            continue;
        };
        let wrong = |expected: &str| {
            refused("INVALID_DATA", "invalid data", json!({"expected_data_type": expected, "api_name": name}))
        };
        if *read_only {
            continue;
        }
        let text = match (*kind, value) {
            (_, Value::Null) => String::new(),
            ("lookup", value) => {
                let contact = value["id"].as_str().and_then(|id| book.find(Object::Contact, id));
                links.push(contact.ok_or_else(|| wrong("jsonobject"))?.id);
                continue;
            }
            ("boolean", Value::Bool(yes)) => yes.to_string(),
            ("integer" | "currency", Value::Number(number)) => number.to_string(),
            ("multiselectpicklist", Value::Array(all)) => {
                all.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(";")
            }
            ("boolean" | "integer" | "currency" | "multiselectpicklist", _) => return Err(wrong(kind)),
            ("datetime", Value::String(text)) if DateTime::parse_from_rfc3339(text).is_err() || text.contains('.') => {
                return Err(wrong(kind));
            }
            ("picklist", Value::String(text)) if !choices.contains(&text.as_str()) => return Err(wrong(kind)),
            ("email", Value::String(text)) if !text.contains('@') => return Err(wrong(kind)),
            (_, Value::String(text)) => text.clone(),
            (kind, _) => return Err(wrong(kind)),
        };
        texts.insert(name.clone(), text);
    }
    Ok((texts, links))
}
