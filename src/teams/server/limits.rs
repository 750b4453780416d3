//! What a run may use, and what it has used.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::store::runs::Run;
use crate::model::{Limit, TeamSettings};

/// A limit that a run has come to.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Reached {
    pub limit: Limit,
    pub used: String,
    pub allowed: String,
}

impl Reached {
    pub fn sentence(&self) -> String {
        match self.limit {
            Limit::Steps if self.allowed == "1" => "The run has used its one step.".to_owned(),
            Limit::Steps => format!("The run has used its {} steps.", self.allowed),
            Limit::Money => format!("The run has cost {}, and {} is the most.", self.used, self.allowed),
            Limit::Time => format!("The run has worked for {}, and {} is the most.", self.used, self.allowed),
        }
    }

    /// For the step that says so.
    pub fn payload(&self) -> Value {
        json!({"limit": self.limit, "used": self.used, "allowed": self.allowed})
    }
}

/// How long a run has worked, in milliseconds: people are not waited for on its clock.
pub(super) fn worked_ms(run: &Run, waited_ms: i64, now: DateTime<Utc>) -> i64 {
    let since = run.started.unwrap_or(now);
    (now - since).num_milliseconds().saturating_sub(waited_ms).max(0)
}

/// US dollars that the whole run may cost.
pub(super) fn most_cost(settings: &TeamSettings) -> Decimal {
    settings.most_cost.parse().unwrap_or_default()
}

/// The limit that a run has come to, if it has.
pub(super) fn reached(run: &Run, settings: &TeamSettings, worked_ms: i64) -> Option<Reached> {
    let of = |limit, used: String, allowed: String| Some(Reached { limit, used, allowed });
    let most_steps = i64::from(settings.most_steps);
    if i64::from(run.steps) >= most_steps {
        return of(Limit::Steps, run.steps.to_string(), most_steps.to_string());
    }
    let most = most_cost(settings);
    if run.cost >= most {
        let money = |amount: Decimal| format!("${}", amount.round_dp(4).normalize());
        return of(Limit::Money, money(run.cost), money(most));
    }
    late(settings, worked_ms)
}

/// Whether its time is up.
pub(super) fn late(settings: &TeamSettings, worked_ms: i64) -> Option<Reached> {
    let most_ms = i64::from(settings.most_seconds) * 1000;
    let reached = || Reached { limit: Limit::Time, used: seconds(worked_ms), allowed: seconds(most_ms) };
    (worked_ms >= most_ms).then(reached)
}

fn seconds(ms: i64) -> String {
    let all = ms / 1000;
    format!("{}:{:02} minutes", all / 60, all % 60)
}

#[cfg(test)]
mod tests {
    use patchbay_shared::ids::{SessionId, SupervisorRunId, TeamId};

    use super::*;
    use crate::model::SupervisorRunStatus;

    #[test]
    fn a_run_comes_to_its_limits_and_waits_on_nobodys_clock() {
        let now = Utc::now();
        let mut run = Run {
            id: SupervisorRunId::new(),
            team: TeamId::new(),
            version: 1,
            session: SessionId::new(),
            user: None,
            client: None,
            message: String::new(),
            engine: None,
            status: SupervisorRunStatus::Running,
            output: None,
            asked_back: false,
            is_told: false,
            failure: None,
            is_cancelled: false,
            cancelled_by: None,
            again_of: None,
            steps: 19,
            cost: Decimal::new(4999, 4),
            created: now,
            started: Some(now - chrono::TimeDelta::seconds(600)),
            completed: None,
        };
        let settings = TeamSettings::default();
        assert_eq!(worked_ms(&run, 301_000, now), 299_000);
        assert_eq!(reached(&run, &settings, 299_000), None);
        let late = reached(&run, &settings, 300_000).expect("late");
        assert_eq!(late.sentence(), "The run has worked for 5:00 minutes, and 5:00 minutes is the most.");
        run.cost = Decimal::new(5, 1);
        let dear = reached(&run, &settings, 0).expect("dear");
        assert_eq!(dear.sentence(), "The run has cost $0.5, and $0.5 is the most.");
        run.steps = 20;
        assert_eq!(reached(&run, &settings, 0).expect("long").sentence(), "The run has used its 20 steps.");
    }
}
