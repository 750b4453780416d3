//! What a call of the past was: the same call as one that is placed now, all over.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use uuid::Uuid;

use super::ringing::request_of_caller;
use super::{Past, PastOfAgent, PastPerson, Row};
use crate::call::{Call, NewCall, Steer};
use crate::rng::Rng;
use crate::settings::SandboxSettings;
use crate::state::Account;

/// Callers who give up before the agent answers, and lines that break.
const GIVES_UP: f64 = 0.04;
const BREAKS: f64 = 0.015;

/// An id that tells the direction by its last bit.
pub(super) fn id_of(inbound: bool, rng: &mut Rng) -> Uuid {
    let drawn = rng.uuid().as_u128();
    Uuid::from_u128(if inbound { drawn | 1 } else { drawn & !1 })
}

fn is_inbound(id: Uuid) -> bool {
    id.as_u128() & 1 == 1
}

/// What telling takes from an account, so that nothing is told under its lock.
#[derive(Clone)]
pub(crate) struct Teller {
    past: Arc<Past>,
    /// The agents as they are now, in the order of the past's.
    agents: Vec<Arc<Value>>,
    settings: Arc<SandboxSettings>,
}

impl Teller {
    pub fn of(account: &Account, settings: Arc<SandboxSettings>) -> Teller {
        let now = |agent: &PastOfAgent| {
            let known = account.agents.get(&agent.agent_id).cloned();
            // An agent that was deleted is still named by its calls.
            known.unwrap_or_else(|| Arc::new(json!({"agentId": agent.agent_id, "name": "", "callTemplate": {}})))
        };
        Teller { past: account.past.clone(), agents: account.past.agents.iter().map(now).collect(), settings }
    }

    pub fn rows(&self) -> &[Row] {
        &self.past.rows
    }

    pub fn agent_id(&self, row: &Row) -> &str {
        &self.past.agents[usize::from(row.agent)].agent_id
    }

    pub fn find(&self, id: Uuid) -> Option<Call> {
        self.past.find(id).map(|row| self.tell(&row))
    }

    pub fn tell(&self, row: &Row) -> Call {
        let spec = &self.past.agents[usize::from(row.agent)];
        let at = DateTime::from_timestamp_micros(row.at).unwrap_or_default();
        let salt = row.id.to_string();
        let mut rng = Rng::new(self.settings.seed, &format!("past:{salt}"));
        let inbound = is_inbound(row.id);
        let person = (!spec.people.is_empty()).then(|| &spec.people[rng.below(spec.people.len())]);
        let outcome = if inbound {
            rng.weighted(&[("no_answer", GIVES_UP), ("dropped", BREAKS), ("", 1.0 - GIVES_UP - BREAKS)])
        } else {
            // A name that none has leaves the answer to the rates.
            ""
        };
        let request = request(spec, person, inbound, at, &mut rng);
        let other = person.map_or_else(|| "+13125550199".to_owned(), |person| person.number.clone());
        let (to, from) = if inbound { (spec.number.clone(), other) } else { (other, spec.number.clone()) };
        let settings = SandboxSettings {
            rates: spec.rates.clone(),
            ring_secs: if inbound { [0.8, 4.0] } else { self.settings.ring_secs },
            ..SandboxSettings::clone(&self.settings)
        };
        let steer = Steer {
            id: row.id,
            salt,
            at: Some(at),
            speed: 1.0,
            campaign_type: spec.campaign_type.clone(),
            outcome: (!outcome.is_empty()).then(|| outcome.to_owned()),
        };
        let agent = Some(self.agents[usize::from(row.agent)].clone());
        let new = NewCall { agent, request, to: Some(to), from: Some(from), inbound };
        Call::steered(new, &settings, steer).over()
    }
}

/// The body that such a call would have been created with.
fn request(
    spec: &PastOfAgent,
    person: Option<&PastPerson>,
    inbound: bool,
    at: DateTime<Utc>,
    rng: &mut Rng,
) -> serde_json::Map<String, Value> {
    let other = person.map_or("+13125550199", |person| person.number.as_str());
    let mut request = if inbound {
        request_of_caller(other, &spec.number, person)
    } else {
        let mut request = serde_json::Map::new();
        request.insert("medium".to_owned(), json!({"telnyx": {"outgoing": {"to": other, "from": spec.number}}}));
        if let Some(person) = person {
            request.insert("templateContext".to_owned(), json!({"contact_name": person.name}));
        }
        request
    };
    let languages: Vec<(usize, f64)> = spec.languages.iter().map(|(_, share)| *share).enumerate().collect();
    if !languages.is_empty() {
        let (tag, _) = &spec.languages[rng.weighted(&languages)];
        request.insert("languageHint".to_owned(), json!(tag));
    }
    if let Some((_, prompt)) = spec.prompts.iter().rfind(|(from, _)| *from <= at).or(spec.prompts.first()) {
        request.insert("systemPrompt".to_owned(), json!(prompt));
    }
    request
}
