//! What a crash or a lost answer left open. The provider is asked whether it has a call with our id; only when it surely has not may
//! the call be placed again. Calls of which nothing was heard for long are asked about too: an event may have been lost.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures::{StreamExt, stream};

use super::store::{self, Batch};
use super::{clearance, dial, tick};
use crate::model::BatchStatus;
use patchbay_access::Action;
use patchbay_access::server::Scope;
use patchbay_calls::server::dialled::{self, Intent, Unsettled};
use patchbay_calls::server::fold::CALL_KEY;
use patchbay_calls::server::follow;
use patchbay_connections::server::ops as connections;
use patchbay_dialling::server::contacts;
use patchbay_metering::server::budget;
use patchbay_providers::{REQUEST_TIMEOUT, VoiceProvider};
use patchbay_shared::AppError;
use patchbay_shared::ids::{BatchId, CallId};
use patchbay_workspaces::server as workspaces;

/// After this an unanswered question counts as lost: longer than an intent is fresh plus the request's own time limit, so that nobody
/// can still be sending it. The compiler adds up.
const AGE: Duration = Duration::from_secs(20);
const _: () = assert!(
    dial::FRESH.as_millis() + REQUEST_TIMEOUT.as_millis() < AGE.as_millis(),
    "an intent that is still being sent must not be asked about: its contact could be dialled twice"
);
/// Seconds without news after which a placed call is asked about.
const SILENCE: f64 = 120.0;

/// Calls that the provider is asked about at once.
const AT_ONCE: usize = 8;

/// Batches that this process is reconciling. Only to ask no more often than needed: safety rests on the rows.
#[derive(Default)]
struct AtWork(Mutex<HashSet<BatchId>>);

/// A batch's place among those at work, until it is dropped.
struct Turn {
    at_work: Arc<AtWork>,
    batch: BatchId,
}

impl Turn {
    fn take(at_work: Arc<AtWork>, batch: BatchId) -> Option<Self> {
        // The lock ends with this statement, and a `Turn` is made only when it is due: one made in vain would, on its way out, wait
        // for the lock that we hold, and free a batch that another holds.
        let is_free = at_work.0.lock().unwrap_or_else(PoisonError::into_inner).insert(batch);
        is_free.then(|| Self { at_work, batch })
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.at_work.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.batch);
    }
}

/// Starts settling what is open, beside the tick. True while something is, so that the next tick comes soon.
pub(crate) async fn start(scope: &Scope, id: BatchId) -> Result<bool, AppError> {
    let mut tx = scope.read(Action::ReadCampaigns).await?;
    let batch = store::get(&mut tx, id).await?;
    let open = dialled::unsettled(&mut tx, id, AGE.as_secs_f64()).await?;
    let silent = dialled::silent(&mut tx, id, SILENCE).await?;
    let young = dialled::unsettled(&mut tx, id, 0.0).await?.len() > open.len();
    drop(tx);
    if open.is_empty() && silent.is_empty() {
        return Ok(young);
    }
    if let Some(turn) = Turn::take(scope.services().state(), id) {
        patchbay_jobs::beside(reconcile(scope.clone(), batch, open, silent, turn));
    }
    Ok(true)
}

async fn reconcile(scope: Scope, batch: Batch, open: Vec<Unsettled>, silent: Vec<(CallId, String)>, _turn: Turn) {
    let Ok(voice) = connections::voice_to_look(&scope).await else { return };
    let (scope, batch, voice) = (&scope, &batch, &voice);
    // When the provider does not answer for one, the others are left for the next round. Only ever set: another call's answer does
    // not make it reachable again.
    let is_down = AtomicBool::new(false);
    let is_down = &is_down;
    stream::iter(&open)
        .for_each_concurrent(AT_ONCE, |call| async move {
            if is_down.load(Ordering::Relaxed) {
                return;
            }
            if let Err(error) = settle(scope, batch, voice, call).await {
                is_down.fetch_or(matches!(error, AppError::ProviderDown(_)), Ordering::Relaxed);
                tracing::warn!(call_id = %call.id, cause = %error, "a call's fate is still unknown; asking again later");
            }
        })
        .await;
    stream::iter(&silent)
        .for_each_concurrent(AT_ONCE, |(call, provider_id)| async move {
            if is_down.load(Ordering::Relaxed) {
                return;
            }
            if let Err(error) = follow::ask(scope, voice, *call, provider_id).await {
                is_down.fetch_or(matches!(error, AppError::ProviderDown(_)), Ordering::Relaxed);
                tracing::warn!(call_id = %call, cause = %error, "a silent call could not be asked about; asking again later");
            }
        })
        .await;
}

