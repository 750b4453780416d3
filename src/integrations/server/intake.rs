//! Contacts that a client's own system sends: signed, or with a key. The sender's id makes one change of a thing, however often it comes.

use std::collections::BTreeMap;

use axum::body::Bytes;
use chrono::Utc;
use serde_json::{Value, json};
use subtle::ConstantTimeEq;

use super::store::messages::{self as rows, Came};
use super::store::{self, Integration};
use super::{custom, messages, ops};
use crate::model::{CustomConfig, IntegrationType, PointerMap};
use patchbay_access::Action;
use patchbay_access::server::{Db, Machine, Scope, WriteTx};
use patchbay_connections::model::IntegrationStatus;
use patchbay_contacts::server::synced::{self, SyncedContact};
use patchbay_contacts::server::told;
use patchbay_providers::signature::{TOLERANCE, verify_standard};
use patchbay_shared::ids::{ClientId, ContactId, IntegrationId, IntegrationMessageId, WorkspaceId};
use patchbay_shared::text::one_line;
use patchbay_shared::{AppError, Phone};

/// Before it is known who sends.
const CALLER: Machine = Machine { name: "somebody at an integration", actions: &[Action::ReadIntegrations] };
/// Afterwards.
const SENDER: Machine = Machine {
    name: "integration",
    actions: &[Action::ReadIntegrations, Action::ManageIntegrations, Action::ReadContacts, Action::ManageContacts],
};
/// Requests of one integration in a minute.
const MOST_A_MINUTE: i64 = 120;
/// Records in a request.
const MOST_RECORDS: usize = 100;
const LONGEST_ID: usize = 200;
/// Longest value of a field or a detail, in characters.
const LONGEST: usize = 2000;
/// The most of a body that is kept.
const KEPT_BODY: usize = 16_000;

const NOT_KNOWN: &str =
    "The signature or the key does not fit this address, or its time is more than five minutes from now.";
const LATER: &str = "This does not work at the moment. Send it again, with the same webhook-id.";

/// A request as it came.
pub(super) struct Asked {
    pub workspace: WorkspaceId,
    pub integration: IntegrationId,
    pub id: Option<String>,
    pub timestamp: Option<String>,
    pub signature: Option<String>,
    /// What follows `Bearer`.
    pub key: Option<String>,
    pub body: Bytes,
}

/// What the sender hears.
pub(super) struct Answered {
    pub status: u16,
    pub body: Value,
}

impl Answered {
    pub fn refused(status: u16, why: &str) -> Self {
        Self { status, body: json!({ "error": why }) }
    }

    /// The same for whoever is not known, and for what is not there.
    pub fn not_known() -> Self {
        Self::refused(401, NOT_KNOWN)
    }

    pub fn later() -> Self {
        Self::refused(503, LATER)
    }
}

