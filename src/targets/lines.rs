//! Lines of what a piece of work writes, cut where they are too long.

use std::io::BufRead;

/// Bytes of a line that are kept.
const LONGEST: usize = 4000;

/// Makes lines of bytes as they come.
#[derive(Default)]
pub(crate) struct Lines {
    line: Vec<u8>,
}

impl Lines {
    /// Takes what came; `each` is given every line that is whole by now.
    pub fn take(&mut self, bytes: &[u8], mut each: impl FnMut(String)) {
        let mut rest = bytes;
        while !rest.is_empty() {
            // A loop of our own over each byte would take most of the time of a job that says very much.
            let length = { rest }.skip_until(b'\n').unwrap_or(rest.len());
            let (part, after) = rest.split_at(length);
            rest = after;
            let (text, ends) = part.strip_suffix(b"\n").map_or((part, false), |text| (text, true));
            let room = LONGEST - self.line.len();
            self.line.extend_from_slice(&text[..text.len().min(room)]);
            if ends {
                each(self.text());
            }
        }
    }

    /// The line that nothing ended.
    pub fn rest(&mut self) -> Option<String> {
        (!self.line.is_empty()).then(|| self.text())
    }

    fn text(&mut self) -> String {
        let text = String::from_utf8_lossy(&self.line).trim_end_matches('\r').replace('\0', "\u{fffd}");
        self.line.clear();
        text
    }
}
