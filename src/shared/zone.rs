//! Times as a person reads them. Only the server knows time zones, so pages get finished text.

use chrono::{DateTime, Datelike, Days, Duration, NaiveDate, NaiveTime, TimeZone, Utc};
pub use chrono_tz::Tz;

use super::error::AppError;
use super::stamp::Stamp;

/// The zone by its IANA name; UTC when the name is unknown.
pub fn zone(name: &str) -> Tz {
    name.parse().unwrap_or(Tz::UTC)
}

/// `16:42` today, `Yesterday 16:42`, `Mon 16 Nov, 16:42` this year, `16 Nov 2025, 16:42` before: for sentences and for lists of calls.
pub fn moment_text(at: DateTime<Utc>, now: DateTime<Utc>, zone: Tz) -> String {
    moment_with(at, now, zone, "%H:%M", "")
}

fn moment_with(at: DateTime<Utc>, now: DateTime<Utc>, zone: Tz, time: &str, today_word: &str) -> String {
    let (local, today) = (at.with_timezone(&zone), now.with_timezone(&zone).date_naive());
    let day = local.date_naive();
    if day == today {
        local.format(&format!("{today_word}{time}")).to_string()
    } else if day == today - Duration::days(1) {
        local.format(&format!("Yesterday {time}")).to_string()
    } else if day.year() == today.year() {
        local.format(&format!("%a %-d %b, {time}")).to_string()
    } else {
        local.format(&format!("%-d %b %Y, {time}")).to_string()
    }
}

/// `Fri 20 Nov 2026, 16:42:08 CET`: the full form, for titles.
pub fn full_text(at: DateTime<Utc>, zone: Tz) -> String {
    at.with_timezone(&zone).format("%a %-d %b %Y, %H:%M:%S %Z").to_string()
}

/// The instant of a local wall-clock time. A time that a clock change skips moves forward; one that it doubles is the first.
pub fn instant(day: chrono::NaiveDate, time: NaiveTime, zone: Tz) -> DateTime<Utc> {
    let mut local = day.and_time(time);
    for _ in 0..4 {
        if let Some(found) = zone.from_local_datetime(&local).earliest() {
            return found.with_timezone(&Utc);
        }
        local += Duration::minutes(30);
    }
    Utc.from_utc_datetime(&day.and_time(time))
}

/// A moment ready for a page, to the second: for what follows quickly on another.
pub fn exact(at: DateTime<Utc>, now: DateTime<Utc>, zone: Tz) -> Stamp {
    Stamp { text: moment_with(at, now, zone, "%H:%M:%S", TODAY), full: full_text(at, zone), utc: at.to_rfc3339() }
}

/// A time that a list is narrowed to, either end of which may be left open.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Span {
    pub from: Option<DateTime<Utc>>,
    /// Just after the end.
    pub before: Option<DateTime<Utc>>,
}

/// The days of a list's filters, both included. Years outside 1 to 9999 count as the nearest of them. Errors: `Invalid` at `from` or `to`
/// for what is no day.
pub fn days(from: Option<&str>, to: Option<&str>, zone: Tz) -> Result<Span, AppError> {
    let start = |day: NaiveDate| instant(day, NaiveTime::MIN, zone);
    let after = day("to", to)?.and_then(|day| day.checked_add_days(Days::new(1)));
    Ok(Span { from: day("from", from)?.map(start), before: after.map(start) })
}

