use serde::{Deserialize, Serialize};

use patchbay_connections::model::IntegrationStatus;
use patchbay_shared::ids::WorkspaceId;
use patchbay_shared::{Money, Stamp};
use patchbay_workspaces::model::{Agreed, Held, WorkspacePlan, WorkspaceStatus};

/// One agency on the platform's own page: what it is and how much it does, and nothing of what it does it with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WorkspaceView {
    pub row: WorkspaceRow,
    pub timezone: String,
    pub agreed: Agreed,
    pub held: Held,
    /// Of the last thirty days.
    pub use_30: WorkspaceUse,
    pub connections: Vec<ConnectionHealth>,
    pub queues: Vec<QueueHealth>,
    /// The open invitation of the first owner, while there is no owner.
    pub owner_invited: Option<String>,
}

/// How much an agency did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct WorkspaceUse {
    pub calls: i64,
    pub minutes: f64,
    pub spend: Money,
}

/// How an agency's account at an outside service is doing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ConnectionHealth {
    pub provider: String,
    pub status: IntegrationStatus,
    /// What the service said last, if it failed.
    pub error: Option<String>,
    pub checked: Option<Stamp>,
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
