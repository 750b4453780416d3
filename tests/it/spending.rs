//! Who may dial, spend and come in is asked when it is done, and not only when the form was sent: workspaces that are suspended, clients that
//! are archived and numbers that have moved on in between.

use serde_json::{Value, json};

use super::support::agency::{PASSWORD, agent_fields, invitation};
use super::support::{Agency, Answer, Browser, WebhookSender, World, owner_value, run, unique};

/// A platform admin, who suspends and reactivates.
async fn platform(world: &World) -> Browser {
    let email = format!("{}@platform.example", unique("root"));
    patchbay_platform::server::ops::create_admin(&world.db, "Root", &email, PASSWORD).await.expect("an admin");
    Browser::signed_in(world, &email).await
}

async fn set_status(platform: &Browser, agency: &Agency, status: &str) {
    let fields = [("id", agency.workspace_id.as_str()), ("status", status), ("reason", "Unpaid")];
    platform.done("set_workspace_status", &fields).await;
}

/// How often somebody's phone rang because of this account.
fn rang(world: &World, key: &str) -> usize {
    world.sandbox.call_log(Some(key)).into_iter().filter(|entry| entry.placed).count()
}

async fn batch(browser: &Browser, id: &str) -> Value {
    browser.done("get_batch", &[("id", id)]).await.json()
}

/// Orders a number that is on offer and not the agency's yet.
async fn order(agency: &Agency, client: &str) -> String {
    let search = [("form[country]", "US"), ("form[area_code]", ""), ("form[contains]", "")];
    let offers = agency.owner.done("search_numbers", &search).await.json();
    let number = offers[1]["number"].as_str().unwrap_or_else(|| panic!("offers: {offers}")).to_owned();
    let fields = [
        ("number", number.as_str()),
        ("country", "US"),
        ("features", "voice"),
        ("monthly_cost", "1.00"),
        ("client_id", client),
    ];
    agency.owner.made("order_number", &fields).await
}

/// Gives the number to a client, or to the whole agency.
async fn assign(agency: &Agency, number: &str, client: &str) {
    let fields = [("client_id", client), ("agent_id", ""), ("direction", "outbound")];
    agency.owner.filled(&format!("/numbers/{number}"), "assign_number", &fields).await;
}

#[test]
fn a_suspension_stops_a_batch_which_goes_on_by_itself_afterwards() {
    run(|world| async move {
        let (agency, works) = Agency::ready(world, "suspended-batch").await;
        let platform = platform(world).await;
        agency.one.viewer.join().await;
        let id = agency.batch(&works.campaign, 1).await;
        set_status(&platform, &agency, "suspended").await;
        agency.drain().await;
        assert_eq!(rang(world, &works.key), 0, "nobody is called");
        let view = batch(&agency.owner, &id).await;
        assert_eq!(view["status"], "paused", "{view}");
        assert!(view["pause_reason"].as_str().is_some_and(|why| why.contains("suspended")), "{view}");
        let page = agency.owner.get(&format!("/batches/{id}")).await.text;
        assert!(page.contains("The workspace is suspended. The batch goes on by itself"), "the page says so");
        let seen = batch(&agency.one.viewer, &id).await;
        assert!(seen["pause_reason"].as_str().is_some_and(|why| why.contains("suspended")), "{seen}");
        // Nobody can go on with it meanwhile, and later nobody has to.
        assert_eq!(agency.owner.rpc("resume_batch", &[("id", &id)]).await.status, 409);
        set_status(&platform, &agency, "active").await;
        agency.finished(&id).await;
        assert_eq!(rang(world, &works.key), 1);
    });
}

#[test]
fn a_batch_that_a_person_paused_stays_paused_through_a_suspension() {
    run(|world| async move {
        let (agency, works) = Agency::ready(world, "paused-batch").await;
        let platform = platform(world).await;
        let id = agency.batch(&works.campaign, 1).await;
        agency.owner.done("pause_batch", &[("id", &id)]).await;
        set_status(&platform, &agency, "suspended").await;
        agency.drain().await;
        set_status(&platform, &agency, "active").await;
        agency.drain().await;
        assert_eq!(batch(&agency.owner, &id).await["status"], "paused");
        assert_eq!(rang(world, &works.key), 0);
    });
}

