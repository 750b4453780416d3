//! Jobs on targets of containers, from the forms of the target and the engine through the queue to what is left of them: in a real engine,
//! and on a Kubernetes API that says what clusters say.

use futures::future::join;
use serde_json::{Value, json};

use super::execution_jobs::{command, job, processes, state};
use super::support::cluster::{Cluster, condition, log_with_file, running, terminated, waiting};
use super::support::engine::{EMPTY, Engine, IMAGE};
use super::support::{Agency, World, owner_lines, owner_value, run};

/// A target that answers when it is checked. Gives its id.
async fn target(agency: &Agency, kind: &str, address: &str, slots: &str, about: &str) -> String {
    let new = format!("/execution/targets/new?type={kind}");
    let room = [("name", "Containers"), ("slots", slots), ("memory_mb", "1024"), ("cpu_milli", "8000")];
    let id = agency.owner.made_on(&new, "save_execution_target", &[&room[..], &[("address", address)]].concat()).await;
    if kind == "kubernetes" {
        let page = format!("/execution/targets/{id}");
        agency.owner.filled(&page, "seal_execution_target", &[("secret", "token-of-tests")]).await;
    }
    checked(agency, &id).await;
    let page = agency.owner.done("get_execution_target", &[("id", &id)]).await.json();
    assert!(page["row"]["problem"].is_null() && page["found"][0].to_string().contains(about), "{page}");
    id
}

async fn checked(agency: &Agency, target: &str) {
    agency.owner.filled(&format!("/execution/targets/{target}"), "check_execution_target", &[]).await;
}

/// An engine of commands in this image. Gives its id.
async fn engine(agency: &Agency, name: &str, image: &str) -> String {
    let small = [("memory_mb", "64"), ("disk_mb", "16"), ("most_processes", "24"), ("timeout_seconds", "50")];
    let fields = [&[("name", name), ("interpreter", "sh -e"), ("image", image)], &small[..]].concat();
    agency.owner.made_on("/execution/engines/new?type=process", "save_execution_engine", &fields).await
}

/// The words of the program itself, and those of Patchbay.
fn words(page: &Value) -> (Vec<String>, String) {
    let lines = page["log"].as_array().expect("a log");
    let of = |line: &Value| line["line"].as_str().unwrap_or_default().to_owned();
    let own = lines.iter().filter(|line| line["stream"] != "system").map(of).filter(|line| !line.is_empty()).collect();
    (own, lines.iter().filter(|line| line["stream"] == "system").map(of).collect())
}

/// What a lease that nobody renews comes to: the work is anybody's.
async fn given_up(world: &World, job: &str) {
    let sql = format!(
        "update execution_queue set status = 'pending', worker_deaths = 1, lease_owner = null, lease_until = null, next_attempt_at = now()
         where id = '{job}' and status = 'processing' returning 'done'"
    );
    assert_eq!(owner_lines(world, &sql).await, ["done"]);
}

/// Until the page of a job says so.
async fn seen(agency: &Agency, id: &str, what: &str, is_so: impl Fn(&Value) -> bool) {
    for _ in 0..20_000 {
        if is_so(&job(agency, id).await) {
            return;
        }
    }
    panic!("{what} never came: {}", job(agency, id).await);
}

