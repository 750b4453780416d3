use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{MANAGE, files, index, ops, reading};
use crate::model::{CollectionId, EntryId};
use patchbay_access::Action;
use patchbay_jobs::queue::Job;
use patchbay_jobs::runner::{Failure, Registry, Verdict};
use patchbay_shared::AppError;

/// Reads a file and writes its passages.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct IndexEntry {
    pub entry: EntryId,
    /// Another file in its place is another job.
    pub file: Uuid,
    /// When it was asked for, in microseconds: who asks again while a run is at its end is not told that it is being done.
    pub asked: i64,
}

impl Job for IndexEntry {
    const KIND: &'static str = "index_knowledge";
    const ACTIONS: &'static [Action] = &[Action::ReadWorkshop, MANAGE];

    fn dedupe_key(&self) -> Option<String> {
        Some(format!("{}:{}:{}", self.entry, self.file, self.asked))
    }
}

/// Deletes a file from the object store that no entry has any more.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct DeleteFile {
    pub key: String,
}

impl Job for DeleteFile {
    const KIND: &'static str = "delete_knowledge_file";
    const ACTIONS: &'static [Action] = &[];
    const RUNS_SUSPENDED: bool = true;

    fn dedupe_key(&self) -> Option<String> {
        Some(self.key.clone())
    }
}

/// Deletes the files of a collection that was deleted, then the collection.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct EmptyCollection {
    pub collection: CollectionId,
}

impl Job for EmptyCollection {
    const KIND: &'static str = "empty_knowledge_collection";
    const ACTIONS: &'static [Action] = &[Action::ReadWorkshop, MANAGE];
    const RUNS_SUSPENDED: bool = true;

    fn dedupe_key(&self) -> Option<String> {
        Some(self.collection.to_string())
    }
}

/// Has a model read the passages whose meaning is not known. There are at most two of them: one that works, and one that follows it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct EmbedKnowledge {
    pub next: bool,
}

impl Job for EmbedKnowledge {
    const KIND: &'static str = "embed_knowledge";
    const ACTIONS: &'static [Action] = &[Action::ReadWorkshop, MANAGE, Action::UseConnections];

    fn dedupe_key(&self) -> Option<String> {
        Some(if self.next { "next" } else { "now" }.to_owned())
    }
}

/// Tells the runner what this crate's jobs do.
pub fn register(registry: &mut Registry) {
    registry.add(|scope, job: IndexEntry| async move { ended(index::run(&scope, job.entry, job.file).await) });
    registry.add(|scope, job: DeleteFile| async move {
        files::delete(&**files::store(scope.services()), &job.key).await?;
        Ok(Verdict::Done)
    });
    registry.add(|scope, job: EmptyCollection| async move { ended(ops::empty(&scope, job.collection).await) });
    registry.add(|scope, job: EmbedKnowledge| async move { ended(reading::run(&scope, job.next).await) });
}

/// What was deleted meanwhile is nobody's failure.
fn ended(result: Result<Verdict, AppError>) -> Result<Verdict, Failure> {
    match result {
        Ok(verdict) => Ok(verdict),
        Err(AppError::NotFound) => Ok(Verdict::Done),
        Err(error) => Err(error.into()),
    }
}
