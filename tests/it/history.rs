//! Calls of the past: brought in once, whatever happens meanwhile, and the same as if their webhooks had come.

use std::collections::BTreeSet;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use patchbay_sandbox::PastOfAgent;
use patchbay_sandbox::Quirks;
use patchbay_sandbox::{Sandbox, SandboxSettings};
use serde_json::Value;

use super::support::{Agency, Works, World, owner_lines, owner_value, run};

const HERE: (&str, &str) = ("provider", "ultravox");

/// The agent's id at the voice service.
async fn at_service(world: &World, agent: &str) -> String {
    owner_value(world, &format!("select provider_agent_id from agent_mappings where agent_id = '{agent}'")).await
}

/// Calls on so many days up to yesterday, about so many a day.
fn past(agent: &str, days: i64, a_day: f64) -> PastOfAgent {
    let until = Utc::now() - TimeDelta::days(1);
    PastOfAgent {
        agent_id: agent.to_owned(),
        from: until - TimeDelta::days(days),
        until,
        timezone: "UTC".into(),
        calls_per_day: a_day,
        ..PastOfAgent::default()
    }
}

/// Sets the account's oddities.
fn odd(sandbox: &Sandbox, key: &str, retry_after_secs: u64, quirks: Quirks) {
    let settings = sandbox.settings_for(key);
    sandbox.set_settings(Some(key), SandboxSettings { quirks, retry_after_secs, ..SandboxSettings::clone(&settings) });
}

/// A gap that nobody has closed: a call of three weeks ago that the service has, found by a check that the owner asked for.
pub async fn gap(world: &World, agency: &Agency, works: &Works) -> String {
    let agent = at_service(world, &works.agent).await;
    world.sandbox.reveal_calls(&works.key, &agent, &[Utc::now() - TimeDelta::days(20)]);
    agency.owner.done("check_call_gaps", &[HERE]).await;
    agency.drain().await;
    let gaps = agency.owner.done("list_call_gaps", &[HERE]).await.json();
    gaps["page"]["rows"][0]["id"].as_str().unwrap_or_else(|| panic!("a gap: {gaps}")).to_owned()
}

/// Ten minutes have passed since the last check.
async fn check_is_due(world: &World, agency: &Agency) {
    let due = format!("update call_checks set next_at = now() where workspace_id = '{}'", agency.workspace_id);
    sqlx::raw_sql(sqlx::AssertSqlSafe(due)).execute(&world.owner).await.expect("ten minutes");
}

/// Ids of the calls here, by the service's ids.
async fn here(world: &World, agency: &Agency) -> BTreeSet<String> {
    let of = format!("select provider_call_id from calls where workspace_id = '{}'", agency.workspace_id);
    let all = owner_lines(world, &of).await;
    let once: BTreeSet<String> = all.iter().cloned().collect();
    assert_eq!(all.len(), once.len(), "a call is here twice");
    once
}

fn there(world: &World, key: &str) -> BTreeSet<String> {
    world.sandbox.call_ids(key).into_iter().map(|id| id.to_string()).collect()
}

async fn started(agency: &Agency, fields: &[(&str, &str)]) -> String {
    let fields: Vec<_> = [HERE].into_iter().chain(fields.iter().copied()).collect();
    agency.owner.done("start_history_import", &fields).await;
    let all = agency.owner.done("list_history_imports", &[HERE]).await.json();
    all["rows"][0]["id"].as_str().unwrap_or_else(|| panic!("an import: {all}")).to_owned()
}

async fn shown(agency: &Agency, id: &str) -> Value {
    agency.owner.done("get_history_import", &[HERE, ("id", id)]).await.json()["sync"].clone()
}

/// Status, imported, skipped, failed.
async fn result(agency: &Agency, id: &str) -> (String, i64, i64, i64) {
    let sync = shown(agency, id).await;
    let count = |name: &str| sync[name].as_i64().unwrap_or_else(|| panic!("{name}: {sync}"));
    (sync["status"].as_str().expect("a status").to_owned(), count("imported"), count("skipped"), count("failed"))
}

