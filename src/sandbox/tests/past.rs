//! Calls from before the sandbox began.

use std::collections::HashSet;
use std::time::Duration as Real;

use chrono::{DateTime, Timelike, Utc};
use serde_json::Value;

use super::{Client, KEY, begin};
use crate::{PastOfAgent, PastPerson, Quirks, Sandbox, SandboxSettings};

fn instant(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn past_of(agent: &str) -> PastOfAgent {
    let person = |name: &str, number: &str| PastPerson { name: name.to_owned(), number: number.to_owned() };
    PastOfAgent {
        agent_id: agent.to_owned(),
        from: instant("2026-09-01T00:00:00Z"),
        until: instant("2026-10-27T12:00:00Z"),
        timezone: "Europe/Zurich".to_owned(),
        calls_per_day: 12.0,
        campaign_type: Some("cs".to_owned()),
        number: "+41445550100".to_owned(),
        people: vec![person("Ada Kern", "+41445550182"), person("Urs Blum", "+41445550184")],
        languages: vec![("de".to_owned(), 0.8), ("fr".to_owned(), 0.2)],
        ..PastOfAgent::default()
    }
}

/// Follows `next` to the end.
async fn all(client: &Client, query: &str) -> Vec<Value> {
    let mut found = Vec::new();
    let mut next = Some(format!("/ultravox/api/calls?{query}"));
    while let Some(path) = next {
        let (status, page) = client.get(&path).await;
        assert_eq!(status, 200, "{page}");
        found.extend(page["results"].as_array().unwrap().iter().cloned());
        next = page["next"].as_str().map(|url| url.trim_start_matches(client.base.as_str()).to_owned());
    }
    found
}

fn ids(calls: &[Value]) -> Vec<String> {
    calls.iter().map(|call| call["callId"].as_str().unwrap().to_owned()).collect()
}

fn known(sandbox: &Sandbox) -> Vec<String> {
    sandbox.call_ids(KEY).iter().map(uuid::Uuid::to_string).collect()
}

#[tokio::test]
async fn the_past_is_listed_page_by_page_in_either_direction_and_each_call_once() {
    let (client, sandbox, agent) = begin(SandboxSettings::for_tests()).await;
    sandbox.set_past(KEY, vec![past_of(&agent)]);
    let forwards = all(&client, "sort=created&pageSize=100").await;
    assert!((300..900).contains(&forwards.len()), "{} calls in eight weeks", forwards.len());
    assert_eq!(ids(&forwards), known(&sandbox), "every call once, oldest first");
    let mut backwards = ids(&all(&client, "pageSize=70").await);
    backwards.reverse();
    assert_eq!(backwards, ids(&forwards), "newest first unless asked otherwise");
    let (_, page) = client.get("/ultravox/api/calls?pageSize=1").await;
    assert_eq!(page["total"], forwards.len());
    let (_, shown) = client.get(&format!("/ultravox/api/agents/{agent}")).await;
    assert_eq!(shown["statistics"]["calls"], forwards.len());

    let one = &forwards[forwards.len() / 2];
    let (_, same) = client.get(&format!("/ultravox/api/calls/{}", one["callId"].as_str().unwrap())).await;
    assert_eq!(&same, one, "a call reads the same alone and in a list");
    let talked = forwards.iter().find(|call| !call["joined"].is_null()).unwrap();
    let path = format!("/ultravox/api/calls/{}", talked["callId"].as_str().unwrap());
    let (_, messages) = client.get(&format!("{path}/messages?mode=in_call")).await;
    assert!(messages["total"].as_u64().unwrap() >= 2, "{messages}");
    assert_eq!(
        client.http.delete(format!("{}{path}", client.base)).header("x-api-key", KEY).send().await.unwrap().status(),
        204
    );
    assert_eq!(client.get(&path).await.0, 404);
    assert_eq!(all(&client, "pageSize=500").await.len(), forwards.len() - 1);
}

#[tokio::test]
async fn filters_of_the_list_hold_for_the_past() {
    let (client, sandbox, agent) = begin(SandboxSettings::for_tests()).await;
    let (_, other) = client.post("/ultravox/api/agents", serde_json::json!({"name": "Kim"})).await;
    let other = other["agentId"].as_str().unwrap().to_owned();
    sandbox.set_past(KEY, vec![past_of(&agent), PastOfAgent { calls_per_day: 3.0, ..past_of(&other) }]);
    let everything = all(&client, "sort=created&pageSize=500").await;
    let at = |call: &Value| instant(call["created"].as_str().unwrap());
    let talk = |call: &Value| {
        let time = |name: &str| call[name].as_str().map(instant);
        time("joined").zip(time("ended")).map_or(0.0, |(from, to)| (to - from).num_milliseconds() as f64 / 1000.0)
    };
    let kept =
        |fits: &dyn Fn(&Value) -> bool| ids(&everything.iter().filter(|call| fits(call)).cloned().collect::<Vec<_>>());

    let (from, to) = (at(&everything[40]), at(&everything[90]));
    let span = all(&client, &format!("sort=created&fromDate={}&toDate={}", url(from), url(to))).await;
    assert_eq!(ids(&span), ids(&everything[40..=90]), "both ends belong to it");
    let day = all(&client, "sort=created&fromDate=2026-09-15&toDate=2026-09-15").await;
    assert_eq!(ids(&day), kept(&|call| at(call).date_naive().to_string() == "2026-09-15"));
    let of_other = all(&client, &format!("sort=created&agentIds={other}")).await;
    assert_eq!(ids(&of_other), kept(&|call| call["agentId"] == other.as_str()));
    let both = all(&client, &format!("sort=created&agentIds={other}&agentIds={agent}")).await;
    assert_eq!(both.len(), everything.len());
    let long = all(&client, "sort=created&durationMin=60s&durationMax=120s").await;
    assert_eq!(ids(&long), kept(&|call| (60.0..=120.0).contains(&talk(call))));
    let mornings = all(&client, "sort=created&timeOfDayStart=06:00:00&timeOfDayEnd=08:00:00").await;
    assert_eq!(ids(&mornings), kept(&|call| (6..8).contains(&at(call).hour())));
    assert!(all(&client, "metadata.task=t1").await.is_empty());

    let (_, usage) = client.get(&format!("/ultravox/api/accounts/me/usage/calls?agentIds={other}")).await;
    assert_eq!(usage["allTime"]["totalCount"], of_other.len());
    let joined = of_other.iter().filter(|call| !call["joined"].is_null()).count();
    assert_eq!(usage["allTime"]["joinedCount"], joined);
    for parts in ["daily", "hourly"] {
        let sum: u64 = usage[parts].as_array().unwrap().iter().filter_map(|part| part["totalCount"].as_u64()).sum();
        assert_eq!(sum, of_other.len() as u64, "{parts}");
    }
}

fn url(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(chrono::SecondsFormat::Micros, true)
}

#[tokio::test]
async fn the_past_has_every_kind_of_call_and_the_shape_of_a_week() {
    let (client, sandbox, agent) = begin(SandboxSettings::for_tests()).await;
    sandbox.set_past(KEY, vec![PastOfAgent { calls_per_day: 40.0, ..past_of(&agent) }]);
    let calls = all(&client, "sort=created&pageSize=500").await;
    let ends: HashSet<&str> = calls.iter().filter_map(|call| call["endReason"].as_str()).collect();
    for reason in ["unjoined", "hangup", "agent_hangup", "connection_error"] {
        assert!(ends.contains(reason), "{ends:?}");
    }
    let sip: HashSet<&str> = calls.iter().filter_map(|call| call["sipDetails"]["terminationReason"].as_str()).collect();
    for reason in ["NORMAL", "TIMEOUT", "BUSY", "REJECTED", "INVALID_NUMBER"] {
        assert!(sip.contains(format!("SIP_TERMINATION_{reason}").as_str()), "{sip:?}");
    }
    let inbound = calls.iter().filter(|call| call["medium"]["telnyx"].get("outgoing").is_none()).count();
    assert!((calls.len() / 5..calls.len() / 2).contains(&inbound), "{inbound} of {} came in", calls.len());
    let french = calls.iter().filter(|call| call["languageHint"] == "fr").count();
    assert!(french > calls.len() / 10 && french < calls.len() / 3, "{french} in French");
    assert!(calls.iter().all(|call| call["billingStatus"] != "BILLING_STATUS_PENDING" && !call["ended"].is_null()));
    let local = |call: &Value| instant(call["created"].as_str().unwrap()).with_timezone(&chrono_tz::Europe::Zurich);
    let on = |day: chrono::Weekday| calls.iter().filter(|call| chrono::Datelike::weekday(&local(call)) == day).count();
    assert!(on(chrono::Weekday::Tue) > 3 * on(chrono::Weekday::Sat), "weekends are quiet");
    let night = calls.iter().filter(|call| (0..6).contains(&local(call).hour())).count();
    assert!(night * 20 < calls.len(), "{night} at night");
    let people: HashSet<&str> = calls
        .iter()
        .filter_map(|call| {
            call["medium"]["telnyx"]["outgoing"]["to"].as_str().or(call["requestContext"]["telnyx"]["from"].as_str())
        })
        .collect();
    assert_eq!(people.len(), 2, "people with a name and a number");
    assert!(calls.iter().all(|call| instant(call["ended"].as_str().unwrap()) <= instant("2026-10-27T12:00:00Z")));
}

#[tokio::test]
async fn a_kept_sandbox_has_the_same_past_after_a_restart() {
    let folder = std::env::temp_dir().join(format!("patchbay-sandbox-{}", uuid::Uuid::new_v4()));
    std::fs::create_dir_all(&folder).unwrap();
    let settings = SandboxSettings { state_file: Some(folder.join("sandbox.json")), ..SandboxSettings::for_tests() };
    let (client, sandbox, agent) = begin(settings.clone()).await;
    sandbox.set_past(KEY, vec![past_of(&agent)]);
    sandbox.reveal_calls(KEY, &agent, &[instant("2026-10-01T10:00:00Z")]);
    let before = all(&client, "pageSize=500").await;
    let gone = before[3]["callId"].as_str().unwrap();
    let delete = |id: &str| {
        client.http.delete(format!("{}/ultravox/api/calls/{id}", client.base)).header("x-api-key", KEY).send()
    };
    delete(gone).await.unwrap();
    // And calls of this run, once they are over.
    for (nth, digits) in ["0020", "0001", "0013"].iter().enumerate() {
        let path = format!("/ultravox/api/agents/{agent}/calls");
        assert_eq!(client.post(&path, super::to(&format!("+1312555{digits}"), &nth.to_string())).await.0, 201);
    }
    sandbox.settle(KEY).await;
    let of_this_run = all(&client, "pageSize=500").await;
    let gone = of_this_run.iter().find(|call| call["metadata"]["task"] == "2").unwrap();
    delete(gone["callId"].as_str().unwrap()).await.unwrap();
    let before = all(&client, "pageSize=500").await;
    assert_eq!(before.len(), of_this_run.len() - 1);
    let talked = before.iter().find(|call| call["metadata"]["task"] == "0").unwrap();
    let words = format!("/ultravox/api/calls/{}/messages", talked["callId"].as_str().unwrap());
    let (_, said) = client.get(&words).await;

    let (address, _again, _stop) = crate::start(settings).await.unwrap();
    let again = Client { base: format!("http://{address}"), http: client.http.clone() };
    assert_eq!(all(&again, "pageSize=500").await, before);
    assert_eq!(again.get(&words).await.1, said, "the same words");
    std::fs::remove_dir_all(folder).unwrap();
}

#[tokio::test]
async fn lists_limit_grow_shift_and_get_stuck_when_they_are_told_to() {
    let (client, sandbox, agent) = begin(SandboxSettings::for_tests()).await;
    sandbox.set_past(KEY, vec![past_of(&agent)]);
    let with = |quirks: Quirks| {
        sandbox.set_settings(Some(KEY), SandboxSettings { quirks, ..SandboxSettings::for_tests() });
    };
    with(Quirks { pages_limited_every: 2, ..Quirks::default() });
    let mut statuses = Vec::new();
    for _ in 0..4 {
        let request =
            client.http.get(format!("{}/ultravox/api/calls?pageSize=5", client.base)).header("x-api-key", KEY);
        let answer = tokio::time::timeout(Real::from_secs(5), request.send()).await.unwrap().unwrap();
        assert!(answer.status() != 429 || answer.headers()["retry-after"] == "1");
        statuses.push(answer.status().as_u16());
    }
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 200, 429, 429]);

    // Calls that come to light while somebody reads: behind the page they are met, before its end they are not.
    with(Quirks { pages_grow: 8, ..Quirks::default() });
    let before = known(&sandbox);
    let read = ids(&all(&client, "sort=created&pageSize=100").await);
    let after = known(&sandbox);
    assert_eq!(after.len(), before.len() + 8);
    assert_eq!(read.iter().collect::<HashSet<_>>().len(), read.len(), "none twice");
    assert_eq!(read.len(), before.len() + 4);

    // The same with cursors that are positions: what stood at the end of the page is shown again, and what came in before it is missed.
    with(Quirks { pages_grow: 8, pages_by_position: true, ..Quirks::default() });
    let read = ids(&all(&client, "sort=created&pageSize=100").await);
    let distinct: HashSet<_> = read.iter().cloned().collect();
    assert!(read.len() > distinct.len(), "none twice");
    assert!(known(&sandbox).iter().any(|id| !distinct.contains(id)), "none missed");

    with(Quirks { pages_stuck: true, ..Quirks::default() });
    let (_, first) = client.get("/ultravox/api/calls?pageSize=100").await;
    let path = first["next"].as_str().unwrap().trim_start_matches(client.base.as_str()).to_owned();
    let (_, second) = client.get(&path).await;
    assert_eq!(second["next"], first["next"]);
}

