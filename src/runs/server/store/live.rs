//! Calls as runs: their rows, and their steps, which are made of what the call has kept.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use std::collections::HashMap;

use crate::model::{RunStep, StepEvent};
use patchbay_access::server::{ReadTx, WriteTx};
use patchbay_shared::ids::{AgentId, CallId, ClientId};
use patchbay_shared::{AppError, Money};

/// A run that is not as it was.
pub(crate) struct Changed {
    pub call: CallId,
    pub agent: Option<AgentId>,
    pub client: Option<ClientId>,
    pub end_reason: Option<String>,
    /// The call itself went wrong, and before this the run said nothing of it, in whatever words.
    pub new_error: Option<String>,
}

/// Makes the runs of calls, or brings them to where the calls stand. Gives those that changed. One statement for any number of calls, in
/// the order of their ids, so that two that follow the same calls meet them in the same order.
///
/// The rule of `agent_runs.status` begins here: what is an error of a call. A call that came to nothing because nobody answered, the line
/// was busy or the other side did not want to talk did what it was for.
pub(crate) async fn follow(tx: &mut WriteTx, calls: &[CallId]) -> Result<Vec<Changed>, AppError> {
    let ids: Vec<uuid::Uuid> = calls.iter().map(|id| id.0).collect();
    Ok(sqlx::query_as!(
        Changed,
        r#"with told as materialized (
             select c.id, c.agent_id, c.client_id, c.end_reason, c.started_at,
                    case when c.ended_at is not null then greatest(c.ended_at, c.started_at) end as completed_at,
                    c.prompt_version,
                    case when c.is_test then 'test_call' when c.direction = 'inbound' then 'incoming'
                         when c.batch_id is not null then 'batch' else 'outgoing' end as trigger,
                    c.ended_at is not null and c.result = 'failed' as is_failed,
                    case when c.ended_at is not null then
                      coalesce(c.error, case when c.result = 'failed' then 'The call could not be connected.' end) end as own_error,
                    case when c.ended_at is not null then coalesce(
                      (select 'The tool ' || coalesce(m.tool_name, '') || ' failed.' from call_messages m
                       where m.workspace_id = $1 and m.call_id = c.id and m.error_details is not null order by m.position limit 1),
                      (select 'The tool ' || u.tool_name || ' failed.' from tool_invocations u
                       where u.workspace_id = $1 and u.call_id = c.id and u.status = 'failed' order by u.id limit 1),
                      case when c.transcript_status = 'failed' then 'The transcript could not be fetched.'
                           when c.analysis_status = 'failed' then 'The analysis failed.' end) end as part_error,
                    c.source = 'historical_sync' as is_imported
             from calls c where c.workspace_id = $1 and c.id = any($2)),
           was as materialized (select r.id, r.error from agent_runs r where r.workspace_id = $1 and r.id = any($2)),
           kept as (
             insert into agent_runs (workspace_id, id, agent_id, client_id, run_type, trigger, call_id, prompt_version, started_at,
                                     completed_at, is_failed, error)
             select $1, t.id, t.agent_id, t.client_id, 'live_call', t.trigger, t.id, t.prompt_version, t.started_at, t.completed_at,
                    t.is_failed, coalesce(t.own_error, t.part_error)
             from told t order by t.id
             on conflict (workspace_id, id) do update set agent_id = excluded.agent_id, client_id = excluded.client_id,
               trigger = excluded.trigger, prompt_version = excluded.prompt_version, started_at = excluded.started_at,
               completed_at = excluded.completed_at, is_failed = excluded.is_failed, error = excluded.error
             where (agent_runs.agent_id, agent_runs.client_id, agent_runs.trigger, agent_runs.prompt_version, agent_runs.started_at,
                    agent_runs.completed_at, agent_runs.is_failed, agent_runs.error)
               is distinct from (excluded.agent_id, excluded.client_id, excluded.trigger, excluded.prompt_version, excluded.started_at,
                    excluded.completed_at, excluded.is_failed, excluded.error)
             returning id)
           select k.id as "call: CallId", t.agent_id as "agent: AgentId", t.client_id as "client: ClientId", t.end_reason,
                  case when not t.is_imported and (w.error is null or w.error is not distinct from t.part_error) then t.own_error end as new_error
           from kept k join told t on t.id = k.id left join was w on w.id = k.id order by k.id"#,
        tx.workspace_uuid(),
        &ids
    )
    .fetch_all(tx.conn())
    .await?)
}

