use std::collections::HashMap;

use chrono::{DateTime, Utc};
use sqlx::types::Json;
use uuid::Uuid;

use super::callers;
use crate::model::ContactOutcome;
use crate::model::{
    Analysis, AnalysisStatus, CallDetail, CallDirection, CallQuery, CallResult, CallSource, CallState, Costs,
    DialState, EnrichmentType, EventRow, EvidenceLine, Peaks, Problem, RecordingShown, Said, ToolUse, TranscriptStatus,
    Turn, ending, known_end_words,
};
use patchbay_access::server::ReadTx;
use patchbay_access::withheld::CALL_TROUBLE;
use patchbay_access::{Action, Field};
use patchbay_shared::ids::{AgentId, BatchId, CallId, CampaignId, ClientId, ContactId, PromptId, RunId};
use patchbay_shared::{AppError, Money, time_key, zone};
use patchbay_tools::model::CallUse;

/// Everything about one call that the viewer may see. `list` is the query of the list that the person came from.
/// Errors: `NotFound`.
pub(crate) async fn get(tx: &mut ReadTx, id: CallId, list: &CallQuery) -> Result<CallDetail, AppError> {
    let scope = tx.scope().clone();
    let is_agency = scope.may(Action::ReadWorkshop);
    let (sees_cost, hears) = (scope.sees(Field::Cost), scope.sees(Field::Recording));
    let (sees_steps, sees_prompts) = (scope.sees(Field::Steps), scope.sees(Field::Prompt));
    let row = sqlx::query!(
        r#"select c.client_id as "client_id: ClientId", k.name as "client?", c.agent_id as "agent_id: AgentId", a.name as "agent?",
                  c.campaign_id as "campaign_id: CampaignId", m.name as "campaign?", c.batch_id as "batch_id: BatchId", b.name as "batch?",
                  c.contact_id as "contact_id: ContactId", c.contact_name, c.attempt_no, c.provider, c.provider_call_id,
                  c.direction as "direction: CallDirection", c.dial_state as "dial_state: DialState", c."from", c."to",
                  c.started_at, c.joined_at, c.ended_at, c.duration, c.end_reason, c.error, c.outcome as "outcome: ContactOutcome",
                  c.transcript_status as "transcript_status: TranscriptStatus", c.analysis_status as "analysis_status: AnalysisStatus",
                  c.summary, c.goal_reached, c.sentiment, c.result as "result: CallResult", c.cost as "cost!", c.is_unpriced as "is_unpriced!",
                  c.voice_cost, c.carrier_cost, c.carrier_priced_at is not null as "has_carrier_price!", c.model_cost, c.billed_seconds, c.recording_key is not null as "is_recorded!", c.awaits_recording, c.recording_wish,
                  c.recording_peaks as "peaks: Json<Peaks>", c.prompt_version, c.prompt_id,
                  c.reviewed_at, c.source as "source: CallSource", u.name as "reviewer?", c.missed_reason, c.is_test, c.run_id as "run_id: RunId"
           from calls c
           left join clients k on k.workspace_id = $1 and k.id = c.client_id
           left join agents a on a.workspace_id = $1 and a.id = c.agent_id
           left join campaigns m on m.workspace_id = $1 and m.id = c.campaign_id
           left join call_batches b on b.workspace_id = $1 and b.id = c.batch_id
           left join users u on u.id = c.reviewed_by
           where c.workspace_id = $1 and c.id = $2"#,
        tx.workspace_uuid(),
        id.0
    )
    .fetch_one(tx.conn())
    .await?;
    let (now, zone) = (tx.now().await?, tx.scope().zone());
    let stamp = |at: DateTime<Utc>| zone::stamp(at, now, zone);
    let state = CallState::of(row.result, row.dial_state, row.joined_at.is_some());
    let since = row.joined_at.unwrap_or(row.started_at);
    let other_side = if row.direction == CallDirection::Outbound { &row.to } else { &row.from };
    let title = match (row.contact_name.is_empty(), other_side) {
        (false, _) => row.contact_name.clone(),
        (true, Some(number)) => number.clone(),
        (true, None) => "Unknown caller".to_owned(),
    };
    let mut turns = turns(tx, id, sees_steps).await?;
    link_uses(tx, id, &mut turns).await?;
    let analysis = analysis(tx, id).await?;
    let evidence = analysis.as_ref().map(|found| evidence(&found.result, &turns)).unwrap_or_default();
    let knowledge = match scope.sees(Field::ToolUses) {
        true => patchbay_tools::server::knowledge_used(tx, RunId(id.0)).await?,
        false => Vec::new(),
    };
    let transfers = super::transfers::steps(tx, id).await?;
    // The talk goes on without the agent, so nobody has hung up.
    let handed_over = transfers.iter().find(|step| step.status.is_reached()).map(|step| step.destination.clone());
    let problems = if scope.sees(Field::EnrichmentError) { problems(tx, id, &stamp).await? } else { HashMap::new() };
    // Between two numbers there is a carrier, and talk has its price.
    let is_carried = row.joined_at.is_some() && row.from.is_some() && row.to.is_some();
    let is_model_priced = analysis.as_ref().is_none_or(|found| found.is_priced);
    let add_contact = callers::add_address(&scope, row.direction, (row.contact_id, row.client_id), row.from.as_deref());
    let (call_back, may_call_back) = super::outcomes::call_back_of(tx, id).await?;
    let (newer, older) = super::neighbours(tx, list, &time_key(row.started_at, id.0)).await?;
    Ok(CallDetail {
        id,
        state,
        title,
        contact_id: row.contact_id,
        direction: row.direction,
        from: row.from,
        to: row.to,
        agent: row.agent_id.zip(row.agent),
        prompt_version: row.prompt_version.filter(|_| sees_prompts),
        client: row.client_id.zip(row.client),
        campaign: row.campaign_id.zip(row.campaign),
        batch: row.batch_id.zip(row.batch),
        attempt_no: row.attempt_no,
        started: zone::exact(row.started_at, now, zone),
        answered: row.joined_at.map(|at| zone::exact(at, now, zone)),
        ended: row.ended_at.map(|at| zone::exact(at, now, zone)),
        since_ms: state.is_open().then(|| since.timestamp_millis()),
        seconds: if state.is_open() { Some((now - since).num_seconds().max(0)) } else { row.duration.map(i64::from) },
        is_answered: row.joined_at.is_some(),
        // A word that we have no words for is the provider's own.
        end_words: match row.end_reason.as_deref() {
            Some(_) if handed_over.is_some() => handed_over.map(|to| format!("Put through to {to}")),
            Some(reason) if !scope.sees(Field::Provider) && known_end_words(reason).is_none() => ending(state, None),
            reason => ending(state, reason),
        },
        error: row.error.map(|error| if scope.sees(Field::CallError) { error } else { CALL_TROUBLE.to_owned() }),
        missed: callers::missed(row.missed_reason.as_deref(), row.joined_at, row.ended_at).map(|reason| {
            if scope.sees(Field::CallError) { reason.sentence() } else { reason.for_client() }.to_owned()
        }),
        add_contact,
        is_test: row.is_test,
        run: row.run_id.filter(|_| is_agency),
        call_back,
        may_call_back,
        outcome: row.outcome,
        goal_reached: row.goal_reached,
        sentiment: row.sentiment.as_deref().and_then(|word| word.parse().ok()),
        summary: row.summary,
        transcript_status: row.transcript_status,
        analysis_status: row.analysis_status,
        transcript_problem: problems.get(&EnrichmentType::Transcript).cloned(),
        analysis_problem: problems.get(&EnrichmentType::Analysis).cloned(),
        turns,
        analysis_model: analysis
            .as_ref()
            .filter(|_| scope.sees(Field::Model))
            .map(|found| (found.model.clone(), found.read, found.written)),
        analysis: analysis.map(|found| found.result),
        evidence,
        knowledge,
        transfers,
        costs: sees_cost.then_some(Costs {
            voice: Money(row.voice_cost),
            carrier: (row.has_carrier_price || !is_carried).then_some(Money(row.carrier_cost)),
            model: is_model_priced.then_some(Money(row.model_cost)),
            total: Money(row.cost),
            is_unpriced: row.is_unpriced,
            billed_seconds: row.billed_seconds,
        }),
        recording: (hears && row.is_recorded).then(|| RecordingShown { peaks: row.peaks.map(|peaks| peaks.0) }),
        awaits_recording: row.awaits_recording || row.recording_wish.as_deref() == Some("waits"),
        is_recording_left: is_agency && row.recording_wish.as_deref() == Some("left"),
        hears_recordings: hears,
        sees_steps,
        sees_prompt: sees_prompts && row.prompt_id.is_some() && row.prompt_version.is_some(),
        events: match scope.sees(Field::ProviderEvents) {
            true => events(tx, id, &|at| zone::exact(at, now, zone)).await?,
            false => Vec::new(),
        },
        source: scope.shown(Field::Provider, row.source),
        provider: scope.shown(Field::Provider, row.provider).unwrap_or_default(),
        provider_call_id: scope.shown(Field::Provider, row.provider_call_id).flatten(),
        reviewed: row.reviewed_at.map(|at| (stamp(at), row.reviewer.unwrap_or_else(|| "Someone".into()))),
        may_review: tx.scope().may(Action::ReviewCalls),
        may_replay: tx.scope().may(Action::ReplayQueues),
        is_agency,
        newer,
        older,
    })
}

