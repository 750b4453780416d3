//! Teams at work: who gets a message and why, in which order, within which limits and under whose eyes; and that a run survives whatever
//! happens to whoever works on it.

use patchbay_access::server::Scope;
use patchbay_queues::server::sweep;
use patchbay_sandbox::{OddAnswer, Quirks, SandboxSettings};
use patchbay_shared::ids::{CallId, WorkspaceId};
use patchbay_tools::server::live;
use serde_json::{Value, json};

use super::api_keys::{call, key};
use super::support::{Agency, Answer, Browser, Works, World, owner_lines, owner_value, run};
use super::tools::{added, call_of, knock, tried};

fn last_id(answer: &Answer) -> String {
    let location = answer.location.as_deref().unwrap_or_else(|| panic!("leads somewhere: {answer:?}"));
    let path = location.split(['?', '#']).next().unwrap_or_default();
    path.split('/')
        .find(|part| uuid::Uuid::parse_str(part).is_ok())
        .unwrap_or_else(|| panic!("an id: {path}"))
        .to_owned()
}

/// The usual engines, and this machine to work on.
pub async fn equipped(agency: &Agency) {
    agency.owner.done("add_usual_execution", &[]).await;
}

/// An agent of client one that says these words when it is asked about this.
async fn worker(agency: &Agency, name: &str, about: &str, says: &str) -> String {
    let template = format!("You help.\nWhen somebody asks about {about}, say “{says}”");
    let prompt = [("name", name), ("template", &template), ("production", "true")];
    let prompt = agency.owner.made_on("/prompts/new", "save_prompt", &prompt).await;
    let fields = [
        ("name", name),
        ("client_id", agency.one.id.as_str()),
        ("prompt_id", &prompt),
        ("greeting", "Hello."),
        ("first_speaker", "agent"),
        ("max_minutes", "10"),
    ];
    agency.owner.made_on("/agents/new", "save_agent", &fields).await
}

/// A team of client one with these members, in their order.
pub async fn team(agency: &Agency, mode: &str, name: &str, members: &[(&str, &str)]) -> String {
    let new = [("name", name), ("mode", mode), ("client", &agency.one.id)];
    let team = last_id(&agency.owner.done("create_team", &new).await);
    for (agent, role) in members {
        agency.owner.done("add_team_member", &[("team", &team), ("agent", agent), ("role", role)]).await;
    }
    team
}

/// A team of the agency's agent, and a run of it that nobody has begun.
pub async fn asked(agency: &Agency, works: &Works) -> (String, String) {
    let name = format!("{} team", agency.secret);
    let team = team(agency, "supervisor", &name, &[(&works.agent, "Books visits")]).await;
    let message = format!("{} wants a visit", agency.secret);
    let run = ask(agency, &team, None, &message).await;
    (team, run)
}

/// Sends a message to a team, and gives the run.
async fn ask(agency: &Agency, team: &str, session: Option<&str>, message: &str) -> String {
    let mut fields = vec![("team", team), ("message", message)];
    fields.extend(session.map(|session| ("session", session)));
    agency.owner.done("ask_team", &fields).await;
    let newest = [("query[team]", team)];
    let list = agency.owner.done("list_supervisor_runs", &newest).await.json();
    list["page"]["rows"][0]["id"].as_str().unwrap_or_else(|| panic!("a run: {list}")).to_owned()
}

/// What the database has of a run.
async fn row(world: &World, run: &str) -> Value {
    let sql = format!("select to_jsonb(r)::text from supervisor_runs r where id = '{run}'");
    serde_json::from_str(&owner_value::<String>(world, &sql).await).expect("a row")
}

/// The jobs of a run, in their order.
async fn jobs(world: &World, run: &str) -> Vec<Value> {
    let sql = format!(
        "select to_jsonb(j)::text from execution_jobs j where supervisor_run_id = '{run}' order by created_at, id"
    );
    owner_lines(world, &sql).await.iter().map(|line| serde_json::from_str(line).expect("a job")).collect()
}

/// Saves a team's limits as they are, but for these.
async fn limited(agency: &Agency, team: &str, fields: &[(&str, &str)]) -> Answer {
    agency.owner.filled(&format!("/teams/{team}/limits"), "save_team", fields).await
}

fn odd(world: &World, key: &str, quirks: Quirks) {
    let settings = world.sandbox.settings_for(key);
    world.sandbox.set_settings(Some(key), SandboxSettings { quirks, ..SandboxSettings::clone(&settings) });
}

/// Two workers and a team of them with a supervisor.
struct Service {
    agency: Agency,
    works: Works,
    cover: String,
    refunds: String,
    team: String,
}

const COVER: &str = "Flood cover is off the policy from today.";
const REFUND: &str = "107.60 euros go back to your account.";

