//! Contacts as the tools of agents ask for them: always of one client, whoever the agent works for beside it.

use std::collections::BTreeMap;

use async_trait::async_trait;

use serde_json::json;

use super::ops;
use super::store::{self, Values};
use crate::{Contact, ContactQuery, MAX_NAME, countries, looks_like_email};
use patchbay_access::Action;
use patchbay_access::server::{Fields, ReadTx, Scope, WriteTx};
use patchbay_shared::ids::{ClientId, ContactId};
use patchbay_shared::text::one_line;
use patchbay_shared::{AppError, FieldErrors, Phone};
use patchbay_tools::server::contact_book::{ContactBook, ContactCard, ContactQuestion};

/// The contacts of Patchbay itself.
pub struct OwnContacts;

#[async_trait]
impl ContactBook for OwnContacts {
    async fn find(
        &self,
        scope: &Scope,
        client: ClientId,
        question: &ContactQuestion,
        most: usize,
    ) -> Result<Vec<ContactCard>, AppError> {
        let mut tx = scope.read(Action::ReadContacts).await?;
        let ids = match question {
            ContactQuestion::One(id) => vec![*id],
            ContactQuestion::Phone(text) => {
                let timezone = store::client_timezone(&mut tx, client).await?;
                let Ok(phone) = Phone::parse(text, countries::of_timezone(&timezone)) else { return Ok(Vec::new()) };
                store::callers::caller(&mut tx, client, phone.as_str())
                    .await?
                    .map(|found| found.id)
                    .into_iter()
                    .collect()
            }
            ContactQuestion::Words(words) => {
                let (q, client) = (Some(words.clone()), Some(client.to_string()));
                let query = ContactQuery { q, client, ..ContactQuery::default() };
                if query.words().is_none() {
                    return Ok(Vec::new());
                }
                store::list(&mut tx, &query, most).await?.rows.into_iter().map(|row| row.id).collect()
            }
        };
        let mut found = Vec::new();
        for id in ids.into_iter().take(most) {
            match of_client(&mut tx, client, id).await {
                Ok(contact) => found.push(card(contact)),
                Err(AppError::NotFound) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(found)
    }

    async fn change(
        &self,
        scope: &Scope,
        client: ClientId,
        contact: ContactId,
        details: &[(String, String)],
    ) -> Result<ContactCard, AppError> {
        let details: BTreeMap<String, String> = details.iter().cloned().collect();
        let mut tx = scope.write(Action::ManageContacts).await?;
        of_client(tx.reading(), client, contact).await?;
        set_details(&mut tx, contact, &details).await?;
        let now = of_client(tx.reading(), client, contact).await?;
        tx.commit().await?;
        Ok(card(now))
    }
}

/// Sets some details: `name`, `email`, `company`, or one of the contact's own. What somebody said on a call is written as one line.
async fn set_details(tx: &mut WriteTx, id: ContactId, details: &BTreeMap<String, String>) -> Result<(), AppError> {
    // All of the contact is written back: two changes at once must not undo each other.
    store::lock(tx, id).await?;
    let before = store::get(tx.reading(), id).await?;
    let phone = Phone::from_e164(&before.phone).ok_or(AppError::NotFound)?;
    let (mut errors, mut attributes) = (FieldErrors::default(), before.attributes.clone());
    let (mut name, mut email, mut company) = (before.name.clone(), before.email.clone(), before.company.clone());
    for (detail, value) in details {
        let value = one_line(value);
        if value.chars().count() > MAX_NAME {
            errors.add(detail, format!("{detail} is longer than {MAX_NAME} characters."));
        }
        match detail.as_str() {
            "name" => name = value,
            "company" => company = Some(value),
            "email" if looks_like_email(&value) => email = Some(value),
            "email" => errors.add("email", "This is not an e-mail address. Ask for it again, letter by letter."),
            _ => drop(attributes.insert(detail.clone(), value)),
        }
    }
    errors.check()?;
    let old = json!({
        "name": before.name, "phone": before.phone, "email": before.email, "company": before.company, "timezone": before.timezone,
        "attributes": before.attributes,
    });
    let after = json!({
        "name": name, "phone": before.phone, "email": email, "company": company, "timezone": before.timezone,
        "attributes": attributes,
    });
    let values = Values {
        name: &name,
        phone: &phone,
        email: email.as_deref(),
        company: company.as_deref(),
        timezone: before.timezone.as_deref(),
        attributes: &attributes,
    };
    store::update(tx, id, &values).await?;
    ops::record(tx, "changed", id, before.client_id, Fields::Changed { before: old, after }).await
}

/// A contact of this client. Errors: `NotFound` for another client's, too.
async fn of_client(tx: &mut ReadTx, client: ClientId, id: ContactId) -> Result<Contact, AppError> {
    let contact = store::get(tx, id).await?;
    if contact.client_id == client { Ok(contact) } else { Err(AppError::NotFound) }
}

fn card(contact: Contact) -> ContactCard {
    ContactCard {
        id: contact.id,
        name: contact.name,
        phone: contact.phone,
        email: contact.email,
        company: contact.company,
        local_time: contact.local_time,
        do_not_call: contact.do_not_call,
        details: contact.attributes.into_iter().collect(),
    }
}
