//! What a CRM told of its records by itself, and what is forgotten of a record that was erased there.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use patchbay_access::server::{ReadTx, WriteTx};
use patchbay_shared::AppError;
use patchbay_shared::ids::{ClientId, ContactId, IntegrationId};

/// One that came.
pub(crate) struct NewNotice {
    pub key: String,
    pub kind: &'static str,
    pub told: &'static str,
    pub remote_ids: Vec<String>,
    pub at: DateTime<Utc>,
}

/// One about which nothing was done yet.
pub(crate) struct Open {
    pub id: Uuid,
    pub kind: String,
    pub told: String,
    pub remote_ids: Vec<String>,
}

/// Writes them down, each once. Gives how many were new.
pub(crate) async fn insert(
    tx: &mut WriteTx,
    integration: IntegrationId,
    client: ClientId,
    all: &[NewNotice],
) -> Result<u64, AppError> {
    let mut new = 0;
    for one in all {
        let done = sqlx::query!(
            "insert into integration_notices (workspace_id, id, integration_id, client_id, event_key, kind, told, remote_ids, occurred_at)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9) on conflict (workspace_id, integration_id, event_key) do nothing",
            tx.workspace_uuid(),
            Uuid::now_v7(),
            integration.0,
            client.0,
            one.key,
            one.kind,
            one.told,
            &one.remote_ids,
            one.at
        )
        .execute(tx.conn())
        .await?;
        new += done.rows_affected();
    }
    Ok(new)
}

/// The oldest about which nothing was done, first of all who was erased.
pub(crate) async fn open(tx: &mut ReadTx, integration: IntegrationId, most: i64) -> Result<Vec<Open>, AppError> {
    Ok(sqlx::query_as!(
        Open,
        "select id, kind, told, remote_ids from integration_notices
         where workspace_id = $1 and integration_id = $2 and taken_at is null order by told = 'erased' desc, id limit $3",
        tx.workspace_uuid(),
        integration.0,
        most
    )
    .fetch_all(tx.conn())
    .await?)
}

/// Integrations about whose notices nothing was done for a while: their job was lost, or set aside.
pub(crate) async fn forgotten(tx: &mut ReadTx) -> Result<Vec<IntegrationId>, AppError> {
    Ok(sqlx::query_scalar!(
        r#"select distinct integration_id as "id: IntegrationId" from integration_notices
           where workspace_id = $1 and taken_at is null and came_at < now() - interval '1 minute' limit 500"#,
        tx.workspace_uuid()
    )
    .fetch_all(tx.conn())
    .await?)
}

/// Which of these contacts were erased there: a page that was read before, or a list that lags, may still have them.
pub(crate) async fn erased(
    tx: &mut ReadTx,
    integration: IntegrationId,
    remote: &[String],
) -> Result<HashSet<String>, AppError> {
    let rows = sqlx::query_scalar!(
        r#"select distinct one.id as "id!" from integration_notices n, unnest(n.remote_ids) as one (id)
           where n.workspace_id = $1 and n.integration_id = $2 and n.told = 'erased' and n.kind = 'contact' and n.remote_ids && $3"#,
        tx.workspace_uuid(),
        integration.0,
        remote
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().collect())
}

