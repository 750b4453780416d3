//! Giving a call to a person. The carrier rings them on a leg of its own and joins it with the caller's when they answer; until then the
//! caller is with the agent. The carrier's events say what became of it, and this does what follows: the agent leaves the call, or the
//! next one is rung, or the agent is told and goes on.
//!
//! A row is the intent to ring; its id is the carrier's idempotency key and comes back with each event of the leg. A process may be
//! killed between any two steps: a job looks after each of them.

mod heard;
mod legs;

use std::time::Duration;

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use heard::CALLER_LEFT;
pub(super) use heard::{heard, of_leg};
use legs::{leave, still_talking, unheard};

use super::store::transfers::{self as store, New, Person, Transfer};
use crate::model::{CallDirection, TransferStatus};
use patchbay_access::Action;
use patchbay_access::server::{Scope, WriteTx};
use patchbay_connections::server::ops as connections;
use patchbay_jobs::live::Topic;
use patchbay_jobs::runner::{Failure, Verdict};
use patchbay_jobs::{Job, NewJob};
use patchbay_metering::server::budget::{self, Headroom};
use patchbay_providers::telephony::LegTransfer;
use patchbay_providers::{Kind, ProviderError};
use patchbay_shared::AppError;
use patchbay_shared::ids::{CallId, CallTransferId, ClientId};
use patchbay_tools::server::{Begun, Wanted};

/// The most people who are rung for one call.
const MOST_RINGS: i64 = 10;
/// What stands before the id of a ring in the state of its leg.
const STATE: &str = "transfer:";
/// So long the carrier takes the same command for the same one.
const REPEATABLE: TimeDelta = TimeDelta::seconds(50);
/// When a ring is looked after that nobody has brought to the carrier until then.
const LOOKED_AFTER: TimeDelta = TimeDelta::seconds(10);
/// How long after the ring's time the carrier's word is waited for.
const GRACE: TimeDelta = TimeDelta::seconds(15);
/// How much later than the end of a leg it may be heard that somebody had answered.
const LATE: TimeDelta = TimeDelta::seconds(5);
/// How often the carrier is asked whether caller and person still talk.
const TALKING: Duration = Duration::from_secs(600);

/// How a message to the agent begins. It comes as a turn of the caller's, and is none.
pub(super) const NOTE: &str = "(A note of the system, not said by the caller.)";
const NOBODY: &str = "Nobody answered.";
const NOT_KNOWN: &str = "It is not known whether it rang: the carrier did not say.";

/// What a job looks after.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Phase {
    /// It should ring, and end ringing.
    Ring,
    /// Somebody answered, or nobody did.
    Outcome,
}

/// Does what follows from how a ring stands. Safe to repeat.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct FollowTransfer {
    pub transfer: CallTransferId,
    /// Two that wait for different things are two jobs: the news of one must not wait for the other.
    phase: Phase,
}

impl Job for FollowTransfer {
    const KIND: &'static str = "follow_transfer";
    const ACTIONS: &'static [Action] = &[Action::UseTools, Action::ReadWorkshop, Action::UseConnections];
    // A caller must not be left hanging; what costs is asked for once more, and refused.
    const RUNS_SUSPENDED: bool = true;

    fn dedupe_key(&self) -> Option<String> {
        Some(format!("{}:{:?}", self.transfer, self.phase))
    }
}

