use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use patchbay_targets::{DockerKeys, DockerTarget, Handle, Heard, How, Reach, Target, TroubleKind, Work};
use serde_json::json;

use super::super::support::engine::Engine;
use super::{Folder, ran, script};

fn at(address: &str, reach: Reach) -> DockerTarget {
    DockerTarget::new(address.to_owned(), DockerKeys::default(), reach)
}

#[tokio::test]
async fn containers_of_a_real_engine_run_jobs_within_limits() {
    let Some(engine) = Engine::start() else { return };
    let target = at(&engine.address(), Reach::Anywhere);
    let checked = target.check().await.expect("it can run jobs");
    assert!(checked.about.contains("API") && checked.about.contains("MB"), "{checked:?}");

    let text = r#"read line; echo "in: $line"; echo "arguments: $1 $2"; echo "order: $ORDER"; echo "to err" >&2
        [ "$(id -u)" = 0 ] && echo "is root"
        touch /bin/new /patchbay/new 2>/dev/null && echo "writes programs"
        echo "interfaces: $(tail -n +3 /proc/net/dev | cut -d: -f1 | tr -d ' \n')"
        dd if=/dev/zero of=big bs=1M count=64 2>/dev/null || echo "the folder is full"; rm big
        mkdir -p out/deep; echo one > out/one.txt; echo two > out/deep/two.txt; ln -s /etc/passwd out/link
        exit 3"#;
    let one = ran(&target, &script(text)).await.expect("it runs");
    assert_eq!(one.ended.how, How::Exited(3), "{:?} {:?}", one.out, one.err);
    let said: Vec<&str> = one.out.iter().map(String::as_str).filter(|line| !line.is_empty()).collect();
    let wanted =
        ["in: from outside", "arguments: -- two words; $(id)", "order: 1001", "interfaces: lo", "the folder is full"];
    assert_eq!(said, wanted, "{:?}", one.err);
    assert_eq!(one.err, ["to err"]);
    let mut files: Vec<(&str, &[u8])> = one.files.iter().map(|file| (file.name.as_str(), &file.content[..])).collect();
    files.sort();
    assert_eq!(files, [("deep/two.txt", &b"two\n"[..]), ("one.txt", b"one\n")]);

    let hungry = ran(&target, &script("tail /dev/zero")).await.expect("it runs");
    let How::OutOfMemory(how) = &hungry.ended.how else { panic!("{:?} {:?}", hungry.ended, hungry.err) };
    assert!(how.contains("64 MB"), "how that is known, and the limit: {how}");

    let late = Work { timeout: Duration::from_secs(2), ..script("echo ready; while :; do sleep 0.2; done") };
    let late = ran(&target, &late).await.expect("it runs");
    assert_eq!((late.ended.how, late.out), (How::TimedOut, vec!["ready".to_owned()]));

    for (work, says) in [
        (Work { image: Some("localhost/nowhere:1".to_owned()), ..script("") }, "Pull it there"),
        (Work { image: None, ..script("") }, "names no image"),
    ] {
        let trouble = ran(&target, &work).await.err().expect("it cannot begin");
        assert_eq!(trouble.kind, TroubleKind::Work, "{trouble:?}");
        assert!(trouble.sentence.contains(says), "{}", trouble.sentence);
    }
    assert!(target.ours().await.expect("a list").is_empty(), "nothing is left");
}

#[tokio::test]
async fn a_container_is_found_again_by_another_worker_and_ended() {
    let Some(engine) = Engine::start() else { return };
    let (lost, next) = (at(&engine.address(), Reach::Anywhere), at(&engine.address(), Reach::Anywhere));
    let work = script("echo ready; while :; do sleep 0.2; done");
    let handle = lost.start(&work).await.expect("it starts");
    drop(lost);
    assert_eq!(next.start(&work).await.expect("it is there"), handle);
    let left = next.ours().await.expect("a list");
    assert_eq!((left.len(), left[0].0, left[0].1), (1, work.job, 1), "{left:?}");
    let (said, hears) = tokio::sync::oneshot::channel();
    let mut said = Some(said);
    let mut tell = |heard| {
        if let Heard::Out(_, line) = heard
            && let Some(said) = said.take()
        {
            let _ = said.send(line);
        }
    };
    let (followed, ended) = tokio::join!(next.follow(&work, &handle, &mut tell), async {
        assert_eq!(hears.await.expect("it speaks"), "ready");
        next.end(&handle).await
    });
    ended.expect("it is ended");
    assert_eq!(followed.expect("it ends").how, How::Stopped);
    next.remove(&handle).await.expect("removed");
    let gone = next.follow(&work, &handle, &mut |_| {}).await.expect("an end");
    assert!(matches!(gone.how, How::Lost(_)), "{gone:?}");
    assert!(next.ours().await.expect("a list").is_empty());
}

