//! Hours of a week.

use chrono::{Datelike, Duration, NaiveDateTime, NaiveTime};
use serde::{Deserialize, Serialize};

/// Hours of a week, in a zone that is said elsewhere: when a contact may be called, or when a number is answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallingWindow {
    #[serde(with = "hour_minute")]
    pub start: NaiveTime,
    /// Exclusive: this minute is outside. Midnight is the end of the day.
    #[serde(with = "hour_minute")]
    pub end: NaiveTime,
    /// Monday is 1, Sunday is 7.
    pub days: Vec<u8>,
}

impl Default for CallingWindow {
    fn default() -> Self {
        Self {
            start: NaiveTime::MIN + Duration::hours(9),
            end: NaiveTime::MIN + Duration::hours(19),
            days: vec![1, 2, 3, 4, 5],
        }
    }
}

impl CallingWindow {
    /// The end of a day, as an end.
    pub fn midnight() -> NaiveTime {
        NaiveTime::MIN
    }

    /// Whether this local time is inside.
    pub fn is_open(&self, local: NaiveDateTime) -> bool {
        let day = local.date().weekday().number_from_monday();
        self.days.iter().any(|open| u32::from(*open) == day)
            && local.time() >= self.start
            && (self.end == NaiveTime::MIN || local.time() < self.end)
    }

    /// This very moment while the window is open, else the next local time at which it opens.
    pub fn next_open(&self, local: NaiveDateTime) -> NaiveDateTime {
        if self.is_open(local) {
            return local;
        }
        let opens = (0..8).map(|days| (local.date() + Duration::days(days)).and_time(self.start));
        opens.into_iter().find(|at| *at > local && self.is_open(*at)).unwrap_or(local + Duration::days(1))
    }

    /// The local time at which `work` is done that begins at `local` and goes on only while the window is open.
    pub fn after(&self, local: NaiveDateTime, work: Duration) -> NaiveDateTime {
        let (mut at, mut left) = (self.next_open(local), work);
        // A year of days: nothing that is worth a time takes longer.
        for _ in 0..366 {
            let closes = if self.end == NaiveTime::MIN {
                (at.date() + Duration::days(1)).and_time(NaiveTime::MIN)
            } else {
                at.date().and_time(self.end)
            };
            let room = closes - at;
            if left <= room || room <= Duration::zero() {
                break;
            }
            left -= room;
            at = self.next_open(closes);
        }
        at + left
    }

    /// `Mon–Fri, 09:00–19:00`.
    pub fn text(&self) -> String {
        let mut runs: Vec<(u8, u8)> = Vec::new();
        for day in &self.days {
            match runs.last_mut() {
                Some((_, last)) if *last + 1 == *day => *last = *day,
                _ => runs.push((*day, *day)),
            }
        }
        let days: Vec<String> = runs
            .into_iter()
            .map(
                |(from, to)| {
                    if from == to { day_name(from).into() } else { format!("{}–{}", day_name(from), day_name(to)) }
                },
            )
            .collect();
        let end = if self.end == NaiveTime::MIN { "24:00".to_owned() } else { self.end.format("%H:%M").to_string() };
        format!("{}, {}–{end}", days.join(", "), self.start.format("%H:%M"))
    }
}

/// `Mon` for 1.
pub fn day_name(day: u8) -> &'static str {
    ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"].get(usize::from(day).wrapping_sub(1)).copied().unwrap_or("?")
}

mod hour_minute {
    use chrono::NaiveTime;
    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(time: &NaiveTime, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&time.format("%H:%M"))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<NaiveTime, D::Error> {
        let text = String::deserialize(deserializer)?;
        super::clock(&text).ok_or_else(|| serde::de::Error::custom(format!("“{text}” is not a time like 09:00")))
    }
}

/// Reads `9:00` or `09:00:00`; `24:00` is midnight.
pub fn clock(text: &str) -> Option<NaiveTime> {
    let text = text.trim();
    if text == "24:00" {
        return Some(NaiveTime::MIN);
    }
    NaiveTime::parse_from_str(text, "%H:%M").or_else(|_| NaiveTime::parse_from_str(text, "%H:%M:%S")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> NaiveDateTime {
        text.parse().unwrap()
    }

    #[test]
    fn opens_and_closes() {
        let window = CallingWindow::default();
        // 20 November 2026 is a Friday.
        assert!(window.is_open(at("2026-11-20T09:00:00")));
        assert!(!window.is_open(at("2026-11-20T19:00:00")));
        assert_eq!(window.next_open(at("2026-11-20T19:00:00")), at("2026-11-23T09:00:00"));
        assert_eq!(window.next_open(at("2026-11-20T08:00:00")), at("2026-11-20T09:00:00"));
        assert_eq!(window.next_open(at("2026-11-20T10:30:00")), at("2026-11-20T10:30:00"));
        assert_eq!(window.text(), "Mon–Fri, 09:00–19:00");
        let sunday = CallingWindow { days: vec![7], ..window };
        assert_eq!(sunday.next_open(at("2026-11-22T19:30:00")), at("2026-11-29T09:00:00"));
    }

    #[test]
    fn work_goes_on_only_while_it_is_open() {
        let window = CallingWindow::default();
        assert_eq!(window.after(at("2026-11-20T18:00:00"), Duration::minutes(30)), at("2026-11-20T18:30:00"));
        // Half an hour on Friday, the rest on Monday morning.
        assert_eq!(window.after(at("2026-11-20T18:30:00"), Duration::minutes(90)), at("2026-11-23T10:00:00"));
        assert_eq!(window.after(at("2026-11-21T12:00:00"), Duration::hours(11)), at("2026-11-24T10:00:00"));
        let always = CallingWindow { start: NaiveTime::MIN, end: NaiveTime::MIN, days: (1..=7).collect() };
        assert_eq!(always.after(at("2026-11-20T23:00:00"), Duration::hours(2)), at("2026-11-21T01:00:00"));
    }

    #[test]
    fn midnight_is_the_end_of_the_day() {
        let window: CallingWindow =
            serde_json::from_str(r#"{"start":"00:00","end":"24:00","days":[1,3,6,7]}"#).unwrap();
        assert!(window.is_open(at("2026-11-21T23:59:59")));
        assert_eq!(window.text(), "Mon, Wed, Sat–Sun, 00:00–24:00");
    }
}
