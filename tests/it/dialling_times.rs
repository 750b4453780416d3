//! When people are called, and when a provider is asked again: with a clock that the tests move. The clock is the installation's, so
//! those that move it have one of their own.

use std::collections::BTreeMap;
use std::sync::OnceLock;
use std::time::Duration;

use chrono::{DateTime, DurationRound, TimeDelta, Timelike, Utc};
use serde_json::{Value, json};

use super::support::{Agency, World, owner_value, run, run_in};

static WORLD: OnceLock<World> = OnceLock::new();

/// Longer than a question to the provider may stay unanswered before somebody asks what became of it.
const OVERDUE: Duration = Duration::from_secs(30);
/// What passes while a test only looks whether something happens.
const LOOK: Duration = Duration::from_secs(10);

/// What became of the requests to call somebody, by number and in their order, as the provider saw them.
fn requests(world: &World, key: &str) -> BTreeMap<String, Vec<String>> {
    let mut all = BTreeMap::<String, Vec<String>>::new();
    for entry in world.sandbox.call_log(Some(key)) {
        all.entry(entry.to.unwrap_or_default()).or_default().push(entry.outcome);
    }
    all
}

/// The same as `requests` gives it.
fn seen(of: &[(&str, &[&str])]) -> BTreeMap<String, Vec<String>> {
    of.iter().map(|(to, how)| ((*to).to_owned(), how.iter().map(|how| (*how).to_owned()).collect())).collect()
}

/// Changes how the provider behaves towards one account.
async fn behave(world: &World, key: &str, change: Value) {
    let address = format!("{}/sandbox/settings?key={key}", world.sandbox_base);
    let answer = reqwest::Client::new().patch(address).json(&change).send().await.expect("the sandbox answers");
    assert!(answer.status().is_success(), "{answer:?}");
}

/// The batch as its page is told it.
async fn shown(agency: &Agency, batch: &str) -> Value {
    agency.owner.done("get_batch", &[("id", batch)]).await.json()
}

/// How many contacts of the batch are outside their calling hours.
fn outside(view: &Value) -> i64 {
    let closed = view["hours"]["closed"].as_array().expect("openings");
    closed.iter().map(|opening| opening["contacts"].as_i64().expect("a count")).sum()
}

/// The calls of a batch as the agency sees them.
async fn calls(agency: &Agency, batch: &str) -> Vec<Value> {
    let list = agency.owner.done("list_calls", &[("query[batch]", batch)]).await.json();
    list["page"]["rows"].as_array().expect("rows").clone()
}

#[test]
fn nobody_is_called_before_their_own_hours_and_everybody_once_in_them() {
    run_in(&WORLD, |world| async move {
        let (agency, works) = Agency::ready(world, "hours").await;
        // The campaign calls in one hour of the day. Where Carla is, that hour begins in more than three hours.
        let now = || world.db.services().clock.now();
        let hour = now().duration_trunc(TimeDelta::hours(1)).expect("an hour");
        let opens_at = |hours: i64| hour + TimeDelta::hours(hours);
        let until = |at: DateTime<Utc>| (at - now()).to_std().expect("it is still to come") + Duration::from_secs(60);
        let name = format!("{} hours", agency.one.secret);
        let (start, end) = (opens_at(4).hour(), opens_at(4).hour() + 1);
        let (start, end) = (format!("{start:02}:00"), format!("{end:02}:00"));
        let mut fields = vec![
            ("form[name]", name.as_str()),
            ("form[kind]", "sdr"),
            ("form[agent]", works.agent.as_str()),
            ("form[number]", works.number.as_str()),
            ("form[goal]", "Book a visit."),
            ("form[start]", start.as_str()),
            ("form[end]", end.as_str()),
            ("form[max_attempts]", "1"),
            ("form[retry_minutes]", "60"),
        ];
        let days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"].map(|day| format!("form[{day}]"));
        fields.extend(days.iter().map(|day| (day.as_str(), "on")));
        let page = format!("/campaigns/new?client={}", agency.one.id);
        let campaign = agency.owner.made_on(&page, "create_campaign", &fields).await;
        let (carla, jabu) = ("+12025550113", "+27215550120");
        let name = format!("{} Jabu Contact", agency.one.secret);
        let fields = [
            ("client", agency.one.id.as_str()),
            ("form[name]", &name),
            ("form[phone]", jabu),
            // Two hours before Carla's, summer and winter.
            ("form[timezone]", "Africa/Johannesburg"),
        ];
        agency.owner.made_on("/contacts/new", "create_contact", &fields).await;

        let batch = agency.batch(&campaign, 2).await;
        agency.drain().await;
        assert_eq!(requests(world, &works.key), seen(&[]), "called outside the hours");
        let view = shown(&agency, &batch).await;
        assert!(view["status"] == "processing" && outside(&view) == 2, "it waits: {view}");
        let page = agency.owner.get(&format!("/batches/{batch}")).await;
        assert!(page.status == 200 && page.text.contains("Waiting: calling hours open "), "{}", page.text);
        assert!(page.text.contains("(Africa/Johannesburg) for 1 contact, "), "{}", page.text);
        let list = agency.owner.done("list_batches", &[]).await.json();
        let note = list["rows"][0]["note"].as_str().unwrap_or_default();
        assert!(note.starts_with("Waiting: next call "), "the list says so too: {list}");

        agency.background.elapse(until(opens_at(2))).await;
        agency.drain().await;
        assert_eq!(requests(world, &works.key), seen(&[(jabu, &["placed"])]), "only Jabu's hours have come");
        let view = shown(&agency, &batch).await;
        assert!(view["status"] == "processing" && outside(&view) == 1, "it waits for Carla: {view}");

        agency.background.elapse(until(opens_at(4))).await;
        agency.finished(&batch).await;
        let once = seen(&[(carla, &["placed"]), (jabu, &["placed"])]);
        assert_eq!(requests(world, &works.key), once, "everybody is called once");
        assert_eq!(calls(&agency, &batch).await.len(), 2);
    });
}

