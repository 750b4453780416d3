//! Labels of prompts, moves that wait for a second person, differences, texts that two people write at once, checks, and what calls came to.

use serde_json::Value;

use super::support::{Agency, Browser, World, run};

/// A prompt with one version in production, and a second one that is only saved.
async fn two_versions(agency: &Agency, name: &str) -> String {
    let first = [("name", name), ("template", "You are Sam.\nBe brief."), ("production", "true")];
    let id = agency.owner.made_on("/prompts/new", "save_prompt", &first).await;
    save(&agency.owner, &id, "1", "You are Sam.\nBe very friendly.", false).await;
    id
}

async fn save(browser: &Browser, id: &str, base: &str, template: &str, production: bool) {
    let page = get(browser, id).await;
    let mut fields = vec![
        ("id", id.to_owned()),
        ("base_version", base.to_owned()),
        ("name", page["name"].as_str().expect("a name").to_owned()),
        ("template", template.to_owned()),
    ];
    fields.extend(production.then(|| ("production", "true".to_owned())));
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    browser.done("save_prompt", &fields).await;
}

async fn get(browser: &Browser, id: &str) -> Value {
    browser.done("get_prompt", &[("id", id)]).await.json()
}

fn to<'a>(id: &'a str, label: &'a str, version: &'a str) -> [(&'a str, &'a str); 4] {
    [("id", id), ("label", label), ("version", version), ("note", "It is better.")]
}

/// The version that the voice service has.
async fn said(agency: &Agency, agent: &str) -> i64 {
    agency.drain().await;
    let page = agency.owner.done("get_agent", &[("id", agent)]).await.json();
    assert_eq!(page["sync"], "synced", "{page}");
    page["mappings"][0]["prompt_version"].as_i64().expect("a version")
}

/// A move of a prompt of its own that waits for a second person. Gives the move.
pub async fn asked_for(agency: &Agency) -> String {
    let id = two_versions(agency, "Asked for").await;
    agency.owner.done("set_prompt_rule", &[("id", &id), ("on", "true")]).await;
    agency.owner.done("move_prompt_label", &to(&id, "production", "2")).await;
    waiting(&agency.owner, &id).await
}

async fn waiting(browser: &Browser, id: &str) -> String {
    get(browser, id).await["waiting"]["id"].as_str().expect("a move that waits").to_owned()
}

