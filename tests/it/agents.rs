//! Connections, prompts, agents and numbers, as the agency's people use them.

use reqwest::Method;
use serde_json::{Value, json};

use super::support::{Agency, Browser, World, run, unique};

/// An agent's form, filled in; `changes` replace or add fields.
fn agent_form<'a>(changes: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let mut fields = vec![
        ("language", "en"),
        ("llm_model", "ultravox-v0.7"),
        ("temperature", "0.3"),
        ("first_speaker", "agent"),
        ("max_minutes", "10"),
        ("direction", "outbound"),
        ("recording", "true"),
    ];
    fields.retain(|(name, _)| changes.iter().all(|(changed, _)| changed != name));
    fields.extend_from_slice(changes);
    fields
}

async fn agent(browser: &Browser, id: &str) -> Value {
    browser.done("get_agent", &[("id", id)]).await.json()
}

/// A request to the voice service's stand-in, past Patchbay, as somebody in the service's own pages makes it.
async fn service(world: &World, key: &str, method: Method, path: &str, body: Option<Value>) -> (u16, Value) {
    let url = format!("{}/ultravox/api{path}", world.sandbox_base);
    let mut request = reqwest::Client::new().request(method, url).header("x-api-key", key);
    if let Some(body) = body {
        request = request.header("content-type", "application/json").body(body.to_string());
    }
    let answer = request.send().await.expect("an answer");
    let status = answer.status().as_u16();
    (status, serde_json::from_str(&answer.text().await.expect("text")).unwrap_or(Value::Null))
}

/// An agent that the voice service has and Patchbay has not made. Returns its id there.
pub async fn at_service(world: &World, key: &str, name: &str) -> String {
    let template = json!({"systemPrompt": "You are Rita. Greet {{first_name}}.", "voice": "Lena", "maxDuration": "90s",
        "languageHint": "de-DE", "temperature": 0.2, "selectedTools": [{"toolName": "hangUp"}],
        "vadSettings": {"turnEndpointDelay": "0.4s"}});
    let body = json!({"name": name, "callTemplate": template});
    let (status, made) = service(world, key, Method::POST, "/agents", Some(body)).await;
    assert_eq!(status, 201, "{made}");
    made["agentId"].as_str().expect("an id").to_owned()
}

/// Has the agent sent to the voice service, which then has this version.
async fn synced(agency: &Agency, id: &str, version: i64) {
    agency.drain().await;
    let page = agent(&agency.owner, id).await;
    assert_eq!(page["sync"], "synced", "{page}");
    assert_eq!(page["mappings"][0]["prompt_version"], version, "{page}");
}

#[test]
fn wrong_credentials_change_nothing_and_right_ones_are_never_shown() {
    run(|world: &World| async move {
        let agency = Agency::new(world, "keys").await;
        let fields =
            |key| [("provider", "ultravox"), ("mode", "sandbox"), ("price_per_minute", "0.05"), ("api_key", key)];
        let refused =
            agency.owner.fill("/connections/ultravox", "save_connection", &fields("wrong-key-1234567890")).await;
        assert_eq!(refused.status, 422, "{refused:?}");
        assert!(refused.error_at("api_key").expect("a message at the key").contains("refused"), "{refused:?}");
        let listed = agency.owner.done("list_connections", &[]).await.json();
        assert!(listed.as_array().expect("a list").iter().all(|connection| connection["id"].is_null()), "{listed}");

        let key = format!("sandbox-{}", unique(""));
        assert_eq!(agency.admin.rpc("save_connection", &fields(&key)).await.status, 403);
        assert_eq!(agency.one.admin.rpc("save_connection", &fields(&key)).await.status, 404);
        let form = "/connections/ultravox";
        agency.owner.filled(form, "save_connection", &fields(&key)).await;
        agency.owner.filled(form, "check_connection", &[]).await;
        for page in ["/integrations", "/connections/ultravox"] {
            let shown = agency.owner.get(page).await;
            assert_eq!(shown.status, 200, "{page}");
            assert!(!shown.text.contains(&key), "{page} shows the key");
            assert!(shown.text.contains(&key[key.len() - 4..]), "{page} shows how the key ends");
            assert_eq!(agency.member.get(page).await.status, 200, "members read {page}");
            assert_eq!(agency.one.viewer.get(page).await.status, 404, "client roles know nothing of {page}");
        }
        // An empty key keeps the stored one.
        agency.owner.filled(form, "save_connection", &[("price_per_minute", "0.07")]).await;
        let connection = agency.owner.done("get_connection", &[("provider", "ultravox")]).await.json();
        assert_eq!(connection["settings"]["voice_price_per_minute"], "0.07");
        assert_eq!(connection["hint"], key[key.len() - 4..]);
    });
}

