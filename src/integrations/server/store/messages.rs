//! Messages to systems that take them one by one, and from them.

use serde_json::Value;
use uuid::Uuid;

use crate::model::IntegrationType;
use patchbay_access::server::{ReadTx, WriteTx};
use patchbay_shared::AppError;
use patchbay_shared::ids::{ClientId, IntegrationId, IntegrationMessageId};

/// Slack and custom systems, which are told events.
pub(crate) struct Listener {
    pub id: IntegrationId,
    pub client_id: Option<ClientId>,
    pub kind: IntegrationType,
    pub config: Value,
}

/// All of them that were not removed, also paused ones: what is to be told waits.
pub(crate) async fn listeners(tx: &mut ReadTx) -> Result<Vec<Listener>, AppError> {
    Ok(sqlx::query_as!(
        Listener,
        r#"select id as "id: IntegrationId", client_id as "client_id: ClientId", type as "kind: IntegrationType", config
           from integrations where workspace_id = $1 and removed_at is null and type in ('slack', 'custom_api') order by id"#,
        tx.workspace_uuid()
    )
    .fetch_all(tx.conn())
    .await?)
}

/// A message that is to be sent.
pub(crate) struct NewMessage {
    pub integration: IntegrationId,
    pub client_id: Option<ClientId>,
    pub event_type: String,
    /// The event's id, which makes it one message.
    pub external_id: String,
    pub subject: Option<&'static str>,
    pub subject_id: Option<Uuid>,
    pub body: String,
}

/// Writes messages that wait to be sent, in their order. One that is known stays as it is.
pub(crate) async fn insert_out(tx: &mut WriteTx, new: &[NewMessage]) -> Result<u64, AppError> {
    let ids: Vec<Uuid> = new.iter().map(|_| IntegrationMessageId::new().0).collect();
    let integrations: Vec<Uuid> = new.iter().map(|one| one.integration.0).collect();
    let clients: Vec<Option<Uuid>> = new.iter().map(|one| one.client_id.map(|id| id.0)).collect();
    let types: Vec<String> = new.iter().map(|one| one.event_type.clone()).collect();
    let externals: Vec<String> = new.iter().map(|one| one.external_id.clone()).collect();
    let subjects: Vec<Option<String>> = new.iter().map(|one| one.subject.map(str::to_owned)).collect();
    let subject_ids: Vec<Option<Uuid>> = new.iter().map(|one| one.subject_id).collect();
    let bodies: Vec<String> = new.iter().map(|one| one.body.clone()).collect();
    let done = sqlx::query!(
        "insert into integration_messages
           (workspace_id, id, integration_id, client_id, direction, event_type, external_id, subject, subject_id, body, state, next_try_at)
         select $1, n.id, n.integration, n.client, 'out', n.type, n.external, n.subject, n.subject_id, n.body, 'waiting', now()
         from unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::text[], $7::text[], $8::uuid[], $9::text[])
           as n (id, integration, client, type, external, subject, subject_id, body)
         on conflict (workspace_id, integration_id, direction, external_id) where external_id is not null do nothing",
        tx.workspace_uuid(),
        &ids,
        &integrations,
        &clients as &[Option<Uuid>],
        &types,
        &externals,
        &subjects as &[Option<String>],
        &subject_ids as &[Option<Uuid>],
        &bodies
    )
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected())
}

/// A message that was taken to be sent.
#[derive(Debug, Clone)]
pub(crate) struct Taken {
    pub id: IntegrationMessageId,
    pub client_id: Option<ClientId>,
    pub client: Option<String>,
    pub event_type: String,
    pub external_id: Option<String>,
    pub subject: Option<String>,
    pub subject_id: Option<Uuid>,
    pub body: String,
    pub tries: i32,
}

