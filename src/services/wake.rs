use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use tokio::sync::Notify;

/// Wakes workers of this process by queue name, so that an idle queue need not be polled fast.
#[derive(Clone, Default)]
pub struct Wakers {
    by_queue: Arc<Mutex<HashMap<&'static str, Arc<Notify>>>>,
}

impl Wakers {
    /// The channel of one queue.
    pub fn channel(&self, queue: &'static str) -> Arc<Notify> {
        let mut map = self.by_queue.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        map.entry(queue).or_default().clone()
    }

    pub fn wake(&self, queue: &'static str) {
        self.channel(queue).notify_one();
    }
}
