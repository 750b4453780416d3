use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use patchbay_access::ClientAdminRights;
use patchbay_metering::model::BudgetAction;
use patchbay_shared::ids::ClientId;
use patchbay_shared::{FieldErrors, Stamp};

patchbay_shared::words! {
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
    pub shares_prompts: bool,
    pub admins: ClientAdminRights,
    /// US dollars per month as typed text; none means no budget.
    pub monthly_budget: Option<String>,
    pub budget_action: BudgetAction,
    pub created: Stamp,
}

/// What the form for a new or changed client sends.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ClientForm {
    /// Empty for a new one.
    #[serde(default)]
    pub id: String,
    pub name: String,
    pub timezone: String,
    #[serde(default)]
    pub shares_cost: Option<String>,
    #[serde(default)]
    pub shares_recordings: Option<String>,
    #[serde(default)]
    pub shares_steps: Option<String>,
    #[serde(default)]
    pub shares_prompts: Option<String>,
    #[serde(default)]
    pub admins_edit_contacts: Option<String>,
    #[serde(default)]
    pub admins_edit_campaigns: Option<String>,
    #[serde(default)]
    pub admins_run_batches: Option<String>,
    #[serde(default)]
    pub admins_invite_viewers: Option<String>,
    #[serde(default)]
    pub monthly_budget: String,
    /// `warn` or `hold`; empty is `warn`.
    #[serde(default)]
    pub budget_action: String,
}

impl ClientForm {
    /// Checks that need no database. The zone itself is checked on the server.
    pub fn check(&self, errors: &mut FieldErrors) {
        if !(1..=120).contains(&self.name.trim().chars().count()) {
            errors.add("name", "Give the client a name of up to 120 characters.");
        }
        let budget = self.monthly_budget.trim();
        let fits = budget
            .parse::<Decimal>()
            .is_ok_and(|amount| !amount.is_sign_negative() && amount < 10_000_000.into() && amount.scale() <= 2);
        if !budget.is_empty() && !fits {
            errors.add(
                "monthly_budget",
                "Write the budget as an amount in dollars, for example 500 or 1250.50, or leave it empty.",
            );
        }
        if self.action().is_none() {
            errors.add("budget_action", "Choose what happens when the budget is spent.");
        }
    }

    /// What the client's admins may do: each box that is ticked.
    pub fn admins(&self) -> ClientAdminRights {
        ClientAdminRights {
            edit_contacts: self.admins_edit_contacts.is_some(),
            edit_campaigns: self.admins_edit_campaigns.is_some(),
            run_batches: self.admins_run_batches.is_some(),
            invite_viewers: self.admins_invite_viewers.is_some(),
        }
    }

    /// None: it is no word that the form offers.
    pub fn action(&self) -> Option<BudgetAction> {
        match self.budget_action.as_str() {
            "" => Some(BudgetAction::Warn),
            word => word.parse().ok(),
        }
    }
}
