//! Asking a team, and what people do with what goes on then: stop it, and have it done again.

use serde_json::json;
use uuid::Uuid;

use super::jobs::{AdvanceRun, EndLateRun};
use super::store::runs as store;
use super::store::runs::{End, NewRow, Run};
use super::store::teams::{self, AgentFacts, Team};
use super::supervisor::Worker;
use crate::model::{LONGEST_MESSAGE, MemberSnapshot, RunSource, SupervisorRunStatus, TeamMode};
use chrono::Utc;
use patchbay_access::server::{Change, Fields, ReadTx, WriteTx};
use patchbay_execution::model::StepKind;
use patchbay_execution::server::jobs as execution;
use patchbay_execution::server::steps::{self, NewStepRow};
use patchbay_jobs::live::Topic;
use patchbay_jobs::queue::withdraw;
use patchbay_jobs::{NewJob, enqueue};
use patchbay_shared::ids::{AgentId, CallId, ClientId, EngineId, SessionId, SupervisorRunId, TeamId};
use patchbay_shared::{AppError, Reason};
use patchbay_workspaces::server as workspaces;

/// Runs of one team that go on at once.
const MOST_AT_ONCE: i64 = 20;

/// A message to a team.
#[derive(Debug, Clone)]
pub struct NewRun {
    pub team: TeamId,
    /// None: a conversation of its own.
    pub session: Option<SessionId>,
    pub message: String,
    pub source: RunSource,
    /// The same key again is the same run.
    pub key: Option<Uuid>,
    pub call: Option<CallId>,
    /// For whom it works, where the team works for nobody in particular.
    pub client: Option<ClientId>,
    /// None: the team's.
    pub engine: Option<EngineId>,
    pub again_of: Option<SupervisorRunId>,
}

impl NewRun {
    /// From the playground, in a conversation of its own.
    pub fn of(team: TeamId, message: impl Into<String>) -> Self {
        Self {
            team,
            session: None,
            message: message.into(),
            source: RunSource::Playground,
            key: None,
            call: None,
            client: None,
            engine: None,
            again_of: None,
        }
    }
}

