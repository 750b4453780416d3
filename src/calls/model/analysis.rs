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
    #[serde(deserialize_with = "answer::count")]
    pub meetings_booked: u32,
    /// When, in the words that were used.
    #[serde(default, deserialize_with = "answer::some_text")]
    pub meeting_time: Option<String>,
    #[serde(deserialize_with = "answer::yes")]
    pub qualified_lead: bool,
    #[serde(deserialize_with = "answer::text")]
    pub qualification_reason: String,
    #[serde(deserialize_with = "answer::texts")]
    pub objections: Vec<String>,
}

/// A service call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CsAnalysis {
    #[serde(flatten)]
    pub reading: Reading,
    #[serde(deserialize_with = "answer::texts")]
    pub issues_resolved: Vec<String>,
    #[serde(deserialize_with = "answer::yes")]
    pub escalation: bool,
    #[serde(default, deserialize_with = "answer::some_text")]
    pub escalation_reason: Option<String>,
    /// 1 (upset) to 5 (delighted); none when nothing was said about it.
    #[serde(default, deserialize_with = "answer::grade")]
    pub satisfaction: Option<u8>,
}

/// What every call is read for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reading {
    pub summary: String,
    /// Neutral, too, when the model has a word of its own for it.
    #[serde(deserialize_with = "answer::sentiment")]
    pub sentiment: Sentiment,
    #[serde(deserialize_with = "answer::texts")]
    pub topics: Vec<String>,
    #[serde(deserialize_with = "answer::texts")]
    pub follow_ups: Vec<String>,
    #[serde(deserialize_with = "answer::yes")]
    pub goal_reached: bool,
    #[serde(deserialize_with = "answer::text")]
    pub goal_reason: String,
    /// Answered, too, when the model has a word of its own for it: somebody spoke.
    #[serde(deserialize_with = "answer::outcome")]
    pub outcome: HeardOutcome,
    /// The agreed moment: ISO 8601 when it could be worked out, else the words that were used.
    #[serde(default, deserialize_with = "answer::some_text")]
    pub callback_at: Option<String>,
    /// The words in which its time was said, as they stand in one message.
    #[serde(default, deserialize_with = "answer::some_text", skip_serializing_if = "Option::is_none")]
    pub callback_words: Option<String>,
    #[serde(deserialize_with = "answer::evidence")]
    pub evidence: Vec<Evidence>,
}

/// A statement and the words it rests on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    pub claim: String,
    /// As it was said.
    pub quote: String,
    /// The message it stands in.
    #[serde(deserialize_with = "answer::position")]
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

/// Fields as models fill them in: not each host holds a model to the schema, and a number as text or a null for an empty list is no reason
/// to pay for another answer. What has to be there has to be there all the same.
mod answer {
    use serde::{Deserialize, Deserializer};
    use serde_json::Value;

    use super::{Evidence, HeardOutcome, Sentiment};

    fn word<'de, D: Deserializer<'de>>(d: D) -> Result<String, D::Error> {
        Ok(plain(Value::deserialize(d)?).unwrap_or_default().trim().to_ascii_lowercase().replace([' ', '-'], "_"))
    }

    fn plain(value: Value) -> Option<String> {
        match value {
            Value::String(text) => Some(text),
            Value::Number(number) => Some(number.to_string()),
            Value::Bool(yes) => Some(yes.to_string()),
            _ => None,
        }
    }

    fn number<'de, D: Deserializer<'de>>(d: D) -> Result<Option<f64>, D::Error> {
        Ok(plain(Value::deserialize(d)?).and_then(|text| text.trim().parse().ok()))
    }

    pub fn text<'de, D: Deserializer<'de>>(d: D) -> Result<String, D::Error> {
        Ok(some_text(d)?.unwrap_or_default())
    }

    pub fn some_text<'de, D: Deserializer<'de>>(d: D) -> Result<Option<String>, D::Error> {
        Ok(plain(Value::deserialize(d)?))
    }

    /// A text alone is a list of one.
    pub fn texts<'de, D: Deserializer<'de>>(d: D) -> Result<Vec<String>, D::Error> {
        Ok(match Value::deserialize(d)? {
            Value::Array(items) => items.into_iter().filter_map(plain).collect(),
            other => plain(other).into_iter().collect(),
        })
    }