#[test]
fn the_past_comes_in_once_and_the_calls_that_are_here_stay_as_they_are() {
    run(|world| async move {
        let (agency, works) = Agency::ready(world, "past").await;
        let agent = at_service(world, &works.agent).await;
        world.sandbox.set_past(&works.key, vec![past(&agent, 20, 20.0)]);
        let count = world.sandbox.call_ids(&works.key).len() as i64;
        assert!(count > 150, "{count} calls of the past");
        let estimate = agency.owner.done("estimate_history", &[HERE]).await.json();
        assert_eq!(estimate["calls"], count, "{estimate}");
        assert_eq!(estimate["agents"][0][1], count, "{estimate}");

        let first = started(&agency, &[]).await;
        agency.drain().await;
        assert_eq!(result(&agency, &first).await, ("completed".to_owned(), count, 0, 0));
        assert_eq!(here(world, &agency).await, there(world, &works.key));
        let of = format!("from calls where workspace_id = '{}'", agency.workspace_id);
        let odd =
            format!("select count(*) {of} and (source <> 'historical_sync' or client_id is null or agent_id is null)");
        assert_eq!(owner_value::<i64>(world, &odd).await, 0, "each has its agent and its client, and says how it came");
        let words = format!("select count(*) {of} and (transcript_status is not null or analysis_status is not null)");
        assert_eq!(owner_value::<i64>(world, &words).await, 0, "no transcripts were asked for");
        let follow = format!(
            "select count(*) from jobs where workspace_id = '{}' and kind = 'follow_call'",
            agency.workspace_id
        );
        assert_eq!(owner_value::<i64>(world, &follow).await, 0, "nobody asks after calls that are over and billed");
        let progress = shown(&agency, &first).await;
        assert!(progress["days"].as_array().is_some_and(|days| days.len() > 5), "{progress}");
        assert_eq!(progress["agents"][0]["found"], count);

        // Again: nothing is new, and not a byte changes.
        let rows = format!(
            "select to_jsonb(c)::text from calls c where c.workspace_id = '{}' order by c.id",
            agency.workspace_id
        );
        let before = owner_lines(world, &rows).await;
        let again = started(&agency, &[("agents[]", &works.agent), ("transcripts", "true")]).await;
        agency.drain().await;
        assert_eq!(result(&agency, &again).await, ("completed".to_owned(), 0, count, 0));
        assert_eq!(owner_lines(world, &rows).await, before);

        // The page of the list and of a call say how it came, to the agency alone.
        let list = agency.owner.done("list_calls", &[("query[source]", "historical_sync")]).await.json();
        assert_eq!(list["page"]["rows"].as_array().map(Vec::len), Some(25));
        let live = agency.owner.done("list_calls", &[("query[source]", "webhook")]).await.json();
        assert_eq!(live["page"]["rows"].as_array().map(Vec::len), Some(0));
        let call = list["page"]["rows"][0]["id"].as_str().expect("a call");
        let detail = agency.owner.done("get_call", &[("id", call)]).await.json();
        assert_eq!(detail["source"], "historical_sync", "{detail}");
        let detail = agency.one.viewer.rpc("get_call", &[("id", call)]).await.json();
        assert!(detail["source"].is_null(), "a client's people do not see how it came: {detail}");
    });
}

/// What is known of the calls of an agency, without ids of rows, the moments of writing, and how the calls came.
async fn facts(world: &World, agency: &Agency) -> Vec<String> {
    let of = format!(
        "select (to_jsonb(c) - '{{id,source,created_at,updated_at,billed_at,recording_key,run_id}}'::text[])::text
             || coalesce((select jsonb_agg(to_jsonb(m) - '{{id,call_id,created_at}}'::text[] order by m.position)::text
                          from call_messages m where m.workspace_id = c.workspace_id and m.call_id = c.id), '')
             || coalesce((select (to_jsonb(a) - '{{id,call_id,created_at,updated_at}}'::text[])::text
                          from call_analyses a where a.workspace_id = c.workspace_id and a.call_id = c.id), '')
         from calls c where c.workspace_id = '{}' order by c.provider_call_id",
        agency.workspace_id
    );
    owner_lines(world, &of).await
}

