//! What the page of webhooks reads of deliveries: a page of the list, and one of them with its tries.

use chrono::{DateTime, Utc};
use serde_json::Value;
use uuid::Uuid;

use crate::model::{
    AttemptView, DeliveryQuery, DeliveryRow, DeliveryState, DeliveryView, EventType, When, laid_out, message_id,
};
use patchbay_access::server::ReadTx;
use patchbay_shared::ids::{DeliveryId, WebhookEndpointId, WebhookEventId};
use patchbay_shared::page::{read_time_key, time_key};
use patchbay_shared::search::filled;
use patchbay_shared::zone::{Tz, exact, instant};
use patchbay_shared::{AppError, Cursor, Page};

/// Tries that are shown of one delivery.
const MOST_SHOWN: i64 = 40;

struct Found {
    id: DeliveryId,
    event_id: WebhookEventId,
    event_type: String,
    occurred_at: DateTime<Utc>,
    state: String,
    tries: i32,
    tries_in_row: i32,
    last_status: Option<i32>,
    last_error: Option<String>,
    last_ms: Option<i32>,
    next_try_at: Option<DateTime<Utc>>,
    replayed_at: Option<DateTime<Utc>>,
    sending: bool,
}

impl Found {
    fn shown(self, now: DateTime<Utc>, zone: Tz) -> DeliveryRow {
        DeliveryRow {
            id: self.id,
            at: exact(self.occurred_at, now, zone),
            state: if self.sending {
                DeliveryState::Sending
            } else {
                self.state.parse().unwrap_or(DeliveryState::Held)
            },
            event: self.event_type.parse().unwrap_or(EventType::Test),
            message_id: message_id(self.event_id),
            tries: self.tries,
            tries_in_row: self.tries_in_row,
            last_status: self.last_status,
            last_error: self.last_error,
            last_ms: self.last_ms,
            next: self.next_try_at.map(|at| exact(at, now, zone)),
            replayed: self.replayed_at.is_some(),
        }
    }
}

