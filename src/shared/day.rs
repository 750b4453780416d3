//! A date as `2026-11-20`, for `#[serde(with = "patchbay_shared::day")]`. As chrono writes it, and read by hand: its own reader knows
//! every form of a date, and that is kilobytes of what a first visit loads.

use chrono::NaiveDate;
use serde::de::{Error, Unexpected};
use serde::{Deserialize, Deserializer, Serializer};

pub fn serialize<S: Serializer>(day: &NaiveDate, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(day)
}

/// Errors: what is no date.
pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<NaiveDate, D::Error> {
    let text = String::deserialize(from)?;
    read(&text).ok_or_else(|| Error::invalid_value(Unexpected::Str(&text), &"a date"))
}

fn read(text: &str) -> Option<NaiveDate> {
    // The sign of a year long ago is none between two parts.
    let (rest, day) = text.rsplit_once('-')?;
    let (year, month) = rest.rsplit_once('-')?;
    NaiveDate::from_ymd_opt(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read() {
        for text in ["2026-11-20", "1970-01-01", "0001-01-01", "+12026-02-28", "-0005-12-31"] {
            let day: NaiveDate = text.parse().unwrap();
            assert_eq!((day.to_string().as_str(), read(text)), (text, Some(day)));
        }
        for text in ["", "2026", "2026-11", "2026-13-01", "2026-02-30", "a-b-c", "20 Nov"] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
