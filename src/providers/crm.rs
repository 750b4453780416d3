//! What a CRM can do for us: people, deals, and activities. Ids and property names are the service's own.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

pub use super::crm_activity::{CrmActivities, CrmActivity, CrmActivityKind, CrmActivityPage};
use super::error::ProviderError;

/// A kind of record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CrmObject {
    Contact,
    Deal,
    Activity(CrmActivityKind),
}

impl CrmObject {
    /// It belongs to contacts, and is asked for with them.
    pub(crate) fn is_of_contacts(self) -> bool {
        self != CrmObject::Contact
    }
}

/// A record as the service has it. A property without a value is left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CrmRecord {
    pub id: String,
    pub properties: BTreeMap<String, String>,
    pub changed_at: Option<DateTime<Utc>>,
    /// Contacts that a deal or an activity belongs to.
    pub contacts: Vec<String>,
    /// Records that were merged into this one and live on in it.
    pub merged: Vec<String>,
}

/// A page of records, in an order of the service's own. Pages may repeat records.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CrmPage {
    pub records: Vec<CrmRecord>,
    /// Where it goes on; opaque. None: this was the last page.
    pub next: Option<String>,
    /// How many there are in all; only on a first page, and when the service says so.
    pub total: Option<u64>,
}

/// A record that is there no more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CrmRemoved {
    pub id: String,
    /// It lives on in this one.
    pub merged_into: Option<String>,
    pub at: Option<DateTime<Utc>>,
}

/// A property that a record may have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CrmProperty {
    pub name: String,
    pub label: String,
    /// `text`, `number`, `date`, `datetime`, `bool`, `list`, `choices` (several of a list, with semicolons between them) or `other`.
    pub kind: &'static str,
    /// Values of a list: the service's value, and its label.
    pub options: Vec<(String, String)>,
    pub read_only: bool,
}

/// Whose account it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CrmAccount {
    pub id: String,
    pub name: String,
    pub user: String,
}

/// What the service said last about its limit. All of it is optional.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CrmLimit {
    pub most: Option<u32>,
    pub left: Option<u32>,
    /// The window in seconds.
    pub seconds: Option<u32>,
    pub daily_most: Option<u32>,
    pub daily_left: Option<u32>,
}

/// A call that is told to the CRM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CrmCall {
    /// Ours: its letters and digits stand in the record, so that it is found again when the answer to its making was lost. At least eight.
    pub key: String,
    pub contact: String,
    pub title: String,
    /// Plain text, several lines; the link stands in it.
    pub body: String,
    pub at: DateTime<Utc>,
    pub seconds: u32,
    pub inbound: bool,
    pub from: String,
    pub to: String,
    pub reached: bool,
}

/// Something to do, with the contact, for a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CrmTask {
    /// Ours, as of a call.
    pub key: String,
    pub contact: String,
    pub title: String,
    pub body: String,
    pub due: DateTime<Utc>,
}

/// How a write of one record went, in the order in which they were given.
pub type CrmWritten = Result<String, CrmRefusal>;

/// Why one record was not written, though others may have been.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CrmRefusal {
    /// In the service's words, cleaned.
    pub message: String,
    /// The property that it is about.
    pub property: Option<String>,
    /// The record is there no more.
    pub is_gone: bool,
    /// It lives on in this one.
    pub merged_into: Option<String>,
    /// It may go well another time.
    pub may_repeat: bool,
}

/// A CRM with a token that works. Every method's error is the whole request's; `Kind::Credentials` asks for a new sign-in.
#[async_trait]
pub trait Crm: CrmActivities + Send + Sync {
    fn name(&self) -> &'static str;
    /// Changes may show up so much later than they happened: whoever asks for what is new begins so much before.
    fn settles_after(&self) -> Duration;
    async fn account(&self) -> Result<CrmAccount, ProviderError>;
    async fn properties(&self, object: CrmObject) -> Result<Vec<CrmProperty>, ProviderError>;
    /// Records that changed at or after `since`; all for None. `next` of the page before goes on there.
    async fn page(
        &self,
        object: CrmObject,
        properties: &[String],
        since: Option<DateTime<Utc>>,
        next: Option<&str>,
        most: u16,
    ) -> Result<CrmPage, ProviderError>;
    /// Records that went away at or after `since`.
    async fn removed(
        &self,
        object: CrmObject,
        since: Option<DateTime<Utc>>,
        next: Option<&str>,
    ) -> Result<(Vec<CrmRemoved>, Option<String>), ProviderError>;
    /// One record; follows merges. None: there is none.
    async fn get(&self, object: CrmObject, id: &str, properties: &[String])
    -> Result<Option<CrmRecord>, ProviderError>;
    /// Writes properties of contacts that exist, at most 100.
    async fn update(&self, records: &[(String, BTreeMap<String, String>)]) -> Result<Vec<CrmWritten>, ProviderError>;
    /// Finds a contact by the e-mail address or phone number in `new`, and sets the properties `known` of it; one that is made gets `new`.
    async fn upsert(
        &self,
        new: &BTreeMap<String, String>,
        known: &BTreeMap<String, String>,
    ) -> Result<CrmWritten, ProviderError>;
    /// Writes an activity about a call, or finds the one of the same key. Its id.
    async fn write_call(&self, call: &CrmCall) -> Result<CrmWritten, ProviderError>;
    /// Makes a task, or finds the one of the same key. Its id.
    async fn write_task(&self, task: &CrmTask) -> Result<CrmWritten, ProviderError>;
    /// What the service last said about its limit on this client.
    fn limit(&self) -> Option<CrmLimit>;
}
