use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::beside::{BESIDE, Beside};
use super::ends::Writer;
use super::lease::{self, Claim, JOBS, NextBatches, Table};
use super::places::{Place, Places};
use super::queue::{JOBS_CHANNEL, Job};
use super::steps::Steps;
use super::turns::Turns;
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

/// How each of several pieces of work ended, in their order.
pub type Ends = Vec<Result<Verdict, Failure>>;
type ManyWork = Pin<Box<dyn Future<Output = Ends> + Send>>;

/// What is done with several claims of one workspace at once.
#[derive(Clone)]
pub struct Batches {
    /// Claims in a batch.
    pub most: usize,
    pub handler: Arc<dyn Fn(Db, Vec<Claim>) -> ManyWork + Send + Sync>,
}

/// What lets this crate, and no other, make the scopes of jobs.
const KEY: RunnerKey = RunnerKey::new();

/// One queue: its table, its channel, how many at once, and what to do with a claim.
#[derive(Clone)]
pub struct Queue {
    pub table: Table,
    pub channel: &'static str,
    pub at_once: usize,
    pub handler: Handler,
    /// Claims are worked on in batches, each of one workspace, and of each workspace one at a time. Then `at_once` counts batches.
    pub batches: Option<Batches>,
    /// Only what is of these pools is taken. None: the queue has no pools.
    pub pools: Option<Arc<[String]>>,
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
        Self { table, channel, at_once, handler: Arc::new(handler), batches: None, pools: None }
    }

    /// The same queue, of which only what is in these pools is taken.
    pub fn in_pools(self, pools: &[String]) -> Self {
        Self { pools: Some(pools.into()), ..self }
    }

    /// The same queue, whose claims are worked on by `many`, up to `most` of a workspace at once. What `many` breaks at is left to the
    /// handler of one claim.
    pub fn in_batches<F, Fut>(self, most: usize, machine: Machine, many: F) -> Self
    where
        F: Fn(Scope, Vec<Claim>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Ends> + Send + 'static,
    {
        let handler = move |db: Db, claims: Vec<Claim>| -> ManyWork {
            let Some(first) = claims.first() else { return Box::pin(async { Vec::new() }) };
            Box::pin(many(Scope::of_job(&KEY, db, first.workspace_id, machine), claims))
        };
        Self { batches: Some(Batches { most, handler: Arc::new(handler) }), ..self }
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
        Queue { table: JOBS, channel: JOBS_CHANNEL, at_once, handler: Arc::new(handler), batches: None, pools: None }
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
pub(crate) const POLL: Duration = Duration::from_millis(1000);

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
        let writers = self.queues.iter().map(|queue| Writer::open(self.db.clone(), queue.table));
        let queues: Vec<(&Queue, Writer)> = self.queues.iter().zip(writers).collect();
        loop {
            let mut running = JoinSet::new();
            for (queue, writer) in &queues {
                let mut turns = Turns::of(workspace);
                for claims in claim(&self.db, queue, owner, queue.at_once, &mut turns).await? {
                    done += claims.len();
                    running.spawn(work(
                        self.db.clone(),
                        Queue::clone(queue),
                        claims,
                        beside.clone(),
                        writer.clone(),
                        None,
                    ));
                }
            }
            if running.is_empty() {
                return Ok(done);
            }
            while running.join_next().await.is_some() {}
            beside.ended().await;
        }
    }
}