/// Rings the first of the people. Whatever stands in the way is a sentence that the model reads.
pub async fn begin(scope: &Scope, wanted: Wanted) -> Result<Begun, AppError> {
    let mut tx = scope.write(Action::UseTools).await?;
    let line = store::line(&mut tx, wanted.call).await?;
    let ours = if line.direction == CallDirection::Inbound { line.to.as_deref() } else { line.from.as_deref() };
    let obstacle = if line.is_over {
        Some("The call is over.")
    } else if line.is_client_archived {
        Some("The client of this call is archived, so nobody is rung.")
    } else if line.is_with_person {
        Some("The caller has been put through already.")
    } else if line.rings >= MOST_RINGS {
        Some("As many people as are allowed were rung in this call. Offer to take a message.")
    } else if ours.is_none() {
        Some("This is no telephone call, so it cannot be put through.")
    } else if line.is_elsewhere {
        Some("The carrier of this call cannot put it through to a person. Offer to take a message.")
    } else if !line.has_leg {
        Some(
            "The carrier has not told yet which of its lines this call is on. Try again in a few seconds, or take a message.",
        )
    } else {
        None
    };
    let obstacle = match obstacle {
        None => over_budget(&mut tx, line.client).await?,
        some => some,
    };
    let (Some(ours), None) = (ours, obstacle) else {
        return Ok(Begun::Refused(obstacle.unwrap_or(NOBODY).to_owned()));
    };
    let mut people: Vec<Person> = wanted.people.into_iter().map(|(name, number)| Person { name, number }).collect();
    if people.is_empty() {
        return Ok(Begun::Refused("There is nobody to ring.".to_owned()));
    }
    let first = people.remove(0);
    let id = CallTransferId::new();
    let new = New {
        id,
        call: wanted.call,
        client: line.client,
        invocation: wanted.invocation,
        position: 1,
        person: &first,
        from: ours,
        reason: &wanted.reason,
        ring_seconds: i32::try_from(wanted.ring_seconds).unwrap_or(25),
        next: &people,
    };
    if !store::insert(&mut tx, &new).await? {
        return Ok(Begun::Refused("Somebody is being rung for this call. Wait until you are told more.".to_owned()));
    }
    look_after(&mut tx, id, LOOKED_AFTER).await?;
    notify(&mut tx, wanted.call, line.client);
    tx.commit().await?;
    let (mut id, mut name) = (id, first.name);
    while ring(scope, id).await?.is_some() {
        match ring_next(scope, id).await? {
            After::Rings(next, person) => (id, name) = (next, person),
            // The answer is how the agent is told.
            After::Nobody => {
                settle(scope, id, TransferStatus::Failed).await?;
                return Ok(Begun::Refused(format!(
                    "{name} could not be rung. Tell the caller, and offer to take a message."
                )));
            }
            After::Elsewhere => break,
        }
    }
    Ok(Begun::Rings(name))
}

/// Why nobody may be rung at the client's cost. A month that was not added up yet has begun during the call, and is not spent.
async fn over_budget(tx: &mut WriteTx, client: Option<ClientId>) -> Result<Option<&'static str>, AppError> {
    let Some(client) = client else { return Ok(None) };
    let is_spent = matches!(budget::headroom(tx.reading(), client).await?, Headroom::Spent);
    Ok(is_spent.then_some("The client’s budget for this month is spent, so nobody is rung."))
}

async fn look_after(tx: &mut WriteTx, id: CallTransferId, wait: TimeDelta) -> Result<(), AppError> {
    let at = tx.reading().now().await? + wait;
    let job = FollowTransfer { transfer: id, phase: Phase::Ring };
    patchbay_jobs::enqueue(tx, &job, NewJob { run_at: Some(at) }).await
}

/// Has done at once what follows from news.
async fn act(tx: &mut WriteTx, id: CallTransferId) -> Result<(), AppError> {
    patchbay_jobs::enqueue(tx, &FollowTransfer { transfer: id, phase: Phase::Outcome }, NewJob::default()).await
}

fn notify(tx: &mut WriteTx, call: CallId, client: Option<ClientId>) {
    tx.notify(Topic::one("call", call), client);
}

