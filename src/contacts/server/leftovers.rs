//! Imports that nobody goes on with: uploads that were left lying, and work that broke off. They would take their places for ever.

use super::import::{Ending, end_early};
use super::jobs::{CheckImport, RunImport};
use super::store::{imports, leftovers as store};
use super::{files, ops};
use crate::ImportStatus;
use patchbay_access::Action;
use patchbay_access::server::{Db, Machine, ReadTx, Scope};
use patchbay_jobs::queue::unfinished;
use patchbay_shared::AppError;
use patchbay_shared::ids::ImportId;

const UPKEEP: Machine = Machine { name: "import upkeep", actions: &[Action::ReadContacts, Action::ManageContacts] };

const BROKE_OFF: &str = "The work on this file broke off and could not be taken up again. What was imported is kept; upload the file \
                         again. If that happens again, tell whoever runs this server.";

/// For every agency: ends what nobody goes on with. Once an hour.
pub async fn clear_all(db: &Db) -> Result<(), AppError> {
    for workspace in store::workspaces(db).await? {
        let scope = Scope::of_upkeep(db.clone(), workspace, UPKEEP);
        // One agency's trouble is not the others'.
        if let Err(error) = async {
            clear(&scope).await?;
            end_broken(&scope).await
        }
        .await
        {
            tracing::warn!(workspace_id = %workspace, cause = %error, "what is left of imports here will be looked at in an hour");
        }
    }
    Ok(())
}

/// Ends imports that nobody went on with for seven days, and deletes their files and others of that age.
pub(crate) async fn clear(scope: &Scope) -> Result<(), AppError> {
    let mut tx = scope.write(Action::ManageContacts).await?;
    let expired = store::expire(&mut tx).await?;
    for import in &expired {
        let change = ops::moved(&import.file_name, import.was, ImportStatus::Cancelled);
        ops::record_import(&mut tx, "cancelled", import.id, import.client_id, change).await?;
    }
    tx.commit().await?;
    for import in expired {
        files::delete(scope.services(), scope.workspace_id(), import.id).await;
    }
    files::sweep(scope.services(), scope.workspace_id()).await;
    Ok(())
}

/// Ends imports that are being checked or imported and have no job any more: it failed too often, or its workers died. Safe to repeat.
pub async fn end_broken(scope: &Scope) -> Result<(), AppError> {
    let mut tx = scope.read(Action::ReadContacts).await?;
    let busy = store::busy(&mut tx).await?;
    drop(tx);
    for id in busy {
        let mut tx = scope.write(Action::ManageContacts).await?;
        // Behind the lock nothing ends it in between, and its job is there as long as it isn't over.
        let status = imports::lock(&mut tx, id).await?;
        let is_busy = matches!(status, ImportStatus::Checking | ImportStatus::Importing);
        if is_busy && !has_job(tx.reading(), id).await? {
            tracing::error!(import = %id, "an import has no job any more");
            end_early(&mut tx, id, &Ending::Failed(BROKE_OFF.into())).await?;
            tx.commit().await?;
            files::delete(scope.services(), scope.workspace_id(), id).await;
        }
    }
    Ok(())
}

async fn has_job(tx: &mut ReadTx, import: ImportId) -> Result<bool, AppError> {
    Ok(unfinished(tx, &CheckImport { import }).await?.is_some()
        || unfinished(tx, &RunImport { import }).await?.is_some())
}
