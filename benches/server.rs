//! How fast the server is, measured from outside, beside what PostgreSQL alone does on the same machine.
//!
//!   scripts/bench            starts a durable cluster, runs this, then the browser's measurements
//!
//! `PATCHBAY_BENCH` with deliveries, execution, strangers, imports, sync, usage or webhooks measures that alone.
//!
//! Load, server and workers share this machine's processors. Each figure has its line in docs/MEASUREMENTS.md. Nothing here fails for being slow.

#[allow(dead_code, unused_imports, reason = "shared with the tests, which need more of it")]
#[path = "../tests/it/support/mod.rs"]
mod support;

#[path = "server/deliveries.rs"]
mod deliveries;
#[path = "server/execution.rs"]
mod execution;
#[path = "server/sync.rs"]
mod sync;
#[path = "server/usage.rs"]
mod usage;
#[path = "server/webhooks.rs"]
mod webhooks;

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use sqlx::{Connection, PgConnection};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use support::{Agency, World, run};

const LINES: usize = 32;
const SPAN: Duration = Duration::from_secs(10);

fn main() {
    // `cargo test --benches` must not start a measurement.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let only = std::env::var("PATCHBAY_BENCH").unwrap_or_default();
    run(|world| async move {
        println!("| what | figure | beside it |\n|---|---|---|");
        if only.is_empty() {
            println!("| memory after the start, sandbox included | {} MiB | |", memory());
        }
        // Before there are workers: what makes an agency ready has its work done for it, as in tests.
        let wanted = |name: &str| only.is_empty() || only == name;
        if wanted("usage") {
            usage::usage(world).await;
        }
        if only == "usage" {
            return;
        }
        if wanted("execution") {
            execution::execution(world).await;
        }
        if only == "execution" {
            return;
        }
        if wanted("deliveries") {
            deliveries::deliveries(world).await;
        }
        if only == "deliveries" {
            return;
        }
        let past = if wanted("sync") { Some(Agency::ready(world, "Past").await) } else { None };
        // What is measured goes on by itself, as in production.
        let stop = CancellationToken::new();
        let workers =
            tokio::spawn(patchbay::boot::work::run_workers(world.db.clone(), vec!["default".to_owned()], stop.clone()));
        if !["webhooks", "sync", "usage"].contains(&only.as_str()) {
            strangers(world).await;
        }
        if only == "strangers" {
            return;
        }
        if only == "imports" {
            import_as_people_write(world).await;
            return import(world).await;
        }
        if only.is_empty() {
            lists(world).await;
            import(world).await;
            import_as_people_write(world).await;
        }
        if let Some((agency, works)) = past {
            sync::sync(world, agency, works).await;
        }
        if only == "sync" {
            return;
        }
        // Last, and without them: what it leaves behind would keep the workers busy for a while.
        stop.cancel();
        let _ = workers.await;
        webhooks::webhooks(world).await;
    });
}

/// Whether a wrong password takes as long for somebody as for nobody, and a made-up link as long as another's (S-09).
async fn strangers(world: &World) {
    const TRIES: usize = 250;
    let agency = Agency::new(world, "strangers").await;
    let token = support::agency::invitation(&agency.owner, "guest@strangers.example", "agency_member", "").await;
    let known = agency.owner_email();
    let mut connection = owner(world).await;
    let mut forget = async || {
        sqlx::raw_sql("delete from sign_in_throttles").execute(&mut connection).await.expect("no waits");
    };
    let browser = support::Browser::new(world);
    let (mut sign_in, mut link) = ([Vec::new(), Vec::new()], [Vec::new(), Vec::new()]);
    let parts: Vec<&str> = token.split('.').collect();
    let [workspace, invitation, _] = parts[..] else { panic!("a link: {token}") };
    let nowhere = Uuid::now_v7().simple().to_string();
    for _ in 0..TRIES {
        for (at, email) in [known.as_str(), "nobody@strangers.example"].into_iter().enumerate() {
            forget().await;
            let began = Instant::now();
            let answer = browser.rpc("sign_in", &[("email", email), ("password", "not this one at all")]).await;
            sign_in[at].push(began.elapsed());
            assert_eq!(answer.status, 422);
        }
        for (at, id) in [invitation, nowhere.as_str()].into_iter().enumerate() {
            let forged = format!("{workspace}.{id}.{}", "x".repeat(43));
            let began = Instant::now();
            let answer = browser.rpc("open_invitation", &[("token", &forged)]).await;
            link[at].push(began.elapsed());
            assert_eq!(answer.status, 409);
        }
    }
    for (name, [mut one, mut other]) in [("S-09 a wrong password", sign_in), ("S-09 a forged invitation", link)] {
        one.sort();
        other.sort();
        let middle = |times: &[Duration]| times[times.len() / 2].as_secs_f64() * 1000.0;
        let (one, other) = (middle(&one), middle(&other));
        println!(
            "| {name}: p50 for somebody's, {TRIES} tries | {one:.2} ms | for nobody's {other:.2} ms, apart {:.2} ms |",
            (one - other).abs()
        );
    }
}

