//! What goes wrong around jobs: workers that are lost, targets that do not answer, workers that come at once, and output without end.

use std::time::{Duration, Instant};

use futures::future::join_all;
use patchbay_access::server::Scope;
use patchbay_queues::server::sweep;
use patchbay_shared::ids::WorkspaceId;
use serde_json::json;

use super::execution_jobs::{command, job, made_of, state, task, usual};
use super::support::{Agency, World, owner_lines, owner_value, run};

/// What upkeep does every five minutes.
pub async fn swept(world: &World, agency: &Agency) {
    let workspace: WorkspaceId = agency.workspace_id.parse().expect("an id");
    sweep::sweep(&Scope::of_operator(world.db.clone(), workspace, sweep::UPKEEP)).await.expect("a sweep");
}

/// What a crash leaves behind, which nothing in the product does by itself.
async fn left(world: &World, sql: &str) {
    assert_eq!(owner_lines(world, &format!("{sql} returning 'done'")).await, ["done"], "{sql}");
}

/// A worker was at this job and is gone.
async fn lost(world: &World, job: &str, more: &str) {
    let sql = format!(
        "with tried as (insert into execution_attempts (workspace_id, id, job_id, number, lease_owner, memory_limit_mb, container_id, target_host)
           select workspace_id, gen_random_uuid(), id, 1, 'gone', 64, 'patchbay-gone-1', 'gone' from execution_jobs where id = '{job}')
         update execution_jobs set status = 'running', started_at = now(), timeout_at = now() + interval '5 minutes', lease_owner = 'gone',
                lease_until = now() - interval '1 minute' {more} where id = '{job}'"
    );
    left(world, &sql).await;
}

#[test]
fn a_job_whose_worker_is_lost_goes_on_or_says_why_it_does_not() {
    run(|world: &World| async move {
        let (agency, works) = Agency::ready(world, "lostworker").await;
        let engines = usual(&agency).await;
        let tool = [
            ("agent", works.agent.as_str()),
            ("kind", "contact_lookup"),
            ("tool_name", "contact_lookup"),
            ("description", "Looks a contact up."),
        ];
        agency.owner.done("save_agent_tool", &tool).await;

        // In the middle of a tool: the model hears that nobody knows, and nothing is used again.
        let begun = task(&agency, &works, &engines.model, "Please do a contact lookup of Carla.", &[]).await;
        let call = json!({"id": "c1", "name": "contact_lookup", "arguments": "{\"name\": \"Carla\"}"});
        let progress = json!({
            "messages": [
                {"by": "system", "text": "You help."}, {"by": "user", "text": "Please do a contact lookup of Carla."},
                {"by": "assistant", "text": "", "calls": [call]},
            ],
            "pending": [{"call": call, "state": {"state": "begun"}}], "answers": 1,
        });
        lost(world, &begun, &format!(", progress = '{progress}'")).await;
        // While its process ran: nobody knows how that ended, and it is tried again.
        let ran = command(&agency, &engines.process, "echo again", &[]).await;
        lost(world, &ran, ", container_id = 'patchbay-gone-1', target_host = 'gone'").await;
        // Before it was started: it is started.
        let before = command(&agency, &engines.process, "echo started", &[]).await;
        lost(world, &before, "").await;
        // Cancelled while nobody was there.
        let cancelled = command(&agency, &engines.process, "echo never", &[]).await;
        lost(
            world,
            &cancelled,
            ", cancel_requested_at = now(), container_id = 'patchbay-gone-1', target_host = 'gone'",
        )
        .await;
        agency.drain().await;
        let page = job(&agency, &begun).await;
        assert!(page["job"]["status"] == "completed", "{page}");
        assert!(page["job"]["result"]["output"].to_string().contains("not known whether this was done"), "{page}");
        let uses = format!("select count(*) from tool_invocations where agent_id = '{}'", works.agent);
        assert_eq!(owner_value::<i64>(world, &uses).await, 0);
        assert_eq!(page["attempts"].as_array().map(Vec::len), Some(2), "{page}");
        let page = job(&agency, &ran).await;
        assert!(page["job"]["status"] == "completed" && page["job"]["retry_count"] == 1, "{page}");
        assert!(page["attempts"].to_string().contains("\"lost\""), "{page}");
        let page = job(&agency, &before).await;
        assert!(page["job"]["status"] == "completed" && page["job"]["retry_count"] == 0, "{page}");
        assert!(page["log"].to_string().contains("Another one goes on"), "{page}");
        let (status, why) = state(&agency, &cancelled).await;
        assert!(status == "failed" && why.starts_with("Cancelled"), "{status} {why}");

        // Its place in the queue is lost, and what was decided was never told.
        let queued = command(&agency, &engines.process, "echo found", &[]).await;
        left(world, &format!("delete from execution_queue where id = '{queued}'")).await;
        let asked = command(&agency, &engines.process, "echo decided", &[("asks", "true")]).await;
        let page = job(&agency, &asked).await;
        let approval = page["approvals"][0]["id"].as_str().expect("an approval");
        agency.owner.done("decide_approval", &[("id", approval), ("decision", "approved")]).await;
        left(world, &format!("delete from jobs where kind = 'move_on_execution' and dedupe_key = '{approval}'")).await;
        // Three workers died with it.
        let poison = command(&agency, &engines.process, "echo poison", &[]).await;
        lost(world, &poison, "").await;
        let given_up =
            "status = 'failed', finished_at = now(), last_error = 'The worker died while it held this (3 of 3).'";
        left(world, &format!("update execution_queue set {given_up} where id = '{poison}'")).await;
        // No worker sees to its pool, and its time is over.
        let nowhere = command(&agency, &engines.process, "echo nowhere", &[]).await;
        left(world, &format!("update execution_queue set pool = 'nobody' where id = '{nowhere}'")).await;
        let over = format!(
            "update execution_jobs set timeout_at = now() - interval '10 minutes', execution_target = jsonb_set(execution_target, '{{pool}}', '\"nobody\"')
             where id = '{nowhere}'"
        );
        left(world, &over).await;
        agency.drain().await;
        swept(world, &agency).await;
        agency.drain().await;
        for (id, status, words) in [
            (&queued, "completed", "found"),
            (&asked, "completed", "decided"),
            (&poison, "failed", "The worker died"),
            (&nowhere, "failed", "no worker of its target’s pool"),
        ] {
            let page = job(&agency, id).await;
            assert!(page["job"]["status"] == status && page["job"].to_string().contains(words), "{page}");
        }
    });
}

