//! What services do in the field, from their event or answer to what a person sees: half-broken text, bills that go down, costs that
//! name no call, recordings that come late or are none, and models that answer in their own way.

use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};
use patchbay_access::Action;
use patchbay_access::server::{Machine, Scope};
use patchbay_connections::model::{ConnectionSettings, Mode, Provider};
use patchbay_connections::server::ops::{NewConnection, connect};
use patchbay_providers::Secret;
use patchbay_providers::signature::{TELNYX_SIGNATURE, TELNYX_TIMESTAMP, sign_telnyx, telnyx_public_key};
use patchbay_sandbox::{NoSound, OddAnswer, OddUsage, Quirks, SandboxSettings};
use patchbay_services::SandboxAddresses;
use patchbay_shared::ids::WorkspaceId;
use serde_json::{Value, json};
use uuid::Uuid;

use super::support::{Agency, WebhookSender, Works, World, owner_lines, owner_value, run, unique};

/// Answered for certain.
const ANSWERED: &str = "+12025550013";

fn text(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Micros, true)
}

/// A voice service's event about a call that began ten minutes ago and was answered.
fn event(name: &str, call: Uuid, more: &Value) -> Value {
    let at = |seconds: i64| text(Utc::now() - chrono::Duration::seconds(600 - seconds));
    let mut event = json!({"event": name, "call": {
        "callId": call, "created": at(0), "joined": at(5), "ended": at(305), "endReason": "hangup", "billedDuration": null,
        "billingStatus": "BILLING_STATUS_PENDING", "metadata": {}, "agentId": null,
        "medium": {"telnyx": {"outgoing": {"to": "+12025550170", "from": "+12025550171"}}},
    }});
    for (name, value) in more.as_object().into_iter().flatten() {
        event["call"][name] = value.clone();
    }
    event
}

fn bill(call: Uuid, status: &str, length: Value) -> Vec<u8> {
    let more = json!({"billingStatus": format!("BILLING_STATUS_{status}"), "billedDuration": length});
    event("call.billed", call, &more).to_string().into_bytes()
}

/// A call as its page has it, by the provider's id.
async fn call_of(world: &World, door: &WebhookSender, provider_id: Uuid) -> Value {
    let sql = format!(
        "select id::text from calls where workspace_id = '{}' and provider_call_id = '{provider_id}'",
        door.agency.workspace_id
    );
    let id: String = owner_value(world, &sql).await;
    door.agency.owner.done("get_call", &[("id", &id)]).await.json()
}

async fn told(door: &WebhookSender, world: &World, body: &[u8]) {
    assert!((200..300).contains(&door.deliver(body).await), "{}", String::from_utf8_lossy(body));
    door.settled(world).await;
}

fn quirks(world: &World, works: &Works, quirks: Quirks) {
    let settings = SandboxSettings { quirks, ..(*world.sandbox.settings()).clone() };
    world.sandbox.set_settings(Some(&works.key), settings);
}

/// Has one person called who answers. Gives the call.
async fn one_call(agency: &Agency, works: &Works) -> Value {
    let contact = format!("/contacts/{}", works.contact);
    agency.owner.filled(&contact, "suppress_contact", &[("reason", "Asked not to be called")]).await;
    agency.contact(ANSWERED).await;
    let batch = agency.batch(&works.campaign, 1).await;
    agency.finished(&batch).await;
    let calls = agency.owner.done("list_calls", &[("query[batch]", &batch)]).await.json();
    let id = calls["page"]["rows"][0]["id"].as_str().unwrap_or_else(|| panic!("a call: {calls}")).to_owned();
    agency.owner.done("get_call", &[("id", &id)]).await.json()
}

async fn again(agency: &Agency, call: &Value) -> Value {
    agency.owner.done("get_call", &[("id", call["id"].as_str().expect("an id"))]).await.json()
}

