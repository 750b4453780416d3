//! Clocks that are put right while jobs run: the worker's and the database's, an hour forward and an hour back. Their processes are given
//! another clock by Debian's `faketime`. Takes most of a minute, so it runs when asked for: `cargo test --features ssr --test it -- --ignored`.

use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use patchbay::boot::embedded_postgres::EmbeddedPostgres;

use super::execution_jobs::{command, job, state, usual};
use super::support::processes::{Ground, Process, answers, folder};
use super::support::{Agency, owner_lines, owner_value, run};

/// A clock that can be set, of the processes that are started with it.
struct Clock {
    library: PathBuf,
    file: PathBuf,
}

impl Clock {
    /// None, with the reason printed: this machine cannot give processes another clock. In CI it can (`scripts/setup --test`).
    fn new(folder: &Path, name: &str) -> Option<Self> {
        let places = std::fs::read_dir("/usr/lib").into_iter().flatten().flatten();
        let found = places.map(|place| place.path().join("faketime/libfaketimeMT.so.1")).find(|path| path.exists());
        let Some(library) = found else {
            assert!(std::env::var_os("CI").is_none(), "scripts/setup --test installs faketime");
            println!("skipped: faketime is not there");
            return None;
        };
        std::fs::create_dir_all(folder).expect("a folder");
        let clock = Self { library, file: folder.join(name) };
        clock.set(0);
        Some(clock)
    }

    /// Hours before or behind the machine's.
    fn set(&self, hours: i32) {
        let new = self.file.with_extension("new");
        std::fs::write(&new, format!("{:+}\n", hours * 3600)).expect("a clock");
        std::fs::rename(new, &self.file).expect("a clock");
    }

    fn env(&self) -> [(&'static str, String); 4] {
        [
            ("LD_PRELOAD", self.library.display().to_string()),
            ("FAKETIME_TIMESTAMP_FILE", self.file.display().to_string()),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned()),
            ("FAKETIME_NO_CACHE", "1".to_owned()),
        ]
    }
}

/// A database server of its own with such a clock.
struct Database {
    server: Child,
    _kept: EmbeddedPostgres,
}