/// What became of a record.
enum Taken {
    New(ContactId),
    Changed(ContactId),
    Same(ContactId),
    /// The field, and what is wrong with it.
    Refused(&'static str, String),
}

/// Checks the request, and takes the contacts in it.
pub(super) async fn answer(db: Db, asked: Asked) -> Answered {
    let integration = asked.integration;
    match taken(db, asked).await {
        Ok(answered) => answered,
        Err(AppError::NotFound) => Answered::not_known(),
        Err(error) => {
            tracing::warn!(%integration, cause = %error, "what an integration was sent could not be taken");
            Answered::later()
        }
    }
}

async fn taken(db: Db, asked: Asked) -> Result<Answered, AppError> {
    if asked.key.is_none() && (asked.signature.is_none() || asked.id.as_deref().is_none_or(str::is_empty)) {
        return Ok(Answered::not_known());
    }
    let caller = Scope::of_integration(db.clone(), asked.workspace, CALLER);
    let mut tx = caller.read(Action::ReadIntegrations).await?;
    let integration = messages::one(&mut tx, asked.integration, IntegrationType::CustomApi).await?;
    let config: CustomConfig = integration.config();
    let is_known = match (&asked.key, &config.key_digest) {
        (Some(key), Some(known)) => bool::from(custom::digest(key).as_bytes().ct_eq(known.as_bytes())),
        (Some(_), None) => false,
        (None, _) => {
            let document = match custom::document(&mut tx, &caller, asked.integration).await {
                Ok(document) => document,
                Err(AppError::Conflict(..)) => return Ok(Answered::later()),
                Err(error) => return Err(error),
            };
            let now = Utc::now();
            let secrets = custom::incoming(&document, now);
            let (id, timestamp) = (asked.id.as_deref().unwrap_or_default(), asked.timestamp.as_deref());
            verify_standard(&secrets, id, timestamp, asked.signature.as_deref(), &asked.body, now, TOLERANCE).is_ok()
        }
    };
    drop(tx);
    if !is_known {
        tracing::info!(workspace = %asked.workspace, integration = %asked.integration, "refused what an integration was sent");
        return Ok(Answered::not_known());
    }
    let sender = Scope::of_integration(db, asked.workspace, SENDER);
    let external = match asked.id.as_deref().filter(|id| !id.is_empty()) {
        Some(id) if id.len() > LONGEST_ID || id.contains('\0') => {
            return Ok(Answered::refused(422, "The webhook-id is longer than 200 characters."));
        }
        id => id,
    };
    take(&sender, &asked, external).await
}

async fn take(scope: &Scope, asked: &Asked, external: Option<&str>) -> Result<Answered, AppError> {
    let mut tx = scope.write(Action::ManageContacts).await?;
    // The integration is held, so the same thing sent twice at once is taken once.
    let integration = store::lock(&mut tx, asked.integration).await?;
    if let Some(id) = external
        && let Some((status, body)) = rows::answered(tx.reading(), integration.id, id).await?
    {
        let body = serde_json::from_str(&body).unwrap_or(Value::Null);
        return Ok(Answered { status: u16::try_from(status).unwrap_or(202), body });
    }
    let config: CustomConfig = integration.config();
    let Some(client) = integration.client_id.filter(|_| !config.incoming.is_empty()) else {
        return Ok(Answered::refused(409, "Nothing is taken here yet: say in Patchbay where the fields stand."));
    };
    if let Some(why) = rests(&mut tx, &integration, client).await? {
        return Ok(Answered::refused(409, why));
    }
    if rows::in_last_minute(tx.reading(), integration.id).await? >= MOST_A_MINUTE {
        let why = format!(
            "More than {MOST_A_MINUTE} requests in a minute. Send it again in a minute, with the same webhook-id."
        );
        return Ok(Answered::refused(429, &why));
    }
    let message = IntegrationMessageId::new();
    let (answered, contact) = match records(&config, &asked.body) {
        Err(why) => (Answered::refused(422, &why), None),
        Ok(records) => all(&mut tx, &integration, client, &config.incoming, &records, message).await?,
    };
    let (body, answer) = (kept(&asked.body), answered.body.to_string());
    let problem =
        answered.body["error"].as_str().or_else(|| answered.body["errors"][0]["error"].as_str()).map(str::to_owned);
    let came = Came {
        id: message,
        integration: integration.id,
        client_id: Some(client),
        // What was refused may come again under its id, when it is right.
        external_id: external.filter(|_| answered.status == 202),
        contact: contact.map(|id| id.0),
        body: &body,
        is_taken: answered.status == 202,
        answer_status: i32::from(answered.status),
        answer: &answer,
        problem: problem.as_deref(),
    };
    rows::insert_in(&mut tx, &came).await?;
    tx.notify(ops::topic(integration.id), integration.client_id);
    tx.commit().await?;
    Ok(answered)
}

/// Why nothing is taken for an integration at the moment.
pub(super) async fn rests(
    tx: &mut WriteTx,
    integration: &Integration,
    client: ClientId,
) -> Result<Option<&'static str>, AppError> {
    if integration.paused_at.is_some() || integration.status == IntegrationStatus::Inactive {
        return Ok(Some("This integration is switched off in Patchbay."));
    }
    if patchbay_workspaces::server::is_suspended(tx.reading()).await? {
        return Ok(Some("The agency’s account is suspended: nothing is taken until it is active again."));
    }
    Ok(rows::rests(tx.reading(), Some(client))
        .await?
        .then_some("The client is archived: nothing is taken until it is restored."))
}

