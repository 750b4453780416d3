//! Runs: every call is one, with its steps; others are written down by whoever runs them. Errors: grouped by cause, resolved, and back again.

use std::time::Duration;

use chrono::Utc;
use patchbay_access::Action;
use patchbay_access::server::{Machine, Scope};
use patchbay_runs::model::{ErrorSource, StepEvent, Trigger};
use patchbay_runs::server::{self as runs, NewError, NewRun, NewStep, StepTokens};
use patchbay_shared::ids::{RunId, WorkspaceId};
use serde_json::{Value, json};

use super::support::{Agency, World, owner_lines, owner_value, run};
use super::tools::{added, call_of};

const TEST: Machine = Machine { name: "test", actions: &[Action::ReadWorkshop] };

fn scope(world: &World, agency: &Agency) -> Scope {
    let workspace: WorkspaceId = agency.workspace_id.parse().expect("an id");
    Scope::of_operator(world.db.clone(), workspace, TEST)
}

/// Something fails, as crates below say it. Gives what it has in common with others.
pub async fn failure(world: &World, agency: &Agency, message: &str) -> String {
    let mut tx = scope(world, agency).write(Action::ReadWorkshop).await.expect("a transaction");
    let error = NewError {
        run: None,
        agent: None,
        client: None,
        source: ErrorSource::Llm,
        code: "timeout",
        message,
        metadata: json!({ "model": "test" }),
    };
    runs::failed(&mut tx, &error).await.expect("an error");
    tx.commit().await.expect("committed");
    agency.drain().await;
    let newest = format!(
        "select cause_id::text from errors where workspace_id = '{}' and code = 'timeout' order by created_at desc limit 1",
        agency.workspace_id
    );
    owner_value(world, &newest).await
}

async fn shown(agency: &Agency, id: &str) -> Value {
    agency.owner.done("get_run", &[("id", id)]).await.json()["run"].clone()
}

