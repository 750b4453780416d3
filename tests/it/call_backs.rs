//! Call-backs that people on calls ask for: when they go out, when a person has to decide, and that nobody is called who should not be.

use std::time::Duration;

use serde_json::Value;

use super::support::agency::Works;
use super::support::{Agency, World, run};

/// Asks for a call-back whenever it is called.
const ASKS: &str = "+12025550022";

/// An agency whose one dialled contact has asked to be called back, and the batch in which that was.
async fn asked(world: &World, name: &str) -> (Agency, Works, String) {
    let (agency, works) = Agency::ready(world, name).await;
    agency.owner.done("suppress_contact", &[("id", &works.contact), ("reason", "Not in this test")]).await;
    agency.contact(ASKS).await;
    let batch = agency.batch(&works.campaign, 1).await;
    agency.finished(&batch).await;
    (agency, works, batch)
}

async fn list(agency: &Agency) -> Vec<Value> {
    agency.owner.done("list_call_backs", &[]).await.json()["rows"].as_array().expect("rows").clone()
}

async fn one(agency: &Agency, id: &str) -> Value {
    agency.owner.done("get_call_back", &[("id", id)]).await.json()
}

fn rang(world: &World, works: &Works) -> usize {
    let log = world.sandbox.call_log(Some(&works.key));
    log.into_iter().filter(|entry| entry.placed && entry.to.as_deref() == Some(ASKS)).count()
}

/// Local time there, in so many minutes: the contact is in UTC.
fn in_minutes(minutes: i64) -> String {
    (chrono::Utc::now() + chrono::Duration::minutes(minutes)).format("%Y-%m-%dT%H:%M").to_string()
}

/// The one that was asked for first, with a time that a person has set.
async fn set(agency: &Agency, minutes: i64) -> String {
    let rows = list(agency).await;
    let id =
        rows.last().and_then(|row| row["id"].as_str()).unwrap_or_else(|| panic!("a call-back: {rows:?}")).to_owned();
    agency.owner.filled(&format!("/call-backs/{id}"), "set_call_back", &[("at", &in_minutes(minutes))]).await;
    assert_eq!(one(agency, &id).await["row"]["status"], "scheduled");
    id
}

/// Lets that much time pass, and what is due happen.
async fn later(agency: &Agency, minutes: u64) {
    agency.background.pass(Duration::from_secs(minutes * 60)).await;
    agency.background.drain_for(Duration::from_secs(5)).await;
}

#[test]
fn somebody_who_asks_is_called_back_at_the_time_and_the_batch_is_over() {
    run(|world| async move {
        let (agency, works, first) = asked(world, "call-back").await;
        let row = list(&agency).await.remove(0);
        assert!(row["words"].as_str().is_some_and(|words| words.len() > 3), "in whose words: {row}");
        let call = row["call_id"].as_str().expect("the call").to_owned();
        // Not clear, or scheduled: the call says which, and its outcome goes by that.
        let outcome = agency.owner.done("get_call", &[("id", &call)]).await.json()["outcome"].clone();
        let wanted = if row["status"] == "scheduled" { "callback_scheduled" } else { "answered" };
        assert_eq!(outcome, wanted, "{row}");
        let id = set(&agency, 90).await;
        let shown = agency.owner.get(&format!("/calls/{call}")).await.text;
        assert!(shown.contains(&format!("/call-backs/{id}")), "the call's page leads to it");
        assert_eq!(agency.owner.done("get_call", &[("id", &call)]).await.json()["outcome"], "callback_scheduled");
        let narrowed = agency.owner.done("list_calls", &[("query[call_back]", "scheduled")]).await.json();
        assert_eq!(narrowed["page"]["rows"][0]["id"], call.as_str(), "the list of calls can be narrowed to it");
        // Twice is as good as once; the client's own people see it.
        agency
            .owner
            .done("set_call_back", &[("id", &id), ("at", one(&agency, &id).await["local"].as_str().expect("a time"))])
            .await;
        assert_eq!(agency.one.viewer.done("get_call_back", &[("id", &id)]).await.json()["row"]["status"], "scheduled");

        later(&agency, 60).await;
        assert_eq!(rang(world, &works), 1, "not before its time");
        later(&agency, 31).await;
        agency.background.drain_for(Duration::from_secs(600)).await;
        assert_eq!(rang(world, &works), 2, "called back, once");
        let kept = one(&agency, &id).await;
        assert_eq!(kept["row"]["status"], "kept", "{kept}");
        let batch =
            agency.owner.done("get_batch", &[("id", kept["batch"][0].as_str().expect("its batch"))]).await.json();
        assert!(batch["for_call_backs"] == true && batch["status"] == "completed", "{batch}");
        assert_eq!((&batch["progress"]["total"], &batch["progress"]["reached"]), (&1.into(), &1.into()), "{batch}");
        let first = agency.owner.done("get_batch", &[("id", &first)]).await.json();
        assert!(first["left"] == 1 && first["progress"]["total"] == 0, "the contact counts once: {first}");
        let file = agency.owner.get("/call-backs.csv?status=kept").await;
        assert!(file.status == 200 && file.text.contains(ASKS), "{file:?}");
    });
}

