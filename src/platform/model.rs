use serde::{Deserialize, Serialize};

use crate::connections::model::IntegrationStatus;
use crate::shared::ids::WorkspaceId;
use crate::shared::{FieldErrors, Money, Stamp};

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

/// What an agency may have at once. None: as many as it wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Active people, clients' people too, and open invitations.
    pub people: Option<i64>,
    pub clients: Option<i64>,
    pub agents: Option<i64>,
    /// Calls at once, over all batches.
    pub lines: i64,
}

/// What the platform has agreed with one agency, in place of what its plan gives: part of `workspaces.settings`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agreed {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub people: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clients: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agents: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lines: Option<i64>,
}

/// What is limited by number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Active people and open invitations.
    People,
    /// Active people alone.
    Members,
    Clients,
    Agents,
}

/// What an agency holds of what it may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    pub people: i64,
    pub clients: i64,
    pub agents: i64,
    /// Calls on the line now.
    pub lines: i64,
    pub granted: Limits,
}

impl WorkspacePlan {
    /// What the plan gives.
    pub fn limits(self) -> Limits {
        let limits = |people, clients, agents, lines| Limits { people, clients, agents, lines };
        match self {
            Self::Free => limits(Some(5), Some(2), Some(3), 2),
            Self::Pro => limits(Some(500), Some(500), Some(500), 20),
            Self::Enterprise => limits(None, None, None, 200),
        }
    }
}

impl Limits {
    /// The plan's, with what was agreed in their place.
    pub fn of(plan: WorkspacePlan, agreed: Agreed) -> Self {
        let plan = plan.limits();
        Self {
            people: agreed.people.or(plan.people),
            clients: agreed.clients.or(plan.clients),
            agents: agreed.agents.or(plan.agents),
            lines: agreed.lines.unwrap_or(plan.lines),
        }
    }
}

impl Held {
    /// Name, how many there are, how many there may be.
    pub fn rows(&self) -> [(&'static str, i64, Option<i64>); 4] {
        let granted = self.granted;
        [
            ("People", self.people, granted.people),
            ("Clients", self.clients, granted.clients),
            ("Agents", self.agents, granted.agents),
            ("Calls on the line", self.lines, Some(granted.lines)),
        ]
    }
}

impl Agreed {
    /// Reads a form's fields; an empty one leaves it to the plan. What is wrong is added to `errors`.
    pub fn read(people: &str, clients: &str, agents: &str, lines: &str, errors: &mut FieldErrors) -> Self {
        let mut number = |name: &str, text: &str, least: i64, most: i64| {
            let text = text.trim();
            let number = text.parse::<i64>().ok().filter(|number| (least..=most).contains(number));
            if number.is_none() && !text.is_empty() {
                errors.add(name, format!("Write a number from {least} to {most}, or nothing for what the plan gives."));
            }
            number
        };
        Self {
            people: number("people", people, 1, 1_000_000),
            clients: number("clients", clients, 0, 1_000_000),
            agents: number("agents", agents, 0, 1_000_000),
            lines: number("lines", lines, 1, 10_000),
        }
    }
}

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