pub(crate) async fn withdraw(tx: &mut WriteTx, call: CallId) -> Result<(), AppError> {
    // Nothing has failed in a call that was never made, but for what the carrier said of another one.
    sqlx::query!("delete from errors where workspace_id = $1 and run_id = $2", tx.workspace_uuid(), call.0)
        .execute(tx.conn())
        .await?;
    sqlx::query!("delete from agent_runs where workspace_id = $1 and id = $2", tx.workspace_uuid(), call.0)
        .execute(tx.conn())
        .await?;
    Ok(())
}

/// What is written down about a use of a tool of ours.
struct Use {
    id: uuid::Uuid,
    name: String,
    arguments: Value,
    answer: Option<String>,
    response: Option<String>,
    is_failed: bool,
    is_over: bool,
    took_ms: Option<i32>,
    created_at: DateTime<Utc>,
}

/// The steps of a call in the order of its time, the first `limit` of them: what was said and done, and how the call itself went.
pub(crate) async fn steps(tx: &mut ReadTx, call: CallId, limit: usize) -> Result<Vec<RunStep>, AppError> {
    let row = sqlx::query!(
        r#"select c.started_at, c.dialled_at, c.joined_at, c.ended_at, c.end_reason, c.error, c.direction = 'outbound' as "is_outbound!",
                  c."from", c."to", c.result, c.transcript_status::text as transcript, c.analysis_status::text as analysis
           from calls c where c.workspace_id = $1 and c.id = $2"#,
        tx.workspace_uuid(),
        call.0
    )
    .fetch_one(tx.conn())
    .await?;
    let since = |at: DateTime<Utc>| (at - row.started_at).num_milliseconds().max(0);
    let talk = row.joined_at.map_or(0, since);
    let system = |at_ms: i64, message: &str, error: Option<String>, payload: Value| RunStep {
        step: 0,
        event: StepEvent::System,
        message: message.to_owned(),
        at_ms,
        took_ms: None,
        error,
        read: None,
        written: None,
        cost: None,
        payload,
        href: None,
    };
    let mut all = Vec::new();
    let numbers = json!({ "from": row.from, "to": row.to });
    all.push(if row.is_outbound { system(0, "Dialled", None, numbers) } else { system(0, "Rang", None, numbers) });
    if let Some(joined) = row.joined_at {
        all.push(system(since(joined), "Joined", None, json!({ "after_ms": since(joined) })));
    }
    let mut spoken = said(tx, call, talk, limit).await?;
    let mut uses = uses(tx, call, limit).await?;
    for step in spoken.iter_mut().filter(|step| step.event == StepEvent::ToolCall) {
        // Both stand in the order in which they were used.
        let Some(place) = uses.iter().position(|one| one.name == step.message) else { continue };
        let used = uses.remove(place);
        describe(step, &used);
    }
    all.append(&mut spoken);
    all.extend(uses.iter().map(|used| {
        let mut step = system(since(used.created_at), &used.name, None, Value::Null);
        step.event = StepEvent::ToolCall;
        describe(&mut step, used);
        step
    }));
    // A step that has no time of its own stays where it stands.
    all.sort_by_key(|step| step.at_ms);
    if let Some(ended) = row.ended_at {
        let end = since(ended);
        let result = json!({ "result": row.result, "reason": row.end_reason });
        all.push(system(end, "Ended", row.error, result));
        if row.transcript.as_deref() == Some("failed") {
            let said = "The transcript could not be fetched.";
            all.push(system(end, "Transcript", Some(said.to_owned()), json!({ "call": call })));
        }
        all.extend(analyses(tx, call, end).await?);
        if row.analysis.as_deref() == Some("failed") {
            all.push(system(end, "Analysis", Some("The analysis failed.".to_owned()), json!({ "call": call })));
        }
    }
    all.truncate(limit);
    for (place, step) in all.iter_mut().enumerate() {
        step.step = place as i32 + 1;
    }
    Ok(all)
}

