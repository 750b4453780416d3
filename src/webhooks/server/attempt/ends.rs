//! Writes down what came of tries. What ends in an agency while others of it are being written goes together with its like: one transaction
//! for many. Agencies do not wait for each other.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;
use uuid::Uuid;

use super::answer::Verdict;
use super::sent::{self, Attempt, Then};
use super::{Claimed, next_wait, notify, queue, store};
use crate::server::off;
use patchbay_access::Action;
use patchbay_access::server::{Scope, WriteTx};
use patchbay_shared::ids::{WebhookEndpointId, WorkspaceId};
use patchbay_shared::{AppError, Reason};

/// How often it is tried anew to write down what came of a try, with a second more before each: well within the lease.
const TRIES: u64 = 6;
/// The most that one transaction writes: what goes out for one agency at once.
const MOST: usize = 64;
/// Another worker sends it by now, or has.
const TAKEN_OVER: &str = "taken over";

/// A try that is over, and what it has shown.
pub(super) struct End {
    pub claimed: Claimed,
    pub is_test: bool,
    /// Tries in a row, this one too.
    pub tries: i32,
    pub attempt: Attempt,
    pub verdict: Verdict,
}

/// An end that is to be written, and whom to tell what became of it. Not told: it was not written.
type Waiting = (Arc<End>, oneshot::Sender<&'static str>);

/// Ends of a worker's tries.
pub(in crate::server) struct Ends {
    /// Who holds their leases.
    pub(in crate::server) owner: Uuid,
    /// What waits, of each agency that somebody writes for.
    waiting: Mutex<HashMap<WorkspaceId, Vec<Waiting>>>,
}

impl Ends {
    pub(in crate::server) fn of(owner: Uuid) -> Arc<Self> {
        Arc::new(Self { owner, waiting: Mutex::default() })
    }

    fn all(&self) -> MutexGuard<'_, HashMap<WorkspaceId, Vec<Waiting>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes an end, with what else waits of its agency. Gives what came of it, in a word.
    pub(super) async fn write(&self, scope: &Scope, end: End) -> Result<&'static str, AppError> {
        let (end, workspace) = (Arc::new(end), scope.workspace_id());
        let (written, is_written) = oneshot::channel();
        let writes_for_all = {
            let mut all = self.all();
            let nobody = !all.contains_key(&workspace);
            all.entry(workspace).or_default().push((end.clone(), written));
            nobody
        };
        if writes_for_all {
            self.write_all(scope, workspace).await;
        }
        match is_written.await {
            Ok(word) => Ok(word),
            Err(_) => self.write_alone(scope, end).await,
        }
    }

    /// Writes what waits of an agency until nothing does. What is refused together is left to each alone.
    async fn write_all(&self, scope: &Scope, workspace: WorkspaceId) {
        let mut turn = Turn { ends: self, workspace, is_over: false };
        while let Some(some) = turn.next() {
            let ends: Vec<&End> = some.iter().map(|(end, _)| &**end).collect();
            match settle(scope, self.owner, &ends).await {
                Ok(words) => {
                    for ((_, written), word) in some.into_iter().zip(words) {
                        let _ = written.send(word);
                    }
                }
                Err(error) => {
                    tracing::warn!(many = some.len(), cause = %error, "what came of deliveries was not written down; trying each again");
                }
            }
        }
    }

    /// What the receiver has taken must not be sent again only because the database was away for a moment. The lease holds meanwhile.
    async fn write_alone(&self, scope: &Scope, end: Arc<End>) -> Result<&'static str, AppError> {
        let mut tries = 0;
        loop {
            match settle(scope, self.owner, &[&*end]).await {
                Ok(words) => return Ok(words.first().copied().unwrap_or(TAKEN_OVER)),
                Err(error) if tries < TRIES => {
                    tries += 1;
                    tracing::warn!(id = %end.claimed.id, tries, cause = %error, "what came of a delivery was not written down; trying again");
                    tokio::time::sleep(Duration::from_secs(tries)).await;
                }
                Err(error) => return Err(error),
            }
        }
    }
}

