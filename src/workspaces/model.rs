//! What an agency has booked, what it may have, and what it asks of itself. Pure.

use serde::{Deserialize, Serialize};

use patchbay_access::SecondFactorRule;
use patchbay_shared::FieldErrors;

patchbay_shared::words! {
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

/// What an agency may have at once. None: as many as it wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Active people, clients' people too, and open invitations.
    pub people: Option<i64>,
    pub clients: Option<i64>,
    pub agents: Option<i64>,
    /// Calls at once: those of batches, those that come in, and test calls.
    pub lines: i64,
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

impl Agreed {
    /// Reads a form's fields; an empty one leaves it to the plan. What is wrong is added to `errors`.
    pub fn read(people: &str, clients: &str, agents: &str, lines: &str, errors: &mut FieldErrors) -> Self {
        let mut number = |name: &str, text: &str, least: i64, most: i64| {
            let text = text.trim();
            let number = text.parse::<i64>().ok().filter(|number| (least..=most).contains(number));
            if number.is_none() && !text.is_empty() {
                errors.add(
                    name,
                    format!("Write a number from {least} to {most}, or leave it empty for what the plan includes."),
                );
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

/// What an agency asks of its people and of itself: part of `workspaces.settings`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgencyRules {
    #[serde(default = "nobody")]
    pub second_factor: SecondFactorRule,
    /// Days that events of the audit log are kept. None: for ever.
    #[serde(default)]
    pub audit_days: Option<i32>,
    /// Calls at once up to which its batches dial. None: as many as its plan gives.
    #[serde(default)]
    pub concurrency: Option<i64>,
}

impl Default for AgencyRules {
    fn default() -> Self {
        Self { second_factor: SecondFactorRule::Nobody, audit_days: None, concurrency: None }
    }
}

fn nobody() -> SecondFactorRule {
    SecondFactorRule::Nobody
}
