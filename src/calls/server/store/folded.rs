//! Calls as news changes them, many in a statement. Rows are locked in the order of their ids, so that two that fold the same calls
//! wait for each other and never in a circle.

use chrono::{DateTime, Utc};
use serde_json::Value;
use uuid::Uuid;

use crate::model::{AnalysisStatus, CallDirection, CallSource, ContactOutcome, TranscriptStatus};
use crate::server::fold::facts::CallState;
use patchbay_access::server::WriteTx;
use patchbay_shared::AppError;
use patchbay_shared::ids::{AgentId, BatchId, CallId, CampaignContactId, ClientId, ContactId};

/// What is kept of an event.
pub(crate) struct NewEvent<'a> {
    pub call: CallId,
    pub client: Option<ClientId>,
    pub event_id: &'a str,
    pub event_type: &'a str,
    pub occurred_at: DateTime<Utc>,
    pub payload: &'a Value,
}

/// What a call has beside its state when its row is made.
#[derive(Debug, Clone, Default)]
pub(crate) struct Origin {
    pub direction: Option<CallDirection>,
    pub source: Option<CallSource>,
    pub from: Option<String>,
    pub to: Option<String>,
    pub prompt_id: Option<Uuid>,
    pub prompt_version: Option<i32>,
    pub contact_id: Option<ContactId>,
    pub contact_name: String,
}

impl Origin {
    /// The number at the other end of the line.
    pub fn other_side(&self) -> Option<&str> {
        let is_inbound = self.direction == Some(CallDirection::Inbound);
        if is_inbound { self.from.as_deref() } else { self.to.as_deref() }
    }
}

/// Whose a provider's agent is.
pub(crate) struct Mapping {
    pub provider_agent_id: String,
    pub agent_id: AgentId,
    pub client_id: ClientId,
    /// Which way its calls go when the provider does not say.
    pub direction: CallDirection,
    pub prompt_id: Option<Uuid>,
    pub prompt_version: Option<i32>,
    /// Since when the provider has held these words; none while they are not ours.
    pub words_since: Option<DateTime<Utc>>,
}

/// For the rest of the transaction: each statement is planned for the tables as they are now. A plan that was kept from when `calls` was
/// empty may go through a whole index of the workspace for each row, until the statistics come.
pub(crate) async fn plan_anew(tx: &mut WriteTx) -> Result<(), AppError> {
    sqlx::raw_sql("set local plan_cache_mode = force_custom_plan").execute(tx.conn()).await?;
    Ok(())
}

/// Calls with these ids, and those that the provider knows under these, locked until the commit.
pub(crate) async fn find(tx: &mut WriteTx, ours: &[Uuid], theirs: &[String]) -> Result<Vec<CallState>, AppError> {
    Ok(sqlx::query_as!(
        CallState,
        r#"select id as "id: CallId", client_id as "client_id: ClientId", agent_id as "agent_id: AgentId", batch_id as "batch_id: BatchId",
                  campaign_contact_id as "campaign_contact_id: CampaignContactId", attempt_no, provider_call_id,
                  dial_state = 'unknown' as "is_unknown!", answered_by is not distinct from 'machine' as "is_machine!", error, started_at, joined_at, ended_at, end_reason, summary, billed_seconds,
                  voice_cost, carrier_cost, billing_status, billed_at, duration, outcome as "outcome: ContactOutcome",
                  transcript_status as "transcript_status: TranscriptStatus", analysis_status as "analysis_status: AnalysisStatus"
           from calls where workspace_id = $1 and id in (
             select id from calls where workspace_id = $1 and id = any($2)
             union select id from calls where workspace_id = $1 and provider = 'ultravox' and provider_call_id = any($3))
           order by id for update"#,
        tx.workspace_uuid(),
        ours,
        theirs
    )
    .fetch_all(tx.conn())
    .await?)
}