#[test]
fn a_suspended_workspace_rents_no_number_and_changes_no_agent_until_it_is_active_again() {
    run(|world| async move {
        let (agency, works) = Agency::ready(world, "suspended-order").await;
        let platform = platform(world).await;
        let number = order(&agency, "").await;
        let name = unique("Renamed");
        let fields = agent_fields(&name, &agency.one.id, &works.prompt);
        let fields: Vec<(&str, &str)> = fields
            .into_iter()
            .map(|(key, value)| (key, if key == "id" { works.agent.as_str() } else { value }))
            .collect();
        let fields = [fields.as_slice(), &[("publish", "true")]].concat();
        agency.owner.done("save_agent", &fields).await;
        set_status(&platform, &agency, "suspended").await;
        agency.drain().await;
        let shown = agency.owner.done("get_number", &[("id", &number)]).await.json();
        assert_eq!(shown["row"]["status"], "pending", "{shown}");
        assert!(shown["row"]["error"].as_str().is_some_and(|why| why.contains("suspended")), "it says why: {shown}");
        let synced = format!(
            "select count(*) from agent_mappings m join agents a on a.id = m.agent_id
             where a.id = '{}' and m.synced_at >= a.updated_at",
            works.agent
        );
        assert_eq!(owner_value::<i64>(world, &synced).await, 0, "the voice service has not been told");
        set_status(&platform, &agency, "active").await;
        agency.drain().await;
        let shown = agency.owner.done("get_number", &[("id", &number)]).await.json();
        assert_eq!((&shown["row"]["status"], &shown["row"]["error"]), (&json!("active"), &Value::Null), "{shown}");
        assert_eq!(owner_value::<i64>(world, &synced).await, 1);
    });
}

#[test]
fn nobody_joins_a_suspended_workspace_or_an_archived_client() {
    run(|world| async move {
        let agency = Agency::new(world, "suspended-join").await;
        let platform = platform(world).await;
        let mail = |name: &str| format!("{name}@{}.example", agency.name);
        let member = invitation(&agency.owner, &mail("member"), "agency_member", "").await;
        let viewer = invitation(&agency.owner, &mail("viewer"), "client_viewer", &agency.two.id).await;
        let accept = async |token: &str| -> Answer {
            let fields = [("token", token), ("name", "Nina New"), ("password", PASSWORD)];
            Browser::new(world).rpc("accept_invitation", &fields).await
        };
        set_status(&platform, &agency, "suspended").await;
        let refused = accept(&member).await;
        assert!(refused.status == 409 && refused.text.contains("suspended"), "{refused:?}");
        set_status(&platform, &agency, "active").await;
        assert_eq!(accept(&member).await.status, 200, "the link was not spent");
        let archived = [("id", agency.two.id.as_str()), ("status", "archived")];
        agency.owner.done("set_client_status", &archived).await;
        let refused = accept(&viewer).await;
        assert_eq!(refused.status, 409, "{refused:?}");
        agency.owner.done("set_client_status", &[("id", &agency.two.id), ("status", "active")]).await;
        assert_eq!(accept(&viewer).await.status, 200);
    });
}

#[test]
fn nothing_is_dialled_or_bought_or_read_for_an_archived_client() {
    run(|world| async move {
        let (agency, works) = Agency::worked(world, "archived").await;
        let called = rang(world, &works.key);
        agency.contact("+12025550133").await;
        let page = format!("/campaigns/{}?tab=contacts", works.campaign);
        agency.owner.filled(&page, "add_campaign_contacts", &[("by", "all")]).await;
        // A number is on order for it when it is archived.
        let number = order(&agency, &agency.one.id).await;
        let status = |status: &'static str| [("id", agency.one.id.clone()), ("status", status.to_owned())];
        let set = async |word: &'static str| {
            let fields = status(word);
            let fields: Vec<(&str, &str)> = fields.iter().map(|(key, value)| (*key, value.as_str())).collect();
            agency.owner.done("set_client_status", &fields).await;
        };
        set("archived").await;
        agency.drain().await;
        let shown = agency.owner.done("get_number", &[("id", &number)]).await.json();
        assert_eq!(shown["row"]["status"], "released", "nothing was rented: {shown}");
        assert!(shown["row"]["error"].as_str().is_some_and(|why| why.contains("archived")), "{shown}");
        let fields =
            [("campaign", works.campaign.as_str()), ("name", "Late"), ("mode", "immediate"), ("concurrency", "1")];
        let refused = agency.owner.rpc("create_batch", &fields).await;
        assert!(refused.error_at("campaign").is_some_and(|why| why.contains("archived")), "{refused:?}");
        let readiness = agency.owner.done("batch_readiness", &[("campaign", &works.campaign)]).await.text;
        assert!(readiness.contains("The client is archived"), "{readiness}");
        // Asking a model again costs, too.
        agency.owner.done("retry_enrichment", &[("id", &works.call), ("kind", "analysis")]).await;
        agency.drain().await;
        let call = agency.owner.done("get_call", &[("id", &works.call)]).await.json();
        assert!(call["analysis_problem"]["error"].as_str().is_some_and(|why| why.contains("archived")), "{call}");
        // Numbers and campaigns are not made for it.
        let order = [("number", "+12025550191"), ("country", "US"), ("client_id", agency.one.id.as_str())];
        assert!(agency.owner.rpc("order_number", &order).await.error_at("client_id").is_some());
        assert_eq!(rang(world, &works.key), called, "nobody was called");
        set("active").await;
        let id = agency.batch(&works.campaign, 1).await;
        agency.finished(&id).await;
        assert_eq!(rang(world, &works.key), called + 1);
    });
}

