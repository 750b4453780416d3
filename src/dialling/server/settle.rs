//! What a contact's ended call makes of it.

use std::collections::HashMap;

use super::call_backs;
use super::contacts::{self, RetryRules};
use super::jobs::RunBatch;
use super::store::settled::{self as store, Settled};
use super::tries::{self, Next};
use patchbay_access::server::WriteTx;
use patchbay_calls::model::ContactOutcome;
use patchbay_calls::server::ended::{Corrected, Ended};
use patchbay_jobs::live::Topic;
use patchbay_jobs::{NewJob, enqueue};
use patchbay_shared::AppError;
use patchbay_shared::ids::{BatchId, CampaignContactId, ClientId};

/// Done, failed, or tried again later in the same batch while the campaign's rules allow. Later updates know better how a call ended: a
/// line that rejects or does not exist is not tried again, nor somebody who answered. `calls`: of this batch, in the order in which
/// they are told of.
pub async fn settle(tx: &mut WriteTx, batch: BatchId, calls: &[Ended<'_>]) -> Result<(), AppError> {
    // What is left to be tried again of a batch that is over goes back to the campaign at the batch's next tick.
    let RetryRules { most, minutes, client, for_call_backs } = contacts::retry_rules(tx.reading(), batch).await?;
    // First of all the contacts, in the order of their ids, then the job, then the call-backs. Whoever stops the batch goes the same
    // way, so nobody waits in a circle.
    store::hold_all(tx, &calls.iter().map(|ended| ended.contact).collect::<Vec<_>>()).await?;
    let mut tried_again = Vec::new();
    for round in rounds(calls) {
        let (mut ends, mut better) = (Vec::new(), Vec::new());
        for ended in round {
            if !ended.is_end {
                better.push(settled(ended, None));
                continue;
            }
            let nobody = matches!(ended.outcome, Some(ContactOutcome::NoAnswer | ContactOutcome::Busy));
            let next = if nobody && for_call_backs { tries::next(tx, batch, ended.contact).await? } else { None };
            let retry = match next {
                None => nobody.then_some((most, minutes)),
                Some(Next::Person) => None,
                Some(Next::Again(call_back, text)) => {
                    tried_again.push((call_back, text));
                    Some((i32::MAX, tries::MINUTES))
                }
            };
            ends.push(settled(ended, retry));
        }
        store::settle(tx, &ends).await?;
        store::settle_better(tx, &better).await?;
    }
    notify(tx, batch, client);
    // It may have been the last one that the batch waited for.
    enqueue(tx, &RunBatch { batch }, NewJob::default()).await?;
    for (call_back, text) in tried_again {
        tries::say(tx, call_back, &text).await?;
    }
    call_backs::follow(tx, batch).await
}

/// What is told in one statement: of each contact one thing, and the next one in the next round.
fn rounds<'a, 'b>(calls: &'a [Ended<'b>]) -> Vec<Vec<&'a Ended<'b>>> {
    let mut told: HashMap<CampaignContactId, usize> = HashMap::new();
    let mut rounds: Vec<Vec<&Ended<'b>>> = Vec::new();
    for ended in calls {
        let round = told.entry(ended.contact).or_default();
        if rounds.len() == *round {
            rounds.push(Vec::new());
        }
        rounds[*round].push(ended);
        *round += 1;
    }
    rounds
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

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn of_each_contact_one_thing_is_told_at_a_time() {
        let told = |contact: u128, is_end| Ended {
            contact: CampaignContactId(Uuid::from_u128(contact)),
            attempt: 1,
            call: patchbay_shared::ids::CallId(Uuid::from_u128(contact)),
            outcome: None,
            error: None,
            is_end,
        };
        let calls = [told(1, true), told(2, true), told(1, false), told(3, true), told(1, false)];
        let sizes =
            |round: Vec<&Ended<'_>>| round.iter().map(|ended| (ended.contact.0.as_u128(), ended.is_end)).collect();
        let rounds: Vec<Vec<(u128, bool)>> = rounds(&calls).into_iter().map(sizes).collect();
        assert_eq!(rounds, [vec![(1, true), (2, true), (3, true)], vec![(1, false)], vec![(1, false)]]);
    }
}
