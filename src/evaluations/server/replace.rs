//! Replaces personal details in the words of a call: what is known of the contact, and what looks like a detail of somebody.

use crate::model::Replaced;

/// A detail that is known: what it is, the detail, and what stands in its place.
pub(crate) struct Known {
    pub what: String,
    pub was: String,
    pub becomes: String,
}

/// Replaces in all texts alike, and notes what.
pub(crate) struct Replacer {
    known: Vec<Known>,
    noted: Vec<Replaced>,
}

const EMAIL: &str = r"(?i)[a-z0-9._%+-]+@[a-z0-9-]+(?:\.[a-z0-9-]+)+";
/// As people write dates: 1985-03-12, 12.3.1985, 3/12/85, 12 March 1985, March 12th, 1985.
const DATE: &str = r"(?ix)\b(?: \d{4}-\d{1,2}-\d{1,2} | \d{1,2}[./]\s?\d{1,2}[./]\s?(?:19|20)?\d{2}
  | \d{1,2}(?:st|nd|rd|th|\.)?\s(?:of\s)?(?:jan|feb|m[aä]r|apr|ma[iy]|jun|jul|aug|sep|o[ck]t|nov|de[cz])\p{L}*\.?,?\s(?:19|20)\d{2}
  | (?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)\p{L}*\.?\s\d{1,2}(?:st|nd|rd|th)?,?\s(?:19|20)\d{2} )\b";
/// Seven digits or more, however they are grouped.
const PHONE: &str = r"\+?\(?\d(?:[\s()./-]{0,2}\d){6,17}";
/// Numbers of customers, cards and the like.
const NUMBER: &str = r"\b\d{5,}\b";

impl Replacer {
    pub(crate) fn new(mut known: Vec<Known>) -> Self {
        // The whole name before its parts.
        known.retain(|one| one.was.trim().chars().count() >= 2);
        known.sort_by_key(|one| std::cmp::Reverse(one.was.chars().count()));
        Self { known, noted: Vec::new() }
    }

    /// The text without what is known and what looks like a detail.
    pub(crate) fn replace(&mut self, text: &str) -> String {
        // Whole addresses before the names in them.
        let mut text = with(&mut self.noted, text, EMAIL, "E-mail address", |_| "robin@example.com".to_owned());
        for known in &self.known {
            text = with(&mut self.noted, &text, &whole(&known.was), &known.what, |_| known.becomes.clone());
        }
        let kinds = [(DATE, "Date", "1 January 1990"), (PHONE, "Telephone number", "+1 415 555 0100")];
        for (pattern, what, becomes) in kinds {
            text = with(&mut self.noted, &text, pattern, what, |_| becomes.to_owned());
        }
        with(&mut self.noted, &text, NUMBER, "Number", |was| "0".repeat(was.chars().count()))
    }

    pub(crate) fn noted(self) -> Vec<Replaced> {
        self.noted
    }
}

/// A detail as a word of its own, whatever its capitals.
fn whole(detail: &str) -> String {
    format!(r"(?i)(?:\b|^){}(?:\b|$)", regex::escape(detail.trim()))
}

fn with(noted: &mut Vec<Replaced>, text: &str, pattern: &str, what: &str, becomes: impl Fn(&str) -> String) -> String {
    let Ok(found) = regex::Regex::new(pattern) else { return text.to_owned() };
    let replaced = found.replace_all(text, |hit: &regex::Captures<'_>| {
        let was = hit[0].to_owned();
        let new = becomes(&was);
        // What stands for a detail already is none.
        if new == was || ["+1 415 555 0100", "robin@example.com", "1 January 1990"].contains(&was.trim()) {
            return was;
        }
        match noted.iter_mut().find(|one| one.was == was && one.becomes == new) {
            Some(one) => one.times += 1,
            None => noted.push(Replaced { what: what.to_owned(), was, becomes: new.clone(), times: 1 }),
        }
        new
    });
    replaced.into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_and_what_looks_like_a_detail_goes() {
        let known = |what: &str, was: &str, becomes: &str| Known {
            what: what.to_owned(),
            was: was.to_owned(),
            becomes: becomes.to_owned(),
        };
        let mut replacer = Replacer::new(vec![
            known("Name", "Rosa", "Robin"),
            known("Name", "Rosa Keller-Ng", "Robin Example"),
            known("Company", "Acme", "Example Ltd"),
            known("Nothing", "", "x"),
        ]);
        let said = "I am ROSA Keller-Ng of Acme, rosa.k@acme.co.uk, born 12.03.1985, call +41 (0)44 555 66 77. Customer 123456. Rosary, 4 pm.";
        let text = replacer.replace(said);
        assert_eq!(
            text,
            "I am Robin Example of Example Ltd, robin@example.com, born 1 January 1990, call +1 415 555 0100. Customer 000000. Rosary, 4 pm."
        );
        assert_eq!(replacer.replace(&text), text, "what stands for a detail stays");
        assert_eq!(
            replacer.replace("Rosa was born on March 12th, 1985, or 1985-03-12."),
            "Robin was born on 1 January 1990, or 1 January 1990."
        );
        let noted = replacer.noted();
        assert!(noted.iter().any(|one| one.was == "ROSA Keller-Ng" && one.becomes == "Robin Example"), "{noted:?}");
        assert!(noted.len() >= 8, "{noted:?}");
    }
}
