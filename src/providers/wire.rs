//! Small readings of what services write: times, durations, numbers as text.
//! Readers are generous (an odd value becomes `None`), writers are exact.

use chrono::{DateTime, Datelike, NaiveDateTime, Utc};
use rust_decimal::Decimal;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};
use std::time::Duration;

/// Years in which a call can have happened. Other times are mistakes, and some of them fit into no database.
const YEARS: std::ops::RangeInclusive<i32> = 1970..=2200;
/// The longest id of a service, in bytes. A longer text is none, and would fit into no index.
const LONGEST_ID: usize = 200;
/// So many remarks on one document are enough.
const MOST_REMARKS: usize = 20;

/// An ISO 8601 time. Text without an offset is read as UTC.
pub(super) fn parse_time(text: &str) -> Option<DateTime<Utc>> {
    let text = text.trim();
    let time = match DateTime::parse_from_rfc3339(text) {
        Ok(time) => time.with_timezone(&Utc),
        Err(_) => ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f"]
            .iter()
            .find_map(|form| NaiveDateTime::parse_from_str(text, form).ok())?
            .and_utc(),
    };
    YEARS.contains(&time.year()).then_some(time)
}

/// An object of a service, read field by field. Absent and null are nothing; what is there and can't be read is nothing too, and a
/// remark says so: one bad field must not lose the rest.
#[derive(Clone, Copy)]
pub(super) struct Fields<'a> {
    object: Option<&'a Map<String, Value>>,
    /// What the object is called in remarks, with a full stop at its end; empty for the outermost.
    at: &'static str,
}

/// Remarks on fields that could not be read.
pub(super) type Remarks = Vec<String>;

impl<'a> Fields<'a> {
    pub fn of(value: &'a Value) -> Self {
        Self { object: value.as_object(), at: "" }
    }

    /// The value of a field, if it has one.
    pub fn get(self, name: &str) -> Option<&'a Value> {
        self.object?.get(name).filter(|value| !value.is_null())
    }

    /// All fields, if it is an object.
    pub fn get_all(self) -> Option<&'a Map<String, Value>> {
        self.object
    }

    /// An object inside this one, called `at` in remarks. Without any fields when there is none.
    pub fn inner(self, name: &str, at: &'static str, remarks: &mut Remarks) -> Fields<'a> {
        Fields { object: self.read(name, "an object", remarks, Value::as_object), at }
    }

    pub fn text(self, name: &str, remarks: &mut Remarks) -> Option<String> {
        self.read(name, "text", remarks, plain)
    }

    /// A text that names something at the service: short, and not empty.
    pub fn id(self, name: &str, remarks: &mut Remarks) -> Option<String> {
        let id = |value: &Value| plain(value).map(|id| id.trim().to_owned()).filter(|id| id.len() <= LONGEST_ID);
        self.read(name, "an id", remarks, id).filter(|id| !id.is_empty())
    }

    pub fn time(self, name: &str, remarks: &mut Remarks) -> Option<DateTime<Utc>> {
        self.read(name, "a time", remarks, |value| value.as_str().and_then(parse_time))
    }

    /// Seconds that can have passed.
    pub fn seconds(self, name: &str, remarks: &mut Remarks) -> Option<f64> {
        let seconds = |value: &Value| seconds_of(value).filter(|seconds| (0.0..1e9).contains(seconds));
        self.read(name, "a length of time", remarks, seconds)
    }

    pub fn decimal(self, name: &str, remarks: &mut Remarks) -> Option<Decimal> {
        self.read(name, "a number", remarks, |value| plain(value).as_deref().and_then(parse_decimal))
    }

    pub fn flag(self, name: &str, remarks: &mut Remarks) -> Option<bool> {
        self.read(name, "yes or no", remarks, flag_of)
    }

    fn read<T>(
        self,
        name: &str,
        what: &str,
        remarks: &mut Remarks,
        read: impl FnOnce(&'a Value) -> Option<T>,
    ) -> Option<T> {
        let value = self.get(name)?;
        let read = read(value);
        if read.is_none() && remarks.len() < MOST_REMARKS {
            remarks.push(format!("{}{name} is not {what}", self.at));
        }
        read
    }
}

/// Text; numbers are taken as their text, because some services write ids either way.
fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(yes) => Some(yes.to_string()),
        _ => None,
    }
}

fn seconds_of(value: &Value) -> Option<f64> {
    match value {
        Value::String(text) => {
            parse_seconds(text).or_else(|| text.trim().parse().ok().filter(|seconds: &f64| seconds.is_finite()))
        }
        Value::Number(number) => number.as_f64(),
        _ => None,
    }
}

fn flag_of(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(yes) => Some(*yes),
        Value::String(text) if text.eq_ignore_ascii_case("true") => Some(true),
        Value::String(text) if text.eq_ignore_ascii_case("false") => Some(false),
        Value::Number(number) => number.as_u64().filter(|n| *n <= 1).map(|n| n == 1),
        _ => None,
    }
}

/// A whole number of things, from a number or its text.
pub(super) fn count_of(value: &Value) -> Option<u64> {
    let number = plain(value)?.trim().parse::<f64>().ok()?;
    // More would be no count of anything, and fits into no column.
    (0.0..1e9).contains(&number).then_some(number as u64)
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

/// Text, or nothing when it is something else.
pub(super) fn text<'de, D: Deserializer<'de>>(d: D) -> Result<Option<String>, D::Error> {
    Ok(plain(&Value::deserialize(d)?))
}

/// Yes or no, or nothing when it is something else.
pub(super) fn flag<'de, D: Deserializer<'de>>(d: D) -> Result<Option<bool>, D::Error> {
    Ok(flag_of(&Value::deserialize(d)?))
}

/// A whole number, or nothing when it is something else.
pub(super) fn count<'de, D: Deserializer<'de>>(d: D) -> Result<Option<u64>, D::Error> {
    Ok(count_of(&Value::deserialize(d)?))
}

/// Seconds as a number or a duration, or nothing when it is something else.
pub(super) fn seconds<'de, D: Deserializer<'de>>(d: D) -> Result<Option<f64>, D::Error> {
    Ok(seconds_of(&Value::deserialize(d)?))
}

/// An inner object, or nothing when it can't be read.
pub(super) fn object<'de, D: Deserializer<'de>, T: DeserializeOwned>(d: D) -> Result<Option<T>, D::Error> {
    Ok(T::deserialize(Value::deserialize(d)?).ok())
}

/// A decimal written as text or as a number.
pub(super) fn decimal<'de, D: Deserializer<'de>>(d: D) -> Result<Option<Decimal>, D::Error> {
    Ok(text(d)?.as_deref().and_then(parse_decimal))
}

/// Those of a list that can be read; none when it is no list. For what is beside the point: where a missing item would be believed to be
/// missing at the service, the list is read whole or not at all.
pub(super) fn list<'de, D: Deserializer<'de>, T: DeserializeOwned>(d: D) -> Result<Vec<T>, D::Error> {
    let Value::Array(items) = Value::deserialize(d)? else { return Ok(Vec::new()) };
    Ok(items.into_iter().filter_map(|item| T::deserialize(item).ok()).collect())
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
