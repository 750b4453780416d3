//! The life of a call: one small task that waits for its next moment, marks it and tells whoever wants to know.

use std::sync::Arc;

use uuid::Uuid;

use super::call::{Answer, Call, NewCall};
use super::delivery;
use super::state::Sandbox;
use super::telnyx::carrier;
use super::ultravox::shapes;

/// Places a call and returns its first JSON shape. `Err(())` when the account has too many live calls.
pub(super) fn place(sandbox: &Arc<Sandbox>, key: &str, new: NewCall) -> Result<(Uuid, serde_json::Value), ()> {
    let settings = sandbox.settings_for(key);
    let call = Call::plan(new, &settings);
    let id = call.id;
    let shape = shapes::call(&call);
    let limit = settings.concurrency_limit.unwrap_or(usize::MAX);
    let fits = sandbox.with_account(key, |account| {
        if account.live >= limit {
            return false;
        }
        account.add_call(call, settings.max_calls);
        true
    });
    if !fits {
        return Err(());
    }
    sandbox.begin(key, run(sandbox.clone(), key.to_owned(), id));
    Ok((id, shape))
}

async fn run(sandbox: Arc<Sandbox>, key: String, id: Uuid) {
    let Some(call) = sandbox.with_account(&key, |account| account.calls.get(&id).cloned()) else {
        return;
    };
    let plan = call.plan.clone();
    delivery::call_event(&sandbox, &key, "call.started", &call);
    let quirks = sandbox.settings_for(&key).quirks.clone();
    if !quirks.cost_first {
        carrier::initiated(&sandbox, &key, &call);
    }

    let cut = wait(&sandbox, &call, plan.ring).await;
    let answered = matches!(plan.answer, Answer::Person | Answer::Machine | Answer::Dropped);
    let ended = if answered && !cut {
        let Some(live) = mark(&sandbox, &key, id, |call| call.joined = Some(plan.ring)) else {
            return;
        };
        if !quirks.cost_first {
            carrier::answered(&sandbox, &key, &live);
        }
        delivery::call_event(&sandbox, &key, "call.joined", &live);
        let cut = wait(&sandbox, &call, plan.ring + plan.talk).await;
        let last = plan.ring + plan.talk;
        mark_ended(&sandbox, &key, id, |call| {
            call.ended = Some(if cut { call.clock.elapsed().clamp(plan.ring, last) } else { last });
            call.end_reason = Some(if cut { "hangup" } else { plan.end_reason });
        })
    } else {
        mark_ended(&sandbox, &key, id, |call| {
            call.ended = Some(if cut { call.clock.elapsed().min(plan.ring) } else { plan.ring });
            call.end_reason = Some("unjoined");
            if cut {
                call.plan.sip_reason = "CANCELED";
            }
        })
    };
    let Some(ended) = ended else { return };
    if !quirks.cost_first {
        carrier::hung_up(&sandbox, &key, &ended);
    }
    delivery::call_event(&sandbox, &key, "call.ended", &ended);

    let billing = ended.clock.instant(ended.ended.unwrap_or(0.0) + plan.billing);
    tokio::select! {
        () = tokio::time::sleep_until(billing) => {}
        () = sandbox.shutdown.cancelled() => return,
    }
    if let Some(billed) = mark(&sandbox, &key, id, |call| call.billed = true) {
        carrier::cost(&sandbox, &key, &billed);
        if quirks.cost_first {
            carrier::initiated(&sandbox, &key, &billed);
        }
        delivery::call_event(&sandbox, &key, "call.billed", &billed);
    }
    if quirks.refund
        && let Some(refunded) = mark(&sandbox, &key, id, |call| call.refunded = true)
    {
        delivery::call_event(&sandbox, &key, "call.billed", &refunded);
    }
}

/// Waits until an offset; true if somebody hung up before.
async fn wait(sandbox: &Sandbox, call: &Call, offset: f64) -> bool {
    tokio::select! {
        () = tokio::time::sleep_until(call.clock.instant(offset)) => false,
        () = call.cut.cancelled() => true,
        () = sandbox.shutdown.cancelled() => true,
    }
}

/// Changes a call and returns a copy; none when it was deleted meanwhile.
fn mark(sandbox: &Sandbox, key: &str, id: Uuid, change: impl FnOnce(&mut Call)) -> Option<Call> {
    sandbox.with_account(key, |account| {
        let call = account.calls.get_mut(&id)?;
        change(call);
        Some(call.clone())
    })
}

/// The same, and the account has a live call less whether or not the call still exists.
fn mark_ended(sandbox: &Sandbox, key: &str, id: Uuid, change: impl FnOnce(&mut Call)) -> Option<Call> {
    sandbox.with_account(key, |account| {
        account.live = account.live.saturating_sub(1);
        let call = account.calls.get_mut(&id)?;
        change(call);
        Some(call.clone())
    })
}
