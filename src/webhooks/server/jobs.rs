use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{deliveries, giving};
use patchbay_access::Action;
use patchbay_jobs::queue::Job;
use patchbay_jobs::runner::{Registry, Verdict};
use patchbay_shared::AppError;
use patchbay_shared::ids::WebhookEndpointId;

/// Gives new events to those who asked for them. Each transaction that wrote some enqueues one of its own, so that it waits for nobody
/// else's; the first gives out all, and the others find nothing to do.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct GiveOutEvents {
    /// Of the sweep, which has one at most.
    #[serde(default)]
    pub is_sweep: bool,
}

impl Job for GiveOutEvents {
    const KIND: &'static str = "give_out_events";
    const ACTIONS: &'static [Action] = &[Action::ManageWebhooks];

    fn dedupe_key(&self) -> Option<String> {
        self.is_sweep.then(|| "sweep".to_owned())
    }
}

/// Sends an endpoint again what is too much for one transaction.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct ReplayDeliveries {
    pub endpoint: WebhookEndpointId,
    pub what: Replay,
    /// When it was asked for: what was replayed since is done.
    pub asked: DateTime<Utc>,
}

/// Which deliveries are sent again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Replay {
    /// Those that were held while the endpoint was off.
    Held,
    /// Those of events of this time.
    Range { from: DateTime<Utc>, to: DateTime<Utc>, only_failed: bool },
}

impl Job for ReplayDeliveries {
    const KIND: &'static str = "replay_deliveries";
    const ACTIONS: &'static [Action] = &[Action::ManageWebhooks];
}

/// Tells the runner what this crate's jobs do.
pub fn register(registry: &mut Registry) {
    registry.add(|scope, _: GiveOutEvents| async move {
        giving::give_out(&scope).await?;
        Ok(Verdict::Done)
    });
    registry.add(|scope, job: ReplayDeliveries| async move {
        match deliveries::go_on(&scope, &job).await {
            Ok(()) | Err(AppError::NotFound) => Ok(Verdict::Done),
            Err(error) => Err(error.into()),
        }
    });
}
