//! News of many calls folded in one transaction gives the rows that it gives one by one, in whatever pieces it comes and whoever else
//! folds at the same time.

use chrono::{DateTime, Duration, TimeZone, Utc};
use patchbay_access::Action;
use patchbay_access::server::{Machine, Scope};
use patchbay_calls::model::CallSource;
use patchbay_calls::server::fold::{self, CALL_KEY, CallUpdate, Words};
use patchbay_providers::voice::{Bill, CallDirection, EndReason, SipTermination, VoiceCall};
use patchbay_shared::ids::WorkspaceId;
use rand::rngs::StdRng;
use rand::seq::{IndexedRandom, SliceRandom};
use rand::{Rng, SeedableRng};
use serde_json::json;
use uuid::Uuid;

use super::support::{Agency, World, owner_lines, owner_value, run};

const TESTS: Machine = Machine { name: "tests", actions: &[Action::ReplayQueues] };
const CALLS: usize = 30;

/// A piece of news, as it may come from a webhook.
#[derive(Clone)]
struct News {
    call: VoiceCall,
    event: String,
    told: DateTime<Utc>,
    words: Words,
}

impl News {
    fn update(&self) -> CallUpdate<'_> {
        CallUpdate {
            call: &self.call,
            event_id: &self.event,
            event_type: "call.news",
            occurred_at: self.told,
            told_at: self.told,
            payload: json!({"event": self.event}),
            price_per_minute: "0.05".parse().expect("a price"),
            source: CallSource::Webhook,
            words: self.words,
        }
    }
}

/// All that may be told of some calls, some of it twice, in no order. `placed`: ids of calls that we placed ourselves.
fn chronicle(seed: u64, agent: &str, placed: &[Uuid]) -> Vec<News> {
    let mut chance = StdRng::seed_from_u64(seed);
    let mut all = Vec::new();
    for at in 0..CALLS {
        let began = Utc.with_ymd_and_hms(2026, 11, 30, 22, 50, 0).single().expect("a time")
            + Duration::milliseconds(chance.random_range(0..7_200_000));
        let mut call = VoiceCall::ended_unheard(&format!("call-{seed}-{at:03}"), began);
        (call.ended, call.end_reason) = (None, None);
        call.direction = if chance.random_bool(0.5) { CallDirection::Inbound } else { CallDirection::Outbound };
        call.agent_id = chance.random_bool(0.8).then(|| agent.to_owned());
        call.from = Some(format!("+1202555{at:04}"));
        call.to = Some("+12025550199".to_owned());
        if let Some(id) = placed.get(at) {
            call.metadata.insert(CALL_KEY.to_owned(), id.to_string());
        }
        let words = *[Words::Now, Words::Now, Words::Later, Words::Never].choose(&mut chance).expect("one");
        let mut told = began;
        let mut tell = |call: &VoiceCall, event: &str, chance: &mut StdRng| {
            told += Duration::milliseconds(chance.random_range(1..9_000));
            all.push(News { call: call.clone(), event: event.to_owned(), told, words });
        };
        tell(&call, "started", &mut chance);
        call.created = chance.random_bool(0.7).then(|| began - Duration::seconds(chance.random_range(0..5)));
        if chance.random_bool(0.6) {
            call.joined = Some(began + Duration::milliseconds(chance.random_range(0..9_000)));
            tell(&call, "joined", &mut chance);
        }
        let joined = call.joined;
        call.ended = Some(began + Duration::milliseconds(chance.random_range(9_000..400_000)));
        call.end_reason =
            [None, Some(EndReason::SystemError), Some(EndReason::ConnectionError), Some(EndReason::Hangup)]
                .choose(&mut chance)
                .cloned()
                .flatten();
        if chance.random_bool(0.3) {
            // Somebody was there, and this news does not say so.
            call.joined = None;
        }
        tell(&call, "ended", &mut chance);
        call.joined = joined;
        call.summary = chance.random_bool(0.5).then(|| format!("Talk {at}"));
        call.sip_termination = [None, Some(SipTermination::Busy), Some(SipTermination::InvalidNumber)]
            .choose(&mut chance)
            .cloned()
            .flatten();
        for bill in 0..chance.random_range(0..3) {
            call.bill = Bill::Billed;
            call.billing_status = "BILLING_STATUS_BILLED".to_owned();
            call.billed_seconds = Some(chance.random_range(0.0..500.0));
            tell(&call, &format!("billed {bill}"), &mut chance);
        }
        if chance.random_bool(0.1) {
            call.bill = Bill::Refunded;
            call.billing_status = "BILLING_STATUS_REFUNDED".to_owned();
            tell(&call, "refunded", &mut chance);
        }
    }
    let twice: Vec<News> = all.iter().filter(|_| chance.random_bool(0.2)).cloned().collect();
    all.extend(twice);
    all.shuffle(&mut chance);
    all
}

