//! Pages about teams: who sees them, what their forms do with and without script, and that lists, files and comparisons say the same.

use serde_json::{Value, json};

use super::support::{Agency, Browser, Works, World, owner_lines, run};
use super::teams::{asked, equipped, team};

const HOSTILE: &str = "<script>alert('team')</script>";

/// A team, a run of it that nobody has begun, a member and a case.
pub async fn kept(agency: &Agency, works: &Works) -> [String; 4] {
    let (team, run) = asked(agency, works).await;
    let page = agency.owner.done("get_team_members", &[("id", &team)]).await.json();
    let member = page["members"][0]["id"].as_str().expect("a member").to_owned();
    let name = format!("{} case", agency.secret);
    let fields = [("team", team.as_str()), ("name", name.as_str()), ("messages", "A visit, please")];
    agency.owner.done("save_team_case", &fields).await;
    let cases = agency.owner.done("list_team_cases", &[("team", &team)]).await.json();
    let case = cases["page"]["rows"][0]["id"].as_str().expect("a case").to_owned();
    [team, run, member, case]
}

fn rows(list: &Value) -> Vec<Value> {
    list["page"]["rows"].as_array().unwrap_or_else(|| panic!("rows: {list}")).clone()
}

fn names(list: &Value) -> Vec<String> {
    rows(list).iter().map(|row| row["name"].as_str().expect("a name").to_owned()).collect()
}

/// The session that a message led to.
fn session(location: Option<&str>) -> String {
    let (_, session) = location.and_then(|place| place.split_once("session=")).expect("leads to the session");
    session.to_owned()
}

async fn another_agent(agency: &Agency, works: &Works, name: &str) -> String {
    let fields = [
        ("name", name),
        ("client_id", agency.one.id.as_str()),
        ("prompt_id", works.prompt.as_str()),
        ("greeting", "Hello."),
        ("first_speaker", "agent"),
        ("max_minutes", "10"),
    ];
    agency.owner.made_on("/agents/new", "save_agent", &fields).await
}

