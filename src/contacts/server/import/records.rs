use std::io::Read;

use memchr::{memchr, memchr3};

/// The longest record that is read, in bytes of UTF-8. A longer one is passed over, and the file goes on behind it.
pub const LONGEST: usize = 256 * 1024;
/// How far behind its opening quote a cell's closing quote is looked for, in bytes. This bounds the memory: what is looked at is held.
pub const REACH: usize = 4 * 1024 * 1024;
const BLOCK: usize = 64 * 1024;

/// Cuts separated text into records and never stops at a strange one. Our own, because a stray quote must cost one row and not
/// the rest of the file, and because every row keeps its line number and its own text for the list of rejected rows.
///
/// A line ends with `\n`, `\r\n` or `\r`, also when one file has all three. A form feed or U+0085 is a letter: in old encodings
/// the byte of the latter is one.
///
/// Quoted cells may hold separators, doubled quotes and line ends. A quote inside a quoted cell that neither ends it nor is doubled
/// is a letter. The quote that opens a cell is a letter itself when no quote closes it within `REACH`, or when one that opens another
/// cell on a later line comes first: then the closing one was forgotten. So are quotes in a run of `LONGEST`, and one with as many
/// blanks behind it: the record is too long to keep, whatever they are.
///
/// The time is linear in the size: four places (where it reads, and the next closing quote, line end and opening quote) each move
/// forward only, over each byte once.
pub struct Records<R> {
    source: R,
    delimiter: u8,
    buffer: Vec<u8>,
    /// Where in the file's text `buffer` begins.
    base: u64,
    /// The beginning of the record that is being read, as a place in `buffer`.
    start: usize,
    end: usize,
    at_end: bool,
    line: u64,
    cells: Cells,
    /// The record that is being read is too long to keep: `long` is its beginning.
    is_too_long: bool,
    long: String,
    closing: Ahead,
    line_end: Ahead,
    opening: Ahead,
    work: u64,
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

/// A place ahead in the text that was found, and how far was looked. Places count from the beginning of the text.
#[derive(Debug, Default)]
struct Ahead {
    found: Option<Run>,
    seen: u64,
}

/// Where something begins, and its last byte. A run of quotes may be several bytes.
#[derive(Debug, Clone, Copy)]
struct Run {
    first: u64,
    last: u64,
}

/// What a run of quotes may be.
#[derive(PartialEq, Eq)]
enum Quotes {
    /// An odd number before a separator or a line end: the last one closes a cell.
    Closing,
    /// An odd number behind a separator or a line end, before something else: the first one opens a cell.
    Opening,
    Letters,
}

impl<R: Read> Records<R> {
    pub fn new(source: R, delimiter: u8) -> Self {
        Self {
            source,
            delimiter,
            buffer: Vec::new(),
            base: 0,
            start: 0,
            end: 0,
            at_end: false,
            line: 1,
            cells: Cells::default(),
            is_too_long: false,
            long: String::new(),
            closing: Ahead::default(),
            line_end: Ahead::default(),
            opening: Ahead::default(),
            work: 0,
        }
    }

    /// What the records are read from.
    pub fn source(&self) -> &R {
        &self.source
    }

    /// Bytes looked at so far, those looked at twice counted twice: what tests bound instead of the time.
    pub fn work(&self) -> u64 {
        self.work
    }

    /// Bytes held in memory.
    pub fn held(&self) -> usize {
        self.buffer.capacity() + self.cells.text.capacity() + self.cells.ends.capacity() * size_of::<usize>()
    }

