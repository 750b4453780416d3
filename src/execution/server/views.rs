//! What pages show, put together from the stores' answers.

use chrono::{DateTime, Days, NaiveTime, Utc};

use super::letters;
use super::store::views::control::{self, Counts, Narrowed};
use super::store::views::{approvals, job, jobs};
use crate::model::approval::{ApprovalList, ApprovalQuery, ApprovalRow};
use crate::model::control::{ControlQuery, ControlRoom, Figure};
use crate::model::job::{JobList, JobPage, JobQuery};
use crate::model::{EngineType, JobStatus};
use patchbay_access::Action;
use patchbay_access::server::ReadTx;
use patchbay_shared::ids::{ExecutionJobId, SupervisorRunId};
use patchbay_shared::money::{count_text, counted, length_text};
use patchbay_shared::search::filled;
use patchbay_shared::zone::instant;
use patchbay_shared::{AppError, Page};

/// Rows on a page of a list.
const ROWS: usize = 50;
/// Approvals in the control room, and decided ones.
const APPROVALS: usize = 4;
const DECIDED: usize = 6;
/// Days for which a job that was out of memory counts as waiting for somebody.
const OOM_DAYS: u64 = 6;

pub(crate) async fn jobs(tx: &mut ReadTx, query: &JobQuery) -> Result<JobList, AppError> {
    Ok(JobList {
        targets: jobs::targets(tx).await?,
        engines: jobs::engines(tx).await?,
        pools: jobs::pools(tx).await?.into_iter().map(|pool| (pool.clone(), pool)).collect(),
        teams: jobs::teams(tx).await?,
        page: jobs::list(tx, query, ROWS).await?,
    })
}

pub(crate) async fn approvals(tx: &mut ReadTx, query: &ApprovalQuery) -> Result<ApprovalList, AppError> {
    // A client's people have no other client to choose.
    let client = query.client.clone().filter(|_| tx.scope().client_id().is_none());
    let query = ApprovalQuery { client, ..query.clone() };
    let may_decide = tx.scope().may(Action::DecideApprovals);
    Ok(ApprovalList { page: approvals::list(tx, &query, ROWS).await?, may_decide })
}

/// A job with the log of its newest try, or of the one that is asked for. Errors: `NotFound`.
pub(crate) async fn job(tx: &mut ReadTx, id: ExecutionJobId, attempt: Option<i32>) -> Result<JobPage, AppError> {
    let found = job::get(tx, id).await?;
    let next = next_step(&found);
    let mut job = found.job;
    job.next = next;
    let attempts = job::attempts(tx, id).await?;
    let is_there = |number: &i32| attempts.iter().any(|(row, _)| row.number == *number);
    let shown = attempt.filter(is_there).or(attempts.first().map(|(row, _)| row.number)).unwrap_or_default();
    let memory = attempts.iter().find(|(row, _)| row.number == shown).map(|(_, memory)| memory.clone());
    let (log, log_lines) = job::log(tx, id, shown, false).await?;
    let may_manage = tx.scope().may(Action::ManageExecution);
    let is_process = job.kind == EngineType::Process;
    let more = job.memory_limit_mb.saturating_mul(2);
    Ok(JobPage {
        attempts: attempts.into_iter().map(|(row, _)| row).collect(),
        shown,
        log,
        log_lines,
        memory: memory.unwrap_or_default(),
        artefacts: job::artefacts(tx, id).await?,
        steps: job::steps(tx, id).await?,
        approvals: approvals::of_one_job(tx, id).await?,
        children: job::children(tx, id).await?,
        targets: if may_manage { job::other_targets(tx, job.target.0).await? } else { Vec::new() },
        more_memory_mb: (is_process && more <= found.target_memory_mb).then_some(more),
        may_manage,
        may_decide: tx.scope().may(Action::DecideApprovals),
        job,
    })
}

