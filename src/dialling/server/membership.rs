//! Who is in a campaign: joining it and leaving it.

use patchbay_access::server::WriteTx;
use patchbay_shared::AppError;
use patchbay_shared::ids::{CampaignContactId, CampaignId, ClientId, ContactId};

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

/// Takes contacts that were never dialled and are in no batch out of the campaign: all of them, or one. At most `most` at a time.
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
