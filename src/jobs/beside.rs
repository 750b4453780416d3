//! What work starts beside itself and does not wait for.

use std::sync::Arc;

use tokio::sync::watch;

tokio::task_local! {
    pub(crate) static BESIDE: Beside;
}

/// What work has started beside itself and is not over yet.
#[derive(Clone)]
pub(crate) struct Beside(Arc<watch::Sender<usize>>);

impl Default for Beside {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(0)))
    }
}

impl Beside {
    pub async fn ended(&self) {
        // Fails only when there is no sender any more, and we are one.
        let _ = self.0.subscribe().wait_for(|count| *count == 0).await;
    }
}

/// Counts until it is dropped, also by a panic.
struct Turn(Beside);

impl Drop for Turn {
    fn drop(&mut self) {
        self.0.0.send_modify(|count| *count -= 1);
    }
}

/// Starts something that goes on beside a piece of work and is not waited for by it. Whoever runs the work waits for it before stopping.
pub fn beside<F>(future: F)
where
    F: Future<Output = ()> + Send + 'static,
{
    let Ok(beside) = BESIDE.try_with(Clone::clone) else {
        tokio::spawn(future);
        return;
    };
    beside.0.send_modify(|count| *count += 1);
    let turn = Turn(beside.clone());
    tokio::spawn(BESIDE.scope(beside, async move {
        let _turn = turn;
        future.await;
    }));
}
