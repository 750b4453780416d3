use super::pieces::{Piece, Walk, walk};
use crate::ImportStatus;
use crate::server::{files, store::imports, store::stage};
use patchbay_access::Action;
use patchbay_access::server::{Change, Fields, Scope, WriteTx};
use patchbay_jobs::live::Topic;
use patchbay_shared::AppError;
use patchbay_shared::error::internal;
use patchbay_shared::ids::ImportId;

pub(crate) const FILE_GONE: &str = "The file is gone: uploads are deleted after seven days. Upload it again.";
/// Tries to write one piece. Two imports into one client can get in each other's way; the second try settles that.
const TRIES: u32 = 3;

/// Imports the rest of the file. Rows and progress of a piece are one transaction, so whoever continues after a crash begins exactly
/// behind the last row that is in the table.
pub async fn run(scope: &Scope, id: ImportId) -> Result<(), AppError> {
    let mut tx = scope.read(Action::ReadContacts).await?;
    let import = imports::work(&mut tx, id).await?;
    drop(tx);
    if import.status != ImportStatus::Importing {
        return Ok(());
    }
    let path = files::path(scope.services(), &import.file_key)?;
    if !tokio::fs::try_exists(&path).await.unwrap_or(false) {
        return fail(scope, id, FILE_GONE).await;
    }
    let mut done = import.lines_done as u64;
    let file = Walk { done, path, ..import.walk(scope.services())? };
    // One piece waits while one is written: reading and writing overlap, and memory stays bounded.
    let (send, mut pieces) = tokio::sync::mpsc::channel::<Piece>(1);
    let walker = tokio::task::spawn_blocking(move || walk(&file, |piece| send.blocking_send(piece).is_ok()));
    while let Some(piece) = pieces.recv().await {
        match write(scope, &import, done, &piece).await {
            Ok(stage::Step::Done) => done = piece.done,
            Ok(stage::Step::CancelRequested) => {
                drop(pieces);
                let _ = walker.await;
                return cancel(scope, id).await;
            }
            // Another worker has gone on with it.
            Ok(stage::Step::NotOurs) => return Ok(()),
            Err(error @ AppError::Transport(_)) => return Err(error),
            Err(error) => {
                drop(pieces);
                let _ = walker.await;
                let message =
                    format!("The rows after row {done} could not be stored. What was imported before is kept. {error}");
                return fail(scope, id, &message).await;
            }
        }
    }
    walker.await.map_err(internal)?.map_err(internal)?;
    finish(scope, &import).await
}

async fn write(scope: &Scope, import: &imports::Work, done: u64, piece: &Piece) -> Result<stage::Step, AppError> {
    let mut tries = 0;
    loop {
        let tried = async {
            let mut tx = scope.write(Action::ManageContacts).await?;
            let step = stage::write(&mut tx, import, done, piece).await?;
            if step == stage::Step::Done {
                tx.notify(Topic::one("import", import.id), Some(import.client_id));
                tx.commit().await?;
            }
            Ok::<_, AppError>(step)
        };
        match tried.await {
            Err(error) if tries + 1 < TRIES => {
                tries += 1;
                tracing::warn!(import = %import.id, tries, cause = %error, "a piece of an import was not written; trying again");
                tokio::time::sleep(std::time::Duration::from_millis(200 * u64::from(tries))).await;
            }
            ended => return ended,
        }
    }
}

async fn finish(scope: &Scope, import: &imports::Work) -> Result<(), AppError> {
    let mut tx = scope.write(Action::ManageContacts).await?;
    if end(&mut tx, import.id, ImportStatus::Completed, None).await? {
        tx.notify(Topic::list("contacts"), Some(import.client_id));
        if let Some(campaign) = import.campaign_id {
            tx.notify(Topic::one("campaign", campaign), Some(import.client_id));
        }
    }
    tx.commit().await?;
    files::delete(scope.services(), &import.file_key).await;
    Ok(())
}

/// Ends an import that was asked to stop. What is in stays in.
pub(crate) async fn cancel(scope: &Scope, id: ImportId) -> Result<(), AppError> {
    end_and_clear(scope, id, ImportStatus::Cancelled, None).await
}

/// Ends an import that cannot go on. What is in stays in.
pub(crate) async fn fail(scope: &Scope, id: ImportId, error: &str) -> Result<(), AppError> {
    end_and_clear(scope, id, ImportStatus::Failed, Some(error)).await
}

async fn end_and_clear(scope: &Scope, id: ImportId, status: ImportStatus, error: Option<&str>) -> Result<(), AppError> {
    let mut tx = scope.write(Action::ManageContacts).await?;
    let import = imports::work(tx.reading(), id).await?;
    end(&mut tx, id, status, error).await?;
    tx.notify(Topic::list("contacts"), Some(import.client_id));
    tx.commit().await?;
    files::delete(scope.services(), &import.file_key).await;
    Ok(())
}

/// Writes how it ended, once. False: it had ended already.
async fn end(tx: &mut WriteTx, id: ImportId, status: ImportStatus, error: Option<&str>) -> Result<bool, AppError> {
    let was = imports::lock(tx, id).await?;
    let Some(counts) = imports::end(tx, id, status, error).await? else { return Ok(false) };
    tx.audit(Change {
        action: status.as_str(),
        entity: "import",
        entity_id: Some(id.0),
        client_id: Some(counts.client_id),
        fields: Fields::Changed {
            before: serde_json::json!({ "status": was }),
            after: serde_json::json!({
                "status": status, "rows": counts.rows, "imported": counts.imported, "updated": counts.updated,
                "rejected": counts.rejected, "error": error,
            }),
        },
    })
    .await?;
    tx.notify(Topic::one("import", id), Some(counts.client_id));
    tx.notify(Topic::list("imports"), Some(counts.client_id));
    Ok(true)
}
