//! What is written to a CRM about contacts: flags first, then what changed here.

use std::collections::{BTreeMap, HashMap};

use serde_json::json;

use super::retries::is_of_one;
use super::{Step, Trouble, Work, here, holds, written};
use crate::model::{Direction, Remedy};
use crate::server::mapping::{Fields, YES, ours};
use crate::server::store::links::{self, Link};
use crate::server::store::pending::{self, Pending};
use crate::server::store::syncs::{Entry, Sync, Tally};
use patchbay_access::Action;
use patchbay_access::server::WriteTx;
use patchbay_contacts::server::synced::{self, SyncedContact};
use patchbay_providers::crm::{Crm, CrmObject, CrmRefusal, CrmWritten};
use patchbay_providers::{Kind, ProviderError};
use patchbay_shared::AppError;
use patchbay_shared::ids::ContactId;

/// So many are written in a step.
const AT_ONCE: i64 = 50;

/// Contacts that must not be called, and whose record there does not know it yet.
pub(super) async fn flags(work: &Work<'_>, sync: &Sync, crm: &dyn Crm) -> Result<Step, Trouble> {
    let rules = work.rules();
    let line = rules.line("do_not_call").cloned();
    let wanted = Wanted::of(work, "flag").await?;
    if wanted.due.is_empty() {
        return Ok(Step::Through);
    }
    let mut batch = Vec::new();
    for (at, one) in wanted.due.iter().enumerate() {
        if let Some((contact, link)) = wanted.pair(one).filter(|(contact, _)| contact.do_not_call)
            && line.is_some()
        {
            let mut properties = BTreeMap::new();
            rules.as_theirs("do_not_call", YES, &mut properties);
            let fields: Fields = [("do_not_call".to_owned(), ours(contact, "do_not_call"))].into_iter().collect();
            batch.push(Write { at, remote_id: link.remote_id.clone(), properties, fields });
        }
    }
    let results = send(crm, &batch).await?;
    let mut tx = work.scope.write(Action::ManageIntegrations).await?;
    if !holds(&mut tx, sync).await? {
        return Ok(Step::NotOurs);
    }
    let mut told = Told::default();
    for (at, one) in wanted.due.iter().enumerate() {
        let pair = wanted.pair(one).filter(|(contact, _)| contact.do_not_call);
        let Some((_, link)) = pair else {
            pending::done(&mut tx, one.id).await?;
            continue;
        };
        let Some(sent) = batch.iter().position(|write| write.at == at) else {
            let words = format!("No field of {} is matched with “Do not call”, so it cannot be told.", work.system());
            told.failed(&mut tx, work, one, "flag", &words, Remedy::Map, None).await?;
            continue;
        };
        match results.get(sent) {
            Some(Ok(_)) => {
                links::agree(&mut tx, link.id, &batch[sent].fields).await?;
                pending::done(&mut tx, one.id).await?;
                told.done("flag", one, link, "Must not be called.");
            }
            Some(Err(refusal)) => {
                told.refused(&mut tx, work, one, "flag", Some(link), refusal, &batch[sent].properties).await?
            }
            None => {}
        }
    }
    written(&mut tx, work, sync, &here(sync)?, told.tally, &told.entries).await?;
    tx.commit().await?;
    Ok(Step::More)
}

/// Takes what changed there since both sides agreed, before it is written over: what changed on both sides is decided, or waits for a
/// person. Only where a field goes both ways.
async fn look_first(work: &Work<'_>, sync: &Sync, crm: &dyn Crm, wanted: &Wanted) -> Result<bool, Trouble> {
    let rules = work.rules();
    let properties = rules.properties();
    let troubles = here(sync)?.troubles;
    let (mut records, mut refused) = (Vec::new(), Vec::new());
    for one in &wanted.due {
        let Some((contact, link)) = wanted.pair(one) else { continue };
        let goes_both_ways = rules
            .to_write(contact, &link.agreed.0)
            .iter()
            .any(|(field, _)| rules.line(field).is_some_and(|line| line.direction == Direction::Both));
        if !goes_both_ways {
            continue;
        }
        match crm.get(CrmObject::Contact, &link.remote_id, &properties).await {
            // One that was merged is refused when it is written, and followed then.
            Ok(record) => records.extend(record.filter(|record| record.id == link.remote_id)),
            Err(error) if is_of_one(&error, troubles) => refused.push((one, error)),
            Err(error) => return Err(error.into()),
        }
    }
    if records.is_empty() && refused.is_empty() {
        return Ok(true);
    }
    let mut tx = work.scope.write(Action::ManageIntegrations).await?;
    if !holds(&mut tx, sync).await? {
        return Ok(false);
    }
    let (tally, entries) = super::read::take(&mut tx, work, &records).await?;
    let failed: Vec<&str> = entries
        .iter()
        .filter(|entry| entry.result == "failed")
        .filter_map(|entry| entry.remote_id.as_deref())
        .collect();
    for one in &wanted.due {
        // Once the record was mended, what is still to be written is found anew.
        if wanted.pair(one).is_some_and(|(_, link)| failed.contains(&link.remote_id.as_str())) {
            pending::done(&mut tx, one.id).await?;
        }
    }
    // Those that are the same there are no news.
    let mut told = Told { tally: Tally { skipped: 0, ..tally }, entries };
    for (one, error) in refused {
        told.failed(&mut tx, work, one, "write", &error.sentence(), Remedy::Retry, None).await?;
    }
    written(&mut tx, work, sync, &here(sync)?, told.tally, &told.entries).await?;
    tx.commit().await?;
    Ok(true)
}