#[test]
fn a_team_is_made_ordered_limited_copied_and_put_back() {
    run(|world: &World| async move {
        let (agency, works) = Agency::ready(world, "teamforms").await;
        let owner = &agency.owner;
        assert!(owner.get("/teams").await.text.contains("No teams yet"));

        // Without script: a name that is none comes back with what was typed.
        let typed = [("name", " "), ("description", "Kept words"), ("mode", "supervisor"), ("client", &*agency.one.id)];
        let back = owner.form("/teams/new", "/rpc/create_team", &typed).await;
        let text = owner.get(back.location.as_deref().expect("back to the form")).await.text;
        assert!(text.contains("Kept words") && text.contains("Give the team a name"), "{text}");
        let fields = [("name", HOSTILE), ("mode", "supervisor"), ("client", &*agency.one.id)];
        let team = owner.made_on("/teams/new", "create_team", &fields).await;
        let page = format!("/teams/{team}");

        // Members: added by the form, moved by its buttons, said what they are for, taken out.
        let second = another_agent(&agency, &works, "Second agent").await;
        for (agent, role) in [(works.agent.as_str(), "Books visits"), (second.as_str(), "Pays money back")] {
            owner.filled(&page, "add_team_member", &[("agent", agent), ("role", role)]).await;
        }
        let empty = owner.rpc("add_team_member", &[("team", &team), ("agent", ""), ("role", "x")]).await;
        assert!(empty.error_at("agent").is_some(), "{empty:?}");
        let members = owner.done("get_team_members", &[("id", &team)]).await.json();
        let id = |place: usize| members["members"][place]["id"].as_str().expect("a member").to_owned();
        owner.done("move_team_member", &[("team", &team), ("member", &id(1)), ("to", "up")]).await;
        let moved = owner.done("get_team_members", &[("id", &team)]).await.json();
        assert_eq!(moved["members"][0]["agent"], second.as_str(), "{moved}");
        owner.done("save_team_role", &[("team", &team), ("member", &id(1)), ("role", "Pays refunds")]).await;
        let text = owner.get(&page).await.text;
        assert!(text.contains("Pays refunds") && !text.contains(HOSTILE), "{text}");

        // Limits and rules: errors at their fields, then saved as a version.
        let limits = format!("{page}/limits");
        let wrong = [("most_steps", "0"), ("most_cost", "much"), ("rule_0_on", "tool"), ("rule_0_name", "")];
        let refused = owner.fill(&limits, "save_team", &wrong).await;
        for field in ["most_steps", "most_cost", "rule_0_name", "rule_0_tool"] {
            assert!(refused.error_at(field).is_some(), "{field}: {refused:?}");
        }
        let rule = [
            ("name", "Service"),
            ("most_steps", "7"),
            ("rule_0_on", "cost"),
            ("rule_0_name", "Dear"),
            ("rule_0_above", "0.20"),
            ("rule_0_minutes", "30"),
            ("note", "A rule about money"),
        ];
        owner.filled(&limits, "save_team", &rule).await;
        let now = owner.done("get_team_limits", &[("id", &team)]).await.json();
        assert!(now["form"]["most_steps"] == "7" && now["rules"][0]["above"] == "0.20", "{now}");
        let text = owner.get(&limits).await.text;
        assert!(text.contains("Rule 1") && text.contains("Another rule"), "{text}");

        // Two people at once: the second hears of it, and may overwrite.
        let form = now["form"].as_object().expect("a form");
        let mut fields: Vec<(&str, &str)> =
            form.iter().filter_map(|(name, value)| Some((name.as_str(), value.as_str()?))).collect();
        fields.retain(|(name, _)| !["revision", "most_steps"].contains(name));
        fields.extend([("revision", "1"), ("most_steps", "9")]);
        let late = owner.rpc("save_team", &fields).await;
        assert_eq!(late.status, 409, "{late:?}");
        fields.push(("overwrite", "true"));
        owner.done("save_team", &fields).await;

        // Versions: listed with their notes, compared, exported, put back.
        let versions = owner.done("list_team_versions", &[("id", &team)]).await.json();
        let known = rows(&versions);
        assert!(known[0]["is_current"] == true && known.len() > 3, "{versions}");
        let noted = owner.done("list_team_versions", &[("id", &team), ("query[q]", "about money")]).await.json();
        let [with_rule] = rows(&noted).try_into().expect("one version");
        let number = with_rule["number"].to_string();
        let text = owner.get(&format!("{page}/versions?from={number}")).await.text;
        assert!(text.contains("Steps") && text.contains("Dear: when the run has cost more than $0.20"), "{text}");
        let csv = owner.get(&format!("{page}/versions/export.csv")).await.text;
        assert_eq!(csv.lines().count(), known.len() + 1, "{csv}");
        owner.filled(&format!("{page}/versions?from={number}"), "restore_team_version", &[]).await;
        let restored = owner.done("get_team_limits", &[("id", &team)]).await.json();
        assert_eq!(restored["form"]["most_steps"], "7", "{restored}");

        // A copy, and a team that rests.
        owner.filled(&page, "duplicate_team", &[]).await;
        owner.filled(&page, "switch_team", &[]).await;
        let text = owner.get(&format!("{page}/playground")).await.text;
        assert!(text.contains("deactivated") && !text.contains("name=\"message\""), "{text}");
        let message = [("team", team.as_str()), ("message", "Hello")];
        assert_eq!(owner.rpc("ask_team", &message).await.status, 409);
        let list = |state: &'static str| async move {
            names(&owner.done("list_teams", &[("query[state]", state)]).await.json())
        };
        let (active, inactive) = (list("").await, list("inactive").await);
        assert!(active.len() == 1 && active[0] != "Service" && inactive == ["Service"], "{active:?} {inactive:?}");
        owner.done("switch_team", &[("id", &team), ("on", "true")]).await;

        // Found by words, mode and client, in the order that is asked for; the file has the same rows.
        assert_eq!(names(&owner.done("list_teams", &[("query[sort]", "-name")]).await.json()).len(), 2);
        let none = [("query[mode]", "coordinate")];
        assert!(rows(&owner.done("list_teams", &none).await.json()).is_empty());
        assert!(rows(&owner.done("list_teams", &[("query[client]", &agency.two.id)]).await.json()).is_empty());
        assert_eq!(owner.get("/teams/export.csv?q=service").await.text.lines().count(), 3);
        assert_eq!(owner.get("/teams/export.csv?mode=coordinate").await.text.lines().count(), 1);

        // What was put back is another row of the same agent.
        let now = owner.done("get_team_members", &[("id", &team)]).await.json();
        let first = now["members"][0]["id"].as_str().expect("a member");
        owner.done("remove_team_member", &[("team", &team), ("member", first)]).await;
        let left = owner.done("get_team_members", &[("id", &team)]).await.json();
        assert_eq!(left["members"].as_array().map(Vec::len), Some(1), "{left}");
    });
}

