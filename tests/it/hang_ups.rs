//! Callers who hang up at any moment: what was acknowledged is stored, and no connection to the database stays in a transaction.

use std::collections::BTreeSet;
use std::sync::OnceLock;
use std::time::Duration;

use patchbay_providers::signature::{ULTRAVOX_SIGNATURE, ULTRAVOX_TIMESTAMP};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use uuid::Uuid;

use super::support::{WebhookSender, World, owner_lines, owner_value, run_in};

const CALLERS: u64 = 24;
const EACH: usize = 60;

/// How many sessions the database ended itself, for one of its limits.
const ENDED: &str = "select sessions_fatal::text from pg_stat_database where datname = current_database()";

/// A database of its own: transactions that other tests hold open on purpose are none of ours.
static WORLD: OnceLock<World> = OnceLock::new();

/// Delivers an event: cut off at a byte of the request, left before the answer, or done properly. True: acknowledged.
async fn deliver(door: &WebhookSender, chance: &mut StdRng, call: Uuid) -> bool {
    let body = json!({"event": "call.started", "call": {"callId": call, "medium": {}}}).to_string();
    let (stamp, signature) = door.sign(body.as_bytes());
    let url = url::Url::parse(&door.path).expect("an address");
    let address = format!("127.0.0.1:{}", url.port().expect("a port"));
    let request = format!(
        "POST {} HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\
         {ULTRAVOX_TIMESTAMP}: {stamp}\r\n{ULTRAVOX_SIGNATURE}: {signature}\r\nconnection: close\r\n\r\n{body}",
        url.path(),
        body.len()
    );
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    let cut = if chance.random_bool(0.3) { chance.random_range(0..request.len()) } else { request.len() };
    stream.write_all(&request.as_bytes()[..cut]).await.expect("the server reads");
    let patience =
        Duration::from_micros(if chance.random_bool(0.5) { chance.random_range(0..20_000) } else { 60_000_000 });
    if cut < request.len() {
        return false;
    }
    let mut answer = [0; 12];
    let answered = tokio::time::timeout(patience, stream.read_exact(&mut answer)).await;
    matches!(answered, Ok(Ok(_))) && answer.starts_with(b"HTTP/1.1 204")
}

#[test]
fn callers_who_hang_up_lose_nothing_and_leave_nothing_open() {
    run_in(&WORLD, |world| async move {
        let door = WebhookSender::new(world, "hang-up").await;
        let callers = (0..CALLERS).map(|caller| {
            let door = &door;
            async move {
                let mut chance = StdRng::seed_from_u64(caller);
                let mut acknowledged = Vec::new();
                for _ in 0..EACH {
                    let call = Uuid::new_v4();
                    if deliver(door, &mut chance, call).await {
                        acknowledged.push(format!("{call}"));
                    }
                    // And somebody who reads, and goes away while the page is made.
                    let patience = Duration::from_micros(chance.random_range(0..8_000));
                    let page = ["/calls", "/dashboard", "/queues"][chance.random_range(0..3)];
                    let _ = tokio::time::timeout(patience, door.agency.owner.get(page)).await;
                }
                acknowledged
            }
        });
        let ended_before: String = owner_value(world, ENDED).await;
        let acknowledged: BTreeSet<String> = futures::future::join_all(callers).await.into_iter().flatten().collect();
        let sql = format!(
            "select distinct convert_from(raw_body, 'utf8')::jsonb #>> '{{call,callId}}' from webhook_queue where workspace_id = '{}'",
            door.agency.workspace_id
        );
        let stored: BTreeSet<String> = owner_lines(world, &sql).await.into_iter().collect();
        let lost: Vec<_> = acknowledged.difference(&stored).collect();
        assert!(lost.is_empty(), "acknowledged and not stored: {lost:?}");
        let all = CALLERS as usize * EACH;
        assert!(acknowledged.len() > all / 4 && acknowledged.len() < all, "{} of {all}", acknowledged.len());
        // Each ends by itself. One that were left open, the database would end after thirty seconds, and count that.
        let now: String = owner_value(world, "select now()::text").await;
        let open = format!(
            "select query from pg_stat_activity where datname = current_database()
             and state like 'idle in transaction%' and state_change < '{now}'"
        );
        while !owner_lines(world, &open).await.is_empty() {
            tokio::time::sleep(Duration::from_millis(40)).await;
        }
        let ended: String = owner_value(world, ENDED).await;
        assert_eq!(ended, ended_before, "transactions were left open");
        assert_eq!(door.agency.owner.get("/calls").await.status, 200, "the server goes on");
        door.settled(world).await;
    });
}
