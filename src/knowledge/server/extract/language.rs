//! In which language a file is, and by which rules its words are compared.

use whatlang::{Lang, detect};

/// Words below which nobody can tell.
const FEW_WORDS: usize = 20;
/// As much of a file tells as well as all of it.
const SAMPLE: usize = 20_000;

/// A language: ISO 639-1, its English name, and PostgreSQL's rules for its words if there are some.
struct Language(Lang, &'static str, &'static str, Option<&'static str>);

const LANGUAGES: [Language; 43] = [
    Language(Lang::Eng, "en", "English", Some("english")),
    Language(Lang::Deu, "de", "German", Some("german")),
    Language(Lang::Fra, "fr", "French", Some("french")),
    Language(Lang::Ita, "it", "Italian", Some("italian")),
    Language(Lang::Spa, "es", "Spanish", Some("spanish")),
    Language(Lang::Por, "pt", "Portuguese", Some("portuguese")),
    Language(Lang::Nld, "nl", "Dutch", Some("dutch")),
    Language(Lang::Dan, "da", "Danish", Some("danish")),
    Language(Lang::Swe, "sv", "Swedish", Some("swedish")),
    Language(Lang::Nob, "no", "Norwegian", Some("norwegian")),
    Language(Lang::Fin, "fi", "Finnish", Some("finnish")),
    Language(Lang::Hun, "hu", "Hungarian", Some("hungarian")),
    Language(Lang::Ron, "ro", "Romanian", Some("romanian")),
    Language(Lang::Cat, "ca", "Catalan", Some("catalan")),
    Language(Lang::Ell, "el", "Greek", Some("greek")),
    Language(Lang::Rus, "ru", "Russian", Some("russian")),
    Language(Lang::Srp, "sr", "Serbian", Some("serbian")),
    Language(Lang::Lit, "lt", "Lithuanian", Some("lithuanian")),
    Language(Lang::Est, "et", "Estonian", Some("estonian")),
    Language(Lang::Tur, "tr", "Turkish", Some("turkish")),
    Language(Lang::Ara, "ar", "Arabic", Some("arabic")),
    Language(Lang::Hin, "hi", "Hindi", Some("hindi")),
    Language(Lang::Nep, "ne", "Nepali", Some("nepali")),
    Language(Lang::Tam, "ta", "Tamil", Some("tamil")),
    Language(Lang::Ind, "id", "Indonesian", Some("indonesian")),
    Language(Lang::Hye, "hy", "Armenian", Some("armenian")),
    Language(Lang::Yid, "yi", "Yiddish", Some("yiddish")),
    Language(Lang::Pol, "pl", "Polish", None),
    Language(Lang::Ces, "cs", "Czech", None),
    Language(Lang::Slk, "sk", "Slovak", None),
    Language(Lang::Slv, "sl", "Slovenian", None),
    Language(Lang::Hrv, "hr", "Croatian", None),
    Language(Lang::Ukr, "uk", "Ukrainian", None),
    Language(Lang::Bul, "bg", "Bulgarian", None),
    Language(Lang::Lav, "lv", "Latvian", None),
    Language(Lang::Heb, "he", "Hebrew", None),
    Language(Lang::Pes, "fa", "Persian", None),
    Language(Lang::Vie, "vi", "Vietnamese", None),
    Language(Lang::Guj, "gu", "Gujarati", None),
    Language(Lang::Tha, "th", "Thai", None),
    Language(Lang::Cmn, "zh", "Chinese", None),
    Language(Lang::Jpn, "ja", "Japanese", None),
    Language(Lang::Kor, "ko", "Korean", None),
];

/// The language of a text, as ISO 639-1 and as PostgreSQL's name for its rules. Without rules of their own, words are compared as they
/// stand. None: the text is too short, or in a language that is not known here.
pub fn of<'a>(texts: impl Iterator<Item = &'a str>) -> Option<(&'static str, Option<&'static str>)> {
    let mut sample = String::new();
    for text in texts {
        sample += text;
        sample.push(' ');
        if sample.len() > SAMPLE {
            break;
        }
    }
    let is_short = sample.split_whitespace().take(FEW_WORDS).count() < FEW_WORDS && !sample.chars().any(is_unparted);
    let found = detect(&sample).filter(|found| !is_short && found.is_reliable())?;
    let Language(_, code, _, rules) = LANGUAGES.iter().find(|known| known.0 == found.lang())?;
    Some((code, *rules))
}

/// A language's name in English.
pub fn spoken(code: &str) -> Option<&'static str> {
    LANGUAGES.iter().find(|known| known.1 == code).map(|known| known.2)
}

/// Letters of scripts that leave no space between words.
fn is_unparted(letter: char) -> bool {
    matches!(letter, '\u{e00}'..='\u{eff}' | '\u{1780}'..='\u{17ff}' | '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{4dbf}'
        | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{ac00}'..='\u{d7a3}' | '\u{20000}'..='\u{2fa1f}')
}

/// Text as search takes it. What stands without spaces is cut into pairs of letters, because the database would take a sentence for one
/// word; file and question are cut alike, so what a question shares with a passage is found.
pub fn searchable(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 4);
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        if !is_unparted(letter) {
            out.push(letter);
            continue;
        }
        match letters.peek().copied().filter(|next| is_unparted(*next)) {
            Some(next) => out.extend([' ', letter, next, ' ']),
            None => out.extend([' ', letter, ' ']),
        }
    }
    out
}
