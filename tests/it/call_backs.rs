//! Call-backs that people on calls ask for: when they go out, when a person has to decide, and that nobody is called who should not be.

use std::time::Duration;

use patchbay_sandbox::{FaultRates, SandboxSettings};
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

/// Whether the voice service turns calls away for now, so that nobody can be called.
fn turns_away(world: &World, works: &Works, turns_away: bool) {
    let rate = if turns_away { 1.0 } else { 0.0 };
    let create_faults = FaultRates { limited: rate, ..FaultRates::default() };
    let settings = SandboxSettings { speed: 20_000.0, create_faults, ..SandboxSettings::for_tests() };
    world.sandbox.set_settings(Some(&works.key), settings);
}

/// The batch that has it.
async fn batch_of(agency: &Agency, id: &str) -> String {
    let shown = one(agency, id).await;
    assert_eq!(shown["row"]["status"], "dialling", "{shown}");
    shown["batch"][0].as_str().expect("its batch").to_owned()
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

#[test]
fn whoever_was_reached_is_not_called_again_when_the_batch_of_their_call_back_is_stopped() {
    run(|world| async move {
        let (agency, works, _) = asked(world, "call-back-stopped").await;
        let id = set(&agency, 30).await;
        turns_away(world, &works, true);
        later(&agency, 31).await;
        let batch = batch_of(&agency, &id).await;
        agency.owner.filled(&format!("/batches/{batch}"), "stop_batch", &[]).await;
        let row = one(&agency, &id).await["row"].clone();
        assert!(
            row["status"] == "needs_person" && row["why"].as_str().is_some_and(|why| why.contains("ended before")),
            "nobody has called: {row}"
        );
        agency.owner.filled(&format!("/call-backs/{id}"), "cancel_call_back", &[]).await;
        turns_away(world, &works, false);
        later(&agency, 10).await;
        let fields =
            [("campaign", works.campaign.as_str()), ("name", "Next"), ("mode", "immediate"), ("concurrency", "1")];
        let next = agency.owner.rpc("create_batch", &fields).await;
        assert!(next.status == 422 && next.text.contains("no waiting contacts"), "{next:?}");
        assert_eq!(rang(world, &works), 1);
    });
}

#[test]
fn a_call_back_that_its_batch_could_not_make_in_time_is_a_matter_for_a_person() {
    run(|world| async move {
        let (agency, works, _) = asked(world, "call-back-late").await;
        let id = set(&agency, 30).await;
        turns_away(world, &works, true);
        later(&agency, 31).await;
        let batch = batch_of(&agency, &id).await;
        let page = format!("/batches/{batch}");
        agency.owner.filled(&page, "pause_batch", &[]).await;
        turns_away(world, &works, false);
        later(&agency, 60).await;
        batch_of(&agency, &id).await;
        later(&agency, 90).await;
        let row = one(&agency, &id).await["row"].clone();
        assert!(
            row["status"] == "needs_person" && row["why"].as_str().is_some_and(|why| why.contains("two hours")),
            "{row}"
        );
        agency.owner.filled(&page, "resume_batch", &[]).await;
        agency.finished(&batch).await;
        assert_eq!(rang(world, &works), 1, "not called at another time than was agreed");
        let shown = agency.owner.done("get_batch", &[("id", &batch)]).await.json();
        assert!(shown["left"] == 1 && shown["progress"]["total"] == 0, "{shown}");
    });
}

#[test]
fn a_call_back_of_somebody_who_waits_in_a_batch_goes_out_at_its_time_and_not_in_the_batch_s_order() {
    run(|world| async move {
        let (agency, works) = Agency::ready(world, "call-back-first").await;
        agency.contact(ASKS).await;
        let batch = agency.batch(&works.campaign, 1).await;
        let members = agency.owner.done("list_campaign_contacts", &[("query[campaign]", &works.campaign)]).await.json();
        let rows = members["rows"].as_array().expect("contacts");
        let member = rows.iter().find(|row| row["phone"] == ASKS).unwrap_or_else(|| panic!("in {members}"));
        let member = member["id"].as_str().expect("an id").to_owned();
        let new = format!("/call-backs/new?member={member}");
        let id = agency.owner.made_on(&new, "create_call_back", &[("at", &in_minutes(3))]).await;
        agency.background.pass(Duration::from_secs(180)).await;
        agency.finished(&batch).await;
        agency.background.drain_for(Duration::from_secs(600)).await;
        let shown = one(&agency, &id).await;
        let own = shown["batch"][0].as_str().unwrap_or_else(|| panic!("a batch: {shown}")).to_owned();
        let own = agency.owner.done("get_batch", &[("id", &own)]).await.json();
        assert!(own["for_call_backs"] == true && own["progress"]["total"] == 1, "{own}");
        let ordinary = agency.owner.done("get_batch", &[("id", &batch)]).await.json();
        assert!(ordinary["left"] == 1 && ordinary["progress"]["total"] == 1, "{ordinary}");
        assert_eq!(rang(world, &works), 1);

        // The call of another contact says nothing about this one.
        let calls = agency.owner.done("list_calls", &[("query[batch]", &batch)]).await.json();
        let call = calls["page"]["rows"][0]["id"].as_str().unwrap_or_else(|| panic!("a call: {calls}")).to_owned();
        let fields = [("member", member.as_str()), ("call", &call), ("at", &in_minutes(90))];
        let foreign = agency.owner.rpc("create_call_back", &fields).await;
        assert_eq!(foreign.status, 404, "{foreign:?}");
    });
}

#[test]
fn a_wish_that_is_heard_of_days_later_makes_no_call_back() {
    run(|world| async move {
        let (agency, _, _) = asked(world, "call-back-past").await;
        let call = list(&agency).await[0]["call_id"].as_str().expect("the call").to_owned();
        let change = async |sql: &str| {
            let sql = sql.replace("WORKSPACE", &agency.workspace_id);
            sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&world.owner).await.expect("a change");
        };
        let read_again = async || {
            for kind in ["transcript", "analysis"] {
                agency.owner.done("retry_enrichment", &[("id", &call), ("kind", kind)]).await;
                agency.drain().await;
            }
        };
        change("delete from call_backs where workspace_id = 'WORKSPACE'").await;
        read_again().await;
        assert_eq!(list(&agency).await.len(), 1, "in time it counts");
        change(
            "delete from call_backs where workspace_id = 'WORKSPACE';
             update calls set started_at = started_at - interval '3 days', joined_at = joined_at - interval '3 days',
                    ended_at = ended_at - interval '3 days'
             where workspace_id = 'WORKSPACE'",
        )
        .await;
        read_again().await;
        assert!(list(&agency).await.is_empty(), "its time is over");
    });
}
