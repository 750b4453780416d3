//! What usage shows: the days that were asked for, what they came to, and what the days before came to. Pure.

mod by;
mod period;
mod texts;

pub use by::By;
pub use period::{PeriodAsked, Shown, change};
pub use texts::{ClientTexts, TextDay, TextUsage};

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use patchbay_metering::model::{BudgetStatus, Sums, TextSums};
use patchbay_shared::Money;
use patchbay_shared::ids::{AgentId, ClientId, NumberId};
use patchbay_shared::money::count_text;

/// Some days of one client or of all.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Usage {
    pub shown: Shown,
    /// The client that it is narrowed to, by name; none: all.
    pub client: Option<String>,
    /// When it was counted: `16:42:08`, in the viewer's zone.
    pub updated: String,
    pub viewer_zone: String,
    /// What `days` holds.
    pub by: By,
    /// Days, weeks or months, oldest first, none left out.
    pub days: Vec<UsageDay>,
    /// The days before, in the same order, each beside the one at its place and put together like it.
    pub days_before: Vec<Money>,
    pub total: Sums,
    pub before: Sums,
    /// The period in up to eight equal parts: for lines without axes.
    pub parts: Vec<Sums>,
    /// By client, the most expensive first. Only for the agency.
    pub clients: Vec<ClientUsage>,
    /// Clients that are not among them, together.
    pub others: Option<(i64, Compared)>,
    /// By spend, the most expensive first. Only for the agency.
    pub models: Vec<ModelUsage>,
    /// What the numbers cost. Only for the agency.
    pub numbers: Option<Numbers>,
    /// What text messages come to. No part of the figures above.
    pub texts: TextUsage,
    pub month: Month,
    pub is_agency: bool,
}

/// The calendar month so far.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Month {
    /// `November`.
    pub name: String,
    /// `2026-11-01`.
    pub first: String,
    pub today: String,
    pub spend: Money,
    /// What it will come to if its other days go as the same weekdays of the last four weeks did, and its last day, `30th`. None while
    /// there are not four weeks to go by.
    pub forecast: Option<(Money, String)>,
}

/// Sums, the same of the days before, and the spend by part of the period.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Compared {
    pub sums: Sums,
    pub before: Sums,
    pub spend_by_part: Vec<f64>,
}

/// One client's days.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClientUsage {
    /// None: what belongs to no client.
    pub id: Option<ClientId>,
    pub name: String,
    pub all: Compared,
    /// By spend, the most expensive first.
    pub agents: Vec<AgentUsage>,
}

/// What one agent did for a client.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AgentUsage {
    /// None: what no agent did.
    pub id: Option<AgentId>,
    pub name: String,
    pub all: Compared,
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

/// What one day took, or the days of a week or a month that stand together.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct UsageDay {
    /// `2026-11-20`; of several the first.
    #[serde(with = "patchbay_shared::day")]
    pub day: NaiveDate,
    /// The same, but of several the last.
    #[serde(with = "patchbay_shared::day")]
    pub last: NaiveDate,
    /// `20 Nov`, `16 – 22 Nov`.
    pub label: String,
    /// Where there is little room: `20 Nov`, of a week its first day, of a month `Nov 2026`.
    pub short: String,
    #[serde(flatten)]
    pub sums: Sums,
}

/// What one client's days have come to, in the client's zone.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct ClientPeriod {
    pub shown: Shown,
    pub total: Sums,
    pub before: Sums,
    pub texts: TextSums,
    /// None without a budget. Of the calendar month, whatever the days shown: what calls and text messages cost in it.
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