#[test]
fn half_broken_events_count_and_say_what_of_them_could_not_be_read() {
    run(|world| async move {
        let door = WebhookSender::new(world, "broken").await;
        let deep = format!("{}1{}", "[".repeat(5000), "]".repeat(5000));
        let long = format!("{:?}", "y".repeat(900_000));
        type Break<'a> = Box<dyn Fn(&str) -> Vec<u8> + 'a>;
        let put = |from: &'static str, to: &str| -> Break<'_> {
            let to = to.to_owned();
            Box::new(move |body| body.replace(from, &to).into_bytes())
        };
        let no_text: Break<'_> = Box::new(|body| {
            let at = body.find("HERE").expect("there");
            [&body.as_bytes()[..at], b"\xff", &body.as_bytes()[at..]].concat()
        });
        let bodies: Vec<(&str, Break<'_>, &str)> = vec![
            ("half an emoji", put("HERE", "\\ud83d"), "Agreed on Tuesday \u{fffd}"),
            ("a whole one", put("HERE", "\\ud83d\\ude00"), "Agreed on Tuesday \u{1f600}"),
            ("NUL", put("HERE", "\\u0000"), "Agreed on Tuesday \u{fffd}"),
            ("a bell", put("HERE", "\u{7}"), "Agreed on Tuesday \u{fffd}"),
            ("a mark at the beginning", put("{\"call\"", "\u{feff}{\"call\""), "Agreed on Tuesday HERE"),
            ("a byte that is no text", no_text, "Agreed on Tuesday \u{fffd}HERE"),
            ("nesting", put("\"x\"", &deep), "Agreed on Tuesday HERE"),
            ("a number too large", put("\"x\"", "1e999"), "Agreed on Tuesday HERE"),
            ("a megabyte", put("\"x\"", &long), "Agreed on Tuesday HERE"),
        ];
        let mut sent = Vec::new();
        for (what, broken, summary) in &bodies {
            let id = Uuid::new_v4();
            let body = broken(
                &event("call.ended", id, &json!({"summary": "Agreed on Tuesday HERE", "shortSummary": "x"}))
                    .to_string(),
            );
            told(&door, world, &body).await;
            let call = call_of(world, &door, id).await;
            assert_eq!(
                (call["state"].as_str(), call["summary"].as_str()),
                (Some("answered"), Some(*summary)),
                "{what}"
            );
            sent.push(body);
        }
        // Fields of another type, each alone: the call ends, and the event says what was left out.
        let odd = [
            ("created", json!("once")),
            ("joined", json!("just now")),
            ("ended", json!({"at": 7})),
            ("ended", Value::Null),
            ("endReason", json!(["hangup"])),
            ("billedDuration", json!("long")),
            ("metadata", json!("none")),
            ("agent", json!(7)),
            ("medium", json!([])),
            ("summary", json!({"text": "x"})),
            ("sipDetails", json!("none")),
            ("agentId", json!({})),
        ];
        for (name, value) in odd {
            let id = Uuid::new_v4();
            told(&door, world, event("call.ended", id, &json!({name: value})).to_string().as_bytes()).await;
            let call = call_of(world, &door, id).await;
            assert_eq!(
                (call["state"].as_str(), call["outcome"].as_str()),
                (Some("answered"), Some("answered")),
                "{name}: {call}"
            );
            let list = door
                .agency
                .owner
                .done("list_queue", &[("query[queue]", "webhooks"), ("query[status]", "all")])
                .await
                .json();
            let row = &list["page"]["rows"][0];
            assert_eq!(row["status"], "completed", "{name}: {row}");
            assert!(row["note"].as_str().is_some_and(|note| note.contains(name)), "{name} is named: {row}");
        }
        // An end that does not say that somebody joined: the event that does comes later.
        let id = Uuid::new_v4();
        told(&door, world, event("call.ended", id, &json!({"joined": null})).to_string().as_bytes()).await;
        assert_eq!(call_of(world, &door, id).await["outcome"], "no_answer");
        told(&door, world, event("call.joined", id, &json!({"ended": null})).to_string().as_bytes()).await;
        let call = call_of(world, &door, id).await;
        assert_eq!((call["outcome"].as_str(), call["state"].as_str()), (Some("answered"), Some("answered")), "{call}");
        assert!(!call["transcript_status"].is_null(), "its words are fetched: {call}");
        // The body is kept as it came, and shown.
        let kept: Vec<String> = owner_lines(
            world,
            &format!(
                "select encode(raw_body, 'hex') from webhook_queue where workspace_id = '{}' order by id limit 1",
                door.agency.workspace_id
            ),
        )
        .await;
        assert_eq!(hex::decode(&kept[0]).expect("hex"), sent[0]);
        let list = door
            .agency
            .owner
            .done("list_queue", &[("query[queue]", "webhooks"), ("query[status]", "all")])
            .await
            .json();
        assert_eq!(list["failed"], 0, "{list}");
    });
}

