//! What is read of a CRM's contacts, page by page, and which of them went away there.

use std::collections::{BTreeMap, HashMap, HashSet};

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::merged::merge;
use super::{Cursor, ENDLESS, Step, Trouble, Work, fail, holds, is_endless, written};
use crate::model::SyncType;
use crate::server::mapping::{Decision, Fields, Outcome, Problem, Said, YES, shown};
use crate::server::store;
use crate::server::store::links::{self, Link, NewLink};
use crate::server::store::pending::{self, NewFailure};
use crate::server::store::syncs::{Entry, Sync, Tally};
use crate::server::store::{activities, notices};
use patchbay_access::Action;
use patchbay_access::server::WriteTx;
use patchbay_contacts::server::synced::{self, SyncedContact};
use patchbay_providers::crm::{Crm, CrmObject, CrmRecord};
use patchbay_shared::ids::ContactId;
use patchbay_shared::{AppError, Phone};

/// Records on a page.
pub(crate) const PAGE: u16 = 100;

/// The next page of contacts, with all that it makes of ours.
pub(super) async fn page(work: &Work<'_>, sync: &Sync, cursor: &Cursor, crm: &dyn Crm) -> Result<Step, Trouble> {
    let properties = work.rules().properties();
    let since = cursor.since.map(|since| settled(since, crm));
    let page = crm.page(CrmObject::Contact, &properties, since, cursor.next.as_deref(), PAGE).await?;
    if is_endless(cursor, page.next.as_deref()) {
        fail(work, sync, ENDLESS).await?;
        return Ok(Step::NotOurs);
    }
    let mut tx = work.scope.write(Action::ManageIntegrations).await?;
    if !holds(&mut tx, sync).await? {
        return Ok(Step::NotOurs);
    }
    let (tally, entries) = take(&mut tx, work, &page.records).await?;
    // A page of a narrowed list counts the list, not all.
    if let Some(total) = page.total.filter(|_| since.is_none()) {
        let integration = store::lock(&mut tx, work.integration.id).await?;
        let config = crate::model::CrmConfig { remote_total: i64::try_from(total).ok(), ..integration.config() };
        store::set_config(&mut tx, work.integration.id, &json!(config)).await?;
    }
    let next = moved(cursor, page.next.clone());
    written(&mut tx, work, sync, &next, tally, &entries).await?;
    tx.commit().await?;
    Ok(if page.next.is_some() { Step::More } else { Step::Through })
}

/// A service shows changes a little later than they were made.
pub(super) fn settled(since: DateTime<Utc>, crm: &dyn Crm) -> DateTime<Utc> {
    since - chrono::Duration::from_std(crm.settles_after()).unwrap_or_default()
}

/// The place behind a page.
pub(super) fn moved(cursor: &Cursor, next: Option<String>) -> Cursor {
    Cursor { next, pages: cursor.pages + 1, ..cursor.clone() }
}

