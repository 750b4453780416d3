//! What a call is, in words and shapes. Pure.

pub mod analysis;
pub mod detail;
pub mod figures;
pub mod query;
pub mod transfers;

use serde::{Deserialize, Serialize};

pub use patchbay_agents::model::CallDirection;
use patchbay_shared::ids::CallId;
use patchbay_shared::{Money, Page, Stamp};

pub use analysis::{Analysis, CsAnalysis, Evidence, Reading, SdrAnalysis};
pub use detail::{
    CallBackNote, CallDetail, CallPrompt, Costs, EventRow, EvidenceLine, Peaks, Problem, RecordingShown, Said, ToolUse,
    Turn,
};
pub use figures::{CallResult, ContactResult, Disposition, ResultFilter, interval_text, share_text, term};
pub use query::{CallQuery, ListText};
pub use transfers::{TransferStatus, TransferStep};

patchbay_shared::words! {
    /// What a campaign is for; decides what the analysis looks for.
    pub CampaignType: "campaign_type" {
        Sdr = "sdr", "Sales development", Info;
        Cs = "cs", "Customer service", Info;
    }
    /// How the last call to a contact went.
    pub ContactOutcome: "contact_outcome" {
        NoAnswer = "no_answer", "No answer", Mute;
        Answered = "answered", "Answered", Ok;
        Voicemail = "voicemail", "Voicemail", Info;
        Busy = "busy", "Busy", Mute;
        Declined = "declined", "Declined", Warn;
        CallbackScheduled = "callback_scheduled", "Callback", Info;
    }
}

patchbay_shared::words! {
    /// How Patchbay came to know a call.
    pub CallSource: "call_source" {
        Webhook = "webhook", "Live", Mute;
        HistoricalSync = "historical_sync", "Imported", Mute;
    }
    pub TranscriptStatus: "transcript_status" {
        Pending = "pending", "Waiting", Mute;
        Fetching = "fetching", "Fetching", Info;
        Completed = "completed", "Ready", Ok;
        Failed = "failed", "Failed", Bad;
    }
    pub AnalysisStatus: "analysis_status" {
        Pending = "pending", "Waiting", Mute;
        Processing = "processing", "Running", Info;
        Completed = "completed", "Ready", Ok;
        Failed = "failed", "Failed", Bad;
    }
    /// Where a call-back that somebody asked for stands.
    pub CallBackStatus: "text" {
        Scheduled = "scheduled", "Scheduled", Info;
        Dialling = "dialling", "Being called", Live;
        /// It cannot be kept by itself, and the reason stands beside it.
        NeedsPerson = "needs_person", "Needs a person", Warn;
        /// A person was reached.
        Kept = "kept", "Kept", Ok;
        Cancelled = "cancelled", "Called off", Mute;
    }
    pub EnrichmentType: "enrichment_type" {
        Transcript = "transcript", "Transcript", Mute;
        Analysis = "analysis", "Analysis", Mute;
    }
    /// How far dialling got. Only `placed` means that the provider surely has the call.
    pub DialState: "dial_state" {
        Intent = "intent", "Dialling", Info;
        Placed = "placed", "Placed", Ok;
        Unknown = "unknown", "Checking with the provider", Warn;
        Refused = "refused", "Refused", Bad;
    }
    /// Where a call stands, in one word.
    pub CallState: "text" {
        Dialling = "dialling", "Dialling", Info;
        Live = "live", "Live", Live;
        Answered = "answered", "Answered", Ok;
        NoAnswer = "no_answer", "No answer", Mute;
        Voicemail = "voicemail", "Voicemail", Info;
        Busy = "busy", "Busy", Mute;
        /// The other side refused the call before anybody spoke.
        Declined = "declined", "Declined", Mute;
        Failed = "failed", "Failed", Bad;
        /// We asked the provider to dial and have no answer yet.
        Checking = "checking", "Checking", Warn;
    }
    /// Why nobody answered a call that came in.
    pub MissedReason: "text" {
        CallerLeft = "caller_left", "The caller hung up", Warn;
        OutOfHours = "out_of_hours", "Outside the hours", Warn;
        NoAgent = "no_agent", "No agent answers the number", Warn;
        NotReady = "not_ready", "The agent was not ready", Warn;
        Budget = "budget", "The budget was spent", Warn;
        Archived = "archived", "The client is archived", Warn;
        Suspended = "suspended", "The workspace was suspended", Warn;
        Failed = "failed", "The agent could not be reached", Bad;
        NoLine = "no_line", "All lines were in use", Warn;
    }
    /// How the other side sounded, as a model read it.
    pub Sentiment: "text" {
        Positive = "positive", "Positive", Ok;
        Neutral = "neutral", "Neutral", Mute;
        Negative = "negative", "Negative", Bad;
    }
    /// Fixed views of the list.
    pub CallView: "text" {
        All = "all", "All", Mute;
        Live = "live", "Live", Live;
        Review = "review", "To review", Mute;
        /// Calls of the last seven days in which somebody asked for a person, until they are reviewed.
        Person = "person", "Needs a person", Warn;
        /// Calls that came in and that nobody answered, until they are reviewed.
        Missed = "missed", "Missed", Warn;
        /// What somebody has to look after: failed calls, broken lines, transcripts and analyses that could not be had.
        Problems = "problems", "Problems", Bad;
    }
}

