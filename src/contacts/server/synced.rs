//! Contacts as other systems keep them in step: looked up by many at once, made and changed as a person would, and put on the
//! do-not-call list. Always of one client, whose system it is.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde_json::json;

use super::import::says_do_not_call;
use super::ops;
use super::store::{self, Values, synced};
use crate::{MAX_NAME, countries, looks_like_email};
use patchbay_access::server::{Fields, ReadTx, WriteTx};
use patchbay_calls::server::{hold_callers, link_caller};
use patchbay_jobs::live::Topic;
use patchbay_shared::ids::{ClientId, ContactId};
use patchbay_shared::{AppError, Phone};

/// Longest value of a detail, in characters, and the most of them.
const MAX_VALUE: usize = 10_000;

/// A contact with what other systems may know of it.
#[derive(Debug, Clone, PartialEq)]
pub struct SyncedContact {
    pub id: ContactId,
    pub name: String,
    pub phone: String,
    pub email: Option<String>,
    pub company: Option<String>,
    pub timezone: Option<String>,
    pub attributes: BTreeMap<String, String>,
    pub do_not_call: bool,
    pub updated_at: DateTime<Utc>,
}

/// These contacts of the client, held against other writers until the commit. Those that are another client's are left out.
pub async fn hold(tx: &mut WriteTx, client: ClientId, ids: &[ContactId]) -> Result<Vec<SyncedContact>, AppError> {
    synced::hold(tx, client, ids).await
}

/// Holds calls that came from these numbers while nobody knew whose they were: before `hold`, because whoever becomes a contact is
/// linked to them, and calls are locked before their contact, as everywhere.
pub async fn hold_calls(tx: &mut WriteTx, client: ClientId, phones: &[String]) -> Result<(), AppError> {
    hold_callers(tx, client, phones).await
}

/// The same contacts to look at.
pub async fn look(tx: &mut ReadTx, client: ClientId, ids: &[ContactId]) -> Result<Vec<SyncedContact>, AppError> {
    synced::look(tx, client, ids, &[], &[]).await
}

/// Contacts of the client that have one of these numbers or e-mail addresses, the oldest first. Addresses are compared without case.
pub async fn alike(
    tx: &mut ReadTx,
    client: ClientId,
    phones: &[String],
    emails: &[String],
) -> Result<Vec<SyncedContact>, AppError> {
    synced::look(tx, client, &[], phones, emails).await
}

/// The country that completes numbers of the client's contacts, when its place tells one.
pub async fn country(tx: &mut ReadTx, client: ClientId) -> Result<Option<&'static str>, AppError> {
    Ok(countries::of_timezone(&store::client_timezone(tx, client).await?))
}

/// Whether a value of another system says that somebody must not be called. In doubt it does.
pub fn forbids_calls(value: &str) -> bool {
    says_do_not_call(value)
}

/// What is wrong with a contact's values, in words.
pub fn fault(contact: &SyncedContact) -> Option<String> {
    let long = |text: &str| text.chars().count() > MAX_NAME;
    if long(&contact.name) {
        return Some(format!("The name is longer than {MAX_NAME} characters."));
    }
    if contact.company.as_deref().is_some_and(long) {
        return Some(format!("The company is longer than {MAX_NAME} characters."));
    }
    if let Some(email) = contact.email.as_deref().filter(|email| !looks_like_email(email)) {
        let shown: String = email.chars().take(80).collect();
        return Some(format!("“{shown}” is not an e-mail address."));
    }
    let long = contact.attributes.iter().find(|(_, value)| value.chars().count() > MAX_VALUE);
    long.map(|(name, _)| format!("The value of “{name}” is longer than {MAX_VALUE} characters."))
}

/// Writes a contact that is new here. False: the client has the number, so nothing was written. Errors: internal for a number that was
/// not read.
pub async fn insert(tx: &mut WriteTx, client: ClientId, contact: &SyncedContact) -> Result<bool, AppError> {
    let phone = read(contact)?;
    if !synced::insert(tx, contact.id, client, &values(contact, &phone)).await? {
        return Ok(false);
    }
    link(tx, client, contact).await?;
    told(tx, client, contact.id);
    Ok(true)
}

/// Writes what has changed. False: another contact of the client has the number, so nothing was written.
pub async fn update(tx: &mut WriteTx, client: ClientId, contact: &SyncedContact) -> Result<bool, AppError> {
    let phone = read(contact)?;
    if synced::is_taken(tx.reading(), client, contact.id, phone.as_str()).await? {
        return Ok(false);
    }
    store::update(tx, contact.id, &values(contact, &phone)).await?;
    link(tx, client, contact).await?;
    told(tx, client, contact.id);
    Ok(true)
}

/// Writes into the audit log what a page of another system's records did to contacts: `system` is its name.
pub async fn written(
    tx: &mut WriteTx,
    client: ClientId,
    system: &str,
    created: usize,
    changed: usize,
) -> Result<(), AppError> {
    if created + changed == 0 {
        return Ok(());
    }
    tx.audit(patchbay_access::server::Change {
        action: "synchronized",
        entity: "contact",
        entity_id: None,
        client_id: Some(client),
        fields: Fields::Happened(json!({ "from": system, "created": created, "changed": changed })),
    })
    .await?;
    tx.notify(Topic::list("contacts"), Some(client));
    Ok(())
}

/// Puts a contact on the do-not-call list, because another system says so. One that is on it already keeps its first reason.
pub async fn suppress(tx: &mut WriteTx, id: ContactId, reason: &str) -> Result<(), AppError> {
    ops::suppress(tx, id, reason).await
}

fn read(contact: &SyncedContact) -> Result<Phone, AppError> {
    Phone::from_e164(&contact.phone).ok_or_else(|| patchbay_shared::error::internal("a number that was not read"))
}

fn values<'a>(contact: &'a SyncedContact, phone: &'a Phone) -> Values<'a> {
    Values {
        name: &contact.name,
        phone,
        email: contact.email.as_deref(),
        company: contact.company.as_deref(),
        timezone: contact.timezone.as_deref(),
        attributes: &contact.attributes,
    }
}

/// Calls that came from the number before anybody knew whose it was are the contact's from now on.
async fn link(tx: &mut WriteTx, client: ClientId, contact: &SyncedContact) -> Result<(), AppError> {
    let calls = link_caller(tx, client, contact.id, &contact.phone, &contact.name).await?;
    for call in &calls {
        tx.notify(Topic::one("call", *call), Some(client));
    }
    if !calls.is_empty() {
        tx.notify(Topic::list("calls"), Some(client));
    }
    Ok(())
}

fn told(tx: &mut WriteTx, client: ClientId, id: ContactId) {
    tx.notify(Topic::one("contact", id), Some(client));
}
