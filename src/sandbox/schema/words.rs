//! What a name in a schema asks for.

mod choice;

pub(super) use choice::choose;

use crate::analysis::{Facts, Finding, label};
use crate::conversation::{Cue, Scenario};

/// `qualifiedLead`, `qualified_lead` and `Qualified lead` are the same name.
pub(super) fn normal(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

fn has(name: &str, words: &[&str]) -> bool {
    words.iter().any(|word| name.contains(word))
}

/// Yes or no; none when no rule knows the name.
pub(super) fn truth(name: &str, facts: Option<&Facts>, finding: Option<&Finding>) -> Option<bool> {
    let facts = facts?;
    if finding.is_some() && has(name, &["handled", "overcome", "addressed", "resolved"]) {
        return Some(facts.is(&[Scenario::Booked, Scenario::Interested, Scenario::Callback, Scenario::Solved]));
    }
    Some(match () {
        () if has(name, &["disqualified", "unqualified"]) => facts.is(&[Scenario::NotQualified, Scenario::WrongPerson]),
        () if has(name, &["qualified", "islead"]) => facts.is(&[Scenario::Booked, Scenario::Interested]),
        () if has(name, &["meeting", "booked", "demo"]) => facts.is(&[Scenario::Booked]),
        () if has(name, &["reschedul"]) => facts.is(&[Scenario::Rescheduled]),
        () if has(name, &["confirm"]) => facts.is(&[Scenario::Confirmed]),
        () if has(name, &["escalat"]) => facts.is(&[Scenario::Escalated]),
        () if has(name, &["unresolved"]) => facts.is(&[Scenario::Escalated]),
        () if has(name, &["resolved", "solved"]) => facts.is(&[Scenario::Solved, Scenario::Rescheduled]),
        () if has(name, &["voicemail", "machine"]) => facts.is(&[Scenario::Voicemail]),
        () if has(name, &["donotcall", "dnc", "optout", "unsubscribe"]) => facts.is(&[Scenario::DoNotCall]),
        () if has(name, &["wrong"]) => facts.is(&[Scenario::WrongPerson]),
        () if has(name, &["callback"]) => facts.is(&[Scenario::Callback]),
        () if has(name, &["followup", "nextstep"]) => !facts.follow_ups().is_empty(),
        () if has(name, &["interest"]) => facts.is(&[Scenario::Booked, Scenario::Interested, Scenario::Callback]),
        () if has(name, &["objection"]) => !facts.objections().is_empty(),
        () if has(name, &["satisf", "happy"]) => facts.satisfaction() >= 4,
        () if has(name, &["goal", "success", "achieved", "reached"]) => facts.goal_reached(),
        () => return None,
    })
}

/// A figure, already on the scale between the limits where it is a grade.
pub(super) fn figure(
    name: &str,
    facts: Option<&Facts>,
    finding: Option<&Finding>,
    low: Option<f64>,
    high: Option<f64>,
) -> Option<f64> {
    let facts = facts?;
    let scaled = |share: f64, usual: [f64; 2]| {
        let (low, high) = (low.unwrap_or(usual[0].min(high.unwrap_or(usual[0]))), high.unwrap_or(usual[1]));
        low + (high - low) * share
    };
    let grade = (facts.satisfaction() - 1) as f64 / 4.0;
    if let Some(finding) = finding.filter(|_| has(name, &["position", "index", "message", "line", "turn", "id"])) {
        return Some(finding.position as f64);
    }
    let counted = |yes: bool| if yes { 1.0 } else { 0.0 };
    Some(match () {
        () if has(name, &["confidence", "probab", "certain"]) => {
            scaled(if facts.verdict.is_some() { 0.88 } else { 0.4 }, [0.0, 1.0])
        }
        () if has(name, &["sentiment"]) => scaled(grade, [-1.0, 1.0]),
        () if has(name, &["satisf", "csat", "rating", "nps"]) => scaled(grade, [1.0, 5.0]),
        () if has(name, &["score", "quality", "grade"]) => scaled(grade, [0.0, 100.0]),
        () if has(name, &["objection"]) => facts.objections().len() as f64,
        () if has(name, &["followup", "nextstep"]) => facts.follow_ups().len() as f64,
        () if has(name, &["evidence", "quote"]) => facts.evidence().len() as f64,
        () => counted(truth(name, Some(facts), finding)?),
    })
}

/// A text; none when no rule knows the name and the prompt had a transcript.
pub(super) fn text(name: &str, facts: Option<&Facts>, finding: Option<&Finding>, subject: &str) -> Option<String> {
    let Some(facts) = facts else {
        let first: String = subject
            .split(['\n', '.'])
            .map(str::trim)
            .find(|part| !part.is_empty())
            .unwrap_or("")
            .chars()
            .take(160)
            .collect();
        return (!first.is_empty()).then_some(first);
    };
    if let Some(finding) = finding {
        return Some(match () {
            () if has(name, &["quote", "excerpt", "text", "utterance"]) => finding.quote.clone(),
            () if has(name, &["speaker", "role", "who"]) => {
                if finding.cue.is_agents() { "agent" } else { "user" }.to_owned()
            }
            () if has(name, &["position", "index"]) => finding.position.to_string(),
            () if has(name, &["response", "answer", "handling"]) => {
                facts.lines.iter().find(|line| line.by_agent && line.position > finding.position)?.text.clone()
            }
            () if has(name, &["detail", "description", "issue", "problem"]) => finding.quote.clone(),
            () => label(finding.cue).to_owned(),
        });
    }
    let first_words = |finding: Option<&Finding>| finding.map(|finding| finding.quote.clone());
    match () {
        () if has(name, &["summary", "synopsis", "overview", "recap"]) => Some(facts.summary()),
        () if has(name, &["title", "headline", "subject"]) => facts.summary().split('.').next().map(str::to_owned),
        () if has(name, &["sentiment", "mood", "tone"]) => Some(facts.sentiment().to_owned()),
        () if has(name, &["outcome", "result", "disposition", "status"]) => {
            Some(facts.verdict.map_or("unclear", Scenario::name).to_owned())
        }
        () if has(name, &["language"]) => Some(facts.language.code().to_owned()),
        () if has(name, &["reason", "why", "rationale", "explanation", "justification"]) => {
            if has(name, &["escalat"]) && !facts.is(&[Scenario::Escalated]) {
                return None;
            }
            let quote = facts.evidence().first().map(|finding| format!(" \"{}\"", finding.quote)).unwrap_or_default();
            let end = facts.summary();
            Some(format!("{}.{quote}", end.split('.').next().unwrap_or("")))
        }
        () if has(name, &["followup", "nextstep", "action"]) => facts.follow_ups().first().map(|&text| text.to_owned()),
        () if has(name, &["objection"]) => first_words(facts.objections().first().copied()),
        () if has(name, &["issue", "problem"]) => facts.issues().first().map(|finding| finding.quote.clone()),
        () if has(name, &["quote", "evidence"]) => first_words(facts.evidence().first().copied()),
        () if has(name, &["callback"]) => first_words(facts.heard(Cue::Callback)),
        () if has(name, &["meeting", "appointment"]) => {
            first_words(facts.heard(Cue::Booked).or_else(|| facts.heard(Cue::Rescheduled)))
        }
        () if has(name, &["escalat"]) => first_words(facts.heard(Cue::Escalated)),
        () if has(name, &["topic", "category"]) => facts.topics().first().map(|&topic| topic.to_owned()),
        () => None,
    }
}

/// A list of plain texts by its name.
pub(super) fn list_of_texts(name: &str, facts: &Facts) -> Vec<String> {
    let owned = |texts: Vec<&str>| texts.into_iter().map(str::to_owned).collect();
    match () {
        () if has(name, &["topic", "tag", "keyword", "theme"]) => owned(facts.topics()),
        () if has(name, &["followup", "nextstep", "action", "todo", "task"]) => owned(facts.follow_ups()),
        () if has(name, &["objection"]) => {
            facts.objections().iter().map(|finding| label(finding.cue).to_owned()).collect()
        }
        () => list_of_findings(name, facts).into_iter().map(|finding| finding.quote).collect(),
    }
}

/// A list of things that were heard by its name.
pub(super) fn list_of_findings(name: &str, facts: &Facts) -> Vec<Finding> {
    let heard =
        |cues: &[Cue]| facts.findings.iter().filter(|finding| cues.contains(&finding.cue)).take(1).cloned().collect();
    match () {
        () if has(name, &["objection"]) => facts.objections().into_iter().cloned().collect(),
        () if has(name, &["evidence", "quote", "citation", "highlight", "moment"]) => {
            facts.evidence().into_iter().cloned().collect()
        }
        () if has(name, &["unresolved"]) => {
            if facts.is(&[Scenario::Escalated]) {
                facts.issues()
            } else {
                Vec::new()
            }
        }
        () if has(name, &["resolved", "solved"]) => {
            if facts.is(&[Scenario::Solved]) {
                facts.issues()
            } else {
                Vec::new()
            }
        }
        () if has(name, &["issue", "problem", "complaint"]) => facts.issues(),
        () if has(name, &["meeting", "appointment"]) => heard(&[Cue::Booked]),
        () if has(name, &["escalat"]) => heard(&[Cue::Escalated]),
        () => Vec::new(),
    }
}