#[test]
fn whoever_answered_after_all_is_not_called_again() {
    run(|world| async move {
        let door = WebhookSender::new(world, "after-all").await;
        let agency = &door.agency;
        let fields = [
            ("mode", "sandbox"),
            ("api_key", door.account.as_str()),
            ("public_key", &world.sandbox.carrier_public_key(&door.account)),
        ];
        agency.owner.filled("/connections/telnyx", "save_connection", &fields).await;
        agency.background.add_account(&door.account);
        let prompt = [("name", "Caller"), ("template", "You call."), ("production", "true")];
        let prompt = agency.owner.made_on("/prompts/new", "save_prompt", &prompt).await;
        let (agent, number) = (agency.agent(&prompt).await, agency.number().await);
        let campaign = agency.campaign_with("Twice", &agent, &number, "2").await;
        agency.contact("+12025550002").await;
        let batch = agency.batch(&campaign, 1).await;
        agency.drain().await;
        let progress = || async { agency.owner.done("get_batch", &[("id", &batch)]).await.json() };
        let calls = || async {
            agency.owner.done("list_calls", &[("query[batch]", &batch)]).await.json()["page"]["rows"].clone()
        };
        let of_call = |what: &str| format!("select {what} from calls where workspace_id = '{}'", agency.workspace_id);
        let id: String = owner_value(world, &of_call("id::text")).await;
        let theirs: String = owner_value(world, &of_call("provider_call_id")).await;
        let theirs: Uuid = theirs.parse().expect("their id");
        let more = json!({"joined": null, "endReason": "unjoined", "metadata": {"patchbay_call": id}});
        told(&door, world, event("call.ended", theirs, &more).to_string().as_bytes()).await;
        let first = calls().await[0].clone();
        assert_eq!(first["outcome"], "no_answer", "{first}");
        assert_eq!(progress().await["status"], "processing", "a second try is due in an hour");
        // Then the news that somebody did comes late.
        let more = json!({"ended": null, "endReason": null, "metadata": {"patchbay_call": id}});
        told(&door, world, event("call.joined", theirs, &more).to_string().as_bytes()).await;
        let over = progress().await;
        assert_eq!(over["status"], "completed", "nobody is left to call: {over}");
        let after = calls().await;
        assert_eq!(after.as_array().map(Vec::len), Some(1), "the phone rang once: {after}");
        assert_eq!(after[0]["outcome"], "answered", "{after}");
        let members = agency.owner.get(&format!("/campaigns/{campaign}?tab=contacts&result=reached")).await;
        assert!(members.text.contains("Carla Contact"), "she counts as reached");
    });
}

