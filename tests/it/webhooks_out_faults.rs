//! What goes wrong with outgoing webhooks: receivers that fail, are slow, want nothing or point elsewhere, and workers that are lost.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use patchbay_access::server::Scope;
use patchbay_queues::server::sweep;
use patchbay_sandbox::{Received, ReceiverManner};
use patchbay_webhooks::server::sending;

use super::contact_imports;
use super::support::{Agency, World, owner_lines, owner_value, run};
use super::webhooks_out::{Endpoint, id_of, is_signed, with_status};

const CHANGED: &[&str] = &["contact.changed"];
/// With ten endpoints: two thousand deliveries, and three thousand requests.
const PEOPLE: usize = 200;

/// People of client one, so many, by a file.
pub(super) async fn people(agency: &Agency, many: usize) {
    let rows: String = (0..many).map(|n| format!("Person {n},+1202{:07}\n", 5_600_000 + n)).collect();
    contact_imports::all(agency, "people.csv", format!("name,phone\n{rows}"), &[]).await;
}

/// Switches endpoints off, or on again.
pub(super) async fn switch(agency: &Agency, endpoints: impl IntoIterator<Item = &Endpoint>, how: &[(&str, &str)]) {
    for endpoint in endpoints {
        let fields = [&[("id", endpoint.id.as_str())], how].concat();
        agency.owner.done("switch_webhook_endpoint", &fields).await;
    }
}

/// Lets time pass for the agency's endpoints, as the statement says.
async fn later(world: &World, agency: &Agency, sql: &str) {
    let sql = format!("{sql} where workspace_id = '{}'", agency.workspace_id);
    sqlx::query(sqlx::AssertSqlSafe(sql)).execute(&world.owner).await.expect("time passes");
}

async fn drained(world: &World, agency: &Agency) -> usize {
    sending::drain(&world.db, agency.workspace_id.parse().expect("an id")).await.expect("deliveries")
}

/// Does the work while somebody else's statements are not committed yet, and commits them once it waits for them.
async fn meanwhile(world: &World, sql: String, work: impl Future<Output = ()>) {
    meanwhile_then(world, sql, String::new(), work).await;
}

/// The same, with more of somebody else's statements once the work waits.
async fn meanwhile_then(world: &World, sql: String, then: String, work: impl Future<Output = ()>) {
    let mut tx = world.owner.begin().await.expect("a transaction");
    let pid: i32 = sqlx::query_scalar("select pg_backend_pid()").fetch_one(&mut *tx).await.expect("a number");
    sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&mut *tx).await.expect("statements");
    let waits = format!("select count(*) from pg_stat_activity where {pid} = any(pg_blocking_pids(pid))");
    let mut work = std::pin::pin!(work);
    loop {
        tokio::select! {
            biased;
            () = &mut work => panic!("it did not wait"),
            waiting = owner_value::<i64>(world, &waits) => if waiting > 0 { break },
        }
    }
    sqlx::raw_sql(sqlx::AssertSqlSafe(then)).execute(&mut *tx).await.expect("more statements");
    tx.commit().await.expect("a commit");
    work.await;
}

fn ids(received: &[Received]) -> BTreeSet<&str> {
    received.iter().map(id_of).collect()
}

#[test]
fn receivers_that_fail_lose_nothing_and_hear_nothing_twice() {
    run(|world| all_is_delivered(world, PEOPLE));
}

/// Ten thousand deliveries, and fifteen thousand requests.
#[test]
#[ignore = "takes its time"]
fn ten_thousand_deliveries_to_receivers_that_fail_are_all_heard_once() {
    run(|world| all_is_delivered(world, 1000));
}