/// Whose these agents of the provider are.
pub(crate) async fn mappings(tx: &mut WriteTx, agents: &[String]) -> Result<Vec<Mapping>, AppError> {
    Ok(sqlx::query_as!(
        Mapping,
        r#"select distinct on (m.provider_agent_id) m.provider_agent_id as "provider_agent_id!", m.agent_id as "agent_id: AgentId",
                  m.client_id as "client_id: ClientId", m.default_direction as "direction: CallDirection", m.synced_prompt_id as prompt_id,
                  m.synced_prompt_version as prompt_version, case when m.synced_at >= a.updated_at then m.updated_at end as words_since
           from agent_mappings m join agents a on a.workspace_id = $1 and a.id = m.agent_id
           where m.workspace_id = $1 and m.provider = 'ultravox' and m.provider_agent_id = any($2)
           order by m.provider_agent_id, m.id"#,
        tx.workspace_uuid(),
        agents
    )
    .fetch_all(tx.conn())
    .await?)
}

/// A contact of a client, found by its number.
pub(crate) struct Recognised {
    pub id: ContactId,
    pub client_id: ClientId,
    pub phone: String,
    pub name: String,
}

/// The contacts that these clients have under these numbers.
pub(crate) async fn contacts(tx: &mut WriteTx, numbers: &[(ClientId, String)]) -> Result<Vec<Recognised>, AppError> {
    let (clients, phones): (Vec<Uuid>, Vec<String>) =
        numbers.iter().map(|(client, phone)| (client.0, phone.clone())).unzip();
    Ok(sqlx::query_as!(
        Recognised,
        r#"select c.id as "id: ContactId", c.client_id as "client_id: ClientId", c.phone, c.name
           from unnest($2::uuid[], $3::text[]) as n (client_id, phone)
           join contacts c on c.workspace_id = $1 and c.client_id = n.client_id and c.phone = n.phone"#,
        tx.workspace_uuid(),
        &clients,
        &phones
    )
    .fetch_all(tx.conn())
    .await?)
}

/// A column of many rows, for `unnest`.
fn column<'a, R, T>(rows: &[&'a R], of: impl Fn(&'a R) -> T) -> Vec<T> {
    rows.iter().map(|row| of(row)).collect()
}