#[test]
fn a_target_that_does_not_answer_is_left_alone_and_one_job_tries() {
    run(|world: &World| async move {
        let agency = Agency::new(world, "breaker").await;
        let engines = usual(&agency).await;
        let nowhere =
            json!({"type": "docker", "address": "unix:///nowhere/docker.sock", "authority": null, "certificate": null});
        let (target, here) = (&engines.target, json!({"type": "local"}));
        let broken = format!(
            "update execution_targets set type = 'docker', connection_config = '{nowhere}' where id = '{target}'"
        );
        left(world, &broken).await;
        let image = format!(
            "update execution_engines set handler_config = jsonb_set(handler_config, '{{image}}', '\"busybox\"') where id = '{}'",
            engines.process
        );
        left(world, &image).await;
        let mut jobs = Vec::new();
        for _ in 0..3 {
            jobs.push(command(&agency, &engines.process, "echo through", &[]).await);
        }
        agency.drain().await;
        for id in &jobs {
            let (status, why) = state(&agency, id).await;
            assert!(status == "failed_circuit_open" && !why.is_empty(), "{status} {why}");
        }
        let circuit = format!(
            "select id::text from execution_circuits where target_id = '{target}' and opened_at is not null and failures >= 5"
        );
        let circuit = owner_lines(world, &circuit).await.pop().expect("an open breaker");

        // The target is there again: one tries, and all go on.
        let mended = format!(
            "with t as (update execution_targets set type = 'local', connection_config = '{here}' where id = '{target}'),
             j as (update execution_jobs set execution_target = jsonb_set(execution_target, '{{config}}', '{here}') where target_id = '{target}' returning id)
             select count(*)::text from j"
        );
        assert_eq!(owner_lines(world, &mended).await, ["3"]);
        agency.owner.done("probe_circuit", &[("circuit", &circuit)]).await;
        agency.drain().await;
        for id in &jobs {
            assert_eq!(state(&agency, id).await.0, "completed");
        }
        let closed = format!(
            "select count(*) from execution_circuits where id = '{circuit}' and opened_at is null and failures = 0"
        );
        assert_eq!(owner_value::<i64>(world, &closed).await, 1);
    });
}

