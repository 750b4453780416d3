//! Statements about steps.

use uuid::Uuid;

use crate::server::hooks::Spent;
use crate::server::steps::NewStepRow;
use patchbay_access::server::WriteTx;
use patchbay_shared::AppError;
use patchbay_shared::ids::ExecutionJobId;

pub(crate) async fn insert(tx: &mut WriteTx, new: &NewStepRow<'_>) -> Result<(), AppError> {
    let count = |tokens: u64| i32::try_from(tokens).unwrap_or(i32::MAX);
    sqlx::query!(
        "insert into execution_steps (workspace_id, id, supervisor_run_id, job_id, agent_id, kind, title, payload, began, took_ms,
                                      prompt_tokens, completion_tokens, cost, error)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
        tx.workspace_uuid(),
        Uuid::now_v7(),
        new.run.map(|id| id.0),
        new.job.map(|id| id.0),
        new.agent.map(|id| id.0),
        new.kind.as_str(),
        new.title.replace('\0', "\u{fffd}"),
        new.payload,
        new.began,
        i32::try_from(new.took.as_millis()).unwrap_or(i32::MAX),
        new.tokens.map(|(read, _)| count(read)),
        new.tokens.map(|(_, written)| count(written)),
        new.cost,
        new.error.map(|text| text.replace('\0', "\u{fffd}")),
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Adds to the counters of a job.
pub(crate) async fn count(tx: &mut WriteTx, job: ExecutionJobId, spent: &Spent) -> Result<(), AppError> {
    sqlx::query!(
        "update execution_jobs set steps = steps + $3, tokens = tokens + $4, cost = cost + $5, is_unpriced = is_unpriced or $6
         where workspace_id = $1 and id = $2",
        tx.workspace_uuid(),
        job.0,
        spent.steps,
        spent.tokens,
        spent.cost,
        spent.is_unpriced,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}
