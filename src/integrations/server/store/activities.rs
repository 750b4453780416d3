//! Activities of a CRM, a row for each person that one belongs to.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use patchbay_access::server::WriteTx;
use patchbay_shared::AppError;
use patchbay_shared::ids::{ClientId, IntegrationId};

/// One of them for one person.
pub(crate) struct NewActivity<'a> {
    pub remote_id: &'a str,
    pub contact: &'a str,
    pub title: &'a str,
    pub body: &'a str,
    pub state: &'a str,
    pub at: DateTime<Utc>,
    pub changed_at: Option<DateTime<Utc>>,
}

/// Writes what is new or changed, and gives the ids there with whether each was new. No pair of record and person may come twice.
pub(crate) async fn put(
    tx: &mut WriteTx,
    integration: IntegrationId,
    client: ClientId,
    kind: &str,
    rows: &[NewActivity<'_>],
) -> Result<Vec<(String, bool)>, AppError> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<Uuid> = rows.iter().map(|_| Uuid::now_v7()).collect();
    let texts = |of: fn(&NewActivity<'_>) -> String| rows.iter().map(of).collect::<Vec<String>>();
    let at: Vec<DateTime<Utc>> = rows.iter().map(|row| row.at).collect();
    let changed: Vec<Option<DateTime<Utc>>> = rows.iter().map(|row| row.changed_at).collect();
    let done = sqlx::query!(
        r#"insert into integration_activities as a (workspace_id, id, integration_id, client_id, kind, remote_id, remote_contact, title, body,
                  state, at, remote_changed_at)
           select $1, e.id, $2, $3, $4, e.remote, e.contact, e.title, e.body, e.state, e.at, e.changed
           from unnest($5::uuid[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[], $11::timestamptz[], $12::timestamptz[])
                as e (id, remote, contact, title, body, state, at, changed)
           on conflict (workspace_id, integration_id, kind, remote_id, remote_contact) do update
             set title = excluded.title, body = excluded.body, state = excluded.state, at = excluded.at,
                 remote_changed_at = excluded.remote_changed_at, updated_at = now()
             where (a.title, a.body, a.state, a.at) is distinct from (excluded.title, excluded.body, excluded.state, excluded.at)
           returning a.remote_id, a.created_at = a.updated_at as "is_new!""#,
        tx.workspace_uuid(),
        integration.0,
        client.0,
        kind,
        &ids,
        &texts(|row| row.remote_id.to_owned()),
        &texts(|row| row.contact.to_owned()),
        &texts(|row| row.title.to_owned()),
        &texts(|row| row.body.to_owned()),
        &texts(|row| row.state.to_owned()),
        &at,
        &changed as &[Option<DateTime<Utc>>],
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(done.into_iter().map(|row| (row.remote_id, row.is_new)).collect())
}

/// Of these records, people to whom they belong no more are taken away; `remote` and `contacts` are the pairs that are left. Gives the
/// records that lost somebody.
pub(crate) async fn keep_only(
    tx: &mut WriteTx,
    integration: IntegrationId,
    kind: &str,
    ids: &[String],
    (remote, contacts): (&[String], &[String]),
) -> Result<Vec<String>, AppError> {
    Ok(sqlx::query_scalar!(
        "delete from integration_activities
         where workspace_id = $1 and integration_id = $2 and kind = $3 and remote_id = any($4)
           and not exists (select from unnest($5::text[], $6::text[]) as left_ (remote, contact)
                           where left_.remote = remote_id and left_.contact = remote_contact)
         returning remote_id",
        tx.workspace_uuid(),
        integration.0,
        kind,
        ids,
        remote,
        contacts
    )
    .fetch_all(tx.conn())
    .await?)
}

/// Records that are there no more. Gives id and title of those that were here.
pub(crate) async fn remove(
    tx: &mut WriteTx,
    integration: IntegrationId,
    kind: &str,
    ids: &[String],
) -> Result<Vec<(String, String)>, AppError> {
    let mut gone: Vec<(String, String)> = sqlx::query!(
        "delete from integration_activities where workspace_id = $1 and integration_id = $2 and kind = $3 and remote_id = any($4)
         returning remote_id, title",
        tx.workspace_uuid(),
        integration.0,
        kind,
        ids
    )
    .fetch_all(tx.conn())
    .await?
    .into_iter()
    .map(|row| (row.remote_id, row.title))
    .collect();
    gone.sort();
    gone.dedup();
    Ok(gone)
}

/// A person lives on as another one there: what belongs to them goes along.
pub(crate) async fn carry(tx: &mut WriteTx, integration: IntegrationId, old: &str, into: &str) -> Result<(), AppError> {
    sqlx::query!(
        "update integration_activities a set remote_contact = $4, updated_at = now()
         where a.workspace_id = $1 and a.integration_id = $2 and a.remote_contact = $3
           and not exists (select from integration_activities b where b.workspace_id = $1 and b.integration_id = $2 and b.kind = a.kind
                             and b.remote_id = a.remote_id and b.remote_contact = $4)",
        tx.workspace_uuid(),
        integration.0,
        old,
        into
    )
    .execute(tx.conn())
    .await?;
    // What both had, the other one has.
    sqlx::query!(
        "delete from integration_activities where workspace_id = $1 and integration_id = $2 and remote_contact = $3",
        tx.workspace_uuid(),
        integration.0,
        old
    )
    .execute(tx.conn())
    .await?;
    sqlx::query!(
        "update integration_links d
         set facts = d.facts || jsonb_build_object('contact', $4::text), updated_at = now(),
             contact_id = coalesce((select l.contact_id from integration_links l where l.workspace_id = $1 and l.integration_id = $2
                                      and l.kind = 'contact' and l.remote_id = $4 and l.removed_at is null), d.contact_id)
         where d.workspace_id = $1 and d.integration_id = $2 and d.kind = 'deal' and d.facts ->> 'contact' = $3",
        tx.workspace_uuid(),
        integration.0,
        old,
        into
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// The same for all who were merged into one, also those who never came in here.
pub(crate) async fn carry_all(
    tx: &mut WriteTx,
    integration: IntegrationId,
    old: &[String],
    into: &str,
) -> Result<(), AppError> {
    let left = sqlx::query_scalar!(
        r#"select remote_contact as "id!" from integration_activities
           where workspace_id = $1 and integration_id = $2 and remote_contact = any($3)
           union select facts ->> 'contact' from integration_links
           where workspace_id = $1 and integration_id = $2 and kind = 'deal' and facts ->> 'contact' = any($3)"#,
        tx.workspace_uuid(),
        integration.0,
        old
    )
    .fetch_all(tx.conn())
    .await?;
    for id in left.into_iter().filter(|id| id != into) {
        carry(tx, integration, &id, into).await?;
    }
    Ok(())
}

/// Deals whose person came in after them find them.
pub(crate) async fn attach_deals(tx: &mut WriteTx, integration: IntegrationId) -> Result<(), AppError> {
    sqlx::query!(
        "update integration_links d set contact_id = l.contact_id, updated_at = now()
         from integration_links l
         where d.workspace_id = $1 and d.integration_id = $2 and d.kind = 'deal' and d.contact_id is null and d.removed_at is null
           and l.workspace_id = $1 and l.integration_id = $2 and l.kind = 'contact' and l.remote_id = d.facts ->> 'contact'
           and l.contact_id is not null and l.removed_at is null",
        tx.workspace_uuid(),
        integration.0
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Another account has other people, or the integration is gone.
pub(crate) async fn forget(tx: &mut WriteTx, integration: IntegrationId) -> Result<(), AppError> {
    sqlx::query!(
        "delete from integration_activities where workspace_id = $1 and integration_id = $2",
        tx.workspace_uuid(),
        integration.0
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}
