use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::PathBuf;

use tokio::sync::mpsc::Receiver;

use super::kept::{self, Kept};
use super::person::DoNotCall;
use super::pieces::{Piece, Walk, walk};
use super::run::{Ending, FILE_GONE, TOO_MANY_ROWS, end_and_clear};
use crate::server::files;
use crate::server::store::imports::{self, CheckedSoFar, GoOn};
use crate::{CheckResult, MAX_ROWS, Problem};
use patchbay_access::Action;
use patchbay_access::server::{Change, Fields, Scope};
use patchbay_jobs::live::Topic;
use patchbay_shared::AppError;
use patchbay_shared::ids::ImportId;

/// Problems that the page shows.
const SHOWN: usize = 50;
/// Unclear words about consent that the page shows.
const WORDS: usize = 10;

const UNREADABLE: &str = "The file could not be read to its end, so nothing was imported. Upload it again. If that happens again, save it \
                          anew in the program that made it, and tell whoever runs this server.";
const NO_SPACE: &str = "The server has no space left for the rows of this file, so nothing was imported. Tell whoever runs this server, \
                        then upload the file again.";
const TOO_MUCH: &str = "The rows of this file take more than four times its size, because they are very short or most of them are wrong. \
                        Check its columns, or split it and import the parts one after the other.";

