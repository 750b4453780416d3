//! Numbers that people call: where the carrier sends the calls, who answers, and what becomes of calls that nobody answers. The carrier is
//! the sandbox's: it asks as the real one does, with signed forms, and does what the XML says.

use chrono::{Datelike, Duration, Utc};
use patchbay_numbers::model::AnswerHours;
use patchbay_providers::signature::{TELNYX_SIGNATURE, TELNYX_TIMESTAMP, sign_telnyx};
use patchbay_sandbox::{FaultRates, Rang, Ring, SandboxSettings};
use patchbay_shared::window::CallingWindow;
use serde_json::{Value, json};

use super::support::agency::{PASSWORD, Works};
use super::support::{Agency, Answer, Browser, World, owner_value, run, unique};

/// The contact of `Agency::ready`.
pub(super) const CONTACT: &str = "+12025550113";

/// An agency with a number that people call, which its agent answers.
pub(super) async fn called(world: &World, name: &str, answering: &[(&str, &str)]) -> (Agency, Works, String) {
    let (agency, works) = Agency::ready(world, name).await;
    assign(&agency, &works, answering).await;
    let number = shown(&agency, &works).await;
    assert!(number["route"]["since"].is_object(), "the carrier sends its calls here: {number}");
    let phone = number["row"]["number"].as_str().expect("a number").to_owned();
    (agency, works, phone)
}

pub(super) async fn assign(agency: &Agency, works: &Works, more: &[(&str, &str)]) {
    let fields = [("client_id", agency.one.id.as_str()), ("agent_id", works.agent.as_str()), ("direction", "inbound")];
    let fields: Vec<_> = fields.into_iter().filter(|(name, _)| more.iter().all(|(other, _)| name != other)).collect();
    let id = [("id", works.number.as_str())];
    let fields = [fields.as_slice(), more, id.as_slice()].concat();
    agency.owner.done("assign_number", &fields).await;
    agency.drain().await;
}

pub(super) async fn shown(agency: &Agency, works: &Works) -> Value {
    agency.owner.done("get_number", &[("id", &works.number)]).await.json()
}

pub(super) async fn ring(world: &World, works: &Works, to: &str, from: &str) -> Rang {
    let ring = Ring { to: to.to_owned(), from: from.to_owned(), key: Some(works.key.clone()), ..Ring::default() };
    world.sandbox.ring_number(ring).await
}

pub(super) async fn calls(agency: &Agency, view: &str) -> Vec<Value> {
    let list = agency.owner.done("list_calls", &[("query[view]", view), ("query[direction]", "inbound")]).await.json();
    list["page"]["rows"].as_array().expect("rows").clone()
}

async fn the_call(agency: &Agency) -> Value {
    let rows = calls(agency, "all").await;
    assert_eq!(rows.len(), 1, "{rows:?}");
    agency.owner.done("get_call", &[("id", rows[0]["id"].as_str().expect("an id"))]).await.json()
}

/// Calls that were asked of the voice service for people on the carrier's line.
fn asked(world: &World, works: &Works) -> usize {
    world.sandbox.call_log(Some(&works.key)).into_iter().filter(|entry| entry.to.is_none()).count()
}

/// Hours that are over today, all day.
fn closed_hours() -> Vec<(&'static str, &'static str)> {
    let days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
    let later = (Utc::now() + Duration::days(3)).weekday().num_days_from_monday() as usize;
    let mut fields = vec![("when", "hours"), ("zone", "UTC"), ("start", "09:00"), ("end", "17:00")];
    fields.push((days[later], "on"));
    fields
}

