//! Parts of a document that is an archive. A small file may unpack to a thousand times its size: what is read is counted as it comes out.

use std::io::{BufReader, Cursor, Read};

use zip::ZipArchive;

use super::Refusal;
use crate::model::kind::Parts;

/// The most that the parts of one file may be unpacked to, together.
const MAX_UNPACKED: u64 = 256 * 1024 * 1024;
/// A part that unpacks to more than this many times its size was made to do so: text gives five to twenty.
const MOST_TIMES: u64 = 400;
const MAX_PARTS: usize = 10_000;

pub type Archive<'a> = ZipArchive<Cursor<&'a [u8]>>;

pub fn open(bytes: &[u8]) -> Result<Archive<'_>, Refusal> {
    let archive = ZipArchive::new(Cursor::new(bytes)).map_err(|_| Refusal::Damaged)?;
    if archive.len() > MAX_PARTS {
        return Err(Refusal::Unpacks);
    }
    Ok(archive)
}

/// What the archive is, by the names of its parts. Errors also: its parts together say that they unpack to too much.
pub fn parts(bytes: &[u8]) -> Result<Parts, Refusal> {
    let mut archive = open(bytes)?;
    let (mut parts, mut unpacked) = (Parts::default(), 0_u64);
    for at in 0..archive.len() {
        let Ok(part) = archive.by_index_raw(at) else { return Err(Refusal::Damaged) };
        if let Ok(name) = part.name() {
            parts.look(name.as_bytes());
        }
        unpacked = unpacked.saturating_add(part.size());
    }
    if unpacked > MAX_UNPACKED || archive.has_overlapping_entries().unwrap_or(true) {
        return Err(Refusal::Unpacks);
    }
    Ok(parts)
}

/// One part, unpacked as it is read. None: there is no such part.
pub fn part<'a, 'b>(
    archive: &'a mut Archive<'b>,
    name: &str,
) -> Result<Option<BufReader<Counted<impl Read + use<'a, 'b>>>>, Refusal> {
    let Ok(part) = archive.by_name(name) else { return Ok(None) };
    if part.encrypted() {
        return Err(Refusal::Locked);
    }
    let most = part.compressed_size().saturating_mul(MOST_TIMES).clamp(1024 * 1024, MAX_UNPACKED);
    Ok(Some(BufReader::with_capacity(64 * 1024, Counted { inner: part, left: most })))
}

/// Reads so much and no more.
pub struct Counted<R> {
    inner: R,
    left: u64,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        let read = self.inner.read(out)?;
        self.left = self.left.checked_sub(read as u64).ok_or_else(|| std::io::Error::other(UNPACKS))?;
        Ok(read)
    }
}

const UNPACKS: &str = "unpacks to too much";

/// What an error of a reader over a part means.
pub fn refusal(error: &dyn std::fmt::Display) -> Refusal {
    if error.to_string().contains(UNPACKS) { Refusal::Unpacks } else { Refusal::Damaged }
}