/// Contacts whose values changed here.
pub(super) async fn contacts(work: &Work<'_>, sync: &Sync, crm: &dyn Crm) -> Result<Step, Trouble> {
    let rules = work.rules();
    let wanted = Wanted::of(work, "contact").await?;
    if wanted.due.is_empty() {
        return Ok(Step::Through);
    }
    if !look_first(work, sync, crm, &wanted).await? {
        return Ok(Step::NotOurs);
    }
    let wanted = Wanted::of(work, "contact").await?;
    let mut batch = Vec::new();
    for (at, one) in wanted.due.iter().enumerate() {
        if let Some((contact, link)) = wanted.pair(one) {
            let mut properties = BTreeMap::new();
            let mut fields = Fields::new();
            for (field, value) in rules.to_write(contact, &link.agreed.0) {
                rules.as_theirs(&field, &value, &mut properties);
                fields.insert(field, value);
            }
            if !fields.is_empty() {
                batch.push(Write { at, remote_id: link.remote_id.clone(), properties, fields });
            }
        }
    }
    let results = send(crm, &batch).await?;
    let mut tx = work.scope.write(Action::ManageIntegrations).await?;
    if !holds(&mut tx, sync).await? {
        return Ok(Step::NotOurs);
    }
    let held: Vec<ContactId> = wanted.due.iter().filter_map(|one| one.contact).collect();
    let now = synced::hold(&mut tx, work.client, &held).await?;
    let mut told = Told::default();
    for (at, one) in wanted.due.iter().enumerate() {
        let pair = wanted.pair(one);
        let sent = batch.iter().position(|write| write.at == at);
        let (Some((_, link)), Some(sent)) = (pair, sent) else {
            // Nobody there has it, or it is the same on both sides by now.
            pending::done(&mut tx, one.id).await?;
            told.tally.skipped += 1;
            continue;
        };
        let write = &batch[sent];
        match results.get(sent) {
            Some(Ok(_)) => {
                links::agree(&mut tx, link.id, &write.fields).await?;
                let agreed = link.agreed.0.clone().into_iter().chain(write.fields.clone()).collect();
                let contact = now.iter().find(|contact| Some(contact.id) == one.contact);
                // It may have been changed here while it was written there.
                let is_same = contact.is_none_or(|contact| rules.to_write(contact, &agreed).is_empty());
                if is_same {
                    pending::done(&mut tx, one.id).await?;
                } else {
                    pending::again(&mut tx, one.id, None).await?;
                }
                let names: Vec<String> =
                    write.fields.keys().map(|field| crate::server::mapping::label(field)).collect();
                told.done("write", one, link, &format!("Written: {}.", names.join(", ")));
            }
            Some(Err(refusal)) => {
                told.refused(&mut tx, work, one, "write", Some(link), refusal, &write.properties).await?
            }
            None => {}
        }
    }
    written(&mut tx, work, sync, &here(sync)?, told.tally, &told.entries).await?;
    tx.commit().await?;
    Ok(Step::More)
}

/// What is due of a kind, with the contacts and their records.
struct Wanted {
    due: Vec<Pending>,
    contacts: HashMap<ContactId, SyncedContact>,
    links: HashMap<ContactId, Link>,
}

impl Wanted {
    async fn of(work: &Work<'_>, kind: &str) -> Result<Self, AppError> {
        let mut tx = work.scope.read(Action::ReadIntegrations).await?;
        let due = pending::due(&mut tx, work.integration.id, "write", kind, AT_ONCE).await?;
        let ids: Vec<ContactId> = due.iter().filter_map(|one| one.contact).collect();
        let contacts = synced::look(&mut tx, work.client, &ids).await?;
        let links = links::of_contacts(&mut tx, work.integration.id, &ids).await?;
        Ok(Self {
            due,
            contacts: contacts.into_iter().map(|contact| (contact.id, contact)).collect(),
            links: links.into_iter().filter_map(|link| Some((link.contact_id?, link))).collect(),
        })
    }

    fn pair(&self, one: &Pending) -> Option<(&SyncedContact, &Link)> {
        let id = one.contact?;
        self.contacts.get(&id).zip(self.links.get(&id))
    }
}

struct Write {
    at: usize,
    remote_id: String,
    properties: BTreeMap<String, String>,
    fields: Fields,
}

