//! Which option of a list of words.

use serde_json::Value;

use super::{figure, has, normal, truth};
use crate::analysis::{Facts, Finding, label};
use crate::conversation::{Cue, Scenario};

/// The option that fits best; the first one when none does.
pub(crate) fn choose(
    options: &[Value],
    name: &str,
    facts: Option<&Facts>,
    finding: Option<&Finding>,
    subject: &str,
) -> Value {
    let candidates = facts.map_or_else(Vec::new, |facts| candidates(name, facts, finding));
    let texts: Vec<(String, &Value)> =
        options.iter().filter_map(|option| Some((normal(option.as_str()?), option))).collect();
    for candidate in &candidates {
        let candidate = normal(candidate);
        if let Some((_, option)) = texts.iter().find(|(text, _)| *text == candidate) {
            return (*option).clone();
        }
    }
    for candidate in &candidates {
        let candidate = normal(candidate);
        let near = |text: &str| {
            text.contains(&candidate) && !text.starts_with("not") && !text.starts_with("un") && !text.starts_with("dis")
        };
        if let Some((_, option)) = texts.iter().find(|(text, _)| near(text)) {
            return (*option).clone();
        }
    }
    if facts.is_none() {
        let subject = normal(subject);
        if let Some((_, option)) = texts.iter().find(|(text, _)| text.len() > 3 && subject.contains(text)) {
            return (*option).clone();
        }
    }
    // Figures as options: the nearest one.
    let wanted = figure(name, facts, finding, None, None);
    let nearest = options.iter().filter_map(|option| Some((option.as_f64()?, option))).min_by(|a, b| {
        let distance = |value: f64| (value - wanted.unwrap_or(0.0)).abs();
        distance(a.0).total_cmp(&distance(b.0))
    });
    if let Some((_, option)) = nearest {
        return option.clone();
    }
    let fallback = ["unknown", "unclear", "none", "other", "neutral", "na"];
    let vague = texts
        .iter()
        .find(|(text, _)| facts.is_some() && fallback.contains(&text.as_str()))
        .map(|(_, option)| (*option).clone());
    vague.or_else(|| options.iter().find(|option| option.is_null()).cloned()).unwrap_or_else(|| options[0].clone())
}

/// Words for the same thing, the best first.
fn candidates(name: &str, facts: &Facts, finding: Option<&Finding>) -> Vec<&'static str> {
    if let Some(finding) = finding {
        return match finding.cue {
            Cue::Price => vec!["price", "pricing", "budget", "cost"],
            Cue::Busy => vec!["time", "timing", "busy", "no_time"],
            Cue::Vendor => vec!["competitor", "existing_vendor", "vendor", "supplier", "has_supplier"],
            Cue::Trust => vec!["trust", "other"],
            cue if has(name, &["speaker", "role"]) => {
                if cue.is_agents() {
                    vec!["agent", "assistant"]
                } else {
                    vec!["user", "customer", "caller"]
                }
            }
            _ => vec![label(finding.cue)],
        };
    }
    if has(name, &["sentiment", "mood", "tone"]) {
        return match facts.sentiment() {
            "positive" => vec!["positive", "good", "happy"],
            "negative" => vec!["negative", "bad", "unhappy"],
            "mixed" => vec!["mixed", "neutral"],
            _ => vec!["neutral", "mixed"],
        };
    }
    if has(name, &["satisf", "csat"]) {
        return match facts.satisfaction() {
            5 => vec!["very_satisfied", "satisfied", "high", "5"],
            4 => vec!["satisfied", "high", "4"],
            3 => vec!["neutral", "medium", "unknown", "3"],
            2 => vec!["dissatisfied", "unsatisfied", "low", "2"],
            _ => vec!["very_dissatisfied", "dissatisfied", "unsatisfied", "low", "1"],
        };
    }
    if has(name, &["language"]) {
        return vec![facts.language.code()];
    }
    if let Some(truth) = truth(name, Some(facts), None).filter(|_| !has(name, &["outcome", "result", "disposition"])) {
        return if truth {
            vec!["yes", "true", "reached", "qualified", "high", "booked", "resolved"]
        } else {
            vec!["no", "false", "none", "missed", "not_reached", "not_qualified", "unqualified", "low", "unresolved"]
        };
    }
    match facts.verdict {
        Some(Scenario::Booked) => vec![
            "booked",
            "meeting_booked",
            "goal_reached",
            "success",
            "qualified",
            "converted",
            "completed",
            "positive",
        ],
        Some(Scenario::Interested) => {
            vec!["interested", "information_sent", "send_info", "follow_up", "partial", "qualified", "completed"]
        }
        Some(Scenario::Callback) => {
            vec!["callback", "callback_requested", "call_back", "call_back_later", "follow_up", "partial"]
        }
        Some(Scenario::Declined) => {
            vec!["declined", "not_interested", "rejected", "refused", "failure", "negative", "completed"]
        }
        Some(Scenario::NotQualified) => {
            vec!["not_qualified", "disqualified", "unqualified", "not_interested", "declined", "completed"]
        }
        Some(Scenario::WrongPerson) => vec!["wrong_person", "wrong_number", "not_reached", "failure", "other"],
        Some(Scenario::DoNotCall) => vec!["do_not_call", "opt_out", "dnc", "not_interested", "declined", "failure"],
        Some(Scenario::Confirmed) => {
            vec!["confirmed", "appointment_confirmed", "goal_reached", "resolved", "success", "completed"]
        }
        Some(Scenario::Rescheduled) => {
            vec!["rescheduled", "appointment_moved", "goal_reached", "resolved", "success", "completed"]
        }
        Some(Scenario::Solved) => vec!["solved", "resolved", "goal_reached", "success", "completed"],
        Some(Scenario::Escalated) => vec!["escalated", "unresolved", "not_resolved", "partial", "failure"],
        Some(Scenario::Survey) => {
            vec!["survey", "survey_completed", "feedback", "goal_reached", "success", "completed"]
        }
        Some(Scenario::Voicemail) => vec!["voicemail", "left_voicemail", "no_answer", "not_reached", "other"],
        None => vec!["unclear", "unknown", "other", "neutral", "no_outcome"],
    }
}