/// An agency with an agent at the voice service, a client with a budget, calls that were placed, and legs that wait for theirs.
async fn agency(world: &World, name: &str, placed: &[Uuid]) -> (Agency, String) {
    let (agency, _) = Agency::ready(world, name).await;
    let workspace = &agency.workspace_id;
    let mut sql = format!(
        "update clients set monthly_budget = 1000 where workspace_id = '{workspace}';
         insert into client_spend (workspace_id, client_id, month, from_at, until_at, spent)
         select workspace_id, id, first::date, first at time zone timezone, (first + interval '1 month') at time zone timezone, 0
         from clients, unnest(array['2026-11-01'::timestamp, '2026-12-01']) as first where workspace_id = '{workspace}';"
    );
    for id in placed {
        sql += &format!(
            "insert into calls (workspace_id, id, direction, dial_state, error, started_at)
             values ('{workspace}', '{id}', 'outbound', 'unknown', 'Nobody knows.', '2026-12-01 00:30:00Z');"
        );
    }
    for at in (10..CALLS).step_by(3) {
        sql += &format!(
            r#"insert into call_legs (workspace_id, provider, leg, "from", "to", started_at, cost, cost_at)
               select '{workspace}', 'telnyx', 'leg-{at}-' || n, '+1202555{at:04}', '+12025550199',
                      '2026-11-30 22:50:00Z'::timestamptz + n * interval '5 minutes', 0.01, now() from generate_series(0, 25) n;"#
        );
    }
    sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&world.owner).await.expect("rows");
    let mapped = format!(
        "select provider_agent_id from agent_mappings where workspace_id = '{workspace}' and provider_agent_id is not null"
    );
    let agent: String = owner_value(world, &mapped).await;
    (agency, agent)
}

async fn fold_in(world: &World, agency: &Agency, updates: &[CallUpdate<'_>]) -> Result<(), String> {
    let workspace: WorkspaceId = agency.workspace_id.parse().expect("an id");
    let scope = Scope::of_operator(world.db.clone(), workspace, TESTS);
    let mut tx = scope.write(Action::ReplayQueues).await.map_err(|error| error.to_string())?;
    let ids = fold::apply_all(&mut tx, updates).await.map_err(|error| error.to_string())?;
    assert_eq!(ids.len(), updates.len());
    tx.commit().await.map_err(|error| error.to_string())
}

/// What is left of it all, without what is chance. `in_order`: with what depends on the order.
async fn rows(world: &World, agency: &Agency, in_order: bool) -> Vec<String> {
    let workspace = &agency.workspace_id;
    let chance = if in_order {
        "'id'"
    } else {
        "'id', 'started_at', 'error', 'end_reason', 'summary', 'outcome', 'result', 'transcript_status', 'analysis_status', 'is_unpriced', 'from', 'to',
         'direction', 'carrier_cost', 'carrier_priced_at', 'cost', 'agent_id', 'client_id', 'prompt_version'"
    };
    let mut lines = owner_lines(
        world,
        &format!(
            "select 'call ' || ((to_jsonb(c) || jsonb_build_object('client_id', c.client_id is not null, 'agent_id', c.agent_id is not null,
                      'carrier_priced_at', c.carrier_priced_at is not null))
                      - array[{chance}, 'workspace_id', 'created_at', 'updated_at', 'prompt_id', 'run_id'])::text
             from calls c where workspace_id = '{workspace}' order by provider_call_id, id"
        ),
    )
    .await;
    lines.extend(
        owner_lines(
            world,
            &format!(
                "select 'event ' || c.provider_call_id || ' ' || e.event_id || ' ' || e.occurred_at
                 from call_events e join calls c on c.workspace_id = e.workspace_id and c.id = e.call_id
                 where e.workspace_id = '{workspace}' order by 1"
            ),
        )
        .await,
    );
    if in_order {
        lines.extend(
            owner_lines(
                world,
                &format!(
                    "select 'work ' || c.provider_call_id || ' ' || q.type || ' ' || q.status
                     from enrichment_queue q join calls c on c.workspace_id = q.workspace_id and c.id = q.call_id
                     where q.workspace_id = '{workspace}'
                     union all
                     select 'follow ' || c.provider_call_id || ' ' || round(extract(epoch from j.run_at - j.created_at) / 60)
                     from jobs j join calls c on c.workspace_id = j.workspace_id and c.id = (j.payload ->> 'call')::uuid
                     where j.workspace_id = '{workspace}' and j.kind = 'follow_call' and j.status = 'pending' order by 1"
                ),
            )
            .await,
        );
    }
    lines
}

