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
    /// Lines that had this time: an engine may say seconds only.
    same: usize,
    /// What was heard already when a lost connection was made again: up to this time, and so many lines of it.
    heard: Option<(DateTime<Utc>, usize)>,
}

impl Log {
    pub fn new(work: &Work) -> Self {
        let (out, err, unwrapper) = (Lines::default(), Lines::default(), Unwrapper::new(work));
        Self { out, err, unwrapper, last: None, same: 0, heard: None }
    }

    /// It is read again, from the second of the last line on. Gives that second.
    pub fn again(&mut self) -> i32 {
        self.heard = self.last.map(|at| (at, self.same));
        self.last.map_or(0, |at| i32::try_from(at.timestamp()).unwrap_or(0))
    }

    /// Whether this line was heard before. From the first new one on, all are new, whatever their times are.
    fn is_known(&mut self, at: DateTime<Utc>) -> bool {
        match self.heard {
            Some((heard, _)) if at < heard => true,
            Some((heard, more)) if at == heard && more > 0 => {
                self.heard = Some((heard, more - 1));
                true
            }
            _ => {
                self.heard = None;
                false
            }
        }
    }

    pub fn frame(&mut self, frame: &LogOutput, heard: &mut (dyn FnMut(Heard) + Send)) {
        let is_err = matches!(frame, LogOutput::StdErr { .. });
        let bytes = frame.as_ref();
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            let (at, text) = timed(part);
            let at = at.or(self.last).unwrap_or_else(Utc::now);
            if self.is_known(at) {
                continue;
            }
            match self.last {
                Some(last) if at < last => {}
                Some(last) if at == last => self.same += 1,
                _ => (self.last, self.same) = (Some(at), 1),
            }
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