#[test]
fn workers_that_come_at_once_share_the_places_and_start_nothing_twice() {
    run(|world: &World| async move {
        let agency = Agency::new(world, "atonce").await;
        let engines = usual(&agency).await;
        let one = format!(
            "update execution_targets set capacity = jsonb_set(capacity, '{{slots}}', '1') where id = '{}'",
            engines.target
        );
        left(world, &one).await;
        let mut jobs = Vec::new();
        for n in 0..4 {
            jobs.push(command(&agency, &engines.process, &format!("echo {n}"), &[]).await);
        }
        let held = command(&agency, &engines.process, "echo held", &[]).await;
        let elsewhere = format!("update execution_queue set pool = 'gpu' where id = '{held}'");
        left(world, &elsewhere).await;
        let pool = "jsonb_set(execution_target, '{pool}', '\"gpu\"')";
        left(world, &format!("update execution_jobs set execution_target = {pool} where id = '{held}'")).await;
        join_all((0..3).map(|_| agency.drain())).await;
        for id in &jobs {
            let page = job(&agency, id).await;
            assert!(
                page["job"]["status"] == "completed" && page["attempts"].as_array().map(Vec::len) == Some(1),
                "{page}"
            );
        }
        let beside = format!(
            "select count(*) from execution_attempts a join execution_attempts b on a.workspace_id = b.workspace_id and a.id < b.id
               and a.started_at < b.ended_at and b.started_at < a.ended_at where a.workspace_id = '{}'",
            agency.workspace_id
        );
        assert_eq!(owner_value::<i64>(world, &beside).await, 0, "one place, one at a time");
        assert_eq!(state(&agency, &held).await.0, "queued", "another pool's workers see to it");
        // They do not seem to be there, which is said where people look for the job.
        let late = "update execution_queue set next_attempt_at = now() - interval '130 seconds'";
        left(world, &format!("{late} where id = '{held}'")).await;
        let unserved = async || agency.owner.done("get_control_room", &[]).await.json()["unserved"].clone();
        let said = unserved().await;
        let time = said[0]["time"].as_str().unwrap_or_default();
        assert!(said[0]["pool"] == "gpu" && said[0]["waiting"] == 1 && time.starts_with("2:"), "{said}");
        let page = agency.owner.get("/execution").await.text;
        assert!(page.contains("No worker takes the work of the pool gpu") && page.contains("patchbay work --pool gpu"));
        let workspace: WorkspaceId = agency.workspace_id.parse().expect("an id");
        let gpu = patchbay::boot::work::runner_of(world.db.clone(), &["gpu".to_owned()]);
        gpu.drain(workspace).await.expect("the queues");
        assert_eq!(state(&agency, &held).await.0, "completed");
        assert_eq!(unserved().await, json!([]));
    });
}

/// Whether a process of this job is there.
fn runs(job: &str) -> bool {
    let entries = std::fs::read_dir("/proc").expect("processes").flatten();
    let mut commands = entries.filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok());
    commands.any(|command| String::from_utf8_lossy(&command).contains(job))
}

/// Until a statement about other connections says so.
async fn so(world: &World, sql: &str) {
    let until = Instant::now() + Duration::from_secs(30);
    while !owner_value::<bool>(world, sql).await {
        assert!(Instant::now() < until, "{sql}");
    }
}

