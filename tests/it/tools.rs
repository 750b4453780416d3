//! The tools of agents: made and tried by people, used on calls through a door that only the call's own token opens.

use serde_json::{Value, json};

use patchbay_shared::ids::{CallId, WorkspaceId};
use patchbay_tools::server::live;

use super::support::{Agency, Answer, Browser, Works, World, owner_lines, owner_value, run};

const SCHEMA: &str =
    r#"{"type": "object", "properties": {"customer_id": {"type": "string"}}, "required": ["customer_id"]}"#;
const NOTHING: &str = r#"{"type": "object", "properties": {}}"#;

async fn tools(agency: &Agency, agent: &str) -> Value {
    agency.owner.done("list_agent_tools", &[("agent", agent)]).await.json()
}

/// Fills in the form of a new tool, and gives its id: the last one of the address that it leads to.
pub async fn added(agency: &Agency, page: &str, fields: &[(&str, &str)]) -> String {
    last_id(&agency.owner.filled(page, "save_agent_tool", fields).await)
}

pub fn last_id(answer: &Answer) -> String {
    let location = answer.location.as_deref().unwrap_or_else(|| panic!("leads to the tool: {answer:?}"));
    location.rsplit('/').next().unwrap_or_default().to_owned()
}

/// A custom HTTP tool that asks the stand-in for this path.
async fn http_tool(
    agency: &Agency,
    world: &World,
    agent: &str,
    name: &str,
    path: &str,
    more: &[(&str, &str)],
) -> String {
    let address = format!("{}/tools{path}", world.sandbox_base);
    let schema = if path.contains("{customer_id}") { SCHEMA } else { NOTHING };
    let mut fields = vec![
        ("tool_name", name),
        ("description", "Asks our own system."),
        ("address", address.as_str()),
        ("schema", schema),
        ("method", "GET"),
    ];
    fields.retain(|(field, _)| more.iter().all(|(other, _)| other != field));
    fields.extend_from_slice(more);
    added(agency, &format!("/agents/{agent}/tools/new?kind=http"), &fields).await
}

/// Tries a tool and gives what came of it.
pub async fn tried(agency: &Agency, agent: &str, tool: &str, given: &[(&str, &str)]) -> Value {
    let page = format!("/agents/{agent}/tools/{tool}");
    let answer = agency.owner.filled(&page, "try_agent_tool", given).await;
    let location = answer.location.clone().unwrap_or_else(|| panic!("leads to the try: {answer:?}"));
    let id = location.split("tried=").nth(1).and_then(|rest| rest.split('#').next()).expect("a try").to_owned();
    let shown = agency.owner.get(location.split('#').next().expect("a page")).await;
    assert_eq!(shown.status, 200, "{location}");
    let mut found = agency.owner.done("get_tool_use", &[("id", &id)]).await.json();
    found["page"] = json!(shown.text);
    found
}

/// A tool of the agent, the use of another one, and a note that it made about the contact.
pub async fn noted(world: &World, agency: &Agency, works: &Works) -> (String, String, String) {
    let agent = works.agent.as_str();
    let contact = agency.owner.done("get_contact", &[("id", &works.contact)]).await.json();
    let phone = contact["phone"].as_str().expect("a number");
    let note = format!("{} likes mornings.", agency.one.secret);
    let mut tools = Vec::new();
    for (kind, given) in [
        ("contact_lookup", vec![("arg_name", "Canary use")]),
        ("contact_memory", vec![("phone", phone), ("arg_action", "write"), ("arg_note", note.as_str())]),
    ] {
        let new = [("agent", agent), ("kind", kind), ("tool_name", kind), ("description", "For the test.")];
        let tool = last_id(&agency.owner.done("save_agent_tool", &new).await);
        let given = [vec![("agent", agent), ("id", tool.as_str())], given].concat();
        agency.owner.done("try_agent_tool", &given).await;
        tools.push(tool);
    }
    let used = format!("select id::text from tool_invocations where tool_id = '{}'", tools[0]);
    let memory = format!("select id::text from contact_memories where workspace_id = '{}'", agency.workspace_id);
    (tools.remove(1), owner_value(world, &used).await, owner_value(world, &memory).await)
}

