//! What people do with batches: start, pause, resume and stop them, and how a batch ends.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde_json::json;

use super::again;
use super::clearance;
use super::halt_reason::HaltReason;
use super::hours;
use super::store::{self, Batch, NewBatch};
use super::told;
use crate::model::{BatchMode, BatchStatus, BatchTerms, Readiness};
use patchbay_access::server::{Change, Fields, Scope, WriteTx};
use patchbay_access::{Action, Field};
use patchbay_campaigns::{Campaign, CampaignStatus};
use patchbay_connections::server::ops as connections;
use patchbay_dialling::server::jobs::RunBatch;
use patchbay_dialling::server::settle::notify;
use patchbay_dialling::server::{call_backs, contacts};
use patchbay_jobs::{NewJob, enqueue};
use patchbay_metering::model::BudgetStatus;
use patchbay_metering::server::budget;
use patchbay_shared::ids::{BatchId, CampaignId, ClientId};
use patchbay_shared::{AppError, Money, Reason, zone};

/// Everything that must hold before a batch of this campaign can start, in words, and how many contacts it would call.
pub(crate) async fn readiness(scope: &Scope, action: Action, campaign: CampaignId) -> Result<Readiness, AppError> {
    let (mut price, mut no_voice) = (None, None);
    if scope.may(Action::UseConnections) {
        price = Some(connections::settings(scope).await?.voice_price_per_minute);
        no_voice = connections::voice(scope).await.err();
    }
    let mut own = scope.read(action).await?;
    patchbay_campaigns::server::get(&mut own, campaign).await?;
    drop(own);
    let (sees_cost, sees_prompts) = (scope.sees(Field::Cost), scope.sees(Field::Prompt));
    let mut tx = scope.beyond_client(WHAT_IT_CALLS_WITH).read(action).await?;
    let campaign = patchbay_campaigns::server::get(&mut tx, campaign).await?;
    let mut checks = checks(&mut tx, &campaign).await?;
    checks.extend(no_voice.map(|error| (false, error.to_string())));
    let missing = match sees_prompts {
        true => patchbay_campaigns::server::missing_variables(&mut tx, &campaign).await?,
        false => Vec::new(),
    };
    let held = budget::status(&mut tx, campaign.client_id).await?.filter(BudgetStatus::holds);
    let (to_dial, suppressed, later) = contacts::dialable(&mut tx, campaign.id).await?;
    let zones = contacts::zones_to_dial(&mut tx, campaign.id, &campaign.client_timezone).await?;
    let now = tx.now().await?;
    let hours = hours::closed(&zones, &campaign.calling_window, now, scope.services().clock.ahead());
    let seconds = store::average_seconds(&mut tx, campaign.id).await?;
    let estimate = seconds.zip(price).map(|(seconds, price)| {
        let minutes = Decimal::from_f64_retain(seconds * to_dial as f64 / 60.0).unwrap_or_default();
        Money((minutes * price).round_dp(2))
    });
    Ok(Readiness {
        campaign_id: campaign.id,
        campaign: campaign.name,
        client: campaign.client_name,
        checks,
        warnings: missing
            .into_iter()
            .map(|name| format!("Nothing fills {{{{{name}}}}} in the prompt. Add it to the campaign's variables, or the agent speaks without it."))
            .chain(held.map(|budget_status| format!("The batch will wait at first. {}", budget_status.reason(sees_cost))))
            .chain(hours.text().map(|text| format!("Outside the calling hours now. {text}")))
            .collect(),
        to_dial,
        suppressed,
        later,
        hours,
        estimate,
        timezone: scope.viewer().map(|viewer| viewer.timezone.clone()).unwrap_or_else(|| "UTC".into()),
    })
}

/// Why a client's admin who starts a batch sees further than otherwise for it.
pub(super) const WHAT_IT_CALLS_WITH: &str = "whether the agent and the number of a client's own campaign are ready";