#[test]
fn an_agent_follows_its_prompt_to_the_voice_service() {
    run(|world: &World| async move {
        let agency = Agency::new(world, "agents").await;
        let key = agency.connect(world).await;
        let name = format!("{} desk", agency.secret);
        let form = agent_form(&[
            ("name", &name),
            ("client_id", &agency.one.id),
            ("template", "You are Sam. Greet {{first_name}}."),
        ]);
        assert_eq!(agency.member.rpc("save_agent", &form).await.status, 403);
        assert_eq!(agency.one.admin.rpc("save_agent", &form).await.status, 404);
        let id = agency.owner.made_on("/agents/new", "save_agent", &form).await;
        synced(&agency, &id, 1).await;

        let page = agent(&agency.owner, &id).await;
        assert_eq!(page["status"], "draft");
        assert_eq!(page["prompt"]["variables"][0], "first_name");
        assert_eq!(page["mappings"].as_array().expect("copies").len(), 1, "one client, one copy");
        let desk = format!("/agents/{id}");
        agency.owner.filled(&desk, "set_agent_status", &[("status", "active")]).await;

        // A published version reaches the service; an unpublished one does not.
        let prompt = page["prompt"]["id"].as_str().expect("a prompt").to_owned();
        let editor = format!("/prompts/{prompt}");
        let second = [("base_version", "1"), ("template", "You are Pat."), ("production", "true")];
        agency.admin.filled(&editor, "save_prompt", &second).await;
        synced(&agency, &id, 2).await;
        let third = [("base_version", "2"), ("template", "You are Max."), ("production", "")];
        agency.admin.filled(&editor, "save_prompt", &third).await;
        let page = agent(&agency.owner, &id).await;
        assert_eq!((page["prompt"]["version"].as_i64(), page["prompt"]["spoken"].as_i64()), (Some(3), Some(2)));

        // However often it is sent, there is one agent at the service.
        for _ in 0..3 {
            agency.owner.filled(&desk, "sync_agent", &[]).await;
        }
        synced(&agency, &id, 2).await;
        let url = format!("{}/ultravox/api/agents", world.sandbox_base);
        let there = reqwest::Client::new().get(url).header("x-api-key", &key).send().await.expect("an answer");
        let there: Value = serde_json::from_str(&there.text().await.expect("text")).expect("a list");
        assert_eq!(there["results"].as_array().expect("agents").len(), 1, "{there}");
        assert_eq!(there["results"][0]["callTemplate"]["systemPrompt"], "You are Pat.");

        assert_eq!(agency.admin.rpc("delete_agent", &[("id", &id)]).await.status, 403, "only owners delete");
        assert_eq!(agency.admin.rpc("deactivate_agent", &[("id", &id)]).await.status, 403);
        agency.owner.filled(&desk, "deactivate_agent", &[]).await;
        agency.owner.filled(&desk, "restore_agent", &[]).await;
        assert_eq!(agent(&agency.owner, &id).await["status"], "paused", "a restored agent does not call at once");
    });
}

#[test]
fn an_agent_without_a_prompt_stays_a_draft() {
    run(|world: &World| async move {
        let agency = Agency::new(world, "drafts").await;
        let id = agency
            .owner
            .made_on("/agents/new", "save_agent", &agent_form(&[("name", "Empty"), ("client_id", &agency.one.id)]))
            .await;
        let refused = agency.owner.rpc("set_agent_status", &[("id", &id), ("status", "active")]).await;
        assert_eq!(refused.status, 409, "{refused:?}");
        let wrong = agent_form(&[("name", ""), ("temperature", "7"), ("language", "klingon")]);
        let refused = agency.owner.rpc("save_agent", &wrong).await;
        assert_eq!(refused.status, 422);
        for field in ["name", "temperature", "language"] {
            assert!(refused.error_at(field).is_some(), "{field}: {refused:?}");
        }
    });
}

