use serde_json::{Map, Value, json};

use crate::model::CampaignType;
use patchbay_providers::chat::AnswerSchema;

/// The form for one kind of campaign. Strict: every field is required and nothing else may stand there. Bounds are not in it, because
/// some hosts refuse them; they are kept when the answer is read.
pub(crate) fn of(kind: CampaignType) -> AnswerSchema {
    let own = match kind {
        CampaignType::Sdr => json!({
            "meetings_booked": {"type": "integer", "description": "Meetings that both sides agreed on."},
            "meeting_time": {"type": ["string", "null"], "description": "When the meeting is, as it was said."},
            "qualified_lead": {"type": "boolean"},
            "qualification_reason": {"type": "string", "description": "Why the lead is qualified or not, in one sentence."},
            "objections": list("A reason against, in a few words."),
        }),
        CampaignType::Cs => json!({
            "issues_resolved": list("Something that was settled, in a few words."),
            "escalation": {"type": "boolean", "description": "The matter went or must go to a person."},
            "escalation_reason": {"type": ["string", "null"]},
            "satisfaction": {"type": ["integer", "null"], "description": "From 1 (upset) to 5 (delighted), or null."},
        }),
    };
    let common = json!({
        "summary": {"type": "string", "description": "What the call was about and how it ended, in two or three sentences."},
        "sentiment": {"type": "string", "enum": ["positive", "neutral", "negative"], "description": "How the other side sounded."},
        "topics": list("A subject, in one to three words."),
        "follow_ups": list("Something that must be done now, as an instruction."),
        "goal_reached": {"type": "boolean"},
        "goal_reason": {"type": "string", "description": "Why the goal was reached or not, in one sentence."},
        "outcome": {"type": "string", "enum": ["answered", "voicemail", "declined", "callback_scheduled"]},
        "callback_at": {"type": ["string", "null"], "description": "The agreed moment, or null."},
        "callback_words": {"type": ["string", "null"], "description": "Exact words of one message that say when, or null."},
        "evidence": {
            "type": "array",
            "items": object(json!({
                "claim": {"type": "string"},
                "quote": {"type": "string", "description": "Exact words of one message."},
                "position": {"type": "integer", "description": "The number of that message."},
            })),
        },
    });
    let mut fields = Map::new();
    for part in [common, own] {
        if let Value::Object(part) = part {
            fields.extend(part);
        }
    }
    AnswerSchema { name: format!("call_analysis_{kind}"), schema: object(Value::Object(fields)) }
}

fn object(fields: Value) -> Value {
    let names: Vec<String> = fields.as_object().map(|fields| fields.keys().cloned().collect()).unwrap_or_default();
    json!({"type": "object", "properties": fields, "required": names, "additionalProperties": false})
}

fn list(of: &str) -> Value {
    json!({"type": "array", "items": {"type": "string", "description": of}})
}

#[cfg(test)]
mod tests {
    use super::*;

    fn only_words_that_every_host_takes(schema: &Value) {
        for (word, value) in schema.as_object().unwrap() {
            match word.as_str() {
                "type" | "description" | "enum" | "required" | "additionalProperties" => {}
                "properties" => value.as_object().unwrap().values().for_each(only_words_that_every_host_takes),
                "items" => only_words_that_every_host_takes(value),
                word => panic!("{word} is refused by some hosts"),
            }
        }
    }

    #[test]
    fn the_form_is_strict_and_fits_the_types() {
        for kind in [CampaignType::Sdr, CampaignType::Cs] {
            let schema = of(kind).schema;
            let names = schema["properties"].as_object().unwrap().keys().count();
            assert_eq!(schema["required"].as_array().unwrap().len(), names);
            assert_eq!(schema["additionalProperties"], json!(false));
            only_words_that_every_host_takes(&schema);
        }
    }
}
