//! A worker's time while it is at a job: what the database said when the job was taken, moved on by a clock that nobody sets. So a job neither
//! ends early nor shows other times because a clock of the worker's machine or of the database was put right in the middle of it.

use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};

#[derive(Debug, Clone, Copy)]
pub(super) struct Clock {
    at: DateTime<Utc>,
    since: Instant,
}

impl Clock {
    /// `at`: the database's time now.
    pub(super) fn new(at: DateTime<Utc>) -> Self {
        Self { at, since: Instant::now() }
    }

    pub(super) fn now(&self) -> DateTime<Utc> {
        self.at + self.since.elapsed()
    }
}

/// What a job that is taken over has left of its time. Never more than all of it, should the database's clock have gone back.
pub(super) fn left(timeout_at: DateTime<Utc>, now: DateTime<Utc>, whole: Duration) -> Duration {
    (timeout_at - now).to_std().unwrap_or_default().min(whole)
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    #[test]
    fn a_step_of_the_clock_gives_no_job_more_than_its_time() {
        let (now, whole) = (Utc::now(), Duration::from_secs(120));
        for (hours, seconds) in [(0, 30), (1, 0), (-1, 120)] {
            let stepped = now + TimeDelta::hours(hours);
            assert_eq!(left(now + TimeDelta::seconds(30), stepped, whole), Duration::from_secs(seconds), "{hours}");
        }
    }
}