/// Eight calls that were placed elsewhere, with the same account: Patchbay hears of them by their webhooks alone.
async fn placed_elsewhere(world: &World, works: &Works, agent: &str) {
    let http = reqwest::Client::new();
    for number in 0..8 {
        let medium = serde_json::json!({"telnyx": {"outgoing": {"to": format!("+1312555{:04}", 2000 + number), "from": "+12025550100"}}});
        let placed = http
            .post(format!("{}/ultravox/api/agents/{agent}/calls", world.sandbox_base))
            .header("x-api-key", &works.key)
            .json(&serde_json::json!({"medium": medium, "recordingEnabled": false}))
            .send()
            .await
            .expect("an answer");
        assert!(placed.status().is_success(), "{placed:?}");
    }
}

/// Has an import take everything up to this moment, as if it had been started two minutes later.
async fn up_to_now(world: &World, id: &str) {
    let to = format!(r#"update historical_sync_jobs set "to" = now() where id = '{id}'"#);
    sqlx::raw_sql(sqlx::AssertSqlSafe(to)).execute(&world.owner).await.expect("two minutes");
}

#[test]
fn a_call_that_was_imported_is_the_same_as_one_whose_webhooks_came() {
    run(|world| async move {
        let (agency, works) = Agency::ready(world, "same").await;
        let agent = at_service(world, &works.agent).await;
        placed_elsewhere(world, &works, &agent).await;
        agency.drain().await;
        let by_webhook = facts(world, &agency).await;
        assert_eq!(by_webhook.len(), 8);
        assert!(by_webhook.iter().any(|call| call.contains("\"role\": \"agent\"")), "somebody talked: {by_webhook:#?}");

        // As if nobody had ever heard of them.
        let lost = ["call_backs", "call_analyses", "call_messages", "call_events", "enrichment_queue"]
            .map(|table| format!("delete from {table} where workspace_id = '{}';", agency.workspace_id));
        let calls = format!(
            "update token_usage set call_id = null where workspace_id = '{0}';
             update call_legs set call_id = null where workspace_id = '{0}';
             delete from calls where workspace_id = '{0}';",
            agency.workspace_id
        );
        let lost = format!("{}{calls}", lost.concat());
        sqlx::raw_sql(sqlx::AssertSqlSafe(lost)).execute(&world.owner).await.expect("a loss");
        let id = started(&agency, &[("transcripts", "true"), ("recordings", "true")]).await;
        up_to_now(world, &id).await;
        agency.drain().await;
        assert_eq!(result(&agency, &id).await, ("completed".to_owned(), 8, 0, 0));
        let by_import = facts(world, &agency).await;
        assert_eq!(by_import, by_webhook);
    });
}

#[test]
fn an_import_without_transcripts_does_not_take_the_words_of_a_call_that_goes_on_here() {
    run(|world| async move {
        let (agency, works) = Agency::ready(world, "goes-on").await;
        let agent = at_service(world, &works.agent).await;
        placed_elsewhere(world, &works, &agent).await;
        agency.drain().await;
        let words = format!(
            "select concat_ws(' ', provider_call_id, transcript_status, analysis_status) from calls
             where workspace_id = '{}' and joined_at is not null order by provider_call_id",
            agency.workspace_id
        );
        let by_webhook = owner_lines(world, &words).await;
        assert!(by_webhook.iter().any(|call| call.ends_with("completed completed")), "{by_webhook:?}");

        // As if the webhooks had come up to the answer, and those of the end were still on their way.
        let lost = ["call_backs", "call_analyses", "call_messages", "call_events", "enrichment_queue"]
            .map(|table| format!("delete from {table} where workspace_id = '{}';", agency.workspace_id));
        let calls = format!(
            "update calls set ended_at = null, billed_seconds = null, billing_status = null, billed_at = null, voice_cost = 0,
                              transcript_status = 'pending', analysis_status = 'pending'
             where workspace_id = '{}' and joined_at is not null",
            agency.workspace_id
        );
        let lost = format!("{}{calls}", lost.concat());
        sqlx::raw_sql(sqlx::AssertSqlSafe(lost)).execute(&world.owner).await.expect("a loss");
        let id = started(&agency, &[]).await;
        up_to_now(world, &id).await;
        agency.drain().await;
        let (status, imported, _, failed) = result(&agency, &id).await;
        assert_eq!((status.as_str(), imported, failed), ("completed", by_webhook.len() as i64, 0));
        assert_eq!(owner_lines(world, &words).await, by_webhook, "their words are fetched");
    });
}

#[test]
fn limits_are_waited_for_and_calls_that_come_to_light_meanwhile_are_taken() {
    run(|world| async move {
        let (agency, works) = Agency::ready(world, "limits").await;
        let agent = at_service(world, &works.agent).await;
        world.sandbox.set_past(&works.key, vec![past(&agent, 30, 25.0)]);
        // Each third request is refused, and cursors are positions: a call that comes to light moves all behind it.
        let quirks = Quirks { pages_limited_every: 3, pages_by_position: true, ..Quirks::default() };
        odd(&world.sandbox, &works.key, 300, quirks.clone());
        let id = started(&agency, &[]).await;
        agency.drain().await;
        let sync = shown(&agency, &id).await;
        assert_eq!(sync["status"], "in_progress", "{sync}");
        assert!(!sync["waits_until"].is_null() && sync["error"].is_string(), "it says that it waits: {sync}");
        let taken = sync["imported"].as_i64().expect("a count");
        assert!(taken > 0, "{sync}");

        // The check, which looks after imports that lost their worker, does not shorten that.
        check_is_due(world, &agency).await;
        patchbay_history::server::jobs::check_due(&world.db).await.expect("what is due");
        agency.drain().await;
        let sync = shown(&agency, &id).await;
        assert_eq!((sync["imported"].as_i64(), sync["waited_seconds"].as_i64()), (Some(taken), Some(300)), "{sync}");

        // Before the place where it is, and behind it.
        let at = |days: i64| Utc::now() - TimeDelta::days(days) - TimeDelta::minutes(7);
        world.sandbox.reveal_calls(&works.key, &agent, &[at(2), at(2) - TimeDelta::seconds(1), at(29), at(30)]);
        odd(&world.sandbox, &works.key, 7, quirks);
        agency.background.pass(Duration::from_secs(301)).await;
        agency.drain().await;
        let sync = shown(&agency, &id).await;
        assert_eq!(sync["status"], "completed", "{sync}");
        assert!(sync["waited_seconds"].as_i64().is_some_and(|seconds| seconds >= 300), "{sync}");
        assert_eq!(here(world, &agency).await, there(world, &works.key), "nothing is missing although pages shifted");
        let repeated = sync["skipped"].as_i64().expect("a count");
        assert!(repeated <= 100, "at most one page is looked at twice: {repeated}");
    });
}

#[test]
fn a_list_that_leads_in_a_circle_is_never_taken_for_complete() {
    run(|world| async move {
        let (agency, works) = Agency::ready(world, "circle").await;
        let agent = at_service(world, &works.agent).await;
        world.sandbox.set_past(&works.key, vec![past(&agent, 30, 25.0)]);
        odd(&world.sandbox, &works.key, 1, Quirks { pages_stuck: true, ..Quirks::default() });
        let id = started(&agency, &[]).await;
        let next = started(&agency, &[("from", "2020-01-01"), ("to", "2020-01-02")]).await;
        agency.drain().await;
        let sync = shown(&agency, &id).await;
        assert_eq!(sync["status"], "failed", "{sync}");
        assert!(sync["error"].as_str().is_some_and(|error| error.contains("in a circle")), "{sync}");
        // Whoever waited for it begins, and an empty span is soon done.
        assert_eq!(result(&agency, &next).await, ("completed".to_owned(), 0, 0, 0));
    });
}

#[test]
fn one_import_runs_at_a_time_and_a_cancelled_one_keeps_what_it_has() {
    run(|world| async move {
        let (agency, works) = Agency::ready(world, "cancel").await;
        let agent = at_service(world, &works.agent).await;
        world.sandbox.set_past(&works.key, vec![past(&agent, 30, 25.0)]);
        // The second page is refused for an hour.
        odd(&world.sandbox, &works.key, 3600, Quirks { pages_limited_every: 2, ..Quirks::default() });
        let id = started(&agency, &[]).await;
        let second = started(&agency, &[]).await;
        agency.drain().await;
        let page = agency.owner.done("get_history", &[HERE]).await.json();
        assert_eq!((page["shown"]["id"].as_str(), page["waiting"].as_i64()), (Some(id.as_str()), Some(1)), "{page}");
        assert!(!page["shown"]["waits_until"].is_null(), "it says that it waits: {page}");
        let (status, imported, ..) = result(&agency, &id).await;
        assert_eq!(status, "in_progress");
        odd(&world.sandbox, &works.key, 1, Quirks::default());
        agency.owner.done("cancel_history_import", &[HERE, ("id", &id)]).await;
        // Twice is once.
        agency.owner.done("cancel_history_import", &[HERE, ("id", &id)]).await;
        agency.drain().await;
        assert_eq!(result(&agency, &id).await, ("cancelled".to_owned(), imported, 0, 0));
        let (status, .., skipped, failed) = result(&agency, &second).await;
        assert_eq!((status.as_str(), skipped, failed), ("completed", imported, 0));
        let refused =
            agency.owner.rpc("start_history_import", &[HERE, ("from", "2026-05-02"), ("to", "2026-05-01")]).await;
        assert!(refused.error_at("from").is_some_and(|words| words.contains("after the last one")), "{refused:?}");
        let refused = agency.owner.rpc("start_history_import", &[HERE, ("agents[]", "nobody")]).await;
        assert!(refused.error_at("agents").is_some(), "{refused:?}");
    });
}

#[test]
fn after_ten_hours_of_absence_the_first_check_brings_every_call() {
    run(|world| async move {
        let (agency, works) = Agency::ready(world, "absent").await;
        let agent = at_service(world, &works.agent).await;
        // The connection agreed with the service until ten hours ago; then nobody was here, and no webhook came.
        let since = format!(
            "update call_checks set clean_until = now() - interval '10 hours', next_at = now() - interval '9 hours'
             where workspace_id = '{}'",
            agency.workspace_id
        );
        sqlx::raw_sql(sqlx::AssertSqlSafe(since)).execute(&world.owner).await.expect("an absence");
        let now = Utc::now();
        let mut at: Vec<DateTime<Utc>> =
            (0..60).map(|n| now - TimeDelta::minutes(598) + TimeDelta::seconds(n * 580)).collect();
        // Two in the same second at the very edge of what was compared last.
        let edge = now - TimeDelta::hours(10);
        at.extend([edge, edge + TimeDelta::milliseconds(1)]);
        world.sandbox.reveal_calls(&works.key, &agent, &at);

        patchbay_history::server::jobs::check_due(&world.db).await.expect("what is due");
        agency.drain().await;
        assert_eq!(here(world, &agency).await, there(world, &works.key));
        let gaps = agency.owner.done("list_call_gaps", &[HERE, ("query[kind]", "closed")]).await.json();
        assert_eq!(gaps["counts"]["closed"], 62, "{}", gaps["counts"]);
        assert_eq!(gaps["counts"]["never_heard_of"], 0);
        assert_eq!(gaps["page"]["rows"].as_array().map(Vec::len), Some(50));
        assert!(gaps["page"]["rows"][0]["call"].is_string(), "a closed gap leads to its call: {gaps}");
        let words = format!(
            "select count(*) from calls where workspace_id = '{}' and joined_at is not null and transcript_status <> 'completed'",
            agency.workspace_id
        );
        assert_eq!(owner_value::<i64>(world, &words).await, 0, "their words are here, too");

        // A call that was there all along and shows only now, within the overlap.
        world.sandbox.reveal_calls(&works.key, &agent, &[now - TimeDelta::minutes(20)]);
        check_is_due(world, &agency).await;
        patchbay_history::server::jobs::check_due(&world.db).await.expect("what is due");
        agency.drain().await;
        assert_eq!(here(world, &agency).await, there(world, &works.key));
    });
}

#[test]
fn what_is_missing_is_shown_and_closed_one_by_one_and_all_at_once() {
    run(|world| async move {
        let (agency, works) = Agency::ready(world, "gaps").await;
        let agent = at_service(world, &works.agent).await;
        let days_ago = |days: i64| Utc::now() - TimeDelta::days(days);
        world.sandbox.reveal_calls(&works.key, &agent, &[days_ago(5), days_ago(6), days_ago(7), days_ago(8)]);
        agency.owner.done("check_call_gaps", &[HERE]).await;
        agency.drain().await;
        let gaps = agency.owner.done("list_call_gaps", &[HERE]).await.json();
        assert_eq!(gaps["counts"]["never_heard_of"], 4, "{}", gaps["counts"]);
        assert!(here(world, &agency).await.is_empty(), "a person decides about the time before the connection");
        let first = gaps["page"]["rows"][0]["id"].as_str().expect("a gap").to_owned();
        agency.admin.done("close_call_gap", &[HERE, ("id", &first)]).await;
        agency.admin.done("close_call_gap", &[HERE, ("id", &first)]).await;
        assert_eq!(here(world, &agency).await.len(), 1);
        assert_eq!(agency.member.rpc("close_call_gaps", &[HERE]).await.status, 403);
        agency.admin.done("close_call_gaps", &[HERE]).await;
        agency.drain().await;
        assert_eq!(here(world, &agency).await, there(world, &works.key));

        // The end and the bill of one are lost here: the service is asked, and says them again.
        let lost = format!(
            "update calls set ended_at = null, billed_seconds = null, billing_status = null, billed_at = null, voice_cost = 0
             where workspace_id = '{0}' and provider_call_id = (select provider_call_id from call_gaps where id = '{first}');
             delete from call_events where workspace_id = '{0}'",
            agency.workspace_id
        );
        sqlx::raw_sql(sqlx::AssertSqlSafe(lost)).execute(&world.owner).await.expect("a loss");
        agency.owner.done("check_call_gaps", &[HERE]).await;
        agency.drain().await;
        let open = format!(
            "select count(*) from calls where workspace_id = '{}' and (ended_at is null or is_unpriced)",
            agency.workspace_id
        );
        assert_eq!(owner_value::<i64>(world, &open).await, 0, "the check has closed it");
        let closed = agency.owner.done("list_call_gaps", &[HERE, ("query[kind]", "closed")]).await.json();
        let kinds: BTreeSet<&str> =
            closed["page"]["rows"].as_array().expect("rows").iter().filter_map(|row| row["kind"].as_str()).collect();
        assert!(kinds.contains("without_end"), "{kinds:?}");

        // Another bill than the service's is no bill that has come by itself.
        let bills = format!(
            "select concat_ws(' ', provider_call_id, billed_seconds) from calls where workspace_id = '{}' order by 1",
            agency.workspace_id
        );
        let before = owner_lines(world, &bills).await;
        let other = format!(
            "update calls set billed_seconds = billed_seconds + 7 where workspace_id = '{0}' and billed_seconds is not null;
             delete from call_events where workspace_id = '{0}'",
            agency.workspace_id
        );
        sqlx::raw_sql(sqlx::AssertSqlSafe(other)).execute(&world.owner).await.expect("another bill");
        agency.owner.done("check_call_gaps", &[HERE]).await;
        agency.drain().await;
        agency.owner.done("check_call_gaps", &[HERE]).await;
        agency.drain().await;
        assert_eq!(owner_lines(world, &bills).await, before);

        // Another account has nothing to do with the former one's past.
        let id = started(&agency, &[("from", "2026-01-01")]).await;
        world.sandbox.reveal_calls(&works.key, &agent, &[days_ago(9)]);
        agency.connect(world).await;
        let sync = shown(&agency, &id).await;
        assert_eq!(sync["status"], "failed", "{sync}");
    });
}

#[test]
fn a_suspended_workspace_takes_nothing_in() {
    run(|world| async move {
        let (agency, works) = Agency::ready(world, "suspended-past").await;
        let agent = at_service(world, &works.agent).await;
        world.sandbox.set_past(&works.key, vec![past(&agent, 5, 10.0)]);
        let id = started(&agency, &[]).await;
        let suspend =
            |word: &str| format!("update workspaces set status = '{word}' where id = '{}'", agency.workspace_id);
        sqlx::raw_sql(sqlx::AssertSqlSafe(suspend("suspended"))).execute(&world.owner).await.expect("a suspension");
        agency.background.drain_for(Duration::ZERO).await;
        assert!(here(world, &agency).await.is_empty());
        assert_eq!(agency.owner.rpc("start_history_import", &[HERE]).await.status, 409);
        sqlx::raw_sql(sqlx::AssertSqlSafe(suspend("active"))).execute(&world.owner).await.expect("an end");
        agency.background.drain_for(Duration::from_secs(1000)).await;
        assert_eq!(here(world, &agency).await, there(world, &works.key));
        assert_eq!(result(&agency, &id).await.0, "completed");
    });
}
