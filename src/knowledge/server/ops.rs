//! What people do with collections and files: make, change, fill, index again, delete, and ask.

use serde_json::json;
use uuid::Uuid;

use super::jobs::{DeleteFile, EmptyCollection, IndexEntry};
use super::store::entries::{Entry, NewFile};
use super::store::{self, chunks, entries};
use super::{MANAGE, files, meaning, search};
use crate::model::{
    Asked, Collection, CollectionChoices, CollectionForm, CollectionId, CollectionList, CollectionPage,
    CollectionQuery, EntryId, EntryQuery, KnowledgeStatus, MAX_ENTRIES, MAX_OF_AGENCY, MAX_OF_CLIENT, MAX_QUESTION,
    UploadProblem,
};
use patchbay_access::Action;
use patchbay_access::server::{Change, Fields, ReadTx, Scope, WriteTx};
use patchbay_jobs::live::Topic;
use patchbay_jobs::runner::Verdict;
use patchbay_jobs::{NewJob, enqueue};
use patchbay_shared::AppError;
use patchbay_shared::ids::ClientId;

/// Rows on a page of a list.
const ROWS: usize = 50;

/// The list with what its filter bar needs.
pub(crate) async fn list(tx: &mut ReadTx, query: &CollectionQuery) -> Result<CollectionList, AppError> {
    let (page, clients) = (store::list(tx, query, ROWS).await?, store::clients(tx).await?);
    Ok(CollectionList { page, clients, meaning: meaning::state(tx, None).await? })
}

/// One collection with a page of its files. Errors: `NotFound`.
pub(crate) async fn page(tx: &mut ReadTx, id: CollectionId, query: &EntryQuery) -> Result<CollectionPage, AppError> {
    let collection = store::get(tx, id).await?;
    let page = entries::list(tx, id, query, ROWS).await?;
    Ok(CollectionPage {
        collection,
        page,
        may_edit: tx.scope().may(MANAGE),
        meaning: meaning::state(tx, Some(id)).await?,
    })
}

/// What the form offers, and what it holds of a collection. Errors: `NotFound`.
pub(crate) async fn choices(tx: &mut ReadTx, id: Option<CollectionId>) -> Result<CollectionChoices, AppError> {
    let collection: Option<Collection> = match id {
        Some(id) => Some(store::get(tx, id).await?),
        None => None,
    };
    Ok(CollectionChoices { clients: store::clients(tx).await?, collection })
}

/// Makes a collection, or changes one's words. Errors: `Invalid`, `NotFound`.
pub(crate) async fn save(tx: &mut WriteTx, form: &CollectionForm) -> Result<CollectionId, AppError> {
    let new = form.check()?;
    let words = |name: &str, description: &str| json!({"name": name, "description": description});
    if form.id.is_empty() {
        if let Some(client) = new.client {
            let checked = store::check_client(tx.reading(), client).await;
            checked.map_err(|error| error.at_choice("client", "Choose a client from the list."))?;
        }
        let id = CollectionId::new();
        store::insert(tx, id, &new).await?;
        let fields = Fields::Created(words(&new.name, &new.description));
        record(tx, "created", id, new.client, fields).await?;
        notify(tx, id);
        return Ok(id);
    }
    let id: CollectionId = form.id.parse()?;
    let before = store::lock(tx, id).await?;
    store::update(tx, id, &new).await?;
    let client = before.client.parse().ok();
    let fields =
        Fields::Changed { before: words(&before.name, &before.description), after: words(&new.name, &new.description) };
    record(tx, "changed", id, client, fields).await?;
    notify(tx, id);
    Ok(id)
}

/// Nobody finds it any more; a job deletes its files. Errors: `NotFound`.
pub(crate) async fn delete_collection(tx: &mut WriteTx, id: CollectionId) -> Result<(), AppError> {
    let before = store::lock(tx, id).await?;
    let held = store::get(tx.reading(), id).await?;
    store::mark_deleted(tx, id).await?;
    enqueue(tx, &EmptyCollection { collection: id }, NewJob::default()).await?;
    let gone = json!({"name": before.name, "description": before.description, "files": held.entries});
    record(tx, "deleted", id, before.client.parse().ok(), Fields::Deleted(gone)).await?;
    notify(tx, id);
    Ok(())
}

