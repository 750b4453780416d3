//! What kind of file this is, from its first bytes: encoding, separator, first rows. Says why when it is none that can be read.

use std::fs::File;
use std::io::Read;
use std::path::Path;

pub use super::decode::Utf8Count;
use super::decode::{self, Decoded};
use super::records::Records;
use crate::{MAX_COLUMNS, Preview, UploadProblem};
use patchbay_shared::AppError;
use patchbay_shared::error::internal;

/// How much of the file is looked at.
const HEAD: u64 = 64 * 1024;
const DELIMITERS: [u8; 4] = *b",;\t|";

#[derive(Debug)]
pub struct Sniffed {
    /// As the Encoding Standard calls it.
    pub encoding: &'static str,
    pub delimiter: u8,
    pub preview: Preview,
}

/// Looks at an uploaded file. `utf8`: what the bytes looked like as they went by.
pub(crate) fn sniff(path: &Path, utf8: &Utf8Count) -> Result<Result<Sniffed, UploadProblem>, AppError> {
    let mut head = Vec::new();
    File::open(path).map_err(internal)?.take(HEAD).read_to_end(&mut head).map_err(internal)?;
    let encoding = match encoding(&head, utf8) {
        Ok(encoding) => encoding,
        Err(problem) => return Ok(Err(problem)),
    };
    // The last character of the head may be cut in two: that does not matter here.
    let text = decode::text(&head, encoding);
    if text.trim().is_empty() {
        return Ok(Err(UploadProblem::Empty));
    }
    let told =
        text.lines().next().and_then(|line| line.trim().strip_prefix("sep=")).and_then(|rest| rest.bytes().next());
    let told = told.filter(|byte| DELIMITERS.contains(byte));
    let delimiter = told.unwrap_or_else(|| delimiter(&text));
    let source = Decoded::open(path, encoding).map_err(internal)?;
    let preview = preview(Records::new(source, delimiter), u32::from(told.is_some()))?;
    Ok(preview.map(|preview| Sniffed { encoding, delimiter, preview }))
}

fn encoding(head: &[u8], utf8: &Utf8Count) -> Result<&'static str, UploadProblem> {
    const PACKED: [&[u8]; 6] = [b"PK\x03\x04", b"PK\x05\x06", b"\xd0\xcf\x11\xe0", b"\x1f\x8b", b"7z\xbc\xaf", b"Rar!"];
    match head {
        [] => return Err(UploadProblem::Empty),
        [0xef, 0xbb, 0xbf, ..] => return Ok("utf-8"),
        [0xff, 0xfe, ..] => return Ok("utf-16le"),
        [0xfe, 0xff, ..] => return Ok("utf-16be"),
        _ if PACKED.iter().any(|mark| head.starts_with(mark)) => return Err(UploadProblem::Workbook),
        _ if head.starts_with(b"%PDF") || head.starts_with(b"\x89PNG") || head.starts_with(b"\xff\xd8\xff") => {
            return Err(UploadProblem::Binary);
        }
        _ => {}
    }
    let zeros = |parity: usize| head.iter().skip(parity).step_by(2).filter(|byte| **byte == 0).count();
    let (even, odd, half) = (zeros(0), zeros(1), head.len() / 2);
    // Western text as UTF-16 without its mark: every other byte is zero. A few bytes are too few to tell.
    if half >= 16 && odd > half / 3 && even < half / 20 + 1 {
        return Ok("utf-16le");
    }
    if half >= 16 && even > half / 3 && odd < half / 20 + 1 {
        return Ok("utf-16be");
    }
    // A stray zero costs its row; many mean that this was never text.
    let strange = head.iter().filter(|byte| **byte < 0x20 && !b"\t\n\r\x0b\x0c\x1a\x1b".contains(byte)).count();
    if strange > 2 + head.len() / 200 {
        return Err(UploadProblem::Binary);
    }
    Ok(if utf8.is_utf8() { "utf-8" } else { "windows-1252" })
}

