//! Placing a call, step by step, so that a crash between any two steps neither loses a contact nor dials one twice.
//!
//! A row is the intent to dial; its id travels in the provider's metadata. Asked but not answered is `unknown`, and nobody dials
//! again on an unknown before the provider has said that it has no such call. `dialled_at` is the fence: whoever wants to ask
//! the provider again must first move it, from the value that was read.

use chrono::{DateTime, Utc};

use super::{counted, told};
use patchbay_access::server::{ReadTx, WriteTx};
use patchbay_shared::AppError;
use patchbay_shared::ids::{AgentId, BatchId, CallId, CampaignContactId, CampaignId, ClientId, ContactId, PromptId};
use patchbay_webhooks::model::EventType;

/// A call that is about to be placed, the first time or again: all that asking the provider takes.
#[derive(Debug, Clone)]
pub struct Intent {
    pub id: CallId,
    pub campaign_contact_id: CampaignContactId,
    pub batch_id: BatchId,
    /// E.164.
    pub from: String,
    /// E.164.
    pub to: String,
    /// The fence: when the provider was last asked. Whoever was overtaken by a later question records nothing.
    pub dialled_at: DateTime<Utc>,
}

/// What is written before the provider is asked the first time.
#[derive(Debug, Clone)]
pub struct NewIntent {
    pub intent: Intent,
    pub client_id: ClientId,
    pub agent_id: AgentId,
    pub campaign_id: CampaignId,
    pub contact_id: ContactId,
    pub attempt_no: i32,
    pub contact_name: String,
    pub prompt_id: Option<PromptId>,
    pub prompt_version: i32,
}

/// A call whose fate at the provider is not known.
#[derive(Debug, Clone)]
pub struct Unsettled {
    pub id: CallId,
    pub client_id: ClientId,
    pub campaign_contact_id: CampaignContactId,
    pub dialled_at: DateTime<Utc>,
    pub from: String,
    pub to: String,
}

/// Writes the intent to dial, with `dialled_at` as its fence (the transaction's own moment). Committed before the provider is asked.
pub async fn insert_intent(tx: &mut WriteTx, new: &NewIntent) -> Result<(), AppError> {
    let intent = &new.intent;
    sqlx::query!(
        r#"insert into calls (workspace_id, id, client_id, agent_id, campaign_id, campaign_contact_id, contact_id, batch_id, attempt_no,
                              direction, dial_state, dialled_at, "from", "to", contact_name, started_at, prompt_version,
                              prompt_id, run_id)
           values ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'outbound', 'intent', $14, $10, $11, $12, now(), $13, $15, $2)"#,
        tx.workspace_uuid(),
        intent.id.0,
        new.client_id.0,
        new.agent_id.0,
        new.campaign_id.0,
        intent.campaign_contact_id.0,
        new.contact_id.0,
        intent.batch_id.0,
        new.attempt_no,
        intent.from,
        intent.to,
        new.contact_name,
        new.prompt_version,
        intent.dialled_at,
        new.prompt_id.map(|id| id.0),
    )
    .execute(tx.conn())
    .await?;
    counted::touch(tx, intent.id).await
}

/// A call to one's own phone: in no batch.
#[derive(Debug, Clone)]
pub struct NewTestCall {
    pub id: CallId,
    pub client_id: ClientId,
    pub agent_id: AgentId,
    /// E.164.
    pub from: String,
    /// E.164.
    pub to: String,
    pub prompt_id: Option<PromptId>,
    pub prompt_version: i32,
}