#[test]
fn a_caller_is_joined_with_the_agent_recognised_and_listed() {
    run(|world| async move {
        let (agency, works, phone) = called(world, "answered", &[]).await;
        let rang = ring(world, &works, &phone, CONTACT).await;
        assert_eq!((rang.status, rang.asked, &rang.said), (Some(200), 1, &None), "{rang:?}");
        assert!(rang.joined.as_deref().is_some_and(|url| url.starts_with("wss://")), "{rang:?}");
        agency.drain().await;
        let call = the_call(&agency).await;
        assert_eq!((&call["state"], &call["direction"]), (&json!("answered"), &json!("inbound")), "{call}");
        assert_eq!((&call["contact_id"], &call["from"]), (&json!(works.contact), &json!(CONTACT)), "{call}");
        assert_eq!((&call["agent"][0], &call["client"][0]), (&json!(works.agent), &json!(agency.one.id)), "{call}");
        assert!(call["turns"].as_array().is_some_and(|turns| turns.len() > 1), "what was said is there: {call}");
        assert!(!call["costs"]["carrier"].is_null() && !call["costs"]["billed_seconds"].is_null(), "{call}");
        assert!(call["missed"].is_null() && calls(&agency, "missed").await.is_empty(), "{call}");
        // The contact's history has it.
        let history = [("query[contact]", works.contact.as_str())];
        let history = agency.owner.done("list_calls", &history).await.json();
        assert_eq!(history["page"]["rows"][0]["id"], call["id"], "{history}");
        // Somebody unknown is answered, too, and is no contact.
        let rang = ring(world, &works, &phone, "+12025550199").await;
        assert!(rang.joined.is_some(), "{rang:?}");
        agency.drain().await;
        let rows = calls(&agency, "all").await;
        // Which of the two began first is the stand-in's affair: how long they talked is drawn.
        let unknown = rows.iter().filter(|row| row["contact"] == "").count();
        assert_eq!((rows.len(), unknown), (2, 1), "{rows:?}");
    });
}

#[test]
fn one_ring_is_one_call_however_often_the_carrier_asks() {
    run(|world| async move {
        let (agency, works, phone) = called(world, "rings-once", &[]).await;
        let key = works.key.clone();
        let once = |sid: &str| Ring {
            to: phone.clone(),
            from: CONTACT.to_owned(),
            key: Some(key.clone()),
            call_sid: sid.to_owned(),
            ..Ring::default()
        };
        let rings = (world.sandbox.ring_number(once("v3:same")), world.sandbox.ring_number(once("v3:same")));
        let (first, second) = futures::future::join(rings.0, rings.1).await;
        agency.drain().await;
        assert!(first.joined.is_some() || second.joined.is_some(), "{first:?} {second:?}");
        assert_eq!((asked(world, &works), calls(&agency, "all").await.len()), (1, 1), "one agent, one call");
        // A request that is sent again once somebody was on the line joins nobody.
        let again = world.sandbox.ring_number(once("v3:same")).await;
        assert!(again.joined.is_none() && again.said.is_some(), "{again:?}");
        assert_eq!((asked(world, &works), calls(&agency, "all").await.len()), (1, 1));
    });
}

#[test]
fn outside_the_hours_another_agent_answers_or_the_caller_hears_a_sentence() {
    run(|world| async move {
        let mut fields = closed_hours();
        fields.push(("after_hours_words", "We sleep & dream <now>."));
        let (agency, works, phone) = called(world, "hours", &fields).await;
        let rang = ring(world, &works, &phone, CONTACT).await;
        assert_eq!(rang.said.as_deref(), Some("We sleep & dream <now>."), "{rang:?}");
        assert_eq!(asked(world, &works), 0, "nobody was asked");
        agency.drain().await;
        // It is work for a person, on the dashboard and in its own view, until somebody has looked after it.
        let missed = calls(&agency, "missed").await;
        assert_eq!((missed.len(), &missed[0]["state"]), (1, &json!("no_answer")), "{missed:?}");
        let call = the_call(&agency).await;
        assert!(call["missed"].as_str().is_some_and(|why| why.contains("outside the hours")), "{call}");
        let overview = agency.owner.done("get_overview", &[]).await.json();
        let needs = overview["needs"].to_string();
        assert!(needs.contains("Missed call from"), "{needs}");
        let id = call["id"].as_str().expect("an id");
        agency.owner.done("review_call", &[("id", id), ("on", "true")]).await;
        assert!(calls(&agency, "missed").await.is_empty());
        // The agency's trouble is not the client's to read.
        let seen = agency.one.viewer.done("get_call", &[("id", id)]).await.json();
        assert_eq!(seen["missed"], "Outside the hours", "{seen}");

        let mut fields = closed_hours();
        fields.push(("after_hours_agent_id", works.agent.as_str()));
        fields.push(("agent_id", ""));
        assign(&agency, &works, &fields).await;
        let rang = ring(world, &works, &phone, CONTACT).await;
        assert!(rang.joined.is_some(), "{rang:?}");
        agency.drain().await;
    });
}