    pub fn yes<'de, D: Deserializer<'de>>(d: D) -> Result<bool, D::Error> {
        match word(d)?.as_str() {
            "true" | "yes" | "1" => Ok(true),
            "false" | "no" | "0" | "" => Ok(false),
            other => Err(serde::de::Error::custom(format!("{other:?} is neither true nor false"))),
        }
    }

    /// Inside what a call can hold.
    pub fn count<'de, D: Deserializer<'de>>(d: D) -> Result<u32, D::Error> {
        Ok(number(d)?.unwrap_or(0.0).clamp(0.0, 100.0) as u32)
    }

    pub fn grade<'de, D: Deserializer<'de>>(d: D) -> Result<Option<u8>, D::Error> {
        Ok(number(d)?.filter(|grade| (1.0..=5.0).contains(grade)).map(|grade| grade.round() as u8))
    }

    /// One that is no number names no message.
    pub fn position<'de, D: Deserializer<'de>>(d: D) -> Result<i32, D::Error> {
        Ok(number(d)?.map_or(-1, |position| position as i32))
    }

    pub fn sentiment<'de, D: Deserializer<'de>>(d: D) -> Result<Sentiment, D::Error> {
        Ok(word(d)?.parse().unwrap_or(Sentiment::Neutral))
    }

    pub fn outcome<'de, D: Deserializer<'de>>(d: D) -> Result<HeardOutcome, D::Error> {
        Ok(serde_json::from_value(Value::String(word(d)?)).unwrap_or(HeardOutcome::Answered))
    }

    /// Pieces that are none are left out.
    pub fn evidence<'de, D: Deserializer<'de>>(d: D) -> Result<Vec<Evidence>, D::Error> {
        let Value::Array(items) = Value::deserialize(d)? else { return Ok(Vec::new()) };
        Ok(items.into_iter().filter_map(|item| serde_json::from_value(item).ok()).collect())
    }
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

    #[test]
    fn figures_outside_their_bounds_and_odd_words_are_no_reason_to_ask_again() {
        let answer = r#"{"summary":"s","sentiment":"Mostly Positive","topics":null,"follow_ups":"Call back","goal_reached":"yes","goal_reason":null,
            "outcome":"Callback scheduled","evidence":[{"claim":"c","quote":"q","position":"2"},{"claim":"none"},7],
            "issues_resolved":["a",1,null],"escalation":false,"satisfaction":7}"#;
        let cs: CsAnalysis = serde_json::from_str(answer).unwrap();
        assert_eq!((cs.reading.sentiment, cs.reading.outcome), (Sentiment::Neutral, HeardOutcome::CallbackScheduled));
        assert_eq!((cs.reading.follow_ups.len(), cs.reading.goal_reached, cs.satisfaction), (1, true, None));
        assert_eq!((cs.issues_resolved.len(), cs.reading.evidence.len(), cs.reading.evidence[0].position), (2, 1, 2));
        let graded =
            |grade: &str| serde_json::from_str::<CsAnalysis>(&answer.replace(":7}", grade)).unwrap().satisfaction;
        assert_eq!(
            (graded(":\"4\"}"), graded(":4.6}"), graded(":-1}"), graded(":null}")),
            (Some(4), Some(5), None, None)
        );
        let sdr = |booked: &str| {
            let answer =
                answer.replace("\"issues_resolved\":[\"a\",1,null],\"escalation\":false,\"satisfaction\":7", booked);
            serde_json::from_str::<SdrAnalysis>(&answer).map(|sdr| sdr.meetings_booked).ok()
        };
        let rest = r#","qualified_lead":true,"qualification_reason":"r","objections":[]"#;
        assert_eq!(sdr(&format!(r#""meetings_booked":-3{rest}"#)), Some(0));
        assert_eq!(sdr(&format!(r#""meetings_booked":"2"{rest}"#)), Some(2));
        assert_eq!(sdr(&rest[1..]), None, "a figure that is left out has not been read");
    }
}