#[test]
fn two_people_saving_a_prompt_do_not_overwrite_each_other() {
    run(|world: &World| async move {
        let agency = Agency::new(world, "prompts").await;
        let new = [("name", "=1+1"), ("template", "One {{a}}"), ("production", "true")];
        let id = agency.owner.made_on("/prompts/new", "save_prompt", &new).await;
        let text = |template| {
            [
                ("id", id.as_str()),
                ("base_version", "1"),
                ("name", "=1+1"),
                ("template", template),
                ("production", "true"),
            ]
        };
        agency.admin.done("save_prompt", &text("Two")).await;
        let refused = agency.owner.rpc("save_prompt", &text("Mine")).await;
        assert_eq!(refused.status, 409, "{refused:?}");
        assert!(refused.text.contains("saved version 2"), "{refused:?}");
        let over: Vec<_> = text("Mine").into_iter().chain([("overwrite", "true")]).collect();
        agency.owner.done("save_prompt", &over).await;
        agency.owner.filled(&format!("/prompts/{id}?version=1"), "restore_prompt_version", &[]).await;
        let page = agency.member.done("get_prompt", &[("id", &id)]).await.json();
        assert_eq!((page["version"].as_i64(), page["template"].as_str()), (Some(4), Some("One {{a}}")));
        let old = agency.member.done("get_prompt", &[("id", &id), ("version", "2")]).await.json();
        assert_eq!(old["template"], "Two");

        let other = Agency::new(world, "strangers").await;
        assert_eq!(other.owner.rpc("get_prompt", &[("id", &id)]).await.status, 404);
        assert_eq!(other.owner.rpc("save_prompt", &text("Theirs")).await.status, 404);
        assert_eq!(agency.one.admin.rpc("get_prompt", &[("id", &id)]).await.status, 404);

        let file = agency.member.get("/prompts/export.csv").await;
        assert!(file.text.contains("\r\n'=1+1,"), "a formula becomes text: {}", file.text);
        assert_eq!(agency.one.viewer.get("/prompts/export.csv").await.status, 404);
    });
}

#[test]
fn a_number_is_found_ordered_used_and_given_back() {
    run(|world: &World| async move {
        let agency = Agency::new(world, "numbers").await;
        agency.connect(world).await;
        let search = [("form[country]", "US"), ("form[area_code]", "312"), ("form[contains]", "")];
        assert_eq!(agency.member.rpc("search_numbers", &search).await.status, 403);
        let found = agency.admin.done("search_numbers", &search).await.json();
        let number = found[0]["number"].as_str().expect("a number on offer").to_owned();
        let order = [("number", number.as_str()), ("country", "US"), ("client_id", agency.one.id.as_str())];
        let id = agency.admin.made_on("/numbers/new?country=US&area=312", "order_number", &order).await;
        let twice = agency.admin.rpc("order_number", &order).await;
        assert_eq!(twice.status, 422, "the same number is not ordered twice: {twice:?}");
        agency.drain().await;
        let row = agency.admin.done("get_number", &[("id", &id)]).await.json()["row"].clone();
        assert_eq!(row["status"], "active", "the number is ours: {row}");
        let elsewhere = agency
            .admin
            .fill("/numbers/new", "add_owned_number", &[("number", "+41446681800"), ("direction", "outbound")])
            .await;
        assert!(elsewhere.error_at("number").is_some(), "{elsewhere:?}");

        let other = Agency::new(world, "numberless").await;
        assert_eq!(other.owner.rpc("release_number", &[("id", &id)]).await.status, 404);
        assert_eq!(agency.member.rpc("release_number", &[("id", &id)]).await.status, 403);
        agency.admin.filled(&format!("/numbers/{id}"), "release_number", &[]).await;
        assert_eq!(agency.admin.done("get_number", &[("id", &id)]).await.json()["row"]["status"], "released");
        let again = agency.admin.rpc("set_number_status", &[("id", &id), ("status", "active")]).await;
        assert_eq!(again.status, 409, "released is final");
    });
}

