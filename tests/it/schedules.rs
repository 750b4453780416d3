//! What sets an agent off without a person: schedules at their times, once each, and signed calls of a trigger, once each.

use futures::future::join_all;
use patchbay_access::server::Scope;
use patchbay_providers::signature::sign_standard;
use patchbay_queues::server::sweep;
use patchbay_shared::ids::WorkspaceId;
use reqwest::Method;
use serde_json::Value;

use super::support::{Agency, Answer, Browser, Works, World, owner_lines, owner_value, run};

/// A time that is years away, so that nothing is due by the clock while a test runs.
const RARE: &str = "0 6 29 2 *";
fn last_id(answer: &Answer) -> String {
    let location = answer.location.as_deref().unwrap_or_else(|| panic!("leads somewhere: {answer:?}"));
    location.split('?').next().and_then(|path| path.rsplit('/').next()).unwrap_or_default().to_owned()
}

async fn scheduled(agency: &Agency, agent: &str, fields: &[(&str, &str)]) -> String {
    let mut all =
        vec![("name", "Report"), ("cron", RARE), ("timezone", "Europe/Zurich"), ("input", "What do you cost?")];
    all.retain(|(name, _)| fields.iter().all(|(other, _)| other != name));
    all.extend_from_slice(fields);
    last_id(&agency.owner.filled(&format!("/agents/{agent}/schedules/new"), "save_agent_schedule", &all).await)
}

/// A trigger's id, its path, and its secret.
struct Made {
    id: String,
    path: String,
    secret: String,
}

async fn shown_secret(owner: &Browser, workspace: &str) -> Made {
    let shown = owner.done("take_trigger_secret", &[]).await.json();
    let text = |name: &str| shown[name].as_str().unwrap_or_else(|| panic!("{name}: {shown}")).to_owned();
    let (id, secret, address) = (text("trigger"), text("secret"), text("address"));
    let path = format!("/hooks/agents/{workspace}/{id}");
    assert!(secret.starts_with("whsec_") && address.ends_with(&path), "{shown}");
    Made { id, path, secret }
}

async fn triggered(agency: &Agency, agent: &str, name: &str) -> Made {
    let page = format!("/agents/{agent}/triggers/new");
    let answer = agency.owner.filled(&page, "save_agent_trigger", &[("name", name)]).await;
    let made = answer.location.as_deref().expect("leads to the secret");
    assert!(made.ends_with(&format!("/agents/{agent}/triggers/made")), "{made}");
    shown_secret(&agency.owner, &agency.workspace_id).await
}

/// A schedule and a trigger of the agent.
pub async fn kept(agency: &Agency, works: &Works) -> (String, String) {
    let name = format!("{} report", agency.secret);
    let schedule = scheduled(agency, &works.agent, &[("name", &name)]).await;
    let trigger = triggered(agency, &works.agent, &format!("{} orders", agency.secret)).await;
    (schedule, trigger.id)
}

/// A schedule's time passed so long ago, and a worker looks.
async fn passed(world: &World, agency: &Agency, schedule: &str, ago: &str) {
    let sql = format!(
        "with s as (update agent_schedules set next_at = now() - interval '{ago}' where id = '{schedule}' returning workspace_id)
         update jobs set run_at = now() where kind = 'keep_schedule' and dedupe_key = '{schedule}' and status = 'pending'
           and workspace_id = (select workspace_id from s) returning 'done'"
    );
    assert_eq!(owner_lines(world, &sql).await, ["done"], "one job waits for the schedule");
    agency.drain().await;
}

async fn runs_of(agency: &Agency, kind: &str, id: &str) -> Vec<Value> {
    let list = agency.owner.done("list_runs", &[(&format!("query[{kind}]"), id)]).await.json();
    list["page"]["rows"].as_array().expect("runs").clone()
}

async fn row_of(agency: &Agency, agent: &str, schedule: &str) -> Value {
    let page = agency.owner.done("get_agent_schedule", &[("agent", agent), ("id", schedule)]).await.json();
    page["row"].clone()
}

