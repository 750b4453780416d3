//! What the tests of both CRMs share: an account of the stand-in, and values to write.

use chrono::{DateTime, Utc};
use patchbay_providers::crm::*;
use patchbay_sandbox::{CrmBook, CrmKind, Sandbox, SandboxSettings};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::provider_stub::Answer;

pub fn ok(body: Value) -> Answer {
    Answer::json(200, body.to_string())
}

pub fn names(all: &[&str]) -> Vec<String> {
    all.iter().map(|name| (*name).to_owned()).collect()
}

pub fn values(all: &[(&str, &str)]) -> BTreeMap<String, String> {
    all.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

pub fn since(ms: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(ms).expect("a time")
}

/// A stand-in with an account of its own.
pub struct Account<C> {
    sandbox: Arc<Sandbox>,
    kind: CrmKind,
    name: String,
    pub crm: C,
}

impl<C: Crm> Account<C> {
    /// `at` makes the client for an address and a token.
    pub async fn new(kind: CrmKind, name: &str, at: fn(&str, &str) -> C) -> Self {
        let (address, sandbox, _stop) = patchbay_sandbox::start(SandboxSettings::for_tests()).await.unwrap();
        let folder = match kind {
            CrmKind::Hubspot => "hubspot",
            CrmKind::Zoho => "zoho",
        };
        let crm = at(&format!("http://{address}/{folder}"), name);
        Self { sandbox, kind, name: name.to_owned(), crm }
    }

    pub fn book<R>(&self, work: impl FnOnce(&mut CrmBook) -> R) -> R {
        self.sandbox.crm_book(self.kind, &self.name, work)
    }

    pub fn ids(&self) -> Vec<String> {
        self.book(|book| book.contacts().into_iter().map(|one| one.id).collect())
    }

    /// All ids that pages give, and how many records came in all. It ends, or the test does.
    pub async fn read(&self, since: Option<DateTime<Utc>>, most: u16) -> (BTreeSet<String>, usize) {
        let (mut ids, mut count, mut next) = (BTreeSet::new(), 0, None);
        for _ in 0..200 {
            let page = self.crm.page(CrmObject::Contact, &[], since, next.as_deref(), most).await.unwrap();
            count += page.records.len();
            ids.extend(page.records.into_iter().map(|record| record.id));
            next = page.next;
            if next.is_none() {
                return (ids, count);
            }
        }
        panic!("the pages never end");
    }
}

pub fn call(contact: &str, key: &str) -> CrmCall {
    CrmCall {
        key: key.to_owned(),
        contact: contact.to_owned(),
        title: "Call by Sam".to_owned(),
        body: "Booked <b>Monday</b>\nhttps://patchbay.test/calls/1?a=1&b=2".to_owned(),
        at: since(1_772_460_000_000),
        seconds: 184,
        inbound: false,
        from: "+13125550100".to_owned(),
        to: "+13125550123".to_owned(),
        reached: true,
    }
}

pub fn task(contact: &str, key: &str) -> CrmTask {
    CrmTask {
        key: key.to_owned(),
        contact: contact.to_owned(),
        title: "Call back".to_owned(),
        body: "At ten".to_owned(),
        due: since(1_772_560_000_000),
    }
}