/// Asks the carrier to ring. The same command may be given again for a minute. Gives why it surely does not ring; none: it does, or the
/// carrier did not say.
async fn ring(scope: &Scope, id: CallTransferId) -> Result<Option<String>, AppError> {
    let mut tx = scope.write(Action::UseTools).await?;
    let Some(asked_at) = store::ask(&mut tx, id).await? else { return Ok(None) };
    let Some(wanted) = store::get(tx.reading(), id).await? else { return Ok(None) };
    let now = tx.reading().now().await?;
    let url = connections::carrier_news_url(tx.reading()).await?;
    tx.commit().await?;
    let (Some(line), Some(webhook_url)) = (wanted.line.clone(), url) else {
        return fail(scope, &wanted, "The carrier is not connected any more.").await;
    };
    if wanted.is_call_over {
        return fail(scope, &wanted, "The call was over before anybody was rung.").await;
    }
    // What was asked last may have been heard. Until that can ring no more, the carrier's word is waited for.
    if now - asked_at > REPEATABLE + TimeDelta::seconds(wanted.ring_seconds.into()) + GRACE {
        return fail(scope, &wanted, NOT_KNOWN).await;
    }
    if now - asked_at > REPEATABLE {
        return Ok(None);
    }
    let carrier = match connections::telephony(scope).await {
        Ok(carrier) => carrier,
        Err(error @ (AppError::Conflict(..) | AppError::NotFound)) => {
            return fail(scope, &wanted, &error.to_string()).await;
        }
        Err(error) => return Err(error),
    };
    let to = LegTransfer {
        to: wanted.number.clone(),
        from: wanted.from.clone(),
        ring_seconds: u32::try_from(wanted.ring_seconds).unwrap_or(25),
        command_id: id.to_string(),
        state: format!("{STATE}{id}"),
        webhook_url,
    };
    match carrier.transfer(&line, &to).await {
        Ok(()) => {
            let mut tx = scope.write(Action::UseTools).await?;
            store::rings(&mut tx, id, None, None).await?;
            look_after(&mut tx, id, TimeDelta::seconds(wanted.ring_seconds.into()) + GRACE).await?;
            notify(&mut tx, wanted.call, wanted.client);
            tx.commit().await?;
            Ok(None)
        }
        Err(error) if error.is_passing_trouble() || error.outcome_unknown() => {
            tracing::info!(transfer = %id, cause = %error, "the carrier is asked to ring once more");
            Ok(None)
        }
        Err(ProviderError { kind: Kind::NotFound, .. }) => {
            fail(scope, &wanted, "The carrier does not have this call on the line any more.").await
        }
        Err(error) => fail(scope, &wanted, &error.sentence()).await,
    }
}

/// Nobody is rung. What follows is done by whoever asked, or by the job if that process is gone.
async fn fail(scope: &Scope, wanted: &Transfer, why: &str) -> Result<Option<String>, AppError> {
    let mut tx = scope.write(Action::UseTools).await?;
    let now = tx.reading().now().await?;
    if !store::miss(&mut tx, wanted.id, TransferStatus::Failed, why, now).await? {
        return Ok(None);
    }
    look_after(&mut tx, wanted.id, LOOKED_AFTER).await?;
    notify(&mut tx, wanted.call, wanted.client);
    tx.commit().await?;
    Ok(Some(why.to_owned()))
}

/// What comes after somebody who was not reached.
enum After {
    /// This one is to be rung, and is called so.
    Rings(CallTransferId, String),
    /// There is nobody, or no reason to ring any more: the agent is to be told.
    Nobody,
    /// Another process has done what follows.
    Elsewhere,
}

/// Writes down that the next one is rung, in the place of one who was not reached.
async fn ring_next(scope: &Scope, id: CallTransferId) -> Result<After, AppError> {
    let mut tx = scope.write(Action::UseTools).await?;
    let Some(missed) = store::get(tx.reading(), id).await? else { return Ok(After::Elsewhere) };
    // Held, so that only one does what follows, and what is checked stays so.
    let line = store::line(&mut tx, missed.call).await?;
    let Some(missed) =
        store::get(tx.reading(), id).await?.filter(|missed| missed.status.is_missed() && !missed.is_settled)
    else {
        return Ok(After::Elsewhere);
    };
    let mut next = missed.next.0;
    let may = !next.is_empty()
        && missed.why.as_deref() != Some(CALLER_LEFT)
        && !line.is_over
        && !line.is_client_archived
        && !line.is_with_person
        && line.rings < MOST_RINGS
        && over_budget(&mut tx, line.client).await?.is_none();
    if !may {
        return Ok(After::Nobody);
    }
    let (person, new_id) = (next.remove(0), CallTransferId::new());
    let new = New {
        id: new_id,
        call: missed.call,
        client: missed.client,
        invocation: missed.invocation,
        position: missed.position + 1,
        person: &person,
        from: &missed.from,
        reason: &missed.reason,
        ring_seconds: missed.ring_seconds,
        next: &next,
    };
    if !store::settle(&mut tx, id, missed.status).await? {
        return Ok(After::Elsewhere);
    }
    let is_new = store::insert(&mut tx, &new).await?;
    if is_new {
        look_after(&mut tx, new_id, LOOKED_AFTER).await?;
        notify(&mut tx, missed.call, missed.client);
    }
    tx.commit().await?;
    Ok(if is_new { After::Rings(new_id, person.name) } else { After::Elsewhere })
}

