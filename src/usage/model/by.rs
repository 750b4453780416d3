//! Days that stand together: alone, by week, or by month. Pure.

use chrono::{Datelike, Days, Months, NaiveDate};

use super::UsageDay;
use patchbay_metering::model::{Period, Sums};

patchbay_shared::words! {
    /// What a row and a bar stand for.
    #[derive(Default)]
    pub By: "text" {
        #[default]
        Day = "day", "Day", Mute;
        /// From Monday on.
        Week = "week", "Week", Mute;
        Month = "month", "Month", Mute;
    }
}

impl By {
    /// The last day of the one that `day` is in.
    fn last(self, day: NaiveDate) -> NaiveDate {
        let last = match self {
            Self::Day => Some(day),
            Self::Week => day.checked_add_days(Days::new(u64::from(6 - day.weekday().num_days_from_monday()))),
            Self::Month => day
                .with_day(1)
                .and_then(|first| first.checked_add_months(Months::new(1)))
                .and_then(|next| next.pred_opt()),
        };
        last.unwrap_or(day)
    }

    /// The parts of the period, oldest first; the first and the last may be short.
    pub fn parts(self, period: Period) -> Vec<Period> {
        let mut parts = Vec::new();
        let mut first = period.first;
        while first <= period.last {
            let last = self.last(first).min(period.last);
            parts.push(Period { first, last });
            let Some(next) = last.succ_opt() else { break };
            first = next;
        }
        parts
    }

    /// What a row is called: `20 Nov`, `16 – 22 Nov`, `November 2026`; a month that is not whole by its days. `now`: whose year is left out.
    pub fn text(self, part: Period, now: NaiveDate) -> String {
        let is_whole = part.first.day() == 1 && self.last(part.first) == part.last;
        match self {
            Self::Month if is_whole => part.first.format("%B %Y").to_string(),
            _ if part.first != part.last && part.first.month() == part.last.month() => {
                format!("{} – {}", part.first.day(), Period { first: part.last, ..part }.text(now))
            }
            _ => part.text(now),
        }
    }

    /// As files have it: `2026-11-20`, `2026-W47`, `2026-11`.
    pub fn code(self, day: NaiveDate) -> String {
        match self {
            Self::Day => day.to_string(),
            Self::Week => day.format("%G-W%V").to_string(),
            Self::Month => day.format("%Y-%m").to_string(),
        }
    }

    /// Each part of the period with what its days come to.
    pub fn together(self, period: Period, now: NaiveDate, sums: impl Fn(NaiveDate) -> Sums) -> Vec<UsageDay> {
        let row = |part: Period| {
            let mut all = Sums::default();
            part.days().for_each(|day| all.add(&sums(day)));
            let short = part.first.format(if self == Self::Month { "%b %Y" } else { "%-d %b" }).to_string();
            UsageDay { day: part.first, last: part.last, label: self.text(part, now), short, sums: all }
        };
        self.parts(period).into_iter().map(row).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn period(first: &str, last: &str) -> Period {
        Period { first: day(first), last: day(last) }
    }

    fn texts(by: By, first: &str, last: &str) -> Vec<String> {
        by.parts(period(first, last)).into_iter().map(|part| by.text(part, day("2026-11-28"))).collect()
    }

    #[test]
    fn weeks_begin_on_monday_and_the_ends_are_short() {
        assert_eq!(
            texts(By::Week, "2026-10-29", "2026-11-10"),
            ["29 Oct – 1 Nov", "2 – 8 Nov", "9 – 10 Nov"],
            "a Thursday to a Tuesday"
        );
        assert_eq!(texts(By::Week, "2026-11-08", "2026-11-09"), ["8 Nov", "9 Nov"], "a Sunday and a Monday");
        assert_eq!(By::Week.code(day("2027-01-01")), "2026-W53");
    }

    #[test]
    fn a_month_that_is_not_whole_is_named_by_its_days() {
        assert_eq!(texts(By::Month, "2025-12-15", "2026-02-28"), ["15 – 31 Dec 2025", "January 2026", "February 2026"]);
        assert_eq!(texts(By::Month, "2026-11-01", "2026-11-28"), ["1 – 28 Nov"]);
        assert_eq!(texts(By::Day, "2026-11-27", "2026-11-28"), ["27 Nov", "28 Nov"]);
    }

    #[test]
    fn every_day_stands_in_one_part() {
        let year = period("2025-11-29", "2026-11-28");
        for by in By::ALL {
            let days: Vec<NaiveDate> = by.parts(year).iter().flat_map(Period::days).collect();
            assert_eq!(days, year.days().collect::<Vec<_>>(), "{by:?}");
            let one = |_| Sums { calls: 1, ..Sums::default() };
            let sum: i64 = by.together(year, year.last, one).iter().map(|row| row.sums.calls).sum();
            assert_eq!(sum, 365, "{by:?}");
        }
    }
}
