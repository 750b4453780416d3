//! A run, one step on. What is done next follows from the database alone: the jobs that the run has made, and what came of them. A decision
//! and the job that it makes are one transaction, so whoever is killed in between leaves nothing half done; at worst the model is asked
//! the same once more.

use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::jobs::EndLateRun;
use super::limits::{self, Reached};
use super::runs::{self, cancelled, end};
use super::store::runs as store;
use super::store::runs::{End, JobOfRun, Run};
use super::store::teams;
use super::supervisor::{Decision, Situation, Worker, once_more, storable};
use super::work;
use crate::model::{Classification, TeamMode, TeamSettings, TeamSnapshot};
use patchbay_access::Action;
use patchbay_access::server::{Scope, WriteTx};
use patchbay_execution::model::{JobStatus, StepKind};
use patchbay_execution::server::jobs as execution;
use patchbay_execution::server::steps::{self, NewStepRow};
use patchbay_jobs::NewJob;
use patchbay_metering::server::budget::{self, Headroom};
use patchbay_metering::server::usage::{self, NewUsage};
use patchbay_models::model::Purpose;
use patchbay_models::server::{self as models, Chosen};
use patchbay_providers::chat::{ChatAnswer, ChatRequest};
use patchbay_shared::AppError;
use patchbay_shared::ids::SupervisorRunId;

/// Earlier messages of a session that are told.
const MOST_BEFORE: i64 = 20;
/// Jobs of one run: a supervisor that goes round in circles stops there, whatever its team may spend.
const MOST_JOBS: usize = 30;
/// Jobs of one run that fail one after the other.
const MOST_FAILED: usize = 2;
/// The longest that one answer is waited for.
const LONGEST: Duration = Duration::from_secs(120);

/// All that a step is made from, read in one transaction.
struct Before {
    run: Run,
    version: TeamSnapshot,
    workers: Vec<Worker>,
    jobs: Vec<JobOfRun>,
    said: Vec<(String, Option<String>)>,
    /// When the run's time is up.
    until: Instant,
}

impl Before {
    fn situation(&self) -> Situation<'_> {
        Situation {
            team: &self.version,
            workers: &self.workers,
            before: &self.said,
            message: &self.run.message,
            jobs: &self.jobs,
        }
    }

    fn settings(&self) -> &TeamSettings {
        &self.version.settings
    }
}

/// One answer of a model, and what it took.
struct Asked {
    chosen: Chosen,
    answer: ChatAnswer,
    began: DateTime<Utc>,
    took: Duration,
}

/// Takes a run one step on: it ends, or somebody has work for it, or it waits for somebody's work. Safe to repeat, and to do twice at once.
pub(super) async fn advance(scope: &Scope, id: SupervisorRunId) -> Result<(), AppError> {
    let mut tx = scope.read(Action::RunTeams).await?;
    let client = store::get(&mut tx, id).await?.client;
    let month = match client {
        Some(client) => Some((client, budget::headroom(&mut tx, client).await?)),
        None => None,
    };
    drop(tx);
    if let Some((client, Headroom::Unknown)) = month {
        budget::add_up(scope, client).await?;
    }
    let Some(before) = begin(scope, id).await? else { return Ok(()) };
    match before.version.mode {
        TeamMode::Supervisor => supervise(scope, &before).await,
        TeamMode::Coordinate if before.jobs.len() < before.workers.len() => next_in_turn(scope, &before).await,
        TeamMode::Coordinate => compose(scope, &before).await,
    }
}

