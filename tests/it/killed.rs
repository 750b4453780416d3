//! The dialler under `kill -9`: two processes, one database, a provider that is slow, forgets to answer and errs after it has acted.
//! Takes two minutes, so it runs when asked for, as `scripts/test` does: `cargo test --features ssr --test it -- --ignored`.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::PathBuf;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use patchbay::boot::migrate;
use patchbay_sandbox::{Sandbox, SandboxSettings};
use serde_json::json;

use super::support::{Agency, Workers, World, fresh_database, open_database, pool, run};

const CONTACTS: usize = 200;
const LINES: usize = 10;

/// A process of the program that can be killed and started again.
pub struct Process {
    pub what: &'static str,
    pub env: Vec<(&'static str, String)>,
    /// What all its lives say.
    pub log: PathBuf,
    pub child: Option<Child>,
}

impl Process {
    pub fn start(&mut self) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_patchbay"));
        let log = File::options().create(true).append(true).open(&self.log).expect("a log");
        let both = log.try_clone().expect("its handle");
        command.args(self.what.split_whitespace()).envs(self.env.iter().cloned()).stdout(log).stderr(both);
        self.child = Some(command.spawn().expect("the program starts"));
    }

    /// SIGKILL: nothing is tidied up.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

#[test]
#[ignore = "takes two minutes"]
fn nobody_is_rung_twice_or_forgotten_however_often_the_dialler_dies() {
    run(|_| async move {
        let owner = fresh_database().await;
        migrate::migrate(&owner).await.expect("the schema");
        let app = owner.replace("patchbay_owner@", "patchbay_app@");
        let folder = std::env::temp_dir().join(format!("patchbay-killed-{}", uuid::Uuid::now_v7().simple()));
        std::fs::create_dir_all(folder.join("site/pkg/test")).expect("a folder");
        std::fs::write(folder.join("site/.pkg"), "pkg/test\n").expect("an empty site");

        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let sandbox_base = format!("http://{}", listener.local_addr().expect("an address"));
        let sandbox = Sandbox::new(SandboxSettings::for_tests());
        let routes = patchbay_sandbox::router(sandbox.clone());
        tokio::spawn(async move { axum::serve(listener, routes).await });
        let db = open_database(&app, &folder.join("data"), Some(&sandbox_base)).await;

        let port =
            std::net::TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a free port").port();
        let env = vec![
            ("DATABASE_URL", app),
            ("PATCHBAY_DATA_DIR", folder.join("data").display().to_string()),
            ("PATCHBAY_LISTEN", format!("127.0.0.1:{port}")),
            ("LEPTOS_SITE_ROOT", folder.join("site").display().to_string()),
            ("PATCHBAY_SANDBOX_URL", sandbox_base.clone()),
        ];
        println!("the processes' words are in {}", folder.display());
        let process = |what| Process { what, env: env.clone(), log: folder.join(format!("{what}.log")), child: None };
        let (mut web, mut worker) = (process("serve"), process("work"));
        web.start();
        let base = format!("http://127.0.0.1:{port}");
        answers(&base).await;
        worker.start();
        let world = World {
            base: base.clone(),
            sandbox_base: sandbox_base.clone(),
            sandbox: sandbox.clone(),
            db,
            dns: None,
            owner: pool(&owner),
            owner_url: owner,
            workers: Workers::Elsewhere,
        };

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

pub async fn answers(base: &str) {
    let until = Instant::now() + Duration::from_secs(60);
    while !reqwest::get(format!("{base}/readyz")).await.is_ok_and(|answer| answer.status().is_success()) {
        assert!(Instant::now() < until, "the server never came up");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
