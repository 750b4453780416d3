use std::collections::BTreeMap;

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

/// A row that can become a contact.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Person {
    pub phone: Phone,
    pub name: String,
    pub company: Option<String>,
    pub email: Option<String>,
    pub timezone: Option<String>,
    pub attributes: BTreeMap<String, String>,
    pub do_not_call: Option<DoNotCall>,
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
    /// The row isn't imported, but it says that this number must not be called: a contact who has it already is not.
    pub do_not_call: Option<(Phone, DoNotCall)>,
}

/// The mapping, ready to be applied to millions of rows.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    columns: Vec<(usize, Target)>,
    /// Column and name of each variable.
    attributes: Vec<(usize, String)>,
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
            .filter_map(|(index, _)| keys.get(*index).map(|key| (*index, key.clone())))
            .collect();
        Self { columns, attributes, header, country }
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
        if cells.len() > width && (width..cells.len()).any(|index| !cells.get(index).trim().is_empty()) {
            let reason = format!(
                "The row has {} cells and the file {width} columns. Put quotes around cells that hold the separator.",
                cells.len(),
            );
            return Err(Refusal { kind: "Too many columns", reason, do_not_call: None });
        }
        let number = self.number(cells);
        let do_not_call = self.do_not_call(cells, number.as_ref().ok());
        let phone = number.as_ref().map(|reading| reading.phone.clone()).ok();
        self.person(record, number, do_not_call.clone())
            .map_err(|refusal| Refusal { do_not_call: phone.zip(do_not_call), ..refusal })
    }

    fn person(
        &self,
        record: &Record<'_>,
        number: Result<Reading, Refusal>,
        do_not_call: Option<DoNotCall>,
    ) -> Result<Person, Refusal> {
        let cells = record.cells;
        if record.raw.contains(['\0', '␀']) {
            return Err(refuse("Unreadable", "The row holds a zero byte, which no text has."));
        }
        if record.raw.contains('\u{fffd}') {
            return Err(refuse("Unreadable", "The row holds bytes that are no letters in the file's encoding."));
        }
        let Reading { phone, others, left_out } = number?;
        let mut attributes = BTreeMap::new();
        for (index, key) in &self.attributes {
            let value = clean(cells.get(*index));
            if value.chars().count() > MAX_VALUE {
                return Err(refuse("Too long", "A cell is longer than 10,000 characters."));
            }
            if !value.is_empty() {
                attributes.insert(key.clone(), value.to_owned());
            }
        }
        let (name, company) = (self.name(cells), self.cell(cells, Target::Company));
        if name.chars().count() > MAX_NAME || company.chars().count() > MAX_NAME {
            return Err(refuse("Too long", "The name or the company is longer than 200 characters."));
        }
        for other in others {
            keep(&mut attributes, "phone_2", other.as_str());
        }
        if !left_out.is_empty() {
            keep(&mut attributes, "phone_as_written", self.number_cell(cells));
        }
        // What is no address, or more than one, must not be lost, and must not be taken for one.
        let written = self.cell(cells, Target::Email);
        let email = first_email(written);
        if email != written {
            let shortened: String = written.chars().take(MAX_VALUE).collect();
            keep(&mut attributes, "email_as_written", &shortened);
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
            attributes,
            do_not_call,
        })
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

    /// The cell that the number is in: the first that isn't empty.
    fn number_cell<'a>(&self, cells: &'a Cells) -> &'a str {
        let mut filled = self.all(cells, Target::Phone).chain(self.all(cells, Target::OtherPhone));
        filled.find(|(_, text)| !plain(text).trim().is_empty()).map(|(_, text)| text).unwrap_or_default()
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

