use std::io::Read;

/// The longest record, in bytes of UTF-8.
pub const LONGEST: usize = 256 * 1024;
const BLOCK: usize = 64 * 1024;

/// Cuts separated text into records and never stops at a strange one. Our own, because a stray quote must cost one row and not
/// the rest of the file, and because every row keeps its line number and its own text for the list of rejected rows.
///
/// Quoted cells may hold separators, doubled quotes and line ends. A quote inside a quoted cell that neither ends it nor is doubled
/// is a letter. A quote that is never closed, within `LONGEST` or before the end, is a letter too: its line is then read as it stands.
pub struct Records<R> {
    source: R,
    delimiter: u8,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    at_end: bool,
    line: u64,
    cells: Cells,
    /// The beginning of a line that was too long to keep.
    long: String,
}

/// One record.
pub struct Record<'a> {
    /// The line of the file where it begins, from 1.
    pub line: u64,
    /// As it stands in the file, without the line end.
    pub raw: &'a str,
    pub cells: &'a Cells,
    /// Longer than `LONGEST`: `raw` is its beginning, and there are no cells.
    pub is_too_long: bool,
}

impl Record<'_> {
    /// An empty line.
    pub(crate) fn is_blank(&self) -> bool {
        !self.is_too_long && self.raw.trim().is_empty()
    }
}

/// The cells of one record, one after the other in one piece of memory.
#[derive(Debug, Default)]
pub struct Cells {
    text: Vec<u8>,
    ends: Vec<usize>,
}

impl Cells {
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// The cell at `index`; empty where the record is shorter.
    pub fn get(&self, index: usize) -> &str {
        let Some(end) = self.ends.get(index) else { return "" };
        let start = if index == 0 { 0 } else { self.ends[index - 1] };
        // Cuts are at ASCII bytes, so a cell is whole characters.
        std::str::from_utf8(&self.text[start..*end]).unwrap_or_default()
    }

    pub fn iter(&self) -> impl Iterator<Item = &str> {
        (0..self.len()).map(|index| self.get(index))
    }

    fn clear(&mut self) {
        self.text.clear();
        self.ends.clear();
    }
}

enum Cut {
    /// `text` bytes of record, `whole` with its line end.
    Whole { text: usize, whole: usize },
    /// The record goes on after what is in the buffer.
    Unfinished,
    /// The file ends inside a quoted cell.
    Unclosed,
}

impl<R: Read> Records<R> {
    pub fn new(source: R, delimiter: u8) -> Self {
        let (buffer, cells, long) = (Vec::new(), Cells::default(), String::new());
        Self { source, delimiter, buffer, start: 0, end: 0, at_end: false, line: 1, cells, long }
    }

    /// What the records are read from.
    pub fn source(&self) -> &R {
        &self.source
    }

    /// The next record, or none at the end.
    pub fn read(&mut self) -> std::io::Result<Option<Record<'_>>> {
        loop {
            let bytes = &self.buffer[self.start..self.end];
            if bytes.is_empty() && self.at_end {
                return Ok(None);
            }
            let mut cut = scan(bytes, self.delimiter, true, self.at_end, &mut self.cells);
            let is_full = bytes.len() >= LONGEST;
            if matches!(cut, Cut::Unclosed) || (is_full && matches!(cut, Cut::Unfinished)) {
                cut = scan(bytes, self.delimiter, false, self.at_end, &mut self.cells);
            }
            match cut {
                Cut::Whole { text, whole } => {
                    let (start, line) = (self.start, self.line);
                    self.line += lines(&self.buffer[start..start + whole]);
                    self.start += whole;
                    let raw = std::str::from_utf8(&self.buffer[start..start + text]).unwrap_or_default();
                    return Ok(Some(Record { line, raw, cells: &self.cells, is_too_long: false }));
                }
                _ if is_full => return self.skip_line().map(Some),
                _ => self.fill()?,
            }
        }
    }

    /// Reads on, with what is left of the last block in front.
    fn fill(&mut self) -> std::io::Result<()> {
        self.buffer.copy_within(self.start..self.end, 0);
        (self.start, self.end) = (0, self.end - self.start);
        if self.buffer.len() < self.end + BLOCK {
            self.buffer.resize(self.end + BLOCK, 0);
        }
        let read = self.source.read(&mut self.buffer[self.end..])?;
        self.end += read;
        self.at_end = read == 0;
        Ok(())
    }

    /// Passes over a line that is too long, keeping its first two hundred bytes.
    fn skip_line(&mut self) -> std::io::Result<Record<'_>> {
        let line = self.line;
        let head = &self.buffer[self.start..self.end.min(self.start + 200)];
        self.long = head.utf8_chunks().next().map(|chunk| format!("{}…", chunk.valid())).unwrap_or_default();
        loop {
            if let Some(at) = self.buffer[self.start..self.end].iter().position(|byte| *byte == b'\n') {
                self.start += at + 1;
                break;
            }
            self.start = self.end;
            if self.at_end {
                break;
            }
            self.fill()?;
        }
        self.line += 1;
        self.cells.clear();
        Ok(Record { line, raw: &self.long, cells: &self.cells, is_too_long: true })
    }
}

