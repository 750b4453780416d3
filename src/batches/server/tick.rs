//! One tick of a batch: take as many due contacts as there are free lines, have them dialled, come back. A tick itself only writes to
//! the database and is over in milliseconds, so that a process that dies seldom dies in one. Asking the provider goes on beside it, and
//! what a death leaves open there is settled by `reconcile`.

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};

use super::halt_reason::HaltReason;
use super::store::{self, Batch};
use super::{call_backs as own_call_backs, clearance, dial, hours, ops, reconcile};
use crate::model::{BatchStatus, Obstacle};
use patchbay_access::Action;
use patchbay_access::server::{Scope, WriteTx};
use patchbay_agents::server::ops::CallableAgent;
use patchbay_calls::server::dialled::{self, Intent, NewIntent};
use patchbay_campaigns::{Campaign, ContactFacts};
use patchbay_connections::server::ops as connections;
use patchbay_dialling::server::call_backs;
use patchbay_dialling::server::contacts::{self, Due};
use patchbay_dialling::server::settle::notify;
use patchbay_jobs::runner::{Failure, Verdict};
use patchbay_metering::server::budget::{self, Headroom};
use patchbay_providers::{Pass, VoiceProvider};
use patchbay_shared::ids::{BatchId, CallId};
use patchbay_shared::{AppError, Reason};
use patchbay_workspaces::server as workspaces;

/// While contacts are on the line a tick looks this often; an ended call wakes it sooner.
const BUSY: Duration = Duration::from_millis(500);
/// The longest wait of an idle batch: a contact added to the hours of tomorrow is not looked at every second.
const IDLE: Duration = Duration::from_secs(30);
/// The shortest wait between two looks.
const SOON: Duration = Duration::from_millis(200);
/// While the client's budget is spent. A higher one wakes the batch; the month's end does not.
const SPENT: Duration = Duration::from_secs(10);
/// A paused batch is looked at this often. Its job never ends, so that no resumption can be missed.
const PAUSED: Duration = Duration::from_secs(15);
/// Contacts beyond the free lines that a tick looks at, to move those outside their calling hours out of the way.
const LOOK_AHEAD: i64 = 200;

/// Does one tick. Everything in it is safe to do twice, and two workers can never take the same contact.
pub(crate) async fn tick(scope: &Scope, id: BatchId) -> Result<Verdict, Failure> {
    match try_tick(scope, id).await {
        Ok(verdict) => Ok(verdict),
        Err(AppError::NotFound) => Ok(Verdict::Done),
        // Passing trouble of a long batch must not add up until its job is given up.
        Err(error) => {
            tracing::warn!(batch = %id, cause = %error, "a tick of a batch failed; trying again");
            Ok(Verdict::Later(Duration::from_secs(5)))
        }
    }
}

async fn try_tick(scope: &Scope, id: BatchId) -> Result<Verdict, AppError> {
    let unsettled = reconcile::start(scope, id).await?;
    let voice = match connections::voice(scope).await {
        Ok(voice) => Ok(voice),
        Err(AppError::Conflict(Reason::NotConnected, why)) => Err(HaltReason::NotConnected(why)),
        Err(AppError::Conflict(Reason::Suspended, _)) => Err(HaltReason::Suspended),
        Err(error) => return Err(error),
    };
    Ok(match claim(scope, id, voice).await? {
        Plan::Over => Verdict::Done,
        Plan::Wait(wait) => Verdict::Later(if unsettled { wait.min(Duration::from_secs(2)) } else { wait }),
        Plan::Dial(round) => {
            patchbay_jobs::beside(dial::dial_all(*round));
            Verdict::Later(BUSY)
        }
    })
}

enum Plan {
    Dial(Box<dial::Round>),
    Wait(Duration),
    /// Nothing is left to do.
    Over,
}

