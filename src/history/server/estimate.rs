//! What an import would bring, as the service counts it. Kept for a minute, so that a page that is loaded again asks nobody.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};

use super::ops::{self, PROVIDER};
use super::{store, views};
use crate::model::Estimate;
use patchbay_access::Action;
use patchbay_access::server::Scope;
use patchbay_connections::server::ops as connections;
use patchbay_providers::voice::CallsAsk;
use patchbay_providers::{ProviderError, VoiceProvider};
use patchbay_shared::ids::{AgentId, WorkspaceId};
use patchbay_shared::{AppError, zone};

const FRESH: Duration = Duration::from_secs(60);
/// A page does not wait longer than this for figures that it can do without.
const PATIENCE: Duration = Duration::from_secs(5);
/// Agents that are counted one by one: each costs a request.
const MOST_AGENTS: usize = 25;
/// Calls that are here already are counted up to here.
const MOST_HERE: i64 = 100_000;
/// Calls a second that an import takes as long as none has shown how many it really are, and transcripts.
const SPEED: f64 = 250.0;
const TRANSCRIPTS: f64 = 8.0;

type Key = (WorkspaceId, String, String);

/// The last answers.
#[derive(Default)]
struct Remembered(Mutex<HashMap<Key, (Instant, Estimate)>>);

/// What the days of the address hold. Never fails because of the service: then a note says why nothing was counted. Errors: `Invalid` at
/// a day.
pub(crate) async fn estimate(
    scope: &Scope,
    provider: &str,
    from: Option<String>,
    to: Option<String>,
) -> Result<Estimate, AppError> {
    let mut tx = scope.read(Action::ReadWorkshop).await?;
    let connection = ops::connection(&mut tx, provider).await?;
    let now = tx.now().await?;
    let today = now.with_timezone(&scope.zone()).date_naive();
    let (from, to) = views::asked_days(from, to, today);
    let (from_day, to_day) = ops::days(&from, &to, today)?;
    let (from, to) = ops::moments(from_day, to_day, scope.zone(), now);
    let key = (scope.workspace_id(), format!("{from_day:?} {}", scope.zone().name()), to_day.to_string());
    let kept = scope.services().state::<Remembered>();
    if let Some(found) = kept.get(&key) {
        return Ok(found);
    }
    let here = store::calls::here(&mut tx, PROVIDER, from, to, MOST_HERE).await?;
    let measured = store::views::speed(&mut tx, connection).await?;
    let speed = measured.unwrap_or(SPEED).max(1.0);
    let agents = store::provider_agents(&mut tx, PROVIDER).await?;
    drop(tx);
    let mut found = Estimate { here, here_is_more: here >= MOST_HERE, ..Estimate::default() };
    (found.pace, found.is_measured) = (speed.round() as i64, measured.is_some());
    let counted = tokio::time::timeout(PATIENCE, count(scope, agents, from, to)).await;
    match counted {
        Ok(Ok((calls, agents))) => {
            found.counted = Some(zone::stamp(now, now, scope.zone()));
            let new = calls.map_or(0, |calls| (calls - here).max(0));
            found.seconds = (calls.unwrap_or_default() as f64 / speed).ceil() as i64;
            found.transcript_seconds = (new as f64 / TRANSCRIPTS).ceil() as i64;
            found.calls = calls;
            found.agents = agents;
        }
        Ok(Err(error)) => found.note = Some(format!("The calls could not be counted. {error}")),
        Err(_) => found.note = Some("The calls could not be counted: Ultravox did not answer in time.".to_owned()),
    }
    kept.put(key, found.clone());
    Ok(found)
}

async fn count(
    scope: &Scope,
    agents: Vec<(AgentId, String)>,
    from: DateTime<Utc>,
    to: DateTime<Utc>,
) -> Result<(Option<i64>, Vec<(AgentId, i64)>), AppError> {
    let voice = connections::voice_to_look(scope).await?;
    let all = count_of(voice.as_ref(), from, to, Vec::new()).await.map_err(|error| connections::down(&error))?;
    let mut by_agent: Vec<(AgentId, i64)> = Vec::new();
    if agents.len() <= MOST_AGENTS {
        for (agent, theirs) in agents {
            let calls =
                count_of(voice.as_ref(), from, to, vec![theirs]).await.map_err(|error| connections::down(&error))?;
            let calls = calls.unwrap_or_default();
            match by_agent.iter_mut().find(|(known, _)| *known == agent) {
                Some((_, sum)) => *sum += calls,
                None => by_agent.push((agent, calls)),
            }
        }
    }
    Ok((all, by_agent))
}

/// How many calls the service has of a span. None: it does not say.
pub(crate) async fn count_of(
    voice: &dyn VoiceProvider,
    from: DateTime<Utc>,
    to: DateTime<Utc>,
    agents: Vec<String>,
) -> Result<Option<i64>, ProviderError> {
    let ask = CallsAsk { from, to, agents, newest_first: true, page_size: 1 };
    Ok(voice.list_calls(&ask, None).await?.total.map(|total| total as i64))
}

impl Remembered {
    fn get(&self, key: &Key) -> Option<Estimate> {
        let mut all = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        all.retain(|_, (until, _)| *until > Instant::now());
        all.get(key).map(|(_, found)| found.clone())
    }

    fn put(&self, key: Key, found: Estimate) {
        let mut all = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        all.insert(key, (Instant::now() + FRESH, found));
    }
}
