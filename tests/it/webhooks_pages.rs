//! Pages of outgoing webhooks: endpoints are made and changed, deliveries are seen and sent again, and nobody else sees anything of them.

use super::support::{Agency, Answer, World, owner_lines, owner_value, run};

const NEW: &str = "/settings/webhooks/new";
const LISTS: &str = "get_webhooks";

/// An endpoint of the agency, and a delivery to it.
pub async fn kept(agency: &Agency) -> (String, String) {
    let endpoint = added(agency, &format!("{} policies", agency.secret)).await.0;
    let delivery = last_id(&agency.owner.done("send_test_event", &[("id", &endpoint)]).await);
    (endpoint, delivery)
}

/// An endpoint with the events that the form begins with: its id, and its secret.
async fn added(agency: &Agency, name: &str) -> (String, String) {
    let fields = [("name", name), ("url", "https://hooks.example.com/patchbay?key=1")];
    let answer = agency.owner.filled(NEW, "save_webhook_endpoint", &fields).await;
    assert_eq!(answer.location.as_deref().map(|place| place.ends_with("/settings/webhooks/made")), Some(true));
    let made = agency.owner.done("take_webhook_secret", &[]).await.json();
    assert_eq!(agency.owner.done("take_webhook_secret", &[]).await.text, "null", "shown once");
    let text = |name: &str| made[name].as_str().unwrap_or_else(|| panic!("{name}: {made}")).to_owned();
    (text("endpoint"), text("secret"))
}

/// The delivery that the answer leads to.
fn last_id(answer: &Answer) -> String {
    let place = answer.location.as_deref().unwrap_or_else(|| panic!("leads to a delivery: {answer:?}"));
    place.rsplit('/').next().unwrap_or_default().to_owned()
}

fn address(endpoint: &str) -> String {
    format!("/settings/webhooks/{endpoint}")
}

/// A line of the audit log about an endpoint.
async fn logged(world: &World, endpoint: &str, action: &str) -> i64 {
    let sql = format!("select count(*) from audit_events where entity_id = '{endpoint}' and action = '{action}'");
    owner_value(world, &sql).await
}