/// A team that has answered one message, and been asked another one.
async fn worked(world: &World, name: &str) -> (Agency, Works, String) {
    let (agency, works) = Agency::ready(world, name).await;
    equipped(&agency).await;
    let team = team(&agency, "supervisor", "Visits", &[(&works.agent, "Books visits")]).await;
    (agency, works, team)
}

#[test]
fn the_playground_works_as_a_plain_form_and_keeps_its_sessions() {
    run(|world: &World| async move {
        let (agency, _, team) = worked(world, "playground").await;
        let owner = &agency.owner;
        let page = format!("/teams/{team}/playground");
        assert!(owner.get(&page).await.text.contains("A new session"));
        let nothing = owner.form(&page, "/rpc/ask_team", &[("team", team.as_str()), ("message", " ")]).await;
        let text = owner.get(nothing.location.as_deref().expect("back to the form")).await.text;
        assert!(text.contains("Write what the team is asked"), "{text}");

        // Sent by a browser without script; pressed twice it is one run.
        let words = format!("I want to book a visit {HOSTILE}");
        let key = uuid::Uuid::now_v7().to_string();
        let fields = [("team", team.as_str()), ("session", ""), ("message", words.as_str()), ("key", key.as_str())];
        let sent = owner.form(&page, "/rpc/ask_team", &fields).await;
        let again = owner.form(&page, "/rpc/ask_team", &fields).await;
        assert_eq!(sent.location, again.location);
        let place = sent.location.expect("leads to the session");
        let first = session(Some(&place));
        let text = owner.get(&place).await.text;
        assert!(text.contains("The team is at work") && text.contains("Stop"), "{text}");
        agency.drain().await;
        let shown = owner.done("get_playground", &[("id", &team), ("session", &first)]).await.json();
        let run = &shown["runs"][0];
        assert!(shown["runs"].as_array().map(Vec::len) == Some(1) && run["status"] == "completed", "{shown}");
        assert!(run["choice"]["worker"].is_string() && run["used"]["steps"].as_i64() > Some(1), "{run}");
        assert!(
            shown["spent"].as_array().is_some_and(|all| all.len() == 2 && all[0]["who"] == "Supervisor"),
            "{shown}"
        );
        let text = owner.get(&place).await.text;
        for part in
            ["Who acts, and why", "chose", "Confidence. The mark is at 0.70", "Save as test case", "Earlier sessions"]
        {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert!(!text.contains(HOSTILE), "{text}");

        // The session is kept as a case, with what it expects; another session is another conversation.
        let id = run["id"].as_str().expect("a run").to_owned();
        let case = format!("/teams/{team}/cases/new?run={id}");
        let form = owner.done("get_team_case", &[("team", &team), ("run", &id)]).await.json();
        assert!(form["form"]["messages"] == words.as_str() && form["form"]["worker"] != "", "{form}");
        owner.filled(&case, "save_team_case", &[("name", "A visit"), ("output_contains", "never said")]).await;
        let saved = owner.get(&place).await.text;
        assert!(saved.contains("A visit") && !saved.contains("Not saved"), "{saved}");
        let cases = owner.done("list_team_cases", &[("team", &team), ("query[result]", "never")]).await.json();
        let [one] = rows(&cases).try_into().expect("one case");
        assert!(one["expects"].to_string().contains("never said"), "{one}");
        owner.done("run_team_case", &[("id", one["id"].as_str().expect("an id"))]).await;
        agency.drain().await;
        let csv = owner.get(&format!("/teams/{team}/cases/export.csv?result=failed")).await.text;
        assert_eq!(csv.lines().count(), 2, "{csv}");

        let vague = [("team", team.as_str()), ("message", "Hm, well")];
        let other = session(owner.done("ask_team", &vague).await.location.as_deref());
        agency.drain().await;
        let text = owner.get(&format!("{page}?session={other}")).await.text;
        assert!(text.contains("asked back") && text.contains("below 0.70"), "{text}");
        assert!(text.contains(&format!("session={first}")), "the way back: {text}");
        // A session of another team is none of this one.
        let second = super::teams::team(&agency, "coordinate", "Others", &[]).await;
        assert_eq!(owner.get(&format!("/teams/{second}/playground?session={first}")).await.status, 404);
    });
}

#[test]
fn what_waits_for_a_person_is_decided_in_place_and_lists_lead_to_exactly_their_runs() {
    run(|world: &World| async move {
        let (agency, works, team) = worked(world, "teamruns").await;
        let owner = &agency.owner;
        let rule = [
            ("rule_0_on", "worker"),
            ("rule_0_name", "Visits"),
            ("rule_0_worker", works.agent.as_str()),
            ("rule_0_minutes", "60"),
        ];
        owner.filled(&format!("/teams/{team}/limits"), "save_team", &rule).await;
        let ask = |message: &'static str| {
            let fields = [("team", team.clone()), ("message", message.to_owned())];
            async move {
                let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
                session(owner.done("ask_team", &fields).await.location.as_deref())
            }
        };
        let (first, second) = (ask("Book a visit for Monday").await, ask("Book a visit for Tuesday").await);
        agency.drain().await;
        let filters = |more: &'static [(&'static str, &'static str)]| async move {
            rows(&owner.done("list_supervisor_runs", more).await.json())
        };
        let waiting = filters(&[("query[waiting]", "person")]).await;
        assert_eq!(waiting.len(), 2, "{waiting:?}");
        let place = format!("/teams/{team}/playground?session={first}");
        let text = owner.get(&place).await.text;
        for part in [
            "Awaiting approval",
            "Rule “Visits”",
            "Edit and approve",
            "Reject",
            "The answer goes on when someone approves",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }

        // Approved by a plain form, which leads back to the session.
        let shown = owner.done("get_playground", &[("id", &team), ("session", &first)]).await.json();
        let nodes = shown["runs"][0]["nodes"].as_array().expect("nodes").clone();
        let approval = nodes.iter().find_map(|node| node["Job"]["approvals"][0]["id"].as_str()).expect("an approval");
        let fields = [("id", approval), ("decision", "approved"), ("back", place.as_str())];
        let decided = owner.form(&place, "/rpc/decide_approval", &fields).await;
        assert!(decided.location.as_deref().is_some_and(|to| to.ends_with(&place)), "{decided:?}");
        agency.drain().await;
        let text = owner.get(&place).await.text;
        assert!(text.contains("Approved") && text.contains("Save as test case"), "{text}");

        // The other one is stopped where it waits.
        let shown = owner.done("get_playground", &[("id", &team), ("session", &second)]).await.json();
        let stopped = shown["runs"][0]["id"].as_str().expect("a run").to_owned();
        let back = format!("/teams/{team}/playground?session={second}");
        let answer =
            owner.form(&back, "/rpc/cancel_supervisor_run", &[("id", stopped.as_str()), ("back", &back)]).await;
        assert!(answer.location.as_deref().is_some_and(|to| to.ends_with(&back)), "{answer:?}");
        let away = [("id", stopped.as_str()), ("back", "https://elsewhere.example/")];
        let place = owner.done("cancel_supervisor_run", &away).await.location;
        assert!(place.as_deref().is_some_and(|to| to.ends_with(&format!("/supervisor-runs/{stopped}"))), "{place:?}");
        agency.drain().await;

        // Each filter has exactly its rows, and the files the same.
        let (completed, failed) =
            (filters(&[("query[status]", "completed")]).await, filters(&[("query[status]", "failed")]).await);
        assert!(
            completed.len() == 1 && failed.len() == 1 && failed[0]["id"] == stopped.as_str(),
            "{completed:?} {failed:?}"
        );
        assert!(filters(&[("query[waiting]", "person")]).await.is_empty());
        assert_eq!(filters(&[("query[q]", "tuesday")]).await.len(), 1);
        assert_eq!(filters(&[("query[source]", "api")]).await.len(), 0);
        let oldest = filters(&[("query[sort]", "started")]).await;
        assert!(oldest[0]["message"].as_str().is_some_and(|text| text.contains("Monday")), "{oldest:?}");
        for (address, count) in [
            (format!("/supervisor-runs/export.csv?team={team}"), 3),
            (format!("/teams/{team}/runs/export.csv?status=failed"), 2),
            ("/supervisor-runs/export.csv?team=nonsense".to_owned(), 1),
        ] {
            assert_eq!(owner.get(&address).await.text.lines().count(), count, "{address}");
        }
        let text = owner.get(&format!("/teams/{team}/runs?q=monday")).await.text;
        assert!(text.contains("Book a visit for Monday") && !text.contains("for Tuesday"), "{text}");

        // One run as a tree; again with an engine; both beside each other.
        let done = completed[0]["id"].as_str().expect("a run");
        let text = owner.get(&format!("/supervisor-runs/{done}")).await.text;
        for part in ["Who acts, and why", "Limits", "Tokens", "Run it again", "/jobs/"] {
            assert!(text.contains(part), "{part}: {text}");
        }
        let again = owner.made_on(&format!("/supervisor-runs/{done}"), "run_supervisor_again", &[]).await;
        let text = owner.get(&format!("/supervisor-runs/compare?a={done}&b={again}")).await.text;
        assert!(text.contains("Side by side") && text.contains("Differs"), "{text}");
        assert!(owner.get(&format!("/supervisor-runs/compare?a={done}")).await.text.contains("Choose the other run"));
        // A limit that was reached says which, and how to raise it.
        let sql = format!("update supervisor_runs set limit_reached = 'steps' where id = '{stopped}' returning 'done'");
        assert_eq!(owner_lines(world, &sql).await, ["done"]);
        let text = owner.get(&format!("/supervisor-runs/{stopped}")).await.text;
        assert!(text.contains("Raise the limit of steps"), "{text}");
    });
}

