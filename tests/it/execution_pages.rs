//! The pages of execution: figures lead to exactly what they count, and approvals are decided once, by whom they are given to.

use futures::future::join_all;
use serde_json::Value;

use super::support::{Agency, Browser, Page, Works, World, owner_lines, owner_value, run};

/// What a name or an output may hold that means no good.
const HOSTILE: &str = "=cmd|' /C calc'!A0 </title><xevil>";

/// What an agency has of execution.
pub struct Kept {
    pub engine: String,
    pub target: String,
    pub circuit: String,
    pub job: String,
    pub artefact: String,
    pub approval: String,
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("a text: {value}")).to_owned()
}

/// The usual engines and target: a command's engine, a model's, and this machine.
async fn usual(agency: &Agency) -> (String, String, String) {
    let owner = &agency.owner;
    owner.done("add_usual_execution", &[]).await;
    let engines = owner.done("list_execution_engines", &[]).await.json();
    let of = |kind: &str| {
        let rows = engines["page"]["rows"].as_array().expect("engines");
        let found = rows.iter().find(|row| row["kind"] == kind);
        text(&found.unwrap_or_else(|| panic!("an engine of the type {kind}: {engines}"))["id"])
    };
    let targets = owner.done("list_execution_targets", &[]).await.json();
    (of("process"), of("model"), text(&targets["page"]["rows"][0]["id"]))
}

/// A command's job, run by hand.
async fn command(browser: &Browser, title: &str, script: &str, more: &[(&str, &str)]) -> String {
    let fields = [&[("title", title), ("content", script)], more].concat();
    browser.made_on("/execution/new", "run_execution_job", &fields).await
}

/// A job of client one's agent that waits for a person. `shared`: the client's admins may decide, too. Gives the job and the approval.
async fn asked(agency: &Agency, works: &Works, engine: &str, title: &str, shared: bool) -> (String, String) {
    let mut fields = vec![
        ("title", title),
        ("engine", engine),
        ("agent", works.agent.as_str()),
        ("input", "Pay back 107.60 € to Hanna Vogt."),
        ("asks", "true"),
    ];
    if shared {
        fields.push(("for_client", "true"));
    }
    let job = agency.owner.made_on("/execution/new", "run_execution_job", &fields).await;
    let page = agency.owner.done("get_execution_job", &[("id", &job)]).await.json();
    assert_eq!(page["job"]["status"], "awaiting_approval", "{page}");
    let approval = text(&page["approvals"][0]["id"]);
    (job, approval)
}

/// A job that has ended, with a file, a breaker that is open, and an approval that is given to client one.
pub async fn kept(world: &World, agency: &Agency, works: &Works) -> Kept {
    let (engine, model_engine, target) = usual(agency).await;
    let title = format!("{} report", agency.secret);
    let job = command(
        &agency.owner,
        &title,
        "mkdir -p out\necho all good > out/hello.txt\necho done",
        &[("engine", &engine)],
    )
    .await;
    agency.drain().await;
    let page = agency.owner.done("get_execution_job", &[("id", &job)]).await.json();
    let artefact = text(&page["artefacts"][0]["id"]);
    let circuit = opened(world, agency, &engine, &target).await;
    let (_, approval) = asked(agency, works, &model_engine, &format!("{} refund", agency.one.secret), true).await;
    Kept { engine, target, circuit, job, artefact, approval }
}

/// A breaker that is open, as after five starts that failed.
async fn opened(world: &World, agency: &Agency, engine: &str, target: &str) -> String {
    let sql = format!(
        "insert into execution_circuits (workspace_id, id, engine_id, target_id, failures, opened_at, probe_at, last_reason)
         values ('{}', gen_random_uuid(), '{engine}', '{target}', 5, now(), now() + interval '9 minutes', 'The API server refused.')
         on conflict (workspace_id, engine_id, target_id) do update set opened_at = now(), probe_at = now() + interval '9 minutes',
           failures = 5, last_reason = 'The API server refused.'
         returning id::text",
        agency.workspace_id
    );
    owner_lines(world, &sql).await.remove(0)
}