#[test]
fn an_endpoint_is_made_changed_paused_and_removed_and_its_secret_is_shown_once() {
    run(|world: &World| async move {
        let agency = Agency::new(world, "hookpages").await;
        let owner = &agency.owner;
        let text = owner.get("/settings/webhooks").await.text;
        assert!(text.contains("No endpoints yet") && text.contains(NEW), "{text}");

        // What is wrong is said at its field, with and without script, and what was typed stays.
        let refused = owner.rpc("save_webhook_endpoint", &[("name", " "), ("url", "ftp://x"), ("client", "x")]).await;
        for field in ["name", "url", "client", "events"] {
            assert!(refused.error_at(field).is_some(), "{field}: {refused:?}");
        }
        for url in ["https://10.0.0.8/x", "http://169.254.169.254/latest", "https://localhost/x", "https://a b.example"]
        {
            let refused = owner.fill(NEW, "save_webhook_endpoint", &[("name", "Inside"), ("url", url)]).await;
            assert!(refused.error_at("url").is_some(), "{url}: {refused:?}");
        }
        let typed = [
            ("id", ""),
            ("name", "Kept <b>words</b>"),
            ("url", "https://10.0.0.8/x"),
            ("events[]", "budget.near"),
            ("events[]", "call.started"),
        ];
        let back = owner.form(NEW, "/rpc/save_webhook_endpoint", &typed).await;
        let text = owner.get(back.location.as_deref().expect("back to the form")).await.text;
        assert!(
            text.contains("Kept &lt;b&gt;words&lt;/b&gt;") && text.contains("This address cannot be used"),
            "{text}"
        );
        let ticked = |word: &str| {
            let at = text.find(&format!("value=\"{word}\"")).unwrap_or_else(|| panic!("a box for {word}"));
            text[at..].split('>').next().is_some_and(|tag| tag.contains("checked"))
        };
        assert!(ticked("budget.near") && ticked("call.started") && !ticked("call.completed"), "{text}");

        // Made, with a name that could do harm.
        let name = "<script>alert(1)</script> & “policies”";
        let (id, secret) = added(&agency, name).await;
        assert!(secret.starts_with("whsec_"), "{secret}");
        let page = owner.get(&address(&id)).await;
        assert!(!page.text.contains("<script>alert") && page.text.contains("&lt;script&gt;alert(1)"), "{page:?}");
        assert!(page.text.contains("Nothing was sent yet") && page.text.contains("3 of 10 chosen"), "{}", page.text);

        // Changed; but what was kept of one client, or of all, never goes to another's system.
        let edit = format!("{}/edit", address(&id));
        assert!(owner.get(&edit).await.text.contains("An endpoint keeps its client"));
        let typed = ["id", "name", "url", "client", "events[0]"];
        let values = [id.as_str(), "Policies", "https://hooks.example.com/one", agency.one.id.as_str(), "call.failed"];
        let fields: Vec<(&str, &str)> = typed.into_iter().zip(values).collect();
        let refused = owner.rpc("save_webhook_endpoint", &fields).await;
        assert!(refused.error_at("client").is_some(), "{refused:?}");
        let fields = [("name", "Policies"), ("events[]", "call.failed")];
        owner.filled(&edit, "save_webhook_endpoint", &fields).await;
        let shown = owner.done(LISTS, &[("endpoint", &id)]).await.json();
        let row = &shown["chosen"]["row"];
        assert!(row["name"] == "Policies" && row["events"] == serde_json::json!(["call.failed"]), "{row}");
        assert!(row["client"].is_null(), "{row}");

        // Paused, and on again.
        let ids = [("id", id.as_str())];
        owner.filled(&address(&id), "switch_webhook_endpoint", &ids).await;
        let text = owner.get(&address(&id)).await.text;
        assert!(text.contains("Paused") && text.contains("Switch on"), "{text}");
        owner.filled(&address(&id), "switch_webhook_endpoint", &ids).await;
        assert!(owner.get(&address(&id)).await.text.contains(">Pause<"));

        // Another secret: both sign for a while, and the old one can be dropped.
        assert!(owner.rpc("rotate_webhook_secret", &[("id", &id), ("hours", "999")]).await.error_at("hours").is_some());
        owner.filled(&address(&id), "rotate_webhook_secret", &[("hours", "72")]).await;
        let text = owner.get("/settings/webhooks/made").await.text;
        assert!(text.contains("whsec_") && !text.contains(&secret), "{text}");
        assert!(owner.get("/settings/webhooks/made").await.text.contains("Nothing to show"));
        let text = owner.get(&address(&id)).await.text;
        assert!(text.contains("both sign until") && text.contains("The old secret signs since"), "{text}");
        owner.filled(&address(&id), "drop_old_webhook_secret", &ids).await;
        let text = owner.get(&address(&id)).await.text;
        assert!(!text.contains("both sign until") && !text.contains("whsec_"), "{text}");

        // Removed, and each step stands in the log, without a secret.
        owner.filled(&edit, "remove_webhook_endpoint", &ids).await;
        assert_eq!(owner.get(&address(&id)).await.status, 404);
        assert!(owner.get("/settings/webhooks").await.text.contains("No endpoints yet"));
        for action in ["created", "changed", "paused", "resumed", "rotated", "removed"] {
            assert_eq!(logged(world, &id, action).await, 1, "{action}");
        }
        let sql = format!("select row_to_json(l)::text from audit_events l where entity_id = '{id}'");
        let log = owner_lines(world, &sql).await.join("\n");
        assert!(!log.contains("whsec_") && !log.contains("example.com/patchbay"), "{log}");

        // Others have no way there, and are shown none.
        assert!(owner.get("/settings/profile").await.text.contains("href=\"/settings/webhooks\""));
        for (browser, status) in [(&agency.member, 403), (&agency.one.admin, 404), (&agency.one.viewer, 404)] {
            assert_eq!(browser.get("/settings/webhooks").await.status, status);
            assert_eq!(browser.rpc("send_test_event", &ids).await.status, status);
            assert!(!browser.get("/settings/profile").await.text.contains("href=\"/settings/webhooks\""));
        }
    });
}

