use patchbay_dialling::server::jobs::RunBatch;
use patchbay_jobs::Registry;

/// Registers what the job of a batch does.
pub fn register(registry: &mut Registry) {
    registry.add::<RunBatch, _, _>(|scope, job| async move { super::tick::tick(&scope, job.batch).await });
}
