//! Statements on `call_backs`. `list`: what pages read.

use chrono::{DateTime, Utc};

use patchbay_access::server::{ReadTx, WriteTx};
use patchbay_calls::model::CallBackStatus;
use patchbay_shared::AppError;
use patchbay_shared::ids::{BatchId, CallBackId, CallId, CampaignContactId, CampaignId, ClientId, ContactId};
use patchbay_shared::window::CallingWindow;

pub(crate) mod list;
pub(crate) mod settled;
pub(crate) mod tries;

/// A call in which somebody asked to be called back, or a contact of a campaign.
#[derive(Debug, Clone)]
pub(crate) struct Subject {
    pub client_id: ClientId,
    pub contact_id: Option<ContactId>,
    pub do_not_call: bool,
    pub member: Option<CampaignContactId>,
    pub campaign_id: Option<CampaignId>,
    pub window: Option<sqlx::types::Json<CallingWindow>>,
    /// IANA name: the contact's, else the client's.
    pub zone: String,
    /// When it was said.
    pub said_at: DateTime<Utc>,
    /// Call-backs that this contact of the campaign has had by itself.
    pub before: i64,
}

/// What is known about the call; none when it is nobody's or gone.
pub(crate) async fn of_call(tx: &mut WriteTx, call: CallId) -> Result<Option<Subject>, AppError> {
    Ok(sqlx::query_as!(
        Subject,
        r#"select c.client_id as "client_id!: ClientId", c.contact_id as "contact_id: ContactId", coalesce(p.do_not_call, false) as "do_not_call!",
                  c.campaign_contact_id as "member: CampaignContactId", c.campaign_id as "campaign_id: CampaignId",
                  m.calling_window as "window?: sqlx::types::Json<CallingWindow>", coalesce(p.timezone, k.timezone) as "zone!",
                  coalesce(c.ended_at, c.started_at) as "said_at!",
                  (select count(*) from call_backs b where b.workspace_id = $1 and b.campaign_contact_id = c.campaign_contact_id
                     and b.set_by is null) as "before!"
           from calls c
           join clients k on k.workspace_id = $1 and k.id = c.client_id
           left join campaigns m on m.workspace_id = $1 and m.id = c.campaign_id
           left join contacts p on p.workspace_id = $1 and p.id = c.contact_id
           where c.workspace_id = $1 and c.id = $2"#,
        tx.workspace_uuid(),
        call.0
    )
    .fetch_optional(tx.conn())
    .await?)
}

/// A contact of a campaign, held until the commit: whoever settles a call of it waits.
pub(crate) async fn of_member(tx: &mut WriteTx, member: CampaignContactId) -> Result<Subject, AppError> {
    Ok(sqlx::query_as!(
        Subject,
        r#"select x.client_id as "client_id: ClientId", p.id as "contact_id?: ContactId", p.do_not_call, x.id as "member?: CampaignContactId",
                  x.campaign_id as "campaign_id?: CampaignId", m.calling_window as "window?: sqlx::types::Json<CallingWindow>",
                  coalesce(p.timezone, k.timezone) as "zone!", now() as "said_at!", 0::bigint as "before!"
           from campaign_contacts x
           join contacts p on p.workspace_id = $1 and p.id = x.contact_id
           join clients k on k.workspace_id = $1 and k.id = x.client_id
           join campaigns m on m.workspace_id = $1 and m.id = x.campaign_id
           where x.workspace_id = $1 and x.id = $2 for update of x"#,
        tx.workspace_uuid(),
        member.0
    )
    .fetch_one(tx.conn())
    .await?)
}

/// A call-back's row.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub id: CallBackId,
    pub client_id: ClientId,
    pub campaign_id: Option<CampaignId>,
    pub member: Option<CampaignContactId>,
    pub call_id: Option<CallId>,
    pub due_at: Option<DateTime<Utc>>,
    pub status: CallBackStatus,
    pub why: Option<String>,
    pub batch_id: Option<BatchId>,
    pub is_persons: bool,
}