#[test]
fn closed_hours_are_told_before_the_start_and_wider_ones_move_who_waits() {
    // In the common world, whose clock nobody moves: here it has to stay before the hours.
    run(|world| async move {
        let (agency, works) = Agency::ready(world, "wider").await;
        // One hour of the day, which begins in more than three hours wherever the client is.
        let opens = (world.db.services().clock.now() + TimeDelta::hours(4)).hour();
        let hours = [format!("{opens:02}:00"), format!("{:02}:00", opens + 1)];
        let page = format!("/campaigns/{}?tab=settings", works.campaign);
        let change = |start: &'static str, end: &'static str| {
            let owner = &agency.owner;
            let page = &page;
            async move { owner.filled(page, "change_campaign", &[("form[start]", start), ("form[end]", end)]).await }
        };
        let fields = [("form[start]", hours[0].as_str()), ("form[end]", hours[1].as_str())];
        agency.owner.filled(&page, "change_campaign", &fields).await;
        let batch = agency.batch(&works.campaign, 2).await;
        agency.drain().await;
        assert_eq!(requests(world, &works.key), seen(&[]), "called outside the hours");
        assert_eq!(outside(&shown(&agency, &batch).await), 1);
        // Stopped before anybody was called, it gives its people back as they were.
        agency.owner.filled(&format!("/batches/{batch}"), "stop_batch", &[]).await;
        agency.drain().await;
        let ready = agency.owner.done("batch_readiness", &[("campaign", &works.campaign)]).await.json();
        assert_eq!((&ready["to_dial"], &ready["later"]), (&json!(1), &json!(0)), "{ready}");
        // Nor is anything started that could not call anybody.
        let off = [("provider", "ultravox")];
        agency.owner.done("switch_connection", &off).await;
        let off = agency.owner.done("batch_readiness", &[("campaign", &works.campaign)]).await.json();
        assert!(off["checks"].to_string().contains("Ultravox is switched off."), "{off}");
        agency.owner.done("switch_connection", &[("provider", "ultravox"), ("on", "true")]).await;
        let batch = agency.batch(&works.campaign, 2).await;
        agency.drain().await;
        assert_eq!(outside(&shown(&agency, &batch).await), 1);

        // Somebody else joins: what the form says of a next batch.
        let later = "+12025550116";
        agency.contact(later).await;
        let contacts = format!("/campaigns/{}?tab=contacts", works.campaign);
        agency.owner.filled(&contacts, "add_campaign_contacts", &[("by", "all")]).await;
        let form = agency.owner.get(&format!("/batches/new?campaign={}", works.campaign)).await;
        assert!(form.text.contains("Outside the calling hours now. Opens "), "{}", form.text);
        assert!(form.text.contains(" for 1 of 1 contact ("), "{}", form.text);
        assert!(form.text.contains("Calls start when the calling hours open."), "{}", form.text);

        change("00:00", "24:00").await;
        agency.finished(&batch).await;
        assert_eq!(
            requests(world, &works.key),
            seen(&[("+12025550113", &["placed"])]),
            "called once the hours are wider"
        );
        let form = agency.owner.get(&format!("/batches/new?campaign={}", works.campaign)).await;
        assert!(!form.text.contains("Outside the calling hours"), "{}", form.text);
    });
}

