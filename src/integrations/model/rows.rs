//! What was exchanged, row by row: syncs, their records, what failed, messages.

use serde::{Deserialize, Serialize};

use super::{
    IntegrationHead, MessageState, MessageWay, Reach, RecordAction, RecordResult, Remedy, SyncStatus, SyncType, Way,
};
use patchbay_shared::ids::{CallId, ContactId, IntegrationMessageId, PendingRecordId, SyncId, SyncRecordId};
use patchbay_shared::{Page, Stamp, Tone};

/// A sync, in lists.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SyncRow {
    pub id: SyncId,
    pub kind: SyncType,
    pub reach: Reach,
    pub status: SyncStatus,
    pub started: Stamp,
    pub seconds: i64,
    pub read: i64,
    pub written: i64,
    pub skipped: i64,
    pub failed: i64,
    pub message: Option<String>,
    pub by: Option<String>,
    pub is_cancelling: bool,
}

impl SyncRow {
    /// State in a word, with its tone: a sync that is done may have failed records.
    pub fn state(&self) -> (Tone, &'static str) {
        match (self.status, self.failed, self.is_cancelling) {
            (SyncStatus::Running, _, true) => (Tone::Warn, "Stopping"),
            (SyncStatus::Success, 1.., _) => (Tone::Warn, "Some failed"),
            (status, ..) => (status.tone(), status.label()),
        }
    }

    /// What happened, in a few words.
    pub fn what(&self) -> String {
        let what = format!("{}: {}", self.kind.label(), self.reach.label().to_lowercase());
        match &self.message {
            Some(message) => format!("{what}. {message}"),
            None => what,
        }
    }
}

/// The page of syncs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SyncsPage {
    pub head: IntegrationHead,
    pub page: Page<SyncRow>,
}

/// One sync with a page of its records.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OneSyncPage {
    pub head: IntegrationHead,
    pub sync: SyncRow,
    pub records: Page<RecordRow>,
}

/// What a sync did with a record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RecordRow {
    pub id: SyncRecordId,
    pub at: Stamp,
    pub action: RecordAction,
    pub result: RecordResult,
    pub remote_kind: String,
    pub remote_id: Option<String>,
    pub contact: Option<ContactId>,
    pub call: Option<CallId>,
    pub label: String,
    pub message: String,
}

/// A record that failed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PendingRow {
    pub id: PendingRecordId,
    pub way: Way,
    pub kind: String,
    pub contact: Option<ContactId>,
    pub call: Option<CallId>,
    pub remote_id: Option<String>,
    pub label: String,
    pub problem: String,
    pub remedy: Remedy,
    pub tries: i32,
    /// None: it waits for a person.
    pub next_try: Option<Stamp>,
    pub since: Stamp,
    /// For choosing: the field, ours, theirs.
    pub choice: Option<(String, String, String)>,
    /// For following: the record in which it lives on.
    pub lives_on: Option<String>,
    /// For mapping: the field there, and the value that it does not know.
    pub unknown: Option<(String, String)>,
}

/// The page of records that failed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FailedPage {
    pub head: IntegrationHead,
    pub page: Page<PendingRow>,
}

/// A message to or from a system that takes them one by one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MessageRow {
    pub id: IntegrationMessageId,
    pub at: Stamp,
    pub way: MessageWay,
    pub state: MessageState,
    pub event: String,
    /// Where in Patchbay it leads.
    pub about: Option<String>,
    pub body: String,
    pub tries: i32,
    pub next_try: Option<Stamp>,
    pub done: Option<Stamp>,
    pub answer_status: Option<i32>,
    pub answer: Option<String>,
    pub problem: Option<String>,
}

/// The page of messages.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MessagesPage {
    pub head: IntegrationHead,
    pub page: Page<MessageRow>,
}
