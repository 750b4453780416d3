//! Skills: written once, told to every agent that has them, and exchanged as archives that are looked at first.

use std::io::Write;

use serde_json::Value;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::support::{Agency, Answer, Browser, owner_lines, owner_value, run};
use super::tools::{added, last_id};

/// A skill of the agency that the agent has, and an archive that waits. Gives the ids of both.
pub async fn filled(agency: &Agency, agent: &str) -> (String, String) {
    let secret = &agency.secret;
    let skill = written(agency, "booking-visits", &format!("Ask for the day. {secret}")).await;
    agency.owner.filled(&format!("/agents/{agent}/skills"), "attach_skill", &[("skill", &skill)]).await;
    let text = format!("---\nname: complaints\ndescription: For complaints. {secret}\n---\n\nListen.\n");
    (skill, last_id(&uploaded(&agency.owner, "SKILL.md", text).await))
}

async fn written(agency: &Agency, name: &str, instructions: &str) -> String {
    let fields = [
        ("name", name),
        ("description", "Use it when somebody asks."),
        ("instructions", instructions),
        ("category", "Calls"),
        ("tags", "Sales, eu"),
    ];
    last_id(&agency.owner.filled("/skills/new", "save_skill", &fields).await)
}

async fn uploaded(browser: &Browser, name: &str, bytes: impl Into<Vec<u8>>) -> Answer {
    browser.upload("/skills/imports", &[], name, bytes.into()).await
}

async fn skill(browser: &Browser, id: &str) -> Value {
    browser.done("get_skill", &[("id", id)]).await.json()
}

fn names(list: &Value) -> Vec<String> {
    let rows = list["page"]["rows"].as_array().cloned().unwrap_or_default();
    rows.iter().filter_map(|row| row["name"].as_str().map(str::to_owned)).collect()
}

fn zipped(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (path, bytes) in files {
        writer.start_file(*path, SimpleFileOptions::default()).expect("an entry");
        writer.write_all(bytes).expect("its bytes");
    }
    writer.finish().expect("an archive").into_inner()
}

