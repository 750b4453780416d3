//! What an import left to be fetched.

use patchbay_access::server::ReadTx;
use patchbay_shared::AppError;
use patchbay_shared::ids::CallId;

/// How much waits in the queue, counted up to `most`.
pub(crate) async fn queued(tx: &mut ReadTx, most: i64) -> Result<i64, AppError> {
    Ok(sqlx::query_scalar!(
        r#"select count(*) as "count!" from (select from enrichment_queue where workspace_id = $1 and status = 'pending' limit $2) counted"#,
        tx.workspace_uuid(),
        most
    )
    .fetch_one(tx.conn())
    .await?)
}

/// Imported calls whose words wait outside the queue, the newest first.
pub(crate) async fn without_words(tx: &mut ReadTx, most: i64) -> Result<Vec<CallId>, AppError> {
    Ok(sqlx::query_scalar!(
        r#"select c.id as "id: CallId" from calls c
         where c.workspace_id = $1 and c.source = 'historical_sync' and c.transcript_status = 'pending' and c.ended_at is not null
           and not exists (select from enrichment_queue q where q.workspace_id = $1 and q.call_id = c.id and q.type = 'transcript')
         order by c.started_at desc, c.id desc limit $2"#,
        tx.workspace_uuid(),
        most
    )
    .fetch_all(tx.conn())
    .await?)
}