#[test]
fn a_schedule_runs_its_agent_once_at_each_time() {
    run(|world: &World| async move {
        let (agency, works) = Agency::ready(world, "schedule").await;
        let (agent, owner) = (works.agent.as_str(), &agency.owner);
        let page = format!("/agents/{agent}/schedules");
        assert!(owner.get(&page).await.text.contains("No schedules yet"));
        let schedule = scheduled(&agency, agent, &[("cron", "  0 6  29 2 * ")]).await;
        assert_eq!(row_of(&agency, agent, &schedule).await["cron"], RARE, "{schedule}");
        agency.drain().await;
        assert!(runs_of(&agency, "schedule", &schedule).await.is_empty(), "not before its time");

        // Its time came ten minutes ago. A worker that looks twice, and one that finds its job again, run nothing twice.
        passed(world, &agency, &schedule, "10 minutes").await;
        let again = format!(
            "update jobs set run_at = now() where kind = 'keep_schedule' and dedupe_key = '{schedule}' and status = 'pending' returning 'done'"
        );
        assert_eq!(owner_lines(world, &again).await, ["done"]);
        agency.drain().await;
        let runs = runs_of(&agency, "schedule", &schedule).await;
        assert_eq!(runs.len(), 1, "{runs:?}");
        assert!(runs[0]["kind"] == "cron_job" && runs[0]["status"] == "success", "{runs:?}");
        let id = runs[0]["id"].as_str().expect("an id");
        let found = owner.done("get_run", &[("id", id)]).await.json();
        assert_eq!(found["run"]["prompt_version"], 1, "{found}");
        assert!(found["run"]["steps"].to_string().contains("What do you cost?"), "{found}");
        let text = owner.get(&format!("/runs/{id}")).await.text;
        assert!(text.contains(&format!("{page}/{schedule}")) && text.contains("A schedule"), "{text}");
        let row = row_of(&agency, agent, &schedule).await;
        assert!(row["last"]["result"] == "started" && row["last"]["run"] == id && row["enabled"] == true, "{row}");

        // The job is lost: the sweep gives it back.
        let lost = format!(
            "with gone as (delete from jobs where kind = 'keep_schedule' and dedupe_key = '{schedule}')
             update agent_schedules set next_at = now() - interval '1 minute' where id = '{schedule}' returning 'done'"
        );
        assert_eq!(owner_lines(world, &lost).await, ["done"]);
        let workspace: WorkspaceId = agency.workspace_id.parse().expect("an id");
        sweep::sweep(&Scope::of_operator(world.db.clone(), workspace, sweep::UPKEEP)).await.expect("a sweep");
        agency.drain().await;
        assert_eq!(runs_of(&agency, "schedule", &schedule).await.len(), 2);

        // Nobody was there for hours: missed, and said so.
        passed(world, &agency, &schedule, "3 hours").await;
        assert_eq!(runs_of(&agency, "schedule", &schedule).await.len(), 2);
        let text = owner.get(&page).await.text;
        assert!(text.contains("Missed") && text.contains("while Patchbay was not running"), "{text}");
        let events = owner.done("list_audit_events", &[("query[action]", "missed")]).await.json();
        assert_eq!(events["page"]["rows"].as_array().map(Vec::len), Some(1), "{events}");

        // By hand, however often the button is pressed.
        let form = owner.done("get_agent_schedule", &[("agent", agent), ("id", &schedule)]).await.json();
        let key = form["run_key"].as_str().expect("a key");
        let now = [("agent", agent), ("id", schedule.as_str()), ("key", key)];
        let pressed = join_all((0..3).map(|_| owner.rpc("run_agent_schedule", &now))).await;
        assert!(pressed.iter().all(|answer| answer.id().as_deref() == Some(key)), "{pressed:?}");
        agency.drain().await;
        let runs = runs_of(&agency, "schedule", &schedule).await;
        assert_eq!(runs.len(), 3, "{runs:?}");
        let csv = owner.get(&format!("/runs/export.csv?schedule={schedule}")).await.text;
        assert_eq!(csv.lines().count(), 4, "{csv}");

        // A worker that was lost in the middle of a run: it is ended, and its tools are not used again.
        let run = owner.made("run_agent_schedule", &[("agent", agent), ("id", &schedule)]).await;
        let begun = format!(
            "insert into run_logs (workspace_id, id, run_id, step, event_type, message, payload, timestamp)
             select workspace_id, gen_random_uuid(), id, 1, 'user_input', 'The caller', '{{}}', now() from agent_runs where id = '{run}'
             returning 'done'"
        );
        assert_eq!(owner_lines(world, &begun).await, ["done"]);
        agency.drain().await;
        let cut = owner.done("get_run", &[("id", &run)]).await.json();
        assert!(cut["run"]["status"] == "failed" && cut.to_string().contains("in the middle of this run"), "{cut}");

        // Its job is gone: the sweep ends the run.
        let run = owner.made("run_agent_schedule", &[("agent", agent), ("id", &schedule)]).await;
        let gone = format!("delete from jobs where kind = 'run_agent' and dedupe_key = '{run}' returning 'done'");
        assert_eq!(owner_lines(world, &gone).await, ["done"]);
        sweep::sweep(&Scope::of_operator(world.db.clone(), workspace, sweep::UPKEEP)).await.expect("a sweep");
        let lost = owner.done("get_run", &[("id", &run)]).await.json();
        assert!(lost["run"]["status"] == "failed" && lost.to_string().contains("was lost before its end"), "{lost}");

        // Removed: nothing runs any more, and its runs still say where they come from.
        let other = Agency::new(world, "scheduleother").await;
        let ids = [("agent", agent), ("id", schedule.as_str())];
        for (browser, status) in [(&other.owner, 404), (&agency.member, 403), (&agency.one.admin, 404)] {
            assert_eq!(browser.rpc("remove_agent_schedule", &ids).await.status, status);
        }
        owner.filled(&format!("{page}/{schedule}"), "remove_agent_schedule", &[]).await;
        assert_eq!(owner.get(&format!("{page}/{schedule}")).await.status, 404);
        assert!(owner.get(&format!("/runs/{id}")).await.text.contains("which was removed"));
        let waiting = format!("select count(*) from jobs where dedupe_key = '{schedule}' and status = 'pending'");
        assert_eq!(owner_value::<i64>(world, &waiting).await, 0);
    });
}

