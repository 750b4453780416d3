//! Execution under `kill -9` and with a database that goes away: a server and workers of two pools as processes, jobs of
//! every kind. Takes minutes, so it runs when asked for, as `scripts/test` does:
//! `cargo test --features ssr --test it -- --ignored`.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use patchbay::boot::embedded_postgres::EmbeddedPostgres;
use patchbay_sandbox::SandboxSettings;
use serde_json::json;

use super::execution_faults::swept;
use super::execution_jobs::{command, job, made_of, processes, state, task, usual};
use super::support::processes::{Ground, Process, answers, folder};
use super::support::{Agency, Works, World, owner_lines, owner_value, run};
use super::teams::asked as team_asked;

const LOOK_UP: &str = "Please do a contact lookup of Carla.";

/// What there must be none of when all has ended.
const NONE: [(&str, &str); 13] = [
    ("a try without an end", "execution_attempts where {ours} and ended_at is null"),
    (
        "two tries of a job at once",
        "execution_attempts x join execution_attempts y on x.job_id = y.job_id and x.number < y.number
         where x.{ours} and x.started_at < y.ended_at and y.started_at < x.ended_at",
    ),
    (
        "a completed job that was not completed once",
        "execution_jobs j where j.{ours} and j.status = 'completed'
           and 1 <> (select count(*) from execution_attempts x where x.job_id = j.id and x.outcome = 'completed')",
    ),
    (
        "a completed command with other files or words than its own",
        "execution_jobs j join execution_attempts x on x.job_id = j.id and x.outcome = 'completed'
         where j.{ours} and j.worker_config #>> '{config,type}' = 'process' and j.parent_job_id is null
           and (1 <> (select count(*) from execution_artefacts f where f.job_id = j.id and f.attempt = x.number)
             or 1 <> (select count(*) from execution_log_lines l
                      where l.job_id = j.id and l.attempt = x.number and l.line = 'all of it')
             or j.result ->> 'output' not like '%all of it')",
    ),
    (
        "a line that stands twice in a try",
        "(select 1 from execution_log_lines l where l.{ours} and l.stream = 'out'
          group by l.job_id, l.attempt, l.line having count(*) > 1) twice",
    ),
    (
        "a completed task whose tool was not used once, or that was not answered",
        "execution_jobs j where j.{ours} and j.status = 'completed' and j.worker_config #>> '{config,type}' = 'model'
           and j.supervisor_run_id is null
           and (1 <> (select count(*) from execution_steps s where s.job_id = j.id and s.kind = 'tool')
             or 2 > (select count(*) from execution_steps s where s.job_id = j.id and s.kind = 'model'))",
    ),
    (
        "an approval that was told twice",
        "(select 1 from execution_steps s where s.{ours} and s.kind = 'approval'
          group by s.payload ->> 'approval' having count(*) > 1) twice",
    ),
    (
        "a decision that was recorded twice",
        "(select 1 from audit_events e where e.{ours} and e.action = 'decided'
          group by e.entity_id having count(*) > 1) twice",
    ),
    (
        "a worker that was at jobs of two pools",
        "(select 1 from execution_attempts x join execution_jobs j on j.id = x.job_id where x.{ours}
          group by split_part(x.lease_owner, '.', 1)
          having count(distinct j.execution_target ->> 'pool') > 1) mixed",
    ),
    ("a lease of a job", "execution_jobs where {ours} and lease_owner is not null"),
    ("a place in the queue", "execution_queue where {ours} and pool <> 'gone' and status <> 'completed'"),
    (
        "a try of what waits for nobody",
        "execution_attempts x join execution_jobs j on j.id = x.job_id
         where x.{ours} and j.execution_target ->> 'pool' = 'gone'",
    ),
    (
        "a run that failed without a reason",
        "supervisor_runs where {ours} and status = 'failed' and coalesce(failure, '') = ''",
    ),
];

/// An agency with targets of three pools: `a`, `b`, and one that nobody sees to.
struct Scene<'a> {
    world: &'a World,
    agency: Agency,
    works: Works,
    process: String,
    model: String,
    here: String,
    there: String,
    nowhere: String,
    /// Seconds between two lines of a script. No other test's scripts have it, so what is left of one is found.
    pause: String,
    jobs: Vec<String>,
    /// Approvals that are still to be decided.
    open: Vec<String>,
}

