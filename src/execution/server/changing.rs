//! What people do with jobs beside cancelling them: have them tried anew, move them, and let a breaker try now.

use std::time::Duration;

use serde_json::json;

use super::QUEUE;
use super::adding::{details, rule_at_start, usable_target, waits_until};
use super::approvals::refusal;
use super::asking::{self, Asked};
use super::ending::{notify, record_job, wrong_state};
use super::hooks::RunMayGoOn;
use super::store::{approvals, circuits, jobs, queue, starting};
use crate::model::JobStatus;
use crate::model::moves::may_move;
use patchbay_access::server::{Change, Fields, WriteTx};
use patchbay_jobs::live::Topic;
use patchbay_shared::AppError;
use patchbay_shared::ids::{CircuitId, ExecutionJobId, TargetId};

/// Has an ended job tried anew, with another memory or on another target if they are named. Errors: `Invalid` at the field, `Conflict`
/// when it has not failed.
pub async fn requeue(
    tx: &mut WriteTx,
    id: ExecutionJobId,
    memory_mb: Option<i32>,
    target: Option<TargetId>,
) -> Result<(), AppError> {
    let job = jobs::lock(tx, id).await?;
    let waits_anew = job.status == JobStatus::Queued && job.next_attempt_at.is_none();
    if waits_anew || job.status == JobStatus::AwaitingApproval {
        // Sent twice.
        return Ok(());
    }
    if !matches!(job.status, JobStatus::Failed | JobStatus::Oom) || !may_move(job.status, JobStatus::Queued) {
        return Err(wrong_state("Only a job that has failed is queued again. Look at how it stands now."));
    }
    if job.parent.is_some() {
        return Err(wrong_state("Another job asked for this one and has gone on without it. Queue that one again."));
    }
    if let Some(run) = job.run {
        let hook = tx.services().hooks.get::<RunMayGoOn>()?.0;
        if let Some(why) = hook(tx.reading(), run).await?.stop {
            return Err(wrong_state(&format!("{why} Have the run’s message worked on again instead.")));
        }
        // Somebody else may have the same task by now.
        if starting::is_followed(tx.reading(), run, id).await? {
            return Err(wrong_state("Its run has gone on without it. Have the run’s message worked on again instead."));
        }
    }
    let memory = memory_mb.unwrap_or(job.memory_limit_mb);
    let snapshot = usable_target(tx, target.unwrap_or(job.target), memory).await?;
    jobs::set_target(tx, id, &snapshot).await?;
    jobs::forget(tx, id).await?;
    // What somebody let start is not asked about again; what somebody rejected, or nobody decided, is.
    let asked = approvals::all_of(tx.reading(), id).await?;
    let is_let = asked.iter().rfind(|one| one.tool.is_none()).is_some_and(|one| refusal(one).is_none());
    let rule = match is_let {
        true => None,
        false => rule_at_start(tx, &job.config, job.run, false).await?,
    };
    let status = if rule.is_some() { JobStatus::AwaitingApproval } else { JobStatus::Queued };
    let minutes = rule.as_ref().map_or(0, |rule| i64::from(rule.minutes));
    let timeout_at = waits_until(tx).await? + chrono::TimeDelta::minutes(minutes);
    let waits = jobs::Waits { status, reason: None, until: None, memory_mb: memory, retry_count: 0, timeout_at };
    jobs::wait(tx, id, &waits).await?;
    match &rule {
        Some(rule) => {
            let asked = Asked {
                job: id,
                run: job.run,
                client: job.client,
                rule,
                tool: None,
                title: &job.title,
                details: details(&job.config, &snapshot.name, memory),
                content: &job.prompt,
            };
            asking::ask(tx, &asked).await?;
        }
        None => {
            queue::put(tx, id, &snapshot.pool, Duration::ZERO).await?;
            tx.wake(QUEUE);
        }
    }
    let side = |status: JobStatus, memory: i32, target: &str| json!({"title": job.title, "status": status, "memory_mb": memory, "target": target});
    let fields = Fields::Changed {
        before: side(job.status, job.memory_limit_mb, &job.snapshot.name),
        after: side(status, memory, &snapshot.name),
    };
    let change =
        Change { action: "queued again", entity: "execution_job", entity_id: Some(id.0), client_id: None, fields };
    tx.audit(change).await?;
    notify(tx, id, job.run);
    Ok(())
}

/// Has a waiting job run elsewhere. Errors: `Invalid` at the field, `Conflict` when it does not wait.
pub async fn move_to(tx: &mut WriteTx, id: ExecutionJobId, target: TargetId) -> Result<(), AppError> {
    let job = jobs::lock(tx, id).await?;
    if !matches!(job.status, JobStatus::Queued | JobStatus::FailedCircuitOpen) {
        return Err(wrong_state("Only a job that waits for its turn is moved. Look at how it stands now."));
    }
    if !jobs::open_children(tx.reading(), id).await?.is_empty() {
        return Err(wrong_state("This job waits for a script that it asked for. Move that one."));
    }
    let snapshot = usable_target(tx, target, job.memory_limit_mb).await?;
    if job.target == target && job.snapshot.pool == snapshot.pool {
        return Ok(());
    }
    jobs::set_target(tx, id, &snapshot).await?;
    let waits = jobs::Waits {
        status: JobStatus::Queued,
        reason: None,
        until: None,
        memory_mb: job.memory_limit_mb,
        retry_count: job.retry_count,
        timeout_at: job.timeout_at,
    };
    jobs::wait(tx, id, &waits).await?;
    queue::put(tx, id, &snapshot.pool, Duration::ZERO).await?;
    tx.wake(QUEUE);
    let facts = json!({"title": job.title, "from": job.snapshot.name, "to": snapshot.name});
    record_job(tx, "moved", &job, facts).await?;
    notify(tx, id, job.run);
    Ok(())
}

/// Lets one job try at an open breaker now. Errors: `NotFound`.
pub async fn probe_now(tx: &mut WriteTx, id: CircuitId) -> Result<(), AppError> {
    let circuit = circuits::lock_by_id(tx, id).await?;
    if !circuits::let_probe(tx, id).await? {
        return Ok(());
    }
    wake_waiting(tx, circuit.engine, circuit.target).await?;
    let target = starting::target(tx.reading(), circuit.target).await?.snapshot.name;
    let facts = json!({"target": target, "failures": circuit.failures, "last_reason": circuit.last_reason});
    let fields = Fields::Happened(facts);
    let change =
        Change { action: "probed", entity: "execution_circuit", entity_id: Some(id.0), client_id: None, fields };
    tx.audit(change).await?;
    tx.notify(Topic::list("execution"), None);
    Ok(())
}

/// Has the jobs looked at that wait for a breaker: the first tries, the others wait on.
pub(super) async fn wake_waiting(
    tx: &mut WriteTx,
    engine: patchbay_shared::ids::EngineId,
    target: TargetId,
) -> Result<(), AppError> {
    for (job, pool) in circuits::behind_circuit(tx.reading(), engine, target).await? {
        queue::put(tx, job, &pool, Duration::ZERO).await?;
    }
    tx.wake(QUEUE);
    Ok(())
}