/// Claims due contacts for the free lines and writes the intents, in one transaction. `voice`: the provider, or why it cannot be used.
async fn claim(
    scope: &Scope,
    id: BatchId,
    voice: Result<Arc<dyn VoiceProvider>, HaltReason>,
) -> Result<Plan, AppError> {
    // Before the transaction and so before the intents' own time.
    let began = Instant::now();
    let mut tx = scope.write(Action::RunBatches).await?;
    let batch = store::lock(&mut tx, id).await?;
    if batch.status.is_over() {
        return wind_up(tx, id).await;
    }
    if own_call_backs::give_up_one(&mut tx, &batch).await? {
        notify(&mut tx, id, batch.client_id);
        tx.commit().await?;
        // There may be more of them.
        return Ok(Plan::Wait(Duration::ZERO));
    }
    if batch.status == BatchStatus::Paused {
        // What the suspension stopped goes on by itself; what a person or any other trouble stopped waits for a person.
        let is_free = batch.obstacle == Some(Obstacle::Suspended)
            && !patchbay_workspaces::server::is_suspended(tx.reading()).await?;
        if !is_free {
            return Ok(Plan::Wait(PAUSED));
        }
        ops::reactivate(&mut tx, &batch).await?;
        tx.commit().await?;
        return Ok(Plan::Wait(Duration::ZERO));
    }
    let now = tx.reading().now().await?;
    if let Some(early) =
        batch.scheduled_for.filter(|_| batch.status == BatchStatus::Scheduled).and_then(|at| (at - now).to_std().ok())
    {
        return Ok(Plan::Wait(early.min(IDLE)));
    }
    let home = workspaces::lock_capacity(&mut tx).await?;
    if home.suspended {
        return halt(tx, &batch, &HaltReason::Suspended).await;
    }
    let voice = match voice {
        Ok(voice) => voice,
        Err(reason) => return halt(tx, &batch, &reason).await,
    };
    let campaign = patchbay_campaigns::server::get(tx.reading(), batch.campaign_id).await?;
    let agent = match clearance::ask(tx.reading(), &campaign).await? {
        Ok(agent) => agent,
        Err(reason) => return halt(tx, &batch, &reason).await,
    };
    let is_spent = match budget::headroom(tx.reading(), batch.client_id).await? {
        Headroom::Free => false,
        Headroom::Spent => true,
        Headroom::Unknown => {
            drop(tx);
            budget::add_up(scope, batch.client_id).await?;
            return Ok(Plan::Wait(SOON));
        }
    };
    if store::set_processing(&mut tx, id).await? {
        notify(&mut tx, id, batch.client_id);
    }
    let (here, everywhere) = contacts::on_the_line(tx.reading(), id).await?;
    let mut free = (i64::from(batch.concurrency) - here).min(home.lines - everywhere).max(0);
    if is_spent {
        // Nothing new for this client. What is on the line goes on, and the month's end or a higher budget lets the rest go on.
        free = 0;
    }
    if free > 0 {
        let pass = scope.services().breakers.ask(scope.workspace_id().0, "ultravox", Instant::now());
        let wait = match pass {
            Pass::Go => home.hold,
            Pass::Probe => {
                free = 1;
                home.hold
            }
            Pass::Wait(wait) => Some(wait.max(home.hold.unwrap_or_default())),
        };
        if let Some(wait) = wait {
            tx.commit().await?;
            return Ok(Plan::Wait(wait.clamp(SOON, IDLE)));
        }
    }
    let Some((intents, seen)) = take(&mut tx, &batch, &campaign, &agent, free, now).await? else {
        // Something has changed since the look above. The next one says what.
        return Ok(Plan::Wait(SOON));
    };
    if !intents.is_empty() {
        notify(&mut tx, id, batch.client_id);
        tx.commit().await?;
        let scope = scope.clone();
        return Ok(Plan::Dial(Box::new(dial::Round { scope, batch, campaign, agent, voice, intents, began })));
    }
    let open = contacts::open_contacts(tx.reading(), id).await?;
    if !open.any {
        ops::complete(&mut tx, &batch).await?;
        tx.commit().await?;
        return Ok(Plan::Over);
    }
    tx.commit().await?;
    let wait = if is_spent {
        SPENT
    } else if here > 0 || seen > 0 {
        BUSY
    } else if open.call_backs_alone {
        IDLE
    } else {
        open.next.and_then(|at| (at - now).to_std().ok()).map_or(BUSY, |wait| wait.clamp(SOON, IDLE))
    };
    Ok(Plan::Wait(wait))
}

