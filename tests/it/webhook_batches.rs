//! Events that are stored and worked through in batches: a bad one harms itself alone, and a flood holds up nobody else.

use std::sync::OnceLock;
use std::time::Duration;

use chrono::{SecondsFormat, Utc};
use patchbay_jobs::Runner;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::support::{WebhookSender, World, owner_lines, owner_value, run, run_in};

/// A database of its own: workers that run all the time would do other tests' work.
static WORLD: OnceLock<World> = OnceLock::new();

fn started(call: &str, metadata: Value) -> Vec<u8> {
    let now = Utc::now().to_rfc3339_opts(SecondsFormat::Micros, true);
    json!({"event": "call.started", "call": {"callId": call, "created": now, "metadata": metadata, "medium": {}}})
        .to_string()
        .into_bytes()
}

async fn deliver_all(door: &WebhookSender, bodies: &[Vec<u8>]) {
    let all = futures::future::join_all(bodies.iter().map(|body| door.deliver(body))).await;
    assert!(all.iter().all(|status| *status == 204), "{all:?}");
}

async fn queue(world: &World, door: &WebhookSender) -> Vec<String> {
    let sql = format!(
        "select format('%s %s %s', status, attempts, count(*)) from webhook_queue where workspace_id = '{}'
         group by status, attempts order by 1",
        door.agency.workspace_id
    );
    owner_lines(world, &sql).await
}

/// An event that cannot be folded: its metadata names a call of ours, and its provider's id is another call's.
async fn contradiction(world: &World, door: &WebhookSender) -> Vec<u8> {
    let (ours, workspace) = (Uuid::now_v7(), &door.agency.workspace_id);
    let sql = format!(
        "insert into calls (workspace_id, id, direction, dial_state, provider_call_id, started_at)
         values ('{workspace}', '{ours}', 'outbound', 'unknown', null, now()),
                ('{workspace}', gen_random_uuid(), 'outbound', 'placed', 'theirs', now())"
    );
    sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&world.owner).await.expect("calls");
    started("theirs", json!({"patchbay_call": ours}))
}

#[test]
fn an_event_that_cannot_be_folded_stops_none_of_its_batch() {
    run(|world| async move {
        let door = WebhookSender::new(world, "one-bad").await;
        let mut bodies: Vec<Vec<u8>> = (0..20).map(|at| started(&format!("good-{at}"), json!({}))).collect();
        bodies.insert(7, contradiction(world, &door).await);
        deliver_all(&door, &bodies).await;
        door.agency.background.drain_for(Duration::ZERO).await;
        assert_eq!(queue(world, &door).await, ["completed 1 20", "pending 1 1"]);
        // Nothing of it was done, it says why, and what comes later is not held up by it.
        let why = format!(
            "select last_error from webhook_queue where workspace_id = '{}' and status = 'pending'",
            door.agency.workspace_id
        );
        assert!(!owner_value::<String>(world, &why).await.is_empty());
        deliver_all(&door, &[started("later", json!({}))]).await;
        door.agency.background.pass(Duration::from_secs(3)).await;
        door.agency.background.drain_for(Duration::ZERO).await;
        assert_eq!(queue(world, &door).await, ["completed 1 21", "pending 2 1"]);
        let calls = format!("select count(*) from calls where workspace_id = '{}'", door.agency.workspace_id);
        assert_eq!(owner_value::<i64>(world, &calls).await, 23, "twenty-one new ones, and the two that were there");
    });
}

#[test]
fn a_batch_keeps_the_order_in_which_events_came_and_counts_each_once() {
    run(|world| async move {
        let door = WebhookSender::new(world, "many-at-once").await;
        // More than a batch, each twice, over many connections.
        let bodies: Vec<Vec<u8>> = (0..300).map(|at| started(&format!("call-{at}"), json!({}))).collect();
        let twice: Vec<Vec<u8>> = bodies.iter().chain(&bodies).cloned().collect();
        deliver_all(&door, &twice).await;
        assert_eq!(door.stored(world).await, 300);
        door.settled(world).await;
        assert_eq!(queue(world, &door).await, ["completed 1 300"]);
        let sql = format!(
            "select count(*) from calls c join call_events e on e.workspace_id = c.workspace_id and e.call_id = c.id
             where c.workspace_id = '{}'",
            door.agency.workspace_id
        );
        assert_eq!(owner_value::<i64>(world, &sql).await, 300);
    });
}

#[test]
fn a_flood_of_one_agency_holds_up_no_other() {
    run_in(&WORLD, |world| async move {
        let (flooding, other) =
            (WebhookSender::new(world, "flooding").await, WebhookSender::new(world, "waiting").await);
        let bodies: Vec<Vec<u8>> = (0..40).map(|at| started(&format!("flood-{at}"), json!({}))).collect();
        deliver_all(&flooding, &bodies).await;
        // A hundred times as many wait, all older than the other agency's.
        let more = format!(
            "insert into webhook_queue (id, workspace_id, connection_id, provider, event_id, event_type, headers, raw_body, next_attempt_at)
             select gen_random_uuid(), workspace_id, connection_id, provider, event_id || n, event_type, headers, raw_body, now() - interval '1 hour'
             from webhook_queue, generate_series(1, 100) n where workspace_id = '{}'",
            flooding.agency.workspace_id
        );
        sqlx::raw_sql(sqlx::AssertSqlSafe(more)).execute(&world.owner).await.expect("a flood");
        deliver_all(&other, &[started("lone", json!({}))]).await;
        let queues = vec![patchbay_inbound_webhooks::server::jobs::queue()];
        let stop = CancellationToken::new();
        let workers = tokio::spawn(Runner { db: world.db.clone(), queues }.run(stop.clone()));
        while queue(world, &other).await != ["completed 1 1"] {}
        let left = format!(
            "select count(*) from webhook_queue where workspace_id = '{}' and status = 'pending'",
            flooding.agency.workspace_id
        );
        assert!(owner_value::<i64>(world, &left).await > 1000, "the flood is not over when the lone event is done");
        stop.cancel();
        workers.await.expect("they stop");
    });
}