    /// The next record, or none at the end.
    pub fn read(&mut self) -> std::io::Result<Option<Record<'_>>> {
        let Some(first) = self.byte(self.base + self.start as u64)? else { return Ok(None) };
        let line = self.line;
        self.cells.clear();
        self.is_too_long = false;
        let mut at = self.place();
        let mut next = Some(first);
        let text_end = loop {
            let closing = if next == Some(b'"') { self.closing_quote(at + 1)? } else { None };
            at = match closing {
                Some(last) => self.quoted(at, last)?,
                None => self.plain(at)?,
            };
            self.cells.ends.push(self.cells.text.len());
            self.let_go(at);
            match self.byte(at)? {
                Some(byte) if byte == self.delimiter => at += 1,
                Some(b'\r') => {
                    let text_end = at;
                    at += if self.byte(at + 1)? == Some(b'\n') { 2 } else { 1 };
                    break text_end;
                }
                Some(_) => {
                    at += 1;
                    break at - 1;
                }
                None => break at,
            }
            next = self.byte(at)?;
        };
        let (start, end) = (self.start, (text_end - self.base) as usize);
        let whole = (at - self.base) as usize;
        self.line += lines(&self.buffer[start..whole]);
        self.start = whole;
        if self.is_too_long {
            self.cells.clear();
            return Ok(Some(Record { line, raw: &self.long, cells: &self.cells, is_too_long: true }));
        }
        let raw = std::str::from_utf8(&self.buffer[start..end]).unwrap_or_default();
        Ok(Some(Record { line, raw, cells: &self.cells, is_too_long: false }))
    }

    /// Where the record that is being read begins, or what is left of it.
    fn place(&self) -> u64 {
        self.base + self.start as u64
    }

    /// Lets go of what stands before `at` when the record is too long: what is not kept need not be held.
    fn let_go(&mut self, at: u64) {
        if !self.is_too_long && at - self.place() <= LONGEST as u64 {
            return;
        }
        let upto = (at - self.base) as usize;
        let gone = &self.buffer[self.start..upto];
        if !self.is_too_long {
            let head = gone[..gone.len().min(200)].utf8_chunks().next();
            self.long = head.map(|chunk| format!("{}…", chunk.valid())).unwrap_or_default();
        }
        self.is_too_long = true;
        self.line += lines(gone);
        self.start = upto;
        self.cells.clear();
    }

    /// The byte at a place, read from the source if need be; none at the end.
    fn byte(&mut self, at: u64) -> std::io::Result<Option<u8>> {
        loop {
            let index = (at - self.base) as usize;
            if index < self.end {
                return Ok(Some(self.buffer[index]));
            }
            if self.at_end {
                return Ok(None);
            }
            self.fill()?;
        }
    }

    /// Reads on. What is held is moved to the front only when it is less than what was let go of, so that each byte moves once on
    /// average.
    fn fill(&mut self) -> std::io::Result<()> {
        if self.start > 0 && self.start >= self.end - self.start {
            self.buffer.copy_within(self.start..self.end, 0);
            self.work += (self.end - self.start) as u64;
            self.base += self.start as u64;
            (self.start, self.end) = (0, self.end - self.start);
        }
        if self.buffer.len() < self.end + BLOCK {
            self.buffer.resize(self.end + BLOCK, 0);
        }
        let read = self.source.read(&mut self.buffer[self.end..])?;
        self.end += read;
        self.at_end = read == 0;
        Ok(())
    }

    /// Reads a cell without quotes from `at`; gives the place of the separator or line end behind it.
    fn plain(&mut self, mut at: u64) -> std::io::Result<u64> {
        loop {
            let from = (at - self.base) as usize;
            let rest = &self.buffer[from..self.end];
            let length = memchr3(self.delimiter, b'\n', b'\r', rest);
            let upto = length.unwrap_or(rest.len());
            self.work += upto as u64;
            if !self.is_too_long {
                self.cells.text.extend_from_slice(&rest[..upto]);
            }
            at += upto as u64;
            if length.is_some() || self.at_end {
                return Ok(at);
            }
            self.let_go(at);
            self.fill()?;
        }
    }

    /// Reads a quoted cell whose quotes stand at `first` and `last`; gives the place behind it and the blanks after it.
    fn quoted(&mut self, first: u64, last: u64) -> std::io::Result<u64> {
        if !self.is_too_long && last - first <= LONGEST as u64 {
            let (mut at, end) = ((first + 1 - self.base) as usize, (last - self.base) as usize);
            while let Some(length) = memchr(b'"', &self.buffer[at..end]) {
                self.cells.text.extend_from_slice(&self.buffer[at..=at + length]);
                at += length + 1;
                // The second of two.
                at += usize::from(at < end && self.buffer[at] == b'"');
            }
            self.cells.text.extend_from_slice(&self.buffer[at..end]);
        }
        self.work += last - first;
        let mut at = last + 1;
        while self.byte(at)? == Some(b' ') {
            at += 1;
            self.work += 1;
        }
        Ok(at)
    }

