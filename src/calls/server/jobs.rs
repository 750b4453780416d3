use patchbay_jobs::Registry;

use super::recordings::{self, FetchRecording};
use super::transfers::{self, FollowTransfer};

/// Registers what jobs about calls do; `follow` has its own.
pub fn register(registry: &mut Registry) {
    registry.add::<FetchRecording, _, _>(|scope, job| async move { recordings::run(&scope, &job).await });
    registry.add::<FollowTransfer, _, _>(|scope, job| async move { transfers::follow(&scope, job.transfer).await });
}
