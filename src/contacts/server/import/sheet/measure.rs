//! Says no to a workbook that would take too much memory or time. A small file may unpack to a thousand times its size, and the
//! reader (calamine) keeps what it reads and repeats it: a format is copied into each style that uses it, a sheet's address into each
//! sheet. So each part that it may read is walked through first, with the XML reader that it uses, and nothing of it is kept. What is
//! not walked through, it cannot reach.

use std::fs::File;
use std::io::{BufRead, BufReader, Error, Read, Result, Seek, SeekFrom};
use std::path::Path;

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use zip::ZipArchive;

use crate::UploadProblem;

/// The most that a workbook may be unpacked.
const MAX_UNPACKED: u64 = 512 * 1024 * 1024;
/// The most elements in all parts together: reading them takes time however short they are. A sheet of a million rows and fifteen columns
/// has 31 million.
pub(super) const MAX_ELEMENTS: u64 = 40_000_000;
/// The most that any part but a sheet may be: shared texts, styles.
const MAX_PART: u64 = 64 * 1024 * 1024;
/// The longest tag or stretch of text: so much is in memory at once. A cell has at most 32,767 characters (Excel specifications and
/// limits).
const MAX_EVENT: u64 = 1024 * 1024;
/// The longest cell or shared text with all that stands in it, which is fonts for each of its letters at worst.
const MAX_TEXT: u64 = 16 * 1024 * 1024;
const MAX_DEPTH: u64 = 100;
const MAX_PARTS: u16 = 10_000;
/// Shared texts: 24 bytes each, and the reader believes what the part says of their number.
const MAX_TEXTS: u64 = 8_000_000;
/// Sheets, each with a copy of its address.
const MAX_SHEETS: u64 = 4_000;
const MAX_RELATION: usize = 16 * 1024;
const MAX_RELATIONS: u64 = 200_000;
/// What the styles may take in memory, by a careful estimate.
const MAX_STYLES: u64 = 512 * 1024 * 1024;
const STYLE: usize = 512;

const _: () = assert!(size_of::<calamine::Style>() <= STYLE);

/// What a part is to the reader. The file's name decides, because the reader takes the folder from the workbook.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Relations,
    Texts,
    Styles,
    Sheet,
    Other,
}

/// None: a picture, a macro, a property or the like, which the reader has no use for.
fn kind(name: &str) -> Option<Kind> {
    let name = name.replace('\\', "/").to_ascii_lowercase();
    if name.contains("customxml") || name.contains("docprops") {
        return None;
    }
    if name.ends_with(".rels") {
        return Some(Kind::Relations);
    }
    match name.rsplit('/').next()? {
        "sharedstrings.xml" => Some(Kind::Texts),
        "styles.xml" => Some(Kind::Styles),
        file if !file.ends_with(".xml") => None,
        _ if name.starts_with("xl/worksheets/") => Some(Kind::Sheet),
        _ => Some(Kind::Other),
    }
}

pub(super) fn measure(workbook: &Path, mut elements: u64) -> std::result::Result<(), UploadProblem> {
    const BROKEN: UploadProblem = UploadProblem::BrokenWorkbook;
    let mut file = File::open(workbook).map_err(|_| BROKEN)?;
    match parts(&mut file).map_err(|_| BROKEN)? {
        None => return Err(BROKEN),
        Some(parts) if parts > MAX_PARTS => return Err(UploadProblem::Packed),
        Some(_) => {}
    }
    file.rewind().map_err(|_| BROKEN)?;
    let mut archive = ZipArchive::new(BufReader::new(file)).map_err(|_| BROKEN)?;
    if archive.len() > usize::from(MAX_PARTS) {
        return Err(UploadProblem::Packed);
    }
    let names: Vec<String> = archive.file_names().filter_map(|name| Some(name.ok()?.into_owned())).collect();
    let is_other = |name: &String| name == "mimetype" || name.ends_with("workbook.bin") || name.starts_with("Index/");
    if names.iter().any(is_other) {
        return Err(UploadProblem::OtherWorkbook);
    }
    if !names.iter().any(|name| name == "[Content_Types].xml")
        || !names.iter().any(|name| name.ends_with("workbook.xml"))
    {
        return Err(UploadProblem::Packed);
    }
    // Parts that share their bytes: made to be unpacked for hours.
    if archive.has_overlapping_entries().map_err(|_| BROKEN)? {
        return Err(BROKEN);
    }
    let mut left = MAX_UNPACKED;
    for at in 0..archive.len() {
        let part = archive.by_index(at).map_err(|_| BROKEN)?;
        let Some(kind) = kind(&part.name().map_err(|_| BROKEN)?) else { continue };
        let most = if kind == Kind::Sheet { left } else { left.min(MAX_PART) };
        let source = BufReader::with_capacity(64 * 1024, part);
        let mut xml = Reader::from_reader(Bounded { source, read: 0, most, event: 0, is_too_large: false });
        let fits = walk(&mut xml, kind, &mut elements);
        if xml.get_ref().is_too_large {
            return Err(UploadProblem::LargeWorkbook);
        }
        // The reader may be more lenient with what is no XML, so that is not for it.
        fits.map_err(|_| BROKEN)?;
        left -= xml.get_ref().read.min(left);
    }
    Ok(())
}

