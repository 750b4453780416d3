//! Events that Ultravox sends. The signature is checked before, over the raw bytes: see `signature`.

use super::{Kind, NAME, ProviderError, call};
use crate::json;
use crate::voice::{VoiceCall, words};
use crate::wire::{Fields, Remarks};
use chrono::{DateTime, Utc};
use serde_json::Value;

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
    /// Fields that could not be read and were left out, for people.
    pub remarks: Vec<String>,
}

impl WebhookEvent {
    /// Reads the bytes of an event.
    pub fn decode(body: &[u8]) -> Result<Self, ProviderError> {
        Self::read(&json::read(body).map_err(|why| unreadable(&why))?)
    }

    /// Reads the envelope `{"event": …, "call": {…}}`. Only the event's name and the call's id have to be there.
    pub fn read(document: &Value) -> Result<Self, ProviderError> {
        let (envelope, mut remarks) = (Fields::of(document), Remarks::new());
        let kind = envelope.id("event", &mut remarks).ok_or_else(|| unreadable("It doesn't say what happened"))?;
        let call = document.get("call").and_then(|value| call::call(value, &mut remarks));
        let call = call.ok_or_else(|| unreadable("It doesn't say which call it is about"))?;
        Ok(Self { kind: kind.as_str().into(), call, remarks })
    }

    /// The event with what it says by its name: a call that ended has an end, also if its time is missing or can't be read. `received`:
    /// when the event came here.
    pub fn received(mut self, received: DateTime<Utc>) -> Self {
        let call = &mut self.call;
        let joined = matches!(self.kind, WebhookKind::Joined);
        let ended = matches!(self.kind, WebhookKind::Ended | WebhookKind::Billed);
        for (time, is_past, what) in [(&mut call.joined, joined, "joined"), (&mut call.ended, ended, "ended")] {
            if is_past && time.is_none() {
                *time = Some(received);
                self.remarks.push(format!("{what} is missing; the time at which the event came was taken"));
            }
        }
        self
    }

    /// Events carry no id of their own. Each happens once per call, so this names it; duplicates share it.
    pub fn event_id(&self) -> String {
        format!("{}:{}", self.kind.as_str(), self.call.id)
    }

    /// When it happened, as far as the call tells.
    pub fn occurred_at(&self) -> Option<DateTime<Utc>> {
        let call = &self.call;
        match self.kind {
            WebhookKind::Started => call.created,
            WebhookKind::Joined => call.joined.or(call.created),
            _ => call.ended.or(call.joined).or(call.created),
        }
    }
}

fn unreadable(why: &str) -> ProviderError {
    ProviderError::new(NAME, Kind::Garbage, format!("The event can't be read: {why}"))
}
