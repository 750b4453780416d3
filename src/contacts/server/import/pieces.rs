use std::collections::BTreeMap;
use std::io::{Error, Result};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::decode::Decoded;
use super::numbers::Numbers;
use super::person::{DoNotCall, NUMBER, Person, Plan, Refusal};
use super::records::Records;
use crate::{Mapping, Preview};
use patchbay_shared::Phone;
use patchbay_shared::phone::spaced;

/// Rows in one piece, which is one transaction.
const ROWS: usize = 5_000;
/// A piece also ends when it weighs this much, so that long rows, and short ones that become much, do not pile up in memory.
const WEIGHT: usize = 8 * 1024 * 1024;

/// A file to walk through.
pub struct Walk {
    pub path: PathBuf,
    pub encoding: String,
    pub delimiter: u8,
    pub preview: Preview,
    pub mapping: Mapping,
    pub country: Option<String>,
}

impl Walk {
    /// How it reads a row.
    pub(crate) fn plan(&self) -> Plan {
        Plan::new(&self.preview, &self.mapping, self.country.clone())
    }
}

/// Some thousand rows in a row.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Piece {
    pub people: Vec<Person>,
    pub refused: Vec<Refused>,
    /// Rows whose number stood further up in the file; they are among `refused` too.
    pub doubled: i64,
    /// Rows in this piece, blank lines left out.
    pub rows: i64,
    /// Lines without anything in them.
    pub blank: i64,
    /// Records from the start of the file to the end of this piece: where to go on.
    pub done: u64,
    /// Bytes of the file read when the piece was full.
    pub bytes: u64,
    /// How often each kind of trouble came up. Only the check asks.
    #[serde(skip)]
    pub reasons: BTreeMap<&'static str, i64>,
    /// Bytes that the check has kept so far. Only the check asks.
    #[serde(skip)]
    pub kept: u64,
    #[serde(skip)]
    weight: usize,
}

impl Piece {
    /// What rows say that must not be called, each with its numbers: of rows that are imported and of those that are not.
    pub fn do_not_call(&self) -> impl Iterator<Item = (Vec<&Phone>, &DoNotCall)> {
        let people = self.people.iter().filter_map(|person| {
            let why = person.do_not_call.as_ref()?;
            Some((std::iter::once(&person.phone).chain(&person.other_phones).collect(), why))
        });
        let refused = self.refused.iter().filter_map(|row| row.do_not_call.as_ref());
        people.chain(refused.map(|(phones, why)| (phones.iter().collect(), why)))
    }
}

/// A row that is not imported.
#[derive(Debug, Serialize, Deserialize)]
pub struct Refused {
    /// The line where the row begins, from 1; in a workbook the row.
    pub line: u64,
    pub reason: String,
    pub raw: String,
    /// It says all the same that these numbers must not be called.
    pub do_not_call: Option<(Vec<Phone>, DoNotCall)>,
}

const DOUBLED: &str = "Twice in the file";

/// Walks the file in a thread of its own and hands each piece to `take`, until that says no. What comes out depends on the file alone.
///
/// Errors: what reading gives; and when records, or bytes of the file, are not accounted for.
pub fn walk(walk: &Walk, mut take: impl FnMut(Piece) -> Result<bool>) -> Result<()> {
    let plan = walk.plan();
    let mut records = Records::new(Decoded::open(&walk.path, &walk.encoding)?, walk.delimiter);
    let is_sheet = !walk.preview.sheets.is_empty();
    let mut seen = Numbers::default();
    let above = u64::from(walk.preview.above) + u64::from(walk.mapping.named);
    let (mut skipped, mut count, mut rows, mut blank, mut piece) = (0, 0_u64, 0_u64, 0_u64, Piece::default());
    while let Some(record) = records.read()? {
        count += 1;
        if record.is_blank() {
            piece.blank += 1;
            continue;
        }
        if skipped < above {
            skipped += 1;
            continue;
        }
        piece.rows += 1;
        let read = plan.read(&record).and_then(|person| {
            let number = person.phone.as_str()[1..].parse().unwrap_or_default();
            if seen.insert(number) { Ok(person) } else { Err(doubled(&person)) }
        });
        match read {
            Ok(person) => {
                piece.weight += person.weight(plan.keys());
                piece.people.push(person);
            }
            Err(Refusal { kind, mut reason, do_not_call }) => {
                piece.doubled += i64::from(kind == DOUBLED);
                *piece.reasons.entry(kind).or_default() += 1;
                if is_sheet && kind == "Wrong number" {
                    reason += " If zeros in front are missing: the workbook keeps this cell as a number, which has none. Format the column as text and write the number again.";
                }
                let line = if is_sheet { count } else { record.line };
                let raw = record.raw.replace('\0', "␀");
                let numbers = do_not_call.as_ref().map_or(0, |(phones, _)| phones.len());
                piece.weight += size_of::<Refused>() + reason.len() + raw.len() + numbers * NUMBER;
                piece.refused.push(Refused { line, reason, raw, do_not_call });
            }
        }
        if piece.rows as usize >= ROWS || piece.weight >= WEIGHT {
            (piece.done, piece.bytes) = (count, records.source().bytes_read);
            (rows, blank) = (rows + piece.rows as u64, blank + piece.blank as u64);
            if !take(std::mem::take(&mut piece))? {
                return Ok(());
            }
        }
    }
    (piece.done, piece.bytes) = (count, records.source().bytes_read);
    (rows, blank) = (rows + piece.rows as u64, blank + piece.blank as u64);
    if (piece.rows > 0 || piece.blank > 0) && !take(piece)? {
        return Ok(());
    }
    let length = std::fs::metadata(&walk.path)?.len();
    if skipped + rows + blank != count || records.source().bytes_read != length {
        let read = records.source().bytes_read;
        return Err(Error::other(format!(
            "{count} records and {read} of {length} bytes were read, but {skipped} + {rows} + {blank} records counted"
        )));
    }
    Ok(())
}

fn doubled(person: &Person) -> Refusal {
    let phones = || std::iter::once(&person.phone).chain(&person.other_phones).cloned().collect();
    let do_not_call = person.do_not_call.clone().map(|why| (phones(), why));
    Refusal {
        kind: DOUBLED,
        reason: format!("{} stands further up in the file.", spaced(person.phone.as_str())),
        do_not_call,
    }
}
