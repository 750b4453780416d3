//! Templates of agents: made of an agent, given to clients without what belongs to another one, and followed field by field.

use serde_json::Value;

use super::support::{Agency, Browser, owner_lines, owner_value, run};
use super::tools::{last_id, tried};

const NOTHING: &str = r#"{"type": "object", "properties": {}}"#;

/// A template of the agent, under a name that is the agency's alone.
pub async fn made(agency: &Agency, agent: &str) -> String {
    let name = format!("{} template", agency.secret);
    made_called(agency, agent, &name).await
}

async fn made_called(agency: &Agency, agent: &str, name: &str) -> String {
    let fields = [("template", ""), ("name", name)];
    agency.owner.made_on(&format!("/agents/{agent}/template"), "save_agent_template", &fields).await
}

async fn given(agency: &Agency, template: &str, client: &str, name: &str) -> String {
    let fields = [("client_id", client), ("name", name)];
    agency.owner.made_on(&format!("/agents/templates/{template}"), "give_agent_template", &fields).await
}

async fn agent(browser: &Browser, id: &str) -> Value {
    browser.done("get_agent", &[("id", id)]).await.json()
}

async fn template(browser: &Browser, id: &str) -> Value {
    browser.done("get_agent_template", &[("id", id)]).await.json()
}

/// What differs from the template: key and who has changed it.
fn differs(page: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let changes = page["template"]["changes"].as_array().cloned().unwrap_or_default();
    changes.iter().map(|change| (text(&change["key"]), text(&change["place"]))).collect()
}

fn texts(list: &Value) -> Vec<String> {
    let all = list.as_array().cloned().unwrap_or_default();
    all.iter().filter_map(|text| text.as_str().map(str::to_owned)).collect()
}

fn names(list: &Value) -> Vec<String> {
    let all = list.as_array().cloned().unwrap_or_default();
    all.iter().filter_map(|one| one["name"].as_str().map(str::to_owned)).collect()
}

