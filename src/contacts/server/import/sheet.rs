//! Excel workbooks (`.xlsx`): one sheet as text, which is then read like any other list. It is measured first, because the reader is made
//! for workbooks that Excel wrote.

mod measure;

use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::Path;

use calamine::{DataRef, Reader, SheetType, SheetVisible, Xlsx};

use crate::{MAX_FILE, MAX_WORKBOOK, UploadProblem};
use patchbay_shared::AppError;
use patchbay_shared::error::internal;

/// The longest text of a cell in bytes: it has at most 32,767 characters (Excel specifications and limits).
const MAX_CELL: usize = 4 * 32_767;
/// The last column and row that Excel has, from 0.
const LAST_COLUMN: u32 = 16_383;
const LAST_ROW: u32 = 1_048_575;

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
    let packed = std::fs::metadata(workbook).map_err(internal)?.len();
    if packed > MAX_WORKBOOK {
        return Ok(Err(UploadProblem::LargeWorkbook));
    }
    if let Err(problem) = measure::measure(workbook, measure::MAX_ELEMENTS) {
        return Ok(Err(problem));
    }
    let file = BufReader::new(File::open(workbook).map_err(internal)?);
    // Each part once, and what it takes to find them.
    let Ok(mut book) = Xlsx::new(Frugal { file, left: 2 * packed + 1024 * 1024 }) else {
        return Ok(Err(UploadProblem::BrokenWorkbook));
    };
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
        let is_behind = at_row < row || (at_row == row && at_column < column);
        if is_behind || at_row > LAST_ROW || at_column > LAST_COLUMN || text.len() > MAX_CELL {
            return Err(Trouble::Told(UploadProblem::BrokenWorkbook));
        }
        rows += u64::from(at_row > row || rows == 0);
        let is_quoted = text.contains(['"', ',', '\n', '\r']) || text.trim() != text;
        let text = if is_quoted { format!("\"{}\"", text.replace('"', "\"\"")) } else { text };
        let commas = if at_row > row { at_column } else { at_column - column };
        bytes += u64::from(at_row - row) + u64::from(commas) + text.len() as u64;
        if bytes > MAX_FILE {
            return Err(Trouble::Told(UploadProblem::LargeWorkbook));
        }
        while row < at_row {
            out.write_all(b"\n")?;
            (row, column) = (row + 1, 0);
        }
        while column < at_column {
            out.write_all(b",")?;
            column += 1;
        }
        out.write_all(text.as_bytes())?;
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

/// Reads a file, but no more than so much in all: a workbook may name one sheet two hundred times.
struct Frugal {
    file: BufReader<File>,
    left: u64,
}

impl Read for Frugal {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        let read = self.file.read(out)?;
        self.left = self.left.checked_sub(read as u64).ok_or_else(|| std::io::Error::other("read too often"))?;
        Ok(read)
    }
}

impl Seek for Frugal {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        self.file.seek(to)
    }
}

#[cfg(test)]
mod tests;
