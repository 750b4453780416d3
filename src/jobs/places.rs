//! How much of a queue a process works on at once.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Places' worth of work that may wait for being written down.
const UNWRITTEN: usize = 4;
/// The longest that a free place waits for others.
const MOMENT: Duration = Duration::from_millis(1);

/// The places of one queue. Work that is over and only waits for being written down holds none.
pub(crate) struct Places {
    all: Arc<Semaphore>,
    count: usize,
}

/// A place, until it is dropped.
pub(crate) type Place = OwnedSemaphorePermit;

impl Places {
    pub fn new(count: usize) -> Self {
        Self { all: Arc::new(Semaphore::new(count)), count }
    }

    /// Whether so many pieces of work, written down or not, are enough for now.
    pub fn is_crowded(&self, running: usize) -> bool {
        running >= self.count * UNWRITTEN
    }

    pub fn free(&self) -> usize {
        self.all.available_permits()
    }

    pub fn take(&self) -> Option<Place> {
        Arc::clone(&self.all).try_acquire_owned().ok()
    }

    /// Comes back when half of the places are free, or a moment after the first, so that claims are not taken one by one.
    pub async fn room(&self) {
        let _first = self.all.acquire().await;
        let half = u32::try_from(self.count / 2).unwrap_or(u32::MAX);
        let _ = tokio::time::timeout(MOMENT, self.all.acquire_many(half)).await;
    }
}
