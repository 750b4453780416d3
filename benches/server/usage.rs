//! Dashboard, usage and a client's page of an agency with ten thousand calls, and of one with a million in the same ninety days: as a
//! visitor has them, in turn, so that what else the machine does falls on both.

use std::time::{Duration, Instant};

use patchbay_metering::server::days;

use super::support::{Agency, World};
use super::{ms, owner};

const CLIENTS: usize = 20;
const ROUNDS: usize = 40;

struct Filled {
    agency: Agency,
    client: String,
    calls: i64,
}

pub async fn usage(world: &World) {
    let many: i64 =
        std::env::var("PATCHBAY_BENCH_CALLS").ok().and_then(|calls| calls.parse().ok()).unwrap_or(1_000_000);
    let (few, many) = (filled(world, 10_000).await, filled(world, many).await);
    sqlx::raw_sql("vacuum analyze").execute(&mut owner(world).await).await.expect("statistics");
    let begin = Instant::now();
    days::rebuild(&world.db).await.expect("days");
    println!("| usage by day of {} calls made anew | {:.1?} | |", few.calls + many.calls, begin.elapsed());
    sqlx::raw_sql("vacuum analyze").execute(&mut owner(world).await).await.expect("statistics");
    let paths =
        ["/dashboard", "/dashboard?period=90", "/usage", "/usage?period=90&by=week", "$CLIENT", "$CLIENT?period=90"];
    for path in paths {
        let mut times = [Vec::new(), Vec::new()];
        for round in 0..ROUNDS {
            for (at, one) in [&few, &many].into_iter().enumerate() {
                let path = path.replace("$CLIENT", &format!("/clients/{}", one.client));
                let began = Instant::now();
                assert_eq!(one.agency.owner.get(&path).await.status, 200, "{path}");
                if round >= ROUNDS / 4 {
                    times[at].push(began.elapsed());
                }
            }
        }
        let [small, large] = times.map(|mut times: Vec<Duration>| {
            times.sort();
            times[times.len() / 2]
        });
        let ratio = large.as_secs_f64() / small.as_secs_f64();
        println!(
            "| {}: {} and {} calls | p50 {} and {} | {ratio:.2} times |",
            path.replace("$CLIENT", "a client’s page "),
            few.calls,
            many.calls,
            ms(small),
            ms(large)
        );
    }
}

/// An agency with so many calls in ninety days, of twenty clients, and an answer of a model for every second one.
async fn filled(world: &World, calls: i64) -> Filled {
    let (agency, works) = Agency::ready(world, "Usage").await;
    let mut clients = Vec::new();
    for at in 0..CLIENTS {
        let fields =
            [("name", format!("Client {at}")), ("timezone", "Europe/Zurich".into()), ("monthly_budget", String::new())];
        let fields = fields.each_ref().map(|(name, value)| (*name, value.as_str()));
        clients.push(agency.owner.made_on("/clients/new", "save_client", &fields).await);
    }
    let sql = "set session_replication_role = replica;
        insert into calls (workspace_id, id, client_id, agent_id, provider_call_id, direction, started_at, joined_at, ended_at, duration,
                           transcript_status, analysis_status, goal_reached, voice_cost, carrier_cost, billed_seconds, carrier_priced_at)
        select '$AGENCY', gen_random_uuid(), ('{$CLIENTS}'::uuid[])[1 + n % 20], '$AGENT', gen_random_uuid()::text, 'outbound', x.at,
               case when n % 3 > 0 then x.at + interval '8 seconds' end, x.at + interval '2 minutes', case when n % 3 > 0 then 60 + n % 200 end,
               'completed', 'completed', n % 7 = 0, 0.05, 0.02, case when n % 3 > 0 then 120 end, x.at
        from generate_series(1, $CALLS) n cross join lateral (select now() - n * interval '90 days' / $CALLS as at) x;
        insert into token_usage (workspace_id, id, client_id, agent_id, purpose, model, prompt_tokens, completion_tokens, total_tokens,
                                 is_estimated, cost, created_at)
        select workspace_id, gen_random_uuid(), client_id, agent_id, 'analysis', 'a/model', 900, 100, 1000, false, 0.001, ended_at
        from calls where workspace_id = '$AGENCY' and joined_at is not null and extract(second from started_at)::int % 2 = 0"
        .replace("$AGENCY", &agency.workspace_id)
        .replace("$CLIENTS", &clients.join(","))
        .replace("$AGENT", &works.agent)
        .replace("$CALLS", &calls.to_string());
    sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&mut owner(world).await).await.expect("calls");
    Filled { agency, client: clients.swap_remove(0), calls }
}
