//! What a file says about consent. In doubt nobody is called: only a known no in a do-not-call column, and only a known yes in a
//! column of consent, leave a person callable.

use patchbay_shared::plain::plain;

/// What a cell of a column about consent says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Says {
    /// The cell is empty.
    Nothing,
    MayCall,
    DoNotCall,
    /// Neither a yes nor a no that is known.
    Unclear,
}

/// Yes in English, German, French, Spanish, Italian, Portuguese, Dutch, the Nordic languages, Polish, Czech, Turkish, Russian, Hindi
/// and Gujarati, and as programs write it.
const YES: &[&str] = &[
    "yes",
    "y",
    "true",
    "t",
    "1",
    "on",
    "x",
    "✓",
    "✔",
    "☑",
    "✅",
    "[x]",
    "checked",
    "ja",
    "j",
    "wahr",
    "oui",
    "o",
    "vrai",
    "si",
    "sí",
    "s",
    "verdadero",
    "vero",
    "sim",
    "verdadeiro",
    "waar",
    "joo",
    "kyllä",
    "tak",
    "ano",
    "evet",
    "да",
    "हाँ",
    "हां",
    "जी हाँ",
    "હા",
];

/// No in the same languages. `n` alone is no everywhere; `x` and crosses are not here: people tick with them.
const NO: &[&str] = &[
    "no",
    "n",
    "false",
    "f",
    "0",
    "off",
    "☐",
    "[ ]",
    "unchecked",
    "nein",
    "falsch",
    "non",
    "faux",
    "falso",
    "não",
    "nao",
    "nee",
    "onwaar",
    "nej",
    "nei",
    "ei",
    "nie",
    "ne",
    "hayır",
    "нет",
    "नहीं",
    "नही",
    "ના",
    // What databases and programs write for an empty cell.
    "null",
    "none",
    "nil",
    "nan",
    "\\n",
];

/// Says in either kind of column that the person may be called.
const ALLOWS: &[&str] = &[
    "ok",
    "okay",
    "allow",
    "allowed",
    "may call",
    "can call",
    "ok to call",
    "okay to call",
    "opt in",
    "opt-in",
    "opted in",
    "opted-in",
    "optin",
    "consent",
    "consented",
    "consent given",
    "granted",
    "given",
    "erlaubt",
    "einwilligung",
    "eingewilligt",
    "zugestimmt",
    "autorisé",
    "permitido",
    "consentito",
    "toegestaan",
];

/// Says in either kind of column that the person must not be called.
const FORBIDS: &[&str] = &[
    "dnc",
    "do not call",
    "don't call",
    "dont call",
    "do not contact",
    "do not allow",
    "not allowed",
    "opt out",
    "opt-out",
    "opted out",
    "opted-out",
    "optout",
    "no consent",
    "unsubscribed",
    "blocked",
    "revoked",
    "withdrawn",
    "denied",
    "refused",
    "declined",
    "stop",
    "nicht anrufen",
    "gesperrt",
    "widerrufen",
    "abgelehnt",
    "ne pas appeler",
    "opposition",
    "refusé",
    "no llamar",
    "non chiamare",
    "niet bellen",
    "não ligar",
    "कॉल न करें",
];

/// Bytes of the longest word, or words, that can be known.
const LONGEST: usize = 400;

/// What a do-not-call column says. Yes, and a date since when, mean: do not call.
pub(crate) fn do_not_call(cell: &str) -> Says {
    let Some(word) = word(cell) else { return Says::Unclear };
    match word.as_str() {
        "" => Says::Nothing,
        word if has(FORBIDS, word) || has(YES, word) || is_date(word) => Says::DoNotCall,
        word if has(NO, word) || has(ALLOWS, word) || is_number(word, 0.0) => Says::MayCall,
        word if is_number(word, 1.0) => Says::DoNotCall,
        _ => Says::Unclear,
    }
}

/// Whether a value of another system's do-not-call field keeps somebody from being called: all but a known no, or nothing.
pub(crate) fn says_do_not_call(value: &str) -> bool {
    matches!(do_not_call(value), Says::DoNotCall | Says::Unclear)
}

/// What a column of consent says. Yes, and the date of the consent, mean: may be called.
pub(crate) fn may_call(cell: &str) -> Says {
    let Some(word) = word(cell) else { return Says::Unclear };
    match word.as_str() {
        "" => Says::Nothing,
        word if has(FORBIDS, word) || has(NO, word) || is_number(word, 0.0) => Says::DoNotCall,
        word if has(YES, word) || has(ALLOWS, word) || is_date(word) || is_number(word, 1.0) => Says::MayCall,
        _ => Says::Unclear,
    }
}

