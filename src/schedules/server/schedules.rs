//! What people do with schedules: make and change them, switch them on and off, run them now, and remove them.

use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::jobs::KeepSchedule;
use super::starting::{self, NewStart};
use super::store::{self, Schedule};
use super::times::Times;
use crate::model::{ListQuery, MOST_SCHEDULES, ScheduleFields, ScheduleForm, SchedulePage, SchedulesPage, Switched};
use patchbay_access::Action;
use patchbay_access::server::{Change, Fields, ReadTx, Visitor, WriteTx, once};
use patchbay_jobs::live::Topic;
use patchbay_jobs::queue::withdraw;
use patchbay_jobs::{NewJob, enqueue};
use patchbay_runs::server::{self as runs, Source};
use patchbay_shared::ids::{AgentId, AgentScheduleId, RunId};
use patchbay_shared::{AppError, FieldErrors, Reason};

/// Rows on a page of the list.
const ROWS: usize = 50;
/// Times that a form shows.
const SHOWN: usize = 5;
/// What a new schedule begins with.
const USUAL: &str = "0 9 * * 1-5";
const TRIED: &str = "schedule";

/// An agent's schedules. Errors: `NotFound`.
pub(crate) async fn list(tx: &mut ReadTx, agent: AgentId, query: &ListQuery) -> Result<SchedulesPage, AppError> {
    let (found, rest) = starting::look(tx, agent).await?;
    let page = store::list(tx, agent, query, ROWS).await?;
    let may_edit = tx.scope().may(Action::ManageAgents) && found.head.is_active;
    Ok(SchedulesPage { agent: found.head, page, rest, may_edit })
}

/// A form whose times somebody wanted to see before saving it.
#[derive(Serialize, Deserialize)]
struct Tried {
    mark: String,
    form: ScheduleForm,
}

/// One schedule, or the form of a new one. `times`: what was typed there, with its times. Errors: `NotFound`.
pub(crate) async fn page(
    visitor: &Visitor,
    agent: AgentId,
    id: Option<AgentScheduleId>,
    times: Option<&str>,
) -> Result<SchedulePage, AppError> {
    let mut tx = visitor.scope()?.read(Action::ReadWorkshop).await?;
    let (found, rest) = starting::look(&mut tx, agent).await?;
    let own = id.map(|id| id.to_string()).unwrap_or_default();
    let (row, form) = match id {
        Some(id) => {
            let fields = store::fields(&mut tx, agent, id).await?;
            (Some(store::row(&mut tx, agent, id).await?), fields.form(agent.to_string(), own.clone()))
        }
        None => {
            let timezone = tx.scope().zone().name().to_owned();
            let usual = ScheduleFields { cron: USUAL.to_owned(), timezone, ..ScheduleFields::default() };
            (None, usual.form(agent.to_string(), String::new()))
        }
    };
    let now = tx.now().await?;
    let may_edit = tx.scope().may(Action::ManageAgents) && found.head.is_active;
    drop(tx);
    let tried = match times {
        Some(mark) => once::peek::<Tried>(visitor, TRIED).await?.filter(|tried| tried.mark == mark),
        None => None,
    };
    let tried = tried.filter(|tried| tried.form.agent == agent.to_string() && tried.form.id == own);
    let is_try = tried.is_some();
    let form = tried.map_or(form, |tried| tried.form);
    let times = Times::read(&form.cron, &form.timezone);
    let times = times.map(|times| times.following(now, SHOWN).into_iter().map(|at| times.text(at)).collect());
    Ok(SchedulePage {
        agent: found.head,
        form,
        row,
        times: times.unwrap_or_default(),
        is_try,
        rest,
        may_edit,
        run_key: RunId::new(),
    })
}

