//! What is written beside a contact: calls and tasks. Zoho has no key against doing it twice, so ours stands in the description and is
//! looked for first.

use serde_json::{Value, json};

use super::{Zoho, garbage, reading};
use crate::crm::*;
use crate::crm_wire::{id_of, is_about_the_record, is_id, refused, word_of};
use crate::error::ProviderError;
use crate::http::Ask;

/// The longest subject.
const LONGEST_SUBJECT: usize = 250;

impl Zoho {
    pub(super) async fn log_call(&self, call: &CrmCall) -> Result<CrmWritten, ProviderError> {
        let word = word_of(super::NAME, &call.key)?;
        let mut row = json!({
            "Subject": subject(&call.title),
            "Call_Type": if call.inbound { "Inbound" } else { "Outbound" },
            "Call_Start_Time": reading::written(call.at),
            // Minutes and seconds.
            "Call_Duration": format!("{:02}:{:02}", call.seconds / 60, call.seconds % 60),
            "Description": described(&format!("{}\n{} → {}", call.body, call.from, call.to), &word),
            "Who_Id": {"id": call.contact},
        });
        if !call.inbound {
            row["Outgoing_Call_Status"] = json!("Completed");
        } else if !call.reached {
            row["Call_Type"] = json!("Missed");
        }
        self.activity("Calls", &word, &call.contact, row).await
    }

    pub(super) async fn make_task(&self, task: &CrmTask) -> Result<CrmWritten, ProviderError> {
        let word = word_of(super::NAME, &task.key)?;
        let row = json!({
            "Subject": subject(&task.title),
            "Due_Date": task.due.format("%Y-%m-%d").to_string(),
            "Status": "Not Started",
            // The date has no time of day.
            "Description": described(&format!("{}\n{}", task.due.format("%Y-%m-%d %H:%M UTC"), task.body), &word),
            "Who_Id": {"id": task.contact},
        });
        self.activity("Tasks", &word, &task.contact, row).await
    }

    async fn activity(&self, module: &str, word: &str, contact: &str, row: Value) -> Result<CrmWritten, ProviderError> {
        if !is_id(contact) {
            return Ok(Err(refused("The contact has no id in Zoho CRM")));
        }
        if let Some(id) = self.find_activity(module, word).await? {
            return Ok(Ok(id));
        }
        let made = self.send(Ask::post(&[module], json!({"data": [row]})), 1).await?.pop();
        match made {
            Some(Err(refusal)) => {
                // Whether it is the contact that is missing, the contact itself tells.
                let is_gone = self.get(CrmObject::Contact, contact, &[]).await?.is_none();
                Ok(Err(CrmRefusal { is_gone, ..refusal }))
            }
            Some(made) => Ok(made),
            None => Err(garbage("It does not say what became of the activity")),
        }
    }

    async fn find_activity(&self, module: &str, word: &str) -> Result<Option<String>, ProviderError> {
        let ask = Ask::get(&[module, "search"]).query("word", word).query("per_page", "10");
        let document = match self.client.ask(ask).await {
            Ok(document) => document,
            Err(error) if is_about_the_record(&error) => return Ok(None),
            Err(error) => return Err(error),
        };
        let all = document["data"].as_array().map(Vec::as_slice).unwrap_or_default();
        let ours = all.iter().find(|one| one["Description"].as_str().is_some_and(|text| text.contains(word)));
        Ok(ours.and_then(|one| id_of(&one["id"])))
    }
}

fn subject(title: &str) -> String {
    crate::error::one_line(title).chars().take(LONGEST_SUBJECT).collect()
}

fn described(body: &str, word: &str) -> String {
    let clean: String = body.chars().filter(|c| !c.is_control() || *c == '\n').collect();
    format!("{}\n\nRef. {word}", clean.trim())
}
