//! When a line of cron comes next. The line is read in the wall-clock times of its zone, and each of these is one moment: one that the
//! clocks show twice is the first, and one that they skip is the end of the gap. So nothing runs twice, and nothing is lost.

use chrono::{DateTime, NaiveDate, NaiveDateTime, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;
use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};

use crate::model::LEAST_MINUTES;

/// The longest line.
const LONGEST: usize = 100;
/// Moments that are asked for at a time: beyond this, a list of them is no use to anybody.
pub(super) const MOST: usize = 1000;
/// The longest gap in any zone's past was a day.
const LONGEST_GAP: i64 = 60 * 25;

const EXAMPLE: &str = "For example “0 9 * * 1-5”: at 9:00 from Monday to Friday.";

/// The parts of a line: name, what may stand there.
const PARTS: [(&str, &str); 5] = [
    ("first part, the minute,", "0 to 59"),
    ("second part, the hour,", "0 to 23"),
    ("third part, the day of the month,", "1 to 31"),
    ("fourth part, the month,", "1 to 12, or JAN to DEC"),
    ("fifth part, the day of the week,", "0 to 7 (0 and 7 are Sunday), or SUN to SAT"),
];

/// A line in a zone.
pub(super) struct Times {
    cron: Cron,
    zone: Tz,
}

impl Times {
    /// Reads a line that was checked before it was stored. None: it is none any more, or its zone is gone.
    pub fn read(line: &str, zone: &str) -> Option<Self> {
        Some(Self { cron: parse(line).ok()?, zone: zone.parse().ok()? })
    }

    /// Reads a line that somebody typed. Errors: a sentence that says what is wrong with it, and an example.
    pub fn check(line: &str, zone: Tz) -> Result<Self, String> {
        let parts: Vec<&str> = line.split_whitespace().collect();
        if parts.len() != PARTS.len() || line.len() > LONGEST {
            return Err(format!(
                "A line has five parts, with spaces between them: minute, hour, day of the month, month and day of the week. {EXAMPLE}"
            ));
        }
        for (at, (part, (name, may))) in parts.iter().zip(PARTS).enumerate() {
            let mut alone = ["*"; 5];
            alone[at] = part;
            if parse(&alone.join(" ")).is_err() {
                return Err(format!(
                    "The {name} cannot be “{part}”: write * for all, or {may}, also as a list 1,2, a range 1-5 or steps */2. {EXAMPLE}"
                ));
            }
        }
        let wrong = || format!("This line cannot be read. {EXAMPLE}");
        let cron = parse(line).map_err(|_| wrong())?;
        let every_day = parse(&format!("{} {} * * *", parts[0], parts[1])).map_err(|_| wrong())?;
        if is_too_often(&every_day) {
            return Err(format!(
                "At least {LEAST_MINUTES} minutes have to lie between two runs. Write */{LEAST_MINUTES} in the first part, or fewer minutes."
            ));
        }
        Ok(Self { cron, zone })
    }

    /// The line in words.
    pub fn said(&self) -> String {
        self.cron.describe().trim_end_matches('.').to_owned()
    }

    /// The first moment after another one. None: it never comes.
    pub fn next(&self, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let mut local = after.with_timezone(&self.zone).naive_local();
        // Times that the clocks show once more are behind us, and times in one gap have one moment.
        loop {
            local = self.cron.find_next_occurrence(&local, false).ok()?;
            let at = moment(local, self.zone)?;
            if at > after {
                return Some(at);
            }
        }
    }

    /// The next few moments.
    pub fn following(&self, after: DateTime<Utc>, count: usize) -> Vec<DateTime<Utc>> {
        std::iter::successors(self.next(after), |at| self.next(*at)).take(count).collect()
    }

    /// The moments after `after` and not after `until`, counted up to a thousand.
    pub fn count(&self, after: DateTime<Utc>, until: DateTime<Utc>) -> usize {
        let all = std::iter::successors(self.next(after), |at| self.next(*at));
        all.take_while(|at| *at <= until).take(MOST).count()
    }

