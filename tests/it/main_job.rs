//! What the product is for: a list of people in, calls out, results back to whom they belong, and nobody called twice.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use patchbay_sandbox::SandboxSettings;

use super::support::{Agency, Browser, World, run};

/// How often somebody's phone rang because of this account, by number.
fn called(world: &World, key: &str) -> BTreeMap<String, usize> {
    let mut times = BTreeMap::new();
    for entry in world.sandbox.call_log(Some(key)).into_iter().filter(|entry| entry.placed) {
        *times.entry(entry.to.unwrap_or_default()).or_default() += 1;
    }
    times
}

/// The contacts of a campaign by number.
async fn members(agency: &Agency, campaign: &str) -> BTreeMap<String, Value> {
    let page = agency.owner.done("list_campaign_contacts", &[("query[campaign]", campaign)]).await.json();
    let rows = page["rows"].as_array().expect("rows").clone();
    rows.into_iter().map(|row| (row["phone"].as_str().unwrap_or_default().to_owned(), row)).collect()
}

/// Uploads a file and brings its rows into the client's contacts.
async fn import(agency: &Agency, file: &str, campaign: &str) -> String {
    let fields = [("client", agency.one.id.as_str()), ("campaign", campaign)];
    let answer = agency.owner.upload("/contacts/imports/upload", &fields, "people.csv", file.as_bytes().to_vec()).await;
    let id = answer.id().unwrap_or_else(|| panic!("an import: {answer:?}"));
    let mapping = [
        ("form[named]", "true"),
        ("form[columns][0]", "name"),
        ("form[columns][1]", "phone"),
        ("form[columns][2]", "company"),
        ("form[country]", "US"),
        ("form[duplicates]", "skip"),
        ("form[campaign]", campaign),
    ];
    agency.owner.filled(&format!("/contacts/imports/{id}/mapping"), "check_import", &mapping).await;
    state_of_import(agency, &id, "checked").await;
    agency.owner.filled(&format!("/contacts/imports/{id}"), "run_import", &[]).await;
    state_of_import(agency, &id, "completed").await;
    id
}

async fn state_of_import(agency: &Agency, id: &str, wanted: &str) {
    agency.drain().await;
    let view = agency.owner.done("get_import", &[("id", id)]).await.json();
    assert_eq!(view["status"], wanted, "{view}");
}

#[test]
fn from_a_list_of_people_to_results_in_the_right_hands() {
    run(|world| async move {
        let (agency, works) = Agency::ready(world, "mainjob").await;
        let stranger = Agency::new(world, "stranger").await;
        let file = "Name,Telephone,Company\nAnna Alt,(202) 555-0020,Alt & Co\nBoris Bell,+1 202 555 0021,\nKaputt,12,\nAnna Alt,+12025550020,\n";
        let import = import(&agency, file, &works.campaign).await;
        let view = agency.owner.done("get_import", &[("id", &import)]).await.json().to_string();
        assert!(view.contains("Kaputt"), "the row that cannot be a contact is shown with its reason: {view}");
        let rejected = agency.owner.get(&format!("/contacts/imports/{import}/rejected.csv")).await;
        assert!(rejected.status == 200 && rejected.text.contains("Kaputt"), "{rejected:?}");

        let batch = agency.batch(&works.campaign, 2).await;
        agency.finished(&batch).await;
        let wanted: BTreeMap<String, usize> =
            ["+12025550113", "+12025550020", "+12025550021"].map(|to| (to.to_owned(), 1)).into();
        assert_eq!(called(world, &works.key), wanted, "each contact was called once");

        let list = agency.owner.done("list_calls", &[("query[batch]", &batch)]).await.json();
        let rows = list["page"]["rows"].as_array().expect("rows").clone();
        assert_eq!(rows.len(), 3, "{list}");
        let call = rows.iter().find(|row| row["number"] == "+12025550020").expect("Anna's call")["id"]
            .as_str()
            .expect("an id")
            .to_owned();
        assert!(rows.iter().all(|row| !row["sentiment"].is_null()), "all calls were read: {list}");
        // The viewer of the client sees what was said and what it means, and not what the agency keeps to itself.
        let seen = agency.one.viewer.done("get_call", &[("id", &call)]).await.json();
        assert!(seen["turns"].as_array().is_some_and(|turns| turns.len() > 3), "a transcript: {seen}");
        assert!(seen["analysis"].is_object() && seen["summary"].is_string(), "an analysis: {seen}");
        assert_eq!(seen["outcome"], "answered");
        assert_eq!(seen["goal_reached"], true, "+…0020 books a visit: {seen}");
        assert!(seen["costs"].is_null(), "cost is not shared with this client: {seen}");
        assert!(seen["events"].as_array().is_some_and(Vec::is_empty), "raw events are for the agency: {seen}");
        let evidence = seen["evidence"].as_array().expect("evidence").clone();
        assert!(!evidence.is_empty(), "what is claimed is shown with the words it stands on: {seen}");
        let page = agency.one.viewer.get(&format!("/calls/{call}")).await;
        assert!(page.text.contains("<dt>Answered"), "between start and end");
        assert!(page.status == 200 && page.text.contains("Anna Alt"), "{}", page.status);
        let text = agency.one.viewer.get(&format!("/calls/{call}/transcript.txt")).await;
        assert!(text.status == 200 && text.text.contains("Anna Alt"), "{text:?}");
        let sound = agency.one.viewer.get(&format!("/calls/{call}/recording.wav")).await;
        assert!(sound.status == 200 && sound.text.starts_with("RIFF"), "{}", sound.status);
        // The sister client and the other agency see nothing of it.
        for browser in [&agency.two.viewer, &agency.two.admin, &stranger.owner, &stranger.one.admin] {
            sees_nothing(browser, &call, &batch).await;
        }
        // The agency sees what it cost, and the figures agree.
        let usage = agency.owner.done("get_usage", &[("client", &agency.one.id)]).await.json();
        assert!(usage.to_string().contains("3"), "{usage}");
        let csv = agency.owner.get(&format!("/batches/{batch}/results.csv")).await;
        assert_eq!(csv.text.lines().count(), 4, "{}", csv.text);
    });
}

