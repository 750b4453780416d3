use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::lease::{self, Claim, JOBS, Table};
use super::queue::{JOBS_CHANNEL, Job};
use patchbay_access::server::{Db, Machine, Scope, SystemTx};
use patchbay_runner_key::RunnerKey;
use patchbay_shared::AppError;
use patchbay_shared::ids::WorkspaceId;

/// How a piece of work ended.
#[derive(Debug)]
pub enum Verdict {
    /// Done; the runner marks it.
    Done,
    /// Done and already marked, in the same transaction as its effect.
    Marked,
    /// Not finished: come back after this long. Does not count as an attempt.
    Later(Duration),
}

/// Why a piece of work failed.
#[derive(Debug)]
pub struct Failure {
    /// For the person who reads the queue's page: no secrets.
    pub error: String,
    pub retry_after: Option<Duration>,
    /// Trying again cannot help.
    pub permanent: bool,
}

impl From<AppError> for Failure {
    fn from(error: AppError) -> Self {
        let retry_after =
            if let AppError::Limited(seconds) = &error { Some(Duration::from_secs(*seconds)) } else { None };
        Self { error: error.to_string(), retry_after, permanent: false }
    }
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        AppError::from(error).into()
    }
}

pub type Work = Pin<Box<dyn Future<Output = Result<Verdict, Failure>> + Send>>;
type Handler = Arc<dyn Fn(Db, Claim) -> Work + Send + Sync>;

/// What lets this crate, and no other, make the scopes of jobs.
const KEY: RunnerKey = RunnerKey::new();

/// One queue: its table, its channel, how many at once, and what to do with a claim.
#[derive(Clone)]
pub struct Queue {
    pub table: Table,
    pub channel: &'static str,
    pub at_once: usize,
    pub handler: Handler,
}

impl Queue {
    /// A queue whose work is all of one kind: `machine` names it, and all that it may do.
    pub fn new<F, Fut>(table: Table, channel: &'static str, at_once: usize, machine: Machine, handler: F) -> Self
    where
        F: Fn(Scope, Claim) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Verdict, Failure>> + Send + 'static,
    {
        let handler = move |db: Db, claim: Claim| -> Work {
            let scope = Scope::of_job(&KEY, db, claim.workspace_id, machine);
            Box::pin(handler(scope, claim))
        };
        Self { table, channel, at_once, handler: Arc::new(handler) }
    }
}

type JobHandler = Arc<dyn Fn(Scope, serde_json::Value) -> Work + Send + Sync>;

/// One kind of job: who it acts as, whether a suspension stops it, and what it does.
#[derive(Clone)]
struct Kind {
    machine: Machine,
    runs_suspended: bool,
    run: JobHandler,
}

/// How long work of a suspended workspace waits before it is looked at again. Reactivation wakes it sooner.
const SUSPENDED: Duration = Duration::from_secs(900);

/// What the jobs table's kinds do. Crates register theirs, and `boot::work` calls them.
#[derive(Clone, Default)]
pub struct Registry {
    kinds: HashMap<&'static str, Kind>,
}

impl Registry {
    /// Registers the handler of one kind of job.
    pub fn add<J, F, Fut>(&mut self, handler: F)
    where
        J: Job,
        F: Fn(Scope, J) -> Fut + Send + Sync + Clone + 'static,
        Fut: Future<Output = Result<Verdict, Failure>> + Send + 'static,
    {
        let run = move |scope: Scope, payload: serde_json::Value| -> Work {
            let handler = handler.clone();
            Box::pin(async move {
                let job: J = serde_json::from_value(payload).map_err(|error| Failure {
                    error: format!("This job's data cannot be read: {error}"),
                    retry_after: None,
                    permanent: true,
                })?;
                handler(scope, job).await
            })
        };
        let machine = Machine { name: J::KIND, actions: J::ACTIONS };
        self.kinds.insert(J::KIND, Kind { machine, runs_suspended: J::RUNS_SUSPENDED, run: Arc::new(run) });
    }

