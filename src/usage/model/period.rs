//! Which days are looked at: as an address says it, and as a page shows it. Pure.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use patchbay_calls::model::CallQuery;

/// Days as an address names them: one of the presets, or a first and a last day.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PeriodAsked {
    /// A `Preset`.
    pub period: Option<String>,
    /// `2026-11-20`; both included. They go before `period`.
    pub from: Option<String>,
    pub to: Option<String>,
}

impl PeriodAsked {
    /// From an address's values by name.
    pub fn read(get: impl Fn(&str) -> Option<String>) -> Self {
        let get = |name| get(name).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
        Self { period: get("period"), from: get("from"), to: get("to") }
    }

    /// As an address has it.
    pub fn pairs(&self) -> Vec<(&'static str, &str)> {
        let all = [("period", &self.period), ("from", &self.from), ("to", &self.to)];
        all.into_iter().filter_map(|(name, value)| Some((name, value.as_deref()?))).collect()
    }
}

/// The days that a page shows, and those that it compares them with.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Shown {
    /// The preset that was chosen; empty for days of one's own.
    pub preset: String,
    #[serde(with = "patchbay_shared::day")]
    pub first: NaiveDate,
    #[serde(with = "patchbay_shared::day")]
    pub last: NaiveDate,
    /// `26 Sep – 20 Nov`.
    pub text: String,
    #[serde(with = "patchbay_shared::day")]
    pub before_first: NaiveDate,
    #[serde(with = "patchbay_shared::day")]
    pub before_last: NaiveDate,
    /// `1 Aug – 25 Sep`.
    pub before_text: String,
    pub days: u64,
    /// The last day is not over: the days before count as far as to the same time of day.
    pub is_partial: bool,
    /// The zone of the days; none: each client's own.
    pub zone: Option<String>,
    /// What was wrong with the days that were asked for: at which field, and what to do.
    pub problem: Option<(String, String)>,
}

impl Shown {
    /// Where the calls of these days are listed.
    pub fn listed(&self, client: Option<String>) -> CallQuery {
        self.listed_between(self.first, self.last, client)
    }

    /// Where the calls of some of them are listed.
    pub fn listed_between(&self, first: NaiveDate, last: NaiveDate, client: Option<String>) -> CallQuery {
        CallQuery {
            from: Some(first.to_string()),
            to: Some(last.to_string()),
            zone: Some(self.zone.clone().unwrap_or_else(|| CallQuery::OWN_ZONE.to_owned())),
            client,
            ..CallQuery::default()
        }
    }

    /// Whose days they are, in words.
    pub fn zone_text(&self) -> String {
        match &self.zone {
            Some(zone) => format!("days in {}", zone.replace('_', " ")),
            None => "days in each client’s own time zone".to_owned(),
        }
    }

    /// When it was counted. `viewer`: the zone that the time is in, said where it is not that of the days.
    pub fn updated_text(&self, time: &str, viewer: &str) -> String {
        if self.zone.as_deref() == Some(viewer) {
            format!("updated {time}")
        } else {
            format!("updated {time} in {}", viewer.replace('_', " "))
        }
    }

    /// What they are compared with: `the 7 days before`, `the day before until this time`.
    pub fn versus_text(&self) -> String {
        let days = if self.preset == "month" {
            "the month before".to_owned()
        } else if self.days == 1 {
            "the day before".to_owned()
        } else {
            format!("the {} days before", self.days)
        };
        if self.is_partial { format!("{days}, until this time of day") } else { days }
    }
}

/// How a figure moved, in percent; none when there is nothing to compare with.
pub fn change(now: f64, then: f64) -> Option<f64> {
    (then > 0.0).then(|| (now - then) * 100.0 / then)
}