/// Asks the provider for a call that carries our id, and acts on the answer.
async fn settle(
    scope: &Scope,
    batch: &Batch,
    voice: &Arc<dyn VoiceProvider>,
    call: &Unsettled,
) -> Result<(), AppError> {
    let found = voice
        .find_calls_by_metadata(CALL_KEY, &call.id.to_string())
        .await
        .map_err(|error| connections::down(&error))?;
    if let Some(theirs) = found.into_iter().next() {
        return follow::apply_update(scope, &theirs).await;
    }
    let began = Instant::now();
    let mut tx = scope.write(Action::RunBatches).await?;
    let batch = store::lock(&mut tx, batch.id).await?;
    let campaign = patchbay_campaigns::server::get(tx.reading(), batch.campaign_id).await?;
    let home = workspaces::lock_capacity(&mut tx).await?;
    let contact = contacts::hold(&mut tx, call.campaign_contact_id).await?;
    let now = tx.reading().now().await?;
    let closed = tick::closed_until(&contact, &campaign, now, tx.services().clock.ahead());
    let is_spent = !matches!(budget::headroom(tx.reading(), call.client_id).await?, budget::Headroom::Free);
    // What was meant to be dialled may have changed since, too: nobody is called at a number, or from one, that is not theirs any more.
    let is_as_meant = contact.phone == call.to && campaign.from_number.as_ref() == Some(&call.from);
    let agent = clearance::ask(tx.reading(), &campaign).await?.ok();
    let must_not = batch.status.is_over()
        || batch.status == BatchStatus::Paused
        || home.suspended
        || is_spent
        || contact.do_not_call
        || !is_as_meant
        || !patchbay_campaigns::server::hold_to_dial(&mut tx, &campaign).await?;
    let Some(agent) = agent.filter(|_| !must_not && closed.is_none() && home.hold.is_none()) else {
        // The provider has no such call and none may be placed now: the contact waits again, the attempt is not counted.
        drop(tx);
        let opens = closed.and_then(|opens| (opens - now).to_std().ok());
        return dial::take_back(scope, &intent_of(&batch, call), opens.or(home.hold).unwrap_or_default()).await;
    };
    let Some(fence) = dialled::claim_redial(&mut tx, call).await? else { return Ok(()) };
    tx.commit().await?;
    let intent = Intent { dialled_at: fence, ..intent_of(&batch, call) };
    let mut variables = tick::variables(&contact, &campaign);
    let mut told = dial::earlier_calls(scope, &campaign, &agent, &[intent.id]).await;
    patchbay_calls::server::earlier::put(&mut variables, told.remove(&intent.id));
    let request = dial::new_call(scope, &intent, variables, &campaign, &agent);
    dial::dial(scope, &batch, voice, &intent, &request, began).await;
    Ok(())
}

fn intent_of(batch: &Batch, call: &Unsettled) -> Intent {
    Intent {
        id: call.id,
        campaign_contact_id: call.campaign_contact_id,
        batch_id: batch.id,
        from: call.from.clone(),
        to: call.to.clone(),
        dialled_at: call.dialled_at,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_is_reconciled_by_one_at_a_time() {
        let id = BatchId::new();
        let at_work = Arc::new(AtWork::default());
        let take = || Turn::take(at_work.clone(), id);
        let first = take();
        assert!(first.is_some());
        assert!(take().is_none(), "while the first is at work");
        assert!(take().is_none(), "and being turned away frees nothing");
        drop(first);
        assert!(take().is_some(), "but its end does");
    }
}