/// What follows from how a ring stands now.
pub(super) async fn follow(scope: &Scope, id: CallTransferId) -> Result<Verdict, Failure> {
    let mut tx = scope.read(Action::ReadWorkshop).await?;
    let (Some(found), now) = (store::get(&mut tx, id).await?, tx.now().await?) else { return Ok(Verdict::Done) };
    drop(tx);
    match found.status {
        TransferStatus::Requested => {
            let failed = ring(scope, id).await?;
            Ok(Verdict::Later(if failed.is_some() { Duration::ZERO } else { Duration::from_secs(5) }))
        }
        TransferStatus::Ringing => {
            let rings_since = found.rung_at.or(found.asked_at).unwrap_or(now);
            let until = rings_since + TimeDelta::seconds(found.ring_seconds.into()) + GRACE;
            if let Ok(left) = (until - now).to_std()
                && !left.is_zero()
            {
                return Ok(Verdict::Later(left));
            }
            unheard(scope, &found, until).await
        }
        TransferStatus::Connected if !found.is_settled => {
            leave(scope, &found).await?;
            Ok(Verdict::Later(TALKING))
        }
        TransferStatus::Connected => still_talking(scope, &found).await,
        TransferStatus::NotAnswered | TransferStatus::Failed if !found.is_settled => {
            go_on(scope, &found).await?;
            Ok(Verdict::Done)
        }
        // The leg ended as after a talk, and no answer was heard of: nobody has answered.
        TransferStatus::Ended if !found.is_settled && found.answered_at.is_none() => {
            let late = found.ended_at.unwrap_or(now) + LATE;
            if let Ok(left) = (late - now).to_std()
                && !left.is_zero()
            {
                return Ok(Verdict::Later(left));
            }
            let mut tx = scope.write(Action::UseTools).await?;
            store::unanswered(&mut tx, id, NOBODY).await?;
            notify(&mut tx, found.call, found.client);
            tx.commit().await?;
            Ok(Verdict::Later(Duration::ZERO))
        }
        TransferStatus::Ended if !found.is_settled => {
            settle(scope, id, found.status).await?;
            Ok(Verdict::Done)
        }
        TransferStatus::NotAnswered | TransferStatus::Failed | TransferStatus::Ended => Ok(Verdict::Done),
    }
}

/// What follows from a ring that stands so was done.
async fn settle(scope: &Scope, id: CallTransferId, status: TransferStatus) -> Result<(), AppError> {
    let mut tx = scope.write(Action::UseTools).await?;
    store::settle(&mut tx, id, status).await?;
    tx.commit().await
}

/// Nobody was reached: the next one is rung, else the agent is told, who still has the caller.
async fn go_on(scope: &Scope, found: &Transfer) -> Result<(), Failure> {
    let mut id = found.id;
    loop {
        match ring_next(scope, id).await? {
            After::Rings(next, _) => id = next,
            After::Nobody => break,
            After::Elsewhere => return Ok(()),
        }
        if ring(scope, id).await?.is_none() {
            return Ok(());
        }
    }
    let mut tx = scope.read(Action::ReadWorkshop).await?;
    let last = store::get(&mut tx, id).await?;
    drop(tx);
    match last.filter(|last| last.status.is_missed() && !last.is_settled) {
        Some(last) => tell(scope, &last).await,
        // Somebody has answered after all.
        None => Ok(()),
    }
}

async fn tell(scope: &Scope, missed: &Transfer) -> Result<(), Failure> {
    if let Some(call) = missed.provider_call_id.as_ref().filter(|_| !missed.is_call_over) {
        let text = format!(
            "{NOTE} {} was not reached. The caller is still with you: tell them, and offer to take a message or to have somebody call back.",
            missed.destination
        );
        match connections::voice_to_look(scope).await?.tell(call, &text).await {
            Err(error) if error.is_passing_trouble() => return Err(connections::failure(&error)),
            Err(error) => {
                tracing::info!(transfer = %missed.id, cause = %error, "the call was over before its agent was told")
            }
            Ok(()) => {}
        }
    }
    settle(scope, missed.id, missed.status).await?;
    Ok(())
}