impl Database {
    /// Gives its address for the owner of the tables, too.
    async fn start(folder: &Path, clock: &Clock) -> (Self, String) {
        let kept = EmbeddedPostgres::start(folder).await.expect("a database server");
        let cluster = folder.join("cluster");
        let number = std::fs::read_to_string(cluster.join("postmaster.pid")).expect("its record");
        let number = number.lines().next().expect("its number").to_owned();
        let words = std::fs::read_to_string(cluster.join("postmaster.opts")).expect("how it was started");
        let _ = Command::new("kill").args(["-INT", &number]).output();
        let until = Instant::now() + Duration::from_secs(20);
        while Path::new(&format!("/proc/{number}")).exists() {
            assert!(Instant::now() < until, "the database server does not end");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let mut words = words.split('"').map(str::trim).filter(|word| !word.is_empty());
        let mut server = Command::new(words.next().expect("a program"));
        let owner = std::fs::metadata(&cluster).expect("its folder");
        server.args(words).envs(clock.env()).current_dir(&cluster).stdin(Stdio::null());
        if owner.uid() != 0 {
            server.uid(owner.uid()).gid(owner.gid());
        }
        let log = std::fs::File::create(folder.join("stepped.log")).expect("a log");
        let server = server.stdout(log.try_clone().expect("its handle")).stderr(log).spawn().expect("it starts");
        let url = kept.owner_url();
        while <sqlx::PgConnection as sqlx::Connection>::connect(&url).await.is_err() {
            assert!(Instant::now() < until, "the database server does not answer");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        (Self { server, _kept: kept }, url)
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let _ = Command::new("kill").args(["-QUIT", &self.server.id().to_string()]).output();
        let _ = self.server.wait();
    }
}

/// Until the page of a job says so.
async fn until(agency: &Agency, id: &str, what: &str, is_so: impl Fn(&serde_json::Value) -> bool) {
    let most = Instant::now() + Duration::from_secs(60);
    loop {
        let page = job(agency, id).await;
        if is_so(&page) {
            return;
        }
        assert!(Instant::now() < most, "{what} never came: {page}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Until its log has so many lines more.
async fn more(agency: &Agency, id: &str, lines: usize) {
    let count = |page: &serde_json::Value| page["log"].as_array().map_or(0, Vec::len);
    let now = count(&job(agency, id).await);
    until(agency, id, "its next lines", |page| count(page) >= now + lines).await;
}

/// A job with eight seconds to its end has them, whatever a clock does meanwhile.
async fn has_its_time(agency: &Agency, engine: &str, step: impl FnOnce()) {
    let late = command(agency, engine, "sleep 50", &[]).await;
    until(agency, &late, "its start", |page| page["job"]["container"].is_string()).await;
    let began = Instant::now();
    step();
    until(agency, &late, "its end", |page| page["job"]["status"] == "failed").await;
    let took = began.elapsed();
    assert!(took > Duration::from_secs(5) && took < Duration::from_secs(20), "{took:?}");
    let (_, why) = state(agency, &late).await;
    assert_eq!(why, "It ran for longer than its 8 seconds and was ended.");
}

#[test]
#[ignore = "takes a minute"]
fn jobs_go_on_when_clocks_are_put_right_under_them() {
    let folder = folder("clock-steps");
    let clocks = Clock::new(&folder, "worker").zip(Clock::new(&folder, "database"));
    let Some((of_worker, of_database)) = clocks else { return };
    run(|_| async move {
        let (database, owner) = Database::start(&folder.join("postgres"), &of_database).await;
        let app = owner.replace("user=patchbay_owner", "user=patchbay_app");
        let ground = Ground::on(folder, owner, app).await;
        let world = &ground.world;
        let mut processes = [ground.process("serve --no-workers"), ground.process("work").with(of_worker.env())];
        processes.iter_mut().for_each(Process::start);
        answers(&world.base).await;
        let agency = Agency::new(world, "clocks").await;
        let engines = usual(&agency).await;
        let engine = async |name| {
            let fields = [("name", name), ("interpreter", "sh -e"), ("timeout_seconds", "8")];
            agency.owner.made_on("/execution/engines/new?type=process", "save_execution_engine", &fields).await
        };
        let (quick, broken) = (engine("Quick").await, engine("Broken").await);

        let script =
            "i=0; while [ $i -lt 100 ]; do echo line $i; i=$((i+1)); sleep 0.5; done; mkdir -p out; date > out/end";
        let long = command(&agency, &engines.process, script, &[]).await;
        until(&agency, &long, "its first line", |page| page["log"].as_array().is_some_and(|log| !log.is_empty())).await;
        for hours in [1, -1, 0] {
            of_worker.set(hours);
            more(&agency, &long, 3).await;
        }
        let asked = command(&agency, &engines.process, "echo decided", &[("asks", "true")]).await;
        let circuit = format!(
            "insert into execution_circuits (workspace_id, id, engine_id, target_id, failures, opened_at, probe_at, last_reason)
             values ('{}', gen_random_uuid(), '{broken}', '{}', 5, now(), now() + interval '10 minutes', 'Away.') returning 'done'",
            agency.workspace_id, engines.target
        );
        assert_eq!(owner_lines(world, &circuit).await, ["done"]);
        let probes = command(&agency, &broken, "echo tried", &[]).await;
        until(&agency, &probes, "the breaker", |page| page["job"]["status"] == "failed_circuit_open").await;

        // Forward: a breaker's time comes early by as much, people have what is left of their two hours, and what runs goes on.
        has_its_time(&agency, &quick, || of_database.set(1)).await;
        until(&agency, &probes, "its try", |page| page["job"]["status"] == "completed").await;
        // By now whoever takes work back has looked.
        more(&agency, &long, 10).await;
        assert_eq!(state(&agency, &long).await.0, "running");
        // Back.
        has_its_time(&agency, &quick, || of_database.set(0)).await;
        more(&agency, &long, 10).await;
        let page = job(&agency, &asked).await;
        assert_eq!(page["job"]["status"], "awaiting_approval", "{page}");
        let approval = page["approvals"][0]["id"].as_str().expect("an approval");
        agency.owner.done("decide_approval", &[("id", approval), ("decision", "approved")]).await;
        until(&agency, &asked, "its end", |page| page["job"]["status"] == "completed").await;

        until(&agency, &long, "its end", |page| page["job"]["status"] != "running").await;
        let page = job(&agency, &long).await;
        assert!(page["job"]["status"] == "completed" && page["job"]["retry_count"] == 0, "{page}");
        assert!(
            page["attempts"].as_array().map(Vec::len) == Some(1) && page["artefacts"][0]["name"] == "end",
            "{page}"
        );
        let lines: Vec<String> = page["log"]
            .as_array()
            .expect("a log")
            .iter()
            .map(|line| line["line"].as_str().unwrap_or_default().to_owned())
            .collect();
        assert_eq!(lines, (0..100).map(|n| format!("line {n}")).collect::<Vec<_>>(), "each line once");
        assert!(page["steps"][0]["took_ms"].as_i64().is_some_and(|ms| (45_000..90_000).contains(&ms)), "{page}");
        let samples = format!(
            "select max((sample ->> 0)::bigint) from execution_attempts, jsonb_array_elements(memory_samples) sample where job_id = '{long}'"
        );
        assert!(owner_value::<Option<i64>>(world, &samples).await.unwrap_or_default() < 90_000);
        // What was written, was written in order, in the time of the try.
        let order = format!(
            "select count(*) from (select at, lag(at) over (order by position) before from execution_log_lines where job_id = '{long}') lines
             where at < before"
        );
        assert_eq!(owner_value::<i64>(world, &order).await, 0);
        let lost = "select (select count(*) from execution_queue where worker_deaths > 0 or status <> 'completed')
                         + (select count(*) from jobs where worker_deaths > 0) + (select count(*) from execution_attempts where outcome = 'lost')";
        assert_eq!(owner_value::<i64>(world, lost).await, 0, "nothing was taken from a worker that lives");
        processes.iter_mut().for_each(|process| assert!(process.lives()));
        processes.iter_mut().for_each(Process::kill);
        drop(database);
        let _ = std::fs::remove_dir_all(&ground.folder);
    });
}
