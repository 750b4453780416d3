//! What a provider's words make of a call. Facts are only added and a finished call never goes back, so every order of events,
//! and any doubling, ends in the same row.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;

use super::ended::{CallEnded, Corrected, Ended};
use super::{carrier, enrich, follow};
use crate::model::ContactOutcome;
use crate::model::{CallDirection, EnrichmentType};
use patchbay_access::server::WriteTx;
use patchbay_jobs::live::Topic;
use patchbay_metering::server::budget;
use patchbay_providers::voice::{Bill, EndReason, SipTermination, VoiceCall};
use patchbay_shared::AppError;
use patchbay_shared::error::internal;
use patchbay_shared::ids::{BatchId, CallId, CampaignContactId, ClientId};

/// The key in the provider's metadata that holds our call's id.
pub const CALL_KEY: &str = "patchbay_call";

/// CallUpdate about a call: an event of the provider, or what it answered when it was asked.
pub struct CallUpdate<'a> {
    pub call: &'a VoiceCall,
    /// Unique per event of a call: the same news twice is no news.
    pub event_id: &'a str,
    pub event_type: &'a str,
    pub occurred_at: DateTime<Utc>,
    /// When the provider said it. Of two bills for a call the later one counts.
    pub told_at: DateTime<Utc>,
    /// The provider's words, kept as they came.
    pub payload: serde_json::Value,
    /// US dollars per minute of talk.
    pub price_per_minute: Decimal,
}

struct Known {
    id: CallId,
    client_id: Option<ClientId>,
    batch_id: Option<BatchId>,
    campaign_contact_id: Option<CampaignContactId>,
    attempt_no: i32,
    ended: bool,
}

/// Folds news into its call, which is made if nobody knows it yet. Gives the call's id.
pub async fn apply(tx: &mut WriteTx, news: &CallUpdate<'_>) -> Result<CallId, AppError> {
    let known = match find(tx, news.call).await? {
        Some(known) => known,
        None => make_stub(tx, news).await?,
    };
    if !remember(tx, &known, news).await? {
        return Ok(known.id);
    }
    let talked = merge(tx, &known, news).await?;
    let ends_now = news.call.ended.is_some() && !known.ended;
    if ends_now {
        end(tx, &known, news.call, talked).await?;
    } else if news.call.ended.is_some() {
        refine(tx, &known, news.call, talked).await?;
    }
    if known.ended && talked {
        answered_after_all(tx, &known, news.call).await?;
    }
    if news.call.ended.is_some() && news.call.charged_seconds().is_some() {
        follow::no_longer(tx, known.id).await?;
    }
    for topic in [Topic::list("calls"), Topic::one("call", known.id), Topic::list("dashboard")] {
        tx.notify(topic, known.client_id);
    }
    if let Some(batch) = known.batch_id {
        tx.notify(Topic::one("batch", batch), known.client_id);
    }
    Ok(known.id)
}

/// Our id in the metadata names the call, unless that call is another one at the provider; else the provider's id does. The row
/// stays locked until the commit.
async fn find(tx: &mut WriteTx, call: &VoiceCall) -> Result<Option<Known>, AppError> {
    let ours = call.metadata.get(CALL_KEY).and_then(|id| id.parse::<uuid::Uuid>().ok());
    let row = sqlx::query!(
        r#"select id as "id: CallId", client_id as "client_id: ClientId", batch_id as "batch_id: BatchId",
                  campaign_contact_id as "campaign_contact_id: CampaignContactId", attempt_no, ended_at is not null as "ended!"
           from calls where workspace_id = $1 and ((id = $2 and coalesce(provider_call_id, $3) = $3)
                                                   or (provider = 'ultravox' and provider_call_id = $3))
           order by (id = $2) desc nulls last limit 1 for update"#,
        tx.workspace_uuid(),
        ours,
        call.id
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|row| Known {
        id: row.id,
        client_id: row.client_id,
        batch_id: row.batch_id,
        campaign_contact_id: row.campaign_contact_id,
        attempt_no: row.attempt_no,
        ended: row.ended,
    }))
}

