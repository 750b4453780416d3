//! Steps of runs that are no call.

use rust_decimal::prelude::ToPrimitive;

use crate::model::{RunStep, StepEvent};
use crate::server::record::NewStep;
use patchbay_access::server::{ReadTx, WriteTx};
use patchbay_shared::ids::RunId;
use patchbay_shared::{AppError, Money};

/// Adds a step, and what it took to the run's sums.
pub(crate) async fn add(tx: &mut WriteTx, run: RunId, step: &NewStep<'_>) -> Result<(), AppError> {
    let tokens = step.tokens.unwrap_or_default();
    let (read, written) = (tokens.read.to_i32().unwrap_or(i32::MAX), tokens.written.to_i32().unwrap_or(i32::MAX));
    let has_tokens = step.tokens.is_some();
    // The run's row is held, so that two who add to it at once number their steps one after the other.
    sqlx::query!(
        "update agent_runs set prompt_tokens = prompt_tokens + $3, completion_tokens = completion_tokens + $4,
                cost = cost + coalesce($5::numeric, 0), is_unpriced = is_unpriced or $6, error = coalesce(error, $7)
         where workspace_id = $1 and id = $2",
        tx.workspace_uuid(),
        run.0,
        i64::from(if has_tokens { read } else { 0 }),
        i64::from(if has_tokens { written } else { 0 }),
        tokens.cost,
        has_tokens && tokens.cost.is_none(),
        step.error,
    )
    .execute(tx.conn())
    .await?;
    sqlx::query!(
        "insert into run_logs (workspace_id, id, run_id, step, event_type, message, payload, timestamp, took_ms, error, prompt_tokens,
                               completion_tokens, cost)
         select $1, $2, $3, coalesce((select max(l.step) from run_logs l where l.workspace_id = $1 and l.run_id = $3), 0) + 1,
                $4, $5, $6, $7, $8, $9, $10, $11, $12",
        tx.workspace_uuid(),
        uuid::Uuid::now_v7(),
        run.0,
        step.event.as_str(),
        step.message,
        step.payload,
        step.began,
        i32::try_from(step.took.as_millis()).unwrap_or(i32::MAX),
        step.error,
        has_tokens.then_some(read),
        has_tokens.then_some(written),
        tokens.cost,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// The first steps of a run, `limit` of them.
pub(crate) async fn steps(tx: &mut ReadTx, run: RunId, limit: usize) -> Result<Vec<RunStep>, AppError> {
    let rows = sqlx::query!(
        r#"select l.step, l.event_type as "event: StepEvent", l.message, l.payload, l.took_ms, l.error, l.prompt_tokens, l.completion_tokens, l.cost,
                  (extract(epoch from l.timestamp - r.started_at) * 1000)::bigint as "at_ms!"
           from run_logs l join agent_runs r on r.workspace_id = $1 and r.id = l.run_id
           where l.workspace_id = $1 and l.run_id = $2 order by l.step limit $3"#,
        tx.workspace_uuid(),
        run.0,
        limit as i64
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| RunStep {
            step: row.step,
            event: row.event,
            message: row.message,
            at_ms: row.at_ms.max(0),
            took_ms: row.took_ms.map(i64::from),
            error: row.error,
            read: row.prompt_tokens,
            written: row.completion_tokens,
            cost: row.cost.map(Money),
            payload: row.payload,
            href: None,
        })
        .collect())
}