    /// The queue of the jobs table.
    pub fn queue(self, at_once: usize) -> Queue {
        let kinds = Arc::new(self.kinds);
        let handler = move |db: Db, claim: Claim| -> Work {
            let kinds = kinds.clone();
            Box::pin(async move {
                let mut tx = SystemTx::open(&db, "claimed job").await?;
                let row = sqlx::query!(
                    r#"select j.kind, j.payload, w.status = 'suspended' as "is_suspended!"
                       from jobs j join workspaces w on w.id = j.workspace_id where j.id = $1"#,
                    claim.id
                )
                .fetch_one(tx.conn())
                .await?;
                drop(tx);
                let Some(kind) = kinds.get(row.kind.as_str()) else {
                    return Err(Failure {
                        error: format!("No worker knows “{}”.", row.kind),
                        retry_after: None,
                        permanent: false,
                    });
                };
                if row.is_suspended && !kind.runs_suspended {
                    return Ok(Verdict::Later(SUSPENDED));
                }
                (kind.run)(Scope::of_job(&KEY, db, claim.workspace_id, kind.machine), row.payload).await
            })
        };
        Queue { table: JOBS, channel: JOBS_CHANNEL, at_once, handler: Arc::new(handler) }
    }
}

/// Runs queues until stopped.
pub struct Runner {
    pub db: Db,
    pub queues: Vec<Queue>,
}

/// How long running work may finish after a stop.
const DRAIN: Duration = Duration::from_secs(20);
/// How often an idle queue looks without being woken.
const POLL: Duration = Duration::from_millis(1000);

impl Runner {
    /// Works until `stop`, then lets running work finish for twenty seconds and gives the rest back.
    pub async fn run(self, stop: CancellationToken) {
        let mut loops = JoinSet::new();
        for queue in self.queues {
            loops.spawn(run_queue(self.db.clone(), queue, stop.clone()));
        }
        while loops.join_next().await.is_some() {}
    }

    /// Runs what is due in one workspace, with all that it starts, until nothing is due there. Gives how many pieces of work that were.
    /// What is due later stays. There is no heartbeat, so a piece of work must end within a lease.
    pub async fn drain(&self, workspace: WorkspaceId) -> Result<usize, AppError> {
        let (owner, beside, mut done) = (Uuid::now_v7(), Beside::default(), 0);
        loop {
            let mut running = JoinSet::new();
            for queue in &self.queues {
                for claim in claim(&self.db, queue.table, owner, queue.at_once, Some(workspace)).await? {
                    running.spawn(work(self.db.clone(), queue.clone(), claim, beside.clone()));
                }
            }
            if running.is_empty() {
                return Ok(done);
            }
            done += running.len();
            while running.join_next().await.is_some() {}
            beside.ended().await;
        }
    }
}

tokio::task_local! {
    static BESIDE: Beside;
}

/// What work has started beside itself and is not over yet.
#[derive(Clone)]
struct Beside(Arc<watch::Sender<usize>>);

impl Default for Beside {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(0)))
    }
}

