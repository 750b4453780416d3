//! Reads a transcript out of a prompt and says what was said, by rules: every statement comes from a phrase that really stands there.

mod language;
mod wording;

use super::conversation::{Cue, Language, Scenario};

pub(super) use language::guess_language;
pub(super) use wording::label;

/// One line `[position] speaker (m:ss): text` of the prompt.
#[derive(Debug, Clone)]
pub(super) struct Line {
    pub position: i64,
    pub by_agent: bool,
    pub text: String,
}

/// A phrase that was heard.
#[derive(Debug, Clone)]
pub(super) struct Finding {
    pub cue: Cue,
    pub position: i64,
    /// The sentence as it stands in the transcript.
    pub quote: String,
}

#[derive(Debug, Clone)]
pub(super) struct Facts {
    pub lines: Vec<Line>,
    pub findings: Vec<Finding>,
    /// How the call ended, if a phrase tells.
    pub verdict: Option<Scenario>,
    /// What the customer answered when asked for one to five.
    pub rating: Option<i64>,
    pub language: Language,
}

/// The facts of a prompt; none when it holds no transcript.
pub(super) fn read(prompt: &str) -> Option<Facts> {
    let lines: Vec<Line> = prompt.lines().filter_map(read_line).collect();
    if lines.is_empty() {
        return None;
    }
    let findings: Vec<Finding> = lines.iter().flat_map(listen).collect();
    let rating = rating(&lines, &findings);
    let language = language_of(&lines);
    let verdict = verdict(&findings, rating);
    Some(Facts { lines, findings, verdict, rating, language })
}

fn read_line(line: &str) -> Option<Line> {
    let (position, rest) = line.trim().strip_prefix('[')?.split_once(']')?;
    let position = position.trim().parse().ok()?;
    let (speaker, text) = rest.split_once(": ").or_else(|| rest.split_once("):"))?;
    let speaker = speaker.to_lowercase();
    // Tools say nothing that a customer could have said.
    if speaker.contains("tool") || speaker.contains("system") {
        return None;
    }
    let by_agent = ["agent", "assistant", "bot", "ai "].iter().any(|word| speaker.contains(word));
    Some(Line { position, by_agent, text: text.trim().to_owned() })
}

/// Everything recognised in a line, in any language, each thing once.
fn listen(line: &Line) -> Vec<Finding> {
    let mut found: Vec<Finding> = Vec::new();
    for language in Language::ALL {
        for (cue, phrases) in language.facts().cues {
            if cue.is_agents() != line.by_agent || found.iter().any(|known| known.cue == *cue) {
                continue;
            }
            let sentence = sentences(&line.text).into_iter().find(|sentence| {
                let lower = sentence.to_lowercase();
                phrases.iter().any(|phrase| lower.contains(phrase))
            });
            if let Some(sentence) = sentence {
                found.push(Finding { cue: *cue, position: line.position, quote: sentence.to_owned() });
            }
        }
    }
    found
}

/// Cuts at the ends of sentences; every piece stands in the text as it is.
fn sentences(text: &str) -> Vec<&str> {
    let mut out = Vec::new();
    let mut from = 0;
    for (at, mark) in text.char_indices() {
        if matches!(mark, '.' | '?' | '!' | '।') {
            let end = at + mark.len_utf8();
            // A dot inside an address or a time ends nothing.
            if text[end..].chars().next().is_none_or(char::is_whitespace) {
                out.push(text[from..end].trim());
                from = end;
            }
        }
    }
    out.push(text[from..].trim());
    out.retain(|sentence| !sentence.is_empty());
    out
}

fn rating(lines: &[Line], findings: &[Finding]) -> Option<i64> {
    let asked = findings.iter().find(|finding| finding.cue == Cue::Rating)?;
    let answer = lines.iter().find(|line| !line.by_agent && line.position > asked.position)?;
    answer
        .text
        .split(|c: char| !c.is_ascii_digit())
        .find_map(|digits| digits.parse().ok())
        .filter(|rating| (1..=5).contains(rating))
}

