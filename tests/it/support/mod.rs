//! The world that tests act in: a database of its own, the whole server without its workers, and the sandbox providers.
//! Background work is done when a test says so (`Agency::drain`), so nobody waits for it.

pub mod agency;
mod at_rest;
mod authenticator;
mod background;
mod bucket;
mod client;
pub mod cluster;
mod dns;
pub mod engine;
mod page;
mod plans;
pub mod processes;
mod webhook_sender;

use std::sync::{LazyLock, OnceLock};

use patchbay::boot::config::Options;
use patchbay::boot::{cli, migrate, work};
use patchbay_access::server::Db;
use patchbay_sandbox::{Sandbox, SandboxSettings};
use sqlx::postgres::PgPoolOptions;
use sqlx::{Connection, PgConnection, PgPool};
use std::sync::Arc;
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

pub use agency::{Agency, Works};
pub use authenticator::Authenticator;
pub use background::{Background, Workers, next_due};
pub use bucket::Bucket;
pub use client::{Answer, Arrival, Browser};
pub use dns::Dns;
pub use page::Page;
pub use plans::{Plan, Plans};
pub use webhook_sender::WebhookSender;

/// A running installation.
pub struct World {
    pub base: String,
    pub sandbox_base: String,
    pub sandbox: Arc<Sandbox>,
    pub db: Db,
    /// The name server that the installation asks.
    pub dns: Option<Dns>,
    /// The database's owner: for looking at what the application cannot show, never for making test data.
    pub owner_url: String,
    /// The same, for support code.
    pub owner: PgPool,
    pub workers: Workers,
}

static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime"));

static WORLD: OnceLock<World> = OnceLock::new();

/// Runs a test in the common world, which starts with the first one.
pub fn run<F: Future<Output = ()>>(test: impl FnOnce(&'static World) -> F) {
    run_in(&WORLD, test);
}

/// Runs a test in a world that only some tests share, because they change what holds for a whole installation.
pub fn run_in<F: Future<Output = ()>>(world: &'static OnceLock<World>, test: impl FnOnce(&'static World) -> F) {
    let world = world.get_or_init(|| RUNTIME.block_on(start(|owner| async move { application(&owner) }, |_| {})));
    RUNTIME.block_on(test(world));
}

/// The key of a world whose files lie in a bucket, for other processes that look at it.
pub const KEY: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

/// Runs a test in a world of its own whose files lie in a bucket.
pub fn run_with_bucket<F: Future<Output = ()>>(test: impl FnOnce(World, Bucket) -> F) {
    RUNTIME.block_on(async {
        let bucket = Bucket::start().await;
        let settings = bucket.settings();
        let world = start(
            |owner| async move { application(&owner) },
            |options| {
                options.keys = Some(KEY.to_owned());
                options.files = Some(bucket.url());
                options.files_settings = settings;
            },
        )
        .await;
        test(world, bucket).await;
    });
}

/// Runs a test in a world of its own that is configured otherwise.
pub fn run_changed<F: Future<Output = ()>>(change: impl FnOnce(&mut Options), test: impl FnOnce(World) -> F) {
    RUNTIME.block_on(async {
        let world = start(|owner| async move { application(&owner) }, change).await;
        test(world).await;
    });
}

/// Runs a test in a world of its own whose database tells the plan of every statement of the application.
pub fn run_planned<F: Future<Output = ()>>(test: impl FnOnce(World, Plans) -> F) {
    RUNTIME.block_on(async {
        let plans = Plans::default();
        let world = start(|owner| plans.clone().between(owner), |_| {}).await;
        test(world, plans).await;
    });
}

/// The same database as the application's role.
fn application(owner: &str) -> String {
    owner.replace("patchbay_owner@", "patchbay_app@")
}

/// `app`: the address that the application has of the owner's database. `change`: of the installation's options.
async fn start<F: Future<Output = String>>(app: impl FnOnce(String) -> F, change: impl FnOnce(&mut Options)) -> World {
    let owner = fresh_database().await;
    migrate::migrate(&owner).await.expect("the schema");
    let app = app(owner.clone()).await;
    let folder = std::env::temp_dir().join(format!("patchbay-test-{}", uuid::Uuid::now_v7().simple()));
    std::fs::create_dir_all(folder.join("site/pkg/test")).expect("a folder for files");
    std::fs::write(folder.join("site/.pkg"), "pkg/test\n").expect("an empty site");

    let sandbox_listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port for the sandbox");
    let sandbox_base = format!("http://{}", sandbox_listener.local_addr().expect("its address"));
    // A call takes a few milliseconds: whoever waits for its end waits hardly at all.
    let sandbox = Sandbox::new(SandboxSettings { speed: 20_000.0, ..SandboxSettings::for_tests() });
    let routes = patchbay_sandbox::router(sandbox.clone());
    tokio::spawn(async move { axum::serve(sandbox_listener, routes).await });

    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("its address");
    let dns = Dns::start().await;
    let mut options = Options {
        dns: Some(dns.address.to_string()),
        database_url: Some(app),
        data_dir: Some(folder.join("data")),
        listen: Some(address.to_string()),
        // A host name: passkeys belong to one.
        public_url: Some(format!("http://localhost:{}", address.port())),
        site_root: Some(folder.join("site")),
        db_connections: Some(16),
        log_format: Some("text".into()),
        second_factor: Some("optional".into()),
        sandbox_url: Some(sandbox_base.clone()),
        // This program is a test; the product is beside it.
        extract_with: Some(env!("CARGO_BIN_EXE_patchbay").into()),
        run_jobs_with: Some(env!("CARGO_BIN_EXE_patchbay").into()),
        local_targets: Some("on".into()),
        ..Options::default()
    };
    change(&mut options);
    let config = options.resolve().expect("a configuration");
    if std::env::var_os("RUST_LOG").is_some() {
        patchbay::boot::telemetry::start_logs(false);
    }
    let app = cli::App::open(&config).await.expect("the database");
    let db = app.db.clone();
    std::mem::forget(app);
    let server = db.clone();
    tokio::spawn(async move { cli::serve(&config, server, listener, false, CancellationToken::new()).await });
    // The socket is there already, so the answer comes as soon as there is somebody to give it.
    let ready = reqwest::get(format!("http://{address}/readyz")).await.expect("an answer");
    assert_eq!(ready.status(), 200, "the server is ready");
    let workers = Workers::Ours(Arc::new(work::runner(db.clone())));
    let owner_url = owner.clone();
    World {
        base: format!("http://{address}"),
        sandbox_base,
        sandbox,
        db,
        dns: Some(dns),
        owner_url,
        owner: pool(&owner),
        workers,
    }
}