/// Somebody writes for an agency. However that ends, the next one may begin.
struct Turn<'a> {
    ends: &'a Ends,
    workspace: WorkspaceId,
    is_over: bool,
}

impl Turn<'_> {
    /// What waits, some of it. None: nothing, and the turn is over.
    fn next(&mut self) -> Option<Vec<Waiting>> {
        let mut all = self.ends.all();
        let waiting = all.get_mut(&self.workspace)?;
        if waiting.is_empty() {
            all.remove(&self.workspace);
            self.is_over = true;
            return None;
        }
        let most = waiting.len().min(MOST);
        Some(waiting.drain(..most).collect())
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        if !self.is_over {
            self.ends.all().remove(&self.workspace);
        }
    }
}

/// Writes tries of an agency. The endpoints first, in the order of their ids, then the deliveries, as everywhere. Gives a word for each.
async fn settle(scope: &Scope, owner: Uuid, ends: &[&End]) -> Result<Vec<&'static str>, AppError> {
    let mut tx = scope.write(Action::ManageWebhooks).await?;
    let mut endpoints: BTreeMap<Uuid, Vec<&End>> = BTreeMap::new();
    for end in ends {
        endpoints.entry(end.claimed.endpoint.0).or_default().push(end);
    }
    for (endpoint, its) in endpoints {
        settle_endpoint(&mut tx, WebhookEndpointId(endpoint), &its).await?;
    }
    let mut words = Vec::with_capacity(ends.len());
    for end in ends {
        let id = end.claimed.id;
        let (is_ours, then, word) = match end.wait() {
            Some(wait) => match queue::give_back(&mut tx, id, owner, wait).await? {
                Some(at) => (true, Then::Again(at), "again"),
                None => (false, Then::Failed, ""),
            },
            None => match (queue::take_out(&mut tx, id, owner).await?, end.verdict) {
                (is_ours, Verdict::Delivered) => (is_ours, Then::Delivered, "delivered"),
                (is_ours, _) => (is_ours, Then::Failed, "failed"),
            },
        };
        // Whoever has taken it over writes down its own try.
        if is_ours {
            sent::tried(&mut tx, id, &end.attempt, &then).await?;
        }
        words.push(if is_ours { word } else { TAKEN_OVER });
    }
    // What was taken over says nothing about the endpoint: nothing of it is kept, and the others are written without it.
    if words.contains(&TAKEN_OVER) {
        return match ends.len() {
            1 => Ok(words),
            _ => Err(AppError::Conflict(Reason::WrongState, "Some were taken over.".to_owned())),
        };
    }
    tx.commit().await?;
    Ok(words)
}

/// What these tries, in their order, say about their endpoint.
async fn settle_endpoint(tx: &mut WriteTx, endpoint: WebhookEndpointId, its: &[&End]) -> Result<(), AppError> {
    let works = its.iter().rposition(|end| end.verdict == Verdict::Delivered);
    let fails = its.iter().rposition(|end| !end.is_test && matches!(end.verdict, Verdict::Failed { .. }));
    if works.is_some() {
        store::works(tx, endpoint).await?;
    }
    let mut reason = None;
    if fails > works && store::fails(tx, endpoint).await? {
        reason = Some(off::HOPELESS);
    }
    if its.iter().any(|end| end.verdict == Verdict::Gone) {
        reason = Some(off::GONE);
    }
    if let Some(reason) = reason {
        off::switch_off(tx, endpoint, reason).await?;
    }
    notify(tx, endpoint);
    Ok(())
}

impl End {
    /// How long until the next try. None: this was the last one.
    fn wait(&self) -> Option<Duration> {
        match self.verdict {
            // Whoever sent a test sees at once what came of it.
            Verdict::Failed { .. } if self.is_test => None,
            Verdict::Failed { wait } => next_wait(self.tries, wait),
            Verdict::Delivered | Verdict::Gone => None,
        }
    }
}
