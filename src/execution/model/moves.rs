//! The moves of a job between its states, and what becomes of it after a try. Pure: facts in, a decision out.

use crate::model::JobStatus;

/// Whether a job may go from one state to another. Ended jobs go back into the queue only when a person asks for it.
pub fn may_move(from: JobStatus, to: JobStatus) -> bool {
    use JobStatus::{AwaitingApproval, Completed, Failed, FailedCircuitOpen, Oom, Queued, Running};
    match from {
        Queued => matches!(to, Running | Failed | FailedCircuitOpen),
        Running => to != Running,
        AwaitingApproval => matches!(to, Queued | Failed),
        FailedCircuitOpen => matches!(to, Queued | Running | Failed),
        Failed | Oom => to == Queued,
        Completed => false,
    }
}

pub fn is_ended(status: JobStatus) -> bool {
    matches!(status, JobStatus::Completed | JobStatus::Failed | JobStatus::Oom)
}

/// What became of a try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Happened {
    Completed,
    /// The work itself failed: another try would fare the same.
    Failed(String),
    /// It was not the work: trying again may help.
    Passing(String),
    OutOfMemory(String),
    TimedOut(String),
    /// A person or its run ended it, or a limit did.
    Cancelled(String),
    /// Nobody knows how it ended.
    Lost(String),
    /// The engine or the target is at fault: counts for the breaker.
    Trouble(String),
}

/// What is known of a job when a try ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facts {
    pub retry_count: i32,
    pub max_retries: i32,
    pub memory_mb: i32,
    /// The most that the target gives to one job.
    pub most_memory_mb: i32,
    /// An earlier try ran out of memory, too.
    pub had_oom: bool,
    /// The breaker is open after this try.
    pub is_circuit_open: bool,
}

/// What becomes of the job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    End(JobStatus, Option<String>),
    /// Back into the queue with this much memory, after the wait that the count of retries says.
    Again {
        memory_mb: i32,
        waits: bool,
        reason: String,
    },
    /// Waits for the breaker; no retry is used up.
    Circuit(String),
}

/// Decides after a try.
pub fn after(happened: Happened, facts: Facts) -> Next {
    let again = |reason: String| match facts.retry_count < facts.max_retries {
        true => Next::Again { memory_mb: facts.memory_mb, waits: true, reason },
        false => Next::End(JobStatus::Failed, Some(tried(reason, facts.retry_count))),
    };
    match happened {
        Happened::Completed => Next::End(JobStatus::Completed, None),
        Happened::Failed(reason) | Happened::TimedOut(reason) | Happened::Cancelled(reason) => {
            Next::End(JobStatus::Failed, Some(reason))
        }
        Happened::OutOfMemory(reason) => {
            let double = facts.memory_mb.saturating_mul(2);
            match !facts.had_oom && double <= facts.most_memory_mb {
                true => Next::Again { memory_mb: double, waits: false, reason },
                false => Next::End(JobStatus::Oom, Some(reason)),
            }
        }
        Happened::Trouble(reason) if facts.is_circuit_open => Next::Circuit(reason),
        Happened::Trouble(reason) | Happened::Passing(reason) | Happened::Lost(reason) => again(reason),
    }
}

fn tried(reason: String, retries: i32) -> String {
    match retries {
        0 => reason,
        1 => format!("{reason} It was tried twice."),
        more => format!("{reason} It was tried {} times.", more + 1),
    }
}

/// Seconds until the next try after so many retries: 5, 10, 20 and so on, ten minutes at most, and up to a tenth more by the job's own
/// number, so that those that failed at one moment do not come back at one moment.
pub fn backoff_seconds(retries: i32, seed: u128) -> u64 {
    let base = 5_u64.saturating_mul(1 << retries.clamp(0, 20)).min(600);
    base + u64::try_from(seed % 101).unwrap_or_default() * base / 1000
}

/// Failures in a row that open a breaker.
pub const OPENS_AT: i32 = 5;

/// Seconds until a breaker lets one job try, after so many failures in a row. None: it stays closed.
pub fn opens_for(failures: i32) -> Option<u64> {
    let beyond = failures - OPENS_AT;
    (beyond >= 0).then(|| 30_u64.saturating_mul(1 << beyond.min(20)).min(600))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FACTS: Facts = Facts {
        retry_count: 0,
        max_retries: 2,
        memory_mb: 64,
        most_memory_mb: 256,
        had_oom: false,
        is_circuit_open: false,
    };

    #[test]
    fn ended_jobs_go_nowhere_but_back_into_the_queue() {
        for from in JobStatus::ALL.iter().copied() {
            assert!(!may_move(from, from), "{from}");
            for to in JobStatus::ALL.iter().copied().filter(|_| is_ended(from)) {
                assert_eq!(may_move(from, to), to == JobStatus::Queued && from != JobStatus::Completed, "{from} {to}");
            }
        }
        assert!(!may_move(JobStatus::AwaitingApproval, JobStatus::Running), "what waits for a person does not begin");
        assert!(!may_move(JobStatus::Queued, JobStatus::Completed), "nothing ends well that did not begin");
    }

    #[test]
    fn what_becomes_of_a_job_after_a_try() {
        let why = || "Why.".to_owned();
        let failed = |reason: &str| Next::End(JobStatus::Failed, Some(reason.to_owned()));
        assert_eq!(after(Happened::Completed, FACTS), Next::End(JobStatus::Completed, None));
        assert_eq!(after(Happened::Failed(why()), FACTS), failed("Why."));
        assert_eq!(after(Happened::Lost(why()), FACTS), Next::Again { memory_mb: 64, waits: true, reason: why() });
        let spent = Facts { retry_count: 2, ..FACTS };
        assert_eq!(after(Happened::Lost(why()), spent), failed("Why. It was tried 3 times."));
        assert_eq!(
            after(Happened::OutOfMemory(why()), spent),
            Next::Again { memory_mb: 128, waits: false, reason: why() }
        );
        for facts in [Facts { had_oom: true, ..FACTS }, Facts { memory_mb: 200, ..FACTS }] {
            assert_eq!(after(Happened::OutOfMemory(why()), facts), Next::End(JobStatus::Oom, Some(why())));
        }
        let open = Facts { is_circuit_open: true, retry_count: 2, ..FACTS };
        assert_eq!(after(Happened::Trouble(why()), open), Next::Circuit(why()));
        assert_eq!(after(Happened::Cancelled(why()), open), failed("Why."));
    }

    #[test]
    fn waits_grow_and_end() {
        assert_eq!([0, 1, 2, 30].map(|retries| backoff_seconds(retries, 0)), [5, 10, 20, 600]);
        assert!((600..=660).contains(&backoff_seconds(7, 12_345)));
        assert_eq!([4, 5, 6, 50].map(opens_for), [None, Some(30), Some(60), Some(600)]);
    }
}
