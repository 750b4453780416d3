//! What Twilio and Plivo tell of calls: `POST /hooks/{twilio|plivo}/{workspace}/{integration}/status`, with `?call={call}` of those that went
//! out. Outside the session: a signature over the public address and the fields speaks for the sender, and the same report twice is one.

use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{OriginalUri, Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use chrono::Utc;
use serde_json::{Map, Value};
use url::Url;

use super::super::jobs::PriceCall;
use super::super::store;
use super::{carrier, client, tokens, trunk};
use patchbay_access::Action;
use patchbay_access::server::{Db, Machine, Scope};
use patchbay_calls::server::trunks::{self, Heard, Report};
use patchbay_connections::server::trunks::status_url;
use patchbay_jobs::runner::{Failure, Verdict};
use patchbay_jobs::{NewJob, enqueue};
use patchbay_providers::carrier::Trunk;
use patchbay_providers::signature::{PLIVO_SIGNATURE, TWILIO_SIGNATURE, verify_form};
use patchbay_shared::AppError;
use patchbay_shared::ids::{CallId, IntegrationId, WorkspaceId};

/// Before the signature has been checked.
const CALLER: Machine = Machine { name: "somebody at a carrier's address", actions: &[Action::ReadIntegrations] };
/// Once it was right.
const SENDER: Machine =
    Machine { name: "carrier", actions: &[Action::ReadIntegrations, Action::ManageIntegrations, Action::ReadCalls] };
/// The largest body, in bytes.
const MOST: usize = 64 * 1024;
/// Longest words of a carrier that are kept.
const LONGEST: usize = 200;
/// The price of a call comes minutes after it; it is asked for so long.
const PRICED_WITHIN: i64 = 24 * 3600;

pub fn hooks() -> Router<Db> {
    Router::new().route("/hooks/{carrier}/{workspace}/{integration}/status", post(receive))
}

async fn receive(
    State(db): State<Db>,
    Path((name, workspace, integration)): Path<(String, String, String)>,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
    body: Body,
) -> StatusCode {
    let other = Trunk::of(&name).filter(|trunk| *trunk != Trunk::Telnyx);
    let (Some(trunk), Ok(workspace), Ok(integration)) = (other, workspace.parse(), integration.parse()) else {
        return StatusCode::UNAUTHORIZED;
    };
    let Ok(body) = to_bytes(body, MOST).await else { return StatusCode::PAYLOAD_TOO_LARGE };
    let asked =
        Asked { trunk, workspace, integration, query: uri.query().map(str::to_owned), headers, body: body.to_vec() };
    // In a task of its own: a sender who hangs up now stops nothing half-way.
    match tokio::spawn(taken(db, asked)).await {
        Ok(Ok(true)) => StatusCode::NO_CONTENT,
        Ok(Ok(false) | Err(AppError::NotFound | AppError::Conflict(..))) => StatusCode::UNAUTHORIZED,
        Ok(Err(error)) => {
            tracing::warn!(%integration, cause = %error, "a carrier's report could not be taken");
            StatusCode::SERVICE_UNAVAILABLE
        }
        Err(error) => {
            tracing::error!(%integration, cause = %error, "taking a carrier's report broke");
            StatusCode::SERVICE_UNAVAILABLE
        }
    }
}

struct Asked {
    trunk: Trunk,
    workspace: WorkspaceId,
    integration: IntegrationId,
    query: Option<String>,
    headers: HeaderMap,
    body: Vec<u8>,
}

/// Whether the sender is who it says.
async fn taken(db: Db, asked: Asked) -> Result<bool, AppError> {
    let header = |name: &'static str| asked.headers.get(name).and_then(|value| value.to_str().ok());
    let signature = if asked.trunk == Trunk::Twilio { header(TWILIO_SIGNATURE) } else { header(PLIVO_SIGNATURE) };
    // Without one it costs no look into the database.
    if signature.is_none() {
        return Ok(false);
    }
    let caller = Scope::of_integration(db.clone(), asked.workspace, CALLER);
    let mut tx = caller.read(Action::ReadIntegrations).await?;
    let row = carrier(store::get(&mut tx, asked.integration).await?)?;
    drop(tx);
    if trunk(row.kind)? != asked.trunk {
        return Ok(false);
    }
    let token = tokens::document(&caller, row.id).await?.access_token;
    let address = status_url(&caller, asked.trunk, row.id);
    let called = asked.query.as_ref().map_or_else(|| address.clone(), |query| format!("{address}?{query}"));
    let Ok(called) = Url::parse(&called) else { return Ok(false) };
    let fields: Vec<(String, String)> = url::form_urlencoded::parse(&asked.body).into_owned().collect();
    if let Err(why) = verify_form(asked.trunk, &token, &called, &fields, header) {
        tracing::info!(workspace = %asked.workspace, integration = %row.id, cause = %why, "refused a carrier's report");
        return Ok(false);
    }
    let call = called.query_pairs().find(|(name, _)| name == "call").and_then(|(_, id)| id.parse::<CallId>().ok());
    let told = told(asked.trunk, &fields);
    // Signed, and about no call at all: there is nothing to do, now or later. A call that came in is known by the carrier's id.
    let Some(told) = told else { return Ok(true) };
    let sender = Scope::of_integration(db, asked.workspace, SENDER);
    let mut tx = sender.write(Action::ManageIntegrations).await?;
    let report = Report {
        provider: asked.trunk.as_str(),
        account: row.id,
        call,
        leg: &told.leg,
        event_id: &told.event_id,
        status: &told.status,
        failure: told.failure,
        payload: payload(&fields),
    };
    if trunks::heard(&mut tx, &report, Utc::now()).await? == Heard::New && told.is_over {
        let job = PriceCall { integration: row.id, leg: told.leg.clone(), since: Utc::now().timestamp() };
        enqueue(&mut tx, &job, NewJob::default()).await?;
    }
    tx.commit().await?;
    Ok(true)
}

struct Told {
    leg: String,
    event_id: String,
    status: String,
    is_over: bool,
    failure: Option<String>,
}

/// What a report says. None: it names no call, or says nothing of how it stands.
fn told(trunk: Trunk, fields: &[(String, String)]) -> Option<Told> {
    let word = |name: &str| {
        let value = fields.iter().find(|(known, _)| known == name).map(|(_, value)| value.trim())?;
        let is_plain = !value.is_empty() && value.len() <= LONGEST && value.bytes().all(|byte| byte.is_ascii_graphic());
        is_plain.then(|| value.to_owned())
    };
    let status = word("CallStatus")?;
    let (leg, part) = match trunk {
        Trunk::Twilio => (word("CallSid")?, word("SequenceNumber")),
        _ => (word("CallUUID")?, word("Event")),
    };
    let event_id = format!("{leg}:{status}:{}", part.unwrap_or_default());
    let over = ["completed", "busy", "failed", "no-answer", "canceled", "timeout"];
    let failure = (status == "failed").then(|| match word("SipResponseCode").as_deref() {
        Some("404") => "The carrier does not know this number. Check it with the client.".to_owned(),
        Some(code) if code.bytes().all(|byte| byte.is_ascii_digit()) => {
            format!("The carrier could not put the call through (SIP {code}).")
        }
        _ => "The carrier could not put the call through.".to_owned(),
    });
    Some(Told { is_over: over.contains(&&*status), leg, event_id, status, failure })
}

/// The fields as they are kept, without what no database takes.
fn payload(fields: &[(String, String)]) -> Value {
    let clean = |text: &str| text.chars().filter(|letter| *letter != '\0').take(LONGEST).collect::<String>();
    let all: Map<String, Value> =
        fields.iter().take(60).map(|(name, value)| (clean(name), Value::String(clean(value)))).collect();
    Value::Object(all)
}

/// Asks what a call cost. The carrier knows it some minutes after the end.
pub(in super::super) async fn price(scope: &Scope, job: &PriceCall) -> Result<Verdict, Failure> {
    let mut tx = scope.read(Action::ReadIntegrations).await?;
    let row = carrier(store::get(&mut tx, job.integration).await?)?;
    drop(tx);
    let client = match client(scope, &row).await {
        Ok(client) => client,
        Err(AppError::Conflict(..)) => return Ok(Verdict::Done),
        Err(error) => return Err(error.into()),
    };
    let age = Utc::now().timestamp() - job.since;
    let cost = match client.get_call(&job.leg).await {
        Ok(call) => call.cost,
        Err(error) if error.kind == patchbay_providers::error::Kind::NotFound => None,
        Err(error) => return Err(patchbay_connections::server::ops::failure(&error)),
    };
    let Some(cost) = cost else {
        let wait = if age < 600 { 60 } else { 1800 };
        return Ok(if age < PRICED_WITHIN { Verdict::Later(Duration::from_secs(wait)) } else { Verdict::Done });
    };
    let mut tx = scope.write(Action::ManageIntegrations).await?;
    trunks::priced(&mut tx, trunk(row.kind)?.as_str(), &job.leg, cost, Utc::now()).await?;
    tx.commit().await?;
    Ok(Verdict::Done)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(fields: &[(&str, &str)]) -> Vec<(String, String)> {
        fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn reports_are_named_by_call_and_state() {
        let fields =
            form(&[("CallSid", "CA1"), ("CallStatus", "failed"), ("SequenceNumber", "3"), ("SipResponseCode", "404")]);
        let heard = told(Trunk::Twilio, &fields).unwrap();
        assert_eq!((heard.event_id.as_str(), heard.is_over), ("CA1:failed:3", true));
        assert_eq!(heard.failure.as_deref(), Some("The carrier does not know this number. Check it with the client."));
        let fields = form(&[("CallUUID", "u1"), ("CallStatus", "in-progress"), ("Event", "StartApp")]);
        let heard = told(Trunk::Plivo, &fields).unwrap();
        assert_eq!((heard.event_id.as_str(), heard.is_over, heard.failure), ("u1:in-progress:StartApp", false, None));
    }

    #[test]
    fn what_names_no_call_is_nothing() {
        assert!(told(Trunk::Twilio, &form(&[("CallStatus", "completed")])).is_none());
        assert!(told(Trunk::Twilio, &form(&[("CallSid", "a b"), ("CallStatus", "completed")])).is_none());
        let long = "x".repeat(300);
        assert!(told(Trunk::Plivo, &form(&[("CallUUID", &long), ("CallStatus", "completed")])).is_none());
    }
}
