//! What an import leaves out and what it can find out: recordings for later, versions of prompts, the order of lists, and closing that goes
//! on where it was.

use std::time::Duration;

use chrono::{TimeDelta, Utc};
use patchbay_sandbox::{FaultRates, PastOfAgent, SandboxSettings};

use super::support::{Agency, Works, World, owner_lines, owner_value, run};

const HERE: (&str, &str) = ("provider", "ultravox");

async fn at_service(world: &World, agent: &str) -> String {
    owner_value(world, &format!("select provider_agent_id from agent_mappings where agent_id = '{agent}'")).await
}

/// Calls on so many days up to yesterday.
async fn past(world: &World, works: &Works, days: i64) -> PastOfAgent {
    let until = Utc::now() - TimeDelta::days(1);
    PastOfAgent {
        agent_id: at_service(world, &works.agent).await,
        from: until - TimeDelta::days(days),
        until,
        timezone: "UTC".into(),
        calls_per_day: 6.0,
        ..PastOfAgent::default()
    }
}

async fn import(agency: &Agency, fields: &[(&str, &str)]) {
    let fields: Vec<_> = [HERE].into_iter().chain(fields.iter().copied()).collect();
    agency.owner.done("start_history_import", &fields).await;
    agency.drain().await;
}

async fn change(world: &World, sql: &str) {
    sqlx::raw_sql(sqlx::AssertSqlSafe(sql.to_owned())).execute(&world.owner).await.expect("a change");
}

#[test]
fn recordings_are_chosen_by_themselves_and_what_was_left_is_fetched_later() {
    run(|world| async move {
        let (agency, works) = Agency::ready(world, "recordings").await;
        world.sandbox.set_past(&works.key, vec![past(world, &works, 4).await]);
        let of = format!("from calls where workspace_id = '{}' and joined_at is not null", agency.workspace_id);
        let count = |what: &str| {
            let sql = format!("select count(*) {of} and {what}");
            async move { owner_value::<i64>(world, &sql).await }
        };

        import(&agency, &[("transcripts", "true")]).await;
        let talked = count("true").await;
        assert!(talked > 3, "{talked} calls with talk");
        assert_eq!(count("transcript_status = 'completed'").await, talked);
        assert_eq!(count("recording_key is not null or awaits_recording").await, 0, "no recording was asked for");
        let left: Vec<String> = owner_lines(world, &format!("select id::text {of} and recording_wish = 'left'")).await;
        let call = left.first().expect("a recording that was left").clone();
        let shown = agency.owner.done("get_call", &[("id", &call)]).await.json();
        assert_eq!(shown["is_recording_left"], true, "{shown}");
        assert_eq!(agency.member.rpc("fetch_call_recording", &[("id", &call)]).await.status, 403);
        agency.admin.done("fetch_call_recording", &[("id", &call)]).await;
        agency.admin.done("fetch_call_recording", &[("id", &call)]).await;
        agency.drain().await;
        let shown = agency.owner.done("get_call", &[("id", &call)]).await.json();
        assert!(!shown["recording"].is_null() && shown["is_recording_left"] == false, "{shown}");
        assert_eq!(count("recording_key is not null").await, 1, "no other one");

        // As if nobody had ever heard of them: this time the sound alone.
        let lost = ["call_backs", "call_analyses", "call_messages", "call_events", "enrichment_queue", "call_legs"]
            .map(|table| format!("delete from {table} where workspace_id = '{}';", agency.workspace_id));
        let calls = format!(
            "update token_usage set call_id = null where workspace_id = '{0}'; delete from calls where workspace_id = '{0}';",
            agency.workspace_id
        );
        change(world, &format!("{}{calls}", lost.concat())).await;
        import(&agency, &[("recordings", "true")]).await;
        assert_eq!(count("true").await, talked);
        assert_eq!(count("transcript_status is not null").await, 0, "no transcripts were asked for");
        assert_eq!(count("recording_key is not null").await, left.len() as i64, "the sound is here");
        assert_eq!(count("recording_wish is not null or awaits_recording").await, 0);
    });
}

