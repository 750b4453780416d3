//! Which language a text is in.

use crate::conversation::Language;

/// By the script, then by small words.
pub(crate) fn guess_language(text: &str) -> Language {
    if text.chars().any(|c| ('\u{0A80}'..='\u{0AFF}').contains(&c)) {
        return Language::Gujarati;
    }
    if text.chars().any(|c| ('\u{0900}'..='\u{097F}').contains(&c)) {
        return Language::Hindi;
    }
    let lower = text.to_lowercase();
    let count =
        |words: &[&str]| lower.split(|c: char| !c.is_alphanumeric()).filter(|word| words.contains(word)).count();
    let counts = [
        (Language::English, count(&["the", "you", "is", "and", "i", "for", "that", "it"])),
        (Language::German, count(&["der", "die", "und", "ich", "sie", "nicht", "ist", "das"])),
        (Language::Spanish, count(&["el", "que", "por", "para", "una", "los", "su", "le"])),
        (Language::French, count(&["le", "vous", "je", "pour", "les", "des", "est", "une"])),
    ];
    counts.iter().rev().max_by_key(|(_, count)| *count).map_or(Language::English, |(language, _)| *language)
}