#[test]
fn the_workshops_pages_say_what_is_there_without_script() {
    run(|world: &World| async move {
        let (agency, works) = Agency::ready(world, "pages").await;
        let pages = [
            ("/agents".to_owned(), "Agents"),
            ("/agents/new".to_owned(), "New agent"),
            (format!("/agents/{}", works.agent), "At the voice service"),
            (format!("/agents/{}/edit", works.agent), "Voice and behaviour"),
            ("/prompts".to_owned(), "Prompts"),
            ("/prompts/new".to_owned(), "New prompt"),
            (format!("/prompts/{}", works.prompt), "Versions"),
            ("/numbers".to_owned(), "Phone numbers"),
            ("/numbers/new?country=US".to_owned(), "Available numbers"),
            (format!("/numbers/{}", works.number), "Who answers"),
            (format!("/numbers/{}?dialog=release", works.number), "Release for good"),
            ("/integrations".to_owned(), "OpenRouter"),
            ("/connections/telnyx".to_owned(), "Public key"),
        ];
        for (path, words) in &pages {
            let page = agency.owner.get(path).await;
            assert_eq!(page.status, 200, "{path}: {}", page.text);
            assert!(page.text.contains(words), "{path} says “{words}”");
            assert_eq!(agency.two.viewer.get(path).await.status, 404, "{path} is not there for client roles");
        }
        for path in ["/agents/new", "/prompts/new"] {
            let page = agency.member.get(path).await;
            assert!(!page.text.contains("Create "), "members get no form at {path}");
        }
        for (list, empty) in [
            ("/agents?q=zzzz", "No agents match"),
            ("/prompts?q=zzzz", "No prompts match"),
            ("/numbers?q=999999", "No numbers match"),
        ] {
            assert!(agency.owner.get(list).await.text.contains(empty), "{list}");
        }
    });
}

#[test]
fn a_voice_has_a_name_and_can_be_heard() {
    run(|world| async move {
        let (agency, works) = Agency::ready(world, "voice").await;
        let catalog = agency.owner.done("get_voice_catalog", &[]).await.json();
        let voice = catalog["voices"][0].clone();
        let (id, name) = (voice["id"].as_str().expect("an id"), voice["name"].as_str().expect("a name"));
        let edit = format!("/agents/{}/edit", works.agent);
        agency.owner.filled(&edit, "save_agent", &[("voice", id), ("publish", "true")]).await;
        let page = agency.owner.get(&format!("/agents/{}", works.agent)).await.text;
        let sample = format!("/agents/voices/{id}/sample");
        assert!(page.contains(name) && page.contains(&format!("src=\"{sample}\"")), "{page}");

        agency.member.join().await;
        agency.one.admin.join().await;
        let heard = |browser: &Browser, path: &str| browser.raw(reqwest::Method::GET, path).send();
        let sound = heard(&agency.member, &sample).await.expect("an answer");
        assert_eq!(sound.status(), 200);
        assert_eq!(sound.headers()["content-type"], "audio/wav");
        assert!(sound.bytes().await.expect("sound").starts_with(b"RIFF"), "it is sound");
        let unknown = format!("/agents/voices/{}/sample", works.agent);
        assert_eq!(
            heard(&agency.owner, &unknown).await.expect("an answer").status(),
            404,
            "only voices that are listed"
        );
        assert_eq!(heard(&agency.one.admin, &sample).await.expect("an answer").status(), 404, "clients know no voices");
    });
}

#[test]
fn what_uses_an_agent_and_a_number_stands_on_their_pages() {
    run(|world| async move {
        let (agency, works) = Agency::worked(world, "used").await;
        for page in [format!("/agents/{}", works.agent), format!("/numbers/{}", works.number)] {
            let shown = agency.owner.get(&page).await.text;
            assert!(shown.contains(&format!("href=\"/campaigns/{}\"", works.campaign)), "{page}: {shown}");
        }
        let prompt = agency.owner.get(&format!("/prompts/{}", works.prompt)).await.text;
        assert!(prompt.contains(&format!("href=\"/agents/{}\"", works.agent)), "{prompt}");
        let campaigns = agency.owner.done("list_campaigns", &[("query[agent]", &works.agent)]).await.json();
        assert_eq!(campaigns["rows"][0]["id"], works.campaign.as_str(), "{campaigns}");
        let others = agency.owner.done("list_campaigns", &[("query[agent]", &works.prompt)]).await.json();
        assert_eq!(others["rows"], serde_json::json!([]), "campaigns of another agent");
        let connection = agency.owner.get("/connections/telnyx").await.text;
        assert!(connection.contains("1 phone number"), "{connection}");
    });
}

