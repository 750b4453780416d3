use patchbay_dialling::server::jobs::{DialCallBack, RunBatch};
use patchbay_jobs::Registry;

/// Registers what the jobs of batches and of call-backs do.
pub fn register(registry: &mut Registry) {
    registry.add::<RunBatch, _, _>(|scope, job| async move { super::tick::tick(&scope, job.batch).await });
    registry.add::<DialCallBack, _, _>(|scope, job| async move { super::call_backs::run(&scope, job.call_back).await });
}