/// A call that Patchbay did not place: somebody called in, or it was placed elsewhere. Its agent says whose it is.
async fn make_stub(tx: &mut WriteTx, news: &CallUpdate<'_>) -> Result<Known, AppError> {
    let call = news.call;
    let began = call.began().unwrap_or(news.occurred_at);
    let mapping = sqlx::query!(
        r#"select m.agent_id, m.client_id as "client_id: ClientId", m.default_direction as "direction: CallDirection",
                  m.synced_prompt_id, m.synced_prompt_version,
                  coalesce(m.synced_at >= a.updated_at and m.updated_at <= $3, false) as "is_what_was_said!"
           from agent_mappings m join agents a on a.workspace_id = $1 and a.id = m.agent_id
           where m.workspace_id = $1 and m.provider = 'ultravox' and m.provider_agent_id = $2 limit 1"#,
        tx.workspace_uuid(),
        call.agent_id,
        began
    )
    .fetch_optional(tx.conn())
    .await?;
    let id = CallId::new();
    let client_id = mapping.as_ref().map(|mapping| mapping.client_id);
    // What the service held when the call began. A copy that was sent since may have brought other words.
    let words = mapping.as_ref().filter(|mapping| mapping.is_what_was_said);
    let (prompt_id, prompt_version) =
        words.map_or((None, None), |words| (words.synced_prompt_id, words.synced_prompt_version));
    let direction = match call.direction {
        patchbay_providers::voice::CallDirection::Outbound => CallDirection::Outbound,
        _ => CallDirection::Inbound,
    };
    sqlx::query!(
        r#"insert into calls (workspace_id, id, client_id, agent_id, provider, provider_call_id, direction, dial_state, "from", "to", started_at,
                              prompt_id, prompt_version)
           values ($1, $2, $3, $4, 'ultravox', $5, $6, 'placed', $7, $8, $9, $10, $11) on conflict do nothing"#,
        tx.workspace_uuid(),
        id.0,
        client_id.map(|client| client.0),
        mapping.map(|mapping| mapping.agent_id),
        call.id,
        direction as CallDirection,
        call.from,
        call.to,
        began,
        prompt_id,
        prompt_version,
    )
    .execute(tx.conn())
    .await?;
    // Nobody else looks after a call that is in no batch.
    follow::enqueue(tx, id, 2).await?;
    // Another worker may have made it in this very moment: then its row is the one.
    let known = find(tx, call).await?.ok_or_else(|| internal("a call that was just made is not there"))?;
    if let (Some(from), Some(to)) = (&call.from, &call.to) {
        carrier::claim_waiting(tx, (known.id, known.client_id), (from, to), began).await?;
    }
    Ok(known)
}

