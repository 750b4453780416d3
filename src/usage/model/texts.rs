//! Text messages of the days: by day and by client. Pure.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::By;
use patchbay_metering::model::{Period, TextSums};
use patchbay_shared::ids::ClientId;

/// What messages come to that carriers took in the days.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct TextUsage {
    pub total: TextSums,
    /// Days, weeks or months with messages, the newest first.
    pub days: Vec<TextDay>,
    /// By cost, the most expensive first. Only for the agency.
    pub clients: Vec<ClientTexts>,
}

/// Messages of one day, or of the days of a week or a month that stand together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TextDay {
    #[serde(with = "patchbay_shared::day")]
    pub day: NaiveDate,
    /// The same, but of several the last.
    #[serde(with = "patchbay_shared::day")]
    pub last: NaiveDate,
    /// As the row of calls says it.
    pub label: String,
    pub sums: TextSums,
}

/// Messages of one client.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClientTexts {
    pub id: ClientId,
    pub name: String,
    pub sums: TextSums,
}

impl TextUsage {
    /// The days put together. `now`: whose year is left out.
    pub fn of_days(by: By, period: Period, now: NaiveDate, days: &BTreeMap<NaiveDate, TextSums>) -> Self {
        let mut usage = Self::default();
        for part in by.parts(period).into_iter().rev() {
            let mut sums = TextSums::default();
            days.range(part.first..=part.last).for_each(|(_, day)| sums.add(day));
            usage.total.add(&sums);
            if !sums.is_nothing() {
                let (day, last, label) = (part.first, part.last, by.text(part, now));
                usage.days.push(TextDay { day, last, label, sums });
            }
        }
        usage
    }

    /// What stands together from this day on.
    pub fn on(&self, day: NaiveDate) -> TextSums {
        self.days.iter().find(|row| row.day == day).map(|row| row.sums).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_stand_together_as_days_do() {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        let one = |messages| TextSums { messages, parts: 2 * messages, ..TextSums::default() };
        let days =
            BTreeMap::from([(day("2026-11-08"), one(1)), (day("2026-11-09"), one(2)), (day("2026-11-10"), one(4))]);
        let period = Period { first: day("2026-11-01"), last: day("2026-11-09") };
        let usage = TextUsage::of_days(By::Week, period, day("2026-11-28"), &days);
        let rows: Vec<(&str, i64)> = usage.days.iter().map(|row| (row.label.as_str(), row.sums.messages)).collect();
        assert_eq!(rows, [("9 Nov", 2), ("2 – 8 Nov", 1)], "the newest first; what is nothing has no row");
        assert_eq!((usage.total.messages, usage.total.parts), (3, 6));
        assert_eq!((usage.on(day("2026-11-02")).messages, usage.on(day("2026-11-01")).messages), (1, 0));
    }
}
