//! Tests of agents: cases run against versions and models, what stops a run, what keeps a version from production, and a call that becomes
//! a case.

use serde_json::Value;

use super::support::{Agency, Answer, Works, World, owner_lines, owner_value, run, unique};

const NEW_WORDS: &str =
    "You are the front desk of a dentist.\nIf somebody asks about the price, say “It is 120 francs.”";
const BOOKING: &str = r#"{"type": "object", "properties": {"day": {"type": "string"}}, "required": ["day"]}"#;

/// A case of the agent.
async fn case(agency: &Agency, agent: &str, fields: &[(&str, &str)]) -> String {
    let mut all = vec![("agent", agent), ("kind", "message"), ("matcher", "contains")];
    all.retain(|(name, _)| fields.iter().all(|(other, _)| other != name));
    all.extend_from_slice(fields);
    last_id(&agency.owner.done("save_test_case", &all).await)
}

fn last_id(answer: &Answer) -> String {
    let location = answer.location.as_deref().unwrap_or_else(|| panic!("leads to the case: {answer:?}"));
    location.rsplit('/').next().unwrap_or_default().to_owned()
}

/// A case of the agent, and a run of it that has not begun.
pub async fn tested(agency: &Agency, works: &Works) -> (String, String) {
    let agent = works.agent.as_str();
    let name = format!("{} asks", agency.one.secret);
    let case = case(agency, agent, &[("name", &name), ("input", "What do you cost?"), ("expected", "francs")]).await;
    agency.owner.done("gate_production", &[("agent", agent), ("on", "true")]).await;
    agency.owner.done("gate_production", &[("agent", agent)]).await;
    let run = agency.owner.made("run_test_cases", &[("agent", agent), ("budget", "1")]).await;
    (case, run)
}

async fn started(agency: &Agency, fields: &[(&str, &str)]) -> String {
    agency.owner.made("run_test_cases", fields).await
}

async fn shown(agency: &Agency, run: &str) -> Value {
    agency.owner.done("get_suite_run", &[("id", run)]).await.json()
}

/// Result by the name of the case.
fn results(page: &Value) -> Vec<(String, String)> {
    let rows = page["results"].as_array().expect("results").iter();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    rows.map(|row| (text(&row["name"]), text(&row["result"]))).collect()
}

fn of(page: &Value, name: &str) -> String {
    results(page).into_iter().find(|(known, _)| known == name).map(|(_, result)| result).unwrap_or_default()
}

