//! Grids of tests: several versions and models beside each other within one budget, two runs compared, and what stops a grid.

use serde_json::Value;

use super::models::added;
use super::support::{Agency, Works, World, owner_lines, owner_value, run};

const NEXT_WORDS: &str =
    "You are the front desk of a dentist.\nIf somebody asks about the price, say “It is 120 francs.”";
const USUAL: &str = "openai/gpt-5-mini";
const OTHER: &str = "anthropic/claude-haiku-4.5";

async fn case(agency: &Agency, agent: &str, name: &str, fields: &[(&str, &str)]) {
    let mut all = vec![("agent", agent), ("name", name), ("kind", "message"), ("matcher", "contains")];
    all.retain(|(name, _)| fields.iter().all(|(other, _)| other != name));
    all.extend_from_slice(fields);
    agency.owner.done("save_test_case", &all).await;
}

/// The account that `Agency::ready` has.
async fn account(agency: &Agency) -> String {
    let models = agency.owner.done("get_models", &[]).await.json();
    models["accounts"][0]["id"].as_str().expect("an account").to_owned()
}

async fn next_version(agency: &Agency, works: &Works) {
    let words =
        [("id", works.prompt.as_str()), ("base_version", "1"), ("name", "Front desk"), ("template", NEXT_WORDS)];
    agency.owner.done("save_prompt", &words).await;
}

async fn shown(agency: &Agency, grid: &str) -> Value {
    agency.owner.done("get_test_grid", &[("id", grid)]).await.json()
}

/// A grid of the agent's cases that has not begun, for those who go through all doors.
pub async fn begun(agency: &Agency, agent: &str) -> String {
    let account = account(agency).await;
    let fields =
        [("agent", agent), ("version_1", "1"), ("account_1", account.as_str()), ("model_1", OTHER), ("budget", "1")];
    agency.owner.made("start_test_grid", &fields).await
}

fn dollars(value: &Value) -> f64 {
    value.as_str().and_then(|text| text.parse().ok()).unwrap_or(f64::NAN)
}