/// The separator under which most records have the same number of cells, and more than one.
fn delimiter(text: &str) -> u8 {
    let score = |delimiter: u8| {
        let mut records = Records::new(text.as_bytes(), delimiter);
        let mut widths: Vec<usize> = Vec::new();
        while widths.len() < 50
            && let Ok(Some(record)) = records.read()
        {
            if !record.is_blank() && !record.is_too_long {
                widths.push(record.cells.len());
            }
        }
        // The last record may be cut off by the end of the head.
        if widths.len() > 3 {
            widths.pop();
        }
        let usual = widths
            .iter()
            .copied()
            .max_by_key(|width| widths.iter().filter(|other| *other == width).count())
            .unwrap_or(1);
        let alike = widths.iter().filter(|width| **width == usual).count();
        if usual < 2 { 0 } else { alike * 1000 / widths.len() + usual.min(50) }
    };
    // `max_by_key` gives the last of equals; the comma is the better guess.
    DELIMITERS.into_iter().rev().max_by_key(|delimiter| score(*delimiter)).unwrap_or(b',')
}

fn preview<R: Read>(mut records: Records<R>, above: u32) -> Result<Result<Preview, UploadProblem>, AppError> {
    let mut rows: Vec<Vec<String>> = Vec::new();
    let mut to_skip = above;
    while rows.len() < 6
        && let Some(record) = records.read().map_err(internal)?
    {
        if record.is_too_long {
            if rows.is_empty() {
                return Ok(Err(UploadProblem::LongLine));
            }
            continue;
        }
        if record.is_blank() {
            continue;
        }
        if to_skip > 0 {
            to_skip -= 1;
            continue;
        }
        if record.cells.len() > MAX_COLUMNS && rows.is_empty() {
            return Ok(Err(UploadProblem::TooWide));
        }
        // jsonb holds no NUL, and a preview needs no novels.
        let short = |cell: &str| cell.replace('\0', "␀").chars().take(300).collect();
        rows.push(record.cells.iter().take(MAX_COLUMNS).map(short).collect());
    }
    if rows.is_empty() {
        return Ok(Err(UploadProblem::Empty));
    }
    let first = rows.remove(0);
    let preview = Preview { first, rows, above, check: None };
    if preview.rows.is_empty() && crate::guess::is_named(&preview) {
        return Ok(Err(UploadProblem::NoRows));
    }
    Ok(Ok(preview))
}

/// The separator in words.
pub(crate) fn delimiter_name(delimiter: &str) -> &'static str {
    match delimiter {
        ";" => "semicolon",
        "\t" => "tab",
        "|" => "vertical bar",
        _ => "comma",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(bytes: &[u8]) -> Result<Sniffed, UploadProblem> {
        let path = std::env::temp_dir().join(format!("sniff-{}", uuid::Uuid::now_v7()));
        std::fs::write(&path, bytes).unwrap();
        let mut utf8 = Utf8Count::default();
        utf8.watch(bytes);
        let seen = sniff(&path, &utf8).unwrap();
        std::fs::remove_file(path).unwrap();
        seen
    }

    #[test]
    fn separators_and_encodings() {
        let seen = look("Name;Telefon;Betrag\nMüller, Anna;+41791234567;1,50\n".as_bytes()).unwrap();
        assert_eq!((seen.delimiter, seen.encoding), (b';', "utf-8"));
        let seen = look(b"Name,Phone\nM\xfcller,+41791234567\n").unwrap();
        assert_eq!((seen.delimiter, seen.encoding, seen.preview.rows[0][0].as_str()), (b',', "windows-1252", "Müller"));
        let utf16: Vec<u8> = "Name\tPhone\r\nZoë\t+41791234567\r\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let seen = look(&utf16).unwrap();
        assert_eq!((seen.delimiter, seen.encoding), (b'\t', "utf-16le"));
        let seen = look(b"sep=|\nName|Phone\nAda|+41791234567\n").unwrap();
        assert_eq!((seen.delimiter, seen.preview.above, seen.preview.first[0].as_str()), (b'|', 1, "Name"));
    }

    #[test]
    fn what_is_no_list_is_said() {
        assert_eq!(look(b"").unwrap_err(), UploadProblem::Empty);
        assert_eq!(look(b" \r\n\r\n").unwrap_err(), UploadProblem::Empty);
        assert_eq!(look(b"PK\x03\x04rest of a workbook").unwrap_err(), UploadProblem::Workbook);
        assert_eq!(look(&[0, 1, 2, 3, 4, 5, 6, 7].repeat(100)).unwrap_err(), UploadProblem::Binary);
        assert_eq!(look(&[0, 1, 2, 3]).unwrap_err(), UploadProblem::Binary);
        assert_eq!(look(b"name,phone\n").unwrap_err(), UploadProblem::NoRows);
        assert_eq!(look("x".repeat(1_000_000).as_bytes()).unwrap_err(), UploadProblem::LongLine);
        assert!(look(b"+41791234567\n").is_ok());
    }
}