/// Ten endpoints hear of so many people each, though one in three of their answers is a failure.
async fn all_is_delivered(world: &World, many: usize) {
    let agency = Agency::new(world, "flaky").await;
    let mut endpoints = Vec::new();
    for _ in 0..10 {
        endpoints.push(Endpoint::new(world, &agency.owner, &agency.one.id, CHANGED).await);
    }
    for endpoint in &endpoints {
        endpoint.answers(world, ReceiverManner { fails_one_in: 3, ..ReceiverManner::default() });
    }
    // Off while the people come, so that all of it is sent at once afterwards.
    switch(&agency, &endpoints, &[]).await;
    people(&agency, many).await;
    switch(&agency, &endpoints, &[("on", "true"), ("replay", "true")]).await;
    let (mut rounds, mut tries, begun) = (0, 0, Instant::now());
    while owner_value::<i64>(
        world,
        &format!("select count(*) from delivery_queue where workspace_id = '{}'", agency.workspace_id),
    )
    .await
        > 0
    {
        later(world, &agency, "update delivery_queue set next_try_at = now()").await;
        tries += drained(world, &agency).await;
        rounds += 1;
        assert!(rounds < 12, "it comes to an end");
    }
    let seconds = begun.elapsed().as_secs_f64();
    println!("{tries} tries in {seconds:.1} s: {:.0} in a second", tries as f64 / seconds);
    for endpoint in &endpoints {
        assert_eq!(endpoint.states(world).await, BTreeMap::from([("delivered".to_owned(), many)]));
        let came = endpoint.received(world);
        let taken: Vec<&str> = came.iter().filter(|one| one.status == Some(200)).map(id_of).collect();
        assert_eq!(taken.len(), many, "none lost, and none twice after success");
        assert_eq!(taken.iter().collect::<BTreeSet<_>>().len(), many);
        assert!(came.len() > many && came.iter().all(|one| is_signed(one, &endpoint.secret)), "none unsigned");
    }
}

#[test]
fn a_receiver_that_does_not_answer_holds_up_nobody_and_a_lost_worker_loses_nothing() {
    run(|world| async move {
        let agency = Agency::new(world, "slow").await;
        let slow = Endpoint::new(world, &agency.owner, &agency.one.id, CHANGED).await;
        let quick = Endpoint::new(world, &agency.owner, &agency.one.id, CHANGED).await;
        // Both are off while the people come, so that nothing is sent yet.
        for endpoint in [&slow, &quick] {
            agency.owner.done("switch_webhook_endpoint", &[("id", &endpoint.id)]).await;
        }
        people(&agency, 40).await;
        slow.answers(world, ReceiverManner { hangs: true, ..ReceiverManner::default() });
        for endpoint in [&slow, &quick] {
            assert_eq!(endpoint.states(world).await, BTreeMap::from([("held".to_owned(), 40)]), "kept meanwhile");
            let on = [("id", endpoint.id.as_str()), ("on", "true"), ("replay", "true")];
            agency.owner.done("switch_webhook_endpoint", &on).await;
        }
        let (db, workspace) = (world.db.clone(), agency.workspace_id.parse().expect("an id"));
        let worker = tokio::spawn(async move { sending::drain(&db, workspace).await });
        world.sandbox.received_so_many(&quick.receiver, 40).await;
        world.sandbox.received_so_many(&slow.receiver, 4).await;
        let hung = slow.received(world);
        assert_eq!(hung.len(), 4, "four at once, and no more");
        // The worker is lost in the middle of it.
        worker.abort();
        let _ = worker.await;
        assert_eq!(drained(world, &agency).await, 0, "its leases hold");
        slow.answers(world, with_status(200));
        later(world, &agency, "update delivery_queue set lease_until = lease_until - interval '2 minutes'").await;
        agency.drain().await;
        let came = slow.received(world);
        assert_eq!(ids(&came).len(), 40);
        assert_eq!(ids(&came[..4]), ids(&hung));
        assert!(came[4..].iter().map(id_of).collect::<BTreeSet<_>>().is_superset(&ids(&hung)), "the same ids again");
        for endpoint in [&slow, &quick] {
            assert_eq!(endpoint.states(world).await, BTreeMap::from([("delivered".to_owned(), 40)]));
        }
        assert_eq!(ids(&quick.received(world)).len(), 40);
    });
}