#[test]
fn a_plain_filter_leaves_no_empty_fields_in_the_address() {
    run(|world| async move {
        let agency = Agency::new(world, "clean").await;
        let place = |path: &'static str| {
            let request = agency.owner.raw(reqwest::Method::GET, path);
            async move {
                let answer = request.send().await.expect("an answer");
                let place = answer.headers().get("location").map(|place| place.to_str().expect("text").to_owned());
                (answer.status().as_u16(), place)
            }
        };
        assert_eq!(place("/calls?from=&q=roof&agent=").await, (303, Some("/calls?q=roof".to_owned())));
        assert_eq!(place("/calls?from=&agent=").await, (303, Some("/calls".to_owned())));
        assert_eq!(place("/calls?q=roof").await, (200, None));
        assert_ne!(place("//elsewhere.example/calls?q=").await.0, 303, "leads to no other host");
    });
}

#[test]
fn a_draft_changes_nothing_until_it_is_published_and_versions_come_back() {
    run(|world| async move {
        let (agency, works) = Agency::ready(world, "drafted").await;
        let (desk, edit) = (format!("/agents/{}", works.agent), format!("/agents/{}/edit", works.agent));
        let before = agent(&agency.owner, &works.agent).await;
        let copy = before["mappings"][0]["provider_agent_id"].as_str().expect("a copy").to_owned();
        let there = async || service(world, &works.key, Method::GET, &format!("/agents/{copy}"), None).await.1;
        let changes = [
            ("greeting", "Good day."),
            ("silence_after_1", "20"),
            ("silence_says_1", "Are you there?"),
            ("silence_ends_1", "strict"),
            ("voicemail", "message"),
            ("voicemail_message", "Please call us back."),
            ("screener", "It is about your appointment."),
            ("earlier_calls", "3"),
            ("join_seconds", "45"),
        ];
        agency.admin.filled(&edit, "save_agent", &changes).await;
        agency.drain().await;
        let page = agent(&agency.owner, &works.agent).await;
        let labels: Vec<&str> = page["draft"]["changes"]
            .as_array()
            .expect("changes")
            .iter()
            .filter_map(|one| one["label"].as_str())
            .collect();
        let wanted = [
            "Opening",
            "Time to answer",
            "When nobody speaks",
            "At a mailbox",
            "Message for mailboxes",
            "At a call screener",
            "Told of earlier calls",
        ];
        assert_eq!(labels, wanted);
        assert_eq!((page["version"].as_i64(), page["config"]["greeting"].as_str()), (Some(1), Some("Hello.")));
        assert_eq!(there().await["callTemplate"]["joinTimeout"], "30s", "calls go on as they were");
        assert!(agency.member.get(&desk).await.text.contains("7 changes not published"));

        // Somebody who opened the page before is told, and loses nothing.
        let stale = agency
            .owner
            .rpc(
                "save_agent",
                &agent_form(&[("id", &works.agent), ("base", "1.0"), ("name", "Mine"), ("prompt_id", &works.prompt)]),
            )
            .await;
        assert!(stale.status == 409 && stale.text.contains("other changes"), "{stale:?}");
        let unseen = agency.owner.rpc("publish_agent", &[("id", &works.agent), ("base", "1.0")]).await;
        assert_eq!(unseen.status, 409, "nothing is published unseen: {unseen:?}");
        let wrong = agency.admin.fill(&edit, "save_agent", &[("join_seconds", "600"), ("silence_after_2", "0")]).await;
        assert!(wrong.error_at("join_seconds").is_some() && wrong.error_at("silence_says_2").is_some(), "{wrong:?}");
        assert_eq!(agency.member.rpc("publish_agent", &[("id", &works.agent)]).await.status, 403);

        agency.owner.filled(&desk, "publish_agent", &[]).await;
        agency.drain().await;
        let template = there().await["callTemplate"].clone();
        assert_eq!(
            template["inactivityMessages"],
            json!([{"duration": "20s", "message": "Are you there?", "endBehavior": "END_BEHAVIOR_HANG_UP_STRICT"}])
        );
        assert_eq!(template["joinTimeout"], "45s");
        assert_eq!(template["selectedTools"][0]["parameterOverrides"]["message"], "Please call us back.");
        let told = template["systemPrompt"].as_str().expect("words");
        for part in ["patchbay_at_voicemail", "about your appointment", "{{patchbay_earlier_calls}}"] {
            assert!(told.contains(part), "{part}: {told}");
        }
        let page = agent(&agency.owner, &works.agent).await;
        assert_eq!((page["version"].as_i64(), page["sync"].as_str()), (Some(2), Some("synced")), "{page}");

        // The first version comes back as a draft, and can be thrown away.
        let versions = format!("{desk}/versions");
        agency.admin.filled(&format!("{versions}?version=1"), "restore_agent_version", &[]).await;
        assert_eq!(agent(&agency.owner, &works.agent).await["draft"]["settings"]["config"]["greeting"], "Hello.");
        let twice = agency.admin.rpc("restore_agent_version", &[("id", &works.agent), ("version", "1")]).await;
        assert_eq!(twice.status, 409, "{twice:?}");
        agency.owner.filled(&desk, "discard_agent_draft", &[]).await;
        assert!(agent(&agency.owner, &works.agent).await["draft"].is_null());
        // A page that still shows it publishes nothing.
        agency.owner.done("publish_agent", &[("id", &works.agent), ("base", "2.1")]).await;
        assert_eq!(agent(&agency.owner, &works.agent).await["version"], 2);
        let file = agency.member.get(&format!("{versions}/export.csv")).await.text;
        assert!(file.lines().count() == 3 && file.contains("First version"), "{file}");
        assert!(agency.member.get(&format!("{versions}?q=First")).await.text.contains("Version 1"));

        // A version whose prompt is not used any more comes back as a draft, and says what to change.
        let other = [("name", "Other"), ("template", "You are Ann."), ("production", "true")];
        let other = agency.owner.made_on("/prompts/new", "save_prompt", &other).await;
        for prompt in [&other, &works.prompt] {
            agency.admin.filled(&edit, "save_agent", &[("prompt_id", prompt), ("publish", "true")]).await;
        }
        agency.owner.done("set_prompt_active", &[("id", &other)]).await;
        agency.admin.filled(&format!("{versions}?version=3"), "restore_agent_version", &[]).await;
        let refused = agency.owner.rpc("publish_agent", &[("id", &works.agent)]).await;
        assert!(refused.status == 409 && refused.text.contains("deactivated"), "{refused:?}");
        agency.owner.filled(&desk, "discard_agent_draft", &[]).await;

        // Taken away again, nothing of it stays at the service.
        let none = [("silence_after_1", ""), ("silence_says_1", ""), ("voicemail", "prompt"), ("publish", "true")];
        agency.admin.filled(&edit, "save_agent", &none).await;
        agency.drain().await;
        let template = there().await["callTemplate"].clone();
        assert_eq!(
            (&template["inactivityMessages"], &template["selectedTools"]),
            (&json!([]), &json!([])),
            "{template}"
        );

        // A client who has been archived meanwhile gets no new version, and the draft stays.
        agency.admin.filled(&edit, "save_agent", &[("greeting", "Once more.")]).await;
        agency.owner.done("set_client_status", &[("id", &agency.one.id), ("status", "archived")]).await;
        let refused = agency.owner.rpc("publish_agent", &[("id", &works.agent)]).await;
        assert!(refused.status == 409 && refused.text.contains("client is archived"), "{refused:?}");
        assert_eq!(agent(&agency.owner, &works.agent).await["draft"]["settings"]["config"]["greeting"], "Once more.");
    });
}

