//! Usage by day: what is counted as things happen, what a rebuild counts, and what pages count before either, are the same as the rows
//! that they are made of, whatever the order in which calls, bills, refunds and corrections come.

use chrono::{DateTime, Datelike, Duration, SecondsFormat, TimeZone, Utc, Weekday};
use patchbay_calls::model::term;
use patchbay_metering::server::days;
use serde_json::{Value, json};
use uuid::Uuid;

use super::figures::{figure, followed, lines};
use super::support::{WebhookSender, World, owner_lines, owner_value, run};

/// Zones far from UTC and from each other, with days of 23 and 25 hours; in the last one clocks change at midnight.
const ZONES: [&str; 4] = ["Pacific/Auckland", "America/Los_Angeles", "Asia/Kolkata", "America/Santiago"];

fn text(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Micros, true)
}

/// A client, and an agent of it that the voice service knows under the id that is given.
async fn client_with_agent(world: &World, door: &WebhookSender, zone: &str, prompt: &str) -> (String, String) {
    let owner = &door.agency.owner;
    let fields = [("name", zone), ("timezone", zone), ("monthly_budget", "")];
    let client = owner.made_on("/clients/new", "save_client", &fields).await;
    let fields = [
        ("name", zone),
        ("client_id", &client),
        ("prompt_id", prompt),
        ("greeting", "Hello."),
        ("first_speaker", "agent"),
        ("max_minutes", "10"),
    ];
    let agent = owner.made_on("/agents/new", "save_agent", &fields).await;
    door.agency.drain().await;
    let sql =
        format!("select provider_agent_id from agent_mappings where agent_id = '{agent}' and client_id = '{client}'");
    (client, owner_value(world, &sql).await)
}

/// What the voice service tells of one call.
struct Told {
    id: Uuid,
    agent: Option<String>,
    began: DateTime<Utc>,
}

impl Told {
    fn event(&self, name: &str, more: &Value) -> Vec<u8> {
        let at = |seconds: i64| text(self.began + Duration::seconds(seconds));
        let mut event = json!({"event": name, "call": {
            "callId": self.id, "created": at(0), "joined": at(5), "ended": at(125), "endReason": "hangup", "billedDuration": null,
            "billingStatus": "BILLING_STATUS_PENDING", "metadata": {}, "agentId": self.agent,
            "medium": {"telnyx": {"outgoing": {"to": "+12025550170", "from": "+12025550171"}}},
        }});
        for (name, value) in more.as_object().into_iter().flatten() {
            event["call"][name] = value.clone();
        }
        event.to_string().into_bytes()
    }

    fn bill(&self, status: &str, seconds: i64) -> Vec<u8> {
        let more =
            json!({"billingStatus": format!("BILLING_STATUS_{status}"), "billedDuration": format!("{seconds}s")});
        self.event("call.billed", &more)
    }
}

/// The kept rows, each as a line. `with_ids`: what must stay when a rebuild changes nothing.
async fn kept(world: &World, door: &WebhookSender, with_ids: bool) -> Vec<String> {
    let ids = if with_ids { "id::text, created_at::text," } else { "" };
    let sql = format!(
        "select concat_ws(' ', {ids} coalesce(client_id::text, '-'), coalesce(agent_id::text, '-'), day, calls_made, ended, answered, failed,
                goals, call_seconds, tokens_used, voice_cost, carrier_cost, model_cost, total_cost_usd, unpriced_calls, unpriced_answers)
         from billing_usage where workspace_id = '{}' order by 1",
        door.agency.workspace_id
    );
    owner_lines(world, &sql).await
}