/// Takes records of contacts. Each is compared with what both sides agreed on, so that one that comes again changes nothing.
pub(crate) async fn take(
    tx: &mut WriteTx,
    work: &Work<'_>,
    records: &[CrmRecord],
) -> Result<(Tally, Vec<Entry>), AppError> {
    let mut newest: BTreeMap<&str, &CrmRecord> = BTreeMap::new();
    for record in records {
        newest.insert(&record.id, record);
    }
    let seen: Vec<String> = newest.keys().map(|id| (*id).to_owned()).collect();
    let erased = notices::erased(tx.reading(), work.integration.id, &seen).await?;
    newest.retain(|id, _| !erased.contains(*id));
    // Calls are held before contacts.
    let callers: Vec<String> = newest.values().filter_map(|it| work.rules().read(it).remove("phone")).collect();
    synced::hold_calls(tx, work.client, &callers).await?;
    let mut entries = Vec::new();
    let mut tally = Tally::default();
    for record in newest.values().filter(|record| !record.merged.is_empty()) {
        let mut links = links::of_records(tx.reading(), work.integration.id, "contact", &record.merged).await?;
        // Who was merged before lives on as one of the others.
        links.sort_by_key(|link| link.removed_at.is_some());
        for old in links {
            entries.extend(merge(tx, work, &old, &record.id).await?);
        }
        activities::carry_all(tx, work.integration.id, &record.merged, &record.id).await?;
    }
    let ids: Vec<String> = newest.keys().map(|id| (*id).to_owned()).collect();
    let mut page = Page::of(tx, work, &ids, &newest).await?;
    let (mut created, mut changed, mut done) = (0, 0, Vec::from_iter(erased));
    for (id, record) in &newest {
        let entry = Entry { action: "read", kind: "contact", remote_id: Some((*id).to_owned()), ..Entry::default() };
        match page.take(tx, work, record).await? {
            Ok(Taken { contact, outcome }) => {
                done.push((*id).to_owned());
                let label = contact.as_ref().map(name_of).unwrap_or_else(|| name_there(work, record));
                let contact = contact.map(|contact| contact.id);
                let entry = Entry { contact, label, ..entry };
                match outcome {
                    Outcome::Same => tally.skipped += 1,
                    Outcome::Left(why) => {
                        tally.skipped += 1;
                        entries.push(Entry { result: "skipped", message: why, ..entry });
                    }
                    Outcome::New => {
                        (tally.read, created) = (tally.read + 1, created + 1);
                        entries.push(Entry { result: "done", message: "New here.".into(), ..entry });
                    }
                    Outcome::Changed(fields) => {
                        (tally.read, changed) = (tally.read + 1, changed + 1);
                        let names: Vec<String> =
                            fields.iter().map(|(field, ..)| crate::server::mapping::label(field)).collect();
                        let message = match names.is_empty() {
                            true => "Found here. It is kept in step from now on.".to_owned(),
                            false => format!("Changed: {}.", names.join(", ")),
                        };
                        entries.push(Entry { result: "done", message, ..entry });
                    }
                }
            }
            Err(problem) => {
                tally.failed += 1;
                let label = name_there(work, record);
                failed(tx, work, "contact", id, &label, &problem).await?;
                entries.push(Entry { result: "failed", label, message: problem.words, ..entry });
            }
        }
    }
    pending::taken(tx, work.integration.id, "contact", &done).await?;
    patchbay_contacts::server::told::changed(tx, &page.wrote).await?;
    synced::written(tx, work.client, work.system(), created, changed).await?;
    Ok((tally, entries))
}

pub(super) async fn failed(
    tx: &mut WriteTx,
    work: &Work<'_>,
    kind: &str,
    remote_id: &str,
    label: &str,
    problem: &Problem,
) -> Result<(), AppError> {
    let failure = NewFailure {
        integration: work.integration.id,
        client: work.client,
        kind,
        remote_id,
        label,
        problem: &problem.words,
        remedy: problem.remedy,
        detail: problem.detail.as_ref(),
    };
    pending::read_failed(tx, &failure).await
}

struct Taken {
    contact: Option<SyncedContact>,
    outcome: Outcome,
}

/// What is known here of the records of a page.
pub(super) struct Page {
    pub links: HashMap<String, Link>,
    pub contacts: HashMap<ContactId, SyncedContact>,
    pub by_phone: HashMap<String, ContactId>,
    pub by_email: HashMap<String, ContactId>,
    /// Addresses that several contacts have: they tell nobody apart.
    shared: HashSet<String>,
    /// Contacts that a record of the CRM has already, and which one.
    taken: HashMap<ContactId, String>,
    said: HashMap<String, Said>,
    /// Contacts whose records live on as one of these.
    merged: Vec<(String, ContactId)>,
    /// Contacts that were written.
    wrote: Vec<ContactId>,
}