/// A day as an address has it, `2026-11-20`. None: nothing was chosen.
fn day(field: &str, text: Option<&str>) -> Result<Option<NaiveDate>, AppError> {
    let Some(text) = text.map(str::trim).filter(|text| !text.is_empty()) else { return Ok(None) };
    let read = || {
        let mut parts = text.rsplitn(3, '-');
        let (day, month, year) = (parts.next()?, parts.next()?, parts.next()?);
        let is_number = |text: &str, letters: usize| {
            (1..=letters).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
        };
        if !is_number(year.trim_start_matches(['-', '+']), 6) || !is_number(month, 2) || !is_number(day, 2) {
            return None;
        }
        let (year, month, day): (i32, u32, u32) = (year.parse().ok()?, month.parse().ok()?, day.parse().ok()?);
        let found = NaiveDate::from_ymd_opt(year, month, day).filter(|_| (1..=9999).contains(&year));
        found.or_else(|| match year {
            ..1 => NaiveDate::from_ymd_opt(1, 1, 1),
            10_000.. => NaiveDate::from_ymd_opt(9999, 12, 31),
            _ => None,
        })
    };
    let wrong = || AppError::invalid(field, "This is no day. Write it as year, month and day, for example 2026-11-20.");
    read().map(Some).ok_or_else(wrong)
}

/// What stands before the time of this day where nothing else says that it is a day.
const TODAY: &str = "Today ";

/// A moment ready for a page: `Today 16:42`.
pub fn stamp(at: DateTime<Utc>, now: DateTime<Utc>, zone: Tz) -> Stamp {
    Stamp { text: moment_with(at, now, zone, "%H:%M", TODAY), full: full_text(at, zone), utc: at.to_rfc3339() }
}

/// The same for lists of calls, most of which are of this day: `16:42`.
pub fn brief(at: DateTime<Utc>, now: DateTime<Utc>, zone: Tz) -> Stamp {
    Stamp { text: moment_text(at, now, zone), ..stamp(at, now, zone) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_of_this_day_says_so_but_in_lists_of_calls() {
        let at = |text: &str| text.parse::<DateTime<Utc>>().expect("a time");
        let (now, zone) = (at("2026-11-20T22:30:00Z"), chrono_tz::Europe::Zurich);
        let early = at("2026-11-20T08:15:04Z");
        assert_eq!(stamp(early, now, zone).text, "Today 09:15");
        assert_eq!(exact(early, now, zone).text, "Today 09:15:04");
        assert_eq!(brief(early, now, zone).text, "09:15");
        assert_eq!(brief(early, now, zone).full, stamp(early, now, zone).full);
        for (stamp, when) in [(stamp(early, now, zone), "at 09:15"), (brief(early, now, zone), "at 09:15")] {
            assert_eq!(stamp.when(), when);
        }
        let evening = at("2026-11-19T22:59:59Z");
        assert_eq!(stamp(evening, now, zone).text, "Yesterday 23:59");
        assert_eq!(stamp(evening, now, zone).when(), "Yesterday 23:59");
    }

    #[test]
    fn a_day_of_a_filter_is_a_day_the_nearest_one_or_an_error() {
        let texts = |from: &str, to: &str| {
            let span = days(Some(from), Some(to), chrono_tz::Europe::Zurich)?;
            Ok::<_, AppError>((span.from.map(|at| at.to_rfc3339()), span.before.map(|at| at.to_rfc3339())))
        };
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(
            texts("2026-11-20", "2026-11-20"),
            Ok((some("2026-11-19T23:00:00+00:00"), some("2026-11-20T23:00:00+00:00")))
        );
        assert_eq!(texts("", " "), Ok((None, None)));
        for (far, near) in [("0000-01-01", "0001-01-01"), ("-1-01-01", "0001-01-01"), ("-271821-04-20", "0001-01-01")] {
            assert_eq!(texts(far, ""), texts(near, ""), "{far}");
        }
        for far in ["275760-09-13", "+10000-01-01", "999999-99-99"] {
            assert_eq!(texts("", far), texts("", "9999-12-31"), "{far}");
        }
        for wrong in [
            "-1",
            "2024-02-30",
            "2024-13-01",
            "yesterday",
            "2024-2",
            "--",
            "2024-01-01T00:00:00Z",
            "+-1-1-1",
            "٢٠٢٤-٠١-٠١",
        ] {
            for (from, to, field) in [(wrong, "", "from"), ("", wrong, "to")] {
                let Err(AppError::Invalid(errors)) = texts(from, to) else { panic!("{wrong}") };
                assert!(errors.at(field).is_some(), "{wrong}: {errors:?}");
            }
        }
    }
}