#[test]
fn what_a_worker_started_ends_when_another_one_has_the_job_before_it_is_noted() {
    run(|world: &World| async move {
        let agency = Agency::new(world, "taken").await;
        let engines = usual(&agency).await;
        let taken = command(&agency, &engines.process, "while :; do sleep 1; done", &[]).await;
        // The worker waits for the job, and behind it whoever takes the job away as soon as it is begun.
        let own = "select pg_backend_pid()";
        let mut holds = world.owner.begin().await.expect("a transaction");
        let holder: i32 = sqlx::query_scalar(own).fetch_one(&mut *holds).await.expect("its number");
        let held = format!("select 'held' from execution_jobs where id = '{taken}' for update");
        sqlx::query(sqlx::AssertSqlSafe(held)).execute(&mut *holds).await.expect("the job is held");
        let mut takes = world.owner.acquire().await.expect("a connection");
        let taker: i32 = sqlx::query_scalar(own).fetch_one(&mut *takes).await.expect("its number");
        let taking = format!(
            "update execution_jobs set lease_owner = 'another', lease_until = now() + interval '1 minute'
             where id = '{taken}' and container_id is null returning status::text"
        );
        let waits = format!(
            "select exists (select from pg_stat_activity where {holder} = any(pg_blocking_pids(pid))) as waits"
        );
        let (by_another, ()) = tokio::join!(
            async {
                so(world, &waits).await;
                let taking = sqlx::query_scalar::<_, String>(sqlx::AssertSqlSafe(taking)).fetch_all(&mut *takes);
                let (rows, ()) = tokio::join!(taking, async {
                    so(world, &format!("select cardinality(pg_blocking_pids({taker})) > 0")).await;
                    holds.rollback().await.expect("the job is free");
                });
                rows.expect("it is taken")
            },
            agency.drain()
        );
        assert_eq!(by_another, ["running"]);
        let until = Instant::now() + Duration::from_secs(10);
        while runs(&taken) {
            assert!(Instant::now() < until, "it runs beside the other worker's");
        }
        let tries =
            format!("select count(*) from execution_attempts where job_id = '{taken}' and container_id is null");
        assert_eq!(owner_value::<i64>(world, &tries).await, 1, "and nothing is noted");
    });
}

/// Megabytes of memory that this process has.
fn resident_mb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("its state");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("its memory");
    line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number") / 1024
}

#[test]
fn output_without_end_and_without_sense_is_cut_and_the_job_goes_on() {
    run(|world: &World| async move {
        let agency = Agency::new(world, "flood").await;
        let engines = usual(&agency).await;
        let script = r#"printf '\033[31mred\033[0m \000 end \377\n'
            yes "$(head -c 3000 /dev/zero | tr '\0' x)" | head -c 1000000000
            echo; echo "the end"; mkdir -p out; echo kept > "out/a b.html""#;
        let id = command(&agency, &engines.process, script, &[]).await;
        let (before, mut most) = (resident_mb(), 0);
        let mut drained = std::pin::pin!(agency.drain());
        let mut looks = tokio::time::interval(Duration::from_millis(50));
        loop {
            tokio::select! {
                () = &mut drained => break,
                _ = looks.tick() => most = most.max(resident_mb()),
            }
        }
        // A gigabyte came by. Others are at work in this process meanwhile, and take what they take.
        assert!(most < before + 700, "from {before} MB to {most} MB");
        let page = job(&agency, &id).await;
        assert!(page["job"]["status"] == "completed" && page["job"]["result"]["is_cut"] == true, "{}", page["job"]);
        assert!(
            page["job"]["result"]["output"].as_str().is_some_and(|said| said.ends_with("the end")),
            "{}",
            page["job"]
        );
        assert_eq!(page["artefacts"][0]["name"], "a b.html");
        let kept = format!(
            "select sum(octet_length(line))::bigint from execution_log_lines where job_id = '{id}' and workspace_id = '{}'",
            agency.workspace_id
        );
        assert!(owner_value::<i64>(world, &kept).await < 1_100_000);
        let said = format!(
            "select line from execution_log_lines where job_id = '{id}' and (stream = 'system' or position = 0) order by position"
        );
        let said = owner_lines(world, &said).await;
        assert!(
            said.len() == 2 && said[0].starts_with("red \u{fffd} end") && said[1].contains("The log is cut here"),
            "{said:?}"
        );
        // Names of variables are any words, and become names that a program reads.
        let id = command(&agency, &engines.process, "echo \"$VAR_A_B\"", &[]).await;
        made_of(world, &id, "variables", &json!({"a-b": "one; $(two)"})).await;
        agency.drain().await;
        assert_eq!(job(&agency, &id).await["job"]["result"]["output"], "one; $(two)");
    });
}