#[test]
fn a_template_is_given_as_a_draft_without_what_belongs_to_another_client() {
    run(|world| async move {
        let (agency, works) = Agency::ready(world, "templates").await;
        let (owner, source) = (&agency.owner, works.agent.as_str());
        let mut collections = Vec::new();
        for (name, client) in [("Prices of one", agency.one.id.as_str()), ("Handbook", "")] {
            let fields = [("name", name), ("description", ""), ("client", client)];
            collections.push(last_id(&owner.done("save_knowledge", &fields).await));
        }
        let boxes: Vec<String> = collections.iter().map(|id| format!("collections_{id}")).collect();
        let address = format!("{}/tools/status/200", world.sandbox_base);
        let (secret, about) = ("X-Key: four-green-kettles", ("description", "For the test."));
        for fields in [
            vec![("kind", "contact_lookup"), ("tool_name", "who"), about],
            vec![
                ("kind", "http"),
                ("tool_name", "crm"),
                about,
                ("address", &address),
                ("schema", NOTHING),
                ("method", "GET"),
                ("secret_headers", secret),
            ],
            vec![("kind", "knowledge"), ("tool_name", "documents"), about, (&boxes[0], "true"), (&boxes[1], "true")],
            vec![
                ("kind", "transfer"),
                ("tool_name", "person"),
                about,
                ("destinations", "Office | +12025550013 | Everything"),
                ("ring_seconds", "20"),
                ("ring_words", "One moment."),
                ("no_answer", "agent"),
            ],
        ] {
            owner.done("save_agent_tool", &[vec![("agent", source)], fields].concat()).await;
        }
        super::skills::filled(&agency, source).await;
        let id = made(&agency, source).await;
        let shown = template(&agency.member, &id).await;
        assert_eq!(names(&shown["tools"]), ["who", "crm", "documents", "person"], "{shown}");
        assert!(shown["tools"][0]["limits"] == serde_json::json!([]), "{shown}");
        assert!(shown["tools"][1]["limits"][0].as_str().is_some_and(|why| why.contains(&agency.one.secret)), "{shown}");
        assert!(shown["tools"][2]["limits"][0].as_str().is_some_and(|why| why.contains("Prices of one")), "{shown}");
        let page = owner.get(&format!("/agents/templates/{id}")).await;
        assert!(page.status == 200 && !page.text.contains("four-green-kettles"), "{}", page.text);
        for browser in [&agency.one.admin, &agency.one.viewer] {
            assert_eq!(browser.rpc("get_agent_template", &[("id", &id)]).await.status, 404);
            assert_eq!(browser.get("/agents/templates").await.status, 404);
        }
        let form = [("template", id.as_str()), ("client_id", &agency.two.id), ("name", "Desk")];
        assert_eq!(agency.member.rpc("give_agent_template", &form).await.status, 403);

        // To another client than the one whose agent it was made of.
        let desk = given(&agency, &id, &agency.two.id, "Desk two").await;
        agency.drain().await;
        let shown = agent(owner, &desk).await;
        assert!(shown["status"] == "draft" && shown["client_id"] == agency.two.id.as_str(), "{shown}");
        assert!(shown["prompt"].is_null() && shown["draft"]["settings"]["prompt_id"].is_string(), "{shown}");
        assert_ne!(shown["draft"]["settings"]["prompt_id"], works.prompt.as_str(), "a prompt of its own");
        assert!(shown["sync"] == "nothing" && shown["mappings"][0]["provider_agent_id"].is_null(), "{shown}");
        let left_out = texts(&shown["template"]["left_out"]);
        let whole = ["The tool crm", "Documents of the tool documents", "The tool person"];
        assert!(left_out.len() == 3 && left_out.iter().zip(whole).all(|(why, of)| why.starts_with(of)), "{left_out:?}");
        let page = owner.get(&format!("/agents/{desk}")).await;
        assert!(
            page.text.contains("Not given with it") && page.text.contains("Publish the draft first"),
            "{}",
            page.text
        );
        let tools = owner.done("list_agent_tools", &[("agent", &desk)]).await.json();
        assert_eq!(names(&tools["tools"]), ["who", "documents"], "{tools}");
        assert_eq!(tools["tools"][1]["summary"], "One collection", "{tools}");
        let skills = owner.done("list_agent_skills", &[("agent", &desk)]).await.json();
        assert_eq!(names(&skills["skills"]), ["booking-visits"], "{skills}");

        // It goes to the voice service when it is published.
        owner.filled(&format!("/agents/{desk}"), "publish_agent", &[]).await;
        agency.drain().await;
        let shown = agent(owner, &desk).await;
        assert!(shown["sync"] == "synced" && shown["mappings"][0]["provider_agent_id"].is_string(), "{shown}");
        assert!(shown["prompt"]["template"].as_str().is_some_and(|words| words.contains(&agency.secret)), "{shown}");
        assert_eq!(shown["version"], 2);

        // To the client whose tools they are, with keys that open for this agent, too.
        let own = given(&agency, &id, &agency.one.id, "Desk one").await;
        let tools = owner.done("list_agent_tools", &[("agent", &own)]).await.json();
        assert_eq!(names(&tools["tools"]), ["who", "crm", "documents", "person"], "{tools}");
        let crm = tools["tools"][1]["id"].as_str().expect("a tool");
        let used = tried(&agency, &own, crm, &[]).await;
        assert_eq!(used["status"], "succeeded", "{used}");
        let page = agent(owner, &own).await;
        assert_eq!(page["template"]["left_out"], serde_json::json!([]), "{page}");
        let sealed = format!(
            "select count(distinct sealed_secrets) from agent_tools where workspace_id = '{}' and tool_name = 'crm'",
            agency.workspace_id
        );
        assert_eq!(owner_value::<i64>(world, &sealed).await, 2, "sealed for each row");
        let told = owner_lines(
            world,
            &format!(
                "select coalesce(before::text, '') || coalesce(after::text, '') from audit_events where workspace_id = '{}'",
                agency.workspace_id
            ),
        )
        .await;
        assert!(told.iter().all(|event| !event.contains("four-green-kettles")), "a key stands in the audit log");
    });
}

