//! A run of a test is run again, and becomes a case of its own; a call cannot be run again.

use super::support::{Agency, run};
use super::tools::{call_of, last_id};

#[test]
fn a_test_is_run_again_with_the_same_input_and_becomes_a_case() {
    run(|world| async move {
        let (agency, works) = Agency::ready(world, "again").await;
        let (owner, agent) = (&agency.owner, works.agent.as_str());
        let case = [
            ("agent", agent),
            ("kind", "message"),
            ("name", "Price"),
            ("input", "What is the price? I am rosa.k@acme.co.uk, +41 44 555 66 77."),
            ("matcher", "contains"),
            ("expected", "francs"),
        ];
        let case_id = last_id(&owner.done("save_test_case", &case).await);
        let suite = owner.made("run_test_cases", &[("agent", agent), ("budget", "1.50")]).await;
        agency.drain().await;
        let shown = async |id: &str| owner.done("get_suite_run", &[("id", id)]).await.json();
        let before = shown(&suite).await;
        let first = before["results"][0]["id"].as_str().expect("a result").to_owned();
        let page = format!("/runs/{first}");
        let html = owner.get(&page).await.text;
        assert!(html.contains(&format!("{page}/again")) && html.contains("Make test case"), "{html}");

        let again = format!("{page}/again");
        assert_eq!(agency.member.rpc("run_test_again", &[("run", &first)]).await.status, 403);
        let wrong = owner.fill(&again, "run_test_again", &[("budget", "0")]).await;
        assert!(wrong.error_at("budget").is_some(), "{wrong:?}");
        let next = owner.made_on(&again, "run_test_again", &[]).await;
        assert_ne!(next, suite);
        assert_eq!(owner.made("run_test_again", &[("run", &first)]).await, next, "the same that goes on is one run");
        agency.drain().await;
        let after = shown(&next).await;
        let same = |pointer: &str| assert_eq!(before.pointer(pointer), after.pointer(pointer), "{pointer}");
        same("/run/row/version");
        same("/run/row/model");
        same("/run/budget");
        same("/results/0/name");
        let second = after["results"][0]["id"].as_str().expect("a result").to_owned();
        let run_of = async |id: &str| owner.done("get_run", &[("id", id)]).await.json();
        assert_eq!(run_of(&second).await["again_of"][0], first.as_str());
        assert_eq!(run_of(&first).await["again"][0][0], second.as_str());
        let html = owner.get(&format!("/runs/{second}?with={first}")).await.text;
        assert!(html.contains("Run again of") && html.contains("The two runs"), "{html}");

        // A case of what was said in it, without what says who it was.
        let new = format!("/agents/{agent}/tests/new?run={first}");
        let made = owner.done("get_test_case", &[("agent", agent), ("run", &first)]).await.json();
        let input = made["form"]["input"].as_str().expect("words");
        assert!(
            input.starts_with("What is the price?") && !input.contains("acme") && !input.contains("44 555"),
            "{input}"
        );
        assert!(made["replaced"].as_array().is_some_and(|all| all.len() == 2), "{made}");
        owner.filled(&new, "save_test_case", &[("name", "From a run")]).await;
        // Nor what a tool has told of whoever was looked up.
        let tool =
            [("agent", agent), ("kind", "contact_lookup"), ("tool_name", "lookup"), ("description", "Looks up.")];
        owner.done("save_agent_tool", &tool).await;
        let told = r#"lookup = [{"name": "Carla Contact", "company": "Brightwater Dental", "details": {"insurer": "Helvia", "vip": "yes"}}]"#;
        let asked = [
            ("agent", agent),
            ("kind", "message"),
            ("name", "Look"),
            ("input", "Please lookup Carla of Brightwater Dental."),
            ("matcher", "contains"),
            ("expected", "francs"),
            ("stubs", told),
        ];
        let look = last_id(&owner.done("save_test_case", &asked).await);
        let looked = owner.made("run_test_cases", &[("agent", agent), ("case", &look), ("budget", "1.50")]).await;
        agency.drain().await;
        let looked = shown(&looked).await;
        let looked = looked["results"][0]["id"].as_str().expect("a result").to_owned();
        let form = owner.done("get_test_case", &[("agent", agent), ("run", &looked)]).await.json()["form"].to_string();
        assert!(form.contains("lookup = ") && form.contains("Robin Example") && form.contains("yes"), "{form}");
        for detail in ["Carla", "Contact", "Brightwater", "Helvia"] {
            assert!(!form.contains(detail), "{detail} in {form}");
        }
        let others = Agency::new(world, "strangers").await;
        let other = agency.agent(&works.prompt).await;
        assert_eq!(owner.rpc("get_test_case", &[("agent", &other), ("run", &first)]).await.status, 404);
        for (name, fields) in [("run_test_again", [("run", first.as_str())]), ("get_run_again", [("run", &first)])] {
            assert_eq!(others.owner.rpc(name, &fields).await.status, 404, "{name}");
            assert_eq!(agency.one.admin.rpc(name, &fields).await.status, 404, "{name}");
        }

        // Another case is not the same again, and a call would call somebody.
        let changed = [case.as_slice(), &[("id", case_id.as_str())]].concat();
        let changed: Vec<(&str, &str)> =
            changed.into_iter().map(|(name, value)| (name, if name == "expected" { "euros" } else { value })).collect();
        owner.done("save_test_case", &changed).await;
        let refused = owner.rpc("run_test_again", &[("run", &first)]).await;
        assert!(refused.status == 409 && refused.text.contains("was changed since"), "{refused:?}");
        let call = call_of(&agency, world, &works).await;
        let html = owner.get(&format!("/runs/{call}/again")).await.text;
        assert!(html.contains("it would call somebody") && html.contains("Make a test case of it"), "{html}");
        assert_eq!(owner.rpc("run_test_again", &[("run", &call)]).await.status, 409);
        let made = owner.done("get_test_case", &[("agent", agent), ("run", &call)]).await.json();
        assert_eq!(made["form"]["call"], call.as_str(), "as from the call itself: {made}");
    });
}