/// Writes the intent to make a test call. Gives its fence; none when the same was asked for before.
pub async fn insert_test_call(tx: &mut WriteTx, new: &NewTestCall) -> Result<Option<DateTime<Utc>>, AppError> {
    let fence = sqlx::query_scalar!(
        r#"insert into calls (workspace_id, id, client_id, agent_id, direction, dial_state, dialled_at, "from", "to", contact_name,
                              started_at, prompt_id, prompt_version, is_test, run_id)
           values ($1, $2, $3, $4, 'outbound', 'intent', now(), $5, $6, 'Test call', now(), $7, $8, true, $2)
           on conflict (workspace_id, id) do nothing returning dialled_at"#,
        tx.workspace_uuid(),
        new.id.0,
        new.client_id.0,
        new.agent_id.0,
        new.from,
        new.to,
        new.prompt_id.map(|id| id.0),
        new.prompt_version,
    )
    .fetch_optional(tx.conn())
    .await?
    .flatten();
    if fence.is_some() {
        // No batch looks after it.
        super::follow::enqueue_all(tx, &[(new.id, 2)]).await?;
        super::counted::touch(tx, new.id).await?;
    }
    Ok(fence)
}

/// The provider has the call. An event may have said so already: then nothing changes.
pub async fn mark_placed(tx: &mut WriteTx, id: CallId, provider_call_id: &str) -> Result<(), AppError> {
    sqlx::query!(
        "update calls set provider_call_id = coalesce(provider_call_id, $3), dial_state = 'placed', updated_at = now()
         where workspace_id = $1 and id = $2",
        tx.workspace_uuid(),
        id.0,
        provider_call_id
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// The provider was asked and did not answer in a way that says whether it has the call.
pub async fn mark_unknown(tx: &mut WriteTx, id: CallId, fence: DateTime<Utc>, why: &str) -> Result<(), AppError> {
    sqlx::query!(
        "update calls set dial_state = 'unknown', error = $4, updated_at = now()
         where workspace_id = $1 and id = $2 and dial_state = 'intent' and dialled_at = $3",
        tx.workspace_uuid(),
        id.0,
        fence,
        why
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// The provider surely does not have the call and will not take it. True if this ended it.
pub async fn mark_refused(tx: &mut WriteTx, id: CallId, fence: DateTime<Utc>, why: &str) -> Result<bool, AppError> {
    let done = sqlx::query!(
        "update calls set dial_state = 'refused', error = $4, ended_at = coalesce(ended_at, now()), end_reason = coalesce(end_reason, 'refused'),
                transcript_status = null, analysis_status = null, updated_at = now()
         where workspace_id = $1 and id = $2 and dial_state in ('intent', 'unknown') and dialled_at = $3",
        tx.workspace_uuid(),
        id.0,
        fence,
        why
    )
    .execute(tx.conn())
    .await?;
    counted::touch(tx, id).await?;
    let is_over = done.rows_affected() == 1;
    if is_over {
        told::tell(tx, &[(id, EventType::CallFailed)]).await?;
    }
    Ok(is_over)
}

/// Takes an intent back that the provider surely never acted on (it said “too many requests”). True if it was there; false when
/// somebody has asked the provider again since.
pub async fn withdraw(tx: &mut WriteTx, id: CallId, fence: DateTime<Utc>) -> Result<bool, AppError> {
    let held = sqlx::query_scalar!(
        r#"select 1 as "one!" from calls where workspace_id = $1 and id = $2 and dial_state in ('intent', 'unknown')
             and provider_call_id is null and dialled_at = $3 for update"#,
        tx.workspace_uuid(),
        id.0,
        fence
    )
    .fetch_optional(tx.conn())
    .await?;
    if held.is_none() {
        return Ok(false);
    }
    counted::touch(tx, id).await?;
    // What the carrier told of a call between the same numbers at the same time may have been taken for news of this one. The leg
    // waits for its call again.
    sqlx::query!(
        "update call_legs set call_id = null where workspace_id = $1 and call_id = $2",
        tx.workspace_uuid(),
        id.0
    )
    .execute(tx.conn())
    .await?;
    sqlx::query!("delete from call_events where workspace_id = $1 and call_id = $2", tx.workspace_uuid(), id.0)
        .execute(tx.conn())
        .await?;
    patchbay_runs::server::live::withdraw(tx, id).await?;
    sqlx::query!("delete from calls where workspace_id = $1 and id = $2", tx.workspace_uuid(), id.0)
        .execute(tx.conn())
        .await?;
    Ok(true)
}

/// Calls of a batch whose fate is unknown and whose last question lies at least `age` seconds back.
pub async fn unsettled(tx: &mut ReadTx, batch: BatchId, age: f64) -> Result<Vec<Unsettled>, AppError> {
    Ok(sqlx::query_as!(
        Unsettled,
        r#"select id as "id: CallId", client_id as "client_id!: ClientId", campaign_contact_id as "campaign_contact_id!: CampaignContactId",
                  dialled_at as "dialled_at!", "from" as "from!", "to" as "to!"
           from calls where workspace_id = $1 and dial_state in ('intent', 'unknown') and batch_id = $2
             and dialled_at < now() - make_interval(secs => $3) order by dialled_at limit 200"#,
        tx.workspace_uuid(),
        batch.0,
        age
    )
    .fetch_all(tx.conn())
    .await?)
}

/// Placed calls of a batch that have not ended and of which nothing was heard for `age` seconds: an event may have been lost.
pub async fn silent(tx: &mut ReadTx, batch: BatchId, age: f64) -> Result<Vec<(CallId, String)>, AppError> {
    let rows = sqlx::query!(
        r#"select id as "id: CallId", provider_call_id as "provider_call_id!" from calls
           where workspace_id = $1 and batch_id = $2 and ended_at is null and dial_state = 'placed' and provider_call_id is not null
             and updated_at < now() - make_interval(secs => $3) order by updated_at limit 50"#,
        tx.workspace_uuid(),
        batch.0,
        age
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(|row| (row.id, row.provider_call_id)).collect())
}

/// Notes that the provider was asked about a call just now, so that it is not asked again at once.
pub(crate) async fn touch(tx: &mut WriteTx, id: CallId) -> Result<(), AppError> {
    sqlx::query!("update calls set updated_at = now() where workspace_id = $1 and id = $2", tx.workspace_uuid(), id.0)
        .execute(tx.conn())
        .await?;
    Ok(())
}

/// Moves the fence before the provider is asked again to place a call that it surely does not have. Gives the new fence; none when
/// somebody else did, or the provider has been heard of since.
pub async fn claim_redial(tx: &mut WriteTx, call: &Unsettled) -> Result<Option<DateTime<Utc>>, AppError> {
    let moved = sqlx::query_scalar!(
        "update calls set dial_state = 'intent', dialled_at = now(), error = null, updated_at = now()
         where workspace_id = $1 and id = $2 and dialled_at = $3 and dial_state in ('intent', 'unknown') and provider_call_id is null
         returning dialled_at",
        tx.workspace_uuid(),
        call.id.0,
        call.dialled_at
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(moved.flatten())
}

/// Whether the last five calls of a batch that the provider answered about were all refused.
pub async fn only_refusals(tx: &mut ReadTx, batch: BatchId) -> Result<bool, AppError> {
    Ok(sqlx::query_scalar!(
        r#"select coalesce(count(*) filter (where dial_state = 'refused') = 5, false) as "yes!" from (
             select dial_state from calls where workspace_id = $1 and batch_id = $2 and dial_state in ('placed', 'refused')
             order by started_at desc, id desc limit 5) latest"#,
        tx.workspace_uuid(),
        batch.0
    )
    .fetch_one(tx.conn())
    .await?)
}

/// Intents of a batch that the provider may be hearing of at this moment.
pub async fn in_flight(tx: &mut ReadTx, batch: BatchId, age: f64) -> Result<bool, AppError> {
    Ok(sqlx::query_scalar!(
        r#"select exists (select from calls where workspace_id = $1 and dial_state = 'intent' and batch_id = $2
             and dialled_at > now() - make_interval(secs => $3)) as "yes!""#,
        tx.workspace_uuid(),
        batch.0,
        age
    )
    .fetch_one(tx.conn())
    .await?)
}
