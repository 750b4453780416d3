//! Contacts are written: many that are known, or one that may have to be made.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::finding::found;
use super::{HubSpot, MOST, garbage, reading};
use crate::crm::{CrmObject, CrmRefusal, CrmWritten};
use crate::crm_client::Refused;
use crate::crm_wire::{end_of_number, id_of, is_about_the_record, is_id, is_same_number, refusal_of, refused};
use crate::error::ProviderError;
use crate::http::Ask;

type Values = BTreeMap<String, String>;

/// The refusal of the one record that the request was about.
pub(super) fn of_record(refused: &Refused) -> CrmRefusal {
    let (said, property) = reading::reason(&refused.document);
    let usual = refusal_of(&refused.error);
    let message = said.map(|said| crate::error::one_line(&said)).unwrap_or_else(|| usual.message.clone());
    CrmRefusal { message, property, ..usual }
}

impl HubSpot {
    pub(super) async fn update_all(&self, records: &[(String, Values)]) -> Result<Vec<CrmWritten>, ProviderError> {
        let mut written: Vec<Option<CrmWritten>> = vec![None; records.len()];
        for (at, (id, _)) in records.iter().enumerate().filter(|(_, (id, _))| !is_id(id)) {
            written[at] = Some(Err(refused(&format!("“{id}” is no id of a contact"))));
        }
        for part in (0..records.len()).collect::<Vec<_>>().chunks(usize::from(MOST)) {
            let part: Vec<usize> = part.iter().copied().filter(|at| written[*at].is_none()).collect();
            if part.len() > 1 {
                self.update_batch(records, &part, &mut written).await?;
            }
        }
        // Whoever the batch says nothing about is written alone: a batch with one bad value is refused as a whole, and one that does not
        // know an id may say that all went well.
        for (at, (id, properties)) in records.iter().enumerate() {
            if written[at].is_some() {
                continue;
            }
            match self.update_one(id, properties).await {
                Ok(one) => written[at] = Some(one),
                Err(error) if written.iter().flatten().any(Result::is_ok) => {
                    // What was written must not be lost for the others.
                    let rest = CrmRefusal { may_repeat: true, ..refusal_of(&error) };
                    written.iter_mut().filter(|one| one.is_none()).for_each(|one| *one = Some(Err(rest.clone())));
                }
                Err(error) => return Err(error),
            }
        }
        Ok(written.into_iter().flatten().collect())
    }

    async fn update_batch(
        &self,
        records: &[(String, Values)],
        part: &[usize],
        written: &mut [Option<CrmWritten>],
    ) -> Result<(), ProviderError> {
        let inputs: Vec<Value> =
            part.iter().map(|at| json!({"id": records[*at].0, "properties": records[*at].1})).collect();
        let path = ["crm", "v3", "objects", "contacts", "batch", "update"];
        let document = match self.client.ask(Ask::post(&path, json!({"inputs": inputs})).repeatable()).await {
            Ok(document) => document,
            Err(error) if is_about_the_record(&error) => return Ok(()),
            Err(error) => return Err(error),
        };
        let mut set = |id: &str, one: CrmWritten| {
            if let Some(at) = part.iter().find(|at| records[**at].0 == id && written[**at].is_none()) {
                written[*at] = Some(one);
            }
        };
        for id in document["results"].as_array().into_iter().flatten().filter_map(|one| id_of(&one["id"])) {
            set(&id, Ok(id.clone()));
        }
        for one in document["errors"].as_array().into_iter().flatten() {
            let (said, property) = reading::reason(one);
            let is_gone = one["category"] == "OBJECT_NOT_FOUND" || one["subCategory"] == "crm.objects.NOT_FOUND";
            let ids = one["context"]["ids"].as_array().into_iter().flatten().chain([&one["id"]]);
            for id in ids.filter_map(id_of) {
                let message = crate::error::one_line(said.as_deref().unwrap_or("HubSpot gave no reason"));
                let property = property.clone();
                set(&id, Err(CrmRefusal { message, property, is_gone, merged_into: None, may_repeat: false }));
            }
        }
        Ok(())
    }

