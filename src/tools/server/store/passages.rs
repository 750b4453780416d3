//! Passages of knowledge that uses of tools gave to models.

use crate::model::KeptPassage;
use patchbay_access::server::ReadTx;
use patchbay_shared::AppError;
use patchbay_shared::ids::{RunId, ToolInvocationId};

/// Uses that are looked at for one call or run.
const MOST_USES: i64 = 200;

/// What the uses in a run gave, in their order. The run of a call has the call's own id.
pub(crate) async fn of_run(tx: &mut ReadTx, run: RunId) -> Result<Vec<(ToolInvocationId, Vec<KeptPassage>)>, AppError> {
    let rows = sqlx::query!(
        r#"select id, passages as "passages!" from tool_invocations
           where workspace_id = $1 and (call_id = $2 or run_id = $2) and passages is not null order by id limit $3"#,
        tx.workspace_uuid(),
        run.0,
        MOST_USES
    )
    .fetch_all(tx.conn())
    .await?;
    let kept = rows.into_iter().map(|row| {
        let passages = serde_json::from_value(row.passages)
            .inspect_err(|error| tracing::warn!(id = %row.id, cause = %error, "kept passages cannot be read"));
        (ToolInvocationId(row.id), passages.unwrap_or_default())
    });
    Ok(kept.collect())
}