#[test]
fn a_time_at_which_somebody_would_mind_is_refused_at_the_field() {
    run(|world| async move {
        let (agency, works, _) = asked(world, "call-back-times").await;
        let id = set(&agency, 600).await;
        let ten_years = (chrono::Utc::now() + chrono::Duration::days(3650)).format("%Y-%m-%dT%H:%M").to_string();
        let refused = [("", "Choose the day"), ("soon", "Choose the day"), (ten_years.as_str(), "days ahead")];
        for (at, says) in refused.into_iter().chain([(in_minutes(-5).as_str(), "passed")]) {
            let answer = agency.owner.rpc("set_call_back", &[("id", &id), ("at", at)]).await;
            assert!(answer.status == 422 && answer.text.contains(says), "{at:?}: {answer:?}");
        }
        // Hours that have changed since: it is not dialled at night, and a person hears of it.
        let hours = (chrono::Utc::now() + chrono::Duration::hours(4)).format("%H:00").to_string();
        let until = (chrono::Utc::now() + chrono::Duration::hours(5)).format("%H:00").to_string();
        let campaign = agency.owner.done("get_campaign", &[("id", &works.campaign)]).await.json();
        assert!(campaign["campaign"]["calling_window"].is_object(), "{campaign}");
        let night = (chrono::Utc::now() + chrono::Duration::hours(8)).format("%Y-%m-%dT%H:%M").to_string();
        if hours < until {
            let page = format!("/campaigns/{}?tab=settings", works.campaign);
            let fields = [("form[start]", hours.as_str()), ("form[end]", until.as_str())];
            agency.owner.filled(&page, "change_campaign", &fields).await;
            let answer = agency.owner.rpc("set_call_back", &[("id", &id), ("at", &night)]).await;
            assert!(answer.status == 422 && answer.text.contains("calling hours"), "{answer:?}");
            later(&agency, 601).await;
            let row = one(&agency, &id).await["row"].clone();
            assert!(
                row["status"] == "needs_person" && row["why"].as_str().is_some_and(|why| why.contains("hours")),
                "{row}"
            );
            assert_eq!(rang(world, &works), 1);
        }
    });
}

#[test]
fn what_cannot_be_kept_is_a_matter_for_a_person() {
    run(|world| async move {
        let (agency, works, _) = asked(world, "call-back-unkept").await;
        let id = set(&agency, 30).await;
        agency.owner.filled(&format!("/campaigns/{}", works.campaign), "move_campaign", &[("to", "paused")]).await;
        later(&agency, 31).await;
        let row = one(&agency, &id).await["row"].clone();
        assert!(
            row["status"] == "needs_person" && row["why"].as_str().is_some_and(|why| why.contains("not active")),
            "{row}"
        );
        let needs = agency.owner.done("get_overview", &[]).await.text;
        assert!(needs.contains(&format!("/call-backs/{id}")), "the dashboard says so: {needs}");
        let call = row["call_id"].as_str().expect("the call").to_owned();
        let asked = agency.owner.done("get_call", &[("id", &call)]).await.json();
        assert_eq!(asked["outcome"], "answered", "nothing is scheduled any more: {asked}");
        // Mended, and set anew; then somebody asks not to be called at all.
        agency.owner.filled(&format!("/campaigns/{}", works.campaign), "move_campaign", &[("to", "active")]).await;
        set(&agency, 30).await;
        let contact = row["contact_id"].as_str().expect("the contact").to_owned();
        agency.owner.done("suppress_contact", &[("id", &contact), ("reason", "Asked on the phone")]).await;
        later(&agency, 31).await;
        let row = one(&agency, &id).await["row"].clone();
        assert!(
            row["status"] == "cancelled" && row["why"].as_str().is_some_and(|why| why.contains("do-not-call")),
            "{row}"
        );
        assert_eq!(rang(world, &works), 1, "nobody was called back");
        assert_eq!(agency.owner.rpc("set_call_back", &[("id", &id), ("at", &in_minutes(60))]).await.status, 409);
    });
}

#[test]
fn a_call_back_that_is_called_off_does_not_go_out_and_holds_its_contact_no_longer() {
    run(|world| async move {
        let (agency, works) = Agency::ready(world, "call-back-off").await;
        agency.owner.filled(&format!("/campaigns/{}", works.campaign), "move_campaign", &[("to", "active")]).await;
        let page = format!("/campaigns/{}?tab=contacts", works.campaign);
        agency.owner.filled(&page, "add_campaign_contacts", &[("by", "all")]).await;
        agency.drain().await;
        let members = agency.owner.done("list_campaign_contacts", &[("query[campaign]", &works.campaign)]).await.json();
        let member = members["rows"][0]["id"].as_str().expect("a contact").to_owned();
        // Set from the contact's page, before anybody has called: no batch takes the contact until then.
        let shown = agency.owner.get(&format!("/contacts/{}", works.contact)).await.text;
        assert!(shown.contains(&format!("/call-backs/new?member={member}")), "the contact's page leads there");
        let new = format!("/call-backs/new?member={member}");
        let id = agency.owner.made_on(&new, "create_call_back", &[("at", &in_minutes(60))]).await;
        let twice = agency.owner.rpc("create_call_back", &[("member", &member), ("at", &in_minutes(90))]).await;
        assert_eq!(twice.status, 409, "{twice:?}");
        let fields =
            [("campaign", works.campaign.as_str()), ("name", "Early"), ("mode", "immediate"), ("concurrency", "1")];
        let early = agency.owner.rpc("create_batch", &fields).await;
        assert!(early.status == 422 && early.text.contains("due later"), "{early:?}");
        agency.owner.filled(&format!("/call-backs/{id}"), "cancel_call_back", &[]).await;
        agency.owner.done("cancel_call_back", &[("id", &id)]).await;
        later(&agency, 61).await;
        assert!(world.sandbox.call_log(Some(&works.key)).is_empty(), "nobody was called");
        // Whoever has a call-back stays in the campaign when the others are taken out.
        agency.owner.done("remove_campaign_contacts", &[("id", &works.campaign)]).await;
        let batch = agency.owner.made("create_batch", &fields).await;
        agency.finished(&batch).await;
        assert_eq!(world.sandbox.call_log(Some(&works.key)).len(), 1, "a batch takes the contact now");
    });
}
