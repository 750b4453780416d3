//! What calls came to with each version of a prompt.

use chrono::{DateTime, Utc};

use patchbay_access::server::ReadTx;
use patchbay_shared::AppError;
use patchbay_shared::ids::PromptId;

/// Calls of one version.
pub(crate) struct OfVersion {
    pub version: i32,
    pub calls: i64,
    pub answered: i64,
    pub goals: i64,
}

/// Calls since a moment, by version, the newest first. What a call counts as is as in the list of calls.
pub(crate) async fn since(tx: &mut ReadTx, prompt: PromptId, from: DateTime<Utc>) -> Result<Vec<OfVersion>, AppError> {
    Ok(sqlx::query_as!(
        OfVersion,
        r#"select prompt_version as "version!", count(*) as "calls!", count(*) filter (where result = 'answered') as "answered!",
                  count(*) filter (where result = 'answered' and goal_reached) as "goals!"
           from calls where workspace_id = $1 and prompt_id = $2 and started_at >= $3 and prompt_version is not null
           group by prompt_version order by prompt_version desc limit 100"#,
        tx.workspace_uuid(),
        prompt.0,
        from
    )
    .fetch_all(tx.conn())
    .await?)
}