async fn run_queue(db: Db, queue: Queue, stop: CancellationToken) {
    let owner = Uuid::now_v7();
    let channel = db.wakers().channel(queue.channel);
    let heartbeat = tokio::spawn(keep_alive(db.clone(), queue.table, owner));
    let (mut running, beside, mut turns) = (JoinSet::<()>::new(), Beside::default(), Turns::default());
    let writer = Writer::open(db.clone(), queue.table);
    let places = Places::new(queue.at_once);
    while !stop.is_cancelled() {
        while running.try_join_next().is_some() {}
        let crowded = places.is_crowded(running.len());
        let free = if crowded { 0 } else { places.free() };
        let pieces = if free == 0 { Vec::new() } else { take(&db, &queue, owner, free, &mut turns).await };
        let full = pieces.len() == free;
        for claims in pieces {
            let turn = queue.batches.is_some().then(|| turns.begin(claims[0].workspace_id));
            let (writer, place) = (writer.clone(), places.take());
            let work = work(db.clone(), queue.clone(), claims, beside.clone(), writer, place);
            running.spawn(async move {
                let _turn = turn;
                work.await;
            });
        }
        if full && free > 0 {
            continue;
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = channel.notified() => {}
            () = places.room(), if free == 0 && !crowded => {}
            Some(_) = running.join_next(), if (free > 0 || crowded) && !running.is_empty() => {}
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

/// Takes up to `free` pieces of work: single claims, or batches of them.
async fn claim(
    db: &Db,
    queue: &Queue,
    owner: Uuid,
    free: usize,
    turns: &mut Turns,
) -> Result<Vec<Vec<Claim>>, AppError> {
    // A claim that a crash of the database takes back is no loss: nothing that was done with it can have been kept.
    let mut tx = SystemTx::open_unflushed(db, "claim").await?;
    let pieces = match &queue.batches {
        None => {
            let claims =
                lease::claim(tx.conn(), queue.table, owner, free as i64, turns.only, queue.pools.as_deref()).await?;
            claims.into_iter().map(|claim| vec![claim]).collect()
        }
        Some(batches) => {
            let busy = turns.busy();
            let turn =
                NextBatches { batches: free, most: batches.most, busy: &busy, after: turns.last, only: turns.only };
            let taken = lease::claim_batches(tx.conn(), queue.table, owner, &turn).await?;
            turns.move_on(&taken);
            taken
        }
    };
    tx.commit().await?;
    Ok(pieces)
}

async fn take(db: &Db, queue: &Queue, owner: Uuid, free: usize, turns: &mut Turns) -> Vec<Vec<Claim>> {
    match claim(db, queue, owner, free, turns).await {
        Ok(pieces) => pieces,
        Err(error) => {
            tracing::warn!(queue = queue.table.name, cause = %error, "could not claim work; trying again");
            tokio::time::sleep(POLL).await;
            Vec::new()
        }
    }
}

/// Works on claims of one workspace, and records how each ended.
async fn work(db: Db, queue: Queue, claims: Vec<Claim>, beside: Beside, writer: Writer, place: Option<Place>) {
    let (started, name) = (Instant::now(), queue.table.name);
    let ends = match &queue.batches {
        Some(batches) if claims.len() > 1 => {
            // In a task of its own, so that a panic is a failure of these items and of nothing else.
            let many = (batches.handler)(db.clone(), claims.clone());
            let ended = tokio::spawn(BESIDE.scope(beside.clone(), many)).await;
            // Which of them it was is found by doing each by itself.
            ended.ok().filter(|ends| ends.len() == claims.len())
        }
        _ => None,
    };
    let ends = match ends {
        Some(ends) => ends,
        None => {
            let mut ends = Vec::with_capacity(claims.len());
            for claim in &claims {
                ends.push(alone(&db, &queue, claim, &beside).await);
            }
            ends
        }
    };
    metrics::histogram!("patchbay_work_seconds", "queue" => name).record(started.elapsed().as_secs_f64());
    let mut done = Vec::with_capacity(claims.len());
    for (claim, result) in claims.iter().zip(ends) {
        let word = match &result {
            Ok(Verdict::Later(_)) => "later",
            Ok(_) => "done",
            Err(_) => "failed",
        };
        metrics::counter!("patchbay_work_total", "queue" => name, "result" => word).increment(1);
        let back = match result {
            Ok(Verdict::Marked) => continue,
            Ok(Verdict::Done) => {
                done.push(claim);
                continue;
            }
            Ok(Verdict::Later(wait)) => Ok(wait),
            Err(failure) => Err(failure),
        };
        // Until it is recorded the lease is renewed, and nobody else takes the item.
        while let Err(error) = put_back(&db, queue.table, claim, &back).await {
            tracing::warn!(queue = name, id = %claim.id, cause = %error, "could not record how the work ended; trying again");
            tokio::time::sleep(POLL).await;
        }
    }
    drop(place);
    writer.done(&done).await;
}

async fn alone(db: &Db, queue: &Queue, claim: &Claim, beside: &Beside) -> Result<Verdict, Failure> {
    let ended = tokio::spawn(BESIDE.scope(beside.clone(), (queue.handler)(db.clone(), claim.clone()))).await;
    ended.unwrap_or_else(|panic| {
        Err(Failure {
            error: format!("The worker's code broke while it did this: {panic}"),
            retry_after: None,
            permanent: false,
        })
    })
}

/// For later, or as a failure.
async fn put_back(db: &Db, table: Table, claim: &Claim, back: &Result<Duration, Failure>) -> Result<(), AppError> {
    let mut tx = SystemTx::open(db, "record work").await?;
    let ours = match back {
        Ok(wait) => lease::later(tx.conn(), table, claim, *wait).await?,
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

/// Renews this worker's leases every fifteen seconds and takes back dead workers' items every ten, unless the database's clock made a step or
/// the database was away: then the living renew theirs first.
async fn keep_alive(db: Db, table: Table, owner: Uuid) {
    let mut renew = tokio::time::interval(Duration::from_secs(15));
    let mut reap = tokio::time::interval(Duration::from_secs(10));
    let mut steps = Steps::default();
    loop {
        let heartbeat = tokio::select! { _ = renew.tick() => true, _ = reap.tick() => false };
        let done = async {
            let mut tx = SystemTx::open(&db, "leases").await?;
            let touched = if heartbeat {
                lease::renew(tx.conn(), table, owner).await?
            } else if steps.are_over(lease::now(tx.conn()).await?, Instant::now()) {
                lease::reap(tx.conn(), table).await?
            } else {
                0
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
