//! The chunks of a streamed answer.

use super::Dialect;
use super::wire_format::{error_in_the_body, plain_text, usage};
use crate::chat::gather::{Gather, Heard};
use crate::chat::{ChatAnswer, ChatRequest, ToolCall};
use crate::error::{Kind, ProviderError};
use crate::sse::Event;
use crate::wire::{Fields, Remarks};
use serde_json::{Value, json};

/// An answer as far as it has come.
pub(super) struct Gathered {
    dialect: Dialect,
    request: ChatRequest,
    id: Option<String>,
    model: Option<String>,
    text: String,
    refusal: String,
    /// Each with the number that its pieces carry.
    calls: Vec<(Option<u64>, ToolCall)>,
    finish_reason: Option<String>,
    usage: Value,
    /// The service said that this was all.
    has_ended: bool,
}

impl Gathered {
    pub fn new(dialect: Dialect, request: ChatRequest) -> Self {
        Self {
            dialect,
            request,
            id: None,
            model: None,
            text: String::new(),
            refusal: String::new(),
            calls: Vec::new(),
            finish_reason: None,
            usage: json!({}),
            has_ended: false,
        }
    }

    fn error(&self, kind: Kind, said: &str) -> ProviderError {
        ProviderError::new(self.dialect.name, kind, said)
    }

    /// A piece of a call: the first has its name, the others more of its arguments. Some hosts give no numbers, and some give all calls
    /// the same one.
    fn piece(&mut self, piece: &Value) {
        let index = piece.get("index").and_then(Value::as_u64);
        let text = |pointer: &str| piece.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        let (id, name) = (text("/id"), text("/function/name"));
        let arguments = match piece.pointer("/function/arguments") {
            Some(Value::String(text)) => text.clone(),
            Some(value @ Value::Object(_)) => value.to_string(),
            _ => String::new(),
        };
        let known = match index {
            Some(_) => self.calls.iter_mut().rev().find(|(known, _)| *known == index),
            None => self.calls.last_mut(),
        };
        match known.filter(|(_, call)| id.is_empty() || call.id.is_empty() || call.id == id) {
            Some((_, call)) => {
                if call.id.is_empty() {
                    id.clone_into(&mut call.id);
                }
                if call.name.is_empty() {
                    name.clone_into(&mut call.name);
                }
                call.arguments.push_str(&arguments);
            }
            None => {
                let call = ToolCall { id: id.to_owned(), name: name.to_owned(), arguments };
                self.calls.push((index, call));
            }
        }
    }
}

impl Gather for Gathered {
    fn take(&mut self, event: &Event) -> Result<Heard, ProviderError> {
        if event.data.trim() == "[DONE]" {
            self.has_ended = true;
            return Ok(Heard::End);
        }
        let chunk = crate::json::read(event.data.as_bytes())
            .map_err(|why| self.error(Kind::Garbage, &format!("A piece of the answer can't be read: {why}")))?;
        let (whole, mut remarks) = (Fields::of(&chunk), Remarks::new());
        let choice = whole.get("choices").and_then(|choices| choices.get(0)).filter(|choice| choice.is_object());
        let inside = choice.and_then(|choice| Fields::of(choice).get("error"));
        if let Some(error) = whole.get("error").or(inside) {
            return Err(error_in_the_body(self.dialect, error));
        }
        self.id = self.id.take().or_else(|| whole.id("id", &mut remarks));
        self.model = self.model.take().or_else(|| whole.id("model", &mut remarks));
        if let Some(usage) = whole.get("usage").filter(|usage| usage.is_object()) {
            self.usage = usage.clone();
        }
        let Some(choice) = choice.map(Fields::of) else { return Ok(Heard::Nothing) };
        if let Some(reason) = choice.text("finish_reason", &mut remarks).filter(|reason| !reason.is_empty()) {
            if reason == "error" {
                return Err(self.error(Kind::Unavailable, "The model stopped with an error"));
            }
            self.finish_reason = Some(reason);
        }
        let Some(delta) = choice.get("delta").filter(|delta| delta.is_object()) else { return Ok(Heard::Nothing) };
        for piece in delta.get("tool_calls").and_then(Value::as_array).into_iter().flatten() {
            self.piece(piece);
        }
        if let Some(refusal) = delta.get("refusal").and_then(Value::as_str) {
            self.refusal.push_str(refusal);
        }
        let words = delta.get("content").map(plain_text).unwrap_or_default();
        self.text.push_str(&words);
        Ok(Heard::Words(words))
    }

    fn is_complete(&self) -> bool {
        self.finish_reason.is_some()
    }

    fn finish(&mut self) -> Result<ChatAnswer, ProviderError> {
        let calls: Vec<ToolCall> = std::mem::take(&mut self.calls)
            .into_iter()
            .map(|(_, call)| call)
            .filter(|call| !call.name.is_empty())
            .collect();
        let nothing = self.text.is_empty() && self.refusal.is_empty() && calls.is_empty();
        if self.finish_reason.is_none() {
            if !self.has_ended {
                return Err(self.error(Kind::Network, "The answer broke off before its end"));
            }
            // An end without a reason: half a call shows that it was none.
            if calls.iter().any(|call| serde_json::from_str::<Value>(&call.arguments).is_err()) {
                return Err(self.error(Kind::Network, "The answer broke off in the middle of a call"));
            }
            if nothing {
                return Err(self.error(Kind::Garbage, "The answer holds nothing"));
            }
        }
        Ok(ChatAnswer {
            provider: self.dialect.name,
            id: self.id.take().unwrap_or_default(),
            model: self.model.take().unwrap_or_else(|| self.request.model.clone()),
            usage: usage(Fields::of(&self.usage), &self.request, &self.text, &calls),
            text: std::mem::take(&mut self.text),
            refusal: Some(std::mem::take(&mut self.refusal)).filter(|refusal| !refusal.trim().is_empty()),
            tool_calls: calls,
            finish_reason: self.finish_reason.take(),
        })
    }
}