/// What a container writes, by an engine that says seconds only.
const LINES: [&str; 5] = ["01Z a", "01Z b", "01Z c", "02Z d", "02Z e"];
/// So many of them are there each time that the log is asked for. The connection is lost then; after the last time the container has ended.
const WRITTEN: [usize; 3] = [2, 4, 5];

/// An engine whose connections are lost. Gives what there is of the log from the second on that is asked for, as engines do.
async fn breaking(State(asks): State<Arc<AtomicUsize>>, request: Request) -> Response {
    let (path, query) = (request.uri().path(), request.uri().query().unwrap_or_default());
    if path.ends_with("/version") {
        return axum::Json(json!({"Version": "5", "ApiVersion": "1.41", "MinAPIVersion": "1.24"})).into_response();
    }
    if path.ends_with("/json") {
        let is_running = asks.load(Ordering::SeqCst) < WRITTEN.len();
        let state = json!({"Running": is_running, "StartedAt": Utc::now().to_rfc3339(), "ExitCode": 0});
        return axum::Json(json!({"Id": "c", "State": state})).into_response();
    }
    if !path.ends_with("/logs") {
        return (StatusCode::NOT_FOUND, axum::Json(json!({"message": "not found"}))).into_response();
    }
    let written = WRITTEN[asks.fetch_add(1, Ordering::SeqCst).min(WRITTEN.len() - 1)];
    let since = query.split('&').find_map(|part| part.strip_prefix("since=")?.parse::<i64>().ok()).unwrap_or(0);
    let lines = LINES[..written].iter().map(|line| format!("2026-11-29T10:00:{line}\n"));
    let new = lines.filter(|line| {
        let time = line.split(' ').next().expect("a time");
        DateTime::parse_from_rfc3339(time).expect("a time").timestamp() >= since
    });
    let frames = new.flat_map(|line| [&[1, 0, 0, 0, 0, 0, 0, line.len() as u8], line.as_bytes()].concat());
    frames.collect::<Vec<u8>>().into_response()
}

#[tokio::test]
async fn each_line_is_heard_once_when_the_connection_to_an_engine_is_lost() {
    let folder = Folder::new();
    let socket = folder.0.join("socket");
    let listener = tokio::net::UnixListener::bind(&socket).expect("a socket");
    let routes = axum::Router::new().fallback(breaking).with_state(Arc::default());
    let task = tokio::spawn(async move { axum::serve(listener, routes).await });
    let target = at(&format!("unix://{}", socket.display()), Reach::Anywhere);
    let (handle, mut said) = (Handle { id: "c".to_owned(), host: "h".to_owned() }, Vec::new());
    let mut tell = |heard| {
        if let Heard::Out(_, line) = heard {
            said.push(line);
        }
    };
    let ended = target.follow(&script(""), &handle, &mut tell).await.expect("it ends");
    assert_eq!((ended.how, said), (How::Exited(0), ["a", "b", "c", "d", "e"].map(str::to_owned).to_vec()));
    task.abort();
}

#[tokio::test]
async fn an_engine_that_is_not_there_is_said_to_be_so() {
    patchbay_providers::http::use_ring();
    let missing = at("unix:///nowhere/docker.sock", Reach::Anywhere).check().await.expect_err("nothing is there");
    assert_eq!(missing.kind, TroubleKind::Target);
    assert!(missing.sentence.contains("/nowhere/docker.sock"), "{}", missing.sentence);
    let closed = at("unix:///var/run/docker.sock", Reach::Public).check().await.expect_err("it is not to be used");
    assert!(closed.sentence.contains("not to be used"), "{}", closed.sentence);
    // A name that leads to this machine is refused before anything is sent to it.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("its address").port();
    let asked = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let noted = asked.clone();
    let task = tokio::spawn(async move {
        if listener.accept().await.is_ok() {
            noted.store(true, std::sync::atomic::Ordering::SeqCst);
        }
    });
    let near = at(&format!("https://localhost:{port}"), Reach::Public).check().await.expect_err("it is private");
    assert!(near.sentence.contains("private"), "{}", near.sentence);
    assert!(!asked.load(std::sync::atomic::Ordering::SeqCst), "nobody was asked");
    task.abort();
}
