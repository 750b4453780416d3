//! What an import of past calls is, what is missing, and in which words. Pure.

use serde::{Deserialize, Serialize};

use patchbay_shared::ids::{AgentId, CallGapId, CallId, HistoricalSyncId};
use patchbay_shared::money::{count_text, counted};
use patchbay_shared::{Page, Stamp};

patchbay_shared::words! {
    /// Where an import of past calls stands.
    pub SyncJobStatus: "sync_job_status" {
        Pending = "pending", "Waiting", Mute;
        InProgress = "in_progress", "Importing", Info;
        Completed = "completed", "Completed", Ok;
        Failed = "failed", "Failed", Bad;
        Cancelled = "cancelled", "Cancelled", Mute;
    }
    /// What is missing of a call.
    pub GapKind: "text" {
        /// The service has the call, and Patchbay does not.
        NeverHeardOf = "never_heard_of", "Never heard of", Bad;
        WithoutEnd = "without_end", "Without an end", Warn;
        WithoutBill = "without_bill", "Without a bill", Info;
    }
}

impl SyncJobStatus {
    /// Nothing more happens to it.
    pub fn is_over(self) -> bool {
        !matches!(self, Self::Pending | Self::InProgress)
    }
}

impl GapKind {
    /// What the button says that closes one.
    pub fn closing(self) -> &'static str {
        match self {
            Self::NeverHeardOf => "Import",
            Self::WithoutEnd => "Take the end",
            Self::WithoutBill => "Ask again",
        }
    }
}

/// The form of a new import, as posted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportForm {
    pub provider: String,
    /// Days, `2026-11-20`, both included; an empty one begins with the first call.
    #[serde(default)]
    pub from: String,
    #[serde(default)]
    pub to: String,
    /// Ids of agents; none for all calls, also those of agents that Patchbay does not know.
    #[serde(default)]
    pub agents: Vec<String>,
    /// Fetch what was said, and have it analysed.
    #[serde(default)]
    pub transcripts: Option<String>,
    /// Fetch the sound of the calls.
    #[serde(default)]
    pub recordings: Option<String>,
}

/// An agent whose calls can be brought in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AgentChoice {
    pub id: AgentId,
    pub name: String,
    /// The clients it works for.
    pub clients: String,
}

/// The page of the past: what can be brought in, what is being brought in, what is missing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HistoryPage {
    /// The service's name for people.
    pub service: String,
    /// The days that the address asks for, and which of the usual spans they are.
    pub from: String,
    pub to: String,
    pub spans: Vec<SpanChoice>,
    /// The zone of the days.
    pub zone: String,
    pub agents: Vec<AgentChoice>,
    /// The import that runs now, or else the newest one.
    pub shown: Option<SyncView>,
    /// Imports that wait for the running one.
    pub waiting: i64,
    pub check: CheckView,
    pub gaps: GapCounts,
    /// The first open gaps.
    pub first_gaps: Vec<GapRow>,
    /// Calls that the carrier told of and that no call here fits, the newest first.
    pub carrier: Vec<CarrierCall>,
    /// Why nothing can be started now: not connected, switched off, suspended.
    pub obstacle: Option<String>,
    pub may_start: bool,
    pub may_close: bool,
}

/// A call that the carrier told of and that no call here fits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CarrierCall {
    pub from: Option<String>,
    pub to: Option<String>,
    pub started: Stamp,
    /// The carrier's id.
    pub leg: String,
}

/// A usual span of days.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpanChoice {
    pub label: String,
    pub from: String,
    pub to: String,
    pub is_chosen: bool,
}

/// What the service says an import would bring.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    pub counted: Option<Stamp>,
    /// None: the service does not count.
    pub calls: Option<i64>,
    /// Calls by agent, where they were counted.
    pub agents: Vec<(AgentId, i64)>,
    /// Calls of these days that are here already, counted up to a limit.
    pub here: i64,
    pub here_is_more: bool,
    /// How long it takes, about, and how much longer with transcripts.
    pub seconds: i64,
    pub transcript_seconds: i64,
    /// Calls a second that this rests on, and whether an import here has shown it.
    pub pace: i64,
    pub is_measured: bool,
    /// Why it could not be counted.
    pub note: Option<String>,
}

impl Estimate {
    /// `1,442 of them are here already and change nothing.`
    pub fn here_text(&self) -> Option<String> {
        let more = if self.here_is_more { "+" } else { "" };
        match self.here {
            0 => None,
            1 => Some("1 of them is here already and changes nothing.".to_owned()),
            many => Some(format!("{}{more} of them are here already and change nothing.", count_text(many))),
        }
    }
}

