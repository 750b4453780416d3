//! An import of past calls under `kill -9`: its worker dies at any moment, the service limits it, and calls come to light meanwhile.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use chrono::{TimeDelta, Utc};
use patchbay_sandbox::{PastOfAgent, Quirks, SandboxSettings};

use super::support::processes::Processes;
use super::support::{Agency, owner_lines, owner_value, run};

const HERE: (&str, &str) = ("provider", "ultravox");
const KILLS: u64 = 5;

#[test]
fn an_import_that_is_killed_again_and_again_has_every_call_once() {
    run(|_| async move {
        let Processes { world, web: _web, mut worker } = Processes::start("history", "serve --no-workers").await;
        let sandbox = world.sandbox.clone();
        let (agency, works) = Agency::ready(&world, "killed-past").await;
        let agent: String = owner_value(
            &world,
            &format!("select provider_agent_id from agent_mappings where agent_id = '{}'", works.agent),
        )
        .await;
        let until = Utc::now() - TimeDelta::days(1);
        let past = PastOfAgent {
            agent_id: agent,
            from: until - TimeDelta::days(60),
            until,
            timezone: "UTC".into(),
            calls_per_day: 50.0,
            ..PastOfAgent::default()
        };
        sandbox.set_past(&works.key, vec![past]);
        let quirks = Quirks { pages_limited_every: 9, pages_grow: 5, ..Quirks::default() };
        let settings = sandbox.settings_for(&works.key);
        let settings =
            SandboxSettings { quirks, latency_ms: [60, 180], retry_after_secs: 1, ..SandboxSettings::clone(&settings) };
        sandbox.set_settings(Some(&works.key), settings);

        agency.owner.done("start_history_import", &[HERE]).await;
        let all = agency.owner.done("list_history_imports", &[HERE]).await.json();
        let id = all["rows"][0]["id"].as_str().expect("an import").to_owned();
        let taken = format!("select imported from historical_sync_jobs where id = '{id}'");
        let mut before = 0;
        for kill in 0..KILLS {
            // In the middle of a page that follows on others.
            let (until, mut look_again) = (Instant::now() + Duration::from_secs(60), Instant::now());
            loop {
                let now: i64 = owner_value(&world, &taken).await;
                if now > before {
                    before = now;
                    break;
                }
                assert!(Instant::now() < until, "the import does not go on after {kill} kills");
                if look_again.elapsed() > Duration::from_secs(5) {
                    // A job that died three times waits for the next check, which is ten minutes later.
                    sqlx::raw_sql("update call_checks set next_at = now()")
                        .execute(&world.owner)
                        .await
                        .expect("a check");
                    look_again = Instant::now();
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            tokio::time::sleep(Duration::from_millis(37 * ((kill * 5) % 4))).await;
            worker.kill();
            // Ten minutes pass: what the dead one held is free, and the next check looks after what lost its worker.
            let passed = "update jobs set lease_until = now() - interval '1 second' where status = 'processing';
                          update call_checks set next_at = now()";
            sqlx::raw_sql(passed).execute(&world.owner).await.expect("ten minutes");
            worker.start();
        }
        // From now on nothing more comes to light.
        let settings = SandboxSettings::clone(&sandbox.settings_for(&works.key));
        let quirks = Quirks { pages_grow: 0, ..settings.quirks.clone() };
        sandbox.set_settings(Some(&works.key), SandboxSettings { quirks, latency_ms: [0, 0], ..settings });
        let until = Instant::now() + Duration::from_secs(60);
        let sync = loop {
            let page = agency.owner.done("get_history_import", &[HERE, ("id", &id)]).await.json();
            if page["sync"]["status"] != "in_progress" {
                break page["sync"].clone();
            }
            assert!(Instant::now() < until, "the import never ended: {page}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        };
        assert_eq!(sync["status"], "completed", "{sync}");
        let of = format!("select provider_call_id from calls where workspace_id = '{}'", agency.workspace_id);
        let here = owner_lines(&world, &of).await;
        let once: BTreeSet<String> = here.iter().cloned().collect();
        let there: BTreeSet<String> = sandbox.call_ids(&works.key).into_iter().map(|id| id.to_string()).collect();
        assert_eq!(here.len(), once.len(), "no call is here twice");
        assert_eq!(once, there, "every call of the service is here");
        let count = |name: &str| sync[name].as_i64().unwrap_or_default();
        assert!(count("skipped") <= 100, "at most one page was taken twice: {sync}");
        assert_eq!(count("imported"), here.len() as i64, "what the page says is what is here: {sync}");
    });
}
