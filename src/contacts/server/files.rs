//! Where uploaded files lie until their import is over. No name from outside becomes part of a path.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedMutexGuard, OwnedSemaphorePermit, Semaphore};
use uuid::Uuid;

use patchbay_services::Services;
use patchbay_shared::AppError;
use patchbay_shared::error::internal;
use patchbay_shared::ids::{ImportId, WorkspaceId};

/// Files that nobody imported are deleted after this long.
const KEPT: Duration = Duration::from_secs(7 * 24 * 3600);

/// The key of an import's file, as the table keeps it.
pub(crate) fn key(workspace: WorkspaceId, import: ImportId) -> String {
    format!("{workspace}/{import}.csv")
}

/// The path behind a key. Errors: internal, when the key is not one of ours.
pub(crate) fn path(services: &Services, key: &str) -> Result<PathBuf, AppError> {
    if key.split('/').any(|part| part.is_empty() || part.starts_with('.')) {
        return Err(internal(format!("not the key of an upload: {key}")));
    }
    Ok(services.uploads.join(key))
}

/// A new key for a sheet of the import that is written beside the one that is read.
pub(crate) fn fresh_key(workspace: WorkspaceId, import: ImportId) -> String {
    format!("{workspace}/{import}.{}.sheet", Uuid::now_v7().simple())
}

/// The key of the rows that a check of the import keeps. Each check has its own, so that one that was thought dead writes into no other.
pub(crate) fn rows_key(workspace: WorkspaceId, import: ImportId, check: i32) -> String {
    format!("{workspace}/{import}.{check}.rows")
}

/// Deletes an import's file and all that was made of it. What is gone already is fine.
pub(crate) async fn delete(services: &Services, workspace: WorkspaceId, import: ImportId) {
    let Ok(folder) = path(services, &workspace.to_string()) else { return };
    let Ok(mut entries) = tokio::fs::read_dir(folder).await else { return };
    let start = format!("{import}.");
    while let Ok(Some(entry)) = entries.next_entry().await {
        if let Some(name) = entry.file_name().to_str().filter(|name| name.starts_with(&start)) {
            delete_one(services, &format!("{workspace}/{name}")).await;
        }
    }
}

/// Deletes the file of one key.
pub(crate) async fn delete_one(services: &Services, key: &str) {
    if let Ok(path) = path(services, key)
        && let Err(error) = tokio::fs::remove_file(&path).await
        && error.kind() != std::io::ErrorKind::NotFound
    {
        tracing::warn!(cause = %error, "could not delete an uploaded file");
    }
}

/// An upload's file until its import is in the table. Dropped before that, it takes the file along: whoever goes away in the middle
/// leaves nothing on the disk.
pub(crate) struct Unclaimed(Option<PathBuf>);

impl Unclaimed {
    pub fn new(path: PathBuf) -> Self {
        Self(Some(path))
    }

    /// The import is in the table, and the file belongs to it.
    pub fn claim(mut self) {
        self.0 = None;
    }
}

impl Drop for Unclaimed {
    fn drop(&mut self) {
        for path in self.0.take().into_iter().flat_map(|path| [path.with_extension("xlsx"), path]) {
            if let Err(error) = std::fs::remove_file(&path)
                && error.kind() != std::io::ErrorKind::NotFound
            {
                tracing::warn!(cause = %error, "could not delete an upload that nobody claimed");
            }
        }
    }
}

struct Turns {
    all: Arc<Semaphore>,
    by_workspace: Mutex<HashMap<WorkspaceId, Arc<tokio::sync::Mutex<()>>>>,
}

impl Default for Turns {
    fn default() -> Self {
        Self { all: Arc::new(Semaphore::new(2)), by_workspace: Mutex::default() }
    }
}

/// A turn to look at a file, given back when it is dropped.
pub(crate) struct Turn {
    _own: OwnedMutexGuard<()>,
    _all: Option<OwnedSemaphorePermit>,
}

/// Waits for one's turn to look at a file. A workbook may take hundreds of megabytes while it is looked at, so there are two in all, and
/// a workspace has one at most: with files that take long it keeps nobody but itself waiting.
pub(crate) async fn turn(services: &Services, workspace: WorkspaceId) -> Turn {
    services.state::<Turns>().next(workspace).await
}

impl Turns {
    async fn next(&self, workspace: WorkspaceId) -> Turn {
        let own = {
            let mut by_workspace = self.by_workspace.lock().unwrap_or_else(PoisonError::into_inner);
            // But for those that somebody has or waits for.
            by_workspace.retain(|_, own| Arc::strong_count(own) > 1);
            by_workspace.entry(workspace).or_default().clone()
        };
        let own = own.lock_owned().await;
        // It is never closed.
        Turn { _own: own, _all: self.all.clone().acquire_owned().await.ok() }
    }
}

/// Works on a file in a thread of its own. `held` is what must last as long as the work does: a turn, a place, a file. It comes back
/// with what the work gave; when nobody waits for that any more, it is dropped once the work is done, which nothing ends before.
pub(crate) async fn work<H, T>(held: H, work: impl FnOnce() -> T + Send + 'static) -> Result<(H, T), AppError>
where
    H: Send + 'static,
    T: Send + 'static,
{
    tokio::task::spawn_blocking(move || {
        let done = work();
        (held, done)
    })
    .await
    .map_err(internal)
}

/// Deletes what was uploaded to the workspace more than a week ago and never imported.
pub(crate) async fn sweep(services: &Services, workspace: WorkspaceId) {
    let Ok(folder) = path(services, &workspace.to_string()) else { return };
    let Ok(mut entries) = tokio::fs::read_dir(folder).await else { return };
    while let Ok(Some(entry)) = entries.next_entry().await {
        let Ok(facts) = entry.metadata().await else { continue };
        let is_old = facts.modified().ok().and_then(|at| at.elapsed().ok()).is_some_and(|age| age > KEPT);
        if is_old && let Err(error) = tokio::fs::remove_file(entry.path()).await {
            tracing::warn!(cause = %error, "could not delete an old upload");
        }
    }
}

#[cfg(test)]
mod tests;
