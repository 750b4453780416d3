//! What the columns of a file probably are, from their names in several languages and from the values under them.

mod cells;
mod words;

pub use cells::looks_like_phone;

use super::import::{Mapping, Preview, Target};
use patchbay_shared::plain::plain;
use words::*;

/// Whether the first row holds names: no cell of it is a phone number, and not all are empty.
pub fn is_named(preview: &Preview) -> bool {
    !preview.first.iter().any(|cell| looks_like_phone(cell)) && preview.first.iter().any(|cell| !cell.trim().is_empty())
}

/// A first mapping. `known`: the column names of the client's last import and what they became.
pub fn mapping(preview: &Preview, known: &[(String, Target)]) -> Mapping {
    let named = is_named(preview);
    let header = preview.header(named);
    let mut columns: Vec<Target> = header
        .iter()
        .map(|name| {
            let before = known.iter().find(|(old, _)| normal(old) == normal(name)).map(|(_, target)| *target);
            before.unwrap_or_else(|| by_name(name))
        })
        .collect();
    settle_phone(preview, named, &mut columns);
    settle_names(&mut columns);
    // Every other field is taken once; the first column keeps it.
    for target in [Target::Name, Target::FirstName, Target::LastName, Target::Company, Target::Email, Target::TimeZone]
    {
        let mut seen = false;
        for column in columns.iter_mut().filter(|column| **column == target) {
            if std::mem::replace(&mut seen, true) {
                *column = Target::Attribute;
            }
        }
    }
    Mapping { named, columns }
}

fn by_name(name: &str) -> Target {
    let name = normal(name);
    let lists: [(&[&str], Target); 8] = [
        (OWN, Target::Skip),
        (PHONE, Target::Phone),
        (FIRST, Target::FirstName),
        (LAST, Target::LastName),
        (NAME, Target::Name),
        (EMAIL, Target::Email),
        (COMPANY, Target::Company),
        (ZONE, Target::TimeZone),
    ];
    // Programs write names as one word: `MobilePhone`.
    let whole = name.replace(' ', "");
    let is = |words: &[&str]| words.iter().any(|word| *word == name || word.replace(' ', "") == whole);
    // Google numbers them: `Phone 3 - Value`.
    if name
        .strip_prefix("phone ")
        .and_then(|rest| rest.strip_suffix(" value"))
        .is_some_and(|rest| rest.parse::<u8>().is_ok())
    {
        return Target::Phone;
    }
    if is(MAY_CALL) {
        return Target::MayCall;
    }
    if is(DO_NOT_CALL) || is_do_not_call(&name, &whole) {
        return Target::DoNotCall;
    }
    lists.iter().find(|(words, _)| is(words)).map_or(Target::Attribute, |(_, target)| *target)
}

fn is_do_not_call(name: &str, whole: &str) -> bool {
    let within = |words: &[&str]| words.iter().any(|word| whole.contains(word));
    let has = |words: &[&str]| name.split(' ').any(|part| words.contains(&part));
    // A name in one word has its words within: `HasOptedOutOfEmail`.
    let speaks = |words: &[&str]| has(words) || !name.contains(' ') && within(words);
    within(DO_NOT_CALL_WITHIN)
        || has(&["dnc"])
        || within(OPT_OUT_WITHIN) && (speaks(CALL_WORDS) || !speaks(OTHER_CHANNELS))
}

/// Of several columns that could be the number, the one with the most numbers in it wins, and the others stand in where it is empty;
/// without any, the values decide alone.
fn settle_phone(preview: &Preview, named: bool, columns: &mut [Target]) {
    let numbers = |column: usize| preview.samples(named, column).iter().filter(|cell| looks_like_phone(cell)).count();
    let by_name: Vec<usize> = (0..columns.len()).filter(|column| columns[*column] == Target::Phone).collect();
    let from: Vec<usize> = if by_name.is_empty() {
        (0..columns.len()).filter(|column| columns[*column] == Target::Attribute && numbers(*column) > 0).collect()
    } else {
        by_name.clone()
    };
    for column in by_name {
        columns[column] = Target::OtherPhone;
    }
    // `max_by_key` gives the last of equals; the first column is the better guess.
    if let Some(best) = from.into_iter().rev().max_by_key(|column| numbers(*column)) {
        columns[best] = Target::Phone;
    }
}

/// “Name” beside “Vorname” is the family name, beside “Apellidos” the first name.
fn settle_names(columns: &mut [Target]) {
    let has = |columns: &[Target], target| columns.contains(&target);
    let other = match (has(columns, Target::FirstName), has(columns, Target::LastName)) {
        (true, false) => Target::LastName,
        (false, true) => Target::FirstName,
        _ => return,
    };
    if let Some(column) = columns.iter_mut().find(|column| **column == Target::Name) {
        *column = other;
    }
}

/// Lower case, and everything but letters, marks and digits as one blank.
fn normal(name: &str) -> String {
    let spaced: String = plain(name)
        .chars()
        .flat_map(char::to_lowercase)
        .map(|c| if c.is_ascii_punctuation() || c.is_whitespace() || c.is_control() { ' ' } else { c })
        .collect();
    spaced.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests;
