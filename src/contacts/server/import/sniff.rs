//! What kind of file this is, from its first bytes: encoding, separator, first rows. Says why when it is none that can be read.

use std::fs::File;
use std::io::Read;
use std::path::Path;

pub use super::decode::Witness;
use super::decode::{self, Decoded};
use super::records::Records;
use super::sheet;
use crate::guess::{is_named, looks_like_phone};
use crate::{MAX_COLUMNS, Preview, Reading, UploadProblem};
use patchbay_shared::AppError;
use patchbay_shared::error::internal;

/// How much of the file is looked at.
const HEAD: u64 = 64 * 1024;
const DELIMITERS: [u8; 4] = *b",;\t|";
/// Rows among which the one with the columns' names is looked for.
const LOOKED_AT: usize = 30;
/// Rows in which letters beyond ASCII are looked for.
const SEARCHED: usize = 5_000;

#[derive(Debug)]
pub struct Sniffed {
    /// As the Encoding Standard calls it, in small letters.
    pub encoding: &'static str,
    pub delimiter: u8,
    pub preview: Preview,
    /// What is to be read, in bytes: of a workbook the chosen sheet as text.
    pub bytes: u64,
}

/// Looks at an uploaded file. `witness` saw its bytes. A workbook is put aside with the ending `.xlsx`, and its first sheet that is
/// not empty takes its place as text.
pub fn sniff(path: &Path, witness: &Witness) -> Result<Result<Sniffed, UploadProblem>, AppError> {
    let head = head(path)?;
    if head.starts_with(b"PK\x03\x04") {
        let workbook = path.with_extension("xlsx");
        std::fs::rename(path, &workbook).map_err(internal)?;
        return as_sheet(&workbook, path, None, None);
    }
    match encoding(&head, witness) {
        Ok(encoding) => as_text(path, &head, encoding, &Reading::default()),
        Err(problem) => Ok(Err(problem)),
    }
}

/// Looks at it again, in the way that a person chose. `known` is how it was read so far. Of a workbook, the sheet is written to `fresh`.
pub(crate) fn again(
    path: &Path,
    fresh: &Path,
    known: &Preview,
    (encoding, delimiter): (&str, u8),
    reading: &Reading,
) -> Result<Result<Sniffed, UploadProblem>, AppError> {
    // Another separator or sheet has other rows on top, unless a person changed their number as well.
    let is_another = reading.sheet.is_some_and(|sheet| sheet != known.sheet)
        || reading.delimiter.is_some_and(|one| one != delimiter);
    let above = reading.above.filter(|above| !is_another || *above != known.above);
    let reading = &Reading { above, ..reading.clone() };
    if known.sheets.is_empty() {
        let encoding = reading.encoding.unwrap_or_else(|| decode::encoding_name(encoding));
        return as_text(path, &head(path)?, encoding, reading);
    }
    let sheet = reading.sheet.unwrap_or(known.sheet);
    as_sheet(&path.with_extension("xlsx"), fresh, Some(sheet), reading.above)
}

fn head(path: &Path) -> Result<Vec<u8>, AppError> {
    let mut head = Vec::new();
    File::open(path).map_err(internal)?.take(HEAD).read_to_end(&mut head).map_err(internal)?;
    Ok(head)
}

fn as_sheet(
    workbook: &Path,
    path: &Path,
    sheet: Option<usize>,
    above: Option<u32>,
) -> Result<Result<Sniffed, UploadProblem>, AppError> {
    let written = match sheet::write(workbook, path, sheet)? {
        Ok(written) => written,
        Err(problem) => return Ok(Err(problem)),
    };
    let preview = preview(Records::new(File::open(path).map_err(internal)?, b','), 0, above)?;
    Ok(preview.map(|preview| Sniffed {
        encoding: "utf-8",
        delimiter: b',',
        preview: Preview { sheets: written.sheets, sheet: written.sheet, ..preview },
        bytes: written.bytes,
    }))
}

fn as_text(
    path: &Path,
    head: &[u8],
    encoding: &'static str,
    reading: &Reading,
) -> Result<Result<Sniffed, UploadProblem>, AppError> {
    // The last character of the head may be cut in two: that does not matter here.
    let text = decode::text(head, encoding);
    if text.trim().is_empty() {
        return Ok(Err(UploadProblem::Empty));
    }
    if let Some(problem) = other_kind(&text) {
        return Ok(Err(problem));
    }
    let told = told(&text);
    let delimiter = reading.delimiter.or(told.flatten()).unwrap_or_else(|| delimiter(&text));
    let source = Decoded::open(path, encoding).map_err(internal)?;
    let preview = preview(Records::new(source, delimiter), usize::from(told.is_some()), reading.above)?;
    let bytes = std::fs::metadata(path).map_err(internal)?.len();
    Ok(preview.map(|preview| Sniffed { encoding, delimiter, preview, bytes }))
}