/// Makes the rows. Gives the ids of those that were made: of the others the provider's call was there already.
pub(crate) async fn insert(tx: &mut WriteTx, calls: &[(&CallState, &Origin)]) -> Result<Vec<CallId>, AppError> {
    let states: Vec<&CallState> = calls.iter().map(|(state, _)| *state).collect();
    let origins: Vec<&Origin> = calls.iter().map(|(_, origin)| *origin).collect();
    let made = sqlx::query_scalar!(
        r#"insert into calls (workspace_id, id, client_id, agent_id, provider, provider_call_id, dial_state, direction, source, "from", "to",
                              prompt_id, prompt_version, contact_id, contact_name, error, started_at, joined_at, ended_at, end_reason, summary, billed_seconds,
                              voice_cost, billing_status, billed_at, duration, outcome, transcript_status, analysis_status, run_id)
           select $1, n.id, n.client_id, n.agent_id, 'ultravox', n.provider_call_id, 'placed', n.direction::call_direction,
                  n.source::call_source, n."from", n."to", n.prompt_id, n.prompt_version, n.contact_id, n.contact_name, n.error, n.started_at,
                  n.joined_at, n.ended_at, n.end_reason, n.summary, n.billed_seconds, n.voice_cost, n.billing_status, n.billed_at, n.duration,
                  n.outcome::contact_outcome, n.transcript_status::transcript_status, n.analysis_status::analysis_status, n.id
           from unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::uuid[],
                       $11::int[], $12::text[], $13::timestamptz[], $14::timestamptz[], $15::timestamptz[], $16::text[], $17::text[],
                       $18::int[], $19::numeric[], $20::text[], $21::timestamptz[], $22::int[], $23::text[], $24::text[], $25::text[], $26::uuid[],
                       $27::text[])
             as n (id, client_id, agent_id, provider_call_id, direction, source, "from", "to", prompt_id, prompt_version, error, started_at,
                   joined_at, ended_at, end_reason, summary, billed_seconds, voice_cost, billing_status, billed_at, duration, outcome,
                   transcript_status, analysis_status, contact_id, contact_name)
           on conflict (workspace_id, provider, provider_call_id) do nothing returning id as "id: CallId""#,
        tx.workspace_uuid(),
        &column(&states, |state| state.id.0),
        &column(&states, |state| state.client_id.map(|id| id.0)) as &[Option<Uuid>],
        &column(&states, |state| state.agent_id.map(|id| id.0)) as &[Option<Uuid>],
        &column(&states, |state| state.provider_call_id.clone()) as &[Option<String>],
        &column(&origins, |origin| origin.direction.unwrap_or(CallDirection::Inbound).as_str().to_owned()),
        &column(&origins, |origin| origin.source.unwrap_or(CallSource::Webhook).as_str().to_owned()),
        &column(&origins, |origin| origin.from.clone()) as &[Option<String>],
        &column(&origins, |origin| origin.to.clone()) as &[Option<String>],
        &column(&origins, |origin| origin.prompt_id) as &[Option<Uuid>],
        &column(&origins, |origin| origin.prompt_version) as &[Option<i32>],
        &column(&states, |state| state.error.clone()) as &[Option<String>],
        &column(&states, |state| state.started_at),
        &column(&states, |state| state.joined_at) as &[Option<DateTime<Utc>>],
        &column(&states, |state| state.ended_at) as &[Option<DateTime<Utc>>],
        &column(&states, |state| state.end_reason.clone()) as &[Option<String>],
        &column(&states, |state| state.summary.clone()) as &[Option<String>],
        &column(&states, |state| state.billed_seconds) as &[Option<i32>],
        &column(&states, |state| state.voice_cost),
        &column(&states, |state| state.billing_status.clone()) as &[Option<String>],
        &column(&states, |state| state.billed_at) as &[Option<DateTime<Utc>>],
        &column(&states, |state| state.duration) as &[Option<i32>],
        &column(&states, |state| word(state.outcome.map(ContactOutcome::as_str))) as &[Option<String>],
        &column(&states, |state| word(state.transcript_status.map(TranscriptStatus::as_str))) as &[Option<String>],
        &column(&states, |state| word(state.analysis_status.map(AnalysisStatus::as_str))) as &[Option<String>],
        &column(&origins, |origin| origin.contact_id.map(|id| id.0)) as &[Option<Uuid>],
        &column(&origins, |origin| origin.contact_name.clone()),
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(made)
}

fn word(word: Option<&'static str>) -> Option<String> {
    word.map(str::to_owned)
}

