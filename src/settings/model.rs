use serde::{Deserialize, Serialize};

use patchbay_access::SecondFactorRule;
use patchbay_shared::FieldErrors;
use patchbay_workspaces::model::AgencyRules;
use patchbay_workspaces::model::{Held, WorkspacePlan};

/// The agency's own page.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AgencyView {
    pub name: String,
    pub timezone: String,
    pub rules: AgencyRules,
    pub plan: WorkspacePlan,
    pub held: Held,
}

/// The days that the form for the audit log offers, and what they are called.
pub const AUDIT_DAYS: [(&str, &str); 5] =
    [("", "Forever"), ("2555", "7 years"), ("1095", "3 years"), ("365", "1 year"), ("90", "90 days")];

/// What an owner fills in.
#[derive(Debug, Clone, Default)]
pub struct AgencyForm {
    pub name: String,
    pub timezone: String,
    pub second_factor: String,
    pub audit_days: String,
    pub concurrency: String,
}

impl AgencyForm {
    /// The rules, as far as the fields can be read; what is wrong is added to `errors`. `lines`: the plan's own measure.
    pub fn rules(&self, lines: i64, errors: &mut FieldErrors) -> AgencyRules {
        let second_factor = self.second_factor.parse().unwrap_or_else(|_| {
            errors.add("second_factor", "Choose from the list who needs a second factor.");
            SecondFactorRule::Nobody
        });
        let audit_days = self.audit_days.trim();
        if !AUDIT_DAYS.iter().any(|(days, _)| *days == audit_days) {
            errors.add("audit_days", "Choose from the list how long events are kept.");
        }
        let typed = self.concurrency.trim();
        let concurrency = typed.parse::<i64>().ok().filter(|calls| (1..=lines).contains(calls));
        if concurrency.is_none() && !typed.is_empty() {
            errors.add(
                "concurrency",
                format!("Your plan includes {lines} simultaneous calls: enter 1 to {lines}, or leave it empty."),
            );
        }
        AgencyRules { second_factor, audit_days: audit_days.parse().ok(), concurrency }
    }

    /// Name and zone; the zone itself is checked on the server.
    pub fn check(&self, errors: &mut FieldErrors) {
        if !(1..=120).contains(&self.name.trim().chars().count()) {
            errors.add("name", "Give the agency a name of up to 120 characters.");
        }
    }
}
