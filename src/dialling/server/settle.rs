//! What a contact's ended call makes of it.

use super::call_backs;
use super::contacts::{self, Settled};
use super::jobs::RunBatch;
use patchbay_access::server::WriteTx;
use patchbay_calls::model::ContactOutcome;
use patchbay_calls::server::ended::{Corrected, Ended};
use patchbay_jobs::live::Topic;
use patchbay_jobs::{NewJob, enqueue};
use patchbay_shared::AppError;
use patchbay_shared::ids::{BatchId, ClientId};

/// Done, failed, or tried again later in the same batch while the campaign's rules allow.
pub async fn settle(tx: &mut WriteTx, ended: Ended<'_>) -> Result<(), AppError> {
    // What is left to be tried again of a batch that is over goes back to the campaign at the batch's next tick.
    let (most, minutes, client) = contacts::retry_rules(tx.reading(), ended.batch).await?;
    let again = matches!(ended.outcome, Some(ContactOutcome::NoAnswer | ContactOutcome::Busy));
    contacts::settle(tx, &settled(&ended, again.then_some((most, minutes)))).await?;
    notify(tx, ended.batch, client);
    enqueue(tx, &RunBatch { batch: ended.batch }, NewJob::default()).await?;
    // Last: it may write into the audit log, and whoever holds that waits for nobody.
    call_backs::follow(tx, ended.batch).await
}

/// Later updates know better how the call ended: a line that rejects or does not exist is not tried again, nor somebody who answered.
pub async fn settle_better(tx: &mut WriteTx, ended: Ended<'_>) -> Result<(), AppError> {
    let (_, _, client) = contacts::retry_rules(tx.reading(), ended.batch).await?;
    contacts::settle_better(tx, &settled(&ended, None)).await?;
    notify(tx, ended.batch, client);
    // It may have been the last one that the batch waited for.
    enqueue(tx, &RunBatch { batch: ended.batch }, NewJob::default()).await?;
    call_backs::follow(tx, ended.batch).await
}

/// A voicemail, a refusal or an agreed call-back, found in the words of the contact's last call and in the facts beside them.
pub async fn correct(tx: &mut WriteTx, found: Corrected) -> Result<(), AppError> {
    if let Some(batch) = contacts::correct_outcome(tx, found.contact, found.call, found.outcome).await? {
        call_backs::follow(tx, batch).await?;
    }
    Ok(())
}

fn settled<'a>(ended: &Ended<'a>, retry: Option<(i32, i32)>) -> Settled<'a> {
    Settled {
        contact: ended.contact,
        attempt: ended.attempt,
        call: ended.call,
        outcome: ended.outcome,
        error: ended.error,
        retry,
    }
}

/// Tells open pages that a batch moved.
pub fn notify(tx: &mut WriteTx, batch: BatchId, client: ClientId) {
    for topic in [Topic::one("batch", batch), Topic::list("batches"), Topic::list("dashboard")] {
        tx.notify(topic, Some(client));
    }
}
