//! Having failed work tried again, and setting it aside.

use uuid::Uuid;

use super::store::kinds;
use crate::model::{AT_ONCE, DISCARDABLE, QueueName, QueueQuery, QueueView};
use patchbay_access::Action;
use patchbay_access::server::{Scope, WriteTx};
use patchbay_batches::server::ops as batches;
use patchbay_calls::server::stuck as words;
use patchbay_inbound_webhooks::server::stuck as webhooks;
use patchbay_jobs::stuck as jobs;
use patchbay_shared::AppError;

/// So much is tried again in one transaction.
const PIECE: i64 = 500;

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

/// The failed work that the list shows with these filters, the oldest of each table first and `AT_ONCE` at most. In pieces, each with its
/// event: a long transaction would hold up those who work on the queues.
pub(crate) async fn retry_failed(scope: &Scope, queue: &str, status: &str) -> Result<(), AppError> {
    let word = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    let query = QueueQuery { queue: word(queue), status: word(status), ..QueueQuery::default() };
    let is_odd = query.queue.is_some() && query.queue().is_none()
        || query.status.as_deref().is_some_and(|word| word.parse::<QueueView>().is_err());
    if is_odd {
        return Err(AppError::NotFound);
    }
    let mut left = if query.shows_failed() { AT_ONCE } else { 0 };
    for table in Table::of(query.queue()) {
        let mut after = Uuid::nil();
        loop {
            let most = left.min(PIECE);
            let mut tx = scope.write(Action::ReplayQueues).await?;
            let again = table.retry(&mut tx, query.queue(), after, most).await?;
            tx.commit().await?;
            left -= again.len() as i64;
            after = again.iter().copied().max().unwrap_or(after);
            if left <= 0 || (again.len() as i64) < most {
                break;
            }
        }
    }
    Ok(())
}

/// Where work stands that can be tried again at once.
#[derive(Debug, Clone, Copy)]
enum Table {
    Webhooks,
    Words,
    Jobs,
}

impl Table {
    fn of(queue: Option<QueueName>) -> &'static [Table] {
        match queue {
            None => &[Table::Webhooks, Table::Words, Table::Jobs],
            Some(QueueName::Webhooks) => &[Table::Webhooks],
            Some(QueueName::Words) => &[Table::Words],
            Some(_) => &[Table::Jobs],
        }
    }

    /// The oldest after `after`, `most` of them. Gives which.
    async fn retry(
        self,
        tx: &mut WriteTx,
        queue: Option<QueueName>,
        after: Uuid,
        most: i64,
    ) -> Result<Vec<Uuid>, AppError> {
        match self {
            Table::Webhooks => webhooks::retry_failed(tx, after, most).await,
            Table::Words => words::retry_failed(tx, after, most).await,
            Table::Jobs => {
                let (only, without) = kinds(queue);
                jobs::retry_failed(tx, (only.as_deref(), without.as_deref()), after, most).await
            }
        }
    }
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
