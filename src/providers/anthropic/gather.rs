//! The events of a streamed answer.

use super::NAME;
use super::wire_format::{Parts, error_in_the_body, put_together};
use crate::chat::gather::{Gather, Heard};
use crate::chat::{ChatAnswer, ChatRequest, ToolCall};
use crate::error::{Kind, ProviderError};
use crate::sse::Event;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// An answer as far as it has come.
pub(super) struct Gathered {
    request: ChatRequest,
    id: Option<String>,
    model: Option<String>,
    text: String,
    /// By the number of their block.
    calls: BTreeMap<u64, ToolCall>,
    stop_reason: Option<String>,
    usage: Map<String, Value>,
}

impl Gathered {
    pub fn new(request: ChatRequest) -> Self {
        Self {
            request,
            id: None,
            model: None,
            text: String::new(),
            calls: BTreeMap::new(),
            stop_reason: None,
            usage: Map::new(),
        }
    }

    /// Counts are told anew and grow; what a later event leaves out stays.
    fn count(&mut self, usage: Option<&Value>) {
        for (name, value) in
            usage.and_then(Value::as_object).into_iter().flatten().filter(|(_, value)| value.is_number())
        {
            self.usage.insert(name.clone(), value.clone());
        }
    }
}

impl Gather for Gathered {
    fn take(&mut self, event: &Event) -> Result<Heard, ProviderError> {
        let document = crate::json::read(event.data.as_bytes()).map_err(|why| {
            ProviderError::new(NAME, Kind::Garbage, format!("A piece of the answer can't be read: {why}"))
        })?;
        let said = |pointer: &str| document.pointer(pointer).and_then(Value::as_str);
        let index = document.get("index").and_then(Value::as_u64).unwrap_or(0);
        match said("/type").unwrap_or_default() {
            "message_start" => {
                self.id = said("/message/id").map(str::to_owned);
                self.model = said("/message/model").map(str::to_owned);
                self.count(document.pointer("/message/usage"));
            }
            "content_block_start" => {
                if said("/content_block/type") == Some("tool_use") {
                    let text = |pointer: &str| said(pointer).unwrap_or_default().to_owned();
                    let arguments = match document.pointer("/content_block/input") {
                        Some(Value::Object(input)) if !input.is_empty() => Value::Object(input.clone()).to_string(),
                        _ => String::new(),
                    };
                    let (id, name) = (text("/content_block/id"), text("/content_block/name"));
                    self.calls.insert(index, ToolCall { id, name, arguments });
                }
                if let Some(words) = said("/content_block/text") {
                    self.text.push_str(words);
                    return Ok(Heard::Words(words.to_owned()));
                }
            }
            "content_block_delta" => {
                if let Some(words) = said("/delta/text") {
                    self.text.push_str(words);
                    return Ok(Heard::Words(words.to_owned()));
                }
                if let (Some(piece), Some(call)) = (said("/delta/partial_json"), self.calls.get_mut(&index)) {
                    call.arguments.push_str(piece);
                }
            }
            "message_delta" => {
                if let Some(reason) = said("/delta/stop_reason") {
                    self.stop_reason = Some(reason.to_owned());
                }
                self.count(document.get("usage"));
            }
            "message_stop" => return Ok(Heard::End),
            "error" => return Err(error_in_the_body(&document)),
            // A sign of life, or something newer than this program.
            _ => {}
        }
        Ok(Heard::Nothing)
    }

    fn is_complete(&self) -> bool {
        self.stop_reason.is_some()
    }

    fn finish(&mut self) -> Result<ChatAnswer, ProviderError> {
        if self.stop_reason.is_none() {
            return Err(ProviderError::new(NAME, Kind::Network, "The answer broke off before its end"));
        }
        let calls = std::mem::take(&mut self.calls).into_values().map(|mut call| {
            if call.arguments.trim().is_empty() {
                "{}".clone_into(&mut call.arguments);
            }
            call
        });
        let tool_calls = calls.collect();
        let parts = Parts {
            id: self.id.take(),
            model: self.model.take(),
            text: std::mem::take(&mut self.text),
            tool_calls,
            stop_reason: self.stop_reason.take(),
            usage: json!(std::mem::take(&mut self.usage)),
        };
        Ok(put_together(&self.request, parts))
    }
}