#[test]
fn who_hangs_up_before_the_agent_is_there_is_a_missed_call() {
    run(|world| async move {
        let (agency, works, phone) = called(world, "leaves", &[]).await;
        let ring =
            Ring { to: phone, from: CONTACT.into(), key: Some(works.key.clone()), leaves: true, ..Ring::default() };
        let rang = world.sandbox.ring_number(ring).await;
        assert!(rang.joined.is_some(), "{rang:?}");
        agency.drain().await;
        let call = the_call(&agency).await;
        assert_eq!(call["state"], "no_answer", "{call}");
        assert!(call["missed"].as_str().is_some_and(|why| why.contains("hung up")), "{call}");
        assert_eq!(calls(&agency, "missed").await.len(), 1);
        // Who called and was missed is not called in return by a campaign that knows nothing of it.
        assert_eq!(world.sandbox.call_log(Some(&works.key)).iter().filter(|entry| entry.to.is_some()).count(), 0);
    });
}

async fn missed_because(agency: &Agency, world: &World, works: &Works, phone: &str, why: &str) {
    let before = asked(world, works);
    let rang = ring(world, works, phone, CONTACT).await;
    assert!(rang.said.is_some() && rang.joined.is_none(), "{why}: {rang:?}");
    assert_eq!(asked(world, works), before, "{why}: nobody was asked");
    let sql = format!(
        "select missed_reason from calls where workspace_id = '{}' order by id desc limit 1",
        agency.workspace_id
    );
    assert_eq!(owner_value::<String>(world, &sql).await, why);
}

#[test]
fn whether_somebody_may_answer_is_asked_when_it_rings() {
    run(|world| async move {
        let (agency, works, phone) = called(world, "may-answer", &[]).await;
        let owner = &agency.owner;
        let agent_page = format!("/agents/{}", works.agent);
        owner.filled(&agent_page, "set_agent_status", &[("status", "paused")]).await;
        missed_because(&agency, world, &works, &phone, "not_ready").await;
        owner.filled(&agent_page, "set_agent_status", &[("status", "active")]).await;

        let settings = format!("/clients/{}/settings", agency.one.id);
        owner.filled(&settings, "save_client", &[("monthly_budget", "0"), ("budget_action", "hold")]).await;
        missed_because(&agency, world, &works, &phone, "budget").await;
        owner.filled(&settings, "save_client", &[("monthly_budget", "")]).await;

        let client = |status| [("id", agency.one.id.as_str()), ("status", status)];
        owner.done("set_client_status", &client("archived")).await;
        missed_because(&agency, world, &works, &phone, "archived").await;
        owner.done("set_client_status", &client("active")).await;

        let email = format!("{}@platform.example", unique("root"));
        patchbay_platform::server::ops::create_admin(&world.db, "Root", &email, PASSWORD).await.expect("an admin");
        let platform = Browser::signed_in(world, &email).await;
        for (status, is_active) in [("suspended", false), ("active", true)] {
            let fields = [("id", agency.workspace_id.as_str()), ("status", status), ("reason", "Unpaid")];
            platform.done("set_workspace_status", &fields).await;
            if !is_active {
                missed_because(&agency, world, &works, &phone, "suspended").await;
            }
        }
        assign(&agency, &works, &[("agent_id", "")]).await;
        missed_because(&agency, world, &works, &phone, "no_agent").await;
        agency.drain().await;
        // A number that people do not call any more: the caller hears that nobody can answer.
        assign(&agency, &works, &[("direction", "outbound")]).await;
        missed_because(&agency, world, &works, &phone, "no_agent").await;
        assert_eq!(calls(&agency, "missed").await.len(), 6);
        agency.drain().await;
    });
}

#[test]
fn when_the_voice_service_fails_the_caller_hears_a_sentence() {
    run(|world| async move {
        let (agency, works, phone) = called(world, "voice-fails", &[("fallback_words", "Sorry, sorry.")]).await;
        let quick = SandboxSettings { speed: 20_000.0, ..SandboxSettings::for_tests() };
        let faulty = |faults| SandboxSettings { create_faults: faults, ..quick.clone() };
        let limited = FaultRates { limited: 1.0, ..FaultRates::default() };
        world.sandbox.set_settings(Some(&works.key), faulty(limited));
        let rang = ring(world, &works, &phone, CONTACT).await;
        assert_eq!(rang.said.as_deref(), Some("Sorry, sorry."), "{rang:?}");
        let call = the_call(&agency).await;
        assert!(call["missed"].as_str().is_some_and(|why| why.contains("did not bring the agent")), "{call}");
        // It takes the call, and the answer gets lost: the carrier asks again and finds it, and nobody is asked for twice.
        let lost = FaultRates { error_after_accept: 1.0, ..FaultRates::default() };
        world.sandbox.set_settings(Some(&works.key), faulty(lost));
        let before = asked(world, &works);
        let rang = ring(world, &works, &phone, CONTACT).await;
        assert!(rang.joined.is_some() && rang.asked > 1, "{rang:?}");
        world.sandbox.set_settings(Some(&works.key), quick);
        agency.drain().await;
        assert_eq!(asked(world, &works), before + 1);
        assert_eq!(calls(&agency, "all").await.len(), 2);
    });
}