async fn sees_nothing(browser: &Browser, call: &str, batch: &str) {
    assert_eq!(browser.rpc("get_call", &[("id", call)]).await.status, 404);
    assert_eq!(browser.rpc("get_batch", &[("id", batch)]).await.status, 404);
    for path in ["recording.wav", "transcript.txt"] {
        assert_eq!(browser.get(&format!("/calls/{call}/{path}")).await.status, 404);
    }
    let list = browser.done("list_calls", &[]).await;
    assert!(!list.text.contains("Anna") && !list.text.contains(call), "{list:?}");
    let found = browser.done("list_calls", &[("query[q]", "Anna")]).await;
    assert!(!found.text.contains(call), "{found:?}");
    assert_eq!(browser.get(&format!("/calls/{call}")).await.status, 404);
}

/// What somebody who picked up can have come to: what was said decides.
const TALKED: [&str; 3] = ["answered", "declined", "callback_scheduled"];

#[test]
fn calls_that_go_wrong_end_as_they_should_and_nobody_is_rung_twice() {
    run(|world| async move {
        let (agency, works) = Agency::ready(world, "wrong").await;
        let contact = format!("/contacts/{}", works.contact);
        agency.owner.filled(&contact, "suppress_contact", &[("reason", "Asked not to be called")]).await;
        // Number, how often it may ring, the contact's state and possible outcomes afterwards.
        let cases = [
            ("+12025550001", 1, "completed", &["busy"][..]),
            ("+12025550002", 1, "completed", &["no_answer"]),
            ("+12025550004", 1, "completed", &["declined"]),
            ("+12025550003", 1, "completed", &["voicemail"]),
            // Placed, although the answer never came, was no JSON, or was an error.
            ("+12125550006", 1, "completed", &TALKED),
            ("+12025550008", 1, "completed", &TALKED),
            ("+12025550012", 1, "completed", &TALKED),
            // Not a number; and one that the carrier does not know.
            ("+12025550009", 0, "failed", &[]),
            ("+12025550010", 1, "failed", &[]),
            // Refused once, then fine.
            ("+12025550015", 1, "completed", &TALKED),
            ("+12025550017", 1, "completed", &TALKED),
            ("+12025550013", 1, "completed", &TALKED),
        ];
        for (number, ..) in cases {
            agency.contact(number).await;
        }
        let batch = agency.batch(&works.campaign, 3).await;
        // Trouble in a row pauses the batch, with the reason and what to do: a person looks, and goes on.
        for _ in 0..20 {
            agency.drain().await;
            let view = agency.owner.done("get_batch", &[("id", &batch)]).await.json();
            if view["status"] == "completed" {
                break;
            }
            if view["status"] == "paused" {
                assert!(view["pause_reason"].as_str().is_some_and(|reason| reason.contains("Resume")), "{view}");
                agency.owner.fill(&format!("/batches/{batch}"), "resume_batch", &[]).await;
            }
        }
        // What was said is read after the call: an answering machine is found out then.
        agency.finished(&batch).await;
        let (times, people) = (called(world, &works.key), members(&agency, &works.campaign).await);
        let mut wrong = Vec::new();
        for (number, rings, status, outcomes) in cases {
            let person = people.get(number).unwrap_or_else(|| panic!("{number} is not in the campaign: {people:?}"));
            let rang = times.get(number).copied().unwrap_or(0);
            let fits = match person["outcome"].as_str() {
                Some(found) => outcomes.contains(&found),
                None => outcomes.is_empty(),
            };
            if !fits || rang != rings || person["status"] != status {
                wrong.push(format!(
                    "{number} rang {rang} times; wanted {rings}, {status}, one of {outcomes:?}; {person}"
                ));
            }
        }
        assert!(wrong.is_empty(), "{wrong:#?}");
        assert!(!times.contains_key("+12025550113"), "somebody on the do-not-call list was called: {times:?}");
        for number in ["+12025550009", "+12025550010"] {
            let said = people[number]["last_error"].as_str().unwrap_or_default();
            assert!(said.len() > 20, "{number}: the reason stands beside it: {:?}", people[number]);
        }
    });
}