/// Keeps events. Gives call and name of those that are new; of the same news twice in `events` one is.
pub(crate) async fn remember(tx: &mut WriteTx, events: &[NewEvent<'_>]) -> Result<Vec<(CallId, String)>, AppError> {
    let events: Vec<&NewEvent<'_>> = events.iter().collect();
    let kept = sqlx::query!(
        r#"insert into call_events (workspace_id, id, call_id, client_id, provider, event_id, event_type, occurred_at, payload)
           select $1, n.id, n.call_id, n.client_id, 'ultravox', n.event_id, n.event_type, n.occurred_at, n.payload
           from unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::text[], $7::timestamptz[], $8::jsonb[])
             as n (id, call_id, client_id, event_id, event_type, occurred_at, payload)
           on conflict (workspace_id, call_id, provider, event_id) do nothing
           returning call_id as "call: CallId", event_id"#,
        tx.workspace_uuid(),
        &column(&events, |_| Uuid::now_v7()),
        &column(&events, |event| event.call.0),
        &column(&events, |event| event.client.map(|id| id.0)) as &[Option<Uuid>],
        &column(&events, |event| event.event_id.to_owned()),
        &column(&events, |event| event.event_type.to_owned()),
        &column(&events, |event| event.occurred_at),
        &column(&events, |event| event.payload.clone()),
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(kept.into_iter().map(|row| (row.call, row.event_id)).collect())
}

/// Writes what news made of these rows, which the transaction has locked.
pub(crate) async fn update(tx: &mut WriteTx, calls: &[&CallState]) -> Result<(), AppError> {
    sqlx::query!(
        r#"update calls c set provider_call_id = n.provider_call_id, dial_state = 'placed', error = n.error, started_at = n.started_at,
                  joined_at = n.joined_at, ended_at = n.ended_at, end_reason = n.end_reason, summary = n.summary,
                  billed_seconds = n.billed_seconds, voice_cost = n.voice_cost, billing_status = n.billing_status,
                  billed_at = n.billed_at, duration = n.duration, outcome = n.outcome::contact_outcome,
                  transcript_status = n.transcript_status::transcript_status, analysis_status = n.analysis_status::analysis_status,
                  updated_at = now()
           from unnest($2::uuid[], $3::text[], $4::text[], $5::timestamptz[], $6::timestamptz[], $7::timestamptz[], $8::text[], $9::text[],
                       $10::int[], $11::numeric[], $12::text[], $13::timestamptz[], $14::int[], $15::text[], $16::text[], $17::text[])
             as n (id, provider_call_id, error, started_at, joined_at, ended_at, end_reason, summary, billed_seconds, voice_cost,
                   billing_status, billed_at, duration, outcome, transcript_status, analysis_status)
           where c.workspace_id = $1 and c.id = n.id"#,
        tx.workspace_uuid(),
        &column(calls, |call| call.id.0),
        &column(calls, |call| call.provider_call_id.clone()) as &[Option<String>],
        &column(calls, |call| call.error.clone()) as &[Option<String>],
        &column(calls, |call| call.started_at),
        &column(calls, |call| call.joined_at) as &[Option<DateTime<Utc>>],
        &column(calls, |call| call.ended_at) as &[Option<DateTime<Utc>>],
        &column(calls, |call| call.end_reason.clone()) as &[Option<String>],
        &column(calls, |call| call.summary.clone()) as &[Option<String>],
        &column(calls, |call| call.billed_seconds) as &[Option<i32>],
        &column(calls, |call| call.voice_cost),
        &column(calls, |call| call.billing_status.clone()) as &[Option<String>],
        &column(calls, |call| call.billed_at) as &[Option<DateTime<Utc>>],
        &column(calls, |call| call.duration) as &[Option<i32>],
        &column(calls, |call| word(call.outcome.map(ContactOutcome::as_str))) as &[Option<String>],
        &column(calls, |call| word(call.transcript_status.map(TranscriptStatus::as_str))) as &[Option<String>],
        &column(calls, |call| word(call.analysis_status.map(AnalysisStatus::as_str))) as &[Option<String>],
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Of these calls, those between whose numbers legs of the carrier wait: call, numbers and start, as `unnest` wants them.
pub(crate) async fn with_waiting_legs(
    tx: &mut WriteTx,
    calls: &[(CallId, &str, &str, DateTime<Utc>)],
    seconds: f64,
) -> Result<Vec<CallId>, AppError> {
    let calls: Vec<&(CallId, &str, &str, DateTime<Utc>)> = calls.iter().collect();
    Ok(sqlx::query_scalar!(
        r#"select n.id as "id!: CallId" from unnest($2::uuid[], $3::text[], $4::text[], $5::timestamptz[]) as n (id, "from", "to", began)
           where exists (
             select from call_legs l where l.workspace_id = $1 and l.call_id is null and l."from" = n."from" and l."to" = n."to"
               and l.started_at between n.began - make_interval(secs => $6) and n.began + make_interval(secs => $6))"#,
        tx.workspace_uuid(),
        &column(&calls, |(id, ..)| id.0),
        &column(&calls, |(_, from, _, _)| (*from).to_owned()),
        &column(&calls, |(_, _, to, _)| (*to).to_owned()),
        &column(&calls, |(.., began)| *began),
        seconds
    )
    .fetch_all(tx.conn())
    .await?)
}
