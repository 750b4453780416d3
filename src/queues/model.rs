use serde::{Deserialize, Serialize};

pub use patchbay_inbound_webhooks::model::ProcessingStatus;
use patchbay_shared::{Page, Stamp};

patchbay_shared::words! {
    /// What kind of work it is.
    pub QueueName: "text" {
        Webhooks = "webhooks", "Inbound webhooks", Mute;
        Words = "words", "Transcripts and analyses", Mute;
        Batches = "batches", "Batches and call-backs", Mute;
        Sync = "sync", "Past calls", Mute;
        Mail = "mail", "E-mail", Mute;
        Other = "other", "Other jobs", Mute;
    }
    /// What the list shows.
    pub QueueView: "text" {
        /// Failed, waiting after a failure, waiting for longer than it should, or held by a worker that is silent.
        Stuck = "stuck", "Stuck", Warn;
        Failed = "failed", "Failed", Bad;
        Waiting = "pending", "Waiting", Mute;
        Processing = "processing", "Processing", Info;
        Done = "completed", "Done", Ok;
        All = "all", "All", Mute;
    }
}

/// Kinds of jobs that belong to a queue of their own, and what each is called.
const JOBS: [(&str, QueueName, &str); 41] = [
    ("run_batch", QueueName::Batches, "Dial a batch"),
    ("dial_call_back", QueueName::Batches, "Dial a call-back"),
    ("send_mail", QueueName::Mail, "Send an e-mail"),
    ("index_knowledge", QueueName::Other, "Index a file of knowledge"),
    ("embed_knowledge", QueueName::Other, "Read passages for their meaning"),
    ("delete_knowledge_file", QueueName::Other, "Delete a stored file"),
    ("empty_knowledge_collection", QueueName::Other, "Delete a collection of knowledge"),
    ("import_past_calls", QueueName::Sync, "Import past calls"),
    ("fetch_past_words", QueueName::Sync, "Queue transcripts of past calls"),
    ("check_calls", QueueName::Sync, "Compare calls with the voice service"),
    ("close_call_gaps", QueueName::Sync, "Close gaps in the calls"),
    ("sync_agent", QueueName::Other, "Update an agent at the voice service"),
    ("compare_agents", QueueName::Other, "Compare agents with the voice service"),
    ("delete_agent_copies", QueueName::Other, "Delete an agent at the voice service"),
    ("look_at_budget", QueueName::Other, "Look at a client's budget"),
    ("follow_call", QueueName::Other, "Ask after a call"),
    ("fetch_recording", QueueName::Other, "Fetch a recording"),
    ("set_up_telephony", QueueName::Other, "Set up the carrier"),
    ("CheckImport", QueueName::Other, "Check an import of contacts"),
    ("RunImport", QueueName::Other, "Import contacts"),
    ("order_number", QueueName::Other, "Order a number"),
    ("route_number", QueueName::Other, "Point a number at an agent"),
    ("check_routes", QueueName::Other, "Look where the carrier sends calls"),
    ("settle_call", QueueName::Other, "Settle an incoming call"),
    ("AddContacts", QueueName::Other, "Add contacts to a campaign"),
    ("keep_schedule", QueueName::Other, "Wait for a schedule's time"),
    ("run_agent", QueueName::Other, "Have an agent do something"),
    ("send_text", QueueName::Other, "Send a text message"),
    ("move_on_execution", QueueName::Other, "Go on after an approval"),
    ("advance_run", QueueName::Other, "Go on with a team’s run"),
    ("end_late_run", QueueName::Other, "End a team’s run whose time is up"),
    ("send_messages", QueueName::Other, "Send messages of an integration"),
    ("give_out_events", QueueName::Other, "Tell other systems what happened"),
    ("replay_deliveries", QueueName::Other, "Send webhooks again"),
    ("sync_integration", QueueName::Sync, "Exchange records with a client’s system"),
    ("start_sync", QueueName::Sync, "Wait for the time of a sync"),
    ("take_notices", QueueName::Sync, "Take in what a client’s system told"),
    ("renew_sign_in", QueueName::Other, "Renew a sign-in at another system"),
    ("import_numbers", QueueName::Other, "Look for numbers at a carrier"),
    ("set_up_trunk", QueueName::Other, "Give the voice service a carrier’s account"),
    ("price_call", QueueName::Other, "Ask what a call cost"),
];