async fn service(world: &World, name: &str, mode: &str) -> Service {
    let (agency, works) = Agency::ready(world, name).await;
    equipped(&agency).await;
    let cover = worker(&agency, "Policy changes", "flood cover", COVER).await;
    let refunds = worker(&agency, "Refunds", "refund or premium", REFUND).await;
    let members = [(cover.as_str(), "Changes the cover of policies"), (refunds.as_str(), "Pays a refund of a premium")];
    let team = team(&agency, mode, "Policy service", &members).await;
    Service { agency, works, cover, refunds, team }
}

#[test]
fn a_supervisor_gives_a_message_to_whoever_fits_and_asks_back_when_it_is_vague() {
    run(|world: &World| async move {
        let Service { agency, refunds, cover, team, .. } = service(world, "teamsupervisor", "supervisor").await;
        let first = ask(&agency, &team, None, "Pay me a refund for the premium, please").await;
        agency.drain().await;
        let done = row(world, &first).await;
        assert!(done["status"] == "completed" && done["worker_agent_id"] == refunds.as_str(), "{done}");
        assert_eq!((&done["execution_output"], &done["asked_back"]), (&json!(REFUND), &json!(false)), "{done}");
        let said = &done["supervisor_response"];
        assert!(
            said["confidence"].as_f64() > Some(0.7) && said["reason"].as_str().is_some_and(|text| !text.is_empty()),
            "{said}"
        );
        assert_eq!(said["others"].as_array().map(Vec::len), Some(2), "{said}");
        assert_eq!((&done["execution_engine"], &done["is_unpriced"]), (&json!("Model"), &json!(false)), "{done}");
        let all = jobs(world, &first).await;
        assert!(all.len() == 1 && all[0]["status"] == "completed", "{all:?}");
        // Choosing, working, and seeing that all is done: each counted, and paid for by the client.
        let spent = format!(
            "select count(*) || ' ' || sum(total_tokens) || ' ' || sum(cost) || ' ' || count(distinct client_id)
             from token_usage where session_id = '{}'",
            done["session_id"].as_str().expect("a session")
        );
        let counted = format!("3 {} {} 1", done["tokens"], done["cost"]);
        assert_eq!((owner_value::<String>(world, &spent).await, done["steps"].as_i64()), (counted, Some(3)), "{done}");

        // Vague: it asks back. What it was about is said next, in the same conversation.
        let vague = ask(&agency, &team, None, "Something is wrong").await;
        agency.drain().await;
        let back = row(world, &vague).await;
        assert!(
            back["status"] == "completed" && back["asked_back"] == true && jobs(world, &vague).await.is_empty(),
            "{back}"
        );
        assert!(back["execution_output"].as_str().is_some_and(|text| text.ends_with('?')), "{back}");
        let session = back["session_id"].as_str().expect("a session").to_owned();
        let next = ask(&agency, &team, Some(&session), "It is about the cover, and a refund").await;
        // While the team is at it, the next message waits.
        let early = agency.owner.rpc("ask_team", &[("team", &team), ("session", &session), ("message", "And?")]).await;
        assert_eq!(early.status, 409, "{early:?}");
        agency.drain().await;
        let both = row(world, &next).await;
        let all = jobs(world, &next).await;
        let workers: Vec<&Value> = all.iter().map(|job| &job["agent_id"]).collect();
        assert_eq!(workers, [cover.as_str(), refunds.as_str()], "one after the other: {all:?}");
        let told = all[1]["prompt"].as_str().expect("a prompt");
        assert!(told.contains("Something is wrong") && told.contains(COVER), "{told}");
        let output = both["execution_output"].as_str().expect("an answer");
        assert!(output.contains(COVER) && output.contains(REFUND), "{both}");

        // Sent twice: one run. Another team's session, and one of nobody's ids: not there.
        let key = uuid::Uuid::now_v7().to_string();
        let twice = [("team", team.as_str()), ("message", "Refund the premium"), ("key", &key)];
        agency.owner.done("ask_team", &twice).await;
        agency.owner.done("ask_team", &twice).await;
        let sent = format!("select count(*) from supervisor_runs where idempotency_key = '{key}'");
        assert_eq!(owner_value::<i64>(world, &sent).await, 1);
        agency.drain().await;
        let other = super::teams::team(&agency, "supervisor", "Other", &[(&refunds, "Refunds")]).await;
        let foreign = [("team", other.as_str()), ("session", &session), ("message", "Refund")];
        assert_eq!(agency.owner.rpc("ask_team", &foreign).await.status, 404);

        // Kept with what is expected, and asked again: both messages, one after the other.
        let case = [
            ("team", team.as_str()),
            ("name", "Cover and refund"),
            ("messages", "Something is wrong\n---\nIt is about the cover, and a refund"),
            ("worker", &refunds),
            ("output_contains", "107.60 EUROS"),
            ("from_run", &next),
        ];
        agency.owner.done("save_team_case", &case).await;
        let id: String = owner_value(world, &format!("select id::text from team_cases where team_id = '{team}'")).await;
        agency.owner.done("run_team_case", &[("id", &id)]).await;
        agency.drain().await;
        let came = format!("select last_passed || ' ' || last_note from team_cases where id = '{id}'");
        assert_eq!(owner_value::<String>(world, &came).await, "true ");
        let wrong = [("id", id.as_str()), ("output_contains", "nothing of it"), ("asks_approval", "on")];
        agency.owner.done("save_team_case", &[&case[..4], &wrong].concat()).await;
        agency.owner.done("run_team_case", &[("id", &id)]).await;
        agency.drain().await;
        let why: String = owner_value(world, &came).await;
        assert!(why.starts_with("false ") && why.contains("approval") && why.contains("“nothing of it”"), "{why}");
    });
}