/// Takes the first of what is due, or with `types` up to `most` of these types. It comes again in two minutes unless it is settled; whoever
/// sends it must still have this number of tries then. Looked for once: as a part of the update it may be done again for each row, and
/// take more than was asked for.
pub(crate) async fn take(
    tx: &mut WriteTx,
    integration: IntegrationId,
    types: Option<&[String]>,
    most: i64,
) -> Result<Vec<Taken>, AppError> {
    let mut taken = sqlx::query_as!(
        Taken,
        r#"with due as materialized (
             select q.id from integration_messages q
             where q.workspace_id = $1 and q.integration_id = $2 and q.state = 'waiting' and q.next_try_at <= now()
               and ($3::text[] is null or q.event_type = any($3))
             order by q.id limit $4 for update skip locked)
           update integration_messages m set tries = m.tries + 1, next_try_at = now() + interval '2 minutes'
           from due where m.workspace_id = $1 and m.id = due.id
           returning m.id as "id: IntegrationMessageId", m.client_id as "client_id: ClientId",
                     (select name from clients where workspace_id = $1 and id = m.client_id) as "client?", m.event_type, m.external_id,
                     m.subject, m.subject_id, m.body, m.tries"#,
        tx.workspace_uuid(),
        integration.0,
        types as Option<&[String]>,
        most
    )
    .fetch_all(tx.conn())
    .await?;
    taken.sort_by_key(|one| one.id.0);
    Ok(taken)
}

/// What is due: the type of the first, and how many of these types there are, counted to a hundred.
pub(crate) async fn due(
    tx: &mut ReadTx,
    integration: IntegrationId,
    types: &[String],
) -> Result<Option<(String, i64)>, AppError> {
    let first = sqlx::query_scalar!(
        "select event_type from integration_messages
         where workspace_id = $1 and integration_id = $2 and state = 'waiting' and next_try_at <= now() order by id limit 1",
        tx.workspace_uuid(),
        integration.0
    )
    .fetch_optional(tx.conn())
    .await?;
    let Some(first) = first else { return Ok(None) };
    let count = sqlx::query_scalar!(
        r#"select count(*) as "count!" from (
             select from integration_messages
             where workspace_id = $1 and integration_id = $2 and state = 'waiting' and next_try_at <= now() and event_type = any($3)
             limit 100) as waiting"#,
        tx.workspace_uuid(),
        integration.0,
        types
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(Some((first, count)))
}

/// Seconds until the next message is due. None: nothing waits.
pub(crate) async fn next(tx: &mut ReadTx, integration: IntegrationId) -> Result<Option<f64>, AppError> {
    Ok(sqlx::query_scalar!(
        "select extract(epoch from min(next_try_at) - now())::float8 from integration_messages
         where workspace_id = $1 and integration_id = $2 and state = 'waiting'",
        tx.workspace_uuid(),
        integration.0
    )
    .fetch_one(tx.conn())
    .await?)
}

/// How sending ended.
pub(crate) struct Settled<'a> {
    pub state: &'a str,
    pub answer_status: Option<i32>,
    pub answer: Option<&'a str>,
    pub problem: Option<&'a str>,
    /// What was sent. None: what stands there stays.
    pub body: Option<&'a str>,
}

