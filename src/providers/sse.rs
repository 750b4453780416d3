//! Server-sent events, byte by byte: what a model that streams its answer writes.
//!
//! Comment lines keep a connection open and say nothing. Lines end as each host likes, and pieces end anywhere, also inside a letter.

use std::mem;

/// One event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Event {
    pub data: String,
}

/// A single event became longer than is taken.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TooLong;

/// Reads events out of pieces.
pub(crate) struct Reader {
    /// The line that is being read.
    line: Vec<u8>,
    /// The data of the event that is being read. None: it has none yet.
    data: Option<String>,
    /// The last byte ended a line as the first of two.
    after_return: bool,
    is_first_line: bool,
    /// Most bytes of one event.
    limit: usize,
}

impl Reader {
    pub fn new(limit: usize) -> Self {
        Self { line: Vec::new(), data: None, after_return: false, is_first_line: true, limit }
    }

    /// Takes the next piece and adds the events that end in it.
    pub fn push(&mut self, piece: &[u8], out: &mut Vec<Event>) -> Result<(), TooLong> {
        for &byte in piece {
            let ends_pair = mem::replace(&mut self.after_return, byte == b'\r') && byte == b'\n';
            match byte {
                b'\n' if ends_pair => {}
                b'\n' | b'\r' => out.extend(self.line_ended()),
                _ => self.line.push(byte),
            }
            if self.line.len() + self.data.as_ref().map_or(0, String::len) > self.limit {
                return Err(TooLong);
            }
        }
        Ok(())
    }

    /// Nothing comes any more. Some hosts leave out the empty line behind the last event.
    pub fn finish(&mut self) -> Option<Event> {
        let last = if self.line.is_empty() { None } else { self.line_ended() };
        last.or_else(|| self.event())
    }

    fn line_ended(&mut self) -> Option<Event> {
        let bytes = mem::take(&mut self.line);
        let text = String::from_utf8_lossy(&bytes);
        let mut line = text.as_ref();
        if mem::replace(&mut self.is_first_line, false) {
            line = line.trim_start_matches('\u{feff}');
        }
        if line.is_empty() {
            return self.event();
        }
        if let Some(value) = line.strip_prefix("data:") {
            let value = value.strip_prefix(' ').unwrap_or(value);
            match &mut self.data {
                Some(data) => {
                    data.push('\n');
                    data.push_str(value);
                }
                none => *none = Some(value.to_owned()),
            }
        }
        None
    }

    fn event(&mut self) -> Option<Event> {
        self.data.take().map(|data| Event { data })
    }
}

#[cfg(test)]
mod tests;
