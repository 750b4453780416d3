//! Stops asking a service that is down, per workspace and service.
//!
//! After five failures in a row the way is closed. After 30 seconds one request may try; its success opens the way,
//! its failure closes it for another 30 seconds. The clock is always handed in, so this is pure logic.

use super::error::ProviderError;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};
use uuid::Uuid;

/// Failures in a row that close the way.
pub const FAILURES: u32 = 5;
/// How long the way stays closed before one request may try.
pub const PAUSE: Duration = Duration::from_secs(30);

/// May this request go?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pass {
    /// Yes.
    Go,
    /// Yes, as the one that tries whether the service is back. Report its outcome.
    Probe,
    /// No. Ask again after this time.
    Wait(Duration),
}

/// One service as seen by one workspace.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Circuit {
    failures: u32,
    /// Since when the way is closed, or when the last try began.
    closed_since: Option<Instant>,
}

impl Circuit {
    /// Asks for a pass and remembers a try that it grants. A try that never reports back (its process ended) only
    /// delays the next one.
    pub fn ask(&mut self, now: Instant) -> Pass {
        let Some(since) = self.closed_since else {
            return Pass::Go;
        };
        let waited = now.saturating_duration_since(since);
        if waited < PAUSE {
            return Pass::Wait(PAUSE - waited);
        }
        self.closed_since = Some(now);
        Pass::Probe
    }

    /// The service answered, even if the answer was a refusal.
    pub fn answered(&mut self) {
        *self = Self::default();
    }

    /// The service did not answer, or only with trouble of its own.
    pub fn failed(&mut self, now: Instant) {
        self.failures = self.failures.saturating_add(1);
        if self.failures >= FAILURES {
            self.closed_since = Some(now);
        }
    }

    /// True while requests are held back.
    pub fn is_closed(&self) -> bool {
        self.closed_since.is_some()
    }
}

/// All circuits of this process.
#[derive(Debug, Default)]
pub struct Breakers {
    circuits: Mutex<HashMap<(Uuid, &'static str), Circuit>>,
}

impl Breakers {
    /// Asks whether a request of this workspace to this service may go.
    pub fn ask(&self, workspace_id: Uuid, provider: &'static str, now: Instant) -> Pass {
        self.lock().get_mut(&(workspace_id, provider)).map_or(Pass::Go, |circuit| circuit.ask(now))
    }

    /// Reports how a request ended. Refusals count as answers: the service is up.
    pub fn report<T>(
        &self,
        workspace_id: Uuid,
        provider: &'static str,
        outcome: &Result<T, ProviderError>,
        now: Instant,
    ) {
        let mut circuits = self.lock();
        match outcome {
            Err(e) if e.is_outage() => circuits.entry((workspace_id, provider)).or_default().failed(now),
            // Healthy services need no entry, so the map stays small.
            _ => drop(circuits.remove(&(workspace_id, provider))),
        }
    }

    /// The services whose way is closed for this workspace now, in alphabetical order.
    pub fn closed(&self, workspace_id: Uuid) -> Vec<&'static str> {
        let circuits = self.lock();
        let mut closed: Vec<_> = circuits
            .iter()
            .filter(|((workspace, _), circuit)| *workspace == workspace_id && circuit.is_closed())
            .map(|((_, provider), _)| *provider)
            .collect();
        closed.sort_unstable();
        closed
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<(Uuid, &'static str), Circuit>> {
        // A panic elsewhere can't leave a circuit half changed.
        self.circuits.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

#[cfg(test)]
mod tests {
    use super::super::error::Kind;
    use super::*;

    fn outage() -> Result<(), ProviderError> {
        Err(ProviderError::new("ultravox", Kind::Unavailable, ""))
    }

    #[test]
    fn five_failures_close_and_one_try_reopens() {
        let (b, w, start) = (Breakers::default(), Uuid::from_u128(1), Instant::now());
        for _ in 0..5 {
            assert_eq!(b.ask(w, "ultravox", start), Pass::Go);
            b.report(w, "ultravox", &outage(), start);
        }
        assert_eq!(b.ask(w, "ultravox", start), Pass::Wait(PAUSE));
        assert_eq!(b.closed(w), ["ultravox"]);
        assert_eq!(b.ask(w, "telnyx", start), Pass::Go, "another service is not concerned");
        assert_eq!(b.ask(Uuid::from_u128(2), "ultravox", start), Pass::Go, "another workspace neither");

        let later = start + PAUSE;
        assert_eq!(b.ask(w, "ultravox", later), Pass::Probe);
        assert_eq!(b.ask(w, "ultravox", later), Pass::Wait(PAUSE), "only one tries");
        b.report(w, "ultravox", &outage(), later);
        assert_eq!(b.ask(w, "ultravox", later + PAUSE / 2), Pass::Wait(PAUSE / 2));

        assert_eq!(b.ask(w, "ultravox", later + PAUSE), Pass::Probe);
        b.report(w, "ultravox", &Ok(()), later + PAUSE);
        assert_eq!(b.ask(w, "ultravox", later + PAUSE), Pass::Go);
    }

    #[test]
    fn refusals_and_successes_reset_the_count() {
        let (b, w, now) = (Breakers::default(), Uuid::from_u128(1), Instant::now());
        let refusal: Result<(), _> = Err(ProviderError::new("ultravox", Kind::Rejected, ""));
        for _ in 0..4 {
            b.report(w, "ultravox", &outage(), now);
        }
        b.report(w, "ultravox", &refusal, now);
        for _ in 0..4 {
            b.report(w, "ultravox", &outage(), now);
        }
        assert_eq!(b.ask(w, "ultravox", now), Pass::Go);
    }
}