/// What happens next with a job, or what somebody can do.
fn next_step(found: &job::Found) -> String {
    let job = &found.job;
    let wait = |at: DateTime<Utc>| length_text((at - found.now).num_seconds().max(0));
    if job.is_being_cancelled {
        return "It is being stopped.".to_owned();
    }
    match job.status {
        JobStatus::Queued if found.is_held => format!("It waits: no new job starts on {} at the moment.", job.target.1),
        JobStatus::Queued => match found.next_attempt_at.filter(|at| *at > found.now) {
            Some(at) => format!("It is tried again in {}.", wait(at)),
            None => format!("It starts as soon as {} has room for it.", job.target.1),
        },
        JobStatus::Running => format!("It runs until {} at most.", job.until.text),
        JobStatus::AwaitingApproval => "It goes on once somebody has decided.".to_owned(),
        JobStatus::Completed => "It is done.".to_owned(),
        JobStatus::Failed if job.cancelled_by.is_some() => "It was stopped. It can be queued again.".to_owned(),
        JobStatus::Failed => "Look at the reason and the log, mend what is wrong, and queue it again.".to_owned(),
        JobStatus::Oom => "It wanted more memory than it may have. Queue it again with more.".to_owned(),
        JobStatus::FailedCircuitOpen => match found.probe_at.filter(|at| *at > found.now) {
            Some(at) => format!(
                "Starts of this engine failed too often on {}. One job tries again in {}; when it works, the others follow by themselves.",
                job.target.1,
                wait(at)
            ),
            None => {
                format!("One job is trying now whether {} works again. Then this one follows by itself.", job.target.1)
            }
        },
    }
}

/// Where today begins for whoever looks, and the days that count for what waits.
struct Today {
    now: DateTime<Utc>,
    today: DateTime<Utc>,
    /// As an address has it.
    day: String,
    first: DateTime<Utc>,
    first_day: String,
}

impl Today {
    async fn of(tx: &mut ReadTx) -> Result<Self, AppError> {
        let (now, zone) = (tx.now().await?, tx.scope().zone());
        let day = now.with_timezone(&zone).date_naive();
        let first = day.checked_sub_days(Days::new(OOM_DAYS)).unwrap_or(day);
        Ok(Self {
            now,
            today: instant(day, NaiveTime::MIN, zone),
            day: day.to_string(),
            first: instant(first, NaiveTime::MIN, zone),
            first_day: first.to_string(),
        })
    }
}

pub(crate) async fn control(tx: &mut ReadTx, query: &ControlQuery) -> Result<ControlRoom, AppError> {
    let today = Today::of(tx).await?;
    let pools = jobs::pools(tx).await?;
    let client = filled(query.client.as_deref()).map(|text| text.parse().unwrap_or_default());
    let pool = filled(query.pool.as_deref()).filter(|pool| pools.contains(pool));
    let of = Narrowed { client, pool: pool.clone() };
    let query = ControlQuery { pool, ..query.clone() };
    let counts = control::counts(tx, &of, today.first, today.today).await?;
    let targets = control::targets(tx, &of, today.first).await?;
    let held = control::held(tx).await?;
    let unserved = control::unserved(tx, &of, today.now).await?;
    let asked = ApprovalQuery { client: query.client.clone(), ..ApprovalQuery::default() };
    let decided = ApprovalQuery { state: Some("decided".into()), from: Some(today.day.clone()), ..asked.clone() };
    let wanted = match filled(query.job.as_deref()).map(|id| id.parse()) {
        Some(Ok(id)) => Some(id),
        _ => control::foremost(tx, &of, today.first).await?,
    };
    let job = match wanted {
        Some(id) => match job(tx, id, None).await {
            Ok(found) => Some(Box::new(found)),
            Err(AppError::NotFound) => None,
            Err(error) => return Err(error),
        },
        None => None,
    };
    let in_pools: std::collections::BTreeSet<&str> = targets.iter().map(|card| card.pool.as_str()).collect();
    let (used, slots) = targets.iter().fold((0, 0), |(used, slots), card| (used + card.used, slots + card.slots));
    let sub = format!(
        "{} in {} · {} of {} slots in use",
        counted(targets.len() as i64, "target", "targets"),
        counted(in_pools.len() as i64, "pool", "pools"),
        count_text(used),
        count_text(slots)
    );
    let tabs = jobs::tabs(tx, client).await?;
    let decided_href = match &query.client {
        Some(client) if client.parse::<uuid::Uuid>().is_ok() => {
            format!("/approvals?state=decided&from={}&client={client}", today.day)
        }
        _ => format!("/approvals?state=decided&from={}", today.day),
    };
    Ok(ControlRoom {
        sub,
        updated: today.now.with_timezone(&tx.scope().zone()).format("%H:%M:%S").to_string(),
        figures: figures(&counts, &today, &query),
        is_held: !held.is_empty() && held.iter().all(|(_, is_held)| *is_held),
        approvals: approvals::list(tx, &asked, APPROVALS).await.map(|page: Page<_>| page.rows)?,
        approvals_open: approvals::open(tx, client).await?,
        decided: approvals::list(tx, &decided, DECIDED).await?.rows,
        decided_today: approvals::decided_since(tx, client, today.today).await?,
        decided_href,
        mailed: letters::receivers(tx).await?.map(|people| people.len() as i64),
        may_manage: tx.scope().may(Action::ManageExecution),
        may_decide: tx.scope().may(Action::DecideApprovals),
        has_engines: tabs.engines.is_some_and(|engines| engines > 0),
        unserved,
        pools,
        query,
        tabs,
        targets,
        job,
    })
}