#[test]
fn an_endpoint_that_wants_nothing_or_never_works_is_switched_off_and_goes_on_where_it_was() {
    run(|world| async move {
        let agency = Agency::new(world, "gone").await;
        let gone = Endpoint::new(world, &agency.owner, &agency.one.id, CHANGED).await;
        let hopeless = Endpoint::new(world, &agency.owner, "", CHANGED).await;
        gone.answers(world, with_status(410));
        hopeless.answers(world, with_status(500));
        agency.contact("+12025550131").await;
        agency.drain().await;
        let status = format!(
            "select concat_ws(': ', status::text, off_reason) from webhook_endpoints where workspace_id = '{}' order by id",
            agency.workspace_id
        );
        assert_eq!(
            owner_lines(world, &status).await,
            ["error: The receiver answered 410: it wants no more events.", "active"]
        );
        let since = "update webhook_endpoints set failing_since = failing_since - interval '5 days 1 minute'";
        // Five days of silence say nothing: only tries that fail do.
        later(world, &agency, "update webhook_deliveries set last_try_at = last_try_at - interval '5 days'").await;
        for status_then in ["active", "error: Every try failed for five days."] {
            later(world, &agency, since).await;
            later(world, &agency, "update delivery_queue set next_try_at = now()").await;
            drained(world, &agency).await;
            assert_eq!(owner_lines(world, &status).await[1], status_then);
        }
        // What happens while they are off is kept, and the dashboard says that they are.
        agency.contact("+12025550132").await;
        agency.drain().await;
        assert_eq!(gone.received(world).len(), 1);
        assert_eq!(gone.states(world).await, BTreeMap::from([("failed".to_owned(), 1), ("held".to_owned(), 1)]));
        let needs = agency.owner.done("get_overview", &[]).await.json()["needs"].to_string();
        assert!(needs.contains(&format!("/settings/webhooks/{}", gone.id)), "the dashboard names it: {needs}");
        for endpoint in [&gone, &hopeless] {
            endpoint.answers(world, with_status(200));
            let on = [("id", endpoint.id.as_str()), ("on", "true"), ("replay", "true")];
            agency.owner.done("switch_webhook_endpoint", &on).await;
        }
        later(world, &agency, "update delivery_queue set next_try_at = now()").await;
        agency.drain().await;
        assert_eq!(gone.states(world).await, BTreeMap::from([("delivered".to_owned(), 1), ("failed".to_owned(), 1)]));
        assert_eq!(hopeless.states(world).await, BTreeMap::from([("delivered".to_owned(), 2)]));
    });
}

#[test]
fn what_people_switch_at_the_same_moment_loses_nothing() {
    run(|world| async move {
        let agency = Agency::new(world, "moments").await;
        let endpoint = Endpoint::new(world, &agency.owner, "", CHANGED).await;
        let id = &endpoint.id;
        // It is switched on while events are given out to it.
        agency.owner.done("switch_webhook_endpoint", &[("id", id)]).await;
        agency.contact("+12025550151").await;
        let on = format!("update webhook_endpoints set status = 'active', off_at = null where id = '{id}'");
        meanwhile(world, on.clone(), agency.drain()).await;
        assert_eq!(endpoint.states(world).await, BTreeMap::from([("delivered".to_owned(), 1)]));
        // And while a worker is about to keep what waits.
        later(world, &agency, "update webhook_endpoints set status = 'inactive', off_at = now()").await;
        later(world, &agency, "update webhook_deliveries set state = 'waiting', next_try_at = now()").await;
        let waits = "insert into delivery_queue (id, workspace_id, endpoint_id) select id, workspace_id, endpoint_id from webhook_deliveries";
        later(world, &agency, waits).await;
        let sends = async { assert!(drained(world, &agency).await > 0) };
        meanwhile(world, on, sends).await;
        assert_eq!(endpoint.states(world).await, BTreeMap::from([("delivered".to_owned(), 1)]));
        assert_eq!(endpoint.received(world).len(), 2);
        // What became of a try that another worker has taken over meanwhile says nothing about the endpoint.
        endpoint.answers(world, with_status(410));
        later(world, &agency, "update webhook_deliveries set state = 'waiting', next_try_at = now()").await;
        later(world, &agency, waits).await;
        let holds = format!("select from webhook_endpoints where id = '{id}' for update");
        let takes = format!("update delivery_queue set lease_owner = gen_random_uuid() where endpoint_id = '{id}'");
        meanwhile_then(world, holds, takes, async { assert_eq!(drained(world, &agency).await, 1) }).await;
        let status = format!("select status::text from webhook_endpoints where id = '{id}'");
        assert_eq!(owner_lines(world, &status).await, ["active"]);
        endpoint.answers(world, with_status(200));
        later(world, &agency, "update delivery_queue set lease_until = lease_until - interval '2 minutes'").await;
        agency.drain().await;
        assert_eq!(endpoint.states(world).await, BTreeMap::from([("delivered".to_owned(), 1)]));
        assert_eq!(endpoint.received(world).len(), 4);
        // One endpoint goes while another one comes: the agency still tells others.
        let comes = format!(
            "insert into webhook_endpoints (workspace_id, id, name, url, events, secret)
             select workspace_id, gen_random_uuid(), 'Another', url, events, secret from webhook_endpoints where id = '{id}';
             select from workspaces where id = '{}' for no key update",
            agency.workspace_id
        );
        let goes = async { drop(agency.owner.done("remove_webhook_endpoint", &[("id", id)]).await) };
        meanwhile(world, comes, goes).await;
        let tells = format!("select tells_others from workspaces where id = '{}'", agency.workspace_id);
        assert!(owner_value::<bool>(world, &tells).await);
        // Were it wrong, upkeep would find it.
        let wrong = format!("update workspaces set tells_others = false where id = '{}'", agency.workspace_id);
        sqlx::query(sqlx::AssertSqlSafe(wrong)).execute(&world.owner).await.expect("wrong");
        let workspace = agency.workspace_id.parse().expect("an id");
        let upkeep = Scope::of_operator(world.db.clone(), workspace, sweep::UPKEEP);
        patchbay_webhooks::server::sweep(&upkeep).await.expect("a sweep");
        assert!(owner_value::<bool>(world, &tells).await);
    });
}