/// Something was done about them.
pub(crate) async fn taken(tx: &mut WriteTx, ids: &[Uuid]) -> Result<(), AppError> {
    sqlx::query!(
        "update integration_notices set taken_at = now() where workspace_id = $1 and id = any($2)",
        tx.workspace_uuid(),
        ids
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// One came just now. Written every ten seconds at most.
pub(crate) async fn came(tx: &mut WriteTx, integration: IntegrationId) -> Result<(), AppError> {
    sqlx::query!(
        "update integrations set noticed_at = now()
         where workspace_id = $1 and id = $2 and (noticed_at is null or noticed_at < now() - interval '10 seconds')",
        tx.workspace_uuid(),
        integration.0
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// One was refused just now, and why. Written every ten seconds at most: anybody may send something here.
pub(crate) async fn refused(tx: &mut WriteTx, integration: IntegrationId, why: &str) -> Result<(), AppError> {
    sqlx::query!(
        "update integrations set notice_refused_at = now(), notice_problem = $3
         where workspace_id = $1 and id = $2
           and (notice_refused_at is null or notice_refused_at < now() - interval '10 seconds')",
        tx.workspace_uuid(),
        integration.0,
        why
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// When the last one came; when one was refused last, and why.
pub(crate) type Known = (Option<DateTime<Utc>>, Option<(DateTime<Utc>, String)>);

pub(crate) async fn known(tx: &mut ReadTx, integration: IntegrationId) -> Result<Known, AppError> {
    let row = sqlx::query!(
        "select noticed_at, notice_refused_at, notice_problem from integrations where workspace_id = $1 and id = $2",
        tx.workspace_uuid(),
        integration.0
    )
    .fetch_one(tx.conn())
    .await?;
    Ok((row.noticed_at, row.notice_refused_at.zip(row.notice_problem)))
}

/// Forgets all that came of these contacts' records, and of those that were merged into them: what both sides agreed on, activities, names
/// and titles in lists. Which contact a record was, and as what it lives on, stays known, so that it is not made there anew. Gives all
/// records that are meant.
pub(crate) async fn forget(
    tx: &mut WriteTx,
    integration: IntegrationId,
    remote: &[String],
) -> Result<Vec<String>, AppError> {
    let links = sqlx::query_scalar!(
        "update integration_links
         set agreed = '{}', removed_at = coalesce(removed_at, now()), updated_at = now(),
             facts = case when facts ? 'lives_on' then jsonb_build_object('lives_on', facts -> 'lives_on') else '{}' end
         where workspace_id = $1 and integration_id = $2 and kind = 'contact'
           and (remote_id = any($3) or facts ? 'lives_on' and facts ->> 'lives_on' = any($3))
         returning remote_id",
        tx.workspace_uuid(),
        integration.0,
        remote
    )
    .fetch_all(tx.conn())
    .await?;
    let mut all: Vec<String> = remote.iter().cloned().chain(links).collect();
    all.sort();
    all.dedup();
    let gone = sqlx::query!(
        "delete from integration_activities where workspace_id = $1 and integration_id = $2 and remote_contact = any($3)
         returning kind, remote_id",
        tx.workspace_uuid(),
        integration.0,
        &all
    )
    .fetch_all(tx.conn())
    .await?;
    let people = all.iter().map(|id| ("contact".to_owned(), id.clone()));
    let (kinds, ids): (Vec<String>, Vec<String>) =
        people.chain(gone.into_iter().map(|row| (row.kind, row.remote_id))).unzip();
    sqlx::query!(
        "update integration_sync_records r set label = '', message = 'Erased at the person’s request.'
         from (select distinct kind, id from unnest($3::text[], $4::text[]) as one (kind, id)) one
         where r.workspace_id = $1 and r.integration_id = $2 and r.remote_id = one.id and r.remote_kind = one.kind",
        tx.workspace_uuid(),
        integration.0,
        &kinds,
        &ids
    )
    .execute(tx.conn())
    .await?;
    Ok(all)
}

/// The names of these contacts in lists of what was exchanged about them, as results of calls.
pub(crate) async fn forget_names(
    tx: &mut WriteTx,
    integration: IntegrationId,
    contacts: &[ContactId],
) -> Result<(), AppError> {
    let ids: Vec<Uuid> = contacts.iter().map(|id| id.0).collect();
    sqlx::query!(
        "update integration_sync_records set label = '', message = 'Erased at the person’s request.'
         where workspace_id = $1 and integration_id = $2 and contact_id = any($3) and label <> ''",
        tx.workspace_uuid(),
        integration.0,
        &ids
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Notices of more than three days ago are forgotten.
pub(crate) async fn prune(tx: &mut WriteTx) -> Result<(), AppError> {
    sqlx::query!(
        "delete from integration_notices where workspace_id = $1 and came_at < now() - interval '3 days'",
        tx.workspace_uuid()
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}
