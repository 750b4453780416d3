//! Statements about what happened in one run: its steps, its jobs with theirs, and the questions to people in them.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde_json::Value;
use sqlx::types::Json;
use uuid::Uuid;

use super::snapshot;
use crate::model::views::{ApprovalView, Choice, Fit, JobView, Node, RunView, Spent, StepView, Used};
use crate::model::{Classification, Limit, RunSource, SupervisorRunStatus, TeamMode, TeamSettings};
use patchbay_access::server::ReadTx;
use patchbay_execution::model::{Decision, JobStatus, StepKind};
use patchbay_shared::ids::{AgentId, ApprovalId, CallId, ExecutionJobId, SessionId, SupervisorRunId, TeamId};
use patchbay_shared::money::length_text;
use patchbay_shared::zone::{exact, stamp};
use patchbay_shared::{AppError, Money};

/// Steps and jobs that a page shows of one run.
const MOST_STEPS: i64 = 500;
const MOST_JOBS: i64 = 200;
/// Characters of what was sent, and of what came back.
const LONGEST: usize = 2000;

/// What a run of this team may use.
pub(crate) fn allowed(settings: &TeamSettings) -> Used {
    Used {
        steps: 0,
        most_steps: settings.most_steps,
        cost: Money::default(),
        most_cost: Money(settings.most_cost.parse().unwrap_or_default()),
        is_unpriced: false,
        seconds: 0,
        most_seconds: settings.most_seconds,
    }
}

/// A run with everything that happened in it. Errors: `NotFound`.
pub(crate) async fn view(tx: &mut ReadTx, id: SupervisorRunId) -> Result<RunView, AppError> {
    shown(tx, id, true).await
}

/// A run, with or without what happened in it. Errors: `NotFound`.
pub(crate) async fn shown(tx: &mut ReadTx, id: SupervisorRunId, whole: bool) -> Result<RunView, AppError> {
    let (now, zone) = (tx.now().await?, tx.scope().zone());
    let row = sqlx::query!(
        r#"select r.team_id as "team: TeamId", r.user_message, r.status as "status: SupervisorRunStatus", r.source as "source: RunSource",
                  u.name as "by?", x.name as "stopped_by?", r.call_id as "call: CallId", r.team_version, r.execution_engine,
                  w.name as "worker?", r.supervisor_response as "choice: Json<Classification>", r.execution_output, r.asked_back, r.failure,
                  r.limit_reached as "limit: Limit", r.cancel_requested_at is not null as "is_stopping!",
                  r.again_of as "again_of: SupervisorRunId", r.session_id as "session: SessionId", r.created_at, r.started_at, r.completed_at,
                  r.steps, r.tokens, r.cost, r.is_unpriced, r.waited_ms,
                  (select min(p.requested_at) from execution_approvals p
                   where p.workspace_id = $1 and p.supervisor_run_id = r.id and p.decision is null) as asked_since
           from supervisor_runs r
           left join users u on u.id = r.user_id
           left join users x on x.id = r.cancelled_by
           left join agents w on w.workspace_id = $1 and w.id = r.worker_agent_id
           where r.workspace_id = $1 and r.id = $2"#,
        tx.workspace_uuid(),
        id.0
    )
    .fetch_one(tx.conn())
    .await?;
    let (mode, settings) = match snapshot(tx, row.team, row.team_version).await {
        Ok(snapshot) => (snapshot.mode, snapshot.settings),
        Err(AppError::NotFound) => (TeamMode::Supervisor, TeamSettings::default()),
        Err(error) => return Err(error),
    };
    // The clock stands still while a person is asked.
    let until = row.completed_at.or(row.asked_since).unwrap_or(now);
    let ran = row.started_at.map_or(0, |at| ((until - at).num_milliseconds() - row.waited_ms).max(0));
    let used = Used {
        steps: row.steps,
        cost: Money(row.cost),
        is_unpriced: row.is_unpriced,
        seconds: ran / 1000,
        ..allowed(&settings)
    };
    let (nodes, spent) = match whole {
        true => nodes(tx, id, settings.threshold).await?,
        false => (Vec::new(), Vec::new()),
    };
    Ok(RunView {
        id,
        message: row.user_message,
        status: row.status,
        source: row.source,
        by: row.by,
        call: row.call,
        version: row.team_version,
        mode,
        engine: row.execution_engine,
        worker: row.worker,
        choice: row.choice.map(|found| choice(found.0, settings.threshold)),
        output: row.execution_output,
        asked_back: row.asked_back,
        failure: row.failure,
        limit: row.limit,
        is_stopping: row.is_stopping,
        stopped_by: row.stopped_by,
        again_of: row.again_of,
        session: row.session,
        created: exact(row.created_at, now, zone),
        ended: row.completed_at.map(|at| exact(at, now, zone)),
        took_ms: row.completed_at.map(|_| ran),
        tokens: row.tokens,
        used,
        spent,
        nodes,
    })
}

