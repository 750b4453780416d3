//! Events of calls become messages of rules: one for each rule and call, however often an event is given out.

use std::collections::BTreeMap;

use super::jobs::SendText;
use super::store::rules::Due;
use super::store::{self, NewMessage, list::Person, numbers, rules};
use crate::model::{TextSource, fill, length};
use patchbay_access::server::WriteTx;
use patchbay_jobs::live::Topic;
use patchbay_jobs::{NewJob, enqueue};
use patchbay_shared::AppError;
use patchbay_shared::ids::TextMessageId;
use patchbay_webhooks::model::EventType;
use patchbay_webhooks::server::Event;

/// Writes down what rules send after these events. `call.failed` and `call.completed` come when a call ends, `analysis.completed` when a model
/// has read it: only then is it known what somebody agreed to.
pub async fn events_out(tx: &mut WriteTx, events: &[Event]) -> Result<(), AppError> {
    let about_calls = |event: &&Event| {
        matches!(event.kind, EventType::CallCompleted | EventType::CallFailed | EventType::AnalysisCompleted)
    };
    let calls: Vec<uuid::Uuid> = events.iter().filter(about_calls).map(|event| event.subject_id).collect();
    if calls.is_empty() {
        return Ok(());
    }
    for due in rules::due(tx.reading(), &calls, false).await? {
        write(tx, &due).await?;
    }
    Ok(())
}

/// The same for calls whose reading failed, of which no event tells.
pub(super) async fn unread(tx: &mut WriteTx) -> Result<(), AppError> {
    let calls = rules::unread(tx.reading()).await?;
    for due in rules::due(tx.reading(), &calls, true).await? {
        write(tx, &due).await?;
    }
    Ok(())
}

async fn write(tx: &mut WriteTx, due: &Due) -> Result<(), AppError> {
    let number = match due.number {
        Some(number) => Some(number),
        None => numbers::best(tx.reading(), due.client, due.ours.as_deref()).await?,
    };
    // Without a number nothing can be written down; the rule's page says which number it uses.
    let Some(number) = number else {
        tracing::info!(rule = %due.rule, call = %due.call, "no number carries the text message of a rule");
        return Ok(());
    };
    let filled = fill(&due.template, &values(due));
    let (body, problem) = match &filled {
        Ok(text) => (text.as_str(), None),
        Err(why) => (due.template.as_str(), Some(why.as_str())),
    };
    let new = NewMessage {
        id: TextMessageId::new(),
        client: due.client,
        contact: due.contact,
        call: Some(due.call),
        rule: Some(due.rule),
        source: TextSource::Rule,
        number,
        other: &due.other,
        body,
        parts: parts(body),
        problem,
        send_at: due.send_at,
    };
    if store::insert(tx, &new).await? {
        if problem.is_none() {
            enqueue(tx, &SendText { message: new.id }, NewJob { run_at: Some(due.send_at) }).await?;
        }
        tx.notify(Topic::list("texts"), Some(due.client));
        tx.notify(Topic::one("call", due.call), Some(due.client));
    }
    Ok(())
}

pub(super) fn parts(body: &str) -> i32 {
    i32::try_from(length(body).parts).unwrap_or(i32::MAX)
}

/// What a template's variables stand for. A contact's own values never hide those that every message has.
fn values(due: &Due) -> BTreeMap<String, String> {
    let mut values = due.attributes.as_ref().map(|attributes| attributes.0.clone()).unwrap_or_default();
    let name = due.name.as_deref().unwrap_or_default();
    fixed(&mut values, name, due.company.as_deref(), due.email.as_deref(), &due.client_name);
    values.insert("phone".to_owned(), due.other.clone());
    values.insert("agent_name".to_owned(), due.agent.clone().unwrap_or_default());
    values
}

/// The same for somebody without a call.
pub(super) fn values_of(person: &Person) -> BTreeMap<String, String> {
    let mut values = person.attributes.0.clone();
    fixed(&mut values, &person.name, person.company.as_deref(), person.email.as_deref(), &person.client_name);
    values.insert("phone".to_owned(), person.phone.clone());
    values.insert("agent_name".to_owned(), "Agent".to_owned());
    values
}

fn fixed(values: &mut BTreeMap<String, String>, name: &str, company: Option<&str>, email: Option<&str>, client: &str) {
    let first = name.split_whitespace().next().unwrap_or_default();
    let all = [
        ("contact_name", name),
        ("first_name", first),
        ("company", company.unwrap_or_default()),
        ("email", email.unwrap_or_default()),
        ("client_name", client),
    ];
    values.extend(all.map(|(name, value)| (name.to_owned(), value.to_owned())));
}