#[test]
fn members_work_in_turn_and_each_sees_what_came_before() {
    run(|world: &World| async move {
        let Service { agency, team, cover, refunds, .. } = service(world, "teamcoordinate", "coordinate").await;
        let first = ask(&agency, &team, None, "Take flood cover off, and refund the premium").await;
        agency.drain().await;
        let done = row(world, &first).await;
        let all = jobs(world, &first).await;
        assert_eq!(
            all.iter().map(|job| &job["agent_id"]).collect::<Vec<_>>(),
            [cover.as_str(), refunds.as_str()],
            "{done}"
        );
        let prompts: Vec<&str> = all.iter().filter_map(|job| job["prompt"].as_str()).collect();
        assert!(!prompts[0].contains(COVER) && prompts[1].contains(COVER), "{prompts:?}");
        let output = done["execution_output"].as_str().unwrap_or_default();
        assert!(done["status"] == "completed" && output.contains(COVER) && output.contains(REFUND), "{done}");

        // A later change of the team changes no job that is there; the other order holds from the next run on.
        let member: String = owner_value(
            world,
            &format!(
                "select id::text from team_agents where team_id = '{team}' and agent_id = '{refunds}' and is_active"
            ),
        )
        .await;
        let second = ask(&agency, &team, None, "Take flood cover off, and refund the premium").await;
        agency.owner.done("move_team_member", &[("team", &team), ("member", &member), ("to", "up")]).await;
        agency.drain().await;
        let order = |all: Vec<Value>| all.iter().map(|job| job["agent_id"].clone()).collect::<Vec<_>>();
        assert_eq!(
            order(jobs(world, &second).await),
            [cover.as_str(), refunds.as_str()],
            "as it was when it was asked"
        );

        // Again, with another engine: the same message, and the version that the team has now.
        let thrifty = [("name", "Thrifty"), ("most_steps", "5"), ("timeout_seconds", "60")];
        let engine = agency.owner.filled("/execution/engines/new?kind=model", "save_execution_engine", &thrifty).await;
        let engine = last_id(&engine);
        let again = agency.owner.done("run_supervisor_again", &[("id", &first), ("engine", &engine)]).await;
        let again = last_id(&again);
        let twice = agency.owner.done("run_supervisor_again", &[("id", &first), ("engine", &engine)]).await;
        assert_eq!(last_id(&twice), again, "while it goes on, it is the same one");
        agency.drain().await;
        let rerun = row(world, &again).await;
        assert!(rerun["status"] == "completed" && rerun["execution_engine"] == "Thrifty", "{rerun}");
        assert!(rerun["again_of"] == first.as_str() && rerun["source"] == "rerun", "{rerun}");
        let all = jobs(world, &again).await;
        assert!(all.iter().all(|job| job["engine_id"] == engine.as_str()), "{all:?}");
        assert_eq!(order(all), [refunds.as_str(), cover.as_str()]);

        // Somebody who rests keeps the whole team from it, and it says who.
        owner_lines(world, &format!("update agents set status = 'paused' where id = '{cover}' returning 'done'")).await;
        let refused = agency.owner.rpc("ask_team", &[("team", &team), ("message", "Refund")]).await;
        assert!(refused.status == 409 && refused.text.contains("Policy changes is deactivated"), "{refused:?}");
    });
}