fn choice(found: Classification, threshold: u32) -> Choice {
    let mille = |part: f64| (part.clamp(0.0, 1.0) * 1000.0).round() as u32;
    let fits = found
        .others
        .iter()
        .map(|(agent, name, fit)| Fit {
            name: name.clone(),
            mille: mille(*fit),
            is_chosen: Some(*agent) == found.worker,
        })
        .collect();
    Choice {
        worker: found.worker.map(|_| found.worker_name.clone()),
        task: found.task,
        reason: found.reason,
        says: found.says,
        mille: mille(found.confidence),
        threshold: threshold * 10,
        fits,
    }
}

/// What one step belongs to, and whether it counts against a limit.
struct Found {
    job: Option<ExecutionJobId>,
    agent: Option<AgentId>,
    began: DateTime<Utc>,
    read: i64,
    written: i64,
    view: StepView,
}

async fn nodes(tx: &mut ReadTx, run: SupervisorRunId, threshold: u32) -> Result<(Vec<Node>, Vec<Spent>), AppError> {
    let mut jobs = jobs(tx, run).await?;
    let ids: Vec<Uuid> = jobs.iter().map(|job| job.view.id.0).collect();
    let found = steps(tx, run, &ids, threshold).await?;
    let names = names(&jobs);
    let spent = spent(&found, &names);
    let mut own: Vec<(DateTime<Utc>, Node)> = Vec::new();
    let mut number = 0;
    for step in found {
        number += i32::from(counts(step.view.kind));
        match step.job.and_then(|id| jobs.iter_mut().find(|job| job.view.id == id)) {
            Some(job) => {
                if counts(step.view.kind) {
                    job.view.numbers = Some((job.view.numbers.map_or(number, |(from, _)| from), number));
                }
                job.view.steps.push(step.view);
            }
            // The message itself stands above the tree.
            None if step.view.kind == StepKind::Message => {}
            None => own.push((step.began, Node::Supervisor(step.view))),
        }
    }
    for approval in approvals(tx, &ids).await? {
        if let Some(job) = jobs.iter_mut().find(|job| job.view.id == approval.0) {
            job.view.approvals.push(approval.1);
        }
    }
    let (children, mut parents): (Vec<Job>, Vec<Job>) = jobs.into_iter().partition(|job| job.parent.is_some());
    for child in children {
        if let Some(parent) = parents.iter_mut().find(|job| Some(job.view.id) == child.parent) {
            parent.view.children.push(child.view);
        }
    }
    own.extend(parents.into_iter().map(|job| (job.created, Node::Job(job.view))));
    own.sort_by_key(|(at, _)| *at);
    Ok((own.into_iter().map(|(_, node)| node).collect(), spent))
}

/// What counts against the limit of steps: as execution counts.
fn counts(kind: StepKind) -> bool {
    use StepKind::{AskedBack, Classified, Composed, Model, Process, Tool};
    matches!(kind, AskedBack | Classified | Composed | Model | Process | Tool)
}

struct Job {
    parent: Option<ExecutionJobId>,
    agent: Option<AgentId>,
    created: DateTime<Utc>,
    view: JobView,
}

