use serde::{Deserialize, Serialize};

use super::import;
use patchbay_access::Action;
use patchbay_access::server::Scope;
use patchbay_jobs::queue::Job;
use patchbay_jobs::runner::{Failure, Registry, Verdict};
use patchbay_shared::AppError;
use patchbay_shared::ids::ImportId;

/// Reads a file and counts what would become of its rows.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct CheckImport {
    pub import: ImportId,
}

/// Imports the rest of a file.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct RunImport {
    pub import: ImportId,
}

impl Job for CheckImport {
    const KIND: &'static str = "CheckImport";
    const ACTIONS: &'static [Action] = &[Action::ReadContacts, Action::ManageContacts];

    fn dedupe_key(&self) -> Option<String> {
        Some(self.import.to_string())
    }
}

impl Job for RunImport {
    const KIND: &'static str = "RunImport";
    const ACTIONS: &'static [Action] = &[Action::ReadContacts, Action::ManageContacts];

    fn dedupe_key(&self) -> Option<String> {
        Some(self.import.to_string())
    }
}

/// Tells the runner what this crate's jobs do.
pub fn register(registry: &mut Registry) {
    registry.add::<CheckImport, _, _>(|scope: Scope, job: CheckImport| async move {
        ended(import::check(&scope, job.import).await)
    });
    registry.add::<RunImport, _, _>(|scope: Scope, job: RunImport| async move {
        ended(import::run(&scope, job.import).await)
    });
}

/// An import that was deleted meanwhile is nobody's failure.
fn ended(result: Result<(), AppError>) -> Result<Verdict, Failure> {
    match result {
        Ok(()) | Err(AppError::NotFound) => Ok(Verdict::Done),
        Err(error) => Err(error.into()),
    }
}
