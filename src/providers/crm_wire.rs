//! What both CRMs need in reading and writing: values of any type as text, ids that can stand in a path, numbers that are the same.

use serde_json::Value;

use crate::crm::CrmRefusal;
use crate::error::{Kind, ProviderError};

/// The longest value that is taken; what is longer is cut.
const LONGEST_VALUE: usize = 8_000;
/// So many digits at the end make two telephone numbers the same, if both have them.
const SAME_DIGITS: usize = 9;
/// A shorter number is none that somebody could be found by.
const FEWEST_DIGITS: usize = 7;

/// A property's value as text, without characters that no text has. None: there is none.
pub(crate) fn value_of(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Bool(yes) => yes.to_string(),
        // A list of choices, or a record that is named.
        Value::Array(all) => all.iter().filter_map(value_of).collect::<Vec<_>>().join(";"),
        Value::Object(fields) => fields.get("name").or_else(|| fields.get("id")).and_then(value_of)?,
        Value::Null => return None,
    };
    let clean: String =
        text.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).take(LONGEST_VALUE).collect();
    Some(clean).filter(|clean| !clean.is_empty())
}

/// An id of a record: digits, as both services have them.
pub(crate) fn id_of(value: &Value) -> Option<String> {
    let id = match value {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.as_u64()?.to_string(),
        _ => return None,
    };
    is_id(&id).then_some(id)
}

pub(crate) fn is_id(id: &str) -> bool {
    (1..=30).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_digit())
}

/// A name of a property, as both services have them.
pub(crate) fn is_name(name: &str) -> bool {
    (1..=100).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'$'))
}

/// Names that can be asked for, each once.
pub(crate) fn names(wanted: &[String], also: &[&str]) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for name in also.iter().copied().chain(wanted.iter().map(String::as_str)) {
        if is_name(name) && !all.iter().any(|known| known == name) {
            all.push(name.to_owned());
        }
    }
    all
}

/// The digits of a number.
pub(crate) fn digits(number: &str) -> String {
    number.chars().filter(char::is_ascii_digit).collect()
}

/// Both numbers ring the same telephone, as far as their digits tell: one may have a country in front and the other a zero.
pub(crate) fn is_same_number(one: &str, other: &str) -> bool {
    let (one, other) = (digits(one), digits(other));
    let end = |text: &str| text[text.len().saturating_sub(SAME_DIGITS)..].to_owned();
    one.len() >= FEWEST_DIGITS && other.len() >= FEWEST_DIGITS && end(&one) == end(&other)
}

/// What a search for a number looks for. None: it is too short.
pub(crate) fn end_of_number(number: &str) -> Option<String> {
    let digits = digits(number);
    (digits.len() >= FEWEST_DIGITS).then(|| digits[digits.len().saturating_sub(SAME_DIGITS)..].to_owned())
}

/// Our key as one word that a search finds. Errors: it is too short to be one.
pub(crate) fn word_of(provider: &'static str, key: &str) -> Result<String, ProviderError> {
    let word: String = key.chars().filter(char::is_ascii_alphanumeric).take(64).collect();
    match word.len() {
        8.. => Ok(word),
        _ => Err(ProviderError::new(provider, Kind::Rejected, "The key of the activity is too short")),
    }
}

/// A refusal of one record that a request of its own got.
pub(crate) fn refusal_of(error: &ProviderError) -> CrmRefusal {
    CrmRefusal {
        message: if error.message.is_empty() { error.sentence() } else { error.message.clone() },
        property: None,
        is_gone: error.kind == Kind::NotFound,
        merged_into: None,
        may_repeat: error.is_passing_trouble(),
    }
}

/// A refusal of ours, before anything was asked.
pub(crate) fn refused(message: &str) -> CrmRefusal {
    let message = crate::error::one_line(message);
    CrmRefusal { message, property: None, is_gone: false, merged_into: None, may_repeat: false }
}

/// The request was about one record, and that one was refused; others may go well.
pub(crate) fn is_about_the_record(error: &ProviderError) -> bool {
    matches!(error.kind, Kind::NotFound | Kind::Rejected)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_of_any_type_are_text() {
        assert_eq!(value_of(&json!("a\u{0}b\u{7}\nc")).as_deref(), Some("ab\nc"));
        assert_eq!(value_of(&json!(true)).as_deref(), Some("true"));
        assert_eq!(value_of(&json!(12.5)).as_deref(), Some("12.5"));
        assert_eq!(value_of(&json!(["red", "blue"])).as_deref(), Some("red;blue"));
        assert_eq!(value_of(&json!({"name": "ACME", "id": "1"})).as_deref(), Some("ACME"));
        assert_eq!(value_of(&json!("")), None);
        assert_eq!(value_of(&json!({"odd": 1})), None);
        assert_eq!(value_of(&json!("x".repeat(20_000))).map(|text| text.len()), Some(LONGEST_VALUE));
    }

    #[test]
    fn ids_are_digits() {
        assert_eq!(id_of(&json!("3652397000000649013")).as_deref(), Some("3652397000000649013"));
        assert_eq!(id_of(&json!(123)).as_deref(), Some("123"));
        for odd in [json!("../1"), json!(""), json!("12?x"), json!(1.5), json!(null), json!("9".repeat(40))] {
            assert_eq!(id_of(&odd), None, "{odd}");
        }
    }

    #[test]
    fn numbers_are_the_same_in_all_their_forms() {
        assert!(is_same_number("+49 30 5550 1177", "030/55501177"));
        assert!(is_same_number("+13125550123", "(312) 555-0123"));
        assert!(!is_same_number("+13125550123", "+13125550124"));
        assert!(!is_same_number("12345", "12345"), "too short to tell");
    }
}
