//! Where the carrier sends the calls of numbers: looked at by the clock, said in words where it differs, set again by a person, and not lost
//! when a process stops half-way.

use patchbay_numbers::server::look::check_due;
use reqwest::Method;
use serde_json::{Value, json};

use super::inbound::{CONTACT, ask, assign, called, calls, ring, shown};
use super::support::agency::Works;
use super::support::{Agency, World, owner_value, run};

/// The carrier, as the account's holder uses it.
async fn carrier(world: &World, works: &Works, method: Method, path: &str, body: Option<Value>) -> Value {
    let request = reqwest::Client::new()
        .request(method, format!("{}/telnyx/v2/{path}", world.sandbox_base))
        .bearer_auth(&works.key)
        .body(body.map(|body| body.to_string()).unwrap_or_default());
    let text = request.send().await.expect("an answer").text().await.expect("a text");
    serde_json::from_str::<Value>(&text).unwrap_or_default()["data"].clone()
}

async fn at_carrier(world: &World, works: &Works, phone: &str) -> Value {
    let list = carrier(world, works, Method::GET, "phone_numbers?page[size]=100", None).await;
    let list = list.as_array().expect("numbers");
    list.iter().find(|number| number["phone_number"] == phone).unwrap_or_else(|| panic!("{phone}: {list:?}")).clone()
}

/// Somebody sends the number's calls elsewhere, in the carrier's portal.
async fn send_elsewhere(world: &World, works: &Works, phone: &str, to: Value) {
    let id = at_carrier(world, works, phone).await["id"].as_str().expect("an id").to_owned();
    carrier(world, works, Method::PATCH, &format!("phone_numbers/{id}"), Some(json!({"connection_id": to}))).await;
}

async fn call_control(world: &World, works: &Works) -> String {
    let made = json!({"application_name": "Old robot", "webhook_event_url": "https://robot.example/hook"});
    let made = carrier(world, works, Method::POST, "call_control_applications", Some(made)).await;
    made["id"].as_str().expect("an id").to_owned()
}

/// Some hours have passed since the carrier was asked.
async fn hours_later(world: &World, agency: &Agency) {
    sql(world, &format!("update route_checks set next_at = now() where workspace_id = '{}'", agency.workspace_id))
        .await;
    check_due(&world.db).await.expect("a look");
    agency.drain().await;
}

async fn sql(world: &World, sql: &str) {
    sqlx::raw_sql(sqlx::AssertSqlSafe(sql.to_owned())).execute(&world.owner).await.expect("a statement");
}

async fn in_trouble(agency: &Agency) -> Vec<Value> {
    let list = agency.owner.done("list_numbers", &[("query[route]", "trouble")]).await.json();
    list["page"]["rows"].as_array().expect("rows").clone()
}

#[test]
fn a_number_that_was_sent_elsewhere_says_so_and_is_set_again_by_a_person() {
    run(|world| async move {
        let (agency, works, phone) = called(world, "drifts", &[]).await;
        let ours = at_carrier(world, &works, &phone).await["connection_id"].clone();
        hours_later(world, &agency).await;
        let number = shown(&agency, &works).await;
        assert!(number["route"]["drift"].is_null() && number["route"]["checked"].is_object(), "{number}");
        assert!(in_trouble(&agency).await.is_empty());

        let robot = call_control(world, &works).await;
        send_elsewhere(world, &works, &phone, json!(robot)).await;
        hours_later(world, &agency).await;
        let number = shown(&agency, &works).await;
        let drift = number["route"]["drift"].as_str().unwrap_or_default();
        assert!(drift.contains("the Call Control application “Old robot”") && drift.contains("Set again"), "{number}");
        let rows = in_trouble(&agency).await;
        assert_eq!((rows.len(), rows[0]["has_drifted"].as_bool()), (1, Some(true)), "{rows:?}");
        let file = agency.owner.get("/numbers/export.csv").await.text;
        assert!(file.contains("Old robot"), "{file}");
        for page in ["/numbers".to_owned(), format!("/numbers/{}", works.number)] {
            let page = agency.owner.get(&page).await.text;
            assert!(page.contains("Old robot") && page.contains("Set again"), "{page}");
        }
        let member = agency.member.get("/numbers").await.text;
        assert!(
            member.contains("Old robot") && !member.contains("name=\"set\""),
            "who may not set it is not offered it"
        );
        // Looking, by the clock or by a person, changes nothing: somebody may have meant it.
        agency.owner.done("check_number_route", &[("id", &works.number)]).await;
        agency.drain().await;
        assert_eq!(at_carrier(world, &works, &phone).await["connection_id"], json!(robot));

        for _ in 0..2 {
            agency.owner.done("check_number_route", &[("id", &works.number), ("set", "on")]).await;
            agency.drain().await;
            assert_eq!(at_carrier(world, &works, &phone).await["connection_id"], ours);
        }
        assert!(in_trouble(&agency).await.is_empty());
        let told = format!(
            "select count(*) from audit_events where workspace_id = '{}' and entity = 'phone_number' and action = 'routed'",
            agency.workspace_id
        );
        assert_eq!(owner_value::<i64>(world, &told).await, 2, "sent here, and once more from the robot");
        assert!(ring(world, &works, &phone, CONTACT).await.joined.is_some());
        agency.drain().await;
    });
}