#[test]
fn a_call_is_a_run_with_its_steps_and_what_failed_in_it() {
    run(|world| async move {
        let (agency, works) = Agency::ready(world, "runs").await;
        let agent = works.agent.as_str();
        // A tool that the other system refuses.
        let address = format!("{}/tools/status/500", world.sandbox_base);
        let fields = [
            ("tool_name", "customer"),
            ("description", "Looks a customer up."),
            ("address", address.as_str()),
            ("schema", r#"{"type": "object", "properties": {}}"#),
            ("method", "GET"),
        ];
        added(&agency, &format!("/agents/{agent}/tools/new?kind=http"), &fields).await;
        let call = call_of(&agency, world, &works).await;

        // Every call has its run, and the run says how the call went.
        let without = format!(
            "select c.id::text from calls c left join agent_runs r on r.workspace_id = c.workspace_id and r.id = c.run_id
             where c.workspace_id = '{}' and (r.id is null or r.id <> c.id or (c.ended_at is null) <> (r.status = 'running'))",
            agency.workspace_id
        );
        assert_eq!(owner_lines(world, &without).await, Vec::<String>::new());
        let found = shown(&agency, &call).await;
        assert_eq!((&found["kind"], &found["trigger"]), (&json!("live_call"), &json!("batch")), "{found}");
        assert_eq!(found["status"], "partial", "it was made, and a tool failed: {found}");
        assert_eq!(found["error"], "The tool customer failed.", "{found}");
        let steps = found["steps"].as_array().expect("steps");
        let said: Vec<&str> = steps.iter().filter_map(|step| step["message"].as_str()).collect();
        assert_eq!(said[0], "Dialled");
        for word in ["Joined", "Ended", "Analysis after the call", "customer"] {
            assert!(said.contains(&word), "{word}: {said:?}");
        }
        for event in ["llm_call", "user_input", "tool_call", "system"] {
            assert!(steps.iter().any(|step| step["event"] == event), "{event}: {found}");
        }
        let failed = steps.iter().find(|step| step["message"] == "customer").expect("the tool's step");
        assert!(failed["error"].is_string() && failed["href"].as_str().expect("a link").starts_with("/tool-calls/"));
        let times: Vec<i64> = steps.iter().filter_map(|step| step["at_ms"].as_i64()).collect();
        assert!(times.is_sorted() && times.len() == steps.len(), "one time axis: {times:?}");
        assert!(found["read"].as_i64() > Some(0), "tokens of the analysis: {found}");

        // The page opens the step that failed, and shows another one when asked; the call and the agent lead there.
        let page = agency.owner.get(&format!("/runs/{call}")).await;
        assert!(page.status == 200 && page.text.contains("The tool customer failed."), "{}", page.status);
        assert!(page.text.contains("What was asked and answered"), "the failed step is open");
        let page = agency.owner.get(&format!("/runs/{call}?step=1&show=errors&as=text")).await;
        assert!(!page.text.contains("What was asked and answered") && page.text.contains("Payload as text"));
        assert!(agency.owner.get(&format!("/calls/{call}")).await.text.contains(&format!("/runs/{call}")));
        assert!(agency.owner.get(&format!("/agents/{agent}")).await.text.contains(&format!("/runs?agent={agent}")));

        // The list by its filters, and its file.
        let list = async |filter: (&str, &str)| {
            let found = agency.owner.done("list_runs", &[filter]).await.json();
            let rows = found["page"]["rows"].as_array().expect("rows").clone();
            rows.iter().any(|row| row["id"] == call.as_str())
        };
        let name = found["title"].as_str().expect("a title").to_owned();
        for filter in [
            ("query[agent]", agent),
            ("query[client]", &agency.one.id),
            ("query[kind]", "live_call"),
            ("query[status]", "partial"),
            ("query[q]", "tool customer"),
            ("query[sort]", "started"),
        ] {
            assert!(list(filter).await, "{filter:?} of {name}");
        }
        for filter in [
            ("query[agent]", "x"),
            ("query[client]", &agency.two.id),
            ("query[kind]", "test_call"),
            ("query[status]", "failed"),
            ("query[status]", "x"),
            ("query[q]", "zzz-nobody"),
            ("query[to]", "2020-01-01"),
        ] {
            assert!(!list(filter).await, "{filter:?}");
        }
        let wrong = agency.owner.rpc("list_runs", &[("query[from]", "yesterday")]).await;
        assert!(wrong.error_at("from").is_some(), "{wrong:?}");
        let file = agency.owner.get(&format!("/runs/export.csv?status=partial&agent={agent}")).await;
        assert!(file.text.contains(&call) && file.text.contains("The tool customer failed."), "{}", file.text);

        // The failure is an error of the tool with the run behind it.
        let causes = agency.owner.done("list_error_causes", &[("query[source]", "tool")]).await.json();
        let cause = &causes["rows"][0];
        assert_eq!((&cause["code"], &cause["state"]), (&json!("customer"), &json!("open")), "{causes}");
        let id = cause["id"].as_str().expect("an id");
        let page = agency.owner.get(&format!("/errors/{id}")).await;
        assert!(page.text.contains(&format!("/runs/{call}")) && page.text.contains("Mark resolved"));
        assert!(agency.owner.get(&format!("/runs/{call}")).await.text.contains(&format!("/errors/{id}")));
        // For the agency alone.
        assert!(!agency.member.get(&format!("/errors/{id}")).await.text.contains("Mark resolved"));
        for person in [&agency.one.admin, &agency.one.viewer] {
            assert_eq!(person.get(&format!("/runs/{call}")).await.status, 404);
            assert!(!person.get(&format!("/calls/{call}")).await.text.contains("/runs/"), "no link for a client");
        }
    });
}

#[test]
fn a_run_is_written_step_by_step_and_two_are_compared() {
    run(|world| async move {
        let (agency, works) = Agency::ready(world, "run-steps").await;
        let scope = scope(world, &agency);
        let (one, other) = (RunId::new(), RunId::new());
        let new = |id: RunId| NewRun {
            id,
            agent: works.agent.parse().expect("an id"),
            client: None,
            trigger: Trigger::Suite,
            title: "Books <b>a visit</b>\0",
            started_by: None,
            prompt_version: Some(3),
        };
        for id in [one, other, one] {
            let mut tx = scope.write(Action::ReadWorkshop).await.expect("a transaction");
            runs::start(&mut tx, &new(id)).await.expect("a run");
            tx.commit().await.expect("committed");
        }
        let waiting = shown(&agency, &one.to_string()).await;
        assert_eq!((&waiting["status"], &waiting["kind"]), (&json!("running"), &json!("test_call")), "{waiting}");
        assert!(agency.owner.get(&format!("/runs/{one}")).await.text.contains("Waiting for the first step"));
        let step = |event: StepEvent, message: &'static str, error: Option<&'static str>, is_priced: bool| NewStep {
            event,
            message,
            payload: json!({ "input": "x\0<script>alert(1)</script>", "output": "y".repeat(100_000) }),
            // By a clock that is late.
            began: Utc::now() - chrono::Duration::hours(1),
            took: Duration::from_millis(420),
            error,
            tokens: (event == StepEvent::LlmCall).then(|| StepTokens {
                read: 100,
                written: 20,
                cost: is_priced.then(|| "0.0025".parse().expect("an amount")),
            }),
        };
        for (id, error) in [(one, None), (other, Some("It was late."))] {
            for next in [
                step(StepEvent::UserInput, "Hello", None, false),
                step(StepEvent::LlmCall, "Good morning", None, true),
                step(StepEvent::ToolCall, "book", error, false),
                step(StepEvent::LlmCall, "It is booked", None, error.is_none()),
            ] {
                let mut tx = scope.write(Action::ReadWorkshop).await.expect("a transaction");
                runs::step(&mut tx, id, &next).await.expect("a step");
                tx.commit().await.expect("committed");
            }
        }
        for failure in [None, Some("Too late to say this.")] {
            let mut tx = scope.write(Action::ReadWorkshop).await.expect("a transaction");
            runs::finish(&mut tx, one, failure).await.expect("an end");
            runs::finish(&mut tx, other, None).await.expect("an end");
            tx.commit().await.expect("committed");
        }
        let (fine, partial) = (shown(&agency, &one.to_string()).await, shown(&agency, &other.to_string()).await);
        assert_eq!((&fine["status"], &fine["error"]), (&json!("success"), &Value::Null), "{fine}");
        assert_eq!((&partial["status"], &partial["error"]), (&json!("partial"), &json!("It was late.")), "{partial}");
        assert_eq!((&fine["read"], &fine["written"]), (&json!(200), &json!(40)));
        assert_eq!((&fine["cost"], &fine["is_unpriced"]), (&json!("0.005000"), &json!(false)));
        assert_eq!((&partial["cost"], &partial["is_unpriced"]), (&json!("0.002500"), &json!(true)));
        let numbers: Vec<i64> =
            fine["steps"].as_array().expect("steps").iter().filter_map(|s| s["step"].as_i64()).collect();
        assert_eq!(numbers, [1, 2, 3, 4]);
        assert!(
            fine["steps"][0]["at_ms"] == 0 && fine["took_ms"].as_i64() >= Some(0),
            "no time before the start: {fine}"
        );
        assert_eq!(fine["title"], "Books <b>a visit</b>");

        let page = agency.owner.get(&format!("/runs/{one}?with={other}")).await;
        assert_eq!(page.status, 200);
        assert!(page.text.contains("The other run") && page.text.contains("It is booked"), "both stand there");
        assert!(page.text.contains("without what is not priced yet") || page.text.contains("Not priced yet"));
        assert!(
            !page.text.contains("<script>alert(1)") && !page.text.contains("<b>a visit"),
            "words of models are text"
        );
        let gone = agency.owner.rpc("get_run", &[("id", &one.to_string()), ("with", &RunId::new().to_string())]).await;
        assert_eq!(gone.status, 404);
        let stranger = Agency::new(world, "run-stranger").await;
        assert_eq!(stranger.owner.get(&format!("/runs/{one}")).await.status, 404);
        let theirs = RunId::new().to_string();
        assert_eq!(stranger.owner.rpc("get_run", &[("id", &theirs), ("with", &one.to_string())]).await.status, 404);
    });
}

#[test]
fn errors_are_counted_by_cause_resolved_and_open_again_when_they_come_back() {
    run(|world| async move {
        let agency = Agency::new(world, "errors").await;
        let scope = scope(world, &agency);
        // Twenty at the same moment, of one cause but for what is different each time.
        let all = (0..20).map(|number| {
            let scope = scope.clone();
            async move {
                let mut tx = scope.write(Action::ReadWorkshop).await.expect("a transaction");
                let message = format!("The model did not answer in {number} s for “Person {number}”. \0<i>");
                let error = NewError {
                    run: Some(RunId::new()),
                    agent: None,
                    client: None,
                    source: ErrorSource::Llm,
                    code: "timeout",
                    message: &message,
                    metadata: json!({ "model": "test\0" }),
                };
                runs::failed(&mut tx, &error).await.expect("an error");
                tx.commit().await.expect("committed");
            }
        });
        futures::future::join_all(all).await;
        agency.drain().await;
        let open = agency.owner.done("list_error_causes", &[]).await.json();
        let rows = open["rows"].as_array().expect("rows");
        assert_eq!((rows.len(), &rows[0]["count"], &rows[0]["source"]), (1, &json!(20), &json!("llm")), "{open}");
        let id = rows[0]["id"].as_str().expect("an id").to_owned();
        let page = format!("/errors/{id}");
        assert!(!agency.owner.get(&page).await.text.contains("<i>"), "a message is text");
        let other = failure(world, &agency, "The model is full.").await;
        assert_ne!(other, id);

        agency.owner.filled(&page, "resolve_error_cause", &[]).await;
        // Again changes nothing.
        agency.owner.done("resolve_error_cause", &[("id", &id), ("on", "true")]).await;
        let state = async || agency.owner.done("get_error_cause", &[("id", &id)]).await.json();
        let resolved = state().await;
        assert_eq!(resolved["cause"]["state"], "resolved", "{resolved}");
        assert!(resolved["resolved"][1].as_str().is_some_and(|name| !name.is_empty()), "by whom: {resolved}");
        let listed = async |word: &str| {
            let found = agency.owner.done("list_error_causes", &[("query[state]", word)]).await.json();
            found["rows"].as_array().expect("rows").iter().any(|row| row["id"] == id.as_str())
        };
        assert!(!listed("open").await && listed("resolved").await && listed("all").await && !listed("x").await);
        let file = agency.owner.get("/errors/export.csv?state=all&q=full").await;
        assert_eq!(file.text.lines().count(), 2, "{}", file.text);

        let again = failure(world, &agency, "The model did not answer in 99 s for “Ada”. <i>").await;
        assert_eq!(again, id, "the same cause");
        let back = state().await;
        assert_eq!((&back["cause"]["state"], &back["cause"]["count"]), (&json!("open"), &json!(21)), "{back}");
        assert!(back["cause"]["reopened"].is_object() && back["resolved"].is_null(), "{back}");
        assert!(agency.owner.get(&page).await.text.contains("It was resolved and came again"));
        agency.owner.done("resolve_error_cause", &[("id", &id), ("on", "true")]).await;
        agency.owner.done("resolve_error_cause", &[("id", &id)]).await;
        let events = format!(
            "select action from audit_events where workspace_id = '{}' and entity = 'error' order by seq",
            agency.workspace_id
        );
        assert_eq!(owner_lines(world, &events).await, ["resolved", "resolved", "reopened"]);

        assert_eq!(agency.member.rpc("resolve_error_cause", &[("id", &id)]).await.status, 403);
        assert_eq!(agency.one.admin.get("/errors").await.status, 404);
        let stranger = Agency::new(world, "errors-stranger").await;
        assert_eq!(stranger.owner.rpc("resolve_error_cause", &[("id", &id), ("on", "true")]).await.status, 404);
        assert_eq!(stranger.owner.get(&page).await.status, 404);
    });
}