/// Writes them together; where the service refuses all of them because of one, each by itself.
async fn send(crm: &dyn Crm, batch: &[Write]) -> Result<Vec<CrmWritten>, ProviderError> {
    let pairs: Vec<(String, BTreeMap<String, String>)> =
        batch.iter().map(|write| (write.remote_id.clone(), write.properties.clone())).collect();
    if pairs.is_empty() {
        return Ok(Vec::new());
    }
    match crm.update(&pairs).await {
        Ok(results) if results.len() == pairs.len() => Ok(results),
        Err(error) if !stops_one(&error) => Err(error),
        _ => {
            let mut results = Vec::new();
            for pair in &pairs {
                results.push(one(crm.update(std::slice::from_ref(pair)).await)?);
            }
            Ok(results)
        }
    }
}

/// Whether an answer is about what was asked, and not about asking.
pub(super) fn stops_one(error: &ProviderError) -> bool {
    matches!(error.kind, Kind::Rejected | Kind::NotFound) && error.status != Some(402)
}

fn one(answer: Result<Vec<CrmWritten>, ProviderError>) -> Result<CrmWritten, ProviderError> {
    match answer {
        Ok(mut results) if results.len() == 1 => Ok(results.remove(0)),
        Ok(_) => Ok(Err(refusal("The service did not say what became of it.".into()))),
        Err(error) if stops_one(&error) => Ok(Err(refusal(error.sentence()))),
        Err(error) => Err(error),
    }
}

pub(super) fn refusal(message: String) -> CrmRefusal {
    CrmRefusal { message, property: None, is_gone: false, merged_into: None, may_repeat: true }
}

/// What a step has to say of its records.
#[derive(Default)]
pub(super) struct Told {
    pub tally: Tally,
    pub entries: Vec<Entry>,
}

impl Told {
    pub fn done(&mut self, action: &'static str, one: &Pending, link: &Link, message: &str) {
        self.tally.written += 1;
        let entry = entry_of(action, one, Some(link.remote_id.clone()));
        self.entries.push(Entry { result: "done", message: message.to_owned(), ..entry });
    }

    #[allow(clippy::too_many_arguments)]
    pub async fn failed(
        &mut self,
        tx: &mut WriteTx,
        work: &Work<'_>,
        one: &Pending,
        action: &'static str,
        words: &str,
        remedy: Remedy,
        detail: Option<&serde_json::Value>,
    ) -> Result<(), AppError> {
        tracing::debug!(integration = %work.integration.id, pending = %one.id, "a record was not written");
        pending::write_failed(tx, one.id, words, remedy, detail).await?;
        self.tally.failed += 1;
        let entry = entry_of(action, one, one.remote_id.clone());
        self.entries.push(Entry { result: "failed", message: words.to_owned(), ..entry });
        Ok(())
    }

    #[allow(clippy::too_many_arguments)]
    pub async fn refused(
        &mut self,
        tx: &mut WriteTx,
        work: &Work<'_>,
        one: &Pending,
        action: &'static str,
        link: Option<&Link>,
        refusal: &CrmRefusal,
        sent: &BTreeMap<String, String>,
    ) -> Result<(), AppError> {
        let system = work.system();
        if let Some(into) = &refusal.merged_into {
            let words = format!("It was merged into {into} in {system}.");
            let detail = json!({ "remote_id": into });
            return self.failed(tx, work, one, action, &words, Remedy::Follow, Some(&detail)).await;
        }
        if refusal.is_gone {
            if let Some(link) = link {
                links::remove(tx, link.id).await?;
            }
            pending::done(tx, one.id).await?;
            self.tally.skipped += 1;
            let message = format!("It was removed in {system}. The contact stays here.");
            let entry = entry_of("remove", one, link.map(|link| link.remote_id.clone()));
            self.entries.push(Entry { result: "done", message, ..entry });
            return Ok(());
        }
        let words = format!("{system} did not take it: {}", refusal.message);
        match refusal.property.as_ref().filter(|_| !refusal.may_repeat) {
            Some(property) => {
                let detail = json!({ "property": property, "value": sent.get(property) });
                self.failed(tx, work, one, action, &words, Remedy::Map, Some(&detail)).await
            }
            None => self.failed(tx, work, one, action, &words, Remedy::Retry, None).await,
        }
    }
}

pub(super) fn entry_of(action: &'static str, one: &Pending, remote_id: Option<String>) -> Entry {
    let kind = if one.call.is_some() { "call" } else { "contact" };
    let label = one.label.clone();
    Entry { action, kind, remote_id, contact: one.contact, call: one.call, label, ..Entry::default() }
}

/// A contact as theirs: all of it, for a record that is made there; what may be written to one that was there already; and by our names
/// what both have afterwards in either case. What only comes in is theirs to say.
pub(super) fn whole(
    work: &Work<'_>,
    contact: &SyncedContact,
) -> (BTreeMap<String, String>, BTreeMap<String, String>, Fields) {
    let rules = work.rules();
    let (mut all, mut written, mut fields) = (BTreeMap::new(), BTreeMap::new(), Fields::new());
    for line in rules.of_contact() {
        let value = ours(contact, &line.ours);
        if value.is_empty() {
            continue;
        }
        rules.as_theirs(&line.ours, &value, &mut all);
        if line.direction != Direction::In || line.ours == "do_not_call" {
            rules.as_theirs(&line.ours, &value, &mut written);
            fields.insert(line.ours.clone(), value);
        }
    }
    (all, written, fields)
}
