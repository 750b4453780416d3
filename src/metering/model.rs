//! What a client may spend in a month, and how far it is; and what usage adds up to by day. Pure.

mod days;
mod texts;

pub use days::{Period, Preset, Sums};
pub use texts::TextSums;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use patchbay_shared::ids::ClientId;
use patchbay_shared::{Money, Tone};

patchbay_shared::words! {
    /// What happens when the month's budget is spent.
    pub BudgetAction: "budget_action" {
        Warn = "warn", "Notify the agency and continue", Warn;
        Hold = "hold", "Hold: no new calls start, no text messages go out", Bad;
    }
}

/// A client of which a good part of this month's budget is spent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BudgetStatus {
    pub id: ClientId,
    pub name: String,
    pub budget: Money,
    pub spent: Money,
    pub action: BudgetAction,
    /// The first day of the next month in the client's zone: `1 December`.
    pub ends: String,
}

impl BudgetStatus {
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
            "The monthly budget{amount} is spent. Calls continue when the month ends on {} or the budget is raised.",
            self.ends
        )
    }

    /// Why no text message goes out. The amount only for whoever may see cost.
    pub fn text_reason(&self, with_amount: bool) -> String {
        let amount = if with_amount { format!(" of {}", self.budget.text()) } else { String::new() };
        format!(
            "The client’s monthly budget{amount} is spent. Text messages go out again when the month ends on {} or the budget is raised.",
            self.ends
        )
    }

    /// For a callout: how far it is, and what that does. None below the first level.
    pub fn remark(&self) -> Option<(Tone, String)> {
        let (spent, budget) = (self.spent.text(), self.budget.text());
        if self.holds() {
            let text = format!(
                "The monthly budget of {budget} is spent ({spent}). No new calls start until {} or until the budget is raised, and no text messages go out.",
                self.ends
            );
            return Some((Tone::Bad, text));
        }
        if self.has_reached(100) {
            let text = format!(
                "The monthly budget of {budget} is spent ({spent}). Calls continue; the next month begins on {}.",
                self.ends
            );
            return Some((Tone::Warn, text));
        }
        self.has_reached(LEVELS[0]).then(|| {
            let then = match self.action {
                BudgetAction::Hold => "Once it is spent nothing new is dialled and no text messages go out",
                BudgetAction::Warn => "Calls continue when it is spent",
            };
            let text = format!("More than 80% of the monthly budget is spent: {spent} of {budget}. {then}; the next month begins on {}.", self.ends);
            (Tone::Warn, text)
        })
    }
}

/// The parts of a budget, in percent, at which people are told.
pub const LEVELS: [i64; 2] = [80, 100];

#[cfg(test)]
mod tests {
    use super::*;

    fn status(budget: &str, spent: &str, action: BudgetAction) -> BudgetStatus {
        let money = |text: &str| Money(text.parse().unwrap_or_default());
        let id = ClientId(uuid::Uuid::nil());
        BudgetStatus {
            id,
            name: "A".into(),
            budget: money(budget),
            spent: money(spent),
            action,
            ends: "1 December".into(),
        }
    }

    #[test]
    fn a_level_is_reached_to_the_cent() {
        let at = |spent: &str| status("500", spent, BudgetAction::Hold);
        assert!(!at("399.999999").has_reached(80) && at("400").has_reached(80));
        assert!(!at("499.999999").holds() && at("500").holds());
        assert!(!status("500", "500", BudgetAction::Warn).holds());
    }

    #[test]
    fn a_budget_of_nothing_is_spent_at_once() {
        assert!(status("0", "0", BudgetAction::Hold).holds());
    }

    #[test]
    fn the_reason_names_the_amount_only_to_those_who_may_see_it() {
        let spent = status("500", "512.3", BudgetAction::Hold);
        let known = "The monthly budget of $500.00 is spent. Calls continue when the month ends on 1 December or the budget is raised.";
        assert_eq!(spent.reason(true), known);
        assert!(!spent.reason(false).contains('$'));
    }
}