#[test]
fn labels_move_go_back_and_decide_what_agents_say() {
    run(|world: &World| async move {
        let agency = Agency::new(world, "labels").await;
        agency.connect(world).await;
        let (owner, admin) = (&agency.owner, &agency.admin);
        // Without the label agents say the newest version.
        let text = [("name", "Desk"), ("template", "One."), ("production", "")];
        let id = owner.made_on("/prompts/new", "save_prompt", &text).await;
        let agent = agency.agent(&id).await;
        assert_eq!(said(&agency, &agent).await, 1);
        assert!(agency.member.get(&format!("/prompts/{id}")).await.text.contains("No version is labelled production"));
        save(admin, &id, "1", "Two.", false).await;
        assert_eq!(said(&agency, &agent).await, 2);

        // With it, they stay at the labelled one.
        admin.done("move_prompt_label", &to(&id, "production", "1")).await;
        admin.done("move_prompt_label", &to(&id, "production", "1")).await;
        assert_eq!(said(&agency, &agent).await, 1);
        save(admin, &id, "2", "Three.", false).await;
        assert_eq!(said(&agency, &agent).await, 1, "what is merely saved is not said");
        owner.done("move_prompt_label", &to(&id, "production", "3")).await;
        assert_eq!(said(&agency, &agent).await, 3);
        let label = get(owner, &id).await["labels"][0].clone();
        assert_eq!(
            (label["label"].as_str(), label["version"].as_i64(), label["before"].as_i64()),
            (Some("production"), Some(3), Some(1))
        );
        let back: Vec<_> = to(&id, "production", "1").into_iter().chain([("was", "3")]).collect();
        admin.done("move_prompt_label", &back).await;
        assert_eq!(said(&agency, &agent).await, 1, "back to where it was");
        let stale = owner.rpc("move_prompt_label", &back).await;
        assert_eq!(stale.status, 409, "somebody has moved it since that page was shown: {stale:?}");
        assert!(stale.text.contains("on version 1 now"), "{stale:?}");

        // Labels of one's own.
        admin.done("move_prompt_label", &to(&id, "Ready", "3")).await;
        let wrong = admin.rpc("move_prompt_label", &to(&id, "zwei wörter", "3")).await;
        assert!(wrong.status == 422 && wrong.error_at("label").is_some(), "{wrong:?}");
        assert_eq!(admin.rpc("move_prompt_label", &to(&id, "ready", "9")).await.status, 404, "there is no version 9");
        admin.done("remove_prompt_label", &[("id", &id), ("label", "ready")]).await;
        admin.done("remove_prompt_label", &[("id", &id), ("label", "ready")]).await;
        let kept = admin.rpc("remove_prompt_label", &[("id", &id), ("label", "production")]).await;
        assert_eq!(kept.status, 409, "{kept:?}");
        assert_eq!(agency.member.rpc("move_prompt_label", &to(&id, "ready", "1")).await.status, 403);
        assert_eq!(agency.one.admin.rpc("move_prompt_label", &to(&id, "ready", "1")).await.status, 404);

        // Every move is in the history, once.
        let moves = agency.member.done("list_prompt_moves", &[("id", &id)]).await.json();
        let way = |row: &Value| format!("{} {}>{}", row["label"].as_str().unwrap_or_default(), row["from"], row["to"]);
        let ways: Vec<String> = moves["page"]["rows"].as_array().expect("rows").iter().map(way).collect();
        assert_eq!(ways, ["ready 3>null", "ready null>3", "production 3>1", "production 1>3", "production null>1"]);
        let only = [("id", id.as_str()), ("query[label]", "ready"), ("query[sort]", "at")];
        let only = agency.member.done("list_prompt_moves", &only).await.json();
        assert_eq!(only["page"]["rows"].as_array().map(Vec::len), Some(2));
        let page = agency.member.get(&format!("/prompts/{id}/moves?label=ready")).await;
        assert!(page.text.contains("v3 → none") && page.text.contains("It is better."), "{}", page.text);
        let file = agency.member.get(&format!("/prompts/{id}/moves/export.csv?label=production")).await;
        assert_eq!(file.text.matches("production").count(), 3, "{}", file.text);
    });
}

#[test]
fn a_move_of_production_waits_for_a_second_person() {
    run(|world: &World| async move {
        let agency = Agency::new(world, "second").await;
        agency.connect(world).await;
        let (owner, admin) = (&agency.owner, &agency.admin);
        let id = two_versions(&agency, "Two pairs of eyes").await;
        let agent = agency.agent(&id).await;
        admin.done("set_prompt_rule", &[("id", &id), ("on", "true")]).await;
        assert_eq!(admin.rpc("set_prompt_rule", &[("id", &id)]).await.status, 409, "an owner lifts it");

        admin.done("move_prompt_label", &to(&id, "production", "2")).await;
        admin.done("move_prompt_label", &to(&id, "production", "2")).await;
        assert_eq!(said(&agency, &agent).await, 1, "it waits");
        let asked = waiting(owner, &id).await;
        let answer = |verdict, answer| [("id", asked.as_str()), ("verdict", verdict), ("answer", answer)];
        let own = admin.rpc("decide_prompt_move", &answer("approve", "")).await;
        assert!(own.status == 409 && own.text.contains("You asked for this move yourself"), "{own:?}");
        assert_eq!(agency.member.rpc("decide_prompt_move", &answer("approve", "")).await.status, 403);
        let page = owner.get(&format!("/prompts/{id}")).await.text;
        assert!(page.contains("To approve") && page.contains(&format!("/prompts/{id}/diff?from=1&amp;to=2")), "{page}");
        assert!(owner.get("/prompts?waiting=yes").await.text.contains("Two pairs of eyes"));
        assert!(!owner.get("/prompts?waiting=no").await.text.contains("Two pairs of eyes"));
        let another = owner.rpc("move_prompt_label", &to(&id, "production", "2")).await;
        assert_eq!(another.status, 409, "one wish at a time: {another:?}");

        let wordless = owner.rpc("decide_prompt_move", &answer("refuse", " ")).await;
        assert!(wordless.status == 422 && wordless.error_at("answer").is_some(), "{wordless:?}");
        owner.done("decide_prompt_move", &answer("refuse", "Too long.")).await;
        owner.done("decide_prompt_move", &answer("refuse", "Too long.")).await;
        assert_eq!(owner.rpc("decide_prompt_move", &answer("approve", "")).await.status, 409, "it is answered");

        // Asked for again, with the box of the editor, withdrawn, asked for, and approved.
        save(admin, &id, "2", "Third.", true).await;
        let third = waiting(admin, &id).await;
        assert_eq!(owner.rpc("withdraw_prompt_move", &[("id", &third)]).await.status, 409);
        admin.done("withdraw_prompt_move", &[("id", &third)]).await;
        admin.done("move_prompt_label", &to(&id, "production", "3")).await;
        let fourth = waiting(owner, &id).await;
        let other = Agency::new(world, "otherseconds").await;
        let approve = [("id", fourth.as_str()), ("verdict", "approve")];
        assert_eq!(other.owner.rpc("decide_prompt_move", &approve).await.status, 404);
        owner.done("decide_prompt_move", &approve).await;
        owner.done("decide_prompt_move", &approve).await;
        assert_eq!(said(&agency, &agent).await, 3);
        let moves = owner.done("list_prompt_moves", &[("id", &id)]).await.json();
        let states: Vec<&str> =
            moves["page"]["rows"].as_array().expect("rows").iter().filter_map(|row| row["status"].as_str()).collect();
        assert_eq!(states, ["done", "withdrawn", "refused", "done"]);

        // An owner lifts the rule, and moves it alone: whoever had asked meanwhile has to ask anew.
        admin.done("move_prompt_label", &to(&id, "production", "1")).await;
        let stale = waiting(owner, &id).await;
        owner.done("set_prompt_rule", &[("id", &id)]).await;
        owner.done("move_prompt_label", &to(&id, "production", "2")).await;
        let late = owner.rpc("decide_prompt_move", &[("id", &stale), ("verdict", "approve")]).await;
        assert!(late.status == 409 && late.text.contains("withdrawn"), "{late:?}");
        assert_eq!(said(&agency, &agent).await, 2);
    });
}