/// A question of the carrier's, made by hand.
pub(super) async fn ask(world: &World, path: &str, body: &str, key: &str, seconds: i64) -> (u16, String) {
    let seed = world.sandbox.carrier_seed(key);
    let stamp = (Utc::now() + Duration::seconds(seconds)).timestamp().to_string();
    let signature = sign_telnyx(&seed, &stamp, body.as_bytes());
    let request = reqwest::Client::new()
        .post(format!("{}{path}", world.base))
        .header("content-type", "application/x-www-form-urlencoded")
        .header(TELNYX_TIMESTAMP, stamp)
        .header(TELNYX_SIGNATURE, signature)
        .body(body.to_owned());
    let answer = request.send().await.expect("an answer");
    (answer.status().as_u16(), answer.text().await.expect("a text"))
}

#[test]
fn only_the_carrier_of_the_account_is_answered() {
    run(|world| async move {
        let (agency, works, phone) = called(world, "genuine", &[]).await;
        let (other, others, _) = called(world, "foreign", &[]).await;
        let id = |agency: &Agency| {
            let sql = format!(
                "select id::text from provider_connections where workspace_id = '{}' and provider = 'telnyx'",
                agency.workspace_id
            );
            async move { owner_value::<String>(world, &sql).await }
        };
        let (own, theirs) = (id(&agency).await, id(&other).await);
        let path = format!("/webhooks/telnyx/{}/{own}/answer", agency.workspace_id);
        let body = |to: &str| format!("CallSid=v3%3Aby-hand&From=%2B12025550113&To=%2B{}", to.trim_start_matches('+'));
        let key = works.key.as_str();
        // Of another account, too old, for another agency's connection, and without any signature.
        assert_eq!(ask(world, &path, &body(&phone), &others.key, 0).await.0, 401);
        assert_eq!(ask(world, &path, &body(&phone), key, -400).await.0, 401);
        let crossed = format!("/webhooks/telnyx/{}/{theirs}/answer", agency.workspace_id);
        assert_eq!(ask(world, &crossed, &body(&phone), key, 0).await.0, 401);
        let bare = reqwest::Client::new().post(format!("{}{path}", world.base)).body(body(&phone));
        assert_eq!(bare.send().await.expect("an answer").status().as_u16(), 401);
        assert!(calls(&agency, "all").await.is_empty(), "nothing was written down");
        // A number that is not in the list is none of ours, and so is what is no number.
        for to in ["+12025550142", "nobody", "+999"] {
            let (status, xml) = ask(world, &path, &body(to), key, 0).await;
            assert!(status == 200 && xml.contains("not in service"), "{to}: {status} {xml}");
        }
        let (status, xml) = ask(world, &path, "x=1", key, 0).await;
        assert!(status == 200 && xml.contains("<Say language=\"en-US\">"), "{xml}");
        assert!(calls(&agency, "all").await.is_empty() && calls(&other, "all").await.is_empty());
        agency.drain().await;
    });
}

