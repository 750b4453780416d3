use serde::{Deserialize, Serialize};

use patchbay_metering::model::BudgetStatus;
use patchbay_shared::Money;
use patchbay_shared::ids::NumberId;
use patchbay_shared::money::count_text;

/// The last thirty days, today included, by the viewer's days.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Usage {
    /// IANA name of the zone that the days are in.
    pub zone: String,
    /// Oldest first, none left out.
    pub days: Vec<UsageDay>,
    /// By spend, the most expensive first. Only for the agency.
    pub models: Vec<ModelUsage>,
    pub total: UsageDay,
    /// What the numbers cost. Only for the agency.
    pub numbers: Option<Numbers>,
    pub is_agency: bool,
}

/// The rent of phone numbers in this calendar month and the one before.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Numbers {
    /// `October 2026`, the older first.
    pub months: Vec<String>,
    pub rows: Vec<NumberRent>,
}

/// What one number cost.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NumberRent {
    pub id: NumberId,
    /// E.164.
    pub number: String,
    /// The client that it belongs to now; none: the agency's own.
    pub client: Option<String>,
    /// False: what it costs is not known, which is not the same as nothing.
    pub is_priced: bool,
    /// For each month; none when the number was not held in it.
    pub months: Vec<Option<Money>>,
}

/// What one day took.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct UsageDay {
    /// `2026-11-20`; empty for a total.
    pub day: String,
    /// `20 Nov`.
    pub label: String,
    pub calls: i64,
    /// Seconds of talk.
    pub seconds: i64,
    pub tokens: i64,
    pub voice: Money,
    pub carrier: Money,
    pub model: Money,
    /// Calls whose talk the provider has not priced yet: their cost is in no figure.
    pub unpriced: i64,
    /// Answers of which the models' service did not say the price: they are in no figure either.
    pub unpriced_answers: i64,
}

/// What one client's calendar month has come to, in the client's zone.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct ClientMonth {
    /// `November 2026`.
    pub label: String,
    pub zone: String,
    pub total: UsageDay,
    /// Its first and last day, `2026-11-01`.
    pub first: String,
    pub last: String,
    pub ended: i64,
    pub answered: i64,
    pub goals: i64,
    /// None without a budget.
    pub budget_status: Option<BudgetStatus>,
}

/// What a sum of money says about the answers of models that it leaves out.
pub fn unpriced_answers_text(answers: i64) -> Option<String> {
    match answers {
        0 => None,
        1 => Some("1 answer of a model is not priced yet".to_owned()),
        more => Some(format!("{} answers of models are not priced yet", count_text(more))),
    }
}

/// What one model took.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelUsage {
    pub model: String,
    /// What it was asked for: `analysis`.
    pub purpose: String,
    pub answers: i64,
    pub prompt_tokens: i64,
    pub completion_tokens: i64,
    /// Some of the tokens were counted by us and not by the service.
    pub is_estimated: bool,
    /// Without the answers that have no price; none: the service told the price of not one.
    pub cost: Option<Money>,
    /// Answers of which the service did not say the price.
    pub unpriced: i64,
}

impl UsageDay {
    pub fn spend(&self) -> Money {
        Money(self.voice.0 + self.carrier.0 + self.model.0)
    }

    /// Talk minutes, to a tenth.
    pub fn minutes(&self) -> f64 {
        (self.seconds as f64 / 6.0).round() / 10.0
    }

    /// Adds another day's figures.
    pub fn add(&mut self, other: &UsageDay) {
        self.calls += other.calls;
        self.seconds += other.seconds;
        self.tokens += other.tokens;
        self.voice.0 += other.voice.0;
        self.carrier.0 += other.carrier.0;
        self.model.0 += other.model.0;
        self.unpriced += other.unpriced;
        self.unpriced_answers += other.unpriced_answers;
    }
}