/// Which version of which prompt a call used, as far as the scope sees the call. Errors: `NotFound`, also when it was not noted.
pub(crate) async fn prompt_of(tx: &mut ReadTx, id: CallId) -> Result<(PromptId, i32), AppError> {
    let row = sqlx::query!(
        r#"select prompt_id as "prompt: PromptId", prompt_version from calls where workspace_id = $1 and id = $2"#,
        tx.workspace_uuid(),
        id.0
    )
    .fetch_one(tx.conn())
    .await?;
    row.prompt.zip(row.prompt_version).ok_or(AppError::NotFound)
}

/// What was said, in order; tool calls with their results as one turn each, and only if `with_tools`.
pub(crate) async fn turns(tx: &mut ReadTx, id: CallId, with_tools: bool) -> Result<Vec<Turn>, AppError> {
    let rows = sqlx::query!(
        "select position, role, text, start_ms, end_ms, tool_name, invocation_id, error_details
         from call_messages where workspace_id = $1 and call_id = $2 order by position",
        tx.workspace_uuid(),
        id.0
    )
    .fetch_all(tx.conn())
    .await?;
    let mut turns: Vec<Turn> = Vec::with_capacity(rows.len());
    let mut open: HashMap<String, usize> = HashMap::new();
    for row in rows {
        let by = match row.role.as_str() {
            "agent" => Said::Agent,
            "user" => Said::Caller,
            _ if !with_tools => continue,
            _ => Said::Tool,
        };
        let (start_ms, end_ms) = (row.start_ms, row.end_ms);
        if by != Said::Tool {
            turns.push(Turn { position: row.position, by, text: row.text, start_ms, end_ms, tool: None });
            continue;
        }
        let called = row.invocation_id.as_ref().and_then(|id| open.get(id)).copied();
        let asked_at = called.and_then(|at| turns[at].start_ms);
        if row.role == "tool_result"
            && let Some(tool) = called.and_then(|at| turns[at].tool.as_mut())
        {
            tool.error = row.error_details;
            tool.took_ms = end_ms.or(start_ms).zip(asked_at).map(|(end, start)| (end - start).max(0));
            tool.result = Some(row.text);
            continue;
        }
        if let Some(invocation) = row.invocation_id {
            open.insert(invocation, turns.len());
        }
        let is_result = row.role == "tool_result";
        let tool = ToolUse {
            name: row.tool_name.unwrap_or_else(|| "tool".into()),
            arguments: if is_result { String::new() } else { row.text.clone() },
            result: is_result.then_some(row.text),
            error: row.error_details,
            took_ms: end_ms.zip(start_ms).map(|(end, start)| (end - start).max(0)),
            use_id: None,
        };
        turns.push(Turn { position: row.position, by, text: String::new(), start_ms, end_ms, tool: Some(tool) });
    }
    Ok(turns)
}