impl Estimate {
    /// What the length of time rests on: `At 58 calls a second, as in the last import.`
    pub fn pace_text(&self) -> Option<String> {
        let calls = self.calls.filter(|calls| *calls > 0)?;
        let (asks, pace) =
            (counted((calls + PAGE - 1) / PAGE, "request", "requests"), counted(self.pace, "call", "calls"));
        Some(match self.is_measured {
            true => format!("{asks} at {pace} a second, as in the last import, with its waits for Ultravox’s limit."),
            false => format!(
                "{asks}. The time is a guess at {pace} a second until an import here has shown the pace; Ultravox’s limit can make it longer."
            ),
        })
    }
}

/// Calls on a page of the service's list, which is one request.
pub const PAGE: i64 = 100;

/// `about 15 min`, from seconds.
pub fn duration_text(seconds: i64) -> String {
    match seconds {
        ..60 => "less than a minute".to_owned(),
        60..5400 => format!("about {} min", seconds.div_euclid(60) + i64::from(seconds % 60 >= 30)),
        _ => format!("about {} h", (seconds + 1800) / 3600),
    }
}

/// One import with its progress.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SyncView {
    pub id: HistoricalSyncId,
    /// `26 Sep – 20 Nov 2026, all agents`
    pub title: String,
    pub status: SyncJobStatus,
    pub with_transcripts: bool,
    pub with_recordings: bool,
    pub created: Stamp,
    pub started: Option<Stamp>,
    pub completed: Option<Stamp>,
    pub started_by: Option<String>,
    pub cancelled_by: Option<String>,
    /// None: the service has not said how many there are.
    pub found: Option<i64>,
    pub imported: i64,
    pub skipped: i64,
    pub failed: i64,
    pub waited_seconds: i64,
    /// It waits for the service's limit until then.
    pub waits_until: Option<Stamp>,
    pub error: Option<String>,
    pub per_second: Option<i64>,
    /// When it ends at the pace so far, its waits included, and how long that is from now.
    pub ends: Option<Stamp>,
    pub left_seconds: Option<i64>,
    /// Imported calls whose words have not been asked for yet, and whose recordings alone have not, counted up to a thousand.
    pub words_waiting: i64,
    pub recordings_waiting: i64,
    pub days: Vec<SyncDay>,
    pub agents: Vec<SyncAgent>,
    pub zone: String,
    pub may_cancel: bool,
}

impl SyncView {
    /// Calls that were looked at.
    pub fn looked_at(&self) -> i64 {
        self.imported + self.skipped + self.failed
    }

    /// What was not asked for.
    pub fn left_out(&self) -> Option<&'static str> {
        match (self.with_transcripts, self.with_recordings) {
            (true, true) => None,
            (true, false) => Some("recordings"),
            (false, true) => Some("transcripts"),
            (false, false) => Some("transcripts and recordings"),
        }
    }

    /// `33,118 of 51,306`
    pub fn progress_text(&self) -> String {
        match self.found {
            Some(found) => format!("{} of {}", count_text(self.looked_at()), count_text(found.max(self.looked_at()))),
            None => count_text(self.looked_at()),
        }
    }

    /// What the service's limit cost: `waited 14 s for Ultravox’s limit`.
    pub fn waited_text(&self) -> Option<String> {
        (self.waited_seconds > 0)
            .then(|| format!("waited {} s for the service’s limit", count_text(self.waited_seconds)))
    }
}

/// Calls of a day that were looked at.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SyncDay {
    /// `26 Sep`
    pub label: String,
    pub imported: i64,
    pub skipped: i64,
    pub failed: i64,
}

/// Calls of an agent that were looked at.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SyncAgent {
    pub name: String,
    /// None: the service was not asked.
    pub found: Option<i64>,
    pub imported: i64,
    pub skipped: i64,
    pub failed: i64,
}

/// One import in the list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SyncRow {
    pub id: HistoricalSyncId,
    pub title: String,
    pub status: SyncJobStatus,
    pub imported: i64,
    pub skipped: i64,
    pub failed: i64,
    pub started_by: Option<String>,
    pub created: Stamp,
    pub error: Option<String>,
}

/// A call that could not be taken.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FailureRow {
    pub id: String,
    pub provider_call_id: Option<String>,
    pub agent: Option<String>,
    pub started: Option<Stamp>,
    pub why: String,
}

