//! From what an address asks for to days.

use chrono::{DateTime, Datelike, NaiveDate, Utc};

use crate::model::{PeriodAsked, Shown};
use patchbay_access::server::ReadTx;
use patchbay_metering::model::{Period, Preset};
use patchbay_metering::server::days::{self, Asked};
use patchbay_shared::ids::ClientId;
use patchbay_shared::{AppError, FieldErrors, zone};

/// The longest time that can be looked at, in days: a leap year.
const LONGEST: u64 = 366;

/// Days to be read, and what a page says of them.
pub(crate) struct Resolved {
    pub shown: Shown,
    pub period: Period,
    pub before: Period,
    /// The latest date of now, and the days that it is in some client's zone.
    pub today: NaiveDate,
    pub dates: Period,
    pub now: DateTime<Utc>,
}

impl Resolved {
    /// The days themselves.
    pub fn asked(&self, client: Option<ClientId>, parts: u64) -> Asked {
        Asked { client, period: self.period, days_ago: None, parts }
    }

    /// The days before, as far as the days themselves have come.
    pub fn asked_before(&self, client: Option<ClientId>) -> Asked {
        let ago = u64::try_from((self.period.last - self.before.last).num_days()).ok();
        Asked { client, period: self.before, days_ago: ago.filter(|_| self.shown.is_partial), parts: 1 }
    }
}

/// What is shown when an address asks for no days, and when it asks for days that there are not.
fn preset_of(asked: &PeriodAsked, default: Preset) -> Result<Preset, FieldErrors> {
    match asked.period.as_deref().filter(|word| !word.is_empty()) {
        None => Ok(default),
        Some(word) => word.parse().map_err(|_| wrong("period", "Choose one of the periods, or enter two days.")),
    }
}

fn wrong(field: &str, text: &str) -> FieldErrors {
    FieldErrors(vec![(field.to_owned(), text.to_owned())])
}

/// Days of one's own; none: the address names none.
fn own(asked: &PeriodAsked, today: NaiveDate) -> Result<Option<Period>, FieldErrors> {
    let day = |field: &str, text: &Option<String>| {
        let Some(text) = text.as_deref().map(str::trim).filter(|text| !text.is_empty()) else { return Ok(None) };
        match text.parse::<NaiveDate>() {
            Ok(day) if day.year() >= 1970 => Ok(Some(day)),
            _ => Err(wrong(field, "Enter a day as year-month-day, for example 2026-11-20.")),
        }
    };
    let (from, to) = (day("from", &asked.from)?, day("to", &asked.to)?);
    let (first, last) = match (from, to) {
        (None, None) => return Ok(None),
        (Some(first), last) => (first, last.unwrap_or(today).min(today)),
        (None, Some(_)) => return Err(wrong("from", "Enter the first day too.")),
    };
    if first > today {
        // Where the viewer is, it may have begun.
        let text = format!(
            "This day is still to come: where these days are counted it is {}. Enter that day or an earlier one.",
            today.format("%-d %B %Y")
        );
        return Err(wrong("from", &text));
    }
    if last < first {
        return Err(wrong("to", "The last day is before the first one. Enter a later one."));
    }
    let period = Period { first, last };
    if period.len() > LONGEST {
        return Err(wrong("from", "At most a year can be shown at once. Enter a later first day."));
    }
    Ok(Some(period))
}

/// Errors: `Invalid` at `period`, `from` or `to`.
pub(crate) async fn resolve(
    tx: &mut ReadTx,
    client: Option<ClientId>,
    asked: &PeriodAsked,
    default: Preset,
) -> Result<Resolved, AppError> {
    let resolved = lenient(tx, client, asked, default).await?;
    match resolved.shown.problem {
        Some((field, text)) => Err(AppError::invalid(&field, text)),
        None => Ok(resolved),
    }
}

/// As `resolve`; what is wrong is said with the days that are shown instead.
pub(crate) async fn lenient(
    tx: &mut ReadTx,
    client: Option<ClientId>,
    asked: &PeriodAsked,
    default: Preset,
) -> Result<Resolved, AppError> {
    let mut zones: Vec<String> = days::zones(tx, client).await?.into_iter().map(|(_, zone)| zone).collect();
    zones.sort_unstable();
    zones.dedup();
    if zones.is_empty() {
        // A client that is not there has no days; its page says nothing in the viewer's.
        zones.push(tx.scope().zone().name().to_owned());
    }
    let now = tx.now().await?;
    // While one client's day has begun and another's has not ended, today is both dates, so that no call of now is left out.
    let dates = zones.iter().map(|name| now.with_timezone(&zone::zone(name)).date_naive());
    let (began, today) = dates.fold((NaiveDate::MAX, NaiveDate::MIN), |(low, high), day| (low.min(day), high.max(day)));
    let name = zones.pop().filter(|_| zones.is_empty());
    let dates = Period { first: began, last: today };
    let days_of = |preset: Preset| match preset {
        Preset::Today => dates,
        other => other.period(today),
    };
    let (chosen, problem) = match (own(asked, today), preset_of(asked, default)) {
        (Ok(Some(period)), _) => ((period, None), None),
        (Ok(None), Ok(preset)) => ((days_of(preset), Some(preset)), None),
        (Err(wrong), _) | (Ok(None), Err(wrong)) => ((days_of(default), Some(default)), wrong.0.into_iter().next()),
    };
    let (period, preset) = chosen;
    let before = match preset {
        Some(Preset::MonthToDate) => Preset::MonthToDate.before(today),
        _ => period.before(),
    };
    let shown = Shown {
        preset: preset.map(|preset| preset.to_string()).unwrap_or_default(),
        first: period.first,
        last: period.last,
        text: period.text(today),
        before_first: before.first,
        before_last: before.last,
        before_text: before.text(today),
        days: period.len(),
        is_partial: period.last == today,
        zone: name,
        problem,
    };
    Ok(Resolved { shown, period, before, today, dates, now })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(from: &str, to: &str) -> PeriodAsked {
        PeriodAsked { period: None, from: Some(from.into()), to: Some(to.into()) }
    }

    #[test]
    fn what_is_no_time_is_refused_at_its_field() {
        let today: NaiveDate = "2026-11-20".parse().unwrap();
        let field = |from: &str, to: &str| own(&asked(from, to), today).unwrap_err().0[0].0.clone();
        assert_eq!(field("2026-11-19", "2026-11-18"), "to");
        assert_eq!(field("2026-11-21", ""), "from", "tomorrow");
        assert_eq!(field("", "2026-11-18"), "from");
        assert_eq!(field("2025-11-18", "2026-11-20"), "from", "more than a year");
        assert_eq!(field("20.11.2026", ""), "from");
        assert_eq!(field("2026-02-30", ""), "from");
        assert_eq!(field("-5000-01-01", "-5000-01-02"), "from", "a day that the database does not have");
        assert_eq!(field("2026-11-01", "tomorrow"), "to");
    }

    #[test]
    fn days_end_today_at_the_latest() {
        let today: NaiveDate = "2026-11-20".parse().unwrap();
        let period = own(&asked("2026-11-18", "2027-01-01"), today).unwrap().unwrap();
        assert_eq!((period.len(), period.last), (3, today));
        assert_eq!(own(&asked("", " "), today).unwrap(), None);
    }
}
