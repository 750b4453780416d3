use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::shared::ids::ClientId;
use crate::shared::{FieldErrors, Money, Stamp, Tone};

crate::words! {
    pub ClientStatus: "client_status" {
        Active = "active", "Active", Ok;
        Archived = "archived", "Archived", Mute;
    }
    /// What happens when the month's budget is spent.
    pub BudgetAction: "budget_action" {
        Warn = "warn", "Tell the agency, and go on", Warn;
        Hold = "hold", "Hold: nothing new is dialled", Bad;
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
    /// US dollars per month as typed text; none means no budget.
    pub monthly_budget: Option<String>,
    pub budget_action: BudgetAction,
    pub created: Stamp,
}

/// A client of which a good part of this month's budget is spent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Standing {
    pub id: ClientId,
    pub name: String,
    pub budget: Money,
    pub spent: Money,
    pub action: BudgetAction,
    /// The first day of the next month in the client's zone: `1 December`.
    pub ends: String,
}

/// The parts of a budget, in percent, at which people are told.
pub const LEVELS: [i64; 2] = [80, 100];

impl Standing {
    /// Whether so many percent of the budget are spent. Of nothing everything is spent at once.
    pub fn has_reached(&self, percent: i64) -> bool {
        self.spent.0 * Decimal::from(100) >= self.budget.0 * Decimal::from(percent)
    }

    /// Nothing new may be dialled.
    pub fn holds(&self) -> bool {
        self.action == BudgetAction::Hold && self.has_reached(100)
    }

    /// Why a batch waits. The amount only for whoever may see cost.
    pub fn reason(&self, with_amount: bool) -> String {
        let amount = if with_amount { format!(" of {}", self.budget.text()) } else { String::new() };
        format!(
            "The monthly budget{amount} is spent; it goes on when the month ends on {} or the budget is raised.",
            self.ends
        )
    }

    /// For a callout: how far it is, and what that does. None below the first level.
    pub fn remark(&self) -> Option<(Tone, String)> {
        let (spent, budget) = (self.spent.text(), self.budget.text());
        if self.holds() {
            let text = format!(
                "The monthly budget of {budget} is spent ({spent}). Nothing new is dialled until {} or until the budget is raised.",
                self.ends
            );
            return Some((Tone::Bad, text));
        }
        if self.has_reached(100) {
            let text = format!(
                "The monthly budget of {budget} is spent ({spent}). Calls go on; the next month begins on {}.",
                self.ends
            );
            return Some((Tone::Warn, text));
        }
        self.has_reached(LEVELS[0]).then(|| {
            let then = match self.action {
                BudgetAction::Hold => "Nothing new is dialled once it is spent",
                BudgetAction::Warn => "Calls go on when it is spent",
            };
            let text = format!("More than 80% of the monthly budget is spent: {spent} of {budget}. {then}; the next month begins on {}.", self.ends);
            (Tone::Warn, text)
        })
    }
}

/// How many rows a block of the client's page shows.
pub const FIRST_FEW: usize = 5;

/// A client's id and name, for pickers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientName {
    pub id: ClientId,
    pub name: String,
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

    /// None: it is no word that the form offers.
    pub fn action(&self) -> Option<BudgetAction> {
        match self.budget_action.as_str() {
            "" => Some(BudgetAction::Warn),
            word => word.parse().ok(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standing(budget: &str, spent: &str, action: BudgetAction) -> Standing {
        let money = |text: &str| Money(text.parse().unwrap_or_default());
        let id = ClientId(uuid::Uuid::nil());
        Standing { id, name: "A".into(), budget: money(budget), spent: money(spent), action, ends: "1 December".into() }
    }

    #[test]
    fn a_level_is_reached_to_the_cent() {
        let at = |spent: &str| standing("500", spent, BudgetAction::Hold);
        assert!(!at("399.999999").has_reached(80) && at("400").has_reached(80));
        assert!(!at("499.999999").holds() && at("500").holds());
        assert!(!standing("500", "500", BudgetAction::Warn).holds());
    }

    #[test]
    fn a_budget_of_nothing_is_spent_at_once() {
        assert!(standing("0", "0", BudgetAction::Hold).holds());
    }

    #[test]
    fn the_reason_names_the_amount_only_to_those_who_may_see_it() {
        let spent = standing("500", "512.3", BudgetAction::Hold);
        let known = "The monthly budget of $500.00 is spent; it goes on when the month ends on 1 December or the budget is raised.";
        assert_eq!(spent.reason(true), known);
        assert!(!spent.reason(false).contains('$'));
    }
}