/// Looks whether there is anything to do, and ends a run that may not go on. None: there is nothing.
async fn begin(scope: &Scope, id: SupervisorRunId) -> Result<Option<Before>, AppError> {
    let mut tx = scope.write(Action::RunTeams).await?;
    let run = store::lock(&mut tx, id).await?;
    if run.is_over() {
        return Ok(None);
    }
    let jobs = store::jobs(tx.reading(), id).await?;
    let open: Vec<&JobOfRun> = jobs.iter().filter(|job| job.is_open()).collect();
    if !open.is_empty() {
        if run.is_cancelled {
            for job in open {
                execution::cancel(&mut tx, job.id).await?;
            }
            tx.commit().await?;
        }
        return Ok(None);
    }
    store::begin(&mut tx, id).await?;
    let version = teams::version(tx.reading(), run.team, run.version).await?;
    if run.started.is_none() {
        let late = tx.reading().now().await? + TimeDelta::seconds(i64::from(version.settings.most_seconds));
        patchbay_jobs::enqueue(&mut tx, &EndLateRun { run: id }, NewJob { run_at: Some(late) }).await?;
    }
    let run = store::get(tx.reading(), id).await?;
    let team = teams::get(tx.reading(), run.team).await?;
    let (workers, rest) = runs::look(tx.reading(), &team, version.mode, &version.members).await?;
    let (now, waited) = (tx.reading().now().await?, store::waited(tx.reading(), id).await?);
    let worked = limits::worked_ms(&run, waited, now);
    let reached = limits::reached(&run, &version.settings, worked);
    // What was done until then is not lost.
    let last = JobOfRun::last(&jobs);
    let is_archived = match run.client {
        Some(client) => teams::is_client_active(tx.reading(), client).await? != Some(true),
        None => false,
    };
    let failed = jobs.iter().rev().take_while(|job| job.status != JobStatus::Completed).count();
    let failure = if run.is_cancelled {
        Some(cancelled(&run))
    } else if let Some(reached) = &reached {
        note_limit(&mut tx, &run, reached).await?;
        Some(reached.sentence())
    } else if let Some(why) = rest {
        Some(why)
    } else if is_archived {
        Some("The client is archived: nothing runs until it is restored.".to_owned())
    } else if failed >= MOST_FAILED || (failed > 0 && version.mode == TeamMode::Coordinate) {
        let job = jobs.last();
        let name = job.map_or("A member", |job| job.agent_name.as_str());
        let why = job.and_then(|job| job.failure.as_deref()).unwrap_or("It is not known why.");
        Some(format!("{name} could not do its work. {why}"))
    } else if jobs.len() >= MOST_JOBS {
        Some(format!("The supervisor has given out work {MOST_JOBS} times without coming to an end."))
    } else if let Some(client) = run.client
        && matches!(budget::headroom(tx.reading(), client).await?, Headroom::Spent)
    {
        Some("The client’s budget of this month is spent, so nothing runs.".to_owned())
    } else {
        None
    };
    if let Some(failure) = failure {
        let limit = reached.filter(|_| !run.is_cancelled).map(|reached| reached.limit);
        let it = End { output: last, asked_back: false, failure: Some(&failure), limit };
        end(&mut tx, &run, &it).await?;
        tx.commit().await?;
        return Ok(None);
    }
    let said = store::before(tx.reading(), &run, MOST_BEFORE).await?;
    let left = i64::from(version.settings.most_seconds) * 1000 - worked;
    let until = Instant::now() + Duration::from_millis(u64::try_from(left).unwrap_or(0).max(1));
    runs::notify(&mut tx, run.team, id);
    tx.commit().await?;
    Ok(Some(Before { run, version, workers, jobs, said, until }))
}

