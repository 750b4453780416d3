use serde::{Deserialize, Serialize};

use super::Sentiment;
use crate::model::CampaignType;

/// What a model read in a transcript, by the kind of campaign. Calls without a campaign are read as customer service.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Analysis {
    Sdr(SdrAnalysis),
    Cs(CsAnalysis),
}

/// A sales call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SdrAnalysis {
    #[serde(flatten)]
    pub reading: Reading,
    pub meetings_booked: u32,
    /// When, in the words that were used.
    #[serde(default)]
    pub meeting_time: Option<String>,
    pub qualified_lead: bool,
    pub qualification_reason: String,
    pub objections: Vec<String>,
}

/// A service call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CsAnalysis {
    #[serde(flatten)]
    pub reading: Reading,
    pub issues_resolved: Vec<String>,
    pub escalation: bool,
    #[serde(default)]
    pub escalation_reason: Option<String>,
    /// 1 (upset) to 5 (delighted); none when nothing was said about it.
    #[serde(default)]
    pub satisfaction: Option<u8>,
}

/// What every call is read for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reading {
    pub summary: String,
    /// Neutral, too, when the model has a word of its own for it.
    pub sentiment: Sentiment,
    pub topics: Vec<String>,
    pub follow_ups: Vec<String>,
    pub goal_reached: bool,
    pub goal_reason: String,
    /// Answered, too, when the model has a word of its own for it: somebody spoke.
    pub outcome: HeardOutcome,
    /// The agreed moment: ISO 8601 when it could be worked out, else the words that were used.
    #[serde(default)]
    pub callback_at: Option<String>,
    /// The words in which its time was said, as they stand in one message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub callback_words: Option<String>,
    pub evidence: Vec<Evidence>,
}

/// A statement and the words it rests on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    pub claim: String,
    /// As it was said.
    pub quote: String,
    /// The message it stands in.
    pub position: i32,
}

/// How the call went, as far as a transcript can tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HeardOutcome {
    Answered,
    Voicemail,
    Declined,
    CallbackScheduled,
}

impl Analysis {
    pub fn kind(&self) -> CampaignType {
        match self {
            Self::Sdr(_) => CampaignType::Sdr,
            Self::Cs(_) => CampaignType::Cs,
        }
    }

    pub fn reading(&self) -> &Reading {
        match self {
            Self::Sdr(sdr) => &sdr.reading,
            Self::Cs(cs) => &cs.reading,
        }
    }

    fn reading_mut(&mut self) -> &mut Reading {
        match self {
            Self::Sdr(sdr) => &mut sdr.reading,
            Self::Cs(cs) => &mut cs.reading,
        }
    }

    /// Puts figures and texts inside their limits and drops every piece of evidence whose quote was not said in the message it
    /// names. `spoken` holds position and text of what people and agent said.
    pub fn checked(mut self, spoken: &[(i32, &str)]) -> Self {
        let reading = self.reading_mut();
        reading.evidence.retain(|line| {
            let quote = normal(&line.quote);
            let said = spoken.iter().find(|(position, _)| *position == line.position).map(|(_, text)| normal(text));
            !quote.is_empty() && said.is_some_and(|said| said.contains(&quote))
        });
        reading.evidence.truncate(12);
        reading.callback_at = reading.callback_at.take().filter(|text| !text.trim().is_empty());
        reading.callback_words = reading.callback_words.take().filter(|words| {
            let words = normal(words);
            !words.is_empty() && spoken.iter().any(|(_, text)| normal(text).contains(&words))
        });
        for list in [&mut reading.topics, &mut reading.follow_ups] {
            tidy(list);
        }
        match &mut self {
            Self::Sdr(sdr) => tidy(&mut sdr.objections),
            Self::Cs(cs) => {
                tidy(&mut cs.issues_resolved);
                cs.satisfaction = cs.satisfaction.filter(|grade| (1..=5).contains(grade));
                if !cs.escalation {
                    cs.escalation_reason = None;
                }
            }
        }
        self
    }
}

fn tidy(list: &mut Vec<String>) {
    list.retain(|text| !text.trim().is_empty());
    list.truncate(20);
}

/// Lower case, letters and digits kept, everything between them one space: a model may mend a comma, not a word.
fn normal(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for word in text.split(|c: char| {
        c.is_whitespace() || c.is_ascii_punctuation() || matches!(c, '“' | '”' | '‘' | '’' | '…' | '–' | '—')
    }) {
        if !word.is_empty() {
            if !out.is_empty() {
                out.push(' ');
            }
            out.extend(word.chars().flat_map(char::to_lowercase));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(evidence: Vec<Evidence>) -> Reading {
        Reading {
            summary: "s".into(),
            sentiment: Sentiment::Neutral,
            topics: vec![" ".into(), "price".into()],
            follow_ups: Vec::new(),
            goal_reached: false,
            goal_reason: String::new(),
            outcome: HeardOutcome::Answered,
            callback_at: None,
            callback_words: None,
            evidence,
        }
    }

    #[test]
    fn evidence_must_have_been_said_there() {
        let line = |quote: &str, position| Evidence { claim: "c".into(), quote: quote.into(), position };
        let evidence =
            vec![line("this is  NOT acceptable!", 3), line("not acceptable", 4), line("never said", 3), line("", 3)];
        let cs = CsAnalysis {
            reading: reading(evidence),
            issues_resolved: Vec::new(),
            escalation: false,
            escalation_reason: Some("x".into()),
            satisfaction: Some(9),
        };
        let Analysis::Cs(checked) = Analysis::Cs(cs).checked(&[(3, "Hm. This is not acceptable."), (4, "Fine.")])
        else {
            panic!()
        };
        assert_eq!(checked.reading.evidence.len(), 1);
        assert_eq!(checked.reading.topics, ["price"]);
        assert_eq!((checked.satisfaction, checked.escalation_reason), (None, None));
    }

    #[test]
    fn an_answer_is_read_and_a_stored_analysis_comes_back() {
        let answer = r#"{"summary":"s","sentiment":"positive","topics":["price"],"follow_ups":[],"goal_reached":true,"goal_reason":"r",
            "outcome":"callback_scheduled","callback_at":null,"evidence":[{"claim":"c","quote":"q","position":2}],
            "meetings_booked":1,"meeting_time":null,"qualified_lead":true,"qualification_reason":"r","objections":[]}"#;
        let analysis = Analysis::Sdr(serde_json::from_str(answer).unwrap());
        let stored = serde_json::to_value(&analysis).unwrap();
        assert_eq!(stored["type"], "sdr");
        assert_eq!(serde_json::from_value::<Analysis>(stored).unwrap(), analysis);
        assert!(serde_json::from_str::<CsAnalysis>(answer).is_err());
    }
}
