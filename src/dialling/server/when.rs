//! When somebody wants to be called back: a moment made of what a model or a tool wrote down, and whether nobody would mind being called
//! then. What leaves a doubt is left to a person: a call at three in the morning is worse than none.

use chrono::{DateTime, Datelike, Days, Duration, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Utc, Weekday};

use patchbay_shared::window::CallingWindow;
use patchbay_shared::zone::{self, Tz};

/// Further ahead nobody remembers what was agreed.
pub(super) const MOST_DAYS: i64 = 60;

/// What a moment is read and judged by. All moments are the database's; `ahead`: how far the clock that people go by is before them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Setting<'a> {
    pub zone: Tz,
    pub window: &'a CallingWindow,
    pub ahead: TimeDelta,
}

impl Setting<'_> {
    pub fn local(&self, at: DateTime<Utc>) -> NaiveDateTime {
        (at + self.ahead).with_timezone(&self.zone).naive_local()
    }

    pub fn moment(&self, local: NaiveDateTime) -> DateTime<Utc> {
        zone::instant(local.date(), local.time(), self.zone) - self.ahead
    }

    /// The moment that the text names. `said`: when it was said. Errors: why it names none.
    pub fn read(&self, text: &str, said: DateTime<Utc>) -> Result<DateTime<Utc>, String> {
        let text = text.trim();
        if let Ok(moment) = DateTime::parse_from_rfc3339(text) {
            return Ok(moment.with_timezone(&Utc) - self.ahead);
        }
        // Without an offset it is the clock of the person's zone, never UTC.
        let forms = ["%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M"];
        if let Some(local) = forms.iter().find_map(|form| NaiveDateTime::parse_from_str(text, form).ok()) {
            return Ok(self.moment(local));
        }
        let said = self.local(said);
        let words: Vec<String> = words(text);
        match in_a_while(&words) {
            Some(wait) => Ok(self.moment(said + wait)),
            None => self.spoken(&words, said).map(|local| self.moment(local)),
        }
    }

    fn spoken(&self, words: &[String], said: NaiveDateTime) -> Result<NaiveDateTime, String> {
        let times = times(words);
        let time = match times.as_slice() {
            [] => return Err("No time of day was said.".into()),
            [one] => *one,
            _ => return Err("More than one time of day was said.".into()),
        };
        let day = match day(words, said.date()) {
            Day::One(day) => day,
            Day::None => said.date(),
            Day::Unclear => return Err("It is not clear which day was meant.".into()),
        };
        let candidates = time.candidates();
        let later: Vec<NaiveDateTime> =
            candidates.iter().map(|time| day.and_time(*time)).filter(|at| *at > said).collect();
        let open: Vec<NaiveDateTime> = later.iter().copied().filter(|at| self.window.is_open(*at)).collect();
        match (open.as_slice(), later.as_slice()) {
            ([one], _) => Ok(*one),
            ([_, ..], _) => Err("It is not clear whether morning or afternoon was meant.".into()),
            // The rules say what is wrong with it.
            ([], [one, ..]) => Ok(*one),
            ([], []) => Err("The time had passed already when it was said.".into()),
        }
    }

    /// Whether somebody may be called at `at`. Errors: why not, for a person.
    pub fn check(&self, at: DateTime<Utc>, now: DateTime<Utc>) -> Result<(), String> {
        if at <= now {
            return Err("This time has passed.".into());
        }
        if at > now + Duration::days(MOST_DAYS) {
            return Err(format!("This is more than {MOST_DAYS} days ahead."));
        }
        let local = self.local(at);
        if !self.window.is_open(local) {
            return Err(format!(
                "{} in {} is outside the calling hours ({}).",
                local.format("%a %H:%M"),
                self.zone.name().replace('_', " "),
                self.window.text()
            ));
        }
        Ok(())
    }
}

/// Lower case, without punctuation but for the colon and the dot inside a time.
fn words(text: &str) -> Vec<String> {
    let lower = text.to_lowercase();
    let pieces = lower.split(|c: char| !(c.is_alphanumeric() || c == ':' || c == '.'));
    pieces.map(|word| word.trim_matches(['.', ':']).to_owned()).filter(|word| !word.is_empty()).collect()
}

/// A time of day as it was said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Said {
    time: NaiveTime,
    /// Nothing says whether it is before or after noon.
    either_half: bool,
}