/// Writes a message down and has the team set to work. Errors: `Invalid` at `message`; `NotFound`; `Conflict` with the reason why nothing
/// runs.
pub async fn ask(tx: &mut WriteTx, new: NewRun) -> Result<SupervisorRunId, AppError> {
    // The team is held, so two messages of one session come one after the other.
    let team = teams::lock(tx, new.team).await?;
    if let Some(key) = new.key
        && let Some((run, of)) = store::by_key(tx.reading(), key).await?
    {
        let other = || AppError::Conflict(Reason::AlreadyThere, "This key was used for another team.".to_owned());
        return if of == new.team { Ok(run) } else { Err(other()) };
    }
    let message = new.message.trim().replace("\r\n", "\n").replace('\0', "\u{fffd}");
    if message.is_empty() {
        return Err(AppError::invalid("message", "Write what the team should do."));
    }
    if message.chars().count() > LONGEST_MESSAGE {
        return Err(AppError::invalid("message", format!("Keep the message below {LONGEST_MESSAGE} characters.")));
    }
    let members = teams::snapshot(&team.fields, &teams::members(tx.reading(), team.id).await?).members;
    let (_, rest) = look(tx.reading(), &team, team.fields.mode, &members).await?;
    if let Some(why) = rest {
        return Err(AppError::Conflict(Reason::WrongState, why));
    }
    let session = new.session.unwrap_or_else(SessionId::new);
    let client = team.fields.client.or(new.client);
    if let Some(client) = client
        && teams::is_client_active(tx.reading(), client).await? != Some(true)
    {
        let why = "The client is archived: nothing runs until it is restored.";
        return Err(AppError::Conflict(Reason::WrongState, why.to_owned()));
    }
    if let Some(known) = store::session(tx.reading(), session).await? {
        // What was said for one client is told to no other one.
        if known.team != new.team || known.client != client {
            return Err(AppError::NotFound);
        }
        if known.open.is_some() {
            let why = "The team is still at work on the last message. Wait for its answer, or stop it.";
            return Err(AppError::Conflict(Reason::WrongState, why.to_owned()));
        }
    }
    if store::count_open(tx.reading(), new.team).await? >= MOST_AT_ONCE {
        let why = format!("The team works on {MOST_AT_ONCE} messages already. Try again when one of them is answered.");
        return Err(AppError::Conflict(Reason::LimitReached, why));
    }
    let engine = match new.engine {
        Some(id) => {
            let found = store::engine(tx.reading(), Some(id)).await?;
            let why = "Choose an engine that is in use and asks a model.";
            let found = found.ok_or_else(|| AppError::invalid("engine", why))?;
            Some((found.id, found.name))
        }
        None => None,
    };
    let id = SupervisorRunId::new();
    let row = NewRow {
        id,
        team: new.team,
        version: team.revision,
        session,
        source: new.source,
        call: new.call,
        client,
        message: &message,
        engine,
        again_of: new.again_of,
        key: new.key,
    };
    if !store::insert(tx, &row).await? {
        return Err(AppError::Conflict(Reason::AlreadyThere, "This key was used for another team.".to_owned()));
    }
    let step = NewStepRow {
        run: Some(id),
        job: None,
        agent: None,
        kind: StepKind::Message,
        title: "Message",
        payload: json!({"text": message}),
        began: Utc::now(),
        took: std::time::Duration::ZERO,
        tokens: None,
        cost: None,
        error: None,
    };
    steps::record(tx, &step).await?;
    enqueue(tx, &AdvanceRun { run: id, after: None }, NewJob::default()).await?;
    let facts = json!({"team": team.fields.name, "message": message, "source": new.source, "session": session});
    record(tx, "asked", id, Fields::Happened(facts)).await?;
    notify(tx, new.team, id);
    Ok(id)
}

/// Stops a run, and the work that was given out for it. Nothing to do for one that has ended. Errors: `NotFound`.
pub async fn cancel(tx: &mut WriteTx, id: SupervisorRunId) -> Result<(), AppError> {
    let run = store::lock(tx, id).await?;
    if run.is_over() || run.is_cancelled {
        return Ok(());
    }
    store::ask_cancel(tx, id).await?;
    let open: Vec<_> = store::jobs(tx.reading(), id).await?.into_iter().filter(store::JobOfRun::is_open).collect();
    for job in &open {
        execution::cancel(tx, job.id).await?;
    }
    let facts = json!({"message": run.message, "status": run.status});
    let run = store::get(tx.reading(), id).await?;
    if store::jobs(tx.reading(), id).await?.iter().all(|job| !job.is_open()) {
        end(tx, &run, &End { failure: Some(&cancelled(&run)), ..End::default() }).await?;
    }
    // The audit log comes last, as everywhere.
    record(tx, "cancelled", id, Fields::Happened(facts)).await?;
    notify(tx, run.team, id);
    Ok(())
}

pub(super) fn cancelled(run: &Run) -> String {
    run.cancelled_by.as_ref().map_or_else(|| "Cancelled.".to_owned(), |name| format!("Cancelled by {name}."))
}

/// Asks the same again, of the team as it is now, in a conversation of its own; with another engine, if one is named. While one like it
/// goes on, that one is given. Errors: as `ask`; `Conflict` while the run itself goes on.
pub async fn again(
    tx: &mut WriteTx,
    id: SupervisorRunId,
    engine: Option<EngineId>,
) -> Result<SupervisorRunId, AppError> {
    let run = store::lock(tx, id).await?;
    if !run.is_over() {
        let why = "This run still goes on. Wait for its end, or stop it.";
        return Err(AppError::Conflict(Reason::WrongState, why.to_owned()));
    }
    // The messages before it are those of the first one.
    let of = run.again_of.unwrap_or(id);
    if let Some(open) = store::open_again(tx.reading(), of, engine).await? {
        return Ok(open);
    }
    let new = NewRun {
        source: RunSource::Rerun,
        engine,
        again_of: Some(of),
        client: run.client,
        ..NewRun::of(run.team, run.message.clone())
    };
    ask(tx, new).await
}