#[test]
fn imported_calls_name_the_version_whose_words_they_had_and_no_other() {
    run(|world| async move {
        let (agency, works) = Agency::ready(world, "versions").await;
        let page = agency.owner.done("get_prompt", &[("id", &works.prompt)]).await.json();
        let first = page["template"].as_str().expect("words").to_owned();
        let second = format!("{first} Call {{{{contact_name}}}} by name.");
        let fields = [("base_version", "1"), ("template", second.as_str()), ("production", "true")];
        agency.owner.filled(&format!("/prompts/{}", works.prompt), "save_prompt", &fields).await;
        agency.drain().await;
        let mut past = past(world, &works, 12).await;
        let at = |days: i64| Utc::now() - TimeDelta::days(days);
        let theirs = "You are somebody else.".to_owned();
        past.prompts = vec![(at(20), theirs), (at(9), first), (at(5), second)];
        world.sandbox.set_past(&works.key, vec![past]);
        import(&agency, &[]).await;
        let versions = format!(
            "select distinct case when started_at < now() - interval '9 days' then 'theirs' when started_at < now() - interval '5 days'
                    then 'first' else 'second' end || ' ' || coalesce(prompt_version::text, 'not known')
             from calls where workspace_id = '{}' and source = 'historical_sync' order by 1",
            agency.workspace_id
        );
        assert_eq!(owner_lines(world, &versions).await, ["first 1", "second 2", "theirs not known"]);
    });
}

#[test]
fn closing_goes_on_where_it_was_when_the_service_had_no_time() {
    run(|world| async move {
        let (agency, works) = Agency::ready(world, "goes-on-closing").await;
        world.sandbox.set_past(&works.key, vec![past(world, &works, 4).await]);
        import(&agency, &[]).await;
        // Bills of calls that the service has no more: it is asked, and has nothing new.
        let gaps = format!(
            "insert into call_gaps (workspace_id, id, connection_id, kind, provider_call_id, call_id, started_at, why)
             select c.workspace_id, gen_random_uuid(), p.id, 'without_bill', 'gone-' || n, c.id, now(), 'lost'
             from calls c join provider_connections p on p.workspace_id = c.workspace_id and p.provider = 'ultravox', generate_series(1, 3) n
             where c.id = (select min(id::text)::uuid from calls where workspace_id = '{}')",
            agency.workspace_id
        );
        change(world, &gaps).await;
        let limit = |limited: f64| {
            let settings = SandboxSettings::clone(&world.sandbox.settings_for(&works.key));
            let read_faults = FaultRates { limited, ..FaultRates::default() };
            world
                .sandbox
                .set_settings(Some(&works.key), SandboxSettings { read_faults, retry_after_secs: 30, ..settings });
        };
        limit(1.0);
        agency.owner.done("close_call_gaps", &[HERE]).await;
        agency.drain().await;
        let of = format!("from call_gaps where workspace_id = '{}'", agency.workspace_id);
        let asked = format!("select count(*) {of} and asked_at is not null");
        assert_eq!(owner_value::<i64>(world, &asked).await, 0, "nobody could be asked");
        // As if the limit had come after the first one.
        change(world, &format!("update call_gaps set asked_at = now(), why = 'asked before' where id = (select min(id::text)::uuid {of})")).await;
        limit(0.0);
        agency.background.pass(Duration::from_secs(61)).await;
        agency.drain().await;
        assert_eq!(owner_value::<i64>(world, &asked).await, 3, "all were asked about");
        let first = format!("select count(*) {of} and why = 'asked before' and asked_at < (select max(asked_at) {of})");
        assert_eq!(owner_value::<i64>(world, &first).await, 1, "the first one was not asked about again");
    });
}

