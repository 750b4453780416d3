//! Statements about events: written when something happened, taken when they are given out.

use patchbay_access::server::{ReadTx, WriteTx};
use patchbay_shared::AppError;
use patchbay_shared::ids::{ClientId, WebhookEventId};

use crate::model::{EventType, Subject};
use crate::server::events::Event;

/// Whether somebody in the workspace listens.
pub(crate) async fn is_anybody_there(tx: &mut ReadTx) -> Result<bool, AppError> {
    Ok(sqlx::query_scalar!("select tells_others from workspaces where id = $1", tx.workspace_uuid())
        .fetch_one(tx.conn())
        .await?)
}

/// The same, looked up where listeners stand. In the transaction that changed one of them.
pub(crate) async fn has_listeners(tx: &mut ReadTx) -> Result<bool, AppError> {
    Ok(sqlx::query_scalar!(
        r#"select exists (select from webhook_endpoints where workspace_id = $1 and removed_at is null)
               or exists (select from integrations where workspace_id = $1 and removed_at is null and type not in ('twilio', 'plivo'))
               or exists (select from text_rules where workspace_id = $1 and removed_at is null and enabled) as "is!""#,
        tx.workspace_uuid()
    )
    .fetch_one(tx.conn())
    .await?)
}

/// Writes events down, if anybody listens. Gives how many.
pub(crate) async fn insert(tx: &mut WriteTx, events: &[Event]) -> Result<u64, AppError> {
    let ids: Vec<uuid::Uuid> = events.iter().map(|event| event.id.0).collect();
    let kinds: Vec<String> = events.iter().map(|event| event.kind.as_str().to_owned()).collect();
    let clients: Vec<Option<uuid::Uuid>> = events.iter().map(|event| event.client_id.map(|id| id.0)).collect();
    let subjects: Vec<String> = events.iter().map(|event| event.subject.as_str().to_owned()).collect();
    let subject_ids: Vec<uuid::Uuid> = events.iter().map(|event| event.subject_id).collect();
    let bodies: Vec<String> = events.iter().map(|event| event.body.clone()).collect();
    let times: Vec<chrono::DateTime<chrono::Utc>> = events.iter().map(|event| event.occurred_at).collect();
    let done = sqlx::query!(
        "insert into webhook_events (workspace_id, id, type, client_id, subject, subject_id, body, occurred_at)
         select $1, n.id, n.type, n.client_id, n.subject, n.subject_id, n.body, n.occurred_at
         from unnest($2::uuid[], $3::text[], $4::uuid[], $5::text[], $6::uuid[], $7::text[], $8::timestamptz[])
              as n (id, type, client_id, subject, subject_id, body, occurred_at)
         where exists (select from workspaces where id = $1 and tells_others)",
        tx.workspace_uuid(),
        &ids,
        &kinds,
        &clients as &[Option<uuid::Uuid>],
        &subjects,
        &subject_ids,
        &bodies,
        &times,
    )
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected())
}

/// Writes a test down, which is given to one endpoint alone, whoever else listens.
pub(crate) async fn insert_given(tx: &mut WriteTx, event: &Event) -> Result<(), AppError> {
    sqlx::query!(
        "insert into webhook_events (workspace_id, id, type, client_id, subject, subject_id, body, occurred_at, given_out_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, now())",
        tx.workspace_uuid(),
        event.id.0,
        event.kind.as_str(),
        event.client_id.map(|id| id.0),
        event.subject.as_str(),
        event.subject_id,
        event.body,
        event.occurred_at,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Marks the oldest new events as given out, so many at most, and gives them. Those that another worker is giving out are left to it.
pub(crate) async fn take_new(tx: &mut WriteTx, most: i64) -> Result<Vec<Event>, AppError> {
    let rows = sqlx::query!(
        r#"update webhook_events set given_out_at = now()
           where workspace_id = $1 and id in (
             select id from webhook_events where workspace_id = $1 and given_out_at is null order by id limit $2 for update skip locked)
           returning id as "id: WebhookEventId", type as kind, client_id as "client_id: ClientId", subject, subject_id, body, occurred_at"#,
        tx.workspace_uuid(),
        most
    )
    .fetch_all(tx.conn())
    .await?;
    let mut events: Vec<Event> = rows
        .into_iter()
        .filter_map(|row| {
            // A kind that an older version of this program wrote, and this one does not know, is told to nobody.
            let kind: EventType = row.kind.parse().ok()?;
            let subject: Subject = row.subject.parse().ok()?;
            Some(Event {
                id: row.id,
                kind,
                client_id: row.client_id,
                subject,
                subject_id: row.subject_id,
                body: row.body,
                occurred_at: row.occurred_at,
            })
        })
        .collect();
    events.sort_unstable_by_key(|event| event.id.0);
    Ok(events)
}

/// Whether an event has waited longer than any job would let it.
pub(crate) async fn has_lost(tx: &mut ReadTx) -> Result<bool, AppError> {
    Ok(sqlx::query_scalar!(
        r#"select exists (select from webhook_events where workspace_id = $1 and given_out_at is null
                          and occurred_at < now() - interval '5 minutes') as "is!""#,
        tx.workspace_uuid()
    )
    .fetch_one(tx.conn())
    .await?)
}