/// How reading the file ended.
enum Read {
    Whole(CheckResult),
    Stopped,
    /// Another worker has the check, or it is over.
    NotOurs,
    TooManyRows,
    /// It cannot be read or kept, and trying again cannot help.
    Failed(&'static str),
}

/// Reads the whole file without importing anything, counts what would become of each row, and keeps what it read for the import. Safe
/// to do twice: it starts over.
pub async fn check(scope: &Scope, id: ImportId) -> Result<(), AppError> {
    let mut tx = scope.write(Action::ManageContacts).await?;
    let Some(check) = imports::begin_check(&mut tx, id).await? else { return Ok(()) };
    let import = imports::work(tx.reading(), id).await?;
    tx.commit().await?;
    let file = import.walk(scope.services())?;
    if !tokio::fs::try_exists(&file.path).await.unwrap_or(false) {
        return end_and_clear(scope, id, Ending::Failed(FILE_GONE.into()), Some(check)).await;
    }
    // What earlier checks kept, also those that broke off. None of them writes into the import any more.
    for earlier in 1..check {
        files::delete_one(scope.services(), &files::rows_key(scope.workspace_id(), id, earlier)).await;
    }
    let stage_key = files::rows_key(scope.workspace_id(), id, check);
    let stage = files::path(scope.services(), &stage_key)?;
    let result = match read(scope, &import, check, file, stage).await {
        Ok(Read::Whole(result)) => result,
        ended => {
            files::delete_one(scope.services(), &stage_key).await;
            let ending = match ended? {
                Read::TooManyRows => Ending::Failed(TOO_MANY_ROWS.into()),
                Read::Failed(why) => Ending::Failed(why.into()),
                Read::Stopped => Ending::Cancelled,
                Read::NotOurs | Read::Whole(_) => return Ok(()),
            };
            return end_and_clear(scope, id, ending, Some(check)).await;
        }
    };
    let mut tx = scope.write(Action::ManageContacts).await?;
    if !imports::finish_check(&mut tx, id, check, &result, &stage_key).await? {
        drop(tx);
        files::delete_one(scope.services(), &stage_key).await;
        return Ok(());
    }
    let after = serde_json::json!({ "rows": result.rows, "new": result.fresh, "known": result.known, "rejected": result.rejected });
    tx.audit(Change {
        action: "checked",
        entity: "import",
        entity_id: Some(id.0),
        client_id: Some(import.client_id),
        fields: Fields::Happened(after),
    })
    .await?;
    tx.notify(Topic::one("import", id), Some(import.client_id));
    tx.notify(Topic::list("imports"), Some(import.client_id));
    tx.commit().await
}

/// Errors: trouble with the database, which passes.
async fn read(scope: &Scope, import: &imports::Work, check: i32, file: Walk, stage: PathBuf) -> Result<Read, AppError> {
    let (send, pieces) = tokio::sync::mpsc::channel::<Piece>(1);
    let most = kept::most(import.file_bytes.unsigned_abs());
    let walker = tokio::task::spawn_blocking(move || {
        let mut kept = Kept::create(&stage, file.plan().keys(), most)?;
        walk(&file, |mut piece| {
            piece.kept = kept.keep(&piece)?;
            Ok(send.blocking_send(piece).is_ok())
        })?;
        kept.finish()
    });
    // It ends when nobody takes its pieces any more.
    let counted = take(scope, import, check, pieces).await;
    let walked = walker.await;
    let result = match counted? {
        Read::Whole(result) => result,
        ended => return Ok(ended),
    };
    match walked {
        Ok(Ok(())) => Ok(Read::Whole(result)),
        Ok(Err(error)) => {
            tracing::error!(import = %import.id, cause = %error, "the file of an import was not read to its end");
            Ok(Read::Failed(match error.kind() {
                // Said by the system, it is about the disk.
                ErrorKind::QuotaExceeded if error.raw_os_error().is_none() => TOO_MUCH,
                ErrorKind::StorageFull | ErrorKind::QuotaExceeded => NO_SPACE,
                _ => UNREADABLE,
            }))
        }
        Err(panic) => {
            tracing::error!(import = %import.id, cause = %panic, "reading the file of an import broke");
            Ok(Read::Failed(UNREADABLE))
        }
    }
}

/// Counts what becomes of each row, until there are no more.
async fn take(
    scope: &Scope,
    import: &imports::Work,
    check: i32,
    mut pieces: Receiver<Piece>,
) -> Result<Read, AppError> {
    let (mut result, mut reasons) = (CheckResult::default(), BTreeMap::<&'static str, i64>::new());
    while let Some(piece) = pieces.recv().await {
        let phones: Vec<String> = piece.people.iter().map(|person| person.phone.to_string()).collect();
        let mut tx = scope.write(Action::ManageContacts).await?;
        let (known, suppressed) = imports::known(tx.reading(), import.client_id, &phones).await?;
        count(&mut result, &mut reasons, &piece, known, suppressed);
        let so_far = CheckedSoFar { check, bytes: piece.bytes, kept: piece.kept, result: &result };
        let go_on = imports::checked_so_far(&mut tx, import.id, so_far).await?;
        tx.notify(Topic::one("import", import.id), Some(import.client_id));
        tx.commit().await?;
        match go_on {
            GoOn::NotOurs => return Ok(Read::NotOurs),
            GoOn::Stop => return Ok(Read::Stopped),
            GoOn::Yes if result.rows > MAX_ROWS => return Ok(Read::TooManyRows),
            GoOn::Yes => {}
        }
    }
    result.reasons = reasons.into_iter().map(|(kind, count)| (kind.to_owned(), count)).collect();
    result.reasons.sort_by_key(|(_, count)| -count);
    Ok(Read::Whole(result))
}

fn count(
    result: &mut CheckResult,
    reasons: &mut BTreeMap<&'static str, i64>,
    piece: &Piece,
    known: i64,
    suppressed: i64,
) {
    result.rows += piece.rows;
    result.blank += piece.blank;
    result.fresh += piece.people.len() as i64 - known;
    result.known += known;
    result.suppressed += suppressed;
    result.doubled += piece.doubled;
    result.rejected += piece.refused.len() as i64 - piece.doubled;
    for (_, why) in piece.do_not_call() {
        result.do_not_call += 1;
        if let DoNotCall::Unclear(word, _) = why {
            let words = &mut result.unclear;
            match words.iter().position(|(known, _)| known == word) {
                Some(at) => words[at].1 += 1,
                None if words.len() < WORDS => words.push((word.clone(), 1)),
                None => {}
            }
        }
    }
    for (kind, count) in &piece.reasons {
        *reasons.entry(kind).or_default() += count;
    }
    for refused in piece.refused.iter().take(SHOWN.saturating_sub(result.problems.len())) {
        result.problems.push(Problem {
            line: refused.line as i64,
            reason: refused.reason.clone(),
            raw: refused.raw.chars().take(200).collect(),
        });
    }
}
