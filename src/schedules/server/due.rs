//! A schedule's time has come. Its run and its next time are written in one transaction, with the schedule held: so however often the job
//! is done, each time is dealt with once.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;

use super::jobs::KeepSchedule;
use super::schedules::{notify, record_schedule};
use super::starting::{self, NewStart};
use super::store::{self, Dealt};
use super::times::{MOST, Times};
use super::work;
use crate::model::{LATE_MINUTES, TimeResult};
use patchbay_access::Action;
use patchbay_access::server::{Fields, Scope};
use patchbay_jobs::NewJob;
use patchbay_jobs::queue::enqueue_all;
use patchbay_jobs::runner::Verdict;
use patchbay_runs::server::Source;
use patchbay_shared::AppError;
use patchbay_shared::ids::{AgentScheduleId, RunId};

const GONE: &str = "The line or its zone cannot be read any more. Save the schedule again.";

/// Deals with a schedule's time if it has come, and waits for the next one. Errors: `NotFound` when it was removed.
pub(super) async fn keep(scope: &Scope, id: AgentScheduleId) -> Result<Verdict, AppError> {
    let mut tx = scope.write(Action::ManageAgents).await?;
    let schedule = store::lock(&mut tx, id).await?;
    let Some(due) = schedule.next.filter(|_| schedule.enabled) else { return Ok(Verdict::Done) };
    let now = tx.reading().now().await?;
    if due > now {
        return Ok(Verdict::Later(wait(due, now)));
    }
    let (name, times) = (&schedule.fields.name, Times::read(&schedule.fields.cron, &schedule.fields.timezone));
    let Some(times) = times else {
        let dealt = Dealt { at: due, result: TimeResult::Skipped, note: Some(GONE), run: None, next: None };
        store::advance(&mut tx, id, &dealt).await?;
        notify(&mut tx, schedule.agent);
        tx.commit().await?;
        return Ok(Verdict::Done);
    };
    let next = times.next(now);
    // Of all times that passed while no worker was there, the last one runs if it passed lately, and the others are missed.
    let lately = now - TimeDelta::minutes(LATE_MINUTES);
    let latest = times.last(due.max(lately), now).unwrap_or(due);
    let recent = Some(latest).filter(|at| *at >= lately);
    let counted = times.count(due, now);
    let (missed, or_more) = (1 + counted - usize::from(recent.is_some()), counted >= MOST);
    if missed > 0 {
        let mut facts = json!({"name": name, "first": due, "times": missed});
        if or_more {
            facts["or_more"] = true.into();
        }
        record_schedule(&mut tx, "missed", id, Fields::Happened(facts)).await?;
    }
    let (agent, reason) = starting::look(tx.reading(), schedule.agent).await?;
    // Nobody can have a deleted agent back, so nothing is waited for.
    let next = next.filter(|_| !agent.is_deleted);
    let because = missed_note(missed, or_more);
    let mut dealt = Dealt { at: due, result: TimeResult::Missed, note: because.as_deref(), run: None, next };
    match (recent, &reason) {
        (None, _) => {}
        (Some(at), Some(why)) => dealt = Dealt { at, result: TimeResult::Skipped, note: Some(why), ..dealt },
        (Some(at), None) => {
            let run = RunId::new();
            let new = NewStart {
                run,
                source: Source::Schedule(id),
                title: &format!("{name}, {}", times.text(at)),
                input: &schedule.fields.input,
                variables: &schedule.fields.variables,
                started_by: None,
            };
            starting::begin(&mut tx, &agent, &new).await?;
            dealt = Dealt { at, result: TimeResult::Started, run: Some(run), ..dealt };
        }
    }
    store::advance(&mut tx, id, &dealt).await?;
    notify(&mut tx, schedule.agent);
    tx.commit().await?;
    Ok(next.map_or(Verdict::Done, |next| Verdict::Later(wait(next, now))))
}

fn missed_note(missed: usize, or_more: bool) -> Option<String> {
    match missed {
        _ if or_more => {
            Some("A thousand times or more passed while Patchbay was not running, and were missed.".to_owned())
        }
        0 => None,
        1 => Some("One time passed while Patchbay was not running, and was missed.".to_owned()),
        many => Some(format!("{many} times passed while Patchbay was not running, and were missed.")),
    }
}

fn wait(until: DateTime<Utc>, now: DateTime<Utc>) -> Duration {
    (until - now).to_std().unwrap_or_default()
}

/// Has every schedule kept whose time has come: also those whose job was lost. Ends runs whose job was lost.
pub async fn sweep(scope: &Scope) -> Result<(), AppError> {
    let mut tx = scope.write(Action::ManageAgents).await?;
    let due = store::due(tx.reading()).await?;
    let jobs: Vec<KeepSchedule> = due.iter().map(|(schedule, _)| KeepSchedule { schedule: *schedule }).collect();
    let when = due.iter().map(|(_, at)| NewJob { run_at: Some(*at) });
    enqueue_all(&mut tx, jobs.iter().zip(when)).await?;
    tx.commit().await?;
    work::end_lost(scope).await
}
