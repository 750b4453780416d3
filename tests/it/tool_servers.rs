//! Servers of functions (MCP) as tools of agents: listed, chosen, used by people and on calls, and left alone when they change their words.

use serde_json::{Value, json};

use patchbay_shared::ids::{CallId, WorkspaceId};
use patchbay_tools::server::live;

use super::support::{Agency, Answer, World, owner_lines, owner_value, run};
use super::tools::{added, call_of, knock, tried};

/// A server at a path of the stand-in.
async fn server(agency: &Agency, world: &World, agent: &str, name: &str, path: &str, more: &[(&str, &str)]) -> String {
    let address = format!("{}/tools{path}", world.sandbox_base);
    let fields = [&[("tool_name", name), ("address", address.as_str())], more].concat();
    added(agency, &format!("/agents/{agent}/tools/new?kind=mcp"), &fields).await
}

async fn asked(agency: &Agency, agent: &str, tool: &str) -> Answer {
    agency.owner.rpc("list_tool_functions", &[("agent", agent), ("id", tool)]).await
}

/// What the page of the tool shows of its server: name, state, mark and what the agent calls it.
async fn offers(agency: &Agency, agent: &str, tool: &str) -> Vec<Value> {
    let page = agency.owner.done("get_agent_tool", &[("agent", agent), ("id", tool)]).await.json();
    page["offers"]["rows"].as_array().unwrap_or_else(|| panic!("offers: {page}")).clone()
}

fn of<'a>(rows: &'a [Value], name: &str) -> &'a Value {
    rows.iter().find(|row| row["name"] == name).unwrap_or_else(|| panic!("{name} among {rows:?}"))
}

/// Ticks these functions on the page, and gives what is offered then.
async fn chosen(agency: &Agency, agent: &str, tool: &str, names: &[&str]) -> Vec<Value> {
    let rows = offers(agency, agent, tool).await;
    let ticks: Vec<(String, &str)> = names
        .iter()
        .map(|name| (format!("mark_{}", of(&rows, name)["mark"].as_str().expect("a mark")), "true"))
        .collect();
    let mut fields: Vec<(&str, &str)> = ticks.iter().map(|(name, value)| (name.as_str(), *value)).collect();
    fields.extend([("agent", agent), ("id", tool)]);
    agency.owner.done("choose_tool_functions", &fields).await;
    offers(agency, agent, tool).await
}

/// Tries a function by its name at the server.
async fn used(agency: &Agency, agent: &str, tool: &str, name: &str, given: &[(&str, &str)]) -> Value {
    let rows = offers(agency, agent, tool).await;
    let called = of(&rows, name)["called"].as_str().expect("a name");
    tried(agency, agent, &format!("{tool}?function={called}"), given).await
}