/// Says of a job that it stands so, which takes failing machines to come about by itself.
async fn stands(world: &World, job: &str, set: &str) {
    let sql = format!("update execution_jobs set {set} where id = '{job}' returning 'done'");
    assert_eq!(owner_lines(world, &sql).await, ["done"]);
}

async fn listed(browser: &Browser, query: &Value) -> Vec<String> {
    let fields: Vec<(String, String)> = query
        .as_object()
        .expect("a query")
        .iter()
        .filter_map(|(key, value)| Some((format!("query[{key}]"), value.as_str()?.to_owned())))
        .collect();
    let fields: Vec<(&str, &str)> = fields.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    let list = browser.done("list_execution_jobs", &fields).await.json();
    list["page"]["rows"].as_array().expect("jobs").iter().map(|row| text(&row["title"])).collect()
}

#[test]
fn figures_of_the_control_room_lead_to_exactly_what_they_count() {
    run(|world: &World| async move {
        let (agency, works) = Agency::ready(world, "control").await;
        let owner = &agency.owner;
        let empty = owner.get("/execution").await.text;
        assert!(empty.contains("No target yet") && empty.contains("Nothing waits for a person"), "{empty}");
        let (process, model, target) = usual(&agency).await;
        let mut jobs = Vec::new();
        for title in ["waits", "waits too", "runs", "was too large", "stands still", "is done", "is done at last"] {
            jobs.push(command(owner, title, "true", &[("engine", &process)]).await);
        }
        stands(world, &jobs[2], "status = 'running', started_at = now() - interval '3 minutes', lease_owner = 'one', lease_until = now() + interval '50 seconds'").await;
        stands(
            world,
            &jobs[3],
            "status = 'oom', started_at = now(), completed_at = now(), peak_memory_mb = 538, memory_limit_mb = 512",
        )
        .await;
        stands(world, &jobs[4], "status = 'failed_circuit_open'").await;
        stands(world, &jobs[5], "status = 'completed', started_at = now(), completed_at = now()").await;
        stands(world, &jobs[6], "status = 'completed', started_at = now(), completed_at = now(), retry_count = 1")
            .await;
        let circuit = opened(world, &agency, &process, &target).await;
        asked(&agency, &works, &model, "Pay back 107.60 €", false).await;

        for narrowed in [None, Some(("query[pool]", "default")), Some(("query[client]", agency.one.id.as_str()))] {
            let query: Vec<(&str, &str)> = narrowed.into_iter().collect();
            let room = owner.done("get_control_room", &query).await.json();
            let figures = room["figures"].as_array().expect("figures");
            let mut counts = Vec::new();
            for figure in figures {
                let rows = listed(owner, &figure["query"]).await;
                assert_eq!(figure["count"].as_u64(), Some(rows.len() as u64), "{figure}: {rows:?}");
                counts.push(rows.len());
            }
            let wanted = if narrowed.is_some_and(|(key, _)| key == "query[client]") {
                [0, 0, 1, 0, 0, 0]
            } else {
                [2, 1, 1, 1, 1, 2]
            };
            assert_eq!(counts, wanted, "{room}");
        }
        let page = owner.get("/execution").await.text;
        for words in [
            "1 target in 1 pool",
            "limit 512 MB, peak 538 MB",
            "Re-queue with 1,024 MB",
            "50.0%",
            "without a retry",
            "needs a decision",
            "The API server refused.",
            "Circuit open",
            "Pay back 107.60",
            "/jobs?status=running",
        ] {
            assert!(page.contains(words), "{words}: {page}");
        }

        // One press each: more memory, the queue held and let go, and nothing of it for members.
        for (name, fields) in
            [("hold_execution", vec![("on", "true")]), ("probe_circuit", vec![("circuit", circuit.as_str())])]
        {
            assert_eq!(agency.member.rpc(name, &fields).await.status, 403, "{name}");
            assert_eq!(agency.one.admin.rpc(name, &fields).await.status, 404, "{name}");
        }
        owner.filled("/execution", "requeue_execution_job", &[("memory_mb", "1024")]).await;
        let again = owner.done("get_execution_job", &[("id", &jobs[3])]).await.json();
        assert!(again["job"]["status"] == "queued" && again["job"]["memory_limit_mb"] == 1024, "{again}");
        owner.filled("/execution", "hold_execution", &[]).await;
        assert!(owner.get("/execution").await.text.contains("The queue is held"));
        assert!(owner.get(&format!("/jobs/{}", jobs[0])).await.text.contains("no new job starts on"));
        owner.filled("/execution", "hold_execution", &[]).await;
        assert!(!owner.get("/execution").await.text.contains("The queue is held"));
        // One is moved to another target, and one called off.
        let second =
            [("kind", "local"), ("name", "Second"), ("slots", "2"), ("memory_mb", "512"), ("cpu_milli", "1000")];
        let second = owner.made("save_execution_target", &second).await;
        owner.filled(&format!("/jobs/{}", jobs[0]), "move_execution_job", &[("target", &second)]).await;
        owner.filled(&format!("/jobs/{}", jobs[1]), "cancel_execution_job", &[]).await;
        let moved = owner.done("get_execution_job", &[("id", &jobs[0])]).await.json();
        assert!(moved["job"]["target"][1] == "Second" && moved["job"]["status"] == "queued", "{moved}");
        let off = owner.done("get_execution_job", &[("id", &jobs[1])]).await.json();
        assert!(off["job"]["status"] == "failed" && off["job"]["cancelled_by"] == "Olga Owner", "{off}");
        let needs = owner.get("/dashboard").await.text;
        assert!(needs.contains("waits for approval") && needs.contains("does not start on"), "{needs}");
    });
}