/// Writes what became of a delivery, as a worker would have: a try that found nobody, and one that was answered.
async fn tried(world: &World, delivery: &str) {
    let sql = format!(
        r#"with d as (
             update webhook_deliveries set state = 'failed', tries = 2, tries_in_row = 2, next_try_at = null, last_status = 503,
               last_error = '=cmd()|it said <b>no</b>', last_ms = 2412, last_try_at = now()
             where id = '{delivery}' returning workspace_id, id),
           q as (delete from delivery_queue where id = '{delivery}'),
           a as (
             insert into webhook_attempts (workspace_id, delivery_id, number, at, request_headers, status, error, ms, remote, response_headers, response_body)
             select workspace_id, id, 1, now(), '[["webhook-id", "first"]]'::jsonb, null::int, 'No answer in 20 seconds.', 20000, null, null::jsonb, null from d
             union all
             select workspace_id, id, 2, now(), '[["webhook-id", "second"], ["webhook-signature", "v1,abc="]]'::jsonb, 503, 'It answered with 503.', 612,
                    '203.0.113.24', '[["retry-after", "900"], ["x-bad", "</pre><script>alert(2)</script>"]]'::jsonb, '<h1>Back soon</h1>' from d)
           select 'done'"#
    );
    assert_eq!(owner_lines(world, &sql).await, ["done"]);
}

/// Adds deliveries of one event each, a minute apart, the newest of them an hour ago.
async fn many(world: &World, endpoint: &str, count: i64) {
    let sql = format!(
        "with e as (select workspace_id, id from webhook_endpoints where id = '{endpoint}'),
              n as (select gen_random_uuid() as event, gen_random_uuid() as delivery, now() - interval '1 hour' - i * interval '1 minute' as at, i
                    from generate_series(0, {count} - 1) i),
              v as (insert into webhook_events (workspace_id, id, type, subject, subject_id, body, occurred_at, given_out_at)
                    select e.workspace_id, n.event, 'call.completed', 'call', n.event, '{{\"type\":\"call.completed\",\"data\":{{}}}}', n.at, now() from e, n)
         insert into webhook_deliveries (workspace_id, id, endpoint_id, event_id, event_type, occurred_at, state, tries, last_status, last_ms)
         select e.workspace_id, n.delivery, e.id, n.event, 'call.completed', n.at, case when n.i % 2 = 0 then 'delivered' else 'failed' end, 1, 200, 96
         from e, n returning 'done'"
    );
    let rows = owner_lines(world, &sql).await;
    assert_eq!(rows.len() as i64, count);
}

fn rows(answer: &Answer) -> Vec<serde_json::Value> {
    answer.json()["list"]["rows"].as_array().cloned().unwrap_or_default()
}