#[test]
fn what_somebody_changes_at_the_service_is_found_kept_and_resolved_either_way() {
    run(|world| async move {
        let (agency, works) = Agency::ready(world, "drifted").await;
        let desk = format!("/agents/{}", works.agent);
        let page = agent(&agency.owner, &works.agent).await;
        let copy = page["mappings"][0]["provider_agent_id"].as_str().expect("a copy").to_owned();
        let path = format!("/agents/{copy}");
        let there = async || service(world, &works.key, Method::GET, &path, None).await.1["callTemplate"].clone();
        let set = async |template: Value| {
            let body = json!({"callTemplate": template});
            assert_eq!(service(world, &works.key, Method::PATCH, &path, Some(body)).await.0, 200);
        };
        let looked = async || {
            agency.owner.filled(&desk, "compare_agent", &[]).await;
            agency.drain().await;
            let page = agent(&agency.owner, &works.agent).await;
            let keys = page["mappings"][0]["drift"].as_array().expect("fields").iter();
            (page["sync"].clone(), keys.filter_map(|one| one["key"].as_str().map(str::to_owned)).collect::<Vec<_>>())
        };
        assert_eq!(looked().await, (json!("synced"), Vec::new()));
        let own = json!({"toolName": "queryCorpus", "nameOverride": "their_own"});
        set(json!({"voice": "Jana", "selectedTools": [own], "vadSettings": {"turnEndpointDelay": "0.4s"}})).await;
        assert_eq!(looked().await, (json!("differs"), vec!["voice".to_owned()]), "what is not ours is no difference");
        assert!(agency.member.get(&desk).await.text.contains("Jana"));

        // A new version of the prompt goes there; the voice stays theirs until somebody chooses.
        let second = [("base_version", "1"), ("template", "You are Pat."), ("production", "true")];
        agency.admin.filled(&format!("/prompts/{}", works.prompt), "save_prompt", &second).await;
        agency.drain().await;
        let now = there().await;
        assert_eq!((now["systemPrompt"].as_str(), now["voice"].as_str()), (Some("You are Pat."), Some("Jana")));
        assert_eq!(agent(&agency.owner, &works.agent).await["sync"], "differs");
        agency.admin.filled(&desk, "take_agent_from_service", &[]).await;
        agency.drain().await;
        let page = agent(&agency.owner, &works.agent).await;
        assert_eq!((page["config"]["voice"].as_str(), page["sync"].as_str()), (Some("Jana"), Some("synced")), "{page}");

        set(json!({"temperature": 0.9, "systemPrompt": "You are Eve."})).await;
        assert_eq!(looked().await.1, ["prompt", "temperature"]);
        agency.admin.filled(&desk, "sync_agent", &[]).await;
        agency.drain().await;
        let now = there().await;
        assert_eq!((now["temperature"].as_f64(), now["systemPrompt"].as_str()), (Some(0.3), Some("You are Pat.")));
        assert_eq!(now["selectedTools"], json!([own]), "tools of others stay");
        assert_eq!(now["vadSettings"]["turnEndpointDelay"], "0.4s", "and so do other settings");

        set(json!({"systemPrompt": "You are Rosa."})).await;
        looked().await;
        agency.admin.filled(&desk, "take_agent_from_service", &[]).await;
        agency.drain().await;
        let page = agent(&agency.owner, &works.agent).await;
        assert_eq!(
            (page["prompt"]["template"].as_str(), page["sync"].as_str()),
            (Some("You are Rosa."), Some("synced")),
            "{page}"
        );

        // Gone there: it can only be made again.
        assert_eq!(service(world, &works.key, Method::DELETE, &path, None).await.0, 204);
        assert_eq!(looked().await.1, ["agent"]);
        agency.owner.filled(&desk, "sync_agent", &[]).await;
        agency.drain().await;
        let page = agent(&agency.owner, &works.agent).await;
        assert_eq!(page["sync"], "synced");
        assert_ne!(page["mappings"][0]["provider_agent_id"], copy.as_str());
    });
}

