//! Questions that are kept with what is expected: making them, asking them, and looking whether it came so.

use serde_json::{Value, json};

use super::runs::{self, NewRun};
use super::store::{cases as store, runs as stored, teams};
use crate::model::{CaseFields, LONGEST_MESSAGE};
use patchbay_access::server::{Change, Fields, WriteTx};
use patchbay_jobs::live::Topic;
use patchbay_shared::ids::{SupervisorRunId, TeamCaseId, TeamId};
use patchbay_shared::{AppError, FieldErrors, Reason};

/// Cases of a team, and messages of a case.
const MOST_CASES: i64 = 100;
const MOST_MESSAGES: usize = 10;

/// Makes or changes a case. Errors: `Invalid`; `NotFound`; `Conflict` when there are too many.
pub async fn save(tx: &mut WriteTx, fields: &CaseFields) -> Result<TeamCaseId, AppError> {
    let team = teams::lock(tx, fields.team).await?;
    let before = match fields.id {
        Some(id) => {
            let before = store::lock(tx, id).await?;
            if before.team != fields.team {
                return Err(AppError::NotFound);
            }
            Some(before)
        }
        None => None,
    };
    check(tx, fields).await?;
    if before.is_none() && store::count(tx.reading(), fields.team).await? >= MOST_CASES {
        let why = format!("A team has at most {MOST_CASES} cases. Remove one first.");
        return Err(AppError::Conflict(Reason::LimitReached, why));
    }
    let id = fields.id.unwrap_or_else(TeamCaseId::new);
    store::put(tx, id, fields).await?;
    let now = facts(&team.fields.name, fields);
    match before {
        None => record(tx, "created", id, Fields::Created(now)).await?,
        Some(before) => {
            let before = facts(&team.fields.name, &before);
            if before != now {
                record(tx, "changed", id, Fields::Changed { before, after: now }).await?;
            }
        }
    }
    notify(tx, fields.team);
    Ok(id)
}

async fn check(tx: &mut WriteTx, fields: &CaseFields) -> Result<(), AppError> {
    let mut errors = FieldErrors::default();
    if fields.name.trim().is_empty() || fields.name.chars().count() > 120 {
        errors.add("name", "Give the case a name of at most 120 characters.");
    }
    let too_long = |text: &String| text.trim().is_empty() || text.chars().count() > LONGEST_MESSAGE;
    if fields.messages.is_empty() || fields.messages.len() > MOST_MESSAGES || fields.messages.iter().any(too_long) {
        let why = format!("Write 1 to {MOST_MESSAGES} messages, each of at most {LONGEST_MESSAGE} characters.");
        errors.add("messages", why);
    }
    if fields.expects.output_contains.as_ref().is_some_and(|text| text.chars().count() > 500) {
        errors.add("output_contains", "Keep it below 500 characters.");
    }
    if let Some(worker) = fields.expects.worker
        && !teams::members(tx.reading(), fields.team).await?.iter().any(|member| member.agent == worker)
    {
        errors.add("worker", "Choose a member of the team.");
    }
    if let Some(run) = fields.from_run
        && stored::get(tx.reading(), run).await?.team != fields.team
    {
        return Err(AppError::NotFound);
    }
    errors.check()
}

/// Asks a case's messages one after the other. Gives the first run. While one goes on, that one is given. Errors: as asking a team.
pub async fn run(tx: &mut WriteTx, id: TeamCaseId) -> Result<SupervisorRunId, AppError> {
    // The team before its cases, as everywhere.
    let team = store::get(tx.reading(), id).await?.team;
    teams::lock(tx, team).await?;
    let case = store::lock(tx, id).await?;
    if let Some(open) = store::open_run(tx.reading(), id).await? {
        return Ok(open);
    }
    let first = case.messages.first().cloned().unwrap_or_default();
    let run = runs::ask(tx, NewRun::of(case.team, first)).await?;
    store::set_run(tx, id, run).await?;
    notify(tx, case.team);
    Ok(run)
}

/// Removes a case; the runs that it made stay. Nothing to do for one that is gone.
pub async fn remove(tx: &mut WriteTx, id: TeamCaseId) -> Result<(), AppError> {
    let case = match store::lock(tx, id).await {
        Err(AppError::NotFound) if store::is_known(tx.reading(), id).await? => return Ok(()),
        other => other?,
    };
    store::remove(tx, id).await?;
    let name = teams::get(tx.reading(), case.team).await?.fields.name;
    record(tx, "removed", id, Fields::Deleted(facts(&name, &case))).await?;
    notify(tx, case.team);
    Ok(())
}

/// A run has ended: cases that wait for it ask their next message, or are looked at.
pub(super) async fn ended(tx: &mut WriteTx, id: SupervisorRunId) -> Result<(), AppError> {
    if store::waiting_for(tx.reading(), id).await?.is_empty() {
        return Ok(());
    }
    // The team before its cases, as everywhere.
    let run = stored::get(tx.reading(), id).await?;
    teams::lock(tx, run.team).await?;
    for case in store::waiting_for(tx.reading(), id).await? {
        let fields = store::lock(tx, case).await?;
        let place = usize::try_from(store::place(tx.reading(), id).await?).unwrap_or(0);
        let next = fields.messages.get(place).filter(|_| run.failure.is_none());
        let verdict = match next {
            Some(message) => {
                let new = NewRun { session: Some(run.session), ..NewRun::of(fields.team, message.clone()) };
                match runs::ask(tx, new).await {
                    Ok(next) => {
                        store::set_run(tx, case, next).await?;
                        None
                    }
                    Err(error @ (AppError::Internal(_) | AppError::Transport(_))) => return Err(error),
                    Err(other) => Some((false, other.to_string())),
                }
            }
            None => Some(verdict(tx, &fields, &run).await?),
        };
        if let Some((passed, note)) = verdict {
            let note: String = note.chars().take(500).collect();
            store::checked(tx, case, passed, &note).await?;
        }
        notify(tx, fields.team);
    }
    Ok(())
}

/// Whether all that is expected has come, and what has not.
async fn verdict(tx: &mut WriteTx, case: &CaseFields, run: &stored::Run) -> Result<(bool, String), AppError> {
    if let Some(failure) = &run.failure {
        return Ok((false, format!("The run failed. {failure}")));
    }
    let (workers, asked) = store::came(tx.reading(), run.id).await?;
    let mut wrong = Vec::new();
    if let Some(worker) = case.expects.worker
        && !workers.contains(&worker.0)
    {
        let known = teams::agents(tx.reading(), &[worker]).await?;
        let name = known.first().map_or("The worker", |agent| agent.name.as_str());
        wrong.push(format!("{name} got no work."));
    }
    if case.expects.asks_approval && !asked {
        wrong.push("Nobody was asked for an approval.".to_owned());
    }
    if let Some(text) = &case.expects.output_contains {
        let output = run.output.as_deref().unwrap_or_default().to_lowercase();
        if !output.contains(&text.to_lowercase()) {
            wrong.push(format!("The answer does not hold “{text}”."));
        }
    }
    Ok((wrong.is_empty(), wrong.join(" ")))
}

fn facts(team: &str, fields: &CaseFields) -> Value {
    json!({"team": team, "name": fields.name, "messages": fields.messages, "expects": fields.expects})
}

async fn record(tx: &mut WriteTx, action: &str, id: TeamCaseId, fields: Fields) -> Result<(), AppError> {
    tx.audit(Change { action, entity: "team_case", entity_id: Some(id.0), client_id: None, fields }).await
}

fn notify(tx: &mut WriteTx, team: TeamId) {
    tx.notify(Topic::one("team", team), None);
}
