//! Call-backs that nobody answers, that are called off, or that are asked for twice; and whom a failed batch calls when it goes on.

use std::time::Duration;

use serde_json::Value;

use super::inbound::{called, ring};
use super::support::agency::Works;
use super::support::{Agency, World, run};

/// Asks for a call-back whenever it is called.
const ASKS: &str = "+12025550022";
/// Rings, and nobody answers.
const SILENT: &str = "+12025550002";

fn rang(world: &World, works: &Works, number: &str) -> usize {
    let log = world.sandbox.call_log(Some(&works.key));
    log.into_iter().filter(|entry| entry.placed && entry.to.as_deref() == Some(number)).count()
}

async fn one(agency: &Agency, id: &str) -> Value {
    agency.owner.done("get_call_back", &[("id", id)]).await.json()
}

async fn list(agency: &Agency) -> Vec<Value> {
    agency.owner.done("list_call_backs", &[]).await.json()["rows"].as_array().expect("rows").clone()
}

/// Local time there, in so many minutes: the contact is in UTC.
fn in_minutes(minutes: i64) -> String {
    (chrono::Utc::now() + chrono::Duration::minutes(minutes)).format("%Y-%m-%dT%H:%M").to_string()
}

/// Lets that much time pass, and what is due happen, with what follows from it within a minute.
async fn later(agency: &Agency, minutes: u64) {
    agency.background.pass(Duration::from_secs(minutes * 60)).await;
    agency.drain().await;
}

/// The contact of the campaign with this number.
async fn member(agency: &Agency, works: &Works, number: &str) -> Value {
    let members = agency.owner.done("list_campaign_contacts", &[("query[campaign]", &works.campaign)]).await.json();
    let rows = members["rows"].as_array().expect("contacts");
    rows.iter().find(|row| row["phone"] == number).unwrap_or_else(|| panic!("{number} in {members}")).clone()
}

/// An agency whose one dialled contact has asked to be called back.
async fn asked(world: &World, name: &str) -> (Agency, Works) {
    let (agency, works) = Agency::ready(world, name).await;
    agency.owner.done("suppress_contact", &[("id", &works.contact), ("reason", "Not in this test")]).await;
    agency.contact(ASKS).await;
    let batch = agency.batch(&works.campaign, 1).await;
    agency.finished(&batch).await;
    (agency, works)
}

/// Everybody is in the campaign, and it may dial.
async fn joined(agency: &Agency, works: &Works) {
    let page = format!("/campaigns/{}", works.campaign);
    let shown = agency.owner.done("get_campaign", &[("id", &works.campaign)]).await.json();
    if shown["campaign"]["status"] != "active" {
        agency.owner.filled(&page, "move_campaign", &[("to", "active")]).await;
    }
    agency.owner.filled(&format!("{page}?tab=contacts"), "add_campaign_contacts", &[("by", "all")]).await;
    agency.drain().await;
}

async fn change(world: &World, agency: &Agency, sql: &str) {
    let sql = sql.replace("WORKSPACE", &agency.workspace_id);
    sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&world.owner).await.expect("a change");
}

/// Whether a new batch of the campaign finds nobody to call.
async fn nobody_waits(agency: &Agency, works: &Works) {
    let fields = [("campaign", works.campaign.as_str()), ("name", "Next"), ("mode", "immediate"), ("concurrency", "1")];
    let next = agency.owner.rpc("create_batch", &fields).await;
    assert!(next.status == 422 && next.text.contains("no waiting contacts"), "{next:?}");
}

#[test]
fn a_call_back_that_nobody_answers_is_tried_twice_more_and_then_a_person_decides() {
    run(|world| async move {
        let (agency, works) = Agency::ready(world, "call-back-silent").await;
        let contact = agency.contact(SILENT).await;
        joined(&agency, &works).await;
        let own = member(&agency, &works, SILENT).await["id"].as_str().expect("an id").to_owned();
        let new = format!("/call-backs/new?member={own}");
        let id = agency.owner.made_on(&new, "create_call_back", &[("at", &in_minutes(30))]).await;
        later(&agency, 31).await;
        for tries in 1..=2 {
            let shown = one(&agency, &id).await;
            let says = format!("try {tries} of 3");
            assert_eq!(rang(world, &works, SILENT), tries, "{shown}");
            assert!(
                shown["row"]["status"] == "dialling"
                    && shown["row"]["why"].as_str().is_some_and(|why| why.contains(&says)),
                "{shown}"
            );
            assert!(!shown["next_try"].is_null(), "{shown}");
            let page = agency.owner.get(&format!("/call-backs/{id}")).await.text;
            assert!(page.contains(&says) && page.contains("Next try"), "the page says so");
            assert!(agency.owner.get(&format!("/contacts/{contact}")).await.text.contains(&says), "and the contact's");
            later(&agency, 10).await;
            assert_eq!(rang(world, &works, SILENT), tries, "a quarter of an hour apart");
            later(&agency, 6).await;
        }
        assert_eq!(rang(world, &works, SILENT), 3);
        let row = one(&agency, &id).await["row"].clone();
        assert!(
            row["status"] == "needs_person" && row["why"].as_str().is_some_and(|why| why.contains("in 3 tries")),
            "{row}"
        );
        later(&agency, 600).await;
        assert_eq!(rang(world, &works, SILENT), 3, "and no more");
    });
}

