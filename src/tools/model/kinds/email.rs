use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::http::number;
use super::{FieldSpec, Input, KindConfig, Values, value};
use patchbay_shared::FieldErrors;

const MOST_ADDRESSES: usize = 10;

/// Sends an e-mail in the agency's name: to the contact, or to addresses that somebody has fixed. The model never chooses an address.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct SendEmail {
    /// Empty: to the contact on the call.
    pub addresses: Vec<String>,
    pub most_in_call: u32,
    pub most_in_day: u32,
}

impl KindConfig for SendEmail {
    fn fields() -> Vec<FieldSpec> {
        vec![
            FieldSpec::new(
                "emails",
                "Fixed addresses",
                Input::Lines(3),
                "One per line, at most 10. Empty: to the address that is stored for the contact on the call. The model never chooses an address.",
            ),
            FieldSpec::new(
                "most_in_call",
                "Uses in one call",
                Input::Line,
                "1 to 5. Each goes to every fixed address.",
            ),
            FieldSpec::new("most_in_day", "Uses in 24 hours", Input::Line, "1 to 500, tries included."),
        ]
    }

    fn read(values: &Values, errors: &mut FieldErrors) -> Self {
        let mut addresses: Vec<String> = Vec::new();
        for line in value(values, "emails").lines().map(str::trim).filter(|line| !line.is_empty()) {
            if !patchbay_shared::email::is_address(line) {
                errors.add("emails", "Write one e-mail address on each line, as anna@example.com.");
            } else if !addresses.iter().any(|known| known.eq_ignore_ascii_case(line)) {
                addresses.push(line.to_owned());
            }
        }
        if addresses.len() > MOST_ADDRESSES {
            errors.add("emails", "Give at most 10 addresses.");
        }
        Self {
            addresses,
            most_in_call: number(values, "most_in_call", 1, 5, 1, errors),
            most_in_day: number(values, "most_in_day", 1, 500, 50, errors),
        }
    }

    fn values(&self) -> Vec<(&'static str, String)> {
        vec![
            ("emails", self.addresses.join("\n")),
            ("most_in_call", self.most_in_call.to_string()),
            ("most_in_day", self.most_in_day.to_string()),
        ]
    }

    fn summary(&self) -> String {
        match self.addresses.len() {
            0 => "To the contact".to_owned(),
            1 => format!("To {}", self.addresses[0]),
            count => format!("To {count} addresses"),
        }
    }

    fn parameters(&self) -> Value {
        json!({
            "type": "object",
            "properties": {
                "subject": { "type": "string", "description": "What it is about, in a few words." },
                "text": { "type": "string", "description": "The whole text, as the reader gets it: plain text with a greeting." }
            },
            "required": ["subject", "text"]
        })
    }

    fn only_reads(&self) -> bool {
        false
    }
}