#[test]
fn a_number_goes_back_to_where_it_went_before() {
    run(|world| async move {
        let (agency, works) = Agency::ready(world, "goes-back").await;
        let phone = shown(&agency, &works).await["row"]["number"].as_str().expect("a number").to_owned();
        let at_carrier = |key: String, phone: String| async move {
            let list = reqwest::Client::new()
                .get(format!("{}/telnyx/v2/phone_numbers?page[size]=100", world.sandbox_base))
                .bearer_auth(key);
            let list: Value =
                serde_json::from_str(&list.send().await.expect("an answer").text().await.expect("text")).expect("json");
            list["data"]
                .as_array()
                .expect("numbers")
                .iter()
                .find(|number| number["phone_number"] == phone)
                .expect("it")
                .clone()
        };
        let number = at_carrier(works.key.clone(), phone.clone()).await;
        let change = reqwest::Client::new()
            .patch(format!("{}/telnyx/v2/phone_numbers/{}", world.sandbox_base, number["id"].as_str().expect("an id")))
            .bearer_auth(&works.key)
            .body(json!({"connection_id": "4711", "tags": ["office"]}).to_string());
        assert_eq!(change.send().await.expect("an answer").status().as_u16(), 200);
        // Nobody was chosen to answer it: it rings where it always rang.
        assign(&agency, &works, &[("agent_id", "")]).await;
        assert_eq!(at_carrier(works.key.clone(), phone.clone()).await["connection_id"], "4711");
        assign(&agency, &works, &[]).await;
        let telnyx = agency.owner.done("get_connection", &[("provider", "telnyx")]).await.json();
        let application = telnyx["settings"]["telephony"]["application_id"].clone();
        assert_ne!(application, "4711");
        assert!(application.is_string() && telnyx["settings"]["telephony"]["error"].is_null(), "{telnyx}");
        let routed = at_carrier(works.key.clone(), phone.clone()).await;
        assert_eq!((&routed["connection_id"], &routed["tags"]), (&application, &json!(["office"])));
        // The button looks again, and changes nothing.
        agency.owner.done("check_number_route", &[("id", &works.number)]).await;
        agency.drain().await;
        assign(&agency, &works, &[("direction", "outbound")]).await;
        assert_eq!(at_carrier(works.key.clone(), phone.clone()).await["connection_id"], "4711");
        assert!(shown(&agency, &works).await["route"]["since"].is_null());
    });
}

async fn telephony(world: &World, key: &str, method: reqwest::Method, body: Option<Value>) -> Value {
    let request = reqwest::Client::new()
        .request(method, format!("{}/ultravox/api/telephony_configs/telnyx", world.sandbox_base))
        .header("x-api-key", key)
        .body(body.map(|body| body.to_string()).unwrap_or_default());
    let text = request.send().await.expect("an answer").text().await.expect("a text");
    serde_json::from_str(&text).unwrap_or_default()
}

#[test]
fn the_carrier_account_is_set_up_at_the_voice_service_and_nothing_else_is_touched() {
    run(|world| async move {
        let agency = Agency::new(world, "telephony").await;
        let key = agency.connect(world).await;
        agency.drain().await;
        let held = telephony(world, &key, reqwest::Method::GET, None).await;
        assert_eq!(held["apiKeyPrefix"]["prefix"], json!(key[..8]), "{held}");
        let telnyx = agency.owner.done("get_connection", &[("provider", "telnyx")]).await.json();
        let setup = &telnyx["settings"]["telephony"];
        assert_eq!((&setup["application_id"], &setup["error"]), (&held["applicationSid"], &Value::Null), "{telnyx}");
        // What somebody set up there stays when the key is sent anew.
        let allowed = json!({"callCreationAllowAllAgents": true, "requestContextMapping": {"From": "user.phone"}});
        telephony(world, &key, reqwest::Method::PATCH, Some(allowed)).await;
        let rotated = format!("sandbox-{}", unique("rotated"));
        let public = world.sandbox.carrier_public_key(&rotated);
        let fields = [("mode", "sandbox"), ("api_key", rotated.as_str()), ("public_key", public.as_str())];
        agency.background.add_account(&rotated);
        agency.owner.filled("/connections/telnyx", "save_connection", &fields).await;
        agency.drain().await;
        // The sandbox's new key is another account: replacing it is for a person to decide.
        let telnyx = agency.owner.done("get_connection", &[("provider", "telnyx")]).await.json();
        assert_eq!(telnyx["settings"]["telephony"]["other_account"], held["accountSid"], "{telnyx}");
        let same = telephony(world, &key, reqwest::Method::GET, None).await;
        assert_eq!(same["accountSid"], held["accountSid"]);
        agency.owner.done("set_up_telephony", &[("replace", "on")]).await;
        let now = telephony(world, &key, reqwest::Method::GET, None).await;
        assert_ne!(now["accountSid"], held["accountSid"], "{now}");
        assert_eq!(now["apiKeyPrefix"]["prefix"], json!(rotated[..8]));
        assert_eq!(
            (&now["callCreationAllowAllAgents"], &now["requestContextMapping"]),
            (&json!(true), &json!({"From": "user.phone"}))
        );
        let page = agency.owner.get("/connections/telnyx").await.text;
        assert!(page.contains("Set up") && !page.contains(&rotated), "the page says so and shows no key");
    });
}

