use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Error, Result, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::decode::Decoded;
use super::numbers::Numbers;
use super::person::{DoNotCall, Person, Plan, Refusal};
use super::records::Records;
use crate::{Mapping, Preview};
use patchbay_shared::Phone;

/// Rows in one piece, which is one transaction.
const ROWS: usize = 5_000;
/// A piece also ends at this much text, so that long rows do not pile up in memory.
const BYTES: usize = 4 * 1024 * 1024;

/// A file to walk through.
pub struct Walk {
    pub path: PathBuf,
    pub encoding: String,
    pub delimiter: u8,
    pub preview: Preview,
    pub mapping: Mapping,
    pub country: Option<String>,
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
    #[serde(skip)]
    text: usize,
}

impl Piece {
    /// Whom the file keeps from being called, in rows that are imported and in those that are not.
    pub fn do_not_call(&self) -> impl Iterator<Item = (&Phone, &DoNotCall)> {
        let people = self.people.iter().filter_map(|person| Some((&person.phone, person.do_not_call.as_ref()?)));
        let refused = self.refused.iter().filter_map(|row| row.do_not_call.as_ref());
        people.chain(refused.map(|(phone, why)| (phone, why)))
    }
}

/// A row that is not imported.
#[derive(Debug, Serialize, Deserialize)]
pub struct Refused {
    /// The line where the row begins, from 1; in a workbook the row.
    pub line: u64,
    pub reason: String,
    pub raw: String,
    /// It says all the same that this number must not be called.
    pub do_not_call: Option<(Phone, DoNotCall)>,
}

const DOUBLED: &str = "Twice in the file";

/// Walks the file in a thread of its own and hands each piece to `take`, until that says no. What comes out depends on the file alone.
///
/// Errors: what reading gives; and when records, or bytes of the file, are not accounted for.
pub fn walk(walk: &Walk, mut take: impl FnMut(Piece) -> Result<bool>) -> Result<()> {
    let plan = Plan::new(&walk.preview, &walk.mapping, walk.country.clone());
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
        piece.text += record.raw.len();
        let read = plan.read(&record).and_then(|person| {
            let number = person.phone.as_str()[1..].parse().unwrap_or_default();
            if seen.insert(number) { Ok(person) } else { Err(doubled(&person)) }
        });
        match read {
            Ok(person) => piece.people.push(person),
            Err(Refusal { kind, mut reason, do_not_call }) => {
                piece.doubled += i64::from(kind == DOUBLED);
                *piece.reasons.entry(kind).or_default() += 1;
                if is_sheet && kind == "Wrong number" {
                    reason += " If zeros in front are missing: the workbook keeps this cell as a number, which has none. Format the column as text and write the number again.";
                }
                let line = if is_sheet { count } else { record.line };
                let raw = record.raw.replace('\0', "␀");
                piece.refused.push(Refused { line, reason, raw, do_not_call });
            }
        }
        if piece.rows as usize >= ROWS || piece.text >= BYTES {
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
    let do_not_call = person.do_not_call.clone().map(|why| (person.phone.clone(), why));
    Refusal { kind: DOUBLED, reason: format!("{} stands further up in the file.", person.phone), do_not_call }
}

/// The pieces of a check, kept on the disk for the import, one line of JSON each.
pub(crate) struct Kept(BufWriter<File>);

impl Kept {
    pub fn create(path: &Path) -> Result<Self> {
        Ok(Self(BufWriter::with_capacity(256 * 1024, File::create(path)?)))
    }

    pub fn keep(&mut self, piece: &Piece) -> Result<()> {
        serde_json::to_writer(&mut self.0, piece)?;
        self.0.write_all(b"\n")
    }

    /// Safe on the disk after this.
    pub fn finish(self) -> Result<()> {
        self.0.into_inner().map_err(|error| error.into_error())?.sync_all()
    }
}

/// Gives the kept pieces behind the first `done` records to `take`, until that says no.
pub(crate) fn kept(path: &Path, done: u64, mut take: impl FnMut(Piece) -> bool) -> Result<()> {
    let mut file = BufReader::with_capacity(256 * 1024, File::open(path)?);
    let mut line = Vec::new();
    loop {
        line.clear();
        if file.read_until(b'\n', &mut line)? == 0 {
            return Ok(());
        }
        let piece: Piece = serde_json::from_slice(&line)?;
        if piece.done > done && !take(piece) {
            return Ok(());
        }
    }
}
