//! What providers deliver, and what pretends to come from them.

use chrono::{DateTime, Duration, SecondsFormat, Utc};
use patchbay_providers::signature::{ULTRAVOX_SIGNATURE, ULTRAVOX_TIMESTAMP, sign_ultravox};
use serde_json::{Value, json};
use uuid::Uuid;

use super::support::{WebhookSender, owner_lines, owner_value, run};

fn text(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Micros, true)
}

fn now() -> String {
    text(Utc::now())
}

/// The four events of a short answered call, as the voice service sends them: each with the whole call as it was then.
fn short_call(id: Uuid, from: DateTime<Utc>) -> Vec<Vec<u8>> {
    let at = |seconds: i64| text(from + Duration::seconds(seconds));
    let mut call = json!({
        "callId": id, "created": at(0), "joined": null, "ended": null, "endReason": null, "billedDuration": null,
        "billingStatus": "BILLING_STATUS_PENDING", "metadata": {}, "agentId": null, "summary": null,
        "medium": {"telnyx": {"outgoing": {"to": "+12025550170", "from": "+12025550171"}}},
    });
    let mut events = vec![json!({"event": "call.started", "call": call})];
    call["joined"] = json!(at(5));
    events.push(json!({"event": "call.joined", "call": call}));
    call["ended"] = json!(at(47));
    call["endReason"] = json!("hangup");
    call["summary"] = json!("A short talk.");
    events.push(json!({"event": "call.ended", "call": call}));
    call["billedDuration"] = json!("42s");
    call["billingStatus"] = json!("BILLING_STATUS_BILLED");
    events.push(json!({"event": "call.billed", "call": call}));
    events.into_iter().map(|event| event.to_string().into_bytes()).collect()
}

/// All orders of these numbers.
fn orders(all: &[usize]) -> Vec<Vec<usize>> {
    if all.is_empty() {
        return vec![Vec::new()];
    }
    let with = |first: usize| {
        let rest: Vec<usize> = all.iter().copied().filter(|one| *one != first).collect();
        orders(&rest).into_iter().map(move |mut order| {
            order.insert(0, first);
            order
        })
    };
    all.iter().flat_map(|first| with(*first)).collect()
}

#[test]
fn whoever_cannot_sign_stores_nothing() {
    run(|world| async move {
        let (door, other) = (WebhookSender::new(world, "forged").await, WebhookSender::new(world, "elsewhere").await);
        let body = short_call(Uuid::new_v4(), Utc::now()).remove(0);
        let stamp = now();
        let right = sign_ultravox(&door.secret, &stamp, &body);
        let old = text(Utc::now() - Duration::seconds(360));
        let ahead = text(Utc::now() + Duration::seconds(360));
        let longer = [body.as_slice(), b" "].concat();
        let shorter = &body[..body.len() - 1];
        let foreign = sign_ultravox(&other.secret, &stamp, &body);
        let empty = sign_ultravox("", &stamp, &body);
        let signed = |stamp: &str| sign_ultravox(&door.secret, stamp, &body);
        type Case<'a> = (&'a str, &'a [u8], Option<&'a str>, Option<String>);
        let cases: Vec<Case<'_>> = vec![
            ("no headers", &body, None, None),
            ("no signature", &body, Some(&stamp), None),
            ("no time", &body, None, Some(right.clone())),
            ("an empty signature", &body, Some(&stamp), Some(String::new())),
            ("not hexadecimal", &body, Some(&stamp), Some("zz".repeat(32))),
            ("half of it", &body, Some(&stamp), Some(right[..32].to_owned())),
            ("another agency's secret", &body, Some(&stamp), Some(foreign)),
            ("an empty secret", &body, Some(&stamp), Some(empty)),
            ("six minutes old", &body, Some(&old), Some(signed(&old))),
            ("six minutes ahead", &body, Some(&ahead), Some(signed(&ahead))),
            ("another time than was signed", &body, Some(&old), Some(right.clone())),
            ("no time at all", &body, Some("yesterday"), Some(signed("yesterday"))),
            ("a byte more", &longer, Some(&stamp), Some(right.clone())),
            ("a byte less", shorter, Some(&stamp), Some(right.clone())),
        ];
        for (what, body, stamp, signature) in cases {
            assert_eq!(door.send(&door.path, body, stamp, signature.as_deref()).await, 401, "{what}");
        }
        // The right signature at the wrong door: a connection that is not there, another agency's, another service's.
        let nowhere = door.path.rsplit_once('/').map(|(rest, _)| format!("{rest}/{}", Uuid::now_v7())).expect("a path");
        for path in [
            &nowhere,
            &other.path,
            &door.path.replace("/ultravox/", "/telnyx/"),
            &door.path.replace("/ultravox/", "/nobody/"),
        ] {
            assert_eq!(door.send(path, &body, Some(&stamp), Some(&right)).await, 401, "{path}");
        }
        assert_eq!(
            door.send(&format!("{}x", door.path), &body, Some(&stamp), Some(&right)).await,
            401,
            "an id that is none"
        );
        assert_eq!((door.stored(world).await, other.stored(world).await), (0, 0));
        // A session is no signature.
        let request =
            door.agency.owner.raw(reqwest::Method::POST, door.path.strip_prefix(&world.base).expect("a path"));
        assert_eq!(request.body(body.clone()).send().await.expect("an answer").status(), 401);
        // And the real one: several signatures in one header, ours among them.
        let several = format!("{}, {right}", "0".repeat(64));
        assert!((200..300).contains(&door.send(&door.path, &body, Some(&stamp), Some(&several)).await));
        assert_eq!(door.stored(world).await, 1);
    });
}

