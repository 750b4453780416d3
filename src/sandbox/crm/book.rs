//! One account of a CRM: its records, its sign-ins, and what goes wrong in it.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::CrmKind;
use super::{past, people};

/// What goes wrong, for one account. Counts go down as it happens.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CrmFaults {
    /// So many requests get 429.
    pub limited: u32,
    /// So many requests get 502.
    pub failing: u32,
    /// So many requests get a page of HTML with status 200.
    pub garbage: u32,
    /// So many activities and contacts are made, and answered with 502.
    pub lost_answers: u32,
    /// After so many more requests the sign-in is ended, as if somebody had taken the app away.
    pub revoke_after: Option<u32>,
    /// After so many more requests the access tokens are good no more; the refresh token still is.
    pub expire_after: Option<u32>,
    /// So many requests for a new token get 503.
    pub no_tokens: u32,
    /// A page is given a second time, once.
    pub repeats_page: bool,
    /// Every page names itself as the next one.
    pub is_stuck: bool,
    /// When the first page of contacts was read, one that stands on it and one that comes later are removed.
    pub removes_while_read: bool,
    /// Properties have values of other types than they should, and control characters.
    pub odd_values: bool,
    /// Whoever asks for this record alone gets 500.
    pub unreadable: Option<String>,
    /// The account may not read this kind of record, by the service's own name for it: `meetings`, `Notes`.
    pub hides: String,
    /// How long an access token is good, in seconds; 0: as long as the service's are.
    pub token_secs: u32,
    /// How long a new token takes, in milliseconds.
    pub token_ms: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Object {
    Contact,
    Deal,
    Call,
    Task,
    Note,
    Meeting,
}

#[derive(Debug, Clone)]
pub(crate) struct Record {
    pub id: u64,
    pub object: Object,
    pub properties: BTreeMap<String, String>,
    pub created: DateTime<Utc>,
    pub changed: DateTime<Utc>,
    pub removed: Option<DateTime<Utc>>,
    pub merged_into: Option<u64>,
    /// Contacts that it belongs to.
    pub links: Vec<u64>,
}

impl Record {
    pub fn new(
        id: u64,
        object: Object,
        properties: BTreeMap<String, String>,
        created: DateTime<Utc>,
        changed: DateTime<Utc>,
    ) -> Self {
        Self { id, object, properties, created, changed, removed: None, merged_into: None, links: Vec::new() }
    }
}

/// A code that was given to a browser.
#[derive(Debug, Clone)]
pub(super) struct Code {
    pub redirect_uri: String,
    pub challenge: Option<String>,
    pub scope: String,
}

/// A record as tests see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CrmEntry {
    pub id: String,
    pub properties: BTreeMap<String, String>,
    /// The contacts that it belongs to.
    pub contacts: Vec<String>,
}

/// One account of a CRM.
pub struct CrmBook {
    pub(crate) kind: CrmKind,
    pub(crate) account: String,
    pub faults: CrmFaults,
    /// How often a new token was given for an old one.
    pub refreshes: u32,
    /// How often somebody ended the sign-in at the service.
    pub revocations: u32,
    /// How many requests came, tokens left out.
    pub requests: u32,
    /// How far this account's clock runs ahead of the real one.
    pub ahead: TimeDelta,
    pub(crate) records: BTreeMap<u64, Record>,
    next_id: u64,
    /// Records from this id on were written, by us or by a test; those before were there at first.
    first_written: u64,
    /// Sign-ins of an earlier one are over.
    pub(super) generation: u32,
    /// Access tokens of an earlier one are over.
    pub(super) good_from: u32,
    pub(super) serial: u32,
    pub(super) codes: HashMap<String, Code>,
    pub(crate) scope: String,
    /// The last page of a search or list, for `repeats_page`.
    pub(crate) last_page: Option<Value>,
    /// How many pages the numbers of pages are behind, for `repeats_page`.
    pub(crate) pages_behind: usize,
    /// Events that nobody was told of yet, and how many there were.
    pub(super) told: Vec<Value>,
    pub(super) events: u64,
}

