//! Outgoing webhooks: how fast what waits is sent, signed and written down, to receivers that answer at once and to some of which one in three
//! answers is a failure.

use std::time::{Duration, Instant};

use patchbay_sandbox::ReceiverManner;
use patchbay_webhooks::server::sending;
use tokio_util::sync::CancellationToken;

use super::support::{Agency, World, owner_value, unique};
use super::webhooks::pgbench;
use super::{SPAN, ms, owner};

const ENDPOINTS: usize = 10;
const EVENTS: usize = 1_000;
/// The least that a queue does for a delivery: takes it, and says what became of it.
const TABLE: &str = "create table bench_deliveries (like delivery_queue including all);
  insert into bench_deliveries (id, workspace_id, endpoint_id)
  select gen_random_uuid(), '00000000-0000-0000-0000-000000000001', '00000000-0000-0000-0000-000000000002' from generate_series(1, 200000)";
const DEQUEUE: &str = "begin;
select quote_literal(id) as jid from bench_deliveries where workspace_id = '00000000-0000-0000-0000-000000000001' and endpoint_id = '00000000-0000-0000-0000-000000000002' and lease_owner is null and next_try_at <= now() order by next_try_at, id limit 1 for update skip locked \\gset
delete from bench_deliveries where id = :jid;
commit;";

pub async fn deliveries(world: &World) {
    sqlx::raw_sql(TABLE).execute(&mut owner(world).await).await.expect("a table");
    sqlx::raw_sql("analyze bench_deliveries").execute(&mut owner(world).await).await.expect("figures");
    let plain = pgbench(world, DEQUEUE, 16, SPAN / 2).await;
    for (how, fails_one_in) in [("that answer at once", 0), ("that fail one in three", 3)] {
        let (tries, took, slowest) = send(world, fails_one_in).await;
        let rate = tries as f64 / took.as_secs_f64();
        println!(
            "| webhooks sent, {} to {ENDPOINTS} receivers {how}: {tries} tries, the slowest answer {} | {rate:.0}/s | pgbench, a row taken and deleted per transaction: {plain:.0}/s: {:.2} of it |",
            ENDPOINTS * EVENTS,
            ms(slowest),
            rate / plain
        );
    }
}

/// Sends as a worker does, and lets those that failed be due again at once. Gives the tries, how long it took, and the slowest answer.
async fn send(world: &World, fails_one_in: usize) -> (i64, Duration, Duration) {
    let agency = Agency::new(world, "Sending").await;
    for _ in 0..ENDPOINTS {
        let receiver = unique("receiver");
        let url = format!("{}/receiver/{receiver}", world.sandbox_base);
        let fields =
            [("id", ""), ("name", &*receiver), ("client", ""), ("url", &*url), ("events[0]", "contact.changed")];
        agency.owner.done("save_webhook_endpoint", &fields).await;
        world.sandbox.receive_as(&receiver, ReceiverManner { fails_one_in, ..ReceiverManner::default() });
    }
    let own = format!("'{}'", agency.workspace_id);
    let fill = format!(
        "with told as (
           insert into webhook_events (workspace_id, id, type, subject, subject_id, body, given_out_at)
           select {own}, gen_random_uuid(), 'contact.changed', 'contact', gen_random_uuid(),
                  jsonb_build_object('type', 'contact.changed', 'data', jsonb_build_object('number', n, 'text', repeat('x', 600)))::text, now()
           from generate_series(1, {EVENTS}) n returning id
         ), new as (
           insert into webhook_deliveries (workspace_id, id, endpoint_id, event_id, event_type, occurred_at, state, next_try_at)
           select {own}, gen_random_uuid(), e.id, told.id, 'contact.changed', now(), 'waiting', now()
           from told cross join webhook_endpoints e where e.workspace_id = {own} returning id, endpoint_id
         )
         insert into delivery_queue (id, workspace_id, endpoint_id) select id, {own}, endpoint_id from new"
    );
    sqlx::raw_sql(sqlx::AssertSqlSafe(fill)).execute(&mut owner(world).await).await.expect("deliveries");
    sqlx::raw_sql("analyze webhook_deliveries, delivery_queue")
        .execute(&mut owner(world).await)
        .await
        .expect("figures");
    let waiting = format!("select count(*) from delivery_queue where workspace_id = {own}");
    let due =
        format!("update delivery_queue set next_try_at = now() where workspace_id = {own} and next_try_at > now()");
    let stop = CancellationToken::new();
    let begin = Instant::now();
    let worker = tokio::spawn(sending::run(world.db.clone(), stop.clone()));
    while owner_value::<i64>(world, &waiting).await > 0 && begin.elapsed() < Duration::from_secs(240) {
        tokio::time::sleep(Duration::from_millis(100)).await;
        sqlx::raw_sql(sqlx::AssertSqlSafe(due.clone())).execute(&mut owner(world).await).await.expect("they are due");
    }
    let took = begin.elapsed();
    stop.cancel();
    let _ = worker.await;
    let tries = owner_value(world, &format!("select count(*) from webhook_attempts where workspace_id = {own}")).await;
    let slowest = format!("select coalesce(max(ms), 0)::float8 from webhook_attempts where workspace_id = {own}");
    let slowest: f64 = owner_value(world, &slowest).await;
    (tries, took, Duration::from_secs_f64(slowest / 1000.0))
}