#[test]
fn a_job_by_hand_is_made_once_and_shows_what_it_wrote_as_text() {
    run(|world: &World| async move {
        let agency = Agency::new(world, "byhand").await;
        let owner = &agency.owner;
        assert!(owner.get("/execution/new").await.text.contains("There is no engine yet"));
        let (process, model, _) = usual(&agency).await;
        let new = "/execution/new";
        for (fields, field) in [
            (vec![("title", ""), ("engine", process.as_str()), ("content", "true")], "title"),
            (vec![("title", "Work"), ("engine", process.as_str())], "script"),
            (
                vec![("title", "Work"), ("engine", process.as_str()), ("content", "true"), ("memory_mb", "1 GB")],
                "memory_mb",
            ),
            (
                vec![("title", "Work"), ("engine", process.as_str()), ("content", "true"), ("memory_mb", "999999")],
                "memory_mb",
            ),
            (vec![("title", "Work"), ("engine", model.as_str()), ("input", "Do it.")], "agent"),
            (
                vec![
                    ("title", "Work"),
                    ("engine", process.as_str()),
                    ("content", "true"),
                    ("asks", "true"),
                    ("for_client", "true"),
                ],
                "for_client",
            ),
            (
                vec![("title", "Work"), ("engine", process.as_str()), ("content", "true"), ("for_client", "true")],
                "for_client",
            ),
        ] {
            let refused = owner.fill(new, "run_execution_job", &fields).await;
            assert!(refused.error_at(field).is_some(), "{field}: {refused:?}");
        }
        assert_eq!(agency.member.get(new).await.status, 403);
        assert_eq!(agency.one.admin.get("/jobs").await.status, 404);

        // However often the form is sent.
        let form = owner.done("get_job_choices", &[]).await.json();
        let (key, target) = (text(&form["form"]["key"]), text(&form["form"]["target"]));
        let script = format!("mkdir -p out\nprintf '%s\\n' \"{HOSTILE}\"\necho kept > out/a.txt\n");
        let sent = [("title", HOSTILE), ("engine", &process), ("target", &target), ("content", &script), ("key", &key)];
        let pressed = join_all((0..3).map(|_| owner.rpc("run_execution_job", &sent))).await;
        let ids: Vec<Option<String>> = pressed.iter().map(super::support::Answer::id).collect();
        assert!(ids[0].is_some() && ids.iter().all(|id| *id == ids[0]), "{pressed:?}");
        let job = ids[0].clone().expect("a job");
        agency.drain().await;
        let page = owner.done("get_execution_job", &[("id", &job)]).await.json();
        assert_eq!(page["job"]["status"], "completed", "{page}");
        assert!(page["attempts"][0]["outcome"] == "completed" && page["artefacts"][0]["name"] == "a.txt", "{page}");
        for path in [format!("/jobs/{job}"), "/jobs".to_owned(), format!("/execution?job={job}")] {
            let shown = owner.get(&path).await;
            assert!(shown.status == 200 && !shown.text.contains("<xevil>"), "{path}: {}", shown.text);
            assert_eq!(Page::read(&shown.text).titles.len(), 1, "{path}");
        }
        // What leaves as a file.
        let csv = owner.get("/jobs/export.csv").await.text;
        assert!(
            csv.lines().count() == 2 && csv.contains("'=cmd") && !csv.contains(",=cmd"),
            "a cell that a spreadsheet would run: {csv}"
        );
        let log = owner.get(&format!("/jobs/{job}/log.txt")).await;
        assert!(log.status == 200 && log.text.contains(HOSTILE), "{log:?}");
        let file = format!("/jobs/{job}/files/{}", text(&page["artefacts"][0]["id"]));
        assert_eq!(owner.get(&file).await.text, "kept\n");
        let other = Agency::new(world, "byhandother").await;
        for path in [format!("/jobs/{job}"), format!("/jobs/{job}/log.txt"), file] {
            assert_eq!(other.owner.get(&path).await.status, 404, "{path}");
            assert_eq!(agency.one.admin.get(&path).await.status, 404, "{path}");
        }
        for name in ["cancel_execution_job", "requeue_execution_job"] {
            assert_eq!(other.owner.rpc(name, &[("id", &job)]).await.status, 404, "{name}");
            assert_eq!(agency.member.rpc(name, &[("id", &job)]).await.status, 403, "{name}");
        }
        owner.done("cancel_execution_job", &[("id", &job)]).await;
        let same = owner.done("get_execution_job", &[("id", &job)]).await.json();
        assert_eq!(same["job"]["status"], "completed", "what has ended stays as it is: {same}");
    });
}