#[test]
fn bills_go_down_in_whatever_order_they_are_told() {
    run(|world| async move {
        let door = WebhookSender::new(world, "refunds").await;
        let at_rest = |id: Uuid| {
            let door = &door;
            async move {
                let call = call_of(world, door, id).await;
                let cost =
                    |name: &str| call["costs"][name].as_str().map(|cost| cost.parse::<f64>().expect("an amount"));
                (cost("voice"), call["costs"]["billed_seconds"].as_i64())
            }
        };
        let ended = |id| event("call.ended", id, &json!({})).to_string().into_bytes();
        for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
            let id = Uuid::new_v4();
            let events = [ended(id), bill(id, "BILLED", json!("600s")), bill(id, "REFUNDED", json!("600s"))];
            for at in order.into_iter().chain(order) {
                told(&door, world, &events[at]).await;
            }
            assert_eq!(at_rest(id).await, (Some(0.0), Some(0)), "{order:?}");
        }
        // Of two bills the later one counts, down and up.
        let id = Uuid::new_v4();
        for (length, cost) in [("600s", 0.5), ("60s", 0.05), ("120s", 0.1)] {
            told(&door, world, &bill(id, "BILLED", json!(length))).await;
            assert_eq!(at_rest(id).await.0, Some(cost), "{length}");
        }
        for free in ["FREE_CONSOLE", "FREE_MINUTES", "FREE_SYSTEM_ERROR", "FREE_OTHER", "FREE_ZERO_EFFECTIVE_DURATION"]
        {
            let id = Uuid::new_v4();
            told(&door, world, &bill(id, free, json!("600s"))).await;
            assert_eq!(at_rest(id).await, (Some(0.0), Some(0)), "{free}");
        }
        // Nothing said is not nothing to pay.
        for (status, length) in [
            ("PENDING", json!("600s")),
            ("UNSPECIFIED", Value::Null),
            ("BILLED", Value::Null),
            ("DISPUTED", json!("60s")),
        ] {
            let id = Uuid::new_v4();
            told(&door, world, &bill(id, status, length)).await;
            assert_eq!(at_rest(id).await.1, None, "{status} is not priced yet");
        }
    });
}

#[test]
fn a_refund_goes_down_in_the_clients_month_too() {
    run(|world| async move {
        let (agency, works) = Agency::ready(world, "refund").await;
        let page = format!("/clients/{}/settings", agency.one.id);
        let fields = [("monthly_budget", "0.01"), ("budget_action", "warn")];
        agency.owner.filled(&page, "save_client", &fields).await;
        quirks(world, &works, Quirks { refund: true, ..Quirks::default() });
        let call = one_call(&agency, &works).await;
        assert_eq!(call["costs"]["voice"].as_str().map(|cost| cost.parse::<f64>()), Some(Ok(0.0)), "{call}");
        let both = format!(
            "select ((select spent from client_spend where client_id = '{0}') =
                     (select coalesce(sum(voice_cost + carrier_cost), 0) from calls where client_id = '{0}')
                     + (select coalesce(sum(cost), 0) from token_usage where client_id = '{0}'))",
            agency.one.id
        );
        assert!(owner_value::<bool>(world, &both).await, "the kept sum is the counted one");
    });
}

/// An agency with a carrier whose key the test has.
struct CarrierDoor {
    voice: WebhookSender,
    path: String,
}

impl CarrierDoor {
    const SEED: [u8; 32] = [7; 32];

    async fn new(world: &World, name: &str) -> Self {
        const TEST: Machine = Machine { name: "test", actions: &[Action::ManageConnections] };
        let voice = WebhookSender::new(world, name).await;
        let workspace: WorkspaceId = voice.agency.workspace_id.parse().expect("an id");
        let account = NewConnection {
            provider: Provider::Telnyx,
            mode: Mode::Sandbox,
            base_url: SandboxAddresses::at(&world.sandbox_base).telnyx,
            api_key: Secret::new(format!("sandbox-{}", unique(""))),
            webhook_secrets: Vec::new(),
            public_key: Some(telnyx_public_key(&Self::SEED)),
            settings: ConnectionSettings::default(),
        };
        let scope = Scope::of_operator(world.db.clone(), workspace, TEST);
        let id = connect(&scope, account).await.expect("a connection");
        Self { path: format!("{}/webhooks/telnyx/{workspace}/{id}", world.base), voice }
    }

