//! The words and the sound of imported calls. They wait outside the queue and enter it in small portions, so that calls of today never stand behind the
//! calls of a year.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use patchbay_access::Action;
use patchbay_access::server::{Scope, WriteTx};
use patchbay_calls::server::past;
use patchbay_jobs::runner::{Failure, Verdict};
use patchbay_jobs::{Job, NewJob};
use patchbay_shared::AppError;

/// Has the words and the recordings of imported calls fetched, as many at a time as leave room for others.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct FetchPastWords {}

impl Job for FetchPastWords {
    const KIND: &'static str = "fetch_past_words";
    const ACTIONS: &'static [Action] = &[Action::ReplayQueues];

    fn dedupe_key(&self) -> Option<String> {
        Some(String::new())
    }
}

/// Calls whose words, and calls whose recordings wait in the queue at most.
const IN_QUEUE: i64 = 64;
/// How long until the queue is looked at again.
const PAUSE: Duration = Duration::from_secs(2);

pub(crate) async fn enqueue(tx: &mut WriteTx) -> Result<(), AppError> {
    patchbay_jobs::enqueue(tx, &FetchPastWords {}, NewJob::default()).await
}

pub(crate) async fn run(scope: &Scope, FetchPastWords {}: FetchPastWords) -> Result<Verdict, Failure> {
    let mut tx = scope.write(Action::ReplayQueues).await?;
    let are_more_words = past::fetch_words(&mut tx, IN_QUEUE).await?;
    let are_more_recordings = past::fetch_recordings(&mut tx, IN_QUEUE).await?;
    tx.commit().await?;
    Ok(if are_more_words || are_more_recordings { Verdict::Later(PAUSE) } else { Verdict::Done })
}