#[test]
fn an_agent_of_the_account_is_adopted_and_a_deleted_one_is_gone_there_too() {
    run(|world| async move {
        let agency = Agency::new(world, "adopting").await;
        let key = agency.connect(world).await;
        let known = at_service(world, &key, "Reception").await;
        let names = async || {
            let list = agency.admin.done("list_adoptable_agents", &[("query[words]", "")]).await.json();
            let rows = list["rows"].as_array().expect("agents").iter();
            rows.filter_map(|row| row["name"].as_str().map(str::to_owned)).collect::<Vec<_>>()
        };
        assert_eq!(names().await, ["Reception"]);
        assert!(agency.admin.get("/agents/adopt?q=recep").await.text.contains("Reception"));
        assert!(agency.admin.get("/agents/adopt?q=zzz").await.text.contains("No agents match"));
        let form = format!("/agents/adopt/{known}");
        assert!(agency.admin.get(&form).await.text.contains("vadSettings"), "what else is set there is shown");
        assert!(agency.admin.fill(&form, "adopt_agent", &[("client_id", "")]).await.error_at("client_id").is_some());
        let id =
            agency.admin.made_on(&form, "adopt_agent", &[("client_id", &agency.one.id), ("name", "Front desk")]).await;
        let twice = agency
            .admin
            .rpc("adopt_agent", &[("provider_agent", &known), ("name", "Two"), ("client_id", &agency.one.id)])
            .await;
        assert_eq!(twice.status, 409, "{twice:?}");
        synced(&agency, &id, 1).await;
        assert_eq!(names().await, [""; 0]);
        let page = agent(&agency.owner, &id).await;
        assert_eq!(page["mappings"][0]["provider_agent_id"], known.as_str(), "it is the same agent there");
        assert_eq!((page["language"].as_str(), page["config"]["max_minutes"].as_i64()), (Some("de"), Some(2)));
        assert_eq!(page["prompt"]["variables"][0], "first_name");
        let path = format!("/agents/{known}");
        let there = service(world, &key, Method::GET, &path, None).await.1;
        assert_eq!(there["callTemplate"]["selectedTools"], json!([{"toolName": "hangUp"}]), "{there}");
        assert!(there["name"].as_str().is_some_and(|name| name.starts_with("Front desk - ")), "{there}");

        let desk = format!("/agents/{id}");
        let copy = agency.admin.made_on(&desk, "duplicate_agent", &[]).await;
        assert_eq!(agent(&agency.owner, &copy).await["name"], "Front desk (copy)");
        let refused = agency.owner.fill(&desk, "delete_agent", &[("name", "front desk")]).await;
        assert!(refused.error_at("name").is_some(), "{refused:?}");
        assert_eq!(agency.admin.rpc("delete_agent", &[("id", &id), ("name", "Front desk")]).await.status, 403);
        agency.owner.filled(&desk, "delete_agent", &[("name", "Front desk")]).await;
        agency.drain().await;
        assert_eq!(service(world, &key, Method::GET, &path, None).await.0, 404, "it is gone there");
        assert!(agency.owner.get(&desk).await.text.contains("Deleted"), "its page still leads to its calls");
        assert_eq!(agency.owner.rpc("restore_agent", &[("id", &id)]).await.status, 409);
        let edit = agent_form(&[
            ("id", &id),
            ("name", "Back"),
            ("prompt_id", page["prompt"]["id"].as_str().expect("a prompt")),
        ]);
        assert_eq!(agency.owner.rpc("save_agent", &edit).await.status, 409);
        assert!(agency.owner.get("/agents?status=deleted").await.text.contains("Front desk"));
    });
}

#[test]
fn an_agent_is_told_of_earlier_calls_with_the_person() {
    run(|world| async move {
        let (agency, works) = Agency::worked(world, "remembering").await;
        let edit = format!("/agents/{}/edit", works.agent);
        agency.owner.filled(&edit, "save_agent", &[("earlier_calls", "2"), ("publish", "true")]).await;
        agency.drain().await;
        let call = uuid::Uuid::now_v7().to_string();
        let fields = [
            ("call", call.as_str()),
            ("agent_id", &works.agent),
            ("client_id", &agency.one.id),
            ("to", "+12025550113"),
        ];
        agency.owner.done("make_test_call", &fields).await;
        let found =
            service(world, &works.key, Method::GET, &format!("/calls?metadata.patchbay_call={call}"), None).await.1;
        let told =
            found["results"][0]["templateContext"].to_string() + &found["results"][0]["systemPrompt"].to_string();
        assert!(told.contains("we called"), "{found}");
        agency.drain().await;
    });
}