impl<'a> Scene<'a> {
    async fn new(world: &'a World, name: &str) -> Self {
        let (agency, works) = Agency::ready(world, name).await;
        let engines = usual(&agency).await;
        let tool = [
            ("agent", works.agent.as_str()),
            ("kind", "contact_lookup"),
            ("tool_name", "contact_lookup"),
            ("description", "Looks a contact up."),
        ];
        agency.owner.done("save_agent_tool", &tool).await;
        let capacity = [("slots", "5"), ("memory_mb", "8192"), ("cpu_milli", "64000")];
        let of_pool = |pool| [&capacity[..], &[("pool", pool)]].concat();
        let page = format!("/execution/targets/{}", engines.target);
        agency.owner.filled(&page, "save_execution_target", &of_pool("a")).await;
        let new = "/execution/targets/new?type=local";
        let (there, nowhere) =
            ([of_pool("b"), vec![("name", "There")]].concat(), [of_pool("gone"), vec![("name", "Nowhere")]].concat());
        let there = agency.owner.made_on(new, "save_execution_target", &there).await;
        let nowhere = agency.owner.made_on(new, "save_execution_target", &nowhere).await;
        // Models think for a while, so that most deaths find an answer asked for and not kept.
        let settings = SandboxSettings::clone(&world.sandbox.settings_for(&works.key));
        world.sandbox.set_settings(Some(&works.key), SandboxSettings { latency_ms: [300, 1500], ..settings });
        let (process, model, here) = (engines.process, engines.model, engines.target);
        let pause = format!("0.30{:06}", uuid::Uuid::new_v4().as_u128() % 1_000_000);
        Self { world, agency, works, process, model, here, there, nowhere, pause, jobs: Vec::new(), open: Vec::new() }
    }

    /// A script that takes so many pauses.
    async fn command(&mut self, target: &str, pauses: usize, more: &[(&str, &str)]) -> String {
        let script = format!(
            "i=0
             while [ $i -lt {pauses} ]; do sleep {}; i=$((i+1)); echo \"line $i\"; done
             mkdir -p out; echo kept > out/kept.txt; echo \"all of it\"",
            self.pause
        );
        let id = command(&self.agency, &self.process, &script, &[&[("target", target)], more].concat()).await;
        self.added(&id, more).await
    }

    /// A task for the agent: two answers of its model, and one use of a tool.
    async fn task(&mut self, target: &str, input: &str, more: &[(&str, &str)]) -> String {
        let more = [&[("target", target)], more].concat();
        let id = task(&self.agency, &self.works, &self.model, input, &more).await;
        self.added(&id, &more).await
    }

    async fn added(&mut self, id: &str, more: &[(&str, &str)]) -> String {
        if more.contains(&("asks", "true")) {
            let page = job(&self.agency, id).await;
            self.open.push(page["approvals"][0]["id"].as_str().expect("an approval").to_owned());
        }
        self.jobs.push(id.to_owned());
        id.to_owned()
    }

    /// Says yes, until it is known that this stands: the server may die over it.
    async fn approve(&self, approval: &str) {
        let until = Instant::now() + Duration::from_secs(60);
        loop {
            match self.decision(approval).send().await {
                Ok(answer) if answer.status().as_u16() < 400 => return,
                Ok(answer) if answer.status().as_u16() == 409 => {
                    let text = answer.text().await.unwrap_or_default();
                    assert!(text.contains("has approved this already"), "{text}");
                    return;
                }
                Ok(answer) => assert!(answer.status().is_server_error(), "{answer:?}"),
                Err(_) => {}
            }
            assert!(Instant::now() < until, "the decision was never taken");
            answers(&self.world.base).await;
        }
    }

    fn decision(&self, approval: &str) -> reqwest::RequestBuilder {
        let request = self.agency.owner.raw(reqwest::Method::POST, "/rpc/decide_approval");
        let request = request.header("origin", &self.world.base).header("accept", "application/json");
        request.form(&[("id", approval), ("decision", "approved")]).timeout(Duration::from_secs(10))
    }

    /// A sentence about this agency's rows.
    async fn count(&self, what: &str) -> i64 {
        let sql = what.replace("{ours}", &format!("workspace_id = '{}'", self.agency.workspace_id));
        owner_value(self.world, &format!("select count(*) from {sql}")).await
    }

    async fn lines(&self, what: &str) -> Vec<String> {
        let sql = what.replace("{ours}", &format!("workspace_id = '{}'", self.agency.workspace_id));
        owner_lines(self.world, &sql).await
    }

