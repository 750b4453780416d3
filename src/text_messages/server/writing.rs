//! A person or an agent writes to a contact.

use std::collections::BTreeMap;

use chrono::Utc;
use serde_json::json;

use super::calls::{parts, values_of};
use super::costs;
use super::jobs::SendText;
use super::store::{self, NewMessage, list, numbers};
use crate::model::{LONGEST_TEXT, TextSource, fill};
use patchbay_access::server::{Change, Fields, Scope, WriteTx};
use patchbay_access::{Action, Field};
use patchbay_contacts::server::caller;
use patchbay_jobs::live::Topic;
use patchbay_jobs::{NewJob, enqueue};
use patchbay_shared::ids::{ContactId, NumberId, TextMessageId};
use patchbay_shared::{AppError, Phone, Reason};
use patchbay_tools::server::TextOfAgent;
use patchbay_workspaces::server as workspaces;

/// Writes to a contact. The same `key` again is the same message. Errors: `Invalid`, `NotFound`; `Conflict` with the reason why nobody may.
pub(crate) async fn to_contact(
    scope: &Scope,
    contact: ContactId,
    number: &str,
    text: &str,
    key: TextMessageId,
) -> Result<(), AppError> {
    let mut tx = scope.write(Action::ManageTexts).await?;
    let person = list::person(tx.reading(), contact).await?;
    if let Some(why) = refusal(&person) {
        return Err(AppError::Conflict(Reason::WrongState, why));
    }
    if workspaces::is_suspended(tx.reading()).await? {
        let why = "The agency’s account is suspended, so nothing is sent.";
        return Err(AppError::Conflict(Reason::Suspended, why.to_owned()));
    }
    let sees_cost = tx.scope().sees(Field::Cost);
    if let Some(why) = costs::held_back(tx.reading(), person.client, sees_cost).await? {
        return Err(AppError::Conflict(Reason::WrongState, why));
    }
    let text = text.replace("\r\n", "\n");
    let text = text.trim();
    if text.is_empty() || text.chars().count() > LONGEST_TEXT {
        return Err(AppError::invalid("message", "Write a message of at most 1,600 characters."));
    }
    let number: Option<NumberId> = number.parse().ok();
    let usable = numbers::usable(tx.reading(), person.client).await?;
    let number = usable.iter().find(|choice| Some(choice.id) == number);
    let number = number.ok_or_else(|| AppError::invalid("number", "Choose the number that it goes out from."))?;
    let new = NewMessage {
        id: key,
        client: person.client,
        contact: Some(contact),
        call: None,
        rule: None,
        source: TextSource::Person,
        number: number.id,
        other: &person.phone,
        body: text,
        parts: parts(text),
        problem: None,
        send_at: Utc::now(),
    };
    if !store::insert(&mut tx, &new).await? {
        return Ok(());
    }
    enqueue(&mut tx, &SendText { message: key }, NewJob::default()).await?;
    let facts = json!({"contact": contact, "number": number.number, "characters": text.chars().count()});
    tx.audit(Change {
        action: "sent",
        entity: "text_message",
        entity_id: Some(key.0),
        client_id: Some(person.client),
        fields: Fields::Happened(facts),
    })
    .await?;
    tx.notify(Topic::list("texts"), Some(person.client));
    tx.notify(Topic::one("texts_with", contact), Some(person.client));
    tx.commit().await
}

/// Why nobody may write to this contact.
pub(super) fn refusal(person: &list::Person) -> Option<String> {
    if !person.client_is_active {
        return Some("The client is archived, so nobody writes to its contacts.".to_owned());
    }
    person.do_not_call.then(|| {
        let reason = person.do_not_call_reason.as_deref().unwrap_or_default();
        format!("This contact is on the do-not-call list ({reason}), which counts for text messages, too.")
    })
}

/// What an agent sends on a call: to whoever is on the line, and nobody else. Gives why nothing is sent, in words for the model.
pub async fn from_agent(tx: &mut WriteTx, text: TextOfAgent) -> Result<Result<(), String>, AppError> {
    let Some(phone) = Phone::from_e164(&text.to) else {
        return Ok(Err("The caller’s number is withheld, so nothing can be sent to it.".to_owned()));
    };
    let found = caller(tx.reading(), text.client, phone.as_str()).await?;
    let body = match (&found, text.is_template) {
        (_, false) => Ok(text.text.clone()),
        (Some(caller), true) => fill(&text.text, &values_of(&list::person(tx.reading(), caller.id).await?)),
        (None, true) => fill(&text.text, &BTreeMap::new()),
    };
    let body = match body {
        Ok(body) => body,
        Err(why) => return Ok(Err(format!("Nothing was sent: {why}"))),
    };
    if found.as_ref().is_some_and(|caller| caller.do_not_call) {
        return Ok(Err("This person has asked for no calls and no messages, so nothing was sent.".to_owned()));
    }
    if costs::held_back(tx.reading(), text.client, false).await?.is_some() {
        let why = "The monthly budget is spent, so nothing was sent. Do not promise a text message.";
        return Ok(Err(why.to_owned()));
    }
    let ours = store::list::number_of_call(tx.reading(), text.call).await?;
    let Some(number) = numbers::best(tx.reading(), text.client, ours.as_deref()).await? else {
        return Ok(Err("No number of ours carries text messages, so nothing was sent.".to_owned()));
    };
    let new = NewMessage {
        id: TextMessageId::new(),
        client: text.client,
        contact: found.map(|caller| caller.id),
        call: Some(text.call),
        rule: None,
        source: TextSource::Agent,
        number,
        other: phone.as_str(),
        body: &body,
        parts: parts(&body),
        problem: None,
        send_at: Utc::now(),
    };
    store::insert(tx, &new).await?;
    enqueue(tx, &SendText { message: new.id }, NewJob::default()).await?;
    tx.notify(Topic::list("texts"), Some(text.client));
    Ok(Ok(()))
}
