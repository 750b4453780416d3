//! Calls from before the sandbox began. They are drawn from a seed, and only when and for whom is kept: what a call was follows from that
//! and is made anew whenever somebody asks, so that a hundred thousand calls of the past take a few megabytes.
//!
//! The past is fixed when it is set: it ends at a given instant, and a kept sandbox has the same calls after a restart.

mod drawing;
mod ringing;
mod telling;

pub(crate) use telling::Teller;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::settings::OutcomeRates;
use super::state::Sandbox;

/// What is to be remembered of one agent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PastOfAgent {
    pub agent_id: String,
    /// The first and the last instant of the past.
    pub from: DateTime<Utc>,
    pub until: DateTime<Utc>,
    /// The IANA zone whose working hours the calls keep.
    pub timezone: String,
    /// Calls on an ordinary working day.
    pub calls_per_day: f64,
    /// Share of calls in which somebody rang the agent.
    pub inbound: f64,
    /// `sdr` or `cs`; none: as the prompt sounds.
    pub campaign_type: Option<String>,
    /// Our number, E.164.
    pub number: String,
    pub people: Vec<PastPerson>,
    /// BCP 47 tags with their shares; none: as the agent speaks.
    pub languages: Vec<(String, f64)>,
    /// What the agent was told from an instant on, oldest first; none: what it is told now.
    pub prompts: Vec<(DateTime<Utc>, String)>,
    pub rates: OutcomeRates,
    /// Calls at just these instants, besides the drawn ones.
    pub exactly: Vec<DateTime<Utc>>,
}

/// Somebody who was called, or who called.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PastPerson {
    pub name: String,
    /// E.164.
    pub number: String,
}

impl Default for PastOfAgent {
    fn default() -> Self {
        PastOfAgent {
            agent_id: String::new(),
            from: DateTime::UNIX_EPOCH,
            until: DateTime::UNIX_EPOCH,
            timezone: "UTC".to_owned(),
            calls_per_day: 0.0,
            inbound: 0.3,
            campaign_type: None,
            number: "+13125550100".to_owned(),
            people: Vec::new(),
            languages: Vec::new(),
            prompts: Vec::new(),
            rates: OutcomeRates::default(),
            exactly: Vec::new(),
        }
    }
}

/// One call of the past: when, and whose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Row {
    /// Microseconds since 1970.
    pub at: i64,
    pub id: Uuid,
    /// Its place in the list of agents.
    pub agent: u16,
}

impl Row {
    /// Where it stands in lists.
    pub fn place(&self) -> (i64, u128) {
        (self.at, self.id.as_u128())
    }
}

/// The past of an account.
#[derive(Debug, Clone, Default)]
pub(crate) struct Past {
    pub agents: Vec<PastOfAgent>,
    /// Oldest first.
    pub rows: Vec<Row>,
    by_id: HashMap<Uuid, Row>,
    /// Deleted calls.
    pub gone: HashSet<Uuid>,
}

impl Past {
    /// Draws all calls. Equal agents and seed give equal calls.
    pub fn draw(agents: Vec<PastOfAgent>, gone: HashSet<Uuid>, seed: u64) -> Past {
        let mut rows: Vec<Row> = Vec::new();
        for (place, agent) in agents.iter().enumerate().take(usize::from(u16::MAX)) {
            drawing::draw(agent, place as u16, seed, &mut rows);
        }
        rows.retain(|row| !gone.contains(&row.id));
        rows.sort_unstable_by_key(Row::place);
        let by_id = rows.iter().map(|row| (row.id, *row)).collect();
        Past { agents, rows, by_id, gone }
    }

    pub fn find(&self, id: Uuid) -> Option<Row> {
        self.by_id.get(&id).copied()
    }

    /// False when there is no such call.
    pub fn forget(&mut self, id: Uuid) -> bool {
        let Some(row) = self.by_id.remove(&id) else {
            return false;
        };
        self.rows.retain(|known| known.id != row.id);
        self.gone.insert(id)
    }

    /// Calls of this agent.
    pub fn count_of(&self, agent_id: &str) -> u64 {
        let agents: Vec<bool> = self.agents.iter().map(|agent| agent.agent_id == agent_id).collect();
        if !agents.contains(&true) {
            return 0;
        }
        self.rows.iter().filter(|row| agents[usize::from(row.agent)]).count() as u64
    }
}

impl Sandbox {
    /// Gives an account a past, in place of the one that it has.
    pub fn set_past(&self, key: &str, agents: Vec<PastOfAgent>) {
        let past = Arc::new(Past::draw(agents, HashSet::new(), self.settings_for(key).seed));
        self.with_account(key, |account| account.past = past);
        self.keep();
    }

    /// Calls that the provider had all along and shows only now, created at these instants by an agent of the account.
    pub fn reveal_calls(&self, key: &str, agent_id: &str, at: &[DateTime<Utc>]) {
        let seed = self.settings_for(key).seed;
        self.with_account(key, |account| {
            let mut agents = account.past.agents.clone();
            match agents.iter_mut().find(|agent| agent.agent_id == agent_id) {
                Some(agent) => agent.exactly.extend_from_slice(at),
                None => agents.push(PastOfAgent {
                    agent_id: agent_id.to_owned(),
                    exactly: at.to_vec(),
                    ..PastOfAgent::default()
                }),
            }
            account.past = Arc::new(Past::draw(agents, account.past.gone.clone(), seed));
        });
        self.keep();
    }

    /// The ids of all calls that an account has, of the past and since, in the order of their creation.
    pub fn call_ids(&self, key: &str) -> Vec<Uuid> {
        self.with_account(key, |account| {
            let since = account.calls.values().map(|call| (call.clock.at(0.0).timestamp_micros(), call.id));
            let mut all: Vec<(i64, Uuid)> = account.past.rows.iter().map(|row| (row.at, row.id)).chain(since).collect();
            all.sort_unstable_by_key(|(at, id)| (*at, id.as_u128()));
            all.into_iter().map(|(_, id)| id).collect()
        })
    }
}
