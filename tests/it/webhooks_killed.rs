//! What others are told, and what is exchanged with them, under `kill -9`: server and worker die at changing moments while receivers fail and
//! hang, a CRM is read and written, and text messages go out by rule. And a receiver that answers after a minute. Each takes its time on the
//! clock, so they run when asked for, as `scripts/test` does: `cargo test --features ssr --test it -- --ignored`.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use patchbay_access::Action;
use patchbay_access::server::{Machine, Scope};
use patchbay_integrations::server::repair;
use patchbay_queues::server::sweep;
use patchbay_sandbox::{CrmBook, CrmFaults, CrmKind, ReceiverManner};
use patchbay_shared::ids::WorkspaceId;
use patchbay_webhooks::server::sending;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::integrations::connected;
use super::support::processes::{Processes, answers};
use super::support::{Agency, World, owner_lines, owner_value, run};
use super::webhooks_out::{Endpoint, id_of, is_signed, with_status};
use super::{contact_imports, webhooks_out_faults};

/// People of a file; records that are new in the CRM; contacts that are called, known on both sides.
const PEOPLE: usize = 150;
const RECORDS: usize = 250;
const CALLED: usize = 60;
const CHANGED: &[&str] = &["contact.changed"];
const OUTCOMES: [&str; 7] = ["missed", "no_answer", "busy", "declined", "voicemail", "answered", "callback_scheduled"];
const ASKER: Machine = Machine { name: "test", actions: &[Action::ReadIntegrations, Action::ManageIntegrations] };

fn book<R>(world: &World, id: &str, work: impl FnOnce(&mut CrmBook) -> R) -> R {
    world.sandbox.crm_book(CrmKind::Hubspot, &format!("sandbox-{id}"), work)
}

async fn count(world: &World, sql: &str) -> i64 {
    owner_value(world, &format!("select count(*) from {sql}")).await
}

/// What a server function answers, if anybody does.
async fn ask(agency: &Agency, world: &World, name: &str, id: &str) -> Option<Value> {
    let request = agency.owner.raw(reqwest::Method::POST, &format!("/rpc/{name}")).header("origin", &world.base);
    let request = request.header("accept", "application/json").form(&[("id", id)]).timeout(Duration::from_secs(10));
    request.send().await.ok()?.json().await.ok()
}

/// With every process dead: their leases are over, as they would be a minute later.
async fn leases_end(world: &World) {
    let mut sql = String::new();
    for queue in ["jobs", "webhook_queue", "enrichment_queue", "execution_queue"] {
        sql += &format!("update {queue} set lease_until = now() - interval '1 second' where status = 'processing';");
    }
    sql += "update delivery_queue set lease_until = now() - interval '1 second' where lease_owner is not null;
            update user_tokens set refresh_until = now() where refresh_until is not null";
    sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&world.owner).await.expect("leases end");
}

/// What has not come to its end, in words.
async fn open_ends(world: &World, agency: &Agency) -> Vec<String> {
    let workspace = &agency.workspace_id;
    let sql = format!(
        "select 'event ' || type from webhook_events where workspace_id = '{workspace}' and given_out_at is null
         union all select 'delivery ' || state || coalesce(': ' || last_error, '') from webhook_deliveries
         where workspace_id = '{workspace}' and state <> 'delivered'
         union all select 'sync ' || sync_type from integration_sync_logs where workspace_id = '{workspace}' and status = 'running'
         union all select 'record ' || direction || ' ' || kind || ' ' || label from integration_pending
         where workspace_id = '{workspace}' and given_up_at is null and (problem is null or direction = 'write')
         union all select 'text ' || state from text_messages
         where workspace_id = '{workspace}' and state in ('waiting', 'sending', 'sent')
         union all select 'batch ' || status from call_batches where workspace_id = '{workspace}' and status <> 'completed'
         union all select 'call ' || id from calls where workspace_id = '{workspace}'
           and (ended_at is null or transcript_status in ('pending', 'fetching')
                or transcript_status = 'completed' and analysis_status in ('pending', 'processing'))
         union all select 'job ' || kind || coalesce(': ' || last_error, '') from jobs
         where workspace_id = '{workspace}' and status = 'processing'
         union all select 'lease' from delivery_queue where workspace_id = '{workspace}' and lease_owner is not null"
    );
    owner_lines(world, &sql).await
}