/// Adds what is known of a use to its step.
fn describe(step: &mut RunStep, used: &Use) {
    step.took_ms = used.took_ms.map(i64::from).or(step.took_ms);
    step.href = Some(format!("/tool-calls/{}", used.id));
    if used.is_failed {
        step.error = Some(used.answer.clone().unwrap_or_else(|| "The tool failed.".to_owned()));
    }
    step.payload =
        json!({ "input": used.arguments, "output": used.answer, "response": used.response, "over": used.is_over });
}

/// What was said, and which tools were used as the voice service tells it. `talk`: where the talk began.
async fn said(tx: &mut ReadTx, call: CallId, talk: i64, limit: usize) -> Result<Vec<RunStep>, AppError> {
    let rows = sqlx::query!(
        "select role, text, start_ms, end_ms, tool_name, invocation_id, error_details
         from call_messages where workspace_id = $1 and call_id = $2 order by position limit $3",
        tx.workspace_uuid(),
        call.0,
        2 * limit as i64
    )
    .fetch_all(tx.conn())
    .await?;
    let mut steps: Vec<RunStep> = Vec::with_capacity(rows.len());
    let mut open: HashMap<String, usize> = HashMap::new();
    let mut last = talk;
    for row in rows {
        let at_ms = row.start_ms.map_or(last, |ms| talk + i64::from(ms));
        last = at_ms;
        let length = row.end_ms.zip(row.start_ms).map(|(end, start)| i64::from(end - start).max(0));
        let asked = row.invocation_id.as_ref().and_then(|id| open.get(id)).copied();
        if let ("tool_result", Some(place)) = (row.role.as_str(), asked) {
            let step: &mut RunStep = &mut steps[place];
            step.error = row.error_details;
            step.took_ms = Some((at_ms + length.unwrap_or(0) - step.at_ms).max(0));
            let input = step.payload["input"].take();
            step.payload = json!({ "input": input, "output": read(&row.text) });
            continue;
        }
        let (event, message, payload) = match row.role.as_str() {
            "agent" => (StepEvent::LlmCall, row.text.clone(), json!({ "output": row.text })),
            "user" => (StepEvent::UserInput, row.text.clone(), json!({ "input": row.text })),
            role => {
                let name = row.tool_name.unwrap_or_else(|| "tool".to_owned());
                let key = if role == "tool_result" { "output" } else { "input" };
                (StepEvent::ToolCall, name, json!({ key: read(&row.text) }))
            }
        };
        if let Some(invocation) = row.invocation_id {
            open.insert(invocation, steps.len());
        }
        steps.push(RunStep {
            step: 0,
            event,
            message,
            at_ms,
            took_ms: length,
            error: row.error_details,
            read: None,
            written: None,
            cost: None,
            payload,
            href: None,
        });
    }
    Ok(steps)
}

/// The text as the JSON that it is, or as a text.
fn read(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned()))
}

async fn uses(tx: &mut ReadTx, call: CallId, limit: usize) -> Result<Vec<Use>, AppError> {
    Ok(sqlx::query_as!(
        Use,
        r#"select id, tool_name as name, arguments, answer, response, status = 'failed' as "is_failed!", status <> 'running' as "is_over!",
                  took_ms, created_at
           from tool_invocations where workspace_id = $1 and call_id = $2 order by id limit $3"#,
        tx.workspace_uuid(),
        call.0,
        limit as i64
    )
    .fetch_all(tx.conn())
    .await?)
}

/// Answers of models about the call, which came after its end. When they came says how long the queue was and not the call, so they
/// stand at the end of the call.
async fn analyses(tx: &mut ReadTx, call: CallId, end: i64) -> Result<Vec<RunStep>, AppError> {
    let rows = sqlx::query!(
        "select purpose, model, prompt_tokens, completion_tokens, cost from token_usage
         where workspace_id = $1 and call_id = $2 order by created_at, id limit 20",
        tx.workspace_uuid(),
        call.0
    )
    .fetch_all(tx.conn())
    .await?;
    let steps = rows.into_iter().map(|row| RunStep {
        step: 0,
        event: StepEvent::LlmCall,
        message: if row.purpose == "analysis" { "Analysis after the call".to_owned() } else { row.purpose.clone() },
        at_ms: end,
        took_ms: None,
        error: None,
        read: Some(row.prompt_tokens),
        written: Some(row.completion_tokens),
        cost: row.cost.map(Money),
        payload: json!({ "model": row.model, "purpose": row.purpose }),
        href: None,
    });
    Ok(steps.collect())
}
