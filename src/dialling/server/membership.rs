//! Who is in a campaign, and in a batch of it: joining, leaving, and moving to another batch.

use crate::model::ContactStatus;
use patchbay_access::server::{ReadTx, WriteTx};
use patchbay_shared::AppError;
use patchbay_shared::ids::{BatchId, CampaignContactId, CampaignId, ClientId, ContactId};

/// Puts contacts of the campaign's client into it. Those already in it, of another client, or on the do-not-call list are passed
/// over. Gives the number that joined.
pub async fn join(
    tx: &mut WriteTx,
    campaign: CampaignId,
    client: ClientId,
    contacts: &[ContactId],
) -> Result<u64, AppError> {
    let ids: Vec<uuid::Uuid> = contacts.iter().map(|_| uuid::Uuid::now_v7()).collect();
    let contacts: Vec<uuid::Uuid> = contacts.iter().map(|id| id.0).collect();
    let done = sqlx::query!(
        "insert into campaign_contacts (workspace_id, id, client_id, campaign_id, contact_id)
         select $1, chosen.id, $2, $3, c.id
         from unnest($4::uuid[], $5::uuid[]) as chosen (id, contact_id)
         join contacts c on c.workspace_id = $1 and c.id = chosen.contact_id and c.client_id = $2 and not c.do_not_call
         order by chosen.id
         on conflict on constraint campaign_contacts_once do nothing",
        tx.workspace_uuid(),
        client.0,
        campaign.0,
        &ids,
        &contacts
    )
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected())
}

/// Takes contacts that were never dialled, are in no batch and have no call-back out of the campaign: all of them, or one. At most `most`
/// at a time.
pub async fn leave(
    tx: &mut WriteTx,
    campaign: CampaignId,
    only: Option<CampaignContactId>,
    most: i64,
) -> Result<u64, AppError> {
    let done = sqlx::query!(
        "delete from campaign_contacts where workspace_id = $1 and id in (
           select id from campaign_contacts
           where workspace_id = $1 and campaign_id = $2 and status = 'pending' and attempts = 0 and batch_id is null
             and last_call_id is null and ($3::uuid is null or id = $3)
             and not exists (select from call_backs b where b.workspace_id = $1 and b.campaign_contact_id = campaign_contacts.id)
           order by id limit $4 for update skip locked)",
        tx.workspace_uuid(),
        campaign.0,
        only.map(|id| id.0),
        most
    )
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected())
}

/// The client's contacts with these numbers join the campaign, in this order, but nobody on the do-not-call list. An archived campaign
/// takes nobody.
pub async fn join_by_phone(
    tx: &mut WriteTx,
    campaign: CampaignId,
    client: ClientId,
    phones: &[&str],
) -> Result<(), AppError> {
    let ids: Vec<uuid::Uuid> = phones.iter().map(|_| uuid::Uuid::now_v7()).collect();
    sqlx::query(
        "insert into campaign_contacts (workspace_id, id, client_id, campaign_id, contact_id)
         select $1, s.member_id, $2, ca.id, c.id
         from unnest($4::uuid[], $5::text[]) as s (member_id, phone)
         join contacts c on c.workspace_id = $1 and c.client_id = $2 and c.phone = s.phone and not c.do_not_call
         join campaigns ca on ca.workspace_id = $1 and ca.id = $3 and ca.client_id = $2 and ca.status <> 'archived'
         order by s.member_id
         on conflict on constraint campaign_contacts_once do nothing",
    )
    .bind(tx.workspace_uuid())
    .bind(client)
    .bind(campaign)
    .bind(ids)
    .bind(phones)
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// How many contacts a batch has now, and how many of them are not done.
#[derive(Debug, Clone, Copy)]
pub struct OfBatch {
    pub all: i64,
    pub open: i64,
}

pub async fn of_batch(tx: &mut ReadTx, batch: BatchId) -> Result<OfBatch, AppError> {
    Ok(sqlx::query_as!(
        OfBatch,
        r#"select count(*) as "all!", count(*) filter (where status in ('scheduled', 'calling')) as "open!"
           from campaign_contacts where workspace_id = $1 and batch_id = $2"#,
        tx.workspace_uuid(),
        batch.0
    )
    .fetch_one(tx.conn())
    .await?)
}

/// Gives a batch that goes on after it failed the contacts that it gave back and that still wait, in their order: also those that wait
/// for a time, but nobody who is to be called back, and nobody whom it never had.
pub async fn take_again(tx: &mut WriteTx, batch: BatchId, campaign: CampaignId, most: i64) -> Result<i32, AppError> {
    let taken = sqlx::query!(
        "with picked as (
           select x.id from campaign_contacts x join contacts p on p.workspace_id = $1 and p.id = x.contact_id
           where x.workspace_id = $1 and x.campaign_id = $3 and x.status = 'pending' and x.given_back_by = $2 and not p.do_not_call
             and x.callback_at is null
           order by x.id limit $4 for update of x skip locked)
         update campaign_contacts x set status = 'scheduled', batch_id = $2, updated_at = now()
         from picked where x.workspace_id = $1 and x.id = picked.id",
        tx.workspace_uuid(),
        batch.0,
        campaign.0,
        most
    )
    .execute(tx.conn())
    .await?
    .rows_affected() as i32;
    Ok(taken)
}

/// The contact's call-back is due: it waits for no time any more.
pub(crate) async fn call_now(tx: &mut WriteTx, id: CampaignContactId) -> Result<(), AppError> {
    sqlx::query!(
        "update campaign_contacts set callback_at = null, next_attempt_at = case when status = 'scheduled' then null else next_attempt_at end,
                updated_at = now()
         where workspace_id = $1 and id = $2",
        tx.workspace_uuid(),
        id.0
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Where a contact of a campaign is before its call-back goes out.
#[derive(Debug, Clone)]
pub struct Place {
    pub status: ContactStatus,
    pub batch: Option<BatchId>,
}

/// The batch that has the contact at this moment: not locked, so it may change.
pub async fn batch_of(tx: &mut ReadTx, id: CampaignContactId) -> Result<Option<BatchId>, AppError> {
    Ok(sqlx::query_scalar!(
        r#"select batch_id as "batch: BatchId" from campaign_contacts where workspace_id = $1 and id = $2"#,
        tx.workspace_uuid(),
        id.0
    )
    .fetch_one(tx.conn())
    .await?)
}

/// Locked until the commit.
pub async fn place(tx: &mut WriteTx, id: CampaignContactId) -> Result<Place, AppError> {
    Ok(sqlx::query_as!(
        Place,
        r#"select status as "status: ContactStatus", batch_id as "batch: BatchId"
           from campaign_contacts where workspace_id = $1 and id = $2 for update"#,
        tx.workspace_uuid(),
        id.0
    )
    .fetch_one(tx.conn())
    .await?)
}

/// Moves a contact into a batch that calls it back.
pub async fn move_to(tx: &mut WriteTx, id: CampaignContactId, batch: BatchId) -> Result<(), AppError> {
    sqlx::query!(
        "update campaign_contacts set status = 'scheduled', batch_id = $3, next_attempt_at = null, last_error = null, updated_at = now()
         where workspace_id = $1 and id = $2",
        tx.workspace_uuid(),
        id.0,
        batch.0
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}
