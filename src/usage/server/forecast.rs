//! What a month will come to.

use std::collections::BTreeMap;

use chrono::{Datelike, Days, Months, NaiveDate};
use rust_decimal::Decimal;

use crate::model::Month;
use patchbay_access::server::ReadTx;
use patchbay_metering::model::{Period, Sums};
use patchbay_metering::server::days::{self, Asked};
use patchbay_shared::ids::ClientId;
use patchbay_shared::{AppError, Money};

/// The days before today that the forecast goes by: each weekday four times.
const BASE: u64 = 28;

pub(crate) async fn month(tx: &mut ReadTx, client: Option<ClientId>, today: NaiveDate) -> Result<Month, AppError> {
    let first = today.with_day(1).unwrap_or(today);
    let base = today.checked_sub_days(Days::new(BASE)).unwrap_or(today);
    let period = Period { first: base.min(first), last: today };
    let found = days::read(tx, Asked { client, period, days_ago: None, parts: 1 }).await?.days;
    Ok(of_days(&found, today))
}

fn of_days(days: &BTreeMap<NaiveDate, Sums>, today: NaiveDate) -> Month {
    let first = today.with_day(1).unwrap_or(today);
    let spent = |day: NaiveDate| days.get(&day).map_or(Decimal::ZERO, |sums| sums.spend().0);
    let so_far: Decimal = Period { first, last: today }.days().map(spent).sum();
    let last = first.checked_add_months(Months::new(1)).and_then(|next| next.pred_opt()).unwrap_or(today);
    Month {
        name: first.format("%B").to_string(),
        first: first.to_string(),
        today: today.to_string(),
        spend: Money(so_far),
        forecast: forecast(days, today, last).map(|rest| (Money((so_far + rest).round_dp(2)), ordinal(last.day()))),
    }
}

/// What is still to come: for each day the mean of the same weekday in the four weeks before today, and of today what it has left of
/// its own. None while the first of these weeks has nothing, because then a day without calls says nothing.
fn forecast(days: &BTreeMap<NaiveDate, Sums>, today: NaiveDate, last: NaiveDate) -> Option<Decimal> {
    let spent = |day: NaiveDate| days.get(&day).map_or(Decimal::ZERO, |sums| sums.spend().0);
    let base = Period::ending(today.pred_opt()?, BASE);
    if base.days().take(7).all(|day| spent(day).is_zero()) {
        return None;
    }
    let usual = |day: NaiveDate| {
        let same: Vec<Decimal> = base.days().filter(|other| other.weekday() == day.weekday()).map(spent).collect();
        same.iter().sum::<Decimal>() / Decimal::from(same.len().max(1))
    };
    let rest_of_today = (usual(today) - spent(today)).max(Decimal::ZERO);
    let later = Period { first: today.succ_opt()?, last }.days().map(usual).sum::<Decimal>();
    Some(rest_of_today + later)
}

/// `30th`.
fn ordinal(day: u32) -> String {
    let ending = match (day % 10, day % 100) {
        (1, rest) if rest != 11 => "st",
        (2, rest) if rest != 12 => "nd",
        (3, rest) if rest != 13 => "rd",
        _ => "th",
    };
    format!("{day}{ending}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    /// A dollar on each working day before this.
    fn working_days(today: NaiveDate, weeks: u64) -> BTreeMap<NaiveDate, Sums> {
        let sums = Sums { voice: Money(Decimal::ONE), ..Sums::default() };
        let base = Period::ending(today.pred_opt().unwrap(), weeks * 7);
        base.days().filter(|day| day.weekday().number_from_monday() < 6).map(|day| (day, sums)).collect()
    }

    #[test]
    fn the_rest_of_the_month_goes_as_the_same_weekdays_did() {
        // A Friday. Ten working days of November are left without it, and it has spent nothing yet.
        let today = day("2026-11-16");
        let month = of_days(&working_days(today, 6), today);
        assert_eq!(month.spend.0, Decimal::from(10));
        assert_eq!(month.forecast, Some((Money(Decimal::from(21)), "30th".into())));
    }

    #[test]
    fn three_weeks_are_no_base() {
        let today = day("2026-11-16");
        assert_eq!(of_days(&working_days(today, 3), today).forecast, None);
    }

    #[test]
    fn a_day_that_spent_more_than_usual_takes_nothing_from_the_others() {
        let today = day("2026-11-30");
        let mut days = working_days(today, 6);
        days.insert(today, Sums { voice: Money(Decimal::from(9)), ..Sums::default() });
        assert_eq!(of_days(&days, today).forecast.map(|(money, _)| money.0), Some(Decimal::from(20 + 9)));
    }

    #[test]
    fn days_are_counted_in_words() {
        assert_eq!(
            [1, 2, 3, 11, 12, 13, 21, 22, 28, 30, 31].map(ordinal).join(" "),
            "1st 2nd 3rd 11th 12th 13th 21st 22nd 28th 30th 31st"
        );
    }
}