#[test]
fn an_approval_is_decided_once_by_whom_a_rule_gives_it_to() {
    run(|world: &World| async move {
        let (agency, works) = Agency::ready(world, "approvals").await;
        let (owner, admin) = (&agency.owner, &agency.one.admin);
        let (_, model, _) = usual(&agency).await;
        assert!(!admin.get("/dashboard").await.text.contains("/approvals"), "nothing was ever given to them");
        let shared_title = format!("{} refund", agency.one.secret);
        let own_title = format!("{} letters", agency.secret);
        let (shared_job, shared) = asked(&agency, &works, &model, &shared_title, true).await;
        let (_, own) = asked(&agency, &works, &model, &own_title, false).await;

        // Who sees which.
        let seen = |browser: &Browser| {
            let browser = browser.clone();
            async move { browser.done("list_approvals", &[]).await.json()["page"]["rows"].as_array().map(Vec::len) }
        };
        assert_eq!((seen(owner).await, seen(&agency.member).await, seen(admin).await), (Some(2), Some(2), Some(1)));
        assert_eq!(seen(&agency.two.admin).await, Some(0));
        assert_eq!(agency.one.viewer.rpc("list_approvals", &[]).await.status, 404);
        let (page, hidden) = (format!("/approvals/{shared}"), format!("/approvals/{own}"));
        for (browser, path, status) in [
            (admin, &hidden, 404),
            (&agency.two.admin, &page, 404),
            (&agency.one.viewer, &page, 404),
            (&agency.member, &page, 200),
        ] {
            assert_eq!(browser.get(path).await.status, status, "{path}");
        }
        // Where and how it is done is the agency's own.
        let plain = admin.done("get_approval", &[("id", &shared)]).await.json();
        assert!(
            plain["row"]["details"].as_array().is_some_and(Vec::is_empty) && plain["row"]["cost"].is_null(),
            "{plain}"
        );
        let theirs = admin.get(&page).await.text;
        assert!(
            theirs.contains("Hanna Vogt") && !theirs.contains(&shared_job) && !theirs.contains("/agents/"),
            "{theirs}"
        );
        let dashboard = admin.get("/dashboard").await.text;
        assert!(dashboard.contains(&format!("href=\"{page}\"")) && !dashboard.contains(&own), "{dashboard}");
        assert_eq!(admin.done("sidebar_counts", &[]).await.json()["approvals"], 1);
        assert_eq!(owner.done("sidebar_counts", &[]).await.json()["approvals"], 2);
        let (ours, file) =
            (owner.get("/approvals/export.csv").await.text, admin.get("/approvals/export.csv").await.text);
        assert!(ours.lines().count() == 3 && ours.contains("cost_usd"), "{ours}");
        assert!(file.lines().count() == 2 && !file.contains("cost_usd") && !file.contains(&agency.secret), "{file}");

        // Somebody is at it, and the others see who.
        admin.filled(&page, "take_approval", &[]).await;
        assert!(owner.get(&page).await.text.contains("has it open since"));
        assert_eq!(owner.rpc("take_approval", &[("id", &shared)]).await.status, 409, "somebody else's");

        // Without script: a rejection without a reason comes back with the form; another tenant finds nothing.
        let action = "/rpc/decide_approval";
        let fields = [("id", shared.as_str()), ("decision", "rejected"), ("note", "")];
        let refused = admin.form(&page, action, &fields).await;
        let place = refused.location.clone().expect("leads back to the form");
        let path = place.split_once("/approvals").map(|(_, rest)| format!("/approvals{rest}")).expect("the approval");
        assert!(admin.get(&path).await.text.contains("Say why"), "{refused:?}");
        for (browser, status) in [(&agency.member, 403), (&agency.two.admin, 404), (&agency.one.viewer, 404)] {
            let answer = browser.rpc("decide_approval", &[("id", &shared), ("decision", "approved")]).await;
            assert_eq!(answer.status, status, "{answer:?}");
        }
        // Two at once: one decides, and the other is told who it was.
        let fields = [("id", shared.as_str()), ("decision", "approved")];
        let both = join_all([owner, admin].map(|browser| browser.rpc("decide_approval", &fields))).await;
        let mut statuses: Vec<u16> = both.iter().map(|answer| answer.status).collect();
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 409], "{both:?}");
        assert!(both.iter().any(|answer| answer.text.contains("has approved this already")), "{both:?}");
        let decided = admin.get(&page).await.text;
        assert!(decided.contains("Approved by") && !decided.contains("Your decision"), "{decided}");
        let count = format!(
            "select count(*) from audit_events where entity = 'execution_approval' and action = 'decided' and entity_id = '{shared}'"
        );
        assert_eq!(owner_value::<i64>(world, &count).await, 1);

        // Edited before it is approved, and rejected with a reason, each on its page.
        owner
            .filled(
                &format!("{hidden}?edit=true"),
                "decide_approval",
                &[("content", "Write to 46 people."), ("note", "Two have left.")],
            )
            .await;
        let text = owner.get(&hidden).await.text;
        assert!(
            text.contains("Edited and approved by")
                && text.contains("Write to 46 people.")
                && text.contains("Two have left."),
            "{text}"
        );
        let (job, third) = asked(&agency, &works, &model, "Delete drafts", false).await;
        owner
            .filled(
                &format!("/approvals/{third}"),
                "decide_approval",
                &[("decision", "rejected"), ("note", "Needs an invoice first")],
            )
            .await;
        agency.drain().await;
        let ended = owner.done("get_execution_job", &[("id", &job)]).await.json();
        assert!(
            ended["job"]["status"] == "failed" && ended["job"]["reason"].to_string().contains("Needs an invoice first"),
            "{ended}"
        );
        let list =
            owner.done("list_approvals", &[("query[state]", "decided"), ("query[decision]", "rejected")]).await.json();
        assert_eq!(list["page"]["rows"].as_array().map(Vec::len), Some(1), "{list}");
        let room = owner.done("get_control_room", &[]).await.json();
        assert!(room["approvals_open"] == 0 && room["decided_today"] == 3, "{room}");
        assert!(owner.get("/approvals").await.text.contains("Nothing waits for you"));
    });
}
