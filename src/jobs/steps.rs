//! Leases that do not say the truth. They are counted by the database's clock: when somebody puts it right, all of them seem to be over, or
//! to last for hours. While the database is away nobody can renew any, and when it is back, those of the living seem to be over, too.

use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};

/// What two looks at two clocks may differ by.
const TOLERANCE: Duration = Duration::from_secs(20);
/// Until every living worker has renewed its leases by the new time, or after the database was away.
const RENEWED: Duration = Duration::from_secs(30);

/// What is remembered of the clock.
#[derive(Default)]
pub(crate) struct Steps {
    last: Option<(DateTime<Utc>, Instant)>,
    until: Option<Instant>,
}

impl Steps {
    /// Whether leases say the truth. `now`: the database's time; `at`: the same moment by this process's own time, which nobody sets.
    pub fn are_over(&mut self, now: DateTime<Utc>, at: Instant) -> bool {
        if let Some((before, then)) = self.last.replace((now, at)) {
            let passed = at.saturating_duration_since(then);
            let wanted = before + passed;
            let is_step = (now - wanted).abs().to_std().unwrap_or_default() > TOLERANCE;
            // Whoever could not look could not renew either.
            if is_step || passed > RENEWED {
                let why = if is_step { "the database's clock was put right" } else { "the database was away" };
                tracing::warn!(%wanted, %now, "{why}; nothing is taken back for a moment");
                self.until = Some(at + RENEWED);
            }
        }
        self.until.is_none_or(|until| at >= until)
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    #[test]
    fn leases_are_not_believed_until_they_are_renewed_after_a_step() {
        let (now, at) = (Utc::now(), Instant::now());
        for hour in [1, -1] {
            let mut steps = Steps::default();
            let mut look = |seconds: u64, hours: i64| {
                let passed = Duration::from_secs(seconds);
                steps.are_over(now + passed + TimeDelta::hours(hours), at + passed)
            };
            assert!(look(0, 0) && look(10, 0), "a clock that goes on");
            assert!(!look(20, hour) && !look(40, hour), "after a step");
            assert!(look(50, hour) && look(60, hour), "everybody has renewed");
            assert!(!look(70, 0), "and back");
        }
    }

    #[test]
    fn leases_are_not_believed_until_they_are_renewed_after_the_database_was_away() {
        let (now, at) = (Utc::now(), Instant::now());
        let mut steps = Steps::default();
        let mut look = |seconds: u64| {
            let passed = Duration::from_secs(seconds);
            steps.are_over(now + passed, at + passed)
        };
        assert!(look(0) && look(10) && look(40), "looks that come late");
        assert!(!look(101) && !look(121), "nobody could renew for a minute");
        assert!(look(131) && look(141), "everybody has renewed");
    }
}