    /// An event of the carrier. `at`: seconds since the beginning of `event`'s call.
    async fn told(&self, world: &World, kind: &str, at: i64, payload: Value) {
        let at = text(Utc::now() - chrono::Duration::seconds(600 - at));
        let body = json!({"data": {"record_type": "event", "event_type": kind, "id": Uuid::new_v4(), "occurred_at": at, "payload": payload}});
        let (body, stamp) = (body.to_string(), Utc::now().timestamp().to_string());
        let signature = sign_telnyx(&Self::SEED, &stamp, body.as_bytes());
        let request =
            self.voice.http.post(&self.path).header(TELNYX_TIMESTAMP, &stamp).header(TELNYX_SIGNATURE, signature);
        assert_eq!(request.body(body).send().await.expect("an answer").status(), 204);
        self.voice.settled(world).await;
    }

    async fn cost(&self, world: &World, at: i64, leg: &str, session: &str, total: Value) {
        let payload = json!({"call_control_id": format!("v3:{leg}"), "call_leg_id": leg, "call_session_id": session, "connection_id": "1",
            "client_state": null, "billing_group_id": null, "status": "success", "total_cost": total, "billed_duration_secs": 60,
            "cost_parts": [{"call_part": "sip-trunking", "cost": total, "rate": "0.0070", "currency": "USD", "billed_duration_secs": 60}]});
        self.told(world, "call.cost", at, payload).await;
    }

    async fn initiated(&self, world: &World, leg: &str, session: &str, to: &str) {
        let payload = json!({"call_control_id": format!("v3:{leg}"), "call_leg_id": leg, "call_session_id": session, "direction": "outgoing",
            "from": "+12025550171", "to": to, "client_state": null});
        self.told(world, "call.initiated", 1, payload).await;
    }
}

#[test]
fn a_cost_that_names_only_its_leg_finds_its_call() {
    run(|world| async move {
        let door = CarrierDoor::new(world, "legs").await;
        let carrier_cost = |id: Uuid| {
            let door = &door;
            async move {
                call_of(world, &door.voice, id).await["costs"]["carrier"]
                    .as_str()
                    .map(|cost| cost.parse::<f64>().expect("an amount"))
            }
        };
        // The first event of a leg has the numbers; its cost does not.
        let first = Uuid::new_v4();
        told(&door.voice, world, event("call.started", first, &json!({})).to_string().as_bytes()).await;
        door.initiated(world, "leg-a", "session-a", "+12025550170").await;
        assert_eq!(carrier_cost(first).await, None, "a price that is not told yet is no zero");
        door.cost(world, 310, "leg-a", "session-a", json!("0.0070")).await;
        assert_eq!(carrier_cost(first).await, Some(0.007));
        // Corrected later: down. Told again with an earlier time: no news.
        door.cost(world, 320, "leg-a", "session-a", json!(0.003)).await;
        door.cost(world, 315, "leg-a", "session-a", json!("0.5")).await;
        assert_eq!(carrier_cost(first).await, Some(0.003));
        // Another leg of the same session is the same call's: it was put through to somebody.
        door.initiated(world, "leg-b", "session-a", "+12025550199").await;
        door.cost(world, 330, "leg-b", "session-a", json!("0.0100")).await;
        assert_eq!(carrier_cost(first).await, Some(0.013));

        // A cost in another currency, an unknown one, or nonsense is no price.
        let payload = json!({"call_leg_id": "leg-b", "call_session_id": "session-a", "status": "success", "total_cost": "9",
            "cost_parts": [{"call_part": "sip-trunking", "cost": "9", "currency": "EUR"}]});
        door.told(world, "call.cost", 340, payload).await;
        door.told(world, "call.cost", 341, json!({"call_leg_id": "leg-b", "status": "error", "total_cost": "9"})).await;
        for odd in [json!("-1"), json!("free"), json!(1e12), Value::Null] {
            door.cost(world, 350, "leg-b", "session-a", odd).await;
        }
        assert_eq!(carrier_cost(first).await, Some(0.013));
    });
}

