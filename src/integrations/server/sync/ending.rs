//! How a sync ends that came through, and what follows it.

use chrono::{DateTime, Utc};
use serde_json::json;

use super::{Cursor, Work, insert};
use crate::model::{CrmConfig, Reach, SyncStatus, SyncType};
use crate::server::jobs::StartSync;
use crate::server::ops;
use crate::server::store::{self, Integration, pending, syncs};
use patchbay_access::server::WriteTx;
use patchbay_jobs::NewJob;
use patchbay_shared::AppError;

/// How far a service's clock may be behind ours.
const SKEW: chrono::TimeDelta = chrono::TimeDelta::minutes(5);

/// The sync has come to its end: up to where all is known now, and when the next one is due.
pub(super) async fn finish(
    tx: &mut WriteTx,
    work: &Work<'_>,
    sync: &syncs::Sync,
    cursor: &Cursor,
) -> Result<(), AppError> {
    let integration = store::lock(tx, work.integration.id).await?;
    let now = tx.reading().now().await?;
    let mut config = integration.config::<CrmConfig>();
    let mapped_at: Option<DateTime<Utc>> = config.mapped_at.as_deref().and_then(|text| text.parse().ok());
    // It was read without a field that was matched meanwhile.
    let is_old = sync.kind == SyncType::Contacts && mapped_at.is_some_and(|at| at > cursor.began);
    let is_read = sync.reach != Reach::Retry && !cursor.rests;
    let text = |at: DateTime<Utc>| at.to_rfc3339_opts(chrono::SecondsFormat::Micros, true);
    if is_read && !is_old {
        if sync.kind == SyncType::Activities && cursor.reads {
            config.activities_missing = cursor.missing.clone();
            if cursor.since.is_none() {
                config.activities_whole_at = Some(text(cursor.began));
            }
        }
        if sync.kind == SyncType::Contacts {
            config.mapped_at = None;
        }
        let slot = match sync.kind {
            SyncType::Contacts => Some(&mut config.contacts_until),
            SyncType::Deals => Some(&mut config.deals_until),
            SyncType::Activities => Some(&mut config.activities_until).filter(|_| cursor.reads),
        };
        if let Some(slot) = slot {
            *slot = Some(text(cursor.began - SKEW));
        }
    }
    if sync.kind == SyncType::Contacts && sync.reach != Reach::Retry && !is_old {
        (config.read_at, config.read_soon_at) = (Some(text(now)), None);
    }
    store::set_config(tx, integration.id, &json!(config)).await?;
    let note = cursor
        .rests
        .then_some("Nothing was read: the day’s requests at the service are nearly used up. What is written goes on.");
    syncs::end(tx, sync.id, SyncStatus::Success, note, false).await?;
    let mut then = cursor.then.clone();
    if then.is_empty() {
        let next = next_time(tx, &integration, &config, now).await?;
        store::set_next(tx, integration.id, true, next).await?;
        if let Some(at) = next {
            let job = StartSync { integration: integration.id };
            patchbay_jobs::enqueue(tx, &job, NewJob { run_at: Some(at) }).await?;
        }
    } else {
        let kind = then.remove(0);
        store::set_next(tx, integration.id, true, integration.next_sync_at).await?;
        let changed = Integration { config: json!(config), ..integration.clone() };
        insert(tx, &changed, kind, sync.reach, then, sync.user, true).await?;
    }
    store::set_wait(tx, integration.id, None).await?;
    ops::works(tx, integration.id).await?;
    tx.notify(ops::topic(integration.id), integration.client_id);
    tx.notify(patchbay_jobs::live::Topic::list("integrations"), integration.client_id);
    Ok(())
}

/// When the next sync is due: by the clock, or earlier because something waits to be written.
async fn next_time(
    tx: &mut WriteTx,
    integration: &Integration,
    config: &CrmConfig,
    now: DateTime<Utc>,
) -> Result<Option<DateTime<Utc>>, AppError> {
    if config.settings.every_minutes == 0 {
        return Ok(None);
    }
    let read_at: Option<DateTime<Utc>> = config.read_at.as_deref().and_then(|text| text.parse().ok());
    let every = chrono::TimeDelta::minutes(i64::from(config.settings.every_minutes));
    let regular = match read_at {
        None if config.mapped_at.is_some() => now,
        last => last.unwrap_or(now) + every,
    };
    let soon: Option<DateTime<Utc>> = config.read_soon_at.as_deref().and_then(|text| text.parse().ok());
    let regular = soon.map_or(regular, |at| at.min(regular));
    let waiting = pending::earliest(tx.reading(), integration.id).await?;
    Ok(Some(waiting.map_or(regular, |at| at.min(regular)).max(now + chrono::TimeDelta::seconds(5))))
}