/// An ended batch waits for its last calls. What they leave to be tried again goes back to the campaign.
async fn wind_up(mut tx: WriteTx, id: BatchId) -> Result<Plan, AppError> {
    // In this order: whoever is not on the line any more has been settled, and is seen by the statement after.
    let (here, _) = contacts::on_the_line(tx.reading(), id).await?;
    contacts::give_back(&mut tx, id).await?;
    call_backs::follow(&mut tx, id).await?;
    tx.commit().await?;
    Ok(if here > 0 { Plan::Wait(Duration::from_secs(2)) } else { Plan::Over })
}

async fn halt(mut tx: WriteTx, batch: &Batch, reason: &HaltReason) -> Result<Plan, AppError> {
    ops::halt(&mut tx, batch, reason).await?;
    tx.commit().await?;
    // A failed one is looked at once more, for its last calls.
    Ok(Plan::Wait(if reason.fails() { SOON } else { PAUSED }))
}

/// Due contacts become intents; who may not be called now is moved to when they may. Gives also how many were looked at. None: the
/// campaign may not dial any more, and nothing was claimed.
async fn take(
    tx: &mut WriteTx,
    batch: &Batch,
    campaign: &Campaign,
    agent: &CallableAgent,
    free: i64,
    now: DateTime<Utc>,
) -> Result<Option<(Vec<(Intent, serde_json::Value)>, usize)>, AppError> {
    if free == 0 {
        return Ok(Some((Vec::new(), 0)));
    }
    let due = contacts::due(tx, batch.id, free + LOOK_AHEAD).await?;
    let seen = due.len();
    let from = campaign.from_number.clone().unwrap_or_default();
    let mut intents = Vec::new();
    for contact in due {
        if intents.len() as i64 == free {
            break;
        }
        if contact.do_not_call {
            contacts::set_failed(tx, contact.id, "On the do-not-call list since the batch was made.").await?;
            continue;
        }
        if let Some(opens) = closed_until(&contact, campaign, now, tx.services().clock.ahead()) {
            contacts::wait_until(tx, contact.id, opens).await?;
            continue;
        }
        if intents.is_empty() && !patchbay_campaigns::server::hold_to_dial(tx, campaign).await? {
            return Ok(None);
        }
        let intent = Intent {
            id: CallId::new(),
            campaign_contact_id: contact.id,
            batch_id: batch.id,
            from: from.clone(),
            to: contact.phone.clone(),
            dialled_at: now,
        };
        let new = NewIntent {
            intent,
            client_id: batch.client_id,
            agent_id: campaign.agent_id,
            campaign_id: campaign.id,
            contact_id: contact.contact_id,
            attempt_no: contact.attempts + 1,
            contact_name: contact.name.clone(),
            prompt_id: agent.prompt_id,
            prompt_version: agent.prompt_version,
        };
        dialled::insert_intent(tx, &new).await?;
        contacts::set_calling(tx, contact.id, new.intent.id).await?;
        let variables = variables(&contact, campaign);
        intents.push((new.intent, variables));
    }
    Ok(Some((intents, seen)))
}

/// The moment at which the contact's calling hours open again; none while they are open. In the contact's zone, else the client's.
/// `now` and the answer are the database's moments; `ahead`: how far the clock that hours of the day go by is before them.
pub(super) fn closed_until(
    contact: &Due,
    campaign: &Campaign,
    now: DateTime<Utc>,
    ahead: TimeDelta,
) -> Option<DateTime<Utc>> {
    let name = contact.timezone.as_deref().unwrap_or(&campaign.client_timezone);
    hours::closed_until(name, &campaign.calling_window, now, ahead)
}

/// What the prompt's variables stand for: the campaign's own rule, which its page shows too.
pub(super) fn variables(contact: &Due, campaign: &Campaign) -> serde_json::Value {
    let texts = |document: &serde_json::Value| {
        let pairs = document.as_object().into_iter().flatten();
        pairs
            .map(|(key, value)| (key.clone(), value.as_str().map_or_else(|| value.to_string(), str::to_owned)))
            .collect()
    };
    let facts = ContactFacts {
        name: contact.name.clone(),
        phone: contact.phone.clone(),
        company: contact.company.clone(),
        email: contact.email.clone(),
        attributes: texts(&contact.attributes),
        own_variables: texts(&contact.variables),
    };
    campaign.call_variables(&facts).into_iter().map(|(key, value)| (key, serde_json::Value::from(value))).collect()
}
