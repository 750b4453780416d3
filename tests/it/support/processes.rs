//! A world whose server and workers are processes of the program, each of which can be killed at any moment.

use std::fs::File;
use std::path::PathBuf;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use patchbay::boot::migrate;
use patchbay_sandbox::{Sandbox, SandboxSettings};

use super::{Workers, World, fresh_database, open_database, pool};

/// A process of the program that can be killed and started again.
pub struct Process {
    what: &'static str,
    env: Vec<(&'static str, String)>,
    /// What all its lives say.
    log: PathBuf,
    child: Option<Child>,
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

/// A server and a worker, with a database and a sandbox of their own.
pub struct Processes {
    pub world: World,
    pub web: Process,
    pub worker: Process,
}

impl Processes {
    /// Both are there, and the server answers. `serve`: how the server is started.
    pub async fn start(name: &str, serve: &'static str) -> Self {
        let owner = fresh_database().await;
        migrate::migrate(&owner).await.expect("the schema");
        let app = owner.replace("patchbay_owner@", "patchbay_app@");
        let folder = std::env::temp_dir().join(format!("patchbay-{name}-{}", uuid::Uuid::now_v7().simple()));
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
        let (mut web, mut worker) = (process(serve), process("work"));
        web.start();
        let base = format!("http://127.0.0.1:{port}");
        answers(&base).await;
        worker.start();
        let workers = Workers::Elsewhere;
        let (dns, owner_url) = (None, owner.clone());
        let world = World { base, sandbox_base, sandbox, db, dns, owner: pool(&owner), owner_url, workers };
        Self { world, web, worker }
    }
}

/// Waits until the server answers.
pub async fn answers(base: &str) {
    let until = Instant::now() + Duration::from_secs(60);
    while !reqwest::get(format!("{base}/readyz")).await.is_ok_and(|answer| answer.status().is_success()) {
        assert!(Instant::now() < until, "the server never came up");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
