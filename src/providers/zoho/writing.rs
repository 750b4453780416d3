//! Contacts are written, each value in the type of its field. An answer tells the fate of every row.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{Zoho, garbage, reading};
use crate::crm::{CrmRefusal, CrmWritten};
use crate::crm_client::Refused;
use crate::crm_wire::{end_of_number, id_of, is_about_the_record, is_id, is_same_number, refusal_of, refused};
use crate::error::ProviderError;
use crate::http::Ask;

type Values = BTreeMap<String, String>;
/// A contact's id and e-mail address.
type Found = (String, Option<String>);

/// The most rows of one request.
const MOST_ROWS: usize = 100;
/// Where a contact's numbers stand.
const NUMBERS: [&str; 4] = ["Phone", "Mobile", "Home_Phone", "Other_Phone"];

impl Zoho {
    pub(super) async fn update_all(&self, records: &[(String, Values)]) -> Result<Vec<CrmWritten>, ProviderError> {
        let mut all: Vec<CrmWritten> = Vec::new();
        for part in records.chunks(MOST_ROWS) {
            match self.update_part(part).await {
                Ok(written) => all.extend(written),
                // What was written must not be lost for the others.
                Err(error) if all.iter().any(Result::is_ok) => {
                    let rest = CrmRefusal { may_repeat: true, ..refusal_of(&error) };
                    all.extend((all.len()..records.len()).map(|_| Err(rest.clone())));
                    break;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(all)
    }

    async fn update_part(&self, records: &[(String, Values)]) -> Result<Vec<CrmWritten>, ProviderError> {
        let mut rows = Vec::new();
        for (id, values) in records.iter().filter(|(id, _)| is_id(id)) {
            let mut row = self.row(values).await?;
            row.insert("id".to_owned(), json!(id));
            rows.push(Value::Object(row));
        }
        let mut written = if rows.is_empty() {
            Vec::new()
        } else {
            self.send(Ask::put(&["Contacts"], json!({ "data": rows })), rows.len()).await?
        }
        .into_iter();
        let fate = |(id, _): &(String, Values)| match is_id(id) {
            true => written.next().unwrap_or_else(|| Err(refused("Zoho said nothing about the record"))),
            false => Err(refused(&format!("“{id}” is no id of a contact"))),
        };
        Ok(records.iter().map(fate).collect())
    }

    pub(super) async fn find_or_make(&self, new: &Values, of_known: &Values) -> Result<CrmWritten, ProviderError> {
        let given = |name: &str| new.get(name).map(|text| text.trim()).filter(|text| !text.is_empty());
        let (email, phone) = (given("Email"), NUMBERS.into_iter().find_map(given));
        if email.is_none() && phone.is_none() {
            return Ok(Err(refused("There is neither an e-mail address nor a number to find the contact by")));
        }
        let (mut known, mut what) = (Vec::new(), "e-mail address");
        if let Some(email) = email {
            known = self.by_email(email).await?;
        }
        if let (true, Some(phone)) = (known.is_empty(), phone) {
            known = self.by_phone(phone).await?;
            // Somebody with the same number and another address is another person.
            known.retain(|(_, theirs)| email.is_none() || theirs.is_none());
            what = "number";
        }
        if known.len() > 1 {
            return Ok(Err(refused(&format!("Several contacts in Zoho CRM have this {what}"))));
        }
        let ask = match (known.pop().map(|(id, _)| id), email) {
            (Some(id), _) if of_known.is_empty() => return Ok(Ok(id)),
            (Some(id), _) => {
                let mut row = self.row(of_known).await?;
                row.insert("id".to_owned(), json!(id));
                Ask::put(&["Contacts"], json!({"data": [row]}))
            }
            // A search shows it late: Zoho looks once more itself.
            (None, Some(_)) => {
                let body = json!({"data": [self.row(new).await?], "duplicate_check_fields": ["Email"]});
                Ask::post(&["Contacts", "upsert"], body).repeatable()
            }
            (None, None) => Ask::post(&["Contacts"], json!({"data": [self.row(new).await?]})),
        };
        Ok(self.send(ask, 1).await?.pop().unwrap_or_else(|| Err(refused("Zoho said nothing about the record"))))
    }

    /// Sends rows; the fate of each, in their order. A refusal of all of them may come with any status.
    pub(super) async fn send(&self, ask: Ask, rows: usize) -> Result<Vec<CrmWritten>, ProviderError> {
        let (document, error) = match self.client.try_ask(ask).await {
            Ok(document) => (document, None),
            Err(Refused { error, document }) if is_about_the_record(&error) => (document, Some(error)),
            Err(refused) => return Err(refused.error),
        };
        match (document["data"].as_array().filter(|all| all.len() == rows), error) {
            (Some(all), _) => Ok(all.iter().map(fate).collect()),
            (None, Some(error)) if rows == 1 => Ok(vec![Err(CrmRefusal { is_gone: false, ..refusal_of(&error) })]),
            (None, Some(error)) => Err(error),
            (None, None) => {
                Err(ProviderError { may_have_acted: true, ..garbage("It does not say what became of the records") })
            }
        }
    }

    /// Values in the types of their fields.
    async fn row(&self, values: &Values) -> Result<Map<String, Value>, ProviderError> {
        let types = self.types.get_or_try_init(|| self.read_types()).await?;
        let typed = |(name, text): (&String, &String)| {
            let kind = types.get(name).map(String::as_str).unwrap_or_default();
            (name.clone(), typed(kind, text))
        };
        Ok(values.iter().filter(|(name, _)| *name != "id").map(typed).collect())
    }

    async fn read_types(&self) -> Result<BTreeMap<String, String>, ProviderError> {
        let document = self.client.ask(Ask::get(&["settings", "fields"]).query("module", "Contacts")).await?;
        let all = document["fields"].as_array().ok_or_else(|| garbage("It listed no fields"))?;
        let pair = |one: &Value| Some((one["api_name"].as_str()?.to_owned(), one["data_type"].as_str()?.to_owned()));
        Ok(all.iter().filter_map(pair).collect())
    }

    async fn by_email(&self, email: &str) -> Result<Vec<Found>, ProviderError> {
        let is_same =
            |one: &Value| one["Email"].as_str().is_some_and(|theirs| theirs.trim().eq_ignore_ascii_case(email));
        self.found("email", email, is_same).await
    }

    async fn by_phone(&self, phone: &str) -> Result<Vec<Found>, ProviderError> {
        let is_same = |one: &Value| {
            NUMBERS.iter().any(|name| one[*name].as_str().is_some_and(|theirs| is_same_number(theirs, phone)))
        };
        let mut found = Vec::new();
        // As it was given, and without its country.
        for form in [Some(phone.to_owned()), end_of_number(phone)].into_iter().flatten() {
            found.extend(self.found("phone", &form, is_same).await?);
        }
        found.sort();
        found.dedup();
        Ok(found)
    }

    /// Contacts that a search gives, and that are what was looked for.
    async fn found(
        &self,
        what: &str,
        text: &str,
        is_same: impl Fn(&Value) -> bool,
    ) -> Result<Vec<Found>, ProviderError> {
        let ask = Ask::get(&["Contacts", "search"]).query(what, text).query("per_page", "50");
        let document = match self.client.ask(ask).await {
            Ok(document) => document,
            Err(error) if is_about_the_record(&error) => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let all = document["data"].as_array().map(Vec::as_slice).unwrap_or_default();
        let email = |one: &Value| one["Email"].as_str().map(str::to_owned).filter(|text| !text.trim().is_empty());
        Ok(all.iter().filter(|one| is_same(one)).filter_map(|one| Some((id_of(&one["id"])?, email(one)))).collect())
    }
}

/// What became of one row.
fn fate(row: &Value) -> CrmWritten {
    let details = &row["details"];
    let code = row["code"].as_str().unwrap_or_default();
    if code == "SUCCESS" || row["status"] == "success" {
        return id_of(&details["id"]).ok_or_else(|| refused("Zoho named no record"));
    }
    let property = details["api_name"].as_str().map(str::to_owned);
    let message = reading::reason(row).unwrap_or_else(|| "Zoho gave no reason".to_owned());
    let is_gone = matches!(code, "INVALID_DATA" | "RECORD_NOT_FOUND") && property.as_deref() == Some("id");
    let may_repeat = matches!(code, "INTERNAL_ERROR" | "TOO_MANY_REQUESTS" | "RECORD_LOCKED" | "RECORD_MODIFIED");
    Err(CrmRefusal { message, property: property.filter(|name| name != "id"), is_gone, merged_into: None, may_repeat })
}

/// A text as the type of its field wants it. What cannot be read stays as it is: Zoho says then what is wrong.
fn typed(kind: &str, text: &str) -> Value {
    let text = text.trim();
    if text.is_empty() && kind != "boolean" {
        return Value::Null;
    }
    match kind {
        "boolean" => match text.to_ascii_lowercase().as_str() {
            "true" | "yes" | "1" => json!(true),
            "false" | "no" | "0" | "" => json!(false),
            _ => json!(text),
        },
        "integer" => text.parse::<i64>().map_or_else(|_| json!(text), |number| json!(number)),
        "double" | "currency" | "percent" => {
            serde_json::from_str::<serde_json::Number>(text).map_or_else(|_| json!(text), Value::Number)
        }
        "multiselectpicklist" => {
            json!(text.split(';').map(str::trim).filter(|one| !one.is_empty()).collect::<Vec<_>>())
        }
        "date" => json!(text.get(..10).unwrap_or(text)),
        "datetime" => crate::wire::parse_time(text).map_or_else(|| json!(text), |at| json!(reading::written(at))),
        _ => json!(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_have_fates_of_their_own() {
        let made = json!({"code": "SUCCESS", "status": "success", "action": "insert", "message": "record added", "details": {"id": "365"}});
        assert_eq!(fate(&made), Ok("365".to_owned()));
        let missing = json!({"code": "MANDATORY_NOT_FOUND", "status": "error", "message": "required field not found", "details": {"api_name": "Last_Name"}});
        let Err(refusal) = fate(&missing) else { panic!("taken") };
        assert_eq!(refusal.property.as_deref(), Some("Last_Name"));
        assert!(!refusal.is_gone && !refusal.may_repeat);
        let gone = json!({"code": "INVALID_DATA", "status": "error", "message": "the id given seems to be invalid", "details": {"api_name": "id"}});
        assert!(matches!(fate(&gone), Err(CrmRefusal { is_gone: true, property: None, .. })));
        assert!(fate(&json!("odd")).is_err());
    }

    #[test]
    fn values_take_the_type_of_their_field() {
        assert_eq!(typed("boolean", "yes"), json!(true));
        assert_eq!(typed("integer", "48"), json!(48));
        assert_eq!(typed("currency", "1200.50"), json!(1200.50));
        assert_eq!(typed("multiselectpicklist", "a; b"), json!(["a", "b"]));
        assert_eq!(typed("datetime", "2026-11-23T10:00:00.000Z"), json!("2026-11-23T10:00:00+00:00"));
        assert_eq!(typed("text", ""), Value::Null);
        assert_eq!(typed("integer", "many"), json!("many"));
    }
}