#[test]
fn a_provider_that_is_full_is_left_alone_and_a_stopped_batch_gives_its_people_back() {
    run(|world| async move {
        let (agency, works) = Agency::ready(world, "full").await;
        let busy = "+12025550007";
        let contact = format!("/contacts/{}", works.contact);
        agency.owner.filled(&contact, "suppress_contact", &[("reason", "Asked not to be called")]).await;
        agency.contact(busy).await;
        let settings = SandboxSettings { retry_after_secs: 60, ..(*world.sandbox.settings()).clone() };
        world.sandbox.set_settings(Some(&works.key), settings);
        let batch = agency.batch(&works.campaign, 1).await;
        let refused = || {
            world
                .sandbox
                .call_log(Some(&works.key))
                .into_iter()
                .filter(|entry| entry.outcome == "refused_limit")
                .count()
        };
        // It says that it wants a minute's peace.
        agency.background.drain_for(Duration::from_secs(50)).await;
        assert_eq!(refused(), 1, "asked again too soon");
        agency.background.drain_for(Duration::from_secs(40)).await;
        assert_eq!(refused(), 2, "asked once more after that");
        let page = format!("/batches/{batch}");
        agency.owner.filled(&page, "pause_batch", &[]).await;
        let view = agency.owner.done("get_batch", &[("id", &batch)]).await.json();
        assert_eq!(view["status"], "paused");
        // Twice is as good as once, and so is stopping.
        agency.owner.done("pause_batch", &[("id", &batch)]).await;
        agency.owner.filled(&page, "stop_batch", &[]).await;
        agency.owner.done("stop_batch", &[("id", &batch)]).await;
        agency.drain().await;
        assert_eq!(members(&agency, &works.campaign).await[busy]["status"], "pending", "the person waits again");
        assert_eq!(
            members(&agency, &works.campaign).await[busy]["attempts"],
            0,
            "a call that was never placed is no attempt"
        );
        assert!(called(world, &works.key).is_empty());
        assert_eq!(agency.owner.rpc("resume_batch", &[("id", &batch)]).await.status, 409, "stopped is stopped");
        let view = agency.owner.done("get_batch", &[("id", &batch)]).await.json();
        assert_eq!(view["status"], "stopped");
        let shown = agency.owner.get(&page).await.text;
        assert!(shown.contains("Stopped by ") && shown.contains("back in the campaign"), "who stopped it: {shown}");
        let listed = |status: &'static str| {
            let owner = &agency.owner;
            async move { owner.done("list_batches", &[("query[status]", status)]).await.json()["rows"].clone() }
        };
        let stopped = listed("stopped").await;
        assert_eq!(stopped[0]["id"], batch.as_str(), "the list can be narrowed to it: {stopped}");
        assert!(stopped[0]["note"].as_str().is_some_and(|note| note.starts_with("Stopped by ")), "{stopped}");
        assert_eq!(listed("completed").await, serde_json::json!([]), "it did not come to its end");
        let campaign = agency.owner.get(&format!("/campaigns/{}?tab=batches", works.campaign)).await.text;
        assert!(campaign.contains("Stopped"), "its campaign says so too");
    });
}

#[test]
fn busy_lines_are_never_more_than_asked_for() {
    run(|world| async move {
        let (agency, works) = Agency::ready(world, "lines").await;
        for at in 40..60 {
            agency.contact(&format!("+120255500{at}")).await;
        }
        let batch = agency.batch(&works.campaign, 3).await;
        agency.finished(&batch).await;
        let times = called(world, &works.key);
        assert_eq!((times.len(), times.values().max()), (21, Some(&1)), "{times:?}");
        let most = world.sandbox.gauges()[&works.key]["maxLive"].as_u64();
        assert!(most.is_some_and(|most| (1..=3).contains(&most)), "{most:?} calls at once");
    });
}
