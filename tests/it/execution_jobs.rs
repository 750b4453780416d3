//! Jobs of execution: commands on this machine and workers that are models, what people decide about them, and their ends.

use futures::future::{join, join_all};
use patchbay_sandbox::{Quirks, SandboxSettings};
use serde_json::{Value, json};

use super::support::{Agency, Answer, Works, World, owner_lines, owner_value, run};

/// The usual engines and target.
pub struct Usual {
    pub process: String,
    pub model: String,
    pub target: String,
}

pub async fn usual(agency: &Agency) -> Usual {
    agency.owner.done("add_usual_execution", &[]).await;
    let engines = agency.owner.done("list_execution_engines", &[]).await.json();
    let rows = engines["page"]["rows"].as_array().expect("engines").clone();
    let of = |kind: &str| {
        let found = rows.iter().find(|row| row["kind"] == kind).unwrap_or_else(|| panic!("{kind}: {engines}"));
        found["id"].as_str().expect("an id").to_owned()
    };
    let targets = agency.owner.done("list_execution_targets", &[]).await.json();
    let target = targets["page"]["rows"][0]["id"].as_str().expect("a target").to_owned();
    Usual { process: of("process"), model: of("model"), target }
}

/// A job with all that its page shows.
pub async fn job(agency: &Agency, id: &str) -> Value {
    agency.owner.done("get_execution_job", &[("id", id)]).await.json()
}

/// How a job stands, and why it did not go well.
pub async fn state(agency: &Agency, id: &str) -> (String, String) {
    let page = job(agency, id).await;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    (text(&page["job"]["status"]), text(&page["job"]["reason"]))
}

/// A script for `sh`, made by hand.
pub async fn command(agency: &Agency, engine: &str, script: &str, more: &[(&str, &str)]) -> String {
    let fields = [&[("title", "A command"), ("engine", engine), ("content", script)], more].concat();
    agency.owner.made_on("/execution/new", "run_execution_job", &fields).await
}

/// A task for the agent.
pub async fn task(agency: &Agency, works: &Works, engine: &str, input: &str, more: &[(&str, &str)]) -> String {
    let fields = [("title", "A task"), ("engine", engine), ("agent", works.agent.as_str()), ("input", input)];
    agency.owner.made_on("/execution/new", "run_execution_job", &[&fields[..], more].concat()).await
}

/// Changes what a waiting job is made of, as a team makes it, which the form cannot.
pub async fn made_of(world: &World, job: &str, path: &str, value: &Value) {
    let sql = format!(
        "update execution_jobs set worker_config = jsonb_set(worker_config, '{{{path}}}', '{value}') where id = '{job}' returning 'done'"
    );
    assert_eq!(owner_lines(world, &sql).await, ["done"]);
}

async fn decided(agency: &Agency, approval: &str, fields: &[(&str, &str)]) -> Answer {
    agency.owner.rpc("decide_approval", &[&[("id", approval)], fields].concat()).await
}

/// The open approvals of a job.
async fn asked(agency: &Agency, id: &str) -> Vec<String> {
    let page = job(agency, id).await;
    assert_eq!(page["job"]["status"], "awaiting_approval", "{page}");
    let rows = page["approvals"].as_array().expect("approvals");
    let open = rows.iter().filter(|row| row["decided"].is_null());
    open.map(|row| row["id"].as_str().expect("an id").to_owned()).collect()
}

/// How many processes have this in their command.
pub fn processes(word: &str) -> usize {
    let entries = std::fs::read_dir("/proc").expect("processes").flatten();
    let commands = entries.filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok());
    commands.filter(|command| command.split(|byte| *byte == 0).any(|part| part == word.as_bytes())).count()
}