#[test]
fn lists_stand_in_the_order_of_the_address_page_by_page() {
    run(|world| async move {
        let (agency, works) = Agency::ready(world, "orders").await;
        world.sandbox.set_past(&works.key, vec![past(world, &works, 6).await]);
        import(&agency, &[]).await;
        import(&agency, &[("from", "2020-01-01"), ("to", "2020-01-02")]).await;
        import(&agency, &[]).await;
        let counts = |sort: &'static str, of: &'static str| {
            let agency = &agency;
            async move {
                let page = agency.owner.done("list_history_imports", &[HERE, ("query[sort]", sort)]).await.json();
                let rows = page["rows"].as_array().expect("rows").clone();
                rows.iter().map(|row| row[of].as_i64().expect("a count")).collect::<Vec<_>>()
            }
        };
        let imported = counts("-imported", "imported").await;
        assert!(imported[0] > 0 && imported[1..] == [0, 0], "{imported:?}");
        assert_eq!(counts("skipped", "skipped").await, [0, 0, imported[0]]);
        assert_eq!(counts("asked", "imported").await, [imported[0], 0, 0], "the oldest first");
        assert_eq!(counts("nonsense", "imported").await, [imported[0], 0, 0]);
        let file = agency.owner.get("/connections/ultravox/history/imports.csv?sort=skipped").await;
        assert_eq!(file.text.lines().count(), 4, "{}", file.text);

        // Sixty calls that could not be taken, each a minute after the former one.
        let failures = format!(
            "insert into historical_sync_failures (workspace_id, id, sync_id, provider_call_id, started_at, why)
             select workspace_id, gen_random_uuid(), id, 'call-' || lpad(n::text, 2, '0'), now() - interval '1 day' + n * interval '1 minute', 'bad'
             from (select workspace_id, id from historical_sync_jobs where workspace_id = '{0}' order by id limit 1) j, generate_series(0, 59) n;
             insert into call_gaps (workspace_id, id, connection_id, kind, provider_call_id, started_at, why)
             select workspace_id, gen_random_uuid(), id, 'never_heard_of', 'call-' || lpad(n::text, 2, '0'),
                    now() - interval '1 day' + n * interval '1 minute', 'bad'
             from provider_connections, generate_series(0, 59) n where workspace_id = '{0}' and provider = 'ultravox'",
            agency.workspace_id
        );
        change(world, &failures).await;
        let id: String = owner_value(
            world,
            &format!(
                "select id::text from historical_sync_jobs where workspace_id = '{}' order by id limit 1",
                agency.workspace_id
            ),
        )
        .await;
        for (name, part) in [("get_history_import", "failures"), ("list_call_gaps", "page")] {
            for (sort, first, last) in
                [("began", "call-00", "call-59"), ("-began", "call-59", "call-00"), ("", "call-59", "call-00")]
            {
                let page = |cursor: String| {
                    let (agency, id) = (&agency, &id);
                    async move {
                        let fields =
                            [HERE, ("id", id.as_str()), ("query[sort]", sort), ("query[cursor]", cursor.as_str())];
                        let fields: Vec<_> =
                            fields.into_iter().filter(|(key, _)| *key != "id" || name != "list_call_gaps").collect();
                        agency.owner.done(name, &fields).await.json()[part].clone()
                    }
                };
                let ids = |page: &serde_json::Value| {
                    let rows = page["rows"].as_array().unwrap_or_else(|| panic!("{page}")).iter();
                    rows.map(|row| row["provider_call_id"].as_str().expect("an id").to_owned()).collect::<Vec<_>>()
                };
                let one = page(String::new()).await;
                let two =
                    page(one["older"].as_str().unwrap_or_else(|| panic!("{name} {sort}: {one}")).to_owned()).await;
                let mut all = ids(&one);
                all.extend(ids(&two));
                let mut sorted = all.clone();
                sorted.sort();
                if first > last {
                    sorted.reverse();
                }
                assert_eq!((all.len(), all[0].as_str(), all[59].as_str()), (60, first, last), "{name} {sort}");
                assert_eq!(all, sorted, "{name} {sort}");
                assert!(two["older"].is_null());
                let back = page(two["newer"].as_str().expect("a way back").to_owned()).await;
                assert_eq!(ids(&back), ids(&one), "{name} {sort}");
            }
        }
    });
}
