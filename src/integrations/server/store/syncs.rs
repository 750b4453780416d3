//! Syncs, and what became of each record in one.

use chrono::{DateTime, Utc};
use serde_json::Value;
use uuid::Uuid;

use crate::model::{Reach, SyncStatus, SyncType};
use patchbay_access::server::{ReadTx, WriteTx};
use patchbay_shared::AppError;
use patchbay_shared::ids::{CallId, ClientId, ContactId, IntegrationId, SyncId, UserId};

#[derive(Debug, Clone)]
pub(crate) struct Sync {
    pub id: SyncId,
    pub integration: IntegrationId,
    pub client: Option<ClientId>,
    pub kind: SyncType,
    pub reach: Reach,
    pub status: SyncStatus,
    pub cursor: Option<Value>,
    pub items_read: i32,
    pub items_written: i32,
    pub user: Option<UserId>,
}

/// Begins a sync. False: one is running already.
pub(crate) async fn insert(tx: &mut WriteTx, sync: &Sync) -> Result<bool, AppError> {
    let done = sqlx::query!(
        "insert into integration_sync_logs (workspace_id, id, integration_id, client_id, sync_type, reach, cursor, user_id)
         values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict (workspace_id, integration_id) where status = 'running' do nothing",
        tx.workspace_uuid(),
        sync.id.0,
        sync.integration.0,
        sync.client.map(|id| id.0),
        sync.kind as SyncType,
        sync.reach.as_str(),
        sync.cursor,
        sync.user.map(|id| id.0)
    )
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Errors: `NotFound`.
pub(crate) async fn get(tx: &mut ReadTx, id: SyncId) -> Result<Sync, AppError> {
    Ok(sqlx::query_as!(
        Sync,
        r#"select id as "id: SyncId", integration_id as "integration: IntegrationId", client_id as "client: ClientId",
                  sync_type as "kind: SyncType", reach as "reach: Reach", status as "status: SyncStatus", cursor, items_read, items_written,
                  user_id as "user: UserId"
           from integration_sync_logs where workspace_id = $1 and id = $2"#,
        tx.workspace_uuid(),
        id.0
    )
    .fetch_one(tx.conn())
    .await?)
}

/// The same, held against other workers until the commit.
pub(crate) async fn lock(tx: &mut WriteTx, id: SyncId) -> Result<Sync, AppError> {
    sqlx::query_scalar!(
        "select id from integration_sync_logs where workspace_id = $1 and id = $2 for update",
        tx.workspace_uuid(),
        id.0
    )
    .fetch_one(tx.conn())
    .await?;
    get(tx.reading(), id).await
}

/// Holds the one that runs until the commit. Syncs are held before their integration, as everywhere.
pub(crate) async fn lock_running(tx: &mut WriteTx, integration: IntegrationId) -> Result<(), AppError> {
    sqlx::query_scalar!(
        "select id from integration_sync_logs where workspace_id = $1 and integration_id = $2 and status = 'running' for update",
        tx.workspace_uuid(),
        integration.0
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(())
}

pub(crate) async fn running(tx: &mut ReadTx, integration: IntegrationId) -> Result<Option<SyncId>, AppError> {
    Ok(sqlx::query_scalar!(
        r#"select id as "id: SyncId" from integration_sync_logs where workspace_id = $1 and integration_id = $2 and status = 'running'"#,
        tx.workspace_uuid(),
        integration.0
    )
    .fetch_optional(tx.conn())
    .await?)
}

/// All syncs that have not ended and do not rest, with the time before which nothing is asked.
pub(crate) async fn all_running(tx: &mut ReadTx) -> Result<Vec<(SyncId, Option<DateTime<Utc>>)>, AppError> {
    let rows = sqlx::query!(
        r#"select l.id as "id: SyncId", i.wait_until from integration_sync_logs l
           join integrations i on i.workspace_id = $1 and i.id = l.integration_id
           where l.workspace_id = $1 and l.status = 'running' and i.paused_at is null and i.removed_at is null order by l.id limit 500"#,
        tx.workspace_uuid()
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(|row| (row.id, row.wait_until)).collect())
}

/// What a step did, for the sync's counters.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub read: i32,
    pub written: i32,
    pub skipped: i32,
    pub failed: i32,
}

/// A step is done: the place where it goes on, and its counts.
pub(crate) async fn advance(tx: &mut WriteTx, id: SyncId, cursor: &Value, tally: Tally) -> Result<(), AppError> {
    sqlx::query!(
        "update integration_sync_logs
         set cursor = $3, items_read = items_read + $4, items_written = items_written + $5, items_skipped = items_skipped + $6,
             items_failed = items_failed + $7, items_synced = items_synced + $4 + $5, error_message = null
         where workspace_id = $1 and id = $2",
        tx.workspace_uuid(),
        id.0,
        cursor,
        tally.read,
        tally.written,
        tally.skipped,
        tally.failed
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// It waits, and why.
pub(crate) async fn set_waiting(tx: &mut WriteTx, id: SyncId, cursor: &Value, why: &str) -> Result<(), AppError> {
    sqlx::query!(
        "update integration_sync_logs set cursor = $3, error_message = $4 where workspace_id = $1 and id = $2 and status = 'running'",
        tx.workspace_uuid(),
        id.0,
        cursor,
        why
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// It is over. False: it was over before.
pub(crate) async fn end(
    tx: &mut WriteTx,
    id: SyncId,
    status: SyncStatus,
    error: Option<&str>,
    cancelled: bool,
) -> Result<bool, AppError> {
    let done = sqlx::query!(
        "update integration_sync_logs
         set status = $3, error_message = $4, finished_at = now(), cancel_requested_at = case when $5 then now() end
         where workspace_id = $1 and id = $2 and status = 'running'",
        tx.workspace_uuid(),
        id.0,
        status as SyncStatus,
        error,
        cancelled
    )
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected() == 1)
}

/// What a sync did with one record.
#[derive(Debug, Clone, Default)]
pub(crate) struct Entry {
    pub action: &'static str,
    pub result: &'static str,
    pub kind: &'static str,
    pub remote_id: Option<String>,
    pub contact: Option<ContactId>,
    pub call: Option<CallId>,
    pub label: String,
    pub message: String,
}

pub(crate) async fn insert_entries(tx: &mut WriteTx, sync: &Sync, entries: &[Entry]) -> Result<(), AppError> {
    if entries.is_empty() {
        return Ok(());
    }
    let ids: Vec<Uuid> = entries.iter().map(|_| Uuid::now_v7()).collect();
    let texts = |of: fn(&Entry) -> String| entries.iter().map(of).collect::<Vec<String>>();
    let cut = |text: &str, most: usize| text.chars().filter(|c| *c != '\0').take(most).collect::<String>();
    let labels: Vec<String> = entries.iter().map(|entry| cut(&entry.label, 200)).collect();
    let messages: Vec<String> = entries.iter().map(|entry| cut(&entry.message, 500)).collect();
    let remote: Vec<Option<String>> = entries.iter().map(|entry| entry.remote_id.clone()).collect();
    let contacts: Vec<Option<Uuid>> = entries.iter().map(|entry| entry.contact.map(|id| id.0)).collect();
    let calls: Vec<Option<Uuid>> = entries.iter().map(|entry| entry.call.map(|id| id.0)).collect();
    sqlx::query!(
        "insert into integration_sync_records (workspace_id, id, sync_id, integration_id, client_id, action, result, remote_kind, remote_id,
                contact_id, call_id, label, message)
         select $1, e.id, $2, $3, $4, e.action, e.result, e.kind, e.remote, e.contact, e.call, e.label, e.message
         from unnest($5::uuid[], $6::text[], $7::text[], $8::text[], $9::text[], $10::uuid[], $11::uuid[], $12::text[], $13::text[])
              as e (id, action, result, kind, remote, contact, call, label, message)",
        tx.workspace_uuid(),
        sync.id.0,
        sync.integration.0,
        sync.client.map(|id| id.0),
        &ids,
        &texts(|entry| entry.action.to_owned()),
        &texts(|entry| entry.result.to_owned()),
        &texts(|entry| entry.kind.to_owned()),
        &remote as &[Option<String>],
        &contacts as &[Option<Uuid>],
        &calls as &[Option<Uuid>],
        &labels,
        &messages
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Syncs of more than ninety days ago are forgotten with their records, some at a time.
pub(crate) async fn prune(tx: &mut WriteTx, before: DateTime<Utc>) -> Result<(), AppError> {
    let old = sqlx::query_scalar!(
        "select id from integration_sync_logs where workspace_id = $1 and created_at < $2 and status <> 'running' order by id limit 50",
        tx.workspace_uuid(),
        before
    )
    .fetch_all(tx.conn())
    .await?;
    sqlx::query!(
        "delete from integration_sync_records where workspace_id = $1 and sync_id = any($2)",
        tx.workspace_uuid(),
        &old
    )
    .execute(tx.conn())
    .await?;
    sqlx::query!(
        "delete from integration_sync_logs where workspace_id = $1 and id = any($2)",
        tx.workspace_uuid(),
        &old
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}
