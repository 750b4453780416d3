use serde::{Deserialize, Serialize};

use crate::jobs::{Job, Registry};
use crate::shared::ids::BatchId;

/// Dials a batch, tick by tick, until nothing is left.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RunBatch {
    pub batch: BatchId,
}

impl Job for RunBatch {
    const KIND: &'static str = "run_batch";

    fn dedupe_key(&self) -> Option<String> {
        Some(self.batch.to_string())
    }
}

pub fn register(registry: &mut Registry) {
    registry.add::<RunBatch, _, _>(|scope, job| async move { super::tick::tick(&scope, job.batch).await });
}