impl Beside {
    async fn ended(&self) {
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

async fn run_queue(db: Db, queue: Queue, stop: CancellationToken) {
    let owner = Uuid::now_v7();
    let channel = db.wakers().channel(queue.channel);
    let heartbeat = tokio::spawn(keep_alive(db.clone(), queue.table, owner));
    let (mut running, beside) = (JoinSet::<()>::new(), Beside::default());
    while !stop.is_cancelled() {
        while running.try_join_next().is_some() {}
        let free = queue.at_once.saturating_sub(running.len());
        let claims = if free == 0 { Vec::new() } else { take(&db, queue.table, owner, free).await };
        let full = claims.len() == free;
        for claim in claims {
            running.spawn(work(db.clone(), queue.clone(), claim, beside.clone()));
        }
        if full && free > 0 {
            continue;
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = channel.notified() => {}
            Some(_) = running.join_next(), if !running.is_empty() => {}
            () = tokio::time::sleep(POLL) => {}
        }
    }
    let all = async {
        while running.join_next().await.is_some() {}
        beside.ended().await;
    };
    let drained = tokio::time::timeout(DRAIN, all).await;
    heartbeat.abort();
    if drained.is_err() {
        running.abort_all();
    }
    if let Ok(mut tx) = SystemTx::open(&db, "release leases").await {
        let released = lease::release(tx.conn(), queue.table, owner).await.unwrap_or(0);
        if tx.commit().await.is_ok() && released > 0 {
            tracing::info!(queue = queue.table.name, released, "gave unfinished work back");
        }
    }
}

async fn claim(
    db: &Db,
    table: Table,
    owner: Uuid,
    most: usize,
    only: Option<WorkspaceId>,
) -> Result<Vec<Claim>, AppError> {
    let mut tx = SystemTx::open(db, "claim").await?;
    let claims = lease::claim(tx.conn(), table, owner, most as i64, only).await?;
    tx.commit().await?;
    Ok(claims)
}

async fn take(db: &Db, table: Table, owner: Uuid, most: usize) -> Vec<Claim> {
    match claim(db, table, owner, most, None).await {
        Ok(claims) => claims,
        Err(error) => {
            tracing::warn!(queue = table.name, cause = %error, "could not claim work; trying again");
            tokio::time::sleep(POLL).await;
            Vec::new()
        }
    }
}

async fn work(db: Db, queue: Queue, claim: Claim, beside: Beside) {
    let started = Instant::now();
    let name = queue.table.name;
    // In a task of its own, so that a panic is a failure of this item and of nothing else.
    let ended = tokio::spawn(BESIDE.scope(beside, (queue.handler)(db.clone(), claim.clone()))).await;
    let result = ended.unwrap_or_else(|panic| {
        Err(Failure {
            error: format!("The worker's code broke while it did this: {panic}"),
            retry_after: None,
            permanent: false,
        })
    });
    let word = match &result {
        Ok(Verdict::Later(_)) => "later",
        Ok(_) => "done",
        Err(_) => "failed",
    };
    metrics::counter!("patchbay_work_total", "queue" => name, "result" => word).increment(1);
    metrics::histogram!("patchbay_work_seconds", "queue" => name).record(started.elapsed().as_secs_f64());
    if let Err(error) = record(&db, queue.table, &claim, result).await {
        // The lease runs out and another worker takes it; everything a worker does is safe to do twice.
        tracing::warn!(queue = name, id = %claim.id, cause = %error, "could not record how the work ended");
    }
}

async fn record(db: &Db, table: Table, claim: &Claim, result: Result<Verdict, Failure>) -> Result<(), AppError> {
    if matches!(result, Ok(Verdict::Marked)) {
        return Ok(());
    }
    let mut tx = SystemTx::open(db, "record work").await?;
    let ours = match &result {
        Ok(Verdict::Later(wait)) => lease::later(tx.conn(), table, claim, *wait).await?,
        Ok(_) => lease::finish(tx.conn(), table, claim).await?,
        Err(failure) => {
            tracing::warn!(queue = table.name, id = %claim.id, attempt = claim.attempt, cause = %failure.error, "work failed");
            lease::fail(tx.conn(), table, claim, &failure.error, failure.retry_after, failure.permanent).await?
        }
    };
    if !ours {
        tracing::warn!(queue = table.name, id = %claim.id, "another worker has taken this over");
    }
    tx.commit().await
}

/// Renews this worker's leases every fifteen seconds and takes back dead workers' items every ten.
async fn keep_alive(db: Db, table: Table, owner: Uuid) {
    let mut renew = tokio::time::interval(Duration::from_secs(15));
    let mut reap = tokio::time::interval(Duration::from_secs(10));
    loop {
        let heartbeat = tokio::select! { _ = renew.tick() => true, _ = reap.tick() => false };
        let done = async {
            let mut tx = SystemTx::open(&db, "leases").await?;
            let touched = if heartbeat {
                lease::renew(tx.conn(), table, owner).await?
            } else {
                lease::reap(tx.conn(), table).await?
            };
            tx.commit().await?;
            Ok::<_, AppError>(touched)
        };
        match done.await {
            Ok(taken) if !heartbeat && taken > 0 => {
                tracing::warn!(queue = table.name, taken, "took back work of dead workers")
            }
            Ok(_) => {}
            Err(error) => tracing::warn!(queue = table.name, cause = %error, "could not keep leases"),
        }
    }
}