#[test]
fn cases_are_run_against_versions_and_have_to_pass_before_production() {
    run(|world: &World| async move {
        let (agency, works) = Agency::ready(world, "suite").await;
        let (agent, prompt, owner) = (works.agent.as_str(), works.prompt.as_str(), &agency.owner);
        let page = format!("/agents/{agent}/tests");
        assert!(owner.get(&page).await.text.contains("No tests yet"));
        let words = [("id", prompt), ("base_version", "1"), ("name", "Front desk"), ("template", NEW_WORDS)];
        owner.done("save_prompt", &words).await;
        let address = format!("{}/tools/pages/hours", world.sandbox_base);
        let tool = [
            ("agent", agent),
            ("kind", "http"),
            ("tool_name", "book_slot"),
            ("description", "Books a slot."),
            ("address", address.as_str()),
            ("schema", BOOKING),
            ("method", "POST"),
        ];
        owner.done("save_agent_tool", &tool).await;

        // Through the form, which says what is wrong and keeps what was typed.
        let new = format!("{page}/new");
        let typed =
            [("name", "Pattern"), ("input", "What is the price?"), ("matcher", "regex"), ("expected", r"(\d+) \1")];
        let refused = owner.fill(&new, "save_test_case", &typed).await;
        assert!(refused.error_at("expected").expect("a message").contains("not a pattern"), "{refused:?}");
        let typed = [typed[0], typed[1], typed[2], ("expected", r"\b\d{3} francs\b")];
        owner.filled(&new, "save_test_case", &typed).await;
        let twice = owner.fill(&new, "save_test_case", &typed).await;
        assert!(twice.error_at("name").is_some(), "{twice:?}");
        for fields in [
            vec![("name", "Price"), ("input", "What is the price?"), ("expected", "120 FRANCS"), ("tags", "Money")],
            vec![
                ("name", "Judged"),
                ("input", "The price, please?"),
                ("matcher", "judge"),
                ("expected", "Says “120 francs”."),
            ],
            vec![
                ("name", "Books"),
                ("kind", "conversation"),
                ("input", "Please book the slot on Tuesday."),
                ("mood", "in a hurry"),
                ("most_turns", "4"),
                ("expected", "9:30"),
                ("tool_checks", "book_slot\nnot transfer"),
                ("stubs", "book_slot = Booked for Tuesday at 9:30."),
            ],
            vec![("name", "Form"), ("input", "Hello"), ("matcher", "json_schema"), ("expected", BOOKING)],
        ] {
            case(&agency, agent, &fields).await;
        }

        owner.filled(&page, "gate_production", &[]).await;
        let moved = [("id", prompt), ("label", "production"), ("version", "2"), ("note", "")];
        let refused = owner.rpc("move_prompt_label", &moved).await;
        assert!(refused.status == 409 && refused.text.contains("have not been run"), "{refused:?}");

        let usage = format!(
            "select purpose || count(*) from token_usage where agent_id = '{agent}' group by purpose order by 1"
        );
        assert!(owner_lines(world, &usage).await.is_empty());
        let old = started(&agency, &[("agent", agent)]).await;
        let form = [("version", "2"), ("budget", "1.50")];
        let new = owner.made_on(&page, "run_test_cases", &form).await;
        assert_eq!(started(&agency, &[("agent", agent), ("version", "2")]).await, new, "the same is one run");
        agency.drain().await;

        let (before, after) = (shown(&agency, &old).await, shown(&agency, &new).await);
        let expected =
            [("Books", "pass"), ("Form", "fail"), ("Judged", "pass"), ("Pattern", "pass"), ("Price", "pass")];
        let expected: Vec<(String, String)> =
            expected.map(|(name, result)| (name.to_owned(), result.to_owned())).to_vec();
        assert_eq!(results(&after), expected, "{after}");
        let failing = ["Form", "Judged", "Pattern", "Price"];
        assert!(failing.iter().all(|name| of(&before, name) == "fail") && of(&before, "Books") == "pass", "{before}");
        assert!(
            after["run"]["row"]["status"] == "done"
                && after["run"]["is_usual"] == true
                && after["run"]["row"]["unpriced"] == 0
        );
        assert!(
            after["run"]["row"]["spent"].as_str().is_some_and(|spent| spent.parse::<f64>().is_ok_and(|sum| sum > 0.0))
        );
        let counted = owner_lines(world, &usage).await;
        assert!(
            ["agent", "caller", "judge"].iter().all(|word| counted.iter().any(|line| line.starts_with(word))),
            "{counted:?}"
        );

        // One result with its conversation, its checks and its run; nothing was done outside.
        let books = after["results"][0]["id"].as_str().expect("a result");
        let open = format!("/test-runs/{new}?with={old}&shown={books}");
        let text = owner.get(&open).await.text;
        for words in [
            "3 cases now pass",
            "answered by the case",
            "book_slot is called",
            "Booked for Tuesday at 9:30.",
            "may not go to production yet",
        ] {
            assert!(text.contains(words), "{words} on {open}: {text}");
        }
        let detail = owner.done("get_suite_run", &[("id", &new), ("shown", books)]).await.json();
        let steps = detail["shown"]["steps"].as_str().expect("a run of the agent");
        assert_eq!(owner.get(&format!("/runs/{steps}")).await.status, 200);
        let uses = format!("select count(*) from tool_invocations where agent_id = '{agent}'");
        assert_eq!(owner_value::<i64>(world, &uses).await, 0, "what the case answers for is not used");
        let csv = owner.get(&format!("/test-runs/{new}/export.csv")).await.text;
        assert!(csv.contains("Form,json_schema,fail"), "{csv}");
        assert!(
            owner.get(&format!("{page}/export.csv?result=fail")).await.text.lines().count() == 2,
            "the filter goes along"
        );
        assert_eq!(owner.get(&format!("{page}/runs")).await.status, 200);
        let listed = owner.done("list_test_cases", &[("agent", agent), ("query[tag]", "money")]).await.json();
        assert_eq!(listed["page"]["rows"].as_array().map(Vec::len), Some(1), "{listed}");

        // Four of five are not enough, a changed case has to pass again, and a removed one does not count.
        let refused = owner.rpc("move_prompt_label", &moved).await;
        assert!(refused.status == 409 && refused.text.contains("4 of 5"), "{refused:?}");
        let cases = owner.done("list_test_cases", &[("agent", agent)]).await.json();
        let id_of = |name: &str| {
            let rows = cases["page"]["rows"].as_array().expect("cases").iter();
            rows.clone().find(|row| row["name"] == name).and_then(|row| row["id"].as_str()).expect("a case").to_owned()
        };
        owner.done("remove_test_case", &[("agent", agent), ("id", &id_of("Form"))]).await;
        let price = id_of("Price");
        owner.filled(&format!("{page}/{price}"), "save_test_case", &[("tags", "")]).await;
        let renamed = [("name", "Price of a check-up"), ("expected", "francs")];
        owner.filled(&format!("{page}/{price}"), "save_test_case", &renamed).await;
        let refused = owner.rpc("move_prompt_label", &moved).await;
        assert!(refused.status == 409 && refused.text.contains("3 of 4"), "{refused:?}");
        started(&agency, &[("agent", agent), ("version", "2")]).await;
        agency.drain().await;
        owner.done("move_prompt_label", &moved).await;

        // Nobody else.
        let other = Agency::new(world, "suiteother").await;
        assert_eq!(other.owner.rpc("get_suite_run", &[("id", &new)]).await.status, 404);
        assert_eq!(agency.member.rpc("run_test_cases", &[("agent", agent)]).await.status, 403);
        assert_eq!(agency.one.admin.get(&page).await.status, 404);
    });
}