async fn jobs(tx: &mut ReadTx, run: SupervisorRunId) -> Result<Vec<Job>, AppError> {
    let (now, zone) = (tx.now().await?, tx.scope().zone());
    let rows = sqlx::query!(
        r#"select j.id as "id: ExecutionJobId", j.parent_job_id as "parent: ExecutionJobId", j.agent_id as "agent: AgentId", j.title,
                  j.worker_config -> 'agent' ->> 'name' as agent_name, j.worker_config -> 'script' ->> 'name' as script,
                  (j.worker_config -> 'agent' ->> 'prompt_version')::int as prompt_version, left(j.prompt, 4000) as "task!",
                  j.worker_config ->> 'engine_name' as engine, j.execution_target ->> 'name' as target, j.status as "status: JobStatus",
                  j.last_failure_reason, left(j.result ->> 'output', 8000) as output, j.retry_count, j.cost, j.is_unpriced, j.created_at,
                  j.completed_at, (extract(epoch from j.completed_at - j.started_at) * 1000)::bigint as took,
                  (select count(*) from execution_artefacts f where f.workspace_id = $1 and f.job_id = j.id) as "artefacts!"
           from execution_jobs j
           where j.workspace_id = $1 and (j.supervisor_run_id = $2 or j.parent_job_id in (
             select p.id from execution_jobs p where p.workspace_id = $1 and p.supervisor_run_id = $2))
           order by j.created_at, j.id limit $3"#,
        tx.workspace_uuid(),
        run.0,
        MOST_JOBS
    )
    .fetch_all(tx.conn())
    .await?;
    let rows = rows.into_iter().map(|row| Job {
        parent: row.parent,
        agent: row.agent,
        created: row.created_at,
        view: JobView {
            id: row.id,
            title: row.title,
            who: row.agent_name.or(row.script).unwrap_or_else(|| "A script".to_owned()),
            prompt_version: row.prompt_version,
            task: row.task,
            engine: row.engine.unwrap_or_default(),
            target: row.target.unwrap_or_default(),
            status: row.status,
            reason: row.last_failure_reason,
            output: row.output.filter(|output| !output.is_empty()),
            retries: row.retry_count,
            artefacts: row.artefacts,
            ended: row.completed_at.map(|at| exact(at, now, zone)),
            took_ms: row.took,
            numbers: None,
            steps: Vec::new(),
            cost: Money(row.cost),
            is_unpriced: row.is_unpriced,
            approvals: Vec::new(),
            children: Vec::new(),
        },
    });
    Ok(rows.collect())
}

async fn steps(tx: &mut ReadTx, run: SupervisorRunId, jobs: &[Uuid], threshold: u32) -> Result<Vec<Found>, AppError> {
    let (now, zone) = (tx.now().await?, tx.scope().zone());
    let rows = sqlx::query!(
        r#"select job_id as "job: ExecutionJobId", agent_id as "agent: AgentId", kind as "kind: StepKind", title, payload, began, took_ms,
                  prompt_tokens, completion_tokens, cost, error
           from execution_steps where workspace_id = $1 and (supervisor_run_id = $2 or job_id = any($3))
           order by began, id limit $4"#,
        tx.workspace_uuid(),
        run.0,
        jobs,
        MOST_STEPS
    )
    .fetch_all(tx.conn())
    .await?;
    let rows = rows.into_iter().map(|row| {
        let (read, written) = (row.prompt_tokens.unwrap_or(0), row.completion_tokens.unwrap_or(0));
        let (sent, result) = told(row.kind, &row.payload);
        let found = matches!(row.kind, StepKind::Classified | StepKind::AskedBack)
            .then(|| serde_json::from_value::<Classification>(row.payload).ok())
            .flatten();
        Found {
            job: row.job,
            agent: row.agent,
            began: row.began,
            read: read.into(),
            written: written.into(),
            view: StepView {
                kind: row.kind,
                title: row.title,
                choice: found.map(|found| choice(found, threshold)),
                sent,
                result,
                error: row.error,
                took_ms: row.took_ms,
                tokens: read + written,
                cost: row.cost.map(Money),
                at: exact(row.began, now, zone),
            },
        }
    });
    Ok(rows.collect())
}

/// What was sent and what came back, as text.
fn told(kind: StepKind, payload: &Value) -> (Option<String>, Option<String>) {
    let field = |name: &str| payload.get(name).filter(|value| !value.is_null()).map(text);
    match kind {
        StepKind::Tool => (field("arguments"), field("result")),
        StepKind::Model => (
            payload.get("calls").filter(|calls| calls.as_array().is_some_and(|all| !all.is_empty())).map(text),
            field("text"),
        ),
        StepKind::Process => (None, field("output")),
        StepKind::Limit => (None, field("reason")),
        StepKind::Approval => (None, field("note")),
        StepKind::Message | StepKind::Composed => (None, field("text")),
        StepKind::Classified | StepKind::AskedBack => (None, None),
    }
}

fn text(value: &Value) -> String {
    let text = match value {
        Value::String(text) => text.clone(),
        other => serde_json::to_string_pretty(other).unwrap_or_default(),
    };
    let mut cut: String = text.chars().take(LONGEST).collect();
    if cut.len() < text.len() {
        cut.push_str(" …");
    }
    cut
}

