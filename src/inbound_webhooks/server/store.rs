//! Statements on webhook_queue.

use chrono::{DateTime, Utc};
use serde_json::Value;
use uuid::Uuid;

use crate::model::{Body, ProcessingStatus, Webhook, WebhookList, WebhookQuery, WebhookRow};
use patchbay_access::Action;
use patchbay_access::server::{ReadTx, WriteTx};
use patchbay_providers::json;
use patchbay_shared::ids::{ConnectionId, WebhookId};
use patchbay_shared::{AppError, Cursor, Page, zone};

/// The channel that wakes this queue's workers.
pub(crate) const BELL: &str = "webhooks";
/// Rows on a page of the list.
pub(crate) const PAGE: usize = 50;
/// Failed events are counted up to here.
const COUNTED: i64 = 1000;
/// Bodies larger than this are shown as text, cut.
const LARGEST_TREE: usize = 200 * 1024;
const LONGEST_TEXT: usize = 20_000;

/// An event that was found genuine.
pub(crate) struct NewWebhook<'a> {
    pub connection: ConnectionId,
    pub provider: &'a str,
    pub event_id: &'a str,
    pub kind: &'a str,
    pub headers: Value,
    pub body: &'a [u8],
}

/// An event as the worker reads it.
pub(crate) struct Stored {
    pub provider: String,
    pub event_id: String,
    pub body: Vec<u8>,
    /// When it first came.
    pub received_at: DateTime<Utc>,
}

/// Puts an event into the queue. False: it was there already, which is as good.
pub(crate) async fn insert(tx: &mut WriteTx, new: &NewWebhook<'_>) -> Result<bool, AppError> {
    let done = sqlx::query!(
        "insert into webhook_queue (id, workspace_id, connection_id, provider, event_id, event_type, headers, raw_body)
         values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict (workspace_id, provider, event_id) do nothing",
        Uuid::now_v7(),
        tx.workspace_uuid(),
        new.connection.0,
        new.provider,
        new.event_id,
        new.kind,
        new.headers,
        new.body,
    )
    .execute(tx.conn())
    .await?;
    tx.wake(BELL);
    Ok(done.rows_affected() == 1)
}

/// One event for the worker. Errors: `NotFound`.
pub(crate) async fn item(tx: &mut ReadTx, id: Uuid) -> Result<Stored, AppError> {
    Ok(sqlx::query_as!(
        Stored,
        "select provider, event_id, raw_body as body, received_at from webhook_queue where workspace_id = $1 and id = $2",
        tx.workspace_uuid(),
        id
    )
    .fetch_one(tx.conn())
    .await?)
}

/// A remark on an event that is done, for the person who reads the list.
pub(crate) async fn remark(tx: &mut WriteTx, id: Uuid, note: &str) -> Result<(), AppError> {
    sqlx::query!(
        "update webhook_queue set last_error = $3 where workspace_id = $1 and id = $2",
        tx.workspace_uuid(),
        id,
        note
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// A page of the list, newest first, `limit` rows on it.
pub async fn list(tx: &mut ReadTx, query: &WebhookQuery, limit: usize) -> Result<WebhookList, AppError> {
    let cursor = Cursor::parse(query.cursor.as_deref()).filter(|cursor| cursor.key.parse::<Uuid>().is_ok());
    let key: Option<Uuid> = cursor.as_ref().and_then(|cursor| cursor.key.parse().ok());
    let (older, newer) = if cursor.as_ref().is_some_and(|cursor| !cursor.older) { (None, key) } else { (key, None) };
    let status = query.status.as_deref().and_then(|word| word.parse::<ProcessingStatus>().ok());
    // Two arms, of which one never runs: each reads its own direction of the index.
    let rows = sqlx::query!(
        r#"select q.id as "id!", q.received_at as "received_at!", q.provider as "provider!", q.event_type as "event_type!",
                  q.status as "status!: ProcessingStatus", q.attempts as "attempts!", q.last_error
           from (
             (select id, received_at, provider, event_type, status, attempts, last_error from webhook_queue
              where workspace_id = $1 and $3::uuid is null and ($2::uuid is null or id < $2)
                and ($4::text is null or status::text = $4) and ($5::text is null or provider = $5) and ($6::text is null or event_type = $6)
              order by id desc limit $7)
             union all
             (select id, received_at, provider, event_type, status, attempts, last_error from webhook_queue
              where workspace_id = $1 and id > $3
                and ($4::text is null or status::text = $4) and ($5::text is null or provider = $5) and ($6::text is null or event_type = $6)
              order by id asc limit $7)
           ) q order by q.id desc"#,
        tx.workspace_uuid(),
        older,
        newer,
        status.map(ProcessingStatus::as_str),
        query.provider.as_deref(),
        query.kind.as_deref(),
        limit as i64 + 1,
    )
    .fetch_all(tx.conn())
    .await?;
    let (now, zone_of_viewer) = (Utc::now(), tx.scope().zone());
    let mut rows: Vec<WebhookRow> = rows
        .into_iter()
        .map(|row| WebhookRow {
            id: row.id.to_string(),
            received: zone::exact(row.received_at, now, zone_of_viewer),
            provider: row.provider,
            kind: row.event_type,
            status: row.status,
            attempts: row.attempts,
            note: row.last_error,
        })
        .collect();
    if newer.is_some() {
        // `cut` wants rows in the direction they were read.
        rows.reverse();
    }
    let page = Page::cut(rows, limit, cursor.as_ref(), |row| row.id.clone());
    let failed = sqlx::query_scalar!(
        r#"select count(*) as "count!" from (select from webhook_queue where workspace_id = $1 and status = 'failed' limit $2) counted"#,
        tx.workspace_uuid(),
        COUNTED
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(WebhookList { page, failed, may_replay: tx.scope().may(Action::ReplayQueues) })
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

/// The same for failed events, oldest first, at most 10,000. Gives how many.
pub(crate) async fn replay_failed(tx: &mut WriteTx) -> Result<u64, AppError> {
    let done = sqlx::query!(
        "update webhook_queue set status = 'pending', attempts = 0, worker_deaths = 0, next_attempt_at = now(), last_error = null, processed_at = null
         where workspace_id = $1 and id in (
           select id from webhook_queue where workspace_id = $1 and status = 'failed' order by id limit 10000 for update skip locked)",
        tx.workspace_uuid()
    )
    .execute(tx.conn())
    .await?;
    tx.wake(BELL);
    Ok(done.rows_affected())
}