#[test]
fn the_form_says_what_is_wrong_with_a_line_and_shows_its_times_before_it_is_saved() {
    run(|world: &World| async move {
        let (agency, works) = Agency::ready(world, "scheduleform").await;
        let (agent, owner) = (works.agent.as_str(), &agency.owner);
        let new = format!("/agents/{agent}/schedules/new");
        let text = owner.get(&new).await.text;
        assert!(text.contains("Next times") && text.contains("“0 9 * * 1-5” is at 9:00"), "{text}");
        for (line, words) in [
            ("61 * * * *", "cannot be “61”"),
            ("every day", "five parts"),
            ("* * * * *", "At least 5 minutes"),
            ("0 0 30 2 *", "No such day"),
        ] {
            let typed = [("name", "Report"), ("cron", line), ("input", "Hello")];
            let refused = owner.fill(&new, "save_agent_schedule", &typed).await;
            assert!(refused.error_at("cron").is_some_and(|said| said.contains(words)), "{line}: {refused:?}");
        }
        let wrong = [("agent", agent), ("name", " "), ("cron", RARE), ("timezone", "Mars/Base"), ("variables", "x")];
        let refused = owner.rpc("save_agent_schedule", &wrong).await;
        for field in ["name", "timezone", "input", "variables"] {
            assert!(refused.error_at(field).is_some(), "{field}: {refused:?}");
        }
        // Without script, too: what was typed stands in the form again.
        let fields =
            [("agent", agent), ("name", "Kept words"), ("cron", "61 * * * *"), ("timezone", "UTC"), ("input", "x")];
        let back = owner.form(&new, "/rpc/save_agent_schedule", &fields).await;
        let text = owner.get(back.location.as_deref().expect("back to the form")).await.text;
        assert!(text.contains("Kept words") && text.contains("cannot be “61”"), "{text}");

        // The times of what was typed, of which nothing is saved.
        let typed = [("name", "Quarterly"), ("cron", "0 6 1 */3 *"), ("timezone", "Asia/Tokyo"), ("show", "times")];
        let shown = owner.filled(&new, "save_agent_schedule", &typed).await;
        let text = owner.get(shown.location.as_deref().expect("the times")).await.text;
        assert_eq!(text.matches("06:00 JST<").count(), 5, "{text}");
        assert!(text.contains("not saved yet") && text.contains("Quarterly"), "{text}");
        let wrong = [("cron", "61 * * * *"), ("show", "times")];
        assert!(owner.fill(&new, "save_agent_schedule", &wrong).await.error_at("cron").is_some());
        let list = owner.done("list_agent_schedules", &[("agent", agent)]).await.json();
        assert_eq!(list["page"]["rows"].as_array().map(Vec::len), Some(0), "{list}");

        // Saved, changed, found, exported.
        let schedule = scheduled(&agency, agent, &[("name", "Quarterly"), ("cron", "0 6 1 */3 *")]).await;
        let page = format!("/agents/{agent}/schedules/{schedule}");
        owner.filled(&page, "save_agent_schedule", &[("name", "Yearly"), ("cron", RARE)]).await;
        assert_eq!(row_of(&agency, agent, &schedule).await["name"], "Yearly");
        owner.filled(&page, "switch_agent_schedule", &[]).await;
        let row = row_of(&agency, agent, &schedule).await;
        assert!(row["enabled"] == false && row["next"].is_null(), "{row}");
        let file = format!("/agents/{agent}/schedules/export.csv");
        assert_eq!(owner.get(&format!("{file}?state=off&q=year")).await.text.lines().count(), 2);
        assert_eq!(owner.get(&format!("{file}?state=on")).await.text.lines().count(), 1);
        owner.filled(&page, "switch_agent_schedule", &[]).await;

        // Nothing runs while the agent, its client or the agency rests, and the page says why.
        let page = format!("/agents/{agent}/schedules");
        let archive = format!("update clients set status = 'archived' where id = '{}' returning 'done'", agency.one.id);
        let restore = archive.replace("archived", "active");
        let suspend = |word: &str| {
            format!("update workspaces set status = '{word}' where id = '{}' returning 'done'", agency.workspace_id)
        };
        let paused = |word: &str| format!("update agents set status = '{word}' where id = '{agent}' returning 'done'");
        for (before, after, words) in [
            (paused("paused"), paused("active"), "The agent is paused"),
            (archive, restore, "is archived"),
            (suspend("suspended"), suspend("active"), "account is suspended"),
        ] {
            owner_lines(world, &before).await;
            passed(world, &agency, &schedule, "1 minute").await;
            let text = owner.get(&page).await.text;
            let refused = owner.rpc("run_agent_schedule", &[("agent", agent), ("id", &schedule)]).await;
            owner_lines(world, &after).await;
            assert!(text.matches(words).count() >= 2 && text.contains("Not run"), "{words}: {text}");
            assert_eq!(refused.status, 409, "{refused:?}");
        }
        assert!(runs_of(&agency, "schedule", &schedule).await.is_empty());
    });
}

