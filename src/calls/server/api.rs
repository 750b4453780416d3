//! Calls in the public API.

use axum::extract::{Path, RawQuery};
use axum::routing::get;
use axum::{Extension, Json, Router};
use serde_json::{Value, json};

use super::store::{self, detail};
use crate::model::{CallDetail, CallQuery, CallRow, CallState, Said};
use patchbay_access::Action;
use patchbay_access::server::{Db, Scope, page_size};
use patchbay_shared::AppError;
use patchbay_shared::ids::CallId;

/// `GET /v1/calls`: newest first, with the filters that the list's page has in its address, `cursor` and `limit`.
/// `GET /v1/calls/{id}`: one call with its transcript and analysis.
pub fn v1() -> Router<Db> {
    Router::new().route("/v1/calls", get(list)).route("/v1/calls/{id}", get(one))
}

async fn list(Extension(scope): Extension<Scope>, RawQuery(asked): RawQuery) -> Result<Json<Value>, AppError> {
    let asked = asked.unwrap_or_default();
    let (query, limit) = (CallQuery::parse(&asked), page_size(&asked)?);
    let mut tx = scope.read(Action::ReadCalls).await?;
    let (page, _) = store::list(&mut tx, &query, limit, false).await?;
    let rows: Vec<Value> = page.rows.iter().map(row).collect();
    Ok(Json(json!({ "data": rows, "next": page.older })))
}

async fn one(Extension(scope): Extension<Scope>, Path(id): Path<String>) -> Result<Json<Value>, AppError> {
    let mut tx = scope.read(Action::ReadCalls).await?;
    let call = detail::get(&mut tx, id.parse::<CallId>()?, &CallQuery::default()).await?;
    Ok(Json(whole(&call)))
}

fn row(call: &CallRow) -> Value {
    json!({
        "id": call.id,
        "state": call.state,
        "result": result(call.state),
        "started_at": call.started.utc,
        "direction": call.direction,
        "contact": call.contact,
        "number": call.number,
        "agent": call.agent,
        "client": call.client,
        "outcome": call.outcome,
        "goal_reached": call.goal_reached,
        "sentiment": call.sentiment,
        "missed_because": call.missed,
        "talk_seconds": call.seconds,
        "cost_usd": call.cost.map(|cost| cost.0),
    })
}

/// What the call came to; null while it goes on.
fn result(state: CallState) -> Option<CallState> {
    (!state.is_open()).then_some(state)
}

fn whole(call: &CallDetail) -> Value {
    let transcript: Vec<Value> = call
        .turns
        .iter()
        .map(|turn| {
            let by = match turn.by {
                Said::Agent => "agent",
                Said::Caller => "caller",
                Said::Tool => "tool",
            };
            json!({ "by": by, "text": turn.text, "start_ms": turn.start_ms, "end_ms": turn.end_ms, "tool": turn.tool })
        })
        .collect();
    let named = |pair: Option<(String, &str)>| pair.map(|(id, name)| json!({ "id": id, "name": name }));
    json!({
        "id": call.id,
        "state": call.state,
        "result": result(call.state),
        "started_at": call.started.utc,
        "ended_at": call.ended.as_ref().map(|at| &at.utc),
        "direction": call.direction,
        "from": call.from,
        "to": call.to,
        "contact_id": call.contact_id,
        "agent": named(call.agent.as_ref().map(|(id, name)| (id.to_string(), name.as_str()))),
        "client": named(call.client.as_ref().map(|(id, name)| (id.to_string(), name.as_str()))),
        "campaign": named(call.campaign.as_ref().map(|(id, name)| (id.to_string(), name.as_str()))),
        "batch": named(call.batch.as_ref().map(|(id, name)| (id.to_string(), name.as_str()))),
        "prompt_version": call.prompt_version,
        "attempt": call.attempt_no,
        "outcome": call.outcome,
        "goal_reached": call.goal_reached,
        "sentiment": call.sentiment,
        "talk_seconds": call.seconds,
        "end_reason": call.end_words,
        "summary": call.summary,
        "transcript_status": call.transcript_status,
        "analysis_status": call.analysis_status,
        "transcript": transcript,
        "analysis": call.analysis,
    })
}