/// The rest of a deletion, one file in a transaction.
pub(crate) async fn empty(scope: &Scope, id: CollectionId) -> Result<Verdict, AppError> {
    loop {
        let mut tx = scope.read(Action::ReadWorkshop).await?;
        let some = entries::some(&mut tx, id, 100).await?;
        drop(tx);
        if some.is_empty() {
            break;
        }
        for entry in some {
            let mut tx = scope.write(MANAGE).await?;
            match entries::lock(&mut tx, entry).await {
                Ok(row) => remove(&mut tx, entry, &row).await?,
                Err(AppError::NotFound) => continue,
                Err(error) => return Err(error),
            }
            tx.commit().await?;
        }
    }
    let mut tx = scope.write(MANAGE).await?;
    store::delete(&mut tx, id).await?;
    tx.commit().await?;
    Ok(Verdict::Done)
}

/// Whether one more file fits: now, with others that may have come meanwhile. Errors: `NotFound`, also of a file in its place.
pub(crate) async fn no_room(
    tx: &mut ReadTx,
    id: CollectionId,
    in_place_of: Option<EntryId>,
    bytes: i64,
) -> Result<Option<UploadProblem>, AppError> {
    let collection = store::get(tx, id).await?;
    if collection.is_of_archived_client {
        return Ok(Some(UploadProblem::Archived));
    }
    let client = collection.client.map(|(id, _)| id);
    let taken = entries::taken(tx, id, client).await?;
    let old = match in_place_of {
        Some(entry) => {
            let entry = entries::get(tx, entry).await?;
            if entry.collection != id {
                return Err(AppError::NotFound);
            }
            entry.bytes
        }
        None => 0,
    };
    let more = bytes - old;
    Ok(if in_place_of.is_none() && taken.entries >= MAX_ENTRIES {
        Some(UploadProblem::Many)
    } else if client.is_some() && taken.of_client + more > MAX_OF_CLIENT {
        Some(UploadProblem::ClientFull)
    } else if taken.of_agency + more > MAX_OF_AGENCY {
        Some(UploadProblem::AgencyFull)
    } else {
        None
    })
}

/// A stored file becomes an entry, or takes another one's place, and will be indexed.
pub(crate) async fn take_in(
    tx: &mut WriteTx,
    id: CollectionId,
    in_place_of: Option<EntryId>,
    new: &NewFile<'_>,
) -> Result<Result<EntryId, UploadProblem>, AppError> {
    // Held until the commit, so that two uploads do not both take the last place, and none comes into what is being deleted.
    let collection = store::lock(tx, id).await?;
    if let Some(problem) = no_room(tx.reading(), id, in_place_of, new.bytes).await? {
        return Ok(Err(problem));
    }
    let client: Option<ClientId> = collection.client.parse().ok();
    let facts = |name: &str, bytes: i64| json!({"collection": collection.name, "name": name, "bytes": bytes});
    let entry = match in_place_of {
        None => {
            let entry = EntryId::new();
            entries::insert(tx, entry, id, client, new).await?;
            record_file(tx, "added", entry, client, Fields::Created(facts(new.name, new.bytes))).await?;
            entry
        }
        Some(entry) => {
            let before = entries::lock(tx, entry).await?;
            entries::replace(tx, entry, new).await?;
            enqueue(tx, &DeleteFile { key: before.key }, NewJob::default()).await?;
            let file = |file: Uuid, name: &str, bytes: i64| {
                let mut facts = facts(name, bytes);
                facts["file"] = json!(file);
                facts
            };
            let fields = Fields::Changed {
                before: file(before.file, &before.name, before.bytes),
                after: file(new.file, new.name, new.bytes),
            };
            record_file(tx, "replaced", entry, client, fields).await?;
            entry
        }
    };
    let asked = tx.reading().now().await?.timestamp_micros();
    enqueue(tx, &IndexEntry { entry, file: new.file, asked }, NewJob::default()).await?;
    notify(tx, id);
    Ok(Ok(entry))
}

