//! The way in: how fast events are taken (P-01) and worked through (P-03), beside what PostgreSQL does when it does nothing else.

use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, SecondsFormat, Utc};
use patchbay_jobs::Runner;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::support::{WebhookSender, World, owner_value};
use super::{LINES, SPAN, Speed, ms, owner, side_by_side, verdict};

/// What pgbench inserts into and takes from: a table like ours, with its keys and indexes, which nothing else uses.
const TABLE: &str = "create table bench_events (like webhook_queue including all)";
const DEQUEUE: &str = "begin;
select quote_literal(id) as jid from bench_events where workspace_id = '00000000-0000-0000-0000-000000000001' and status = 'pending' and next_attempt_at <= now() order by next_attempt_at, id limit 1 for update skip locked \\gset
update bench_events set status = 'completed' where workspace_id = '00000000-0000-0000-0000-000000000001' and id = :jid;
commit;";

/// The row of an event like those that are sent. What is the same in each is written out beforehand.
fn insert() -> String {
    let headers = json!({
        "host": "127.0.0.1:8080", "content-type": "application/json", "content-length": "1609",
        "x-ultravox-webhook-timestamp": "2026-11-29T16:00:00.000000Z", "x-ultravox-webhook-signature": "[hidden]",
    });
    format!(
        "insert into bench_events (id, workspace_id, connection_id, provider, event_id, event_type, headers, raw_body) values
           (gen_random_uuid(), '00000000-0000-0000-0000-000000000001', '00000000-0000-0000-0000-000000000002', 'ultravox',
            'call.ended:' || gen_random_uuid() || ':2026-11-29T16:00:00.000000Z', 'call.ended', '{headers}', '{}')
         on conflict (workspace_id, provider, event_id) do nothing;",
        event(Uuid::now_v7(), 2)
    )
}

/// Events of 1.6 kB, signed, over connections that stay open.
pub async fn webhooks(world: &World) {
    sqlx::raw_sql(TABLE).execute(&mut owner(world).await).await.expect("a table");
    let plain = pgbench(world, &insert(), LINES, SPAN).await;
    let sender = WebhookSender::new(world, "Ingest").await;
    let taken = take(prepared(&sender)).await;
    println!(
        "| P-01 webhooks taken, {LINES} connections, no worker | {:.0}/s, p50 {}, p99 {} | pgbench, a row per commit: {plain:.0}/s: {} |",
        taken.rate,
        ms(taken.p50),
        ms(taken.p99),
        verdict(taken.rate / plain, 1.0)
    );

    // Only what was taken is worked through: following jobs ask the voice service, which has its own speed.
    let dequeued = pgbench(world, DEQUEUE, 16, SPAN / 2).await;
    let (waited, rate) = work_through(world).await;
    println!(
        "| P-03 webhooks worked through, {waited} of one agency, four to a call | {rate:.0}/s | goal 1000/s: {}; pgbench, a row taken per transaction: {dequeued:.0}/s: {:.2} |",
        if rate >= 1000.0 { "holds" } else { "does not hold" },
        rate / dequeued
    );

    // As in production: both at once.
    let lines = prepared(&sender);
    let stop = CancellationToken::new();
    let workers = tokio::spawn(runner(world).run(stop.clone()));
    let both = take(lines).await;
    println!(
        "| the same, while workers work through what is taken | {:.0}/s, p99 {} | {} |",
        both.rate,
        ms(both.p99),
        verdict(both.rate / plain, 1.0)
    );
    stop.cancel();
    let _ = workers.await;
    flood(world, &sender).await;
}

fn runner(world: &World) -> Runner {
    Runner { db: world.db.clone(), queues: vec![patchbay_inbound_webhooks::server::jobs::queue()] }
}