#[test]
fn two_texts_of_two_people_are_compared_and_merged() {
    run(|world: &World| async move {
        let agency = Agency::new(world, "merging").await;
        let (owner, admin) = (&agency.owner, &agency.admin);
        let id = two_versions(&agency, "Merged").await;
        // What differs is marked word by word, side by side and in line, and is text.
        save(admin, &id, "2", "You are Sam.\nBe very <b>kind</b>.\n{{first_nam}}", false).await;
        for view in ["side", "inline"] {
            let page = agency.member.get(&format!("/prompts/{id}/diff?from=2&to=3&view={view}")).await.text;
            assert!(page.contains("<del>friendly."), "{view}: {page}");
            assert!(page.contains("<ins>&lt;b&gt;kind&lt;/b&gt;.") && !page.contains("<b>kind"), "{view}: {page}");
        }
        let diff = agency.member.done("get_prompt_diff", &[("id", &id)]).await.json();
        assert_eq!((diff["from"].as_i64(), diff["to"].as_i64()), (Some(1), Some(3)), "what is said, and the newest");
        assert_eq!(agency.member.rpc("get_prompt_diff", &[("id", &id), ("from", "9")]).await.status, 404);
        let page = agency.member.get(&format!("/prompts/{id}")).await.text;
        assert!(page.contains("Line 3: nothing fills") && page.contains("first_name"), "{page}");

        // The owner's text started from the second version.
        let name =
            [("id", id.as_str()), ("base_version", "2"), ("name", "Merged"), ("template", "You are Sam.\nMine.")];
        let refused = owner.rpc("save_prompt", &name).await;
        assert_eq!(refused.status, 409, "{refused:?}");
        let merge = owner.done("get_prompt_merge", &[("id", &id)]).await.json();
        assert_eq!(
            (merge["mine"]["template"].as_str(), merge["mine"]["base"].as_i64()),
            (Some("You are Sam.\nMine."), Some(2))
        );
        let page = owner.get(&format!("/prompts/{id}/merge")).await.text;
        assert!(page.contains("<ins>Mine.") && page.contains("saved version 3"), "{page}");
        assert!(owner.get(&format!("/prompts/{id}")).await.text.contains(&format!("/prompts/{id}/merge")));
        let theirs = admin.done("get_prompt_merge", &[("id", &id)]).await.json();
        assert!(theirs["mine"].is_null(), "it is the owner's own: {theirs}");
        let merged = [("template", "You are Sam.\nMine, and kind."), ("note", "Both"), ("production", "")];
        owner.filled(&format!("/prompts/{id}/merge"), "save_prompt", &merged).await;
        let page = get(owner, &id).await;
        assert_eq!((page["version"].as_i64(), page["has_unsaved"].as_bool()), (Some(4), Some(false)));
        assert_eq!(owner.rpc("save_prompt", &name).await.status, 409);
        owner.filled(&format!("/prompts/{id}/merge"), "discard_prompt_text", &[]).await;
        assert!(owner.get(&format!("/prompts/{id}/merge")).await.text.contains("Nothing to merge"));
    });
}

