//! Who answers when a number is called, as it is set now.

use chrono::{DateTime, Utc};

use super::store::{self, routes};
use crate::model::{AgentChoice, AnswerHours, CLOSED, NumberStatus, UNAVAILABLE};
use patchbay_access::server::ReadTx;
use patchbay_agents::model::CallDirection;
use patchbay_shared::AppError;
use patchbay_shared::ids::{AgentId, ClientId, IntegrationId};
use patchbay_shared::zone::zone;

/// A number that is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CalledNumber {
    pub client: Option<ClientId>,
    /// The account of the agency's own where it is. None: it is rented from here.
    pub account: Option<IntegrationId>,
    /// None: the number takes no calls.
    pub answers: Option<Answers>,
    closed_words: Option<String>,
    fallback_words: Option<String>,
}

/// What happens to a call at this moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answers {
    Agent(AgentId),
    /// It is outside the hours, and nobody answers then.
    Closed,
    /// No agent was chosen.
    Nobody,
}

impl CalledNumber {
    /// What the caller hears outside the hours.
    pub fn closed_words(&self) -> &str {
        self.closed_words.as_deref().unwrap_or(CLOSED)
    }

    /// What the caller hears when nobody can answer.
    pub fn fallback_words(&self) -> &str {
        self.fallback_words.as_deref().unwrap_or(UNAVAILABLE)
    }
}

/// The number as it is set now. None: it is none of the workspace's.
pub async fn called(tx: &mut ReadTx, number: &str, now: DateTime<Utc>) -> Result<Option<CalledNumber>, AppError> {
    let Some(found) = routes::called(tx, number).await? else { return Ok(None) };
    let takes_calls = found.status == NumberStatus::Active && found.direction == CallDirection::Inbound;
    let is_open = found.hours.as_ref().is_none_or(|hours| is_open(&hours.0, now));
    let answers = match (is_open, found.agent_id, found.after_hours_agent_id) {
        (true, Some(agent), _) | (false, _, Some(agent)) => Answers::Agent(AgentId(agent)),
        (true, None, _) => Answers::Nobody,
        (false, _, None) => Answers::Closed,
    };
    Ok(Some(CalledNumber {
        client: found.client_id.map(ClientId),
        account: found.integration_id.map(IntegrationId),
        answers: takes_calls.then_some(answers),
        closed_words: found.after_hours_words,
        fallback_words: found.fallback_words,
    }))
}

fn is_open(hours: &AnswerHours, now: DateTime<Utc>) -> bool {
    hours.is_open(now.with_timezone(&zone(&hours.zone)).naive_local())
}

/// A number that a call to one's own phone goes out from: of this client if it has one, else of the whole agency.
/// With it the carrier and the account there, when it is not rented from here.
pub async fn number_to_call_from(
    tx: &mut ReadTx,
    client: Option<ClientId>,
) -> Result<Option<(String, Option<(String, IntegrationId)>)>, AppError> {
    let found = routes::to_call_from(tx, client.map(|id| id.0)).await?;
    Ok(found.map(|found| (found.number, found.integration_id.map(|id| (found.provider, IntegrationId(id))))))
}

/// Agents that can answer or make a call.
pub async fn agents(tx: &mut ReadTx) -> Result<Vec<AgentChoice>, AppError> {
    store::agents(tx).await
}

/// The client that the agent works for; none for one of the whole agency, and for one that is gone.
pub async fn client_of(tx: &mut ReadTx, agent: AgentId) -> Result<Option<ClientId>, AppError> {
    Ok(store::agent_client(tx, agent).await?.and_then(|(client, _)| client))
}
