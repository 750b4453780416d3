//! What people do with deliveries: have them sent again. Id and body stay as they were, time and signature are new.

use chrono::{DateTime, Utc};
use serde_json::json;
use uuid::Uuid;

use super::attempt::{STEP, notify};
use super::endpoints::record;
use super::jobs::{Replay, ReplayDeliveries};
use super::store::{self, Endpoint, queue};
use crate::model::EndpointStatus;
use patchbay_access::Action;
use patchbay_access::server::{Fields, Scope, WriteTx};
use patchbay_jobs::{NewJob, enqueue};
use patchbay_shared::ids::{DeliveryId, WebhookEndpointId};
use patchbay_shared::{AppError, Reason};

/// So many can be chosen by hand at most.
const MOST_CHOSEN: usize = 1000;

/// Sends chosen deliveries of an endpoint again, also those that have arrived; what waits for a later try is due now. Gives how many.
/// Errors: `NotFound`, `Conflict` while the endpoint is off.
pub async fn replay(scope: &Scope, endpoint: WebhookEndpointId, ids: &[DeliveryId]) -> Result<i64, AppError> {
    if ids.len() > MOST_CHOSEN {
        let why = format!("Choose {MOST_CHOSEN} deliveries at most, or replay a range.");
        return Err(AppError::Conflict(Reason::LimitReached, why));
    }
    let mut tx = scope.write(Action::ManageWebhooks).await?;
    let found = on(&mut tx, endpoint).await?;
    let ids: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
    // First those that wait: what is replayed waits afterwards.
    let forward = queue::forward(&mut tx, endpoint, &ids).await?;
    let done = (forward + queue::again(&mut tx, endpoint, &ids).await?) as i64;
    if done > 0 {
        let fields = Fields::Happened(json!({"name": found.name, "deliveries": done}));
        record(&mut tx, "replayed deliveries of", endpoint, fields).await?;
        notify(&mut tx, endpoint);
    }
    tx.commit().await?;
    Ok(done)
}

/// The same for events of a time; `only_failed`: those that have not arrived. Many go on in a job. Errors: as `replay`.
pub async fn replay_range(
    scope: &Scope,
    endpoint: WebhookEndpointId,
    from: DateTime<Utc>,
    to: DateTime<Utc>,
    only_failed: bool,
) -> Result<i64, AppError> {
    let mut tx = scope.write(Action::ManageWebhooks).await?;
    let found = on(&mut tx, endpoint).await?;
    let many = start(&mut tx, endpoint, Replay::Range { from, to, only_failed }).await?;
    if many > 0 {
        let said = json!({"name": found.name, "deliveries": many, "from": from, "to": to, "only_failed": only_failed});
        record(&mut tx, "replayed deliveries of", endpoint, Fields::Happened(said)).await?;
        notify(&mut tx, endpoint);
    }
    tx.commit().await?;
    Ok(many)
}

/// An endpoint that is on, locked. Errors: `NotFound`, `Conflict`.
async fn on(tx: &mut WriteTx, id: WebhookEndpointId) -> Result<Endpoint, AppError> {
    let endpoint = store::lock(tx, id).await?;
    if endpoint.status == EndpointStatus::Active {
        return Ok(endpoint);
    }
    Err(AppError::Conflict(Reason::WrongState, "The endpoint is off. Switch it on first.".into()))
}

/// Begins a replay, and leaves the rest to a job. Gives how many it comes to.
pub(super) async fn start(tx: &mut WriteTx, endpoint: WebhookEndpointId, what: Replay) -> Result<i64, AppError> {
    let many = queue::count_to_replay(tx.reading(), endpoint, &what).await?;
    let asked = tx.reading().now().await?;
    step(tx, endpoint, &what, asked).await?;
    if many > STEP {
        enqueue(tx, &ReplayDeliveries { endpoint, what, asked }, NewJob::default()).await?;
    }
    Ok(many)
}

/// Some more. Gives how many.
async fn step(
    tx: &mut WriteTx,
    endpoint: WebhookEndpointId,
    what: &Replay,
    asked: DateTime<Utc>,
) -> Result<usize, AppError> {
    let ids = queue::to_replay(tx.reading(), endpoint, what, asked, STEP).await?;
    queue::again(tx, endpoint, &ids).await
}

/// Goes on with a replay, as long as the endpoint is on. Errors: `NotFound` when it was removed.
pub(super) async fn go_on(scope: &Scope, job: &ReplayDeliveries) -> Result<(), AppError> {
    loop {
        let mut tx = scope.write(Action::ManageWebhooks).await?;
        let endpoint = store::lock(&mut tx, job.endpoint).await?;
        if endpoint.status != EndpointStatus::Active {
            return Ok(());
        }
        let done = step(&mut tx, job.endpoint, &job.what, job.asked).await?;
        notify(&mut tx, job.endpoint);
        tx.commit().await?;
        if done == 0 {
            return Ok(());
        }
    }
}