#[test]
fn an_event_counts_once_however_often_it_comes() {
    run(|world| async move {
        let door = WebhookSender::new(world, "doubled").await;
        let body = short_call(Uuid::new_v4(), Utc::now() - Duration::minutes(2)).remove(2);
        let all = futures::future::join_all((0..20).map(|_| door.deliver(&body))).await;
        assert!(all.iter().all(|status| (200..300).contains(status)), "{all:?}");
        assert_eq!(door.stored(world).await, 1);
        door.settled(world).await;
        assert!((200..300).contains(&door.deliver(&body).await), "and after it was processed");
        assert_eq!(door.stored(world).await, 1);
        let calls = door.agency.owner.done("list_calls", &[]).await.json();
        assert_eq!(calls["page"]["rows"].as_array().map(Vec::len), Some(1), "{calls}");
    });
}

#[test]
fn every_order_of_a_calls_events_ends_in_the_same_row() {
    run(|world| async move {
        let door = WebhookSender::new(world, "orders").await;
        let from = Utc::now() - Duration::minutes(10);
        let orders = orders(&[0, 1, 2, 3]);
        assert_eq!(orders.len(), 24);
        for order in &orders {
            let events = short_call(Uuid::new_v4(), from);
            for at in order {
                assert!((200..300).contains(&door.deliver(&events[*at]).await));
                // In this order they must be processed as well.
                door.settled(world).await;
            }
            // The last two again, the wrong way round.
            for at in order.iter().rev().take(2) {
                assert!((200..300).contains(&door.deliver(&events[*at]).await));
            }
        }
        // And all at once, twenty times, each doubled.
        for _ in 0..20 {
            let events = short_call(Uuid::new_v4(), from);
            let all = futures::future::join_all(events.iter().chain(&events).map(|event| door.deliver(event))).await;
            assert!(all.iter().all(|status| (200..300).contains(status)), "{all:?}");
        }
        door.settled(world).await;
        let rows = owner_lines(
            world,
            &format!(
                "select (to_jsonb(c) - array['id', 'run_id', 'provider_call_id', 'created_at', 'updated_at', 'transcript_status', 'analysis_status', 'error', 'billed_at',
                          'recording_key', 'recording_peaks', 'sentiment', 'goal_reached'])::text
                   || (select count(*) from call_events e where e.workspace_id = c.workspace_id and e.call_id = c.id)
                 from calls c where workspace_id = '{}'",
                door.agency.workspace_id
            ),
        )
        .await;
        assert_eq!(rows.len(), 44);
        let mut kinds = rows.clone();
        kinds.sort();
        kinds.dedup();
        assert_eq!(kinds.len(), 1, "{kinds:#?}");
        let row: Value = serde_json::from_str(kinds[0].trim_end_matches('4')).expect("a row");
        assert!(kinds[0].ends_with('4'), "each event is kept once: {}", kinds[0]);
        assert_eq!(
            (row["duration"].as_i64(), row["billed_seconds"].as_i64(), row["outcome"].as_str()),
            (Some(42), Some(42), Some("answered"))
        );
        assert_eq!(row["direction"], "outbound", "{row}");
        assert!(
            row["voice_cost"].as_f64().is_some_and(|cost| (cost - 0.035).abs() < 1e-9),
            "42 seconds at 5 cents a minute: {row}"
        );
    });
}