#[test]
fn a_run_stops_at_its_limits_and_says_which() {
    run(|world: &World| async move {
        let Service { agency, works, team, refunds, .. } = service(world, "teamlimits", "supervisor").await;
        // One step pays for the choice alone.
        limited(&agency, &team, &[("most_steps", "1")]).await;
        let short = ask(&agency, &team, None, "Refund the premium").await;
        agency.drain().await;
        let stopped = row(world, &short).await;
        assert!(
            stopped["status"] == "failed" && stopped["limit_reached"] == "steps" && stopped["steps"] == 1,
            "{stopped}"
        );
        assert_eq!(stopped["failure"], "The run has used its one step.", "{stopped}");
        assert!(jobs(world, &short).await.iter().all(|job| job["status"] == "failed"));
        limited(&agency, &team, &[("most_steps", "20"), ("most_cost", "0.01"), ("most_seconds", "60")]).await;
        // Money, and time, as if they had been used.
        for (change, limit) in
            [("cost = 0.01", "money"), ("started_at = now() - interval '61 seconds', status = 'running'", "time")]
        {
            let run = ask(&agency, &team, None, "Refund the premium").await;
            owner_lines(world, &format!("update supervisor_runs set {change} where id = '{run}' returning 'done'"))
                .await;
            agency.drain().await;
            let stopped = row(world, &run).await;
            assert!(stopped["status"] == "failed" && stopped["limit_reached"] == limit, "{stopped}");
            assert_eq!(stopped["steps"], 0, "no model was asked: {stopped}");
        }
        // Work that waits for a place that nobody sees to: its time is up all the same, and nothing of it is done afterwards.
        let far = format!(
            "update execution_targets set worker_pool = 'far' where workspace_id = '{}' returning 'done'",
            agency.workspace_id
        );
        owner_lines(world, &far).await;
        let run = ask(&agency, &team, None, "Refund the premium").await;
        agency.background.drain_for(std::time::Duration::ZERO).await;
        assert_eq!(jobs(world, &run).await[0]["status"], "queued");
        let late = format!(
            "with r as (update supervisor_runs set started_at = now() - interval '61 seconds' where id = '{run}')
             update jobs set run_at = now() where kind = 'end_late_run' and dedupe_key = '{run}' returning 'done'"
        );
        assert_eq!(owner_lines(world, &late).await, ["done"]);
        agency.drain().await;
        let stopped = row(world, &run).await;
        assert!(
            stopped["status"] == "failed" && stopped["limit_reached"] == "time" && stopped["steps"] == 1,
            "{stopped}"
        );
        assert_eq!(jobs(world, &run).await[0]["status"], "failed");
        let again = agency
            .owner
            .rpc("requeue_execution_job", &[("id", jobs(world, &run).await[0]["id"].as_str().expect("an id"))])
            .await;
        assert!(again.status == 409 && again.text.contains("The run has ended"), "{again:?}");
        owner_lines(world, &far.replace("'far'", "'default'")).await;

        // A model that asks for the same tool for ever.
        let address = format!("{}/tools/search?q={{query}}", world.sandbox_base);
        let fields = [("address", address.as_str()), ("tool_name", "search_web")];
        added(&agency, &format!("/agents/{refunds}/tools/new?kind=web_search"), &fields).await;
        limited(&agency, &team, &[("most_seconds", "300"), ("most_cost", "1")]).await;
        odd(world, &works.key, Quirks { loops_on_tools: true, ..Quirks::default() });
        let round = ask(&agency, &team, None, "Refund the premium").await;
        agency.drain().await;
        let stopped = row(world, &round).await;
        assert!(stopped["status"] == "failed" || stopped["status"] == "completed", "it comes to an end: {stopped}");
        let all = jobs(world, &round).await;
        assert!(
            all.iter().all(|job| job["status"] == "failed") && stopped["steps"].as_i64() <= Some(20),
            "{stopped} {all:?}"
        );

        // A supervisor that does not keep to the form: asked once more, and then it is over, in words.
        odd(world, &works.key, Quirks { odd_answer: Some(OddAnswer::OtherFormOnce), ..Quirks::default() });
        let once = ask(&agency, &team, None, "Refund the premium").await;
        agency.drain().await;
        assert_eq!(row(world, &once).await["status"], "completed");
        odd(world, &works.key, Quirks { odd_answer: Some(OddAnswer::OtherForm), ..Quirks::default() });
        let never = ask(&agency, &team, None, "Refund the premium").await;
        agency.drain().await;
        let failed = row(world, &never).await;
        assert!(failed["status"] == "failed" && failed["steps"] == 2, "{failed}");
        assert!(
            failed["failure"].as_str().is_some_and(|why| why.contains("form that was asked for, twice")),
            "{failed}"
        );
    });
}

/// What waits for a person in a run.
async fn approval(world: &World, run: &str) -> String {
    let sql =
        format!("select id::text from execution_approvals where supervisor_run_id = '{run}' and decision is null");
    owner_value(world, &sql).await
}

