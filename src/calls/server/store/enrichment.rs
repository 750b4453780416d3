//! What the enrichment workers read and write.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use sqlx::types::Json;
use uuid::Uuid;

use crate::model::CampaignType;
use crate::model::analysis::HeardOutcome;
use crate::model::{Analysis, AnalysisStatus, EnrichmentType, Peaks, TranscriptStatus};
use crate::server::recordings::Spoken;
use patchbay_access::server::{ReadTx, WriteTx};
use patchbay_jobs::lease::Claim;
use patchbay_providers::chat::ChatUsage;
use patchbay_shared::ids::{AgentId, CallId, ClientId};
use patchbay_shared::{AppError, Reason};

/// One message as it is stored.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct NewMessage {
    pub role: &'static str,
    pub text: String,
    pub start_ms: Option<i32>,
    pub end_ms: Option<i32>,
    pub tool_name: Option<String>,
    pub invocation_id: Option<String>,
    pub error_details: Option<String>,
}

/// What a worker needs to know about a call.
#[derive(Debug, Clone)]
pub(crate) struct CallFacts {
    pub provider_call_id: Option<String>,
    /// Somebody joined.
    pub talked: bool,
    /// Its recording is being asked for.
    pub awaits_recording: bool,
    /// An import decided that it does not come with the words.
    pub has_recording_wish: bool,
    pub client_id: Option<ClientId>,
    pub agent_id: Option<AgentId>,
    pub agent_name: Option<String>,
    pub language: Option<String>,
    pub campaign_type: Option<CampaignType>,
    pub goal: Option<String>,
    pub contact_name: String,
    pub started_at: DateTime<Utc>,
    /// IANA name: the contact's, else the client's, else UTC.
    pub timezone: String,
    /// Its client is not archived. A call of no client's counts as the agency's own.
    pub client_is_active: bool,
}

