use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    Analysis, AnalysisStatus, CallBackStatus, CallDirection, CallSource, CallState, Sentiment, TranscriptStatus,
    TransferStep,
};
use crate::model::{ContactOutcome, Disposition};
use patchbay_runs::model::GivenPassage;
use patchbay_shared::ids::{
    AgentId, BatchId, CallBackId, CallId, CampaignId, ClientId, ContactId, PromptId, RunId, ToolInvocationId,
};
use patchbay_shared::{Money, Stamp};

/// One call's page. Holds nothing that the viewer may not see.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CallDetail {
    pub id: CallId,
    pub state: CallState,
    /// Contact's name, else the number.
    pub title: String,
    pub contact_id: Option<ContactId>,
    pub direction: CallDirection,
    pub from: Option<String>,
    pub to: Option<String>,
    pub agent: Option<(AgentId, String)>,
    pub prompt_version: Option<i32>,
    pub client: Option<(ClientId, String)>,
    pub campaign: Option<(CampaignId, String)>,
    pub batch: Option<(BatchId, String)>,
    pub attempt_no: i32,
    pub started: Stamp,
    /// When the other side came on the line: a person or their voicemail.
    pub answered: Option<Stamp>,
    pub ended: Option<Stamp>,
    /// See `CallRow::since_ms`.
    pub since_ms: Option<i64>,
    pub seconds: Option<i64>,
    /// The other side was on the line: a person or their voicemail.
    pub is_answered: bool,
    /// Why it ended, in words that agree with `state`.
    pub end_words: Option<String>,
    /// Nobody answered a call that came in: why, in a sentence.
    pub missed: Option<String>,
    /// See `CallRow::add_contact`.
    pub add_contact: Option<String>,
    /// A call to a phone of one's own, to hear the agent.
    pub is_test: bool,
    /// What the agent did in it, step by step: for the agency.
    pub run: Option<RunId>,
    /// What went wrong with the call itself.
    pub error: Option<String>,
    /// The call-back that somebody asked for on it, or a person has set from here.
    pub call_back: Option<CallBackNote>,
    /// The viewer may have the contact called back.
    pub may_call_back: bool,
    pub outcome: Option<ContactOutcome>,
    pub goal_reached: Option<bool>,
    pub sentiment: Option<Sentiment>,
    pub summary: Option<String>,
    /// None: nobody answered, so there is no conversation, and nothing to read.
    pub transcript_status: Option<TranscriptStatus>,
    pub analysis_status: Option<AnalysisStatus>,
    /// For the agency: what keeps the transcript or the analysis.
    pub transcript_problem: Option<Problem>,
    pub analysis_problem: Option<Problem>,
    /// In order. Tool calls only for whoever sees steps.
    pub turns: Vec<Turn>,
    pub analysis: Option<Analysis>,
    /// `model`, tokens read, tokens written: for the agency.
    pub analysis_model: Option<(String, i64, i64)>,
    pub evidence: Vec<EvidenceLine>,
    /// The passages of knowledge that the agent was given: for the agency.
    pub knowledge: Vec<GivenPassage>,
    /// Who was rung to be given the call, in order.
    pub transfers: Vec<TransferStep>,
    pub costs: Option<Costs>,
    pub recording: Option<RecordingShown>,
    /// There is a recording at the service, and it is being asked for.
    pub awaits_recording: bool,
    /// An import left it at the voice service. How a call came is for the agency alone.
    pub is_recording_left: bool,
    /// The viewer may hear recordings.
    pub hears_recordings: bool,
    /// The viewer may see what the agent did with its tools.
    pub sees_steps: bool,
    /// The viewer may see the prompt, and the call has noted which one it used.
    pub sees_prompt: bool,
    /// For the agency.
    pub events: Vec<EventRow>,
    /// How Patchbay came to know it: for the agency.
    pub source: Option<CallSource>,
    pub provider: String,
    pub provider_call_id: Option<String>,
    pub reviewed: Option<(Stamp, String)>,
    pub may_review: bool,
    pub may_replay: bool,
    pub is_agency: bool,
    /// Neighbours in the list the person came from.
    pub newer: Option<CallId>,
    pub older: Option<CallId>,
}

/// A call-back where it is named beside something else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallBackNote {
    pub id: CallBackId,
    pub status: CallBackStatus,
    /// `Mon 30 Nov, 15:00`; none while nobody knows when.
    pub due: Option<String>,
    /// Why it needs a person, or was called off.
    pub why: Option<String>,
}

impl CallBackNote {
    /// `Scheduled, Mon 30 Nov, 15:00`, `Needs a person`.
    pub fn text(&self) -> String {
        match &self.due {
            Some(due) => format!("{}, {due}", self.status.label()),
            None => self.status.label().to_owned(),
        }
    }
}

/// The words that a call's agent was given, as they were.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallPrompt {
    /// For the agency, which may go to it.
    pub id: Option<PromptId>,
    pub name: String,
    pub version: i32,
    /// With its `{{variables}}` unfilled.
    pub template: String,
}

/// Why something is not there yet, and what happens next.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Problem {
    pub error: String,
    /// When it is tried again by itself; none when it is not.
    pub next: Option<Stamp>,
    pub attempts: i32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Said {
    Agent,
    Caller,
    Tool,
}

/// One thing said, or one use of a tool.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Turn {
    pub position: i32,
    pub by: Said,
    pub text: String,
    /// Milliseconds from the start of the talk.
    pub start_ms: Option<i32>,
    pub end_ms: Option<i32>,
    pub tool: Option<ToolUse>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ToolUse {
    pub name: String,
    pub arguments: String,
    pub result: Option<String>,
    pub error: Option<String>,
    pub took_ms: Option<i32>,
    /// Where it was a tool of ours: what was asked and answered, for the agency alone.
    pub use_id: Option<ToolInvocationId>,
}