#[test]
fn a_newer_version_is_taken_over_field_by_field_into_the_draft() {
    run(|world| async move {
        let (agency, works) = Agency::ready(world, "followers").await;
        let (owner, source) = (&agency.owner, works.agent.as_str());
        let id = made(&agency, source).await;
        let desk = given(&agency, &id, &agency.two.id, "Desk two").await;
        let page = format!("/agents/{desk}");
        owner.filled(&page, "publish_agent", &[]).await;
        let changed = [("greeting", "Good day."), ("temperature", "0.6"), ("publish", "true")];
        owner.filled(&format!("{page}/edit"), "save_agent", &changed).await;
        assert!(differs(&agent(owner, &desk).await).iter().all(|(_, place)| place == "here"));

        // The template moves on, with an agent that says other words.
        let changed = [("greeting", "Welcome."), ("max_minutes", "5"), ("publish", "true")];
        owner.filled(&format!("/agents/{source}/edit"), "save_agent", &changed).await;
        let words = [("base_version", "1"), ("template", "Be kind."), ("production", "true")];
        owner.filled(&format!("/prompts/{}", works.prompt), "save_prompt", &words).await;
        let next = format!("/agents/{source}/template");
        assert_eq!(owner.made_on(&next, "save_agent_template", &[("note", "Shorter")]).await, id, "it is offered");
        let again = owner.fill(&next, "save_agent_template", &[]).await;
        assert!(again.status == 409 && again.text.contains("the same as version 2"), "{again:?}");
        let shown = template(owner, &id).await;
        assert!(shown["version"] == 2 && shown["versions"]["rows"][0]["note"] == "Shorter", "{shown}");
        assert_eq!(texts(&shown["versions"]["rows"][0]["changed"]), ["Opening", "Longest call", "Text of the prompt"]);
        let compared = owner.done("get_agent_template", &[("id", &id), ("version", "1")]).await.json();
        let keys: Vec<&str> = compared["compared"][1]
            .as_array()
            .expect("changes")
            .iter()
            .filter_map(|change| change["key"].as_str())
            .collect();
        assert_eq!(keys, ["greeting", "max_minutes", "prompt"]);

        let shown = agent(owner, &desk).await;
        let pair = |key: &str, place: &str| (key.to_owned(), place.to_owned());
        let all = [
            pair("temperature", "here"),
            pair("greeting", "both"),
            pair("max_minutes", "there"),
            pair("prompt", "there"),
        ];
        assert_eq!(differs(&shown), all, "{shown}");
        let html = owner.get(&page).await.text;
        assert!(html.contains("Template has version 2") && html.contains("Changed in both"), "{html}");
        let behind = owner.done("list_agent_templates", &[("query[behind]", "yes")]).await.json();
        assert_eq!(behind["rows"][0]["behind"], 1, "{behind}");

        // One field, and then all that do not clash: into the draft alone.
        owner.filled(&page, "take_from_template", &[("field", "max_minutes")]).await;
        let shown = agent(owner, &desk).await;
        assert!(
            shown["config"]["max_minutes"] == 10 && shown["draft"]["settings"]["config"]["max_minutes"] == 5,
            "{shown}"
        );
        owner.filled(&page, "take_from_template", &[("field", "")]).await;
        let shown = agent(owner, &desk).await;
        assert_eq!(differs(&shown), [pair("temperature", "here"), pair("greeting", "both")], "{shown}");
        assert_eq!(shown["draft"]["settings"]["config"]["greeting"], "Good day.", "what clashes stays: {shown}");
        assert_eq!(shown["template"]["version"], 1, "something waits still: {shown}");
        let (newest, spoken) = (&shown["prompt"]["version"], &shown["prompt"]["spoken"]);
        assert!(*newest == 2 && *spoken == 1, "the words are there, and nobody says them yet: {shown}");
        let stale = owner.rpc("take_from_template", &[("id", &desk), ("version", "1"), ("field", "greeting")]).await;
        assert_eq!(stale.status, 409, "{stale:?}");
        assert_eq!(
            agency
                .member
                .rpc("take_from_template", &[("id", &desk), ("version", "2"), ("field", "greeting")])
                .await
                .status,
            403
        );

        // What was kept here is no longer news. Thrown away with the draft, it is again.
        owner.filled(&page, "keep_beside_template", &[]).await;
        let shown = agent(owner, &desk).await;
        assert!(shown["template"]["version"] == 2 && shown["draft"]["settings"]["template"]["version"] == 2, "{shown}");
        assert!(!owner.get(&page).await.text.contains("Template has version 2"));
        let follows = |shown: &Value| shown["agents"][0]["version"].as_i64();
        assert_eq!(follows(&template(owner, &id).await), Some(1), "published, it follows the older one");
        owner.filled(&page, "discard_agent_draft", &[]).await;
        assert_eq!(agent(owner, &desk).await["template"]["version"], 1);

        // The clashing one by name, and published: the form that is saved meanwhile does not lose the template.
        for field in ["greeting", ""] {
            owner.filled(&page, "take_from_template", &[("field", field)]).await;
        }
        owner.filled(&format!("{page}/edit"), "save_agent", &[("description", "Of two"), ("publish", "true")]).await;
        let shown = agent(owner, &desk).await;
        assert!(shown["config"]["greeting"] == "Welcome." && shown["config"]["max_minutes"] == 5, "{shown}");
        assert_eq!(follows(&template(owner, &id).await), Some(2), "{shown}");
        assert!(differs(&shown).iter().all(|(_, place)| place == "here"), "{shown}");
        agency.drain().await;
        assert_eq!(agent(owner, &desk).await["sync"], "synced");
    });
}

