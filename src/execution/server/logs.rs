//! What a job writes while it runs: kept line by line up to a limit, and its memory over time. What is beyond the limit is dropped as it
//! comes, so that the worker stays as small as it is.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::clock::Clock;
use super::plain;
use super::store::attempts::{self, Lines, Written};
use crate::model::{LONGEST_LOG, MOST_LINES};
use patchbay_access::Action;
use patchbay_access::server::Scope;
use patchbay_jobs::live::Topic;
use patchbay_shared::AppError;
use patchbay_shared::ids::ExecutionJobId;
use patchbay_targets::Heard;

/// Bytes of one line.
const LONGEST_LINE: usize = 4000;
/// Bytes of the end of what it wrote, which become its output.
const LONGEST_TAIL: usize = 16 * 1024;
/// Points of the line that shows its memory.
const MOST_SAMPLES: usize = 240;

struct Entry {
    position: i32,
    stream: &'static str,
    at: DateTime<Utc>,
    line: String,
}

#[derive(Default)]
struct Inner {
    waiting: Vec<Entry>,
    next_position: i32,
    lines: i64,
    bytes: usize,
    /// Lines that were kept when it was followed before: they come again.
    skip: i64,
    heard: i64,
    is_cut: bool,
    /// As it came: most of it is dropped again.
    tail: VecDeque<String>,
    tail_bytes: usize,
    is_tail_cut: bool,
    last_error: String,
    /// One that came later and is not kept, as it came.
    newer_error: Option<String>,
    samples: Vec<(i64, u32)>,
    /// One in so many samples is kept.
    stride: u32,
    since: u32,
    peak: u32,
    is_fresh: bool,
}

/// The log of a try.
pub(super) struct Log {
    job: ExecutionJobId,
    attempt: i32,
    began: DateTime<Utc>,
    clock: Clock,
    inner: Mutex<Inner>,
}

impl Log {
    /// `written`: what another worker kept of it.
    pub(super) fn new(
        job: ExecutionJobId,
        attempt: i32,
        began: DateTime<Utc>,
        clock: Clock,
        written: &Written,
    ) -> Self {
        let inner = Inner {
            next_position: written.next_position,
            lines: written.lines,
            bytes: usize::try_from(written.bytes).unwrap_or(usize::MAX),
            skip: written.lines,
            stride: 1,
            ..Inner::default()
        };
        // The database's clock may have gone back since.
        Self { job, attempt, began: began.min(clock.now()), clock, inner: Mutex::new(inner) }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn hear(&self, heard: Heard) {
        let (mut inner, now) = (self.inner(), self.clock.now());
        // The target's clock may be another one: nothing was written before the try, and nothing is written later than now.
        match heard {
            Heard::Out(at, text) => inner.take("out", at.clamp(self.began, now), text),
            Heard::Err(at, text) => inner.take("err", at.clamp(self.began, now), text),
            Heard::Memory(mb) => inner.sample((now - self.began).num_milliseconds(), mb),
        }
    }

    /// A remark of ours.
    pub(super) fn remark(&self, text: &str) {
        let now = self.clock.now();
        self.inner().push("system", now, plain::line(text));
    }

    /// It is followed from its beginning again.
    pub(super) fn hear_again(&self) {
        let mut inner = self.inner();
        inner.skip = inner.skip.max(inner.heard);
        inner.heard = 0;
        inner.tail.clear();
        inner.tail_bytes = 0;
    }

    /// The end of what it wrote, and whether there was more.
    pub(super) fn output(&self) -> (String, bool) {
        let inner = self.inner();
        let (mut lines, mut bytes, mut is_cut) = (VecDeque::new(), 0, inner.is_tail_cut);
        for line in inner.tail.iter().rev().map(|line| plain::line(line)) {
            bytes += line.len() + 1;
            if bytes > LONGEST_TAIL && !lines.is_empty() {
                is_cut = true;
                break;
            }
            lines.push_front(line);
        }
        (Vec::from(lines).join("\n"), is_cut)
    }

    /// The last line of its errors.
    pub(super) fn last_error(&self) -> String {
        let inner = self.inner();
        let newer = inner.newer_error.as_deref().map(plain::line).filter(|line| !line.trim().is_empty());
        newer.unwrap_or_else(|| inner.last_error.clone())
    }

    pub(super) fn peak(&self) -> Option<u32> {
        Some(self.inner().peak).filter(|peak| *peak > 0)
    }

    /// Writes down what came since the last time. What could not be written is kept for the next time.
    pub(super) async fn flush(&self, scope: &Scope) -> Result<(), AppError> {
        let (entries, samples, peak) = {
            let mut inner = self.inner();
            let samples = inner.is_fresh.then(|| inner.shown_samples());
            inner.is_fresh = false;
            (std::mem::take(&mut inner.waiting), samples, inner.peak)
        };
        if entries.is_empty() && samples.is_none() {
            return Ok(());
        }
        let kept = self.write(scope, &entries, samples.as_ref(), peak).await;
        if kept.is_err() {
            let mut inner = self.inner();
            let newer = std::mem::replace(&mut inner.waiting, entries);
            inner.waiting.extend(newer);
            inner.is_fresh = true;
        }
        kept
    }

    async fn write(
        &self,
        scope: &Scope,
        entries: &[Entry],
        samples: Option<&Value>,
        peak: u32,
    ) -> Result<(), AppError> {
        let mut tx = scope.write(Action::ManageExecution).await?;
        if !entries.is_empty() {
            let positions: Vec<i32> = entries.iter().map(|entry| entry.position).collect();
            let streams: Vec<String> = entries.iter().map(|entry| entry.stream.to_owned()).collect();
            let times: Vec<DateTime<Utc>> = entries.iter().map(|entry| entry.at).collect();
            let lines: Vec<String> = entries.iter().map(|entry| entry.line.clone()).collect();
            let new = Lines {
                job: self.job,
                attempt: self.attempt,
                positions: &positions,
                streams: &streams,
                times: &times,
                lines: &lines,
            };
            attempts::add_lines(&mut tx, &new).await?;
        }
        if let Some(samples) = samples {
            let peak = i32::try_from(peak).unwrap_or(i32::MAX);
            attempts::keep_samples(&mut tx, self.job, self.attempt, samples, peak).await?;
        }
        tx.notify(Topic::one("execution_job", self.job), None);
        tx.commit().await
    }
}

impl Inner {
    fn take(&mut self, stream: &'static str, at: DateTime<Utc>, mut text: String) {
        text.truncate(plain::cut(&text, LONGEST_LINE).len());
        self.heard += 1;
        // What is beyond the limit is not even looked at.
        let kept = (self.heard > self.skip && !self.is_cut).then(|| plain::line(&text));
        if stream == "out" {
            self.tail_bytes += text.len() + 1;
            self.tail.push_back(text);
            while self.tail_bytes > LONGEST_TAIL && self.tail.len() > 1 {
                self.tail_bytes -= self.tail.pop_front().map_or(0, |first| first.len() + 1);
                self.is_tail_cut = true;
            }
        } else if let Some(kept) = &kept {
            if !kept.trim().is_empty() {
                self.last_error.clone_from(kept);
                self.newer_error = None;
            }
        } else {
            self.newer_error = Some(text).filter(|text| !text.trim().is_empty()).or(self.newer_error.take());
        }
        let Some(text) = kept else { return };
        if self.bytes + text.len() > LONGEST_LOG || self.lines >= MOST_LINES as i64 {
            self.is_cut = true;
            let why = format!(
                "The log is cut here: {} MB and {MOST_LINES} lines are kept of each try. The job goes on.",
                LONGEST_LOG / (1024 * 1024)
            );
            self.push("system", at, why);
            return;
        }
        self.bytes += text.len();
        self.lines += 1;
        self.push(stream, at, text);
    }