#[test]
fn a_real_engine_does_jobs_from_the_queue_whatever_goes_wrong() {
    let Some(podman) = Engine::start() else { return };
    podman.empty_image();
    run(|world: &World| async move {
        let agency = Agency::new(world, "containers").await;
        let place = target(&agency, "docker", &podman.address(), "3", "Podman").await;
        let shell = engine(&agency, "Shell", IMAGE).await;
        let (nowhere, empty) =
            (engine(&agency, "Nowhere", "localhost/nowhere:1").await, engine(&agency, "Empty", EMPTY).await);

        let script = "cat; echo careful >&2; mkdir -p out; id -u > out/who.txt";
        let well = command(&agency, &shell, script, &[("input", "from the form\n")]).await;
        let script = "head -c 100000000 /dev/zero | tail -c 90000000 > /dev/null; echo enough";
        let hungry = command(&agency, &shell, script, &[]).await;
        let missing = command(&agency, &nowhere, "true", &[]).await;
        let never = command(&agency, &empty, "true", &[]).await;
        let mark = "51234.75";
        let cancelled = command(&agency, &shell, &format!("sleep {mark}"), &[]).await;
        let cancel = async {
            seen(&agency, &cancelled, "the container", |page| {
                page["job"]["container"].is_string() && processes(mark) > 0
            })
            .await;
            agency.owner.done("cancel_execution_job", &[("id", &cancelled)]).await;
        };
        join(agency.drain(), cancel).await;

        let page = job(&agency, &well).await;
        assert!(page["job"]["status"] == "completed" && page["job"]["result"]["output"] == "from the form", "{page}");
        let mut said = words(&page).0;
        said.sort();
        assert_eq!(said, ["careful", "from the form"], "{page}");
        assert!(page["artefacts"][0]["name"] == "who.txt" && page["artefacts"][0]["bytes"] == 6, "{page}");
        let is_said = |what: &str| page["job"][what].as_str().is_some_and(|word| !word.is_empty());
        assert!(is_said("container") && is_said("host"), "{page}");
        let page = job(&agency, &hungry).await;
        assert!(page["job"]["status"] == "completed" && page["job"]["memory_limit_mb"] == 128, "{page}");
        let outcomes: Vec<_> = page["attempts"].as_array().expect("tries").iter().map(|one| &one["outcome"]).collect();
        assert_eq!(outcomes, ["completed", "oom"], "{page}");
        for (id, says) in [(&missing, "Pull it there"), (&never, "cannot run the job"), (&cancelled, "Cancelled by ")] {
            let (status, why) = state(&agency, id).await;
            assert!(status == "failed" && why.contains(says), "{status} {why}");
        }
        assert_eq!(processes(mark), 0, "it was really ended");
        let failures = "select coalesce(sum(failures), 0)::bigint from execution_circuits where target_id = ";
        assert_eq!(
            owner_value::<i64>(world, &format!("{failures}'{place}'")).await,
            0,
            "that was no fault of the engine"
        );
        assert_eq!(podman.containers(), 0, "nothing is left");

        // Its worker is lost, and the engine is away for a moment while another one follows it.
        let script = "i=0; while [ $i -lt 24 ]; do echo line $i; i=$((i+1)); sleep 0.25; done; mkdir -p out; echo kept > out/kept";
        let lost = command(&agency, &shell, script, &[]).await;
        let next = async {
            seen(&agency, &lost, "its first words", |page| words(page).0.len() > 1).await;
            given_up(world, &lost).await;
            let away = async {
                seen(&agency, &lost, "the next worker", |page| words(page).1.contains("Another one goes on")).await;
                podman.stop();
                podman.go_on();
            };
            join(agency.drain(), away).await;
        };
        join(agency.drain(), next).await;
        let page = job(&agency, &lost).await;
        let all: Vec<String> = (0..24).map(|n| format!("line {n}")).collect();
        assert!(page["job"]["status"] == "completed" && page["job"]["retry_count"] == 0, "{page}");
        assert_eq!(words(&page).0, all, "each line once: {page}");
        assert!(
            page["attempts"].as_array().map(Vec::len) == Some(1) && page["artefacts"][0]["name"] == "kept",
            "{page}"
        );
        assert_eq!(podman.containers(), 0, "nothing is left");

        // It is away for longer: the breaker opens, and a check that finds it again has the jobs go on.
        podman.stop();
        let mut jobs = Vec::new();
        for n in 0..3 {
            jobs.push(command(&agency, &shell, &format!("echo {n}"), &[]).await);
        }
        agency.drain().await;
        for id in &jobs {
            let (status, why) = state(&agency, id).await;
            assert!(status == "failed_circuit_open" && why.contains("There is no Docker engine at"), "{status} {why}");
        }
        checked(&agency, &place).await;
        let page = agency.owner.done("get_execution_target", &[("id", &place)]).await.json();
        assert!(
            page["row"]["problem"].as_str().is_some_and(|said| said.contains("There is no Docker engine at")),
            "{page}"
        );
        podman.go_on();
        checked(&agency, &place).await;
        agency.drain().await;
        for id in &jobs {
            assert_eq!(state(&agency, id).await.0, "completed");
        }
        assert_eq!(podman.containers(), 0, "nothing is left");
    });
}

/// What becomes of a Job is in its limit of memory, which the form of a job sets.
fn becomes(document: &Value, looks: usize) -> (Value, Value) {
    let container = &document["spec"]["template"]["spec"]["containers"][0];
    let memory = container["resources"]["limits"]["memory"].as_str().unwrap_or_default();
    let tried = document["metadata"]["labels"]["patchbay.dev/attempt"].as_str().unwrap_or_default();
    let (well, works) = ((condition("Complete", ""), terminated("Completed", 0)), (json!({"active": 1}), running()));
    match (memory, looks, tried) {
        ("65Mi", ..) => (condition("Failed", "BackoffLimitExceeded"), terminated("OOMKilled", 137)),
        ("66Mi", ..) => (json!({"active": 1}), waiting("ErrImagePull")),
        ("67Mi", ..) | ("68Mi", 0 | 1, _) => works,
        ("69Mi", _, "1") => {
            let evicted = json!({"phase": "Failed", "reason": "Evicted", "message": "The node was low on memory."});
            (condition("Failed", "BackoffLimitExceeded"), evicted)
        }
        ("70Mi", ..) => (condition("Failed", "DeadlineExceeded"), Value::Null),
        _ => well,
    }
}