/// Whether a remark asks not to call: `079 200 10 01 (nicht anrufen)`.
pub(crate) fn forbids(remark: &str) -> bool {
    let words = format!(
        " {} ",
        lower(&plain(remark))
            .split(|letter: char| letter.is_ascii_punctuation() || letter.is_whitespace())
            .filter(|part| !part.is_empty())
            .collect::<Vec<_>>()
            .join(" ")
    );
    FORBIDS.iter().any(|known| words.contains(&format!(" {} ", known.replace(['-', '\''], " "))))
}

/// Lower case, single blanks, and without the full stop or exclamation mark behind. None: a novel, which is no word.
fn word(cell: &str) -> Option<String> {
    let mut text = String::new();
    for part in plain(cell).split_whitespace() {
        if text.len() + part.len() > LONGEST {
            return None;
        }
        if !text.is_empty() {
            text.push(' ');
        }
        text.push_str(part);
    }
    Some(lower(&text).trim_matches(['"', '\'']).trim_end_matches(['.', '!']).to_owned())
}

fn lower(text: &str) -> String {
    text.to_lowercase().replace('’', "'")
}

fn has(words: &[&str], word: &str) -> bool {
    words.contains(&word)
}

fn is_number(word: &str, number: f64) -> bool {
    word.parse::<f64>().is_ok_and(|found| found == number)
}

/// Digits in three groups or eight in one, as dates are written, with or without a time; not a date of zeros.
fn is_date(word: &str) -> bool {
    let day = word.split(['t', ' ']).next().unwrap_or_default();
    let groups: Vec<&str> = day.split(['-', '.', '/']).collect();
    let digits = |group: &&str| (1..=4).contains(&group.len()) && group.bytes().all(|byte| byte.is_ascii_digit());
    let grouped = groups.len() == 3
        && groups.iter().all(digits)
        && groups.iter().all(|group| group.bytes().any(|byte| byte != b'0'));
    let whole = day.len() == 8 && day.starts_with(['1', '2']) && day.bytes().all(|byte| byte.is_ascii_digit());
    let time = &word[day.len()..];
    (grouped || whole) && time.bytes().all(|byte| byte.is_ascii_digit() || b"t :.+-z".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_known_no_leaves_a_person_callable() {
        for cell in [
            "no",
            "No.",
            "NEIN",
            "false",
            "0",
            "0.0",
            "n",
            "não",
            "нет",
            "नहीं",
            "☐",
            "NULL",
            "opted in",
            "Allow",
            "\u{200b}no ",
        ] {
            assert_eq!(do_not_call(cell), Says::MayCall, "{cell}");
        }
        for cell in [
            "yes",
            "Ja!",
            "TRUE",
            "1",
            "1.0",
            "x",
            "✓",
            "dnc",
            "Do not call",
            "2024-03-01",
            "01.03.2024",
            "3/1/24 10:30",
            "20240301",
            "２０２４-０３-０１",
            "oui",
            "हाँ",
        ] {
            assert_eq!(do_not_call(cell), Says::DoNotCall, "{cell}");
        }
        for cell in [
            "maybe",
            "n/a",
            "-",
            "?",
            "2",
            "❌",
            "call after nine",
            "0000-00-00",
            "no, but only after nine",
            "yes and no",
            &"no".repeat(1_000_000),
            &format!("no{}but only after nine", " ".repeat(300)),
            &format!("no {}", "really ".repeat(100)),
        ] {
            assert_eq!(do_not_call(cell), Says::Unclear, "{cell:.40}");
        }
        assert_eq!(do_not_call(&format!("{}no{0}", " ".repeat(1_000))), Says::MayCall);
        assert_eq!([do_not_call(""), do_not_call(" \u{feff}"), may_call(" ")], [Says::Nothing; 3]);
    }

    #[test]
    fn only_a_known_yes_is_consent() {
        for cell in ["yes", "Ja", "x", "1", "true", "2024-03-01T10:00:00Z", "opted in", "granted"] {
            assert_eq!(may_call(cell), Says::MayCall, "{cell}");
        }
        for cell in ["no", "nein", "0", "false", "do not call", "opted out", "revoked", "NULL"] {
            assert_eq!(may_call(cell), Says::DoNotCall, "{cell}");
        }
        for cell in ["maybe", "pending", "-", "0000-00-00", "yes, by e-mail only"] {
            assert_eq!(may_call(cell), Says::Unclear, "{cell}");
        }
    }

    #[test]
    fn a_remark_may_ask_not_to_call() {
        let late = format!("{} do not call", "an old friend of ours ".repeat(50));
        assert!(
            ["(DNC)", "nicht anrufen!", "please do NOT call", "opt-out 2024", "don't call", &late]
                .iter()
                .all(|text| forbids(text))
        );
        assert!(!["Mia", "abends", "nonstop", "call after nine", ""].iter().any(|text| forbids(text)));
    }
}