#[test]
#[ignore = "takes a minute and more"]
fn whoever_is_told_hears_all_of_it_however_often_the_processes_die() {
    run(|_| async move {
        let Processes { world, mut web, mut worker } = Processes::start("webhooks-killed", "serve").await;
        let (agency, works) = Agency::ready(&world, "webhooks-killed").await;
        let workspace: WorkspaceId = agency.workspace_id.parse().expect("an id");
        let rows: String = (1..CALLED).map(|n| format!("Called {n},+1312555{:04}\n", 2000 + n)).collect();
        contact_imports::all(&agency, "called.csv", format!("name,phone\n{rows}"), &[]).await;
        let mut rule = vec![
            ("name", "After calls"),
            ("client", agency.one.id.as_str()),
            ("template", "Thank you, {{contact_name}}."),
            ("hours_start", "00:00"),
            ("hours_end", "00:00"),
        ];
        rule.extend(OUTCOMES.map(|outcome| (outcome, "on")));
        agency.owner.made_on("/messages/rules/new", "save_text_rule", &rule).await;
        // The CRM knows those who are called.
        let crm = connected(&world, &agency, "hubspot").await;
        let phones = format!("select phone from contacts where client_id = '{}'", agency.one.id);
        let known = owner_lines(&world, &phones).await;
        assert_eq!(known.len(), CALLED);
        book(&world, &crm, |book| {
            book.contacts().iter().for_each(|entry| book.remove(&entry.id));
            known.iter().for_each(|phone| drop(book.add(&[("phone", phone)])));
        });
        let sync = [("id", crm.as_str()), ("kind", "contacts"), ("reach", "everything")];
        agency.owner.done("sync_integration", &sync).await;
        agency.drain().await;
        let mut endpoints = Vec::new();
        for _ in 0..3 {
            endpoints.push(Endpoint::new(&world, &agency.owner, &agency.one.id, CHANGED).await);
        }
        let rows: String = (0..PEOPLE).map(|n| format!("Person {n},+1202{:07}\n", 5_700_000 + n)).collect();
        let import = contact_imports::uploaded(&agency, "people.csv", format!("name,phone\n{rows}")).await;
        contact_imports::checked(&agency, &import, &[]).await;

        // All of it begins at once.
        let fails = ReceiverManner { fails_one_in: 3, ..ReceiverManner::default() };
        endpoints[0].answers(&world, fails.clone());
        endpoints[1].answers(&world, ReceiverManner { hangs_one_in: 20, ..fails });
        book(&world, &crm, |book| {
            for n in 0..RECORDS {
                let (phone, email) = (format!("+1 415 555 {:04}", 1000 + n), format!("record{n}@example.com"));
                book.add(&[
                    ("firstname", "Rita"),
                    ("lastname", &format!("Record {n}")),
                    ("phone", &phone),
                    ("email", &email),
                ]);
            }
            book.add(&[("firstname", "No"), ("lastname", "Number"), ("phone", "call me"), ("email", "no address")]);
            (book.faults.repeats_page, book.faults.token_ms) = (true, 300);
        });
        let batch = agency.batch(&works.campaign, 6).await;
        agency.admin.done("run_import", &[("id", &import)]).await;
        agency.owner.done("sync_integration", &sync).await;
        let (mut kills, until) = (0_u64, Instant::now() + Duration::from_secs(45));
        while Instant::now() < until {
            tokio::time::sleep(Duration::from_millis(500 + 731 * (kills % 4))).await;
            book(&world, &crm, |book| {
                (book.faults.limited, book.faults.failing, book.faults.lost_answers) = (1, 1, 1);
                if kills % 5 == 3 {
                    book.expire();
                }
            });
            match kills % 3 {
                0 => worker.kill(),
                1 => web.kill(),
                _ => {
                    worker.kill();
                    web.kill();
                    leases_end(&world).await;
                }
            }
            if kills % 3 != 0 {
                web.start();
            }
            if kills % 3 != 1 {
                worker.start();
            }
            kills += 1;
        }
        // From now on everybody answers, and time passes until nothing waits any more.
        endpoints.iter().for_each(|endpoint| endpoint.answers(&world, with_status(200)));
        book(&world, &crm, |book| book.faults = CrmFaults::default());
        let mut rounds = 0;
        loop {
            worker.kill();
            web.kill();
            leases_end(&world).await;
            agency.background.pass(Duration::from_secs(900)).await;
            // Whatever waits for the reading of a call goes by its end, too.
            let past = format!(
                "update calls set started_at = started_at - interval '15 minutes', joined_at = joined_at - interval '15 minutes',
                                  ended_at = ended_at - interval '15 minutes' where workspace_id = '{0}' and ended_at is not null;
                 update text_rules set updated_at = updated_at - interval '15 minutes' where workspace_id = '{0}'",
                agency.workspace_id
            );
            sqlx::raw_sql(sqlx::AssertSqlSafe(past)).execute(&world.owner).await.expect("time passes");
            web.start();
            worker.start();
            answers(&world.base).await;
            let upkeep = Scope::of_operator(world.db.clone(), workspace, sweep::UPKEEP);
            sweep::sweep(&upkeep).await.expect("a sweep");
            if ask(&agency, &world, "get_batch", &batch).await.is_some_and(|view| view["status"] == "paused") {
                ask(&agency, &world, "resume_batch", &batch).await;
            }
            let (mut open, until) = (open_ends(&world, &agency).await, Instant::now() + Duration::from_secs(25));
            while !open.is_empty() && Instant::now() < until {
                tokio::time::sleep(Duration::from_millis(200)).await;
                open = open_ends(&world, &agency).await;
            }
            if open.is_empty() {
                break;
            }
            println!("after {kills} kills and {rounds} rounds: {} open, {:?}", open.len(), &open[..open.len().min(12)]);
            rounds += 1;
            assert!(rounds < 8, "after {kills} kills: {open:?}");
        }

        // Each event came to each endpoint, and none unsigned.
        let own = format!("workspace_id = '{}'", agency.workspace_id);
        let events = format!("select id::text from webhook_events where {own} and type = 'contact.changed'");
        let events: BTreeSet<String> = owner_lines(&world, &events).await.into_iter().collect();
        assert!(events.len() >= PEOPLE + RECORDS, "people of both kinds: {}", events.len());
        for endpoint in &endpoints {
            let came = endpoint.received(&world);
            assert!(came.iter().all(|one| is_signed(one, &endpoint.secret)), "none unsigned");
            let taken: BTreeSet<&str> = came.iter().filter(|one| one.status == Some(200)).map(id_of).collect();
            let states = BTreeMap::from([("delivered".to_owned(), taken.len())]);
            assert_eq!(endpoint.states(&world).await, states, "each event, after {kills} kills");
            let bodies: BTreeMap<&str, &str> = came.iter().map(|one| (id_of(one), one.body.as_str())).collect();
            assert!(came.iter().all(|one| bodies[id_of(one)] == one.body), "the same id, the same body");
        }
        // Each contact once, whichever way it came; who cannot be read waits for a person.
        let contacts = format!("contacts where client_id = '{}'", agency.one.id);
        let twice = format!("select phone from {contacts} group by phone having count(*) > 1");
        assert_eq!(owner_lines(&world, &twice).await, Vec::<String>::new());
        let here = format!("{contacts} and (name like 'Person %' or name like 'Rita Record %')");
        assert_eq!(count(&world, &here).await as usize, PEOPLE + RECORDS);
        let twice = format!(
            "select contact_id::text from integration_links where {own} and kind = 'contact' and removed_at is null and contact_id is not null
             group by integration_id, contact_id having count(*) > 1"
        );
        assert_eq!(owner_lines(&world, &twice).await, Vec::<String>::new());
        let waits = format!("integration_pending where {own} and label like '%Number%' and problem is not null");
        assert_eq!(count(&world, &waits).await, 1, "one that cannot be read");
        let ended = format!("integration_sync_logs where {own} and (status = 'running' or finished_at is null)");
        assert_eq!(count(&world, &ended).await, 0);
        // Each call's result once at the CRM, by the link that it carries.
        let calls = format!("select id::text from calls where {own} and contact_id is not null");
        let calls = owner_lines(&world, &calls).await;
        assert_eq!(calls.len(), CALLED, "everybody is called once");
        let written: Vec<String> = book(&world, &crm, |book| book.calls())
            .iter()
            .map(|entry| entry.properties.values().map(String::as_str).collect())
            .collect();
        for call in &calls {
            let times = written.iter().filter(|text| text.contains(&format!("/calls/{call}"))).count();
            assert_eq!(times, 1, "the result of {call}, after {kills} kills");
        }
        assert_eq!(written.len(), calls.len());
        // At most one text message for each call, and none lost without a reason.
        let texts = format!("text_messages where {own} and source = 'rule'");
        assert_eq!(count(&world, &texts).await as usize, CALLED, "one is written down for each call");
        let lost = format!("{texts} and state <> 'delivered' and coalesce(problem, '') = ''");
        assert_eq!(count(&world, &lost).await, 0);
        let mut sent = BTreeMap::<String, usize>::new();
        for text in world.sandbox.texts(&works.key).into_iter().filter(|text| text.state != "received") {
            *sent.entry(text.to).or_default() += 1;
        }
        assert!(sent.values().all(|times| *times == 1), "written to more than once after {kills} kills: {sent:?}");
        let delivered = count(&world, &format!("{texts} and state = 'delivered'")).await as usize;
        assert!(sent.len() >= delivered && delivered > 0, "{} and {delivered}", sent.len());
        println!(
            "{kills} kills, {rounds} rounds, {} events, {delivered} of {CALLED} texts known to be there",
            events.len()
        );
    });
}

