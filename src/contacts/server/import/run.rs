use super::pieces::{Piece, kept};
use crate::ImportStatus;
use crate::server::{files, store::imports, store::stage};
use patchbay_access::Action;
use patchbay_access::server::{Change, Fields, Scope, WriteTx};
use patchbay_jobs::live::Topic;
use patchbay_shared::AppError;
use patchbay_shared::error::internal;
use patchbay_shared::ids::ImportId;

pub(crate) const FILE_GONE: &str = "The file is gone: uploads are deleted after seven days. Upload it again.";
pub(crate) const TOO_MANY_ROWS: &str =
    "The file has more than 20,000,000 rows. Split it and import the parts one after the other.";
/// Tries to write one piece. Two imports into one client can get in each other's way; the second try settles that.
const TRIES: u32 = 3;

/// Imports the rest of what the check has read. Rows and progress of a piece are one transaction, so whoever continues after a crash begins exactly
/// behind the last row that is in the table.
pub async fn run(scope: &Scope, id: ImportId) -> Result<(), AppError> {
    let mut tx = scope.read(Action::ReadContacts).await?;
    let import = imports::work(&mut tx, id).await?;
    drop(tx);
    if import.status != ImportStatus::Importing {
        return Ok(());
    }
    let stage = match &import.stage_key {
        Some(key) => files::path(scope.services(), key)?,
        None => return fail(scope, id, FILE_GONE).await,
    };
    if !tokio::fs::try_exists(&stage).await.unwrap_or(false) {
        return fail(scope, id, FILE_GONE).await;
    }
    let mut done = import.lines_done as u64;
    // One piece waits while one is written: reading and writing overlap, and memory stays bounded.
    let (send, mut pieces) = tokio::sync::mpsc::channel::<Piece>(1);
    let walker = tokio::task::spawn_blocking(move || kept(&stage, done, |piece| send.blocking_send(piece).is_ok()));
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

/// Ends an import whose rows are all written, when what was read and what became of it add up.
async fn finish(scope: &Scope, import: &imports::Work) -> Result<(), AppError> {
    let mut tx = scope.write(Action::ManageContacts).await?;
    imports::lock(&mut tx, import.id).await?;
    let sums = imports::sums(tx.reading(), import.id).await?;
    if !sums.add_up() {
        drop(tx);
        tracing::error!(import = %import.id, ?sums, "rows of an import are not accounted for");
        let message = format!(
            "The rows do not add up: {} were read by the check and {} by the import, and {} are accounted for. What was imported is \
             kept. Check the contacts, and tell whoever runs this server.",
            sums.checked,
            sums.rows,
            sums.accounted()
        );
        return fail(scope, import.id, &message).await;
    }
    if end(&mut tx, import.id, ImportStatus::Completed, None).await? {
        tx.notify(Topic::list("contacts"), Some(import.client_id));
        if let Some(campaign) = import.campaign_id {
            tx.notify(Topic::one("campaign", campaign), Some(import.client_id));
        }
    }
    tx.commit().await?;
    files::delete(scope.services(), scope.workspace_id(), import.id).await;
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
    files::delete(scope.services(), scope.workspace_id(), import.id).await;
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
