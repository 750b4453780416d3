//! What is to be written, and records that failed and are tried again.

use chrono::{DateTime, Utc};
use serde_json::Value;

use crate::model::Remedy;
use patchbay_access::server::{ReadTx, WriteTx};
use patchbay_shared::AppError;
use patchbay_shared::ids::{CallId, ClientId, ContactId, IntegrationId, PendingRecordId};

/// Tries of a record before a person has to look at it.
pub(crate) const TRIES: i32 = 5;

#[derive(Debug, Clone)]
pub(crate) struct Pending {
    pub id: PendingRecordId,
    pub contact: Option<ContactId>,
    pub call: Option<CallId>,
    pub remote_id: Option<String>,
    pub label: String,
    pub problem: Option<String>,
    pub remedy: Option<Remedy>,
    pub detail: Option<Value>,
}

/// A contact (or its flag) is to be written, at once; one that waits already is tried again from the beginning.
pub(crate) async fn want_contact(
    tx: &mut WriteTx,
    integration: IntegrationId,
    client: ClientId,
    kind: &str,
    contact: ContactId,
    label: &str,
) -> Result<(), AppError> {
    sqlx::query!(
        "insert into integration_pending (workspace_id, id, integration_id, client_id, direction, kind, contact_id, label)
         values ($1, $2, $3, $4, 'write', $5, $6, $7)
         on conflict (workspace_id, integration_id, direction, kind, contact_id) where contact_id is not null and call_id is null
         do update set tries = 0, next_try_at = now(), given_up_at = null, label = excluded.label",
        tx.workspace_uuid(),
        PendingRecordId::new().0,
        integration.0,
        client.0,
        kind,
        contact.0,
        label
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// A call's result is to be written at that time, or earlier.
pub(crate) async fn want_call(
    tx: &mut WriteTx,
    integration: IntegrationId,
    client: ClientId,
    call: CallId,
    contact: Option<ContactId>,
    label: &str,
    at: DateTime<Utc>,
) -> Result<(), AppError> {
    sqlx::query!(
        "insert into integration_pending (workspace_id, id, integration_id, client_id, direction, kind, call_id, contact_id, label, next_try_at)
         values ($1, $2, $3, $4, 'write', 'call', $5, $6, $7, $8)
         on conflict (workspace_id, integration_id, direction, kind, call_id) where call_id is not null
         do update set next_try_at = case when integration_pending.problem is null then least(integration_pending.next_try_at, excluded.next_try_at)
                                          else integration_pending.next_try_at end",
        tx.workspace_uuid(),
        PendingRecordId::new().0,
        integration.0,
        client.0,
        call.0,
        contact.map(|id| id.0),
        label,
        at
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// These contacts of theirs are to be read at once, also those that failed before: they have changed.
pub(crate) async fn want_records(
    tx: &mut WriteTx,
    integration: IntegrationId,
    client: ClientId,
    remote: &[String],
) -> Result<(), AppError> {
    let ids: Vec<uuid::Uuid> = remote.iter().map(|_| PendingRecordId::new().0).collect();
    sqlx::query!(
        "insert into integration_pending (workspace_id, id, integration_id, client_id, direction, kind, remote_id, label)
         select $1, one.id, $2, $3, 'read', 'contact', one.remote, one.remote from unnest($4::uuid[], $5::text[]) as one (id, remote)
         on conflict (workspace_id, integration_id, kind, remote_id) where direction = 'read'
         do update set next_try_at = now(), given_up_at = null",
        tx.workspace_uuid(),
        integration.0,
        client.0,
        &ids,
        remote
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// A record of theirs could not be taken.
pub(crate) struct NewFailure<'a> {
    pub integration: IntegrationId,
    pub client: ClientId,
    pub kind: &'a str,
    pub remote_id: &'a str,
    pub label: &'a str,
    pub problem: &'a str,
    pub remedy: Remedy,
    pub detail: Option<&'a Value>,
}

/// Writes that it failed: it is tried again after a while, and the fifth time a person has to look. Trying cannot help where a person
/// has to say something, so nobody tries.
pub(crate) async fn read_failed(tx: &mut WriteTx, failure: &NewFailure<'_>) -> Result<(), AppError> {
    let problem: String = failure.problem.chars().filter(|c| *c != '\0').take(500).collect();
    let label: String = failure.label.chars().filter(|c| *c != '\0').take(200).collect();
    sqlx::query!(
        "insert into integration_pending as p (workspace_id, id, integration_id, client_id, direction, kind, remote_id, label, tries,
                next_try_at, problem, remedy, detail, given_up_at)
         values ($1, $2, $3, $4, 'read', $5, $6, $7, 1, now() + interval '15 minutes', $8, $9, $10, case when $9 <> 'retry' then now() end)
         on conflict (workspace_id, integration_id, kind, remote_id) where direction = 'read'
         do update set tries = p.tries + 1, next_try_at = now() + interval '15 minutes' * (4 ^ least(p.tries, 4)), problem = excluded.problem,
                remedy = excluded.remedy, detail = coalesce(p.detail, '{}') || coalesce(excluded.detail, '{}'), label = excluded.label,
                given_up_at = case when excluded.remedy <> 'retry' or p.tries + 1 >= $11 then coalesce(p.given_up_at, now()) end",
        tx.workspace_uuid(),
        PendingRecordId::new().0,
        failure.integration.0,
        failure.client.0,
        failure.kind,
        failure.remote_id,
        label,
        problem,
        failure.remedy.as_str(),
        failure.detail,
        TRIES
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// The same for what was to be written.
pub(crate) async fn write_failed(
    tx: &mut WriteTx,
    id: PendingRecordId,
    problem: &str,
    remedy: Remedy,
    detail: Option<&Value>,
) -> Result<(), AppError> {
    let problem: String = problem.chars().filter(|c| *c != '\0').take(500).collect();
    sqlx::query!(
        "update integration_pending set tries = tries + 1, next_try_at = now() + interval '15 minutes' * (4 ^ least(tries, 4)), problem = $3,
                remedy = $4, detail = $5, given_up_at = case when $4 <> 'retry' or tries + 1 >= $6 then coalesce(given_up_at, now()) end
         where workspace_id = $1 and id = $2",
        tx.workspace_uuid(),
        id.0,
        problem,
        remedy.as_str(),
        detail,
        TRIES
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Those that are due, in their order. `kind`: contact, flag, call, or what is read.
pub(crate) async fn due(
    tx: &mut ReadTx,
    integration: IntegrationId,
    direction: &str,
    kind: &str,
    most: i64,
) -> Result<Vec<Pending>, AppError> {
    Ok(sqlx::query_as!(
        Pending,
        r#"select id as "id: PendingRecordId", contact_id as "contact: ContactId", call_id as "call: CallId", remote_id, label, problem,
                  remedy as "remedy: Remedy", detail
           from integration_pending
           where workspace_id = $1 and integration_id = $2 and direction = $3 and kind = $4 and given_up_at is null and next_try_at <= now()
           order by next_try_at, id limit $5"#,
        tx.workspace_uuid(),
        integration.0,
        direction,
        kind,
        most
    )
    .fetch_all(tx.conn())
    .await?)
}

/// One of an integration, held until the commit. Errors: `NotFound`.
pub(crate) async fn lock(
    tx: &mut WriteTx,
    integration: IntegrationId,
    id: PendingRecordId,
) -> Result<Pending, AppError> {
    Ok(sqlx::query_as!(
        Pending,
        r#"select id as "id: PendingRecordId", contact_id as "contact: ContactId", call_id as "call: CallId", remote_id, label, problem,
                  remedy as "remedy: Remedy", detail
           from integration_pending where workspace_id = $1 and integration_id = $2 and id = $3 for update"#,
        tx.workspace_uuid(),
        integration.0,
        id.0
    )
    .fetch_one(tx.conn())
    .await?)
}

/// What persons have said about records of theirs that waited.
pub(crate) async fn said(
    tx: &mut ReadTx,
    integration: IntegrationId,
    kind: &str,
    remote: &[String],
) -> Result<Vec<(String, Option<Value>)>, AppError> {
    let rows = sqlx::query!(
        r#"select remote_id as "remote_id!", detail from integration_pending
           where workspace_id = $1 and integration_id = $2 and direction = 'read' and kind = $3 and remote_id = any($4)"#,
        tx.workspace_uuid(),
        integration.0,
        kind,
        remote
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(|row| (row.remote_id, row.detail)).collect())
}

/// Records of theirs that were taken wait no longer.
pub(crate) async fn taken(
    tx: &mut WriteTx,
    integration: IntegrationId,
    kind: &str,
    remote: &[String],
) -> Result<(), AppError> {
    sqlx::query!(
        "delete from integration_pending where workspace_id = $1 and integration_id = $2 and direction = 'read' and kind = $3 and remote_id = any($4)",
        tx.workspace_uuid(),
        integration.0,
        kind,
        remote
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// It is done. False: it was done before, or is wanted anew with another value.
pub(crate) async fn done(tx: &mut WriteTx, id: PendingRecordId) -> Result<bool, AppError> {
    let done =
        sqlx::query!("delete from integration_pending where workspace_id = $1 and id = $2", tx.workspace_uuid(), id.0)
            .execute(tx.conn())
            .await?;
    Ok(done.rows_affected() == 1)
}

/// It is tried again at once, with what a person has said.
pub(crate) async fn again(tx: &mut WriteTx, id: PendingRecordId, detail: Option<&Value>) -> Result<(), AppError> {
    sqlx::query!(
        "update integration_pending set tries = 0, next_try_at = now(), given_up_at = null, detail = coalesce($3, detail)
         where workspace_id = $1 and id = $2",
        tx.workspace_uuid(),
        id.0,
        detail
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// The same for all that failed and that trying again can help. Gives how many.
pub(crate) async fn all_again(tx: &mut WriteTx, integration: IntegrationId) -> Result<i64, AppError> {
    let done = sqlx::query!(
        "update integration_pending set tries = 0, next_try_at = now(), given_up_at = null
         where workspace_id = $1 and integration_id = $2 and problem is not null and remedy in ('retry', 'map')",
        tx.workspace_uuid(),
        integration.0
    )
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected() as i64)
}

/// Another account has other records: what was to be read of the old one is nothing any more.
pub(crate) async fn forget_reads(tx: &mut WriteTx, integration: IntegrationId) -> Result<(), AppError> {
    sqlx::query!(
        "delete from integration_pending where workspace_id = $1 and integration_id = $2 and direction = 'read'",
        tx.workspace_uuid(),
        integration.0
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// When the first of those is due that is tried by itself.
pub(crate) async fn earliest(tx: &mut ReadTx, integration: IntegrationId) -> Result<Option<DateTime<Utc>>, AppError> {
    Ok(sqlx::query_scalar!(
        "select min(next_try_at) from integration_pending where workspace_id = $1 and integration_id = $2 and given_up_at is null",
        tx.workspace_uuid(),
        integration.0
    )
    .fetch_one(tx.conn())
    .await?)
}