async fn checks(
    tx: &mut patchbay_access::server::ReadTx,
    campaign: &Campaign,
) -> Result<Vec<(bool, String)>, AppError> {
    let hours = (true, format!("Calling hours: {}, in the contact's own time zone.", campaign.calling_window.text()));
    if !tx.scope().sees(Field::BatchTrouble) {
        let found = clearance::ask(tx, campaign).await?;
        let found = match found {
            Ok(_) => (true, "The campaign is active, and its agent and its number are ready.".to_owned()),
            Err(reason) => (false, reason.obstacle().label().to_owned()),
        };
        return Ok(vec![found, hours]);
    }
    let agent = patchbay_agents::server::ops::ready_to_call(tx, campaign.agent_id, campaign.client_id).await;
    let is_active = campaign.status == CampaignStatus::Active;
    let number = campaign.from_number.as_ref().filter(|_| campaign.number_is_ours && campaign.number_is_active);
    let mut checks = Vec::new();
    if !campaign.client_is_active {
        checks.push((false, "The client is archived: nothing is dialled for it. Restore it on its page first.".into()));
    }
    checks.extend([
        if is_active {
            (true, "The campaign is active.".into())
        } else {
            (
                false,
                format!(
                    "The campaign is {}. Set it to active on its page first.",
                    campaign.status.label().to_lowercase()
                ),
            )
        },
        match agent {
            Ok(agent) => (true, format!("The agent “{}” is ready at the voice provider.", agent.name)),
            Err(error) => (false, error.to_string()),
        },
        match number {
            Some(number) => (true, format!("Calls go out from {number}.")),
            None if !campaign.number_is_ours => (
                false,
                "The campaign's number belongs to another client now. Choose another one on the campaign's page."
                    .into(),
            ),
            None => (false, "The campaign's number is not active. Choose an active one on the campaign's page.".into()),
        },
        hours,
    ]);
    Ok(checks)
}

/// Creates a batch, gives it its contacts, and has it started now or at its time.
/// Errors: `Invalid` when there is nothing to dial or a check fails, with the reason.
pub(crate) async fn create(scope: &Scope, terms: &BatchTerms) -> Result<BatchId, AppError> {
    let starts = terms.scheduled_for.filter(|_| terms.mode == BatchMode::Scheduled);
    let starts = starts.map(|local| zone::instant(local.date(), local.time(), scope.zone()));
    create_at(scope, terms, starts).await
}

/// The same with the moment when it starts, whatever the terms say. None: now.
pub(crate) async fn create_at(
    scope: &Scope,
    terms: &BatchTerms,
    starts: Option<DateTime<Utc>>,
) -> Result<BatchId, AppError> {
    let mode = if starts.is_some() { BatchMode::Scheduled } else { BatchMode::Immediate };
    let starts = starts.map(|at| to_come(scope, at)).transpose()?;
    let mut own = scope.read(Action::RunBatches).await?;
    match patchbay_campaigns::server::get(&mut own, terms.campaign).await {
        Err(AppError::NotFound) => {
            return Err(AppError::invalid("campaign", "Choose the campaign whose contacts are called."));
        }
        found => found?,
    };
    drop(own);
    let mut tx = scope.beyond_client(WHAT_IT_CALLS_WITH).write(Action::RunBatches).await?;
    if patchbay_workspaces::server::is_suspended(tx.reading()).await? {
        return Err(AppError::Conflict(
            Reason::Suspended,
            "This workspace is suspended: nothing is dialled until the platform reactivates it.".into(),
        ));
    }
    let campaign = patchbay_campaigns::server::get(tx.reading(), terms.campaign).await?;
    if let Some((_, reason)) = checks(tx.reading(), &campaign).await?.into_iter().find(|(holds, _)| !holds) {
        return Err(AppError::invalid("campaign", reason));
    }
    // Whoever archives the client now waits, and then finds this batch.
    if !patchbay_campaigns::server::hold_to_dial(&mut tx, &campaign).await? {
        return Err(AppError::invalid(
            "campaign",
            "The campaign was changed just now. Look at its page and try again.",
        ));
    }
    let id = BatchId::new();
    let new = NewBatch {
        id,
        client: campaign.client_id,
        campaign: campaign.id,
        name: &terms.name,
        mode,
        scheduled_for: starts,
        concurrency: terms.concurrency,
        for_call_backs: false,
    };
    store::insert(&mut tx, &new).await?;
    let taken = contacts::take_contacts(&mut tx, id, campaign.id, terms.limit).await?;
    store::set_total(&mut tx, id, taken).await?;
    if taken == 0 {
        return Err(AppError::invalid("campaign", nothing_to_dial(&mut tx, campaign.id).await?));
    }
    enqueue(&mut tx, &RunBatch { batch: id }, NewJob { run_at: starts }).await?;
    let after = serde_json::json!({
        "name": terms.name, "campaign": campaign.name, "mode": mode, "scheduled_for": starts,
        "concurrency": terms.concurrency, "contacts": taken,
    });
    record(&mut tx, "created", id, campaign.client_id, Fields::Created(after)).await?;
    tx.commit().await?;
    Ok(id)
}