impl Page {
    pub async fn of(
        tx: &mut WriteTx,
        work: &Work<'_>,
        ids: &[String],
        records: &BTreeMap<&str, &CrmRecord>,
    ) -> Result<Self, AppError> {
        let (rules, integration) = (work.rules(), work.integration.id);
        let links = links::of_records(tx.reading(), integration, "contact", ids).await?;
        let links: HashMap<String, Link> = links.into_iter().map(|link| (link.remote_id.clone(), link)).collect();
        let waiting = pending::said(tx.reading(), integration, "contact", ids).await?;
        let said: HashMap<String, Said> =
            waiting.into_iter().map(|(id, detail)| (id, said_in(detail.as_ref()))).collect();
        let (mut phones, mut emails) = (Vec::new(), Vec::new());
        for (id, record) in records {
            if links.get(*id).is_some_and(|link| link.contact_id.is_some()) {
                continue;
            }
            let theirs = rules.read(record);
            phones.extend(theirs.get("phone").filter(|text| !text.is_empty()).cloned());
            phones.extend(said.get(*id).and_then(|said| said.phone.clone()));
            emails.extend(theirs.get("email").filter(|text| !text.is_empty()).cloned());
        }
        let alike = synced::alike(tx.reading(), work.client, &phones, &emails).await?;
        let mut wanted: HashSet<ContactId> = links.values().filter_map(|link| link.contact_id).collect();
        wanted.extend(alike.iter().map(|contact| contact.id));
        let merged = links::living_on(tx.reading(), integration, ids).await?;
        let others: Vec<ContactId> = merged.iter().map(|(_, id)| *id).filter(|id| !wanted.contains(id)).collect();
        let wanted: Vec<ContactId> = wanted.into_iter().collect();
        let known = links::of_contacts(tx.reading(), integration, &wanted).await?;
        let taken = known.into_iter().filter_map(|link| Some((link.contact_id?, link.remote_id))).collect();
        let mut page = Self {
            links,
            contacts: HashMap::new(),
            by_phone: HashMap::new(),
            by_email: HashMap::new(),
            shared: HashSet::new(),
            taken,
            said,
            merged,
            wrote: Vec::new(),
        };
        // All are held at once, in one order.
        let held: Vec<ContactId> = wanted.iter().chain(&others).copied().collect();
        for contact in synced::hold(tx, work.client, &held).await? {
            if others.contains(&contact.id) {
                page.contacts.insert(contact.id, contact);
            } else {
                page.know(contact);
            }
        }
        Ok(page)
    }

    fn know(&mut self, contact: SyncedContact) {
        self.by_phone.insert(contact.phone.clone(), contact.id);
        if let Some(email) = &contact.email {
            let email = email.to_lowercase();
            if self.by_email.insert(email.clone(), contact.id).is_some_and(|other| other != contact.id) {
                self.shared.insert(email);
            }
        }
        self.contacts.insert(contact.id, contact);
    }

    /// Who the record is here, by its number; by its address only if that is one contact’s, and no other number speaks against it.
    pub fn alike(&self, theirs: &Fields, said: &Said) -> Option<&SyncedContact> {
        let phone = said.phone.as_ref().or_else(|| theirs.get("phone")).filter(|text| !text.is_empty());
        if let Some(found) = phone.and_then(|phone| self.by_phone.get(phone)) {
            return self.contacts.get(found);
        }
        let email = theirs.get("email").filter(|text| !text.is_empty())?.to_lowercase();
        let found = self.by_email.get(&email).filter(|_| !self.shared.contains(&email))?;
        // A number that cannot be read is nobody’s.
        let number = phone.and_then(|phone| Phone::from_e164(phone));
        self.contacts.get(found).filter(|contact| number.is_none_or(|number| number.as_str() == contact.phone))
    }