#[test]
fn words_that_are_taken_over_are_not_said_before_somebody_decides() {
    run(|world| async move {
        let (agency, works) = Agency::ready(world, "takers").await;
        let (owner, source) = (&agency.owner, works.agent.as_str());
        let id = made(&agency, source).await;
        // Two followers say the words of one prompt, which no version of is in production.
        let prompt = [("name", "Shared"), ("template", "Be brief.")];
        let prompt = owner.made_on("/prompts/new", "save_prompt", &prompt).await;
        let mut desks = Vec::new();
        for name in ["Desk one", "Desk two"] {
            let desk = given(&agency, &id, &agency.two.id, name).await;
            let fields = [("prompt_id", prompt.as_str()), ("publish", "true")];
            owner.filled(&format!("/agents/{desk}/edit"), "save_agent", &fields).await;
            desks.push(desk);
        }
        let words = [("base_version", "1"), ("template", "Be kind."), ("production", "true")];
        owner.filled(&format!("/prompts/{}", works.prompt), "save_prompt", &words).await;
        owner.made_on(&format!("/agents/{source}/template"), "save_agent_template", &[]).await;
        let take = async |desk: &str| {
            let page = format!("/agents/{desk}");
            owner.filled(&page, "take_from_template", &[("field", "prompt")]).await;
            agent(owner, desk).await
        };

        // What the other one says as well stays as it is: this one gets a prompt of its own.
        let shown = take(&desks[0]).await;
        let own = shown["draft"]["settings"]["prompt_id"].as_str().expect("a prompt").to_owned();
        assert!(own != prompt && shown["prompt"]["id"] == prompt.as_str(), "{shown}");
        let newest = async |id: &str| owner.done("get_prompt", &[("id", id)]).await.json();
        assert!(newest(&prompt).await["version"] == 1 && newest(&own).await["template"] == "Be kind.");
        owner.filled(&format!("/agents/{}", desks[0]), "publish_agent", &[]).await;

        // Alone with it, the other one gets a version of it, and goes on saying what it said.
        let shown = take(&desks[1]).await;
        assert!(shown["draft"].is_null() || shown["draft"]["settings"]["prompt_id"] == prompt.as_str(), "{shown}");
        assert!(shown["prompt"]["version"] == 2 && shown["prompt"]["spoken"] == 1, "{shown}");
        assert_eq!(shown["prompt"]["template"], "Be brief.", "what is spoken stays: {shown}");
        assert_eq!(shown["template"]["unspoken"][1], 2, "{shown}");
        let html = owner.get(&format!("/agents/{}", desks[1])).await.text;
        assert!(html.contains("not in production yet"), "{html}");
    });
}