/// Reads a part to its end. `left`: elements that it may have. Errors: what is no XML, or has too much of something.
fn walk<R: BufRead>(
    xml: &mut Reader<Bounded<R>>,
    kind: Kind,
    left: &mut u64,
) -> std::result::Result<(), quick_xml::Error> {
    // As the reader does, and stricter: elements end in the order in which they began, so whatever it collects up to the end of an
    // element stands in that element.
    xml.config_mut().expand_empty_elements = true;
    let (mut elements, mut texts, mut sheets, mut styles, mut longest) = (0, 0, 0, 0, 0);
    // The cell or text that is being read: how deep and where it began.
    let (mut depth, mut text) = (0_u64, None);
    let mut block = Vec::new();
    loop {
        block.clear();
        let begins = xml.get_ref().read;
        xml.get_mut().event = begins;
        match xml.read_event_into(&mut block)? {
            Event::Start(element) => {
                depth += 1;
                elements += 1;
                xml.get_mut().is_too_large = elements > *left;
                if elements > *left {
                    return Err(Error::other("too many elements").into());
                }
                match element.local_name().as_ref() {
                    "sst" => check_count(&element)?,
                    "Relationship" if kind == Kind::Relations => check_relation(&element)?,
                    "sheet" => sheets += 1,
                    "xf" => styles += 1,
                    "si" => texts += 1,
                    _ => {}
                }
                if text.is_none() && matches!(element.local_name().as_ref(), "c" | "si" | "definedName") {
                    text = Some((depth, begins));
                }
                // The outermost is never copied, and has long lists of names in it.
                longest = longest.max(if depth > 1 { element.len() as u64 } else { 0 });
            }
            Event::End(_) => {
                text = text.filter(|(outer, _)| *outer < depth);
                depth -= 1;
            }
            Event::Eof => {
                *left -= elements;
                return Ok(());
            }
            _ => {}
        }
        let is_long = text.is_some_and(|(_, began)| xml.get_ref().read - began > MAX_TEXT);
        let is_much = match kind {
            Kind::Relations => elements > MAX_RELATIONS,
            // A style has a copy of its format and of its font's name.
            Kind::Styles => elements * 256 + styles * (2 * longest + STYLE as u64) > MAX_STYLES,
            Kind::Texts | Kind::Sheet | Kind::Other => false,
        };
        if is_long || is_much || depth > MAX_DEPTH || texts > MAX_TEXTS || sheets > MAX_SHEETS {
            return Err(Error::other("too much").into());
        }
    }
}

/// The reader makes room for so many texts at once.
fn check_count(element: &BytesStart) -> std::result::Result<(), quick_xml::Error> {
    for attribute in element.attributes() {
        let attribute = attribute?;
        // It takes more for blanks than XML does.
        if attribute.key.as_ref().trim_ascii() == "uniqueCount" {
            let count: u64 = attribute.value.trim_ascii().parse().map_err(Error::other)?;
            if count > MAX_TEXTS {
                return Err(Error::other("too many texts").into());
            }
        }
    }
    Ok(())
}

/// What names the workbook or a sheet must name a part that is walked through, and the workbook none that may be as large as a sheet.
fn check_relation(element: &BytesStart) -> std::result::Result<(), quick_xml::Error> {
    if element.len() > MAX_RELATION {
        return Err(Error::other("a long relation").into());
    }
    let (mut is_sheet, mut is_workbook, mut target) = (false, false, String::new());
    for attribute in element.attributes() {
        let attribute = attribute?;
        match attribute.key.as_ref().trim_ascii() {
            "Type" => {
                is_sheet |= attribute.value.ends_with("sheet");
                is_workbook |= attribute.value.ends_with("/officeDocument");
            }
            "Target" => target += &attribute.value,
            _ => {}
        }
    }
    let is_apart = matches!(kind(&target), None | Some(Kind::Relations)) || target.contains('&');
    let is_large = target.to_ascii_lowercase().contains("worksheets");
    if ((is_sheet || is_workbook) && is_apart) || (is_workbook && is_large) {
        return Err(Error::other("a part that is not read").into());
    }
    Ok(())
}

/// Reads on while neither the part nor what is read of it at once is too large.
struct Bounded<R> {
    source: R,
    read: u64,
    most: u64,
    /// Where the tag or text began that is being read.
    event: u64,
    is_too_large: bool,
}

impl<R: BufRead> BufRead for Bounded<R> {
    fn fill_buf(&mut self) -> Result<&[u8]> {
        self.is_too_large = self.read > self.most;
        if self.is_too_large || self.read - self.event > MAX_EVENT {
            return Err(Error::other("too long"));
        }
        self.source.fill_buf()
    }

    fn consume(&mut self, bytes: usize) {
        self.read += bytes as u64;
        self.source.consume(bytes);
    }
}

impl<R: BufRead> Read for Bounded<R> {
    fn read(&mut self, out: &mut [u8]) -> Result<usize> {
        let read = self.fill_buf()?.read(out)?;
        self.consume(read);
        Ok(read)
    }
}

/// How many parts the archive says it has, from its last record (APPNOTE.TXT 4.3.16); none where there is no such record. Asked before
/// the directory is read into memory.
fn parts(file: &mut File) -> Result<Option<u16>> {
    let length = file.metadata()?.len();
    let tail = length.min(65_557);
    file.seek(SeekFrom::Start(length - tail))?;
    let mut bytes = Vec::new();
    file.take(tail).read_to_end(&mut bytes)?;
    let place = memchr::memmem::rfind(&bytes, b"PK\x05\x06");
    Ok(place.and_then(|at| bytes.get(at + 10..at + 12)).map(|count| u16::from_le_bytes([count[0], count[1]])))
}