/// The same from the rows that they are made of, by another statement.
async fn counted(world: &World, door: &WebhookSender) -> Vec<String> {
    let workspace = &door.agency.workspace_id;
    let sql = format!(
        "with zoned as (
           select c.*, (c.started_at at time zone coalesce(k.timezone, w.timezone))::date as day
           from calls c join workspaces w on w.id = c.workspace_id left join clients k on k.id = c.client_id where c.workspace_id = '{workspace}'),
         answers as (
           select t.*, (t.created_at at time zone coalesce(k.timezone, w.timezone))::date as day
           from token_usage t join workspaces w on w.id = t.workspace_id left join clients k on k.id = t.client_id where t.workspace_id = '{workspace}'),
         c as (
           select client_id, agent_id, day, count(*) as calls, count(result) as ended, sum((result = 'answered')::int) as answered,
                  count(*) filter (where result = 'failed') as failed, count(*) filter (where goal_reached) as goals,
                  coalesce(sum(duration), 0) as seconds, sum(voice_cost) as voice, sum(carrier_cost) as carrier,
                  count(*) filter (where ended_at is not null and joined_at is not null and billed_seconds is null) as unpriced
           from zoned group by 1, 2, 3),
         t as (
           select client_id, agent_id, day, sum(total_tokens) as tokens, coalesce(sum(cost), 0) as cost, count(*) filter (where cost is null) as unpriced
           from answers group by 1, 2, 3)
         select concat_ws(' ', coalesce(coalesce(c.client_id, t.client_id)::text, '-'), coalesce(coalesce(c.agent_id, t.agent_id)::text, '-'),
                coalesce(c.day, t.day), coalesce(calls, 0), coalesce(ended, 0), coalesce(answered, 0), coalesce(failed, 0), coalesce(goals, 0),
                coalesce(seconds, 0), coalesce(tokens, 0), coalesce(voice, 0)::numeric(16,6), coalesce(carrier, 0)::numeric(16,6),
                coalesce(cost, 0)::numeric(16,6), (coalesce(voice, 0) + coalesce(carrier, 0) + coalesce(cost, 0))::numeric(16,6),
                coalesce(c.unpriced, 0), coalesce(t.unpriced, 0))
         from c full join t on concat(c.client_id,'/',c.agent_id,c.day) = concat(t.client_id,'/',t.agent_id,t.day) order by 1"
    );
    owner_lines(world, &sql).await
}

/// The days of the usage page's file that have calls: day, calls and spend.
async fn file(door: &WebhookSender, client: &str, from: &str, to: &str) -> Vec<[String; 3]> {
    let file = lines(&door.agency.owner, &format!("/usage.csv?client={client}&from={from}&to={to}")).await;
    let at = |name: &str| file[0].iter().position(|head| head == name).expect("a column");
    let (calls, spend) = (at("calls"), at("spend (USD)"));
    let rows = file[1..].iter().filter(|row| row[calls] != "0");
    rows.map(|row| [row[0].clone(), row[calls].clone(), row[spend].clone()]).collect()
}

