//! A past of 100,000 calls at the voice service, brought in without what was said.

use std::time::{Duration, Instant};

use chrono::Utc;
use patchbay_sandbox::{PastOfAgent, PastPerson};

use super::memory;
use super::support::{Agency, Works, World, owner_value};

const CALLS: usize = 100_000;
/// Seconds in which they are to be here.
const GOAL: f64 = 180.0;

pub async fn sync(world: &World, agency: Agency, works: Works) {
    let workspace = &agency.workspace_id;
    let mapped = format!(
        "select provider_agent_id from agent_mappings where workspace_id = '{workspace}' and provider_agent_id is not null"
    );
    let until = Utc::now() - chrono::Duration::minutes(10);
    let apart = chrono::Duration::days(56) / CALLS as i32;
    let past = PastOfAgent {
        agent_id: owner_value(world, &mapped).await,
        from: until - chrono::Duration::days(57),
        until,
        people: (0..500)
            .map(|at| PastPerson { name: format!("Person {at}"), number: format!("+1202555{at:04}") })
            .collect(),
        exactly: (0..CALLS).map(|at| until - apart * at as i32).collect(),
        ..PastOfAgent::default()
    };
    world.sandbox.set_past(&works.key, vec![past]);
    let there = world.sandbox.call_ids(&works.key).len();
    let (before, begin) = (memory(), Instant::now());
    agency.owner.done("start_history_import", &[("form[provider]", "ultravox"), ("provider", "ultravox")]).await;
    let open = format!(
        "select count(*) from historical_sync_jobs where workspace_id = '{workspace}' and status not in ('completed', 'failed', 'cancelled')"
    );
    let mut most = before;
    while owner_value::<i64>(world, &open).await > 0 && begin.elapsed() < Duration::from_secs(900) {
        most = most.max(memory());
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let took = begin.elapsed().as_secs_f64();
    let here: i64 = owner_value(world, &format!("select count(*) from calls where workspace_id = '{workspace}'")).await;
    let holds = if took <= GOAL && here as usize == there { "holds" } else { "does not hold" };
    println!(
        "| sync of {here} of {there} calls without transcripts | {took:.1} s, {:.0}/s; memory {before} to {most} MiB | goal {GOAL} s: {holds} |",
        here as f64 / took
    );
}