impl Turn {
    /// Whole seconds into the talk.
    pub fn second(&self) -> Option<i64> {
        self.start_ms.map(|ms| i64::from(ms) / 1000)
    }

    pub fn anchor(&self) -> String {
        match self.start_ms {
            Some(ms) => format!("t-{ms}"),
            None => format!("m-{}", self.position),
        }
    }
}

/// Evidence with its place in the talk.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EvidenceLine {
    pub claim: String,
    pub quote: String,
    pub position: i32,
    /// Milliseconds from the start of the talk.
    pub start_ms: Option<i32>,
}

impl EvidenceLine {
    /// Whole seconds into the talk, and the anchor of the turn.
    pub fn place(&self) -> Option<(i64, String)> {
        self.start_ms.map(|ms| (i64::from(ms) / 1000, format!("t-{ms}")))
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Costs {
    pub voice: Money,
    /// None: the carrier has told no price of a call that it put through.
    pub carrier: Option<Money>,
    /// None: the models' service did not say what the analysis cost.
    pub model: Option<Money>,
    /// What is known.
    pub total: Money,
    /// None: the provider has not settled its bill.
    pub billed_seconds: Option<i32>,
    /// The voice service has not billed the call yet, so the total is not known.
    pub is_unpriced: bool,
}

/// A recording that can be heard.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RecordingShown {
    pub peaks: Option<Peaks>,
}

/// How loud each side was over time: pairs of equal length, 0 to 100.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Peaks {
    pub seconds: f64,
    pub agent: Vec<u8>,
    pub caller: Vec<u8>,
}

impl Peaks {
    /// At most `most` pairs, each the loudest of what it stands for, 0 to 1.
    pub fn pairs(&self, most: usize) -> Vec<[f32; 2]> {
        let all = self.agent.len().min(self.caller.len());
        if all == 0 || most == 0 {
            return Vec::new();
        }
        let step = all.div_ceil(most);
        let loudest = |lane: &[u8]| f32::from(lane.iter().copied().max().unwrap_or(0)) / 100.0;
        let both = self.agent[..all].chunks(step).zip(self.caller[..all].chunks(step));
        both.map(|(agent, caller)| [loudest(agent), loudest(caller)]).collect()
    }
}

/// What the provider reported, in its words.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EventRow {
    pub id: String,
    pub at: Stamp,
    pub kind: String,
    pub provider: String,
    pub payload: Value,
}

impl CallDetail {
    /// Why nothing was said, if the call is over and was never answered: one sentence that every part of the page begins with.
    pub fn unanswered(&self) -> Option<&'static str> {
        if self.is_answered || self.state.is_open() {
            return None;
        }
        Some(match self.state {
            CallState::Busy => "The line was busy.",
            CallState::Declined => "The call was declined.",
            CallState::Failed => "The call could not be connected.",
            _ => "Nobody answered.",
        })
    }

    /// What came of it for the other side.
    pub fn disposition(&self) -> Option<Disposition> {
        self.outcome.map(|outcome| Disposition::of(outcome, self.state == CallState::Answered))
    }

    /// The turn that is being said at this second: the last one that has begun.
    pub fn turn_at(&self, second: f64) -> Option<i32> {
        let ms = (second * 1000.0) as i64 + 999;
        let begun = self.turns.iter().filter(|turn| turn.start_ms.is_some_and(|start| i64::from(start) <= ms));
        begun.max_by_key(|turn| (turn.start_ms, turn.position)).map(|turn| turn.position)
    }
}

/// The text in pieces; true marks a piece that one of `needles` stands in, whatever the case.
pub fn marked(text: &str, needles: &[String]) -> Vec<(bool, String)> {
    let chars: Vec<char> = text.chars().collect();
    let lower: Vec<char> = chars.iter().map(|c| c.to_lowercase().next().unwrap_or(*c)).collect();
    let mut marks = vec![false; chars.len()];
    for needle in needles {
        let needle: Vec<char> = needle.trim().chars().map(|c| c.to_lowercase().next().unwrap_or(c)).collect();
        if needle.is_empty() || needle.len() > lower.len() {
            continue;
        }
        for at in 0..=lower.len() - needle.len() {
            if lower[at..at + needle.len()] == needle[..] {
                marks[at..at + needle.len()].fill(true);
            }
        }
    }
    let mut out: Vec<(bool, String)> = Vec::new();
    for (c, mark) in chars.into_iter().zip(marks) {
        match out.last_mut() {
            Some((last, piece)) if *last == mark => piece.push(c),
            _ => out.push((mark, c.to_string())),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_whatever_the_case() {
        let pieces = marked("Ärger, ärger und Müll", &["ÄRGER".into()]);
        assert_eq!(pieces.iter().filter(|(mark, _)| *mark).count(), 2);
        assert_eq!(pieces.iter().map(|(_, text)| text.as_str()).collect::<String>(), "Ärger, ärger und Müll");
        assert_eq!(marked("abc", &["".into()]), [(false, "abc".to_owned())]);
    }

    #[test]
    fn peaks_keep_the_loudest() {
        let peaks = Peaks { seconds: 4.0, agent: vec![0, 100, 20, 30], caller: vec![10, 0, 0, 50] };
        assert_eq!(peaks.pairs(2), [[1.0, 0.1], [0.3, 0.5]]);
    }
}