impl MissedReason {
    /// What happened, and what a person can do.
    pub fn sentence(self) -> &'static str {
        match self {
            Self::CallerLeft => "The caller hung up before the agent was on the line. Call back.",
            Self::OutOfHours => "It was outside the hours of the number, and no other agent answers then. Call back.",
            Self::NoAgent => "No agent answers this number. Choose one on the number's page, and call back.",
            Self::NotReady => {
                "The agent could not take calls: it is paused, deleted or not set up. Look at its page, and call back."
            }
            Self::Budget => "The client's budget for the month is spent, so no agent answered. Raise it, or call back.",
            Self::Archived => "The client of this number is archived, so no agent answered.",
            Self::Suspended => "The workspace was suspended, so no agent answered.",
            Self::Failed => "The voice service did not bring the agent to the line. Call back.",
            Self::NoLine => {
                "All lines of the agency's plan were in use. Call back, or set fewer calls at once for batches under Settings, Agency."
            }
        }
    }

    /// As the client's own people read it: what lies with the agency's accounts is the agency's.
    pub fn for_client(self) -> &'static str {
        match self {
            Self::CallerLeft | Self::OutOfHours => self.label(),
            _ => "Nobody could answer",
        }
    }
}

impl CallState {
    /// The word for what the columns say: the result once there is one, else how far the call is.
    pub fn of(result: Option<CallResult>, dial: DialState, joined: bool) -> Self {
        match result {
            Some(CallResult::Answered) => Self::Answered,
            Some(CallResult::Voicemail) => Self::Voicemail,
            Some(CallResult::NoAnswer) => Self::NoAnswer,
            Some(CallResult::Busy) => Self::Busy,
            Some(CallResult::Declined) => Self::Declined,
            Some(CallResult::Failed) => Self::Failed,
            None if dial == DialState::Unknown => Self::Checking,
            None if joined => Self::Live,
            None => Self::Dialling,
        }
    }

    /// Hover text.
    pub fn means(self) -> &'static str {
        match self {
            Self::Dialling | Self::Live | Self::Checking => term::LIVE.means,
            Self::Answered => term::ANSWERED.means,
            Self::NoAnswer => term::NO_ANSWER.means,
            Self::Voicemail => term::VOICEMAIL.means,
            Self::Busy => term::BUSY.means,
            Self::Declined => term::DECLINED.means,
            Self::Failed => term::FAILED.means,
        }
    }

    /// It goes on now: its row has a timer and stands on top.
    pub fn is_open(self) -> bool {
        matches!(self, Self::Dialling | Self::Live | Self::Checking)
    }
}

/// Why a call ended, so that it agrees with where the call stands: a provider reports the end of a call that was never answered in the
/// words of one that was. None: nothing to add to the state.
pub fn ending(state: CallState, reason: Option<&str>) -> Option<String> {
    let key = reason.map(end_key).unwrap_or_default();
    match state {
        CallState::Dialling | CallState::Live | CallState::Checking => None,
        CallState::Declined => Some("The call was declined".to_owned()),
        CallState::Busy => Some("The line was busy".to_owned()),
        CallState::NoAnswer => Some(match key.as_str() {
            "canceled" | "invalid_number" | "destination_unavailable" => end_words(&key),
            _ => "Nobody answered".to_owned(),
        }),
        CallState::Failed => {
            reason.filter(|_| !["unjoined", "hangup", "normal"].contains(&key.as_str())).map(end_words)
        }
        CallState::Answered | CallState::Voicemail => reason.filter(|_| key != "unjoined").map(end_words),
    }
}