/// Who each agent was, by the newest job.
fn names(jobs: &[Job]) -> BTreeMap<AgentId, String> {
    jobs.iter().filter_map(|job| Some((job.agent?, job.view.who.clone()))).collect()
}

/// Tokens and cost of each of those who acted, the supervisor first.
fn spent(steps: &[Found], names: &BTreeMap<AgentId, String>) -> Vec<Spent> {
    let mut all: Vec<(Option<AgentId>, Spent)> = Vec::new();
    for step in steps.iter().filter(|step| step.view.tokens > 0 || step.view.cost.is_some()) {
        let place = all.iter().position(|(agent, _)| *agent == step.agent).unwrap_or_else(|| {
            let name = step.agent.map(|agent| names.get(&agent).cloned().unwrap_or_else(|| "A worker".to_owned()));
            let who = name.unwrap_or_else(|| "Supervisor".to_owned());
            all.push((step.agent, Spent { who, read: 0, written: 0, cost: Money::default(), is_unpriced: false }));
            all.len() - 1
        });
        if let Some((_, sum)) = all.get_mut(place) {
            sum.read += step.read;
            sum.written += step.written;
            sum.cost = Money(sum.cost.0 + step.view.cost.map_or(Decimal::ZERO, |cost| cost.0));
            sum.is_unpriced |= step.view.cost.is_none();
        }
    }
    all.into_iter().map(|(_, sum)| sum).collect()
}

/// Tokens and cost of all runs of a session, the supervisor first.
pub(crate) async fn spent_in(tx: &mut ReadTx, session: SessionId) -> Result<Vec<Spent>, AppError> {
    let rows = sqlx::query!(
        r#"select a.name as "name?", coalesce(sum(s.prompt_tokens), 0)::bigint as "read!", coalesce(sum(s.completion_tokens), 0)::bigint as "written!",
                  coalesce(sum(s.cost), 0) as "cost!", bool_or(s.cost is null) as "is_unpriced!"
           from supervisor_runs r
           join execution_steps s on s.workspace_id = $1 and s.supervisor_run_id = r.id
           left join agents a on a.workspace_id = $1 and a.id = s.agent_id
           where r.workspace_id = $1 and r.session_id = $2 and (s.prompt_tokens is not null or s.cost is not null)
           group by s.agent_id, a.name order by s.agent_id is not null, min(s.began)"#,
        tx.workspace_uuid(),
        session.0
    )
    .fetch_all(tx.conn())
    .await?;
    let rows = rows.into_iter().map(|row| Spent {
        who: row.name.unwrap_or_else(|| "Supervisor".to_owned()),
        read: row.read,
        written: row.written,
        cost: Money(row.cost),
        is_unpriced: row.is_unpriced,
    });
    Ok(rows.collect())
}

async fn approvals(tx: &mut ReadTx, jobs: &[Uuid]) -> Result<Vec<(ExecutionJobId, ApprovalView)>, AppError> {
    let (now, zone) = (tx.now().await?, tx.scope().zone());
    let rows = sqlx::query!(
        r#"select p.id as "id: ApprovalId", p.job_id as "job: ExecutionJobId", p.title, p.rule, p.tool_name,
                  p.details as "details: Json<Vec<(String, String)>>", p.content, p.expires_at, o.name as "opened_by?",
                  p.decision as "decision: Decision", d.name as "decided_by?", p.decided_at, p.note, p.edited_content
           from execution_approvals p
           left join users o on o.id = p.opened_by
           left join users d on d.id = p.decided_by
           where p.workspace_id = $1 and p.job_id = any($2) order by p.requested_at, p.id limit 100"#,
        tx.workspace_uuid(),
        jobs
    )
    .fetch_all(tx.conn())
    .await?;
    let rows = rows.into_iter().map(|row| {
        let view = ApprovalView {
            id: row.id,
            title: row.title,
            rule: row.rule,
            tool: row.tool_name,
            details: row.details.0,
            content: row.content,
            until: stamp(row.expires_at, now, zone),
            left: (row.expires_at > now).then(|| length_text((row.expires_at - now).num_seconds())),
            opened_by: row.opened_by,
            decision: row.decision,
            decided_by: row.decided_by,
            decided: row.decided_at.map(|at| stamp(at, now, zone)),
            note: row.note,
            edited: row.edited_content,
        };
        (row.job, view)
    });
    Ok(rows.collect())
}
