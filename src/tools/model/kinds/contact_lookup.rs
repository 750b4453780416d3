use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{FieldSpec, KindConfig, Values};
use patchbay_shared::FieldErrors;

/// Looks a contact up, of the client that the call is for.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ContactLookup {}

impl KindConfig for ContactLookup {
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
        "Contacts of the call’s client".to_owned()
    }

    fn parameters(&self) -> Value {
        json!({
            "type": "object",
            "properties": {
                "phone": { "type": "string", "description": "A telephone number, with country code if it is known. Leave it out for the person on the call." },
                "name": { "type": "string", "description": "Words of a name or company, when the number is not known." }
            }
        })
    }

    fn only_reads(&self) -> bool {
        true
    }
}
