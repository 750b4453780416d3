//! What keeps a sync from going on: limits, trouble that passes, a sign-in that has ended, and what ends it.

use std::time::Duration;

use serde_json::json;

use super::{Cursor, Work, cursor_of, is_there};
use crate::model::SyncStatus;
use crate::server::store::{self, syncs};
use crate::server::tokens::{self, Lacking};
use crate::server::{crm, ops};
use patchbay_access::Action;
use patchbay_jobs::runner::Verdict;
use patchbay_providers::{Kind, ProviderError};
use patchbay_shared::AppError;

/// How long it waits for trouble to pass (each time longer), and for a limit that says nothing about it.
const STEP: Duration = Duration::from_secs(15);
const LIMIT: Duration = Duration::from_secs(10);
/// Tries in a row before a sync gives up, and lists that begin anew because the service forgot the place.
const MOST_TROUBLES: u32 = 10;
const MOST_RESTARTS: u32 = 3;

/// Nobody is signed in, or it is not known whether: the sync keeps its place.
pub(super) async fn lacks(work: &Work<'_>, sync: &syncs::Sync, lacking: Lacking) -> Result<Verdict, AppError> {
    match lacking {
        Lacking::Error(error) => Err(error),
        // No trouble of the service's: it does not count as one.
        Lacking::Renewing => {
            waits(work, sync, &cursor_of(sync)?, tokens::RENEWING).await?;
            Ok(Verdict::Later(tokens::MOMENT))
        }
        Lacking::Later(pause, words) => {
            let mut cursor = cursor_of(sync)?;
            cursor.troubles += 1;
            waits(work, sync, &cursor, &words).await?;
            Ok(Verdict::Later(pause))
        }
        Lacking::SignIn => {
            waits(work, sync, &cursor_of(sync)?, "It waits for a new sign-in.").await?;
            Ok(Verdict::Done)
        }
    }
}

pub(super) async fn waits(work: &Work<'_>, sync: &syncs::Sync, cursor: &Cursor, why: &str) -> Result<(), AppError> {
    let mut tx = work.scope.write(Action::ManageIntegrations).await?;
    let now = syncs::lock(&mut tx, sync.id).await?;
    if is_there(&now, sync) {
        syncs::set_waiting(&mut tx, sync.id, &json!(cursor), why).await?;
        tx.notify(ops::topic(work.integration.id), work.integration.client_id);
        tx.commit().await?;
    }
    Ok(())
}

/// The service did not do what a step asked.
pub(super) async fn trouble(work: &Work<'_>, sync: &syncs::Sync, error: &ProviderError) -> Result<Verdict, AppError> {
    let mut cursor = cursor_of(sync)?;
    let is_limit = error.kind == Kind::RateLimited;
    if is_limit || (error.is_passing_trouble() && cursor.troubles < MOST_TROUBLES) {
        let pause = error.retry_after.unwrap_or(if is_limit { LIMIT } else { STEP * (cursor.troubles + 1) });
        let mut tx = work.scope.write(Action::ManageIntegrations).await?;
        let until = tx.reading().now().await? + chrono::Duration::from_std(pause).unwrap_or_default();
        store::set_wait(&mut tx, work.integration.id, Some(until)).await?;
        tx.commit().await?;
        cursor.troubles += u32::from(!is_limit);
        waits(work, sync, &cursor, &error.sentence()).await?;
        return Ok(Verdict::Later(pause));
    }
    // A service forgets the place in a list after a while: it is asked anew, and what was taken before changes nothing.
    let is_forgotten = matches!(error.kind, Kind::Rejected | Kind::NotFound) && error.status != Some(402);
    if is_forgotten && cursor.next.is_some() && cursor.restarts < MOST_RESTARTS {
        let anew = Cursor { next: None, restarts: cursor.restarts + 1, ..cursor };
        waits(work, sync, &anew, "The service forgot the place in its list, so it is read from the beginning.").await?;
        return Ok(Verdict::Later(Duration::ZERO));
    }
    fail(work, sync, &error.sentence()).await?;
    Ok(Verdict::Done)
}

/// The sync is over without its end. The next one begins where this one did.
pub(crate) async fn fail(work: &Work<'_>, sync: &syncs::Sync, why: &str) -> Result<(), AppError> {
    let mut tx = work.scope.write(Action::ManageIntegrations).await?;
    // Both are held before it ends: whoever begins another one holds the integration and waits for this one's end.
    syncs::lock(&mut tx, sync.id).await?;
    let integration = store::lock(&mut tx, work.integration.id).await?;
    if syncs::end(&mut tx, sync.id, SyncStatus::Failed, Some(why), false).await? {
        ops::broken(&mut tx, integration.id, why, false).await?;
        let every = work.config.settings.every_minutes;
        if every > 0 {
            // A broken one is tried again by the clock: it may have been mended there.
            let at = tx.reading().now().await? + chrono::TimeDelta::minutes(i64::from(every.max(15)));
            store::set_next(&mut tx, integration.id, false, Some(at)).await?;
        }
        tx.notify(ops::topic(integration.id), integration.client_id);
    }
    tx.commit().await
}

/// What the service said of its limits, for the page.
pub(super) async fn note_limit(work: &Work<'_>, open: &crm::Open) -> Result<(), AppError> {
    let Some(limit) = open.crm.limit() else { return Ok(()) };
    let mut tx = work.scope.write(Action::ManageIntegrations).await?;
    let at = tx.reading().now().await?;
    let said = json!({
        "most": limit.most, "left": limit.left, "seconds": limit.seconds, "daily_most": limit.daily_most,
        "daily_left": limit.daily_left, "at": at,
    });
    store::set_limit(&mut tx, work.integration.id, &said).await?;
    tx.commit().await
}
