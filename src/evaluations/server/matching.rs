//! Whether what an agent said and did is what a case expects. Nothing here asks anybody.

use regex::RegexBuilder;
use serde_json::Value;

use crate::model::{By, Check, Line, Matcher, ToolCheck};
use patchbay_tools::model::schema;

/// What a pattern may take in memory once it is compiled.
const LARGEST_PATTERN: usize = 1 << 20;

/// Compiles a pattern; finding one takes time in proportion to the text. Errors: what is wrong with it.
pub(crate) fn pattern(text: &str) -> Result<regex::Regex, String> {
    let built = RegexBuilder::new(text).size_limit(LARGEST_PATTERN).dfa_size_limit(LARGEST_PATTERN).build();
    built.map_err(|error| match error {
        regex::Error::CompiledTooBig(_) => "The pattern is too large. Shorten its repetitions.".to_owned(),
        other => {
            let said = other.to_string();
            let last = said.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
            format!("This is not a pattern: {last}. Look-around and back-references are not there.")
        }
    })
}

/// Compares the words. None: a judge decides.
pub(crate) fn words(matcher: Matcher, expected: &str, actual: &str) -> Option<Vec<Check>> {
    let check = |what: String, is_met: bool, why: String| Check { what, is_met, why };
    Some(match matcher {
        Matcher::Judge => return None,
        Matcher::Exact => {
            let (wanted, said) = (expected.trim(), actual.trim());
            vec![check("says exactly what is expected".to_owned(), wanted == said, difference(wanted, said))]
        }
        Matcher::Contains => {
            let said = actual.to_lowercase();
            let lines = expected.lines().map(str::trim).filter(|line| !line.is_empty());
            let checks = lines.map(|line| {
                let is_met = said.contains(&line.to_lowercase());
                check(
                    format!("says “{line}”"),
                    is_met,
                    if is_met { String::new() } else { "It was not said.".to_owned() },
                )
            });
            checks.collect()
        }
        Matcher::Regex => {
            let (is_met, why) = match pattern(expected) {
                Ok(found) if found.is_match(actual) => (true, String::new()),
                Ok(_) => (false, "Nothing that was said fits the pattern.".to_owned()),
                Err(why) => (false, why),
            };
            vec![check("fits the pattern".to_owned(), is_met, why)]
        }
        Matcher::JsonSchema => {
            let read = schema::read(expected).and_then(|schema| {
                let text = without_fence(actual);
                let value: Value =
                    serde_json::from_str(text).map_err(|error| format!("The answer is not JSON: {error}."))?;
                schema::validate(&schema, &value)
            });
            vec![check("fits the schema".to_owned(), read.is_ok(), read.err().unwrap_or_default())]
        }
    })
}

/// Models wrap JSON in a code fence.
fn without_fence(text: &str) -> &str {
    let text = text.trim();
    let Some(inner) = text.strip_prefix("```").and_then(|rest| rest.strip_suffix("```")) else { return text };
    inner.strip_prefix("json").unwrap_or(inner).trim()
}

/// Where two texts part.
fn difference(expected: &str, actual: &str) -> String {
    if expected == actual {
        return String::new();
    }
    let same = expected.chars().zip(actual.chars()).take_while(|(one, other)| one == other).count();
    let from = |text: &str| -> String {
        let rest: String = text.chars().skip(same).take(40).collect();
        if rest.is_empty() { "nothing more".to_owned() } else { format!("“{rest}”") }
    };
    let before: String = actual.chars().take(same).collect::<Vec<_>>().into_iter().rev().take(20).collect();
    let before: String = before.chars().rev().collect();
    let place = if before.is_empty() { "At the beginning".to_owned() } else { format!("Behind “{before}”") };
    format!("{place}: {} was expected, {} was said.", from(expected), from(actual))
}

