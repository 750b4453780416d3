use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::records::{Cells, Record};
use crate::{MAX_NAME, Mapping, Preview, Target, attribute_key, looks_like_email};
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
    pub do_not_call: bool,
}

/// Why a row cannot: the kind, for counting, and the sentence for whoever mends it.
#[derive(Debug, Clone, PartialEq)]
pub struct Refusal {
    pub kind: &'static str,
    pub reason: String,
}

/// The mapping, ready to be applied to millions of rows.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    columns: Vec<(usize, Target)>,
    /// Column and name of each variable.
    attributes: Vec<(usize, String)>,
    width: usize,
    country: Option<String>,
}

impl Plan {
    pub fn new(preview: &Preview, mapping: &Mapping, country: Option<String>) -> Self {
        let header = preview.header(mapping.named);
        let columns: Vec<(usize, Target)> = mapping.columns.iter().copied().enumerate().collect();
        let attributes = columns
            .iter()
            .filter(|(_, target)| *target == Target::Attribute)
            .filter_map(|(index, _)| header.get(*index).map(|name| (*index, attribute_key(name, *index))))
            .collect();
        Self { columns, attributes, width: header.len(), country }
    }

    /// Reads one record.
    pub fn read(&self, record: &Record<'_>) -> Result<Person, Refusal> {
        let cells = record.cells;
        if record.is_too_long {
            return Err(refuse("Line too long", "The line is longer than 256 kB."));
        }
        if record.raw.contains(['\0', '␀']) {
            return Err(refuse("Unreadable", "The row holds a zero byte, which no text has."));
        }
        if record.raw.contains('\u{fffd}') {
            return Err(refuse("Unreadable", "The row holds bytes that are no letters in the file's encoding."));
        }
        if cells.iter().all(|cell| cell.trim().is_empty()) {
            return Err(refuse("Empty row", "The row is empty."));
        }
        if cells.len() > self.width && (self.width..cells.len()).any(|index| !cells.get(index).trim().is_empty()) {
            let reason = format!(
                "The row has {} cells and the file {} columns. Put quotes around cells that hold the separator.",
                cells.len(),
                self.width
            );
            return Err(Refusal { kind: "Too many columns", reason });
        }
        let phone = self.phone(self.cell(cells, Target::Phone))?;
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
        // What is no address must not be lost, and must not be taken for one.
        let mut email = self.cell(cells, Target::Email);
        if !email.is_empty() && !looks_like_email(email) {
            attributes.entry("email_as_written".into()).or_insert_with(|| email.to_owned());
            email = "";
        }
        let timezone = self.cell(cells, Target::TimeZone);
        if !timezone.is_empty() && timezone.parse::<chrono_tz::Tz>().is_err() {
            let shown: String = timezone.chars().take(40).collect();
            return Err(Refusal {
                kind: "Unknown time zone",
                reason: format!("“{shown}” is no time zone. Write it like Europe/Zurich."),
            });
        }
        let some = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        Ok(Person {
            phone,
            company: some(company),
            email: some(email),
            timezone: some(timezone),
            do_not_call: says_yes(self.cell(cells, Target::DoNotCall)),
            name,
            attributes,
        })
    }

    fn cell<'a>(&self, cells: &'a Cells, target: Target) -> &'a str {
        let column = self.columns.iter().find(|(_, column)| *column == target);
        column.map(|(index, _)| clean(cells.get(*index))).unwrap_or_default()
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

    fn phone(&self, text: &str) -> Result<Phone, Refusal> {
        if text.is_empty() {
            return Err(refuse("No number", "The row has no phone number."));
        }
        // 4.17912E+10: a spreadsheet took the number for a quantity, and digits are gone.
        let lower = text.to_ascii_lowercase();
        if let Some((head, tail)) = lower.split_once("e+")
            && !head.is_empty()
            && [head, tail].iter().all(|part| part.chars().all(|c| c.is_ascii_digit() || c == '.' || c == ','))
        {
            let shown: String = text.chars().take(30).collect();
            let reason = format!(
                "A spreadsheet shortened this number to “{shown}”. Format the column as text and export it again."
            );
            return Err(Refusal { kind: "Wrong number", reason });
        }
        Phone::parse(text, self.country.as_deref()).or_else(|reason| {
            // Spreadsheets drop the plus. Eleven digits that make a whole number with it are one.
            let digits: String = text.chars().filter(char::is_ascii_digit).collect();
            let bare = self.country.is_none() && (11..=15).contains(&digits.len()) && !text.starts_with(['+', '0']);
            let again = if bare { Phone::parse(&format!("+{digits}"), None).ok() } else { None };
            again.ok_or(Refusal { kind: "Wrong number", reason })
        })
    }
}

/// The cell as it was meant: without blanks around it and without the apostrophe of our own export.
fn clean(cell: &str) -> &str {
    csv_cell::plain(cell.trim().trim_matches('\u{feff}'))
}

fn refuse(kind: &'static str, reason: &str) -> Refusal {
    Refusal { kind, reason: reason.to_owned() }
}

/// Yes in the languages that lists come in; everything that is neither empty nor a known no would be too much.
fn says_yes(text: &str) -> bool {
    const YES: [&str; 22] = [
        "yes",
        "y",
        "true",
        "1",
        "x",
        "✓",
        "✔",
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
        "हाँ",
        "हां",
        "હા",
        "dnc",
    ];
    YES.contains(&text.to_lowercase().as_str())
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
        assert!(person.do_not_call);
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
}