/// Ties steps to what was asked and answered, where the tools are ours: by name and values; where the service changed the values on their
/// way, in the order in which they were used.
async fn link_uses(tx: &mut ReadTx, id: CallId, turns: &mut [Turn]) -> Result<(), AppError> {
    if !tx.scope().sees(Field::ToolUses) || turns.iter().all(|turn| turn.tool.is_none()) {
        return Ok(());
    }
    let mut uses = patchbay_tools::server::in_call(tx, id).await?;
    for by_values in [true, false] {
        for tool in turns.iter_mut().filter_map(|turn| turn.tool.as_mut()).filter(|tool| tool.use_id.is_none()) {
            let given: Option<serde_json::Value> = serde_json::from_str(&tool.arguments).ok();
            let fits =
                |one: &CallUse| one.tool_name == tool.name && (!by_values || given.as_ref() == Some(&one.arguments));
            if let Some(place) = uses.iter().position(fits) {
                tool.use_id = Some(uses.remove(place).id);
            }
        }
    }
    Ok(())
}

/// Where the sound lies and what a file of it is called. None: no recording. Errors: `NotFound` for a call that is not there.
pub(crate) async fn recording(tx: &mut ReadTx, id: CallId) -> Result<Option<(String, DateTime<Utc>)>, AppError> {
    let row = sqlx::query!(
        "select recording_key, started_at from calls where workspace_id = $1 and id = $2",
        tx.workspace_uuid(),
        id.0
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(row.recording_key.map(|key| (key, row.started_at)))
}

struct FoundAnalysis {
    result: Analysis,
    model: String,
    read: i64,
    written: i64,
    is_priced: bool,
}

async fn analysis(tx: &mut ReadTx, id: CallId) -> Result<Option<FoundAnalysis>, AppError> {
    let row = sqlx::query!(
        "select result, model, prompt_tokens, completion_tokens, cost from call_analyses where workspace_id = $1 and call_id = $2",
        tx.workspace_uuid(),
        id.0
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.and_then(|row| {
        let result = serde_json::from_value(row.result)
            .inspect_err(|error| tracing::warn!(call = %id, cause = %error, "a stored analysis cannot be read"))
            .ok()?;
        Some(FoundAnalysis {
            result,
            model: row.model,
            read: row.prompt_tokens.into(),
            written: row.completion_tokens.into(),
            is_priced: row.cost.is_some(),
        })
    }))
}

fn evidence(analysis: &Analysis, turns: &[Turn]) -> Vec<EvidenceLine> {
    let start = |position: i32| turns.iter().find(|turn| turn.position == position).and_then(|turn| turn.start_ms);
    let lines = analysis.reading().evidence.iter();
    lines
        .map(|line| EvidenceLine {
            claim: line.claim.clone(),
            quote: line.quote.clone(),
            position: line.position,
            start_ms: start(line.position),
        })
        .collect()
}

/// What keeps the transcript or the analysis, from the queue: tried and not done.
async fn problems(
    tx: &mut ReadTx,
    id: CallId,
    stamp: &impl Fn(DateTime<Utc>) -> patchbay_shared::Stamp,
) -> Result<HashMap<EnrichmentType, Problem>, AppError> {
    let rows = sqlx::query!(
        r#"select type as "kind: EnrichmentType", status::text as "status!", last_error, attempts, next_attempt_at
           from enrichment_queue where workspace_id = $1 and call_id = $2 and status <> 'completed' and last_error is not null"#,
        tx.workspace_uuid(),
        id.0
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| {
            let next = (row.status != "failed").then(|| stamp(row.next_attempt_at));
            (row.kind, Problem { error: row.last_error.unwrap_or_default(), next, attempts: row.attempts })
        })
        .collect())
}

