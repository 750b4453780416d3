//! Reads numbers as people write them. What is a number where is the library's knowledge (Google's rules); what of a cell is the
//! number is decided here, and in doubt nothing is: a wrong number rings at a stranger.

use rlibphonenumber::{PHONE_NUMBER_UTIL, ParseError, PhoneNumberFormat, Region};

use super::Phone;
use crate::plain::plain;

/// The longest text that is looked at, in characters: two numbers and a remark. Everything below is linear in it.
const LONGEST: usize = 250;
/// Numbers beside the first that are kept.
const OTHERS: usize = 3;

/// A cell that holds a number, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// The first number.
    pub phone: Phone,
    /// The numbers behind it, at most three.
    pub others: Vec<Phone>,
    /// What else stands there and is part of no number: an extension, a remark. Empty where the number stands alone.
    pub left_out: String,
}

impl Phone {
    /// Reads a field that holds one number and nothing else. `country` (ISO 3166, two letters) completes national forms such as
    /// `0171 2345678`.
    ///
    /// Errors: a sentence that says what is wrong and what to do.
    pub fn parse(text: &str, country: Option<&str>) -> Result<Self, String> {
        let reading = Self::read(text, country)?;
        if let Some(other) = reading.others.first() {
            return Err(format!("These are two numbers, {} and {other}. Enter one.", reading.phone));
        }
        if reading.left_out.is_empty() {
            return Ok(reading.phone);
        }
        Err(format!(
            "Enter the number alone, without “{}”. An extension can't be dialled; keep it, or a remark, in a variable.",
            shorten(&reading.left_out)
        ))
    }

    /// Reads a cell of a list, where more may stand than a number. The first number counts. Letters never become digits, an
    /// extension is never part of the number, and what can be read in two ways is refused.
    ///
    /// Errors: a sentence that says what is wrong and what to do.
    pub fn read(text: &str, country: Option<&str>) -> Result<Reading, String> {
        if text.len() > LONGEST * 4 || text.chars().count() > LONGEST {
            return Err(format!("This is longer than {LONGEST} characters. Keep only the number."));
        }
        let region = country.and_then(|code| code.to_ascii_uppercase().parse::<Region>().ok());
        let text = plain(text);
        read(text.trim(), region).map_err(|why| why.sentence(text.trim(), country.filter(|_| region.is_some())))
    }
}