/// The sums of two months are those of their calls.
async fn sums_hold(world: &World, agency: &Agency) {
    let spent =
        format!("select count(*) from client_spend where workspace_id = '{}' and spent > 0", agency.workspace_id);
    assert_eq!(owner_value::<i64>(world, &spent).await, 2, "one client, two months");
    let wrong = owner_lines(
        world,
        &format!(
            "select format('%s: %s and not %s', s.month, s.spent, sum(c.voice_cost + c.carrier_cost))
             from client_spend s join calls c on c.workspace_id = s.workspace_id and c.client_id = s.client_id
                                             and c.started_at >= s.from_at and c.started_at < s.until_at
             where s.workspace_id = '{}' group by s.client_id, s.month, s.spent having s.spent <> sum(c.voice_cost + c.carrier_cost)",
            agency.workspace_id
        ),
    )
    .await;
    assert!(wrong.is_empty(), "{wrong:#?}");
}

fn are_equal(one: &[String], other: &[String]) {
    let differ: Vec<_> = one.iter().zip(other).filter(|(one, other)| one != other).take(3).collect();
    assert!(differ.is_empty() && one.len() == other.len(), "{} and {}: {differ:#?}", one.len(), other.len());
}

#[test]
fn calls_folded_together_come_out_as_one_by_one() {
    run(|world| async move {
        let placed: Vec<Uuid> = (0..6).map(|_| Uuid::now_v7()).collect();
        let (one, agent) = agency(world, "one-by-one", &placed).await;
        let (many, other_agent) = agency(world, "together", &placed).await;
        let mut chance = StdRng::seed_from_u64(7);
        for seed in 0..2 {
            // The calls that were placed are those of the first round.
            let placed = if seed == 0 { placed.as_slice() } else { &[] };
            for news in chronicle(seed, &agent, placed) {
                fold_in(world, &one, &[news.update()]).await.expect("one");
            }
            let all = chronicle(seed, &other_agent, placed);
            let mut left = all.as_slice();
            while !left.is_empty() {
                let (some, rest) = left.split_at(chance.random_range(1..=left.len().min(70)));
                left = rest;
                let updates: Vec<CallUpdate<'_>> = some.iter().map(News::update).collect();
                fold_in(world, &many, &updates).await.expect("some");
            }
        }
        let (singly, together) = (rows(world, &one, true).await, rows(world, &many, true).await);
        assert!(singly.len() > 2 * CALLS * 4, "{}", singly.len());
        are_equal(&singly, &together);
        for agency in [&one, &many] {
            sums_hold(world, agency).await;
        }
    });
}

