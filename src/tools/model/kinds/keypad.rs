use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{FieldSpec, KindConfig, Values};
use patchbay_shared::FieldErrors;

/// Presses keys of the telephone. The voice service does it itself.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Keypad {}

impl KindConfig for Keypad {
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
        let about = "The keys in order: 0 to 9, * and #.";
        json!({
            "type": "object",
            "properties": { "digits": { "type": "string", "description": about } },
            "required": ["digits"]
        })
    }

    fn only_reads(&self) -> bool {
        false
    }

    fn built_in(&self) -> Option<(&'static str, Value)> {
        Some(("playDtmfSounds", json!({})))
    }
}
