use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use super::consent::{self, Says};
use super::records::{Cells, Record};
use crate::{MAX_NAME, Mapping, Preview, Target, attribute_keys, looks_like_email};
use patchbay_shared::phone::Reading;
use patchbay_shared::plain::plain;
use patchbay_shared::zone_names::read_zone;
use patchbay_shared::{Phone, csv_cell};

/// Longest value of a variable, in characters.
const MAX_VALUE: usize = 10_000;

/// Bytes of a number in memory.
pub(super) const NUMBER: usize = 48;

/// A row that can become a contact.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Person {
    pub phone: Phone,
    pub name: String,
    pub company: Option<String>,
    pub email: Option<String>,
    pub timezone: Option<String>,
    /// What the columns hold that become variables, in the order of `Plan::keys`.
    pub values: Values,
    /// Variables that are no column's: name and value.
    pub more: Vec<(String, String)>,
    pub do_not_call: Option<DoNotCall>,
    /// The row's other numbers, when it says that it must not be called: they are nobody's to call either.
    pub other_phones: Vec<Phone>,
}

impl Person {
    /// The variables' names and values. `keys`: those of the plan that it was read with.
    pub fn attributes<'a>(&'a self, keys: &'a [String]) -> impl Iterator<Item = (&'a str, &'a str)> {
        let columns = keys.iter().map(String::as_str).zip(self.values.iter());
        let more = self.more.iter().map(|(key, value)| (key.as_str(), value.as_str()));
        columns.filter(|(_, value)| !value.is_empty()).chain(more)
    }

    /// What it takes in memory, and in what is sent to the database.
    pub fn weight(&self, keys: &[String]) -> usize {
        let attributes: usize = self.attributes(keys).map(|(key, value)| key.len() + value.len() + 8).sum();
        let texts = [self.company.as_ref(), self.email.as_ref(), self.timezone.as_ref()];
        let texts: usize = texts.into_iter().flatten().map(String::len).sum();
        size_of::<Self>() + self.name.len() + texts + attributes + self.other_phones.len() * NUMBER
    }
}

/// Many values in one piece of memory: a row may have two hundred of one letter each.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Values {
    text: String,
    lengths: Vec<u32>,
}

impl Values {
    fn push(&mut self, value: &str) {
        self.text.push_str(value);
        self.lengths.push(value.len() as u32);
    }

    pub fn iter(&self) -> impl Iterator<Item = &str> {
        let mut start = 0;
        self.lengths.iter().map(move |length| {
            let end = start + *length as usize;
            let value = self.text.get(start..end).unwrap_or_default();
            start = end;
            value
        })
    }
}

/// Why the file keeps a person from being called.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum DoNotCall {
    /// A column, or a remark beside the number, says so.
    Said,
    /// A column of consent is empty, by the column's name.
    NoConsent(String),
    /// A column about consent holds this word, which is neither a yes nor a no. The word, shortened, and the column's name.
    Unclear(String, String),
}

impl DoNotCall {
    /// As the contact's page gives it.
    pub fn reason(&self, file: &str) -> String {
        match self {
            Self::Said => format!("Marked so in the file {file}"),
            Self::NoConsent(column) => format!("No consent in the column {column} of the file {file}"),
            Self::Unclear(word, column) => {
                format!("“{word}” in the column {column} of the file {file} is neither a yes nor a no")
            }
        }
    }
}

/// Why a row cannot: the kind, for counting, and the sentence for whoever mends it.
#[derive(Debug, Clone, PartialEq)]
pub struct Refusal {
    pub kind: &'static str,
    pub reason: String,
    /// The row isn't imported, but it says that these numbers must not be called: a contact who has one already is not.
    pub do_not_call: Option<(Vec<Phone>, DoNotCall)>,
}

/// The mapping, ready to be applied to millions of rows.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    columns: Vec<(usize, Target)>,
    /// The columns that become variables.
    attributes: Vec<usize>,
    /// The names of these, in the same order.
    keys: Vec<String>,
    header: Vec<String>,
    country: Option<String>,
}

impl Plan {
    pub fn new(preview: &Preview, mapping: &Mapping, country: Option<String>) -> Self {
        let header = preview.header(mapping.named);
        let columns: Vec<(usize, Target)> = mapping.columns.iter().copied().enumerate().collect();
        let keys = attribute_keys(&header);
        let attributes = columns
            .iter()
            .filter(|(_, target)| matches!(target, Target::Attribute | Target::OtherPhone))
            .filter_map(|(index, _)| keys.get(*index).map(|key| (*index, key.clone())));
        let (attributes, keys) = attributes.unzip();
        Self { columns, attributes, keys, header, country }
    }

    pub fn keys(&self) -> &[String] {
        &self.keys
    }