#[test]
fn what_cannot_be_read_is_kept_fails_and_can_be_replayed() {
    run(|world| async move {
        let door = WebhookSender::new(world, "poison").await;
        let deep = format!("{{\"event\":\"call.ended\",\"call\":{}{}}}", "[".repeat(10_000), "]".repeat(10_000));
        let nul = "{\"event\":\"call.ended\",\"call\":{\"callId\":\"a\\u0000b\",\"created\":\"2026-11-20T10:00:00Z\"}}";
        let poison: Vec<(&str, Vec<u8>)> = vec![
            ("nothing", Vec::new()),
            ("no JSON", b"hello".to_vec()),
            ("half of it", short_call(Uuid::new_v4(), Utc::now())[0][..80].to_vec()),
            ("bad UTF-8", b"{\"event\":\"call.ended\xff\xfe\",\"call\":{}}".to_vec()),
            ("NUL bytes", b"\0\0\0\0".to_vec()),
            ("deep nesting", deep.into_bytes()),
            ("wrong types", b"{\"event\":7,\"call\":\"x\"}".to_vec()),
            ("no call", b"{\"event\":\"call.ended\"}".to_vec()),
            ("null", b"null".to_vec()),
        ];
        for (what, body) in &poison {
            let status = door.deliver(body).await;
            assert!((200..300).contains(&status), "{what}: {status}; a provider that is refused sends it for ever");
        }
        assert_eq!(door.stored(world).await, poison.len() as i64);
        // Names with NUL have no place in the database; whatever becomes of this one, it must not block the others.
        assert!((200..300).contains(&door.deliver(nul.as_bytes()).await));
        let good = short_call(Uuid::new_v4(), Utc::now() - Duration::minutes(5));
        assert!((200..300).contains(&door.deliver(&good[2]).await));
        door.agency.drain().await;
        let calls = door.agency.owner.done("list_calls", &[]).await.json();
        let rows = calls["page"]["rows"].as_array().expect("rows");
        assert!(rows.iter().any(|row| row["number"] == "+12025550170"), "the good one is through: {calls}");
        let failed = |list: Value| list["failed"].as_i64().unwrap_or_default();
        let list = door
            .agency
            .owner
            .done("list_queue", &[("query[queue]", "webhooks"), ("query[status]", "all")])
            .await
            .json();
        assert!(failed(list.clone()) >= poison.len() as i64, "the poison has failed: {list}");
        let list = door
            .agency
            .owner
            .done("list_queue", &[("query[queue]", "webhooks"), ("query[status]", "failed")])
            .await
            .json();
        let row = &list["page"]["rows"][0];
        assert!(row["note"].as_str().is_some_and(|error| error.len() > 10), "the reason is shown: {row}");
        // The event is kept as it came, without what proves the sender; a page shows it.
        let id = row["id"].as_str().expect("an id");
        let view = door.agency.member.done("get_webhook", &[("id", id)]).await;
        assert!(!view.text.contains(&door.secret), "{view:?}");
        let page = door.agency.owner.get(&format!("/webhooks/inbound/{id}")).await;
        assert_eq!(page.status, 200);
        // Replay: it is tried again, and fails again, because nothing has changed.
        let attempts = row["attempts"].as_i64().expect("a number");
        assert_eq!(door.agency.member.rpc("replay_webhook", &[("id", id)]).await.status, 403);
        door.agency.owner.filled(&format!("/webhooks/inbound/{id}"), "replay_webhook", &[]).await;
        door.agency.drain().await;
        let again = door.agency.owner.done("get_webhook", &[("id", id)]).await.json();
        assert!(again["status"] == "failed" && again["attempts"].as_i64() >= Some(attempts), "tried again: {again}");
        // All of them at once, from the list of stuck work, where the old address leads.
        let old = door.agency.owner.get("/webhooks/inbound").await;
        assert_eq!(old.status, 308, "{old:?}");
        let page = "/queues?queue=webhooks";
        assert_eq!(door.agency.member.rpc("retry_failed_work", &[("queue", "webhooks")]).await.status, 403);
        door.agency.owner.filled(&format!("{page}&dialog=retry"), "retry_failed_work", &[]).await;
        let list = door.agency.owner.done("list_queue", &[("query[queue]", "webhooks")]).await.json();
        assert_eq!(list["failed"], 0, "they wait again: {list}");
        door.settled(world).await;
        // One is set aside: it is stuck no more, and stays as it came.
        door.agency.owner.done("discard_work", &[("source", "webhook"), ("id", id)]).await;
        let aside = door.agency.owner.done("get_webhook", &[("id", id)]).await.json();
        assert!(
            aside["status"] == "completed" && aside["note"].as_str().is_some_and(|note| note.starts_with("Set aside")),
            "{aside}"
        );
        assert_eq!(door.agency.owner.rpc("discard_work", &[("source", "webhook"), ("id", id)]).await.status, 409);
        let file = door.agency.owner.get("/queues.csv?queue=webhooks").await;
        assert!(file.status == 200 && file.text.contains("Inbound webhooks"), "{file:?}");
        assert!(
            !file.text.contains(&door.secret) && !file.text.contains("call.ended\u{fffd}"),
            "bodies are in no file"
        );
    });
}