#[test]
fn a_number_on_no_connection_on_somebody_elses_or_gone_is_named_as_what_it_is() {
    run(|world| async move {
        let (agency, works, phone) = called(world, "named", &[]).await;
        let drift = async || shown(&agency, &works).await["route"]["drift"].as_str().unwrap_or_default().to_owned();
        send_elsewhere(world, &works, &phone, Value::Null).await;
        hours_later(world, &agency).await;
        assert!(drift().await.contains("sends its calls nowhere"), "{}", drift().await);
        send_elsewhere(world, &works, &phone, json!("4711")).await;
        hours_later(world, &agency).await;
        assert!(drift().await.contains("Somebody has sent its calls to the connection 4711"), "{}", drift().await);
        // Whoever set it back at the carrier has set it back here.
        let telnyx = agency.owner.done("get_connection", &[("provider", "telnyx")]).await.json();
        send_elsewhere(world, &works, &phone, telnyx["settings"]["telephony"]["application_id"].clone()).await;
        hours_later(world, &agency).await;
        assert_eq!(drift().await, "");
        // A number whose calls are nobody's here says where they go.
        assign(&agency, &works, &[("direction", "outbound")]).await;
        let robot = call_control(world, &works).await;
        send_elsewhere(world, &works, &phone, json!(robot)).await;
        hours_later(world, &agency).await;
        let number = shown(&agency, &works).await;
        let elsewhere = &number["route"]["elsewhere"];
        assert_eq!((&elsewhere["kind"], &elsewhere["name"]), (&json!("call_control"), &json!("Old robot")), "{number}");
        assert!(number["route"]["drift"].is_null() && in_trouble(&agency).await.is_empty(), "{number}");
        assert!(
            agency.owner.get(&format!("/numbers/{}", works.number)).await.text.contains("Call Control application")
        );

        assign(&agency, &works, &[]).await;
        let id = at_carrier(world, &works, &phone).await["id"].as_str().expect("an id").to_owned();
        carrier(world, &works, Method::DELETE, &format!("phone_numbers/{id}"), None).await;
        hours_later(world, &agency).await;
        let number = shown(&agency, &works).await;
        let error = number["route"]["error"].as_str().unwrap_or_default();
        assert!(error.contains("does not have this number") && number["route"]["drift"].is_null(), "{number}");
        assert_eq!(in_trouble(&agency).await.len(), 1);
    });
}

#[test]
fn what_was_changed_on_the_way_that_all_numbers_share_is_said_and_set_again() {
    run(|world| async move {
        let (agency, works, _) = called(world, "shared-way", &[]).await;
        let state = async || {
            agency.owner.done("get_connection", &[("provider", "telnyx")]).await.json()["settings"]["telephony"].clone()
        };
        let application = state().await["application_id"].as_str().expect("an application").to_owned();
        let path = format!("texml_applications/{application}");
        let other = json!({"voice_url": "https://elsewhere.example/xml"});
        carrier(world, &works, Method::PATCH, &path, Some(other)).await;
        hours_later(world, &agency).await;
        let drift = state().await["drift"].as_str().unwrap_or_default().to_owned();
        assert!(drift.contains("https://elsewhere.example/xml"), "{drift}");
        let held = carrier(world, &works, Method::GET, &path, None).await;
        assert_eq!(held["voice_url"], "https://elsewhere.example/xml", "looking changes nothing");
        let page = agency.owner.get("/connections/telnyx").await.text;
        assert!(page.contains("elsewhere.example") && page.contains("Set again"), "{page}");
        let number = shown(&agency, &works).await;
        assert_eq!(number["route"]["shared_drift"], json!(drift), "{number}");
        agency.owner.done("set_up_telephony", &[]).await;
        agency.drain().await;
        assert!(state().await["drift"].is_null());
        carrier(world, &works, Method::DELETE, &path, None).await;
        hours_later(world, &agency).await;
        assert!(state().await["drift"].as_str().is_some_and(|what| what.contains("is gone")));
    });
}

#[test]
fn while_the_carrier_does_not_answer_nothing_is_said_of_numbers() {
    run(|world| async move {
        let (agency, works, phone) = called(world, "silent-carrier", &[]).await;
        agency.owner.done("switch_connection", &[("provider", "telnyx")]).await;
        send_elsewhere(world, &works, &phone, json!("4711")).await;
        hours_later(world, &agency).await;
        let number = shown(&agency, &works).await;
        assert!(number["route"]["drift"].is_null() && number["route"]["unchecked"].is_string(), "{number}");
        agency.owner.done("switch_connection", &[("provider", "telnyx"), ("on", "true")]).await;
        hours_later(world, &agency).await;
        let number = shown(&agency, &works).await;
        assert!(number["route"]["drift"].is_string() && number["route"]["unchecked"].is_null(), "{number}");
    });
}