impl CrmBook {
    pub(super) fn new(kind: CrmKind, account: &str) -> Self {
        // Times in whole seconds: Zoho has no others.
        let now = DateTime::from_timestamp(Utc::now().timestamp(), 0).unwrap_or_default();
        let people = people::drawn(kind, account, now);
        let past = past::drawn(kind, account, now, &people);
        let records: BTreeMap<u64, Record> = people.into_iter().chain(past).map(|record| (record.id, record)).collect();
        let next_id = records.keys().next_back().copied().unwrap_or(0) + 1_000;
        Self {
            kind,
            account: account.to_owned(),
            faults: CrmFaults::default(),
            refreshes: 0,
            revocations: 0,
            requests: 0,
            ahead: TimeDelta::zero(),
            records,
            next_id,
            first_written: next_id,
            generation: 0,
            good_from: 0,
            serial: 0,
            codes: HashMap::new(),
            scope: String::new(),
            last_page: None,
            pages_behind: 0,
            told: Vec::new(),
            events: 0,
        }
    }

    pub(crate) fn now(&self) -> DateTime<Utc> {
        let now = Utc::now() + self.ahead;
        DateTime::from_timestamp_millis(now.timestamp_millis()).unwrap_or(now)
    }

    /// Changes properties of a record there; an empty value takes one away.
    pub fn change(&mut self, id: &str, values: &[(&str, &str)]) {
        let values = values.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        if let Ok(id) = id.parse() {
            self.set(id, &values);
        }
    }

    pub(crate) fn set(&mut self, id: u64, values: &BTreeMap<String, String>) {
        let now = self.now();
        if let Some(record) = self.records.get_mut(&id) {
            for (name, value) in values {
                match value.is_empty() {
                    true => drop(record.properties.remove(name)),
                    false => drop(record.properties.insert(name.clone(), value.clone())),
                }
            }
            record.changed = now;
        }
        for (name, value) in values {
            self.happened("propertyChange", id, &json!({"propertyName": name, "propertyValue": value}));
        }
    }

    /// A new contact there. Its id.
    pub fn add(&mut self, values: &[(&str, &str)]) -> String {
        let values = values.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        self.insert(Object::Contact, values, Vec::new()).to_string()
    }

    pub(crate) fn insert(&mut self, object: Object, properties: BTreeMap<String, String>, links: Vec<u64>) -> u64 {
        let (id, now) = (self.next_id, self.now());
        self.next_id += 1;
        let record = Record { links, ..Record::new(id, object, properties, now, now) };
        self.records.insert(id, record);
        self.happened("creation", id, &json!({"changeFlag": "NEW"}));
        id
    }

    /// Removes a record there.
    pub fn remove(&mut self, id: &str) {
        let now = self.now();
        let Ok(id) = id.parse::<u64>() else { return };
        if let Some(record) = self.records.get_mut(&id) {
            record.removed = Some(now);
            record.changed = now;
        }
        self.happened("deletion", id, &json!({"changeFlag": "DELETED"}));
    }

    /// Merges one contact into another: what the other has not it gets, and activities move to it.
    pub fn merge(&mut self, winner: &str, loser: &str) {
        let (Ok(winner), Ok(loser)) = (winner.parse::<u64>(), loser.parse::<u64>()) else { return };
        let now = self.now();
        let Some(gone) = self.records.get_mut(&loser) else { return };
        gone.merged_into = Some(winner);
        gone.removed = Some(now);
        gone.changed = now;
        let values = gone.properties.clone();
        for record in self.records.values_mut() {
            record.links.iter_mut().filter(|link| **link == loser).for_each(|link| *link = winner);
            if record.merged_into == Some(loser) {
                record.merged_into = Some(winner);
            }
        }
        if let Some(record) = self.records.get_mut(&winner) {
            for (name, value) in values {
                record.properties.entry(name).or_insert(value);
            }
            record.changed = now;
        }
        let who = json!({"primaryObjectId": winner, "mergedObjectIds": [loser], "newObjectId": winner});
        self.happened("merge", winner, &who);
        self.happened("deletion", loser, &json!({"changeFlag": "DELETED"}));
    }

