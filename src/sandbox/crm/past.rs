//! What was done with the people of a fresh account before anybody connected it: notes, calls, tasks and meetings, drawn from the
//! account's name.

use std::collections::BTreeMap;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};

use super::CrmKind;
use super::book::{Object, Record};
use crate::rng::Rng;

/// A title and what was written down.
const NOTES: [(&str, &str); 6] = [
    ("Wants fewer letters", "Asked for everything by e-mail from now on.\nAddress is up to date."),
    (
        "Compared prices",
        "Has an offer of another insurer, about 40 a year cheaper & without glass.\nCall before the renewal.",
    ),
    ("New car from spring", "Sells the old one in March. Needs a new policy <from the day of the registration>."),
    ("Claim settled", "Water damage in the kitchen, paid in full. Was happy with how quickly it went."),
    ("Prefers afternoons", "Works in the mornings. Best reached after 3 p.m."),
    ("Moved in with partner", "Both have household cover. One of the two policies can end."),
];
const CALLS: [(&str, &str); 3] = [
    ("Asked about the renewal", "Explained the new conditions. Will think about it."),
    ("Claim reported", "Bicycle stolen from the cellar. Police report follows."),
    ("Checked the details", "All correct. No changes."),
];
const TASKS: [(&str, &str); 3] = [
    ("Send the offer", "Household and glass, two variants."),
    ("Check the claim", "The repair’s invoice is still missing."),
    ("Call before the renewal", "Has another offer."),
];
const MEETINGS: [(&str, &str); 2] =
    [("Yearly review", "At their home. All policies."), ("Visit after the damage", "Photos were taken.")];

/// What the services call title, text, a state and the time.
struct Names {
    object: Object,
    title: &'static str,
    text: &'static str,
    states: &'static [(&'static str, &'static [&'static str])],
    at: &'static str,
    all: &'static [(&'static str, &'static str)],
    /// Every so-manieth person has one.
    every: usize,
}

fn names(kind: CrmKind) -> [Names; 4] {
    use Object::{Call, Meeting, Note, Task};
    let of = |object, title, text, states, at, all, every| Names { object, title, text, states, at, all, every };
    match kind {
        CrmKind::Hubspot => [
            of(Note, "", "hs_note_body", &[], "hs_timestamp", &NOTES, 2),
            of(
                Call,
                "hs_call_title",
                "hs_call_body",
                &[("hs_call_direction", &["INBOUND", "OUTBOUND"]), ("hs_call_status", &["COMPLETED", "NO_ANSWER"])],
                "hs_timestamp",
                &CALLS,
                6,
            ),
            of(
                Task,
                "hs_task_subject",
                "hs_task_body",
                &[("hs_task_status", &["NOT_STARTED", "COMPLETED"])],
                "hs_timestamp",
                &TASKS,
                9,
            ),
            of(
                Meeting,
                "hs_meeting_title",
                "hs_meeting_body",
                &[("hs_meeting_outcome", &["COMPLETED", "RESCHEDULED"])],
                "hs_meeting_start_time",
                &MEETINGS,
                12,
            ),
        ],
        CrmKind::Zoho => [
            of(Note, "Note_Title", "Note_Content", &[], "", &NOTES, 2),
            of(
                Call,
                "Subject",
                "Description",
                &[("Call_Type", &["Inbound", "Outbound"]), ("Outgoing_Call_Status", &["Completed"])],
                "Call_Start_Time",
                &CALLS,
                6,
            ),
            of(Task, "Subject", "Description", &[("Status", &["Not Started", "Completed"])], "Due_Date", &TASKS, 9),
            of(Meeting, "Event_Title", "Description", &[], "Start_DateTime", &MEETINGS, 12),
        ],
    }
}

/// Activities of these people.
pub(super) fn drawn(kind: CrmKind, account: &str, now: DateTime<Utc>, people: &[Record]) -> Vec<Record> {
    let mut rng = Rng::new(11, account);
    let mut all: Vec<Record> = Vec::new();
    for names in names(kind) {
        for person in people.iter().filter(|record| record.object == Object::Contact).step_by(names.every) {
            let id = kind.first_activity() + all.len() as u64;
            let at = now - TimeDelta::hours(2 + rng.below(24 * 200) as i64);
            let (title, text) = names.all[rng.below(names.all.len())];
            let mut values = properties(kind, &names, title, text, at);
            for (name, states) in names.states {
                values.insert((*name).to_owned(), states[rng.below(states.len())].to_owned());
            }
            all.push(Record { links: vec![person.id], ..Record::new(id, names.object, values, at, at) });
        }
    }
    all
}

fn properties(kind: CrmKind, names: &Names, title: &str, text: &str, at: DateTime<Utc>) -> BTreeMap<String, String> {
    let text = match (kind, names.title) {
        // What people write there is HTML, and a note has no title of its own.
        (CrmKind::Hubspot, "") => html(&format!("{title}\n{text}")),
        (CrmKind::Hubspot, _) => html(text),
        (CrmKind::Zoho, _) => text.to_owned(),
    };
    let when = match (kind, names.at) {
        (CrmKind::Hubspot, _) => at.to_rfc3339_opts(SecondsFormat::Millis, true),
        (CrmKind::Zoho, "Due_Date") => at.date_naive().to_string(),
        (CrmKind::Zoho, _) => at.format("%Y-%m-%dT%H:%M:%S+00:00").to_string(),
    };
    let values = [(names.title, title.to_owned()), (names.text, text), (names.at, when.clone())];
    let mut all: BTreeMap<String, String> =
        values.into_iter().filter(|(name, _)| !name.is_empty()).map(|(name, value)| (name.to_owned(), value)).collect();
    if kind == CrmKind::Hubspot {
        all.insert("hs_timestamp".to_owned(), when);
    }
    all
}

fn html(text: &str) -> String {
    let safe = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let paragraphs: String = safe.lines().map(|line| format!("<p>{line}</p>")).collect();
    format!("<div style=\"\" dir=\"auto\" data-top-level=\"true\">{paragraphs}</div>")
}