/// The calls list of an agency with few calls, and of one with many.
async fn lists(world: &World) {
    let many: i64 = std::env::var("PATCHBAY_BENCH_CALLS").ok().and_then(|calls| calls.parse().ok()).unwrap_or(200_000);
    for calls in [200, many] {
        let (agency, _) = Agency::worked(world, "Lists").await;
        let more = format!(
            "insert into calls select (jsonb_populate_record(c, jsonb_build_object(
               'id', gen_random_uuid(), 'provider_call_id', gen_random_uuid(), 'campaign_contact_id', null,
               'started_at', c.started_at - n * interval '1 minute'))).*
             from calls c, generate_series(1, {calls}) n
             where c.id = (select id from calls where workspace_id = '{}' limit 1)",
            agency.workspace_id
        );
        sqlx::raw_sql(sqlx::AssertSqlSafe(more)).execute(&mut owner(world).await).await.expect("calls");
        sqlx::raw_sql("analyze calls").execute(&mut owner(world).await).await.expect("statistics");
        let browser = agency.owner.clone();
        for _ in 0..20 {
            assert_eq!(browser.get("/calls").await.status, 200);
        }
        let mut times = Vec::new();
        for _ in 0..200 {
            let begin = Instant::now();
            browser.get("/calls").await;
            times.push(begin.elapsed());
        }
        times.sort();
        let before = memory();
        let full = side_by_side(|| {
            let browser = browser.clone();
            move || {
                let browser = browser.clone();
                Box::pin(async move { assert_eq!(browser.get("/calls").await.status, 200) })
            }
        })
        .await;
        println!(
            "| P-05 calls list, 25 of {calls} rows, one visitor | p50 {}, p99 {} | |",
            ms(times[100]),
            ms(times[197])
        );
        println!("| the same, {LINES} visitors | {:.0} pages/s, p99 {} | |", full.rate, ms(full.p99));
        println!("| P-16 memory before and after those pages | {before} and {} MiB | |", memory());
    }
}

/// A file of 500,000 rows, with bad and doubled ones, beside COPY into a bare table.
async fn import(world: &World) {
    const ROWS: usize = 500_000;
    let mut file = String::from("name,phone\n");
    for row in 0..ROWS {
        match row % 50 {
            7 => file += "Nobody,n/a\n",
            n if n % 10 == 3 => file += &format!("Twin {row},+4179{:07}\n", row - 1),
            _ => file += &format!("Person {row},+4179{row:07}\n"),
        }
    }
    let mut connection = owner(world).await;
    sqlx::raw_sql(
        "create table bench_rows (name text, phone text); create table bench_contacts (name text, phone text unique)",
    )
    .execute(&mut connection)
    .await
    .expect("tables");
    let begin = Instant::now();
    let mut copy =
        connection.copy_in_raw("copy bench_rows from stdin (format csv, header true)").await.expect("a copy");
    copy.send(file.as_bytes()).await.expect("rows");
    copy.finish().await.expect("the end");
    sqlx::raw_sql("insert into bench_contacts select * from bench_rows where phone like '+%' on conflict do nothing")
        .execute(&mut connection)
        .await
        .expect("an insert");
    let plain = ROWS as f64 / begin.elapsed().as_secs_f64();
    let took = bring(world, "Import", file).await;
    let rate = ROWS as f64 / took.import.as_secs_f64();
    println!(
        "| P-13 import of {ROWS} rows | {rate:.0} rows/s (upload {:.1?}, check {:.1?}) | COPY and insert {plain:.0} rows/s: {:.2} of it |",
        took.upload,
        took.check,
        rate / plain
    );
    println!("| memory before and during the import | {} and {} MiB | |", took.before, took.most);
}

/// 100,000 people of ten countries, with their numbers as people write them.
async fn import_as_people_write(world: &World) {
    const ROWS: usize = 100_000;
    let took = bring(world, "Written", as_people_write(ROWS)).await;
    println!(
        "| P-13 check and import of {ROWS} rows of ten countries, numbers as people write them | {:.1?} (upload {:.1?}, check {:.1?}, import {:.1?}) | |",
        took.check + took.import,
        took.upload,
        took.check,
        took.import
    );
    println!("| memory before and during it | {} and {} MiB | |", took.before, took.most);
}

