//! Events that Ultravox sends. The signature is checked before, over the raw bytes: see `signature`.

use super::call::Call;
use super::{Kind, NAME, ProviderError};
use crate::voice::{VoiceCall, words};
use chrono::{DateTime, Utc};
use serde::Deserialize;

words! {
    /// What happened to the call.
    WebhookKind {
        Started = "call.started",
        Joined = "call.joined",
        /// Also sent for calls that nobody joined; the bill may still be open.
        Ended = "call.ended",
        /// The bill is settled.
        Billed = "call.billed",
    }
}

/// One event: what happened, and the whole call as it was then.
#[derive(Debug, Clone, PartialEq)]
pub struct WebhookEvent {
    pub kind: WebhookKind,
    pub call: VoiceCall,
}

impl WebhookEvent {
    /// Reads the envelope `{"event": …, "call": {…}}`.
    pub fn decode(body: &[u8]) -> Result<Self, ProviderError> {
        #[derive(Deserialize)]
        struct Envelope {
            event: String,
            call: Call,
        }
        let envelope: Envelope = serde_json::from_slice(body)
            .map_err(|e| ProviderError::new(NAME, Kind::Garbage, format!("The event can't be read: {e}")))?;
        Ok(Self { kind: envelope.event.as_str().into(), call: envelope.call.into() })
    }

    /// Events carry no id of their own. Each happens once per call, so this names it; duplicates share it.
    pub fn event_id(&self) -> String {
        format!("{}:{}", self.kind.as_str(), self.call.id)
    }

    /// When it happened, as far as the call tells.
    pub fn occurred_at(&self) -> DateTime<Utc> {
        let call = &self.call;
        match self.kind {
            WebhookKind::Started => call.created,
            WebhookKind::Joined => call.joined.unwrap_or(call.created),
            _ => call.ended.or(call.joined).unwrap_or(call.created),
        }
    }
}