#[test]
fn versions_and_models_stand_beside_each_other_and_figures_lead_to_their_results() {
    run(|world: &World| async move {
        let (agency, works) = Agency::ready(world, "grid").await;
        let (agent, owner) = (works.agent.as_str(), &agency.owner);
        let form = format!("/agents/{agent}/tests/grid");
        assert!(owner.get(&form).await.text.contains("No tests yet"));
        next_version(&agency, &works).await;
        case(&agency, agent, "=Price", &[("input", "What is the price?"), ("expected", "120 francs")]).await;
        let judged = [("input", "The price, please?"), ("matcher", "judge"), ("expected", "Says “120 francs”.")];
        case(&agency, agent, "Judged", &judged).await;
        case(&agency, agent, "Answers", &[("input", "Hello"), ("expected", "a")]).await;
        owner.filled(&format!("/agents/{agent}/tests"), "gate_production", &[]).await;
        let moved = [("id", works.prompt.as_str()), ("label", "production"), ("version", "2"), ("note", "")];
        assert_eq!(owner.rpc("move_prompt_label", &moved).await.status, 409);

        // The form begins with what is in use, says what it costs, and keeps what was chosen.
        let account = account(&agency).await;
        let chosen = [("version_2", "2"), ("account_2", account.as_str()), ("model_2", OTHER), ("repeats", "2")];
        let looked = owner.filled(&form, "start_test_grid", &[&chosen[..], &[("look", "true")]].concat()).await;
        let place = looked.location.clone().expect("leads to the form");
        let text = owner.get(&place).await.text;
        for words in ["Calls of models", "The judge", "Not priced yet", OTHER, ">24<", ">32<"] {
            assert!(text.contains(words), "{words} on {place}: {text}");
        }
        let grid = owner.made_on(&place, "start_test_grid", &[]).await;
        assert_eq!(owner.made_on(&place, "start_test_grid", &[]).await, grid, "the same is one grid");
        let jobs = format!(
            "select count(*) from jobs where workspace_id = '{}' and kind = 'run_tests' and status = 'pending'",
            agency.workspace_id
        );
        assert_eq!(owner_value::<i64>(world, &jobs).await, 4);
        agency.drain().await;

        let page = shown(&agency, &grid).await;
        assert_eq!((&page["row"]["status"], &page["row"]["counts"]["all"]), (&"done".into(), &24.into()), "{page}");
        assert!(dollars(&page["row"]["spent"]) > 0.0 && dollars(&page["set_aside"]) == 0.0, "{page}");
        let cells = page["cells"].as_array().expect("cells");
        let facts: Vec<(i64, &str, i64, bool)> = cells
            .iter()
            .map(|cell| {
                let decides = cell["decides"].as_bool().expect("a word");
                let passed = cell["counts"]["passed"].as_i64().expect("a count");
                (
                    cell["version"].as_i64().expect("a version"),
                    cell["model"].as_str().expect("a model"),
                    passed,
                    decides,
                )
            })
            .collect();
        let expected = [(1, USUAL, 2, true), (1, OTHER, 2, false), (2, USUAL, 6, true), (2, OTHER, 6, false)];
        assert_eq!(facts, expected, "{page}");
        let (old, new) = (cells[0]["run"].as_str().expect("a run"), cells[2]["run"].as_str().expect("a run"));
        let place = format!("/test-grids/{grid}");
        let text = owner.get(&place).await.text;
        for words in ["Differs", "33%", "100%", "2 of 6", "6 of 6", "Counts for production", "Here: v1 with"] {
            assert!(text.contains(words), "{words} on {place}: {text}");
        }
        for kind in ["pass", "ended"] {
            assert!(text.contains(&format!("/test-runs/{old}?result={kind}")), "a figure leads to its results: {text}");
        }
        let only = owner.get(&format!("{place}?only=differences")).await.text;
        assert!(only.contains("=Price") && !only.contains(">Answers"), "{only}");
        let results = owner.get(&format!("/test-runs/{old}?result=pass")).await.text;
        assert!(results.contains("2 results of 6 shown") && results.contains("Cell of grid 1"), "{results}");
        assert!(!results.contains("aria-label=\"Failed: "), "what failed is not among them: {results}");

        // Two cells as two runs.
        let compared = owner.done("compare_suite_runs", &[("a", old), ("b", new)]).await.json();
        let changes: Vec<(&str, &str)> = compared["rows"]
            .as_array()
            .expect("rows")
            .iter()
            .map(|row| (row["name"].as_str().unwrap_or_default(), row["change"].as_str().unwrap_or_default()))
            .collect();
        let expected = [("=Price", "now_passes"), ("Answers", "same"), ("Judged", "now_passes")];
        assert_eq!(changes, expected, "{compared}");
        let text = owner.get(&format!("/test-runs/compare?a={new}&b={old}&change=now_fails")).await.text;
        assert!(
            text.contains("Now fails: 2") && text.contains("0 of 2 passed") && !text.contains(">Answers"),
            "{text}"
        );
        assert!(owner.get(&format!("/test-runs/compare?a={new}")).await.text.contains("Choose the other run"));

        // Files, and lists.
        let file = owner.get(&format!("{place}/export.csv")).await.text;
        assert_eq!(file.lines().count(), 1 + 3 * 4, "{file}");
        assert!(file.contains("'=Price,contains,2,"), "no formula: {file}");
        let list = format!("/agents/{agent}/tests/grids");
        assert!(owner.get(&format!("{list}?status=done")).await.text.contains(&place));
        assert!(!owner.get(&format!("{list}?status=stopped")).await.text.contains(&place));
        assert_eq!(owner.get(&format!("{list}/export.csv?status=done")).await.text.lines().count(), 2);
        assert!(owner.get(&format!("/agents/{agent}/tests")).await.text.contains(&place), "beside the cases");

        // A cell with all cases and the agent's own model counts before production as any run does.
        owner.done("move_prompt_label", &moved).await;

        let other = Agency::new(world, "gridother").await;
        assert_eq!(other.owner.rpc("get_test_grid", &[("id", &grid)]).await.status, 404);
        let foreign = Agency::ready(world, "gridforeign").await.1.agent;
        assert_eq!(owner.rpc("get_test_grid_form", &[("agent", &foreign)]).await.status, 404);
        assert_eq!(agency.member.rpc("start_test_grid", &[("agent", agent)]).await.status, 403);
        assert_eq!(agency.one.admin.get(&place).await.status, 404);
    });
}

