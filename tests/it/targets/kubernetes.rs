use std::collections::BTreeMap;
use std::io::Write;
use std::process::{Command, Stdio};
use std::time::Duration;

use patchbay_providers::Secret;
use patchbay_targets::{Handle, How, KubernetesKeys, KubernetesTarget, Reach, Target, TroubleKind, Work};
use serde_json::{Value, json};

use super::super::support::cluster::{Cluster, condition, log_with_file, running, terminated, waiting};
use super::{ran, script};

impl Cluster {
    fn target(&self) -> KubernetesTarget {
        let keys = KubernetesKeys { authority: None, token: Some(Secret::new("token-of-tests".to_owned())) };
        let nodes = BTreeMap::from([("pool".to_owned(), "jobs".to_owned())]);
        let target = KubernetesTarget::new(self.address.clone(), "agency".to_owned(), nodes, keys, Reach::Anywhere);
        target.looking_every(Duration::from_millis(5))
    }
}

#[tokio::test]
async fn a_job_is_made_followed_collected_and_taken_away() {
    let told = vec![
        (json!({}), Value::Null),
        (json!({"active": 1}), waiting("ContainerCreating")),
        (json!({"active": 1}), running()),
        (json!({"active": 1}), running()),
        (condition("Failed", "BackoffLimitExceeded"), terminated("Error", 3)),
    ];
    let cluster = Cluster::start(told).await;
    let work = script("exit 3");
    let mark = format!("patchbay:{}:1", work.job.simple());
    let lines = ["2026-11-29T10:00:01.000000001Z first", "2026-11-29T10:00:02.5Z second"];
    let log = log_with_file(&lines, "one.txt", b"one\n").replace("{mark}", &mark);
    let log = log + "2026-11-29T10:00:04.5Z no end of line";
    *cluster.state.log.lock().expect("a log") = log;

    let ran = ran(&cluster.target(), &work).await.expect("it runs");
    assert_eq!(ran.ended.how, How::Exited(3));
    assert_eq!(
        ran.out,
        ["first", "second", "no end of line"],
        "each line once, without its time and without the files"
    );
    let files: Vec<(&str, &[u8])> = ran.files.iter().map(|file| (file.name.as_str(), &file.content[..])).collect();
    assert_eq!(files, [("one.txt", &b"one\n"[..])]);

    let asked = cluster.asked();
    let (jobs, secrets) = ("/apis/batch/v1/namespaces/agency/jobs", "/api/v1/namespaces/agency/secrets");
    let name = work.name();
    for line in [
        format!("POST {jobs}"),
        format!("POST {secrets}"),
        format!("GET {jobs}/{name}"),
        format!("GET /api/v1/namespaces/agency/pods?labelSelector=job-name%3D{name}"),
        format!("DELETE {jobs}/{name}?propagationPolicy=Background"),
        format!("DELETE {secrets}/{name}?propagationPolicy=Background"),
    ] {
        assert!(asked.contains(&line), "{line} is not in {asked:#?}");
    }
    let tokens: Vec<String> =
        cluster.state.asked.lock().expect("asked").iter().map(|(_, _, token, _)| token.clone()).collect();
    assert!(tokens.iter().all(|token| token == "Bearer token-of-tests"), "{tokens:?}");

    let (job, secret) = (cluster.document(jobs), cluster.document(secrets));
    let (spec, pod) = (&job["spec"], &job["spec"]["template"]["spec"]);
    let once = json!([spec["backoffLimit"], spec["activeDeadlineSeconds"], pod["restartPolicy"]]);
    assert_eq!(once, json!([0, 60, "Never"]), "{job}");
    let own = json!([pod["automountServiceAccountToken"], pod["securityContext"]["runAsNonRoot"], pod["nodeSelector"]]);
    assert_eq!(own, json!([false, true, {"pool": "jobs"}]));
    let limits = &pod["containers"][0]["resources"]["limits"];
    assert_eq!((&limits["memory"], &limits["cpu"]), (&json!("64Mi"), &json!("1000m")));
    assert!(pod["containers"][0]["command"].as_array().expect("a command").contains(&json!("two words; $(id)")));
    assert_eq!(secret["metadata"]["ownerReferences"][0]["uid"], "0b3c-uid", "the files go with the job");
    assert_eq!(secret["data"]["f0"], "ZXhpdCAz");
    let address = cluster.address.clone();
    tokio::task::spawn_blocking(move || read_by_kubectl(&address, &job, &secret)).await.expect("kubectl reads them");
}