#[test]
#[ignore = "waits for a real time limit"]
fn a_receiver_that_answers_after_a_minute_holds_up_nobody_and_is_asked_again() {
    run(|world| async move {
        let agency = Agency::new(world, "minute").await;
        let slow = Endpoint::new(world, &agency.owner, &agency.one.id, CHANGED).await;
        let quick = Endpoint::new(world, &agency.owner, &agency.one.id, CHANGED).await;
        slow.answers(world, ReceiverManner { delay_ms: 60_000, ..ReceiverManner::default() });
        webhooks_out_faults::switch(&agency, [&slow, &quick], &[]).await;
        webhooks_out_faults::people(&agency, 40).await;
        webhooks_out_faults::switch(&agency, [&slow, &quick], &[("on", "true"), ("replay", "true")]).await;
        let db = world.db.clone();
        let worker = tokio::spawn(async move { sending::drain(&db, workspace_of(&agency)).await.map(|_| agency) });
        // All the others are through while the first four still wait for their answer.
        world.sandbox.received_so_many(&quick.receiver, 40).await;
        let tries = format!(
            "select error from webhook_attempts a join webhook_deliveries d on d.id = a.delivery_id where d.endpoint_id = '{}'",
            slow.id
        );
        assert_eq!((slow.received(world).len(), owner_lines(world, &tries).await.len()), (4, 0));
        // From now on it answers at once. What waits for it is over after 20 seconds, and is tried again with the rest.
        slow.answers(world, with_status(200));
        let agency = worker.await.expect("a worker").expect("deliveries");
        let errors: Vec<String> = owner_lines(world, &format!("{tries} and a.error is not null")).await;
        assert_eq!(errors, vec!["No whole answer within 20 seconds."; 4]);
        agency.drain().await;
        for endpoint in [&slow, &quick] {
            assert_eq!(endpoint.states(world).await, BTreeMap::from([("delivered".to_owned(), 40)]));
        }
        assert_eq!(slow.received(world).len(), 44);
        assert_eq!(quick.received(world).len(), 40);
    });
}