async fn decide(owner: &Browser, id: &str, decision: &str, note: &str) {
    owner.done("decide_approval", &[("id", id), ("decision", decision), ("content", ""), ("note", note)]).await;
}

#[test]
fn people_are_asked_in_the_middle_of_a_run_and_its_clock_stands_still() {
    run(|world: &World| async move {
        let Service { agency, team, cover, refunds, .. } = service(world, "teamapprovals", "supervisor").await;
        let owner = &agency.owner;
        let rules = [
            ("rule_0_name", "Changes of cover"),
            ("rule_0_on", "worker"),
            ("rule_0_worker", cover.as_str()),
            ("rule_0_minutes", "60"),
            ("most_seconds", "120"),
        ];
        limited(&agency, &team, &rules).await;
        let rules = [
            ("rule_1_name", "Refunds"),
            ("rule_1_on", "worker"),
            ("rule_1_worker", refunds.as_str()),
            ("rule_1_minutes", "60"),
        ];
        limited(&agency, &team, &rules).await;
        let run = ask(&agency, &team, None, "Change the cover, and refund the premium").await;
        agency.drain().await;
        let waiting = row(world, &run).await;
        assert!(
            waiting["status"] == "running" && jobs(world, &run).await[0]["status"] == "awaiting_approval",
            "{waiting}"
        );
        // Half an hour later: people are not waited for on its clock. The second one is asked after the first.
        let earlier = format!(
            "with a as (update execution_approvals set requested_at = requested_at - interval '30 minutes' where supervisor_run_id = '{run}')
             update supervisor_runs set started_at = started_at - interval '30 minutes' where id = '{run}' returning 'done'"
        );
        owner_lines(world, &earlier).await;
        let first = approval(world, &run).await;
        decide(owner, &first, "approved", "").await;
        agency.drain().await;
        let second = approval(world, &run).await;
        assert_ne!(first, second);
        let all = jobs(world, &run).await;
        assert_eq!(
            (&all[0]["status"], &all[1]["status"]),
            (&json!("completed"), &json!("awaiting_approval")),
            "{all:?}"
        );
        decide(owner, &second, "rejected", "Too much").await;
        agency.drain().await;
        let done = row(world, &run).await;
        assert!(done["status"] == "completed" && done["waited_ms"].as_i64() >= Some(1_800_000), "{done}");
        let output = done["execution_output"].as_str().unwrap_or_default();
        assert!(output.contains(COVER) && !output.contains(REFUND), "what was rejected was not done: {done}");

        // Stopped while somebody is asked: the question is taken back, and nothing is done.
        let run = ask(&agency, &team, None, "Refund the premium").await;
        agency.drain().await;
        let open = approval(world, &run).await;
        owner.done("cancel_supervisor_run", &[("id", &run)]).await;
        agency.drain().await;
        let stopped = row(world, &run).await;
        assert!(stopped["status"] == "failed" && stopped["failure"] == "Cancelled by Olga Owner.", "{stopped}");
        assert_eq!(jobs(world, &run).await[0]["status"], "failed");
        let taken = format!("select decision from execution_approvals where id = '{open}'");
        assert_eq!(owner_value::<String>(world, &taken).await, "withdrawn");
        // Stopped before anybody began.
        let run = ask(&agency, &team, None, "Refund the premium").await;
        for _ in 0..2 {
            owner.done("cancel_supervisor_run", &[("id", &run)]).await;
        }
        agency.drain().await;
        let stopped = row(world, &run).await;
        assert!(
            stopped["status"] == "failed" && stopped["steps"] == 0 && jobs(world, &run).await.is_empty(),
            "{stopped}"
        );
    });
}