#[test]
fn a_client_is_never_archived_while_a_batch_begins() {
    run(|world| async move {
        let (agency, works) = Agency::ready(world, "archive-race").await;
        agency.owner.filled(&format!("/campaigns/{}", works.campaign), "move_campaign", &[("to", "active")]).await;
        let page = format!("/campaigns/{}?tab=contacts", works.campaign);
        agency.owner.filled(&page, "add_campaign_contacts", &[("by", "all")]).await;
        let begin =
            [("campaign", works.campaign.as_str()), ("name", "Race"), ("mode", "immediate"), ("concurrency", "1")];
        let archive = [("id", agency.one.id.as_str()), ("status", "archived")];
        for round in 0..12 {
            let (batch, archived) =
                tokio::join!(agency.owner.rpc("create_batch", &begin), agency.owner.rpc("set_client_status", &archive));
            assert!(
                (batch.status == 200) != (archived.status == 200),
                "round {round}: one of them comes first, and the other hears of it: {batch:?} {archived:?}"
            );
            if let Some(id) = batch.id() {
                agency.owner.done("stop_batch", &[("id", &id)]).await;
            } else {
                agency.owner.done("set_client_status", &[("id", &agency.one.id), ("status", "active")]).await;
            }
        }
    });
}

#[test]
fn a_number_that_was_given_to_another_client_calls_for_the_first_one_no_more() {
    run(|world| async move {
        let (agency, works) = Agency::ready(world, "moved-number").await;
        agency.one.viewer.join().await;
        let id = agency.batch(&works.campaign, 1).await;
        assign(&agency, &works.number, &agency.two.id).await;
        agency.drain().await;
        assert_eq!(rang(world, &works.key), 0, "nobody is called from another client's number");
        let view = batch(&agency.owner, &id).await;
        let why = view["error"].as_str().unwrap_or_default();
        assert!(view["status"] == "failed" && why.contains("belongs to another client"), "{view}");
        let seen = batch(&agency.one.viewer, &id).await;
        let why = seen["error"].as_str().unwrap_or_default();
        assert!(why.contains("no longer this campaign's") && !why.contains("another client"), "{seen}");
        let campaign = agency.owner.done("get_campaign", &[("id", &works.campaign)]).await.text;
        assert!(campaign.contains("The number belongs to another client now"), "{campaign}");
        // Its people wait in the campaign meanwhile, and nothing goes on before the number is back.
        let waiting = agency.owner.done("list_campaign_contacts", &[("query[campaign]", &works.campaign)]).await.json();
        assert_eq!(waiting["rows"][0]["status"], "pending", "{waiting}");
        let early = agency.owner.rpc("resume_batch", &[("id", &id)]).await;
        assert!(early.status == 409 && early.text.contains("belongs to another client"), "{early:?}");
        assign(&agency, &works.number, &agency.one.id).await;
        agency.owner.filled(&format!("/batches/{id}"), "resume_batch", &[]).await;
        agency.owner.done("resume_batch", &[("id", &id)]).await;
        agency.finished(&id).await;
        assert_eq!(rang(world, &works.key), 1);
    });
}

/// Changes how the voice service behaves towards one account.
async fn behave(world: &World, key: &str, change: Value) {
    let address = format!("{}/sandbox/settings?key={key}", world.sandbox_base);
    let answer = reqwest::Client::new().patch(address).json(&change).send().await.expect("the sandbox answers");
    assert!(answer.status().is_success(), "{answer:?}");
}

#[test]
fn a_call_whose_request_was_lost_is_not_placed_again_from_a_number_that_moved() {
    run(|world| async move {
        let (agency, works) = Agency::ready(world, "moved-redial").await;
        // The service errs, and nobody knows whether it has placed the call.
        behave(world, &works.key, json!({ "create_faults": { "error": 1.0 } })).await;
        let id = agency.batch(&works.campaign, 1).await;
        agency.background.drain_for(std::time::Duration::from_secs(2)).await;
        assert_eq!(world.sandbox.call_log(Some(&works.key)).len(), 1, "it was asked once");
        behave(world, &works.key, json!({ "create_faults": { "error": 0.0 } })).await;
        assign(&agency, &works.number, &agency.two.id).await;
        agency.drain().await;
        agency.background.pass(std::time::Duration::from_secs(30)).await;
        agency.drain().await;
        assert_eq!(rang(world, &works.key), 0, "{:?}", world.sandbox.call_log(Some(&works.key)));
        let view = batch(&agency.owner, &id).await;
        assert!(
            view["status"] == "failed" && view["progress"]["waiting"] == 0,
            "the contact waits in the campaign: {view}"
        );
        assign(&agency, &works.number, &agency.one.id).await;
        agency.owner.done("resume_batch", &[("id", &id)]).await;
        agency.finished(&id).await;
        assert_eq!(rang(world, &works.key), 1);
    });
}

