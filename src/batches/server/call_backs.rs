//! Dials call-backs whose time has come. Each goes into a batch of its own kind, which Patchbay makes for the campaign: so all that holds
//! for a batch holds for a call-back too, and people see it, pause it and stop it like any other.

use chrono::{DateTime, Utc};
use serde_json::json;

use super::store::{self, Batch, NewBatch};
use super::{clearance, hours, ops};
use crate::model::{BatchMode, BatchStatus};
use patchbay_access::Action;
use patchbay_access::server::{Fields, Scope, WriteTx};
use patchbay_campaigns::Campaign;
use patchbay_dialling::model::ContactStatus;
use patchbay_dialling::server::call_backs::{self, Due};
use patchbay_dialling::server::contacts;
use patchbay_dialling::server::jobs::RunBatch;
use patchbay_dialling::server::tries::LATE;
use patchbay_jobs::runner::{Failure, Verdict};
use patchbay_jobs::{NewJob, enqueue};
use patchbay_metering::server::budget::{self, Headroom};
use patchbay_shared::ids::{BatchId, CallBackId};
use patchbay_shared::{AppError, zone};

/// While the contact is on the line.
const TALKING: std::time::Duration = std::time::Duration::from_secs(60);
/// After somebody else was faster.
const SOON: std::time::Duration = std::time::Duration::from_millis(200);
/// Call-backs of a campaign that are dialled at once.
const LINES: i32 = 5;

pub(super) async fn run(scope: &Scope, id: CallBackId) -> Result<Verdict, Failure> {
    match dial(scope, id).await {
        Ok(verdict) => Ok(verdict),
        Err(AppError::NotFound) => Ok(Verdict::Done),
        Err(error) => Err(error.into()),
    }
}

async fn dial(scope: &Scope, id: CallBackId) -> Result<Verdict, AppError> {
    let mut tx = scope.write(Action::RunBatches).await?;
    let Some(due) = call_backs::due(&mut tx, id).await? else { return Ok(Verdict::Done) };
    let now = tx.reading().now().await?;
    if let Some(early) = (due.at - now).to_std().ok().filter(|early| !early.is_zero()) {
        return Ok(Verdict::Later(early));
    }
    let campaign = patchbay_campaigns::server::get(tx.reading(), due.campaign_id).await?;
    let contact = contacts::hold(&mut tx, due.member).await?;
    if contact.do_not_call {
        call_backs::not_wanted(&mut tx, &due).await?;
        tx.commit().await?;
        return Ok(Verdict::Done);
    }
    let headroom = budget::headroom(tx.reading(), due.client_id).await?;
    if matches!(headroom, Headroom::Unknown) {
        drop(tx);
        budget::add_up(scope, due.client_id).await?;
        return Ok(Verdict::Later(std::time::Duration::ZERO));
    }
    let zone_name = contact.timezone.as_deref().unwrap_or(&campaign.client_timezone);
    let closed = hours::closed_until(zone_name, &campaign.calling_window, now, tx.services().clock.ahead());
    let why_not = if now - due.at > LATE {
        Some(call_backs::TOO_LATE.to_owned())
    } else if call_backs::has_talked_since(&mut tx, &due).await? {
        Some(call_backs::TALKED.to_owned())
    } else if closed.is_some() {
        Some(format!(
            "The calling hours have changed ({}): its time is outside them now.",
            campaign.calling_window.text()
        ))
    } else if matches!(headroom, Headroom::Spent) {
        Some("The client's monthly budget is spent.".to_owned())
    } else {
        clearance::ask(tx.reading(), &campaign).await?.err().map(|reason| reason.what())
    };
    if let Some(why) = why_not {
        call_backs::hand_over(&mut tx, &due, &why).await?;
        tx.commit().await?;
        return Ok(Verdict::Done);
    }
    hand_to_batch(tx, &campaign, &due, now).await
}