impl Said {
    fn candidates(self) -> Vec<NaiveTime> {
        let mut all = vec![self.time];
        if self.either_half {
            all.push(self.time.overflowing_add_signed(TimeDelta::hours(12)).0);
        }
        all
    }
}

const BEFORE_A_TIME: [&str; 10] = ["at", "around", "about", "by", "um", "gegen", "à", "vers", "las", "near"];

/// Words that shift the hour after them: “half past 3”, “Viertel nach 3”, “halb 3”. Who means what is not guessed.
const SHIFTS: [&str; 12] =
    ["past", "half", "quarter", "halb", "viertel", "dreiviertel", "nach", "vor", "after", "before", "y", "moins"];

/// What stands behind an hour, if a word before it says that it is a time. Else it is a while: “dans 2 heures”.
const HOURS: [&str; 4] = ["h", "heure", "heures", "horas"];

/// Words behind an hour that move it.
const MOVES: [&str; 4] = ["y", "et", "menos", "moins"];

/// All times of day in the words.
fn times(words: &[String]) -> Vec<Said> {
    let mut found: Vec<Said> = Vec::new();
    for (at, word) in words.iter().enumerate() {
        let after = &words[at + 1..];
        let before = at.checked_sub(1).and_then(|at| words.get(at)).map_or("", String::as_str);
        if SHIFTS.contains(&before) && word.starts_with(|c: char| c.is_ascii_digit()) {
            return Vec::new();
        }
        // `las 10 y media`, `10 heures et demie`, `entre 15h et 16h`: what follows moves the time or names another one, and is not read.
        let [next, then] = [0, 1].map(|at| after.get(at).map_or("", String::as_str));
        let joined = if next == "uhr" || HOURS.contains(&next) { then } else { next };
        if MOVES.contains(&joined) && word.starts_with(|c: char| c.is_ascii_digit()) {
            return Vec::new();
        }
        let said = match word.as_str() {
            "noon" | "midday" | "mittags" | "midi" | "mediodía" => clock(12, 0, None),
            word => written(word, before, after),
        };
        found.extend(said.filter(|said| !found.contains(said)));
    }
    found
}

/// `15:00`, `3pm`, `3 pm`, `3 o'clock`, `15 uhr`, `15 uhr 30`, `15h30`, and a bare number where a word before it says that it is a time.
fn written(word: &str, before: &str, after: &[String]) -> Option<Said> {
    let [next, then] = [0, 1].map(|at| after.get(at).map_or("", String::as_str));
    let digits = word.find(|c: char| !c.is_ascii_digit()).unwrap_or(word.len());
    if digits == 0 || digits > 2 || matches!(before, "dans" | "en" | "in") {
        return None;
    }
    let is_said = BEFORE_A_TIME.contains(&before);
    let is_hour_word = next == "uhr" || (is_said && HOURS.contains(&next));
    let hour: u32 = word[..digits].parse().ok()?;
    let rest = &word[digits..];
    let (minute, suffix, has_minutes) = match rest.strip_prefix([':', '.', 'h']) {
        Some(more) if more.len() >= 2 && more.as_bytes()[..2].iter().all(u8::is_ascii_digit) => {
            (more[..2].parse().ok()?, &more[2..], true)
        }
        // `15 uhr 30` is not three o'clock.
        _ => {
            let minute = if is_hour_word { then } else { next };
            let is_hour = is_hour_word || matches!(rest, "uhr" | "h");
            let is_minute = is_hour && minute.len() == 2 && minute.bytes().all(|byte| byte.is_ascii_digit());
            (if is_minute { minute.parse().ok()? } else { 0 }, rest, false)
        }
    };
    let half = match (suffix, next) {
        ("am", _) | ("", "am" | "a.m") => Some(false),
        ("pm", _) | ("", "pm" | "p.m") => Some(true),
        _ => None,
    };
    let is_all_day = matches!(suffix, "uhr" | "h") || is_hour_word || word.starts_with('0') || rest.starts_with('h');
    let is_o_clock = suffix.is_empty() && (next, then) == ("o", "clock");
    let is_time = half.is_some() || is_o_clock || is_all_day || has_minutes || (suffix.is_empty() && is_said);
    if !is_time || !matches!(suffix, "" | "am" | "pm" | "uhr" | "h") {
        return None;
    }
    let mut said = clock(hour, minute, half)?;
    said.either_half &= !is_all_day;
    Some(said)
}