#[test]
fn a_run_survives_whoever_is_killed_at_it_and_makes_each_job_once() {
    run(|world: &World| async move {
        let Service { agency, team, .. } = service(world, "teamkilled", "supervisor").await;
        let workspace: WorkspaceId = agency.workspace_id.parse().expect("an id");
        let sweep = || async {
            sweep::sweep(&Scope::of_operator(world.db.clone(), workspace, sweep::UPKEEP)).await.expect("a sweep");
        };
        // Its job is lost before anything was done: the sweep finds it.
        let run = ask(&agency, &team, None, "Refund the premium").await;
        let lost =
            format!("delete from jobs where kind = 'advance_run' and dedupe_key like '{run}:%' returning 'done'");
        assert_eq!(owner_lines(world, &lost).await, ["done"]);
        agency.drain().await;
        assert_eq!(row(world, &run).await["status"], "pending");
        sweep().await;
        // And two of them at once, as after a worker that was thought to be dead.
        let doubled = format!(
            "insert into jobs (id, workspace_id, kind, payload, dedupe_key)
             select gen_random_uuid(), workspace_id, kind, payload, dedupe_key || n from jobs, generate_series(1, 3) n
             where kind = 'advance_run' and dedupe_key like '{run}:%' returning 'done'"
        );
        assert_eq!(owner_lines(world, &doubled).await.len(), 3);
        agency.drain().await;
        let done = row(world, &run).await;
        assert!(done["status"] == "completed" && done["execution_output"] == REFUND, "{done}");
        assert_eq!(jobs(world, &run).await.len(), 1, "one job");
        // Whatever was asked in vain is paid for, too.
        let paid = format!(
            "select sum(cost)::text from token_usage where session_id = '{}'",
            done["session_id"].as_str().expect("one")
        );
        assert_eq!(owner_value::<String>(world, &paid).await, done["cost"].to_string());

        // The end of a job is not heard: the worker died between the two.
        let run = ask(&agency, &team, None, "Refund the premium").await;
        let begin = format!(
            "update jobs set run_at = now() + interval '1 day' where kind = 'advance_run' and dedupe_key like '{run}:%' returning 'done'"
        );
        assert_eq!(owner_lines(world, &begin).await, ["done"]);
        sweep().await;
        let again = format!(
            "update jobs set run_at = now() where kind = 'advance_run' and dedupe_key like '{run}:%' returning 'done'"
        );
        assert_eq!(owner_lines(world, &again).await, ["done"], "it waits, and there is no second one");
        agency.drain().await;
        assert_eq!(row(world, &run).await["status"], "completed");
    });
}

#[test]
fn a_team_is_a_tool_of_an_agent() {
    run(|world: &World| async move {
        let Service { agency, works, team, refunds, .. } = service(world, "teamtool", "supervisor").await;
        // Before the agent has the tool.
        let on_call = call_of(&agency, world, &works).await;
        let form = format!("/agents/{}/tools/new?kind=team", works.agent);
        let refused = agency.owner.fill(&form, "save_agent_tool", &[("team", ""), ("wait_seconds", "4")]).await;
        assert!(refused.error_at("team").is_some() && refused.error_at("wait_seconds").is_some(), "{refused:?}");
        let tool = added(&agency, &form, &[("team", &team), ("wait_seconds", "20")]).await;
        // Asked, and answered in time.
        let given = [("arg_request", "Refund the premium")];
        let (used, ()) = futures::join!(tried(&agency, &works.agent, &tool, &given), async {
            for _ in 0..400 {
                agency.background.drain_for(std::time::Duration::ZERO).await;
                let open = format!(
                    "select count(*) from supervisor_runs where team_id = '{team}' and completed_at is not null and source = 'tool'"
                );
                if owner_value::<i64>(world, &open).await > 0 {
                    return;
                }
            }
        });
        assert!(used["status"] == "succeeded" && used["answer"] == REFUND, "{used}");
        // Not in time: it goes on by itself.
        agency
            .owner
            .filled(&format!("/agents/{}/tools/{tool}", works.agent), "save_agent_tool", &[("wait_seconds", "5")])
            .await;
        let used = tried(&agency, &works.agent, &tool, &given).await;
        assert!(
            used["status"] == "succeeded" && used["answer"].as_str().is_some_and(|text| text.contains("working on it")),
            "{used}"
        );
        agency.drain().await;
        let runs = format!(
            "select status || ' ' || execution_output from supervisor_runs where team_id = '{team}' and source = 'tool'"
        );
        let done = format!("completed {REFUND}");
        assert_eq!(owner_lines(world, &runs).await, [done.clone(), done]);

        // On a call it is one conversation: whoever asks again hears what came of it, and nothing is done twice.
        owner_lines(world, &format!("update calls set ended_at = null where id = '{on_call}' returning 'done'")).await;
        let workspace: WorkspaceId = agency.workspace_id.parse().expect("an id");
        let of_call: CallId = on_call.parse().expect("an id");
        let token = live::token(world.db.services(), workspace, of_call).expect("a token").expose().clone();
        let count = format!("select count(*) from supervisor_runs where call_id = '{on_call}'");
        let used = async |request: &str| {
            let door = format!("/hooks/tools/{workspace}/{tool}/ask_team");
            knock(world, &door, Some(&token), None, &json!({"request": request})).await
        };
        let begun = used("Refund the premium of the call").await;
        assert_eq!(begun.status, 200, "{begun:?}");
        agency.drain().await;
        let told = used("Is the refund done?").await;
        assert!(
            told.status == 200 && told.text.contains("answer to “") && told.text.contains(REFUND),
            "{begun:?} {told:?}"
        );
        assert_eq!(owner_value::<i64>(world, &count).await, 1, "one run");

        // Another client's agent is not offered the team, and a member's own team is none of its tools in a run.
        let elsewhere = [("name", "Elsewhere"), ("mode", "supervisor"), ("client", &agency.two.id)];
        let foreign = last_id(&agency.owner.done("create_team", &elsewhere).await);
        let other = [
            ("agent", works.agent.as_str()),
            ("kind", "team"),
            ("tool_name", "other_team"),
            ("description", "Asks it."),
            ("team", &foreign),
            ("wait_seconds", "20"),
        ];
        let wrong = agency.owner.rpc("save_agent_tool", &other).await;
        assert!(wrong.error_at("team").is_some(), "{wrong:?}");
        added(
            &agency,
            &format!("/agents/{refunds}/tools/new?kind=team"),
            &[("team", &team), ("tool_name", "ask_premium")],
        )
        .await;
        let run = ask(&agency, &team, None, "Ask premium for a refund").await;
        agency.drain().await;
        let all = jobs(world, &run).await;
        assert_eq!(all[0]["worker_config"]["agent"]["tools"], json!([]), "{all:?}");
    });
}

