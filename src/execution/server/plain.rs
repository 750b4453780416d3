//! Texts that the database and a page take, whatever a program wrote.

use serde_json::{Map, Value};

/// The most of an answer or a text that is kept of a step.
pub(super) const MOST_TEXT: usize = 16 * 1024;

/// Without zero characters, which the database does not take, and without other controls but tabs and line breaks.
pub(super) fn storable(text: &str) -> String {
    text.chars().map(|one| if one.is_control() && !matches!(one, '\n' | '\t') { '\u{fffd}' } else { one }).collect()
}

/// One line of a program's output: colours are left out, other controls are replaced.
pub(super) fn line(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut letters = text.trim_end_matches(['\r', '\n']).chars().peekable();
    while let Some(one) = letters.next() {
        match one {
            '\u{1b}' if letters.peek() == Some(&'[') => {
                letters.next();
                // Up to the letter that ends the sequence.
                while letters.next_if(|part| !('@'..='~').contains(part)).is_some() {}
                letters.next();
            }
            '\t' => out.push('\t'),
            // A bar of progress writes over itself.
            '\r' => out.clear(),
            one if one.is_control() => out.push('\u{fffd}'),
            one => out.push(one),
        }
    }
    out
}

/// The same for values, and for names in them.
pub(super) fn storable_value(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(text.replace('\0', "\u{fffd}")),
        Value::Array(items) => Value::Array(items.into_iter().map(storable_value).collect()),
        Value::Object(fields) => fields
            .into_iter()
            .map(|(name, value)| (name.replace('\0', "\u{fffd}"), storable_value(value)))
            .collect::<Map<_, _>>()
            .into(),
        other => other,
    }
}

/// At most so many bytes of a text, from its beginning.
pub(super) fn cut(text: &str, most: usize) -> &str {
    let mut end = text.len().min(most);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_keep_their_words_and_lose_what_moves_the_cursor() {
        assert_eq!(line("\u{1b}[31mred\u{1b}[0m and\tmore\r\n"), "red and\tmore");
        assert_eq!(line("10 %\r20 %"), "20 %");
        assert_eq!(line("a\0b\u{7}"), "a\u{fffd}b\u{fffd}");
        assert_eq!(line("\u{1b}["), "");
    }

    #[test]
    fn texts_are_cut_between_characters() {
        assert_eq!(cut("für", 2), "f");
        assert_eq!(storable("a\0\nb"), "a\u{fffd}\nb");
    }
}
