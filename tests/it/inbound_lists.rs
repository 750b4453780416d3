//! Calls that came in, afterwards: why they were missed, who called, and how many at once there may be.

use serde_json::{Value, json};

use super::inbound::{CONTACT, assign, called, calls, ring, shown};
use super::support::agency::PASSWORD;
use super::support::{Agency, Browser, World, run, unique};

/// Nobody's number in any test.
const STRANGER: &str = "+12025550177";

#[test]
fn lists_say_why_a_call_was_missed() {
    run(|world| async move {
        let (agency, works, phone) = called(world, "reasons", &[]).await;
        assign(&agency, &works, &[("agent_id", ""), ("fallback_words", "Sorry.")]).await;
        ring(world, &works, &phone, CONTACT).await;
        agency.drain().await;
        let why = "No agent answers the number";
        assert_eq!(calls(&agency, "missed").await[0]["missed"], why);
        for page in ["/calls".to_owned(), "/calls?view=missed".to_owned(), format!("/contacts/{}", works.contact)] {
            assert!(agency.owner.get(&page).await.text.contains(why), "{page}");
        }
        assert!(agency.owner.get("/calls.csv").await.text.contains(why));
        // The agency's trouble is not the client's to read.
        for page in ["/calls?view=missed".to_owned(), format!("/contacts/{}", works.contact), "/calls.csv".to_owned()] {
            let seen = agency.one.viewer.get(&page).await.text;
            assert!(seen.contains("Nobody could answer") && !seen.contains(why), "{page}: {seen}");
        }
    });
}

/// What the platform has agreed with the agency.
async fn agree_lines(world: &World, agency: &Agency, lines: &str) {
    let email = format!("{}@platform.example", unique("root"));
    patchbay_platform::server::ops::create_admin(&world.db, "Root", &email, PASSWORD).await.expect("an admin");
    let platform = Browser::signed_in(world, &email).await;
    let terms = [("id", agency.workspace_id.as_str()), ("plan", "pro"), ("lines", lines)];
    platform.done("save_workspace_terms", &terms).await;
}

#[test]
fn a_caller_gets_a_line_as_long_as_the_plan_has_one() {
    run(|world| async move {
        let (agency, works, phone) = called(world, "lines", &[("fallback_words", "All busy.")]).await;
        agree_lines(world, &agency, "1").await;
        // The first call goes on as long as nothing is heard of its end.
        assert!(ring(world, &works, &phone, CONTACT).await.joined.is_some());
        let rang = ring(world, &works, &phone, STRANGER).await;
        assert_eq!((rang.said.as_deref(), &rang.joined), (Some("All busy."), &None), "{rang:?}");
        // A test call takes a line, too.
        let form = agency.owner.done("get_test_call", &[]).await.json();
        let fields = [
            ("call", form["call"].as_str().expect("an id")),
            ("agent_id", works.agent.as_str()),
            ("client_id", ""),
            ("to", "+12025550151"),
        ];
        let refused = agency.owner.rpc("make_test_call", &fields).await;
        assert!(refused.text.contains("All lines"), "{refused:?}");
        agency.drain().await;
        let missed = calls(&agency, "missed").await;
        assert_eq!((missed.len(), &missed[0]["missed"]), (1, &json!("All lines were in use")), "{missed:?}");
        assert!(ring(world, &works, &phone, STRANGER).await.joined.is_some(), "the line is free again");
        agency.drain().await;
        // What the agency sets for its batches leaves lines to callers.
        agree_lines(world, &agency, "2").await;
        agency.owner.filled("/settings/agency", "save_agency", &[("concurrency", "1")]).await;
        for from in [CONTACT, STRANGER] {
            assert!(ring(world, &works, &phone, from).await.joined.is_some(), "{from}");
        }
        agency.drain().await;
    });
}

/// How many of the calls are listed under this name.
async fn listed_as(agency: &Agency, name: &str) -> usize {
    calls(agency, "all").await.iter().filter(|row| row["contact"] == name).count()
}

async fn call_of(agency: &Agency, row: &Value) -> Value {
    agency.owner.done("get_call", &[("id", row["id"].as_str().expect("an id"))]).await.json()
}

