//! The log of a container, line by line.

use bollard::container::LogOutput;
use chrono::{DateTime, Utc};

use crate::archive::Unwrapper;
use crate::lines::Lines;
use crate::{Heard, Work};

/// The log of a container as it comes: each line with its time in front.
pub(super) struct Log {
    out: Lines,
    err: Lines,
    unwrapper: Unwrapper,
    pub last: Option<DateTime<Utc>>,
    /// Before this one everything was heard already, when a lost connection was made again.
    pub heard: Option<DateTime<Utc>>,
}

impl Log {
    pub fn new(work: &Work) -> Self {
        Self { out: Lines::default(), err: Lines::default(), unwrapper: Unwrapper::new(work), last: None, heard: None }
    }

    pub fn frame(&mut self, frame: &LogOutput, heard: &mut (dyn FnMut(Heard) + Send)) {
        let is_err = matches!(frame, LogOutput::StdErr { .. });
        let bytes = frame.as_ref();
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            let (at, text) = timed(part);
            let at = at.or(self.last).unwrap_or_else(Utc::now);
            if self.heard.is_some_and(|heard| at <= heard) {
                continue;
            }
            self.last = self.last.max(Some(at));
            let lines = if is_err { &mut self.err } else { &mut self.out };
            let unwrapper = &mut self.unwrapper;
            lines.take(text, |line| tell(is_err, at, line, unwrapper, heard));
        }
    }

    /// The files that came in it.
    pub fn archive(&self) -> Vec<u8> {
        self.unwrapper.archive()
    }

    /// The last line, if nothing ended it.
    pub fn rest(&mut self, heard: &mut (dyn FnMut(Heard) + Send)) {
        let at = self.last.unwrap_or_else(Utc::now);
        for (is_err, rest) in [(false, self.out.rest()), (true, self.err.rest())] {
            if let Some(line) = rest {
                tell(is_err, at, line, &mut self.unwrapper, heard);
            }
        }
    }
}

fn tell(
    is_err: bool,
    at: DateTime<Utc>,
    line: String,
    unwrapper: &mut Unwrapper,
    heard: &mut (dyn FnMut(Heard) + Send),
) {
    if is_err {
        heard(Heard::Err(at, line));
    } else if let Some(line) = unwrapper.line(line) {
        heard(Heard::Out(at, line));
    }
}

/// The time in front of a line, and what follows it.
fn timed(line: &[u8]) -> (Option<DateTime<Utc>>, &[u8]) {
    let space = line.iter().take(40).position(|byte| *byte == b' ');
    let time = space.and_then(|at| {
        let text = std::str::from_utf8(&line[..at]).ok()?;
        Some((DateTime::parse_from_rfc3339(text).ok()?.with_timezone(&Utc), &line[at + 1..]))
    });
    time.map_or((None, line), |(at, rest)| (Some(at), rest))
}