/// Has the supervisor say what is next, and does it.
async fn supervise(scope: &Scope, before: &Before) -> Result<(), AppError> {
    let situation = before.situation();
    let read = |answer: &ChatAnswer| situation.read(answer);
    let Some((asked, decision)) = answered(scope, before, situation.request(), read).await? else { return Ok(()) };
    let Some((mut tx, cost)) = resume(scope, before, &asked).await? else { return Ok(()) };
    let run = &before.run;
    let (kind, title, said) = match &decision {
        Decision::Work(said) => (StepKind::Classified, format!("Chose {}", said.worker_name), said),
        Decision::AskBack(said) => (StepKind::AskedBack, "Asked back".to_owned(), said),
        Decision::Done(said) => (StepKind::Composed, "Composed the answer".to_owned(), said),
    };
    let payload = match &decision {
        Decision::Done(said) => json!({"text": said.says, "reason": said.reason}),
        _ => json!(said),
    };
    keep(&mut tx, before, &asked, cost, (kind, &title, payload, None)).await?;
    match &decision {
        Decision::Work(said) => {
            let worker = before.workers.iter().find(|worker| Some(worker.agent) == said.worker);
            let worker = worker.ok_or(AppError::NotFound)?;
            give(&mut tx, before, worker, said).await?;
        }
        Decision::AskBack(said) => {
            store::classify(&mut tx, run.id, said, None).await?;
            let it = End { output: Some(&said.says), asked_back: true, ..End::default() };
            end(&mut tx, run, &it).await?;
        }
        Decision::Done(said) => {
            if before.jobs.is_empty() {
                store::classify(&mut tx, run.id, said, None).await?;
            }
            end(&mut tx, run, &End { output: Some(&said.says), ..End::default() }).await?;
        }
    }
    tx.commit().await
}

/// The next member in their order gets the common task.
async fn next_in_turn(scope: &Scope, before: &Before) -> Result<(), AppError> {
    let Some(worker) = before.workers.get(before.jobs.len()) else { return Ok(()) };
    let Some(mut tx) = same(scope, before).await? else { return Ok(()) };
    let others = before.workers.iter().map(|one| (one.agent, one.name.clone(), 1.0)).collect();
    let said = Classification {
        worker: Some(worker.agent),
        worker_name: worker.name.clone(),
        task: before.run.message.clone(),
        confidence: 1.0,
        reason: format!(
            "The members work in turn; this is number {} of {}.",
            before.jobs.len() + 1,
            before.workers.len()
        ),
        others,
        says: String::new(),
    };
    give(&mut tx, before, worker, &said).await?;
    tx.commit().await
}

/// The last answer, from what all members have answered.
async fn compose(scope: &Scope, before: &Before) -> Result<(), AppError> {
    let situation = before.situation();
    let read = |answer: &ChatAnswer| situation.composed(answer);
    let Some((asked, text)) = answered(scope, before, situation.composing(), read).await? else { return Ok(()) };
    let Some((mut tx, cost)) = resume(scope, before, &asked).await? else { return Ok(()) };
    let step = (StepKind::Composed, "Composed the answer", json!({"text": text}), None);
    keep(&mut tx, before, &asked, cost, step).await?;
    end(&mut tx, &before.run, &End { output: Some(&text), ..End::default() }).await?;
    tx.commit().await
}

/// Gives a member work, in the transaction that keeps the decision.
async fn give(tx: &mut WriteTx, before: &Before, worker: &Worker, said: &Classification) -> Result<(), AppError> {
    let (run, settings) = (&before.run, before.settings());
    let (prompt, output) = (before.situation().prompt(&said.task), JobOfRun::last(&before.jobs));
    let wanted = work::Wanted { run, settings, worker, said, prompt };
    match work::job(tx, &wanted).await? {
        Ok((job, engine)) => {
            store::classify(tx, run.id, said, Some(&engine)).await?;
            match execution::add(tx, job).await {
                Ok(_) => runs::notify(tx, run.team, run.id),
                Err(error @ (AppError::Internal(_) | AppError::Transport(_))) => return Err(error),
                // A target that was switched off meanwhile, a client that was archived.
                Err(other) => {
                    end(tx, run, &End { output, failure: Some(&other.to_string()), ..End::default() }).await?
                }
            }
        }
        Err(why) => {
            store::classify(tx, run.id, said, None).await?;
            end(tx, run, &End { output, failure: Some(&why), ..End::default() }).await?;
        }
    }
    Ok(())
}