#[test]
fn cells_beside_each_other_never_spend_more_than_their_purse() {
    run(|world: &World| async move {
        let (agency, works) = Agency::ready(world, "gridpurse").await;
        let (agent, owner) = (works.agent.as_str(), &agency.owner);
        next_version(&agency, &works).await;
        for name in ["A", "B", "C", "D", "E", "F"] {
            case(&agency, agent, name, &[("input", "Hello there"), ("expected", "a")]).await;
        }
        let (house, _) = added(&agency, "openai_compatible", "House").await;
        // Nobody prices the answers of this model: each keeps its five cents, and four use the budget up.
        let fields = [
            ("agent", agent),
            ("version_1", "1"),
            ("account_1", house.as_str()),
            ("model_1", OTHER),
            ("budget", "0.20"),
        ];
        let unknown = owner.made("start_test_grid", &fields).await;
        agency.drain().await;
        let page = shown(&agency, &unknown).await;
        let (status, unpriced, ended) = (&page["row"]["status"], &page["row"]["unpriced"], &page["row"]["counts"]);
        assert_eq!((status, unpriced), (&"over_budget".into(), &4.into()), "{page}");
        assert_eq!((&ended["left_out"], &ended["errors"]), (&2.into(), &0.into()), "{page}");
        // Reading costs a cent a token, so that a few answers are dear.
        for model in ["gpt-5", "gpt-5-mini"] {
            let price = [("account", house.as_str()), ("model", model), ("read", "10000"), ("written", "1")];
            owner.filled("/connections/models/prices/new", "set_model_price", &price).await;
        }
        let fields = [
            ("agent", agent),
            ("version_1", "1"),
            ("version_2", "2"),
            ("account_1", house.as_str()),
            ("model_1", "gpt-5"),
            ("account_2", house.as_str()),
            ("model_2", "gpt-5-mini"),
        ];
        // One answer would be more than the budget: said before anything begins.
        let poor = owner.rpc("start_test_grid", &[&fields[..], &[("budget", "0.10")]].concat()).await;
        assert!(poor.error_at("budget").is_some_and(|why| why.contains("may cost up to")), "{poor:?}");
        // Twelve conversations begin beside each other: their first answers alone would cost more.
        let grid = owner.made("start_test_grid", &[&fields[..], &[("budget", "2")]].concat()).await;
        agency.drain().await;

        let page = shown(&agency, &grid).await;
        let spent = dollars(&page["row"]["spent"]);
        assert!(spent <= 2.0 && spent > 0.3, "{spent}: {page}");
        assert_eq!(page["row"]["status"], "over_budget", "{page}");
        assert!(page["row"]["counts"]["left_out"].as_i64() > Some(0), "{page}");
        assert!(page["row"]["counts"]["passed"].as_i64() > Some(0), "{page}");
        assert_eq!(dollars(&page["set_aside"]), 0.0, "nothing stays set aside: {page}");
        let paid = format!("select sum(cost)::float8 from token_usage where agent_id = '{agent}'");
        let paid: f64 = owner_value(world, &paid).await;
        assert!((paid - spent).abs() < 0.000_1, "every answer is counted: {paid}, {spent}");
        let text = owner.get(&format!("/test-grids/{grid}")).await.text;
        assert!(text.contains("does not pay for the next answer"), "{text}");
        let whole = owner.made("start_test_grid", &[&fields[..], &[("budget", "100")]].concat()).await;
        agency.drain().await;
        let page = shown(&agency, &whole).await;
        assert!(page["row"]["status"] == "done" && dollars(&page["row"]["spent"]) > 4.0, "{page}");
    });
}

#[test]
fn a_grid_goes_on_after_its_worker_was_lost_and_stops_as_a_whole() {
    run(|world: &World| async move {
        let (agency, works) = Agency::ready(world, "gridlost").await;
        let (agent, owner) = (works.agent.as_str(), &agency.owner);
        next_version(&agency, &works).await;
        for name in ["A", "B"] {
            case(&agency, agent, name, &[("input", "Hello"), ("expected", "a")]).await;
        }
        let account = account(&agency).await;
        let fields = [
            ("agent", agent),
            ("version_1", "1"),
            ("version_2", "2"),
            ("account_1", account.as_str()),
            ("model_1", USUAL),
            ("budget", "1"),
        ];
        let lost = owner.made("start_test_grid", &fields).await;
        // A worker died in the middle of an answer of each cell, and had set nearly all of the money aside.
        let died = format!(
            "update test_runs t set result = 'running', set_aside = 0.49 from suite_runs s
             where s.id = t.suite_run_id and s.grid_id = '{lost}' and t.case_name = 'A' returning t.id::text"
        );
        assert_eq!(owner_lines(world, &died).await.len(), 2);
        agency.drain().await;
        let page = shown(&agency, &lost).await;
        assert_eq!((&page["row"]["status"], &page["row"]["counts"]["passed"]), (&"done".into(), &4.into()), "{page}");
        assert_eq!(dollars(&page["set_aside"]), 0.0, "{page}");

        let usage = format!("select count(*) from token_usage where agent_id = '{agent}'");
        let before: i64 = owner_value(world, &usage).await;
        let stopped = owner.made("start_test_grid", &fields).await;
        assert_ne!(stopped, lost, "what has ended is begun anew");
        owner.filled(&format!("/test-grids/{stopped}"), "stop_test_grid", &[]).await;
        owner.done("stop_test_grid", &[("id", &stopped)]).await;
        agency.drain().await;
        let page = shown(&agency, &stopped).await;
        assert_eq!(
            (&page["row"]["status"], &page["row"]["counts"]["left_out"]),
            (&"stopped".into(), &4.into()),
            "{page}"
        );
        assert!(page["cells"].as_array().expect("cells").iter().all(|cell| cell["status"] == "stopped"), "{page}");
        assert_eq!(owner_value::<i64>(world, &usage).await, before, "nothing was asked");
        let events = format!(
            "select action from audit_events where workspace_id = '{}' and entity = 'test_grid' order by seq",
            agency.workspace_id
        );
        assert_eq!(owner_lines(world, &events).await, ["started", "ended", "started", "stopped"]);
        // Asked for twice in one moment is one grid.
        let (one, other) = tokio::join!(owner.made("start_test_grid", &fields), owner.made("start_test_grid", &fields));
        assert_eq!(one, other);
        // The workspace is suspended: no cell goes on.
        let suspend = |word: &str| {
            format!("update workspaces set status = '{word}' where id = '{}' returning 'done'", agency.workspace_id)
        };
        owner_lines(world, &suspend("suspended")).await;
        agency.drain().await;
        let page = shown(&agency, &one).await;
        assert_eq!(page["row"]["status"], "failed", "{page}");
        assert_eq!(owner.rpc("start_test_grid", &fields).await.status, 409);
        owner_lines(world, &suspend("active")).await;
        assert_eq!(owner_value::<i64>(world, &usage).await, before);
    });
}