#[test]
fn what_is_counted_as_it_happens_is_what_a_rebuild_counts_and_what_the_calls_say() {
    run(|world| async move {
        let door = WebhookSender::new(world, "days").await;
        let agency = &door.agency;
        let prompt = [("name", "Prompt"), ("template", "Be brief."), ("production", "true")];
        let prompt = agency.owner.made_on("/prompts/new", "save_prompt", &prompt).await;
        let mut clients = Vec::new();
        for zone in ZONES {
            clients.push(client_with_agent(world, &door, zone, &prompt).await);
        }
        // Both ends of summer time, and midnights in each zone. On 6 September Santiago's day begins at one.
        let mut moments: Vec<DateTime<Utc>> = Vec::new();
        for (month, day) in [(3, 8), (4, 5), (9, 6), (9, 27), (11, 1)] {
            let midnight = Utc.with_ymd_and_hms(2026, month, day, 0, 0, 0).unwrap();
            moments.extend(
                [-14, -12, 4, 5, 8, 11, 18].map(|hours| midnight + Duration::hours(hours) - Duration::minutes(1)),
            );
            moments.extend([-12, 4, 5].map(|hours| midnight + Duration::hours(hours) + Duration::minutes(1)));
        }
        let mut told = Vec::new();
        for (at, began) in moments.into_iter().enumerate() {
            let agent = (at % 5 != 4).then(|| clients[at % 4].1.clone());
            told.push(Told { id: Uuid::new_v4(), agent, began });
        }
        for (at, call) in told.iter().enumerate() {
            // Half of them are heard of by their end alone; bills come before the end, too.
            if at % 2 == 0 {
                assert_eq!(
                    door.deliver(&call.event("call.started", &json!({"ended": null, "joined": null}))).await,
                    204
                );
            }
            if at % 3 == 0 {
                assert_eq!(door.deliver(&call.bill("BILLED", 60 + at as i64)).await, 204);
            }
            assert_eq!(door.deliver(&call.event("call.ended", &json!({}))).await, 204);
            if at % 10 == 0 {
                door.settled(world).await;
                days::keep_all(&world.db).await.expect("days");
            }
        }
        door.settled(world).await;
        assert!(!counted(world, &door).await.is_empty());
        // Before a worker has counted, the page counts itself; afterwards it says the same.
        let (client, (from, to)) = (&clients[3].0, ("2026-02-01", "2026-11-15"));
        let before = file(&door, client, from, to).await;
        days::keep_all(&world.db).await.expect("days");
        assert_eq!(kept(world, &door, false).await, counted(world, &door).await);
        assert_eq!(file(&door, client, from, to).await, before);
        assert!(before.len() > 4, "{before:?}");

        // Late bills, refunds, a bill that goes down, and starts that turn out to be on the day before.
        for (at, call) in told.iter().enumerate() {
            let later = match at % 4 {
                0 => call.bill("REFUNDED", 600),
                1 => call.bill("BILLED", 600),
                2 => call.bill("BILLED", 1),
                _ => Told { began: call.began - Duration::hours(9), id: call.id, agent: call.agent.clone() }
                    .event("call.joined", &json!({"ended": null})),
            };
            assert_eq!(door.deliver(&later).await, 204);
        }
        door.settled(world).await;
        days::keep_all(&world.db).await.expect("days");
        let incremental = kept(world, &door, true).await;
        assert_eq!(kept(world, &door, false).await, counted(world, &door).await);
        days::rebuild(&world.db).await.expect("a rebuild");
        assert_eq!(kept(world, &door, true).await, incremental, "a rebuild changes nothing");

        // The sum of single days is that of the range, and each day's calls are listed.
        for (client, _) in &clients {
            let range = file(&door, client, from, to).await;
            for [day, calls, spend] in &range {
                assert_eq!(file(&door, client, day, day).await, [[day.clone(), calls.clone(), spend.clone()]]);
                let listed = format!("/calls?client={client}&from={day}&to={day}&zone=client");
                assert_eq!(super::figures::rows(&agency.owner, &listed).await.to_string(), *calls, "{listed}");
            }
            let all = format!("/calls?client={client}&from={from}&to={to}&zone=client");
            let sum: usize = range.iter().map(|[_, calls, _]| calls.parse::<usize>().expect("a number")).sum();
            assert_eq!(super::figures::rows(&agency.owner, &all).await, sum);
        }
        // Weeks from Monday on, and months, are the sums of their days, and their calls are listed.
        for (client, _) in &clients {
            let range = self::file(&door, client, from, to).await;
            for (by, most) in [("week", 42), ("month", 10)] {
                let file =
                    lines(&agency.owner, &format!("/usage.csv?client={client}&from={from}&to={to}&by={by}")).await;
                assert_eq!(file[0][..4], [by, "from", "to", "calls"]);
                assert!(file.len() - 1 <= most, "{} rows by {by}", file.len());
                for row in &file[1..] {
                    let [part, first, last, calls] = &row[..4] else { panic!("{row:?}") };
                    let begins: chrono::NaiveDate = first.parse().expect("a day");
                    let whole = if by == "week" { begins.weekday() == Weekday::Mon } else { begins.day() == 1 };
                    assert!(whole || first.as_str() == from, "{part} begins on {first}");
                    let days = range.iter().filter(|[day, ..]| (first..=last).contains(&day));
                    let sum: usize = days.map(|[_, calls, _]| calls.parse::<usize>().expect("a number")).sum();
                    assert_eq!(*calls, sum.to_string(), "{part}");
                    if sum > 0 {
                        let listed = format!("/calls?client={client}&from={first}&to={last}&zone=client");
                        assert_eq!(super::figures::rows(&agency.owner, &listed).await, sum, "{listed}");
                    }
                }
            }
        }
        let page = agency.owner.get(&format!("/usage?client={client}&from={from}&to={to}&by=week")).await;
        for words in ["Spend by week", "Usage by week", "2 – 8 Mar", "by=week"] {
            assert!(page.text.contains(words), "{words}");
        }
        // All clients together, each by its own days.
        let file = lines(&agency.owner, "/usage.csv?from=2026-03-08&to=2026-03-08").await;
        let listed = super::figures::rows(&agency.owner, "/calls?from=2026-03-08&to=2026-03-08&zone=client").await;
        assert_eq!(file[1][1], listed.to_string());
        assert!(listed > 0);

        // Another zone: the page is right at once, and so are the rows afterwards.
        let before = self::file(&door, client, from, to).await;
        let fields = [("timezone", "Pacific/Auckland")];
        agency.owner.filled(&format!("/clients/{client}/settings"), "save_client", &fields).await;
        let moved = self::file(&door, client, from, to).await;
        assert_ne!(moved, before, "its days begin sixteen hours earlier");
        let fields = [("timezone", "Pacific/Honolulu")];
        agency.owner.filled("/settings/agency", "save_agency", &fields).await;
        days::keep_all(&world.db).await.expect("days");
        assert_eq!(kept(world, &door, false).await, counted(world, &door).await);
        assert_eq!(self::file(&door, client, from, to).await, moved);
    });
}