/// The database's moment of a start. Errors: `Invalid` when it has passed.
fn to_come(scope: &Scope, at: DateTime<Utc>) -> Result<DateTime<Utc>, AppError> {
    let clock = &scope.services().clock;
    if at <= clock.now() {
        return Err(AppError::invalid(
            "scheduled_for",
            "This time has passed. Choose a later one, or start the batch now.",
        ));
    }
    Ok(at - clock.ahead())
}

async fn nothing_to_dial(tx: &mut WriteTx, campaign: CampaignId) -> Result<String, AppError> {
    let (_, suppressed, later) = contacts::dialable(tx.reading(), campaign).await?;
    Ok(match (suppressed, later) {
        (0, 0) => "There is nobody to call: the campaign has no waiting contacts. Add contacts on its page.".into(),
        (_, 0) => "There is nobody to call: all waiting contacts are on the do-not-call list. Add others on the campaign's page.".into(),
        _ => "There is nobody to call right now: the waiting contacts are due later. Try again then, or add others.".into(),
    })
}

/// Stops new calls at once. Running ones end by themselves. Safe to repeat.
pub(crate) async fn pause(scope: &Scope, id: BatchId) -> Result<(), AppError> {
    let mut tx = scope.write(Action::RunBatches).await?;
    let batch = store::lock(&mut tx, id).await?;
    if batch.status == BatchStatus::Paused {
        return Ok(());
    }
    check_move(&batch, BatchStatus::Paused)?;
    store::set_paused(&mut tx, id, None).await?;
    record(&mut tx, "paused", id, batch.client_id, moved(&batch, json!({ "status": "paused" }))).await?;
    tx.commit().await
}

/// Patchbay halts a batch itself when going on would only fail: the reason says what happened and what to do. Where the batch itself
/// cannot go on it fails, and its undialled contacts go back to the campaign.
pub(crate) async fn halt(tx: &mut WriteTx, batch: &Batch, reason: &HaltReason) -> Result<(), AppError> {
    let (text, obstacle) = (reason.text(), reason.obstacle());
    if !reason.fails() {
        store::set_paused(tx, batch.id, Some((&text, obstacle))).await?;
        let after = json!({ "status": "paused", "reason": text });
        return record(tx, "paused", batch.id, batch.client_id, moved(batch, after)).await;
    }
    store::set_over(tx, batch.id, Some((&text, obstacle)), false).await?;
    let returned = contacts::give_back(tx, batch.id).await?;
    // Calls that are still on the line are settled by the job.
    enqueue(tx, &RunBatch { batch: batch.id }, NewJob::default()).await?;
    call_backs::follow(tx, batch.id).await?;
    told::over(tx, batch, BatchStatus::Failed, false).await?;
    let after = json!({ "status": "failed", "reason": text, "contacts_returned": returned });
    record(tx, "failed", batch.id, batch.client_id, moved(batch, after)).await
}

/// Goes on with a paused batch, or with a failed one whose trouble is mended. Safe to repeat.
pub async fn resume(scope: &Scope, id: BatchId) -> Result<(), AppError> {
    let mut tx = scope.write(Action::RunBatches).await?;
    let batch = store::lock(&mut tx, id).await?;
    if batch.status == BatchStatus::Failed {
        drop(tx);
        return again::start(scope, id).await;
    }
    if matches!(batch.status, BatchStatus::Pending | BatchStatus::Processing) {
        return Ok(());
    }
    check_move(&batch, BatchStatus::Pending)?;
    // One whose time has not come goes on waiting for it.
    let early = batch.scheduled_for.filter(|at| *at > Utc::now() && batch.started_at.is_none());
    store::set_resumed(&mut tx, id, early.is_some()).await?;
    enqueue(&mut tx, &RunBatch { batch: id }, NewJob { run_at: early }).await?;
    record(&mut tx, "resumed", id, batch.client_id, moved(&batch, json!({ "status": "pending" }))).await?;
    tx.commit().await
}