    /// Waits until everything has ended but what waits for nobody.
    async fn ended(&self, longest: Duration) {
        let open = format!(
            "select id::text || ' ' || status || ' ' || title || coalesce(': ' || last_failure_reason, '')
             from execution_jobs where {{ours}} and completed_at is null and target_id <> '{}'
             union all
             select id::text || ' run ' || status from supervisor_runs where {{ours}} and completed_at is null",
            self.nowhere
        );
        let until = Instant::now() + longest;
        loop {
            // What upkeep does every five minutes.
            swept(self.world, &self.agency).await;
            let left = self.lines(&open).await;
            if left.is_empty() {
                return;
            }
            assert!(Instant::now() < until, "these never ended: {left:#?}");
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }

    /// What a user would notice: work that is lost, done twice or paid for twice, or done elsewhere, and what is left of it.
    async fn is_sound(&self) {
        for id in &self.jobs {
            let (status, why) = state(&self.agency, id).await;
            let is_final = matches!(status.as_str(), "completed" | "failed" | "oom");
            assert!(is_final && (status == "completed" || !why.is_empty()), "{id}: {status} {why}");
        }
        for (what, sql) in NONE {
            assert_eq!(self.count(sql).await, 0, "{what}: {sql}");
        }
        let uses = format!("tool_invocations where agent_id = '{}'", self.works.agent);
        let tasks = self.count("execution_jobs where {ours} and worker_config #>> '{config,type}' = 'model'").await;
        assert!(self.count(&uses).await <= tasks, "no tool is used twice for one task");
        // Every answer that was written down was paid for once.
        for (purpose, of) in [("agent", "job_id is not null"), ("supervisor", "job_id is null")] {
            let paid = self.count(&format!("token_usage where {{ours}} and purpose = '{purpose}'")).await;
            let told = format!("execution_steps where {{ours}} and prompt_tokens is not null and {of}");
            let told = self.count(&told).await;
            assert_eq!(paid, told, "{purpose}");
        }
        let differ = "(select sum(total_tokens) as sum from token_usage where {ours} and purpose = 'agent') paid
             join (select sum(prompt_tokens + completion_tokens) as sum from execution_steps
                   where {ours} and job_id is not null) told on paid.sum <> told.sum";
        assert_eq!(self.count(differ).await, 0, "tokens");
    }

    /// Nothing of a script runs any more.
    async fn is_quiet(&self) {
        let until = Instant::now() + Duration::from_secs(20);
        while processes(&self.pause) > 0 {
            assert!(Instant::now() < until, "a process of a job is left");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// How many of the jobs have ended well.
    async fn completed(&self) -> i64 {
        self.count("execution_jobs where {ours} and status = 'completed' and parent_job_id is null").await
    }
}

/// A minute without a word of the workers that are at this: what they held is free.
async fn a_minute_passes(world: &World, pool: &str) {
    let sql = format!(
        "update execution_queue set lease_until = now() - interval '1 second'
         where status = 'processing' and pool like '{pool}'"
    );
    sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&world.owner).await.expect("a minute");
}

#[test]
#[ignore = "takes two minutes"]
fn every_job_comes_to_one_end_however_often_its_worker_dies() {
    run(|_| async move {
        let ground = Ground::new("execution-killed").await;
        let world = &ground.world;
        let mut web = ground.process("serve --no-workers");
        web.start();
        answers(&world.base).await;
        // Two machines see to one pool.
        let mut workers = [
            ground.process("work --pool a"),
            ground.process_elsewhere("work --pool a"),
            ground.process("work --pool b"),
        ];
        workers[0].start();
        workers[1].start();
        let mut scene = Scene::new(world, "execution-killed").await;
        let (here, there, nowhere) = (scene.here.clone(), scene.there.clone(), scene.nowhere.clone());

        // Nobody sees to two of the three pools.
        let waits = scene.command(&nowhere, 1, &[]).await;
        scene.jobs.clear();
        let held = scene.command(&there, 2, &[]).await;
        let with_script = scene.task(&there, "Please run the make report script.", &[]).await;
        let script = json!([{"skill": null, "skill_name": "Reports", "name": "make_report.sh",
                             "content": "echo the report is made", "beside": []}]);
        made_of(world, &with_script, "agent,scripts", &script).await;
        let first = scene.command(&here, 1, &[]).await;
        let until = Instant::now() + Duration::from_secs(60);
        while state(&scene.agency, &first).await.0 != "completed" {
            assert!(Instant::now() < until, "{:?}", state(&scene.agency, &first).await);
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        for id in [&waits, &held, &with_script] {
            let tries = format!("execution_attempts where job_id = '{id}'");
            let (status, _) = state(&scene.agency, id).await;
            assert!(status == "queued" && scene.count(&tries).await == 0, "another pool's: {status}");
        }
        workers[2].start();

        for target in [&here, &there, &here] {
            scene.command(target, 4, &[("asks", "true")]).await;
            scene.task(target, LOOK_UP, &[("asks", "true")]).await;
        }
        let (team, _) = team_asked(&scene.agency, &scene.works).await;
        let message = format!("{} wants another visit", scene.agency.secret);
        scene.agency.owner.done("ask_team", &[("team", &team), ("message", &message)]).await;
        let cancelled = scene.command(&here, 200, &[]).await;

        let (mut kills, until) = (0_usize, Instant::now() + Duration::from_secs(40));
        while Instant::now() < until {
            tokio::time::sleep(Duration::from_millis(300 + 413 * (kills as u64 % 4))).await;
            let place = kills % 3;
            let target = [&here, &here, &there][place];
            scene.command(target, 5 + 4 * (kills % 3), &[]).await;
            scene.task(target, LOOK_UP, &[]).await;
            tokio::time::sleep(Duration::from_millis(150 * (kills as u64 % 7))).await;
            workers[place].kill();
            if kills % 4 < 2 {
                // In the pool of two machines the other one is late with its word, too, and loses what it is at.
                a_minute_passes(world, if place == 2 { "b" } else { "a" }).await;
            }
            workers[place].start();
            if kills % 3 == 1
                && let Some(approval) = scene.open.pop()
            {
                let asked = tokio::spawn(scene.decision(&approval).send());
                tokio::time::sleep(Duration::from_millis(7 * (kills as u64 % 5))).await;
                web.kill();
                web.start();
                let _ = asked.await;
                answers(&world.base).await;
                scene.approve(&approval).await;
            }
            if kills == 5 {
                scene.agency.owner.rpc("cancel_execution_job", &[("id", &cancelled)]).await;
            }
            kills += 1;
        }
        for approval in &scene.open {
            scene.approve(approval).await;
        }
        // All die at once, and a minute passes; then they stay.
        workers.iter_mut().for_each(Process::kill);
        a_minute_passes(world, "%").await;
        let jobs = "update jobs set lease_until = now() - interval '1 second' where status = 'processing'";
        sqlx::raw_sql(jobs).execute(&world.owner).await.expect("a minute");
        workers.iter_mut().for_each(Process::start);
        scene.ended(Duration::from_secs(120)).await;

        scene.is_sound().await;
        let (all, done) = (scene.jobs.len() as i64, scene.completed().await);
        let (status, why) = state(&scene.agency, &cancelled).await;
        // Its worker may have died too often before that.
        let is_said = why.starts_with("Cancelled by ") || why.contains("tried 3 times");
        assert!(status == "failed" && is_said, "{status} {why}");
        println!("{done} of {all} jobs and runs completed after {kills} kills");
        assert!(kills >= 8 && done >= all / 2, "{done} of {all} after {kills} kills");
        let page = job(&scene.agency, &with_script).await;
        assert!(
            page["job"]["status"] != "completed" || page["job"]["result"]["output"].to_string().contains("report"),
            "{page}"
        );

        // What waits for a pool without workers is said where one looks for it.
        let until = Instant::now() + Duration::from_secs(60);
        let room = loop {
            let room = scene.agency.owner.done("get_control_room", &[]).await.json();
            if room["unserved"].as_array().is_some_and(|pools| !pools.is_empty()) || Instant::now() > until {
                break room;
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        };
        assert!(room["unserved"][0]["pool"] == "gone" && room["unserved"][0]["waiting"] == 1, "{}", room["unserved"]);
        assert_eq!(room["unserved"].as_array().map(Vec::len), Some(1), "{}", room["unserved"]);

        scene.is_quiet().await;
        workers.iter_mut().for_each(Process::kill);
        web.kill();
        is_cleared(&ground).await;
    });
}

/// What the dead left on their machines goes when upkeep looks, after two minutes.
async fn is_cleared(ground: &Ground) {
    let passed = "update execution_attempts
                  set ended_at = ended_at - interval '3 minutes', started_at = started_at - interval '3 minutes'";
    sqlx::raw_sql(passed).execute(&ground.world.owner).await.expect("minutes");
    for at in ["data", "elsewhere"].map(|at| ground.folder.join(at)) {
        let (db, pools) = (ground.database(&at).await, ["a".to_owned(), "b".to_owned()]);
        patchbay_execution::server::clear_leftovers(&db, &pools).await.expect("upkeep");
        let left: Vec<_> = std::fs::read_dir(at.join("jobs")).into_iter().flatten().flatten().collect();
        assert!(left.is_empty(), "{left:?}");
    }
}

/// A database server of its own, which can end as in a power cut.
struct Cluster {
    folder: PathBuf,
    process: u32,
}

impl Cluster {
    /// Gives its address for the owner of the tables, too.
    async fn start(folder: PathBuf) -> (Self, String) {
        let mut cluster = Self { folder, process: 0 };
        let owner = cluster.begin().await;
        (cluster, owner)
    }

    async fn begin(&mut self) -> String {
        let server = EmbeddedPostgres::start(&self.folder).await.expect("a database server");
        let record = std::fs::read_to_string(self.folder.join("cluster/postmaster.pid")).expect("its record");
        self.process = record.lines().next().and_then(|line| line.trim().parse().ok()).expect("its number");
        server.owner_url()
    }

    fn signal(&self, signal: &str) {
        let _ = std::process::Command::new("kill").args([signal, &self.process.to_string()]).output();
    }

    /// As `pg_ctl stop -m immediate`: it writes nothing down, and has to recover when it starts.
    async fn dies(&self) {
        self.signal("-QUIT");
        let until = Instant::now() + Duration::from_secs(20);
        while Path::new(&format!("/proc/{}", self.process)).exists() {
            assert!(Instant::now() < until, "the database server does not end");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.signal("-QUIT");
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

#[test]
#[ignore = "takes a minute"]
fn jobs_go_on_when_the_database_dies_under_them() {
    run(|_| async move {
        let folder = folder("execution-database");
        let (mut cluster, owner) = Cluster::start(folder.join("postgres")).await;
        let app = owner.replace("user=patchbay_owner", "user=patchbay_app");
        let ground = Ground::on(folder, owner, app).await;
        let world = &ground.world;
        let mut processes =
            [ground.process("serve --no-workers"), ground.process("work --pool a"), ground.process("work --pool b")];
        processes.iter_mut().for_each(Process::start);
        answers(&world.base).await;
        let mut scene = Scene::new(world, "execution-database").await;
        let (here, there) = (scene.here.clone(), scene.there.clone());
        for n in 0..4 {
            for target in [&here, &there] {
                scene.command(target, 4 + 8 * n, &[]).await;
                scene.task(target, LOOK_UP, &[]).await;
            }
        }
        for target in [&here, &there] {
            scene.command(target, 4, &[("asks", "true")]).await;
            scene.task(target, LOOK_UP, &[("asks", "true")]).await;
        }
        team_asked(&scene.agency, &scene.works).await;
        for (deaths, away) in [50, 2_500, 600, 4_000, 1_200].into_iter().enumerate() {
            let approval = scene.open.pop();
            let asked = approval.as_ref().map(|approval| tokio::spawn(scene.decision(approval).send()));
            tokio::time::sleep(Duration::from_millis(23 * deaths as u64)).await;
            cluster.dies().await;
            tokio::time::sleep(Duration::from_millis(away)).await;
            cluster.begin().await;
            answers(&world.base).await;
            if let Some(asked) = asked {
                let _ = asked.await;
            }
            if let Some(approval) = approval {
                scene.approve(&approval).await;
            }
            tokio::time::sleep(Duration::from_millis(1_700)).await;
        }
        scene.ended(Duration::from_secs(60)).await;
        for process in &mut processes {
            assert!(process.lives(), "processes outlive their database");
        }
        scene.is_sound().await;
        // Nobody died but the database: everything is done, and nothing was begun a second time.
        for id in &scene.jobs {
            let page = job(&scene.agency, id).await;
            assert!(page["job"]["status"] == "completed" && page["job"]["retry_count"] == 0, "{page}");
        }
        let run = "supervisor_runs where {ours} and status = 'completed'";
        assert_eq!(scene.count(run).await, 1);

        // A worker dies, and the database with it, again and again, while the next one takes over what was left.
        scene.jobs.clear();
        for _ in 0..3 {
            scene.command(&there, 12, &[]).await;
            scene.task(&there, LOOK_UP, &[]).await;
        }
        let held = "execution_queue where {ours} and status = 'processing' and lease_until > now()";
        for _ in 0..3 {
            let until = Instant::now() + Duration::from_secs(30);
            while scene.count(held).await == 0 && Instant::now() < until {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            processes[2].kill();
            a_minute_passes(world, "b").await;
            processes[2].start();
            let until = Instant::now() + Duration::from_secs(30);
            while scene.count(held).await == 0 && Instant::now() < until {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            cluster.dies().await;
            cluster.begin().await;
            answers(&world.base).await;
        }
        scene.ended(Duration::from_secs(90)).await;
        scene.is_sound().await;
        scene.is_quiet().await;
        processes.iter_mut().for_each(Process::kill);
    });
}