#[test]
fn days_that_there_are_not_are_refused_at_their_field() {
    run(|world| async move {
        let door = WebhookSender::new(world, "daysodd").await;
        let owner = &door.agency.owner;
        for (query, field, word) in [
            ("from=2026-11-20&to=2026-11-19", "to", "before the first one"),
            ("from=2020-01-01&to=2026-01-01", "from", "At most a year"),
            ("from=9999-01-01", "from", "still to come"),
            ("from=yesterday", "from", "for example 2026-11-20"),
            ("period=fortnight", "period", "Choose one of the periods"),
            ("by=decade", "by", "Choose day, week or month"),
        ] {
            let page = owner.get(&format!("/usage?{query}")).await;
            assert!(page.status == 200 && page.text.contains(word), "{query}: {}", page.status);
            let others = if field == "by" { 0 } else { 2 };
            for path in &["/dashboard", &format!("/clients/{}", door.agency.one.id)][..others] {
                let page = owner.get(&format!("{path}?{query}")).await;
                assert!(page.status == 200 && page.text.contains(word), "{path}?{query}");
            }
            let file = owner.get(&format!("/usage.csv?{query}")).await;
            assert!(file.status == 422 && file.text.contains(field), "{query}: {} {}", file.status, file.text);
        }
        for path in ["/usage", "/dashboard"] {
            for period in ["today", "7", "30", "90"] {
                let page = owner.get(&format!("{path}?period={period}")).await;
                assert!(page.status == 200 && page.text.contains("aria-current=\"true\""), "{path} {period}");
            }
        }
        // A client's people see days of calls, and what they cost only where the agency shows it.
        door.agency.one.viewer.join().await;
        let page = door.agency.one.viewer.get("/dashboard?period=7").await;
        assert!(page.status == 200 && !page.text.contains("Spend"), "{}", page.status);
        assert_eq!(door.agency.one.viewer.get("/usage?period=7").await.status, 404);
    });
}

