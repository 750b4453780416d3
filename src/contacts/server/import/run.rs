use super::kept::Rows;
use super::pieces::Piece;
use crate::ImportStatus;
use crate::server::{files, store::imports, store::stage};
use patchbay_access::Action;
use patchbay_access::server::{Change, Fields, Scope, WriteTx};
use patchbay_jobs::live::Topic;
use patchbay_shared::AppError;
use patchbay_shared::error::internal;
use patchbay_shared::ids::ImportId;

pub(super) const FILE_GONE: &str = "The file is gone: uploads are deleted after seven days. Upload it again.";
pub(super) const TOO_MANY_ROWS: &str =
    "The file has more than 20,000,000 rows. Split it and import the parts one after the other.";
/// Migration 0027 says the same of imports that it meets.
const INTERRUPTED: &str = "Interrupted by an update. What was imported is kept. Upload the file again.";
/// Tries to write one piece. Two imports into one client can get in each other's way; the second try settles that.
const TRIES: u32 = 3;

/// How an import ends before all its rows are in. What is in stays in.
pub(crate) enum Ending {
    /// A person asked it to stop.
    Cancelled,
    /// It cannot go on, and why.
    Failed(String),
}

/// How far a worker came with an import.
enum Went {
    ToTheEnd,
    Ends(Ending),
    /// Another worker has done some of it meanwhile.
    NotOurs,
}

/// Imports the rest of what the check has read. Rows and progress of a piece are one transaction, so whoever continues after a crash begins exactly
/// behind the last row that is in the table.
pub async fn run(scope: &Scope, id: ImportId) -> Result<(), AppError> {
    loop {
        let mut tx = scope.read(Action::ReadContacts).await?;
        let import = imports::work(&mut tx, id).await?;
        drop(tx);
        if import.status != ImportStatus::Importing {
            return Ok(());
        }
        match go_on(scope, &import).await? {
            Went::ToTheEnd => return finish(scope, &import).await,
            Went::Ends(ending) => return end_and_clear(scope, id, ending, None).await,
            // Whoever that was may be dead by now: this one looks how far it came.
            Went::NotOurs => {}
        }
    }
}

/// Errors: trouble that passes.
async fn go_on(scope: &Scope, import: &imports::Work) -> Result<Went, AppError> {
    let failed = |why: &str| Ok(Went::Ends(Ending::Failed(why.to_owned())));
    let Some(key) = &import.stage_key else { return failed(INTERRUPTED) };
    let stage = files::path(scope.services(), key)?;
    if !tokio::fs::try_exists(&stage).await.unwrap_or(false) {
        return failed(FILE_GONE);
    }
    let mut done = import.lines_done as u64;
    let unreadable = |error: &dyn std::fmt::Display, done: u64| {
        tracing::error!(import = %import.id, done, cause = %error, "the rows that a check kept cannot be read");
        let why = format!(
            "The rows after row {done} could not be read. What was imported before is kept. Upload the file again."
        );
        Ok(Went::Ends(Ending::Failed(why)))
    };
    let mut rows = match tokio::task::spawn_blocking(move || Rows::open(&stage)).await.map_err(internal)? {
        Ok(Some(rows)) => rows,
        Ok(None) => return failed(INTERRUPTED),
        Err(error) => return unreadable(&error, done),
    };
    let keys = std::mem::take(&mut rows.keys);
    // One piece waits while one is written: reading and writing overlap, and memory stays bounded.
    let (send, mut pieces) = tokio::sync::mpsc::channel::<Piece>(1);
    let reader = tokio::task::spawn_blocking(move || {
        while let Some(piece) = rows.next_piece()? {
            if piece.done > done && send.blocking_send(piece).is_err() {
                break;
            }
        }
        Ok::<_, std::io::Error>(())
    });
    while let Some(piece) = pieces.recv().await {
        match write(scope, import, done, &piece, &keys).await {
            Ok(stage::Step::Done) => done = piece.done,
            Ok(stage::Step::CancelRequested) => return Ok(Went::Ends(Ending::Cancelled)),
            Ok(stage::Step::NotOurs) => return Ok(Went::NotOurs),
            Err(error @ AppError::Transport(_)) => return Err(error),
            Err(error) => {
                let why =
                    format!("The rows after row {done} could not be stored. What was imported before is kept. {error}");
                return Ok(Went::Ends(Ending::Failed(why)));
            }
        }
    }
    match reader.await {
        Ok(Ok(())) => Ok(Went::ToTheEnd),
        Ok(Err(error)) => unreadable(&error, done),
        Err(panic) => unreadable(&panic, done),
    }
}

async fn write(
    scope: &Scope,
    import: &imports::Work,
    done: u64,
    piece: &Piece,
    keys: &[String],
) -> Result<stage::Step, AppError> {
    let mut tries = 0;
    loop {
        let tried = async {
            let mut tx = scope.write(Action::ManageContacts).await?;
            let step = stage::write(&mut tx, import, done, piece, keys).await?;
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
        return end_and_clear(scope, import.id, Ending::Failed(message), None).await;
    }
    // Some of them may have called while nobody knew them.
    if patchbay_calls::server::link_callers(&mut tx, import.client_id).await? {
        tx.notify(Topic::list("calls"), Some(import.client_id));
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

/// Ends an import and deletes its files. `check`: only if that is its newest check, when it is a check that asks.
pub(super) async fn end_and_clear(
    scope: &Scope,
    id: ImportId,
    ending: Ending,
    check: Option<i32>,
) -> Result<(), AppError> {
    let mut tx = scope.write(Action::ManageContacts).await?;
    imports::lock(&mut tx, id).await?;
    if let Some(check) = check
        && !imports::is_newest_check(tx.reading(), id, check).await?
    {
        return Ok(());
    }
    end_early(&mut tx, id, &ending).await?;
    tx.commit().await?;
    files::delete(scope.services(), scope.workspace_id(), id).await;
    Ok(())
}

/// Writes that it ended early. The caller deletes its files after the commit.
pub(crate) async fn end_early(tx: &mut WriteTx, id: ImportId, ending: &Ending) -> Result<(), AppError> {
    let (status, error) = match ending {
        Ending::Cancelled => (ImportStatus::Cancelled, None),
        Ending::Failed(why) => (ImportStatus::Failed, Some(why.as_str())),
    };
    let import = imports::work(tx.reading(), id).await?;
    end(tx, id, status, error).await?;
    tx.notify(Topic::list("contacts"), Some(import.client_id));
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
