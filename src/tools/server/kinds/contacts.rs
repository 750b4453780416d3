//! Looking contacts up and changing them, of the client that the call is for.

use serde_json::{Map, Value, json};

use super::{Ask, Done};
use crate::model::ContactUpdate;
use crate::server::contact_book::{ContactCard, ContactQuestion, Contacts};
use crate::server::store::uses;
use patchbay_access::Action;
use patchbay_shared::AppError;
use patchbay_shared::ids::ClientId;

const MOST_FOUND: usize = 5;
const NO_CLIENT: &str = "It is not known for which client this is, so no contacts can be used.";

/// The contact that the call is with.
pub(super) async fn on_the_line(ask: &Ask<'_>, client: ClientId) -> Result<Option<ContactCard>, AppError> {
    let book = ask.scope.services().hooks.get::<Contacts>()?;
    let question = match (ask.invocation.contact, &ask.invocation.phone) {
        (Some(contact), _) => ContactQuestion::One(contact),
        (None, Some(phone)) => ContactQuestion::Phone(phone.clone()),
        (None, None) => return Ok(None),
    };
    Ok(book.0.find(ask.scope, client, &question, 1).await?.into_iter().next())
}

/// Whether the address of the person on the call was changed in this call: then it is only what somebody has said.
pub(super) async fn changed_email(ask: &Ask<'_>) -> Result<bool, AppError> {
    let Some(call) = ask.invocation.call else { return Ok(false) };
    let mut tx = ask.scope.read(Action::ReadWorkshop).await?;
    uses::changed_email(&mut tx, call).await
}

pub(super) async fn look_up(ask: &Ask<'_>) -> Result<Done, AppError> {
    let Some(client) = ask.invocation.client else { return Ok(Done::failed(NO_CLIENT)) };
    let (phone, name) = (ask.text("phone"), ask.text("name"));
    let found = if !phone.is_empty() || !name.is_empty() {
        let question = if phone.is_empty() { ContactQuestion::Words(name) } else { ContactQuestion::Phone(phone) };
        let book = ask.scope.services().hooks.get::<Contacts>()?;
        book.0.find(ask.scope, client, &question, MOST_FOUND).await?
    } else {
        on_the_line(ask, client).await?.into_iter().collect()
    };
    if found.is_empty() {
        return Ok(Done::said("Nobody like that is among the contacts."));
    }
    Ok(Done::said(Value::Array(found.iter().map(shown).collect()).to_string()))
}

pub(super) async fn update(ask: &Ask<'_>, config: &ContactUpdate) -> Result<Done, AppError> {
    let Some(client) = ask.invocation.client else { return Ok(Done::failed(NO_CLIENT)) };
    // The model may send what its schema names; the list of the tool decides all the same.
    let may = |name: &str| {
        config.fields.iter().any(|field| field.as_str() == name) || config.attributes.iter().any(|own| own == name)
    };
    let details: Vec<(String, String)> = ask
        .arguments
        .keys()
        .filter(|name| may(name))
        .map(|name| (name.clone(), ask.text(name)))
        .filter(|(_, value)| !value.is_empty())
        .collect();
    if details.is_empty() {
        return Ok(Done::failed("Say which detail changes, and to what."));
    }
    let Some(contact) = on_the_line(ask, client).await? else {
        return Ok(Done::failed("The person on the call is not among the contacts, so nothing was stored."));
    };
    let book = ask.scope.services().hooks.get::<Contacts>()?;
    let now = book.0.change(ask.scope, client, contact.id, &details).await?;
    Ok(Done::said(format!("Stored. The contact is now {}", shown(&now))))
}

/// A contact as the model reads it.
fn shown(card: &ContactCard) -> Value {
    let details: Map<String, Value> = card.details.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
    json!({
        "name": card.name,
        "phone": card.phone,
        "email": card.email,
        "company": card.company,
        "local_time": card.local_time,
        "do_not_call": card.do_not_call,
        "details": details,
    })
}