#[test]
fn functions_of_a_server_are_chosen_tried_and_used_on_a_call() {
    run(|world: &World| async move {
        let (agency, works) = Agency::ready(world, "mcp").await;
        let agent = works.agent.as_str();
        let secret = [("secret_headers", "Authorization: Bearer swordfish-1234")];
        let tool = server(&agency, world, agent, "shop", "/mcp/shop", &secret).await;
        let page = format!("/agents/{agent}/tools/{tool}");
        assert!(agency.owner.get(&page).await.text.contains("Not asked yet"));
        agency.owner.filled(&page, "list_tool_functions", &[]).await;
        let rows = offers(&agency, agent, &tool).await;
        assert_eq!(rows.len(), 8, "both pages of the list: {rows:?}");
        assert_eq!(of(&rows, "either")["state"], "unfit", "{rows:?}");
        assert!(of(&rows, "find_order")["schema"].as_str().expect("a schema").contains("pattern: "), "{rows:?}");
        let names = ["find_order", "shop.stock", "fails", "wait", "everything", "headers", "forget_me"];
        let rows = chosen(&agency, agent, &tool, &names).await;
        assert_eq!(rows.iter().filter(|row| row["state"] == "chosen").count(), names.len(), "{rows:?}");
        let shown = agency.owner.get(&page).await;
        assert!(shown.text.contains("the agent calls it shop_find_order"), "the page names it");

        let found = used(&agency, agent, &tool, "find_order", &[("arg_order", "A-17")]).await;
        assert_eq!(found["status"], "succeeded", "{found}");
        assert!(found["answer"].as_str().expect("an answer").contains("\"order\":\"A-17\""), "{found}");
        assert!(found["request"].as_str().expect("a request").contains("tools/call"), "{found}");
        let found = used(&agency, agent, &tool, "shop.stock", &[("arg_article", "boots"), ("arg_place", "main")]).await;
        let answer = found["answer"].as_str().expect("an answer");
        assert!(answer.contains("in stock") && answer.contains("a picture of the type image/png"), "{found}");
        let found = used(&agency, agent, &tool, "headers", &[]).await;
        assert!(!found.to_string().contains("swordfish"), "a secret that came back: {found}");
        assert!(found["answer"].as_str().expect("an answer").contains("•••"), "{found}");
        let found = used(&agency, agent, &tool, "fails", &[]).await;
        assert_eq!((&found["status"], &found["answer"]), (&json!("failed"), &json!("The warehouse does not answer.")));
        let found = used(&agency, agent, &tool, "everything", &[]).await;
        assert_eq!(found["status"], "failed", "10 MB are not read: {found}");
        assert!(found["answer"].as_str().expect("an answer").contains("not known whether"), "{found}");
        // The server forgets the session: the next use begins another one by itself.
        for (name, given) in [("forget_me", vec![]), ("find_order", vec![("arg_order", "B-2")])] {
            let found = used(&agency, agent, &tool, name, &given).await;
            assert_eq!(found["status"], "succeeded", "{name}: {found}");
        }
        agency.owner.filled(&page, "save_agent_tool", &[("timeout_seconds", "1")]).await;
        let found = used(&agency, agent, &tool, "wait", &[]).await;
        assert_eq!(found["status"], "failed", "{found}");
        assert!(found["answer"].as_str().expect("an answer").contains("not known whether"), "{found}");

        // The voice service is told of each function, and uses it through the door.
        let rows = chosen(&agency, agent, &tool, &["find_order"]).await;
        assert_eq!(of(&rows, "wait")["state"], "new", "{rows:?}");
        let call = call_of(&agency, world, &works).await;
        let uses = format!("select distinct tool_name || ' ' || status from tool_invocations where call_id = '{call}'");
        assert_eq!(owner_lines(world, &uses).await, ["shop_find_order succeeded"]);
        sqlx::raw_sql(sqlx::AssertSqlSafe(format!("update calls set ended_at = null where id = '{call}'")))
            .execute(&world.owner)
            .await
            .expect("a call that goes on");
        let workspace: WorkspaceId = agency.workspace_id.parse().expect("an id");
        let of_call: CallId = call.parse().expect("an id");
        let token = live::token(world.db.services(), workspace, of_call).expect("a token").expose().clone();
        let door = |function: &str| format!("/hooks/tools/{workspace}/{tool}/{function}");
        let answer = knock(world, &door("shop_find_order"), Some(&token), None, &json!({"order": "C-3"})).await;
        assert!(answer.status == 200 && answer.text.contains("C-3"), "{answer:?}");
        let other = knock(world, &door("shop_wait"), Some(&token), None, &json!({})).await;
        assert_eq!(other.status, 404, "what is not chosen any more is not there: {other:?}");
        for shown in [page.clone(), "/settings/audit".to_owned()] {
            assert!(!agency.owner.get(&shown).await.text.contains("swordfish"), "{shown} shows the secret");
        }
    });
}

