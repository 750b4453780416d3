//! Time zones as people and CRMs write them, turned into IANA's names. Calling hours hang on it, so a zone that is in doubt is refused,
//! and no contact gets a zone without summer time because somebody wrote EST. `docs/decisions/0014-numbers-zones-consent.md` has the rule.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::Phone;
use super::plain::plain;

/// Windows' names, those of CRMs, and abbreviations; its head says where they are from.
const TABLE: &str = include_str!("zone_names.tsv");

/// Names by their key (`key`). IANA's own, the cities in them, Windows' and CRMs'.
static NAMES: LazyLock<HashMap<String, &'static str>> = LazyLock::new(|| {
    let mut names = HashMap::new();
    let iana = chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name()).filter(|name| is_zone(name));
    // A city that stands in two places (`Louisville`) names none.
    let mut cities: HashMap<String, Vec<&'static str>> = HashMap::new();
    for name in iana {
        names.insert(key(name), name);
        if !COUNTRY_FOLDERS.iter().any(|folder| name.starts_with(folder))
            && let Some((_, city)) = name.rsplit_once('/')
            && !NO_CITIES.contains(&city)
        {
            cities.entry(key(city)).or_default().push(name);
        }
    }
    for (city, zones) in cities {
        if let [zone] = zones[..] {
            names.entry(city).or_insert(zone);
        }
    }
    for [kind, name, _, zone] in rows() {
        if kind != "short" {
            names.insert(key(name), zone);
        }
    }
    names
});

/// Folders of IANA's older names, in which the last part is no city: `US/Eastern`, `Canada/Central`.
const COUNTRY_FOLDERS: [&str; 5] = ["US/", "Canada/", "Brazil/", "Chile/", "Mexico/"];

/// Last parts of IANA's names that alone say too little: `Australia/West`, `America/North_Dakota/Center`.
const NO_CITIES: [&str; 4] = ["West", "North", "South", "Center"];

/// Abbreviations by their key: first digits of the numbers that they count for, and the zone.
static SHORT: LazyLock<HashMap<String, Vec<(&'static str, &'static str)>>> = LazyLock::new(|| {
    let mut short: HashMap<String, Vec<_>> = HashMap::new();
    for [kind, name, digits, zone] in rows() {
        if kind == "short" {
            short.entry(key(name)).or_default().push((digits, zone));
        }
    }
    short
});

fn rows() -> impl Iterator<Item = [&'static str; 4]> {
    let lines = TABLE.lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| line.split('\t').collect::<Vec<_>>().try_into().ok())
}

/// Whether this is the IANA name of a place's zone, or UTC. IANA also lists offsets (`Etc/GMT+5`) and zones without summer time
/// (`EST`, `MST`, `HST`), which stand for no place where somebody lives.
pub fn is_zone(name: &str) -> bool {
    let is_place = name.contains('/') && !name.starts_with("Etc/");
    (is_place || name == "UTC") && name.parse::<chrono_tz::Tz>().is_ok()
}

/// Reads the zone of whoever has the number `phone`. The number decides what an abbreviation means: `EST` of a number that begins
/// with +1 is New York's time, and of any other it is refused.
///
/// Errors: a sentence that says what is wrong and what to do.
pub fn read_zone(text: &str, phone: &Phone) -> Result<&'static str, String> {
    read(text, Some(phone))
}

/// Whether this is a zone at all, of somebody whose number cannot be read: then an abbreviation may mean any place.
///
/// Errors: as above.
pub fn check_zone(text: &str) -> Result<(), String> {
    read(text, None).map(|_| ())
}

fn read(text: &str, phone: Option<&Phone>) -> Result<&'static str, String> {
    let text = plain(text);
    let shown: String = text.trim().chars().take(40).collect();
    if text.len() > 200 {
        return Err(format!("“{shown}…” is not a time zone. Write it like Europe/Zurich."));
    }
    let (name, is_listed) = without_offset(text.trim());
    let key = key(name);
    // Windows and Outlook list the cities of an offset: `(GMT+01.00) Sarajevo/Warsaw/Zagreb`.
    let city = if is_listed { key.split([',', '/']).next().unwrap_or_default() } else { "" };
    if let Some(zone) = NAMES.get(&key).or_else(|| NAMES.get(city)) {
        return Ok(zone);
    }
    if let Some(meanings) = SHORT.get(&key) {
        let Some(phone) = phone else { return Ok(meanings[0].1) };
        let digits = &phone.as_str()[1..];
        let fits = meanings.iter().filter(|(start, _)| digits.starts_with(start)).max_by_key(|(start, _)| start.len());
        return fits.map(|(_, zone)| *zone).ok_or_else(|| {
            format!("“{shown}” is short for several time zones, and none of them fits a number like {phone}. Write it like Europe/Zurich.")
        });
    }
    if is_offset(&key) {
        return Err(format!("“{shown}” is an offset, which knows no summer time. Write the zone like Europe/Zurich."));
    }
    Err(format!("“{shown}” is not a time zone. Write it like Europe/Zurich."))
}