#[test]
fn a_hundred_thousand_calls_are_drawn_in_no_time_and_little_memory() {
    let agent = PastOfAgent { calls_per_day: 2_400.0, ..past_of("a") };
    let past = crate::past::Past::draw(vec![agent.clone()], HashSet::new(), 1);
    assert!(past.rows.len() > 80_000, "{}", past.rows.len());
    let again = crate::past::Past::draw(vec![agent], HashSet::new(), 1);
    assert_eq!(past.rows, again.rows, "equal seeds give equal calls");
    assert!(past.rows.windows(2).all(|pair| pair[0].place() < pair[1].place()));
    assert!(size_of::<crate::past::Row>() <= 32);
}

/// Generators of times trip over the hour that a day in spring does not have (joke2k/faker 2027).
#[test]
fn the_hour_that_a_day_in_spring_does_not_have_has_no_calls() {
    let agent = PastOfAgent {
        from: instant("2026-03-07T00:00:00Z"),
        until: instant("2026-03-10T00:00:00Z"),
        timezone: "America/Los_Angeles".to_owned(),
        calls_per_day: 20_000.0,
        inbound: 1.0,
        ..past_of("a")
    };
    let past = crate::past::Past::draw(vec![agent], HashSet::new(), 1);
    let local = |row: &crate::past::Row| {
        DateTime::from_timestamp_micros(row.at).unwrap().with_timezone(&chrono_tz::America::Los_Angeles)
    };
    let on_the_day = past.rows.iter().map(local).filter(|at| at.date_naive().to_string() == "2026-03-08");
    let hours: HashSet<u32> = on_the_day.map(|at| at.hour()).collect();
    assert!(hours.contains(&1) && hours.contains(&3) && !hours.contains(&2), "{hours:?}");
}