/// Asks a model for an answer of a form; one that is not of the form is asked for once more. None: the run has ended over it.
async fn answered<T>(
    scope: &Scope,
    before: &Before,
    request: ChatRequest,
    read: impl Fn(&ChatAnswer) -> Result<T, String>,
) -> Result<Option<(Asked, T)>, AppError> {
    let first = match ask(scope, before, request.clone()).await? {
        Ok(asked) => asked,
        Err(why) => return fail(scope, before, &why).await,
    };
    let why = match read(&first.answer) {
        Ok(found) => return Ok(Some((first, found))),
        Err(why) => why,
    };
    if !wrong(scope, before, &first, &why).await? {
        return Ok(None);
    }
    let second = match ask(scope, before, once_more(&request, &first.answer, &why)).await? {
        Ok(asked) => asked,
        Err(why) => return fail(scope, before, &why).await,
    };
    match read(&second.answer) {
        Ok(found) => Ok(Some((second, found))),
        Err(why) => {
            if wrong(scope, before, &second, &why).await? {
                let why = format!("The supervisor’s model did not answer in the form that was asked for, twice. {why}");
                return fail(scope, before, &why).await;
            }
            Ok(None)
        }
    }
}

/// One answer. No transaction is open meanwhile. `Err` inside: why there is none, for people.
async fn ask(scope: &Scope, before: &Before, mut request: ChatRequest) -> Result<Result<Asked, String>, AppError> {
    let settings = before.settings();
    let chosen = match (settings.account, &settings.model) {
        (Some(account), Some(model)) => models::of(scope, account, model).await,
        _ => models::chosen(scope, Purpose::Agent, None).await,
    };
    let chosen = match chosen {
        Ok(chosen) => chosen,
        Err(error @ (AppError::Internal(_) | AppError::Transport(_))) => return Err(error),
        Err(AppError::NotFound) => {
            return Ok(Err(
                "The account of the supervisor’s model is not there any more. Choose another one.".to_owned()
            ));
        }
        Err(other) => return Ok(Err(other.to_string())),
    };
    request.model = chosen.model.clone();
    let (began, since) = (Utc::now(), Instant::now());
    let longest = before.until.saturating_duration_since(since).min(LONGEST);
    match tokio::time::timeout(longest, chosen.provider.complete(&request)).await {
        Ok(Ok(answer)) => Ok(Ok(Asked { chosen, answer, began, took: since.elapsed() })),
        Ok(Err(error)) => Ok(Err(error.sentence())),
        Err(_) => {
            Ok(Err(format!("The supervisor’s model did not answer within {} seconds.", longest.as_secs().max(1))))
        }
    }
}

/// Opens the run again, if it still stands where it stood. None: somebody else went on with it, or stopped it.
async fn same(scope: &Scope, before: &Before) -> Result<Option<WriteTx>, AppError> {
    let mut tx = scope.write(Action::RunTeams).await?;
    let run = store::lock(&mut tx, before.run.id).await?;
    let jobs = store::jobs(tx.reading(), run.id).await?;
    // A job of it may have been queued again meanwhile.
    let is_idle = jobs.len() == before.jobs.len() && jobs.iter().all(|job| !job.is_open());
    let is_same = !run.is_over() && !run.is_cancelled && is_idle;
    Ok(is_same.then_some(tx))
}

/// The same after an answer, whose cost is kept in any case.
async fn resume(scope: &Scope, before: &Before, asked: &Asked) -> Result<Option<(WriteTx, Option<Decimal>)>, AppError> {
    if let Some(mut tx) = same(scope, before).await? {
        let cost = pay(&mut tx, before, asked).await?;
        return Ok(Some((tx, cost)));
    }
    let mut tx = scope.write(Action::RunTeams).await?;
    let cost = pay(&mut tx, before, asked).await?;
    let payload = json!({"model": asked.answer.model, "text": storable(&asked.answer.text), "calls": []});
    keep(&mut tx, before, asked, cost, (StepKind::Model, "An answer that came too late", payload, None)).await?;
    tx.commit().await?;
    Ok(None)
}