#[test]
fn private_addresses_are_refused_when_they_are_typed_and_when_they_are_asked() {
    run(|world| async move {
        let agency = Agency::new(world, "inside").await;
        for url in [
            "https://10.0.0.1/hook",
            "https://169.254.169.254/latest/meta-data",
            "https://[::1]/hook",
            "https://localhost/hook",
            "http://example.com/hook",
            "https://example.com:22/hook",
            "https://user:word@example.com/hook",
        ] {
            let fields =
                [("id", ""), ("name", "Inside"), ("client", ""), ("url", url), ("events[0]", "contact.changed")];
            let answer = agency.owner.rpc("save_webhook_endpoint", &fields).await;
            let why = answer.error_at("url").unwrap_or_else(|| panic!("{url}: {answer:?}"));
            assert!(why.starts_with("This address cannot be used: "), "{url}: {why}");
        }
        // A name that has come to lead to a private address, and a receiver that points to one.
        let moved = Endpoint::new(world, &agency.owner, "", CHANGED).await;
        let points = Endpoint::new(world, &agency.owner, "", CHANGED).await;
        let sql = format!("update webhook_endpoints set url = 'https://localhost/hook' where id = '{}'", moved.id);
        sqlx::query(sqlx::AssertSqlSafe(sql)).execute(&world.owner).await.expect("another address");
        let to = Some("http://169.254.169.254/latest/meta-data/?token=1".to_owned());
        points.answers(world, ReceiverManner { status: 302, location: to, ..ReceiverManner::default() });
        agency.contact("+12025550141").await;
        agency.background.drain_for(std::time::Duration::ZERO).await;
        let said = |endpoint: &Endpoint| {
            let sql = format!("select last_error from webhook_deliveries where endpoint_id = '{}'", endpoint.id);
            async move { owner_lines(world, &sql).await }
        };
        assert_eq!(said(&moved).await, ["The address was not asked: private and special addresses are not allowed."]);
        let why = said(&points).await.join("");
        assert!(
            why.starts_with("It points to http://169.254.169.254/latest/meta-data/, which is not followed."),
            "{why}"
        );
        assert_eq!(points.received(world).len(), 1);
        // What is kept of the try shows where it went.
        let tried = format!(
            "select a.remote || ' ' || a.status from webhook_attempts a join webhook_deliveries d on d.id = a.delivery_id where d.endpoint_id = '{}'",
            points.id
        );
        let tried = owner_lines(world, &tried).await.join("");
        assert!(tried.starts_with("127.0.0.1:") && tried.ends_with(" 302"), "{tried}");
        let audit = format!(
            "select coalesce(after::text, '') from audit_events where workspace_id = '{}'",
            agency.workspace_id
        );
        assert!(owner_lines(world, &audit).await.iter().all(|row| !row.contains("whsec_")));
    });
}
