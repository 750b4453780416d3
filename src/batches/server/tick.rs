//! One tick of a batch: settle what is unknown, take as many due contacts as there are free lines, dial them, come back.

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::dial::{self, Dialled};
use super::store::{self, Batch, Due};
use super::{ops, reconcile};
use crate::access::Action;
use crate::access::server::{Scope, WriteTx};
use crate::agents::server::ops::CallableAgent;
use crate::batches::model::BatchStatus;
use crate::calls::server::dialled::{self, Intent};
use crate::campaigns::Campaign;
use crate::jobs::runner::{Failure, Verdict};
use crate::shared::ids::{BatchId, CallId};
use crate::shared::{AppError, zone};

/// While contacts are on the line a tick looks this often; an ended call wakes it sooner.
const BUSY: Duration = Duration::from_millis(500);
/// The longest wait of an idle batch: a contact added to the hours of tomorrow is not looked at every second.
const IDLE: Duration = Duration::from_secs(30);

/// Does one tick. Everything in it is safe to do twice, and two workers can never take the same contact.
pub async fn tick(scope: &Scope, id: BatchId) -> Result<Verdict, Failure> {
    let lost = reconcile::reconcile(scope, id).await?;
    let Some(plan) = claim(scope, id).await? else { return Ok(Verdict::Done) };
    match plan {
        Plan::Wait(wait) => Ok(Verdict::Later(if lost { wait.min(Duration::from_secs(2)) } else { wait })),
        Plan::Dial { batch, campaign, agent, intents } => {
            let outcome = dial::dial_all(scope, &batch, &campaign, &agent, intents).await?;
            Ok(match outcome {
                Dialled::GoOn => Verdict::Later(BUSY),
                Dialled::Hold(wait) => Verdict::Later(wait),
                Dialled::Over => Verdict::Later(BUSY),
            })
        }
    }
}

enum Plan {
    Wait(Duration),
    Dial { batch: Batch, campaign: Box<Campaign>, agent: CallableAgent, intents: Vec<(Intent, serde_json::Value)> },
}

/// Claims due contacts for the free lines and writes the intents, in one transaction. None: the batch is over.
async fn claim(scope: &Scope, id: BatchId) -> Result<Option<Plan>, AppError> {
    let mut tx = scope.write(Action::RunBatches).await?;
    let batch = store::lock(&mut tx, id).await?;
    let (here, everywhere) = store::on_the_line(tx.reading(), id).await?;
    if batch.status.is_over() || batch.status == BatchStatus::Paused {
        // Calls that are still on the line are looked after until they have ended.
        return Ok((here > 0).then_some(Plan::Wait(Duration::from_secs(5))));
    }
    let (lines, suspended) = store::workspace_lines(tx.reading()).await?;
    if suspended {
        ops::pause_with_reason(&mut tx, &batch, "The workspace was suspended. Resume the batch after it has been reactivated.").await?;
        tx.commit().await?;
        return Ok(Some(Plan::Wait(Duration::from_secs(5))));
    }
    let campaign = crate::campaigns::server::store::get(tx.reading(), batch.campaign_id).await?;
    let agent = match crate::agents::server::ops::ready_to_call(tx.reading(), campaign.agent_id, campaign.client_id).await {
        Ok(agent) if campaign.number_is_active => agent,
        Ok(_) => {
            return pause(tx, &batch, "The campaign's number is not active any more. Choose another one on the campaign's page, then resume.")
                .await;
        }
        Err(AppError::Conflict(reason)) => return pause(tx, &batch, &format!("{reason} Then resume the batch.")).await,
        Err(error) => return Err(error),
    };
    store::set_processing(&mut tx, id).await?;
    let free = (i64::from(batch.concurrency) - here).min(lines - everywhere).max(0);
    let (intents, seen) = take(&mut tx, &batch, &campaign, &agent, free).await?;
    if !intents.is_empty() {
        ops::notify(&mut tx, id, batch.client_id);
        tx.commit().await?;
        return Ok(Some(Plan::Dial { batch, campaign: Box::new(campaign), agent, intents }));
    }
    let (open, next) = store::open_contacts(tx.reading(), id).await?;
    if open == 0 {
        ops::complete(&mut tx, &batch).await?;
        tx.commit().await?;
        return Ok(None);
    }
    let now = tx.reading().now().await?;
    tx.commit().await?;
    let wait = if here > 0 || seen > 0 {
        BUSY
    } else {
        next.and_then(|at| (at - now).to_std().ok()).map_or(BUSY, |wait| wait.clamp(Duration::from_millis(200), IDLE))
    };
    Ok(Some(Plan::Wait(wait)))
}