/// Writes down an answer that is not of the form. False: the run does not go on.
async fn wrong(scope: &Scope, before: &Before, asked: &Asked, why: &str) -> Result<bool, AppError> {
    let Some((mut tx, cost)) = resume(scope, before, asked).await? else { return Ok(false) };
    let id = before.run.id;
    let payload = json!({"model": asked.answer.model, "text": storable(&asked.answer.text), "calls": []});
    keep(&mut tx, before, asked, cost, (StepKind::Model, "Not the form that was asked for", payload, Some(why)))
        .await?;
    let run = store::get(tx.reading(), id).await?;
    let (now, waited) = (tx.reading().now().await?, store::waited(tx.reading(), id).await?);
    let reached = limits::reached(&run, before.settings(), limits::worked_ms(&run, waited, now));
    if let Some(reached) = &reached {
        note_limit(&mut tx, &run, reached).await?;
        let (said, output) = (reached.sentence(), JobOfRun::last(&before.jobs));
        let it = End { output, failure: Some(&said), limit: Some(reached.limit), ..End::default() };
        end(&mut tx, &run, &it).await?;
    }
    tx.commit().await?;
    Ok(reached.is_none())
}

async fn fail<T>(scope: &Scope, before: &Before, why: &str) -> Result<Option<T>, AppError> {
    if let Some(mut tx) = same(scope, before).await? {
        let output = JobOfRun::last(&before.jobs);
        end(&mut tx, &before.run, &End { output, failure: Some(&storable(why)), ..End::default() }).await?;
        tx.commit().await?;
    }
    Ok(None)
}

/// Writes down what an answer cost.
async fn pay(tx: &mut WriteTx, before: &Before, asked: &Asked) -> Result<Option<Decimal>, AppError> {
    let now = tx.reading().now().await?;
    let (chosen, mut spent) = (&asked.chosen, asked.answer.usage.clone());
    spent.cost = models::priced(tx.reading(), chosen.connection, &chosen.model, now, &spent).await?;
    let cost = spent.cost;
    let new = NewUsage {
        agent_id: None,
        client_id: before.run.client,
        call_id: None,
        session_id: Some(before.run.session.to_string()),
        user_id: before.run.user,
        purpose: "supervisor",
        model: asked.answer.model.clone(),
        usage: spent,
    };
    usage::record(tx, new).await?;
    Ok(cost)
}

/// Writes an answer down as a step: its kind and title, what there is to see, and what was wrong.
async fn keep(
    tx: &mut WriteTx,
    before: &Before,
    asked: &Asked,
    cost: Option<Decimal>,
    (kind, title, payload, error): (StepKind, &str, Value, Option<&str>),
) -> Result<(), AppError> {
    let spent = &asked.answer.usage;
    let step = NewStepRow {
        run: Some(before.run.id),
        job: None,
        agent: None,
        kind,
        title,
        payload,
        began: asked.began,
        took: asked.took,
        tokens: Some((spent.prompt_tokens, spent.completion_tokens)),
        cost,
        error,
    };
    steps::record(tx, &step).await
}

/// Writes down that a run has come to a limit.
pub(super) async fn note_limit(tx: &mut WriteTx, run: &Run, reached: &Reached) -> Result<(), AppError> {
    let said = reached.sentence();
    let step = NewStepRow {
        run: Some(run.id),
        job: None,
        agent: None,
        kind: StepKind::Limit,
        title: "Limit reached",
        payload: reached.payload(),
        began: Utc::now(),
        took: Duration::ZERO,
        tokens: None,
        cost: None,
        error: Some(&said),
    };
    steps::record(tx, &step).await
}