fn verdict(findings: &[Finding], rating: Option<i64>) -> Option<Scenario> {
    // The stronger statement first: who books a meeting after an objection has booked a meeting.
    const ORDER: [(Cue, Scenario); 12] = [
        (Cue::Voicemail, Scenario::Voicemail),
        (Cue::WrongPerson, Scenario::WrongPerson),
        (Cue::DoNotCall, Scenario::DoNotCall),
        (Cue::Booked, Scenario::Booked),
        (Cue::Rescheduled, Scenario::Rescheduled),
        (Cue::Escalated, Scenario::Escalated),
        (Cue::Confirmed, Scenario::Confirmed),
        (Cue::Solved, Scenario::Solved),
        (Cue::Callback, Scenario::Callback),
        (Cue::NotQualified, Scenario::NotQualified),
        (Cue::Declined, Scenario::Declined),
        (Cue::Interested, Scenario::Interested),
    ];
    let heard = |cue: Cue| findings.iter().any(|finding| finding.cue == cue);
    let told = ORDER.iter().find(|(cue, _)| heard(*cue)).map(|(_, scenario)| *scenario);
    told.or_else(|| (heard(Cue::Survey) || rating.is_some()).then_some(Scenario::Survey))
}

fn language_of(lines: &[Line]) -> Language {
    let text: String = lines.iter().map(|line| line.text.as_str()).collect::<Vec<_>>().join(" ");
    guess_language(&text)
}

impl Facts {
    pub fn is(&self, scenarios: &[Scenario]) -> bool {
        self.verdict.is_some_and(|verdict| scenarios.contains(&verdict))
    }

    pub fn heard(&self, cue: Cue) -> Option<&Finding> {
        self.findings.iter().find(|finding| finding.cue == cue)
    }

    /// Reasons against buying; only a sales call has them.
    pub fn objections(&self) -> Vec<&Finding> {
        let care = self.is(&[
            Scenario::Confirmed,
            Scenario::Rescheduled,
            Scenario::Solved,
            Scenario::Escalated,
            Scenario::Survey,
            Scenario::Voicemail,
        ]);
        let mut kinds: Vec<&Finding> = Vec::new();
        for finding in self.findings.iter().filter(|finding| finding.cue.is_objection() && !care) {
            if !kinds.iter().any(|known| known.cue == finding.cue) {
                kinds.push(finding);
            }
        }
        kinds
    }

    /// What the customer complained about, if this was about a problem.
    pub fn issues(&self) -> Vec<Finding> {
        if !self.is(&[Scenario::Solved, Scenario::Escalated]) {
            return Vec::new();
        }
        let said = self.lines.iter().filter(|line| !line.by_agent).skip(1).find(|line| line.text.chars().count() > 25);
        said.map(|line| Finding { cue: Cue::NotSolved, position: line.position, quote: line.text.clone() })
            .into_iter()
            .collect()
    }

    /// The phrases worth showing, the deciding one first.
    pub fn evidence(&self) -> Vec<&Finding> {
        let mut out: Vec<&Finding> = Vec::new();
        let shown = self.findings.iter().filter(|finding| !matches!(finding.cue, Cue::Rating | Cue::Survey));
        for finding in shown {
            let objection_of_care = finding.cue.is_objection() && self.objections().is_empty();
            if !objection_of_care && !out.iter().any(|known| known.cue == finding.cue) {
                out.push(finding);
            }
        }
        let decides = |finding: &Finding| {
            self.verdict.is_some_and(|verdict| format!("{verdict:?}") == format!("{:?}", finding.cue))
        };
        out.sort_by_key(|finding| !decides(finding));
        out.truncate(5);
        out
    }

    /// 1 (upset) to 5 (delighted): the customer's own figure, else read from the words.
    pub fn satisfaction(&self) -> i64 {
        if let Some(rating) = self.rating {
            return rating;
        }
        let glad = self.heard(Cue::Happy).is_some();
        let upset = self.heard(Cue::Angry).is_some();
        match (glad, upset, self.verdict) {
            (_, true, Some(Scenario::Escalated)) | (_, _, Some(Scenario::DoNotCall)) => 1,
            (_, true, _) | (_, _, Some(Scenario::Escalated)) => 2,
            (true, ..) => 5,
            (
                _,
                _,
                Some(
                    Scenario::Booked
                    | Scenario::Confirmed
                    | Scenario::Rescheduled
                    | Scenario::Solved
                    | Scenario::Interested,
                ),
            ) => 4,
            _ => 3,
        }
    }

    pub fn sentiment(&self) -> &'static str {
        let upset = self.heard(Cue::Angry).is_some();
        match self.satisfaction() {
            4.. if upset => "mixed",
            4.. => "positive",
            3 => "neutral",
            _ => "negative",
        }
    }

    /// Whether the call did what its agent was there for.
    pub fn goal_reached(&self) -> bool {
        self.is(&[Scenario::Booked, Scenario::Confirmed, Scenario::Rescheduled, Scenario::Solved, Scenario::Survey])
    }
}