#[test]
fn what_changes_between_the_form_and_the_deed_is_seen() {
    run(|world| async move {
        let (agency, works) = Agency::ready(world, "races").await;
        let (owner, source) = (&agency.owner, works.agent.as_str());
        let tool = [("agent", source), ("kind", "keypad"), ("tool_name", "keys"), ("description", "Presses keys.")];
        let tool = last_id(&owner.done("save_agent_tool", &tool).await);
        let id = made(&agency, source).await;
        let new = template(owner, &id).await["new_agent"].as_str().expect("an id").to_owned();
        let (one, two) = (agency.one.id.as_str(), agency.two.id.as_str());
        let fields = |client, version, agent| {
            [("template", id.as_str()), ("client_id", client), ("version", version), ("agent", agent), ("name", "Desk")]
        };
        let give = async |browser: &Browser, fields: &[(&str, &str)]| browser.rpc("give_agent_template", fields).await;

        // Two presses, and two people with the same page: one agent.
        let same = fields(two, "1", new.as_str());
        let (first, second) = tokio::join!(give(owner, &same), give(&agency.admin, &same));
        assert!(first.status == 200 && second.status == 200, "{first:?} {second:?}");
        assert_eq!(first.location, second.location);
        assert_eq!(template(owner, &id).await["count"], 1);
        let refused = give(owner, &fields(one, "1", new.as_str())).await;
        assert!(refused.status == 409 && refused.text.contains("made an agent already"), "{refused:?}");
        let other = fields(two, "1", source);
        assert_eq!(give(owner, &other).await.status, 409, "an agent that is there is none that is made");

        // Whatever is somebody else's is not there.
        let others = Agency::new(world, "others").await;
        assert_eq!(give(&others.owner, &fields(&others.one.id, "", "")).await.status, 404);
        let refused = give(owner, &fields(&others.one.id, "", "")).await;
        assert!(refused.status == 422 && refused.error_at("client_id").is_some(), "{refused:?}");
        for (name, fields) in [
            ("take_from_template", vec![("id", source), ("version", "1")]),
            ("keep_beside_template", vec![("id", source), ("version", "1")]),
            ("save_agent_template", vec![("agent", source), ("name", "Theirs")]),
            ("set_agent_template_active", vec![("id", id.as_str())]),
        ] {
            assert_eq!(others.owner.rpc(name, &fields).await.status, 404, "{name}");
        }
        let refused = owner.rpc("take_from_template", &[("id", source), ("version", "1")]).await;
        assert!(refused.status == 409 && refused.text.contains("without a template"), "{refused:?}");

        // What is wrong stands at its field.
        let wrong = [("template", id.as_str()), ("client_id", "nobody"), ("name", " ")];
        let refused = give(owner, &wrong).await;
        assert!(refused.error_at("client_id").is_some() && refused.error_at("name").is_some(), "{refused:?}");
        let name = format!("{} TEMPLATE", agency.secret.to_uppercase());
        let refused = owner.rpc("save_agent_template", &[("agent", source), ("name", &name)]).await;
        assert!(refused.error_at("name").is_some_and(|why| why.contains("already")), "{refused:?}");

        // The tool goes, the client goes, the template is another one, and then it is archived.
        owner.done("remove_agent_tool", &[("agent", source), ("id", &tool)]).await;
        let given = last_id(&give(owner, &fields(two, "1", "")).await);
        let left_out = texts(&agent(owner, &given).await["template"]["left_out"]);
        assert!(left_out.len() == 1 && left_out[0].contains("keys") && left_out[0].contains("removed"), "{left_out:?}");
        owner.done("set_client_status", &[("id", two), ("status", "archived")]).await;
        let refused = give(owner, &fields(two, "1", "")).await;
        assert!(refused.error_at("client_id").is_some_and(|why| why.contains("active")), "{refused:?}");
        owner.made_on(&format!("/agents/{source}/template"), "save_agent_template", &[]).await;
        let stale = give(owner, &fields(one, "1", "")).await;
        assert!(stale.status == 409 && stale.text.contains("newest version"), "{stale:?}");
        let page = format!("/agents/templates/{id}");
        owner.filled(&page, "set_agent_template_active", &[]).await;
        let refused = give(owner, &fields(one, "2", "")).await;
        assert!(refused.status == 409 && refused.text.contains("archived"), "{refused:?}");
        let refused = owner.rpc("save_agent_template", &[("agent", source), ("template", &id)]).await;
        assert!(refused.error_at("template").is_some(), "{refused:?}");
        let shown = agent(owner, &given).await;
        assert!(shown["template"]["is_active"] == false && differs(&shown).is_empty(), "the agent stays: {shown}");
        let taken = owner.rpc("take_from_template", &[("id", &given), ("version", "2")]).await;
        assert_eq!(taken.status, 409, "{taken:?}");
        // Its name is free, and it does not come back beside another one.
        made(&agency, source).await;
        let refused = owner.fill(&page, "set_agent_template_active", &[]).await;
        assert!(refused.status == 409 && refused.text.contains("another template"), "{refused:?}");
    });
}