#[test]
fn a_caller_whom_nobody_knows_becomes_a_contact_with_the_calls_of_before() {
    run(|world| async move {
        let (agency, works, phone) = called(world, "unknown", &[]).await;
        ring(world, &works, &phone, STRANGER).await;
        assign(&agency, &works, &[("agent_id", ""), ("fallback_words", "Sorry.")]).await;
        ring(world, &works, &phone, STRANGER).await;
        // The same person calls another client.
        assign(&agency, &works, &[("client_id", &agency.two.id), ("agent_id", ""), ("fallback_words", "Sorry.")]).await;
        ring(world, &works, &phone, STRANGER).await;
        agency.drain().await;
        let rows = calls(&agency, "all").await;
        assert_eq!(rows.len(), 3, "{rows:?}");
        let (others, own) = (&rows[0], [&rows[1], &rows[2]]);

        let address = own[0]["add_contact"].as_str().expect("a place to add them").to_owned();
        assert_eq!(address, format!("/contacts/new?client={}&phone=%2B12025550177", agency.one.id));
        let list = agency.owner.get("/calls?view=missed").await.text;
        assert!(list.contains("Add as contact"), "{list}");
        let page = agency.owner.get(&format!("/calls/{}", own[1]["id"].as_str().expect("an id"))).await.text;
        assert!(page.contains("Add as contact"), "{page}");
        let seen = agency.one.viewer.get("/calls?view=missed").await.text;
        assert!(seen.contains("555") && !seen.contains("Add as contact"), "who may not add contacts is not offered it");

        let contact = agency.owner.made_on(&address, "create_contact", &[("form[name]", "Stella Stranger")]).await;
        let form = agency.owner.done("get_contact", &[("id", &contact)]).await.json();
        assert_eq!((&form["phone"], &form["client_id"]), (&json!(STRANGER), &json!(agency.one.id)), "{form}");
        assert_eq!(form["calls"].as_array().map(Vec::len), Some(2), "{form}");
        for row in own {
            let call = call_of(&agency, row).await;
            assert_eq!((&call["contact_id"], &call["title"]), (&json!(contact), &json!("Stella Stranger")), "{call}");
            assert!(call["add_contact"].is_null(), "{call}");
        }
        assert!(call_of(&agency, others).await["contact_id"].is_null(), "the other client's call is not theirs");
        // The next call finds them by itself, and one who gets the number later takes nothing away.
        assign(&agency, &works, &[]).await;
        ring(world, &works, &phone, STRANGER).await;
        agency.drain().await;
        assert_eq!(listed_as(&agency, "Stella Stranger").await, 3);
        assert!(shown(&agency, &works).await["route"]["since"].is_object());
    });
}

#[test]
fn somebody_whose_second_number_called_before_is_found_when_it_is_entered() {
    run(|world| async move {
        let (agency, works, phone) = called(world, "second-number", &[]).await;
        ring(world, &works, &phone, STRANGER).await;
        agency.drain().await;
        let fields = [("id", works.contact.as_str()), ("form[name]", "Connie"), ("form[phone]", STRANGER)];
        agency.owner.done("change_contact", &fields).await;
        assert_eq!(listed_as(&agency, "Connie").await, 1);
        // So is somebody who comes with a list.
        let listed = "+12025550178";
        ring(world, &works, &phone, listed).await;
        agency.drain().await;
        assert_eq!((listed_as(&agency, "Connie").await, listed_as(&agency, "").await), (1, 1));
        let file = format!("name,phone\nLisa Listed,{listed}\n").into_bytes();
        let client = [("client", agency.one.id.as_str())];
        let import = agency.owner.upload("/contacts/imports/upload", &client, "people.csv", file).await;
        let import = import.id().expect("an import");
        let mapping = format!("/contacts/imports/{import}/mapping");
        agency.owner.filled(&mapping, "check_import", &[]).await;
        agency.drain().await;
        agency.owner.filled(&format!("/contacts/imports/{import}"), "run_import", &[]).await;
        agency.drain().await;
        assert_eq!((listed_as(&agency, "Lisa Listed").await, listed_as(&agency, "").await), (1, 0));
    });
}
