//! Having failed work tried again, and setting it aside.

use super::store::kinds;
use crate::model::{DISCARDABLE, QueueName};
use patchbay_access::Action;
use patchbay_access::server::{Scope, WriteTx};
use patchbay_batches::server::ops as batches;
use patchbay_calls::server::stuck as words;
use patchbay_inbound_webhooks::server::stuck as webhooks;
use patchbay_jobs::stuck as jobs;
use patchbay_shared::AppError;

/// One piece of work. Errors: `NotFound`; `Conflict` while it waits or is being worked on.
pub(crate) async fn retry(scope: &Scope, source: &str, id: &str) -> Result<(), AppError> {
    if source == "batch" {
        return batches::resume(scope, id.parse()?).await;
    }
    let mut tx = scope.write(Action::ReplayQueues).await?;
    match source {
        "webhook" => webhooks::retry(&mut tx, id.parse()?).await?,
        "words" => words::retry(&mut tx, uuid(id)?).await?,
        "job" => jobs::retry(&mut tx, uuid(id)?).await?,
        _ => return Err(AppError::NotFound),
    }
    tx.commit().await
}

/// All failed work of a queue, or of all queues; of each table at most 10,000, the oldest first.
pub(crate) async fn retry_failed(scope: &Scope, queue: &str) -> Result<(), AppError> {
    let queue: Option<QueueName> = match queue {
        "" => None,
        word => Some(word.parse().map_err(|_| AppError::NotFound)?),
    };
    let mut tx = scope.write(Action::ReplayQueues).await?;
    retry_all(&mut tx, queue).await?;
    tx.commit().await
}

async fn retry_all(tx: &mut WriteTx, queue: Option<QueueName>) -> Result<(), AppError> {
    if queue.is_none_or(|queue| queue == QueueName::Webhooks) {
        webhooks::retry_failed(tx).await?;
    }
    if queue.is_none_or(|queue| queue == QueueName::Words) {
        words::retry_failed(tx).await?;
    }
    if queue.is_none_or(|queue| !matches!(queue, QueueName::Webhooks | QueueName::Words)) {
        let (only, without) = kinds(queue);
        jobs::retry_failed(tx, only.as_deref(), without.as_deref()).await?;
    }
    Ok(())
}

/// A failed piece of work is not tried again.
pub(crate) async fn discard(scope: &Scope, source: &str, id: &str) -> Result<(), AppError> {
    let mut tx = scope.write(Action::ReplayQueues).await?;
    match source {
        "webhook" => webhooks::discard(&mut tx, id.parse()?).await?,
        "words" => words::discard(&mut tx, uuid(id)?).await?,
        "job" => jobs::discard(&mut tx, uuid(id)?, &DISCARDABLE).await?,
        _ => return Err(AppError::NotFound),
    }
    tx.commit().await
}

fn uuid(text: &str) -> Result<uuid::Uuid, AppError> {
    text.parse().map_err(|_| AppError::NotFound)
}

/// Where a form leads back to: this list, as it was filtered.
pub(crate) fn back(address: &str) -> String {
    match address.strip_prefix("/queues") {
        Some("") => "/queues".to_owned(),
        Some(rest) if rest.starts_with('?') => format!("/queues{rest}"),
        _ => "/queues".to_owned(),
    }
}
