//! The files themselves, in the object store: one object each, under a folder per workspace. No name from outside is part of a key.

use std::sync::Arc;

use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use uuid::Uuid;

use patchbay_services::{Services, files_error};
use patchbay_shared::AppError;
use patchbay_shared::ids::WorkspaceId;

/// Where files are kept.
pub(crate) fn store(services: &Services) -> &Arc<dyn ObjectStore> {
    &services.knowledge
}

/// The key of a file, as the table keeps it.
pub(crate) fn key(workspace: WorkspaceId, file: Uuid) -> String {
    format!("{workspace}/{file}")
}

/// Deletes an object. What is gone already is fine.
pub(crate) async fn delete(store: &dyn ObjectStore, key: &str) -> Result<(), AppError> {
    match store.delete(&Path::from(key)).await {
        Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
        Err(error) => Err(files_error(error)),
    }
}

/// A stored file until its entry is in the table. Dropped before that, it takes the file along.
pub(crate) struct Unclaimed(Option<(Arc<dyn ObjectStore>, String)>);

impl Unclaimed {
    pub fn new(store: &Arc<dyn ObjectStore>, key: &str) -> Self {
        Self(Some((store.clone(), key.to_owned())))
    }

    /// The entry is in the table, and the file belongs to it.
    pub fn claim(mut self) {
        self.0 = None;
    }
}

impl Drop for Unclaimed {
    fn drop(&mut self) {
        if let (Some((store, key)), Ok(runtime)) = (self.0.take(), tokio::runtime::Handle::try_current()) {
            runtime.spawn(async move {
                if let Err(error) = delete(&*store, &key).await {
                    tracing::warn!(cause = %error, "could not delete a file that nobody claimed");
                }
            });
        }
    }
}