#[test]
fn a_cost_waits_for_a_call_that_is_not_known_yet() {
    run(|world| async move {
        let door = CarrierDoor::new(world, "early").await;
        // The cost first, then what says which call it is, then the call; and another session that is nobody's here.
        door.cost(world, 310, "leg-c", "session-c", json!("0.0070")).await;
        door.cost(world, 310, "leg-x", "session-x", json!("5")).await;
        let list = door
            .voice
            .agency
            .owner
            .done("list_queue", &[("query[queue]", "webhooks"), ("query[status]", "all")])
            .await
            .json();
        assert!(list["page"]["rows"][0]["note"].as_str().is_some_and(|note| note.contains("kept until")), "{list}");
        let id = Uuid::new_v4();
        told(&door.voice, world, event("call.started", id, &json!({})).to_string().as_bytes()).await;
        door.initiated(world, "leg-c", "session-c", "+12025550170").await;
        let costs = call_of(world, &door.voice, id).await["costs"].clone();
        assert_eq!(costs["carrier"].as_str().map(|cost| cost.parse::<f64>()), Some(Ok(0.007)), "{costs}");

        // The carrier has told everything, in any order, before the voice service says a word.
        let number = "+12025550188";
        door.cost(world, 310, "leg-d", "session-d", json!("0.0070")).await;
        door.initiated(world, "leg-d", "session-d", number).await;
        door.cost(world, 310, "leg-e", "session-d", json!("0.0010")).await;
        let id = Uuid::new_v4();
        let medium = json!({"telnyx": {"outgoing": {"to": number, "from": "+12025550171"}}});
        told(&door.voice, world, event("call.started", id, &json!({"medium": medium})).to_string().as_bytes()).await;
        let costs = call_of(world, &door.voice, id).await["costs"].clone();
        assert_eq!(costs["carrier"].as_str().map(|cost| cost.parse::<f64>()), Some(Ok(0.008)), "{costs}");
    });
}

#[test]
fn every_quirk_at_once_and_the_day_ends_well() {
    run(|world| async move {
        let (agency, works) = Agency::ready(world, "quirks").await;
        let all = Quirks {
            half_emoji: true,
            odd_fields: true,
            cost_first: true,
            recording_late: 3,
            odd_usage: Some(OddUsage::Nulls),
            strict_schemas: true,
            ..Quirks::default()
        };
        quirks(world, &works, all);
        let call = one_call(&agency, &works).await;
        assert_eq!(
            (call["transcript_status"].as_str(), call["analysis_status"].as_str()),
            (Some("completed"), Some("completed")),
            "{call}"
        );
        assert!(
            call["turns"][0]["text"].as_str().is_some_and(|text| text.starts_with('\u{fffd}')),
            "{}",
            call["turns"][0]
        );
        // The minute that was drained brought the recording's third question, and no page had to wait for it.
        agency.background.drain_for(Duration::from_secs(120)).await;
        let call = again(&agency, &call).await;
        assert!(
            !call["recording"].is_null() && call["awaits_recording"] == false,
            "the recording came in the end: {call}"
        );
        let usage = owner_lines(
            world,
            &format!("select concat_ws(' ', is_estimated::text, (cost is null)::text, (total_tokens > 0)::text) from token_usage where workspace_id = '{}'", agency.workspace_id),
        )
        .await;
        assert_eq!(usage, ["true true true"], "one answer, paid once, its tokens estimated and its price unknown");
        // An unknown price is no zero: not of the call, not of its day and not of its model.
        assert!(call["costs"]["model"].is_null(), "{call}");
        let page = agency.owner.get(&format!("/calls/{}", call["id"].as_str().expect("an id"))).await.text;
        let without = if call["costs"]["carrier"].is_null() { "without carrier and model" } else { "without model" };
        assert!(page.contains(without), "the total says what it leaves out: {page}");
        let page = agency.owner.get("/usage").await;
        assert!(
            page.status == 200 && page.text.contains("1 answer of a model is not priced yet"),
            "usage says what it leaves out: {}",
            page.text
        );
    });
}

