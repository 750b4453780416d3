use serde::{Deserialize, Serialize};

use crate::shared::ids::ClientId;
use crate::shared::{FieldErrors, Stamp};

crate::words! {
    pub ClientStatus: "client_status" {
        Active = "active", "Active", Ok;
        Archived = "archived", "Archived", Mute;
    }
}

/// One client in the agency's list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClientRow {
    pub id: ClientId,
    pub name: String,
    pub status: ClientStatus,
    pub timezone: String,
    pub agents: i64,
    pub campaigns: i64,
    pub users: i64,
    pub created: Stamp,
}

/// Everything about one client that its page shows and changes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Client {
    pub id: ClientId,
    pub name: String,
    pub status: ClientStatus,
    pub timezone: String,
    pub shares_cost: bool,
    pub shares_recordings: bool,
    pub shares_steps: bool,
    /// US dollars per month as typed text; none means no budget.
    pub monthly_budget: Option<String>,
    pub created: Stamp,
}

/// A client's id and name, for pickers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientName {
    pub id: ClientId,
    pub name: String,
}

/// What the form for a new or changed client sends.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ClientForm {
    pub name: String,
    pub timezone: String,
    #[serde(default)]
    pub shares_cost: Option<String>,
    #[serde(default)]
    pub shares_recordings: Option<String>,
    #[serde(default)]
    pub shares_steps: Option<String>,
    #[serde(default)]
    pub monthly_budget: String,
}

impl ClientForm {
    /// Checks that need no database. The zone itself is checked on the server.
    pub fn check(&self, errors: &mut FieldErrors) {
        if !(1..=120).contains(&self.name.trim().chars().count()) {
            errors.add("name", "Give the client a name of up to 120 characters.");
        }
        let budget = self.monthly_budget.trim();
        let fits = budget
            .parse::<rust_decimal::Decimal>()
            .is_ok_and(|amount| !amount.is_sign_negative() && amount < 10_000_000.into());
        if !budget.is_empty() && !fits {
            errors.add(
                "monthly_budget",
                "Write the budget as an amount in dollars, for example 500 or 1250.50, or leave it empty.",
            );
        }
    }
}
