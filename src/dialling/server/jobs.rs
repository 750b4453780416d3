use serde::{Deserialize, Serialize};

use patchbay_access::Action;
use patchbay_jobs::Job;
use patchbay_shared::ids::{BatchId, CallBackId};

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

/// Has a call-back dialled when its time has come. Batches register what it does.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DialCallBack {
    pub call_back: CallBackId,
}

impl Job for DialCallBack {
    const KIND: &'static str = "dial_call_back";
    const ACTIONS: &'static [Action] = &[Action::ReadCampaigns, Action::RunBatches, Action::ManageClients];

    fn dedupe_key(&self) -> Option<String> {
        Some(self.call_back.to_string())
    }
}