/// Kinds of jobs of which nothing waits for the end, so that they can be set aside: whatever they were for is asked for again, or has been
/// said elsewhere. All others leave something half done, and are tried again.
pub const DISCARDABLE: [&str; 26] = [
    "send_mail",
    "send_text",
    "check_calls",
    "check_routes",
    "sync_agent",
    "compare_agents",
    "look_at_budget",
    "follow_call",
    "fetch_recording",
    "fetch_past_words",
    "set_up_telephony",
    "keep_schedule",
    "run_agent",
    "advance_run",
    "end_late_run",
    "move_on_execution",
    "send_messages",
    "give_out_events",
    "replay_deliveries",
    "sync_integration",
    "start_sync",
    "take_notices",
    "renew_sign_in",
    "import_numbers",
    "set_up_trunk",
    "price_call",
];

/// A job's kind in words, and its queue.
pub fn job(kind: &str) -> (QueueName, String) {
    match JOBS.iter().find(|(known, ..)| *known == kind) {
        Some((_, queue, label)) => (*queue, (*label).to_owned()),
        None => (QueueName::Other, kind.replace('_', " ")),
    }
}

impl QueueName {
    /// The kinds of jobs in it, by the words of the jobs table.
    pub fn kinds(self) -> Vec<String> {
        JOBS.iter().filter(|(_, queue, _)| *queue == self).map(|(kind, ..)| (*kind).to_owned()).collect()
    }
}

/// What the list is asked for, as it stands in the address.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct QueueQuery {
    pub queue: Option<String>,
    pub status: Option<String>,
    /// `oldest`: the oldest first. Else the newest.
    pub sort: Option<String>,
    pub cursor: Option<String>,
}

impl QueueQuery {
    pub fn queue(&self) -> Option<QueueName> {
        self.queue.as_deref().and_then(|word| word.parse().ok())
    }

    /// Whether failed work is among what is shown.
    pub fn shows_failed(&self) -> bool {
        matches!(self.view(), QueueView::Stuck | QueueView::Failed | QueueView::All)
    }

    pub fn view(&self) -> QueueView {
        self.status.as_deref().and_then(|word| word.parse().ok()).unwrap_or(QueueView::Stuck)
    }
}

/// One piece of work.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct QueueRow {
    pub id: String,
    /// The table that it stands in: `webhook`, `words`, `job`, `batch` or `sync`.
    pub source: String,
    pub queue: QueueName,
    pub kind: String,
    /// Where there is more to see.
    pub href: Option<String>,
    pub status: ProcessingStatus,
    pub attempts: i32,
    pub created: Stamp,
    /// `3 h`, when the page was made.
    pub age: String,
    /// When it is tried next; only while it waits.
    pub next: Option<Stamp>,
    /// Why the last try failed, or a remark on what was done.
    pub note: Option<String>,
    /// The viewer may have it tried again, and it can be.
    pub may_retry: bool,
    /// The viewer may set it aside, and nothing is lost by that.
    pub may_discard: bool,
}

/// So much failed work is tried again at once.
pub const AT_ONCE: i64 = 5_000;

/// The page.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct QueueList {
    pub page: Page<QueueRow>,
    /// Failed work that the filters select and that can be tried again at once, `AT_ONCE` at most.
    pub failed: i64,
    /// There is more of it.
    pub has_more: bool,
    /// The filters select batches or imports, too, which go on one by one.
    pub has_others: bool,
    pub may_retry: bool,
}
