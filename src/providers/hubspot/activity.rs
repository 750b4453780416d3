//! What is written beside a contact: calls and tasks. HubSpot has no key against doing it twice, so ours stands in the text and is looked
//! for first.

use chrono::SecondsFormat;
use serde_json::{Value, json};

use super::writing::of_record;
use super::{HubSpot, garbage};
use crate::crm::*;
use crate::crm_wire::{id_of, is_about_the_record, is_id, refused, word_of};
use crate::error::ProviderError;
use crate::http::Ask;

/// HubSpot's own kinds of associations.
const CALL_OF_CONTACT: u32 = 194;
const TASK_OF_CONTACT: u32 = 204;

impl HubSpot {
    pub(super) async fn log_call(&self, call: &CrmCall) -> Result<CrmWritten, ProviderError> {
        let word = word_of(super::NAME, &call.key)?;
        let properties = json!({
            "hs_timestamp": call.at.to_rfc3339_opts(SecondsFormat::Millis, true),
            "hs_call_title": call.title,
            "hs_call_body": html(&call.body, &word),
            "hs_call_direction": if call.inbound { "INBOUND" } else { "OUTBOUND" },
            "hs_call_duration": (u64::from(call.seconds) * 1000).to_string(),
            "hs_call_from_number": call.from,
            "hs_call_to_number": call.to,
            "hs_call_status": if call.reached { "COMPLETED" } else { "NO_ANSWER" },
        });
        self.activity("calls", "hs_call_body", &word, &call.contact, CALL_OF_CONTACT, properties).await
    }

    pub(super) async fn make_task(&self, task: &CrmTask) -> Result<CrmWritten, ProviderError> {
        let word = word_of(super::NAME, &task.key)?;
        let properties = json!({
            "hs_timestamp": task.due.to_rfc3339_opts(SecondsFormat::Millis, true),
            "hs_task_subject": task.title,
            "hs_task_body": html(&task.body, &word),
            "hs_task_status": "NOT_STARTED",
            "hs_task_type": "CALL",
        });
        self.activity("tasks", "hs_task_body", &word, &task.contact, TASK_OF_CONTACT, properties).await
    }

    async fn activity(
        &self,
        kind: &str,
        body: &str,
        word: &str,
        contact: &str,
        association: u32,
        properties: Value,
    ) -> Result<CrmWritten, ProviderError> {
        if !is_id(contact) {
            return Ok(Err(refused("The contact has no id in HubSpot")));
        }
        if let Some(id) = self.find_activity(kind, body, word).await? {
            return Ok(Ok(id));
        }
        let kinds = json!([{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": association}]);
        let document = json!({"properties": properties, "associations": [{"to": {"id": contact}, "types": kinds}]});
        match self.client.try_ask(Ask::post(&["crm", "v3", "objects", kind], document)).await {
            Ok(made) => {
                let id = id_of(&made["id"]);
                id.map(Ok).ok_or_else(|| ProviderError { may_have_acted: true, ..garbage("It named no activity") })
            }
            Err(refused) if is_about_the_record(&refused.error) => {
                // Whether it is the contact that is missing, the contact itself tells.
                let now = self.get(CrmObject::Contact, contact, &[]).await?;
                let merged_into = now.as_ref().filter(|now| now.id != contact).map(|now| now.id.clone());
                Ok(Err(CrmRefusal { is_gone: now.is_none(), merged_into, ..of_record(&refused) }))
            }
            Err(refused) => Err(refused.error),
        }
    }

    async fn find_activity(&self, kind: &str, body: &str, word: &str) -> Result<Option<String>, ProviderError> {
        let filters = json!([{"propertyName": body, "operator": "CONTAINS_TOKEN", "value": word}]);
        let asked = json!({"filterGroups": [{"filters": filters}], "properties": [body], "limit": 10});
        let ask = Ask::post(&["crm", "v3", "objects", kind, "search"], asked).repeatable();
        let document = self.client.ask(ask).await?;
        let all = document["results"].as_array().ok_or_else(|| garbage("It listed no activities"))?;
        // A search that ignored its filter would answer with every activity.
        let ours = all.iter().find(|one| one["properties"][body].as_str().is_some_and(|text| text.contains(word)));
        Ok(ours.and_then(|one| id_of(&one["id"])))
    }
}

/// Plain text as HubSpot shows it, with our key at its end.
fn html(text: &str, word: &str) -> String {
    let mut out = String::with_capacity(text.len() + 80);
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' => out.push_str("<br>"),
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    format!("{out}<br>Ref. {word}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_stays_text() {
        assert_eq!(html("a <b>\nc & \"d\"\u{0}", "key12345"), "a &lt;b&gt;<br>c &amp; &quot;d&quot;<br>Ref. key12345");
    }
}
