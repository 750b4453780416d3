use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::http::number;
use super::{FieldSpec, Input, KindConfig, Values, value};
use patchbay_shared::FieldErrors;

/// The longest text that a model may write, in characters.
pub const LONGEST_SPOKEN_TEXT: usize = 480;
const LONGEST_FIXED: usize = 1600;

/// Sends a text message (SMS) to whoever is on the line. The model never chooses a number.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct TextMessage {
    /// With `{{variables}}` of the contact. Empty: the model writes the text.
    pub template: String,
    pub most_in_call: u32,
}

impl KindConfig for TextMessage {
    fn fields() -> Vec<FieldSpec> {
        vec![
            FieldSpec::new(
                "template",
                "Fixed text",
                Input::Lines(4),
                "With {{first_name}} and other details of the contact, at most 1,600 characters. Empty: the model writes at most 480 characters. It always goes to the number on the line.",
            ),
            FieldSpec::new("most_in_call", "Messages in one call", Input::Line, "1 to 5."),
        ]
    }

    fn read(values: &Values, errors: &mut FieldErrors) -> Self {
        let template = value(values, "template").replace("\r\n", "\n");
        if template.chars().count() > LONGEST_FIXED {
            errors.add("template", "The text is too long: at most 1,600 characters.");
        }
        Self { template, most_in_call: number(values, "most_in_call", 1, 5, 1, errors) }
    }

    fn values(&self) -> Vec<(&'static str, String)> {
        vec![("template", self.template.clone()), ("most_in_call", self.most_in_call.to_string())]
    }

    fn summary(&self) -> String {
        match self.template.is_empty() {
            true => "The model writes the text".to_owned(),
            false => format!("“{}”", self.template.chars().take(60).collect::<String>()),
        }
    }

    fn parameters(&self) -> Value {
        match self.template.is_empty() {
            false => json!({"type": "object", "properties": {}}),
            true => json!({
                "type": "object",
                "properties": {
                    "text": {
                        "type": "string", "maxLength": LONGEST_SPOKEN_TEXT,
                        "description": "The whole message, as the person reads it: plain text of at most 480 characters, and who writes."
                    }
                },
                "required": ["text"]
            }),
        }
    }

    fn only_reads(&self) -> bool {
        false
    }
}