/// The newest job of a kind is not done: the process that worked on it has stopped.
async fn stopped_in(world: &World, agency: &Agency, kind: &str) {
    sql(
        world,
        &format!(
            "update jobs set status = 'pending', run_at = now(), finished_at = null where id = (select id from jobs
             where workspace_id = '{}' and kind = '{kind}' order by id desc limit 1)",
            agency.workspace_id
        ),
    )
    .await;
}

#[test]
fn a_route_whose_process_stopped_half_way_is_finished_and_goes_back_where_it_was() {
    run(|world| async move {
        let (agency, works) = Agency::ready(world, "route-killed").await;
        let phone = shown(&agency, &works).await["row"]["number"].as_str().expect("a number").to_owned();
        send_elsewhere(world, &works, &phone, json!("4711")).await;
        // The carrier has been told, and the process stopped before it could write that down.
        let forget = format!(
            "update agency_phone_numbers set routed_to = null, routed_at = null where workspace_id = '{}' and id = '{}'",
            agency.workspace_id, works.number
        );
        for way in ["inbound", "outbound"] {
            assign(&agency, &works, &[]).await;
            sql(world, &forget).await;
            if way == "outbound" {
                // Meanwhile a person has decided otherwise.
                assign(&agency, &works, &[("direction", way)]).await;
                assert_eq!(at_carrier(world, &works, &phone).await["connection_id"], "4711");
                continue;
            }
            stopped_in(world, &agency, "route_number").await;
            agency.drain().await;
            assert!(shown(&agency, &works).await["route"]["since"].is_object());
            assign(&agency, &works, &[("direction", "outbound")]).await;
            assert_eq!(at_carrier(world, &works, &phone).await["connection_id"], "4711", "{way}");
        }
    });
}

#[test]
fn an_order_whose_process_stopped_half_way_rents_one_number() {
    run(|world| async move {
        let (agency, works) = Agency::ready(world, "order-killed").await;
        let id = agency.owner.made_on("/numbers/new?country=US&area=415", "order_number", &[("client_id", "")]).await;
        agency.drain().await;
        // The carrier has the order, and the process stopped before it could write that down.
        sql(
            world,
            &format!(
                "update agency_phone_numbers set status = 'pending', provider_order_id = null, provider_number_id = null, purchased_at = null
                 where workspace_id = '{}' and id = '{id}'",
                agency.workspace_id
            ),
        )
        .await;
        stopped_in(world, &agency, "order_number").await;
        agency.drain().await;
        let number = agency.owner.done("get_number", &[("id", &id)]).await.json();
        assert_eq!(number["row"]["status"], "active", "{number}");
        let orders = carrier(world, &works, Method::GET, "number_orders?page[size]=100", None).await;
        let of = orders.as_array().expect("orders").iter().filter(|order| order["customer_reference"] == json!(id));
        assert_eq!(of.count(), 1, "{orders}");
    });
}

#[test]
fn a_call_whose_process_stopped_while_it_rang_is_missed_and_not_lost() {
    run(|world| async move {
        let (agency, works, phone) = called(world, "ring-killed", &[]).await;
        let connection = format!(
            "select id::text from provider_connections where workspace_id = '{}' and provider = 'telnyx'",
            agency.workspace_id
        );
        let connection = owner_value::<String>(world, &connection).await;
        let path = format!("/webhooks/telnyx/{}/{connection}/answer", agency.workspace_id);
        let body = |sid: &str| format!("CallSid={sid}&From=%2B12025550113&To=%2B{}", phone.trim_start_matches('+'));
        // Asked for, joined by nobody: the carrier's question came once, and whoever worked on it is gone.
        let (status, xml) = ask(world, &path, &body("v3%3Astopped"), &works.key, 0).await;
        assert!(status == 200 && xml.contains("<Stream"), "{status} {xml}");
        let forget = format!(
            "update calls set provider_call_id = null, dial_state = 'intent' where workspace_id = '{}' and carrier_call_id = 'v3:stopped'",
            agency.workspace_id
        );
        sql(world, &forget).await;
        agency.drain().await;
        agency.background.pass(std::time::Duration::from_secs(60)).await;
        agency.drain().await;
        let missed = calls(&agency, "missed").await;
        assert_eq!(missed.len(), 1, "{missed:?}");
        assert!(missed[0]["missed"].is_string(), "{missed:?}");
        // Nobody is asked for a second time.
        let (_, xml) = ask(world, &path, &body("v3%3Astopped"), &works.key, 0).await;
        assert!(xml.contains("<Say"), "{xml}");
        assert_eq!(calls(&agency, "all").await.len(), 1);
    });
}