#[test]
fn whoever_folds_the_same_calls_at_once_adds_to_the_same_rows() {
    run(|world| async move {
        let placed: Vec<Uuid> = (0..6).map(|_| Uuid::now_v7()).collect();
        let (one, agent) = agency(world, "alone", &placed).await;
        let (many, other_agent) = agency(world, "at-once", &placed).await;
        for news in chronicle(11, &agent, &placed) {
            fold_in(world, &one, &[news.update()]).await.expect("one");
        }
        let all = chronicle(11, &other_agent, &placed);
        let workers = (0..4).map(|worker| {
            let (many, mut all) = (&many, all.clone());
            async move {
                all.shuffle(&mut StdRng::seed_from_u64(worker));
                for some in all.chunks(37) {
                    let updates: Vec<CallUpdate<'_>> = some.iter().map(News::update).collect();
                    fold_in(world, many, &updates).await.expect("nobody waits in a circle");
                }
            }
        });
        futures::future::join_all(workers).await;
        are_equal(&rows(world, &one, false).await, &rows(world, &many, false).await);
        sums_hold(world, &many).await;
    });
}

#[test]
fn a_batch_is_stopped_while_its_calls_end_and_nobody_waits_in_a_circle() {
    run(|world| async move {
        let (agency, works) = Agency::ready(world, "stopped-meanwhile").await;
        for at in 0..CALLS + 10 {
            agency.contact(&format!("+4144555{at:04}")).await;
        }
        let batch = agency.batch(&works.campaign, 5).await;
        // The first contacts of the batch are on the line; the order of their calls is not their own.
        let workspace = &agency.workspace_id;
        let lines = format!(
            "with taken as (
               select id, client_id, contact_id, gen_random_uuid() as call from campaign_contacts
               where workspace_id = '{workspace}' and batch_id = '{batch}' order by id limit {CALLS}),
             called as (
               insert into calls (workspace_id, id, client_id, batch_id, campaign_contact_id, contact_id, direction, dial_state, \"to\", started_at, dialled_at)
               select '{workspace}', call, client_id, '{batch}', id, contact_id, 'outbound', 'placed', '+41445550000', '2026-11-30 22:50:00Z',
                      '2026-11-30 22:50:00Z' from taken)
             update campaign_contacts x set status = 'calling', attempts = 1, last_call_id = taken.call from taken
             where x.workspace_id = '{workspace}' and x.id = taken.id returning taken.call::text"
        );
        let placed: Vec<Uuid> = owner_lines(world, &lines).await.iter().map(|id| id.parse().expect("an id")).collect();
        assert_eq!(placed.len(), CALLS);
        let all = chronicle(23, "nobody", &placed);
        let workers = (0..4).map(|worker| {
            let (agency, mut all) = (&agency, all.clone());
            async move {
                all.shuffle(&mut StdRng::seed_from_u64(worker));
                for some in all.chunks(29) {
                    let updates: Vec<CallUpdate<'_>> = some.iter().map(News::update).collect();
                    fold_in(world, agency, &updates).await.expect("nobody waits in a circle");
                }
            }
        });
        let page = format!("/batches/{batch}");
        let stop = agency.owner.filled(&page, "stop_batch", &[]);
        futures::future::join(futures::future::join_all(workers), stop).await;
        let contacts = format!(
            "select format('%s %s, call %s', x.status, x.outcome, c.outcome) from campaign_contacts x
             left join calls c on c.workspace_id = x.workspace_id and c.id = x.last_call_id where x.workspace_id = '{workspace}'"
        );
        let settled = owner_lines(world, &contacts).await;
        assert!(settled.len() > CALLS, "{settled:?}");
        for contact in settled {
            let (here, call) = contact.split_once(", call ").expect("two");
            let (status, outcome) = here.split_once(' ').expect("two");
            assert_eq!(outcome, call, "{contact}");
            assert_ne!(status, "calling", "{contact}");
        }
        agency.drain().await;
        let left = format!(
            "select count(*) from campaign_contacts where workspace_id = '{workspace}' and status = 'scheduled'"
        );
        assert_eq!(owner_value::<i64>(world, &left).await, 0, "who is to be tried again is the campaign's");
    });
}