fn figures(counts: &Counts, today: &Today, query: &ControlQuery) -> Vec<Figure> {
    let since = |at: Option<DateTime<Utc>>| at.map(|at| length_text((today.now - at).num_seconds().max(0)));
    let until = |at: Option<DateTime<Utc>>| at.map(|at| length_text((at - today.now).num_seconds().max(0)));
    let plain = JobQuery { pool: query.pool.clone(), client: query.client.clone(), ..JobQuery::default() };
    let of = |status: JobStatus| JobQuery { status: Some(status.as_str().to_owned()), ..plain.clone() };
    let figure = |label: &str, count: i64, note: String, query: JobQuery| Figure {
        label: label.to_owned(),
        count,
        share: None,
        is_bad: false,
        note,
        query,
    };
    let remark = |text: Option<String>, words: &str| text.map(|text| format!("{words} {text}")).unwrap_or_default();
    let share = (counts.done > 0).then(|| counts.untried * 1000 / counts.done);
    let oom = JobQuery { from: Some(today.first_day.clone()), ..of(JobStatus::Oom) };
    let done = JobQuery { ended: Some(today.day.clone()), ..of(JobStatus::Completed) };
    let circuit = match (counts.circuits, until(counts.next_probe)) {
        (0, _) => String::new(),
        (_, Some(left)) if left != "0:00" => format!("next probe in {left}"),
        _ => "a probe is due".to_owned(),
    };
    vec![
        figure("Queued", counts.queued, remark(since(counts.oldest), "oldest waits"), of(JobStatus::Queued)),
        figure("Running", counts.running, remark(since(counts.longest), "longest"), of(JobStatus::Running)),
        figure(
            "Awaiting approval",
            counts.awaiting,
            remark(until(counts.first_end), "first ends in"),
            of(JobStatus::AwaitingApproval),
        ),
        Figure {
            share: (counts.oom > 0).then(|| "needs a decision".to_owned()),
            is_bad: true,
            ..figure("Out of memory", counts.oom, String::new(), oom)
        },
        figure("Waiting for a circuit", counts.circuit, circuit, of(JobStatus::FailedCircuitOpen)),
        Figure {
            share: share.map(|share| format!("{}.{}%", share / 10, share % 10)),
            ..figure("Done today", counts.done, share.map(|_| "without a retry".to_owned()).unwrap_or_default(), done)
        },
    ]
}

/// Megabytes as a form sends them; nothing: as before. Errors: `Invalid` at `memory_mb`.
pub(crate) fn memory(text: Option<&str>) -> Result<Option<i32>, AppError> {
    let Some(text) = filled(text) else { return Ok(None) };
    let memory = text.parse::<i32>().ok().filter(|memory| (16..=1_048_576).contains(memory));
    let wrong = || AppError::invalid("memory_mb", "Give the memory in whole megabytes, at least 16, for example 512.");
    memory.map(Some).ok_or_else(wrong)
}

/// What people were or are asked in a run of a team, in its order.
pub async fn approvals_of_run(tx: &mut ReadTx, run: SupervisorRunId) -> Result<Vec<ApprovalRow>, AppError> {
    approvals::of_run(tx, run).await
}