#[test]
fn a_body_that_is_too_large_is_refused_before_it_is_read() {
    run(|world| async move {
        let door = WebhookSender::new(world, "large").await;
        let large = vec![b' '; 3 * 1024 * 1024];
        let stamp = now();
        let signature = sign_ultravox(&door.secret, &stamp, &large);
        let request =
            door.http.post(&door.path).header(ULTRAVOX_TIMESTAMP, &stamp).header(ULTRAVOX_SIGNATURE, &signature);
        // The server may hang up while the rest is still on its way: also an answer.
        if let Ok(answer) = request.body(large).send().await {
            assert_eq!(answer.status(), 413);
        }
        assert_eq!(door.stored(world).await, 0);
        // Just below the limit it is taken, read, and fails as what it is.
        assert!((200..300).contains(&door.deliver(&vec![b' '; 1024 * 1024 - 1]).await));
    });
}

#[test]
fn providers_reach_nothing_but_their_door() {
    run(|world| async move {
        let door = WebhookSender::new(world, "onlydoor").await;
        for method in [reqwest::Method::GET, reqwest::Method::PUT, reqwest::Method::DELETE] {
            let answer = door.http.request(method.clone(), &door.path).send().await.expect("an answer");
            assert_eq!(answer.status(), 405, "{method}");
        }
        // The secret is never shown again, to nobody.
        let seen = door.agency.owner.done("get_connection", &[("provider", "ultravox")]).await;
        assert!(!seen.text.contains(&door.secret) && !seen.text.contains("sandbox-"), "{seen:?}");
        let page = door.agency.owner.get("/connections/ultravox").await;
        assert!(!page.text.contains(&door.secret), "the page shows the secret");
        let kept: i64 = owner_value(
            world,
            &format!(
                "select count(*) from provider_connections where provider_connections::text like '%{}%'",
                door.secret
            ),
        )
        .await;
        assert_eq!(kept, 0, "the secret stands in the table as it is");
    });
}
