use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{FieldSpec, Input, KindConfig, Values, value};
use patchbay_shared::FieldErrors;

/// Ends the call. The voice service does it itself.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct EndCall {
    /// Whoever speaks at that moment keeps the call.
    pub yields: bool,
}

impl KindConfig for EndCall {
    fn fields() -> Vec<FieldSpec> {
        let hint = "The call goes on when the other person says something at that moment.";
        vec![FieldSpec::new("yields", "Keep the call when they speak", Input::Tick, hint)]
    }

    fn read(values: &Values, _: &mut FieldErrors) -> Self {
        Self { yields: !value(values, "yields").is_empty() }
    }

    fn values(&self) -> Vec<(&'static str, String)> {
        if self.yields { vec![("yields", "true".to_owned())] } else { Vec::new() }
    }

    fn summary(&self) -> String {
        if self.yields { "Unless they speak at that moment" } else { "At once" }.to_owned()
    }

    fn parameters(&self) -> Value {
        json!({ "type": "object", "properties": { "reason": { "type": "string", "description": "Why the call ends." } } })
    }

    fn only_reads(&self) -> bool {
        false
    }

    fn built_in(&self) -> Option<(&'static str, Value)> {
        Some(("hangUp", json!({ "strict": !self.yields })))
    }
}