    /// Reads one record.
    pub fn read(&self, record: &Record<'_>) -> Result<Person, Refusal> {
        let (cells, width) = (record.cells, self.header.len());
        if record.is_too_long {
            return Err(refuse("Line too long", "The line is longer than 256 kB."));
        }
        if cells.iter().all(|cell| cell.trim().is_empty()) {
            return Err(refuse("Empty row", "The row is empty."));
        }
        let number = self.number(cells);
        let do_not_call = self.do_not_call(cells, number.as_ref().ok());
        // Whatever is wrong with the row, and whichever of its numbers is the contact's.
        let mut phones = if do_not_call.is_some() { self.phones(cells, number.as_ref().ok()) } else { Vec::new() };
        let refused = |refusal: Refusal, phones: Vec<Phone>| {
            let do_not_call = do_not_call.clone().filter(|_| !phones.is_empty()).map(|why| (phones, why));
            Refusal { do_not_call, ..refusal }
        };
        if cells.len() > width && (width..cells.len()).any(|index| !cells.get(index).trim().is_empty()) {
            let reason = format!(
                "The row has {} cells and the file {width} columns. Put quotes around cells that hold the separator.",
                cells.len(),
            );
            return Err(refused(Refusal { kind: "Too many columns", reason, do_not_call: None }, phones));
        }
        match self.person(record, number) {
            Ok(person) => {
                phones.retain(|phone| *phone != person.phone);
                Ok(Person { do_not_call, other_phones: phones, ..person })
            }
            Err(refusal) => Err(refused(refusal, phones)),
        }
    }

    /// All but what it says about calling.
    fn person(&self, record: &Record<'_>, number: Result<Reading, Refusal>) -> Result<Person, Refusal> {
        let cells = record.cells;
        if record.raw.contains(['\0', '␀']) {
            return Err(refuse("Unreadable", "The row holds a zero byte, which no text has."));
        }
        if record.raw.contains('\u{fffd}') {
            return Err(refuse("Unreadable", "The row holds bytes that are no letters in the file's encoding."));
        }
        let Reading { phone, others, left_out } = number?;
        let mut values = Values::default();
        for index in &self.attributes {
            let value = clean(cells.get(*index));
            if value.chars().count() > MAX_VALUE {
                return Err(refuse("Too long", "A cell is longer than 10,000 characters."));
            }
            values.push(value);
        }
        let mut more = Vec::new();
        let (name, company) = (self.name(cells), self.cell(cells, Target::Company));
        if name.chars().count() > MAX_NAME || company.chars().count() > MAX_NAME {
            return Err(refuse("Too long", "The name or the company is longer than 200 characters."));
        }
        for other in others {
            self.keep(&values, &mut more, "phone_2", other.as_str());
        }
        if !left_out.is_empty() {
            self.keep(&values, &mut more, "phone_as_written", self.number_cell(cells));
        }
        // What is no address, or more than one, must not be lost, and must not be taken for one.
        let written = self.cell(cells, Target::Email);
        let email = first_email(written);
        if email != written {
            let shortened: String = written.chars().take(MAX_VALUE).collect();
            self.keep(&values, &mut more, "email_as_written", &shortened);
        }
        let timezone = Some(self.cell(cells, Target::TimeZone)).filter(|text| !text.is_empty());
        let timezone = timezone.map(|text| read_zone(text, &phone)).transpose();
        let timezone = timezone.map_err(|reason| Refusal { kind: "Unknown time zone", reason, do_not_call: None })?;
        let some = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        let company = some(company);
        Ok(Person {
            phone,
            name,
            company,
            email: some(email),
            timezone: timezone.and_then(some),
            values,
            more,
            do_not_call: None,
            other_phones: Vec::new(),
        })
    }

    /// Keeps a value under the first name that is free: `phone_2`, or `phone_2_2`.
    fn keep(&self, values: &Values, more: &mut Vec<(String, String)>, key: &str, value: &str) {
        let is_taken = |key: &str| {
            let of_columns = self.keys.iter().zip(values.iter()).filter(|(_, value)| !value.is_empty());
            of_columns.map(|(key, _)| key).chain(more.iter().map(|(key, _)| key)).any(|taken| taken == key)
        };
        let numbered = (2..).map(|count| format!("{key}_{count}"));
        if let Some(key) = std::iter::once(key.to_owned()).chain(numbered).find(|key| !is_taken(key)) {
            more.push((key, value.to_owned()));
        }
    }