#[test]
fn today_is_each_clients_own_day_on_every_page_wherever_the_viewer_is() {
    run(|world| async move {
        let door = WebhookSender::new(world, "todays").await;
        let owner = &door.agency.owner;
        let prompt = [("name", "Prompt"), ("template", "Be brief."), ("production", "true")];
        let prompt = owner.made_on("/prompts/new", "save_prompt", &prompt).await;
        // Two zones that are on the same date for an hour or two of the day only; the viewer is where days begin first.
        let behind = client_with_agent(world, &door, "Pacific/Honolulu", &prompt).await;
        let ahead = client_with_agent(world, &door, "Pacific/Auckland", &prompt).await;
        owner.done("save_profile", &[("name", "Olga"), ("timezone", "Pacific/Auckland")]).await;
        for (client, hours) in
            [&behind, &ahead].into_iter().flat_map(|one| [0, 5, 11, 17, 23, 26, 30].map(|ago| (one, ago)))
        {
            let call =
                Told { id: Uuid::new_v4(), agent: Some(client.1.clone()), began: Utc::now() - Duration::hours(hours) };
            assert_eq!(door.deliver(&call.event("call.ended", &json!({}))).await, 204);
        }
        door.settled(world).await;
        let date_of = |(client, _): &(String, String)| {
            format!("select (now() at time zone timezone)::date::text from clients where id = '{client}'")
        };
        let (here, there): (String, String) =
            (owner_value(world, &date_of(&ahead)).await, owner_value(world, &date_of(&behind)).await);
        let is_one_date = here == there;
        for is_kept in [false, true] {
            for one in [&behind, &ahead] {
                let date: String = owner_value(world, &date_of(one)).await;
                let client = &one.0;
                let file = self::file(&door, client, &date, &date).await;
                let (shown, _) = followed(owner, &format!("/dashboard?client={client}")).await;
                assert_eq!(figure(&shown, "Calls today").text, file[0][1], "counted before: {is_kept}");
                // The date that stands over the figures is one that may be asked for, and says the same.
                let day: chrono::NaiveDate = date.parse().expect("a day");
                let page = owner.get(&format!("/dashboard?client={client}")).await.text;
                assert!(page.contains(&day.format("%A, %-d %B").to_string()), "{date}");
                let (same, _) = followed(owner, &format!("/dashboard?client={client}&from={date}&to={date}")).await;
                assert_eq!(figure(&same, "Calls").text, file[0][1]);
                let today = lines(owner, &format!("/usage.csv?client={client}&period=today")).await;
                assert_eq!((&today[1][0], &today[1][1]), (&date, &file[0][1]));
            }
            // All clients: every date that it is somewhere.
            let (all, _) = followed(owner, "/dashboard").await;
            let today = lines(owner, "/usage.csv?period=today").await;
            assert!(is_one_date || today.len() > 2, "two dates at least: {today:?}");
            let sum: usize = today[1..].iter().map(|row| row[1].parse::<usize>().expect("a number")).sum();
            assert_eq!(figure(&all, "Calls today").text, sum.to_string());
            let page = owner.get("/dashboard").await.text;
            assert!(is_one_date || page.contains("days in each client’s own time zone"));
            days::keep_all(&world.db).await.expect("days");
        }
        if is_one_date {
            return;
        }
        // The viewer's date has not begun for the client: the page says where, and which date it is there.
        let page = owner.get(&format!("/dashboard?client={}&from={here}", behind.0)).await.text;
        let there: chrono::NaiveDate = there.parse().expect("a day");
        let words = format!("where these days are counted it is {}", there.format("%-d %B %Y"));
        assert!(page.contains(&words), "{words}");
    });
}

#[test]
fn what_was_not_spent_is_a_dash_and_what_is_not_priced_says_so() {
    run(|world| async move {
        let door = WebhookSender::new(world, "dashes").await;
        let prompt = [("name", "Prompt"), ("template", "Be brief."), ("production", "true")];
        let prompt = door.agency.owner.made_on("/prompts/new", "save_prompt", &prompt).await;
        let (client, agent) = client_with_agent(world, &door, "UTC", &prompt).await;
        let day = |month| Utc.with_ymd_and_hms(2026, month, 10, 12, 0, 0).unwrap();
        let [billed, waiting] =
            [3, 4].map(|month| Told { id: Uuid::new_v4(), agent: Some(agent.clone()), began: day(month) });
        assert_eq!(door.deliver(&billed.bill("BILLED", 120)).await, 204);
        for call in [&billed, &waiting] {
            assert_eq!(door.deliver(&call.event("call.ended", &json!({}))).await, 204);
        }
        door.settled(world).await;
        let page = |date: &str| format!("/usage?client={client}&from={date}&to={date}");
        let owner = &door.agency.owner;
        // Voice has its price; the carrier and the models took nothing.
        let (told, not_told) = (owner.get(&page("2026-03-10")).await.text, owner.get(&page("2026-04-10")).await.text);
        assert!(
            told.contains("None that the carrier told") && told.contains("title=\"None\"") && !told.contains("$0.0000")
        );
        assert!(!told.contains(term::UNPRICED.means), "nothing is without a price");
        assert!(not_told.contains(term::UNPRICED.means) && !not_told.contains("$0.0000"));
    });
}