    /// The quote that closes the cell whose text begins at `from`; none if there is none.
    fn closing_quote(&mut self, from: u64) -> std::io::Result<Option<u64>> {
        let limit = from + REACH as u64;
        // The opening quote may be the first of several: what is left of these is a run of its own.
        let own = self.run(from)?;
        if own.last >= own.first && self.kind(own)? == Quotes::Closing {
            return Ok(Some(own.last));
        }
        let from = own.last.max(from - 1) + 1;
        let Some(closing) = self.ahead(Which::Closing, from, limit)? else { return Ok(None) };
        let Some(line_end) = self.ahead(Which::LineEnd, from, closing.first)? else { return Ok(Some(closing.last)) };
        let forgotten = self.ahead(Which::Opening, line_end.last + 1, closing.first)?;
        Ok(forgotten.is_none().then_some(closing.last))
    }

    /// The first of its kind that begins at `from` or later and before `limit`.
    fn ahead(&mut self, which: Which, from: u64, limit: u64) -> std::io::Result<Option<Run>> {
        let known = self.remembered(which);
        if let Some(found) = known.found
            && found.first >= from
        {
            return Ok(Some(found).filter(|found| found.first < limit));
        }
        let mut at = known.seen.max(from);
        let found = loop {
            if at >= limit || self.byte(at)?.is_none() {
                break None;
            }
            let upto = self.end.min((limit - self.base) as usize);
            let text = &self.buffer[(at - self.base) as usize..upto];
            let place = match which {
                Which::LineEnd => memchr::memchr2(b'\n', b'\r', text),
                _ => memchr(b'"', text),
            };
            self.work += place.map_or(text.len(), |place| place + 1) as u64;
            let Some(place) = place else {
                at = self.base + upto as u64;
                continue;
            };
            let first = at + place as u64;
            let run = match which {
                Which::LineEnd => Run { first, last: first },
                _ => self.run(first)?,
            };
            at = run.last + 1;
            let fits = match which {
                Which::LineEnd => true,
                Which::Closing => self.kind(run)? == Quotes::Closing,
                Which::Opening => self.kind(run)? == Quotes::Opening,
            };
            if fits {
                break Some(run);
            }
        };
        *self.remembered(which) = Ahead { found, seen: at };
        Ok(found)
    }

    fn remembered(&mut self, which: Which) -> &mut Ahead {
        match which {
            Which::Closing => &mut self.closing,
            Which::LineEnd => &mut self.line_end,
            Which::Opening => &mut self.opening,
        }
    }

    /// The quotes from `first` on, up to `LONGEST` of them. With none there, `last` stands before `first`.
    fn run(&mut self, first: u64) -> std::io::Result<Run> {
        let mut after = first;
        while after - first < LONGEST as u64 && self.byte(after)? == Some(b'"') {
            after += 1;
        }
        self.work += after - first;
        Ok(Run { first, last: after.wrapping_sub(1) })
    }

    fn kind(&mut self, run: Run) -> std::io::Result<Quotes> {
        let length = run.last + 1 - run.first;
        if length < LONGEST as u64 && !length.is_multiple_of(2) {
            // Blanks between the closing quote and the separator are common and mean nothing.
            let mut after = run.last + 1;
            while after - run.last < LONGEST as u64 && self.byte(after)? == Some(b' ') {
                after += 1;
            }
            self.work += after - run.last;
            let next = self.byte(after)?;
            let is_edge = |byte: u8| byte == self.delimiter || byte == b'\n' || byte == b'\r';
            if next.is_none_or(is_edge) {
                return Ok(Quotes::Closing);
            }
            let before = (run.first - self.base) as usize;
            if before > 0 && is_edge(self.buffer[before - 1]) {
                return Ok(Quotes::Opening);
            }
        }
        Ok(Quotes::Letters)
    }
}

#[derive(Debug, Clone, Copy)]
enum Which {
    Closing,
    LineEnd,
    Opening,
}

/// Lines that end within `bytes`; old Macs end them with a lone carriage return.
fn lines(bytes: &[u8]) -> u64 {
    memchr::memchr2_iter(b'\n', b'\r', bytes)
        .filter(|at| bytes[*at] == b'\n' || bytes.get(at + 1) != Some(&b'\n'))
        .count() as u64
}

#[cfg(test)]
mod tests;
