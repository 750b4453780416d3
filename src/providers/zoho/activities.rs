//! What is read of a person's activities, and what the stages of deals are called.

use async_trait::async_trait;
use chrono::{DateTime, NaiveDate, NaiveTime, Utc};

use super::Zoho;
use crate::crm::*;
use crate::crm_activity::{Said, activity};
use crate::error::ProviderError;
use crate::wire::parse_time;

/// The time of day of what has only a day: noon, which is that day nearly everywhere.
const NOON: NaiveTime = match NaiveTime::from_hms_opt(12, 0, 0) {
    Some(noon) => noon,
    None => NaiveTime::MIN,
};

pub(super) fn module(kind: CrmActivityKind) -> &'static str {
    match kind {
        CrmActivityKind::Note => "Notes",
        CrmActivityKind::Call => "Calls",
        CrmActivityKind::Task => "Tasks",
        CrmActivityKind::Meeting => "Events",
    }
}

/// The field that names the person. A note's may name a record of any module; ids are never of two.
pub(super) fn contact_field(kind: CrmActivityKind) -> &'static str {
    match kind {
        CrmActivityKind::Note => "Parent_Id",
        CrmActivityKind::Call | CrmActivityKind::Task | CrmActivityKind::Meeting => "Who_Id",
    }
}

/// Title, text, two parts of a state, and when.
fn properties(kind: CrmActivityKind) -> [&'static str; 5] {
    match kind {
        CrmActivityKind::Note => ["Note_Title", "Note_Content", "", "", "Created_Time"],
        CrmActivityKind::Call => ["Subject", "Description", "Call_Type", "Outgoing_Call_Status", "Call_Start_Time"],
        CrmActivityKind::Task => ["Subject", "Description", "Status", "", "Due_Date"],
        CrmActivityKind::Meeting => ["Event_Title", "Description", "", "", "Start_DateTime"],
    }
}

#[async_trait]
impl CrmActivities for Zoho {
    async fn activities(
        &self,
        kind: CrmActivityKind,
        since: Option<DateTime<Utc>>,
        next: Option<&str>,
        most: u16,
    ) -> Result<CrmActivityPage, ProviderError> {
        let mut wanted: Vec<String> =
            properties(kind).into_iter().filter(|name| !name.is_empty()).map(str::to_owned).collect();
        wanted.push("Created_Time".to_owned());
        let page = self.page(CrmObject::Activity(kind), &wanted, since, next, most).await?;
        Ok(CrmActivityPage {
            activities: page.records.iter().map(|record| of(kind, record)).collect(),
            next: page.next,
        })
    }

    async fn stages(&self) -> Result<Vec<(String, String)>, ProviderError> {
        let all = self.properties(CrmObject::Deal).await?;
        Ok(all.into_iter().find(|field| field.name == "Stage").map(|field| field.options).unwrap_or_default())
    }
}

fn of(kind: CrmActivityKind, record: &CrmRecord) -> CrmActivity {
    let [title, text, one, other, at] = properties(kind);
    let value = |name: &str| record.properties.get(name).map(String::as_str);
    let at = [at, "Created_Time"].into_iter().find_map(|name| time(value(name)?));
    activity(record, Said { title: value(title), text: value(text), state: [value(one), value(other)], at })
}

/// A time, or a day.
fn time(text: &str) -> Option<DateTime<Utc>> {
    parse_time(text).or_else(|| Some(text.trim().parse::<NaiveDate>().ok()?.and_time(NOON).and_utc()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::zoho::reading;
    use serde_json::{Value, json};

    fn read(kind: CrmActivityKind, value: &Value) -> CrmActivity {
        of(kind, &reading::record(CrmObject::Activity(kind), value).unwrap())
    }

    #[test]
    fn activities_as_the_documents_show_them() {
        let note = json!({"id": "3652397000002153001", "Note_Title": "Contacted", "Note_Content": "Wants a quote for <two> cars\nby May",
            "Parent_Id": {"module": {"api_name": "Contacts", "id": "3652397000000002179"}, "name": "Ada", "id": "3652397000000649013"},
            "Modified_Time": "2026-03-02T10:00:00+01:00", "Created_Time": "2026-03-01T10:00:00+01:00", "$attachments": null});
        let note = read(CrmActivityKind::Note, &note);
        assert_eq!((note.title.as_str(), note.text.as_str()), ("Contacted", "Wants a quote for <two> cars\nby May"));
        assert_eq!(note.contacts, ["3652397000000649013"]);
        assert_eq!(note.at.map(|at| at.to_rfc3339()).as_deref(), Some("2026-03-01T09:00:00+00:00"));
        let call = json!({"id": "1", "Subject": "Outgoing call", "Call_Type": "Outbound", "Outgoing_Call_Status": "Completed",
            "Call_Start_Time": "2026-03-02T10:00:00+01:00", "Who_Id": {"name": "Ada", "id": "9"}});
        let call = read(CrmActivityKind::Call, &call);
        assert_eq!((call.state.as_str(), call.contacts.as_slice()), ("Outbound, completed", &["9".to_owned()][..]));
        let task = json!({"id": "2", "Subject": "Send papers", "Status": "Not Started", "Due_Date": "2026-03-05", "Who_Id": null});
        let task = read(CrmActivityKind::Task, &task);
        assert_eq!(task.at.map(|at| at.to_rfc3339()).as_deref(), Some("2026-03-05T12:00:00+00:00"));
        assert!(task.contacts.is_empty() && task.state == "Not Started");
        let event = json!({"id": "3", "Event_Title": "Visit", "Start_DateTime": "odd", "Created_Time": "2026-03-01T10:00:00Z",
            "Who_Id": {"id": "../9"}});
        let event = read(CrmActivityKind::Meeting, &event);
        assert!(event.contacts.is_empty() && event.at.is_some(), "{event:?}");
    }
}
