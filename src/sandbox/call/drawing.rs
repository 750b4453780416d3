//! What a call is drawn from: its campaign, its number, the rates.

use serde_json::{Map, Value};

use super::Answer;
use crate::conversation::Family;
use crate::rng::Rng;
use crate::settings::SandboxSettings;

pub(super) fn family(campaign_type: Option<&str>, prompt: &str) -> Family {
    match campaign_type.map(str::to_lowercase).as_deref() {
        Some("cs" | "customer_service" | "customer_success" | "support") => return Family::Care,
        Some("sdr" | "sales") => return Family::Sales,
        _ => {}
    }
    let prompt = prompt.to_lowercase();
    let care =
        ["reminder", "support", "satisfaction", "survey", "customer service", "existing customer", "kundendienst"];
    if care.iter().any(|word| prompt.contains(word)) { Family::Care } else { Family::Sales }
}

/// What the last four digits of the called number ask for.
pub(super) fn special_outcome(to: Option<&str>) -> Option<&'static str> {
    let to = to?;
    Some(match to.get(to.len().checked_sub(4)?..)? {
        "0001" => "busy",
        "0002" => "no_answer",
        "0003" => "voicemail",
        "0004" => "declined_call",
        "0010" => "invalid_number",
        "0011" => "dropped",
        "0013" => "answered",
        "0020" => "booked",
        "0021" => "interested",
        "0022" => "callback",
        "0023" => "declined",
        "0024" => "not_qualified",
        "0025" => "wrong_person",
        "0026" => "do_not_call",
        "0030" => "confirmed",
        "0031" => "rescheduled",
        "0032" => "solved",
        "0033" => "escalated",
        "0034" => "survey",
        _ => return None,
    })
}

pub(super) fn draw_answer(settings: &SandboxSettings, sure: bool, rng: &mut Rng) -> Answer {
    let rates = &settings.rates;
    let chances = [
        (Answer::Nobody, rates.no_answer),
        (Answer::Busy, rates.busy),
        (Answer::Declined, rates.declined),
        (Answer::Machine, rates.voicemail),
        (Answer::Unknown, rates.invalid_number),
        (Answer::Dropped, rates.dropped),
    ];
    let spent: f64 = chances.iter().map(|(_, rate)| rate.max(0.0)).sum();
    let mut all = vec![(Answer::Person, (1.0 - spent).max(0.0))];
    all.extend(chances);
    let drawn = rng.weighted(&all);
    if sure { Answer::Person } else { drawn }
}

/// How somebody takes a ring, as the last digits of their number ask for, else by the rates.
pub(crate) fn answer_of(to: &str, settings: &SandboxSettings, rng: &mut Rng) -> Answer {
    match special_outcome(Some(to)) {
        Some("busy") => Answer::Busy,
        Some("no_answer") => Answer::Nobody,
        Some("voicemail") => Answer::Machine,
        Some("declined_call") => Answer::Declined,
        Some("invalid_number") => Answer::Unknown,
        Some("dropped") => Answer::Dropped,
        Some(_) => Answer::Person,
        None => draw_answer(settings, false, rng),
    }
}

/// Reads a duration string such as `30s`.
pub(crate) fn seconds_of(value: Option<&Value>) -> Option<f64> {
    value?.as_str()?.strip_suffix('s')?.parse().ok().filter(|seconds| *seconds > 0.0)
}

/// Fills `{{customer.name}}` from the context; an unknown variable becomes empty, as with the provider.
pub(crate) fn fill_variables(text: &str, context: &Map<String, Value>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(open) = rest.find("{{") {
        let Some(close) = rest[open..].find("}}") else {
            break;
        };
        out.push_str(&rest[..open]);
        let mut path = rest[open + 2..open + close].trim().split('.');
        let mut found = path.next().and_then(|key| context.get(key));
        for key in path {
            found = found.and_then(|value| value.get(key));
        }
        match found {
            Some(Value::String(word)) => out.push_str(word),
            Some(Value::Null) | None => {}
            Some(other) => out.push_str(&other.to_string()),
        }
        rest = &rest[open + close + 2..];
    }
    out.push_str(rest);
    out
}