#[test]
fn a_function_that_says_something_else_now_rests_until_somebody_accepts_it() {
    run(|world: &World| async move {
        let (agency, works) = Agency::ready(world, "mcp-pins").await;
        let agent = works.agent.as_str();
        let path = format!("/mcp/shifty/{}", agency.name);
        let tool = server(&agency, world, agent, "shifty", &path, &[]).await;
        assert_eq!(asked(&agency, agent, &tool).await.status, 200);
        let before = chosen(&agency, agent, &tool, &["find_order", "describe_anew"]).await;
        let order = [("arg_order", "A-1")];
        assert_eq!(used(&agency, agent, &tool, "find_order", &order).await["status"], "succeeded");
        assert_eq!(used(&agency, agent, &tool, "describe_anew", &[]).await["status"], "succeeded");
        // Another conversation with the server, which hears the new words.
        let page = format!("/agents/{agent}/tools/{tool}");
        agency.owner.filled(&page, "save_agent_tool", &[("secret_headers", "X-Api-Key: swordfish-1234")]).await;
        let found = used(&agency, agent, &tool, "find_order", &order).await;
        assert_eq!(found["status"], "failed", "{found}");
        assert!(found["answer"].as_str().expect("an answer").contains("other words"), "{found}");
        let rows = offers(&agency, agent, &tool).await;
        let row = of(&rows, "find_order");
        assert_eq!(row["state"], "changed", "{row}");
        assert!(row["was"][0].as_str().expect("what was accepted").contains("by its number"), "{row}");
        assert!(agency.owner.get(&page).await.text.contains("card number"), "the new words are shown");
        assert!(agency.owner.get(&format!("/agents/{agent}/tools")).await.text.contains("Changed at the server"));
        // A page that was open since before accepts nothing that it has not shown.
        let old = format!("mark_{}", of(&before, "find_order")["mark"].as_str().expect("a mark"));
        let stale = [("agent", agent), ("id", tool.as_str()), (old.as_str(), "true")];
        assert_eq!(agency.owner.rpc("choose_tool_functions", &stale).await.status, 409);
        chosen(&agency, agent, &tool, &["find_order"]).await;
        assert_eq!(used(&agency, agent, &tool, "find_order", &order).await["status"], "succeeded");
        assert!(!agency.owner.get(&format!("/agents/{agent}/tools")).await.text.contains("Changed at the server"));
        let did =
            format!("select action from audit_events where entity = 'tool' and entity_id = '{tool}' order by seq");
        let did = owner_lines(world, &did).await;
        assert!(did.contains(&"functions asked for".to_owned()), "{did:?}");
        assert_eq!(did.iter().filter(|action| *action == "functions chosen").count(), 2, "{did:?}");

        // Another server: nothing of the former one is chosen there, and its secret does not go along.
        let moved = [("address", "https://mcp.example.com/x")];
        let refused = agency.owner.fill(&page, "save_agent_tool", &moved).await;
        assert!(refused.error_at("secret_headers").is_some(), "{refused:?}");
        let elsewhere = format!("{}/tools/mcp/stateless", world.sandbox_base);
        agency.owner.filled(&page, "save_agent_tool", &[("address", &elsewhere)]).await;
        assert!(offers(&agency, agent, &tool).await.is_empty());
    });
}

#[test]
fn servers_of_every_form_are_understood_and_what_is_none_is_said() {
    run(|world: &World| async move {
        let (agency, works) = Agency::ready(world, "mcp-forms").await;
        let agent = works.agent.as_str();
        for form in ["stream", "stateless"] {
            let tool = server(&agency, world, agent, form, &format!("/mcp/{form}"), &[]).await;
            let answer = asked(&agency, agent, &tool).await;
            assert_eq!(answer.status, 200, "{form}: {answer:?}");
            chosen(&agency, agent, &tool, &["find_order"]).await;
            let found = used(&agency, agent, &tool, "find_order", &[("arg_order", "A-17")]).await;
            assert!(found["answer"].as_str().expect("an answer").contains("A-17"), "{form}: {found}");
        }
        for (name, path, says) in [
            ("locked", "/status/401", "other credentials"),
            ("gone", "/status/404", "no MCP server"),
            ("broken", "/status/500", "no MCP server"),
            ("site", "/pages/hours", "no MCP server"),
            ("large", "/large", "no MCP server"),
            ("redirect", "/redirect", "no MCP server"),
        ] {
            let tool = server(&agency, world, agent, name, path, &[]).await;
            let answer = asked(&agency, agent, &tool).await;
            assert_eq!(answer.status, 422, "{name}: {answer:?}");
            assert!(answer.text.contains(says), "{name}: {answer:?}");
            let rows = offers(&agency, agent, &tool).await;
            assert!(rows.is_empty(), "{name}: {rows:?}");
        }
        for address in
            ["https://10.0.0.1/mcp", "https://localhost/mcp", "http://example.com/mcp", "https://x.example/?key=1"]
        {
            let fields = [("tool_name", "private"), ("address", address)];
            let form = format!("/agents/{agent}/tools/new?kind=mcp");
            let refused = agency.owner.fill(&form, "save_agent_tool", &fields).await;
            assert!(refused.error_at("address").is_some(), "{address}: {refused:?}");
        }
        let long = [("tool_name", "a_name_that_is_longer_than_it_may_be"), ("address", "https://mcp.example.com/")];
        let refused = agency.owner.fill(&format!("/agents/{agent}/tools/new?kind=mcp"), "save_agent_tool", &long).await;
        assert!(refused.error_at("tool_name").is_some(), "{refused:?}");
        let kept = format!(
            "select count(*) from agent_tools where workspace_id = '{}' and tool_name like 'private%'",
            agency.workspace_id
        );
        assert_eq!(owner_value::<i64>(world, &kept).await, 0);
    });
}
