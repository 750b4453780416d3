//! Times as a person reads them. Only the server knows time zones, so pages get finished text.

use chrono::{DateTime, Datelike, Duration, NaiveTime, TimeZone, Utc};
use chrono_tz::Tz;

use super::stamp::Stamp;

/// The zone by its IANA name; UTC when the name is unknown.
pub fn zone(name: &str) -> Tz {
    name.parse().unwrap_or(Tz::UTC)
}

/// `16:42` today, `Yesterday 16:42`, `Mon 16 Nov, 16:42` this year, `16 Nov 2025, 16:42` before.
pub fn moment_text(at: DateTime<Utc>, now: DateTime<Utc>, zone: Tz) -> String {
    moment_with(at, now, zone, "%H:%M")
}

fn moment_with(at: DateTime<Utc>, now: DateTime<Utc>, zone: Tz, time: &str) -> String {
    let (local, today) = (at.with_timezone(&zone), now.with_timezone(&zone).date_naive());
    let day = local.date_naive();
    if day == today {
        local.format(time).to_string()
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
    Stamp { text: moment_with(at, now, zone, "%H:%M:%S"), full: full_text(at, zone), utc: at.to_rfc3339() }
}

/// A moment ready for a page.
pub fn stamp(at: DateTime<Utc>, now: DateTime<Utc>, zone: Tz) -> Stamp {
    Stamp { text: moment_text(at, now, zone), full: full_text(at, zone), utc: at.to_rfc3339() }
}
