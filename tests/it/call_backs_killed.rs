//! Call-backs under `kill -9`: the worker dies between taking a call-back whose time has come and placing its call, again and again.
//! Leases last a minute, so it takes some, and runs when asked for, as `scripts/test` does: `cargo test --features ssr --test it -- --ignored`.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::json;

use super::support::processes::Processes;
use super::support::{Agency, owner_lines, run};

const CONTACTS: usize = 30;

#[test]
#[ignore = "takes minutes"]
fn no_call_back_is_lost_and_none_goes_out_twice_however_often_the_worker_dies() {
    run(|_| async move {
        let Processes { world, mut worker, web: _web } =
            Processes::start("call-backs-killed", "serve --no-workers").await;
        let sandbox = world.sandbox.clone();
        let (agency, works) = Agency::ready(&world, "call-backs-killed").await;
        for number in 0..CONTACTS {
            agency.contact(&format!("+1312555{:04}", 2000 + number)).await;
        }
        let page = format!("/campaigns/{}", works.campaign);
        agency.owner.filled(&page, "move_campaign", &[("to", "active")]).await;
        agency.owner.filled(&format!("{page}?tab=contacts"), "add_campaign_contacts", &[("by", "all")]).await;
        let everybody = CONTACTS + 1;
        let ids = format!("select id::text from campaign_contacts where workspace_id = '{}'", agency.workspace_id);
        let until = Instant::now() + Duration::from_secs(60);
        let mut members = Vec::new();
        while members.len() < everybody {
            assert!(Instant::now() < until, "the contacts never joined: {}", members.len());
            tokio::time::sleep(Duration::from_millis(100)).await;
            members = owner_lines(&world, &ids).await;
        }
        let at = (chrono::Utc::now() + chrono::Duration::hours(1)).format("%Y-%m-%dT%H:%M").to_string();
        for member in &members {
            agency.owner.done("create_call_back", &[("member", member), ("at", &at)]).await;
        }
        // The voice service is slow, so that most deaths find a call asked for and not recorded.
        let slow = json!({"latency_ms": [0, 1500]});
        let settled =
            reqwest::Client::new().patch(format!("{}/sandbox/settings", world.sandbox_base)).json(&slow).send().await;
        assert!(settled.expect("the sandbox answers").status().is_success());

        // Their time has come, one after the other, while the worker dies as soon as one has been taken.
        worker.kill();
        let due = format!(
            "with due as (
               update call_backs set due_at = clock_timestamp() where workspace_id = '{0}' and status = 'scheduled' returning id)
             update jobs set run_at = clock_timestamp() where workspace_id = '{0}' and kind = 'dial_call_back' and status = 'pending'
               and (select count(*) from due) > 0 returning id::text",
            agency.workspace_id
        );
        assert_eq!(owner_lines(&world, &due).await.len(), everybody);
        let taken = format!(
            "select count(*)::text from call_backs where workspace_id = '{}' and status <> 'scheduled'",
            agency.workspace_id
        );
        let (mut kills, mut before) = (0, 0_usize);
        while kills < 8 {
            worker.start();
            // It dies at once after it has taken one more, or a little later, with calls on their way.
            let until = Instant::now() + Duration::from_millis(if kills % 2 == 0 { 1_500 } else { 2_500 });
            loop {
                tokio::time::sleep(Duration::from_millis(5)).await;
                let now: usize = owner_lines(&world, &taken).await[0].parse().expect("a count");
                let is_new = now > before && kills % 2 == 0;
                before = now;
                if is_new || Instant::now() > until {
                    break;
                }
            }
            worker.kill();
            kills += 1;
        }
        worker.start();
        let open = format!(
            "select status || coalesce(': ' || why, '') from call_backs where workspace_id = '{}' and status in ('scheduled', 'dialling')
               and coalesce(why, '') not like 'Nobody answered try 1%'",
            agency.workspace_id
        );
        let until = Instant::now() + Duration::from_secs(240);
        loop {
            let left = owner_lines(&world, &open).await;
            if left.is_empty() {
                break;
            }
            assert!(Instant::now() < until, "after {kills} kills these never went out: {left:?}");
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
        let mut called = BTreeMap::<String, usize>::new();
        for entry in sandbox.call_log(Some(&works.key)).into_iter().filter(|entry| entry.placed) {
            *called.entry(entry.to.unwrap_or_default()).or_default() += 1;
        }
        let unanswered = owner_lines(
            &world,
            &format!(
                "select why from call_backs where workspace_id = '{}' and status = 'needs_person'",
                agency.workspace_id
            ),
        )
        .await;
        let twice: Vec<_> = called.iter().filter(|(_, times)| **times > 1).collect();
        assert!(twice.is_empty(), "called more than once after {kills} kills: {twice:?}, {unanswered:?}");
        assert_eq!(called.len(), everybody, "everybody is called back once, after {kills} kills: {unanswered:?}");
    });
}