/// `sep=;` on top, which spreadsheets write and read: in small or capital letters, with or without quotes. The inner one is missing
/// when what it names is no separator.
fn told(text: &str) -> Option<Option<u8>> {
    let line = text.trim_start_matches('\u{feff}').split(['\n', '\r']).next()?;
    let line = line.trim_start().trim_start_matches('"');
    let rest = line.get(..4).filter(|word| word.eq_ignore_ascii_case("sep=")).map(|_| &line[4..])?;
    let mut letters = rest.chars();
    let first = letters.next().filter(|first| *first != '"' || rest.len() > 1);
    // A row of a list may begin so as well.
    if !letters.all(|letter| letter == '"' || Some(letter) == first) {
        return None;
    }
    Some(
        first
            .filter(|first| *first == '\t' || (first.is_ascii_punctuation() && *first != '"'))
            .map(|first| first as u8),
    )
}

/// Text that is no list.
fn other_kind(text: &str) -> Option<UploadProblem> {
    let start: String = text.trim_start().chars().take(40).flat_map(char::to_lowercase).collect();
    let is = |marks: &[&str]| marks.iter().any(|mark| start.starts_with(mark));
    if is(&["<!doctype html", "<html", "<head", "<body", "<table", "<meta", "<style", "<script"]) {
        return Some(UploadProblem::Html);
    }
    if is(&["<?xml", "<!doctype", "{\"", "[{", "{\n", "{\r\n", "{ ", "[\n", "[\r\n"]) {
        return Some(UploadProblem::Xml);
    }
    is(&["begin:vcard"]).then_some(UploadProblem::Cards)
}

fn encoding(head: &[u8], witness: &Witness) -> Result<&'static str, UploadProblem> {
    const PACKED: [&[u8]; 6] = [b"PK", b"\x1f\x8b", b"7z\xbc\xaf", b"Rar!", b"BZh", b"\xfd7zXZ"];
    const PICTURES: [&[u8]; 4] = [b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"{\\rtf"];
    let is = |marks: &[&[u8]]| marks.iter().any(|mark| head.starts_with(mark));
    match head {
        [] => return Err(UploadProblem::Empty),
        [0xef, 0xbb, 0xbf, ..] => return Ok("utf-8"),
        [0xff, 0xfe, ..] => return Ok("utf-16le"),
        [0xfe, 0xff, ..] => return Ok("utf-16be"),
        _ if is(&[b"\xd0\xcf\x11\xe0", b"\x09\x08\x10\x00", b"\x09\x04\x06\x00"]) => {
            return Err(UploadProblem::OldWorkbook);
        }
        _ if is(&[b"%PDF"]) => return Err(UploadProblem::Pdf),
        _ if head.starts_with(b"PK") && !head.starts_with(b"PK\x05\x06") && !head.starts_with(b"PK\x07\x08") => {}
        _ if is(&PACKED) => return Err(UploadProblem::Packed),
        _ if is(&PICTURES) => return Err(UploadProblem::Binary),
        _ => {}
    }
    let zeros = |parity: usize| head.iter().skip(parity).step_by(2).filter(|byte| **byte == 0).count();
    let (even, odd, half) = (zeros(0), zeros(1), head.len() / 2);
    // UTF-16 without its mark: of digits, separators and line ends every other byte is zero, whatever the script of the names. A few
    // bytes are too few to tell.
    for (name, high, many, few) in [("utf-16le", 1, odd, even), ("utf-16be", 0, even, odd)] {
        if half >= 16 && many > half / 8 && few < half / 50 + 1 {
            let units = head.chunks_exact(2).map(|two| u16::from_be_bytes([two[high], two[1 - high]]));
            return if is_text(units) { Ok(name) } else { Err(UploadProblem::Binary) };
        }
    }
    if !is_text(head.iter().map(|byte| u16::from(*byte))) {
        return Err(UploadProblem::Binary);
    }
    Ok(witness.encoding())
}