#[test]
fn a_test_call_rings_once_and_is_listed() {
    run(|world| async move {
        let (agency, works) = Agency::ready(world, "test-call").await;
        agency.drain().await;
        let owner = &agency.owner;
        let wrong = owner.fill("/test-call", "make_test_call", &[("agent_id", &works.agent), ("to", "12")]).await;
        assert!(wrong.error_at("to").is_some(), "{wrong:?}");
        let form = owner.done("get_test_call", &[]).await.json();
        let call = form["call"].as_str().expect("an id").to_owned();
        let fields =
            [("call", call.as_str()), ("agent_id", &works.agent), ("client_id", ""), ("to", "+1 202 555 0150")];
        for _ in 0..2 {
            let answer: Answer = owner.rpc("make_test_call", &fields).await;
            assert_eq!(answer.id().as_deref(), Some(call.as_str()), "{answer:?}");
        }
        agency.drain().await;
        let log = world.sandbox.call_log(Some(&works.key));
        let rang: Vec<_> = log.iter().filter(|entry| entry.to.as_deref() == Some("+12025550150")).collect();
        assert_eq!(rang.len(), 1, "{rang:?}");
        let shown = owner.done("get_call", &[("id", &call)]).await.json();
        assert_eq!((&shown["is_test"], &shown["direction"]), (&json!(true), &json!("outbound")), "{shown}");
        assert!(!shown["ended"].is_null(), "{shown}");
        // Who asked not to be called is not called for a test either.
        owner.done("suppress_contact", &[("id", &works.contact), ("reason", "Asked")]).await;
        let listed = [("agent_id", works.agent.as_str()), ("client_id", ""), ("to", CONTACT)];
        assert!(owner.rpc("make_test_call", &listed).await.error_at("to").is_some());
        // A refusal of the voice service stands on the call's page.
        let form = owner.done("get_test_call", &[]).await.json();
        let call = form["call"].as_str().expect("an id");
        let fields = [("call", call), ("agent_id", &works.agent), ("client_id", ""), ("to", "+12025550009")];
        owner.done("make_test_call", &fields).await;
        let shown = owner.done("get_call", &[("id", call)]).await.json();
        assert_eq!(shown["state"], "failed", "{shown}");
    });
}

#[test]
fn an_order_goes_on_as_soon_as_the_carrier_reports_it() {
    run(|world| async move {
        let agency = Agency::new(world, "reported-order").await;
        let key = agency.connect(world).await;
        agency.drain().await;
        let order = |page: &'static str| agency.owner.made_on(page, "order_number", &[("client_id", "")]);
        let owner = &agency.owner;
        let status =
            |id: String| async move { owner.done("get_number", &[("id", &id)]).await.json()["row"]["status"].clone() };
        // Without a report the order waits to be asked about: no time passes here.
        let id = order("/numbers/new?country=US").await;
        agency.background.drain_for(std::time::Duration::ZERO).await;
        assert_eq!(status(id.clone()).await, "pending");
        agency.drain().await;
        assert_eq!(status(id).await, "active", "asking is what it falls back on");
        let telnyx = agency.owner.done("get_connection", &[("provider", "telnyx")]).await.json();
        world.sandbox.set_carrier_url(&key, telnyx["webhook_url"].as_str().map(str::to_owned));
        let id = order("/numbers/new?country=US&area=212").await;
        agency.background.drain_for(std::time::Duration::ZERO).await;
        assert_eq!(status(id).await, "active");
    });
}

#[test]
fn hours_may_go_on_past_midnight() {
    let time = |text: &str| text.parse::<chrono::NaiveTime>().expect("a time");
    let window = CallingWindow { start: time("15:00:00"), end: time("08:00:00"), days: vec![5] };
    let hours = AnswerHours { zone: "UTC".to_owned(), window };
    // 20 November 2026 is a Friday.
    let is_open = |at: &str| hours.is_open(at.parse().expect("a moment"));
    assert!(is_open("2026-11-20T15:00:00") && is_open("2026-11-20T23:59:59") && is_open("2026-11-21T07:59:59"));
    for closed in ["2026-11-20T07:00:00", "2026-11-20T14:59:59", "2026-11-21T08:00:00", "2026-11-21T15:00:00"] {
        assert!(!is_open(closed), "{closed}");
    }
    let day = AnswerHours {
        window: CallingWindow { start: time("09:00:00"), end: time("17:00:00"), days: vec![5] },
        ..hours.clone()
    };
    assert!(day.is_open("2026-11-20T16:59:59".parse().expect("a moment")));
    assert!(!day.is_open("2026-11-21T03:00:00".parse().expect("a moment")));
}
