//! People decide. Deciding touches the approval alone; a job of the jobs queue moves the work on afterwards, so that a client's admin may
//! decide who sees none of it.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::ending;
use super::hooks::{RunSpent, Spent};
use super::jobs::MoveOnExecution;
use super::steps::{NewStepRow, record};
use super::store::approvals::{self as store, Approval};
use super::store::{jobs, queue};
use super::{QUEUE, adding, asking};
use crate::model::{Decision, JobStatus, LONGEST_PROMPT, StepKind};
use patchbay_access::Action;
use patchbay_access::server::{Change, Fields, ReadTx, Scope, WriteTx};
use patchbay_jobs::runner::Verdict;
use patchbay_jobs::{NewJob, enqueue};
use patchbay_shared::ids::{ApprovalId, SupervisorRunId};
use patchbay_shared::{AppError, Reason};

/// Characters of a note.
const LONGEST_NOTE: usize = 2000;

/// What a person decides.
#[derive(Debug, Clone)]
pub struct Decide {
    /// `Approved`, `Edited` or `Rejected`.
    pub decision: Decision,
    /// What is approved in place of what was asked; of `Edited` alone.
    pub content: String,
    pub note: String,
}

/// Notes that somebody has it open, for the others to see. Errors: `NotFound`; `Conflict`: `StalePage` when it is decided or over, `InUse`
/// when somebody else has it open.
pub async fn open(tx: &mut WriteTx, id: ApprovalId) -> Result<(), AppError> {
    let approval = store::get(tx.reading(), id).await?;
    if !store::note_open(tx, id).await? {
        let now = tx.reading().now().await?;
        if approval.decision.is_some() || approval.expires_at <= now {
            return Err(AppError::Conflict(Reason::StalePage, too_late(&approval)));
        }
        let why = "Somebody else has it open. Whoever decides first decides.".to_owned();
        return Err(AppError::Conflict(Reason::InUse, why));
    }
    asking::notify(tx, id, approval.client.filter(|_| approval.for_client));
    Ok(())
}

/// Decides. Errors: `Invalid` at the field, `Conflict` when somebody else has decided, it has expired or is not needed any more.
pub async fn decide(tx: &mut WriteTx, id: ApprovalId, decide: &Decide) -> Result<(), AppError> {
    let before = store::get(tx.reading(), id).await?;
    let note = decide.note.trim().replace('\0', "\u{fffd}");
    if note.chars().count() > LONGEST_NOTE {
        return Err(AppError::invalid("note", format!("Shorten the note to {LONGEST_NOTE} characters.")));
    }
    let edited = match decide.decision {
        Decision::Edited => edited(&before, &decide.content)?,
        Decision::Approved | Decision::Rejected => None,
        Decision::Expired | Decision::Withdrawn => {
            return Err(AppError::invalid("decision", "Choose whether to approve or to reject."));
        }
    };
    let decision = match (decide.decision, &edited) {
        // Nothing was changed in it.
        (Decision::Edited, None) => Decision::Approved,
        (decision, _) => decision,
    };
    if !store::decide(tx, id, decision, edited.as_deref(), &note).await? {
        return Err(AppError::Conflict(Reason::StalePage, too_late(&store::get(tx.reading(), id).await?)));
    }
    enqueue(tx, &MoveOnExecution { approval: id }, NewJob::default()).await?;
    let client = before.client.filter(|_| before.for_client);
    let side =
        |decision: Option<Decision>, note: &str| json!({"title": before.title, "decision": decision, "note": note});
    let fields = Fields::Changed { before: side(None, ""), after: side(Some(decision), &note) };
    let change =
        Change { action: "decided", entity: "execution_approval", entity_id: Some(id.0), client_id: client, fields };
    tx.audit(change).await?;
    asking::notify(tx, id, client);
    Ok(())
}

/// What was written in place of what was asked. None: it is the same.
fn edited(asked: &Approval, content: &str) -> Result<Option<String>, AppError> {
    let content = content.trim().replace('\0', "\u{fffd}");
    if content.chars().count() > LONGEST_PROMPT {
        return Err(AppError::invalid("content", format!("Shorten it to {LONGEST_PROMPT} characters.")));
    }
    if asked.tool.is_some() {
        let read: Result<Value, _> = serde_json::from_str(&content);
        let Ok(read @ Value::Object(_)) = read else {
            return Err(AppError::invalid(
                "content",
                "Write the arguments as a JSON object, as they stood here before.",
            ));
        };
        let before: Option<Value> = serde_json::from_str(&asked.content).ok();
        return Ok((before.as_ref() != Some(&read)).then_some(content));
    }
    if content.is_empty() {
        return Err(AppError::invalid("content", "Write what the worker is to do, or reject it."));
    }
    Ok((content != asked.content.trim()).then_some(content))
}

