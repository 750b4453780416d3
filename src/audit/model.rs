use serde::{Deserialize, Serialize};

use patchbay_shared::{Page, Stamp};

/// One event of the audit log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AuditRow {
    pub seq: i64,
    pub at: Stamp,
    pub actor: String,
    pub action: String,
    pub entity: String,
    pub entity_id: Option<String>,
    pub client: Option<String>,
    pub ip: Option<String>,
    /// Field, before, after: only what differs. Values are short text.
    pub changes: Vec<(String, String, String)>,
}

/// Filters of the list.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct AuditQuery {
    pub entity: Option<String>,
    /// The verb: `created`.
    pub action: Option<String>,
    pub actor: Option<String>,
    /// Ids of the API key, support session, client and record that it has to do with.
    pub key: Option<String>,
    pub support: Option<String>,
    pub client: Option<String>,
    pub record: Option<String>,
    /// Days in the viewer's zone, `2026-11-20`, both included.
    pub from: Option<String>,
    pub to: Option<String>,
    pub cursor: Option<String>,
}

/// A page of the audit log, and the words that its filters offer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AuditPage {
    pub page: Page<AuditRow>,
    pub entities: Vec<String>,
    pub actions: Vec<String>,
    /// Id and name of each key, support session and client that rows can be narrowed to. Empty for a client's people.
    pub keys: Vec<(String, String)>,
    pub supports: Vec<(String, String)>,
    pub clients: Vec<(String, String)>,
    /// The record that rows are narrowed to: its id, and what it is.
    pub record: Option<(String, String)>,
}

/// One event with everything that was written down.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AuditEvent {
    pub row: AuditRow,
    /// In the alphabet's order.
    pub fields: Vec<AuditField>,
    /// The key that a program used.
    pub api_key: Option<String>,
    /// The support session in which it happened, by its id.
    pub support_session: Option<String>,
    /// Nothing was changed: the fields are particulars.
    pub happened: bool,
    pub request_id: Option<String>,
    /// Hexadecimal.
    pub previous_hash: String,
    pub hash: String,
    /// The events before and after this one, as far as the viewer sees them.
    pub older: Option<i64>,
    pub newer: Option<i64>,
}

/// One field as it was and as it became. None: it was not there, or the event does not say.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AuditField {
    pub name: String,
    pub before: Option<String>,
    pub after: Option<String>,
}

impl AuditField {
    pub fn differs(&self) -> bool {
        self.before != self.after
    }
}

/// One event of the platform's log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlatformEvent {
    pub seq: i64,
    pub at: Stamp,
    pub actor: String,
    pub action: String,
    pub entity: String,
    pub entity_id: Option<String>,
    /// Id and name of the agency that it was done to.
    pub agency: Option<(String, String)>,
    pub ip: Option<String>,
    /// Field, before, after: only what differs. Values are short text.
    pub changes: Vec<(String, String, String)>,
}

/// Filters of the platform's log.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct PlatformQuery {
    pub action: Option<String>,
    pub actor: Option<String>,
    /// Words of the agency's name, or its id.
    pub agency: Option<String>,
    /// Days in the viewer's zone, `2026-11-20`, both included.
    pub from: Option<String>,
    pub to: Option<String>,
    pub cursor: Option<String>,
}

/// A page of the platform's log, and the words that its filter offers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlatformPage {
    pub page: Page<PlatformEvent>,
    pub actions: Vec<String>,
}