    async fn take(
        &mut self,
        tx: &mut WriteTx,
        work: &Work<'_>,
        record: &CrmRecord,
    ) -> Result<Result<Taken, Problem>, AppError> {
        let rules = work.rules();
        let link = self.links.get(&record.id);
        let linked = link.and_then(|link| link.contact_id).and_then(|id| self.contacts.get(&id));
        let is_linked = linked.is_some();
        let said = self.said.get(&record.id).cloned().unwrap_or_default();
        let theirs = rules.read(record);
        let mut contact = linked.or_else(|| self.alike(&theirs, &said)).cloned();
        // Whatever else may be wrong with the record: who must not be called is not called.
        let mut marked = false;
        if let Some(found) = contact.as_mut().filter(|found| !found.do_not_call && forbids(&theirs)) {
            synced::suppress(tx, found.id, &format!("Marked so in {}", work.system())).await?;
            (found.do_not_call, marked) = (true, true);
            self.contacts.insert(found.id, found.clone());
        }
        // Who is one person there is not called as any of the contacts that were two here.
        for (_, id) in self.merged.iter().filter(|(into, _)| *into == record.id && forbids(&theirs)) {
            if let Some(other) = self.contacts.get_mut(id).filter(|other| !other.do_not_call) {
                synced::suppress(tx, *id, &format!("Marked so in {}", work.system())).await?;
                other.do_not_call = true;
            }
        }
        if let Some(found) = contact.as_ref().filter(|_| !is_linked)
            && let Some(other) = self.taken.get(&found.id).filter(|other| **other != record.id)
        {
            return Ok(Err(Problem::retry(format!(
                "{} here is the record {other} in {} already. Merge both there, then try again.",
                shown(&name_of(found)),
                work.system()
            ))));
        }
        let agreed = link.filter(|_| is_linked).map(|link| &link.agreed.0);
        let decision = match rules.decide(record, agreed, contact.as_ref(), &said) {
            Ok(decision) => decision,
            Err(problem) => return Ok(Err(problem)),
        };
        let is_known = is_linked && agreed == Some(&decision.agreed) && link.is_some_and(|l| l.removed_at.is_none());
        self.apply(tx, work, record, decision, (is_known, marked)).await
    }

    async fn apply(
        &mut self,
        tx: &mut WriteTx,
        work: &Work<'_>,
        record: &CrmRecord,
        decision: Decision,
        (is_known, marked): (bool, bool),
    ) -> Result<Result<Taken, Problem>, AppError> {
        let Decision { mut outcome, contact, agreed, suppress, flag, write } = decision;
        let Some(contact) = contact else { return Ok(Ok(Taken { contact: None, outcome })) };
        if matches!(outcome, Outcome::New | Outcome::Changed(_)) {
            self.wrote.push(contact.id);
        }
        let written = match &outcome {
            Outcome::New => synced::insert(tx, work.client, &contact).await?,
            Outcome::Changed(_) => synced::update(tx, work.client, &contact).await?,
            Outcome::Same | Outcome::Left(_) => true,
        };
        if !written {
            self.wrote.pop();
            if forbids(&agreed) {
                // The number is another contact’s here, and the same person’s there.
                let same = std::slice::from_ref(&contact.phone);
                for other in synced::alike(tx.reading(), work.client, same, &[]).await? {
                    synced::suppress(tx, other.id, &format!("Marked so in {}", work.system())).await?;
                }
            }
            let phone = shown(&contact.phone);
            return Ok(Err(Problem::retry(format!(
                "Another contact here has the phone number {phone}. Change one of the two, then try again."
            ))));
        }
        if suppress {
            synced::suppress(tx, contact.id, &format!("Marked so in {}", work.system())).await?;
        }
        if (suppress || marked) && outcome == Outcome::Same {
            outcome = Outcome::Changed(vec![("do_not_call".into(), String::new(), "yes".into())]);
        }
        let (integration, client, label) = (work.integration.id, work.client, name_of(&contact));
        if !is_known {
            let link = NewLink {
                integration,
                client,
                kind: "contact",
                remote_id: &record.id,
                contact: Some(contact.id),
                call: None,
                agreed: &agreed,
                facts: &json!({}),
                changed_at: record.changed_at,
            };
            links::put(tx, &link).await?;
            if outcome == Outcome::Same && !self.taken.contains_key(&contact.id) {
                outcome = Outcome::Changed(Vec::new());
            }
        }
        if flag {
            pending::want_contact(tx, integration, client, "flag", contact.id, &label).await?;
        }
        if write && !is_known {
            pending::want_contact(tx, integration, client, "contact", contact.id, &label).await?;
        }
        self.taken.insert(contact.id, record.id.clone());
        let contact = SyncedContact { do_not_call: contact.do_not_call || suppress, ..contact };
        self.know(contact.clone());
        Ok(Ok(Taken { contact: Some(contact), outcome }))
    }
}

