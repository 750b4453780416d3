use chrono::{DateTime, Utc};

use crate::access::server::{ReadTx, WriteTx};
use crate::batches::model::{BatchMode, BatchPage, BatchQuery, BatchRow, BatchStatus, Progress};
use crate::campaigns::ContactOutcome;
use crate::shared::ids::{BatchId, CallId, CampaignContactId, CampaignId, ClientId, ContactId};
use crate::shared::{AppError, Cursor, Page, zone};

const PAGE: usize = 25;

/// A batch's row.
#[derive(Debug, Clone)]
pub struct Batch {
    pub id: BatchId,
    pub client_id: ClientId,
    pub campaign_id: CampaignId,
    pub name: String,
    pub mode: BatchMode,
    pub status: BatchStatus,
    pub scheduled_for: Option<DateTime<Utc>>,
    pub concurrency: i32,
    pub total_contacts: i32,
    pub pause_reason: Option<String>,
    pub stopped_at: Option<DateTime<Utc>>,
    pub error: Option<String>,
    pub started_at: Option<DateTime<Utc>>,
    pub completed_at: Option<DateTime<Utc>>,
}

/// Batches by newest first.
pub async fn list(tx: &mut ReadTx, query: &BatchQuery) -> Result<BatchPage, AppError> {
    let cursor = Cursor::parse(query.cursor.as_deref());
    let key = cursor.as_ref().and_then(|cursor| cursor.key.parse::<uuid::Uuid>().ok());
    let older = cursor.as_ref().is_none_or(|cursor| cursor.older);
    let (zone, now) = (tx.scope().zone(), Utc::now());
    let id = |text: &Option<String>| text.as_deref().and_then(|text| text.parse::<uuid::Uuid>().ok());
    let rows = sqlx::query!(
        r#"select b.id as "id: BatchId", b.name, b.status as "status: BatchStatus", b.scheduled_for, b.pause_reason, b.error, b.total_contacts,
                  b.created_at, c.name as campaign, k.name as client, p.answered as "answered!", p.unreached as "unreached!",
                  p.failed as "failed!", p.calling as "calling!", p.waiting as "waiting!", p.to_retry as "to_retry!"
           from call_batches b
           join campaigns c on c.workspace_id = $1 and c.id = b.campaign_id
           join clients k on k.workspace_id = $1 and k.id = b.client_id
           cross join lateral (
             select count(*) filter (where x.status = 'completed' and x.outcome in ('answered', 'callback_scheduled')) as answered,
                    count(*) filter (where x.status = 'completed' and x.outcome not in ('answered', 'callback_scheduled')) as unreached,
                    count(*) filter (where x.status = 'failed') as failed, count(*) filter (where x.status = 'calling') as calling,
                    count(*) filter (where x.status = 'scheduled') as waiting,
                    count(*) filter (where x.status = 'scheduled' and x.attempts > 0) as to_retry
             from campaign_contacts x where x.workspace_id = $1 and x.batch_id = b.id) p
           where b.workspace_id = $1 and ($2::text is null or b.status::text = $2) and ($3::uuid is null or b.campaign_id = $3)
             and ($4::uuid is null or b.client_id = $4)
             and ($5::uuid is null or ($6 and b.id < $5) or (not $6 and b.id > $5))
           order by case when $6 then b.id end desc, case when not $6 then b.id end limit $7"#,
        tx.w(),
        query.status.as_deref().filter(|status| !status.is_empty()),
        id(&query.campaign),
        id(&query.client),
        key,
        older,
        PAGE as i64 + 1,
    )
    .fetch_all(tx.conn())
    .await?;
    let rows = rows
        .into_iter()
        .map(|row| BatchRow {
            id: row.id,
            name: row.name,
            campaign: row.campaign,
            client: row.client,
            status: row.status,
            progress: Progress {
                total: i64::from(row.total_contacts),
                answered: row.answered,
                unreached: row.unreached,
                failed: row.failed,
                calling: row.calling,
                waiting: row.waiting,
                to_retry: row.to_retry,
            },
            created: zone::stamp(row.created_at, now, zone),
            scheduled_for: row.scheduled_for.map(|at| zone::stamp(at, now, zone)),
            note: row.error.or(row.pause_reason),
        })
        .collect();
    Ok(Page::cut(rows, PAGE, cursor.as_ref(), |row| row.id.to_string()))
}

