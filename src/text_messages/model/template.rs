//! Templates of messages, with `{{variables}}` of the contact and the call.

use std::collections::BTreeMap;

use super::LONGEST_TEXT;

/// Checks a template. Errors: a sentence for the field.
pub fn check_template(template: &str) -> Result<(), String> {
    if template.trim().is_empty() {
        return Err("Write the message.".to_owned());
    }
    if template.chars().count() > LONGEST_TEXT {
        return Err("The message is too long: at most 1,600 characters.".to_owned());
    }
    for piece in template.split("{{").skip(1) {
        let shown: String = piece.chars().take(30).collect();
        let Some((name, _)) = piece.split_once("}}") else {
            return Err(format!("“{{{{{shown}” opens a variable and does not close it. Write }}}} behind its name."));
        };
        if !is_variable(name.trim()) {
            let shown: String = name.chars().take(30).collect();
            return Err(format!("“{{{{{shown}}}}}” is not a variable. Write a name such as {{{{first_name}}}}."));
        }
    }
    Ok(())
}

fn is_variable(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 80
        && name.chars().all(|letter| letter.is_alphanumeric() || "_. -".contains(letter))
}

/// The template with its variables filled in. Errors: what has no value for this person, in words.
pub fn fill(template: &str, values: &BTreeMap<String, String>) -> Result<String, String> {
    let mut pieces = template.split("{{");
    let mut text = pieces.next().unwrap_or_default().to_owned();
    let mut missing: Vec<&str> = Vec::new();
    for piece in pieces {
        let Some((name, rest)) = piece.split_once("}}") else { continue };
        let name = name.trim();
        match values.get(name).map(|value| value.trim()).filter(|value| !value.is_empty()) {
            // What a value holds is never read as a variable.
            Some(value) => text += value,
            None if missing.contains(&name) => {}
            None => missing.push(name),
        }
        text += rest;
    }
    if !missing.is_empty() {
        let names: Vec<String> = missing.iter().map(|name| format!("{{{{{name}}}}}")).collect();
        let verb = if names.len() == 1 { "has" } else { "have" };
        return Err(format!("{} {verb} no value for this person.", names.join(", ")));
    }
    let text = text.trim();
    if text.chars().count() > LONGEST_TEXT {
        return Err("Filled in, the message is longer than 1,600 characters.".to_owned());
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_filled_once_and_missing_ones_are_said() {
        let values: BTreeMap<String, String> = [("first_name", "Ada"), ("company", " "), ("trick", "{{first_name}}")]
            .map(|(a, b)| (a.into(), b.into()))
            .into();
        assert_eq!(fill("Hi {{ first_name }}!", &values), Ok("Hi Ada!".to_owned()));
        assert_eq!(fill("{{trick}}", &values), Ok("{{first_name}}".to_owned()));
        let missing = fill("{{company}} {{other}} {{company}}", &values).unwrap_err();
        assert_eq!(missing, "{{company}}, {{other}} have no value for this person.");
        assert!(check_template("Hi {{name").unwrap_err().contains("does not close"));
        assert!(check_template("Hi {{a<b}}").is_err() && check_template(" ").is_err());
        assert!(check_template(&"x".repeat(1601)).is_err() && check_template("Hi {{first_name}}").is_ok());
    }
}