/// Lower case, blanks for underscores; HubSpot writes `america_slash_new_york`.
fn key(name: &str) -> String {
    let lower = name.to_lowercase().replace("_slash_", "/").replace("&amp;", "&").replace('_', " ");
    lower.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// `(GMT-05:00) Eastern Time (US & Canada)` without the offset in front, and whether there was one.
fn without_offset(text: &str) -> (&str, bool) {
    match text.strip_prefix('(').and_then(|rest| rest.split_once(')')) {
        Some((offset, name)) if is_offset(&key(offset)) && !name.trim().is_empty() => (name.trim(), true),
        _ => (text, false),
    }
}

/// `utc+1`, `gmt-05:00`, `+0530`, `etc/gmt+5`, `z`.
fn is_offset(key: &str) -> bool {
    let rest = key.strip_prefix("etc/").unwrap_or(key);
    let rest = ["utc", "gmt"].iter().find_map(|word| rest.strip_prefix(word)).unwrap_or(rest).trim();
    let rest = rest.strip_prefix(['+', '-', '−', '±']).map_or(rest, str::trim);
    key == "z"
        || rest.len() <= 6
            && key.len() >= 2
            && rest.chars().all(|letter| letter.is_ascii_digit() || letter == ':' || letter == '.')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zone(text: &str, number: &str) -> Result<&'static str, String> {
        read_zone(text, &Phone::from_e164(number).unwrap())
    }

    #[test]
    fn every_row_of_the_table_names_a_zone_of_a_place() {
        let lines = TABLE.lines().filter(|line| !line.starts_with('#')).count();
        assert_eq!((rows().count(), lines > 300), (lines, true));
        for [kind, name, digits, zone] in rows() {
            assert!(is_zone(zone), "{name}: {zone}");
            assert_eq!(kind == "short", !digits.is_empty(), "{name}");
            assert!(kind != "short" || !NAMES.contains_key(&key(name)), "{name} is a name too");
        }
    }

    #[test]
    fn zones_as_they_are_written() {
        for (text, right) in [
            ("America/New_York", "America/New_York"),
            ("america/new_york", "America/New_York"),
            ("AMERICA/NEW YORK", "America/New_York"),
            ("america_slash_new_york", "America/New_York"),
            ("US/Eastern", "US/Eastern"),
            ("Eastern Time (US & Canada)", "America/New_York"),
            ("Eastern Time (US &amp; Canada)", "America/New_York"),
            ("(GMT-05:00) Eastern Time (US & Canada)", "America/New_York"),
            ("(UTC+01:00) Amsterdam, Berlin, Bern, Rome, Stockholm, Vienna", "Europe/Amsterdam"),
            ("(GMT+01.00) Sarajevo/Warsaw/Zagreb", "Europe/Sarajevo"),
            ("Pacific Standard Time", "America/Los_Angeles"),
            ("US Mountain Standard Time", "America/Phoenix"),
            ("W. Europe Standard Time", "Europe/Berlin"),
            ("India Standard Time", "Asia/Kolkata"),
            ("\u{202a}Berlin\u{202c}", "Europe/Berlin"),
            ("New York", "America/New_York"),
            ("Mumbai", "Asia/Kolkata"),
            ("UTC", "UTC"),
            ("EST", "America/New_York"),
            ("edt", "America/New_York"),
            ("MST", "America/Denver"),
            ("HST", "Pacific/Honolulu"),
            ("Pacific", "America/Los_Angeles"),
        ] {
            assert_eq!(zone(text, "+12125550141").as_deref(), Ok(right), "{text}");
        }
    }

    #[test]
    fn the_number_says_what_an_abbreviation_means() {
        assert_eq!(zone("MST", "+16025550141"), Ok("America/Phoenix"));
        assert_eq!(zone("IST", "+919812345670"), Ok("Asia/Kolkata"));
        assert_eq!(zone("IST", "+35315550141"), Ok("Europe/Dublin"));
        assert_eq!(zone("CET", "+4930901820"), Ok("Europe/Berlin"));
        assert_eq!(zone("GMT", "+442079460021"), Ok("Europe/London"));
        assert_eq!(zone("CST", "+8613812345678"), Ok("Asia/Shanghai"));
        for (text, number) in
            [("EST", "+61255501234"), ("MST", "+60312345678"), ("BST", "+8801712345678"), ("GMT", "+4930901820")]
        {
            assert!(zone(text, number).unwrap_err().contains("none of them fits"), "{text}");
        }
    }

    #[test]
    fn what_names_no_place_is_refused() {
        for text in ["+01:00", "UTC+1", "GMT-5", "UTC +05:30", "-0500", "Etc/GMT+5", "Z"] {
            assert!(zone(text, "+12125550141").unwrap_err().contains("offset"), "{text}");
        }
        for text in ["Mars", "", "Europe/Nowhere", "America", "Berlin, Mars", "Standard Time", &"x".repeat(10_000)] {
            assert!(zone(text, "+12125550141").unwrap_err().contains("is not a time zone"), "{text}");
        }
        assert!(!["EST", "MST", "HST", "Etc/GMT+5", "EST5EDT", "GMT"].iter().any(|name| is_zone(name)));
    }
}
