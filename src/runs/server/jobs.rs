use serde::{Deserialize, Serialize};

use super::ops;
use patchbay_access::Action;
use patchbay_jobs::queue::Job;
use patchbay_jobs::runner::{Registry, Verdict};

/// Adds errors to their causes. Each failure enqueues one of its own, so that it waits for nobody else's; the first counts them all, and
/// the others find nothing to do.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct CountErrors {}

impl Job for CountErrors {
    const KIND: &'static str = "count_errors";
    const ACTIONS: &'static [Action] = &[Action::ReadWorkshop];
    const RUNS_SUSPENDED: bool = true;
}

pub fn register(registry: &mut Registry) {
    registry.add(|scope, _: CountErrors| async move {
        ops::count_errors(&scope).await?;
        Ok(Verdict::Done)
    });
}