/// Makes or changes a schedule, or shows its times first. Gives where to go. Errors: `Invalid`, `NotFound`.
pub(crate) async fn save(visitor: &Visitor, form: &ScheduleForm) -> Result<String, AppError> {
    let agent: AgentId = form.agent.parse()?;
    let id = if form.id.is_empty() { None } else { Some(form.id.parse::<AgentScheduleId>()?) };
    let mut tx = visitor.scope()?.write(Action::ManageAgents).await?;
    let found = store::agent(tx.reading(), agent).await?;
    let before = match id {
        Some(id) => Some(held(&mut tx, agent, id).await?),
        None => None,
    };
    let (fields, mut errors) = form.read();
    let times = check(&fields, &mut errors);
    if form.show.is_some() {
        errors.0.retain(|(field, _)| ["cron", "timezone"].contains(&field.as_str()));
    }
    errors.check()?;
    let now = tx.reading().now().await?;
    let next = times.as_ref().and_then(|times| times.next(now));
    let next =
        next.ok_or_else(|| AppError::invalid("cron", "No such day ever comes. Look at the day and the month."))?;
    let place = id.map_or_else(|| "new".to_owned(), |id| id.to_string());
    if form.show.is_some() {
        drop(tx);
        let mark = RunId::new().to_string();
        let address = format!("/agents/{agent}/schedules/{place}?times={mark}");
        let form = ScheduleForm { cron: fields.cron, show: None, ..form.clone() };
        once::keep(visitor, TRIED, &Tried { mark, form }).await?;
        return Ok(address);
    }
    if !found.head.is_active {
        return Err(deactivated());
    }
    let id = match (id, before) {
        (Some(id), Some(before)) => {
            let is_same = (&fields.cron, &fields.timezone) == (&before.fields.cron, &before.fields.timezone);
            let next = if is_same { before.next } else { before.next.map(|_| next) };
            store::update(&mut tx, id, &fields, next).await?;
            wake(&mut tx, id, next).await?;
            let sides = Fields::Changed { before: told(agent, &before.fields), after: told(agent, &fields) };
            record_schedule(&mut tx, "changed", id, sides).await?;
            id
        }
        _ => {
            if store::count(tx.reading()).await? >= MOST_SCHEDULES {
                let why = format!("An agency has at most {MOST_SCHEDULES} schedules. Remove one first.");
                return Err(AppError::Conflict(Reason::LimitReached, why));
            }
            let id = AgentScheduleId::new();
            store::insert(&mut tx, id, agent, &fields, next).await?;
            wake(&mut tx, id, Some(next)).await?;
            record_schedule(&mut tx, "created", id, Fields::Created(told(agent, &fields))).await?;
            id
        }
    };
    notify(&mut tx, agent);
    tx.commit().await?;
    Ok(format!("/agents/{agent}/schedules/{id}"))
}

fn check(fields: &ScheduleFields, errors: &mut FieldErrors) -> Option<Times> {
    let Ok(zone) = fields.timezone.parse::<Tz>() else {
        errors.add("timezone", "Choose a time zone from the list.");
        // The line can be wrong at the same time.
        if let Err(why) = Times::check(&fields.cron, Tz::UTC) {
            errors.add("cron", why);
        }
        return None;
    };
    Times::check(&fields.cron, zone).map_err(|why| errors.add("cron", why)).ok()
}

/// Locks a schedule of this agent. Errors: `NotFound`.
async fn held(tx: &mut WriteTx, agent: AgentId, id: AgentScheduleId) -> Result<Schedule, AppError> {
    let schedule = store::lock(tx, id).await?;
    if schedule.agent == agent { Ok(schedule) } else { Err(AppError::NotFound) }
}

async fn wake(
    tx: &mut WriteTx,
    id: AgentScheduleId,
    next: Option<chrono::DateTime<chrono::Utc>>,
) -> Result<(), AppError> {
    let job = KeepSchedule { schedule: id };
    match next {
        Some(next) => enqueue(tx, &job, NewJob { run_at: Some(next) }).await,
        None => withdraw(tx, &job).await,
    }
}

