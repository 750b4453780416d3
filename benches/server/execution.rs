//! The queue of execution: how fast jobs that do nothing are taken and finished, beside what PostgreSQL does when it does nothing
//! else, in one run.

use std::time::{Duration, Instant};

use patchbay_access::Action;
use patchbay_access::server::Machine;
use patchbay_jobs::Runner;
use patchbay_jobs::lease::EXECUTIONS;
use patchbay_jobs::runner::{Queue, Verdict};
use tokio_util::sync::CancellationToken;

use super::support::{Agency, World, owner_value};
use super::webhooks::pgbench;
use super::{SPAN, owner, verdict};

const NOTHING: Machine = Machine { name: "bench", actions: &[Action::ManageExecution] };
/// Jobs in the queue.
const JOBS: i64 = 20_000;
/// Taken at once, and pgbench's clients.
const AT_ONCE: usize = 16;

/// As large as a row of ours, with the same indexes.
const TABLE: &str = "create table bench_queue (
    id uuid primary key default gen_random_uuid(), workspace_id uuid not null, pool text not null default 'default',
    status text not null default 'pending', attempts int not null default 0, next_attempt_at timestamptz not null default now(),
    lease_owner uuid, lease_until timestamptz, finished_at timestamptz);
  create index on bench_queue (workspace_id, pool, next_attempt_at, id) where status = 'pending';
  create index on bench_queue (lease_until) where status = 'processing';
  create index on bench_queue (workspace_id, id desc) where status = 'completed';
  insert into bench_queue (workspace_id)
  select '00000000-0000-0000-0000-000000000001' from generate_series(1, 400000)";
/// The least that a queue does for a job: takes it, and says that it is done.
const DEQUEUE: &str = "begin;
select quote_literal(id) as jid from bench_queue where workspace_id = '00000000-0000-0000-0000-000000000001' and pool = 'default' and status = 'pending' and next_attempt_at <= now() order by next_attempt_at, id limit 1 for update skip locked \\gset
update bench_queue set status = 'completed', finished_at = now() where id = :jid;
commit;";

pub async fn execution(world: &World) {
    let agency = Agency::new(world, "Throughput").await;
    sqlx::raw_sql(TABLE).execute(&mut owner(world).await).await.expect("a table");
    // As autovacuum would have it by the time that a queue is this long.
    sqlx::raw_sql("analyze bench_queue").execute(&mut owner(world).await).await.expect("figures");
    let plain = pgbench(world, DEQUEUE, AT_ONCE, SPAN / 2).await;
    let fill = format!(
        "insert into execution_queue (id, workspace_id, pool) select gen_random_uuid(), '{}', 'default' from generate_series(1, {JOBS})",
        agency.workspace_id
    );
    sqlx::raw_sql(sqlx::AssertSqlSafe(fill)).execute(&mut owner(world).await).await.expect("jobs");
    sqlx::raw_sql("analyze execution_queue").execute(&mut owner(world).await).await.expect("figures");
    let pools = ["default".to_owned()];
    let queue = Queue::new(EXECUTIONS, "bench", AT_ONCE, NOTHING, |_, _| async { Ok(Verdict::Done) }).in_pools(&pools);
    let runner = Runner { db: world.db.clone(), queues: vec![queue] };
    let waiting = "select count(*) from execution_queue where status in ('pending', 'processing')";
    let stop = CancellationToken::new();
    let begin = Instant::now();
    let workers = tokio::spawn(runner.run(stop.clone()));
    while owner_value::<i64>(world, waiting).await > 0 && begin.elapsed() < Duration::from_secs(120) {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let took = begin.elapsed();
    stop.cancel();
    let _ = workers.await;
    let done = "select count(*) from execution_queue where status = 'completed'";
    assert_eq!(owner_value::<i64>(world, done).await, JOBS, "all of them are done");
    let rate = JOBS as f64 / took.as_secs_f64();
    println!(
        "| jobs of execution that do nothing, {JOBS} of one agency, {AT_ONCE} at once | {rate:.0}/s | pgbench, a row taken with SKIP LOCKED and done per transaction: {plain:.0}/s: {} |",
        verdict(rate / plain, 0.5)
    );
}