/// Kubernetes' own client takes both, and knows every field of the Job: what it does not know it would leave out. It is installed by
/// `scripts/setup --test`.
fn read_by_kubectl(address: &str, job: &Value, secret: &Value) {
    if Command::new("kubectl").args(["version", "--client"]).output().is_err() {
        assert!(std::env::var_os("CI").is_none(), "scripts/setup --test installs kubectl");
        println!("skipped: kubectl is not there");
        return;
    }
    let folder = super::Folder::new();
    for document in [job, secret] {
        let create = ["create", "--dry-run=client", "--validate=false", "-o", "name", "-f", "-", "--server", address];
        let name = kubectl(&folder, &create, document);
        assert!(name.trim_end().ends_with(document["metadata"]["name"].as_str().expect("a name")), "{name}");
    }
    let set = ["set", "image", "--local", "--dry-run=client", "-o", "json", "-f", "-", "main=localhost/another:1"];
    let read: Value = serde_json::from_str(&kubectl(&folder, &set, job)).expect("a document");
    assert_holds(&read, job, "");
}

fn kubectl(folder: &super::Folder, arguments: &[&str], document: &Value) -> String {
    let mut kubectl = Command::new("kubectl")
        .args(arguments)
        .arg("--cache-dir")
        .arg(&folder.0)
        .env("KUBECONFIG", "/dev/null")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("kubectl runs");
    kubectl.stdin.take().expect("a pipe").write_all(document.to_string().as_bytes()).expect("written");
    let answer = kubectl.wait_with_output().expect("an answer");
    assert!(answer.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&answer.stderr));
    String::from_utf8(answer.stdout).expect("text")
}

/// Everything of `wanted` stands in `found`, but for the image, which was set to another one. Amounts may be written otherwise: 1000m is 1.
fn assert_holds(found: &Value, wanted: &Value, at: &str) {
    match wanted {
        Value::Object(fields) => {
            fields.iter().for_each(|(name, value)| assert_holds(&found[name], value, &format!("{at}.{name}")))
        }
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(n, item)| assert_holds(&found[n], item, &format!("{at}[{n}]")))
        }
        _ if at.ends_with(".cpu") || at.ends_with(".image") => assert!(!found.is_null(), "{at} is not known"),
        value => assert_eq!(found, value, "{at}"),
    }
}

#[tokio::test]
async fn every_end_of_a_job_is_understood() {
    let out_of_memory = How::OutOfMemory("The cluster says OOMKilled, at its limit of 64 MB.".to_owned());
    let evicted = json!({"phase": "Failed", "reason": "Evicted", "message": "The node was low on resource: memory."});
    for (status, pod, wanted) in [
        (json!({"active": 1}), terminated("OOMKilled", 137), out_of_memory),
        (condition("Failed", "DeadlineExceeded"), Value::Null, How::TimedOut),
        (condition("Complete", ""), terminated("Completed", 0), How::Exited(0)),
        (json!({"active": 1}), terminated("Error", 7), How::Exited(7)),
        (
            condition("Failed", "BackoffLimitExceeded"),
            evicted,
            How::Lost("The cluster took its place away: The node was low on resource: memory.".to_owned()),
        ),
    ] {
        let cluster = Cluster::start(vec![(status, pod)]).await;
        let ran = ran(&cluster.target(), &script("true")).await.expect("it ends");
        assert_eq!(ran.ended.how, wanted);
    }
    // A pod that was the cause itself, but whose wrapper says only how its program ended.
    let cluster = Cluster::start(vec![(json!({}), terminated("Error", 137))]).await;
    let ran = ran(&cluster.target(), &script("true")).await.expect("it ends");
    assert!(matches!(&ran.ended.how, How::OutOfMemory(how) if how.contains("137")), "{:?}", ran.ended);

    let mut drained = terminated("Error", 137);
    drained["conditions"] = json!([{"type": "DisruptionTarget", "status": "True", "reason": "EvictionByEvictionAPI"}]);
    let cluster = Cluster::start(vec![(json!({}), drained)]).await;
    let ran = super::ran(&cluster.target(), &script("true")).await.expect("it ends");
    assert!(matches!(ran.ended.how, How::Lost(_)), "a node that is emptied says nothing of memory: {:?}", ran.ended);

    // Nobody knows of a Job that somebody has deleted; one that we have deleted was stopped.
    let cluster = Cluster::start(vec![(json!({"active": 1}), running())]).await;
    let (target, work) = (cluster.target(), script("true"));
    let handle = target.start(&work).await.expect("it starts");
    assert_eq!(handle, Handle { id: work.name(), host: "node-3".to_owned() });
    target.end(&handle).await.expect("it is ended");
    assert_eq!(target.follow(&work, &handle, &mut |_| {}).await.expect("an end").how, How::Stopped);
    let lost = cluster.target().follow(&work, &handle, &mut |_| {}).await.expect("an end");
    assert!(matches!(lost.how, How::Lost(_)), "{lost:?}");
    let left = target.ours().await.expect("a list");
    assert_eq!((left.len(), left[0].1, left[0].2.id.as_str()), (1, 2, "patchbay-left"));
}