    fn cell<'a>(&self, cells: &'a Cells, target: Target) -> &'a str {
        self.all(cells, target).next().map(|(_, text)| text).unwrap_or_default()
    }

    /// The cells of each column that becomes `target`, with the column.
    fn all<'a>(&self, cells: &'a Cells, target: Target) -> impl Iterator<Item = (usize, &'a str)> {
        let columns = self.columns.iter().filter(move |(_, column)| *column == target);
        columns.map(move |(index, _)| (*index, clean(cells.get(*index))))
    }

    /// The name's own column, else first and last name.
    fn name(&self, cells: &Cells) -> String {
        let whole = self.cell(cells, Target::Name);
        if !whole.is_empty() {
            return whole.to_owned();
        }
        let (first, last) = (self.cell(cells, Target::FirstName), self.cell(cells, Target::LastName));
        format!("{first} {last}").trim().to_owned()
    }

    /// The cells for numbers that aren't empty.
    fn number_cells<'a>(&self, cells: &'a Cells) -> impl Iterator<Item = &'a str> {
        let all = self.all(cells, Target::Phone).chain(self.all(cells, Target::OtherPhone));
        all.map(|(_, text)| text).filter(|text| !plain(text).trim().is_empty())
    }

    /// The cell that the number is in: the first of them.
    fn number_cell<'a>(&self, cells: &'a Cells) -> &'a str {
        self.number_cells(cells).next().unwrap_or_default()
    }

    /// Every number of the row, each once. `first`: what its first cell was read as.
    fn phones(&self, cells: &Cells, first: Option<&Reading>) -> Vec<Phone> {
        let more = self.number_cells(cells).skip(1);
        let more = more.filter_map(|text| Phone::read(text, self.country.as_deref()).ok());
        let all = first.cloned().into_iter().chain(more);
        let mut seen = HashSet::new();
        all.flat_map(|reading| std::iter::once(reading.phone).chain(reading.others))
            .filter(|phone| seen.insert(phone.clone()))
            .collect()
    }

    fn number(&self, cells: &Cells) -> Result<Reading, Refusal> {
        let text = self.number_cell(cells);
        if text.is_empty() {
            return Err(refuse("No number", "The row has no phone number."));
        }
        let read = Phone::read(text, self.country.as_deref());
        read.map_err(|reason| Refusal { kind: "Wrong number", reason, do_not_call: None })
    }

    /// Whether the file keeps this person from being called, and why. Of several columns one is enough.
    fn do_not_call(&self, cells: &Cells, number: Option<&Reading>) -> Option<DoNotCall> {
        if number.is_some_and(|reading| !reading.left_out.is_empty() && consent::forbids(&reading.left_out)) {
            return Some(DoNotCall::Said);
        }
        let has_letters = |text: &&str| text.chars().any(char::is_alphabetic);
        if self.number_cells(cells).skip(1).filter(has_letters).any(consent::forbids) {
            return Some(DoNotCall::Said);
        }
        let says = |target, read: fn(&str) -> Says| {
            self.all(cells, target).map(move |(column, text)| (target, column, text, read(text)))
        };
        let all = says(Target::DoNotCall, consent::do_not_call).chain(says(Target::MayCall, consent::may_call));
        let mut doubt = None;
        for (target, column, text, says) in all {
            let name = || shown(self.header.get(column).map(String::as_str).unwrap_or_default());
            match says {
                Says::DoNotCall => return Some(DoNotCall::Said),
                Says::Unclear => doubt = doubt.or_else(|| Some(DoNotCall::Unclear(shown(text), name()))),
                Says::Nothing if target == Target::MayCall => {
                    doubt = doubt.or_else(|| Some(DoNotCall::NoConsent(name())))
                }
                Says::Nothing | Says::MayCall => {}
            }
        }
        doubt
    }
}

/// Forty characters of one line, as they can stand in a reason: the row may be an unreadable one, with zero bytes in it.
fn shown(text: &str) -> String {
    plain(text).chars().take(40).map(|letter| if letter == '\n' { ' ' } else { letter }).collect()
}

/// The first address of a cell, which may hold several (`a@x.org ::: b@x.org`) or one with a name (`Ada <ada@x.org>`).
fn first_email(text: &str) -> &str {
    if looks_like_email(text) && !text.contains([';', ',', '<', '>', ':']) {
        return text;
    }
    let mut words = text.split(|letter: char| letter.is_whitespace() || ";,|<>()\"".contains(letter)).take(50);
    words.find(|word| looks_like_email(word)).map(|word| word.trim_start_matches("mailto:")).unwrap_or_default()
}

/// The cell as it was meant: without blanks around it and without the apostrophe of our own export.
fn clean(cell: &str) -> &str {
    csv_cell::plain(cell.trim().trim_matches('\u{feff}'))
}

fn refuse(kind: &'static str, reason: &str) -> Refusal {
    Refusal { kind, reason: reason.to_owned(), do_not_call: None }
}

#[cfg(test)]
mod tests;
