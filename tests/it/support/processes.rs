//! A world whose server and workers are processes of the program, each of which can be killed at any moment.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use patchbay::boot::migrate;
use patchbay_access::server::Db;
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
    /// The same with this beside what it is started with.
    pub fn with(mut self, env: impl IntoIterator<Item = (&'static str, String)>) -> Self {
        self.env.extend(env);
        self
    }

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

    /// It was started and has not ended.
    pub fn lives(&mut self) -> bool {
        self.child.as_mut().is_some_and(|child| child.try_wait().is_ok_and(|ended| ended.is_none()))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// What processes of the program stand on: a database, a folder and a sandbox of their own.
pub struct Ground {
    pub world: World,
    pub folder: PathBuf,
    env: Vec<(&'static str, String)>,
}

impl Ground {
    /// On a new database of the test cluster.
    pub async fn new(name: &str) -> Self {
        let owner = fresh_database().await;
        let app = owner.replace("patchbay_owner@", "patchbay_app@");
        let folder = folder(name);
        std::fs::create_dir_all(&folder).expect("a folder");
        Self::on(folder, owner, app).await
    }

    /// On this database, as its owner and as the application have it.
    pub async fn on(folder: PathBuf, owner: String, app: String) -> Self {
        migrate::migrate(&owner).await.expect("the schema");
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
            ("PATCHBAY_LOCAL_TARGETS", "on".to_owned()),
        ];
        println!("the processes' words are in {}", folder.display());
        let base = format!("http://127.0.0.1:{port}");
        let (dns, owner_url, workers) = (None, owner.clone(), Workers::Elsewhere);
        let world = World { base, sandbox_base, sandbox, db, dns, owner: pool(&owner), owner_url, workers };
        Self { world, folder, env }
    }

    /// The database with what a process on this data folder has beside it.
    pub async fn database(&self, data: &Path) -> Db {
        let app = self.env.iter().find(|(name, _)| *name == "DATABASE_URL").map(|(_, url)| url.as_str());
        open_database(app.expect("an address"), data, Some(&self.world.sandbox_base)).await
    }

    /// One that is started with these words, and not yet.
    pub fn process(&self, what: &'static str) -> Process {
        Process { what, env: self.env.clone(), log: self.folder.join(format!("{what}.log")), child: None }
    }

    /// The same on a machine of its own: it has the keys of this one, and other files.
    pub fn process_elsewhere(&self, what: &'static str) -> Process {
        let there = self.folder.join("elsewhere");
        std::fs::create_dir_all(&there).expect("a folder");
        std::fs::copy(self.folder.join("data/keys"), there.join("keys")).expect("the keys");
        let mut process = self.process(what);
        process.log = self.folder.join(format!("{what} elsewhere.log"));
        process.env.push(("PATCHBAY_DATA_DIR", there.display().to_string()));
        process
    }
}

/// A folder that nothing else in this run has.
pub fn folder(name: &str) -> PathBuf {
    std::env::temp_dir().join(format!("patchbay-{name}-{}", uuid::Uuid::now_v7().simple()))
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
        let ground = Ground::new(name).await;
        let (mut web, mut worker) = (ground.process(serve), ground.process("work"));
        web.start();
        answers(&ground.world.base).await;
        worker.start();
        Self { world: ground.world, web, worker }
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