    /// All of these changed at once, in the same moment.
    pub fn touch(&mut self, ids: &[String]) {
        let now = self.now();
        for id in ids {
            if let Some(record) = id.parse().ok().and_then(|id: u64| self.records.get_mut(&id)) {
                record.changed = now;
            }
        }
    }

    /// Somebody takes the app away: tokens of every kind are good no more.
    pub fn revoke(&mut self) {
        self.generation += 1;
    }

    /// The access tokens are good no more; the refresh token still is.
    pub fn expire(&mut self) {
        self.good_from = self.serial + 1;
    }

    /// Contacts that are there, by id.
    pub fn contacts(&self) -> Vec<CrmEntry> {
        self.entries(Object::Contact)
    }

    pub fn deals(&self) -> Vec<CrmEntry> {
        self.entries(Object::Deal)
    }

    /// Calls that were written.
    pub fn calls(&self) -> Vec<CrmEntry> {
        self.written(Object::Call)
    }

    /// Tasks that were made.
    pub fn tasks(&self) -> Vec<CrmEntry> {
        self.written(Object::Task)
    }

    /// A note, call, task or meeting of somebody there, with its properties as the service calls them. Its id.
    pub fn add_activity(&mut self, kind: &str, contact: &str, values: &[(&str, &str)]) -> String {
        let object = match kind {
            "note" => Object::Note,
            "call" => Object::Call,
            "task" => Object::Task,
            _ => Object::Meeting,
        };
        let values = values.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        self.insert(object, values, contact.parse().into_iter().collect()).to_string()
    }

    /// A deal of somebody there. Its id.
    pub fn add_deal(&mut self, contact: &str, values: &[(&str, &str)]) -> String {
        let values = values.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        self.insert(Object::Deal, values, contact.parse().into_iter().collect()).to_string()
    }

    /// A record belongs to one more contact, which leaves no trace in its times.
    pub fn associate(&mut self, id: &str, contact: &str) {
        let record = id.parse().ok().and_then(|id: u64| self.records.get_mut(&id));
        if let (Some(record), Ok(contact)) = (record, contact.parse()) {
            record.links.push(contact);
        }
    }

    fn written(&self, object: Object) -> Vec<CrmEntry> {
        let is_new = |entry: &CrmEntry| entry.id.parse().is_ok_and(|id: u64| id >= self.first_written);
        self.entries(object).into_iter().filter(is_new).collect()
    }

    fn entries(&self, object: Object) -> Vec<CrmEntry> {
        let entry = |record: &Record| CrmEntry {
            id: record.id.to_string(),
            properties: record.properties.clone(),
            contacts: record.links.iter().map(u64::to_string).collect(),
        };
        self.of(object).map(entry).collect()
    }

    /// Records that are there, by id.
    pub(crate) fn of(&self, object: Object) -> impl Iterator<Item = &Record> {
        self.records.values().filter(move |record| record.object == object && record.removed.is_none())
    }

    /// A record, or the one that it lives on in.
    pub(crate) fn find(&self, object: Object, id: &str) -> Option<&Record> {
        let mut record = self.records.get(&id.parse().ok()?)?;
        if let Some(winner) = record.merged_into {
            record = self.records.get(&winner)?;
        }
        (record.object == object && record.removed.is_none()).then_some(record)
    }

    /// For `removes_while_read`: the last that was read goes, and one that comes later.
    pub(crate) fn remove_while_read(&mut self, read: &[u64]) {
        if !std::mem::take(&mut self.faults.removes_while_read) {
            return;
        }
        let last = read.last().copied().unwrap_or(0);
        let later = self.of(Object::Contact).map(|record| record.id).find(|id| *id > last);
        for id in [Some(last), later].into_iter().flatten() {
            self.remove(&id.to_string());
        }
    }
}