/// One import and a page of what failed in it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SyncPage {
    pub service: String,
    pub sync: SyncView,
    pub failures: Page<FailureRow>,
    /// Agents that calls failed of: for the filter.
    pub failed_agents: Vec<(String, String)>,
}

/// The last comparison with the service.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct CheckView {
    pub checked: Option<Stamp>,
    pub from: Option<Stamp>,
    pub compared: i64,
    pub next: Option<Stamp>,
    pub error: Option<String>,
    /// It goes on now, or begins at once.
    pub is_running: bool,
}

/// Open gaps by kind, and those closed within a week, each counted up to a thousand.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GapCounts {
    pub never_heard_of: i64,
    pub without_end: i64,
    pub without_bill: i64,
    pub closed: i64,
}

impl GapCounts {
    pub fn open(self) -> i64 {
        self.never_heard_of + self.without_end + self.without_bill
    }
}

/// `1,000+` from a thousand on: counts stop there.
pub fn some_text(count: i64) -> String {
    if count >= 1000 { "1,000+".to_owned() } else { count_text(count) }
}

/// What is asked of the list of imports, as it stands in the address.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SyncQuery {
    /// A `SyncJobStatus`.
    pub status: Option<String>,
    /// `asked`, `imported`, `skipped` or `failed`; from the largest down with a minus before it.
    pub sort: Option<String>,
    pub cursor: Option<String>,
}

/// What is asked of the list of calls that failed in an import, as it stands in the address.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct FailureQuery {
    /// An agent's id.
    pub agent: Option<String>,
    /// `began` or `-began`.
    pub sort: Option<String>,
    pub cursor: Option<String>,
}

/// What is asked of the list of gaps, as it stands in the address.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct GapQuery {
    /// A `GapKind`, or `closed`; none: all that are open.
    pub kind: Option<String>,
    /// An agent's id.
    pub agent: Option<String>,
    /// Days, `2026-11-20`, both included.
    pub from: Option<String>,
    pub to: Option<String>,
    /// `began` or `-began`; gaps that are closed are ordered by when they were.
    pub sort: Option<String>,
    pub cursor: Option<String>,
}

/// One gap in the list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GapRow {
    pub id: CallGapId,
    pub kind: GapKind,
    pub provider_call_id: String,
    /// None: Patchbay has never heard of it.
    pub call: Option<CallId>,
    pub agent: Option<String>,
    pub started: Stamp,
    pub why: String,
    pub found: Stamp,
    pub closed: Option<Stamp>,
    pub closed_how: Option<String>,
}

/// The page of gaps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GapList {
    pub service: String,
    pub page: Page<GapRow>,
    pub counts: GapCounts,
    pub check: CheckView,
    pub agents: Vec<(String, String)>,
    pub may_close: bool,
}

/// `Close 27 now`
pub fn close_text(open: i64) -> String {
    format!("Close {} now", some_text(open))
}

/// `27 gaps`
pub fn gaps_text(open: i64) -> String {
    if open >= 1000 { "1,000+ gaps".to_owned() } else { counted(open, "gap", "gaps") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_said_as_a_person_says_them() {
        let texts = [(0, "less than a minute"), (59, "less than a minute"), (60, "about 1 min"), (895, "about 15 min")];
        for (seconds, text) in texts {
            assert_eq!(duration_text(seconds), text);
        }
        assert_eq!(duration_text(7300), "about 2 h");
    }

    #[test]
    fn an_estimate_says_what_it_rests_on() {
        let estimate = |is_measured| Estimate { calls: Some(51_306), pace: 58, is_measured, ..Estimate::default() };
        let text = estimate(true).pace_text().unwrap();
        assert!(text.starts_with("514 requests at 58 calls a second, as in the last import"), "{text}");
        let text = estimate(false).pace_text().unwrap();
        assert!(text.contains("a guess at 58 calls a second until"), "{text}");
        assert_eq!(Estimate::default().pace_text(), None, "nothing to ask for");
    }

    #[test]
    fn what_is_here_already_is_said_in_the_right_number() {
        let here = |here, here_is_more| Estimate { here, here_is_more, ..Estimate::default() }.here_text();
        assert_eq!(here(0, false), None);
        assert_eq!(here(1, false).as_deref(), Some("1 of them is here already and changes nothing."));
        assert_eq!(here(1442, true).as_deref(), Some("1,442+ of them are here already and change nothing."));
    }
}