async fn events(
    tx: &mut ReadTx,
    id: CallId,
    stamp: &impl Fn(DateTime<Utc>) -> patchbay_shared::Stamp,
) -> Result<Vec<EventRow>, AppError> {
    let rows = sqlx::query!(
        "select id, occurred_at, event_type, provider, payload from call_events
         where workspace_id = $1 and call_id = $2 order by occurred_at, id limit 200",
        tx.workspace_uuid(),
        id.0
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| EventRow {
            id: Uuid::to_string(&row.id),
            at: stamp(row.occurred_at),
            kind: row.event_type,
            provider: row.provider,
            payload: row.payload,
        })
        .collect())
}

/// Missed calls that nobody has looked at, newest first: id, who called, and the reason's word.
pub(crate) async fn missed(
    tx: &mut ReadTx,
    client: Option<ClientId>,
    limit: i64,
) -> Result<Vec<(CallId, String, String)>, AppError> {
    let rows = sqlx::query!(
        r#"select id as "id: CallId", coalesce(nullif(contact_name, ''), "from", '') as "who!", missed_reason as "reason!"
           from calls where workspace_id = $1 and ($2::uuid is null or client_id = $2)
             and missed_reason is not null and joined_at is null and ended_at is not null and reviewed_at is null
           order by started_at desc, id desc limit $3"#,
        tx.workspace_uuid(),
        client.map(|id| id.0),
        limit
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(|row| (row.id, row.who, row.reason)).collect())
}