#[test]
fn templates_are_listed_and_lead_to_their_agents() {
    run(|world| async move {
        let (agency, works) = Agency::ready(world, "shelf").await;
        let (owner, source) = (&agency.owner, works.agent.as_str());
        assert!(owner.get("/agents/templates").await.text.contains("No templates yet"));
        let without = owner.made_on("/agents/new", "save_agent", &[("name", "Empty")]).await;
        let refused = owner.rpc("save_agent_template", &[("agent", &without), ("name", "None")]).await;
        assert!(refused.status == 409 && refused.text.contains("no prompt"), "{refused:?}");
        let mut ids = Vec::new();
        for name in ["Reception", "=1+1", "Recall"] {
            ids.push(made_called(&agency, source, name).await);
        }
        let desk = given(&agency, &ids[0], &agency.two.id, "Desk two").await;
        let rows = async |fields: &[(&str, &str)]| {
            let list = agency.member.done("list_agent_templates", fields).await.json();
            names(&list["rows"])
        };
        assert_eq!(rows(&[("query[words]", "")]).await, ["=1+1", "Recall", "Reception"]);
        assert_eq!(rows(&[("query[sort]", "-name")]).await, ["Reception", "Recall", "=1+1"]);
        assert_eq!(rows(&[("query[words]", "rec")]).await, ["Recall", "Reception"]);
        owner.done("set_agent_template_active", &[("id", &ids[2])]).await;
        owner.done("set_agent_template_active", &[("id", &ids[2])]).await;
        assert_eq!(rows(&[("query[state]", "archived")]).await, ["Recall"]);
        owner.done("set_agent_template_active", &[("id", &ids[2]), ("on", "true")]).await;
        assert_eq!(rows(&[("query[behind]", "yes")]).await, Vec::<String>::new());
        let file = agency.member.get("/agents/templates/export.csv?sort=-name").await;
        let lines: Vec<&str> = file.text.lines().collect();
        assert!(lines[1].starts_with("Reception,1,active,") && lines[3].starts_with("'=1+1,"), "{}", file.text);
        assert_eq!(agency.one.viewer.get("/agents/templates/export.csv").await.status, 404);
        let html = owner.get(&format!("/agents/templates/{}", ids[0])).await.text;
        assert!(html.contains(&format!("/agents?template={}", ids[0])), "{html}");
        let agents = owner.done("list_agents", &[("query[template]", &ids[0])]).await.json();
        assert!(
            names(&agents["page"]["rows"]) == ["Desk two"] && agents["page"]["rows"][0]["id"] == desk.as_str(),
            "{agents}"
        );
        // A copy of an agent follows the same template.
        owner.filled(&format!("/agents/{desk}"), "duplicate_agent", &[]).await;
        assert_eq!(template(owner, &ids[0]).await["count"], 2);
    });
}