/// The records of a body. Errors: what is wrong with it, in words.
fn records(config: &CustomConfig, body: &[u8]) -> Result<Vec<Value>, String> {
    let body: Value = serde_json::from_slice(body).map_err(|error| format!("The body is no JSON: {error}."))?;
    let found =
        body.pointer(&config.records).ok_or_else(|| format!("There is nothing at {} in the body.", config.records))?;
    let records = match found {
        Value::Array(all) => all.clone(),
        one @ Value::Object(_) => vec![one.clone()],
        _ => return Err("A JSON object is expected, or a list of them.".to_owned()),
    };
    match records.len() {
        0 => Err("The list is empty.".to_owned()),
        1..=MOST_RECORDS => Ok(records),
        _ => Err(format!("More than {MOST_RECORDS} records. Send them in several requests.")),
    }
}

/// Takes one after the other; one that is refused stops no other.
async fn all(
    tx: &mut WriteTx,
    integration: &Integration,
    client: ClientId,
    map: &[PointerMap],
    records: &[Value],
    message: IntegrationMessageId,
) -> Result<(Answered, Option<ContactId>), AppError> {
    let country = synced::country(tx.reading(), client).await?;
    let (mut contacts, mut errors, mut counts) = (Vec::new(), Vec::new(), (0, 0));
    let (mut changed, mut last) = (Vec::new(), None);
    for (index, record) in records.iter().enumerate() {
        let (id, result) = match person(tx, integration, client, country, &fields(map, record)).await? {
            Taken::Refused(field, why) => {
                errors.push(json!({"record": index, "field": field, "error": why}));
                continue;
            }
            Taken::New(id) => {
                counts.0 += 1;
                changed.push(id);
                (id, "created")
            }
            Taken::Changed(id) => {
                counts.1 += 1;
                changed.push(id);
                (id, "changed")
            }
            Taken::Same(id) => (id, "same"),
        };
        last = Some(id);
        contacts.push(json!({"record": index, "contact": id, "result": result}));
    }
    synced::written(tx, client, &integration.name, counts.0, counts.1).await?;
    told::changed(tx, &changed).await?;
    let mut body = json!({"id": message, "contacts": contacts});
    if !errors.is_empty() {
        body["errors"] = json!(errors);
    }
    let status = if contacts.is_empty() { 422 } else { 202 };
    Ok((Answered { status, body }, last.filter(|_| records.len() == 1)))
}

/// The values of a record, by the fields of a contact. What is empty is as if it were not there.
fn fields(map: &[PointerMap], record: &Value) -> BTreeMap<String, String> {
    let values = map.iter().filter_map(|one| {
        let text = match record.pointer(&one.pointer)? {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            Value::Bool(yes) => if *yes { "yes" } else { "no" }.to_owned(),
            // Some systems send several choices as a list.
            Value::Array(all) => all.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", "),
            _ => return None,
        };
        let text = one_line(&text);
        (!text.is_empty()).then(|| (one.field.clone(), text))
    });
    values.collect()
}