#[test]
fn a_grid_that_cannot_be_meant_is_refused_at_its_field_and_nothing_is_made() {
    run(|world: &World| async move {
        let (agency, works) = Agency::ready(world, "gridform").await;
        let (other, _) = Agency::ready(world, "gridformother").await;
        let (agent, owner) = (works.agent.as_str(), &agency.owner);
        case(&agency, agent, "A", &[("input", "Hello"), ("expected", "a")]).await;
        let (ours, theirs) = (account(&agency).await, account(&other).await);
        let (spare, _) = added(&agency, "openrouter", "Spare").await;
        let good = [("agent", agent), ("version_1", "1"), ("account_1", ours.as_str()), ("model_1", USUAL)];
        let with = |changes: &[(&'static str, &str)]| -> Vec<(String, String)> {
            let kept = good.iter().filter(|(name, _)| changes.iter().all(|(changed, _)| changed != name));
            kept.chain(changes).map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
        };
        for (field, changes) in [
            ("version_2", vec![("version_2", "9")]),
            ("version_2", vec![("version_2", "1")]),
            ("version_1", vec![("version_1", "")]),
            ("version_1", vec![("version_1", "two")]),
            ("account_1", vec![("account_1", ""), ("model_1", "")]),
            ("account_2", vec![("account_2", theirs.as_str()), ("model_2", USUAL)]),
            ("account_2", vec![("model_2", USUAL)]),
            ("model_2", vec![("account_2", ours.as_str()), ("model_2", USUAL)]),
            ("model_2", vec![("account_2", ours.as_str()), ("model_2", "two words")]),
            ("repeats", vec![("repeats", "6")]),
            ("tag", vec![("tag", "none")]),
            ("budget", vec![("budget", "0")]),
            ("budget", vec![("budget", "much")]),
        ] {
            let fields = with(&changes);
            let fields: Vec<(&str, &str)> =
                fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            let refused = owner.rpc("start_test_grid", &fields).await;
            assert!(refused.status == 422 && refused.error_at(field).is_some(), "{changes:?}: {refused:?}");
        }
        // Without script the browser is back at the form, with the reason and what was typed.
        let form = format!("/agents/{agent}/tests/grid");
        let typed = with(&[("model_1", "my-model"), ("budget", "much")]);
        let typed: Vec<(&str, &str)> = typed.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let refused = owner.form(&form, "/rpc/start_test_grid", &typed).await;
        let text = owner.get(&refused.location.expect("back to the form")).await.text;
        assert!(text.contains("Enter US dollars between") && text.contains("value=\"my-model\""), "{text}");
        // The account is switched off between the form and the deed.
        let fields = [("account_2", spare.as_str()), ("model_2", OTHER)];
        let text = owner.get(&form).await.text;
        let sent = super::support::Page::read(&text).filled("/rpc/start_test_grid", &fields).expect("the form");
        owner.done("switch_connection", &[("provider", &spare)]).await;
        let sent: Vec<(&str, &str)> = sent.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let refused = owner.rpc("start_test_grid", &sent).await;
        assert!(refused.error_at("account_2").is_some(), "{refused:?}");
        let at_form = format!("{form}?version_1=1&account_1={spare}&model_1={OTHER}");
        assert!(
            owner.get(&at_form).await.text.contains("from the list that is switched on"),
            "an old address says it, too"
        );
        let made = format!(
            "select (select count(*) from test_grids where workspace_id = '{0}') + (select count(*) from suite_runs where workspace_id = '{0}')
                  + (select count(*) from test_runs where workspace_id = '{0}')",
            agency.workspace_id
        );
        assert_eq!(owner_value::<i64>(world, &made).await, 0);
    });
}
