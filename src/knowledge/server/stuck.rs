//! Files that wait or are being read, and have no job any more: it was given up, because the service was stopped in the middle of it
//! several times, or the object store was away for long. And passages that no model reads, although one is chosen.

use super::jobs::IndexEntry;
use super::meaning;
use super::store::entries;
use patchbay_access::Action;
use patchbay_access::server::Scope;
use patchbay_jobs::queue::Job;
use patchbay_jobs::{NewJob, enqueue};
use patchbay_shared::AppError;

/// Gives each such file its job again, which says so when it was tried often enough. Gives how many there were. Safe to repeat.
pub async fn sweep(scope: &Scope) -> Result<usize, AppError> {
    let mut tx = scope.write(Action::ReplayQueues).await?;
    let lost = entries::without_job(tx.reading(), IndexEntry::KIND).await?;
    let asked = tx.reading().now().await?.timestamp_micros();
    for (entry, file) in &lost {
        tracing::warn!(entry_id = %entry, "a file had no job any more, and has one again");
        enqueue(&mut tx, &IndexEntry { entry: *entry, file: *file, asked }, NewJob::default()).await?;
    }
    tx.commit().await?;
    // Apart, so that trouble here takes back no file's job.
    let mut tx = scope.write(Action::ReplayQueues).await?;
    let is_unread = meaning::sweep(&mut tx).await?;
    tx.commit().await?;
    Ok(lost.len() + usize::from(is_unread))
}
