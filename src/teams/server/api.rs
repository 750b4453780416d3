//! Teams in the public API.

use axum::extract::Path;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use super::runs::{self, NewRun};
use super::store::runs as store;
use crate::model::RunSource;
use patchbay_access::Action;
use patchbay_access::server::{Body, Db, ReadTx, Scope};
use patchbay_shared::AppError;
use patchbay_shared::ids::{SupervisorRunId, TeamId};

/// The longest key that a program may name a request by.
const LONGEST_KEY: usize = 200;

/// `POST /v1/teams/{id}/runs`: asks a team; the same `Idempotency-Key` again is the same run. `GET /v1/teams/{id}/runs/{run}`: how it stands,
/// and the answer.
pub fn v1() -> Router<Db> {
    Router::new().route("/v1/teams/{id}/runs", post(ask)).route("/v1/teams/{id}/runs/{run}", get(one))
}

/// A message as programs send it.
#[derive(Deserialize)]
struct Sent {
    message: String,
    /// Goes on with a conversation. None: a new one.
    session_id: Option<String>,
}

async fn ask(
    Extension(scope): Extension<Scope>,
    Path(id): Path<String>,
    headers: HeaderMap,
    Body(sent): Body<Sent>,
) -> Result<Response, AppError> {
    let team: TeamId = id.parse()?;
    let no_session = || AppError::invalid("session_id", "Send the session_id of an earlier run of this team, or none.");
    let session = match sent.session_id {
        Some(text) => Some(text.parse().map_err(|_| no_session())?),
        None => None,
    };
    let mut tx = scope.write(Action::RunTeams).await?;
    let key = match headers.get("idempotency-key").map(|value| value.to_str().unwrap_or_default().trim()) {
        None => None,
        Some(key) if !key.is_empty() && key.len() <= LONGEST_KEY => {
            Some(store::key(tx.reading(), &format!("api {team} {key}")).await?)
        }
        Some(_) => {
            let why = format!("An Idempotency-Key has 1 to {LONGEST_KEY} visible letters.");
            return Err(AppError::invalid("idempotency_key", why));
        }
    };
    if let Some(session) = session {
        let known = store::session(tx.reading(), session).await?;
        let found = super::store::teams::get(tx.reading(), team).await?;
        if !known.is_some_and(|known| known.team == team && known.client == found.fields.client) {
            return Err(no_session());
        }
    }
    let new = NewRun { session, source: RunSource::Api, key, ..NewRun::of(team, sent.message) };
    let run = runs::ask(&mut tx, new).await?;
    let answer = answer(tx.reading(), team, run).await?;
    tx.commit().await?;
    Ok((StatusCode::ACCEPTED, Json(answer)).into_response())
}

async fn one(
    Extension(scope): Extension<Scope>,
    Path((id, run)): Path<(String, String)>,
) -> Result<Json<Value>, AppError> {
    let mut tx = scope.read(Action::RunTeams).await?;
    Ok(Json(answer(&mut tx, id.parse()?, run.parse()?).await?))
}

async fn answer(tx: &mut ReadTx, team: TeamId, id: SupervisorRunId) -> Result<Value, AppError> {
    let run = store::get(tx, id).await?;
    if run.team != team {
        return Err(AppError::NotFound);
    }
    let address = format!("{}/supervisor-runs/{id}", tx.services().public_url);
    Ok(json!({
        "id": id,
        "team_id": team,
        "session_id": run.session,
        "state": run.status,
        "message": run.message,
        "answer": run.output,
        "asked_back": run.asked_back,
        "error": run.failure,
        "steps": run.steps,
        "cost_usd": run.cost,
        "created_at": run.created,
        "completed_at": run.completed,
        "address": address,
    }))
}