#[test]
fn clients_people_and_other_agencies_find_no_team_and_members_only_read() {
    run(|world: &World| async move {
        let (agency, works) = Agency::ready(world, "teamseen").await;
        let [team, run, member, case] = kept(&agency, &works).await;
        let other = Agency::new(world, "teamother").await;
        let pages = [
            format!("/teams/{team}"),
            format!("/teams/{team}/limits"),
            format!("/teams/{team}/playground"),
            format!("/teams/{team}/cases/{case}"),
            format!("/teams/{team}/runs"),
            format!("/teams/{team}/versions"),
            format!("/supervisor-runs/{run}"),
            format!("/teams/{team}/runs/export.csv"),
        ];
        let refused: [(&Browser, &str); 3] = [
            (&agency.one.admin, "the client’s admin"),
            (&agency.one.viewer, "the client’s viewer"),
            (&other.owner, "another agency"),
        ];
        for page in &pages {
            for (browser, who) in refused {
                let answer = browser.get(page).await;
                assert!(answer.status == 404 && !answer.text.contains(&agency.secret), "{page} for {who}: {answer:?}");
            }
            assert_eq!(agency.member.get(page).await.status, 200, "{page} for a member");
        }
        for page in ["/teams", "/supervisor-runs"] {
            assert_eq!(agency.one.admin.get(page).await.status, 404, "{page}");
        }
        // Members read, and find nothing to press.
        let text = agency.member.get(&format!("/teams/{team}/limits")).await.text;
        assert!(!text.contains("save_team") && text.contains("The default engine"), "{text}");
        for (name, fields) in [
            ("ask_team", json!({"team": team, "message": "Hello"})),
            ("move_team_member", json!({"team": team, "member": member, "to": "up"})),
            ("run_team_case", json!({"id": case})),
            ("cancel_supervisor_run", json!({"id": run})),
        ] {
            let fields = fields.as_object().expect("fields").clone();
            let fields: Vec<(&str, &str)> =
                fields.iter().filter_map(|(name, value)| Some((name.as_str(), value.as_str()?))).collect();
            assert_eq!(agency.member.rpc(name, &fields).await.status, 403, "{name}");
            assert_eq!(other.owner.rpc(name, &fields).await.status, 404, "{name}");
        }
    });
}