/// How long another agency's lone event takes while one floods.
async fn flood(world: &World, flooding: &WebhookSender) {
    let lone = WebhookSender::new(world, "Lone").await;
    let mut line = Line::new(&lone);
    line.send(&lone, &event(Uuid::now_v7(), 0)).await;
    let flood = tokio::spawn(take(prepared(flooding)));
    let mut times = Vec::new();
    let begin = Instant::now();
    while begin.elapsed() < SPAN - Duration::from_secs(1) {
        let sent = Instant::now();
        line.send(&lone, &event(Uuid::now_v7(), 0)).await;
        times.push(sent.elapsed());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    times.sort();
    let _ = flood.await;
    println!(
        "| a lone event of another agency meanwhile | p50 {}, p99 {} | |",
        ms(times[times.len() / 2]),
        ms(times[times.len() * 99 / 100])
    );
}

/// Events that are sent on one line, made and signed beforehand: what makes events would share the processors with what takes them, and
/// pgbench makes its rows in the database.
const PREPARED: usize = 9_000;

fn prepared(sender: &WebhookSender) -> Vec<Line> {
    (0..LINES).map(|_| Line::prepared(sender)).collect()
}

async fn take(lines: Vec<Line>) -> Speed {
    let lines = std::sync::Mutex::new(lines);
    side_by_side(|| {
        let line = lines.lock().expect("nobody panicked").pop().expect("a line for each");
        let line = Arc::new(tokio::sync::Mutex::new(line));
        move || {
            let line = Arc::clone(&line);
            Box::pin(async move { line.lock().await.next().await })
        }
    })
    .await
}

/// A connection to the server. The generator is as plain as pgbench's: it shares the processors with what it measures.
struct Line {
    stream: Option<TcpStream>,
    path: String,
    host: String,
    /// Behind each other, and where each ends.
    requests: Vec<u8>,
    ends: Vec<usize>,
    next: usize,
}

impl Line {
    fn new(sender: &WebhookSender) -> Self {
        let url = url::Url::parse(&sender.path).expect("an address");
        let host = format!("127.0.0.1:{}", url.port().expect("a port"));
        Self { stream: None, path: url.path().to_owned(), host, requests: Vec::new(), ends: Vec::new(), next: 0 }
    }

    /// With four events of each call.
    fn prepared(sender: &WebhookSender) -> Self {
        let mut line = Self::new(sender);
        let mut call = Uuid::now_v7();
        for at in 0..PREPARED {
            line.add(sender, &event(call, at % 4));
            if at % 4 == 3 {
                call = Uuid::now_v7();
            }
        }
        line
    }

    fn add(&mut self, sender: &WebhookSender, body: &str) {
        let (stamp, signature) = sender.sign(body.as_bytes());
        let request = format!(
            "POST {} HTTP/1.1\r\nhost: {}\r\ncontent-type: application/json\r\nx-ultravox-webhook-timestamp: {stamp}\r\n\
             x-ultravox-webhook-signature: {signature}\r\ncontent-length: {}\r\n\r\n{body}",
            self.path,
            self.host,
            body.len()
        );
        self.requests.extend_from_slice(request.as_bytes());
        self.ends.push(self.requests.len());
    }

    /// Sends the next event and reads the answer.
    async fn next(&mut self) {
        let begin = self.next.checked_sub(1).map_or(0, |before| self.ends[before]);
        let end = *self.ends.get(self.next).expect("more events than were prepared");
        self.next += 1;
        let stream = match &mut self.stream {
            Some(stream) => stream,
            none => {
                let stream = TcpStream::connect(&self.host).await.expect("a connection");
                stream.set_nodelay(true).expect("no delay");
                none.insert(stream)
            }
        };
        stream.write_all(&self.requests[begin..end]).await.expect("the server reads");
        let (mut answer, mut length) = ([0; 2048], 0);
        while !answer[..length].ends_with(b"\r\n\r\n") {
            let read = stream.read(&mut answer[length..]).await.expect("an answer");
            assert!(read > 0, "the server hung up");
            length += read;
        }
        assert!(answer.starts_with(b"HTTP/1.1 204"), "{}", String::from_utf8_lossy(&answer[..length]));
    }

    async fn send(&mut self, sender: &WebhookSender, body: &str) {
        self.add(sender, body);
        self.next().await;
    }
}

/// One of the four events of a call that was answered.
fn event(id: Uuid, at: usize) -> String {
    let text = |at: DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::Micros, true);
    let now = Utc::now();
    let when = |holds: bool| holds.then(|| text(now));
    let kind = ["call.started", "call.joined", "call.ended", "call.billed"][at];
    let (billed, status) =
        if at == 3 { (Some("42s"), "BILLING_STATUS_BILLED") } else { (None, "BILLING_STATUS_PENDING") };
    json!({"event": kind, "call": {
        "callId": id, "created": text(now - chrono::Duration::seconds(60)), "joined": when(at > 0), "ended": when(at > 1),
        "endReason": (at > 1).then_some("hangup"), "billedDuration": billed, "billingStatus": status, "metadata": {}, "agentId": null,
        "summary": null, "systemPrompt": "x".repeat(1200),
        "medium": {"telnyx": {"outgoing": {"to": "+12025550170", "from": "+12025550171"}}},
    }})
    .to_string()
}

/// Works through all that waits. Gives how many that were, and how many in a second.
async fn work_through(world: &World) -> (i64, f64) {
    let waiting = "select count(*) from webhook_queue where status in ('pending', 'processing')";
    let left: i64 = owner_value(world, waiting).await;
    let stop = CancellationToken::new();
    let begin = Instant::now();
    let workers = tokio::spawn(runner(world).run(stop.clone()));
    while owner_value::<i64>(world, waiting).await > 0 && begin.elapsed() < Duration::from_secs(300) {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let took = begin.elapsed();
    stop.cancel();
    let _ = workers.await;
    let failed: i64 = owner_value(world, "select count(*) from webhook_queue where status = 'failed'").await;
    assert_eq!(failed, 0, "all of them are worked through");
    (left, left as f64 / took.as_secs_f64())
}

/// Transactions in a second that pgbench makes of a script.
pub(super) async fn pgbench(world: &World, script: &str, clients: usize, span: Duration) -> f64 {
    let file = std::env::temp_dir().join(format!("patchbay-bench-{}.sql", Uuid::now_v7().simple()));
    std::fs::write(&file, script).expect("a script");
    let (url, path, clients) = (world.owner_url.clone(), file.clone(), clients.to_string());
    let seconds = span.as_secs().to_string();
    let ran = tokio::task::spawn_blocking(move || {
        Command::new("pgbench")
            .args(["-n", "-c", &clients, "-j", "2", "-T", &seconds, "-f"])
            .arg(path)
            .arg(url)
            .output()
    });
    let output = ran.await.expect("pgbench ends").expect("pgbench is installed (it comes with PostgreSQL)");
    let _ = std::fs::remove_file(file);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let rate = said.lines().find_map(|line| line.strip_prefix("tps = ")?.split(' ').next()?.parse().ok());
    rate.unwrap_or_else(|| panic!("pgbench says how fast it was: {said} {}", String::from_utf8_lossy(&output.stderr)))
}
