//! The worker that sends deliveries: takes what is due, fairly by endpoint, and sends it, each in a task of its own, so that a slow
//! receiver holds up nobody else. A delivery whose worker was lost is sent again with the same id once its lease has run out.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::attempt::{self, Ends, Parcels};
use super::store::queue::{self, Claimed};
use patchbay_access::server::Db;
use patchbay_shared::AppError;
use patchbay_shared::ids::WorkspaceId;

/// What wakes the worker.
pub(crate) const CHANNEL: &str = "deliveries";
/// Requests of this process that are on their way at once.
const AT_ONCE: usize = 64;
/// How often an idle worker looks without being woken.
const POLL: Duration = Duration::from_secs(1);
/// How long it waits for others that end with one, so that not each costs a look of its own.
const BREATH: Duration = Duration::from_millis(1);
/// How often it looks for what lost workers held.
const REAP: Duration = Duration::from_secs(10);
/// How long what is on its way may take after a stop: as long as a try may.
const DRAIN: Duration = Duration::from_secs(20);

/// Sends until `stop`, then lets what is on its way finish, and gives the rest back.
pub async fn run(db: Db, stop: CancellationToken) {
    let owner = Uuid::now_v7();
    let channel = db.wakers().channel(CHANNEL);
    let ends = Ends::of(owner);
    let reaping = tokio::spawn(reap(db.clone()));
    let mut running = JoinSet::<()>::new();
    while !stop.is_cancelled() {
        while running.try_join_next().is_some() {}
        let free = AT_ONCE - running.len().min(AT_ONCE);
        let taken = if free == 0 { Vec::new() } else { take(&db, owner, free).await };
        let (full, any) = (taken.len() == free, !taken.is_empty());
        for (claimed, parcels) in attempt::of_each(taken) {
            running.spawn(send(db.clone(), ends.clone(), claimed, parcels));
        }
        if full && any {
            continue;
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = channel.notified() => {}
            // A place at some endpoint is free again.
            Some(_) = running.join_next(), if !running.is_empty() => tokio::time::sleep(BREATH).await,
            () = tokio::time::sleep(POLL) => {}
        }
    }
    let all = async { while running.join_next().await.is_some() {} };
    let drained = tokio::time::timeout(DRAIN, all).await;
    reaping.abort();
    if drained.is_err() {
        running.abort_all();
    }
    match queue::release(&db, owner).await {
        Ok(0) => {}
        Ok(released) => tracing::info!(released, "gave deliveries back"),
        Err(error) => tracing::warn!(cause = %error, "deliveries go on when their leases have run out"),
    }
}

/// Sends what is due in one workspace until nothing is. Gives how many tries that were. For tests, which have no worker.
pub async fn drain(db: &Db, workspace: WorkspaceId) -> Result<usize, AppError> {
    let (owner, mut running, mut done) = (Uuid::now_v7(), JoinSet::<()>::new(), 0);
    let ends = Ends::of(owner);
    queue::reap(db).await?;
    loop {
        while running.try_join_next().is_some() {}
        let free = AT_ONCE - running.len().min(AT_ONCE);
        let taken = queue::claim(db, owner, i64::try_from(free).unwrap_or(1), Some(workspace)).await?;
        done += taken.len();
        for (claimed, parcels) in attempt::of_each(taken) {
            running.spawn(send(db.clone(), ends.clone(), claimed, parcels));
        }
        if running.join_next().await.is_none() {
            return Ok(done);
        }
        tokio::time::sleep(BREATH).await;
    }
}

async fn take(db: &Db, owner: Uuid, free: usize) -> Vec<Claimed> {
    match queue::claim(db, owner, i64::try_from(free).unwrap_or(1), None).await {
        Ok(taken) => taken,
        Err(error) => {
            tracing::warn!(cause = %error, "could not take deliveries; trying again");
            tokio::time::sleep(POLL).await;
            Vec::new()
        }
    }
}

/// One try. What goes wrong here is ours: the lease runs out, and it is tried again.
async fn send(db: Db, ends: Arc<Ends>, claimed: Claimed, parcels: Arc<Parcels>) {
    let begun = std::time::Instant::now();
    let word = match attempt::make(db, ends, claimed, parcels).await {
        Ok(word) => word,
        Err(error) => {
            tracing::warn!(id = %claimed.id, cause = %error, "a delivery will be tried again in a minute");
            "broken"
        }
    };
    metrics::counter!("patchbay_deliveries_total", "result" => word).increment(1);
    metrics::histogram!("patchbay_delivery_seconds").record(begun.elapsed().as_secs_f64());
}

async fn reap(db: Db) {
    loop {
        match queue::reap(&db).await {
            Ok(0) => {}
            Ok(taken) => tracing::warn!(taken, "took back deliveries of lost workers"),
            Err(error) => tracing::warn!(cause = %error, "could not look for deliveries of lost workers"),
        }
        tokio::time::sleep(REAP).await;
    }
}