#[test]
fn a_delivery_shows_what_was_sent_and_what_came_back_and_is_sent_again() {
    run(|world: &World| async move {
        let agency = Agency::new(world, "hookdeliveries").await;
        let owner = &agency.owner;
        let (endpoint, _) = added(&agency, "Policies").await;
        let delivery = last_id(&owner.filled(&address(&endpoint), "send_test_event", &[("id", &endpoint)]).await);
        let page = format!("{}/deliveries/{delivery}", address(&endpoint));
        let text = owner.get(&page).await.text;
        assert!(text.contains("It was not tried yet") && text.contains("This is a test of the endpoint"), "{text}");

        // Both tries, each with what was sent and what came back, as text whatever it is.
        tried(world, &delivery).await;
        let text = owner.get(&page).await.text;
        for words in
            ["503, given up", "second", "retry-after", "612 ms from 203.0.113.24", "&lt;h1&gt;Back soon", "Try 1"]
        {
            assert!(text.contains(words), "{words}: {text}");
        }
        assert!(!text.contains("<script>alert(2)") && !text.contains("<h1>Back"), "{text}");
        let text = owner.get(&format!("{page}?attempt=1")).await.text;
        assert!(
            text.contains("No answer after 20.0 s") && text.contains("first") && !text.contains("Back soon"),
            "{text}"
        );
        assert!(owner.get(&format!("{page}?attempt=99")).await.text.contains("Back soon"), "the last one");

        // The file has no formulas, and the same filters.
        let file = format!("{}/deliveries.csv", address(&endpoint));
        let csv = owner.get(&file).await.text;
        assert!(csv.contains("'=cmd()|it said <b>no</b>") && csv.lines().count() == 2, "{csv}");
        assert_eq!(owner.get(&format!("{file}?state=delivered")).await.text.lines().count(), 1);

        // Replayed: it waits again, under the same id.
        let fields = [("endpoint", endpoint.as_str()), ("deliveries[]", delivery.as_str())];
        let answer = owner.filled(&page, "replay_deliveries", &fields).await;
        assert!(answer.location.as_deref().is_some_and(|place| place.ends_with(&page)), "{answer:?}");
        let found = rows(&owner.done(LISTS, &[("endpoint", &endpoint)]).await);
        assert!(found[0]["state"] == "waiting" && found[0]["replayed"] == true && found[0]["tries"] == 2, "{found:?}");
        assert_eq!(logged(world, &endpoint, "replayed deliveries of").await, 1);
        // What waits for a later try is due now.
        let later = format!(
            "with q as (update delivery_queue set next_try_at = now() + interval '2 hours' where id = '{delivery}')
             update webhook_deliveries set next_try_at = now() + interval '2 hours', tries_in_row = 3 where id = '{delivery}' returning 'done'"
        );
        assert_eq!(owner_lines(world, &later).await, ["done"]);
        owner.done("replay_deliveries", &fields).await;
        let due = format!(
            "select count(*) from delivery_queue q join webhook_deliveries d on d.id = q.id
             where q.id = '{delivery}' and q.next_try_at <= now() and d.next_try_at <= now() and d.tries_in_row = 0"
        );
        assert_eq!(owner_value::<i64>(world, &due).await, 1);

        // Pages of a long list, in both directions, and filters.
        many(world, &endpoint, 60).await;
        let asked = |more: &[(&'static str, String)]| {
            let mut fields = vec![("endpoint", endpoint.clone())];
            fields.extend(more.iter().cloned());
            async move {
                let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
                owner.done(LISTS, &fields).await
            }
        };
        for (sort, total) in [("-at", 61), ("at", 61)] {
            let (mut seen, mut cursor) = (Vec::new(), String::new());
            loop {
                let more = [("query[list][sort]", sort.to_owned()), ("query[list][cursor]", cursor.clone())];
                let answer = asked(&more).await;
                seen.extend(rows(&answer).iter().map(|row| row["at"]["utc"].as_str().unwrap_or_default().to_owned()));
                match answer.json()["list"]["older"].as_str() {
                    Some(next) => cursor = next.to_owned(),
                    None => break,
                }
            }
            let mut sorted = seen.clone();
            sorted.sort();
            if sort == "-at" {
                sorted.reverse();
            }
            assert!(seen.len() == total && seen == sorted, "{sort}: {seen:?}");
        }
        for (key, value, count) in
            [("state", "waiting", 1), ("event", "test", 1), ("when", "7d", 25), ("cursor", "x", 25)]
        {
            let found =
                rows(&asked(&[(Box::leak(format!("query[list][{key}]").into_boxed_str()), value.to_owned())]).await);
            assert_eq!(found.len(), count, "{key} {value}");
        }
        let narrowed = owner.get(&format!("{}?state=held&event=budget.near", address(&endpoint))).await.text;
        assert!(narrowed.contains("No deliveries match"), "{narrowed}");

        // A range: what would be sent is counted first, and then that is sent.
        let shown = asked(&[]).await.json();
        assert_eq!(shown["range"]["count"], 30, "{}", shown["range"]);
        let all = asked(&[("query[range_of]", "all".to_owned())]).await.json();
        assert_eq!(all["range"]["count"], 60, "{}", all["range"]);
        let turned =
            [("query[range_from]", "2026-01-02T00:00".to_owned()), ("query[range_to]", "2026-01-01T00:00".to_owned())];
        assert!(asked(&turned).await.json()["range"]["wrong"].is_string());
        let wrong = [("endpoint", endpoint.as_str()), ("from", "yesterday"), ("to", "2026-01-01T00:00")];
        assert!(owner.rpc("replay_delivery_range", &wrong).await.error_at("from").is_some());
        owner.filled(&address(&endpoint), "replay_delivery_range", &[("endpoint", &endpoint)]).await;
        let waiting =
            format!("select count(*) from webhook_deliveries where endpoint_id = '{endpoint}' and state = 'waiting'");
        assert_eq!(owner_value::<i64>(world, &waiting).await, 31);

        // Chosen by hand; none chosen says so; another agency's are not there.
        let none = owner.rpc("replay_deliveries", &[("endpoint", &endpoint)]).await;
        assert_eq!(none.status, 422, "{none:?}");
        let other = Agency::new(world, "hookother").await;
        let (theirs, _) = kept(&other).await;
        for fields in [[("endpoint", theirs.as_str()), ("deliveries[]", delivery.as_str())], fields] {
            let answer = other.owner.rpc("replay_deliveries", &fields).await;
            let replayed = answer.status == 200 && fields[0].1 == theirs;
            assert!(replayed || answer.status == 404, "{answer:?}");
        }
        assert_eq!(other.owner.get(&page).await.status, 404);
        assert_eq!(other.owner.get(&file).await.status, 404);
        let back = [fields[0], fields[1], ("back", "https://elsewhere.example/settings/webhooks")];
        let answer = owner.done("replay_deliveries", &back).await;
        assert!(answer.location.as_deref().is_some_and(|place| place.ends_with(&address(&endpoint))), "{answer:?}");
    });
}

#[test]
fn an_endpoint_that_is_off_says_why_and_how_much_is_kept() {
    run(|world: &World| async move {
        let agency = Agency::new(world, "hookoff").await;
        let owner = &agency.owner;
        let (endpoint, _) = added(&agency, "Coach app").await;
        many(world, &endpoint, 4).await;
        let off = format!(
            "with d as (update webhook_deliveries set state = 'held' where endpoint_id = '{endpoint}' and state = 'failed')
             update webhook_endpoints set status = 'error', off_at = now(), off_reason = 'Every try since then ended with “<i>certificate</i>”.'
             where id = '{endpoint}' returning 'done'"
        );
        assert_eq!(owner_lines(world, &off).await, ["done"]);
        let text = owner.get("/settings/webhooks").await.text;
        for words in
            ["Coach app is off", "&lt;i&gt;certificate", "2 events are kept", "Switch on and replay 2", "Without these"]
        {
            assert!(text.contains(words), "{words}: {text}");
        }
        let refused = owner
            .rpc(
                "replay_delivery_range",
                &[("endpoint", &endpoint), ("from", "2026-01-01T00:00"), ("to", "2999-01-01T00:00")],
            )
            .await;
        assert_eq!(refused.status, 409, "{refused:?}");
        owner.filled("/settings/webhooks", "switch_webhook_endpoint", &[("id", &endpoint), ("replay", "true")]).await;
        let row = owner.done(LISTS, &[]).await.json()["endpoints"][0].clone();
        assert!(row["status"] == "active" && row["held"] == 0, "{row}");
        assert_eq!(logged(world, &endpoint, "resumed").await, 1);
    });
}

#[test]
fn the_page_and_the_document_say_the_same_about_verifying() {
    run(|world: &World| async move {
        let agency = Agency::new(world, "hookverify").await;
        let text = agency.owner.get("/settings/webhooks/verify").await.text;
        let document =
            std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/WEBHOOKS.md")).expect("the document");
        let samples: Vec<&str> =
            text.split("<pre").skip(1).filter_map(|rest| rest.split_once('>')?.1.split("</pre>").next()).collect();
        assert_eq!(samples.len(), 6, "{text}");
        for sample in samples {
            let sample = sample
                .replace("<!>", "")
                .replace("&lt;", "<")
                .replace("&gt;", ">")
                .replace("&quot;", "\"")
                .replace("&amp;", "&");
            assert!(document.contains(sample.trim()), "{sample}");
        }
    });
}
