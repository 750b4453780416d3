//! Text that people type: which characters it may hold, whatever field it is for.

/// The last words of the names of fields that take several lines. Every other field is one line long.
const SEVERAL_LINES: [&str; 33] = [
    "after_hours_words",
    "answers",
    "arguments",
    "attributes",
    "authority",
    "certificate",
    "content",
    "description",
    "destinations",
    "emails",
    "expected",
    "fallback_words",
    "goal",
    "greeting",
    "headers",
    "incoming",
    "input",
    "instructions",
    "message",
    "messages",
    "node_selector",
    "note",
    "notes",
    "schema",
    "screener",
    "secret",
    "secret_headers",
    "stubs",
    "template",
    "tool_checks",
    "values",
    "variables",
    "voicemail_message",
];

/// What is wrong with the characters of a field's value, as a sentence. None: nothing.
///
/// Refused are control characters, which break the heads of e-mails and the lines of files, signs that turn the direction of writing,
/// with which a name reads as another one (CVE-2021-42574), and separators of lines in fields that are one line long. Signs that scripts
/// need, as joiners and marks of direction, are fine.
pub fn fault(field: &str, value: &str) -> Option<&'static str> {
    let several = SEVERAL_LINES.contains(&field);
    value.chars().find_map(|letter| match letter {
        '\t' => None,
        '\n' | '\r' if several => None,
        '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}' => Some("Write this on one line: it holds a line break."),
        _ if turns(letter) => {
            Some("Take out the invisible characters that turn the direction of writing: type the text anew.")
        }
        _ if letter.is_control() || is_no_character(letter) => {
            Some("The text holds a character that cannot be shown. Type it anew, or paste it as plain text.")
        }
        _ => None,
    })
}

/// The text as one line that reads as it is stored: for heads of e-mails, from sources that no form has checked.
pub fn one_line(text: &str) -> String {
    let shown = text.chars().filter(|letter| !turns(*letter) && !is_no_character(*letter));
    let spaced: String = shown
        .map(|letter| if letter.is_control() || matches!(letter, '\u{2028}' | '\u{2029}') { ' ' } else { letter })
        .collect();
    spaced.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// Embeddings, overrides and isolates of the bidirectional algorithm (UAX 9).
fn turns(letter: char) -> bool {
    matches!(letter, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Anchors of annotations, and code points that are no characters.
fn is_no_character(letter: char) -> bool {
    matches!(letter, '\u{fff9}'..='\u{fffb}' | '\u{fdd0}'..='\u{fdef}') || (letter as u32) & 0xfffe == 0xfffe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_write_is_fine_and_what_hides_is_not() {
        for good in ["Ada", "Zoë Ångström", "علي", "می‌خواهم", "👩‍👩‍👧", "a\tb", "א\u{200f}ב", "＝", "<b>"]
        {
            assert_eq!(fault("name", good), None, "{good}");
        }
        for bad in [
            "a\0b",
            "a\nb",
            "a\r\nBcc: x",
            "a\u{7f}",
            "a\u{9b}31m",
            "\u{202e}gpj.exe",
            "\u{2066}x",
            "a\u{2028}b",
            "\u{ffff}",
            "\u{1b}[0m",
        ] {
            assert!(fault("name", bad).is_some(), "{bad:?}");
        }
        assert_eq!(fault("template", "one\r\ntwo\n\tthree"), None);
        assert!(fault("template", "one\0").is_some());
    }

    #[test]
    fn a_head_of_a_mail_is_one_line() {
        assert_eq!(one_line("Ann\r\nBcc: victim@example.com\u{202e}\0"), "Ann Bcc: victim@example.com");
    }
}