#[test]
fn what_is_no_sound_is_no_recording_and_says_nothing_about_the_key() {
    run(|world| async move {
        let (agency, works) = Agency::ready(world, "nosound").await;
        quirks(world, &works, Quirks { recording_late: 1, ..Quirks::default() });
        let call = one_call(&agency, &works).await;
        for (what, no_sound) in [
            ("a page", NoSound::Page),
            ("a document", NoSound::Document),
            ("nothing", NoSound::Empty),
            ("an address that has expired", NoSound::Expired),
        ] {
            let reset = format!(
                "with c as (update calls set recording_key = null where workspace_id = '{}' returning 1) select count(*) from c",
                agency.workspace_id
            );
            assert_eq!(owner_value::<i64>(world, &reset).await, 1);
            quirks(world, &works, Quirks { no_sound: Some(no_sound), ..Quirks::default() });
            let id = call["id"].as_str().expect("an id");
            agency.owner.done("retry_enrichment", &[("id", id), ("kind", "transcript")]).await;
            agency.background.drain_for(Duration::ZERO).await;
            let seen = again(&agency, &call).await;
            assert!(seen["recording"].is_null() && seen["awaits_recording"] == true, "{what}: {seen}");
            assert_eq!(seen["transcript_status"], "completed", "{what} keeps no transcript waiting");
            let page = agency.owner.get(&format!("/calls/{id}")).await.text;
            assert!(page.contains("The recording is being fetched."), "{what}");
            agency.background.drain_for(Duration::from_secs(1200)).await;
            let seen = again(&agency, &call).await;
            assert!(
                seen["recording"].is_null() && seen["awaits_recording"] == false,
                "{what}, after a quarter of an hour: {seen}"
            );
            let connection = agency.owner.done("get_connection", &[("provider", "ultravox")]).await.json();
            assert!(connection["last_error"].is_null(), "{what}: {connection}");
        }
    });
}

#[test]
fn models_answer_in_their_own_way() {
    run(|world| async move {
        let (agency, works) = Agency::ready(world, "models").await;
        let call = one_call(&agency, &works).await;
        let id = call["id"].as_str().expect("an id");
        let paid = format!("select count(*) from token_usage where workspace_id = '{}'", agency.workspace_id);
        let usages = [OddUsage::Nulls, OddUsage::Absent, OddUsage::Texts]
            .map(|odd| Quirks { odd_usage: Some(odd), ..Quirks::default() });
        let answers = |odd| Quirks { odd_answer: Some(odd), ..Quirks::default() };
        // How the model answers, whether that is a result, how many answers are paid for, and what is said.
        let cases = usages.into_iter().map(|quirks| (quirks, true, 1, "")).chain([
            (answers(OddAnswer::Fenced), true, 1, ""),
            (answers(OddAnswer::Prose), true, 1, ""),
            (answers(OddAnswer::Parts), true, 1, ""),
            (answers(OddAnswer::CutOff), true, 2, ""),
            (answers(OddAnswer::Refused), false, 1, "The model refused"),
            (answers(OddAnswer::Tool), false, 3, "instead of answering"),
            (answers(OddAnswer::Empty), false, 3, "is empty"),
        ]);
        for (odd, is_result, answers, said) in cases {
            let what = format!("{odd:?}");
            let before: i64 = owner_value(world, &paid).await;
            quirks(world, &works, odd);
            agency.owner.done("retry_enrichment", &[("id", id), ("kind", "analysis")]).await;
            agency.background.drain_for(Duration::from_secs(600)).await;
            let seen = again(&agency, &call).await;
            assert_eq!(seen["analysis_status"], if is_result { "completed" } else { "failed" }, "{what}: {seen}");
            assert_eq!(owner_value::<i64>(world, &paid).await - before, answers, "{what}: answers paid for");
            assert!(seen["analysis_problem"]["error"].as_str().unwrap_or_default().contains(said), "{what}: {seen}");
        }
        let priced = format!(
            "select string_agg((cost is null)::text, ' ' order by id) from token_usage where workspace_id = '{}'",
            agency.workspace_id
        );
        let priced: String = owner_value(world, &priced).await;
        assert!(
            priced.starts_with("false true true false false"),
            "a price that was not said is not nothing: {priced}"
        );
    });
}

