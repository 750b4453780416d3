//! What pages show of execution: `jobs` and `job`, `approvals`, `control` of the control room, `choices` of forms.

pub(crate) mod approvals;
pub(crate) mod choices;
pub(crate) mod control;
pub(crate) mod job;
pub(crate) mod jobs;

use patchbay_access::server::ReadTx;
use patchbay_shared::AppError;

/// For the rest of the transaction: a filter that is not set must cost nothing, so each statement is planned for the values it has.
async fn plan_for_values(tx: &mut ReadTx) -> Result<(), AppError> {
    sqlx::raw_sql(
        "set local plan_cache_mode = force_custom_plan; set local jit = off; set local max_parallel_workers_per_gather = 0",
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}