/// The columns of a row, in the order of the one index that the list is read by.
macro_rules! found {
    ($tx:expr, $asked:expr, $compare:literal, $order:literal) => {
        sqlx::query_as!(
            Found,
            r#"select id as "id: DeliveryId", event_id as "event_id: WebhookEventId", event_type, occurred_at, state, tries, tries_in_row,
                      last_status, last_error, last_ms, next_try_at, replayed_at,
                      exists (select from delivery_queue q where q.workspace_id = $1 and q.id = webhook_deliveries.id and q.lease_until > now()) as "sending!"
               from webhook_deliveries
               where workspace_id = $1 and endpoint_id = $2 and ($3::timestamptz is null or occurred_at >= $3)
                 and ($4::text is null or state = $4) and ($5::text is null or event_type = $5)
                 and ($6::timestamptz is null or "#
                + $compare
                + ") order by "
                + $order
                + " limit $8",
            $tx.workspace_uuid(),
            $asked.endpoint.0,
            $asked.from,
            $asked.state,
            $asked.event,
            $asked.place.map(|(at, _)| at),
            $asked.place.map(|(_, id)| id),
            $asked.limit as i64 + 1,
        )
        .fetch_all($tx.conn())
        .await?
    };
}

struct Asked {
    endpoint: WebhookEndpointId,
    from: Option<DateTime<Utc>>,
    state: Option<String>,
    event: Option<String>,
    place: Option<(DateTime<Utc>, Uuid)>,
    limit: usize,
}

/// Deliveries of an endpoint by the time of their events, newest first unless the query says otherwise.
pub(crate) async fn list(
    tx: &mut ReadTx,
    endpoint: WebhookEndpointId,
    query: &DeliveryQuery,
    limit: usize,
) -> Result<Page<DeliveryRow>, AppError> {
    let (now, zone) = (tx.now().await?, tx.scope().zone());
    let cursor = Cursor::parse(query.cursor.as_deref()).filter(|cursor| read_time_key(&cursor.key).is_some());
    let oldest_first = query.sort.as_deref() == Some("at");
    let is_onward = cursor.as_ref().is_none_or(|cursor| cursor.older);
    let asked = Asked {
        endpoint,
        from: query.when.as_deref().and_then(|word| word.parse().ok()).map(|when| begins(when, now, zone)),
        state: filled(query.state.as_deref()),
        event: filled(query.event.as_deref()),
        place: cursor.as_ref().and_then(|cursor| read_time_key(&cursor.key)),
        limit,
    };
    let rows: Vec<Found> = if oldest_first == is_onward {
        found!(tx, asked, "(occurred_at, id) > ($6, $7::uuid)", "occurred_at, id")
    } else {
        found!(tx, asked, "(occurred_at, id) < ($6, $7::uuid)", "occurred_at desc, id desc")
    };
    let page = Page::cut(rows, limit, cursor.as_ref(), |row| time_key(row.occurred_at, row.id.0));
    Ok(page.map(|row| row.shown(now, zone)))
}

fn begins(when: When, now: DateTime<Utc>, zone: Tz) -> DateTime<Utc> {
    match when {
        When::Today => instant(now.with_timezone(&zone).date_naive(), chrono::NaiveTime::MIN, zone),
        When::Day => now - chrono::TimeDelta::days(1),
        When::Week => now - chrono::TimeDelta::days(7),
    }
}

/// One delivery of the endpoint with its tries; the one that is shown has this number, or is the last. Errors: `NotFound`.
pub(crate) async fn opened(
    tx: &mut ReadTx,
    endpoint: WebhookEndpointId,
    id: DeliveryId,
    number: Option<i32>,
) -> Result<DeliveryView, AppError> {
    let (now, zone) = (tx.now().await?, tx.scope().zone());
    let row = sqlx::query_as!(
        Found,
        r#"select id as "id: DeliveryId", event_id as "event_id: WebhookEventId", event_type, occurred_at, state, tries, tries_in_row,
                  last_status, last_error, last_ms, next_try_at, replayed_at,
                  exists (select from delivery_queue q where q.workspace_id = $1 and q.id = webhook_deliveries.id and q.lease_until > now()) as "sending!"
           from webhook_deliveries where workspace_id = $1 and endpoint_id = $2 and id = $3"#,
        tx.workspace_uuid(),
        endpoint.0,
        id.0
    )
    .fetch_one(tx.conn())
    .await?;
    let event = sqlx::query!(
        "select subject, subject_id, body from webhook_events where workspace_id = $1 and id = $2",
        tx.workspace_uuid(),
        row.event_id.0
    )
    .fetch_one(tx.conn())
    .await?;
    let attempts = sqlx::query!(
        r#"select number, at from webhook_attempts where workspace_id = $1 and delivery_id = $2 order by number desc limit $3"#,
        tx.workspace_uuid(),
        id.0,
        MOST_SHOWN
    )
    .fetch_all(tx.conn())
    .await?;
    let tries: Vec<_> = attempts.iter().rev().map(|row| (row.number, exact(row.at, now, zone))).collect();
    let number = number.filter(|number| tries.iter().any(|(known, _)| known == number));
    let attempt = match number.or_else(|| tries.last().map(|(number, _)| *number)) {
        Some(number) => Some(attempt(tx, id, number, now, zone).await?),
        None => None,
    };
    let about = match event.subject.as_str() {
        "call" => Some(("Open the call", "calls")),
        "batch" => Some(("Open the batch", "batches")),
        "contact" => Some(("Open the contact", "contacts")),
        "client" => Some(("Open the client", "clients")),
        _ => None,
    };
    Ok(DeliveryView {
        row: row.shown(now, zone),
        about: about.map(|(words, path)| (words.to_owned(), format!("/{path}/{}", event.subject_id))),
        bytes: event.body.len() as i64,
        laid_out: laid_out(&event.body),
        body: event.body,
        tries,
        attempt,
    })
}

async fn attempt(
    tx: &mut ReadTx,
    delivery: DeliveryId,
    number: i32,
    now: DateTime<Utc>,
    zone: Tz,
) -> Result<AttemptView, AppError> {
    let row = sqlx::query!(
        "select number, at, request_headers, status, error, ms, remote, response_headers, response_body from webhook_attempts
         where workspace_id = $1 and delivery_id = $2 and number = $3",
        tx.workspace_uuid(),
        delivery.0,
        number
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(AttemptView {
        number: row.number,
        at: exact(row.at, now, zone),
        request_headers: pairs(&row.request_headers),
        status: row.status,
        error: row.error,
        ms: row.ms,
        remote: row.remote,
        response_headers: row.response_headers.as_ref().map(pairs).unwrap_or_default(),
        response_body: row.response_body,
    })
}

/// Headers as they were kept: a list of pairs, or an object.
fn pairs(stored: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    match stored {
        Value::Array(rows) => rows.iter().filter_map(|row| Some((text(row.get(0)?), text(row.get(1)?)))).collect(),
        Value::Object(rows) => rows.iter().map(|(name, value)| (name.clone(), text(value))).collect(),
        _ => Vec::new(),
    }
}
