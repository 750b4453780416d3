use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{FieldSpec, KindConfig, Values};
use patchbay_shared::FieldErrors;

/// Leaves a message with an answering machine. The voice service does it itself.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Voicemail {}

impl KindConfig for Voicemail {
    fn fields() -> Vec<FieldSpec> {
        Vec::new()
    }

    fn read(_: &Values, _: &mut FieldErrors) -> Self {
        Self {}
    }

    fn values(&self) -> Vec<(&'static str, String)> {
        Vec::new()
    }

    fn summary(&self) -> String {
        "Done by the voice service".to_owned()
    }

    fn parameters(&self) -> Value {
        json!({
            "type": "object",
            "properties": { "message": { "type": "string", "description": "What is said after the tone." } },
            "required": ["message"]
        })
    }

    fn only_reads(&self) -> bool {
        false
    }

    fn built_in(&self) -> Option<(&'static str, Value)> {
        Some(("leaveVoicemail", json!({})))
    }
}