/// Why a decision came too late.
fn too_late(approval: &Approval) -> String {
    let by = approval.by.as_deref().unwrap_or("Somebody else");
    match approval.decision {
        Some(Decision::Approved) => format!("{by} has approved this already. Nothing was changed."),
        Some(Decision::Edited) => format!("{by} has edited and approved this already. Nothing was changed."),
        Some(Decision::Rejected) => format!("{by} has rejected this already. Nothing was changed."),
        Some(Decision::Withdrawn) => {
            "The job ended meanwhile, so nobody needs to decide any more. Nothing was changed.".to_owned()
        }
        Some(Decision::Expired) | None => {
            "The time to decide is over, which counts as a rejection. Queue the job again to be asked again.".to_owned()
        }
    }
}

/// Since when the jobs of a run wait for people. None: none does.
pub async fn waiting_since(tx: &mut ReadTx, run: SupervisorRunId) -> Result<Option<DateTime<Utc>>, AppError> {
    store::waiting_since(tx, run).await
}

/// What was decided of an approval, in words for the worker or for whoever reads why the job ended. None: it may go on.
pub(super) fn refusal(approval: &Approval) -> Option<String> {
    let by = approval.by.as_deref().unwrap_or("somebody");
    match approval.decision {
        Some(Decision::Approved | Decision::Edited) => None,
        Some(Decision::Rejected) if approval.note.is_empty() => Some(format!("Rejected by {by}.")),
        Some(Decision::Rejected) => Some(format!("Rejected by {by}: {}", approval.note)),
        Some(Decision::Withdrawn) => Some("The question was withdrawn.".to_owned()),
        Some(Decision::Expired) | None => Some("Nobody decided in time: the approval expired.".to_owned()),
    }
}

/// An approval was decided, or its time is over: once nothing else is open, its job goes on or ends.
pub(super) async fn move_on(scope: &Scope, id: ApprovalId) -> Result<Verdict, AppError> {
    let mut tx = scope.write(Action::ManageExecution).await?;
    let asked = store::get(tx.reading(), id).await?;
    // A worker that is about to have its job wait is let through first; whoever comes later sees what was decided.
    jobs::lock(&mut tx, asked.job).await?;
    drop(tx);
    let mut tx = scope.write(Action::ManageExecution).await?;
    if asked.decision.is_none() {
        if !store::expire(&mut tx, id).await? {
            let left = asked.expires_at - tx.reading().now().await?;
            return Ok(Verdict::Later(left.to_std().unwrap_or(Duration::from_secs(1))));
        }
        asking::notify(&mut tx, id, asked.client.filter(|_| asked.for_client));
    }
    let all = store::all_of(tx.reading(), asked.job).await?;
    let untold = store::untold(tx.reading(), asked.job).await?;
    // What was decided since the job last went on.
    let batch: Vec<&Approval> = all.iter().filter(|one| untold.contains(&one.id)).collect();
    let job = jobs::get(tx.reading(), asked.job).await?;
    let waits = job.status == JobStatus::AwaitingApproval;
    if !waits || all.iter().any(|one| one.decision.is_none()) {
        tx.commit().await?;
        return Ok(Verdict::Done);
    }
    let now = tx.reading().now().await?;
    // The run first, then the job, as everywhere.
    if let Some(run) = job.run {
        let since = batch.iter().map(|one| one.requested_at).min();
        let waited = since.map_or(0, |since| (now - since).num_milliseconds());
        let hook = tx.services().hooks.get::<RunSpent>()?.0;
        hook(&mut tx, run, Spent { waited_ms: waited, ..Spent::default() }).await?;
    }
    let job = ending::lock_downwards(&mut tx, asked.job).await?;
    if job.status != JobStatus::AwaitingApproval {
        return Ok(Verdict::Done);
    }
    for one in &batch {
        let decision = one.decision.unwrap_or(Decision::Expired);
        let step = NewStepRow {
            run: job.run,
            job: Some(job.id),
            agent: job.agent,
            kind: StepKind::Approval,
            title: &format!("{}: {}", decision.label(), one.title),
            payload: json!({"approval": one.id, "decision": decision, "by": one.by, "note": one.note}),
            began: one.requested_at,
            took: (now - one.requested_at).to_std().unwrap_or_default(),
            tokens: None,
            cost: None,
            error: None,
        };
        record(&mut tx, &step).await?;
    }
    // A job that has begun reads the decisions itself; one that waits for its start goes or does not.
    let start = all.iter().rfind(|one| one.tool.is_none() && job.progress.is_none());
    if let Some(reason) = start.and_then(refusal) {
        ending::end(&mut tx, &job, JobStatus::Failed, None, Some(&reason)).await?;
        tx.commit().await?;
        return Ok(Verdict::Done);
    }
    if let Some(edited) = start.and_then(|one| one.edited.as_deref()) {
        jobs::set_prompt(&mut tx, job.id, edited).await?;
    }
    let timeout_at = adding::waits_until(&mut tx).await?;
    let waits = jobs::Waits {
        status: JobStatus::Queued,
        reason: None,
        until: None,
        memory_mb: job.memory_limit_mb,
        retry_count: job.retry_count,
        timeout_at,
    };
    jobs::wait(&mut tx, job.id, &waits).await?;
    queue::put(&mut tx, job.id, &job.snapshot.pool, Duration::ZERO).await?;
    tx.wake(QUEUE);
    ending::notify(&mut tx, job.id, job.run);
    tx.commit().await?;
    Ok(Verdict::Done)
}