/// Sends a body to a trigger, signed by `secret` at `age` seconds ago.
async fn send(owner: &Browser, made: &Made, id: &str, body: &str, age: i64) -> (u16, Value) {
    let stamp = (chrono::Utc::now().timestamp() - age).to_string();
    let signature = sign_standard(&made.secret, id, &stamp, body.as_bytes()).expect("a secret");
    let request = owner.raw(Method::POST, &made.path).header("content-type", "application/json");
    let request = request.header("webhook-id", id).header("webhook-timestamp", stamp);
    // As senders do while they change over: one signature that nobody knows beside it.
    let signatures = format!("v1,{} {signature}", "A".repeat(43) + "=");
    let answer = Browser::answer(request.header("webhook-signature", signatures).body(body.to_owned())).await;
    (answer.status, answer.json())
}

#[test]
fn a_signed_call_of_a_trigger_makes_one_run() {
    run(|world: &World| async move {
        let (agency, works) = Agency::ready(world, "trigger").await;
        let (agent, owner) = (works.agent.as_str(), &agency.owner);
        let page = format!("/agents/{agent}/triggers");
        assert!(owner.get(&page).await.text.contains("No triggers yet"));
        let made = triggered(&agency, agent, "Orders").await;
        // Shown once, stored sealed, and in no log.
        assert!(owner.done("take_trigger_secret", &[]).await.json().is_null());
        assert!(!owner.get(&format!("{page}/{}", made.id)).await.text.contains(&made.secret));
        let kept = format!("select secret from agent_triggers where id = '{}'", made.id);
        assert!(!owner_value::<String>(world, &kept).await.contains(&made.secret[6..]));

        // Sent five times at once, and once more: one run.
        let order = r#"{"order": "1001",  "customer": "Ada"}"#;
        let first = join_all((0..5).map(|_| send(owner, &made, "msg-1", order, 0))).await;
        let run = first[0].1["run"].as_str().expect("a run").to_owned();
        let late = send(owner, &made, "msg-1", order, 290).await;
        for (status, body) in first.iter().chain([&late]) {
            assert!(*status == 202 && body["run"] == run.as_str(), "{status} {body}");
            assert!(body["address"].as_str().is_some_and(|address| address.ends_with(&format!("/runs/{run}"))));
        }
        agency.drain().await;
        let runs = runs_of(&agency, "trigger", &made.id).await;
        assert_eq!(runs.len(), 1, "{runs:?}");
        assert!(runs[0]["kind"] == "webhook" && runs[0]["status"] == "success" && runs[0]["id"] == run, "{runs:?}");
        let found = owner.done("get_run", &[("id", &run)]).await.json();
        // Told as it was sent, to the blank.
        let told = found["run"]["steps"].to_string().replace('\\', "");
        assert!(told.contains(order), "{told}");
        assert!(owner.get(&format!("/runs/{run}")).await.text.contains(&format!("{page}/{}", made.id)));

        // What is not signed for this address, or too old, or from the future, is refused in the same words.
        let other = triggered(&agency, agent, "Other").await;
        let (neighbour, theirs) = Agency::ready(world, "triggerother").await;
        let foreign = triggered(&neighbour, &theirs.agent, "Theirs").await;
        let with =
            |path: &str, secret: &str| Made { id: String::new(), path: path.to_owned(), secret: secret.to_owned() };
        let swapped = format!("/hooks/agents/{}/{}", agency.workspace_id, foreign.id);
        let nowhere = format!("/hooks/agents/{}/{}", agency.workspace_id, uuid::Uuid::now_v7());
        let mut refusals = vec![
            send(owner, &with(&made.path, &other.secret), "msg-2", order, 0).await,
            send(owner, &made, "msg-2", order, 400).await,
            send(owner, &made, "msg-2", order, -400).await,
            send(owner, &made, "msg-1", order, 400).await,
            send(owner, &with(&swapped, &foreign.secret), "msg-2", order, 0).await,
            send(owner, &with(&nowhere, &made.secret), "msg-2", order, 0).await,
            send(owner, &with("/hooks/agents/x/y", &made.secret), "msg-2", order, 0).await,
        ];
        let unsigned = Browser::answer(owner.raw(Method::POST, &made.path).body(order)).await;
        refusals.push((unsigned.status, unsigned.json()));
        for (status, body) in &refusals {
            assert!(*status == 401 && body == &refusals[0].1, "{status} {body}");
        }
        for body in ["[1]", "nonsense", ""] {
            assert_eq!(send(owner, &made, "msg-3", body, 0).await.0, 422, "{body}");
        }
        let large = format!(r#"{{"text": "{}"}}"#, "x".repeat(66_000));
        assert_eq!(send(owner, &made, "msg-3", &large, 0).await.0, 413);

        // Another secret: both sign for a day.
        owner.filled(&format!("{page}/{}?dialog=rotate", made.id), "rotate_agent_trigger", &[]).await;
        let newer = shown_secret(owner, &agency.workspace_id).await;
        assert_ne!(newer.secret, made.secret);
        let twice = owner.rpc("rotate_agent_trigger", &[("agent", agent), ("id", &made.id)]).await;
        assert_eq!(twice.status, 409, "{twice:?}");
        for (secret, id) in [(&made.secret, "msg-4"), (&newer.secret, "msg-5")] {
            assert_eq!(send(owner, &with(&made.path, secret), id, "{}", 0).await.0, 202);
        }
        let over = format!("update agent_triggers set old_until = now() where id = '{}' returning 'done'", made.id);
        owner_lines(world, &over).await;
        assert_eq!(send(owner, &made, "msg-6", "{}", 0).await.0, 401);

        // Off, at rest, too many: a repeat is answered all the same.
        owner.filled(&format!("{page}/{}", made.id), "switch_agent_trigger", &[]).await;
        let (status, body) = send(owner, &newer, "msg-7", "{}", 0).await;
        assert!(status == 409 && body.to_string().contains("switched off"), "{status} {body}");
        owner.filled(&format!("{page}/{}", made.id), "switch_agent_trigger", &[]).await;
        owner.done("set_agent_status", &[("id", agent), ("status", "paused")]).await;
        let (status, body) = send(owner, &newer, "msg-7", "{}", 0).await;
        assert!(status == 409 && body.to_string().contains("paused"), "{status} {body}");
        assert!(owner.get(&page).await.text.contains("The agent is paused"));
        owner_lines(world, &format!("update agents set status = 'active' where id = '{agent}' returning 'done'")).await;
        let many = format!(
            "insert into agent_trigger_deliveries (workspace_id, id, trigger_id, webhook_id)
             select workspace_id, gen_random_uuid(), id, 'many-' || n from agent_triggers, generate_series(1, 30) n where id = '{}'
             returning 'done'",
            made.id
        );
        owner_lines(world, &many).await;
        assert_eq!(send(owner, &newer, "msg-7", "{}", 0).await.0, 429);
        assert_eq!(send(owner, &newer, "msg-1", order, 0).await.1["run"], run.as_str());
        agency.drain().await;
        assert_eq!(runs_of(&agency, "trigger", &made.id).await.len(), 3);
        assert!(runs_of(&agency, "trigger", &other.id).await.is_empty());
        assert!(runs_of(&neighbour, "trigger", &foreign.id).await.is_empty());
        let file = owner.get(&format!("{page}/export.csv?q=orders")).await.text;
        assert!(file.lines().count() == 2 && file.contains(&made.path), "{file}");
        owner.filled(&format!("{page}/{}", made.id), "remove_agent_trigger", &[]).await;
        assert_eq!(send(owner, &newer, "msg-8", "{}", 0).await.0, 401);
    });
}

#[test]
fn the_steps_of_the_handbook_sign_as_the_specification_does() {
    let text = include_str!("../../docs/TRIGGERS.md");
    let value = |name: &str| {
        let line = text.lines().rev().find_map(|line| line.strip_prefix(&format!("{name}=")));
        line.unwrap_or_else(|| panic!("{name} in docs/TRIGGERS.md")).trim_matches(['"', '\'']).to_owned()
    };
    let (secret, id, now, body) = (value("SECRET"), value("id"), value("now"), value("body"));
    let signature = format!("v1,{}", value("# signature"));
    // The example of the specification itself.
    assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    assert_eq!(sign_standard(&secret, &id, &now, body.as_bytes()), Some(signature));
    assert_eq!(sign_standard("whsec_", &id, &now, body.as_bytes()), None, "no secret signs nothing");
}