/// The contact moves into the campaign's batch of call-backs, unless it is there already. Another batch that goes on would not do: its
/// contacts are called in their order, so that the time would pass.
async fn hand_to_batch(
    mut tx: WriteTx,
    campaign: &Campaign,
    due: &Due,
    now: DateTime<Utc>,
) -> Result<Verdict, AppError> {
    // Batches first, by their ids, then contacts: in the order in which ticks and campaigns lock them.
    let has_it = contacts::batch_of(tx.reading(), due.member).await?;
    let mut ids: Vec<BatchId> =
        has_it.into_iter().chain(store::open_for_call_backs(&mut tx, campaign.id).await?).collect();
    ids.sort_unstable_by_key(|batch| batch.0);
    ids.dedup();
    let mut locked = Vec::new();
    for batch in ids {
        locked.push(store::lock(&mut tx, batch).await?);
    }
    let place = contacts::place(&mut tx, due.member).await?;
    if place.status == ContactStatus::Calling {
        return Ok(Verdict::Later(TALKING));
    }
    if place.batch != has_it {
        // It has moved since the look above.
        return Ok(Verdict::Later(SOON));
    }
    let own = own_of(&locked, campaign, now + tx.services().clock.ahead());
    let before = locked.iter().find(|batch| Some(batch.id) == has_it);
    let goes_on = before.filter(|batch| {
        batch.for_call_backs
            && place.status == ContactStatus::Scheduled
            && matches!(batch.status, BatchStatus::Pending | BatchStatus::Processing)
    });
    if let Some(batch) = goes_on {
        let id = batch.id;
        enqueue(&mut tx, &RunBatch { batch: id }, NewJob::default()).await?;
        call_backs::in_batch(&mut tx, due, id).await?;
        tx.commit().await?;
        return Ok(Verdict::Done);
    }
    let own = match own {
        Ok(own) if own.status == BatchStatus::Paused => {
            call_backs::hand_over(&mut tx, due, &format!("“{}” is paused.", own.name)).await?;
            tx.commit().await?;
            return Ok(Verdict::Done);
        }
        Ok(own) => own.id,
        Err(new) => {
            make(&mut tx, campaign, &new).await?;
            new.id
        }
    };
    contacts::move_to(&mut tx, due.member, own).await?;
    if has_it != Some(own) {
        store::add_contact(&mut tx, own).await?;
        if let Some(before) = has_it {
            store::contact_left(&mut tx, before).await?;
        }
    }
    enqueue(&mut tx, &RunBatch { batch: own }, NewJob::default()).await?;
    call_backs::in_batch(&mut tx, due, own).await?;
    tx.commit().await?;
    Ok(Verdict::Done)
}

/// Hands one over to a person whom the batch must not call any more: it has not called in time, or not again, because it was paused, or
/// held, or had no free line, or they have rung back. True if there was one. One at a time, because each is written into the audit log last.
pub(super) async fn give_up_one(tx: &mut WriteTx, batch: &Batch) -> Result<bool, AppError> {
    if !batch.for_call_backs {
        return Ok(false);
    }
    let now = tx.reading().now().await?;
    let Some((due, why)) = call_backs::not_any_more(tx, batch.id, now - LATE).await? else { return Ok(false) };
    contacts::give_back_one(tx, batch.id, due.member).await?;
    store::contact_left(tx, batch.id).await?;
    call_backs::hand_over(tx, &due, why).await?;
    Ok(true)
}

/// A batch of call-backs about to be made.
struct New {
    id: BatchId,
    name: String,
}

/// The campaign's batch of call-backs that goes on, among those locked; else one to make. `today`: by the clock that people go by.
fn own_of<'a>(locked: &'a [Batch], campaign: &Campaign, today: DateTime<Utc>) -> Result<&'a Batch, New> {
    let open =
        locked.iter().find(|batch| batch.for_call_backs && batch.campaign_id == campaign.id && !batch.status.is_over());
    open.ok_or_else(|| {
        let day = today.with_timezone(&zone::zone(&campaign.client_timezone));
        New { id: BatchId::new(), name: format!("Call-backs, {}", day.format("%a %-d %b %Y")) }
    })
}

async fn make(tx: &mut WriteTx, campaign: &Campaign, new: &New) -> Result<(), AppError> {
    let row = NewBatch {
        id: new.id,
        client: campaign.client_id,
        campaign: campaign.id,
        name: &new.name,
        mode: BatchMode::Immediate,
        scheduled_for: None,
        concurrency: LINES,
        for_call_backs: true,
    };
    store::insert(tx, &row).await?;
    let after = json!({
        "name": new.name, "campaign": campaign.name, "mode": BatchMode::Immediate, "concurrency": LINES, "for_call_backs": true,
    });
    ops::record(tx, "created", new.id, campaign.client_id, Fields::Created(after)).await
}
