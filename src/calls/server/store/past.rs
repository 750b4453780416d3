//! What an import left to be fetched.

use uuid::Uuid;

use patchbay_access::server::{ReadTx, WriteTx};
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

/// Says what becomes of the recordings of calls with talk.
pub(crate) async fn wish_recordings(tx: &mut WriteTx, calls: &[CallId], wish: &str) -> Result<(), AppError> {
    let ids: Vec<Uuid> = calls.iter().map(|call| call.0).collect();
    sqlx::query!(
        "update calls set recording_wish = $3 where workspace_id = $1 and id = any($2) and joined_at is not null and recording_key is null",
        tx.workspace_uuid(),
        &ids,
        wish
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Calls whose recordings are being asked for, counted up to `most`.
pub(crate) async fn awaited_recordings(tx: &mut ReadTx, most: i64) -> Result<i64, AppError> {
    Ok(sqlx::query_scalar!(
        r#"select count(*) as "count!" from (select from calls where workspace_id = $1 and awaits_recording limit $2) counted"#,
        tx.workspace_uuid(),
        most
    )
    .fetch_one(tx.conn())
    .await?)
}

/// From now on the recordings of up to `most` calls are asked for, that waited for it, the newest first.
pub(crate) async fn take_waiting_recordings(tx: &mut WriteTx, most: i64) -> Result<Vec<CallId>, AppError> {
    Ok(sqlx::query_scalar!(
        r#"update calls set recording_wish = null, awaits_recording = recording_key is null, updated_at = now()
           where workspace_id = $1 and id in (
             select id from calls where workspace_id = $1 and recording_wish = 'waits'
             order by started_at desc, id desc limit greatest($2::bigint, 0) for update skip locked)
           returning id as "id: CallId""#,
        tx.workspace_uuid(),
        most
    )
    .fetch_all(tx.conn())
    .await?)
}

/// Whether a recording waits to be asked for.
pub(crate) async fn do_recordings_wait(tx: &mut ReadTx) -> Result<bool, AppError> {
    Ok(sqlx::query_scalar!(
        r#"select exists (select from calls where workspace_id = $1 and recording_wish = 'waits') as "waits!""#,
        tx.workspace_uuid()
    )
    .fetch_one(tx.conn())
    .await?)
}

/// Somebody asks for the recording that an import left. False: it is here, or is being asked for already.
pub(crate) async fn ask_for_recording(tx: &mut WriteTx, id: CallId) -> Result<bool, AppError> {
    let done = sqlx::query!(
        "update calls set recording_wish = null, awaits_recording = true, updated_at = now()
         where workspace_id = $1 and id = $2 and recording_wish is not null and recording_key is null",
        tx.workspace_uuid(),
        id.0
    )
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected() == 1)
}