/// Switches a schedule on or off. Times that passed meanwhile are not made up for. Errors: `NotFound`.
pub(crate) async fn switch(tx: &mut WriteTx, agent: AgentId, id: AgentScheduleId, on: bool) -> Result<(), AppError> {
    let schedule = held(tx, agent, id).await?;
    if schedule.enabled == on {
        return Ok(());
    }
    let next = match on {
        true => {
            if !store::agent(tx.reading(), agent).await?.head.is_active {
                return Err(deactivated());
            }
            let times = Times::read(&schedule.fields.cron, &schedule.fields.timezone);
            let now = tx.reading().now().await?;
            let next = times.and_then(|times| times.next(now));
            let why = "Its times cannot be read, or never come. Change the schedule first.";
            Some(next.ok_or_else(|| AppError::Conflict(Reason::WrongState, why.to_owned()))?)
        }
        false => None,
    };
    store::switch(tx, id, next).await?;
    wake(tx, id, next).await?;
    let side = |on: bool| json!({"name": schedule.fields.name, "state": Switched::of(on)});
    let sides = Fields::Changed { before: side(!on), after: side(on) };
    record_schedule(tx, if on { "switched on" } else { "switched off" }, id, sides).await?;
    notify(tx, agent);
    Ok(())
}

/// Runs a schedule's agent at once, beside its times. The same `key` again is the same run. Errors: `NotFound`, `Conflict` with the reason
/// why nothing runs.
pub(crate) async fn run_now(
    tx: &mut WriteTx,
    agent: AgentId,
    id: AgentScheduleId,
    key: Option<RunId>,
) -> Result<RunId, AppError> {
    let schedule = held(tx, agent, id).await?;
    let run = key.unwrap_or_else(RunId::new);
    // The schedule is held, so two presses come one after the other.
    match runs::progress(tx.reading(), run).await {
        Err(AppError::NotFound) => {}
        other => return other.map(|_| run),
    }
    let (found, reason) = starting::look(tx.reading(), agent).await?;
    if let Some(why) = reason {
        return Err(AppError::Conflict(Reason::WrongState, why));
    }
    let new = NewStart {
        run,
        source: Source::Schedule(id),
        title: &format!("{}, run by hand", schedule.fields.name),
        input: &schedule.fields.input,
        variables: &schedule.fields.variables,
        started_by: tx.user_id(),
    };
    starting::begin(tx, &found, &new).await?;
    let facts = json!({"name": schedule.fields.name, "run": run});
    record_schedule(tx, "run by hand", id, Fields::Happened(facts)).await?;
    notify(tx, agent);
    Ok(run)
}

/// Removes a schedule; its runs stay. Errors: `NotFound`.
pub(crate) async fn remove(tx: &mut WriteTx, agent: AgentId, id: AgentScheduleId) -> Result<(), AppError> {
    let schedule = held(tx, agent, id).await?;
    store::remove(tx, id).await?;
    wake(tx, id, None).await?;
    record_schedule(tx, "removed", id, Fields::Deleted(told(agent, &schedule.fields))).await?;
    notify(tx, agent);
    Ok(())
}

pub(super) fn deactivated() -> AppError {
    AppError::Conflict(Reason::WrongState, "The agent is deactivated. Restore it first.".to_owned())
}

/// What the audit log has of a schedule.
fn told(agent: AgentId, fields: &ScheduleFields) -> Value {
    json!({
        "agent": agent, "name": fields.name, "cron": fields.cron, "timezone": fields.timezone, "input": fields.input,
        "variables": fields.variables,
    })
}

pub(super) async fn record_schedule(
    tx: &mut WriteTx,
    action: &str,
    id: AgentScheduleId,
    fields: Fields,
) -> Result<(), AppError> {
    tx.audit(Change { action, entity: "agent_schedule", entity_id: Some(id.0), client_id: None, fields }).await
}

pub(super) fn notify(tx: &mut WriteTx, agent: AgentId) {
    tx.notify(Topic::one("schedules", agent), None);
}
