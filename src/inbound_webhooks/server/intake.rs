//! Puts genuine events on disk. Events that come at the same time share a transaction, and each is acknowledged after its commit.
//!
//! The surprising part: who waits for whom. An event that comes alone is written at once, and what comes while it is on its way is the next
//! transaction. In a flood two transactions of a line take turns: while one is on its way to the disk, the other is made. After a
//! transaction of several events the next one waits a moment, for those who were just answered: they come again at once, and the
//! transactions would else grow ever smaller. Each workspace has a line of its own, so a flood of one holds up nobody else, and a sender who
//! hangs up leaves its event in the line.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

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
/// Transactions of a line at a time: one that is made, and one on its way to the disk.
const WRITERS: usize = 2;
/// Fewer events than these are not worth a second transaction.
const WORTH: usize = 8;

/// An event in line, and whom to tell that it is stored.
struct Waiting {
    new: NewWebhook,
    done: oneshot::Sender<bool>,
}

/// A writer that waits until so many events are there.
struct Gathering {
    wanted: usize,
    hand: oneshot::Sender<Vec<Waiting>>,
}

#[derive(Default)]
struct Line {
    waiting: VecDeque<Waiting>,
    bytes: usize,
    /// Tasks that write this line.
    writers: usize,
    /// Those of them that wait for more.
    gathering: VecDeque<Gathering>,
    /// Events of the last transaction.
    last: usize,
}

impl Line {
    fn push(&mut self, waiting: Waiting) {
        self.bytes += waiting.new.body.len();
        self.waiting.push_back(waiting);
        // Those who have stopped waiting take what there is themselves.
        self.gathering.retain(|writer| !writer.hand.is_closed());
        let Some(place) = self.gathering.iter().position(|writer| self.has(writer.wanted)) else { return };
        let Some(Gathering { hand, .. }) = self.gathering.remove(place) else { return };
        let group = self.cut();
        if let Err(group) = hand.send(group) {
            // That one has stopped in this very moment.
            self.put_back(group);
        }
    }

    fn has(&self, wanted: usize) -> bool {
        self.waiting.len() >= wanted || self.bytes >= BYTES
    }

    /// Whether another writer would be of use.
    fn wants_writer(&self) -> bool {
        self.writers == 0 || (self.writers < WRITERS && self.has(WORTH.max(self.last / 2)))
    }

    /// The events of the next transaction.
    fn cut(&mut self) -> Vec<Waiting> {
        let (mut next, mut bytes) = (Vec::new(), 0);
        while let Some(first) = self.waiting.front() {
            bytes += first.new.body.len();
            if !next.is_empty() && (next.len() >= EVENTS || bytes > BYTES) {
                break;
            }
            self.bytes = self.bytes.saturating_sub(first.new.body.len());
            next.extend(self.waiting.pop_front());
        }
        if !next.is_empty() {
            self.last = next.len();
        }
        next
    }

    fn put_back(&mut self, group: Vec<Waiting>) {
        for waiting in group.into_iter().rev() {
            self.bytes += waiting.new.body.len();
            self.waiting.push_front(waiting);
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
}

/// Stores a genuine event. True: it is on disk, whether it was new or there already.
pub(crate) async fn take(db: Db, workspace: WorkspaceId, provider: &'static str, new: NewWebhook) -> bool {
    let lines = db.services().state::<Lines>();
    let (done, stored) = oneshot::channel();
    let place = (workspace, provider);
    {
        let mut open = lines.lock();
        let line = open.entry(place).or_default();
        if line.writers > 0 && line.bytes + new.body.len() > WAITING_BYTES {
            tracing::warn!(provider, %workspace, "too many webhooks wait to be stored; the sender is asked to come again");
            return false;
        }
        line.push(Waiting { new, done });
        if line.wants_writer() {
            line.writers += 1;
            tokio::spawn(work(db.clone(), Writer { place, lines: Arc::clone(&lines), counts: true }));
        }
    }
    stored.await.unwrap_or(false)
}

/// One of the tasks that write a line. When the last one ends, the line is over: those who are still in it, after a panic, hear that they
/// are not stored, and the next event opens a new one.
struct Writer {
    place: Place,
    lines: Arc<Lines>,
    counts: bool,
}

impl Writer {
    /// What is written next. Waits until as many have come as were just answered, but not for long. Nothing: this writer is done.
    async fn next(&mut self, answered: usize, most: Duration) -> Vec<Waiting> {
        let mut handed = {
            let mut lines = self.lines.lock();
            match lines.get_mut(&self.place) {
                Some(line) if answered > 1 && !line.has(answered) => {
                    let (hand, handed) = oneshot::channel();
                    line.gathering.push_back(Gathering { wanted: answered, hand });
                    handed
                }
                _ => {
                    drop(lines);
                    return self.cut();
                }
            }
        };
        if let Ok(Ok(group)) = tokio::time::timeout(most, &mut handed).await {
            return group;
        }
        // Too late is as good: whoever is there goes. The last one may have come in this very moment.
        handed.close();
        handed.try_recv().unwrap_or_else(|_| self.cut())
    }

    fn cut(&mut self) -> Vec<Waiting> {
        let lines = Arc::clone(&self.lines);
        let mut lines = lines.lock();
        let next = lines.get_mut(&self.place).map(Line::cut).unwrap_or_default();
        if next.is_empty() {
            self.leave(&mut lines);
        }
        next
    }

    fn leave(&mut self, lines: &mut HashMap<Place, Line>) {
        if std::mem::take(&mut self.counts)
            && let Some(line) = lines.get_mut(&self.place)
        {
            line.writers -= 1;
            if line.writers == 0 {
                lines.remove(&self.place);
            }
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        let lines = Arc::clone(&self.lines);
        self.leave(&mut lines.lock());
    }
}

async fn work(db: Db, mut writer: Writer) {
    let (workspace, provider) = writer.place;
    let scope = Scope::of_webhook(db, workspace, provider);
    let (mut answered, mut most) = (0, Duration::ZERO);
    loop {
        let next = writer.next(answered, most).await;
        if next.is_empty() {
            return;
        }
        let (events, senders): (Vec<NewWebhook>, Vec<oneshot::Sender<bool>>) =
            next.into_iter().map(|waiting| (waiting.new, waiting.done)).unzip();
        let begun = Instant::now();
        let written = write(&scope, &events).await;
        (answered, most) = (events.len(), COMPANY.min(begun.elapsed() / 2));
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