#[test]
fn somebody_who_calls_a_suspended_workspace_is_not_talked_to() {
    run(|world| async move {
        let sender = WebhookSender::new(world, "suspended-inbound").await;
        let platform = platform(world).await;
        let path = format!("{}/ultravox/api/calls", world.sandbox_base);
        let key = sender.account.clone();
        // A long call at the voice service.
        behave(world, &key, json!({ "speed": 0.02, "ring_secs": [0.0, 0.0] })).await;
        let http = reqwest::Client::new();
        let body = json!({ "systemPrompt": "Talk.", "medium": { "webRtc": {} } });
        let answer = http.post(&path).header("x-api-key", &key).json(&body).send().await.expect("an answer");
        let call: Value = answer.json().await.expect("a call");
        let id = call["callId"].as_str().unwrap_or_else(|| panic!("a call: {call}")).to_owned();
        let ended = async || -> Value {
            let answer = http.get(format!("{path}/{id}")).header("x-api-key", &key).send().await.expect("an answer");
            answer.json::<Value>().await.expect("a call")["ended"].clone()
        };
        let event = json!({ "event": "call.joined", "call": {
            "callId": id, "created": call["created"], "joined": call["created"],
            "medium": { "telnyx": { "incoming": {} } },
        }});
        let event = event.to_string();
        assert_eq!(sender.deliver(event.as_bytes()).await, 204);
        sender.settled(world).await;
        assert!(ended().await.is_null(), "an active workspace talks");
        set_status(&platform, &sender.agency, "suspended").await;
        let again = event.replace("call.joined", "call.started");
        assert_eq!(sender.deliver(again.as_bytes()).await, 204, "events are taken in all the same");
        sender.settled(world).await;
        assert!(!ended().await.is_null(), "a suspended one does not");
    });
}

#[test]
fn a_batch_whose_time_comes_in_a_suspension_starts_after_it() {
    run(|world| async move {
        let (agency, works) = Agency::ready(world, "suspended-schedule").await;
        let platform = platform(world).await;
        agency.owner.filled(&format!("/campaigns/{}", works.campaign), "move_campaign", &[("to", "active")]).await;
        let page = format!("/campaigns/{}?tab=contacts", works.campaign);
        agency.owner.filled(&page, "add_campaign_contacts", &[("by", "all")]).await;
        let soon = (chrono::Utc::now() + chrono::Duration::hours(1))
            .with_timezone(&patchbay_shared::zone::zone("Europe/Zurich"));
        let at = soon.format("%Y-%m-%dT%H:%M").to_string();
        let fields = [("name", "Later"), ("mode", "scheduled"), ("scheduled_for", at.as_str()), ("concurrency", "1")];
        let id =
            agency.owner.made_on(&format!("/batches/new?campaign={}", works.campaign), "create_batch", &fields).await;
        set_status(&platform, &agency, "suspended").await;
        agency.background.pass(std::time::Duration::from_secs(2 * 3600)).await;
        agency.drain().await;
        assert_eq!(rang(world, &works.key), 0);
        assert_eq!(batch(&agency.owner, &id).await["status"], "paused");
        set_status(&platform, &agency, "active").await;
        agency.finished(&id).await;
        assert_eq!(rang(world, &works.key), 1);
    });
}

#[test]
fn somebody_who_asked_not_to_be_called_is_not_called_again_after_a_lost_request() {
    run(|world| async move {
        let (agency, works) = Agency::ready(world, "suppressed-redial").await;
        behave(world, &works.key, json!({ "create_faults": { "error": 1.0 } })).await;
        let id = agency.batch(&works.campaign, 1).await;
        agency.background.drain_for(std::time::Duration::from_secs(2)).await;
        behave(world, &works.key, json!({ "create_faults": { "error": 0.0 } })).await;
        let page = format!("/contacts/{}", works.contact);
        agency.owner.filled(&page, "suppress_contact", &[("reason", "Asked by mail")]).await;
        agency.background.pass(std::time::Duration::from_secs(30)).await;
        agency.finished(&id).await;
        assert_eq!(rang(world, &works.key), 0, "{:?}", world.sandbox.call_log(Some(&works.key)));
    });
}