/// Connections to look at a database as its owner, opened when they are used.
pub fn pool(url: &str) -> PgPool {
    PgPoolOptions::new().max_connections(8).connect_lazy(url).expect("an address")
}

/// The database at `url`, as the application's role, with what a process on this data folder works with beside it: for tests that start
/// processes of their own and prepare what these find.
pub async fn open_database(url: &str, data: &std::path::Path, sandbox_url: Option<&str>) -> Db {
    let options = Options {
        database_url: Some(url.to_owned()),
        data_dir: Some(data.to_owned()),
        db_connections: Some(4),
        local_targets: Some("on".into()),
        second_factor: Some("optional".into()),
        sandbox_url: sandbox_url.map(str::to_owned),
        ..Options::default()
    };
    let app = cli::App::open(&options.resolve().expect("a configuration")).await.expect("the database");
    let db = app.db.clone();
    std::mem::forget(app);
    db
}

/// A new empty database in the test cluster (`scripts/dev-db`, or PATCHBAY_TEST_DATABASE_URL for another one).
pub async fn fresh_database() -> String {
    // Every test that talks HTTP comes by here first.
    patchbay_providers::http::use_ring();
    let cluster = std::env::var("PATCHBAY_TEST_DATABASE_URL")
        .unwrap_or_else(|_| "postgres://patchbay_owner@127.0.0.1:54329/patchbay".into());
    let name = format!("test_{}", uuid::Uuid::now_v7().simple());
    let mut connection = PgConnection::connect(&cluster).await.expect("the test cluster answers: run scripts/dev-db");
    sqlx::raw_sql(sqlx::AssertSqlSafe(format!("create database {name}")))
        .execute(&mut connection)
        .await
        .expect("a database");
    let mut url = url::Url::parse(&cluster).expect("an address");
    url.set_path(&name);
    url.to_string()
}

/// One value from the database as its owner sees it.
pub async fn owner_value<T>(world: &World, sql: &str) -> T
where
    T: for<'r> sqlx::Decode<'r, sqlx::Postgres> + sqlx::Type<sqlx::Postgres> + Send + Unpin,
{
    sqlx::query_scalar(sqlx::AssertSqlSafe(sql.to_owned())).fetch_one(&world.owner).await.expect(sql)
}

/// Rows from the database as its owner sees them, each as one line of text.
pub async fn owner_lines(world: &World, sql: &str) -> Vec<String> {
    sqlx::query_scalar(sqlx::AssertSqlSafe(sql.to_owned())).fetch_all(&world.owner).await.expect(sql)
}

/// Sets a moment that the sessions of somebody remember (`key`) so many seconds back.
pub async fn age_session(world: &World, email: &str, key: &str, seconds: i64) {
    use tower_sessions::session::Record;
    let rows: Vec<(Vec<u8>, Vec<u8>)> =
        sqlx::query_as("select s.id_hash, s.data from sessions s join users u on u.id = s.user_id where u.email = $1")
            .bind(email)
            .fetch_all(&world.owner)
            .await
            .expect("sessions");
    assert!(!rows.is_empty(), "{email} is signed in");
    for (hash, data) in rows {
        let mut record: Record = rmp_serde::from_slice(&data).expect("a session");
        let moment = chrono::Utc::now().timestamp() - seconds;
        let before = record.data.insert(key.to_owned(), serde_json::json!(moment));
        assert!(before.is_some(), "the session remembers {key}");
        let data = rmp_serde::to_vec_named(&record).expect("a session");
        let update = sqlx::query("update sessions set data = $2 where id_hash = $1").bind(hash).bind(data);
        update.execute(&world.owner).await.expect("a changed session");
    }
}

/// A name that nothing else in this run has.
pub fn unique(what: &str) -> String {
    let id = uuid::Uuid::new_v4().simple().to_string();
    format!("{what}{}", &id[..10])
}

/// The source files below `folder` (from the repository's root) whose name ends with `ending`: path from the root, and text.
pub fn sources(folder: &str, ending: &str) -> Vec<(String, String)> {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    let mut waiting = vec![root.join(folder)];
    while let Some(place) = waiting.pop() {
        for entry in std::fs::read_dir(&place).expect("a folder").flatten() {
            let path = entry.path();
            if path.is_dir() {
                waiting.push(path);
            } else if path.to_string_lossy().ends_with(ending) {
                let name = path.strip_prefix(root).expect("below the root").to_string_lossy().into_owned();
                found.push((name, std::fs::read_to_string(&path).expect("text")));
            }
        }
    }
    found.sort();
    found
}