/// Why no number was read.
#[derive(Debug)]
enum Why {
    Empty,
    /// `4.17912E+10`: a spreadsheet took it for a quantity.
    Shortened,
    /// Letters where digits should be: `1-800-FLOWERS`, `079 2O0 10 01`.
    Letters,
    NoNumber,
    NoCountry,
    TooShort,
    TooLong,
    Invalid,
    /// One number or two: both readings are numbers.
    Twofold(Phone, Phone),
    /// A word that says that this is not the number to call.
    Warned(&'static str),
}

impl Why {
    /// `country`: the one that national forms were completed with.
    fn sentence(&self, text: &str, country: Option<&str>) -> String {
        let text = shorten(text);
        match self {
            Self::Empty => "The number is empty.".into(),
            Self::Shortened => format!(
                "A spreadsheet shortened this number to “{text}”. Format the column as text and export it again."
            ),
            Self::Letters => format!("“{text}” has letters in the number. Write all of it in digits."),
            Self::NoNumber => format!("“{text}” is not a phone number."),
            Self::NoCountry => {
                format!("“{text}” has no country code. Choose a default country, or write it with + and the code.")
            }
            Self::TooShort => format!("“{text}” has too few digits for a phone number. Add what is missing."),
            Self::TooLong => format!("“{text}” has too many digits for one phone number. Keep one number."),
            Self::Invalid => {
                let place =
                    country.filter(|_| !text.contains('+')).map_or("that country".into(), str::to_ascii_uppercase);
                format!("“{text}” is not a number that can be dialled in {place}. Check its digits and the country.")
            }
            Self::Twofold(short, long) => {
                format!("“{text}” can be read as {short} or as {long}. Keep one number, written as a whole.")
            }
            Self::Warned(word) => {
                format!("“{text}” says “{word}”, so it isn't the number to call. Correct it, or remove the word.")
            }
        }
    }
}

/// Words beside a number that mean: do not dial this one. English, German, French, Spanish, Portuguese, Italian, Dutch.
const WARNINGS: &[&str] = &[
    "fax",
    "telefax",
    "wrong",
    "old",
    "invalid",
    "incorrect",
    "disconnected",
    "falsch",
    "falsche",
    "alte",
    "ungültig",
    "faux",
    "fausse",
    "ancien",
    "ancienne",
    "invalide",
    "incorrecto",
    "antiguo",
    "viejo",
    "errado",
    "antigo",
    "inválido",
    "sbagliato",
    "vecchio",
    "errato",
    "verkeerd",
    "oud",
    "ongeldig",
];

/// Words before a number that say nothing but that one follows.
const LABELS: &[&str] = &[
    "",
    "tel",
    "telephone",
    "telefon",
    "telefono",
    "teléfono",
    "téléphone",
    "telefone",
    "phone",
    "mobile",
    "mobil",
    "handy",
    "natel",
    "cell",
    "gsm",
    "p",
    "t",
    "m",
    "no",
    "nr",
    "number",
    "nummer",
    "whatsapp",
    "call",
];

/// What people write before an extension, in lower case. libphonenumber's own, and those of German, French, Spanish, Portuguese,
/// Italian, Dutch, Polish and Russian lists.
const EXTENSIONS: &[&str] = &[
    "extension",
    "extensión",
    "extensão",
    "extn",
    "ext",
    "xtn",
    "x",
    "#",
    "durchwahl",
    "dw",
    "klappe",
    "kl",
    "nebenstelle",
    "nst",
    "poste",
    "interno",
    "int",
    "anexo",
    "anx",
    "ramal",
    "toestel",
    "tst",
    "wew",
    "доб",
];

fn read(text: &str, region: Option<Region>) -> Result<Reading, Why> {
    // ="0791234567" is how exports keep a spreadsheet from eating the zero.
    let text = text.trim_matches(['=', '"', '\'', '’', '‘', '“', '”', '`', ' ', '\n']);
    if text.is_empty() {
        return Err(Why::Empty);
    }
    let Some(first) = text.find(|letter: char| letter.is_ascii_digit()) else { return Err(Why::NoNumber) };
    let lower = if text.is_ascii() && !text.bytes().any(|byte| byte.is_ascii_alphabetic()) {
        String::new()
    } else {
        text.to_lowercase()
    };
    if is_shortened(&lower) {
        return Err(Why::Shortened);
    }
    if lower.contains("phone-context") {
        return Err(Why::NoNumber);
    }
    if let Some(word) = lower
        .split(|letter: char| !letter.is_alphabetic())
        .find_map(|word| WARNINGS.iter().find(|known| **known == word))
    {
        return Err(Why::Warned(word));
    }
    let label = text[..first].trim_end_matches(['+', '(', ' ']);
    let number = text[label.len()..].trim_start();
    if label
        .chars()
        .any(|letter| letter.is_ascii() && !letter.is_ascii_alphanumeric() && !" .:-/&,()[]'\"=<>|;#".contains(letter))
    {
        return Err(Why::NoNumber);
    }
    if label.len() == first && label.ends_with(char::is_alphabetic) {
        return Err(Why::Letters);
    }
    let run = run(number);
    let (phone, length) = match settle(run, region) {
        Ok(found) => found,
        // `1-800-FLOWERS`: what is missing stands there, in letters.
        Err(Why::TooShort | Why::Invalid | Why::NoNumber) if number[run.len()..].contains(char::is_alphabetic) => {
            return Err(Why::Letters);
        }
        Err(why) => return Err(why),
    };
    let (others, left_out) = behind(&number[..length], &number[length..], region)?;
    let label = label.trim_matches(|letter: char| !letter.is_alphabetic()).to_lowercase();
    let label = if LABELS.contains(&label.as_str()) { "" } else { label.as_str() };
    let left_out = [label, left_out.trim()].join(" ").trim().to_owned();
    Ok(Reading { phone, others, left_out })
}

/// `4.17912E+10` and `4,17912e10`: digits may be gone, so none of it counts.
fn is_shortened(lower: &str) -> bool {
    lower.split_once('e').is_some_and(|(head, tail)| {
        let head = head.trim_matches(['+', ' ']);
        let tail = tail.trim_start_matches(['+', ' ']);
        let quantity = |text: &str| {
            !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.' || byte == b',')
        };
        quantity(head) && quantity(tail)
    })
}

/// The signs at the beginning of `text` that one number may consist of, up to its last digit. A second plus begins another number.
fn run(text: &str) -> &str {
    let (mut end, mut digits) = (0, 0);
    for (at, letter) in text.char_indices() {
        match letter {
            '0'..='9' => (end, digits) = (at + 1, digits + 1),
            '+' if digits == 0 => {}
            ' ' | '-' | '.' | '/' | '(' | ')' | ',' => {}
            _ => break,
        }
    }
    &text[..end]
}

/// The number with which `run` begins, and how many bytes of it that is. A slash, a bracket or a comma may end one number or stand
/// within it (`030/901820`, `030 901820/21`): where both readings are numbers, neither is taken.
fn settle(run: &str, region: Option<Region>) -> Result<(Phone, usize), Why> {
    let commas = run.contains(',');
    let whole = if commas { dial(&run.replace(',', " "), region) } else { dial(run, region) };
    let decimal = decimal_point(run);
    for (cut, mark) in run.char_indices() {
        let ends = matches!(mark, '/' | ',' | '(') || decimal == Some(cut);
        if !ends || run[..cut].bytes().filter(u8::is_ascii_digit).count() < 4 {
            continue;
        }
        let Ok(head) = dial(&run[..cut], region) else { continue };
        // 41791234567.0: a quantity without a fraction, for a number written by hand never ends so.
        let is_quantity = decimal == Some(cut)
            && run.starts_with(|first: char| ('1'..='9').contains(&first))
            && run[cut + 1..].bytes().all(|byte| byte == b'0');
        return match whole {
            Ok(whole) if whole != head && !is_quantity => Err(Why::Twofold(head, whole)),
            _ => Ok((head, run[..cut].trim_end_matches(|letter: char| !letter.is_ascii_digit()).len())),
        };
    }
    match whole {
        Ok(_) if commas => Err(Why::NoNumber),
        whole => whole.map(|phone| (phone, run.len())),
    }
}

/// Where a fraction may begin: digits, one point or comma, and few digits or only zeros behind it.
fn decimal_point(run: &str) -> Option<usize> {
    let at = run.find(['.', ','])?;
    let (head, tail) = (run[..at].trim_start_matches('+'), &run[at + 1..]);
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    (head.len() >= 7 && digits(head) && digits(tail) && (tail.len() <= 2 || tail.bytes().all(|byte| byte == b'0')))
        .then_some(at)
}

/// One number, whole: valid under the rules of its country.
fn dial(run: &str, region: Option<Region>) -> Result<Phone, Why> {
    let digits = run.bytes().filter(u8::is_ascii_digit).count();
    // 15 of E.164, and what is dialled before it at home or abroad.
    if digits > 24 {
        return Err(Why::TooLong);
    }
    let number = |text: &str, region| {
        let number = PHONE_NUMBER_UTIL.parse(text, region).map_err(|error| match error {
            ParseError::TooShortNsn | ParseError::TooShortAfterIdd => Why::TooShort,
            ParseError::TooLongNsn => Why::TooLong,
            ParseError::InvalidCountryCode if region.is_none() && !text.contains('+') => Why::NoCountry,
            ParseError::InvalidCountryCode => Why::Invalid,
            ParseError::NotANumber(_) => Why::NoNumber,
        })?;
        if !number.is_valid() {
            return Err(match number.is_possible_with_reason() {
                Err(rlibphonenumber::ValidationError::TooShort) => Why::TooShort,
                Err(rlibphonenumber::ValidationError::TooLong) => Why::TooLong,
                _ => Why::Invalid,
            });
        }
        Phone::from_e164(&number.format_as(PhoneNumberFormat::E164)).ok_or(Why::TooLong)
    };
    number(run, region).or_else(|why| {
        let abroad = if let Some(rest) = run.trim_start_matches('(').strip_prefix("00") {
            // The usual way to dial abroad, also in lists of countries where it is another.
            Some(rest)
        } else if region.is_none() && (11..=15).contains(&digits) && digits == run.len() && !run.starts_with('0') {
            // Spreadsheets drop the plus. Eleven digits that make a whole number with it are one.
            Some(run)
        } else {
            None
        };
        abroad.and_then(|rest| number(&format!("+{rest}"), None).ok()).ok_or(why)
    })
}

/// What stands behind the first number: more numbers, and the rest. Errors: the rest may belong to the number.
fn behind(head: &str, rest: &str, region: Option<Region>) -> Result<(Vec<Phone>, String), Why> {
    let (mut others, mut left_out) = (Vec::new(), String::new());
    let mut rest = rest;
    // The zeros of a quantity are no remark.
    if rest.strip_prefix(['.', ',']).is_some_and(|zeros| zeros.bytes().all(|byte| byte == b'0')) {
        return Ok((others, left_out));
    }
    if let Some(after) = without_extension(rest) {
        left_out.push_str(rest[..rest.len() - after.len()].trim_matches([' ', ',', ';', '-', '.', '(']));
        rest = after;
    } else {
        let Some(mark) = rest.chars().next() else { return Ok((others, left_out)) };
        if mark.is_alphanumeric() {
            return Err(Why::Letters);
        }
        if mark.is_ascii() && !" \n()[]{}<>,;:-|/&.+\"'\\#".contains(mark) {
            return Err(Why::NoNumber);
        }
        may_be_digits(head, rest, region)?;
    }
    while !rest.is_empty() {
        let at = rest.find(|letter: char| letter.is_ascii_digit()).unwrap_or(rest.len());
        let between = rest[..at].trim_end_matches(['+', '(']);
        let next = &rest[between.len()..];
        if between.contains(char::is_alphanumeric) {
            left_out.push(' ');
            left_out.push_str(between.trim_matches([' ', ',', ';', ':', '-', '.', '/', '|', '(', ')', '\n']));
        }
        let run = run(next);
        if run.is_empty() {
            break;
        }
        let glued = next[run.len()..].starts_with(char::is_alphanumeric) || between.ends_with(char::is_alphanumeric);
        let length = match settle(run, region) {
            Ok((other, length)) if others.len() < OTHERS && !glued => {
                others.push(other);
                length
            }
            _ => {
                left_out.push(' ');
                left_out.push_str(run);
                run.len()
            }
        };
        rest = &next[length..];
    }
    Ok((others, left_out))
}

/// What follows the extension with which `rest` begins.
fn without_extension(rest: &str) -> Option<&str> {
    let text = rest.trim_start_matches([' ', '\n', ',', ';', '-', '.', '(', '[', '/']);
    let mark = EXTENSIONS.iter().find_map(|mark| {
        let after = text.get(..mark.len()).filter(|head| head.to_lowercase() == **mark).map(|_| &text[mark.len()..])?;
        let after = after.trim_start_matches([' ', '.', ':', '=', '#', '-', '°']);
        after.starts_with(|letter: char| letter.is_ascii_digit()).then_some(after)
    });
    // Pauses and what is keyed after them: 415 555 0148,,2
    let mark = mark.or_else(|| rest.strip_prefix(",,").map(|after| after.trim_start_matches(',')));
    mark.map(|after| after.trim_start_matches(|letter: char| letter.is_ascii_digit() || letter == '#'))
}

/// Refuses a word behind a number that, keyed in, would make a longer number: it may be one in letters (`030 90182 TAXI`). That is
/// how such numbers are written: in capitals, or as a lone letter for a digit.
fn may_be_digits(head: &str, rest: &str, region: Option<Region>) -> Result<(), Why> {
    let word = rest.trim_start_matches([' ', '-', '.', '/', ',']);
    let word = &word[..word.find(|letter: char| !letter.is_ascii_alphanumeric()).unwrap_or(word.len())];
    let letters = word.bytes().filter(u8::is_ascii_alphabetic).count();
    if letters == 0 {
        return Ok(());
    }
    if letters < word.len() {
        return Err(Why::Letters);
    }
    if letters > 1 && word.bytes().any(|byte| byte.is_ascii_lowercase()) {
        return Ok(());
    }
    // ITU-T E.161.
    let keys = |letter: u8| match letter.to_ascii_lowercase() {
        b'a'..=b'c' => '2',
        b'd'..=b'f' => '3',
        b'g'..=b'i' => '4',
        b'j'..=b'l' => '5',
        b'm'..=b'o' => '6',
        b'p'..=b's' => '7',
        b't'..=b'v' => '8',
        _ => '9',
    };
    let keyed: String = word.bytes().map(keys).collect();
    if dial(&format!("{head}{keyed}"), region).is_ok() { Err(Why::Letters) } else { Ok(()) }
}

fn shorten(text: &str) -> String {
    let line: String = text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).take(40).collect();
    if text.chars().nth(40).is_some() { line + "…" } else { line }
}

#[cfg(test)]
mod tests;
