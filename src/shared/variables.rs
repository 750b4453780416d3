//! Values for a prompt's `{{names}}`, as people type them: one `name = value` a line.

use std::collections::BTreeMap;

/// Names that every call of a campaign fills by itself.
pub const FILLED_BY_CONTACT: [&str; 6] = ["contact_name", "first_name", "company", "email", "client_name", "goal"];
/// The name that calls which come in fill beside those about the contact.
pub const CALLER_NUMBER: &str = "caller_number";

/// A name that a prompt can ask for: letters without accents, digits and `_`, in parts separated by dots.
fn is_variable(name: &str) -> bool {
    name.len() <= 80
        && name.split('.').all(|part| {
            part.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
                && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        })
}

/// `key = value` lines as a map. Errors: a sentence that names the line.
pub fn parse_variables(text: &str) -> Result<BTreeMap<String, String>, String> {
    let mut map = BTreeMap::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() {
            continue;
        }
        let Some((key, value)) = line.split_once('=') else {
            return Err(format!("Line {} has no “=”. Write name = value.", index + 1));
        };
        let key = key.trim().trim_start_matches("{{").trim_end_matches("}}").trim();
        if !is_variable(key) {
            return Err(format!(
                "Line {}: a name is made of plain letters, digits and _, and does not begin with a digit.",
                index + 1
            ));
        }
        if map.insert(key.to_owned(), value.trim().to_owned()).is_some() {
            return Err(format!("Line {}: “{key}” stands there twice.", index + 1));
        }
    }
    Ok(map)
}

/// The other way round: one `key = value` a line.
pub fn variables_text(variables: &BTreeMap<String, String>) -> String {
    variables.iter().map(|(key, value)| format!("{key} = {value}")).collect::<Vec<_>>().join("\n")
}