#[test]
fn whoever_rings_back_between_two_tries_is_not_called_again() {
    run(|world| async move {
        let (agency, works, phone) = called(world, "call-back-rings", &[]).await;
        agency.contact(SILENT).await;
        joined(&agency, &works).await;
        let own = member(&agency, &works, SILENT).await["id"].as_str().expect("an id").to_owned();
        let new = format!("/call-backs/new?member={own}");
        let id = agency.owner.made_on(&new, "create_call_back", &[("at", &in_minutes(30))]).await;
        later(&agency, 31).await;
        assert_eq!(rang(world, &works, SILENT), 1);
        // Calls of the stand-in are dated back by what they are hurried.
        let earlier =
            "update call_backs set updated_at = updated_at - interval '1 hour' where workspace_id = 'WORKSPACE'";
        change(world, &agency, earlier).await;
        assert!(ring(world, &works, &phone, SILENT).await.joined.is_some(), "the agent answers");
        agency.drain().await;
        later(&agency, 16).await;
        assert_eq!(rang(world, &works, SILENT), 1, "they have talked");
        let row = one(&agency, &id).await["row"].clone();
        let why = row["why"].as_str().unwrap_or_default();
        assert!(row["status"] == "needs_person" && why.contains("on the phone with an agent"), "{row}");
        later(&agency, 600).await;
        assert_eq!(rang(world, &works, SILENT), 1, "and no more");
    });
}

#[test]
fn whoever_asked_for_a_call_back_and_did_not_answer_it_is_not_called_by_the_campaign() {
    run(|world| async move {
        let (agency, works) = asked(world, "call-back-missed").await;
        let id = list(&agency).await[0]["id"].as_str().expect("an id").to_owned();
        agency.owner.filled(&format!("/call-backs/{id}"), "set_call_back", &[("at", &in_minutes(30))]).await;
        change(
            world,
            &agency,
            &format!("update contacts set phone = '{SILENT}' where workspace_id = 'WORKSPACE' and phone = '{ASKS}'"),
        )
        .await;
        later(&agency, 31).await;
        let shown = one(&agency, &id).await;
        assert_eq!((rang(world, &works, SILENT), &shown["row"]["status"]), (1, &"dialling".into()), "{shown}");
        // The batch is paused until it is too late: two hours after its time it is a matter for a person.
        let batch = shown["batch"][0].as_str().expect("its batch").to_owned();
        agency.owner.filled(&format!("/batches/{batch}"), "pause_batch", &[]).await;
        later(&agency, 121).await;
        let row = one(&agency, &id).await["row"].clone();
        assert!(
            row["status"] == "needs_person"
                && row["why"].as_str().is_some_and(|why| why.contains("tried again within")),
            "{row}"
        );
        agency.owner.filled(&format!("/batches/{batch}"), "stop_batch", &[]).await;
        agency.drain().await;
        nobody_waits(&agency, &works).await;
        assert_eq!(rang(world, &works, SILENT), 1);
    });
}

#[test]
fn a_call_back_that_a_call_asked_for_is_called_off_on_its_page() {
    run(|world| async move {
        let (agency, works) = asked(world, "call-back-called-off").await;
        let row = list(&agency).await.remove(0);
        let (id, call) =
            (row["id"].as_str().expect("an id").to_owned(), row["call_id"].as_str().expect("a call").to_owned());
        let page = format!("/call-backs/{id}");
        agency.owner.filled(&page, "set_call_back", &[("at", &in_minutes(90))]).await;
        assert_eq!(agency.owner.done("get_call", &[("id", &call)]).await.json()["outcome"], "callback_scheduled");
        agency.one.viewer.join().await;
        assert_eq!(agency.one.viewer.rpc("cancel_call_back", &[("id", &id)]).await.status, 404);
        agency.owner.filled(&page, "cancel_call_back", &[]).await;
        agency.owner.done("cancel_call_back", &[("id", &id)]).await;
        let row = one(&agency, &id).await["row"].clone();
        assert!(row["status"] == "cancelled" && row["why"].as_str().is_some_and(|why| why.contains("person")), "{row}");
        assert_eq!(
            agency.owner.done("get_call", &[("id", &call)]).await.json()["outcome"],
            "answered",
            "nothing is scheduled any more"
        );
        let narrowed = |status: &'static str| {
            let owner = &agency.owner;
            async move {
                let found = owner.done("list_calls", &[("query[call_back]", status)]).await.json();
                found["page"]["rows"].as_array().expect("rows").len()
            }
        };
        assert_eq!((narrowed("cancelled").await, narrowed("scheduled").await), (1, 0));
        later(&agency, 95).await;
        assert_eq!(rang(world, &works, ASKS), 1, "it does not go out");
        assert_eq!(agency.owner.rpc("set_call_back", &[("id", &id), ("at", &in_minutes(60))]).await.status, 409);
        let own = member(&agency, &works, ASKS).await;
        assert_eq!(own["status"], "completed", "{own}");
    });
}