#[test]
fn a_command_leaves_its_words_and_files_and_starts_only_when_a_person_says_so() {
    run(|world: &World| async move {
        let agency = Agency::new(world, "commands").await;
        let engines = usual(&agency).await;
        let script = "mkdir -p out; cat > out/heard.txt; echo \"well done\"; echo careful >&2";
        let id = command(&agency, &engines.process, script, &[("input", "from the form")]).await;
        agency.drain().await;
        let page = job(&agency, &id).await;
        assert!(page["job"]["status"] == "completed" && page["job"]["result"]["output"] == "well done", "{page}");
        assert!(page["job"]["result"]["exit_code"] == 0 && page["artefacts"][0]["name"] == "heard.txt", "{page}");
        assert_eq!(page["artefacts"][0]["bytes"], 13, "{page}");
        let log: Vec<_> =
            page["log"].as_array().expect("a log").iter().map(|line| (&line["stream"], &line["line"])).collect();
        assert!(log.contains(&(&json!("out"), &json!("well done"))), "{log:?}");
        assert!(log.contains(&(&json!("err"), &json!("careful"))), "{log:?}");
        assert!(!page["job"]["container"].is_null() && !page["job"]["host"].is_null(), "{page}");

        let failed = command(&agency, &engines.process, "echo broken >&2; exit 7", &[]).await;
        agency.drain().await;
        let (status, why) = state(&agency, &failed).await;
        assert!(status == "failed" && why == "It ended with exit code 7: broken", "{why}");

        // Nothing starts before somebody says so; what was edited is what is done.
        let mut jobs = Vec::new();
        for input in ["approved", "edited", "rejected", "expired", "raced"] {
            jobs.push(command(&agency, &engines.process, "cat", &[("input", input), ("asks", "true")]).await);
        }
        agency.drain().await;
        let mut approvals = Vec::new();
        for id in &jobs {
            approvals.append(&mut asked(&agency, id).await);
        }
        assert_eq!(approvals.len(), 5, "one each");
        let refused = decided(&agency, &approvals[1], &[("decision", "edited"), ("content", "  ")]).await;
        assert!(refused.error_at("content").is_some(), "{refused:?}");
        assert!(decided(&agency, &approvals[0], &[("decision", "approved")]).await.status < 400);
        let edited = [("decision", "edited"), ("content", "something else")];
        assert!(decided(&agency, &approvals[1], &edited).await.status < 400);
        let rejected = [("decision", "rejected"), ("note", "Not on a Sunday")];
        assert!(decided(&agency, &approvals[2], &rejected).await.status < 400);
        let late = format!(
            "with late as (update execution_approvals set expires_at = now() - interval '1 second' where id = '{0}')
             update jobs set run_at = now() where kind = 'move_on_execution' and dedupe_key = '{0}' returning 'done'",
            approvals[3]
        );
        assert_eq!(owner_lines(world, &late).await, ["done"]);
        let after = decided(&agency, &approvals[3], &[("decision", "approved")]).await;
        assert!(after.status == 409 && after.text.contains("time to decide is over"), "{after:?}");
        // Two people at once: one decides, the other is told.
        let both = [vec![("decision", "approved")], vec![("decision", "rejected"), ("note", "No")]];
        let both = join_all(both.iter().map(|fields| decided(&agency, &approvals[4], fields))).await;
        assert_eq!(both.iter().filter(|answer| answer.status == 409).count(), 1, "{both:?}");
        let told = both.iter().find(|answer| answer.status == 409).expect("one is told");
        assert!(told.text.contains("already"), "{told:?}");
        agency.drain().await;
        for (id, status, words) in [
            (&jobs[0], "completed", "approved"),
            (&jobs[1], "completed", "something else"),
            (&jobs[2], "failed", "Not on a Sunday"),
            (&jobs[3], "failed", "Nobody decided in time"),
        ] {
            let page = job(&agency, id).await;
            assert!(page["job"]["status"] == status && page["job"].to_string().contains(words), "{page}");
        }
        let count = format!("select count(*) from execution_attempts where job_id in ('{}', '{}')", jobs[2], jobs[3]);
        assert_eq!(owner_value::<i64>(world, &count).await, 0, "what was not approved never began");

        // What was rejected is asked about again, and does not start because somebody queues it again.
        agency.owner.done("requeue_execution_job", &[("id", &jobs[2])]).await;
        agency.drain().await;
        assert_eq!(asked(&agency, &jobs[2]).await.len(), 1);

        // Others have none of it.
        let other = Agency::new(world, "commandsother").await;
        for (name, fields) in [
            ("cancel_execution_job", vec![("id", id.as_str())]),
            ("requeue_execution_job", vec![("id", failed.as_str())]),
            ("move_execution_job", vec![("id", failed.as_str()), ("target", engines.target.as_str())]),
            ("decide_approval", vec![("id", approvals[0].as_str()), ("decision", "approved")]),
        ] {
            assert_eq!(other.owner.rpc(name, &fields).await.status, 404, "{name}");
        }
    });
}

