//! The past goes on: the people of the past go on ringing the agents that answered them, at the hours at which they did.

use std::sync::Arc;
use std::time::Duration;

use chrono::Utc;
use serde_json::{Map, Value, json};

use super::{PastOfAgent, PastPerson, drawing};
use crate::rng::Rng;
use crate::state::Sandbox;
use crate::telephone::Ring;

/// How often it is asked who rings.
const LOOK: Duration = Duration::from_secs(5);
/// Rings per hour that an agent gets even at night and on Sundays, so that somebody who looks then sees some.
const FEWEST: f64 = 1.5;
/// Share of callers whom nobody knows.
const STRANGERS: f64 = 0.15;
/// Share of callers who give up at once.
const LEAVES: f64 = 0.05;

impl Sandbox {
    /// Lets people ring, `times` as often as in the past, until the sandbox stops.
    pub async fn go_on_ringing(self: Arc<Self>, times: f64) {
        let mut rng = self.rng("ringing");
        loop {
            tokio::select! {
                () = tokio::time::sleep(LOOK) => {}
                () = self.shutdown.cancelled() => return,
            }
            for (key, agent) in self.answering() {
                let per_hour = (drawing::rings_per_hour(&agent, Utc::now()) * times).max(FEWEST);
                if rng.chance(per_hour * LOOK.as_secs_f64() / 3600.0) {
                    self.somebody_rings(key, &agent, &mut rng);
                }
            }
        }
    }

    /// Agents that somebody rang in the past, with their accounts.
    fn answering(&self) -> Vec<(String, PastOfAgent)> {
        let state = self.state();
        let all = state.accounts.iter().flat_map(|(key, account)| {
            let answering = account.past.agents.iter().filter(|agent| agent.inbound > 0.0);
            answering.map(|agent| (key.clone(), agent.clone()))
        });
        let mut all: Vec<_> = all.collect();
        // The same order whatever the map says, so that equal chance has equal effects.
        all.sort_by(|one, other| (&one.0, &one.1.agent_id).cmp(&(&other.0, &other.1.agent_id)));
        all
    }

    /// Somebody rings the agent's number. What comes of it is up to whoever answers the number.
    fn somebody_rings(self: &Arc<Self>, key: String, spec: &PastOfAgent, rng: &mut Rng) {
        let known = (!spec.people.is_empty() && !rng.chance(STRANGERS)).then(|| rng.pick(&spec.people));
        let from = known.map_or_else(|| stranger(&spec.number, rng), |person| person.number.clone());
        let ring =
            Ring { to: spec.number.clone(), from, key: Some(key), leaves: rng.chance(LEAVES), ..Ring::default() };
        let sandbox = self.clone();
        tokio::spawn(async move {
            let rang = sandbox.ring_number(ring).await;
            if let Some(why) = rang.nowhere {
                tracing::debug!(why, "somebody rang in vain");
            }
        });
    }
}

/// A number like ours.
fn stranger(ours: &str, rng: &mut Rng) -> String {
    let head = ours.get(..ours.len().saturating_sub(4)).unwrap_or("+1312555");
    format!("{head}{:04}", 4_000 + rng.below(5_000))
}

/// What the provider is told about somebody who rings.
pub(super) fn request_of_caller(from: &str, to: &str, person: Option<&PastPerson>) -> Map<String, Value> {
    let mut request = Map::new();
    request.insert("medium".to_owned(), json!({"telnyx": {}}));
    request.insert("requestContext".to_owned(), json!({"telnyx": {"from": from, "to": to}}));
    request.insert("firstSpeakerSettings".to_owned(), json!({"agent": {}}));
    if let Some(person) = person {
        request.insert("templateContext".to_owned(), json!({"contact_name": person.name}));
    }
    request
}