/// Four of ten are Swiss in national form, which the default country completes; the others carry their country's code.
fn as_people_write(rows: usize) -> String {
    let mut file = String::from("Name;Company;E-Mail;Phone;City\r\n");
    for row in 0..rows {
        let n = row / 10;
        let (a, b, c) = (n / 10_000 % 1_000, n / 100 % 100, n % 100);
        let phone = match (row % 10, n % 3) {
            (0, 0) => format!("079 {a:03} {b:02} {c:02}"),
            (0, 1) => format!("079/{a:03}.{b:02}.{c:02}"),
            (0, _) => format!("+41 (0)79 {a:03}-{b:02}-{c:02}"),
            (1, 0) => format!("0049 151 2{a:03} {b:02}{c:02}"),
            (1, _) => format!("+49 (151) 2{a:03}-{b:02}{c:02}"),
            (2, 0) => format!("+33 6 12 {:02} {b:02} {c:02}", a % 100),
            (2, _) => format!("0033612{:02}{b:02}{c:02}", a % 100),
            (3, 0) => format!("+44 7400 {:02}{b:02}{c:02}", a % 100),
            (3, _) => format!("+44 (0) 7400-{:02}{b:02}{c:02}", a % 100),
            (4, 0) => format!("+1 (212) {}-{b:02}{c:02}", 201 + a % 700),
            (4, _) => format!("+1.212.{}.{b:02}{c:02}", 201 + a % 700),
            (5, _) => format!("+43 664 {a:03} {b:02} {c:02}"),
            (6, _) => format!("+39 320 {a:03} {b:02}{c:02}"),
            (7, _) => format!("+34 612 {:02} {b:02} {c:02}", a % 100),
            (8, _) => format!("+31-6-12{:02}{b:02}{c:02}", a % 100),
            (_, 0) => format!("+91 98 1{a:03} {b:02}{c:02}"),
            (_, _) => format!("044 66{} {b:02} {c:02}", a % 10),
        };
        file += &format!("Person {row};Company {};person{row}@example.com;{phone};Bern\r\n", row % 500);
    }
    file
}

struct Brought {
    upload: Duration,
    check: Duration,
    import: Duration,
    before: u64,
    most: u64,
}

/// Uploads a list, takes the columns that were guessed, checks and imports it.
async fn bring(world: &World, name: &str, file: String) -> Brought {
    let agency = Agency::new(world, name).await;
    let before = memory();
    let begin = Instant::now();
    let answer = agency
        .admin
        .upload("/contacts/imports/upload", &[("client", &agency.one.id)], "many.csv", file.into_bytes())
        .await;
    let id = answer.id().expect("an import");
    let upload = begin.elapsed();
    let begin = Instant::now();
    agency.admin.filled(&format!("/contacts/imports/{id}/mapping"), "check_import", &[("form[country]", "CH")]).await;
    let mut most = memory();
    let mut until = async |wanted: &str| loop {
        let seen = agency.admin.done("get_import", &[("id", &id)]).await.json();
        if seen["status"] == wanted {
            return seen;
        }
        assert!(begin.elapsed() < Duration::from_secs(600), "it ends: {seen}");
        most = most.max(memory());
        tokio::time::sleep(Duration::from_millis(40)).await;
    };
    let checked = until("checked").await;
    let check = begin.elapsed();
    let again = Instant::now();
    agency.admin.done("run_import", &[("id", &id)]).await;
    until("completed").await;
    let import = again.elapsed();
    eprintln!("{name}: {}", checked["preview"]["check"]["reasons"]);
    Brought { upload, check, import, before, most }
}

struct Speed {
    rate: f64,
    p50: Duration,
    p99: Duration,
}

type Turn = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Repeats what `make` returns on all lines for a while.
async fn side_by_side<W: Fn() -> Turn + Send + 'static>(make: impl Fn() -> W) -> Speed {
    let stop = Arc::new(AtomicBool::new(false));
    let mut tasks = Vec::new();
    for _ in 0..LINES {
        let (work, stop) = (make(), Arc::clone(&stop));
        tasks.push(tokio::spawn(async move {
            let mut times = Vec::new();
            while !stop.load(Ordering::Relaxed) {
                let begin = Instant::now();
                work().await;
                times.push(begin.elapsed());
            }
            times
        }));
    }
    let begin = Instant::now();
    tokio::time::sleep(SPAN).await;
    stop.store(true, Ordering::Relaxed);
    let mut times = Vec::new();
    for task in tasks {
        times.extend(task.await.expect("a line"));
    }
    let took = begin.elapsed();
    times.sort();
    Speed {
        rate: times.len() as f64 / took.as_secs_f64(),
        p50: times[times.len() / 2],
        p99: times[times.len() * 99 / 100],
    }
}

async fn owner(world: &World) -> PgConnection {
    PgConnection::connect(&world.owner_url).await.expect("the database")
}

/// A ratio to what PostgreSQL does alone, and whether the goal holds.
fn verdict(ratio: f64, goal: f64) -> String {
    format!("{ratio:.2} of it; goal {goal:.1}: {}", if ratio >= goal { "holds" } else { "does not hold" })
}

fn ms(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1000.0)
}

/// Resident memory of this process, in MiB.
fn memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    line.split_whitespace().next().and_then(|kb| kb.parse::<u64>().ok()).unwrap_or(0) / 1024
}