#[test]
fn a_run_stops_at_its_budget_at_a_word_and_with_the_workspace() {
    run(|world: &World| async move {
        let (agency, works) = Agency::ready(world, "suitestop").await;
        let (agent, owner) = (works.agent.as_str(), &agency.owner);
        for name in ["A", "B", "C", "D"] {
            case(
                &agency,
                agent,
                &[("name", name), ("input", "Hello there"), ("matcher", "judge"), ("expected", "Be polite.")],
            )
            .await;
        }
        let key = format!("sandbox-{}", unique(""));
        let account =
            [("kind", "openai_compatible"), ("name", "House"), ("mode", "sandbox"), ("api_key", key.as_str())];
        let account = owner.made_on("/connections/accounts/new", "save_model_account", &account).await;
        let with = [("agent", agent), ("account", account.as_str()), ("model", "gpt-5-mini"), ("budget", "0.01")];

        // Nobody tells a price: it is not zero.
        let unpriced = started(&agency, &with).await;
        agency.drain().await;
        let page = shown(&agency, &unpriced).await;
        assert!(page["run"]["row"]["unpriced"].as_i64() >= Some(4) && page["run"]["is_usual"] == false, "{page}");
        assert!(owner.get(&format!("/test-runs/{unpriced}")).await.text.contains("not priced yet"));

        let price = [("account", account.as_str()), ("model", "gpt-5-mini"), ("read", "100000"), ("written", "100000")];
        owner.filled("/connections/models/prices/new", "set_model_price", &price).await;
        let dear = started(&agency, &with).await;
        agency.drain().await;
        let page = shown(&agency, &dear).await;
        assert_eq!(page["run"]["row"]["status"], "over_budget", "{page}");
        assert!(page["run"]["note"].as_str().is_some_and(|note| note.contains("$0.01")), "{page}");
        assert!(results(&page).iter().any(|(_, result)| result == "left_out"), "{page}");

        let asked = format!("select count(*) from token_usage where agent_id = '{agent}'");
        let before: i64 = owner_value(world, &asked).await;
        let stopped = started(&agency, &[("agent", agent)]).await;
        owner.filled(&format!("/test-runs/{stopped}"), "stop_suite_run", &[]).await;
        agency.drain().await;
        let page = shown(&agency, &stopped).await;
        assert_eq!(page["run"]["row"]["status"], "stopped");
        assert!(results(&page).iter().all(|(_, result)| result == "left_out"), "{page}");

        let halted = started(&agency, &[("agent", agent)]).await;
        let suspend = |word: &str| {
            format!("update workspaces set status = '{word}' where id = '{}' returning 'done'", agency.workspace_id)
        };
        owner_lines(world, &suspend("suspended")).await;
        agency.drain().await;
        let page = shown(&agency, &halted).await;
        assert!(
            page["run"]["row"]["status"] == "failed"
                && page["run"]["note"].as_str().is_some_and(|note| note.contains("suspended")),
            "{page}"
        );
        let refused = owner.rpc("run_test_cases", &[("agent", agent)]).await;
        assert!(refused.status == 409 && refused.text.contains("suspended"), "{refused:?}");
        assert_eq!(owner_value::<i64>(world, &asked).await, before, "nothing was asked");
        owner_lines(world, &suspend("active")).await;
        let wrong = owner.rpc("run_test_cases", &[("agent", agent), ("version", "9"), ("tag", "none")]).await;
        assert!(wrong.error_at("version").is_some(), "{wrong:?}");
        let wrong = owner.rpc("run_test_cases", &[("agent", agent), ("tag", "none")]).await;
        assert!(wrong.error_at("tag").is_some(), "{wrong:?}");
    });
}