/// A stray zero costs its row; many control characters mean that this was never text.
fn is_text(units: impl ExactSizeIterator<Item = u16>) -> bool {
    let most = 2 + units.len() / 200;
    let is_strange = |unit: &u16| *unit < 0x20 && !b"\t\n\r\x0b\x0c\x1a\x1b".contains(&(*unit as u8));
    units.filter(is_strange).count() <= most
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

/// The first row, the rows under it, and some cells with rare letters. `told`: rows on top that only name the separator. `above`: how
/// many stand over the first row, when a person said so.
fn preview<R: Read>(
    mut records: Records<R>,
    told: usize,
    above: Option<u32>,
) -> Result<Result<Preview, UploadProblem>, AppError> {
    let (mut rows, mut letters): (Vec<Vec<String>>, Vec<String>) = (Vec::new(), Vec::new());
    let (mut width, mut seen) = (0, 0);
    let needed = LOOKED_AT.max(above.unwrap_or_default() as usize + 6);
    while seen < SEARCHED
        && let Some(record) = records.read().map_err(internal)?
    {
        seen += 1;
        if record.is_too_long && rows.is_empty() {
            return Ok(Err(UploadProblem::LongLine));
        }
        if record.is_blank() || (record.is_too_long && rows.len() >= needed) {
            continue;
        }
        for cell in record.cells.iter().filter(|cell| !cell.is_ascii()) {
            let cell = short(cell, 80);
            let is_rare = cell.chars().any(|letter| !letter.is_ascii() && letter.is_alphabetic());
            if letters.len() < 5 && is_rare && !letters.contains(&cell) {
                letters.push(cell);
            }
        }
        if rows.len() < needed {
            let last = (0..record.cells.len()).rev().find(|at| !short(record.cells.get(*at), 300).is_empty());
            width = width.max(last.map_or(0, |at| at + 1));
            rows.push(record.cells.iter().take(MAX_COLUMNS).map(|cell| short(cell, 300)).collect());
        } else if letters.len() == 5 {
            break;
        }
    }
    let above = above.map_or_else(|| told + titles(rows.get(told..).unwrap_or_default()), |above| above as usize);
    let mut rows = rows.into_iter().skip(above);
    let Some(mut first) = rows.next() else { return Ok(Err(UploadProblem::Empty)) };
    // Spreadsheets write hundreds of columns that have neither a name nor a value. Only what stands in some row is a column.
    if width > MAX_COLUMNS {
        return Ok(Err(UploadProblem::TooWide));
    }
    let mut rows: Vec<Vec<String>> = rows.take(5).collect();
    first.truncate(width);
    rows.iter_mut().for_each(|row| row.truncate(width));
    let preview = Preview { first, rows, above: above as u32, letters, ..Preview::default() };
    if preview.rows.is_empty() && is_named(&preview) {
        return Ok(Err(UploadProblem::NoRows));
    }
    Ok(Ok(preview))
}

/// A cell for the preview. jsonb holds no NUL; marks of direction and the like are invisible and no part of what is meant.
fn short(cell: &str, most: usize) -> String {
    let is_invisible = |letter: char| matches!(letter, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
    let text: String = cell.chars().filter(|letter| !is_invisible(*letter)).take(most).collect();
    text.trim().replace('\0', "␀")
}

/// How many rows on top are a title or a remark rather than the columns' names: they fill fewer cells than the list does, and the row
/// under them has no number in it, so that nobody is passed over.
fn titles(rows: &[Vec<String>]) -> usize {
    let filled = |row: &Vec<String>| row.iter().filter(|cell| !cell.is_empty()).count();
    let has_number = |row: &Vec<String>| row.iter().any(|cell| looks_like_phone(cell));
    let widths: Vec<usize> = rows.iter().map(filled).collect();
    let usual = widths.iter().copied().max_by_key(|width| widths.iter().filter(|other| *other == width).count());
    let usual = usual.unwrap_or_default();
    let header = widths.iter().position(|width| *width >= 2 && width * 2 >= usual).unwrap_or_default();
    if rows.iter().take(header + 1).any(has_number) { 0 } else { header }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(bytes: &[u8]) -> Result<Sniffed, UploadProblem> {
        let path = std::env::temp_dir().join(format!("sniff-{}", uuid::Uuid::now_v7()));
        std::fs::write(&path, bytes).unwrap();
        let mut utf8 = Witness::default();
        utf8.watch(bytes);
        let seen = sniff(&path, &utf8).unwrap();
        // A workbook was put aside under another name, also when it turned out to be none.
        let removed = [path.with_extension("xlsx"), path].map(|path| std::fs::remove_file(path).is_ok());
        assert!(removed.contains(&true));
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
        assert_eq!(look(b"PK\x03\x04rest of a workbook").unwrap_err(), UploadProblem::BrokenWorkbook);
        assert_eq!(look(&[0, 1, 2, 3, 4, 5, 6, 7].repeat(100)).unwrap_err(), UploadProblem::Binary);
        assert_eq!(look(&[0, 1, 2, 3]).unwrap_err(), UploadProblem::Binary);
        assert_eq!(look(b"name,phone\n").unwrap_err(), UploadProblem::NoRows);
        assert_eq!(look("x".repeat(1_000_000).as_bytes()).unwrap_err(), UploadProblem::LongLine);
        assert!(look(b"+41791234567\n").is_ok());
        for (bytes, problem) in [
            (&b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"[..], UploadProblem::OldWorkbook),
            (b"%PDF-1.7\n%", UploadProblem::Pdf),
            (b"\x1f\x8b\x08", UploadProblem::Packed),
            (b"<html xmlns:x=\"urn:schemas-microsoft-com:office:excel\"><table>", UploadProblem::Html),
            (b"\r\n<!DOCTYPE HTML>", UploadProblem::Html),
            (b"<?xml version=\"1.0\"?><Workbook>", UploadProblem::Xml),
            (b"[{\"name\": \"Ada\"}]", UploadProblem::Xml),
            (b"BEGIN:VCARD\r\nFN:Ada", UploadProblem::Cards),
        ] {
            assert_eq!(look(bytes).unwrap_err(), problem, "{bytes:?}");
        }
    }

    #[test]
    fn the_line_that_names_the_separator_comes_in_every_shape() {
        for (line, delimiter) in [
            ("sep=;", ';'),
            ("SEP=;", ';'),
            ("\"sep=;\"", ';'),
            ("\"Sep=\t\"", '\t'),
            ("sep=\t", '\t'),
            ("\u{feff}sep=^", '^'),
            ("sep=,,,", ','),
            ("sep=", '~'),
        ] {
            let list = "Name;Phone;City\r\nAda;+41792004001;Bern\r\n";
            let seen =
                look(format!("{line}\r\n{list}").replace(';', &delimiter.to_string().replace('~', ";")).as_bytes());
            let seen = seen.unwrap_or_else(|problem| panic!("{line}: {problem:?}"));
            assert_eq!(seen.preview.first, ["Name", "Phone", "City"], "{line}");
            assert_eq!(
                (seen.delimiter, seen.preview.above),
                (if delimiter == '~' { b';' } else { delimiter as u8 }, 1)
            );
        }
        assert_eq!(look(b"sep=x,phone\nAda,+41792004001\n").unwrap().preview.above, 0);
    }

    #[test]
    fn the_row_with_the_names_is_found_under_titles_and_blank_lines() {
        for (top, above) in [
            ("", 0),
            ("\n\n", 0),
            ("Customers 2026\n\n", 1),
            // A row of separators alone is a row: in a list it is counted and refused.
            ("Customers,,\n,,\nAll of them,,\n", 3),
            ("sep=,\nCustomers,,\n", 2),
        ] {
            let seen =
                look(format!("{top}Name,Phone,City\nAda,+41792004001,Bern\nBea,+41792004002,\n").as_bytes()).unwrap();
            assert_eq!(seen.preview.first, ["Name", "Phone", "City"], "{top:?}");
            assert_eq!(seen.preview.above, above, "{top:?}");
        }
        // Nobody is taken for a title.
        assert_eq!(look(b"+41792004001,,\nAda,+41792004002,Bern\nBea,+41792004003,Bern\n").unwrap().preview.above, 0);
        assert_eq!(look(b"Name,,\nAda,+41792004002,Bern\nBea,+41792004003,Bern\n").unwrap().preview.above, 0);
    }

    #[test]
    fn columns_without_name_and_value_are_none() {
        let commas = ",".repeat(3_000);
        let seen = look(format!("Name,Phone{commas}\nAda,+41792004001{commas}\n").as_bytes()).unwrap();
        assert_eq!(seen.preview.first, ["Name", "Phone"]);
        let seen = look(format!("Name,Phone\nAda,+41792004001,,x{commas}\n").as_bytes()).unwrap();
        assert_eq!(seen.preview.rows[0].len(), 4);
        let names: Vec<String> = (0..300).map(|column| format!("c{column}")).collect();
        assert_eq!(look(format!("{}\n1\n", names.join(",")).as_bytes()).unwrap_err(), UploadProblem::TooWide);
    }

    #[test]
    fn utf_16_needs_no_mark() {
        let text = "Имя\tТелефон\nАнна Белова\t+41792007001\nПётр\t+41792007002\n";
        let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        assert_eq!(look(&little).unwrap().encoding, "utf-16le");
        assert_eq!(look(&big).unwrap().encoding, "utf-16be");
        assert_eq!(look(&big).unwrap().preview.letters[0], "Имя");
    }
}
