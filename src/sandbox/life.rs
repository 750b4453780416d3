//! The life of a call: one small task that waits for its next moment, marks it and tells whoever wants to know.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::call::{Answer, Call, NewCall, seconds_of};
use super::delivery;
use super::state::Sandbox;
use super::telnyx::carrier;
use super::tool_use;
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
    let Some(mut call) = sandbox.with_account(&key, |account| account.calls.get(&id).cloned()) else {
        return;
    };
    delivery::call_event(&sandbox, &key, "call.started", &call);
    let quirks = sandbox.settings_for(&key).quirks.clone();
    if !quirks.cost_first {
        carrier::initiated(&sandbox, &key, &call);
    }

    if let Some(join) = call.join.clone() {
        let Some(there) = wait_for_caller(&sandbox, &key, &call, &join).await else { return };
        call = there;
    }
    let plan = call.plan.clone();
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
        use_tools(&sandbox, &key, &live).await;
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
        sandbox.keep_call(&key, &billed);
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

/// Uses the agent's own tools, each at its moment, until somebody hangs up.
async fn use_tools(sandbox: &Arc<Sandbox>, key: &str, call: &Call) {
    for planned in tool_use::planned(call) {
        // What comes after the call's end is not said any more.
        if planned.at >= call.plan.talk || wait(sandbox, call, call.plan.ring + planned.at).await {
            return;
        }
        let used = tool_use::use_tool(sandbox, call, &planned).await;
        mark(sandbox, key, call.id, |call| call.tool_uses.push(used));
    }
}

/// At least so long a caller has to come to the line, however fast sandbox seconds pass: the caller comes by real requests.
const CALLER_HAS: Duration = Duration::from_secs(5);

/// Waits until the carrier brings the caller to the line, for as long as the request says. Gives the call as it goes on from there.
async fn wait_for_caller(sandbox: &Sandbox, key: &str, call: &Call, join: &CancellationToken) -> Option<Call> {
    let patience = seconds_of(call.pick("joinTimeout")).unwrap_or(30.0);
    let real = call.clock.instant(patience).max(tokio::time::Instant::now() + CALLER_HAS);
    let has_joined = tokio::select! {
        () = join.cancelled() => true,
        () = tokio::time::sleep_until(real) => false,
        () = call.cut.cancelled() => false,
        () = sandbox.shutdown.cancelled() => false,
    };
    mark(sandbox, key, call.id, |call| {
        if !has_joined {
            call.plan.answer = Answer::Nobody;
            call.plan.ring = if call.cut.is_cancelled() { call.plan.ring } else { patience };
            call.plan.talk = 0.0;
        }
        call.clock = call.clock.restarted(call.plan.ring + call.plan.talk + call.plan.billing);
    })
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
