//! Tools that ask services of a known form: a search, a calendar; and what becomes of uses whose process is gone.

use serde_json::{Value, json};

use patchbay_access::server::{Machine, Scope};
use patchbay_shared::ids::{CallId, WorkspaceId};
use patchbay_tools::server::live;

use super::support::{Agency, World, owner_lines, owner_value, run};
use super::tools::{added, call_of, knock, tried};

async fn sql(world: &World, text: String) {
    sqlx::raw_sql(sqlx::AssertSqlSafe(text)).execute(&world.owner).await.expect("a statement");
}

fn answer(found: &Value) -> &str {
    found["answer"].as_str().unwrap_or_else(|| panic!("an answer: {found}"))
}

#[test]
fn a_search_reads_results_where_the_form_says_they_are() {
    run(|world: &World| async move {
        let (agency, works) = Agency::ready(world, "search").await;
        let agent = works.agent.as_str();
        let form = format!("/agents/{agent}/tools/new?kind=web_search");
        let address = format!("{}/tools/search?q={{query}}", world.sandbox_base);
        let secret = "X-Subscription-Token: swordfish-1234";
        let fields = [("address", address.as_str()), ("secret_headers", secret), ("results", "3")];
        let tool = added(&agency, &form, &fields).await;
        let found = tried(&agency, agent, &tool, &[("arg_query", "opening hours & more")]).await;
        assert_eq!(found["status"], "succeeded", "{found}");
        assert!(answer(&found).starts_with("[1] opening hours & more (1)\nhttps://pages.example/1\n"), "{found}");
        assert!(answer(&found).contains("[3]") && !answer(&found).contains("[4]"), "{found}");
        assert!(!found.to_string().contains("swordfish"), "{found}");
        let found = tried(&agency, agent, &tool, &[("arg_query", "nothing")]).await;
        assert!(answer(&found).contains("found nothing"), "{found}");
        let page = format!("/agents/{agent}/tools/{tool}");
        agency.owner.filled(&page, "save_agent_tool", &[("results_at", "organic")]).await;
        let found = tried(&agency, agent, &tool, &[("arg_query", "hours")]).await;
        assert!(found["status"] == "failed" && answer(&found).contains("not where this tool looks"), "{found}");
        let wrong = [("address", "https://search.example/?q=words"), ("results", "99")];
        let refused = agency.owner.fill(&form, "save_agent_tool", &wrong).await;
        assert!(refused.error_at("address").is_some() && refused.error_at("results").is_some(), "{refused:?}");
        // Without a mail server nothing can be written, and the form says so.
        let form = format!("/agents/{agent}/tools/new?kind=send_email");
        let refused = agency.owner.fill(&form, "save_agent_tool", &[]).await;
        assert!(refused.status == 422 && refused.text.contains("no mail server"), "{refused:?}");
        // What is announced and not there cannot be added.
        let new = agency.owner.get(&format!("/agents/{agent}/tools/new")).await;
        assert!(new.text.contains("HubSpot comes with the integrations"), "it is named");
        let hubspot = [("agent", agent), ("kind", "hubspot"), ("tool_name", "crm"), ("description", "Asks.")];
        assert_eq!(agency.owner.rpc("save_agent_tool", &hubspot).await.status, 422);
    });
}