/// The members who can be given work, and why nothing runs at this moment.
pub(super) async fn look(
    tx: &mut ReadTx,
    team: &Team,
    mode: TeamMode,
    members: &[MemberSnapshot],
) -> Result<(Vec<Worker>, Option<String>), AppError> {
    let agents = teams::agents(tx, &members.iter().map(|one| one.agent).collect::<Vec<_>>()).await?;
    let is_suspended = workspaces::is_suspended(tx).await?;
    // An agent may have been given to another client since it became a member.
    let is_ours = |agent: &AgentFacts| agent.client.is_none() || agent.client == team.fields.client;
    let can_work = |agent: &AgentFacts| agent.is_active && agent.status != "paused" && is_ours(agent);
    let of = |id: AgentId| agents.iter().find(|agent| agent.id == id && can_work(agent));
    let worker = |member: &MemberSnapshot| {
        let agent = of(member.agent)?;
        Some(Worker { agent: agent.id, name: agent.name.clone(), role: member.role.clone() })
    };
    let workers: Vec<Worker> = members.iter().filter_map(worker).collect();
    let resting = members.iter().find(|member| of(member.agent).is_none());
    let name = |id: AgentId| agents.iter().find(|agent| agent.id == id).map_or("A member", |agent| agent.name.as_str());
    let why = if is_suspended {
        Some("The agency’s account is suspended: nothing runs until it is active again.".to_owned())
    } else if !team.is_active {
        Some("The team is deactivated: nothing runs until it is restored.".to_owned())
    } else if team.is_archived {
        let client = team.client_name.as_deref().unwrap_or_default();
        Some(format!("The client {client} is archived: nothing runs until it is restored."))
    } else if members.is_empty() {
        Some("The team has no members: add one first.".to_owned())
    } else if workers.is_empty() {
        Some("All members are deactivated, deleted, paused, or work for another client: nothing runs until one of them can work.".to_owned())
    } else {
        let all = resting.filter(|_| mode == TeamMode::Coordinate);
        all.map(|one| {
            let name = name(one.agent);
            format!("{name} is deactivated, deleted, paused, or works for another client, and all members work in turn: nothing runs until it can work, or is no member.")
        })
    };
    Ok((workers, why))
}

/// Ends a run that is held. Cases that wait for it are looked at.
pub(super) async fn end(tx: &mut WriteTx, run: &Run, end: &End<'_>) -> Result<(), AppError> {
    let waited = store::waited(tx.reading(), run.id).await?;
    store::finish(tx, run.id, end, waited).await?;
    withdraw(tx, &EndLateRun { run: run.id }).await?;
    let status = match end.failure {
        None => SupervisorRunStatus::Completed,
        Some(_) => SupervisorRunStatus::Failed,
    };
    tracing::info!(run = %run.id, status = status.as_str(), cause = end.failure, "a run of a team has ended");
    notify(tx, run.team, run.id);
    super::cases::ended(tx, run.id).await
}

async fn record(tx: &mut WriteTx, action: &str, id: SupervisorRunId, fields: Fields) -> Result<(), AppError> {
    tx.audit(Change { action, entity: "supervisor_run", entity_id: Some(id.0), client_id: None, fields }).await
}

pub(super) fn notify(tx: &mut WriteTx, team: TeamId, id: SupervisorRunId) {
    tx.notify(Topic::list("supervisor_runs"), None);
    tx.notify(Topic::one("team", team), None);
    notify_work(tx, team, id);
}

/// The same for whoever looks at the work itself.
pub(super) fn notify_work(tx: &mut WriteTx, team: TeamId, id: SupervisorRunId) {
    tx.notify(Topic::one("supervisor_run", id), None);
    tx.notify(Topic::one("team_runs", team), None);
}
