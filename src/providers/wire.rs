//! Small readings of what services write: times, durations, numbers as text.
//! Readers are generous (an odd value becomes `None`), writers are exact.

use chrono::{DateTime, NaiveDateTime, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use std::time::Duration;

/// An ISO 8601 time. Text without an offset is read as UTC.
pub(super) fn parse_time(text: &str) -> Option<DateTime<Utc>> {
    let text = text.trim();
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Some(time.with_timezone(&Utc));
    }
    ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f"]
        .iter()
        .find_map(|form| NaiveDateTime::parse_from_str(text, form).ok())
        .map(|time| time.and_utc())
}

/// A duration such as `30s` or `12.5s`, in seconds.
pub(super) fn parse_seconds(text: &str) -> Option<f64> {
    let number = text.trim().strip_suffix('s')?;
    let digits = number.strip_prefix('-').unwrap_or(number);
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit() || b == b'.') {
        return None;
    }
    number.parse().ok()
}

/// A duration as services want it: whole seconds without a point, else up to nine decimals.
pub(super) fn seconds_text(duration: Duration) -> String {
    let nanos = duration.subsec_nanos();
    if nanos == 0 {
        return format!("{}s", duration.as_secs());
    }
    let fraction = format!("{nanos:09}");
    format!("{}.{}s", duration.as_secs(), fraction.trim_end_matches('0'))
}

/// A decimal from a JSON number or its text, digit by digit: no rounding through a binary fraction of our own.
pub(super) fn parse_decimal(text: &str) -> Option<Decimal> {
    let text = text.trim();
    match text.contains(['e', 'E']) {
        true => Decimal::from_scientific(text).ok(),
        false => text.parse().ok(),
    }
}

/// A time, or nothing when absent, null or unreadable.
pub(super) fn time<'de, D: Deserializer<'de>>(d: D) -> Result<Option<DateTime<Utc>>, D::Error> {
    Ok(text(d)?.as_deref().and_then(parse_time))
}

/// Seconds from a duration text or a bare number.
pub(super) fn seconds<'de, D: Deserializer<'de>>(d: D) -> Result<Option<f64>, D::Error> {
    Ok(match Value::deserialize(d)? {
        Value::String(text) => parse_seconds(&text),
        Value::Number(number) => number.as_f64(),
        _ => None,
    })
}

/// Text; numbers are taken as their text, because some services write ids either way.
pub(super) fn text<'de, D: Deserializer<'de>>(d: D) -> Result<Option<String>, D::Error> {
    Ok(match Value::deserialize(d)? {
        Value::String(text) => Some(text),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(yes) => Some(yes.to_string()),
        _ => None,
    })
}

/// A decimal written as text or as a number.
pub(super) fn decimal<'de, D: Deserializer<'de>>(d: D) -> Result<Option<Decimal>, D::Error> {
    Ok(text(d)?.as_deref().and_then(parse_decimal))
}

/// A list that may also be null.
pub(super) fn list<'de, D: Deserializer<'de>, T: Deserialize<'de>>(d: D) -> Result<Vec<T>, D::Error> {
    Ok(Option::<Vec<T>>::deserialize(d)?.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_both_ways() {
        assert_eq!(parse_seconds("126s"), Some(126.0));
        assert_eq!(parse_seconds("12.5s"), Some(12.5));
        assert_eq!(parse_seconds("-1s"), Some(-1.0));
        for odd in ["", "s", "12", "1e3s", "infs", "nans", "1.2.3s"] {
            assert_eq!(parse_seconds(odd), None, "{odd}");
        }
        assert_eq!(seconds_text(Duration::from_secs(3600)), "3600s");
        assert_eq!(seconds_text(Duration::from_millis(12_500)), "12.5s");
    }

    #[test]
    fn times_with_and_without_an_offset() {
        let utc = parse_time("2026-03-02T14:05:11.120345Z").unwrap();
        assert_eq!(parse_time("2026-03-02T14:05:11.120345+00:00"), Some(utc));
        assert_eq!(parse_time("2026-03-02T14:05:11.120345"), Some(utc));
        assert_eq!(parse_time("yesterday"), None);
    }

    #[test]
    fn decimals_keep_their_digits() {
        assert_eq!(parse_decimal("0.00031").unwrap().to_string(), "0.00031");
        assert_eq!(parse_decimal("3e-7").unwrap().to_string(), "0.0000003");
        assert_eq!(parse_decimal("free"), None);
    }
}