fn clock(hour: u32, minute: u32, afternoon: Option<bool>) -> Option<Said> {
    let hour = match afternoon {
        Some(_) if !(1..=12).contains(&hour) => return None,
        Some(true) => hour % 12 + 12,
        Some(false) => hour % 12,
        None => hour,
    };
    let time = NaiveTime::from_hms_opt(hour, minute, 0)?;
    Some(Said { time, either_half: afternoon.is_none() && (1..12).contains(&hour) })
}

enum Day {
    One(NaiveDate),
    None,
    Unclear,
}

/// The day in the words, seen from `today`.
fn day(words: &[String], today: NaiveDate) -> Day {
    let has = |list: &[&str]| words.iter().any(|word| list.contains(&word.as_str()));
    // “Next Tuesday” is tomorrow for some and in a week for others; a date by its month is read by a model, or by a person.
    if has(&[
        "next",
        "nächste",
        "nächsten",
        "nächster",
        "week",
        "weeks",
        "woche",
        "wochen",
        "month",
        "monat",
        "prochain",
        "próximo",
    ]) || words.iter().any(|word| MONTHS.iter().any(|month| word.starts_with(month)))
    {
        return Day::Unclear;
    }
    let mut days: Vec<NaiveDate> = Vec::new();
    if has(&["übermorgen"]) || words.windows(3).any(|three| three == ["day", "after", "tomorrow"]) {
        days.extend(today.checked_add_days(Days::new(2)));
    } else if has(&["today", "heute", "hoy", "tonight"]) || words.iter().any(|word| word.starts_with("aujourd")) {
        days.push(today);
    } else if has(&["tomorrow", "morgen", "demain", "mañana"]) {
        days.extend(today.checked_add_days(Days::new(1)));
    }
    for weekday in words.iter().filter_map(|word| weekday(word)) {
        let ahead = (7 + weekday.num_days_from_monday() - today.weekday().num_days_from_monday()) % 7;
        // Today's own name means in a week.
        let ahead = if ahead == 0 { 7 } else { ahead };
        days.extend(today.checked_add_days(Days::new(u64::from(ahead))));
    }
    days.sort();
    days.dedup();
    match days.as_slice() {
        [] => Day::None,
        [one] => Day::One(*one),
        _ => Day::Unclear,
    }
}

const MONTHS: [&str; 16] = [
    "januar", "februar", "march", "märz", "april", "june", "juni", "july", "juli", "august", "septem", "octo",
    "oktober", "novem", "decem", "dezem",
];

/// Names of the days in the languages that agents speak most, Monday first.
const WEEKDAYS: [[&str; 7]; 4] = [
    ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"],
    ["montag", "dienstag", "mittwoch", "donnerstag", "freitag", "samstag", "sonntag"],
    ["lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche"],
    ["lunes", "martes", "miércoles", "jueves", "viernes", "sábado", "domingo"],
];

fn weekday(word: &str) -> Option<Weekday> {
    let at = WEEKDAYS.iter().find_map(|names| names.iter().position(|name| *name == word))?;
    Weekday::try_from(u8::try_from(at).ok()?).ok()
}

/// `in 20 minutes`, `in two hours`, `in half an hour`.
fn in_a_while(words: &[String]) -> Option<Duration> {
    let at = words.iter().position(|word| word == "in")?;
    let rest: Vec<&str> = words[at + 1..].iter().map(String::as_str).take(3).collect();
    match rest.as_slice() {
        ["half", "an", "hour"] => Some(Duration::minutes(30)),
        ["einer", "halben", "stunde"] => Some(Duration::minutes(30)),
        [count, unit, ..] => {
            let count = number(count)?;
            match unit.trim_end_matches(['s', 'n', 'e']) {
                "minut" => Some(Duration::minutes(count)),
                "hour" | "stund" => Some(Duration::hours(count)),
                _ => None,
            }
        }
        _ => None,
    }
}

fn number(word: &str) -> Option<i64> {
    const NAMES: [&[&str]; 10] = [
        &["a", "an", "one", "einer", "eine"],
        &["two", "zwei"],
        &["three", "drei"],
        &["four", "vier"],
        &["five", "fünf"],
        &["six", "sechs"],
        &["seven", "sieben"],
        &["eight", "acht"],
        &["nine", "neun"],
        &["ten", "zehn"],
    ];
    let named = NAMES.iter().position(|names| names.contains(&word)).and_then(|at| i64::try_from(at + 1).ok());
    named.or_else(|| word.parse().ok().filter(|count| (1..=600).contains(count)))
}

#[cfg(test)]
mod tests;