async fn person(
    tx: &mut WriteTx,
    integration: &Integration,
    client: ClientId,
    country: Option<&str>,
    fields: &BTreeMap<String, String>,
) -> Result<Taken, AppError> {
    let field = |name: &str| fields.get(name).map(String::as_str);
    let (phone, bad_phone) = match field("phone").map(|text| Phone::parse(text, country)) {
        Some(Err(why)) => (None, Some(why)),
        Some(Ok(phone)) => (Some(phone.as_str().to_owned()), None),
        None => (None, None),
    };
    let known = match field("id").map(str::parse::<ContactId>) {
        Some(Err(_)) => return Ok(Taken::Refused("id", "This is no id of a contact.".to_owned())),
        Some(Ok(id)) => match synced::hold(tx, client, &[id]).await?.pop() {
            None => return Ok(Taken::Refused("id", "The client has no contact with this id.".to_owned())),
            known => known,
        },
        None => {
            let (phones, emails): (Vec<String>, Vec<String>) =
                (phone.iter().cloned().collect(), field("email").map(str::to_owned).into_iter().collect());
            let alike = synced::alike(tx.reading(), client, &phones, &emails).await?;
            // The number alone says who it is: families share an address, so a number that nobody has yet is somebody else's.
            let found = match &phone {
                Some(phone) => alike.iter().find(|one| one.phone == *phone),
                None => alike.first(),
            };
            match found.map(|one| one.id) {
                Some(id) => synced::hold(tx, client, &[id]).await?.pop(),
                None => None,
            }
        }
    };
    // Yes wins, is never taken back from outside, and counts also when another field is refused.
    let forbids = field("do_not_call").is_some_and(synced::forbids_calls);
    let stops = known.as_ref().filter(|one| forbids && !one.do_not_call).map(|one| one.id);
    if let Some(id) = stops {
        synced::suppress(tx, id, &format!("{} says so", integration.name)).await?;
    }
    if let Some((name, _)) = fields.iter().find(|(_, value)| value.chars().count() > LONGEST) {
        return Ok(Taken::Refused("details", format!("{name} is longer than {LONGEST} characters.")));
    }
    if let Some(why) = bad_phone {
        return Ok(Taken::Refused("phone", why));
    }
    let is_new = known.is_none();
    let mut contact = match (known, &phone) {
        (Some(known), _) => known,
        (None, Some(phone)) => SyncedContact {
            id: ContactId::new(),
            name: String::new(),
            phone: phone.clone(),
            email: None,
            company: None,
            timezone: None,
            attributes: BTreeMap::new(),
            do_not_call: false,
            updated_at: Utc::now(),
        },
        (None, None) => {
            return Ok(Taken::Refused(
                "phone",
                "Nobody has this address yet, and a new contact needs a phone number.".to_owned(),
            ));
        }
    };
    let before = contact.clone();
    let parts: Vec<&str> = [field("first_name"), field("last_name")].into_iter().flatten().collect();
    if let Some(name) = field("name").map(str::to_owned).or_else(|| (!parts.is_empty()).then(|| parts.join(" "))) {
        contact.name = name;
    }
    if let Some(phone) = phone {
        contact.phone = phone;
    }
    contact.email = field("email").map(str::to_owned).or(contact.email);
    contact.company = field("company").map(str::to_owned).or(contact.company);
    let details =
        fields.iter().filter_map(|(name, value)| Some((name.strip_prefix("detail:")?.to_owned(), value.clone())));
    contact.attributes.extend(details);
    if let Some(why) = synced::fault(&contact) {
        let field = if why.contains("e-mail") { "email" } else { "name" };
        return Ok(Taken::Refused(field, why));
    }
    let is_changed = !is_new && contact != before;
    let is_written = match (is_new, is_changed) {
        (true, _) => synced::insert(tx, client, &contact).await?,
        (_, true) => synced::update(tx, client, &contact).await?,
        _ => true,
    };
    if !is_written {
        return Ok(Taken::Refused("phone", "Another contact of the client has this number.".to_owned()));
    }
    if is_new && forbids {
        synced::suppress(tx, contact.id, &format!("{} says so", integration.name)).await?;
    }
    Ok(match (is_new, is_changed || stops.is_some()) {
        (true, _) => Taken::New(contact.id),
        (_, true) => Taken::Changed(contact.id),
        _ => Taken::Same(contact.id),
    })
}

/// The beginning of a body, as text that the database takes.
fn kept(body: &[u8]) -> String {
    String::from_utf8_lossy(body).replace('\0', "\u{fffd}").chars().take(KEPT_BODY).collect()
}