/// Keeps the event. False: it is known already.
async fn remember(tx: &mut WriteTx, known: &Known, news: &CallUpdate<'_>) -> Result<bool, AppError> {
    let done = sqlx::query!(
        "insert into call_events (workspace_id, id, call_id, client_id, provider, event_id, event_type, occurred_at, payload)
         values ($1, $2, $3, $4, 'ultravox', $5, $6, $7, $8) on conflict (workspace_id, call_id, provider, event_id) do nothing",
        tx.workspace_uuid(),
        uuid::Uuid::now_v7(),
        known.id.0,
        known.client_id.map(|client| client.0),
        news.event_id,
        news.event_type,
        news.occurred_at,
        news.payload,
    )
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Adds the facts. Gives whether anybody talked, by all that is known now.
async fn merge(tx: &mut WriteTx, known: &Known, news: &CallUpdate<'_>) -> Result<bool, AppError> {
    let call = news.call;
    // None: not priced yet, which is not the same as free.
    let billed = call.charged_seconds().map(|seconds| seconds.clamp(0.0, 1e6).ceil() as i32);
    let cost = billed.map(|seconds| (Decimal::from(seconds) * news.price_per_minute / Decimal::from(60)).round_dp(6));
    // Of two bills the later one counts, up or down, in whatever order they come here; nothing is billed again after a refund.
    let row = sqlx::query!(
        r#"with was as (
             select id, started_at, voice_cost + carrier_cost as cost,
                    $9::int is not null and (coalesce(billing_status = 'BILLING_STATUS_REFUNDED', false), coalesce(billed_at, '-infinity'),
                      coalesce(billed_seconds, -1)) <= ($11::boolean, $12::timestamptz, $9) as takes_bill
             from calls where workspace_id = $1 and id = $2)
           update calls c set provider_call_id = coalesce(c.provider_call_id, $3), dial_state = 'placed',
                error = case when c.dial_state = 'unknown' then null else c.error end,
                started_at = least(c.started_at, $4), joined_at = least(c.joined_at, $5), ended_at = least(c.ended_at, $6),
                end_reason = coalesce(c.end_reason, $7), summary = coalesce(c.summary, $8),
                billed_seconds = case when was.takes_bill then $9 else c.billed_seconds end,
                voice_cost = case when was.takes_bill then $10::numeric else c.voice_cost end,
                billing_status = case when was.takes_bill then $13 else c.billing_status end,
                billed_at = case when was.takes_bill then $12 else c.billed_at end, updated_at = now()
           from was where c.workspace_id = $1 and c.id = was.id
           returning was.started_at as "started_then!", was.cost as "cost_then!",
                     c.started_at, c.voice_cost + c.carrier_cost as "cost!", c.joined_at is not null as "talked!""#,
        tx.workspace_uuid(),
        known.id.0,
        call.id,
        call.created,
        call.joined,
        call.ended,
        call.end_reason.as_ref().map(|reason| reason.as_str().to_owned()),
        call.summary.as_deref().or(call.short_summary.as_deref()),
        billed,
        cost,
        call.bill == Bill::Refunded,
        news.told_at,
        call.billing_status,
    )
    .fetch_one(tx.conn())
    .await?;
    if row.started_at == row.started_then {
        budget::add(tx, known.client_id, row.started_at, row.cost - row.cost_then).await?;
    } else {
        // An earlier start may lie in the month before.
        budget::add(tx, known.client_id, row.started_then, -row.cost_then).await?;
        budget::add(tx, known.client_id, row.started_at, row.cost).await?;
    }
    sqlx::query!(
        "update calls set duration = greatest(0, round(extract(epoch from ended_at - joined_at)))::int
         where workspace_id = $1 and id = $2 and ended_at is not null and joined_at is not null",
        tx.workspace_uuid(),
        known.id.0
    )
    .execute(tx.conn())
    .await?;
    Ok(row.talked)
}

/// The call is over: its contact is settled, and its words are fetched if there were any.
async fn end(tx: &mut WriteTx, known: &Known, call: &VoiceCall, talked: bool) -> Result<(), AppError> {
    let (outcome, error) = outcome_of(call, talked);
    sqlx::query!(
        "update calls set outcome = $3, error = coalesce($4, error),
                transcript_status = case when $5 then transcript_status end,
                analysis_status = case when $5 then analysis_status end
         where workspace_id = $1 and id = $2",
        tx.workspace_uuid(),
        known.id.0,
        outcome as Option<ContactOutcome>,
        error,
        talked,
    )
    .execute(tx.conn())
    .await?;
    if talked {
        enrich::enqueue(tx, known.id, EnrichmentType::Transcript).await?;
    }
    if let (Some(contact), Some(batch)) = (known.campaign_contact_id, known.batch_id) {
        let ended = tx.services().hooks.get::<CallEnded>()?.ended;
        ended(tx, ended_call(known, batch, contact, outcome, error.as_deref())).await?;
    }
    if call.charged_seconds().is_none() {
        // The bill comes by itself within seconds; if it does not, it is asked for.
        follow::enqueue(tx, known.id, 10).await?;
    }
    Ok(())
}

/// Later news may know better why nobody answered.
async fn refine(tx: &mut WriteTx, known: &Known, call: &VoiceCall, talked: bool) -> Result<(), AppError> {
    let (outcome, error) = outcome_of(call, talked);
    if talked || outcome == Some(ContactOutcome::NoAnswer) {
        return Ok(());
    }
    let refined = sqlx::query!(
        "update calls set outcome = $3, error = coalesce($4, error) where workspace_id = $1 and id = $2 and joined_at is null and outcome = 'no_answer'",
        tx.workspace_uuid(),
        known.id.0,
        outcome as Option<ContactOutcome>,
        error,
    )
    .execute(tx.conn())
    .await?;
    if refined.rows_affected() == 0 {
        return Ok(());
    }
    tell_refined(tx, known, outcome, error.as_deref()).await
}