#[test]
fn appointments_are_made_moved_and_cancelled_once_and_for_the_person_on_the_call_alone() {
    run(|world: &World| async move {
        let (agency, works) = Agency::ready(world, "calendar").await;
        let agent = works.agent.as_str();
        let form = format!("/agents/{agent}/tools/new?kind=calendar");
        let address = format!("{}/tools/calcom/v2", world.sandbox_base);
        let key = format!("cal_{}", agency.name);
        let fields = [("address", address.as_str()), ("event_type", "123"), ("time_zone", "Europe/Vienna")];
        let refused = agency.owner.fill(&form, "save_agent_tool", &fields).await;
        assert!(refused.error_at("calendar_key").is_some(), "{refused:?}");
        let tool = added(&agency, &form, &[&fields[..], &[("calendar_key", key.as_str())]].concat()).await;
        let phone = ("phone", "+12025550113");
        let used = async |end: &str, given: &[(&str, &str)]| {
            let given = [&[phone], given].concat();
            tried(&agency, agent, &format!("{tool}?function=calendar_{end}"), &given).await
        };
        let found = used("slots", &[("arg_days", "7")]).await;
        let free: Value = serde_json::from_str(answer(&found)).unwrap_or_else(|_| panic!("free times: {found}"));
        let start = free["free"][0].as_str().expect("a time").to_owned();
        let other = free["free"][1].as_str().expect("another").to_owned();
        assert!(start.ends_with("+01:00") || start.ends_with("+02:00"), "in the calendar's zone: {start}");

        let person = [("arg_start", start.as_str()), ("arg_name", "Carla Contact")];
        let found = used("book", &person).await;
        assert!(answer(&found).contains("e-mail address is needed"), "{found}");
        let person = [&person[..], &[("arg_email", "carla@example.com")]].concat();
        let found = used("book", &person).await;
        assert!(answer(&found).starts_with("It is booked."), "{found}");
        let booked: Value = serde_json::from_str(found["response"].as_str().expect("a booking")).expect("JSON");
        let uid = booked["booking"].as_str().expect("an id").to_owned();
        // Once more is no other booking; somebody else does not get the time.
        let again = used("book", &person).await;
        assert!(answer(&again).starts_with("It is booked already.") && answer(&again).contains(&uid), "{again}");
        let taken = [&person[..2], &[("arg_email", "dora@example.com")]].concat();
        let found = used("book", &taken).await;
        assert!(found["status"] == "failed" && answer(&found).contains("not available"), "{found}");

        let third = free["free"][2].as_str().expect("a third time");
        let theirs = [("arg_start", third), ("arg_name", "Dora"), ("arg_email", "dora@example.com")];
        assert_eq!(used("book", &theirs).await["status"], "succeeded");

        // It is nobody's here until the contact has this address.
        for (end, given) in [
            ("cancel", vec![("arg_booking", uid.as_str())]),
            ("reschedule", vec![("arg_booking", uid.as_str()), ("arg_start", other.as_str())]),
            ("cancel", vec![("arg_booking", "../slots")]),
        ] {
            let found = used(end, &given).await;
            assert!(found["status"] == "failed" && answer(&found).contains("no such booking"), "{end}: {found}");
        }
        sql(world, format!("update contacts set email = 'carla@example.com' where id = '{}'", works.contact)).await;
        let found = used("list", &[]).await;
        assert!(answer(&found).contains(&uid), "{found}");
        assert_eq!(answer(&found).matches("\"booking\"").count(), 1, "nobody else's: {found}");
        let found = used("reschedule", &[("arg_booking", &uid), ("arg_start", &other)]).await;
        assert!(answer(&found).starts_with("It is moved."), "{found}");
        let again = used("reschedule", &[("arg_booking", &uid), ("arg_start", &other)]).await;
        assert!(answer(&again).starts_with("It is moved."), "asked twice, moved once: {again}");
        let moved: Value = serde_json::from_str(found["response"].as_str().expect("a booking")).expect("JSON");
        let now = moved["booking"].as_str().expect("an id").to_owned();
        for _ in 0..2 {
            let found = used("cancel", &[("arg_booking", &now)]).await;
            assert!(found["status"] == "succeeded" && answer(&found).contains("cancelled"), "{found}");
        }
        let found = used("list", &[]).await;
        assert!(answer(&found).contains("no coming appointments"), "{found}");
        let found = used("book", &[("arg_start", "tomorrow at ten"), ("arg_name", "Carla")]).await;
        assert!(found["status"] == "failed" && answer(&found).contains("exactly as"), "{found}");
        let page = agency.owner.get(&format!("/agents/{agent}/tools/{tool}")).await;
        assert!(!page.text.contains(&key), "the page shows the key");
        let stored =
            format!("select tool_config::text || coalesce(sealed_secrets, '') from agent_tools where id = '{tool}'");
        assert!(!owner_value::<String>(world, &stored).await.contains(&key), "the key lies open");
        // Kept when the form is saved without it; not taken along to another host.
        agency
            .owner
            .filled(&format!("/agents/{agent}/tools/{tool}"), "save_agent_tool", &[("event_type", "124")])
            .await;
        let found = used("slots", &[]).await;
        assert_eq!(found["status"], "succeeded", "{found}");
        let moved = [("address", "https://cal.example.com/v2")];
        let refused = agency.owner.fill(&format!("/agents/{agent}/tools/{tool}"), "save_agent_tool", &moved).await;
        assert!(refused.error_at("calendar_key").is_some(), "{refused:?}");
    });
}

#[test]
fn a_use_without_an_end_is_ended_and_what_was_done_between_is_seen() {
    run(|world: &World| async move {
        let (agency, works) = Agency::ready(world, "lost-uses").await;
        let agent = works.agent.as_str();
        let new = format!("/agents/{agent}/tools/new?kind=");
        let look = added(&agency, &format!("{new}contact_lookup"), &[]).await;
        let change = added(&agency, &format!("{new}contact_update"), &[("may_change_company", "true")]).await;
        let call = call_of(&agency, world, &works).await;
        sql(world, format!("update calls set ended_at = null where id = '{call}'")).await;
        let workspace: WorkspaceId = agency.workspace_id.parse().expect("an id");
        let of_call: CallId = call.parse().expect("an id");
        let token = live::token(world.db.services(), workspace, of_call).expect("a token").expose().clone();
        let used = async |tool: &str, function: &str, given: Value| {
            let door = format!("/hooks/tools/{workspace}/{tool}/{function}");
            knock(world, &door, Some(&token), None, &given).await
        };
        // Somebody corrects a detail, and asks what is stored now: at once, and with the same words as before.
        used(&look, "contact_lookup", json!({})).await;
        let changed = used(&change, "contact_update", json!({"company": "Nul\u{0} Works"})).await;
        assert_eq!(changed.status, 200, "a character that no database takes: {changed:?}");
        let found = used(&look, "contact_lookup", json!({})).await;
        assert!(found.text.contains("Works"), "what is stored now: {found:?}");

        // A process that was killed leaves a use that goes on for ever.
        let lost = format!(
            "update tool_invocations set status = 'running', answer = null, created_at = now() - interval '10 minutes'
             where id = (select id from tool_invocations where call_id = '{call}' and tool_id = '{change}' order by id desc limit 1)"
        );
        sql(world, lost).await;
        let upkeep = Machine { name: "a test", actions: &[patchbay_access::Action::UseTools] };
        let scope = Scope::of_upkeep(world.db.clone(), workspace, upkeep);
        patchbay_tools::server::stuck::sweep(&scope).await.expect("upkeep");
        let ended = format!("select status || ': ' || answer from tool_invocations where tool_id = '{change}'");
        let ended = owner_lines(world, &ended).await;
        assert_eq!(
            ended.iter().filter(|line| line.starts_with("failed: It is not known whether")).count(),
            1,
            "{ended:?}"
        );
        assert!(ended.iter().all(|line| !line.starts_with("running")), "{ended:?}");
    });
}
