//! What is read of a person's activities, and what the stages of deals are called. An activity is a record like others, whose text is HTML.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::{HubSpot, garbage, reading};
use crate::crm::*;
use crate::crm_activity::{Said, activity};
use crate::crm_wire::value_of;
use crate::error::{ProviderError, one_line};
use crate::http::Ask;

/// Stages that are remembered at most.
const MOST_STAGES: usize = 500;

pub(super) fn path(kind: CrmActivityKind) -> &'static str {
    match kind {
        CrmActivityKind::Note => "notes",
        CrmActivityKind::Call => "calls",
        CrmActivityKind::Task => "tasks",
        CrmActivityKind::Meeting => "meetings",
    }
}

/// Title, text, two parts of a state, and when.
fn properties(kind: CrmActivityKind) -> [&'static str; 5] {
    match kind {
        CrmActivityKind::Note => ["", "hs_note_body", "", "", "hs_timestamp"],
        CrmActivityKind::Call => {
            ["hs_call_title", "hs_call_body", "hs_call_direction", "hs_call_status", "hs_timestamp"]
        }
        CrmActivityKind::Task => ["hs_task_subject", "hs_task_body", "hs_task_status", "", "hs_timestamp"],
        CrmActivityKind::Meeting => {
            ["hs_meeting_title", "hs_meeting_body", "hs_meeting_outcome", "", "hs_meeting_start_time"]
        }
    }
}

#[async_trait]
impl CrmActivities for HubSpot {
    async fn activities(
        &self,
        kind: CrmActivityKind,
        since: Option<DateTime<Utc>>,
        next: Option<&str>,
        most: u16,
    ) -> Result<CrmActivityPage, ProviderError> {
        let mut wanted: Vec<String> =
            properties(kind).into_iter().filter(|name| !name.is_empty()).map(str::to_owned).collect();
        // Some meetings have no other time.
        wanted.push("hs_timestamp".to_owned());
        let page = self.page(CrmObject::Activity(kind), &wanted, since, next, most).await?;
        Ok(CrmActivityPage {
            activities: page.records.iter().map(|record| of(kind, record)).collect(),
            next: page.next,
        })
    }

    async fn stages(&self) -> Result<Vec<(String, String)>, ProviderError> {
        let document = self.client.ask(Ask::get(&["crm", "v3", "pipelines", "deals"])).await?;
        let all = document["results"].as_array().ok_or_else(|| garbage("It listed no pipelines"))?;
        let several = all.len() > 1;
        Ok(all.iter().flat_map(|pipeline| stages_of(pipeline, several)).take(MOST_STAGES).collect())
    }
}

fn of(kind: CrmActivityKind, record: &CrmRecord) -> CrmActivity {
    let [title, text, one, other, at] = properties(kind);
    let value = |name: &str| record.properties.get(name).map(String::as_str);
    let at = [at, "hs_timestamp"].into_iter().find_map(|name| reading::time(value(name)?));
    activity(record, Said { title: value(title), text: value(text), state: [value(one), value(other)], at })
}

/// With the pipeline's name, where there is more than one.
fn stages_of(pipeline: &Value, several: bool) -> Vec<(String, String)> {
    let short = |value: &Value| one_line(value.as_str().unwrap_or_default()).chars().take(80).collect::<String>();
    let name = short(&pipeline["label"]);
    let all = pipeline["stages"].as_array().map(Vec::as_slice).unwrap_or_default();
    let stage = |one: &Value| {
        let (id, label) = (value_of(&one["id"]).filter(|id| id.len() <= 100)?, short(&one["label"]));
        let is_shown = one["archived"] != json!(true) && !label.is_empty();
        let label = if several && !name.is_empty() { format!("{name}: {label}") } else { label };
        is_shown.then_some((id, label))
    };
    all.iter().filter_map(stage).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crm::CrmObject;

    fn read(kind: CrmActivityKind, value: &Value) -> CrmActivity {
        of(kind, &reading::record(CrmObject::Activity(kind), value).unwrap())
    }

    #[test]
    fn activities_as_the_documents_show_them() {
        let call = json!({"id": "871", "properties": {"hs_call_title": "Support call", "hs_timestamp": "2026-03-01T10:00:00.000Z",
            "hs_call_body": "<p>Resolved issue</p>", "hs_call_direction": "OUTBOUND", "hs_call_status": "NO_ANSWER",
            "hs_lastmodifieddate": "2026-03-02T10:00:00.000Z"}, "createdAt": "2026-03-01T10:00:00.000Z",
            "updatedAt": "2026-03-02T10:00:00.000Z", "archived": false,
            "associations": {"contacts": {"results": [{"id": "123", "type": "call_to_contact"}, {"id": "123", "type": "call_to_contact_unlabeled"}]}}});
        let call = read(CrmActivityKind::Call, &call);
        assert_eq!((call.title.as_str(), call.text.as_str()), ("Support call", "Resolved issue"));
        assert_eq!((call.state.as_str(), call.contacts.as_slice()), ("Outbound, no answer", &["123".to_owned()][..]));
        assert_eq!(call.at.map(|at| at.to_rfc3339()).as_deref(), Some("2026-03-01T10:00:00+00:00"));
        assert_eq!(call.changed_at.map(|at| at.to_rfc3339()).as_deref(), Some("2026-03-02T10:00:00+00:00"));
        // Times in milliseconds, and properties without a value.
        let note = json!({"id": "9", "properties": {"hs_note_body": "Spoke to <b>Ada</b><br>Ref. 0198c0ffee0198c0ffee0198c0ffee01",
            "hs_timestamp": "1772460000000", "hs_lastmodifieddate": null}});
        let note = read(CrmActivityKind::Note, &note);
        assert_eq!(note.key.as_deref(), Some("0198c0ffee0198c0ffee0198c0ffee01"));
        assert_eq!(note.at.map(|at| at.timestamp_millis()), Some(1_772_460_000_000));
        assert!(note.title.is_empty() && note.state.is_empty() && note.contacts.is_empty());
        // A meeting without a beginning has its time; one far from any calendar has none.
        let meeting = json!({"id": "3", "properties": {"hs_meeting_title": "Renewal\u{7}", "hs_meeting_outcome": "RESCHEDULED",
            "hs_meeting_start_time": null, "hs_timestamp": "2026-03-05T09:00:00Z"}});
        let meeting = read(CrmActivityKind::Meeting, &meeting);
        assert_eq!((meeting.title.as_str(), meeting.state.as_str()), ("Renewal", "Rescheduled"));
        assert!(meeting.at.is_some());
        let far = json!({"id": "4", "properties": {"hs_task_subject": 7, "hs_timestamp": "99999999999999"}});
        let far = read(CrmActivityKind::Task, &far);
        assert_eq!((far.title.as_str(), far.at), ("7", None));
    }

    #[test]
    fn stages_have_their_labels() {
        let pipeline = json!({"label": "Sales pipeline", "displayOrder": 0, "id": "default", "archived": false, "stages": [
            {"label": "Appointment scheduled", "displayOrder": 0, "metadata": {"isClosed": "false", "probability": "0.2"}, "id": "appointmentscheduled", "archived": false},
            {"label": "Old", "id": "1", "archived": true}, {"label": null, "id": "2"}, "odd", {"id": "3", "label": " "}]});
        let stage = |label: &str| vec![("appointmentscheduled".to_owned(), label.to_owned())];
        assert_eq!(stages_of(&pipeline, false), stage("Appointment scheduled"));
        assert_eq!(stages_of(&pipeline, true), stage("Sales pipeline: Appointment scheduled"));
        assert_eq!(stages_of(&json!([]), true), []);
    }
}
