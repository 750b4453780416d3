use std::collections::BTreeMap;
use std::path::PathBuf;

use super::person::DoNotCall;
use super::pieces::{Kept, Piece, Walk, walk};
use crate::server::{files, store::imports};
use crate::{CheckResult, ImportStatus, MAX_ROWS, Problem};
use patchbay_access::Action;
use patchbay_access::server::{Change, Fields, Scope};
use patchbay_jobs::live::Topic;
use patchbay_shared::AppError;
use patchbay_shared::error::internal;
use patchbay_shared::ids::ImportId;

/// Problems that the page shows.
const SHOWN: usize = 50;
/// Unclear words about consent that the page shows.
const WORDS: usize = 10;

/// How reading the file ended.
enum Read {
    Whole(CheckResult),
    Stopped,
    TooManyRows,
}

/// Reads the whole file without importing anything, counts what would become of each row, and keeps what it read for the import. Safe
/// to do twice: it starts over.
pub async fn check(scope: &Scope, id: ImportId) -> Result<(), AppError> {
    let mut tx = scope.read(Action::ReadContacts).await?;
    let import = imports::work(&mut tx, id).await?;
    drop(tx);
    if import.status != ImportStatus::Checking {
        return Ok(());
    }
    let file = import.walk(scope.services())?;
    if !tokio::fs::try_exists(&file.path).await.unwrap_or(false) {
        return super::run::fail(scope, id, super::run::FILE_GONE).await;
    }
    // A name of its own for each check, so that one that was thought dead cannot write into the rows of the next.
    let stage_key = files::stage_key(scope.workspace_id(), id);
    let stage = files::path(scope.services(), &stage_key)?;
    let result = match read(scope, &import, file, stage).await {
        Ok(Read::Whole(result)) => result,
        ended => {
            files::delete_one(scope.services(), &stage_key).await;
            return match ended? {
                Read::TooManyRows => super::run::fail(scope, id, super::run::TOO_MANY_ROWS).await,
                _ => super::run::cancel(scope, id).await,
            };
        }
    };
    let mut tx = scope.write(Action::ManageContacts).await?;
    let is_ours = imports::finish_check(&mut tx, id, &result, &stage_key).await?;
    if is_ours {
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
    }
    tx.commit().await?;
    // What an earlier check kept, or this one when another was faster.
    let old = if is_ours { import.stage_key } else { Some(stage_key) };
    if let Some(old) = old {
        files::delete_one(scope.services(), &old).await;
    }
    Ok(())
}

async fn read(scope: &Scope, import: &imports::Work, file: Walk, stage: PathBuf) -> Result<Read, AppError> {
    let (send, mut pieces) = tokio::sync::mpsc::channel::<Piece>(1);
    let walker = tokio::task::spawn_blocking(move || {
        let mut kept = Kept::create(&stage)?;
        walk(&file, |piece| {
            kept.keep(&piece)?;
            Ok(send.blocking_send(piece).is_ok())
        })?;
        kept.finish()
    });
    let (mut result, mut reasons) = (CheckResult::default(), BTreeMap::<&'static str, i64>::new());
    while let Some(piece) = pieces.recv().await {
        let phones: Vec<String> = piece.people.iter().map(|person| person.phone.to_string()).collect();
        let mut tx = scope.write(Action::ManageContacts).await?;
        let (known, suppressed) = imports::known(tx.reading(), import.client_id, &phones).await?;
        count(&mut result, &mut reasons, &piece, known, suppressed);
        let go_on = imports::checked_so_far(&mut tx, import.id, piece.bytes as i64, &result).await?;
        tx.notify(Topic::one("import", import.id), Some(import.client_id));
        tx.commit().await?;
        if !go_on || result.rows > MAX_ROWS {
            drop(pieces);
            let _ = walker.await;
            return Ok(if go_on { Read::TooManyRows } else { Read::Stopped });
        }
    }
    walker.await.map_err(internal)?.map_err(internal)?;
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
