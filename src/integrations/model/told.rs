//! Which events a system is told, as its form says.

use serde_json::Value;

use patchbay_shared::FieldErrors;
use patchbay_webhooks::model::EventType;

/// Results of calls that can be chosen, as `data.outcome` has them, and what people read.
pub const OUTCOMES: [(&str, &str); 7] = [
    ("answered", "Answered"),
    ("no_answer", "No answer"),
    ("voicemail", "Voicemail"),
    ("busy", "Busy"),
    ("declined", "Declined"),
    ("callback_scheduled", "Callback"),
    ("failed", "Failed"),
];

/// The chosen events, each once. What is not offered is said at the field `events`.
pub(crate) fn events(chosen: &[String], offered: &[EventType], errors: &mut FieldErrors) -> Vec<EventType> {
    let mut events = Vec::new();
    for word in chosen.iter().filter(|word| !word.is_empty()) {
        match word.parse::<EventType>() {
            Ok(kind) if offered.contains(&kind) => {
                if !events.contains(&kind) {
                    events.push(kind);
                }
            }
            _ => errors.add("events", "Choose events of the list."),
        }
    }
    events
}

/// The chosen results of calls, each once.
pub(crate) fn outcomes(chosen: &[String], errors: &mut FieldErrors) -> Vec<String> {
    let mut outcomes: Vec<String> = Vec::new();
    for word in chosen.iter().filter(|word| !word.is_empty()) {
        if !OUTCOMES.iter().any(|(known, _)| known == word) {
            errors.add("outcomes", "Choose results of the list.");
        } else if !outcomes.contains(word) {
            outcomes.push(word.clone());
        }
    }
    outcomes
}

/// Whether an event is told, by what was chosen. Results matter for calls only.
pub fn is_told(kind: EventType, data: &Value, events: &[EventType], outcomes: &[String]) -> bool {
    let is_call = matches!(kind, EventType::CallCompleted | EventType::CallFailed | EventType::AnalysisCompleted);
    let fits = || data["outcome"].as_str().is_some_and(|outcome| outcomes.iter().any(|one| one == outcome));
    events.contains(&kind) && (!is_call || outcomes.is_empty() || fits())
}
