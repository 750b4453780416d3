use super::*;

/// Friday, 27 November 2026, 16:20 in Zürich.
const SAID: &str = "2026-11-27T15:20:00Z";

fn window(start: u32, end: u32, days: &[u8]) -> CallingWindow {
    let at = |hour| NaiveTime::MIN + TimeDelta::hours(i64::from(hour));
    CallingWindow { start: at(start), end: at(end), days: days.to_vec() }
}

fn read(text: &str, window: &CallingWindow) -> Result<String, String> {
    let zone = zone::zone("Europe/Zurich");
    let setting = Setting { zone, window, ahead: TimeDelta::zero() };
    let said = SAID.parse().unwrap();
    setting.read(text, said).map(|at| setting.local(at).format("%a %d %H:%M").to_string())
}

fn in_week(text: &str) -> Result<String, String> {
    read(text, &window(9, 19, &[1, 2, 3, 4, 5, 6]))
}

#[test]
fn words_become_moments_in_the_persons_zone() {
    let moment = |text: &str| in_week(text).unwrap_or_else(|why| panic!("{text}: {why}"));
    assert_eq!(moment("tomorrow at 3"), "Sat 28 15:00");
    assert_eq!(moment("Try Tuesday at 10:00."), "Tue 01 10:00");
    assert_eq!(moment("Noted, I'll call you back on Monday at 14:30."), "Mon 30 14:30");
    assert_eq!(moment("Montag um 15 Uhr"), "Mon 30 15:00");
    assert_eq!(moment("Montag 15 Uhr 30"), "Mon 30 15:30", "and not half an hour too early");
    assert_eq!(moment("lundi à 15 heures 30"), "Mon 30 15:30");
    assert_eq!(moment("Tuesday 2 o'clock"), "Tue 01 14:00", "nobody is called at night");
    assert_eq!(moment("übermorgen um neun oder so, 9:30 Uhr"), "Sun 29 09:30");
    assert_eq!(moment("Friday 3pm"), "Fri 04 15:00", "its own name means in a week");
    assert_eq!(moment("today at 6"), "Fri 27 18:00");
    assert_eq!(moment("at half past, no, at 5 p.m."), "Fri 27 17:00");
    assert_eq!(moment("jeudi à 11h30"), "Thu 03 11:30");
    assert_eq!(moment("in two hours"), "Fri 27 18:20");
    assert_eq!(moment("in 45 minutes"), "Fri 27 17:05");
    assert_eq!(moment("tomorrow at noon"), "Sat 28 12:00");
}

#[test]
fn a_moment_without_an_offset_is_the_persons_and_never_utc() {
    assert_eq!(in_week("2026-11-28T15:00").unwrap(), "Sat 28 15:00");
    assert_eq!(in_week("2026-11-28 15:00:00").unwrap(), "Sat 28 15:00");
    assert_eq!(in_week("2026-11-28T15:00:00Z").unwrap(), "Sat 28 16:00");
    assert_eq!(in_week("2026-11-28T15:00:00+01:00").unwrap(), "Sat 28 15:00");
}

#[test]
fn what_leaves_a_doubt_is_no_moment() {
    for doubt in [
        "some time tomorrow",
        "next Tuesday at 10",
        "Monday or Wednesday at 10",
        "tomorrow between 10:00 and 11:00",
        "3 December at 10",
        "later",
        "",
        "tomorrow at 25:00",
        "0:99 tomorrow",
        "call 4 people at my office",
        "tomorrow at half past 3",
        "mañana a las 10 y media",
        "lundi entre 15h et 16h",
        "mañana entre las 3 y las 5",
        "dans 10 heures",
        "en 10 horas",
        "demain à 10 heures et demie",
        "tomorrow, twenty past 3",
        "morgen um Viertel nach 3",
        "morgen um halb 3",
        "tomorrow after 3",
        "99999999999999999999 tomorrow",
    ] {
        assert!(in_week(doubt).is_err(), "{doubt:?} gave {:?}", in_week(doubt));
    }
    // Both halves of the day are open: nobody guesses. With only one open there is no doubt.
    assert!(read("tomorrow at 8", &window(7, 21, &[1, 2, 3, 4, 5, 6])).is_err());
    assert_eq!(read("tomorrow at 8", &window(9, 21, &[1, 2, 3, 4, 5, 6])).as_deref(), Ok("Sat 28 20:00"));
}

#[test]
fn nobody_is_called_when_they_would_mind() {
    let hours = window(9, 19, &[1, 2, 3, 4, 5]);
    let setting = Setting { zone: zone::zone("Europe/Zurich"), window: &hours, ahead: TimeDelta::zero() };
    let now: DateTime<Utc> = SAID.parse().unwrap();
    let check = |local: &str| {
        setting.check(setting.moment(NaiveDateTime::parse_from_str(local, "%Y-%m-%dT%H:%M").unwrap()), now)
    };
    assert_eq!(check("2026-11-30T15:00"), Ok(()));
    assert!(check("2026-11-27T16:20").unwrap_err().contains("passed"));
    assert!(check("2026-11-30T03:00").unwrap_err().contains("outside the calling hours"), "night");
    assert!(check("2026-11-28T15:00").is_err(), "Saturday");
    assert!(check("2029-11-30T15:00").unwrap_err().contains("days ahead"));
    // A window that never opens, as across midnight, lets nobody be called.
    let never = window(15, 8, &[1, 2, 3, 4, 5]);
    let setting = Setting { window: &never, ..setting };
    assert!(setting.check(setting.moment("2026-11-30T16:00:00".parse().unwrap()), now).is_err());
}

#[test]
fn the_clock_that_people_go_by_counts() {
    let hours = window(9, 19, &[1, 2, 3, 4, 5, 6, 7]);
    let ahead = TimeDelta::hours(24);
    let setting = Setting { zone: zone::zone("Europe/Zurich"), window: &hours, ahead };
    let said: DateTime<Utc> = SAID.parse().unwrap();
    let at = setting.read("tomorrow at 3", said).unwrap();
    assert_eq!(at, said + TimeDelta::hours(22) + TimeDelta::minutes(40), "a day on, people are at Saturday");
}
