use serde::{Deserialize, Serialize};

use patchbay_shared::Stamp;

patchbay_shared::words! {
    /// State of a queued webhook, enrichment or job.
    pub ProcessingStatus: "processing_status" {
        Pending = "pending", "Waiting", Mute;
        Processing = "processing", "Processing", Info;
        Completed = "completed", "Done", Ok;
        Failed = "failed", "Failed", Bad;
    }
}

/// The services that report events.
pub const SENDERS: [(&str, &str); 2] = [("ultravox", "Ultravox"), ("telnyx", "Telnyx")];

/// An event's body: the document, or the text that could not be read as one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "as", content = "is", rename_all = "snake_case")]
pub enum Body {
    Document(serde_json::Value),
    /// Cut after 20,000 characters.
    Text(String),
}

/// One event with everything that came with it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Webhook {
    pub id: String,
    pub provider: String,
    pub event_id: String,
    pub kind: String,
    pub status: ProcessingStatus,
    pub attempts: i32,
    pub max_attempts: i32,
    /// When it is tried again; only while it waits after a failure.
    pub next_attempt: Option<Stamp>,
    pub note: Option<String>,
    pub received: Stamp,
    pub processed: Option<Stamp>,
    /// Name and value. The signature is never kept.
    pub headers: Vec<(String, String)>,
    /// Bytes as they came.
    pub size: i64,
    pub body: Body,
    /// The call that it is about, if it is known.
    pub call_id: Option<String>,
    pub may_replay: bool,
}

impl Webhook {
    /// It can be worked through again: what was done already is not done twice.
    pub fn can_be_replayed(&self) -> bool {
        matches!(self.status, ProcessingStatus::Failed | ProcessingStatus::Completed)
    }
}
