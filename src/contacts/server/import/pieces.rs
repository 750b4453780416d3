use std::collections::HashSet;
use std::path::PathBuf;

use super::decode::Decoded;
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
    /// Records that an earlier worker has already dealt with, those above the first row included.
    pub done: u64,
}

/// Some thousand rows in a row.
#[derive(Debug, Default)]
pub struct Piece {
    pub people: Vec<Person>,
    pub refused: Vec<Refused>,
    /// Rows whose number stood further up in the file; they are among `refused` too.
    pub doubled: i64,
    /// Rows in this piece, blank lines left out.
    pub rows: i64,
    /// Records from the start of the file to the end of this piece: where to go on.
    pub done: u64,
    /// Bytes of the file read when the piece was full.
    pub bytes: u64,
    text: usize,
}

impl Piece {
    /// Whom the file keeps from being called, in rows that are imported and in those that are not.
    pub fn do_not_call(&self) -> impl Iterator<Item = (&Phone, &DoNotCall)> {
        let people = self.people.iter().filter_map(|person| Some((&person.phone, person.do_not_call.as_ref()?)));
        let refused = self.refused.iter().filter_map(|row| row.refusal.do_not_call.as_ref());
        people.chain(refused.map(|(phone, why)| (phone, why)))
    }
}

/// A row that is not imported.
#[derive(Debug)]
pub struct Refused {
    pub line: u64,
    pub refusal: Refusal,
    pub raw: String,
}

const DOUBLED: &str = "Twice in the file";

/// Walks the file in a thread of its own and hands each piece to `take`, until that says no. What comes out depends on the file alone:
/// a worker that goes on after another sees the same pieces' rows, whatever the other wrote.
pub(crate) fn walk(walk: &Walk, mut take: impl FnMut(Piece) -> bool) -> std::io::Result<()> {
    let plan = Plan::new(&walk.preview, &walk.mapping, walk.country.clone());
    let mut records = Records::new(Decoded::open(&walk.path, &walk.encoding)?, walk.delimiter);
    // Numbers seen so far. E.164 has at most fifteen digits: they fit into a word, and half a million of them into 8 MB.
    let mut seen: HashSet<u64> = HashSet::new();
    let mut above = u64::from(walk.preview.above) + u64::from(walk.mapping.named);
    let (mut count, mut piece) = (0_u64, Piece::default());
    while let Some(record) = records.read()? {
        count += 1;
        if record.is_blank() {
            continue;
        }
        if above > 0 {
            above -= 1;
            continue;
        }
        let read = plan.read(&record).and_then(|person| {
            let number = person.phone.as_str()[1..].parse().unwrap_or_default();
            if seen.insert(number) { Ok(person) } else { Err(doubled(&person)) }
        });
        if count <= walk.done {
            continue;
        }
        piece.rows += 1;
        piece.text += record.raw.len();
        match read {
            Ok(person) => piece.people.push(person),
            Err(refusal) => {
                piece.doubled += i64::from(refusal.kind == DOUBLED);
                piece.refused.push(Refused { line: record.line, refusal, raw: record.raw.replace('\0', "␀") });
            }
        }
        if piece.rows as usize >= ROWS || piece.text >= BYTES {
            (piece.done, piece.bytes) = (count, records.source().bytes_read);
            if !take(std::mem::take(&mut piece)) {
                return Ok(());
            }
        }
    }
    (piece.done, piece.bytes) = (count, records.source().bytes_read);
    if piece.rows > 0 {
        take(piece);
    }
    Ok(())
}

fn doubled(person: &Person) -> Refusal {
    let do_not_call = person.do_not_call.clone().map(|why| (person.phone.clone(), why));
    Refusal { kind: DOUBLED, reason: format!("{} stands further up in the file.", person.phone), do_not_call }
}