#[test]
fn a_cluster_does_jobs_from_the_queue_whatever_it_says_of_them() {
    run(|world: &World| async move {
        let agency = Agency::new(world, "cluster").await;
        let cluster = Cluster::planned(becomes).await;
        let line = ["2026-11-29T10:00:01.5Z made in a pod"];
        *cluster.state.log.lock().expect("a log") = log_with_file(&line, "report.txt", b"all is well\n");
        let place = target(&agency, "kubernetes", &cluster.address, "8", "Kubernetes v1.33.2").await;
        let shell = engine(&agency, "Shell", "busybox:1.37").await;
        let with = |memory: &'static str| command_with(&agency, &shell, memory);
        let (well, followed, hungry) = (with("64").await, with("68").await, with("65").await);
        let (missing, evicted, late) = (with("66").await, with("69").await, with("70").await);
        let cancelled = with("67").await;
        let cancel = async {
            seen(&agency, &cancelled, "the pod", |page| page["job"]["container"].is_string()).await;
            agency.owner.done("cancel_execution_job", &[("id", &cancelled)]).await;
        };
        join(agency.drain(), cancel).await;
        for id in [&well, &followed] {
            let page = job(&agency, id).await;
            let name = format!("patchbay-{id}-1");
            assert!(page["job"]["status"] == "completed" && page["job"]["container"] == name, "{page}");
            assert!(page["job"]["host"] == "node-3" && words(&page).0 == ["made in a pod"], "{page}");
            assert!(page["artefacts"][0]["name"] == "report.txt" && page["artefacts"][0]["bytes"] == 12, "{page}");
        }
        let page = job(&agency, &hungry).await;
        assert!(page["job"]["status"] == "completed" && page["job"]["memory_limit_mb"] == 130, "{page}");
        assert!(page["attempts"][1]["reason"].to_string().contains("OOMKilled, at its limit of 65 MB"), "{page}");
        let page = job(&agency, &evicted).await;
        assert!(page["job"]["status"] == "completed" && page["job"]["retry_count"] == 1, "{page}");
        assert!(page["attempts"][1]["reason"].to_string().contains("low on memory"), "{page}");
        for (id, says) in [
            (&missing, "busybox:1.37: ErrImagePull"),
            (&late, "longer than its 50 seconds"),
            (&cancelled, "Cancelled by "),
        ] {
            let (status, why) = state(&agency, id).await;
            assert!(status == "failed" && why.contains(says), "{status} {why}");
        }
        assert!(cluster.jobs().is_empty(), "nothing is left: {:?}", cluster.jobs());
        let tokens = cluster.state.asked.lock().expect("asked").clone();
        assert!(
            tokens.iter().all(|(_, path, token, _)| token == "Bearer token-of-tests" || path.starts_with("/version"))
        );

        // A namespace without room is no failure, however often it says so; the job keeps its tries and its time.
        let refuse = |says| *cluster.state.refuses.lock().expect("refusals") = says;
        refuse(vec![("POST /apis/batch", 403, "jobs.batch is forbidden: exceeded quota: small")]);
        let waits = with("64").await;
        agency.drain().await;
        let page = job(&agency, &waits).await;
        assert!(page["job"]["status"] == "queued" && page["job"]["retry_count"] == 0, "{page}");
        assert!(page["attempts"][0]["reason"].to_string().contains("exceeded quota"), "{page}");
        refuse(Vec::new());
        agency.drain().await;
        assert_eq!(state(&agency, &waits).await.0, "completed");

        // Its API is away.
        refuse(vec![("", 503, "the server is currently unable to handle the request")]);
        let away = [with("64").await, with("64").await, with("64").await];
        agency.drain().await;
        for id in &away {
            let (status, why) = state(&agency, id).await;
            assert!(status == "failed_circuit_open" && why.contains("503"), "{status} {why}");
        }
        refuse(Vec::new());
        checked(&agency, &place).await;
        agency.drain().await;
        for id in &away {
            assert_eq!(state(&agency, id).await.0, "completed");
        }
        assert!(cluster.jobs().is_empty(), "nothing is left: {:?}", cluster.jobs());
    });
}

/// A command whose Job becomes what its memory says.
async fn command_with(agency: &Agency, engine: &str, memory: &str) -> String {
    command(agency, engine, "true", &[("memory_mb", memory)]).await
}