    /// The last moment after `after` and not after `until`.
    pub fn last(&self, after: DateTime<Utc>, until: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let all = std::iter::successors(self.next(after), |at| self.next(*at));
        all.take_while(|at| *at <= until).take(MOST).last()
    }

    /// A moment as the zone's clocks show it.
    pub fn text(&self, at: DateTime<Utc>) -> String {
        at.with_timezone(&self.zone).format("%a %-d %b %Y, %H:%M %Z").to_string()
    }
}

fn parse(line: &str) -> Result<Cron, croner::errors::CronError> {
    CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build().parse(line)
}

/// The one moment of a time on the clocks.
fn moment(local: NaiveDateTime, zone: Tz) -> Option<DateTime<Utc>> {
    let mut shown = local;
    for _ in 0..LONGEST_GAP {
        if let Some(at) = zone.from_local_datetime(&shown).earliest() {
            return Some(at.with_timezone(&Utc));
        }
        shown += TimeDelta::minutes(1);
    }
    None
}

/// Whether minutes and hours alone bring two times too near to each other. Which days they are for is left out: at the end of one and the
/// beginning of the next they are as near as on any other two.
fn is_too_often(every_day: &Cron) -> bool {
    let Some(start) = NaiveDate::from_ymd_opt(2026, 1, 1).and_then(|day| day.and_hms_opt(0, 0, 0)) else { return true };
    let (mut before, end) = (None::<NaiveDateTime>, start + TimeDelta::days(2));
    let mut from = (start, true);
    while let Ok(at) = every_day.find_next_occurrence(&from.0, from.1) {
        if at >= end {
            break;
        }
        if before.is_some_and(|before| at - before < TimeDelta::minutes(LEAST_MINUTES)) {
            return true;
        }
        (before, from) = (Some(at), (at, false));
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(line: &str, zone: &str) -> Times {
        Times::read(line, zone).unwrap_or_else(|| panic!("{line} {zone}"))
    }

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap_or_else(|_| panic!("{text}"))
    }

    /// The moments from one to another, as the clocks show them: `29 03:00 +0200`.
    fn shown(line: &str, zone: &str, after: &str, until: &str) -> Vec<String> {
        let times = times(line, zone);
        let all = times.following(at(after), 2000).into_iter().take_while(|moment| *moment <= at(until));
        all.map(|moment| moment.with_timezone(&times.zone).format("%d %H:%M %z").to_string()).collect()
    }

    #[test]
    fn a_skipped_time_runs_once_right_after_the_gap() {
        // Berlin, 29 March 2026: 02:00 is followed by 03:00.
        let berlin = |line: &str| shown(line, "Europe/Berlin", "2026-03-28T12:00:00Z", "2026-03-30T12:00:00Z");
        assert_eq!(berlin("30 2 * * *"), ["29 03:00 +0200", "30 02:30 +0200"]);
        // Several in one gap, and one that comes at its end anyhow: one run.
        assert_eq!(berlin("0,15,30 2,3 29 3 *"), ["29 03:00 +0200", "29 03:15 +0200", "29 03:30 +0200"]);
        // New York, 8 March 2026.
        let york = shown("15 2 * * *", "America/New_York", "2026-03-07T12:00:00Z", "2026-03-09T12:00:00Z");
        assert_eq!(york, ["08 03:00 -0400", "09 02:15 -0400"]);
        // Lord Howe, 4 October 2026: half an hour is skipped.
        let howe = shown("0,20,40 2 * * *", "Australia/Lord_Howe", "2026-10-03T12:00:00Z", "2026-10-04T12:00:00Z");
        assert_eq!(howe, ["04 02:30 +1100", "04 02:40 +1100"]);
    }

    #[test]
    fn a_time_that_comes_twice_runs_the_first_time() {
        // Berlin, 25 October 2026: 03:00 is followed by 02:00.
        let berlin = |line: &str| shown(line, "Europe/Berlin", "2026-10-24T12:00:00Z", "2026-10-25T03:00:00Z");
        assert_eq!(berlin("30 2 * * *"), ["25 02:30 +0200"]);
        assert_eq!(
            berlin("*/30 2-3 25 10 *"),
            ["25 02:00 +0200", "25 02:30 +0200", "25 03:00 +0100", "25 03:30 +0100"]
        );
        // Asked in the second of the two hours, it is past.
        let second = shown("30 2 * * *", "Europe/Berlin", "2026-10-25T01:10:00Z", "2026-10-26T03:00:00Z");
        assert_eq!(second, ["26 02:30 +0100"]);
        let york = shown("30 1 * * *", "America/New_York", "2026-10-31T12:00:00Z", "2026-11-02T12:00:00Z");
        assert_eq!(york, ["01 01:30 -0400", "02 01:30 -0500"]);
        let howe = shown("45 1 * * *", "Australia/Lord_Howe", "2026-04-04T03:00:00Z", "2026-04-05T20:00:00Z");
        assert_eq!(howe, ["05 01:45 +1100", "06 01:45 +1030"]);
    }

    #[test]
    fn every_day_of_two_years_has_its_one_run_in_every_zone_and_at_every_hour() {
        for zone in ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Santiago", "UTC"] {
            for line in ["30 0 * * *", "15 1 * * *", "30 2 * * *", "0 3 * * *", "59 23 * * *"] {
                let times = times(line, zone);
                let all = times.following(at("2025-12-31T12:00:00Z"), 731);
                assert!(all.is_sorted_by(|one, other| one < other), "{line} {zone}");
                let first = all[0].with_timezone(&times.zone).date_naive();
                for (day, moment) in all.iter().enumerate() {
                    let shown = moment.with_timezone(&times.zone).date_naive();
                    assert_eq!((shown - first).num_days(), day as i64, "{line} {zone} {moment}");
                }
            }
        }
    }

    #[test]
    fn a_line_that_is_none_says_what_is_wrong_and_gives_an_example() {
        let check = |line: &str| Times::check(line, Tz::UTC).err().unwrap_or_default();
        for (line, words) in [
            ("61 * * * *", "The first part, the minute, cannot be “61”"),
            ("0 24 * * *", "second part, the hour"),
            ("0 9 32 * *", "third part, the day of the month"),
            ("0 9 * FOO *", "fourth part, the month"),
            ("0 9 * * 8", "fifth part, the day of the week"),
            ("every day", "five parts"),
            ("0 0 9 * * *", "five parts"),
            ("@daily", "five parts"),
            ("", "five parts"),
            ("0 9 * * 1-", "fifth part"),
        ] {
            let said = check(line);
            assert!(said.contains(words) && said.contains("0 9 * * 1-5"), "{line}: {said}");
        }
        for often in ["* * * * *", "*/4 * * * *", "0,3 9 * * *", "0,58 * * * *", "58,1 23,0 * * *"] {
            assert!(check(often).contains("At least 5 minutes"), "{often}: {}", check(often));
        }
        for good in ["*/5 * * * *", "0 9 * * MON-FRI", "0 12 L * *", "0,58 9 * * *", "0 9 * * 1#1", "  0  9 * * 7 "] {
            assert_eq!(check(good), "", "{good}");
        }
        assert_eq!(times("0 0 30 2 *", "UTC").next(at("2026-01-01T00:00:00Z")), None);
        assert_eq!(times("0 9 * * 1-5", "UTC").said(), "At 09:00, on Monday, Tuesday, Wednesday, Thursday, and Friday");
    }

    #[test]
    fn what_was_missed_is_counted_up_to_a_thousand() {
        let times = times("*/5 * * * *", "UTC");
        let (from, until) = (at("2026-01-01T00:00:00Z"), at("2026-02-01T00:00:00Z"));
        assert_eq!(times.count(from, from + TimeDelta::minutes(16)), 3);
        assert_eq!(times.count(from, until), 1000);
        assert_eq!(
            times.last(until - TimeDelta::hours(1), until - TimeDelta::minutes(1)),
            Some(until - TimeDelta::minutes(5))
        );
        assert_eq!(times.last(from, from + TimeDelta::minutes(4)), None);
    }
}