fn workspace_of(agency: &Agency) -> WorkspaceId {
    agency.workspace_id.parse().expect("an id")
}

#[test]
#[ignore = "starts processes"]
fn two_processes_that_renew_at_once_renew_once_and_wait_for_each_other() {
    run(|_| async move {
        let Processes { world, worker: _worker, web: _web } =
            Processes::start("renewed-by-two", "serve --no-workers").await;
        let agency = Agency::new(&world, "renewed-by-two").await;
        let crm = connected(&world, &agency, "hubspot").await;
        // This process has a pool and notices of its own, as the server has.
        let stop = CancellationToken::new();
        let bridge = tokio::spawn(patchbay_jobs::live::bridge(world.db.clone(), stop.clone()));
        let scope = Scope::of_operator(world.db.clone(), workspace_of(&agency), ASKER);
        let id = crm.parse().expect("an id");
        for turn in 0..4 {
            book(&world, &crm, |book| (book.refreshes, book.faults.token_ms) = (0, 400));
            let over = format!(
                "update user_tokens set expires_at = now() - interval '1 minute' where integration_key = 'integration:{crm}'"
            );
            sqlx::raw_sql(sqlx::AssertSqlSafe(over)).execute(&world.owner).await.expect("it has ended");
            let began = Instant::now();
            let fields = [("id", crm.as_str())];
            let there = agency.owner.rpc("preview_integration", &fields);
            let (there, here) = tokio::join!(there, repair::properties(&scope, id));
            assert_eq!(there.status, 200, "turn {turn}: {there:?}");
            assert!(here.is_ok_and(|all| !all.is_empty()), "turn {turn}");
            assert_eq!(book(&world, &crm, |book| book.refreshes), 1, "turn {turn}");
            // By the notice: whoever hears none looks again after three seconds.
            assert!(began.elapsed() < Duration::from_secs(3), "turn {turn}: {:?}", began.elapsed());
        }
        stop.cancel();
        let _ = bridge.await;
    });
}
