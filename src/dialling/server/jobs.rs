use serde::{Deserialize, Serialize};

use patchbay_access::Action;
use patchbay_jobs::Job;
use patchbay_shared::ids::BatchId;

/// Dials a batch, tick by tick, until nothing is left. Batches register what it does.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RunBatch {
    pub batch: BatchId,
}

impl Job for RunBatch {
    const KIND: &'static str = "run_batch";
    const ACTIONS: &'static [Action] =
        &[Action::ReadCampaigns, Action::ReadCalls, Action::UseConnections, Action::RunBatches, Action::ManageClients];
    // Calls that were placed before are seen to their end; the batch itself pauses.
    const RUNS_SUSPENDED: bool = true;

    fn dedupe_key(&self) -> Option<String> {
        Some(self.batch.to_string())
    }
}
