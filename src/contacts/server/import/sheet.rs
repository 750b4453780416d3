//! Excel workbooks (`.xlsx`): one sheet as text, which is then read like any other list. What is unpacked is measured first, because a
//! small file may hold a thousand times its size, and the reader holds whole cells and all shared texts in memory.

use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::Path;

use calamine::{DataRef, Reader, SheetType, SheetVisible, Xlsx};
use zip::ZipArchive;

use crate::{MAX_FILE, MAX_WORKBOOK, UploadProblem};
use patchbay_shared::AppError;
use patchbay_shared::error::internal;

/// The most that sheets may be unpacked, all together.
const MAX_SHEETS: u64 = 512 * 1024 * 1024;
/// The most that any other part may be: shared texts, styles, pictures.
const MAX_PART: u64 = 64 * 1024 * 1024;
/// The longest stretch without the beginning of an element: so much of a part is in memory at once. A cell has at most 32,767
/// characters (Excel specifications and limits).
const MAX_STRETCH: u64 = 1024 * 1024;
const MAX_CELL: usize = 4 * 32_767;
const MAX_PARTS: u16 = 10_000;
/// The last column that Excel has, from 0.
const LAST_COLUMN: u32 = 16_383;

/// A sheet that was written as text.
pub(crate) struct Written {
    /// The names of all sheets.
    pub sheets: Vec<String>,
    /// Which of them it is.
    pub sheet: usize,
    /// How long the text is.
    pub bytes: u64,
}

/// Writes a sheet of the workbook as UTF-8, separated by commas: the given one, or the first visible one that is not empty. Each row
/// of the sheet is one record.
pub(crate) fn write(
    workbook: &Path,
    text: &Path,
    sheet: Option<usize>,
) -> Result<Result<Written, UploadProblem>, AppError> {
    // The reader is not ours: a workbook at which it stumbles is one that cannot be read.
    std::panic::catch_unwind(|| written(workbook, text, sheet)).unwrap_or(Ok(Err(UploadProblem::BrokenWorkbook)))
}

fn written(workbook: &Path, text: &Path, sheet: Option<usize>) -> Result<Result<Written, UploadProblem>, AppError> {
    if std::fs::metadata(workbook).map_err(internal)?.len() > MAX_WORKBOOK {
        return Ok(Err(UploadProblem::LargeWorkbook));
    }
    if let Err(problem) = measure(workbook) {
        return Ok(Err(problem));
    }
    let file = BufReader::new(File::open(workbook).map_err(internal)?);
    let Ok(mut book) = Xlsx::new(file) else { return Ok(Err(UploadProblem::BrokenWorkbook)) };
    let all: Vec<(String, bool)> = book
        .sheets_metadata()
        .iter()
        .filter(|sheet| sheet.typ == SheetType::WorkSheet)
        .map(|sheet| (sheet.name.clone(), sheet.visible == SheetVisible::Visible))
        .take(200)
        .collect();
    let names: Vec<String> = all.iter().map(|(name, _)| name.chars().take(100).collect()).collect();
    let candidates: Vec<usize> = match sheet {
        Some(sheet) => vec![sheet],
        // A sheet that is hidden is seldom meant, but better than none.
        None => (0..all.len()).filter(|at| all[*at].1).chain((0..all.len()).filter(|at| !all[*at].1)).collect(),
    };
    for sheet in candidates {
        let Some((name, _)) = all.get(sheet) else { continue };
        let mut out = BufWriter::new(File::create(text).map_err(internal)?);
        let rows = match cells(&mut book, name, &mut out) {
            Ok(rows) => rows,
            Err(Trouble::Told(problem)) => return Ok(Err(problem)),
            Err(Trouble::Disk(error)) => return Err(internal(error)),
        };
        let mut file = out.into_inner().map_err(internal)?;
        let bytes = file.stream_position().map_err(internal)?;
        file.sync_all().map_err(internal)?;
        if rows > 0 {
            return Ok(Ok(Written { sheets: names, sheet, bytes }));
        }
    }
    Ok(Err(UploadProblem::Empty))
}

enum Trouble {
    Told(UploadProblem),
    Disk(std::io::Error),
}

impl From<std::io::Error> for Trouble {
    fn from(error: std::io::Error) -> Self {
        Self::Disk(error)
    }
}

/// Writes the rows of a sheet; gives how many have something in them.
fn cells<R: Read + Seek>(book: &mut Xlsx<R>, name: &str, out: &mut impl Write) -> Result<u64, Trouble> {
    let broken = |_| Trouble::Told(UploadProblem::BrokenWorkbook);
    let mut reader = book.worksheet_cells_reader(name).map_err(broken)?;
    let zeros: Vec<usize> = reader.styles().iter().map(padding).collect();
    let (mut row, mut column, mut rows, mut bytes) = (0, 0, 0, 0);
    while let Some((cell, style)) = reader.next_cell_with_style_id().map_err(broken)? {
        let text = shown(cell.get_value(), zeros.get(style).copied().unwrap_or_default());
        if text.is_empty() {
            continue;
        }
        let (at_row, at_column) = cell.get_position();
        // Excel writes cells in order; a file that goes back was not made by it.
        if at_row < row || (at_row == row && at_column < column) || at_column > LAST_COLUMN || text.len() > MAX_CELL {
            return Err(Trouble::Told(UploadProblem::BrokenWorkbook));
        }
        rows += u64::from(at_row > row || rows == 0);
        bytes += u64::from(at_row - row) + text.len() as u64 + 2;
        while row < at_row {
            out.write_all(b"\n")?;
            (row, column) = (row + 1, 0);
        }
        while column < at_column {
            out.write_all(b",")?;
            (column, bytes) = (column + 1, bytes + 1);
        }
        if bytes > MAX_FILE {
            return Err(Trouble::Told(UploadProblem::LargeWorkbook));
        }
        if text.contains(['"', ',', '\n', '\r']) || text.trim() != text {
            write!(out, "\"{}\"", text.replace('"', "\"\""))?;
        } else {
            out.write_all(text.as_bytes())?;
        }
    }
    out.write_all(b"\n")?;
    Ok(rows)
}