fn end_key(reason: &str) -> String {
    reason.trim_start_matches("SIP_TERMINATION_").to_ascii_lowercase()
}

/// Why a call ended, as a person says it. `reason` is the provider's word, which stands for itself when it is one that we do not know.
pub fn end_words(reason: &str) -> String {
    known_end_words(reason).map_or_else(|| reason.replace('_', " "), str::to_owned)
}

/// The same. None: a word that we do not know.
pub fn known_end_words(reason: &str) -> Option<&'static str> {
    Some(match end_key(reason).as_str() {
        "unjoined" | "missed" => "Nobody answered",
        "hangup" | "normal" => "The other side hung up",
        "agent_hangup" => "The agent hung up",
        "timeout" => "The maximum duration was reached",
        "connection_error" => "The connection was lost",
        "system_error" => "The voice service had an error",
        "busy" => "The line was busy",
        "rejected" => "The call was declined",
        "canceled" => "The call was cancelled while it was ringing",
        "invalid_number" => "The number does not exist",
        "destination_unavailable" => "The number could not be reached",
        _ => return None,
    })
}

/// One call in the list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CallRow {
    pub id: CallId,
    pub state: CallState,
    pub started: Stamp,
    /// Where the row stands in the list: microseconds and id.
    pub key: String,
    /// Milliseconds since 1970 when the talk (or the dialling) began; only while the call goes on.
    pub since_ms: Option<i64>,
    /// Seconds of talk, or so far when the page was made.
    pub seconds: Option<i64>,
    pub contact: String,
    /// The other side's number, E.164.
    pub number: Option<String>,
    pub agent: Option<String>,
    pub client: Option<String>,
    pub direction: CallDirection,
    /// None while the call goes on, and when nothing is known of it.
    pub outcome: Option<ContactOutcome>,
    pub goal_reached: Option<bool>,
    pub sentiment: Option<Sentiment>,
    /// None: not the viewer's to see, going on, or not priced yet.
    pub cost: Option<Money>,
    /// The viewer may see cost, and there is none yet.
    pub is_unpriced: bool,
    pub is_reviewed: bool,
    /// Nobody answered a call that came in: why, in a few words.
    pub missed: Option<String>,
    /// Where the caller becomes a contact: of a call from somebody unknown, for whoever may add contacts.
    pub add_contact: Option<String>,
    /// The transcript or the analysis failed.
    pub needs_help: bool,
}

/// The page of the list.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct CallList {
    pub query: CallQuery,
    pub page: Page<CallRow>,
    /// Calls that go on now: on the first page only, newest first.
    pub live: Vec<CallRow>,
    /// The views with their bounded counts: `7`, `1,000+`.
    pub counts: Vec<(CallView, String)>,
    pub sees_cost: bool,
    pub is_agency: bool,
    /// The viewer's day, `2026-11-20`.
    pub today: String,
}

/// What the filters offer: value and label.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct CallChoices {
    pub agents: Vec<(String, String)>,
    pub campaigns: Vec<(String, String)>,
    /// What the address narrows to and no select offers, by its key: batch, contact, zone.
    pub narrowed: Vec<(String, String)>,
}

impl CallList {
    /// What the person looks at, with each row as it is in `fresh`, and how many rows of `fresh` are new. New calls do not push
    /// the list down: the person asks for them.
    pub fn refreshed(&self, fresh: &CallList) -> (CallList, usize) {
        let find = |id: CallId| fresh.live.iter().chain(&fresh.page.rows).find(|row| row.id == id);
        let has = |id: CallId| self.live.iter().chain(&self.page.rows).any(|row| row.id == id);
        let update = |rows: &[CallRow]| rows.iter().map(|row| find(row.id).unwrap_or(row).clone()).collect::<Vec<_>>();
        let new = fresh.live.iter().chain(&fresh.page.rows).filter(|row| !has(row.id)).count();
        let mut shown = CallList { live: update(&self.live), ..fresh.clone() };
        shown.page =
            Page { rows: update(&self.page.rows), newer: self.page.newer.clone(), older: self.page.older.clone() };
        (shown, new)
    }
}
