use serde::{Deserialize, Serialize};

use patchbay_shared::Stamp;
use patchbay_shared::money::length_text;

patchbay_shared::words! {
    /// How far giving a call to a person has come.
    pub TransferStatus: "text" {
        /// The carrier is being asked.
        Requested = "requested", "Asked for", Info;
        Ringing = "ringing", "Ringing", Live;
        /// Caller and person are joined.
        Connected = "connected", "Talking", Live;
        NotAnswered = "not_answered", "Not answered", Warn;
        /// Nobody could be rung.
        Failed = "failed", "Failed", Bad;
        Ended = "ended", "Put through", Ok;
    }
}

impl TransferStatus {
    /// The caller talks or talked to that person.
    pub fn is_reached(self) -> bool {
        matches!(self, TransferStatus::Connected | TransferStatus::Ended)
    }

    /// Nobody was reached, and nobody will be.
    pub fn is_missed(self) -> bool {
        matches!(self, TransferStatus::NotAnswered | TransferStatus::Failed)
    }
}

/// A person who was rung for a call, as its page shows it. Holds nothing that the viewer may not see.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TransferStep {
    pub destination: String,
    /// For the agency.
    pub number: Option<String>,
    pub status: TransferStatus,
    /// Why nobody was reached: for the agency.
    pub why: Option<String>,
    /// In the agent's words: for whoever sees steps.
    pub reason: Option<String>,
    pub at: Stamp,
    /// Until somebody answered, or nobody did.
    pub rang_seconds: Option<i64>,
    pub talked_seconds: Option<i64>,
}

impl TransferStep {
    /// `answered after 8 s, talked 2:05`.
    pub fn text(&self) -> String {
        let rang = self.rang_seconds.map(|seconds| format!("{seconds} s"));
        let mut text = match (self.status, rang) {
            (TransferStatus::Requested, _) => "about to be rung".to_owned(),
            (TransferStatus::Ringing, _) => "is being rung".to_owned(),
            (TransferStatus::Connected | TransferStatus::Ended, Some(rang)) => format!("answered after {rang}"),
            (TransferStatus::Connected | TransferStatus::Ended, None) => "answered".to_owned(),
            (TransferStatus::NotAnswered, Some(rang)) => format!("did not answer, rang for {rang}"),
            (TransferStatus::NotAnswered, None) => "did not answer".to_owned(),
            (TransferStatus::Failed, _) => "could not be rung".to_owned(),
        };
        if let Some(talked) = self.talked_seconds {
            text.push_str(&format!(", talked {}", length_text(talked)));
        }
        text
    }
}