/// A cell as the person sees it, as far as its value tells. `zeros`: digits that its format shows at least.
fn shown(value: &DataRef<'_>, zeros: usize) -> String {
    match value {
        DataRef::Empty | DataRef::Error(_) => String::new(),
        DataRef::String(text) | DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => text.clone(),
        DataRef::SharedString(text) => (*text).to_owned(),
        DataRef::Bool(yes) => if *yes { "TRUE" } else { "FALSE" }.to_owned(),
        DataRef::Int(number) => format!("{number:0zeros$}"),
        // Excel keeps fifteen digits and shows no more; 41795551234 may stand in the file as 4.1795551234E10.
        DataRef::Float(number) => {
            let rounded: f64 = format!("{number:.14e}").parse().unwrap_or(*number);
            format!("{rounded:0zeros$}")
        }
        DataRef::DateTime(at) if at.is_duration() => {
            let seconds = (at.as_f64() * 86_400.0).round() as i64;
            format!("{}:{:02}:{:02}", seconds / 3_600, seconds / 60 % 60, seconds % 60)
        }
        DataRef::DateTime(at) => {
            let (year, month, day, hour, minute, second, _) = at.to_ymd_hms_milli();
            match (at.as_f64() < 1.0, at.as_f64().fract() == 0.0) {
                (true, _) => format!("{hour:02}:{minute:02}:{second:02}"),
                (_, true) => format!("{year:04}-{month:02}-{day:02}"),
                _ => format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}"),
            }
        }
    }
}

/// Formats such as `0000000000` keep zeros in front of numbers visible.
fn padding(style: &calamine::Style) -> usize {
    let code = style.number_format.as_ref().map_or("", |format| format.format_code.as_str());
    if code.len() <= 20 && code.bytes().all(|byte| byte == b'0') { code.len() } else { 0 }
}

/// Unpacks everything without keeping it, and says no to what would take too much room. What the directory says of sizes is not
/// believed.
fn measure(workbook: &Path) -> Result<(), UploadProblem> {
    let broken = |_| UploadProblem::BrokenWorkbook;
    let mut file = File::open(workbook).map_err(broken)?;
    match parts(&mut file).map_err(broken)? {
        None => return Err(UploadProblem::BrokenWorkbook),
        Some(parts) if parts > MAX_PARTS => return Err(UploadProblem::Packed),
        Some(_) => {}
    }
    file.rewind().map_err(broken)?;
    let mut archive = ZipArchive::new(BufReader::new(file)).map_err(|_| UploadProblem::BrokenWorkbook)?;
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
    let (mut sheets, mut block) = (0, vec![0; 64 * 1024]);
    for at in 0..archive.len() {
        let mut part = archive.by_index(at).map_err(|_| UploadProblem::BrokenWorkbook)?;
        let name = part.name().map_err(|_| UploadProblem::BrokenWorkbook)?.to_ascii_lowercase();
        let is_sheet = name.starts_with("xl/worksheets/");
        // What the reader has no use for.
        let is_other =
            [".png", ".jpg", ".jpeg", ".gif", ".emf", ".wmf", ".bin", ".vml"].iter().any(|end| name.ends_with(end))
                || name.starts_with("customxml/")
                || name.starts_with("docprops/");
        let (mut size, mut stretch, mut last) = (0_u64, 0_u64, 0_u8);
        loop {
            let read = part.read(&mut block).map_err(broken)?;
            let Some(bytes) = block.get(..read).filter(|bytes| !bytes.is_empty()) else { break };
            size += read as u64;
            sheets += if is_sheet { read as u64 } else { 0 };
            if sheets > MAX_SHEETS || (!is_sheet && size > MAX_PART) {
                return Err(UploadProblem::LargeWorkbook);
            }
            if is_other {
                continue;
            }
            // Comments, definitions and the like may be of any length, and Excel writes none.
            if (last == b'<' && bytes[0] == b'!') || memchr::memmem::find(bytes, b"<!").is_some() {
                return Err(UploadProblem::BrokenWorkbook);
            }
            last = bytes[read - 1];
            stretch += memchr::memchr(b'<', bytes).unwrap_or(read) as u64;
            if stretch > MAX_STRETCH {
                return Err(UploadProblem::BrokenWorkbook);
            }
            if let Some(place) = memchr::memrchr(b'<', bytes) {
                stretch = (read - place) as u64;
            }
        }
    }
    Ok(())
}

/// How many parts the archive says it has, from its last record (APPNOTE.TXT 4.3.16); none where there is no such record. Asked before
/// the directory is read into memory.
fn parts(file: &mut File) -> std::io::Result<Option<u16>> {
    let length = file.metadata()?.len();
    let tail = length.min(65_557);
    file.seek(SeekFrom::Start(length - tail))?;
    let mut bytes = Vec::new();
    file.take(tail).read_to_end(&mut bytes)?;
    let place = memchr::memmem::rfind(&bytes, b"PK\x05\x06");
    Ok(place.and_then(|at| bytes.get(at + 10..at + 12)).map(|count| u16::from_le_bytes([count[0], count[1]])))
}
