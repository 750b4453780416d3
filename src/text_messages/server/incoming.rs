//! What carriers report: somebody has written, or what became of a message. Reports come twice, late and in any order: what came in is kept
//! once, and a message only goes forward.

use serde_json::json;

use super::costs;
use super::jobs::SendText;
use super::store::{Known, incoming as reports};
use crate::model::{LONGEST_TEXT, Said, TextState, said};
use patchbay_access::server::WriteTx;
use patchbay_contacts::server::{caller, stop_contact};
use patchbay_jobs::live::Topic;
use patchbay_jobs::{NewJob, enqueue};
use patchbay_providers::text::{IncomingText, Keyword, Progress, TextEvent, TextStatus};
use patchbay_shared::ids::{ClientId, ContactId, IntegrationId, TextMessageId};
use patchbay_shared::{AppError, Phone};
use patchbay_webhooks::model::{EventType, Subject};
use patchbay_webhooks::server::{NewEvent, emit};

/// The longest id of a carrier that is kept.
const LONGEST_ID: usize = 200;

/// Takes a report in. False: it is about nothing of this workspace, and nothing was changed.
pub async fn reported(tx: &mut WriteTx, carrier: &str, event: &TextEvent) -> Result<bool, AppError> {
    reported_of(tx, carrier, event, Address::default()).await
}

/// The address that a report came to, where it is a carrier's that is an integration.
#[derive(Default)]
pub(super) struct Address {
    /// Whose signature it had: it is about numbers of this account.
    pub account: Option<IntegrationId>,
    /// The message that it names.
    pub message: Option<TextMessageId>,
}

/// The same, by the address that it came to.
pub(super) async fn reported_of(
    tx: &mut WriteTx,
    carrier: &str,
    event: &TextEvent,
    address: Address,
) -> Result<bool, AppError> {
    match event {
        TextEvent::Incoming(text) => came(tx, carrier, text, address.account).await,
        TextEvent::Status(status) => went(tx, carrier, status, address).await,
    }
}

async fn came(
    tx: &mut WriteTx,
    carrier: &str,
    text: &IncomingText,
    account: Option<IntegrationId>,
) -> Result<bool, AppError> {
    // Who writes from a name or a short number cannot be answered, and is no contact.
    let (Some(from), Some(to)) = (Phone::from_e164(&text.from), Phone::from_e164(&text.to)) else { return Ok(false) };
    if text.id.is_empty() || text.id.len() > LONGEST_ID {
        return Ok(false);
    }
    let number = reports::number(tx.reading(), carrier, account, to.as_str()).await?;
    let Some((number, owner)) = number else { return Ok(false) };
    let clients = match owner {
        Some(client) => vec![client],
        // A number of the whole agency: whoever wrote or called from it is meant.
        None => reports::wrote_to(tx.reading(), number, from.as_str()).await?,
    };
    let Some(client) = clients.first().copied() else { return Ok(false) };
    let body = shown(text);
    let keyword = match text.keyword {
        Some(Keyword::Stop) => Some(Said::Stop),
        Some(Keyword::Start) => Some(Said::Start),
        Some(Keyword::Help) => Some(Said::Help),
        // Of what the person wrote, without what is said of files.
        None => said(&text.text),
    };
    let contact = caller(tx.reading(), client, from.as_str()).await?.map(|caller| caller.id);
    let id = TextMessageId::new();
    let new = reports::NewIncoming {
        id,
        client,
        contact,
        number,
        other: from.as_str(),
        body: &body,
        parts: text.parts.and_then(|parts| i32::try_from(parts).ok()),
        carrier,
        carrier_id: &text.id,
        keyword,
    };
    if !reports::insert(tx, &new).await? {
        return Ok(true);
    }
    let mut contact = contact;
    if keyword == Some(Said::Stop) {
        for client in &clients {
            let stopped = stop(tx, *client, from.as_str(), "Answered STOP by text message").await?;
            if *client == new.client && contact.is_none() {
                reports::set_contact(tx, id, stopped).await?;
                contact = Some(stopped);
            }
        }
    }
    let data = json!({
        "message_id": id, "client_id": client, "contact_id": contact, "from": from.as_str(), "to": to.as_str(), "text": body,
        "keyword": keyword,
        "url": contact.map(|contact| format!("{}/messages/with/{contact}", tx.services().public_url)),
    });
    let (subject, subject_id) = match contact {
        Some(contact) => (Subject::Contact, contact.0),
        None => (Subject::Client, client.0),
    };
    let event = NewEvent { kind: EventType::MessageReceived, client_id: Some(client), subject, subject_id, data };
    emit(tx, vec![event]).await?;
    notify(tx, client, contact);
    Ok(true)
}

