use serde::{Deserialize, Serialize};

use crate::shared::Stamp;

/// One event of the trail.
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
    pub actor: Option<String>,
    /// Days in the viewer's zone, `2026-11-20`, both included.
    pub from: Option<String>,
    pub to: Option<String>,
    pub cursor: Option<String>,
}
