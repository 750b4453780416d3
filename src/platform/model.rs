use serde::{Deserialize, Serialize};

use crate::shared::Stamp;
use crate::shared::ids::WorkspaceId;

crate::words! {
    /// What an agency has booked.
    pub WorkspacePlan: "workspace_plan" {
        Free = "free", "Free", Mute;
        Pro = "pro", "Pro", Info;
        Enterprise = "enterprise", "Enterprise", Info;
    }
    /// A suspended workspace signs in and reads; nothing dials, syncs or spends.
    pub WorkspaceStatus: "workspace_status" {
        Active = "active", "Active", Ok;
        Suspended = "suspended", "Suspended", Warn;
    }
}

/// One agency in the platform's list: no tenant data, only what the account itself is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WorkspaceRow {
    pub id: WorkspaceId,
    pub name: String,
    pub slug: String,
    pub owner: Option<String>,
    pub plan: WorkspacePlan,
    pub status: WorkspaceStatus,
    pub users: i64,
    pub failed_work: i64,
    pub created: Stamp,
}

/// Work that waits or failed, over all workspaces, by queue.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct QueueHealth {
    pub name: String,
    pub waiting: i64,
    pub failed: i64,
    /// Age of the oldest due item, in seconds.
    pub oldest_seconds: Option<i64>,
}

/// Filters of the list.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct WorkspaceQuery {
    pub words: Option<String>,
    pub status: Option<String>,
    pub cursor: Option<String>,
}

/// `Halden Voice` as `halden-voice`: the short name in addresses.
pub fn slug_of(name: &str) -> String {
    let mut slug = String::new();
    for letter in name.trim().chars().flat_map(char::to_lowercase) {
        if letter.is_ascii_alphanumeric() {
            slug.push(letter);
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    let slug: String = slug.trim_end_matches('-').chars().take(60).collect();
    if slug.is_empty() { "agency".into() } else { slug }
}