/// Keeps a value under the first name that is free: `phone_2`, or `phone_2_2`.
fn keep(attributes: &mut BTreeMap<String, String>, key: &str, value: &str) {
    let numbered = (2..).map(|count| format!("{key}_{count}"));
    if let Some(key) = std::iter::once(key.to_owned()).chain(numbered).find(|key| !attributes.contains_key(key)) {
        attributes.insert(key, value.to_owned());
    }
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
mod tests {
    use super::super::records::Records;
    use super::*;

    fn read(row: &str) -> Result<Person, Refusal> {
        let preview = Preview {
            first: ["Name", "Phone", "Mail", "TZ", "DNC", "Plan b"].map(str::to_owned).to_vec(),
            ..Preview::default()
        };
        use Target::*;
        let mapping = Mapping { named: true, columns: vec![Name, Phone, Email, TimeZone, DoNotCall, Attribute] };
        let plan = Plan::new(&preview, &mapping, Some("CH".into()));
        let mut records = Records::new(row.as_bytes(), b';');
        plan.read(&records.read().unwrap().unwrap())
    }

    #[test]
    fn a_good_row() {
        let person = read("Ada Vogt;079 123 45 67;ada@x.ch;Europe/Zurich;ja;gold").unwrap();
        assert_eq!(person.phone.as_str(), "+41791234567");
        assert_eq!(person.do_not_call, Some(DoNotCall::Said));
        assert_eq!(person.attributes.get("plan_b").unwrap(), "gold");
        assert_eq!(read("Ada;'+41791234567").unwrap().phone.as_str(), "+41791234567");
        assert_eq!(read("'=SUM(1);+41791234567").unwrap().name, "=SUM(1)");
        assert_eq!(read("Ada;+41791234567;n/a").unwrap().attributes.get("email_as_written").unwrap(), "n/a");
    }

    #[test]
    fn bad_rows_say_why() {
        let kind = |row: &str| read(row).unwrap_err().kind;
        assert_eq!(kind(";;;"), "Empty row");
        assert_eq!(kind("Ada;"), "No number");
        assert_eq!(kind("Ada;123"), "Wrong number");
        assert!(read("Ada;4.17912E+10").unwrap_err().reason.contains("spreadsheet"));
        assert_eq!(kind("Ada;+41791234567;;;;;;x"), "Too many columns");
        assert!(read("Ada;+41791234567;;;;;;;").is_ok());
        assert_eq!(kind("A\0da;+41791234567"), "Unreadable");
        assert_eq!(kind("Ada;+41791234567;;Mars/Base"), "Unknown time zone");
    }

    #[test]
    fn a_row_that_is_refused_still_keeps_from_calling() {
        let refused = read("Ada;+41791234567;;Mars/Base;yes").unwrap_err();
        assert_eq!(refused.do_not_call.unwrap().0.as_str(), "+41791234567");
        assert_eq!(read("Ada;+41791234567;;Mars/Base;no").unwrap_err().do_not_call, None);
        let unreadable = read("Ada;+41791234567;;;may\0be").unwrap_err();
        assert_eq!(unreadable.do_not_call.unwrap().1, DoNotCall::Unclear("maybe".into(), "DNC".into()));
        let unclear = read("Ada;+41791234567;;;maybe").unwrap().do_not_call.unwrap();
        assert_eq!(unclear.reason("a.csv"), "“maybe” in the column DNC of the file a.csv is neither a yes nor a no");
        assert_eq!(read("Ada;079 123 45 67 (nicht anrufen);;;no").unwrap().do_not_call, Some(DoNotCall::Said));
    }

    #[test]
    fn what_is_cut_off_is_kept_as_a_variable() {
        let person = read("Ada;079 123 45 67 ext 9 / 044 555 60 01;a@x.ch ::: b@x.ch").unwrap();
        assert_eq!((person.phone.as_str(), person.email.as_deref()), ("+41791234567", Some("a@x.ch")));
        let kept = |key: &str| person.attributes.get(key).map(String::as_str);
        assert_eq!(kept("phone_2"), Some("+41445556001"));
        assert_eq!(kept("phone_as_written"), Some("079 123 45 67 ext 9 / 044 555 60 01"));
        assert_eq!(kept("email_as_written"), Some("a@x.ch ::: b@x.ch"));
        assert_eq!(read("Ada;+41791234567;Ada <ada@x.ch>").unwrap().email.as_deref(), Some("ada@x.ch"));
    }
}