/// Whether a record says that nobody may call.
pub(super) fn forbids(theirs: &Fields) -> bool {
    theirs.get("do_not_call").is_some_and(|value| value == YES)
}

/// What a person has said about a record that waited.
pub(super) fn said_in(detail: Option<&Value>) -> Said {
    let said = detail.and_then(|detail| detail.get("said")).cloned();
    said.and_then(|said| serde_json::from_value(said).ok()).unwrap_or_default()
}

/// What a contact is called in a list.
pub(crate) fn name_of(contact: &SyncedContact) -> String {
    [&contact.name, &contact.phone].into_iter().find(|text| !text.is_empty()).cloned().unwrap_or_default()
}

/// What a record is called there.
pub(crate) fn name_there(work: &Work<'_>, record: &CrmRecord) -> String {
    let theirs = work.rules().read(record);
    let names = ["name", "email", "phone"].into_iter().filter_map(|field| theirs.get(field));
    names
        .filter(|text| !text.is_empty())
        .map(|text| text.chars().take(120).collect())
        .next()
        .unwrap_or_else(|| record.id.clone())
}

/// The next page of what went away there. Contacts here stay; their links say so.
pub(super) async fn removed(work: &Work<'_>, sync: &Sync, cursor: &Cursor, crm: &dyn Crm) -> Result<Step, Trouble> {
    let (object, kind) = match sync.kind {
        SyncType::Deals => (CrmObject::Deal, "deal"),
        _ => (CrmObject::Contact, "contact"),
    };
    let since = cursor.since.map(|since| settled(since, crm));
    let (gone, next) = crm.removed(object, since, cursor.next.as_deref()).await?;
    if is_endless(cursor, next.as_deref()) {
        fail(work, sync, ENDLESS).await?;
        return Ok(Step::NotOurs);
    }
    let mut tx = work.scope.write(Action::ManageIntegrations).await?;
    if !holds(&mut tx, sync).await? {
        return Ok(Step::NotOurs);
    }
    let ids: Vec<String> = gone.iter().map(|one| one.id.clone()).collect();
    let links = links::of_records(tx.reading(), work.integration.id, kind, &ids).await?;
    let (mut tally, mut entries) = (Tally::default(), Vec::new());
    for link in links {
        let into = gone.iter().find(|one| one.id == link.remote_id).and_then(|one| one.merged_into.as_deref());
        let entry = match into {
            Some(into) if kind == "contact" => merge(&mut tx, work, &link, into).await?,
            _ => links::remove(&mut tx, link.id).await?.then(|| gone_entry(work, kind, &link)),
        };
        tally.read += i32::from(entry.is_some());
        entries.extend(entry);
    }
    pending::taken(&mut tx, work.integration.id, kind, &ids).await?;
    let moved = Cursor { next: next.clone(), pages: cursor.pages + 1, ..cursor.clone() };
    written(&mut tx, work, sync, &moved, tally, &entries).await?;
    tx.commit().await?;
    Ok(if next.is_some() { Step::More } else { Step::Through })
}

pub(super) fn gone_entry(work: &Work<'_>, kind: &'static str, link: &Link) -> Entry {
    let what = if kind == "deal" { "" } else { " The contact stays here." };
    Entry {
        action: "remove",
        result: "done",
        kind,
        remote_id: Some(link.remote_id.clone()),
        contact: link.contact_id,
        label: link.agreed.0.get("name").cloned().unwrap_or_default(),
        message: format!("It was removed in {}.{what}", work.system()),
        call: None,
    }
}
