//! Indexing a file: a worker reads it, passages are written beside the old ones, and become what search finds when all are there.

use std::time::Duration;

use futures::StreamExt;
use object_store::ObjectStoreExt;
use object_store::path::Path;
use tokio::sync::Semaphore;
use uuid::Uuid;

use super::extract::Line;
use super::store::{chunks, entries};
use super::worker::Worker;
use super::{MANAGE, files, meaning, ops};
use crate::model::{CollectionId, EntryId};
use patchbay_access::Action;
use patchbay_access::server::Scope;
use patchbay_jobs::runner::Verdict;
use patchbay_services::files_error;
use patchbay_shared::AppError;

/// Passages of one transaction.
const AT_ONCE: usize = 200;
/// How often a file is tried whose worker ends before it is done, and how long the next try waits.
const TRIES: i32 = 3;
const WAIT: Duration = Duration::from_secs(10);

const GIVEN_UP: &str = "Reading it was stopped three times: it takes more memory or time than one file may take. Save it anew without \
    pictures, or split it, then replace the file.";
const FILE_GONE: &str = "The stored file is gone. Upload it again with “Replace”.";

/// Files that one process reads at once: each child may take a gigabyte. Who finds no place soon gives its place in the queue back.
const AT_A_TIME: usize = 2;
const FOR_A_PLACE: Duration = Duration::from_secs(2);

struct Places(Semaphore);

impl Default for Places {
    fn default() -> Self {
        Self(Semaphore::new(AT_A_TIME))
    }
}

/// Reads the file that the entry has, if it still has that one.
pub(crate) async fn run(scope: &Scope, id: EntryId, file: Uuid) -> Result<Verdict, AppError> {
    let places = scope.services().state::<Places>();
    let Ok(_place) = tokio::time::timeout(FOR_A_PLACE, places.0.acquire()).await else {
        return Ok(Verdict::Later(WAIT));
    };
    let mut tx = scope.write(MANAGE).await?;
    let entry = entries::lock(&mut tx, id).await?;
    if entry.file != file {
        return Ok(Verdict::Done);
    }
    if entry.attempts >= TRIES {
        drop(tx);
        return fail(scope, id, entry.collection, file, GIVEN_UP).await;
    }
    // Counted before anything is read, so that a file that takes the machine along is not tried for ever.
    if !entries::begin(&mut tx, id, file).await? {
        return Ok(Verdict::Done);
    }
    ops::notify(&mut tx, entry.collection);
    tx.commit().await?;
    let stored = match files::store(scope.services()).get(&Path::from(entry.key.as_str())).await {
        Ok(stored) => stored.into_stream(),
        Err(object_store::Error::NotFound { .. }) => {
            return fail(scope, id, entry.collection, file, FILE_GONE).await;
        }
        Err(error) => return Err(not_its_fault(scope, id, file, files_error(error)).await?),
    };
    let mut worker = match Worker::start(scope.services(), &entry.name, stored.boxed()).await {
        Ok(worker) => worker,
        Err(error) => return Err(not_its_fault(scope, id, file, error).await?),
    };
    let edition = Uuid::now_v7();
    match take(scope, id, &entry, edition, &mut worker).await? {
        Ended::Indexed => delete_former(scope, id, edition).await?,
        Ended::Replaced => delete_own(scope, id, edition).await?,
        Ended::Refused(sentence) => {
            return fail(scope, id, entry.collection, file, &sentence).await;
        }
        Ended::Died => {
            tracing::warn!(entry_id = %id, attempt = entry.attempts + 1, "a worker ended before it had read its file");
            delete_own(scope, id, edition).await?;
            if entry.attempts + 1 >= TRIES {
                return fail(scope, id, entry.collection, file, GIVEN_UP).await;
            }
            return Ok(Verdict::Later(WAIT));
        }
    }
    Ok(Verdict::Done)
}

enum Ended {
    Indexed,
    /// Somebody gave the entry another file meanwhile, or deleted it.
    Replaced,
    Refused(String),
    Died,
}

