//! What phone numbers cost by month. Pure.

use chrono::{Months, NaiveDate};
use patchbay_shared::Money;
use rust_decimal::Decimal;

/// A number and the days that it was held on, in UTC, both included.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RentedNumber {
    pub monthly_cost: Option<Money>,
    pub from: NaiveDate,
    /// None: it still is.
    pub until: Option<NaiveDate>,
}

impl RentedNumber {
    /// What the number cost in the month that begins on `first`, as carriers charge it: the month of the purchase from that day on,
    /// by its share of the days; each later month whole, in advance, and so the month of the release too. None: not held in it. A
    /// number without a known price costs nothing here and must be shown as not priced.
    pub fn rent(&self, first: NaiveDate) -> Option<Money> {
        let next = first.checked_add_months(Months::new(1))?;
        if self.from >= next || self.until.is_some_and(|until| until < first) {
            return None;
        }
        let (days, held) = ((next - first).num_days(), (next - self.from.max(first)).num_days());
        let cost = self.monthly_cost.unwrap_or_default().0;
        Some(Money((cost * Decimal::from(held) / Decimal::from(days)).round_dp(6)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn the_first_month_costs_its_share_and_every_later_one_the_whole() {
        let money = |text: &str| Some(Money(text.parse().unwrap()));
        let held = RentedNumber { monthly_cost: money("3"), from: day("2026-04-21"), until: Some(day("2026-06-02")) };
        assert_eq!(held.rent(day("2026-03-01")), None);
        assert_eq!(held.rent(day("2026-04-01")), money("1"), "the last ten of thirty days");
        assert_eq!(held.rent(day("2026-05-01")), money("3"));
        assert_eq!(held.rent(day("2026-06-01")), money("3"), "paid in advance");
        assert_eq!(held.rent(day("2026-07-01")), None);
        let first = RentedNumber { from: day("2026-02-01"), until: None, ..held };
        assert_eq!(first.rent(day("2026-02-01")), money("3"), "bought on the first");
    }
}
