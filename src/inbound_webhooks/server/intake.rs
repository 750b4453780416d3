//! Puts genuine events on disk. Events that come at the same time share a transaction, and each is acknowledged after its commit.
//!
//! The surprising part: who waits for whom. An event that comes alone is written at once, and what comes while it is on its way is the next
//! transaction. Only after a transaction of several events does the next one wait a moment, for those who were just answered: in a flood
//! they come again at once, and would else be half of the senders in turn. Each workspace has a line of its own, so a flood of one holds
//! up nobody else, and a sender who hangs up leaves its event in the line.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{Notify, oneshot};

use super::store::{self, NewWebhook};
use patchbay_access::Action;
use patchbay_access::server::{Db, Scope};
use patchbay_shared::AppError;
use patchbay_shared::ids::WorkspaceId;

/// Events of a transaction, and the bytes of their bodies.
const EVENTS: usize = 200;
const BYTES: usize = 4 << 20;
/// The longest wait for those who were just answered. It is never longer than half of what the last transaction took.
const COMPANY: Duration = Duration::from_millis(5);
/// Bytes that may wait in a workspace's line. Who sends more is asked to come again.
const WAITING_BYTES: usize = 64 << 20;

/// An event in line, and whom to tell that it is stored.
struct Waiting {
    new: NewWebhook,
    done: oneshot::Sender<bool>,
}

#[derive(Default)]
struct Line {
    waiting: VecDeque<Waiting>,
    bytes: usize,
    /// So many are enough for the next transaction, and who is told when they are there.
    wanted: usize,
    enough: Arc<Notify>,
}

impl Line {
    fn push(&mut self, waiting: Waiting) {
        self.bytes += waiting.new.body.len();
        self.waiting.push_back(waiting);
        if self.waiting.len() == self.wanted || self.bytes >= BYTES {
            self.enough.notify_one();
        }
    }
}

type Place = (WorkspaceId, &'static str);

/// The lines that are being written. A line is here while a task works on it.
#[derive(Default)]
struct Lines(Mutex<HashMap<Place, Line>>);

impl Lines {
    fn lock(&self) -> MutexGuard<'_, HashMap<Place, Line>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until as many as were just answered have come to those who wait already, but not for long.
    async fn gather(&self, place: &Place, answered: usize, most: Duration) {
        let enough = {
            let mut lines = self.lock();
            let Some(line) = lines.get_mut(place) else { return };
            line.wanted = (line.waiting.len() + answered).min(EVENTS);
            if answered < 2 || line.waiting.len() == line.wanted || line.bytes >= BYTES {
                return;
            }
            Arc::clone(&line.enough)
        };
        // Too late is as good: whoever is there goes.
        let _ = tokio::time::timeout(most, enough.notified()).await;
    }

    /// What is written next. Nothing: the line is over.
    fn next(&self, place: &Place) -> Vec<Waiting> {
        let mut lines = self.lock();
        let Some(line) = lines.get_mut(place) else { return Vec::new() };
        let (mut next, mut bytes) = (Vec::new(), 0);
        while let Some(first) = line.waiting.front() {
            bytes += first.new.body.len();
            if !next.is_empty() && (next.len() >= EVENTS || bytes > BYTES) {
                break;
            }
            line.bytes = line.bytes.saturating_sub(first.new.body.len());
            next.extend(line.waiting.pop_front());
        }
        if next.is_empty() {
            lines.remove(place);
        }
        next
    }
}

/// Stores a genuine event. True: it is on disk, whether it was new or there already.
pub(crate) async fn take(db: Db, workspace: WorkspaceId, provider: &'static str, new: NewWebhook) -> bool {
    let lines = db.services().state::<Lines>();
    let (done, stored) = oneshot::channel();
    let place = (workspace, provider);
    let bytes = new.body.len();
    let waiting = Waiting { new, done };
    match lines.lock().entry(place) {
        Entry::Occupied(line) if line.get().bytes + bytes > WAITING_BYTES => {
            tracing::warn!(provider, %workspace, "too many webhooks wait to be stored; the sender is asked to come again");
            return false;
        }
        Entry::Occupied(mut line) => line.get_mut().push(waiting),
        Entry::Vacant(free) => {
            free.insert(Line::default()).push(waiting);
            tokio::spawn(work(db.clone(), place, OpenLine { place, lines: Arc::clone(&lines), is_over: false }));
        }
    }
    stored.await.unwrap_or(false)
}

/// A line that is worked on. Dropped by a panic, those in line hear that they are not stored, and the next event opens a new one.
struct OpenLine {
    place: Place,
    lines: Arc<Lines>,
    is_over: bool,
}

impl Drop for OpenLine {
    fn drop(&mut self) {
        if !self.is_over {
            self.lines.lock().remove(&self.place);
        }
    }
}

async fn work(db: Db, (workspace, provider): Place, mut line: OpenLine) {
    let scope = Scope::of_webhook(db, workspace, provider);
    loop {
        let next = line.lines.next(&line.place);
        if next.is_empty() {
            // Nothing came since. Another line may be open by now, and is not ours.
            line.is_over = true;
            return;
        }
        let (events, senders): (Vec<NewWebhook>, Vec<oneshot::Sender<bool>>) =
            next.into_iter().map(|waiting| (waiting.new, waiting.done)).unzip();
        let begun = Instant::now();
        let written = write(&scope, &events).await;
        let took = begun.elapsed();
        // One that cannot be stored leaves the others alone. Without a database each would wait for one.
        let mut tries = events.len() > 1 && matches!(&written, Err(error) if !is_down(error));
        let all_stored = said(workspace, provider, &written);
        for (event, sender) in events.iter().zip(senders) {
            let mut stored = all_stored;
            if tries {
                let alone = write(&scope, std::slice::from_ref(event)).await;
                tries = !matches!(&alone, Err(error) if is_down(error));
                stored = said(workspace, provider, &alone);
            }
            // Whoever hung up does not hear it.
            let _ = sender.send(stored);
        }
        line.lines.gather(&line.place, events.len(), COMPANY.min(took / 2)).await;
    }
}

fn is_down(error: &AppError) -> bool {
    matches!(error, AppError::Transport(_))
}

fn said(workspace: WorkspaceId, provider: &str, written: &Result<(), AppError>) -> bool {
    if let Err(error) = written {
        tracing::warn!(provider, %workspace, cause = %error, "a webhook could not be stored");
    }
    written.is_ok()
}

async fn write(scope: &Scope, events: &[NewWebhook]) -> Result<(), AppError> {
    let mut tx = scope.write(Action::ReplayQueues).await?;
    let new = store::insert(&mut tx, events).await?;
    tx.commit().await?;
    for (fresh, count) in [("yes", new), ("no", (events.len() as u64).saturating_sub(new))] {
        if count > 0 {
            let provider = events.first().map_or("", |event| event.provider);
            metrics::counter!("patchbay_webhook_events_total", "provider" => provider, "new" => fresh).increment(count);
        }
    }
    Ok(())
}