/// Writes how sending ended. False: somebody else has taken it meanwhile.
pub(crate) async fn settle(tx: &mut WriteTx, taken: &Taken, how: &Settled<'_>) -> Result<bool, AppError> {
    let done = sqlx::query!(
        "update integration_messages
         set state = $4, next_try_at = null, answer_status = $5, answer = $6, problem = $7, body = coalesce($8, body), done_at = now()
         where workspace_id = $1 and id = $2 and tries = $3 and state = 'waiting'",
        tx.workspace_uuid(),
        taken.id.0,
        taken.tries,
        how.state,
        how.answer_status,
        how.answer,
        how.problem,
        how.body
    )
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Puts a message back, to be tried in so many seconds. `counts`: it was a try of its own.
pub(crate) async fn put_back(
    tx: &mut WriteTx,
    taken: &Taken,
    seconds: f64,
    counts: bool,
    problem: Option<&str>,
    answer_status: Option<i32>,
) -> Result<(), AppError> {
    sqlx::query!(
        "update integration_messages
         set next_try_at = now() + make_interval(secs => $4), tries = tries - case when $5 then 0 else 1 end, problem = $6, answer_status = $7
         where workspace_id = $1 and id = $2 and tries = $3 and state = 'waiting'",
        tx.workspace_uuid(),
        taken.id.0,
        taken.tries,
        seconds,
        counts,
        problem,
        answer_status
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Messages that failed wait again; one of them, or all. Gives how many.
pub(crate) async fn again(
    tx: &mut WriteTx,
    integration: IntegrationId,
    one: Option<IntegrationMessageId>,
) -> Result<u64, AppError> {
    let done = sqlx::query!(
        "update integration_messages set state = 'waiting', tries = 0, next_try_at = now(), problem = null, done_at = null
         where workspace_id = $1 and integration_id = $2 and direction = 'out' and state = 'failed' and ($3::uuid is null or id = $3)",
        tx.workspace_uuid(),
        integration.0,
        one.map(|id| id.0)
    )
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected())
}

/// Whatever waits is tried now.
pub(crate) async fn hurry(tx: &mut WriteTx, integration: IntegrationId) -> Result<(), AppError> {
    sqlx::query!(
        "update integration_messages set next_try_at = now()
         where workspace_id = $1 and integration_id = $2 and state = 'waiting' and next_try_at > now()",
        tx.workspace_uuid(),
        integration.0
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Integrations with messages that are due.
pub(crate) async fn waiting(tx: &mut ReadTx) -> Result<Vec<IntegrationId>, AppError> {
    Ok(sqlx::query_scalar!(
        r#"select distinct integration_id as "id: IntegrationId" from integration_messages
           where workspace_id = $1 and state = 'waiting' and next_try_at <= now()"#,
        tx.workspace_uuid()
    )
    .fetch_all(tx.conn())
    .await?)
}

/// Messages of a month ago are forgotten, but for what waits.
pub(crate) async fn prune(tx: &mut WriteTx, days: i32) -> Result<(), AppError> {
    sqlx::query!(
        "delete from integration_messages
         where workspace_id = $1 and state <> 'waiting' and at < now() - make_interval(days => $2)
           and id in (select id from integration_messages
                      where workspace_id = $1 and state <> 'waiting' and at < now() - make_interval(days => $2) order by at limit 5000)",
        tx.workspace_uuid(),
        days
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// What came in the last minute.
pub(crate) async fn in_last_minute(tx: &mut ReadTx, integration: IntegrationId) -> Result<i64, AppError> {
    Ok(sqlx::query_scalar!(
        r#"select count(*) as "count!" from integration_messages
           where workspace_id = $1 and integration_id = $2 and at > now() - interval '1 minute' and direction = 'in'"#,
        tx.workspace_uuid(),
        integration.0
    )
    .fetch_one(tx.conn())
    .await?)
}

/// Something that came in, with what was answered.
pub(crate) struct Came<'a> {
    pub id: IntegrationMessageId,
    pub integration: IntegrationId,
    pub client_id: Option<ClientId>,
    pub external_id: Option<&'a str>,
    pub contact: Option<Uuid>,
    pub body: &'a str,
    pub is_taken: bool,
    pub answer_status: i32,
    pub answer: &'a str,
    pub problem: Option<&'a str>,
}

pub(crate) async fn insert_in(tx: &mut WriteTx, came: &Came<'_>) -> Result<(), AppError> {
    sqlx::query!(
        "insert into integration_messages (workspace_id, id, integration_id, client_id, direction, event_type, external_id, subject, subject_id,
                                           body, state, answer_status, answer, problem, done_at)
         values ($1, $2, $3, $4, 'in', 'contacts', $5, case when $6::uuid is not null then 'contact' end, $6, $7, $8, $9, $10, $11, now())",
        tx.workspace_uuid(),
        came.id.0,
        came.integration.0,
        came.client_id.map(|id| id.0),
        came.external_id,
        came.contact,
        came.body,
        if came.is_taken { "taken" } else { "refused" },
        came.answer_status,
        came.answer,
        came.problem
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// What was answered to the sender's id before: its status and words.
pub(crate) async fn answered(
    tx: &mut ReadTx,
    integration: IntegrationId,
    external: &str,
) -> Result<Option<(i32, String)>, AppError> {
    let row = sqlx::query!(
        r#"select answer_status as "status!", answer as "answer!" from integration_messages
           where workspace_id = $1 and integration_id = $2 and direction = 'in' and external_id = $3
             and answer_status is not null and answer is not null"#,
        tx.workspace_uuid(),
        integration.0,
        external
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|row| (row.status, row.answer)))
}

/// The client that an integration belongs to is archived.
pub(crate) async fn rests(tx: &mut ReadTx, client: Option<ClientId>) -> Result<bool, AppError> {
    let Some(client) = client else { return Ok(false) };
    Ok(sqlx::query_scalar!(
        r#"select exists (select from clients where workspace_id = $1 and id = $2 and status = 'archived') as "rests!""#,
        tx.workspace_uuid(),
        client.0
    )
    .fetch_one(tx.conn())
    .await?)
}