async fn pause(mut tx: WriteTx, batch: &Batch, reason: &str) -> Result<Option<Plan>, AppError> {
    ops::pause_with_reason(&mut tx, batch, reason).await?;
    tx.commit().await?;
    Ok(Some(Plan::Wait(Duration::from_secs(5))))
}

/// Due contacts become intents; who may not be called now is moved to when they may. Gives also how many were looked at.
async fn take(
    tx: &mut WriteTx,
    batch: &Batch,
    campaign: &Campaign,
    agent: &CallableAgent,
    free: i64,
) -> Result<(Vec<(Intent, serde_json::Value)>, usize), AppError> {
    if free == 0 {
        return Ok((Vec::new(), 0));
    }
    let now = tx.reading().now().await?;
    let due = store::due(tx, batch.id, free).await?;
    let seen = due.len();
    let from = campaign.from_number.clone().unwrap_or_default();
    let mut intents = Vec::with_capacity(seen);
    for contact in due {
        if contact.do_not_call {
            store::set_failed(tx, contact.id, "On the do-not-call list since the batch was made.").await?;
            continue;
        }
        if let Some(opens) = closed_until(&contact, campaign, now) {
            store::wait_until(tx, contact.id, opens).await?;
            continue;
        }
        let intent = Intent {
            id: CallId::new(),
            client_id: batch.client_id,
            agent_id: campaign.agent_id,
            campaign_id: campaign.id,
            campaign_contact_id: contact.id,
            contact_id: contact.contact_id,
            batch_id: batch.id,
            attempt_no: contact.attempts + 1,
            from: from.clone(),
            to: contact.phone.clone(),
            contact_name: contact.name.clone(),
            prompt_version: agent.prompt_version,
        };
        dialled::insert_intent(tx, &intent).await?;
        store::set_calling(tx, contact.id, intent.id).await?;
        let variables = variables(&contact, campaign);
        intents.push((intent, variables));
    }
    Ok((intents, seen))
}

/// The moment at which the contact's calling hours open again; none while they are open. In the contact's zone, else the client's.
fn closed_until(contact: &Due, campaign: &Campaign, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let name = contact.timezone.as_deref().unwrap_or(&campaign.client_timezone);
    let local_zone = zone::zone(name);
    let local = now.with_timezone(&local_zone).naive_local();
    if campaign.calling_window.is_open(local) {
        return None;
    }
    let opens = campaign.calling_window.next_open(local);
    Some(zone::instant(opens.date(), opens.time(), local_zone))
}

/// What the prompt's variables stand for: the contact, then its attributes, the campaign's values, and the contact's own.
pub(super) fn variables(contact: &Due, campaign: &Campaign) -> serde_json::Value {
    let mut all = serde_json::Map::new();
    let first = contact.name.split_whitespace().next().unwrap_or_default();
    for (key, value) in [
        ("name", contact.name.as_str()),
        ("contact_name", contact.name.as_str()),
        ("first_name", first),
        ("phone", contact.phone.as_str()),
        ("company", contact.company.as_deref().unwrap_or_default()),
        ("email", contact.email.as_deref().unwrap_or_default()),
        ("client", campaign.client_name.as_str()),
        ("campaign", campaign.name.as_str()),
        ("goal", campaign.goal.as_str()),
    ] {
        all.insert(key.to_owned(), value.into());
    }
    let campaigns = campaign.variables.iter().map(|(key, value)| (key.clone(), serde_json::Value::from(value.as_str())));
    let attributes = contact.attributes.as_object().into_iter().flatten().map(|(key, value)| (key.clone(), value.clone()));
    let own = contact.variables.as_object().into_iter().flatten().map(|(key, value)| (key.clone(), value.clone()));
    all.extend(attributes.chain(campaigns).chain(own));
    serde_json::Value::Object(all)
}
