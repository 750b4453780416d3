//! Statements on webhook_queue.

use std::collections::HashMap;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use serde_json::Value;
use uuid::Uuid;

use crate::model::{Body, ProcessingStatus, Webhook};
use patchbay_access::Action;
use patchbay_access::server::{ReadTx, WriteTx};
use patchbay_providers::json;
use patchbay_shared::ids::{ConnectionId, WebhookId};
use patchbay_shared::{AppError, zone};

/// The channel that wakes this queue's workers.
pub(crate) const BELL: &str = "webhooks";
/// Bodies larger than this are shown as text, cut.
const LARGEST_TREE: usize = 200 * 1024;
const LONGEST_TEXT: usize = 20_000;

/// An event that was found genuine.
pub(crate) struct NewWebhook {
    pub connection: ConnectionId,
    pub provider: &'static str,
    pub event_id: String,
    pub kind: String,
    pub headers: Value,
    pub body: Bytes,
}

/// An event as the worker reads it.
pub(crate) struct Stored {
    pub provider: String,
    pub event_id: String,
    pub body: Vec<u8>,
    /// When it first came.
    pub received_at: DateTime<Utc>,
}

/// Puts events into the queue. Gives how many of them were not there already, which is as good.
pub(crate) async fn insert(tx: &mut WriteTx, new: &[NewWebhook]) -> Result<u64, AppError> {
    // Ids tell the order in which they came; two that store the same events meet them in the order of their names.
    let mut new: Vec<(Uuid, &NewWebhook)> = new.iter().map(|event| (Uuid::now_v7(), event)).collect();
    new.sort_unstable_by(|one, other| one.1.event_id.cmp(&other.1.event_id));
    let (ids, new): (Vec<Uuid>, Vec<&NewWebhook>) = new.into_iter().unzip();
    let connections: Vec<Uuid> = new.iter().map(|event| event.connection.0).collect();
    let providers: Vec<String> = new.iter().map(|event| event.provider.to_owned()).collect();
    let names: Vec<String> = new.iter().map(|event| event.event_id.clone()).collect();
    let kinds: Vec<String> = new.iter().map(|event| event.kind.clone()).collect();
    let headers: Vec<Value> = new.iter().map(|event| event.headers.clone()).collect();
    let bodies: Vec<&[u8]> = new.iter().map(|event| event.body.as_ref()).collect();
    let done = sqlx::query!(
        "insert into webhook_queue (id, workspace_id, connection_id, provider, event_id, event_type, headers, raw_body)
         select n.id, $1, n.connection_id, n.provider, n.event_id, n.event_type, n.headers, n.body
         from unnest($2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::jsonb[], $8::bytea[])
           as n (id, connection_id, provider, event_id, event_type, headers, body)
         on conflict (workspace_id, provider, event_id) do nothing",
        tx.workspace_uuid(),
        &ids,
        &connections,
        &providers,
        &names,
        &kinds,
        &headers,
        &bodies as &[&[u8]],
    )
    .execute(tx.conn())
    .await?;
    tx.wake(BELL);
    Ok(done.rows_affected())
}

/// Events for the worker, by their ids.
pub(crate) async fn items(tx: &mut ReadTx, ids: &[Uuid]) -> Result<HashMap<Uuid, Stored>, AppError> {
    let rows = sqlx::query!(
        "select id, provider, event_id, raw_body as body, received_at from webhook_queue where workspace_id = $1 and id = any($2)",
        tx.workspace_uuid(),
        ids
    )
    .fetch_all(tx.conn())
    .await?;
    let stored = rows.into_iter().map(|row| {
        let (provider, event_id) = (row.provider, row.event_id);
        (row.id, Stored { provider, event_id, body: row.body, received_at: row.received_at })
    });
    Ok(stored.collect())
}