#[test]
fn programs_ask_a_team_and_nobody_asks_one_that_rests() {
    run(|world: &World| async move {
        let Service { agency, team, .. } = service(world, "teamapi", "supervisor").await;
        let other = Agency::new(world, "teamapiother").await;
        let path = format!("/v1/teams/{team}/runs");
        let asks = key(&agency.owner, &["teams:run"], "0").await;
        let sent = json!({"message": "Refund the premium"});
        let post = |body: Value, name: &'static str| {
            let request = reqwest::Client::new().post(format!("{}{path}", world.base)).bearer_auth(&asks).json(&body);
            async move {
                let answer = request.header("idempotency-key", name).send().await.expect("an answer");
                (
                    answer.status().as_u16(),
                    serde_json::from_str::<Value>(&answer.text().await.expect("text")).expect("JSON"),
                )
            }
        };
        let (status, made) = post(sent.clone(), "order-1").await;
        let (_, same) = post(sent.clone(), "order-1").await;
        assert!(status == 202 && made["state"] == "pending" && made["id"] == same["id"], "{made} {same}");
        assert!(
            made["address"]
                .as_str()
                .is_some_and(|at| at.ends_with(&format!("/supervisor-runs/{}", made["id"].as_str().unwrap_or(""))))
        );
        agency.drain().await;
        let one = format!("{path}/{}", made["id"].as_str().expect("an id"));
        let done = call(world, Some(&asks), "GET", &one, None).await;
        assert!(
            done.status == 200 && done.body["state"] == "completed" && done.body["answer"] == REFUND,
            "{}",
            done.body
        );
        let (_, next) = post(json!({"message": "Refund it", "session_id": made["session_id"]}), "order-2").await;
        assert_eq!(next["session_id"], made["session_id"], "{next}");
        for (body, name, field) in [
            (json!({"message": " "}), "order-3", "message"),
            (json!({"message": "x".repeat(8001)}), "order-4", "message"),
            (json!({"message": "Refund", "session_id": uuid::Uuid::now_v7()}), "order-5", "session_id"),
            (sent.clone(), "", "idempotency_key"),
        ] {
            let (status, answer) = post(body, name).await;
            assert!(status == 422 && answer.to_string().contains(field), "{field}: {answer}");
        }
        agency.drain().await;

        // Whoever rests is not asked, and it says why; a run that is there already ends with the reason.
        let open = ask(&agency, &team, None, "Refund the premium").await;
        let archive = format!("update clients set status = 'archived' where id = '{}' returning 'done'", agency.one.id);
        owner_lines(world, &archive).await;
        let (status, refused) = post(sent.clone(), "order-6").await;
        assert!(status == 409 && refused.to_string().contains("is archived"), "{refused}");
        agency.drain().await;
        let ended = row(world, &open).await;
        assert!(
            ended["status"] == "failed" && ended["failure"].as_str().is_some_and(|why| why.contains("is archived")),
            "{ended}"
        );
        owner_lines(world, &archive.replace("archived", "active")).await;
        let open = ask(&agency, &team, None, "Refund the premium").await;
        let suspend =
            format!("update workspaces set status = 'suspended' where id = '{}' returning 'done'", agency.workspace_id);
        owner_lines(world, &suspend).await;
        agency.drain().await;
        let ended = row(world, &open).await;
        owner_lines(world, &suspend.replace("suspended", "active")).await;
        assert!(
            ended["failure"].as_str().is_some_and(|why| why.contains("suspended")) && ended["steps"] == 0,
            "{ended}"
        );
        agency.owner.done("switch_team", &[("id", &team)]).await;
        let (status, refused) = post(sent, "order-7").await;
        assert!(status == 409 && refused.to_string().contains("deactivated"), "{refused}");
        // Of another agency nothing is there, whatever is asked.
        for (name, fields) in [
            ("get_supervisor_run", vec![("id", open.as_str())]),
            ("cancel_supervisor_run", vec![("id", open.as_str())]),
            ("ask_team", vec![("team", team.as_str()), ("message", "Refund")]),
            ("duplicate_team", vec![("id", team.as_str())]),
        ] {
            assert_eq!(other.owner.rpc(name, &fields).await.status, 404, "{name}");
            assert_eq!(agency.one.admin.rpc(name, &fields).await.status, 404, "{name}");
        }
    });
}

