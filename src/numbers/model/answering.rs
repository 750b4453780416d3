//! Who answers when a number is called: hours, who else outside them, and what a caller hears when nobody can.

use chrono::{Duration, NaiveDateTime, NaiveTime};
use serde::{Deserialize, Serialize};

use patchbay_shared::FieldErrors;
use patchbay_shared::ids::AgentId;
use patchbay_shared::window::{CallingWindow, clock};

/// The longest sentence that a caller hears, in characters.
const LONGEST_WORDS: usize = 500;
/// What a caller hears outside the hours when nobody has written anything else.
pub const CLOSED: &str =
    "Thank you for calling. We are closed at the moment. Please call again during our opening hours.";
/// What a caller hears when nobody can answer and nobody has written anything else.
pub const UNAVAILABLE: &str = "We are sorry, we cannot take your call at the moment. Please try again later.";

/// The hours of a week in which a number is answered, in a zone of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnswerHours {
    /// An IANA name.
    pub zone: String,
    #[serde(flatten)]
    pub window: CallingWindow,
}

impl AnswerHours {
    /// Whether this local time is inside. Hours that end before they begin go on past midnight: the day is the one they began on.
    pub fn is_open(&self, local: NaiveDateTime) -> bool {
        let CallingWindow { start, end, .. } = self.window;
        if end == NaiveTime::MIN || start < end {
            return self.window.is_open(local);
        }
        let until_midnight = CallingWindow { end: NaiveTime::MIN, ..self.window.clone() };
        let from_midnight = CallingWindow { start: NaiveTime::MIN, ..self.window.clone() };
        let day_before = local - Duration::days(1);
        until_midnight.is_open(local) || (local.time() < end && from_midnight.is_open(day_before))
    }

    /// `Mon–Fri, 09:00–18:00 (Europe/Zurich)`.
    pub fn text(&self) -> String {
        format!("{} ({})", self.window.text(), self.zone.replace('_', " "))
    }
}

/// How a number is answered, beside its agent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answering {
    /// None: at all hours.
    pub hours: Option<AnswerHours>,
    /// None: outside the hours the caller hears a sentence.
    pub after_hours_agent_id: Option<AgentId>,
    pub after_hours_words: Option<String>,
    pub fallback_words: Option<String>,
}

/// The hours as posted.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct HoursForm {
    /// `hours`: at these hours only; else always.
    pub when: String,
    pub zone: String,
    pub start: String,
    pub end: String,
    pub mon: Option<String>,
    pub tue: Option<String>,
    pub wed: Option<String>,
    pub thu: Option<String>,
    pub fri: Option<String>,
    pub sat: Option<String>,
    pub sun: Option<String>,
}

impl HoursForm {
    fn days(&self) -> Vec<u8> {
        let ticked = [&self.mon, &self.tue, &self.wed, &self.thu, &self.fri, &self.sat, &self.sun];
        (1..).zip(ticked).filter(|(_, tick)| tick.is_some()).map(|(day, _)| day).collect()
    }

    /// None: at all hours.
    pub(super) fn check(&self, errors: &mut FieldErrors) -> Option<AnswerHours> {
        if self.when != "hours" {
            return None;
        }
        let mut time = |field: &str, text: &str| {
            clock(text).unwrap_or_else(|| {
                errors.add(field, "Enter a time like 09:00.");
                NaiveTime::MIN
            })
        };
        let (start, end) = (time("start", &self.start), time("end", &self.end));
        if start == end && start != NaiveTime::MIN && errors.at("end").is_none() {
            errors.add("end", "The hours end when they begin. Choose another time, or “At all hours”.");
        }
        let days = self.days();
        if days.is_empty() {
            errors.add("mon", "Tick at least one day.");
        }
        Some(AnswerHours { zone: self.zone.clone(), window: CallingWindow { start, end, days } })
    }
}

/// A sentence for callers. None: nothing was written.
pub(super) fn sentence(field: &str, text: &str, errors: &mut FieldErrors) -> Option<String> {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if text.chars().count() > LONGEST_WORDS {
        errors.add(field, format!("At most {LONGEST_WORDS} characters."));
    }
    (!text.is_empty()).then_some(text)
}
