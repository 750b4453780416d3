//! Calls that come in to a number of ours: written down before anybody answers, and ended here when nobody does. The carrier may ask
//! about the same call more than once; its id makes them one.

use chrono::{DateTime, Utc};

use super::{carrier, counted, follow, told};
use crate::model::MissedReason;
use patchbay_access::server::{ReadTx, WriteTx};
use patchbay_jobs::live::Topic;
use patchbay_shared::AppError;
use patchbay_shared::ids::{AgentId, CallId, ClientId, ContactId, PromptId};
use patchbay_webhooks::model::EventType;

/// A call that has just come in.
#[derive(Debug, Clone)]
pub struct NewIncoming {
    pub id: CallId,
    /// The carrier's id.
    pub carrier_call_id: String,
    /// As the carrier writes it; empty when it is withheld.
    pub from: String,
    pub to: String,
    pub client_id: Option<ClientId>,
    pub agent_id: Option<AgentId>,
    pub contact_id: Option<ContactId>,
    pub contact_name: String,
    pub prompt_id: Option<PromptId>,
    pub prompt_version: Option<i32>,
}

/// A call that came in, as it is now.
#[derive(Debug, Clone)]
pub struct Incoming {
    pub id: CallId,
    pub provider_call_id: Option<String>,
    /// When the voice service was asked for somebody to answer. None: it never was.
    pub asked_at: Option<DateTime<Utc>>,
    pub is_joined: bool,
    pub is_over: bool,
    pub missed_reason: Option<MissedReason>,
}

/// What came in under this id of the carrier's. None: nothing yet.
pub async fn find(tx: &mut ReadTx, carrier_call_id: &str) -> Result<Option<Incoming>, AppError> {
    let row = sqlx::query!(
        r#"select id as "id: CallId", provider_call_id, dialled_at, joined_at is not null as "is_joined!",
                  ended_at is not null as "is_over!", missed_reason
           from calls where workspace_id = $1 and carrier_call_id = $2"#,
        tx.workspace_uuid(),
        carrier_call_id
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|row| Incoming {
        id: row.id,
        provider_call_id: row.provider_call_id,
        asked_at: row.dialled_at,
        is_joined: row.is_joined,
        is_over: row.is_over,
        missed_reason: row.missed_reason.and_then(|word| word.parse().ok()),
    }))
}

/// Writes a call down. `missed`: nobody will answer it, and it is over; else somebody is asked to, and until somebody joins it is the
/// caller who left. False: another request about the same call was quicker.
pub async fn insert(tx: &mut WriteTx, new: &NewIncoming, missed: Option<MissedReason>) -> Result<bool, AppError> {
    let from = Some(new.from.as_str()).filter(|from| !from.is_empty());
    let done = sqlx::query!(
        r#"insert into calls (workspace_id, id, client_id, agent_id, contact_id, contact_name, direction, dial_state, dialled_at, "from", "to",
                              started_at, ended_at, end_reason, outcome, transcript_status, analysis_status, prompt_id, prompt_version,
                              carrier_call_id, missed_reason, run_id)
           values ($1, $2, $3, $4, $5, $6, 'inbound', case when $7 then 'placed'::dial_state else 'intent' end,
                   case when $7 then null else now() end, $8, $9, now(), case when $7 then now() end,
                   case when $7 then 'missed' end, case when $7 then 'no_answer'::contact_outcome end,
                   case when $7 then null else 'pending'::transcript_status end, case when $7 then null else 'pending'::analysis_status end,
                   $10, $11, $12, $13, $2)
           on conflict (workspace_id, carrier_call_id) where carrier_call_id is not null do nothing"#,
        tx.workspace_uuid(),
        new.id.0,
        new.client_id.map(|id| id.0),
        new.agent_id.map(|id| id.0),
        new.contact_id.map(|id| id.0),
        new.contact_name,
        missed.is_some(),
        from,
        new.to,
        new.prompt_id.map(|id| id.0),
        new.prompt_version,
        new.carrier_call_id,
        missed.unwrap_or(MissedReason::CallerLeft).as_str(),
    )
    .execute(tx.conn())
    .await?;
    if done.rows_affected() == 0 {
        return Ok(false);
    }
    let began = tx.reading().now().await?;
    if let Some(from) = from {
        carrier::claim_waiting(tx, (new.id, new.client_id), (from, &new.to), began).await?;
    }
    if missed.is_none() {
        // No batch looks after it.
        follow::enqueue_all(tx, &[(new.id, 2)]).await?;
    }
    counted::touch(tx, new.id).await?;
    if missed.is_some() {
        told::tell(tx, &[(new.id, EventType::CallFailed)]).await?;
    }
    notify(tx, new.id, new.client_id);
    Ok(true)
}

/// Nobody can answer after all: the voice service was asked and said no, or never said anything. True if that ended the call.
pub async fn end_missed(
    tx: &mut WriteTx,
    id: CallId,
    reason: MissedReason,
    error: Option<&str>,
) -> Result<bool, AppError> {
    let row = sqlx::query!(
        r#"update calls set ended_at = now(), end_reason = 'missed', outcome = 'no_answer', missed_reason = $3, error = coalesce($4, error),
                  dial_state = case when dial_state = 'intent' then 'placed'::dial_state else dial_state end,
                  transcript_status = null, analysis_status = null, updated_at = now()
           where workspace_id = $1 and id = $2 and ended_at is null and joined_at is null
           returning client_id as "client_id: ClientId""#,
        tx.workspace_uuid(),
        id.0,
        reason.as_str(),
        error
    )
    .fetch_optional(tx.conn())
    .await?;
    let Some(row) = row else { return Ok(false) };
    follow::no_longer(tx, &[id]).await?;
    counted::touch(tx, id).await?;
    told::tell(tx, &[(id, EventType::CallFailed)]).await?;
    notify(tx, id, row.client_id);
    Ok(true)
}

/// A call that was asked for and of which the voice service has told nothing.
pub struct Unheard {
    /// The fence: see `dialled`.
    pub asked_at: DateTime<Utc>,
    pub is_incoming: bool,
}

/// None: it was heard of, or it is over.
pub async fn unheard(tx: &mut ReadTx, id: CallId) -> Result<Option<Unheard>, AppError> {
    Ok(sqlx::query_as!(
        Unheard,
        r#"select coalesce(dialled_at, started_at) as "asked_at!", direction = 'inbound' as "is_incoming!"
           from calls where workspace_id = $1 and id = $2 and provider_call_id is null and ended_at is null
             and dial_state in ('intent', 'unknown')"#,
        tx.workspace_uuid(),
        id.0
    )
    .fetch_optional(tx.conn())
    .await?)
}

fn notify(tx: &mut WriteTx, id: CallId, client: Option<ClientId>) {
    for topic in [Topic::list("calls"), Topic::one("call", id), Topic::list("dashboard")] {
        tx.notify(topic, client);
    }
}