#[test]
fn a_skill_is_written_given_to_an_agent_and_told_to_the_voice_service() {
    run(|world| async move {
        let (agency, works) = Agency::ready(world, "skills").await;
        let (owner, agent) = (&agency.owner, works.agent.as_str());
        let page = format!("/agents/{agent}/skills");
        let first = written(&agency, "booking-visits", "Ask for the {{day}}.").await;
        let second = written(&agency, "complaints", "Listen.").await;
        let file = |kind: &str| format!("/skills/{first}/file?kind={kind}");
        owner
            .filled(&file("reference"), "save_skill_file", &[("file_name", "hours.md"), ("content", "Nine to five.")])
            .await;
        owner.filled(&file("script"), "save_skill_file", &[("file_name", "check.py"), ("content", "print(1)")]).await;
        let edit = format!("/skills/{first}/edit");
        owner.filled(&edit, "save_skill", &[("allowed_tools", "book look_up")]).await;
        owner.filled(&page, "attach_skill", &[("skill", &first)]).await;
        owner.filled(&format!("/skills/{second}"), "attach_skill", &[("agent", agent)]).await;
        // Once more changes nothing.
        owner.done("attach_skill", &[("agent", agent), ("skill", &second)]).await;
        owner.done("move_skill", &[("agent", agent), ("skill", &second), ("to", "up")]).await;

        let shown = agency.member.done("list_agent_skills", &[("agent", agent)]).await.json();
        let told = shown["told"].as_str().expect("it is told").to_owned();
        let order = [told.find("## Skill: complaints"), told.find("## Skill: booking-visits")];
        assert!(order[0].is_some() && order[0] < order[1], "{told}");
        for word in [
            "Ask for the { {day} }.",
            "### Reference: hours.md\n\nNine to five.",
            "### Script, for reading only: check.py",
            "Tools for it: book, look_up",
        ] {
            assert!(told.contains(word), "{word}: {told}");
        }
        assert_eq!(shown["skills"][1]["missing"], serde_json::json!(["book", "look_up"]));
        let schema = [
            ("tool_name", "book"),
            ("description", "Books."),
            ("address", "https://example.com/"),
            ("method", "GET"),
            ("schema", r#"{"type": "object", "properties": {}}"#),
        ];
        added(&agency, &format!("/agents/{agent}/tools/new?kind=http"), &schema).await;
        assert_eq!(skill(&agency.member, &first).await["agents"][0]["missing"], serde_json::json!(["look_up"]));

        agency.drain().await;
        let held = async || {
            let url = format!("{}/ultravox/api/agents", world.sandbox_base);
            let there = Browser::answer(reqwest::Client::new().get(url).header("x-api-key", &works.key)).await.json();
            there["results"][0]["callTemplate"]["systemPrompt"].as_str().unwrap_or_default().to_owned()
        };
        let text = held().await;
        assert!(text.contains("## Skill: complaints") && text.contains("Nine to five."), "{text}");

        // Deactivated, it is kept and not told; the copies follow by themselves.
        owner.filled(&format!("/skills/{first}"), "set_skill_active", &[]).await;
        agency.drain().await;
        let text = held().await;
        assert!(text.contains("## Skill: complaints") && !text.contains("booking-visits"), "{text}");
        let list =
            agency.member.done("list_skills", &[("query[category]", "Calls"), ("query[tag]", "eu")]).await.json();
        assert_eq!(names(&list), ["complaints"]);
        let csv = agency.member.get("/skills/export.csv?state=all&sort=-name&q=use%20it").await;
        let places = [csv.text.find("complaints"), csv.text.find("booking-visits")];
        assert!(places[0].is_some() && places[0] < places[1], "{}", csv.text);
        owner.filled(&format!("/skills/{first}"), "set_skill_active", &[]).await;

        // What is removed is told no more.
        owner.filled(&format!("/skills/{first}/file?kind=script&name=check.py"), "remove_skill_file", &[]).await;
        owner.done("detach_skill", &[("agent", agent), ("skill", &second)]).await;
        let told = owner.done("list_agent_skills", &[("agent", agent)]).await.json()["told"].to_string();
        assert!(
            !told.contains("check.py") && !told.contains("complaints") && told.contains("booking-visits"),
            "{told}"
        );
    });
}

#[test]
fn what_is_wrong_is_said_at_its_field_and_two_people_lose_nothing() {
    run(|world| async move {
        let (agency, works) = Agency::ready(world, "skillforms").await;
        let owner = &agency.owner;
        let id = written(&agency, "booking-visits", "Ask for the day.").await;
        let twice = [("name", "booking-visits"), ("description", "x"), ("instructions", "y")];
        assert!(owner.fill("/skills/new", "save_skill", &twice).await.error_at("name").is_some());
        let bad = [("name", "Booking Visits"), ("description", ""), ("instructions", "")];
        let refused = owner.rpc("save_skill", &bad).await;
        for field in ["name", "description", "instructions"] {
            assert!(refused.error_at(field).is_some(), "{field}: {refused:?}");
        }
        let path = [("file_name", "../x.md"), ("content", "x")];
        let file = format!("/skills/{id}/file?kind=reference");
        assert!(owner.fill(&file, "save_skill_file", &path).await.error_at("file_name").is_some());

        // Both opened revision 1.
        let theirs = [
            ("id", id.as_str()),
            ("revision", "1"),
            ("name", "booking-visits"),
            ("description", "Theirs"),
            ("instructions", "Theirs"),
        ];
        owner.done("save_skill", &theirs).await;
        let mine = [
            ("id", id.as_str()),
            ("revision", "1"),
            ("name", "booking-visits"),
            ("description", "Mine"),
            ("instructions", "Mine"),
        ];
        assert_eq!(owner.rpc("save_skill", &mine).await.status, 409);
        assert_eq!(skill(owner, &id).await["text"]["description"], "Theirs");
        owner.done("save_skill", &[&mine[..], &[("overwrite", "true")]].concat()).await;
        assert_eq!(skill(owner, &id).await["text"]["description"], "Mine");

        // An agent is told so much and no more: by what it gets, and by what it has.
        let long = "x".repeat(19_000);
        for at in 0..4 {
            let id = written(&agency, &format!("long-{at}"), &long).await;
            let given = owner.rpc("attach_skill", &[("agent", &works.agent), ("skill", &id)]).await;
            assert_eq!(given.status, if at < 3 { 200 } else { 422 }, "{at}: {given:?}");
        }
        let short = written(&agency, "short", "Say hello.").await;
        owner.done("attach_skill", &[("agent", &works.agent), ("skill", &short)]).await;
        let refused = owner.fill(&format!("/skills/{short}/edit"), "save_skill", &[("instructions", &long)]).await;
        assert!(refused.error_at("instructions").is_some_and(|text| text.contains("60000")), "{refused:?}");
    });
}

#[test]
fn archives_are_looked_at_before_anything_is_written() {
    run(|world| async move {
        let agency = Agency::new(world, "archives").await;
        let (owner, workspace) = (&agency.owner, &agency.workspace_id);
        let count = async || -> i64 {
            owner_value(world, &format!("select count(*) from skills where workspace_id = '{workspace}'")).await
        };
        let head = |name: &str| {
            format!("---\nname: {name}\ndescription: For callers.\nmetadata:\n  author: me\n---\n\nDo it.\n")
        };
        let (one, two) = (head("one"), head("two"));
        let archive = zipped(&[
            ("one/SKILL.md", one.as_bytes()),
            ("one/references/prices.md", "Größe: 5\n".as_bytes()),
            ("two/SKILL.md", two.as_bytes()),
            ("two/logo.png", &[0x89, b'P', 0xff]),
        ]);
        let waiting = last_id(&uploaded(owner, "skills.zip", archive).await);
        let page = format!("/skills/imports/{waiting}");
        let shown = owner.get(&page).await;
        assert!(shown.text.contains("two/logo.png") && shown.text.contains("skills.zip"), "{}", shown.text);
        assert_eq!(count().await, 0);
        owner.filled(&page, "import_skills", &[]).await;
        assert_eq!(count().await, 2);
        assert_eq!(owner.rpc("import_skills", &[("id", &waiting), ("take_one", "0")]).await.status, 404);

        // What goes out comes in as the same; with one change as one change.
        let out = Browser::answer(owner.raw(reqwest::Method::GET, "/skills/archive.zip"));
        assert_eq!(out.await.status, 200);
        let bytes = owner.raw(reqwest::Method::GET, "/skills/archive.zip").send().await.expect("sent").bytes().await;
        let bytes = bytes.expect("an archive").to_vec();
        let waiting = last_id(&uploaded(owner, "skills.zip", bytes).await);
        let rows = owner.done("get_skill_import", &[("id", &waiting)]).await.json();
        let states = |rows: &Value| {
            let rows = rows["rows"].as_array().cloned().unwrap_or_default();
            rows.iter().map(|row| row["state"].as_str().unwrap_or_default().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(states(&rows), ["same", "same"], "{rows}");
        owner.done("discard_skill_import", &[("id", &waiting)]).await;

        let changed = zipped(&[
            ("x/SKILL.md", one.replace("Do it.", "Do it now.").as_bytes()),
            ("y/SKILL.md", head("three").as_bytes()),
        ]);
        let waiting = last_id(&uploaded(owner, "more.zip", changed).await);
        let rows = owner.done("get_skill_import", &[("id", &waiting)]).await.json();
        assert_eq!(states(&rows), ["changes", "new"], "{rows}");
        assert_eq!(rows["rows"][0]["changes"], serde_json::json!(["instructions", "prices.md removed"]));
        // Somebody changes it between the look and the answer: nothing is taken.
        let one = rows["rows"][0]["known"].as_str().expect("an id").to_owned();
        owner.filled(&format!("/skills/{one}/edit"), "save_skill", &[("license", "MIT")]).await;
        let fields = [("id", waiting.as_str()), ("take_one", "1"), ("take_three", "0")];
        assert_eq!(owner.rpc("import_skills", &fields).await.status, 409);
        assert_eq!(count().await, 2);
        owner.done("import_skills", &[("id", waiting.as_str()), ("take_one", "2")]).await;
        assert_eq!(skill(owner, &one).await["text"]["instructions"], "Do it now.");
        assert_eq!(count().await, 2);

        // Hostile ones are refused with the reason, and leave nothing behind.
        let skill: (&str, &[u8]) = ("a/SKILL.md", b"---\nname: a\ndescription: b\n---\nx");
        for (bytes, reason) in [
            (zipped(&[skill, ("../evil.md", b"x")]), "path"),
            (zipped(&[skill, ("a/x.zip", b"x")]), "nested"),
            (zipped(&[("a/readme.md", b"x")]), "no_skill"),
            (b"%PDF-1.7".to_vec(), "kind"),
            (vec![b'x'; 9 << 20], "large"),
        ] {
            let location = uploaded(owner, "<b>evil.zip", bytes).await.location.unwrap_or_default();
            assert!(location.starts_with(&format!("/skills/imports/new?problem={reason}")), "{reason}: {location}");
            assert!(owner.get(&location).await.text.contains("role=\"alert\""), "{location}");
        }
        let left = format!("select id::text from skill_imports where workspace_id = '{workspace}'");
        assert!(owner_lines(world, &left).await.is_empty());
        for (browser, status) in [(&agency.member, 403), (&agency.one.admin, 404)] {
            assert_eq!(uploaded(browser, "SKILL.md", two.as_str()).await.status, status);
        }
    });
}