/// Whether the tools were called that had to be, and no other ones.
pub(crate) fn tools(checks: &[ToolCheck], transcript: &[Line]) -> Vec<Check> {
    let found = checks.iter().map(|check| {
        let uses: Vec<&Line> = transcript
            .iter()
            .filter(|line| line.by == By::Tool && line.tool.as_deref() == Some(check.tool.as_str()))
            .collect();
        let times = match uses.len() {
            0 => "never called".to_owned(),
            1 => "called once".to_owned(),
            times => format!("called {times} times"),
        };
        let is_met = match (&check.arguments, check.is_called) {
            (_, false) => uses.is_empty(),
            (None, true) => !uses.is_empty(),
            (Some(wanted), true) => {
                uses.iter().any(|line| line.arguments.as_ref().is_some_and(|given| contains(given, wanted)))
            }
        };
        let given = || {
            let given: Vec<String> =
                uses.iter().filter_map(|line| Some(line.arguments.as_ref()?.to_string())).collect();
            if given.is_empty() { String::new() } else { format!(" with {}", given.join(" and ")) }
        };
        let what = match (&check.arguments, check.is_called) {
            (_, false) => format!("{} is not called", check.tool),
            (None, true) => format!("{} is called", check.tool),
            (Some(wanted), true) => format!("{} is called with {wanted}", check.tool),
        };
        let why = if check.arguments.is_some() { format!("{times}{}", given()) } else { times };
        Check { what, is_met, why }
    });
    found.collect()
}

/// Whether a value holds another: each field of an object, each item of a list, a part of a text whatever its capitals.
fn contains(given: &Value, wanted: &Value) -> bool {
    match (given, wanted) {
        (Value::Object(given), Value::Object(wanted)) => {
            wanted.iter().all(|(name, value)| given.get(name).is_some_and(|given| contains(given, value)))
        }
        (Value::Array(given), Value::Array(wanted)) => {
            wanted.iter().all(|value| given.iter().any(|given| contains(given, value)))
        }
        (Value::String(given), Value::String(wanted)) => given.to_lowercase().contains(&wanted.to_lowercase()),
        (Value::Number(given), Value::Number(wanted)) => given.as_f64() == wanted.as_f64(),
        (given, wanted) => given == wanted,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn met(matcher: Matcher, expected: &str, actual: &str) -> bool {
        words(matcher, expected, actual).unwrap().iter().all(|check| check.is_met)
    }

    #[test]
    fn words_are_compared_as_the_case_says() {
        assert!(
            met(Matcher::Contains, "tuesday\n\n9:30", "On Tuesday at 9:30.") && !met(Matcher::Contains, "a\nb", "a")
        );
        assert!(met(Matcher::Exact, " Yes. ", "Yes.\n") && !met(Matcher::Exact, "Yes.", "yes."));
        let checks = words(Matcher::Exact, "It is 120 francs", "It is 90 francs").unwrap();
        assert_eq!(checks[0].why, "Behind “It is ”: “120 francs” was expected, “90 francs” was said.");
        assert!(met(Matcher::Regex, r"\b\d{2}:\d{2}\b", "at 09:30") && !met(Matcher::Regex, "^x", "a x"));
        // It takes no longer than its length says: such a pattern holds a backtracking engine for years.
        assert!(!met(Matcher::Regex, "^(a+)+$", &format!("{}b", "a".repeat(10_000))));
        assert!(
            pattern("(?<=a)b").is_err() && pattern(r"(a)\1").is_err() && pattern("(((a{999}){999}){999})").is_err()
        );
        let schema = r#"{"type": "object", "properties": {"day": {"type": "string"}}, "required": ["day"]}"#;
        assert!(met(Matcher::JsonSchema, schema, "```json\n{\"day\": \"Tue\"}\n```"));
        assert!(!met(Matcher::JsonSchema, schema, "{\"day\": 2}") && !met(Matcher::JsonSchema, schema, "Tuesday"));
        assert!(words(Matcher::Judge, "", "").is_none());
    }

    #[test]
    fn tools_are_found_by_their_values() {
        let used = |tool: &str, arguments: Value| Line {
            by: By::Tool,
            text: String::new(),
            tool: Some(tool.to_owned()),
            arguments: Some(arguments),
            is_error: false,
            is_stubbed: true,
        };
        let said = [used("book", json!({"day": "Tuesday morning", "n": 2, "who": {"name": "Ada"}}))];
        let wanted = |text: &str| {
            let checks = crate::model::read_checks(text).unwrap();
            tools(&checks, &said).iter().all(|check| check.is_met)
        };
        assert!(wanted("book\nnot transfer") && wanted(r#"book {"day": "tuesday", "n": 2.0, "who": {"name": "ada"}}"#));
        assert!(!wanted("not book") && !wanted("transfer") && !wanted(r#"book {"day": "Monday"}"#));
    }
}