#[tokio::test]
async fn what_stands_in_the_way_is_said_with_what_to_do() {
    let cluster = Cluster::start(vec![(json!({"active": 1}), waiting("ImagePullBackOff"))]).await;
    let trouble = ran(&cluster.target(), &script("true")).await.err().expect("it cannot begin");
    assert_eq!(trouble.kind, TroubleKind::Work);
    assert!(trouble.sentence.contains("localhost/patchbay-test:1: ImagePullBackOff"), "{}", trouble.sentence);
    assert!(cluster.asked().iter().any(|line| line.starts_with("DELETE ")), "it is taken away again");

    // A pod for which no node has room, or none that its cluster says anything of, is taken away again after a while.
    let condition = json!({"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/3 nodes are available: 3 Insufficient memory."});
    for (pod, kind, says) in [
        (json!({"phase": "Pending", "conditions": [condition]}), TroubleKind::Full, "0/3 nodes are available"),
        (waiting("ContainerCreating"), TroubleKind::Target, "did not begin within"),
    ] {
        let cluster = Cluster::start(vec![(json!({"active": 1}), pod)]).await;
        let target = cluster.target().beginning_within(Duration::from_millis(20));
        let trouble = ran(&target, &script("true")).await.err().expect("it cannot begin");
        assert!(trouble.kind == kind && trouble.sentence.contains(says), "{trouble:?}");
        assert!(cluster.asked().iter().any(|line| line.starts_with("DELETE ")), "it is taken away again");
    }

    let large = Work { files: vec![("script.sh".to_owned(), vec![b'x'; 800 * 1024])], ..script("") };
    let trouble = ran(&cluster.target(), &large).await.err().expect("it cannot begin");
    assert!(trouble.kind == TroubleKind::Work && trouble.sentence.contains("700 kB"), "{trouble:?}");

    let cluster = Cluster::start(vec![(json!({}), Value::Null)]).await;
    let checked = cluster.target().check().await.expect("all is well");
    assert_eq!(checked.about, "Kubernetes v1.33.2, namespace agency");
    let dry = "POST /apis/batch/v1/namespaces/agency/jobs?dryRun=All";
    assert!(cluster.asked().iter().any(|line| line == dry), "tried without doing it");
    for (refuses, status, says) in [
        ("GET /apis/batch/v1/namespaces/agency/jobs", 403, "may not list jobs in the namespace agency"),
        ("POST /api/v1/namespaces/agency/secrets", 403, "may not create secrets"),
        ("GET /version", 401, "does not know the token"),
        ("POST /apis/batch/v1/namespaces/agency/jobs", 410, "would not create jobs (410)"),
    ] {
        *cluster.state.refuses.lock().expect("refusals") = vec![(refuses, status, "no")];
        let trouble = cluster.target().check().await.expect_err("something is wrong");
        assert_eq!(trouble.kind, TroubleKind::Target);
        assert!(trouble.sentence.contains(says), "{}", trouble.sentence);
        assert!(!trouble.sentence.contains("token-of-tests"), "{}", trouble.sentence);
    }
    *cluster.state.refuses.lock().expect("refusals") =
        vec![("POST /apis/batch", 403, "jobs.batch is forbidden: exceeded quota: small")];
    let full = ran(&cluster.target(), &script("true")).await.err().expect("there is no room");
    assert_eq!(full.kind, TroubleKind::Full);

    let keys = KubernetesKeys::default();
    let nowhere = "http://127.0.0.1:9".to_owned();
    let down = KubernetesTarget::new(nowhere, "agency".to_owned(), BTreeMap::new(), keys, Reach::Anywhere);
    let trouble = down.check().await.expect_err("nobody answers");
    assert!(trouble.kind == TroubleKind::Target && trouble.sentence.contains("does not answer"), "{trouble:?}");
}