/// Finds the end of the first record in `bytes` and its cells.
fn scan(bytes: &[u8], delimiter: u8, quotes: bool, at_end: bool, cells: &mut Cells) -> Cut {
    cells.clear();
    let mut at = 0;
    loop {
        if quotes && bytes.get(at) == Some(&b'"') {
            match quoted(bytes, at + 1, delimiter, at_end, &mut cells.text) {
                Ok(after) => at = after,
                Err(cut) => return cut,
            }
        } else {
            let rest = &bytes[at..];
            let length = rest.iter().position(|byte| *byte == delimiter || *byte == b'\n' || *byte == b'\r');
            if length.is_none() && !at_end {
                return Cut::Unfinished;
            }
            let length = length.unwrap_or(rest.len());
            cells.text.extend_from_slice(&rest[..length]);
            at += length;
        }
        cells.ends.push(cells.text.len());
        match bytes.get(at) {
            Some(b'\n') => return Cut::Whole { text: at, whole: at + 1 },
            Some(b'\r') if at + 1 == bytes.len() && !at_end => return Cut::Unfinished,
            Some(b'\r') => {
                return Cut::Whole { text: at, whole: at + if bytes.get(at + 1) == Some(&b'\n') { 2 } else { 1 } };
            }
            Some(_) => at += 1,
            None => return Cut::Whole { text: at, whole: at },
        }
    }
}

/// Reads a quoted cell from after its first quote; gives the place after it, at a separator or a line end.
fn quoted(bytes: &[u8], mut at: usize, delimiter: u8, at_end: bool, text: &mut Vec<u8>) -> Result<usize, Cut> {
    let unfinished = || if at_end { Cut::Unclosed } else { Cut::Unfinished };
    loop {
        let Some(length) = bytes[at..].iter().position(|byte| *byte == b'"') else { return Err(unfinished()) };
        text.extend_from_slice(&bytes[at..at + length]);
        at += length + 1;
        if bytes.get(at) == Some(&b'"') {
            text.push(b'"');
            at += 1;
            continue;
        }
        // Blanks between the closing quote and the separator are common and mean nothing.
        let blanks = bytes[at..].iter().take_while(|byte| **byte == b' ').count();
        match bytes.get(at + blanks) {
            None if !at_end => return Err(Cut::Unfinished),
            None => return Ok(at + blanks),
            Some(byte) if *byte == delimiter || *byte == b'\n' || *byte == b'\r' => return Ok(at + blanks),
            Some(_) => text.push(b'"'),
        }
    }
}

/// Lines that end within `bytes`; old Macs end them with a lone carriage return.
fn lines(bytes: &[u8]) -> u64 {
    let ends = bytes
        .iter()
        .enumerate()
        .filter(|(at, byte)| **byte == b'\n' || (**byte == b'\r' && bytes.get(at + 1) != Some(&b'\n')));
    ends.count() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<(u64, Vec<String>)> {
        let mut records = Records::new(text.as_bytes(), b',');
        let mut all = Vec::new();
        while let Some(record) = records.read().unwrap() {
            all.push((record.line, record.cells.iter().map(str::to_owned).collect()));
        }
        all
    }

    #[test]
    fn what_real_files_look_like() {
        assert_eq!(
            read("a,b\r\n\"c,\"\"d\"\"\",\"e\nf\"\ng"),
            [(1, vec!["a".into(), "b".into()]), (2, vec!["c,\"d\"".into(), "e\nf".into()]), (4, vec!["g".into()]),]
        );
        assert_eq!(read("a,\rb,"), [(1, vec!["a".into(), String::new()]), (2, vec!["b".into(), String::new()])]);
        assert_eq!(read(""), []);
        assert_eq!(
            read("\"ACME \"Best\" Ltd\" ,5\" pipe\n"),
            [(1, vec!["ACME \"Best\" Ltd".into(), "5\" pipe".into()])]
        );
    }

    #[test]
    fn a_quote_that_is_never_closed_costs_one_row() {
        let rows = read("\"Ada,1\nBea,2\nCyd,3\n");
        assert_eq!(rows.len(), 3);
        assert_eq!(rows[0].1, ["\"Ada", "1"]);
        assert_eq!(rows[2], (3, vec!["Cyd".into(), "3".into()]));
    }

    #[test]
    fn a_huge_line_is_passed_over() {
        let text = format!("a,b\n{}\nc,d\n", "x".repeat(1_000_000));
        let mut records = Records::new(text.as_bytes(), b',');
        assert!(!records.read().unwrap().unwrap().is_too_long);
        let long = records.read().unwrap().unwrap();
        assert!(long.is_too_long && long.line == 2 && long.raw.len() < 300);
        let last = records.read().unwrap().unwrap();
        assert_eq!((last.line, last.cells.get(1)), (3, "d"));
        assert!(records.read().unwrap().is_none());
    }

    #[test]
    fn records_do_not_depend_on_where_blocks_end() {
        let text = "Zoë,\"a\"\"b\",\"c\nd\"\r\n".repeat(10_000);
        let rows = read(&text);
        assert_eq!(rows.len(), 10_000);
        assert!(rows.iter().all(|(_, cells)| cells == &["Zoë", "a\"b", "c\nd"]));
        assert_eq!(rows[9_999].0, 19_999);
    }
}