/// One, locked until the commit. Errors: `NotFound`.
pub(crate) async fn lock(tx: &mut WriteTx, id: CallBackId) -> Result<Row, AppError> {
    Ok(sqlx::query_as!(
        Row,
        r#"select id as "id: CallBackId", client_id as "client_id: ClientId", campaign_id as "campaign_id: CampaignId",
                  campaign_contact_id as "member: CampaignContactId", call_id as "call_id: CallId",
                  due_at, status as "status: CallBackStatus", why, batch_id as "batch_id: BatchId", set_by is not null as "is_persons!"
           from call_backs where workspace_id = $1 and id = $2 for update"#,
        tx.workspace_uuid(),
        id.0
    )
    .fetch_one(tx.conn())
    .await?)
}

/// The one that a call asked for.
pub(crate) async fn by_call(tx: &mut WriteTx, call: CallId) -> Result<Option<Row>, AppError> {
    Ok(sqlx::query_as!(
        Row,
        r#"select id as "id: CallBackId", client_id as "client_id: ClientId", campaign_id as "campaign_id: CampaignId",
                  campaign_contact_id as "member: CampaignContactId", call_id as "call_id: CallId",
                  due_at, status as "status: CallBackStatus", why, batch_id as "batch_id: BatchId", set_by is not null as "is_persons!"
           from call_backs where workspace_id = $1 and call_id = $2 for update"#,
        tx.workspace_uuid(),
        call.0
    )
    .fetch_optional(tx.conn())
    .await?)
}

/// The one that a contact of a campaign waits for.
pub(crate) async fn open_of(tx: &mut WriteTx, member: CampaignContactId) -> Result<Option<Row>, AppError> {
    Ok(sqlx::query_as!(
        Row,
        r#"select id as "id: CallBackId", client_id as "client_id: ClientId", campaign_id as "campaign_id: CampaignId",
                  campaign_contact_id as "member: CampaignContactId", call_id as "call_id: CallId",
                  due_at, status as "status: CallBackStatus", why, batch_id as "batch_id: BatchId", set_by is not null as "is_persons!"
           from call_backs where workspace_id = $1 and campaign_contact_id = $2
             and status in ('scheduled', 'dialling', 'needs_person') for update"#,
        tx.workspace_uuid(),
        member.0
    )
    .fetch_optional(tx.conn())
    .await?)
}

/// When it was agreed: in its call, or when a person chose its time.
pub(crate) async fn agreed_at(tx: &mut ReadTx, id: CallBackId) -> Result<DateTime<Utc>, AppError> {
    Ok(sqlx::query_scalar!(
        r#"select (case when b.set_by is not null and b.status = 'scheduled' then b.updated_at
                        else coalesce(c.ended_at, c.started_at, b.created_at) end) as "at!"
           from call_backs b left join calls c on c.workspace_id = $1 and c.id = b.call_id
           where b.workspace_id = $1 and b.id = $2"#,
        tx.workspace_uuid(),
        id.0
    )
    .fetch_one(tx.conn())
    .await?)
}

/// A call-back about to be written.
pub(crate) struct New<'a> {
    pub id: CallBackId,
    pub subject: &'a Subject,
    pub call: Option<CallId>,
    pub words: Option<&'a str>,
    pub due_at: Option<DateTime<Utc>>,
    pub status: CallBackStatus,
    pub why: Option<&'a str>,
}

/// False: there is one for this call, or for this contact of the campaign.
pub(crate) async fn insert(tx: &mut WriteTx, new: &New<'_>) -> Result<bool, AppError> {
    let user = tx.user_id().map(|user| user.0);
    let done = sqlx::query!(
        "insert into call_backs (workspace_id, id, client_id, campaign_id, campaign_contact_id, contact_id, call_id, words, due_at, zone,
                                 status, why, set_by, call_started_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13,
                 (select c.started_at from calls c where c.workspace_id = $1 and c.id = $7)) on conflict do nothing",
        tx.workspace_uuid(),
        new.id.0,
        new.subject.client_id.0,
        new.subject.campaign_id.map(|id| id.0),
        new.subject.member.map(|id| id.0),
        new.subject.contact_id.map(|id| id.0),
        new.call.map(|id| id.0),
        new.words,
        new.due_at,
        new.subject.zone,
        new.status as CallBackStatus,
        new.why,
        user,
    )
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected() == 1)
}