/// Active campaigns by name: id and name with the client's.
pub async fn campaigns(tx: &mut ReadTx) -> Result<Vec<(String, String)>, AppError> {
    let rows = sqlx::query!(
        "select c.id, c.name, k.name as client from campaigns c join clients k on k.workspace_id = $1 and k.id = c.client_id
         where c.workspace_id = $1 and c.status = 'active' order by c.id desc limit 500",
        tx.w()
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(|row| (row.id.to_string(), format!("{} · {}", row.name, row.client))).collect())
}

/// One batch. Errors: `NotFound`.
pub async fn get(tx: &mut ReadTx, id: BatchId) -> Result<Batch, AppError> {
    Ok(sqlx::query_as!(
        Batch,
        r#"select id as "id: BatchId", client_id as "client_id: ClientId", campaign_id as "campaign_id: CampaignId", name,
                  mode as "mode: BatchMode", status as "status: BatchStatus", scheduled_for, concurrency, total_contacts, pause_reason,
                  stopped_at, error, started_at, completed_at
           from call_batches where workspace_id = $1 and id = $2"#,
        tx.w(),
        id.0
    )
    .fetch_one(tx.conn())
    .await?)
}

/// The same, locked until the commit.
pub async fn lock(tx: &mut WriteTx, id: BatchId) -> Result<Batch, AppError> {
    Ok(sqlx::query_as!(
        Batch,
        r#"select id as "id: BatchId", client_id as "client_id: ClientId", campaign_id as "campaign_id: CampaignId", name,
                  mode as "mode: BatchMode", status as "status: BatchStatus", scheduled_for, concurrency, total_contacts, pause_reason,
                  stopped_at, error, started_at, completed_at
           from call_batches where workspace_id = $1 and id = $2 for update"#,
        tx.w(),
        id.0
    )
    .fetch_one(tx.conn())
    .await?)
}

/// A batch about to be made.
pub struct NewBatch<'a> {
    pub id: BatchId,
    pub client: ClientId,
    pub campaign: CampaignId,
    pub name: &'a str,
    pub mode: BatchMode,
    pub scheduled_for: Option<DateTime<Utc>>,
    pub concurrency: i32,
}

