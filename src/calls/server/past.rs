//! Calls that an import brought in: their words are fetched when there is room, the newest calls first.

use super::enrich;
use super::store::past as store;
use crate::model::EnrichmentType;
use patchbay_access::server::WriteTx;
use patchbay_shared::AppError;

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
