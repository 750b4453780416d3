//! The dialler under `kill -9`: two processes, one database, a provider that is slow, forgets to answer and errs after it has acted.
//! Takes two minutes, so it runs when asked for, as `scripts/test` does: `cargo test --features ssr --test it -- --ignored`.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::json;

use super::support::processes::{Processes, answers};
use super::support::{Agency, run};

const CONTACTS: usize = 200;
const LINES: usize = 10;

#[test]
#[ignore = "takes two minutes"]
fn nobody_is_rung_twice_or_forgotten_however_often_the_dialler_dies() {
    run(|_| async move {
        let Processes { world, mut web, mut worker } = Processes::start("killed", "serve").await;
        let (base, sandbox, sandbox_base) = (world.base.clone(), world.sandbox.clone(), world.sandbox_base.clone());
        let (agency, works) = Agency::ready(&world, "killed").await;
        for number in 0..CONTACTS {
            agency.contact(&format!("+1312555{:04}", 2000 + number)).await;
        }
        let faults = json!({"latency_ms": [0, 2000], "create_faults": {"timeout": 0.04, "error_after_accept": 0.04}, "hang_secs": 15});
        let settled =
            reqwest::Client::new().patch(format!("{sandbox_base}/sandbox/settings")).json(&faults).send().await;
        let settled = settled.expect("the sandbox answers");
        assert!(settled.status().is_success(), "{settled:?}");
        let batch = agency.batch(&works.campaign, LINES).await;

        let (mut kills, until) = (0, Instant::now() + Duration::from_secs(60));
        while Instant::now() < until {
            tokio::time::sleep(Duration::from_millis(1200 + 731 * (kills % 4))).await;
            let victim = if kills % 2 == 0 { &mut worker } else { &mut web };
            victim.kill();
            victim.start();
            kills += 1;
            go_on(&agency, &base, &batch).await;
        }
        answers(&base).await;
        let until = Instant::now() + Duration::from_secs(400);
        while go_on(&agency, &base, &batch).await.as_deref() != Some("completed") {
            assert!(
                Instant::now() < until,
                "the batch never ended after {kills} kills: {}",
                agency.owner.rpc("get_batch", &[("id", &batch)]).await.text
            );
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        let mut called = BTreeMap::<String, usize>::new();
        for entry in sandbox.call_log(Some(&works.key)).into_iter().filter(|entry| entry.placed) {
            *called.entry(entry.to.unwrap_or_default()).or_default() += 1;
        }
        let twice: Vec<_> = called.iter().filter(|(_, times)| **times > 1).collect();
        assert!(twice.is_empty(), "called more than once after {kills} kills: {twice:?}");
        assert_eq!(called.len(), CONTACTS + 1, "everybody is called once, after {kills} kills");
    });
}

/// What a server function answers, if anybody does.
async fn ask(agency: &Agency, base: &str, name: &str, batch: &str) -> Option<serde_json::Value> {
    let request = agency.owner.raw(reqwest::Method::POST, &format!("/rpc/{name}")).header("origin", base);
    let answer = request
        .header("accept", "application/json")
        .form(&[("id", batch)])
        .timeout(Duration::from_secs(10))
        .send()
        .await
        .ok()?;
    answer.json().await.ok()
}

/// The batch's state; one that the provider's errors have paused is resumed. None: nobody answers just now.
async fn go_on(agency: &Agency, base: &str, batch: &str) -> Option<String> {
    let view = ask(agency, base, "get_batch", batch).await?;
    let status = view["status"].as_str()?.to_owned();
    if status == "paused" {
        ask(agency, base, "resume_batch", batch).await;
    }
    assert_ne!(status, "failed", "{view}");
    Some(status)
}