/// The event that ended the call did not say that somebody had joined, and this one does: nobody is called again for it.
async fn answered_after_all(tx: &mut WriteTx, known: &Known, call: &VoiceCall) -> Result<(), AppError> {
    let (outcome, error) = outcome_of(call, true);
    let was_unanswered = sqlx::query!(
        "update calls set outcome = $3, error = $4, transcript_status = 'pending', analysis_status = 'pending', updated_at = now()
         where workspace_id = $1 and id = $2 and ended_at is not null and transcript_status is null",
        tx.workspace_uuid(),
        known.id.0,
        outcome as Option<ContactOutcome>,
        error
    )
    .execute(tx.conn())
    .await?;
    if was_unanswered.rows_affected() == 0 {
        return Ok(());
    }
    enrich::enqueue(tx, known.id, EnrichmentType::Transcript).await?;
    tell_refined(tx, known, outcome, error.as_deref()).await
}

/// Tells whoever placed the call that it ended otherwise than they were told at first.
async fn tell_refined(
    tx: &mut WriteTx,
    known: &Known,
    outcome: Option<ContactOutcome>,
    error: Option<&str>,
) -> Result<(), AppError> {
    if let (Some(contact), Some(batch)) = (known.campaign_contact_id, known.batch_id) {
        let refined = tx.services().hooks.get::<CallEnded>()?.refined;
        refined(tx, ended_call(known, batch, contact, outcome, error)).await?;
    }
    Ok(())
}

fn ended_call<'a>(
    known: &Known,
    batch: BatchId,
    contact: CampaignContactId,
    outcome: Option<ContactOutcome>,
    error: Option<&'a str>,
) -> Ended<'a> {
    Ended { batch, contact, attempt: known.attempt_no, call: known.id, outcome, error }
}

/// How it went for the person who was called, and what was wrong with the call if anything was.
fn outcome_of(call: &VoiceCall, talked: bool) -> (Option<ContactOutcome>, Option<String>) {
    if talked {
        let error = match call.end_reason {
            Some(EndReason::ConnectionError) => Some("The connection was lost during the call.".to_owned()),
            Some(EndReason::SystemError) => Some("The voice provider had trouble during the call.".to_owned()),
            _ => None,
        };
        return (Some(ContactOutcome::Answered), error);
    }
    match &call.sip_termination {
        Some(SipTermination::Busy) => (Some(ContactOutcome::Busy), None),
        Some(SipTermination::Rejected) => (Some(ContactOutcome::Declined), None),
        Some(SipTermination::InvalidNumber) => {
            (None, Some("The carrier does not know this number. Check it with the client.".to_owned()))
        }
        _ => match call.end_reason {
            Some(EndReason::SystemError) => {
                (None, Some("The voice provider could not place the call. It is safe to try again.".to_owned()))
            }
            Some(EndReason::ConnectionError) => {
                (None, Some("The carrier could not connect the call. It is safe to try again.".to_owned()))
            }
            _ => (Some(ContactOutcome::NoAnswer), None),
        },
    }
}

/// What the words of a call show later: a voicemail, somebody who declined, an agreed moment to call back. Safe to repeat.
pub(crate) async fn correct_outcome(
    tx: &mut WriteTx,
    id: CallId,
    outcome: ContactOutcome,
    callback_at: Option<DateTime<Utc>>,
) -> Result<(), AppError> {
    let contact = sqlx::query_scalar!(
        r#"update calls set outcome = $3, updated_at = now() where workspace_id = $1 and id = $2
           returning campaign_contact_id as "contact: CampaignContactId""#,
        tx.workspace_uuid(),
        id.0,
        outcome as ContactOutcome
    )
    .fetch_optional(tx.conn())
    .await?
    .flatten();
    if let Some(contact) = contact {
        let corrected = tx.services().hooks.get::<CallEnded>()?.corrected;
        corrected(tx, Corrected { contact, call: id, outcome, callback_at }).await?;
    }
    Ok(())
}