/// Puts work into the queue, if it never was there. Rows that are there are not even locked: whoever works on one may be waiting for
/// the call's row, which the caller holds.
pub(crate) async fn enqueue(tx: &mut WriteTx, calls: &[CallId], kind: EnrichmentType) -> Result<(), AppError> {
    let ids: Vec<Uuid> = calls.iter().map(|_| Uuid::now_v7()).collect();
    let calls: Vec<Uuid> = calls.iter().map(|call| call.0).collect();
    sqlx::query!(
        "insert into enrichment_queue (id, workspace_id, call_id, type)
         select n.id, $1, n.call_id, $2 from unnest($3::uuid[], $4::uuid[]) as n (id, call_id)
         on conflict (workspace_id, call_id, type) do nothing",
        tx.workspace_uuid(),
        kind as EnrichmentType,
        &ids,
        &calls,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// The same, also when it was done or given up before; work that waits or goes on is left alone.
pub(crate) async fn enqueue_again(tx: &mut WriteTx, call: CallId, kind: EnrichmentType) -> Result<(), AppError> {
    sqlx::query!(
        "insert into enrichment_queue (id, workspace_id, call_id, type) values ($1, $2, $3, $4)
         on conflict (workspace_id, call_id, type) do update
           set status = 'pending', attempts = 0, worker_deaths = 0, rescues = 0, next_attempt_at = now(), last_error = null, finished_at = null
           where enrichment_queue.status in ('completed', 'failed')",
        Uuid::now_v7(),
        tx.workspace_uuid(),
        call.0,
        kind as EnrichmentType,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

pub(crate) async fn look_now(tx: &mut WriteTx) -> Result<(), AppError> {
    sqlx::query!(
        "update enrichment_queue set next_attempt_at = now()
         where workspace_id = $1 and status = 'pending' and next_attempt_at > now()",
        tx.workspace_uuid()
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Which call a claim is about, and what to do with it.
pub(crate) async fn item(tx: &mut ReadTx, id: Uuid) -> Result<(CallId, EnrichmentType), AppError> {
    let row = sqlx::query!(
        r#"select call_id as "call_id: CallId", type as "kind: EnrichmentType" from enrichment_queue where workspace_id = $1 and id = $2"#,
        tx.workspace_uuid(),
        id
    )
    .fetch_one(tx.conn())
    .await?;
    Ok((row.call_id, row.kind))
}

/// Whether the claim is still this worker's.
pub(crate) async fn is_ours(tx: &mut ReadTx, claim: &Claim) -> Result<bool, AppError> {
    Ok(sqlx::query_scalar!(
        r#"select exists (select from enrichment_queue where workspace_id = $1 and id = $2 and lease_owner = $3 and attempts = $4) as "ours!""#,
        tx.workspace_uuid(),
        claim.id,
        claim.owner,
        claim.attempt
    )
    .fetch_one(tx.conn())
    .await?)
}

/// Nothing may be spent in a suspended workspace.
pub(crate) async fn is_suspended(tx: &mut ReadTx) -> Result<bool, AppError> {
    let status =
        sqlx::query_scalar!(r#"select status::text as "status!" from workspaces where id = $1"#, tx.workspace_uuid())
            .fetch_optional(tx.conn())
            .await?;
    Ok(status.as_deref() == Some("suspended"))
}

pub(crate) async fn facts(tx: &mut ReadTx, id: CallId) -> Result<CallFacts, AppError> {
    let row = sqlx::query!(
        r#"select c.provider_call_id, c.joined_at is not null as "talked!", c.awaits_recording, c.recording_wish is not null as "has_recording_wish!", c.client_id as "client_id: ClientId", c.agent_id as "agent_id: AgentId", a.name as "agent_name?",
                  a.language as "language?", m.type as "campaign_type?: CampaignType", m.goal as "goal?", c.contact_name,
                  c.started_at, coalesce(p.timezone, k.timezone, 'UTC') as "timezone!",
                  coalesce(k.status = 'active', true) as "client_is_active!"
           from calls c
           left join agents a on a.workspace_id = $1 and a.id = c.agent_id
           left join campaigns m on m.workspace_id = $1 and m.id = c.campaign_id
           left join clients k on k.workspace_id = $1 and k.id = c.client_id
           left join contacts p on p.workspace_id = $1 and p.id = c.contact_id
           where c.workspace_id = $1 and c.id = $2"#,
        tx.workspace_uuid(),
        id.0
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(CallFacts {
        provider_call_id: row.provider_call_id,
        talked: row.talked,
        awaits_recording: row.awaits_recording,
        has_recording_wish: row.has_recording_wish,
        client_id: row.client_id,
        agent_id: row.agent_id,
        agent_name: row.agent_name,
        language: row.language,
        campaign_type: row.campaign_type,
        goal: row.goal,
        contact_name: row.contact_name,
        started_at: row.started_at,
        timezone: row.timezone,
        client_is_active: row.client_is_active,
    })
}

pub(crate) async fn set_transcript_status(
    tx: &mut WriteTx,
    id: CallId,
    status: TranscriptStatus,
) -> Result<(), AppError> {
    sqlx::query!(
        "update calls set transcript_status = $3, updated_at = now() where workspace_id = $1 and id = $2",
        tx.workspace_uuid(),
        id.0,
        status as TranscriptStatus
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

pub(crate) async fn set_analysis_status(tx: &mut WriteTx, id: CallId, status: AnalysisStatus) -> Result<(), AppError> {
    sqlx::query!(
        "update calls set analysis_status = $3, updated_at = now() where workspace_id = $1 and id = $2",
        tx.workspace_uuid(),
        id.0,
        status as AnalysisStatus
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Puts these messages in the place of what was there.
pub(crate) async fn replace_messages(
    tx: &mut WriteTx,
    call: CallId,
    client: Option<ClientId>,
    messages: &[NewMessage],
) -> Result<(), AppError> {
    sqlx::query!("delete from call_messages where workspace_id = $1 and call_id = $2", tx.workspace_uuid(), call.0)
        .execute(tx.conn())
        .await?;
    let ids: Vec<Uuid> = messages.iter().map(|_| Uuid::now_v7()).collect();
    let positions: Vec<i32> = (0..messages.len() as i32).collect();
    let roles: Vec<String> = messages.iter().map(|message| message.role.to_owned()).collect();
    let texts: Vec<String> = messages.iter().map(|message| message.text.clone()).collect();
    let starts: Vec<Option<i32>> = messages.iter().map(|message| message.start_ms).collect();
    let ends: Vec<Option<i32>> = messages.iter().map(|message| message.end_ms).collect();
    let tools: Vec<Option<String>> = messages.iter().map(|message| message.tool_name.clone()).collect();
    let invocations: Vec<Option<String>> = messages.iter().map(|message| message.invocation_id.clone()).collect();
    let errors: Vec<Option<String>> = messages.iter().map(|message| message.error_details.clone()).collect();
    sqlx::query!(
        "insert into call_messages (workspace_id, id, call_id, client_id, position, role, text, start_ms, end_ms, tool_name,
                                    invocation_id, error_details)
         select $1, m.id, $2, $3, m.position, m.role, m.text, m.start_ms, m.end_ms, m.tool_name, m.invocation_id, m.error_details
         from unnest($4::uuid[], $5::int[], $6::text[], $7::text[], $8::int[], $9::int[], $10::text[], $11::text[], $12::text[])
           as m (id, position, role, text, start_ms, end_ms, tool_name, invocation_id, error_details)",
        tx.workspace_uuid(),
        call.0,
        client.map(|id| id.0),
        &ids,
        &positions,
        &roles,
        &texts,
        &starts as &[Option<i32>],
        &ends as &[Option<i32>],
        &tools as &[Option<String>],
        &invocations as &[Option<String>],
        &errors as &[Option<String>],
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// The transcript is here. `summary` is the provider's, good until the analysis has a better one.
pub(crate) async fn record_transcript(
    tx: &mut WriteTx,
    id: CallId,
    summary: Option<&str>,
    will_be_read: bool,
    characters_spoken: i32,
) -> Result<(), AppError> {
    let analysis = if will_be_read { AnalysisStatus::Pending } else { AnalysisStatus::Completed };
    sqlx::query!(
        "update calls set transcript_status = 'completed', summary = coalesce($3, summary), analysis_status = $4, characters_spoken = $5,
                updated_at = now()
         where workspace_id = $1 and id = $2",
        tx.workspace_uuid(),
        id.0,
        summary,
        analysis as AnalysisStatus,
        characters_spoken,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Nobody answered: there is neither a transcript nor anything to read in it.
pub(crate) async fn set_no_conversation(tx: &mut WriteTx, id: CallId) -> Result<(), AppError> {
    sqlx::query!(
        "update calls set transcript_status = null, analysis_status = null, updated_at = now() where workspace_id = $1 and id = $2",
        tx.workspace_uuid(),
        id.0
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// The recording is here.
pub(crate) async fn record_recording(
    tx: &mut WriteTx,
    id: CallId,
    key: &str,
    peaks: Option<&Peaks>,
) -> Result<(), AppError> {
    sqlx::query!(
        "update calls set recording_key = $3, recording_peaks = coalesce($4, recording_peaks), awaits_recording = false, recording_wish = null, updated_at = now()
         where workspace_id = $1 and id = $2",
        tx.workspace_uuid(),
        id.0,
        key,
        peaks.map(Json) as _,
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Says whether the recording is being asked for.
pub(crate) async fn await_recording(tx: &mut WriteTx, id: CallId, awaits: bool) -> Result<(), AppError> {
    sqlx::query!(
        "update calls set awaits_recording = $3 and recording_key is null, updated_at = now() where workspace_id = $1 and id = $2",
        tx.workspace_uuid(),
        id.0,
        awaits
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Who spoke when, in order.
pub(crate) async fn spoken(tx: &mut ReadTx, call: CallId) -> Result<Vec<Spoken>, AppError> {
    Ok(sqlx::query_as!(
        Spoken,
        r#"select role = 'agent' as "by_agent!", start_ms, end_ms from call_messages
           where workspace_id = $1 and call_id = $2 and role in ('agent', 'user') order by position"#,
        tx.workspace_uuid(),
        call.0
    )
    .fetch_all(tx.conn())
    .await?)
}

/// What the model read, in the place of what it read before.
pub(crate) async fn record_analysis(
    tx: &mut WriteTx,
    call: CallId,
    client: Option<ClientId>,
    analysis: &Analysis,
    model: &str,
    prompt_version: i32,
    usage: &ChatUsage,
) -> Result<(), AppError> {
    // Whatever a model makes of a machine's words: a machine reaches no goal.
    let reading = analysis.reading();
    let count = |tokens: u64| i32::try_from(tokens).unwrap_or(i32::MAX);
    sqlx::query!(
        "insert into call_analyses (workspace_id, id, call_id, client_id, campaign_type, result, model, prompt_version,
                                    prompt_tokens, completion_tokens, cost)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
         on conflict (workspace_id, call_id) do update
           set client_id = excluded.client_id, campaign_type = excluded.campaign_type, result = excluded.result, model = excluded.model,
               prompt_version = excluded.prompt_version, prompt_tokens = excluded.prompt_tokens,
               completion_tokens = excluded.completion_tokens, cost = excluded.cost, updated_at = now()",
        tx.workspace_uuid(),
        Uuid::now_v7(),
        call.0,
        client.map(|id| id.0),
        analysis.kind() as CampaignType,
        Json(analysis) as _,
        model,
        prompt_version,
        count(usage.prompt_tokens),
        count(usage.completion_tokens),
        usage.cost,
    )
    .execute(tx.conn())
    .await?;
    sqlx::query!(
        "update calls set analysis_status = 'completed', summary = $3, goal_reached = $4, sentiment = $5, updated_at = now()
         where workspace_id = $1 and id = $2",
        tx.workspace_uuid(),
        call.0,
        reading.summary,
        reading.goal_reached && reading.outcome != HeardOutcome::Voicemail,
        reading.sentiment.as_str(),
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Adds what a model's answer cost.
pub(crate) async fn add_model_cost(tx: &mut WriteTx, call: CallId, cost: Decimal) -> Result<(), AppError> {
    sqlx::query!(
        "update calls set model_cost = model_cost + $3 where workspace_id = $1 and id = $2",
        tx.workspace_uuid(),
        call.0,
        cost
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Says whether somebody has looked at the call. Errors: `NotFound`; `Conflict` while the call goes on.
pub(crate) async fn set_reviewed(
    tx: &mut WriteTx,
    call: CallId,
    reviewed: bool,
) -> Result<(Option<ClientId>, bool), AppError> {
    let user = tx.user_id().map(|id| id.0);
    let row = sqlx::query!(
        r#"select client_id as "client_id: ClientId", ended_at is not null or dial_state = 'refused' as "is_over!",
                  reviewed_at is not null as "was_reviewed!"
           from calls where workspace_id = $1 and id = $2 for update"#,
        tx.workspace_uuid(),
        call.0
    )
    .fetch_one(tx.conn())
    .await?;
    if !row.is_over {
        return Err(AppError::Conflict(
            Reason::WrongState,
            "The call is still in progress. Mark it as reviewed after it has ended.".into(),
        ));
    }
    sqlx::query!(
        "update calls set reviewed_at = case when $3 then now() end, reviewed_by = case when $3 then $4::uuid end, updated_at = now()
         where workspace_id = $1 and id = $2",
        tx.workspace_uuid(),
        call.0,
        reviewed,
        user
    )
    .execute(tx.conn())
    .await?;
    Ok((row.client_id, row.was_reviewed))
}

/// How a call's transcript or analysis stands.
pub(crate) async fn status(tx: &mut ReadTx, id: CallId, kind: EnrichmentType) -> Result<String, AppError> {
    Ok(sqlx::query_scalar!(
        r#"select coalesce(case when $3 then transcript_status::text else analysis_status::text end, 'none') as "status!"
           from calls where workspace_id = $1 and id = $2"#,
        tx.workspace_uuid(),
        id.0,
        kind == EnrichmentType::Transcript
    )
    .fetch_one(tx.conn())
    .await?)
}