#[test]
fn an_agent_gets_tools_that_the_voice_service_holds_beside_its_own() {
    run(|world: &World| async move {
        let (agency, works) = Agency::ready(world, "tools").await;
        let agent = works.agent.as_str();
        let page = format!("/agents/{agent}/tools");
        assert!(agency.owner.get(&page).await.text.contains("No tools yet"));
        // Somebody has set a tool at the voice service by hand.
        let there = |body: Value| {
            let url = format!("{}/ultravox/api/agents", world.sandbox_base);
            let key = works.key.clone();
            async move {
                let client = reqwest::Client::new();
                let listed = client.get(&url).header("x-api-key", &key).send().await.expect("an answer");
                let listed: Value = serde_json::from_str(&listed.text().await.expect("text")).expect("a list");
                let one = listed["results"][0].clone();
                if !body.is_null() {
                    let id = one["agentId"].as_str().expect("an id");
                    let sent = client.patch(format!("{url}/{id}")).header("x-api-key", &key).json(&body).send().await;
                    assert_eq!(sent.expect("an answer").status(), 200);
                }
                one
            }
        };
        there(json!({"callTemplate": {"selectedTools": [{"toolId": "abc", "nameOverride": "theirs"}]}})).await;

        let end = added(&agency, &format!("{page}/new?kind=end_call"), &[]).await;
        let look = http_tool(
            &agency,
            world,
            agent,
            "customer",
            "/customers/{customer_id}",
            &[("secret_headers", "Authorization: Bearer swordfish-1234")],
        )
        .await;
        agency.drain().await;
        let held = there(Value::Null).await;
        let selected = held["callTemplate"]["selectedTools"].as_array().expect("tools").clone();
        assert_eq!(selected.len(), 3, "{held}");
        assert_eq!(selected[0]["nameOverride"], "theirs");
        assert_eq!(selected[1]["toolName"], "hangUp");
        let url = selected[2]["temporaryTool"]["http"]["baseUrlPattern"].as_str().expect("an address");
        assert!(url.ends_with(&format!("/hooks/tools/{}/{look}/customer", agency.workspace_id)), "{url}");
        assert!(!held.to_string().contains("swordfish"), "the secret stays here: {held}");

        // The same name twice, a bad schema, and a secret that is not there.
        let form = format!("{page}/new?kind=end_call");
        let twice = agency.owner.fill(&form, "save_agent_tool", &[]).await;
        assert!(twice.error_at("tool_name").is_some(), "{twice:?}");
        let wrong = agency
            .owner
            .fill(
                &format!("{page}/{look}"),
                "save_agent_tool",
                &[("schema", r#"{"type": "object", "minProperties": 1}"#), ("address", "gopher://x/{customer_id}")],
            )
            .await;
        assert!(wrong.error_at("schema").is_some() && wrong.error_at("address").is_some(), "{wrong:?}");

        // Kept as they are: the secret, and what else is in the form.
        agency
            .owner
            .filled(&format!("{page}/{look}"), "save_agent_tool", &[("description", "Looks a customer up.")])
            .await;
        for shown in [page.clone(), format!("{page}/{look}"), "/settings/audit".to_owned()] {
            let shown = agency.owner.get(&shown).await;
            assert_eq!(shown.status, 200);
            assert!(!shown.text.contains("swordfish"), "a page shows the secret");
        }
        let stored = owner_lines(
            world,
            &format!(
                "select coalesce(sealed_secrets, '') || tool_config::text from agent_tools where workspace_id = '{}'",
                agency.workspace_id
            ),
        )
        .await;
        assert!(stored.iter().all(|line| !line.contains("swordfish")), "{stored:?}");

        agency.owner.filled(&page, "move_agent_tool", &[("id", &end), ("to", "down")]).await;
        let listed = tools(&agency, agent).await;
        assert_eq!(listed["tools"][0]["name"], "customer", "{listed}");
        agency.owner.done("switch_agent_tool", &[("agent", agent), ("id", &look)]).await;
        agency.owner.done("remove_agent_tool", &[("agent", agent), ("id", &end)]).await;
        agency.drain().await;
        let held = there(Value::Null).await;
        assert_eq!(
            held["callTemplate"]["selectedTools"],
            json!([{"toolId": "abc", "nameOverride": "theirs"}]),
            "{held}"
        );
        let did = owner_lines(
            world,
            &format!(
                "select action from audit_events where workspace_id = '{}' and entity = 'tool' order by seq",
                agency.workspace_id
            ),
        )
        .await;
        assert_eq!(did, ["created", "created", "changed", "moved", "switched off", "removed"]);
        assert_eq!(agency.member.rpc("remove_agent_tool", &[("agent", agent), ("id", &look)]).await.status, 403);
        assert_eq!(agency.one.admin.get(&page).await.status, 404, "clients know nothing of it");
    });
}

#[test]
fn a_try_shows_what_was_sent_and_what_came_back() {
    run(|world: &World| async move {
        let (agency, works) = Agency::ready(world, "tries").await;
        let agent = works.agent.as_str();
        let secret = [("secret_headers", "X-Api-Key: swordfish-1234\nAuthorization: Bearer opensesame")];
        let echo = http_tool(&agency, world, agent, "echo", "/echo", &secret).await;
        let found = tried(&agency, agent, &echo, &[]).await;
        assert_eq!((&found["status"], &found["http_status"]), (&json!("succeeded"), &json!(200)), "{found}");
        for text in ["swordfish-1234", "opensesame"] {
            assert!(!found.to_string().contains(text), "a secret that came back: {found}");
        }
        assert!(found["request"].as_str().expect("a request").contains("X-Api-Key: •••"), "{found}");
        let answer = found["answer"].as_str().expect("an answer");
        assert!(answer.contains("•••") && answer.contains("idempotency-key"), "{found}");
        assert!(found["page"].as_str().expect("a page").contains("What the agent reads"));

        let customer = http_tool(&agency, world, agent, "customer", "/customers/{customer_id}", &[]).await;
        let found = tried(&agency, agent, &customer, &[("arg_customer_id", "C-7")]).await;
        assert!(found["answer"].as_str().expect("an answer").contains("\"customer_id\":\"C-7\""), "{found}");
        assert!(found["request"].as_str().expect("a request").contains("/tools/customers/C-7"), "{found}");
        let found = tried(&agency, agent, &customer, &[("arg_customer_id", "../C/7")]).await;
        assert!(found["status"] == "failed" && found["request"].is_null(), "some servers read %2F as a slash: {found}");
        let found = tried(&agency, agent, &customer, &[("arg_customer_id", "C/7")]).await;
        assert!(found["request"].as_str().expect("a request").contains("/customers/C%2F7"), "{found}");

        let flaky = http_tool(&agency, world, agent, "flaky", "/flaky", &[("retries", "1")]).await;
        let found = tried(&agency, agent, &flaky, &[]).await;
        assert_eq!(found["status"], "succeeded", "{found}");

        for (name, path, says) in [
            ("hang", "/hang", "within 1 seconds"),
            ("large", "/large", "many words"),
            ("redirect", "/redirect", "169.254.169.254"),
            ("status", "/status/404", "error (404)"),
            ("picture", "/picture", "image/png"),
        ] {
            let tool = http_tool(&agency, world, agent, name, path, &[("timeout_seconds", "1")]).await;
            let found = tried(&agency, agent, &tool, &[]).await;
            let answer = found["answer"].as_str().expect("an answer");
            assert!(answer.contains(says), "{name}: {answer}");
            assert!(answer.len() < 70_000, "{name}: {} bytes", answer.len());
            assert_eq!(found["status"] == "succeeded", name == "large", "{name}: {found}");
        }

        // Nothing behind the firewall is asked, whatever name it has; nor the sandbox's own controls. The form says so where it can be
        // seen; what got past it is refused when it is asked.
        let control = format!("{}/sandbox/log", world.sandbox_base);
        let up = format!("{}/tools/../sandbox/log", world.sandbox_base);
        for address in [
            "https://169.254.169.254/latest",
            "https://localhost/x",
            "http://example.com/x",
            control.as_str(),
            up.as_str(),
        ] {
            let name = format!("private_{}", address.len());
            let fields = [("tool_name", &*name), ("description", "Asks."), ("address", address), ("schema", NOTHING)];
            let form = format!("/agents/{agent}/tools/new?kind=http");
            let refused = agency.owner.fill(&form, "save_agent_tool", &fields).await;
            assert!(refused.error_at("address").is_some_and(|why| why.contains("not be asked")), "{refused:?}");
            let tool = http_tool(&agency, world, agent, &name, "/x", &[]).await;
            sqlx::raw_sql(sqlx::AssertSqlSafe(format!(
                "update agent_tools set tool_config = jsonb_set(tool_config, '{{address}}', '\"{address}\"') where id = '{tool}'"
            )))
            .execute(&world.owner)
            .await
            .expect("an address that no form has seen");
            let found = tried(&agency, agent, &tool, &[]).await;
            assert_eq!(found["status"], "failed", "{address}: {found}");
            assert!(
                found["answer"].as_str().expect("an answer").starts_with("The address was not asked"),
                "{address}: {found}"
            );
            assert!(found["response"].is_null(), "{address}: {found}");
        }
        let list = agency.owner.get(&format!("/agents/{agent}/tools/calls?status=failed")).await;
        assert_eq!(list.status, 200);
        assert!(list.text.contains("private_"), "failed uses are listed");
        let file = agency.owner.get(&format!("/agents/{agent}/tools/calls/export.csv?status=failed")).await;
        assert!(file.text.lines().count() >= 10, "{}", file.text);
    });
}

#[test]
fn tools_about_contacts_see_the_own_clients_alone() {
    run(|world: &World| async move {
        let (agency, works) = Agency::ready(world, "contact-tools").await;
        let agent = works.agent.as_str();
        let new = format!("/agents/{agent}/tools/new?kind=");
        let foreign = [
            ("client", agency.two.id.as_str()),
            ("form[name]", "Foreign Fred"),
            ("form[phone]", "+12025550199"),
            ("form[timezone]", "UTC"),
        ];
        agency.owner.made_on("/contacts/new", "create_contact", &foreign).await;
        let look = added(&agency, &format!("{new}contact_lookup"), &[]).await;
        let found = tried(&agency, agent, &look, &[("phone", "+12025550113")]).await;
        assert!(found["answer"].as_str().expect("an answer").contains("Carla Contact"), "{found}");
        for value in [("arg_phone", "+12025550199"), ("arg_name", "Foreign Fred")] {
            let found = tried(&agency, agent, &look, &[value]).await;
            assert_eq!(found["answer"], "Nobody like that is among the contacts.", "{found}");
        }

        let fields = [("may_change_email", "true"), ("attribute_names", "insurer")];
        let change = added(&agency, &format!("{new}contact_update"), &fields).await;
        let given = [("phone", "+12025550113"), ("arg_email", "carla@example.com"), ("arg_insurer", "Helvia\u{202e}")];
        let found = tried(&agency, agent, &change, &given[..2]).await;
        assert_eq!(found["status"], "succeeded", "{found}");
        let contact = agency.owner.done("get_contact", &[("id", &works.contact)]).await.json();
        assert_eq!(contact["email"], "carla@example.com", "{contact}");
        assert_eq!(
            agency.owner.fill(&format!("/agents/{agent}/tools/{change}"), "try_agent_tool", &given).await.status,
            422
        );
        let found = tried(&agency, agent, &change, &[("phone", "+12025550113"), ("arg_email", "no address")]).await;
        assert_eq!(found["status"], "failed", "{found}");

        let memory = added(&agency, &format!("{new}contact_memory"), &[]).await;
        let note = [("phone", "+12025550113"), ("arg_action", "write"), ("arg_note", "Calls her dog Rex.")];
        for _ in 0..2 {
            tried(&agency, agent, &memory, &note).await;
        }
        let found = tried(&agency, agent, &memory, &[("phone", "+12025550113"), ("arg_action", "read")]).await;
        assert_eq!(found["answer"].as_str().expect("notes").matches("Rex").count(), 1, "{found}");
        let page = format!("/contacts/{}", works.contact);
        assert!(agency.owner.get(&page).await.text.contains("Calls her dog Rex."));
        agency.owner.filled(&page, "forget_contact_memory", &[]).await;
        assert!(!agency.owner.get(&page).await.text.contains("Calls her dog Rex."));
    });
}

/// Asks for a tool as the voice service does.
pub async fn knock(world: &World, path: &str, token: Option<&str>, call: Option<&str>, body: &Value) -> Answer {
    let mut request = reqwest::Client::new().post(format!("{}{path}", world.base)).json(body);
    if let Some(token) = token {
        request = request.header("X-Patchbay-Call", token);
    }
    if let Some(call) = call {
        request = request.header("X-Voice-Call", call);
    }
    Browser::answer(request).await
}

pub async fn call_of(agency: &Agency, world: &World, works: &Works) -> String {
    let batch = agency.batch(&works.campaign, 1).await;
    agency.finished(&batch).await;
    owner_value(
        world,
        &format!("select id::text from calls where workspace_id = '{}' order by id desc limit 1", agency.workspace_id),
    )
    .await
}

#[test]
fn an_agent_uses_its_tools_on_a_call() {
    run(|world: &World| async move {
        let (agency, works) = Agency::ready(world, "live-tools").await;
        let agent = works.agent.as_str();
        http_tool(&agency, world, agent, "customer", "/customers/{customer_id}", &[]).await;
        let call = call_of(&agency, world, &works).await;
        let used = owner_lines(world, &format!("select tool_name || ' ' || origin || ' ' || status || ' ' || answer from tool_invocations where workspace_id = '{}' and call_id = '{call}'", agency.workspace_id)).await;
        assert!(!used.is_empty(), "the agent used its tool");
        assert!(used.iter().all(|line| line.starts_with("customer call succeeded {")), "{used:?}");
        // The step in the call, and the way from it to what was sent.
        let detail = agency.owner.done("get_call", &[("id", &call)]).await.json();
        let turns = detail["turns"].as_array().expect("turns");
        let step =
            turns.iter().find(|turn| turn["tool"]["name"] == "customer").unwrap_or_else(|| panic!("a step: {detail}"));
        assert!(step["tool"]["result"].as_str().expect("a result").contains("customer_id"), "{step}");
        let id = step["tool"]["use_id"].as_str().unwrap_or_else(|| panic!("a link: {step}"));
        let page = agency.owner.get(&format!("/tool-calls/{id}")).await;
        assert!(page.text.contains("/tools/customers/"), "the request is shown");
        assert!(agency.owner.get(&format!("/calls/{call}")).await.text.contains(&format!("/tool-calls/{id}")));
        for person in [&agency.one.admin, &agency.one.viewer] {
            let theirs = person.done("get_call", &[("id", &call)]).await.text;
            assert!(!theirs.contains(id), "clients get no link: {theirs}");
            assert_eq!(person.get(&format!("/tool-calls/{id}")).await.status, 404);
        }
        let counts = tools(&agency, agent).await["tools"][0]["counts"].clone();
        assert_eq!(counts["uses"].as_i64(), Some(used.len() as i64), "{counts}");
    });
}

#[test]
fn only_the_token_of_a_call_that_goes_on_opens_its_tools() {
    run(|world: &World| async move {
        let (agency, works) = Agency::ready(world, "tool-doors").await;
        let agent = works.agent.as_str();
        let call = call_of(&agency, world, &works).await;
        let new = format!("/agents/{agent}/tools/new?kind=");
        let memory = added(&agency, &format!("{new}contact_memory"), &[]).await;
        let door = |tool: &str, function: &str| format!("/hooks/tools/{}/{tool}/{function}", agency.workspace_id);
        let path = door(&memory, "contact_memory");
        let services = world.db.services();
        let workspace: WorkspaceId = agency.workspace_id.parse().expect("an id");
        let token_of = |workspace: WorkspaceId, call: &str| {
            let call: CallId = call.parse().expect("an id");
            live::token(services, workspace, call).expect("a token").expose().clone()
        };
        let token = token_of(workspace, &call);
        let note = json!({"action": "write", "note": "Likes mornings."});
        let notes =
            || owner_value::<i64>(world, "select count(*) from contact_memories where note = 'Likes mornings.'");

        let over = knock(world, &path, Some(&token), None, &note).await;
        assert_eq!((over.status, over.text.as_str()), (410, "The call is over."));
        sqlx::raw_sql(sqlx::AssertSqlSafe(format!("update calls set ended_at = null where id = '{call}'")))
            .execute(&world.owner)
            .await
            .expect("a call that goes on");
        let elsewhere = token_of(WorkspaceId::new(), &call);
        let other_call = token_of(workspace, &CallId::new().to_string());
        let (head, sealed) = token.split_once('.').expect("two parts");
        let moved = format!("{}.{sealed}", CallId::new());
        for wrong in [None, Some(""), Some("x.y"), Some(head), Some(&*elsewhere), Some(&*other_call), Some(&*moved)] {
            assert_eq!(knock(world, &path, wrong, None, &note).await.status, 401, "{wrong:?}");
        }
        assert_eq!(knock(world, &path, Some(&token), Some("another call"), &note).await.status, 401);
        assert_eq!(knock(world, &door(&memory, "nothing"), Some(&token), None, &note).await.status, 404);
        assert_eq!(knock(world, &path, Some(&token), None, &json!([1])).await.status, 400);
        assert_eq!(notes().await, 0, "nobody has got in");

        // Ten at the same moment do it once and hear the same.
        let requests = (0..10).map(|_| knock(world, &path, Some(&token), None, &note));
        let answers = futures::future::join_all(requests).await;
        assert!(answers.iter().all(|answer| (answer.status, answer.text.as_str()) == (200, "Noted.")), "{answers:?}");
        assert_eq!(notes().await, 1);
        let uses = format!("select count(*) from tool_invocations where call_id = '{call}' and status = 'succeeded'");
        assert_eq!(owner_value::<i64>(world, &uses).await, 1);
        // Arguments that do not fit are said in words.
        let bad = knock(world, &path, Some(&token), None, &json!({"action": "shout"})).await;
        assert_eq!(bad.status, 422, "{bad:?}");
        assert!(bad.text.contains("one of"), "{bad:?}");

        // Another agent's tool is none of this call's; a removed one is gone.
        let second = agency.agent(&works.prompt).await;
        let theirs = added(&agency, &format!("/agents/{second}/tools/new?kind=contact_memory"), &[]).await;
        assert_eq!(knock(world, &door(&theirs, "contact_memory"), Some(&token), None, &note).await.status, 404);
        agency.owner.done("remove_agent_tool", &[("agent", agent), ("id", &memory)]).await;
        assert_eq!(knock(world, &path, Some(&token), None, &note).await.status, 404);

        // A suspended agency's tools rest.
        let look = added(&agency, &format!("{new}contact_lookup"), &[]).await;
        let path = door(&look, "contact_lookup");
        assert_eq!(knock(world, &path, Some(&token), None, &json!({})).await.status, 200);
        sqlx::raw_sql(sqlx::AssertSqlSafe(format!(
            "update workspaces set status = 'suspended' where id = '{}'",
            agency.workspace_id
        )))
        .execute(&world.owner)
        .await
        .expect("suspended");
        let rests = knock(world, &path, Some(&token), None, &json!({"name": "Carla"})).await;
        assert_eq!(rests.status, 422, "{rests:?}");
        assert!(rests.text.contains("suspended"), "{rests:?}");
    });
}