#[test]
fn two_people_who_change_a_team_lose_nothing() {
    run(|world: &World| async move {
        let Service { agency, works, team, refunds, .. } = service(world, "teamsaves", "supervisor").await;
        let other = Agency::ready(world, "teamsavesother").await;
        let form = agency.owner.done("get_team_limits", &[("id", &team)]).await.json()["form"].clone();
        let revision = form["revision"].as_str().expect("a revision").to_owned();
        // The form as it was when it was opened, but for these fields, whatever choices it offers.
        let save = async |fields: &[(&str, &str)]| {
            let all = form
                .as_object()
                .expect("fields")
                .iter()
                .filter_map(|(name, value)| Some((name.as_str(), value.as_str()?)));
            let kept = all.filter(|(name, _)| fields.iter().all(|(other, _)| other != name));
            let sent: Vec<(&str, &str)> = kept.chain(fields.iter().copied()).collect();
            agency.owner.rpc("save_team", &sent).await
        };
        limited(&agency, &team, &[("most_steps", "7"), ("note", "Shorter")]).await;
        let stale = save(&[("most_steps", "9")]).await;
        assert!(stale.status == 409 && stale.text.contains("Somebody else has changed"), "{stale:?}");
        let steps = format!("select settings ->> 'most_steps' from teams where id = '{team}'");
        assert_eq!(owner_value::<String>(world, &steps).await, "7");
        // The same again is no version.
        let versions = format!("select count(*) from team_versions where team_id = '{team}'");
        let before: i64 = owner_value(world, &versions).await;
        limited(&agency, &team, &[]).await;
        assert_eq!(owner_value::<i64>(world, &versions).await, before);
        agency.owner.done("restore_team_version", &[("id", &team), ("number", &revision)]).await;
        assert_eq!(owner_value::<String>(world, &steps).await, "20");
        assert_eq!(owner_value::<i64>(world, &versions).await, before + 1);

        // What belongs to others, or to another client, is not taken, and the field says so.
        let foreign = &other.1.agent;
        let wrong = [("team", team.as_str()), ("agent", foreign), ("role", "Helps")];
        assert!(agency.owner.rpc("add_team_member", &wrong).await.error_at("agent").is_some());
        let twice = [("team", team.as_str()), ("agent", &refunds), ("role", "Helps")];
        assert!(agency.owner.rpc("add_team_member", &twice).await.error_at("agent").is_some());
        let newest: String = owner_value(world, &format!("select revision::text from teams where id = '{team}'")).await;
        let moved = save(&[("revision", &newest), ("client", &agency.two.id)]).await;
        assert!(moved.error_at("client").is_some_and(|why| why.contains("another client")), "{moved:?}");
        let ids = uuid::Uuid::now_v7().to_string();
        let skill = format!("skills_{ids}");
        let unknown = [
            ("revision", newest.as_str()),
            (&skill, "on"),
            ("engine", &ids),
            ("target", &ids),
            ("account", &ids),
            ("model", "a/b"),
        ];
        let refused = save(&unknown).await;
        for field in ["skills", "engine", "target", "account"] {
            assert!(refused.error_at(field).is_some(), "{field}: {refused:?}");
        }
        assert!(
            agency
                .owner
                .rpc("create_team", &[("name", "policy SERVICE"), ("mode", "supervisor")])
                .await
                .error_at("name")
                .is_some()
        );
        // A copy has its own name, members and rules; both rest and come back.
        let copy = last_id(&agency.owner.done("duplicate_team", &[("id", &team)]).await);
        let like = format!(
            "select name || ' ' || (select count(*) from team_agents m where m.team_id = t.id and m.is_active) from teams t where id = '{copy}'"
        );
        assert_eq!(owner_value::<String>(world, &like).await, "Policy service (copy) 2");
        agency.owner.done("switch_team", &[("id", &copy)]).await;
        let rests =
            agency.owner.rpc("add_team_member", &[("team", &copy), ("agent", &works.agent), ("role", "Helps")]).await;
        assert!(rests.status == 409 && rests.text.contains("deactivated"), "{rests:?}");
        agency.owner.done("switch_team", &[("id", &copy), ("on", "true")]).await;
    });
}