#[test]
fn a_call_becomes_a_case_without_personal_details() {
    run(|world: &World| async move {
        let (agency, works) = Agency::worked(world, "suitecall").await;
        let (agent, owner, call) = (works.agent.as_str(), &agency.owner, works.call.as_str());
        let said = "It is ROSA Keller, rosa@keller.example, born 12 March 1985, call me at +41 44 555 66 77.";
        let sql = format!(
            "with k as (update contacts set name = 'Rosa Keller' where id = (select contact_id from calls where id = '{call}') returning id)
             insert into call_messages (workspace_id, id, call_id, client_id, position, role, text)
             select workspace_id, gen_random_uuid(), id, client_id, 901, 'user', '{said}' from calls where id = '{call}' returning 'done'"
        );
        owner_lines(world, &sql).await;
        // The caller's other words stand before these, and twelve are taken.
        let earlier = format!(
            "delete from call_messages where call_id = '{call}' and role = 'user' and position < 900 and position > 4 returning 'done'"
        );
        owner_lines(world, &earlier).await;
        let page = owner.get(&format!("/calls/{call}")).await.text;
        let link = format!("/agents/{agent}/tests/new?call={call}");
        assert!(page.contains(&link), "the call leads to it");
        let text = owner.get(&link).await.text;
        assert!(
            text.contains("Replaced before saving") && text.contains("rosa@keller.example"),
            "what was replaced is shown"
        );
        let form = owner.done("get_test_case", &[("agent", agent), ("call", call)]).await.json()["form"].clone();
        let all = form.to_string();
        for detail in ["Keller", "ROSA", "rosa@", "1985", "555 66 77"] {
            assert!(!all.contains(detail), "{detail} in {all}");
        }
        assert!(all.contains("Robin Example") && all.contains("robin@example.com"), "{all}");
        let case = last_id(&owner.filled(&link, "save_test_case", &[("name", "As on the call")]).await);
        let from = format!("select call_id::text from test_cases where id = '{case}'");
        assert_eq!(owner_value::<String>(world, &from).await, call);
        // A call of another agent makes no case of this one.
        let other = agency.agent(&works.prompt).await;
        assert_eq!(owner.rpc("get_test_case", &[("agent", &other), ("call", call)]).await.status, 404);
    });
}