/// Reads the stored file once more. Nothing to do for one that waits or is being read. Errors: `NotFound`.
pub(crate) async fn reindex(tx: &mut WriteTx, id: EntryId) -> Result<CollectionId, AppError> {
    // The collection before its files, as everywhere.
    let collection = entries::get(tx.reading(), id).await?.collection;
    store::lock(tx, collection).await?;
    let entry = entries::lock(tx, id).await?;
    let is_settled = [KnowledgeStatus::Indexed, KnowledgeStatus::Failed].iter().any(|one| one.as_str() == entry.status);
    if is_settled {
        entries::set_pending(tx, id).await?;
        let asked = tx.reading().now().await?.timestamp_micros();
        enqueue(tx, &IndexEntry { entry: id, file: entry.file, asked }, NewJob::default()).await?;
        let facts = Fields::Happened(json!({"name": entry.name}));
        record_file(tx, "asked to index again", id, entry.client, facts).await?;
        notify(tx, entry.collection);
    }
    Ok(entry.collection)
}

/// The same for all files of a collection, or for those that failed. Errors: `NotFound`.
pub(crate) async fn reindex_all(tx: &mut WriteTx, id: CollectionId, failed: bool) -> Result<(), AppError> {
    let collection = store::lock(tx, id).await?;
    let files = entries::settled(tx, id, failed).await?;
    if files.is_empty() {
        return Ok(());
    }
    let asked = tx.reading().now().await?.timestamp_micros();
    let jobs: Vec<IndexEntry> =
        files.iter().map(|(entry, file)| IndexEntry { entry: *entry, file: *file, asked }).collect();
    patchbay_jobs::queue::enqueue_all(tx, jobs.iter().map(|job| (job, NewJob::default()))).await?;
    let facts = Fields::Happened(json!({"name": collection.name, "files": files.len()}));
    record(tx, "asked to index again", id, collection.client.parse().ok(), facts).await?;
    notify(tx, id);
    Ok(())
}

/// Deletes a file and its passages; the object goes after the commit. Errors: `NotFound`.
pub(crate) async fn delete_entry(tx: &mut WriteTx, id: EntryId) -> Result<CollectionId, AppError> {
    let entry = entries::lock(tx, id).await?;
    let collection = store::get(tx.reading(), entry.collection).await?;
    remove(tx, id, &entry).await?;
    let gone = json!({"collection": collection.name, "name": entry.name, "bytes": entry.bytes});
    record_file(tx, "deleted", id, entry.client, Fields::Deleted(gone)).await?;
    notify(tx, entry.collection);
    Ok(entry.collection)
}

async fn remove(tx: &mut WriteTx, id: EntryId, entry: &Entry) -> Result<(), AppError> {
    while chunks::prune(tx, id, None).await? {}
    entries::delete(tx, id).await?;
    enqueue(tx, &DeleteFile { key: entry.key.clone() }, NewJob::default()).await
}

/// What a question finds in a collection. Errors: `Invalid`, `NotFound`.
pub(crate) async fn ask(scope: &Scope, id: CollectionId, question: &str) -> Result<Asked, AppError> {
    let mut tx = scope.read(Action::ReadWorkshop).await?;
    store::get(&mut tx, id).await?;
    drop(tx);
    if question.chars().count() > MAX_QUESTION {
        return Err(AppError::invalid("question", format!("Ask in at most {MAX_QUESTION} characters.")));
    }
    search::ask(scope, id, question).await
}

/// Where a stored file lies, its name and kind. Errors: `NotFound`.
pub(crate) async fn stored(tx: &mut ReadTx, id: EntryId) -> Result<Entry, AppError> {
    let entry = entries::get(tx, id).await?;
    store::get(tx, entry.collection).await?;
    Ok(entry)
}

/// A new key for a file of the workspace.
pub(crate) fn new_file(scope: &Scope) -> (Uuid, String) {
    let file = Uuid::now_v7();
    (file, files::key(scope.workspace_id(), file))
}

pub(crate) fn notify(tx: &mut WriteTx, id: CollectionId) {
    tx.notify(Topic::list("knowledge"), None);
    tx.notify(Topic::one("knowledge", id), None);
}

async fn record(
    tx: &mut WriteTx,
    action: &str,
    id: CollectionId,
    client_id: Option<ClientId>,
    fields: Fields,
) -> Result<(), AppError> {
    tx.audit(Change { action, entity: "knowledge_collection", entity_id: Some(id.0), client_id, fields }).await
}

async fn record_file(
    tx: &mut WriteTx,
    action: &str,
    id: EntryId,
    client_id: Option<ClientId>,
    fields: Fields,
) -> Result<(), AppError> {
    tx.audit(Change { action, entity: "knowledge_file", entity_id: Some(id.0), client_id, fields }).await
}
