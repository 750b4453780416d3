//! Calls that an import brought in: their words and recordings are fetched when there is room, the newest calls first.

use super::enrich;
use super::recordings::{FetchRecording, MISSING};
use super::store::past as store;
use crate::model::EnrichmentType;
use patchbay_access::server::WriteTx;
use patchbay_jobs::NewJob;
use patchbay_shared::AppError;
use patchbay_shared::ids::CallId;

/// What becomes of the recording of an imported call, where it does not come with the words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// It stays at the service until somebody asks for it.
    Left,
    /// It is fetched without the words, when there is room.
    Waits,
}

impl Wish {
    /// What was chosen of an import. None: whoever fetches the words fetches the recording too.
    pub fn of(with_transcripts: bool, with_recordings: bool) -> Option<Self> {
        match (with_transcripts, with_recordings) {
            (true, false) => Some(Self::Left),
            (false, true) => Some(Self::Waits),
            (true, true) | (false, false) => None,
        }
    }

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Left => "left",
            Self::Waits => "waits",
        }
    }
}

/// Says what becomes of the recordings of calls that an import has just brought in.
pub async fn wish_recordings(tx: &mut WriteTx, calls: &[CallId], wish: Wish) -> Result<(), AppError> {
    if calls.is_empty() {
        return Ok(());
    }
    store::wish_recordings(tx, calls, wish.as_str()).await
}

/// Puts the words of imported calls into the queue, so that at most `most` transcripts and analyses wait there. False: nobody's words wait
/// any more.
pub async fn fetch_words(tx: &mut WriteTx, most: i64) -> Result<bool, AppError> {
    let room = most - store::queued(tx.reading(), most).await?;
    let waiting = store::without_words(tx.reading(), most + 1).await?;
    let is_more = !waiting.is_empty();
    let ids: Vec<_> = waiting.into_iter().take(usize::try_from(room).unwrap_or_default()).collect();
    enrich::enqueue_all(tx, &ids, EnrichmentType::Transcript).await?;
    Ok(is_more)
}

/// Has recordings asked for that wait to be fetched without the words, so that at most `most` are being asked for. False: none waits any
/// more.
pub async fn fetch_recordings(tx: &mut WriteTx, most: i64) -> Result<bool, AppError> {
    let room = most - store::awaited_recordings(tx.reading(), most).await?;
    let ids = store::take_waiting_recordings(tx, room).await?;
    // What the service does not have of a call of the past is gone, and not still being made.
    let asked = MISSING.len();
    let jobs: Vec<FetchRecording> = ids.iter().map(|call| FetchRecording { call: *call, asked }).collect();
    patchbay_jobs::enqueue_all(tx, jobs.iter().map(|job| (job, NewJob::default()))).await?;
    store::do_recordings_wait(tx.reading()).await
}