#[test]
fn a_worker_asks_before_it_uses_a_tool_and_what_was_edited_is_used() {
    run(|world: &World| async move {
        let (agency, works) = Agency::ready(world, "worker").await;
        let engines = usual(&agency).await;
        let tool = [
            ("agent", works.agent.as_str()),
            ("kind", "contact_lookup"),
            ("tool_name", "contact_lookup"),
            ("description", "Looks a contact up."),
        ];
        agency.owner.done("save_agent_tool", &tool).await;
        let rule = json!([{"name": "Look-ups", "when": {"on": "tool", "name": "contact_lookup", "argument": null, "above": null},
                           "minutes": 30, "for_client": false}]);
        let mut jobs = Vec::new();
        for _ in 0..3 {
            let id = task(&agency, &works, &engines.model, "Please do a contact lookup of Carla.", &[]).await;
            made_of(world, &id, "rules", &rule).await;
            jobs.push(id);
        }
        agency.drain().await;
        let uses = format!("select count(*) from tool_invocations where agent_id = '{}'", works.agent);
        assert_eq!(owner_value::<i64>(world, &uses).await, 0, "nothing is used before somebody says so");
        // Several wait at once; each is decided by itself.
        let mut approvals = Vec::new();
        for id in &jobs {
            approvals.append(&mut asked(&agency, id).await);
        }
        assert_eq!(approvals.len(), 3);
        let wrong = [("decision", "edited"), ("content", "[1, 2]")];
        let refused = decided(&agency, &approvals[1], &wrong).await;
        assert!(refused.error_at("content").is_some_and(|why| why.contains("JSON")), "{refused:?}");
        assert!(decided(&agency, &approvals[0], &[("decision", "approved")]).await.status < 400);
        let edited = [("decision", "edited"), ("content", r#"{"name": "Edited Person"}"#)];
        assert!(decided(&agency, &approvals[1], &edited).await.status < 400);
        let rejected = [("decision", "rejected"), ("note", "Ask first")];
        assert!(decided(&agency, &approvals[2], &rejected).await.status < 400);
        agency.drain().await;
        let arguments = format!(
            "select arguments::text from tool_invocations where agent_id = '{}' order by created_at",
            works.agent
        );
        let arguments = owner_lines(world, &arguments).await;
        assert_eq!(arguments.len(), 2, "{arguments:?}");
        assert!(arguments.iter().any(|one| one.contains("Edited Person")), "{arguments:?}");
        for id in &jobs {
            let page = job(&agency, id).await;
            assert_eq!(page["job"]["status"], "completed", "{page}");
            let kinds: Vec<&str> =
                page["steps"].as_array().expect("steps").iter().filter_map(|step| step["kind"].as_str()).collect();
            assert_eq!(kinds, ["model", "approval", "tool", "model"], "{page}");
            assert!(page["job"]["steps"] == 3 && page["job"]["tokens"].as_i64() > Some(0), "{page}");
        }
        let told = job(&agency, &jobs[2]).await;
        assert!(told["job"]["result"]["output"].to_string().contains("Ask first"), "the model hears why: {told}");
        let usage = format!(
            "select count(*) from token_usage where workspace_id = '{}' and purpose = 'agent'",
            agency.workspace_id
        );
        assert_eq!(owner_value::<i64>(world, &usage).await, 6, "each answer is paid for once");

        // A script is a job of its own; the worker waits for it without holding a place.
        let id = task(&agency, &works, &engines.model, "Please run the make report script.", &[]).await;
        let script = json!([{"skill": null, "skill_name": "Reports", "name": "make_report.sh", "content": "echo the report is made", "beside": []}]);
        made_of(world, &id, "agent,scripts", &script).await;
        agency.drain().await;
        let page = job(&agency, &id).await;
        assert!(page["job"]["status"] == "completed" && page["children"][0][2] == "completed", "{page}");
        assert!(page["job"]["result"]["output"].to_string().contains("the report is made"), "{page}");

        // A model that goes round in circles is stopped, and so is one that is never done.
        let usual = world.sandbox.settings_for(&works.key);
        let quirks = Quirks { loops_on_tools: true, ..Quirks::default() };
        world.sandbox.set_settings(Some(&works.key), SandboxSettings { quirks, ..SandboxSettings::clone(&usual) });
        let id = task(&agency, &works, &engines.model, "Please do a contact lookup of Carla.", &[]).await;
        agency.drain().await;
        let (status, why) = state(&agency, &id).await;
        assert!(status == "failed" && why.contains("again and again"), "{status} {why}");
        let id = task(&agency, &works, &engines.model, "Please do a contact lookup of Carla.", &[]).await;
        made_of(world, &id, "config,most_steps", &json!(2)).await;
        agency.drain().await;
        let (status, why) = state(&agency, &id).await;
        assert!(status == "failed" && why.contains("took 2 steps"), "{status} {why}");
        let limit = job(&agency, &id).await;
        assert!(limit["steps"].to_string().contains("\"limit\""), "{limit}");
    });
}

#[test]
fn a_cancelled_job_is_really_ended() {
    run(|world: &World| async move {
        let agency = Agency::new(world, "cancels").await;
        let engines = usual(&agency).await;
        // One that nobody is at ends at once.
        let waiting = command(&agency, &engines.process, "true", &[("asks", "true")]).await;
        agency.owner.done("cancel_execution_job", &[("id", &waiting)]).await;
        let page = job(&agency, &waiting).await;
        assert!(
            page["job"]["status"] == "failed" && page["approvals"][0]["decided"]["decision"] == "withdrawn",
            "{page}"
        );
        assert!(page["job"]["reason"].as_str().is_some_and(|why| why.starts_with("Cancelled by ")), "{page}");

        let (mark, stubborn) = ("61234.25", "trap '' TERM; sleep 61234.25; sleep 61234.25");
        let id = command(&agency, &engines.process, stubborn, &[]).await;
        let cancelled = async {
            for _ in 0..20_000 {
                if processes(mark) > 0 {
                    break;
                }
                job(&agency, &id).await;
            }
            assert!(processes(mark) > 0, "it runs");
            // Pressed twice.
            for _ in 0..2 {
                agency.owner.rpc("cancel_execution_job", &[("id", &id)]).await;
            }
        };
        join(agency.drain(), cancelled).await;
        let page = job(&agency, &id).await;
        assert!(page["job"]["status"] == "failed" && page["attempts"][0]["outcome"] == "cancelled", "{page}");
        assert!(page["job"]["reason"].as_str().is_some_and(|why| why.starts_with("Cancelled by ")), "{page}");
        assert_eq!(processes(mark), 0, "nothing of it runs on");
        let events = agency.owner.done("list_audit_events", &[("query[action]", "cancelled")]).await.json();
        assert_eq!(events["page"]["rows"].as_array().map(Vec::len), Some(2), "{events}");
    });
}

#[test]
fn a_job_without_enough_memory_gets_twice_as_much_once() {
    if !std::fs::read_to_string("/proc/self/status").is_ok_and(|status| status.contains("\nUid:\t0\t")) {
        println!("skipped: limits of all processes together are set by root alone");
        return;
    }
    run(|world: &World| async move {
        let agency = Agency::new(world, "memory").await;
        let engines = usual(&agency).await;
        let script = "head -c 100000000 /dev/zero | tail -c 90000000 > /dev/null; echo enough";
        let id = command(&agency, &engines.process, script, &[("memory_mb", "64")]).await;
        agency.drain().await;
        let page = job(&agency, &id).await;
        assert!(page["job"]["status"] == "completed" && page["job"]["memory_limit_mb"] == 128, "{page}");
        let outcomes: Vec<_> = page["attempts"].as_array().expect("tries").iter().map(|one| &one["outcome"]).collect();
        assert!(
            outcomes.len() == 2 && outcomes.contains(&&json!("oom")) && outcomes.contains(&&json!("completed")),
            "{page}"
        );
        assert!(page["job"]["reason"].as_str().is_some_and(|why| why.contains("64 MB")), "{page}");

        // Twice is not enough: it ends with its limit and its peak, and a person has it tried with more.
        let script = "head -c 300000000 /dev/zero | tail -c 290000000 > /dev/null; echo enough";
        let id = command(&agency, &engines.process, script, &[("memory_mb", "64")]).await;
        agency.drain().await;
        let page = job(&agency, &id).await;
        assert!(page["job"]["status"] == "oom" && page["attempts"].as_array().map(Vec::len) == Some(2), "{page}");
        assert!(page["job"]["peak_memory_mb"].as_i64().is_some_and(|peak| peak > 0), "{page}");
        let too_much = agency.owner.rpc("requeue_execution_job", &[("id", &id), ("memory_mb", "999999")]).await;
        assert!(too_much.error_at("memory_mb").is_some(), "{too_much:?}");
        for _ in 0..2 {
            agency.owner.rpc("requeue_execution_job", &[("id", &id), ("memory_mb", "512")]).await;
        }
        agency.drain().await;
        let page = job(&agency, &id).await;
        assert!(page["job"]["status"] == "completed" && page["job"]["memory_limit_mb"] == 512, "{page}");
        let again = format!(
            "select count(*) from audit_events where workspace_id = '{}' and action = 'queued again'",
            agency.workspace_id
        );
        assert_eq!(owner_value::<i64>(world, &again).await, 1);
    });
}