pub async fn insert(tx: &mut WriteTx, new: &NewBatch<'_>) -> Result<(), AppError> {
    let status = if new.mode == BatchMode::Scheduled { BatchStatus::Scheduled } else { BatchStatus::Pending };
    let user = tx.user_id().map(|user| user.0);
    sqlx::query!(
        "insert into call_batches (workspace_id, id, client_id, campaign_id, name, mode, status, scheduled_for, concurrency, created_by)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        tx.w(),
        new.id.0,
        new.client.0,
        new.campaign.0,
        new.name,
        new.mode as BatchMode,
        status as BatchStatus,
        new.scheduled_for,
        new.concurrency,
        user,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Gives the batch its contacts: pending ones of the campaign whose time has come and who may be called. In their order.
pub async fn take_contacts(tx: &mut WriteTx, batch: BatchId, campaign: CampaignId, most: Option<i64>) -> Result<i32, AppError> {
    let taken = sqlx::query!(
        "with picked as (
           select x.id from campaign_contacts x join contacts p on p.workspace_id = $1 and p.id = x.contact_id
           where x.workspace_id = $1 and x.campaign_id = $3 and x.status = 'pending' and not p.do_not_call
             and coalesce(x.next_attempt_at, now()) <= now()
           order by x.id limit $4 for update of x skip locked)
         update campaign_contacts x set status = 'scheduled', batch_id = $2, updated_at = now()
         from picked where x.workspace_id = $1 and x.id = picked.id",
        tx.w(),
        batch.0,
        campaign.0,
        most
    )
    .execute(tx.conn())
    .await?
    .rows_affected() as i32;
    sqlx::query!(
        "update call_batches set total_contacts = $3 where workspace_id = $1 and id = $2",
        tx.w(),
        batch.0,
        taken
    )
    .execute(tx.conn())
    .await?;
    Ok(taken)
}

/// How many contacts of a campaign could be dialled now, are suppressed, or wait for a later time. Bounded at 10,000 each.
pub async fn dialable(tx: &mut ReadTx, campaign: CampaignId) -> Result<(i64, i64, i64), AppError> {
    let row = sqlx::query!(
        r#"select count(*) filter (where not do_not_call and due) as "now!", count(*) filter (where do_not_call) as "suppressed!",
                  count(*) filter (where not do_not_call and not due) as "later!"
           from (select p.do_not_call, coalesce(x.next_attempt_at, now()) <= now() as due
                 from campaign_contacts x join contacts p on p.workspace_id = $1 and p.id = x.contact_id
                 where x.workspace_id = $1 and x.campaign_id = $2 and x.status = 'pending' limit 10000) q"#,
        tx.w(),
        campaign.0
    )
    .fetch_one(tx.conn())
    .await?;
    Ok((row.now, row.suppressed, row.later))
}

/// Average whole seconds of talk over the campaign's last answered calls.
pub async fn average_seconds(tx: &mut ReadTx, campaign: CampaignId) -> Result<Option<f64>, AppError> {
    Ok(sqlx::query_scalar!(
        "select avg(duration)::float8 from (select duration from calls where workspace_id = $1 and campaign_id = $2 and ended_at is not null
           order by started_at desc limit 200) q",
        tx.w(),
        campaign.0
    )
    .fetch_one(tx.conn())
    .await?)
}