#[test]
fn a_call_that_nobody_answered_has_no_conversation() {
    run(|world| async move {
        let door = WebhookSender::new(world, "unanswered").await;
        let id = Uuid::new_v4();
        let more = json!({"joined": null, "endReason": "unjoined", "billedDuration": "0s", "billingStatus": "BILLING_STATUS_FREE_ZERO_EFFECTIVE_DURATION"});
        told(&door, world, event("call.ended", id, &more).to_string().as_bytes()).await;
        let call = call_of(world, &door, id).await;
        assert_eq!(call["outcome"], "no_answer");
        assert!(call["transcript_status"].is_null() && call["analysis_status"].is_null(), "{call}");
        let (owner, call) = (&door.agency.owner, call["id"].as_str().expect("an id"));
        let page = owner.get(&format!("/calls/{call}")).await.text;
        assert!(page.contains("No transcript") && page.contains("Nobody answered."), "{page}");
        let file = owner.get(&format!("/calls/{call}/transcript.txt")).await.text;
        assert!(file.contains("there was no conversation"), "{file}");
        for kind in ["transcript", "analysis"] {
            let refused = owner.rpc("retry_enrichment", &[("id", call), ("kind", kind)]).await;
            assert_eq!(refused.status, 409, "{kind}: {refused:?}");
        }
        let list = owner.done("list_calls", &[]).await.json();
        assert_eq!(list["page"]["rows"][0]["needs_help"], false, "{list}");
    });
}

#[test]
fn a_machine_that_the_carrier_hears_is_a_voicemail_without_any_model() {
    run(|world| async move {
        let door = CarrierDoor::new(world, "machine").await;
        let detected = async |leg: &str, result: &str| {
            let payload = json!({"call_control_id": format!("v3:{leg}"), "call_leg_id": leg, "call_session_id": format!("session-{leg}"),
                "connection_id": "1", "client_state": null, "result": result});
            door.told(world, "call.machine.detection.ended", 5, payload).await;
        };
        let id = Uuid::new_v4();
        told(&door.voice, world, event("call.started", id, &json!({})).to_string().as_bytes()).await;
        door.initiated(world, "leg-m", "session-leg-m", "+12025550170").await;
        // Before its end nothing is decided; after it, in whatever order.
        detected("leg-m", "machine").await;
        told(&door.voice, world, event("call.ended", id, &json!({})).to_string().as_bytes()).await;
        detected("leg-m", "not_sure").await;
        let call = call_of(world, &door.voice, id).await;
        assert_eq!((&call["outcome"], &call["state"]), (&json!("voicemail"), &json!("voicemail")), "{call}");
        detected("leg-m", "human_residence").await;
        assert_eq!(call_of(world, &door.voice, id).await["outcome"], "answered", "it has heard a person since");
        detected("leg-m", "machine").await;
        assert_eq!(call_of(world, &door.voice, id).await["outcome"], "voicemail");
    });
}
