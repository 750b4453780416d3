//! Statements about `campaign_contacts`: who is due, who is on the line, and what a call made of them.

use chrono::{DateTime, Utc};

pub(crate) use super::membership::call_now;
pub use super::membership::{
    OfBatch, Place, batch_of, join, join_by_phone, leave, move_to, of_batch, place, take_again,
};
use patchbay_access::server::{ReadTx, WriteTx};
use patchbay_calls::model::ContactOutcome;
use patchbay_shared::AppError;
use patchbay_shared::ids::{BatchId, CallId, CampaignContactId, CampaignId, ClientId, ContactId};

/// Gives the batch its contacts: pending ones of the campaign whose time has come and who may be called. In their order.
pub async fn take_contacts(
    tx: &mut WriteTx,
    batch: BatchId,
    campaign: CampaignId,
    most: Option<i64>,
) -> Result<i32, AppError> {
    let taken = sqlx::query!(
        "with picked as (
           select x.id from campaign_contacts x join contacts p on p.workspace_id = $1 and p.id = x.contact_id
           where x.workspace_id = $1 and x.campaign_id = $3 and x.status = 'pending' and not p.do_not_call
             and coalesce(x.next_attempt_at, now()) <= now() and x.callback_at is null
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

/// How many contacts of a campaign could be dialled now, are suppressed, or wait for a later time. Bounded at 10,000 each.
pub async fn dialable(tx: &mut ReadTx, campaign: CampaignId) -> Result<(i64, i64, i64), AppError> {
    let row = sqlx::query!(
        r#"select count(*) filter (where not do_not_call and due) as "now!", count(*) filter (where do_not_call) as "suppressed!",
                  count(*) filter (where not do_not_call and not due) as "later!"
           from (select p.do_not_call, coalesce(x.next_attempt_at, now()) <= now() and x.callback_at is null as due
                 from campaign_contacts x join contacts p on p.workspace_id = $1 and p.id = x.contact_id
                 where x.workspace_id = $1 and x.campaign_id = $2 and x.status = 'pending' limit 10000) q"#,
        tx.workspace_uuid(),
        campaign.0
    )
    .fetch_one(tx.conn())
    .await?;
    Ok((row.now, row.suppressed, row.later))
}

/// Contacts by the time zone that their calling hours go by, over at most 10,000 of them.
#[derive(Debug, Clone, Default)]
pub struct Zones {
    /// IANA name and contacts.
    pub contacts: Vec<(String, i64)>,
    /// There are more contacts than were counted.
    pub more: bool,
}

/// How many contacts are looked at for their zones.
const ZONES_OF: i64 = 10_000;

impl Zones {
    fn of(contacts: Vec<(String, i64)>) -> Self {
        let more = contacts.iter().map(|(_, count)| count).sum::<i64>() > ZONES_OF;
        Self { contacts, more }
    }
}

/// The zones of those who wait in a batch. `usual`: the zone of contacts that have none of their own, the client's.
pub async fn zones_of_batch(tx: &mut ReadTx, batch: BatchId, usual: &str) -> Result<Zones, AppError> {
    let rows = sqlx::query!(
        r#"select coalesce(zone, $3) as "zone!", count(*) as "count!"
           from (select p.timezone as zone from campaign_contacts x join contacts p on p.workspace_id = $1 and p.id = x.contact_id
                 where x.workspace_id = $1 and x.batch_id = $2 and x.status = 'scheduled' limit $4::bigint + 1) q
           group by 1 order by 2 desc, 1"#,
        tx.workspace_uuid(),
        batch.0,
        usual,
        ZONES_OF
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(Zones::of(rows.into_iter().map(|row| (row.zone, row.count)).collect()))
}

/// The zones of those whom a new batch of the campaign would call.
pub async fn zones_to_dial(tx: &mut ReadTx, campaign: CampaignId, usual: &str) -> Result<Zones, AppError> {
    let rows = sqlx::query!(
        r#"select coalesce(zone, $3) as "zone!", count(*) as "count!"
           from (select p.timezone as zone from campaign_contacts x join contacts p on p.workspace_id = $1 and p.id = x.contact_id
                 where x.workspace_id = $1 and x.campaign_id = $2 and x.status = 'pending' and not p.do_not_call
                   and coalesce(x.next_attempt_at, now()) <= now() and x.callback_at is null limit $4::bigint + 1) q
           group by 1 order by 2 desc, 1"#,
        tx.workspace_uuid(),
        campaign.0,
        usual,
        ZONES_OF
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(Zones::of(rows.into_iter().map(|row| (row.zone, row.count)).collect()))
}

/// Contacts of a batch that are not done, by the calls that each has had.
#[derive(Debug, Clone)]
pub struct NotDone {
    pub attempts: i32,
    pub is_calling: bool,
    pub contacts: i64,
    /// When the last of them is due, if they wait for a time.
    pub due: Option<DateTime<Utc>>,
}

/// Who of a batch is not done yet, for the estimate of its end.
pub async fn not_done(tx: &mut ReadTx, batch: BatchId) -> Result<Vec<NotDone>, AppError> {
    Ok(sqlx::query_as!(
        NotDone,
        r#"select attempts, status = 'calling' as "is_calling!", count(*) as "contacts!", max(next_attempt_at) as due
           from campaign_contacts where workspace_id = $1 and batch_id = $2 and status in ('scheduled', 'calling') group by 1, 2"#,
        tx.workspace_uuid(),
        batch.0
    )
    .fetch_all(tx.conn())
    .await?)
}

/// Has contacts that wait for a time looked at anew, because the campaign's hours or its wait between calls have changed: those never
/// called at once, the others once the wait after their last call is over. The next tick moves whoever may still not be called to
/// when they may. Nobody waits longer than before, and an agreed call-back keeps its time.
pub async fn look_again(tx: &mut WriteTx, campaign: CampaignId, retry_minutes: i32) -> Result<u64, AppError> {
    let done = sqlx::query!(
        "update campaign_contacts x set next_attempt_at = q.at, updated_at = now()
         from (select m.id, case when m.attempts = 0 then now()
                                 else coalesce(c.ended_at + make_interval(mins => $3), m.next_attempt_at) end as at
               from campaign_contacts m left join calls c on c.workspace_id = $1 and c.id = m.last_call_id
               where m.workspace_id = $1 and m.campaign_id = $2 and m.status in ('pending', 'scheduled') and m.next_attempt_at > now()
                 and m.callback_at is null) q
         where x.workspace_id = $1 and x.id = q.id and q.at < x.next_attempt_at",
        tx.workspace_uuid(),
        campaign.0,
        retry_minutes
    )
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected())
}

/// Undialled contacts go back to the campaign. Whoever waited for their calling hours only waits no more: the next batch looks at those
/// itself. Whoever was reached before, and was only to be called back, is done, also if the call-back was not answered: no other batch
/// calls them.
pub async fn give_back(tx: &mut WriteTx, id: BatchId) -> Result<u64, AppError> {
    return_from(tx, id, None).await
}

/// The same with one contact.
pub async fn give_back_one(tx: &mut WriteTx, id: BatchId, contact: CampaignContactId) -> Result<(), AppError> {
    return_from(tx, id, Some(contact)).await.map(drop)
}

async fn return_from(tx: &mut WriteTx, id: BatchId, only: Option<CampaignContactId>) -> Result<u64, AppError> {
    let done = sqlx::query!(
        "update campaign_contacts x set status = (case when q.was_reached then 'completed' else 'pending' end)::contact_status, batch_id = null,
                given_back_by = $2, next_attempt_at = case when x.attempts > 0 and not q.was_reached then x.next_attempt_at end,
                updated_at = now()
         from (select m.id, m.reached or exists (select from call_backs b where b.workspace_id = $1 and b.campaign_contact_id = m.id
                                                   and b.batch_id = $2 and exists (
                                                     select from calls c where c.workspace_id = $1 and c.id = b.call_id
                                                       and c.joined_at is not null)) as was_reached
               from campaign_contacts m
               where m.workspace_id = $1 and m.batch_id = $2 and m.status = 'scheduled' and ($3::uuid is null or m.id = $3)
               order by m.id for no key update of m) q
         where x.workspace_id = $1 and x.id = q.id and x.batch_id = $2 and x.status = 'scheduled'",
        tx.workspace_uuid(),
        id.0,
        only.map(|contact| contact.0)
    )
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected())
}

/// Contacts of the batch that are being called, and calls of the whole workspace that go on, ours and incoming.
pub async fn on_the_line(tx: &mut ReadTx, id: BatchId) -> Result<(i64, i64), AppError> {
    let row = sqlx::query!(
        r#"select (select count(*) from campaign_contacts where workspace_id = $1 and batch_id = $2 and status = 'calling') as "here!",
                  (select count(*) from calls where workspace_id = $1 and ended_at is null) as "all!""#,
        tx.workspace_uuid(),
        id.0
    )
    .fetch_one(tx.conn())
    .await?;
    Ok((row.here, row.all))
}

/// A contact whose turn it is.
#[derive(Debug, Clone)]
pub struct Due {
    pub id: CampaignContactId,
    pub contact_id: ContactId,
    pub attempts: i32,
    pub name: String,
    pub phone: String,
    pub company: Option<String>,
    pub email: Option<String>,
    pub timezone: Option<String>,
    pub do_not_call: bool,
    pub attributes: serde_json::Value,
    pub variables: serde_json::Value,
}

/// Up to `most` due contacts, locked; who is locked elsewhere is left out, and so is who waits for a call-back: that has a job of its own,
/// and two may not dial for one promise. Their people are held as they are, too: whoever puts one on the
/// do-not-call list has done so before this, or hears of the call.
pub async fn due(tx: &mut WriteTx, batch: BatchId, most: i64) -> Result<Vec<Due>, AppError> {
    Ok(sqlx::query_as!(
        Due,
        r#"select x.id as "id: CampaignContactId", x.contact_id as "contact_id: ContactId", x.attempts, p.name, p.phone, p.company, p.email,
                  p.timezone, p.do_not_call, p.attributes, x.variables
           from campaign_contacts x join contacts p on p.workspace_id = $1 and p.id = x.contact_id
           where x.workspace_id = $1 and x.status = 'scheduled' and x.id in (
             (select id from campaign_contacts where workspace_id = $1 and batch_id = $2 and status = 'scheduled'
                and next_attempt_at is null and callback_at is null order by id limit $3)
             union all
             (select id from campaign_contacts where workspace_id = $1 and batch_id = $2 and status = 'scheduled'
                and next_attempt_at <= now() and callback_at is null order by next_attempt_at, id limit $3))
           order by x.next_attempt_at nulls first, x.id limit $3 for update of x skip locked for share of p skip locked"#,
        tx.workspace_uuid(),
        batch.0,
        most
    )
    .fetch_all(tx.conn())
    .await?)
}

/// One contact of a campaign, as the dialler needs it. Who the person is, and whether they may be called, stays so until the commit.
pub async fn hold(tx: &mut WriteTx, id: CampaignContactId) -> Result<Due, AppError> {
    Ok(sqlx::query_as!(
        Due,
        r#"select x.id as "id: CampaignContactId", x.contact_id as "contact_id: ContactId", x.attempts, p.name, p.phone, p.company, p.email,
                  p.timezone, p.do_not_call, p.attributes, x.variables
           from campaign_contacts x join contacts p on p.workspace_id = $1 and p.id = x.contact_id
           where x.workspace_id = $1 and x.id = $2 for share of p"#,
        tx.workspace_uuid(),
        id.0
    )
    .fetch_one(tx.conn())
    .await?)
}

/// The contact is being called now.
pub async fn set_calling(tx: &mut WriteTx, id: CampaignContactId, call: CallId) -> Result<(), AppError> {
    sqlx::query!(
        "update campaign_contacts set status = 'calling', attempts = attempts + 1, last_call_id = $3, last_error = null, updated_at = now()
         where workspace_id = $1 and id = $2",
        tx.workspace_uuid(),
        id.0,
        call.0
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// The contact waits until `at`.
pub async fn wait_until(tx: &mut WriteTx, id: CampaignContactId, at: DateTime<Utc>) -> Result<(), AppError> {
    sqlx::query!(
        "update campaign_contacts set next_attempt_at = $3, updated_at = now() where workspace_id = $1 and id = $2",
        tx.workspace_uuid(),
        id.0,
        at
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Takes a started attempt back: the provider never acted on it. Not tried again before `wait` is over.
pub async fn take_back(tx: &mut WriteTx, id: CampaignContactId, wait: std::time::Duration) -> Result<(), AppError> {
    sqlx::query!(
        "update campaign_contacts set status = 'scheduled', attempts = attempts - 1, next_attempt_at = now() + make_interval(secs => $3),
                last_call_id = (select id from calls where workspace_id = $1 and campaign_contact_id = $2 order by attempt_no desc limit 1),
                updated_at = now()
         where workspace_id = $1 and id = $2 and status = 'calling'",
        tx.workspace_uuid(),
        id.0,
        wait.as_secs_f64()
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// The contact will not be called in this batch: the reason stands beside it.
pub async fn set_failed(tx: &mut WriteTx, id: CampaignContactId, error: &str) -> Result<(), AppError> {
    sqlx::query!(
        "update campaign_contacts set status = 'failed', last_error = $3, updated_at = now()
         where workspace_id = $1 and id = $2 and status in ('scheduled', 'calling')",
        tx.workspace_uuid(),
        id.0,
        error
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// How a batch tries contacts again that nobody answered for.
pub(crate) struct RetryRules {
    /// Attempts of the batch's campaign, and minutes between them.
    pub most: i32,
    pub minutes: i32,
    pub client: ClientId,
    pub for_call_backs: bool,
}

pub(crate) async fn retry_rules(tx: &mut ReadTx, batch: BatchId) -> Result<RetryRules, AppError> {
    Ok(sqlx::query_as!(
        RetryRules,
        r#"select c.max_attempts as most, c.retry_minutes as minutes, b.client_id as "client: ClientId", b.for_call_backs
           from call_batches b join campaigns c on c.workspace_id = $1 and c.id = b.campaign_id
           where b.workspace_id = $1 and b.id = $2"#,
        tx.workspace_uuid(),
        batch.0
    )
    .fetch_one(tx.conn())
    .await?)
}

/// The outcome that the contact's last call turned out to have. Gives the batch whose contact it is, if there is one.
pub(crate) async fn correct_outcome(
    tx: &mut WriteTx,
    contact: CampaignContactId,
    call: CallId,
    outcome: ContactOutcome,
) -> Result<Option<BatchId>, AppError> {
    let corrected = sqlx::query_scalar!(
        r#"update campaign_contacts set outcome = $4, reached = $4::contact_outcome <> 'voicemail', updated_at = now()
           where workspace_id = $1 and id = $2 and last_call_id = $3 and status = 'completed'
           returning batch_id as "batch: BatchId""#,
        tx.workspace_uuid(),
        contact.0,
        call.0,
        outcome as ContactOutcome,
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(corrected.flatten())
}

/// Whether contacts still wait or are on the line, and when the next one that waits for a time is due.
pub struct Open {
    pub any: bool,
    /// All of them wait for call-backs, which have jobs of their own: this batch dials nobody.
    pub call_backs_alone: bool,
    pub next: Option<DateTime<Utc>>,
}

pub async fn open_contacts(tx: &mut ReadTx, id: BatchId) -> Result<Open, AppError> {
    let row = sqlx::query!(
        r#"select exists (select from campaign_contacts where workspace_id = $1 and batch_id = $2 and status = 'scheduled'
                            and callback_at is null) as "waits!",
                  exists (select from campaign_contacts where workspace_id = $1 and batch_id = $2 and status = 'calling') as "is_calling!",
                  exists (select from campaign_contacts where workspace_id = $1 and batch_id = $2 and status = 'scheduled'
                            and callback_at is not null) as "has_call_backs!",
                  (select next_attempt_at from campaign_contacts where workspace_id = $1 and batch_id = $2 and status = 'scheduled'
                     and next_attempt_at is not null and callback_at is null order by next_attempt_at limit 1) as next"#,
        tx.workspace_uuid(),
        id.0
    )
    .fetch_one(tx.conn())
    .await?;
    let own = row.waits || row.is_calling;
    Ok(Open { any: own || row.has_call_backs, call_backs_alone: row.has_call_backs && !own, next: row.next })
}