#[test]
fn a_prompt_says_what_fills_it_which_tools_are_missing_and_what_calls_came_to() {
    run(|world: &World| async move {
        let (agency, works) = Agency::worked(world, "promptresults").await;
        let owner = &agency.owner;
        let text = [
            ("template", "Hi {{first_name}} of {{client_name}}, {{insurance_no}}: {{insurance_nr}}."),
            ("tools", "cal_booking, lookup"),
            ("tags", "dental"),
            ("production", "true"),
        ];
        owner.filled(&format!("/prompts/{}", works.prompt), "save_prompt", &text).await;
        let contact = [
            ("id", works.contact.as_str()),
            ("form[name]", "Rosa"),
            ("form[phone]", "+12025550113"),
            ("form[company]", ""),
            ("form[attributes]", "insurance_no = 7"),
        ];
        owner.done("change_contact", &contact).await;
        let page = get(owner, &works.prompt).await;
        let sources: Vec<String> = page["variables"]
            .as_array()
            .expect("variables")
            .iter()
            .map(|check| {
                format!(
                    "{} {}",
                    check["name"].as_str().unwrap_or_default(),
                    check["source"]["from"].as_str().unwrap_or_default()
                )
            })
            .collect();
        assert_eq!(
            sources,
            ["first_name contact", "client_name campaign", "insurance_no field", "insurance_nr unknown"]
        );
        assert_eq!(page["variables"][3]["source"]["nearest"], "insurance_no");
        assert_eq!(page["lacking"][0]["missing"], serde_json::json!(["cal_booking", "lookup"]), "{page}");
        assert!(page["campaigns"][0]["name"].as_str().expect("a campaign").contains("campaign"), "{page}");
        let shown = owner.get(&format!("/prompts/{}", works.prompt)).await.text;
        assert!(shown.contains(&format!("/agents/{}/tools/new", works.agent)), "{shown}");
        let wrong = owner.fill(&format!("/prompts/{}", works.prompt), "save_prompt", &[("tools", "no name!")]).await;
        assert!(wrong.status == 422 && wrong.error_at("tools").is_some(), "{wrong:?}");

        // Each figure leads to exactly its calls.
        let outcomes = agency.member.done("get_prompt_outcomes", &[("id", &works.prompt)]).await.json();
        let row = &outcomes["rows"][0];
        assert_eq!(row["version"], 1, "{outcomes}");
        assert!(row["calls"].as_i64().is_some_and(|calls| calls > 0), "{outcomes}");
        for (figure, at) in [("calls", "calls_at"), ("answered", "answered_at"), ("goals", "goals_at")] {
            let address = row[at].as_str().expect("an address").replace("/calls?", "/calls.csv?");
            let file = owner.get(&address).await.text;
            assert_eq!(
                file.trim_end().lines().count() as i64 - 1,
                row[figure].as_i64().expect("a count"),
                "{figure}: {file}"
            );
        }
        let version =
            |version: &'static str| [("query[prompt]", works.prompt.clone()), ("query[version]", version.to_owned())];
        let count = async |browser: &Browser, fields: [(&str, String); 2]| {
            let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
            let list = browser.done("list_calls", &fields).await.json();
            list["page"]["rows"].as_array().expect("rows").len()
        };
        assert_eq!(count(owner, version("2")).await, 0);
        assert_eq!(count(owner, version("x")).await, 0, "what is no version matches nothing");
        let (all, own) = (count(&agency.one.admin, version("2")).await, count(owner, version("1")).await);
        assert!(all >= own && own > 0, "what a client's people may not read they cannot search either");
    });
}
