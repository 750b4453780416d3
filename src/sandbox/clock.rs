//! The time of one call. Offsets are sandbox seconds since the call was created.
//!
//! - With `patchbay.sandbox_at` in the metadata, the call was created at that instant, whenever it really runs.
//! - Otherwise at speed 1 the times are the real ones.
//! - Otherwise at a higher speed the call is dated back by as much as it is hurried, so that it ends at the real time of its end:
//!   all of its times agree with each other, and none lies in the future.

use chrono::{DateTime, Duration, SecondsFormat, Utc};
use tokio::time::Instant;

#[derive(Debug, Clone)]
pub struct CallClock {
    base: DateTime<Utc>,
    started: Instant,
    speed: f64,
    /// When the request really came.
    pub placed_at: DateTime<Utc>,
    /// Whether the call was set into the past by its metadata.
    pub historic: bool,
}

impl CallClock {
    /// `planned` is the offset of the last event.
    pub fn start(sandbox_at: Option<DateTime<Utc>>, speed: f64, planned: f64) -> CallClock {
        let now = Utc::now();
        let hurried = if speed > 1.0 { planned * (1.0 - 1.0 / speed) } else { 0.0 };
        CallClock {
            base: sandbox_at.unwrap_or_else(|| now - seconds(hurried)),
            started: Instant::now(),
            speed,
            placed_at: now,
            historic: sandbox_at.is_some(),
        }
    }

    /// The same for a call that begins now after all: somebody had to come first, in the world's own time.
    pub fn restarted(&self, planned: f64) -> CallClock {
        CallClock { placed_at: self.placed_at, ..CallClock::start(None, self.speed, planned) }
    }

    /// The sandbox time at an offset.
    pub fn at(&self, offset: f64) -> DateTime<Utc> {
        self.base + seconds(offset)
    }

    /// The real instant at which an offset is reached.
    pub fn instant(&self, offset: f64) -> Instant {
        self.started + std::time::Duration::from_secs_f64((offset / self.speed).max(0.0))
    }

    /// The offset reached by now.
    pub fn elapsed(&self) -> f64 {
        self.started.elapsed().as_secs_f64() * self.speed
    }
}

fn seconds(value: f64) -> Duration {
    Duration::microseconds((value * 1_000_000.0) as i64)
}

/// ISO 8601 in UTC with microseconds, as the providers write it.
pub fn iso(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Micros, true)
}

/// A duration string such as `12.5s`.
pub fn span(seconds: f64) -> String {
    format!("{}s", (seconds * 1000.0).round() / 1000.0)
}