/// Goes on with a batch that waited for the workspace to be active again.
pub(crate) async fn reactivate(tx: &mut WriteTx, batch: &Batch) -> Result<(), AppError> {
    store::set_resumed(tx, batch.id, false).await?;
    let after = json!({ "status": "pending", "because": "the workspace is active again" });
    record(tx, "resumed", batch.id, batch.client_id, moved(batch, after)).await
}

/// Ends a batch for good. Undialled contacts go back to the campaign. Safe to repeat.
pub(crate) async fn stop(scope: &Scope, id: BatchId) -> Result<(), AppError> {
    let mut tx = scope.write(Action::RunBatches).await?;
    let batch = store::lock(&mut tx, id).await?;
    if batch.status.is_over() {
        return Ok(());
    }
    store::set_over(&mut tx, id, None, true).await?;
    let returned = contacts::give_back(&mut tx, id).await?;
    // Calls that are still on the line are settled by the job.
    enqueue(&mut tx, &RunBatch { batch: id }, NewJob::default()).await?;
    call_backs::follow(&mut tx, id).await?;
    told::over(&mut tx, &batch, BatchStatus::Completed, true).await?;
    record(
        &mut tx,
        "stopped",
        id,
        batch.client_id,
        moved(&batch, json!({ "status": "completed", "contacts_returned": returned })),
    )
    .await?;
    tx.commit().await?;
    wait_for_requests(scope, id).await
}

/// From the commit on no call is claimed. Requests that were on their way to the provider in that moment end within seconds: when a
/// person is told that the batch has stopped, no more calls start.
async fn wait_for_requests(scope: &Scope, id: BatchId) -> Result<(), AppError> {
    for _ in 0..30 {
        let mut tx = scope.read(Action::RunBatches).await?;
        if !patchbay_calls::server::dialled::in_flight(&mut tx, id, 20.0).await? {
            break;
        }
        drop(tx);
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    Ok(())
}

/// Nothing waits and nobody is on the line.
pub(crate) async fn complete(tx: &mut WriteTx, batch: &Batch) -> Result<(), AppError> {
    store::set_over(tx, batch.id, None, false).await?;
    call_backs::follow(tx, batch.id).await?;
    told::over(tx, batch, BatchStatus::Completed, false).await?;
    record(tx, "completed", batch.id, batch.client_id, moved(batch, json!({ "status": "completed" }))).await
}

/// Has a client's batches look again at once, and their pages too: what they wait for has changed.
pub async fn wake(tx: &mut WriteTx, client: ClientId) -> Result<(), AppError> {
    for batch in store::under_way(tx.reading(), client).await? {
        enqueue(tx, &RunBatch { batch }, NewJob::default()).await?;
        notify(tx, batch, client);
    }
    Ok(())
}

pub(super) fn check_move(batch: &Batch, next: BatchStatus) -> Result<(), AppError> {
    if batch.status.may_become(next) {
        return Ok(());
    }
    Err(AppError::Conflict(
        Reason::WrongState,
        format!("This batch is {} now. Reload the page to see what is possible.", batch.status.label().to_lowercase()),
    ))
}

/// A batch that goes from its state to another.
pub(super) fn moved(batch: &Batch, after: serde_json::Value) -> Fields {
    Fields::Changed { before: json!({ "status": batch.status, "reason": batch.pause_reason }), after }
}

pub(super) async fn record(
    tx: &mut WriteTx,
    action: &str,
    id: BatchId,
    client: ClientId,
    fields: Fields,
) -> Result<(), AppError> {
    tx.audit(Change { action, entity: "batch", entity_id: Some(id.0), client_id: Some(client), fields }).await?;
    notify(tx, id, client);
    Ok(())
}
