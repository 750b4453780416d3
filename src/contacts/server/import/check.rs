use std::collections::BTreeMap;

use super::person::DoNotCall;
use super::pieces::{Piece, Walk, walk};
use crate::server::{files, store::imports};
use crate::{CheckResult, ImportStatus, Problem};
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

/// Reads the whole file without importing anything and counts what would become of each row. Safe to do twice: it starts over.
pub async fn check(scope: &Scope, id: ImportId) -> Result<(), AppError> {
    let mut tx = scope.read(Action::ReadContacts).await?;
    let import = imports::work(&mut tx, id).await?;
    drop(tx);
    if import.status != ImportStatus::Checking {
        return Ok(());
    }
    let path = files::path(scope.services(), &import.file_key)?;
    if !tokio::fs::try_exists(&path).await.unwrap_or(false) {
        return super::run::fail(scope, id, super::run::FILE_GONE).await;
    }
    let file = Walk { done: 0, path, ..import.walk(scope.services())? };
    let (send, mut pieces) = tokio::sync::mpsc::channel::<Piece>(1);
    let walker = tokio::task::spawn_blocking(move || walk(&file, |piece| send.blocking_send(piece).is_ok()));
    let (mut result, mut reasons) = (CheckResult::default(), BTreeMap::<&'static str, i64>::new());
    while let Some(piece) = pieces.recv().await {
        let phones: Vec<String> = piece.people.iter().map(|person| person.phone.to_string()).collect();
        let mut tx = scope.write(Action::ManageContacts).await?;
        let (known, suppressed) = imports::known(tx.reading(), import.client_id, &phones).await?;
        count(&mut result, &mut reasons, &piece, known, suppressed);
        let go_on = imports::checked_so_far(&mut tx, id, piece.bytes as i64, &result).await?;
        tx.notify(Topic::one("import", id), Some(import.client_id));
        tx.commit().await?;
        if !go_on {
            drop(pieces);
            let _ = walker.await;
            return super::run::cancel(scope, id).await;
        }
    }
    walker.await.map_err(internal)?.map_err(internal)?;
    result.reasons = reasons.into_iter().map(|(kind, count)| (kind.to_owned(), count)).collect();
    result.reasons.sort_by_key(|(_, count)| -count);
    let mut tx = scope.write(Action::ManageContacts).await?;
    if imports::finish_check(&mut tx, id, &result).await? {
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
    tx.commit().await
}

fn count(
    result: &mut CheckResult,
    reasons: &mut BTreeMap<&'static str, i64>,
    piece: &Piece,
    known: i64,
    suppressed: i64,
) {
    result.rows += piece.rows;
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
    for refused in &piece.refused {
        *reasons.entry(refused.refusal.kind).or_default() += 1;
        if result.problems.len() < SHOWN {
            result.problems.push(Problem {
                line: refused.line as i64,
                reason: refused.refusal.reason.clone(),
                raw: refused.raw.chars().take(200).collect(),
            });
        }
    }
}