async fn take(
    scope: &Scope,
    id: EntryId,
    entry: &entries::Entry,
    edition: Uuid,
    worker: &mut Worker,
) -> Result<Ended, AppError> {
    let (kind, language, wanted, units, expected) = match worker.next().await {
        Ok(Line::Head { kind, language, words_config, units, passages }) => {
            (kind, language, words_config, units, passages)
        }
        Ok(Line::Refused { sentence }) => return Ok(Ended::Refused(sentence.chars().take(300).collect())),
        _ => return Ok(Ended::Died),
    };
    let expected = i32::try_from(expected).unwrap_or(i32::MAX);
    let mut tx = scope.read(Action::ReadWorkshop).await?;
    let words_config = chunks::words_config(&mut tx, wanted.as_deref()).await?;
    drop(tx);
    let (mut written, mut waiting, mut is_over) = (0, Vec::new(), false);
    while !is_over {
        match worker.next().await {
            Ok(Line::Passage { place, body }) => waiting.push((place, body)),
            Ok(Line::End) => is_over = true,
            _ => return Ok(Ended::Died),
        }
        if waiting.is_empty() || (waiting.len() < AT_ONCE && !is_over) {
            continue;
        }
        let passages = std::mem::take(&mut waiting);
        let mut tx = scope.write(MANAGE).await?;
        let now = written + i32::try_from(passages.len()).unwrap_or_default();
        // First: it holds the row against a deletion, and says whether the file is still the one.
        if !entries::progress(&mut tx, id, entry.file, now, expected).await? {
            return Ok(Ended::Replaced);
        }
        chunks::insert(&mut tx, id, edition, written, &words_config, &passages).await?;
        ops::notify(&mut tx, entry.collection);
        tx.commit().await?;
        written = now;
    }
    let mut tx = scope.write(MANAGE).await?;
    let read = entries::Read {
        edition,
        kind,
        language: language.as_deref(),
        words_config: &words_config,
        units: units.and_then(|units| i32::try_from(units).ok()),
        passages: written,
    };
    if !entries::finish(&mut tx, id, entry.file, &read).await? {
        return Ok(Ended::Replaced);
    }
    meaning::passages_changed(&mut tx).await?;
    ops::notify(&mut tx, entry.collection);
    tx.commit().await?;
    Ok(Ended::Indexed)
}

/// The object store is away, or no child can be started: that says nothing about the file, and does not count as a try.
async fn not_its_fault(scope: &Scope, id: EntryId, file: Uuid, error: AppError) -> Result<AppError, AppError> {
    let mut tx = scope.write(MANAGE).await?;
    entries::not_tried(&mut tx, id, file).await?;
    tx.commit().await?;
    Ok(error)
}

async fn fail(
    scope: &Scope,
    id: EntryId,
    collection: CollectionId,
    file: Uuid,
    why: &str,
) -> Result<Verdict, AppError> {
    let mut tx = scope.write(MANAGE).await?;
    entries::fail(&mut tx, id, file, why).await?;
    ops::notify(&mut tx, collection);
    tx.commit().await?;
    Ok(Verdict::Done)
}

/// Deletes the passages of all editions but this one, if it is the one that counts: also those of tries that a process did not outlive.
async fn delete_former(scope: &Scope, id: EntryId, edition: Uuid) -> Result<(), AppError> {
    loop {
        let mut tx = scope.write(MANAGE).await?;
        // Somebody may have had the file replaced or read again since.
        if entries::lock(&mut tx, id).await?.edition != Some(edition) {
            return Ok(());
        }
        let is_more = chunks::prune(&mut tx, id, Some(edition)).await?;
        tx.commit().await?;
        if !is_more {
            return Ok(());
        }
    }
}

/// Deletes what this try wrote. Another one may be at work for the same file.
async fn delete_own(scope: &Scope, id: EntryId, edition: Uuid) -> Result<(), AppError> {
    loop {
        let mut tx = scope.write(MANAGE).await?;
        let is_more = chunks::delete_edition(&mut tx, id, edition).await?;
        tx.commit().await?;
        if !is_more {
            return Ok(());
        }
    }
}
