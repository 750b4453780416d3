use serde::{Deserialize, Serialize};

use patchbay_metering::model::BudgetStatus;
use patchbay_shared::Money;

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
    /// Calls whose talk the provider has not priced yet: their cost is in no figure.
    pub unpriced: i64,
    pub is_agency: bool,
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
}

/// What one client's calendar month has come to, in the client's zone.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct ClientMonth {
    /// `November 2026`.
    pub label: String,
    pub zone: String,
    pub total: UsageDay,
    /// Calls that have ended, and those of them in which somebody spoke.
    pub ended: i64,
    pub reached: i64,
    /// Calls whose talk the provider has not priced yet.
    pub unpriced: i64,
    /// None without a budget.
    pub budget_status: Option<BudgetStatus>,
}

impl ClientMonth {
    /// Reached calls per ended call, in percent.
    pub fn reach_rate(&self) -> Option<f64> {
        (self.ended > 0).then(|| self.reached as f64 * 100.0 / self.ended as f64)
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
    pub cost: Money,
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
    }
}