/// What became of a batch's contacts so far.
pub async fn progress(tx: &mut ReadTx, id: BatchId, total: i32) -> Result<Progress, AppError> {
    let row = sqlx::query!(
        r#"select count(*) filter (where status = 'completed' and outcome in ('answered', 'callback_scheduled')) as "answered!",
                  count(*) filter (where status = 'completed' and outcome not in ('answered', 'callback_scheduled')) as "unreached!",
                  count(*) filter (where status = 'failed') as "failed!", count(*) filter (where status = 'calling') as "calling!",
                  count(*) filter (where status = 'scheduled') as "waiting!",
                  count(*) filter (where status = 'scheduled' and attempts > 0) as "to_retry!"
           from campaign_contacts where workspace_id = $1 and batch_id = $2"#,
        tx.w(),
        id.0
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(Progress {
        total: i64::from(total),
        answered: row.answered,
        unreached: row.unreached,
        failed: row.failed,
        calling: row.calling,
        waiting: row.waiting,
        to_retry: row.to_retry,
    })
}

pub async fn set_processing(tx: &mut WriteTx, id: BatchId) -> Result<(), AppError> {
    sqlx::query!(
        "update call_batches set status = 'processing', started_at = coalesce(started_at, now()), updated_at = now()
         where workspace_id = $1 and id = $2 and status in ('pending', 'scheduled')",
        tx.w(),
        id.0
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// `reason` is given when Patchbay pauses; a person's name is kept otherwise.
pub async fn set_paused(tx: &mut WriteTx, id: BatchId, reason: Option<&str>) -> Result<(), AppError> {
    let user = tx.user_id().map(|user| user.0);
    sqlx::query!(
        "update call_batches set status = 'paused', pause_reason = $3, paused_by = $4, updated_at = now() where workspace_id = $1 and id = $2",
        tx.w(),
        id.0,
        reason,
        user
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

pub async fn set_resumed(tx: &mut WriteTx, id: BatchId) -> Result<(), AppError> {
    sqlx::query!(
        "update call_batches set status = 'pending', pause_reason = null, paused_by = null, updated_at = now()
         where workspace_id = $1 and id = $2",
        tx.w(),
        id.0
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Ends a batch. With `error` it failed; `stopped` says that a person ended it early.
pub async fn set_over(tx: &mut WriteTx, id: BatchId, error: Option<&str>, stopped: bool) -> Result<(), AppError> {
    sqlx::query!(
        "update call_batches set status = (case when $3::text is null then 'completed' else 'failed' end)::batch_status, error = $3,
                stopped_at = case when $4 then now() else stopped_at end, completed_at = now(), pause_reason = null, updated_at = now()
         where workspace_id = $1 and id = $2",
        tx.w(),
        id.0,
        error,
        stopped
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Undialled contacts go back to the campaign.
pub async fn give_back(tx: &mut WriteTx, id: BatchId) -> Result<u64, AppError> {
    let done = sqlx::query!(
        "update campaign_contacts set status = 'pending', batch_id = null, updated_at = now()
         where workspace_id = $1 and batch_id = $2 and status = 'scheduled'",
        tx.w(),
        id.0
    )
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected())
}

/// Contacts on the line: of the batch, and of the whole workspace.
pub async fn on_the_line(tx: &mut ReadTx, id: BatchId) -> Result<(i64, i64), AppError> {
    let row = sqlx::query!(
        r#"select (select count(*) from campaign_contacts where workspace_id = $1 and batch_id = $2 and status = 'calling') as "here!",
                  (select count(*) from campaign_contacts x join call_batches b on b.workspace_id = $1 and b.id = x.batch_id
                   where x.workspace_id = $1 and x.status = 'calling') as "all!""#,
        tx.w(),
        id.0
    )
    .fetch_one(tx.conn())
    .await?;
    Ok((row.here, row.all))
}

/// Lines that the workspace may use at once, from its settings.
pub async fn workspace_lines(tx: &mut ReadTx) -> Result<(i64, bool), AppError> {
    let row = sqlx::query!(
        r#"select coalesce((settings ->> 'concurrency')::bigint, 50) as "lines!", status = 'suspended' as "suspended!" from workspaces where id = $1"#,
        tx.w()
    )
    .fetch_one(tx.conn())
    .await?;
    Ok((row.lines, row.suspended))
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

/// Up to `most` due contacts, locked; who is locked elsewhere is left out.
pub async fn due(tx: &mut WriteTx, batch: BatchId, most: i64) -> Result<Vec<Due>, AppError> {
    Ok(sqlx::query_as!(
        Due,
        r#"select x.id as "id: CampaignContactId", x.contact_id as "contact_id: ContactId", x.attempts, p.name, p.phone, p.company, p.email,
                  p.timezone, p.do_not_call, p.attributes, x.variables
           from campaign_contacts x join contacts p on p.workspace_id = $1 and p.id = x.contact_id
           where x.workspace_id = $1 and x.batch_id = $2 and x.status = 'scheduled' and coalesce(x.next_attempt_at, now()) <= now()
           order by x.next_attempt_at nulls first, x.id limit $3 for update of x skip locked"#,
        tx.w(),
        batch.0,
        most
    )
    .fetch_all(tx.conn())
    .await?)
}

/// One contact of a campaign, as the dialler needs it.
pub async fn contact(tx: &mut ReadTx, id: CampaignContactId) -> Result<Due, AppError> {
    Ok(sqlx::query_as!(
        Due,
        r#"select x.id as "id: CampaignContactId", x.contact_id as "contact_id: ContactId", x.attempts, p.name, p.phone, p.company, p.email,
                  p.timezone, p.do_not_call, p.attributes, x.variables
           from campaign_contacts x join contacts p on p.workspace_id = $1 and p.id = x.contact_id
           where x.workspace_id = $1 and x.id = $2"#,
        tx.w(),
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
        tx.w(),
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
        tx.w(),
        id.0,
        at
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Takes a started attempt back: the provider never acted on it. `until`: not before then.
pub async fn take_back(tx: &mut WriteTx, id: CampaignContactId, until: DateTime<Utc>) -> Result<(), AppError> {
    sqlx::query!(
        "update campaign_contacts set status = 'scheduled', attempts = attempts - 1, next_attempt_at = $3, updated_at = now()
         where workspace_id = $1 and id = $2 and status = 'calling'",
        tx.w(),
        id.0,
        until
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
        tx.w(),
        id.0,
        error
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// What a contact's ended call makes of it, if that call is the one that is on the line. True if it did.
pub struct Settled<'a> {
    pub contact: CampaignContactId,
    pub attempt: i32,
    pub call: CallId,
    pub outcome: Option<ContactOutcome>,
    pub error: Option<&'a str>,
    /// Retry after this many minutes, while attempts are left.
    pub retry: Option<(i32, i32)>,
}

pub async fn settle(tx: &mut WriteTx, settled: &Settled<'_>) -> Result<bool, AppError> {
    let (most, minutes) = settled.retry.unwrap_or((0, 0));
    let done = sqlx::query!(
        "update campaign_contacts set outcome = $4, last_call_id = $5, last_error = $6,
                status = (case when $6::text is not null and $4::contact_outcome is null then 'failed'
                               when attempts < $7 then 'scheduled' else 'completed' end)::contact_status,
                next_attempt_at = case when attempts < $7 then now() + make_interval(mins => $8) end, updated_at = now()
         where workspace_id = $1 and id = $2 and attempts = $3 and status = 'calling'",
        tx.w(),
        settled.contact.0,
        settled.attempt,
        settled.outcome as Option<ContactOutcome>,
        settled.call.0,
        settled.error,
        most,
        minutes,
    )
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Attempts and minutes between them, of a batch's campaign.
pub async fn retry_rules(tx: &mut ReadTx, batch: BatchId) -> Result<(i32, i32, ClientId, bool), AppError> {
    let row = sqlx::query!(
        r#"select c.max_attempts, c.retry_minutes, b.client_id as "client: ClientId", b.status in ('completed', 'failed') as "over!"
           from call_batches b join campaigns c on c.workspace_id = $1 and c.id = b.campaign_id
           where b.workspace_id = $1 and b.id = $2"#,
        tx.w(),
        batch.0
    )
    .fetch_one(tx.conn())
    .await?;
    Ok((row.max_attempts, row.retry_minutes, row.client, row.over))
}

/// The outcome that the words of the contact's last call showed.
pub async fn correct_outcome(
    tx: &mut WriteTx,
    contact: CampaignContactId,
    call: CallId,
    outcome: ContactOutcome,
    callback_at: Option<DateTime<Utc>>,
) -> Result<(), AppError> {
    sqlx::query!(
        "update campaign_contacts set outcome = $4, callback_at = coalesce($5, callback_at), updated_at = now()
         where workspace_id = $1 and id = $2 and last_call_id = $3 and status = 'completed'",
        tx.w(),
        contact.0,
        call.0,
        outcome as ContactOutcome,
        callback_at
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Contacts that still wait or are on the line, and when the next one is due.
pub async fn open_contacts(tx: &mut ReadTx, id: BatchId) -> Result<(i64, Option<DateTime<Utc>>), AppError> {
    let row = sqlx::query!(
        r#"select count(*) as "open!", min(coalesce(next_attempt_at, now())) filter (where status = 'scheduled') as next
           from campaign_contacts where workspace_id = $1 and batch_id = $2 and status in ('scheduled', 'calling')"#,
        tx.w(),
        id.0
    )
    .fetch_one(tx.conn())
    .await?;
    Ok((row.open, row.next))
}