    fn push(&mut self, stream: &'static str, at: DateTime<Utc>, line: String) {
        self.waiting.push(Entry { position: self.next_position, stream, at, line });
        self.next_position += 1;
    }

    fn sample(&mut self, ms: i64, mb: u32) {
        self.peak = self.peak.max(mb);
        self.is_fresh = true;
        self.since += 1;
        if self.since < self.stride {
            return;
        }
        self.since = 0;
        self.samples.push((ms.max(0), mb));
        if self.samples.len() > MOST_SAMPLES {
            let mut at = 0;
            self.samples.retain(|_| {
                at += 1;
                at % 2 == 1
            });
            self.stride *= 2;
        }
    }

    fn shown_samples(&self) -> Value {
        json!(self.samples)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log() -> Log {
        let written = Written { lines: 0, bytes: 0, next_position: 0 };
        let now = Utc::now();
        Log::new(ExecutionJobId(uuid::Uuid::nil()), 1, now, Clock::new(now), &written)
    }

    #[test]
    fn a_flood_is_cut_once_and_takes_no_room() {
        let log = log();
        for n in 0..200_000 {
            log.hear(Heard::Out(Utc::now(), format!("line {n} {}", "x".repeat(80))));
        }
        let inner = log.inner();
        assert!(inner.bytes <= LONGEST_LOG && inner.lines <= MOST_LINES as i64);
        assert_eq!(inner.waiting.iter().filter(|entry| entry.stream == "system").count(), 1);
        assert!(inner.tail_bytes <= LONGEST_TAIL && inner.is_tail_cut);
        drop(inner);
        assert!(log.output().0.ends_with(&"x".repeat(80)) && log.output().0.contains("line 199999"));
        log.hear(Heard::Err(Utc::now(), "\u{1b}[31mat last\u{1b}[0m".to_owned()));
        assert_eq!(log.last_error(), "at last");
    }

    #[test]
    fn lines_have_times_within_their_try() {
        let log = log();
        for hours in [-1, 0, 1] {
            log.hear(Heard::Out(Utc::now() + chrono::TimeDelta::hours(hours), format!("{hours}")));
        }
        let inner = log.inner();
        assert!(inner.waiting.iter().all(|entry| (log.began..=log.clock.now()).contains(&entry.at)));
    }

    #[test]
    fn what_was_kept_is_not_kept_twice() {
        let log = log();
        for n in 0..3 {
            log.hear(Heard::Out(Utc::now(), format!("{n}")));
        }
        log.hear_again();
        for n in 0..5 {
            log.hear(Heard::Out(Utc::now(), format!("{n}")));
        }
        let kept: Vec<String> = log.inner().waiting.iter().map(|entry| entry.line.clone()).collect();
        assert_eq!(kept, ["0", "1", "2", "3", "4"]);
        assert_eq!(log.output().0, "0\n1\n2\n3\n4");
    }

    #[test]
    fn memory_is_thinned_out_and_its_peak_stays() {
        let log = log();
        for mb in 0..5_000_u32 {
            log.hear(Heard::Memory(if mb == 2_501 { 900 } else { mb % 100 }));
        }
        assert!(log.inner().samples.len() <= MOST_SAMPLES);
        assert_eq!(log.peak(), Some(900));
    }
}