#[test]
fn an_older_wish_does_not_override_a_newer_one() {
    run(|world| async move {
        let (agency, works) = asked(world, "call-back-older").await;
        let first = list(&agency).await.remove(0);
        let call = first["call_id"].as_str().expect("the call").to_owned();
        let read_again = async || {
            for kind in ["transcript", "analysis"] {
                agency.owner.done("retry_enrichment", &[("id", &call), ("kind", kind)]).await;
                agency.background.drain_for(Duration::from_secs(5)).await;
            }
        };
        // The words of the first call are heard of late: a person has agreed on another time by then.
        change(world, &agency, "delete from call_backs where workspace_id = 'WORKSPACE'").await;
        let own = member(&agency, &works, ASKS).await["id"].as_str().expect("an id").to_owned();
        let new = format!("/call-backs/new?member={own}");
        let second = agency.owner.made_on(&new, "create_call_back", &[("at", &in_minutes(60))]).await;
        let agreed = one(&agency, &second).await;
        read_again().await;
        let rows = list(&agency).await;
        assert_eq!((rows.len(), &rows[0]["id"]), (1, &second.as_str().into()), "{rows:?}");
        assert_eq!(one(&agency, &second).await["local"], agreed["local"]);
        // In the call-back itself they ask for another one. The older wish does not change that one either. The first call is an hour
        // ago by then: calls of the stand-in are dated back by what they are hurried, so a long second one could seem to be the older.
        let earlier = format!(
            "update calls set started_at = started_at - interval '1 hour', ended_at = ended_at - interval '1 hour'
             where workspace_id = 'WORKSPACE' and id = '{call}'"
        );
        change(world, &agency, &earlier).await;
        later(&agency, 61).await;
        assert_eq!(rang(world, &works, ASKS), 2);
        let rows = list(&agency).await;
        assert_eq!((rows.len(), &rows[1]["status"]), (2, &"kept".into()), "{rows:?}");
        let third = rows[0].clone();
        assert_ne!(third["call_id"], call.as_str(), "{third}");
        read_again().await;
        let rows = list(&agency).await;
        assert_eq!(rows.len(), 2, "{rows:?}");
        for field in ["id", "status", "due", "words", "why"] {
            assert_eq!(rows[0][field], third[field], "{field}");
        }
    });
}

#[test]
fn a_failed_batch_that_goes_on_calls_its_own_contacts_alone() {
    run(|world| async move {
        const OWN: &str = "+12025550113";
        const LATER: &str = "+12025550116";
        const NEVER: &str = "+12025550117";
        let (agency, works) = Agency::ready(world, "failed-own").await;
        let gives_number_to = async |client: &str| {
            let fields = [("client_id", client), ("agent_id", ""), ("direction", "outbound")];
            agency.owner.filled(&format!("/numbers/{}", works.number), "assign_number", &fields).await;
        };
        let fails = async || {
            let batch = agency.batch(&works.campaign, 1).await;
            gives_number_to(&agency.two.id).await;
            agency.drain().await;
            let view = agency.owner.done("get_batch", &[("id", &batch)]).await.json();
            assert!(view["status"] == "failed", "{view}");
            gives_number_to(&agency.one.id).await;
            batch
        };
        let first = fails().await;
        // Somebody who comes later is not the first batch's.
        agency.contact(LATER).await;
        joined(&agency, &works).await;
        agency.owner.filled(&format!("/batches/{first}"), "resume_batch", &[]).await;
        agency.finished(&first).await;
        assert_eq!((rang(world, &works, OWN), rang(world, &works, LATER)), (1, 0));
        let view = agency.owner.done("get_batch", &[("id", &first)]).await.json();
        assert_eq!(view["progress"]["total"], 1, "{view}");
        // Two fail one after the other: the contact that both had is the second one's, and the third contact nobody's.
        let second = fails().await;
        let third = fails().await;
        agency.contact(NEVER).await;
        joined(&agency, &works).await;
        let nobody = agency.owner.rpc("resume_batch", &[("id", &second)]).await;
        assert!(nobody.status == 409 && nobody.text.contains("Nobody is left"), "{nobody:?}");
        agency.owner.filled(&format!("/batches/{third}"), "resume_batch", &[]).await;
        agency.finished(&third).await;
        let calls = [OWN, LATER, NEVER].map(|number| rang(world, &works, number));
        assert_eq!(calls, [1, 1, 0]);
        assert_eq!(member(&agency, &works, NEVER).await["status"], "pending");
    });
}
