//! Fields as models fill them in: not each host holds a model to the schema, and a number as text or a null for an empty list is no reason
//! to pay for another answer. What has to be there has to be there all the same.

use serde::de::{DeserializeOwned, Error};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value, json};

use crate::model::Sentiment;
use crate::model::analysis::{Evidence, HeardOutcome};

/// `T` out of an answer whose fields are put right first.
pub(super) struct Answer<T>(pub T);

impl<'de, T: DeserializeOwned> Deserialize<'de> for Answer<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let mut fields = Map::deserialize(from)?;
        for (name, value) in &mut fields {
            *value = put_right(name, value.take()).map_err(D::Error::custom)?;
        }
        serde_json::from_value(Value::Object(fields)).map(Self).map_err(D::Error::custom)
    }
}

fn put_right(name: &str, value: Value) -> Result<Value, String> {
    Ok(match name {
        "topics" | "follow_ups" | "objections" | "issues_resolved" => texts(value),
        "goal_reached" | "qualified_lead" | "escalation" => yes(value)?,
        "goal_reason" | "qualification_reason" => json!(plain(value).unwrap_or_default()),
        "meeting_time" | "escalation_reason" | "callback_at" | "callback_words" => json!(plain(value)),
        // Inside what a call can hold.
        "meetings_booked" => json!(number(value).unwrap_or(0.0).clamp(0.0, 100.0) as u32),
        "satisfaction" => {
            json!(number(value).filter(|grade| (1.0..=5.0).contains(grade)).map(|grade| grade.round() as u8))
        }
        "sentiment" => json!(word(value).parse().unwrap_or(Sentiment::Neutral)),
        "outcome" => {
            json!(serde_json::from_value(Value::String(word(value))).unwrap_or(HeardOutcome::Answered))
        }
        "evidence" => evidence(value),
        _ => value,
    })
}

fn word(value: Value) -> String {
    plain(value).unwrap_or_default().trim().to_ascii_lowercase().replace([' ', '-'], "_")
}

fn plain(value: Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(yes) => Some(yes.to_string()),
        _ => None,
    }
}

fn number(value: Value) -> Option<f64> {
    plain(value)?.trim().parse().ok()
}

/// A text alone is a list of one.
fn texts(value: Value) -> Value {
    let texts: Vec<String> = match value {
        Value::Array(items) => items.into_iter().filter_map(plain).collect(),
        other => plain(other).into_iter().collect(),
    };
    json!(texts)
}

fn yes(value: Value) -> Result<Value, String> {
    match word(value).as_str() {
        "true" | "yes" | "1" => Ok(json!(true)),
        "false" | "no" | "0" | "" => Ok(json!(false)),
        other => Err(format!("{other:?} is neither true nor false")),
    }
}

/// Pieces that are none are left out. A place that is no number names no message.
fn evidence(value: Value) -> Value {
    let Value::Array(items) = value else { return json!([]) };
    let pieces = items.into_iter().filter_map(|mut item| {
        let position = item.get_mut("position")?;
        *position = json!(number(position.take()).map_or(-1, |position| position as i32));
        serde_json::from_value(item).ok()
    });
    json!(pieces.collect::<Vec<Evidence>>())
}

#[cfg(test)]
mod tests;