/// What the person wrote, as it is kept.
fn shown(text: &IncomingText) -> String {
    let plain: String = text
        .text
        .chars()
        .filter(|letter| !letter.is_control() || matches!(letter, '\n' | '\t'))
        .take(LONGEST_TEXT)
        .collect();
    match text.files {
        0 => plain,
        1 => format!("{plain}\n(1 file came along, which is not fetched)").trim().to_owned(),
        many => format!("{plain}\n({many} files came along, which are not fetched)").trim().to_owned(),
    }
}

/// Whoever has this number is called and written to no more for this client, also when nobody knew the number before.
pub(super) async fn stop(
    tx: &mut WriteTx,
    client: ClientId,
    number: &str,
    reason: &str,
) -> Result<ContactId, AppError> {
    stop_contact(tx, client, number, reason).await
}

async fn went(tx: &mut WriteTx, carrier: &str, status: &TextStatus, address: Address) -> Result<bool, AppError> {
    let sent = &status.sent;
    if sent.id.is_empty() || sent.id.len() > LONGEST_ID {
        return Ok(false);
    }
    let mut message = reports::known(tx, carrier, &sent.id).await?;
    if message.is_none()
        && let Some(id) = address.message
    {
        // The carrier is quicker than its own answer, or that was lost.
        message = reports::named(tx, (carrier, address.account), id, &sent.id).await?;
    }
    if message.is_none()
        && let (Some(from), Some(to), Some(text)) = (&status.from, &status.to, &status.text)
    {
        // The answer to a send was lost, or is on its way. It may have been written down while the message was waited for: then this one is
        // another of the same words.
        let unheard = reports::unheard(tx, carrier, from, to, text).await?;
        message = reports::known(tx, carrier, &sent.id).await?.or(unheard);
    }
    let Some(message) = message else { return Ok(false) };
    // What has arrived or failed stays so, whatever comes later. A message whose answer was lost is failed without an id.
    let is_over = match message.state {
        TextState::Delivered => true,
        TextState::Failed => message.carrier_id.is_some(),
        _ => false,
    };
    let mut opted_out = false;
    let (state, problem) = match &sent.progress {
        _ if is_over => (message.state, None),
        Progress::OnItsWay | Progress::Sent => (TextState::Sent, None),
        Progress::Delivered => (TextState::Delivered, None),
        Progress::Failed(why) => {
            opted_out = why.opted_out;
            (TextState::Failed, Some(format!("{}.", why.said.trim_end_matches('.'))))
        }
    };
    let parts = sent.parts.and_then(|parts| i32::try_from(parts).ok());
    let cost = costs::price(sent, is_over, message.cost);
    if is_over {
        // Its price may come after its end.
        costs::add_price(tx, message.client, message.id, parts, cost).await?;
    } else {
        let known = Known { state, problem: problem.as_deref(), carrier_id: Some(&sent.id), parts, cost };
        costs::settle(tx, message.client, message.id, &known).await?;
    }
    // Given up as lost, nobody would ask after it any more.
    if !is_over && message.state == TextState::Failed {
        enqueue(tx, &SendText { message: message.id }, NewJob::default()).await?;
    }
    if opted_out {
        stop(tx, message.client, &message.other, "Told the carrier to stop text messages").await?;
    }
    notify(tx, message.client, message.contact);
    Ok(true)
}

fn notify(tx: &mut WriteTx, client: ClientId, contact: Option<ContactId>) {
    tx.notify(Topic::list("texts"), Some(client));
    if let Some(contact) = contact {
        tx.notify(Topic::one("texts_with", contact), Some(client));
    }
}
