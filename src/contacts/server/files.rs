//! Where uploaded files lie until their import is over. No name from outside becomes part of a path.

use std::path::PathBuf;
use std::time::Duration;

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

/// Deletes a file. One that is gone already is fine.
pub(crate) async fn delete(services: &Services, key: &str) {
    if let Ok(path) = path(services, key)
        && let Err(error) = tokio::fs::remove_file(&path).await
        && error.kind() != std::io::ErrorKind::NotFound
    {
        tracing::warn!(cause = %error, "could not delete an uploaded file");
    }
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
