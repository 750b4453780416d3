//! Events as messages in a channel: short, in plain words, with a button that leads to the page.

use std::collections::BTreeMap;

use serde_json::Value;
use uuid::Uuid;

use super::messages::TROUBLE;
use super::store::messages::Taken;
use crate::model::OUTCOMES;
use patchbay_providers::slack::{Button, SlackMessage};
use patchbay_webhooks::model::EventType;

/// One event.
pub(super) fn message(taken: &Taken, public_url: &str) -> SlackMessage {
    let body: Value = serde_json::from_str(&taken.body).unwrap_or(Value::Null);
    let data = &body["data"];
    let kind: Option<EventType> = taken.event_type.parse().ok();
    let text = |name: &str| as_text(&data[name]);
    let field = |label: &str, name: &str| (label.to_owned(), text(name));
    let number = || {
        let is_in = data["direction"] == "inbound";
        let (label, name) = if is_in { ("Caller", "from") } else { ("Number", "to") };
        (label.to_owned(), text(name))
    };
    let result = || ("Result".to_owned(), outcome(&text("outcome")));
    let title = match kind {
        Some(EventType::CallStarted) => "A call has begun".to_owned(),
        Some(EventType::CallCompleted) => format!("Call: {}", outcome(&text("outcome"))),
        Some(EventType::CallFailed) => format!("Nobody reached: {}", outcome(&text("outcome"))),
        Some(EventType::AnalysisCompleted) => "A call was read".to_owned(),
        Some(EventType::BatchCompleted) => "A batch is over".to_owned(),
        Some(EventType::ContactChanged) => "A contact is new, or has changed".to_owned(),
        Some(EventType::ContactSuppressed) => "Do not call any more".to_owned(),
        Some(EventType::CallbackAsked) => "Somebody wants to be called again".to_owned(),
        Some(EventType::MessageReceived) => "A text message came in".to_owned(),
        Some(EventType::BudgetNear) => "A budget is nearly used up".to_owned(),
        _ if taken.event_type == TROUBLE => format!("{} needs somebody", text("system")),
        _ => "Patchbay".to_owned(),
    };
    let (fields, words) = match kind {
        Some(EventType::CallStarted | EventType::CallCompleted | EventType::CallFailed) => {
            (vec![number(), field("Agent", "agent"), ("Length".to_owned(), length(&data["seconds"]))], String::new())
        }
        Some(EventType::AnalysisCompleted) => {
            (vec![number(), field("Agent", "agent"), result(), field("Mood", "sentiment")], text("summary"))
        }
        Some(EventType::MessageReceived) => (vec![field("From", "from")], text("text")),
        _ if taken.event_type == TROUBLE => (vec![field("Integration", "name")], text("problem")),
        _ => (others(data), String::new()),
    };
    let context = taken.client.clone().unwrap_or_default();
    SlackMessage { title, fields, text: words, context, button: button(taken, public_url) }
}

/// Many calls at once: how many ended how, and where the list is. Of a call that several events tell of the last one counts.
pub(super) fn digest(all: &[Taken], public_url: &str) -> SlackMessage {
    let (mut counts, mut clients): (BTreeMap<String, usize>, Vec<String>) = (BTreeMap::new(), Vec::new());
    let calls: BTreeMap<Option<Uuid>, &Taken> = all.iter().map(|taken| (taken.subject_id, taken)).collect();
    for taken in calls.values() {
        let body: Value = serde_json::from_str(&taken.body).unwrap_or(Value::Null);
        *counts.entry(outcome(&as_text(&body["data"]["outcome"]))).or_default() += 1;
        if let Some(client) = taken.client.as_ref().filter(|client| !clients.contains(client)) {
            clients.push(client.clone());
        }
    }
    let mut counts: Vec<(String, usize)> = counts.into_iter().collect();
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    SlackMessage {
        title: format!("{} {}", calls.len(), if calls.len() == 1 { "call" } else { "calls" }),
        fields: counts.into_iter().map(|(label, count)| (label, count.to_string())).collect(),
        text: String::new(),
        context: clients.join(", "),
        button: Some(Button { label: "Open the calls".to_owned(), url: format!("{public_url}/calls") }),
    }
}

/// A message that shows that it works.
pub(super) fn test(name: &str, public_url: &str, at: &str) -> SlackMessage {
    SlackMessage {
        title: "Patchbay can write here".to_owned(),
        fields: vec![("Integration".to_owned(), name.to_owned())],
        text: "This message was sent by hand. Chosen events will look like it.".to_owned(),
        context: String::new(),
        button: Some(Button { label: "Open the integration".to_owned(), url: format!("{public_url}{at}") }),
    }
}

fn button(taken: &Taken, public_url: &str) -> Option<Button> {
    let id = taken.subject_id?;
    let (label, path) = match taken.subject.as_deref() {
        Some("call") => ("Open the call", "calls"),
        Some("batch") => ("Open the batch", "batches"),
        Some("contact") => ("Open the contact", "contacts"),
        Some("client") => ("Open the client", "clients"),
        None if taken.event_type == TROUBLE => ("Open the integration", "integrations"),
        _ => return None,
    };
    Some(Button { label: label.to_owned(), url: format!("{public_url}/{path}/{id}") })
}

/// What else an event says: plain values by their names, without ids and addresses.
fn others(data: &Value) -> Vec<(String, String)> {
    let fields = data.as_object().into_iter().flatten();
    let told = fields.filter(|(name, value)| {
        !name.ends_with("_id")
            && *name != "id"
            && *name != "url"
            && !value.is_object()
            && !value.is_array()
            && !value.is_null()
    });
    told.map(|(name, value)| {
        let label = name.replace('_', " ");
        let mut letters = label.chars();
        let first = letters.next().map(|letter| letter.to_uppercase().to_string()).unwrap_or_default();
        (first + letters.as_str(), as_text(value))
    })
    .collect()
}

fn as_text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Bool(yes) => if *yes { "Yes" } else { "No" }.to_owned(),
        other => other.to_string(),
    }
}

/// A result in the words of the pages.
fn outcome(word: &str) -> String {
    let known = OUTCOMES.iter().find(|(known, _)| *known == word).map(|(_, label)| (*label).to_owned());
    known.unwrap_or_else(|| if word.is_empty() { "over".to_owned() } else { word.replace('_', " ") })
}

fn length(seconds: &Value) -> String {
    match seconds.as_u64() {
        None => String::new(),
        Some(seconds @ ..60) => format!("{seconds} s"),
        Some(seconds) => format!("{} min {} s", seconds / 60, seconds % 60),
    }
}