/// It goes out at `at`, whatever stood in the way before. `words`: what was said, when they are new.
pub(crate) async fn schedule(
    tx: &mut WriteTx,
    id: CallBackId,
    at: DateTime<Utc>,
    words: Option<&str>,
) -> Result<(), AppError> {
    let user = tx.user_id().map(|user| user.0);
    sqlx::query!(
        "update call_backs set status = 'scheduled', due_at = $3, words = coalesce($4, words), why = null, batch_id = null, set_by = $5,
                updated_at = now()
         where workspace_id = $1 and id = $2",
        tx.workspace_uuid(),
        id.0,
        at,
        words,
        user
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// It does not go out: it needs a person, or is called off.
pub(crate) async fn end(tx: &mut WriteTx, id: CallBackId, status: CallBackStatus, why: &str) -> Result<(), AppError> {
    sqlx::query!(
        "update call_backs set status = $3, why = $4, updated_at = now() where workspace_id = $1 and id = $2",
        tx.workspace_uuid(),
        id.0,
        status as CallBackStatus,
        why
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// A batch has it.
pub(crate) async fn set_dialling(tx: &mut WriteTx, id: CallBackId, batch: BatchId) -> Result<(), AppError> {
    sqlx::query!(
        "update call_backs set status = 'dialling', batch_id = $3, why = null, updated_at = now() where workspace_id = $1 and id = $2",
        tx.workspace_uuid(),
        id.0,
        batch.0
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// The contact waits for its call-back: a batch that has it, or would take it, does not call before. None: it waits for none any more,
/// but for the campaign's wait after its last call.
pub(crate) async fn set_waits(
    tx: &mut WriteTx,
    member: CampaignContactId,
    until: Option<DateTime<Utc>>,
) -> Result<(), AppError> {
    sqlx::query!(
        "update campaign_contacts x set callback_at = $3,
                next_attempt_at = case when x.status not in ('pending', 'scheduled') then x.next_attempt_at else coalesce($3, q.at) end,
                updated_at = now()
         from (select m.id, greatest(now(), c.ended_at + make_interval(mins => k.retry_minutes)) as at
               from campaign_contacts m join campaigns k on k.workspace_id = $1 and k.id = m.campaign_id
               left join calls c on c.workspace_id = $1 and c.id = m.last_call_id
               where m.workspace_id = $1 and m.id = $2) q
         where x.workspace_id = $1 and x.id = q.id",
        tx.workspace_uuid(),
        member.0,
        until
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// One that a batch has, was due before `before`, and whose contact waits to be dialled, for the first time or again. The contact is locked.
pub(crate) async fn not_any_more(
    tx: &mut WriteTx,
    batch: BatchId,
    before: DateTime<Utc>,
) -> Result<Option<NotAnyMore>, AppError> {
    Ok(sqlx::query_as!(
        NotAnyMore,
        r#"select w.id as "id!: CallBackId", w.has_talked as "has_talked!"
           from (select b.id, b.due_at, b.campaign_contact_id, exists (
                   select from calls c where c.workspace_id = $1 and c.contact_id = b.contact_id
                     and c.joined_at is not null and c.started_at > b.updated_at) as has_talked
                 from call_backs b where b.workspace_id = $1 and b.batch_id = $2 and b.status = 'dialling') w
           join campaign_contacts x on x.workspace_id = $1 and x.id = w.campaign_contact_id
           where (w.due_at < $3 or w.has_talked) and x.batch_id = $2 and x.status = 'scheduled'
           limit 1 for update of x skip locked"#,
        tx.workspace_uuid(),
        batch.0,
        before
    )
    .fetch_optional(tx.conn())
    .await?)
}

/// A call-back that nobody should be called for any more.
pub(crate) struct NotAnyMore {
    pub id: CallBackId,
    /// Its contact has been on the line meanwhile; else its time is over.
    pub has_talked: bool,
}

/// Whether the contact has been on the line, in whatever call, since the call-back got its time.
pub(crate) async fn talked_since(tx: &mut ReadTx, id: CallBackId) -> Result<bool, AppError> {
    Ok(sqlx::query_scalar!(
        r#"select exists (
             select from call_backs b join calls c on c.workspace_id = $1 and c.contact_id = b.contact_id
             where b.workspace_id = $1 and b.id = $2 and c.joined_at is not null and c.started_at > b.updated_at) as "yes!""#,
        tx.workspace_uuid(),
        id.0
    )
    .fetch_one(tx.conn())
    .await?)
}

/// Call-backs whose time has come some minutes ago, without a job of this kind that would dial them.
pub(crate) async fn without_job(tx: &mut ReadTx, kind: &str, minutes: i32) -> Result<Vec<CallBackId>, AppError> {
    Ok(sqlx::query_scalar!(
        r#"select b.id as "id: CallBackId" from call_backs b
           where b.workspace_id = $1 and b.status = 'scheduled' and b.due_at < now() - make_interval(mins => $3)
             and not exists (select from jobs j where j.workspace_id = $1 and j.kind = $2 and j.dedupe_key = b.id::text
                               and j.status in ('pending', 'processing'))
           order by b.due_at limit 100"#,
        tx.workspace_uuid(),
        kind,
        minutes
    )
    .fetch_all(tx.conn())
    .await?)
}

/// Has the call-backs of a batch be what became of their contacts: reached in it, still being called, or a matter for a person. What a
/// person has set since is left alone. Gives the clients of those that changed.
pub(crate) async fn follow(tx: &mut WriteTx, batch: BatchId) -> Result<Vec<ClientId>, AppError> {
    Ok(sqlx::query_scalar!(
        r#"with seen as (
             select b.id,
                    case when x.status = 'completed' and x.reached and x.batch_id = $2 then 'kept'
                         when x.status in ('scheduled', 'calling') and x.batch_id = $2 then 'dialling'
                         else 'needs_person' end as status,
                    case when x.status = 'completed' and x.reached and x.batch_id = $2 then null
                         when x.status in ('scheduled', 'calling') and x.batch_id = $2 then case when b.status = 'dialling' then b.why end
                         when x.batch_id is distinct from $2 then 'The batch that was to call ended before it was this person''s turn.'
                         when x.status = 'failed' then coalesce(x.last_error, 'The contact could not be called.')
                         when x.outcome = 'voicemail' then 'A machine answered the call-back.'
                         else 'Nobody answered the call-back' || coalesce(
                           (select ' in ' || count(*) || ' tries' from calls c
                            where c.workspace_id = $1 and c.campaign_contact_id = x.id and c.batch_id = $2 and c.dialled_at >= b.due_at
                            having count(*) > 1), '') || '.' end as why
             from call_backs b join campaign_contacts x on x.workspace_id = $1 and x.id = b.campaign_contact_id
             where b.workspace_id = $1 and b.batch_id = $2 and b.status in ('dialling', 'kept', 'needs_person')
               and (b.status = 'dialling' or x.batch_id = $2)
               and not exists (select from call_backs o where o.workspace_id = $1 and o.campaign_contact_id = b.campaign_contact_id
                                 and o.id <> b.id and o.status in ('scheduled', 'dialling', 'needs_person')))
           update call_backs b set status = seen.status, why = seen.why, updated_at = now()
           from seen where b.workspace_id = $1 and b.id = seen.id and (b.status, b.why) is distinct from (seen.status, seen.why)
           returning b.client_id as "client_id: ClientId""#,
        tx.workspace_uuid(),
        batch.0
    )
    .fetch_all(tx.conn())
    .await?)
}