#[test]
fn a_request_that_had_no_effect_is_repeated_only_when_the_provider_has_said_so() {
    run_in(&WORLD, |world| async move {
        let (agency, works) = Agency::ready(world, "stale").await;
        let carla = "+12025550113";
        let batch = agency.batch(&works.campaign, 1).await;
        // Nothing is placed, but its answer leaves that open; and for now the provider answers no questions.
        behave(world, &works.key, json!({"create_faults": {"error": 1.0}, "read_faults": {"error": 1.0}})).await;
        agency.background.drain_for(LOOK).await;
        assert_eq!(requests(world, &works.key), seen(&[(carla, &["refused_error"])]));

        behave(world, &works.key, json!({"create_faults": {"error": 0.0}})).await;
        agency.background.elapse(OVERDUE).await;
        agency.background.drain_for(LOOK).await;
        assert_eq!(requests(world, &works.key), seen(&[(carla, &["refused_error"])]), "its fate is not known yet");
        let view = shown(&agency, &batch).await;
        assert!(view["status"] == "processing" && view["progress"]["calling"] == 1, "{view}");

        behave(world, &works.key, json!({"read_faults": {"error": 0.0}})).await;
        agency.finished(&batch).await;
        assert_eq!(requests(world, &works.key), seen(&[(carla, &["refused_error", "placed"])]), "placed once");
        assert_eq!(calls(&agency, &batch).await.len(), 1, "the second request was for the same call");
    });
}

#[test]
fn a_call_whose_answer_was_lost_is_found_and_not_placed_again() {
    run_in(&WORLD, |world| async move {
        let (agency, works) = Agency::ready(world, "lost").await;
        let carla = "+12025550113";
        let batch = agency.batch(&works.campaign, 1).await;
        // The call is placed, but its answer says otherwise, and no event tells of it.
        let faults = json!({
            "create_faults": {"error_after_accept": 1.0}, "read_faults": {"error": 1.0}, "loss_rate": 1.0,
        });
        behave(world, &works.key, faults).await;
        agency.background.drain_for(LOOK).await;
        assert_eq!(requests(world, &works.key), seen(&[(carla, &["placed_error"])]));
        let view = shown(&agency, &batch).await;
        assert!(view["status"] == "processing" && view["progress"]["calling"] == 1, "nobody knows of it: {view}");

        behave(world, &works.key, json!({"create_faults": {"error_after_accept": 0.0}, "read_faults": {"error": 0.0}}))
            .await;
        agency.background.elapse(OVERDUE).await;
        agency.finished(&batch).await;
        assert_eq!(requests(world, &works.key), seen(&[(carla, &["placed_error"])]), "her phone rang once");
        let calls = calls(&agency, &batch).await;
        assert!(calls.len() == 1 && !calls[0]["seconds"].is_null(), "the call was taken over: {calls:?}");
    });
}

#[test]
fn a_call_that_was_never_placed_is_taken_back_whatever_was_said_of_it() {
    run_in(&WORLD, |world| async move {
        let (agency, works) = Agency::ready(world, "taken-back").await;
        let batch = agency.batch(&works.campaign, 1).await;
        behave(world, &works.key, json!({"create_faults": {"error": 1.0}, "read_faults": {"error": 1.0}})).await;
        agency.background.drain_for(LOOK).await;
        let intent = format!("select id::text from calls where workspace_id = '{}'", agency.workspace_id);
        let call: String = owner_value(world, &intent).await;
        // A leg of another call between the same numbers was taken for this one's.
        let sql = format!(
            "insert into call_legs (workspace_id, provider, leg, call_id, started_at) values ('{0}', 'telnyx', 'leg', '{1}', now());
             insert into call_events (workspace_id, id, call_id, client_id, provider, event_id, event_type, occurred_at, payload)
             select workspace_id, gen_random_uuid(), id, client_id, 'telnyx', 'event', 'call.initiated', now(), '{{}}' from calls
             where workspace_id = '{0}' and id = '{1}'",
            agency.workspace_id, call
        );
        sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&world.owner).await.expect("a leg and its event");
        behave(world, &works.key, json!({"read_faults": {"error": 0.0}})).await;
        agency.owner.filled(&format!("/batches/{batch}"), "stop_batch", &[]).await;
        agency.background.elapse(OVERDUE).await;
        agency.background.drain_for(OVERDUE).await;
        let view = shown(&agency, &batch).await;
        assert!(
            view["status"] != "processing" && view["progress"]["calling"] == 0,
            "the batch comes to its end: {view}"
        );
        let left = format!("select count(*) from calls where workspace_id = '{}'", agency.workspace_id);
        assert_eq!(owner_value::<i64>(world, &left).await, 0, "there was no call");
    });
}
