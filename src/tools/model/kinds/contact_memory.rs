use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{FieldSpec, KindConfig, Values};
use patchbay_shared::FieldErrors;

/// Notes about the contact that the call is with, for later calls.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ContactMemory {}

impl KindConfig for ContactMemory {
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
        "Notes about the contact, read again in later calls".to_owned()
    }

    fn parameters(&self) -> Value {
        json!({
            "type": "object",
            "properties": {
                "action": { "type": "string", "enum": ["read", "write"] },
                "note": { "type": "string", "description": "With write: one fact, in one or two sentences." }
            },
            "required": ["action"]
        })
    }

    fn only_reads(&self) -> bool {
        false
    }
}