/// Remarks on events that are done, for the person who reads the list.
pub(crate) async fn remark(tx: &mut WriteTx, remarks: &[(Uuid, String)]) -> Result<(), AppError> {
    if remarks.is_empty() {
        return Ok(());
    }
    let (ids, notes): (Vec<Uuid>, Vec<String>) = remarks.iter().cloned().unzip();
    sqlx::query!(
        "update webhook_queue q set last_error = n.note from unnest($2::uuid[], $3::text[]) as n (id, note)
         where q.workspace_id = $1 and q.id = n.id",
        tx.workspace_uuid(),
        &ids,
        &notes
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// One event. Errors: `NotFound`.
pub(crate) async fn get(tx: &mut ReadTx, id: WebhookId) -> Result<Webhook, AppError> {
    let row = sqlx::query!(
        r#"select provider, event_id, event_type, headers, raw_body, status as "status: ProcessingStatus", attempts, max_attempts,
                  next_attempt_at, last_error, received_at, processed_at
           from webhook_queue where workspace_id = $1 and id = $2"#,
        tx.workspace_uuid(),
        id.0
    )
    .fetch_one(tx.conn())
    .await?;
    let (now, zone_of_viewer) = (Utc::now(), tx.scope().zone());
    let stamp = |at| zone::exact(at, now, zone_of_viewer);
    let headers = match row.headers {
        Value::Object(all) => {
            all.into_iter().map(|(name, value)| (name, value.as_str().unwrap_or_default().to_owned())).collect()
        }
        _ => Vec::new(),
    };
    let document = json::read(&row.raw_body).ok();
    let provider_call =
        document.as_ref().and_then(|body| body.pointer("/call/callId")).and_then(Value::as_str).map(str::to_owned);
    let may_replay = tx.scope().may(Action::ReplayQueues);
    Ok(Webhook {
        id: id.to_string(),
        event_id: row.event_id,
        kind: row.event_type,
        status: row.status,
        attempts: row.attempts,
        max_attempts: row.max_attempts,
        next_attempt: (row.status == ProcessingStatus::Pending && row.attempts > 0).then(|| stamp(row.next_attempt_at)),
        note: row.last_error,
        received: stamp(row.received_at),
        processed: row.processed_at.map(stamp),
        headers,
        size: row.raw_body.len() as i64,
        body: match document.filter(|_| row.raw_body.len() <= LARGEST_TREE) {
            Some(document) => Body::Document(document),
            None => Body::Text(String::from_utf8_lossy(&row.raw_body).chars().take(LONGEST_TEXT).collect()),
        },
        call_id: call_of(tx, &row.provider, provider_call.as_deref()).await?,
        provider: row.provider,
        may_replay,
    })
}

async fn call_of(tx: &mut ReadTx, provider: &str, provider_call: Option<&str>) -> Result<Option<String>, AppError> {
    let Some(provider_call) = provider_call else { return Ok(None) };
    let found = sqlx::query_scalar!(
        "select id from calls where workspace_id = $1 and provider = $2 and provider_call_id = $3",
        tx.workspace_uuid(),
        provider,
        provider_call
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(found.map(|id| id.to_string()))
}

/// Puts a finished or failed event back to the start of its life. False: it waits or is being worked on.
pub(crate) async fn replay(tx: &mut WriteTx, id: WebhookId) -> Result<bool, AppError> {
    let done = sqlx::query!(
        "update webhook_queue set status = 'pending', attempts = 0, worker_deaths = 0, next_attempt_at = now(), last_error = null, processed_at = null
         where workspace_id = $1 and id = $2 and status in ('completed', 'failed')",
        tx.workspace_uuid(),
        id.0
    )
    .execute(tx.conn())
    .await?;
    tx.wake(BELL);
    Ok(done.rows_affected() == 1)
}

/// The same for failed events: the oldest after `after`, `most` of them. Gives which.
pub(crate) async fn replay_failed(tx: &mut WriteTx, after: Uuid, most: i64) -> Result<Vec<Uuid>, AppError> {
    let again = sqlx::query_scalar!(
        "update webhook_queue set status = 'pending', attempts = 0, worker_deaths = 0, next_attempt_at = now(), last_error = null, processed_at = null
         where workspace_id = $1 and id in (
           select id from webhook_queue where workspace_id = $1 and status = 'failed' and id > $2 order by id limit $3 for update skip locked)
         returning id",
        tx.workspace_uuid(),
        after,
        most
    )
    .fetch_all(tx.conn())
    .await?;
    tx.wake(BELL);
    Ok(again)
}

/// A failed event counts as done, with what was wrong with it. False: it has not failed.
pub(crate) async fn discard(tx: &mut WriteTx, id: WebhookId) -> Result<bool, AppError> {
    let done = sqlx::query!(
        "update webhook_queue set status = 'completed', processed_at = now(), last_error = 'Set aside. ' || coalesce(last_error, '')
         where workspace_id = $1 and id = $2 and status = 'failed'",
        tx.workspace_uuid(),
        id.0
    )
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected() == 1)
}
