//! How many files a workspace uploads at once to this process, whatever they are for.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use patchbay_services::Services;
use patchbay_shared::ids::WorkspaceId;

/// Files that one workspace may upload to one process at the same time.
const UPLOADS_AT_ONCE: usize = 5;

/// Files that are being uploaded to this process, by workspace.
#[derive(Default)]
struct Uploading(Mutex<HashMap<WorkspaceId, usize>>);

/// A place for an upload, given back when it is dropped.
pub struct UploadPlace {
    uploading: Arc<Uploading>,
    workspace: WorkspaceId,
}

/// A place for one more upload to the workspace; none when there are as many as may be. What is still on its way is in no table, and
/// its bytes are on the disk all the same.
pub fn upload_place(services: &Services, workspace: WorkspaceId) -> Option<UploadPlace> {
    let uploading = services.state::<Uploading>();
    {
        let mut counts = uploading.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(workspace).or_default();
        if *count >= UPLOADS_AT_ONCE {
            return None;
        }
        *count += 1;
    }
    Some(UploadPlace { uploading, workspace })
}

impl Drop for UploadPlace {
    fn drop(&mut self) {
        let mut counts = self.uploading.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&self.workspace) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.workspace);
            }
        }
    }
}