    /// Errors: trouble that is not the record's own.
    pub(super) async fn update_one(&self, id: &str, properties: &Values) -> Result<CrmWritten, ProviderError> {
        let ask = Ask::patch(&["crm", "v3", "objects", "contacts", id], json!({"properties": properties}));
        match self.client.try_ask(ask).await {
            // It was merged away if this is another one.
            Ok(document) => Ok(Ok(id_of(&document["id"]).unwrap_or_else(|| id.to_owned()))),
            Err(refused) if is_about_the_record(&refused.error) => Ok(Err(of_record(&refused))),
            Err(refused) => Err(refused.error),
        }
    }

    pub(super) async fn find_or_make(&self, new: &Values, of_known: &Values) -> Result<CrmWritten, ProviderError> {
        let given = |name: &str| new.get(name).map(|text| text.trim()).filter(|text| !text.is_empty());
        let (email, phone) = (given("email"), given("phone").or_else(|| given("mobilephone")));
        if email.is_none() && phone.is_none() {
            return Ok(Err(refused("There is neither an e-mail address nor a number to find the contact by")));
        }
        let mut known = match email {
            Some(email) => self.by_email(email).await?,
            None => None,
        };
        if let (None, Some(phone)) = (&known, phone) {
            let mut all = self.by_phone(phone).await?;
            // Somebody with the same number and another address is another person.
            all.retain(|(_, theirs)| email.is_none() || theirs.as_deref().is_none_or(|theirs| Some(theirs) == email));
            if all.len() > 1 {
                return Ok(Err(refused("Several contacts in HubSpot have this number")));
            }
            known = all.pop().map(|(id, _)| id);
        }
        if let Some(id) = known {
            return self.update_some(id, of_known).await;
        }
        let ask = Ask::post(&["crm", "v3", "objects", "contacts"], json!({"properties": new}));
        match self.client.try_ask(ask).await {
            Ok(document) => {
                let id = id_of(&document["id"]);
                id.map(Ok).ok_or_else(|| ProviderError { may_have_acted: true, ..garbage("It named no contact") })
            }
            // A search shows it late, or the address is somebody's second one.
            Err(refused) => match reading::existing(refused.document["message"].as_str().unwrap_or_default()) {
                Some(id) => self.update_some(id, of_known).await,
                None if is_about_the_record(&refused.error) => {
                    Ok(Err(CrmRefusal { is_gone: false, ..of_record(&refused) }))
                }
                None => Err(refused.error),
            },
        }
    }

    async fn update_some(&self, id: String, properties: &Values) -> Result<CrmWritten, ProviderError> {
        if properties.is_empty() { Ok(Ok(id)) } else { self.update_one(&id, properties).await }
    }

    async fn by_email(&self, email: &str) -> Result<Option<String>, ProviderError> {
        let ask = Ask::get(&["crm", "v3", "objects", "contacts", email]).query("idProperty", "email");
        match self.client.ask(ask).await {
            Ok(document) => Ok(id_of(&document["id"])),
            Err(error) if is_about_the_record(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Contacts with the number, in whatever form, and their addresses.
    async fn by_phone(&self, phone: &str) -> Result<Vec<(String, Option<String>)>, ProviderError> {
        let Some(end) = end_of_number(phone) else { return Ok(Vec::new()) };
        let filter = |name: &str, operator: &str, value: &str| json!({"filters": [{"propertyName": name, "operator": operator, "value": value}]});
        // HubSpot keeps numbers as they were typed, and beside them without their country.
        let any = format!("*{end}");
        let groups = json!([
            filter("phone", "EQ", phone),
            filter("mobilephone", "EQ", phone),
            filter("hs_searchable_calculated_phone_number", "CONTAINS_TOKEN", &any),
            filter("hs_searchable_calculated_mobile_number", "CONTAINS_TOKEN", &any),
        ]);
        let body = json!({"filterGroups": groups, "properties": ["phone", "mobilephone", "email"], "limit": 20});
        let document = self.client.ask(found(CrmObject::Contact, body)).await?;
        let all = document["results"].as_array().ok_or_else(|| garbage("It listed no records"))?;
        let all = all.iter().filter_map(|one| reading::record(CrmObject::Contact, one));
        let has = |name: &str, record: &crate::crm::CrmRecord| {
            record.properties.get(name).is_some_and(|theirs| is_same_number(theirs, phone))
        };
        let same = all.filter(|record| has("phone", record) || has("mobilephone", record));
        let mut same: Vec<_> = same.map(|record| (record.id, record.properties.get("email").cloned())).collect();
        same.dedup_by(|one, other| one.0 == other.0);
        Ok(same)
    }
}
